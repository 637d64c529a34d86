//! The gate: the cheapest checks, in the receive loop, before anything is allocated, hashed or answered.
//!
//! Its memory is fixed when it is built: 20 bytes a station. It keeps no state per source address, which an attacker could fill.

use std::{cmp::Ordering, fmt};

use tallyproof_record::{
    cose,
    definition::{Committed, StationNo},
    frame::{ATTEMPT_WINDOW, Frame, FrameError, HEADER_LEN, MacKey, attempt_at},
};

/// The longest datagram looked at: a header and the longest record.
pub const MAX_DATAGRAM: usize = HEADER_LEN + cose::MAX_LEN;

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
    /// The body is not the one that the header names.
    Digest,
}

impl Reason {
    /// Every reason, in the order of the checks.
    pub const ALL: [Self; 9] = [
        Self::Short,
        Self::Long,
        Self::Magic,
        Self::Station,
        Self::Epoch,
        Self::Tag,
        Self::Window,
        Self::Replay,
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

/// The secret half of a station's place at the gate, and the last attempt that passed.
#[derive(Clone)]
struct Seat {
    key: MacKey,
    attempt: u32,
}

/// The gate of one receive loop.
pub struct Gate {
    epoch: u32,
    seats: Vec<Seat>,
    drops: Drops,
}

impl Gate {
    /// Derives every station's MAC key from the centre's master secret.
    pub fn new(definition: &Committed, master: &[u8; 32], epoch: u32) -> Self {
        let seat = |(no, _)| Seat { key: MacKey::derive(master, definition.hash(), epoch, no), attempt: 0 };
        Self { epoch, seats: definition.election().numbered_stations().map(seat).collect(), drops: Drops::default() }
    }

    /// Judges a datagram at an instant, in milliseconds since 1970-01-01T00:00:00Z.
    pub fn admit<'a>(&mut self, now_millis: u64, datagram: &'a [u8]) -> Verdict<'a> {
        match self.check(attempt_at(now_millis), datagram) {
            Ok((station, body)) => Verdict::Admit { station, body },
            Err(reason) => {
                self.drops.count(reason);
                Verdict::Drop(reason)
            }
        }
    }

    /// What was dropped since the gate was built.
    pub fn drops(&self) -> &Drops {
        &self.drops
    }

    fn check<'a>(&mut self, now: u32, datagram: &'a [u8]) -> Result<(StationNo, &'a [u8]), Reason> {
        if datagram.len() > MAX_DATAGRAM {
            return Err(Reason::Long);
        }
        let frame = Frame::parse(datagram)?;
        let header = frame.header;
        let seat = self.seats.get_mut(header.station.index()).ok_or(Reason::Station)?;
        if header.epoch != self.epoch {
            return Err(Reason::Epoch);
        }
        frame.authenticate(&seat.key)?;
        if header.attempt.abs_diff(now) > ATTEMPT_WINDOW {
            return Err(Reason::Window);
        }
        if header.attempt.cmp(&seat.attempt) != Ordering::Greater {
            return Err(Reason::Replay);
        }
        // The attempt is spent only by a whole datagram: else whoever can copy a header could spend it before its owner.
        frame.check_digest()?;
        seat.attempt = header.attempt;
        Ok((header.station, frame.body))
    }
}

impl fmt::Debug for Gate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Gate").field("epoch", &self.epoch).field("stations", &self.seats.len()).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use tallyproof_record::frame::encode;

    use super::*;
    use crate::testing;

    const MASTER: [u8; 32] = [5; 32];
    const NOW: u64 = 1_800_000_000_000;

    fn gate() -> Gate {
        Gate::new(&testing::election(3), &MASTER, 1)
    }

    fn datagram(station: u32, epoch: u32, attempt: u32) -> Vec<u8> {
        let key = MacKey::derive(&MASTER, testing::election(3).hash(), epoch, StationNo(station));
        encode(StationNo(station), epoch, attempt, b"body", &key)
    }

    fn verdict(gate: &mut Gate, datagram: &[u8]) -> Result<u32, Reason> {
        match gate.admit(NOW, datagram) {
            Verdict::Admit { station, .. } => Ok(station.0),
            Verdict::Drop(reason) => Err(reason),
        }
    }

    #[test]
    fn a_genuine_datagram_passes_with_its_body() {
        let datagram = datagram(2, 1, attempt_at(NOW));
        assert_eq!(gate().admit(NOW, &datagram), Verdict::Admit { station: StationNo(2), body: b"body" });
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
    fn the_window_includes_its_ends() {
        let now = attempt_at(NOW);
        let mut gate = gate();
        assert_eq!(verdict(&mut gate, &datagram(1, 1, now - ATTEMPT_WINDOW)), Ok(1));
        assert_eq!(verdict(&mut gate, &datagram(1, 1, now + ATTEMPT_WINDOW)), Ok(1));
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
    fn a_copied_header_does_not_spend_the_attempt_of_its_owner() {
        let genuine = datagram(1, 1, attempt_at(NOW));
        let mut forged = genuine.clone();
        forged.push(0);
        let mut gate = gate();
        assert_eq!(verdict(&mut gate, &forged), Err(Reason::Digest));
        assert_eq!(verdict(&mut gate, &genuine), Ok(1));
    }

    /// Golden packets for socket filters and other implementations, in order: the gate remembers attempts.
    /// `UPDATE_VECTORS=1 cargo test -p tallyproof-centre vectors` rewrites them.
    #[test]
    fn committed_vectors_are_what_the_gate_says() {
        let now = attempt_at(NOW);
        let altered = |at: usize| {
            let mut bytes = datagram(1, 1, now);
            bytes[at] ^= 1;
            bytes
        };
        let cases = [
            ("empty", Vec::new()),
            ("header only", datagram(1, 1, now)[..48].to_vec()),
            ("other magic", altered(0)),
            ("other version", altered(2)),
            ("a receipt", [b"TP\x01\x02".as_slice(), &[0; 104]].concat()),
            ("station 0", datagram(0, 1, now)),
            ("station beyond the register", datagram(4, 1, now)),
            ("other epoch", datagram(1, 2, now)),
            ("tag changed", altered(47)),
            ("attempt changed", altered(15)),
            ("an hour and a tick old", datagram(1, 1, now - ATTEMPT_WINDOW - 1)),
            ("an hour and a tick early", datagram(1, 1, now + ATTEMPT_WINDOW + 1)),
            ("body changed", altered(48)),
            ("good", datagram(1, 1, now)),
            ("the same again", datagram(1, 1, now)),
            ("an older attempt", datagram(1, 1, now - 1)),
            ("the next attempt", datagram(1, 1, now + 1)),
            ("another station", datagram(2, 1, now)),
        ];
        let mut gate = gate();
        let cases = cases.map(|(name, bytes)| {
            let verdict = verdict(&mut gate, &bytes).map_or_else(Reason::as_str, |_| "admit");
            format!("{{\"name\": \"{name}\", \"verdict\": \"{verdict}\", \"datagram\": \"{}\"}}", hex(&bytes))
        });
        let text = format!(
            "{{\n  \"about\": \"Datagrams at the centre's gate, in this order (docs/spec/record.md).\",\n  \
             \"master\": \"{}\",\n  \"definition\": \"{}\",\n  \"epoch\": 1,\n  \"stations\": 3,\n  \"now_millis\": {NOW},\n  \
             \"cases\": [\n    {}\n  ]\n}}\n",
            hex(&MASTER),
            testing::election(3).hash(),
            cases.join(",\n    ")
        );
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../vectors/gate.json");
        if std::env::var_os("UPDATE_VECTORS").is_some() {
            std::fs::write(path, &text).unwrap();
        }
        assert_eq!(std::fs::read_to_string(path).unwrap(), text);
    }

    fn hex(bytes: &[u8]) -> String {
        bytes
            .iter()
            .flat_map(|byte| [byte >> 4, byte & 15])
            .filter_map(|digit| char::from_digit(digit.into(), 16))
            .collect()
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
