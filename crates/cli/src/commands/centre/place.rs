//! Where the files of a centre are: what serving and finishing share.

use std::path::PathBuf;

use anyhow::ensure;
use tallyproof_record::definition::Committed;

use crate::centre::CentreKeys;
use crate::package;

#[derive(Debug, clap::Args)]
pub(super) struct Place {
    /// Folder of the election package, its stations enrolled
    #[arg(long, value_name = "DIR")]
    election: PathBuf,
    /// Folder of the centre's keys
    #[arg(long, value_name = "DIR")]
    keys: PathBuf,
    /// The journal's file
    #[arg(long, value_name = "FILE")]
    pub(super) journal: PathBuf,
    /// Where the last checkpoint signed is kept, outside every backup of the journal [default: <journal>.last-checkpoint]
    #[arg(long, value_name = "FILE")]
    pub(super) last_checkpoint: Option<PathBuf>,
    /// Folder of the public bundle
    #[arg(long, value_name = "DIR")]
    pub(super) bundle: PathBuf,
    /// Where a witness of the policy is asked, in place of the URL in the policy; may be repeated
    #[arg(long, value_name = "NAME=URL", value_parser = witness_at)]
    pub(super) witness: Vec<(String, String)>,
}

impl Place {
    pub(super) fn election(&self) -> anyhow::Result<Committed> {
        let election = package::load(&self.election)?.election;
        ensure!(
            election.stations().iter().any(|station| station.key.is_some()),
            "no station of {} has a key, so no record could be authentic; enrol them with `tallyproof election enrol`",
            self.election.display()
        );
        Ok(election.commit())
    }

    pub(super) fn keys(&self) -> anyhow::Result<CentreKeys> {
        CentreKeys::read(&self.keys)
    }
}

fn witness_at(text: &str) -> Result<(String, String), String> {
    let (name, url) = text.split_once('=').ok_or_else(|| format!("`{text}` is not NAME=URL"))?;
    Ok((name.to_owned(), url.to_owned()))
}
