//! What the ledger knows from statements, and what a correction's effect hangs on.

use std::collections::BTreeSet;

use tallyproof_record::{
    ContestNo, StationNo,
    cose::RecordDigest,
    statement::{Act, MAX_REPLACED, StatementId},
};

use super::{Applied, Ledger, Slot};
use crate::{
    judge::{JudgedStatement, Signer},
    keyring::Keyring,
    statements::{CorrectionView, Endorsed, Fault, IssuedBulletin, SlotFacts, StatementEntry},
};

impl Ledger {
    /// Keys enrolled and revoked so far.
    pub fn keyring(&self) -> &Keyring {
        self.book.keys()
    }

    /// The lines of the witness policy in force: those of the last policy statement, or else the definition's.
    pub fn policy_lines(&self) -> &[String] {
        self.policy_lines_at(self.entries)
    }

    /// As [`Ledger::policy_lines`], for the log's first `size` entries.
    pub fn policy_lines_at(&self, size: u64) -> &[String] {
        self.book.policy_before(size).unwrap_or_else(|| self.definition.election().policy_lines())
    }

    /// The lines of every policy that was ever in force, the definition's first.
    pub fn policies(&self) -> impl Iterator<Item = &[String]> {
        std::iter::once(self.definition.election().policy_lines()).chain(self.book.policies())
    }

    /// Every statement, in log order.
    pub fn statements(&self) -> &[StatementEntry] {
        self.book.entries()
    }

    /// Whose signatures all copies of a statement bear together; `None` if the log has none of it.
    pub fn signers(&self, statement: &StatementId) -> Option<&BTreeSet<Signer>> {
        self.book.signers(statement)
    }

    /// What a statement would do as the next entry.
    pub fn foresee(&self, judged: &JudgedStatement) -> Result<(), Fault> {
        self.book.check(&self.definition, self.entries, judged, self.slot_facts(judged).as_ref())
    }

    /// Every correction that took effect, in log order.
    pub fn corrections(&self) -> impl ExactSizeIterator<Item = CorrectionView<'_>> {
        (0..self.book.corrections().len()).map(|position| self.book.view(position))
    }

    /// The correction in force for a station in a contest.
    pub fn correction(&self, station: StationNo, contest: ContestNo) -> Option<CorrectionView<'_>> {
        self.book.latest(self.roster.slot(station, contest)?)
    }

    /// What stands for a station in a contest, as the next correction has to name it; `None` where the contest is not held.
    pub fn stands(&self, station: StationNo, contest: ContestNo) -> Option<BTreeSet<[u8; 32]>> {
        let slot = self.roster.slot(station, contest)?;
        Some(
            self.book
                .latest(slot)
                .map_or_else(|| self.standing_records(slot), |correction| BTreeSet::from([correction.id])),
        )
    }

    /// Endorsed records, by digest. A record need not be in the log: see [`Ledger::find`].
    pub fn endorsed(&self) -> impl Iterator<Item = (RecordDigest, Endorsed)> {
        self.book.endorsed().map(|(record, station, by)| (record, Endorsed { station, by: by.clone() }))
    }

    /// Who has endorsed a record of a station.
    pub fn endorsers(&self, record: RecordDigest, station: StationNo) -> Option<&BTreeSet<Signer>> {
        self.book.endorsers(record, station)
    }

    /// Contest and first log index of a station's record.
    pub fn find(&self, station: StationNo, record: &RecordDigest) -> Option<(ContestNo, u64)> {
        let slots = self.roster.slots_of(self.definition.election(), station);
        let contest =
            |slot: usize| self.roster.parts().iter().find(|part| part.slots.contains(&slot)).map(|part| part.contest);
        slots.into_iter().find_map(|slot| Some((contest(slot)?, self.known(slot, record)?)))
    }

    /// What a statement would do as the next entry, if as many had signed it as have to.
    pub fn foresee_signed(&self, judged: &JudgedStatement) -> Result<(), Fault> {
        match self.foresee(judged) {
            Err(Fault::TooFewSigners) => {
                let act = &judged.signed.statement().act;
                self.book.check_act(&self.definition, self.entries, act, self.slot_facts(judged).as_ref())
            }
            foreseen => foreseen,
        }
    }

    /// Bulletins in effect, in log order.
    pub fn bulletins(&self) -> &[IssuedBulletin] {
        self.book.bulletins()
    }

    pub(super) fn apply_statement(&mut self, index: u64, judged: &JudgedStatement) -> Applied {
        let slot = self.slot_facts(judged);
        let fault = self.book.apply(&self.definition, index, judged, slot.as_ref());
        fault.map_or(Applied::Effect, Applied::NoEffect)
    }

    /// What a correction's effect hangs on.
    fn slot_facts(&self, judged: &JudgedStatement) -> Option<SlotFacts> {
        let Act::Correction(correction) = &judged.signed.statement().act else { return None };
        let slot = self.roster.slot(correction.station, correction.contest)?;
        let lines = self.roster.part(correction.contest)?.lines;
        Some(SlotFacts { slot, lines, records: self.standing_records(slot) })
    }

    /// The slot's records that are not rejected; where there are more than a correction can name, the first ones.
    fn standing_records(&self, slot: usize) -> BTreeSet<RecordDigest> {
        let list = match self.slots[slot] {
            Slot::Empty => return BTreeSet::new(),
            Slot::One(_) => {
                let standing = self.standing(slot).map(|record| self.records[record].digest);
                return standing.into_iter().collect();
            }
            Slot::Several(list) => &self.lists[list],
        };
        let rejected = |entry: u64| self.rejections.binary_search_by_key(&entry, |rejection| rejection.entry).is_ok();
        let mut standing: Vec<_> = list.digests.iter().map(|(&digest, &entry)| (entry, digest)).collect();
        standing.retain(|&(entry, _)| !rejected(entry));
        standing.sort_unstable();
        standing.into_iter().take(MAX_REPLACED).map(|(_, digest)| digest).collect()
    }
}
