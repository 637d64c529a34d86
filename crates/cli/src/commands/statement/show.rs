//! `tallyproof statement show`: what a statement says, and who has signed it.

use std::fmt;
use std::path::PathBuf;

use schemars::JsonSchema;
use serde::Serialize;

use crate::statement::Paper;
use crate::statement::signatures::Signatures;
use crate::statement::verified::verified_bundle;
use crate::{Exit, Printer, Report, package};

/// Arguments of `tallyproof statement show`.
#[derive(Debug, clap::Args)]
#[command(after_help = "Example:\n  tallyproof statement show s17.statement --election published\n  \
    tallyproof statement show s17.statement --election published --bundle https://results.example/2026\n\n\
    With the bundle, signatures in the log and keys that the log brought are counted in, and what keeps the statement from having an \
    effect is said. Ends with 1 if signatures are missing, or a rule is in the way.")]
pub(super) struct Args {
    /// The draft or statement
    #[arg(value_name = "FILE")]
    file: PathBuf,
    /// Folder of the published election package
    #[arg(long, value_name = "DIR")]
    election: PathBuf,
    /// Folder or URL of the election's bundle
    #[arg(long, value_name = "BUNDLE")]
    bundle: Option<String>,
}

/// Result of `tallyproof statement show`.
#[derive(Debug, Serialize, JsonSchema)]
pub(super) struct ShowReport {
    /// What the statement is.
    kind: &'static str,
    /// Its identity: the same for the draft and every signed copy.
    id: String,
    /// What it says, a line each.
    says: Vec<String>,
    /// Who has signed; null for a draft.
    signatures: Option<Signatures>,
}

impl Report for ShowReport {
    fn write_text(&self, out: &mut dyn fmt::Write) -> fmt::Result {
        self.says.iter().try_for_each(|line| writeln!(out, "{line}"))?;
        match &self.signatures {
            Some(signatures) => write!(out, "{}", signatures.text()),
            None => writeln!(out, "a draft: nobody has signed it"),
        }
    }
}

pub(super) fn run(args: &Args, printer: &mut Printer) -> anyhow::Result<Exit> {
    let election = package::load(&args.election)?.election.commit();
    let paper = Paper::read(&args.file)?;
    let says = paper.describe(&election)?;
    let bundle = args.bundle.as_deref().map(|place| verified_bundle(place, &election, printer)).transpose()?;
    let ledger = bundle.as_ref().map(|bundle| &bundle.ledger);
    let signatures = match &paper {
        Paper::Draft(_) => None,
        Paper::Signed(signed) => Some(Signatures::of(&election, signed, ledger)?),
    };
    let holds = signatures.as_ref().is_some_and(|it| it.missing == 0 && it.fault.is_none());
    printer.report(&ShowReport {
        kind: paper.statement().kind().as_str(),
        id: hex::encode(paper.id()),
        says: says.lines().map(str::to_owned).collect(),
        signatures,
    });
    Ok(Exit::from_holds(holds))
}
