//! Outcomes from a ledger: what is outstanding and what bounds it, what decides, which seats there are.

use std::{collections::BTreeMap, sync::Arc};

use proptest::prelude::*;
use tallyproof_count::{
    Ledger, Outcome, SlotStatus, Totals,
    outcome::{self, ByName, ListSeats, NameSeat, NoStatement, SeatsOutcome},
    seats::{List, Mixed, TieOutcome},
    settled::{Answer, Ceiling, Kind, Outstanding, Premise, State, Station},
};
use tallyproof_record::{
    ContestNo, StationNo, Tally,
    definition::{Committed, Figure, package},
    statement::Verdict,
};

use crate::{
    statements::{by_members, correction, digest_of, figures},
    world::{
        DEPUTY, GOVERNOR, MAYOR, ROLL, election, election_of_authority, good_records, ledger_of, log_of, sealed,
        stating, station_key, tally,
    },
};

/// As the rules let pass: ballots may exceed the roll by 5.
const ALLOWANCE: u64 = 5;

fn outcome_of(definition: &Arc<Committed>, records: &[Vec<u8>], contest: ContestNo) -> Outcome {
    let ledger = ledger_of(definition, &log_of(definition, records));
    outcome::of(&ledger, &Totals::of(&ledger)).contest(contest).unwrap().clone()
}

fn outstanding(outcome: &Outcome) -> &[Station] {
    match &outcome.question.outstanding {
        Outstanding::Stations(stations) => stations,
        Outstanding::Together { .. } => unreachable!("stations are known one by one"),
    }
}

/// What bounds station `number`; `None` if it is not outstanding.
fn bound_of(outcome: &Outcome, number: u32) -> Option<(State, Option<Ceiling>, u64)> {
    let id = format!("s{number}");
    let station = outstanding(outcome).iter().find(|station| station.id == id)?;
    Some((station.state, station.most, station.allowance))
}

fn roll() -> Ceiling {
    Ceiling::Register(u64::from(ROLL))
}

fn statement(outcome: &Outcome) -> &tallyproof_count::settled::Statement {
    match outcome.settled.as_ref().unwrap() {
        Answer::Contest(statement) => statement,
        Answer::Mixed(_) => unreachable!("not a mixed system"),
    }
}

#[test]
fn a_station_without_record_is_bounded_by_its_roll_or_by_nothing() {
    let outcome = outcome_of(&election(6), &[], GOVERNOR);
    assert_eq!(bound_of(&outcome, 1), Some((State::Missing, Some(roll()), ALLOWANCE)));
    assert_eq!(bound_of(&outcome, 5), Some((State::Missing, None, 0)), "the register does not know its roll");
    let statement = statement(&outcome);
    assert_eq!((statement.outstanding(), statement.bound(), statement.settled()), (Some(6), None, false));
    assert!(statement.premises().contains(&Premise::Unbounded { stations: 1 }));
    let registers = Premise::Registers { stations: 5, voters: 5 * u64::from(ROLL), allowance: 5 * ALLOWANCE };
    assert!(statement.premises().contains(&registers), "{:?}", statement.premises());
}

#[test]
fn a_signed_turnout_bounds_the_stations_other_contests() {
    let definition = election(6);
    let records = [sealed(&stating(&definition, 1, GOVERNOR, 40)), sealed(&stating(&definition, 5, GOVERNOR, 30))];
    let mayor = outcome_of(&definition, &records, MAYOR);
    assert_eq!(bound_of(&mayor, 1), Some((State::Missing, Some(Ceiling::Turnout(40)), 0)));
    assert_eq!(bound_of(&mayor, 3), Some((State::Missing, Some(roll()), ALLOWANCE)));
    assert_eq!(
        bound_of(&mayor, 5),
        Some((State::Missing, Some(Ceiling::Turnout(30)), 0)),
        "the turnout is known without a roll"
    );
    assert_eq!(statement(&mayor).bound(), Some(40 + u64::from(ROLL) + ALLOWANCE + 30));
    let governor = outcome_of(&definition, &records, GOVERNOR);
    assert_eq!((bound_of(&governor, 1), bound_of(&governor, 5)), (None, None), "counted");
}

#[test]
fn the_rules_allowances_are_part_of_the_bound() {
    let rules = "[rules.AR-02]\nallowance = 2\n[rules.AR-04]\nallowance = 3\n[rules.BO-01]\nallowance = 7\n";
    let definition = crate::world::election_ruled(6, "drill", rules);
    let records = [sealed(&stating(&definition, 1, GOVERNOR, 40))];
    let mayor = outcome_of(&definition, &records, MAYOR);
    assert_eq!(bound_of(&mayor, 1), Some((State::Missing, Some(Ceiling::Turnout(40)), 5)));
    assert_eq!(bound_of(&mayor, 3), Some((State::Missing, Some(roll()), 7)));
}

#[test]
fn a_quarantined_record_bounds_its_station_where_it_states_one_turnout() {
    let definition = election(6);
    let late = |voters| Tally { sealed_at: 0, ..stating(&definition, 1, GOVERNOR, voters) };
    let bound = |records: &[Tally]| {
        let records: Vec<_> = records.iter().map(sealed).collect();
        let outcomes = [GOVERNOR, MAYOR].map(|contest| outcome_of(&definition, &records, contest));
        outcomes.map(|outcome| bound_of(&outcome, 1).map(|(state, most, _)| (state, most)))
    };
    let turnout = |votes| Some(Ceiling::Turnout(votes));
    let (apart, missing) = (State::Quarantined, State::Missing);
    assert_eq!(bound(&[late(40)]), [Some((apart, turnout(40))), Some((missing, turnout(40)))]);
    // Two records: none is preferred, and none of their figures.
    assert_eq!(bound(&[late(40), late(41)]), [Some((apart, Some(roll()))), Some((missing, Some(roll())))]);
    // Figures that differ otherwise have one turnout all the same.
    let mut moved = late(40);
    moved.counts.swap(0, 1);
    assert_eq!(bound(&[late(40), moved]), [Some((apart, turnout(40))), Some((missing, turnout(40)))]);
    // A turnout that the record's own votes exceed bounds nothing.
    let mut more = late(40);
    more.counts[0] += 1;
    assert_eq!(bound(&[more]), [Some((apart, Some(roll()))), Some((missing, Some(roll())))]);
    // Nor does that of a counted record bound a record which holds more.
    let mut mayor = Tally { sealed_at: 0, ..stating(&definition, 1, MAYOR, 40) };
    mayor.counts[0] += 1;
    assert_eq!(bound(&[stating(&definition, 1, GOVERNOR, 40), mayor]), [None, Some((apart, Some(roll())))]);
}

#[test]
fn a_correction_is_what_stands() {
    let definition = election_of_authority(4);
    let mut records = good_records(&definition);
    let record = sealed(&tally(&definition, 1, GOVERNOR, 0));
    let governor = outcome_of(&definition, &records, GOVERNOR);
    let annulled = correction(1, GOVERNOR, &[digest_of(&record)], Verdict::Annulled);
    let missing: Vec<_> = records.iter().filter(|entry| **entry != record).cloned().collect();
    let corrected = |records: &[Vec<u8>], act| {
        let entry = by_members(&definition, act, &[1, 3]);
        outcome_of(&definition, &[records, &[entry]].concat(), GOVERNOR)
    };
    let now = corrected(&records, correction(1, GOVERNOR, &[digest_of(&record)], figures(&[900, 0, 0, 0])));
    assert_ne!(now.question.contest.options, governor.question.contest.options);
    assert!(now.question.contest.options[0].1 >= 900);
    assert!(statement(&now).to_string().contains(", with 1 correction in force;"));
    // Annulled: neither counted nor outstanding.
    let now = corrected(&records, annulled);
    assert!(outstanding(&now).is_empty() && now.question.contest.options[0].1 < governor.question.contest.options[0].1);
    // A correction in place of a missing record.
    let now = corrected(&missing, correction(1, GOVERNOR, &[], figures(&[900, 0, 0, 0])));
    assert!(outstanding(&now).is_empty());
    records.clear();
    assert_eq!(outstanding(&outcome_of(&definition, &missing, GOVERNOR)).len(), 1);
}

#[test]
fn without_a_rule_the_statement_says_so() {
    let outcome = outcome_of(&election(4), &good_records(&election(4)), GOVERNOR);
    assert_eq!((outcome.question.contest.kind, outcome.seats.as_ref()), (Kind::Unstated, None));
    let text = statement(&outcome).to_string();
    assert!(text.contains("The definition states no rule for the contest."), "{text}");
    assert!(text.contains(&format!("definition {}", election(4).hash())), "{text}");
    assert!(statement(&outcome).settled());
}

const DECIDED: &str = r#"format = 1
id = "decided"
name = "Decided"
date = "2026-07-01"
phase = "drill"

[[contest]]
id = "council"
name = "Council"
area = "land"
figures = ["blank"]

[contest.decision]
type = "lists"
seats = 6
method = "dhondt"
threshold = "10%"
of = "options-and-blank"
nominal = ["north", "south"]
rule = "added"

[[contest]]
id = "north"
name = "North"
area = "north"

[contest.decision]
type = "plurality"
seats = 2

[[contest]]
id = "south"
name = "South"
area = "south"

[contest.decision]
type = "plurality"

[[contest]]
id = "house"
name = "House"
area = "land"

[contest.decision]
type = "lists"
seats = 5
method = "hare"
ties = ["more-votes"]
alliances = [["b", "c"]]

[[contest]]
id = "head"
name = "Head"
area = "land"
figures = ["blank"]

[contest.decision]
type = "run-off"
more_than = "50%"
of = "options-and-blank"
"#;

/// Station 1 lies in the north, station 2 in the south.
fn decided(from: &str, to: &str) -> Arc<Committed> {
    assert!(DECIDED.contains(from), "{from}");
    let ballot = "contest,line,candidate,party\ncouncil,x,,\ncouncil,y,,\ncouncil,z,,\n\
        north,n1,n1,x\nnorth,n2,n2,z\nnorth,n3,n3,\nsouth,s1,s1,x\nsouth,s2,s2,y\nsouth,s3,s1,\n\
        house,a,,\nhouse,b,,\nhouse,c,,\nhead,h,,\nhead,i,,\n";
    let files: package::Files = [
        ("election.toml", DECIDED.replacen(from, to, 1)),
        ("areas.csv", "id,parent,name,kind\nland,,,\nnorth,land,,\nsouth,land,,\n".into()),
        ("ballot.csv", ballot.into()),
        ("stations.csv", "id,area,registered\ns1,north,1000\ns2,south,1000\n".into()),
    ]
    .map(|(name, text): (&str, String)| (name.to_owned(), text.into_bytes()))
    .into();
    let election = package::parse(&files).unwrap();
    Arc::new(election.with_keys(|station| station_key(station).verifying_key().into()).commit())
}

const COUNCIL: ContestNo = ContestNo(1);
const NORTH: ContestNo = ContestNo(2);
const SOUTH: ContestNo = ContestNo(3);
const HOUSE: ContestNo = ContestNo(4);
const HEAD: ContestNo = ContestNo(5);

fn record(definition: &Committed, station: u32, contest: ContestNo, counts: &[u32], blank: Option<u32>) -> Vec<u8> {
    let tally = tally(definition, station, contest, 0);
    sealed(&Tally { counts: counts.to_vec(), blank, ..tally })
}

fn lists(outcome: &Outcome) -> &ListSeats {
    match outcome.seats.as_ref().unwrap() {
        SeatsOutcome::Lists(lists) => lists,
        SeatsOutcome::ByName(by_name) => unreachable!("{by_name:?}"),
    }
}

#[test]
fn seats_won_by_name_count_for_lists() {
    let definition = decided("", "");
    let records = [
        record(&definition, 1, COUNCIL, &[60, 30, 9], Some(0)),
        record(&definition, 2, COUNCIL, &[0, 0, 0], Some(1)),
        record(&definition, 1, NORTH, &[10, 40, 20], None),
        record(&definition, 2, SOUTH, &[5, 9, 4], None),
    ];
    let outcome = outcome_of(&definition, &records, COUNCIL);
    let seats = lists(&outcome);
    // z has 9 of 100 votes with the blank one: it takes no part in the lists' seats, and keeps the one won by name.
    let list = |votes, nominal| List { votes, alliance: None, nominal };
    assert_eq!(seats.lists, [list(60, 0), list(30, 0), list(9, 1)]);
    let name = |contest, candidate, list| NameSeat { contest, candidate, list };
    assert_eq!(seats.nominal, [name(NORTH, 1, Some(2)), name(NORTH, 2, None)]);
    assert_eq!(seats.nominal_open, 1, "9 to 9 in the south, where the first two lines are of one candidate");
    assert_eq!(seats.rules.mixed, Some(Mixed::Added));
    let allotment = seats.allotment.as_ref().unwrap();
    let all: Vec<_> = allotment.lists.iter().map(|list| (list.admitted, list.seats, list.added)).collect();
    assert_eq!(all, [(true, 4, 0), (true, 2, 0), (false, 1, 1)]);
    let Answer::Mixed(statement) = outcome.settled.as_ref().unwrap() else { unreachable!("{outcome:?}") };
    assert!(statement.settled(), "every station is counted: the tie in the south stays");
    let ranges: Vec<_> = statement.seats().iter().map(|range| (range.id.as_str(), range.now)).collect();
    assert_eq!(ranges, [("x", 4), ("y", 2), ("z", 1)], "who stands for no list is none");
}

#[test]
fn a_house_of_fixed_size_holds_every_seat_won_by_name() {
    let definition = decided("rule = \"added\"", "rule = \"within\"");
    let records = [
        record(&definition, 1, COUNCIL, &[60, 30, 9], Some(1)),
        record(&definition, 1, NORTH, &[10, 40, 20], None),
        record(&definition, 2, SOUTH, &[5, 9, 2], None),
    ];
    let outcome = outcome_of(&definition, &records, COUNCIL);
    let allotment = lists(&outcome).allotment.as_ref().unwrap();
    // Of 6 seats one is z's, one y's, one of nobody's list: three are left, and y's claims start at its second seat.
    assert_eq!(allotment.lists.iter().map(|list| list.seats).collect::<Vec<_>>(), [3, 1, 1]);
    let records = [record(&definition, 1, COUNCIL, &[60, 30, 9], Some(1))];
    let open = outcome_of(&definition, &records, COUNCIL);
    let seats = lists(&open).allotment.as_ref().unwrap().lists.iter().map(|list| list.seats).sum::<u64>();
    assert_eq!((lists(&open).nominal_open, seats), (3, 3), "seats that nobody has yet are seats of the house");
}

#[test]
fn the_first_by_votes_have_the_seats() {
    let definition = decided("", "");
    let by_name =
        |counts: &[u32]| match outcome_of(&definition, &[record(&definition, 1, NORTH, counts, None)], NORTH).seats {
            Some(SeatsOutcome::ByName(by_name)) => by_name,
            other => unreachable!("{other:?}"),
        };
    let seats = |elected: &[usize], open, tied: &[usize]| ByName {
        seats: 2,
        elected: elected.to_vec(),
        open,
        tied: tied.to_vec(),
    };
    assert_eq!(by_name(&[10, 40, 20]), seats(&[1, 2], 0, &[]));
    assert_eq!(by_name(&[20, 40, 20]), seats(&[1], 1, &[0, 2]));
    assert_eq!(by_name(&[20, 20, 20]), seats(&[], 2, &[0, 1, 2]));
    assert_eq!(by_name(&[20, 20, 10]), seats(&[0, 1], 0, &[]));
    assert_eq!(by_name(&[0, 40, 0]), seats(&[1], 0, &[]), "without a vote nobody has a seat");
}

#[test]
fn alliances_and_tie_rules_are_the_definitions() {
    let definition = decided("", "");
    let votes = |counts: &[u32]| outcome_of(&definition, &[record(&definition, 1, HOUSE, counts, None)], HOUSE);
    let outcome = votes(&[50, 30, 20]);
    let seats = lists(&outcome);
    assert_eq!(seats.lists.iter().map(|list| list.alliance).collect::<Vec<_>>(), [None, Some(0), Some(0)]);
    let allotment = seats.allotment.as_ref().unwrap();
    // 2.5 quotas each: the last seat is tied, and more votes do not break it.
    assert!(allotment.ties.iter().any(|tie| tie.inside.is_none() && tie.outcome == TieOutcome::Open));
    // 33 : 27 of 60 votes are 2.75 and 2.25 quotas.
    assert_eq!(
        lists(&votes(&[33, 15, 12])).allotment.as_ref().unwrap().lists.iter().map(|l| l.seats).collect::<Vec<_>>(),
        [3, 1, 1]
    );
}

#[test]
fn shares_are_of_the_votes_that_the_definition_says() {
    let definition = decided("", "");
    let records = |blank| {
        let head = |station, counts: &[u32], blank| record(&definition, station, HEAD, counts, Some(blank));
        [head(1, &[51, 40], blank), head(2, &[0, 0], 0)]
    };
    let outcome = outcome_of(&definition, &records(10), HEAD);
    assert_eq!((outcome.question.contest.blank, outcome.seats.as_ref()), (Some(10), None));
    let lead =
        |outcome: &Outcome| statement(outcome).changes().first().map(|change| statement(outcome).describe(change));
    assert_eq!(lead(&outcome), Some("h needs a run-off".into()), "51 of 101");
    assert_eq!(lead(&outcome_of(&definition, &records(12), HEAD)), Some("h needs no run-off".into()), "51 of 103");
}

/// What a station does in a contest.
#[derive(Clone, Copy, Debug)]
enum Step {
    Missing,
    Good(u32),
    Late(u32),
    Twice(u32, u32),
}

fn step() -> impl Strategy<Value = Step> {
    let voters = 3..9_u32;
    prop_oneof![
        Just(Step::Missing),
        voters.clone().prop_map(Step::Good),
        voters.clone().prop_map(Step::Late),
        (voters.clone(), voters).prop_map(|(a, b)| Step::Twice(a, b)),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(60))]

    /// Against the plainest reading: every slot by itself, from the records that came.
    #[test]
    fn every_bound_is_what_the_records_of_the_station_say(
        steps in prop::collection::vec(step(), 14),
        reversed in any::<bool>(),
    ) {
        let definition = election(8);
        let slots: Vec<_> = Ledger::new(Arc::clone(&definition)).slots().map(|slot| (slot.station, slot.contest)).collect();
        let tally = |(station, contest): (StationNo, ContestNo), voters: u32| stating(&definition, station.0, contest, voters);
        let mut tallies: Vec<Tally> = slots.iter().zip(&steps).flat_map(|(&slot, step)| match *step {
            Step::Missing => vec![],
            Step::Good(voters) => vec![tally(slot, voters)],
            Step::Late(voters) => vec![Tally { sealed_at: 0, ..tally(slot, voters) }],
            Step::Twice(a, b) => vec![tally(slot, a), Tally { sealed_at: 0, ..tally(slot, b) }],
        }).collect();
        if reversed {
            tallies.reverse();
        }
        let records: Vec<_> = tallies.iter().map(sealed).collect();
        let ledger = ledger_of(&definition, &log_of(&definition, &records));
        let outcomes = outcome::of(&ledger, &Totals::of(&ledger));
        let status: BTreeMap<_, _> = slots.iter().map(|&(s, c)| ((s, c), ledger.slot(s, c).unwrap().status)).collect();
        for (contest, outcome) in outcomes.iter() {
            let mut expected = Vec::new();
            for &(station, _) in slots.iter().filter(|slot| slot.1 == contest) {
                if status[&(station, contest)] == SlotStatus::Counted {
                    continue;
                }
                let of_station = |counted: bool| {
                    let own = tallies.iter().filter(|tally| tally.station == station);
                    let own = own.filter(|tally| (status[&(station, tally.contest)] == SlotStatus::Counted) == counted);
                    own.filter_map(|tally| tally.figure(Figure::Voters)).map(u64::from).collect::<Vec<_>>()
                };
                let (counted, apart) = (of_station(true), of_station(false));
                let one = apart.first().filter(|first| apart.iter().all(|voters| voters == *first)).copied();
                let turnout = counted.iter().max().copied().or(one);
                // The records here hold as many votes as they state voters.
                let own = tallies.iter().filter(|tally| (tally.station, tally.contest) == (station, contest)).map(Tally::cast).max();
                let turnout = turnout.filter(|turnout| own.is_none_or(|own| own <= *turnout));
                let roll = definition.election().station(station).unwrap().roll().map(u64::from);
                expected.push((format!("s{station}"), turnout.or(roll.map(|roll| roll + ALLOWANCE))));
            }
            let found: Vec<_> = outstanding(outcome).iter().map(|station| (station.id.clone(), station.bound())).collect();
            prop_assert_eq!(found, expected, "contest {}", contest);
        }
        prop_assert_eq!(outcomes.contest(DEPUTY).unwrap().question.contest.options.len(), 1);
    }
}

#[test]
fn lists_that_stand_together_are_named_together() {
    let definition = decided("", "");
    let outcome = outcome_of(&definition, &[record(&definition, 1, HOUSE, &[50, 30, 20], None)], HOUSE);
    let statement = statement(&outcome);
    assert_eq!(statement.options(), ["a", "b", "c", "b + c"]);
    assert_eq!(statement.describe(&statement.changes()[0]), "the tie of a, b + c is broken");
    assert_eq!(statement.seats().iter().map(|range| (range.list, range.now)).collect::<Vec<_>>(), [(0, 2), (3, 2)]);
    assert!(statement.to_string().contains("These lists get seats as one, and split them by hare: b + c."));
}

#[test]
fn what_has_no_answer_says_why() {
    let definition = decided(
        "seats = 6\nmethod = \"dhondt\"\nthreshold = \"10%\"\nof = \"options-and-blank\"\nnominal = [\"north\", \"south\"]\nrule = \"added\"",
        "seats = 2\nmethod = \"dhondt\"\nnominal = [\"north\", \"south\"]\nrule = \"within\"",
    );
    let outcome = outcome_of(&definition, &[], COUNCIL);
    assert_eq!(outcome.settled.map_err(NoStatement::as_str), Err("house"), "three seats are won by name, of two");
    assert!(matches!(outcome.seats, Some(SeatsOutcome::Lists(ListSeats { allotment: Err(_), .. }))));
}
