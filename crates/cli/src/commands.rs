//! The commands. Each module has `Args` (what clap parses), `run` (what it does) and `schemas` (its JSON results).

pub mod agent;
pub mod authority;
pub mod bulletin;
pub mod centre;
pub mod drill;
pub mod election;
pub mod generate_docs;
pub mod import;
pub mod mirror;
pub mod night;
pub mod relay;
pub mod seats;
pub mod settled;
pub mod statement;
pub mod station;
pub mod verify;
pub mod witness;

use std::time::Duration;

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
    /// Draft, sign, issue, show and check bulletins: results at one state of the log
    Bulletin(Box<bulletin::Args>),
    /// Draft, sign and hand in corrections, key changes, endorsements and policies
    Statement(Box<statement::Args>),
    /// At the polling station: seal a tally record and send it until a receipt comes
    Station(station::Args),
    /// Run the totalisation centre
    Centre(centre::Args),
    /// Take sealed records for others and send them on
    Relay(Box<relay::Args>),
    /// Keep an independent copy of a log, recount it, and cosign what holds
    Witness(Box<witness::Args>),
    /// Redo everything that a bundle claims, or check a fork proof
    Verify(verify::Args),
    /// Keep a verified copy of a bundle that any web server can serve
    Mirror(mirror::Args),
    /// Allot seats to lists by their votes
    Seats(seats::Args),
    /// Say whether what is not counted can change an outcome, from published figures
    Settled(settled::Args),
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
            Self::Bulletin(args) => bulletin::run(*args, printer),
            Self::Statement(args) => statement::run(*args, printer),
            Self::Station(args) => station::run(args, printer),
            Self::Centre(args) => centre::run(args, printer),
            Self::Relay(args) => relay::run(*args, printer),
            Self::Witness(args) => witness::run(*args, printer),
            Self::Verify(args) => verify::run(&args, printer),
            Self::Mirror(args) => mirror::run(&args, printer),
            Self::Seats(args) => seats::run(&args, printer),
            Self::Settled(args) => settled::run(&args, printer),
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
    schemas.extend(bulletin::schemas());
    schemas.extend(statement::schemas());
    schemas.extend(station::schemas());
    schemas.extend(centre::schemas());
    schemas.extend(relay::schemas());
    schemas.extend(witness::schemas());
    schemas.extend(verify::schemas());
    schemas.extend(mirror::schemas());
    schemas.extend(seats::schemas());
    schemas.extend(settled::schemas());
    schemas.extend(import::schemas());
    schemas.extend(night::schemas());
    schemas.extend(drill::schemas());
    schemas
}

/// A span of time as an option states it.
fn duration(text: &str) -> Result<Duration, String> {
    let wrong = || format!("`{text}` is not a time; write it as 250ms, 1s or 2m");
    let unit_at = text.find(|c: char| !c.is_ascii_digit()).ok_or_else(wrong)?;
    let (number, unit) = text.split_at(unit_at);
    let number: u64 = number.parse().map_err(|_| wrong())?;
    let millis = match unit {
        "ms" => Some(number),
        "s" => number.checked_mul(1000),
        "m" => number.checked_mul(60_000),
        _ => None,
    };
    millis.filter(|&millis| millis > 0).map(Duration::from_millis).ok_or_else(wrong)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_need_a_unit_and_are_positive() {
        assert_eq!(duration("250ms"), Ok(Duration::from_millis(250)));
        assert_eq!(duration("2m"), Ok(Duration::from_mins(2)));
        for bad in ["", "1", "s", "0s", "1h", "-1s", "1.5s", "99999999999999999999s", "9999999999999999999m"] {
            assert!(duration(bad).is_err(), "{bad}");
        }
    }
}
