//! A checkpoint with the cosignatures that it has so far.

use tallyproof_log::{
    checkpoint::Checkpoint,
    note::{NoteError, NoteSignature, PublicKey, SignedNote, VerifierKey},
    policy::Policy,
};

#[derive(Clone, Debug)]
pub(super) struct Held {
    pub(super) checkpoint: Checkpoint,
    /// As the log signed it.
    pub(super) signed: SignedNote,
    /// The same with cosignatures, each verified.
    pub(super) note: SignedNote,
    /// Whose they are: whole keys, since a name and an ID can be forged.
    pub(super) signers: Vec<VerifierKey>,
}

impl Held {
    pub(super) fn new(checkpoint: Checkpoint, signed: SignedNote) -> Self {
        Self { checkpoint, note: signed.clone(), signed, signers: Vec::new() }
    }

    /// Whether the key cosigned this checkpoint.
    pub(super) fn verify(&self, signature: &NoteSignature, key: &VerifierKey) -> Result<(), NoteError> {
        // Known already: whoever repeats it costs a comparison.
        if self.signers.contains(key) && self.note.signatures().contains(signature) {
            return Ok(());
        }
        self.signed.clone().attach(signature.clone(), key)
    }

    /// Adds a signature if it holds and the key has given none before; says whether it did.
    pub(super) fn add(&mut self, signature: &NoteSignature, key: &VerifierKey) -> bool {
        let new = !self.signers.contains(key) && self.note.attach(signature.clone(), key).is_ok();
        if new {
            self.signers.push(key.clone());
        }
        new
    }

    /// Back to what the log signed.
    pub(super) fn strip(&mut self) {
        self.note = self.signed.clone();
        self.signers.clear();
    }

    /// The policy's names of the signers.
    pub(super) fn names<'p>(&self, policy: &'p Policy) -> Vec<&'p str> {
        let cosigned = policy.witnesses().iter().filter(|witness| self.signers.contains(&witness.key));
        cosigned.map(|witness| witness.name.as_str()).collect()
    }
}

/// The first signature that claims to be this key's. One false is enough to believe no other.
pub(super) fn signature_of<'s>(key: &VerifierKey, signatures: &'s [NoteSignature]) -> Option<&'s NoteSignature> {
    signatures.iter().find(|signature| signature.name == *key.name() && signature.key_id == key.id())
}

/// Whether the key's signatures are of 64 bytes, not of 2,420.
pub(super) fn is_short(key: &VerifierKey) -> bool {
    matches!(key.public_key(), PublicKey::Ed25519Cosigner(_))
}
