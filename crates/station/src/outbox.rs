//! The outbox: every record in it is sent again and again, by every path to the centre side by side, until the centre's
//! signed receipt for it has come by any of them.
//!
//! Loss costs time only, and a dead path costs the others nothing: each record has a back-off of its own on each path. No
//! transport's word takes a record out of the outbox but a receipt that verifies; only its owner may
//! [withdraw](Outbox::withdraw) it. Every transmission has a higher attempt number than the one before, whichever path it
//! takes, so that a recorded datagram is worthless to whoever replays it.

use std::collections::{BTreeMap, BTreeSet};

use ed25519_dalek::VerifyingKey;
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{Rng, SeedableRng};
use tallyproof_record::cose::RecordDigest;
use tallyproof_record::definition::DefinitionHash;
use tallyproof_record::frame::{self, MacKey};
use tallyproof_record::receipt::{Receipt, ReceiptError};
use tallyproof_record::{SealedRecord, StationNo};
use thiserror::Error;

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

/// How long to wait for a receipt before sending again: doubling from `first` to `cap`, plus up to half of it at random,
/// so that stations that lost the same second do not come back in the same second.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RetryPolicy {
    first: u64,
    cap: u64,
}

impl RetryPolicy {
    /// Shortest wait: a centre under load answers within a second, and answering retries only adds to its load.
    pub const FLOOR_MS: u64 = 200;

    /// Waits `first_ms` after the first transmission and never much longer than `cap_ms`; both are raised to
    /// [`RetryPolicy::FLOOR_MS`].
    pub fn new(first_ms: u64, cap_ms: u64) -> Self {
        let first = first_ms.max(Self::FLOOR_MS);
        Self { first, cap: cap_ms.max(first) }
    }

    /// The wait after the `tries`-th transmission; `luck` is any number.
    fn wait(self, tries: u32, luck: u64) -> u64 {
        let doublings = tries.saturating_sub(1).min(32);
        let base = self.first.saturating_mul(1 << doublings).min(self.cap);
        base.saturating_add(luck % (base / 2).saturating_add(1))
    }
}

impl Default for RetryPolicy {
    /// From half a second to twenty.
    fn default() -> Self {
        Self::new(500, 20_000)
    }
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
    /// One for each path.
    turns: Vec<Turn>,
}

/// A record's place on one path.
#[derive(Clone, Copy, Debug)]
struct Turn {
    /// When it is to be sent next; never where the path is closed to it.
    due: Option<u64>,
    tries: u32,
}

/// Sealed records on their way to the centre. Times are milliseconds since 1970-01-01T00:00:00Z by the station's clock.
///
/// Drive it so: at [`Outbox::next_wake`], call [`Outbox::poll`] and send what it returns until it returns nothing; give
/// what arrives to [`Outbox::receive`].
#[derive(Clone, Debug)]
pub struct Outbox {
    identity: StationIdentity,
    /// One for each path.
    policies: Vec<RetryPolicy>,
    seed: u64,
    last_attempt: u32,
    waiting: BTreeMap<RecordDigest, Waiting>,
    /// Every turn of the same records by the time when it is due: time, record, path.
    agenda: BTreeSet<(u64, RecordDigest, usize)>,
}

impl Outbox {
    /// An empty outbox with one path for each policy; without a path it sends nothing. `seed` decides the jitter: give
    /// every station another.
    pub fn new(identity: StationIdentity, policies: Vec<RetryPolicy>, seed: u64) -> Self {
        Self { identity, policies, seed, last_attempt: 0, waiting: BTreeMap::new(), agenda: BTreeSet::new() }
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

    /// Takes a record, to be sent at once on every path. A record that is waiting already is left as it is.
    pub fn enqueue(&mut self, now_ms: u64, record: SealedRecord) {
        let digest = record.digest();
        self.waiting.entry(digest).or_insert_with(|| {
            let turns = vec![Turn { due: Some(now_ms), tries: 0 }; self.policies.len()];
            self.agenda.extend((0..turns.len()).map(|path| (now_ms, digest, path)));
            Waiting { record, first_sent: None, turns }
        });
    }

    /// A transmission that is due, if there is one. Call again until there is none.
    pub fn poll(&mut self, now_ms: u64) -> Option<Transmission> {
        self.agenda.first().filter(|(due, ..)| *due <= now_ms)?;
        let (_, digest, path) = self.agenda.pop_first()?;
        let attempt = self.next_attempt(now_ms);
        let luck = self.luck();
        let policy = self.policies.get(path)?;
        let waiting = self.waiting.get_mut(&digest)?;
        let turn = waiting.turns.get_mut(path)?;
        turn.tries = turn.tries.saturating_add(1);
        let due = now_ms.saturating_add(policy.wait(turn.tries, luck));
        turn.due = Some(due);
        self.agenda.insert((due, digest, path));
        waiting.first_sent.get_or_insert(now_ms);
        let StationIdentity { station, epoch, mac, .. } = &self.identity;
        let datagram = frame::encode(*station, *epoch, attempt, waiting.record.as_bytes(), mac);
        Some(Transmission { path, digest, datagram })
    }

    /// When [`Outbox::poll`] will next return something; `None` when nothing is to be sent any more.
    pub fn next_wake(&self) -> Option<u64> {
        self.agenda.first().map(|&(due, ..)| due)
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
        let released = self.remove(&receipt.digest).ok_or(RefusedReceipt::NotWaiting)?;
        let tries = released.turns.iter().fold(0_u32, |tries, turn| tries.saturating_add(turn.tries));
        let waited_ms = now_ms.saturating_sub(released.first_sent.unwrap_or(now_ms));
        Ok(Receipted { receipt, path, tries, waited_ms })
    }

    /// Gives a record up without a receipt, as when every way to the centre refused it for good; false if it does not wait.
    pub fn withdraw(&mut self, digest: &RecordDigest) -> bool {
        self.remove(digest).is_some()
    }

    /// Sends the record by `path` no more: the path refused it for good, or has taken it for good. It still waits for its
    /// receipt. Returns how many paths stay open to it.
    pub fn close_path(&mut self, digest: &RecordDigest, path: usize) -> usize {
        let Some(waiting) = self.waiting.get_mut(digest) else { return 0 };
        if let Some(due) = waiting.turns.get_mut(path).and_then(|turn| turn.due.take()) {
            self.agenda.remove(&(due, *digest, path));
        }
        waiting.turns.iter().filter(|turn| turn.due.is_some()).count()
    }

    /// Number of records that still wait for their receipt.
    pub fn pending(&self) -> usize {
        self.waiting.len()
    }

    fn remove(&mut self, digest: &RecordDigest) -> Option<Waiting> {
        let removed = self.waiting.remove(digest)?;
        for (path, turn) in removed.turns.iter().enumerate() {
            if let Some(due) = turn.due {
                self.agenda.remove(&(due, *digest, path));
            }
        }
        Some(removed)
    }

    /// The clock's tick, or one more than the last attempt where the clock has not moved on or was set back.
    fn next_attempt(&mut self, now_ms: u64) -> u32 {
        self.last_attempt = frame::attempt_at(now_ms).max(self.last_attempt.saturating_add(1));
        self.last_attempt
    }

    /// Drawn anew from the seed and the attempt, so that an outbox keeps no generator's state.
    fn luck(&self) -> u64 {
        let mut random = ChaCha8Rng::seed_from_u64(self.seed);
        random.set_stream(u64::from(self.last_attempt));
        random.next_u64()
    }
}
