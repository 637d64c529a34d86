//! Signed notes, checkpoints and proofs.

use base64::{Engine, engine::general_purpose::STANDARD};
use proptest::prelude::*;
use tallyproof_log::{
    checkpoint::{self, Checkpoint, CheckpointError},
    merkle::{Hash, ProofError, leaf_hash},
    note::{
        self, KeyName, MAX_NOTE_LEN, MAX_SIGNATURES, NoteError, PublicKey, SignedNote, SignerKey, VerifierKey,
        VerifierKeyError,
    },
    policy::Policy,
    proof::{LogProof, LogProofError},
    tree::Tree,
};

const SUM_GOLANG_ORG: &str = "sum.golang.org+033de0ae+Ac4zctda0e5eza+HJyk9SxEdh+s3Ux18htTTAD8OuAn8";

// The example in the documentation of Go's sumdb/note package, whose secret key is published with it.
const NEUMANN_KEY: &str = "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW";
const NEUMANN_SEED: [u8; 32] = [
    0x81, 0x0a, 0x14, 0x02, 0xd5, 0x14, 0x6c, 0x8d, 0x84, 0xf2, 0x44, 0x33, 0x30, 0xf5, 0x40, 0x80, 0xeb, 0xf9, 0x8e,
    0xe1, 0x7d, 0x9c, 0x74, 0xf6, 0x25, 0x2f, 0xc5, 0xd5, 0xc7, 0x28, 0x31, 0x73,
];
const NEUMANN_TEXT: &str =
    "If you think cryptography is the answer to your problem,\nthen you don't know what your problem is.\n";
const NEUMANN_SIGNATURE: &str =
    "— PeterNeumann x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6KE6RyyBwJnAM=\n";

fn name(name: &str) -> KeyName {
    name.parse().unwrap()
}

fn signer(owner: &str, seed: u8) -> SignerKey {
    SignerKey::new(name(owner), &[seed; 32])
}

fn key(signer: &SignerKey) -> VerifierKey {
    signer.verifier().clone()
}

/// One note with the signatures of several, as a log's checkpoint bears those of its witnesses.
fn signed_by(text: &str, signers: &[&SignerKey]) -> String {
    let lines = signers.iter().map(|signer| {
        let note = note::sign(text, signer).unwrap();
        note.strip_prefix(text).unwrap().trim_start().to_owned()
    });
    format!("{text}\n{}", lines.collect::<String>())
}

#[test]
fn published_verifier_keys_parse() {
    for text in [SUM_GOLANG_ORG, NEUMANN_KEY] {
        let key: VerifierKey = text.parse().unwrap();
        assert!(matches!(key.public_key(), PublicKey::Ed25519(_)));
        assert_eq!(key.to_string(), text);
    }
    let key: VerifierKey = SUM_GOLANG_ORG.parse().unwrap();
    assert_eq!((key.name().as_str(), key.id().to_string().as_str()), ("sum.golang.org", "033de0ae"));
}

#[test]
fn published_note_opens_and_is_made_again() {
    let key: VerifierKey = NEUMANN_KEY.parse().unwrap();
    let signer = SignerKey::new(name("PeterNeumann"), &NEUMANN_SEED);
    let note = format!("{NEUMANN_TEXT}\n{NEUMANN_SIGNATURE}");
    assert_eq!(signer.verifier(), &key);
    assert_eq!(note::sign(NEUMANN_TEXT, &signer).unwrap(), note);
    let verified = note::open(note.as_bytes(), &[key]).unwrap();
    assert_eq!(verified.text(), NEUMANN_TEXT);
    assert_eq!(verified.signatures().len(), 1);
}

#[test]
fn a_mistyped_verifier_key_is_refused() {
    let parse = |text: &str| text.parse::<VerifierKey>().unwrap_err();
    let expected = SUM_GOLANG_ORG.parse::<VerifierKey>().unwrap().id();
    assert_eq!(parse(&SUM_GOLANG_ORG.replace("033de0ae", "033de0af")), VerifierKeyError::KeyId { expected });
    assert_eq!(parse(&SUM_GOLANG_ORG.replace("033de0ae", "033DE0AE")), VerifierKeyError::KeyId { expected });
    assert!(matches!(parse(&SUM_GOLANG_ORG.replace("sum.", "sun.")), VerifierKeyError::KeyId { .. }));
    assert!(matches!(parse(&SUM_GOLANG_ORG.replace("sum.", "sum ")), VerifierKeyError::Name(_)));
    for malformed in ["", "a", "a+b", "a+00000000+", "a+00000000+AQ==", &SUM_GOLANG_ORG[..SUM_GOLANG_ORG.len() - 1]] {
        assert_eq!(parse(malformed), VerifierKeyError::Malformed, "{malformed:?}");
    }
    assert_eq!(parse("a+00000000+AQAA"), VerifierKeyError::InvalidKey);
    // The identity point, of order one, as a log's key and as a witness's.
    for signature_type in [1, 4] {
        let identity = STANDARD.encode([[signature_type, 1].as_slice(), &[0; 31]].concat());
        assert_eq!(parse(&format!("a+00000000+{identity}")), VerifierKeyError::WeakKey);
    }
}

/// A key list may name witnesses with later algorithms: it must stay readable, and such a key must never count as a signer.
#[test]
fn keys_of_other_types_are_kept_but_never_verify() {
    let signer = signer("log.example", 1);
    let later = format!("log.example+00000000+{}", STANDARD.encode([[7].as_slice(), &[9; 1312]].concat()));
    let Err(VerifierKeyError::KeyId { expected }) = later.parse::<VerifierKey>() else { panic!("{later}") };
    let text = later.replace("00000000", &expected.to_string());
    let cosigner: VerifierKey = text.parse().unwrap();
    assert!(matches!(cosigner.public_key(), PublicKey::Unsupported { signature_type: 7, key } if key.len() == 1312));
    assert_eq!(cosigner.to_string(), text);

    let mut note = note::sign("text\n", &signer).unwrap();
    assert_eq!(note::open(note.as_bytes(), std::slice::from_ref(&cosigner)), Err(NoteError::NoKnownSignature));
    note.push_str("— log.example ");
    note.push_str(&STANDARD.encode([expected.0.as_slice(), &[0; 72]].concat()));
    note.push('\n');
    assert_eq!(note::open(note.as_bytes(), &[cosigner, key(&signer)]).unwrap().signatures().len(), 1);
}

#[test]
fn a_bad_signature_of_a_known_key_rejects_the_note() {
    let (a, b) = (signer("a.example", 1), signer("b.example", 2));
    let note = signed_by("text\n", &[&a, &b]);
    let both = [key(&a), key(&b)];
    assert_eq!(note::open(note.as_bytes(), &both).unwrap().signatures().len(), 2);

    let altered = note.replace("text", "texd");
    let bad = |signer: &SignerKey| NoteError::BadSignature {
        name: signer.verifier().name().clone(),
        key_id: key(signer).id(),
    };
    assert_eq!(note::open(altered.as_bytes(), &both), Err(bad(&a)));

    // One good signature does not make up for a bad one.
    let other = note::sign("other\n", &b).unwrap();
    let mixed = note::sign("text\n", &a).unwrap() + other.strip_prefix("other\n\n").unwrap();
    assert_eq!(note::open(mixed.as_bytes(), &both), Err(bad(&b)));
    // But b is nobody to a reader who knows a alone.
    assert_eq!(note::open(mixed.as_bytes(), &both[..1]).unwrap().signatures().len(), 1);
}

#[test]
fn unknown_keys_never_count() {
    let (a, b) = (signer("a.example", 1), signer("b.example", 2));
    let note = note::sign("text\n", &a).unwrap();
    assert_eq!(note::open(note.as_bytes(), &[]), Err(NoteError::NoKnownSignature));
    assert_eq!(note::open(note.as_bytes(), &[key(&b)]), Err(NoteError::NoKnownSignature));
    // The same name with another key, and the same key under another name, are other signers.
    let same_name = signer("a.example", 2);
    let same_key = signer("b.example", 1);
    assert_eq!(note::open(note.as_bytes(), &[key(&same_name), key(&same_key)]), Err(NoteError::NoKnownSignature));
}

#[test]
fn a_repeated_signature_is_one_signer() {
    let a = signer("a.example", 1);
    let note = signed_by("text\n", &[&a, &a, &a]);
    assert_eq!(SignedNote::parse(note.as_bytes()).unwrap().signatures().len(), 3);
    assert_eq!(note::open(note.as_bytes(), &[key(&a), key(&a)]).unwrap().signatures().len(), 1);
}

#[test]
fn many_signatures_are_read_up_to_the_limit() {
    let signers: Vec<SignerKey> = (0..=100).map(|seed| signer("log.example", seed)).collect();
    let note = |count| signed_by("text\n", &signers.iter().take(count).collect::<Vec<_>>());
    for count in [16, MAX_SIGNATURES] {
        let keys: Vec<VerifierKey> = signers.iter().map(key).collect();
        assert_eq!(note::open(note(count).as_bytes(), &keys).unwrap().signatures().len(), count);
    }
    assert_eq!(SignedNote::parse(note(MAX_SIGNATURES + 1).as_bytes()), Err(NoteError::TooManySignatures));
}

#[test]
fn the_last_blank_line_ends_the_text() {
    let a = signer("a.example", 1);
    for text in ["\n", "one\n", "one\n\ntwo\n", "one\n\n", "\n\n\n", "— a.example AAAAAAA=\n", "è subito sera\n"] {
        let note = note::sign(text, &a).unwrap();
        assert_eq!(note::open(note.as_bytes(), &[key(&a)]).unwrap().text(), text, "{text:?}");
    }
}

#[test]
fn malformed_notes_are_named() {
    let good = note::sign("text\n", &signer("a.example", 1)).unwrap();
    let parse = |note: &str| SignedNote::parse(note.as_bytes()).unwrap_err();
    let line = |line| NoteError::MalformedSignature { line };
    assert_eq!(parse(""), NoteError::NoSignatures);
    assert_eq!(parse("text\n"), NoteError::NoSignatures);
    assert_eq!(parse("text\n\n"), NoteError::NoSignatures);
    assert_eq!(parse(good.trim_end()), NoteError::NoSignatures);
    assert_eq!(parse(&good.replace('—', "-")), line(1));
    assert_eq!(parse(&good.replace("— ", "—  ")), line(1));
    assert_eq!(parse(&good.replace("a.example", "a+b")), line(1));
    assert_eq!(parse("text\n\n— a AAAAAA==\n"), line(1));
    assert_eq!(parse("text\n\n— a AAAAAAA=\n— a AAAAAAB=\n"), line(2));
    assert_eq!(parse(&good.replace("text", "te\rxt")), NoteError::NotText);
    assert_eq!(parse(&good.replace("text", "te\0xt")), NoteError::NotText);
    assert_eq!(SignedNote::parse(b"text\xff\n\n"), Err(NoteError::NotText));
    assert_eq!(parse(&"\n".repeat(MAX_NOTE_LEN + 1)), NoteError::TooLong(MAX_NOTE_LEN + 1));
}

#[test]
fn only_a_notes_text_can_be_signed() {
    let a = signer("a.example", 1);
    assert_eq!(note::sign("", &a), Err(NoteError::NoFinalNewline));
    assert_eq!(note::sign("text", &a), Err(NoteError::NoFinalNewline));
    assert_eq!(note::sign("te\txt\n", &a), Err(NoteError::NotText));
}

#[test]
fn a_secret_key_does_not_show_itself() {
    let shown = format!("{:?}", SignerKey::new(name("a.example"), &NEUMANN_SEED));
    assert!(!shown.contains("129, 10, 20") && !shown.contains("810a14"), "{shown}");
}

fn checkpoint(size: u64) -> Checkpoint {
    Checkpoint { origin: name("log.example/1"), size, root: leaf_hash(b"root") }
}

#[test]
fn checkpoints_open_only_as_their_logs_own() {
    let (log, witness) = (signer("log.example/1", 1), signer("witness.example", 2));
    let keys = [key(&log), key(&witness)];
    let note = checkpoint(7).sign(&log).unwrap();
    let opened = checkpoint::open(note.as_bytes(), &keys, "log.example/1").unwrap();
    assert_eq!((opened.checkpoint(), opened.note().signatures().len()), (&checkpoint(7), 1));

    let elsewhere = checkpoint::open(note.as_bytes(), &keys, "log.example/2");
    assert!(matches!(elsewhere, Err(CheckpointError::OtherLog { .. })), "{elsewhere:?}");
    let theirs = note::sign(&checkpoint(7).to_string(), &witness).unwrap();
    let not_the_logs = Err(CheckpointError::NotTheLogs { origin: name("log.example/1") });
    assert_eq!(checkpoint::open(theirs.as_bytes(), &keys, "log.example/1"), not_the_logs);
    assert!(matches!(checkpoint(7).sign(&witness), Err(CheckpointError::NotTheLogs { .. })));
    let unknown = checkpoint::open(note.as_bytes(), &keys[1..], "log.example/1");
    assert_eq!(unknown, Err(CheckpointError::Note(NoteError::NoKnownSignature)));
}

#[test]
fn a_checkpoint_has_one_spelling() {
    let good = checkpoint(20).to_string();
    assert_eq!(good, format!("log.example/1\n20\n{}\n", leaf_hash(b"root").to_base64()));
    assert_eq!(good.parse(), Ok(checkpoint(20)));
    for bad in [
        good.replace("20", "020"),
        good.replace("20", "+20"),
        good.replace("20", "-1"),
        good.replace("20", ""),
        good.replace("20", "18446744073709551616"),
        good.replace("20", "0x14"),
        good.replace("20\n", ""),
        good.replace("log.example/1", ""),
        good.replace("log.example/1", "a log"),
        good.replace('\n', "\r\n"),
        good.replace('=', ""),
        format!("{good}extension\n"),
        format!("{good}\n"),
        format!("\n{good}"),
        good.trim_end().to_owned(),
        String::new(),
    ] {
        assert_eq!(bad.parse::<Checkpoint>(), Err(CheckpointError::Malformed), "{bad:?}");
    }
}

fn proof(extra: &[u8]) -> (LogProof, VerifierKey, Hash) {
    let log = signer("log.example/1", 1);
    let tree: Tree = (0..9_u8).map(|i| leaf_hash(&[i])).collect();
    let note = Checkpoint { origin: name("log.example/1"), size: 9, root: tree.root() }.sign(&log).unwrap();
    let proof = LogProof {
        extra: extra.to_vec(),
        index: 6,
        path: tree.inclusion_proof(6, 9).unwrap(),
        checkpoint: SignedNote::parse(note.as_bytes()).unwrap(),
    };
    (proof, key(&log), leaf_hash(&[6]))
}

#[test]
fn log_proofs_prove_their_entry_only() {
    let (mut proof, key, leaf) = proof(b"");
    let keys = std::slice::from_ref(&key);
    let verified = proof.verify(&leaf, keys, "log.example/1").unwrap();
    assert_eq!(verified.checkpoint().size, 9);
    assert_eq!(
        proof.verify(&leaf_hash(b"other"), keys, "log.example/1"),
        Err(LogProofError::Proof(ProofError::RootMismatch))
    );
    assert!(matches!(proof.verify(&leaf, &[], "log.example/1"), Err(LogProofError::Checkpoint(_))));
    proof.index = 5;
    assert!(matches!(proof.verify(&leaf, keys, "log.example/1"), Err(LogProofError::Proof(_))));
}

#[test]
fn log_proofs_are_written_as_specified() {
    for extra in [b"".as_slice(), b"context"] {
        let (proof, ..) = proof(extra);
        let text = proof.to_string();
        assert_eq!(text.parse(), Ok(proof.clone()));
        let extra = if extra.is_empty() { "" } else { "extra Y29udGV4dA==\n" };
        assert!(text.starts_with(&format!("c2sp.org/tlog-proof@v1\n{extra}index 6\n")), "{text}");
        assert!(text.ends_with(&format!("=\n\n{}", proof.checkpoint)), "{text}");
        for bad in [
            text.replace("@v1", "@v2"),
            text.replace("index 6", "index 06"),
            text.replace("index 6\n", ""),
            text.replace("index 6\n", "extra \nindex 6\n"),
            text.replace("index 6", "extra AA==\nextra AA==\nindex 6"),
            text.replace("=\n\n", "=\nAAAA\n\n"),
            text.replacen("=\n\n", "=\n", 1),
            text.replace("index 6\n", "index 6\n\n"),
            text.replace("index 6\n", &format!("index 6\n{}", format!("{}\n", proof.path[0].to_base64()).repeat(61))),
        ] {
            assert!(bad.parse::<LogProof>().is_err(), "{bad}");
        }
    }
}

#[test]
fn a_log_at_its_first_entry_has_an_empty_path() {
    let (mut proof, ..) = proof(b"");
    proof.path.clear();
    assert_eq!(proof.to_string().parse(), Ok(proof));
}

/// Text made of the formats' own pieces, so that random cases get past the first check.
fn pieces() -> impl Strategy<Value = String> {
    let piece = prop_oneof![
        Just("\n".to_owned()),
        Just("\n\n".to_owned()),
        Just("— a AAAAAAA=\n".to_owned()),
        Just("c2sp.org/tlog-proof@v1\n".to_owned()),
        Just("index 1\n".to_owned()),
        Just("extra AA==\n".to_owned()),
        Just("log.example\n1\nAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=\n".to_owned()),
        Just(NEUMANN_SIGNATURE.to_owned()),
        Just(SUM_GOLANG_ORG.to_owned()),
        Just("quorum none\n".to_owned()),
        Just("log ".to_owned()),
        ".{0,6}",
    ];
    prop::collection::vec(piece, 0..10).prop_map(|pieces| pieces.concat())
}

proptest! {
    #[test]
    fn signed_texts_open(text in "([^\\x00-\\x1f]{0,20}\n){1,5}", owner in "[a-z./]{1,20}", seed: [u8; 32]) {
        let signer = SignerKey::new(name(&owner), &seed);
        let key: VerifierKey = signer.verifier().to_string().parse().unwrap();
        let note = note::sign(&text, &signer).unwrap();
        let verified = note::open(note.as_bytes(), &[key]).unwrap();
        prop_assert_eq!(verified.text(), text);
    }

    #[test]
    fn every_changed_byte_of_a_checkpoint_is_found(size: u64, at in any::<prop::sample::Index>(), flip in 1_u8..) {
        let log = signer("log.example/1", 1);
        let mut note = checkpoint(size).sign(&log).unwrap().into_bytes();
        let at = at.index(note.len());
        note[at] ^= flip;
        prop_assert!(checkpoint::open(&note, &[key(&log)], "log.example/1").is_err());
    }

    #[test]
    fn accepted_texts_are_canonical(text in pieces()) {
        if let Ok(note) = SignedNote::parse(text.as_bytes()) {
            prop_assert_eq!(note.to_string(), text.as_str());
        }
        if let Ok(checkpoint) = text.parse::<Checkpoint>() {
            prop_assert_eq!(checkpoint.to_string(), text.as_str());
        }
        if let Ok(proof) = text.parse::<LogProof>() {
            prop_assert_eq!(proof.to_string(), text.as_str());
        }
        if let Ok(key) = text.parse::<VerifierKey>() {
            prop_assert_eq!(key.to_string(), text.as_str());
        }
        if let Ok(policy) = text.parse::<Policy>() {
            prop_assert_eq!(policy.to_string().parse(), Ok(policy));
        }
    }

    #[test]
    fn arbitrary_bytes_never_panic(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
        let key: VerifierKey = NEUMANN_KEY.parse().unwrap();
        prop_assert!(note::open(&bytes, &[key]).is_err());
    }
}
