//! The relay's UDP port: stations' datagrams pass through unchanged.
//!
//! A relay cannot check a tag. It answers and passes on only what carries a record that a station of the register signed, so
//! the cheap checks come first, and a flood of forgeries fills a short queue before a thread of its own and nothing else.

use std::io::ErrorKind;
use std::net::{SocketAddr, UdpSocket};
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::sync::mpsc::SyncSender;
use std::time::Duration;

use anyhow::Context;
use tallyproof_record::cose;
use tallyproof_record::frame::{Frame, HEADER_LEN};

use super::desk::{Desk, count};

/// Datagrams that may wait for their signature's check.
pub(super) const UNCHECKED: usize = 1024;
/// How long the receiving thread may take to notice the end.
const NOTICE: Duration = Duration::from_millis(200);

/// A datagram of a record that is not known yet, and where it came from.
pub(super) type Stranger = (SocketAddr, Vec<u8>);

/// Opens the port.
pub(super) fn bind(address: SocketAddr) -> anyhow::Result<UdpSocket> {
    let socket = UdpSocket::bind(address).with_context(|| format!("cannot receive datagrams on {address}"))?;
    socket.set_read_timeout(Some(NOTICE))?;
    Ok(socket)
}

/// Receives until `stop`.
pub(super) fn receive(desk: &Desk, socket: &UdpSocket, strangers: &SyncSender<Stranger>, stop: &AtomicBool) {
    // One byte more than the longest, so that longer ones are seen to be.
    let mut buffer = vec![0; HEADER_LEN + cose::MAX_LEN + 1];
    while !stop.load(Relaxed) {
        match socket.recv_from(&mut buffer) {
            Ok((length, from)) => {
                count(&desk.counters.datagrams);
                if !sort(desk, from, buffer.get(..length).unwrap_or_default(), strangers) {
                    count(&desk.counters.dropped);
                }
            }
            Err(error) if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut) => {}
            // News about an answer that did not arrive.
            Err(error) => tracing::debug!(%error, "socket"),
        }
    }
}

/// False if the datagram is dropped.
fn sort(desk: &Desk, from: SocketAddr, datagram: &[u8], strangers: &SyncSender<Stranger>) -> bool {
    let Ok(frame) = Frame::parse(datagram) else { return false };
    if frame.body.len() > cose::MAX_LEN || !desk.knows(frame.header.station) {
        return false;
    }
    let Ok(digest) = frame.check_digest() else { return false };
    desk.take_known(from, &digest, datagram) || strangers.try_send((from, datagram.to_vec())).is_ok()
}

/// Checks a stranger's signature, and takes it if it holds.
pub(super) fn check(desk: &Desk, (from, datagram): Stranger) {
    let Ok(frame) = Frame::parse(&datagram) else { return };
    let (station, body) = (frame.header.station, frame.body.to_vec());
    match desk.check(body) {
        // A record in another station's frame would only be dropped at the centre.
        Ok(record) if record.station() == station => {
            if let Err(why) = desk.take(&record, Some((from, datagram))) {
                tracing::debug!(?why, %station, "not taken");
            }
        }
        Ok(_) => count(&desk.counters.dropped),
        Err(refusal) => tracing::debug!(%refusal, "refused"),
    }
}
