//! Seeds of the simulated country: many at once, or one with its trace.

use std::collections::BTreeMap;
use std::fmt;
use std::fs;
use std::path::Path;

use anyhow::{Context, ensure};
use rayon::prelude::*;
use schemars::JsonSchema;
use serde::Serialize;
use tallyproof_drill::sim::{Case, Countries, Mark, Marks, Night, Report as Outcome, Shrunk, Violation, shrink};

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
    /// The shortest night that fails in the same way, as lines of a file for `--plan`.
    pub plan: Vec<String>,
}

/// From so many seeds on, marks that none reaches are listed.
const MANY: u64 = 100;
/// The longest plan that is read.
const MAX_PLAN: u64 = 1 << 20;

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
    if let Some((_, shrunk)) = shrunk {
        report.fails(shrunk);
    } else if trace {
        report.trace = Night::of(&countries, first).run(&countries, true).trace;
    }
    if !trace {
        report.trace.clear();
    }
    Ok(report)
}

/// Runs the night that a file holds, with the bug that it plants, if it plants one.
///
/// # Errors
/// If the file is none of a night.
pub fn replay(path: &Path, trace: bool) -> anyhow::Result<SimulationReport> {
    let shown = path.display();
    let length = fs::metadata(path).with_context(|| format!("cannot read {shown}"))?.len();
    ensure!(length <= MAX_PLAN, "{shown} is too long for the plan of a night: it has {length} bytes");
    let text = fs::read_to_string(path).with_context(|| format!("cannot read {shown}"))?;
    let countries = Countries::new()?;
    let Case { night, .. } = Case::read(&text, &countries).with_context(|| format!("{shown} is no plan of a night"))?;
    let outcome = night.run(&countries, trace);
    let marks = Mark::ALL.iter().map(|mark| (mark.text().to_owned(), outcome.marks.of(*mark))).collect();
    let mut report = SimulationReport {
        seed: night.seed,
        seeds: 1,
        steps: outcome.steps,
        failure: None,
        marks,
        trace: outcome.trace.clone(),
    };
    if outcome.violation.is_some() {
        report.fails(Shrunk { night, report: outcome });
    }
    if !trace {
        report.trace.clear();
    }
    Ok(report)
}

impl SimulationReport {
    fn fails(&mut self, Shrunk { night, report }: Shrunk) {
        self.failure = report.violation.map(|found| Failure::of(night, &found));
        self.trace = report.trace;
    }
}

impl Failure {
    fn of(night: Night, violation: &Violation) -> Self {
        let (seed, invariant, what) = (night.seed, format!("{:?}", violation.invariant), violation.what.clone());
        let case = Case { night, breaks: None }.to_string();
        Self { seed, invariant, what, plan: case.lines().map(str::to_owned).collect() }
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
        // Of a few seeds most are not reached; of many, each of these is a branch that nobody has seen at work.
        let unreached = self.marks.iter().filter(|(_, times)| self.seeds >= MANY && **times == 0);
        unreached.into_iter().try_for_each(|(mark, _)| writeln!(out, "no seed reaches: {mark}"))?;
        let Some(Failure { seed, invariant, what, plan }) = &self.failure else {
            return writeln!(out, "every invariant holds");
        };
        writeln!(out, "seed {seed} fails: {invariant}: {what}\nthe shortest night that fails in the same way:\n")?;
        plan.iter().try_for_each(|line| writeln!(out, "{line}"))?;
        writeln!(out, "\nkeep it in a file, and replay it with: tallyproof drill --plan FILE --trace")
    }
}
