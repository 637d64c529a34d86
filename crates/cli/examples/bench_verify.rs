//! `cargo xtask bench verify`: the verification of a whole bundle against its signature checks alone, in one run.

mod bench_world;

use std::time::Duration;

use anyhow::ensure;
use bench_world::{World, time};
use rayon::prelude::*;
use tallyproof_cli::bundle_source::Folder;
use tallyproof_record::cose;

const STATIONS: u32 = 30_000;
const ROUNDS: usize = 5;

fn main() -> anyhow::Result<()> {
    let world = World::new(STATIONS)?;
    let folder = tempfile::tempdir()?;
    world.run_centre(folder.path())?;
    let opened = world.sealed.iter().map(|record| cose::open(record.as_bytes())).collect::<Result<Vec<_>, _>>()?;
    let signed: Vec<_> = opened.iter().zip(world.keys()).collect();
    let (mut verified, mut signatures) = (Duration::MAX, Duration::MAX);
    for _ in 0..ROUNDS {
        let (elapsed, hold) = time(|| signed.par_iter().all(|(record, key)| record.verify(key.verifying()).is_ok()));
        ensure!(hold, "a signature does not hold");
        signatures = signatures.min(elapsed);
        let source = Folder::open(&folder.path().join("bundle"))?;
        let (elapsed, found) = time(|| tallyproof_count::verify(&source, None, &|_, _| ()));
        let found = found?;
        ensure!(found.ok && found.counted == u64::from(STATIONS), "{:?}", found.problems);
        verified = verified.min(elapsed);
    }
    let (verified, signatures) = (verified.as_secs_f64(), signatures.as_secs_f64());
    println!("verify 30,000 records : their signatures, s\t{verified:.4}\t{signatures:.4}\t<= 1.3");
    Ok(())
}
