//! What others than stations state: key changes, endorsements, corrections, policies, bulletins. COSE_Sign (RFC 9052, tag 98), so
//! that several people sign one text. `docs/spec/statement.md` has the layout.
//!
//! A [`Draft`] is what is to be signed; each person reads its [`Statement::describe`]d form and signs on his own; the copies are
//! [merged](Signed::merge). The identity of a statement is the digest of what it says, not of who signed so far
//! (`docs/adr/0009-one-statement-many-copies.md`). Whose signatures count is for `count` to say: it knows the keys in force.

mod reasons;
mod text;
mod wire;

use std::collections::{BTreeMap, BTreeSet};

use ed25519_dalek::{Signature, Signer, SigningKey};
use sha2::{Digest, Sha256};
use thiserror::Error;

pub use reasons::{REASONS, REMARKS, Reason, Remark};

use crate::cbor::Malformed;
use crate::cose::{BadSignature, KeyId, RecordDigest};
use crate::definition::{ContestNo, DefinitionHash, Phase, StationKey, StationNo, results::Figures};
use crate::entry::Entry;
use crate::tally::Stage;

/// What every statement begins with: the tag of COSE_Sign, 98. A record begins with that of COSE_Sign1.
pub const PREFIX: [u8; 2] = [0xd8, 98];
/// Payload format written and accepted.
pub const FORMAT: u8 = 1;
/// Longest statement: with its type byte it fills a log entry.
pub const MAX_LEN: usize = 65_534;
/// Longest payload: beside it there is room for the signatures.
pub const MAX_PAYLOAD: usize = 60_000;
/// Most signatures on one statement.
pub const MAX_SIGNATURES: usize = 64;
/// Most records that a correction names as replaced. Where more stand for a slot, it names the first ones of the log.
pub const MAX_REPLACED: usize = 1024;
/// Most lines of a policy.
pub const MAX_POLICY_LINES: usize = 256;

/// SHA-256 of a statement's payload: its identity, whoever signed which copy.
pub type StatementId = [u8; 32];

/// What a statement does. The number is the log entry's type byte, and stands in the payload.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Kind {
    /// A key is enrolled or revoked.
    Key,
    /// A record is co-signed.
    Endorsement,
    /// A station's figures are replaced.
    Correction,
    /// Results are bound to a tree size.
    Bulletin,
    /// The witness policy is replaced.
    Policy,
}

impl Kind {
    /// Every kind.
    pub const ALL: [Self; 5] = [Self::Key, Self::Endorsement, Self::Correction, Self::Bulletin, Self::Policy];

    /// The number in payload and log entry.
    pub fn code(self) -> u8 {
        match self {
            Self::Key => 1,
            Self::Endorsement => 3,
            Self::Correction => 4,
            Self::Bulletin => 5,
            Self::Policy => 6,
        }
    }

    /// The kind with this number.
    pub fn from_code(code: u8) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.code() == code)
    }

    /// The word used in files.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Key => "key",
            Self::Endorsement => "endorsement",
            Self::Correction => "correction",
            Self::Bulletin => "bulletin",
            Self::Policy => "policy",
        }
    }
}

/// A statement's content, without signatures.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Statement {
    /// The election, by the hash of its definition.
    pub election: DefinitionHash,
    /// Repeats the definition's phase.
    pub phase: Phase,
    /// When it was drafted, seconds since 1970-01-01T00:00:00Z.
    pub made_at: u64,
    /// What is stated.
    pub act: Act,
}

/// What is stated.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Act {
    /// A key is enrolled or revoked; by the authority.
    Key(KeyChange),
    /// A record is co-signed; by agents or the record's own station.
    Endorsement(Endorsement),
    /// A station's figures are replaced; by the authority.
    Correction(Correction),
    /// Results are bound to a tree size; by the authority.
    Bulletin(Bulletin),
    /// The witness policy is replaced by these lines, of the form that the definition's `[witnesses]` have; by the authority.
    Policy(Vec<String>),
}

/// Whose key it is.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Holder {
    /// A station of the register.
    Station(StationNo),
    /// An agent, by id; it need not stand in the definition.
    Agent(String),
}

/// A change of keys, in force for the entries after it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum KeyChange {
    /// `holder` signs with `key` too.
    Enrol {
        /// Whose key.
        holder: Holder,
        /// The key. Its type has no key of small order.
        key: StationKey,
    },
    /// What `holder` signs with this key counts no longer. It never comes back.
    Revoke {
        /// Whose key.
        holder: Holder,
        /// Which of its keys.
        key: KeyId,
    },
}

/// Co-signs a record by its hash.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Endorsement {
    /// The record's station.
    pub station: StationNo,
    /// The record.
    pub record: RecordDigest,
    /// What the signer adds.
    pub remark: Option<Remark>,
}

/// Replaces the figures of one station in one contest.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Correction {
    /// Whose figures.
    pub station: StationNo,
    /// In which contest.
    pub contest: ContestNo,
    /// Everything that stands for them when this is made: the records, or the correction before it. Empty where nothing does.
    pub replaces: BTreeSet<[u8; 32]>,
    /// Which counting this comes from.
    pub stage: LaterStage,
    /// Why.
    pub reason: Reason,
    /// What holds instead.
    pub verdict: Verdict,
}

/// What a correction puts in place of what stood.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// These figures.
    Figures(Figures),
    /// Nothing: the station's poll in this contest counts no longer.
    Annulled,
}

/// A stage after the station's own count.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum LaterStage {
    /// The official canvass.
    Canvass,
    /// A ruling of a court or electoral body.
    Ruling,
    /// A poll held again.
    Rerun,
}

impl LaterStage {
    /// Every one.
    pub const ALL: [Self; 3] = [Self::Canvass, Self::Ruling, Self::Rerun];

    /// The word used in files.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Canvass => "canvass",
            Self::Ruling => "ruling",
            Self::Rerun => "rerun",
        }
    }
}

impl From<LaterStage> for Stage {
    fn from(stage: LaterStage) -> Self {
        match stage {
            LaterStage::Canvass => Self::Canvass,
            LaterStage::Ruling => Self::Ruling,
            LaterStage::Rerun => Self::Rerun,
        }
    }
}

/// Results, bound to one state of the log.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Bulletin {
    /// Rising from bulletin to bulletin.
    pub number: u32,
    /// Entries that the results are made from.
    pub tree_size: u64,
    /// The log's Merkle root at that size.
    pub root: [u8; 32],
    /// SHA-256 of `index/totals.json` at that size.
    pub totals: [u8; 32],
    /// SHA-256 of the bulletin's document, `bulletin.json`.
    pub document: [u8; 32],
}

impl Statement {
    /// What it does.
    pub fn kind(&self) -> Kind {
        match self.act {
            Act::Key(_) => Kind::Key,
            Act::Endorsement(_) => Kind::Endorsement,
            Act::Correction(_) => Kind::Correction,
            Act::Bulletin(_) => Kind::Bulletin,
            Act::Policy(_) => Kind::Policy,
        }
    }
}

/// Why bytes are not a statement. Nothing was checked about who signed them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum StatementError {
    /// Longer than [`MAX_LEN`], or its payload than [`MAX_PAYLOAD`].
    #[error("{0} bytes are too long: a statement has at most {MAX_LEN}, without signatures {MAX_PAYLOAD}")]
    TooLong(usize),
    /// Not CBOR of the expected shape.
    #[error("not a COSE_Sign statement: {0} is missing or malformed")]
    Malformed(&'static str),
    /// Another payload format.
    #[error("statement format {0} is not supported; update this program")]
    Format(u8),
    /// A key that accepts signatures that nobody made, or no key at all.
    #[error(
        "the key to enrol is not a usable Ed25519 public key (no point of the curve, or of small order); make another one"
    )]
    UnusableKey,
    /// Decodes, but is not the canonical encoding of what it says.
    #[error("the encoding is not the canonical one; the statement was altered or made by a faulty program")]
    NotCanonical,
}

impl From<Malformed> for StatementError {
    fn from(Malformed(what): Malformed) -> Self {
        Self::Malformed(what)
    }
}

/// A statement as it goes round to be signed: its payload alone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Draft {
    statement: Statement,
    payload: Vec<u8>,
}

impl Draft {
    /// Drafts a statement; refuses one that no reader would accept (too long, an agent's id that is none, an empty policy line).
    pub fn new(statement: &Statement) -> Result<Self, StatementError> {
        Self::open(&wire::encode_payload(statement))
    }

    /// Takes back the bytes of a draft.
    pub fn open(payload: &[u8]) -> Result<Self, StatementError> {
        if payload.len() > MAX_PAYLOAD {
            return Err(StatementError::TooLong(payload.len()));
        }
        let statement = wire::decode_payload(payload)?;
        if payload != wire::encode_payload(&statement) {
            return Err(StatementError::NotCanonical);
        }
        Ok(Self { statement, payload: payload.to_vec() })
    }

    /// The payload: what is signed.
    pub fn as_bytes(&self) -> &[u8] {
        &self.payload
    }

    /// What is stated.
    pub fn statement(&self) -> &Statement {
        &self.statement
    }

    /// The statement's identity.
    pub fn id(&self) -> StatementId {
        Sha256::digest(&self.payload).into()
    }

    /// The first signature.
    pub fn sign(self, key: &SigningKey) -> Signed {
        let mut signed = Signed { draft: self, signatures: BTreeMap::new() };
        signed.put(key);
        signed
    }
}

/// Why a signature, or those of a copy, cannot be added.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum SignError {
    /// The copies are of different statements.
    #[error("the two files are of different statements; merge copies of one draft only")]
    OtherStatement,
    /// More than [`MAX_SIGNATURES`].
    #[error("a statement bears at most {MAX_SIGNATURES} signatures")]
    TooMany,
    /// Two signatures under one key id. A key makes only one on a text, so at most one of them holds.
    #[error("the copies have different signatures of key {}; leave out the copy whose signature does not hold", hex::encode(.0.0))]
    TwoSignatures(KeyId),
}

/// A statement with 1 to [`MAX_SIGNATURES`] signatures: its structure holds, they have not been checked yet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Signed {
    draft: Draft,
    signatures: BTreeMap<KeyId, [u8; 64]>,
}

impl Signed {
    /// Opens a COSE_Sign statement and refuses any but the canonical form.
    pub fn open(bytes: &[u8]) -> Result<Self, StatementError> {
        if bytes.len() > MAX_LEN {
            return Err(StatementError::TooLong(bytes.len()));
        }
        let (payload, signatures) = wire::split_envelope(bytes)?;
        let signed = Self { draft: Draft::open(payload)?, signatures };
        if bytes != signed.to_bytes() {
            return Err(StatementError::NotCanonical);
        }
        Ok(signed)
    }

    /// The COSE_Sign bytes.
    pub fn to_bytes(&self) -> Vec<u8> {
        wire::envelope(&self.draft.payload, &self.signatures)
    }

    /// The log entry.
    pub fn to_entry(&self) -> Vec<u8> {
        Entry::Statement(self.statement().kind(), &self.to_bytes()).encode()
    }

    /// What is stated.
    pub fn statement(&self) -> &Statement {
        &self.draft.statement
    }

    /// The statement's identity.
    pub fn id(&self) -> StatementId {
        self.draft.id()
    }

    /// Which keys claim to have signed, ascending.
    pub fn key_ids(&self) -> impl ExactSizeIterator<Item = KeyId> + '_ {
        self.signatures.keys().copied()
    }

    /// Checks one key's signature with `verify_strict`; `None` if there is none under its id.
    pub fn check(&self, key: &StationKey) -> Option<Result<(), BadSignature>> {
        let signature = Signature::from_bytes(self.signatures.get(&key.id())?);
        let signed = wire::signature_input(key.id(), &self.draft.payload);
        Some(key.verifying().verify_strict(&signed, &signature).map_err(|_| BadSignature))
    }

    /// Which of `keys` have signed, with signatures that hold.
    pub fn signers<'k>(&self, keys: impl IntoIterator<Item = &'k StationKey>) -> Vec<KeyId> {
        keys.into_iter().filter(|key| self.check(key) == Some(Ok(()))).map(StationKey::id).collect()
    }

    /// Adds a signature.
    pub fn sign(&mut self, key: &SigningKey) -> Result<(), SignError> {
        if self.signatures.len() >= MAX_SIGNATURES && !self.signatures.contains_key(&id_of(key)) {
            return Err(SignError::TooMany);
        }
        self.put(key);
        Ok(())
    }

    /// Adds the signatures of another copy.
    pub fn merge(&mut self, copy: &Self) -> Result<(), SignError> {
        if copy.draft != self.draft {
            return Err(SignError::OtherStatement);
        }
        let mut signatures = self.signatures.clone();
        for (&key, &signature) in &copy.signatures {
            if *signatures.entry(key).or_insert(signature) != signature {
                return Err(SignError::TwoSignatures(key));
            }
        }
        if signatures.len() > MAX_SIGNATURES {
            return Err(SignError::TooMany);
        }
        self.signatures = signatures;
        Ok(())
    }

    /// Without the signatures that `keep` does not want (those of strangers); `None` if none is left.
    pub fn retain(mut self, keep: impl Fn(KeyId) -> bool) -> Option<Self> {
        self.signatures.retain(|&key, _| keep(key));
        (!self.signatures.is_empty()).then_some(self)
    }

    fn put(&mut self, key: &SigningKey) {
        let id = id_of(key);
        self.signatures.insert(id, key.sign(&wire::signature_input(id, &self.draft.payload)).to_bytes());
    }
}

fn id_of(key: &SigningKey) -> KeyId {
    KeyId::of(key.verifying_key().as_bytes())
}
