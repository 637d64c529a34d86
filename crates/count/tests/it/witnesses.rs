//! The witnesses' part in a verification.

use tallyproof_count::{Trust, Verification, bundle, verify};
use tallyproof_log::policy::Policy;

use crate::world::{Files, World, log_key, policy, problems, verified, warnings, witness_key};

const UNMET: [(&str, &str); 1] = [("BN-27", bundle::CHECKPOINT)];

fn world(quorum: &str, cosigners: &[u8]) -> World {
    World { frozen: true, ..World::asking(6, quorum, cosigners) }
}

fn trusting(world: &World, policy: Policy) -> Verification {
    let trust = Trust { policy: Some(policy), ..world.trust() };
    verify(&world.bundle(), Some(&trust), &|_, _| ()).unwrap()
}

#[test]
fn a_quorum_is_met_by_enough_witnesses_and_by_no_fewer() {
    for (quorum, cosigners, met) in [
        ("none", vec![], true),
        ("none", vec![11, 12, 13], true),
        ("two", vec![11, 13], true),
        ("two", vec![13, 12, 11], true),
        ("two", vec![12], false),
        ("two", vec![], false),
        ("w12", vec![12], true),
        ("w12", vec![11, 13], false),
    ] {
        let found = verified(&world(quorum, &cosigners).bundle());
        assert_eq!(problems(&found), if met { [].as_slice() } else { &UNMET }, "{quorum} by {cosigners:?}");
        assert_eq!((found.ok, found.cosignatures), (met, cosigners.len() as u64));
    }
}

#[test]
fn the_problem_names_the_quorum_and_who_cosigned() {
    let what = |cosigners: &[u8]| verified(&world("two", cosigners).bundle()).problems[0].what.clone();
    assert_eq!(what(&[12]), "the quorum two is not met: of the policy's 3 witnesses, these cosigned: w12");
    assert!(what(&[]).ends_with("these cosigned: none"), "{}", what(&[]));
}

#[test]
fn before_the_end_a_missing_quorum_is_a_warning() {
    let found = verified(&World { frozen: false, ..world("two", &[11]) }.bundle());
    assert_eq!((problems(&found), warnings(&found).as_slice()), (vec![], UNMET.as_slice()));
    assert!(found.ok && !found.frozen);
    assert!(found.statement.contains("The log is not finished; 1 warning"), "{}", found.statement);
}

#[test]
fn cosignatures_are_counted_where_the_quorum_was_met() {
    let counted = |cosigners: &[u8], cosigned: Option<(u64, Vec<u8>)>| {
        let world = World { frozen: false, cosigned, earlier: vec![4], ..world("two", cosigners) };
        let found = verified(&world.bundle());
        assert!(found.ok, "{:?}", found.problems);
        (found.cosignatures, found.cosigned_size, found.warnings.len())
    };
    let size = world("two", &[]).size();
    assert_eq!(counted(&[], None), (0, 0, 1));
    assert_eq!(counted(&[12], None), (1, size, 1));
    assert_eq!(counted(&[12], Some((4, vec![11, 12, 13]))), (3, 4, 1));
    assert_eq!(counted(&[12, 13], Some((4, vec![11, 12, 13]))), (2, size, 0));
    let world = World { frozen: false, cosigned: Some((4, vec![11, 12])), ..world("two", &[12]) };
    let found = verified(&World { earlier: vec![4], ..world }.bundle());
    assert!(found.warnings[0].what.ends_with("; at tree size 4 it was met"), "{}", found.warnings[0]);
    assert!(found.statement.contains("cosigned its first 4 entries, and not what follows"), "{}", found.statement);
}

#[test]
fn the_policy_of_the_trust_file_wins() {
    // The definition asks for nobody, the reader for two.
    let lax = world("none", &[11]);
    assert!(verified(&lax.bundle()).ok);
    assert_eq!(problems(&trusting(&lax, policy("two"))), UNMET);
    // The definition asks for two and has one; the reader is content with him, and not without a policy of his own.
    let strict = world("two", &[11]);
    assert_eq!(problems(&verified(&strict.bundle())), UNMET);
    assert!(trusting(&strict, policy("w11")).ok);
}

#[test]
fn what_the_definition_asks_for_is_no_problem_where_the_reader_asks_for_more() {
    let world = World { frozen: false, cosigned: Some((4, vec![11, 12])), earlier: vec![4], ..world("two", &[11, 12]) };
    let mut three = policy("none");
    three.add_witness("other", witness_key(21).verifier().clone(), None).unwrap();
    three.set_quorum("other").unwrap();
    let found = trusting(&world, three);
    assert_eq!((problems(&found), warnings(&found).as_slice()), (vec![], UNMET.as_slice()));
    assert_eq!((found.cosignatures, found.cosigned_size), (2, world.size()));
}

#[test]
fn witnesses_that_the_bundle_alone_names_count_for_nobody() {
    let mut own = Policy::without_witnesses([log_key().verifier().clone()]).unwrap();
    own.add_witness("w11", witness_key(21).verifier().clone(), None).unwrap();
    own.set_quorum("w11").unwrap();
    let world = World { policy: own, ..world("w11", &[21]) };
    let found = verified(&world.bundle());
    assert_eq!(problems(&found), [("BN-28", bundle::POLICY), UNMET[0]]);
    assert_eq!(found.cosignatures, 0);
    let found = trusting(&world, policy("w11"));
    assert_eq!((problems(&found)[1], found.cosignatures), (UNMET[0], 0));
}

#[test]
fn a_false_word_of_any_known_witness_makes_the_checkpoint_unsigned() {
    let world = world("none", &[11, 12]);
    let mut files: Files = world.bundle();
    let other = World { cosigners: vec![12], frozen: true, ..World::with(&world.definition, &[]) }.bundle();
    let line = |files: &Files| {
        String::from_utf8(files[bundle::CHECKPOINT].clone()).unwrap().lines().last().unwrap().to_owned()
    };
    let forged = String::from_utf8(files[bundle::CHECKPOINT].clone()).unwrap().replace(&line(&files), &line(&other));
    files.insert(bundle::CHECKPOINT.into(), forged.into_bytes());
    let found = verified(&files);
    assert_eq!(problems(&found), [("BN-06", bundle::CHECKPOINT), ("BN-30", bundle::FROZEN)]);
    assert_eq!(found.cosignatures, 0);
}

#[test]
fn a_witness_that_cosigns_twice_is_one_and_a_problem() {
    let world = world("two", &[11]);
    let mut files = world.bundle();
    let text = String::from_utf8(files[bundle::CHECKPOINT].clone()).unwrap();
    let checkpoint = text.split("\n\n").next().unwrap().to_owned() + "\n";
    let again = witness_key(11).cosign(&checkpoint.parse().unwrap(), 1_800_000_000).unwrap();
    files.insert(bundle::CHECKPOINT.into(), format!("{text}{again}\n").into_bytes());
    let found = verified(&files);
    assert_eq!(problems(&found), [("BN-07", bundle::CHECKPOINT), ("BN-30", bundle::FROZEN), UNMET[0]]);
    assert_eq!(found.cosignatures, 1);
}

#[test]
fn the_statement_says_who_named_the_witnesses() {
    let world = world("two", &[11, 12]);
    let own = verified(&world.bundle()).statement;
    assert!(
        own.contains("2 witnesses of the policy cosigned") && own.contains("whom the bundle itself names"),
        "{own}"
    );
    let given = trusting(&world, policy("two")).statement;
    assert!(given.contains("2 witnesses of the policy cosigned") && !given.contains("names"), "{given}");
    let anchored = verify(&world.bundle(), Some(&world.trust()), &|_, _| ()).unwrap();
    assert!(anchored.anchored && !anchored.statement.contains("names"), "{}", anchored.statement);
    assert!(anchored.statement.contains("The log is finished"), "{}", anchored.statement);
    let unwitnessed = verified(&World::new(6).bundle()).statement;
    assert!(unwitnessed.contains("that others were shown the same log"), "{unwitnessed}");
}
