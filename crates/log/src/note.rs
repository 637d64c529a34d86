//! Signed notes: a text and the signatures of named keys over it (C2SP signed-note v1.0.0), of logs and of their witnesses.

use std::{fmt, str::FromStr};

use ed25519_dalek::{Signature, Signer, SigningKey, VerifyingKey};
use sha2::{Digest, Sha256};
use thiserror::Error;

use crate::{
    cosignature::{self, MlDsa44Key},
    encoding,
};

/// The largest note read, in bytes. Its text is a few lines; room is left for 100 post-quantum signatures.
pub const MAX_NOTE_LEN: usize = 1 << 20;

/// The most signatures read in a note; the format asks readers for at least 16.
pub const MAX_SIGNATURES: usize = 100;

const ED25519: u8 = 0x01;
const ED25519_COSIGNER: u8 = 0x04;
const ML_DSA_44_COSIGNER: u8 = 0x06;
const BLANK_LINE: &str = "\n\n";
const SIGNATURE_PREFIX: &str = "— ";

/// The name of a signing key: non-empty, without Unicode spaces, control characters or `+`. By convention a URL without scheme,
/// such as `log.example/2026`.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct KeyName(String);

impl KeyName {
    /// The name as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for KeyName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// The text cannot name a key.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("{0:?} cannot name a key: use at least one character, and no space, control character or '+'")]
pub struct KeyNameError(String);

impl FromStr for KeyName {
    type Err = KeyNameError;

    fn from_str(name: &str) -> Result<Self, KeyNameError> {
        let allowed = |c: char| !c.is_whitespace() && !c.is_control() && c != '+';
        let valid = !name.is_empty() && name.chars().all(allowed);
        if valid { Ok(Self(name.to_owned())) } else { Err(KeyNameError(name.to_owned())) }
    }
}

/// The first four bytes of SHA-256(name ‖ 0x0A ‖ type ‖ public key): together with the name it says which key signed.
///
/// It is short enough to be forged, so it selects a key and never proves one. Displays as eight hex digits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct KeyId(pub [u8; 4]);

impl KeyId {
    fn derive(name: &KeyName, key: &PublicKey) -> Self {
        let digest =
            Sha256::new().chain_update(name.as_str()).chain_update(b"\n").chain_update(key.encode()).finalize();
        let [a, b, c, d, ..]: [u8; 32] = digest.into();
        Self([a, b, c, d])
    }
}

impl fmt::Display for KeyId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:08x}", u32::from_be_bytes(self.0))
    }
}

/// What verifies a key's signatures.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PublicKey {
    /// Type 0x01: Ed25519 over the note's text.
    Ed25519(VerifyingKey),
    /// Type 0x04: a witness's Ed25519 over a checkpoint and the time at which it saw it (C2SP tlog-cosignature).
    Ed25519Cosigner(VerifyingKey),
    /// Type 0x06: a witness's ML-DSA-44 over the same, and over its own name.
    MlDsa44Cosigner(MlDsa44Key),
    /// A type that this version cannot verify, such as 0x05 (RFC 6962 tree heads). Such a key can be listed and passed on; its signatures
    /// are treated as those of an unknown key and never count.
    Unsupported {
        /// The signature type's identifier byte.
        signature_type: u8,
        /// The public key as encoded for that type.
        key: Vec<u8>,
    },
}

impl PublicKey {
    /// Whether it is a witness's.
    pub fn is_cosigner(&self) -> bool {
        matches!(self, Self::Ed25519Cosigner(_) | Self::MlDsa44Cosigner(_))
    }

    /// The type byte, then the public key.
    fn encode(&self) -> Vec<u8> {
        match self {
            Self::Ed25519(key) => [&[ED25519], key.as_bytes().as_slice()].concat(),
            Self::Ed25519Cosigner(key) => [&[ED25519_COSIGNER], key.as_bytes().as_slice()].concat(),
            Self::MlDsa44Cosigner(key) => [&[ML_DSA_44_COSIGNER], key.as_bytes().as_slice()].concat(),
            Self::Unsupported { signature_type, key } => [&[*signature_type], key.as_slice()].concat(),
        }
    }

    fn decode(encoded: &[u8]) -> Result<Self, VerifierKeyError> {
        match encoded {
            [] | [_] => Err(VerifierKeyError::Malformed),
            [ED25519, key @ ..] => decode_ed25519(key).map(Self::Ed25519),
            [ED25519_COSIGNER, key @ ..] => decode_ed25519(key).map(Self::Ed25519Cosigner),
            [ML_DSA_44_COSIGNER, key @ ..] => {
                let key = key.try_into().map_err(|_| VerifierKeyError::InvalidKey)?;
                Ok(Self::MlDsa44Cosigner(MlDsa44Key::new(key)))
            }
            [signature_type, key @ ..] => Ok(Self::Unsupported { signature_type: *signature_type, key: key.to_vec() }),
        }
    }
}

fn decode_ed25519(key: &[u8]) -> Result<VerifyingKey, VerifierKeyError> {
    let key = key.try_into().map_err(|_| VerifierKeyError::InvalidKey)?;
    let key = VerifyingKey::from_bytes(key).map_err(|_| VerifierKeyError::InvalidKey)?;
    // A small-order key has signatures that hold for many texts.
    if key.is_weak() { Err(VerifierKeyError::WeakKey) } else { Ok(key) }
}

/// A named public key. Displays as, and parses from, a C2SP verifier key: `name+hex(key ID)+base64(type ‖ public key)`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VerifierKey {
    name: KeyName,
    id: KeyId,
    key: PublicKey,
}

impl VerifierKey {
    pub(crate) fn new(name: KeyName, key: PublicKey) -> Self {
        Self { id: KeyId::derive(&name, &key), name, key }
    }

    /// The key's name.
    pub fn name(&self) -> &KeyName {
        &self.name
    }

    /// The key's ID, derived from its name, type and public key.
    pub fn id(&self) -> KeyId {
        self.id
    }

    /// The public key itself.
    pub fn public_key(&self) -> &PublicKey {
        &self.key
    }

    /// Whether the signature line says that this key made it, and this version can tell whether that is true.
    pub(crate) fn claims(&self, signature: &NoteSignature) -> bool {
        let supported = !matches!(self.key, PublicKey::Unsupported { .. });
        supported && self.id == signature.key_id && self.name == signature.name
    }

    /// A signature line in this key's name.
    pub(crate) fn signature(&self, signature: Vec<u8>) -> NoteSignature {
        NoteSignature { name: self.name.clone(), key_id: self.id, signature }
    }

    fn verifies(&self, text: &str, signature: &NoteSignature) -> bool {
        match &self.key {
            PublicKey::Ed25519(key) => Signature::from_slice(&signature.signature)
                .is_ok_and(|signature| key.verify_strict(text.as_bytes(), &signature).is_ok()),
            PublicKey::Ed25519Cosigner(key) => cosignature::holds(key, text, &signature.signature),
            PublicKey::MlDsa44Cosigner(key) => key.cosigned(&self.name, text, &signature.signature),
            PublicKey::Unsupported { .. } => false,
        }
    }
}

impl fmt::Display for VerifierKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}+{}+{}", self.name, self.id, encoding::base64(&self.key.encode()))
    }
}

/// Why a text is not a usable verifier key.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum VerifierKeyError {
    /// Not three parts, or not strict base64.
    #[error("not a verifier key: expected name+keyid+base64, as published by the key's owner")]
    Malformed,
    /// The first part is not a key name.
    #[error(transparent)]
    Name(#[from] KeyNameError),
    /// The public key bytes are no key of their type.
    #[error("the verifier key's bytes are not a public key of its type")]
    InvalidKey,
    /// The key is of small order: anybody can make signatures that it accepts.
    #[error("the Ed25519 public key is weak (of small order): its owner must make another")]
    WeakKey,
    /// The key ID does not belong to this name and key: one of the three was mistyped or altered.
    #[error("the key ID of this name and public key is {expected}, not the one written: copy the key again")]
    KeyId {
        /// The ID that the name and key have.
        expected: KeyId,
    },
}

impl FromStr for VerifierKey {
    type Err = VerifierKeyError;

    fn from_str(text: &str) -> Result<Self, VerifierKeyError> {
        let mut parts = text.splitn(3, '+');
        let (Some(name), Some(id), Some(key)) = (parts.next(), parts.next(), parts.next()) else {
            return Err(VerifierKeyError::Malformed);
        };
        let encoded = encoding::from_base64(key).ok_or(VerifierKeyError::Malformed)?;
        let key = Self::new(name.parse()?, PublicKey::decode(&encoded)?);
        if key.id.to_string() == id { Ok(key) } else { Err(VerifierKeyError::KeyId { expected: key.id }) }
    }
}

/// A named Ed25519 secret key of a log. It never displays its secret.
pub struct SignerKey {
    verifier: VerifierKey,
    secret: SigningKey,
}

impl SignerKey {
    /// The key with this name and this 32-byte secret seed (RFC 8032 section 5.1.5), which the caller keeps safe.
    pub fn new(name: KeyName, seed: &[u8; 32]) -> Self {
        let secret = SigningKey::from_bytes(seed);
        Self { verifier: VerifierKey::new(name, PublicKey::Ed25519(secret.verifying_key())), secret }
    }

    /// The public half.
    pub fn verifier(&self) -> &VerifierKey {
        &self.verifier
    }

    /// Signs a text known to be a note's text.
    pub(crate) fn sign_text(&self, text: &str) -> SignedNote {
        let signature = self.verifier.signature(self.secret.sign(text.as_bytes()).to_bytes().to_vec());
        SignedNote { text: text.to_owned(), signatures: vec![signature] }
    }
}

impl fmt::Debug for SignerKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SignerKey").field("verifier", &self.verifier).finish_non_exhaustive()
    }
}

/// One signature line of a note. What it claims is unproven until [`open`] has checked it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NoteSignature {
    /// The name of the key said to have signed.
    pub name: KeyName,
    /// That key's ID.
    pub key_id: KeyId,
    /// The signature, in the form of the key's type: 64 bytes for Ed25519, 2,420 for ML-DSA-44; a cosigner's
    /// behind 8 bytes of time.
    pub signature: Vec<u8>,
}

impl NoteSignature {
    pub(crate) fn parse(line: &str) -> Option<Self> {
        let (name, encoded) = line.strip_prefix(SIGNATURE_PREFIX)?.split_once(' ')?;
        let bytes = encoding::from_base64(encoded)?;
        let (key_id, signature) = bytes.split_first_chunk()?;
        let name = name.parse().ok()?;
        (!signature.is_empty()).then(|| Self { name, key_id: KeyId(*key_id), signature: signature.to_vec() })
    }
}

impl fmt::Display for NoteSignature {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let bytes = [self.key_id.0.as_slice(), &self.signature].concat();
        write!(f, "{SIGNATURE_PREFIX}{} {}", self.name, encoding::base64(&bytes))
    }
}

/// Why bytes are not a note to be believed.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum NoteError {
    /// Larger than [`MAX_NOTE_LEN`].
    #[error("the note has {0} bytes; at most {MAX_NOTE_LEN} are read")]
    TooLong(usize),
    /// Not UTF-8, or with a control character.
    #[error("the note is not UTF-8 text free of control characters")]
    NotText,
    /// The text does not end with a newline.
    #[error("the note's text does not end with a newline")]
    NoFinalNewline,
    /// No blank line followed by signature lines.
    #[error("the note has no signatures: expected its text, a blank line, then lines '— name base64'")]
    NoSignatures,
    /// More than [`MAX_SIGNATURES`].
    #[error("the note has more than {MAX_SIGNATURES} signatures")]
    TooManySignatures,
    /// A line after the blank line is not a signature.
    #[error("signature line {line} of the note is not of the form '— name base64'")]
    MalformedSignature {
        /// Number of the line among the signature lines, from 1.
        line: usize,
    },
    /// A known key's signature does not hold: the text or the signature was altered.
    #[error("the signature of {name} ({key_id}) does not hold: the note was altered or is not theirs")]
    BadSignature {
        /// The known key's name.
        name: KeyName,
        /// The known key's ID.
        key_id: KeyId,
    },
    /// No key that the reader knows has signed.
    #[error("none of the known keys has signed the note")]
    NoKnownSignature,
}

/// A note as it stands, nothing of it verified. Displays as exactly the bytes it was parsed from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SignedNote {
    text: String,
    signatures: Vec<NoteSignature>,
}

impl NoteError {
    fn bad(signature: &NoteSignature) -> Self {
        Self::BadSignature { name: signature.name.clone(), key_id: signature.key_id }
    }
}

impl SignedNote {
    /// Takes a note apart without believing it.
    pub fn parse(bytes: &[u8]) -> Result<Self, NoteError> {
        let note = checked_text(bytes)?;
        let blank = note.rfind(BLANK_LINE).ok_or(NoteError::NoSignatures)?;
        // The newline that ends the text belongs to it; the one that makes the blank line does not.
        let (text, rest) = note.split_at_checked(blank + 1).ok_or(NoteError::NoSignatures)?;
        let lines =
            rest.strip_prefix('\n').and_then(|lines| lines.strip_suffix('\n')).ok_or(NoteError::NoSignatures)?;
        if lines.split('\n').nth(MAX_SIGNATURES).is_some() {
            return Err(NoteError::TooManySignatures);
        }
        let parse = |(line, text)| NoteSignature::parse(text).ok_or(NoteError::MalformedSignature { line });
        let signatures = (1..).zip(lines.split('\n')).map(parse).collect::<Result<_, _>>()?;
        Ok(Self { text: text.to_owned(), signatures })
    }

    /// Puts a note together from a text known to be a note's and signatures, at most [`MAX_SIGNATURES`].
    pub(crate) fn of_parts(text: String, signatures: Vec<NoteSignature>) -> Self {
        Self { text, signatures }
    }

    /// The signed text with its final newline. Don't act on it before [`SignedNote::verify`].
    pub fn text(&self) -> &str {
        &self.text
    }

    /// Every signature line, verified or not.
    pub fn signatures(&self) -> &[NoteSignature] {
        &self.signatures
    }

    /// Believes the note if at least one of `keys` signed it and every signature that claims to be theirs holds.
    ///
    /// Signatures of other keys are ignored, as the format asks: logs may add keys and witnesses that the reader doesn't know.
    pub fn verify(&self, keys: &[VerifierKey]) -> Result<Verified, NoteError> {
        let mut verified = Verified { text: self.text.clone(), signatures: Vec::new(), signers: Vec::new() };
        for signature in &self.signatures {
            let claimants = || keys.iter().filter(|key| key.claims(signature));
            if !claimants().all(|key| key.verifies(&self.text, signature)) {
                return Err(NoteError::bad(signature));
            }
            // A signature repeated is still one signer, or repeating it would make a quorum.
            if claimants().any(|key| !verified.signers.contains(key)) {
                verified.signatures.push(signature.clone());
                verified.signers.extend(claimants().cloned());
            }
        }
        if verified.signatures.is_empty() { Err(NoteError::NoKnownSignature) } else { Ok(verified) }
    }

    /// Adds what `key` signed, if its signature holds; it takes the place of an earlier one of that key.
    pub fn attach(&mut self, signature: NoteSignature, key: &VerifierKey) -> Result<(), NoteError> {
        if !key.claims(&signature) {
            return Err(NoteError::NoKnownSignature);
        }
        if !key.verifies(&self.text, &signature) {
            return Err(NoteError::bad(&signature));
        }
        self.signatures.retain(|earlier| !key.claims(earlier));
        if self.signatures.len() == MAX_SIGNATURES {
            return Err(NoteError::TooManySignatures);
        }
        self.signatures.push(signature);
        Ok(())
    }
}

impl fmt::Display for SignedNote {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{}", self.text)?;
        self.signatures.iter().try_for_each(|signature| writeln!(f, "{signature}"))
    }
}

/// A note's text that known keys have signed. Only [`open`] and [`SignedNote::verify`] make one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Verified {
    text: String,
    signatures: Vec<NoteSignature>,
    /// The whole keys: an ID is short enough to be forged.
    signers: Vec<VerifierKey>,
}

impl Verified {
    /// The signed text with its final newline.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// The signatures that hold: at least one, and one a known key, in the note's order.
    pub fn signatures(&self) -> &[NoteSignature] {
        &self.signatures
    }

    /// Whether this very key has signed.
    pub fn signed_by(&self, key: &VerifierKey) -> bool {
        self.signers.contains(key)
    }

    /// When this witness says that it cosigned, in seconds since 1970; `None` if it has not, or its key is none of a witness.
    pub fn cosigned_at(&self, witness: &VerifierKey) -> Option<u64> {
        let known = self.signed_by(witness) && witness.key.is_cosigner();
        let signature = self.signatures.iter().find(|signature| known && witness.claims(signature))?;
        cosignature::split(&signature.signature).map(|(time, _)| time)
    }
}

/// Parses a note and verifies it; see [`SignedNote::verify`].
pub fn open(note: &[u8], keys: &[VerifierKey]) -> Result<Verified, NoteError> {
    SignedNote::parse(note)?.verify(keys)
}

/// Signs a text, which must end with a newline and hold no other control character, and writes the note.
pub fn sign(text: &str, signer: &SignerKey) -> Result<String, NoteError> {
    checked_text(text.as_bytes())?;
    if !text.ends_with('\n') {
        return Err(NoteError::NoFinalNewline);
    }
    Ok(signer.sign_text(text).to_string())
}

fn checked_text(bytes: &[u8]) -> Result<&str, NoteError> {
    if bytes.len() > MAX_NOTE_LEN {
        return Err(NoteError::TooLong(bytes.len()));
    }
    let text = std::str::from_utf8(bytes).map_err(|_| NoteError::NotText)?;
    // A carriage return or an escape could make a terminal show another text than the one signed.
    let printable = text.bytes().all(|byte| byte >= b' ' || byte == b'\n');
    if printable { Ok(text) } else { Err(NoteError::NotText) }
}
