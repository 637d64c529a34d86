//! Golden vectors: `vectors/*.json` hold what this code writes; `vectors/check.py` and the browser read the same files.
//! `UPDATE_VECTORS=1 cargo test -p tallyproof-record vectors` rewrites them.

use std::path::PathBuf;

use ed25519_dalek::SigningKey;
use serde_json::{Value, json};
use tallyproof_record::cose::{self, KeyId};
use tallyproof_record::definition::{DefinitionHash, Figure};
use tallyproof_record::frame::{self, Frame, MacKey};
use tallyproof_record::receipt::Receipt;
use tallyproof_record::tally::{Stage, Tally};
use tallyproof_record::{ContestNo, Phase, StationNo};

const SEED: [u8; 32] = [7; 32];
const ELECTION: DefinitionHash = DefinitionHash([0x5a; 32]);

fn key() -> SigningKey {
    SigningKey::from_bytes(&SEED)
}

fn tally() -> Tally {
    Tally {
        total: Some(374),
        ..Tally::new(ELECTION, Phase::Drill, StationNo(752), ContestNo(1), 1_790_000_000, vec![142, 192, 19, 5, 3, 13])
    }
}

fn valid() -> Vec<(&'static str, Tally)> {
    let all_figures = Tally {
        blank: Some(0),
        null: Some(23),
        voters: Some(24),
        registered: Some(65_536),
        total: Some(u32::MAX),
        phase: Phase::Official,
        ..tally()
    };
    let no_figures = Tally { total: None, counts: vec![0], ..tally() };
    let images = Tally { images: vec![[1; 32], [2; 32]], ..tally() };
    let thirty_eight = Tally { counts: (0..38).map(|i| i * 11).collect(), images: vec![[3; 32]], ..tally() };
    let rerun = Tally { stage: Stage::Rerun, station: StationNo(u32::MAX), contest: ContestNo(u16::MAX), ..tally() };
    vec![
        ("plain", tally()),
        ("all-figures", all_figures),
        ("no-figures", no_figures),
        ("two-images", images),
        ("38-lines-one-image", thirty_eight),
        ("rerun-largest-numbers", rerun),
    ]
}

/// One edit of the plain record per way of being invalid. Edits find their place by the bytes around it.
fn invalid() -> Vec<(&'static str, Vec<u8>)> {
    const PHASE_STAGE: &[u8] = &[0x03, 0x00, 0x04, 0x00];
    let good = cose::seal(&tally(), &key()).into_bytes();
    let with = |from: &[u8], to: &[u8]| replace_once(&good, from, to);
    let mut longer_payload = with(PHASE_STAGE, &[0x03, 0x18, 0x00, 0x04, 0x00]);
    let payload_length = longer_payload.iter().position(|&byte| byte == 0x58).unwrap() + 1;
    longer_payload[payload_length] += 1;
    let mut bad_signature = good.clone();
    bad_signature[good.len() - 64] ^= 1;
    vec![
        ("untagged", good[1..].to_vec()),
        ("other-tag", with(&[0xd2, 0x84], &[0xd1, 0x84])),
        ("long-form-tag", with(&[0xd2, 0x84], &[0xd8, 0x12, 0x84])),
        ("deprecated-algorithm", with(&[0x01, 0x32, 0x04], &[0x01, 0x27, 0x04])),
        ("unprotected-header-not-empty", with(&[0xa0, 0x58], &[0xa1, 0x05, 0x05, 0x58])),
        ("truncated", good[..good.len() - 1].to_vec()),
        ("trailing-byte", [good.as_slice(), &[0]].concat()),
        ("empty", Vec::new()),
        ("other-format", with(&[0xa9, 0x01, 0x01], &[0xa9, 0x01, 0x02])),
        ("long-form-integer", longer_payload),
        ("unknown-phase", with(PHASE_STAGE, &[0x03, 0x02, 0x04, 0x00])),
        ("negative-count", with(&[0x86, 0x18, 0x8e], &[0x86, 0x38, 0x8e])),
        ("keys-out-of-order", with(PHASE_STAGE, &[0x04, 0x00, 0x03, 0x00])),
        ("duplicate-key", with(PHASE_STAGE, &[0x03, 0x00, 0x03, 0x00])),
        ("missing-count", with(&[0x08, 0x86], &[0x08, 0x87])),
        ("bad-signature", bad_signature),
    ]
}

fn replace_once(bytes: &[u8], from: &[u8], to: &[u8]) -> Vec<u8> {
    let at = bytes.windows(from.len()).position(|window| window == from).expect("the pattern is in the record");
    [&bytes[..at], to, &bytes[at + from.len()..]].concat()
}

fn outcome(bytes: &[u8]) -> String {
    match cose::open(bytes) {
        Err(error) => error.to_string(),
        Ok(record) => match record.verify(&key().verifying_key()) {
            Ok(()) => "accepted".into(),
            Err(error) => error.to_string(),
        },
    }
}

fn tally_json(tally: &Tally) -> Value {
    let figures: serde_json::Map<_, _> =
        Figure::ALL.into_iter().filter_map(|f| Some((f.as_str().to_owned(), json!(tally.figure(f)?)))).collect();
    json!({
        "election": tally.election.to_string(), "phase": tally.phase.as_str(), "stage": tally.stage.code(),
        "station": tally.station.0, "contest": tally.contest.0, "sealed_at": tally.sealed_at, "counts": tally.counts,
        "figures": figures, "images": tally.images.iter().map(hex::encode).collect::<Vec<_>>(),
    })
}

fn records_json() -> Value {
    let public = key().verifying_key().to_bytes();
    let valid: Vec<_> = valid()
        .iter()
        .map(|(name, tally)| {
            let sealed = cose::seal(tally, &key());
            let digest = hex::encode(sealed.digest());
            json!({"name": name, "cose": hex::encode(sealed.as_bytes()), "sha256": digest, "tally": tally_json(tally)})
        })
        .collect();
    let invalid: Vec<_> = invalid()
        .iter()
        .map(|(name, bytes)| json!({"name": name, "cose": hex::encode(bytes), "error": outcome(bytes)}))
        .collect();
    json!({
        "about": "Sealed tally records (docs/spec/record.md). The signing key is public: for tests only.",
        "signing_key": hex::encode(SEED), "public_key": hex::encode(public), "key_id": hex::encode(KeyId::of(&public).0),
        "valid": valid, "invalid": invalid,
    })
}

fn cases_json(field: &str, cases: &[(String, Vec<u8>)], outcome: impl Fn(&[u8]) -> String) -> Value {
    let case =
        |(name, bytes): &(String, Vec<u8>)| json!({"name": name, field: hex::encode(bytes), "outcome": outcome(bytes)});
    cases.iter().map(case).collect()
}

fn frames_json() -> Value {
    let master = [9; 32];
    let (station, epoch, attempt) = (StationNo(752), 3, 848_888_888);
    let mac = MacKey::derive(&master, &ELECTION, epoch, station);
    let body = cose::seal(&tally(), &key()).into_bytes();
    let good = frame::encode(station, epoch, attempt, &body, &mac);
    let flipped = |at: usize| {
        let mut bytes = good.clone();
        bytes[at] ^= 1;
        bytes
    };
    let cases = [
        ("good", good.clone()),
        ("empty", Vec::new()),
        ("header-only", good[..frame::HEADER_LEN].to_vec()),
        ("other-magic", flipped(0)),
        ("other-version", flipped(2)),
        ("other-kind", flipped(3)),
        ("other-station", flipped(7)),
        ("other-attempt", flipped(15)),
        ("other-tag", flipped(40)),
        ("other-body", flipped(60)),
        ("trailing-byte", [good.as_slice(), &[0]].concat()),
    ];
    let cases = cases.map(|(name, bytes)| (name.to_owned(), bytes));
    let check = |bytes: &[u8]| {
        let frame = Frame::parse(bytes).and_then(|f| f.authenticate(&mac).and_then(|()| f.check_digest()));
        frame.map_or_else(|error| error.to_string(), |_| "accepted".into())
    };
    json!({
        "about": "Datagrams around a sealed record (docs/spec/record.md).",
        "mac_master": hex::encode(master), "election": ELECTION.to_string(), "mac_key": hex::encode(mac.0),
        "station": station.0, "epoch": epoch, "attempt": attempt, "cases": cases_json("datagram", &cases, check),
    })
}

fn receipts_json() -> Value {
    let digest = cose::seal(&tally(), &key()).digest();
    let receipt = Receipt { station: StationNo(752), contest: ContestNo(1), digest };
    let good = receipt.sign(&ELECTION, &key());
    let changed = (0..good.len()).step_by(9).map(|at| {
        let mut bytes = good;
        bytes[at] ^= 1;
        (format!("byte-{at}-changed"), bytes.to_vec())
    });
    let whole = [("good".to_owned(), good.to_vec()), ("short".to_owned(), good[1..].to_vec())];
    let cases: Vec<_> = whole.into_iter().chain(changed).collect();
    let check = |bytes: &[u8]| match Receipt::verify(bytes, &ELECTION, &key().verifying_key()) {
        Ok(read) if read == receipt => "accepted".into(),
        Ok(_) => "accepted with other fields".into(),
        Err(error) => error.to_string(),
    };
    json!({
        "about": "Receipts of the centre (docs/spec/record.md).",
        "public_key": hex::encode(key().verifying_key().to_bytes()), "election": ELECTION.to_string(),
        "cases": cases_json("receipt", &cases, check),
    })
}

pub(crate) fn assert_committed(name: &str, value: &Value) {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../vectors").join(name);
    let text = serde_json::to_string_pretty(value).unwrap() + "\n";
    if std::env::var_os("UPDATE_VECTORS").is_some() {
        std::fs::write(&path, &text).unwrap();
    }
    let committed = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(committed == text, "{} is not what the code writes; see UPDATE_VECTORS", path.display());
}

#[test]
fn committed_vectors_are_what_the_code_writes() {
    assert_committed("records.json", &records_json());
    assert_committed("frames.json", &frames_json());
    assert_committed("receipts.json", &receipts_json());
}

#[test]
fn every_valid_vector_opens_to_its_tally() {
    for (name, tally) in valid() {
        let sealed = cose::seal(&tally, &key());
        let opened = cose::open(sealed.as_bytes()).unwrap_or_else(|error| panic!("{name}: {error}"));
        opened.verify(&key().verifying_key()).unwrap();
        assert_eq!(opened.tally, tally, "{name}");
    }
}

#[test]
fn every_invalid_vector_is_refused() {
    for (name, bytes) in invalid() {
        assert_ne!(outcome(&bytes), "accepted", "{name}");
    }
}

#[test]
fn only_the_good_datagram_and_receipt_are_accepted() {
    for cases in [&frames_json()["cases"], &receipts_json()["cases"]] {
        for case in cases.as_array().unwrap() {
            assert_eq!(case["outcome"] == "accepted", case["name"] == "good", "{case}");
        }
    }
}

#[test]
fn sizes_fit_one_datagram() {
    let of = |count, images: &[[u8; 32]]| {
        let tally = Tally { counts: vec![count; 38], images: images.to_vec(), total: None, ..tally() };
        cose::seal(&tally, &key()).as_bytes().len()
    };
    let (usual, largest) = (of(20, &[[3; 32]]), of(65_535, &[[3; 32]; 2]));
    assert!(usual <= 270 && largest <= 380, "{usual} {largest}");
}
