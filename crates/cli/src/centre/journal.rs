//! The journal thread: makes groups of records durable, and only then lets their receipts be signed.

use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, sync_channel};
use std::sync::{Arc, mpsc};
use std::time::{Duration, Instant};

use rayon::prelude::*;
use tallyproof_centre::Journal;
use tallyproof_centre::intake::Authentic;
use tallyproof_centre::journal::{self, Row};
use tallyproof_record::receipt::Receipt;

use super::Cut;
use super::pipeline::{Answer, Reply, Taken};
use super::publisher::ToPublisher;
use super::shared::{Shared, add};

/// Most records of one transaction.
const GROUP: usize = 1024;
/// Worker batches that wait for the journal: when it stalls, the workers stall, then the gate's queue fills, then it drops.
const QUEUE: usize = 64;
/// Below this many receipts, waking other threads costs more than it saves.
const SIGN_TOGETHER: usize = 64;

/// What the journal thread is told.
#[derive(Debug)]
pub(super) enum ToJournal {
    /// Make these durable.
    Records(Vec<Taken>),
    /// End the batch here, publish everything, then say so.
    CutNow(mpsc::Sender<()>),
    /// Make what came before this durable, publish everything, and end.
    Stop,
}

/// A durable record, and who waits for its receipt.
#[derive(Debug)]
pub(super) struct Settled {
    receipt: Receipt,
    reply: Reply,
}

/// The queue to the journal thread.
pub(super) fn queue() -> (SyncSender<ToJournal>, Receiver<ToJournal>) {
    sync_channel(QUEUE)
}

/// The queue to the receipts thread.
pub(super) fn receipts_queue() -> (SyncSender<Vec<Settled>>, Receiver<Vec<Settled>>) {
    sync_channel(QUEUE)
}

/// The journal thread's state.
pub(super) struct Writer<J> {
    pub(super) shared: Arc<Shared>,
    pub(super) journal: J,
    pub(super) inbox: Receiver<ToJournal>,
    pub(super) receipts: SyncSender<Vec<Settled>>,
    pub(super) publisher: mpsc::Sender<ToPublisher>,
    /// Set while the publisher has a batch in hand: it then gets a larger one next instead of a queue of small ones.
    pub(super) publishing: Arc<AtomicBool>,
    pub(super) cut: Cut,
    pub(super) last_cut: Instant,
    /// Records to be made durable together.
    pub(super) group: Vec<Taken>,
    /// Durable records that no cut covers yet.
    pub(super) uncut: Vec<Authentic>,
}

/// Whether the thread goes on.
#[derive(PartialEq, Eq)]
enum Next {
    GoOn,
    End,
}

impl<J: Journal> Writer<J> {
    /// Runs until it is told to stop, or the centre halts.
    pub(super) fn run(mut self) {
        while self.shared.halted().is_none() {
            let first = match self.inbox.recv_timeout(self.until_cut()) {
                Ok(message) => Some(message),
                Err(RecvTimeoutError::Timeout) => None,
                Err(RecvTimeoutError::Disconnected) => Some(ToJournal::Stop),
            };
            if self.gather(first) == Next::End {
                return;
            }
            self.commit();
            if self.cut_is_due() {
                self.cut();
            }
        }
    }

    /// Takes what has arrived, up to a full group: a busy centre writes large groups, an idle one writes at once.
    fn gather(&mut self, first: Option<ToJournal>) -> Next {
        let mut message = first;
        while let Some(current) = message {
            match current {
                ToJournal::Records(mut taken) => self.group.append(&mut taken),
                ToJournal::CutNow(done) => self.publish_all(Some(done)),
                ToJournal::Stop => {
                    self.publish_all(None);
                    return Next::End;
                }
            }
            message = if self.group.len() < GROUP { self.inbox.try_recv().ok() } else { None };
        }
        Next::GoOn
    }

    fn publish_all(&mut self, done: Option<mpsc::Sender<()>>) {
        self.commit();
        if self.cut() {
            // The publisher is gone only if the centre halts; the caller's channel closes with it.
            let _ = self.publisher.send(ToPublisher::Everything(done));
        }
    }

    fn commit(&mut self) {
        let group = std::mem::take(&mut self.group);
        if group.is_empty() {
            return;
        }
        let rows: Vec<Row<'_>> =
            group.iter().map(|taken| Row { digest: taken.record.digest(), record: taken.record.bytes() }).collect();
        match self.journal.append(&rows) {
            Ok(_) => self.settle(group),
            Err(error) => self.refuse(group, &error),
        }
    }

    fn settle(&mut self, group: Vec<Taken>) {
        add(&self.shared.counters.journalled, group.len());
        self.shared.counters.journal_failing.store(false, Relaxed);
        let settled = group.into_iter().map(|Taken { record, reply }| {
            let receipt = Receipt { station: record.station(), contest: record.contest(), digest: *record.digest() };
            self.uncut.push(record);
            Settled { receipt, reply }
        });
        let settled = settled.collect();
        // The receipts thread outlives this one.
        let _ = self.receipts.send(settled);
    }

    /// No receipt, ever, for a group that the journal did not take; its senders send again.
    fn refuse(&self, group: Vec<Taken>, error: &J::Error) {
        tracing::error!(%error, records = group.len(), "the journal took none of a group; no receipts for it");
        add(&self.shared.counters.journal_failures, 1);
        self.shared.counters.journal_failing.store(true, Relaxed);
        for Taken { record, reply } in group {
            let waiters = self.shared.known(record.digest()).forget(record.digest());
            waiters.into_iter().chain([reply]).for_each(|reply| reply.answer(Answer::Unavailable));
        }
    }

    fn until_cut(&self) -> Duration {
        const LONG: Duration = Duration::from_secs(1);
        match self.cut {
            Cut::Every(period) if !self.uncut.is_empty() => {
                period.saturating_sub(self.last_cut.elapsed()).clamp(Duration::from_millis(1), LONG)
            }
            _ => LONG,
        }
    }

    fn cut_is_due(&self) -> bool {
        let Cut::Every(period) = self.cut else { return false };
        !self.uncut.is_empty() && self.last_cut.elapsed() >= period && !self.publishing.load(Relaxed)
    }

    /// Ends the batch: the cut is durable before the publisher hears of it. Says whether it is.
    fn cut(&mut self) -> bool {
        self.last_cut = Instant::now();
        if self.uncut.is_empty() {
            return true;
        }
        let cut = journal::Cut::after(self.journal.last());
        match self.journal.mark(cut) {
            Ok(()) => {
                self.shared.counters.journal_failing.store(false, Relaxed);
                self.publishing.store(true, Relaxed);
                let batch = ToPublisher::Batch(cut, std::mem::take(&mut self.uncut));
                self.publisher.send(batch).is_ok()
            }
            Err(error) => {
                tracing::error!(%error, "the journal could not note the end of a batch; it stays open");
                add(&self.shared.counters.journal_failures, 1);
                self.shared.counters.journal_failing.store(true, Relaxed);
                false
            }
        }
    }
}

/// Runs the receipts thread until the journal thread ends: signs for durable records, and answers everyone who waits.
pub(super) fn sign_receipts(shared: &Shared, inbox: &Receiver<Vec<Settled>>) {
    for settled in inbox {
        if settled.len() < SIGN_TOGETHER {
            settled.into_iter().for_each(|one| hand_out(shared, one));
        } else {
            settled.into_par_iter().with_min_len(SIGN_TOGETHER).for_each(|one| hand_out(shared, one));
        }
    }
}

fn hand_out(shared: &Shared, Settled { receipt, reply }: Settled) {
    let signed = receipt.sign(shared.definition.hash(), &shared.keys.receipts);
    let mut waiters = shared.known(&receipt.digest).settle(&receipt.digest, signed);
    waiters.push(reply);
    add(&shared.counters.receipts, waiters.len());
    waiters.into_iter().for_each(|reply| reply.answer(Answer::Receipt(signed)));
}
