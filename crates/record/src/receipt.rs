//! The centre's signed promise: this record is durable and will be in the log.
//!
//! A receipt names the record by its full digest, not by a log index: the index is settled when the next checkpoint
//! orders its batch (`docs/adr/0003-order-within-a-batch.md`). The lasting receipt is the public log.
//!
//! | offset | field |
//! |---|---|
//! | 0 | magic `TP`, version 1, kind 2 |
//! | 4 | station number, u32 |
//! | 8 | contest number, u16, then two zero bytes |
//! | 12 | SHA-256 of the sealed record, 32 bytes |
//! | 44 | Ed25519 signature of the log key, 64 bytes |
//!
//! The signature covers `tallyproof/receipt/v1` and a zero byte, the definition hash, then bytes 0..44.

use ed25519_dalek::{Signature, Signer, SigningKey, VerifyingKey};
use thiserror::Error;

use crate::cose::RecordDigest;
use crate::definition::{ContestNo, DefinitionHash, StationNo};
use crate::frame::{Kind, MAGIC, VERSION};

/// Length of a receipt.
pub const LEN: usize = 108;
const SIGNED: usize = 44;
const CONTEXT: &[u8; 22] = b"tallyproof/receipt/v1\0";

/// What a receipt promises about one record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Receipt {
    /// Whose record.
    pub station: StationNo,
    /// In which contest.
    pub contest: ContestNo,
    /// Which record, exactly.
    pub digest: RecordDigest,
}

/// Why bytes are not a receipt of this centre.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum ReceiptError {
    /// Not the fixed layout.
    #[error("not a receipt")]
    Malformed,
    /// The log key did not sign it for this election.
    #[error("the receipt is not signed by this election's log key")]
    Signature,
}

impl Receipt {
    /// Signs the promise. Call only after the record is durable.
    pub fn sign(&self, election: &DefinitionHash, key: &SigningKey) -> [u8; LEN] {
        let mut bytes = [0; LEN];
        bytes[..2].copy_from_slice(&MAGIC);
        bytes[2..4].copy_from_slice(&[VERSION, Kind::Receipt.code()]);
        bytes[4..8].copy_from_slice(&self.station.0.to_be_bytes());
        bytes[8..10].copy_from_slice(&self.contest.0.to_be_bytes());
        bytes[12..SIGNED].copy_from_slice(&self.digest);
        let signature = key.sign(&message(election, &bytes)).to_bytes();
        bytes[SIGNED..].copy_from_slice(&signature);
        bytes
    }

    /// Reads the fields without checking the signature (to route a datagram to its sender).
    pub fn peek(bytes: &[u8]) -> Result<Self, ReceiptError> {
        let bytes: &[u8; LEN] = bytes.try_into().map_err(|_| ReceiptError::Malformed)?;
        let fixed =
            bytes[..2] == MAGIC && bytes[2] == VERSION && bytes[3] == Kind::Receipt.code() && bytes[10..12] == [0, 0];
        if !fixed {
            return Err(ReceiptError::Malformed);
        }
        Ok(Self {
            station: StationNo(u32::from_be_bytes([bytes[4], bytes[5], bytes[6], bytes[7]])),
            contest: ContestNo(u16::from_be_bytes([bytes[8], bytes[9]])),
            digest: std::array::from_fn(|i| bytes[12 + i]),
        })
    }

    /// Reads a receipt and checks that the log key signed it for this election.
    pub fn verify(bytes: &[u8], election: &DefinitionHash, key: &VerifyingKey) -> Result<Self, ReceiptError> {
        let receipt = Self::peek(bytes)?;
        let bytes: &[u8; LEN] = bytes.try_into().map_err(|_| ReceiptError::Malformed)?;
        let signature = Signature::from_bytes(&std::array::from_fn(|i| bytes[SIGNED + i]));
        key.verify_strict(&message(election, bytes), &signature).map_err(|_| ReceiptError::Signature)?;
        Ok(receipt)
    }
}

fn message(election: &DefinitionHash, bytes: &[u8; LEN]) -> Vec<u8> {
    [CONTEXT.as_slice(), &election.0, &bytes[..SIGNED]].concat()
}
