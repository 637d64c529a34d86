//! The countries of a simulation, with everything that costs signatures made once: they differ in their witnesses, and in how long
//! their log is when the night begins.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use ed25519_dalek::{SigningKey, VerifyingKey};
use tallyproof_centre::Intake;
use tallyproof_centre::intake::{Authentic, Refusal};
use tallyproof_count::{Judged, Trust, judge_record, policy};
use tallyproof_log::cosignature::CosignerKey;
use tallyproof_log::note::{KeyNameError, SignerKey};
use tallyproof_log::policy::{Policy, PolicyError};
use tallyproof_record::cose::{self, RecordDigest, SealedRecord};
use tallyproof_record::definition::package::{self, Files};
use tallyproof_record::definition::{Agent, Authority, Committed, Member, StationKey};
use tallyproof_record::frame::MacKey;
use tallyproof_record::rules::{self, Severity};
use tallyproof_record::{ContestNo, Phase, Problem, StationNo, Tally};
use tallyproof_station::StationIdentity;
use thiserror::Error;

use crate::keys::Seed;

/// Polling stations that are awake in the night.
pub(super) const STATIONS: u32 = 6;
/// Contests in which each votes.
pub(super) const CONTESTS: u16 = 2;
/// Members of the authority, and how many of them have to sign.
const MEMBERS: u32 = 3;
pub(super) const THRESHOLD: usize = 2;
/// Agents who endorse records.
pub(super) const AGENTS: u32 = 2;
/// Generation of the MAC keys.
pub(super) const EPOCH: u32 = 1;
/// Voters on each roll.
const ROLL: u32 = 1_000;
/// Ballot lines of each contest.
pub(super) const LINES: usize = 3;
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
    /// Its figures under its second key, which counts from when the authority has enrolled it.
    Rekeyed,
}

impl Variant {
    pub(super) const ALL: [Self; 6] =
        [Self::Own, Self::Again, Self::Other, Self::TooMany, Self::Impossible, Self::Rekeyed];
}

/// A station in a contest.
pub(super) type SlotNo = (StationNo, ContestNo);

/// What the simulator itself knows of a record: it never asks the code under test.
#[derive(Clone, Debug)]
pub(super) struct Fact {
    pub(super) slot: SlotNo,
    pub(super) variant: Variant,
    pub(super) severity: Option<Severity>,
    pub(super) counts: Vec<u32>,
    /// What the count says of it, kept so that a live ledger can be rebuilt without checking a signature again.
    pub(super) judged: Judged,
}

/// A country could not be made: a fault of the program.
#[derive(Debug, Error)]
pub enum CountryError {
    /// Its package is not a definition.
    #[error("the simulated election is not valid: {0:?}")]
    Package(Vec<Problem>),
    /// A key has no name.
    #[error(transparent)]
    Name(#[from] KeyNameError),
    /// Its witness policy is none.
    #[error(transparent)]
    Policy(#[from] PolicyError),
    /// It has no authority.
    #[error("the simulated authority is not possible")]
    Authority,
    /// A night is to be run in a country that does not exist.
    #[error("there is no country {0}")]
    Unknown(String),
}

/// What distinguishes a country.
#[derive(Clone, Copy, Debug)]
struct Kind {
    name: &'static str,
    /// How many of how many witnesses a checkpoint needs.
    quorum: Option<(usize, usize)>,
    /// Stations whose records are in the log before the night begins.
    quiet: u32,
    /// Of a hundred nights.
    share: u32,
}

/// With k of n, liars up to 2k − n − 1 cannot show two histories: here from −1, where honest witnesses are not enough, to 2.
const KINDS: [Kind; 7] = [
    Kind { name: "no-witness", quorum: None, quiet: 0, share: 79 },
    Kind { name: "1-of-1", quorum: Some((1, 1)), quiet: 0, share: 2 },
    Kind { name: "2-of-3", quorum: Some((2, 3)), quiet: 0, share: 5 },
    Kind { name: "2-of-4", quorum: Some((2, 4)), quiet: 0, share: 3 },
    Kind { name: "3-of-4", quorum: Some((3, 4)), quiet: 0, share: 5 },
    Kind { name: "4-of-5", quorum: Some((4, 5)), quiet: 0, share: 5 },
    Kind { name: "2-of-3-full", quorum: Some((2, 3)), quiet: 125, share: 1 },
];

/// Every country in which nights are run.
pub struct Countries(Vec<Country>);

impl Countries {
    /// Makes them: some thousand signatures.
    pub fn new() -> Result<Self, CountryError> {
        KINDS.into_iter().map(Country::new).collect::<Result<_, _>>().map(Self)
    }

    /// The country that a number below 2^32 falls on.
    pub(super) fn pick(&self, luck: u32) -> Option<&Country> {
        let mut luck = luck % KINDS.iter().map(|kind| kind.share).sum::<u32>();
        let picked = |kind: &Kind| {
            let here = luck < kind.share;
            luck = luck.saturating_sub(kind.share);
            here
        };
        self.0.get(KINDS.iter().position(picked)?)
    }

    pub(super) fn named(&self, name: &str) -> Result<&Country, CountryError> {
        self.0.iter().find(|country| country.name == name).ok_or_else(|| CountryError::Unknown(name.to_owned()))
    }
}

/// The election, its keys, and every record that anybody could seal in it.
pub(super) struct Country {
    pub(super) name: &'static str,
    pub(super) quorum: Option<(usize, usize)>,
    pub(super) definition: Arc<Committed>,
    pub(super) policy: Policy,
    pub(super) log: SignerKey,
    pub(super) receipts: SigningKey,
    pub(super) receipts_public: VerifyingKey,
    pub(super) mac: [u8; 32],
    pub(super) members: Vec<SigningKey>,
    pub(super) agents: Vec<SigningKey>,
    /// Those of the stations that are awake.
    pub(super) slots: Vec<SlotNo>,
    records: BTreeMap<(SlotNo, Variant), SealedRecord>,
    pub(super) facts: HashMap<RecordDigest, Fact>,
    /// What the real intake says of each record whose key the register has: signatures hold or not whenever they are asked.
    pub(super) authentic: HashMap<RecordDigest, Authentic>,
    /// Records in the journal before the night begins.
    pub(super) early: Vec<RecordDigest>,
    identities: Vec<StationIdentity>,
}

const SEED: Seed = Seed(1);

impl Country {
    fn new(kind: Kind) -> Result<Self, CountryError> {
        let stations = STATIONS + kind.quiet;
        let key = |purpose: &str, number| SigningKey::from_bytes(&SEED.derive(purpose, number));
        let members: Vec<_> = (0..MEMBERS).map(|no| key("member", no)).collect();
        let agents: Vec<_> = (0..AGENTS).map(|no| key("agent", no)).collect();
        let election = package::parse(&files(stations)).map_err(CountryError::Package)?;
        let definition = election
            .with_keys(|no| StationKey::from(SEED.station_key(no).verifying_key()))
            .with_signatories(authority(&members)?, agents_of(&agents))
            .with_policy_lines(policy_lines(kind.quorum, "w")?)
            .commit();
        let log = SignerKey::new("log.example/sim".parse()?, &SEED.log_key());
        let receipts = SigningKey::from_bytes(&SEED.log_key());
        let slots = |from: u32, to: u32| {
            (from..=to).flat_map(|no| (1..=CONTESTS).map(move |contest| (StationNo(no), ContestNo(contest))))
        };
        let mut country = Self {
            name: kind.name,
            quorum: kind.quorum,
            policy: policy::of_lines(definition.election().policy_lines(), log.verifier())?,
            definition: Arc::new(definition),
            log,
            receipts_public: receipts.verifying_key(),
            receipts,
            mac: SEED.mac_master(),
            members,
            agents,
            slots: slots(1, STATIONS).collect(),
            records: BTreeMap::new(),
            facts: HashMap::new(),
            authentic: HashMap::new(),
            early: Vec::new(),
            identities: Vec::new(),
        };
        let intake = Intake::new(Arc::clone(&country.definition));
        for slot in country.slots.clone() {
            for variant in Variant::ALL {
                country.seal(&intake, slot, variant);
            }
        }
        country.early = slots(STATIONS + 1, stations).map(|slot| country.seal(&intake, slot, Variant::Own)).collect();
        country.identities = (1..=STATIONS).map(|no| country.identity_of(StationNo(no))).collect();
        Ok(country)
    }

    fn seal(&mut self, intake: &Intake, slot: SlotNo, variant: Variant) -> RecordDigest {
        let tally = tally(&self.definition, slot, variant);
        let key = if variant == Variant::Rekeyed { second_key(slot.0) } else { SEED.station_key(slot.0) };
        let record = cose::seal(&tally, &key);
        let digest = record.digest();
        let fact = Fact {
            slot,
            variant,
            severity: rules::worst(&rules::check(&self.definition, &tally)),
            judged: judge_record(&self.definition, record.as_bytes()),
            counts: tally.counts,
        };
        if let Ok(authentic) = intake.admit(record.as_bytes().to_vec()) {
            self.authentic.insert(digest, authentic);
        }
        self.facts.insert(digest, fact);
        self.records.insert((slot, variant), record);
        digest
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

    /// Witnesses of the policy.
    pub(super) fn witnesses(&self) -> usize {
        self.quorum.map_or(0, |(_, of)| of)
    }

    /// How many witnesses may lie and nobody can be shown a second history; below zero where even honest ones are too few.
    pub(super) fn bound(&self) -> i64 {
        let Some((needed, of)) = self.quorum else { return -1 };
        let count = |number: usize| i64::try_from(number).unwrap_or(i64::MAX);
        2 * count(needed) - count(of) - 1
    }

    /// What a sceptic takes from outside the bundle.
    pub(super) fn trust(&self) -> Trust {
        Trust {
            definition: *self.definition.hash(),
            log: self.log.verifier().clone(),
            policy: Some(self.policy.clone()),
        }
    }

    /// What intake says of a record: once for all nights, if its key is the register's.
    pub(super) fn admit(&self, intake: &Intake, digest: &RecordDigest, bytes: &[u8]) -> Result<Authentic, Refusal> {
        match self.authentic.get(digest).filter(|known| known.bytes() == bytes) {
            Some(known) => Ok(known.clone()),
            None => intake.admit(bytes.to_vec()),
        }
    }

    /// The same of a record of the journal.
    pub(super) fn recall(&self, intake: &Intake, digest: &RecordDigest, bytes: &[u8]) -> Result<Authentic, Refusal> {
        match self.authentic.get(digest).filter(|known| known.bytes() == bytes) {
            Some(known) => Ok(known.clone()),
            None => intake.recall(bytes.to_vec()),
        }
    }

    /// The lines of a policy with the same witnesses under other names, all of whom it may ask for.
    pub(super) fn other_policy(&self, all: bool) -> Vec<String> {
        let quorum = self.quorum.map(|(needed, of)| (if all { of } else { needed }, of));
        policy_lines(quorum, "v").unwrap_or_default()
    }
}

/// The second key of a station.
pub(super) fn second_key(station: StationNo) -> SigningKey {
    SigningKey::from_bytes(&SEED.derive("second station key", station.0))
}

/// The key of a station that the register has.
pub(super) fn first_key(station: StationNo) -> SigningKey {
    SEED.station_key(station)
}

/// The key of a witness, made anew: it is no value that can be copied.
pub(super) fn witness_key(no: usize) -> Result<CosignerKey, KeyNameError> {
    let number = u32::try_from(no).unwrap_or(u32::MAX);
    Ok(CosignerKey::ed25519(format!("w{no}.example").parse()?, &SEED.derive("witness", number)))
}

/// Where a witness is asked.
pub(super) fn witness_url(no: usize) -> String {
    format!("https://w{no}.example")
}

fn policy_lines(quorum: Option<(usize, usize)>, prefix: &str) -> Result<Vec<String>, KeyNameError> {
    let Some((needed, of)) = quorum else { return Ok(Vec::new()) };
    let mut lines = Vec::new();
    for no in 0..of {
        lines.push(format!("witness {prefix}{no} {} {}", witness_key(no)?.verifier(), witness_url(no)));
    }
    let names: String = (0..of).map(|no| format!(" {prefix}{no}")).collect();
    lines.push(format!("group enough {needed}{names}"));
    lines.push("quorum enough".to_owned());
    Ok(lines)
}

fn authority(members: &[SigningKey]) -> Result<Authority, CountryError> {
    let member =
        |(no, key): (usize, &SigningKey)| Member { name: format!("m{no}"), key: StationKey::from(key.verifying_key()) };
    let threshold = u8::try_from(THRESHOLD).unwrap_or(u8::MAX);
    Authority::new(threshold, members.iter().enumerate().map(member).collect()).ok_or(CountryError::Authority)
}

fn agents_of(keys: &[SigningKey]) -> Vec<Agent> {
    let agent = |(no, key): (usize, &SigningKey)| Agent {
        id: format!("g{no}"),
        name: format!("Agent {no}"),
        key: StationKey::from(key.verifying_key()),
    };
    keys.iter().enumerate().map(agent).collect()
}

fn tally(definition: &Committed, (station, contest): SlotNo, variant: Variant) -> Tally {
    let count = |line: u32| 10 * (station.0 % 25) + 7 * line + u32::from(contest.0);
    let mut counts: Vec<u32> = (1..).map(count).take(LINES).collect();
    let sealed_at = BEGIN / 1000 + if variant == Variant::Again { 60 } else { 0 };
    match variant {
        Variant::Own | Variant::Again | Variant::Rekeyed => {}
        Variant::Other => counts.reverse(),
        Variant::TooMany => counts[0] = ROLL + 500,
        Variant::Impossible => counts[0] = u32::MAX,
    }
    Tally::new(*definition.hash(), Phase::Drill, station, contest, sealed_at, counts)
}

fn files(stations: u32) -> Files {
    let toml = "format = 1\nid = \"sim\"\nname = \"Simulated election\"\ndate = \"2027-01-15\"\nphase = \"drill\"\n\n\
                [[contest]]\nid = \"council\"\nname = \"Council\"\narea = \"all\"\n\n\
                [[contest]]\nid = \"mayor\"\nname = \"Mayor\"\narea = \"all\"\n";
    let register: String = (1..=stations).map(|no| format!("s{no},a{},{ROLL}\n", 1 + no % 2)).collect();
    let lines = |contest: &str| (1..=LINES).map(|line| format!("{contest},l{line}\n")).collect::<String>();
    let files = [
        ("election.toml", toml.to_owned()),
        ("areas.csv", "id,parent,name,kind\nall,,All,country\na1,all,North,region\na2,all,South,region\n".to_owned()),
        ("stations.csv", format!("id,area,registered\n{register}")),
        ("ballot.csv", format!("contest,line\n{}{}", lines("council"), lines("mayor"))),
    ];
    files.into_iter().map(|(name, text)| (name.to_owned(), text.into_bytes())).collect()
}
