//! How many are due: a flood's rate, kept over its whole span.

use std::time::Duration;

use tallyproof_drill::script::Flood;

/// What an attacker that could not keep up may still catch up with. More would turn a pause into a burst.
const BACKLOG: Duration = Duration::from_secs(1);
/// How long after its end a flood may still send what was due before.
const LAG: Duration = Duration::from_millis(100);

/// Hands out a flood's datagrams or requests at its rate, and never more than it may send in all.
#[derive(Debug)]
pub(super) struct Pace {
    flood: Flood,
    /// Handed out, or given up because they were too late.
    gone: u64,
}

impl Pace {
    pub(super) fn new(flood: Flood) -> Self {
        Self { flood, gone: 0 }
    }

    /// How many are to be sent now, at most `most`.
    pub(super) fn take(&mut self, now: Duration, most: usize) -> usize {
        let by_now = self.due_by(now);
        self.gone = self.gone.max(self.due_by(now.saturating_sub(BACKLOG)));
        let count = by_now.saturating_sub(self.gone).min(most as u64);
        self.gone = self.gone.saturating_add(count);
        usize::try_from(count).unwrap_or(most)
    }

    /// Whether nothing more is to be sent.
    pub(super) fn is_over(&self, now: Duration) -> bool {
        self.gone >= self.flood.most() || now > self.flood.during.until.saturating_add(LAG)
    }

    fn due_by(&self, now: Duration) -> u64 {
        if now >= self.flood.during.until {
            return self.flood.most();
        }
        let nanos = now.saturating_sub(self.flood.during.from).as_nanos();
        let due = nanos.saturating_mul(self.flood.rate.get().into()) / Duration::from_secs(1).as_nanos();
        u64::try_from(due).unwrap_or(u64::MAX).min(self.flood.most())
    }
}

#[cfg(test)]
mod tests {
    use std::num::NonZeroU32;

    use tallyproof_drill::script::{DatagramKind, FloodKind, Span};

    use super::*;

    fn pace(from: u64, until: u64, rate: u32) -> Pace {
        let during = Span { from: Duration::from_millis(from), until: Duration::from_millis(until) };
        let kind = FloodKind::Datagram(DatagramKind::Garbage);
        Pace::new(Flood { kind, during, rate: NonZeroU32::new(rate).unwrap() })
    }

    #[test]
    fn the_rate_is_kept_from_the_beginning_to_the_end() {
        let mut pace = pace(1_000, 3_000, 500);
        let sent: Vec<usize> = (0..8).map(|half| pace.take(Duration::from_millis(500 * half), 1_000)).collect();
        assert_eq!(sent, [0, 0, 0, 250, 250, 250, 250, 0]);
        assert!(pace.is_over(Duration::from_secs(3)));
    }

    #[test]
    fn who_falls_behind_catches_up_with_one_second_only() {
        let mut pace = pace(0, 10_000, 100);
        assert_eq!(pace.take(Duration::from_secs(5), 1_000), 100);
        assert_eq!(pace.take(Duration::from_secs(6), 30), 30, "no more than asked for");
        assert_eq!(pace.take(Duration::from_secs(6), 1_000), 70);
        assert!(!pace.is_over(Duration::from_secs(10)));
        assert!(pace.is_over(Duration::from_secs(11)), "late is over");
    }
}
