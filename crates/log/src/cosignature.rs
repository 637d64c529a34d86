//! Cosignatures: a witness's statement that, at a certain time, the largest tree of a log that it had seen, consistent with all
//! it had seen before, was the one of this checkpoint (C2SP tlog-cosignature v1.0.1, Ed25519).
//!
//! What is signed does not name the witness: a key must never serve two witnesses, or one would speak for the other.

use std::fmt;

use ed25519_dalek::{Signature, Signer, SigningKey, VerifyingKey};
use thiserror::Error;

use crate::{
    checkpoint::Checkpoint,
    note::{KeyName, NoteSignature, PublicKey, VerifierKey},
};

/// The last time that a cosignature can state, in seconds since 1970.
pub const MAX_TIME: u64 = u64::MAX >> 1;

/// A named Ed25519 secret key of a witness. It never displays its secret.
pub struct CosignerKey {
    verifier: VerifierKey,
    secret: SigningKey,
}

/// The time lies beyond [`MAX_TIME`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("a cosignature cannot state the time {0}: set the clock")]
pub struct TimeError(u64);

impl CosignerKey {
    /// The key with this name and this 32-byte secret seed (RFC 8032 section 5.1.5), which the caller keeps safe and gives to no
    /// other witness.
    pub fn new(name: KeyName, seed: &[u8; 32]) -> Self {
        let secret = SigningKey::from_bytes(seed);
        Self { verifier: VerifierKey::new(name, PublicKey::Ed25519Cosigner(secret.verifying_key())), secret }
    }

    /// The public half.
    pub fn verifier(&self) -> &VerifierKey {
        &self.verifier
    }

    /// Cosigns the checkpoint, as seen at `time`, in seconds since 1970.
    ///
    /// Cosigning a checkpoint that does not extend every one cosigned before destroys the witness's credit: the caller must have
    /// verified that, and have stored the checkpoint, before it asks.
    pub fn cosign(&self, checkpoint: &Checkpoint, time: u64) -> Result<NoteSignature, TimeError> {
        if time > MAX_TIME {
            return Err(TimeError(time));
        }
        let signature = self.secret.sign(message(time, &checkpoint.to_string()).as_bytes());
        Ok(NoteSignature {
            name: self.verifier.name().clone(),
            key_id: self.verifier.id(),
            signature: [time.to_be_bytes().as_slice(), &signature.to_bytes()].concat(),
        })
    }
}

impl fmt::Debug for CosignerKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CosignerKey").field("verifier", &self.verifier).finish_non_exhaustive()
    }
}

fn message(time: u64, text: &str) -> String {
    format!("cosignature/v1\ntime {time}\n{text}")
}

/// The time and the Ed25519 signature of `time ‖ signature`.
pub(crate) fn split(bytes: &[u8]) -> Option<(u64, Signature)> {
    let (time, signature) = bytes.split_first_chunk()?;
    let time = u64::from_be_bytes(*time);
    (time <= MAX_TIME).then_some((time, Signature::from_slice(signature).ok()?))
}

/// Whether the bytes are this witness's cosignature of the checkpoint with this note text.
pub(crate) fn holds(key: &VerifyingKey, text: &str, bytes: &[u8]) -> bool {
    split(bytes).is_some_and(|(time, signature)| key.verify_strict(message(time, text).as_bytes(), &signature).is_ok())
}
