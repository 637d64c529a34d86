//! Seals a tally and opens sealed bytes: COSE_Sign1 (RFC 9052, tag 18), Ed25519 (RFC 9864, algorithm −19), deterministic
//! CBOR (RFC 8949 section 4.2). `docs/spec/record.md` has the layout.
//!
//! Bytes that are not the one canonical form are refused: two encodings of one tally would be two records for one count.
//! The unprotected header is unsigned, so it has to be empty: anything in it would make malleable duplicates.

use ed25519_dalek::{Signature, Signer, SigningKey, VerifyingKey};
use minicbor::{Decoder, Encoder, data::Tag};
use sha2::{Digest, Sha256};
use thiserror::Error;

use crate::definition::{ContestNo, DefinitionHash, Figure, Phase, StationNo};
use crate::tally::{Stage, Tally};

/// Payload format written and accepted.
pub const FORMAT: u8 = 1;
/// Longest sealed record that there can be: [`Tally::MAX_LINES`] lines, and every figure present and as long as it gets.
/// With its header it fits a UDP datagram, and what is longer is known to be foreign before it is read.
pub const MAX_LEN: usize = 20_732;

const TAG_SIGN1: u64 = 18;
const ALG_ED25519: i64 = -19;
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

fn decode_protected(bytes: &[u8]) -> Result<KeyId, OpenError> {
    let read = || {
        let mut d = Decoder::new(bytes);
        let shape =
            d.map().ok()? == Some(2) && d.i64().ok()? == 1 && d.i64().ok()? == ALG_ED25519 && d.i64().ok()? == 4;
        let kid = d.bytes().ok()?.try_into().ok()?;
        (shape && d.position() == bytes.len()).then_some(KeyId(kid))
    };
    read().ok_or(OpenError::Malformed("protected header {1: -19, 4: kid}"))
}

fn protected_header(KeyId(kid): KeyId) -> Vec<u8> {
    encode(|e| {
        e.map(2)?.u8(1)?.i64(ALG_ED25519)?.u8(4)?.bytes(&kid)?;
        Ok(())
    })
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

type EncodeError = minicbor::encode::Error<std::convert::Infallible>;

fn encode(build: impl FnOnce(&mut Encoder<&mut Vec<u8>>) -> Result<(), EncodeError>) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(320);
    let written = build(&mut Encoder::new(&mut bytes));
    debug_assert!(written.is_ok(), "writing to memory does not fail");
    bytes
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

fn phase_code(phase: Phase) -> u8 {
    match phase {
        Phase::Drill => 0,
        Phase::Official => 1,
    }
}

fn decode_payload(bytes: &[u8]) -> Result<Tally, OpenError> {
    let mut payload = Payload { decoder: Decoder::new(bytes), remaining: 0 };
    payload.remaining = payload.decoder.map().ok().flatten().ok_or(OpenError::Malformed("payload map"))?;
    payload.expect(key::FORMAT, "format")?;
    match payload.decoder.u8() {
        Ok(FORMAT) => {}
        Ok(other) => return Err(OpenError::Format(other)),
        Err(_) => return Err(OpenError::Malformed("format")),
    }
    let mut tally = Tally {
        election: DefinitionHash(payload.hash(key::ELECTION, "election")?),
        phase: payload.phase()?,
        stage: payload.stage()?,
        station: StationNo(payload.uint(key::STATION, "station")?),
        contest: ContestNo(payload.uint(key::CONTEST, "contest")?),
        sealed_at: payload.uint(key::SEALED_AT, "sealed_at")?,
        counts: payload.counts()?,
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
        tally.images = payload.images()?;
    }
    if payload.remaining != 0 || payload.decoder.position() != bytes.len() {
        return Err(OpenError::Malformed("end of payload"));
    }
    Ok(tally)
}

/// Reads the payload's keys in their one order.
struct Payload<'b> {
    decoder: Decoder<'b>,
    remaining: u64,
}

impl<'b> Payload<'b> {
    fn next_is(&mut self, key: u8) -> bool {
        self.remaining > 0 && self.decoder.probe().u8().is_ok_and(|next| next == key)
    }

    fn expect(&mut self, key: u8, what: &'static str) -> Result<(), OpenError> {
        if !self.next_is(key) {
            return Err(OpenError::Malformed(what));
        }
        self.remaining -= 1;
        self.decoder.u8().map(drop).map_err(|_| OpenError::Malformed(what))
    }

    fn uint<T: TryFrom<u64>>(&mut self, key: u8, what: &'static str) -> Result<T, OpenError> {
        self.expect(key, what)?;
        let value = self.decoder.u64().map_err(|_| OpenError::Malformed(what))?;
        T::try_from(value).map_err(|_| OpenError::Malformed(what))
    }

    fn hash(&mut self, key: u8, what: &'static str) -> Result<[u8; 32], OpenError> {
        self.expect(key, what)?;
        self.hash_value(what)
    }

    fn hash_value(&mut self, what: &'static str) -> Result<[u8; 32], OpenError> {
        self.decoder.bytes().ok().and_then(|b: &'b [u8]| b.try_into().ok()).ok_or(OpenError::Malformed(what))
    }

    fn phase(&mut self) -> Result<Phase, OpenError> {
        match self.uint::<u8>(key::PHASE, "phase")? {
            0 => Ok(Phase::Drill),
            1 => Ok(Phase::Official),
            _ => Err(OpenError::Malformed("phase")),
        }
    }

    fn stage(&mut self) -> Result<Stage, OpenError> {
        Stage::from_code(self.uint(key::STAGE, "stage")?).ok_or(OpenError::Malformed("stage"))
    }

    /// An array's length, bounded before anything is allocated for it.
    fn array(&mut self, key: u8, max: usize, what: &'static str) -> Result<usize, OpenError> {
        self.expect(key, what)?;
        let len = self.decoder.array().ok().flatten().and_then(|len| usize::try_from(len).ok());
        len.filter(|&len| len <= max).ok_or(OpenError::Malformed(what))
    }

    fn counts(&mut self) -> Result<Vec<u32>, OpenError> {
        let len = self.array(key::COUNTS, Tally::MAX_LINES, "counts")?;
        (0..len).map(|_| self.decoder.u32().map_err(|_| OpenError::Malformed("counts"))).collect()
    }

    fn images(&mut self) -> Result<Vec<[u8; 32]>, OpenError> {
        let len = self.array(key::IMAGES, Tally::MAX_IMAGES, "images")?;
        if len == 0 {
            return Err(OpenError::NotCanonical);
        }
        (0..len).map(|_| self.hash_value("images")).collect()
    }
}
