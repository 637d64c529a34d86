//! A night: what is planned, the seed of all chance, and what it comes to.

use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{Rng, SeedableRng};

use super::bug::Bug;
use super::check::{Invariant, Violation};
use super::country::{Countries, Country};
use super::mark::Marks;
use super::plan::{self, Planned, What};
use super::world::World;
use crate::keys::Seed;

/// Steps of a night before everything is mended.
pub const STEPS: u64 = 2_000;

/// A night that can be run: where, what is planned, and the seed of all chance.
#[derive(Clone, Debug)]
pub struct Night {
    /// The seed.
    pub seed: u64,
    pub(super) country: &'static str,
    pub(super) plan: Vec<Planned>,
    pub(super) bug: Option<Bug>,
}

/// What a night came to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Report {
    /// Events that happened.
    pub steps: u64,
    /// The first invariant that does not hold.
    pub violation: Option<Violation>,
    /// What was reached.
    pub marks: Marks,
    /// A line for each step, if it was asked for.
    pub trace: Vec<String>,
}

impl Night {
    /// The night of a seed.
    pub fn of(countries: &Countries, seed: u64) -> Self {
        let mut rng = chance(seed, "plan");
        let country = countries.pick(rng.next_u32());
        let plan = country.map_or_else(Vec::new, |country| plan::draw(&mut rng, country));
        Self { seed, country: country.map_or("", |country| country.name), plan, bug: None }
    }

    /// The same night with a planted bug.
    #[must_use]
    pub fn with_bug(self, bug: Bug) -> Self {
        Self { bug: Some(bug), ..self }
    }

    /// The same night without one.
    #[must_use]
    pub fn without_bug(self) -> Self {
        Self { bug: None, ..self }
    }

    /// The bug that is planted in it.
    pub fn bug(&self) -> Option<Bug> {
        self.bug
    }

    /// The same plan with other chance.
    #[must_use]
    pub fn with_seed(self, seed: u64) -> Self {
        Self { seed, ..self }
    }

    /// Things planned.
    pub fn planned(&self) -> usize {
        self.plan.len()
    }

    /// The plan, a line each.
    pub fn plan(&self) -> Vec<String> {
        self.plan.iter().map(ToString::to_string).collect()
    }

    /// The same night, with some of what was planned left out.
    #[must_use]
    pub(super) fn without(&self, at: usize, number: usize) -> Self {
        let kept = |(place, planned): (usize, &Planned)| (place < at || place >= at + number).then_some(*planned);
        Self { plan: self.plan.iter().enumerate().filter_map(kept).collect(), ..self.clone() }
    }

    /// Whether the centre's operator shows two histories.
    pub(super) fn operator_lies(&self) -> bool {
        self.plan.iter().any(|planned| matches!(planned.what, What::Fork { .. }))
    }

    /// Runs the night to its end, or to the first invariant that does not hold.
    pub fn run(&self, countries: &Countries, trace: bool) -> Report {
        match countries.named(self.country) {
            Ok(country) => self.run_in(country, trace),
            Err(error) => {
                let violation = Violation { invariant: Invariant::Starts, what: error.to_string() };
                Report { steps: 0, violation: Some(violation), marks: Marks::default(), trace: Vec::new() }
            }
        }
    }

    fn run_in(&self, country: &Country, trace: bool) -> Report {
        let mut world = World::new(country, self, trace);
        let violation = world.run().err();
        let (steps, marks, mut trace) = world.into_report();
        if let (false, Some(violation)) = (trace.is_empty(), &violation) {
            trace.push(format!("!! {violation}"));
        }
        Report { steps, violation, marks, trace }
    }
}

pub(super) fn chance(seed: u64, name: &str) -> ChaCha8Rng {
    ChaCha8Rng::from_seed(Seed(seed).derive(name, 0))
}
