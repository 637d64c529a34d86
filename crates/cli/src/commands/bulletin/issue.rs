//! `tallyproof bulletin issue`: from the members' copies to the centre.

use std::fmt;
use std::path::PathBuf;

use anyhow::{Context, bail, ensure};
use schemars::JsonSchema;
use serde::Serialize;
use tallyproof_record::statement::{Act, Signed};

use crate::commands::statement::submit::{Delivery, SubmitReport};
use crate::statement::Paper;
use crate::statement::paper::create;
use crate::statement::signatures::Signatures;
use crate::{Exit, Printer, Report, files, package};

/// Arguments of `tallyproof bulletin issue`.
#[derive(Debug, clap::Args)]
#[command(after_help = "Example:\n  \
    tallyproof bulletin issue chair.statement clerk.statement --election published --to https://centre.example --out 1.statement\n\n\
    Ends with 1 if signatures are missing (then nothing is written or handed in), or if the centre refused it.")]
pub(super) struct Args {
    /// The members' signed copies of one draft
    #[arg(value_name = "FILE", required = true)]
    files: Vec<PathBuf>,
    /// Folder of the published election package
    #[arg(long, value_name = "DIR")]
    election: PathBuf,
    /// File for the copy with all signatures; the receipt goes beside it
    #[arg(long, value_name = "FILE")]
    out: PathBuf,
    #[command(flatten)]
    delivery: Delivery,
}

/// Result of `tallyproof bulletin issue`.
#[derive(Debug, Serialize, JsonSchema)]
pub(super) struct IssueReport {
    /// The bulletin's number.
    number: u32,
    /// Log entries that it is made from.
    tree_size: u64,
    /// The statement's identity.
    id: String,
    /// Who has signed.
    signatures: Signatures,
    /// The copy with all signatures; null if signatures are missing.
    file: Option<String>,
    /// What the centre said; null if signatures are missing.
    submitted: Option<SubmitReport>,
}

impl Report for IssueReport {
    fn write_text(&self, out: &mut dyn fmt::Write) -> fmt::Result {
        write!(out, "{}", self.signatures.text())?;
        match &self.submitted {
            None => writeln!(
                out,
                "bulletin {} is not issued: of {} signatures that it needs, {} are missing; add the copies of more members",
                self.number, self.signatures.needed, self.signatures.missing
            ),
            Some(submitted) => submitted.write_text(out),
        }
    }
}

pub(super) fn run(args: &Args, printer: &mut Printer) -> anyhow::Result<Exit> {
    let election = package::load(&args.election)?.election.commit();
    let signed = merged(&args.files)?;
    let Act::Bulletin(stated) = signed.statement().act else {
        bail!("this is no bulletin; hand it in with `tallyproof statement submit`");
    };
    let signatures = Signatures::of(&election, &signed, None)?;
    let complete = signatures.missing == 0;
    let submitted = if complete {
        keep(args, &signed)?;
        Some(args.delivery.hand_in(&signed, &args.out)?)
    } else {
        None
    };
    let issued = submitted.as_ref().is_some_and(|submitted| submitted.taken);
    printer.report(&IssueReport {
        number: stated.number,
        tree_size: stated.tree_size,
        id: hex::encode(signed.id()),
        signatures,
        file: complete.then(|| args.out.display().to_string()),
        submitted,
    });
    Ok(Exit::from_holds(issued))
}

fn merged(paths: &[PathBuf]) -> anyhow::Result<Signed> {
    let (first, others) = paths.split_first().context("name the copies")?;
    let mut merged = Paper::read_signed(first)?;
    for path in others {
        let copy = Paper::read_signed(path)?;
        merged.merge(&copy).with_context(|| format!("{} cannot be merged", path.display()))?;
    }
    Ok(merged)
}

/// Writes the merged copy. An attempt that failed on its way to the centre has written it already.
fn keep(args: &Args, signed: &Signed) -> anyhow::Result<()> {
    let bytes = signed.to_bytes();
    if args.out.exists() {
        let found = files::read(&args.out, bytes.len() as u64).ok();
        ensure!(found == Some(bytes), "{} exists and holds something else; name another file", args.out.display());
        return Ok(());
    }
    create(&args.out, &bytes)
}
