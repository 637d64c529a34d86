//! The sequencer: gives a batch of durable records its place in the log.
//!
//! Within a batch, entries are ordered by station, contest and digest, so that the order in which the network delivered them leaves
//! no trace, and any arrival order gives the same root. Any error here halts the centre: a log that goes on after a failed step
//! ends up with two histories.

use tallyproof_log::{
    merkle::{Hash, leaf_hash},
    tile::{self, FULL_WIDTH, MAX_ENTRY_LEN, TileError, TilePath},
    tree::Tree,
};
use tallyproof_record::{definition::Committed, entry::Entry};
use thiserror::Error;

use crate::{intake::Authentic, journal::Cut};

/// What to write so that the log has grown: first the tiles, then the checkpoint.
#[derive(Debug, PartialEq, Eq)]
pub struct Growth {
    /// Index of the batch's first entry.
    pub first: u64,
    /// Entries in the log.
    pub size: u64,
    /// The Merkle root over them: what the checkpoint signs.
    pub root: Hash,
    /// Tiles and their bytes, in the order in which they are safe to publish.
    pub tiles: Vec<(TilePath, Vec<u8>)>,
}

/// Why a batch has no place in the log. The centre stops; a restart replays the journal.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum SequenceError {
    /// The batch's entries do not reach the size that the journal noted for it.
    #[error(
        "the batch ends at log size {found}, but the journal noted {noted}: stop, keep both files, and restart from the journal"
    )]
    Size {
        /// What the journal noted.
        noted: u64,
        /// What the entries give.
        found: u64,
    },
    /// An entry is too long for the log's format. The gate should have refused it.
    #[error("a record or statement of {0} bytes does not fit a log entry of {MAX_ENTRY_LEN} bytes")]
    Entry(usize),
    /// The tree could not give a tile.
    #[error("the tree has no tile {0}: this is a fault of the program")]
    Tile(TilePath),
    /// An entry bundle could not be written.
    #[error(transparent)]
    Bundle(#[from] TileError),
}

/// The log as it grows: the tree, and the entries of the bundle that is not full yet.
#[derive(Debug)]
pub struct Sequencer {
    tree: Tree,
    /// Entries from the last multiple of 256 on.
    tail: Vec<Vec<u8>>,
}

impl Sequencer {
    /// Begins the log: entry 0 is the definition manifest, so that the register is committed before the first record.
    pub fn begin(definition: &Committed) -> Result<(Self, Growth), SequenceError> {
        let mut sequencer = Self { tree: Tree::new(), tail: Vec::new() };
        let manifest = Entry::Definition(definition.canonical().manifest.as_bytes()).encode();
        let growth = sequencer.grow([manifest])?;
        Ok((sequencer, growth))
    }

    /// Appends one batch, which it sorts: the record at position `i` becomes entry `growth.first + i`.
    pub fn cut(&mut self, noted: Cut, batch: &mut [Authentic]) -> Result<Growth, SequenceError> {
        let found = self.tree.size().saturating_add(batch.len() as u64);
        if found != noted.tree_size {
            return Err(SequenceError::Size { noted: noted.tree_size, found });
        }
        if let Some(long) = batch.iter().find(|record| record.bytes().len() >= MAX_ENTRY_LEN) {
            return Err(SequenceError::Entry(long.bytes().len()));
        }
        batch.sort_unstable_by(|a, b| a.place().cmp(b.place()));
        self.grow(batch.iter().map(Authentic::entry))
    }

    /// The tree so far.
    pub fn tree(&self) -> &Tree {
        &self.tree
    }

    fn grow(&mut self, entries: impl IntoIterator<Item = Vec<u8>>) -> Result<Growth, SequenceError> {
        let first = self.tree.size();
        for entry in entries {
            self.tree.append(leaf_hash(&entry));
            self.tail.push(entry);
        }
        let size = self.tree.size();
        let tail_first = first - first % u64::from(FULL_WIDTH);
        let tiles = tile::tiles_for(first, size).map(|path| Ok((path, self.tile(&path, tail_first)?)));
        let tiles = tiles.collect::<Result<_, SequenceError>>()?;
        let kept = self.tail.len() % usize::from(FULL_WIDTH);
        self.tail.drain(..self.tail.len() - kept);
        Ok(Growth { first, size, root: self.tree.root(), tiles })
    }

    fn tile(&self, path: &TilePath, tail_first: u64) -> Result<Vec<u8>, SequenceError> {
        if path.level().is_some() {
            return self.tree.tile(path).ok_or(SequenceError::Tile(*path));
        }
        let start = path.first().and_then(|first| usize::try_from(first.checked_sub(tail_first)?).ok());
        let entries = start.and_then(|start| self.tail.get(start..start.checked_add(usize::from(path.width()))?));
        Ok(tile::encode_entries(entries.ok_or(SequenceError::Tile(*path))?)?)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use tallyproof_log::merkle;

    use super::*;
    use crate::{Intake, testing};

    fn batch(stations: &[u32]) -> Vec<Authentic> {
        let definition = testing::election(400);
        let intake = Intake::new(std::sync::Arc::clone(&definition));
        let record = |&station| intake.admit(testing::record(&definition, station, 10).into_bytes()).unwrap();
        stations.iter().map(record).collect()
    }

    fn begin() -> Sequencer {
        Sequencer::begin(&testing::election(400)).unwrap().0
    }

    #[test]
    fn the_register_is_committed_before_the_first_record() {
        let definition = testing::election(400);
        let (sequencer, growth) = Sequencer::begin(&definition).unwrap();
        let manifest = Entry::Definition(definition.canonical().manifest.as_bytes()).encode();
        assert_eq!((growth.first, growth.size, growth.root), (0, 1, leaf_hash(&manifest)));
        assert_eq!(sequencer.tree().leaf(0), Some(leaf_hash(&manifest)));
        assert_eq!(growth.tiles.len(), 2, "one entry bundle and one hash tile");
    }

    #[test]
    fn a_batch_that_is_not_the_one_noted_halts() {
        let mut records = batch(&[1, 2]);
        let error = begin().cut(Cut::after(3), &mut records).unwrap_err();
        assert_eq!(error, SequenceError::Size { noted: 4, found: 3 });
    }

    #[test]
    fn the_tiles_of_all_batches_are_the_log() {
        let stations: Vec<u32> = (1..=400).collect();
        let (mut sequencer, first) = Sequencer::begin(&testing::election(400)).unwrap();
        let mut tiles: std::collections::BTreeMap<_, _> = first.tiles.into_iter().collect();
        let mut seq = 0;
        for part in stations.chunks(150) {
            seq += part.len() as u64;
            tiles.extend(sequencer.cut(Cut::after(seq), &mut batch(part)).unwrap().tiles);
        }
        let bundles = [TilePath::entries(0, 256), TilePath::entries(1, 145)].map(Option::unwrap);
        let leaves: Vec<Hash> = bundles
            .iter()
            .flat_map(|path| tile::decode_entries(&tiles[path], path.width()).unwrap())
            .map(leaf_hash)
            .collect();
        assert_eq!(merkle::root(leaves), sequencer.tree().root());
        for path in tile::tiles_for(0, 401) {
            assert!(tiles.contains_key(&path), "{path}");
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(16))]
        #[test]
        fn the_order_of_arrival_leaves_no_trace(order in Just((1..=40_u32).collect::<Vec<_>>()).prop_shuffle()) {
            let sorted: Vec<u32> = (1..=40).collect();
            let (mut left, mut right) = (begin(), begin());
            let one = left.cut(Cut::after(40), &mut batch(&order)).unwrap();
            let other = right.cut(Cut::after(40), &mut batch(&sorted)).unwrap();
            prop_assert_eq!(one, other);
        }
    }
}
