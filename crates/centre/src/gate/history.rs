//! What the gate remembers of a station: which attempts passed, and how much of its quota is spent. Twelve bytes.

use tallyproof_record::frame::ATTEMPT_WINDOW;

use super::Reason;

/// Attempts up to this far in the future (one minute) are those of a clock that is right: they share one memory.
pub const NEAR: u32 = 240;

/// The history of one station at the gate. Times are attempt ticks of a quarter second.
///
/// Two memories of attempts: a station whose clock is right moves `near`, one whose clock is fast moves `ahead`, and neither moves the
/// other's. So a single datagram by a thief of the MAC key, whose attempt lies as far in the future as it may, keeps the station out
/// for one minute at most, not for an hour.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct History {
    /// The last attempt that passed at [`NEAR`] or before.
    near: u32,
    /// The last attempt that passed beyond it.
    ahead: u32,
    /// Until when the quota is spent: the "theoretical arrival time" of the generic cell rate algorithm (ITU-T I.371).
    spent_until: u32,
}

impl History {
    /// The history once a datagram with this attempt has passed at `now`; `burst` is the quota's depth in datagrams.
    ///
    /// Nothing is spent until the caller keeps the result: a datagram that fails a later check leaves no trace.
    pub(super) fn after(self, attempt: u32, now: u32, burst: u32) -> Result<Self, Reason> {
        self.rise(attempt, now)?.pay(now, burst)
    }

    fn rise(self, attempt: u32, now: u32) -> Result<Self, Reason> {
        if attempt.abs_diff(now) > ATTEMPT_WINDOW {
            return Err(Reason::Window);
        }
        let is_near = attempt <= now.saturating_add(NEAR);
        let last = if is_near { self.near } else { self.ahead };
        match attempt > last {
            false => Err(Reason::Replay),
            true if is_near => Ok(Self { near: attempt, ..self }),
            true => Ok(Self { ahead: attempt, ..self }),
        }
    }

    /// One datagram a tick, and `burst` at once after a pause.
    fn pay(self, now: u32, burst: u32) -> Result<Self, Reason> {
        let full = now.saturating_add(burst);
        // More than a burst ahead of the clock: the clock was set back. What was spent before is forgotten, or the station would be
        // kept out until the clock is where it was.
        let spent = if self.spent_until > full { now } else { self.spent_until.max(now) };
        if spent >= full {
            return Err(Reason::Quota);
        }
        Ok(Self { spent_until: spent.saturating_add(1), ..self })
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const NOW: u32 = 800_000_000;
    const BURST: u32 = 16;

    /// How many of `n` datagrams with rising attempts pass at `now`.
    fn passes(history: &mut History, now: u32, n: u32) -> u32 {
        let first = history.near.max(now - 1000);
        let pass = |attempt: u32| history.after(attempt, now, BURST).map(|next| *history = next).is_ok();
        (first + 1..=first + n).map(pass).map(u32::from).sum()
    }

    #[test]
    fn the_window_includes_its_ends() {
        let after = |attempt| History::default().after(attempt, NOW, BURST).map(drop);
        assert_eq!((after(NOW - ATTEMPT_WINDOW), after(NOW + ATTEMPT_WINDOW)), (Ok(()), Ok(())));
        assert_eq!(after(NOW - ATTEMPT_WINDOW - 1), Err(Reason::Window));
        assert_eq!(after(NOW + ATTEMPT_WINDOW + 1), Err(Reason::Window));
    }

    #[test]
    fn a_fast_clock_has_its_own_memory() {
        let ahead = History::default().after(NOW + NEAR + 9, NOW, BURST).unwrap();
        assert_eq!(ahead.after(NOW + NEAR + 9, NOW, BURST), Err(Reason::Replay));
        assert_eq!(ahead.after(NOW + NEAR + 8, NOW, BURST), Err(Reason::Replay));
        assert!(ahead.after(NOW + NEAR + 10, NOW, BURST).is_ok());
        assert!(ahead.after(NOW, NOW, BURST).is_ok(), "the right clock's attempts pass as before");
    }

    #[test]
    fn a_burst_passes_then_one_a_tick() {
        let mut history = History::default();
        assert_eq!(passes(&mut history, NOW, 100), BURST);
        assert_eq!(passes(&mut history, NOW, 100), 0);
        assert_eq!(passes(&mut history, NOW + 1, 100), 1);
        assert_eq!(passes(&mut history, NOW + 4, 100), 3);
        assert_eq!(
            passes(&mut history, NOW + 4 + BURST, 100),
            BURST,
            "the whole quota is there again after four seconds"
        );
    }

    #[test]
    fn a_clock_that_is_set_back_locks_nobody_out() {
        let mut history = History::default();
        assert_eq!(passes(&mut history, NOW, 100), BURST);
        let earlier = NOW - 14_000;
        assert!(history.after(history.near + 1, earlier, BURST).is_ok());
    }

    #[test]
    fn the_ends_of_the_clock_do_not_overflow() {
        let after = |attempt, now| History::default().after(attempt, now, BURST).map(drop);
        assert_eq!((after(1, 0), after(u32::MAX, 0)), (Ok(()), Err(Reason::Window)));
        assert_eq!((after(1, u32::MAX), after(u32::MAX, u32::MAX - 1)), (Err(Reason::Window), Ok(())));
    }

    proptest! {
        /// Whoever holds the MAC key, and whatever he sends in one go: a minute later a station whose clock is right passes.
        #[test]
        fn the_owner_is_locked_out_for_a_minute_at_most(
            hostile in proptest::collection::vec(0..=2 * ATTEMPT_WINDOW, 1..60),
            skew in 0..NEAR,
        ) {
            let mut history = History::default();
            for attempt in hostile {
                history = history.after(NOW - ATTEMPT_WINDOW + attempt, NOW, BURST).unwrap_or(history);
            }
            let later = NOW + NEAR + 1 + skew;
            prop_assert!(history.after(later - skew, later, BURST).is_ok());
        }

        /// A recording passes at most once in each memory, however often and whenever it is sent.
        #[test]
        fn a_recording_passes_once(attempt in 0..=ATTEMPT_WINDOW, waits in proptest::collection::vec(0..400_u32, 1..50)) {
            let (mut history, mut now, mut passed) = (History::default(), NOW, Vec::new());
            for wait in waits {
                now += wait;
                if let Ok(next) = history.after(NOW + attempt, now, BURST) {
                    history = next;
                    passed.push(NOW + attempt <= now + NEAR);
                }
            }
            prop_assert!(passed.len() <= 2 && passed != [true, true] && passed != [false, false], "{:?}", passed);
        }

        /// In any stretch of time no more passes than the burst and one a tick.
        #[test]
        fn the_quota_holds(steps in proptest::collection::vec((0..40_u32, 1..40_u32), 1..60)) {
            let (mut history, mut now, mut passed) = (History::default(), NOW, Vec::new());
            for (wait, count) in steps {
                now += wait;
                passed.push((now, passes(&mut history, now, count)));
            }
            for start in 0..passed.len() {
                let mut sum = 0;
                for &(end, count) in &passed[start..] {
                    sum += count;
                    prop_assert!(sum <= BURST + (end - passed[start].0));
                }
            }
        }
    }
}
