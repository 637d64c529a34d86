//! Who has the better claim to the next seat: one rule for divisors and for largest remainders.
//!
//! A list's k-th claim is its votes over the k-th divisor, or what is left of its quotas after k − 1 of them. Claims of
//! one list fall strictly; the seats go to the best claims of all. For largest remainders these are the whole quotas
//! first and then the remainders, in their order.

use std::cmp::{Ordering, Reverse};
use std::collections::BinaryHeap;

use super::Method;

/// A claim to a seat, exact and not reduced: quotients compare by cross-multiplication.
#[derive(Clone, Copy, Debug)]
pub struct Quotient {
    /// Below zero only where there are more seats than votes.
    pub numerator: i64,
    /// At least 1.
    pub denominator: u64,
}

impl Ord for Quotient {
    fn cmp(&self, other: &Self) -> Ordering {
        let cross = |one: &Self, other: &Self| i128::from(one.numerator) * i128::from(other.denominator);
        cross(self, other).cmp(&cross(other, self))
    }
}

impl PartialOrd for Quotient {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for Quotient {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other) == Ordering::Equal
    }
}

impl Eq for Quotient {}

/// How claims are measured in one allotment.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Measure {
    method: Method,
    seats: u64,
    /// Votes of all contenders.
    total: u64,
}

impl Measure {
    pub(crate) fn new(method: Method, seats: u64, total: u64) -> Self {
        Self { method, seats, total }
    }

    /// The votes that one seat stands for, where the method knows such a number.
    pub(crate) fn quota(&self) -> Option<Quotient> {
        match self.method {
            Method::Hare => Some(quotient(self.total, self.seats)),
            Method::Droop => Some(quotient(droop_quota(self.total, self.seats), 1)),
            _ => None,
        }
    }

    /// The claim of a list with `votes` to its seat number `seat`, from 1.
    pub(crate) fn claim(&self, votes: u64, seat: u64) -> Quotient {
        let left = |of: u64, quota: u64| {
            let taken = i128::from(seat - 1) * i128::from(quota);
            let numerator = i64::try_from(i128::from(of) - taken).unwrap_or(i64::MIN);
            Quotient { numerator, denominator: quota }
        };
        match self.method {
            Method::DHondt => quotient(votes, seat),
            Method::ModifiedSainteLague if seat == 1 => quotient(votes * 5, 7),
            Method::SainteLague | Method::ModifiedSainteLague => quotient(votes, 2 * seat - 1),
            Method::Hare => left(votes * self.seats, self.total),
            Method::Droop => left(votes, droop_quota(self.total, self.seats)),
        }
    }
}

/// Votes and seats are bounded so that a numerator fits ([`super::MAX_VOTES`], [`super::MAX_SEATS`]).
fn quotient(numerator: u64, denominator: u64) -> Quotient {
    Quotient { numerator: i64::try_from(numerator).unwrap_or(i64::MAX), denominator }
}

/// The smallest number of votes that only as many lists as there are seats can have.
pub(crate) fn droop_quota(total: u64, seats: u64) -> u64 {
    total / (seats + 1) + 1
}

/// Somebody with votes to whom seats are allotted: a list or an alliance.
#[derive(Clone, Debug)]
pub(crate) struct Contender {
    pub(crate) votes: u64,
    /// Seats held already.
    pub(crate) held: u64,
    /// What the declared tie rules look at, in their order: the smaller goes first.
    pub(crate) rank: Vec<u64>,
}

/// Who gets which seat in one allotment.
#[derive(Debug, Default)]
pub(crate) struct Round {
    /// Contender and claim of every seat that is decided, in order.
    pub(crate) order: Vec<(usize, Quotient)>,
    pub(crate) ties: Vec<RoundTie>,
    /// Seats that an unbroken tie leaves open, and the contenders that they are between.
    pub(crate) open: Option<(u64, Vec<usize>)>,
    /// Seats that nobody has votes for.
    pub(crate) unfilled: u64,
}

/// Equal claims.
#[derive(Debug)]
pub(crate) struct RoundTie {
    pub(crate) claim: Quotient,
    pub(crate) among: Vec<usize>,
    /// Seats left when the tie came up.
    pub(crate) seats: u64,
    pub(crate) broken: Broken,
}

/// What became of a tie.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Broken {
    /// There was a seat for each.
    NotNeeded,
    /// Number of the tie rule that decided.
    ByRule(usize),
    /// No rule decides.
    Not,
}

/// Allots `seats` to the contenders with votes.
pub(crate) fn allot(measure: Measure, contenders: &[Contender], seats: u64) -> Round {
    let claim = |who: usize, seat: u64| (measure.claim(contenders[who].votes, seat), Reverse(who), seat);
    let with_votes = (0..contenders.len()).filter(|&who| contenders[who].votes > 0);
    let mut heap: BinaryHeap<_> = with_votes.map(|who| claim(who, contenders[who].held + 1)).collect();
    let (mut round, mut left) = (Round::default(), seats);
    while left > 0 {
        let Some(&(best, ..)) = heap.peek() else { break };
        let mut equal = Vec::new();
        while let Some(&(quotient, Reverse(who), seat)) = heap.peek().filter(|(quotient, ..)| *quotient == best) {
            heap.pop();
            equal.push((who, quotient));
            heap.push(claim(who, seat + 1));
        }
        left = hand_out(equal, contenders, left, &mut round);
    }
    round.unfilled = left;
    round
}

/// Gives the seats to equal claims; what is left after it.
fn hand_out(mut equal: Vec<(usize, Quotient)>, contenders: &[Contender], left: u64, round: &mut Round) -> u64 {
    let rank = |who: usize| &contenders[who].rank;
    equal.sort_by(|a, b| rank(a.0).cmp(rank(b.0)).then(a.0.cmp(&b.0)));
    let enough = usize::try_from(left).unwrap_or(usize::MAX);
    let mut broken = Broken::NotNeeded;
    let mut winners = equal.len().min(enough);
    if let Some(&(loser, _)) = equal.get(enough) {
        let winner = equal[enough - 1].0;
        let differs = rank(winner).iter().zip(rank(loser)).position(|(a, b)| a != b);
        broken = differs.map_or(Broken::Not, Broken::ByRule);
        if broken == Broken::Not {
            winners = equal.iter().position(|(who, _)| rank(*who) == rank(loser)).unwrap_or(winners);
            let open = equal.iter().map(|(who, _)| *who).filter(|who| rank(*who) == rank(loser)).collect();
            round.open = Some(((enough - winners) as u64, open));
        }
    }
    if let [(_, claim), _, ..] = equal[..] {
        let among = equal.iter().map(|(who, _)| *who).collect();
        round.ties.push(RoundTie { claim, among, seats: left, broken });
    }
    round.order.extend(equal.into_iter().take(winners));
    if broken == Broken::NotNeeded { left - winners as u64 } else { 0 }
}
