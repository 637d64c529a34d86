//! RFC 6962 Merkle tree hashing, and the verification of inclusion and consistency proofs (RFC 9162 sections 2.1.3.2 and 2.1.4.2).
//!
//! Proofs are produced by [`Tree`](crate::tree::Tree).

use std::{fmt, str::FromStr};

use sha2::{Digest, Sha256};
use thiserror::Error;

use crate::encoding;

/// A SHA-256 hash of a leaf, a subtree or a whole tree. Displays as 64 lowercase hex digits.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Hash(pub [u8; Hash::LEN]);

impl Hash {
    /// Bytes in a hash.
    pub const LEN: usize = 32;

    /// The hash's raw bytes.
    pub fn as_bytes(&self) -> &[u8; Self::LEN] {
        &self.0
    }

    /// The form used in checkpoints and proofs: 44 characters of padded base64.
    pub fn to_base64(&self) -> String {
        encoding::base64(&self.0)
    }

    /// Reads the form written by [`Hash::to_base64`], and no other.
    pub fn from_base64(text: &str) -> Result<Self, ParseHashError> {
        let bytes = encoding::from_base64(text).ok_or(ParseHashError)?;
        bytes.try_into().map(Self).map_err(|_| ParseHashError)
    }
}

/// The text is not a SHA-256 hash.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("not a SHA-256 hash: expected 64 lowercase hex digits, or 44 characters of padded base64")]
pub struct ParseHashError;

/// Reads 64 lowercase hex digits.
impl FromStr for Hash {
    type Err = ParseHashError;

    fn from_str(text: &str) -> Result<Self, ParseHashError> {
        if text.len() != 2 * Self::LEN {
            return Err(ParseHashError);
        }
        let mut hash = [0; Self::LEN];
        for (byte, digits) in hash.iter_mut().zip(text.as_bytes().chunks_exact(2)) {
            let value = |digit: u8| match digit {
                b'0'..=b'9' => Ok(digit - b'0'),
                b'a'..=b'f' => Ok(digit - b'a' + 10),
                _ => Err(ParseHashError),
            };
            *byte = value(digits[0])? << 4 | value(digits[1])?;
        }
        Ok(Self(hash))
    }
}

impl fmt::Display for Hash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl fmt::Debug for Hash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Hash({self})")
    }
}

/// The hash of an entry's bytes as a leaf: SHA-256(0x00 ‖ entry).
pub fn leaf_hash(entry: &[u8]) -> Hash {
    // The prefixes keep leaves and nodes apart: without them an inner node could be passed off as an entry.
    Hash(Sha256::new().chain_update([0x00]).chain_update(entry).finalize().into())
}

/// The hash of an inner node: SHA-256(0x01 ‖ left ‖ right).
pub fn node_hash(left: &Hash, right: &Hash) -> Hash {
    Hash(Sha256::new().chain_update([0x01]).chain_update(left.0).chain_update(right.0).finalize().into())
}

/// The root of the empty tree: SHA-256 of nothing.
pub fn empty_root() -> Hash {
    Hash(Sha256::digest([]).into())
}

/// The root of the tree over these leaf hashes, in memory logarithmic in their number.
///
/// This is all that a verifier of whole logs needs; it shares no code with [`Tree`](crate::tree::Tree).
pub fn root(leaves: impl IntoIterator<Item = Hash>) -> Hash {
    let mut peaks: Vec<Hash> = Vec::new();
    for (index, leaf) in (0_u64..).zip(leaves) {
        // Each trailing 1 bit of the index is a complete subtree that this leaf's subtree now pairs with.
        let left_siblings = (0..index.trailing_ones()).map_while(|_| peaks.pop());
        let subtree = left_siblings.fold(leaf, |right, left| node_hash(&left, &right));
        peaks.push(subtree);
    }
    fold_peaks(peaks).unwrap_or_else(empty_root)
}

/// Joins complete subtrees of falling size, listed left to right, into their common root.
pub(crate) fn fold_peaks(mut peaks: Vec<Hash>) -> Option<Hash> {
    let last = peaks.pop()?;
    Some(peaks.iter().rev().fold(last, |right, left| node_hash(left, &right)))
}

/// Why a Merkle proof does not hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum ProofError {
    /// The leaf lies outside the tree.
    #[error("leaf index {index} is outside a tree of {size} leaves")]
    IndexOutOfRange {
        /// Zero-based index of the leaf.
        index: u64,
        /// Leaves in the tree.
        size: u64,
    },
    /// The proof is asked for at a size that the tree has not reached.
    #[error("a proof at {asked} leaves was asked of a tree of {size}")]
    BeyondTree {
        /// Leaves asked for.
        asked: u64,
        /// Leaves in the tree.
        size: u64,
    },
    /// A consistency proof must lead from a smaller tree to one at least as large.
    #[error("a tree of {old} leaves cannot grow into one of {new}")]
    Shrinks {
        /// Leaves in the older tree.
        old: u64,
        /// Leaves in the newer tree.
        new: u64,
    },
    /// The proof has more or fewer hashes than the sizes ask for.
    #[error("the proof has the wrong number of hashes for these tree sizes")]
    WrongLength,
    /// The proof leads to another root than the one given.
    #[error("the proof leads to another root than the given one")]
    RootMismatch,
}

/// The root that an inclusion proof leads to (RFC 9162 section 2.1.3.2): the leaf at `index` of a tree of `size` leaves, its
/// siblings from the leaf upwards.
///
/// Compact receipts leave the root out and are verified by this recomputed one; compare it with a root that you trust.
pub fn inclusion_root(leaf: &Hash, index: u64, size: u64, proof: &[Hash]) -> Result<Hash, ProofError> {
    if index >= size {
        return Err(ProofError::IndexOutOfRange { index, size });
    }
    let (mut node, mut last) = (index, size - 1);
    let mut hash = *leaf;
    for sibling in proof {
        if last == 0 {
            return Err(ProofError::WrongLength);
        }
        if node & 1 == 1 || node == last {
            hash = node_hash(sibling, &hash);
            skip_missing_siblings(&mut node, &mut last);
        } else {
            hash = node_hash(&hash, sibling);
        }
        node >>= 1;
        last >>= 1;
    }
    if last == 0 { Ok(hash) } else { Err(ProofError::WrongLength) }
}

/// How many hashes lead from the leaf at `index` to the root of a tree of `size` leaves.
pub(crate) fn inclusion_length(index: u64, size: u64) -> Result<u32, ProofError> {
    if index >= size {
        return Err(ProofError::IndexOutOfRange { index, size });
    }
    // Below the node where its way leaves that of the last leaf, every level has a sibling; above, those on the left alone.
    let inner = u64::BITS - (index ^ (size - 1)).leading_zeros();
    Ok(inner + index.checked_shr(inner).map_or(0, u64::count_ones))
}

/// Checks that the leaf at `index` is part of the tree of `size` leaves with this root.
pub fn verify_inclusion(leaf: &Hash, index: u64, size: u64, proof: &[Hash], root: &Hash) -> Result<(), ProofError> {
    expect(inclusion_root(leaf, index, size, proof)?, root)
}

/// Checks that the tree of `new_size` leaves with `new_root` begins with the `old_size` leaves whose root is `old_root`
/// (RFC 9162 section 2.1.4.2).
///
/// Every tree extends the empty one and itself; those proofs are empty.
pub fn verify_consistency(
    old_size: u64,
    new_size: u64,
    old_root: &Hash,
    new_root: &Hash,
    proof: &[Hash],
) -> Result<(), ProofError> {
    if old_size > new_size {
        return Err(ProofError::Shrinks { old: old_size, new: new_size });
    }
    if old_size == 0 || old_size == new_size {
        if !proof.is_empty() {
            return Err(ProofError::WrongLength);
        }
        // A checkpoint can state any root, also of nothing.
        if old_size == 0 {
            expect(empty_root(), old_root)?;
        }
        return if old_size == new_size { expect(*new_root, old_root) } else { Ok(()) };
    }
    let (old, new) = consistency_roots(old_size, new_size, old_root, proof)?;
    expect(old, old_root)?;
    expect(new, new_root)
}

/// The root that the tree of `new_size` leaves with `new_root` had at `old_size` leaves, by its own consistency proof.
///
/// Nothing if the proof does not lead to `new_root`, or if it cannot tell: where the old tree is one complete subtree, the proof
/// leaves its root out.
pub fn proven_prefix(old_size: u64, new_size: u64, new_root: &Hash, proof: &[Hash]) -> Option<Hash> {
    if old_size >= new_size || old_size == 0 || old_size.is_power_of_two() {
        return None;
    }
    let (old, new) = consistency_roots(old_size, new_size, new_root, proof).ok()?;
    (new == *new_root).then_some(old)
}

/// The old and new roots that a proof leads to, for 0 < `old_size` < `new_size`.
fn consistency_roots(
    old_size: u64,
    new_size: u64,
    old_root: &Hash,
    proof: &[Hash],
) -> Result<(Hash, Hash), ProofError> {
    // An old tree that is one complete subtree is its own starting point, so the proof omits it.
    let implied = old_size.is_power_of_two().then_some(old_root);
    let mut path = implied.into_iter().chain(proof);
    let start = *path.next().ok_or(ProofError::WrongLength)?;

    let (mut node, mut last) = (old_size - 1, new_size - 1);
    let shift = node.trailing_ones();
    node >>= shift;
    last >>= shift;
    let (mut old, mut new) = (start, start);
    for sibling in path {
        if last == 0 {
            return Err(ProofError::WrongLength);
        }
        if node & 1 == 1 || node == last {
            old = node_hash(sibling, &old);
            new = node_hash(sibling, &new);
            skip_missing_siblings(&mut node, &mut last);
        } else {
            new = node_hash(&new, sibling);
        }
        node >>= 1;
        last >>= 1;
    }
    if last == 0 { Ok((old, new)) } else { Err(ProofError::WrongLength) }
}

/// On the tree's right edge a node without sibling moves up unhashed: skip those levels.
fn skip_missing_siblings(node: &mut u64, last: &mut u64) {
    while *node & 1 == 0 && *node != 0 {
        *node >>= 1;
        *last >>= 1;
    }
}

fn expect(computed: Hash, given: &Hash) -> Result<(), ProofError> {
    if computed == *given { Ok(()) } else { Err(ProofError::RootMismatch) }
}
