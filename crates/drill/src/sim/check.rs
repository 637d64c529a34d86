//! The invariants, as an observer would check them who sees the whole country at once.
//!
//! What the simulator knows of a record is a table of its own ([`super::country::Fact`]); what the public sees it reads from the
//! published tiles and checkpoint. Neither asks the running centre.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::fmt;
use std::sync::Arc;

use tallyproof_count::{Judged, Ledger, SlotStatus, Totals, bundle, manifest::Manifest, verify};
use tallyproof_log::checkpoint::Checkpoint;
use tallyproof_log::merkle::{Hash, leaf_hash};
use tallyproof_log::policy::Policy;
use tallyproof_log::tile::{self, TilePath};
use tallyproof_log::tree::Tree;
use tallyproof_record::StationNo;
use tallyproof_record::cose::RecordDigest;
use tallyproof_record::entry::Entry;
use tallyproof_record::frame::Frame;
use tallyproof_record::rules::Severity;

use super::country::{Country, SlotNo};
use super::disk::Disk;
use super::plan::LIAR;
use super::post::{Message, Node, Parcel};

/// What must hold, of `docs/spec` and the design's invariants.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Invariant {
    /// A receipt is signed only for a record that the journal holds durably.
    ReceiptAfterSync,
    /// A receipted record is in the journal after any crash.
    ReceiptKept,
    /// The journal's records never change, and none is in it twice.
    JournalAppends,
    /// What was published never changes.
    NothingOverwritten,
    /// Checkpoints never shrink, and there is one root for each size.
    OneHistory,
    /// A published checkpoint is remembered, and its tiles are there and lead to its root.
    CheckpointCovered,
    /// Only records that their station has signed are in the log, each once.
    OnlyGenuine,
    /// Two different records of a slot: neither is counted. A quarantined or rejected one is not either.
    NeverPreferred,
    /// The live count is that of the published log.
    TotalsPure,
    /// A station that keeps to its queue sends one record for each slot.
    SealedOnce,
    /// A station's attempts rise, whatever happens to its power and its clock.
    AttemptsRise,
    /// A receipt that a station accepts was signed by the centre.
    ReceiptGenuine,
    /// When everything works again, every record comes through.
    Progress,
    /// The bundle verifies by the public verifier.
    Verifies,
    /// The centre never halts by itself.
    NoHalt,
    /// A centre that is started on the right files starts.
    Starts,
}

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

fn short(digest: &RecordDigest) -> String {
    digest.iter().take(4).map(|byte| format!("{byte:02x}")).collect()
}

/// Everything that was promised and shown so far.
pub(super) struct Checker {
    receipted: BTreeSet<RecordDigest>,
    /// Receipted records that an operator's old backup took out of the journal, unseen.
    pub(super) rolled_back: BTreeSet<RecordDigest>,
    journal: Vec<RecordDigest>,
    disk_version: u64,
    signed: BTreeMap<u64, Hash>,
    unwritten: Vec<(String, Checkpoint)>,
    notes: HashMap<String, Checkpoint>,
    entries: Vec<Vec<u8>>,
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
            disk_version: 0,
            signed: BTreeMap::new(),
            unwritten: Vec::new(),
            notes: HashMap::new(),
            entries: Vec::new(),
            tree: Tree::new(),
            ledger: Ledger::new(Arc::clone(&country.definition)),
            published: None,
            emitted: BTreeMap::new(),
            attempts: BTreeMap::new(),
            counted: 0,
        }
    }

    /// A receipted record has to be in the published log in the end.
    pub(super) fn logged(&self, digest: &RecordDigest) -> Result<(), Violation> {
        let logged = self.entries.iter().any(|entry| {
            matches!(Entry::decode(entry), Ok(Entry::Record(record)) if tallyproof_centre::intake::digest(record) == *digest)
        });
        if logged {
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
        if !disk.journal.digests().any(|held| held == digest) {
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
        self.notes.insert(note.clone(), checkpoint.clone());
        self.unwritten.push((note, checkpoint));
    }

    fn check_signed(&mut self, disk: &Disk) -> Result<(), Violation> {
        let files = [&disk.remembered, &disk.checkpoint];
        let written = |note: &str| files.iter().any(|file| file.as_deref() == Some(note.as_bytes()));
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
        self.journal = disk.journal.digests().collect();
        let held: BTreeSet<_> = self.journal.iter().copied().collect();
        self.rolled_back.extend(self.receipted.difference(&held).copied());
        self.receipted.retain(|digest| held.contains(digest));
    }

    /// Everything that can have changed. Called after every step.
    ///
    /// While an operator's copy of the journal lies in its place and no centre has started on it, the journal is not looked at.
    pub(super) fn check(
        &mut self,
        country: &Country,
        disk: &Disk,
        live: Option<&Ledger>,
        foreign_journal: bool,
    ) -> Result<(), Violation> {
        if self.disk_version != disk.version {
            self.disk_version = disk.version;
            self.check_signed(disk)?;
            if !foreign_journal {
                self.check_journal(disk)?;
            }
            self.check_published(country, disk)?;
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
        let mut count = 0;
        let mut new = Vec::new();
        for digest in disk.journal.digests() {
            match self.journal.get(count) {
                Some(known) if *known != digest => {
                    return broken(Invariant::JournalAppends, format!("record {} is another", count + 1));
                }
                Some(_) => {}
                None => new.push(digest),
            }
            count += 1;
        }
        if count < self.journal.len() {
            return broken(
                Invariant::ReceiptKept,
                format!("the journal shrinks from {} to {count} records", self.journal.len()),
            );
        }
        for digest in new {
            if self.journal.contains(&digest) {
                return broken(Invariant::JournalAppends, format!("{} is in the journal twice", short(&digest)));
            }
            self.journal.push(digest);
        }
        match self.receipted.iter().find(|digest| !self.journal.contains(digest)) {
            Some(lost) => broken(Invariant::ReceiptKept, format!("{} is receipted and gone", short(lost))),
            None => Ok(()),
        }
    }

    /// Reads what the public can read.
    fn check_published(&mut self, country: &Country, disk: &Disk) -> Result<(), Violation> {
        let Some(note) = &disk.checkpoint else { return Ok(()) };
        if self.published.as_ref() != Some(note) {
            self.published = Some(note.clone());
            if disk.remembered.as_ref() != Some(note) && disk.remembered.is_some() {
                return broken(Invariant::CheckpointCovered, "a checkpoint is shown that is not remembered");
            }
            // Whether the key holds, the verifier looks at in the end; here it is enough that the log has signed this very note.
            let checkpoint = std::str::from_utf8(note).ok().and_then(|note| self.notes.get(note)).cloned();
            let Some(checkpoint) = checkpoint else {
                return broken(Invariant::CheckpointCovered, "the checkpoint is not signed");
            };
            self.read_log(country, disk, &checkpoint)?;
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

    fn read_log(&mut self, country: &Country, disk: &Disk, checkpoint: &Checkpoint) -> Result<(), Violation> {
        let width = u16::try_from(checkpoint.size).unwrap_or(u16::MAX);
        let Some(path) = TilePath::entries(0, width) else {
            return broken(Invariant::CheckpointCovered, format!("size {} has no tile", checkpoint.size));
        };
        let Some(bytes) = disk.tiles.get(&path) else {
            return broken(Invariant::CheckpointCovered, format!("{path} is missing"));
        };
        let entries = match tile::decode_entries(bytes, width) {
            Ok(entries) => entries,
            Err(error) => return broken(Invariant::CheckpointCovered, format!("{path}: {error}")),
        };
        for (index, entry) in entries.iter().enumerate() {
            match self.entries.get(index) {
                Some(known) if known == entry => {}
                Some(_) => return broken(Invariant::NothingOverwritten, format!("entry {index} is another")),
                None => self.take_entry(country, index as u64, entry)?,
            }
        }
        if entries.len() < self.entries.len() {
            return broken(
                Invariant::OneHistory,
                format!("the log shrinks from {} to {}", self.entries.len(), entries.len()),
            );
        }
        if self.tree.root() != checkpoint.root {
            return broken(
                Invariant::CheckpointCovered,
                format!("the tiles do not lead to the root of size {}", checkpoint.size),
            );
        }
        Ok(())
    }

    fn take_entry(&mut self, country: &Country, index: u64, entry: &[u8]) -> Result<(), Violation> {
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
                if self.entries.iter().any(|known| known == entry) {
                    return broken(Invariant::OnlyGenuine, format!("entry {index} repeats an earlier one"));
                }
                self.ledger.apply(index, &fact.judged);
            }
            _ => return broken(Invariant::OnlyGenuine, format!("entry {index} is no record")),
        }
        self.tree.append(leaf_hash(entry));
        self.entries.push(entry.to_vec());
        Ok(())
    }

    /// The live count against the published log's, and both against what the records are.
    fn check_count(&self, country: &Country, live: &Ledger) -> Result<(), Violation> {
        self.check_slots(country, live)?;
        let (live, recounted) = (Totals::of(live), Totals::of(&self.ledger));
        if live.by_candidate() != recounted.by_candidate() {
            return broken(Invariant::TotalsPure, "the live totals are not those of the published log");
        }
        Ok(())
    }

    /// For each slot, what has to become of it, from the set of its records alone.
    fn check_slots(&self, country: &Country, live: &Ledger) -> Result<(), Violation> {
        let mut records: BTreeMap<SlotNo, BTreeMap<RecordDigest, Option<Severity>>> = BTreeMap::new();
        for entry in &self.entries {
            let Ok(Entry::Record(record)) = Entry::decode(entry) else { continue };
            let digest = tallyproof_centre::intake::digest(record);
            let Some(fact) = country.facts.get(&digest) else { continue };
            if fact.severity != Some(Severity::Reject) {
                records.entry(fact.slot).or_default().insert(digest, fact.severity);
            }
        }
        for &slot in &country.slots {
            let (expected, figures) = match records.get(&slot) {
                None => (SlotStatus::Missing, None),
                Some(of_slot) => standing(country, of_slot),
            };
            let Some(view) = live.slot(slot.0, slot.1) else { continue };
            if view.status != expected {
                let what = format!("station {} contest {} is {:?}, not {expected:?}", slot.0, slot.1, view.status);
                return broken(Invariant::NeverPreferred, what);
            }
            if expected == SlotStatus::Counted && view.figures.map(|f| f.counts) != figures {
                return broken(Invariant::TotalsPure, format!("station {} contest {}: other figures", slot.0, slot.1));
            }
        }
        Ok(())
    }

    /// The whole bundle, by the public verifier, which checks every signature again and counts the log anew: to the same bytes.
    pub(super) fn verify_bundle(&self, country: &Country, disk: &Disk, live: &Ledger) -> Result<(), Violation> {
        let root = self.tree.root();
        let files = bundle_of(country, disk, live, self.entries.len() as u64, root)
            .or_else(|what| broken(Invariant::Verifies, what))?;
        let verified = match verify(&files, None, &|_, _| {}) {
            Ok(verified) => verified,
            Err(error) => return broken(Invariant::Verifies, error.to_string()),
        };
        match verified.problems.first() {
            Some(problem) => broken(Invariant::Verifies, problem.to_string()),
            None if verified.ledger.is_none_or(|anew| bundle::index_files(&anew) != bundle::index_files(live)) => {
                broken(Invariant::TotalsPure, "judged and counted anew, the log gives another index")
            }
            None => Ok(()),
        }
    }
}

/// What becomes of a slot with these records, none of them rejected.
fn standing<'a>(
    country: &'a Country,
    records: &BTreeMap<RecordDigest, Option<Severity>>,
) -> (SlotStatus, Option<&'a [u32]>) {
    let mut records = records.iter();
    match (records.next(), records.next()) {
        (Some((digest, severity)), None) if *severity != Some(Severity::Quarantine) => {
            (SlotStatus::Counted, country.facts.get(digest).map(|fact| fact.counts.as_slice()))
        }
        (None, _) => (SlotStatus::Missing, None),
        _ => (SlotStatus::Quarantined, None),
    }
}

fn bundle_of(
    country: &Country,
    disk: &Disk,
    ledger: &Ledger,
    tree_size: u64,
    root: Hash,
) -> Result<BTreeMap<String, Vec<u8>>, String> {
    let key = country.log.verifier();
    let mut files = BTreeMap::new();
    for (name, bytes) in &country.definition.canonical().files {
        files.insert(format!("election/{name}"), bytes.clone());
    }
    let policy = Policy::without_witnesses([key.clone()]).map_err(|error| error.to_string())?;
    files.insert(bundle::VKEYS.to_owned(), format!("{key}\n").into_bytes());
    files.insert(bundle::POLICY.to_owned(), policy.to_string().into_bytes());
    files.extend(bundle::index_files(ledger).map(|(path, bytes)| (path.to_owned(), bytes)));
    let mut manifest = Manifest { origin: key.name().clone(), tree_size, root, files: BTreeMap::new() };
    for (path, bytes) in &files {
        manifest.insert(path.parse().map_err(|error| format!("{error}"))?, bytes);
    }
    let manifest = manifest.sign(&country.log).map_err(|error| error.to_string())?;
    files.insert(bundle::MANIFEST.to_owned(), manifest.into_bytes());
    files.extend(disk.tiles.iter().map(|(path, bytes)| (bundle::tile_path(path), bytes.clone())));
    files.insert(bundle::CHECKPOINT.to_owned(), disk.checkpoint.clone().unwrap_or_default());
    Ok(files)
}
