//! `tallyproof statement merge`: the signatures of several copies onto one.

use std::fmt;
use std::path::PathBuf;

use anyhow::Context;
use schemars::JsonSchema;
use serde::Serialize;

use crate::statement::Paper;
use crate::statement::paper::create;
use crate::{Exit, Printer, Report};

/// Arguments of `tallyproof statement merge`.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Example:\n  tallyproof statement merge chair.statement clerk.statement --out s17.statement\n\n\
    Copies may as well be handed in one by one: the log counts the signatures of all copies together."
)]
pub(super) struct Args {
    /// Signed copies of one draft
    #[arg(value_name = "FILE", required = true, num_args = 2..)]
    files: Vec<PathBuf>,
    /// File for the copy with all signatures
    #[arg(long, value_name = "FILE")]
    out: PathBuf,
}

/// Result of `tallyproof statement merge`.
#[derive(Debug, Serialize, JsonSchema)]
pub(super) struct MergeReport {
    /// The statement's identity.
    id: String,
    /// The copy with all signatures.
    file: String,
    /// Ids of the keys that have signed it, as the copy says.
    keys: Vec<String>,
}

impl Report for MergeReport {
    fn write_text(&self, out: &mut dyn fmt::Write) -> fmt::Result {
        writeln!(out, "{} signatures on {} in {}", self.keys.len(), self.id, self.file)
    }
}

pub(super) fn run(args: &Args, printer: &mut Printer) -> anyhow::Result<Exit> {
    let (first, others) = args.files.split_first().context("name the copies")?;
    let mut merged = Paper::read_signed(first)?;
    for path in others {
        let copy = Paper::read_signed(path)?;
        merged.merge(&copy).with_context(|| format!("{} cannot be merged", path.display()))?;
    }
    create(&args.out, &merged.to_bytes())?;
    printer.report(&MergeReport {
        id: hex::encode(merged.id()),
        file: args.out.display().to_string(),
        keys: merged.key_ids().map(|key| hex::encode(key.0)).collect(),
    });
    Ok(Exit::Holds)
}
