//! Outcomes as textbooks define them, in the plainest way: what the product's answers are held against.

use std::collections::BTreeSet;

use tallyproof_count::{
    seats::{Each, Method},
    settled::{Ahead, Alliances, Bar, Kind},
    share::Share,
};

/// What a contest comes to. A tie is an outcome of its own.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Outcome {
    First(BTreeSet<usize>),
    Names { sure: BTreeSet<usize>, tied: BTreeSet<usize> },
    Past(BTreeSet<usize>),
    Elected(usize),
    RunOff { sure: BTreeSet<usize>, tied: BTreeSet<usize> },
    Lists { admitted: Vec<bool>, seats: Vec<u64>, tied: BTreeSet<usize>, open: u64 },
}

/// A house: seats that lists stand together for, or have already.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct House {
    pub(crate) admitted: Vec<bool>,
    /// Of lists and alliances: sure seats, who ties, and seats that are open.
    pub(crate) claimants: (Vec<u64>, BTreeSet<usize>, u64),
    /// The same inside each alliance that has lists.
    inside: Vec<(Vec<u64>, BTreeSet<usize>, u64)>,
}

/// By claimants in the order of lists, then alliances; a list of an alliance claims nothing itself.
pub(crate) fn house(kind: Kind, alliances: &Alliances, votes: &[u64], blank: u64) -> House {
    let Kind::Lists { method, seats, threshold } = kind else { unreachable!("{kind:?}") };
    let base = votes.iter().sum::<u64>() + blank;
    let least = Bar::AtLeast(threshold.unwrap_or(Share::new(0, 1).unwrap()));
    let of = |list: usize| alliances.lists.iter().find(|lists| lists.contains(&list));
    let sum = |lists: &[usize]| lists.iter().map(|&list| votes[list]).sum::<u64>();
    let measured = |list: usize| match of(list) {
        Some(lists) if alliances.each == Each::Alliance => sum(lists),
        _ => votes[list],
    };
    let admitted: Vec<bool> = (0..votes.len()).map(|list| is_past(least, i128::from(measured(list)), base)).collect();
    let taking = |list: usize| if admitted[list] { votes[list] } else { 0 };
    let alone = (0..votes.len()).map(|list| if of(list).is_some() { 0 } else { taking(list) });
    let as_one = alliances.lists.iter().map(|lists| lists.iter().map(|&list| taking(list)).sum());
    let claimants = seats_of(method, &alone.chain(as_one).collect::<Vec<u64>>(), u64::from(seats));
    let inside = alliances.lists.iter().zip(&claimants.0[votes.len()..]).map(|(lists, seats)| {
        let votes: Vec<u64> = lists.iter().map(|&list| taking(list)).collect();
        if *seats == 0 { Default::default() } else { seats_of(alliances.inside.unwrap_or(method), &votes, *seats) }
    });
    let inside = inside.collect();
    House { admitted, claimants, inside }
}

/// `seats` one by one to the best claim after the seats that each list has: all its seats, who ties, and seats that are open.
pub(crate) fn after_held(method: Method, votes: &[u64], held: &[u64], seats: u64) -> (Vec<u64>, BTreeSet<usize>, u64) {
    let divisor = |seat: u64| i128::from(method.divisor(seat).unwrap());
    let claims = (0..votes.len())
        .filter(|&list| votes[list] > 0)
        .flat_map(|list| (1..=seats).map(move |seat| (list, i128::from(votes[list]), divisor(held[list] + seat))));
    let (won, tied, open) = best(seats, &claims.collect::<Vec<_>>(), votes.len());
    (won.iter().zip(held).map(|(won, held)| won + held).collect(), tied, open)
}

pub(crate) fn outcome(kind: Kind, votes: &[u64], blank: u64) -> Outcome {
    let base = votes.iter().sum::<u64>() + blank;
    match kind {
        Kind::Unstated => Outcome::First(first(votes)),
        Kind::Plurality { seats } => {
            let with_votes = (0..votes.len()).filter(|&option| votes[option] > 0);
            let claims: Vec<_> = with_votes.map(|option| (option, i128::from(votes[option]), 1)).collect();
            let (sure, tied, _) = best(u64::from(seats), &claims, votes.len());
            Outcome::Names { sure: (0..votes.len()).filter(|&option| sure[option] > 0).collect(), tied }
        }
        Kind::Majority(bar) => {
            Outcome::Past((0..votes.len()).filter(|&option| is_past(bar, i128::from(votes[option]), base)).collect())
        }
        Kind::RunOff { bar, ahead } => run_off(votes, base, bar, ahead),
        Kind::Lists { method, seats, threshold } => {
            let least = Bar::AtLeast(threshold.unwrap_or(Share::new(0, 1).unwrap()));
            let admitted: Vec<bool> = votes.iter().map(|votes| is_past(least, i128::from(*votes), base)).collect();
            let taking: Vec<u64> =
                votes.iter().zip(&admitted).map(|(votes, yes)| if *yes { *votes } else { 0 }).collect();
            let (seats, tied, open) = seats_of(method, &taking, u64::from(seats));
            Outcome::Lists { admitted, seats, tied, open }
        }
    }
}

fn first(votes: &[u64]) -> BTreeSet<usize> {
    let most = votes.iter().max().unwrap();
    (0..votes.len()).filter(|&option| votes[option] == *most).collect()
}

fn is_past(bar: Bar, votes: i128, base: u64) -> bool {
    let (p, q) = (i128::from(bar.share().numerator()), i128::from(bar.share().denominator()));
    match bar {
        Bar::MoreThan(_) => votes * q > p * i128::from(base),
        Bar::AtLeast(_) => votes * q >= p * i128::from(base),
    }
}

fn run_off(votes: &[u64], base: u64, bar: Bar, ahead: Option<Ahead>) -> Outcome {
    if let [leader] = first(votes).into_iter().collect::<Vec<_>>()[..] {
        let own = i128::from(votes[leader]);
        let clear = |ahead: Ahead| {
            let others = (0..votes.len()).filter(|&other| other != leader);
            is_past(ahead.reach, own, base)
                && others.into_iter().all(|other| is_past(ahead.by, own - i128::from(votes[other]), base))
        };
        if is_past(bar, own, base) || ahead.is_some_and(clear) {
            return Outcome::Elected(leader);
        }
    }
    let (seats, tied, _) = best(
        2,
        &(0..votes.len()).map(|option| (option, i128::from(votes[option]), 1)).collect::<Vec<_>>(),
        votes.len(),
    );
    Outcome::RunOff { sure: (0..votes.len()).filter(|&option| seats[option] > 0).collect(), tied }
}

/// Seats that are sure, who ties for the open ones, and how many these are.
pub(crate) fn seats_of(method: Method, votes: &[u64], seats: u64) -> (Vec<u64>, BTreeSet<usize>, u64) {
    let with_votes: Vec<usize> = (0..votes.len()).filter(|&list| votes[list] > 0).collect();
    if with_votes.is_empty() {
        return (vec![0; votes.len()], BTreeSet::new(), 0);
    }
    let total: i128 = votes.iter().map(|votes| i128::from(*votes)).sum();
    let count = i128::from(seats);
    let divisors: Vec<i128> = match method {
        Method::DHondt => (1..=count).collect(),
        Method::SainteLague => (1..=count).map(|seat| 2 * seat - 1).collect(),
        Method::ModifiedSainteLague => (1..=count).map(|seat| if seat == 1 { 14 } else { 20 * seat - 10 }).collect(),
        Method::Hare => return remainders(votes, &with_votes, seats, (count, total)),
        Method::Droop => return remainders(votes, &with_votes, seats, (1, total / (count + 1) + 1)),
    };
    let quotients = with_votes
        .iter()
        .flat_map(|&list| divisors.iter().map(move |divisor| (list, i128::from(votes[list]), *divisor)));
    best(seats, &quotients.collect::<Vec<_>>(), votes.len())
}

/// Whole quotas of `of / times` votes first, then the largest remainders, again and again where seats are left.
fn remainders(
    votes: &[u64],
    lists: &[usize],
    seats: u64,
    (times, of): (i128, i128),
) -> (Vec<u64>, BTreeSet<usize>, u64) {
    let mut sure = vec![0; votes.len()];
    for &list in lists {
        sure[list] = u64::try_from(i128::from(votes[list]) * times / of).unwrap();
    }
    let mut left = seats - sure.iter().sum::<u64>();
    while left >= lists.len() as u64 {
        give(&mut sure, lists.iter().copied());
        left -= lists.len() as u64;
    }
    let rest: Vec<_> = lists.iter().map(|&list| (list, i128::from(votes[list]) * times % of, 1)).collect();
    let (more, tied, open) = best(left, &rest, votes.len());
    (sure.iter().zip(more).map(|(sure, more)| sure + more).collect(), tied, open)
}

/// The largest `seats` of the quotients (list, numerator, denominator), by sorting them all.
fn best(seats: u64, quotients: &[(usize, i128, i128)], lists: usize) -> (Vec<u64>, BTreeSet<usize>, u64) {
    let mut sorted = quotients.to_vec();
    sorted.sort_by(|a, b| (b.1 * a.2).cmp(&(a.1 * b.2)));
    let (mut sure, mut tied) = (vec![0; lists], BTreeSet::new());
    let seats = usize::try_from(seats).unwrap();
    let Some(&(_, n, d)) = seats.checked_sub(1).and_then(|last| sorted.get(last)) else {
        give(&mut sure, sorted.iter().take(seats).map(|quotient| quotient.0));
        return (sure, tied, 0);
    };
    let equal: Vec<usize> = sorted.iter().filter(|q| q.1 * d == n * q.2).map(|q| q.0).collect();
    let larger: Vec<usize> = sorted.iter().filter(|q| q.1 * d > n * q.2).map(|q| q.0).collect();
    give(&mut sure, larger.iter().copied());
    if larger.len() + equal.len() <= seats {
        give(&mut sure, equal.iter().copied());
        return (sure, tied, 0);
    }
    tied.extend(equal);
    (sure, tied, (seats - larger.len()) as u64)
}

fn give(seats: &mut [u64], to: impl Iterator<Item = usize>) {
    for list in to {
        seats[list] += 1;
    }
}
