//! `tallyproof centre`: make a centre's keys, run it, hand it the records of a folder, and finish its log.

mod freeze;
mod ingest;
mod init;
mod place;
mod serve;

use clap::Subcommand;
use schemars::{Schema, schema_for};

use crate::centre::StatsReport;
use crate::{Exit, Printer};

/// Arguments of `tallyproof centre`.
#[derive(Debug, clap::Args)]
#[command(after_help = "Example:\n  tallyproof centre init --keys keys --origin log.example/2026\n\n\
    docs/guide/first-election.md goes through a whole election, docs/operate/centre.md says how to run a centre.")]
pub struct Args {
    /// What to do.
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, Subcommand)]
enum Action {
    /// Make the log's key and the MAC secret
    Init(init::Args),
    /// Receive records, give receipts, publish the bundle
    Serve(Box<serve::Args>),
    /// Finish the log: a last checkpoint with the witnesses' quorum, and no record after it
    Freeze(Box<freeze::Args>),
    /// Hand the running centre every record of a folder, such as a USB stick, and put the receipts beside them
    Ingest(Box<ingest::Args>),
}

/// Runs `tallyproof centre`.
pub fn run(args: Args, printer: &mut Printer) -> anyhow::Result<Exit> {
    match args.action {
        Action::Init(args) => init::run(&args, printer),
        Action::Serve(args) => serve::run(*args, printer),
        Action::Freeze(args) => freeze::run(*args, printer),
        Action::Ingest(args) => ingest::run(&args, printer),
    }
}

/// The JSON Schemas of the commands' results, and of `GET /stats` on the private port.
pub fn schemas() -> Vec<(&'static str, Schema)> {
    vec![
        ("centre-init", schema_for!(init::InitReport)),
        ("centre-serve", schema_for!(serve::Listening)),
        ("centre-freeze", schema_for!(freeze::FreezeReport)),
        ("centre-ingest", schema_for!(ingest::IngestReport)),
        ("centre-stats", schema_for!(StatsReport)),
    ]
}
