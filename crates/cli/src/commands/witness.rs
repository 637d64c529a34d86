//! `tallyproof witness`: an independent copy of a log.

mod init;
mod poll;
mod serve;

use clap::Subcommand;
use schemars::{Schema, schema_for};

use crate::witness::WitnessStatus;
use crate::{Exit, Printer};

/// Arguments of `tallyproof witness`.
#[derive(Debug, clap::Args)]
#[command(after_help = "Example:\n  \
    tallyproof witness init party-a --name party-a.example/witness --trust trust.toml --from https://results.example/2026\n  \
    tallyproof witness serve party-a --listen 0.0.0.0:7430\n\n\
    docs/operate/witness.md says who runs one, and what to do when it raises an alarm.")]
pub struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Make a witness: its keys, and which log and election it is of
    Init(init::Args),
    /// Follow the log, and answer it with cosignatures
    Serve(serve::Args),
    /// Follow the log once, and cosign what holds: for a witness that nobody can reach
    Poll(poll::Args),
}

/// Runs `tallyproof witness`.
pub fn run(args: Args, printer: &mut Printer) -> anyhow::Result<Exit> {
    match args.command {
        Command::Init(args) => init::run(args, printer),
        Command::Serve(args) => serve::run(args, printer),
        Command::Poll(args) => poll::run(&args, printer),
    }
}

/// The JSON Schemas of the command's results.
pub fn schemas() -> Vec<(&'static str, Schema)> {
    vec![
        ("witness-init", schema_for!(init::InitReport)),
        ("witness-serve", schema_for!(serve::Listening)),
        ("witness-poll", schema_for!(poll::PollReport)),
        ("witness-status", schema_for!(WitnessStatus)),
    ]
}
