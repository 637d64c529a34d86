//! The ledger's classes of records, and the sums.

use std::sync::Arc;

use proptest::prelude::*;
use tallyproof_count::{
    Judged, Ledger, SlotStatus, Totals, bundle, judge, judge_record,
    ledger::{Applied, Summary},
};
use tallyproof_record::{
    ContestNo, StationNo, Tally,
    definition::{Committed, Figure},
    rules::RuleId,
    tally::Stage,
};

use crate::world::{
    DEPUTY, GOVERNOR, MAYOR, ROLL, definition_entry, election, election_ruled, good_records, ledger_of, log_of, sealed,
    sealed_by, stating, station_key, tally,
};

/// Applies entries from index 1 on.
fn applied(ledger: &mut Ledger, entries: &[Vec<u8>]) -> Vec<Applied> {
    let definition = Arc::clone(ledger.definition());
    let first = ledger.entries().max(1);
    (first..).zip(entries).map(|(index, entry)| ledger.apply(index, &judge(&definition, entry))).collect()
}

fn over_roll(definition: &Committed, station: u32) -> Tally {
    let mut tally = tally(definition, station, GOVERNOR, 0);
    tally.counts[0] = ROLL + 100;
    tally
}

#[test]
fn a_second_different_record_quarantines_both_and_prefers_none() {
    let definition = election(4);
    let mut ledger = Ledger::new(Arc::clone(&definition));
    let records: Vec<_> = (0..3).map(|salt| sealed(&tally(&definition, 2, GOVERNOR, salt))).collect();
    assert_eq!(applied(&mut ledger, &records), [Applied::Counted, Applied::Conflict, Applied::Conflict]);
    let slot = ledger.slot(StationNo(2), GOVERNOR).unwrap();
    assert_eq!((slot.status, slot.entries), (SlotStatus::Quarantined, &[1, 2, 3][..]));
    assert_eq!(slot.codes.codes(), ["ID-08"]);
    assert_eq!(slot.figures, None);
    assert_eq!((ledger.summary().counted, ledger.summary().quarantined), (0, 1));
    let totals = Totals::of(&ledger);
    let governor = totals.contest(GOVERNOR).unwrap().whole();
    assert_eq!((governor.stations.quarantined, governor.stations.missing), (1, 3));
    assert_eq!(governor.lines, [0, 0, 0, 0]);
}

#[test]
fn the_same_record_twice_counts_once() {
    let definition = election(4);
    let mut ledger = Ledger::new(Arc::clone(&definition));
    let record = sealed(&tally(&definition, 2, GOVERNOR, 0));
    let other = sealed(&tally(&definition, 2, GOVERNOR, 1));
    let again = Applied::Duplicate { first: 1 };
    let entries = [record.clone(), record.clone(), other, record];
    assert_eq!(applied(&mut ledger, &entries), [Applied::Counted, again, Applied::Conflict, again]);
    let slot = ledger.slot(StationNo(2), GOVERNOR).unwrap();
    assert_eq!((slot.status, slot.entries), (SlotStatus::Quarantined, &[1, 2, 3, 4][..]));
    assert_eq!(ledger.summary().quarantined, 1);
}

#[test]
fn a_duplicate_alone_leaves_the_slot_counted() {
    let definition = election(4);
    let mut ledger = Ledger::new(Arc::clone(&definition));
    let record = sealed(&tally(&definition, 2, GOVERNOR, 0));
    applied(&mut ledger, &[record.clone(), record]);
    let slot = ledger.slot(StationNo(2), GOVERNOR).unwrap();
    assert_eq!(slot.status, SlotStatus::Counted);
    assert_eq!(slot.figures.unwrap().counts, tally(&definition, 2, GOVERNOR, 0).counts);
    assert_eq!(ledger.summary(), Summary { expected: 7, counted: 1, missing: 6, records: 2, ..Summary::default() });
}

#[test]
fn a_rejected_record_is_an_event_and_never_touches_the_slot() {
    let definition = election(4);
    let mut ledger = Ledger::new(Arc::clone(&definition));
    let rejected = Tally { stage: Stage::Canvass, ..tally(&definition, 2, GOVERNOR, 5) };
    let (rejected, good) = (sealed(&rejected), sealed(&tally(&definition, 2, GOVERNOR, 0)));
    let entries = [rejected.clone(), good, rejected];
    assert_eq!(applied(&mut ledger, &entries), [Applied::Rejected, Applied::Counted, Applied::Duplicate { first: 1 }]);
    let slot = ledger.slot(StationNo(2), GOVERNOR).unwrap();
    assert_eq!((slot.status, slot.entries), (SlotStatus::Counted, &[1, 2, 3][..]));
    assert_eq!(slot.codes.codes(), ["ID-11"]);
    assert_eq!(ledger.rejections().len(), 1);
    assert_eq!(Totals::of(&ledger).contest(GOVERNOR).unwrap().whole().stations.rejected, 1);
}

#[test]
fn rejected_records_alone_leave_the_station_missing() {
    let definition = election(4);
    let mut ledger = Ledger::new(Arc::clone(&definition));
    let forged = sealed_by(&tally(&definition, 2, GOVERNOR, 0), &station_key(StationNo(3)));
    let short = Tally { counts: vec![1], ..tally(&definition, 2, GOVERNOR, 0) };
    assert_eq!(applied(&mut ledger, &[forged, sealed(&short)]), [Applied::Rejected, Applied::Rejected]);
    let slot = ledger.slot(StationNo(2), GOVERNOR).unwrap();
    assert_eq!((slot.status, slot.entries, slot.figures), (SlotStatus::Missing, &[1, 2][..], None));
    assert_eq!(slot.codes.codes(), ["ID-05", "ID-07"]);
}

#[test]
fn records_that_name_no_slot_are_events() {
    let definition = election(4);
    let mut ledger = Ledger::new(Arc::clone(&definition));
    let not_held = sealed(&tally(&definition, 2, MAYOR, 0));
    let unknown = sealed(&tally(&definition, 2, ContestNo(9), 0));
    let nowhere = sealed(&tally(&definition, 0, GOVERNOR, 0));
    let entries = [not_held.clone(), unknown, nowhere, not_held];
    let outcome = [Applied::Rejected, Applied::Rejected, Applied::Rejected, Applied::Duplicate { first: 1 }];
    assert_eq!(applied(&mut ledger, &entries), outcome);
    assert_eq!(ledger.summary(), Summary { expected: 7, missing: 7, records: 4, rejected: 3, ..Summary::default() });
    assert!(ledger.slot(StationNo(2), MAYOR).is_none() && ledger.slot(StationNo(0), GOVERNOR).is_none());
    assert!(ledger.rejections()[0].codes.contains(RuleId::ContestNotHeld));
}

#[test]
fn a_quarantined_record_is_shown_and_not_counted() {
    let definition = election(4);
    let mut ledger = Ledger::new(Arc::clone(&definition));
    let entries = [
        sealed(&over_roll(&definition, 2)),
        sealed(&over_roll(&definition, 3)),
        sealed(&tally(&definition, 3, GOVERNOR, 0)),
    ];
    assert_eq!(applied(&mut ledger, &entries), [Applied::Quarantined, Applied::Quarantined, Applied::Conflict]);
    let slot = ledger.slot(StationNo(2), GOVERNOR).unwrap();
    assert_eq!((slot.status, slot.codes.codes()), (SlotStatus::Quarantined, vec!["BO-01"]));
    assert_eq!(slot.figures.unwrap().figure(Figure::Blank), Some(3));
    assert_eq!(ledger.slot(StationNo(3), GOVERNOR).unwrap().codes.codes(), ["BO-01", "ID-08"]);
    assert_eq!((ledger.summary().quarantined, ledger.summary().missing), (2, 5));
}

#[test]
fn warnings_are_counted() {
    let definition = election(4);
    let mut ledger = Ledger::new(Arc::clone(&definition));
    let warned = Tally { registered: Some(1), ..tally(&definition, 2, GOVERNOR, 0) };
    assert_eq!(applied(&mut ledger, &[sealed(&warned)]), [Applied::Counted]);
    assert_eq!((ledger.summary().counted, ledger.summary().warnings), (1, 1));
    assert_eq!(ledger.slot(StationNo(2), GOVERNOR).unwrap().codes.codes(), ["AR-03"]);
}

#[test]
fn judging_tells_definitions_records_and_foreign_bytes_apart() {
    let (definition, other) = (election(4), election(5));
    assert_eq!(judge(&definition, &definition_entry(&definition)), Judged::Definition { matches: true });
    assert_eq!(judge(&definition, &definition_entry(&other)), Judged::Definition { matches: false });
    for foreign in [&b""[..], b"\x05abc", b"\x02abc"] {
        assert!(matches!(judge(&definition, foreign), Judged::Invalid { .. }));
    }
    let foreign_election = sealed(&tally(&other, 2, GOVERNOR, 0));
    let Judged::Record(record) = judge(&definition, &foreign_election) else {
        panic!("a record of another election is an event")
    };
    assert_eq!(record.findings[0].rule, RuleId::WrongElection);
    assert_eq!(judge_record(&definition, &foreign_election[1..]), judge(&definition, &foreign_election));
}

#[test]
fn sums_are_those_of_the_records_by_area_candidate_and_party() {
    let definition = election(23);
    let entries = log_of(&definition, &good_records(&definition));
    let totals = Totals::of(&ledger_of(&definition, &entries));
    let election = definition.election();
    for (number, contest) in election.numbered_contests() {
        let sums = totals.contest(number).unwrap();
        for area in sums.areas().iter().chain([sums.whole()]) {
            let below = election.numbered_stations().filter(|(_, station)| election.is_within(station.area, area.area));
            let tallies: Vec<_> = below.map(|(no, station)| (tally(&definition, no.0, number, 0), station)).collect();
            for (line, sum) in area.lines.iter().enumerate() {
                assert_eq!(*sum, tallies.iter().map(|(tally, _)| u64::from(tally.counts[line])).sum::<u64>());
            }
            let known: u64 = tallies.iter().filter_map(|(_, station)| station.registered.map(u64::from)).sum();
            assert_eq!((area.registered.all, area.registered.counted), (known, known));
            let unknown = tallies.iter().filter(|(_, station)| station.registered.is_none()).count() as u64;
            assert_eq!((area.registered.unknown, area.registered.unknown_counted), (unknown, unknown));
            assert_eq!(area.figure(Figure::Blank).records, tallies.len() as u64);
            assert_eq!(area.figure(Figure::Blank).sum, 3 * tallies.len() as u64);
            assert_eq!(area.figure(Figure::Null).records, 0);
            assert_eq!(area.candidates(contest).iter().sum::<u64>(), area.lines.iter().sum::<u64>());
        }
    }
    let governor = totals.contest(GOVERNOR).unwrap();
    let ids: Vec<_> = governor.areas().iter().map(|area| election.areas()[area.area].id.as_str()).collect();
    assert_eq!(ids, ["north", "south", "south-1"]);
    let (contest, lines) = (election.contest(GOVERNOR).unwrap(), &governor.whole().lines);
    assert_eq!(governor.whole().candidates(contest), [lines[0] + lines[2], lines[1], lines[3]]);
    assert_eq!(governor.whole().parties(contest), [lines[0], lines[1] + lines[2]]);
    assert_eq!(totals.by_candidate()["governor"]["ann"], lines[0] + lines[2]);
}

#[test]
fn the_index_files_are_as_specified() {
    let definition = election(4);
    let records = [
        sealed(&tally(&definition, 1, GOVERNOR, 0)),
        sealed(&over_roll(&definition, 2)),
        sealed(&tally(&definition, 4, DEPUTY, 0)),
        sealed(&tally(&definition, 4, DEPUTY, 1)),
    ];
    let [_, (csv_path, csv), (json_path, json)] =
        bundle::index_files(&ledger_of(&definition, &log_of(&definition, &records)));
    assert_eq!((csv_path, json_path), ("index/stations.csv", "index/totals.json"));
    assert_eq!(
        String::from_utf8(csv).unwrap(),
        "station,contest,status,entries,codes\n\
         s1,governor,counted,1,\ns2,governor,quarantined,2,BO-01\ns3,governor,missing,,\ns4,governor,missing,,\n\
         s1,mayor,missing,,\ns3,mayor,missing,,\ns4,deputy,quarantined,3 4,ID-08\n"
    );
    let json = String::from_utf8(json).unwrap();
    let head = format!(
        r#"{{"format":1,"election":"example","phase":"drill","definition":"{}","tree_size":5,"#,
        definition.hash()
    );
    assert!(json.starts_with(&head) && json.ends_with("}\n"), "{json}");
    let north = r#""north":{"stations":{"expected":2,"counted":1,"quarantined":0,"missing":1,"rejected":0},"registered":{"all":1000,"counted":500,"unknown":0,"unknown_counted":0},"lines":{"a":8,"ab":22,"b":15,"c":29},"candidates":{"ann":30,"bob":15,"cy":29},"parties":{"P":8,"Q":37},"figures":{"blank":{"records":1,"sum":3},"null":{"records":0,"sum":0},"registered":{"records":0,"sum":0},"total":{"records":0,"sum":0},"voters":{"records":0,"sum":0}}}"#;
    assert!(json.contains(north), "{json}");
}

/// The election of the mixture; voters that differ between contests quarantine, or only warn.
fn mixed(warns: bool) -> Arc<Committed> {
    election_ruled(12, "drill", if warns { "[rules.AR-04]\nseverity = 'warn'\n" } else { "" })
}

/// Good, quarantined, conflicting, rejected and stray records.
fn mixture(definition: &Arc<Committed>) -> Vec<Vec<u8>> {
    let mut records = good_records(definition);
    records.truncate(9);
    records.extend([1, 2, 2].map(|salt| sealed(&tally(definition, 5, GOVERNOR, salt))));
    records.push(sealed(&over_roll(definition, 6)));
    records.push(sealed(&over_roll(definition, 10)));
    records.push(sealed_by(&tally(definition, 7, GOVERNOR, 3), &station_key(StationNo(1))));
    records.push(sealed(&tally(definition, 77, GOVERNOR, 0)));
    let stating = |station, contest, voters| sealed(&stating(definition, station, contest, voters));
    let differing = [(12, GOVERNOR, 40), (12, DEPUTY, 41), (11, GOVERNOR, 50), (11, MAYOR, 50)];
    let conflicting = [(3, MAYOR, 60), (3, MAYOR, 61), (8, GOVERNOR, 70), (8, DEPUTY, 71), (10, GOVERNOR, 80)];
    records.extend(
        differing.into_iter().chain(conflicting).map(|(station, contest, voters)| stating(station, contest, voters)),
    );
    records
}

proptest! {
    #[test]
    fn the_order_of_entries_changes_no_total_and_no_status(
        (warns, order) in any::<bool>().prop_flat_map(|warns| (Just(warns), Just(mixture(&mixed(warns))).prop_shuffle())),
    ) {
        let definition = mixed(warns);
        let (one, other) = (ledger_of(&definition, &mixture(&definition)), ledger_of(&definition, &order));
        prop_assert_eq!(Totals::of(&other).to_json(), Totals::of(&one).to_json());
        prop_assert_eq!(other.summary(), one.summary());
        let facts = |ledger: &Ledger| ledger.slots().map(|slot| (slot.status, slot.codes)).collect::<Vec<_>>();
        prop_assert_eq!(facts(&other), facts(&one));
    }

    #[test]
    fn the_summary_is_that_of_the_slots(picks in prop::collection::vec((1_u32..14, 1_u16..5, 0_u32..3, any::<bool>()), 0..40)) {
        let definition = election(12);
        let records: Vec<_> = picks.iter().map(|&(station, contest, salt, over)| {
            let mut tally = tally(&definition, station, ContestNo(contest), salt);
            tally.counts[0] += if over { ROLL * 2 } else { 0 };
            sealed(&tally)
        }).collect();
        let ledger = ledger_of(&definition, &log_of(&definition, &records));
        let with = |status| ledger.slots().filter(|slot| slot.status == status).count() as u64;
        let summary = ledger.summary();
        prop_assert_eq!(summary.counted, with(SlotStatus::Counted));
        prop_assert_eq!(summary.quarantined, with(SlotStatus::Quarantined));
        prop_assert_eq!(summary.missing, with(SlotStatus::Missing));
        let totals = Totals::of(&ledger);
        let counted: u64 = totals.contests().map(|(_, sums)| sums.whole().stations.counted).sum();
        let missing: u64 = totals.contests().map(|(_, sums)| sums.whole().stations.missing).sum();
        prop_assert_eq!((counted, missing), (summary.counted, summary.missing));
    }
}
