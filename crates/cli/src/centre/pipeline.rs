//! From bytes to authentic records: a bounded queue, and the threads that check signatures.

use std::net::{SocketAddr, UdpSocket};
use std::sync::mpsc::SyncSender;
use std::sync::{Arc, RwLock};

use tallyproof_centre::intake::{self, Authentic, Refusal};
use tallyproof_centre::known::{Arrival, ReceiptBytes};
use tallyproof_centre::{Lane, Sequencer};
use tallyproof_count::bulletin::Contradiction;
use tallyproof_count::statements::Fault;
use tallyproof_record::cose::RecordDigest;
use tallyproof_record::statement::Act;
use tokio::sync::oneshot;

use super::bulletins;
use super::journal::ToJournal;
use super::queue::{Item, Queue};
use super::shared::{Shared, add};

/// Records that a worker checks before it passes them on together.
const WORKER_BATCH: usize = 64;

/// Bytes that wait for a signature check. Fresh records: half a second of work on two cores. A lane has to hold several of the
/// longest records; and whatever all stations' MAC keys could make wait stays a few megabytes.
fn capacity(lane: Lane) -> usize {
    match lane {
        Lane::Fresh => 8 << 20,
        Lane::Carried => 4 << 20,
        Lane::Later => 2 << 20,
    }
}

/// What became of a record or a statement.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Answer {
    /// It is durable.
    Receipt(ReceiptBytes),
    /// It is not authentic, or adds nothing.
    Refused(Refusal),
    /// A statement that would do nothing, by this rule.
    NoEffect(Fault),
    /// A bulletin that states what the log does not give.
    Contradicts(Contradiction),
    /// The journal could not take it now; send it again.
    Unavailable,
}

/// Whom to answer.
#[derive(Debug)]
pub(super) enum Reply {
    /// The sender of a datagram. It hears of a receipt and of nothing else: it would cost us more than it cost them.
    Datagram(Arc<UdpSocket>, SocketAddr),
    /// A caller in this process.
    Caller(oneshot::Sender<Answer>),
    /// Nobody.
    Nobody,
}

impl Reply {
    pub(super) fn answer(self, answer: Answer) {
        match (self, answer) {
            // A receipt that is lost is asked for again.
            (Self::Datagram(socket, to), Answer::Receipt(receipt)) => drop(socket.send_to(&receipt, to)),
            (Self::Datagram(..) | Self::Nobody, _) => {}
            (Self::Caller(caller), answer) => drop(caller.send(answer)),
        }
    }
}

/// A record or a statement on its way to the workers.
#[derive(Debug)]
pub(super) struct Job {
    /// SHA-256 of `bytes`.
    pub(super) digest: RecordDigest,
    pub(super) bytes: Vec<u8>,
    pub(super) reply: Reply,
}

impl Job {
    /// The job in a lane, with the memory that it keeps.
    pub(super) fn in_lane(self, lane: Lane) -> Item<Self> {
        (lane, self.bytes.capacity().saturating_add(size_of::<Item<Self>>()), self)
    }

    /// What came without a station's tag, and where to wait for its answer.
    fn carried(bytes: Vec<u8>) -> (Item<Self>, Submitted) {
        let (reply, answer) = oneshot::channel();
        let job = Self { digest: intake::digest(&bytes), bytes, reply: Reply::Caller(reply) };
        (job.in_lane(Lane::Carried), Submitted(answer))
    }
}

/// Hands records to the workers. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Submitter(Arc<Queue<Job>>);

/// The intake is full; try again in a moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the centre has more records to check than it can hold; send it again")]
pub struct Full;

/// A record handed in, whose answer comes when it is durable.
#[derive(Debug)]
pub struct Submitted(oneshot::Receiver<Answer>);

impl Submitted {
    /// Waits until the record is durable or refused.
    pub fn wait(self) -> Answer {
        self.0.blocking_recv().unwrap_or(Answer::Unavailable)
    }

    /// As [`Submitted::wait`], for async callers.
    pub async fn answer(self) -> Answer {
        self.0.await.unwrap_or(Answer::Unavailable)
    }
}

impl Submitter {
    /// The queue before the workers.
    pub(super) fn new() -> Self {
        Self(Arc::new(Queue::new(capacity)))
    }

    /// Hands in a sealed record, or a signed statement; waits while the intake is full.
    pub fn submit(&self, bytes: Vec<u8>) -> Submitted {
        let (item, submitted) = Job::carried(bytes);
        // A centre that has stopped drops the job, and with it the caller's channel.
        self.0.give(item);
        submitted
    }

    /// Hands in a sealed record, or a signed statement, unless the intake is full.
    pub fn try_submit(&self, bytes: Vec<u8>) -> Result<Submitted, Full> {
        let (item, submitted) = Job::carried(bytes);
        if self.0.offer([item]) == 0 { Ok(submitted) } else { Err(Full) }
    }

    /// Never waits for room: the receive loop calls it. Returns how many jobs were lost.
    pub(super) fn offer(&self, items: impl IntoIterator<Item = Item<Job>>) -> usize {
        self.0.offer(items)
    }

    /// Lets the workers end once they have checked what waits.
    pub(super) fn close(&self) {
        self.0.close();
    }
}

/// An authentic record or statement, and who waits for its receipt.
#[derive(Debug)]
pub(super) struct Taken {
    pub(super) record: Authentic,
    pub(super) reply: Reply,
}

/// Runs one worker until the queue is closed.
pub(super) fn work(
    shared: &Shared,
    sequencer: &RwLock<Sequencer>,
    submitter: &Submitter,
    journal: &SyncSender<ToJournal>,
) {
    let mut jobs = Vec::with_capacity(WORKER_BATCH);
    loop {
        submitter.0.take(WORKER_BATCH, &mut jobs);
        if jobs.is_empty() {
            return;
        }
        let taken: Vec<Taken> = jobs.drain(..).filter_map(|job| take_in(shared, sequencer, job)).collect();
        if taken.is_empty() {
            continue;
        }
        add(&shared.counters.authentic, taken.len());
        if journal.send(ToJournal::Records(taken)).is_err() {
            // The centre has halted: nobody is to wait for room that no worker will make.
            return submitter.close();
        }
    }
}

/// Dedupes before the signature is checked, and again after it: two workers may hold the same record.
fn take_in(shared: &Shared, sequencer: &RwLock<Sequencer>, Job { digest, bytes, reply }: Job) -> Option<Taken> {
    let seen = shared.known(&digest).look(&digest, reply);
    let reply = unless_known(shared, &digest, &bytes, seen)?;
    match admit(shared, sequencer, bytes, &reply) {
        Ok(record) => {
            let seen = shared.known(&digest).expect(digest, reply);
            let reply = unless_known(shared, &digest, record.bytes(), seen)?;
            Some(Taken { record, reply })
        }
        Err(answer) => {
            turn_away(shared, answer, [reply]);
            None
        }
    }
}

fn admit(shared: &Shared, sequencer: &RwLock<Sequencer>, bytes: Vec<u8>, reply: &Reply) -> Result<Authentic, Answer> {
    if !intake::is_statement(&bytes) {
        return shared.intake.admit(bytes).map_err(Answer::Refused);
    }
    if matches!(reply, Reply::Datagram(..)) {
        // A station's MAC key buys the check of one signature, not of a statement's many.
        return Err(Answer::Refused(Refusal::Structure));
    }
    let statement = shared.intake.admit_statement(bytes).map_err(Answer::Refused)?;
    let Some(judged) = statement.statement() else { return Ok(statement) };
    let foreseen = shared.ledger().foresee(judged);
    match (foreseen, &judged.signed.statement().act) {
        // It waits in the log for the others.
        (Ok(()) | Err(Fault::TooFewSigners), Act::Bulletin(stated)) => {
            bulletins::check(shared, sequencer, judged, stated)?;
        }
        (Ok(()) | Err(Fault::TooFewSigners), _) => {}
        (Err(fault), _) => return Err(Answer::NoEffect(fault)),
    }
    Ok(statement)
}

/// Counts what is refused, and says so to those who wait.
pub(super) fn turn_away(shared: &Shared, answer: Answer, waiting: impl IntoIterator<Item = Reply>) {
    match answer {
        Answer::Refused(refusal) => shared.counters.refused(refusal),
        Answer::NoEffect(_) | Answer::Contradicts(_) => shared.counters.refused(Refusal::NoEffect),
        Answer::Receipt(_) | Answer::Unavailable => {}
    }
    waiting.into_iter().for_each(|reply| reply.answer(answer));
}

/// Answers a copy of a durable record with its receipt; gives the reply back if the record is new.
fn unless_known(shared: &Shared, digest: &RecordDigest, bytes: &[u8], arrival: Arrival<Reply>) -> Option<Reply> {
    match arrival {
        Arrival::New(reply) => return Some(reply),
        Arrival::Pending => {}
        Arrival::Durable(reply, cached) => {
            let receipt = cached.map(|receipt| *receipt).or_else(|| sign_again(shared, digest, bytes));
            add(&shared.counters.receipts, usize::from(receipt.is_some()));
            reply.answer(receipt.map_or(Answer::Unavailable, Answer::Receipt));
        }
    }
    add(&shared.counters.duplicates, 1);
    None
}

/// The receipt of a record that was durable before this process started.
fn sign_again(shared: &Shared, digest: &RecordDigest, bytes: &[u8]) -> Option<ReceiptBytes> {
    let signed = intake::receipt_of(bytes, digest)?.sign(shared.definition.hash(), &shared.keys.receipts);
    shared.known(digest).settle(digest, signed);
    Some(signed)
}
