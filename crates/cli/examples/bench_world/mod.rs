//! A synthetic election for benches: one contest of ten ballot lines, every station's record sealed before the clock starts.
#![allow(dead_code, reason = "each bench uses a part of it")]

use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::{anyhow, ensure};
use rayon::prelude::*;
use tallyproof_cli::centre::{self, Answer, CentreConfig, CentreKeys, CentreStats, Cut, Submitted};
use tallyproof_drill::keys::Seed;
use tallyproof_record::cose::{self, SealedRecord};
use tallyproof_record::definition::package::{self, Files};
use tallyproof_record::definition::{Committed, StationKey};
use tallyproof_record::tally::Stage;
use tallyproof_record::{ContestNo, Phase, StationNo, Tally};

const SEED: Seed = Seed(1);

/// A definition and one sealed record per station, in station order.
pub(crate) struct World {
    pub(crate) definition: Committed,
    pub(crate) sealed: Vec<SealedRecord>,
}

impl World {
    /// An election of this many stations.
    pub(crate) fn new(stations: u32) -> anyhow::Result<Self> {
        let definition = define(stations)?;
        let sealed = (1..=stations).into_par_iter().map(|no| seal(&definition, StationNo(no))).collect();
        Ok(Self { definition, sealed })
    }

    /// The key of each record's station.
    pub(crate) fn keys(&self) -> Vec<StationKey> {
        (1..).zip(&self.sealed).map(|(no, _)| public_key(StationNo(no))).collect()
    }

    /// Runs all records through a centre in `folder`; returns the times until all were receipted and until all were published.
    pub(crate) fn run_centre(&self, folder: &Path) -> anyhow::Result<(Duration, Duration)> {
        let centre = centre::start(CentreConfig {
            election: self.definition.clone(),
            keys: CentreKeys::new("log.example/bench", SEED.log_key(), SEED.mac_master())?,
            journal: folder.join("journal"),
            create: true,
            bundle: folder.join("bundle"),
            udp: ([127, 0, 0, 1], 0).into(),
            http: None,
            tls: None,
            admin: None,
            cut: Cut::Every(Duration::from_secs(1)),
            publish_every: Duration::from_secs(5),
            workers: 0,
        })?;
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

fn define(stations: u32) -> anyhow::Result<Committed> {
    let register: Vec<String> = (1..=stations).map(|station| format!("s{station},all,1000\n")).collect();
    let ballot: Vec<String> = (1..=10).map(|line| format!("office,l{line}\n")).collect();
    let toml = "format = 1\nid = \"bench\"\nname = \"Bench\"\ndate = \"2026-07-01\"\nphase = \"drill\"\n\n\
                [[contest]]\nid = \"office\"\nname = \"Office\"\narea = \"all\"\n";
    let files = [
        ("election.toml", toml.to_owned()),
        ("areas.csv", "id,parent,name,kind\nall,,All,country\n".to_owned()),
        ("stations.csv", format!("id,area,registered\n{}", register.concat())),
        ("ballot.csv", format!("contest,line\n{}", ballot.concat())),
    ];
    let files: Files = files.map(|(name, text)| (name.to_owned(), text.into_bytes())).into();
    let election = package::parse(&files).map_err(|problems| anyhow!("{problems:?}"))?;
    Ok(election.with_keys(public_key).commit())
}

fn public_key(station: StationNo) -> StationKey {
    SEED.station_key(station).verifying_key().into()
}

fn seal(definition: &Committed, station: StationNo) -> SealedRecord {
    let tally = Tally {
        election: *definition.hash(),
        phase: Phase::Drill,
        stage: Stage::Count,
        station,
        contest: ContestNo(1),
        sealed_at: 1_800_000_000,
        counts: (0..10).map(|line| (station.0 + line) % 90).collect(),
        blank: None,
        null: None,
        voters: None,
        registered: None,
        total: None,
        images: Vec::new(),
    };
    cose::seal(&tally, &SEED.station_key(station))
}

/// How long `work` takes.
pub(crate) fn time<T>(work: impl FnOnce() -> T) -> (Duration, T) {
    let start = Instant::now();
    let done = work();
    (start.elapsed(), done)
}
