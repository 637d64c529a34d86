//! A station's public key, ready to check signatures with.

use ed25519_dalek::VerifyingKey;
use thiserror::Error;

use crate::cose::KeyId;

/// An Ed25519 public key that is safe to enrol, with its id. Decompressing the point costs a tenth of a signature check, so
/// it is done once, when the register is read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StationKey {
    id: KeyId,
    point: VerifyingKey,
}

/// Why 32 bytes are not a key to enrol.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[error("not a usable Ed25519 public key (no point of the curve, or of small order)")]
pub struct UnusableKey;

impl StationKey {
    /// The id that records name this key by.
    pub fn id(&self) -> KeyId {
        self.id
    }

    /// The key itself.
    pub fn verifying(&self) -> &VerifyingKey {
        &self.point
    }

    /// The key's 32 bytes.
    pub fn as_bytes(&self) -> &[u8; 32] {
        self.point.as_bytes()
    }
}

impl TryFrom<[u8; 32]> for StationKey {
    type Error = UnusableKey;

    /// Takes a point of the curve, in its only encoding (a second spelling would pass for a second key), not of small order
    /// (such a key accepts signatures that nobody made).
    fn try_from(bytes: [u8; 32]) -> Result<Self, UnusableKey> {
        let [low, middle @ .., high] = &bytes;
        let beyond_prime = *low >= 0xed && middle.iter().all(|&byte| byte == 0xff) && high & 0x7f == 0x7f;
        let point = VerifyingKey::from_bytes(&bytes).ok().filter(|point| !beyond_prime && !point.is_weak());
        point.map(Self::from).ok_or(UnusableKey)
    }
}

/// The public half of a key that this program made.
impl From<VerifyingKey> for StationKey {
    fn from(point: VerifyingKey) -> Self {
        Self { id: KeyId::of(point.as_bytes()), point }
    }
}
