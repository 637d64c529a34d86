//! Whether a ledger agrees with itself: what it keeps as it goes along, counted once more from what it keeps it of.

use tallyproof_record::ContestNo;
use thiserror::Error;

use super::{Fate, Ledger, SlotStatus, Summary};
use crate::totals::Totals;

/// A ledger that does not agree with itself: a fault of the program, or of the memory that it runs in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum Inconsistent {
    /// Slots by status are others than the summary says.
    #[error("the count's summary is {kept:?}, its slots give {found:?}")]
    Summary {
        /// What is kept.
        kept: Summary,
        /// What is found.
        found: Summary,
    },
    /// The sums over records are not those over slots.
    #[error("in contest {0} the sums over the records counted are not those over the stations counted")]
    Sums(ContestNo),
    /// A record lies beyond the entries counted, or counted records share a slot.
    #[error("record {0} of the count has no place there")]
    Record(usize),
}

impl Ledger {
    /// Counts once more: the time of one pass over slots and records.
    pub fn check(&self) -> Result<(), Inconsistent> {
        self.check_summary()?;
        self.check_records()?;
        self.check_sums()
    }

    fn check_summary(&self) -> Result<(), Inconsistent> {
        let mut found = Summary { expected: 0, counted: 0, quarantined: 0, missing: 0, ..self.summary };
        for slot in self.slots() {
            found.expected += 1;
            *match slot.status {
                SlotStatus::Counted => &mut found.counted,
                SlotStatus::Quarantined => &mut found.quarantined,
                SlotStatus::Missing => &mut found.missing,
            } += 1;
        }
        found.rejected = self.rejections.len() as u64;
        if found == self.summary { Ok(()) } else { Err(Inconsistent::Summary { kept: self.summary, found }) }
    }

    fn check_records(&self) -> Result<(), Inconsistent> {
        let mut counted = vec![false; self.slots.len()];
        let misplaced = self.records.iter().position(|record| {
            let twice = record.fate == Fate::Counted
                && counted.get_mut(record.slot).is_none_or(|counted| std::mem::replace(counted, true));
            twice || record.entry >= self.entries
        });
        misplaced.map_or(Ok(()), |at| Err(Inconsistent::Record(at)))
    }

    fn check_sums(&self) -> Result<(), Inconsistent> {
        let totals = Totals::of(self);
        for part in self.roster.parts() {
            let mut lines = vec![0_u64; part.lines];
            for slot in part.slots.clone().map(|slot| self.view(slot, part.contest)) {
                let counts = slot.figures.filter(|_| slot.status == SlotStatus::Counted).map(|figures| figures.counts);
                lines.iter_mut().zip(counts.unwrap_or_default()).for_each(|(sum, count)| *sum += u64::from(*count));
            }
            if totals.contest(part.contest).is_none_or(|found| found.whole().lines != lines) {
                return Err(Inconsistent::Sums(part.contest));
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use tallyproof_record::definition::package::{self, Files};
    use tallyproof_record::{Phase, StationNo, Tally};

    use super::*;
    use crate::{Judged, JudgedRecord, SignedBy};

    /// Two stations, of which the first is counted.
    fn ledger() -> Ledger {
        let toml = "format = 1\nid = \"t\"\nname = \"T\"\ndate = \"2026-07-01\"\nphase = \"drill\"\n\n\
                    [[contest]]\nid = \"office\"\nname = \"Office\"\narea = \"all\"\n";
        let files = [
            ("election.toml", toml),
            ("areas.csv", "id,parent,name,kind\nall,,All,country\n"),
            ("stations.csv", "id,area,registered\ns1,all,1000\ns2,all,1000\n"),
            ("ballot.csv", "contest,line\noffice,a\noffice,b\n"),
        ];
        let files: Files = files.map(|(name, text)| (name.to_owned(), text.as_bytes().to_vec())).into();
        let definition = Arc::new(package::parse(&files).unwrap().commit());
        let tally = Tally::new(*definition.hash(), Phase::Drill, StationNo(1), ContestNo(1), 0, vec![3, 4]);
        let record = JudgedRecord { digest: [1; 32], tally, findings: Vec::new(), signer: SignedBy::Register };
        let mut ledger = Ledger::new(definition);
        ledger.apply(0, &Judged::Definition { matches: true });
        ledger.apply(1, &Judged::Record(record));
        ledger
    }

    #[test]
    fn what_does_not_agree_is_named() {
        assert_eq!(ledger().check(), Ok(()));
        let mut wrong = ledger();
        wrong.summary.counted += 1;
        assert!(matches!(wrong.check(), Err(Inconsistent::Summary { .. })));
        let mut wrong = ledger();
        wrong.entries = 1;
        assert_eq!(wrong.check(), Err(Inconsistent::Record(0)));
        let mut wrong = ledger();
        let again = wrong.records[0].clone();
        wrong.records.push(again);
        assert_eq!(wrong.check(), Err(Inconsistent::Record(1)), "counted twice");
        let mut wrong = ledger();
        wrong.slots[1] = wrong.slots[0];
        wrong.summary = Summary { counted: 2, missing: 0, ..wrong.summary };
        assert_eq!(wrong.check(), Err(Inconsistent::Sums(ContestNo(1))), "two slots, one record");
    }
}
