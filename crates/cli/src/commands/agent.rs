//! `tallyproof agent`: those who endorse records beside the stations.

use std::fmt;
use std::path::PathBuf;

use clap::Subcommand;
use schemars::{JsonSchema, Schema, schema_for};
use serde::Serialize;

use crate::statement::{Role, SignatoryKey};
use crate::{Exit, Printer, Report};

/// Arguments of `tallyproof agent`.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Example:\n  tallyproof agent init --id observer-7 --name \"Observers, team 7\" --out my-key\n\n\
    docs/guide/corrections.md goes through an endorsement."
)]
pub struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Make the agent's key, on the agent's own machine
    Init(Init),
}

/// Arguments of `tallyproof agent init`.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Example:\n  tallyproof agent init --id observer-7 --name \"Observers, team 7\" --out my-key\n\n\
    The lines printed go into election.toml before the stations are enrolled. Later, the authority can enrol the key in the log: \
    tallyproof statement draft key --agent observer-7 --enrol KEY"
)]
struct Init {
    /// Id of the agent in the definition, in lower-case letters
    #[arg(long, value_name = "ID")]
    id: String,
    /// Name to show; the id if left out
    #[arg(long, value_name = "NAME")]
    name: Option<String>,
    /// Folder for the key; an existing key is never replaced
    #[arg(long, value_name = "DIR")]
    out: PathBuf,
}

/// The key made.
#[derive(Debug, Serialize, JsonSchema)]
struct InitReport {
    /// The agent's id.
    id: String,
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
        writeln!(out, "\nFor election.toml, or for a key statement of the authority:\n")?;
        write!(out, "{}", self.toml)
    }
}

/// Runs `tallyproof agent`.
pub fn run(args: &Args, printer: &mut Printer) -> anyhow::Result<Exit> {
    let Command::Init(args) = &args.command;
    let made = SignatoryKey::generate(Role::Agent, &args.id)?;
    let file = made.create(&args.out)?;
    let name = toml::Value::String(args.name.clone().unwrap_or_else(|| made.id.clone()));
    let toml = format!("[[agent]]\nid = \"{}\"\nname = {name}\nkey = \"{}\"\n", made.id, made.public());
    let file = file.display().to_string();
    printer.report(&InitReport { id: made.id.clone(), key: made.public(), file, toml });
    Ok(Exit::Holds)
}

/// The JSON Schemas of the command's results.
pub fn schemas() -> Vec<(&'static str, Schema)> {
    vec![("agent-init", schema_for!(InitReport))]
}
