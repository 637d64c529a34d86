//! A small election for the tests of this crate.

use std::sync::Arc;

use ed25519_dalek::SigningKey;
use tallyproof_record::{
    ContestNo, Election, Phase, SealedRecord, StationNo, Tally, cose,
    definition::{
        Agent, Authority, Committed, Member, StationKey,
        package::{self, Files},
    },
    statement::{Act, Draft, Holder, KeyChange, Statement},
};

/// An election with `stations` stations of 1,000 voters and one contest of two lines.
pub(crate) fn election(stations: u32) -> Arc<Committed> {
    Arc::new(defined(stations).commit())
}

fn defined(stations: u32) -> Election {
    let rows: Vec<String> = (1..=stations).map(|station| format!("s{station},all,1000\n")).collect();
    let register = format!("id,area,registered\n{}", rows.concat());
    let toml = "format = 1\nid = \"test\"\nname = \"Test\"\ndate = \"2026-07-01\"\nphase = \"drill\"\n\n\
                [[contest]]\nid = \"office\"\nname = \"Office\"\narea = \"all\"\n";
    let files: Files = [
        ("election.toml", toml),
        ("areas.csv", "id,parent,name,kind\nall,,All,country\n"),
        ("stations.csv", &register),
        ("ballot.csv", "contest,line\noffice,a\noffice,b\n"),
    ]
    .into_iter()
    .map(|(name, text)| (name.to_owned(), text.as_bytes().to_vec()))
    .collect();
    package::parse(&files).unwrap().with_keys(|no| StationKey::from(key(no).verifying_key()))
}

/// As [`election`], with an authority (see [`person`]).
pub(crate) fn governed(stations: u32) -> Arc<Committed> {
    let members = ["m1", "m2", "m3"];
    let member = |name: &str| Member { name: name.into(), key: StationKey::from(person(name).verifying_key()) };
    let agent = Agent { id: "a1".into(), name: "A1".into(), key: StationKey::from(person("a1").verifying_key()) };
    let authority = Authority::new(2, members.map(member).into()).unwrap();
    Arc::new(defined(stations).with_signatories(authority, vec![agent]).commit())
}

/// The signing key of a member (`m1` to `m3`, two of whom have to sign), of the agent `a1`, or of anybody else.
pub(crate) fn person(name: &str) -> SigningKey {
    let mut seed = [2; 32];
    seed[..name.len()].copy_from_slice(name.as_bytes());
    SigningKey::from_bytes(&seed)
}

/// A statement signed by these people.
pub(crate) fn statement(definition: &Committed, act: Act, signers: &[&str]) -> Vec<u8> {
    let statement = Statement { election: *definition.hash(), phase: Phase::Drill, made_at: 1_800_000_000, act };
    let mut keys = signers.iter().map(|name| person(name));
    let mut signed = Draft::new(&statement).unwrap().sign(&keys.next().unwrap());
    keys.for_each(|key| signed.sign(&key).unwrap());
    signed.to_bytes()
}

/// Enrols a key for a station.
pub(crate) fn enrolment(station: u32, key: &SigningKey) -> Act {
    let key = StationKey::from(key.verifying_key());
    Act::Key(KeyChange::Enrol { holder: Holder::Station(StationNo(station)), key })
}

/// The signing key of a station.
pub(crate) fn key(StationNo(no): StationNo) -> SigningKey {
    let mut seed = [1; 32];
    seed[..4].copy_from_slice(&no.to_be_bytes());
    SigningKey::from_bytes(&seed)
}

/// What a station states.
pub(crate) fn tally(definition: &Committed, station: u32, votes: u32) -> Tally {
    Tally::new(*definition.hash(), Phase::Drill, StationNo(station), ContestNo(1), 1_800_000_000, vec![votes, 7])
}

/// A record sealed by the station itself.
pub(crate) fn record(definition: &Committed, station: u32, votes: u32) -> SealedRecord {
    cose::seal(&tally(definition, station, votes), &key(StationNo(station)))
}
