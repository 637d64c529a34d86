//! A whole election night on this machine: stations, a bad network, the centre, the bundle, and the verification of that
//! bundle through the same code that a sceptical outsider runs.

mod bulletins;
pub(crate) mod bundle_dir;
pub(crate) mod expectation;
mod report;
pub(crate) mod stage;
mod view;
mod waves;
mod witnesses;

use std::net::Ipv4Addr;
use std::num::NonZeroU32;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::{Duration, Instant};

use anyhow::{Context, ensure};
use rayon::prelude::*;
use tallyproof_count::share::Share;
use tallyproof_drill::authority;
use tallyproof_drill::keys::Seed;
use tallyproof_drill::network::Chance;
use tallyproof_drill::population::{Part, Population};
use tallyproof_drill::script::{self, Carrier, Electorate, Quality, Script, Span};
use tallyproof_drill::witnesses::{QUORUM, policy_lines};
use tallyproof_log::note::SignerKey;
use tallyproof_record::definition::Committed;
use tallyproof_record::definition::results::Results;
use tallyproof_station::RetryPolicy;

pub use bulletins::BulletinRow;
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
use waves::Wave;
use witnesses::Witnesses;

/// From one record to the next: a wave that began at once would only wait in the centre's queue.
const PACE: Duration = Duration::from_micros(40);
/// Records of a driver's stations on their way at once. What a centre cannot check in time is sent again and again, and a night's
/// witnesses want its cores too.
const WINDOW: usize = 512;
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
    /// A bulletin is due when each of these shares of the records expected is in.
    pub bulletins_at: Vec<Share>,
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
    let stations = population.reporting_order();
    let waves = waves::plan(&stations, waves::expected(definition.election()), &plan.bulletins_at)?;
    let (stage, keys) = Stage::set(&plan.bundle, &definition, plan.seed)?;
    let common = common(&definition, &keys);
    let (log, log_key) =
        (keys.verifier().clone(), SignerKey::new(keys.verifier().name().clone(), &plan.seed.log_key()));
    let witnesses = Witnesses::start(stage.workspace(), &plan.bundle, &definition, &log, plan.witnesses, plan.seed)?;
    let centre = start_centre(&definition, keys, plan, &stage.workspace().join("journal.sqlite"), witnesses.urls())?;
    ensure!(
        plan.bulletins_at.is_empty() || witnesses.reach_quorum(),
        "a bulletin needs a checkpoint that {QUORUM} witnesses cosigned; leave --bulletin-at out, or fewer of them offline"
    );
    let script = script(plan);
    let mut night = Night {
        population: &population,
        centre: &centre,
        common: &common,
        script: &script,
        bundle: &plan.bundle,
        field: Field::default(),
    };
    night.poll(&waves)?;
    let mut field = night.field;
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
        bulletins: field.bulletins,
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
    let mut election = election.with_policy_lines(policy_lines(plan.seed)?);
    if !plan.bulletins_at.is_empty() {
        let authority = authority::of(plan.seed).context("no authority")?;
        let agents = election.agents().to_vec();
        election = election.with_signatories(authority, agents);
    }
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
        receipted: script::Share::ALL,
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
    bulletins: Vec<BulletinRow>,
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
    /// From each checkpoint at which a bulletin was due, quorum included, to the bulletin's publication.
    pub bulletins: Duration,
    /// From the last record to the witnesses' quorum on the final checkpoint, and its publication.
    pub witnessing: Duration,
}

/// The stations at work.
struct Night<'a> {
    population: &'a Population<'a>,
    centre: &'a RunningCentre,
    common: &'a Common,
    script: &'a Script,
    bundle: &'a Path,
    field: Field,
}

impl Night<'_> {
    /// Runs the waves: every station that has figures seals and sends until receipted.
    fn poll(&mut self, waves: &[Wave<'_>]) -> anyhow::Result<()> {
        let (centre, counters) = (self.centre, Arc::clone(&self.field.counters));
        view::show(centre, &counters, || waves.iter().try_for_each(|wave| self.run_wave(wave)))
    }

    /// Seals, sends and publishes one wave, and issues the bulletin that is due after it.
    fn run_wave(&mut self, wave: &Wave<'_>) -> anyhow::Result<()> {
        let mark = Instant::now();
        let (stations, records) = self.seal(wave);
        self.field.phases.sealing += mark.elapsed();
        let mark = Instant::now();
        self.field.records += records;
        send(self.script, stations, records, self.centre, &self.field.counters)?;
        self.field.phases.sending += mark.elapsed();
        let mark = Instant::now();
        self.centre.cut_now()?;
        self.field.phases.publishing += mark.elapsed();
        let mark = Instant::now();
        if let Some(due) = wave.bulletin {
            self.field.bulletins.push(bulletins::issue(self.centre, self.bundle, due, self.script.seed)?);
        }
        self.field.phases.bulletins += mark.elapsed();
        Ok(())
    }

    /// The wave's stations with their records, and how many records these are.
    fn seal(&mut self, wave: &Wave<'_>) -> (Vec<Station>, u64) {
        let population = self.population;
        let seal = |slots: &Vec<_>| slots.iter().filter_map(|&(no, contest)| population.part(no, contest)).collect();
        let parts: Vec<Vec<Part>> = wave.stations.par_iter().map(seal).collect();
        self.field.expectation.note(parts.iter().flatten());
        let mut records = 0;
        let mut begun: Vec<(Duration, &Vec<Part>)> = Vec::with_capacity(parts.len());
        for parts in &parts {
            begun.push((PACE.saturating_mul(records), parts));
            records += sealed(parts);
        }
        let station = |&(begins, parts): &(Duration, &Vec<Part>)| {
            Some(Station::new(self.script, self.common, parts.first()?.station, begins, parts))
        };
        (begun.par_iter().filter_map(station).collect(), u64::from(records))
    }
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
    let plan = field::Plan {
        script,
        ends: &ends,
        clock: Clock::start(),
        counters,
        stop: &stop,
        patience: PATIENCE,
        window: WINDOW,
    };
    let receipts = field::run(&plan, stations)?.len() as u64;
    ensure!(
        receipts == records,
        "no receipt for {} s; {} records still wait",
        PATIENCE.as_secs(),
        records.saturating_sub(receipts)
    );
    Ok(())
}
