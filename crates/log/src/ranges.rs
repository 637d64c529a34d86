//! Which subtrees roots and proofs are made of: the geometry of the tree, whoever holds its hashes.

use crate::merkle::ProofError;

/// Leaves `low..high`, where `low` is a multiple of the smallest power of two that holds the range.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Range {
    pub(crate) low: u64,
    pub(crate) high: u64,
}

impl Range {
    /// The leaves of a whole tree.
    pub(crate) fn whole(size: u64) -> Self {
        Self { low: 0, high: size }
    }

    /// The complete subtrees that the range consists of, left to right: level and index within it.
    pub(crate) fn complete(self) -> impl Iterator<Item = (u32, u64)> {
        let mut low = self.low;
        std::iter::from_fn(move || {
            let level = self.high.checked_sub(low)?.checked_ilog2()?;
            let subtree = (level, low >> level);
            low += 1 << level;
            Some(subtree)
        })
    }

    /// The two subtrees that its root joins; nothing for a single leaf.
    fn halves(self) -> Option<(Self, Self)> {
        let leaves = self.high - self.low;
        // The left one is the largest complete subtree that leaves something to the right one.
        let split = self.low + (1 << leaves.checked_sub(1)?.checked_ilog2()?);
        Some((Self { high: split, ..self }, Self { low: split, ..self }))
    }
}

/// The siblings that lead from the leaf at `index` to the root at `size`, leaf's sibling first (RFC 9162 section 2.1.3.1).
pub(crate) fn inclusion(index: u64, size: u64) -> Result<Vec<Range>, ProofError> {
    if index >= size {
        return Err(ProofError::IndexOutOfRange { index, size });
    }
    let mut siblings = Vec::new();
    let mut range = Range::whole(size);
    while let Some((left, right)) = range.halves() {
        let (next, sibling) = if index < left.high { (left, right) } else { (right, left) };
        siblings.push(sibling);
        range = next;
    }
    siblings.reverse();
    Ok(siblings)
}

/// What proves that the tree at `new_size` extends the one at `old_size` (RFC 9162 section 2.1.4.1).
pub(crate) fn consistency(old_size: u64, new_size: u64) -> Result<Vec<Range>, ProofError> {
    if old_size > new_size {
        return Err(ProofError::Shrinks { old: old_size, new: new_size });
    }
    let mut proof = Vec::new();
    if old_size == 0 {
        return Ok(proof);
    }
    let mut range = Range::whole(new_size);
    while range.high != old_size {
        let Some((left, right)) = range.halves() else { break };
        let (next, sibling) = if old_size <= left.high { (left, right) } else { (right, left) };
        proof.push(sibling);
        range = next;
    }
    // The verifier already holds the old root; any other starting point must be told.
    if range.low != 0 {
        proof.push(range);
    }
    proof.reverse();
    Ok(proof)
}
