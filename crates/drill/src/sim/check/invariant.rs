//! The invariants, each by its name.

/// What must hold, of `docs/spec` and the design's invariants.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Invariant {
    /// A receipt is signed only for a record that the journal holds durably.
    ReceiptAfterSync,
    /// A receipted record is in the journal after any crash.
    ReceiptKept,
    /// The journal's records never change, and none is in it twice.
    JournalAppends,
    /// What was published never changes.
    NothingOverwritten,
    /// Checkpoints never shrink, and there is one root for each size.
    OneHistory,
    /// A published checkpoint is remembered, and its tiles are there and lead to its root.
    CheckpointCovered,
    /// Only records that their station has signed are in the log, each once.
    OnlyGenuine,
    /// Two different records of a slot: neither is counted. A quarantined or rejected one is not either.
    NeverPreferred,
    /// The live count is that of the published log.
    TotalsPure,
    /// A station that keeps to its queue sends one record for each slot.
    SealedOnce,
    /// A station's attempts rise, whatever happens to its power and its clock.
    AttemptsRise,
    /// A receipt that a station accepts was signed by the centre.
    ReceiptGenuine,
    /// When everything works again, every record comes through.
    Progress,
    /// The bundle verifies by the public verifier.
    Verifies,
    /// The centre never halts by itself.
    NoHalt,
    /// A centre or a witness that is started on the right files starts.
    Starts,
    /// What the real centre checks of itself: [`tallyproof_centre::invariants`].
    CentreFits,
    /// Corrections change what stands and nothing that is counted; endorsements are those that were made.
    AsItStands,
    /// A witness that is nobody's cosigns one history.
    WitnessConsistent,
    /// Below the policy's bound, no two verifiers believe histories that contradict each other.
    OneBelieved,
    /// Whoever holds two checkpoints that contradict each other can prove the fork.
    ForkProven,
    /// Whoever verifies finds a flipped bit.
    RotFound,
}

impl Invariant {
    /// Every one.
    pub const ALL: [Self; 22] = [
        Self::ReceiptAfterSync,
        Self::ReceiptKept,
        Self::JournalAppends,
        Self::NothingOverwritten,
        Self::OneHistory,
        Self::CheckpointCovered,
        Self::OnlyGenuine,
        Self::NeverPreferred,
        Self::TotalsPure,
        Self::SealedOnce,
        Self::AttemptsRise,
        Self::ReceiptGenuine,
        Self::Progress,
        Self::Verifies,
        Self::NoHalt,
        Self::Starts,
        Self::CentreFits,
        Self::AsItStands,
        Self::WitnessConsistent,
        Self::OneBelieved,
        Self::ForkProven,
        Self::RotFound,
    ];

    /// The invariant of this name.
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|invariant| format!("{invariant:?}") == name)
    }
}
