//! A log read through its tiles gives what the whole tree gives.

use std::collections::{BTreeMap, BTreeSet};

use proptest::prelude::*;
use tallyproof_log::{
    merkle::{Hash, ProofError, leaf_hash, verify_inclusion},
    reader::{ReadError, TileReader},
    tile::{TileError, TilePath, encode_entries, tiles_for},
    tree::Tree,
};

type Files = BTreeMap<TilePath, Vec<u8>>;

fn entry(index: u64) -> Vec<u8> {
    format!("entry {index}").into_bytes()
}

fn tree(size: u64) -> Tree {
    (0..size).map(|index| leaf_hash(&entry(index))).collect()
}

/// The tiles that a log shows at `size`, as it was when it had these sizes before.
fn published(tree: &Tree, sizes: &[u64]) -> Files {
    let mut files = Files::new();
    for (old, new) in [0].iter().chain(sizes).zip(sizes) {
        for path in tiles_for(*old, *new) {
            let first = path.first().unwrap();
            let entries = || encode_entries((first..first + u64::from(path.width())).map(entry)).unwrap();
            files.insert(path, tree.tile(&path).unwrap_or_else(entries));
        }
    }
    files
}

fn reader(size: u64, files: &Files) -> TileReader<impl FnMut(&TilePath) -> Result<Option<Vec<u8>>, String> + '_> {
    TileReader::new(size, |path: &TilePath| Ok(files.get(path).cloned()))
}

#[test]
fn proofs_from_tiles_are_those_of_the_tree() {
    for size in [1, 2, 3, 255, 256, 257, 300, 511, 512, 700, 66_000] {
        let tree = tree(size);
        let files = published(&tree, &[size]);
        let mut reader = reader(size, &files);
        for index in [0, 1, 2, 255, 256, size / 2, size - 1].into_iter().filter(|index| *index < size) {
            let expected = tree.inclusion_proof(index, size).unwrap();
            assert_eq!(reader.inclusion_proof(index), Ok(expected), "{index} of {size}");
            assert_eq!(
                reader.consistency_proof(index),
                Ok(tree.consistency_proof(index, size).unwrap()),
                "from {index}"
            );
            assert_eq!(reader.root_at(index), Ok(tree.root_at(index).unwrap()), "root at {index}");
            assert_eq!(reader.entry(index), Ok(entry(index)));
        }
        assert_eq!(reader.root_at(size), Ok(tree.root()));
    }
}

#[test]
fn a_proof_reads_a_few_tiles_each_once() {
    let size = 70_000;
    let tree = tree(size);
    let files = published(&tree, &[size]);
    let mut asked = Vec::new();
    let mut reader = TileReader::new(size, |path: &TilePath| {
        asked.push(path.to_string());
        Ok(files.get(path).cloned())
    });
    reader.inclusion_proof(66_000).unwrap();
    reader.inclusion_proof(66_001).unwrap();
    reader.entry(66_000).unwrap();
    let distinct: BTreeSet<_> = asked.iter().collect();
    assert_eq!(distinct.len(), asked.len(), "{asked:?}");
    assert!(asked.len() <= 5, "{asked:?}");
}

#[test]
fn a_full_tile_takes_the_place_of_a_partial_one_that_is_gone() {
    let tree = tree(600);
    let mut files = published(&tree, &[600]);
    for path in tiles_for(0, 300).filter(TilePath::is_partial) {
        assert!(!files.contains_key(&path) || path.level() == Some(1));
        files.remove(&path);
    }
    // At 300 the second tile was partial; only its full one is left. Level 1 had one hash then, and has two now.
    let path: TilePath = "tile/1/000.p/1".parse().unwrap();
    files.insert(path, tree.tile(&path).unwrap());
    let mut reader = reader(300, &files);
    assert_eq!(reader.inclusion_proof(290), Ok(tree.inclusion_proof(290, 300).unwrap()));
    assert_eq!(reader.entry(290), Ok(entry(290)));
    assert_eq!(reader.root_at(300), Ok(tree.root_at(300).unwrap()));
}

#[test]
fn what_cannot_be_read_is_named() {
    let tree = tree(300);
    let files = published(&tree, &[300]);
    let path: TilePath = "tile/0/000".parse().unwrap();
    let without = |path: TilePath| {
        files.iter().filter(|(tile, _)| **tile != path).map(|(t, b)| (*t, b.clone())).collect::<Files>()
    };
    assert_eq!(reader(300, &without(path)).inclusion_proof(3), Err(ReadError::Missing(path)));
    let mut short = files.clone();
    short.insert(path, vec![0; 31]);
    let error = TileError::HashTileLength { width: 256, expected: 8192, found: 31 };
    assert_eq!(reader(300, &short).inclusion_proof(3), Err(ReadError::Tile { path, error }));
    let mut dead = TileReader::new(300, |_: &TilePath| Err("no route".to_owned()));
    assert_eq!(dead.inclusion_proof(3), Err(ReadError::Unreadable { path, why: "no route".into() }));
    let beyond = ProofError::IndexOutOfRange { index: 300, size: 300 };
    assert_eq!(reader(300, &files).inclusion_proof(300), Err(beyond.into()));
    assert_eq!(reader(300, &files).entry(300), Err(beyond.into()));
    assert_eq!(reader(300, &files).root_at(301), Err(ProofError::BeyondTree { asked: 301, size: 300 }.into()));
}

#[test]
fn a_claimed_size_costs_no_more_than_a_path() {
    // Whoever lies about the size must not keep a reader busy, nor crash it.
    for size in [u64::MAX, u64::MAX - 1, 1 << 63, (1 << 63) + 1] {
        for index in [0, size / 2, size - 1] {
            let mut asked = 0;
            let mut reader = TileReader::new(size, |path: &TilePath| {
                asked += 1;
                Ok(Some(vec![7; usize::from(path.width()) * Hash::LEN]))
            });
            let proof = reader.inclusion_proof(index).unwrap();
            assert!(proof.len() <= 64 && reader.root_at(size).is_ok());
            drop(reader);
            assert!(asked <= 24, "{asked} tiles for {index} of {size}");
        }
    }
}

#[test]
fn forged_tiles_lead_to_another_root() {
    let tree = tree(300);
    let mut files = published(&tree, &[300]);
    for bytes in files.values_mut() {
        bytes[0] ^= 1;
    }
    let proof = reader(300, &files).inclusion_proof(3).unwrap();
    let found = verify_inclusion(&leaf_hash(&entry(3)), 3, 300, &proof, &tree.root());
    assert_eq!(found, Err(ProofError::RootMismatch));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn tiles_and_tree_agree_at_every_published_size(steps in prop::collection::vec(1_u64..400, 1..5), at in any::<prop::sample::Index>()) {
        let sizes: Vec<u64> = steps.iter().scan(0, |size, step| { *size += step; Some(*size) }).collect();
        let tree = tree(*sizes.last().unwrap());
        let files = published(&tree, &sizes);
        for size in sizes {
            let index = at.index(usize::try_from(size).unwrap()) as u64;
            let mut reader = reader(size, &files);
            prop_assert_eq!(reader.inclusion_proof(index), Ok(tree.inclusion_proof(index, size).unwrap()));
            prop_assert_eq!(reader.consistency_proof(index), Ok(tree.consistency_proof(index, size).unwrap()));
            prop_assert_eq!(reader.entry(index), Ok(entry(index)));
        }
    }
}
