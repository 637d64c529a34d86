//! `tallyproof election synth`: the plain files of a made-up election.

use std::fmt;
use std::path::PathBuf;

use anyhow::ensure;
use schemars::JsonSchema;
use serde::Serialize;
use tallyproof_drill::synthetic::{self, Made, RECIPE_FILE};
use tallyproof_record::definition::results;

use crate::package::{self, RESULTS_FILE, refusal};
use crate::table::grouped;
use crate::{Exit, Printer, Report};

/// Arguments of `tallyproof election synth`.
#[derive(Debug, clap::Args)]
#[command(after_help = "Example:\n  tallyproof election synth examples/mega --out mega\n\n\
    Every command that reads a package reads one with a recipe too, and makes these files in memory. The same recipe gives the \
    same files everywhere.")]
pub(super) struct Args {
    /// Folder with election.toml and the recipe synthetic.toml
    #[arg(value_name = "DIR")]
    election: PathBuf,
    /// New folder for the files
    #[arg(long, value_name = "DIR")]
    out: PathBuf,
}

/// Result of `tallyproof election synth`.
#[derive(Debug, Serialize, JsonSchema)]
pub(super) struct Written {
    /// Folder of the package.
    out: String,
    /// Definition hash.
    definition: String,
    stations: u64,
    contests: u64,
    /// Rows of `results.csv`.
    results: u64,
}

impl Report for Written {
    fn write_text(&self, out: &mut dyn fmt::Write) -> fmt::Result {
        let [stations, contests, results] = [self.stations, self.contests, self.results].map(grouped);
        writeln!(out, "{stations} stations, {contests} contests and {results} rows of figures in {}", self.out)?;
        writeln!(out, "definition {}", self.definition)
    }
}

pub(super) fn run(args: &Args, printer: &mut Printer) -> anyhow::Result<Exit> {
    let found = package::read(&args.election)?;
    let shown = args.election.display();
    ensure!(found.contains_key(RECIPE_FILE), "{shown} has no {RECIPE_FILE}; its files are plain already");
    let refused = |problems: Vec<_>| refusal(format!("{shown} is not a valid election package"), &problems);
    let Made { files, results } = synthetic::expand(&found).map_err(refused)?;
    let election = package::check(&files).map_err(refused)?.election;
    package::new_folder(&args.out)?;
    let figures = results::render(&results, &election);
    let plain = files.iter().map(|(name, bytes)| (name.as_str(), bytes.as_slice()));
    package::write(&args.out, plain.chain([(RESULTS_FILE, figures.as_slice())]))?;
    printer.report(&Written {
        out: args.out.display().to_string(),
        stations: election.stations().len() as u64,
        contests: election.contests().len() as u64,
        results: results.len() as u64,
        definition: election.commit().hash().to_string(),
    });
    Ok(Exit::Holds)
}
