//! `tallyproof drill`: a rehearsal under attack, by a script.

use std::path::PathBuf;

use anyhow::Context;
use schemars::{Schema, schema_for};

use crate::drill::{self, DrillPlan, DrillReport};
use crate::{Exit, Printer};

/// Arguments of the command.
#[derive(Debug, clap::Args)]
#[command(after_help = "Example:\n  tallyproof drill examples/drills/smoke.toml\n\n\
    docs/guide/drills.md explains scripts and reports.")]
pub struct Args {
    /// The drill's script
    pub script: PathBuf,
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
    let Args { script, bundle, report, without_attack } = args;
    let program = std::env::current_exe().context("this program cannot be found, to start it as the drill's centre")?;
    let report = drill::run(&DrillPlan { script, bundle, report, without_attack, program }, printer)?;
    printer.report(&report);
    Ok(Exit::from_holds(report.holds()))
}

/// The JSON Schemas of the command's results.
pub fn schemas() -> Vec<(&'static str, Schema)> {
    vec![("drill", schema_for!(DrillReport))]
}
