//! The centre's operator, where he lies: a second history beside the centre's, signed with the log's own key, and what each audience
//! is shown.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::Arc;

use tallyproof_centre::gatherer::{Action, Ask, Cosigned, Gatherer, Input};
use tallyproof_centre::intake::Authentic;
use tallyproof_centre::journal::Cut;
use tallyproof_centre::{Intake, Sequencer};
use tallyproof_count::{Judged, Ledger, Source};
use tallyproof_log::checkpoint::Checkpoint;
use tallyproof_log::note::SignedNote;
use tallyproof_log::tile::TilePath;
use tallyproof_log::tree::Tree;
use tallyproof_record::cose::RecordDigest;

use super::centre::PACE;
use super::country::{Country, Variant};
use super::disk::{Item, JournalFile};
use super::plan::LIAR;

/// A log of the same key that begins as the centre's does.
pub(super) struct Second {
    sequencer: Sequencer,
    rows: u64,
    held: BTreeSet<RecordDigest>,
    pub(super) ledger: Ledger,
    pub(super) tiles: BTreeMap<TilePath, Vec<u8>>,
    /// The latest checkpoint, and the latest with the quorum.
    pub(super) checkpoint: String,
    pub(super) cosigned: Option<String>,
    pub(super) gatherer: Gatherer,
    pub(super) asks: VecDeque<Ask>,
}

impl Second {
    /// Parts from the centre's journal so many batches before its end.
    pub(super) fn fork(country: &Country, journal: &JournalFile, batches_back: u32, now: u64) -> Option<Self> {
        let (sequencer, growth) = Sequencer::begin(&country.definition).ok()?;
        let mut second = Self {
            sequencer,
            rows: 0,
            held: BTreeSet::new(),
            ledger: Ledger::new(Arc::clone(&country.definition)),
            tiles: growth.tiles.into_iter().collect(),
            checkpoint: String::new(),
            cosigned: None,
            gatherer: Gatherer::new(country.policy.clone(), PACE, now ^ 1),
            asks: VecDeque::new(),
        };
        second.ledger.apply(0, &Judged::Definition { matches: true });
        let batches = journal.items().iter().filter(|item| matches!(item, Item::Cut(_))).count();
        let mut left = batches.saturating_sub(batches_back as usize);
        let (intake, mut batch) = (Intake::new(Arc::clone(&country.definition)), Vec::new());
        for item in journal.items() {
            match item {
                _ if left == 0 => break,
                Item::Row(digest, bytes) => {
                    let record = country.recall(&intake, digest, bytes).ok()?;
                    intake.note(&record);
                    batch.push(record);
                }
                Item::Cut(cut) => {
                    second.append(*cut, std::mem::take(&mut batch))?;
                    left -= 1;
                }
            }
        }
        Some(second)
    }

    fn append(&mut self, cut: Cut, mut batch: Vec<Authentic>) -> Option<()> {
        let growth = self.sequencer.cut(cut, &mut batch).ok()?;
        self.rows = cut.seq_end;
        self.tiles.extend(growth.tiles);
        for (index, record) in (growth.first..).zip(&batch) {
            self.held.insert(*record.digest());
            self.ledger.apply(index, record.judged());
        }
        Some(())
    }

    /// Takes in another record of the country's, and signs. What it is, luck says; the liar's other records come first.
    pub(super) fn grow(&mut self, country: &Country, now: u64, luck: usize) -> Option<()> {
        let variant = if luck.is_multiple_of(2) { Variant::Own } else { Variant::Other };
        let slots = country.slots.iter().filter(|slot| variant == Variant::Own || slot.0 == LIAR);
        let digests: Vec<_> = slots
            .filter_map(|slot| Some(country.record(*slot, variant)?.digest()))
            .filter(|digest| !self.held.contains(digest))
            .collect();
        let record = country.authentic.get(digests.get(luck / 2 % digests.len().max(1))?)?.clone();
        self.append(Cut::after(self.rows + 1), vec![record])?;
        self.sign(country, now)
    }

    /// Signs what there is, and has it cosigned.
    pub(super) fn sign(&mut self, country: &Country, now: u64) -> Option<()> {
        let origin = country.log.verifier().name().clone();
        let checkpoint = Checkpoint { origin, size: self.tree().size(), root: self.tree().root() };
        self.checkpoint = checkpoint.sign(&country.log).ok()?;
        let note = SignedNote::parse(self.checkpoint.as_bytes()).ok()?;
        self.gather(now, Input::Signed { note, last: false });
        Some(())
    }

    pub(super) fn tree(&self) -> &Tree {
        self.sequencer.tree()
    }

    /// Its gatherer hears of something.
    pub(super) fn gather(&mut self, now: u64, input: Input) {
        for action in self.gatherer.handle(now, input) {
            match action {
                Action::Ask(ask) => self.asks.push_back(*ask),
                Action::Cosigned(cosigned) => self.publish(*cosigned),
                Action::Complete(_) | Action::Trouble { .. } => {}
            }
        }
    }

    fn publish(&mut self, Cosigned { checkpoint, note, quorum, .. }: Cosigned) {
        if checkpoint.size == self.tree().size() {
            self.checkpoint.clone_from(&note);
        }
        if quorum {
            self.cosigned = Some(note);
        }
    }
}

/// A log's files as a reader finds them.
pub(super) struct Shelf<'a> {
    pub(super) tiles: &'a BTreeMap<TilePath, Vec<u8>>,
    /// In place of those in which a bit has flipped.
    pub(super) rotten: Option<&'a BTreeMap<TilePath, Vec<u8>>>,
}

impl Source for Shelf<'_> {
    fn read(&self, path: &str) -> Result<Option<Vec<u8>>, String> {
        let Some(tile) = path.strip_prefix("log/").and_then(|path| path.parse().ok()) else { return Ok(None) };
        let rotten = self.rotten.and_then(|rotten| rotten.get(&tile));
        Ok(rotten.or_else(|| self.tiles.get(&tile)).cloned())
    }

    fn list(&self) -> Result<Option<Vec<String>>, String> {
        Ok(None)
    }
}
