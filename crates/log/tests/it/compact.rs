//! Compact receipts: what they keep, what they leave out, and that nothing in them can be changed.

use proptest::prelude::*;
use tallyproof_log::{
    checkpoint::Checkpoint,
    compact::{CompactError, CompactReceipt, LeftOut, MAX_LEN},
    cosignature::CosignerKey,
    merkle::{Hash, ProofError, leaf_hash},
    note::SignedNote,
    policy::{MAX_OF_EACH, Policy},
    proof::{LogProof, LogProofError},
    tree::Tree,
};

use crate::cosignatures::{TIME, log, ml_dsa_witness, witness};

fn leaf(index: u64) -> Hash {
    leaf_hash(&index.to_be_bytes())
}

/// The log, three witnesses of Ed25519 and, in the policy's second place, one of ML-DSA-44; any two are a quorum.
fn policy() -> Policy {
    let mut policy = Policy::without_witnesses([log().verifier().clone()]).unwrap();
    let keys = [witness(2), ml_dsa_witness(3), witness(4), witness(5)];
    let names = ["a", "b", "c", "d"];
    for (name, key) in names.iter().zip(&keys) {
        policy.add_witness(name, key.verifier().clone(), None).unwrap();
    }
    policy.add_group("two", tallyproof_log::policy::Threshold::AtLeast(2), &names).unwrap();
    policy.set_quorum("two").unwrap();
    policy
}

/// The proof of one entry, its checkpoint cosigned by these, in this order.
fn proof(index: u64, size: u64, witnesses: &[&CosignerKey]) -> LogProof {
    let tree: Tree = (0..size).map(leaf).collect();
    let checkpoint = Checkpoint { origin: log().verifier().name().clone(), size, root: tree.root() };
    let mut note = SignedNote::parse(checkpoint.sign(&log()).unwrap().as_bytes()).unwrap();
    for (later, witness) in (0..).zip(witnesses) {
        note.attach(witness.cosign(&checkpoint, TIME + later).unwrap(), witness.verifier()).unwrap();
    }
    LogProof { extra: Vec::new(), index, path: tree.inclusion_proof(index, size).unwrap(), checkpoint: note }
}

fn compact(proof: &LogProof, index: u64) -> (CompactReceipt, Vec<LeftOut>) {
    CompactReceipt::of(proof, &leaf(index), log().verifier(), &policy()).unwrap()
}

fn verify(bytes: &[u8], index: u64) -> Result<(bool, Vec<String>), CompactError> {
    let attested = CompactReceipt::decode(bytes)?.verify(&leaf(index), log().verifier(), &policy())?;
    Ok((attested.quorum_met, attested.cosigners))
}

#[test]
fn a_receipt_says_who_vouches_and_whether_they_are_enough() {
    let (a, c, d) = (witness(2), witness(4), witness(5));
    for (witnesses, names, met) in
        [(vec![], vec![], false), (vec![&d], vec!["d"], false), (vec![&a, &c], vec!["a", "c"], true)]
    {
        let (receipt, left_out) = compact(&proof(6, 9, &witnesses), 6);
        let names = names.into_iter().map(str::to_owned).collect();
        assert_eq!(verify(&receipt.encode(), 6), Ok((met, names)));
        assert_eq!((receipt.index(), receipt.tree_size(), receipt.cosignatures()), (6, 9, witnesses.len()));
        assert_eq!(left_out, []);
    }
}

#[test]
fn the_order_of_signatures_says_nothing_and_is_not_kept() {
    let (a, c) = (witness(2), witness(4));
    let (there, back) = (compact(&proof(6, 9, &[&a, &c]), 6).0, compact(&proof(6, 9, &[&c, &a]), 6).0);
    let names = |receipt: &CompactReceipt| verify(&receipt.encode(), 6).unwrap().1;
    assert_eq!(names(&there), names(&back));
    let lines = back.to_proof(&leaf(6), log().verifier(), &policy()).unwrap().checkpoint;
    let signers: Vec<_> = lines.signatures().iter().map(|line| line.name.as_str().to_owned()).collect();
    assert_eq!(signers, ["log.example/1", "witness.example/2", "witness.example/4"]);
}

#[test]
fn what_has_no_room_is_named() {
    let (a, b, stranger) = (witness(2), ml_dsa_witness(3), witness(9));
    let mut proof = proof(6, 9, &[&b, &stranger, &a]);
    let (receipt, left_out) = compact(&proof, 6);
    assert_eq!(receipt.cosignatures(), 1);
    let (name, key_id) = (stranger.verifier().name().clone(), stranger.verifier().id());
    assert_eq!(left_out, [LeftOut::MlDsa44("b".into()), LeftOut::UnknownSigner { name, key_id }]);
    proof.extra = b"more".to_vec();
    assert_eq!(compact(&proof, 6).1[0], LeftOut::Extra);
    // The same line twice is one signature; the second is nothing that could be given back.
    let lines = proof.checkpoint.to_string();
    let last = lines.lines().last().unwrap();
    proof.checkpoint = SignedNote::parse(format!("{lines}{last}\n").as_bytes()).unwrap();
    let (name, key_id) = (a.verifier().name().clone(), a.verifier().id());
    assert_eq!(compact(&proof, 6).1.last(), Some(&LeftOut::Repeated { name, key_id }));
}

#[test]
fn a_proof_that_does_not_hold_is_not_compacted() {
    let (log, policy) = (log(), policy());
    let good = proof(6, 9, &[&witness(2)]);
    let of = |proof: &LogProof, index| CompactReceipt::of(proof, &leaf(index), log.verifier(), &policy);
    assert!(matches!(of(&good, 5), Err(LogProofError::Proof(ProofError::RootMismatch))));
    assert!(matches!(of(&LogProof { index: 7, ..good.clone() }, 6), Err(LogProofError::Proof(_))));
    let text = good.checkpoint.to_string().replace("\n9\n", "\n8\n");
    let shrunk = LogProof { checkpoint: SignedNote::parse(text.as_bytes()).unwrap(), ..good };
    assert!(matches!(of(&shrunk, 6), Err(LogProofError::Checkpoint(_))));
}

#[test]
fn another_policy_or_log_gives_no_receipt() {
    let (a, c) = (witness(2), witness(4));
    let (receipt, _) = compact(&proof(6, 9, &[&a, &c]), 6);
    let none = Policy::without_witnesses([log().verifier().clone()]).unwrap();
    assert_eq!(receipt.verify(&leaf(6), log().verifier(), &none), Err(CompactError::Witness(0)));
    let mut swapped = none;
    for (name, key) in [("a", witness(4)), ("b", witness(3)), ("c", witness(2))] {
        swapped.add_witness(name, key.verifier().clone(), None).unwrap();
    }
    assert!(matches!(receipt.verify(&leaf(6), log().verifier(), &swapped), Err(CompactError::Proof(_))));
    let other = tallyproof_log::note::SignerKey::new("log.example/2".parse().unwrap(), &[1; 32]);
    assert!(matches!(receipt.verify(&leaf(6), other.verifier(), &policy()), Err(CompactError::Proof(_))));
    assert_eq!(CompactError::Witness(1), verify(&with_witness(&receipt, 1), 6).unwrap_err(), "an ML-DSA-44 key");
}

/// The receipt, its last cosignature said to be of another witness.
fn with_witness(receipt: &CompactReceipt, number: u8) -> Vec<u8> {
    let mut bytes = receipt.encode();
    let at = bytes.len() - 70;
    bytes[at] = number;
    bytes
}

#[test]
fn layouts_that_nobody_writes_are_refused() {
    let (a, c) = (witness(2), witness(4));
    let (receipt, _) = compact(&proof(6, 9, &[&a, &c]), 6);
    let good = receipt.encode();
    assert_eq!(good.len(), 3 + 32 * 4 + 64 + 1 + 70 * 2);
    assert_eq!(CompactReceipt::decode(&good), Ok(receipt.clone()));
    for length in 1..good.len() {
        assert_eq!(CompactReceipt::decode(&good[..length]), Err(CompactError::Length), "{length}");
    }
    assert_eq!(CompactReceipt::decode(&[]), Err(CompactError::Version));
    assert_eq!(CompactReceipt::decode(&[good.as_slice(), &[0]].concat()), Err(CompactError::Length));
    assert_eq!(CompactReceipt::decode(&with_witness(&receipt, 0)), Err(CompactError::Order), "twice");
    let mut outside = good.clone();
    outside[1] = 9;
    let beyond = ProofError::IndexOutOfRange { index: 9, size: 9 };
    assert_eq!(CompactReceipt::decode(&outside), Err(CompactError::Path(beyond)));
    let mut crowded = good;
    crowded[3 + 32 * 4 + 64] = u8::try_from(MAX_OF_EACH).unwrap() + 1;
    crowded.resize(10_000, 0);
    assert_eq!(CompactReceipt::decode(&crowded), Err(CompactError::Order));
}

#[test]
fn a_number_has_one_spelling() {
    let (receipt, _) = compact(&proof(6, 9, &[]), 6);
    let with_index = |index: &[u8]| [&[1], index, &receipt.encode()[2..]].concat();
    assert_eq!(CompactReceipt::decode(&with_index(&[6])), Ok(receipt.clone()));
    let longest = [&[0xff; 9], [2].as_slice()].concat();
    for other in [[0x86, 0].as_slice(), &[0x86, 0x80, 0], &longest, &[0x80; 11], &[0xff; 11]] {
        assert_eq!(CompactReceipt::decode(&with_index(other)), Err(CompactError::Number), "{other:?}");
    }
}

#[test]
fn the_largest_receipt_is_read_and_no_larger_one() {
    // Index 2^63 of 2^64 − 1 entries: numbers of ten bytes, and 64 hashes from there to the root.
    let index = [&[0x80; 9], [1].as_slice()].concat();
    let largest = [&[0xff; 9], [1].as_slice()].concat();
    let mut bytes = [&[1], index.as_slice(), &largest].concat();
    bytes.resize(21 + 64 * 32 + 64, 7);
    bytes.push(64);
    bytes.extend((0..64).flat_map(|witness| [&[witness], largest.as_slice(), &[3; 64]].concat()));
    assert_eq!(bytes.len(), MAX_LEN);
    assert_eq!(CompactReceipt::decode(&bytes).unwrap().encode(), bytes);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn receipts_and_proofs_give_each_other_back(size in 1_u64..300, at in any::<prop::sample::Index>(), signers: [bool; 3]) {
        let index = at.index(usize::try_from(size).unwrap()) as u64;
        let witnesses = [witness(2), witness(4), witness(5)];
        let some: Vec<_> = witnesses.iter().zip(signers).filter_map(|(witness, signs)| signs.then_some(witness)).collect();
        let proof = proof(index, size, &some);
        let (receipt, left_out) = compact(&proof, index);
        prop_assert_eq!(left_out, []);
        prop_assert_eq!(CompactReceipt::decode(&receipt.encode()), Ok(receipt.clone()));
        let back = receipt.to_proof(&leaf(index), log().verifier(), &policy()).unwrap();
        prop_assert_eq!(back.to_string(), proof.to_string());
        prop_assert_eq!(compact(&back, index).0, receipt);
    }

    #[test]
    fn any_flipped_bit_makes_a_receipt_fail(size in 1_u64..300, at in any::<prop::sample::Index>(), flips in prop::collection::vec(any::<prop::sample::Index>(), 24)) {
        let index = at.index(usize::try_from(size).unwrap()) as u64;
        let bytes = compact(&proof(index, size, &[&witness(2), &witness(4), &witness(5)]), index).0.encode();
        prop_assert!(verify(&bytes, index).unwrap().0);
        for flip in flips {
            let bit = flip.index(bytes.len() * 8);
            let mut changed = bytes.clone();
            changed[bit / 8] ^= 1 << (bit % 8);
            prop_assert!(verify(&changed, index).is_err(), "bit {} of {}", bit, bytes.len() * 8);
        }
    }

    #[test]
    fn foreign_bytes_are_read_or_refused(bytes in prop::collection::vec(any::<u8>(), 0..400)) {
        let bytes = [&[1], bytes.as_slice()].concat();
        if let Ok(receipt) = CompactReceipt::decode(&bytes) {
            prop_assert_eq!(receipt.encode(), bytes);
        }
    }
}

/// Every bit of one receipt, not a sample.
#[test]
fn every_flipped_bit_of_a_receipt_is_found() {
    let bytes = compact(&proof(6, 9, &[&witness(2), &witness(4), &witness(5)]), 6).0.encode();
    for bit in 0..bytes.len() * 8 {
        let mut changed = bytes.clone();
        changed[bit / 8] ^= 1 << (bit % 8);
        assert!(verify(&changed, 6).is_err(), "bit {bit}");
    }
}
