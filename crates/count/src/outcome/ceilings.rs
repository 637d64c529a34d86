//! How many votes a station can hold that is not counted in a contest.
//!
//! The signed turnout of the station's records that are counted in other contests; else that of its records in quarantine,
//! where they state one and the same and hold no more votes than it; else its roll; each with the allowance of the rules that
//! a record has to keep in order to be counted. A station without any of them has no bound.

use std::collections::BTreeMap;

use tallyproof_record::{
    ContestNo,
    definition::{Figure, Station as Registered},
    rules::RuleId,
};

use crate::{
    ledger::{Fate, FiguresView, Ledger, SlotStatus},
    settled::{Ceiling, State, Station},
};

/// What every station's records say about its turnout.
pub(super) struct Ceilings {
    stations: Vec<Signed>,
    /// Votes in quarantined records, by slot: a turnout below them is not one to rely on.
    apart: BTreeMap<usize, u64>,
    turnout_allowance: u64,
    roll_allowance: u64,
}

/// The turnout that a station's records state.
#[derive(Clone, Copy)]
struct Signed {
    /// The highest of its counted records.
    counted: Option<u32>,
    /// The lowest and highest of its records in quarantine.
    lowest: u32,
    highest: u32,
    /// The most votes in one of these.
    cast: u64,
}

impl Signed {
    const NONE: Self = Self { counted: None, lowest: u32::MAX, highest: 0, cast: 0 };

    fn turnout(self) -> Option<u64> {
        let one = (self.lowest == self.highest && u64::from(self.highest) >= self.cast).then_some(self.highest);
        self.counted.or(one).map(u64::from)
    }
}

impl Ceilings {
    pub(super) fn of(ledger: &Ledger) -> Self {
        let election = ledger.definition().election();
        let allowance = |rule| u64::from(election.rules().threshold(rule, "allowance"));
        let mut ceilings = Self {
            stations: vec![Signed::NONE; election.stations().len()],
            apart: BTreeMap::new(),
            turnout_allowance: allowance(RuleId::VotersDiffer) + allowance(RuleId::VotersDifferAcross),
            roll_allowance: allowance(RuleId::VotesExceedRoll),
        };
        ceilings.read(ledger);
        ceilings
    }

    fn read(&mut self, ledger: &Ledger) {
        let corrected: BTreeMap<usize, _> = ledger.book().in_force().collect();
        for placed in ledger.placed().filter(|placed| placed.fate != Fate::Rejected) {
            // What a correction replaced states nothing any more.
            if !corrected.is_empty() && corrected.contains_key(&placed.slot) {
                continue;
            }
            let station = ledger.roster().member(placed.slot).station;
            let Some(signed) = self.stations.get_mut(station.index()) else { continue };
            let voters = placed.figures.figure(Figure::Voters);
            if placed.fate == Fate::Counted {
                signed.counted = signed.counted.max(voters);
            } else {
                let cast = cast(&placed.figures);
                signed.cast = signed.cast.max(cast);
                let apart = self.apart.entry(placed.slot).or_default();
                *apart = cast.max(*apart);
                if let Some(voters) = voters {
                    signed.lowest = signed.lowest.min(voters);
                    signed.highest = signed.highest.max(voters);
                }
            }
        }
        for (slot, correction) in corrected {
            let station = ledger.roster().member(slot).station;
            let voters = correction.figures.and_then(|figures| figures.figure(Figure::Voters));
            if let Some(signed) = self.stations.get_mut(station.index()) {
                signed.counted = signed.counted.max(voters);
            }
        }
    }

    /// The stations that are missing or in quarantine in a contest, as it stands: where a correction is in force, its figures
    /// are counted, or the poll is annulled.
    pub(super) fn outstanding(&self, ledger: &Ledger, contest: ContestNo) -> Vec<Station> {
        let roster = ledger.roster();
        let Some(part) = roster.part(contest) else { return Vec::new() };
        let station = |slot: usize| {
            let state = match ledger.status(slot) {
                SlotStatus::Counted => return None,
                SlotStatus::Quarantined => State::Quarantined,
                SlotStatus::Missing => State::Missing,
            };
            if ledger.book().latest(slot).is_some() {
                return None;
            }
            let no = roster.member(slot).station;
            let facts = ledger.definition().election().station(no)?;
            let (most, allowance) = self.most(slot, facts, no.index());
            Some(Station { id: facts.id.clone(), state, most, allowance })
        };
        part.slots.clone().filter_map(station).collect()
    }

    fn most(&self, slot: usize, station: &Registered, index: usize) -> (Option<Ceiling>, u64) {
        let apart = self.apart.get(&slot).copied().unwrap_or_default();
        let turnout = self.stations.get(index).and_then(|signed| signed.turnout());
        match (turnout.filter(|&turnout| turnout >= apart), station.roll()) {
            (Some(turnout), _) => (Some(Ceiling::Turnout(turnout)), self.turnout_allowance),
            (None, Some(roll)) => (Some(Ceiling::Register(u64::from(roll))), self.roll_allowance),
            (None, None) => (None, 0),
        }
    }
}

/// Ballots that the figures account for.
fn cast(figures: &FiguresView<'_>) -> u64 {
    let stated = [Figure::Blank, Figure::Null].map(|figure| figures.figure(figure).map_or(0, u64::from));
    figures.counts.iter().copied().map(u64::from).chain(stated).sum()
}
