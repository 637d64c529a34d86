//! Bundles that hold, and those that cannot be verified.

use std::sync::atomic::{AtomicU64, Ordering};

use tallyproof_count::{Source, VerifyError, bundle, verify};
use tallyproof_log::{
    checkpoint::Checkpoint,
    fork::{Fork, ForkProof},
    merkle::leaf_hash,
    note::{SignedNote, SignerKey},
};

use crate::world::{Files, World, election, good_records, log_key, problems, verified};

#[test]
fn a_good_bundle_verifies_and_is_consistent() {
    let world = World::new(40);
    let found = verified(&world.bundle());
    assert_eq!(problems(&found), []);
    assert!(found.ok && !found.anchored);
    assert_eq!((found.tree_size, found.records), (world.size(), world.size() - 1));
    assert_eq!((found.counted, found.quarantined, found.missing, found.rejected), (70, 0, 0, 0));
    assert_eq!(found.root, world.tree().root().to_base64());
    assert_eq!(found.totals["deputy"]["dan"], (1..=10).map(|i| 7 + u64::from(i * 4_u32 % 13)).sum::<u64>());
    assert_eq!((found.phase.as_str(), found.origin.as_str()), ("drill", "log.example/2026"));
    assert!(found.statement.starts_with("This is a drill"), "{}", found.statement);
    assert!(found.statement.contains("is consistent"), "{}", found.statement);
    assert!(found.statement.contains("others were shown the same log"), "{}", found.statement);
}

#[test]
fn a_bundle_over_several_tiles_with_left_over_partial_tiles_verifies() {
    let mut world = World::new(400);
    world.earlier = vec![1, 17, 300, 511, 512, 600];
    let found = verified(&world.bundle());
    assert_eq!(problems(&found), []);
    assert_eq!(found.counted, 700);
}

#[test]
fn the_manifest_may_be_of_an_earlier_size() {
    let mut world = World::new(300);
    for size in [1, 256, 300, world.size() - 1] {
        world.earlier = vec![size];
        world.manifest_size = size;
        assert_eq!(problems(&verified(&world.bundle())), [], "manifest at {size}");
    }
}

#[test]
fn missing_stations_are_no_problem_and_no_zero() {
    let definition = election(20);
    let records = &good_records(&definition)[..10];
    let found = verified(&World::with(&definition, records).bundle());
    assert!(found.ok);
    assert_eq!((found.counted, found.missing), (10, 25));
    let index = String::from_utf8(World::with(&definition, records).bundle()[bundle::STATIONS].clone()).unwrap();
    assert!(index.contains("\ns10,governor,counted,10,\ns11,governor,missing,,\n"), "{index}");
}

#[test]
fn progress_rises_to_the_tree_size() {
    let world = World::new(300);
    let (last, total) = (AtomicU64::new(0), AtomicU64::new(0));
    let progress = |done, of| {
        assert!(last.swap(done, Ordering::Relaxed) <= done);
        total.store(of, Ordering::Relaxed);
    };
    verify(&world.bundle(), None, &progress).unwrap();
    assert_eq!((last.into_inner(), total.into_inner()), (world.size(), world.size()));
}

#[test]
fn trust_anchors_a_bundle() {
    let world = World::new(6);
    let found = verify(&world.bundle(), Some(&world.trust()), &|_, _| ()).unwrap();
    assert!(found.ok && found.anchored);
    assert!(found.statement.contains("is anchored"), "{}", found.statement);
}

#[test]
fn another_trusted_definition_or_key_is_a_problem() {
    let world = World::new(6);
    let other_key = SignerKey::new("log.example/2026".parse().unwrap(), &[8; 32]);
    let mut trust = world.trust();
    trust.definition = *election(7).hash();
    trust.log = other_key.verifier().clone();
    let found = verify(&world.bundle(), Some(&trust), &|_, _| ()).unwrap();
    assert_eq!(problems(&found), [("BN-25", "election/"), ("BN-26", "log/vkeys")]);
    assert!(!found.ok && !found.anchored);
}

/// A web server: it has the files, and cannot say which.
struct Server(Files);

impl Source for Server {
    fn read(&self, path: &str) -> Result<Option<Vec<u8>>, String> {
        self.0.read(path)
    }

    fn list(&self) -> Result<Option<Vec<String>>, String> {
        Ok(None)
    }
}

#[test]
fn a_source_that_cannot_list_leaves_unlisted_files_unseen_and_says_so() {
    let mut files = World::new(6).bundle();
    files.insert("site/more.html".into(), b"more".to_vec());
    assert_eq!(problems(&verified(&files)), [("BN-03", "site/more.html")]);
    let found = verify(&Server(files), None, &|_, _| ()).unwrap();
    assert!(found.ok);
    assert!(found.statement.contains("were not looked for"), "{}", found.statement);
}

/// Cannot be reached.
struct Broken;
impl Source for Broken {
    fn read(&self, _: &str) -> Result<Option<Vec<u8>>, String> {
        Err("no route to host".into())
    }
    fn list(&self) -> Result<Option<Vec<String>>, String> {
        Ok(None)
    }
}

#[test]
fn what_is_no_bundle_is_told_from_a_bundle_that_does_not_hold() {
    let files = Files::from([("readme".to_owned(), b"hello".to_vec())]);
    assert_eq!(verify(&files, None, &|_, _| ()).unwrap_err(), VerifyError::NotABundle);

    assert_eq!(verify(&Broken, None, &|_, _| ()).unwrap_err(), VerifyError::Unreadable("no route to host".into()));

    let full = World::new(6).bundle();
    for path in full.keys() {
        let mut files = full.clone();
        files.remove(path);
        let found = verified(&files);
        assert!(found.problems.iter().any(|problem| problem.place == *path), "{path}: {:?}", found.problems);
    }
}

#[test]
fn a_forged_tree_size_ends_the_search_for_entries() {
    let world = World::new(6);
    let mut files = world.bundle();
    let checkpoint = String::from_utf8(files[bundle::CHECKPOINT].clone()).unwrap();
    let forged = checkpoint.replace(&format!("\n{}\n", world.size()), "\n18446744073709551615\n");
    files.insert(bundle::CHECKPOINT.into(), forged.clone().into_bytes());
    assert!(problems(&verified(&files)).contains(&("BN-06", bundle::CHECKPOINT)));
    // Without a manifest there is no better state to check against than the forged one.
    files.remove(bundle::MANIFEST);
    let found = verified(&files);
    assert!(!found.ok && found.root.is_empty());
    assert!(found.problems.len() < 100, "{}", found.problems.len());
}

#[test]
fn all_problems_are_listed_at_once() {
    let definition = election(12);
    let mut records = good_records(&definition);
    let mut world = World::with(&definition, &records);
    let mut files = world.bundle();
    *files.get_mut(bundle::TOTALS).unwrap() = b"{}\n".to_vec();
    files.get_mut("election/stations.csv").unwrap()[200] ^= 1;
    files.insert("log/tile/0/007".into(), Vec::new());
    let found = verified(&files);
    let places: Vec<_> = problems(&found).into_iter().map(|(_, place)| place.split(':').next().unwrap()).collect();
    for place in [bundle::TOTALS, "election/stations.csv", "log/tile/0/007"] {
        assert!(places.contains(&place), "{place} in {places:?}");
    }
    // Every bad entry is named, not only the first.
    for bad in [2, 5] {
        let last = records[bad].len() - 1;
        records[bad][last] ^= 1;
    }
    world = World::with(&definition, &records);
    assert_eq!(problems(&verified(&world.bundle())), [("BN-21", "entry 3"), ("BN-21", "entry 6")]);
}

/// Two roots of one size that this key signed.
fn fork_by(key: &SignerKey) -> Fork {
    let note = |root: &[u8]| {
        let checkpoint = Checkpoint { origin: key.verifier().name().clone(), size: 3, root: leaf_hash(root) };
        SignedNote::parse(checkpoint.sign(key).unwrap().as_bytes()).unwrap()
    };
    ForkProof::new(key.verifier().clone(), [note(b"a"), note(b"b")], None).unwrap().verify().unwrap()
}

#[test]
fn a_fork_of_the_bundles_log_is_held_against_it() {
    let mut found = verified(&World::new(8).bundle());
    let stranger = SignerKey::new(log_key().verifier().name().clone(), &[1; 32]);
    assert!(!found.accuse(&fork_by(&stranger), "fork.txt") && found.ok, "another log's fork is no fault of this one");
    assert!(found.accuse(&fork_by(&log_key()), "fork.txt") && !found.ok);
    assert_eq!(problems(&found), [("BN-31", "fork.txt")]);
    assert!(found.statement.contains("does not hold"), "{}", found.statement);
}
