//! A log read through its tiles, as a client does that holds none of it: roots, proofs and single entries at the cost of a few
//! tiles each.
//!
//! Nothing that is read is believed: a proof made of forged tiles leads to another root than the checkpoint's.

use std::collections::BTreeMap;

use thiserror::Error;

use crate::{
    merkle::{Hash, ProofError, empty_root, fold_peaks, node_hash},
    ranges::{self, Range},
    tile::{self, FULL_WIDTH, HASHES_PER_TILE_LOG2, TileError, TilePath},
};

/// Reads a log of a certain size. `read` gives the bytes of a tile, nothing where there is none, or why it could not tell.
///
/// Each tile is asked for once, and only when it is needed. Where a log has grown since and keeps the full tile alone, that is
/// read in place of the partial one.
#[derive(Debug)]
pub struct TileReader<R> {
    read: R,
    size: u64,
    /// Hash tiles read so far, by level and index.
    tiles: BTreeMap<(u8, u64), Vec<Hash>>,
}

/// Why a log's tiles give no answer.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum ReadError {
    /// A tile that a log of this size has is not there.
    #[error("{0} is missing")]
    Missing(TilePath),
    /// A tile could not be read.
    #[error("{path} cannot be read: {why}")]
    Unreadable {
        /// Which tile.
        path: TilePath,
        /// What its source says.
        why: String,
    },
    /// A tile's bytes are not what its path says.
    #[error("{path}: {error}")]
    Tile {
        /// Which tile.
        path: TilePath,
        /// What is wrong with it.
        error: TileError,
    },
    /// The question lies outside the log.
    #[error(transparent)]
    Proof(#[from] ProofError),
}

impl<R: FnMut(&TilePath) -> Result<Option<Vec<u8>>, String>> TileReader<R> {
    /// A reader of the log's first `size` entries.
    pub fn new(size: u64, read: R) -> Self {
        Self { read, size, tiles: BTreeMap::new() }
    }

    /// The siblings that lead from the leaf at `index` to the root, leaf's sibling first.
    pub fn inclusion_proof(&mut self, index: u64) -> Result<Vec<Hash>, ReadError> {
        self.roots(ranges::inclusion(index, self.size)?)
    }

    /// The proof that the log extends its first `old_size` entries.
    pub fn consistency_proof(&mut self, old_size: u64) -> Result<Vec<Hash>, ReadError> {
        self.roots(ranges::consistency(old_size, self.size)?)
    }

    /// The root that the log had at `size` entries.
    pub fn root_at(&mut self, size: u64) -> Result<Hash, ReadError> {
        if size > self.size {
            return Err(ProofError::BeyondTree { asked: size, size: self.size }.into());
        }
        self.range_root(Range::whole(size))
    }

    /// The bytes of the entry at `index`.
    pub fn entry(&mut self, index: u64) -> Result<Vec<u8>, ReadError> {
        let out_of_range = ProofError::IndexOutOfRange { index, size: self.size };
        let tile = tile_of(index, self.size, TilePath::entries).ok_or(out_of_range)?;
        let (path, bytes) = self.fetch(&tile)?;
        let entries = tile::decode_entries(&bytes, path.width()).map_err(|error| ReadError::Tile { path, error })?;
        let entry = usize::try_from(index % u64::from(FULL_WIDTH)).ok().and_then(|at| entries.get(at).copied());
        entry.map(<[u8]>::to_vec).ok_or_else(|| out_of_range.into())
    }

    fn roots(&mut self, ranges: Vec<Range>) -> Result<Vec<Hash>, ReadError> {
        ranges.into_iter().map(|range| self.range_root(range)).collect()
    }

    fn range_root(&mut self, range: Range) -> Result<Hash, ReadError> {
        let peaks = range.complete().map(|(level, index)| self.node(level, index)).collect::<Result<_, _>>()?;
        Ok(fold_peaks(peaks).unwrap_or_else(empty_root))
    }

    /// The root of the `index`-th complete subtree of 2^`level` leaves, from the one tile that spans it.
    fn node(&mut self, level: u32, index: u64) -> Result<Hash, ReadError> {
        let height = level % HASHES_PER_TILE_LOG2;
        let first = index << height;
        let hashes = self.hashes(level / HASHES_PER_TILE_LOG2, first / u64::from(FULL_WIDTH))?;
        let at = usize::try_from(first % u64::from(FULL_WIDTH)).unwrap_or(usize::MAX);
        let below = hashes.get(at..).unwrap_or_default().iter().take(1 << height).copied().collect();
        Ok(join(below))
    }

    /// The hashes of a tile that this size has.
    fn hashes(&mut self, level: u32, index: u64) -> Result<&[Hash], ReadError> {
        let out_of_range = ProofError::IndexOutOfRange { index, size: self.size };
        let level = u8::try_from(level).map_err(|_| out_of_range)?;
        if !self.tiles.contains_key(&(level, index)) {
            let complete = self.size.checked_shr(u32::from(level) * HASHES_PER_TILE_LOG2).unwrap_or(0);
            let first = index.saturating_mul(u64::from(FULL_WIDTH));
            let make = |index, width| TilePath::hashes(level, index, width);
            let tile = tile_of(first, complete, make).ok_or(out_of_range)?;
            let (path, bytes) = self.fetch(&tile)?;
            let hashes = tile::decode_hashes(&bytes, path.width()).map_err(|error| ReadError::Tile { path, error })?;
            self.tiles.insert((level, index), hashes);
        }
        self.tiles.get(&(level, index)).map(Vec::as_slice).ok_or_else(|| out_of_range.into())
    }

    /// A tile's bytes, or those of the full tile that took its place.
    fn fetch(&mut self, tile: &TilePath) -> Result<(TilePath, Vec<u8>), ReadError> {
        for path in [Some(*tile), tile.is_partial().then(|| tile.filled())].into_iter().flatten() {
            let found = (self.read)(&path).map_err(|why| ReadError::Unreadable { path, why })?;
            if let Some(bytes) = found {
                return Ok((path, bytes));
            }
        }
        Err(ReadError::Missing(*tile))
    }
}

/// The tile that holds number `index` of `count` hashes or entries.
fn tile_of(index: u64, count: u64, make: impl Fn(u64, u16) -> Option<TilePath>) -> Option<TilePath> {
    let full = u64::from(FULL_WIDTH);
    let first = index - index % full;
    let width = count.checked_sub(first)?.min(full);
    if index < count { make(index / full, u16::try_from(width).ok()?) } else { None }
}

/// The root over a complete subtree's hashes.
fn join(mut hashes: Vec<Hash>) -> Hash {
    while hashes.len() > 1 {
        hashes = hashes
            .chunks(2)
            .map(|pair| pair.iter().skip(1).fold(pair[0], |left, right| node_hash(&left, right)))
            .collect();
    }
    hashes.pop().unwrap_or_else(empty_root)
}
