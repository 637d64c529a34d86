//! A whole election night on this machine: stations, a bad network, the centre, the bundle, and the verification of that
//! bundle through the same code that a sceptical outsider runs.

pub(crate) mod bundle_dir;
pub(crate) mod expectation;
mod field;
mod report;
pub(crate) mod stage;
mod view;

use std::net::Ipv4Addr;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, ensure};
use rayon::prelude::*;
use tallyproof_drill::keys::Seed;
use tallyproof_drill::network::Chance;
use tallyproof_drill::population::{Part, Population};
use tallyproof_record::definition::Committed;
use tallyproof_record::definition::results::Results;
use tallyproof_record::{ContestNo, StationNo};

pub use report::NightReport;

use crate::centre::{self, CentreConfig, CentreKeys, Cut, RunningCentre, UdpConfig};
use crate::package::Package;
use crate::printer::Printer;
use expectation::Expectation;
use field::{Conditions, Driver, FieldCounters};
use report::Outcome;
use stage::Stage;

/// Each wave costs the slowest record's retries on a lossy network; fewer waves make coarser checkpoints.
const WAVES: usize = 8;
/// Threads that drive the stations. More would take the centre's cores.
const DRIVERS: usize = 2;

/// What a night is made of.
#[derive(Clone, Debug)]
pub struct NightPlan {
    /// Where the bundle goes.
    pub bundle: PathBuf,
    /// Take only this many stations of the register.
    pub stations: Option<usize>,
    /// Chance that a datagram is lost, in each direction.
    pub loss: Chance,
    /// Chance that a datagram arrives twice, in each direction.
    pub duplicate: Chance,
    /// Chance that a station misbehaves or is impersonated.
    pub bad: Chance,
    /// From which everything follows.
    pub seed: Seed,
}

/// Runs the night and verifies its bundle.
pub fn run(package: Package, plan: &NightPlan, printer: &Printer) -> anyhow::Result<NightReport> {
    let started = Instant::now();
    let (definition, results) = enrol(package, plan)?;
    let population = Population::new(&definition, &results, plan.seed, plan.bad)?;
    let (stage, keys) = Stage::set(&plan.bundle, &definition, plan.seed)?;
    let conditions = conditions(&definition, &keys, plan);
    let centre = start_centre(&definition, keys, plan, &stage.workspace().join("journal.sqlite"))?;
    let field = poll(&population, &centre, &conditions)?;
    let stats = centre.shutdown()?;
    let counted_in = started.elapsed();
    let verification = stage.verify(printer)?;
    let unaccounted = match &verification.ledger {
        Some(ledger) => field.expectation.unaccounted(ledger, &results),
        None => vec!["the bundle has no readable definition".into()],
    };
    Ok(report::make(Outcome {
        definition: &definition,
        plan,
        counters: &field.counters,
        phases: field.phases,
        stats: &stats,
        verification: &verification,
        unaccounted,
        counted_in,
        verified_in: started.elapsed().saturating_sub(counted_in),
    }))
}

/// Gives every station its drill key and cuts the register to the plan's size.
fn enrol(package: Package, plan: &NightPlan) -> anyhow::Result<(Committed, Results)> {
    let mut results =
        package.results.context("the package has no results.csv: a night needs each station's figures")?;
    let mut election = package.election;
    if let Some(stations) = plan.stations {
        ensure!(stations > 0, "--stations has to be at least 1");
        election = election.with_first_stations(stations);
        results.retain(|&(station, _), _| election.station(station).is_some());
    }
    Ok((stage::enrol(election, plan.seed), results))
}

fn start_centre(
    definition: &Committed,
    keys: CentreKeys,
    plan: &NightPlan,
    journal: &Path,
) -> anyhow::Result<RunningCentre> {
    centre::start(CentreConfig {
        election: definition.clone(),
        keys,
        journal: journal.to_owned(),
        create: true,
        bundle: plan.bundle.clone(),
        udp: UdpConfig::at((Ipv4Addr::LOCALHOST, 0)),
        http: None,
        admin: None,
        cut: Cut::OnDemand,
        publish_every: Duration::MAX,
        workers: 0,
    })
}

fn conditions(definition: &Committed, keys: &CentreKeys, plan: &NightPlan) -> Conditions {
    Conditions {
        election: *definition.hash(),
        log_key: keys.receipts.verifying_key(),
        mac_master: keys.mac,
        epoch: keys.epoch,
        loss: plan.loss,
        duplicate: plan.duplicate,
        seed: plan.seed,
    }
}

/// What the stations and their network did.
#[derive(Default)]
struct Field {
    expectation: Expectation,
    counters: Arc<FieldCounters>,
    phases: Phases,
}

/// Where the time before verification went.
#[derive(Clone, Copy, Debug, Default)]
pub struct Phases {
    /// Sealing the stations' records.
    pub sealing: Duration,
    /// From the first datagram of each wave to its last receipt.
    pub sending: Duration,
    /// Ordering each wave into the log and publishing it.
    pub publishing: Duration,
}

/// Runs the waves: every station that has figures seals and sends until receipted.
fn poll(population: &Population<'_>, centre: &RunningCentre, conditions: &Conditions) -> anyhow::Result<Field> {
    let mut field = Field::default();
    let counters = Arc::clone(&field.counters);
    let mut drivers = (0..DRIVERS)
        .map(|number| Driver::new(centre.udp_addr(), conditions, &counters, number))
        .collect::<anyhow::Result<Vec<_>>>()?;
    let stations = population.reporting_order();
    view::show(centre, &counters, || {
        stations
            .chunks(stations.len().div_ceil(WAVES).max(1))
            .try_for_each(|wave| run_wave(population, &wave.concat(), &mut drivers, centre, &mut field))
    })?;
    drop(drivers);
    Ok(field)
}

/// Seals, sends and publishes one wave.
fn run_wave(
    population: &Population<'_>,
    wave: &[(StationNo, ContestNo)],
    drivers: &mut [Driver<'_>],
    centre: &RunningCentre,
    field: &mut Field,
) -> anyhow::Result<()> {
    let mark = Instant::now();
    let parts: Vec<Part> =
        wave.par_iter().filter_map(|&(station, contest)| population.part(station, contest)).collect();
    field.expectation.note(&parts);
    field.phases.sealing += mark.elapsed();
    let mark = Instant::now();
    send(drivers, parts)?;
    field.phases.sending += mark.elapsed();
    let mark = Instant::now();
    centre.cut_now()?;
    field.phases.publishing += mark.elapsed();
    Ok(())
}

/// Shares the wave's stations among the drivers.
fn send(drivers: &mut [Driver<'_>], parts: Vec<Part>) -> anyhow::Result<()> {
    let mut shares: Vec<Vec<Part>> = drivers.iter().map(|_| Vec::new()).collect();
    for part in parts {
        let driver = part.station.index() % shares.len();
        shares[driver].push(part);
    }
    thread::scope(|scope| {
        let running: Vec<_> =
            drivers.iter_mut().zip(shares).map(|(driver, share)| scope.spawn(|| driver.run_wave(share))).collect();
        running.into_iter().try_for_each(|thread| match thread.join() {
            Ok(outcome) => outcome,
            Err(panic) => std::panic::resume_unwind(panic),
        })
    })
}
