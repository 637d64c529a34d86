//! The election of a simulation, with everything that costs signatures made once: every seed runs in the same country.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use ed25519_dalek::{SigningKey, VerifyingKey};
use tallyproof_count::{Judged, judge_record};
use tallyproof_log::note::{KeyName, SignerKey};
use tallyproof_record::cose::{self, RecordDigest, SealedRecord};
use tallyproof_record::definition::package::{self, Files};
use tallyproof_record::definition::{Committed, StationKey};
use tallyproof_record::frame::MacKey;
use tallyproof_record::rules::{self, Severity};
use tallyproof_record::{ContestNo, Phase, Problem, StationNo, Tally};
use tallyproof_station::StationIdentity;
use thiserror::Error;

use crate::keys::Seed;

/// Polling stations of the country.
pub const STATIONS: u32 = 6;
/// Generation of the MAC keys.
pub(super) const EPOCH: u32 = 1;
/// Voters on each roll.
const ROLL: u32 = 1_000;
const LINES: u32 = 3;
/// 2027-01-15T08:00:00Z, in milliseconds: when the simulated night begins.
pub(super) const BEGIN: u64 = 1_800_000_000_000;

/// What a station's record is like.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) enum Variant {
    /// Its figures.
    Own,
    /// The same figures, sealed a minute later: what an officer makes whose first seal was lost with the power.
    Again,
    /// Other figures under the same key.
    Other,
    /// More votes than voters on the roll: quarantined.
    TooMany,
    /// A count that no station can hold: rejected.
    Impossible,
}

impl Variant {
    const ALL: [Self; 5] = [Self::Own, Self::Again, Self::Other, Self::TooMany, Self::Impossible];
}

/// A station in a contest.
pub(super) type SlotNo = (StationNo, ContestNo);

/// What the simulator itself knows of a record: it never asks the code under test.
#[derive(Clone, Debug)]
pub(super) struct Fact {
    pub(super) slot: SlotNo,
    pub(super) severity: Option<Severity>,
    pub(super) counts: Vec<u32>,
    /// What the count says of it, kept so that a live ledger can be rebuilt without checking a signature again.
    pub(super) judged: Judged,
}

/// The country could not be made: a fault of the program.
#[derive(Debug, Error)]
pub enum CountryError {
    /// Its package is not a definition.
    #[error("the simulated election is not valid: {0:?}")]
    Package(Vec<Problem>),
    /// Its log has no name.
    #[error(transparent)]
    Name(#[from] tallyproof_log::note::KeyNameError),
}

/// The election, its keys, and every record that anybody could seal in it.
pub struct Country {
    pub(super) definition: Arc<Committed>,
    pub(super) log: SignerKey,
    pub(super) receipts: SigningKey,
    pub(super) receipts_public: VerifyingKey,
    pub(super) mac: [u8; 32],
    pub(super) slots: Vec<SlotNo>,
    records: BTreeMap<(SlotNo, Variant), SealedRecord>,
    pub(super) facts: HashMap<RecordDigest, Fact>,
    identities: Vec<StationIdentity>,
}

impl Country {
    /// Makes the country: some hundred signatures.
    pub fn new() -> Result<Self, CountryError> {
        let seed = Seed(1);
        let election = package::parse(&files()).map_err(CountryError::Package)?;
        let definition =
            Arc::new(election.with_keys(|no| StationKey::from(seed.station_key(no).verifying_key())).commit());
        let name: KeyName = "log.example/sim".parse()?;
        let receipts = SigningKey::from_bytes(&seed.log_key());
        let slots: Vec<SlotNo> =
            (1..=STATIONS).flat_map(|no| [1, 2].map(|contest| (StationNo(no), ContestNo(contest)))).collect();
        let mut country = Self {
            log: SignerKey::new(name, &seed.log_key()),
            receipts_public: receipts.verifying_key(),
            receipts,
            mac: seed.mac_master(),
            slots,
            records: BTreeMap::new(),
            facts: HashMap::new(),
            identities: Vec::new(),
            definition,
        };
        country.seal_everything(seed);
        country.identities = (1..=STATIONS).map(|no| country.identity_of(StationNo(no))).collect();
        Ok(country)
    }

    fn seal_everything(&mut self, seed: Seed) {
        for slot in self.slots.clone() {
            for variant in Variant::ALL {
                let tally = tally(&self.definition, slot, variant);
                let record = cose::seal(&tally, &seed.station_key(slot.0));
                let fact = Fact {
                    slot,
                    severity: rules::worst(&rules::check(&self.definition, &tally)),
                    judged: judge_record(&self.definition, record.as_bytes()),
                    counts: tally.counts,
                };
                self.facts.insert(record.digest(), fact);
                self.records.insert((slot, variant), record);
            }
        }
    }

    fn identity_of(&self, station: StationNo) -> StationIdentity {
        let election = *self.definition.hash();
        let mac = MacKey::derive(&self.mac, &election, EPOCH, station);
        StationIdentity { station, epoch: EPOCH, mac, election, log_key: self.receipts_public }
    }

    pub(super) fn identity(&self, station: StationNo) -> Option<&StationIdentity> {
        self.identities.get(station.index())
    }

    pub(super) fn record(&self, slot: SlotNo, variant: Variant) -> Option<&SealedRecord> {
        self.records.get(&(slot, variant))
    }
}

fn tally(definition: &Committed, (station, contest): SlotNo, variant: Variant) -> Tally {
    let mut counts: Vec<u32> = (1..=LINES).map(|line| 10 * station.0 + 7 * line + u32::from(contest.0)).collect();
    let sealed_at = BEGIN / 1000 + if variant == Variant::Again { 60 } else { 0 };
    match variant {
        Variant::Own | Variant::Again => {}
        Variant::Other => counts.reverse(),
        Variant::TooMany => counts[0] = ROLL + 500,
        Variant::Impossible => counts[0] = u32::MAX,
    }
    Tally::new(*definition.hash(), Phase::Drill, station, contest, sealed_at, counts)
}

fn files() -> Files {
    let toml = "format = 1\nid = \"sim\"\nname = \"Simulated election\"\ndate = \"2027-01-15\"\nphase = \"drill\"\n\n\
                [[contest]]\nid = \"council\"\nname = \"Council\"\narea = \"all\"\n\n\
                [[contest]]\nid = \"mayor\"\nname = \"Mayor\"\narea = \"all\"\n";
    let stations: Vec<String> = (1..=STATIONS).map(|no| format!("s{no},a{},{ROLL}\n", 1 + no % 2)).collect();
    let lines = |contest: &str| (1..=LINES).map(|line| format!("{contest},l{line}\n")).collect::<String>();
    let files = [
        ("election.toml", toml.to_owned()),
        ("areas.csv", "id,parent,name,kind\nall,,All,country\na1,all,North,region\na2,all,South,region\n".to_owned()),
        ("stations.csv", format!("id,area,registered\n{}", stations.concat())),
        ("ballot.csv", format!("contest,line\n{}{}", lines("council"), lines("mayor"))),
    ];
    files.into_iter().map(|(name, text)| (name.to_owned(), text.into_bytes())).collect()
}
