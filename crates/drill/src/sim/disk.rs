//! The centre's disk: what is written is not yet safe, what is synced is, and power can fail at every operation.
//!
//! It keeps what the store keeps, in the same order of operations: the journal's transactions, the last checkpoint, the bundle's
//! tiles and checkpoint. A transaction is there whole or not at all, as in the journal's engine; where its sync failed or the power
//! did, nobody knows which until the next start.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::Rng;
use sha2::{Digest, Sha256};
use tallyproof_centre::journal::{Cut, Journal, Row, Step};
use tallyproof_centre::publication::Shelf;
use tallyproof_centre::sequencer::Growth;
use tallyproof_log::tile::TilePath;
use tallyproof_record::cose::RecordDigest;
use thiserror::Error;

use super::mark::{Mark, Marks};

/// Why an operation failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub(super) enum DiskError {
    #[error("no space left")]
    Full,
    #[error("the sync failed")]
    Sync,
    #[error("the power failed")]
    Power,
    #[error("row {0} does not have its digest")]
    Damaged(u64),
    #[error("a tile exists with other bytes")]
    Differs,
}

/// One line of the journal.
#[derive(Clone, Debug)]
enum Item {
    Row(RecordDigest, Arc<[u8]>),
    Cut(Cut),
}

/// A journal as it lies on a disk. Cloned, it is a backup.
#[derive(Clone, Debug, Default)]
pub(super) struct JournalFile {
    items: Vec<Item>,
    /// Items that a power loss leaves in place.
    synced: usize,
}

impl JournalFile {
    /// Digests of the durable records, in order.
    pub(super) fn digests(&self) -> impl Iterator<Item = RecordDigest> + '_ {
        self.items.iter().take(self.synced).filter_map(|item| match item {
            Item::Row(digest, _) => Some(*digest),
            Item::Cut(_) => None,
        })
    }

    fn rows(&self) -> u64 {
        self.digests().count() as u64
    }
}

/// The disk, its faults, and the power.
#[derive(Debug)]
#[expect(clippy::struct_excessive_bools, reason = "each fault comes and goes by itself")]
pub(super) struct Disk {
    pub(super) journal: JournalFile,
    /// The file with the last signed checkpoint.
    pub(super) remembered: Option<Vec<u8>>,
    pub(super) checkpoint: Option<Vec<u8>>,
    pub(super) tiles: BTreeMap<TilePath, Vec<u8>>,
    /// Tiles whose folder was not synced since they came.
    unsynced: BTreeSet<TilePath>,
    /// Rises with every change, so that nothing is checked twice.
    pub(super) version: u64,
    pub(super) full: bool,
    pub(super) sync_fails: bool,
    /// The bundle's file system, which is another one, cannot be written.
    pub(super) shelf_fails: bool,
    /// The next replay reads a flipped bit.
    pub(super) rots: bool,
    /// Operations until the power fails.
    pub(super) power_in: Option<u32>,
    /// It is the program alone that is killed then; the machine goes on.
    pub(super) program_only: bool,
    pub(super) starting: bool,
    /// A planted bug: a tile that is there is taken for durable.
    pub(super) found_is_safe: bool,
    rng: ChaCha8Rng,
    pub(super) marks: Marks,
}

impl Disk {
    pub(super) fn new(rng: ChaCha8Rng) -> Self {
        Self {
            journal: JournalFile::default(),
            remembered: None,
            checkpoint: None,
            tiles: BTreeMap::new(),
            unsynced: BTreeSet::new(),
            version: 0,
            full: false,
            sync_fails: false,
            shelf_fails: false,
            rots: false,
            power_in: None,
            program_only: false,
            starting: false,
            found_is_safe: false,
            rng,
            marks: Marks::default(),
        }
    }

    /// The power fails: what was not synced is there or not, as the disk likes.
    pub(super) fn lose_power(&mut self) {
        self.version += 1;
        self.power_in = None;
        if self.journal.items.len() > self.journal.synced {
            if self.coin() {
                self.marks.hit(Mark::JournalUnsyncedKept);
                self.journal.synced = self.journal.items.len();
            } else {
                self.marks.hit(Mark::JournalUnsyncedLost);
                self.journal.items.truncate(self.journal.synced);
            }
        }
        for path in std::mem::take(&mut self.unsynced) {
            if self.coin() {
                self.marks.hit(Mark::TileLost);
                self.tiles.remove(&path);
            }
        }
    }

    /// The program ends and the machine goes on: everything written is there, and stays as unsafe as it was.
    pub(super) fn lose_program(&mut self) {
        self.version += 1;
        self.power_in = None;
        // The engine finds a whole transaction in its file or rolls it back; a sync of its own makes either lasting.
        if self.journal.items.len() > self.journal.synced {
            if self.coin() {
                self.journal.synced = self.journal.items.len();
            } else {
                self.journal.items.truncate(self.journal.synced);
            }
        }
    }

    fn coin(&mut self) -> bool {
        self.rng.next_u32() & 1 == 1
    }

    /// An instant in which the power may fail.
    fn power(&mut self, mark: Mark) -> Result<(), DiskError> {
        match &mut self.power_in {
            None => Ok(()),
            Some(0) => {
                self.marks.hit(if self.starting { Mark::CrashInRestart } else { mark });
                Err(DiskError::Power)
            }
            Some(left) => {
                *left -= 1;
                Ok(())
            }
        }
    }

    fn transact(&mut self, items: impl IntoIterator<Item = Item>, mark: Mark) -> Result<(), DiskError> {
        self.power(mark)?;
        // What a failed transaction left is written over.
        self.journal.items.truncate(self.journal.synced);
        if self.full {
            return Err(DiskError::Full);
        }
        self.journal.items.extend(items);
        self.version += 1;
        self.power(mark)?;
        if self.sync_fails {
            return Err(DiskError::Sync);
        }
        self.journal.synced = self.journal.items.len();
        self.power(mark)
    }

    /// Replaces a file by a synced and renamed one: at every instant it is the old or the new.
    fn replace(
        &mut self,
        file: fn(&mut Self) -> &mut Option<Vec<u8>>,
        bytes: &[u8],
        full: bool,
        mark: Mark,
    ) -> Result<(), DiskError> {
        self.power(mark)?;
        if full {
            return Err(DiskError::Full);
        }
        *file(self) = Some(bytes.to_vec());
        self.version += 1;
        if self.sync_fails && self.coin() {
            self.marks.hit(Mark::ShelfAmbiguous);
            return Err(DiskError::Sync);
        }
        self.power(mark)
    }

    /// Says whether its folder has to be synced.
    fn put_tile(&mut self, path: TilePath, bytes: &[u8]) -> Result<bool, DiskError> {
        self.power(Mark::CrashInTiles)?;
        match self.tiles.get(&path) {
            Some(found) if found == bytes => {
                self.marks.hit(Mark::TileThere);
                return Ok(!self.found_is_safe);
            }
            Some(_) => return Err(DiskError::Differs),
            None => {}
        }
        if self.shelf_fails {
            return Err(DiskError::Full);
        }
        self.version += 1;
        self.tiles.insert(path, bytes.to_vec());
        self.unsynced.insert(path);
        Ok(true)
    }
}

impl Journal for Disk {
    type Error = DiskError;

    fn append(&mut self, rows: &[Row<'_>]) -> Result<u64, DiskError> {
        let items: Vec<_> = rows.iter().map(|row| Item::Row(*row.digest, Arc::from(row.record))).collect();
        self.transact(items, Mark::CrashInAppend)?;
        Ok(self.last())
    }

    fn mark(&mut self, cut: Cut) -> Result<(), DiskError> {
        self.transact([Item::Cut(cut)], Mark::CrashInMark)
    }

    fn replay<E: From<DiskError>>(&mut self, mut visit: impl FnMut(Step<'_>) -> Result<(), E>) -> Result<(), E> {
        let items: Vec<Item> = self.journal.items.iter().take(self.journal.synced).cloned().collect();
        let rows = self.journal.rows();
        let rotten = if self.rots && rows > 0 { Some(u64::from(self.rng.next_u32()) % rows + 1) } else { None };
        self.rots = false;
        let mut row = 0;
        for item in items {
            match item {
                Item::Row(digest, record) => {
                    row += 1;
                    let mut read = record.to_vec();
                    if let Some(first) = read.first_mut().filter(|_| rotten == Some(row)) {
                        *first ^= 1;
                        if Sha256::digest(&read)[..] != digest[..] {
                            return Err(DiskError::Damaged(row).into());
                        }
                    }
                    visit(Step::Record(Row { digest: &digest, record: &read }))?;
                }
                Item::Cut(cut) => visit(Step::Cut(cut))?,
            }
        }
        Ok(())
    }

    fn last(&self) -> u64 {
        self.journal.rows()
    }
}

impl Shelf for Disk {
    type Error = DiskError;

    fn put_tiles(&mut self, growth: &Growth) -> Result<(), DiskError> {
        let mut placed = false;
        for (path, bytes) in &growth.tiles {
            placed |= self.put_tile(*path, bytes)?;
        }
        self.power(Mark::CrashInTiles)?;
        if !placed {
            return Ok(());
        }
        if self.sync_fails {
            self.marks.hit(Mark::ShelfAmbiguous);
            return Err(DiskError::Sync);
        }
        self.unsynced.clear();
        Ok(())
    }

    fn remember(&mut self, note: &[u8]) -> Result<(), DiskError> {
        self.replace(|disk| &mut disk.remembered, note, self.full, Mark::CrashInRemember)
    }

    fn put_checkpoint(&mut self, note: &[u8]) -> Result<(), DiskError> {
        self.replace(|disk| &mut disk.checkpoint, note, self.shelf_fails, Mark::CrashInCheckpoint)
    }
}
