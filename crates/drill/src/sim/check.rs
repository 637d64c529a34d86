//! The invariants, as an observer would check them who sees the whole country at once.
//!
//! What the simulator knows of a record is a table of its own (`country::Fact`); what the public sees it reads from the
//! published tiles and checkpoint. Neither asks the running centre.

mod bundle;
mod count;
mod invariant;

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::fmt;
use std::sync::Arc;

use tallyproof_count::{Judged, Ledger, judge_statement};
use tallyproof_log::checkpoint::Checkpoint;
use tallyproof_log::merkle::{Hash, leaf_hash};
use tallyproof_log::tile;
use tallyproof_log::tree::Tree;
use tallyproof_record::StationNo;
use tallyproof_record::cose::RecordDigest;
use tallyproof_record::entry::Entry;
use tallyproof_record::frame::Frame;

use super::country::{Country, SlotNo};
use super::disk::Disk;
use super::mark::Marks;
use super::plan::LIAR;
use super::post::{Message, Node, Parcel};
use super::statement::{Desk, Expected};
pub(super) use bundle::bundle_of;
pub use invariant::Invariant;

/// An invariant that does not hold.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Violation {
    /// Which.
    pub invariant: Invariant,
    /// How.
    pub what: String,
}

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}: {}", self.invariant, self.what)
    }
}

fn broken<T>(invariant: Invariant, what: impl Into<String>) -> Result<T, Violation> {
    Err(Violation { invariant, what: what.into() })
}

pub(super) fn short(digest: &RecordDigest) -> String {
    digest.iter().take(4).map(|byte| format!("{byte:02x}")).collect()
}

/// Everything that was promised and shown so far.
pub(super) struct Checker {
    receipted: BTreeSet<RecordDigest>,
    /// Receipted records that an operator's old backup took out of the journal, unseen.
    pub(super) rolled_back: BTreeSet<RecordDigest>,
    journal: Vec<RecordDigest>,
    /// The same, to look one up.
    held: HashSet<RecordDigest>,
    disk_version: u64,
    signed: BTreeMap<u64, Hash>,
    unwritten: Vec<(String, Checkpoint)>,
    /// By their text: cosignatures come and go.
    notes: HashMap<Vec<u8>, Checkpoint>,
    entries: Vec<Vec<u8>>,
    /// Digests of the records and statements among them.
    logged: HashSet<RecordDigest>,
    expected: Expected,
    tree: Tree,
    /// The published log, counted as it grows.
    ledger: Ledger,
    published: Option<Vec<u8>>,
    emitted: BTreeMap<SlotNo, RecordDigest>,
    attempts: BTreeMap<StationNo, u32>,
    counted: u64,
}

impl Checker {
    pub(super) fn new(country: &Country) -> Self {
        Self {
            receipted: BTreeSet::new(),
            rolled_back: BTreeSet::new(),
            journal: Vec::new(),
            held: HashSet::new(),
            disk_version: 0,
            signed: BTreeMap::new(),
            unwritten: Vec::new(),
            notes: HashMap::new(),
            entries: Vec::new(),
            logged: HashSet::new(),
            expected: Expected::default(),
            tree: Tree::new(),
            ledger: Ledger::new(Arc::clone(&country.definition)),
            published: None,
            emitted: BTreeMap::new(),
            attempts: BTreeMap::new(),
            counted: 0,
        }
    }

    /// The published log, counted.
    pub(super) fn ledger(&self) -> &Ledger {
        &self.ledger
    }

    /// The published log's tree.
    pub(super) fn tree(&self) -> &Tree {
        &self.tree
    }

    /// Entries of the published log.
    pub(super) fn size(&self) -> u64 {
        self.entries.len() as u64
    }

    /// What is receipted has to be in the published log in the end.
    pub(super) fn logged(&self, digest: &RecordDigest) -> Result<(), Violation> {
        if self.logged.contains(digest) {
            Ok(())
        } else {
            broken(Invariant::ReceiptKept, format!("{} is receipted and not in the log", short(digest)))
        }
    }

    /// A station's parcel leaves.
    pub(super) fn sent(&mut self, country: &Country, parcel: &Parcel) -> Result<(), Violation> {
        let Node::Station(station) = parcel.from else { return Ok(()) };
        let Message::Datagram(datagram) = &parcel.message else { return Ok(()) };
        let Ok(frame) = Frame::parse(datagram) else { return Ok(()) };
        let last = self.attempts.insert(station, frame.header.attempt).unwrap_or(0);
        if frame.header.attempt <= last {
            return broken(
                Invariant::AttemptsRise,
                format!("station {station} uses {} after {last}", frame.header.attempt),
            );
        }
        let Ok(digest) = frame.check_digest() else { return Ok(()) };
        let Some(fact) = country.facts.get(&digest) else { return Ok(()) };
        let first = *self.emitted.entry(fact.slot).or_insert(digest);
        if station != LIAR && first != digest {
            let what = format!("station {station} sends {} after {}", short(&digest), short(&first));
            return broken(Invariant::SealedOnce, what);
        }
        Ok(())
    }

    /// The centre has signed a receipt.
    pub(super) fn receipt_signed(&mut self, disk: &Disk, digest: RecordDigest) -> Result<(), Violation> {
        if !disk.journal.digests().contains(&digest) {
            return broken(Invariant::ReceiptAfterSync, format!("{} is not durable", short(&digest)));
        }
        self.receipted.insert(digest);
        Ok(())
    }

    /// A station has accepted a receipt.
    pub(super) fn receipt_accepted(&self, digest: &RecordDigest) -> Result<(), Violation> {
        if self.receipted.contains(digest) {
            return Ok(());
        }
        broken(Invariant::ReceiptGenuine, format!("nobody signed one for {}", short(digest)))
    }

    /// The log's key has signed a checkpoint. It counts from when it is written: before, it is in memory alone.
    pub(super) fn signed(&mut self, note: String, checkpoint: Checkpoint) {
        self.notes.insert(text_of(note.as_bytes()).to_vec(), checkpoint.clone());
        self.unwritten.push((note, checkpoint));
    }

    fn check_signed(&mut self, disk: &Disk) -> Result<(), Violation> {
        let files = [&disk.remembered, &disk.checkpoint];
        let written =
            |note: &str| files.iter().any(|file| file.as_deref().map(text_of) == Some(text_of(note.as_bytes())));
        let written: Vec<_> =
            self.unwritten.extract_if(.., |(note, _)| written(note)).map(|(_, checkpoint)| checkpoint).collect();
        for Checkpoint { size, root, .. } in written {
            if let Some((last, _)) = self.signed.last_key_value().filter(|(last, _)| **last > size) {
                return broken(Invariant::OneHistory, format!("size {size} is signed after size {last}"));
            }
            let known = self.signed.entry(size).or_insert(root);
            if *known != root {
                return broken(Invariant::OneHistory, format!("two roots are signed for size {size}"));
            }
        }
        Ok(())
    }

    /// The file with what was signed last is lost: what was in it alone, and never shown, is nowhere any more.
    pub(super) fn memory_lost(&mut self) {
        let shown = self.entries.len() as u64;
        self.signed.retain(|size, _| *size <= shown);
    }

    /// An operator has put another journal in place, and the centre has started with it.
    pub(super) fn journal_replaced(&mut self, disk: &Disk) {
        self.journal = disk.journal.digests().to_vec();
        self.held = self.journal.iter().copied().collect();
        let lost = self.receipted.iter().filter(|digest| !self.held.contains(*digest));
        self.rolled_back.extend(lost.copied());
        self.receipted.retain(|digest| self.held.contains(digest));
    }

    /// Everything that can have changed. Called after every step.
    ///
    /// While an operator's copy of the journal lies in its place and no centre has started on it, the journal is not looked at.
    pub(super) fn check(
        &mut self,
        country: &Country,
        disk: &Disk,
        desk: &Desk,
        live: Option<&Ledger>,
        foreign_journal: bool,
        marks: &mut Marks,
    ) -> Result<(), Violation> {
        if self.disk_version != disk.version {
            self.disk_version = disk.version;
            self.check_signed(disk)?;
            if !foreign_journal {
                self.check_journal(disk)?;
            }
            self.check_published(country, disk, desk, marks)?;
        }
        if let Some(live) =
            live.filter(|live| live.entries() != self.counted && live.entries() == self.ledger.entries())
        {
            self.counted = live.entries();
            self.check_count(country, live)?;
        }
        Ok(())
    }

    /// A new centre: its count is compared again.
    pub(super) fn forget_live(&mut self) {
        self.counted = 0;
    }

    fn check_journal(&mut self, disk: &Disk) -> Result<(), Violation> {
        let (before, now) = (self.journal.len(), disk.journal.digests());
        if now.get(..before).is_none_or(|kept| kept != self.journal) {
            let other = self.journal.iter().zip(now).position(|(known, digest)| known != digest);
            return if let Some(at) = other {
                broken(Invariant::JournalAppends, format!("record {} is another", at + 1))
            } else {
                let what = format!("the journal shrinks from {before} to {} records", now.len());
                broken(Invariant::ReceiptKept, what)
            };
        }
        for digest in now.iter().skip(before) {
            if !self.held.insert(*digest) {
                return broken(Invariant::JournalAppends, format!("{} is in the journal twice", short(digest)));
            }
            self.journal.push(*digest);
        }
        match self.receipted.iter().find(|digest| !self.held.contains(*digest)) {
            Some(lost) => broken(Invariant::ReceiptKept, format!("{} is receipted and gone", short(lost))),
            None => Ok(()),
        }
    }

    /// Reads what the public can read.
    fn check_published(
        &mut self,
        country: &Country,
        disk: &Disk,
        desk: &Desk,
        marks: &mut Marks,
    ) -> Result<(), Violation> {
        let Some(note) = &disk.checkpoint else { return Ok(()) };
        if self.published.as_ref() != Some(note) {
            self.published = Some(note.clone());
            let remembered = disk.remembered.as_deref().map(text_of);
            if remembered.is_some_and(|remembered| remembered != text_of(note)) {
                return broken(Invariant::CheckpointCovered, "a checkpoint is shown that is not remembered");
            }
            // Whether the key holds, the verifier looks at in the end; here it is enough that the log has signed this very note.
            let Some(checkpoint) = self.notes.get(text_of(note)).cloned() else {
                return broken(Invariant::CheckpointCovered, "the checkpoint is not signed");
            };
            self.read_log((country, desk), disk, &checkpoint, marks)?;
        }
        self.check_tiles(disk)
    }

    /// Every tile below the published checkpoint is there, whatever the power did.
    fn check_tiles(&self, disk: &Disk) -> Result<(), Violation> {
        let size = self.entries.len() as u64;
        match tile::tiles_for(0, size).find(|path| !disk.tiles.contains_key(path)) {
            Some(path) => {
                broken(Invariant::CheckpointCovered, format!("{path} of the checkpoint of size {size} is gone"))
            }
            None => Ok(()),
        }
    }

    fn read_log(
        &mut self,
        (country, desk): (&Country, &Desk),
        disk: &Disk,
        checkpoint: &Checkpoint,
        marks: &mut Marks,
    ) -> Result<(), Violation> {
        let (size, known) = (checkpoint.size, self.entries.len());
        if size < known as u64 {
            return broken(Invariant::OneHistory, format!("the log shrinks from {known} to {size}"));
        }
        for path in tile::tiles_for(0, size).take_while(|path| path.level().is_none()) {
            let Some(bytes) = disk.tiles.get(&path) else {
                return broken(Invariant::CheckpointCovered, format!("{path} is missing"));
            };
            let entries = match tile::decode_entries(bytes, path.width()) {
                Ok(entries) => entries,
                Err(error) => return broken(Invariant::CheckpointCovered, format!("{path}: {error}")),
            };
            for (index, entry) in (path.first().unwrap_or_default()..).zip(entries) {
                match usize::try_from(index).ok().and_then(|index| self.entries.get(index)) {
                    Some(known) if known == entry => {}
                    Some(_) => return broken(Invariant::NothingOverwritten, format!("entry {index} is another")),
                    None => self.take_entry((country, desk), index, entry, marks)?,
                }
            }
        }
        if self.tree.root() != checkpoint.root {
            return broken(Invariant::CheckpointCovered, format!("the tiles do not lead to the root of size {size}"));
        }
        Ok(())
    }

    fn take_entry(
        &mut self,
        (country, desk): (&Country, &Desk),
        index: u64,
        entry: &[u8],
        marks: &mut Marks,
    ) -> Result<(), Violation> {
        match Entry::decode(entry) {
            Ok(Entry::Definition(manifest)) if index == 0 => {
                let matches = manifest == country.definition.canonical().manifest.as_bytes();
                self.ledger.apply(0, &Judged::Definition { matches });
            }
            Ok(Entry::Record(record)) => {
                let digest = tallyproof_centre::intake::digest(record);
                let Some(fact) = country.facts.get(&digest) else {
                    return broken(Invariant::OnlyGenuine, format!("entry {index} is nobody's record"));
                };
                self.take_digest(index, digest)?;
                self.ledger.apply(index, &fact.judged);
                self.expected.record(country, digest);
            }
            Ok(Entry::Statement(_, bytes)) => {
                let digest = tallyproof_centre::intake::digest(bytes);
                let Some(copy) = desk.copies.get(&digest) else {
                    return broken(Invariant::OnlyGenuine, format!("entry {index} is nobody's statement"));
                };
                self.take_digest(index, digest)?;
                self.ledger.apply(index, &judge_statement(&country.definition, bytes));
                self.expected.statement(copy, marks);
            }
            _ => return broken(Invariant::OnlyGenuine, format!("entry {index} is neither record nor statement")),
        }
        self.tree.append(leaf_hash(entry));
        self.entries.push(entry.to_vec());
        Ok(())
    }

    fn take_digest(&mut self, index: u64, digest: RecordDigest) -> Result<(), Violation> {
        if self.logged.insert(digest) {
            Ok(())
        } else {
            broken(Invariant::OnlyGenuine, format!("entry {index} repeats an earlier one"))
        }
    }
}

/// A note without its signatures.
fn text_of(note: &[u8]) -> &[u8] {
    let end = note.windows(2).position(|pair| pair == b"\n\n").unwrap_or(note.len());
    note.get(..end).unwrap_or_default()
}
