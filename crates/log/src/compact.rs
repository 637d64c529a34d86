//! The compact receipt: what a [`LogProof`] says in so few bytes that a record and its receipt fit one datagram, or one QR code.
//!
//! It leaves out what the entry, the path and the policy give back: the root, the origin, the names and key IDs. Its reader
//! recomputes the root, rebuilds the signed note to the byte, and verifies that. Numbers of variable length are unsigned LEB128, seven
//! bits a byte, the lowest first, and no longer than they have to be.
//!
//! | bytes | field |
//! |---|---|
//! | 1 | version 1 |
//! | 1 to 10 | index of the entry |
//! | 1 to 10 | size of the tree, greater than the index |
//! | 32·h | inclusion path, leaf's sibling first; index and size give the number of hashes h |
//! | 64 | the log's Ed25519 signature of the checkpoint |
//! | 1 | number of cosignatures, at most 64 |
//! | 66 to 75 each | cosignatures, by rising witness: its number in the policy from 0 (1), time (1 to 10), Ed25519 signature (64) |

use thiserror::Error;

use crate::{
    checkpoint::Checkpoint,
    cosignature,
    merkle::{Hash, ProofError, inclusion_length, inclusion_root},
    note::{KeyId, KeyName, NoteSignature, PublicKey, SignedNote, VerifierKey},
    policy::{MAX_OF_EACH, Policy},
    proof::{Attested, LogProof, LogProofError},
};

/// The only version there is.
const VERSION: u8 = 1;
const SIGNATURE: usize = 64;
/// A number of 64 bits, seven bits a byte.
const MAX_NUMBER: usize = 10;

/// Bytes of the longest compact receipt.
pub const MAX_LEN: usize =
    1 + 2 * MAX_NUMBER + 64 * Hash::LEN + SIGNATURE + 1 + MAX_OF_EACH * (1 + MAX_NUMBER + SIGNATURE);

/// An entry's inclusion in a log and who vouches for the tree, without what a reader knows. Nothing in it is to be believed before
/// [`CompactReceipt::verify`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CompactReceipt {
    index: u64,
    size: u64,
    path: Vec<Hash>,
    log: [u8; SIGNATURE],
    /// By rising witness.
    cosignatures: Vec<Cosignature>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Cosignature {
    witness: u8,
    time: u64,
    signature: [u8; SIGNATURE],
}

/// A part of a log proof that the compact form has no room for.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum LeftOut {
    /// Data for the application.
    #[error("the proof's extra data, which nothing authenticates")]
    Extra,
    /// A signature of a key that is neither the log's nor a witness's of the policy.
    #[error("the signature of {name} ({key_id}), whose key the policy does not have")]
    UnknownSigner {
        /// Name of the key.
        name: KeyName,
        /// Its ID.
        key_id: KeyId,
    },
    /// A cosignature that is forty times as long.
    #[error("the ML-DSA-44 cosignature of the witness {0}, which is too long for a compact receipt")]
    MlDsa44(String),
    /// A second signature of one key.
    #[error("a second signature of {name} ({key_id})")]
    Repeated {
        /// Name of the key.
        name: KeyName,
        /// Its ID.
        key_id: KeyId,
    },
}

/// Why bytes do not prove that the entry is in the log.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum CompactError {
    /// Another version, or no compact receipt at all.
    #[error("not a compact receipt of version 1")]
    Version,
    /// Too few or too many bytes for what they announce.
    #[error("the compact receipt is cut short, or bytes follow it")]
    Length,
    /// A number above 64 bits, or written longer than it has to be.
    #[error("a number in the compact receipt is not in its one form")]
    Number,
    /// More cosignatures than a policy has witnesses, or not in the order of the policy, each once.
    #[error("the compact receipt's cosignatures are not in the policy's order, one a witness")]
    Order,
    /// A cosignature of a witness that the policy does not have, or whose key is of another kind.
    #[error("the policy has no witness number {0} with an Ed25519 key: use the policy that the receipt was made with")]
    Witness(u8),
    /// The index lies outside the tree.
    #[error(transparent)]
    Path(#[from] ProofError),
    /// A signature does not hold for this entry, log and policy.
    #[error(transparent)]
    Proof(#[from] LogProofError),
}

impl CompactReceipt {
    /// Reads the layout. It has one form only.
    pub fn decode(bytes: &[u8]) -> Result<Self, CompactError> {
        let mut rest = Fields(bytes);
        if rest.take() != Some([VERSION]) {
            return Err(CompactError::Version);
        }
        let receipt = rest.receipt()?;
        if !rest.0.is_empty() {
            return Err(CompactError::Length);
        }
        if receipt.cosignatures.is_sorted_by(|a, b| a.witness < b.witness) {
            Ok(receipt)
        } else {
            Err(CompactError::Order)
        }
    }

    /// The layout's bytes.
    pub fn encode(&self) -> Vec<u8> {
        let mut bytes = vec![VERSION];
        push_number(&mut bytes, self.index);
        push_number(&mut bytes, self.size);
        self.path.iter().for_each(|hash| bytes.extend_from_slice(hash.as_bytes()));
        bytes.extend_from_slice(&self.log);
        // There are no more than the policy's witnesses.
        bytes.push(u8::try_from(self.cosignatures.len()).unwrap_or(u8::MAX));
        for Cosignature { witness, time, signature } in &self.cosignatures {
            bytes.push(*witness);
            push_number(&mut bytes, *time);
            bytes.extend_from_slice(signature);
        }
        bytes
    }

    /// Zero-based index of the entry.
    pub fn index(&self) -> u64 {
        self.index
    }

    /// Entries in the log that the signed checkpoint is of.
    pub fn tree_size(&self) -> u64 {
        self.size
    }

    /// Cosignatures that it bears.
    pub fn cosignatures(&self) -> usize {
        self.cosignatures.len()
    }

    /// Takes over what a proof shows of the entry with this leaf hash, if it holds for this log and policy; and names what has no
    /// room. Where nothing is left out, [`CompactReceipt::to_proof`] gives the proof back, its signatures in the policy's order.
    pub fn of(
        proof: &LogProof,
        leaf: &Hash,
        log: &VerifierKey,
        policy: &Policy,
    ) -> Result<(Self, Vec<LeftOut>), LogProofError> {
        let attested = proof.attest(leaf, log, policy)?;
        let mut taken = Taken { log: None, cosignatures: Vec::new(), left_out: Vec::new() };
        taken.left_out.extend((!proof.extra.is_empty()).then_some(LeftOut::Extra));
        for signature in proof.checkpoint.signatures() {
            taken.take(signature, log, policy);
        }
        taken.cosignatures.sort_unstable_by_key(|cosignature| cosignature.witness);
        let receipt = Self {
            index: proof.index,
            size: attested.checkpoint.size,
            path: proof.path.clone(),
            // A proof that holds has the log's signature.
            log: taken.log.ok_or(LogProofError::Malformed)?,
            cosignatures: taken.cosignatures,
        };
        Ok((receipt, taken.left_out))
    }

    /// The proof that the receipt stands for, for the entry with this leaf hash. Nothing in it is verified.
    pub fn to_proof(&self, leaf: &Hash, log: &VerifierKey, policy: &Policy) -> Result<LogProof, CompactError> {
        let root = inclusion_root(leaf, self.index, self.size, &self.path)?;
        let checkpoint = Checkpoint { origin: log.name().clone(), size: self.size, root };
        let mut signatures = vec![log.signature(self.log.to_vec())];
        for cosignature in &self.cosignatures {
            let key = witness_key(policy, cosignature.witness).ok_or(CompactError::Witness(cosignature.witness))?;
            signatures.push(key.signature(cosignature::join(cosignature.time, &cosignature.signature)));
        }
        let checkpoint = SignedNote::of_parts(checkpoint.to_string(), signatures);
        Ok(LogProof { extra: Vec::new(), index: self.index, path: self.path.clone(), checkpoint })
    }

    /// Checks that the entry with this leaf hash is in the log, and every signature; says who vouches for it.
    ///
    /// `log` and `policy` come from outside the receipt. A cosignature that does not hold makes the whole receipt fail.
    pub fn verify(&self, leaf: &Hash, log: &VerifierKey, policy: &Policy) -> Result<Attested, CompactError> {
        Ok(self.to_proof(leaf, log, policy)?.attest(leaf, log, policy)?)
    }
}

/// The key of a witness whose cosignatures have room here.
fn witness_key(policy: &Policy, number: u8) -> Option<&VerifierKey> {
    let key = &policy.witnesses().get(usize::from(number))?.key;
    matches!(key.public_key(), PublicKey::Ed25519Cosigner(_)).then_some(key)
}

/// A proof's signatures, sorted into what has room and what has not.
struct Taken {
    log: Option<[u8; SIGNATURE]>,
    cosignatures: Vec<Cosignature>,
    left_out: Vec<LeftOut>,
}

impl Taken {
    /// Every signature of a known key holds: the caller has verified the proof.
    fn take(&mut self, line: &NoteSignature, log: &VerifierKey, policy: &Policy) {
        let (name, key_id) = (line.name.clone(), line.key_id);
        if log.claims(line) {
            match line.signature.as_slice().try_into() {
                Ok(signature) if self.log.is_none() => self.log = Some(signature),
                _ => self.left_out.push(LeftOut::Repeated { name, key_id }),
            }
            return;
        }
        let witnesses = (0..).zip(policy.witnesses());
        let Some((number, witness)) = witnesses.into_iter().find(|(_, witness)| witness.key.claims(line)) else {
            return self.left_out.push(LeftOut::UnknownSigner { name, key_id });
        };
        match cosignature::split(&line.signature).and_then(|(time, rest)| Some((time, rest.try_into().ok()?))) {
            Some(_) if self.cosignatures.iter().any(|taken| taken.witness == number) => {
                self.left_out.push(LeftOut::Repeated { name, key_id });
            }
            Some((time, signature)) => self.cosignatures.push(Cosignature { witness: number, time, signature }),
            None => self.left_out.push(LeftOut::MlDsa44(witness.name.clone())),
        }
    }
}

fn push_number(bytes: &mut Vec<u8>, mut number: u64) {
    loop {
        let [low, ..] = number.to_le_bytes();
        number >>= 7;
        bytes.push(if number == 0 { low & 0x7f } else { low | 0x80 });
        if number == 0 {
            return;
        }
    }
}

/// The bytes that are still to be read.
struct Fields<'a>(&'a [u8]);

impl Fields<'_> {
    fn take<const N: usize>(&mut self) -> Option<[u8; N]> {
        let (field, rest) = self.0.split_first_chunk()?;
        self.0 = rest;
        Some(*field)
    }

    fn field<const N: usize>(&mut self) -> Result<[u8; N], CompactError> {
        self.take().ok_or(CompactError::Length)
    }

    fn number(&mut self) -> Result<u64, CompactError> {
        let mut number = 0;
        for shift in (0..u64::BITS).step_by(7) {
            let [byte] = self.field()?;
            let bits = u64::from(byte & 0x7f);
            // A last byte of zero would be a second spelling; bits shifted out, another number.
            if (bits << shift) >> shift != bits || (byte == 0 && shift > 0) {
                return Err(CompactError::Number);
            }
            number |= bits << shift;
            if byte < 0x80 {
                return Ok(number);
            }
        }
        Err(CompactError::Number)
    }

    fn receipt(&mut self) -> Result<CompactReceipt, CompactError> {
        let (index, size) = (self.number()?, self.number()?);
        let hashes = inclusion_length(index, size)?;
        let path = (0..hashes).map(|_| self.field().map(Hash)).collect::<Result<_, _>>()?;
        let log = self.field()?;
        let [count] = self.field()?;
        if usize::from(count) > MAX_OF_EACH {
            return Err(CompactError::Order);
        }
        let cosignatures = (0..count).map(|_| self.cosignature()).collect::<Result<_, _>>()?;
        Ok(CompactReceipt { index, size, path, log, cosignatures })
    }

    fn cosignature(&mut self) -> Result<Cosignature, CompactError> {
        let [witness] = self.field()?;
        Ok(Cosignature { witness, time: self.number()?, signature: self.field()? })
    }
}
