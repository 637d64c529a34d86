//! What happens in a seed's night: who seals what when, and what breaks. A list, so that it can be shortened.

use std::fmt;

use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::Rng;
use tallyproof_record::StationNo;

use super::country::{STATIONS, SlotNo, Variant};
use super::relay::Conduct;

/// Relays of the country.
pub(super) const RELAYS: usize = 2;
/// The station whose officer signs second records. Every other one keeps to its queue.
pub(super) const LIAR: StationNo = StationNo(STATIONS);
/// When the last planned thing happens, in milliseconds from the beginning.
pub(super) const CHAOS_MS: u64 = 90_000;

/// Something that happens.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum What {
    /// An officer seals.
    Seal(SlotNo, Variant),
    /// The power of the centre's disk fails after so many operations.
    CentrePower {
        operations: u32,
        down_ms: u64,
    },
    /// The centre's program is killed after so many operations of its disk, which keeps its power.
    CentreKilled {
        operations: u32,
        down_ms: u64,
    },
    DiskFull {
        for_ms: u64,
    },
    SyncFails {
        for_ms: u64,
    },
    ShelfFails {
        for_ms: u64,
    },
    /// The next start reads a flipped bit.
    BitRot,
    /// Somebody copies the journal.
    Backup,
    /// The centre is stopped, an old copy of the journal put in place, and the centre started.
    RestoreBackup {
        down_ms: u64,
    },
    /// The file with the last signed checkpoint is lost while the centre is down.
    MemoryLost {
        down_ms: u64,
    },
    StationPower {
        station: StationNo,
        operations: u32,
        down_ms: u64,
    },
    StationClock {
        station: StationNo,
        by_ms: i64,
    },
    CentreClock {
        by_ms: i64,
    },
    Cut {
        station: StationNo,
        for_ms: u64,
    },
    CentreCut {
        for_ms: u64,
    },
    PathDead {
        path: usize,
        for_ms: u64,
    },
    Loss {
        per_mille: u32,
    },
    Doubles {
        per_mille: u32,
    },
    RelayPower {
        relay: usize,
        down_ms: u64,
    },
    RelayTurns {
        relay: usize,
        conduct: Conduct,
    },
    /// Recorded datagrams are sent again, so many.
    Replay {
        times: u32,
    },
    /// Whoever has stolen the station's MAC key sends so many datagrams at once.
    Flood {
        station: StationNo,
        datagrams: u32,
    },
    /// Datagrams with changed bytes are sent, so many.
    Forge {
        times: u32,
    },
}

/// Something that happens, and when.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Planned {
    pub(super) at: u64,
    pub(super) what: What,
}

impl fmt::Display for Planned {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:>7} ms  {:?}", self.at, self.what)
    }
}

/// Draws a night.
pub(super) fn draw(rng: &mut ChaCha8Rng, slots: &[SlotNo]) -> Vec<Planned> {
    let mut plan = vec![
        Planned { at: 0, what: What::Loss { per_mille: below(rng, 5) * 100 } },
        Planned { at: 0, what: What::Doubles { per_mille: below(rng, 3) * 100 } },
    ];
    for &slot in slots {
        let variant = match below(rng, 12) {
            0 => Variant::TooMany,
            1 => Variant::Impossible,
            _ => Variant::Own,
        };
        let at = time(rng);
        plan.push(Planned { at, what: What::Seal(slot, variant) });
        if slot.0 == LIAR && below(rng, 2) == 0 {
            let variant = if below(rng, 4) == 0 { Variant::TooMany } else { Variant::Other };
            plan.push(Planned { at: at + u64::from(below(rng, 9_000)), what: What::Seal(slot, variant) });
        }
    }
    for _ in 0..10 + below(rng, 36) {
        plan.push(Planned { at: time(rng), what: fault(rng) });
    }
    for _ in 0..36 {
        let times = 5 + below(rng, 30);
        let what = if below(rng, 3) == 0 { What::Forge { times } } else { What::Replay { times } };
        plan.push(Planned { at: time(rng), what });
    }
    plan.sort_by_key(|planned| planned.at);
    plan
}

fn fault(rng: &mut ChaCha8Rng) -> What {
    let for_ms = 200 + u64::from(below(rng, 9_000));
    let down_ms = 50 + u64::from(below(rng, 6_000));
    match below(rng, 35) {
        0..=3 => What::CentrePower { operations: below(rng, 24), down_ms },
        5 | 6 | 14 | 29 | 30 => What::RestoreBackup { down_ms },
        4 | 7 => What::CentreKilled { operations: below(rng, 24), down_ms },
        8 => What::DiskFull { for_ms },
        9 => What::SyncFails { for_ms },
        10 => What::ShelfFails { for_ms },
        11 => What::BitRot,
        12 | 13 | 28 => What::Backup,
        15 => What::MemoryLost { down_ms },
        16..=19 => What::StationPower { station: station(rng), operations: below(rng, 10), down_ms },
        20 => What::StationClock { station: station(rng), by_ms: jump(rng) },
        21 => What::CentreClock { by_ms: jump(rng) },
        22 => What::Cut { station: station(rng), for_ms },
        23 => What::CentreCut { for_ms },
        24 => What::PathDead { path: below(rng, 3) as usize, for_ms },
        25 => What::Loss { per_mille: below(rng, 8) * 100 },
        26 => What::Doubles { per_mille: below(rng, 6) * 100 },
        27 => What::RelayPower { relay: below(rng, 2) as usize, down_ms },
        31 | 32 => What::Flood { station: station(rng), datagrams: 10 + below(rng, 30) },
        _ => {
            let conduct = [Conduct::Honest, Conduct::Alter, Conduct::Withhold][below(rng, 3) as usize];
            What::RelayTurns { relay: below(rng, 2) as usize, conduct }
        }
    }
}

/// From a second to two hours, forwards or back.
fn jump(rng: &mut ChaCha8Rng) -> i64 {
    let size = [1_000, 30_000, 600_000, 7_200_000][below(rng, 4) as usize];
    if below(rng, 2) == 0 { size } else { -size }
}

fn station(rng: &mut ChaCha8Rng) -> StationNo {
    StationNo(1 + below(rng, STATIONS))
}

fn time(rng: &mut ChaCha8Rng) -> u64 {
    u64::from(rng.next_u32()) % CHAOS_MS
}

fn below(rng: &mut ChaCha8Rng, bound: u32) -> u32 {
    rng.next_u32() % bound
}
