//! The publisher thread: orders batches into the log, signs checkpoints, and writes the bundle.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::sync::mpsc::{self, Receiver, RecvTimeoutError};
use std::sync::{Arc, PoisonError, RwLock, RwLockReadGuard};
use std::time::{Duration, Instant};

use anyhow::Context;
use tallyproof_centre::Sequencer;
use tallyproof_centre::gatherer::Cosigned;
use tallyproof_centre::intake::Authentic;
use tallyproof_centre::invariants;
use tallyproof_centre::journal::Cut;
use tallyproof_centre::publication::{self, Shelf};
use tallyproof_centre::sequencer::Growth;
use tallyproof_count::manifest::{Manifest, file_hash};
use tallyproof_count::{Judged, Totals, bundle, policy};
use tallyproof_log::checkpoint::Checkpoint;
use tallyproof_log::merkle::Hash;
use tallyproof_log::note::SignedNote;
use tallyproof_record::cose::RecordDigest;
use tallyproof_record::entry::Place;
use tallyproof_site::{SiteInput, Witnessing};
use tallyproof_store::bundle::BundleError;
use tallyproof_store::{BundleFolder, LastCheckpoint, LastError};

use super::bulletins::Published;
use super::gather::ToGatherer;
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
    /// A checkpoint has more cosignatures than before.
    Cosigned(Box<Cosigned>),
    /// This checkpoint is the last: publish everything as finished, then say so. No batch comes before or after it any more.
    Freeze(Box<Cosigned>, mpsc::Sender<()>),
}

/// The log, and the folder that it is published in.
pub(super) struct Publisher {
    pub(super) shared: Arc<Shared>,
    /// The gatherer reads its tree for proofs.
    pub(super) sequencer: Arc<RwLock<Sequencer>>,
    pub(super) bundle: BundleFolder,
    pub(super) last: LastCheckpoint,
    /// Hears of every checkpoint that is published.
    pub(super) gatherer: mpsc::Sender<ToGatherer>,
    /// The latest checkpoint with the quorum, if the policy asks for one.
    pub(super) cosigned: Option<Witnessed>,
    /// The final checkpoint, once there is one.
    pub(super) frozen: Option<Vec<u8>>,
    /// The files of bulletins.
    pub(super) bulletins: Published,
}

/// Who has seen how much of the log.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Witnessed {
    pub(super) size: u64,
    pub(super) witnesses: Vec<String>,
}

/// The bundle, and the file beside the journal.
struct Folders<'a> {
    bundle: &'a BundleFolder,
    last: &'a LastCheckpoint,
}

impl Shelf for Folders<'_> {
    type Error = anyhow::Error;

    fn put_tiles(&mut self, growth: &Growth) -> anyhow::Result<()> {
        let tiles = growth.tiles.iter().map(|(path, bytes)| (path.to_string(), bytes.as_slice()));
        Ok(self.bundle.put_tiles(tiles)?)
    }

    fn remember(&mut self, note: &[u8]) -> anyhow::Result<()> {
        Ok(self.last.write(note)?)
    }

    fn put_checkpoint(&mut self, note: &[u8]) -> anyhow::Result<()> {
        Ok(self.bundle.put_checkpoint(note)?)
    }
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
                    let bulletin = batch.iter().any(|it| matches!(it.place(), Place::Bulletin(_)));
                    self.take(cut, batch);
                    behind = true;
                    if bulletin {
                        // People wait for it.
                        self.publish_until_done();
                        (behind, published) = (false, Instant::now());
                    }
                    publishing.store(false, Relaxed);
                }
                Ok(ToPublisher::Everything(done)) => {
                    self.publish_until_done();
                    (behind, published) = (false, Instant::now());
                    // Whoever asked may have gone.
                    let _ = done.map(|done| done.send(()));
                }
                Ok(ToPublisher::Cosigned(cosigned)) => behind |= self.take_cosigned(&cosigned),
                Ok(ToPublisher::Freeze(cosigned, done)) => {
                    self.freeze(&cosigned);
                    (behind, published) = (false, Instant::now());
                    let _ = done.send(());
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
        let growth = self.sequencer.write().unwrap_or_else(PoisonError::into_inner).cut(cut, &mut batch);
        let growth = match growth {
            Ok(growth) => growth,
            // A log that goes on after a failed step ends up with two histories.
            Err(error) => return self.shared.halt(error.to_string()),
        };
        self.until_done(|publisher| publisher.put_tiles(&growth));
        if self.shared.halted().is_some() {
            return;
        }
        // A policy is in force for the checkpoint that it is in: the gatherer hears of it first.
        let changes_policy = batch.iter().any(|it| matches!(it.place(), Place::Policy(_)));
        if changes_policy {
            self.count(growth.first, &batch);
        }
        self.until_done(Self::promise);
        if !changes_policy {
            self.count(growth.first, &batch);
        }
        let durable: Vec<_> = batch.iter().map(|it| *it.digest()).collect();
        if cfg!(debug_assertions)
            && let Err(broken) = self.check(cut.seq_end, None, &durable)
        {
            self.shared.halt(broken.to_string());
        }
    }

    /// Whether log, count, promise and what is known fit together, after a batch or, with the records in none, after a start.
    pub(super) fn check(
        &self,
        journalled: u64,
        uncut: Option<u64>,
        durable: &[RecordDigest],
    ) -> Result<(), invariants::Broken> {
        let note = self.last.read().ok().flatten().and_then(|note| SignedNote::parse(&note).ok());
        let signed: Option<Checkpoint> = note.and_then(|note| note.text().parse().ok());
        let (sequencer, ledger) = (self.sequencer(), self.shared.ledger());
        let state = invariants::State { sequencer: &sequencer, ledger: &ledger, signed: signed.as_ref(), journalled };
        match uncut {
            Some(uncut) => invariants::check_start(&state, uncut)?,
            None => invariants::check(&state)?,
        }
        invariants::check_known(durable, |digest| self.shared.known(digest).holds(digest))
    }

    pub(super) fn sequencer(&self) -> RwLockReadGuard<'_, Sequencer> {
        // A thread that panicked while it read left it whole.
        self.sequencer.read().unwrap_or_else(PoisonError::into_inner)
    }

    /// Publishes what witnesses said. Says whether the pages are now behind.
    fn take_cosigned(&mut self, cosigned: &Cosigned) -> bool {
        // What is final stays as it was pinned.
        if self.frozen.is_some() {
            return false;
        }
        if self.is_latest(&cosigned.checkpoint) {
            self.until_done(|publisher| Ok(publisher.bundle.put_checkpoint(cosigned.note.as_bytes())?));
        }
        let size = cosigned.checkpoint.size;
        // Of the time before another policy, and judged by that one.
        let ledger = self.shared.ledger();
        if ledger.policy_lines_at(size) != ledger.policy_lines() {
            return false;
        }
        drop(ledger);
        if !cosigned.quorum || self.cosigned.as_ref().is_some_and(|earlier| earlier.size > size) {
            return false;
        }
        if self.shared.asks_for_witnesses() {
            self.until_done(|publisher| Ok(publisher.bundle.put_cosigned(cosigned.note.as_bytes())?));
            self.shared.counters.cosigned_size.store(size, Relaxed);
        }
        let witnessed = Some(Witnessed { size, witnesses: cosigned.witnesses.clone() });
        let news = self.cosigned != witnessed;
        self.cosigned = witnessed;
        news
    }

    fn is_latest(&self, checkpoint: &Checkpoint) -> bool {
        let sequencer = self.sequencer();
        let tree = sequencer.tree();
        tree.size() == checkpoint.size && tree.root() == checkpoint.root
    }

    /// Publishes everything as finished. The mark is durable first: a centre that starts again signs nothing more, and can publish
    /// the same again.
    fn freeze(&mut self, cosigned: &Cosigned) {
        if !self.is_latest(&cosigned.checkpoint) {
            return self.shared.halt("the last checkpoint is not that of the log: nothing is frozen".into());
        }
        self.take_cosigned(cosigned);
        let note = cosigned.note.as_bytes();
        self.until_done(|publisher| Ok(publisher.last.frozen().write(note)?));
        self.frozen = Some(note.to_vec());
        self.publish_until_done();
    }

    /// Applies a batch to the live count.
    pub(super) fn count(&self, first: u64, batch: &[Authentic]) {
        let mut ledger = self.shared.ledger_mut();
        for (index, record) in (first..).zip(batch) {
            ledger.apply(index, record.judged());
        }
        let changes = |it: &Authentic| matches!(it.place(), Place::Policy(_));
        if batch.iter().any(changes)
            && let Ok(policy) = policy::in_force(&ledger, self.shared.keys.verifier())
        {
            self.shared.set_policy(policy.clone());
            // The gatherer is gone only if the centre stops.
            let _ = self.gatherer.send(ToGatherer::Policy(Box::new(policy)));
        }
    }

    /// Applies entry 0 to the live count.
    pub(super) fn count_definition(&self) {
        self.shared.ledger_mut().apply(0, &Judged::Definition { matches: true });
    }

    /// Writes the tiles of a step.
    pub(super) fn put_tiles(&self, growth: &Growth) -> anyhow::Result<()> {
        self.shelf().put_tiles(growth)
    }

    /// Signs the tree and publishes the checkpoint.
    pub(super) fn promise(&self) -> anyhow::Result<()> {
        let checkpoint = self.checkpoint();
        let sign = || anyhow::Ok(checkpoint.sign(&self.shared.keys.log)?);
        let note = publication::promise(&mut self.shelf(), sign)?;
        self.shared.counters.tree_size.store(checkpoint.size, Relaxed);
        // The gatherer is gone only if the centre stops.
        let _ = self.gatherer.send(ToGatherer::Signed(SignedNote::parse(note.as_bytes())?));
        Ok(())
    }

    fn shelf(&self) -> Folders<'_> {
        Folders { bundle: &self.bundle, last: &self.last }
    }

    /// What the log states now.
    pub(super) fn checkpoint(&self) -> Checkpoint {
        let origin = self.shared.keys.verifier().name().clone();
        let sequencer = self.sequencer();
        let tree = sequencer.tree();
        Checkpoint { origin, size: tree.size(), root: tree.root() }
    }

    /// Writes everything but the log: bulletins, definition, keys, policy, index, pages, and the manifest over them.
    pub(super) fn publish(&self) -> anyhow::Result<()> {
        let bulletins = self.bulletins.bring_up_to_date(&self.shared, &self.sequencer, &self.bundle)?;
        let mut files: BTreeMap<String, Vec<u8>> = BTreeMap::new();
        for (name, bytes) in &self.shared.definition.canonical().files {
            files.insert(format!("election/{name}"), bytes.clone());
        }
        files.extend(self.witnesses());
        files.extend(self.frozen.clone().map(|note| (bundle::FROZEN.to_owned(), note)));
        files.extend(self.index_and_pages());
        let manifest = self.manifest(&files, bulletins)?;
        let mut files: Vec<_> = files.into_iter().collect();
        // Last, so that a reader who finds a new manifest finds what it lists.
        files.push((bundle::MANIFEST.to_owned(), manifest.into_bytes()));
        Ok(self.bundle.publish(&files)?)
    }

    /// Keys and policy, as the log puts them in force.
    fn witnesses(&self) -> [(String, Vec<u8>); 2] {
        let (ledger, log) = (self.shared.ledger(), self.shared.keys.verifier());
        let vkeys: String = policy::vkeys(&ledger, log).iter().map(|key| format!("{key}\n")).collect();
        let policy = self.shared.policy().to_string();
        [(bundle::VKEYS.to_owned(), vkeys.into_bytes()), (bundle::POLICY.to_owned(), policy.into_bytes())]
    }

    fn index_and_pages(&self) -> Vec<(String, Vec<u8>)> {
        let ledger = self.shared.ledger();
        let Checkpoint { root, .. } = self.checkpoint();
        let log = self.shared.keys.verifier();
        let totals = Totals::of(&ledger);
        let witnessing = self.witnessing();
        let mut files =
            tallyproof_site::render(&SiteInput { ledger: &ledger, totals: &totals, root: &root, log, witnessing });
        files.extend(bundle::index_files(&ledger).map(|(path, bytes)| (path.to_owned(), bytes)));
        files
    }

    fn witnessing(&self) -> Witnessing<'_> {
        let finished = self.frozen.is_some();
        match &self.cosigned {
            Some(Witnessed { size, witnesses }) => Witnessing { finished, size: *size, witnesses },
            None => Witnessing { finished, ..Witnessing::default() },
        }
    }

    fn manifest(&self, files: &BTreeMap<String, Vec<u8>>, bulletins: BTreeMap<String, Hash>) -> anyhow::Result<String> {
        let Checkpoint { origin, size, root } = self.checkpoint();
        let mut manifest = Manifest { origin, tree_size: size, root, files: BTreeMap::new() };
        let hashed = files.iter().map(|(path, bytes)| (path.clone(), file_hash(bytes)));
        for (path, hash) in hashed.chain(bulletins) {
            let path = path.parse().with_context(|| format!("{path} cannot stand in a bundle"))?;
            manifest.files.insert(path, hash);
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
            if !self.shared.counters.publishing_fails.swap(true, Relaxed) {
                tracing::error!(error = format!("{error:#}"), "the bundle cannot be written; it is tried again");
            }
            if !may_pass(&error) {
                return self.shared.halt(format!("{error:#}"));
            }
            if self.shared.is_draining() || self.shared.halted().is_some() {
                return self.shared.halt(format!("{error:#}"));
            }
            std::thread::sleep(RETRY);
        }
        if self.shared.counters.publishing_fails.swap(false, Relaxed) {
            tracing::warn!("the bundle is written again");
        }
    }
}

/// Whether the disk alone is at fault, that of the bundle or that of the journal.
fn may_pass(error: &anyhow::Error) -> bool {
    error.is::<LastError>() || matches!(error.downcast_ref(), Some(BundleError::Io { .. }))
}
