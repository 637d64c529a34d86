//! The simulated centre: the real gate, lanes, intake, dedupe cache, writer, sequencer, publication and restart, driven by four
//! threads whose turns the simulator deals out.

use std::collections::{BTreeSet, VecDeque};
use std::sync::Arc;

use tallyproof_centre::gate::{Reason, Verdict};
use tallyproof_centre::intake::{self, Authentic};
use tallyproof_centre::journal::{Cut, Step};
use tallyproof_centre::known::{Arrival, ReceiptBytes};
use tallyproof_centre::promise::Promise;
use tallyproof_centre::publication::{self, Shelf};
use tallyproof_centre::restart::{Memory, Rebuild, RestartError};
use tallyproof_centre::sequencer::{Growth, SequenceError};
use tallyproof_centre::writer::Durable;
use tallyproof_centre::{Gate, Intake, Journal, Known, Lane, Lanes, Sequencer, Writer};
use tallyproof_count::{Judged, Ledger};
use tallyproof_log::checkpoint::{self, Checkpoint};
use tallyproof_log::tile;
use tallyproof_record::cose::RecordDigest;
use thiserror::Error;

use super::bug::Bug;
use super::country::{Country, EPOCH, SlotNo};
use super::disk::{Disk, DiskError};
use super::mark::{Mark, Marks};
use super::post::{Message, Node, Parcel};

/// Bytes that wait in a lane.
const LANE: usize = 500;
/// Contests of a station.
const CONTESTS: usize = 2;

/// Why the centre does not start.
#[derive(Debug, Error)]
pub(super) enum StartError {
    #[error(transparent)]
    Disk(#[from] DiskError),
    #[error(transparent)]
    Restart(#[from] RestartError),
    #[error("what was signed cannot be read: {0}")]
    Note(String),
}

/// Why the centre stops while it runs.
#[derive(Debug, Error)]
pub(super) enum Stop {
    /// The power failed.
    #[error("the power failed")]
    Power,
    /// It halts by itself: no honest run does.
    #[error("{0}")]
    Halt(String),
    /// The disk failed; it may be tried again.
    #[error(transparent)]
    Disk(DiskError),
}

impl From<DiskError> for Stop {
    fn from(error: DiskError) -> Self {
        match error {
            DiskError::Power => Self::Power,
            DiskError::Full | DiskError::Sync => Self::Disk(error),
            DiskError::Differs | DiskError::Damaged(_) => Self::Halt(error.to_string()),
        }
    }
}

/// Whom to answer.
#[derive(Clone, Copy, Debug)]
pub(super) struct Reply {
    to: Node,
    path: usize,
}

#[derive(Debug)]
struct Job {
    digest: RecordDigest,
    bytes: Vec<u8>,
    reply: Reply,
}

/// A thread of the centre.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Thread {
    Worker,
    Journal,
    Receipts,
    Publisher,
}

impl Thread {
    pub(super) const ALL: [Self; 4] = [Self::Worker, Self::Journal, Self::Receipts, Self::Publisher];
}

/// A batch on its way into the bundle.
#[derive(Debug)]
struct Publishing {
    growth: Growth,
    records: Vec<Authentic>,
    /// Whether its tiles are there, and it is counted.
    placed: bool,
}

/// What a turn brought forth.
#[derive(Debug, Default)]
pub(super) struct Outcome {
    pub(super) parcels: Vec<Parcel>,
    /// Receipts that were signed, each for its record.
    pub(super) receipts: Vec<RecordDigest>,
    /// Checkpoints that were signed, with their notes.
    pub(super) signed: Vec<(String, Checkpoint)>,
}

/// A running centre.
pub(super) struct Centre {
    gate: Gate,
    lanes: Lanes<Job>,
    intake: Intake,
    known: Known<Reply>,
    inbox: VecDeque<(Authentic, Reply)>,
    writer: Writer<Reply>,
    durable: VecDeque<Durable<Reply>>,
    batches: VecDeque<(Cut, Vec<Authentic>)>,
    publishing: Option<Publishing>,
    sequencer: Sequencer,
    pub(super) ledger: Ledger,
    settled: BTreeSet<SlotNo>,
    bug: Option<Bug>,
}

impl Centre {
    /// Starts on what the disk holds.
    pub(super) fn start(
        country: &Country,
        disk: &mut Disk,
        bug: Option<Bug>,
        outcome: &mut Outcome,
        marks: &mut Marks,
    ) -> Result<Self, StartError> {
        let published = promise_in(country, disk.checkpoint.as_deref(), "log/checkpoint")?;
        let signed = promise_in(country, disk.remembered.as_deref(), "last-checkpoint")?;
        let mut memory = Memory { last: disk.last(), published, signed, ..Memory::default() };
        if bug == Some(Bug::SignedBelowLast) {
            let begun = signed_nothing(country)?;
            (memory.signed, memory.published) = (Some(begun), None);
        }
        let (rebuild, first) = Rebuild::begin(&country.definition, memory)?;
        if let Some(first) = first {
            disk.put_tiles(&first)?;
        }
        let mut replay = Replay {
            intake: Intake::new(Arc::clone(&country.definition)),
            rebuild,
            known: Known::default(),
            ledger: Ledger::new(Arc::clone(&country.definition)),
            settled: BTreeSet::new(),
            unpublished: Vec::new(),
            bug,
        };
        replay.ledger.apply(0, &Judged::Definition { matches: true });
        disk.replay(|step| replay.step(step))?;
        for growth in &replay.unpublished {
            marks.hit(Mark::RestartPublished);
            disk.put_tiles(&short(bug, growth))?;
        }
        let (sequencer, uncut) = replay.rebuild.finish()?;
        if !uncut.is_empty() {
            marks.hit(Mark::RestartUncut);
        }
        let centre = Self {
            gate: Gate::new(&country.definition, &country.mac, EPOCH),
            lanes: Lanes::new(|_| LANE),
            intake: replay.intake,
            known: replay.known,
            inbox: VecDeque::new(),
            writer: Writer::resume(uncut),
            durable: VecDeque::new(),
            batches: VecDeque::new(),
            publishing: None,
            sequencer,
            ledger: replay.ledger,
            settled: replay.settled,
            bug,
        };
        publication::promise(disk, || sign(country, &centre.sequencer, outcome).map_err(StartError::Note))?;
        Ok(centre)
    }

    /// Whether a thread has anything to do.
    pub(super) fn has_work(&self, thread: Thread) -> bool {
        match thread {
            Thread::Worker => !self.lanes.is_empty(),
            Thread::Journal => !self.inbox.is_empty() || self.writer.waiting() > 0,
            Thread::Receipts => !self.durable.is_empty(),
            Thread::Publisher => self.publishing.is_some() || !self.batches.is_empty(),
        }
    }

    /// Whether a batch waits for its end.
    pub(super) fn has_uncut(&self) -> bool {
        self.writer.has_uncut()
    }

    /// Whether everything taken is published.
    pub(super) fn is_settled(&self) -> bool {
        !Thread::ALL.iter().any(|thread| self.has_work(*thread)) && !self.writer.has_uncut()
    }

    /// What arrives: a datagram through the gate, a posted record past it.
    pub(super) fn receive(&mut self, now: u64, parcel: &Parcel, marks: &mut Marks) {
        let reply = Reply { to: parcel.from, path: parcel.path };
        let (lane, digest, body) = match &parcel.message {
            Message::Datagram(datagram) => match self.gate.admit(now, datagram) {
                Verdict::Admit { station, digest, body } => {
                    let settled = self.settled.iter().filter(|slot| slot.0 == station).count();
                    let lane = if settled < CONTESTS { Lane::Fresh } else { Lane::Later };
                    (lane, digest, body.to_vec())
                }
                Verdict::Drop(reason) => return mark_drop(reason, marks),
            },
            Message::Post(body) => (Lane::Carried, intake::digest(body), body.clone()),
            Message::Receipt(_) => return,
        };
        let weight = body.len();
        if self.lanes.push(lane, weight, Job { digest, bytes: body, reply }).is_err() {
            marks.hit(Mark::LaneFull);
        }
    }

    /// One turn of one thread.
    pub(super) fn turn(
        &mut self,
        thread: Thread,
        country: &Country,
        disk: &mut Disk,
        outcome: &mut Outcome,
        marks: &mut Marks,
    ) -> Result<(), Stop> {
        match thread {
            Thread::Worker => {
                self.work(country, outcome, marks);
                Ok(())
            }
            Thread::Journal => self.commit(disk, marks),
            Thread::Receipts => {
                self.hand_out(country, outcome);
                Ok(())
            }
            Thread::Publisher => self.publish(country, disk, outcome, marks),
        }
    }

    fn work(&mut self, country: &Country, outcome: &mut Outcome, marks: &mut Marks) {
        let Some(Job { digest, bytes, reply }) = self.lanes.pop() else { return };
        let seen = self.known.look(&digest, reply);
        let Some(reply) = self.unless_known(country, &digest, &bytes, seen, outcome, marks) else { return };
        let Ok(record) = self.intake.admit(bytes) else { return marks.hit(Mark::Refused) };
        let seen = self.known.expect(digest, reply);
        if let Some(reply) = self.unless_known(country, &digest, record.bytes(), seen, outcome, marks) {
            if self.bug == Some(Bug::ReceiptBeforeSync) {
                let receipt = record.receipt();
                answer(receipt.sign(country.definition.hash(), &country.receipts), &receipt.digest, [reply], outcome);
            }
            self.inbox.push_back((record, reply));
        }
    }

    /// Answers a copy of a durable record; gives the reply back if the record is new.
    fn unless_known(
        &mut self,
        country: &Country,
        digest: &RecordDigest,
        bytes: &[u8],
        arrival: Arrival<Reply>,
        outcome: &mut Outcome,
        marks: &mut Marks,
    ) -> Option<Reply> {
        match arrival {
            Arrival::New(reply) => return Some(reply),
            Arrival::Pending => marks.hit(Mark::KnownPending),
            Arrival::Durable(reply, cached) => {
                marks.hit(Mark::KnownDurable);
                let receipt = if let Some(receipt) = cached {
                    *receipt
                } else {
                    marks.hit(Mark::ReceiptAgain);
                    let signed = intake::receipt_of(bytes, digest)?.sign(country.definition.hash(), &country.receipts);
                    self.known.settle(digest, signed);
                    signed
                };
                answer(receipt, digest, [reply], outcome);
            }
        }
        None
    }

    fn commit(&mut self, disk: &mut Disk, marks: &mut Marks) -> Result<(), Stop> {
        for (record, reply) in self.inbox.drain(..) {
            self.writer.take(record, reply);
        }
        match self.writer.commit(&self.intake, disk).written {
            Ok(durable) => {
                self.settled.extend(durable.iter().map(|one| (one.station(), one.contest())));
                self.durable.extend(durable);
                Ok(())
            }
            Err(refused) => {
                match refused.error {
                    DiskError::Power => return Err(Stop::Power),
                    DiskError::Full => marks.hit(Mark::JournalFull),
                    _ => marks.hit(Mark::JournalSyncFailed),
                }
                for (digest, _) in refused.records {
                    // Over HTTP they are told to send again; that answer brings nothing that a lost one does not.
                    self.known.forget(&digest);
                }
                Ok(())
            }
        }
    }

    fn hand_out(&mut self, country: &Country, outcome: &mut Outcome) {
        let Some(durable) = self.durable.pop_front() else { return };
        let digest = *durable.digest();
        let signed = durable.sign(country.definition.hash(), &country.receipts);
        let mut waiters = self.known.settle(&digest, signed);
        waiters.push(durable.into_waiter());
        answer(signed, &digest, waiters, outcome);
    }

    /// Ends a batch, if there is one.
    pub(super) fn cut(&mut self, disk: &mut Disk, marks: &mut Marks) -> Result<(), Stop> {
        match self.writer.cut(disk) {
            Ok(batch) => {
                self.batches.extend(batch);
                Ok(())
            }
            Err(DiskError::Power) => Err(Stop::Power),
            Err(_) => {
                marks.hit(Mark::CutFailed);
                Ok(())
            }
        }
    }

    fn publish(
        &mut self,
        country: &Country,
        disk: &mut Disk,
        outcome: &mut Outcome,
        marks: &mut Marks,
    ) -> Result<(), Stop> {
        if self.publishing.is_none() {
            let Some((cut, mut records)) = self.batches.pop_front() else { return Ok(()) };
            let growth = self.sequencer.cut(cut, &mut records).map_err(halt)?;
            self.publishing = Some(Publishing { growth, records, placed: false });
            return Ok(());
        }
        let Some(mut publishing) = self.publishing.take() else { return Ok(()) };
        let published = self.publish_one(&mut publishing, country, disk, outcome);
        if let Err(Stop::Disk(_)) = published {
            marks.hit(Mark::ShelfFailed);
            self.publishing = Some(publishing);
            return Ok(());
        }
        published
    }

    fn publish_one(
        &mut self,
        one: &mut Publishing,
        country: &Country,
        disk: &mut Disk,
        outcome: &mut Outcome,
    ) -> Result<(), Stop> {
        if !one.placed {
            disk.put_tiles(&short(self.bug, &one.growth))?;
            one.placed = true;
            count(&mut self.ledger, one.growth.first, &one.records, self.bug);
        }
        let sign = || sign(country, &self.sequencer, outcome).map_err(Stop::Halt);
        match self.bug {
            Some(Bug::ShownBeforeRemembered) => promise_wrongly(disk, sign),
            _ => publication::promise(disk, sign).map(drop),
        }
    }
}

fn sign(country: &Country, sequencer: &Sequencer, outcome: &mut Outcome) -> Result<String, String> {
    let tree = sequencer.tree();
    let origin = country.log.verifier().name().clone();
    let checkpoint = Checkpoint { origin, size: tree.size(), root: tree.root() };
    let note = checkpoint.sign(&country.log).map_err(|error| error.to_string())?;
    outcome.signed.push((note.clone(), checkpoint));
    Ok(note)
}

fn halt(error: SequenceError) -> Stop {
    Stop::Halt(error.to_string())
}

fn answer(receipt: ReceiptBytes, digest: &RecordDigest, to: impl IntoIterator<Item = Reply>, outcome: &mut Outcome) {
    for Reply { to, path } in to {
        outcome.receipts.push(*digest);
        outcome.parcels.push(Parcel { from: Node::Centre, to, path, message: Message::Receipt(receipt.to_vec()) });
    }
}

fn mark_drop(reason: Reason, marks: &mut Marks) {
    match reason {
        Reason::Tag => marks.hit(Mark::GateTag),
        Reason::Replay => marks.hit(Mark::GateReplay),
        Reason::Window => marks.hit(Mark::GateWindow),
        Reason::Quota => marks.hit(Mark::GateQuota),
        Reason::Digest => marks.hit(Mark::GateDigest),
        Reason::Short | Reason::Long | Reason::Magic | Reason::Station | Reason::Epoch => {}
    }
}

fn promise_in(country: &Country, note: Option<&[u8]>, place: &str) -> Result<Option<Promise>, StartError> {
    let Some(note) = note else { return Ok(None) };
    let key = country.log.verifier();
    let opened = checkpoint::open(note, std::slice::from_ref(key), key.name().as_str())
        .map_err(|error| StartError::Note(error.to_string()))?;
    Ok(Some(Promise { place: place.to_owned(), checkpoint: opened.checkpoint().clone() }))
}

/// The checkpoint of a log that holds its definition alone.
fn signed_nothing(country: &Country) -> Result<Promise, StartError> {
    let (sequencer, growth) = Sequencer::begin(&country.definition).map_err(RestartError::from)?;
    let origin = country.log.verifier().name().clone();
    let checkpoint = Checkpoint { origin, size: growth.size, root: sequencer.tree().root() };
    Ok(Promise { place: String::new(), checkpoint })
}

/// The start, step by step.
struct Replay {
    intake: Intake,
    rebuild: Rebuild,
    known: Known<Reply>,
    ledger: Ledger,
    settled: BTreeSet<SlotNo>,
    unpublished: Vec<Growth>,
    bug: Option<Bug>,
}

impl Replay {
    fn step(&mut self, step: Step<'_>) -> Result<(), StartError> {
        match step {
            Step::Record(row) => {
                let (known, settled, bug) = (&mut self.known, &mut self.settled, self.bug);
                self.rebuild.record(&self.intake, self.intake.recall(row.record.to_vec()), |record| {
                    if bug != Some(Bug::DedupeLostAtRestart) {
                        known.restore(*record.digest());
                    }
                    settled.insert((record.station(), record.contest()));
                })?;
            }
            Step::Cut(cut) => {
                let batch = self.rebuild.cut(cut)?;
                count(&mut self.ledger, batch.growth.first, &batch.records, self.bug);
                if batch.unpublished {
                    self.unpublished.push(batch.growth);
                }
            }
        }
        Ok(())
    }
}

fn count(ledger: &mut Ledger, first: u64, records: &[Authentic], bug: Option<Bug>) {
    for (index, record) in (first..).zip(records) {
        let taken = |ledger: &Ledger| {
            ledger.slot(record.station(), record.contest()).is_some_and(|slot| !slot.entries.is_empty())
        };
        match (bug, record.judged()) {
            (Some(Bug::ConflictPrefersFirst), _) if taken(ledger) => {
                ledger.apply(index, &Judged::Definition { matches: false });
            }
            (Some(Bug::QuarantineCounted), Judged::Record(judged)) => {
                let mut cleared = judged.clone();
                cleared.findings.clear();
                ledger.apply(index, &Judged::Record(cleared));
            }
            (_, judged) => {
                ledger.apply(index, judged);
            }
        }
    }
}

/// The growth as it is, unless the bug is planted that leaves a partial tile one entry short.
fn short(bug: Option<Bug>, growth: &Growth) -> Growth {
    let mut tiles = growth.tiles.clone();
    if bug == Some(Bug::PartialTileShort) {
        for (path, bytes) in tiles.iter_mut().filter(|(path, _)| path.is_partial() && path.level().is_none()) {
            let entries = tile::decode_entries(bytes, path.width()).unwrap_or_default();
            let kept = entries.len().saturating_sub(1);
            *bytes = tile::encode_entries(entries.get(..kept).unwrap_or_default()).unwrap_or_default();
        }
    }
    Growth { tiles, ..*growth }
}

fn promise_wrongly(disk: &mut Disk, sign: impl FnOnce() -> Result<String, Stop>) -> Result<(), Stop> {
    let note = sign()?;
    disk.put_checkpoint(note.as_bytes())?;
    Ok(disk.remember(note.as_bytes())?)
}
