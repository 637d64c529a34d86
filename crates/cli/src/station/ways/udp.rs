//! UDP: one thread sends datagrams, another takes receipts, on one socket.

use std::io::{self, ErrorKind};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, ToSocketAddrs, UdpSocket};
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, anyhow};
use socket2::{Domain, Protocol, Socket, Type};
use tallyproof_record::receipt;

use super::{Desk, Load, Outcome, Report, spawn};

/// How long the receiving thread may take to notice that it is no longer wanted.
const NOTICE: Duration = Duration::from_millis(200);

pub(super) fn start<R: Report>(place: &str, desk: &Arc<Desk<R>>) -> anyhow::Result<()> {
    let socket = Arc::new(open().context("this machine has no network: no UDP socket can be opened")?);
    socket.set_read_timeout(Some(NOTICE))?;
    let (sender, sending, place) = (Arc::clone(&socket), Arc::clone(desk), place.to_owned());
    spawn("way-udp", move || {
        while let Some(Load { digest, bytes }) = sending.next() {
            let sent = send(&sender, &place, &bytes);
            sending.done(digest, sent.map_or_else(Outcome::Failed, |()| Outcome::Sent));
        }
    })?;
    let receiving = Arc::clone(desk);
    spawn("way-udp-receipts", move || {
        while !receiving.is_over() {
            if let Some(bytes) = receive(&socket) {
                receiving.arrived(bytes);
            }
        }
    })
}

/// One socket for both families; a machine may lack the newer one.
fn open() -> io::Result<UdpSocket> {
    both_families().or_else(|_| UdpSocket::bind((Ipv4Addr::UNSPECIFIED, 0)))
}

fn both_families() -> io::Result<UdpSocket> {
    let socket = Socket::new(Domain::IPV6, Type::DGRAM, Some(Protocol::UDP))?;
    socket.set_only_v6(false)?;
    socket.bind(&SocketAddr::from((Ipv6Addr::UNSPECIFIED, 0)).into())?;
    Ok(socket.into())
}

/// The name is resolved each time: an answer that was wrong or missing at first may be right later.
fn send(socket: &UdpSocket, place: &str, datagram: &[u8]) -> anyhow::Result<()> {
    let is_ipv6 = socket.local_addr()?.is_ipv6();
    let mut last = anyhow!("{place} has no address");
    for address in place.to_socket_addrs().with_context(|| format!("cannot resolve {place}"))? {
        let to = match address.ip() {
            IpAddr::V4(ip) if is_ipv6 => (ip.to_ipv6_mapped(), address.port()).into(),
            _ => address,
        };
        match socket.send_to(datagram, to) {
            Ok(_) => return Ok(()),
            Err(error) => last = anyhow::Error::new(error).context(format!("cannot send to {address}")),
        }
    }
    Err(last)
}

/// An error of the socket is only news about an earlier datagram (nobody listened): the next try may fare better.
fn receive(socket: &UdpSocket) -> Option<Vec<u8>> {
    // One byte more than a receipt, so that longer datagrams are not mistaken for one.
    let mut buffer = [0; receipt::LEN + 1];
    match socket.recv(&mut buffer) {
        Ok(length) => buffer.get(..length).map(<[u8]>::to_vec),
        Err(error) => {
            if !matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut | ErrorKind::ConnectionRefused) {
                tracing::debug!(%error, "socket");
                // A socket that fails at once each time must not keep a core busy.
                std::thread::sleep(NOTICE);
            }
            None
        }
    }
}
