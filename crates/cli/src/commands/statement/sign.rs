//! `tallyproof statement sign`: one person's signature, after the person has read what is signed.

use std::fmt;
use std::io::{self, BufRead, IsTerminal, Write};
use std::path::PathBuf;

use anyhow::{bail, ensure};
use schemars::JsonSchema;
use serde::Serialize;
use tallyproof_record::definition::Committed;

use crate::statement::paper::create;
use crate::statement::signatures::Signatures;
use crate::statement::{Paper, SignatoryKey};
use crate::{Exit, Printer, Report, package};

/// Arguments of `tallyproof statement sign`.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Example:\n  tallyproof statement sign s17.draft --election published --key chair.key --out chair.statement\n\n\
    Each signer signs on a machine of their own and compares the identity, the last line, with the others by voice: who compares that \
    has compared all. A station endorses with its pack in place of a key file. The file that is signed stays as it is."
)]
pub(super) struct Args {
    /// The draft, or a copy that others have signed
    #[arg(value_name = "FILE")]
    file: PathBuf,
    /// Folder of the published election package
    #[arg(long, value_name = "DIR")]
    election: PathBuf,
    #[command(flatten)]
    signing: Signing,
}

/// Who signs, and where the copy goes.
#[derive(Debug, clap::Args)]
pub(in crate::commands) struct Signing {
    /// Key file of the signer, or a station's pack
    #[arg(long, value_name = "FILE")]
    key: PathBuf,
    /// File for the signed copy
    #[arg(long, value_name = "FILE")]
    out: PathBuf,
    /// Do not ask; what is signed was read before
    #[arg(long)]
    yes: bool,
}

/// Result of `tallyproof statement sign`.
#[derive(Debug, Serialize, JsonSchema)]
pub(in crate::commands) struct SignReport {
    /// Identity of what was signed.
    id: String,
    /// The signed copy.
    file: String,
    /// Who has signed it.
    signatures: Signatures,
}

impl Report for SignReport {
    fn write_text(&self, out: &mut dyn fmt::Write) -> fmt::Result {
        write!(out, "{}", self.signatures.text())?;
        writeln!(out, "written to {}", self.file)
    }
}

pub(super) fn run(args: &Args, printer: &mut Printer) -> anyhow::Result<Exit> {
    let election = package::load(&args.election)?.election.commit();
    let report = sign(Paper::read(&args.file)?, &election, &args.signing, printer)?;
    printer.report(&report);
    Ok(Exit::Holds)
}

/// Shows what is signed, asks, signs, and writes the copy.
pub(in crate::commands) fn sign(
    paper: Paper,
    election: &Committed,
    signing: &Signing,
    printer: &Printer,
) -> anyhow::Result<SignReport> {
    let says = paper.describe(election)?;
    let signer = SignatoryKey::read(&signing.key)?;
    printer.note(format_args!("{says}"));
    if !signing.yes {
        confirm(&signer)?;
    }
    let id = paper.id();
    let signed = paper.sign(&signer.key)?;
    let signatures = Signatures::of(election, &signed, None)?;
    create(&signing.out, &signed.to_bytes())?;
    Ok(SignReport { id: hex::encode(id), file: signing.out.display().to_string(), signatures })
}

fn confirm(signer: &SignatoryKey) -> anyhow::Result<()> {
    let mut input = io::stdin().lock();
    if !io::stdin().is_terminal() {
        bail!("nobody was asked: run the command on a terminal, or give --yes if what is signed was read before");
    }
    write!(io::stderr(), "Sign this as {} {}? Type yes: ", signer.role.as_str(), signer.id)?;
    let mut answer = String::new();
    input.read_line(&mut answer)?;
    ensure!(answer.trim() == "yes", "not signed");
    Ok(())
}
