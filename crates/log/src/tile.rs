//! Tiles: the static files in which a log serves its hashes and entries (C2SP tlog-tiles v0.1.0).

use std::{fmt, str::FromStr};

use thiserror::Error;

use crate::{encoding::decimal, merkle::Hash};

/// Hashes in a full hash tile, and entries in a full entry bundle.
pub const FULL_WIDTH: u16 = 256;

/// A tile spans this many levels of the Merkle tree: log2 of [`FULL_WIDTH`].
pub(crate) const HASHES_PER_TILE_LOG2: u32 = 8;

/// The highest tile level that the format has.
const MAX_LEVEL: u8 = 63;

/// The most bytes that an entry may have: its length is written in 16 bits.
pub const MAX_ENTRY_LEN: usize = u16::MAX as usize;

/// Which tile: what it holds, its index among those of its kind, and its width, full or partial.
///
/// Displays as, and parses from, the path below the log's prefix, such as `tile/0/x001/x234/067` or `tile/entries/000.p/17`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct TilePath {
    content: Content,
    index: u64,
    width: u16,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
enum Content {
    Hashes { level: u8 },
    Entries,
}

impl TilePath {
    /// The hash tile at `level` (0 to 63, 0 = leaf hashes) with `width` hashes (1 to 256).
    pub fn hashes(level: u8, index: u64, width: u16) -> Option<Self> {
        (level <= MAX_LEVEL).then_some(())?;
        Self::new(Content::Hashes { level }, index, width)
    }

    /// The entry bundle with `width` entries (1 to 256).
    pub fn entries(index: u64, width: u16) -> Option<Self> {
        Self::new(Content::Entries, index, width)
    }

    fn new(content: Content, index: u64, width: u16) -> Option<Self> {
        (1..=FULL_WIDTH).contains(&width).then_some(Self { content, index, width })
    }

    /// The level of a hash tile; nothing for an entry bundle.
    pub fn level(&self) -> Option<u8> {
        match self.content {
            Content::Hashes { level } => Some(level),
            Content::Entries => None,
        }
    }

    /// The tile's index within its level, or the bundle's among the bundles.
    pub fn index(&self) -> u64 {
        self.index
    }

    /// Hashes or entries in the tile, 1 to 256.
    pub fn width(&self) -> u16 {
        self.width
    }

    /// Whether the tile holds fewer than 256 hashes or entries.
    pub fn is_partial(&self) -> bool {
        self.width < FULL_WIDTH
    }

    /// The full tile of the same place.
    #[must_use]
    pub fn filled(self) -> Self {
        Self { width: FULL_WIDTH, ..self }
    }

    /// The index, within its level, of the tile's first hash or entry; nothing beyond 2^64.
    pub fn first(&self) -> Option<u64> {
        self.index.checked_mul(u64::from(FULL_WIDTH))
    }
}

impl fmt::Display for TilePath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.content {
            Content::Hashes { level } => write!(f, "tile/{level}/")?,
            Content::Entries => write!(f, "tile/entries/")?,
        }
        write_index(f, self.index)?;
        if self.is_partial() { write!(f, ".p/{}", self.width) } else { Ok(()) }
    }
}

/// Writes three-digit groups, all but the last marked `x`: no directory then ever bears the name of a file.
fn write_index(f: &mut fmt::Formatter<'_>, index: u64) -> fmt::Result {
    let parents = index / 1000;
    if parents > 0 {
        write_parents(f, parents)?;
    }
    write!(f, "{:03}", index % 1000)
}

fn write_parents(f: &mut fmt::Formatter<'_>, parents: u64) -> fmt::Result {
    if parents >= 1000 {
        write_parents(f, parents / 1000)?;
    }
    write!(f, "x{:03}/", parents % 1000)
}

/// The text is not the path of a tile.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("not a tile path: expected tile/<level 0-63 or entries>/<index as x001/x234/067>[.p/<width 1-255>]")]
pub struct ParseTilePathError;

impl FromStr for TilePath {
    type Err = ParseTilePathError;

    fn from_str(text: &str) -> Result<Self, ParseTilePathError> {
        let path = parse_loosely(text).ok_or(ParseTilePathError)?;
        // One tile, one path: whatever the loose reading let through is not written this way.
        if path.to_string() == text { Ok(path) } else { Err(ParseTilePathError) }
    }
}

fn parse_loosely(text: &str) -> Option<TilePath> {
    let (content, place) = text.strip_prefix("tile/")?.split_once('/')?;
    let (groups, width) = match place.split_once(".p/") {
        Some((groups, width)) => (groups, u16::try_from(decimal(width)?).ok()?),
        None => (place, FULL_WIDTH),
    };
    let index = groups.split('/').try_fold(0_u64, |index, group| {
        let digits = group.strip_prefix('x').unwrap_or(group);
        index.checked_mul(1000)?.checked_add(digits.parse().ok()?)
    })?;
    match content {
        "entries" => TilePath::entries(index, width),
        level => TilePath::hashes(decimal(level)?.try_into().ok()?, index, width),
    }
}

/// The tiles and bundles to write when a log grows from `old_size` to `new_size` leaves, in the order that is safe to publish:
/// entries first, then hashes level by level. Never an empty one; none when the log does not grow.
///
/// A log that publishes only at some sizes calls this with its published sizes: it must serve the partial tiles of those alone.
pub fn tiles_for(old_size: u64, new_size: u64) -> impl Iterator<Item = TilePath> {
    let entries = std::iter::once((Content::Entries, 0));
    let levels = (0_u8..).map_while(|level| {
        let shift = u32::from(level) * HASHES_PER_TILE_LOG2;
        (shift < u64::BITS).then_some((Content::Hashes { level }, shift))
    });
    entries.chain(levels).flat_map(move |(content, shift)| grown(content, old_size >> shift, new_size >> shift))
}

/// The tiles of one level touched when it grows from `old` to `new` hashes.
fn grown(content: Content, old: u64, new: u64) -> impl Iterator<Item = TilePath> {
    let full = u64::from(FULL_WIDTH);
    let complete = (old / full..new / full).map(move |index| TilePath { content, index, width: FULL_WIDTH });
    let rest = u16::try_from(new % full).unwrap_or_default();
    let partial = (new > old && rest > 0).then_some(TilePath { content, index: new / full, width: rest });
    complete.chain(partial)
}

/// Why a tile's bytes are not what its path says.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum TileError {
    /// A hash tile is exactly 32 bytes a hash.
    #[error("a hash tile of width {width} has {expected} bytes, this one has {found}")]
    HashTileLength {
        /// Hashes that the path announces.
        width: u16,
        /// Bytes that it should have.
        expected: usize,
        /// Bytes that it has.
        found: usize,
    },
    /// The bundle ends within an entry or before its last one.
    #[error("the entry bundle ends within entry {entry} of {width}")]
    Truncated {
        /// Zero-based position in the bundle.
        entry: u16,
        /// Entries that the path announces.
        width: u16,
    },
    /// Bytes follow the last entry.
    #[error("{extra} bytes follow the last of the bundle's {width} entries")]
    TrailingBytes {
        /// How many bytes follow.
        extra: usize,
        /// Entries that the path announces.
        width: u16,
    },
    /// An entry is too long for its 16-bit length.
    #[error("entry {entry} of the bundle has {len} bytes; the format allows {MAX_ENTRY_LEN}")]
    EntryTooLong {
        /// Zero-based position in the bundle.
        entry: usize,
        /// The entry's length in bytes.
        len: usize,
    },
}

/// The bytes of a hash tile: its hashes one after the other.
pub fn encode_hashes(hashes: impl IntoIterator<Item = Hash>) -> Vec<u8> {
    hashes.into_iter().flat_map(|hash| hash.0).collect()
}

/// Reads a hash tile of exactly `width` hashes.
pub fn decode_hashes(bytes: &[u8], width: u16) -> Result<Vec<Hash>, TileError> {
    let expected = usize::from(width) * Hash::LEN;
    let (hashes, _) = bytes.as_chunks();
    if bytes.len() == expected {
        Ok(hashes.iter().copied().map(Hash).collect())
    } else {
        Err(TileError::HashTileLength { width, expected, found: bytes.len() })
    }
}

/// The bytes of an entry bundle: each entry behind its length as a big-endian `u16`.
pub fn encode_entries<E: AsRef<[u8]>>(entries: impl IntoIterator<Item = E>) -> Result<Vec<u8>, TileError> {
    let mut bundle = Vec::new();
    for (position, entry) in entries.into_iter().enumerate() {
        let entry = entry.as_ref();
        let len =
            u16::try_from(entry.len()).map_err(|_| TileError::EntryTooLong { entry: position, len: entry.len() })?;
        bundle.extend_from_slice(&len.to_be_bytes());
        bundle.extend_from_slice(entry);
    }
    Ok(bundle)
}

/// Reads an entry bundle of exactly `width` entries and nothing else.
pub fn decode_entries(bytes: &[u8], width: u16) -> Result<Vec<&[u8]>, TileError> {
    let mut rest = bytes;
    let mut entries = Vec::with_capacity(usize::from(width));
    for entry in 0..width {
        let (head, tail) = split_entry(rest).ok_or(TileError::Truncated { entry, width })?;
        entries.push(head);
        rest = tail;
    }
    if rest.is_empty() { Ok(entries) } else { Err(TileError::TrailingBytes { extra: rest.len(), width }) }
}

fn split_entry(bytes: &[u8]) -> Option<(&[u8], &[u8])> {
    let (len, rest) = bytes.split_first_chunk()?;
    rest.split_at_checked(usize::from(u16::from_be_bytes(*len)))
}
