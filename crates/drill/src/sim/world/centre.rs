//! The centre's machine and its operators: turns of its threads, crashes, restarts, backups.

use rand_chacha::rand_core::Rng;
use tallyproof_centre::promise::Broken;
use tallyproof_centre::restart::RestartError;
use tallyproof_log::checkpoint::Checkpoint;
use tallyproof_record::cose::RecordDigest;

use super::super::centre::{Centre, Outcome, Start, StartError, Stop, Thread};
use super::super::check::{Invariant, Violation};
use super::super::disk::{DiskError, JournalFile};
use super::super::mark::{Mark, Marks};
use super::super::plan::What;
use super::super::post::Node;
use super::super::witness::Witness;
use super::{Event, Fault, Step, World, broken};

/// How often the centre ends a batch.
const CUT_EVERY: u64 = 1_000;
/// Longest wait of a thread for its turn.
const TURN: u64 = 12;

impl World<'_> {
    /// A log that is long before the night begins: its records are in the journal, and nothing but the definition is signed.
    pub(super) fn fill_early(&mut self) {
        if self.country.early.is_empty() {
            return;
        }
        let country = self.country;
        let record = |digest: &RecordDigest| Some((*digest, country.authentic.get(digest)?.bytes()));
        self.disk.journal = JournalFile::with(country.early.iter().filter_map(record));
        if let Ok((note, checkpoint)) = super::super::centre::first_note(country) {
            self.disk.remembered = Some(note.clone().into_bytes());
            self.checker.signed(note, checkpoint);
        }
        self.checker.journal_replaced(&self.disk);
    }

    /// The time by the centre's clock.
    pub(super) fn centre_time(&self) -> u64 {
        let (ppm, since) = self.centre_drift;
        let gained = i64::try_from(self.now.saturating_sub(since)).unwrap_or(i64::MAX).saturating_mul(ppm) / 1_000_000;
        self.now.saturating_add_signed(self.centre_clock).saturating_add_signed(gained)
    }

    /// Something befalls the centre.
    pub(super) fn befall_centre(&mut self, what: What) {
        match what {
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
            What::Misread { file, short } => self.disk.misread(file, short),
            What::TileRots { pick } => self.disk.rot(self.checker.size(), pick),
            What::Backup {} => self.safe.backups.push(self.disk.journal.clone()),
            What::MachineBackup {} => self.safe.machine = Some(self.disk.copy()),
            What::RestoreBackup { down_ms } => self.restore_backup(down_ms),
            What::MemoryLost { down_ms } => {
                self.disk.lose_power();
                self.disk.remembered = None;
                self.checker.memory_lost();
                self.stop_centre(down_ms);
            }
            What::CentreClock { by_ms } => {
                self.marks.hit(Mark::CentreClock);
                self.centre_clock = by_ms;
            }
            What::CentreDrift { ppm } => {
                self.marks.hit(Mark::CentreDrift);
                self.centre_drift = (ppm, self.now);
            }
            _ => {}
        }
    }

    /// What a running centre can check of itself.
    pub(super) fn check_centre(&mut self) -> Step {
        // Who has given up has stopped in the middle.
        let Some(centre) = self.centre.as_mut().filter(|_| !self.over) else { return Ok(()) };
        centre
            .check_invariants(&self.disk)
            .map_err(|what| Violation { invariant: Invariant::CentreFits, what: what.to_string() })
    }

    pub(super) fn schedule_turns(&mut self) {
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

    pub(super) fn turn(&mut self, thread: Thread, life: u64) -> Step {
        if life != self.life {
            return Ok(());
        }
        if let Some(turn) = self.turns.get_mut(thread as usize) {
            *turn = false;
        }
        let Some(centre) = &mut self.centre else { return Ok(()) };
        let mut outcome = Outcome::default();
        let with = (self.country, self.now, &mut self.memo);
        let turned = centre.turn(thread, with, &mut self.disk, &mut outcome, &mut self.marks);
        self.take_outcome(outcome)?;
        self.after_centre(turned)
    }

    pub(super) fn cut(&mut self, life: u64) -> Step {
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
            Err(Stop::Halt(what)) if what == DiskError::Differs.to_string() && self.finds_rot() => {
                self.stop_centre(500);
                Ok(())
            }
            Err(Stop::Halt(_)) if self.rolled_back => {
                self.give_up();
                Ok(())
            }
            Err(Stop::Halt(what)) => Err(Violation { invariant: Invariant::NoHalt, what }),
        }
    }

    /// A tile reads as another one: if the disk is to blame, the operator puts it right from a copy.
    fn finds_rot(&mut self) -> bool {
        let found = self.disk.was_misled() || !self.disk.rotten.is_empty();
        if found {
            self.marks.hit(Mark::TileMisread);
            self.disk.rotten.clear();
        }
        found
    }

    /// Tiles of the history that an unseen rollback abandoned are in the bundle: the centre stops for good, as it must, and the night
    /// ends. Receipts and tiles prove what happened.
    pub(super) fn give_up(&mut self) {
        self.marks.hit(Mark::RollbackProved);
        self.over = true;
    }

    fn take_outcome(&mut self, outcome: Outcome) -> Step {
        outcome.signed.into_iter().for_each(|(note, checkpoint)| self.checker.signed(note, checkpoint));
        for digest in &outcome.receipts {
            self.checker.receipt_signed(&self.disk, *digest)?;
        }
        self.send_all(&outcome.parcels)?;
        self.ask_for_first(outcome.asks)
    }

    fn lose_centre_power(&mut self, down_ms: u64) {
        if std::mem::take(&mut self.disk.program_only) {
            self.disk.lose_program();
        } else {
            self.disk.lose_power();
        }
        self.stop_centre(down_ms);
    }

    pub(super) fn stop_centre(&mut self, down_ms: u64) {
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

    /// Everything on the centre's disk is older than it was, and leads to itself: only what others hold keeps it from a second history.
    pub(super) fn restore_machine(&mut self, down_ms: u64) -> Step {
        let held = self.held_by_witnesses();
        let Some(machine) = self.safe.machine.clone() else { return Ok(()) };
        self.disk.lose_power();
        self.stop_centre(down_ms);
        let newest = self.disk.replace_all(machine);
        let most = self.disk.journal.digests().len() as u64 + 1;
        if held.iter().any(|(_, checkpoint)| checkpoint.size > most) {
            let (country, now, bug) = (self.country, self.now, self.bug);
            let start = Start { country, now, bug, held, memo: &mut self.memo };
            let started = Centre::start(start, &mut self.disk, &mut Outcome::default(), &mut Marks::default());
            match started.err() {
                None => {
                    return broken(Invariant::OneHistory, "a centre starts that has forgotten what a witness holds");
                }
                Some(StartError::Restart(RestartError::Broken(broken))) => self.refused_by(&broken),
                // Another fault came first.
                Some(_) => {}
            }
        }
        self.disk.replace_all(newest);
        Ok(())
    }

    fn refused_by(&mut self, broken: &Broken) {
        let (Broken::RolledBack { place, .. } | Broken::Forked { place, .. }) = broken;
        if place.starts_with("https:") {
            self.marks.hit(Mark::WitnessKeepsPromise);
        }
    }

    pub(super) fn start_centre(&mut self) -> Step {
        if self.centre.is_some() {
            return Ok(());
        }
        let mut outcome = Outcome::default();
        let held = self.held_by_witnesses();
        self.disk.starting = true;
        let Self { country, now, bug, disk, marks, memo, .. } = self;
        let start = Start { country, now: *now, bug: *bug, held, memo };
        let started = Centre::start(start, disk, &mut outcome, marks);
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

    /// What the witnesses have cosigned that can be reached. An operator who shows two histories does not ask.
    fn held_by_witnesses(&self) -> Vec<(usize, Checkpoint)> {
        let reachable = |witness: &&Witness| {
            witness.offline_until <= self.now
                && !self.network.is_cut(Node::Witness(witness.no), self.now)
                && !self.network.is_cut(Node::Centre, self.now)
        };
        let asked = self.witnesses.iter().filter(|_| !self.operator_lies).filter(reachable);
        asked.filter_map(|witness| Some((witness.no, witness.last()?.clone()))).collect()
    }

    /// The centre has started on the journal that is there: if an operator put it there, what it lacks is gone.
    fn take_over(&mut self) {
        if self.safe.before.take().is_some() {
            self.marks.hit(Mark::BackupUnseen);
            self.rolled_back = true;
            self.checker.journal_replaced(&self.disk);
            self.hand_in_again();
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
            StartError::Disk(DiskError::Damaged(_)) if self.disk.was_misled() => self.marks.hit(Mark::RestartDamaged),
            StartError::Note(_) if self.disk.was_misled() => self.marks.hit(Mark::RestartMisread),
            StartError::Disk(DiskError::Differs) if self.finds_rot() => {}
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
}
