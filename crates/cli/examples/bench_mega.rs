//! `cargo xtask bench mega`: all totals, settled statements and seats of the mega-election, from decoded records.

mod bench_world;

use std::fs::{self, File};
use std::io::Write;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, ensure};
use bench_world::{keys, time};
use rayon::prelude::*;
use tallyproof_cli::bulletin::Rendered;
use tallyproof_cli::package;
use tallyproof_count::bulletin::Document;
use tallyproof_count::bundle::BulletinFile;
use tallyproof_count::judge::judge_record;
use tallyproof_count::{Judged, Ledger, Totals, outcome};
use tallyproof_drill::keys::Seed;
use tallyproof_drill::network::Chance;
use tallyproof_drill::population::Population;
use tallyproof_log::merkle::Hash;
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
    let slots = population.reporting_order().concat();
    let parts = slots.par_iter().filter_map(|&(station, contest)| population.part(station, contest));
    let sealed: Vec<Vec<u8>> = parts.flat_map_iter(|part| part.sealed).map(|it| it.as_bytes().to_vec()).collect();
    let judged: Vec<Judged> = sealed.par_iter().map(|record| judge_record(&definition, record)).collect();
    ensure!(judged.len() == slots.len(), "a station has no record");
    let world = World { definition: Arc::new(definition), judged, sealed };
    println!("{} records in {} contests", world.judged.len(), world.definition.election().contests().len());
    world.measure("all records", world.judged.len())?;
    world.measure("80 % of the records", world.judged.len() * 4 / 5)?;
    world.measure_bulletin(world.judged.len() * 97 / 100)
}

/// Every record of the election, in the order in which it was journalled.
struct World {
    definition: Arc<Committed>,
    judged: Vec<Judged>,
    sealed: Vec<Vec<u8>>,
}

impl World {
    /// Everything that follows from the first so many records, against their decoding alone.
    fn measure(&self, what: &str, records: usize) -> anyhow::Result<()> {
        let (mut decoded, mut counted) = (Duration::MAX, Duration::MAX);
        for _ in 0..ROUNDS {
            let sealed = self.sealed.iter().take(records);
            let (elapsed, opened) = time(|| sealed.filter(|record| cose::open(record).is_ok()).count());
            ensure!(opened == records, "a record does not decode");
            decoded = decoded.min(elapsed);
            let (elapsed, seats) = time(|| seats(&self.ledger(records)));
            ensure!(seats == self.definition.election().contests().len(), "{seats} contests have seats");
            counted = counted.min(elapsed);
        }
        let (decoded, counted) = (decoded.as_secs_f64(), counted.as_secs_f64());
        println!("mega, {what}: totals, statements, seats, s\t{counted:.3}\t-\t<= 1");
        println!("mega, {what}: the same : decoding them, s\t{counted:.3}\t{decoded:.3}\t<= 4");
        Ok(())
    }

    /// From a ledger at a checkpoint to the bulletin's files on the disk.
    fn measure_bulletin(&self, records: usize) -> anyhow::Result<()> {
        let (ledger, keys) = (self.ledger(records), keys()?);
        let folder = tempfile::tempdir()?;
        let mut best = [Duration::MAX; 3];
        let mut sizes = Vec::new();
        for _ in 0..ROUNDS {
            let (computed, document) = time(|| Document::of(&ledger, 1, 1_800_000_000, Hash([7; 32])));
            let (rendered, files) = time(|| Rendered::of(&document, keys.verifier()));
            let files = files?.files;
            let (written, done) =
                time(|| files.iter().try_for_each(|(file, bytes)| write(folder.path(), *file, bytes)));
            done?;
            let taken = [computed, rendered, written];
            if taken.iter().sum::<Duration>() < best.iter().fold(Duration::ZERO, |sum, it| sum.saturating_add(*it)) {
                best = taken;
            }
            sizes = files.iter().map(|(file, bytes)| format!("{} {}", file.path(1), bytes.len())).collect();
        }
        let [computed, rendered, written] = best.map(|taken| taken.as_secs_f64());
        println!("bulletin of {records} records: {} bytes", sizes.join(", "));
        println!("computed in {computed:.3} s, rendered in {rendered:.3} s, written in {written:.3} s");
        println!("mega, 97 %: bulletin to files on disk, s\t{:.3}\t-\t<= 1", computed + rendered + written);
        Ok(())
    }

    fn ledger(&self, records: usize) -> Ledger {
        let mut ledger = Ledger::new(Arc::clone(&self.definition));
        ledger.apply(0, &Judged::Definition { matches: true });
        for (index, record) in (1..).zip(self.judged.iter().take(records)) {
            ledger.apply(index, record);
        }
        ledger
    }
}

/// In how many contests somebody has a seat.
fn seats(ledger: &Ledger) -> usize {
    let totals = Totals::of(ledger);
    let outcomes = outcome::of(ledger, &totals);
    outcomes.iter().filter(|(_, outcome)| outcome.seats.is_some()).count()
}

fn write(folder: &Path, file: BulletinFile, bytes: &[u8]) -> anyhow::Result<()> {
    let path = folder.join(file.path(1));
    fs::create_dir_all(path.parent().context("a file has a folder")?)?;
    let mut file = File::create(&path)?;
    file.write_all(bytes)?;
    Ok(file.sync_all()?)
}
