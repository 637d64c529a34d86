//! How many records a second the whole centre takes, without the network: `bench_centre [RECORDS]`.
//!
//! Durable, deduplicated and integrated: each record is judged, journalled and receipted, and the clock stops when a checkpoint over
//! all of them is published with index and manifest. For scale it also prints what the signatures alone cost on these cores: one
//! `verify_strict` and one receipt for each record.

use std::time::{Duration, Instant};

use ed25519_dalek::SigningKey;
use rayon::prelude::*;
use tallyproof_cli::centre::{self, Answer, CentreConfig, CentreKeys, Cut};
use tallyproof_record::cose::{self, SealedRecord};
use tallyproof_record::definition::package::{self, Files};
use tallyproof_record::definition::{Committed, StationKey};
use tallyproof_record::receipt::Receipt;
use tallyproof_record::tally::Stage;
use tallyproof_record::{ContestNo, Phase, StationNo, Tally};

/// The bench is bounded whatever is asked for.
const MOST: u32 = 1_000_000;

fn main() -> anyhow::Result<()> {
    let records = std::env::args().nth(1).map_or(Ok(100_000), |n| n.parse::<u32>())?.min(MOST);
    let election = election(records)?;
    let sealed: Vec<_> = (1..=records).into_par_iter().map(|no| seal(&election, no)).collect();
    let signatures = signatures_alone(&election, &sealed);

    let folder = tempfile::tempdir()?;
    let centre = centre::start(CentreConfig {
        election,
        keys: CentreKeys::new("log.example/bench", [1; 32], [2; 32])?,
        journal: folder.path().join("journal"),
        create: true,
        bundle: folder.path().join("bundle"),
        udp: ([127, 0, 0, 1], 0).into(),
        http: None,
        tls: None,
        admin: None,
        cut: Cut::Every(Duration::from_secs(1)),
        publish_every: Duration::from_secs(5),
        workers: 0,
    })?;
    let start = Instant::now();
    let submitter = centre.submitter();
    let answers: Vec<_> = sealed.into_iter().map(|record| submitter.submit(record.into_bytes())).collect();
    let receipts = answers.into_iter().map(centre::Submitted::wait).filter(|a| matches!(a, Answer::Receipt(_))).count();
    let receipted = start.elapsed();
    centre.cut_now()?;
    let integrated = start.elapsed();
    let stats = centre.shutdown()?;
    anyhow::ensure!(receipts as u64 == u64::from(records) && stats.tree_size == u64::from(records) + 1, "{stats:?}");

    let rate = |elapsed: Duration| f64::from(records) / elapsed.as_secs_f64();
    println!("records            {records}");
    println!("receipted          {:.0}/s", rate(receipted));
    println!("integrated         {:.0}/s", rate(integrated));
    println!("signatures alone   {:.0}/s", rate(signatures));
    println!(
        "ratio              {:.2} (integrated time : signatures alone)",
        integrated.as_secs_f64() / signatures.as_secs_f64()
    );
    Ok(())
}

fn signatures_alone(election: &Committed, sealed: &[SealedRecord]) -> Duration {
    let centre = SigningKey::from_bytes(&[1; 32]);
    let keys: Vec<_> = (1..).zip(sealed).map(|(no, _)| key(no).verifying_key()).collect();
    let start = Instant::now();
    let held = sealed.par_iter().zip(&keys).filter(|(record, key)| {
        let Ok(open) = cose::open(record.as_bytes()) else { return false };
        let receipt = Receipt { station: open.tally.station, contest: open.tally.contest, digest: record.digest() };
        open.verify(key).is_ok() && receipt.sign(election.hash(), &centre)[0] == b'T'
    });
    assert_eq!(held.count(), sealed.len());
    start.elapsed()
}

fn election(stations: u32) -> anyhow::Result<Committed> {
    let rows: Vec<String> = (1..=stations).map(|station| format!("s{station},all,1000\n")).collect();
    let register = format!("id,area,registered\n{}", rows.concat());
    let ballot = (1..=10).map(|line| format!("office,l{line}\n")).collect::<Vec<_>>().concat();
    let toml = "format = 1\nid = \"bench\"\nname = \"Bench\"\ndate = \"2026-07-01\"\nphase = \"drill\"\n\n\
                [[contest]]\nid = \"office\"\nname = \"Office\"\narea = \"all\"\n";
    let files = [
        ("election.toml", toml.to_owned()),
        ("areas.csv", "id,parent,name,kind\nall,,All,country\n".to_owned()),
        ("stations.csv", register),
        ("ballot.csv", format!("contest,line\n{ballot}")),
    ];
    let files: Files = files.map(|(name, text)| (name.to_owned(), text.into_bytes())).into();
    let election = package::parse(&files).map_err(|problems| anyhow::anyhow!("{problems:?}"))?;
    Ok(election.with_keys(|StationNo(no)| StationKey::from(key(no).verifying_key())).commit())
}

fn key(station: u32) -> SigningKey {
    let mut seed = [3; 32];
    seed[..4].copy_from_slice(&station.to_be_bytes());
    SigningKey::from_bytes(&seed)
}

fn seal(election: &Committed, station: u32) -> SealedRecord {
    let tally = Tally {
        election: *election.hash(),
        phase: Phase::Drill,
        stage: Stage::Count,
        station: StationNo(station),
        contest: ContestNo(1),
        sealed_at: 1_800_000_000,
        counts: (0..10).map(|line| (station + line) % 90).collect(),
        blank: None,
        null: None,
        voters: None,
        registered: None,
        total: None,
        images: Vec::new(),
    };
    cose::seal(&tally, &key(station))
}
