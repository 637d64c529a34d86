//! Fetching aside: what the copy lacks goes into a folder beside it, and is read from there together with what the copy has.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::{fs, io};

use anyhow::{Context, anyhow, bail};
use indicatif::ProgressBar;
use rayon::prelude::*;
use tallyproof_count::manifest::{Manifest, file_hash};
use tallyproof_count::{Source, bundle};
use tallyproof_log::merkle::Hash;
use tallyproof_log::note::SignedNote;
use tallyproof_log::tile::{TilePath, tiles_for};

use super::Notes;
use crate::bundle_source::Folder;

/// Files that are fetched at a time. Where so many in a row are not there, no more are asked for.
const WINDOW: usize = 32;

/// What a round fetched.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Fetched {
    /// Files, tiles among them.
    pub files: u64,
    /// Their bytes.
    pub bytes: u64,
}

/// The bundle that the copy would be: what was fetched, over what it has.
pub(super) struct Staged {
    held: Folder,
    staging: PathBuf,
    /// Paths that were fetched.
    new: BTreeSet<String>,
    /// Every path of the bundle.
    all: BTreeSet<String>,
    fetched: Fetched,
}

impl Staged {
    /// Fetches what `held` lacks of the bundle with these notes, whose log has tiles for these sizes.
    pub(super) fn fetch(
        staging: &Path,
        source: &dyn Source,
        held: Folder,
        sizes: Vec<u64>,
        notes: Notes,
        progress: &ProgressBar,
    ) -> anyhow::Result<Self> {
        clear(staging)?;
        let staging = staging.to_owned();
        let mut staged =
            Self { held, staging, new: BTreeSet::new(), all: BTreeSet::new(), fetched: Fetched::default() };
        progress.set_message("fetching");
        let listed = staged.keep_notes(notes)?;
        progress.set_length(listed.files.len() as u64 + sizes.iter().map(|size| size / 128).sum::<u64>());
        let files: Vec<_> = listed.files.iter().collect();
        for window in files.chunks(WINDOW) {
            let got = window.par_iter().map(|(path, hash)| staged.fetch_listed(source, path.as_str(), hash));
            let got = got.collect::<anyhow::Result<Vec<_>>>()?;
            staged.note(window.iter().map(|(path, _)| path.as_str().to_owned()), got, progress);
        }
        for size in sizes {
            staged.fetch_tiles(source, size, progress)?;
        }
        Ok(staged)
    }

    /// The tiles that the copy lacks, in the order in which a log writes them.
    pub(super) fn new_tiles(&self) -> Vec<String> {
        self.new.iter().filter(|path| is_tile(path)).cloned().collect()
    }

    /// Everything that is neither a tile nor a note that has its own turn.
    pub(super) fn other_files(&self) -> impl Iterator<Item = &String> {
        self.all
            .iter()
            .filter(|path| !is_tile(path) && ![bundle::CHECKPOINT, bundle::MANIFEST].contains(&path.as_str()))
    }

    pub(super) fn fetched(&self) -> Fetched {
        self.fetched
    }

    /// The bytes of one of the bundle's files.
    pub(super) fn bytes(&self, path: &str) -> anyhow::Result<Vec<u8>> {
        needed(self, path)
    }

    fn keep_notes(&mut self, notes: Notes) -> anyhow::Result<Manifest> {
        let manifest = notes.manifest.as_deref().context("the source has no manifest")?;
        let listed = SignedNote::parse(manifest)?.text().parse().context("the source's manifest")?;
        let paths = [bundle::MANIFEST, bundle::COSIGNED, bundle::CHECKPOINT];
        for (path, bytes) in paths.into_iter().zip([notes.manifest, notes.cosigned, notes.checkpoint]) {
            if let Some(bytes) = bytes {
                self.store(path, &bytes)?;
                self.note([path.to_owned()], vec![Some(bytes.len())], &ProgressBar::hidden());
            }
        }
        Ok(listed)
    }

    /// Bytes that were fetched; nothing if the copy has the file already.
    fn fetch_listed(&self, source: &dyn Source, path: &str, hash: &Hash) -> anyhow::Result<Option<usize>> {
        if self.held.read(path).is_ok_and(|held| held.is_some_and(|bytes| file_hash(&bytes) == *hash)) {
            return Ok(None);
        }
        let bytes = needed(source, path)?;
        if file_hash(&bytes) != *hash {
            bail!(
                "{path} is not the file that the source's manifest lists; if it is being published right now, try again"
            );
        }
        self.store(path, &bytes)?;
        Ok(Some(bytes.len()))
    }

    fn fetch_tiles(&mut self, source: &dyn Source, size: u64, progress: &ProgressBar) -> anyhow::Result<()> {
        let mut tiles = tiles_for(0, size);
        loop {
            // A signed size is still only a claim: what comes first has to be there before more is asked for.
            let window: Vec<String> = tiles.by_ref().take(WINDOW).map(|tile| bundle::tile_path(&tile)).collect();
            if window.is_empty() {
                return Ok(());
            }
            let got =
                window.par_iter().map(|path| self.fetch_tile(source, path)).collect::<anyhow::Result<Vec<_>>>()?;
            self.note(window, got, progress);
        }
    }

    fn fetch_tile(&self, source: &dyn Source, path: &str) -> anyhow::Result<Option<usize>> {
        if self.new.contains(path) || self.held.read(path).is_ok_and(|held| held.is_some()) {
            return Ok(None);
        }
        let bytes = needed(source, path)?;
        self.store(path, &bytes)?;
        Ok(Some(bytes.len()))
    }

    fn note(&mut self, paths: impl IntoIterator<Item = String>, got: Vec<Option<usize>>, progress: &ProgressBar) {
        for (path, bytes) in paths.into_iter().zip(got) {
            if let Some(bytes) = bytes {
                self.new.insert(path.clone());
                self.fetched.files += 1;
                self.fetched.bytes += bytes as u64;
            }
            self.all.insert(path);
            progress.inc(1);
        }
    }

    fn store(&self, path: &str, bytes: &[u8]) -> anyhow::Result<()> {
        let target = self.staging.join(path);
        let folder = target.parent().unwrap_or(&self.staging);
        let written = fs::create_dir_all(folder).and_then(|()| fs::write(&target, bytes));
        written.with_context(|| format!("cannot write {}", target.display()))
    }
}

impl Source for Staged {
    fn read(&self, path: &str) -> Result<Option<Vec<u8>>, String> {
        if self.new.contains(path) {
            return fs::read(self.staging.join(path)).map(Some).map_err(|error| error.to_string());
        }
        if self.all.contains(path) { self.held.read(path) } else { Ok(None) }
    }

    fn list(&self) -> Result<Option<Vec<String>>, String> {
        Ok(Some(self.all.iter().cloned().collect()))
    }
}

fn is_tile(path: &str) -> bool {
    path.strip_prefix("log/").is_some_and(|path| path.parse::<TilePath>().is_ok())
}

/// Removes a folder with all that is in it, if it is there.
pub(super) fn clear(folder: &Path) -> anyhow::Result<()> {
    match fs::remove_dir_all(folder) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => {
            Err(error).with_context(|| format!("cannot remove {}", folder.display()))
        }
        _ => Ok(()),
    }
}

/// A file that has to be there.
pub(super) fn needed(source: &dyn Source, path: &str) -> anyhow::Result<Vec<u8>> {
    optional(source, path)?.ok_or_else(|| anyhow!("the source lacks {path}"))
}

/// A file that may be there.
pub(super) fn optional(source: &dyn Source, path: &str) -> anyhow::Result<Option<Vec<u8>>> {
    source.read(path).map_err(|why| anyhow!("{path} cannot be read: {why}"))
}
