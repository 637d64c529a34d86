//! Coverage marks: which branches that handle a fault a seed has reached.

use std::fmt;

/// Makes the marks, each with its words, and the list of them all.
macro_rules! marks {
    ($($name:ident $text:literal,)*) => {
        /// A branch that only a fault, an attack or a race reaches.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum Mark { $(#[doc = $text] $name,)* }

        impl Mark {
            /// Every mark.
            pub const ALL: &[Self] = &[$(Self::$name,)*];

            /// What was reached.
            pub fn text(self) -> &'static str {
                match self { $(Self::$name => $text,)* }
            }
        }
    };
}

marks! {
    NetworkLost "the network loses a message",
    NetworkDoubled "the network delivers a message twice",
    NetworkCut "a message meets a partition",
    Reordered "a message overtakes an earlier one",
    RelayAltered "a relay alters a message",
    RelayWithheld "a relay withholds a message",
    RelayLost "a relay loses what it holds with its power",
    RelayReplied "a relay answers with a receipt that it holds",
    Replayed "a recorded datagram is sent again",
    Forged "a record under another's key is sent",
    GateTag "the gate drops a false tag",
    GateReplay "the gate drops an old attempt",
    GateWindow "the gate drops an attempt far from its clock",
    GateQuota "the gate drops what is above a station's quota",
    GateDigest "the gate drops a body that is not the header's",
    LaneFull "a lane has no room",
    Refused "intake refuses a record",
    KnownPending "a copy arrives while the record is on its way to the journal",
    KnownDurable "a copy arrives of a durable record",
    ReceiptAgain "a receipt is signed again after a restart",
    JournalFull "the journal's disk is full",
    JournalSyncFailed "the journal's sync fails",
    JournalUnsyncedKept "rows whose sync failed survive a crash all the same",
    JournalUnsyncedLost "unsynced rows are lost in a crash",
    CutFailed "the end of a batch cannot be noted",
    ShelfFailed "the bundle cannot be written, and it is tried again",
    ShelfAmbiguous "a file that could not be synced is there all the same",
    TileLost "an unsynced tile is lost in a crash",
    TileThere "a tile is already there when it is written again",
    CrashInAppend "the power fails while rows are written",
    CrashInMark "the power fails while a cut is written",
    CrashInTiles "the power fails while tiles are written",
    CrashInRemember "the power fails while the last checkpoint is remembered",
    CrashInCheckpoint "the power fails while the checkpoint is published",
    CrashInRestart "the power fails while the centre starts",
    RestartPublished "a restart publishes what a crash kept back",
    RestartUncut "a restart finds durable records that no cut covers",
    RestartDamaged "a restart meets a damaged or short row and stops",
    RestartMisread "a restart cannot read what was signed last and stops",
    TileMisread "a tile that is there reads as another one, and the centre stops",
    TileRotten "a flipped bit in a published tile is found by whoever verifies",
    FullTile "a tile becomes full",
    BackupRefused "a rolled-back journal is refused",
    BackupForked "a journal of another history is refused",
    BackupUnseen "a rolled-back journal leads to all that was signed",
    RollbackProved "published tiles prove an unseen rollback, and the centre stops",
    MemoryLost "a centre without its last checkpoint refuses to start",
    StationPowerBeforeSeal "a station loses power before its seal is durable",
    StationPowerAfterSeal "a station loses power after its seal is durable",
    StationPowerInSend "a station loses power between attempt and sending",
    StationResumed "a station goes on with a sealed record",
    StationReceiptLost "a station loses power before its receipt is durable",
    StationClock "a station's clock jumps",
    CentreClock "the centre's clock jumps",
    Conflict "a station signs two different records",
    Quarantine "a record is quarantined",
    Rejected "a record is rejected",
    StationDrift "a station's clock drifts",
    CentreDrift "the centre's clock drifts",
    PathChanged "a message goes to an address that a station no longer has",
    Rekeyed "a station seals with its second key",
    StatementRefused "a statement is refused",
    StatementRepeated "a statement brings no signature that is new, and is not written",
    TooFewSigners "a statement waits in the log for more signatures",
    StatementWithoutEffect "a statement in the log has no effect",
    Corrected "a correction takes effect",
    Endorsed "a record is endorsed",
    KeyEnrolled "a key is enrolled",
    KeyRevoked "a key is revoked",
    PolicyChanged "the witness policy changes",
    StatementsAgain "statements are handed in again after a rollback",
    Cosigned "a checkpoint has the quorum",
    CosignedOld "a checkpoint gets its quorum after a larger one was published",
    WitnessKeepsPromise "what a witness holds keeps a rolled-back centre from starting",
    WitnessCorrects "a witness says that it cosigned another size",
    WitnessRefuses "a witness refuses a checkpoint that does not extend what it cosigned",
    WitnessBehind "a witness cannot recount a checkpoint yet",
    WitnessSilent "a witness does not answer",
    WitnessPowerBeforeState "a witness loses power before its state is durable",
    WitnessPowerAfterState "a witness loses power after its state is durable and before it answers",
    WitnessResumed "a witness goes on with its state and its copy",
    WitnessRetired "a witness without its state does not start",
    WitnessRestored "an old copy of a witness's folder is put in place",
    WitnessLies "a witness cosigns without looking",
    WitnessProves "a witness proves a fork",
    WitnessAlarm "a witness is shown what it cannot connect to its copy",
    Forked "the centre's operator begins a second history",
    SecondCosigned "a second history has the quorum",
    Switched "an audience is shown the other history",
    Withheld "an audience is shown nothing new",
    Believed "a verifier accepts a checkpoint",
    Distrusted "a verifier finds no quorum",
    VerifierProves "a verifier holds a checkpoint that contradicts the one it is shown",
    TwoBelieved "two verifiers accept histories that contradict each other",
    TwoTotals "two verifiers accept different totals",
    ForkProven "what two verifiers hold proves the fork",
}

impl fmt::Display for Mark {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.text())
    }
}

/// How often each mark was reached.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Marks(Vec<u64>);

impl Default for Marks {
    fn default() -> Self {
        Self(vec![0; Mark::ALL.len()])
    }
}

impl Marks {
    pub(super) fn hit(&mut self, mark: Mark) {
        if let Some(count) = self.0.get_mut(mark as usize) {
            *count += 1;
        }
    }

    /// How often.
    pub fn of(&self, mark: Mark) -> u64 {
        self.0.get(mark as usize).copied().unwrap_or_default()
    }

    /// Adds another run's marks.
    pub fn add(&mut self, other: &Self) {
        self.0.iter_mut().zip(&other.0).for_each(|(mine, theirs)| *mine += theirs);
    }

    /// Marks that were never reached.
    pub fn unreached(&self) -> impl Iterator<Item = Mark> + '_ {
        Mark::ALL.iter().copied().filter(|&mark| self.of(mark) == 0)
    }
}
