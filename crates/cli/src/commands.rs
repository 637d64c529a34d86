//! The commands. Each module has `Args` (what clap parses), `run` (what it does) and `schemas` (its JSON results).

pub mod agent;
pub mod authority;
pub mod centre;
pub mod drill;
pub mod election;
pub mod generate_docs;
pub mod import;
pub mod night;
pub mod relay;
pub mod statement;
pub mod station;
pub mod verify;

use clap::Subcommand;
use schemars::Schema;

use crate::{Exit, Printer};

/// What to do.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Define an election: check it, show it, enrol its stations
    Election(election::Args),
    /// The electoral authority: make the key of one of its members
    Authority(authority::Args),
    /// A party's agent, an observer or an officer: make the key to endorse records with
    Agent(agent::Args),
    /// Draft, sign and hand in corrections, key changes, endorsements, policies and bulletins
    Statement(Box<statement::Args>),
    /// At the polling station: seal a tally record and send it until a receipt comes
    Station(station::Args),
    /// Run the totalisation centre
    Centre(centre::Args),
    /// Take sealed records for others and send them on
    Relay(Box<relay::Args>),
    /// Redo everything that a bundle claims
    Verify(verify::Args),
    /// Turn published tables into an election package
    Import(import::Args),
    /// Run a whole election night on this machine, then verify its bundle
    Night(Box<night::Args>),
    /// Rehearse a night under attack on this machine, by a script
    Drill(drill::Args),
    /// Write the documents that are generated from this program
    #[command(hide = true)]
    GenerateDocs(generate_docs::Args),
}

impl Command {
    /// Runs the command.
    pub fn run(self, printer: &mut Printer) -> anyhow::Result<Exit> {
        match self {
            Self::Election(args) => election::run(args, printer),
            Self::Authority(args) => authority::run(&args, printer),
            Self::Agent(args) => agent::run(&args, printer),
            Self::Statement(args) => statement::run(*args, printer),
            Self::Station(args) => station::run(args, printer),
            Self::Centre(args) => centre::run(args, printer),
            Self::Relay(args) => relay::run(*args, printer),
            Self::Verify(args) => verify::run(&args, printer),
            Self::Import(args) => import::run(&args, printer),
            Self::Night(args) => night::run(*args, printer),
            Self::Drill(args) => drill::run(args, printer),
            Self::GenerateDocs(args) => generate_docs::run(&args, printer),
        }
    }
}

/// The JSON Schema of every command's result, by the name of its file in `docs/schema/`.
pub fn schemas() -> Vec<(&'static str, Schema)> {
    let mut schemas = vec![("error", schemars::schema_for!(crate::printer::ErrorReport))];
    schemas.extend(election::schemas());
    schemas.extend(authority::schemas());
    schemas.extend(agent::schemas());
    schemas.extend(statement::schemas());
    schemas.extend(station::schemas());
    schemas.extend(centre::schemas());
    schemas.extend(relay::schemas());
    schemas.extend(verify::schemas());
    schemas.extend(import::schemas());
    schemas.extend(night::schemas());
    schemas.extend(drill::schemas());
    schemas
}
