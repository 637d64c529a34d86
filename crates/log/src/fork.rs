//! Proof that a log has forked: two checkpoints that its key signed and that no append-only log can both have had, in one text
//! file that convinces whoever trusts the key's owner to be one party, with no other file and no network.
//!
//! ```text
//! tallyproof-fork v1
//! log <vkey>
//! prefix <base64 root>        where the sizes differ: root of the larger tree's first entries, as many as the smaller has
//! <base64 hash>               its consistency proof (RFC 9162 section 2.1.4), one hash a line
//!
//! <checkpoint, a signed note: the smaller tree; of two of one size the one with the lower root>
//!
//! <checkpoint, a signed note>
//! ```

use std::{fmt, str::FromStr};

use thiserror::Error;

use crate::{
    checkpoint::{self, Checkpoint, CheckpointError},
    merkle::{Hash, ProofError, verify_consistency},
    note::{MAX_NOTE_LEN, PublicKey, SignedNote, VerifierKey},
    witness::MAX_PROOF,
};

/// The first line of a fork proof.
pub const HEADER: &str = "tallyproof-fork v1\n";

/// The longest fork proof read, in bytes: two checkpoints, the log's key and a consistency proof.
pub const MAX_LEN: usize = 2 * MAX_NOTE_LEN + (MAX_PROOF + 1) * 45 + 4096;

/// Two signed checkpoints and what shows that they exclude each other. Displays as, and parses from, the text of a fork proof, of
/// which there is one form. Nothing in a parsed one is to be believed before [`ForkProof::verify`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ForkProof {
    log: VerifierKey,
    /// Where the sizes differ.
    prefix: Option<Prefix>,
    notes: [SignedNote; 2],
    checkpoints: [Checkpoint; 2],
}

/// What the larger tree begins with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Prefix {
    /// Root of its first entries, as many as the smaller tree has.
    pub root: Hash,
    /// The proof of that, from there to the larger tree's root.
    pub proof: Vec<Hash>,
}

/// A fork that was proven: only [`ForkProof::verify`] makes one. Displays as what it proves, and what it does not.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fork {
    /// The key that signed both checkpoints.
    pub log: VerifierKey,
    /// The smaller of the two; of two of one size the one with the lower root.
    pub one: Checkpoint,
    /// The other.
    pub other: Checkpoint,
    /// Where the sizes differ, the root of the other's first entries, as many as the first has: not the first's root.
    pub prefix: Option<Hash>,
}

/// Why a text proves no fork.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum ForkError {
    /// Longer than [`MAX_LEN`].
    #[error("the text has {0} bytes; a fork proof has at most {MAX_LEN}")]
    TooLong(usize),
    /// Not in the format.
    #[error(
        "not a fork proof in its one form: expected 'tallyproof-fork v1', 'log <vkey>', where the sizes differ 'prefix <base64>' and \
         base64 hashes, then two checkpoints, each after a blank line, the smaller first"
    )]
    Malformed,
    /// The key is not one that a log signs with.
    #[error("the log's key has to be an Ed25519 key")]
    LogKey,
    /// A checkpoint does not hold.
    #[error("checkpoint {number}: {error}")]
    Checkpoint {
        /// 1 or 2.
        number: u8,
        /// What is wrong with it.
        error: CheckpointError,
    },
    /// The proof does not show what the larger tree begins with.
    #[error("what the larger tree begins with is not shown: {0}")]
    Proof(#[from] ProofError),
    /// One log can have had both.
    #[error("the two checkpoints do not exclude each other: one append-only log can have had both")]
    NoFork,
}

impl ForkProof {
    /// Builds the proof out of two checkpoints of the log, in any order. `prefix` is what the larger tree begins with; it is not
    /// looked at where both have one size.
    pub fn new(log: VerifierKey, mut notes: [SignedNote; 2], prefix: Option<Prefix>) -> Result<Self, ForkError> {
        let mut checkpoints = read_both(&notes)?;
        if rank(&checkpoints[0]) > rank(&checkpoints[1]) {
            notes.reverse();
            checkpoints.reverse();
        }
        let prefix = prefix.filter(|_| checkpoints[0].size != checkpoints[1].size);
        let proof = Self { log, prefix, notes, checkpoints };
        proof.verify()?;
        Ok(proof)
    }

    /// The key that the proof says to be the log's. Whether it is that of the log meant is for the reader to compare.
    pub fn log(&self) -> &VerifierKey {
        &self.log
    }

    /// Checks both signatures and that the checkpoints exclude each other.
    pub fn verify(&self) -> Result<Fork, ForkError> {
        if !matches!(self.log.public_key(), PublicKey::Ed25519(_)) {
            return Err(ForkError::LogKey);
        }
        let keys = std::slice::from_ref(&self.log);
        for (number, note) in (1..).zip(&self.notes) {
            checkpoint::open(note.to_string().as_bytes(), keys, self.log.name().as_str())
                .map_err(|error| ForkError::Checkpoint { number, error })?;
        }
        let [one, other] = &self.checkpoints;
        match &self.prefix {
            None if one.size == other.size && one.root != other.root => {}
            // Every log begins with nothing, whatever a checkpoint says to be the root of it.
            Some(prefix) if 0 < one.size && one.size < other.size && one.root != prefix.root => {
                verify_consistency(one.size, other.size, &prefix.root, &other.root, &prefix.proof)?;
            }
            _ => return Err(ForkError::NoFork),
        }
        let prefix = self.prefix.as_ref().map(|prefix| prefix.root);
        Ok(Fork { log: self.log.clone(), one: one.clone(), other: other.clone(), prefix })
    }

    fn read(text: &str) -> Option<Result<Self, ForkError>> {
        let parts: Vec<&str> = text.strip_prefix(HEADER)?.splitn(6, "\n\n").collect();
        let [head, text_1, signatures_1, text_2, signatures_2] = parts[..] else { return None };
        let note = |text, signatures, end| SignedNote::parse(format!("{text}\n\n{signatures}{end}").as_bytes()).ok();
        let notes = [note(text_1, signatures_1, "\n")?, note(text_2, signatures_2, "")?];
        let mut lines = head.split('\n');
        let log = lines.next()?.strip_prefix("log ")?.parse().ok()?;
        let prefix = lines.next().map(|line| Hash::from_base64(line.strip_prefix("prefix ")?).ok());
        let proof: Vec<Hash> =
            lines.take(MAX_PROOF + 1).map(|line| Hash::from_base64(line).ok()).collect::<Option<_>>()?;
        let prefix = match prefix {
            Some(root) if proof.len() <= MAX_PROOF => Some(Prefix { root: root?, proof }),
            Some(_) => return None,
            None => None,
        };
        Some(read_both(&notes).map(|checkpoints| Self { log, prefix, notes, checkpoints }))
    }
}

fn read_both([one, other]: &[SignedNote; 2]) -> Result<[Checkpoint; 2], ForkError> {
    let read = |number, note: &SignedNote| note.text().parse().map_err(|error| ForkError::Checkpoint { number, error });
    Ok([read(1, one)?, read(2, other)?])
}

/// What the two are ordered by.
fn rank(checkpoint: &Checkpoint) -> (u64, Hash) {
    (checkpoint.size, checkpoint.root)
}

impl FromStr for ForkProof {
    type Err = ForkError;

    fn from_str(text: &str) -> Result<Self, ForkError> {
        if text.len() > MAX_LEN {
            return Err(ForkError::TooLong(text.len()));
        }
        let proof = Self::read(text).ok_or(ForkError::Malformed)??;
        let ordered = rank(&proof.checkpoints[0]) <= rank(&proof.checkpoints[1]);
        if ordered && proof.to_string() == text { Ok(proof) } else { Err(ForkError::Malformed) }
    }
}

impl fmt::Display for ForkProof {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{HEADER}")?;
        writeln!(f, "log {}", self.log)?;
        if let Some(Prefix { root, proof }) = &self.prefix {
            writeln!(f, "prefix {}", root.to_base64())?;
            proof.iter().try_for_each(|hash| writeln!(f, "{}", hash.to_base64()))?;
        }
        let [one, other] = &self.notes;
        write!(f, "\n{one}\n{other}")
    }
}

impl fmt::Display for Fork {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { log, one, other, prefix } = self;
        let [root_1, root_2] = [one, other].map(|checkpoint| checkpoint.root.to_base64());
        write!(
            f,
            "The key {log} signed two checkpoints of the log {} that no append-only log can both have had: ",
            one.origin
        )?;
        match prefix {
            None => write!(f, "at {} entries the root {root_1}, and at as many entries the root {root_2}. ", one.size)?,
            Some(prefix) => write!(
                f,
                "at {} entries the root {root_1}, and at {} entries the root {root_2}, whose first {} entries have the root {}. ",
                one.size,
                other.size,
                one.size,
                prefix.to_base64()
            )?,
        }
        f.write_str("Not shown: which of the two histories is the true one, who was shown which, and why.")
    }
}
