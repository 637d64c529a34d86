//! The datagram around a sealed record: a fixed 48-byte header with a keyed tag, so that unauthenticated bytes cost
//! one SipHash and nothing else. Offsets are fixed so that a socket filter and this code check the same bytes.
//!
//! | offset | field |
//! |---|---|
//! | 0 | magic `TP`, version, kind |
//! | 4 | station number, u32 |
//! | 8 | key epoch, u32 |
//! | 12 | attempt, u32: a coarse clock, strictly rising per station |
//! | 16 | digest: first 24 bytes of the SHA-256 of the body |
//! | 40 | tag: SipHash-2-4 under the station's MAC key over bytes 0..40 |
//! | 48 | body: the sealed record, exact length |
//!
//! All integers are big-endian. The tag buys a signature check and nothing more; authority stays with the signature.

use std::hash::Hasher;

use hkdf::Hkdf;
use sha2::{Digest, Sha256};
use siphasher::sip::SipHasher24;
use thiserror::Error;

use crate::cose::RecordDigest;
use crate::definition::{DefinitionHash, StationNo};

/// Bytes before the body.
pub const HEADER_LEN: usize = 48;
/// First two bytes of every datagram.
pub const MAGIC: [u8; 2] = *b"TP";
/// Version of the header.
pub const VERSION: u8 = 1;
/// Length of one attempt tick.
pub const ATTEMPT_MILLIS: u64 = 250;
/// Attempts farther than this from the receiver's clock are dropped: one hour.
pub const ATTEMPT_WINDOW: u32 = 4 * 3600;

/// How every datagram that carries a record begins: magic, version, kind.
pub const RECORD_START: [u8; 4] = [MAGIC[0], MAGIC[1], VERSION, Kind::Record.code()];

const TAGGED: usize = 40;
const DIGEST_LEN: usize = 24;
/// When attempt ticks begin: 2020-01-01T00:00:00Z, in milliseconds since 1970. They fit a u32 until 2054.
pub const ATTEMPT_ORIGIN_MILLIS: u64 = 1_577_836_800_000;

/// What a datagram carries.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A sealed record, station to centre.
    Record,
    /// A receipt, centre to station.
    Receipt,
    /// A sealed record with the proof that it is in the log, to whoever wants it.
    Proven,
}

impl Kind {
    /// Byte at offset 3.
    pub const fn code(self) -> u8 {
        match self {
            Self::Record => 1,
            Self::Receipt => 2,
            Self::Proven => 3,
        }
    }
}

/// The secret that buys one station's datagrams a signature check. Never the signing key.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct MacKey(pub [u8; 16]);

impl std::fmt::Debug for MacKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("MacKey(secret)")
    }
}

impl MacKey {
    /// K_station = HKDF-SHA256 (RFC 5869) of the centre's master secret, bound to election, epoch and station.
    pub fn derive(master: &[u8; 32], election: &DefinitionHash, epoch: u32, station: StationNo) -> Self {
        let mut info = *b"tallyproof/mac/v1\0........";
        info[18..22].copy_from_slice(&epoch.to_be_bytes());
        info[22..26].copy_from_slice(&station.0.to_be_bytes());
        let mut key = [0; 16];
        let expanded = Hkdf::<Sha256>::new(Some(&election.0), master).expand(&info, &mut key);
        debug_assert!(expanded.is_ok(), "16 bytes are a valid HKDF length");
        Self(key)
    }

    fn tag(&self, header: &[u8]) -> [u8; 8] {
        let mut hasher = SipHasher24::new_with_key(&self.0);
        hasher.write(header);
        hasher.finish().to_le_bytes()
    }
}

/// The fields of a header.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Header {
    /// Who sends.
    pub station: StationNo,
    /// Which generation of keys.
    pub epoch: u32,
    /// Coarse clock, strictly rising per station: a replayed datagram has an old one.
    pub attempt: u32,
    /// First 24 bytes of the SHA-256 of the body.
    pub digest: [u8; DIGEST_LEN],
}

/// Why a datagram is dropped without an answer. The order is the order of the checks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Error)]
pub enum FrameError {
    /// Shorter than a header and one byte.
    #[error("too short")]
    Short,
    /// Another magic, version or kind.
    #[error("not a Tallyproof record datagram")]
    Magic,
    /// The keyed tag does not hold.
    #[error("bad tag")]
    Tag,
    /// The body is not the one that the header names.
    #[error("digest does not match the body")]
    Digest,
}

/// A parsed datagram. Nothing about it is authentic until [`Frame::authenticate`] says so.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Frame<'a> {
    /// The claimed header.
    pub header: Header,
    /// The sealed record's bytes.
    pub body: &'a [u8],
    tagged: &'a [u8],
    tag: [u8; 8],
}

impl<'a> Frame<'a> {
    /// Cuts a datagram at its fixed offsets: length and magic only, no key needed.
    pub fn parse(datagram: &'a [u8]) -> Result<Self, FrameError> {
        let (head, body) = datagram.split_first_chunk::<HEADER_LEN>().ok_or(FrameError::Short)?;
        if body.is_empty() {
            return Err(FrameError::Short);
        }
        if !head.starts_with(&RECORD_START) {
            return Err(FrameError::Magic);
        }
        let header = Header {
            station: StationNo(u32::from_be_bytes(field(head, 4))),
            epoch: u32::from_be_bytes(field(head, 8)),
            attempt: u32::from_be_bytes(field(head, 12)),
            digest: field(head, 16),
        };
        Ok(Self { header, body, tagged: &datagram[..TAGGED], tag: field(head, TAGGED) })
    }

    /// Checks the keyed tag over the header.
    pub fn authenticate(&self, key: &MacKey) -> Result<(), FrameError> {
        if key.tag(self.tagged) == self.tag { Ok(()) } else { Err(FrameError::Tag) }
    }

    /// Checks that the body is the one that the header names; gives its whole digest, the record's identity.
    pub fn check_digest(&self) -> Result<RecordDigest, FrameError> {
        let digest: RecordDigest = Sha256::digest(self.body).into();
        if digest.starts_with(&self.header.digest) { Ok(digest) } else { Err(FrameError::Digest) }
    }
}

fn field<const N: usize>(head: &[u8; HEADER_LEN], at: usize) -> [u8; N] {
    std::array::from_fn(|i| head[at + i])
}

fn body_digest(body: &[u8]) -> [u8; DIGEST_LEN] {
    let digest: [u8; 32] = Sha256::digest(body).into();
    std::array::from_fn(|i| digest[i])
}

/// Builds the datagram that carries `body`.
pub fn encode(station: StationNo, epoch: u32, attempt: u32, body: &[u8], key: &MacKey) -> Vec<u8> {
    let mut datagram = Vec::with_capacity(HEADER_LEN + body.len());
    datagram.extend_from_slice(&MAGIC);
    datagram.extend_from_slice(&[VERSION, Kind::Record.code()]);
    datagram.extend_from_slice(&station.0.to_be_bytes());
    datagram.extend_from_slice(&epoch.to_be_bytes());
    datagram.extend_from_slice(&attempt.to_be_bytes());
    datagram.extend_from_slice(&body_digest(body));
    let tag = key.tag(&datagram);
    datagram.extend_from_slice(&tag);
    datagram.extend_from_slice(body);
    datagram
}

/// The attempt tick of an instant, given in milliseconds since 1970-01-01T00:00:00Z.
pub fn attempt_at(unix_millis: u64) -> u32 {
    u32::try_from(unix_millis.saturating_sub(ATTEMPT_ORIGIN_MILLIS) / ATTEMPT_MILLIS).unwrap_or(u32::MAX)
}
