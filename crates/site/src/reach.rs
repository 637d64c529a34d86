//! How many votes the stations that are not counted could still hold.

use tallyproof_count::{SlotStatus, ledger::SlotView};
use tallyproof_record::{Election, definition::Station, rules::RuleId};

/// Votes that the stations missing or in quarantine can hold (`docs/spec/rules.md`, BO-01: roll plus allowance each).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Reach {
    /// Most votes in the stations that a roll bounds.
    pub(crate) most: u64,
    /// Stations that no roll bounds: if there is one, there is no bound in all.
    pub(crate) unbounded: u64,
    /// What BO-01 allows above each roll. Without it the bound would exclude records that the rules count.
    pub(crate) allowance: u64,
}

impl Reach {
    /// The reach of the slots of one contest that are not counted.
    pub(crate) fn of<'a>(election: &Election, slots: impl Iterator<Item = SlotView<'a>>) -> Self {
        let allowance = u64::from(election.rules().threshold(RuleId::VotesExceedRoll, "allowance"));
        let mut reach = Self { allowance, ..Self::default() };
        for slot in slots.filter(|slot| slot.status != SlotStatus::Counted) {
            match election.station(slot.station).and_then(Station::roll) {
                Some(roll) => reach.most += u64::from(roll) + allowance,
                None => reach.unbounded += 1,
            }
        }
        reach
    }

    /// The bound, if every station not counted has a roll.
    pub(crate) fn bound(&self) -> Option<u64> {
        (self.unbounded == 0).then_some(self.most)
    }
}
