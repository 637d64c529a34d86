//! A sealed record together with the proof that it is in the log: one datagram, or one QR code on the paper. Whoever reads it needs the
//! log's key and the trust policy, and no network.
//!
//! | offset | field |
//! |---|---|
//! | 0 | magic `TP`, version 1, kind 3 |
//! | 4 | length of the record, u16, big-endian |
//! | 6 | the sealed record |
//! | 6 + length | the compact receipt (`docs/spec/receipt.md`), to the end |
//!
//! The centre's gate takes no datagram of this kind: a record that is in the log need not be sent again.

use thiserror::Error;

use crate::cose::SealedRecord;
use crate::frame::{Kind, MAGIC, VERSION};

const START: [u8; 4] = [MAGIC[0], MAGIC[1], VERSION, Kind::Proven.code()];

/// The two parts, not looked into.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Proven<'a> {
    /// What should be a sealed record.
    pub record: &'a [u8],
    /// What should be a compact receipt of it.
    pub receipt: &'a [u8],
}

/// Why bytes are not a record with its proof.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum ProvenError {
    /// Another magic, version or kind.
    #[error("not a record with its proof")]
    Magic,
    /// One of the two parts is cut short or missing.
    #[error("the record with its proof is cut short")]
    Short,
}

impl<'a> Proven<'a> {
    /// Cuts the bytes at the length that they state.
    pub fn parse(bytes: &'a [u8]) -> Result<Self, ProvenError> {
        let rest = bytes.strip_prefix(&START).ok_or(ProvenError::Magic)?;
        let (length, rest) = rest.split_first_chunk().ok_or(ProvenError::Short)?;
        let (record, receipt) =
            rest.split_at_checked(usize::from(u16::from_be_bytes(*length))).ok_or(ProvenError::Short)?;
        if record.is_empty() || receipt.is_empty() { Err(ProvenError::Short) } else { Ok(Self { record, receipt }) }
    }
}

/// Puts a record and its compact receipt together.
pub fn encode(record: &SealedRecord, receipt: &[u8]) -> Vec<u8> {
    let record = record.as_bytes();
    // No sealed record is longer than cose::MAX_LEN.
    let length = u16::try_from(record.len()).unwrap_or(u16::MAX);
    [&START, length.to_be_bytes().as_slice(), record, receipt].concat()
}
