//! The mega-election counted: every seat is allocated and explained.

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::sync::Arc;

use tallyproof_count::outcome::{self, ByName, ListSeats, Outcome, SeatsOutcome};
use tallyproof_count::settled::Answer;
use tallyproof_count::{Judged, JudgedRecord, Ledger, SignedBy, Totals};
use tallyproof_drill::synthetic::expand;
use tallyproof_record::cose::RecordDigest;
use tallyproof_record::definition::decision::{Decision, MixedRule};
use tallyproof_record::definition::package::{self, Files};
use tallyproof_record::definition::{Committed, Phase, results::Figures};
use tallyproof_record::{ContestNo, StationNo, Tally, rules};

/// Every record of the night, its signature taken as good: 132,867 of them take a test too long.
fn count() -> Ledger {
    let folder = PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../../examples/mega"));
    let read = |name: &str| (name.to_owned(), std::fs::read(folder.join(name)).unwrap());
    let made = expand(&Files::from(["election.toml", "synthetic.toml"].map(read))).unwrap();
    let definition = Arc::new(package::parse(&made.files).unwrap().commit());
    let mut ledger = Ledger::new(Arc::clone(&definition));
    ledger.apply(0, &Judged::Definition { matches: true });
    for (index, (&slot, figures)) in (1_u64..).zip(&made.results) {
        ledger.apply(index, &Judged::Record(record(&definition, index, slot, figures)));
    }
    let summary = ledger.summary();
    assert_eq!((summary.expected, summary.counted, summary.warnings), (132_867, 132_867, 0));
    ledger
}

fn record(
    definition: &Committed,
    index: u64,
    (station, contest): (StationNo, ContestNo),
    figures: &Figures,
) -> JudgedRecord {
    let sealed_at = definition.election().polls_close().unwrap().unix;
    let mut tally = Tally::new(*definition.hash(), Phase::Drill, station, contest, sealed_at, figures.counts.clone());
    for (&figure, &value) in &figures.stated {
        tally.set_figure(figure, Some(value));
    }
    let findings = rules::check(definition, &tally);
    assert_eq!(findings, [], "station {station}, contest {contest}");
    let mut digest = RecordDigest::default();
    digest[..8].copy_from_slice(&index.to_be_bytes());
    JudgedRecord { digest, tally, findings, signer: SignedBy::Register }
}

#[test]
fn every_seat_of_the_mega_election_is_allocated_and_explained() {
    let ledger = count();
    let totals = Totals::of(&ledger);
    let outcomes = outcome::of(&ledger, &totals);
    let election = ledger.definition().election();
    let mut rules = BTreeSet::new();
    for (contest, (_, outcome)) in election.contests().iter().zip(outcomes.iter()) {
        match (contest.decision.as_ref().unwrap(), outcome.seats.as_ref().unwrap()) {
            (Decision::Plurality { seats }, SeatsOutcome::ByName(by_name)) => {
                assert_by_name(*seats, by_name, &contest.id);
            }
            (Decision::Lists(lists), SeatsOutcome::Lists(seats)) => {
                assert_lists(seats, &contest.id);
                let mixed = lists.mixed.as_ref().map(|mixed| mixed.rule.as_str());
                rules.insert((lists.method.as_str(), mixed, lists.threshold.is_some(), !lists.alliances.is_empty()));
            }
            other => panic!("{}: {other:?}", contest.id),
        }
        assert_settled(outcome, &contest.id);
    }
    assert_eq!(outcomes.iter().count(), election.contests().len());
    // Five methods without more, Hare among them in municipalities too; three mixed rules; thresholds; one alliance.
    for needed in [
        ("dhondt", None, false, true),
        ("dhondt", Some("parallel"), false, false),
        ("sainte-lague", None, true, false),
        ("dhondt", Some("added"), false, false),
        ("hare", None, false, false),
        ("sainte-lague", Some("within"), false, false),
        ("droop", None, true, false),
        ("modified-sainte-lague", Some("parallel"), false, false),
    ] {
        assert!(rules.contains(&needed), "{needed:?} of {rules:?}");
    }
}

fn assert_by_name(seats: u32, by_name: &ByName, id: &str) {
    assert_eq!((by_name.elected.len(), by_name.open), (seats as usize, 0), "{id}");
}

fn assert_lists(found: &ListSeats, id: &str) {
    assert!(found.allotment.is_ok(), "{id}: {:?}", found.allotment);
    let Ok(allotment) = &found.allotment else { return };
    assert!(allotment.open.is_empty() && allotment.unfilled == 0 && found.nominal_open == 0, "{id}: {allotment:?}");
    assert!(allotment.order.iter().all(|seat| seat.list.is_some() && seat.claim.numerator > 0), "{id}");
    assert!(found.nominal.iter().all(|seat| seat.list.is_some()), "{id}");
    let sum = |part: fn(&tallyproof_count::seats::ListSeats) -> u64| allotment.lists.iter().map(part).sum::<u64>();
    let (house, by_name) = (u64::from(found.rules.seats), found.nominal.len() as u64);
    let (house, claims) = match found.rules.mixed {
        None => (house, house),
        Some(MixedRule::Parallel) => (house + by_name, house),
        Some(MixedRule::Added) => (house + sum(|list| list.added), house),
        Some(MixedRule::Within) => (house, house - by_name),
    };
    assert_eq!((sum(|list| list.seats), allotment.order.len() as u64), (house, claims), "{id}");
}

/// With every record counted nothing can change.
fn assert_settled(outcome: &Outcome, id: &str) {
    assert!(outcome.settled.as_ref().is_ok_and(Answer::settled), "{id}: {:?}", outcome.settled);
}
