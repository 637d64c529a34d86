//! `cargo xtask bench quorum`: how long a checkpoint waits for its quorum of witnesses while 15,000 entries come in a second.
//!
//! Centre and witnesses would be on machines of their own; here they share these cores. So two things are done once that would be
//! done elsewhere: the records' signatures are checked before the clock starts, not by the centre's workers; and one recount,
//! which checks every signature again, serves all five witnesses. The lines that it prints say so.

#[path = "bench_quorum/witnesses.rs"]
mod witnesses;

mod bench_world;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, ensure};
use bench_world::World;
use rayon::prelude::*;
use tallyproof_centre::Intake;
use tallyproof_centre::intake::Authentic;
use tallyproof_cli::centre::{self, CentreConfig, GatherConfig, RunningCentre};
use witnesses::Witnesses;

const WITNESSES: usize = 5;
const NEEDED: usize = 4;
const SECONDS: u32 = 20;
/// A little more than the target, so that the clock's grain does not decide.
const RATE: u32 = 15_300;
/// Records are handed over this often,
const BEAT: Duration = Duration::from_millis(20);
/// and so many at a time.
const PER_BEAT: usize = 306;
/// The pace of rounds: as many of them as there are checkpoints.
const EVERY: Duration = Duration::from_secs(1);

fn main() -> anyhow::Result<()> {
    let log = bench_world::keys()?.verifier().clone();
    let witnesses = Witnesses::bind(WITNESSES)?;
    let world = World::asking(RATE * SECONDS, witnesses.policy(NEEDED))?;
    let folder = tempfile::tempdir()?;
    let intake = Intake::new(Arc::new(world.definition.clone()));
    let admitted = world.sealed.par_iter().map(|record| intake.admit(record.as_bytes().to_vec()));
    let admitted: Vec<Authentic> = admitted.collect::<Result<_, _>>().context("a record is refused")?;
    let config = CentreConfig {
        publish_every: Duration::MAX,
        gather: GatherConfig { every: EVERY, ..GatherConfig::default() },
        ..world.config(folder.path())?
    };
    let centre = centre::start(config)?;
    witnesses.follow(&folder.path().join("bundle"), &log, &Arc::new(world.definition.clone()), folder.path())?;
    let watched = thread::scope(|scope| {
        let watch = scope.spawn(|| watch(&centre));
        let fed = feed(&centre, admitted);
        let watched = watch.join();
        fed.map(|()| watched)
    })?;
    let Ok(Watched { rate, mut waits, behind }) = watched else { anyhow::bail!("the watch failed") };
    let recounted = witnesses.recounted();
    centre.shutdown()?;
    waits.sort_unstable();
    ensure!(
        waits.len() >= SECONDS as usize / 2,
        "only {} checkpoints had their quorum; {recounted} recounted",
        waits.len()
    );
    print(rate, &waits, behind, recounted);
    Ok(())
}

fn print(rate: f64, waits: &[Duration], behind: u64, recounted: u64) {
    let at = |percent: usize| {
        let rank = (percent * waits.len()).div_ceil(100);
        waits.get(rank.saturating_sub(1)).copied().unwrap_or_default().as_secs_f64()
    };
    println!(
        "centre: journal, receipts, sequencer, checkpoints, gatherer in full. Not in it: the workers' signature checks (done before the \
         clock starts), and index and pages"
    );
    println!(
        "witnesses: {WITNESSES}, {NEEDED} asked for; each with a port, an Ed25519 key, a state synced before its answer, and a \
         decision of its own. One recount with all signatures serves them all ({recounted} entries): five would be five machines. Not \
         in it: copies of the tiles, a network's delay"
    );
    println!(
        "{} checkpoints with their quorum, p50 {:.3} s, max {:.3} s; at the end {behind} entries without",
        waits.len(),
        at(50),
        at(100)
    );
    println!("quorum: log grows, entries/s\t{rate:.0}\t-\t>= 15000");
    println!("quorum: checkpoint to quorum, published, p99, s\t{:.3}\t-\t<= 1.5", at(99));
}

/// Hands the records over at the rate, in beats.
fn feed(centre: &RunningCentre, admitted: Vec<Authentic>) -> anyhow::Result<()> {
    let start = Instant::now();
    let mut records = admitted.into_iter();
    for beat in 1.. {
        let due = BEAT * beat;
        let part: Vec<_> = records.by_ref().take(PER_BEAT).collect();
        if part.is_empty() {
            return Ok(());
        }
        centre.take_admitted(part)?;
        thread::sleep((start + due).saturating_duration_since(Instant::now()));
    }
    Ok(())
}

struct Watched {
    /// Entries a second, from the first checkpoint with records to the last but one.
    rate: f64,
    /// From each checkpoint to its publication with the quorum.
    waits: Vec<Duration>,
    /// Entries at the end that no checkpoint with the quorum covers yet.
    behind: u64,
}

/// Notes when each checkpoint is published, and when with its quorum, until all records are in.
fn watch(centre: &RunningCentre) -> Watched {
    let all = u64::from(RATE * SECONDS) + 1;
    let mut published = BTreeMap::new();
    let mut cosigned = BTreeMap::new();
    loop {
        let stats = centre.stats();
        let now = Instant::now();
        published.entry(stats.tree_size).or_insert(now);
        cosigned.entry(stats.cosigned_size).or_insert(now);
        let end = published.get(&all).is_some_and(|at| at.elapsed() > Duration::from_secs(2));
        if end || stats.cosigned_size == all {
            break;
        }
        thread::sleep(Duration::from_millis(2));
    }
    // The first checkpoint is of the definition alone; the last comes when no more records do.
    let mut grown = published.iter().filter(|(size, _)| **size > 1 && **size < all);
    let (first, last) = (grown.next(), grown.next_back());
    let rate = first.zip(last).map_or(0.0, |((from, start), (to, end))| {
        f64::from(u32::try_from(to - from).unwrap_or(u32::MAX)) / end.duration_since(*start).as_secs_f64()
    });
    let wait = |(size, at): (&u64, &Instant)| Some(at.duration_since(*published.get(size).filter(|_| *size > 1)?));
    let waits = cosigned.iter().filter_map(wait).collect();
    let behind = all - cosigned.keys().next_back().copied().unwrap_or(0);
    Watched { rate, waits, behind }
}
