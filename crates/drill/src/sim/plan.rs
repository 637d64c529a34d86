//! What happens in a seed's night: who seals what when, and what breaks. A list, so that it can be shortened, written down and
//! read back.

mod text;

use std::fmt;

use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::Rng;
use tallyproof_record::{ContestNo, StationNo};

use super::country::{CONTESTS, Country, STATIONS, SlotNo, Variant};
use super::disk::Misread;
use super::relay::Conduct;
use super::statement::Matter;
use text::{Field, Fields};

/// Relays of the country.
pub(super) const RELAYS: usize = 2;
/// The station whose officer signs second records. Every other one keeps to its queue.
pub(super) const LIAR: StationNo = StationNo(STATIONS);
/// The station whose second key the authority may enrol.
pub(super) const REKEYED: StationNo = StationNo(5);
/// When the last planned thing happens, in milliseconds from the beginning.
pub(super) const CHAOS_MS: u64 = 90_000;

/// Makes the list of what can happen, with the words that stand for it in a file.
macro_rules! happenings {
    ($($(#[doc = $doc:literal])+ $name:ident $word:literal { $($field:ident: $kind:ty),* },)*) => {
        /// Something that happens.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub(super) enum What { $($(#[doc = $doc])+ $name { $($field: $kind),* },)* }

        impl fmt::Display for What {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                match self {
                    $(Self::$name { $($field),* } => {
                        f.write_str($word)?;
                        $(write!(f, " {}={}", stringify!($field), $field.word())?;)*
                        Ok(())
                    })*
                }
            }
        }

        impl What {
            /// Reads what was displayed.
            fn read(text: &str) -> Option<Self> {
                let mut fields = Fields::of(text);
                let read = match fields.name()? {
                    $($word => Self::$name { $($field: fields.take(stringify!($field))?),* },)*
                    _ => return None,
                };
                fields.end().then_some(read)
            }
        }
    };
}

happenings! {
    /// An officer seals.
    Seal "seal" { station: StationNo, contest: ContestNo, variant: Variant },
    /// The power of the centre's disk fails after so many operations.
    CentrePower "centre-power" { operations: u32, down_ms: u64 },
    /// The centre's program is killed after so many operations of its disk, which keeps its power.
    CentreKilled "centre-killed" { operations: u32, down_ms: u64 },
    /// The journal's disk has no room.
    DiskFull "disk-full" { for_ms: u64 },
    /// Syncs fail.
    SyncFails "sync-fails" { for_ms: u64 },
    /// The bundle cannot be written.
    ShelfFails "shelf-fails" { for_ms: u64 },
    /// The next reading of a file gives other bytes, once.
    Misread "misread" { file: Misread, short: bool },
    /// A bit of a published tile flips for good.
    TileRots "tile-rots" { pick: u32 },
    /// Somebody copies the journal.
    Backup "backup" { },
    /// The centre is stopped, an old copy of the journal put in place, and the centre started.
    RestoreBackup "restore-backup" { down_ms: u64 },
    /// Somebody copies the whole disk of the centre.
    MachineBackup "machine-backup" { },
    /// The centre is stopped and started on an old copy of its whole disk, if a witness that can be reached has cosigned more than is on
    /// that copy: it must not start.
    RestoreMachine "restore-machine" { down_ms: u64 },
    /// The file with the last signed checkpoint is lost while the centre is down.
    MemoryLost "memory-lost" { down_ms: u64 },
    /// The power of a station fails after so many operations of its disk.
    StationPower "station-power" { station: StationNo, operations: u32 },
    /// A station's clock is set.
    StationClock "station-clock" { station: StationNo, by_ms: i64 },
    /// A station's clock runs fast or slow from now on, by so many seconds in a million.
    StationDrift "station-drift" { station: StationNo, ppm: i64 },
    /// The centre's clock is set.
    CentreClock "centre-clock" { by_ms: i64 },
    /// The centre's clock runs fast or slow from now on.
    CentreDrift "centre-drift" { ppm: i64 },
    /// A station is cut off.
    Cut "cut" { station: StationNo, for_ms: u64 },
    /// The centre is cut off.
    CentreCut "centre-cut" { for_ms: u64 },
    /// A station has another address: what is on its way to the old one is lost.
    PathChange "path-change" { station: StationNo },
    /// A path carries nothing.
    PathDead "path-dead" { path: usize, for_ms: u64 },
    /// So many of 1,000 messages are lost from now on.
    Loss "loss" { per_mille: u32 },
    /// So many of 1,000 messages come twice from now on.
    Doubles "doubles" { per_mille: u32 },
    /// A relay loses its power.
    RelayPower "relay-power" { relay: usize, down_ms: u64 },
    /// A relay is another's from now on.
    RelayTurns "relay-turns" { relay: usize, conduct: Conduct },
    /// Recorded datagrams are sent again, so many.
    Replay "replay" { times: u32 },
    /// Whoever has stolen the station's MAC key sends so many datagrams at once.
    Flood "flood" { station: StationNo, datagrams: u32 },
    /// Datagrams with changed bytes are sent, so many.
    Forge "forge" { times: u32 },
    /// A statement is drafted, and so many sign it, each on a copy of his own that goes its own way.
    State "state" { matter: Matter, station: StationNo, contest: ContestNo, signers: u32, apart_ms: u64 },
    /// A witness belongs to the centre's operator, and cosigns whatever it is shown.
    WitnessLies "witness-lies" { witness: usize },
    /// The power of a witness fails after so many operations of its disk.
    WitnessPower "witness-power" { witness: usize, operations: u32, down_ms: u64 },
    /// A witness cannot be reached.
    WitnessOffline "witness-offline" { witness: usize, for_ms: u64 },
    /// The folder of a witness is lost, all but its key.
    WitnessLost "witness-lost" { witness: usize },
    /// Somebody copies the folder of a witness.
    WitnessBackup "witness-backup" { witness: usize },
    /// An old copy of its folder is put in place of a witness's, as nobody may.
    WitnessRestored "witness-restored" { witness: usize, down_ms: u64 },
    /// The centre's operator begins a second history, so many batches back, and shows it to the second audience.
    Fork "fork" { batches_back: u32 },
    /// The second history grows, so many times.
    ForkGrows "fork-grows" { times: u32 },
    /// One audience is shown the other history from now on.
    Switch "switch" { audience: usize },
    /// One audience is shown nothing new.
    Withhold "withhold" { audience: usize, for_ms: u64 },
}

/// Something that happens, and when.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Planned {
    pub(super) at: u64,
    pub(super) what: What,
}

impl fmt::Display for Planned {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:>7} ms  {}", self.at, self.what)
    }
}

impl Planned {
    /// Reads what was displayed.
    pub(super) fn read(line: &str) -> Option<Self> {
        let (at, what) = line.trim().split_once(" ms ")?;
        Some(Self { at: at.parse().ok()?, what: What::read(what)? })
    }
}

/// Draws a night.
pub(super) fn draw(rng: &mut ChaCha8Rng, country: &Country) -> Vec<Planned> {
    let mut plan = vec![
        Planned { at: 0, what: What::Loss { per_mille: below(rng, 5) * 100 } },
        Planned { at: 0, what: What::Doubles { per_mille: below(rng, 3) * 100 } },
    ];
    for &slot in &country.slots {
        seals(rng, slot, &mut plan);
    }
    for _ in 0..10 + below(rng, 40) {
        plan.push(Planned { at: time(rng), what: fault(rng) });
    }
    for _ in 0..36 {
        let times = 5 + below(rng, 30);
        let what = if below(rng, 4) == 0 { What::Forge { times } } else { What::Replay { times } };
        plan.push(Planned { at: time(rng), what });
    }
    for _ in 0..below(rng, 4) {
        let at = time(rng);
        plan.push(Planned { at, what: statement(rng) });
    }
    // Whether it is found costs a verification of the whole bundle.
    if below(rng, 8) == 0 {
        plan.push(Planned { at: time(rng), what: What::TileRots { pick: below(rng, 1_000) } });
    }
    if country.witnesses() > 0 {
        witnesses(rng, country.witnesses(), &mut plan);
    }
    plan.sort_by_key(|planned| planned.at);
    plan
}

fn seals(rng: &mut ChaCha8Rng, (station, contest): SlotNo, plan: &mut Vec<Planned>) {
    let variant = match below(rng, 12) {
        0 => Variant::TooMany,
        1 => Variant::Impossible,
        _ if station == REKEYED && below(rng, 2) == 0 => Variant::Rekeyed,
        _ => Variant::Own,
    };
    let at = time(rng);
    plan.push(Planned { at, what: What::Seal { station, contest, variant } });
    if variant == Variant::Rekeyed {
        let what = What::State { matter: Matter::Enrol, station, contest, signers: 2, apart_ms: 500 };
        plan.push(Planned { at: at / 2, what });
    }
    if station == LIAR && below(rng, 2) == 0 {
        let variant = if below(rng, 4) == 0 { Variant::TooMany } else { Variant::Other };
        let at = at + u64::from(below(rng, 9_000));
        plan.push(Planned { at, what: What::Seal { station, contest, variant } });
    }
}

fn fault(rng: &mut ChaCha8Rng) -> What {
    let for_ms = 200 + u64::from(below(rng, 9_000));
    let down_ms = 50 + u64::from(below(rng, 6_000));
    match below(rng, 39) {
        0..=3 => What::CentrePower { operations: below(rng, 24), down_ms },
        5 | 6 | 14 | 29 | 30 => What::RestoreBackup { down_ms },
        4 | 7 => What::CentreKilled { operations: below(rng, 24), down_ms },
        8 => What::DiskFull { for_ms },
        9 => What::SyncFails { for_ms },
        10 => What::ShelfFails { for_ms },
        11 | 32 => What::Misread { file: pick(rng, &Misread::ALL), short: below(rng, 2) == 0 },
        12 | 13 | 28 => What::Backup {},
        15 => What::MemoryLost { down_ms },
        16..=19 => What::StationPower { station: station(rng), operations: below(rng, 10) },
        20 => What::StationClock { station: station(rng), by_ms: jump(rng) },
        21 => What::CentreClock { by_ms: jump(rng) },
        22 => What::Cut { station: station(rng), for_ms },
        23 => What::CentreCut { for_ms },
        24 => What::PathDead { path: below(rng, 3) as usize, for_ms },
        25 => What::Loss { per_mille: below(rng, 8) * 100 },
        26 => What::Doubles { per_mille: below(rng, 6) * 100 },
        27 => What::RelayPower { relay: below(rng, 2) as usize, down_ms },
        31 => What::Flood { station: station(rng), datagrams: 10 + below(rng, 30) },
        33 => What::StationDrift { station: station(rng), ppm: drift(rng) },
        34 => What::CentreDrift { ppm: drift(rng) },
        35 | 36 => What::PathChange { station: station(rng) },
        _ => {
            let conduct = pick(rng, &Conduct::ALL);
            What::RelayTurns { relay: below(rng, 2) as usize, conduct }
        }
    }
}

fn statement(rng: &mut ChaCha8Rng) -> What {
    let contest = pick(rng, &[ContestNo(1), ContestNo(CONTESTS)]);
    let matter = pick(rng, &Matter::DRAWN);
    let signers = [1, 2, 2, 3, 3][below(rng, 5) as usize];
    let apart_ms = if below(rng, 3) == 0 { 0 } else { u64::from(below(rng, 9_000)) };
    What::State { matter, station: station(rng), contest, signers, apart_ms }
}

/// What befalls the witnesses, and what the centre's operator does to the two audiences.
fn witnesses(rng: &mut ChaCha8Rng, number: usize, plan: &mut Vec<Planned>) {
    let witness = |rng: &mut ChaCha8Rng| rng.next_u32() as usize % number;
    for _ in 0..below(rng, 9) {
        let (at, down_ms) = (time(rng), 100 + u64::from(below(rng, 6_000)));
        let what = match below(rng, 9) {
            6 => What::MachineBackup {},
            7 | 8 => What::RestoreMachine { down_ms },
            0 | 1 => What::WitnessPower { witness: witness(rng), operations: below(rng, 6), down_ms },
            2 => What::WitnessOffline { witness: witness(rng), for_ms: 4 * down_ms },
            3 => What::WitnessBackup { witness: witness(rng) },
            4 => What::WitnessRestored { witness: witness(rng), down_ms },
            _ => What::WitnessLost { witness: witness(rng) },
        };
        plan.push(Planned { at, what });
    }
    // Some operators are honest.
    if below(rng, 3) == 0 {
        return;
    }
    for witness in 0..number {
        if below(rng, 5) < 2 {
            plan.push(Planned { at: 0, what: What::WitnessLies { witness } });
        }
    }
    let begin = time(rng) * 2 / 3;
    plan.push(Planned { at: begin, what: What::Fork { batches_back: below(rng, 4) } });
    plan.push(Planned { at: begin, what: What::ForkGrows { times: 3 + below(rng, 8) } });
    for _ in 0..below(rng, 3) {
        let audience = below(rng, 2) as usize;
        let what = if below(rng, 2) == 0 {
            What::Switch { audience }
        } else {
            What::Withhold { audience, for_ms: u64::from(below(rng, 30_000)) }
        };
        plan.push(Planned { at: begin + u64::from(below(rng, 40_000)), what });
    }
}

/// From a second to two hours, forwards or back.
fn jump(rng: &mut ChaCha8Rng) -> i64 {
    let size = [1_000, 30_000, 600_000, 7_200_000][below(rng, 4) as usize];
    if below(rng, 2) == 0 { size } else { -size }
}

/// From what a bad clock does to what a broken one does.
fn drift(rng: &mut ChaCha8Rng) -> i64 {
    let size = [200, 20_000, 200_000][below(rng, 3) as usize];
    if below(rng, 2) == 0 { size } else { -size }
}

fn station(rng: &mut ChaCha8Rng) -> StationNo {
    StationNo(1 + below(rng, STATIONS))
}

fn time(rng: &mut ChaCha8Rng) -> u64 {
    u64::from(rng.next_u32()) % CHAOS_MS
}

fn pick<T: Copy>(rng: &mut ChaCha8Rng, from: &[T]) -> T {
    from[rng.next_u32() as usize % from.len()]
}

fn below(rng: &mut ChaCha8Rng, bound: u32) -> u32 {
    rng.next_u32() % bound
}
