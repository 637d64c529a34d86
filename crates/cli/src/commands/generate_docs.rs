//! `tallyproof generate-docs`: the documents that follow from the program.

use std::fmt;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::Context;
use clap_complete::Shell;
use schemars::{JsonSchema, Schema, schema_for};
use serde::Serialize;

use crate::{Exit, Printer, Report, docs};

/// Arguments of `tallyproof generate-docs`.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Example:\n  tallyproof generate-docs docs --check\n  tallyproof generate-docs docs --man target/man\n\n\
    Ends with 1 if --check finds a document that is not up to date."
)]
pub struct Args {
    /// Folder of the documents
    #[arg(value_name = "DIR")]
    docs: PathBuf,
    /// Change nothing; only say which documents are not up to date
    #[arg(long)]
    check: bool,
    /// Also write man pages and shell completions into this folder
    #[arg(long, value_name = "DIR", conflicts_with = "check")]
    man: Option<PathBuf>,
}

/// Result of `tallyproof generate-docs`.
#[derive(Debug, Serialize, JsonSchema)]
struct DocsReport {
    /// Documents that were not up to date.
    stale: Vec<String>,
    /// Whether they were written.
    written: bool,
}

impl Report for DocsReport {
    fn write_text(&self, out: &mut dyn fmt::Write) -> fmt::Result {
        let what = if self.written { "written" } else { "not up to date; run `tallyproof generate-docs docs`" };
        self.stale.iter().try_for_each(|path| writeln!(out, "{path}: {what}"))
    }
}

/// Runs `tallyproof generate-docs`.
pub fn run(args: &Args, printer: &mut Printer) -> anyhow::Result<Exit> {
    let mut stale = Vec::new();
    for (path, text) in docs::documents()? {
        let place = args.docs.join(&path);
        if fs::read_to_string(&place).is_ok_and(|found| found == text) {
            continue;
        }
        if !args.check {
            write(&place, text.as_bytes())?;
        }
        stale.push(path);
    }
    if let Some(folder) = &args.man {
        write_man(folder)?;
    }
    let holds = stale.is_empty() || !args.check;
    printer.report(&DocsReport { stale, written: !args.check });
    Ok(Exit::from_holds(holds))
}

fn write_man(folder: &Path) -> anyhow::Result<()> {
    fs::create_dir_all(folder).with_context(|| format!("cannot make the folder {}", folder.display()))?;
    let mut command = docs::command_line()?;
    clap_mangen::generate_to(command.clone(), folder).context("cannot write the man pages")?;
    for shell in [Shell::Bash, Shell::Fish, Shell::Zsh] {
        clap_complete::generate_to(shell, &mut command, "tallyproof", folder)
            .context("cannot write the completions")?;
    }
    Ok(())
}

fn write(path: &Path, bytes: &[u8]) -> anyhow::Result<()> {
    if let Some(folder) = path.parent() {
        fs::create_dir_all(folder).with_context(|| format!("cannot make the folder {}", folder.display()))?;
    }
    fs::write(path, bytes).with_context(|| format!("cannot write {}", path.display()))
}

/// The JSON Schemas of the command's results.
pub fn schemas() -> Vec<(&'static str, Schema)> {
    vec![("generate-docs", schema_for!(DocsReport))]
}
