//! `tallyproof station`: seal a polling station's records and bring them to the centre.

mod receipt;
mod seal;
mod send;
mod status;

use clap::Subcommand;
use schemars::{Schema, schema_for};

use crate::{Exit, Printer};

/// Arguments of `tallyproof station`.
#[derive(Debug, clap::Args)]
#[command(after_help = "Example:\n  \
    tallyproof station seal --pack station-17.toml --election published --queue queue\n  \
    tallyproof station send --pack station-17.toml --queue queue\n  \
    tallyproof station receipt --pack station-17.toml --queue queue --from https://results.example/2026")]
pub struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Enter or load a count and seal it into the queue
    Seal(seal::Args),
    /// Send the queue until every record has its receipt
    Send(send::Args),
    /// Fetch the proof that every record is in the log, from any copy of the bundle
    Receipt(receipt::Args),
    /// Show what is sealed and what has its receipts
    Status(status::Args),
}

/// Runs `tallyproof station`.
pub fn run(args: Args, printer: &mut Printer) -> anyhow::Result<Exit> {
    match args.command {
        Command::Seal(args) => seal::run(&args, printer),
        Command::Send(args) => send::run(&args, printer),
        Command::Receipt(args) => receipt::run(&args, printer),
        Command::Status(args) => status::run(&args, printer),
    }
}

/// The JSON Schemas of the command's results.
pub fn schemas() -> Vec<(&'static str, Schema)> {
    vec![
        ("station-receipt", schema_for!(receipt::ReceiptReport)),
        ("station-seal", schema_for!(seal::SealReport)),
        ("station-send", schema_for!(send::SendReport)),
        ("station-status", schema_for!(status::StatusReport)),
    ]
}
