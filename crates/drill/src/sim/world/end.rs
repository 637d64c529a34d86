//! The end of a night: everything is mended, and then everything has to come through.

use tallyproof_record::StationNo;

use super::super::centre::Centre;
use super::super::check::{Invariant, Violation};
use super::super::country::STATIONS;
use super::super::mark::Mark;
use super::super::plan::{RELAYS, What};
use super::super::relay::Conduct;
use super::super::station::Station;
use super::{Event, Step, World};

impl World<'_> {
    /// Everything works again, and nobody attacks.
    pub(super) fn mend(&mut self) -> Step {
        self.note(|| "everything is mended".into());
        self.mended = true;
        self.network.heal();
        self.mend_bundle()?;
        (self.disk.full, self.disk.sync_fails, self.disk.shelf_fails) = (false, false, false);
        self.disk.reads_well();
        self.disk.power_in = None;
        (self.centre_clock, self.centre_drift) = (0, (0, self.now));
        let last = |what: &What| matches!(what, What::Seal { .. } | What::State { .. });
        self.agenda.retain(|_, event| !matches!(event, Event::Planned(what) if !last(what)));
        for relay in &mut self.relays {
            relay.conduct = Conduct::Honest;
        }
        let now = self.now;
        for no in (1..=STATIONS).map(StationNo) {
            if let Some(station) = self.stations.get_mut(no.index()) {
                (station.power_in, station.clock) = (None, 0);
                station.drift(now, 0);
            }
            self.after_station(no, false);
            self.add(1, Event::StartStation(no));
        }
        self.add(1, Event::StartCentre);
        (0..RELAYS).for_each(|no| self.add(1, Event::StartRelay(no)));
        for no in 0..self.witnesses.len() {
            if let Some(witness) = self.witnesses.get_mut(no) {
                (witness.power_in, witness.offline_until) = (None, 0);
            }
            self.add(1, Event::StartWitness(no));
        }
        Ok(())
    }

    /// Whoever verifies finds every tile in which a bit has flipped; then they are put right from a copy.
    fn mend_bundle(&mut self) -> Step {
        if self.disk.rotten.is_empty() {
            return Ok(());
        }
        if !self.checker.finds_rot(self.country, &self.disk) {
            let tiles: Vec<_> = self.disk.rotten.keys().map(ToString::to_string).collect();
            let what = format!("a flipped bit is not found: {}", tiles.join(", "));
            return Err(Violation { invariant: Invariant::RotFound, what });
        }
        self.marks.hit(Mark::TileRotten);
        self.disk.rotten.clear();
        Ok(())
    }

    pub(super) fn is_at_rest(&self) -> bool {
        self.centre.as_ref().is_some_and(Centre::is_settled)
            && self.stations.iter().all(|station| station.is_up() && station.open() == 0)
            && self.desk.open() == 0
            && !self.agenda.values().any(|event| matches!(event, Event::HandIn(_)))
            && !self.agenda.values().any(|event| matches!(event, Event::Planned(_)))
            && self.is_cosigned()
    }

    pub(super) fn not_at_rest(&self) -> Step {
        let open: Vec<_> =
            self.stations.iter().filter(|station| station.open() > 0).map(|station| station.no.0).collect();
        let centre = if self.centre.is_some() { "up" } else { "down" };
        let (desk, cosigned) = (self.desk.open(), self.is_cosigned());
        let what = format!(
            "stations {open:?} and {desk} statements still wait; the centre is {centre}; the last checkpoint has what it needs: {cosigned}"
        );
        Err(Violation { invariant: Invariant::Progress, what })
    }

    pub(super) fn check_end(&mut self) -> Step {
        if !self.witnesses.is_empty() {
            self.look_around()?;
        }
        let Some(centre) = &self.centre else { return self.not_at_rest() };
        let receipts = self.stations.iter().map(Station::receipts).chain([&self.desk.receipts]);
        for receipts in receipts {
            for digest in receipts.iter().filter(|digest| !self.checker.rolled_back.contains(*digest)) {
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
