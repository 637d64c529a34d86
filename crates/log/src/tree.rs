//! An append-only Merkle tree in memory that can answer for every size it ever had.

use crate::{
    merkle::{Hash, ProofError, empty_root, fold_peaks, node_hash},
    ranges::{self, Range},
    tile::{self, HASHES_PER_TILE_LOG2, TilePath},
};

/// A Merkle tree over leaf hashes. It keeps every complete subtree's root (under two hashes a leaf), so that roots, proofs and
/// tiles at any size up to its own are look-ups.
#[derive(Debug, Clone, Default)]
pub struct Tree {
    /// Roots of the complete subtrees in post-order, that is, in the order in which they became complete.
    nodes: Vec<Hash>,
    size: u64,
}

impl Tree {
    /// The empty tree.
    pub fn new() -> Self {
        Self::default()
    }

    /// Appends a leaf; returns its zero-based index.
    pub fn append(&mut self, leaf: Hash) -> u64 {
        let index = self.size;
        self.push(leaf);
        let mut subtree = leaf;
        // Each trailing 1 bit of the index is a complete left neighbour of the subtree that just became complete.
        for level in 0..index.trailing_ones() {
            let left = self.node(level, (index >> level) - 1);
            subtree = node_hash(&left, &subtree);
            self.push(subtree);
        }
        self.size += 1;
        index
    }

    /// Takes back the leaves after the first `size`: those appended on trial, when they turn out not to be the log's.
    pub fn rewind(&mut self, size: u64) {
        if size < self.size {
            // Before the leaf at `size` stand the subtrees complete at that size.
            let nodes = 2 * size - u64::from(size.count_ones());
            self.nodes.truncate(usize::try_from(nodes).unwrap_or(usize::MAX));
            self.size = size;
        }
    }

    /// Leaves in the tree.
    pub fn size(&self) -> u64 {
        self.size
    }

    /// The root of the whole tree, in O(log n) hashes.
    pub fn root(&self) -> Hash {
        self.range_root(Range::whole(self.size))
    }

    /// The root that the tree had at `size` leaves; nothing if it never was that large.
    pub fn root_at(&self, size: u64) -> Option<Hash> {
        (size <= self.size).then(|| self.range_root(Range::whole(size)))
    }

    /// The hash of the leaf at `index`.
    pub fn leaf(&self, index: u64) -> Option<Hash> {
        (index < self.size).then(|| self.node(0, index))
    }

    /// The siblings that lead from the leaf at `index` to the root at `size`, leaf's sibling first (RFC 9162 section 2.1.3.1).
    pub fn inclusion_proof(&self, index: u64, size: u64) -> Result<Vec<Hash>, ProofError> {
        self.must_reach(size)?;
        Ok(self.roots(ranges::inclusion(index, size)?))
    }

    /// The proof that the tree at `new_size` extends the tree at `old_size` (RFC 9162 section 2.1.4.1).
    pub fn consistency_proof(&self, old_size: u64, new_size: u64) -> Result<Vec<Hash>, ProofError> {
        self.must_reach(new_size)?;
        Ok(self.roots(ranges::consistency(old_size, new_size)?))
    }

    /// The contents of a hash tile; nothing for an entry bundle, or for a tile that reaches beyond the tree.
    pub fn tile(&self, path: &TilePath) -> Option<Vec<u8>> {
        let level = u32::from(path.level()?).checked_mul(HASHES_PER_TILE_LOG2)?;
        let first = path.first()?;
        let end = first.checked_add(u64::from(path.width()))?;
        let complete = self.size.checked_shr(level).unwrap_or(0);
        (end <= complete).then(|| tile::encode_hashes((first..end).map(|index| self.node(level, index))))
    }

    fn must_reach(&self, asked: u64) -> Result<(), ProofError> {
        if asked <= self.size { Ok(()) } else { Err(ProofError::BeyondTree { asked, size: self.size }) }
    }

    fn push(&mut self, hash: Hash) {
        // Doubling would leave up to half of a large tree's memory unused; growing by a sixteenth stays linear and small.
        if self.nodes.len() == self.nodes.capacity() {
            self.nodes.reserve_exact(self.nodes.len() / 16 + 1024);
        }
        self.nodes.push(hash);
    }

    /// The root of the `index`-th complete subtree of 2^`level` leaves. The caller knows that it is complete.
    fn node(&self, level: u32, index: u64) -> Hash {
        // Post-order: before the subtree's last leaf come the 2n − popcount(n) subtrees complete at n leaves.
        let last_leaf = ((index + 1) << level) - 1;
        let position = 2 * last_leaf - u64::from(last_leaf.count_ones()) + u64::from(level);
        let position = usize::try_from(position).expect("a node in memory has an address");
        self.nodes[position]
    }

    fn roots(&self, ranges: Vec<Range>) -> Vec<Hash> {
        ranges.into_iter().map(|range| self.range_root(range)).collect()
    }

    fn range_root(&self, range: Range) -> Hash {
        fold_peaks(range.complete().map(|(level, index)| self.node(level, index)).collect()).unwrap_or_else(empty_root)
    }
}

impl FromIterator<Hash> for Tree {
    fn from_iter<I: IntoIterator<Item = Hash>>(leaves: I) -> Self {
        let mut tree = Self::new();
        leaves.into_iter().for_each(|leaf| {
            tree.append(leaf);
        });
        tree
    }
}
