//! Golden vectors: `vectors/cosignatures.json` holds what this code writes; `vectors/check.py` verifies the same file.
//! `UPDATE_VECTORS=1 cargo test -p tallyproof-log vectors` rewrites it.

use std::path::PathBuf;

use serde_json::{Value, json};
use tallyproof_log::{
    checkpoint,
    cosignature::MAX_TIME,
    note::{NoteError, SignedNote, VerifierKey},
};

use crate::cosignatures::{ORIGIN, TIME, checkpoint, log, ml_dsa_witness, signed, witness};

/// A checkpoint with one line after the log's own.
fn with_line(size: u64, line: &str) -> String {
    format!("{}{line}\n", signed(size))
}

/// Cosigned notes, and copies of one with one thing changed each.
fn notes() -> Vec<(&'static str, String)> {
    let (a, b) = (witness(2), ml_dsa_witness(3));
    let cosign = |size, time| a.cosign(&checkpoint(size), time).unwrap();
    let changed = |change: &dyn Fn(&mut Vec<u8>)| {
        let mut cosignature = cosign(7, TIME);
        change(&mut cosignature.signature);
        with_line(7, &cosignature.to_string())
    };
    vec![
        ("plain", with_line(7, &cosign(7, TIME).to_string())),
        ("empty-log-time-zero", with_line(0, &cosign(0, 0).to_string())),
        ("largest-numbers", with_line(u64::MAX, &cosign(u64::MAX, MAX_TIME).to_string())),
        ("ml-dsa", with_line(7, &b.cosign(&checkpoint(7), TIME).unwrap().to_string())),
        ("of-another-size", with_line(8, &cosign(7, TIME).to_string())),
        ("ml-dsa-of-another-size", with_line(8, &b.cosign(&checkpoint(7), TIME).unwrap().to_string())),
        ("another-time", changed(&|bytes| bytes[7] ^= 1)),
        ("time-beyond-the-format", changed(&|bytes| bytes[0] |= 0x80)),
        ("changed-signature", changed(&|bytes| bytes[40] ^= 1)),
        ("short", changed(&|bytes| bytes.truncate(71))),
        ("long", changed(&|bytes| bytes.push(0))),
        ("of-an-unknown-witness", with_line(7, &witness(4).cosign(&checkpoint(7), TIME).unwrap().to_string())),
        ("log-only", signed(7).to_string()),
    ]
}

fn outcome(note: &str, keys: &[VerifierKey]) -> &'static str {
    match SignedNote::parse(note.as_bytes()).and_then(|note| note.verify(keys)) {
        Ok(verified) if keys[1..].iter().any(|key| verified.signed_by(key)) => "cosigned",
        Ok(_) => "not cosigned",
        Err(NoteError::BadSignature { .. }) => "bad signature",
        Err(_) => "not a note",
    }
}

/// The log's, and those of the witnesses that a reader knows.
fn keys() -> [VerifierKey; 3] {
    [log().verifier().clone(), witness(2).verifier().clone(), ml_dsa_witness(3).verifier().clone()]
}

fn vectors() -> Value {
    let keys = keys();
    let cases =
        notes().into_iter().map(|(name, note)| json!({"name": name, "outcome": outcome(&note, &keys), "note": note}));
    json!({
        "about": "Checkpoints that a witness has cosigned (C2SP tlog-cosignature v1.1.0-rc.1), and copies that do not hold.",
        "cases": cases.collect::<Vec<_>>(),
        "log": keys[0].to_string(),
        "witnesses": keys[1..].iter().map(ToString::to_string).collect::<Vec<_>>(),
    })
}

#[test]
fn cosignatures_are_the_golden_ones() {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../vectors/cosignatures.json");
    let text = format!("{}\n", serde_json::to_string_pretty(&vectors()).unwrap());
    if std::env::var_os("UPDATE_VECTORS").is_some() {
        std::fs::write(&path, &text).unwrap();
    }
    assert_eq!(std::fs::read_to_string(&path).unwrap(), text, "run again with UPDATE_VECTORS=1 if this is meant");
}

#[test]
fn the_golden_cosignatures_that_hold_are_those_named_first() {
    let keys = keys();
    let holding: Vec<_> = notes().into_iter().filter(|(_, note)| outcome(note, &keys) == "cosigned").collect();
    assert_eq!(
        holding.iter().map(|(name, _)| *name).collect::<Vec<_>>(),
        ["plain", "empty-log-time-zero", "largest-numbers", "ml-dsa"]
    );
    for (name, note) in holding {
        assert!(checkpoint::open(note.as_bytes(), &keys, ORIGIN).is_ok(), "{name}");
    }
}
