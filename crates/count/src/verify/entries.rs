//! Reads every entry of the log, in parallel, and hands each to the count in log order.

use rayon::prelude::*;
use tallyproof_log::{
    merkle::{Hash, leaf_hash},
    tile::{self, FULL_WIDTH, TilePath},
};
use tallyproof_record::{Problem, definition::Committed};

use super::{Progress, Source, fetch};
use crate::{
    bundle,
    check::Check,
    judge::{Judged, judge},
    keyring::Keyring,
};

/// Entry bundles that are read at a time. Bounds the memory; and where so many in a row are not there, no more are asked for:
/// a forged tree size must not keep a verifier busy for ever.
const WINDOW: usize = 32;

/// Entries of one bundle that one thread judges at least.
const SHARE: usize = 16;

/// The leaf hashes of the entries, bundle by bundle; `None` for a bundle that is missing or malformed.
pub(super) struct Leaves {
    bundles: Vec<(TilePath, Option<Vec<Hash>>)>,
    /// Whether bundles after the last one here were not asked for.
    pub(super) cut: bool,
}

impl Leaves {
    /// All leaf hashes in order, if every entry could be read.
    pub(super) fn complete(&self) -> Option<impl Iterator<Item = Hash> + '_> {
        let readable = !self.cut && self.bundles.iter().all(|(_, leaves)| leaves.is_some());
        readable.then(|| self.bundles.iter().filter_map(|(_, leaves)| leaves.as_deref()).flatten().copied())
    }

    /// Those that could be read, with their log indices and bundles.
    pub(super) fn readable(&self) -> impl Iterator<Item = (u64, &TilePath, Hash)> {
        self.bundles
            .iter()
            .filter_map(|(tile, leaves)| Some((tile, tile.first()?, leaves.as_deref()?)))
            .flat_map(|(tile, first, leaves)| (first..).zip(leaves).map(move |(index, leaf)| (index, tile, *leaf)))
    }
}

struct JudgedEntry {
    leaf: Hash,
    judged: Option<Judged>,
}

type JudgedBundle = (TilePath, Result<Vec<JudgedEntry>, Problem>);

/// Where judged entries go, in log order, and what is wrong with bundles.
pub(super) trait Sink: Send {
    /// Keys that records may be signed with beside the register's, as far as is known before the next entries.
    fn keyring(&self) -> Option<&Keyring>;
    fn entry(&mut self, index: u64, judged: Judged);
    fn problem(&mut self, problem: Problem);
}

/// Reads the entries of a log of `size`. Without a definition (it is unusable) they are only hashed.
pub(super) fn walk(
    source: &dyn Source,
    size: u64,
    definition: Option<&Committed>,
    sink: &mut impl Sink,
    progress: Progress<'_>,
) -> Leaves {
    let mut tiles = tile::tiles_for(0, size).take_while(|tile| tile.level().is_none());
    let mut leaves = Leaves { bundles: Vec::new(), cut: false };
    let mut read = Vec::new();
    loop {
        let window: Vec<TilePath> = if leaves.cut { Vec::new() } else { tiles.by_ref().take(WINDOW).collect() };
        if window.is_empty() && read.is_empty() {
            break;
        }
        // The fold is sequential; it runs beside the judging of the next window.
        let (next, ()) = rayon::join(
            || {
                window
                    .into_par_iter()
                    .map(|tile| (tile, read_bundle(source, &tile, definition)))
                    .collect::<Vec<JudgedBundle>>()
            },
            || fold(std::mem::take(&mut read), &mut leaves, sink),
        );
        leaves.cut |= next.len() == WINDOW && next.iter().all(|(_, entries)| entries.is_err());
        read = next;
        progress(done(&leaves).min(size), size);
    }
    leaves
}

fn done(leaves: &Leaves) -> u64 {
    (leaves.bundles.len() as u64).saturating_mul(u64::from(FULL_WIDTH))
}

fn read_bundle(
    source: &dyn Source,
    tile: &TilePath,
    definition: Option<&Committed>,
) -> Result<Vec<JudgedEntry>, Problem> {
    let path = bundle::tile_path(tile);
    let bytes = fetch(source, &path)?;
    let entries = tile::decode_entries(&bytes, tile.width())
        .map_err(|error| Check::EntryTile.problem(path, error.to_string()))?;
    let judged = |entry: &&[u8]| JudgedEntry {
        leaf: leaf_hash(entry),
        judged: definition.map(|definition| judge(definition, entry)),
    };
    Ok(entries.par_iter().with_min_len(SHARE).map(judged).collect())
}

fn fold(mut bundles: Vec<JudgedBundle>, leaves: &mut Leaves, sink: &mut impl Sink) {
    if let Some(keys) = sink.keyring() {
        bundles.par_iter_mut().for_each(|(_, entries)| attest(keys, entries.as_deref_mut().unwrap_or_default()));
    }
    for (tile, entries) in bundles {
        let hashes = match entries {
            Ok(entries) => Some(fold_bundle(tile.first(), entries, sink)),
            Err(problem) => {
                sink.problem(problem);
                None
            }
        };
        leaves.bundles.push((tile, hashes));
    }
}

/// Checks the signatures of late-enrolled keys, which the fold, one entry at a time, would take long for.
fn attest(keys: &Keyring, entries: &mut [JudgedEntry]) {
    for entry in entries {
        if let Some(Judged::Record(record)) = &mut entry.judged {
            keys.attest(record);
        }
    }
}

fn fold_bundle(first: Option<u64>, entries: Vec<JudgedEntry>, sink: &mut impl Sink) -> Vec<Hash> {
    let mut hashes = Vec::with_capacity(entries.len());
    for (index, entry) in (first.unwrap_or_default()..).zip(entries) {
        hashes.push(entry.leaf);
        if let Some(judged) = entry.judged {
            sink.entry(index, judged);
        }
    }
    hashes
}
