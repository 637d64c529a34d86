//! Start: from the journal back to the log, the count and the known records.

use std::path::Path;
use std::sync::mpsc::Sender;
use std::sync::{Arc, RwLock};

use anyhow::{Context, ensure};
use rayon::prelude::*;
use tallyproof_centre::intake::{self, Authentic};
use tallyproof_centre::journal::{Cut, Step};
use tallyproof_centre::promise::Promise;
use tallyproof_centre::restart::{self, Batch, Rebuild};
use tallyproof_centre::{Journal, Sequencer};
use tallyproof_log::checkpoint;
use tallyproof_store::journal::JournalError;
use tallyproof_store::{BundleFolder, LastCheckpoint, SqliteJournal};

use super::bulletins::Published;
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
    let cosigned = promise_in(shared, bundle.cosigned()?, &bundle.root().join("log/cosigned"))?;
    let end = promise_in(shared, frozen.clone(), last.frozen().path())?;
    let final_checkpoint = end.as_ref().map(|end| end.checkpoint.clone());
    let held = cosigned.into_iter().chain(end).chain(held).collect();
    let place = last.path().display().to_string();
    let found = restart::Memory { last: journal.last(), published, signed, place, held };
    let (rebuild, first) = Rebuild::begin(&shared.definition, found)?;
    // Until the journal's own takes its place.
    let (empty, _) = Sequencer::begin(&shared.definition)?;
    let (shared, sequencer) = (Arc::clone(shared), Arc::new(RwLock::new(empty)));
    let publisher = Publisher {
        shared,
        sequencer,
        bundle,
        last,
        gatherer,
        cosigned: None,
        frozen,
        bulletins: Published::default(),
    };
    if let Some(first) = first {
        publisher.put_tiles(&first)?;
    }
    publisher.count_definition();
    let mut replay = Replay { publisher, rebuild, raw: Vec::new() };
    journal.replay(|step| replay.step(step)).map_err(|Failure(error)| error)?;
    replay.judge()?;
    let Replay { mut publisher, rebuild, .. } = replay;
    let (sequencer, batch) = rebuild.finish()?;
    publisher.sequencer = Arc::new(RwLock::new(sequencer));
    publisher.cosigned = witnessed(&publisher.shared, &publisher.bundle)?;
    match &publisher.frozen {
        None => publisher.promise()?,
        Some(note) => {
            let at_its_end = batch.is_empty() && final_checkpoint.as_ref() == Some(&publisher.checkpoint());
            ensure!(
                at_its_end,
                "the journal holds records beyond the final checkpoint: keep it, it is not of this log"
            );
            // It may have been found in the bundle alone, or not be durable yet.
            publisher.last.frozen().write(note)?;
            publisher.bundle.put_checkpoint(note)?;
            if publisher.shared.asks_for_witnesses() {
                publisher.bundle.put_cosigned(note)?;
            }
        }
    }
    if cfg!(debug_assertions) {
        let known: Vec<_> = batch.iter().map(|it| *it.digest()).collect();
        publisher.check(journal.last(), Some(batch.len() as u64), &known)?;
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
    rebuild: Rebuild,
    /// Records read and not judged yet.
    raw: Vec<Vec<u8>>,
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
            self.rebuild.record(&shared.intake, record, |record| {
                shared.known(record.digest()).restore(*record.digest());
                shared.outstanding.settle(record.station(), record.contest());
            })?;
        }
        Ok(())
    }

    fn cut(&mut self, cut: Cut) -> anyhow::Result<()> {
        let Batch { growth, unpublished, records } = self.rebuild.cut(cut)?;
        if unpublished {
            self.publisher.put_tiles(&growth)?;
        }
        self.publisher.count(growth.first, &records);
        Ok(())
    }
}
