//! A relay's side of the night: other people's sealed records, sent on until the centre's receipt for each has come.
//!
//! A relay has no key of anybody's: it can drop a record and nothing more. A datagram's tag is its station's, so a datagram
//! is passed on unchanged; a record without one goes by the ways that need none.

use std::collections::BTreeMap;

use ed25519_dalek::VerifyingKey;
use tallyproof_record::cose::{RecordDigest, SealedRecord};
use tallyproof_record::definition::DefinitionHash;
use tallyproof_record::receipt::{self, Receipt};
use tallyproof_record::{ContestNo, StationNo};

use crate::outbox::RefusedReceipt;
use crate::schedule::{RetryPolicy, Schedule};

/// What a way to the centre carries.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cargo {
    /// Datagrams, as their station tagged them.
    Datagram,
    /// Sealed records.
    Record,
}

/// What became of a record offered to [`Forwarder::take`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Taken {
    /// It is new, and on its way.
    New,
    /// It was here already.
    Known,
    /// Its station has as many different records here as one may: whoever stole its key must not fill the disk.
    Full,
}

/// Where a record stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Standing {
    /// Never seen here.
    Unknown,
    /// Held, and no promise about it yet.
    Held,
    /// The centre's receipt, verified.
    Receipted([u8; receipt::LEN]),
}

/// Something that is due on one way.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Forward {
    /// Which way, as a position in the ways given to [`Forwarder::new`].
    pub way: usize,
    /// Which record.
    pub digest: RecordDigest,
    /// A datagram or a sealed record, as the way's [`Cargo`] says.
    pub bytes: Vec<u8>,
}

#[derive(Clone, Debug)]
struct Held {
    station: StationNo,
    contest: ContestNo,
    state: State,
    /// The receipt is handed out over UDP not before this.
    reply_from: u64,
}

#[derive(Clone, Debug)]
enum State {
    Waiting {
        record: SealedRecord,
        /// The one that came last: an older one may have an attempt that the centre has seen.
        datagram: Option<Vec<u8>>,
    },
    /// The record itself is no longer needed here.
    Receipted([u8; receipt::LEN]),
}

/// Records of others on their way to the centre. Times are milliseconds of one clock.
#[derive(Clone, Debug)]
pub struct Forwarder {
    election: DefinitionHash,
    log_key: VerifyingKey,
    ways: Vec<Cargo>,
    per_station: u32,
    schedule: Schedule,
    held: BTreeMap<RecordDigest, Held>,
    by_station: BTreeMap<StationNo, u32>,
    waiting: usize,
}

impl Forwarder {
    /// An empty forwarder, for receipts of `log_key` in `election`. It holds at most `per_station` different records of a
    /// station; `seed` decides the jitter.
    pub fn new(
        election: DefinitionHash,
        log_key: VerifyingKey,
        ways: &[(Cargo, RetryPolicy)],
        per_station: u32,
        seed: u64,
    ) -> Self {
        let (ways, policies): (Vec<_>, Vec<_>) = ways.iter().copied().unzip();
        Self {
            election,
            log_key,
            ways,
            per_station,
            schedule: Schedule::new(policies, seed),
            held: BTreeMap::new(),
            by_station: BTreeMap::new(),
            waiting: 0,
        }
    }

    /// Takes a record whose signature the caller has checked against the register, with what it states.
    pub fn take(&mut self, now_ms: u64, station: StationNo, contest: ContestNo, record: SealedRecord) -> Taken {
        let digest = record.digest();
        if self.held.contains_key(&digest) {
            return Taken::Known;
        }
        let of_station = self.by_station.entry(station).or_default();
        if *of_station >= self.per_station {
            return Taken::Full;
        }
        *of_station = of_station.saturating_add(1);
        let state = State::Waiting { record, datagram: None };
        self.held.insert(digest, Held { station, contest, state, reply_from: 0 });
        self.waiting = self.waiting.saturating_add(1);
        self.schedule.add(now_ms, digest);
        self.for_datagram_ways(|schedule, way| {
            schedule.close(&digest, way);
        });
        Taken::New
    }

    /// Passes on a datagram that carries a record held here, as soon as [`RetryPolicy::FLOOR_MS`] allows; from now on it is
    /// the one that is sent again. False if the record does not wait.
    pub fn pass(&mut self, now_ms: u64, digest: RecordDigest, datagram: Vec<u8>) -> bool {
        let Some(Held { state: State::Waiting { datagram: newest, .. }, .. }) = self.held.get_mut(&digest) else {
            return false;
        };
        *newest = Some(datagram);
        self.for_datagram_ways(|schedule, way| schedule.hasten(now_ms, digest, way));
        true
    }

    /// Something that is due, if there is anything. Call again until there is nothing.
    pub fn poll(&mut self, now_ms: u64) -> Option<Forward> {
        loop {
            let (digest, way) = self.schedule.pop(now_ms)?;
            let Some(Held { state: State::Waiting { record, datagram }, .. }) = self.held.get(&digest) else {
                continue;
            };
            let bytes = match self.ways.get(way)? {
                Cargo::Record => Some(record.as_bytes()),
                Cargo::Datagram => datagram.as_deref(),
            };
            let Some(bytes) = bytes.map(<[u8]>::to_vec) else { continue };
            return Some(Forward { way, digest, bytes });
        }
    }

    /// When [`Forwarder::poll`] will next return something; `None` when nothing is to be sent any more.
    pub fn next_wake(&self) -> Option<u64> {
        self.schedule.next_wake()
    }

    /// Takes what should be a receipt. The signature is only checked of one that a record waits for.
    pub fn receive(&mut self, bytes: &[u8]) -> Result<Receipt, RefusedReceipt> {
        let claimed = Receipt::peek(bytes)?;
        let held = self.held.get_mut(&claimed.digest).ok_or(RefusedReceipt::NotWaiting)?;
        if matches!(held.state, State::Receipted(_)) {
            return Err(RefusedReceipt::NotWaiting);
        }
        if (claimed.station, claimed.contest) != (held.station, held.contest) {
            return Err(RefusedReceipt::OtherStation);
        }
        let receipt = Receipt::verify(bytes, &self.election, &self.log_key)?;
        held.state = State::Receipted(bytes.try_into().map_err(|_| receipt::ReceiptError::Malformed)?);
        self.waiting = self.waiting.saturating_sub(1);
        self.schedule.remove(&receipt.digest);
        Ok(receipt)
    }

    /// Sends the record by this way no more: the way refused it for good, or has taken it for good.
    pub fn close_way(&mut self, digest: &RecordDigest, way: usize) {
        self.schedule.close(digest, way);
    }

    /// Where a record stands.
    pub fn standing(&self, digest: &RecordDigest) -> Standing {
        match self.held.get(digest) {
            None => Standing::Unknown,
            Some(Held { state: State::Waiting { .. }, .. }) => Standing::Held,
            Some(Held { state: State::Receipted(receipt), .. }) => Standing::Receipted(*receipt),
        }
    }

    /// The receipt to answer a datagram with, at most one every [`RetryPolicy::FLOOR_MS`] for a record: a record that is
    /// public must not make a relay send to whoever a forged sender's address names.
    pub fn reply(&mut self, now_ms: u64, digest: &RecordDigest) -> Option<[u8; receipt::LEN]> {
        let held = self.held.get_mut(digest).filter(|held| held.reply_from <= now_ms)?;
        let State::Receipted(receipt) = held.state else { return None };
        held.reply_from = now_ms.saturating_add(RetryPolicy::FLOOR_MS);
        Some(receipt)
    }

    /// Whether there is a way that needs datagrams.
    pub fn carries_datagrams(&self) -> bool {
        self.ways.contains(&Cargo::Datagram)
    }

    /// Records that wait for their receipt.
    pub fn waiting(&self) -> usize {
        self.waiting
    }

    /// Records whose receipt has come.
    pub fn receipted(&self) -> usize {
        self.held.len().saturating_sub(self.waiting)
    }

    fn for_datagram_ways(&mut self, mut act: impl FnMut(&mut Schedule, usize)) {
        for (way, _) in self.ways.iter().enumerate().filter(|(_, cargo)| **cargo == Cargo::Datagram) {
            act(&mut self.schedule, way);
        }
    }
}
