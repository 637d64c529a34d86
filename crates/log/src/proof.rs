//! Offline proofs that an entry is in a log, in one text file (C2SP tlog-proof).

use std::{fmt, str::FromStr};

use thiserror::Error;

use crate::{
    checkpoint::{self, Checkpoint, CheckpointError, Opened},
    encoding::{base64, decimal, from_base64},
    merkle::{Hash, ProofError, verify_inclusion},
    note::{SignedNote, VerifierKey},
    policy::Policy,
};

const HEADER: &str = "c2sp.org/tlog-proof@v1\n";

/// The longest inclusion proof of a tree whose size fits 64 bits.
const MAX_PATH: usize = 64;

/// An entry's place in a log, the hashes from there to the root, and the checkpoint with that root. Displays as, and parses from,
/// the text of a `.tlog-proof` file. Nothing in it is to be believed before [`LogProof::verify`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LogProof {
    /// Data for the application, authenticated by nothing; usually empty.
    pub extra: Vec<u8>,
    /// Zero-based index of the entry.
    pub index: u64,
    /// The inclusion proof, leaf's sibling first.
    pub path: Vec<Hash>,
    /// The signed checkpoint, as a note.
    pub checkpoint: SignedNote,
}

impl LogProof {
    /// Checks that the entry with this leaf hash is in the log `origin`, at a checkpoint that the log signed with one of `keys`;
    /// returns that checkpoint.
    pub fn verify(&self, leaf: &Hash, keys: &[VerifierKey], origin: &str) -> Result<Opened, LogProofError> {
        let opened = checkpoint::open(self.checkpoint.to_string().as_bytes(), keys, origin)?;
        let tree = opened.checkpoint();
        verify_inclusion(leaf, self.index, tree.size, &self.path, &tree.root)?;
        Ok(opened)
    }

    /// As [`LogProof::verify`], by the log's key and a policy's witnesses; says who vouches for the entry.
    pub fn attest(&self, leaf: &Hash, log: &VerifierKey, policy: &Policy) -> Result<Attested, LogProofError> {
        let witnesses = policy.witnesses().iter().map(|witness| witness.key.clone());
        let keys: Vec<_> = std::iter::once(log.clone()).chain(witnesses).collect();
        let opened = self.verify(leaf, &keys, log.name().as_str())?;
        let cosigners = policy.cosigners(opened.note());
        Ok(Attested {
            checkpoint: opened.checkpoint().clone(),
            quorum_met: policy.satisfied_by(&cosigners),
            cosigners: cosigners.into_iter().map(str::to_owned).collect(),
        })
    }
}

/// What a proof that holds shows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Attested {
    /// The state of the log that the entry is part of.
    pub checkpoint: Checkpoint,
    /// The policy's witnesses who cosigned it, by their names there.
    pub cosigners: Vec<String>,
    /// Whether these are the quorum that the policy asks for.
    pub quorum_met: bool,
}

impl Attested {
    /// How much a receipt is worth beside another of the same entry: a quorum before none, then by the number of cosigners.
    pub fn worth(&self) -> (bool, usize) {
        (self.quorum_met, self.cosigners.len())
    }
}

impl fmt::Display for LogProof {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(HEADER)?;
        if !self.extra.is_empty() {
            writeln!(f, "extra {}", base64(&self.extra))?;
        }
        writeln!(f, "index {}", self.index)?;
        self.path.iter().try_for_each(|hash| writeln!(f, "{}", hash.to_base64()))?;
        write!(f, "\n{}", self.checkpoint)
    }
}

/// Why a text does not prove that the entry is in the log.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum LogProofError {
    /// Not in the tlog-proof format.
    #[error(
        "not a log proof: expected 'c2sp.org/tlog-proof@v1', 'index N', base64 hashes, a blank line and a checkpoint"
    )]
    Malformed,
    /// The checkpoint does not hold.
    #[error(transparent)]
    Checkpoint(#[from] CheckpointError),
    /// The hashes do not lead from the entry to the checkpoint's root.
    #[error(transparent)]
    Proof(#[from] ProofError),
}

impl FromStr for LogProof {
    type Err = LogProofError;

    fn from_str(text: &str) -> Result<Self, LogProofError> {
        let (head, note) = split(text).ok_or(LogProofError::Malformed)?;
        let checkpoint = SignedNote::parse(note.as_bytes()).map_err(CheckpointError::from)?;
        checkpoint.text().parse::<Checkpoint>()?;
        let (extra, index, path) = parse_head(head).ok_or(LogProofError::Malformed)?;
        Ok(Self { extra, index, path, checkpoint })
    }
}

/// The lines between the header and the first blank line, and the checkpoint after it.
fn split(text: &str) -> Option<(&str, &str)> {
    text.strip_prefix(HEADER)?.split_once("\n\n")
}

fn parse_head(head: &str) -> Option<(Vec<u8>, u64, Vec<Hash>)> {
    let mut lines = head.split('\n').peekable();
    let extra = match lines.next_if(|line| line.starts_with("extra ")) {
        Some(line) => from_base64(line.strip_prefix("extra ")?).filter(|extra| !extra.is_empty())?,
        None => Vec::new(),
    };
    let index = decimal(lines.next()?.strip_prefix("index ")?)?;
    let path: Vec<Hash> = lines.take(MAX_PATH + 1).map(|line| Hash::from_base64(line).ok()).collect::<Option<_>>()?;
    (path.len() <= MAX_PATH).then_some((extra, index, path))
}
