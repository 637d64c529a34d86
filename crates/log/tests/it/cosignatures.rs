//! Cosignatures of witnesses on a log's checkpoints.

use proptest::prelude::*;
use tallyproof_log::{
    checkpoint::{self, Checkpoint, CheckpointError},
    cosignature::{CosignError, CosignerKey, MAX_TIME},
    merkle::leaf_hash,
    note::{self, MAX_SIGNATURES, NoteError, NoteSignature, PublicKey, SignedNote, SignerKey, VerifierKey},
};

pub(crate) const ORIGIN: &str = "log.example/1";
pub(crate) const TIME: u64 = 1_782_864_000;

pub(crate) fn log() -> SignerKey {
    SignerKey::new(ORIGIN.parse().unwrap(), &[1; 32])
}

pub(crate) fn witness(seed: u8) -> CosignerKey {
    CosignerKey::ed25519(format!("witness.example/{seed}").parse().unwrap(), &[seed; 32])
}

/// Its cosignatures are of the other kind.
pub(crate) fn ml_dsa_witness(seed: u8) -> CosignerKey {
    CosignerKey::ml_dsa_44(format!("witness.example/{seed}").parse().unwrap(), &[seed; 32])
}

pub(crate) fn checkpoint(size: u64) -> Checkpoint {
    Checkpoint { origin: ORIGIN.parse().unwrap(), size, root: leaf_hash(&size.to_be_bytes()) }
}

pub(crate) fn signed(size: u64) -> SignedNote {
    SignedNote::parse(checkpoint(size).sign(&log()).unwrap().as_bytes()).unwrap()
}

/// A checkpoint of the log with the cosignatures of these witnesses.
pub(crate) fn cosigned(size: u64, witnesses: &[&CosignerKey]) -> SignedNote {
    let mut note = signed(size);
    for witness in witnesses {
        note.attach(witness.cosign(&checkpoint(size), TIME).unwrap(), witness.verifier()).unwrap();
    }
    note
}

fn open(note: &SignedNote, keys: &[VerifierKey]) -> Result<checkpoint::Opened, CheckpointError> {
    checkpoint::open(note.to_string().as_bytes(), keys, ORIGIN)
}

#[test]
fn a_cosigner_key_reads_back_as_one() {
    let [ed25519, ml_dsa] = [witness(2), ml_dsa_witness(2)].map(|witness| {
        let text = witness.verifier().to_string();
        let key: VerifierKey = text.parse().unwrap();
        assert!(key.public_key().is_cosigner());
        assert_eq!((key.to_string(), &key), (text, witness.verifier()));
        key
    });
    assert!(matches!(ed25519.public_key(), PublicKey::Ed25519Cosigner(_)));
    assert!(matches!(ml_dsa.public_key(), PublicKey::MlDsa44Cosigner(_)));
    // The same public key as a log's has another ID, or its signatures could be taken for cosignatures.
    let same = SignerKey::new("witness.example/2".parse().unwrap(), &[2; 32]);
    assert!(same.verifier().id() != ed25519.id() && !same.verifier().public_key().is_cosigner());
}

#[test]
fn a_checkpoint_opens_with_the_cosignatures_of_known_witnesses() {
    let (log, a, b, unknown) = (log(), witness(2), ml_dsa_witness(3), witness(4));
    let note = cosigned(7, &[&a, &unknown, &b]);
    let keys = [log.verifier().clone(), a.verifier().clone(), b.verifier().clone()];
    let opened = open(&note, &keys).unwrap();
    assert_eq!(opened.note().signatures().len(), 3);
    for key in &keys {
        assert!(opened.note().signed_by(key), "{key}");
    }
    assert!(!opened.note().signed_by(unknown.verifier()));
    assert_eq!(opened.note().cosigned_at(a.verifier()), Some(TIME));
    assert_eq!(opened.note().cosigned_at(b.verifier()), Some(TIME));
    assert_eq!(opened.note().cosigned_at(log.verifier()), None);
    assert_eq!(opened.note().cosigned_at(unknown.verifier()), None);
    // Who knows the log alone passes over the witnesses.
    assert_eq!(open(&note, &keys[..1]).unwrap().note().signatures().len(), 1);
}

#[test]
fn sixteen_cosignatures_and_as_many_as_the_limit_are_read() {
    let witnesses: Vec<_> = (0..u8::try_from(MAX_SIGNATURES).unwrap()).map(|seed| witness(seed + 10)).collect();
    for count in [16, MAX_SIGNATURES - 1] {
        let some: Vec<_> = witnesses.iter().take(count).collect();
        let keys: Vec<_> =
            some.iter().map(|witness| witness.verifier().clone()).chain([log().verifier().clone()]).collect();
        assert_eq!(open(&cosigned(7, &some), &keys).unwrap().note().signatures().len(), count + 1);
    }
    let mut full = cosigned(7, &witnesses.iter().take(MAX_SIGNATURES - 1).collect::<Vec<_>>());
    let last = witnesses.last().unwrap();
    let one_more = last.cosign(&checkpoint(7), TIME).unwrap();
    assert_eq!(full.attach(one_more, last.verifier()), Err(NoteError::TooManySignatures));
}

#[test]
fn witnesses_do_not_speak_for_the_log() {
    let namesake = CosignerKey::ed25519(ORIGIN.parse().unwrap(), &[2; 32]);
    let cosignature = namesake.cosign(&checkpoint(7), TIME).unwrap();
    let note = format!("{}\n{cosignature}\n", checkpoint(7));
    let keys = [log().verifier().clone(), namesake.verifier().clone()];
    let found = checkpoint::open(note.as_bytes(), &keys, ORIGIN);
    assert_eq!(found, Err(CheckpointError::NotTheLogs { origin: ORIGIN.parse().unwrap() }));
}

#[test]
fn a_cosignature_is_of_one_checkpoint_one_time_and_one_kind_of_key() {
    let a = witness(2);
    let good = a.cosign(&checkpoint(7), TIME).unwrap();
    let bad = Err(NoteError::BadSignature { name: good.name.clone(), key_id: good.key_id });
    assert_eq!(signed(8).attach(good.clone(), a.verifier()), bad);
    let mut later = good.clone();
    later.signature[7] ^= 1;
    assert_eq!(signed(7).attach(later, a.verifier()), bad);
    let mut longer = good.clone();
    longer.signature.push(0);
    assert_eq!(signed(7).attach(longer, a.verifier()), bad);
    // A plain signature of the same secret over the checkpoint states no time and is none.
    let plain = SignerKey::new("witness.example/2".parse().unwrap(), &[2; 32]);
    let plain = note::sign(&checkpoint(7).to_string(), &plain).unwrap();
    let mut plain = SignedNote::parse(plain.as_bytes()).unwrap().signatures()[0].clone();
    plain.key_id = good.key_id;
    assert_eq!(signed(7).attach(plain, a.verifier()), bad);
    assert_eq!(signed(7).attach(good, witness(3).verifier()), Err(NoteError::NoKnownSignature));
}

#[test]
fn a_newer_cosignature_takes_the_place_of_the_witnesss_earlier_one() {
    let (a, b) = (witness(2), witness(3));
    let mut note = cosigned(7, &[&a, &b]);
    note.attach(a.cosign(&checkpoint(7), TIME + 60).unwrap(), a.verifier()).unwrap();
    assert_eq!(note.signatures().len(), 3);
    let opened = open(&note, &[log().verifier().clone(), a.verifier().clone()]).unwrap();
    assert_eq!(opened.note().cosigned_at(a.verifier()), Some(TIME + 60));
}

#[test]
fn an_ml_dsa_cosignature_is_of_one_checkpoint_one_time_and_one_witness() {
    let a = ml_dsa_witness(2);
    let good = a.cosign(&checkpoint(7), TIME).unwrap();
    assert_eq!(good.signature.len(), 8 + 2_420);
    let bad = Err(NoteError::BadSignature { name: good.name.clone(), key_id: good.key_id });
    assert_eq!(signed(8).attach(good.clone(), a.verifier()), bad);
    for at in [0, 7, 8, 100, 2_427] {
        let mut changed = good.clone();
        changed.signature[at] ^= 1;
        assert_eq!(signed(7).attach(changed, a.verifier()), bad, "byte {at}");
    }
    for length in [0, 8, 72, 2_427, 2_429] {
        let mut resized = good.clone();
        resized.signature.resize(length, 0);
        assert_eq!(signed(7).attach(resized, a.verifier()), bad, "{length} bytes");
    }
    // Unlike Ed25519's, it names the witness: the same key under another name does not take it over.
    let other = CosignerKey::ml_dsa_44("witness.example/3".parse().unwrap(), &[2; 32]);
    let taken = NoteSignature { name: other.verifier().name().clone(), key_id: other.verifier().id(), ..good };
    assert!(matches!(signed(7).attach(taken, other.verifier()), Err(NoteError::BadSignature { .. })));
}

#[test]
fn names_that_an_ml_dsa_cosignature_has_no_room_for_are_refused() {
    let named = |length| CosignerKey::ml_dsa_44("w".repeat(length).parse().unwrap(), &[2; 32]);
    assert!(named(255).cosign(&checkpoint(7), TIME).is_ok());
    let long = named(256);
    assert_eq!(long.cosign(&checkpoint(7), TIME), Err(CosignError::LongName(long.verifier().name().clone())));
    let origin = "o".repeat(256).parse().unwrap();
    assert!(named(1).cosign(&Checkpoint { origin, ..checkpoint(7) }, TIME).is_err());
}

#[test]
fn times_that_the_format_cannot_state_are_refused() {
    let a = witness(2);
    assert!(a.cosign(&checkpoint(7), MAX_TIME).is_ok());
    assert!(a.cosign(&checkpoint(7), MAX_TIME + 1).is_err());
    // Nor is such a time read: it would be negative to readers that use signed numbers.
    let mut beyond = a.cosign(&checkpoint(7), 0).unwrap();
    beyond.signature[0] = 0x80;
    assert!(signed(7).attach(beyond, a.verifier()).is_err());
}

#[test]
fn a_secret_key_does_not_show_itself() {
    let shown = format!("{:?}", CosignerKey::ed25519("witness.example/1".parse().unwrap(), &[0xA7; 32]));
    assert!(!shown.contains("167, 167") && !shown.to_lowercase().contains("a7a7"), "{shown}");
}

proptest! {
    #[test]
    fn every_changed_byte_of_a_cosigned_checkpoint_is_found_or_unknown(
        size: u64, at in any::<prop::sample::Index>(), flip in 1_u8..,
    ) {
        let a = witness(2);
        let keys = [log().verifier().clone(), a.verifier().clone()];
        let mut note = cosigned(size, &[&a]).to_string().into_bytes();
        let at = at.index(note.len());
        note[at] ^= flip;
        // With a changed name or ID the line is somebody else's; then there is one signer less.
        if let Ok(opened) = checkpoint::open(&note, &keys, ORIGIN) {
            prop_assert!(!opened.note().signed_by(a.verifier()));
            prop_assert_eq!(opened.checkpoint(), &checkpoint(size));
        }
    }

    #[test]
    fn foreign_bytes_are_no_ml_dsa_cosignature(bytes in prop::collection::vec(any::<u8>(), 2_428)) {
        let witness = ml_dsa_witness(2);
        let (name, key_id) = (witness.verifier().name().clone(), witness.verifier().id());
        let foreign = NoteSignature { name, key_id, signature: bytes };
        prop_assert!(signed(7).attach(foreign, witness.verifier()).is_err());
    }

    #[test]
    fn cosignatures_open_at_every_time(size: u64, time in 0..=MAX_TIME, seed in 2_u8..) {
        let witness = witness(seed);
        let mut note = signed(size);
        note.attach(witness.cosign(&checkpoint(size), time).unwrap(), witness.verifier()).unwrap();
        let opened = open(&note, &[log().verifier().clone(), witness.verifier().clone()]).unwrap();
        prop_assert_eq!(opened.note().cosigned_at(witness.verifier()), Some(time));
    }
}
