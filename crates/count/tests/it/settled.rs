//! Settled statements against all that can happen: small elections, every completion of what is outstanding.

use std::collections::BTreeSet;

use proptest::prelude::*;
use tallyproof_count::{
    seats::{Each, Method},
    settled::{
        Ahead, Alliances, Bar, Ceiling, Contest, Figures, Kind, MixedRule, Nominal, Outstanding, Premise, Question,
        SeatRange, SettledError, State, Statement, Station, Together, settle, settle_mixed,
    },
    share::Share,
};

use crate::textbook::{House, Outcome, after_held, house, outcome};

fn contest(kind: Kind, votes: &[u64], blank: Option<u64>) -> Contest {
    let options = votes.iter().enumerate().map(|(option, votes)| (format!("o{option}"), *votes)).collect();
    Contest { id: "c".into(), options, blank, kind, alliances: Alliances::default() }
}

fn figures() -> Figures {
    Figures::Published { source: "a test".into() }
}

fn question(kind: Kind, votes: &[u64], blank: Option<u64>, bound: u64) -> Question {
    let outstanding = Outstanding::Together { stations: Some(1), most: Together::Register(bound) };
    Question { contest: contest(kind, votes, blank), outstanding, figures: figures() }
}

fn answer(kind: Kind, votes: &[u64], bound: u64) -> Statement {
    settle(&question(kind, votes, None, bound)).unwrap()
}

/// Every way in which at most `bound` votes fall on `options` options.
fn completions(options: usize, bound: u64) -> Vec<Vec<u64>> {
    let mut all = vec![vec![]];
    for _ in 0..options {
        let longer = all.iter().flat_map(|so_far: &Vec<u64>| {
            let left = bound - so_far.iter().sum::<u64>();
            (0..=left).map(|votes| so_far.iter().copied().chain([votes]).collect())
        });
        all = longer.collect();
    }
    all
}

/// The outcome after a completion; its last entry is votes for no option where these count.
fn after(kind: Kind, votes: &[u64], blank: Option<u64>, more: &[u64]) -> Outcome {
    let sums: Vec<u64> = votes.iter().zip(more).map(|(votes, more)| votes + more).collect();
    outcome(kind, &sums, blank.map_or(0, |blank| blank + more.last().unwrap()))
}

/// Fewest and most seats of each list over all completions.
fn ranges(outcomes: &[Outcome], lists: usize) -> Vec<(u64, u64)> {
    let range = |list: usize| {
        let seats = outcomes.iter().map(|outcome| match outcome {
            Outcome::Lists { seats, tied, .. } => (seats[list], seats[list] + u64::from(tied.contains(&list))),
            other => unreachable!("{other:?}"),
        });
        let (least, most): (Vec<_>, Vec<_>) = seats.unzip();
        (least.into_iter().min().unwrap(), most.into_iter().max().unwrap())
    };
    (0..lists).map(range).collect()
}

/// The statement says exactly what all completions show.
fn check(kind: Kind, votes: &[u64], blank: Option<u64>, bound: u64) -> Result<(), TestCaseError> {
    let statement = settle(&question(kind, votes, blank, bound)).unwrap();
    let all = completions(votes.len() + usize::from(blank.is_some()), bound);
    let now = after(kind, votes, blank, &all[0]);
    let outcomes: Vec<Outcome> = all.iter().map(|more| after(kind, votes, blank, more)).collect();
    let changing = all.iter().zip(&outcomes).filter(|(_, outcome)| **outcome != now);
    let fewest = changing.map(|(more, _)| more.iter().sum::<u64>()).min();
    prop_assert_eq!(statement.settled(), fewest.is_none(), "{:?} {:?}", now, statement);
    prop_assert_eq!(statement.lead().filter(|lead| *lead <= bound), fewest, "{:?} {:?}", now, statement);
    prop_assert!(!statement.premises().is_empty());
    let Kind::Lists { method, threshold, .. } = kind else { return Ok(()) };
    for (range, (least, most)) in statement.seats().iter().zip(ranges(&outcomes, votes.len())) {
        if threshold.is_none() {
            prop_assert_eq!((range.least, range.most), (least, most), "{:?} {:?}", range, statement);
        } else {
            prop_assert!(range.least <= least && range.most >= most, "{:?} {:?} {:?}", range, (least, most), statement);
            if method.divisor(1).is_some() {
                prop_assert_eq!(range.most, most);
            }
        }
    }
    Ok(())
}

/// As [`check`], for lists that stand together.
fn check_house(
    kind: Kind,
    alliances: &Alliances,
    votes: &[u64],
    blank: Option<u64>,
    bound: u64,
) -> Result<(), TestCaseError> {
    let mut question = question(kind, votes, blank, bound);
    question.contest.alliances = alliances.clone();
    let statement = settle(&question).unwrap();
    let all = completions(votes.len() + usize::from(blank.is_some()), bound);
    let of = |more: &Vec<u64>| {
        let sums: Vec<u64> = votes.iter().zip(more).map(|(votes, more)| votes + more).collect();
        house(kind, alliances, &sums, blank.map_or(0, |blank| blank + more.last().unwrap()))
    };
    let (now, houses): (House, Vec<House>) = (of(&all[0]), all.iter().map(of).collect());
    let changing = all.iter().zip(&houses).filter(|(_, house)| **house != now);
    let fewest = changing.map(|(more, _)| more.iter().sum::<u64>()).min();
    prop_assert_eq!(statement.settled(), fewest.is_none(), "{:?} {:?}", now, statement);
    prop_assert_eq!(statement.lead().filter(|lead| *lead <= bound), fewest, "{:?} {:?}", now, statement);
    let Kind::Lists { threshold, .. } = kind else { return Ok(()) };
    for range in statement.seats() {
        let now = houses.iter().map(|house| house.claimants.0[range.list]).min().unwrap();
        let tied = |house: &House| house.claimants.0[range.list] + u64::from(house.claimants.1.contains(&range.list));
        let most = houses.iter().map(tied).max().unwrap();
        prop_assert!(range.least <= now && range.most >= most, "{:?} {:?} {:?}", range, (now, most), statement);
        if threshold.is_none() {
            prop_assert_eq!((range.least, range.most), (now, most), "{:?} {:?}", range, statement);
        }
    }
    prop_assert!(threshold.is_some() || !statement.seats().is_empty());
    Ok(())
}

fn share() -> impl Strategy<Value = Share> {
    (1..12_u64)
        .prop_flat_map(|denominator| (0..=denominator, Just(denominator)).prop_map(|(p, q)| Share::new(p, q).unwrap()))
}

fn bar() -> impl Strategy<Value = Bar> {
    prop_oneof![share().prop_map(Bar::MoreThan), share().prop_map(Bar::AtLeast)]
}

fn votes() -> impl Strategy<Value = Vec<u64>> {
    prop::collection::vec(prop_oneof![0..5_u64, 0..30_u64], 1..5)
}

fn method() -> impl Strategy<Value = Method> {
    prop::sample::select(Method::ALL.to_vec())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn plurality_is_exact(votes in votes(), seats in 1..4_u32, bound in 0..7_u64) {
        check(Kind::Plurality { seats }, &votes, None, bound)?;
    }

    #[test]
    fn who_is_first_is_exact(votes in votes(), bound in 0..7_u64) {
        check(Kind::Unstated, &votes, None, bound)?;
    }

    #[test]
    fn majority_is_exact(bar in bar(), votes in votes(), blank in prop::option::of(0..9_u64), bound in 0..6_u64) {
        check(Kind::Majority(bar), &votes, blank, bound)?;
    }

    #[test]
    fn run_off_is_exact(bar in bar(), votes in votes(), blank in prop::option::of(0..9_u64), bound in 0..6_u64) {
        check(Kind::RunOff { bar, ahead: None }, &votes, blank, bound)?;
    }

    #[test]
    fn run_off_with_a_lead_is_exact(
        (bar, reach, by) in (bar(), bar(), bar()),
        votes in votes(),
        blank in prop::option::of(0..9_u64),
        bound in 0..6_u64,
    ) {
        check(Kind::RunOff { bar, ahead: Some(Ahead { reach, by }) }, &votes, blank, bound)?;
    }

    #[test]
    fn half_and_forty_with_ten_ahead_are_exact(votes in prop::collection::vec(0..40_u64, 2..5), bound in 0..7_u64) {
        let [half, forty, ten] = [(1, 2), (2, 5), (1, 10)].map(|(p, q)| Share::new(p, q).unwrap());
        let ahead = Ahead { reach: Bar::AtLeast(forty), by: Bar::AtLeast(ten) };
        check(Kind::RunOff { bar: Bar::MoreThan(half), ahead: Some(ahead) }, &votes, None, bound)?;
    }

    #[test]
    fn seats_are_exact(method in method(), votes in votes(), seats in 1..7_u32, bound in 0..7_u64) {
        check(Kind::Lists { method, seats, threshold: None }, &votes, None, bound)?;
    }

    #[test]
    fn seats_of_a_small_house_with_many_votes_out_are_exact(
        method in method(),
        votes in prop::collection::vec(0..60_u64, 2..4),
        seats in 1..10_u32,
        bound in 7..24_u64,
    ) {
        check(Kind::Lists { method, seats, threshold: None }, &votes, None, bound)?;
    }

    #[test]
    fn seats_with_a_threshold_are_exact(
        method in method(),
        votes in votes(),
        seats in 1..7_u32,
        threshold in share(),
        blank in prop::option::of(0..9_u64),
        bound in 0..6_u64,
    ) {
        check(Kind::Lists { method, seats, threshold: Some(threshold) }, &votes, blank, bound)?;
    }

    #[test]
    fn lists_that_stand_together_are_exact(
        (method, inside) in (method(), prop::option::of(method())),
        votes in prop::collection::vec(prop_oneof![0..5_u64, 0..20_u64], 3..5),
        together in prop::sample::select(vec![vec![vec![0, 1]], vec![vec![0, 2]], vec![vec![1, 2]], vec![vec![0, 1, 2]]]),
        more in any::<bool>(),
        seats in 1..7_u32,
        (threshold, each) in (prop::option::of(share()), prop::sample::select(vec![Each::List, Each::Alliance])),
        blank in prop::option::of(0..9_u64),
        bound in 0..5_u64,
    ) {
        let mut lists = together;
        if more && votes.len() == 4 && lists[0].len() == 2 {
            lists.push((0..4).filter(|list| !lists[0].contains(list)).collect());
        }
        let alliances = Alliances { lists, inside, each };
        check_house(Kind::Lists { method, seats, threshold }, &alliances, &votes, blank, bound)?;
    }

    #[test]
    fn a_house_with_seats_held_is_exact(
        method in prop::sample::select(vec![Method::DHondt, Method::SainteLague, Method::ModifiedSainteLague]),
        votes in prop::collection::vec(prop_oneof![0..5_u64, 0..25_u64], 3),
        nominal in prop::collection::vec(prop::collection::vec(prop_oneof![0..4_u64, 0..30_u64], 3), 1..4),
        by_name_seats in 1..4_u32,
        left in 0..6_u32,
        bound in 0..7_u64,
    ) {
        let by_name = Kind::Plurality { seats: by_name_seats };
        let all = completions(3, bound);
        let seats = left + by_name_seats * u32::try_from(nominal.len()).unwrap();
        prop_assume!(seats > 0);
        let parts: Vec<Nominal> =
            nominal.iter().map(|votes| Nominal::by_id(question(by_name, votes, None, bound))).collect();
        let lists = question(Kind::Lists { method, seats, threshold: None }, &votes, None, bound);
        let statement = settle_mixed(&lists, &parts, MixedRule::Within).unwrap();
        let by_name: Vec<Vec<Outcome>> =
            nominal.iter().map(|votes| all.iter().map(|more| after(by_name, votes, None, more)).collect()).collect();
        if by_name.iter().any(|outcomes| outcomes.iter().any(|outcome| *outcome != outcomes[0])) {
            prop_assert!(!statement.settled() && statement.seats().is_empty());
            return Ok(());
        }
        let mut held = [0; 3];
        for outcome in by_name.iter().map(|outcomes| &outcomes[0]) {
            let Outcome::Names { sure, tied } = outcome else { unreachable!("{outcome:?}") };
            prop_assert!(tied.is_empty() || statement.seats().is_empty(), "who is elected by name is not known");
            for &list in sure {
                held[list] += 1;
            }
        }
        let houses: Vec<_> = all.iter().map(|more| {
            let votes: Vec<u64> = votes.iter().zip(more).map(|(votes, more)| votes + more).collect();
            after_held(method, &votes, &held, u64::from(left))
        }).collect();
        prop_assert_eq!(statement.settled(), houses.iter().all(|house| *house == houses[0]), "{:?}", statement);
        let tied = by_name.iter().any(|outcomes| matches!(&outcomes[0], Outcome::Names { tied, .. } if !tied.is_empty()));
        prop_assert_eq!(statement.seats().len(), if tied { 0 } else { 3 });
        for (list, range) in statement.seats().iter().enumerate() {
            let least = houses.iter().map(|(sure, ..)| sure[list]).min().unwrap();
            let most = houses.iter().map(|(sure, tied, _)| sure[list] + u64::from(tied.contains(&list))).max().unwrap();
            prop_assert_eq!((range.least, range.most), (least, most), "{:?} {:?}", range, statement);
        }
    }

    #[test]
    fn the_fewest_stations_are_as_few_as_can_be(
        kind in prop_oneof![
            Just(Kind::Plurality { seats: 1 }),
            bar().prop_map(Kind::Majority),
            (method(), 1..5_u32).prop_map(|(method, seats)| Kind::Lists { method, seats, threshold: None }),
        ],
        votes in prop::collection::vec(0..12_u64, 2..4),
        caps in prop::collection::vec(0..4_u64, 0..5),
    ) {
        let stations: Vec<Station> = caps.iter().enumerate().map(|(number, cap)| Station {
            id: number.to_string(),
            state: if number % 2 == 0 { State::Missing } else { State::Quarantined },
            allowance: 0,
            most: Some(if number % 3 == 0 { Ceiling::Turnout(*cap) } else { Ceiling::Register(*cap) }),
        }).collect();
        let question = Question { contest: contest(kind, &votes, None), outstanding: Outstanding::Stations(stations), figures: figures() };
        let statement = settle(&question).unwrap();
        prop_assert_eq!(statement.bound(), Some(caps.iter().sum()));
        let now = outcome(kind, &votes, 0);
        // Each station by itself: votes of one cannot come from another.
        let changes = |chosen: u32| {
            let chosen = caps.iter().enumerate().filter(|(number, _)| chosen & (1 << number) != 0).map(|(_, cap)| *cap);
            let sums = chosen.fold(BTreeSet::from([votes.clone()]), |sums, cap| {
                let more = completions(votes.len(), cap);
                let add = |sum: &Vec<u64>| -> Vec<Vec<u64>> {
                    more.iter().map(|more| sum.iter().zip(more).map(|(a, b)| a + b).collect()).collect()
                };
                sums.iter().flat_map(add).collect()
            });
            sums.iter().any(|sum| outcome(kind, sum, 0) != now)
        };
        let fewest = (0..1_u32 << caps.len()).filter(|chosen| changes(*chosen)).map(u32::count_ones).min();
        prop_assert_eq!(statement.fewest().map(|stations| u32::try_from(stations.len()).unwrap()), fewest);
        prop_assert_eq!(statement.settled(), fewest.is_none());
        if let Some(stations) = statement.fewest() {
            let chosen = stations.iter().map(|id| 1 << id.parse::<u32>().unwrap()).sum();
            prop_assert!(changes(chosen), "these stations change nothing: {:?}", stations);
        }
    }

    #[test]
    fn mixed_is_exact(
        (method, seats) in (method(), 1..5_u32),
        votes in prop::collection::vec(0..12_u64, 3),
        nominal in prop::collection::vec(prop::collection::vec(0..6_u64, 3), 1..3),
        by_name_seats in 1..4_u32,
        bound in 0..4_u64,
        rule in prop::sample::select(vec![MixedRule::Parallel, MixedRule::Added]),
    ) {
        let kind = Kind::Lists { method, seats, threshold: None };
        let by_name = Kind::Plurality { seats: by_name_seats };
        let parts: Vec<Nominal> =
            nominal.iter().map(|votes| Nominal::by_id(question(by_name, votes, None, bound))).collect();
        let statement = settle_mixed(&question(kind, &votes, None, bound), &parts, rule).unwrap();
        let all = completions(3, bound);
        let of = |kind, votes: &[u64]| -> Vec<Outcome> { all.iter().map(|more| after(kind, votes, None, more)).collect() };
        let lists = of(kind, &votes);
        let by_name: Vec<Vec<Outcome>> = nominal.iter().map(|votes| of(by_name, votes)).collect();
        let is_settled = by_name.iter().chain([&lists]).all(|outcomes| outcomes.iter().all(|outcome| *outcome == outcomes[0]));
        prop_assert_eq!(statement.settled(), is_settled);
        // The parts are separate votes: each can come to its worst whatever the others come to.
        for (list, (least, most)) in ranges(&lists, 3).into_iter().enumerate() {
            let state = |outcome: &Outcome| match outcome {
                Outcome::Names { sure, tied } => (sure.contains(&list), sure.contains(&list) || tied.contains(&list)),
                other => unreachable!("{other:?}"),
            };
            let (alone, won) = (|outcome: &Outcome| state(outcome).0, |outcome: &Outcome| state(outcome).1);
            let least_by_name = by_name.iter().filter(|outcomes| outcomes.iter().all(alone)).count() as u64;
            let most_by_name = by_name.iter().filter(|outcomes| outcomes.iter().any(won)).count() as u64;
            let together = |by_votes: u64, by_name: u64| match rule {
                MixedRule::Parallel => by_votes + by_name,
                MixedRule::Added => by_votes.max(by_name),
                MixedRule::Within => unreachable!("it has a test of its own"),
            };
            let range = &statement.seats()[list];
            prop_assert_eq!((range.least, range.most), (together(least, least_by_name), together(most, most_by_name)));
        }
    }
}

#[test]
fn a_difference_of_one_more_than_the_bound_is_settled() {
    let statement = |bound| answer(Kind::Plurality { seats: 1 }, &[110, 100], bound);
    assert!(statement(9).settled() && !statement(10).settled(), "a tie is a change");
    assert!(statement(9).to_string().starts_with(
        "Records not included can hold at most 9 votes; the difference is 10; the order cannot change.\n"
    ));
    assert!(statement(10).to_string().contains("the difference is 10; the order can change."));
    assert_eq!(statement(10).describe(&statement(10).changes()[0]), "o1 gets as many votes as o0");
}

#[test]
fn a_statement_shows_every_premise_and_no_verdict_without_them() {
    let mut question = question(Kind::Plurality { seats: 1 }, &[110, 100], None, 9);
    question.outstanding = Outstanding::Stations(vec![
        Station { id: "s".into(), state: State::Missing, most: Some(Ceiling::Turnout(4)), allowance: 0 },
        Station { id: "t".into(), state: State::Quarantined, most: Some(Ceiling::Register(3)), allowance: 2 },
    ]);
    let shown = settle(&question).unwrap().to_string();
    for premise in [
        "no record was checked: a test",
        "no record is corrected or annulled later",
        "The records of 1 station are missing, those of 1 station are in quarantine; no other votes come in.",
        "1 station holds at most the votes that signed turnout counters state: 4.",
        "1 station holds at most one vote for each registered voter: 3, and 2 more that the rules of the election let pass.",
        "it does not show that they are right",
    ] {
        assert!(shown.contains(premise), "`{premise}` is missing:\n{shown}");
    }
    for word in ["trend", "irreversible", "won", "winner", "sure", "probab"] {
        assert!(!shown.replace("gives no probability", "").contains(word), "{word}: {shown}");
    }
}

#[test]
fn a_station_that_nothing_bounds_leaves_everything_open() {
    let mut question = question(Kind::Plurality { seats: 1 }, &[110, 100], None, 9);
    let unbounded = Station { id: "s".into(), state: State::Missing, most: None, allowance: 0 };
    question.outstanding = Outstanding::Stations(vec![unbounded]);
    let statement = settle(&question).unwrap();
    assert_eq!((statement.settled(), statement.bound()), (false, None));
    assert_eq!(statement.fewest(), Some(["s".to_owned()].as_slice()));
    assert!(statement.premises().contains(&Premise::Unbounded { stations: 1 }));
    question.outstanding = Outstanding::Together { stations: Some(1), most: Together::Unknown };
    assert!(!settle(&question).unwrap().settled());
}

#[test]
fn figures_that_contradict_each_other_have_no_answer() {
    let with = |most| {
        let mut question = question(Kind::Plurality { seats: 1 }, &[110, 100], None, 0);
        question.outstanding = Outstanding::Together { stations: None, most };
        settle(&question).map(|statement| statement.bound())
    };
    assert_eq!(with(Together::RegisterLessVotes { all: 209 }), Err(SettledError::Register));
    assert_eq!(with(Together::RegisterLessVotes { all: 210 }), Ok(Some(0)));
    assert_eq!(with(Together::RegisterLess { all: 5, counted: 6 }), Err(SettledError::Register));
    assert_eq!(with(Together::Turnout(u64::MAX)), Err(SettledError::TooManyVotes));
    let lists = |seats| answer_error(Kind::Lists { method: Method::DHondt, seats, threshold: None }, &[1]);
    assert_eq!((lists(0), lists(1_001)), (SettledError::Seats, SettledError::Seats));
    assert_eq!(answer_error(Kind::Plurality { seats: 1 }, &[]), SettledError::Options);
}

fn answer_error(kind: Kind, votes: &[u64]) -> SettledError {
    settle(&question(kind, votes, None, 0)).unwrap_err()
}

#[test]
fn a_large_house_is_answered_seat_by_seat() {
    // 183 seats, 14 lists: how many seats stand against a hundred thousand votes that are out.
    let votes = [
        1_258_605, 1_125_876, 962_313, 165_746, 582_657, 268_679, 232_946, 48_175, 36_265, 6_647, 3_051, 490, 510, 947,
    ];
    for method in Method::ALL {
        let statement = answer(Kind::Lists { method, seats: 183, threshold: None }, &votes, 100_000);
        assert!(!statement.settled());
        for range in statement.seats() {
            assert!(range.least <= range.now && range.now <= range.most, "{method} {range:?}");
            assert!(range.most - range.least <= 8, "{method} {range:?}");
        }
    }
}

#[test]
fn a_list_below_the_threshold_has_no_claim_until_it_gets_there() {
    let share = Share::new(1, 10).unwrap();
    let least = |bound| -> Vec<u64> {
        let kind = Kind::Lists { method: Method::DHondt, seats: 10, threshold: Some(share) };
        answer(kind, &[60, 36, 9], bound).seats().iter().map(|range| range.least).collect()
    };
    // The third list's 9 votes are as many as 36 / 4, the last seat's quotient, but it needs two more to take part.
    assert_eq!((least(1), least(2)), (vec![6, 4, 0], vec![6, 3, 0]));
}

#[test]
fn a_list_without_votes_has_no_claim_to_seats_that_hardly_anybody_voted_for() {
    let statement = answer(Kind::Lists { method: Method::Droop, seats: 5, threshold: None }, &[1, 0], 0);
    assert_eq!((statement.settled(), statement.seats()[0].least, statement.seats()[1].most), (true, 5, 0));
}

#[test]
fn a_thousand_seats_of_many_lists_are_answered_seat_by_seat() {
    // Votes in a scrambled order; the bound is near what one seat takes, where whole votes matter.
    let votes: Vec<u64> = (1..=120_u64).map(|list| list * 7_919 % 1_009 + 3).collect();
    for method in Method::ALL {
        for bound in [200, 2_000] {
            let statement = answer(Kind::Lists { method, seats: 1_000, threshold: None }, &votes, bound);
            let sum = |seats: fn(&SeatRange) -> u64| statement.seats().iter().map(seats).sum::<u64>();
            let (least, now, most) = (sum(|range| range.least), sum(|range| range.now), sum(|range| range.most));
            assert!(least <= now && now <= 1_000 && 1_000 <= most, "{method}: {least} {now} {most}");
            assert!(statement.seats().iter().all(|range| range.least <= range.now && range.now <= range.most));
        }
    }
}

#[test]
fn a_large_house_with_seats_held_is_answered_in_time() {
    let votes: Vec<u64> = (0..60).map(|list| 3_000_000 / (list + 1) + list * 17).collect();
    let by_name: Vec<u64> = (0..60).map(|list| 9_000 - list * 100).collect();
    let kind = Kind::Lists { method: Method::DHondt, seats: 598, threshold: None };
    let nominal = |part: u64| {
        let votes: Vec<u64> =
            by_name.iter().enumerate().map(|(list, votes)| votes * (1 + (list as u64 + part) % 7)).collect();
        Nominal::by_id(question(Kind::Plurality { seats: 1 }, &votes, None, 10))
    };
    let nominal: Vec<Nominal> = (0..299).map(nominal).collect();
    let statement = settle_mixed(&question(kind, &votes, None, 100_000), &nominal, MixedRule::Within).unwrap();
    assert!(!statement.settled());
    let (least, most): (Vec<u64>, Vec<u64>) = statement.seats().iter().map(|range| (range.least, range.most)).unzip();
    assert!(least.iter().sum::<u64>() <= 598 && most.iter().sum::<u64>() >= 598, "{least:?} {most:?}");
    for range in statement.seats() {
        assert!(range.least <= range.now && range.now <= range.most, "{range:?}");
    }
}
