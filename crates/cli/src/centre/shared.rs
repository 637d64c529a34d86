//! What the centre's threads share: counters, the records known, the live count, and the reason to stop.

use std::net::UdpSocket;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::Relaxed};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};

use tallyproof_centre::gate::{Gate, Reason};
use tallyproof_centre::gatherer::WitnessState;
use tallyproof_centre::intake::Refusal;
use tallyproof_centre::{Intake, Known};
use tallyproof_count::Ledger;
use tallyproof_count::ledger::Summary;
use tallyproof_log::policy::Policy;
use tallyproof_record::cose::RecordDigest;
use tallyproof_record::definition::Committed;
use tokio::sync::watch;

use super::bulletins::Held;
use super::gather::Witnessing;
use super::http::{HttpCounters, HttpDrop};
use super::keys::CentreKeys;
use super::outstanding::Outstanding;
use super::pipeline::Reply;
use super::udp::{KernelCounts, KernelDrops};

/// Locks of the known records: enough that two threads seldom want the same.
const SHARDS: usize = 64;

/// State of one running centre.
#[derive(Debug)]
pub(super) struct Shared {
    pub(super) definition: Arc<Committed>,
    pub(super) keys: CentreKeys,
    /// Whose cosignatures a checkpoint needs.
    policy: RwLock<Policy>,
    pub(super) witnessing: Witnessing,
    pub(super) intake: Intake,
    pub(super) counters: Counters,
    pub(super) outstanding: Outstanding,
    pub(super) bulletins: Held,
    kernel: OnceLock<KernelDrops>,
    /// For work on all cores that must yield to the receive loop.
    pub(super) pool: rayon::ThreadPool,
    /// The public HTTP port's own counters.
    pub(super) http: Arc<HttpCounters>,
    known: Vec<Mutex<Known<Reply>>>,
    ledger: RwLock<Ledger>,
    halt: watch::Sender<Option<String>>,
    /// Set once no more records are to be taken in.
    draining: AtomicBool,
}

/// Plain counters. Each is written by few threads and read by stats and metrics; none orders anything.
#[derive(Debug, Default)]
pub(super) struct Counters {
    pub(super) received: AtomicU64,
    drops: [AtomicU64; Reason::ALL.len()],
    pub(super) queue_full: AtomicU64,
    pub(super) authentic: AtomicU64,
    pub(super) duplicates: AtomicU64,
    refused: [AtomicU64; Refusal::ALL.len()],
    pub(super) journalled: AtomicU64,
    pub(super) receipts: AtomicU64,
    pub(super) journal_failures: AtomicU64,
    pub(super) publish_failures: AtomicU64,
    pub(super) tree_size: AtomicU64,
    pub(super) cosigned_size: AtomicU64,
    pub(super) journal_failing: AtomicBool,
    pub(super) publishing_fails: AtomicBool,
}

/// Adds to a counter.
pub(super) fn add(counter: &AtomicU64, n: usize) {
    counter.fetch_add(n as u64, Relaxed);
}

impl Counters {
    /// Repeats the gate's own counters; called by its one thread, once a batch.
    pub(super) fn repeat(&self, gate: &Gate) {
        for reason in Reason::ALL {
            self.drops[reason as usize].store(gate.drops().of(reason), Relaxed);
        }
    }

    pub(super) fn refused(&self, refusal: Refusal) {
        add(&self.refused[refusal as usize], 1);
    }
}

impl Shared {
    pub(super) fn new(definition: Arc<Committed>, keys: CentreKeys, policy: Policy, pool: rayon::ThreadPool) -> Self {
        Self {
            intake: Intake::new(Arc::clone(&definition)),
            counters: Counters::default(),
            outstanding: Outstanding::new(definition.election()),
            bulletins: Held::default(),
            http: Arc::default(),
            kernel: OnceLock::new(),
            known: (0..SHARDS).map(|_| Mutex::default()).collect(),
            ledger: RwLock::new(Ledger::new(Arc::clone(&definition))),
            halt: watch::Sender::new(None),
            draining: AtomicBool::new(false),
            definition,
            keys,
            policy: RwLock::new(policy),
            witnessing: Witnessing::default(),
            pool,
        }
    }

    /// The known records that a digest belongs to.
    pub(super) fn known(&self, digest: &RecordDigest) -> MutexGuard<'_, Known<Reply>> {
        // A thread that panicked between two map operations left the map whole.
        self.known[usize::from(digest[0]) % SHARDS].lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether a checkpoint needs any cosignature.
    pub(super) fn asks_for_witnesses(&self) -> bool {
        self.policy().quorum().is_some()
    }

    /// The witness policy in force, as of the last checkpoint.
    pub(super) fn policy(&self) -> Policy {
        self.policy.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    pub(super) fn set_policy(&self, policy: Policy) {
        *self.policy.write().unwrap_or_else(PoisonError::into_inner) = policy;
    }

    /// The live count, as of the last checkpoint.
    pub(super) fn ledger(&self) -> RwLockReadGuard<'_, Ledger> {
        self.ledger.read().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn ledger_mut(&self) -> RwLockWriteGuard<'_, Ledger> {
        self.ledger.write().unwrap_or_else(PoisonError::into_inner)
    }

    /// Counts what the kernel drops on the way to this socket.
    pub(super) fn watch(&self, socket: &Arc<UdpSocket>) {
        self.kernel.get_or_init(|| KernelDrops::of(Arc::clone(socket)));
    }

    /// What the kernel has dropped so far.
    pub(super) fn kernel_drops(&self) -> KernelCounts {
        self.kernel.get().map(KernelDrops::ask).unwrap_or_default()
    }

    /// Stops the centre for a reason that must not be passed over. The first reason stands.
    pub(super) fn halt(&self, reason: String) {
        tracing::error!(reason, "the centre halts");
        self.halt.send_if_modified(|halt| {
            let first = halt.is_none();
            halt.get_or_insert(reason);
            first
        });
    }

    pub(super) fn halted(&self) -> Option<String> {
        self.halt.borrow().clone()
    }

    pub(super) fn halts(&self) -> watch::Receiver<Option<String>> {
        self.halt.subscribe()
    }

    pub(super) fn drain(&self) {
        self.draining.store(true, Relaxed);
    }

    pub(super) fn is_draining(&self) -> bool {
        self.draining.load(Relaxed)
    }

    pub(super) fn health(&self) -> Health {
        if let Some(reason) = self.halted() {
            return Health::Halted(reason);
        }
        if self.counters.journal_failing.load(Relaxed) {
            return Health::JournalFails;
        }
        if self.counters.publishing_fails.load(Relaxed) { Health::PublishingFails } else { Health::Well }
    }

    pub(super) fn stats(&self) -> CentreStats {
        let counters = &self.counters;
        let of = |counter: &AtomicU64| counter.load(Relaxed);
        let kernel = self.kernel_drops();
        CentreStats {
            received: of(&counters.received),
            drops: Reason::ALL.map(|reason| (reason, of(&counters.drops[reason as usize]))),
            filter: kernel.filter,
            overflow: kernel.overflow,
            queue_full: of(&counters.queue_full),
            http_connections: self.http.connections(),
            http_drops: self.http.drops(),
            authentic: of(&counters.authentic),
            duplicates: of(&counters.duplicates),
            refused: Refusal::ALL.map(|refusal| (refusal, of(&counters.refused[refusal as usize]))),
            journalled: of(&counters.journalled),
            receipts: of(&counters.receipts),
            journal_failures: of(&counters.journal_failures),
            publish_failures: of(&counters.publish_failures),
            tree_size: of(&counters.tree_size),
            cosigned_size: of(&counters.cosigned_size),
            witnesses: self.witnessing.witnesses(),
            slots: self.ledger().summary(),
        }
    }
}

/// Whether the centre keeps its promises.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Health {
    /// It does.
    Well,
    /// The journal took none of the last group: no receipts were given for it.
    JournalFails,
    /// Receipts are given, but the bundle cannot be written.
    PublishingFails,
    /// It has stopped.
    Halted(String),
}

/// A snapshot of what the centre has done since it started.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CentreStats {
    /// Datagrams that the kernel handed over.
    pub received: u64,
    /// Of these, dropped at the gate.
    pub drops: [(Reason, u64); Reason::ALL.len()],
    /// Datagrams that the gate's filter in the kernel dropped: too short, too long, or not ours by their first bytes.
    pub filter: u64,
    /// Datagrams lost because the socket's buffer was full. The kernel counts that for all sockets of the network namespace together:
    /// where others lose datagrams too, some of `filter` may stand here.
    pub overflow: u64,
    /// Admitted datagrams dropped because the intake was full; their stations send again.
    pub queue_full: u64,
    /// Connections that came to the public HTTP port.
    pub http_connections: u64,
    /// HTTP connections and requests that ended without a look at a record.
    pub http_drops: [(HttpDrop, u64); HttpDrop::ALL.len()],
    /// Authentic records, duplicates left out.
    pub authentic: u64,
    /// Copies of records that were known already.
    pub duplicates: u64,
    /// Records refused as not authentic.
    pub refused: [(Refusal, u64); Refusal::ALL.len()],
    /// Records made durable.
    pub journalled: u64,
    /// Receipts handed out, repeated ones included.
    pub receipts: u64,
    /// Groups that the journal could not take.
    pub journal_failures: u64,
    /// Times that the bundle could not be written.
    pub publish_failures: u64,
    /// Entries under the last checkpoint.
    pub tree_size: u64,
    /// Entries under the last checkpoint that has the witnesses' quorum; 0 for none, or where the policy asks for none.
    pub cosigned_size: u64,
    /// The policy's witnesses.
    pub witnesses: Vec<WitnessState>,
    /// Slots of the election as of the last checkpoint.
    pub slots: Summary,
}

impl CentreStats {
    /// Datagrams that reached the socket, whatever became of them.
    pub fn arrived(&self) -> u64 {
        self.received.saturating_add(self.filter).saturating_add(self.overflow)
    }

    /// Datagrams dropped before a record was looked at, by reason: the gate's reasons, and those of the kernel.
    pub fn drops_by_reason(&self) -> impl Iterator<Item = (&'static str, u64)> {
        let gate = self.drops.iter().map(|(reason, count)| (reason.as_str(), *count));
        gate.chain([("filter", self.filter), ("overflow", self.overflow)])
    }

    /// Datagrams dropped before a record was looked at.
    pub fn dropped(&self) -> u64 {
        self.drops_by_reason().map(|(_, count)| count).sum()
    }

    /// Records refused as not authentic.
    pub fn refused_total(&self) -> u64 {
        self.refused.iter().map(|(_, count)| count).sum()
    }
}
