//! What every rehearsal stands on: stations with drill keys, an empty bundle folder, a workspace beside it, and keys of the
//! centre that follow from the seed.

use std::path::{Path, PathBuf};

use anyhow::Context;
use rayon::prelude::*;
use tallyproof_count::trust::Trust;
use tallyproof_count::verify::Verification;
use tallyproof_drill::keys::Seed;
use tallyproof_record::StationNo;
use tallyproof_record::definition::{Committed, Election};
use tempfile::TempDir;

use super::bundle_dir;
use crate::centre::CentreKeys;
use crate::commands::verify::verify_folder;
use crate::files;
use crate::printer::Printer;

/// Folders of one rehearsal, and what a sceptic takes from outside its bundle.
#[derive(Debug)]
pub(crate) struct Stage {
    bundle: PathBuf,
    workspace: TempDir,
    trust: Trust,
}

/// Gives every station its drill key, and fixes the definition.
pub(crate) fn enrol(election: Election, seed: Seed) -> Committed {
    let numbers: Vec<StationNo> = election.numbered_stations().map(|(no, _)| no).collect();
    let keys: Vec<_> = numbers.par_iter().map(|&no| seed.station_key(no).verifying_key()).collect();
    election.with_keys(|no| keys[no.index()].into()).commit()
}

impl Stage {
    /// Makes `bundle` an empty folder, as [`bundle_dir::prepare`] does, and the centre's keys.
    pub(crate) fn set(bundle: &Path, definition: &Committed, seed: Seed) -> anyhow::Result<(Self, CentreKeys)> {
        bundle_dir::prepare(bundle)?;
        // The journal stands on the bundle's disk, where there is room, and goes when the rehearsal is over.
        let workspace = tempfile::Builder::new()
            .prefix(".tallyproof-drill-")
            .tempdir_in(bundle_dir::parent(bundle))
            .context("cannot create a folder for the centre's journal beside the bundle")?;
        let origin = format!("drill.tallyproof/{}", definition.hash());
        let keys = CentreKeys::new(&origin, seed.log_key(), seed.mac_master())?;
        let trust = Trust { definition: *definition.hash(), log: keys.verifier().clone(), policy: None };
        Ok((Self { bundle: bundle.to_owned(), workspace, trust }, keys))
    }

    /// Where what is not public goes.
    pub(crate) fn workspace(&self) -> &Path {
        self.workspace.path()
    }

    /// Leaves the trust file beside the finished bundle, and verifies the bundle with it.
    pub(crate) fn verify(&self, printer: &Printer) -> anyhow::Result<Verification> {
        let trust_file = bundle_dir::trust_file(&self.bundle);
        files::replace(&trust_file, self.trust.to_toml().as_bytes(), files::Access::Public)
            .with_context(|| format!("cannot write {}", trust_file.display()))?;
        verify_folder(&self.bundle, Some(&self.trust), printer)
    }
}
