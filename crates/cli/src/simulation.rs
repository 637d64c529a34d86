//! Seeds of the simulated country: many at once, or one with its trace.

use std::collections::BTreeMap;
use std::fmt;

use rayon::prelude::*;
use schemars::JsonSchema;
use serde::Serialize;
use tallyproof_drill::sim::{Countries, Mark, Marks, Night, Report as Outcome, Shrunk, Violation, shrink};

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

/// What came of some of the seeds.
#[derive(Default)]
struct Tally {
    steps: u64,
    marks: Marks,
    failed: Option<u64>,
}

impl Tally {
    fn of(seed: u64, outcome: &Outcome) -> Self {
        let failed = outcome.violation.is_some().then_some(seed);
        Self { steps: outcome.steps, marks: outcome.marks.clone(), failed }
    }

    fn and(mut self, Self { steps, marks, failed }: Self) -> Self {
        self.marks.add(&marks);
        self.steps = self.steps.saturating_add(steps);
        self.failed = self.failed.into_iter().chain(failed).min();
        self
    }
}

/// Runs so many seeds from `first` on, on all cores; with `trace`, tells the steps of the one that fails, or of the first.
///
/// # Errors
/// If the country cannot be made: a fault of the program.
pub fn run(first: u64, seeds: u64, trace: bool) -> anyhow::Result<SimulationReport> {
    let countries = Countries::new()?;
    let run = |seed| Tally::of(seed, &Night::of(&countries, seed).run(&countries, false));
    let nights = first..first.saturating_add(seeds);
    let tally = nights.into_par_iter().map(run).reduce(Tally::default, Tally::and);
    let marks = Mark::ALL.iter().map(|mark| (mark.text().to_owned(), tally.marks.of(*mark))).collect();
    let mut report =
        SimulationReport { seed: first, seeds, steps: tally.steps, failure: None, marks, trace: Vec::new() };
    let shrunk = tally.failed.and_then(|seed| Some((seed, shrink(&countries, &Night::of(&countries, seed))?)));
    if let Some((seed, Shrunk { night, report: outcome })) = shrunk {
        report.failure = outcome.violation.map(|found| Failure::of(seed, &found, night.plan()));
        report.trace = outcome.trace;
    } else if trace {
        report.trace = Night::of(&countries, first).run(&countries, true).trace;
    }
    if !trace {
        report.trace.clear();
    }
    Ok(report)
}

impl Failure {
    fn of(seed: u64, violation: &Violation, plan: Vec<String>) -> Self {
        Self { seed, invariant: format!("{:?}", violation.invariant), what: violation.what.clone(), plan }
    }
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
