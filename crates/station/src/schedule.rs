//! When each record is next due on each path.

use std::collections::{BTreeMap, BTreeSet};

use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{Rng, SeedableRng};
use tallyproof_record::cose::RecordDigest;

/// How long to wait for a receipt before sending again: doubling from `first` to `cap`, plus up to half of it at random,
/// so that stations that lost the same second do not come back in the same second.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RetryPolicy {
    first: u64,
    cap: u64,
    after: u64,
}

impl RetryPolicy {
    /// Shortest wait: a centre under load answers within a second, and answering retries only adds to its load.
    pub const FLOOR_MS: u64 = 200;

    /// Waits `first_ms` after the first transmission and never much longer than `cap_ms`; both are raised to
    /// [`RetryPolicy::FLOOR_MS`].
    pub fn new(first_ms: u64, cap_ms: u64) -> Self {
        let first = first_ms.max(Self::FLOOR_MS);
        Self { first, cap: cap_ms.max(first), after: 0 }
    }

    /// Gives the other paths a head start: the first transmission is so long after the record came. A receipt by then
    /// spares a dearer path the whole of it (as RFC 8305 does for addresses).
    #[must_use]
    pub fn starting_after(self, after_ms: u64) -> Self {
        Self { after: after_ms, ..self }
    }

    /// The wait after the `tries`-th transmission; `luck` is any number.
    fn wait(self, tries: u32, luck: u64) -> u64 {
        let doublings = tries.saturating_sub(1).min(32);
        let base = self.first.saturating_mul(1 << doublings).min(self.cap);
        base.saturating_add(luck % (base / 2).saturating_add(1))
    }
}

impl Default for RetryPolicy {
    /// From half a second to twenty.
    fn default() -> Self {
        Self::new(500, 20_000)
    }
}

/// Every record's turns, each path with a back-off of its own. Times are milliseconds of the caller's clock.
#[derive(Clone, Debug)]
pub(crate) struct Schedule {
    /// One for each path.
    policies: Vec<RetryPolicy>,
    seed: u64,
    drawn: u64,
    turns: BTreeMap<RecordDigest, Vec<Turn>>,
    /// The same turns by the time when they are due: time, record, path.
    agenda: BTreeSet<(u64, RecordDigest, usize)>,
}

/// A record's place on one path.
#[derive(Clone, Copy, Debug, Default)]
struct Turn {
    /// When it is to be sent next; never where the path is closed to it.
    due: Option<u64>,
    /// Not before this, however urgent.
    earliest: u64,
    tries: u32,
}

impl Schedule {
    pub(crate) fn new(policies: Vec<RetryPolicy>, seed: u64) -> Self {
        Self { policies, seed, drawn: 0, turns: BTreeMap::new(), agenda: BTreeSet::new() }
    }

    /// Makes a new record due on all paths, on each after the head start of the others.
    pub(crate) fn add(&mut self, now: u64, digest: RecordDigest) {
        let Self { policies, agenda, turns, .. } = self;
        turns.entry(digest).or_insert_with(|| {
            let first = |(path, policy): (usize, &RetryPolicy)| {
                let due = now.saturating_add(policy.after);
                agenda.insert((due, digest, path));
                Turn { due: Some(due), ..Turn::default() }
            };
            policies.iter().enumerate().map(first).collect()
        });
    }

    /// The next record and path that are due. Counts a try, and sets the turn after it.
    pub(crate) fn pop(&mut self, now: u64) -> Option<(RecordDigest, usize)> {
        self.agenda.first().filter(|(due, ..)| *due <= now)?;
        let (_, digest, path) = self.agenda.pop_first()?;
        let luck = self.luck();
        let policy = self.policies.get(path)?;
        let turn = self.turns.get_mut(&digest)?.get_mut(path)?;
        turn.tries = turn.tries.saturating_add(1);
        turn.earliest = now.saturating_add(RetryPolicy::FLOOR_MS);
        let due = now.saturating_add(policy.wait(turn.tries, luck));
        turn.due = Some(due);
        self.agenda.insert((due, digest, path));
        Some((digest, path))
    }

    /// When [`Schedule::pop`] will next return something.
    pub(crate) fn next_wake(&self) -> Option<u64> {
        self.agenda.first().map(|&(due, ..)| due)
    }

    /// Opens a path to a record, if it was closed, and makes it due as soon as [`RetryPolicy::FLOOR_MS`] allows.
    pub(crate) fn hasten(&mut self, now: u64, digest: RecordDigest, path: usize) {
        let Some(turn) = self.turns.get_mut(&digest).and_then(|turns| turns.get_mut(path)) else { return };
        let due = now.max(turn.earliest);
        if let Some(before) = turn.due.replace(due) {
            self.agenda.remove(&(before, digest, path));
        }
        self.agenda.insert((due, digest, path));
    }

    /// Closes a path to a record. Returns how many paths stay open to it.
    pub(crate) fn close(&mut self, digest: &RecordDigest, path: usize) -> usize {
        let Some(turns) = self.turns.get_mut(digest) else { return 0 };
        if let Some(due) = turns.get_mut(path).and_then(|turn| turn.due.take()) {
            self.agenda.remove(&(due, *digest, path));
        }
        turns.iter().filter(|turn| turn.due.is_some()).count()
    }

    /// Takes a record out. Returns the tries that were made, over all paths.
    pub(crate) fn remove(&mut self, digest: &RecordDigest) -> u32 {
        let turns = self.turns.remove(digest).unwrap_or_default();
        for (path, turn) in turns.iter().enumerate() {
            if let Some(due) = turn.due {
                self.agenda.remove(&(due, *digest, path));
            }
        }
        turns.iter().fold(0, |tries, turn| tries.saturating_add(turn.tries))
    }

    /// Drawn anew from the seed each time, so that thousands of schedules keep no generator's state.
    fn luck(&mut self) -> u64 {
        let mut random = ChaCha8Rng::seed_from_u64(self.seed);
        random.set_stream(self.drawn);
        self.drawn = self.drawn.wrapping_add(1);
        random.next_u64()
    }
}
