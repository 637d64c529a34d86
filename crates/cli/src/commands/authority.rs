//! `tallyproof authority`: the people who sign for the electoral authority.

use std::fmt;
use std::path::PathBuf;

use clap::Subcommand;
use schemars::{JsonSchema, Schema, schema_for};
use serde::Serialize;

use crate::statement::{Role, SignatoryKey};
use crate::{Exit, Printer, Report};

/// Arguments of `tallyproof authority`.
#[derive(Debug, clap::Args)]
#[command(after_help = "Example:\n  tallyproof authority init --name chair --out my-key\n\n\
    docs/guide/corrections.md goes through a correction.")]
pub struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Make the key of one member, on the member's own machine
    Init(Init),
}

/// Arguments of `tallyproof authority init`.
#[derive(Debug, clap::Args)]
#[command(after_help = "Example:\n  tallyproof authority init --name chair --out my-key\n\n\
    The lines printed go into election.toml before the stations are enrolled, beside `threshold`, the number of members that \
    have to sign:\n\n    [authority]\n    threshold = 2")]
struct Init {
    /// Name of the member in the definition: an office or a person, in lower-case letters
    #[arg(long, value_name = "NAME")]
    name: String,
    /// Folder for the key; an existing key is never replaced
    #[arg(long, value_name = "DIR")]
    out: PathBuf,
}

/// The key made.
#[derive(Debug, Serialize, JsonSchema)]
struct InitReport {
    /// The member's name.
    name: String,
    /// The public key.
    key: String,
    /// The secret's file, for its owner alone.
    file: String,
    /// What goes into `election.toml`.
    toml: String,
}

impl Report for InitReport {
    fn write_text(&self, out: &mut dyn fmt::Write) -> fmt::Result {
        writeln!(out, "made {} (keep it secret, and a copy apart)", self.file)?;
        writeln!(out, "\nFor election.toml:\n")?;
        write!(out, "{}", self.toml)
    }
}

/// Runs `tallyproof authority`.
pub fn run(args: &Args, printer: &mut Printer) -> anyhow::Result<Exit> {
    let Command::Init(args) = &args.command;
    let made = SignatoryKey::generate(Role::Member, &args.name)?;
    let file = made.create(&args.out)?;
    let toml = format!("[[authority.member]]\nname = \"{}\"\nkey = \"{}\"\n", made.id, made.public());
    let file = file.display().to_string();
    printer.report(&InitReport { name: made.id.clone(), key: made.public(), file, toml });
    Ok(Exit::Holds)
}

/// The JSON Schemas of the command's results.
pub fn schemas() -> Vec<(&'static str, Schema)> {
    vec![("authority-init", schema_for!(InitReport))]
}
