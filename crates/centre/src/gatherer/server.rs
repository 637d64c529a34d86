//! One place where witnesses are asked, with its pace: whatever it does, it holds up nobody else.

use tallyproof_log::{note::VerifierKey, policy::Policy};

use super::{Luck, Pace, Silence, Trouble};

/// Waits after a failure: from this, doubling up to [`LONGEST_MS`], and up to half of it more at random.
const SHORTEST_MS: u64 = 500;
const LONGEST_MS: u64 = 30_000;
/// What the caller has beyond a witness's time to tell of its silence.
const GRACE_MS: u64 = 1_000;

/// Whose turn it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Turn {
    /// Ours, not before this time.
    Ours { from: u64 },
    /// The witness's.
    Asked { id: u64, size: u64, since: u64 },
}

/// A submission prefix, and the policy's witnesses behind it: one witness may have a key of each kind.
#[derive(Debug)]
pub(super) struct Server {
    pub(super) url: String,
    pub(super) names: Vec<String>,
    pub(super) keys: Vec<VerifierKey>,
    /// Size of the tree that it cosigned last, as far as known.
    pub(super) last: u64,
    pub(super) turn: Turn,
    /// Whether it has corrected our idea of `last` since it last answered well.
    pub(super) corrected: bool,
    pub(super) asked: u64,
    pub(super) failures: u64,
    /// Failures since it last answered well.
    row: u32,
    pub(super) trouble: Option<Trouble>,
}

impl Server {
    /// Those of the policy that can be asked.
    pub(super) fn all(policy: &Policy) -> Vec<Self> {
        let mut servers: Vec<Self> = Vec::new();
        for witness in policy.witnesses() {
            let Some(url) = &witness.url else { continue };
            let url = url.trim_end_matches('/');
            let at = servers.iter().position(|server| server.url == url).unwrap_or_else(|| {
                servers.push(Self::new(url));
                servers.len() - 1
            });
            if let Some(server) = servers.get_mut(at) {
                server.names.push(witness.name.clone());
                server.keys.push(witness.key.clone());
            }
        }
        servers
    }

    fn new(url: &str) -> Self {
        Self {
            url: url.to_owned(),
            names: Vec::new(),
            keys: Vec::new(),
            last: 0,
            turn: Turn::Ours { from: 0 },
            corrected: false,
            asked: 0,
            failures: 0,
            row: 0,
            trouble: None,
        }
    }

    /// Goes on where the same server stood under an earlier policy. What it was asked then is answered to nobody.
    pub(super) fn remember(&mut self, earlier: Option<&Self>) {
        let Some(earlier) = earlier else { return };
        (self.last, self.asked, self.failures) = (earlier.last, earlier.asked, earlier.failures);
    }

    pub(super) fn is_due(&self, now: u64) -> bool {
        matches!(self.turn, Turn::Ours { from } if from <= now)
    }

    pub(super) fn is_asked(&self) -> bool {
        matches!(self.turn, Turn::Asked { .. })
    }

    pub(super) fn next_wake(&self, wanted: bool, pace: Pace) -> Option<u64> {
        match self.turn {
            Turn::Ours { from } => wanted.then_some(from),
            Turn::Asked { since, .. } => Some(deadline(since, pace)),
        }
    }

    /// The size that the request of this number was about, if it still waits for its answer.
    pub(super) fn answer_to(&mut self, wanted: u64) -> Option<u64> {
        match self.turn {
            Turn::Asked { id, size, .. } if id == wanted => {
                self.turn = Turn::Ours { from: 0 };
                Some(size)
            }
            _ => None,
        }
    }

    pub(super) fn well(&mut self) {
        (self.row, self.trouble, self.corrected) = (0, None, false);
    }

    /// Waits before it is asked again. Says whether this failure is news.
    pub(super) fn fails(&mut self, now: u64, trouble: &Trouble, luck: &mut Luck) -> bool {
        self.failures = self.failures.saturating_add(1);
        self.row = self.row.saturating_add(1);
        let wait = SHORTEST_MS.saturating_mul(1 << (self.row - 1).min(16)).min(LONGEST_MS);
        let wait = wait.saturating_add(luck.below(wait / 2));
        self.turn = Turn::Ours { from: now.saturating_add(wait) };
        self.corrected = false;
        let news = self.trouble.as_ref().map(std::mem::discriminant) != Some(std::mem::discriminant(trouble));
        self.trouble = Some(trouble.clone());
        news
    }

    /// Gives up on a request that was not answered in time.
    pub(super) fn expire(&mut self, now: u64, pace: Pace, luck: &mut Luck) -> Option<Trouble> {
        let Turn::Asked { since, .. } = self.turn else { return None };
        if now < deadline(since, pace) {
            return None;
        }
        let trouble = Trouble::Silent(Silence::Unreachable("no answer in time".into()));
        self.fails(now, &trouble, luck).then_some(trouble)
    }

    /// Makes it due at once.
    pub(super) fn hasten(&mut self) {
        if let Turn::Ours { from } = &mut self.turn {
            *from = 0;
        }
        self.row = 0;
    }
}

fn deadline(since: u64, pace: Pace) -> u64 {
    since.saturating_add(pace.timeout_ms).saturating_add(GRACE_MS)
}
