//! What the kernel can be told about a socket and a thread, and asked about them.

use std::fs;
use std::io;
use std::net::UdpSocket;

use nix::sys::socket::{getsockopt, sockopt::GetStruct};
use rustix::net::sockopt::{set_socket_recv_buffer_size_force, socket_recv_buffer_size};
use socket2::{SockFilter, SockRef};

/// Lets the kernel hold up to `bytes` of datagrams for a socket, past `net.core.rmem_max` where the process may (`CAP_NET_ADMIN`),
/// else up to it. Returns what was granted; the kernel counts its own overhead of some 500 bytes a datagram against twice as much.
pub fn enlarge_receive_buffer(socket: &UdpSocket, bytes: usize) -> io::Result<usize> {
    if set_socket_recv_buffer_size_force(socket, bytes).is_err() {
        SockRef::from(socket).set_recv_buffer_size(bytes)?;
    }
    Ok(socket_recv_buffer_size(socket)? / 2)
}

/// Lets the kernel drop what a classic BPF program returns 0 for, before it wakes this process. Instructions are `(code, jt, jf, k)`
/// of `struct sock_filter`; offset 0 is the UDP header. The kernel checks the program and refuses one that could loop or read wild.
pub fn attach_filter(socket: &UdpSocket, program: &[(u16, u8, u8, u32)]) -> io::Result<()> {
    let program: Vec<SockFilter> = program.iter().map(|&(code, jt, jf, k)| SockFilter::new(code, jt, jf, k)).collect();
    SockRef::from(socket).attach_filter(&program)
}

/// `SK_MEMINFO_DROPS` of linux/sock_diag.h.
const DROPS: usize = 8;
type MemInfo = [u32; DROPS + 1];
#[derive(Clone, Copy, Debug)]
struct SocketMemInfo;
nix::getsockopt_impl!(SocketMemInfo, libc::SOL_SOCKET, libc::SO_MEMINFO, MemInfo, GetStruct<MemInfo>);

/// Datagrams that the kernel dropped on their way to this socket since it was made, by the filter or because the buffer was full;
/// wraps around.
pub fn kernel_drops(socket: &UdpSocket) -> io::Result<u32> {
    Ok(getsockopt(socket, SocketMemInfo)?[DROPS])
}

/// Datagrams that this thread's network namespace dropped because some UDP socket's receive buffer was full, IPv4 and IPv6 together
/// (`RcvbufErrors`). Other programs' sockets count too: only a difference between two readings says something.
pub fn rcvbuf_errors() -> io::Result<u64> {
    let v4 = udp_column(&fs::read_to_string("/proc/thread-self/net/snmp")?, "RcvbufErrors")?;
    // A kernel without IPv6 has no such file.
    let v6 = match fs::read_to_string("/proc/thread-self/net/snmp6") {
        Ok(table) => udp6_line(&table, "Udp6RcvbufErrors")?,
        Err(error) if error.kind() == io::ErrorKind::NotFound => 0,
        Err(error) => return Err(error),
    };
    Ok(v4.wrapping_add(v6))
}

/// The table has two lines a protocol: the columns' names, then their values.
fn udp_column(table: &str, name: &str) -> io::Result<u64> {
    let mut lines = table.lines().filter_map(|line| line.strip_prefix("Udp:"));
    let value = lines.next().zip(lines.next()).and_then(|(names, values)| {
        let mut columns = names.split_whitespace().zip(values.split_whitespace());
        columns.find(|(column, _)| *column == name)?.1.parse().ok()
    });
    value.ok_or_else(|| unreadable(name))
}

/// The table has a line a counter: its name and its value.
fn udp6_line(table: &str, name: &str) -> io::Result<u64> {
    let mut lines = table.lines().filter_map(|line| line.split_once(char::is_whitespace));
    let value = lines.find(|(counter, _)| *counter == name).and_then(|(_, value)| value.trim().parse().ok());
    value.ok_or_else(|| unreadable(name))
}

fn unreadable(name: &str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, format!("the kernel's table of network counters has no {name}"))
}

/// How far below the receive loop the other threads stand: about a third of its weight.
const NICER: i32 = 5;

/// Makes the calling thread yield to threads of normal priority when there are too few cores for all; call it once a thread.
pub fn lower_priority() -> io::Result<()> {
    rustix::process::nice(NICER)?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::net::Ipv4Addr;
    use std::time::Duration;

    use super::*;

    fn pair() -> (UdpSocket, UdpSocket) {
        let socket = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        socket.set_read_timeout(Some(Duration::from_secs(5))).unwrap();
        let sender = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        sender.connect(socket.local_addr().unwrap()).unwrap();
        (socket, sender)
    }

    #[test]
    fn a_buffer_is_granted_as_asked_or_up_to_the_limit() {
        let (socket, _) = pair();
        let limit: usize = fs::read_to_string("/proc/sys/net/core/rmem_max").unwrap().trim().parse().unwrap();
        let asked = 64 << 20;
        let granted = enlarge_receive_buffer(&socket, asked).unwrap();
        assert!(granted == asked || granted == limit.min(asked), "{granted}");
    }

    #[test]
    fn the_filter_drops_in_the_kernel_and_the_drops_are_counted() {
        let (socket, sender) = pair();
        // ldb [8], jeq #'y', ret #-1, ret #0: only what begins with y, behind the header of 8 bytes.
        let program = [(0x30, 0, 0, 8), (0x15, 0, 1, u32::from(b'y')), (0x06, 0, 0, u32::MAX), (0x06, 0, 0, 0)];
        attach_filter(&socket, &program).unwrap();
        for text in ["no", "yes", "nay", ""] {
            sender.send(text.as_bytes()).unwrap();
        }
        let mut buffer = [0; 10];
        assert_eq!(socket.recv(&mut buffer).unwrap(), 3);
        assert_eq!(&buffer[..3], b"yes");
        assert_eq!(kernel_drops(&socket).unwrap(), 3);
    }

    #[test]
    fn a_program_that_reads_past_its_end_is_refused() {
        let (socket, _) = pair();
        assert!(attach_filter(&socket, &[(0x15, 9, 9, 0), (0x06, 0, 0, 0)]).is_err());
    }

    #[test]
    fn a_full_buffer_is_counted() {
        let (socket, sender) = pair();
        SockRef::from(&socket).set_recv_buffer_size(0).unwrap();
        let before = rcvbuf_errors().unwrap();
        for _ in 0..100 {
            sender.send(&[0; 1000]).unwrap();
        }
        let lost = u64::from(kernel_drops(&socket).unwrap());
        assert!(lost > 50, "{lost}");
        assert!(rcvbuf_errors().unwrap() - before >= lost);
    }

    #[test]
    fn columns_are_found_by_name_and_their_absence_is_an_error() {
        let table = "Ip: A\nIp: 1\nUdp: InDatagrams RcvbufErrors\nUdp: 5 7\nUdpLite: RcvbufErrors\nUdpLite: 9\n";
        assert_eq!(udp_column(table, "RcvbufErrors").unwrap(), 7);
        for broken in ["", "Udp: RcvbufErrors\n", "Udp: A\nUdp: 1\n", "Udp: RcvbufErrors\nUdp: x\n"] {
            assert!(udp_column(broken, "RcvbufErrors").is_err(), "{broken}");
        }
        assert_eq!(udp6_line("Udp6InErrors   \t3\nUdp6RcvbufErrors \t4\n", "Udp6RcvbufErrors").unwrap(), 4);
        assert!(udp6_line("Udp6InErrors 3\n", "Udp6RcvbufErrors").is_err());
    }

    #[test]
    fn priority_is_lowered_for_the_calling_thread_alone() {
        let nice = || rustix::process::nice(0).unwrap();
        let before = nice();
        let lowered = std::thread::spawn(move || {
            lower_priority().unwrap();
            nice()
        });
        assert_eq!(lowered.join().unwrap(), (before + NICER).min(19));
        assert_eq!(nice(), before);
    }
}
