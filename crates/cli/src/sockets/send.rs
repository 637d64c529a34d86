//! Many datagrams a system call, to this machine alone: rehearsals make their floods here.

use std::io::{self, IoSlice};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, UdpSocket};

use nix::sys::socket::{setsockopt, sockopt::UdpGsoSegment};
use rustix::net::{MMsgHdr, SendAncillaryBuffer, SendFlags, sendmmsg};

use super::BATCH;

/// What the kernel joins at most in one segmented send (`UDP_MAX_SEGMENTS` of older kernels).
const MOST_SEGMENTS: usize = 64;
/// The longest payload of UDP over IPv4.
const LONGEST_PAYLOAD: usize = 65_507;

/// How datagrams cross the kernel.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Segmentation {
    /// Each by itself, as real ones do.
    Off,
    /// Joined for most of the way and cut to this many bytes each (GSO), which is far cheaper for the sender. A figure measured
    /// with it must say so. Every datagram must be this long.
    Every(u16),
}

/// Sends batches of datagrams to one loopback address. How many and how fast is its caller's to bound.
#[derive(Debug)]
pub struct BatchSender {
    socket: UdpSocket,
    /// Datagrams of one message to the kernel.
    joined: usize,
}

impl BatchSender {
    /// A sender from a port of its own. Refuses every target but a loopback address: whoever floods, floods himself.
    pub fn new(target: SocketAddr, segmentation: Segmentation) -> io::Result<Self> {
        let source: IpAddr = match target.ip() {
            ip if !ip.is_loopback() => return Err(not_loopback(target)),
            IpAddr::V4(_) => Ipv4Addr::LOCALHOST.into(),
            IpAddr::V6(_) => Ipv6Addr::LOCALHOST.into(),
        };
        let socket = UdpSocket::bind((source, 0))?;
        socket.connect(target)?;
        let joined = match segmentation {
            Segmentation::Off => 1,
            Segmentation::Every(length) => {
                setsockopt(&socket, UdpGsoSegment, &i32::from(length))?;
                (LONGEST_PAYLOAD / usize::from(length.max(1))).clamp(1, MOST_SEGMENTS)
            }
        };
        Ok(Self { socket, joined })
    }

    /// Where it sends from.
    pub fn local_addr(&self) -> io::Result<SocketAddr> {
        self.socket.local_addr()
    }

    /// Hands as many of `datagrams` to the kernel as one system call takes, and returns how many those were. Nobody listening is
    /// no error: the datagrams are gone, as they would be on a network.
    pub fn send(&self, datagrams: &[IoSlice<'_>]) -> io::Result<usize> {
        let mut nothing: [SendAncillaryBuffer<'_, '_, '_>; BATCH] =
            std::array::from_fn(|_| SendAncillaryBuffer::default());
        let messages = datagrams.chunks(self.joined).zip(&mut nothing);
        let mut messages: Vec<MMsgHdr<'_>> = messages.map(|(joined, nothing)| MMsgHdr::new(joined, nothing)).collect();
        loop {
            match sendmmsg(&self.socket, &mut messages, SendFlags::empty()) {
                Ok(sent) => return Ok(sent.saturating_mul(self.joined).min(datagrams.len())),
                // Tells of earlier datagrams; none of these has been sent yet.
                Err(rustix::io::Errno::CONNREFUSED | rustix::io::Errno::INTR) => {}
                Err(error) => return Err(error.into()),
            }
        }
    }
}

fn not_loopback(target: SocketAddr) -> io::Error {
    let text = format!("{target} is not a loopback address: batches are sent to this machine alone");
    io::Error::new(io::ErrorKind::InvalidInput, text)
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    fn listener(ip: IpAddr) -> UdpSocket {
        let socket = UdpSocket::bind((ip, 0)).unwrap();
        socket.set_read_timeout(Some(Duration::from_secs(5))).unwrap();
        socket
    }

    fn received(socket: &UdpSocket, count: usize) -> Vec<Vec<u8>> {
        let mut buffer = [0; 2000];
        (0..count).map(|_| socket.recv(&mut buffer).map(|length| buffer[..length].to_vec()).unwrap()).collect()
    }

    fn send_all(sender: &BatchSender, datagrams: &[Vec<u8>]) -> usize {
        let slices: Vec<IoSlice<'_>> = datagrams.iter().map(|bytes| IoSlice::new(bytes)).collect();
        let (mut left, mut calls) = (&slices[..], 0);
        while !left.is_empty() {
            left = &left[sender.send(left).unwrap()..];
            calls += 1;
        }
        calls
    }

    #[test]
    fn a_batch_arrives_datagram_by_datagram() {
        for ip in [IpAddr::V4(Ipv4Addr::LOCALHOST), IpAddr::V6(Ipv6Addr::LOCALHOST)] {
            let socket = listener(ip);
            let sender = BatchSender::new(socket.local_addr().unwrap(), Segmentation::Off).unwrap();
            let datagrams: Vec<Vec<u8>> = (1..=100_u8).map(|i| vec![i; usize::from(i)]).collect();
            assert_eq!(send_all(&sender, &datagrams), 2);
            assert_eq!(received(&socket, 100), datagrams);
        }
    }

    #[test]
    fn a_joined_batch_arrives_datagram_by_datagram_too() {
        let socket = listener(Ipv4Addr::LOCALHOST.into());
        let sender = BatchSender::new(socket.local_addr().unwrap(), Segmentation::Every(300)).unwrap();
        let datagrams: Vec<Vec<u8>> = (0..100).map(|i| vec![i; 300]).collect();
        assert_eq!(send_all(&sender, &datagrams), 1);
        assert_eq!(received(&socket, 100), datagrams);
    }

    #[test]
    fn only_loopback_is_a_target() {
        for target in
            ["192.0.2.1:9", "0.0.0.0:9", "255.255.255.255:9", "[2001:db8::1]:9", "[::]:9", "[::ffff:127.0.0.1]:9"]
        {
            let error = BatchSender::new(target.parse().unwrap(), Segmentation::Off).unwrap_err();
            assert_eq!(error.kind(), io::ErrorKind::InvalidInput, "{target}");
        }
    }

    #[test]
    fn nobody_listening_is_no_error() {
        let gone = listener(Ipv4Addr::LOCALHOST.into()).local_addr().unwrap();
        let sender = BatchSender::new(gone, Segmentation::Off).unwrap();
        for _ in 0..3 {
            assert!((1..=2).contains(&sender.send(&[IoSlice::new(b"a"), IoSlice::new(b"b")]).unwrap()));
        }
    }
}
