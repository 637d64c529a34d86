//! The log's tree: the root, every hash tile, and what partial tiles of earlier sizes are left.

use rayon::prelude::*;
use tallyproof_log::{
    merkle::{Hash, leaf_hash, root},
    tile::{self, FULL_WIDTH, TilePath},
    tree::Tree,
};
use tallyproof_record::Problem;

use super::{Source, entries::Leaves, fetch, notes::Target};
use crate::{bundle, check::Check};

/// The log's tree as far as it could be established.
pub(super) struct Log {
    /// The tree that the checkpoint's root is of; failing that, the tree of the entries.
    pub(super) tree: Option<Tree>,
    /// The root over the entries, if all could be read.
    pub(super) root: Option<Hash>,
    /// Whether the entries are those of `tree`, so that a count over them means something.
    pub(super) entries_hold: bool,
}

/// Recomputes the root from the entries. Where it is not the checkpoint's, the hash tiles may still tell which entries were
/// altered: their root then is.
pub(super) fn establish(source: &dyn Source, target: Target, leaves: &Leaves, problems: &mut Vec<Problem>) -> Log {
    let from_entries: Option<Tree> = leaves.complete().map(Tree::from_iter);
    let entries_root = from_entries.as_ref().map(Tree::root);
    if entries_root == Some(target.root) {
        return Log { tree: from_entries, root: entries_root, entries_hold: true };
    }
    let logged = if leaves.cut { None } else { logged_leaves(source, target.size) };
    if let Some(logged) = logged.filter(|logged| root(logged.iter().copied()) == target.root) {
        problems.extend(altered(leaves, &logged));
        return Log { tree: Some(Tree::from_iter(logged)), root: entries_root, entries_hold: false };
    }
    if let Some(root) = entries_root {
        let (found, stated) = (root.to_base64(), target.root.to_base64());
        let what = format!("the root over the {} entries is {found}, the signed one is {stated}", target.size);
        problems.push(Check::Root.problem(bundle::CHECKPOINT, what));
    }
    Log { entries_hold: from_entries.is_some(), tree: from_entries, root: entries_root }
}

/// The leaf hashes that the hash tiles state.
fn logged_leaves(source: &dyn Source, size: u64) -> Option<Vec<Hash>> {
    let tiles: Vec<_> = tile::tiles_for(0, size).filter(|tile| tile.level() == Some(0)).collect();
    let read = |tile: &TilePath| tile::decode_hashes(&fetch(source, &bundle::tile_path(tile)).ok()?, tile.width()).ok();
    tiles.par_iter().map(read).collect::<Option<Vec<_>>>().map(|tiles| tiles.concat())
}

fn altered(leaves: &Leaves, logged: &[Hash]) -> Vec<Problem> {
    let differs = |&(index, _, leaf): &(u64, &TilePath, Hash)| {
        usize::try_from(index).ok().and_then(|index| logged.get(index)) != Some(&leaf)
    };
    let problem = |(index, tile, _): (u64, &TilePath, Hash)| {
        let what = format!("entry {index} is not the one that the log's tree has; its bytes were altered");
        Check::EntryAltered.problem(bundle::tile_path(tile), what)
    };
    leaves.readable().filter(differs).map(problem).collect()
}

/// Compares every hash tile that a log of `size` has with the tree. Without a tree, only that they are there and whole.
pub(super) fn check_hash_tiles(source: &dyn Source, size: u64, tree: Option<&Tree>) -> Vec<Problem> {
    let tiles: Vec<_> = tile::tiles_for(0, size).filter(|tile| tile.level().is_some()).collect();
    tiles.par_iter().filter_map(|tile| check_hash_tile(source, tile, tree).err()).collect()
}

fn check_hash_tile(source: &dyn Source, tile: &TilePath, tree: Option<&Tree>) -> Result<(), Problem> {
    let path = bundle::tile_path(tile);
    let found = fetch(source, &path)?;
    let hashes = tile::decode_hashes(&found, tile.width());
    let hashes = hashes.map_err(|error| Check::HashTile.problem(path.clone(), error.to_string()))?;
    let expected = tree.and_then(|tree| tree.tile(tile));
    match expected.and_then(|expected| first_difference(&hashes, &expected)) {
        Some(at) => {
            Err(Check::HashTile.problem(path, format!("hash {at} of the tile is not the one that the entries give")))
        }
        None => Ok(()),
    }
}

fn first_difference(found: &[Hash], expected: &[u8]) -> Option<usize> {
    found.iter().zip(expected.chunks(Hash::LEN)).position(|(found, expected)| found.0 != expected)
}

/// Checks what stands below `log/tile/` beside the tiles that a log of the tree's size has: only partial tiles of earlier
/// sizes may, and these have to be prefixes of it.
pub(super) fn check_left_over(source: &dyn Source, paths: &[String], size: u64, tree: Option<&Tree>) -> Vec<Problem> {
    paths.par_iter().filter_map(|path| check_stray(source, path, size, tree).err()).collect()
}

fn check_stray(source: &dyn Source, path: &str, size: u64, tree: Option<&Tree>) -> Result<(), Problem> {
    let unexplained = |what: &str| Check::Unexplained.problem(path, what);
    let tile = path.strip_prefix(bundle::LOG).and_then(|path| path.parse::<TilePath>().ok());
    let tile = tile.ok_or_else(|| unexplained("not a tile of the log; remove it"))?;
    match place(&tile, size) {
        Place::Current => Ok(()),
        Place::Beyond => Err(unexplained(
            "lies beyond the checkpoint's tree size; if the bundle is being published right now, verify it again",
        )),
        Place::Earlier => tree.map_or(Ok(()), |tree| check_earlier(source, path, &tile, tree)),
    }
}

enum Place {
    /// A tile that a log of this size has; checked as such.
    Current,
    /// A partial tile that a smaller log had.
    Earlier,
    Beyond,
}

fn place(tile: &TilePath, size: u64) -> Place {
    let shift = u32::from(tile.level().unwrap_or(0)).saturating_mul(FULL_WIDTH.trailing_zeros());
    let nodes = size.checked_shr(shift).unwrap_or(0);
    let full = u64::from(FULL_WIDTH);
    let end = tile.first().and_then(|first| first.checked_add(u64::from(tile.width())));
    match end {
        Some(end) if end > nodes => Place::Beyond,
        None => Place::Beyond,
        Some(end) if !tile.is_partial() || (end == nodes && tile.index() == nodes / full) => Place::Current,
        Some(_) => Place::Earlier,
    }
}

fn check_earlier(source: &dyn Source, path: &str, tile: &TilePath, tree: &Tree) -> Result<(), Problem> {
    let differs = || Check::LeftOver.problem(path, "a tile of an earlier tree size that is no prefix of the log");
    let bytes = fetch(source, path)?;
    let holds = match tile.level() {
        Some(_) => tree.tile(tile).is_some_and(|expected| expected == bytes),
        None => holds_entries(&bytes, tile, tree),
    };
    if holds { Ok(()) } else { Err(differs()) }
}

fn holds_entries(bytes: &[u8], tile: &TilePath, tree: &Tree) -> bool {
    let (Ok(entries), Some(first)) = (tile::decode_entries(bytes, tile.width()), tile.first()) else { return false };
    (first..).zip(entries).all(|(index, entry)| tree.leaf(index) == Some(leaf_hash(entry)))
}
