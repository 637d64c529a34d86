//! The simulated centre: the real gate, lanes, intake, dedupe cache, writer, sequencer, publication, gatherer and restart, driven by
//! four threads whose turns the simulator deals out.

mod publish;
mod replay;

use std::collections::{BTreeSet, HashMap, VecDeque};
use std::sync::Arc;

use tallyproof_centre::gate::{Reason, Verdict};
use tallyproof_centre::gatherer::{Action, Ask, Cosigned, Gatherer, Input, Pace};
use tallyproof_centre::intake::{self, Authentic, Refusal};
use tallyproof_centre::invariants;
use tallyproof_centre::journal::Cut;
use tallyproof_centre::known::{Arrival, ReceiptBytes};
use tallyproof_centre::promise::Promise;
use tallyproof_centre::publication::{self, Shelf};
use tallyproof_centre::restart::{Memory, Rebuild, RestartError};
use tallyproof_centre::writer::Durable;
use tallyproof_centre::{Gate, Intake, Journal, Known, Lane, Lanes, Sequencer, Writer};
use tallyproof_count::statements::Fault;
use tallyproof_count::{Judged, Ledger, policy};
use tallyproof_log::checkpoint::Checkpoint;
use tallyproof_log::note::SignedNote;
use tallyproof_log::tree::Tree;
use tallyproof_record::cose::RecordDigest;
use thiserror::Error;

use super::bug::Bug;
use super::country::{CONTESTS, Country, EPOCH, SlotNo, witness_url};
use super::disk::{Disk, DiskError, Misread};
use super::mark::{Mark, Marks};
use super::post::{Message, Node, Parcel};
use publish::{Publishing, sign};
pub(super) use replay::first_note;
use replay::{Replay, promise_in, signed_nothing};

/// Bytes that wait in a lane: too few for a flood, and enough for the longest statement.
const LANE: usize = 500;
const CARRIED: usize = 1_500;
/// How witnesses are asked.
pub(super) const PACE: Pace = Pace { every_ms: 8_000, timeout_ms: 5_000 };

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
    address: u32,
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

/// What a turn brought forth.
#[derive(Debug, Default)]
pub(super) struct Outcome {
    pub(super) parcels: Vec<Parcel>,
    /// Receipts that were signed, each for its record.
    pub(super) receipts: Vec<RecordDigest>,
    /// Checkpoints that were signed, with their notes.
    pub(super) signed: Vec<(String, Checkpoint)>,
    /// Questions to witnesses.
    pub(super) asks: Vec<Ask>,
}

/// What was checked in this night: whether a signature holds does not change.
#[derive(Debug, Default)]
pub(super) struct Memo {
    /// Notes of the log, by their bytes.
    opened: HashMap<Vec<u8>, Option<Checkpoint>>,
    /// Statements that were admitted. Those who sign them stand in the definition, so that no other statement has a say in it.
    statements: HashMap<RecordDigest, Authentic>,
}

/// What a centre finds beside its disk when it starts.
pub(super) struct Start<'a> {
    pub(super) country: &'a Country,
    pub(super) now: u64,
    pub(super) bug: Option<Bug>,
    /// What the witnesses that answer have cosigned last, by number.
    pub(super) held: Vec<(usize, Checkpoint)>,
    pub(super) memo: &'a mut Memo,
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
    pub(super) gatherer: Gatherer,
    /// Cosignatures that are not published yet.
    cosigned: VecDeque<Box<Cosigned>>,
    /// Size of the last checkpoint with the quorum that is published.
    pub(super) cosigned_size: u64,
    /// The checkpoint signed last.
    signed: Option<Checkpoint>,
    checked: Option<(u64, u64, u64)>,
    bug: Option<Bug>,
}

impl Centre {
    /// Starts on what the disk holds.
    pub(super) fn start(
        start: Start<'_>,
        disk: &mut Disk,
        outcome: &mut Outcome,
        marks: &mut Marks,
    ) -> Result<Self, StartError> {
        let Start { country, now, bug, held, memo } = start;
        let published = promise_in(country, disk.read_note(Misread::Checkpoint), "log/checkpoint", memo)?;
        let signed = promise_in(country, disk.read_note(Misread::Remembered), "last-checkpoint", memo)?;
        let cosigned = promise_in(country, disk.cosigned.clone(), "log/cosigned", memo)?;
        let cosigned_size = cosigned.as_ref().map_or(0, |promise| promise.checkpoint.size);
        let of_witness = |(no, checkpoint): &(usize, Checkpoint)| Promise {
            place: witness_url(*no),
            checkpoint: checkpoint.clone(),
        };
        let promises = cosigned.into_iter().chain(held.iter().map(of_witness)).collect();
        let mut memory = Memory { last: disk.last(), published, signed, held: promises, ..Memory::default() };
        if bug == Some(Bug::SignedBelowLast) {
            let begun = signed_nothing(country)?;
            (memory.signed, memory.published, memory.held) = (Some(begun), None, Vec::new());
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
            country,
            memo,
            bug,
        };
        replay.ledger.apply(0, &Judged::Definition { matches: true });
        disk.replay(|step| replay.step(step))?;
        for growth in &replay.unpublished {
            marks.hit(Mark::RestartPublished);
            disk.put_tiles(&publish::short(bug, growth))?;
        }
        let (sequencer, uncut) = replay.rebuild.finish()?;
        if !uncut.is_empty() {
            marks.hit(Mark::RestartUncut);
        }
        let mut centre = Self {
            gate: Gate::new(&country.definition, &country.mac, EPOCH),
            lanes: Lanes::new(|lane| if lane == Lane::Carried { CARRIED } else { LANE }),
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
            gatherer: Gatherer::new(country.policy.clone(), PACE, now),
            cosigned: VecDeque::new(),
            cosigned_size,
            signed: None,
            checked: None,
            bug,
        };
        for (no, checkpoint) in &held {
            centre.gatherer.learn(&witness_url(*no), checkpoint.size);
        }
        centre.follow_policy(country);
        let note = publication::promise(disk, || sign(country, &centre.sequencer, outcome).map_err(StartError::Note))?;
        centre.promised(now, &note, outcome);
        Ok(centre)
    }

    /// The log as it is signed next.
    pub(super) fn tree(&self) -> &Tree {
        self.sequencer.tree()
    }

    /// What the real centre checks of itself, too; for each state once.
    pub(super) fn check_invariants(&mut self, disk: &Disk) -> Result<(), invariants::Broken> {
        let state = (self.sequencer.tree().size(), self.ledger.entries(), disk.last());
        // Between a batch's place in the log and its tiles there is nothing to compare.
        let between = self.publishing.as_ref().is_some_and(|publishing| !publishing.placed);
        if between || self.checked.replace(state) == Some(state) {
            return Ok(());
        }
        let known = |digest: &RecordDigest| self.known.holds(digest);
        invariants::check(&invariants::State {
            sequencer: &self.sequencer,
            ledger: &self.ledger,
            signed: self.signed.as_ref(),
            journalled: disk.last(),
        })?;
        invariants::check_known(disk.journal.digests(), known)
    }

    /// The witness policy that the log puts in force.
    fn follow_policy(&mut self, country: &Country) {
        let changed = self.ledger.policy_lines() != self.ledger.definition().election().policy_lines();
        if changed && let Ok(policy) = policy::in_force(&self.ledger, country.log.verifier()) {
            self.gatherer.set_policy(policy);
        }
    }

    /// A checkpoint is shown: its cosignatures are gathered.
    fn promised(&mut self, now: u64, note: &str, outcome: &mut Outcome) {
        if let Ok(note) = SignedNote::parse(note.as_bytes()) {
            self.signed = note.text().parse().ok();
            self.gather(now, Input::Signed { note, last: false }, outcome);
        }
    }

    /// The gatherer hears of something.
    pub(super) fn gather(&mut self, now: u64, input: Input, outcome: &mut Outcome) {
        for action in self.gatherer.handle(now, input) {
            match action {
                Action::Ask(ask) => outcome.asks.push(*ask),
                Action::Cosigned(cosigned) => self.cosigned.push_back(cosigned),
                Action::Complete(_) | Action::Trouble { .. } => {}
            }
        }
    }

    /// Whether a thread has anything to do.
    pub(super) fn has_work(&self, thread: Thread) -> bool {
        match thread {
            Thread::Worker => !self.lanes.is_empty(),
            Thread::Journal => !self.inbox.is_empty() || self.writer.waiting() > 0,
            Thread::Receipts => !self.durable.is_empty(),
            Thread::Publisher => self.publishing.is_some() || !self.batches.is_empty() || !self.cosigned.is_empty(),
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
        let reply = Reply { to: parcel.from, address: parcel.address, path: parcel.path };
        let (lane, digest, body) = match &parcel.message {
            Message::Datagram(datagram) => match self.gate.admit(now, datagram) {
                Verdict::Admit { station, digest, body } => {
                    let settled = self.settled.iter().filter(|slot| slot.0 == station).count();
                    let lane = if settled < usize::from(CONTESTS) { Lane::Fresh } else { Lane::Later };
                    (lane, digest, body.to_vec())
                }
                Verdict::Drop(reason) => return mark_drop(reason, marks),
            },
            Message::Post(body) => (Lane::Carried, intake::digest(body), body.clone()),
            _ => return,
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
        (country, now, memo): (&Country, u64, &mut Memo),
        disk: &mut Disk,
        outcome: &mut Outcome,
        marks: &mut Marks,
    ) -> Result<(), Stop> {
        match thread {
            Thread::Worker => {
                self.work(country, memo, outcome, marks);
                Ok(())
            }
            Thread::Journal => self.commit(disk, outcome, marks),
            Thread::Receipts => {
                self.hand_out(country, outcome);
                Ok(())
            }
            Thread::Publisher if self.publishing.is_none() && self.batches.is_empty() => {
                self.publish_cosigned(disk, marks)
            }
            Thread::Publisher => self.publish(country, now, disk, outcome, marks),
        }
    }

    fn work(&mut self, country: &Country, memo: &mut Memo, outcome: &mut Outcome, marks: &mut Marks) {
        let Some(Job { digest, bytes, reply }) = self.lanes.pop() else { return };
        let seen = self.known.look(&digest, reply);
        let Some(reply) = self.unless_known(country, &digest, &bytes, seen, outcome, marks) else { return };
        let record = match self.admit(country, &digest, bytes, reply) {
            Ok(record) => {
                if record.statement().is_some() {
                    memo.statements.insert(digest, record.clone());
                }
                record
            }
            Err(refusal) => return refuse(&digest, reply, refusal, outcome, marks),
        };
        let seen = self.known.expect(digest, reply);
        if let Some(reply) = self.unless_known(country, &digest, record.bytes(), seen, outcome, marks) {
            if self.bug == Some(Bug::ReceiptBeforeSync) {
                let receipt = record.receipt();
                answer(receipt.sign(country.definition.hash(), &country.receipts), &receipt.digest, [reply], outcome);
            }
            self.inbox.push_back((record, reply));
        }
    }

    /// As the workers of the real centre do it: statements do not come by datagram, and those that would do nothing are refused.
    fn admit(
        &self,
        country: &Country,
        digest: &RecordDigest,
        bytes: Vec<u8>,
        reply: Reply,
    ) -> Result<Authentic, Refusal> {
        if !intake::is_statement(&bytes) {
            return country.admit(&self.intake, digest, &bytes);
        }
        if !matches!(reply.to, Node::Desk) {
            return Err(Refusal::Structure);
        }
        let statement = self.intake.admit_statement(bytes)?;
        match statement.statement().map(|judged| self.ledger.foresee(judged)) {
            None | Some(Ok(()) | Err(Fault::TooFewSigners)) => Ok(statement),
            Some(Err(_)) => Err(Refusal::NoEffect),
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

    fn commit(&mut self, disk: &mut Disk, outcome: &mut Outcome, marks: &mut Marks) -> Result<(), Stop> {
        for (record, reply) in self.inbox.drain(..) {
            self.writer.take(record, reply);
        }
        let commit = self.writer.commit(&self.intake, disk);
        for (digest, reply) in commit.repeated {
            marks.hit(Mark::StatementRepeated);
            self.known.forget(&digest);
            refuse(&digest, reply, Refusal::Known, outcome, marks);
        }
        match commit.written {
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
}

fn answer(receipt: ReceiptBytes, digest: &RecordDigest, to: impl IntoIterator<Item = Reply>, outcome: &mut Outcome) {
    for Reply { to, address, path } in to {
        outcome.receipts.push(*digest);
        let message = Message::Receipt(receipt.to_vec());
        outcome.parcels.push(Parcel { from: Node::Centre, to, address, path, message });
    }
}

/// Datagrams that are refused are answered by nothing; whoever handed in a statement is told.
fn refuse(digest: &RecordDigest, reply: Reply, refusal: Refusal, outcome: &mut Outcome, marks: &mut Marks) {
    marks.hit(Mark::Refused);
    let Reply { to: Node::Desk, address, path } = reply else { return };
    marks.hit(if refusal == Refusal::Known { Mark::StatementRepeated } else { Mark::StatementRefused });
    let message = Message::Refused(*digest);
    outcome.parcels.push(Parcel { from: Node::Centre, to: Node::Desk, address, path, message });
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
