//! The C2SP formats. Each has one spelling for each value: otherwise whoever carries a signed text could change its
//! bytes and keep it valid.

use std::fmt::Display;
use std::str::FromStr;

use tallyproof_log::checkpoint::{self as checkpoints, Checkpoint};
use tallyproof_log::compact::CompactReceipt;
use tallyproof_log::cosignature::CosignerKey;
use tallyproof_log::fork::ForkProof;
use tallyproof_log::merkle::leaf_hash;
use tallyproof_log::note::{NoteSignature, SignedNote, VerifierKey};
use tallyproof_log::policy::Policy;
use tallyproof_log::proof::LogProof;
use tallyproof_log::tile::{self, TilePath};
use tallyproof_log::witness::{AddCheckpoint, Answer};

use crate::{keys, seeds, world};

/// What parses displays as the text it came from.
fn one_spelling<T: FromStr + Display>(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else { return };
    if let Ok(value) = text.parse::<T>() {
        assert_eq!(value.to_string(), text, "a second spelling of one value was accepted");
    }
}

/// A signed note: one spelling; and where the log's key signed it, it is the note that the key writes for the text.
pub fn note(data: &[u8]) {
    let Ok(note) = SignedNote::parse(data) else { return };
    assert_eq!(note.to_string().as_bytes(), data, "a second spelling of one note was accepted");
    let log = keys::log();
    let Ok(verified) = note.verify(std::slice::from_ref(log.verifier())) else { return };
    assert_eq!(verified.text(), note.text(), "the verified text is not the note's");
    let ours = tallyproof_log::note::sign(verified.text(), &log).and_then(|ours| SignedNote::parse(ours.as_bytes()));
    let ours = ours.map(|ours| ours.signatures().to_vec());
    assert_eq!(ours.as_deref(), Ok(verified.signatures()), "a signature holds that the key did not make");
}

/// A checkpoint: one spelling; and where it opens, it is what the log's key signs.
pub fn checkpoint(data: &[u8]) {
    let log = keys::log();
    if let Ok(opened) = checkpoints::open(data, std::slice::from_ref(log.verifier()), keys::ORIGIN) {
        let signed = opened.checkpoint().sign(&log);
        let ours = signed.as_ref().map(|note| note.lines().last().map(str::to_owned));
        let theirs = opened.note().signatures().iter().map(ToString::to_string).next();
        assert_eq!(ours, Ok(theirs), "a checkpoint opens that the log did not sign");
    }
    one_spelling::<Checkpoint>(data);
}

/// A verifier key: one spelling.
pub fn verifier_key(data: &[u8]) {
    one_spelling::<VerifierKey>(data);
}

/// A log proof: one spelling; verification never panics.
pub fn proof(data: &[u8]) {
    one_spelling::<LogProof>(data);
    let Ok(proof) = String::from_utf8_lossy(data).parse::<LogProof>() else { return };
    let log = keys::log();
    if let Ok(opened) = proof.verify(&leaf_hash(b"entry"), std::slice::from_ref(log.verifier()), keys::ORIGIN) {
        assert!(proof.index < opened.checkpoint().size, "an index beyond the tree was proved");
    }
}

/// A compact receipt: one form; and what verifies is, as a text, a proof that verifies and gives the receipt back.
pub fn compact(data: &[u8]) {
    let Ok(receipt) = CompactReceipt::decode(data) else { return };
    assert_eq!(receipt.encode(), data, "a second form of one receipt was accepted");
    let (leaf, log, policy) = (leaf_hash(b"entry"), keys::log(), world::policy());
    let Ok(attested) = receipt.verify(&leaf, log.verifier(), &policy) else { return };
    assert_eq!(attested.cosigners.len(), receipt.cosignatures(), "a cosignature was not counted");
    let proof = receipt.to_proof(&leaf, log.verifier(), &policy);
    let proof = proof.map(|proof| proof.to_string().parse::<LogProof>());
    let Ok(Ok(proof)) = proof else { unreachable!("a receipt that holds gives no proof: {proof:?}") };
    let back = CompactReceipt::of(&proof, &leaf, log.verifier(), &policy);
    assert_eq!(back, Ok((receipt, Vec::new())), "the proof does not give the receipt back");
}

/// A fork proof: one spelling; what it proves of the log's key are two checkpoints that differ.
pub fn fork(data: &[u8]) {
    one_spelling::<ForkProof>(data);
    let Some(proof) = std::str::from_utf8(data).ok().and_then(|text| text.parse::<ForkProof>().ok()) else { return };
    if let Ok(fork) = proof.verify() {
        assert!(fork.one.size <= fork.other.size && fork.one.root != fork.other.root, "one history is no fork");
        assert_eq!(fork.prefix.is_none(), fork.one.size == fork.other.size, "a prefix where there is none");
    }
}

/// A policy: rendering loses nothing; nobody is not enough for a quorum, and everybody is.
pub fn policy(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else { return };
    let Ok(policy) = text.parse::<Policy>() else { return };
    assert_eq!(policy.satisfied_by(&[]), policy.quorum().is_none(), "a quorum is met by nobody");
    let all: Vec<_> = policy.witnesses().iter().map(|witness| witness.name.as_str()).collect();
    assert!(policy.satisfied_by(&all), "a quorum that nobody can meet");
    assert_eq!(policy.to_string().parse::<Policy>(), Ok(policy), "rendering changed the policy");
}

/// A log's request to a witness: one spelling.
pub fn add_checkpoint(data: &[u8]) {
    let Ok(request) = AddCheckpoint::parse(data) else { return };
    assert_eq!(request.to_string().as_bytes(), data, "a second spelling of one request was accepted");
    assert_eq!(request.checkpoint().to_string(), request.note().text(), "the checkpoint is not the note's");
}

/// A witness's answer, behind one byte that chooses its status: one spelling; and where a known witness's cosignature can be
/// added to a checkpoint, it is the one that the witness makes.
pub fn witness_answer(data: &[u8]) {
    let Some((&choice, body)) = data.split_first() else { return };
    let status = [200, 409, 400, 403, 404, 422, 503][usize::from(choice) % 7];
    let Ok(answer) = Answer::parse(status, Some("text/x.tlog.size"), body) else { return };
    assert_eq!(answer.status(), status, "an answer of another status");
    if matches!(answer, Answer::Conflict { .. } | Answer::Cosigned(_)) {
        assert_eq!(answer.body().as_bytes(), body, "a second spelling of one answer was accepted");
    }
    let Answer::Cosigned(signatures) = answer else { return };
    for witness in [keys::witness(), keys::ml_dsa_witness()] {
        for signature in &signatures {
            cosignature(signature, &witness);
        }
    }
}

/// A cosignature that can be added to the log's checkpoint is the one that the witness makes.
fn cosignature(signature: &NoteSignature, witness: &CosignerKey) {
    let Ok((checkpoint, mut note)) = seeds::checkpoint() else { return };
    if note.attach(signature.clone(), witness.verifier()).is_ok() {
        let verified = note.verify(std::slice::from_ref(witness.verifier())).ok();
        let time = verified.and_then(|verified| verified.cosigned_at(witness.verifier()));
        let ours = time.and_then(|time| witness.cosign(&checkpoint, time).ok());
        assert_eq!(ours.as_ref(), Some(signature), "a cosignature holds that the witness did not make");
    }
}

/// A tile's path: one spelling, and never an empty tile.
pub fn tile_path(data: &[u8]) {
    one_spelling::<TilePath>(data);
    if let Some(path) = std::str::from_utf8(data).ok().and_then(|text| text.parse::<TilePath>().ok()) {
        assert!((1..=tile::FULL_WIDTH).contains(&path.width()), "a path of an empty or overfull tile");
        assert_eq!(path.is_partial(), path.width() < tile::FULL_WIDTH, "a partial tile is one that is not full");
    }
}

/// A tile, behind one byte with its width less one: entries and hashes both encode to the bytes they came from.
pub fn entry_tile(data: &[u8]) {
    let Some((&width, bytes)) = data.split_first() else { return };
    let width = u16::from(width) + 1;
    if let Ok(entries) = tile::decode_entries(bytes, width) {
        assert_eq!(entries.len(), usize::from(width), "a tile of another width");
        assert_eq!(tile::encode_entries(&entries).as_deref(), Ok(bytes), "a second spelling of one entry tile");
    }
    if let Ok(hashes) = tile::decode_hashes(bytes, width) {
        assert_eq!(tile::encode_hashes(hashes), bytes, "a second spelling of one hash tile");
    }
}
