//! Checkpoints: a log's signed statement of its size and root (C2SP tlog-checkpoint v1.0.0).

use std::{fmt, str::FromStr};

use thiserror::Error;

use crate::{
    encoding::decimal,
    merkle::Hash,
    note::{self, KeyName, NoteError, PublicKey, SignerKey, Verified, VerifierKey},
};

/// The state of a log: which log, how many leaves, and the root over them. Displays as, and parses from, the note's text.
///
/// Stricter than the specification in two ways: the origin is a valid key name, since the log's key bears it; and extension lines
/// are refused, since nobody could audit them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Checkpoint {
    /// The log's name, also that of its key.
    pub origin: KeyName,
    /// Leaves in the tree.
    pub size: u64,
    /// The Merkle root over them.
    pub root: Hash,
}

impl Checkpoint {
    /// Signs the checkpoint as its log and writes the note.
    ///
    /// Signing two checkpoints of which one does not extend the other destroys the log's credit: the caller must rule that out.
    pub fn sign(&self, log: &SignerKey) -> Result<String, CheckpointError> {
        if log.verifier().name() == &self.origin {
            Ok(log.sign_text(&self.to_string()).to_string())
        } else {
            Err(CheckpointError::NotTheLogs { origin: self.origin.clone() })
        }
    }
}

impl fmt::Display for Checkpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{}\n{}\n{}", self.origin, self.size, self.root.to_base64())
    }
}

impl FromStr for Checkpoint {
    type Err = CheckpointError;

    fn from_str(text: &str) -> Result<Self, CheckpointError> {
        parse(text).ok_or(CheckpointError::Malformed)
    }
}

fn parse(text: &str) -> Option<Checkpoint> {
    let mut lines = text.strip_suffix('\n')?.split('\n');
    let checkpoint = Checkpoint {
        origin: lines.next()?.parse().ok()?,
        size: decimal(lines.next()?)?,
        root: Hash::from_base64(lines.next()?).ok()?,
    };
    lines.next().is_none().then_some(checkpoint)
}

/// Why bytes are not a checkpoint to be believed.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum CheckpointError {
    /// The note around it is malformed, or not signed by a known key.
    #[error(transparent)]
    Note(#[from] NoteError),
    /// The note's text is no checkpoint.
    #[error("not a checkpoint: expected the three lines origin, size and base64 root, and no others")]
    Malformed,
    /// It is another log's.
    #[error("this is a checkpoint of {found}, not of {expected}")]
    OtherLog {
        /// The log asked for.
        expected: String,
        /// The origin that the checkpoint names.
        found: KeyName,
    },
    /// The key of this signer or verifier is not the log's own.
    #[error("a checkpoint of {origin} must be signed by a key of that name")]
    NotTheLogs {
        /// The checkpoint's log.
        origin: KeyName,
    },
}

/// A checkpoint that its log has signed. Only [`open`] makes one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Opened {
    checkpoint: Checkpoint,
    note: Verified,
}

impl Opened {
    /// What the log states.
    pub fn checkpoint(&self) -> &Checkpoint {
        &self.checkpoint
    }

    /// Who signed it: the log, and the witnesses among the known keys.
    pub fn note(&self) -> &Verified {
        &self.note
    }
}

/// Opens the checkpoint of the log `origin`, which that log must have signed with one of `keys`.
///
/// The other keys may be those of witnesses; a note that only they have signed is not the log's statement.
pub fn open(bytes: &[u8], keys: &[VerifierKey], origin: &str) -> Result<Opened, CheckpointError> {
    let note = note::open(bytes, keys)?;
    let checkpoint: Checkpoint = note.text().parse()?;
    if checkpoint.origin.as_str() != origin {
        return Err(CheckpointError::OtherLog { expected: origin.to_owned(), found: checkpoint.origin });
    }
    // A witness of the log's name has said that it saw the checkpoint, not that it made it.
    let is_logs =
        |key: &&VerifierKey| matches!(key.public_key(), PublicKey::Ed25519(_)) && *key.name() == checkpoint.origin;
    if keys.iter().filter(is_logs).any(|key| note.signed_by(key)) {
        Ok(Opened { checkpoint, note })
    } else {
        Err(CheckpointError::NotTheLogs { origin: checkpoint.origin })
    }
}
