//! What a log entry's bytes mean: one type byte, then the body. The log itself sees opaque leaves.

use thiserror::Error;

use crate::cose::RecordDigest;
use crate::definition::{ContestNo, StationNo};
use crate::statement::{Kind, StatementId};

/// A log entry.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Entry<'a> {
    /// Entry 0: the definition manifest of the election.
    Definition(&'a [u8]),
    /// A sealed tally record.
    Record(&'a [u8]),
    /// A signed statement, and the kind that its type byte announces.
    Statement(Kind, &'a [u8]),
}

/// Why bytes are not a log entry that this program understands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum EntryError {
    /// No bytes at all.
    #[error("the entry is empty")]
    Empty,
    /// A type byte that this version does not know.
    #[error("entry type {0} is not known to this version")]
    Unknown(u8),
}

const DEFINITION: u8 = 0;
const RECORD: u8 = 2;

impl<'a> Entry<'a> {
    /// Reads the type byte.
    pub fn decode(bytes: &'a [u8]) -> Result<Self, EntryError> {
        let (&kind, body) = bytes.split_first().ok_or(EntryError::Empty)?;
        match kind {
            DEFINITION => Ok(Self::Definition(body)),
            RECORD => Ok(Self::Record(body)),
            other => Kind::from_code(other).map(|kind| Self::Statement(kind, body)).ok_or(EntryError::Unknown(other)),
        }
    }

    /// The entry's bytes.
    pub fn encode(&self) -> Vec<u8> {
        let (kind, body) = match *self {
            Self::Definition(body) => (DEFINITION, body),
            Self::Record(body) => (RECORD, body),
            Self::Statement(kind, body) => (kind.code(), body),
        };
        let mut bytes = Vec::with_capacity(1 + body.len());
        bytes.push(kind);
        bytes.extend_from_slice(body);
        bytes
    }
}

/// An entry's place among those between two checkpoints: nothing that the network has a say in (`docs/adr/0003`). Keys come
/// first, so that a record finds its key; what speaks of records comes after them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Place {
    /// A key change.
    Key(StatementPlace),
    /// A record: by station, contest and digest.
    Record(StationNo, ContestNo, RecordDigest),
    /// An endorsement.
    Endorsement(StatementPlace),
    /// A correction.
    Correction(StatementPlace),
    /// A policy.
    Policy(StatementPlace),
    /// A bulletin.
    Bulletin(StatementPlace),
}

/// Orders statements of one kind.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct StatementPlace {
    /// When it was drafted.
    pub made_at: u64,
    /// Its identity.
    pub id: StatementId,
    /// SHA-256 of its bytes: copies of one statement differ in who signed them.
    pub copy: [u8; 32],
}

impl Place {
    /// The place of a statement of this kind.
    pub fn of_statement(kind: Kind, place: StatementPlace) -> Self {
        match kind {
            Kind::Key => Self::Key(place),
            Kind::Endorsement => Self::Endorsement(place),
            Kind::Correction => Self::Correction(place),
            Kind::Policy => Self::Policy(place),
            Kind::Bulletin => Self::Bulletin(place),
        }
    }
}
