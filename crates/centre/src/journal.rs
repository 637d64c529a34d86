//! What the centre must not lose, and the order in which it must not lose it.
//!
//! A journal is a sequence of records, sealed records and signed statements alike (their first bytes tell which), numbered from 1
//! without gaps, and of *cuts*: after which record a batch of the log ended.
//! A record is in it before its receipt is signed; a cut is in it before the checkpoint of its batch is signed. So a restart
//! replays to exactly the tree that was published, and every receipted record is in it or in the batch to come.
//!
//! An engine that keeps an ordered, replicated stream (JetStream, say) fits the same four calls: a cut is then a message among
//! the records.

use std::error::Error;

use tallyproof_record::cose::RecordDigest;

/// A record as the journal keeps it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Row<'a> {
    /// SHA-256 of `record`. Kept beside it so that a flipped bit is found when the journal is read.
    pub digest: &'a RecordDigest,
    /// The sealed record's bytes.
    pub record: &'a [u8],
}

/// The end of a batch of the log.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Cut {
    /// Number of the batch's last record.
    pub seq_end: u64,
    /// Entries in the log after the batch. Entry 0 is the definition, and every record is one entry.
    pub tree_size: u64,
}

impl Cut {
    /// The cut after record `seq_end`.
    pub fn after(seq_end: u64) -> Self {
        Self { seq_end, tree_size: seq_end.saturating_add(1) }
    }

    /// Whether the two figures agree: a check against damage.
    pub fn holds(&self) -> bool {
        self.seq_end.checked_add(1) == Some(self.tree_size)
    }
}

/// One step of a replay.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step<'a> {
    /// The next record.
    Record(Row<'a>),
    /// The batch ended after the record before.
    Cut(Cut),
}

/// Where the centre keeps records.
pub trait Journal {
    /// Why the engine failed.
    type Error: Error + Send + Sync + 'static;

    /// Appends records, all or none, durable on return; returns the number of the last.
    ///
    /// After an error none of them counts as durable, and no receipt may be signed for them.
    fn append(&mut self, rows: &[Row<'_>]) -> Result<u64, Self::Error>;

    /// Notes the end of a batch, durable on return.
    fn mark(&mut self, cut: Cut) -> Result<(), Self::Error>;

    /// Reads everything back in order, checking every row; stops at the first error, the engine's or the visitor's.
    fn replay<E: From<Self::Error>>(&mut self, visit: impl FnMut(Step<'_>) -> Result<(), E>) -> Result<(), E>;

    /// Number of the last record; 0 in an empty journal.
    fn last(&self) -> u64;
}
