//! Proofs that a log has forked.

use std::path::PathBuf;

use proptest::prelude::*;
use tallyproof_log::{
    checkpoint::Checkpoint,
    fork::{ForkError, ForkProof, MAX_LEN, Prefix},
    merkle::{ProofError, leaf_hash, proven_prefix},
    note::{SignedNote, SignerKey, VerifierKey},
    tree::Tree,
};

use crate::cosignatures::{ORIGIN, TIME, log, witness};

/// A history that is the same for everybody up to entry `fork`, and from there on that of one side.
pub(crate) fn tree(size: u64, fork: u64, side: u8) -> Tree {
    (0..size)
        .map(|index| leaf_hash(&[index.to_be_bytes().as_slice(), &[if index < fork { 0 } else { side }]].concat()))
        .collect()
}

fn signed_by(key: &SignerKey, tree: &Tree, size: u64) -> SignedNote {
    let checkpoint = Checkpoint { origin: key.verifier().name().clone(), size, root: tree.root_at(size).unwrap() };
    SignedNote::parse(checkpoint.sign(key).unwrap().as_bytes()).unwrap()
}

fn signed(tree: &Tree, size: u64) -> SignedNote {
    signed_by(&log(), tree, size)
}

fn key() -> VerifierKey {
    log().verifier().clone()
}

fn prefix(tree: &Tree, size: u64) -> Prefix {
    Prefix { root: tree.root_at(size).unwrap(), proof: tree.consistency_proof(size, tree.size()).unwrap() }
}

fn prove(a: &Tree, b: &Tree) -> Result<ForkProof, ForkError> {
    let (small, large) = if a.size() <= b.size() { (a, b) } else { (b, a) };
    ForkProof::new(key(), [signed(a, a.size()), signed(b, b.size())], Some(prefix(large, small.size())))
}

#[test]
fn two_roots_of_one_size_are_a_fork() {
    let proof = prove(&tree(9, 4, 1), &tree(9, 4, 2)).unwrap();
    assert_eq!(prove(&tree(9, 4, 2), &tree(9, 4, 1)), Ok(proof.clone()), "the order does not matter");
    let read: ForkProof = proof.to_string().parse().unwrap();
    assert_eq!(read, proof);
    let fork = read.verify().unwrap();
    assert_eq!((fork.one.size, fork.other.size, fork.prefix), (9, 9, None));
    assert!(fork.one.root < fork.other.root && fork.log == key());
    assert!(fork.to_string().contains("at 9 entries") && fork.to_string().contains("Not shown:"), "{fork}");
}

#[test]
fn a_larger_tree_that_begins_otherwise_is_a_fork() {
    for (small, large) in [(1, 2), (4, 9), (7, 9), (8, 300), (255, 256)] {
        let (a, b) = (tree(small, 0, 1), tree(large, 0, 2));
        let proof = prove(&a, &b).unwrap();
        let fork = proof.to_string().parse::<ForkProof>().unwrap().verify().unwrap();
        assert_eq!((fork.one.root, fork.other.root, fork.prefix), (a.root(), b.root(), b.root_at(small)));
    }
}

#[test]
fn one_history_is_no_fork() {
    let whole = tree(9, 9, 0);
    for size in [1, 4, 8] {
        let notes = || [signed(&whole, size), signed(&whole, 9)];
        assert_eq!(ForkProof::new(key(), notes(), Some(prefix(&whole, size))), Err(ForkError::NoFork));
        assert_eq!(ForkProof::new(key(), notes(), None), Err(ForkError::NoFork));
        // Another root is not shown to be that of the first entries.
        let lie = Prefix { root: leaf_hash(b"lie"), ..prefix(&whole, size) };
        assert_eq!(ForkProof::new(key(), notes(), Some(lie)), Err(ForkError::Proof(ProofError::RootMismatch)));
    }
    assert_eq!(ForkProof::new(key(), [signed(&whole, 9), signed(&whole, 9)], None), Err(ForkError::NoFork));
    // Anybody's tree begins with the empty one.
    let empty = Checkpoint { origin: ORIGIN.parse().unwrap(), size: 0, root: leaf_hash(b"") }.sign(&log()).unwrap();
    let notes = [SignedNote::parse(empty.as_bytes()).unwrap(), signed(&whole, 9)];
    let nothing = Prefix { root: Tree::new().root(), proof: Vec::new() };
    assert_eq!(ForkProof::new(key(), notes, Some(nothing)), Err(ForkError::NoFork));
}

#[test]
fn both_checkpoints_are_the_logs_own() {
    let (a, b) = (tree(9, 4, 1), tree(9, 4, 2));
    let stranger = SignerKey::new(ORIGIN.parse().unwrap(), &[7; 32]);
    let other_log = SignerKey::new("log.example/2".parse().unwrap(), &[1; 32]);
    for foreign in [&stranger, &other_log] {
        let error = ForkProof::new(key(), [signed(&a, 9), signed_by(foreign, &b, 9)], None).unwrap_err();
        assert!(matches!(error, ForkError::Checkpoint { .. }), "{error}");
    }
    let witness = witness(2).verifier().clone();
    assert_eq!(ForkProof::new(witness, [signed(&a, 9), signed(&b, 9)], None), Err(ForkError::LogKey));
}

#[test]
fn cosignatures_on_either_side_stay() {
    let (a, b) = (tree(9, 4, 1), tree(9, 4, 2));
    let witness = witness(2);
    let mut seen = signed(&a, 9);
    let cosignature = witness.cosign(&seen.text().parse().unwrap(), TIME).unwrap();
    seen.attach(cosignature.clone(), witness.verifier()).unwrap();
    let text = ForkProof::new(key(), [seen, signed(&b, 9)], None).unwrap().to_string();
    assert!(text.contains(&cosignature.to_string()));
    assert!(text.parse::<ForkProof>().unwrap().verify().is_ok());
}

#[test]
fn a_proof_has_one_form() {
    let text = prove(&tree(7, 4, 1), &tree(9, 4, 2)).unwrap().to_string();
    let parts: Vec<&str> = text.trim_end().split("\n\n").collect();
    let swapped = format!("{}\n\n{}\n\n{}\n\n{}\n\n{}\n", parts[0], parts[3], parts[4], parts[1], parts[2]);
    let lines: Vec<&str> = parts[0].lines().collect();
    for bad in [
        swapped,
        String::new(),
        text.trim_end().to_owned(),
        format!("{text}\n"),
        format!("{text}{}\n", parts[1]),
        text.replace("fork v1", "fork v2"),
        text.replace('\n', "\r\n"),
        text.replace("log log", "log  log"),
        text.replace(&format!("{}\n", lines[1]), ""),
        text.replace(&format!("{}\n", lines[2]), ""),
        text.replace(lines[2], &format!("{}\n{}", lines[3], lines[2])),
        text.replace(lines[3], &vec![lines[3]; 64].join("\n")),
    ] {
        assert_eq!(bad.parse::<ForkProof>(), Err(ForkError::Malformed), "{bad}");
    }
    assert!(matches!("x".repeat(MAX_LEN + 1).parse::<ForkProof>(), Err(ForkError::TooLong(_))));
    let no_checkpoint = text.replace(&format!("\n{ORIGIN}\n7\n"), &format!("\n{ORIGIN}\n07\n"));
    assert!(
        matches!(no_checkpoint.parse::<ForkProof>(), Err(ForkError::Checkpoint { number: 1, .. })),
        "{no_checkpoint}"
    );
}

#[test]
fn a_proof_of_consistency_tells_the_prefix_except_of_a_complete_subtree() {
    let tree = tree(21, 21, 0);
    for size in 0..=21 {
        let proof = tree.consistency_proof(size, 21).unwrap();
        let told = (0 < size && size < 21 && !size.is_power_of_two()).then(|| tree.root_at(size).unwrap());
        assert_eq!(proven_prefix(size, 21, &tree.root(), &proof), told, "{size}");
        assert_eq!(proven_prefix(size, 21, &leaf_hash(b""), &proof), None);
    }
}

proptest! {
    #[test]
    fn every_fork_is_proven_and_every_changed_byte_is_found(
        sizes in (1_u64..600, 1_u64..600), fork in 0_u64..600, at in any::<prop::sample::Index>(), bit in 0_u32..7,
    ) {
        let (a, b) = (tree(sizes.0, fork, 1), tree(sizes.1, fork, 2));
        let proof = prove(&a, &b);
        if fork >= sizes.0.min(sizes.1) {
            prop_assert_eq!(proof, Err(ForkError::NoFork));
        } else {
            let text = proof.unwrap().to_string();
            prop_assert!(text.parse::<ForkProof>().unwrap().verify().is_ok());
            let mut bytes = text.into_bytes();
            let at = at.index(bytes.len());
            bytes[at] ^= 1 << bit;
            let changed = String::from_utf8(bytes).ok().and_then(|text| text.parse::<ForkProof>().ok());
            prop_assert!(changed.is_none_or(|changed| changed.verify().is_err()));
        }
    }
}

/// What this version writes; a later one has to read it. `UPDATE_VECTORS=1` rewrites it.
#[test]
fn the_golden_proof_still_holds() {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../vectors/fork.txt");
    let text = prove(&tree(7, 4, 1), &tree(9, 4, 2)).unwrap().to_string();
    if std::env::var_os("UPDATE_VECTORS").is_some() {
        std::fs::write(&path, &text).unwrap();
    }
    let golden = std::fs::read_to_string(&path).unwrap();
    assert_eq!(golden, text, "run again with UPDATE_VECTORS=1 if this is meant");
    assert!(golden.parse::<ForkProof>().unwrap().verify().is_ok());
}
