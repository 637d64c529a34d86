//! What fits together in a running centre, whatever has happened. The simulated country asks after every step; a debug build of the
//! program asks when it has started and after each batch.

use tallyproof_count::{Ledger, ledger::Inconsistent};
use tallyproof_log::checkpoint::Checkpoint;
use tallyproof_record::cose::RecordDigest;
use thiserror::Error;

use crate::sequencer::Sequencer;

/// What does not fit. Each is a fault of the program, or of the memory that it runs in.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum Broken {
    /// The count is not that of the log.
    #[error("the count has {counted} entries and the log {logged}")]
    Count {
        /// Entries counted.
        counted: u64,
        /// Entries in the log.
        logged: u64,
    },
    /// The count does not agree with itself.
    #[error(transparent)]
    Ledger(#[from] Inconsistent),
    /// The log has more entries than the journal has records, beside the definition.
    #[error("the log has {logged} entries, and the journal {journalled} records")]
    Ahead {
        /// Entries in the log.
        logged: u64,
        /// Records in the journal.
        journalled: u64,
    },
    /// The log does not lead to what was signed last.
    #[error("the log does not lead to the checkpoint of {0} entries that was signed last")]
    Promise(u64),
    /// A durable record is neither in the log nor waiting for the next batch.
    #[error("of {journalled} records, {logged} are in the log and {uncut} wait for the next batch")]
    Astray {
        /// Records in the journal.
        journalled: u64,
        /// Of these, in the log.
        logged: u64,
        /// Of these, in no batch.
        uncut: u64,
    },
    /// A durable record would be taken for a new one.
    #[error("record {0} of the journal is not known")]
    Unknown(u64),
}

/// A centre between two batches.
#[derive(Clone, Copy, Debug)]
pub struct State<'a> {
    /// The log.
    pub sequencer: &'a Sequencer,
    /// The live count.
    pub ledger: &'a Ledger,
    /// What was signed last, if that is known.
    pub signed: Option<&'a Checkpoint>,
    /// Records in the journal, or as far as is known.
    pub journalled: u64,
}

/// Checks what holds after every batch: the time of one pass over the stations.
pub fn check(state: &State<'_>) -> Result<(), Broken> {
    let (tree, journalled) = (state.sequencer.tree(), state.journalled);
    let (counted, logged) = (state.ledger.entries(), tree.size());
    if counted != logged {
        return Err(Broken::Count { counted, logged });
    }
    if logged > journalled.saturating_add(1) {
        return Err(Broken::Ahead { logged, journalled });
    }
    if let Some(signed) = state.signed
        && tree.root_at(signed.size) != Some(signed.root)
    {
        return Err(Broken::Promise(signed.size));
    }
    Ok(state.ledger.check()?)
}

/// Checks what holds of a centre that has started and taken nothing yet, with so many records that no batch has.
pub fn check_start(state: &State<'_>, uncut: u64) -> Result<(), Broken> {
    check(state)?;
    let (journalled, logged) = (state.journalled, state.sequencer.tree().size().saturating_sub(1));
    if logged.checked_add(uncut) == Some(journalled) {
        Ok(())
    } else {
        Err(Broken::Astray { journalled, logged, uncut })
    }
}

/// Checks that whoever asks knows these durable records.
pub fn check_known(durable: &[RecordDigest], holds: impl Fn(&RecordDigest) -> bool) -> Result<(), Broken> {
    let unknown = durable.iter().position(|digest| !holds(digest));
    unknown.map_or(Ok(()), |at| Err(Broken::Unknown(at as u64 + 1)))
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use tallyproof_count::Judged;

    use super::*;
    use crate::{Intake, journal::Cut, testing};

    fn state<'a>(sequencer: &'a Sequencer, ledger: &'a Ledger, signed: Option<&'a Checkpoint>) -> State<'a> {
        State { sequencer, ledger, signed, journalled: 2 }
    }

    #[test]
    fn what_does_not_fit_is_named() {
        let definition = testing::election(2);
        let intake = Intake::new(Arc::clone(&definition));
        let admit = |station| intake.admit(testing::record(&definition, station, 10).into_bytes()).unwrap();
        let mut batch = [admit(1), admit(2)];
        let (mut sequencer, _) = Sequencer::begin(&definition).unwrap();
        let mut ledger = Ledger::new(Arc::clone(&definition));
        ledger.apply(0, &Judged::Definition { matches: true });
        assert_eq!(check_start(&state(&sequencer, &ledger, None), 2), Ok(()));
        let astray = Broken::Astray { journalled: 2, logged: 0, uncut: 1 };
        assert_eq!(check_start(&state(&sequencer, &ledger, None), 1), Err(astray));

        sequencer.cut(Cut::after(2), &mut batch).unwrap();
        let behind = Broken::Count { counted: 1, logged: 3 };
        assert_eq!(check(&state(&sequencer, &ledger, None)), Err(behind));
        for (index, record) in (1..).zip(&batch) {
            ledger.apply(index, record.judged());
        }
        let (tree, origin) = (sequencer.tree(), "log.example".parse().unwrap());
        let mut signed = Checkpoint { origin, size: tree.size(), root: tree.root() };
        assert_eq!(check(&state(&sequencer, &ledger, Some(&signed))), Ok(()));
        let ahead = State { journalled: 1, ..state(&sequencer, &ledger, None) };
        assert_eq!(check(&ahead), Err(Broken::Ahead { logged: 3, journalled: 1 }));
        signed.size = 2;
        assert_eq!(check(&state(&sequencer, &ledger, Some(&signed))), Err(Broken::Promise(2)));

        let durable = batch.map(|record| *record.digest());
        assert_eq!(check_known(&durable, |_| true), Ok(()));
        assert_eq!(check_known(&durable, |digest| *digest == durable[0]), Err(Broken::Unknown(2)));
    }
}
