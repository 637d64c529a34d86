//! Bulletins of a night: drafted at a checkpoint with the witnesses' quorum, signed by two members of the drill's authority, handed to
//! the centre like any other statement, and published by it.

use std::path::Path;
use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, anyhow, bail, ensure};
use schemars::JsonSchema;
use serde::Serialize;
use tallyproof_count::bulletin::Document;
use tallyproof_count::bundle::{BulletinFile, COSIGNED};
use tallyproof_drill::authority;
use tallyproof_drill::keys::Seed;
use tallyproof_log::checkpoint::Checkpoint;
use tallyproof_log::note::SignedNote;
use tallyproof_record::statement::{Act, Draft, Signed, Statement};

use super::waves::Due;
use crate::centre::{Answer, CentreStats, RunningCentre};

/// How long the witnesses may take to recount the log and cosign it.
const QUORUM: Duration = Duration::from_mins(10);
/// How often the centre is asked whether they have.
const LOOK_EVERY: Duration = Duration::from_millis(5);
/// From the close of the polls to the first bulletin, and from each to the next, in seconds: a clock's time would give each run
/// another log.
const HOUR: u64 = 3_600;

/// One bulletin of a night.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct BulletinRow {
    /// Its number.
    pub number: u32,
    /// Log entries that it covers.
    pub tree_size: u64,
    /// Stations counted under it, once for each contest.
    pub counted: u64,
    /// Stations of the register, once for each contest that they vote in.
    pub expected: u64,
    /// The share of the records expected at which it was due.
    pub share: String,
    /// Seconds from the checkpoint with the witnesses' quorum to its files in the bundle.
    pub seconds: f64,
}

/// Issues the bulletin that is due, at the checkpoint that is published.
pub(super) fn issue(centre: &RunningCentre, bundle: &Path, due: Due, seed: Seed) -> anyhow::Result<BulletinRow> {
    await_quorum(centre)?;
    let cosigned = Instant::now();
    let document = draft(centre, due.number, &checkpoint(bundle)?)?;
    let signed = sign(centre, &document, seed)?;
    match centre.submitter().submit(signed.to_bytes()).wait() {
        Answer::Receipt(_) => {}
        answer => bail!("the centre did not take bulletin {}: {answer:?}", due.number),
    }
    let published = publish(centre, bundle, due.number)?;
    let seconds = published.duration_since(cosigned).as_secs_f64();
    let summary = centre.ledger().summary();
    Ok(BulletinRow {
        number: due.number,
        tree_size: document.tree_size,
        counted: summary.counted,
        expected: summary.expected,
        share: due.share.to_string(),
        seconds,
    })
}

/// Ends the batch; tells when the bulletin's document, which is the last of its files, is in the bundle. Pages come after it.
fn publish(centre: &RunningCentre, bundle: &Path, number: u32) -> anyhow::Result<Instant> {
    let document = bundle.join(BulletinFile::Json.path(number));
    thread::scope(|scope| {
        let cut = scope.spawn(|| centre.cut_now());
        while !document.exists() && !cut.is_finished() {
            thread::sleep(LOOK_EVERY);
        }
        let published = Instant::now();
        cut.join().map_err(|_| anyhow!("the batch did not end"))??;
        ensure!(document.exists(), "bulletin {number} is not in the bundle");
        Ok(published)
    })
}

fn await_quorum(centre: &RunningCentre) -> anyhow::Result<()> {
    let begun = Instant::now();
    let covers = |stats: CentreStats| stats.cosigned_size >= stats.tree_size;
    while !covers(centre.stats()) {
        ensure!(begun.elapsed() < QUORUM, "the witnesses' quorum did not come within {} s", QUORUM.as_secs());
        thread::sleep(LOOK_EVERY);
    }
    Ok(())
}

/// What the witnesses cosigned last.
fn checkpoint(bundle: &Path) -> anyhow::Result<Checkpoint> {
    let path = bundle.join(COSIGNED);
    let note = std::fs::read(&path).with_context(|| format!("cannot read {}", path.display()))?;
    Ok(SignedNote::parse(&note)?.text().parse()?)
}

fn draft(centre: &RunningCentre, number: u32, checkpoint: &Checkpoint) -> anyhow::Result<Document> {
    let ledger = centre.ledger();
    ensure!(ledger.entries() == checkpoint.size, "the log grew while a bulletin was drafted");
    let close = ledger.definition().election().polls_close().map_or(0, |close| close.unix);
    let made_at = close.saturating_add(HOUR.saturating_mul(u64::from(number)));
    Ok(Document::of(&ledger, number, made_at, checkpoint.root))
}

/// As the members would, each on a machine of their own; here one after the other.
fn sign(centre: &RunningCentre, document: &Document, seed: Seed) -> anyhow::Result<Signed> {
    let definition = Arc::clone(centre.ledger().definition());
    let statement = Statement {
        election: *definition.hash(),
        phase: definition.election().phase(),
        made_at: document.made_at,
        act: Act::Bulletin(document.statement(&document.to_json())),
    };
    let mut signers = authority::signers(seed);
    let mut signed = Draft::new(&statement)?.sign(&signers.next().context("nobody signs")?);
    signers.try_for_each(|signer| signed.sign(&signer))?;
    Ok(signed)
}
