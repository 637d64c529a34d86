//! `tallyproof witness init`: the keys of a witness, and what it is a witness of.

use std::fmt;
use std::path::{Path, PathBuf};

use anyhow::bail;
use schemars::JsonSchema;
use serde::Serialize;
use tallyproof_log::note::{KeyName, VerifierKey};
use tallyproof_record::definition::DefinitionHash;

use crate::commands::verify::read_trust;
use crate::witness::{self, NewKeys, NewWitness};
use crate::{Exit, Printer, Report};

/// Arguments of `tallyproof witness init`.
#[derive(Debug, clap::Args)]
#[command(after_help = "Example:\n  \
    tallyproof witness init party-a --name party-a.example/witness\n  \
    tallyproof witness init party-a --trust trust.toml --from https://results.example/2026\n\n\
    The first makes the keys, which go into the election's definition; the second, once the definition is published, makes the \
    witness. Where the definition does not name its witnesses, both can be done at once.")]
pub(super) struct Args {
    /// Folder of the witness: a new one, or one that has its keys and nothing else
    #[arg(value_name = "DIR")]
    folder: PathBuf,
    /// Make keys; the name, such as party-a.example/witness, is that of no other witness
    #[arg(long, value_name = "NAME", required_unless_present = "from")]
    name: Option<KeyName>,
    /// Make an ML-DSA-44 key too; a policy lists it as a second witness
    #[arg(long, requires = "name")]
    ml_dsa: bool,
    /// The log's verifier key
    #[arg(long, value_name = "VKEY", conflicts_with = "trust", requires = "from")]
    log: Option<VerifierKey>,
    /// File with the definition hash and the log's key, from outside the bundle
    #[arg(long, value_name = "FILE", requires = "from")]
    trust: Option<PathBuf>,
    /// Folder or URL of the log's bundle; may be repeated, where there are mirrors or other copies
    #[arg(long, value_name = "BUNDLE")]
    from: Vec<String>,
}

/// The keys or the witness made.
#[derive(Debug, Serialize, JsonSchema)]
pub(super) struct InitReport {
    /// C2SP verifier keys of the witness, for the policy: the Ed25519 key first.
    keys: Vec<String>,
    /// What they witness; nothing as long as there are only keys.
    witness_of: Option<Pinned>,
    /// The witness's folder.
    folder: String,
}

/// What a witness is a witness of.
#[derive(Debug, Serialize, JsonSchema)]
struct Pinned {
    /// C2SP verifier key of the log.
    log: String,
    /// Definition hash.
    definition: String,
    /// Whether the definition hash was given from outside, and not by the bundle itself.
    anchored: bool,
}

impl Report for InitReport {
    fn write_text(&self, out: &mut dyn fmt::Write) -> fmt::Result {
        match &self.witness_of {
            None => writeln!(
                out,
                "made keys in {} (keep them secret); the witness is made once the log is there",
                self.folder
            )?,
            Some(Pinned { log, definition, anchored }) => {
                writeln!(out, "made the witness {} (keep its keys secret, and never copy its state)", self.folder)?;
                writeln!(out, "log {log}")?;
                let source = if *anchored {
                    "as trusted"
                } else {
                    "as the bundle states it: compare it with what was published on paper"
                };
                writeln!(out, "definition {definition} ({source})")?;
            }
        }
        writeln!(
            out,
            "\nThe witness's verifier keys. They go into the policy, a line `witness <name> <key> <url>` each:\n"
        )?;
        self.keys.iter().try_for_each(|key| writeln!(out, "{key}"))
    }
}

pub(super) fn run(args: Args, printer: &mut Printer) -> anyhow::Result<Exit> {
    let folder = args.folder.display().to_string();
    let mut keys = match args.name {
        Some(name) => witness::make_keys(&args.folder, &NewKeys { name, ml_dsa: args.ml_dsa })?,
        None => Vec::new(),
    };
    let mut witness_of = None;
    if !args.from.is_empty() {
        let (log, definition) = pins(args.log, args.trust.as_deref())?;
        let anchored = definition.is_some();
        let new = NewWitness { folder: args.folder, log, definition, from: args.from };
        let made = witness::init(&new)?;
        keys = made.keys;
        witness_of = Some(Pinned { log: new.log.to_string(), definition: made.definition.to_string(), anchored });
    }
    printer.report(&InitReport { keys: keys.iter().map(ToString::to_string).collect(), witness_of, folder });
    Ok(Exit::Holds)
}

fn pins(log: Option<VerifierKey>, trust: Option<&Path>) -> anyhow::Result<(VerifierKey, Option<DefinitionHash>)> {
    match (log, trust) {
        (Some(log), _) => Ok((log, None)),
        (None, Some(path)) => read_trust(path).map(|trust| (trust.log, Some(trust.definition))),
        (None, None) => bail!("give the log's verifier key with --log or --trust"),
    }
}
