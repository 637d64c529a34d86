//! Seeds of the simulated country: many at once, or one with its trace.

use std::collections::BTreeMap;
use std::fmt;

use rayon::prelude::*;
use schemars::JsonSchema;
use serde::Serialize;
use tallyproof_drill::sim::{Country, Mark, Marks, Night, Report as Outcome, shrink};

use crate::printer::Report;

/// What came of the seeds.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct SimulationReport {
    /// The first seed.
    pub seed: u64,
    /// Seeds run.
    pub seeds: u64,
    /// Events that happened in all of them.
    pub steps: u64,
    /// The lowest seed that fails.
    pub failure: Option<Failure>,
    /// How often each branch that handles a fault was reached, by what it is.
    pub marks: BTreeMap<String, u64>,
    /// Every step, if it was asked for; of a failing seed, those of the shortest night.
    pub trace: Vec<String>,
}

/// A seed that fails.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct Failure {
    /// The seed.
    pub seed: u64,
    /// Which invariant does not hold.
    pub invariant: String,
    /// How.
    pub what: String,
    /// The shortest plan that fails in the same way.
    pub plan: Vec<String>,
}

impl SimulationReport {
    /// Whether every invariant holds.
    pub fn holds(&self) -> bool {
        self.failure.is_none()
    }
}

/// Runs so many seeds from `first` on, on all cores.
///
/// # Errors
/// If the country cannot be made: a fault of the program.
pub fn run(first: u64, seeds: u64, trace: bool) -> anyhow::Result<SimulationReport> {
    let country = Country::new()?;
    let last = first.saturating_add(seeds);
    let run = |seed| (seed, Night::of(&country, seed).run(&country, trace && seeds == 1));
    let none = || (0_u64, Marks::default(), None::<u64>, Vec::new());
    let add = |(steps, mut marks, failed, trace): (u64, Marks, Option<u64>, Vec<String>),
               (seed, one): (u64, Outcome)| {
        marks.add(&one.marks);
        let fails = one.violation.is_some().then_some(seed);
        let failed = failed.into_iter().chain(fails).min();
        (steps + one.steps, marks, failed, if one.trace.is_empty() { trace } else { one.trace })
    };
    let join = |(steps, mut marks, failed, trace): (u64, Marks, Option<u64>, Vec<String>),
                other: (u64, Marks, Option<u64>, Vec<String>)| {
        marks.add(&other.1);
        let trace = if trace.is_empty() { other.3 } else { trace };
        (steps + other.0, marks, failed.into_iter().chain(other.2).min(), trace)
    };
    let (steps, marks, failed, mut lines) = (first..last).into_par_iter().map(run).fold(none, add).reduce(none, join);
    let shortest = failed.and_then(|seed| Some((seed, shrink(&country, &Night::of(&country, seed))?)));
    let failure = shortest.map(|(seed, shrunk)| {
        let violation = shrunk.report.violation;
        if trace {
            lines = shrunk.report.trace;
        }
        let invariant = violation.as_ref().map(|found| format!("{:?}", found.invariant)).unwrap_or_default();
        Failure {
            seed,
            invariant,
            what: violation.map(|found| found.what).unwrap_or_default(),
            plan: shrunk.night.plan(),
        }
    });
    let marks = Mark::ALL.iter().map(|mark| (mark.text().to_owned(), marks.of(*mark))).collect();
    Ok(SimulationReport { seed: first, seeds, steps, failure, marks, trace: lines })
}

impl Report for SimulationReport {
    fn write_text(&self, out: &mut dyn fmt::Write) -> fmt::Result {
        self.trace.iter().try_for_each(|line| writeln!(out, "{line}"))?;
        let reached = self.marks.values().filter(|times| **times > 0).count();
        writeln!(
            out,
            "seeds {} to {}: {} steps; {reached} of {} marks reached",
            self.seed,
            self.seed.saturating_add(self.seeds).saturating_sub(1),
            self.steps,
            self.marks.len()
        )?;
        let Some(Failure { seed, invariant, what, plan }) = &self.failure else {
            return writeln!(out, "every invariant holds");
        };
        writeln!(out, "seed {seed} fails: {invariant}: {what}\nthe shortest night that fails in the same way:")?;
        plan.iter().try_for_each(|line| writeln!(out, "  {line}"))?;
        writeln!(out, "replay it with: tallyproof drill --seed {seed} --trace")
    }
}
