//! The whole bundle, as the public verifier judges it.

use std::collections::BTreeMap;

use tallyproof_count::{Ledger, bundle, manifest::Manifest, policy, verify};
use tallyproof_log::merkle::Hash;
use tallyproof_log::tile::TilePath;

use super::super::country::Country;
use super::super::disk::Disk;
use super::{Checker, Invariant, Violation, broken};

impl Checker {
    /// Whether the public verifier finds what is wrong with the tiles.
    pub(in super::super) fn finds_rot(&self, country: &Country, disk: &Disk) -> bool {
        let mut tiles = disk.tiles.clone();
        tiles.extend(disk.rotten.clone());
        let notes = (disk.checkpoint.as_deref().unwrap_or_default(), disk.cosigned.as_deref());
        let Ok(files) = bundle_of(country, tiles, notes, &self.ledger, self.tree.root()) else { return false };
        verify(&files, None, &|_, _| {}).is_ok_and(|verified| !verified.problems.is_empty())
    }

    /// The whole bundle, by the public verifier, which checks every signature again and counts the log anew: to the same bytes.
    pub(in super::super) fn verify_bundle(
        &self,
        country: &Country,
        disk: &Disk,
        live: &Ledger,
    ) -> Result<(), Violation> {
        let notes = (disk.checkpoint.as_deref().unwrap_or_default(), disk.cosigned.as_deref());
        let files = bundle_of(country, disk.tiles.clone(), notes, live, self.tree.root())
            .or_else(|what| broken(Invariant::Verifies, what))?;
        let verified = match verify(&files, None, &|_, _| {}) {
            Ok(verified) => verified,
            Err(error) => return broken(Invariant::Verifies, error.to_string()),
        };
        match verified.problems.first() {
            Some(problem) => broken(Invariant::Verifies, problem.to_string()),
            None if verified.ledger.is_none_or(|anew| bundle::index_files(&anew) != bundle::index_files(live)) => {
                broken(Invariant::TotalsPure, "judged and counted anew, the log gives another index")
            }
            None => Ok(()),
        }
    }
}

/// The bundle of a log with these tiles, checkpoint and checkpoint with the quorum, as whoever has the log's key publishes it.
pub(in super::super) fn bundle_of(
    country: &Country,
    tiles: BTreeMap<TilePath, Vec<u8>>,
    (checkpoint, cosigned): (&[u8], Option<&[u8]>),
    ledger: &Ledger,
    root: Hash,
) -> Result<BTreeMap<String, Vec<u8>>, String> {
    let key = country.log.verifier();
    let mut files = BTreeMap::new();
    for (name, bytes) in &country.definition.canonical().files {
        files.insert(format!("election/{name}"), bytes.clone());
    }
    let policy = policy::in_force(ledger, key).map_err(|error| error.to_string())?;
    let vkeys: String = policy::vkeys(ledger, key).iter().map(|key| format!("{key}\n")).collect();
    files.insert(bundle::VKEYS.to_owned(), vkeys.into_bytes());
    files.insert(bundle::POLICY.to_owned(), policy.to_string().into_bytes());
    files.extend(bundle::index_files(ledger).map(|(path, bytes)| (path.to_owned(), bytes)));
    let mut manifest =
        Manifest { origin: key.name().clone(), tree_size: ledger.entries(), root, files: BTreeMap::new() };
    for (path, bytes) in &files {
        manifest.insert(path.parse().map_err(|error| format!("{error}"))?, bytes);
    }
    let manifest = manifest.sign(&country.log).map_err(|error| error.to_string())?;
    files.insert(bundle::MANIFEST.to_owned(), manifest.into_bytes());
    files.extend(tiles.into_iter().map(|(path, bytes)| (bundle::tile_path(&path), bytes)));
    files.insert(bundle::CHECKPOINT.to_owned(), checkpoint.to_vec());
    files.extend(cosigned.map(|note| (bundle::COSIGNED.to_owned(), note.to_vec())));
    Ok(files)
}
