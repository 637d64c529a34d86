//! What a bad network does to datagrams: it loses some, delivers some late or twice, and a bad relay changes some.

use std::time::Duration;

use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{Rng, SeedableRng};

use crate::keys::Seed;
use crate::script::{Conduct, Quality};

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

    /// The chance in thousandths, rounded.
    pub fn per_mille(self) -> u64 {
        (self.0 * 1_000 + (1 << 31)) >> 32
    }

    /// Draws once.
    pub fn draw(self, rng: &mut ChaCha8Rng) -> bool {
        u64::from(rng.next_u32()) < self.0
    }
}

/// One direction of a bad network that stays as it is.
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
        copies(self.loss, self.duplicate, &mut self.rng)
    }
}

fn copies(loss: Chance, duplicate: Chance, rng: &mut ChaCha8Rng) -> usize {
    if loss.draw(rng) { 0 } else { 1 + usize::from(duplicate.draw(rng)) }
}

/// How often a relay that duplicates hands each datagram on.
const RELAY_COPIES: usize = 3;

/// One direction of a drill's path, whose quality changes with time, with the conduct of whoever keeps it.
#[derive(Clone, Debug)]
pub struct Direction {
    conduct: Conduct,
    rng: ChaCha8Rng,
}

/// A copy of a datagram that comes out at the other end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Arrival {
    /// When, on the drill's clock.
    pub at: Duration,
    /// What was done to its bytes on the way.
    pub alteration: Option<Alteration>,
}

/// A changed byte.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Alteration {
    place: usize,
    change: u8,
}

impl Alteration {
    /// Changes the datagram that it was drawn for.
    pub fn apply(self, datagram: &mut [u8]) {
        if let Some(byte) = datagram.get_mut(self.place) {
            *byte ^= self.change;
        }
    }
}

impl Direction {
    /// A direction of a path; `name` keeps the draws of several apart. Everyone but a relay is honest.
    pub fn new(seed: Seed, name: &str, conduct: Conduct) -> Self {
        Self { conduct, rng: ChaCha8Rng::from_seed(seed.derive(name, 0)) }
    }

    /// The copies that arrive of a datagram of `length` bytes that sets out `now`, when the path has this quality.
    pub fn carry(&mut self, now: Duration, quality: Quality, length: usize) -> impl Iterator<Item = Arrival> {
        let times = match self.conduct {
            Conduct::Withhold => 0,
            Conduct::Duplicate => RELAY_COPIES,
            Conduct::Honest | Conduct::Alter => 1,
        };
        let copies = times * copies(quality.loss, quality.duplicate, &mut self.rng);
        let at = now.saturating_add(quality.delay);
        (0..copies).map(move |_| Arrival { at, alteration: self.alteration(length) })
    }

    fn alteration(&mut self, length: usize) -> Option<Alteration> {
        if self.conduct != Conduct::Alter || length == 0 {
            return None;
        }
        let place = self.rng.next_u32() as usize % length;
        Some(Alteration { place, change: 1 << (self.rng.next_u32() % 8) })
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

    fn arrivals(conduct: Conduct, quality: Quality) -> Vec<Arrival> {
        let mut direction = Direction::new(Seed(7), "up", conduct);
        (0..1_000).flat_map(|_| direction.carry(Duration::from_secs(1), quality, 300).collect::<Vec<_>>()).collect()
    }

    #[test]
    fn a_good_path_delivers_everything_once_and_after_its_delay() {
        let quality = Quality { delay: Duration::from_millis(5), ..Quality::PERFECT };
        let arrival = Arrival { at: Duration::from_millis(1_005), alteration: None };
        assert_eq!(arrivals(Conduct::Honest, quality), vec![arrival; 1_000]);
        assert_eq!(arrivals(Conduct::Duplicate, quality), vec![arrival; 3_000]);
    }

    #[test]
    fn nothing_passes_a_cut_or_a_relay_that_withholds() {
        let cut = Quality { loss: Chance::ALWAYS, ..Quality::PERFECT };
        assert_eq!(arrivals(Conduct::Honest, cut), []);
        assert_eq!(arrivals(Conduct::Withhold, Quality::PERFECT), []);
    }

    #[test]
    fn a_relay_that_alters_leaves_no_datagram_as_it_was() {
        let arrivals = arrivals(Conduct::Alter, Quality::PERFECT);
        assert_eq!(arrivals.len(), 1_000);
        let mut touched = [0_u8; 300];
        for arrival in arrivals {
            let mut datagram = [0; 300];
            arrival.alteration.unwrap().apply(&mut datagram);
            assert_eq!(datagram.iter().filter(|byte| **byte != 0).count(), 1);
            touched.iter_mut().zip(datagram).for_each(|(touched, byte)| *touched |= byte);
        }
        assert!(touched.iter().filter(|byte| **byte != 0).count() > 250, "any byte can be the one");
    }
}
