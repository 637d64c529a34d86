//! A whole election night on this machine: stations, a bad network, the centre, the bundle, and the verification of that
//! bundle through the same code that a sceptical outsider runs.

pub(crate) mod bundle_dir;
pub(crate) mod expectation;
mod report;
pub(crate) mod stage;
mod view;
mod witnesses;

use std::net::Ipv4Addr;
use std::num::NonZeroU32;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::{Duration, Instant};

use anyhow::{Context, ensure};
use rayon::prelude::*;
use tallyproof_drill::keys::Seed;
use tallyproof_drill::network::Chance;
use tallyproof_drill::population::{Part, Population};
use tallyproof_drill::script::{self, Carrier, Electorate, Quality, Script, Share, Span};
use tallyproof_drill::witnesses::policy_lines;
use tallyproof_log::note::SignerKey;
use tallyproof_record::definition::Committed;
use tallyproof_record::definition::results::Results;
use tallyproof_record::{ContestNo, StationNo};
use tallyproof_station::RetryPolicy;

pub use report::NightReport;
pub use witnesses::{Conduct, ForkAnswer, WitnessPlan, WitnessRow};

use crate::centre::{self, CentreConfig, CentreKeys, Cut, Frozen, GatherConfig, RunningCentre, UdpConfig};
use crate::field::clock::Clock;
use crate::field::{self, Common, Counters, Station};
use crate::package::Package;
use crate::printer::Printer;
use expectation::Expectation;
use report::Outcome;
use stage::Stage;
use witnesses::Witnesses;

/// Each wave costs the slowest record's retries on a lossy network; fewer waves make coarser checkpoints.
const WAVES: usize = 8;
/// From one record to the next: a wave that began at once would only wait in the centre's queue.
const PACE: Duration = Duration::from_micros(40);
/// Without a single receipt for so long a wave has met a centre that does not answer.
const PATIENCE: Duration = Duration::from_mins(1);
/// From one round of cosignatures to the next: a night is over in seconds.
const GATHER_EVERY: Duration = Duration::from_secs(1);
/// How long the witnesses may take to recount the whole log and cosign its end.
const FREEZE: Duration = Duration::from_mins(10);

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
    /// What becomes of the witnesses.
    pub witnesses: WitnessPlan,
    /// From which everything follows.
    pub seed: Seed,
}

/// Runs the night and verifies its bundle.
pub fn run(package: Package, plan: &NightPlan, printer: &Printer) -> anyhow::Result<NightReport> {
    let started = Instant::now();
    let (definition, results) = enrol(package, plan)?;
    let population = Population::new(&definition, &results, plan.seed, plan.bad)?;
    let (stage, keys) = Stage::set(&plan.bundle, &definition, plan.seed)?;
    let common = common(&definition, &keys);
    let (log, log_key) =
        (keys.verifier().clone(), SignerKey::new(keys.verifier().name().clone(), &plan.seed.log_key()));
    let witnesses = Witnesses::start(stage.workspace(), &plan.bundle, &definition, &log, plan.witnesses, plan.seed)?;
    let centre = start_centre(&definition, keys, plan, &stage.workspace().join("journal.sqlite"), witnesses.urls())?;
    let mut field = poll(&population, &centre, &common, &script(plan))?;
    let mark = Instant::now();
    let frozen = centre.freeze(if witnesses.reach_quorum() { FREEZE } else { Duration::ZERO })?;
    field.phases.witnessing = mark.elapsed();
    let stats = centre.shutdown()?;
    let witnesses = witnesses.finish(&frozen, &stats, &log_key)?;
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
        records: field.records,
        phases: field.phases,
        stats: &stats,
        witnesses,
        frozen: matches!(frozen, Frozen::Yes { .. }),
        verification: &verification,
        unaccounted,
        counted_in,
        verified_in: started.elapsed().saturating_sub(counted_in),
    }))
}

/// Gives every station its drill key, the policy its drill witnesses, and cuts the register to the plan's size.
fn enrol(package: Package, plan: &NightPlan) -> anyhow::Result<(Committed, Results)> {
    let mut results =
        package.results.context("the package has no results.csv: a night needs each station's figures")?;
    let mut election = package.election;
    if let Some(stations) = plan.stations {
        ensure!(stations > 0, "--stations has to be at least 1");
        election = election.with_first_stations(stations);
        results.retain(|&(station, _), _| election.station(station).is_some());
    }
    let election = election.with_policy_lines(policy_lines(plan.seed)?);
    Ok((stage::enrol(election, plan.seed), results))
}

fn start_centre(
    definition: &Committed,
    keys: CentreKeys,
    plan: &NightPlan,
    journal: &Path,
    witnesses_at: Vec<(String, String)>,
) -> anyhow::Result<RunningCentre> {
    centre::start(CentreConfig {
        election: definition.clone(),
        keys,
        journal: journal.to_owned(),
        last_checkpoint: None,
        create: true,
        bundle: plan.bundle.clone(),
        udp: UdpConfig::at((Ipv4Addr::LOCALHOST, 0)),
        http: None,
        admin: None,
        cut: Cut::OnDemand,
        publish_every: Duration::MAX,
        gather: GatherConfig { every: GATHER_EVERY, ..GatherConfig::default() },
        witnesses_at,
        workers: 0,
    })
}

fn common(definition: &Committed, keys: &CentreKeys) -> Common {
    Common {
        election: *definition.hash(),
        log_key: keys.receipts.verifying_key(),
        mac_master: keys.mac,
        epoch: keys.epoch,
        // Loopback loses what the night tells it to lose; nothing is gained by backing off.
        retry: RetryPolicy::new(RetryPolicy::FLOOR_MS, RetryPolicy::FLOOR_MS),
    }
}

/// A night as the script of a drill: one path, no faults, no floods.
fn script(plan: &NightPlan) -> Script {
    let at_once = Span { from: Duration::ZERO, until: Duration::ZERO };
    let udp = script::Path {
        name: "udp".into(),
        carrier: Carrier::Udp,
        quality: Quality { loss: plan.loss, duplicate: plan.duplicate, delay: Duration::ZERO },
        after: Duration::ZERO,
        share: Chance::ALWAYS,
    };
    Script {
        name: "night".into(),
        title: String::new(),
        seed: plan.seed,
        electorate: Electorate::Synthetic(NonZeroU32::MIN),
        reporting: at_once,
        patience: PATIENCE,
        receipted: Share::ALL,
        paths: vec![udp],
        faults: Vec::new(),
        floods: Vec::new(),
    }
}

/// What the stations and their network did.
#[derive(Default)]
struct Field {
    expectation: Expectation,
    counters: Arc<Counters>,
    /// Records that stations sealed.
    records: u64,
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
    /// From the last record to the witnesses' quorum on the final checkpoint, and its publication.
    pub witnessing: Duration,
}

/// Runs the waves: every station that has figures seals and sends until receipted.
fn poll(
    population: &Population<'_>,
    centre: &RunningCentre,
    common: &Common,
    script: &Script,
) -> anyhow::Result<Field> {
    let mut field = Field::default();
    let counters = Arc::clone(&field.counters);
    let stations = population.reporting_order();
    view::show(centre, &counters, || {
        stations
            .chunks(stations.len().div_ceil(WAVES).max(1))
            .try_for_each(|wave| run_wave(population, wave, common, script, centre, &mut field))
    })?;
    Ok(field)
}

/// Seals, sends and publishes one wave.
fn run_wave(
    population: &Population<'_>,
    wave: &[Vec<(StationNo, ContestNo)>],
    common: &Common,
    script: &Script,
    centre: &RunningCentre,
    field: &mut Field,
) -> anyhow::Result<()> {
    let mark = Instant::now();
    let seal = |slots: &Vec<_>| slots.iter().filter_map(|&(no, contest)| population.part(no, contest)).collect();
    let parts: Vec<Vec<Part>> = wave.par_iter().map(seal).collect();
    field.expectation.note(parts.iter().flatten());
    let mut records = 0;
    let begin = |parts| {
        let begins = PACE.saturating_mul(records);
        records += sealed(parts);
        (begins, parts)
    };
    let begun: Vec<(Duration, &Vec<Part>)> = parts.iter().map(begin).collect();
    let station = |&(begins, parts): &(Duration, &Vec<Part>)| {
        Some(Station::new(script, common, parts.first()?.station, begins, parts))
    };
    let stations: Vec<Station> = begun.par_iter().filter_map(station).collect();
    field.phases.sealing += mark.elapsed();
    let mark = Instant::now();
    let records = u64::from(records);
    field.records += records;
    send(script, stations, records, centre, &field.counters)?;
    field.phases.sending += mark.elapsed();
    let mark = Instant::now();
    centre.cut_now()?;
    field.phases.publishing += mark.elapsed();
    Ok(())
}

/// Records that a station sealed.
fn sealed(parts: &[Part]) -> u32 {
    let records: usize = parts.iter().map(|part| part.sealed.len()).sum();
    u32::try_from(records).unwrap_or(u32::MAX)
}

/// Lets the stations of a wave send until each of their records is receipted.
fn send(
    script: &Script,
    stations: Vec<Station>,
    records: u64,
    centre: &RunningCentre,
    counters: &Counters,
) -> anyhow::Result<()> {
    let (ends, stop) = ([centre.udp_addr()], AtomicBool::new(false));
    let plan = field::Plan { script, ends: &ends, clock: Clock::start(), counters, stop: &stop, patience: PATIENCE };
    let receipts = field::run(&plan, stations)?.len() as u64;
    ensure!(
        receipts == records,
        "no receipt for {} s; {} records still wait",
        PATIENCE.as_secs(),
        records.saturating_sub(receipts)
    );
    Ok(())
}
