//! The publisher thread: orders batches into the log, signs checkpoints, and writes the bundle.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::sync::mpsc::{self, Receiver, RecvTimeoutError};
use std::time::{Duration, Instant};

use anyhow::Context;
use tallyproof_centre::Sequencer;
use tallyproof_centre::intake::Authentic;
use tallyproof_centre::journal::Cut;
use tallyproof_centre::sequencer::Growth;
use tallyproof_count::{Judged, Totals, bundle, manifest::Manifest, policy};
use tallyproof_log::checkpoint::Checkpoint;
use tallyproof_site::SiteInput;
use tallyproof_store::bundle::BundleError;
use tallyproof_store::{BundleFolder, LastCheckpoint, LastError};

use super::shared::{Shared, add};

/// Wait between two attempts to write a bundle that cannot be written (a full disk).
const RETRY: Duration = Duration::from_millis(500);

/// What the publisher thread is told.
#[derive(Debug)]
pub(super) enum ToPublisher {
    /// A batch whose end is durable in the journal.
    Batch(Cut, Vec<Authentic>),
    /// Publish index, pages and manifest now, then say so.
    Everything(Option<mpsc::Sender<()>>),
}

/// The log, and the folder that it is published in.
pub(super) struct Publisher {
    pub(super) shared: Arc<Shared>,
    pub(super) sequencer: Sequencer,
    pub(super) bundle: BundleFolder,
    pub(super) last: LastCheckpoint,
}

impl Publisher {
    /// Runs until the journal thread ends, or the centre halts. Publishes everything at most every `period`.
    pub(super) fn run(mut self, inbox: &Receiver<ToPublisher>, publishing: &AtomicBool, period: Duration) {
        let mut published = Instant::now();
        let mut behind = false;
        while self.shared.halted().is_none() {
            let wait = if behind { period.saturating_sub(published.elapsed()) } else { Duration::from_secs(1) };
            match inbox.recv_timeout(wait) {
                Ok(ToPublisher::Batch(cut, batch)) => {
                    self.take(cut, batch);
                    behind = true;
                    publishing.store(false, Relaxed);
                }
                Ok(ToPublisher::Everything(done)) => {
                    self.publish_until_done();
                    (behind, published) = (false, Instant::now());
                    // Whoever asked may have gone.
                    let _ = done.map(|done| done.send(()));
                }
                Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => break,
            }
            // The kernel's counter of drops goes round; somebody has to look at it even if nobody asks for it.
            self.shared.kernel_drops();
            if behind && published.elapsed() >= period {
                self.publish_until_done();
                (behind, published) = (false, Instant::now());
            }
        }
        if let Err(error) = self.bundle.close() {
            tracing::warn!(%error, "the staging folder stays behind");
        }
    }

    fn take(&mut self, cut: Cut, mut batch: Vec<Authentic>) {
        let growth = match self.sequencer.cut(cut, &mut batch) {
            Ok(growth) => growth,
            // A log that goes on after a failed step ends up with two histories.
            Err(error) => return self.shared.halt(error.to_string()),
        };
        self.until_done(|publisher| publisher.put_tiles(&growth).and_then(|()| publisher.promise()));
        self.count(growth.first, &batch);
    }

    /// Applies a batch to the live count.
    pub(super) fn count(&self, first: u64, batch: &[Authentic]) {
        let mut ledger = self.shared.ledger_mut();
        for (index, record) in (first..).zip(batch) {
            ledger.apply(index, record.judged());
        }
    }

    /// Applies entry 0 to the live count.
    pub(super) fn count_definition(&self) {
        self.shared.ledger_mut().apply(0, &Judged::Definition { matches: true });
    }

    /// Writes the tiles of a step.
    pub(super) fn put_tiles(&self, growth: &Growth) -> anyhow::Result<()> {
        let tiles = growth.tiles.iter().map(|(path, bytes)| (path.to_string(), bytes.as_slice()));
        Ok(self.bundle.put_tiles(tiles)?)
    }

    /// Signs the tree and publishes the checkpoint. What was signed is remembered, beside the journal, before anyone sees it.
    pub(super) fn promise(&self) -> anyhow::Result<()> {
        let tree = self.sequencer.tree();
        let origin = self.shared.keys.verifier().name().clone();
        let note = Checkpoint { origin, size: tree.size(), root: tree.root() }.sign(&self.shared.keys.log)?;
        self.last.write(note.as_bytes())?;
        self.bundle.put_checkpoint(note.as_bytes())?;
        self.shared.counters.tree_size.store(tree.size(), Relaxed);
        Ok(())
    }

    /// Writes everything but the log: definition, keys, policy, index, pages, and the manifest over them.
    pub(super) fn publish(&self) -> anyhow::Result<()> {
        let mut files: BTreeMap<String, Vec<u8>> = BTreeMap::new();
        for (name, bytes) in &self.shared.definition.canonical().files {
            files.insert(format!("election/{name}"), bytes.clone());
        }
        files.extend(self.witnesses()?);
        files.extend(self.index_and_pages());
        let manifest = self.manifest(&files)?;
        let mut files: Vec<_> = files.into_iter().collect();
        // Last, so that a reader who finds a new manifest finds what it lists.
        files.push((bundle::MANIFEST.to_owned(), manifest.into_bytes()));
        Ok(self.bundle.publish(&files)?)
    }

    /// Keys and policy, as the log puts them in force.
    fn witnesses(&self) -> anyhow::Result<[(String, Vec<u8>); 2]> {
        let (ledger, log) = (self.shared.ledger(), self.shared.keys.verifier());
        let vkeys: String = policy::vkeys(&ledger, log).iter().map(|key| format!("{key}\n")).collect();
        let policy = policy::in_force(&ledger, log)?.to_string();
        Ok([(bundle::VKEYS.to_owned(), vkeys.into_bytes()), (bundle::POLICY.to_owned(), policy.into_bytes())])
    }

    fn index_and_pages(&self) -> Vec<(String, Vec<u8>)> {
        let ledger = self.shared.ledger();
        let root = self.sequencer.tree().root();
        let log = self.shared.keys.verifier();
        let mut files =
            tallyproof_site::render(&SiteInput { ledger: &ledger, totals: &Totals::of(&ledger), root: &root, log });
        files.extend(bundle::index_files(&ledger).map(|(path, bytes)| (path.to_owned(), bytes)));
        files
    }

    fn manifest(&self, files: &BTreeMap<String, Vec<u8>>) -> anyhow::Result<String> {
        let tree = self.sequencer.tree();
        let origin = self.shared.keys.verifier().name().clone();
        let mut manifest = Manifest { origin, tree_size: tree.size(), root: tree.root(), files: BTreeMap::new() };
        for (path, bytes) in files {
            let path = path.parse().with_context(|| format!("{path} cannot stand in a bundle"))?;
            manifest.insert(path, bytes);
        }
        Ok(manifest.sign(&self.shared.keys.log)?)
    }

    fn publish_until_done(&self) {
        self.until_done(|publisher| publisher.shared.pool.install(|| publisher.publish()));
    }

    /// A disk that is full now may have room again: records go on being received meanwhile. A bundle that holds something else
    /// is not a matter of waiting.
    fn until_done(&self, step: impl Fn(&Self) -> anyhow::Result<()>) {
        while let Err(error) = step(self) {
            add(&self.shared.counters.publish_failures, 1);
            self.shared.counters.publishing_fails.store(true, Relaxed);
            tracing::error!(error = format!("{error:#}"), "the bundle cannot be written");
            if !may_pass(&error) {
                return self.shared.halt(format!("{error:#}"));
            }
            if self.shared.is_draining() || self.shared.halted().is_some() {
                return self.shared.halt(format!("{error:#}"));
            }
            std::thread::sleep(RETRY);
        }
        self.shared.counters.publishing_fails.store(false, Relaxed);
    }
}

/// Whether the disk alone is at fault, that of the bundle or that of the journal.
fn may_pass(error: &anyhow::Error) -> bool {
    error.is::<LastError>() || matches!(error.downcast_ref(), Some(BundleError::Io { .. }))
}
