//! Statements: one spelling, several signers, an identity that does not depend on who signed; and their golden vectors.

use std::collections::{BTreeMap, BTreeSet};

use ed25519_dalek::SigningKey;
use proptest::prelude::*;
use serde_json::{Value, json};
use tallyproof_record::{
    ContestNo, Phase, StationNo,
    cose::KeyId,
    definition::{DefinitionHash, Figure, StationKey, results::Figures},
    entry::{Entry, Place, StatementPlace},
    statement::{
        Act, Bulletin, Correction, Draft, Endorsement, Holder, KeyChange, Kind, LaterStage, MAX_PAYLOAD, MAX_REPLACED,
        MAX_SIGNATURES, REASONS, Reason, Remark, SignError, Signed, Statement, StatementError, Verdict,
    },
};

use crate::vectors::assert_committed;

const ELECTION: DefinitionHash = DefinitionHash([0x5a; 32]);

fn key(number: u8) -> SigningKey {
    SigningKey::from_bytes(&[number; 32])
}

fn public(number: u8) -> StationKey {
    key(number).verifying_key().into()
}

fn statement(act: Act) -> Statement {
    Statement { election: ELECTION, phase: Phase::Drill, made_at: 1_790_000_000, act }
}

fn correction() -> Correction {
    Correction {
        station: StationNo(752),
        contest: ContestNo(1),
        replaces: BTreeSet::from([[1; 32], [2; 32]]),
        stage: LaterStage::Ruling,
        reason: Reason::Conflict,
        verdict: Verdict::Figures(Figures {
            counts: vec![142, 0, 70_000],
            stated: BTreeMap::from([(Figure::Blank, 0), (Figure::Total, 70_142)]),
        }),
    }
}

fn signed(act: Act, signers: &[u8]) -> Signed {
    let (first, more) = signers.split_first().unwrap();
    let mut signed = Draft::new(&statement(act)).unwrap().sign(&key(*first));
    for number in more {
        signed.sign(&key(*number)).unwrap();
    }
    signed
}

fn valid() -> Vec<(&'static str, Signed)> {
    let enrol = |holder| Act::Key(KeyChange::Enrol { holder, key: public(40) });
    let agent = Holder::Agent("ägent 1".into());
    let endorsement = |remark| Act::Endorsement(Endorsement { station: StationNo(752), record: [7; 32], remark });
    let annulled = Correction {
        replaces: BTreeSet::new(),
        stage: LaterStage::Rerun,
        reason: Reason::Annulment,
        verdict: Verdict::Annulled,
        ..correction()
    };
    let all_figures =
        Figures { counts: vec![1], stated: Figure::ALL.into_iter().zip([1, 24, 256, 65_536, u32::MAX]).collect() };
    let all_figures = Correction {
        stage: LaterStage::Canvass,
        reason: Reason::EarlierCorrection,
        verdict: Verdict::Figures(all_figures),
        ..correction()
    };
    let bulletin = Bulletin { number: 3, tree_size: 70_000, root: [8; 32], totals: [9; 32], document: [10; 32] };
    let policy = ["witness w1 w1.example+3a1b2c4d+BA==", "quorum w1"].map(str::to_owned).to_vec();
    vec![
        ("enrol-station", signed(enrol(Holder::Station(StationNo(752))), &[1, 2])),
        ("enrol-agent", signed(enrol(agent.clone()), &[1])),
        ("revoke-agent", signed(Act::Key(KeyChange::Revoke { holder: agent, key: KeyId([4; 8]) }), &[2, 3])),
        ("endorsement", signed(endorsement(None), &[4])),
        ("endorsement-with-remark", signed(endorsement(Some(Remark::Objection)), &[4, 5, 6])),
        ("correction", signed(Act::Correction(correction()), &[1, 2, 3])),
        ("correction-all-figures", signed(Act::Correction(all_figures), &[1, 2, 3])),
        ("annulment", signed(Act::Correction(annulled), &[1, 3])),
        ("bulletin", signed(Act::Bulletin(bulletin), &[1, 2])),
        ("policy", signed(Act::Policy(policy), &[1, 2])),
        ("no-policy", signed(Act::Policy(Vec::new()), &(1..=64).collect::<Vec<_>>())),
    ]
}

fn replace_once(bytes: &[u8], from: &[u8], to: &[u8]) -> Vec<u8> {
    let at = bytes.windows(from.len()).position(|window| window == from).expect("the pattern is in the statement");
    [&bytes[..at], to, &bytes[at + from.len()..]].concat()
}

/// One edit of the correction, or of the endorsement with three signatures, per way of being invalid.
fn invalid() -> Vec<(&'static str, Vec<u8>)> {
    let good = signed(Act::Correction(correction()), &[1, 2, 3]).to_bytes();
    let with = |from: &[u8], to: &[u8]| replace_once(&good, from, to);
    let pair = signed(Act::Correction(correction()), &[1, 2]).to_bytes();
    let (start, part) = (pair.len() - 2 * 82, 82);
    let (head, first, second) = (&pair[..start], &pair[start..start + part], &pair[start + part..]);
    let enrol = signed(Act::Key(KeyChange::Enrol { holder: Holder::Station(StationNo(1)), key: public(40) }), &[1]);
    let small_order = replace_once(&enrol.to_bytes(), public(40).as_bytes(), &[[1].as_slice(), &[0; 31]].concat());
    let mut bad_signature = good.clone();
    *bad_signature.last_mut().unwrap() ^= 1;
    vec![
        ("untagged", good[2..].to_vec()),
        ("single-signer-tag", with(&[0xd8, 0x62], &[0xd2])),
        ("body-header-as-map", with(&[0x84, 0x40], &[0x84, 0x41, 0xa0])),
        ("unprotected-header-not-empty", with(&[0x40, 0xa0], &[0x40, 0xa1, 0x05, 0x05])),
        ("deprecated-algorithm", with(&[0x01, 0x32, 0x04], &[0x01, 0x27, 0x04])),
        ("no-signature", [&head[..head.len() - 1], &[0x80]].concat()),
        ("signatures-out-of-order", [head, second, first].concat()),
        ("signature-twice", [head, first, first].concat()),
        ("fewer-signatures-than-announced", [head, first].concat()),
        ("truncated", good[..good.len() - 1].to_vec()),
        ("trailing-byte", [good.as_slice(), &[0]].concat()),
        ("empty", Vec::new()),
        ("other-format", with(&[0x01, 0x01, 0x02, 0x58], &[0x01, 0x02, 0x02, 0x58])),
        ("unknown-kind", with(&[0x04, 0x04, 0x05, 0x1a], &[0x04, 0x02, 0x05, 0x1a])),
        ("keys-of-another-kind", with(&[0x04, 0x04, 0x05, 0x1a], &[0x04, 0x03, 0x05, 0x1a])),
        ("stage-of-the-count", with(&[0x0e, 0x02, 0x0f], &[0x0e, 0x00, 0x0f])),
        ("unknown-reason", with(&[0x0f, 0x04, 0x10], &[0x0f, 0x17, 0x10])),
        (
            "replaced-out-of-order",
            with(
                &[[1; 32].as_slice(), &[0x58, 0x20], &[2; 32]].concat(),
                &[[2; 32].as_slice(), &[0x58, 0x20], &[1; 32]].concat(),
            ),
        ),
        ("replaced-twice", with(&[2; 32], &[1; 32])),
        ("small-order-key", small_order),
        ("bad-signature", bad_signature),
    ]
}

fn signers_of(signed: &Signed) -> Vec<KeyId> {
    let mut keys = signed.signers(&(1..=64).map(public).collect::<Vec<_>>());
    keys.sort_unstable();
    keys
}

fn outcome(bytes: &[u8]) -> String {
    match Signed::open(bytes) {
        Err(error) => error.to_string(),
        Ok(signed) if signers_of(&signed).len() == signed.key_ids().len() => "accepted".into(),
        Ok(_) => "a signature does not hold".into(),
    }
}

fn vectors_json() -> Value {
    let valid: Vec<_> = valid()
        .iter()
        .map(|(name, signed)| {
            json!({
                "name": name, "kind": signed.statement().kind().code(), "cose": hex::encode(signed.to_bytes()),
                "id": hex::encode(signed.id()), "signers": signed.key_ids().map(|key| hex::encode(key.0)).collect::<Vec<_>>(),
            })
        })
        .collect();
    let invalid: Vec<_> = invalid()
        .iter()
        .map(|(name, bytes)| json!({"name": name, "cose": hex::encode(bytes), "error": outcome(bytes)}))
        .collect();
    let keys: serde_json::Map<_, _> =
        (1..=64).map(public).map(|key| (hex::encode(key.id().0), json!(hex::encode(key.as_bytes())))).collect();
    json!({
        "about": "Statements (docs/spec/statement.md). The signing keys are 32 times one byte, 1 to 64: for tests only.",
        "election": ELECTION.to_string(), "made_at": 1_790_000_000, "keys": keys, "valid": valid, "invalid": invalid,
    })
}

#[test]
fn committed_vectors_are_what_the_code_writes() {
    assert_committed("statements.json", &vectors_json());
}

#[test]
fn every_valid_vector_opens_to_itself_with_all_its_signers() {
    for (name, signed) in valid() {
        let opened = Signed::open(&signed.to_bytes()).unwrap_or_else(|error| panic!("{name}: {error}"));
        assert_eq!(opened, signed, "{name}");
        assert_eq!(signers_of(&opened), opened.key_ids().collect::<Vec<_>>(), "{name}");
        let entry = signed.to_entry();
        assert_eq!(
            Entry::decode(&entry),
            Ok(Entry::Statement(signed.statement().kind(), &signed.to_bytes())),
            "{name}"
        );
        assert_eq!(entry[0], signed.statement().kind().code(), "{name}");
    }
}

#[test]
fn every_invalid_vector_is_refused() {
    for (name, bytes) in invalid() {
        assert_ne!(outcome(&bytes), "accepted", "{name}");
    }
    let reason = |name| outcome(&invalid().into_iter().find(|(found, _)| *found == name).unwrap().1);
    assert_eq!(reason("small-order-key"), StatementError::UnusableKey.to_string());
    assert_eq!(reason("signatures-out-of-order"), StatementError::NotCanonical.to_string());
}

#[test]
fn copies_of_one_draft_have_one_identity_and_merge_to_the_same_bytes() {
    let draft = Draft::new(&statement(Act::Correction(correction()))).unwrap();
    let (first, second) = (draft.clone().sign(&key(1)), Draft::open(draft.as_bytes()).unwrap().sign(&key(2)));
    assert_ne!(first.to_bytes(), second.to_bytes());
    assert_eq!((first.id(), second.id()), (draft.id(), draft.id()));
    let (mut left, mut right) = (first.clone(), second.clone());
    left.merge(&second).unwrap();
    right.merge(&first).unwrap();
    assert_eq!(left.to_bytes(), right.to_bytes());
    assert_eq!(left, signed(Act::Correction(correction()), &[1, 2]));
    let stranger = public(2).id();
    assert_eq!(left.retain(|key| key != stranger), Some(first));
}

#[test]
fn copies_that_do_not_belong_together_are_not_merged() {
    let mut copy = signed(Act::Correction(correction()), &[1]);
    let other = signed(Act::Correction(Correction { verdict: Verdict::Annulled, ..correction() }), &[2]);
    assert_eq!(copy.merge(&other), Err(SignError::OtherStatement));
    let mut bytes = copy.to_bytes();
    *bytes.last_mut().unwrap() ^= 1;
    let before = copy.clone();
    assert_eq!(copy.merge(&Signed::open(&bytes).unwrap()), Err(SignError::TwoSignatures(public(1).id())));
    assert_eq!(copy, before);
    for number in 2..=64 {
        copy.sign(&key(number)).unwrap();
    }
    assert_eq!(copy.key_ids().len(), MAX_SIGNATURES);
    assert_eq!(copy.sign(&key(65)), Err(SignError::TooMany));
    assert_eq!(copy.merge(&signed(Act::Correction(correction()), &[65])), Err(SignError::TooMany));
}

#[test]
fn what_no_reader_would_accept_is_not_drafted() {
    let agent = |id: &str| Act::Key(KeyChange::Revoke { holder: Holder::Agent(id.into()), key: KeyId([4; 8]) });
    let replaces = |number: usize| {
        let digest = |n: usize| std::array::from_fn(|at| if at < 8 { n.to_be_bytes()[at] } else { 0 });
        Act::Correction(Correction { replaces: (0..number).map(digest).collect(), ..correction() })
    };
    let counts = |lines| {
        let figures = Figures { counts: vec![u32::MAX; lines], stated: BTreeMap::new() };
        Act::Correction(Correction { verdict: Verdict::Figures(figures), ..correction() })
    };
    for bad in [
        agent(""),
        agent("a\nb"),
        agent("@x"),
        replaces(MAX_REPLACED + 1),
        counts(4097),
        Act::Policy(vec!["log x".into()]),
        Act::Policy(vec!["quorum\nnone".into()]),
        Act::Policy(vec!["quorum none".into(); 257]),
    ] {
        let found = Draft::new(&statement(bad.clone()));
        assert!(matches!(found, Err(StatementError::Malformed(_))), "{bad:?}: {found:?}");
    }
    let long = Act::Policy(vec![format!("quorum {}", "x".repeat(MAX_PAYLOAD))]);
    assert!(matches!(Draft::new(&statement(long)), Err(StatementError::TooLong(_))));
    for good in [agent("ägent 1"), replaces(MAX_REPLACED), counts(4096)] {
        assert!(Draft::new(&statement(good)).is_ok());
    }
}

#[test]
fn the_largest_statement_fits_a_log_entry() {
    let longest = format!("quorum {}", "x".repeat(MAX_PAYLOAD - 69));
    let draft = Draft::new(&statement(Act::Policy(vec!["quorum x".into(), longest]))).unwrap();
    assert_eq!(draft.as_bytes().len(), MAX_PAYLOAD);
    let mut signed = draft.sign(&key(1));
    for number in 2..=64 {
        signed.sign(&key(number)).unwrap();
    }
    assert!(signed.to_entry().len() <= 65_535, "{}", signed.to_entry().len());
    assert!(Signed::open(&signed.to_bytes()).is_ok());
}

#[test]
fn codes_and_numbers_agree() {
    for (number, (code, text)) in (1..).zip(REASONS) {
        let reason = Reason::from_number(number).unwrap();
        assert_eq!((reason.number(), reason.code(), reason.text()), (number, *code, *text));
        assert_eq!(Reason::from_code(code), Some(reason));
        assert_eq!(*code, format!("RE-{number:02}"));
    }
    for kind in Kind::ALL {
        assert_eq!(Kind::from_code(kind.code()), Some(kind));
    }
}

#[test]
fn within_a_batch_keys_come_first_and_what_speaks_of_records_after_them() {
    let place = |made_at, id: u8| StatementPlace { made_at, id: [id; 32], copy: [0; 32] };
    let of = |kind| Place::of_statement(kind, place(1, 1));
    let record = Place::Record(StationNo(u32::MAX), ContestNo(1), [0; 32]);
    let expected =
        [of(Kind::Key), record, of(Kind::Endorsement), of(Kind::Correction), of(Kind::Policy), of(Kind::Bulletin)];
    let mut sorted = expected;
    sorted.reverse();
    sorted.sort_unstable();
    assert_eq!(sorted, expected);
    assert!(Place::Key(place(1, 9)) < Place::Key(place(2, 1)), "the earlier draft first");
}

#[test]
fn a_signer_reads_everything_that_he_signs() {
    let election = crate::definition::election();
    let text = statement(Act::Correction(Correction { station: StationNo(1), ..correction() })).describe(&election);
    insta::assert_snapshot!(text);
}

proptest! {
    /// Every byte is signed or part of the one encoding: no change of one leaves an accepted statement with the same signers.
    #[test]
    fn one_changed_byte_is_noticed(which in 0_usize..11, at in any::<prop::sample::Index>(), flip in 1_u8..) {
        let (name, signed) = valid().swap_remove(which);
        let mut bytes = signed.to_bytes();
        let at = at.index(bytes.len());
        bytes[at] ^= flip;
        if let Ok(opened) = Signed::open(&bytes) {
            prop_assert_eq!(opened.to_bytes(), bytes);
            prop_assert!(signers_of(&opened).len() < signed.key_ids().len(), "{} {}", name, at);
        }
    }
}
