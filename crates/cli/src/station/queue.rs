//! The station's queue: a folder with one sealed record a contest, and beside each its receipt once it has come.
//!
//! A file is there whole or not at all, and what was sealed is never replaced: the queue survives a power loss at any
//! moment. Names: `station-17-contest-1.cose`, `station-17-contest-1.receipt`, and `attempt`, the last attempt number; later
//! `.proof` and `.compact`, the second-stage receipt.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use anyhow::{Context, bail};
use ed25519_dalek::VerifyingKey;
use tallyproof_log::checkpoint::Checkpoint;
use tallyproof_log::merkle::{leaf_hash, verify_inclusion};
use tallyproof_log::note::VerifierKey;
use tallyproof_log::proof::LogProof;
use tallyproof_record::cose::{self, SealedRecord};
use tallyproof_record::entry::Entry;
use tallyproof_record::receipt::{self, Receipt};
use tallyproof_record::{ContestNo, StationNo, Tally};

use crate::files::{self, Access};

/// Ending of a sealed record's file.
pub(crate) const RECORD: &str = "cose";
/// Ending of its receipt's.
pub(crate) const RECEIPT: &str = "receipt";
const ATTEMPT: &str = "attempt";

/// The longest file beside a record: a fork proof holds two notes of a mebibyte.
const BESIDE_LIMIT: u64 = 1 << 22;

/// What may stand beside a record, after its receipt has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Beside {
    /// The second-stage receipt as tlog-proof text.
    Proof,
    /// The same, compact.
    Compact,
    /// The final checkpoint of a log that lacks the record.
    Final,
    /// The proof that the log has forked.
    Fork,
}

impl Beside {
    fn extension(self) -> &'static str {
        match self {
            Self::Proof => "proof",
            Self::Compact => "compact",
            Self::Final => "final",
            Self::Fork => "fork",
        }
    }
}

/// A queue folder.
#[derive(Clone, Debug)]
pub struct Queue {
    folder: PathBuf,
}

/// A sealed record in the queue.
#[derive(Clone, Debug)]
pub struct Queued {
    /// The sealed bytes.
    pub record: SealedRecord,
    /// What they state.
    pub tally: Tally,
    /// The receipt's bytes, unchecked.
    pub receipt: Option<Vec<u8>>,
    /// Where the record is.
    pub path: PathBuf,
}

impl Queue {
    /// The queue in `folder`, which is made if it is not there.
    pub fn create(folder: &Path) -> anyhow::Result<Self> {
        files::create_folder(folder).with_context(|| format!("cannot make the queue folder {}", folder.display()))?;
        Self::open(folder)
    }

    /// The queue in `folder`.
    pub fn open(folder: &Path) -> anyhow::Result<Self> {
        if !folder.is_dir() {
            bail!("there is no queue folder {}", folder.display());
        }
        Ok(Self { folder: folder.to_owned() })
    }

    /// Everything in the queue, by station and contest.
    pub fn records(&self) -> anyhow::Result<Vec<Queued>> {
        let mut found = read_folder(&self.folder)?.collect::<anyhow::Result<Vec<_>>>()?;
        found.sort_by_key(|queued| (queued.tally.station, queued.tally.contest));
        Ok(found)
    }

    /// The record of a station and contest, if it is sealed; durable on return, whatever became of who sealed it.
    pub fn find(&self, station: StationNo, contest: ContestNo) -> anyhow::Result<Option<Queued>> {
        let path = self.path(station, contest, RECORD);
        if !path.exists() {
            return Ok(None);
        }
        files::settle(&path).with_context(|| format!("cannot make {} durable", path.display()))?;
        read(path).map(Some)
    }

    /// Puts a sealed record into the queue, durably. Fails with [`io::ErrorKind::AlreadyExists`] if there is one.
    pub fn store(&self, record: &SealedRecord, tally: &Tally) -> io::Result<PathBuf> {
        let path = self.path(tally.station, tally.contest, RECORD);
        files::create(&path, record.as_bytes(), Access::Public)?;
        Ok(path)
    }

    /// Puts a verified receipt beside its record, durably.
    pub fn store_receipt(&self, receipt: &Receipt, bytes: &[u8]) -> anyhow::Result<()> {
        let path = self.path(receipt.station, receipt.contest, RECEIPT);
        files::replace(&path, bytes, Access::Public).with_context(|| format!("cannot write {}", path.display()))
    }

    /// Puts a file beside its record, durably; leaves alone one that has these bytes.
    pub fn store_beside(&self, queued: &Queued, kind: Beside, bytes: &[u8]) -> anyhow::Result<PathBuf> {
        let path = self.path(queued.tally.station, queued.tally.contest, kind.extension());
        if !files::read(&path, BESIDE_LIMIT).is_ok_and(|found| found == bytes) {
            files::replace(&path, bytes, Access::Public).with_context(|| format!("cannot write {}", path.display()))?;
        }
        Ok(path)
    }

    /// The last attempt number that may have been used; 0 if none was.
    pub fn last_attempt(&self) -> anyhow::Result<u32> {
        let path = self.folder.join(ATTEMPT);
        if !path.exists() {
            return Ok(0);
        }
        let text = files::read_text(&path, 64)?;
        text.trim().parse().with_context(|| format!("{} does not hold an attempt number; delete it", path.display()))
    }

    /// Makes an attempt number durable: call before a datagram with it is sent.
    pub fn store_attempt(&self, attempt: u32) -> anyhow::Result<()> {
        let path = self.folder.join(ATTEMPT);
        files::replace(&path, format!("{attempt}\n").as_bytes(), Access::Public)
            .with_context(|| format!("cannot write {}", path.display()))
    }

    fn path(&self, station: StationNo, contest: ContestNo, extension: &str) -> PathBuf {
        self.folder.join(format!("station-{station}-contest-{contest}.{extension}"))
    }
}

impl Queued {
    /// Whether the centre has promised this very record. Without the log's key the signature is not checked.
    pub fn is_receipted(&self, log_key: Option<&VerifyingKey>) -> bool {
        let Some(bytes) = &self.receipt else { return false };
        let receipt = match log_key {
            Some(key) => Receipt::verify(bytes, &self.tally.election, key),
            None => Receipt::peek(bytes),
        };
        let expected =
            Receipt { station: self.tally.station, contest: self.tally.contest, digest: self.record.digest() };
        receipt.is_ok_and(|receipt| receipt == expected)
    }
}

/// A record's place in the log.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct InLog {
    /// Its entry.
    pub index: u64,
    /// Entries that the signed checkpoint covers.
    pub tree_size: u64,
    /// Signatures on that checkpoint beside the log's. A policy says what they are worth.
    pub cosignatures: usize,
}

impl Queued {
    /// A file beside the record, if it is there.
    pub fn beside(&self, kind: Beside) -> anyhow::Result<Option<Vec<u8>>> {
        let path = self.path.with_extension(kind.extension());
        path.exists().then(|| files::read(&path, BESIDE_LIMIT)).transpose()
    }

    /// Where the second-stage receipt puts the record, if there is one. Without the log's key no signature is checked.
    pub fn in_log(&self, log: Option<&VerifierKey>) -> Option<InLog> {
        let proof: LogProof = String::from_utf8(self.beside(Beside::Proof).ok()??).ok()?.parse().ok()?;
        let checkpoint: Checkpoint = proof.checkpoint.text().parse().ok()?;
        let leaf = leaf_hash(&Entry::Record(self.record.as_bytes()).encode());
        let holds = match log {
            Some(log) => proof.verify(&leaf, std::slice::from_ref(log), log.name().as_str()).is_ok(),
            None => verify_inclusion(&leaf, proof.index, checkpoint.size, &proof.path, &checkpoint.root).is_ok(),
        };
        let cosignatures = proof.checkpoint.signatures().len().saturating_sub(1);
        holds.then_some(InLog { index: proof.index, tree_size: checkpoint.size, cosignatures })
    }
}

/// Reads every sealed record of a folder, in the folder's order.
pub(crate) fn read_folder(folder: &Path) -> anyhow::Result<impl Iterator<Item = anyhow::Result<Queued>>> {
    let unreadable = format!("cannot read the folder {}", folder.display());
    let entries = fs::read_dir(folder).with_context(|| unreadable.clone())?;
    Ok(entries.filter_map(move |entry| match entry.with_context(|| unreadable.clone()) {
        Ok(entry) => Some(entry.path()).filter(|path| path.extension().is_some_and(|it| it == RECORD)).map(read),
        Err(error) => Some(Err(error)),
    }))
}

fn read(path: PathBuf) -> anyhow::Result<Queued> {
    let bytes = files::read(&path, cose::MAX_LEN as u64)?;
    let parsed = cose::open(&bytes).and_then(|open| Ok((open.tally, SealedRecord::from_bytes(bytes)?)));
    let (tally, record) = parsed.with_context(|| format!("{} is not a sealed record", path.display()))?;
    let beside = path.with_extension(RECEIPT);
    let receipt = beside.exists().then(|| files::read(&beside, receipt::LEN as u64)).transpose()?;
    Ok(Queued { record, tally, receipt, path })
}
