//! Trust policies: their text, and whom they are satisfied by.

use std::collections::BTreeSet;

use proptest::prelude::*;
use tallyproof_log::{
    checkpoint,
    note::SignerKey,
    policy::{MAX_OF_EACH, Policy, PolicyError, Threshold},
};

use crate::cosignatures::{ORIGIN, cosigned, log, witness};

fn log_line() -> String {
    format!("log {}\n", log().verifier())
}

fn witness_line(name: &str, seed: u8) -> String {
    format!("witness {name} {}\n", witness(seed).verifier())
}

/// The specification's example.
fn example() -> String {
    let witnesses: String =
        ["X1", "X2", "X3", "Y1", "Y2", "Y3"].iter().zip(2..).map(|(name, seed)| witness_line(name, seed)).collect();
    let groups =
        "group X-witnesses 2 X1 X2 X3\ngroup Y-witnesses any Y1 Y2 Y3\ngroup X-and-Y all X-witnesses Y-witnesses\n";
    format!("{}{witnesses}{groups}quorum X-and-Y\n", log_line())
}

#[test]
fn the_specifications_example_is_satisfied_by_two_of_one_side_and_one_of_the_other() {
    let policy: Policy = example().parse().unwrap();
    assert_eq!(policy.to_string(), example());
    assert_eq!((policy.quorum(), policy.witnesses().len()), (Some("X-and-Y"), 6));
    for enough in [["X1", "X3", "Y2"].as_slice(), &["X1", "X2", "X3", "Y1", "Y2", "Y3"], &["Y3", "X2", "X1", "nobody"]]
    {
        assert!(policy.satisfied_by(enough), "{enough:?}");
    }
    // A name repeated is one witness; the name of a group is nobody's signature.
    for short in [
        [].as_slice(),
        &["X1", "X2", "X3"],
        &["X1", "Y1", "Y2", "Y3"],
        &["X1", "X1", "Y1"],
        &["X-witnesses", "Y1"],
        &["X-and-Y"],
    ] {
        assert!(!policy.satisfied_by(short), "{short:?}");
    }
}

#[test]
fn a_quorum_may_be_one_witness_or_none() {
    let head = format!("{}{}{}", log_line(), witness_line("a", 2), witness_line("b", 3));
    let one: Policy = format!("{head}quorum b\n").parse().unwrap();
    assert!(one.satisfied_by(&["b"]) && !one.satisfied_by(&["a"]));
    let none: Policy = format!("{head}quorum none\n").parse().unwrap();
    assert!(none.satisfied_by(&[]) && none.quorum().is_none());
    // Only the quorum is mandatory.
    assert_eq!("quorum none\n".parse(), Ok(Policy::default()));
}

#[test]
fn spacing_comments_and_addresses_are_read() {
    let (log, a) = (log().verifier().to_string(), witness(2).verifier().to_string());
    let loose = format!(
        "# a comment\n\n \t log\t{log} https://log.example/ \n  # another\nquorum  none\nwitness è+1 {a}  https://w.example/\n"
    );
    let policy: Policy = loose.parse().unwrap();
    let tight = format!("log {log} https://log.example/\nwitness è+1 {a} https://w.example/\nquorum none\n");
    assert_eq!(policy.to_string(), tight);
    assert_eq!(policy.logs()[0].url.as_deref(), Some("https://log.example/"));
    assert_eq!(policy.witnesses()[0].url.as_deref(), Some("https://w.example/"));
}

#[test]
fn a_threshold_is_written_in_one_way() {
    let head = format!("{}{}{}{}", log_line(), witness_line("a", 2), witness_line("b", 3), witness_line("c", 4));
    for (threshold, written) in [("any", "any"), ("1", "any"), ("2", "2"), ("3", "all"), ("all", "all")] {
        let policy: Policy = format!("{head}group g {threshold} a b c\nquorum g\n").parse().unwrap();
        assert!(policy.to_string().contains(&format!("\ngroup g {written} a b c\n")), "{policy}");
    }
}

#[test]
fn cosigners_are_named_as_the_policy_names_them() {
    let policy: Policy = example().parse().unwrap();
    let (x1, x2, y3, stranger) = (witness(2), witness(3), witness(7), witness(9));
    let keys: Vec<_> =
        policy.witnesses().iter().map(|witness| witness.key.clone()).chain([log().verifier().clone()]).collect();
    let names = |note: &str| -> Vec<String> {
        let opened = checkpoint::open(note.as_bytes(), &keys, ORIGIN).unwrap();
        policy.cosigners(opened.note()).into_iter().map(str::to_owned).collect()
    };
    assert_eq!(names(&cosigned(7, &[&y3, &stranger, &x2, &x1]).to_string()), ["X1", "X2", "Y3"]);
    assert_eq!(names(&cosigned(7, &[&stranger]).to_string()), Vec::<String>::new());
}

/// A policy must never be read as a weaker one.
#[test]
fn every_mistake_is_named_with_its_line() {
    let at = |line, error| PolicyError::Line { line, error: Box::new(error) };
    let head = format!("{}{}{}", log_line(), witness_line("a", 2), witness_line("b", 3));
    let fourth = |line: &str| format!("{head}{line}\nquorum none\n").parse::<Policy>().unwrap_err();
    let text = String::from;
    assert_eq!(fourth("group g any a c"), at(4, PolicyError::Undefined(text("c"))));
    assert_eq!(fourth("group g any a g"), at(4, PolicyError::Undefined(text("g"))));
    assert_eq!(fourth("group g any a none"), at(4, PolicyError::Undefined(text("none"))));
    assert_eq!(fourth("group g any a a"), at(4, PolicyError::MemberTwice(text("a"))));
    assert_eq!(fourth("group g any a b\ngroup h any a"), at(5, PolicyError::MemberTwice(text("a"))));
    assert_eq!(fourth("group a any b"), at(4, PolicyError::NameTaken(text("a"))));
    assert_eq!(fourth("group none any a"), at(4, PolicyError::NameTaken(text("none"))));
    assert_eq!(fourth("group g 0 a b"), at(4, PolicyError::Threshold { members: 2 }));
    assert_eq!(fourth("group g 3 a b"), at(4, PolicyError::Threshold { members: 2 }));
    for empty in ["any", "all", "0", "1"] {
        assert_eq!(fourth(&format!("group g {empty}")), at(4, PolicyError::Threshold { members: 0 }));
    }
    for malformed in ["02", "+1", "most", "-1", "18446744073709551616"] {
        let error = PolicyError::ThresholdForm(text(malformed));
        assert_eq!(fourth(&format!("group g {malformed} a b")), at(4, error));
    }
    assert_eq!(fourth("group g"), at(4, PolicyError::Directive(text("group g"))));
    assert_eq!(fourth("wintess c"), at(4, PolicyError::Directive(text("wintess c"))));
    assert_eq!(fourth("quorum"), at(4, PolicyError::Directive(text("quorum"))));
    assert_eq!(fourth("quorum a b"), at(4, PolicyError::Directive(text("quorum a b"))));
    assert_eq!(fourth("quorum c"), at(4, PolicyError::Undefined(text("c"))));
    assert_eq!(fourth("quorum a"), PolicyError::Quorum);
    assert_eq!(fourth("# \u{7f}"), at(4, PolicyError::ControlCharacter));
    assert_eq!(fourth("\r"), at(4, PolicyError::ControlCharacter));
    assert_eq!(fourth(log_line().trim_end()), at(4, PolicyError::DuplicateLog));
    assert_eq!(fourth(witness_line("a", 9).trim_end()), at(4, PolicyError::NameTaken(text("a"))));
    assert_eq!(fourth(witness_line("c", 2).trim_end()), at(4, PolicyError::DuplicateWitness { first: text("a") }));
    assert!(
        matches!(fourth("witness c key"), PolicyError::Line { line: 4, error } if matches!(*error, PolicyError::Key(_)))
    );
}

#[test]
fn keys_are_of_the_type_that_their_line_asks_for() {
    let (log, witness) = (log().verifier().to_string(), witness(2).verifier().to_string());
    let first = |line: String| format!("{line}\nquorum none\n").parse::<Policy>().unwrap_err();
    let at = |error| PolicyError::Line { line: 1, error: Box::new(error) };
    assert_eq!(first(format!("log {witness}")), at(PolicyError::LogKeyType));
    assert_eq!(first(format!("witness w {log}")), at(PolicyError::WitnessKeyType("w".into())));
}

#[test]
fn a_file_cut_short_is_no_policy() {
    assert_eq!("".parse::<Policy>(), Err(PolicyError::Quorum));
    assert_eq!(log_line().parse::<Policy>(), Err(PolicyError::Quorum));
    assert_eq!("quorum none".parse::<Policy>(), Err(PolicyError::NoFinalNewline));
    let text = example();
    for end in 1..text.len() {
        assert!(text[..end].parse::<Policy>().is_err(), "{}", &text[..end]);
    }
}

#[test]
fn names_that_would_not_read_back_are_refused() {
    for bad in ["", "a b", "a\tb", "a\nquorum none"] {
        let mut policy = Policy::default();
        let refused = Err(PolicyError::Word(bad.to_owned()));
        assert_eq!(policy.add_witness(bad, witness(2).verifier().clone(), None), refused);
        assert_eq!(policy.add_log(log().verifier().clone(), Some(bad)), refused);
        assert_eq!(policy, Policy::default());
    }
}

#[test]
fn there_is_room_for_as_many_as_the_limit() {
    let mut policy = Policy::default();
    let many = u8::try_from(MAX_OF_EACH).unwrap();
    let log = |seed: u8| SignerKey::new(ORIGIN.parse().unwrap(), &[seed; 32]).verifier().clone();
    for seed in 0..many {
        policy.add_log(log(seed), None).unwrap();
        policy.add_witness(&format!("w{seed}"), witness(seed).verifier().clone(), None).unwrap();
        policy.add_group(&format!("g{seed}"), Threshold::All, &[&format!("w{seed}")]).unwrap();
    }
    assert_eq!(policy.add_log(log(many), None), Err(PolicyError::TooMany("logs")));
    let witness = witness(many).verifier().clone();
    assert_eq!(policy.add_witness("w", witness, None), Err(PolicyError::TooMany("witnesses")));
    assert_eq!(policy.add_group("g", Threshold::Any, &["g0"]), Err(PolicyError::TooMany("groups")));
    assert_eq!(policy.to_string().parse(), Ok(policy));
}

/// A policy over `witnesses` whose groups each take some of the names that are still free; the quorum is the last name.
fn any_policy() -> impl Strategy<Value = Policy> {
    let groups = prop::collection::vec((1_usize..4, any::<prop::sample::Index>()), 0..4);
    (1_u8..7, groups).prop_map(|(witnesses, groups)| {
        let mut policy = Policy::default();
        policy.add_log(log().verifier().clone(), None).unwrap();
        let mut free: Vec<String> = (0..witnesses).map(|w| format!("w{w}")).collect();
        for (name, seed) in free.iter().zip(2..) {
            policy.add_witness(name, witness(seed).verifier().clone(), None).unwrap();
        }
        for (number, (size, threshold)) in groups.into_iter().enumerate() {
            let members: Vec<String> = free.drain(..size.min(free.len())).collect();
            let members: Vec<&str> = members.iter().map(String::as_str).collect();
            let name = format!("g{number}");
            policy.add_group(&name, Threshold::AtLeast(threshold.index(members.len()) + 1), &members).unwrap();
            free.push(name);
        }
        policy.set_quorum(free.last().unwrap()).unwrap();
        policy
    })
}

proptest! {
    #[test]
    fn policies_round_trip(policy in any_policy()) {
        prop_assert_eq!(policy.to_string().parse(), Ok(policy));
    }

    #[test]
    fn one_more_cosignature_never_breaks_a_quorum(policy in any_policy(), cosigned in prop::collection::vec(0_u8..8, 0..6)) {
        let names: Vec<String> = cosigned.iter().map(|w| format!("w{w}")).collect();
        let names: Vec<&str> = names.iter().map(String::as_str).collect();
        let all: Vec<&str> = policy.witnesses().iter().map(|witness| witness.name.as_str()).collect();
        prop_assert!(policy.satisfied_by(&all));
        prop_assert!(!policy.satisfied_by(&[]));
        for end in 0..names.len() {
            prop_assert!(policy.satisfied_by(&names) || !policy.satisfied_by(&names[..end]));
        }
        let once: Vec<&str> = names.iter().copied().collect::<BTreeSet<_>>().into_iter().collect();
        prop_assert_eq!(policy.satisfied_by(&once), policy.satisfied_by(&names));
    }
}
