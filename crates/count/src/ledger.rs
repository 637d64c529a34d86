//! The fold over judged entries: for each station and contest, which record stands, if any.

use std::{collections::BTreeMap, slice, sync::Arc};

use serde::Serialize;
use tallyproof_record::{
    ContestNo, StationNo, Tally,
    cose::RecordDigest,
    definition::{Committed, Figure},
    rules::{self, RuleId, Severity},
};

use crate::{
    judge::{Judged, JudgedRecord},
    roster::Roster,
    statements::{Book, Fault},
};

mod invariants;
mod past;
mod statements;

pub use invariants::Inconsistent;

/// What is known of one station in one contest.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum SlotStatus {
    /// No record that could be counted has come. This is not zero votes.
    Missing,
    /// One record stands and is counted.
    Counted,
    /// There is a record, and a rule keeps it from being counted; or there are several different ones.
    Quarantined,
}

impl SlotStatus {
    /// The word used in files.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Missing => "missing",
            Self::Counted => "counted",
            Self::Quarantined => "quarantined",
        }
    }
}

/// A set of rules.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct RuleSet(u32);

const _: () = assert!(rules::TABLE.len() <= u32::BITS as usize, "a rule needs its bit in RuleSet");

impl RuleSet {
    /// Puts a rule in.
    pub fn insert(&mut self, rule: RuleId) {
        self.0 |= 1 << (rule as u32);
    }

    /// Whether the rule is in.
    pub fn contains(self, rule: RuleId) -> bool {
        self.0 & (1 << (rule as u32)) != 0
    }

    /// Whether no rule is in.
    pub fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// The rules of both.
    #[must_use]
    pub fn union(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    /// The rules' codes, sorted.
    pub fn codes(self) -> Vec<&'static str> {
        let mut codes: Vec<_> = RuleId::all().filter(|&rule| self.contains(rule)).map(RuleId::code).collect();
        codes.sort_unstable();
        codes
    }
}

impl FromIterator<RuleId> for RuleSet {
    fn from_iter<I: IntoIterator<Item = RuleId>>(rules: I) -> Self {
        let mut set = Self::default();
        rules.into_iter().for_each(|rule| set.insert(rule));
        set
    }
}

/// What an entry did to the ledger.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Applied {
    /// Neither record nor statement.
    Nothing,
    /// A statement that took effect.
    Effect,
    /// A statement without effect: the rule that it fails.
    NoEffect(Fault),
    /// The first record of its slot, counted.
    Counted,
    /// The first record of its slot, kept apart by a rule. Where that is `AR-04`, slots of the station's other contests
    /// are kept apart with it.
    Quarantined,
    /// Differs from the slot's first record: none of them is counted.
    Conflict,
    /// An event; the slot is as before.
    Rejected,
    /// The same record as an earlier entry; the slot is as before. No honest log does this.
    Duplicate {
        /// Log index of its first appearance.
        first: u64,
    },
}

/// Counts of slots and records.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Summary {
    /// Slots: stations, once for each contest that they vote in.
    pub expected: u64,
    /// Slots that are counted.
    pub counted: u64,
    /// Slots that are quarantined.
    pub quarantined: u64,
    /// Slots without a record that could be counted.
    pub missing: u64,
    /// Record entries, whatever became of them.
    pub records: u64,
    /// Records that are rejected.
    pub rejected: u64,
    /// Records that are not rejected and carry a warning.
    pub warnings: u64,
}

/// A rejected record: an event of the log.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rejection {
    /// Log index.
    pub entry: u64,
    /// Station number that the record states; it need not exist.
    pub station: StationNo,
    /// Contest number that the record states; it need not exist.
    pub contest: ContestNo,
    /// The rules that it fails.
    pub codes: RuleSet,
}

/// The figures of a record that was not rejected.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FiguresView<'a> {
    /// One count per ballot line, in ballot order.
    pub counts: &'a [u32],
    stated: &'a [u32],
    mask: u8,
}

impl<'a> FiguresView<'a> {
    /// `stated` in the order of [`Figure::ALL`], those that `mask` names by their [`FiguresView::bit`].
    pub(crate) fn new(counts: &'a [u32], stated: &'a [u32], mask: u8) -> Self {
        Self { counts, stated, mask }
    }
}

impl FiguresView<'_> {
    pub(crate) fn bit(figure: Figure) -> u8 {
        1 << (figure as u8)
    }

    /// A stated figure; `None` means not stated.
    pub fn figure(&self, figure: Figure) -> Option<u32> {
        self.figures().find(|(stated, _)| *stated == figure).map(|(_, value)| value)
    }

    /// The stated figures.
    pub fn figures(&self) -> impl Iterator<Item = (Figure, u32)> + '_ {
        let mask = self.mask;
        Figure::ALL.into_iter().filter(move |&figure| mask & Self::bit(figure) != 0).zip(self.stated.iter().copied())
    }
}

/// One slot.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SlotView<'a> {
    /// Whose.
    pub station: StationNo,
    /// In which contest.
    pub contest: ContestNo,
    /// What is known.
    pub status: SlotStatus,
    /// Log indices of its records, ascending, rejected ones included.
    pub entries: &'a [u64],
    /// Rules that its records fail.
    pub codes: RuleSet,
    /// The figures of its one standing record, counted or quarantined. `None` where there is none, or where records
    /// conflict: none of them is preferred.
    pub figures: Option<FiguresView<'a>>,
}

/// The state of the count after a log prefix.
#[derive(Clone, Debug)]
pub struct Ledger {
    definition: Arc<Committed>,
    roster: Roster,
    slots: Vec<Slot>,
    lists: Vec<Several>,
    records: Vec<Record>,
    /// Figures of the standing records, end to end in log order, so that a count is one pass over memory.
    figures: Vec<u32>,
    rejections: Vec<Rejection>,
    /// The voters that each station's records state, by station; empty where nobody votes in two contests.
    voters: Vec<Spread>,
    /// Records that name no slot, by digest.
    strays: BTreeMap<RecordDigest, u64>,
    book: Book,
    entries: u64,
    summary: Summary,
}

#[derive(Clone, Copy, Debug)]
enum Slot {
    Empty,
    /// Position in [`Ledger::records`].
    One(usize),
    /// Position in [`Ledger::lists`].
    Several(usize),
}

/// The rare slot with more than one entry.
#[derive(Clone, Debug)]
struct Several {
    entries: Vec<u64>,
    /// Distinct records. Ordered, because a hostile station could send many.
    digests: BTreeMap<RecordDigest, u64>,
    codes: RuleSet,
    /// Whether a record that is not rejected states its voters.
    states_voters: bool,
    /// The first record that is not rejected.
    standing: Option<usize>,
}

/// The voters that a station's records state, over all its contests and over all records that are not rejected. Least and
/// most are the same in whatever order the records came.
#[derive(Clone, Copy, Debug)]
struct Spread {
    lowest: u32,
    highest: u32,
    /// Records that state voters and warn of nothing: `AR-04` becomes their first warning once the spread exceeds.
    unwarned: u32,
}

impl Spread {
    /// Of a station without records.
    const NONE: Self = Self { lowest: u32::MAX, highest: 0, unwarned: 0 };
}

#[derive(Clone, Debug)]
struct Record {
    entry: u64,
    digest: RecordDigest,
    slot: usize,
    figures: usize,
    codes: RuleSet,
    contest: ContestNo,
    mask: u8,
    fate: Fate,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fate {
    /// Its slot is counted, by this record.
    Counted,
    /// Its slot is quarantined, and this is the slot's first standing record.
    Quarantined,
    /// Its slot is quarantined, and this is another standing record of it.
    Conflicting,
    /// Rejected; no figures are kept.
    Rejected,
}

/// A record as a count sees it.
pub(crate) struct Placed<'a> {
    pub(crate) fate: Fate,
    pub(crate) contest: ContestNo,
    pub(crate) slot: usize,
    pub(crate) figures: FiguresView<'a>,
}

impl Ledger {
    /// The empty ledger: every slot is missing.
    pub fn new(definition: Arc<Committed>) -> Self {
        let roster = Roster::new(definition.election());
        let expected = roster.len() as u64;
        let election = definition.election();
        let compared = if election.contests().len() > 1 { election.stations().len() } else { 0 };
        Self {
            voters: vec![Spread::NONE; compared],
            slots: vec![Slot::Empty; roster.len()],
            lists: Vec::new(),
            roster,
            definition,
            records: Vec::new(),
            figures: Vec::new(),
            rejections: Vec::new(),
            strays: BTreeMap::new(),
            book: Book::default(),
            entries: 0,
            summary: Summary { expected, missing: expected, ..Summary::default() },
        }
    }

    /// The definition counted by.
    pub fn definition(&self) -> &Arc<Committed> {
        &self.definition
    }

    /// Tree size up to which entries were applied.
    pub fn entries(&self) -> u64 {
        self.entries
    }

    /// Counts of slots and records.
    pub fn summary(&self) -> Summary {
        self.summary
    }

    /// Rejected records, in log order.
    pub fn rejections(&self) -> &[Rejection] {
        &self.rejections
    }

    /// Applies the entry at log index `index`. Call in log order, once for each entry.
    pub fn apply(&mut self, index: u64, judged: &Judged) -> Applied {
        self.entries = self.entries.max(index.saturating_add(1));
        match judged {
            Judged::Record(record) => self.apply_record(index, record),
            Judged::Statement(statement) => self.apply_statement(index, statement),
            Judged::Definition { .. } | Judged::Invalid { .. } => Applied::Nothing,
        }
    }

    fn apply_record(&mut self, index: u64, record: &JudgedRecord) -> Applied {
        let settled = self.book.keys().settle(&self.definition, record);
        let record = settled.as_ref();
        self.summary.records += 1;
        match self.roster.slot(record.tally.station, record.tally.contest) {
            Some(slot) => self.apply_to_slot(slot, index, record),
            None => self.apply_stray(index, record),
        }
    }

    /// The slot of a station in a contest; `None` where the contest is not held.
    pub fn slot(&self, station: StationNo, contest: ContestNo) -> Option<SlotView<'_>> {
        self.roster.slot(station, contest).map(|slot| self.view(slot, contest))
    }

    /// All expected slots, by contest, then by station number.
    pub fn slots(&self) -> impl Iterator<Item = SlotView<'_>> {
        self.roster.parts().iter().flat_map(|part| part.slots.clone().map(|slot| self.view(slot, part.contest)))
    }

    pub(crate) fn book(&self) -> &Book {
        &self.book
    }

    pub(crate) fn roster(&self) -> &Roster {
        &self.roster
    }

    pub(crate) fn placed(&self) -> impl Iterator<Item = Placed<'_>> {
        self.records.iter().map(|record| Placed {
            fate: record.fate,
            contest: record.contest,
            slot: record.slot,
            figures: self.figures_of(record),
        })
    }

    fn apply_stray(&mut self, index: u64, record: &JudgedRecord) -> Applied {
        if let Some(&first) = self.strays.get(&record.digest) {
            return Applied::Duplicate { first };
        }
        self.strays.insert(record.digest, index);
        self.reject(index, record);
        Applied::Rejected
    }

    fn apply_to_slot(&mut self, slot: usize, index: u64, record: &JudgedRecord) -> Applied {
        if let Some(first) = self.known(slot, &record.digest) {
            self.several(slot).entries.push(index);
            return Applied::Duplicate { first };
        }
        let standing = self.standing(slot);
        let fate = self.fate(record, standing);
        let mut codes = codes(record);
        match fate {
            Fate::Counted => self.summary.counted += 1,
            Fate::Quarantined => self.summary.quarantined += 1,
            Fate::Conflicting => codes.insert(RuleId::Conflict),
            Fate::Rejected => self.reject(index, record),
        }
        if let (Fate::Conflicting, Some(first)) = (fate, standing) {
            self.stand_down(first);
        }
        if standing.is_none() && fate != Fate::Rejected {
            self.summary.missing -= 1;
        }
        let warned = record.findings.iter().any(|finding| finding.severity == Severity::Warn);
        if fate != Fate::Rejected && warned {
            self.summary.warnings += 1;
        }
        let (figures, mask) = if fate == Fate::Rejected { (self.figures.len(), 0) } else { self.store(&record.tally) };
        let contest = record.tally.contest;
        self.attach(Record { entry: index, digest: record.digest, slot, figures, codes, contest, mask, fate });
        if fate != Fate::Rejected
            && let Some(voters) = record.tally.voters
        {
            self.compare_voters(record.tally.station, voters, warned);
        }
        self.records.last().map_or(Applied::Nothing, |record| record.fate.applied())
    }

    /// Widens the station's spread by a new record that states `voters`. Where it exceeds the allowance, every slot with
    /// such a record fails `AR-04`, whichever came first.
    fn compare_voters(&mut self, station: StationNo, voters: u32, warned: bool) {
        let Some(spread) = self.voters.get_mut(station.index()) else { return };
        spread.lowest = spread.lowest.min(voters);
        spread.highest = spread.highest.max(voters);
        spread.unwarned += u32::from(!warned);
        let settings = self.definition.election().rules();
        if !rules::voters_spread_exceeds(settings, spread.lowest, spread.highest) {
            return;
        }
        let slots = self.roster.slots_of(self.definition.election(), station);
        if slots.len() < 2 {
            return;
        }
        let unwarned = std::mem::take(&mut spread.unwarned);
        let only_warns = settings.severity(RuleId::VotersDifferAcross) == Severity::Warn;
        if only_warns {
            self.summary.warnings += u64::from(unwarned);
        }
        for slot in slots {
            if self.mark(slot) && !only_warns {
                self.standing(slot).into_iter().for_each(|standing| self.set_apart(standing));
            }
        }
    }

    /// Gives the slot its `AR-04` if a record of it states voters, and returns whether one does.
    fn mark(&mut self, slot: usize) -> bool {
        let (codes, states_voters) = match self.slots[slot] {
            Slot::Empty => return false,
            Slot::One(record) => {
                let states_voters = self.records[record].states_voters();
                (&mut self.records[record].codes, states_voters)
            }
            Slot::Several(list) => {
                let states_voters = self.lists[list].states_voters;
                (&mut self.lists[list].codes, states_voters)
            }
        };
        if states_voters {
            codes.insert(RuleId::VotersDifferAcross);
        }
        states_voters
    }

    fn fate(&self, record: &JudgedRecord, standing: Option<usize>) -> Fate {
        let lines = self.roster.part(record.tally.contest).map(|part| part.lines);
        match record.severity() {
            // The rules reject another number of counts; sums rely on it.
            _ if lines != Some(record.tally.counts.len()) => Fate::Rejected,
            Some(Severity::Reject) => Fate::Rejected,
            _ if standing.is_some() => Fate::Conflicting,
            Some(Severity::Quarantine) => Fate::Quarantined,
            Some(Severity::Warn) | None => Fate::Counted,
        }
    }

    /// A different record came for the slot of `first`: from now on neither is counted.
    fn stand_down(&mut self, first: usize) {
        self.records[first].codes.insert(RuleId::Conflict);
        self.set_apart(first);
    }

    /// Quarantines the slot that this record was counted for, if it was.
    fn set_apart(&mut self, standing: usize) {
        let record = &mut self.records[standing];
        if record.fate == Fate::Counted {
            record.fate = Fate::Quarantined;
            self.summary.counted -= 1;
            self.summary.quarantined += 1;
        }
    }

    fn reject(&mut self, entry: u64, record: &JudgedRecord) {
        self.summary.rejected += 1;
        let Tally { station, contest, .. } = record.tally;
        self.rejections.push(Rejection { entry, station, contest, codes: codes(record) });
    }

    /// Keeps a tally's figures: its counts, then the stated figures that the mask names.
    fn store(&mut self, tally: &Tally) -> (usize, u8) {
        let start = self.figures.len();
        self.figures.extend_from_slice(&tally.counts);
        let mut mask = 0;
        for figure in Figure::ALL {
            if let Some(value) = tally.figure(figure) {
                self.figures.push(value);
                mask |= FiguresView::bit(figure);
            }
        }
        (start, mask)
    }

    fn figures_of(&self, record: &Record) -> FiguresView<'_> {
        let lines = match record.fate {
            Fate::Rejected => 0,
            _ => self.roster.part(record.contest).map_or(0, |part| part.lines),
        };
        let counts_end = record.figures + lines;
        let stated_end = counts_end + record.mask.count_ones() as usize;
        FiguresView {
            counts: &self.figures[record.figures..counts_end],
            stated: &self.figures[counts_end..stated_end],
            mask: record.mask,
        }
    }

    /// Log index of a record of this slot, if it is there already.
    fn known(&self, slot: usize, digest: &RecordDigest) -> Option<u64> {
        match self.slots[slot] {
            Slot::Empty => None,
            Slot::One(record) => {
                Some(&self.records[record]).filter(|known| known.digest == *digest).map(|known| known.entry)
            }
            Slot::Several(list) => self.lists[list].digests.get(digest).copied(),
        }
    }

    fn standing(&self, slot: usize) -> Option<usize> {
        match self.slots[slot] {
            Slot::Empty => None,
            Slot::One(record) => Some(record).filter(|&record| self.records[record].fate != Fate::Rejected),
            Slot::Several(list) => self.lists[list].standing,
        }
    }

    fn attach(&mut self, record: Record) {
        let position = self.records.len();
        let slot = record.slot;
        if matches!(self.slots[slot], Slot::Empty) {
            self.slots[slot] = Slot::One(position);
        } else {
            let several = self.several(slot);
            several.entries.push(record.entry);
            several.digests.insert(record.digest, record.entry);
            several.codes = several.codes.union(record.codes);
            several.states_voters |= record.states_voters();
            if record.fate != Fate::Rejected {
                several.standing.get_or_insert(position);
            }
        }
        self.records.push(record);
    }

    /// The slot's list, made on its second entry.
    fn several(&mut self, slot: usize) -> &mut Several {
        let position = match self.slots[slot] {
            Slot::Several(position) => position,
            Slot::Empty | Slot::One(_) => {
                self.lists.push(self.list_of_one(slot));
                let position = self.lists.len() - 1;
                self.slots[slot] = Slot::Several(position);
                position
            }
        };
        &mut self.lists[position]
    }

    fn list_of_one(&self, slot: usize) -> Several {
        let first = match self.slots[slot] {
            Slot::One(record) => Some(&self.records[record]),
            Slot::Empty | Slot::Several(_) => None,
        };
        Several {
            entries: first.iter().map(|record| record.entry).collect(),
            digests: first.iter().map(|record| (record.digest, record.entry)).collect(),
            codes: first.map(|record| record.codes).unwrap_or_default(),
            states_voters: first.is_some_and(Record::states_voters),
            standing: self.standing(slot),
        }
    }

    pub(crate) fn status(&self, slot: usize) -> SlotStatus {
        match self.standing(slot).map(|record| self.records[record].fate) {
            None | Some(Fate::Rejected) => SlotStatus::Missing,
            Some(Fate::Counted) => SlotStatus::Counted,
            Some(Fate::Quarantined | Fate::Conflicting) => SlotStatus::Quarantined,
        }
    }

    fn view(&self, slot: usize, contest: ContestNo) -> SlotView<'_> {
        let standing = self.standing(slot).map(|record| &self.records[record]);
        let status = self.status(slot);
        let (entries, codes) = match self.slots[slot] {
            Slot::Empty => (&[][..], RuleSet::default()),
            Slot::One(record) => (slice::from_ref(&self.records[record].entry), self.records[record].codes),
            Slot::Several(list) => (self.lists[list].entries.as_slice(), self.lists[list].codes),
        };
        let figures = standing.filter(|_| !codes.contains(RuleId::Conflict)).map(|record| self.figures_of(record));
        SlotView { station: self.roster.member(slot).station, contest, status, entries, codes, figures }
    }
}

impl Record {
    /// Whether it states its voters and is not rejected: of those no figures are kept.
    fn states_voters(&self) -> bool {
        self.mask & FiguresView::bit(Figure::Voters) != 0
    }
}

impl Fate {
    fn applied(self) -> Applied {
        match self {
            Self::Counted => Applied::Counted,
            Self::Quarantined => Applied::Quarantined,
            Self::Conflicting => Applied::Conflict,
            Self::Rejected => Applied::Rejected,
        }
    }
}

fn codes(record: &JudgedRecord) -> RuleSet {
    record.findings.iter().map(|finding| finding.rule).collect()
}
