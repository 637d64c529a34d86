//! Seals a tally and opens sealed bytes: COSE_Sign1 (RFC 9052, tag 18), Ed25519 (RFC 9864, algorithm −19), deterministic
//! CBOR (RFC 8949 section 4.2). `docs/spec/record.md` has the layout.
//!
//! Bytes that are not the one canonical form are refused: two encodings of one tally would be two records for one count.
//! The unprotected header is unsigned, so it has to be empty: anything in it would make malleable duplicates.

use ed25519_dalek::{Signature, Signer, SigningKey, VerifyingKey};
use minicbor::{Decoder, data::Tag};
use sha2::{Digest, Sha256};
use thiserror::Error;

use crate::cbor::{Malformed, Map, decode_protected, encode, protected_header};
use crate::definition::{ContestNo, DefinitionHash, Figure, Phase, StationNo};
use crate::tally::{Stage, Tally};

/// Payload format written and accepted.
pub const FORMAT: u8 = 1;
/// Longest sealed record that there can be: [`Tally::MAX_LINES`] lines, and every figure present and as long as it gets.
/// With its header it fits a UDP datagram, and what is longer is known to be foreign before it is read.
pub const MAX_LEN: usize = 20_732;

const TAG_SIGN1: u64 = 18;
const KID_LEN: usize = 8;

/// Names a public key: the first 8 bytes of its SHA-256.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct KeyId(pub [u8; KID_LEN]);

impl KeyId {
    /// The id of a public key.
    pub fn of(public: &[u8; 32]) -> Self {
        let mut id = [0; KID_LEN];
        id.copy_from_slice(&Sha256::digest(public)[..KID_LEN]);
        Self(id)
    }
}

/// SHA-256 of sealed bytes: the identity of a record.
pub type RecordDigest = [u8; 32];

/// A sealed tally record: the bytes that every carrier carries.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SealedRecord(Vec<u8>);

impl SealedRecord {
    /// Takes back bytes that [`seal`] made, from a file for example; refuses any but the canonical form.
    pub fn from_bytes(bytes: Vec<u8>) -> Result<Self, OpenError> {
        open(&bytes)?;
        Ok(Self(bytes))
    }

    /// The COSE_Sign1 bytes.
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }

    /// The COSE_Sign1 bytes.
    pub fn into_bytes(self) -> Vec<u8> {
        self.0
    }

    /// The record's identity.
    pub fn digest(&self) -> RecordDigest {
        Sha256::digest(&self.0).into()
    }
}

/// Why bytes are not a sealed record. Nothing was checked about who signed them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum OpenError {
    /// Longer than [`MAX_LEN`].
    #[error("{0} bytes are too long for a record")]
    TooLong(usize),
    /// Not CBOR of the expected shape.
    #[error("not a COSE_Sign1 tally record: {0} is missing or malformed")]
    Malformed(&'static str),
    /// Another payload format.
    #[error("payload format {0} is not supported; update this program")]
    Format(u8),
    /// Decodes, but is not the canonical encoding of what it says.
    #[error("the encoding is not the canonical one; the record was altered or made by a faulty program")]
    NotCanonical,
}

impl From<Malformed> for OpenError {
    fn from(Malformed(what): Malformed) -> Self {
        Self::Malformed(what)
    }
}

/// The signature does not hold for the key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[error("the signature does not hold for the station's key")]
pub struct BadSignature;

/// An opened record: its structure holds, its signature has not been checked yet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OpenRecord {
    /// Which key claims to have signed.
    pub key_id: KeyId,
    /// What is stated.
    pub tally: Tally,
    signature: [u8; 64],
    signed: Vec<u8>,
}

impl OpenRecord {
    /// Checks the signature with `verify_strict`, which refuses small-order keys and malleable signatures.
    pub fn verify(&self, key: &VerifyingKey) -> Result<(), BadSignature> {
        key.verify_strict(&self.signed, &Signature::from_bytes(&self.signature)).map_err(|_| BadSignature)
    }
}

/// Seals a tally with the station's signing key.
pub fn seal(tally: &Tally, key: &SigningKey) -> SealedRecord {
    let protected = protected_header(KeyId::of(key.verifying_key().as_bytes()));
    let payload = encode_payload(tally);
    let signature = key.sign(&signature_input(&protected, &payload)).to_bytes();
    SealedRecord(envelope(&protected, &payload, &signature))
}

/// Opens sealed bytes and refuses any but the canonical form.
pub fn open(bytes: &[u8]) -> Result<OpenRecord, OpenError> {
    if bytes.len() > MAX_LEN {
        return Err(OpenError::TooLong(bytes.len()));
    }
    let (protected, payload, signature) = split_envelope(bytes)?;
    let key_id = decode_protected(protected)?;
    let tally = decode_payload(payload)?;
    if protected != protected_header(key_id)
        || payload != encode_payload(&tally)
        || bytes != envelope(protected, payload, &signature)
    {
        return Err(OpenError::NotCanonical);
    }
    Ok(OpenRecord { key_id, tally, signature, signed: signature_input(protected, payload) })
}

type Parts<'a> = (&'a [u8], &'a [u8], [u8; 64]);

fn split_envelope(bytes: &[u8]) -> Result<Parts<'_>, OpenError> {
    let malformed = |what| move |_| OpenError::Malformed(what);
    let mut d = Decoder::new(bytes);
    if d.tag().map_err(malformed("tag 18"))? != Tag::new(TAG_SIGN1) {
        return Err(OpenError::Malformed("tag 18"));
    }
    if d.array().map_err(malformed("array of 4"))? != Some(4) {
        return Err(OpenError::Malformed("array of 4"));
    }
    let protected = d.bytes().map_err(malformed("protected header"))?;
    if d.map().map_err(malformed("empty unprotected header"))? != Some(0) {
        return Err(OpenError::Malformed("empty unprotected header"));
    }
    let payload = d.bytes().map_err(malformed("payload"))?;
    let signature = d.bytes().ok().and_then(|s| s.try_into().ok()).ok_or(OpenError::Malformed("signature"))?;
    if d.position() != bytes.len() {
        return Err(OpenError::Malformed("end of record"));
    }
    Ok((protected, payload, signature))
}

fn envelope(protected: &[u8], payload: &[u8], signature: &[u8; 64]) -> Vec<u8> {
    encode(|e| {
        e.tag(Tag::new(TAG_SIGN1))?.array(4)?.bytes(protected)?.map(0)?.bytes(payload)?.bytes(signature)?;
        Ok(())
    })
}

/// `Sig_structure` of RFC 9052 section 4.4, with empty external data.
fn signature_input(protected: &[u8], payload: &[u8]) -> Vec<u8> {
    encode(|e| {
        e.array(4)?.str("Signature1")?.bytes(protected)?.bytes(&[])?.bytes(payload)?;
        Ok(())
    })
}

/// Payload keys. Numbers are part of the format; never reuse one.
mod key {
    pub(super) const FORMAT: u8 = 1;
    pub(super) const ELECTION: u8 = 2;
    pub(super) const PHASE: u8 = 3;
    pub(super) const STAGE: u8 = 4;
    pub(super) const STATION: u8 = 5;
    pub(super) const CONTEST: u8 = 6;
    pub(super) const SEALED_AT: u8 = 7;
    pub(super) const COUNTS: u8 = 8;
    /// The figures of `Figure::ALL` follow each other from here: 9 to 13.
    pub(super) const FIRST_FIGURE: u8 = 9;
    pub(super) const IMAGES: u8 = 14;
}

const MANDATORY_KEYS: u64 = 8;

fn encode_payload(tally: &Tally) -> Vec<u8> {
    let stated =
        || (key::FIRST_FIGURE..).zip(Figure::ALL).filter_map(|(key, figure)| Some((key, tally.figure(figure)?)));
    let keys = MANDATORY_KEYS + stated().count() as u64 + u64::from(!tally.images.is_empty());
    encode(|e| {
        e.map(keys)?.u8(key::FORMAT)?.u8(FORMAT)?.u8(key::ELECTION)?.bytes(&tally.election.0)?;
        e.u8(key::PHASE)?.u8(phase_code(tally.phase))?.u8(key::STAGE)?.u8(tally.stage.code())?;
        e.u8(key::STATION)?.u32(tally.station.0)?.u8(key::CONTEST)?.u16(tally.contest.0)?;
        e.u8(key::SEALED_AT)?.u64(tally.sealed_at)?;
        e.u8(key::COUNTS)?.array(tally.counts.len() as u64)?;
        for &count in &tally.counts {
            e.u32(count)?;
        }
        for (key, value) in stated() {
            e.u8(key)?.u32(value)?;
        }
        if !tally.images.is_empty() {
            e.u8(key::IMAGES)?.array(tally.images.len() as u64)?;
            for image in &tally.images {
                e.bytes(image)?;
            }
        }
        Ok(())
    })
}

pub(crate) fn phase_code(phase: Phase) -> u8 {
    match phase {
        Phase::Drill => 0,
        Phase::Official => 1,
    }
}

fn decode_payload(bytes: &[u8]) -> Result<Tally, OpenError> {
    let mut payload = Map::open(bytes)?;
    match payload.uint(key::FORMAT, "format")? {
        FORMAT => {}
        other => return Err(OpenError::Format(other)),
    }
    let mut tally = Tally {
        election: DefinitionHash(payload.bytes(key::ELECTION, "election")?),
        phase: decode_phase(&mut payload, key::PHASE)?,
        stage: Stage::from_code(payload.uint(key::STAGE, "stage")?).ok_or(OpenError::Malformed("stage"))?,
        station: StationNo(payload.uint(key::STATION, "station")?),
        contest: ContestNo(payload.uint(key::CONTEST, "contest")?),
        sealed_at: payload.uint(key::SEALED_AT, "sealed_at")?,
        counts: decode_counts(&mut payload, key::COUNTS)?,
        blank: None,
        null: None,
        voters: None,
        registered: None,
        total: None,
        images: Vec::new(),
    };
    for (key, figure) in (key::FIRST_FIGURE..).zip(Figure::ALL) {
        if payload.next_is(key) {
            tally.set_figure(figure, Some(payload.uint(key, figure.as_str())?));
        }
    }
    if payload.next_is(key::IMAGES) {
        tally.images = decode_images(&mut payload)?;
    }
    payload.close()?;
    Ok(tally)
}

pub(crate) fn decode_phase(payload: &mut Map<'_>, key: u8) -> Result<Phase, Malformed> {
    match payload.uint::<u8>(key, "phase")? {
        0 => Ok(Phase::Drill),
        1 => Ok(Phase::Official),
        _ => Err(Malformed("phase")),
    }
}

pub(crate) fn decode_counts(payload: &mut Map<'_>, key: u8) -> Result<Vec<u32>, Malformed> {
    let len = payload.array(key, Tally::MAX_LINES, "counts")?;
    (0..len).map(|_| payload.item_u32("counts")).collect()
}

fn decode_images(payload: &mut Map<'_>) -> Result<Vec<[u8; 32]>, OpenError> {
    let len = payload.array(key::IMAGES, Tally::MAX_IMAGES, "images")?;
    if len == 0 {
        return Err(OpenError::NotCanonical);
    }
    Ok((0..len).map(|_| payload.item_bytes("images")).collect::<Result<_, _>>()?)
}
