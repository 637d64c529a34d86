//! A synthetic election for benches: one contest of ten ballot lines, every station's record sealed before the clock starts.
#![allow(dead_code, reason = "each bench uses a part of it")]

use std::num::NonZeroU32;
use std::path::Path;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use anyhow::{Context, anyhow, ensure};
use rayon::prelude::*;
use tallyproof_cli::centre::{
    self, Answer, CentreConfig, CentreKeys, CentreStats, Cut, GatherConfig, RunningCentre, Submitted, UdpConfig,
};
use tallyproof_drill::hostile::Hostile;
use tallyproof_drill::keys::Seed;
use tallyproof_drill::network::Chance;
use tallyproof_drill::population::Population;
use tallyproof_drill::script::DatagramKind;
use tallyproof_drill::synthetic::{self, Synthetic};
use tallyproof_record::cose::SealedRecord;
use tallyproof_record::definition::results::Results;
use tallyproof_record::definition::{Committed, StationKey};
use tallyproof_record::{ContestNo, StationNo};

const SEED: Seed = Seed(1);

/// A definition and one sealed record per station, in station order.
pub(crate) struct World {
    pub(crate) definition: Committed,
    pub(crate) sealed: Vec<SealedRecord>,
    results: Results,
}

impl World {
    /// An election of this many stations.
    pub(crate) fn new(stations: u32) -> anyhow::Result<Self> {
        Self::asking(stations, Vec::new())
    }

    /// The same, whose definition states this witness policy.
    pub(crate) fn asking(stations: u32, policy: Vec<String>) -> anyhow::Result<Self> {
        let count = NonZeroU32::new(stations).context("an election has stations")?;
        let Synthetic { election, results } = synthetic::election(count, SEED).map_err(|found| anyhow!("{found:?}"))?;
        let definition = election.with_keys(public_key).with_policy_lines(policy).commit();
        let mut world = Self { definition, sealed: Vec::new(), results };
        let population = world.population()?;
        let parts = (1..=stations).into_par_iter().filter_map(|no| population.part(StationNo(no), ContestNo(1)));
        world.sealed = parts.flat_map_iter(|part| part.sealed).collect();
        ensure!(world.sealed.len() == stations as usize, "a station has no record");
        Ok(world)
    }

    fn population(&self) -> anyhow::Result<Population<'_>> {
        let perfect = Chance::new(0.0).context("no chance")?;
        Ok(Population::new(&self.definition, &self.results, SEED, perfect)?)
    }

    /// Datagrams of attackers.
    pub(crate) fn hostile(&self, kind: DatagramKind, count: usize) -> anyhow::Result<Vec<Vec<u8>>> {
        let mut hostile = Hostile::new(kind, &self.population()?, keys()?.epoch).context("nobody to attack")?;
        let now = u64::try_from(SystemTime::now().duration_since(UNIX_EPOCH)?.as_millis())?;
        let mut datagrams = vec![Vec::new(); count];
        for datagram in &mut datagrams {
            hostile.write(now, datagram);
        }
        Ok(datagrams)
    }

    /// The key of each record's station.
    pub(crate) fn keys(&self) -> Vec<StationKey> {
        (1..).zip(&self.sealed).map(|(no, _)| public_key(StationNo(no))).collect()
    }

    /// A centre in `folder`, with a socket for datagrams and no HTTP port.
    pub(crate) fn start_centre(&self, folder: &Path) -> anyhow::Result<RunningCentre> {
        centre::start(self.config(folder)?)
    }

    /// What [`World::start_centre`] starts.
    pub(crate) fn config(&self, folder: &Path) -> anyhow::Result<CentreConfig> {
        Ok(CentreConfig {
            election: self.definition.clone(),
            keys: keys()?,
            journal: folder.join("journal"),
            last_checkpoint: None,
            create: true,
            bundle: folder.join("bundle"),
            udp: UdpConfig::at(([127, 0, 0, 1], 0)),
            http: None,
            admin: None,
            cut: Cut::Every(Duration::from_secs(1)),
            publish_every: Duration::from_secs(5),
            gather: GatherConfig::default(),
            witnesses_at: Vec::new(),
            workers: 0,
        })
    }

    /// Runs all records through a centre in `folder`; returns the times until all were receipted and until all were published.
    pub(crate) fn run_centre(&self, folder: &Path) -> anyhow::Result<(Duration, Duration)> {
        let centre = self.start_centre(folder)?;
        let records: Vec<Vec<u8>> = self.sealed.iter().map(|record| record.as_bytes().to_vec()).collect();
        let start = Instant::now();
        let answers: Vec<_> = records.into_iter().map(|record| centre.submitter().submit(record)).collect();
        let receipts =
            answers.into_iter().map(Submitted::wait).filter(|answer| matches!(answer, Answer::Receipt(_))).count();
        let receipted = start.elapsed();
        centre.cut_now()?;
        let published = start.elapsed();
        let CentreStats { tree_size, .. } = centre.shutdown()?;
        ensure!(
            receipts == self.sealed.len() && tree_size == receipts as u64 + 1,
            "{receipts} receipts, {tree_size} entries"
        );
        Ok((receipted, published))
    }
}

pub(crate) fn keys() -> anyhow::Result<CentreKeys> {
    CentreKeys::new("log.example/bench", SEED.log_key(), SEED.mac_master())
}

fn public_key(station: StationNo) -> StationKey {
    SEED.station_key(station).verifying_key().into()
}

/// How long `work` takes.
pub(crate) fn time<T>(work: impl FnOnce() -> T) -> (Duration, T) {
    let start = Instant::now();
    let done = work();
    (start.elapsed(), done)
}
