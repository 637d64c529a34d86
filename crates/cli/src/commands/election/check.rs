//! `tallyproof election check`: every mistake of a package.

use std::fmt;
use std::path::PathBuf;

use schemars::JsonSchema;
use serde::Serialize;

use crate::package::{self, Package, ProblemRow};
use crate::{Exit, Printer, Report};

/// Arguments of `tallyproof election check`.
#[derive(Debug, clap::Args)]
#[command(after_help = "Example:\n  tallyproof election check fixtures/guanajuato-2012\n\n\
    Ends with 0 if the package has no mistake, 1 if it has, 2 if it cannot be read.")]
pub(super) struct Args {
    /// Folder of the election package
    #[arg(value_name = "DIR")]
    election: PathBuf,
}

/// Result of `tallyproof election check`.
#[derive(Debug, Serialize, JsonSchema)]
pub(super) struct Found {
    /// Whether the package has no mistake.
    ok: bool,
    /// Every mistake found.
    problems: Vec<ProblemRow>,
    /// Stations in the register; null if the package has mistakes.
    stations: Option<u64>,
    /// Contests; null if the package has mistakes.
    contests: Option<u64>,
    /// Definition hash; null if the package has mistakes.
    definition: Option<String>,
}

impl Found {
    fn valid(package: Package) -> Self {
        let election = package.election;
        let (stations, contests) = (election.stations().len() as u64, election.contests().len() as u64);
        let definition = election.commit().hash().to_string();
        Self {
            ok: true,
            problems: Vec::new(),
            stations: Some(stations),
            contests: Some(contests),
            definition: Some(definition),
        }
    }
}

impl Report for Found {
    fn write_text(&self, out: &mut dyn fmt::Write) -> fmt::Result {
        for problem in &self.problems {
            writeln!(out, "{problem}")?;
        }
        match (&self.definition, self.stations, self.contests) {
            (Some(definition), Some(stations), Some(contests)) => {
                writeln!(out, "no mistakes (stations: {stations}, contests: {contests})")?;
                writeln!(out, "definition {definition}")
            }
            _ => writeln!(out, "mistakes: {}", self.problems.len()),
        }
    }
}

pub(super) fn run(args: &Args, printer: &mut Printer) -> anyhow::Result<Exit> {
    let found = match package::check(&package::read(&args.election)?) {
        Ok(package) => Found::valid(package),
        Err(problems) => Found {
            ok: false,
            problems: problems.iter().map(ProblemRow::from).collect(),
            stations: None,
            contests: None,
            definition: None,
        },
    };
    printer.report(&found);
    Ok(Exit::from_holds(found.ok))
}
