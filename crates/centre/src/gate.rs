//! The gate: the cheapest checks, in the receive loop, before anything is allocated, hashed or answered.
//!
//! Its memory is fixed when it is built: 28 bytes a station. It keeps no state per source address, which an attacker could fill.

use std::fmt;

use tallyproof_record::{
    cose::{self, RecordDigest},
    definition::{Committed, StationNo},
    frame::{Frame, FrameError, HEADER_LEN, MacKey, attempt_at},
};

mod filter;
mod history;
#[cfg(test)]
mod vectors;

pub use filter::{Instruction, program as filter};
use history::History;
pub use history::NEAR;

/// The longest datagram looked at: a header and the longest record.
pub const MAX_DATAGRAM: usize = HEADER_LEN + cose::MAX_LEN;
/// Datagrams of a station that pass at once after a pause of as many ticks, before those for its contests.
const BURST: u32 = 16;
/// Datagrams more in a burst for each contest: the record, and one repetition.
const BURST_PER_CONTEST: u32 = 2;

/// Why a datagram was dropped without an answer, in the order of the checks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Reason {
    /// Shorter than a header and one byte.
    Short,
    /// Longer than any record.
    Long,
    /// Another magic, version or kind.
    Magic,
    /// No such station in the register.
    Station,
    /// A tag made with the keys of another epoch.
    Epoch,
    /// The keyed tag does not hold.
    Tag,
    /// The attempt lies more than an hour from the centre's clock: an old recording, or a station whose clock is wrong.
    Window,
    /// The attempt does not rise: a datagram that was delivered before.
    Replay,
    /// The station, or whoever has its MAC key, sends more than anyone needs.
    Quota,
    /// The body is not the one that the header names.
    Digest,
}

impl Reason {
    /// Every reason, in the order of the checks.
    pub const ALL: [Self; 10] = [
        Self::Short,
        Self::Long,
        Self::Magic,
        Self::Station,
        Self::Epoch,
        Self::Tag,
        Self::Window,
        Self::Replay,
        Self::Quota,
        Self::Digest,
    ];

    /// The word used in metrics.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Short => "short",
            Self::Long => "long",
            Self::Magic => "magic",
            Self::Station => "station",
            Self::Epoch => "epoch",
            Self::Tag => "tag",
            Self::Window => "window",
            Self::Replay => "replay",
            Self::Quota => "quota",
            Self::Digest => "digest",
        }
    }
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl From<FrameError> for Reason {
    fn from(error: FrameError) -> Self {
        match error {
            FrameError::Short => Self::Short,
            FrameError::Magic => Self::Magic,
            FrameError::Tag => Self::Tag,
            FrameError::Digest => Self::Digest,
        }
    }
}

/// What to do with a datagram.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict<'a> {
    /// Forget it; it has been counted. Never answer: the sender's address is unproven.
    Drop(Reason),
    /// Pass it on. Whoever sent it knows the station's MAC key; only the body's signature says who made the record.
    Admit {
        /// Whose key tagged the datagram.
        station: StationNo,
        /// SHA-256 of the body: the record's identity.
        digest: RecordDigest,
        /// The sealed record's bytes.
        body: &'a [u8],
    },
}

/// How many datagrams were dropped for each reason.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Drops([u64; Reason::ALL.len()]);

impl Drops {
    /// Datagrams dropped for `reason`.
    pub fn of(&self, reason: Reason) -> u64 {
        self.0[reason as usize]
    }

    /// Datagrams dropped.
    pub fn total(&self) -> u64 {
        self.0.iter().sum()
    }

    fn count(&mut self, reason: Reason) {
        let count = &mut self.0[reason as usize];
        *count = count.wrapping_add(1);
    }
}

/// A station's place at the gate.
#[derive(Clone)]
struct Seat {
    key: MacKey,
    history: History,
}

const _: () = assert!(size_of::<Seat>() == 28, "the memory of a gate is promised above");

/// The gate of one receive loop.
pub struct Gate {
    epoch: u32,
    burst: u32,
    seats: Vec<Seat>,
    drops: Drops,
}

impl Gate {
    /// Derives every station's MAC key from the centre's master secret.
    pub fn new(definition: &Committed, master: &[u8; 32], epoch: u32) -> Self {
        let key = |no| MacKey::derive(master, definition.hash(), epoch, no);
        let stations = definition.election().numbered_stations();
        let seats = stations.map(|(no, _)| Seat { key: key(no), history: History::default() }).collect();
        let burst = BURST.saturating_add(BURST_PER_CONTEST.saturating_mul(most_contests(definition)));
        Self { epoch, burst, seats, drops: Drops::default() }
    }

    /// Judges a datagram at an instant, in milliseconds since 1970-01-01T00:00:00Z.
    pub fn admit<'a>(&mut self, now_millis: u64, datagram: &'a [u8]) -> Verdict<'a> {
        self.check(attempt_at(now_millis), datagram).unwrap_or_else(|reason| {
            self.drops.count(reason);
            Verdict::Drop(reason)
        })
    }

    /// What was dropped since the gate was built.
    pub fn drops(&self) -> &Drops {
        &self.drops
    }

    fn check<'a>(&mut self, now: u32, datagram: &'a [u8]) -> Result<Verdict<'a>, Reason> {
        let frame = check_form(datagram)?;
        let header = frame.header;
        let seat = self.seats.get_mut(header.station.index()).ok_or(Reason::Station)?;
        if header.epoch != self.epoch {
            return Err(Reason::Epoch);
        }
        frame.authenticate(&seat.key)?;
        let history = seat.history.after(header.attempt, now, self.burst)?;
        let digest = frame.check_digest()?;
        // Kept only for a whole datagram: else whoever can copy a header could spend attempt and quota before their owner.
        seat.history = history;
        Ok(Verdict::Admit { station: header.station, digest, body: frame.body })
    }
}

/// The checks that need neither key nor memory: length, magic, version and kind. [`filter`] makes the same ones in the kernel, and
/// `vectors/gate.json` holds both to them.
pub fn check_form(datagram: &[u8]) -> Result<Frame<'_>, Reason> {
    if datagram.len() > MAX_DATAGRAM {
        return Err(Reason::Long);
    }
    Ok(Frame::parse(datagram)?)
}

/// In how many contests the busiest station reports.
fn most_contests(definition: &Committed) -> u32 {
    let election = definition.election();
    let contests = |area| election.contests().iter().filter(|contest| election.is_within(area, contest.area)).count();
    let most = (0..election.areas().len()).map(contests).max().unwrap_or_default();
    u32::try_from(most).unwrap_or(u32::MAX)
}

impl fmt::Debug for Gate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Gate").field("epoch", &self.epoch).field("stations", &self.seats.len()).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use tallyproof_record::frame::ATTEMPT_WINDOW;

    use super::vectors::{NOW, datagram, gate};
    use super::*;

    fn verdict(gate: &mut Gate, datagram: &[u8]) -> Result<u32, Reason> {
        match gate.admit(NOW, datagram) {
            Verdict::Admit { station, .. } => Ok(station.0),
            Verdict::Drop(reason) => Err(reason),
        }
    }

    #[test]
    fn a_genuine_datagram_passes_with_its_body() {
        let datagram = datagram(2, 1, attempt_at(NOW));
        let digest = crate::intake::digest(b"body");
        assert_eq!(gate().admit(NOW, &datagram), Verdict::Admit { station: StationNo(2), digest, body: b"body" });
    }

    #[test]
    fn each_fault_has_its_reason_and_is_counted() {
        let now = attempt_at(NOW);
        let mut bad_tag = datagram(1, 1, now);
        bad_tag[40] ^= 1;
        let mut other_kind = datagram(1, 1, now);
        other_kind[3] = 2;
        let mut other_body = datagram(1, 1, now);
        other_body[48] ^= 1;
        let faults = [
            (vec![0; 48], Reason::Short),
            (vec![0; MAX_DATAGRAM + 1], Reason::Long),
            (other_kind, Reason::Magic),
            (datagram(0, 1, now), Reason::Station),
            (datagram(4, 1, now), Reason::Station),
            (datagram(1, 2, now), Reason::Epoch),
            (bad_tag, Reason::Tag),
            (datagram(1, 1, now - ATTEMPT_WINDOW - 1), Reason::Window),
            (datagram(1, 1, now + ATTEMPT_WINDOW + 1), Reason::Window),
            (other_body, Reason::Digest),
        ];
        let mut gate = gate();
        for (datagram, reason) in &faults {
            assert_eq!(verdict(&mut gate, datagram), Err(*reason));
        }
        assert_eq!(gate.drops().total(), faults.len() as u64);
        assert_eq!(gate.drops().of(Reason::Station), 2);
    }

    #[test]
    fn a_replay_is_dropped_and_costs_other_stations_nothing() {
        let now = attempt_at(NOW);
        let mut gate = gate();
        let first = datagram(1, 1, now);
        assert_eq!(verdict(&mut gate, &first), Ok(1));
        assert_eq!(verdict(&mut gate, &first), Err(Reason::Replay));
        assert_eq!(verdict(&mut gate, &datagram(1, 1, now - 1)), Err(Reason::Replay));
        assert_eq!(verdict(&mut gate, &datagram(2, 1, now)), Ok(2));
    }

    #[test]
    fn a_copied_header_spends_neither_attempt_nor_quota_of_its_owner() {
        let genuine = datagram(1, 1, attempt_at(NOW));
        let mut forged = genuine.clone();
        forged.push(0);
        let mut gate = gate();
        for _ in 0..100 {
            assert_eq!(verdict(&mut gate, &forged), Err(Reason::Digest));
        }
        assert_eq!(verdict(&mut gate, &genuine), Ok(1));
    }

    #[test]
    fn the_quota_is_each_station_s_own_and_replays_spend_none_of_it() {
        let now = attempt_at(NOW);
        let mut gate = gate();
        assert_eq!(gate.burst, 18, "one contest");
        for attempt in 1..=18 {
            assert_eq!(verdict(&mut gate, &datagram(1, 1, now + attempt)), Ok(1));
        }
        assert_eq!(verdict(&mut gate, &datagram(1, 1, now + 19)), Err(Reason::Quota));
        assert_eq!(verdict(&mut gate, &datagram(2, 1, now)), Ok(2), "another station has its own");
        for _ in 0..100 {
            assert_eq!(verdict(&mut gate, &datagram(1, 1, now + 18)), Err(Reason::Replay));
        }
        let next = datagram(1, 1, now + 19);
        assert!(matches!(gate.admit(NOW + 250, &next), Verdict::Admit { .. }), "a tick later there is room for one");
    }

    proptest! {
        #[test]
        fn foreign_bytes_never_pass(mut bytes in proptest::collection::vec(any::<u8>(), 0..600), framed: bool) {
            if framed && bytes.len() > 12 {
                bytes[..12].copy_from_slice(b"TP\x01\x01\0\0\0\x01\0\0\0\x01");
            }
            let passed = matches!(gate().admit(NOW, &bytes), Verdict::Admit { .. });
            prop_assert!(!passed);
        }

        #[test]
        fn a_changed_byte_never_passes(at in 0..52_usize, change in 1..=255_u8) {
            let mut bytes = datagram(1, 1, attempt_at(NOW));
            bytes[at] ^= change;
            prop_assert!(verdict(&mut gate(), &bytes).is_err());
        }

        #[test]
        fn attempts_that_pass_rise(offsets in proptest::collection::vec(0..200_u32, 1..50)) {
            let mut gate = gate();
            let mut last = 0;
            for offset in offsets {
                let attempt = attempt_at(NOW) + offset;
                let passed = verdict(&mut gate, &datagram(1, 1, attempt)).is_ok();
                prop_assert_eq!(passed, attempt > last);
                last = last.max(attempt);
            }
        }
    }
}
