//! Fetching aside: what the copy lacks goes into a folder beside it, and is read from there together with what the copy has.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::{fs, io};

use anyhow::{Context, anyhow};
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
    torn: bool,
}

/// What became of one file.
enum Got {
    /// The copy has it.
    Held,
    /// It was fetched, with so many bytes; `listed` if it is what the manifest says, or nothing is said of it.
    New { bytes: usize, listed: bool },
    /// The source lacks it.
    Missing,
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
        let mut staged = Self {
            held,
            staging,
            new: BTreeSet::new(),
            all: BTreeSet::new(),
            fetched: Fetched::default(),
            torn: false,
        };
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
        let notes = [bundle::CHECKPOINT, bundle::COSIGNED, bundle::MANIFEST];
        self.all.iter().filter(move |path| !is_tile(path) && !notes.contains(&path.as_str()))
    }

    pub(super) fn fetched(&self) -> Fetched {
        self.fetched
    }

    /// Whether files were missing, or not those that the manifest lists: so is a bundle that is being published right now.
    pub(super) fn is_torn(&self) -> bool {
        self.torn
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
                let got = Got::New { bytes: bytes.len(), listed: true };
                self.note([path.to_owned()], vec![got], &ProgressBar::hidden());
            }
        }
        Ok(listed)
    }

    fn fetch_listed(&self, source: &dyn Source, path: &str, hash: &Hash) -> anyhow::Result<Got> {
        if self.held.read(path).is_ok_and(|held| held.is_some_and(|bytes| file_hash(&bytes) == *hash)) {
            return Ok(Got::Held);
        }
        self.fetch_file(source, path, |bytes| file_hash(bytes) == *hash)
    }

    fn fetch_tiles(&mut self, source: &dyn Source, size: u64, progress: &ProgressBar) -> anyhow::Result<()> {
        let mut tiles = tiles_for(0, size);
        loop {
            // A signed size is still only a claim: some of what comes first has to be there before more is asked for.
            let window: Vec<String> = tiles.by_ref().take(WINDOW).map(|tile| bundle::tile_path(&tile)).collect();
            let got =
                window.par_iter().map(|path| self.fetch_tile(source, path)).collect::<anyhow::Result<Vec<_>>>()?;
            let nothing = got.iter().all(|got| matches!(got, Got::Missing));
            self.note(window, got, progress);
            if nothing {
                return Ok(());
            }
        }
    }

    /// A tile that the copy has is not asked for again: were it another one now, the root would tell.
    fn fetch_tile(&self, source: &dyn Source, path: &str) -> anyhow::Result<Got> {
        if self.new.contains(path) || self.held.read(path).is_ok_and(|held| held.is_some()) {
            return Ok(Got::Held);
        }
        self.fetch_file(source, path, |_| true)
    }

    fn fetch_file(&self, source: &dyn Source, path: &str, listed: impl Fn(&[u8]) -> bool) -> anyhow::Result<Got> {
        let Some(bytes) = optional(source, path)? else { return Ok(Got::Missing) };
        self.store(path, &bytes)?;
        Ok(Got::New { bytes: bytes.len(), listed: listed(&bytes) })
    }

    fn note(&mut self, paths: impl IntoIterator<Item = String>, got: Vec<Got>, progress: &ProgressBar) {
        for (path, got) in paths.into_iter().zip(got) {
            progress.inc(1);
            match got {
                Got::Missing => {
                    self.torn = true;
                    continue;
                }
                Got::New { bytes, listed } => {
                    self.torn |= !listed;
                    self.new.insert(path.clone());
                    self.fetched.files += 1;
                    self.fetched.bytes += bytes as u64;
                }
                Got::Held => {}
            }
            self.all.insert(path);
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
