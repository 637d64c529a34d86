//! What a log entry's bytes mean: one type byte, then the body. The log itself sees opaque leaves.

use thiserror::Error;

/// A log entry.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Entry<'a> {
    /// Entry 0: the definition manifest of the election.
    Definition(&'a [u8]),
    /// A sealed tally record.
    Record(&'a [u8]),
}

/// Why bytes are not a log entry that this program understands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum EntryError {
    /// No bytes at all.
    #[error("the entry is empty")]
    Empty,
    /// A type byte that this version does not know. 1 (key) and 3 to 6 (endorsement, correction, bulletin, policy) are reserved.
    #[error("entry type {0} is not known to this version")]
    Unknown(u8),
}

const DEFINITION: u8 = 0;
const RECORD: u8 = 2;

impl<'a> Entry<'a> {
    /// Reads the type byte.
    pub fn decode(bytes: &'a [u8]) -> Result<Self, EntryError> {
        match bytes.split_first() {
            None => Err(EntryError::Empty),
            Some((&DEFINITION, body)) => Ok(Self::Definition(body)),
            Some((&RECORD, body)) => Ok(Self::Record(body)),
            Some((&other, _)) => Err(EntryError::Unknown(other)),
        }
    }

    /// The entry's bytes.
    pub fn encode(&self) -> Vec<u8> {
        let (kind, body) = match *self {
            Self::Definition(body) => (DEFINITION, body),
            Self::Record(body) => (RECORD, body),
        };
        let mut bytes = Vec::with_capacity(1 + body.len());
        bytes.push(kind);
        bytes.extend_from_slice(body);
        bytes
    }
}
