//! Many datagrams a system call, into buffers made once.

use std::io::{self, ErrorKind, IoSliceMut};
use std::net::{SocketAddr, UdpSocket};
use std::os::fd::AsRawFd;
use std::sync::Arc;
use std::thread;
use std::time::Duration;

use nix::sys::socket::{MsgFlags, MultiHeaders, SockaddrStorage, recvmmsg};

use super::BATCH;

/// How long to look away when fewer than a full batch were waiting. Being woken costs more than a datagram does: without this rest, a
/// flood wakes the loop every two or three datagrams, for twice the processor time. Nobody waits longer for it than a packet's journey.
const REST: Duration = Duration::from_micros(200);

/// Receives up to [`BATCH`] datagrams at a time. Make it in the thread that uses it: it cannot be moved to another.
#[derive(Debug)]
pub struct Receiver {
    socket: Arc<UdpSocket>,
    headers: MultiHeaders<SockaddrStorage>,
    /// [`BATCH`] buffers of `longest` bytes, one after the other.
    buffers: Vec<u8>,
    longest: usize,
    /// What the last batch left in the buffers, in their order.
    arrivals: Vec<Arrival>,
}

/// What lies in one buffer.
#[derive(Clone, Copy, Debug)]
struct Arrival {
    length: usize,
    /// Always there on a UDP socket.
    from: Option<SocketAddr>,
    truncated: bool,
}

/// One datagram, as long as its batch is held.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Datagram<'a> {
    /// What it holds, up to the receiver's longest.
    pub bytes: &'a [u8],
    /// Who the datagram says has sent it.
    pub from: SocketAddr,
    /// It was longer than `bytes`.
    pub truncated: bool,
}

impl Receiver {
    /// Buffers for datagrams of up to `longest` bytes (one at least); longer ones arrive cut, and say so.
    pub fn new(socket: Arc<UdpSocket>, longest: usize) -> Self {
        let longest = longest.max(1);
        let buffers = vec![0; longest.saturating_mul(BATCH)];
        let headers = MultiHeaders::preallocate(BATCH, None);
        Self { socket, headers, buffers, longest, arrivals: Vec::with_capacity(BATCH) }
    }

    /// The socket that is received from.
    pub fn socket(&self) -> &Arc<UdpSocket> {
        &self.socket
    }

    /// Waits for the first datagram up to the socket's read timeout, and takes with it those that wait already. The batch is empty
    /// after that timeout, a signal, or the error that an earlier answer to somebody else came back with. Allocates nothing.
    pub fn receive(&mut self) -> io::Result<impl Iterator<Item = Datagram<'_>>> {
        if (1..BATCH).contains(&self.arrivals.len()) {
            thread::sleep(REST);
        }
        self.arrivals.clear();
        match self.fill() {
            Err(error) if !is_quiet(error.kind()) => return Err(error),
            _ => {}
        }
        let buffers = self.buffers.chunks_exact(self.longest);
        Ok(buffers.zip(&self.arrivals).filter_map(|(buffer, arrival)| {
            let bytes = buffer.get(..arrival.length).unwrap_or(buffer);
            Some(Datagram { bytes, from: arrival.from?, truncated: arrival.truncated })
        }))
    }

    fn fill(&mut self) -> io::Result<()> {
        let mut buffers = self.buffers.chunks_exact_mut(self.longest);
        let mut slices: [[IoSliceMut<'_>; 1]; BATCH] =
            std::array::from_fn(|_| [IoSliceMut::new(buffers.next().unwrap_or_default())]);
        // Without a timeout of its own: the kernel looks at that one only between two datagrams.
        let flags = MsgFlags::MSG_WAITFORONE;
        for message in recvmmsg(self.socket.as_raw_fd(), &mut self.headers, &mut slices, flags, None)? {
            self.arrivals.push(Arrival {
                length: message.bytes,
                from: message.address.as_ref().and_then(internet_address),
                truncated: message.flags.contains(MsgFlags::MSG_TRUNC),
            });
        }
        Ok(())
    }
}

fn is_quiet(kind: ErrorKind) -> bool {
    use ErrorKind::{ConnectionRefused, Interrupted, TimedOut, WouldBlock};
    matches!(kind, WouldBlock | TimedOut | Interrupted | ConnectionRefused)
}

fn internet_address(address: &SockaddrStorage) -> Option<SocketAddr> {
    let v4 = address.as_sockaddr_in().map(|v4| SocketAddr::V4((*v4).into()));
    v4.or_else(|| address.as_sockaddr_in6().map(|v6| SocketAddr::V6((*v6).into())))
}

#[cfg(test)]
mod tests {
    use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
    use std::time::Instant;

    use super::*;

    const LONGEST: usize = 100;

    fn receiver(ip: impl Into<IpAddr>) -> (Receiver, UdpSocket) {
        let ip = ip.into();
        let socket = UdpSocket::bind((ip, 0)).unwrap();
        socket.set_read_timeout(Some(Duration::from_millis(50))).unwrap();
        let sender = UdpSocket::bind((ip, 0)).unwrap();
        sender.connect(socket.local_addr().unwrap()).unwrap();
        (Receiver::new(Arc::new(socket), LONGEST), sender)
    }

    fn drain(receiver: &mut Receiver, expected: usize) -> Vec<(Vec<u8>, SocketAddr, bool)> {
        let mut all = Vec::new();
        while all.len() < expected {
            let before = all.len();
            all.extend(receiver.receive().unwrap().map(|d| (d.bytes.to_vec(), d.from, d.truncated)));
            assert!(all.len() > before, "{before} of {expected} have come");
        }
        all
    }

    #[test]
    fn datagrams_of_every_length_arrive_whole_and_in_order() {
        for ip in [IpAddr::V4(Ipv4Addr::LOCALHOST), IpAddr::V6(Ipv6Addr::LOCALHOST)] {
            let (mut receiver, sender) = receiver(ip);
            let sent: Vec<Vec<u8>> = (0..150_u8).map(|i| vec![i; usize::from(i) % (LONGEST + 1)]).collect();
            for bytes in &sent {
                sender.send(bytes).unwrap();
            }
            let from = sender.local_addr().unwrap();
            let expected: Vec<_> = sent.into_iter().map(|bytes| (bytes, from, false)).collect();
            assert_eq!(drain(&mut receiver, expected.len()), expected);
        }
    }

    #[test]
    fn a_longer_datagram_arrives_cut_and_says_so_and_the_next_is_whole() {
        let (mut receiver, sender) = receiver(Ipv4Addr::LOCALHOST);
        sender.send(&[7; LONGEST + 1]).unwrap();
        sender.send(&[8; 3]).unwrap();
        let from = sender.local_addr().unwrap();
        assert_eq!(drain(&mut receiver, 2), [(vec![7; LONGEST], from, true), (vec![8; 3], from, false)]);
    }

    #[test]
    fn an_idle_socket_gives_an_empty_batch_after_its_timeout() {
        let (mut receiver, _sender) = receiver(Ipv4Addr::LOCALHOST);
        let start = Instant::now();
        assert_eq!(receiver.receive().unwrap().count(), 0);
        assert!(start.elapsed() >= Duration::from_millis(40));
    }

    #[test]
    fn one_datagram_is_not_kept_waiting_for_others() {
        let (mut receiver, sender) = receiver(Ipv4Addr::LOCALHOST);
        receiver.socket().set_read_timeout(Some(Duration::from_mins(1))).unwrap();
        let start = Instant::now();
        sender.send(b"one").unwrap();
        assert_eq!(receiver.receive().unwrap().map(|d| d.bytes.to_vec()).collect::<Vec<_>>(), [b"one"]);
        assert!(start.elapsed() < Duration::from_secs(30));
    }
}
