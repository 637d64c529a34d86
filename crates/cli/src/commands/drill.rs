//! `tallyproof drill`: a rehearsal under attack, by a script; or a simulated country, by a seed.

use std::path::PathBuf;

use anyhow::Context;
use schemars::{Schema, schema_for};

use crate::drill::{self, DrillPlan, DrillReport};
use crate::simulation::{self, SimulationReport};
use crate::{Exit, Printer};

/// Arguments of the command.
#[derive(Debug, clap::Args)]
#[command(after_help = "Example:\n  tallyproof drill examples/drills/smoke.toml\n  \
    tallyproof drill --seed 7 --trace\n\n\
    docs/guide/drills.md explains scripts and reports, docs/guide/simulation.md seeds and traces.")]
pub struct Args {
    /// The drill's script
    #[arg(required_unless_present_any = ["seed", "plan"], conflicts_with_all = ["seed", "plan"])]
    pub script: Option<PathBuf>,
    /// Run a simulated country from this seed instead, in virtual time and with every fault
    #[arg(long, value_name = "N", conflicts_with_all = ["bundle", "report", "without_attack"])]
    pub seed: Option<u64>,
    /// With --seed: run so many seeds, from that one on, on all cores
    #[arg(long, value_name = "COUNT", requires = "seed", default_value_t = 1)]
    pub seeds: u64,
    /// Run the simulated night that is written down in this file, as a seed that fails prints it
    #[arg(long, value_name = "FILE", conflicts_with_all = ["seed", "bundle", "report", "without_attack"])]
    pub plan: Option<PathBuf>,
    /// With --seed or --plan: print what happens, step by step; of a seed that fails, the shortest night that fails in the same way
    #[arg(long, conflicts_with = "script")]
    pub trace: bool,
    /// Folder for the public bundle; an earlier drill's bundle there is replaced [default: bundles/ with the drill's name]
    #[arg(long, value_name = "DIR")]
    pub bundle: Option<PathBuf>,
    /// File for the report as a page [default: beside the bundle, with .drill.html]
    #[arg(long, value_name = "FILE")]
    pub report: Option<PathBuf>,
    /// Leave all attackers out, to have something to compare with
    #[arg(long)]
    pub without_attack: bool,
}

/// Runs the command.
pub fn run(args: Args, printer: &mut Printer) -> anyhow::Result<Exit> {
    let Args { script, seed, seeds, plan, trace, bundle, report, without_attack } = args;
    let Some(script) = script else {
        let report = match plan {
            Some(plan) => simulation::replay(&plan, trace)?,
            None => simulation::run(seed.unwrap_or_default(), seeds, trace)?,
        };
        printer.report(&report);
        return Ok(Exit::from_holds(report.holds()));
    };
    let program = std::env::current_exe().context("this program cannot be found, to start it as the drill's centre")?;
    let report = drill::run(&DrillPlan { script, bundle, report, without_attack, program }, printer)?;
    printer.report(&report);
    Ok(Exit::from_holds(report.holds()))
}

/// The JSON Schemas of the command's results.
pub fn schemas() -> Vec<(&'static str, Schema)> {
    vec![("drill", schema_for!(DrillReport)), ("simulation", schema_for!(SimulationReport))]
}
