use proptest::prelude::*;
use tallyproof_log::{
    merkle::{
        Hash, ProofError, empty_root, inclusion_root, leaf_hash, node_hash, root, verify_consistency, verify_inclusion,
    },
    tree::Tree,
};

fn leaves(count: u64) -> Vec<Hash> {
    (0..count).map(|i| leaf_hash(&i.to_be_bytes())).collect()
}

fn tree(count: u64) -> Tree {
    leaves(count).into_iter().collect()
}

/// MTH as RFC 6962 section 2.1 defines it.
fn definition(leaves: &[Hash]) -> Hash {
    match leaves {
        [] => empty_root(),
        [leaf] => *leaf,
        _ => {
            let (left, right) = leaves.split_at(leaves.len().next_power_of_two() / 2);
            node_hash(&definition(left), &definition(right))
        }
    }
}

/// The leaves and roots of the tests of the Certificate Transparency project, used by every implementation since.
const CT_LEAVES: [&[u8]; 8] = [
    b"",
    b"\x00",
    b"\x10",
    b"\x20\x21",
    b"\x30\x31",
    b"\x40\x41\x42\x43",
    b"\x50\x51\x52\x53\x54\x55\x56\x57",
    b"\x60\x61\x62\x63\x64\x65\x66\x67\x68\x69\x6a\x6b\x6c\x6d\x6e\x6f",
];

const CT_ROOTS: [&str; 9] = [
    "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
    "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
    "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
    "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
    "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
];

#[test]
fn known_roots() {
    let mut tree = Tree::new();
    let hashes: Vec<Hash> = CT_LEAVES.iter().map(|leaf| leaf_hash(leaf)).collect();
    for (size, expected) in CT_ROOTS.iter().enumerate() {
        assert_eq!(root(hashes.iter().copied().take(size)).to_string(), *expected, "{size} leaves");
        assert_eq!(tree.root().to_string(), *expected, "{size} leaves");
        if let Some(leaf) = hashes.get(size) {
            tree.append(*leaf);
        }
    }
}

/// The paths that RFC 6962 section 2.1.3 spells out for its tree of seven leaves, by the subtrees they name.
#[test]
#[expect(clippy::many_single_char_names, reason = "the RFC's names")]
fn paths_of_the_rfc_example() {
    let hashes = leaves(7);
    let tree: Tree = hashes.iter().copied().collect();
    let [a, b, c, d, e, f, j]: [Hash; 7] = hashes.clone().try_into().unwrap();
    let (g, h, i) = (node_hash(&a, &b), node_hash(&c, &d), node_hash(&e, &f));
    let (k, l) = (node_hash(&g, &h), node_hash(&i, &j));
    assert_eq!(tree.inclusion_proof(0, 7).unwrap(), [b, h, l]);
    assert_eq!(tree.inclusion_proof(3, 7).unwrap(), [c, g, l]);
    assert_eq!(tree.inclusion_proof(4, 7).unwrap(), [f, j, k]);
    assert_eq!(tree.inclusion_proof(6, 7).unwrap(), [i, k]);
    assert_eq!(tree.consistency_proof(3, 7).unwrap(), [c, d, g, l]);
    assert_eq!(tree.consistency_proof(4, 7).unwrap(), [l]);
    assert_eq!(tree.consistency_proof(6, 7).unwrap(), [i, j, k]);
}

#[test]
fn hash_texts_have_one_spelling() {
    let hash = leaf_hash(b"entry");
    assert_eq!(hash.to_string().parse(), Ok(hash));
    assert_eq!(Hash::from_base64(&hash.to_base64()), Ok(hash));
    let hex = hash.to_string();
    for bad in [hex.to_uppercase(), hex[1..].to_owned(), format!("{hex}0"), hex.replace('a', "é")] {
        assert!(bad.parse::<Hash>().is_err(), "{bad}");
    }
    assert!(Hash::from_base64("AAAA").is_err());
}

#[test]
fn every_inclusion_at_every_small_size() {
    let hashes = leaves(70);
    let tree = tree(70);
    for size in 1..=70 {
        let root = tree.root_at(size).unwrap();
        for (index, leaf) in (0..size).zip(&hashes) {
            let proof = tree.inclusion_proof(index, size).unwrap();
            assert_eq!(verify_inclusion(leaf, index, size, &proof, &root), Ok(()), "{index} of {size}");
        }
    }
}

#[test]
fn every_consistency_between_small_sizes() {
    let tree = tree(70);
    for new in 0..=70 {
        let new_root = tree.root_at(new).unwrap();
        for old in 0..=new {
            let old_root = tree.root_at(old).unwrap();
            let proof = tree.consistency_proof(old, new).unwrap();
            assert_eq!(verify_consistency(old, new, &old_root, &new_root, &proof), Ok(()), "{old} to {new}");
            let other = leaf_hash(b"another history");
            assert!(verify_consistency(old, new, &other, &new_root, &proof).is_err(), "{old} to {new}");
            // From nothing, every tree is consistent: the proof cannot speak of the new root.
            assert!(old == 0 || verify_consistency(old, new, &old_root, &other, &proof).is_err(), "{old} to {new}");
        }
    }
}

/// A rewritten leaf must show in every consistency proof from a size that covered it.
#[test]
fn a_rewritten_history_is_inconsistent() {
    let honest = tree(40);
    let mut rewritten = leaves(40);
    rewritten[5] = leaf_hash(b"rewritten");
    let rewritten: Tree = rewritten.into_iter().collect();
    for old in 6..40 {
        let proof = rewritten.consistency_proof(old, 40).unwrap();
        let verdict = verify_consistency(old, 40, &honest.root_at(old).unwrap(), &rewritten.root(), &proof);
        assert_eq!(verdict, Err(ProofError::RootMismatch), "from {old}");
    }
}

#[test]
fn impossible_questions_are_errors() {
    let tree = tree(5);
    let root = tree.root();
    assert_eq!(tree.inclusion_proof(5, 5), Err(ProofError::IndexOutOfRange { index: 5, size: 5 }));
    assert_eq!(tree.inclusion_proof(0, 6), Err(ProofError::BeyondTree { asked: 6, size: 5 }));
    assert_eq!(tree.consistency_proof(3, 6), Err(ProofError::BeyondTree { asked: 6, size: 5 }));
    assert_eq!(tree.consistency_proof(4, 3), Err(ProofError::Shrinks { old: 4, new: 3 }));
    assert_eq!(tree.root_at(6), None);
    assert_eq!(tree.leaf(5), None);
    assert_eq!(verify_consistency(5, 4, &root, &root, &[]), Err(ProofError::Shrinks { old: 5, new: 4 }));
    assert_eq!(verify_consistency(3, 5, &root, &root, &[]), Err(ProofError::WrongLength));
    assert_eq!(verify_consistency(5, 5, &root, &root, &[root]), Err(ProofError::WrongLength));
    assert_eq!(inclusion_root(&root, 0, 0, &[]), Err(ProofError::IndexOutOfRange { index: 0, size: 0 }));
}

proptest! {
    #[test]
    fn tree_and_streaming_root_follow_the_definition(size in 0_u64..600, cut in 0_u64..600) {
        let hashes = leaves(size);
        let tree: Tree = hashes.iter().copied().collect();
        let cut = cut.min(size);
        let prefix = &hashes[..usize::try_from(cut).unwrap()];
        prop_assert_eq!(tree.root(), definition(&hashes));
        prop_assert_eq!(tree.root_at(cut), Some(definition(prefix)));
        prop_assert_eq!(root(prefix.iter().copied()), definition(prefix));
    }

    #[test]
    fn inclusion_holds_at_random_sizes_and_no_altered_proof_does(
        size in 1_u64..5000,
        place in any::<prop::sample::Index>(),
        change in any::<prop::sample::Index>(),
    ) {
        let tree = tree(size);
        let (index, root) = (place.index(usize::try_from(size).unwrap()) as u64, tree.root());
        let leaf = tree.leaf(index).unwrap();
        let mut proof = tree.inclusion_proof(index, size).unwrap();
        prop_assert_eq!(verify_inclusion(&leaf, index, size, &proof, &root), Ok(()));
        prop_assert!(verify_inclusion(&leaf_hash(b"other"), index, size, &proof, &root).is_err());

        let longer = [proof.as_slice(), &[leaf]].concat();
        prop_assert_eq!(verify_inclusion(&leaf, index, size, &longer, &root), Err(ProofError::WrongLength));
        if !proof.is_empty() {
            prop_assert!(verify_inclusion(&leaf, index, size, &proof[1..], &root).is_err());
            let at = change.index(proof.len());
            proof[at].0[7] ^= 1;
            prop_assert_eq!(verify_inclusion(&leaf, index, size, &proof, &root), Err(ProofError::RootMismatch));
        }
    }

    #[test]
    fn consistency_holds_between_random_sizes_and_no_altered_proof_does(
        old in 1_u64..3000,
        growth in 1_u64..3000,
        change in any::<prop::sample::Index>(),
    ) {
        let new = old + growth;
        let tree = tree(new);
        let (old_root, new_root) = (tree.root_at(old).unwrap(), tree.root());
        let mut proof = tree.consistency_proof(old, new).unwrap();
        prop_assert_eq!(verify_consistency(old, new, &old_root, &new_root, &proof), Ok(()));
        let at = change.index(proof.len());
        proof[at].0[7] ^= 1;
        prop_assert!(verify_consistency(old, new, &old_root, &new_root, &proof).is_err());
    }

    #[test]
    fn foreign_proofs_never_panic(
        index in any::<u64>(),
        size in any::<u64>(),
        proof in prop::collection::vec(any::<[u8; 32]>().prop_map(Hash), 0..70),
    ) {
        let hash = leaf_hash(b"");
        prop_assert!(verify_inclusion(&hash, index, size, &proof, &hash).is_err() || size == 1);
        let unproven = index == size || (index == 0 && hash == empty_root());
        prop_assert!(verify_consistency(index, size, &hash, &hash, &proof).is_err() || unproven);
    }
}

#[test]
fn a_rewound_tree_is_the_one_that_it_was() {
    let leaves: Vec<_> = (0..40_u8).map(|byte| leaf_hash(&[byte])).collect();
    for size in 0..=40 {
        let mut tree: Tree = leaves.iter().copied().collect();
        tree.rewind(size);
        assert_eq!((tree.size(), tree.root_at(size + 1)), (size, None));
        assert_eq!(tree.root(), root(leaves[..usize::try_from(size).unwrap()].iter().copied()));
        tree.append(leaf_hash(b"other"));
        let other = leaves[..usize::try_from(size).unwrap()].iter().copied().chain([leaf_hash(b"other")]);
        assert_eq!(tree.root(), root(other), "{size}");
    }
}

#[test]
fn nothing_has_one_root() {
    let (nothing, other) = (empty_root(), leaf_hash(b"other"));
    assert_eq!(verify_consistency(0, 0, &nothing, &nothing, &[]), Ok(()));
    for (old, new) in [(nothing, other), (other, nothing), (other, other)] {
        assert_eq!(verify_consistency(0, 0, &old, &new, &[]), Err(ProofError::RootMismatch));
    }
    assert_eq!(verify_consistency(0, 3, &nothing, &other, &[]), Ok(()));
}
