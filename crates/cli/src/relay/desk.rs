//! What a relay's threads share: the records held, who waits for their receipts, and the counters.

use std::collections::{BTreeSet, HashMap};
use std::net::{SocketAddr, UdpSocket};
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::sync::mpsc::Sender;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use tallyproof_centre::Intake;
use tallyproof_centre::intake::{Authentic, Refusal};
use tallyproof_record::StationNo;
use tallyproof_record::cose::{RecordDigest, SealedRecord};
use tallyproof_record::definition::Committed;
use tallyproof_record::receipt;
use tallyproof_station::{Forward, Forwarder, RefusedReceipt, Standing, Taken};
use tokio::sync::oneshot;

use super::spool::Job;
use crate::station::drop_folder::Slip;
use crate::station::ways::{Load, News, Outcome, Ways};

/// A receipt's bytes.
pub(super) type ReceiptBytes = [u8; receipt::LEN];

/// Longest sleep of the forwarding thread, so that it notices the end.
const NAP: Duration = Duration::from_millis(200);
/// Handed to the ways under one lock.
const BATCH: usize = 256;

/// State of one running relay.
#[derive(Debug)]
pub(super) struct Desk {
    intake: Intake,
    stations: usize,
    state: Mutex<State>,
    /// Something has become due.
    due: Condvar,
    /// Datagrams come in by it, so their receipts go out by it.
    socket: Option<Arc<UdpSocket>>,
    start: Instant,
    pub(super) counters: Counters,
}

#[derive(Debug)]
struct State {
    forwarder: Forwarder,
    /// HTTP clients that wait for a receipt.
    waiting: HashMap<RecordDigest, Vec<oneshot::Sender<ReceiptBytes>>>,
    /// Where the last datagram of a record came from.
    senders: HashMap<RecordDigest, SocketAddr>,
    /// Ways whose last try failed.
    failing: BTreeSet<usize>,
    /// Closed at the end.
    spool: Option<Sender<Job>>,
}

/// Plain counters; none orders anything.
#[derive(Debug, Default)]
pub(super) struct Counters {
    pub(super) datagrams: AtomicU64,
    pub(super) posts: AtomicU64,
    pub(super) dropped: AtomicU64,
    refused: AtomicU64,
    full: AtomicU64,
    taken: AtomicU64,
    transmissions: AtomicU64,
    handed_on: AtomicU64,
}

/// Counts one.
pub(super) fn count(counter: &AtomicU64) {
    counter.fetch_add(1, Relaxed);
}

/// What a relay has done since it started.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RelayStats {
    /// Datagrams received.
    pub datagrams: u64,
    /// Records posted over HTTP, copies and forgeries included.
    pub posts: u64,
    /// Datagrams that cannot be a record's, or came faster than signatures can be checked.
    pub dropped: u64,
    /// Records refused: no station of the register signed them.
    pub refused: u64,
    /// Records not taken, because their station has too many different ones here.
    pub full: u64,
    /// Different records taken since the start.
    pub taken: u64,
    /// Records that wait for their receipt, those of an earlier start included.
    pub waiting: u64,
    /// Records whose receipt has come, those of an earlier start included.
    pub receipted: u64,
    /// Transmissions to the centre.
    pub transmissions: u64,
    /// Receipts handed to whoever brought the record, repeated ones included.
    pub handed_on: u64,
}

/// A record that is here, for whoever posted it.
pub(super) struct Accepted {
    /// The receipt, when it comes.
    pub(super) receipt: oneshot::Receiver<ReceiptBytes>,
    /// Whether the record is on the disk, when that is known.
    pub(super) stored: oneshot::Receiver<bool>,
}

/// Why a record is not taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum NotTaken {
    Refused(Refusal),
    Full,
}

impl Desk {
    pub(super) fn new(
        election: Committed,
        forwarder: Forwarder,
        spool: Sender<Job>,
        socket: Option<Arc<UdpSocket>>,
    ) -> Self {
        let state = State {
            forwarder,
            waiting: HashMap::new(),
            senders: HashMap::new(),
            failing: BTreeSet::new(),
            spool: Some(spool),
        };
        Self {
            stations: election.election().stations().len(),
            intake: Intake::new(Arc::new(election)),
            state: Mutex::new(state),
            due: Condvar::new(),
            socket,
            start: Instant::now(),
            counters: Counters::default(),
        }
    }

    /// Whether the register has a station of this number.
    pub(super) fn knows(&self, StationNo(number): StationNo) -> bool {
        number >= 1 && usize::try_from(number).is_ok_and(|number| number <= self.stations)
    }

    /// Checks who signed a record. The expensive part: no lock is held.
    pub(super) fn check(&self, bytes: Vec<u8>) -> Result<Authentic, Refusal> {
        self.intake.admit(bytes).inspect_err(|_| count(&self.counters.refused))
    }

    /// Takes an authentic record, with the datagram that brought it if one did.
    pub(super) fn take(&self, record: &Authentic, datagram: Option<(SocketAddr, Vec<u8>)>) -> Result<(), NotTaken> {
        // Cannot fail: what is authentic is canonical.
        let Ok(sealed) = SealedRecord::from_bytes(record.bytes().to_vec()) else {
            return Err(NotTaken::Refused(Refusal::Structure));
        };
        let mut state = self.state();
        match state.forwarder.take(self.now(), record.station(), record.contest(), sealed.clone()) {
            Taken::Full => {
                count(&self.counters.full);
                return Err(NotTaken::Full);
            }
            Taken::Known => {}
            Taken::New => {
                count(&self.counters.taken);
                let datagram = datagram.as_ref().filter(|_| state.forwarder.carries_datagrams());
                let datagram = datagram.map(|(_, bytes)| bytes.clone());
                state.tell_spool(Job::Store { slip: slip(record), record: sealed, datagram, stored: None });
            }
        }
        if let Some((from, datagram)) = datagram {
            state.senders.insert(*record.digest(), from);
            state.forwarder.pass(self.now(), *record.digest(), datagram);
        }
        self.due.notify_one();
        Ok(())
    }

    /// For a record that was posted: whoever posted it can wait for its receipt and for the disk.
    pub(super) fn accept(&self, record: &Authentic) -> Result<Accepted, NotTaken> {
        self.take(record, None)?;
        let ((tell_receipt, receipt), (tell_stored, stored)) = (oneshot::channel(), oneshot::channel());
        let mut state = self.state();
        match state.forwarder.standing(record.digest()) {
            Standing::Receipted(bytes) => drop(tell_receipt.send(bytes)),
            Standing::Held | Standing::Unknown => {
                let waiting = state.waiting.entry(*record.digest()).or_default();
                // Those who have gone away must not pile up behind a centre that is silent.
                waiting.retain(|waiting| !waiting.is_closed());
                waiting.push(tell_receipt);
            }
        }
        if let Ok(sealed) = SealedRecord::from_bytes(record.bytes().to_vec()) {
            // The spool works in order and knows what it has: its answer covers the first copy too.
            state.tell_spool(Job::Store {
                slip: slip(record),
                record: sealed,
                datagram: None,
                stored: Some(tell_stored),
            });
        }
        Ok(Accepted { receipt, stored })
    }

    /// Where a record stands.
    pub(super) fn standing(&self, digest: &RecordDigest) -> Standing {
        self.state().forwarder.standing(digest)
    }

    /// A datagram whose record may be known: true if that was all there was to do.
    pub(super) fn take_known(&self, from: SocketAddr, digest: &RecordDigest, datagram: &[u8]) -> bool {
        let mut state = self.state();
        match state.forwarder.standing(digest) {
            Standing::Unknown => return false,
            Standing::Held => {
                state.senders.insert(*digest, from);
                state.forwarder.pass(self.now(), *digest, datagram.to_vec());
                self.due.notify_one();
            }
            Standing::Receipted(_) => {
                let reply = state.forwarder.reply(self.now(), digest);
                drop(state);
                if let Some(receipt) = reply {
                    self.reply(from, &receipt);
                }
            }
        }
        true
    }

    /// Hands what is due to the ways; sleeps if nothing is.
    pub(super) fn forward(&self, ways: &Ways) {
        let mut state = self.state();
        let now = self.now();
        let due: Vec<_> = std::iter::from_fn(|| state.forwarder.poll(now)).take(BATCH).collect();
        if due.is_empty() {
            let wait = state.forwarder.next_wake().map(|wake| Duration::from_millis(wake.saturating_sub(now)));
            let wait = wait.map_or(NAP, |wait| wait.min(NAP));
            drop(self.due.wait_timeout(state, wait));
            return;
        }
        drop(state);
        for Forward { way, digest, bytes } in due {
            if ways.offer(way, Load { digest, bytes }) {
                count(&self.counters.transmissions);
            }
        }
    }

    /// Takes news of a way.
    pub(super) fn hear(&self, way: usize, news: News) {
        match news {
            News::Arrived(bytes) => self.receive_from(way, &bytes),
            News::Done { digest, outcome } => {
                self.watch(way, &outcome);
                match outcome {
                    Outcome::Sent | Outcome::Failed(_) => {}
                    Outcome::Answered(bytes) => self.receive_from(way, &bytes),
                    Outcome::Stored => self.state().forwarder.close_way(&digest, way),
                    Outcome::Refused { status, reason } => {
                        tracing::warn!(way, status, reason, record = hex::encode(digest), "refused for good");
                        self.state().forwarder.close_way(&digest, way);
                    }
                }
            }
        }
    }

    /// A line when a way begins to fail and one when it works again, not one for each record.
    fn watch(&self, way: usize, outcome: &Outcome) {
        let mut state = self.state();
        match outcome {
            Outcome::Failed(error) if state.failing.insert(way) => {
                tracing::warn!("way {way} fails, and is tried again: {error:#}", way = way.saturating_add(1));
            }
            Outcome::Failed(_) => {}
            _ if state.failing.remove(&way) => tracing::warn!("way {way} works again", way = way.saturating_add(1)),
            _ => {}
        }
    }

    fn receive_from(&self, way: usize, bytes: &[u8]) {
        match self.receive(bytes) {
            // A copy of a receipt that has come already is part of every bad network.
            Ok(()) | Err(RefusedReceipt::NotWaiting) => {}
            Err(refused) => tracing::debug!(%refused, way, "an answer that is no receipt of this election"),
        }
    }

    /// Takes what should be a receipt, and hands it to all who wait for it.
    fn receive(&self, bytes: &[u8]) -> Result<(), RefusedReceipt> {
        let mut state = self.state();
        let receipt = state.forwarder.receive(bytes)?;
        let Standing::Receipted(bytes) = state.forwarder.standing(&receipt.digest) else { return Ok(()) };
        let clients = state.waiting.remove(&receipt.digest).unwrap_or_default();
        let sender = state.senders.remove(&receipt.digest);
        state.tell_spool(Job::Receipt { slip: Slip::from(&receipt), receipt: bytes });
        drop(state);
        for client in clients {
            if client.send(bytes).is_ok() {
                count(&self.counters.handed_on);
            }
        }
        if let Some(to) = sender {
            self.reply(to, &bytes);
        }
        Ok(())
    }

    fn reply(&self, to: SocketAddr, receipt: &ReceiptBytes) {
        // Lost is lost: the station sends again and is answered again.
        if self.socket.as_ref().is_some_and(|socket| socket.send_to(receipt, to).is_ok()) {
            count(&self.counters.handed_on);
        }
    }

    /// Ends the spool once it has written what it was given.
    pub(super) fn close(&self) {
        self.state().spool = None;
        self.due.notify_all();
    }

    pub(super) fn stats(&self) -> RelayStats {
        let state = self.state();
        let of = |counter: &AtomicU64| counter.load(Relaxed);
        let counters = &self.counters;
        RelayStats {
            datagrams: of(&counters.datagrams),
            posts: of(&counters.posts),
            dropped: of(&counters.dropped),
            refused: of(&counters.refused),
            full: of(&counters.full),
            taken: of(&counters.taken),
            waiting: state.forwarder.waiting() as u64,
            receipted: state.forwarder.receipted() as u64,
            transmissions: of(&counters.transmissions),
            handed_on: of(&counters.handed_on),
        }
    }

    /// Milliseconds since the start: no clock that anybody can set has a say in the retries.
    fn now(&self) -> u64 {
        u64::try_from(self.start.elapsed().as_millis()).unwrap_or(u64::MAX)
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes up a record that the spool held at the start, with what lay beside it.
    pub(super) fn restore(
        &self,
        record: &Authentic,
        sealed: SealedRecord,
        datagram: Option<Vec<u8>>,
        receipt: Option<&[u8]>,
    ) -> Result<(), RefusedReceipt> {
        let mut state = self.state();
        state.forwarder.take(self.now(), record.station(), record.contest(), sealed);
        if let Some(datagram) = datagram {
            state.forwarder.pass(self.now(), *record.digest(), datagram);
        }
        receipt.map_or(Ok(()), |receipt| state.forwarder.receive(receipt).map(drop))
    }
}

impl State {
    fn tell_spool(&self, job: Job) {
        if let Some(spool) = &self.spool {
            // A spool that has ended is told by its thread.
            drop(spool.send(job));
        }
    }
}

fn slip(record: &Authentic) -> Slip {
    Slip { station: record.station(), contest: record.contest(), digest: *record.digest() }
}
