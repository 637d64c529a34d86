//! Not there yet.

use schemars::Schema;

use crate::{Exit, Printer};

/// Arguments of the command.
#[derive(Debug, clap::Args)]
pub struct Args {}

/// Runs the command.
pub fn run(_args: &Args, _printer: &mut Printer) -> anyhow::Result<Exit> {
    anyhow::bail!("this command is not there yet")
}

/// The JSON Schemas of the command's results.
pub fn schemas() -> Vec<(&'static str, Schema)> {
    Vec::new()
}
