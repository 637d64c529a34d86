//! `cargo xtask bench witness`: what a witness does with 100,000 entries, verify, recount and keep a copy, against the verification of
//! the same bundle, in one run.

mod bench_world;

use std::time::Duration;

use anyhow::{Context, ensure};
use bench_world::{World, time};
use tallyproof_cli::bundle_source::Folder;
use tallyproof_cli::witness::{self, NewKeys, NewWitness};
use tallyproof_log::note::VerifierKey;

const STATIONS: u32 = 100_000;
const ROUNDS: usize = 3;

fn main() -> anyhow::Result<()> {
    let world = World::new(STATIONS)?;
    let folder = tempfile::tempdir()?;
    world.run_centre(folder.path())?;
    let bundle = folder.path().join("bundle");
    let from = vec![bundle.display().to_string()];
    let log: VerifierKey = std::fs::read_to_string(bundle.join("log/vkeys"))?.trim_end().parse()?;
    let (mut verified, mut witnessed) = (Duration::MAX, Duration::MAX);
    for round in 0..ROUNDS {
        let source = Folder::open(&bundle)?;
        let (elapsed, found) = time(|| tallyproof_count::verify(&source, None, &|_, _| ()));
        let found = found?;
        ensure!(found.ok && found.counted == u64::from(STATIONS), "{:?}", found.problems);
        verified = verified.min(elapsed);
        drop(found);

        let name = format!("w{round}").parse()?;
        let new = NewWitness {
            folder: folder.path().join(format!("w{round}")),
            log: VerifierKey::clone(&log),
            definition: None,
            from: from.clone(),
        };
        witness::make_keys(&new.folder, &NewKeys { name, ml_dsa: false })?;
        witness::init(&new)?;
        let (elapsed, polled) = time(|| witness::poll(&new.folder, &[], None, None, None, |_, _| true));
        let polled = polled?;
        polled.cosignature.context("the log was not cosigned")?;
        ensure!(polled.status.counted == u64::from(STATIONS), "{:?}", polled.status.counted);
        witnessed = witnessed.min(elapsed);
    }
    let (verified, witnessed) = (verified.as_secs_f64(), witnessed.as_secs_f64());
    println!("witness 100,000 entries : verify them, s\t{witnessed:.4}\t{verified:.4}\t<= 1.5");
    Ok(())
}
