//! Bugs to plant: each is a plausible mistake in the wiring of the parts, and the simulator has to find every one.
//!
//! They live in the simulation alone. The binary offers none, and the real centre has no such switch.

/// A mistake.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Bug {
    /// Receipts are signed when a record is taken, before the journal's sync.
    ReceiptBeforeSync,
    /// A restart does not tell the dedupe cache what the journal holds.
    DedupeLostAtRestart,
    /// A restart does not look at what was signed, and signs a rolled-back journal.
    SignedBelowLast,
    /// The count keeps the first record of a station and passes over a different second one.
    ConflictPrefersFirst,
    /// A partial entry tile lacks its last entry.
    PartialTileShort,
    /// Quarantined records are counted.
    QuarantineCounted,
    /// The checkpoint is shown before the last one signed is remembered.
    ShownBeforeRemembered,
    /// A tile that is found is taken for durable, although whoever placed it may have failed before its folder was synced. The
    /// simulator found this one in the real bundle folder.
    FoundTileTrusted,
    /// A station sends a record before it is on its disk.
    SentBeforeStored,
    /// A witness cosigns what the log has signed, whether or not it extends what was cosigned before.
    WitnessTrustsLog,
    /// A witness that has lost its state begins with a new one.
    WitnessForgets,
    /// A correction changes what is counted, not only what stands.
    CorrectionCounted,
    /// A file that was read short is taken for the file.
    ShortReadTrusted,
}

impl Bug {
    /// Every one.
    pub const ALL: [Self; 13] = [
        Self::ReceiptBeforeSync,
        Self::DedupeLostAtRestart,
        Self::SignedBelowLast,
        Self::ConflictPrefersFirst,
        Self::PartialTileShort,
        Self::QuarantineCounted,
        Self::ShownBeforeRemembered,
        Self::FoundTileTrusted,
        Self::SentBeforeStored,
        Self::WitnessTrustsLog,
        Self::WitnessForgets,
        Self::CorrectionCounted,
        Self::ShortReadTrusted,
    ];

    /// The bug of this name.
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|bug| format!("{bug:?}") == name)
    }
}
