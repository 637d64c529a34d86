//! The ledger as it was: what a bulletin states is checked once its entry has been read, when the count has gone on.

use tallyproof_record::{
    Tally,
    rules::{Finding, RuleId},
};

use super::{Ledger, Record};
use crate::judge::{JudgedRecord, SignedBy};

impl Ledger {
    /// Calls `visit` with the ledger at each of these tree sizes, ascending. As far as totals and bulletins go it is the one that
    /// the entries before that size give: events that leave no trace in either are not in it.
    pub fn revisit(&self, sizes: impl IntoIterator<Item = u64>, mut visit: impl FnMut(&Self)) {
        let mut past = Self::new(self.definition.clone());
        let mut records = self.records.iter().peekable();
        for size in sizes {
            while let Some(record) = records.next_if(|record| record.entry < size) {
                past.apply_to_slot(record.slot, record.entry, &self.as_judged(record));
            }
            past.book = self.book.corrections_before(size);
            // Those that name no slot leave no record.
            let rejected = self.rejections.partition_point(|rejection| rejection.entry < size);
            past.rejections = self.rejections[..rejected].to_vec();
            past.entries = size;
            visit(&past);
        }
    }

    /// The record as it was judged, without what the ledger found by comparing it with others.
    fn as_judged(&self, record: &Record) -> JudgedRecord {
        let (election, settings) = (self.definition.election(), self.definition.election().rules());
        let station = self.roster.member(record.slot).station;
        // Of a rejected record no counts are kept: it is rejected again for the want of them.
        let figures = self.figures_of(record);
        let counts = figures.counts.to_vec();
        let mut tally = Tally::new(*self.definition.hash(), election.phase(), station, record.contest, 0, counts);
        figures.figures().for_each(|(figure, value)| tally.set_figure(figure, Some(value)));
        let own = RuleId::all().filter(|&rule| record.codes.contains(rule) && !rule.compares_records());
        let finding = |rule| Finding { rule, severity: settings.severity(rule), field: "", detail: String::new() };
        let findings = own.map(finding).collect();
        JudgedRecord { digest: record.digest, tally, findings, signer: SignedBy::Register }
    }
}
