//! The outbox: every record in it is sent again and again, by every path to the centre side by side, until the centre's
//! signed receipt for it has come by any of them.
//!
//! Loss costs time only, and a dead path costs the others nothing: each record has a back-off of its own on each path. No
//! transport's word takes a record out of the outbox but a receipt that verifies; only its owner may
//! [withdraw](Outbox::withdraw) it. Every transmission has a higher attempt number than the one before, whichever path it
//! takes, so that a recorded datagram is worthless to whoever replays it.

use std::collections::BTreeMap;

use ed25519_dalek::VerifyingKey;
use tallyproof_record::cose::RecordDigest;
use tallyproof_record::definition::DefinitionHash;
use tallyproof_record::frame::{self, MacKey};
use tallyproof_record::receipt::{Receipt, ReceiptError};
use tallyproof_record::{SealedRecord, StationNo};
use thiserror::Error;

use crate::schedule::{RetryPolicy, Schedule};

/// Who sends, and whose receipts count.
#[derive(Clone, Debug)]
pub struct StationIdentity {
    /// The station's number in the register.
    pub station: StationNo,
    /// Generation of the MAC key.
    pub epoch: u32,
    /// Buys the station's datagrams a signature check.
    pub mac: MacKey,
    /// The election that receipts have to be for.
    pub election: DefinitionHash,
    /// The key that receipts have to be signed with.
    pub log_key: VerifyingKey,
}

/// A datagram that is due on one path. The record is its body, for paths that carry no datagrams.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Transmission {
    /// Which path, as a position in the policies given to [`Outbox::new`].
    pub path: usize,
    /// Which record.
    pub digest: RecordDigest,
    /// What to send.
    pub datagram: Vec<u8>,
}

/// The receipt that a record was waiting for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Receipted {
    /// What the centre promises, for which record.
    pub receipt: Receipt,
    /// The path by which the receipt came.
    pub path: usize,
    /// Transmissions that it took, over all paths.
    pub tries: u32,
    /// Milliseconds from the first transmission to the receipt.
    pub waited_ms: u64,
}

/// Why bytes are not a receipt that this outbox waits for. None of them changes anything.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum RefusedReceipt {
    /// For another station.
    #[error("the receipt is for another station")]
    OtherStation,
    /// For a record that is not waiting: a repeated receipt, or someone else's.
    #[error("no record waits for this receipt")]
    NotWaiting,
    /// Not a receipt, or not the centre's.
    #[error(transparent)]
    Receipt(#[from] ReceiptError),
}

#[derive(Clone, Debug)]
struct Waiting {
    record: SealedRecord,
    first_sent: Option<u64>,
}

/// Sealed records on their way to the centre. Times are milliseconds since 1970-01-01T00:00:00Z by the station's clock.
///
/// Drive it so: at [`Outbox::next_wake`], call [`Outbox::poll`] and send what it returns until it returns nothing; give
/// what arrives to [`Outbox::receive`].
#[derive(Clone, Debug)]
pub struct Outbox {
    identity: StationIdentity,
    last_attempt: u32,
    waiting: BTreeMap<RecordDigest, Waiting>,
    /// The turns of the same records.
    schedule: Schedule,
}

impl Outbox {
    /// An empty outbox with one path for each policy; without a path it sends nothing. `seed` decides the jitter: give
    /// every station another.
    pub fn new(identity: StationIdentity, policies: Vec<RetryPolicy>, seed: u64) -> Self {
        Self { identity, last_attempt: 0, waiting: BTreeMap::new(), schedule: Schedule::new(policies, seed) }
    }

    /// Continues after a restart: attempts go on above `last_attempt`, even if the clock was set back.
    #[must_use]
    pub fn resume_after(mut self, last_attempt: u32) -> Self {
        self.last_attempt = self.last_attempt.max(last_attempt);
        self
    }

    /// The highest attempt number used. Make it durable before what [`Outbox::poll`] returned is sent.
    pub fn last_attempt(&self) -> u32 {
        self.last_attempt
    }

    /// Takes a record, to be sent on every path as its policy says. A record that is waiting already is left as it is.
    pub fn enqueue(&mut self, now_ms: u64, record: SealedRecord) {
        let digest = record.digest();
        self.waiting.entry(digest).or_insert(Waiting { record, first_sent: None });
        self.schedule.add(now_ms, digest);
    }

    /// A transmission that is due, if there is one. Call again until there is none.
    pub fn poll(&mut self, now_ms: u64) -> Option<Transmission> {
        let (digest, path) = self.schedule.pop(now_ms)?;
        let attempt = self.next_attempt(now_ms);
        let waiting = self.waiting.get_mut(&digest)?;
        waiting.first_sent.get_or_insert(now_ms);
        let StationIdentity { station, epoch, mac, .. } = &self.identity;
        let datagram = frame::encode(*station, *epoch, attempt, waiting.record.as_bytes(), mac);
        Some(Transmission { path, digest, datagram })
    }

    /// When [`Outbox::poll`] will next return something; `None` when nothing is to be sent any more.
    pub fn next_wake(&self) -> Option<u64> {
        self.schedule.next_wake()
    }

    /// Takes what arrived by `path`. The signature is only checked of a receipt that a waiting record could be released by.
    pub fn receive(&mut self, now_ms: u64, path: usize, bytes: &[u8]) -> Result<Receipted, RefusedReceipt> {
        let claimed = Receipt::peek(bytes)?;
        if claimed.station != self.identity.station {
            return Err(RefusedReceipt::OtherStation);
        }
        if !self.waiting.contains_key(&claimed.digest) {
            return Err(RefusedReceipt::NotWaiting);
        }
        let receipt = Receipt::verify(bytes, &self.identity.election, &self.identity.log_key)?;
        let released = self.waiting.remove(&receipt.digest).ok_or(RefusedReceipt::NotWaiting)?;
        let tries = self.schedule.remove(&receipt.digest);
        let waited_ms = now_ms.saturating_sub(released.first_sent.unwrap_or(now_ms));
        Ok(Receipted { receipt, path, tries, waited_ms })
    }

    /// Gives a record up without a receipt, as when every way to the centre refused it for good; false if it does not wait.
    pub fn withdraw(&mut self, digest: &RecordDigest) -> bool {
        self.schedule.remove(digest);
        self.waiting.remove(digest).is_some()
    }

    /// Sends the record by `path` no more: the path refused it for good, or has taken it for good. It still waits for its
    /// receipt. Returns how many paths stay open to it.
    pub fn close_path(&mut self, digest: &RecordDigest, path: usize) -> usize {
        self.schedule.close(digest, path)
    }

    /// Number of records that still wait for their receipt.
    pub fn pending(&self) -> usize {
        self.waiting.len()
    }

    /// The clock's tick, or one more than the last attempt where the clock has not moved on or was set back.
    fn next_attempt(&mut self, now_ms: u64) -> u32 {
        self.last_attempt = frame::attempt_at(now_ms).max(self.last_attempt.saturating_add(1));
        self.last_attempt
    }
}
