//! Contests of lists: which lists take part, and how many seats each has.

use std::cell::Cell;

use super::{
    Bar, Change, Tally, What,
    bars::Asserted as _,
    change::{bar_way, untied},
};
use crate::{
    assertion::Assertion,
    seats::{
        Method,
        claims::{self, Contender, Measure, droop_quota},
    },
    share::Share,
};

/// Seats of a house that lists have before the others go by claims. Divisor methods only.
pub(super) struct Held {
    /// Those of each list.
    pub(super) lists: Vec<u64>,
    /// What is left for claims.
    pub(super) left: u64,
}

/// The lists with the seats that the counted votes give them.
pub(super) struct Field<'t> {
    pub(super) tally: &'t Tally,
    pub(super) method: Method,
    /// Seats that go by claims.
    pub(super) seats: u64,
    /// Seats that each list has before that: its claims start after them.
    pub(super) held: Vec<u64>,
    pub(super) bar: Option<Bar>,
    pub(super) admitted: Vec<bool>,
    /// Votes of the admitted lists.
    pub(super) total: u64,
    /// Each list's seats, without those that a tie leaves open.
    pub(super) now: Vec<u64>,
    /// How each list crosses the threshold.
    admissions: Vec<Option<Change>>,
    tied: Option<Vec<usize>>,
    unfilled: u64,
    /// Sums of prices that were tried in the search seat by seat.
    pub(super) steps: Cell<usize>,
}

impl<'t> Field<'t> {
    pub(super) fn new(
        tally: &'t Tally,
        method: Method,
        seats: u64,
        threshold: Option<Share>,
        held: Option<&Held>,
    ) -> Self {
        let bar = threshold.map(Bar::AtLeast);
        let seats = held.map_or(seats, |held| held.left);
        let held = held.map_or_else(|| vec![0; tally.options], |held| held.lists.clone());
        let reaches = |list| bar.is_none_or(|bar| bar.reached(tally, list, None).holds(tally.votes()));
        let admitted: Vec<bool> = (0..tally.options).map(reaches).collect();
        let votes = |list: usize| if admitted[list] { tally.of_options()[list] } else { 0 };
        let contender = |list| Contender { votes: votes(list), held: held[list], rank: Vec::new() };
        let contenders: Vec<Contender> = (0..tally.options).map(contender).collect();
        let total = contenders.iter().map(|contender| contender.votes).sum();
        let round = claims::allot(Measure::new(method, seats, total), &contenders, seats);
        let mut now = held.clone();
        for (list, _) in &round.order {
            now[*list] += 1;
        }
        let tied = round.open.map(|(_, among)| among);
        let admissions = (0..tally.options).map(|list| bar.and_then(|bar| bar_way(tally, list, bar))).collect();
        Self {
            tally,
            method,
            seats,
            held,
            bar,
            admitted,
            total,
            now,
            admissions,
            tied,
            unfilled: round.unfilled,
            steps: Cell::new(0),
        }
    }

    pub(super) fn lists(&self) -> impl Iterator<Item = usize> {
        0..self.tally.options
    }

    /// Whether a tie leaves seats open, or nobody has votes for them.
    pub(super) fn is_tied(&self) -> bool {
        self.tied.is_some() || self.unfilled > 0
    }

    /// A list crosses the threshold.
    pub(super) fn admission(&self, list: usize) -> Option<&Change> {
        self.admissions[list].as_ref()
    }

    /// Every way in which it changes who takes part and how many seats each has.
    pub(super) fn ways(&self) -> Vec<Change> {
        let mut ways: Vec<Change> = self.admissions.iter().flatten().cloned().collect();
        if self.unfilled > 0 {
            let admitted = self.lists().filter(|&list| self.admitted[list]);
            ways.extend(admitted.map(|list| Change { what: What::Filled { list }, votes: 1 }));
        } else if let Some(among) = &self.tied {
            ways.push(untied(among.clone()));
        } else {
            ways.extend(self.moves());
        }
        ways
    }

    /// A list's last seat against another's next.
    fn moves(&self) -> impl Iterator<Item = Change> {
        let holders = self.lists().filter(|&list| self.now[list] > self.held[list]);
        let pairs = holders.flat_map(|from| self.lists().map(move |to| (from, to)));
        let pairs = pairs.filter(|&(from, to)| from != to && self.admitted[to]);
        pairs.filter_map(|(from, to)| {
            let votes = match self.method {
                Method::Droop => Some(self.droop_lead(from, to)),
                _ => self.seat_assertion(from, to).lead(self.tally.votes()),
            };
            // Without a vote a list has no claim, however little the others' claims are.
            let least = u64::from(self.tally.votes()[to] == 0);
            Some(Change { what: What::Seat { from, to }, votes: votes?.max(least) })
        })
    }

    /// The assertion that `from`'s last seat goes before `to`'s next one.
    fn seat_assertion(&self, from: usize, to: usize) -> Assertion {
        let (last, next) = (self.now[from], self.now[to] + 1);
        if let (Some(last), Some(next)) = (self.method.divisor(last), self.method.divisor(next)) {
            return Assertion::new(self.tally.weights(0, &[(from, i128::from(next)), (to, -i128::from(last))]));
        }
        // Hare: from · seats / total − (last − 1) > to · seats / total − (next − 1), times the total.
        let (seats, more) = (i128::from(self.seats), i128::from(last) - i128::from(next));
        let mut weights = self.tally.weights(0, &[]);
        for list in self.lists().filter(|&list| self.admitted[list]) {
            weights[list] = -more;
        }
        weights[from] += seats;
        weights[to] -= seats;
        Assertion::new(weights)
    }

    /// The fewest votes for `to` with which it gets level with `from`'s last seat. The quota jumps once in seats + 1
    /// votes, so this assertion is linear only from jump to jump.
    fn droop_lead(&self, from: usize, to: usize) -> u64 {
        let (period, votes) = (i128::from(self.seats) + 1, self.tally.votes());
        let more = i128::from(self.now[from]) - i128::from(self.now[to]) - 1;
        let margin = |further: i128| {
            let quota = droop_quota(self.total + u64::try_from(further).unwrap_or_default(), self.seats);
            i128::from(votes[from]) - i128::from(votes[to]) - further - more * i128::from(quota)
        };
        let to_jump = period - 1 - i128::from(self.total) % period;
        let at_jump = margin(to_jump);
        let lead = if at_jump <= 0 {
            margin(0).max(0)
        } else {
            // Each period takes `period + more` > 0 from the margin; within the last one every vote takes 1.
            let loss = period + more;
            let periods = (at_jump + loss - 1) / loss;
            let end = to_jump + periods * period;
            (end + at_jump - periods * loss).max(end - period + 1)
        };
        u64::try_from(lead).unwrap_or(u64::MAX)
    }
}
