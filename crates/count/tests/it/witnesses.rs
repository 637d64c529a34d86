//! The witnesses' part in a verification.

use tallyproof_count::{Trust, Verification, bundle, verify};
use tallyproof_log::policy::Policy;

use crate::world::{Files, World, log_key, policy, problems, verified, witness_key};

const UNMET: [(&str, &str); 1] = [("BN-27", bundle::CHECKPOINT)];

fn world(quorum: &str, cosigners: &[u8]) -> World {
    World { policy: policy(quorum), cosigners: cosigners.to_vec(), ..World::new(6) }
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
fn the_policy_of_the_trust_file_wins() {
    // The bundle asks for nobody, the reader for two.
    let lax = world("none", &[11]);
    assert!(verified(&lax.bundle()).ok);
    assert_eq!(problems(&trusting(&lax, policy("two"))), UNMET);
    // The bundle asks for two and has them; the reader is content with one, and with the bundle's without a policy.
    let strict = world("two", &[11]);
    assert_eq!(problems(&verified(&strict.bundle())), UNMET);
    assert!(trusting(&strict, policy("w11")).ok);
}

#[test]
fn witnesses_that_the_bundle_alone_names_do_not_count_for_who_has_a_policy() {
    let mut own = Policy::without_witnesses([log_key().verifier().clone()]).unwrap();
    own.add_witness("w11", witness_key(21).verifier().clone(), None).unwrap();
    own.set_quorum("w11").unwrap();
    let world = World { policy: own, cosigners: vec![21], ..World::new(6) };
    let found = verified(&world.bundle());
    assert_eq!((found.ok, found.cosignatures), (true, 1));
    let found = trusting(&world, policy("w11"));
    assert_eq!((problems(&found).as_slice(), found.cosignatures), (UNMET.as_slice(), 0));
}

#[test]
fn a_false_word_of_any_known_witness_makes_the_checkpoint_unsigned() {
    let world = world("none", &[11, 12]);
    let mut files: Files = world.bundle();
    let other = World { cosigners: vec![12], ..World::with(&world.definition, &[]) }.bundle();
    let line = |files: &Files| {
        String::from_utf8(files[bundle::CHECKPOINT].clone()).unwrap().lines().last().unwrap().to_owned()
    };
    let forged = String::from_utf8(files[bundle::CHECKPOINT].clone()).unwrap().replace(&line(&files), &line(&other));
    files.insert(bundle::CHECKPOINT.into(), forged.into_bytes());
    let found = verified(&files);
    assert_eq!(problems(&found), [("BN-06", bundle::CHECKPOINT)]);
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
    assert_eq!(problems(&found), [("BN-07", bundle::CHECKPOINT), ("BN-27", bundle::CHECKPOINT)]);
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
    let unwitnessed = verified(&World::new(6).bundle()).statement;
    assert!(unwitnessed.contains("that others were shown the same log"), "{unwitnessed}");
}
