//! Honest verifiers in two audiences: what each accepts of what it is shown, and what they find when they compare.

use std::collections::HashMap;

use tallyproof_log::checkpoint::{self, Checkpoint};
use tallyproof_log::fork::{Fork, ForkProof, Prefix};
use tallyproof_log::note::{SignedNote, VerifierKey};
use tallyproof_log::tree::Tree;

use super::country::Country;
use super::post::History;

/// A checkpoint that a verifier believed: the log has signed it, and as many witnesses as the policy asks for.
#[derive(Clone, Debug)]
pub(super) struct Accepted {
    pub(super) checkpoint: Checkpoint,
    pub(super) note: String,
    /// By which files it was shown. A verifier does not know that.
    pub(super) history: History,
}

/// An honest verifier.
#[derive(Debug, Default)]
pub(super) struct Verifier {
    pub(super) accepted: Vec<Accepted>,
    /// What contradicts what it had accepted.
    pub(super) refused: Vec<Checkpoint>,
}

/// What every verifier has: the log's key and the witnesses', and the policy from outside the bundle.
pub(super) struct Judge {
    keys: Vec<VerifierKey>,
    judged: HashMap<String, Option<Checkpoint>>,
}

impl Judge {
    pub(super) fn new(country: &Country) -> Self {
        let witnesses = country.policy.witnesses().iter().map(|witness| witness.key.clone());
        Self { keys: [country.log.verifier().clone()].into_iter().chain(witnesses).collect(), judged: HashMap::new() }
    }

    /// What a note states, if the log has signed it and the quorum is there.
    pub(super) fn believes(&mut self, country: &Country, note: &str) -> Option<Checkpoint> {
        if let Some(known) = self.judged.get(note) {
            return known.clone();
        }
        let origin = country.log.verifier().name().as_str();
        let opened = checkpoint::open(note.as_bytes(), &self.keys, origin).ok();
        let believed = opened
            .filter(|opened| country.policy.satisfied_by(&country.policy.cosigners(opened.note())))
            .map(|opened| opened.checkpoint().clone());
        self.judged.insert(note.to_owned(), believed.clone());
        believed
    }
}

/// The trees behind the histories.
pub(super) struct Trees<'a> {
    pub(super) first: &'a Tree,
    pub(super) second: Option<&'a Tree>,
}

impl<'a> Trees<'a> {
    fn of(&self, history: History) -> Option<&'a Tree> {
        match history {
            History::First => Some(self.first),
            History::Second => self.second,
        }
    }

    /// Whether one append-only log can have had both.
    pub(super) fn agree(&self, (one, of): (&Checkpoint, History), (other, from): (&Checkpoint, History)) -> bool {
        let ((small, _), (large, history)) =
            if one.size <= other.size { ((one, of), (other, from)) } else { ((other, from), (one, of)) };
        let root = self.of(history).and_then(|tree| tree.root_at(small.size));
        // What no tree has is no checkpoint of either.
        root == Some(small.root) && (small.size < large.size || small.root == large.root)
    }

    /// What two verifiers with these checkpoints publish, read back as its reader would.
    pub(super) fn proof(&self, log: &VerifierKey, one: &Accepted, other: &Accepted) -> Result<Fork, String> {
        let (small, large) = if one.checkpoint.size <= other.checkpoint.size { (one, other) } else { (other, one) };
        let tree = self.of(large.history).ok_or("there is no such history")?;
        let (from, to) = (small.checkpoint.size, large.checkpoint.size);
        let prefix = match (tree.root_at(from), tree.consistency_proof(from, to)) {
            (Some(root), Ok(proof)) => Some(Prefix { root, proof }),
            _ => None,
        };
        let note = |accepted: &Accepted| SignedNote::parse(accepted.note.as_bytes()).map_err(|error| error.to_string());
        let proof = ForkProof::new(log.clone(), [note(small)?, note(large)?], prefix);
        read_back(&proof.map_err(|error| error.to_string())?)
    }
}

/// A proof as whoever gets it reads it.
pub(super) fn read_back(proof: &ForkProof) -> Result<Fork, String> {
    let read: ForkProof = proof.to_string().parse().map_err(|error| format!("{error}"))?;
    read.verify().map_err(|error| error.to_string())
}
