//! Reads entries of a log, from any index on, in parallel, and hands each judged to whoever counts, in log order: one walk for a
//! verifier, who begins at entry 0, and for a witness, who goes on where it stopped.

use std::ops::ControlFlow;

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

/// Which entries of a log to read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Span {
    /// The first to be judged. The entries before it in its bundle are hashed alone.
    pub from: u64,
    /// The tree size up to which to read; the source has the bundles of a log of this size.
    pub size: u64,
}

impl Span {
    /// Every entry of a log of `size`.
    pub fn all(size: u64) -> Self {
        Self { from: 0, size }
    }
}

/// One entry as read.
#[derive(Clone, Debug)]
pub struct ReadEntry {
    /// Its hash as a leaf.
    pub leaf: Hash,
    /// What it is worth; nothing without a definition, or before the span.
    pub judged: Option<Judged>,
}

/// An entry bundle as read.
#[derive(Clone, Debug)]
pub struct ReadBundle {
    /// Its bytes.
    pub bytes: Vec<u8>,
    /// Its entries, all of them.
    pub entries: Vec<ReadEntry>,
}

/// Where bundles go, in log order, read or not.
pub trait Sink: Send {
    /// Keys that records may be signed with beside the register's, as far as is known before the next bundle; none where there are none.
    fn keyring(&self) -> Option<&Keyring>;

    /// Takes the next bundle; [`ControlFlow::Break`] ends the walk, and no bundle after it comes.
    fn bundle(&mut self, tile: TilePath, read: Result<ReadBundle, Problem>) -> ControlFlow<()>;
}

/// Reads the entries of a span. Without a definition (it is unusable) they are only hashed. Returns whether every bundle was
/// asked for and taken.
pub fn walk(
    source: &dyn Source,
    span: Span,
    definition: Option<&Committed>,
    sink: &mut impl Sink,
    progress: Progress<'_>,
) -> bool {
    let mut tiles = tile::tiles_for(span.from, span.size).take_while(|tile| tile.level().is_none());
    let mut done = span.from;
    let mut read = Vec::new();
    let mut whole = true;
    loop {
        let window: Vec<TilePath> = if whole { tiles.by_ref().take(WINDOW).collect() } else { Vec::new() };
        if window.is_empty() && read.is_empty() {
            break;
        }
        // The fold is sequential; it runs beside the judging of the next window.
        let (next, folded) = rayon::join(
            || {
                let read = |tile: TilePath| (tile, read_bundle(source, &tile, span.from, definition));
                window.into_par_iter().map(read).collect::<Vec<_>>()
            },
            || {
                let mut read = std::mem::take(&mut read);
                attest(sink.keyring(), &mut read);
                read.into_iter().try_for_each(|(tile, bundle)| {
                    done = after(&tile);
                    sink.bundle(tile, bundle)
                })
            },
        );
        if folded.is_break() {
            return false;
        }
        whole &= next.len() < WINDOW || next.iter().any(|(_, bundle)| bundle.is_ok());
        read = next;
        progress(done.min(span.size), span.size);
    }
    whole
}

/// Checks the signatures of late-enrolled keys, which the fold, one entry at a time, would take long for.
fn attest(keys: Option<&Keyring>, bundles: &mut [(TilePath, Result<ReadBundle, Problem>)]) {
    let Some(keys) = keys else { return };
    let entries = bundles.par_iter_mut().filter_map(|(_, bundle)| bundle.as_mut().ok());
    entries.flat_map_iter(|bundle| &mut bundle.entries).for_each(|entry| {
        if let Some(Judged::Record(record)) = &mut entry.judged {
            keys.attest(record);
        }
    });
}

/// Log index after the tile's last entry.
fn after(tile: &TilePath) -> u64 {
    tile.index().saturating_add(1).saturating_mul(u64::from(FULL_WIDTH))
}

fn read_bundle(
    source: &dyn Source,
    tile: &TilePath,
    from: u64,
    definition: Option<&Committed>,
) -> Result<ReadBundle, Problem> {
    let path = bundle::tile_path(tile);
    let bytes = fetch(source, &path)?;
    let entries = tile::decode_entries(&bytes, tile.width())
        .map_err(|error| Check::EntryTile.problem(path, error.to_string()))?;
    let first = tile.first().unwrap_or_default();
    let read = |(at, entry): (usize, &&[u8])| {
        let wanted = first.saturating_add(at as u64) >= from;
        let definition = definition.filter(|_| wanted);
        ReadEntry { leaf: leaf_hash(entry), judged: definition.map(|definition| judge(definition, entry)) }
    };
    let entries = entries.par_iter().enumerate().with_min_len(SHARE).map(read).collect();
    Ok(ReadBundle { bytes, entries })
}

/// The leaf hashes of the entries, bundle by bundle; `None` for a bundle that is missing or malformed.
#[derive(Debug, Default)]
pub(super) struct Leaves {
    pub(super) bundles: Vec<(TilePath, Option<Vec<Hash>>)>,
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
