//! A verified copy of a bundle that any web server can serve: fetched aside, verified as a whole, and only then shown.
//!
//! What is shown was verified, and is written in the order in which the centre itself publishes: tiles, checkpoint, everything else, the
//! manifest last. Tiles are fetched once and never replaced. A source whose log is not the one of the copy changes nothing in it.

mod fetch;

use std::cell::Cell;
use std::path::{Path, PathBuf};
use std::thread;
use std::time::Duration;

use anyhow::{Context, bail, ensure};
use indicatif::ProgressBar;
use tallyproof_count::{Source, Trust, Verification, bundle, verify};
use tallyproof_log::checkpoint::{self, Checkpoint};
use tallyproof_log::fork::{ForkError, ForkProof, Prefix};
use tallyproof_log::note::{SignedNote, VerifierKey};
use tallyproof_log::reader::{ReadError, TileReader};
use tallyproof_log::tile::TilePath;
use tallyproof_store::BundleFolder;
use tallyproof_store::bundle::BundleError;

use crate::bundle_source::Folder;
use crate::files::{self, Access};
use fetch::{Fetched, Staged};

/// Tiles that are in memory at a time.
const WINDOW: usize = 64;

/// How often a source that is being published is read again at once, and after which time.
const PATIENCE: u32 = 4;
const PUBLISHING: Duration = Duration::from_millis(250);

/// The folder of a copy.
pub struct Mirror {
    folder: BundleFolder,
    trust: Option<Trust>,
    /// Whether what the folder shows was verified by this process.
    verified: Cell<bool>,
}

/// How a round ended that could read its source.
#[derive(Debug)]
pub enum Round {
    /// The copy has everything that the source shows, and was verified again if this was the first look.
    Unchanged(Option<Box<Verification>>),
    /// The source's log, or what witnesses cosigned of it, is as the copy's was earlier: a cache, or a copy that follows later.
    Behind {
        /// Entries in the source's log.
        source: u64,
        /// Entries in the copy's.
        held: u64,
    },
    /// The copy was brought up to date.
    Updated(Box<Verification>, Fetched),
    /// What the source shows does not hold; the copy is as it was.
    Refused(Box<Verification>),
    /// The source's signed files or their tiles do not hold, for this reason, so that there was nothing to verify.
    Unsound(String),
    /// The copy itself does not hold any more, though the source shows nothing new.
    Damaged(Box<Verification>),
    /// The source shows another history than the copy, and the log's key signed both; the copy is as it was.
    Forked {
        /// Where the proof was written.
        proof: PathBuf,
        /// What it proves.
        what: String,
    },
}

/// What a checkpoint note states, and who is said to.
struct Stated {
    note: SignedNote,
    checkpoint: Checkpoint,
}

impl Mirror {
    /// The copy in `folder`, which is made if it is not there.
    pub fn open(folder: &Path, trust: Option<Trust>) -> anyhow::Result<Self> {
        Ok(Self { folder: BundleFolder::open(folder)?, trust, verified: Cell::new(false) })
    }

    /// Looks at the source once. An error leaves the copy as it was.
    pub fn round(&self, source: &dyn Source, progress: &ProgressBar) -> anyhow::Result<Round> {
        for _ in 0..PATIENCE {
            if let Some(round) = self.attempt(source, progress, false)? {
                return Ok(round);
            }
            thread::sleep(PUBLISHING);
        }
        let last = self.attempt(source, progress, true)?;
        last.context("the source is published too often to be read whole; try again")
    }

    /// Nothing if the source seems to be in the middle of a publication, unless this is the `last` look at it.
    fn attempt(&self, source: &dyn Source, progress: &ProgressBar, last: bool) -> anyhow::Result<Option<Round>> {
        let held = Folder::open(self.folder.root())?;
        // In this order: in a bundle that is being published, what is read later covers what was read before.
        let [manifest, cosigned, checkpoint] =
            [bundle::MANIFEST, bundle::COSIGNED, bundle::CHECKPOINT].map(|path| fetch::optional(source, path));
        let notes = Notes { manifest: manifest?, cosigned: cosigned?, checkpoint: checkpoint? };
        if notes == Notes::held(&held)? {
            return self.look_again(&held, progress).map(Some);
        }
        let log = self.log_key(&held, source)?;
        let (latest, cosigned) = match notes.open(&log) {
            Ok([Some(latest), cosigned]) => (latest, cosigned),
            Ok([None, _]) => bail!("the source lacks {}", bundle::CHECKPOINT),
            Err(error) => return Ok(Some(Round::Unsound(format!("{error:#}")))),
        };
        let [before, cosigned_before] =
            Notes::held(&held)?.open(&log).context("the copy itself; keep it and look into it")?;
        if let Some(before) = before {
            match find_fork(source, &held, &log, &before, &latest) {
                Ok(None) => {}
                Ok(Some(fork)) => return self.keep_proof(&fork).map(Some),
                Err(error) if is_unsound(&error) => return Ok(Some(Round::Unsound(format!("{error:#}")))),
                Err(error) => return Err(error),
            }
            if latest.size() < before.size() || size(cosigned.as_ref()) < size(cosigned_before.as_ref()) {
                return Ok(Some(Round::Behind { source: latest.size(), held: before.size() }));
            }
        }
        let sizes = cosigned.iter().chain([&latest]).map(Stated::size).collect();
        let staged = Staged::fetch(&self.beside("staging")?, source, held, sizes, notes, progress)?;
        if staged.is_torn() && !last { Ok(None) } else { self.settle(&staged, progress).map(Some) }
    }

    /// Removes what rounds leave beside the copy.
    pub fn close(&self) -> anyhow::Result<()> {
        fetch::clear(&self.beside("staging")?)?;
        Ok(self.folder.close()?)
    }

    /// Verifies what was fetched, and shows it if it holds.
    fn settle(&self, staged: &Staged, progress: &ProgressBar) -> anyhow::Result<Round> {
        let found = self.verify(staged, progress)?;
        if !found.ok {
            return Ok(Round::Refused(found));
        }
        self.show(staged)?;
        self.verified.set(true);
        Ok(Round::Updated(found, staged.fetched()))
    }

    /// Another process wrote the copy, perhaps long ago: its first look is at what the disk has kept of it.
    fn look_again(&self, held: &Folder, progress: &ProgressBar) -> anyhow::Result<Round> {
        if self.verified.get() {
            return Ok(Round::Unchanged(None));
        }
        let found = self.verify(held, progress)?;
        self.verified.set(found.ok);
        Ok(if found.ok { Round::Unchanged(Some(found)) } else { Round::Damaged(found) })
    }

    fn verify(&self, source: &dyn Source, progress: &ProgressBar) -> anyhow::Result<Box<Verification>> {
        progress.set_message("verifying");
        let found = verify(source, self.trust.as_ref(), &|done, total| {
            progress.set_length(total);
            progress.set_position(done);
        })?;
        Ok(Box::new(found))
    }

    /// A path beside the copy: the folder itself holds nothing but what was verified.
    fn beside(&self, ending: &str) -> anyhow::Result<PathBuf> {
        let root = self.folder.root().canonicalize()?;
        let name =
            root.file_name().context("the root of a file system cannot be a copy")?.to_string_lossy().into_owned();
        Ok(root.with_file_name(format!("{name}.{ending}")))
    }

    fn show(&self, staged: &Staged) -> anyhow::Result<()> {
        for tiles in staged.new_tiles().chunks(WINDOW) {
            let read = tiles.iter().map(|path| staged.bytes(path)).collect::<anyhow::Result<Vec<_>>>()?;
            let below = |path: &String| path.trim_start_matches("log/").to_owned();
            self.folder.put_tiles(tiles.iter().map(below).zip(read.iter().map(Vec::as_slice)))?;
        }
        self.folder.put_checkpoint(&staged.bytes(bundle::CHECKPOINT)?)?;
        if let Some(cosigned) = fetch::optional(staged, bundle::COSIGNED)? {
            self.folder.put_cosigned(&cosigned)?;
        }
        let files = staged.other_files().map(|path| Ok((path.clone(), staged.bytes(path)?)));
        let mut files = files.collect::<anyhow::Result<Vec<_>>>()?;
        // Last, so that a reader who finds a new manifest finds what it lists.
        files.push((bundle::MANIFEST.to_owned(), staged.bytes(bundle::MANIFEST)?));
        Ok(self.folder.publish(&files)?)
    }

    /// The log's key: the reader's, or else the one that the copy has known from its first day on.
    fn log_key(&self, held: &Folder, source: &dyn Source) -> anyhow::Result<VerifierKey> {
        let stated = first_key(&fetch::needed(source, bundle::VKEYS)?)?;
        let known = match &self.trust {
            Some(trust) => Some(trust.log.clone()),
            None => fetch::optional(held, bundle::VKEYS)?.map(|held| first_key(&held)).transpose()?,
        };
        match known {
            Some(known) if known != stated => bail!("the source is of the log {stated}, not of {known}"),
            _ => Ok(stated),
        }
    }

    fn keep_proof(&self, proof: &ForkProof) -> anyhow::Result<Round> {
        let fork = proof.verify()?;
        let digits: String = fork.other.root.to_string().chars().take(16).collect();
        let path = self.beside(&format!("fork-{}-{digits}.txt", fork.other.size))?;
        match files::create(&path, proof.to_string().as_bytes(), Access::Public) {
            Err(error) if error.kind() != std::io::ErrorKind::AlreadyExists => {
                return Err(error).with_context(|| format!("cannot write {}", path.display()));
            }
            _ => {}
        }
        Ok(Round::Forked { proof: path, what: fork.to_string() })
    }
}

/// Whether it is the source's bytes that are wrong, and not the way to them.
fn is_unsound(error: &anyhow::Error) -> bool {
    let of_tiles = error.downcast_ref::<ReadError>();
    error.is::<ForkError>() || of_tiles.is_some_and(|error| !matches!(error, ReadError::Unreadable { .. }))
}

/// Whether the error is an alarm rather than a passing trouble: a tile that was shown has other bytes now.
pub fn is_alarm(error: &anyhow::Error) -> bool {
    matches!(error.downcast_ref(), Some(BundleError::TileDiffers(_)))
}

/// The signed files of a bundle, as they stand.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Notes {
    manifest: Option<Vec<u8>>,
    cosigned: Option<Vec<u8>>,
    checkpoint: Option<Vec<u8>>,
}

impl Notes {
    fn held(held: &Folder) -> anyhow::Result<Self> {
        let read = |path| fetch::optional(held, path);
        Ok(Self {
            manifest: read(bundle::MANIFEST)?,
            cosigned: read(bundle::COSIGNED)?,
            checkpoint: read(bundle::CHECKPOINT)?,
        })
    }

    /// The checkpoint, and the one that witnesses cosigned.
    fn open(&self, log: &VerifierKey) -> anyhow::Result<[Option<Stated>; 2]> {
        let open = |path, bytes: &Option<Vec<u8>>| {
            let stated = bytes.as_deref().map(|bytes| Stated::open(bytes, log).context(path));
            stated.transpose()
        };
        Ok([open(bundle::CHECKPOINT, &self.checkpoint)?, open(bundle::COSIGNED, &self.cosigned)?])
    }
}

impl Stated {
    fn open(bytes: &[u8], log: &VerifierKey) -> anyhow::Result<Self> {
        let opened = checkpoint::open(bytes, std::slice::from_ref(log), log.name().as_str())?;
        Ok(Self { note: SignedNote::parse(bytes)?, checkpoint: opened.checkpoint().clone() })
    }

    fn size(&self) -> u64 {
        self.checkpoint.size
    }
}

fn size(stated: Option<&Stated>) -> u64 {
    stated.map_or(0, Stated::size)
}

fn first_key(vkeys: &[u8]) -> anyhow::Result<VerifierKey> {
    let text = std::str::from_utf8(vkeys).ok().and_then(|text| text.lines().next());
    text.and_then(|line| line.parse().ok())
        .with_context(|| format!("the first line of {} is no verifier key", bundle::VKEYS))
}

/// Proof that the two checkpoints cannot be of one log, if they cannot: each side's tiles tell what its log began with.
fn find_fork(
    source: &dyn Source,
    held: &Folder,
    log: &VerifierKey,
    before: &Stated,
    latest: &Stated,
) -> anyhow::Result<Option<ForkProof>> {
    let grown = latest.checkpoint.size >= before.checkpoint.size;
    let (smaller, larger, tiles): (_, _, &dyn Source) =
        if grown { (before, latest, source) } else { (latest, before, held) };
    let (old, new) = (&smaller.checkpoint, &larger.checkpoint);
    let prefix = if old.size == new.size {
        ensure!(old.origin == new.origin, "the source is of another log");
        (old.root != new.root).then_some(None)
    } else {
        let mut reader = TileReader::new(new.size, |tile: &TilePath| tiles.read(&bundle::tile_path(tile)));
        let root = reader.root_at(old.size)?;
        let proof = reader.consistency_proof(old.size)?;
        (root != old.root).then_some(Some(Prefix { root, proof }))
    };
    let Some(prefix) = prefix else { return Ok(None) };
    let notes = [smaller.note.clone(), larger.note.clone()];
    let fork = ForkProof::new(log.clone(), notes, prefix);
    fork.map(Some).context("tiles and checkpoint of the source do not belong together; nothing was taken from it")
}
