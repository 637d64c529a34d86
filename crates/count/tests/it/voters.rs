//! `AR-04`: the voters that one station's records state, across its contests.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use proptest::prelude::*;
use tallyproof_count::{Judged, Ledger, SlotStatus, Totals, judge, ledger::Applied};
use tallyproof_record::{
    ContestNo, StationNo,
    cose::RecordDigest,
    definition::Committed,
    rules::{RuleId, Severity},
};

use crate::world::{
    DEPUTY, GOVERNOR, MAYOR, election, election_ruled, ledger_of, log_of, sealed, sealed_by, stating, station_key,
    tally,
};

const WARN: &str = "[rules.AR-04]\nseverity = 'warn'\n";
const COUNTED: (SlotStatus, &[&str]) = (SlotStatus::Counted, &[]);
const APART: (SlotStatus, &[&str]) = (SlotStatus::Quarantined, &["AR-04"]);

fn ledger(definition: &Arc<Committed>, records: &[Vec<u8>]) -> Ledger {
    ledger_of(definition, &log_of(definition, records))
}

/// Status and codes of station 1's slots hold in both orders of arrival; the ledger of the first is returned.
fn expect(definition: &Arc<Committed>, records: &[Vec<u8>], expected: [(SlotStatus, &[&str]); 2]) -> Ledger {
    let reversed: Vec<_> = records.iter().rev().cloned().collect();
    for records in [records, &reversed] {
        let ledger = ledger(definition, records);
        for (contest, (status, codes)) in [GOVERNOR, MAYOR].into_iter().zip(expected) {
            let slot = ledger.slot(StationNo(1), contest).unwrap();
            assert_eq!((slot.status, slot.codes.codes().as_slice()), (status, codes), "contest {contest}");
        }
        let quarantined = expected.iter().filter(|(status, _)| *status == SlotStatus::Quarantined).count() as u64;
        assert_eq!(ledger.summary().quarantined, quarantined);
        let summed: u64 = Totals::of(&ledger).contests().map(|(_, sums)| sums.whole().stations.quarantined).sum();
        assert_eq!(summed, quarantined);
    }
    ledger(definition, records)
}

fn stated(definition: &Committed, contest: ContestNo, voters: u32) -> Vec<u8> {
    sealed(&stating(definition, 1, contest, voters))
}

#[test]
fn equal_voters_pass() {
    let definition = election(4);
    let records = [stated(&definition, GOVERNOR, 40), stated(&definition, MAYOR, 40)];
    expect(&definition, &records, [COUNTED, COUNTED]);
}

#[test]
fn differing_voters_keep_both_contests_apart_and_their_figures_are_shown() {
    let definition = election(4);
    let records = [stated(&definition, GOVERNOR, 40), stated(&definition, MAYOR, 41)];
    let ledger = expect(&definition, &records, [APART, APART]);
    assert_eq!((ledger.summary().counted, ledger.summary().missing), (0, 5));
    assert_eq!(Totals::of(&ledger).contest(GOVERNOR).unwrap().whole().lines, [0; 4]);
    assert_eq!(ledger.slot(StationNo(1), GOVERNOR).unwrap().figures.unwrap().counts, [37, 0, 0, 0]);
}

#[test]
fn the_record_that_shows_the_difference_is_quarantined_on_arrival() {
    let definition = election(4);
    let mut ledger = Ledger::new(Arc::clone(&definition));
    let records = [stated(&definition, GOVERNOR, 40), stated(&definition, MAYOR, 41)];
    let applied = (1..).zip(&records).map(|(index, entry)| ledger.apply(index, &judge(&definition, entry)));
    assert_eq!(applied.collect::<Vec<_>>(), [Applied::Counted, Applied::Quarantined]);
}

#[test]
fn a_difference_within_the_allowance_passes() {
    let definition = election_ruled(4, "drill", "[rules.AR-04]\nallowance = 1\n");
    let records = [stated(&definition, GOVERNOR, 40), stated(&definition, MAYOR, 41)];
    expect(&definition, &records, [COUNTED, COUNTED]);
    let records = [stated(&definition, GOVERNOR, 40), stated(&definition, MAYOR, 42)];
    expect(&definition, &records, [APART, APART]);
}

#[test]
fn as_a_warning_both_are_counted_and_both_warn() {
    let definition = election_ruled(4, "drill", WARN);
    let warned = (SlotStatus::Counted, &["AR-04"][..]);
    let records = [stated(&definition, GOVERNOR, 40), stated(&definition, MAYOR, 41)];
    let ledger = expect(&definition, &records, [warned, warned]);
    assert_eq!((ledger.summary().counted, ledger.summary().warnings), (2, 2));
}

#[test]
fn a_contest_that_states_no_voters_is_not_touched() {
    let definition = election(4);
    let records =
        [sealed(&tally(&definition, 1, GOVERNOR, 0)), stated(&definition, MAYOR, 40), stated(&definition, MAYOR, 41)];
    expect(&definition, &records, [COUNTED, (SlotStatus::Quarantined, &["AR-04", "ID-08"])]);
}

#[test]
fn a_rejected_record_states_nothing() {
    let definition = election(4);
    let forged = sealed_by(&stating(&definition, 1, GOVERNOR, 41), &station_key(StationNo(2)));
    let records = [stated(&definition, GOVERNOR, 40), forged, stated(&definition, MAYOR, 40)];
    expect(&definition, &records, [(SlotStatus::Counted, &["ID-05"]), COUNTED]);
}

#[test]
fn a_conflicting_record_is_compared_too() {
    let definition = election(4);
    let both = (SlotStatus::Quarantined, &["AR-04", "ID-08"][..]);
    let records =
        [stated(&definition, GOVERNOR, 40), stated(&definition, MAYOR, 40), stated(&definition, GOVERNOR, 41)];
    expect(&definition, &records, [both, APART]);
}

#[test]
fn a_station_with_one_contest_has_nothing_to_compare() {
    let definition = election(4);
    let records = [40, 41].map(|voters| sealed(&stating(&definition, 2, GOVERNOR, voters)));
    let slot = ledger(&definition, &records).slot(StationNo(2), GOVERNOR).unwrap().codes;
    assert_eq!(slot.codes(), ["ID-08"]);
}

/// The rule told again, plainly: over all of a station's distinct records that are not rejected.
#[derive(Default)]
struct Told {
    voters: BTreeMap<StationNo, BTreeSet<u32>>,
    stating: BTreeSet<(StationNo, ContestNo)>,
    records: BTreeMap<RecordDigest, (StationNo, bool, bool)>,
}

impl Told {
    fn of(definition: &Committed, records: &[Vec<u8>]) -> Self {
        let mut told = Self::default();
        for entry in records {
            let Judged::Record(record) = judge(definition, entry) else { continue };
            let station = record.tally.station;
            if record.severity() == Some(Severity::Reject) {
                continue;
            }
            if let Some(voters) = record.tally.voters {
                told.voters.entry(station).or_default().insert(voters);
                told.stating.insert((station, record.tally.contest));
            }
            let warned = record.findings.iter().any(|finding| finding.severity == Severity::Warn);
            told.records.insert(record.digest, (station, warned, record.tally.voters.is_some()));
        }
        told
    }

    /// Every station but those of the plain south votes in two contests.
    fn fails(&self, station: StationNo) -> bool {
        station.0 % 4 != 2 && self.voters.get(&station).is_some_and(|voters| voters.len() > 1)
    }

    fn warnings(&self, warns: bool) -> u64 {
        let records = self.records.values();
        records.filter(|&&(station, warned, stating)| warned || warns && stating && self.fails(station)).count() as u64
    }
}

proptest! {
    #[test]
    fn the_rule_is_a_function_of_the_set_of_records(
        picks in prop::collection::vec((1_u32..5, 0_usize..3, prop::option::of(20_u32..22), any::<[bool; 2]>()), 0..14),
        warns in any::<bool>(),
    ) {
        let definition = election_ruled(4, "drill", if warns { WARN } else { "" });
        let records: Vec<_> = picks.iter().map(|&(station, contest, voters, [forged, other_roll])| {
            let contest = [GOVERNOR, MAYOR, DEPUTY][contest];
            let mut tally = voters.map_or_else(
                || tally(&definition, station, contest, 0),
                |voters| stating(&definition, station, contest, voters),
            );
            tally.registered = other_roll.then_some(1);
            if forged { sealed_by(&tally, &station_key(StationNo(9))) } else { sealed(&tally) }
        }).collect();
        let (ledger, told) = (ledger(&definition, &records), Told::of(&definition, &records));
        for slot in ledger.slots() {
            let fails = told.fails(slot.station) && told.stating.contains(&(slot.station, slot.contest));
            prop_assert_eq!(slot.codes.contains(RuleId::VotersDifferAcross), fails);
            let apart = slot.codes.contains(RuleId::Conflict) || fails && !warns;
            prop_assert_eq!(slot.status == SlotStatus::Quarantined, apart);
        }
        prop_assert_eq!(ledger.summary().warnings, told.warnings(warns));
    }
}
