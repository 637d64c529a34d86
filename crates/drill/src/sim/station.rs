//! A simulated polling station: the real outbox, a queue on a disk, and an officer who tries again after a power loss.
//!
//! The order of its steps is that of `tallyproof station`: seal, store, send; attempt on the disk before a datagram leaves; receipt
//! on the disk before the record counts as delivered.

use std::collections::{BTreeMap, BTreeSet};

use tallyproof_record::SealedRecord;
use tallyproof_record::StationNo;
use tallyproof_record::cose::RecordDigest;
use tallyproof_record::frame::HEADER_LEN;
use tallyproof_station::{Outbox, RetryPolicy};

use super::bug::Bug;
use super::country::{Country, SlotNo, Variant};
use super::mark::{Mark, Marks};
use super::post::{Message, Node, Parcel};
use super::power::{PowerLoss, power};

/// The paths of a station.
pub(super) const DIRECT: usize = 0;
pub(super) const BY_RELAY: usize = 1;
pub(super) const BY_POST: usize = 2;

const MILLION: i64 = 1_000_000;

/// What a station's disk holds. Every write is a whole file or none.
#[derive(Clone, Debug, Default)]
struct Queue {
    sealed: BTreeMap<SlotNo, Variant>,
    receipts: BTreeSet<RecordDigest>,
    attempt: u32,
}

/// A polling station.
#[derive(Debug)]
pub(super) struct Station {
    pub(super) no: StationNo,
    queue: Queue,
    outbox: Option<Outbox>,
    /// What the officer wants sealed and has not seen sealed yet.
    wanted: BTreeSet<SlotNo>,
    /// Second records of a station that does not keep to its queue.
    second: Vec<(SlotNo, Variant)>,
    /// Its wall clock, against the true one.
    pub(super) clock: i64,
    /// The wall clock as it was when the program started: from then on the program counts by a clock that nobody sets.
    began: i64,
    /// When that was, by the true clock.
    since: u64,
    /// How much that clock gains on the true one, in a million.
    pub(super) ppm: i64,
    /// Rises when its address changes.
    pub(super) address: u32,
    /// Operations until the power fails.
    pub(super) power_in: Option<u32>,
    /// Seed of the next outbox's jitter.
    lives: u64,
    bug: Option<Bug>,
}

impl Station {
    pub(super) fn new(country: &Country, no: StationNo, bug: Option<Bug>) -> Self {
        let mut station = Self {
            no,
            queue: Queue::default(),
            outbox: None,
            wanted: BTreeSet::new(),
            second: Vec::new(),
            clock: 0,
            began: 0,
            since: 0,
            ppm: 0,
            address: 0,
            power_in: None,
            lives: 0,
            bug,
        };
        station.outbox = station.new_outbox(country);
        station
    }

    pub(super) fn is_up(&self) -> bool {
        self.outbox.is_some()
    }

    /// The time by its own clock.
    pub(super) fn local(&self, now: u64) -> u64 {
        let gained =
            i64::try_from(now.saturating_sub(self.since)).unwrap_or(i64::MAX).saturating_mul(self.ppm) / MILLION;
        now.saturating_add_signed(self.began).saturating_add_signed(gained)
    }

    /// When it next wants to be woken, by the true clock.
    pub(super) fn next_wake(&self) -> Option<u64> {
        let at = self.outbox.as_ref()?.next_wake()?.saturating_add_signed(-self.began);
        let wait = i64::try_from(at.saturating_sub(self.since)).ok()?.saturating_mul(MILLION);
        let wait = u64::try_from(wait / (MILLION + self.ppm)).unwrap_or_default();
        // Rounded down, it may be a moment early: then there is nothing to send yet.
        Some(self.since.saturating_add(wait).saturating_add(u64::from(self.ppm != 0)))
    }

    /// Its clock gains or loses from now on.
    pub(super) fn drift(&mut self, now: u64, ppm: i64) {
        let gained = i64::try_from(self.local(now)).ok().zip(i64::try_from(now).ok());
        self.began = gained.map_or(self.began, |(local, now)| local - now);
        (self.since, self.ppm) = (now, ppm);
    }

    /// Records that wait for a receipt, and those that are still to be sealed.
    pub(super) fn open(&self) -> usize {
        self.outbox.as_ref().map_or(0, Outbox::pending) + self.wanted.len()
    }

    /// Whether its queue holds a record of the slot.
    pub(super) fn has_sealed(&self, slot: SlotNo) -> bool {
        self.queue.sealed.contains_key(&slot)
    }

    /// Receipts on its disk.
    pub(super) fn receipts(&self) -> &BTreeSet<RecordDigest> {
        &self.queue.receipts
    }

    fn new_outbox(&mut self, country: &Country) -> Option<Outbox> {
        self.lives += 1;
        let policy = |after| RetryPolicy::new(400, 8_000).starting_after(after);
        let policies = vec![policy(0), policy(300), policy(2_000)];
        let identity = country.identity(self.no)?.clone();
        let seed = (u64::from(self.no.0) << 32) | self.lives;
        Some(Outbox::new(identity, policies, seed).resume_after(self.queue.attempt))
    }

    /// The power is gone: what was not on the disk is forgotten.
    pub(super) fn lose_power(&mut self) {
        (self.outbox, self.power_in) = (None, None);
    }

    /// Starts again: what is sealed and not receipted is sent; what is not sealed the officer seals, a minute later.
    pub(super) fn start(&mut self, country: &Country, now: u64, marks: &mut Marks) -> Result<(), PowerLoss> {
        (self.began, self.since) = (self.clock, now);
        self.outbox = self.new_outbox(country);
        let sealed: Vec<_> =
            self.queue.sealed.iter().map(|(slot, variant)| (*slot, *variant)).chain(self.second.clone()).collect();
        for (slot, variant) in sealed {
            self.wanted.remove(&slot);
            let Some(record) = country.record(slot, variant) else { continue };
            if !self.queue.receipts.contains(&record.digest()) {
                marks.hit(Mark::StationResumed);
                self.enqueue(now, record);
            }
        }
        for slot in self.wanted.clone() {
            self.seal(country, now, slot, Variant::Again, marks)?;
        }
        Ok(())
    }

    fn enqueue(&mut self, now: u64, record: &SealedRecord) {
        let local = self.local(now);
        if let Some(outbox) = &mut self.outbox {
            outbox.enqueue(local, record.clone());
        }
    }

    /// The officer enters the figures. One record a contest: what is in the queue stays.
    pub(super) fn seal(
        &mut self,
        country: &Country,
        now: u64,
        slot: SlotNo,
        variant: Variant,
        marks: &mut Marks,
    ) -> Result<(), PowerLoss> {
        self.wanted.insert(slot);
        if self.outbox.is_none() || self.queue.sealed.contains_key(&slot) {
            return Ok(());
        }
        let Some(record) = country.record(slot, variant) else { return Ok(()) };
        if self.bug == Some(Bug::SentBeforeStored) {
            self.enqueue(now, record);
            return Ok(());
        }
        power(&mut self.power_in, Mark::StationPowerBeforeSeal, marks)?;
        self.queue.sealed.insert(slot, variant);
        power(&mut self.power_in, Mark::StationPowerAfterSeal, marks)?;
        self.wanted.remove(&slot);
        self.enqueue(now, record);
        Ok(())
    }

    /// Whoever has the station's key signs a second record.
    pub(super) fn seal_second(&mut self, country: &Country, now: u64, slot: SlotNo, variant: Variant) {
        self.second.push((slot, variant));
        if let Some(record) = country.record(slot, variant) {
            self.enqueue(now, record);
        }
    }

    /// Sends what is due.
    pub(super) fn wake(&mut self, now: u64, out: &mut Vec<Parcel>, marks: &mut Marks) -> Result<(), PowerLoss> {
        let local = self.local(now);
        let Some(outbox) = &mut self.outbox else { return Ok(()) };
        let due: Vec<_> = std::iter::from_fn(|| outbox.poll(local)).collect();
        if due.is_empty() {
            return Ok(());
        }
        let attempt = outbox.last_attempt();
        power(&mut self.power_in, Mark::StationPowerInSend, marks)?;
        self.queue.attempt = attempt;
        for transmission in due {
            power(&mut self.power_in, Mark::StationPowerInSend, marks)?;
            let (from, path, datagram) = (Node::Station(self.no), transmission.path, transmission.datagram);
            let (to, message) = match path {
                BY_POST => (Node::Centre, Message::Post(datagram.get(HEADER_LEN..).unwrap_or_default().to_vec())),
                BY_RELAY => (Node::Relay(self.no.index() % 2), Message::Datagram(datagram)),
                _ => (Node::Centre, Message::Datagram(datagram)),
            };
            out.push(Parcel { from, to, address: self.address, path, message });
        }
        Ok(())
    }

    /// Takes what arrives; returns the record whose receipt it is.
    pub(super) fn receive(
        &mut self,
        now: u64,
        path: usize,
        bytes: &[u8],
        marks: &mut Marks,
    ) -> Result<Option<RecordDigest>, PowerLoss> {
        let local = self.local(now);
        let Some(Ok(receipted)) = self.outbox.as_mut().map(|outbox| outbox.receive(local, path, bytes)) else {
            return Ok(None);
        };
        power(&mut self.power_in, Mark::StationReceiptLost, marks)?;
        self.queue.receipts.insert(receipted.receipt.digest);
        Ok(Some(receipted.receipt.digest))
    }
}
