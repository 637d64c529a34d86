//! From authentic records to durable ones, and on to batches of the log.
//!
//! There is one way to a receipt, and it leads through [`Writer::commit`]: nobody else makes a [`Durable`]. There is one way to the
//! log, and it leads through [`Writer::cut`]: a batch is handed on only when its end is durable.

use ed25519_dalek::SigningKey;
use tallyproof_record::{
    StationNo,
    cose::RecordDigest,
    definition::{ContestNo, DefinitionHash},
    receipt::Receipt,
};

use crate::{
    intake::{Authentic, Intake, Together},
    journal::{Cut, Journal, Row},
    known::ReceiptBytes,
};

/// A record that the journal holds, and who waits for its receipt.
#[derive(Debug)]
pub struct Durable<W> {
    receipt: Receipt,
    waiter: W,
}

impl<W> Durable<W> {
    /// Whose record.
    pub fn station(&self) -> StationNo {
        self.receipt.station
    }

    /// In which contest.
    pub fn contest(&self) -> ContestNo {
        self.receipt.contest
    }

    /// Which record.
    pub fn digest(&self) -> &RecordDigest {
        &self.receipt.digest
    }

    /// Signs the receipt.
    pub fn sign(&self, election: &DefinitionHash, key: &SigningKey) -> ReceiptBytes {
        self.receipt.sign(election, key)
    }

    /// Who waits.
    pub fn into_waiter(self) -> W {
        self.waiter
    }
}

/// Records that the journal did not take: no receipt for them, ever. Whoever sends one again sends a new record.
#[derive(Debug)]
pub struct NotDurable<W, E> {
    /// Why.
    pub error: E,
    /// Which records, and who waited for them.
    pub records: Vec<(RecordDigest, W)>,
}

/// What came of a group.
#[derive(Debug)]
pub struct Commit<W, E> {
    /// Statements whose every signature another copy brings: nothing was written for them. Two workers may have admitted them side
    /// by side; here, where the journal's order is made, it shows which came first.
    pub repeated: Vec<(RecordDigest, W)>,
    /// What is durable, or why nothing is.
    pub written: Result<Vec<Durable<W>>, NotDurable<W, E>>,
}

/// Records on their way through the journal. `W` is whatever wants to be told.
#[derive(Debug)]
pub struct Writer<W> {
    /// To be made durable together.
    group: Vec<(Authentic, W)>,
    /// Durable, and in no batch yet.
    uncut: Vec<Authentic>,
}

impl<W> Writer<W> {
    /// Goes on after a restart, with the durable records that no cut covers.
    pub fn resume(uncut: Vec<Authentic>) -> Self {
        Self { group: Vec::new(), uncut }
    }

    /// Takes a record into the next group.
    pub fn take(&mut self, record: Authentic, waiter: W) {
        self.group.push((record, waiter));
    }

    /// Records that wait for the next [`Writer::commit`].
    pub fn waiting(&self) -> usize {
        self.group.len()
    }

    /// Whether a cut would end a batch.
    pub fn has_uncut(&self) -> bool {
        !self.uncut.is_empty()
    }

    /// Makes the group durable: all of it, or none.
    pub fn commit<J: Journal>(&mut self, intake: &Intake, journal: &mut J) -> Commit<W, J::Error> {
        let mut together = Together::default();
        let group = std::mem::take(&mut self.group).into_iter();
        let (group, repeated): (Vec<_>, Vec<_>) = group.partition(|(record, _)| together.take(intake, record));
        Commit { repeated: group_of(repeated), written: self.write(group, intake, journal) }
    }

    fn write<J: Journal>(
        &mut self,
        group: Vec<(Authentic, W)>,
        intake: &Intake,
        journal: &mut J,
    ) -> Result<Vec<Durable<W>>, NotDurable<W, J::Error>> {
        if group.is_empty() {
            return Ok(Vec::new());
        }
        let rows: Vec<_> =
            group.iter().map(|(record, _)| Row { digest: record.digest(), record: record.bytes() }).collect();
        if let Err(error) = journal.append(&rows) {
            return Err(NotDurable { error, records: group_of(group) });
        }
        let settle = |(record, waiter): (Authentic, W)| {
            // Before anybody hears of a statement: a record that relies on it comes after it in the journal.
            intake.note(&record);
            let receipt = record.receipt();
            self.uncut.push(record);
            Durable { receipt, waiter }
        };
        Ok(group.into_iter().map(settle).collect())
    }

    /// Ends the batch; nothing where there is none to end. After an error it stays open.
    pub fn cut<J: Journal>(&mut self, journal: &mut J) -> Result<Option<(Cut, Vec<Authentic>)>, J::Error> {
        if self.uncut.is_empty() {
            return Ok(None);
        }
        let cut = Cut::after(journal.last());
        journal.mark(cut)?;
        Ok(Some((cut, std::mem::take(&mut self.uncut))))
    }
}

fn group_of<W>(group: Vec<(Authentic, W)>) -> Vec<(RecordDigest, W)> {
    group.into_iter().map(|(record, waiter)| (*record.digest(), waiter)).collect()
}

#[cfg(test)]
mod tests {
    use std::{convert::Infallible, sync::Arc};

    use proptest::prelude::*;
    use thiserror::Error;

    use super::*;
    use crate::{journal::Step, testing};

    #[derive(Debug, Error)]
    #[error("the sync failed")]
    struct SyncFailed;

    /// A journal whose writes arrive and whose syncs fail, when it is told so.
    #[derive(Default)]
    struct Shaky {
        sync_fails: bool,
        synced: Vec<RecordDigest>,
        cuts: Vec<Cut>,
    }

    impl Journal for Shaky {
        type Error = SyncFailed;

        fn append(&mut self, rows: &[Row<'_>]) -> Result<u64, SyncFailed> {
            if self.sync_fails {
                return Err(SyncFailed);
            }
            self.synced.extend(rows.iter().map(|row| *row.digest));
            Ok(self.last())
        }

        fn mark(&mut self, cut: Cut) -> Result<(), SyncFailed> {
            if self.sync_fails {
                return Err(SyncFailed);
            }
            self.cuts.push(cut);
            Ok(())
        }

        fn replay<E: From<SyncFailed>>(&mut self, _: impl FnMut(Step<'_>) -> Result<(), E>) -> Result<(), E> {
            Ok(())
        }

        fn last(&self) -> u64 {
            self.synced.len() as u64
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(16))]
        #[test]
        fn a_failed_sync_is_never_followed_by_a_receipt_of_its_group(
            groups in proptest::collection::vec((1..4_u32, any::<bool>(), any::<bool>()), 1..8),
        ) {
            let definition = testing::election(40);
            let intake = Intake::new(Arc::clone(&definition));
            let mut writer = Writer::<Option<Infallible>>::resume(Vec::new());
            let (mut journal, mut station, mut batched) = (Shaky::default(), 0, 0);
            for (records, append_fails, cut_fails) in groups {
                for _ in 0..records {
                    station += 1;
                    let record = testing::record(&definition, station, 10).into_bytes();
                    writer.take(intake.admit(record).unwrap(), None);
                }
                journal.sync_fails = append_fails;
                let before = journal.last();
                match writer.commit(&intake, &mut journal).written {
                    Ok(durable) => {
                        prop_assert!(!append_fails);
                        prop_assert!(durable.iter().all(|one| journal.synced.contains(one.digest())));
                    }
                    Err(refused) => {
                        prop_assert!(append_fails && refused.records.len() == records as usize);
                        prop_assert_eq!(journal.last(), before);
                    }
                }
                prop_assert_eq!(writer.waiting(), 0, "nothing of a failed group is tried again behind its senders' backs");
                journal.sync_fails = cut_fails;
                let uncut = writer.has_uncut();
                match writer.cut(&mut journal) {
                    Ok(Some((cut, batch))) => {
                        batched += batch.len() as u64;
                        prop_assert_eq!((cut, batched), (Cut::after(journal.last()), journal.last()));
                    }
                    Ok(None) => prop_assert!(!uncut),
                    Err(SyncFailed) => prop_assert!(cut_fails && writer.has_uncut(), "the batch stays open"),
                }
            }
        }
    }
}
