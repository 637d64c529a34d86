//! From bytes to authentic records: a bounded queue, and the threads that check signatures.

use std::net::{SocketAddr, UdpSocket};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, TrySendError, sync_channel};
use std::time::Duration;

use tallyproof_centre::intake::{self, Authentic, Refusal};
use tallyproof_centre::known::{Arrival, ReceiptBytes};
use tallyproof_record::cose;
use tallyproof_record::receipt::Receipt;
use tokio::sync::oneshot;

use super::journal::ToJournal;
use super::shared::{Shared, add};

/// Records that wait for a signature check, over all workers: half a second of work on two cores, a few megabytes.
const QUEUE: usize = 16_384;
/// Records that a worker checks before it passes them on together.
const WORKER_BATCH: usize = 64;
/// How often an idle thread looks whether the centre stops.
const IDLE: Duration = Duration::from_millis(100);

/// What became of a record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Answer {
    /// It is durable.
    Receipt(ReceiptBytes),
    /// It is not authentic.
    Refused(Refusal),
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
}

impl Reply {
    pub(super) fn answer(self, answer: Answer) {
        match (self, answer) {
            // A receipt that is lost is asked for again.
            (Self::Datagram(socket, to), Answer::Receipt(receipt)) => drop(socket.send_to(&receipt, to)),
            (Self::Datagram(..), _) => {}
            (Self::Caller(caller), answer) => drop(caller.send(answer)),
        }
    }
}

/// A record on its way to the workers.
#[derive(Debug)]
pub(super) struct Job {
    pub(super) bytes: Vec<u8>,
    pub(super) reply: Reply,
}

/// Hands records to the workers. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Submitter {
    workers: Arc<[SyncSender<Job>]>,
    next: Arc<AtomicUsize>,
}

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
    /// Hands in a sealed record; waits while the intake is full.
    pub fn submit(&self, bytes: Vec<u8>) -> Submitted {
        let (reply, answer) = oneshot::channel();
        // A centre that has stopped drops the job, and with it the caller's channel.
        drop(self.workers[self.turn()].send(Job { bytes, reply: Reply::Caller(reply) }));
        Submitted(answer)
    }

    /// Hands in a sealed record unless the intake is full.
    pub fn try_submit(&self, bytes: Vec<u8>) -> Result<Submitted, Full> {
        let (reply, answer) = oneshot::channel();
        self.offer(Job { bytes, reply: Reply::Caller(reply) })?;
        Ok(Submitted(answer))
    }

    /// Never waits: the receive loop calls it.
    pub(super) fn offer(&self, mut job: Job) -> Result<(), Full> {
        let first = self.turn();
        let count = self.workers.len();
        for worker in (0..count).map(|step| (first + step) % count) {
            match self.workers[worker].try_send(job) {
                Ok(()) => return Ok(()),
                Err(TrySendError::Full(back) | TrySendError::Disconnected(back)) => job = back,
            }
        }
        Err(Full)
    }

    fn turn(&self) -> usize {
        self.next.fetch_add(1, Relaxed) % self.workers.len()
    }
}

/// Queues for `workers` threads.
pub(super) fn queues(workers: usize) -> (Submitter, Vec<Receiver<Job>>) {
    let workers = workers.max(1);
    let (senders, receivers): (Vec<_>, Vec<_>) = (0..workers).map(|_| sync_channel(QUEUE / workers + 1)).unzip();
    (Submitter { workers: senders.into(), next: Arc::default() }, receivers)
}

/// An authentic record, and who waits for its receipt.
#[derive(Debug)]
pub(super) struct Taken {
    pub(super) record: Authentic,
    pub(super) reply: Reply,
}

/// Runs one worker until the centre drains.
pub(super) fn work(shared: &Shared, jobs: &Receiver<Job>, journal: &SyncSender<ToJournal>) {
    loop {
        let first = match jobs.recv_timeout(IDLE) {
            Ok(job) => job,
            Err(RecvTimeoutError::Timeout) if !shared.is_draining() => continue,
            Err(_) => return,
        };
        let batch = std::iter::once(first).chain(jobs.try_iter().take(WORKER_BATCH - 1));
        let taken: Vec<Taken> = batch.filter_map(|job| take_in(shared, job)).collect();
        if taken.is_empty() {
            continue;
        }
        add(&shared.counters.authentic, taken.len());
        if journal.send(ToJournal::Records(taken)).is_err() {
            return;
        }
    }
}

/// Dedupes before the signature is checked, and again after it: two workers may hold the same record.
fn take_in(shared: &Shared, Job { bytes, reply }: Job) -> Option<Taken> {
    if bytes.len() > cose::MAX_LEN {
        return refuse(shared, reply, Refusal::TooLong);
    }
    let digest = intake::digest(&bytes);
    let seen = shared.known(&digest).look(&digest, reply);
    let reply = unless_known(shared, &bytes, seen)?;
    match shared.intake.admit(bytes) {
        Ok(record) => {
            let seen = shared.known(&digest).expect(digest, reply);
            let reply = unless_known(shared, record.bytes(), seen)?;
            Some(Taken { record, reply })
        }
        Err(refusal) => refuse(shared, reply, refusal),
    }
}

fn refuse(shared: &Shared, reply: Reply, refusal: Refusal) -> Option<Taken> {
    shared.counters.refused(refusal);
    reply.answer(Answer::Refused(refusal));
    None
}

/// Answers a copy of a durable record with its receipt; gives the reply back if the record is new.
fn unless_known(shared: &Shared, bytes: &[u8], arrival: Arrival<Reply>) -> Option<Reply> {
    match arrival {
        Arrival::New(reply) => return Some(reply),
        Arrival::Pending => {}
        Arrival::Durable(reply, cached) => {
            let receipt = cached.map(|receipt| *receipt).or_else(|| sign_again(shared, bytes));
            add(&shared.counters.receipts, usize::from(receipt.is_some()));
            reply.answer(receipt.map_or(Answer::Unavailable, Answer::Receipt));
        }
    }
    add(&shared.counters.duplicates, 1);
    None
}

/// The receipt of a record that was durable before this process started.
fn sign_again(shared: &Shared, bytes: &[u8]) -> Option<ReceiptBytes> {
    let tally = cose::open(bytes).ok()?.tally;
    let digest = intake::digest(bytes);
    let receipt = Receipt { station: tally.station, contest: tally.contest, digest };
    let signed = receipt.sign(shared.definition.hash(), &shared.keys.receipts);
    shared.known(&digest).settle(&digest, signed);
    Some(signed)
}
