//! Start: from the journal back to the log, the count and the known records.

use std::path::Path;
use std::sync::mpsc::Sender;
use std::sync::{Arc, PoisonError, RwLock};

use anyhow::{Context, anyhow, ensure};
use rayon::prelude::*;
use tallyproof_centre::intake::{self, Authentic};
use tallyproof_centre::journal::{Cut, Step};
use tallyproof_centre::promise::{self, Promise};
use tallyproof_centre::{Journal, Sequencer};
use tallyproof_log::checkpoint;
use tallyproof_store::journal::JournalError;
use tallyproof_store::{BundleFolder, LastCheckpoint, SqliteJournal};

use super::gather::ToGatherer;
use super::publisher::{Publisher, Witnessed};
use super::shared::Shared;

/// Records read from the journal before they are judged together.
const CHUNK: usize = 8192;

/// Where what the centre has said before is found.
pub(super) struct Memory {
    pub(super) bundle: BundleFolder,
    pub(super) last: LastCheckpoint,
    /// What witnesses hold.
    pub(super) held: Vec<Promise>,
    /// The final checkpoint, if there is one.
    pub(super) frozen: Option<Vec<u8>>,
}

/// Rebuilds everything from the journal, and publishes what a crash kept from being published.
///
/// Returns the publisher, and the records that no cut covers yet.
pub(super) fn restore(
    shared: &Arc<Shared>,
    journal: &mut SqliteJournal,
    Memory { bundle, last, held, frozen }: Memory,
    gatherer: Sender<ToGatherer>,
) -> anyhow::Result<(Publisher, Vec<Authentic>)> {
    let published = promise_in(shared, bundle.checkpoint()?, &bundle.root().join("log/checkpoint"))?;
    let signed = promise_in(shared, last.read()?, last.path())?;
    ensure!(
        signed.is_some() || journal.last() == 0,
        "{} is missing, although the journal holds records: without it a rolled-back journal would go unseen. If you are certain \
         that the journal is the newest, copy the last published log/checkpoint there",
        last.path().display()
    );
    let from = published.as_ref().map_or(0, |promise| promise.checkpoint.size);
    let cosigned = promise_in(shared, bundle.cosigned()?, &bundle.root().join("log/cosigned"))?;
    let end = promise_in(shared, frozen.clone(), last.frozen().path())?;
    let final_checkpoint = end.as_ref().map(|end| end.checkpoint.clone());
    let promises: Vec<_> = published.into_iter().chain(signed).chain(cosigned).chain(end).chain(held).collect();
    let (sequencer, first) = Sequencer::begin(&shared.definition)?;
    let (shared, sequencer) = (Arc::clone(shared), Arc::new(RwLock::new(sequencer)));
    let publisher = Publisher { shared, sequencer, bundle, last, gatherer, cosigned: None, frozen };
    if from == 0 {
        publisher.put_tiles(&first)?;
    }
    publisher.count_definition();
    let mut replay = Replay { publisher, from, promises, raw: Vec::new(), batch: Vec::new(), row: 0 };
    journal.replay(|step| replay.step(step)).map_err(|Failure(error)| error)?;
    replay.judge()?;
    promise::check(&replay.promises, replay.publisher.sequencer().tree())?;
    let Replay { mut publisher, batch, .. } = replay;
    publisher.cosigned = witnessed(&publisher.shared, &publisher.bundle)?;
    match &publisher.frozen {
        None => publisher.promise()?,
        Some(note) => {
            let at_its_end = batch.is_empty() && final_checkpoint.as_ref() == Some(&publisher.checkpoint());
            ensure!(
                at_its_end,
                "the journal holds records beyond the final checkpoint: keep it, it is not of this log"
            );
            publisher.bundle.put_checkpoint(note)?;
            if publisher.shared.asks_for_witnesses() {
                publisher.bundle.put_cosigned(note)?;
            }
        }
    }
    publisher.publish()?;
    Ok((publisher, batch))
}

/// Who cosigned the published checkpoint that has the quorum.
fn witnessed(shared: &Shared, bundle: &BundleFolder) -> anyhow::Result<Option<Witnessed>> {
    let Some(note) = bundle.cosigned()? else { return Ok(None) };
    let policy = shared.policy();
    let witnesses = policy.witnesses().iter().map(|witness| witness.key.clone());
    let log = shared.keys.verifier();
    let keys: Vec<_> = witnesses.chain([log.clone()]).collect();
    // Whatever is wrong with it is made good by the next one.
    let Ok(opened) = checkpoint::open(&note, &keys, log.name().as_str()) else { return Ok(None) };
    let names = policy.cosigners(opened.note()).into_iter().map(str::to_owned).collect();
    Ok(Some(Witnessed { size: opened.checkpoint().size, witnesses: names }))
}

fn promise_in(shared: &Shared, note: Option<Vec<u8>>, place: &Path) -> anyhow::Result<Option<Promise>> {
    let Some(note) = note else { return Ok(None) };
    let key = shared.keys.verifier();
    let opened = checkpoint::open(&note, std::slice::from_ref(key), key.name().as_str())
        .with_context(|| format!("{} is not a checkpoint of this log's key", place.display()))?;
    Ok(Some(Promise { place: place.display().to_string(), checkpoint: opened.checkpoint().clone() }))
}

struct Replay {
    publisher: Publisher,
    /// Size up to which the bundle is published.
    from: u64,
    promises: Vec<Promise>,
    /// Records read and not judged yet.
    raw: Vec<Vec<u8>>,
    /// Judged records of the batch that is being read.
    batch: Vec<Authentic>,
    /// Number of the last record judged.
    row: u64,
}

/// Carries any error through the journal's replay.
struct Failure(anyhow::Error);

impl From<JournalError> for Failure {
    fn from(error: JournalError) -> Self {
        Self(error.into())
    }
}

impl Replay {
    fn step(&mut self, step: Step<'_>) -> Result<(), Failure> {
        let done = match step {
            Step::Record(row) => {
                self.raw.push(row.record.to_vec());
                // A record after a key change may be signed with the new key.
                let complete = self.raw.len() >= CHUNK || intake::changes_keys(row.record);
                if complete { self.judge() } else { Ok(()) }
            }
            Step::Cut(cut) => self.judge().and_then(|()| self.cut(cut)),
        };
        done.map_err(Failure)
    }

    /// Judges what was read, on all cores.
    fn judge(&mut self) -> anyhow::Result<()> {
        let shared = &self.publisher.shared;
        let raw = std::mem::take(&mut self.raw);
        let judged: Vec<_> = raw.into_par_iter().map(|bytes| shared.intake.recall(bytes)).collect();
        for record in judged {
            self.row += 1;
            let row = self.row;
            let record = record.map_err(|refusal| anyhow!("journal record {row}: {refusal}"))?;
            shared.intake.note(&record);
            shared.known(record.digest()).restore(*record.digest());
            shared.outstanding.settle(record.station(), record.contest());
            self.batch.push(record);
        }
        Ok(())
    }

    fn cut(&mut self, cut: Cut) -> anyhow::Result<()> {
        let mut batch = std::mem::take(&mut self.batch);
        let growth = {
            let mut sequencer = self.publisher.sequencer.write().unwrap_or_else(PoisonError::into_inner);
            let growth = sequencer.cut(cut, &mut batch)?;
            let reached: Vec<_> = self.promises.iter().filter(|p| p.checkpoint.size <= growth.size).cloned().collect();
            promise::check(&reached, sequencer.tree())?;
            growth
        };
        if growth.size > self.from {
            self.publisher.put_tiles(&growth)?;
        }
        self.publisher.count(growth.first, &batch);
        Ok(())
    }
}
