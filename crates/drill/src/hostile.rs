//! What attackers send: an endless, seeded source of datagrams for each kind, and of records for HTTP.
//!
//! Victims are stations whose keys the drill itself made, so nothing here works against an election of the real thing.

use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{Rng, SeedableRng};
use tallyproof_record::frame::{self, ATTEMPT_WINDOW, HEADER_LEN, MacKey};
use tallyproof_record::{ContestNo, SealedRecord, StationNo, cose};

use crate::population::Population;
use crate::script::DatagramKind;

/// Length of every bad-tag datagram: about that of a record of ten lines and its header.
pub const BAD_TAG_LEN: u16 = 256;
/// Most stations that attackers choose as victims.
pub const MAX_VICTIMS: usize = 16;

const GARBAGE_MAX: usize = 1_400;
/// One byte longer than any datagram that a centre looks at.
const OVERSIZED_LEN: usize = HEADER_LEN + cose::MAX_LEN + 1;
const STOLEN_MAC_BODY: usize = 208;
/// The kinds that harm victims. Each has victims of its own where there are enough stations, so that what becomes of one
/// is due to one kind.
const HARMFUL: [DatagramKind; 4] =
    [DatagramKind::Replay, DatagramKind::StolenMac, DatagramKind::StolenKey, DatagramKind::Conflict];

/// The stations that a kind of attack harms: some of the first [`MAX_VICTIMS`] stations with figures, dealt out by the
/// seed. Empty for kinds that need no victim. Those of [`DatagramKind::Conflict`] have to end quarantined.
pub fn victims(kind: DatagramKind, population: &Population<'_>) -> Vec<StationNo> {
    let slots = chosen(population);
    let Some(turn) = HARMFUL.iter().position(|&harmful| harmful == kind) else { return Vec::new() };
    dealt(turn, &slots).map(|(station, _)| station).collect()
}

/// The first stations with figures, each with its first contest, shuffled.
fn chosen(population: &Population<'_>) -> Vec<(StationNo, ContestNo)> {
    let mut slots: Vec<_> = population.slots().collect();
    slots.dedup_by_key(|(station, _)| *station);
    slots.truncate(MAX_VICTIMS);
    let mut rng = ChaCha8Rng::from_seed(population.seed().derive("victims", 0));
    slots.sort_by_cached_key(|_| rng.next_u64());
    slots
}

/// Every fourth of the chosen, beginning with the one whose turn it is.
fn dealt(turn: usize, slots: &[(StationNo, ContestNo)]) -> impl Iterator<Item = (StationNo, ContestNo)> {
    let first = turn.checked_rem(slots.len()).unwrap_or(0);
    slots.iter().copied().skip(first).step_by(HARMFUL.len())
}

/// An endless source of hostile datagrams of one kind.
#[derive(Clone, Debug)]
pub struct Hostile {
    kind: DatagramKind,
    epoch: u32,
    /// How many the register has.
    stations: u32,
    victims: Vec<Victim>,
    /// Whose turn it is among the victims.
    turn: usize,
    rng: ChaCha8Rng,
}

impl Hostile {
    /// A source of this kind. `epoch` is that of the stations' MAC keys, which follow from the population's seed. `None` if no
    /// station has figures: there is nobody to attack then.
    pub fn new(kind: DatagramKind, population: &Population<'_>, epoch: u32) -> Option<Self> {
        // What is cut short or grown beyond measure is the victims' of replay: their datagrams are known anyhow.
        let turn = HARMFUL.iter().position(|&harmful| harmful == kind).unwrap_or(0);
        let slots = chosen(population);
        let victims = dealt(turn, &slots).filter_map(|slot| Victim::new(kind, population, slot, epoch)).collect();
        let stations = u32::try_from(population.definition().election().stations().len()).unwrap_or(u32::MAX);
        let rng = ChaCha8Rng::from_seed(population.seed().derive(&format!("hostile {}", kind.as_str()), 0));
        (!slots.is_empty()).then_some(Self { kind, epoch, stations, victims, turn: 0, rng })
    }

    /// The length of every datagram, where all have the same: such can be handed to the kernel joined.
    pub fn equal_length(&self) -> Option<u16> {
        (self.kind == DatagramKind::BadTag).then_some(BAD_TAG_LEN)
    }

    /// Makes `datagram` the next hostile one. `unix_ms` is the instant on the attacker's clock, in milliseconds since
    /// 1970-01-01T00:00:00Z. Cheapest for a buffer that this source has filled before: bytes that the centre will not look
    /// at stay in it.
    pub fn write(&mut self, unix_ms: u64, datagram: &mut Vec<u8>) {
        let Self { kind, epoch, stations, victims, turn, rng } = self;
        *turn = turn.wrapping_add(1);
        match kind {
            DatagramKind::Garbage => return write_garbage(rng, datagram),
            DatagramKind::BadTag => return write_bad_tag(*stations, *epoch, frame::attempt_at(unix_ms), rng, datagram),
            // Kept from the last time in this buffer.
            DatagramKind::Oversized if datagram.len() == OVERSIZED_LEN => return,
            _ => {}
        }
        let count = victims.len().max(1);
        let Some(victim) = victims.get_mut(*turn % count) else { return };
        match kind {
            DatagramKind::StolenMac => {
                victim.body.resize(STOLEN_MAC_BODY, 0);
                rng.fill_bytes(&mut victim.body);
                *datagram = victim.encode(unix_ms);
            }
            DatagramKind::StolenKey => {
                spoil_signature(&mut victim.body, rng);
                *datagram = victim.encode(unix_ms);
            }
            DatagramKind::Conflict => *datagram = victim.encode(unix_ms),
            _ => datagram.clone_from(victim.captured(unix_ms)),
        }
        match kind {
            DatagramKind::Truncated => datagram.truncate(rng.next_u32() as usize % (HEADER_LEN + 1)),
            DatagramKind::Oversized => datagram.resize(OVERSIZED_LEN, 0),
            _ => {}
        }
    }
}

fn write_garbage(rng: &mut ChaCha8Rng, datagram: &mut Vec<u8>) {
    datagram.resize(1 + rng.next_u32() as usize % GARBAGE_MAX, 0);
    rng.fill_bytes(datagram);
}

/// A header that is right in everything that can be known without the station's MAC key.
fn write_bad_tag(stations: u32, epoch: u32, attempt: u32, rng: &mut ChaCha8Rng, datagram: &mut Vec<u8>) {
    if datagram.len() != usize::from(BAD_TAG_LEN) {
        datagram.resize(BAD_TAG_LEN.into(), 0);
        rng.fill_bytes(datagram);
    }
    let station = 1 + rng.next_u32() % stations.max(1);
    let fields = [frame::RECORD_START, station.to_be_bytes(), epoch.to_be_bytes(), attempt.to_be_bytes()];
    let Some((header, _)) = datagram.split_first_chunk_mut::<HEADER_LEN>() else { return };
    let (known, drawn) = header.split_at_mut(4 * fields.len());
    known.copy_from_slice(fields.as_flattened());
    rng.fill_bytes(drawn);
}

/// A station whose traffic was captured, or whose keys were stolen.
#[derive(Clone, Debug)]
struct Victim {
    station: StationNo,
    mac: MacKey,
    epoch: u32,
    attempt: u32,
    /// The record that is sent in its name.
    body: Vec<u8>,
    captured: Option<Vec<u8>>,
}

impl Victim {
    fn new(
        kind: DatagramKind,
        population: &Population<'_>,
        (station, contest): (StationNo, ContestNo),
        epoch: u32,
    ) -> Option<Self> {
        let record = match kind {
            DatagramKind::Conflict => population.conflicting(station, contest)?,
            _ => population.part(station, contest)?.sealed.into_iter().next()?,
        };
        let mac = MacKey::derive(&population.seed().mac_master(), population.definition().hash(), epoch, station);
        Some(Self { station, mac, epoch, attempt: 0, body: record.into_bytes(), captured: None })
    }

    /// The next datagram of someone who has the MAC key. Attempts rise as fast as datagrams are sent, up to what the centre
    /// takes from a clock that is an hour fast, and then begin anew: that spends the victim's attempts and its quota.
    fn encode(&mut self, unix_ms: u64) -> Vec<u8> {
        let now = frame::attempt_at(unix_ms);
        let latest = now.saturating_add(ATTEMPT_WINDOW);
        let next = self.attempt.saturating_add(1).max(now);
        self.attempt = if next > latest { now } else { next };
        frame::encode(self.station, self.epoch, self.attempt, &self.body, &self.mac)
    }

    /// What the victim itself sent when the attack began.
    fn captured(&mut self, unix_ms: u64) -> &Vec<u8> {
        let Self { station, mac, epoch, body, captured, .. } = self;
        captured.get_or_insert_with(|| frame::encode(*station, *epoch, frame::attempt_at(unix_ms), body, mac))
    }
}

/// An endless source of records that look genuine, none of which is: what anyone can post over HTTP.
#[derive(Clone, Debug)]
pub struct Forgeries {
    records: Vec<Vec<u8>>,
    turn: usize,
    rng: ChaCha8Rng,
}

impl Forgeries {
    /// Forgeries of the records of victims. `None` if no station has figures.
    pub fn new(population: &Population<'_>) -> Option<Self> {
        let sealed = |(station, contest)| population.part(station, contest)?.sealed.into_iter().next();
        let records: Vec<_> = chosen(population).into_iter().filter_map(sealed).map(SealedRecord::into_bytes).collect();
        let rng = ChaCha8Rng::from_seed(population.seed().derive("forgeries", 0));
        (!records.is_empty()).then_some(Self { records, turn: 0, rng })
    }

    /// The next forgery; never the same twice.
    pub fn next_record(&mut self) -> &[u8] {
        self.turn = self.turn.wrapping_add(1) % self.records.len().max(1);
        let Some(record) = self.records.get_mut(self.turn) else { return &[] };
        spoil_signature(record, &mut self.rng);
        record
    }
}

/// Changes the middle of a record's Ed25519 signature, which is its last 64 bytes: the lower half of S. What is left is a
/// well-formed signature, so that it costs the centre the whole check.
fn spoil_signature(record: &mut [u8], rng: &mut ChaCha8Rng) {
    let from = record.len().saturating_sub(32);
    rng.fill_bytes(record.get_mut(from..from + 16).unwrap_or_default());
}

#[cfg(test)]
mod tests {
    use std::collections::{BTreeMap, BTreeSet};
    use std::num::NonZeroU32;

    use tallyproof_centre::gate::{Gate, Reason, Verdict};
    use tallyproof_record::definition::Committed;
    use tallyproof_record::definition::results::Results;

    use super::*;
    use crate::keys::Seed;
    use crate::network::Chance;
    use crate::synthetic;

    const SEED: Seed = Seed(3);
    const EPOCH: u32 = 1;
    const NOW: u64 = 1_800_000_000_000;

    fn world(stations: u32) -> (Committed, Results) {
        let made = synthetic::election(NonZeroU32::new(stations).unwrap(), SEED).unwrap();
        let definition = made.election.with_keys(|no| SEED.station_key(no).verifying_key().into()).commit();
        (definition, made.results)
    }

    fn population(world: &(Committed, Results)) -> Population<'_> {
        Population::new(&world.0, &world.1, SEED, Chance::NEVER).unwrap()
    }

    /// What a gate says to datagrams of one kind, a millisecond apart: `None` is admitted.
    fn verdicts(kind: DatagramKind, count: u64) -> BTreeMap<Option<Reason>, u64> {
        let world = world(40);
        let mut gate = Gate::new(&world.0, &SEED.mac_master(), EPOCH);
        let mut hostile = Hostile::new(kind, &population(&world), EPOCH).unwrap();
        let mut datagram = Vec::new();
        let mut verdicts = BTreeMap::new();
        for now in (NOW..).take(usize::try_from(count).unwrap()) {
            hostile.write(now, &mut datagram);
            assert!(hostile.equal_length().is_none_or(|length| datagram.len() == usize::from(length)));
            let verdict = match gate.admit(now, &datagram) {
                Verdict::Drop(reason) => Some(reason),
                Verdict::Admit { station, body, .. } => {
                    assert!(victims(kind, &population(&world)).contains(&station), "{kind:?} {station:?}");
                    check_body(kind, &world.0, station, body);
                    None
                }
            };
            *verdicts.entry(verdict).or_default() += 1;
        }
        verdicts
    }

    fn check_body(kind: DatagramKind, definition: &Committed, station: StationNo, body: &[u8]) {
        let key = *definition.election().station(station).unwrap().key.as_ref().unwrap().verifying();
        let genuine = population(&world(40)).part(station, ContestNo(1)).unwrap().sealed.remove(0);
        let holds = cose::open(body).map(|record| record.verify(&key).is_ok()).ok();
        match kind {
            DatagramKind::Replay => assert_eq!(body, genuine.as_bytes()),
            DatagramKind::StolenMac => assert_eq!(holds, None),
            DatagramKind::StolenKey => assert_eq!(holds, Some(false)),
            DatagramKind::Conflict => assert!(holds == Some(true) && body != genuine.as_bytes()),
            other => panic!("{other:?} passed the gate"),
        }
    }

    #[test]
    fn what_needs_no_key_is_dropped_for_its_kind() {
        let all = |reason| BTreeMap::from([(Some(reason), 2_000)]);
        assert_eq!(verdicts(DatagramKind::Truncated, 2_000), all(Reason::Short));
        assert_eq!(verdicts(DatagramKind::Oversized, 2_000), all(Reason::Long));
        assert_eq!(verdicts(DatagramKind::BadTag, 2_000), all(Reason::Tag));
        let garbage = verdicts(DatagramKind::Garbage, 2_000);
        assert_eq!(garbage.keys().copied().collect::<Vec<_>>(), [Some(Reason::Short), Some(Reason::Magic)]);
    }

    #[test]
    fn replays_deliver_once() {
        assert_eq!(verdicts(DatagramKind::Replay, 2_000), BTreeMap::from([(None, 4), (Some(Reason::Replay), 1_996)]));
    }

    #[test]
    fn stolen_keys_buy_a_quota() {
        for kind in [DatagramKind::StolenMac, DatagramKind::StolenKey, DatagramKind::Conflict] {
            let verdicts = verdicts(kind, 10_000);
            // Ten seconds at four a second and a burst, for each of four victims.
            let admitted = verdicts[&None];
            assert!((100..=4 * (40 + 20)).contains(&admitted), "{kind:?} {verdicts:?}");
            assert!(
                verdicts.keys().flatten().all(|reason| matches!(reason, Reason::Quota | Reason::Replay)),
                "{verdicts:?}"
            );
        }
    }

    #[test]
    fn attempts_stay_within_the_hour_that_a_clock_may_be_wrong() {
        let world = world(4);
        let mut hostile = Hostile::new(DatagramKind::StolenMac, &population(&world), EPOCH).unwrap();
        let mut datagram = Vec::new();
        for _ in 0..20_000 {
            hostile.write(NOW, &mut datagram);
            let attempt = frame::Frame::parse(&datagram).unwrap().header.attempt;
            assert!(attempt.abs_diff(frame::attempt_at(NOW)) <= ATTEMPT_WINDOW);
        }
    }

    #[test]
    fn victims_are_few_and_each_kind_has_its_own() {
        let world = world(40);
        let all: Vec<_> = HARMFUL.iter().flat_map(|&kind| victims(kind, &population(&world))).collect();
        assert!(all.iter().all(|station| station.index() < MAX_VICTIMS));
        assert_eq!((all.len(), all.iter().collect::<BTreeSet<_>>().len()), (MAX_VICTIMS, MAX_VICTIMS));
        assert_eq!(victims(DatagramKind::BadTag, &population(&world)), []);
        let lonely = self::world(1);
        assert_eq!(victims(DatagramKind::Conflict, &population(&lonely)), [StationNo(1)]);
    }

    #[test]
    fn nobody_is_attacked_where_nobody_has_figures() {
        let (definition, _) = world(3);
        let empty = (definition, Results::new());
        assert!(Hostile::new(DatagramKind::Replay, &population(&empty), EPOCH).is_none());
        assert!(Forgeries::new(&population(&empty)).is_none());
    }

    #[test]
    fn forgeries_open_and_differ_and_never_verify() {
        let world = world(40);
        let mut forgeries = Forgeries::new(&population(&world)).unwrap();
        let mut seen = BTreeSet::new();
        for _ in 0..100 {
            let record = forgeries.next_record().to_vec();
            let open = cose::open(&record).unwrap();
            let key =
                world.0.election().station(open.tally.station).unwrap().key.as_ref().unwrap().verifying().to_owned();
            assert!(open.verify(&key).is_err());
            assert!(seen.insert(record));
        }
    }
}
