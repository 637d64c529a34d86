//! `tallyproof election`: define an election.

mod check;
mod enrol;
mod repack;
mod show;
mod synth;

use clap::Subcommand;
use schemars::{Schema, schema_for};

use crate::{Exit, Printer};

/// Arguments of `tallyproof election`.
#[derive(Debug, clap::Args)]
#[command(after_help = "Example:\n  tallyproof election check fixtures/tiny")]
pub struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Report every mistake of an election package, with its file, line and fix
    Check(check::Args),
    /// Show what an election package defines
    Show(show::Args),
    /// Make every station's keys and pack, and the package that is published
    Enrol(enrol::Args),
    /// Make a new key and pack for a station that has lost its own; the log has to enrol the key
    Repack(repack::Args),
    /// Write the plain files that a package with a recipe stands for
    Synth(synth::Args),
}

/// Runs `tallyproof election`.
pub fn run(args: Args, printer: &mut Printer) -> anyhow::Result<Exit> {
    match args.command {
        Command::Check(args) => check::run(&args, printer),
        Command::Show(args) => show::run(&args, printer),
        Command::Enrol(args) => enrol::run(&args, printer),
        Command::Repack(args) => repack::run(&args, printer),
        Command::Synth(args) => synth::run(&args, printer),
    }
}

/// The JSON Schemas of the command's results.
pub fn schemas() -> Vec<(&'static str, Schema)> {
    vec![
        ("election-check", schema_for!(check::Found)),
        ("election-show", schema_for!(show::Summary)),
        ("election-enrol", schema_for!(enrol::Enrolled)),
        ("election-repack", schema_for!(repack::Repacked)),
        ("election-synth", schema_for!(synth::Written)),
    ]
}
