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
use tallyproof_log::tile::{self, TilePath};
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
pub(super) enum Item {
    Row(RecordDigest, Arc<[u8]>),
    Cut(Cut),
}

/// Where a reading goes wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Misread {
    Journal,
    /// The file with the last signed checkpoint.
    Remembered,
    /// The published checkpoint.
    Checkpoint,
    /// A tile that is compared with what is to be written.
    Tile,
}

impl Misread {
    pub(super) const ALL: [Self; 4] = [Self::Journal, Self::Remembered, Self::Checkpoint, Self::Tile];
}

/// The next reading of a file gives a flipped bit, or ends early.
#[derive(Clone, Copy, Debug)]
struct Fault {
    file: Misread,
    short: bool,
}

impl Fault {
    fn spoil(self, bytes: &mut Vec<u8>, luck: usize) {
        if self.short {
            bytes.truncate(luck % bytes.len().max(1));
        } else {
            let place = luck % bytes.len().max(1);
            bytes.get_mut(place).into_iter().for_each(|byte| *byte ^= 1);
        }
    }
}

/// A journal as it lies on a disk. Cloned, it is a backup.
#[derive(Clone, Debug, Default)]
pub(super) struct JournalFile {
    items: Vec<Item>,
    /// Items that a power loss leaves in place.
    synced: usize,
    /// Digests of the durable records, in order.
    digests: Vec<RecordDigest>,
}

impl JournalFile {
    /// A journal with these records in one batch of the log.
    pub(super) fn with<'a>(records: impl Iterator<Item = (RecordDigest, &'a [u8])>) -> Self {
        let mut items: Vec<_> = records.map(|(digest, bytes)| Item::Row(digest, Arc::from(bytes))).collect();
        if !items.is_empty() {
            items.push(Item::Cut(Cut::after(items.len() as u64)));
        }
        let mut file = Self { items, ..Self::default() };
        file.sync();
        file
    }

    /// Digests of the durable records, in order.
    pub(super) fn digests(&self) -> &[RecordDigest] {
        &self.digests
    }

    /// What is durable.
    pub(super) fn items(&self) -> &[Item] {
        self.items.get(..self.synced).unwrap_or_default()
    }

    fn rows(&self) -> u64 {
        self.digests.len() as u64
    }

    fn sync(&mut self) {
        let new = self.items.get(self.synced..).unwrap_or_default();
        self.digests.extend(new.iter().filter_map(|item| match item {
            Item::Row(digest, _) => Some(*digest),
            Item::Cut(_) => None,
        }));
        self.synced = self.items.len();
    }

    fn lose_unsynced(&mut self) {
        self.items.truncate(self.synced);
    }
}

/// All that a disk holds. Cloned, it is a backup of the whole machine.
#[derive(Clone, Debug, Default)]
pub(super) struct Machine {
    journal: JournalFile,
    remembered: Option<Vec<u8>>,
    checkpoint: Option<Vec<u8>>,
    cosigned: Option<Vec<u8>>,
    tiles: BTreeMap<TilePath, Vec<u8>>,
    unsynced: BTreeSet<TilePath>,
}

/// The disk, its faults, and the power.
#[derive(Debug)]
#[expect(clippy::struct_excessive_bools, reason = "each fault comes and goes by itself")]
pub(super) struct Disk {
    pub(super) journal: JournalFile,
    /// The file with the last signed checkpoint.
    pub(super) remembered: Option<Vec<u8>>,
    pub(super) checkpoint: Option<Vec<u8>>,
    /// The last checkpoint with the witnesses' quorum.
    pub(super) cosigned: Option<Vec<u8>>,
    pub(super) tiles: BTreeMap<TilePath, Vec<u8>>,
    /// What readers find in place of those tiles in which a bit has flipped.
    pub(super) rotten: BTreeMap<TilePath, Vec<u8>>,
    /// Tiles whose folder was not synced since they came.
    unsynced: BTreeSet<TilePath>,
    /// Rises with every change, so that nothing is checked twice.
    pub(super) version: u64,
    pub(super) full: bool,
    pub(super) sync_fails: bool,
    /// The bundle's file system, which is another one, cannot be written.
    pub(super) shelf_fails: bool,
    misread: Option<Fault>,
    /// Whether a reading has gone wrong since this was last asked.
    misled: bool,
    /// Operations until the power fails.
    pub(super) power_in: Option<u32>,
    /// It is the program alone that is killed then; the machine goes on.
    pub(super) program_only: bool,
    pub(super) starting: bool,
    /// A planted bug: a tile that is there is taken for durable.
    pub(super) found_is_safe: bool,
    /// A planted bug: nobody looks whether all of a row was read.
    pub(super) short_is_whole: bool,
    rng: ChaCha8Rng,
    pub(super) marks: Marks,
}

impl Disk {
    pub(super) fn new(rng: ChaCha8Rng) -> Self {
        Self {
            journal: JournalFile::default(),
            remembered: None,
            checkpoint: None,
            cosigned: None,
            tiles: BTreeMap::new(),
            rotten: BTreeMap::new(),
            unsynced: BTreeSet::new(),
            version: 0,
            full: false,
            sync_fails: false,
            shelf_fails: false,
            misread: None,
            misled: false,
            power_in: None,
            program_only: false,
            starting: false,
            found_is_safe: false,
            short_is_whole: false,
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
                self.journal.sync();
            } else {
                self.marks.hit(Mark::JournalUnsyncedLost);
                self.journal.lose_unsynced();
            }
        }
        for path in std::mem::take(&mut self.unsynced) {
            if self.coin() {
                self.marks.hit(Mark::TileLost);
                self.tiles.remove(&path);
                self.rotten.remove(&path);
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
                self.journal.sync();
            } else {
                self.journal.lose_unsynced();
            }
        }
    }

    /// A copy of everything.
    pub(super) fn copy(&self) -> Machine {
        Machine {
            journal: self.journal.clone(),
            remembered: self.remembered.clone(),
            checkpoint: self.checkpoint.clone(),
            cosigned: self.cosigned.clone(),
            tiles: self.tiles.clone(),
            unsynced: self.unsynced.clone(),
        }
    }

    /// Puts a copy in place of everything, and gives back what was there.
    pub(super) fn replace_all(&mut self, machine: Machine) -> Machine {
        let before = self.copy();
        Machine {
            journal: self.journal,
            remembered: self.remembered,
            checkpoint: self.checkpoint,
            cosigned: self.cosigned,
            tiles: self.tiles,
            unsynced: self.unsynced,
        } = machine;
        before
    }

    /// The next reading of the file goes wrong.
    pub(super) fn misread(&mut self, file: Misread, short: bool) {
        self.misread = Some(Fault { file, short });
    }

    /// Every reading is right again.
    pub(super) fn reads_well(&mut self) {
        self.misread = None;
    }

    /// Whether a reading has gone wrong since this was last asked.
    pub(super) fn was_misled(&mut self) -> bool {
        std::mem::take(&mut self.misled)
    }

    /// Whether this reading goes wrong, and how.
    fn goes_wrong(&mut self, file: Misread) -> Option<Fault> {
        let fault = self.misread.take_if(|fault| fault.file == file);
        self.misled |= fault.is_some();
        fault
    }

    /// Reads one of the files with a checkpoint.
    pub(super) fn read_note(&mut self, file: Misread) -> Option<Vec<u8>> {
        let mut bytes = match file {
            Misread::Remembered => self.remembered.clone(),
            Misread::Checkpoint => self.checkpoint.clone(),
            Misread::Journal | Misread::Tile => None,
        }?;
        if let Some(fault) = self.goes_wrong(file) {
            let luck = self.rng.next_u32() as usize;
            fault.spoil(&mut bytes, luck);
        }
        Some(bytes)
    }

    /// A bit of a tile flips, of a log of so many entries, for whoever reads it from now on.
    pub(super) fn rot(&mut self, size: u64, pick: u32) {
        let tiles: Vec<_> = tile::tiles_for(0, size).filter(|path| self.tiles.contains_key(path)).collect();
        let Some(path) = tiles.get(pick as usize % tiles.len().max(1)) else { return };
        let mut bytes = self.tiles.get(path).cloned().unwrap_or_default();
        let place = self.rng.next_u32() as usize % bytes.len().max(1);
        bytes.get_mut(place).into_iter().for_each(|byte| *byte ^= 1);
        self.rotten.insert(*path, bytes);
    }

    /// A tile as readers find it.
    pub(super) fn tile(&self, path: &TilePath) -> Option<&Vec<u8>> {
        self.rotten.get(path).or_else(|| self.tiles.get(path))
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
        self.journal.lose_unsynced();
        if self.full {
            return Err(DiskError::Full);
        }
        self.journal.items.extend(items);
        self.version += 1;
        self.power(mark)?;
        if self.sync_fails {
            return Err(DiskError::Sync);
        }
        self.journal.sync();
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
        if self.tiles.contains_key(&path) {
            if self.goes_wrong(Misread::Tile).is_some() || self.tile(&path).is_none_or(|found| found != bytes) {
                return Err(DiskError::Differs);
            }
            self.marks.hit(Mark::TileThere);
            return Ok(!self.found_is_safe);
        }
        if self.shelf_fails {
            return Err(DiskError::Full);
        }
        self.version += 1;
        if !path.is_partial() {
            self.marks.hit(Mark::FullTile);
        }
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
        let rows = self.journal.rows();
        let fault = if rows > 0 { self.goes_wrong(Misread::Journal) } else { None };
        let (wrong, luck) = (u64::from(self.rng.next_u32()) % rows.max(1) + 1, self.rng.next_u32() as usize);
        let mut row = 0;
        for item in self.journal.items() {
            match item {
                Item::Row(digest, record) => {
                    row += 1;
                    let Some(fault) = fault.filter(|_| row == wrong) else {
                        visit(Step::Record(Row { digest, record }))?;
                        continue;
                    };
                    let mut read = record.to_vec();
                    fault.spoil(&mut read, luck);
                    if self.short_is_whole {
                        continue;
                    }
                    if Sha256::digest(&read)[..] != digest[..] {
                        return Err(DiskError::Damaged(row).into());
                    }
                    visit(Step::Record(Row { digest, record: &read }))?;
                }
                Item::Cut(cut) => visit(Step::Cut(*cut))?,
            }
        }
        Ok(())
    }

    fn last(&self) -> u64 {
        self.journal.rows()
    }
}

impl Disk {
    /// Shows the checkpoint with the quorum.
    pub(super) fn put_cosigned(&mut self, note: &[u8]) -> Result<(), DiskError> {
        self.replace(|disk| &mut disk.cosigned, note, self.shelf_fails, Mark::CrashInCheckpoint)
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
