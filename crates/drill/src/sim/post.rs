//! Who sends what to whom in a simulation, and what the network does to it.

use std::collections::BTreeMap;

use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::Rng;
use tallyproof_log::witness::Answer;
use tallyproof_record::StationNo;
use tallyproof_record::cose::RecordDigest;

use super::mark::{Mark, Marks};

/// One end of a path.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) enum Node {
    Centre,
    Station(StationNo),
    Relay(usize),
    /// Whoever keeps the second history.
    Operator,
    Witness(usize),
    /// Where the authority's statements are handed in.
    Desk,
    /// Whoever records datagrams and sends them again; nothing is delivered to it.
    Attacker,
}

/// What is sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Message {
    /// A datagram.
    Datagram(Vec<u8>),
    /// A sealed record, posted over HTTP.
    Post(Vec<u8>),
    /// Bytes of a receipt, by the path that the question came by.
    Receipt(Vec<u8>),
    /// What was handed in is refused for good.
    Refused(RecordDigest),
    /// A log asks a witness to cosign.
    Ask(Asking, Vec<u8>),
    /// What the witness says.
    Answer(Asking, Answer),
}

/// Which of a log's questions a message is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Asking {
    pub(super) history: History,
    /// The life of the program that asks.
    pub(super) life: u64,
    pub(super) server: usize,
    pub(super) id: u64,
}

/// Which of the two histories that the log's key may have signed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) enum History {
    /// That of the centre.
    First,
    /// The one that its operator makes beside it, if he does.
    Second,
}

impl Message {
    /// Changes one bit of what is carried.
    pub(super) fn alter(&mut self, luck: usize) {
        if let Self::Datagram(bytes) | Self::Post(bytes) | Self::Receipt(bytes) = self {
            let place = luck % bytes.len().max(1);
            bytes.get_mut(place).into_iter().for_each(|byte| *byte ^= 4);
        }
    }
}

/// A message on its way.
#[derive(Clone, Debug)]
pub(super) struct Parcel {
    pub(super) from: Node,
    pub(super) to: Node,
    /// Which of its addresses a station had when it sent this, or when it sent what this answers.
    pub(super) address: u32,
    /// The station's or relay's path, by number.
    pub(super) path: usize,
    pub(super) message: Message,
}

/// How long a message takes, in milliseconds.
const DELAY: u64 = 40;
/// One in so many is late, by up to [`LATE`].
const LATE_ONE_IN: u32 = 12;
const LATE: u64 = 6_000;

/// The network's present state.
#[derive(Debug)]
pub(super) struct Network {
    /// Of 1,000 messages.
    pub(super) loss: u32,
    pub(super) doubles: u32,
    /// Until when no message passes between a node and the rest.
    cut: BTreeMap<Node, u64>,
    /// Until when a path carries nothing.
    dead: BTreeMap<usize, u64>,
    rng: ChaCha8Rng,
    latest: u64,
}

impl Network {
    pub(super) fn new(rng: ChaCha8Rng) -> Self {
        Self { loss: 0, doubles: 0, cut: BTreeMap::new(), dead: BTreeMap::new(), rng, latest: 0 }
    }

    pub(super) fn cut(&mut self, node: Node, until: u64) {
        self.cut.insert(node, until);
    }

    pub(super) fn kill_path(&mut self, path: usize, until: u64) {
        self.dead.insert(path, until);
    }

    /// Whether nothing passes between a node and the rest.
    pub(super) fn is_cut(&self, node: Node, now: u64) -> bool {
        self.cut.get(&node).is_some_and(|until| *until > now)
    }

    pub(super) fn heal(&mut self) {
        (self.loss, self.doubles) = (0, 0);
        self.cut.clear();
        self.dead.clear();
    }

    /// When each copy of a parcel arrives.
    pub(super) fn carry(&mut self, now: u64, parcel: &Parcel, marks: &mut Marks) -> Vec<u64> {
        if self.is_cut(parcel.from, now)
            || self.is_cut(parcel.to, now)
            || self.dead.get(&parcel.path).is_some_and(|until| *until > now)
        {
            marks.hit(Mark::NetworkCut);
            return Vec::new();
        }
        if self.draw(self.loss) {
            marks.hit(Mark::NetworkLost);
            return Vec::new();
        }
        let copies = 1 + usize::from(self.draw(self.doubles));
        if copies > 1 {
            marks.hit(Mark::NetworkDoubled);
        }
        (0..copies).map(|_| self.arrival(now, marks)).collect()
    }

    fn arrival(&mut self, now: u64, marks: &mut Marks) -> u64 {
        let late =
            if self.rng.next_u32().is_multiple_of(LATE_ONE_IN) { u64::from(self.rng.next_u32()) % LATE } else { 0 };
        let at = now + 1 + u64::from(self.rng.next_u32()) % DELAY + late;
        if at < self.latest {
            marks.hit(Mark::Reordered);
        }
        self.latest = self.latest.max(at);
        at
    }

    fn draw(&mut self, per_mille: u32) -> bool {
        per_mille > 0 && self.rng.next_u32() % 1000 < per_mille
    }
}
