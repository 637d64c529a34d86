//! The loop.

use std::collections::BTreeMap;
use std::sync::Arc;

use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{Rng, SeedableRng};
use tallyproof_centre::Intake;
use tallyproof_centre::promise::Broken;
use tallyproof_centre::restart::RestartError;
use tallyproof_record::StationNo;
use tallyproof_record::frame::{self, HEADER_LEN};

use super::bug::Bug;
use super::centre::{Centre, Outcome, StartError, Stop, Thread};
use super::check::{Checker, Invariant, Violation};
use super::country::{BEGIN, Country, EPOCH, STATIONS, SlotNo, Variant};
use super::disk::{Disk, DiskError, JournalFile};
use super::mark::{Mark, Marks};
use super::plan::{self, LIAR, Planned, RELAYS, What};
use super::post::{Message, Network, Node, Parcel};
use super::relay::{Conduct, Relay};
use super::station::{DIRECT, Station};
use crate::keys::Seed;

/// Steps of a night before everything is mended.
pub const STEPS: u64 = 2_000;
/// Steps that a mended country has to come to rest.
const MENDED_STEPS: u64 = 6_000;
/// How often the centre ends a batch.
const CUT_EVERY: u64 = 1_000;
/// Longest wait of a thread for its turn.
const TURN: u64 = 12;
/// Datagrams that an attacker has recorded.
const RECORDED: usize = 64;

/// A night that can be run: what is planned, and the seed of all chance.
#[derive(Clone, Debug)]
pub struct Night {
    /// The seed.
    pub seed: u64,
    plan: Vec<Planned>,
    bug: Option<Bug>,
}

/// What a night came to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Report {
    /// Events that happened.
    pub steps: u64,
    /// The first invariant that does not hold.
    pub violation: Option<Violation>,
    /// What was reached.
    pub marks: Marks,
    /// A line for each step, if it was asked for.
    pub trace: Vec<String>,
}

impl Night {
    /// The night of a seed.
    pub fn of(country: &Country, seed: u64) -> Self {
        Self { seed, plan: plan::draw(&mut chance(seed, "plan"), &country.slots), bug: None }
    }

    /// The same night with a planted bug.
    #[must_use]
    pub fn with_bug(self, bug: Bug) -> Self {
        Self { bug: Some(bug), ..self }
    }

    /// Things planned.
    pub fn planned(&self) -> usize {
        self.plan.len()
    }

    /// The plan, a line each.
    pub fn plan(&self) -> Vec<String> {
        self.plan.iter().map(ToString::to_string).collect()
    }

    /// The same night, with some of what was planned left out.
    #[must_use]
    pub(super) fn without(&self, at: usize, number: usize) -> Self {
        let kept = |(place, planned): (usize, &Planned)| (place < at || place >= at + number).then_some(*planned);
        Self { plan: self.plan.iter().enumerate().filter_map(kept).collect(), ..self.clone() }
    }

    /// Runs the night to its end, or to the first invariant that does not hold.
    pub fn run(&self, country: &Country, trace: bool) -> Report {
        let mut world = World::new(country, self, trace);
        let violation = world.run().err();
        if let (Some(trace), Some(violation)) = (&mut world.trace, &violation) {
            trace.push(format!("!! {violation}"));
        }
        let mut marks = world.marks;
        marks.add(&world.disk.marks);
        Report { steps: world.steps, violation, marks, trace: world.trace.unwrap_or_default() }
    }
}

fn chance(seed: u64, name: &str) -> ChaCha8Rng {
    ChaCha8Rng::from_seed(Seed(seed).derive(name, 0))
}

/// Something due.
#[derive(Clone, Debug)]
enum Event {
    Planned(What),
    Wake(StationNo),
    WakeRelay(usize),
    Arrive(Parcel),
    /// A thread of the centre's life of this number.
    Turn(Thread, u64),
    CutDue(u64),
    StartCentre,
    StartStation(StationNo),
    StartRelay(usize),
    /// A fault ends.
    Mend(Fault),
    /// The attacker sends the next of so many.
    Replay(u32),
    Forge(u32),
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
}

#[expect(clippy::struct_excessive_bools, reason = "each is a question of its own about the night")]
struct World<'a> {
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
    /// When each station and relay is woken next; other wakes of theirs are void.
    wakes: BTreeMap<Node, u64>,
    centre_clock: i64,
    stations: Vec<Station>,
    relays: Vec<Relay>,
    relay_intake: Intake,
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

impl<'a> World<'a> {
    fn new(country: &'a Country, night: &Night, trace: bool) -> Self {
        let mut world = Self {
            country,
            bug: night.bug,
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
            stations: (1..=STATIONS).map(|no| Station::new(country, StationNo(no), night.bug)).collect(),
            relays: (0..RELAYS).map(|no| Relay::new(country, no)).collect(),
            relay_intake: Intake::new(Arc::clone(&country.definition)),
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
        world.disk.found_is_safe = night.bug == Some(Bug::FoundTileTrusted);
        world.add(0, Event::StartCentre);
        for planned in &night.plan {
            world.add(planned.at, Event::Planned(planned.what));
        }
        world
    }

    fn run(&mut self) -> Step {
        while self.steps < STEPS {
            if !self.step()? {
                break;
            }
        }
        if self.over {
            return Ok(());
        }
        self.mend();
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
        let live = self.centre.as_ref().map(|centre| &centre.ledger);
        let foreign = self.safe.before.is_some();
        self.checker.check(self.country, &self.disk, live, foreign)?;
        Ok(true)
    }

    /// The next event that still means anything.
    fn next_event(&mut self) -> Option<(u64, Event)> {
        loop {
            let ((at, _), event) = self.agenda.pop_first()?;
            let node = match &event {
                Event::Wake(no) => Node::Station(*no),
                Event::WakeRelay(no) => Node::Relay(*no),
                _ => return Some((at, event)),
            };
            if self.wakes.get(&node) == Some(&at) {
                self.wakes.remove(&node);
                return Some((at, event));
            }
        }
    }

    /// Wakes a station or relay then, and at no other time.
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
            Event::Planned(what) => {
                self.happen(what);
                Ok(())
            }
            Event::Wake(no) => self.wake(no),
            Event::WakeRelay(no) => self.wake_relay(no),
            Event::Arrive(parcel) => self.arrive(&parcel),
            Event::Turn(thread, life) => self.turn(thread, life),
            Event::CutDue(life) => self.cut(life),
            Event::StartCentre => self.start_centre(),
            Event::StartStation(no) => {
                self.start_station(no);
                Ok(())
            }
            Event::StartRelay(no) => {
                let country = self.country;
                if let Some(relay) = self.relays.get_mut(no).filter(|relay| !relay.is_up()) {
                    relay.start(country);
                }
                Ok(())
            }
            Event::Mend(fault) => {
                *self.fault(fault) = false;
                Ok(())
            }
            Event::Replay(left) => self.replay(left),
            Event::Forge(left) => self.forge(left),
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
    fn happen(&mut self, what: What) {
        match what {
            What::Seal(slot, variant) => self.seal(slot, variant),
            What::CentrePower { operations, down_ms } | What::CentreKilled { operations, down_ms } => {
                self.disk.power_in = Some(operations);
                self.disk.program_only = matches!(what, What::CentreKilled { .. });
                if operations == 0 && self.centre.is_some() {
                    self.lose_centre_power(down_ms);
                }
            }
            What::DiskFull { for_ms } => self.break_for(Fault::Full, for_ms),
            What::SyncFails { for_ms } => self.break_for(Fault::Sync, for_ms),
            What::ShelfFails { for_ms } => self.break_for(Fault::Shelf, for_ms),
            What::BitRot => self.disk.rots = true,
            What::Backup => self.safe.backups.push(self.disk.journal.clone()),
            What::RestoreBackup { down_ms } => self.restore_backup(down_ms),
            What::MemoryLost { down_ms } => {
                self.disk.lose_power();
                self.disk.remembered = None;
                self.checker.memory_lost();
                self.stop_centre(down_ms);
            }
            What::StationPower { station, operations, down_ms: _ } => {
                if let Some(station) = self.stations.get_mut(station.index()) {
                    station.power_in = Some(operations);
                }
            }
            What::StationClock { station, by_ms } => self.set_clock(station, by_ms),
            What::CentreClock { by_ms } => {
                self.marks.hit(Mark::CentreClock);
                self.centre_clock = by_ms;
            }
            What::Cut { station, for_ms } => self.network.cut(Node::Station(station), self.now + for_ms),
            What::CentreCut { for_ms } => self.network.cut(Node::Centre, self.now + for_ms),
            What::PathDead { path, for_ms } => self.network.kill_path(path, self.now + for_ms),
            What::Loss { per_mille } => self.network.loss = per_mille,
            What::Doubles { per_mille } => self.network.doubles = per_mille,
            What::RelayPower { relay, down_ms } => {
                if let Some(relay) = self.relays.get_mut(relay) {
                    relay.lose_power(&mut self.marks);
                }
                self.add(down_ms, Event::StartRelay(relay));
            }
            What::RelayTurns { relay, conduct } => {
                if let Some(relay) = self.relays.get_mut(relay) {
                    relay.conduct = conduct;
                }
            }
            What::Flood { station, datagrams } => self.flood(station, datagrams),
            What::Replay { times } => self.add(0, Event::Replay(times)),
            What::Forge { times } => self.add(0, Event::Forge(times)),
        }
    }

    fn break_for(&mut self, fault: Fault, for_ms: u64) {
        *self.fault(fault) = true;
        self.add(for_ms, Event::Mend(fault));
    }

    // The stations.

    fn seal(&mut self, slot: SlotNo, variant: Variant) {
        match variant {
            Variant::Other => self.marks.hit(Mark::Conflict),
            Variant::TooMany => self.marks.hit(Mark::Quarantine),
            Variant::Impossible => self.marks.hit(Mark::Rejected),
            Variant::Own | Variant::Again => {}
        }
        let (country, now) = (self.country, self.now);
        let Some(station) = self.stations.get_mut(slot.0.index()) else { return };
        let sealed = if slot.0 == LIAR && station.has_sealed(slot) {
            station.seal_second(country, now, slot, variant);
            Ok(())
        } else {
            station.seal(country, now, slot, variant, &mut self.marks)
        };
        self.after_station(slot.0, sealed.is_err());
    }

    /// Restarts a station whose power failed, or wakes it when it is due.
    fn after_station(&mut self, no: StationNo, lost_power: bool) {
        let Some(station) = self.stations.get_mut(no.index()) else { return };
        if lost_power {
            station.lose_power();
            let down = 100 + u64::from(self.rng.next_u32()) % 4_000;
            self.note(|| format!("station {no} loses power"));
            self.add(down, Event::StartStation(no));
        } else if let Some(at) = station.next_wake() {
            self.wake_at(Node::Station(no), at.max(self.now), Event::Wake(no));
        }
    }

    fn start_station(&mut self, no: StationNo) {
        let (country, now) = (self.country, self.now);
        let Some(station) = self.stations.get_mut(no.index()).filter(|station| !station.is_up()) else { return };
        let started = station.start(country, now, &mut self.marks);
        self.after_station(no, started.is_err());
    }

    fn set_clock(&mut self, no: StationNo, by_ms: i64) {
        self.marks.hit(Mark::StationClock);
        if let Some(station) = self.stations.get_mut(no.index()) {
            station.clock = by_ms;
        }
        // Only a program that starts looks at the wall clock.
        self.after_station(no, true);
    }

    fn wake(&mut self, no: StationNo) -> Step {
        let mut out = Vec::new();
        let Some(station) = self.stations.get_mut(no.index()) else { return Ok(()) };
        let woken = station.wake(self.now, &mut out, &mut self.marks);
        self.after_station(no, woken.is_err());
        self.send_all(&out)
    }

    // The network.

    fn send_all(&mut self, parcels: &[Parcel]) -> Step {
        parcels.iter().try_for_each(|parcel| self.send(parcel))
    }

    fn send(&mut self, parcel: &Parcel) -> Step {
        self.checker.sent(self.country, parcel)?;
        if let (Node::Station(_), DIRECT, Message::Datagram(datagram)) = (parcel.from, parcel.path, &parcel.message)
            && self.recorded.len() < RECORDED
        {
            self.recorded.push(datagram.clone());
        }
        for at in self.network.carry(self.now, parcel, &mut self.marks) {
            self.add_at(at, Event::Arrive(parcel.clone()));
        }
        Ok(())
    }

    fn arrive(&mut self, parcel: &Parcel) -> Step {
        match parcel.to {
            Node::Centre => {
                let clock = self.now.saturating_add_signed(self.centre_clock);
                if let Some(centre) = &mut self.centre {
                    centre.receive(clock, parcel, &mut self.marks);
                }
                Ok(())
            }
            Node::Station(no) => self.arrive_at_station(no, parcel),
            Node::Relay(no) => {
                let mut out = Vec::new();
                if let Some(relay) = self.relays.get_mut(no) {
                    relay.receive(&self.relay_intake, self.now, parcel, &mut out, &mut self.marks);
                }
                self.schedule_relay(no);
                self.send_all(&out)
            }
            Node::Attacker => Ok(()),
        }
    }

    fn arrive_at_station(&mut self, no: StationNo, parcel: &Parcel) -> Step {
        let Message::Receipt(bytes) = &parcel.message else { return Ok(()) };
        let Some(station) = self.stations.get_mut(no.index()) else { return Ok(()) };
        match station.receive(self.now, parcel.path, bytes, &mut self.marks) {
            Ok(Some(digest)) => {
                self.note(|| format!("station {no} has a receipt"));
                if !self.checker.rolled_back.contains(&digest) {
                    self.checker.receipt_accepted(&digest)?;
                }
            }
            Ok(None) => {}
            Err(_) => self.after_station(no, true),
        }
        Ok(())
    }

    fn wake_relay(&mut self, no: usize) -> Step {
        let mut out = Vec::new();
        if let Some(relay) = self.relays.get_mut(no) {
            relay.wake(self.now, &mut out, &mut self.marks);
        }
        self.schedule_relay(no);
        self.send_all(&out)
    }

    fn schedule_relay(&mut self, no: usize) {
        if let Some(at) = self.relays.get(no).and_then(Relay::next_wake) {
            self.wake_at(Node::Relay(no), at.max(self.now + 1), Event::WakeRelay(no));
        }
    }

    fn replay(&mut self, left: u32) -> Step {
        if self.mended || left == 0 || self.recorded.is_empty() {
            return Ok(());
        }
        let pick = self.rng.next_u32() as usize % self.recorded.len();
        let datagram = self.recorded.get(pick).cloned().unwrap_or_default();
        self.marks.hit(Mark::Replayed);
        let after = 20 + u64::from(self.rng.next_u32()) % 400;
        self.add(after, Event::Replay(left - 1));
        self.send(&Parcel {
            from: Node::Attacker,
            to: Node::Centre,
            path: DIRECT,
            message: Message::Datagram(datagram),
        })
    }

    /// Datagrams with a tag that holds and attempts that rise, each with a record that everybody has seen.
    fn flood(&mut self, station: StationNo, datagrams: u32) {
        let Some(mac) = self.country.identity(station).map(|identity| identity.mac) else { return };
        let Some(body) = self.recorded.last().and_then(|datagram| datagram.get(HEADER_LEN..)).map(<[u8]>::to_vec)
        else {
            return;
        };
        for number in 0..datagrams {
            let attempt = frame::attempt_at(self.now).saturating_add(number);
            let message = Message::Datagram(frame::encode(station, EPOCH, attempt, &body, &mac));
            // From next door: in order, and without loss.
            self.add(1, Event::Arrive(Parcel { from: Node::Attacker, to: Node::Centre, path: DIRECT, message }));
        }
    }

    /// A datagram or record with a changed byte: header, tag, body or signature.
    fn forge(&mut self, left: u32) -> Step {
        if self.mended || left == 0 || self.recorded.is_empty() {
            return Ok(());
        }
        let pick = self.rng.next_u32() as usize % self.recorded.len();
        let mut forged = self.recorded.get(pick).cloned().unwrap_or_default();
        let place = self.rng.next_u32() as usize % forged.len().max(1);
        forged.get_mut(place).into_iter().for_each(|byte| *byte ^= 1);
        self.marks.hit(Mark::Forged);
        let after = 20 + u64::from(self.rng.next_u32()) % 400;
        self.add(after, Event::Forge(left - 1));
        let posted = left.is_multiple_of(4);
        let message = if posted {
            Message::Post(forged.get(HEADER_LEN..).unwrap_or_default().to_vec())
        } else {
            Message::Datagram(forged)
        };
        self.send(&Parcel { from: Node::Attacker, to: Node::Centre, path: DIRECT, message })
    }

    // The centre.

    fn schedule_turns(&mut self) {
        let Some(centre) = &self.centre else { return };
        if centre.has_uncut() && !self.cut_set {
            self.cut_set = true;
            self.agenda.insert((self.now + CUT_EVERY, self.made), Event::CutDue(self.life));
            self.made += 1;
        }
        for (place, thread) in Thread::ALL.into_iter().enumerate() {
            if centre.has_work(thread) && !self.turns[place] {
                self.turns[place] = true;
                let after = u64::from(self.rng.next_u32()) % TURN;
                self.agenda.insert((self.now + after, self.made), Event::Turn(thread, self.life));
                self.made += 1;
            }
        }
    }

    fn turn(&mut self, thread: Thread, life: u64) -> Step {
        if life != self.life {
            return Ok(());
        }
        if let Some(turn) = self.turns.get_mut(thread as usize) {
            *turn = false;
        }
        let Some(centre) = &mut self.centre else { return Ok(()) };
        let mut outcome = Outcome::default();
        let turned = centre.turn(thread, self.country, &mut self.disk, &mut outcome, &mut self.marks);
        self.take_outcome(outcome)?;
        self.after_centre(turned)
    }

    fn cut(&mut self, life: u64) -> Step {
        if life != self.life {
            return Ok(());
        }
        self.cut_set = false;
        let Some(centre) = &mut self.centre else { return Ok(()) };
        let cut = centre.cut(&mut self.disk, &mut self.marks);
        self.after_centre(cut)
    }

    fn after_centre(&mut self, ended: Result<(), Stop>) -> Step {
        match ended {
            Ok(()) | Err(Stop::Disk(_)) => Ok(()),
            Err(Stop::Power) => {
                let down = 100 + u64::from(self.rng.next_u32()) % 3_000;
                self.note(|| "the centre loses power".into());
                self.lose_centre_power(down);
                // Some operators reach for a backup after a crash.
                if !self.mended && self.rng.next_u32().is_multiple_of(5) {
                    self.restore_backup(down);
                }
                Ok(())
            }
            Err(Stop::Halt(_)) if self.rolled_back => {
                self.give_up();
                Ok(())
            }
            Err(Stop::Halt(what)) => Err(Violation { invariant: Invariant::NoHalt, what }),
        }
    }

    /// Tiles of the history that an unseen rollback abandoned are in the bundle: the centre stops for good, as it must, and the night
    /// ends. Receipts and tiles prove what happened.
    fn give_up(&mut self) {
        self.marks.hit(Mark::RollbackProved);
        self.over = true;
    }

    fn take_outcome(&mut self, outcome: Outcome) -> Step {
        outcome.signed.into_iter().for_each(|(note, checkpoint)| self.checker.signed(note, checkpoint));
        for digest in &outcome.receipts {
            self.checker.receipt_signed(&self.disk, *digest)?;
        }
        self.send_all(&outcome.parcels)
    }

    fn lose_centre_power(&mut self, down_ms: u64) {
        if std::mem::take(&mut self.disk.program_only) {
            self.disk.lose_program();
        } else {
            self.disk.lose_power();
        }
        self.stop_centre(down_ms);
    }

    fn stop_centre(&mut self, down_ms: u64) {
        self.centre = None;
        self.life += 1;
        self.turns = [false; Thread::ALL.len()];
        self.cut_set = false;
        self.add(down_ms, Event::StartCentre);
    }

    fn restore_backup(&mut self, down_ms: u64) {
        if self.safe.backups.is_empty() {
            return;
        }
        self.disk.lose_power();
        // Half the time the journal that was taken out last, which may hold another history by now.
        let (luck, last) = (self.rng.next_u32() as usize, self.safe.backups.len() - 1);
        let pick = if luck % 2 == 0 { last } else { luck % (last + 1) };
        if let Some(backup) = self.safe.backups.get(pick).cloned() {
            let current = std::mem::replace(&mut self.disk.journal, backup);
            // The journal taken out is a copy that may be put back another day.
            self.safe.backups.push(current.clone());
            self.safe.before.get_or_insert(current);
        }
        self.stop_centre(down_ms);
    }

    fn start_centre(&mut self) -> Step {
        if self.centre.is_some() {
            return Ok(());
        }
        let mut outcome = Outcome::default();
        self.disk.starting = true;
        let started = Centre::start(self.country, &mut self.disk, self.bug, &mut outcome, &mut self.marks);
        self.disk.starting = false;
        match started {
            Ok(centre) => {
                self.take_over();
                self.centre = Some(centre);
                self.life += 1;
                self.checker.forget_live();
                self.take_outcome(outcome)
            }
            Err(error) => {
                self.take_outcome(outcome)?;
                self.note(|| format!("the centre does not start: {error}"));
                self.help_to_start(&error)
            }
        }
    }

    /// The centre has started on the journal that is there: if an operator put it there, what it lacks is gone.
    fn take_over(&mut self) {
        if self.safe.before.take().is_some() {
            self.marks.hit(Mark::BackupUnseen);
            self.rolled_back = true;
            self.checker.journal_replaced(&self.disk);
        }
    }

    /// What an operator does about a centre that does not start, as its message says.
    fn help_to_start(&mut self, error: &StartError) -> Step {
        match error {
            StartError::Disk(DiskError::Power) => {
                let down = 100 + u64::from(self.rng.next_u32()) % 2_000;
                self.lose_centre_power(down);
                return Ok(());
            }
            StartError::Disk(DiskError::Damaged(_)) => self.marks.hit(Mark::RestartDamaged),
            StartError::Disk(DiskError::Full | DiskError::Sync) => {}
            StartError::Restart(RestartError::Forgotten(_)) => {
                self.marks.hit(Mark::MemoryLost);
                self.disk.remembered.clone_from(&self.disk.checkpoint);
            }
            StartError::Restart(RestartError::Broken(broken)) if self.safe.before.is_some() => {
                self.marks.hit(match broken {
                    Broken::RolledBack { .. } => Mark::BackupRefused,
                    Broken::Forked { .. } => Mark::BackupForked,
                });
                if let Some(before) = self.safe.before.take() {
                    self.disk.journal = before;
                    self.disk.version += 1;
                }
            }
            StartError::Disk(DiskError::Differs) if self.rolled_back => {
                self.give_up();
                return Ok(());
            }
            other => return Err(Violation { invariant: Invariant::Starts, what: other.to_string() }),
        }
        self.add(200, Event::StartCentre);
        Ok(())
    }

    // The end.

    /// Everything works again, and nobody attacks.
    fn mend(&mut self) {
        self.note(|| "everything is mended".into());
        self.mended = true;
        self.network.heal();
        (self.disk.full, self.disk.sync_fails, self.disk.shelf_fails, self.disk.rots) = (false, false, false, false);
        self.disk.power_in = None;
        self.centre_clock = 0;
        self.agenda.retain(|_, event| !matches!(event, Event::Planned(what) if !matches!(what, What::Seal(..))));
        for relay in &mut self.relays {
            relay.conduct = Conduct::Honest;
        }
        for no in (1..=STATIONS).map(StationNo) {
            if let Some(station) = self.stations.get_mut(no.index()) {
                (station.power_in, station.clock) = (None, 0);
            }
            self.after_station(no, false);
            self.add(1, Event::StartStation(no));
        }
        self.add(1, Event::StartCentre);
        (0..RELAYS).for_each(|no| self.add(1, Event::StartRelay(no)));
    }

    fn is_at_rest(&self) -> bool {
        self.centre.as_ref().is_some_and(Centre::is_settled)
            && self.stations.iter().all(|station| station.is_up() && station.open() == 0)
            && !self.agenda.values().any(|event| matches!(event, Event::Planned(_)))
    }

    fn not_at_rest(&self) -> Step {
        let open: Vec<_> =
            self.stations.iter().filter(|station| station.open() > 0).map(|station| station.no.0).collect();
        let centre = if self.centre.is_some() { "up" } else { "down" };
        let what = format!("stations {open:?} still wait; the centre is {centre}");
        Err(Violation { invariant: Invariant::Progress, what })
    }

    fn check_end(&mut self) -> Step {
        let Some(centre) = &self.centre else { return self.not_at_rest() };
        for station in &self.stations {
            for digest in station.receipts().iter().filter(|digest| !self.checker.rolled_back.contains(*digest)) {
                self.checker.logged(digest)?;
            }
        }
        let verified = self.checker.verify_bundle(self.country, &self.disk, &centre.ledger);
        if verified.is_err() && self.rolled_back {
            // Tiles of the history that was abandoned.
            self.give_up();
            return Ok(());
        }
        verified
    }
}

fn describe(event: &Event) -> String {
    match event {
        Event::Arrive(Parcel { from, to, path, message }) => {
            let (what, length) = match message {
                Message::Datagram(bytes) => ("datagram", bytes.len()),
                Message::Post(bytes) => ("post", bytes.len()),
                Message::Receipt(bytes) => ("receipt", bytes.len()),
            };
            format!("{what} of {length} bytes from {from:?} to {to:?} by path {path}")
        }
        other => format!("{other:?}"),
    }
}
