//! A rehearsal under attack on this machine: stations, their paths to the centre, attackers, and a centre in a process of
//! its own. The script says who does what when (`docs/guide/drills.md`); afterwards the bundle is verified as an outsider
//! would, and every receipt is held against the log.

mod account;
mod centre;
mod course;
pub mod flood;
mod page;
mod receipts;
mod relays;
mod report;
mod summary;
mod view;
mod watch;

use std::num::NonZeroU32;
use std::path::{Path, PathBuf};

use anyhow::Context;
use rayon::prelude::*;
use tallyproof_drill::hostile;
use tallyproof_drill::network::Chance;
use tallyproof_drill::population::{Part, Population};
use tallyproof_drill::script::{DatagramKind, Electorate, Flood, FloodKind, Script};
use tallyproof_drill::synthetic;
use tallyproof_record::StationNo;
use tallyproof_station::RetryPolicy;

pub use report::{DrillReport, FloodReport, MemoryReport, PathReport, SecondReport};

use crate::bundle_source::Folder;
use crate::field::{Common, Station};
use crate::files::{self, Access};
use crate::night::stage::{self, Stage};
use crate::package::{self, Package};
use crate::printer::Printer;
use account::Account;
use centre::{CentreProcess, Premises};
use flood::Attack;
use relays::Relays;
use summary::Outcome;
use view::View;

/// Stations begin as real ones do, but a drill has no hours to back off.
const RETRY_MS: u64 = 500;
/// A script is a page of text.
const SCRIPT_LIMIT: u64 = 1 << 20;

/// What a drill is made of.
#[derive(Clone, Debug)]
pub struct DrillPlan {
    /// The script.
    pub script: PathBuf,
    /// Where the bundle goes; by default `bundles/` with the drill's name.
    pub bundle: Option<PathBuf>,
    /// Where the report goes as HTML; by default beside the bundle.
    pub report: Option<PathBuf>,
    /// Leave all attackers out, to have something to compare with.
    pub without_attack: bool,
    /// The binary to start as the centre.
    pub program: PathBuf,
}

/// Runs the drill, verifies its bundle, and writes its report.
pub fn run(plan: &DrillPlan, printer: &Printer) -> anyhow::Result<DrillReport> {
    let script = read_script(plan)?;
    let package = electorate(&script, &plan.script)?;
    let results = package.results.context("the package has no results.csv: a drill needs each station's figures")?;
    let definition = stage::enrol(package.election, script.seed);
    let population = Population::new(&definition, &results, script.seed, Chance::NEVER)?;
    let bundle = plan.bundle.clone().unwrap_or_else(|| Path::new("bundles").join(&script.name));
    let (stage, keys) = Stage::set(&bundle, &definition, script.seed)?;
    let common = Common {
        election: *definition.hash(),
        log_key: keys.receipts.verifying_key(),
        mac_master: keys.mac,
        epoch: keys.epoch,
        retry: RetryPolicy::new(RETRY_MS, RETRY_MS),
    };
    let premises = Premises::furnish(&plan.program, stage.workspace(), &bundle, &definition, &keys)?;
    let parts = seal(&population);
    let stations = stations(&script, &common, &parts);
    let parts = parts.concat();
    let attack = |flood: &Flood| Attack::new(*flood, &population, common.epoch);
    let attacks = script.floods.iter().map(attack).collect::<anyhow::Result<_>>()?;
    let mut centre = CentreProcess::start(premises)?;
    let relays = Relays::start(&script, &definition, common.log_key, centre.ports(), stage.workspace())?;
    let course = {
        let mut view = View::new(printer, count(&parts));
        course::run(&script, &mut centre, relays.ends(), stations, attacks, &mut view)?
    };
    relays.stop()?;
    centre.stop()?;
    let verification = stage.verify(printer)?;
    let logged = account::logged(&Folder::open(&bundle)?, verification.tree_size)?;
    let account = Account {
        parts: &parts,
        results: &results,
        given: &course.given,
        required: script.receipted.of(count(&parts)),
        conflicts: &conflicts(&script, &population),
    };
    let page = plan.report.clone().unwrap_or_else(|| bundle.with_added_extension("drill.html"));
    let table = page.with_extension("csv");
    let outcome = Outcome {
        script: &script,
        stations: definition.election().stations().len() as u64,
        parts: &parts,
        course: &course,
        verification: &verification,
        unaccounted: account.unaccounted(&verification, &logged),
        bundle: bundle.display().to_string(),
        report: page.display().to_string(),
        receipts_table: table.display().to_string(),
    };
    let report = outcome.report();
    write(&page, page::render(&outcome, &report).as_bytes())?;
    write(&table, &receipts::table(&script, definition.election(), &course.given)?)?;
    Ok(report)
}

fn write(path: &Path, bytes: &[u8]) -> anyhow::Result<()> {
    files::replace(path, bytes, Access::Public).with_context(|| format!("cannot write {}", path.display()))
}

fn read_script(plan: &DrillPlan) -> anyhow::Result<Script> {
    let text = files::read_text(&plan.script, SCRIPT_LIMIT)?;
    let name = plan.script.display().to_string();
    let script = Script::parse(&text, &name)
        .map_err(|problems| package::refusal(format!("{name} is not a valid drill script"), &problems))?;
    Ok(if plan.without_attack { script.without_floods() } else { script })
}

fn electorate(script: &Script, path: &Path) -> anyhow::Result<Package> {
    match &script.electorate {
        Electorate::Package(folder) => package::load(&path.parent().unwrap_or(Path::new("")).join(folder)),
        &Electorate::Synthetic(stations) => {
            let made = synthetic::election(stations, script.seed)
                .map_err(|problems| package::refusal("the synthetic election has mistakes".into(), &problems))?;
            Ok(Package { election: made.election, results: Some(made.results) })
        }
    }
}

/// What every station sends, in the order in which stations report.
fn seal(population: &Population<'_>) -> Vec<Vec<Part>> {
    let seal =
        |slots: &Vec<_>| slots.iter().filter_map(|&(station, contest)| population.part(station, contest)).collect();
    population.reporting_order().par_iter().map(seal).collect()
}

fn count(parts: &[Part]) -> u64 {
    parts.iter().map(|part| part.sealed.len() as u64).sum()
}

fn stations(script: &Script, common: &Common, parts: &[Vec<Part>]) -> Vec<Station> {
    let Some(total) = u32::try_from(parts.len()).ok().and_then(NonZeroU32::new) else { return Vec::new() };
    let placed: Vec<(u32, &Vec<Part>)> = (0..).zip(parts).collect();
    let station = |&(place, parts): &(u32, &Vec<Part>)| {
        let number = parts.first()?.station;
        Some(Station::new(script, common, number, script.begins(place, total), parts))
    };
    placed.par_iter().filter_map(station).collect()
}

/// Stations in whose name a second record is sent: they have to end quarantined.
fn conflicts(script: &Script, population: &Population<'_>) -> Vec<StationNo> {
    let conflict = DatagramKind::Conflict;
    let attacked = script.floods.iter().any(|flood| flood.kind == FloodKind::Datagram(conflict));
    if attacked { hostile::victims(conflict, population) } else { Vec::new() }
}
