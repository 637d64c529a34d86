//! The loop: an agenda of events in virtual time, and what each does to the country.

mod attackers;
mod audiences;
mod centre;
mod desk;
mod end;
mod stations;
mod witnesses;

use std::collections::BTreeMap;
use std::sync::Arc;

use rand_chacha::ChaCha8Rng;
use tallyproof_centre::Intake;
use tallyproof_record::StationNo;
use tallyproof_record::cose::RecordDigest;
use tallyproof_witness::cosigner::Asked;

use super::bug::Bug;
use super::centre::{Centre, Memo, Thread};
use super::check::{Checker, Invariant, Violation, short};
use super::country::{BEGIN, Country, STATIONS};
use super::disk::{Disk, JournalFile, Machine};
use super::mark::{Mark, Marks};
use super::night::{Night, STEPS, chance};
use super::operator::Second;
use super::plan::{RELAYS, What};
use super::post::{Asking, Message, Network, Node, Parcel};
use super::public::{Judge, Verifier};
use super::relay::Relay;
use super::statement::Desk;
use super::station::Station;
use super::witness::Witness;
use audiences::Audience;

/// Steps that a mended country has to come to rest.
const MENDED_STEPS: u64 = 8_000;

/// Something due.
#[derive(Clone, Debug)]
enum Event {
    Planned(What),
    Wake(StationNo),
    WakeRelay(usize),
    /// A gatherer may have somebody to ask.
    WakeGatherer(Node),
    Arrive(Parcel),
    /// A thread of the centre's life of this number.
    Turn(Thread, u64),
    CutDue(u64),
    StartCentre,
    StartStation(StationNo),
    StartRelay(usize),
    StartWitness(usize),
    /// A fault ends.
    Mend(Fault),
    /// The attacker sends the next of so many.
    Replay(u32),
    Forge(u32),
    /// A signer's copy of a statement reaches the desk.
    HandIn(RecordDigest),
    Submit(RecordDigest),
    /// A witness has read a request and comes to cosigning.
    Cosign(usize, Asking, Box<Asked>),
    Look(usize),
    /// The verifiers fetch what they are shown.
    Visit,
    GrowSecond(u32),
}

#[derive(Clone, Copy, Debug)]
enum Fault {
    Full,
    Sync,
    Shelf,
}

/// Journals that lie about.
#[derive(Default)]
struct Safe {
    backups: Vec<JournalFile>,
    /// The one in use before an operator put an old copy in its place.
    before: Option<JournalFile>,
    /// A copy of the whole disk.
    machine: Option<Machine>,
}

#[expect(clippy::struct_excessive_bools, reason = "each is a question of its own about the night")]
pub(super) struct World<'a> {
    country: &'a Country,
    bug: Option<Bug>,
    now: u64,
    made: u64,
    agenda: BTreeMap<(u64, u64), Event>,
    rng: ChaCha8Rng,
    network: Network,
    disk: Disk,
    centre: Option<Centre>,
    /// Number of the centre's present life; turns of earlier ones are void.
    life: u64,
    turns: [bool; Thread::ALL.len()],
    cut_set: bool,
    /// When each station, relay and gatherer is woken next; other wakes of theirs are void.
    wakes: BTreeMap<Node, u64>,
    centre_clock: i64,
    /// How much that clock gains in a million, and since when.
    centre_drift: (i64, u64),
    memo: Memo,
    stations: Vec<Station>,
    relays: Vec<Relay>,
    relay_intake: Intake,
    desk: Desk,
    witnesses: Vec<Witness>,
    /// What each witness that should be honest has cosigned.
    cosigned: Vec<Vec<(tallyproof_log::checkpoint::Checkpoint, super::post::History)>>,
    audiences: [Audience; 2],
    verifiers: [Verifier; 2],
    judge: Judge,
    second: Option<Box<Second>>,
    operator_lies: bool,
    /// Whether two verifiers have compared what they hold.
    compared: bool,
    safe: Safe,
    recorded: Vec<Vec<u8>>,
    checker: Checker,
    marks: Marks,
    mended: bool,
    /// An operator's old journal went unseen: it led to everything that was signed.
    rolled_back: bool,
    /// Nothing more happens.
    over: bool,
    steps: u64,
    trace: Option<Vec<String>>,
}

type Step = Result<(), Violation>;

fn broken(invariant: Invariant, what: impl Into<String>) -> Step {
    Err(Violation { invariant, what: what.into() })
}

impl<'a> World<'a> {
    pub(super) fn new(country: &'a Country, night: &Night, trace: bool) -> Self {
        let bug = night.bug;
        let mut world = Self {
            country,
            bug,
            now: BEGIN,
            made: 0,
            agenda: BTreeMap::new(),
            rng: chance(night.seed, "turns"),
            network: Network::new(chance(night.seed, "network")),
            disk: Disk::new(chance(night.seed, "disk")),
            centre: None,
            life: 0,
            turns: [false; Thread::ALL.len()],
            cut_set: false,
            wakes: BTreeMap::new(),
            centre_clock: 0,
            centre_drift: (0, BEGIN),
            memo: Memo::default(),
            stations: (1..=STATIONS).map(|no| Station::new(country, StationNo(no), bug)).collect(),
            relays: (0..RELAYS).map(|no| Relay::new(country, no)).collect(),
            relay_intake: Intake::new(Arc::clone(&country.definition)),
            desk: Desk::default(),
            witnesses: (0..country.witnesses()).map(|no| Witness::new(country, no, bug)).collect(),
            cosigned: vec![Vec::new(); country.witnesses()],
            audiences: [Audience::default(), Audience::default()],
            verifiers: [Verifier::default(), Verifier::default()],
            judge: Judge::new(country),
            second: None,
            operator_lies: night.operator_lies(),
            compared: false,
            safe: Safe::default(),
            recorded: Vec::new(),
            checker: Checker::new(country),
            marks: Marks::default(),
            mended: false,
            rolled_back: false,
            over: false,
            steps: 0,
            trace: trace.then(Vec::new),
        };
        world.disk.found_is_safe = bug == Some(Bug::FoundTileTrusted);
        world.disk.short_is_whole = bug == Some(Bug::ShortReadTrusted);
        world.begin(night);
        world
    }

    fn begin(&mut self, night: &Night) {
        self.fill_early();
        self.add(0, Event::StartCentre);
        for no in 0..self.witnesses.len() {
            self.add(0, Event::StartWitness(no));
            self.add(4_000 + 700 * no as u64, Event::Look(no));
        }
        if !self.witnesses.is_empty() {
            self.add(5_000, Event::Visit);
        }
        for planned in &night.plan {
            self.add(planned.at, Event::Planned(planned.what));
        }
    }

    pub(super) fn into_report(self) -> (u64, Marks, Vec<String>) {
        let mut marks = self.marks;
        marks.add(&self.disk.marks);
        (self.steps, marks, self.trace.unwrap_or_default())
    }

    pub(super) fn run(&mut self) -> Step {
        while self.steps < STEPS {
            if !self.step()? {
                break;
            }
        }
        if self.over {
            return Ok(());
        }
        self.mend()?;
        let end = self.steps + MENDED_STEPS;
        while !self.is_at_rest() {
            if self.steps >= end || !self.step()? {
                return if self.over { Ok(()) } else { self.not_at_rest() };
            }
        }
        self.check_end()
    }

    /// One event, and everything that it can have broken. False when there is none.
    fn step(&mut self) -> Result<bool, Violation> {
        if self.over {
            return Ok(false);
        }
        let Some((at, event)) = self.next_event() else { return Ok(false) };
        self.now = self.now.max(at);
        self.steps += 1;
        if let Some(trace) = &mut self.trace {
            trace.push(format!("{:>6} {:>8} ms  {}", self.steps, self.now - BEGIN, describe(&event)));
        }
        self.perform(event)?;
        self.schedule_turns();
        self.check()?;
        Ok(true)
    }

    fn check(&mut self) -> Step {
        let live = self.centre.as_ref().map(|centre| &centre.ledger);
        let foreign = self.safe.before.is_some();
        self.checker.check(self.country, &self.disk, &self.desk, live, foreign, &mut self.marks)?;
        self.check_centre()
    }

    /// The next event that still means anything.
    fn next_event(&mut self) -> Option<(u64, Event)> {
        loop {
            let ((at, _), event) = self.agenda.pop_first()?;
            let node = match &event {
                Event::Wake(no) => Node::Station(*no),
                Event::WakeRelay(no) => Node::Relay(*no),
                Event::WakeGatherer(node) => *node,
                _ => return Some((at, event)),
            };
            if self.wakes.get(&node) == Some(&at) {
                self.wakes.remove(&node);
                return Some((at, event));
            }
        }
    }

    /// Wakes a station, relay or gatherer then, and at no other time.
    fn wake_at(&mut self, node: Node, at: u64, event: Event) {
        if self.wakes.insert(node, at) != Some(at) {
            self.add_at(at, event);
        }
    }

    fn note(&mut self, what: impl FnOnce() -> String) {
        if let Some(trace) = &mut self.trace {
            trace.push(format!("                     {}", what()));
        }
    }

    fn add(&mut self, after: u64, event: Event) {
        self.add_at(self.now + after, event);
    }

    fn add_at(&mut self, at: u64, event: Event) {
        self.agenda.insert((at, self.made), event);
        self.made += 1;
    }

    fn perform(&mut self, event: Event) -> Step {
        match event {
            Event::Planned(what) => self.happen(what),
            Event::Wake(no) => self.wake(no),
            Event::WakeRelay(no) => self.wake_relay(no),
            Event::WakeGatherer(node) => self.wake_gatherer(node),
            Event::Arrive(parcel) => self.arrive(parcel),
            Event::Turn(thread, life) => self.turn(thread, life),
            Event::CutDue(life) => self.cut(life),
            Event::StartCentre => self.start_centre(),
            Event::StartWitness(no) => self.start_witness(no),
            Event::Replay(left) => self.replay(left),
            Event::Forge(left) => self.forge(left),
            Event::Submit(digest) => self.submit(digest),
            Event::Cosign(no, asking, asked) => self.cosign(no, asking, &asked),
            Event::Look(no) => self.look(no),
            Event::Visit => self.visit(),
            Event::GrowSecond(left) => self.grow_second(left),
            other => {
                self.perform_quietly(&other);
                Ok(())
            }
        }
    }

    /// Events that send nothing and break nothing by themselves.
    fn perform_quietly(&mut self, event: &Event) {
        match *event {
            Event::StartStation(no) => self.start_station(no),
            Event::StartRelay(no) => {
                let country = self.country;
                if let Some(relay) = self.relays.get_mut(no).filter(|relay| !relay.is_up()) {
                    relay.start(country);
                }
            }
            Event::Mend(fault) => *self.fault(fault) = false,
            Event::HandIn(digest) => {
                self.desk.submit(digest);
                self.add(0, Event::Submit(digest));
            }
            _ => {}
        }
    }

    fn fault(&mut self, fault: Fault) -> &mut bool {
        match fault {
            Fault::Full => &mut self.disk.full,
            Fault::Sync => &mut self.disk.sync_fails,
            Fault::Shelf => &mut self.disk.shelf_fails,
        }
    }

    /// Something planned happens.
    fn happen(&mut self, what: What) -> Step {
        match what {
            What::Seal { station, contest, variant } => self.seal((station, contest), variant),
            What::State { matter, station, contest, signers, apart_ms } => {
                self.state((matter, (station, contest), signers), apart_ms);
            }
            What::Loss { per_mille } => self.network.loss = per_mille,
            What::Doubles { per_mille } => self.network.doubles = per_mille,
            What::Cut { station, for_ms } => self.network.cut(Node::Station(station), self.now + for_ms),
            What::CentreCut { for_ms } => self.network.cut(Node::Centre, self.now + for_ms),
            What::PathDead { path, for_ms } => self.network.kill_path(path, self.now + for_ms),
            What::Flood { station, datagrams } => self.flood(station, datagrams),
            What::Replay { times } => self.add(0, Event::Replay(times)),
            What::Forge { times } => self.add(0, Event::Forge(times)),
            What::Fork { .. }
            | What::ForkGrows { .. }
            | What::Switch { .. }
            | What::Withhold { .. }
            | What::WitnessLies { .. }
            | What::WitnessPower { .. }
            | What::WitnessOffline { .. }
            | What::WitnessLost { .. }
            | What::WitnessBackup { .. }
            | What::WitnessRestored { .. } => self.befall_witnesses(what),
            What::StationPower { .. }
            | What::StationClock { .. }
            | What::StationDrift { .. }
            | What::PathChange { .. }
            | What::RelayPower { .. }
            | What::RelayTurns { .. } => self.befall_stations(what),
            What::RestoreMachine { down_ms } => return self.restore_machine(down_ms),
            _ => self.befall_centre(what),
        }
        Ok(())
    }

    fn break_for(&mut self, fault: Fault, for_ms: u64) {
        *self.fault(fault) = true;
        self.add(for_ms, Event::Mend(fault));
    }

    /// A question or an answer that met nobody.
    fn nobody_there(&mut self) {
        self.marks.hit(Mark::WitnessSilent);
    }
}

fn describe(event: &Event) -> String {
    match event {
        Event::Planned(what) => what.to_string(),
        Event::Cosign(no, asking, asked) => {
            let size = asked.signed().checkpoint().size;
            format!("witness {no} considers {size} entries of the {:?} history", asking.history)
        }
        Event::Arrive(Parcel { from, to, path, message, .. }) => {
            let what = match message {
                Message::Datagram(bytes) => format!("datagram of {} bytes", bytes.len()),
                Message::Post(bytes) => format!("post of {} bytes", bytes.len()),
                Message::Receipt(bytes) => format!("receipt of {} bytes", bytes.len()),
                Message::Refused(_) => "refusal".to_owned(),
                Message::Ask(asking, _) => format!("request {} for the {:?} history", asking.id, asking.history),
                Message::Answer(asking, answer) => {
                    format!("answer {} to request {} for the {:?} history", answer.status(), asking.id, asking.history)
                }
            };
            format!("{what} from {from:?} to {to:?} by path {path}")
        }
        Event::HandIn(digest) => format!("a copy {} of a statement is ready", short(digest)),
        Event::Submit(digest) => format!("the desk hands in {}", short(digest)),
        other => format!("{other:?}"),
    }
}
