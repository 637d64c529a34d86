//! `tallyproof election show`: what a package defines.

use std::fmt;
use std::path::PathBuf;

use schemars::JsonSchema;
use serde::Serialize;
use tallyproof_record::Election;
use tallyproof_record::definition::{Contest, StationKind};

use crate::table::{self, grouped};
use crate::{Exit, Printer, Report, package};

/// Arguments of `tallyproof election show`.
#[derive(Debug, clap::Args)]
#[command(after_help = "Example:\n  tallyproof election show fixtures/guanajuato-2012")]
pub(super) struct Args {
    /// Folder of the election package
    #[arg(value_name = "DIR")]
    election: PathBuf,
}

/// Result of `tallyproof election show`.
#[derive(Debug, Serialize, JsonSchema)]
pub(super) struct Summary {
    id: String,
    name: String,
    /// Day of the poll.
    date: String,
    /// `drill` or `official`.
    phase: String,
    /// Where the figures come from, where the package says.
    source: Option<String>,
    /// Definition hash.
    definition: String,
    stations: u64,
    /// Stations with a key.
    enrolled: u64,
    /// Stations without a roll of their own.
    special: u64,
    /// Voters on the rolls that are known.
    registered: u64,
    /// Ordinary stations whose roll is not known.
    roll_unknown: u64,
    areas: u64,
    contests: Vec<ContestSummary>,
    /// Rows of `results.csv`; null where the package has none.
    results: Option<u64>,
}

/// One contest.
#[derive(Debug, Serialize, JsonSchema)]
struct ContestSummary {
    id: String,
    name: String,
    /// Area in which it is held.
    area: String,
    /// Stations that vote in it.
    stations: u64,
    lines: u64,
    candidates: u64,
    parties: u64,
}

impl Summary {
    fn new(election: Election, results: Option<usize>) -> Self {
        let stations = election.stations();
        let count = |matches: &dyn Fn(&tallyproof_record::definition::Station) -> bool| {
            stations.iter().filter(|station| matches(station)).count() as u64
        };
        Self {
            id: election.id().to_owned(),
            name: election.name().to_owned(),
            date: election.date().to_owned(),
            phase: election.phase().to_string(),
            source: election.source().map(str::to_owned),
            stations: stations.len() as u64,
            enrolled: count(&|station| station.key.is_some()),
            special: count(&|station| station.kind == StationKind::Special),
            registered: stations.iter().filter_map(|station| station.registered).map(u64::from).sum(),
            roll_unknown: count(&|station| station.kind == StationKind::Ordinary && station.registered.is_none()),
            areas: election.areas().len() as u64,
            contests: election.contests().iter().map(|contest| ContestSummary::new(&election, contest)).collect(),
            results: results.map(|rows| rows as u64),
            definition: election.commit().hash().to_string(),
        }
    }
}

impl ContestSummary {
    fn new(election: &Election, contest: &Contest) -> Self {
        let stations = election.stations().iter().filter(|station| election.holds(station, contest)).count();
        Self {
            id: contest.id.clone(),
            name: contest.name.clone(),
            area: election.areas().get(contest.area).map_or_else(String::new, |area| area.id.clone()),
            stations: stations as u64,
            lines: contest.lines.len() as u64,
            candidates: contest.candidates.len() as u64,
            parties: contest.parties.len() as u64,
        }
    }
}

impl Report for Summary {
    fn write_text(&self, out: &mut dyn fmt::Write) -> fmt::Result {
        writeln!(out, "{} ({})", self.name, self.id)?;
        writeln!(out, "  date        {}", self.date)?;
        writeln!(out, "  phase       {}", self.phase)?;
        let (stations, enrolled) = (grouped(self.stations), grouped(self.enrolled));
        writeln!(out, "  stations    {stations}, of which {enrolled} enrolled and {} special", grouped(self.special))?;
        let unknown = grouped(self.roll_unknown);
        writeln!(out, "  registered  {} voters; roll of {unknown} stations not known", grouped(self.registered))?;
        writeln!(out, "  areas       {}", grouped(self.areas))?;
        match self.results {
            Some(rows) => writeln!(out, "  results     {} rows", grouped(rows))?,
            None => writeln!(out, "  results     none in the package")?,
        }
        writeln!(out, "  definition  {}", self.definition)?;
        if let Some(source) = &self.source {
            writeln!(out, "  source      {source}")?;
        }
        let mut rows = table::new(["contest", "name", "area", "stations", "lines", "candidates", "parties"]);
        for contest in &self.contests {
            let numbers = [contest.stations, contest.lines, contest.candidates, contest.parties].map(grouped);
            rows.add_row([contest.id.clone(), contest.name.clone(), contest.area.clone()].into_iter().chain(numbers));
        }
        table::align_right(&mut rows, 3..7);
        writeln!(out, "\n{rows}")
    }
}

pub(super) fn run(args: &Args, printer: &mut Printer) -> anyhow::Result<Exit> {
    let package = package::load(&args.election)?;
    let rows = package.results.as_ref().map(std::collections::BTreeMap::len);
    printer.report(&Summary::new(package.election, rows));
    Ok(Exit::Holds)
}
