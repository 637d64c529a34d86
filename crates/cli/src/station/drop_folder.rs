//! A folder of many stations' records that somebody carries: a stick, a shared folder, a relay's spool.
//!
//! Names: `station-17-contest-1-<digest>.cose`, and the receipt beside it with the ending `.receipt`. The digest keeps two
//! records of one station and contest apart: both are evidence, so neither may take the other's place.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, ensure};
use tallyproof_record::cose::{self, RecordDigest, SealedRecord};
use tallyproof_record::receipt::{self, Receipt};
use tallyproof_record::{ContestNo, StationNo};

use super::queue::{self, Queued};
use crate::files::{self, Access};

/// A folder of records.
#[derive(Clone, Debug)]
pub struct DropFolder {
    folder: PathBuf,
}

/// Names one record in a folder.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Slip {
    /// Whose record.
    pub station: StationNo,
    /// In which contest.
    pub contest: ContestNo,
    /// Which record, exactly.
    pub digest: RecordDigest,
}

impl Slip {
    /// The slip of a sealed record.
    pub fn of(record: &SealedRecord) -> Result<Self, cose::OpenError> {
        let tally = cose::open(record.as_bytes())?.tally;
        Ok(Self { station: tally.station, contest: tally.contest, digest: record.digest() })
    }
}

impl From<&Receipt> for Slip {
    fn from(receipt: &Receipt) -> Self {
        Self { station: receipt.station, contest: receipt.contest, digest: receipt.digest }
    }
}

impl DropFolder {
    /// The records in `folder`, which has to be there: a stick that is not plugged in must not become a folder on the disk.
    pub fn open(folder: &Path) -> anyhow::Result<Self> {
        ensure!(folder.is_dir(), "there is no folder {}", folder.display());
        Ok(Self { folder: folder.to_owned() })
    }

    /// As [`DropFolder::open`], but makes the folder if it is not there.
    pub fn create(folder: &Path) -> anyhow::Result<Self> {
        files::create_folder(folder).with_context(|| format!("cannot make the folder {}", folder.display()))?;
        Self::open(folder)
    }

    /// Puts a record into the folder, durably; one that is there already stays as it is.
    pub fn store(&self, slip: &Slip, record: &SealedRecord) -> anyhow::Result<()> {
        let path = self.path(slip, queue::RECORD);
        if path.exists() {
            let found = files::read(&path, cose::MAX_LEN as u64)?;
            ensure!(
                found == record.as_bytes(),
                "{} holds other bytes than its name says; move it away",
                path.display()
            );
            return files::settle(&path).with_context(|| format!("cannot make {} durable", path.display()));
        }
        // Whoever writes this name at the same time writes the same bytes. Sticks know no hard links.
        files::replace(&path, record.as_bytes(), Access::Public)
            .with_context(|| format!("cannot write {}", path.display()))
    }

    /// The receipt that lies beside a record, unchecked.
    pub fn receipt(&self, slip: &Slip) -> Option<Vec<u8>> {
        files::read(&self.path(slip, queue::RECEIPT), receipt::LEN as u64).ok()
    }

    /// Puts a receipt beside its record. It is whole or not there, but may be lost with the power: the centre gives it again.
    pub fn store_receipt(&self, slip: &Slip, bytes: &[u8]) -> anyhow::Result<()> {
        let path = self.path(slip, queue::RECEIPT);
        let temporary = path.with_extension("receipt.tmp");
        fs::write(&temporary, bytes)
            .and_then(|()| fs::rename(&temporary, &path))
            .with_context(|| format!("cannot write {}", path.display()))
    }

    /// Every file that should be a record, read; the order is the folder's.
    pub fn records(&self) -> anyhow::Result<impl Iterator<Item = anyhow::Result<Queued>>> {
        queue::read_folder(&self.folder)
    }

    /// Where a record lies, or what belongs to it.
    pub(crate) fn path(&self, slip: &Slip, extension: &str) -> PathBuf {
        let Slip { station, contest, digest } = slip;
        self.folder.join(format!("station-{station}-contest-{contest}-{}.{extension}", hex::encode(digest)))
    }
}
