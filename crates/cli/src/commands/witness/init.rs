//! `tallyproof witness init`: the keys of a witness, and what it is a witness of.

use std::fmt;
use std::path::PathBuf;

use anyhow::bail;
use schemars::JsonSchema;
use serde::Serialize;
use tallyproof_log::note::{KeyName, VerifierKey};

use crate::commands::verify::read_trust;
use crate::witness::{self, NewWitness};
use crate::{Exit, Printer, Report};

/// Arguments of `tallyproof witness init`.
#[derive(Debug, clap::Args)]
#[command(after_help = "Example:\n  \
    tallyproof witness init party-a --name party-a.example/witness --trust trust.toml --from https://results.example/2026")]
pub(super) struct Args {
    /// New folder of the witness
    #[arg(value_name = "DIR")]
    folder: PathBuf,
    /// Name of the witness's key, such as party-a.example/witness; no other witness has it
    #[arg(long, value_name = "NAME")]
    name: KeyName,
    /// The log's verifier key
    #[arg(long, value_name = "VKEY", conflicts_with = "trust", required_unless_present = "trust")]
    log: Option<VerifierKey>,
    /// File with the definition hash and the log's key, from outside the bundle
    #[arg(long, value_name = "FILE")]
    trust: Option<PathBuf>,
    /// Folder or URL of the log's bundle; may be repeated, where there are mirrors or other copies
    #[arg(long, value_name = "BUNDLE", required = true)]
    from: Vec<String>,
    /// Make an ML-DSA-44 key too; a policy lists it as a second witness
    #[arg(long)]
    ml_dsa: bool,
}

/// The witness made.
#[derive(Debug, Serialize, JsonSchema)]
pub(super) struct InitReport {
    /// C2SP verifier keys of the witness, for the policy: the Ed25519 key first.
    keys: Vec<String>,
    /// C2SP verifier key of the log, pinned.
    log: String,
    /// Definition hash, pinned.
    definition: String,
    /// Whether the definition hash was given from outside, and not by the bundle itself.
    anchored: bool,
    /// The witness's folder.
    folder: String,
}

impl Report for InitReport {
    fn write_text(&self, out: &mut dyn fmt::Write) -> fmt::Result {
        writeln!(out, "made the witness {} (keep its keys secret, and never copy its state)", self.folder)?;
        writeln!(out, "log {}", self.log)?;
        let source = if self.anchored {
            "as trusted"
        } else {
            "as the bundle states it: compare it with what was published on paper"
        };
        writeln!(out, "definition {} ({source})", self.definition)?;
        writeln!(
            out,
            "\nThe witness's verifier keys. They go into the policy, a line `witness <name> <key> <url>` each:\n"
        )?;
        self.keys.iter().try_for_each(|key| writeln!(out, "{key}"))
    }
}

pub(super) fn run(args: Args, printer: &mut Printer) -> anyhow::Result<Exit> {
    let (log, definition) = match (args.log, args.trust) {
        (Some(log), _) => (log, None),
        (None, Some(path)) => {
            let trust = read_trust(&path)?;
            (trust.log, Some(trust.definition))
        }
        (None, None) => bail!("give the log's verifier key with --log or --trust"),
    };
    let (folder, anchored) = (args.folder.display().to_string(), definition.is_some());
    let new =
        NewWitness { folder: args.folder, name: args.name, log, definition, from: args.from, ml_dsa: args.ml_dsa };
    let made = witness::init(&new)?;
    printer.report(&InitReport {
        keys: made.keys.iter().map(ToString::to_string).collect(),
        log: new.log.to_string(),
        definition: made.definition.to_string(),
        anchored,
        folder,
    });
    Ok(Exit::Holds)
}
