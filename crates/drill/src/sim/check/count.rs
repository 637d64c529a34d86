//! What the log comes to: slot by slot and sum by sum, by the simulator's own table.

use std::collections::BTreeSet;

use tallyproof_count::{Ledger, SlotStatus, Totals};
use tallyproof_record::ContestNo;
use tallyproof_record::rules::Severity;

use super::super::country::{CONTESTS, Country, LINES, SlotNo};
use super::{Checker, Invariant, Violation, broken, short};

impl Checker {
    /// The live count against the published log's, and both against what the records are.
    pub(super) fn check_count(&self, country: &Country, live: &Ledger) -> Result<(), Violation> {
        self.check_slots(country, live)?;
        let (of_live, recounted) = (Totals::of(live), Totals::of(&self.ledger));
        if of_live.by_candidate() != recounted.by_candidate()
            || of_live.standing_by_candidate() != recounted.standing_by_candidate()
        {
            return broken(Invariant::TotalsPure, "the live totals are not those of the published log");
        }
        self.check_statements(country, live, &of_live)
    }

    /// For each slot, what has to become of it, from the set of its records alone.
    fn check_slots(&self, country: &Country, live: &Ledger) -> Result<(), Violation> {
        for &slot in &country.slots {
            let (expected, figures) = self.standing(country, slot);
            let Some(view) = live.slot(slot.0, slot.1) else { continue };
            if view.status != expected {
                let what = format!("station {} contest {} is {:?}, not {expected:?}", slot.0, slot.1, view.status);
                return broken(Invariant::NeverPreferred, what);
            }
            if expected == SlotStatus::Counted && view.figures.map(|f| f.counts) != figures {
                return broken(Invariant::TotalsPure, format!("station {} contest {}: other figures", slot.0, slot.1));
            }
        }
        Ok(())
    }

    /// What becomes of a slot with the records that the log has of it, none of them rejected.
    fn standing<'c>(&self, country: &'c Country, slot: SlotNo) -> (SlotStatus, Option<&'c [u32]>) {
        let mut records = self.expected.records.get(&slot).into_iter().flatten();
        match (records.next(), records.next()) {
            (Some((digest, severity)), None) if *severity != Some(Severity::Quarantine) => {
                (SlotStatus::Counted, country.facts.get(digest).map(|fact| fact.counts.as_slice()))
            }
            (None, _) => (SlotStatus::Missing, None),
            _ => (SlotStatus::Quarantined, None),
        }
    }

    /// As counted: no statement changes it. As it stands: as counted, with the correction in force in place of each slot that has one.
    fn check_statements(&self, country: &Country, live: &Ledger, totals: &Totals) -> Result<(), Violation> {
        for contest in (1..=CONTESTS).map(ContestNo) {
            let (mut counted, mut stands) = ([0; LINES], [0; LINES]);
            let early = country.early.iter().filter_map(|digest| country.facts.get(digest)).map(|fact| fact.slot);
            let logged = early.filter(|slot| self.expected.records.contains_key(slot));
            for slot in country.slots.iter().copied().chain(logged).filter(|slot| slot.1 == contest) {
                let figures = self.standing(country, slot).1.unwrap_or_default();
                add(&mut counted, figures);
                match self.expected.corrections.get(&slot) {
                    None => add(&mut stands, figures),
                    Some((_, corrected)) => add(&mut stands, corrected.as_deref().unwrap_or_default()),
                }
            }
            if totals.contest(contest).is_none_or(|found| found.whole().lines != counted) {
                return broken(Invariant::AsItStands, format!("contest {contest}: other sums as counted"));
            }
            if totals.as_it_stands(contest).is_none_or(|found| found.whole().lines != stands) {
                return broken(Invariant::AsItStands, format!("contest {contest}: other sums as it stands"));
            }
        }
        for ((record, station), keys) in &self.expected.endorsers {
            if live.endorsers(*record, *station).map_or(0, BTreeSet::len) != keys.len() {
                return broken(Invariant::AsItStands, format!("{} has other endorsers", short(record)));
            }
        }
        Ok(())
    }
}

fn add(sums: &mut [u64; LINES], counts: &[u32]) {
    sums.iter_mut().zip(counts).for_each(|(sum, count)| *sum += u64::from(*count));
}
