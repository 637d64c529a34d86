//! What a bad network does to datagrams: it loses some and delivers some twice.

use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{Rng, SeedableRng};

use crate::keys::Seed;

/// A chance, held as a threshold on 32 random bits.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Chance(u64);

impl Chance {
    /// Never happens.
    pub const NEVER: Self = Self(0);
    /// Always happens.
    pub const ALWAYS: Self = Self(1 << 32);

    /// A chance of `p`; `None` unless 0 ≤ p < 1.
    pub fn new(p: f64) -> Option<Self> {
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "p is in 0..1")]
        (0.0..1.0).contains(&p).then(|| Self((p * f64::from(u32::MAX)) as u64))
    }

    /// Draws once.
    pub fn draw(self, rng: &mut ChaCha8Rng) -> bool {
        u64::from(rng.next_u32()) < self.0
    }
}

/// One direction of a bad network.
#[derive(Clone, Debug)]
pub struct Link {
    loss: Chance,
    duplicate: Chance,
    rng: ChaCha8Rng,
}

impl Link {
    /// A link with these chances; `name` keeps the draws of several links apart.
    pub fn new(seed: Seed, name: &str, loss: Chance, duplicate: Chance) -> Self {
        Self { loss, duplicate, rng: ChaCha8Rng::from_seed(seed.derive(name, 0)) }
    }

    /// How many copies of the next datagram arrive: 0, 1 or 2.
    pub fn copies(&mut self) -> usize {
        if self.loss.draw(&mut self.rng) { 0 } else { 1 + usize::from(self.duplicate.draw(&mut self.rng)) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn chances_outside_the_unit_interval_are_refused() {
        assert_eq!(Chance::new(1.0), None);
        assert_eq!(Chance::new(-0.1), None);
        assert_eq!(Chance::new(f64::NAN), None);
    }

    #[test]
    fn copies_follow_the_chances() {
        let chance = |p| Chance::new(p).unwrap();
        let mut link = Link::new(Seed(7), "up", chance(0.3), chance(0.2));
        let mut arrived = [0u32; 3];
        for _ in 0..100_000 {
            arrived[link.copies()] += 1;
        }
        assert!((29_000..31_000).contains(&arrived[0]), "{arrived:?}");
        assert!((13_000..15_000).contains(&arrived[2]), "{arrived:?}");
    }
}
