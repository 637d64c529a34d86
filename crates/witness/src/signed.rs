//! A checkpoint that the log's key has signed.

use tallyproof_log::{
    checkpoint::{self, Checkpoint, CheckpointError},
    note::{SignedNote, VerifierKey},
};

/// A checkpoint that the log has signed, with that signature alone: whatever else came with it nobody here can check.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Signed {
    checkpoint: Checkpoint,
    note: SignedNote,
}

impl Signed {
    /// Opens a note, which has to be a checkpoint of this very log.
    pub fn open(note: &[u8], log: &VerifierKey) -> Result<Self, CheckpointError> {
        let opened = checkpoint::open(note, std::slice::from_ref(log), log.name().as_str())?;
        let signatures: String = opened.note().signatures().iter().map(|line| format!("{line}\n")).collect();
        let note = SignedNote::parse(format!("{}\n{signatures}", opened.note().text()).as_bytes())?;
        Ok(Self { checkpoint: opened.checkpoint().clone(), note })
    }

    /// What the log states.
    pub fn checkpoint(&self) -> &Checkpoint {
        &self.checkpoint
    }

    /// The note, with the log's signature.
    pub fn note(&self) -> &SignedNote {
        &self.note
    }
}
