//! Seats: known answers, the properties that each method is known by, ties, alliances and mixed systems.

use proptest::prelude::*;
use serde_json::Value;
use tallyproof_count::{
    seats::{
        Allotment, Each, List, Method, Mixed, Open, Party, Quotient, Rules, Seat, SeatsError, Threshold, TieBreak,
        TieOutcome, allot,
    },
    share::Share,
};

use crate::textbook;

fn lists(votes: &[u64]) -> Vec<List> {
    votes.iter().map(|&votes| List { votes, ..List::default() }).collect()
}

fn seats(allotment: &Allotment) -> Vec<u64> {
    allotment.lists.iter().map(|list| list.seats).collect()
}

fn plain(method: Method, votes: &[u64], house: u32) -> Allotment {
    allot(&lists(votes), &Rules::new(method, house)).unwrap()
}

fn numbers(value: &Value) -> Vec<u64> {
    value.as_array().unwrap().iter().map(|number| number.as_u64().unwrap()).collect()
}

fn known_answers() -> Value {
    serde_json::from_str(include_str!("../../../../fixtures/apportionment/known-answers.json")).unwrap()
}

#[test]
fn a_national_council_has_the_published_seats_in_every_year() {
    let known = &known_answers()["austria_nationalrat"];
    let house = u32::try_from(known["seats"].as_u64().unwrap()).unwrap();
    let mut rules = Rules::new(Method::DHondt, house);
    let share = known["threshold"].to_string().parse().unwrap();
    rules.threshold = Some(Threshold { share, of: None, each: Each::List });
    let years = known["rows"].as_array().unwrap();
    assert_eq!(years.len(), 7);
    for year in years {
        let allotment = allot(&lists(&numbers(&year[2])), &rules).unwrap();
        assert_eq!(seats(&allotment), numbers(&year[3]), "{}", year[0]);
        assert_eq!((allotment.ties, allotment.open, allotment.order.len()), (vec![], vec![], 183), "{}", year[0]);
    }
}

#[test]
fn the_examples_of_balinski_and_young() {
    let examples = known_answers();
    for example in examples["balinski_young"].as_array().unwrap() {
        let house = u32::try_from(example["seats"].as_u64().unwrap()).unwrap();
        let votes = numbers(&example["votes"]);
        for (method, key) in
            [(Method::Hare, "largest_remainder"), (Method::DHondt, "dhondt"), (Method::SainteLague, "saintelague")]
        {
            assert_eq!(seats(&plain(method, &votes, house)), numbers(&example[key]), "{method}: {votes:?}");
        }
    }
}

#[test]
fn the_order_of_seats_has_exact_quotients() {
    let order = |method, votes: &[u64], house| -> Vec<(usize, i64, u64)> {
        let order = plain(method, votes, house).order.into_iter();
        order.map(|seat| (seat.list.unwrap(), seat.claim.numerator, seat.claim.denominator)).collect()
    };
    assert_eq!(order(Method::DHondt, &[100, 80, 30], 4), [(0, 100, 1), (1, 80, 1), (0, 100, 2), (1, 80, 2)]);
    assert_eq!(order(Method::SainteLague, &[100, 80, 30], 4), [(0, 100, 1), (1, 80, 1), (0, 100, 3), (2, 30, 1)]);
    assert_eq!(
        order(Method::ModifiedSainteLague, &[100, 80, 30], 4),
        [(0, 500, 7), (1, 400, 7), (0, 100, 3), (1, 80, 3)]
    );
    assert_eq!(order(Method::Hare, &[100, 80, 30], 4), [(0, 400, 210), (1, 320, 210), (0, 190, 210), (2, 120, 210)]);
    // ⌊210 / 5⌋ + 1 = 43.
    assert_eq!(order(Method::Droop, &[100, 80, 30], 4), [(0, 100, 43), (1, 80, 43), (0, 57, 43), (1, 37, 43)]);
}

#[test]
fn a_largest_remainder_loses_a_seat_in_a_larger_house_and_a_divisor_does_not() {
    let third = |method| [10, 11].map(|house| seats(&plain(method, &[600, 600, 201], house))[2]);
    assert_eq!((third(Method::Hare), third(Method::SainteLague)), ([2, 1], [2, 2]));
}

#[test]
fn a_threshold_is_reached_exactly_or_not_at_all() {
    // 7 of 100 against 0.07: in binary floating point 0.07 · 100 is above 7.
    let with = |share: &str, of| {
        let mut rules = Rules::new(Method::DHondt, 20);
        rules.threshold = Some(Threshold { share: share.parse().unwrap(), of, each: Each::List });
        allot(&lists(&[7, 93]), &rules).map(|allotment| allotment.lists[0].admitted)
    };
    assert_eq!(with("0.07", None), Ok(true));
    assert_eq!(with("7%", Some(100)), Ok(true));
    assert_eq!(with("0.070000001", None), Ok(false));
    assert_eq!(with("7%", Some(101)), Ok(false), "blank votes count towards the total");
    assert_eq!(with("7%", Some(99)), Err(SeatsError::ThresholdOf));
}

#[test]
fn a_tie_that_decides_a_seat_leaves_it_open_unless_a_rule_is_declared() {
    let mut rules = Rules::new(Method::DHondt, 3);
    // 60 / 2 = 30 = 30: the third seat is between the first and the third list.
    let tied = |rules: &Rules| allot(&lists(&[60, 40, 30]), rules).unwrap();
    let open = tied(&rules);
    assert_eq!(seats(&open), [1, 1, 0]);
    assert_eq!(open.open, [Open { seats: 1, among: vec![Party::List(0), Party::List(2)], inside: None }]);
    assert_eq!((open.ties.len(), open.ties[0].outcome, open.ties[0].seats), (1, TieOutcome::Open, 1));
    rules.ties = vec![TieBreak::MoreVotes];
    assert_eq!((seats(&tied(&rules)), tied(&rules).ties[0].outcome), (vec![2, 1, 0], TieOutcome::MoreVotes));
    rules.ties = vec![TieBreak::Lot(vec![2, 1, 0])];
    assert_eq!((seats(&tied(&rules)), tied(&rules).ties[0].outcome), (vec![1, 1, 1], TieOutcome::Lot));
    rules.ties = vec![TieBreak::Lot(vec![1])];
    assert_eq!(tied(&rules).open.len(), 1, "the lot was drawn between others");
    rules.ties = vec![TieBreak::Lot(vec![0, 0])];
    assert_eq!(allot(&lists(&[1, 1]), &rules), Err(SeatsError::Lot));
}

#[test]
fn a_tie_for_the_order_alone_is_reported_and_decides_nothing() {
    let allotment = plain(Method::SainteLague, &[50, 50], 4);
    assert_eq!(seats(&allotment), [2, 2]);
    assert_eq!(allotment.ties.iter().map(|tie| tie.outcome).collect::<Vec<_>>(), [TieOutcome::SeatForEach; 2]);
    assert_eq!(allotment.open, []);
}

#[test]
fn rules_that_follow_each_other_break_what_is_left_of_a_tie() {
    let mut rules = Rules::new(Method::DHondt, 2);
    rules.ties = vec![TieBreak::MoreVotes, TieBreak::Lot(vec![2, 1])];
    // 12 / 2 = 6 = 6 = 6 for the second seat: the first list has more votes.
    assert_eq!(seats(&allot(&lists(&[12, 6, 6]), &rules).unwrap()), [2, 0, 0]);
    rules.seats = 3;
    let allotment = allot(&lists(&[12, 6, 6]), &rules).unwrap();
    assert_eq!((seats(&allotment), allotment.ties[0].outcome), (vec![2, 0, 1], TieOutcome::Lot));
}

#[test]
fn an_alliance_gets_seats_as_one_and_splits_them() {
    let mut parties = lists(&[45, 26, 25]);
    parties[1].alliance = Some(0);
    parties[2].alliance = Some(0);
    let mut rules = Rules::new(Method::DHondt, 3);
    assert_eq!(seats(&plain(Method::DHondt, &[45, 26, 25], 3)), [1, 1, 1]);
    rules.seats = 4;
    assert_eq!(seats(&plain(Method::DHondt, &[45, 26, 25], 4)), [2, 1, 1]);
    let allotment = allot(&parties, &rules).unwrap();
    assert_eq!(seats(&allotment), [2, 1, 1]);
    assert_eq!(allotment.order[0].claim, Quotient { numerator: 51, denominator: 1 });
    assert_eq!(allotment.order[0].inside, Some(Quotient { numerator: 26, denominator: 1 }));
    rules.seats = 1;
    assert_eq!(seats(&allot(&parties, &rules).unwrap()), [0, 1, 0], "no list has as many votes as the first");
}

#[test]
fn a_tie_inside_an_alliance_is_the_alliances_own() {
    let mut parties = lists(&[10, 6, 6]);
    parties[1].alliance = Some(0);
    parties[2].alliance = Some(0);
    let allotment = allot(&parties, &Rules::new(Method::DHondt, 1)).unwrap();
    assert_eq!(seats(&allotment), [0, 0, 0]);
    assert_eq!(allotment.open, [Open { seats: 1, among: vec![Party::List(1), Party::List(2)], inside: Some(0) }]);
    assert!(matches!(allotment.order[..], [Seat { list: None, alliance: Some(0), .. }]));
}

#[test]
fn a_seat_more_that_would_change_the_split_leaves_the_split_open() {
    // The alliance ties with the first list for its eleventh seat: 15,411 / 11 = 1,401. With 10 seats its last list has 2 of
    // them, with 11 it has 1.
    let mut parties = lists(&[1_401, 6_600, 6_600, 2_211]);
    for list in &mut parties[1..] {
        list.alliance = Some(0);
    }
    let mut rules = Rules::new(Method::DHondt, 11);
    rules.inside = Some(Method::Hare);
    let allotment = allot(&parties, &rules).unwrap();
    assert_eq!(seats(&allotment), [0, 4, 4, 1]);
    assert_eq!(
        allotment.open,
        [
            Open { seats: 1, among: vec![Party::List(0), Party::Alliance(0)], inside: None },
            Open { seats: 1, among: vec![Party::List(3)], inside: Some(0) },
        ]
        .as_slice()
    );
}

#[test]
fn an_alliance_can_reach_the_threshold_as_one() {
    let mut parties = lists(&[90, 6, 4]);
    parties[1].alliance = Some(7);
    parties[2].alliance = Some(7);
    let mut rules = Rules::new(Method::Hare, 10);
    let admitted =
        |rules: &Rules| allot(&parties, rules).unwrap().lists.iter().map(|list| list.admitted).collect::<Vec<_>>();
    let share = Share::new(1, 10).unwrap();
    rules.threshold = Some(Threshold { share, of: None, each: Each::List });
    assert_eq!(admitted(&rules), [true, false, false]);
    rules.threshold = Some(Threshold { share, of: None, each: Each::Alliance });
    assert_eq!(admitted(&rules), [true, true, true]);
}

#[test]
fn seats_won_by_name_add_up_as_the_system_says() {
    let mut parties = lists(&[50, 30, 20]);
    (parties[0].nominal, parties[1].nominal) = (7, 1);
    let mixed = |mixed| {
        let mut rules = Rules::new(Method::DHondt, 10);
        rules.mixed = Some(mixed);
        allot(&parties, &rules).unwrap()
    };
    assert_eq!(seats(&mixed(Mixed::Parallel)), [12, 4, 2]);
    let added = mixed(Mixed::Added);
    assert_eq!((seats(&added), added.lists[0].added), (vec![7, 3, 2], 2), "due 5, 3 and 2; two more were won by name");
    assert_eq!(added.order.iter().filter(|seat| seat.nominal).count(), 6);
    assert_eq!(seats(&mixed(Mixed::Within)), [7, 2, 1]);
    let mut rules = Rules::new(Method::Hare, 10);
    rules.mixed = Some(Mixed::Within);
    assert_eq!(allot(&parties, &rules), Err(SeatsError::MixedRemainder));
    rules.method = Method::DHondt;
    rules.seats = 7;
    assert_eq!(allot(&parties, &rules), Err(SeatsError::MixedHouse));
}

#[test]
fn without_votes_there_are_no_seats() {
    let allotment = plain(Method::Droop, &[0, 0], 3);
    assert_eq!((seats(&allotment), allotment.unfilled, allotment.order), (vec![0, 0], 3, vec![]));
    assert_eq!(seats(&plain(Method::DHondt, &[1, 0], 3)), [3, 0]);
    assert_eq!(allot(&[], &Rules::new(Method::Hare, 1)).unwrap().unfilled, 1);
}

#[test]
fn the_largest_figures_do_not_overflow() {
    use tallyproof_count::seats::{MAX_SEATS, MAX_VOTES};
    for method in Method::ALL {
        assert_eq!(seats(&plain(method, &[MAX_VOTES - 1, 1], MAX_SEATS)), [u64::from(MAX_SEATS), 0], "{method}");
    }
    let refused = |votes: &[u64], seats| allot(&lists(votes), &Rules::new(Method::DHondt, seats)).unwrap_err();
    assert_eq!(refused(&[MAX_VOTES, 1], 1), SeatsError::TooManyVotes);
    assert_eq!(refused(&[u64::MAX, u64::MAX], 1), SeatsError::TooManyVotes);
    assert_eq!((refused(&[1], 0), refused(&[1], MAX_SEATS + 1)), (SeatsError::Seats, SeatsError::Seats));
}

fn method() -> impl Strategy<Value = Method> {
    prop::sample::select(Method::ALL.to_vec())
}

fn votes() -> impl Strategy<Value = Vec<u64>> {
    // Small numbers tie often, large ones hardly ever.
    prop_oneof![prop::collection::vec(0..12_u64, 1..6), prop::collection::vec(0..10_000_000_u64, 1..12)]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1_000))]

    #[test]
    fn every_allotment_is_the_textbooks(method in method(), votes in votes(), house in 1..40_u32) {
        let allotment = plain(method, &votes, house);
        let (sure, tied, open) = textbook::seats_of(method, &votes, u64::from(house));
        prop_assert_eq!(seats(&allotment), sure);
        prop_assert_eq!(allotment.open.iter().map(|open| open.seats).sum::<u64>(), open);
        let among = allotment.open.iter().flat_map(|open| &open.among).map(|party| match party {
            Party::List(list) | Party::Alliance(list) => *list,
        });
        prop_assert_eq!(among.collect::<std::collections::BTreeSet<_>>(), tied);
        let given = seats(&allotment).iter().sum::<u64>();
        prop_assert_eq!(given + open + allotment.unfilled, u64::from(house));
        prop_assert!(allotment.order.is_sorted_by(|a, b| a.claim >= b.claim));
    }

    #[test]
    fn a_larger_house_takes_no_seat_from_a_list_of_a_divisor_method(
        method in prop::sample::select(vec![Method::DHondt, Method::SainteLague, Method::ModifiedSainteLague]),
        votes in votes(),
        house in 1..40_u32,
    ) {
        let (small, large) = (plain(method, &votes, house), plain(method, &votes, house + 1));
        prop_assert!(seats(&small).iter().zip(seats(&large)).all(|(small, large)| *small <= large));
        prop_assert_eq!(&large.order[..small.order.len()], &small.order[..]);
    }

    #[test]
    fn a_largest_remainder_stays_within_the_quota_and_dhondt_above_its_floor(votes in votes(), house in 1..40_u32) {
        let total: u64 = votes.iter().sum();
        prop_assume!(total > 0);
        let tied = |allotment: &Allotment, list| allotment.open.iter().any(|open| open.among.contains(&Party::List(list)));
        let (hare, dhondt) = (plain(Method::Hare, &votes, house), plain(Method::DHondt, &votes, house));
        for (list, votes) in votes.iter().enumerate() {
            let exact = votes * u64::from(house);
            let seats = hare.lists[list].seats;
            prop_assert!(seats >= exact / total && seats + u64::from(tied(&hare, list)) <= exact.div_ceil(total));
            prop_assert!(dhondt.lists[list].seats + u64::from(tied(&dhondt, list)) >= exact / total);
        }
    }

    #[test]
    fn a_lot_over_all_lists_leaves_no_seat_open(
        method in method(),
        votes in prop::collection::vec(0..6_u64, 1..6),
        house in 1..10_u32,
    ) {
        let mut rules = Rules::new(method, house);
        rules.ties = vec![TieBreak::Lot((0..votes.len()).rev().collect())];
        let allotment = allot(&lists(&votes), &rules).unwrap();
        prop_assert!(allotment.open.is_empty());
        let undrawn = plain(method, &votes, house);
        prop_assert_eq!(undrawn.ties.len(), allotment.ties.len(), "a lot changes how ties end, not which there are");
        for (list, sure) in seats(&undrawn).into_iter().enumerate() {
            prop_assert!(allotment.lists[list].seats >= sure);
        }
    }

    #[test]
    fn an_alliance_by_dhondt_has_no_fewer_seats_than_its_lists_alone(
        votes in prop::collection::vec(1..100_000_000_u64, 3..8),
        house in 1..40_u32,
    ) {
        let apart = plain(Method::DHondt, &votes, house);
        let mut parties = lists(&votes);
        (parties[0].alliance, parties[1].alliance) = (Some(0), Some(0));
        let joined = allot(&parties, &Rules::new(Method::DHondt, house)).unwrap();
        let of_alliance = joined.order.iter().filter(|seat| seat.alliance == Some(0)).count() as u64;
        prop_assert!(of_alliance >= apart.lists[0].seats + apart.lists[1].seats);
        let split: u64 = joined.open.iter().filter(|open| open.inside == Some(0)).map(|open| open.seats).sum();
        prop_assert_eq!(joined.lists[0].seats + joined.lists[1].seats + split, of_alliance);
    }
}
