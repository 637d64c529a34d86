//! Seat by seat: how many seats a list has whatever the outstanding stations hold, and how many it can have at most.
//!
//! A list keeps its s-th seat unless rivals can have so many claims, each at least as good, that none is left for it. What
//! that takes is a sum of prices, one for each rival's number of claims; the least sum decides.
//!
//! Exact without a threshold. With one, what is said to be settled is; of a list that could lose its seat only to lists
//! that cross the threshold together it may be said that it can lose it where it cannot. The same is said where prices in
//! fractions of a vote are within the bound, whole ones might not be, and to find out takes more than [`MOST_STEPS`].

use std::{cmp::Reverse, collections::BinaryHeap};

use super::{SeatRange, bars::Asserted as _, lists::Field};
use crate::seats::{
    Method,
    claims::{Measure, droop_quota},
};

/// So many sums of prices are tried for one seat. A national house of 183 seats takes a few thousand.
const MOST_STEPS: usize = 20_000_000;

/// So many in one contest where lists have seats before any claim: there no cheaper answer comes first.
const MOST_STEPS_IN_ALL: usize = 10 * MOST_STEPS;

/// Every list's seats with at most `bound` further votes.
pub(super) fn ranges(field: &Field<'_>, bound: u64) -> Vec<SeatRange> {
    let by_remainder = field.method.divisor(1).is_none();
    // The quota counts the admitted lists' votes: while that is open, so is every seat.
    let open =
        by_remainder && field.lists().any(|list| field.admission(list).is_some_and(|change| change.votes <= bound));
    let range = |list: usize| {
        let (least, most) = if open { (0, field.seats) } else { (least(field, list, bound), most(field, list, bound)) };
        SeatRange { list, now: field.now[list], least, most }
    };
    field.lists().map(range).collect()
}

fn least(field: &Field<'_>, list: usize, bound: u64) -> u64 {
    let drops_out = field.admission(list).is_some_and(|change| change.votes <= bound);
    let held = field.held[list];
    if drops_out || field.now[list] == held {
        return held;
    }
    // Whoever keeps a seat keeps those before it.
    let (mut kept, mut lost) = (held, field.now[list] + 1);
    while kept + 1 < lost {
        let seat = kept.midpoint(lost);
        if can_lose(field, list, seat, bound) { lost = seat } else { kept = seat }
    }
    kept
}

/// Votes of a list that others' claims are measured against, and of how many lists' total.
struct Prices<'f> {
    field: &'f Field<'f>,
    list: usize,
    seat: u64,
    /// Votes of the admitted lists once all are in.
    total: u64,
    rivals: Vec<Rival>,
}

struct Rival {
    votes: i128,
    /// Seats that it has before any claim.
    held: u64,
    /// Votes without which it has no claim at all.
    entry: i128,
}

fn can_lose(field: &Field<'_>, list: usize, seat: u64, bound: u64) -> bool {
    let at = |further: u64| Prices::new(field, list, seat, further);
    match field.method {
        Method::Hare => {
            let all = at(bound);
            // In fractions of a vote, more votes never hurt the rivals; so if these are not enough, fewer are not.
            let Some((fractions, _)) = all.least_fractions() else { return false };
            if fractions > i128::from(bound) * all.scale() {
                return false;
            }
            // In whole votes fewer can do, but what does can do with `seats` more.
            let window = bound.saturating_sub(field.seats - 1)..=bound;
            let steps = all.steps().saturating_mul(window.clone().count());
            all.within(bound) || steps > MOST_STEPS || window.rev().skip(1).any(|further| at(further).within(further))
        }
        Method::Droop => before_jump(field, bound).chain([bound]).any(|further| at(further).within(further)),
        _ => at(bound).within(bound),
    }
}

/// The most further votes, at most `bound`, before the quota jumps.
fn before_jump(field: &Field<'_>, bound: u64) -> impl Iterator<Item = u64> + use<> {
    let period = field.seats + 1;
    bound.checked_sub((field.total + bound + 1) % period).into_iter()
}

impl<'f> Prices<'f> {
    fn new(field: &'f Field<'f>, list: usize, seat: u64, further: u64) -> Self {
        let entry = |rival: usize| match field.admission(rival) {
            _ if field.admitted[rival] => Some(0),
            Some(change) if field.method.divisor(1).is_some() => Some(change.votes),
            _ => None,
        };
        let rival = |rival: usize| {
            let votes = field.tally.votes()[rival];
            Some(Rival {
                votes: i128::from(votes),
                held: field.held[rival],
                entry: i128::from(entry(rival)?.max(u64::from(votes == 0))),
            })
        };
        let rivals = field.lists().filter(|&rival| rival != list).filter_map(rival).collect();
        Self { field, list, seat, total: field.total + further, rivals }
    }

    /// Claims of rivals that leave none for the seat.
    fn needed(&self) -> usize {
        let of_claims = self.seat - self.field.held[self.list];
        usize::try_from(self.field.seats - of_claims + 1).unwrap_or(usize::MAX)
    }

    /// What prices are divided by to be votes.
    fn scale(&self) -> i128 {
        let scale = match self.field.method {
            Method::Hare => self.field.seats,
            Method::Droop => 1,
            method => method.divisor(self.seat).unwrap_or(1),
        };
        i128::from(scale)
    }

    /// The price of `claims` claims of a rival, times [`Prices::scale`], in fractions of a vote.
    fn fractions(&self, rival: &Rival, claims: usize) -> i128 {
        if claims == 0 {
            return 0;
        }
        let votes = i128::from(self.field.tally.votes()[self.list]);
        let claim = rival.held + claims as u64;
        let price = match (self.field.method, self.field.method.divisor(claim)) {
            (_, Some(divisor)) => votes * i128::from(divisor) - rival.votes * self.scale(),
            (method, None) => {
                let quota = if method == Method::Hare { self.total } else { droop_quota(self.total, self.field.seats) };
                (votes - rival.votes) * self.scale() + (i128::from(claim) - i128::from(self.seat)) * i128::from(quota)
            }
        };
        price.max(0)
    }

    /// The price in votes.
    fn votes(&self, rival: &Rival, claims: usize) -> i128 {
        if claims == 0 {
            return 0;
        }
        let scale = self.scale();
        ((self.fractions(rival, claims) + scale - 1) / scale).max(rival.entry)
    }

    /// The least price in fractions of a vote, without what it takes to enter, and the claims of each rival that it buys.
    /// A rival's claims cost more and more, so the cheapest claim is always the one to take. Only where the list has whole
    /// quotas up to this seat is the first claim dear and the next ones cheap, and then no sum of votes is enough anyway.
    fn least_fractions(&self) -> Option<(i128, Vec<usize>)> {
        let step = |rival: usize, claims: usize| {
            let price = |claims| self.fractions(&self.rivals[rival], claims);
            (Reverse(price(claims) - price(claims - 1)), rival, claims)
        };
        let mut heap: BinaryHeap<_> = (0..self.rivals.len()).map(|rival| step(rival, 1)).collect();
        let (mut sum, mut bought) = (0, vec![0; self.rivals.len()]);
        for _ in 0..self.needed() {
            let (Reverse(price), rival, claims) = heap.pop()?;
            sum += price;
            bought[rival] = claims;
            heap.push(step(rival, claims + 1));
        }
        Some((sum, bought))
    }

    /// Whether `limit` votes buy the claims.
    fn within(&self, limit: u64) -> bool {
        let limit = i128::from(limit);
        if self.field.held.iter().any(|&held| held > 0) {
            // After seats held, the first claim is dear and the next ones cheap: the cheapest is not always the one to take.
            let steps = self.field.steps.get().saturating_add(self.steps());
            self.field.steps.set(steps);
            return steps > MOST_STEPS_IN_ALL || self.least_whole(limit) <= limit;
        }
        let Some((fractions, bought)) = self.least_fractions() else { return false };
        if fractions > limit * self.scale() {
            return false;
        }
        let whole: i128 = self.rivals.iter().zip(&bought).map(|(rival, claims)| self.votes(rival, *claims)).sum();
        whole <= limit || self.steps() > MOST_STEPS || self.least_whole(limit) <= limit
    }

    /// Claims of each rival that are as good as the seat's without a vote more, and claims that are still needed.
    fn free(&self) -> (Vec<usize>, usize) {
        let needed = self.needed();
        let free = |rival| (0..needed).take_while(|claims| self.votes(rival, claims + 1) == 0).count();
        let free: Vec<usize> = self.rivals.iter().map(free).collect();
        let missing = needed.saturating_sub(free.iter().sum());
        (free, missing)
    }

    /// How many sums [`Prices::least_whole`] tries at most.
    fn steps(&self) -> usize {
        let (_, missing) = self.free();
        self.rivals.len().saturating_mul(missing).saturating_mul(missing)
    }

    /// The least price in whole votes, where it is at most `limit`: every number of claims of every rival is tried.
    fn least_whole(&self, limit: i128) -> i128 {
        let (free, missing) = self.free();
        let mut least = vec![i128::MAX; missing + 1];
        least[0] = 0;
        for (rival, free) in self.rivals.iter().zip(free) {
            let prices = (1..=missing).map(|claims| self.votes(rival, free + claims));
            let prices: Vec<i128> = prices.take_while(|price| *price <= limit).collect();
            for bought in (1..=missing).rev() {
                let with = |(before, price): (&i128, &i128)| before.checked_add(*price);
                let best = least[..bought].iter().rev().zip(&prices).filter_map(with).min();
                least[bought] = least[bought].min(best.unwrap_or(i128::MAX));
            }
        }
        least[missing]
    }
}

/// The seats with all further votes for the list: more it cannot have.
fn most(field: &Field<'_>, list: usize, bound: u64) -> u64 {
    let further = before_jump(field, bound).filter(|_| field.method == Method::Droop).chain([bound]);
    further.map(|further| most_with(field, list, further)).max().unwrap_or_default()
}

fn most_with(field: &Field<'_>, list: usize, further: u64) -> u64 {
    let mut tally = field.tally.clone();
    tally.votes[list] += further;
    let takes_part = |other: usize| {
        tally.votes()[other] > 0 && field.bar.is_none_or(|bar| bar.reached(&tally, other, None).holds(tally.votes()))
    };
    let taking_part: Vec<usize> = field.lists().filter(|&other| takes_part(other)).collect();
    let held = &field.held;
    if !taking_part.contains(&list) {
        return held[list];
    }
    let total = taking_part.iter().map(|&other| tally.votes()[other]).sum();
    let measure = Measure::new(field.method, field.seats, total);
    let can_have = |seat: u64| {
        let claim = measure.claim(tally.votes()[list], seat);
        let better = |other: &usize| {
            let is_better = |number: u64| measure.claim(tally.votes()[*other], number) > claim;
            let (mut better, mut not) = (held[*other], held[*other] + field.seats + 1);
            while better + 1 < not {
                let number = u64::midpoint(better, not);
                if is_better(number) { better = number } else { not = number }
            }
            better - held[*other]
        };
        let better: u64 = taking_part.iter().filter(|other| **other != list).map(better).sum();
        better + seat - held[list] <= field.seats
    };
    let (mut can, mut cannot) = (held[list], held[list] + field.seats + 1);
    while can + 1 < cannot {
        let seat = u64::midpoint(can, cannot);
        if can_have(seat) { can = seat } else { cannot = seat }
    }
    can
}
