//! What a log and a witness say to each other: `POST <prefix>/add-checkpoint` and its answers (C2SP tlog-witness v1.0.0).
//!
//! Codecs alone. A witness that answers [`Answer::Cosigned`] has verified the consistency proof against the checkpoint that it
//! cosigned last, and has stored the new one in its place, both as one step that no other request can come between.

use std::{fmt, str};

use sha2::{Digest, Sha256};
use thiserror::Error;

use crate::{
    checkpoint::{Checkpoint, CheckpointError},
    encoding::decimal,
    merkle::Hash,
    note::{KeyName, MAX_NOTE_LEN, MAX_SIGNATURES, NoteError, NoteSignature, SignedNote},
};

/// What follows a witness's submission prefix in the URL that a checkpoint is posted to.
pub const ADD_CHECKPOINT: &str = "/add-checkpoint";

/// What follows a witness's monitoring prefix in the URL of the checkpoint that it cosigned last for the log of this origin.
pub fn checkpoint_path(origin: &KeyName) -> String {
    format!("/{}/checkpoint", Hash(Sha256::digest(origin.as_str()).into()))
}

/// The most hashes of a consistency proof that a request may have.
pub const MAX_PROOF: usize = 63;

/// The longest body of a request, in bytes: the proof, and a checkpoint of [`MAX_NOTE_LEN`].
pub const MAX_REQUEST_LEN: usize = MAX_NOTE_LEN + 64 * 45;

/// The content type of [`Answer::Conflict`].
const SIZE_TYPE: &str = "text/x.tlog.size";
const TEXT_TYPE: &str = "text/plain; charset=utf-8";

/// A log's request to cosign a checkpoint. Displays as, and parses from, the body of the request. Nothing in it is verified.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AddCheckpoint {
    old_size: u64,
    proof: Vec<Hash>,
    note: SignedNote,
    checkpoint: Checkpoint,
}

/// Why bytes are no request; a witness answers it with [`Answer::Malformed`].
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum RequestError {
    /// The lines before the checkpoint are not as they must be.
    #[error(
        "not a request to add a checkpoint: expected 'old N', base64 hashes one a line, a blank line and a checkpoint"
    )]
    Malformed,
    /// More than [`MAX_PROOF`] hashes.
    #[error("the consistency proof has more than {MAX_PROOF} hashes")]
    LongProof,
    /// What follows is no signed checkpoint.
    #[error(transparent)]
    Checkpoint(#[from] CheckpointError),
}

impl AddCheckpoint {
    /// Asks for a cosignature of `note`, which is a checkpoint, with the proof that it extends the log's first `old_size` entries.
    /// The proof is empty if `old_size` is 0 or the checkpoint's own.
    pub fn new(old_size: u64, proof: Vec<Hash>, note: SignedNote) -> Result<Self, RequestError> {
        if proof.len() > MAX_PROOF {
            return Err(RequestError::LongProof);
        }
        let checkpoint = note.text().parse()?;
        Ok(Self { old_size, proof, note, checkpoint })
    }

    /// Reads the body of a request.
    pub fn parse(body: &[u8]) -> Result<Self, RequestError> {
        let text = str::from_utf8(body).map_err(|_| RequestError::Malformed)?;
        let (head, note) = text.split_once("\n\n").ok_or(RequestError::Malformed)?;
        let mut lines = head.split('\n');
        let old_size =
            lines.next().and_then(|line| decimal(line.strip_prefix("old ")?)).ok_or(RequestError::Malformed)?;
        let hashes = lines.take(MAX_PROOF + 1).map(Hash::from_base64);
        let proof = hashes.collect::<Result<_, _>>().map_err(|_| RequestError::Malformed)?;
        Self::new(old_size, proof, SignedNote::parse(note.as_bytes()).map_err(CheckpointError::from)?)
    }

    /// Size of the tree that the proof starts from: what the log believes the witness to have cosigned last, 0 if nothing.
    pub fn old_size(&self) -> u64 {
        self.old_size
    }

    /// The consistency proof from `old_size` to the checkpoint's size.
    pub fn proof(&self) -> &[Hash] {
        &self.proof
    }

    /// The checkpoint as it came, with its signatures.
    pub fn note(&self) -> &SignedNote {
        &self.note
    }

    /// What the checkpoint states, not yet believed.
    pub fn checkpoint(&self) -> &Checkpoint {
        &self.checkpoint
    }
}

impl fmt::Display for AddCheckpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "old {}", self.old_size)?;
        self.proof.iter().try_for_each(|hash| writeln!(f, "{}", hash.to_base64()))?;
        write!(f, "\n{}", self.note)
    }
}

/// A witness's answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Answer {
    /// 200: the cosignatures of the witness's keys, at least one. A log ignores those of keys that it does not know.
    Cosigned(Vec<NoteSignature>),
    /// 400: no request, or the old size is larger than the checkpoint's.
    Malformed,
    /// 403: no key that the witness trusts for this log signed the checkpoint.
    NotSigned,
    /// 404: the witness does not know the log.
    UnknownLog,
    /// 409: the old size is not that of the checkpoint that the witness cosigned last; this one is.
    Conflict {
        /// Size of the tree cosigned last, 0 if none.
        size: u64,
    },
    /// 422: the proof does not hold, or the checkpoint has the same size as the last and another root.
    Inconsistent,
}

/// Why a response says nothing of a checkpoint.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum AnswerError {
    /// A status that the protocol does not give a meaning, such as one of a proxy or of a server that fails.
    #[error("the witness answered with the status {0}: try later")]
    Status(u16),
    /// 200 without cosignatures in their form.
    #[error("the witness's answer is not of lines '— name base64'")]
    Cosignatures,
    /// More than [`MAX_SIGNATURES`].
    #[error(transparent)]
    Note(#[from] NoteError),
    /// 409 without a size in its form.
    #[error("the witness knows another tree, and its answer is not a size as {SIZE_TYPE}")]
    Size,
}

impl Answer {
    /// The HTTP status.
    pub fn status(&self) -> u16 {
        match self {
            Self::Cosigned(_) => 200,
            Self::Malformed => 400,
            Self::NotSigned => 403,
            Self::UnknownLog => 404,
            Self::Conflict { .. } => 409,
            Self::Inconsistent => 422,
        }
    }

    /// The value of the header `Content-Type`.
    pub fn content_type(&self) -> &'static str {
        if matches!(self, Self::Conflict { .. }) { SIZE_TYPE } else { TEXT_TYPE }
    }

    /// The body; for people where the protocol gives it no form.
    pub fn body(&self) -> String {
        match self {
            Self::Cosigned(signatures) => signatures.iter().map(|signature| format!("{signature}\n")).collect(),
            Self::Malformed => {
                "not a request to add a checkpoint, or the old size is larger than the checkpoint's\n".into()
            }
            Self::NotSigned => "no known key of the log signed this checkpoint\n".into(),
            Self::UnknownLog => "this witness does not know the log\n".into(),
            Self::Conflict { size } => format!("{size}\n"),
            Self::Inconsistent => {
                "the checkpoint is not shown to extend the one that this witness cosigned last\n".into()
            }
        }
    }

    /// Reads a response: its status, the value of its header `Content-Type`, and its body.
    pub fn parse(status: u16, content_type: Option<&str>, body: &[u8]) -> Result<Self, AnswerError> {
        match status {
            200 => parse_signatures(body).map(Self::Cosigned),
            400 => Ok(Self::Malformed),
            403 => Ok(Self::NotSigned),
            404 => Ok(Self::UnknownLog),
            409 => parse_size(content_type, body).map(|size| Self::Conflict { size }).ok_or(AnswerError::Size),
            422 => Ok(Self::Inconsistent),
            other => Err(AnswerError::Status(other)),
        }
    }
}

fn parse_signatures(body: &[u8]) -> Result<Vec<NoteSignature>, AnswerError> {
    if body.len() > MAX_NOTE_LEN {
        return Err(NoteError::TooLong(body.len()).into());
    }
    let text = str::from_utf8(body).map_err(|_| AnswerError::Cosignatures)?;
    let lines = text.strip_suffix('\n').ok_or(AnswerError::Cosignatures)?;
    if lines.split('\n').nth(MAX_SIGNATURES).is_some() {
        return Err(NoteError::TooManySignatures.into());
    }
    lines.split('\n').map(NoteSignature::parse).collect::<Option<_>>().ok_or(AnswerError::Cosignatures)
}

fn parse_size(content_type: Option<&str>, body: &[u8]) -> Option<u64> {
    // Parameters such as a charset may follow the type (RFC 9110 section 8.3.1).
    let media_type = content_type?.split(';').next()?.trim();
    let size = str::from_utf8(body).ok()?.strip_suffix('\n')?;
    if media_type.eq_ignore_ascii_case(SIZE_TYPE) { decimal(size) } else { None }
}
