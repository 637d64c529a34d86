//! Whoever changes a byte of a bundle is found, wherever it stands.

use proptest::prelude::*;
use rayon::prelude::*;

use crate::world::{Files, World, verified};

/// Verifies the bundle with one byte changed; the file has to be named.
fn assert_found(files: &Files, path: &str, at: usize, change: u8) {
    let mut changed = files.clone();
    changed.get_mut(path).unwrap()[at] ^= change;
    let found = verified(&changed);
    let named = found.problems.iter().any(|problem| problem.place.split(':').next() == Some(path));
    assert!(!found.ok && named, "byte {at} of {path}: {:#?}", found.problems);
}

#[test]
fn every_byte_of_a_small_bundle_counts() {
    // With a witness that nobody has to hear: a false word of his is found all the same.
    let world = World { earlier: vec![2], ..World::asking(3, "none", &[12]) };
    let files = World { cosigned: Some((2, vec![11])), frozen: true, ..world }.bundle();
    for (path, bytes) in &files {
        (0..bytes.len()).into_par_iter().for_each(|at| assert_found(&files, path, at, 1 << (at % 8)));
    }
}

#[test]
fn a_byte_more_or_less_counts() {
    let files = World::new(4).bundle();
    for path in files.keys() {
        for longer in [true, false] {
            let mut changed = files.clone();
            let bytes = changed.get_mut(path).unwrap();
            let len = bytes.len();
            bytes.resize(if longer { len + 1 } else { len - 1 }, b'\n');
            let found = verified(&changed);
            let named = found.problems.iter().any(|problem| problem.place.split(':').next() == Some(path));
            assert!(named, "{path}, longer: {longer}: {:#?}", found.problems);
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(60))]

    #[test]
    fn any_byte_of_a_bundle_over_several_tiles_counts(
        file in any::<prop::sample::Index>(), at in any::<prop::sample::Index>(), change in 1_u8..,
    ) {
        thread_local! {
            static BUNDLE: Files = World { earlier: vec![255, 257], ..World::new(180) }.bundle();
        }
        BUNDLE.with(|files| {
            let (path, bytes) = file.get(&files.iter().collect::<Vec<_>>()).to_owned();
            assert_found(files, path, at.index(bytes.len()), change);
        });
    }
}
