//! `cargo xtask bench mega`: all totals, settled statements and seats of the mega-election, from decoded records.

use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::{Context, ensure};
use rayon::prelude::*;
use tallyproof_cli::package;
use tallyproof_count::judge::judge_record;
use tallyproof_count::{Judged, Ledger, Totals, outcome};
use tallyproof_drill::keys::Seed;
use tallyproof_drill::network::Chance;
use tallyproof_drill::population::Population;
use tallyproof_record::cose;
use tallyproof_record::definition::Committed;

const SEED: Seed = Seed(1);
const ROUNDS: usize = 5;

fn main() -> anyhow::Result<()> {
    let package = package::load(&Path::new(env!("CARGO_MANIFEST_DIR")).join("../../examples/mega"))?;
    let results = package.results.context("the recipe makes figures")?;
    let definition = package.election.with_keys(|no| SEED.station_key(no).verifying_key().into()).commit();
    let perfect = Chance::new(0.0).context("no chance")?;
    let population = Population::new(&definition, &results, SEED, perfect)?;
    let slots: Vec<_> = results.keys().copied().collect();
    let parts = slots.par_iter().filter_map(|&(station, contest)| population.part(station, contest));
    let sealed: Vec<Vec<u8>> = parts.flat_map_iter(|part| part.sealed).map(|it| it.as_bytes().to_vec()).collect();
    let judged: Vec<Judged> = sealed.par_iter().map(|record| judge_record(&definition, record)).collect();
    ensure!(judged.len() == slots.len(), "a station has no record");
    let definition = Arc::new(definition);
    let (mut decoded, mut counted) = (Duration::MAX, Duration::MAX);
    for _ in 0..ROUNDS {
        let (elapsed, opened) = time(|| sealed.iter().filter(|record| cose::open(record).is_ok()).count());
        ensure!(opened == sealed.len(), "a record does not decode");
        decoded = decoded.min(elapsed);
        let (elapsed, seats) = time(|| count(&definition, &judged));
        ensure!(seats? > 0, "nobody has a seat");
        counted = counted.min(elapsed);
    }
    let (decoded, counted) = (decoded.as_secs_f64(), counted.as_secs_f64());
    println!("{} records in {} contests", judged.len(), definition.election().contests().len());
    println!("mega: ledger, totals, statements, seats, s\t{counted:.3}\t-\t<= 1");
    println!("mega: the same : decoding the records, s\t{counted:.3}\t{decoded:.3}\t<= 4");
    Ok(())
}

/// Everything that follows from the records; returns how many contests have seats.
fn count(definition: &Arc<Committed>, judged: &[Judged]) -> anyhow::Result<usize> {
    let mut ledger = Ledger::new(Arc::clone(definition));
    ledger.apply(0, &Judged::Definition { matches: true });
    for (index, record) in (1..).zip(judged) {
        ledger.apply(index, record);
    }
    ensure!(ledger.summary().counted == judged.len() as u64, "a record is not counted");
    let totals = Totals::of(&ledger);
    let outcomes = outcome::of(&ledger, &totals);
    Ok(outcomes.iter().filter(|(_, outcome)| outcome.seats.is_some()).count())
}

/// How long `work` takes.
fn time<T>(work: impl FnOnce() -> T) -> (Duration, T) {
    let start = Instant::now();
    let done = work();
    (start.elapsed(), done)
}
