//! `tallyproof statement sign`: one person's signature, after the person has read what is signed.

use std::fmt;
use std::io::{self, BufRead, IsTerminal, Write};
use std::path::PathBuf;

use anyhow::{bail, ensure};
use schemars::JsonSchema;
use serde::Serialize;

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
pub(super) struct SignReport {
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
    let paper = Paper::read(&args.file)?;
    let says = paper.describe(&election)?;
    let signer = SignatoryKey::read(&args.key)?;
    printer.note(format_args!("{says}"));
    if !args.yes {
        confirm(&signer)?;
    }
    let id = paper.id();
    let signed = paper.sign(&signer.key)?;
    let signatures = Signatures::of(&election, &signed, None)?;
    create(&args.out, &signed.to_bytes())?;
    printer.report(&SignReport { id: hex::encode(id), file: args.out.display().to_string(), signatures });
    Ok(Exit::Holds)
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
