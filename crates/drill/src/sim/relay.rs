//! A simulated relay: the real forwarder behind the checks of `tallyproof relay`, or somebody who alters or withholds.

use std::collections::HashMap;

use tallyproof_centre::{Intake, gate};
use tallyproof_record::cose::{RecordDigest, SealedRecord};
use tallyproof_station::{Cargo, Forwarder, RetryPolicy, Standing};

use super::country::Country;
use super::mark::{Mark, Marks};
use super::post::{Message, Node, Parcel};

/// The ways of a relay to the centre. They are numbered apart from the stations' paths.
const WAYS: [(Cargo, usize); 2] = [(Cargo::Datagram, 10), (Cargo::Record, 11)];
/// Different records of one station that a relay holds.
const PER_STATION: u32 = 8;

/// Where a datagram came from.
#[derive(Clone, Copy, Debug)]
struct Sender {
    node: Node,
    address: u32,
}

/// What a relay does to what it carries.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Conduct {
    /// Sends it on.
    Honest,
    /// Changes a bit.
    Alter,
    /// Sends nothing on.
    Withhold,
}

impl Conduct {
    pub(super) const ALL: [Self; 3] = [Self::Honest, Self::Alter, Self::Withhold];
}

/// A relay.
#[derive(Debug)]
pub(super) struct Relay {
    no: usize,
    forwarder: Option<Forwarder>,
    /// Where the last datagram of a record came from.
    senders: HashMap<RecordDigest, Sender>,
    pub(super) conduct: Conduct,
    lives: u64,
}

impl Relay {
    pub(super) fn new(country: &Country, no: usize) -> Self {
        let mut relay = Self { no, forwarder: None, senders: HashMap::new(), conduct: Conduct::Honest, lives: 0 };
        relay.start(country);
        relay
    }

    pub(super) fn is_up(&self) -> bool {
        self.forwarder.is_some()
    }

    pub(super) fn start(&mut self, country: &Country) {
        self.lives += 1;
        let ways = WAYS.map(|(cargo, _)| (cargo, RetryPolicy::new(500, 8_000)));
        let seed = 1_000 * (self.no as u64 + 1) + self.lives;
        self.forwarder =
            Some(Forwarder::new(*country.definition.hash(), country.receipts_public, &ways, PER_STATION, seed));
    }

    pub(super) fn lose_power(&mut self, marks: &mut Marks) {
        if self.forwarder.take().is_some_and(|forwarder| forwarder.waiting() > 0) {
            marks.hit(Mark::RelayLost);
        }
        self.senders.clear();
    }

    pub(super) fn next_wake(&self) -> Option<u64> {
        self.forwarder.as_ref()?.next_wake()
    }

    /// Takes a station's datagram, or an answer of the centre.
    pub(super) fn receive(
        &mut self,
        (country, intake): (&Country, &Intake),
        now: u64,
        parcel: &Parcel,
        out: &mut Vec<Parcel>,
        marks: &mut Marks,
    ) {
        match &parcel.message {
            Message::Datagram(datagram) => {
                let sender = Sender { node: parcel.from, address: parcel.address };
                self.take((country, intake), now, sender, datagram, out, marks);
            }
            Message::Receipt(receipt) => self.answer(receipt, out),
            _ => {}
        }
    }

    fn take(
        &mut self,
        (country, intake): (&Country, &Intake),
        now: u64,
        from: Sender,
        datagram: &[u8],
        out: &mut Vec<Parcel>,
        marks: &mut Marks,
    ) {
        let Some(forwarder) = &mut self.forwarder else { return };
        let Ok(frame) = gate::check_form(datagram) else { return };
        let Ok(digest) = frame.check_digest() else { return };
        match forwarder.standing(&digest) {
            Standing::Receipted(_) => {
                if let Some(receipt) = forwarder.reply(now, &digest) {
                    marks.hit(Mark::RelayReplied);
                    out.push(self.to_station(from, receipt.to_vec()));
                }
                return;
            }
            Standing::Unknown => {
                let Ok(record) = country.admit(intake, &digest, frame.body) else { return };
                let Ok(sealed) = SealedRecord::from_bytes(frame.body.to_vec()) else { return };
                forwarder.take(now, record.station(), record.contest(), sealed);
            }
            Standing::Held => {}
        }
        self.senders.insert(digest, from);
        forwarder.pass(now, digest, datagram.to_vec());
    }

    fn answer(&mut self, receipt: &[u8], out: &mut Vec<Parcel>) {
        let Some(Ok(receipted)) = self.forwarder.as_mut().map(|forwarder| forwarder.receive(receipt)) else { return };
        if let Some(sender) = self.senders.get(&receipted.digest).copied() {
            out.push(self.to_station(sender, receipt.to_vec()));
        }
    }

    fn to_station(&self, to: Sender, receipt: Vec<u8>) -> Parcel {
        let (from, path) = (Node::Relay(self.no), super::station::BY_RELAY);
        Parcel { from, to: to.node, address: to.address, path, message: Message::Receipt(receipt) }
    }

    /// Sends on what is due.
    pub(super) fn wake(&mut self, now: u64, out: &mut Vec<Parcel>, marks: &mut Marks) {
        let Some(forwarder) = &mut self.forwarder else { return };
        while let Some(forward) = forwarder.poll(now) {
            let Some(&(cargo, path)) = WAYS.get(forward.way) else { continue };
            let mut message = match cargo {
                Cargo::Datagram => Message::Datagram(forward.bytes),
                Cargo::Record => Message::Post(forward.bytes),
            };
            match self.conduct {
                Conduct::Honest => {}
                Conduct::Withhold => {
                    marks.hit(Mark::RelayWithheld);
                    continue;
                }
                Conduct::Alter => {
                    marks.hit(Mark::RelayAltered);
                    message.alter(usize::try_from(now).unwrap_or_default());
                }
            }
            out.push(Parcel { from: Node::Relay(self.no), to: Node::Centre, address: 0, path, message });
        }
    }
}
