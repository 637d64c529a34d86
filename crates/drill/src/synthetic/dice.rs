//! What is drawn, in whole numbers.

use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{Rng, SeedableRng};

use crate::keys::Seed;

/// One stream of draws. What is drawn for one purpose and number does not depend on any other.
pub(super) struct Dice(ChaCha8Rng);

impl Dice {
    pub(super) fn new(seed: Seed, purpose: &str, number: u32) -> Self {
        Self(ChaCha8Rng::from_seed(seed.derive(&format!("synthetic {purpose}"), number)))
    }

    /// From `low` to `high`, both included.
    pub(super) fn between(&mut self, low: u32, high: u32) -> u32 {
        low + self.0.next_u32() % (high.saturating_sub(low) + 1)
    }

    /// Near `middle` more often than far from it, at most `reach` away.
    pub(super) fn around(&mut self, middle: u32, reach: u32) -> u32 {
        (middle + self.between(0, reach) + self.between(0, reach)).saturating_sub(reach)
    }
}

/// Splits `total` in proportion to `weights`: each part is within one of its share, and the parts add up.
pub(super) fn split(total: u32, weights: &[u64]) -> Vec<u32> {
    let sum: u128 = weights.iter().copied().map(u128::from).sum::<u128>().max(1);
    let (mut reached, mut before) = (0_u128, 0_u32);
    let part = |&weight: &u64| {
        reached += u128::from(weight);
        // No more than `total`, which is a u32.
        let up_to = u32::try_from((u128::from(total) * reached + sum / 2) / sum).unwrap_or(total);
        let part = up_to - before;
        before = up_to;
        part
    };
    weights.iter().map(part).collect()
}

/// As [`split`], and everybody has at least one as long as there are enough.
pub(super) fn split_among_all(total: u32, weights: &[u64]) -> Vec<u32> {
    let count = u32::try_from(weights.len()).unwrap_or(u32::MAX);
    match total.checked_sub(count) {
        Some(rest) => split(rest, weights).into_iter().map(|part| part + 1).collect(),
        None => (0..count).map(|place| u32::from(place < total)).collect(),
    }
}
