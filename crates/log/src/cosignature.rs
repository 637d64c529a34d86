//! Cosignatures: a witness's statement that, at a certain time, the largest tree of a log that it had seen, consistent with all
//! it had seen before, was the one of this checkpoint (C2SP tlog-cosignature v1.1.0-rc.1: Ed25519, and ML-DSA-44 of FIPS 204).
//!
//! What an Ed25519 witness signs does not name it: a key must never serve two witnesses, or one would speak for the other.

use std::fmt;

use ed25519_dalek::{Signature, Signer, SigningKey, VerifyingKey};
use ml_dsa::{MlDsa44, signature::Verifier};
use thiserror::Error;

use crate::{
    checkpoint::Checkpoint,
    note::{KeyName, NoteSignature, PublicKey, VerifierKey},
};

/// The last time that a cosignature can state, in seconds since 1970.
pub const MAX_TIME: u64 = u64::MAX >> 1;

/// A named secret key of a witness. It never displays its secret, and is wiped from memory.
pub struct CosignerKey {
    verifier: VerifierKey,
    secret: Secret,
}

enum Secret {
    Ed25519(Box<SigningKey>),
    MlDsa44(Box<ml_dsa::SigningKey<MlDsa44>>),
}

/// Why a checkpoint cannot be cosigned.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum CosignError {
    /// The time lies beyond [`MAX_TIME`].
    #[error("a cosignature cannot state the time {0}: set the clock")]
    Time(u64),
    /// What ML-DSA-44 signs has room for names of 255 bytes.
    #[error("an ML-DSA-44 cosignature cannot name {0}: use a name of at most 255 bytes")]
    LongName(KeyName),
}

impl CosignerKey {
    /// The Ed25519 key with this name and this secret seed (RFC 8032 section 5.1.5), which the caller keeps safe and gives to no
    /// other witness.
    pub fn ed25519(name: KeyName, seed: &[u8; 32]) -> Self {
        let secret = SigningKey::from_bytes(seed);
        let verifier = VerifierKey::new(name, PublicKey::Ed25519Cosigner(secret.verifying_key()));
        Self { verifier, secret: Secret::Ed25519(Box::new(secret)) }
    }

    /// The ML-DSA-44 key with this name and this secret seed (FIPS 204 section 6.1), which the caller keeps safe.
    pub fn ml_dsa_44(name: KeyName, seed: &[u8; 32]) -> Self {
        let secret = Box::new(ml_dsa::SigningKey::<MlDsa44>::from_seed(&(*seed).into()));
        let public = secret.expanded_key().verifying_key().encode();
        let verifier = VerifierKey::new(name, PublicKey::MlDsa44Cosigner(MlDsa44Key::new(&public.into())));
        Self { verifier, secret: Secret::MlDsa44(secret) }
    }

    /// The public half.
    pub fn verifier(&self) -> &VerifierKey {
        &self.verifier
    }

    /// Cosigns the checkpoint, as seen at `time`, in seconds since 1970.
    ///
    /// Cosigning a checkpoint that does not extend every one cosigned before destroys the witness's credit: the caller must have
    /// verified that, and have stored the checkpoint, before it asks.
    pub fn cosign(&self, checkpoint: &Checkpoint, time: u64) -> Result<NoteSignature, CosignError> {
        if time > MAX_TIME {
            return Err(CosignError::Time(time));
        }
        let name = self.verifier.name();
        let signature = match &self.secret {
            Secret::Ed25519(key) => {
                key.sign(ed25519_message(time, &checkpoint.to_string()).as_bytes()).to_bytes().to_vec()
            }
            Secret::MlDsa44(key) => key.sign(&ml_dsa_44_message(name, time, checkpoint)?).encode().to_vec(),
        };
        Ok(self.verifier.signature(join(time, &signature)))
    }
}

impl fmt::Debug for CosignerKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CosignerKey").field("verifier", &self.verifier).finish_non_exhaustive()
    }
}

/// A witness's ML-DSA-44 public key as it is encoded, which any bytes of this length can be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MlDsa44Key(Box<[u8; MlDsa44Key::LEN]>);

impl MlDsa44Key {
    /// Bytes in a key.
    pub const LEN: usize = 1_312;

    pub(crate) fn new(key: &[u8; Self::LEN]) -> Self {
        Self(Box::new(*key))
    }

    /// The key as encoded (FIPS 204 algorithm 22).
    pub fn as_bytes(&self) -> &[u8; Self::LEN] {
        &self.0
    }

    /// Whether the bytes are this witness's cosignature of the checkpoint with this note text.
    pub(crate) fn cosigned(&self, name: &KeyName, text: &str, bytes: &[u8]) -> bool {
        let Some((time, signature)) = split(bytes) else { return false };
        let Ok(signature) = ml_dsa::Signature::<MlDsa44>::try_from(signature) else { return false };
        let Ok(message) = text.parse().map(|checkpoint| ml_dsa_44_message(name, time, &checkpoint)) else {
            return false;
        };
        let key = ml_dsa::VerifyingKey::<MlDsa44>::decode(&(*self.0).into());
        message.is_ok_and(|message| key.verify(&message, &signature).is_ok())
    }
}

/// Whether the bytes are this Ed25519 witness's cosignature of the checkpoint with this note text.
pub(crate) fn holds(key: &VerifyingKey, text: &str, bytes: &[u8]) -> bool {
    let Some((time, signature)) = split(bytes) else { return false };
    let Ok(signature) = Signature::from_slice(signature) else { return false };
    key.verify_strict(ed25519_message(time, text).as_bytes(), &signature).is_ok()
}

/// What a signature line holds: `time ‖ signature`.
pub(crate) fn join(time: u64, signature: &[u8]) -> Vec<u8> {
    [time.to_be_bytes().as_slice(), signature].concat()
}

/// The time and the signature proper of `time ‖ signature`.
pub(crate) fn split(bytes: &[u8]) -> Option<(u64, &[u8])> {
    let (time, signature) = bytes.split_first_chunk()?;
    let time = u64::from_be_bytes(*time);
    (time <= MAX_TIME).then_some((time, signature))
}

fn ed25519_message(time: u64, text: &str) -> String {
    format!("cosignature/v1\ntime {time}\n{text}")
}

/// The structure `cosigned_message` for a whole tree.
fn ml_dsa_44_message(name: &KeyName, time: u64, checkpoint: &Checkpoint) -> Result<Vec<u8>, CosignError> {
    let mut message = b"subtree/v1\n\0".to_vec();
    push_name(&mut message, name)?;
    message.extend_from_slice(&time.to_be_bytes());
    push_name(&mut message, &checkpoint.origin)?;
    message.extend_from_slice(&0_u64.to_be_bytes());
    message.extend_from_slice(&checkpoint.size.to_be_bytes());
    message.extend_from_slice(checkpoint.root.as_bytes());
    Ok(message)
}

fn push_name(message: &mut Vec<u8>, name: &KeyName) -> Result<(), CosignError> {
    let length = u8::try_from(name.as_str().len()).map_err(|_| CosignError::LongName(name.clone()))?;
    message.push(length);
    message.extend_from_slice(name.as_str().as_bytes());
    Ok(())
}
