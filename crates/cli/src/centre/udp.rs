//! The receive loop. It never waits for a signature or a disk, and answers nothing.

use std::io::ErrorKind;
use std::net::{SocketAddr, UdpSocket};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use anyhow::Context;
use socket2::{Domain, Protocol, Socket, Type};
use tallyproof_centre::Gate;
use tallyproof_centre::gate::Verdict;

use super::pipeline::{Job, Reply, Submitter};
use super::shared::{Shared, add};

/// What the kernel may hold for us: a second of a heavy flood. It grants what its limit (net.core.rmem_max) allows.
const RECEIVE_BUFFER: usize = 64 << 20;
/// The longest UDP datagram, and one byte to see that there is no longer one.
const BUFFER: usize = 65_536;
/// How often an idle loop looks whether the centre stops.
const IDLE: Duration = Duration::from_millis(100);

/// Opens the stations' socket.
pub(super) fn bind(address: SocketAddr) -> anyhow::Result<UdpSocket> {
    let open = || {
        let socket = Socket::new(Domain::for_address(address), Type::DGRAM, Some(Protocol::UDP))?;
        // A smaller buffer loses datagrams sooner; their stations send again.
        if let Err(error) = socket.set_recv_buffer_size(RECEIVE_BUFFER) {
            tracing::warn!(%error, "the receive buffer keeps its default size");
        }
        socket.bind(&address.into())?;
        socket.set_read_timeout(Some(IDLE))?;
        std::io::Result::Ok(UdpSocket::from(socket))
    };
    open().with_context(|| format!("cannot receive datagrams on {address}"))
}

/// Runs the loop until `stop` is set.
pub(super) fn receive(
    shared: &Shared,
    socket: &Arc<UdpSocket>,
    gate: &mut Gate,
    submitter: &Submitter,
    stop: &AtomicBool,
) {
    let mut buffer = vec![0; BUFFER];
    while !stop.load(Relaxed) {
        let (length, from) = match socket.recv_from(&mut buffer) {
            Ok(received) => received,
            Err(error)
                if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut | ErrorKind::Interrupted) =>
            {
                continue;
            }
            // An ICMP error of an earlier answer is the other side's business.
            Err(error) if error.kind() == ErrorKind::ConnectionRefused => continue,
            Err(error) => return shared.halt(format!("the stations' socket failed: {error}")),
        };
        add(&shared.counters.received, 1);
        match gate.admit(now_millis(), &buffer[..length]) {
            Verdict::Drop(reason) => shared.counters.dropped(gate, reason),
            Verdict::Admit { body, .. } => {
                let job = Job { bytes: body.to_vec(), reply: Reply::Datagram(Arc::clone(socket), from) };
                if submitter.offer(job).is_err() {
                    add(&shared.counters.queue_full, 1);
                }
            }
        }
    }
}

/// Milliseconds since 1970-01-01T00:00:00Z.
fn now_millis() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    u64::try_from(since.as_millis()).unwrap_or(u64::MAX)
}
