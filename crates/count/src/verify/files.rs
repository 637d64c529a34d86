//! The files: each is there, is what the manifest lists, and no other is.

use rayon::prelude::*;
use tallyproof_log::merkle::Hash;
use tallyproof_record::Problem;

use super::{Source, fetch};
use crate::{
    bundle,
    check::Check,
    manifest::{BundlePath, Manifest, file_hash},
};

/// Files that a manifest has to list, so that its signature covers them.
fn to_be_covered() -> impl Iterator<Item = &'static str> {
    bundle::DEFINITION.into_iter().chain([
        bundle::STATEMENTS,
        bundle::STATIONS,
        bundle::TOTALS,
        bundle::POLICY,
        bundle::VKEYS,
    ])
}

/// Hashes every file that the manifest lists.
pub(super) fn check_listed(source: &dyn Source, manifest: &Manifest) -> Vec<Problem> {
    let uncovered = to_be_covered().filter(|path| !manifest.files.contains_key(*path));
    let mut problems: Vec<_> =
        uncovered.map(|path| Check::NotCovered.problem(bundle::MANIFEST, format!("{path} is not listed"))).collect();
    problems.par_extend(manifest.files.par_iter().filter_map(|listed| check_file(source, listed).err()));
    problems
}

fn check_file(source: &dyn Source, (path, listed): (&BundlePath, &Hash)) -> Result<(), Problem> {
    let found = file_hash(&fetch(source, path.as_str())?);
    if found == *listed {
        Ok(())
    } else {
        Err(Check::FileHash.problem(path.as_str(), format!("its SHA-256 is {found}, the manifest lists {listed}")))
    }
}

/// Checks that there is no file but those that the manifest lists or the log's layout explains; tiles are checked elsewhere.
pub(super) fn check_unlisted(present: &[String], manifest: Option<&Manifest>) -> Vec<Problem> {
    present.iter().filter(|path| !path.starts_with(bundle::TILES)).filter_map(|path| unlisted(path, manifest)).collect()
}

fn unlisted(path: &str, manifest: Option<&Manifest>) -> Option<Problem> {
    let in_layout = [bundle::MANIFEST, bundle::CHECKPOINT, bundle::COSIGNED].contains(&path);
    if in_layout {
        None
    } else if path.starts_with(bundle::LOG) && ![bundle::VKEYS, bundle::POLICY, bundle::FROZEN].contains(&path) {
        Some(Check::Unexplained.problem(path, "not a file of the log; remove it"))
    } else if manifest.is_some_and(|manifest| !manifest.files.contains_key(path)) {
        Some(Check::Unlisted.problem(path, "the manifest does not list it; remove it"))
    } else {
        None
    }
}
