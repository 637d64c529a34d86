//! Second-stage receipts of real records: their sizes, and the golden vector.
//!
//! `vectors/compact.json` holds what this code writes; `vectors/compact.mjs` verifies the same file with another program.
//! `UPDATE_VECTORS=1 cargo test -p tallyproof-count receipts` rewrites it.

use std::path::PathBuf;

use serde_json::{Value, json};
use tallyproof_log::{
    checkpoint::Checkpoint,
    compact::{CompactReceipt, MAX_LEN},
    merkle::{Hash, inclusion_root, leaf_hash},
    note::SignedNote,
    policy::{Policy, Threshold},
    proof::LogProof,
    tree::Tree,
};
use tallyproof_record::{
    ContestNo, Phase, SealedRecord, StationNo, Tally, cose,
    definition::DefinitionHash,
    entry::Entry,
    proven::{self, Proven},
};

use crate::world::{log_key, station_key, witness_key};

const TIME: u64 = 1_782_864_000;
/// What a datagram may have to pass everywhere unfragmented.
const DATAGRAM: usize = 1_200;

fn record(counts: Vec<u32>, images: usize) -> SealedRecord {
    let station = StationNo(17);
    let blank = Tally::new(DefinitionHash([7; 32]), Phase::Official, station, ContestNo(1), TIME, counts);
    cose::seal(&Tally { images: vec![[3; 32]; images], ..blank }, &station_key(station))
}

/// What most stations send: three-digit counts for 38 lines, and the hash of the paper's image.
fn usual() -> SealedRecord {
    record((0..38).map(|line| line * 11).collect(), 1)
}

/// As long as 38 lines get in a station of less than 65,536 voters.
fn longest() -> SealedRecord {
    record(vec![65_535; 38], 2)
}

fn leaf(record: &SealedRecord) -> Hash {
    leaf_hash(&Entry::Record(record.as_bytes()).encode())
}

fn policy() -> Policy {
    let mut policy = Policy::without_witnesses([log_key().verifier().clone()]).unwrap();
    for number in [11, 12, 14] {
        policy.add_witness(&format!("w{number}"), witness_key(number).verifier().clone(), None).unwrap();
    }
    policy.add_group("two", Threshold::AtLeast(2), &["w11", "w12", "w14"]).unwrap();
    policy.set_quorum("two").unwrap();
    policy
}

/// A proof over this path, its checkpoint signed by the log and these witnesses. The path is all of the tree that it shows, so any
/// hashes will do.
fn proof(leaf: &Hash, index: u64, size: u64, path: Vec<Hash>, witnesses: &[u8]) -> LogProof {
    let root = inclusion_root(leaf, index, size, &path).unwrap();
    let checkpoint = Checkpoint { origin: log_key().verifier().name().clone(), size, root };
    let mut note = SignedNote::parse(checkpoint.sign(&log_key()).unwrap().as_bytes()).unwrap();
    for number in witnesses {
        let witness = witness_key(*number);
        note.attach(witness.cosign(&checkpoint, TIME + u64::from(*number)).unwrap(), witness.verifier()).unwrap();
    }
    LogProof { extra: Vec::new(), index, path, checkpoint: note }
}

fn compact(proof: &LogProof, leaf: &Hash) -> CompactReceipt {
    let (receipt, left_out) = CompactReceipt::of(proof, leaf, log_key().verifier(), &policy()).unwrap();
    assert_eq!(left_out, []);
    receipt
}

/// The worst case: an entry in the right half, whose index is long, at the end of a full path.
fn receipt(record: &SealedRecord, size: u64, hashes: u8, witnesses: &[u8]) -> (LogProof, Vec<u8>) {
    let path = (0..hashes).map(|level| leaf_hash(&[level])).collect();
    let proof = proof(&leaf(record), 1 << (hashes - 1), size, path, witnesses);
    let bytes = compact(&proof, &leaf(record)).encode();
    let verified = CompactReceipt::decode(&bytes).unwrap().verify(&leaf(record), log_key().verifier(), &policy());
    assert_eq!(verified.unwrap().cosigners.len(), witnesses.len());
    (proof, bytes)
}

/// The rows of the table in `docs/spec/receipt.md`.
fn sizes() -> Vec<(String, usize)> {
    let (usual, longest) = (usual(), longest());
    let mut rows = vec![
        ("record of 38 counts, with the hash of the paper's image".to_owned(), usual.as_bytes().len()),
        ("the same, counts of five digits and two images".to_owned(), longest.as_bytes().len()),
    ];
    for (size, shown, hashes) in [(30_000, "30,000", 15), (1_000_000, "1,000,000", 20)] {
        for witnesses in [[].as_slice(), &[11, 12, 14]] {
            let (proof, bytes) = receipt(&usual, size, hashes, witnesses);
            let kind = format!("at {shown} entries, {} cosignatures", witnesses.len());
            rows.push((format!("compact receipt {kind}"), bytes.len()));
            rows.push((format!("record and compact receipt {kind}"), proven::encode(&usual, &bytes).len()));
            rows.push((format!("tlog-proof text {kind}"), proof.to_string().len()));
        }
    }
    rows
}

fn size_of(rows: &[(String, usize)], what: &str) -> usize {
    rows.iter().find(|(name, _)| name == what).unwrap().1
}

#[test]
fn record_and_receipt_fit_one_datagram() {
    let rows = sizes();
    for (what, bytes) in &rows {
        println!("{bytes:>6} B  {what}");
    }
    let together =
        |shown: &str| size_of(&rows, &format!("record and compact receipt at {shown} entries, 3 cosignatures"));
    assert!(together("30,000") <= DATAGRAM, "{} bytes", together("30,000"));
    assert!(together("1,000,000") <= DATAGRAM, "{} bytes", together("1,000,000"));
    let (_, bytes) = receipt(&longest(), 30_000, 15, &[11, 12, 14]);
    let longest = proven::encode(&longest(), &bytes).len();
    println!("{longest:>6} B  the longest record of 38 lines and its receipt at 30,000 entries, 3 cosignatures");
    assert!(longest <= DATAGRAM, "{longest} bytes");
}

#[test]
fn the_specification_states_these_sizes() {
    let page = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../docs/spec/receipt.md");
    let page = std::fs::read_to_string(page).unwrap();
    for (what, bytes) in sizes() {
        let row = format!("| {what} | {} |", grouped(bytes));
        assert!(page.contains(&row), "docs/spec/receipt.md lacks: {row}");
    }
    assert!(page.contains(&format!("At most {} bytes", grouped(MAX_LEN))), "the longest is {}", grouped(MAX_LEN));
}

fn grouped(number: usize) -> String {
    if number < 1_000 { number.to_string() } else { format!("{},{:03}", number / 1_000, number % 1_000) }
}

/// One real tree for the vector.
fn vector_proof(index: u64, size: u64, witnesses: &[u8]) -> (SealedRecord, LogProof) {
    let record = |index: u64| record(vec![u32::try_from(index).unwrap(), 40, 2], 1);
    let tree: Tree = (0..size).map(|index| leaf(&record(index))).collect();
    let path = tree.inclusion_proof(index, size).unwrap();
    (record(index), proof(&leaf(&record(index)), index, size, path, witnesses))
}

/// What a reader of the datagram who has the log's key and the policy finds.
fn outcome(datagram: &[u8]) -> Value {
    let read = || {
        let parts = Proven::parse(datagram).map_err(|error| error.to_string())?;
        let leaf = leaf_hash(&Entry::Record(parts.record).encode());
        let receipt = CompactReceipt::decode(parts.receipt).map_err(|error| error.to_string())?;
        let (log, policy) = (log_key(), policy());
        let attested = receipt.verify(&leaf, log.verifier(), &policy).map_err(|error| error.to_string())?;
        let proof = receipt.to_proof(&leaf, log.verifier(), &policy).map_err(|error| error.to_string())?;
        Ok::<_, String>(json!({
            "index": receipt.index(), "tree_size": receipt.tree_size(), "root": attested.checkpoint.root.to_base64(),
            "cosigners": attested.cosigners, "quorum_met": attested.quorum_met, "proof": proof.to_string(),
        }))
    };
    read().unwrap_or_else(|why| json!({"refused": why}))
}

fn cases() -> Vec<(String, Vec<u8>)> {
    let together = |index, size, witnesses: &[u8]| {
        let (record, proof) = vector_proof(index, size, witnesses);
        proven::encode(&record, &compact(&proof, &leaf(&record)).encode())
    };
    let good = together(20, 37, &[11, 12, 14]);
    let mut cases = vec![
        ("one-entry-log-only".to_owned(), together(0, 1, &[])),
        ("last-entry-one-witness".to_owned(), together(36, 37, &[14])),
        ("quorum".to_owned(), together(5, 37, &[14, 11])),
        ("everybody".to_owned(), good.clone()),
    ];
    // One bit in each part: record, version, index, size, path, log's signature, count, witness, time, cosignature.
    let start = 6 + usize::from(u16::from_be_bytes([good[4], good[5]]));
    let path = start + 3;
    let log = path + 32 * vector_proof(20, 37, &[]).1.path.len();
    for at in [
        3,
        5,
        40,
        start,
        start + 1,
        start + 2,
        path + 33,
        log + 9,
        log + 64,
        log + 65,
        log + 66,
        log + 75,
        good.len() - 1,
    ] {
        let mut changed = good.clone();
        changed[at] ^= 1;
        cases.push((format!("byte-{at}-changed"), changed));
    }
    let long_index = [&good[..=start], &[good[start + 1] | 0x80, 0], &good[start + 2..]].concat();
    cases.push(("index-in-long-form".to_owned(), long_index));
    cases.push(("cut-short".to_owned(), good[..good.len() - 1].to_vec()));
    cases.push(("byte-added".to_owned(), [good.as_slice(), &[0]].concat()));
    cases.push(("no-receipt".to_owned(), good[..start].to_vec()));
    cases
}

fn vectors() -> Value {
    let cases: Vec<_> = cases()
        .iter()
        .map(|(name, bytes)| json!({"name": name, "datagram": hex::encode(bytes), "outcome": outcome(bytes)}))
        .collect();
    json!({
        "about": "Records with their compact receipts (docs/spec/receipt.md), and copies that do not hold.",
        "log": log_key().verifier().to_string(), "policy": policy().to_string(), "cases": cases,
    })
}

#[test]
fn compact_receipts_are_the_golden_ones() {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../vectors/compact.json");
    let text = format!("{}\n", serde_json::to_string_pretty(&vectors()).unwrap());
    if std::env::var_os("UPDATE_VECTORS").is_some() {
        std::fs::write(&path, &text).unwrap();
    }
    let committed = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(committed == text, "{} is not what the code writes; see UPDATE_VECTORS", path.display());
}

#[test]
fn the_first_four_golden_receipts_hold_and_no_other() {
    for (number, (name, bytes)) in cases().iter().enumerate() {
        let found = outcome(bytes);
        assert_eq!(found.get("refused").is_none(), number < 4, "{name}: {found}");
    }
}

#[test]
fn a_datagram_is_cut_where_it_says() {
    let record = usual();
    let together = proven::encode(&record, b"receipt");
    assert_eq!(Proven::parse(&together).unwrap(), Proven { record: record.as_bytes(), receipt: b"receipt" });
    for length in 0..together.len() - 7 {
        assert!(Proven::parse(&together[..length]).is_err(), "{length}");
    }
    for at in 0..4 {
        let mut other = together.clone();
        other[at] ^= 1;
        assert!(Proven::parse(&other).is_err(), "byte {at}");
    }
}
