//! The receive loop. It never waits for a signature or a disk, answers nothing, and keeps nothing of a datagram whose tag does not hold.

use std::net::{SocketAddr, UdpSocket};
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use anyhow::Context;
use socket2::{Domain, Protocol, Socket, Type};
use tallyproof_centre::Gate;
use tallyproof_centre::gate::{self, MAX_DATAGRAM, Verdict};

use super::pipeline::{Job, Reply, Submitter};
use super::queue::Item;
use super::shared::{Shared, add};
use crate::sockets::{self, BATCH, Datagram, Receiver};

/// How often an idle loop looks whether the centre stops.
const IDLE: Duration = Duration::from_millis(100);

/// How datagrams are received.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct UdpConfig {
    /// Where stations send them; port 0 takes a free one.
    pub address: SocketAddr,
    /// Whether the kernel drops what cannot be ours by its length and first bytes. The gate checks it all the same.
    pub kernel_filter: bool,
    /// Bytes that the kernel is asked to hold while the loop is busy: it grants up to `net.core.rmem_max`, or all to a process with
    /// `CAP_NET_ADMIN`.
    pub receive_buffer: usize,
}

impl UdpConfig {
    /// A tenth of a second of a heavy flood and more: what is lost beyond it is sent again.
    pub const RECEIVE_BUFFER: usize = 64 << 20;

    /// The defaults, at this address.
    pub fn at(address: impl Into<SocketAddr>) -> Self {
        Self { address: address.into(), kernel_filter: true, receive_buffer: Self::RECEIVE_BUFFER }
    }
}

/// Opens the stations' socket; returns it with the bytes that the kernel will hold for it.
pub(super) fn bind(config: UdpConfig) -> anyhow::Result<(UdpSocket, usize)> {
    let open = || {
        let socket = Socket::new(Domain::for_address(config.address), Type::DGRAM, Some(Protocol::UDP))?;
        socket.bind(&config.address.into())?;
        socket.set_read_timeout(Some(IDLE))?;
        let socket = UdpSocket::from(socket);
        let granted = sockets::enlarge_receive_buffer(&socket, config.receive_buffer)?;
        std::io::Result::Ok((socket, granted))
    };
    let (socket, granted) = open().with_context(|| format!("cannot receive datagrams on {}", config.address))?;
    if config.kernel_filter {
        attach_filter(&socket);
    }
    Ok((socket, granted))
}

/// Without it the centre does its work all the same, only more of it.
fn attach_filter(socket: &UdpSocket) {
    let program = gate::filter().map(|step| (step.code, step.jt, step.jf, step.k));
    if let Err(error) = sockets::attach_filter(socket, &program) {
        tracing::warn!(%error, "the kernel takes no filter; the gate alone drops what is not ours");
    }
}

/// Runs the loop until `stop` is set.
pub(super) fn receive(
    shared: &Shared,
    socket: &Arc<UdpSocket>,
    gate: &mut Gate,
    submitter: &Submitter,
    stop: &AtomicBool,
) {
    // A byte more, so that a longer datagram is seen to be longer.
    let mut receiver = Receiver::new(Arc::clone(socket), MAX_DATAGRAM + 1);
    let mut admitted: Vec<Item<Job>> = Vec::with_capacity(BATCH);
    while !stop.load(Relaxed) {
        let received = match receiver.receive() {
            Ok(batch) => judge(shared, socket, gate, batch, &mut admitted),
            Err(error) => return shared.halt(format!("the stations' socket failed: {error}")),
        };
        if received > 0 {
            add(&shared.counters.received, received);
            shared.counters.repeat(gate);
        }
        if !admitted.is_empty() {
            add(&shared.counters.queue_full, submitter.offer(admitted.drain(..)));
        }
    }
}

/// Puts what passes the gate into `admitted`; returns how many datagrams there were.
fn judge<'a>(
    shared: &Shared,
    socket: &Arc<UdpSocket>,
    gate: &mut Gate,
    batch: impl Iterator<Item = Datagram<'a>>,
    admitted: &mut Vec<Item<Job>>,
) -> usize {
    let now = now_millis();
    batch
        .map(|Datagram { bytes, from, .. }| {
            if let Verdict::Admit { station, digest, body } = gate.admit(now, bytes) {
                let reply = Reply::Datagram(Arc::clone(socket), from);
                let job = Job { digest, bytes: body.to_vec(), reply };
                admitted.push(job.in_lane(shared.outstanding.lane(station)));
            }
        })
        .count()
}

/// Milliseconds since 1970-01-01T00:00:00Z.
fn now_millis() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    u64::try_from(since.as_millis()).unwrap_or(u64::MAX)
}

/// What the kernel dropped on the way to the socket, told apart by why.
#[derive(Debug)]
pub(super) struct KernelDrops {
    socket: Arc<UdpSocket>,
    tally: Mutex<KernelTally>,
}

#[derive(Debug, Default)]
struct KernelTally {
    drops: KernelCounts,
    /// The socket's own counter when it was last read; it has 32 bits and goes round.
    socket: u32,
    /// The namespace's counter of full buffers, where the kernel tells.
    overflows: Option<u64>,
    /// What that one had counted more than the socket's when they were last read.
    surplus: u64,
}

/// Datagrams that never came to the receive loop.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct KernelCounts {
    /// The filter dropped them.
    pub(super) filter: u64,
    /// The socket's buffer was full.
    pub(super) overflow: u64,
}

impl KernelDrops {
    /// Counts from here on.
    pub(super) fn of(socket: Arc<UdpSocket>) -> Self {
        let tally = KernelTally { overflows: sockets::rcvbuf_errors().ok(), ..KernelTally::default() };
        Self { socket, tally: Mutex::new(tally) }
    }

    /// Asks the kernel; to be done at least once an hour, before its counter has gone round unseen.
    pub(super) fn ask(&self) -> KernelCounts {
        let mut tally = self.tally.lock().unwrap_or_else(PoisonError::into_inner);
        if let Ok(drops) = sockets::kernel_drops(&self.socket) {
            tally.take(drops, sockets::rcvbuf_errors().ok());
        }
        tally.drops
    }
}

impl KernelTally {
    /// The two counters are read one after the other, and the second counts for other sockets too. So what it has more is believed
    /// until they are read again and no longer, and every drop is counted once.
    fn take(&mut self, socket: u32, overflows: Option<u64>) {
        let dropped = u64::from(socket.wrapping_sub(self.socket));
        let full = overflows.zip(self.overflows).map_or(0, |(now, before)| now.saturating_sub(before));
        let believed = full.saturating_add(self.surplus);
        let overflow = believed.min(dropped);
        self.drops.overflow = self.drops.overflow.saturating_add(overflow);
        self.drops.filter = self.drops.filter.saturating_add(dropped.saturating_sub(overflow));
        self.surplus = full.min(believed.saturating_sub(overflow));
        self.socket = socket;
        self.overflows = overflows.or(self.overflows);
    }
}

#[cfg(test)]
mod tests {
    use std::net::Ipv4Addr;

    use tallyproof_centre::Lane;
    use tallyproof_record::definition::package::{self, Files};
    use tallyproof_record::frame::{self, MacKey};
    use tallyproof_record::{ContestNo, StationNo};

    use super::super::keys::CentreKeys;
    use tallyproof_log::policy::Policy;

    use super::*;

    /// A centre of two stations and one contest.
    fn shared() -> Shared {
        let toml = "format = 1\nid = \"t\"\nname = \"T\"\ndate = \"2026-07-01\"\nphase = \"drill\"\n\n\
                    [[contest]]\nid = \"office\"\nname = \"Office\"\narea = \"all\"\n";
        let files = [
            ("election.toml", toml),
            ("areas.csv", "id,parent,name,kind\nall,,All,country\n"),
            ("stations.csv", "id,area,registered\ns1,all,9\ns2,all,9\n"),
            ("ballot.csv", "contest,line\noffice,a\n"),
        ];
        let files: Files = files.map(|(name, text)| (name.to_owned(), text.as_bytes().to_vec())).into();
        let keys = CentreKeys::new("log.example/t", [2; 32], [3; 32]).unwrap();
        let pool = rayon::ThreadPoolBuilder::new().build().unwrap();
        Shared::new(Arc::new(package::parse(&files).unwrap().commit()), keys, Policy::default(), pool)
    }

    #[test]
    fn stations_whose_records_are_all_in_go_later_and_nothing_else_goes_at_all() {
        let shared = shared();
        let mut gate = Gate::new(&shared.definition, &shared.keys.mac, shared.keys.epoch);
        let socket = Arc::new(UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).unwrap());
        let from = socket.local_addr().unwrap();
        let datagram = |no: u32| {
            let key = MacKey::derive(&shared.keys.mac, shared.definition.hash(), shared.keys.epoch, StationNo(no));
            frame::encode(StationNo(no), shared.keys.epoch, frame::attempt_at(now_millis()), b"body", &key)
        };
        shared.outstanding.settle(StationNo(1), ContestNo(1));
        let batch = [datagram(1), b"hostile".to_vec(), datagram(2), datagram(3)];
        let batch = batch.iter().map(|bytes| Datagram { bytes, from, truncated: false });
        let mut admitted = Vec::new();
        assert_eq!(judge(&shared, &socket, &mut gate, batch, &mut admitted), 4);
        let lanes: Vec<Lane> = admitted.iter().map(|(lane, ..)| *lane).collect();
        assert_eq!(lanes, [Lane::Later, Lane::Fresh]);
        assert!(admitted.iter().all(|(.., job)| job.bytes == b"body"), "the header is not part of the record");
    }

    fn counts(tally: &KernelTally) -> (u64, u64) {
        (tally.drops.filter, tally.drops.overflow)
    }

    #[test]
    fn drops_of_the_filter_and_of_a_full_buffer_are_told_apart() {
        let mut tally = KernelTally { overflows: Some(1000), ..KernelTally::default() };
        tally.take(7, Some(1000));
        assert_eq!(counts(&tally), (7, 0));
        tally.take(17, Some(1004));
        assert_eq!(counts(&tally), (13, 4));
        tally.take(u32::MAX, Some(1004));
        tally.take(4, Some(1009));
        assert_eq!(counts(&tally), (u64::from(u32::MAX) - 4, 9), "the socket's counter goes round");
    }

    #[test]
    fn a_drop_between_the_two_readings_is_counted_once() {
        let mut tally = KernelTally { overflows: Some(0), ..KernelTally::default() };
        tally.take(10, Some(12));
        tally.take(12, Some(12));
        assert_eq!(counts(&tally), (0, 12));
    }

    #[test]
    fn other_sockets_full_buffers_are_soon_forgotten() {
        let mut tally = KernelTally { overflows: Some(0), ..KernelTally::default() };
        tally.take(0, Some(500));
        tally.take(0, Some(500));
        tally.take(20, Some(500));
        assert_eq!(counts(&tally), (20, 0));
        tally.take(30, None);
        assert_eq!(counts(&tally), (30, 0), "where the kernel does not tell");
    }
}
