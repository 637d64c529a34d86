//! The clock of a rehearsal: it starts when everything is sealed, and nobody sets it back.

use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

/// Time since the rehearsal's start, and what stations' clocks show.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Clock {
    start: Instant,
    unix_ms: u64,
}

impl Clock {
    /// Starts the rehearsal.
    pub(crate) fn start() -> Self {
        let unix = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        Self { start: Instant::now(), unix_ms: millis(unix) }
    }

    /// How long the rehearsal has run.
    pub(crate) fn now(&self) -> Duration {
        self.start.elapsed()
    }

    /// Milliseconds since 1970-01-01T00:00:00Z at an instant of the rehearsal, for outboxes.
    pub(crate) fn unix_ms(&self, at: Duration) -> u64 {
        self.unix_ms.saturating_add(millis(at))
    }

    /// The instant of the rehearsal at which stations' clocks show this.
    pub(crate) fn at_unix_ms(&self, unix_ms: u64) -> Duration {
        Duration::from_millis(unix_ms.saturating_sub(self.unix_ms))
    }

    /// The instant itself, for timers.
    pub(crate) fn instant(&self, at: Duration) -> Instant {
        self.start + at
    }
}

/// Whole milliseconds.
pub(crate) fn millis(time: Duration) -> u64 {
    u64::try_from(time.as_millis()).unwrap_or(u64::MAX)
}
