//! The ways in which an outcome can change, and how many votes each takes.
//!
//! In each way some assertions have to fail together, and one option can receive all the votes that make them fail. So a
//! way takes as many votes as the one of its assertions that resists longest, and fewer never do.

use super::{Ahead, Bar, Kind, Tally, bars::Asserted as _};
use crate::assertion::Assertion;

/// One way in which the outcome can change.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Change {
    /// What would happen.
    pub what: What,
    /// The fewest further votes with which it can.
    pub votes: u64,
}

/// What would happen; options by their number.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum What {
    /// `by` gets as many votes as `first`, or more.
    Overtaken {
        /// Ahead now.
        first: usize,
        /// Behind now.
        by: usize,
    },
    /// Equal now: a vote more for one of them breaks the tie.
    Untied {
        /// Who is equal.
        among: Vec<usize>,
    },
    /// The option gets past the bar.
    Reaches {
        /// Below it now.
        option: usize,
        /// The bar.
        bar: Bar,
    },
    /// The option does not get past the bar.
    Misses {
        /// Past it now.
        option: usize,
        /// The bar.
        bar: Bar,
    },
    /// No run-off is needed.
    NoRunOff {
        /// Who would be past the bar.
        option: usize,
    },
    /// A run-off is needed.
    RunOff {
        /// Who is past the bar now.
        option: usize,
        /// Who would come too near, where that matters.
        rival: Option<usize>,
    },
    /// A seat goes from one list to another, or they tie for it.
    Seat {
        /// Has it now.
        from: usize,
        /// Has the next claim.
        to: usize,
    },
    /// Seats that nobody has votes for are filled.
    Filled {
        /// By this list.
        list: usize,
    },
}

/// The way in which all of `assertions` fail; `None` if one of them cannot.
fn way(what: What, tally: &Tally, assertions: impl IntoIterator<Item = Assertion>) -> Option<Change> {
    let mut votes = 0;
    for assertion in assertions {
        votes = votes.max(assertion.lead(tally.votes())?);
    }
    Some(Change { what, votes })
}

/// Every way in which the outcome can change.
pub(super) fn ways(tally: &Tally, kind: Kind) -> Vec<Change> {
    match kind {
        Kind::Unstated => most_votes(tally),
        Kind::Plurality { seats } => plurality(tally, seats),
        Kind::Majority(bar) => (0..tally.options).filter_map(|option| bar_way(tally, option, bar)).collect(),
        Kind::RunOff { bar, ahead } => run_off(tally, bar, ahead),
        // The seats of lists have an answer of their own (`house`).
        Kind::Lists { .. } => Vec::new(),
    }
}

/// The option crosses the bar, from whichever side it is on.
pub(super) fn bar_way(tally: &Tally, option: usize, bar: Bar) -> Option<Change> {
    let reached = bar.reached(tally, option, None);
    if reached.holds(tally.votes()) {
        way(What::Misses { option, bar }, tally, [reached])
    } else {
        way(What::Reaches { option, bar }, tally, [bar.missed(tally, option, None)])
    }
}

fn overtaken(tally: &Tally, first: usize, by: usize) -> Option<Change> {
    way(What::Overtaken { first, by }, tally, [Assertion::new(tally.weights(0, &[(first, 1), (by, -1)]))])
}

/// A vote more breaks any tie.
pub(super) fn untied(among: Vec<usize>) -> Change {
    Change { what: What::Untied { among }, votes: 1 }
}

fn others(tally: &Tally, option: usize) -> impl Iterator<Item = usize> {
    (0..tally.options).filter(move |&other| other != option)
}

/// Asked is who is first, whatever that means.
fn most_votes(tally: &Tally) -> Vec<Change> {
    match tally.first()[..] {
        [first] => others(tally, first).filter_map(|by| overtaken(tally, first, by)).collect(),
        ref tied => vec![untied(tied.to_vec())],
    }
}

/// Each of the first `seats` against each other; without a vote nobody is elected.
fn plurality(tally: &Tally, seats: u32) -> Vec<Change> {
    let (ranked, votes) = (tally.ranked(), tally.of_options());
    let (elected, others) = ranked.split_at(ranked.len().min(seats as usize));
    let Some(&last) = elected.last() else { return Vec::new() };
    if votes[last] == 0 {
        let without = ranked.iter().filter(|&&option| votes[option] == 0);
        return without.map(|&list| Change { what: What::Filled { list }, votes: 1 }).collect();
    }
    if others.first().is_some_and(|&next| votes[next] == votes[last]) {
        return vec![untied(ranked.into_iter().filter(|&option| votes[option] == votes[last]).collect())];
    }
    // The assertion votes(first) - votes(by) > 0 takes its margin: written out, as there can be many pairs.
    let pairs = others.iter().flat_map(|&by| elected.iter().map(move |&first| (first, by)));
    let change = |(first, by): (usize, usize)| Change {
        what: What::Overtaken { first, by },
        votes: votes[first].saturating_sub(votes[by]),
    };
    pairs.map(change).collect()
}

fn run_off(tally: &Tally, bar: Bar, ahead: Option<Ahead>) -> Vec<Change> {
    match tally.first()[..] {
        [first] if is_outright(tally, first, bar, ahead) => outright(tally, first, bar, ahead),
        _ => pair(tally, bar, ahead),
    }
}

/// Whether the first needs no run-off.
fn is_outright(tally: &Tally, first: usize, bar: Bar, ahead: Option<Ahead>) -> bool {
    let reached = |bar: Bar, over| bar.reached(tally, first, over).holds(tally.votes());
    reached(bar, None)
        || ahead.is_some_and(|ahead| {
            reached(ahead.reach, None) && others(tally, first).all(|other| reached(ahead.by, Some(other)))
        })
}

/// Ways out of an outcome without run-off.
fn outright(tally: &Tally, first: usize, bar: Bar, ahead: Option<Ahead>) -> Vec<Change> {
    let mut ways: Vec<_> = others(tally, first).map(|by| overtaken(tally, first, by)).collect();
    let run_off = |rival, second: Option<Assertion>| {
        let all = [bar.reached(tally, first, None)].into_iter().chain(second);
        way(What::RunOff { option: first, rival }, tally, all)
    };
    match ahead {
        None => ways.push(run_off(None, None)),
        Some(ahead) => {
            ways.push(run_off(None, Some(ahead.reach.reached(tally, first, None))));
            ways.extend(
                others(tally, first)
                    .map(|rival| run_off(Some(rival), Some(ahead.by.reached(tally, first, Some(rival))))),
            );
        }
    }
    ways.into_iter().flatten().collect()
}

/// Ways out of a run-off between the first two.
fn pair(tally: &Tally, bar: Bar, ahead: Option<Ahead>) -> Vec<Change> {
    let votes = tally.of_options();
    let ranked = tally.ranked();
    if let [_, second, third, ..] = ranked[..]
        && votes[second] == votes[third]
    {
        return vec![untied(ranked.into_iter().filter(|&option| votes[option] == votes[second]).collect())];
    }
    let (pair, rest) = ranked.split_at(ranked.len().min(2));
    let replaced = pair.iter().flat_map(|&first| rest.iter().map(move |&by| overtaken(tally, first, by)));
    let elected = (0..votes.len()).flat_map(|option| elected(tally, option, bar, ahead));
    replaced.chain(elected).flatten().collect()
}

/// Ways in which an option needs no run-off any more: it is first alone, and past one of the bars.
fn elected(tally: &Tally, option: usize, bar: Bar, ahead: Option<Ahead>) -> Vec<Option<Change>> {
    let not_first =
        others(tally, option).map(|other| Assertion::not_below_zero(tally.weights(0, &[(other, 1), (option, -1)])));
    let not_first: Vec<Assertion> = not_first.collect();
    let elected = |bars: Vec<Assertion>| way(What::NoRunOff { option }, tally, not_first.iter().cloned().chain(bars));
    let mut ways = vec![elected(vec![bar.missed(tally, option, None)])];
    if let Some(ahead) = ahead {
        let by = others(tally, option).map(|other| ahead.by.missed(tally, option, Some(other)));
        ways.push(elected(by.chain([ahead.reach.missed(tally, option, None)]).collect()));
    }
    ways
}
