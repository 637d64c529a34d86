//! What to cosign: requests of C2SP tlog-witness v1.0.0, decided in its order, and in the end by the witness's own recount.

use tallyproof_log::{
    checkpoint::{Checkpoint, CheckpointError},
    cosignature::{CosignError, CosignerKey},
    fork::{ForkProof, Prefix},
    merkle::{Hash, empty_root, proven_prefix, verify_consistency},
    note::{NoteError, NoteSignature, SignedNote, VerifierKey},
    witness::{AddCheckpoint, Answer},
};
use thiserror::Error;

use crate::{Signed, follower::Recounted};

/// The keys of a witness, and the last checkpoint that it cosigned.
#[derive(Debug)]
pub struct Cosigner {
    log: VerifierKey,
    keys: Vec<CosignerKey>,
    last: Option<Last>,
}

#[derive(Clone, Debug)]
struct Last {
    signed: Signed,
    /// With the witness's own cosignatures.
    note: SignedNote,
}

/// A request that the log has signed.
#[derive(Clone, Debug)]
pub struct Asked {
    old_size: u64,
    proof: Vec<Hash>,
    signed: Signed,
}

impl Asked {
    /// The size that the proof starts from.
    pub fn old_size(&self) -> u64 {
        self.old_size
    }

    /// The checkpoint to be cosigned.
    pub fn signed(&self) -> &Signed {
        &self.signed
    }
}

/// Why a checkpoint was not cosigned. Nothing has changed.
#[derive(Debug, Error)]
pub enum NotCosigned<E> {
    /// An answer of the protocol.
    #[error("{}", .0.body().trim_end())]
    Answer(Answer),
    /// The witness's own copy does not begin with what it cosigned last.
    #[error(
        "the witness's copy of the log does not begin with the {size} entries that it cosigned last: the copy or the state is not its own"
    )]
    CopyDiffers {
        /// Entries of the last cosigned checkpoint.
        size: u64,
    },
    /// The keys cannot cosign.
    #[error(transparent)]
    Key(#[from] CosignError),
    /// A cosignature does not hold.
    #[error(transparent)]
    Note(#[from] NoteError),
    /// The state could not be stored.
    #[error("the witness's state could not be stored: {0}")]
    Store(E),
}

impl Cosigner {
    /// A witness of the log with these keys that has cosigned `last`, a checkpoint of the log's, and nothing since.
    pub fn new(log: VerifierKey, keys: Vec<CosignerKey>, last: Option<SignedNote>) -> Result<Self, CheckpointError> {
        let open =
            |note: SignedNote| Signed::open(note.to_string().as_bytes(), &log).map(|signed| Last { signed, note });
        Ok(Self { last: last.map(open).transpose()?, log, keys })
    }

    /// The witness's keys.
    pub fn keys(&self) -> impl Iterator<Item = &VerifierKey> {
        self.keys.iter().map(CosignerKey::verifier)
    }

    /// The last checkpoint cosigned, as the log signed it.
    pub fn last(&self) -> Option<&Signed> {
        self.last.as_ref().map(|last| &last.signed)
    }

    /// The last checkpoint cosigned, with the log's signature and the witness's own.
    pub fn cosigned(&self) -> Option<&SignedNote> {
        self.last.as_ref().map(|last| &last.note)
    }

    /// Size and root of the tree cosigned last; before the first, those of the empty tree.
    pub fn last_tree(&self) -> (u64, Hash) {
        self.last().map_or_else(|| (0, empty_root()), |last| (last.checkpoint().size, last.checkpoint().root))
    }

    /// Reads a request's body: 400, 404, 403, and 400 for an old size beyond the checkpoint's.
    pub fn read(&self, body: &[u8]) -> Result<Asked, Answer> {
        let request = AddCheckpoint::parse(body).map_err(|_| Answer::Malformed)?;
        if request.checkpoint().origin != *self.log.name() {
            return Err(Answer::UnknownLog);
        }
        let signed = Signed::open(request.note().to_string().as_bytes(), &self.log).map_err(|_| Answer::NotSigned)?;
        if request.old_size() > request.checkpoint().size {
            return Err(Answer::Malformed);
        }
        Ok(Asked { old_size: request.old_size(), proof: request.proof().to_vec(), signed })
    }

    /// Checks a request against what was cosigned last: 409, 422.
    pub fn check(&self, asked: &Asked) -> Result<(), Answer> {
        let (size, root) = self.last_tree();
        if asked.old_size != size {
            return Err(Answer::Conflict { size });
        }
        let Checkpoint { size: new_size, root: new_root, .. } = asked.signed.checkpoint();
        verify_consistency(size, *new_size, &root, new_root, &asked.proof).map_err(|_| Answer::Inconsistent)
    }

    /// The fork that a request answered with [`Answer::Inconsistent`] proves by itself, if it does: another root of the size
    /// cosigned last, or the log's own proof that it began otherwise.
    pub fn fork_in(&self, asked: &Asked) -> Option<ForkProof> {
        let last = self.last()?;
        let (old, new) = (last.checkpoint(), asked.signed.checkpoint());
        let root = proven_prefix(old.size, new.size, &new.root, &asked.proof);
        let prefix = root.map(|root| Prefix { root, proof: asked.proof.clone() });
        ForkProof::new(self.log.clone(), [last.note().clone(), asked.signed.note().clone()], prefix).ok()
    }

    /// Cosigns what a request asks for, if the request still holds and the witness has recounted that very checkpoint. `store`
    /// makes the new state durable; if it fails, nothing was cosigned and nothing has changed.
    pub fn add<E>(
        &mut self,
        asked: &Asked,
        recounted: &Recounted,
        now: u64,
        store: impl FnOnce(&SignedNote) -> Result<(), E>,
    ) -> Result<Answer, NotCosigned<E>> {
        // Another request may have come between.
        self.check(asked).map_err(NotCosigned::Answer)?;
        self.cosign(&asked.signed, recounted, now, store).map(Answer::Cosigned)
    }

    /// Cosigns a checkpoint that nobody has asked for, at least as large as the last. Stores it as [`Cosigner::add`] does.
    pub fn cosign<E>(
        &mut self,
        signed: &Signed,
        recounted: &Recounted,
        now: u64,
        store: impl FnOnce(&SignedNote) -> Result<(), E>,
    ) -> Result<Vec<NoteSignature>, NotCosigned<E>> {
        let (size, root) = self.last_tree();
        if !recounted.is_of(signed.checkpoint()) || signed.checkpoint().size < size {
            return Err(NotCosigned::Answer(Answer::Inconsistent));
        }
        if recounted.root_at(size) != Some(root) {
            return Err(NotCosigned::CopyDiffers { size });
        }
        let mut note = signed.note().clone();
        let mut cosignatures = Vec::with_capacity(self.keys.len());
        for key in &self.keys {
            let cosignature = key.cosign(signed.checkpoint(), now)?;
            note.attach(cosignature.clone(), key.verifier())?;
            cosignatures.push(cosignature);
        }
        store(&note).map_err(NotCosigned::Store)?;
        self.last = Some(Last { signed: signed.clone(), note });
        Ok(cosignatures)
    }
}
