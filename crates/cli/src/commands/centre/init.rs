//! `tallyproof centre init`: the keys of a centre.

use std::fmt;
use std::path::PathBuf;

use schemars::JsonSchema;
use serde::Serialize;

use crate::centre::{self, CentreKeys};
use crate::{Exit, Printer, Report};

/// Arguments of `tallyproof centre init`.
#[derive(Debug, clap::Args)]
#[command(after_help = "Example:\n  tallyproof centre init --keys keys --origin log.example/2026")]
pub(super) struct Args {
    /// Folder for the keys; existing keys are never replaced
    #[arg(long, value_name = "DIR")]
    keys: PathBuf,
    /// Name of the log, such as log.example/2026; it stands in every checkpoint
    #[arg(long, value_name = "NAME")]
    origin: String,
}

/// The keys made.
#[derive(Debug, Serialize, JsonSchema)]
pub(super) struct InitReport {
    /// C2SP verifier key of the log: publish it before polling, by ways that the centre's machines have no part in.
    log: String,
    /// Files written; they are for their owner alone.
    files: Vec<String>,
}

impl Report for InitReport {
    fn write_text(&self, out: &mut dyn fmt::Write) -> fmt::Result {
        writeln!(out, "made {} (keep them secret, and a copy apart)", self.files.join(" and "))?;
        writeln!(
            out,
            "\nThe log's verifier key. Publish it before polling (newspaper, parties, paper); it goes into the trust file:\n"
        )?;
        writeln!(out, "log = \"{}\"", self.log)
    }
}

pub(super) fn run(args: &Args, printer: &mut Printer) -> anyhow::Result<Exit> {
    let keys = CentreKeys::generate(&args.origin)?;
    keys.create(&args.keys)?;
    let files = [centre::LOG_KEY_FILE, centre::MAC_KEY_FILE].map(|name| args.keys.join(name).display().to_string());
    printer.report(&InitReport { log: keys.verifier().to_string(), files: files.into() });
    Ok(Exit::Holds)
}
