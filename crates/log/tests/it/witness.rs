//! The messages between a log and a witness.

use proptest::prelude::*;
use tallyproof_log::{
    checkpoint::CheckpointError,
    merkle::Hash,
    note::{MAX_NOTE_LEN, MAX_SIGNATURES, NoteError, NoteSignature},
    witness::{AddCheckpoint, Answer, AnswerError, MAX_PROOF, MAX_REQUEST_LEN, RequestError},
};

use crate::cosignatures::{TIME, checkpoint, cosigned, signed, witness};

// The specification's examples.
const REQUEST: &str = "old 20852014
PlRNCrwHpqhGrupue0L7gxbjbMiKA9temvuZZDDpkaw=
jrJZDmY8Y7SyJE0MWLpLozkIVMSMZcD5kvuKxPC3swk=
5+pKlUdi2LeF/BcMHBn+Ku6yhPGNCswZZD1X/6QgPd8=
/6WVhPs2CwSsb5rYBH5cjHV/wSmA79abXAwhXw3Kj/0=

example.com/behind-the-sofa
20852163
CsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=

— example.com/behind-the-sofa Az3grlgtzPICa5OS8npVmf1Myq/5IZniMp+ZJurmRDeOoRDe4URYN7u5/Zhcyv2q1gGzGku9nTo+zyWE+xeMcTOAYQ8=
— example.com/behind-the-sofa opLqBQsREYCgu6xQkYQwJr9fo45a62DN9EdmHXnZdXNqlcVGlCum2Wks+49/V6267UEjw6QUXTS5Rovnzv++qbSzm9Q=
";
const RESPONSE: &str =
    "— witness.example/w1 CMp+6LWBU0anHGH5aNDTJkH/gj79sG+T6+iP2ThYN5krrDJbR1HDnucjL39QsZTSvVjyQLrdk3DXDqI5G2HgLatVs0pWh6Up69HVOw==
— witness.example/w1 I7rEps0pvK2UqkS2gSpVUDhrhVtQV9lgF6pRrWAvjJHjyWpW7VcE3SiOlVlbQNt64vWhO+DlkL0+UfzuOBMh9ChdMkP1vi/lCAsmlw==
— witness.example/w2 AWui8Sk55XjYLOijihBjhqEH6nS1ndDymE0a+6idX7pLcnoB+dhnz0854aLZgrrKbYKA7nC3HNJhm/kWl7oJlqU3rXXvpysAdyP3wQ==
";
const SIZE: Option<&str> = Some("text/x.tlog.size");

fn parse(request: &str) -> Result<AddCheckpoint, RequestError> {
    AddCheckpoint::parse(request.as_bytes())
}

fn signatures(count: usize) -> Vec<NoteSignature> {
    (0..count).map(|at| witness(u8::try_from(at).unwrap()).cosign(&checkpoint(7), TIME).unwrap()).collect()
}

#[test]
fn the_specifications_examples_are_read_and_made_again() {
    let request = parse(REQUEST).unwrap();
    assert_eq!((request.old_size(), request.proof().len()), (20_852_014, 4));
    assert_eq!((request.checkpoint().size, request.note().signatures().len()), (20_852_163, 2));
    assert_eq!(request.to_string(), REQUEST);
    let answer = Answer::parse(200, Some("text/plain"), RESPONSE.as_bytes()).unwrap();
    assert!(matches!(&answer, Answer::Cosigned(signatures) if signatures.len() == 3));
    assert_eq!(answer.body(), RESPONSE);
}

#[test]
fn a_log_adds_what_the_witness_answers() {
    let a = witness(2);
    let request = AddCheckpoint::new(0, Vec::new(), signed(7)).unwrap();
    assert!(request.to_string().starts_with("old 0\n\nlog.example/1\n7\n"), "{request}");
    let seen = parse(&request.to_string()).unwrap();
    let answer = Answer::Cosigned(vec![a.cosign(seen.checkpoint(), TIME).unwrap()]);
    let Ok(Answer::Cosigned(given)) = Answer::parse(answer.status(), None, answer.body().as_bytes()) else {
        panic!("{answer:?}")
    };
    let mut note = signed(7);
    note.attach(given[0].clone(), a.verifier()).unwrap();
    assert_eq!(note, cosigned(7, &[&a]));
}

#[test]
fn requests_have_one_spelling() {
    for bad in [
        REQUEST.replace("old 2", "old 02"),
        REQUEST.replace("old 2", "old +2"),
        REQUEST.replace("old 2", "Old 2"),
        REQUEST.replace("old 20852014\n", ""),
        REQUEST.replace("old 20852014\n", "old 20852014\r\n"),
        REQUEST.replace("kaw=\n", "kaw\n"),
        REQUEST.replace("kaw=\n", "kaw=\n\n"),
        REQUEST.replace("/0=\n\n", "/0=\n"),
        String::new(),
        "old 1\n".into(),
    ] {
        assert!(parse(&bad).is_err(), "{bad}");
    }
    // A body that broke off anywhere but within the last signature lines is none.
    for end in 0..REQUEST.find("— ").unwrap() {
        assert!(AddCheckpoint::parse(&REQUEST.as_bytes()[..end]).is_err(), "{end}");
    }
    assert_eq!(AddCheckpoint::parse(b"old 1\n\n\xff"), Err(RequestError::Malformed));
    let no_checkpoint = REQUEST.replace("20852163\n", "20852163\nextension\n20852163\n");
    assert_eq!(parse(&no_checkpoint), Err(RequestError::Checkpoint(CheckpointError::Malformed)));
}

#[test]
fn a_proof_has_at_most_63_hashes() {
    let request = |hashes| AddCheckpoint::new(1, vec![Hash([9; 32]); hashes], signed(7));
    let longest = request(MAX_PROOF).unwrap().to_string();
    assert_eq!(parse(&longest).unwrap().to_string(), longest);
    assert!(longest.len() - signed(7).to_string().len() < MAX_REQUEST_LEN - MAX_NOTE_LEN);
    assert_eq!(request(MAX_PROOF + 1), Err(RequestError::LongProof));
    let line = format!("{}\n", Hash([9; 32]).to_base64());
    for more in [1, 100_000] {
        let longer = longest.replacen(&line, &line.repeat(1 + more), 1);
        assert_eq!(parse(&longer), Err(RequestError::LongProof));
    }
}

#[test]
fn every_answer_reads_back() {
    let cosigned = Answer::Cosigned(signatures(MAX_SIGNATURES));
    let conflicts = [0, 1, u64::MAX].map(|size| Answer::Conflict { size });
    let others = [Answer::Malformed, Answer::NotSigned, Answer::UnknownLog, Answer::Inconsistent, cosigned];
    for (answer, status) in others.iter().zip([400, 403, 404, 422, 200]).chain(conflicts.iter().map(|a| (a, 409))) {
        assert_eq!(answer.status(), status);
        assert!(answer.body().ends_with('\n'));
        let read = Answer::parse(status, Some(answer.content_type()), answer.body().as_bytes());
        assert_eq!(read.as_ref(), Ok(answer));
    }
}

#[test]
fn answers_that_say_nothing_are_errors() {
    let parse = |status, content_type, body: &str| Answer::parse(status, content_type, body.as_bytes()).unwrap_err();
    for status in [0, 201, 204, 301, 401, 429, 500, 502, 503] {
        assert_eq!(parse(status, None, RESPONSE), AnswerError::Status(status));
    }
    for body in ["", "\n", "<html>\n", RESPONSE.trim_end(), &format!("{RESPONSE}\n"), &RESPONSE.replace('—', "-")] {
        assert_eq!(parse(200, None, body), AnswerError::Cosignatures, "{body}");
    }
    let too_many: String = signatures(MAX_SIGNATURES + 1).iter().map(|signature| format!("{signature}\n")).collect();
    assert_eq!(parse(200, None, &too_many), NoteError::TooManySignatures.into());
    let too_long = "a".repeat(MAX_NOTE_LEN + 1);
    assert_eq!(parse(200, None, &too_long), NoteError::TooLong(too_long.len()).into());
    for body in ["", "7", "07\n", "7\n\n", "-1\n", "7\r\n", "18446744073709551616\n"] {
        assert_eq!(parse(409, SIZE, body), AnswerError::Size, "{body:?}");
    }
    // A proxy's own conflict says nothing of the witness's tree.
    for content_type in [None, Some("text/plain"), Some("text/x.tlog.sizes"), Some("")] {
        assert_eq!(parse(409, content_type, "7\n"), AnswerError::Size);
    }
    let with_parameter = Answer::parse(409, Some("Text/X.Tlog.Size ; charset=utf-8"), b"7\n");
    assert_eq!(with_parameter, Ok(Answer::Conflict { size: 7 }));
}

/// Text made of the messages' own pieces, so that random cases get past the first check.
fn pieces() -> impl Strategy<Value = String> {
    let parts: Vec<String> =
        REQUEST.split_inclusive('\n').chain(RESPONSE.split_inclusive('\n')).map(str::to_owned).collect();
    let piece = prop_oneof![prop::sample::select(parts), Just("old 0\n".to_owned()), ".{0,3}"];
    prop::collection::vec(piece, 0..12).prop_map(|pieces| pieces.concat())
}

proptest! {
    #[test]
    fn requests_round_trip(old: u64, size: u64, hashes in prop::collection::vec(any::<[u8; 32]>(), 0..=MAX_PROOF)) {
        let request = AddCheckpoint::new(old, hashes.into_iter().map(Hash).collect(), cosigned(size, &[&witness(3)])).unwrap();
        prop_assert_eq!(AddCheckpoint::parse(request.to_string().as_bytes()), Ok(request));
    }

    #[test]
    fn cosignatures_round_trip(count in 1..=MAX_SIGNATURES, size: u64) {
        for answer in [Answer::Cosigned(signatures(count)), Answer::Conflict { size }] {
            prop_assert_eq!(Answer::parse(answer.status(), Some(answer.content_type()), answer.body().as_bytes()), Ok(answer));
        }
    }

    #[test]
    fn accepted_messages_have_one_spelling(text in pieces(), status in prop::sample::select(vec![200, 409])) {
        if let Ok(request) = AddCheckpoint::parse(text.as_bytes()) {
            prop_assert_eq!(request.to_string(), text.as_str());
        }
        if let Ok(answer) = Answer::parse(status, SIZE, text.as_bytes()) {
            prop_assert_eq!(answer.body(), text.as_str());
        }
    }

    #[test]
    fn foreign_bytes_never_panic(bytes in prop::collection::vec(any::<u8>(), 0..300), status: u16) {
        prop_assert!(AddCheckpoint::parse(&bytes).is_err());
        if let Ok(answer) = Answer::parse(status, SIZE, &bytes) {
            prop_assert_eq!(answer.status(), status);
        }
    }
}
