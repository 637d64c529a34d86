//! What the public HTTP port parted with, by reason: a flood shows here, and nowhere else.

use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

/// Why a connection or a request ended without having been looked into.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum HttpDrop {
    /// The connection's source held its share already, and none of it was due.
    Source,
    /// Every place was taken, and none was due.
    Full,
    /// The connection had to make place for another.
    Displaced,
    /// The TLS handshake failed or took too long.
    Handshake,
    /// The headers broke off or did not come in time; an idle connection ends so too.
    Headers,
    /// The body broke off or did not come in time.
    Body,
    /// The body's length is not stated, or is more than any record's.
    Length,
    /// The connection was still busy at the end of its life.
    Life,
    /// The intake was full or the journal slow: the client was told to send again.
    Busy,
}

impl HttpDrop {
    /// Every reason.
    pub const ALL: [Self; 9] = [
        Self::Source,
        Self::Full,
        Self::Displaced,
        Self::Handshake,
        Self::Headers,
        Self::Body,
        Self::Length,
        Self::Life,
        Self::Busy,
    ];

    /// The word used in metrics.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Source => "source",
            Self::Full => "full",
            Self::Displaced => "displaced",
            Self::Handshake => "handshake",
            Self::Headers => "headers",
            Self::Body => "body",
            Self::Length => "length",
            Self::Life => "life",
            Self::Busy => "busy",
        }
    }
}

impl fmt::Display for HttpDrop {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// Counters of one port.
#[derive(Debug, Default)]
pub(crate) struct HttpCounters {
    connections: AtomicU64,
    drops: [AtomicU64; HttpDrop::ALL.len()],
}

impl HttpCounters {
    pub(super) fn accepted(&self) {
        self.connections.fetch_add(1, Relaxed);
    }

    pub(super) fn dropped(&self, reason: HttpDrop) {
        if let Some(counter) = self.drops.get(reason as usize) {
            counter.fetch_add(1, Relaxed);
        }
    }

    /// Connections that came, those refused at once included.
    pub(in super::super) fn connections(&self) -> u64 {
        self.connections.load(Relaxed)
    }

    pub(in super::super) fn drops(&self) -> [(HttpDrop, u64); HttpDrop::ALL.len()] {
        HttpDrop::ALL.map(|reason| (reason, self.drops.get(reason as usize).map_or(0, |counter| counter.load(Relaxed))))
    }
}
