//! Statements in the log: what each did, or why it did nothing; the ledger's book of them.

use std::collections::{BTreeMap, BTreeSet};

use tallyproof_record::{
    ContestNo, StationNo,
    cose::RecordDigest,
    definition::{Committed, Figure, results::Figures},
    statement::{Act, Bulletin, Correction, Endorsement, Kind, LaterStage, Reason, Statement, StatementId, Verdict},
};

use crate::{
    judge::{JudgedStatement, Signer},
    keyring::Keyring,
    ledger::{FiguresView, RuleSet},
    policy,
};

macro_rules! faults {
    ($($name:ident $code:literal $text:literal)*) => {
        /// Why a statement has no effect: the rule that it fails.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum Fault { $(#[doc = $text] $name),* }

        /// Every rule of statements with its stable code, in the order of [`Fault`].
        pub const FAULTS: &[(&str, &str)] = &[$(($code, $text)),*];

        impl Fault {
            /// The stable code, such as `AU-02`.
            pub fn code(self) -> &'static str {
                match self { $(Self::$name => $code),* }
            }

            /// What the rule asks.
            pub fn text(self) -> &'static str {
                match self { $(Self::$name => $text),* }
            }
        }
    };
}

faults! {
    WrongElection "AU-01" "The statement names this election, by the hash of its definition, and its phase."
    TooFewSigners "AU-02" "As many members of the authority have signed, in this and earlier copies, as its threshold asks for; an endorsement has the signature of an agent or of the record's station."
    Repeated "AU-03" "The statement has not had its effect before; an endorsement adds an endorser."
    KeyInUse "AU-04" "A key that is enrolled is nobody's, and never was."
    UnknownKey "AU-05" "A key that is revoked is its holder's, and was not revoked before."
    UnknownSlot "AU-06" "The station is in the register, and the contest of a correction is one that it votes in."
    LineCount "AU-07" "A correction has one count for each ballot line of the contest, no more and no fewer."
    NotWhatStands "AU-08" "A correction names exactly what stands for the station and the contest when its turn comes: the records that are not rejected, or the correction before it."
    BulletinNumber "AU-09" "The numbers of bulletins rise."
    BulletinSize "AU-10" "A bulletin is of a tree size that the log had before its entry."
    PolicyLines "AU-11" "The lines of a policy are those of a C2SP tlog-policy without a log's, as in the definition."
}

/// What a statement's entry did.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StatementEntry {
    /// Log index.
    pub entry: u64,
    /// Its identity.
    pub id: StatementId,
    /// What it says.
    pub statement: Statement,
    /// Whose signatures on this copy hold and count for its kind.
    pub signers: BTreeSet<Signer>,
    /// Why it did nothing.
    pub fault: Option<Fault>,
}

/// Who has endorsed a record.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Endorsed {
    /// The record's station, as they say.
    pub station: StationNo,
    /// Agents and the station.
    pub by: BTreeSet<Signer>,
}

/// A correction that took effect.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CorrectionView<'a> {
    /// Log index.
    pub entry: u64,
    /// Its identity: what a later correction has to name.
    pub id: StatementId,
    /// Whose figures.
    pub station: StationNo,
    /// In which contest.
    pub contest: ContestNo,
    /// Which counting it comes from.
    pub stage: LaterStage,
    /// Why.
    pub reason: Reason,
    /// Whether no later correction took its place.
    pub in_force: bool,
    /// Rules that its figures fail; they are listed, and keep nothing from counting.
    pub codes: RuleSet,
    /// What it states; `None` where it annuls.
    pub figures: Option<FiguresView<'a>>,
}

/// A bulletin in effect.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct IssuedBulletin {
    /// Log index.
    pub entry: u64,
    /// Its identity.
    pub id: StatementId,
    /// When it was drafted: its document says so too.
    pub made_at: u64,
    /// What it states.
    pub stated: Bulletin,
}

/// All that statements did to the ledger.
#[derive(Clone, Debug, Default)]
pub(crate) struct Book {
    keys: Keyring,
    known: BTreeMap<StatementId, Known>,
    entries: Vec<StatementEntry>,
    corrections: Vec<InEffect>,
    /// The last correction of each slot that has one.
    latest: BTreeMap<usize, usize>,
    endorsed: BTreeMap<(RecordDigest, StationNo), BTreeSet<Signer>>,
    /// Log index and lines of each policy statement that took effect.
    policies: Vec<(u64, Vec<String>)>,
    bulletins: Vec<IssuedBulletin>,
}

/// A statement, whatever the number of its copies.
#[derive(Clone, Debug, Default)]
struct Known {
    signers: BTreeSet<Signer>,
    done: bool,
}

/// A correction that took effect.
#[derive(Clone, Debug)]
pub(crate) struct InEffect {
    entry: u64,
    id: StatementId,
    pub(crate) slot: usize,
    station: StationNo,
    contest: ContestNo,
    stage: LaterStage,
    reason: Reason,
    codes: RuleSet,
    /// The correction of the same slot before it.
    pub(crate) previous: Option<usize>,
    figures: Option<Stored>,
}

#[derive(Clone, Debug)]
struct Stored {
    counts: Vec<u32>,
    stated: Vec<u32>,
    mask: u8,
}

/// What the book has to know of the ledger to tell whether a correction takes effect.
pub(crate) struct SlotFacts {
    pub(crate) slot: usize,
    pub(crate) lines: usize,
    /// The records that stand, as a correction has to name them.
    pub(crate) records: BTreeSet<RecordDigest>,
}

impl Book {
    pub(crate) fn keys(&self) -> &Keyring {
        &self.keys
    }

    pub(crate) fn entries(&self) -> &[StatementEntry] {
        &self.entries
    }

    pub(crate) fn corrections(&self) -> &[InEffect] {
        &self.corrections
    }

    /// The corrections in force, by slot.
    pub(crate) fn in_force(&self) -> impl Iterator<Item = (usize, CorrectionView<'_>)> {
        self.latest.iter().map(|(&slot, &position)| (slot, self.view(position)))
    }

    pub(crate) fn latest(&self, slot: usize) -> Option<CorrectionView<'_>> {
        self.latest.get(&slot).map(|&position| self.view(position))
    }

    pub(crate) fn view(&self, position: usize) -> CorrectionView<'_> {
        let it = &self.corrections[position];
        let figures = it.figures.as_ref().map(|stored| FiguresView::new(&stored.counts, &stored.stated, stored.mask));
        CorrectionView {
            entry: it.entry,
            id: it.id,
            station: it.station,
            contest: it.contest,
            stage: it.stage,
            reason: it.reason,
            in_force: self.latest.get(&it.slot) == Some(&position),
            codes: it.codes,
            figures,
        }
    }

    pub(crate) fn endorsed(&self) -> impl Iterator<Item = (RecordDigest, StationNo, &BTreeSet<Signer>)> {
        self.endorsed.iter().map(|((record, station), by)| (*record, *station, by))
    }

    pub(crate) fn endorsers(&self, record: RecordDigest, station: StationNo) -> Option<&BTreeSet<Signer>> {
        self.endorsed.get(&(record, station))
    }

    /// The lines of the last policy statement before log index `size`.
    pub(crate) fn policy_before(&self, size: u64) -> Option<&[String]> {
        let (_, lines) = self.policies.iter().rev().find(|(entry, _)| *entry < size)?;
        Some(lines)
    }

    /// The lines of every policy statement that took effect, in log order.
    pub(crate) fn policies(&self) -> impl Iterator<Item = &[String]> {
        self.policies.iter().map(|(_, lines)| lines.as_slice())
    }

    pub(crate) fn bulletins(&self) -> &[IssuedBulletin] {
        &self.bulletins
    }

    /// Whose signatures all copies of a statement bear together.
    pub(crate) fn signers(&self, id: &StatementId) -> Option<&BTreeSet<Signer>> {
        self.known.get(id).map(|known| &known.signers)
    }

    /// The rule that keeps the statement from having an effect at log index `entry`, if one does. `slot` gives what is known of the
    /// slot of a correction.
    pub(crate) fn check(
        &self,
        definition: &Committed,
        entry: u64,
        judged: &JudgedStatement,
        slot: Option<&SlotFacts>,
    ) -> Result<(), Fault> {
        let statement = judged.signed.statement();
        if statement.election != *definition.hash() || statement.phase != definition.election().phase() {
            return Err(Fault::WrongElection);
        }
        self.check_signers(definition, judged)?;
        self.check_act(definition, entry, &statement.act, slot)
    }

    /// The same for what it says alone, whoever signs it.
    pub(crate) fn check_act(
        &self,
        definition: &Committed,
        entry: u64,
        act: &Act,
        slot: Option<&SlotFacts>,
    ) -> Result<(), Fault> {
        match act {
            Act::Key(change) => self.keys.check(definition, change),
            Act::Endorsement(it) => definition.election().station(it.station).map(drop).ok_or(Fault::UnknownSlot),
            Act::Correction(correction) => self.check_correction(correction, slot.ok_or(Fault::UnknownSlot)?),
            Act::Bulletin(bulletin) => self.check_bulletin(entry, bulletin),
            Act::Policy(lines) => policy::check(lines).map_err(|_| Fault::PolicyLines),
        }
    }

    fn check_signers(&self, definition: &Committed, judged: &JudgedStatement) -> Result<(), Fault> {
        let mut signers = self.keys.signers(judged);
        let kind = judged.signed.statement().kind();
        if let Some(known) = self.known.get(&judged.id) {
            if known.done && (kind != Kind::Endorsement || signers.is_subset(&known.signers)) {
                return Err(Fault::Repeated);
            }
            signers.extend(known.signers.iter().cloned());
        }
        let needed = match kind {
            Kind::Endorsement => Some(1),
            _ => definition.election().authority().map(|authority| usize::from(authority.threshold())),
        };
        if needed.is_some_and(|needed| signers.len() >= needed) { Ok(()) } else { Err(Fault::TooFewSigners) }
    }

    fn check_correction(&self, correction: &Correction, slot: &SlotFacts) -> Result<(), Fault> {
        if matches!(&correction.verdict, Verdict::Figures(figures) if figures.counts.len() != slot.lines) {
            return Err(Fault::LineCount);
        }
        let stands = match self.latest.get(&slot.slot) {
            Some(&position) => BTreeSet::from([self.corrections[position].id]),
            None => slot.records.clone(),
        };
        if correction.replaces == stands { Ok(()) } else { Err(Fault::NotWhatStands) }
    }

    fn check_bulletin(&self, entry: u64, bulletin: &Bulletin) -> Result<(), Fault> {
        if self.bulletins.last().is_some_and(|last| last.stated.number >= bulletin.number) {
            return Err(Fault::BulletinNumber);
        }
        if bulletin.tree_size > entry { Err(Fault::BulletinSize) } else { Ok(()) }
    }

    /// Notes a statement, and gives it its effect unless a rule keeps it from that.
    pub(crate) fn apply(
        &mut self,
        definition: &Committed,
        entry: u64,
        judged: &JudgedStatement,
        slot: Option<&SlotFacts>,
    ) -> Option<Fault> {
        let fault = self.check(definition, entry, judged, slot).err();
        let signers = self.keys.signers(judged);
        if fault != Some(Fault::WrongElection) {
            let known = self.known.entry(judged.id).or_default();
            known.signers.extend(signers.iter().cloned());
            known.done |= fault.is_none();
        }
        if fault.is_none() {
            self.take_effect(definition, entry, judged, slot, &signers);
        }
        let statement = judged.signed.statement().clone();
        self.entries.push(StatementEntry { entry, id: judged.id, statement, signers, fault });
        fault
    }

    fn take_effect(
        &mut self,
        definition: &Committed,
        entry: u64,
        judged: &JudgedStatement,
        slot: Option<&SlotFacts>,
        signers: &BTreeSet<Signer>,
    ) {
        let statement = judged.signed.statement();
        match &statement.act {
            Act::Key(change) => self.keys.apply(definition, change),
            Act::Endorsement(Endorsement { station, record, .. }) => {
                self.endorsed.entry((*record, *station)).or_default().extend(signers.iter().cloned());
            }
            Act::Correction(correction) => {
                let Some(slot) = slot else { return };
                let codes = judged.findings.iter().map(|finding| finding.rule).collect();
                self.correct(InEffect::new(entry, judged.id, slot.slot, correction, codes));
            }
            Act::Bulletin(stated) => {
                let issued = IssuedBulletin { entry, id: judged.id, made_at: statement.made_at, stated: *stated };
                self.bulletins.push(issued);
            }
            Act::Policy(lines) => self.policies.push((entry, lines.clone())),
        }
    }

    fn correct(&mut self, correction: InEffect) {
        let (slot, position) = (correction.slot, self.corrections.len());
        let previous = self.latest.insert(slot, position);
        self.corrections.push(InEffect { previous, ..correction });
    }

    /// A book of the corrections before log index `size` alone: all that totals depend on.
    pub(crate) fn corrections_before(&self, size: u64) -> Self {
        let mut book = Self::default();
        self.corrections.iter().take_while(|it| it.entry < size).for_each(|it| book.correct(it.clone()));
        book
    }
}

impl InEffect {
    fn new(entry: u64, id: StatementId, slot: usize, correction: &Correction, codes: RuleSet) -> Self {
        let Correction { station, contest, stage, reason, .. } = *correction;
        let figures = match &correction.verdict {
            Verdict::Figures(figures) => Some(Stored::new(figures)),
            Verdict::Annulled => None,
        };
        Self { entry, id, slot, station, contest, stage, reason, codes, previous: None, figures }
    }
}

impl Stored {
    fn new(figures: &Figures) -> Self {
        let mask = figures.stated.keys().fold(0, |mask, &figure| mask | FiguresView::bit(figure));
        let stated = Figure::ALL.iter().filter_map(|figure| figures.stated.get(figure).copied()).collect();
        Self { counts: figures.counts.clone(), stated, mask }
    }
}
