//! What statements do: corrections, keys, endorsements, policies, bulletins; and what they must not do.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use ed25519_dalek::SigningKey;
use proptest::prelude::*;
use serde_json::Value;
use sha2::{Digest, Sha256};
use tallyproof_count::{
    Judged, Ledger, Signer, SlotStatus, Totals,
    bulletin::Document,
    bundle, judge, judge_statement,
    ledger::Applied,
    statements::{FAULTS, Fault},
};
use tallyproof_log::merkle::Hash;
use tallyproof_record::{
    ContestNo, StationNo, Tally,
    cose::{self, KeyId},
    definition::{Committed, Figure, results::Figures},
    entry::{Entry, Place},
    statement::{
        Act, Correction, Draft, Endorsement, Holder, KeyChange, Kind, LaterStage, MAX_REPLACED, Reason, Signed,
        Statement, Verdict,
    },
};

use crate::bulletins::bulletin_of;
use crate::world::{
    DEPUTY, GOVERNOR, MAYOR, World, agent_key, definition_entry, election, election_of_authority, good_records,
    ledger_of, log_of, member_key, problems, sealed, sealed_by, stating, station_key, tally, verified, witness_key,
};

const MADE_AT: u64 = 1_782_900_000;

fn statement(definition: &Committed, act: Act) -> Statement {
    Statement { election: *definition.hash(), phase: definition.election().phase(), made_at: MADE_AT, act }
}

fn signed(statement: &Statement, keys: &[SigningKey]) -> Signed {
    let (first, more) = keys.split_first().unwrap();
    let mut signed = Draft::new(statement).unwrap().sign(first);
    for key in more {
        signed.sign(key).unwrap();
    }
    signed
}

/// By the members with these numbers, as a log entry.
pub(crate) fn by_members(definition: &Committed, act: Act, members: &[u8]) -> Vec<u8> {
    let keys: Vec<_> = members.iter().map(|&number| member_key(number)).collect();
    signed(&statement(definition, act), &keys).to_entry()
}

fn endorsement(definition: &Committed, record: &[u8], station: u32, keys: &[SigningKey]) -> Vec<u8> {
    let act = Act::Endorsement(Endorsement { station: StationNo(station), record: digest_of(record), remark: None });
    signed(&statement(definition, act), keys).to_entry()
}

/// Of the record in a log entry.
pub(crate) fn digest_of(entry: &[u8]) -> [u8; 32] {
    Sha256::digest(&entry[1..]).into()
}

fn id_of(entry: &[u8]) -> [u8; 32] {
    Signed::open(&entry[1..]).unwrap().id()
}

pub(crate) fn figures(counts: &[u32]) -> Verdict {
    Verdict::Figures(Figures { counts: counts.to_vec(), stated: BTreeMap::from([(Figure::Blank, 1)]) })
}

pub(crate) fn correction(station: u32, contest: ContestNo, replaces: &[[u8; 32]], verdict: Verdict) -> Act {
    Act::Correction(Correction {
        station: StationNo(station),
        contest,
        replaces: replaces.iter().copied().collect(),
        stage: LaterStage::Canvass,
        reason: Reason::Transcription,
        verdict,
    })
}

fn apply(ledger: &mut Ledger, entry: &[u8]) -> Applied {
    let judged = judge(&Arc::clone(ledger.definition()), entry);
    ledger.apply(ledger.entries().max(1), &judged)
}

fn governor(totals: &Totals) -> (Vec<u64>, Vec<u64>) {
    let lines = |totals: Option<&tallyproof_count::totals::ContestTotals>| totals.unwrap().whole().lines.clone();
    (lines(totals.contest(GOVERNOR)), lines(totals.as_it_stands(GOVERNOR)))
}

fn text(bytes: Vec<u8>) -> String {
    String::from_utf8(bytes).unwrap()
}

fn json(bytes: &[u8]) -> Value {
    serde_json::from_slice(bytes).unwrap()
}

#[test]
fn a_correction_signed_by_too_few_changes_nothing_and_a_proper_one_only_what_stands() {
    let definition = election_of_authority(4);
    let mut records = good_records(&definition);
    let as_counted = json(&World::with(&definition, &records).bundle()[bundle::TOTALS]);
    let record = sealed(&tally(&definition, 2, GOVERNOR, 0));
    let act = || correction(2, GOVERNOR, &[digest_of(&record)], figures(&[100, 0, 0, 1]));

    records.push(by_members(&definition, act(), &[2]));
    let found = verified(&World::with(&definition, &records).bundle());
    assert_eq!(problems(&found), []);
    assert_eq!((found.statements, found.corrections), (1, 0));
    assert_eq!(found.totals_as_it_stands, found.totals);
    let row = &json(&World::with(&definition, &records).bundle()[bundle::STATEMENTS])["statements"][0];
    assert_eq!((row["code"].as_str(), row["effect"].is_null()), (Some("AU-02"), true), "{row}");

    records.push(by_members(&definition, act(), &[1, 3]));
    let files = World::with(&definition, &records).bundle();
    let found = verified(&files);
    assert_eq!(problems(&found), []);
    assert_eq!((found.statements, found.corrections, found.counted), (2, 1, 7));
    assert!(found.statement.contains("1 correction signed by"), "{}", found.statement);
    // The record of station 2 says 9, 16, 23, 30.
    let votes = |totals: &BTreeMap<String, BTreeMap<String, u64>>| totals["governor"].clone();
    let (counted, stands) = (votes(&found.totals), votes(&found.totals_as_it_stands));
    let change = |id: &str| stands[id].cast_signed() - counted[id].cast_signed();
    assert_eq!((change("ann"), change("bob"), change("cy")), (100 - 9 - 23, -16, 1 - 30));

    let totals = json(&files[bundle::TOTALS]);
    for contest in ["governor", "mayor", "deputy"] {
        for part in ["whole", "areas"] {
            assert_eq!(totals["contests"][contest][part], as_counted["contests"][contest][part], "{contest} {part}");
        }
        assert_eq!(totals["contests"][contest].get("as_it_stands").is_some(), contest == "governor");
    }
    let row = json(&files[bundle::STATEMENTS])["statements"][1].clone();
    assert_eq!((row["in_force"].as_bool(), row["code"].as_str()), (Some(true), None), "{row}");
    assert_eq!(row["signers"].to_string(), r#"[{"id":"m1","role":"member"},{"id":"m3","role":"member"}]"#);
    assert_eq!(row["effect"]["lines"].to_string(), r#"{"a":91,"ab":-23,"b":-16,"c":-29}"#);
    assert_eq!(row["effect"]["candidates"].to_string(), r#"{"ann":68,"bob":-16,"cy":-29}"#);
    assert_eq!(row["effect"]["figures"].to_string(), r#"{"blank":-2}"#);
}

#[test]
fn without_an_authority_nobody_corrects() {
    let definition = election(4);
    let mut ledger = Ledger::new(Arc::clone(&definition));
    let entry = by_members(&definition, correction(2, GOVERNOR, &[], Verdict::Annulled), &[1, 2, 3]);
    assert_eq!(apply(&mut ledger, &entry), Applied::NoEffect(Fault::TooFewSigners));
}

#[test]
fn signatures_of_all_copies_count_together_and_a_member_counts_once() {
    let definition = election_of_authority(4);
    let mut ledger = Ledger::new(Arc::clone(&definition));
    let act = || correction(2, GOVERNOR, &[], figures(&[1, 2, 3, 4]));
    let copy = |members: &[u8]| by_members(&definition, act(), members);
    for (members, expected) in [
        (&[2][..], Applied::NoEffect(Fault::TooFewSigners)),
        (&[2], Applied::NoEffect(Fault::TooFewSigners)),
        (&[3], Applied::Effect),
        (&[1, 2, 3], Applied::NoEffect(Fault::Repeated)),
    ] {
        assert_eq!(apply(&mut ledger, &copy(members)), expected, "{members:?}");
    }
    let members = ["m1", "m2", "m3"].map(|name| Signer::Member(name.into()));
    assert_eq!(ledger.signers(&id_of(&copy(&[1]))), Some(&BTreeSet::from(members)));
    assert_eq!(ledger.corrections().len(), 1);
    // Keys that are nobody's, an agent's and a station's do not count.
    let strangers = [member_key(9), agent_key(1), station_key(StationNo(2))];
    let entry = signed(&statement(&definition, correction(1, GOVERNOR, &[], Verdict::Annulled)), &strangers).to_entry();
    assert_eq!(apply(&mut ledger, &entry), Applied::NoEffect(Fault::TooFewSigners));
}

#[test]
fn a_correction_names_exactly_what_stands() {
    let definition = election_of_authority(4);
    let mut ledger = Ledger::new(Arc::clone(&definition));
    let first = sealed(&tally(&definition, 2, GOVERNOR, 0));
    let second = sealed(&tally(&definition, 2, GOVERNOR, 1));
    let rejected = sealed(&Tally { counts: vec![1], ..tally(&definition, 2, GOVERNOR, 0) });
    let (one, two) = (digest_of(&first), digest_of(&second));
    let try_with = |ledger: &mut Ledger, replaces: &[[u8; 32]], verdict: Verdict| {
        let entry = by_members(&definition, correction(2, GOVERNOR, replaces, verdict), &[1, 2]);
        let judged = judge(&definition, &entry);
        let Judged::Statement(statement) = &judged else { panic!("{judged:?}") };
        let foreseen = ledger.foresee(statement);
        let applied = apply(ledger, &entry);
        assert_eq!(applied, foreseen.map_or_else(Applied::NoEffect, |()| Applied::Effect));
        (applied, id_of(&entry))
    };
    let stale = Applied::NoEffect(Fault::NotWhatStands);
    for entry in [&rejected, &first, &second] {
        apply(&mut ledger, entry);
    }
    assert_eq!(ledger.stands(StationNo(2), GOVERNOR), Some(BTreeSet::from([one, two])));
    for replaces in [&[][..], &[one], &[two], &[one, two, digest_of(&rejected)]] {
        assert_eq!(try_with(&mut ledger, replaces, figures(&[5, 5, 5, 5])).0, stale);
    }
    assert_eq!(try_with(&mut ledger, &[one, two], figures(&[5, 5, 5])).0, Applied::NoEffect(Fault::LineCount));
    let (applied, correction) = try_with(&mut ledger, &[one, two], figures(&[5, 5, 5, 5]));
    assert_eq!(applied, Applied::Effect);
    assert_eq!(ledger.slot(StationNo(2), GOVERNOR).unwrap().status, SlotStatus::Quarantined, "as counted");
    assert_eq!(governor(&Totals::of(&ledger)), (vec![0; 4], vec![5; 4]));

    // The correction stands in place of all records, of those that come later too.
    apply(&mut ledger, &sealed(&tally(&definition, 2, GOVERNOR, 3)));
    assert_eq!(try_with(&mut ledger, &[one, two], Verdict::Annulled).0, stale);
    assert_eq!(try_with(&mut ledger, &[correction], Verdict::Annulled).0, Applied::Effect);
    let totals = Totals::of(&ledger);
    let stands = totals.as_it_stands(GOVERNOR).unwrap().whole();
    assert_eq!((stands.stations.annulled, stands.stations.counted, stands.stations.missing), (1, 0, 3));
    assert_eq!(ledger.corrections().map(|it| it.in_force).collect::<Vec<_>>(), [false, true]);
}

#[test]
fn a_correction_names_an_expected_slot_of_this_election() {
    let definition = election_of_authority(4);
    let mut ledger = Ledger::new(Arc::clone(&definition));
    let mut of = |station, contest| {
        apply(&mut ledger, &by_members(&definition, correction(station, contest, &[], Verdict::Annulled), &[1, 2]))
    };
    for (station, contest) in [(9, GOVERNOR), (0, GOVERNOR), (2, ContestNo(7)), (2, MAYOR)] {
        assert_eq!(of(station, contest), Applied::NoEffect(Fault::UnknownSlot), "{station} {contest}");
    }
    assert_eq!(of(4, DEPUTY), Applied::Effect);
    let other = election_of_authority(5);
    let entry = by_members(&other, correction(1, GOVERNOR, &[], Verdict::Annulled), &[1, 2]);
    assert_eq!(apply(&mut ledger, &entry), Applied::NoEffect(Fault::WrongElection));
}

#[test]
fn rules_do_not_bind_a_correction_and_are_listed() {
    let definition = election_of_authority(4);
    let mut ledger = Ledger::new(Arc::clone(&definition));
    let over = Verdict::Figures(Figures { counts: vec![9_000, 0, 0, 0], stated: BTreeMap::new() });
    assert_eq!(
        apply(&mut ledger, &by_members(&definition, correction(2, GOVERNOR, &[], over), &[1, 2])),
        Applied::Effect
    );
    let correction = ledger.correction(StationNo(2), GOVERNOR).unwrap();
    assert_eq!(correction.codes.codes(), ["BO-01", "ID-10"]);
    let totals = Totals::of(&ledger);
    let stations = totals.as_it_stands(GOVERNOR).unwrap().whole().stations;
    assert_eq!((stations.counted, stations.corrected), (1, 1));
}

#[test]
fn a_flood_of_records_does_not_keep_a_slot_from_being_corrected() {
    let definition = election_of_authority(4);
    let mut ledger = Ledger::new(Arc::clone(&definition));
    let records: Vec<_> = (0..1100).map(|salt| sealed(&tally(&definition, 2, GOVERNOR, salt % 50))).collect();
    let distinct: Vec<_> = (0..1100)
        .map(|salt| sealed(&Tally { sealed_at: MADE_AT + salt, ..tally(&definition, 2, GOVERNOR, 0) }))
        .collect();
    for entry in records.iter().take(2).chain(&distinct) {
        apply(&mut ledger, entry);
    }
    let stands = ledger.stands(StationNo(2), GOVERNOR).unwrap();
    assert_eq!(stands.len(), MAX_REPLACED);
    let first = records.iter().take(2).chain(&distinct).take(MAX_REPLACED).map(|entry| digest_of(entry));
    assert_eq!(stands, first.collect());
    let replaces: Vec<_> = stands.into_iter().collect();
    let entry = by_members(&definition, correction(2, GOVERNOR, &replaces, Verdict::Annulled), &[1, 2]);
    assert_eq!(apply(&mut ledger, &entry), Applied::Effect);
}

fn enrol(definition: &Committed, holder: Holder, key: &SigningKey) -> Vec<u8> {
    by_members(definition, Act::Key(KeyChange::Enrol { holder, key: key.verifying_key().into() }), &[1, 2])
}

fn revoke(definition: &Committed, holder: Holder, key: &SigningKey) -> Vec<u8> {
    let key = KeyId::of(key.verifying_key().as_bytes());
    by_members(definition, Act::Key(KeyChange::Revoke { holder, key }), &[1, 2])
}

#[test]
fn a_key_counts_from_its_enrolment_to_its_revocation() {
    let definition = election_of_authority(4);
    let (station, fresh) = (Holder::Station(StationNo(2)), SigningKey::from_bytes(&[77; 32]));
    let record = |salt| sealed_by(&tally(&definition, 2, GOVERNOR, salt), &fresh);
    let of_other = sealed_by(&tally(&definition, 1, GOVERNOR, 0), &fresh);
    let old = sealed(&tally(&definition, 2, GOVERNOR, 9));
    let enrolment = enrol(&definition, station.clone(), &fresh);
    let log = [
        (record(0), Applied::Rejected),
        (enrolment.clone(), Applied::Effect),
        (record(1), Applied::Counted),
        (of_other, Applied::Rejected),
        (revoke(&definition, station.clone(), &fresh), Applied::Effect),
        (record(2), Applied::Rejected),
        (revoke(&definition, station.clone(), &station_key(StationNo(2))), Applied::Effect),
        (old, Applied::Rejected),
        (enrol(&definition, Holder::Station(StationNo(3)), &fresh), Applied::NoEffect(Fault::KeyInUse)),
        (enrolment, Applied::NoEffect(Fault::Repeated)),
    ];
    let mut ledger = Ledger::new(Arc::clone(&definition));
    for (entry, expected) in &log {
        assert_eq!(apply(&mut ledger, entry), *expected);
    }
    assert!(ledger.rejections().iter().all(|rejection| rejection.codes.codes() == ["ID-05"]));
    let slot = ledger.slot(StationNo(2), GOVERNOR).unwrap();
    assert_eq!(
        (slot.status, slot.figures.unwrap().counts),
        (SlotStatus::Counted, &*tally(&definition, 2, GOVERNOR, 1).counts)
    );
    // The same through a bundle, where signatures of enrolled keys may be checked ahead of the count.
    let entries: Vec<_> = log.iter().map(|(entry, _)| entry.clone()).collect();
    let found = verified(&World::with(&definition, &entries).bundle());
    assert_eq!((problems(&found), found.counted, found.rejected), (vec![], 1, 4));
}

#[test]
fn records_of_enrolled_keys_are_counted_in_a_long_log_too() {
    let definition = election_of_authority(600);
    let fresh = |station: u32| SigningKey::from_bytes(&std::array::from_fn(|at| station.to_be_bytes()[at % 4] ^ 0x5c));
    let enrolments = (1..=600).map(|station| enrol(&definition, Holder::Station(StationNo(station)), &fresh(station)));
    // Past the entries that a verification reads at a time, so that some are attested ahead and some are not.
    let padding = (0..8_000).map(|salt| sealed(&tally(&definition, 1, MAYOR, salt)));
    let records = (1..=600).map(|station| sealed_by(&tally(&definition, station, GOVERNOR, 0), &fresh(station)));
    let mut broken = sealed_by(&tally(&definition, 7, GOVERNOR, 1), &fresh(7));
    *broken.last_mut().unwrap() ^= 1;
    let early = sealed_by(&tally(&definition, 8, GOVERNOR, 1), &fresh(8));
    let entries: Vec<_> = [early].into_iter().chain(enrolments).chain(padding).chain(records).chain([broken]).collect();
    let found = verified(&World::with(&definition, &entries).bundle());
    assert_eq!((problems(&found), found.counted, found.rejected), (vec![], 600, 2));
}

#[test]
fn keys_that_somebody_has_are_not_enrolled_and_those_that_nobody_has_not_revoked() {
    let definition = election_of_authority(4);
    let mut ledger = Ledger::new(Arc::clone(&definition));
    let agent = Holder::Agent("late".into());
    let fresh = SigningKey::from_bytes(&[78; 32]);
    for taken in [member_key(1), agent_key(1), station_key(StationNo(3))] {
        assert_eq!(apply(&mut ledger, &enrol(&definition, agent.clone(), &taken)), Applied::NoEffect(Fault::KeyInUse));
    }
    let unknown = Applied::NoEffect(Fault::UnknownKey);
    for (holder, key) in [
        (agent.clone(), &fresh),
        (Holder::Agent("a1".into()), &agent_key(2)),
        (Holder::Station(StationNo(1)), &station_key(StationNo(2))),
        (Holder::Agent("m1".into()), &member_key(1)),
    ] {
        assert_eq!(apply(&mut ledger, &revoke(&definition, holder, key)), unknown);
    }
    let nowhere = Holder::Station(StationNo(9));
    assert_eq!(apply(&mut ledger, &enrol(&definition, nowhere, &fresh)), Applied::NoEffect(Fault::UnknownSlot));
    assert_eq!(apply(&mut ledger, &enrol(&definition, agent.clone(), &fresh)), Applied::Effect);
    for taken in [&fresh, &agent_key(1), &station_key(StationNo(3))] {
        let other = Holder::Agent("other".into());
        assert_eq!(apply(&mut ledger, &enrol(&definition, other, taken)), Applied::NoEffect(Fault::KeyInUse));
    }
    assert_eq!(apply(&mut ledger, &revoke(&definition, agent.clone(), &fresh)), Applied::Effect);
    let again = Statement {
        made_at: MADE_AT + 1,
        ..statement(
            &definition,
            Act::Key(KeyChange::Revoke { holder: agent, key: KeyId::of(fresh.verifying_key().as_bytes()) }),
        )
    };
    assert_eq!(apply(&mut ledger, &signed(&again, &[member_key(1), member_key(2)]).to_entry()), unknown);
}

#[test]
fn agents_and_the_record_s_own_station_endorse_it_whenever_they_like() {
    let definition = election_of_authority(4);
    let record = sealed(&tally(&definition, 2, GOVERNOR, 0));
    let late = SigningKey::from_bytes(&[79; 32]);
    let by = |keys: &[SigningKey]| endorsement(&definition, &record, 2, keys);
    let enrolment = enrol(&definition, Holder::Agent("late".into()), &late);
    let log = [
        (by(&[agent_key(1)]), Applied::Effect),
        (record.clone(), Applied::Counted),
        (by(&[agent_key(1), member_key(1)]), Applied::NoEffect(Fault::Repeated)),
        (by(&[agent_key(1), station_key(StationNo(2))]), Applied::Effect),
        (by(&[station_key(StationNo(3))]), Applied::NoEffect(Fault::Repeated)),
        (by(std::slice::from_ref(&late)), Applied::NoEffect(Fault::Repeated)),
        (enrolment, Applied::Effect),
        (by(&[late]), Applied::Effect),
        (revoke(&definition, Holder::Agent("a2".into()), &agent_key(2)), Applied::Effect),
        (by(&[agent_key(2)]), Applied::NoEffect(Fault::Repeated)),
        (endorsement(&definition, b"\x02no record", 1, &[agent_key(1)]), Applied::Effect),
        (endorsement(&definition, &record, 3, &[station_key(StationNo(2))]), Applied::NoEffect(Fault::TooFewSigners)),
    ];
    let mut ledger = Ledger::new(Arc::clone(&definition));
    for (at, (entry, expected)) in log.iter().enumerate() {
        assert_eq!(apply(&mut ledger, entry), *expected, "{at}");
    }
    let endorsers = [Signer::Agent("a1".into()), Signer::Agent("late".into()), Signer::Station(StationNo(2))];
    assert_eq!(ledger.endorsers(digest_of(&record), StationNo(2)), Some(&BTreeSet::from(endorsers)));
    assert_eq!(ledger.find(StationNo(2), &digest_of(&record)), Some((GOVERNOR, 2)));
    let rows = json(&bundle::index_files(&ledger)[0].1)["endorsements"].clone();
    let row = rows.as_array().unwrap().iter().find(|row| row["station"] == "s2").unwrap();
    assert_eq!((row["contest"].as_str(), row["entry"].as_u64()), (Some("governor"), Some(2)));
    assert_eq!(row["signers"].as_array().unwrap().len(), 3);
    let row = rows.as_array().unwrap().iter().find(|row| row["station"] == "s1").unwrap();
    assert!(row["contest"].is_null() && row["entry"].is_null());
}

#[test]
fn the_last_policy_is_in_force() {
    let definition = election_of_authority(4);
    let mut ledger = Ledger::new(Arc::clone(&definition));
    let lines = |number: u8| {
        let key = witness_key(number).verifier().clone();
        vec![format!("witness w {key}"), "quorum w".to_owned()]
    };
    apply(&mut ledger, &by_members(&definition, Act::Policy(lines(11)), &[1, 2]));
    let first = ledger.entries();
    apply(&mut ledger, &by_members(&definition, Act::Policy(lines(12)), &[1]));
    assert_eq!(ledger.policy_lines(), lines(11));
    apply(&mut ledger, &by_members(&definition, Act::Policy(lines(13)), &[1, 2, 3]));
    assert_eq!(ledger.policy_lines(), lines(13));
    assert_eq!(
        ledger.policy_lines_at(first),
        lines(11),
        "what witnesses cosigned before is judged by what was in force then"
    );
    let no_policy = by_members(&definition, Act::Policy(vec!["quorum nobody".to_owned()]), &[1, 2]);
    assert_eq!(apply(&mut ledger, &no_policy), Applied::NoEffect(Fault::PolicyLines));
    assert_eq!(ledger.policy_lines(), lines(13));
}

#[test]
fn a_statement_that_no_honest_log_holds_is_a_problem() {
    let definition = election_of_authority(4);
    let good = by_members(&definition, Act::Policy(vec![]), &[1, 2]);
    let mut broken = good.clone();
    *broken.last_mut().unwrap() ^= 1;
    let other_type = [&[Kind::Bulletin.code()], &good[1..]].concat();
    let trailing = [good.as_slice(), &[0]].concat();
    for (entry, code) in [(broken, "BN-33"), (other_type, "BN-32"), (trailing, "BN-32")] {
        let found = verified(&World::with(&definition, &[entry]).bundle());
        assert_eq!(problems(&found), [(code, "entry 1")]);
        assert_eq!(found.statements, 0);
    }
    // A stranger's signature is no lie: nobody relies on it.
    let mut stranger = Signed::open(&good[1..]).unwrap();
    stranger.sign(&member_key(9)).unwrap();
    let found = verified(&World::with(&definition, &[stranger.to_entry()]).bundle());
    assert_eq!((problems(&found), found.statements), (vec![], 1));
}

#[test]
fn the_index_of_statements_is_rebuilt() {
    let definition = election_of_authority(4);
    let mut world = World::with(&definition, &[by_members(&definition, Act::Policy(vec![]), &[1, 2])]);
    let mut files = world.content();
    let index = String::from_utf8(files[bundle::STATEMENTS].clone()).unwrap();
    files.insert(bundle::STATEMENTS.into(), index.replace("\"m1\"", "\"m3\"").into());
    files.insert(bundle::MANIFEST.into(), world.manifest(&files));
    assert_eq!(problems(&verified(&files)), [("BN-34", bundle::STATEMENTS)]);
    files.remove(bundle::STATEMENTS);
    files.insert(bundle::MANIFEST.into(), world.manifest(&files));
    assert_eq!(problems(&verified(&files)), [("BN-01", bundle::STATEMENTS), ("BN-12", bundle::MANIFEST)]);
    world.entries[0] = by_members(&definition, Act::Policy(vec![]), &[1, 2]);
    assert!(problems(&verified(&world.bundle())).contains(&("BN-18", "entry 0")));
}

#[test]
fn places_order_a_batch() {
    let definition = election_of_authority(4);
    let fresh = SigningKey::from_bytes(&[80; 32]);
    let record = sealed_by(&tally(&definition, 2, GOVERNOR, 0), &fresh);
    let batch = [
        enrol(&definition, Holder::Station(StationNo(2)), &fresh),
        record.clone(),
        endorsement(&definition, &record, 2, &[agent_key(1)]),
        by_members(&definition, correction(2, GOVERNOR, &[digest_of(&record)], Verdict::Annulled), &[1, 2]),
        by_members(&definition, Act::Policy(vec![]), &[1, 2]),
        bulletin_of(&definition, &[definition_entry(&definition)], 1).entry(&definition),
    ];
    let place = |entry: &Vec<u8>| -> Place {
        match judge(&definition, entry) {
            Judged::Record(record) => record.place(),
            Judged::Statement(statement) => statement.place(),
            other => panic!("{other:?}"),
        }
    };
    let mut shuffled = batch.clone();
    shuffled.reverse();
    shuffled.sort_by_key(place);
    assert_eq!(shuffled, batch);
    let mut ledger = Ledger::new(Arc::clone(&definition));
    let applied: Vec<_> = batch.iter().map(|entry| apply(&mut ledger, entry)).collect();
    assert!(applied.iter().all(|applied| matches!(applied, Applied::Effect | Applied::Counted)), "{applied:?}");
}

#[test]
fn faults_are_numbered_without_gap() {
    for (number, (code, _)) in (1..).zip(FAULTS) {
        assert_eq!(*code, format!("AU-{number:02}"));
    }
}

#[test]
fn what_is_no_statement_is_judged_invalid() {
    let definition = election_of_authority(4);
    for bytes in [
        &b""[..],
        b"\xd8\x62\x84",
        cose::seal(&tally(&definition, 1, GOVERNOR, 0), &station_key(StationNo(1))).as_bytes(),
    ] {
        assert!(matches!(judge_statement(&definition, bytes), Judged::Invalid { code: "BN-32", .. }));
    }
    assert!(Entry::decode(&definition_entry(&definition)).is_ok());
}

/// One step of a random log.
#[derive(Clone, Debug)]
enum Step {
    Record {
        station: u32,
        contest: u16,
        salt: u32,
        voters: Option<u32>,
    },
    /// Names what stands, or nothing.
    Correction {
        station: u32,
        contest: u16,
        counts: Option<u32>,
        stale: bool,
        signers: usize,
    },
    Endorsement {
        station: u32,
        agent: u8,
    },
    Revocation {
        station: u32,
    },
    /// A record of a contest that nobody has.
    Stray {
        station: u32,
    },
}

fn step() -> impl Strategy<Value = Step> {
    let (station, contest) = (1u32..=4, 1u16..=3);
    prop_oneof![
        4 => (station.clone(), contest.clone(), 0u32..3, proptest::option::of(500u32..503))
            .prop_map(|(station, contest, salt, voters)| Step::Record { station, contest, salt, voters }),
        3 => (station.clone(), contest, proptest::option::of(0u32..900), any::<bool>(), 1usize..=3)
            .prop_map(|(station, contest, counts, stale, signers)| Step::Correction { station, contest, counts, stale, signers }),
        1 => (station.clone(), 1u8..=2).prop_map(|(station, agent)| Step::Endorsement { station, agent }),
        1 => station.clone().prop_map(|station| Step::Revocation { station }),
        1 => station.prop_map(|station| Step::Stray { station }),
    ]
}

/// The entries that these steps give, after the definition.
fn entries_of(definition: &Arc<Committed>, steps: &[Step]) -> Vec<Vec<u8>> {
    let mut ledger = Ledger::new(Arc::clone(definition));
    let mut entries = Vec::new();
    for (at, step) in (0..).zip(steps) {
        let entry = match step {
            Step::Record { station, contest, salt, voters } => {
                let contest = ContestNo(*contest);
                sealed(&voters.map_or_else(
                    || tally(definition, *station, contest, *salt),
                    |voters| stating(definition, *station, contest, voters),
                ))
            }
            Step::Stray { station } => {
                sealed(&Tally { contest: ContestNo(9), ..tally(definition, *station, GOVERNOR, 0) })
            }
            Step::Correction { station, contest, counts, stale, signers } => {
                let contest = ContestNo(*contest);
                let stands = ledger.stands(StationNo(*station), contest).filter(|_| !stale).unwrap_or_default();
                let lines = definition.election().contest(contest).unwrap().lines.len();
                let verdict = counts.map_or(Verdict::Annulled, |count| figures(&vec![count; lines]));
                let act = correction(*station, contest, &stands.into_iter().collect::<Vec<_>>(), verdict);
                let keys: Vec<_> = [1, 2, 3].into_iter().take(*signers).map(member_key).collect();
                signed(&Statement { made_at: at, ..statement(definition, act) }, &keys).to_entry()
            }
            Step::Endorsement { station, agent } => endorsement(
                definition,
                &sealed(&tally(definition, *station, GOVERNOR, 0)),
                *station,
                &[agent_key(*agent)],
            ),
            Step::Revocation { station } => {
                revoke(definition, Holder::Station(StationNo(*station)), &station_key(StationNo(*station)))
            }
        };
        apply(&mut ledger, &entry);
        entries.push(entry);
    }
    entries
}

fn is_correction(entry: &[u8]) -> bool {
    entry[0] == Kind::Correction.code()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    /// As it stands, less the effects of the corrections, is as counted: lines, figures and stations, in every contest.
    #[test]
    fn as_it_stands_is_as_counted_and_the_effects(steps in proptest::collection::vec(step(), 0..40)) {
        let definition = election_of_authority(4);
        let ledger = ledger_of(&definition, &log_of(&definition, &entries_of(&definition, &steps)));
        let totals = Totals::of(&ledger);
        for (no, _) in definition.election().numbered_contests() {
            let (counted, stands) = (totals.contest(no).unwrap().whole(), totals.as_it_stands(no).unwrap().whole());
            let effects: Vec<_> = ledger.effects().filter(|(view, _)| view.contest == no).map(|(_, effect)| effect).collect();
            for (line, (counted, stands)) in counted.lines.iter().zip(&stands.lines).enumerate() {
                let change: i64 = effects.iter().map(|effect| effect.lines[line]).sum();
                prop_assert_eq!(counted.cast_signed() + change, stands.cast_signed());
            }
            for figure in Figure::ALL {
                let change: i64 = effects.iter().map(|effect| effect.figures[figure as usize]).sum();
                prop_assert_eq!(counted.figure(figure).sum.cast_signed() + change, stands.figure(figure).sum.cast_signed());
            }
            let change: i64 = effects.iter().map(|effect| effect.stations).sum();
            prop_assert_eq!(counted.stations.counted.cast_signed() + change, stands.stations.counted.cast_signed());
            for stations in [counted.stations, stands.stations] {
                prop_assert_eq!(stations.expected, stations.counted + stations.quarantined + stations.missing + stations.annulled);
            }
            prop_assert_eq!((counted.stations.corrected, counted.stations.annulled), (0, 0));
        }
    }

    /// Nothing that is as counted depends on corrections and endorsements.
    #[test]
    fn corrections_and_endorsements_leave_the_count_alone(steps in proptest::collection::vec(step(), 0..40)) {
        let definition = election_of_authority(4);
        let entries = entries_of(&definition, &steps);
        let without: Vec<_> = entries.iter().filter(|entry| ![3, 4].contains(&entry[0])).cloned().collect();
        let (with, without) = [&entries, &without].map(|entries| ledger_of(&definition, &log_of(&definition, entries))).into();
        for (no, _) in definition.election().numbered_contests() {
            let (left, right) = (Totals::of(&with), Totals::of(&without));
            prop_assert_eq!(left.contest(no), right.contest(no));
        }
        prop_assert_eq!(with.summary(), without.summary());
    }

    /// Who endorsed what does not depend on when, and corrections of different slots do not depend on each other.
    #[test]
    fn endorsements_and_corrections_of_different_slots_commute(
        steps in proptest::collection::vec(step(), 0..30),
        order in any::<u64>(),
    ) {
        let definition = election_of_authority(4);
        let records = entries_of(&definition, &steps.iter().filter(|step| matches!(step, Step::Record { .. })).cloned().collect::<Vec<_>>());
        let base = ledger_of(&definition, &log_of(&definition, &records));
        let slots: Vec<_> = base.slots().map(|slot| (slot.station, slot.contest)).collect();
        let mut later: Vec<_> = slots.iter().map(|&(station, contest)| {
            let stands: Vec<_> = base.stands(station, contest).unwrap().into_iter().collect();
            by_members(&definition, correction(station.0, contest, &stands, Verdict::Annulled), &[1, 2])
        }).chain((1..=4).flat_map(|station| [1, 2].map(|agent| {
            endorsement(&definition, &sealed(&tally(&definition, station, GOVERNOR, 0)), station, &[agent_key(agent)])
        }))).collect();
        let apply_all = |later: &[Vec<u8>]| {
            let mut ledger = base.clone();
            for entry in later {
                apply(&mut ledger, entry);
            }
            (Totals::of(&ledger).to_json(), ledger.endorsed().collect::<Vec<_>>())
        };
        let expected = apply_all(&later);
        let len = later.len() as u64;
        for at in 0..later.len() {
            later.swap(at, usize::try_from(order.rotate_left(u32::try_from(at).unwrap()) % len).unwrap());
        }
        prop_assert_eq!(apply_all(&later), expected);
    }

    /// The ledger revisited at a tree size gives the totals and the bulletin of the entries before it.
    #[test]
    fn a_revisited_ledger_has_the_totals_and_the_bulletin_of_its_prefix(steps in proptest::collection::vec(step(), 0..40)) {
        let definition = election_of_authority(4);
        let entries = log_of(&definition, &entries_of(&definition, &steps));
        let ledger = ledger_of(&definition, &entries);
        let mut visited = 0;
        ledger.revisit(0..=entries.len() as u64, |past| {
            let prefix = ledger_of(&definition, &entries[..visited]);
            assert_eq!(Totals::of(past).to_json(), Totals::of(&prefix).to_json(), "at {visited}");
            let document = |ledger| Document::of(ledger, 1, MADE_AT, Hash([7; 32]));
            let (one, other) = (document(past), document(&prefix));
            assert_eq!((text(one.to_json()), text(one.to_csv())), (text(other.to_json()), text(other.to_csv())), "at {visited}");
            visited += 1;
        });
        prop_assert_eq!(visited, entries.len() + 1);
    }

    /// A log of statements verifies, and its index is rebuilt.
    #[test]
    fn a_log_with_statements_verifies(steps in proptest::collection::vec(step(), 0..30)) {
        let definition = election_of_authority(4);
        let entries = entries_of(&definition, &steps);
        let distinct: BTreeSet<_> = entries.iter().collect();
        let found = verified(&World::with(&definition, &entries).bundle());
        let duplicates = entries.iter().filter(|entry| entry[0] == 2).count() - distinct.iter().filter(|entry| entry[0] == 2).count();
        prop_assert_eq!(found.problems.iter().filter(|problem| problem.code != "BN-22").count(), 0);
        prop_assert_eq!(found.problems.len(), duplicates);
        prop_assert_eq!(found.statements, entries.iter().filter(|entry| entry[0] != 2).count() as u64);
        prop_assert!(found.corrections <= entries.iter().filter(|entry| is_correction(entry)).count() as u64);
    }
}
