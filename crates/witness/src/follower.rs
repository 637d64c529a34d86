//! The log as a witness holds it: which checkpoints belong to one history, what stands in it, and what it adds up to.

use std::{cmp::Ordering, collections::VecDeque, sync::Arc};

use rayon::prelude::*;
use tallyproof_count::{
    Ledger, Source, Totals, bundle,
    check::Check,
    manifest::{Manifest, file_hash},
    verify::{self, Progress},
};
use tallyproof_log::{
    checkpoint::{Checkpoint, CheckpointError},
    fork::{ForkProof, Prefix},
    merkle::Hash,
    note::{SignedNote, VerifierKey},
    tile::{self, FULL_WIDTH, TilePath},
    tree::Tree,
};
use tallyproof_record::{Problem, definition::Committed};
use thiserror::Error;

use crate::{Signed, recount};

/// The most entries that a log may grow by at once: a forged size must not fill the memory.
pub const MAX_GROWTH: u64 = 1 << 24;

/// Hash tiles read at a time; where one is not there, no more are asked for.
const WINDOW: usize = 32;

/// Sizes of the log whose totals are remembered, to be compared when the centre publishes its own.
const REMEMBERED: usize = 64;

/// What a checkpoint was to the log as held.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Heard {
    /// A state that the log had, or has.
    Known,
    /// The log has grown: its new entries are to be recounted.
    Grown,
}

/// What stands between a witness and a checkpoint.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum Trouble {
    /// The log's key has signed two checkpoints that exclude each other.
    #[error("the log has forked: its key signed two checkpoints that exclude each other")]
    Forked(Box<ForkProof>),
    /// The files do not show that the checkpoint belongs to the history that is held.
    #[error(
        "the log's checkpoint of {size} entries is not shown to extend the {held} entries held: {why}. Either the log has forked, or \
         these files are not those of the log"
    )]
    NotShown {
        /// Entries that the checkpoint states.
        size: u64,
        /// Entries held.
        held: u64,
        /// What was found instead.
        why: String,
    },
    /// The bytes are not a checkpoint of the log.
    #[error(transparent)]
    NotTheLogs(#[from] CheckpointError),
    /// A file is missing, malformed or not the log's; another source, or the same one later, may have it.
    #[error("{} {}: {}", .0.code, .0.place, .0.what)]
    Unreadable(Problem),
    /// What was read could not be stored.
    #[error("the witness's copy cannot be written: {0}")]
    Storing(String),
}

/// Why a checkpoint cannot be cosigned now.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum NotYet {
    /// Not all of its entries have been read and recounted.
    #[error("{recounted} of its {size} entries are recounted so far")]
    Behind {
        /// Entries recounted.
        recounted: u64,
        /// Entries of the checkpoint.
        size: u64,
    },
    /// It is not of the history held.
    #[error("the witness holds another history")]
    OtherHistory,
    /// An entry that no honest log holds.
    #[error("entry {index} is none that a log may hold")]
    BadEntry {
        /// Its log index.
        index: u64,
    },
}

/// That a checkpoint is of the history held and that each of its entries was verified and counted. Only
/// [`Follower::recounted`] makes one; it is what a witness's cosignature rests on.
#[derive(Clone, Debug)]
pub struct Recounted {
    checkpoint: Checkpoint,
    since: (u64, Hash),
}

impl Recounted {
    pub(crate) fn is_of(&self, checkpoint: &Checkpoint) -> bool {
        self.checkpoint == *checkpoint
    }

    /// The root of the copy at the one size that was asked about.
    pub(crate) fn root_at(&self, size: u64) -> Option<Hash> {
        (size == self.since.0).then_some(self.since.1)
    }
}

/// Where entry bundles and hash tiles that hold are stored.
pub trait Keep: Send {
    /// Stores a tile under its path below the log's prefix; one that is there already has to have the same bytes.
    fn keep(&mut self, tile: &TilePath, bytes: &[u8]) -> Result<(), String>;
}

/// Stores nothing: for a witness that reads its own copy.
#[derive(Debug)]
pub struct KeptAlready;

impl Keep for KeptAlready {
    fn keep(&mut self, _: &TilePath, _: &[u8]) -> Result<(), String> {
        Ok(())
    }
}

/// What the centre has published beside the log and signed.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Published {
    size: u64,
    root: Hash,
    totals: Option<Hash>,
}

/// How the centre's published totals stand against the witness's own.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Compared {
    /// Nothing was published of a size at which this witness has counted.
    NotYet,
    /// Byte for byte the same.
    Same {
        /// Entries that both count.
        size: u64,
    },
    /// They differ.
    Differs(Problem),
}

/// The history of one log, as far as it was followed.
#[derive(Debug)]
pub struct Follower {
    log: VerifierKey,
    /// Leaves under `latest`, of which the ledger counts the first.
    tree: Tree,
    latest: Option<Signed>,
    /// A checkpoint beyond the tree that the history has to lead through: one cosigned before the copy was lost.
    promised: Option<Signed>,
    ledger: Ledger,
    findings: recount::Findings,
    /// Bulletins whose statements were recomputed.
    bulletins: usize,
    /// SHA-256 of the totals at sizes that were passed, the last ones.
    totals: VecDeque<(u64, Hash)>,
    published: Option<Published>,
}

impl Follower {
    /// A follower of the log with this key, of an election with this definition. It holds nothing yet.
    pub fn new(log: VerifierKey, definition: Arc<Committed>) -> Self {
        Self {
            log,
            tree: Tree::new(),
            latest: None,
            promised: None,
            ledger: Ledger::new(definition),
            findings: recount::Findings::default(),
            bulletins: 0,
            totals: VecDeque::new(),
            published: None,
        }
    }

    /// The key of the log followed.
    pub fn log(&self) -> &VerifierKey {
        &self.log
    }

    /// The largest checkpoint of the history held.
    pub fn latest(&self) -> Option<&Signed> {
        self.latest.as_ref()
    }

    /// The tree under it.
    pub fn tree(&self) -> &Tree {
        &self.tree
    }

    /// The count, as far as it has come.
    pub fn ledger(&self) -> &Ledger {
        &self.ledger
    }

    /// Whether every entry held has been recounted.
    pub fn is_level(&self) -> bool {
        self.ledger.entries() == self.tree.size()
    }

    /// What no honest log holds, the first of the findings; and how many there are in all.
    pub fn problems(&self) -> (&[Problem], u64) {
        self.findings.all()
    }

    /// Takes a checkpoint in: compares it with the history held, or extends that by what the source's hash tiles say, if the log
    /// has signed it. On [`Trouble`] nothing has changed.
    pub fn hear(&mut self, signed: &Signed, source: &dyn Source) -> Result<Heard, Trouble> {
        let size = signed.checkpoint().size;
        match size.cmp(&self.tree.size()) {
            Ordering::Less | Ordering::Equal if self.latest.is_some() || size == 0 => self.compare(signed),
            _ => self.extend(signed, source).map(|()| Heard::Grown),
        }
    }

    /// Holds the follower to a checkpoint that was cosigned earlier: a history that does not lead through it is a fork, whether the
    /// copy that it was cosigned from is still there or not.
    pub fn bind(&mut self, promised: Signed) -> Result<(), Trouble> {
        if promised.checkpoint().size <= self.tree.size() {
            return self.compare(&promised).map(|_| ());
        }
        self.promised = Some(promised);
        Ok(())
    }

    fn compare(&self, signed: &Signed) -> Result<Heard, Trouble> {
        let checkpoint = signed.checkpoint();
        let (size, held) = (checkpoint.size, self.tree.size());
        if self.tree.root_at(size) == Some(checkpoint.root) {
            return Ok(Heard::Known);
        }
        let prefix = prefix_of(&self.tree, size);
        let proof = self.latest.as_ref().and_then(|latest| self.fork(signed, latest, prefix));
        Err(proof.unwrap_or_else(|| not_shown(size, held, "its root is not the one that the log has at that size")))
    }

    fn fork(&self, one: &Signed, other: &Signed, prefix: Option<Prefix>) -> Option<Trouble> {
        let notes: [SignedNote; 2] = [one.note().clone(), other.note().clone()];
        ForkProof::new(self.log.clone(), notes, prefix).ok().map(|proof| Trouble::Forked(Box::new(proof)))
    }

    fn extend(&mut self, signed: &Signed, source: &dyn Source) -> Result<(), Trouble> {
        let Checkpoint { size, root, .. } = *signed.checkpoint();
        let held = self.tree.size();
        if size - held > MAX_GROWTH {
            return Err(not_shown(size, held, "it states more new entries than a witness reads at once"));
        }
        for leaf in read_leaves(source, held, size).map_err(Trouble::Unreadable)? {
            self.tree.append(leaf);
        }
        if self.tree.root() != root {
            self.tree.rewind(held);
            return Err(self.other_history(signed, source));
        }
        if let Err(trouble) = self.keep_promise(signed) {
            self.tree.rewind(held);
            return Err(trouble);
        }
        self.latest = Some(signed.clone());
        Ok(())
    }

    /// Whether the tree, now that of `signed`, leads through what was promised.
    fn keep_promise(&mut self, signed: &Signed) -> Result<(), Trouble> {
        let Some(promised) = &self.promised else { return Ok(()) };
        let Checkpoint { size, root, .. } = *promised.checkpoint();
        match self.tree.root_at(size) {
            None => {}
            Some(found) if found == root => self.promised = None,
            Some(_) => {
                let proof = self.fork(promised, signed, prefix_of(&self.tree, size));
                let why = "its root is not the one that was cosigned at that size";
                return Err(proof.unwrap_or_else(|| not_shown(signed.checkpoint().size, size, why)));
            }
        }
        Ok(())
    }

    /// The checkpoint does not extend what is held. If the source's tiles lead to its root all the same, they show that it begins
    /// otherwise: the log has forked.
    fn other_history(&self, signed: &Signed, source: &dyn Source) -> Trouble {
        let Checkpoint { size, root, .. } = *signed.checkpoint();
        let held = self.tree.size();
        let Ok(leaves) = read_leaves(source, 0, size) else {
            return not_shown(size, held, "its hash tiles are not all there");
        };
        let other = Tree::from_iter(leaves);
        if other.root() != root {
            return not_shown(size, held, "the hash tiles lead to another root than the signed one");
        }
        let latest = self.latest.as_ref();
        latest
            .and_then(|latest| self.fork(latest, signed, prefix_of(&other, held)))
            .unwrap_or_else(|| not_shown(size, held, "the hash tiles have changed while they were read"))
    }

    /// Reads, verifies and counts more of the entries held, about `most` of them; has those bundles stored that hold. Returns
    /// whether the recount is level with the tree. What was counted before a [`Trouble`] stays counted.
    pub fn recount(
        &mut self,
        source: &dyn Source,
        keep: &mut dyn Keep,
        most: u64,
        progress: Progress<'_>,
    ) -> Result<bool, Trouble> {
        let (from, size) = (self.ledger.entries(), self.tree.size());
        if from < size {
            // A part ends with a full bundle, so that none is read twice.
            let full = u64::from(FULL_WIDTH);
            let end = size.min(from.saturating_add(most.max(full)) / full * full);
            let marks: Vec<u64> = self.published.iter().map(|published| published.size).chain([size]).collect();
            let passed = recount::walk(self, source, (from, end), &marks, keep, progress)?;
            for (size, totals) in passed {
                self.remember(size, totals);
            }
            self.check_bulletins();
        }
        Ok(self.is_level())
    }

    /// A bulletin is of a tree size before its entry, so all that it states can be recomputed once it is read.
    fn check_bulletins(&mut self) {
        let found = verify::check_bulletins(&self.ledger, &self.tree, self.bulletins);
        self.bulletins = self.ledger.bulletins().len();
        for (index, problem) in found {
            self.findings.add(index, problem);
        }
    }

    fn remember(&mut self, size: u64, totals: Hash) {
        if self.totals.len() == REMEMBERED {
            self.totals.pop_front();
        }
        self.totals.push_back((size, totals));
    }

    /// The hash tiles of the log as held that a copy of `copied` entries lacks.
    pub fn hash_tiles(&self, copied: u64) -> impl Iterator<Item = (TilePath, Vec<u8>)> + '_ {
        tile::tiles_for(copied, self.tree.size()).filter_map(|tile| Some((tile, self.tree.tile(&tile)?)))
    }

    /// Whether a checkpoint was recounted in full, and the root that the log had at `since` entries.
    pub fn recounted(&self, checkpoint: &Checkpoint, since: u64) -> Result<Recounted, NotYet> {
        let (size, recounted) = (checkpoint.size, self.ledger.entries());
        if size > self.tree.size() {
            return Err(NotYet::Behind { recounted, size });
        }
        if self.tree.root_at(size) != Some(checkpoint.root) || checkpoint.origin != *self.log.name() {
            return Err(NotYet::OtherHistory);
        }
        if let Some(index) = self.findings.first_index().filter(|&index| index < size) {
            return Err(NotYet::BadEntry { index });
        }
        if size > recounted {
            return Err(NotYet::Behind { recounted, size });
        }
        let root = self.tree.root_at(since.min(size)).ok_or(NotYet::OtherHistory)?;
        Ok(Recounted { checkpoint: checkpoint.clone(), since: (since, root) })
    }

    /// What a recount reads and what it changes.
    pub(crate) fn parts(&mut self) -> (&Tree, &mut Ledger, &mut recount::Findings) {
        (&self.tree, &mut self.ledger, &mut self.findings)
    }

    /// Takes in the bundle's manifest, in which the log's key signs what the centre's totals are at some size.
    pub fn hear_manifest(&mut self, note: &[u8]) -> Result<(), Trouble> {
        let problem = |what: String| Trouble::Unreadable(Check::NoteSignature.problem(bundle::MANIFEST, what));
        let keys = std::slice::from_ref(&self.log);
        let verified = tallyproof_log::note::open(note, keys).map_err(|error| problem(error.to_string()))?;
        let manifest: Manifest = verified.text().parse().map_err(|error| problem(format!("{error}")))?;
        if manifest.origin != *self.log.name() {
            return Err(problem(format!("it is of the log {}", manifest.origin)));
        }
        let totals = manifest.files.get(bundle::TOTALS).copied();
        let size = manifest.tree_size;
        self.published = Some(Published { size, root: manifest.root, totals });
        // The count has gone on since; most sizes that are published were remembered on the way.
        if size <= self.ledger.entries() && self.totals_at(size).is_none() {
            let mut found = None;
            self.ledger.revisit([size], |past| found = Some(totals_hash(past)));
            if let Some(totals) = found {
                self.remember(size, totals);
            }
        }
        Ok(())
    }

    fn totals_at(&self, size: u64) -> Option<Hash> {
        self.totals.iter().rev().find(|(counted, _)| *counted == size).map(|(_, totals)| *totals)
    }

    /// Whether the centre's totals at the size held are known and were compared.
    pub fn is_compared(&self) -> bool {
        let at_hand = |published: &Published| published.size == self.tree.size();
        self.published.as_ref().is_some_and(at_hand) && self.compared() != Compared::NotYet
    }

    /// Compares the centre's totals, by the last manifest heard, with those counted here at the same size.
    pub fn compared(&self) -> Compared {
        let Some(Published { size, root, totals }) = &self.published else { return Compared::NotYet };
        let Some(own_root) = self.tree.root_at(*size) else { return Compared::NotYet };
        if own_root != *root {
            let what = format!("the log's root at tree size {size} is not the one that the manifest states");
            return Compared::Differs(Check::ManifestLog.problem(bundle::MANIFEST, what));
        }
        match self.totals_at(*size) {
            None => Compared::NotYet,
            Some(own) if *totals == Some(own) => Compared::Same { size: *size },
            Some(own) => {
                let listed = totals.map_or_else(|| "none".to_owned(), |totals| totals.to_string());
                let what = format!(
                    "the centre's totals at tree size {size} have the SHA-256 {listed}, those counted here {own}"
                );
                Compared::Differs(Check::Totals.problem(bundle::TOTALS, what))
            }
        }
    }
}

/// The SHA-256 of `index/totals.json` as this ledger gives it.
pub(crate) fn totals_hash(ledger: &Ledger) -> Hash {
    file_hash(&Totals::of(ledger).to_json())
}

fn prefix_of(tree: &Tree, size: u64) -> Option<Prefix> {
    let proof = tree.consistency_proof(size, tree.size()).ok()?;
    Some(Prefix { root: tree.root_at(size)?, proof })
}

fn not_shown(size: u64, held: u64, why: &str) -> Trouble {
    Trouble::NotShown { size, held, why: why.to_owned() }
}

/// The leaf hashes `from..size` that the source's hash tiles of a log of `size` state.
fn read_leaves(source: &dyn Source, from: u64, size: u64) -> Result<Vec<Hash>, Problem> {
    let mut tiles = tile::tiles_for(from, size).filter(|tile| tile.level() == Some(0));
    let known = usize::try_from(from % u64::from(FULL_WIDTH)).unwrap_or_default();
    let mut leaves = Vec::new();
    loop {
        let window: Vec<TilePath> = tiles.by_ref().take(WINDOW).collect();
        if window.is_empty() {
            leaves.drain(..known.min(leaves.len()));
            return Ok(leaves);
        }
        let read = window.par_iter().map(|tile| read_tile(source, tile)).collect::<Result<Vec<_>, _>>()?;
        leaves.extend(read.into_iter().flatten());
    }
}

fn read_tile(source: &dyn Source, tile: &TilePath) -> Result<Vec<Hash>, Problem> {
    let path = bundle::tile_path(tile);
    let bytes = match source.read(&path) {
        Ok(Some(bytes)) => bytes,
        Ok(None) => return Err(Check::Missing.problem(path, "the file is missing")),
        Err(error) => return Err(Check::Unreadable.problem(path, format!("the file cannot be read: {error}"))),
    };
    tile::decode_hashes(&bytes, tile.width()).map_err(|error| Check::HashTile.problem(path, error.to_string()))
}
