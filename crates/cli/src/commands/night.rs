//! Not there yet.

use schemars::Schema;

use crate::{Exit, Printer};

/// Arguments of the command.
#[derive(Debug, clap::Args)]
#[command(after_help = "Example:\n  tallyproof --help")]
pub struct Args {}

/// Runs the command.
#[expect(clippy::needless_pass_by_value, reason = "the arguments are consumed")]
pub fn run(_args: Args, _printer: &mut Printer) -> anyhow::Result<Exit> {
    anyhow::bail!("this command is not there yet")
}

/// The JSON Schemas of the command's results.
pub fn schemas() -> Vec<(&'static str, Schema)> {
    Vec::new()
}
