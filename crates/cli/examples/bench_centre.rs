//! `cargo xtask bench centre`: how many records a second the whole centre takes, without the network.
//!
//! Durable, deduplicated and integrated: each record is judged, journalled and receipted, and the clock stops when a
//! checkpoint over all of them is published with index and manifest. The reference is what the signatures alone cost on these
//! cores in the same run: one `verify_strict` and one receipt for each record.

mod bench_world;

use std::time::Duration;

use anyhow::ensure;
use bench_world::{World, time};
use ed25519_dalek::SigningKey;
use rayon::prelude::*;
use tallyproof_record::cose;
use tallyproof_record::receipt::Receipt;

const RECORDS: u32 = 100_000;

fn main() -> anyhow::Result<()> {
    let world = World::new(RECORDS)?;
    let signatures = signatures_alone(&world)?;
    let folder = tempfile::tempdir()?;
    let (receipted, published) = world.run_centre(folder.path())?;
    let rate = |elapsed: Duration| f64::from(RECORDS) / elapsed.as_secs_f64();
    println!("centre: receipted records/s\t{:.0}\t-\t>= 15000", rate(receipted));
    println!("centre: durable, integrated entries/s\t{:.0}\t-\t>= 15000", rate(published));
    let (published, signatures) = (published.as_secs_f64(), signatures.as_secs_f64());
    println!("centre : signatures alone, s\t{published:.4}\t{signatures:.4}\t<= 1.5");
    Ok(())
}

fn signatures_alone(world: &World) -> anyhow::Result<Duration> {
    let log_key = SigningKey::from_bytes(&[1; 32]);
    let keys = world.keys();
    let (elapsed, hold) = time(|| {
        world.sealed.par_iter().zip(&keys).all(|(record, key)| {
            let Ok(open) = cose::open(record.as_bytes()) else { return false };
            let receipt = Receipt { station: open.tally.station, contest: open.tally.contest, digest: record.digest() };
            open.verify(key.verifying()).is_ok() && receipt.sign(world.definition.hash(), &log_key)[0] == b'T'
        })
    });
    ensure!(hold, "a signature does not hold");
    Ok(elapsed)
}
