use std::collections::BTreeMap;

use proptest::prelude::*;
use tallyproof_log::{
    merkle::{Hash, leaf_hash, root},
    tile::{
        FULL_WIDTH, MAX_ENTRY_LEN, TileError, TilePath, decode_entries, decode_hashes, encode_entries, encode_hashes,
        tiles_for,
    },
    tree::Tree,
};

#[test]
fn paths_as_the_specification_writes_them() {
    let tile = |level, index, width| TilePath::hashes(level, index, width).unwrap().to_string();
    assert_eq!(tile(0, 1_234_067, 256), "tile/0/x001/x234/067");
    assert_eq!(tile(0, 0, 256), "tile/0/000");
    assert_eq!(tile(1, 999, 255), "tile/1/999.p/255");
    assert_eq!(tile(63, 1000, 1), "tile/63/x001/000.p/1");
    assert_eq!(TilePath::entries(1_000_000, 256).unwrap().to_string(), "tile/entries/x001/x000/000");
    assert_eq!(TilePath::entries(273, 112).unwrap().to_string(), "tile/entries/273.p/112");
    assert_eq!(TilePath::entries(u64::MAX, 256).unwrap().to_string(), "tile/entries/x018/x446/x744/x073/x709/x551/615");
}

#[test]
fn impossible_tiles_do_not_exist() {
    assert_eq!(TilePath::hashes(64, 0, 1), None);
    assert_eq!(TilePath::hashes(0, 0, 0), None);
    assert_eq!(TilePath::entries(0, 257), None);
}

#[test]
fn a_tile_has_one_path() {
    for bad in [
        "",
        "tile",
        "tile/",
        "tile/0",
        "tile/0/",
        "/tile/0/000",
        "tile/00/000",
        "tile/64/000",
        "tile/256/000",
        "tile/data/000",
        "tile/0/0",
        "tile/0/00",
        "tile/0/0000",
        "tile/0/x000/001",
        "tile/0/001/002",
        "tile/0/x001",
        "tile/0/x001/x002",
        "tile/0/xx001/002",
        "tile/0/+01",
        "tile/0/-01",
        "tile/0/000.p",
        "tile/0/000.p/",
        "tile/0/000.p/0",
        "tile/0/000.p/256",
        "tile/0/000.p/01",
        "tile/0/000.p/1.p/1",
        "tile/0/000.p/+1",
        "tile/0/000/",
        "tile/0/../000",
        "tile/8/0/000",
        "tile/0/x018/x446/x744/x073/x709/x551/616",
        "tile/0/x999/x999/x999/x999/x999/x999/x999/999",
    ] {
        assert!(bad.parse::<TilePath>().is_err(), "{bad:?}");
    }
}

/// The example of the tlog-tiles specification: a tree of 70,000 leaves.
#[test]
fn tiles_of_the_specification_example() {
    let tiles: Vec<TilePath> = tiles_for(0, 70_000).collect();
    let count = |level, partial| tiles.iter().filter(|t| t.level() == level && t.is_partial() == partial).count();
    assert_eq!([count(Some(0), false), count(Some(1), false), count(Some(2), false)], [273, 1, 0]);
    assert_eq!([count(Some(0), true), count(Some(1), true), count(Some(2), true)], [1, 1, 1]);
    assert_eq!([count(None, false), count(None, true)], [273, 1]);
    assert_eq!(tiles.len(), 551);
    for path in ["tile/0/273.p/112", "tile/1/001.p/17", "tile/2/000.p/1", "tile/entries/273.p/112"] {
        assert!(tiles.contains(&path.parse().unwrap()), "{path}");
    }
}

#[test]
fn growth_writes_what_changed_and_nothing_else() {
    let paths = |old, new| tiles_for(old, new).map(|tile| tile.to_string()).collect::<Vec<_>>();
    assert_eq!(paths(0, 0), [""; 0]);
    assert_eq!(paths(7, 7), [""; 0]);
    assert_eq!(paths(7, 3), [""; 0]);
    assert_eq!(paths(0, 1), ["tile/entries/000.p/1", "tile/0/000.p/1"]);
    assert_eq!(paths(255, 256), ["tile/entries/000", "tile/0/000", "tile/1/000.p/1"]);
    assert_eq!(paths(256, 257), ["tile/entries/001.p/1", "tile/0/001.p/1"]);
    let last = u64::MAX;
    assert_eq!(paths(last - 1, last).len(), 2);
}

fn entry(index: u64) -> Vec<u8> {
    format!("entry {index}").into_bytes()
}

/// What a client sees after each growth: every tile of the published size, with the right hashes in it.
fn check_published(files: &BTreeMap<String, Vec<u8>>, size: u64) {
    let leaves: Vec<Hash> = (0..size).map(|index| leaf_hash(&entry(index))).collect();
    for level in 0..8_u8 {
        let span = 256_usize.pow(u32::from(level));
        let hashes: Vec<Hash> = leaves.chunks_exact(span).map(|chunk| root(chunk.iter().copied())).collect();
        for (index, tile) in (0..).zip(hashes.chunks(usize::from(FULL_WIDTH))) {
            let width = u16::try_from(tile.len()).unwrap();
            let path = TilePath::hashes(level, index, width).unwrap().to_string();
            assert_eq!(decode_hashes(&files[&path], width).unwrap(), tile, "{path} at {size}");
        }
        if hashes.is_empty() {
            break;
        }
    }
    let entries: Vec<Vec<u8>> = (0..size).map(entry).collect();
    for (index, bundle) in (0..).zip(entries.chunks(usize::from(FULL_WIDTH))) {
        let width = u16::try_from(bundle.len()).unwrap();
        let path = TilePath::entries(index, width).unwrap().to_string();
        assert_eq!(decode_entries(&files[&path], width).unwrap(), bundle, "{path} at {size}");
    }
}

fn publish(tree: &Tree, old: u64, files: &mut BTreeMap<String, Vec<u8>>) {
    for path in tiles_for(old, tree.size()) {
        let first = path.first().unwrap();
        let bytes = match path.level() {
            Some(_) => tree.tile(&path).unwrap(),
            None => encode_entries((first..first + u64::from(path.width())).map(entry)).unwrap(),
        };
        assert!(!bytes.is_empty());
        files.insert(path.to_string(), bytes);
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn published_tiles_are_complete_at_every_checkpoint(steps in prop::collection::vec(0_u64..900, 1..6)) {
        let (mut tree, mut files) = (Tree::new(), BTreeMap::new());
        for step in steps {
            let old = tree.size();
            (old..old + step).for_each(|index| { tree.append(leaf_hash(&entry(index))); });
            publish(&tree, old, &mut files);
            check_published(&files, tree.size());
        }
    }
}

/// Level 2 begins at 65,536 leaves, beyond what the property above can afford.
#[test]
fn published_tiles_are_complete_on_three_levels() {
    let (mut tree, mut files) = (Tree::new(), BTreeMap::new());
    for size in [65_500, 65_536, 66_000] {
        let old = tree.size();
        (old..size).for_each(|index| {
            tree.append(leaf_hash(&entry(index)));
        });
        publish(&tree, old, &mut files);
        check_published(&files, size);
    }
}

#[test]
fn a_tree_has_no_tiles_beyond_itself() {
    let tree: Tree = (0..300).map(|index| leaf_hash(&entry(index))).collect();
    let tile = |level, index, width| tree.tile(&TilePath::hashes(level, index, width).unwrap());
    assert!(tile(0, 1, 44).is_some());
    assert_eq!(tile(0, 1, 45), None);
    assert_eq!(tile(1, 0, 2), None);
    assert_eq!(tile(63, 0, 1), None);
    assert_eq!(tile(0, u64::MAX, 1), None);
    assert_eq!(tree.tile(&TilePath::entries(0, 1).unwrap()), None);
}

#[test]
fn wrong_tile_bytes_are_named() {
    let bundle = encode_entries(["a", "", "bc"]).unwrap();
    assert_eq!(bundle, b"\x00\x01a\x00\x00\x00\x02bc");
    assert_eq!(decode_entries(&bundle, 3).unwrap(), [b"a".as_slice(), b"", b"bc"]);
    assert_eq!(decode_entries(&bundle, 2), Err(TileError::TrailingBytes { extra: 4, width: 2 }));
    assert_eq!(decode_entries(&bundle, 4), Err(TileError::Truncated { entry: 3, width: 4 }));
    assert_eq!(decode_entries(&bundle[..8], 3), Err(TileError::Truncated { entry: 2, width: 3 }));
    assert_eq!(decode_entries(b"\x00", 1), Err(TileError::Truncated { entry: 0, width: 1 }));

    let longest = vec![7; MAX_ENTRY_LEN];
    let bundle = encode_entries([&longest]).unwrap();
    assert_eq!(decode_entries(&bundle, 1).unwrap(), [&longest]);
    let too_long = vec![7; MAX_ENTRY_LEN + 1];
    let refused = Err(TileError::EntryTooLong { entry: 1, len: MAX_ENTRY_LEN + 1 });
    assert_eq!(encode_entries([&longest, &too_long]), refused);

    let tile = encode_hashes([leaf_hash(b"a"), leaf_hash(b"b")]);
    assert_eq!(decode_hashes(&tile, 2).unwrap(), [leaf_hash(b"a"), leaf_hash(b"b")]);
    for wrong in [&tile[..32], &tile[..63], &[tile.as_slice(), b"!"].concat()] {
        let found = wrong.len();
        assert_eq!(decode_hashes(wrong, 2), Err(TileError::HashTileLength { width: 2, expected: 64, found }));
    }
}

proptest! {
    #[test]
    fn tile_paths_round_trip(level in prop::option::of(0_u8..64), index: u64, width in 1_u16..=256) {
        let path = match level {
            Some(level) => TilePath::hashes(level, index, width),
            None => TilePath::entries(index, width),
        }.unwrap();
        prop_assert_eq!(path.to_string().parse(), Ok(path));
    }

    #[test]
    fn accepted_paths_are_canonical(text in "tile/([0-9]{1,2}|entries)(/x?[0-9]{2,3}){1,4}(\\.p/[0-9]{1,3})?|.*") {
        if let Ok(path) = text.parse::<TilePath>() {
            prop_assert_eq!(path.to_string(), text);
        }
    }

    #[test]
    fn accepted_bundles_are_canonical(bytes in prop::collection::vec(prop_oneof![3 => Just(0_u8), 1 => 0_u8..6], 0..40), width in 1_u16..12) {
        if let Ok(entries) = decode_entries(&bytes, width) {
            prop_assert_eq!(encode_entries(entries).unwrap(), bytes);
        }
    }
}
