//! The public folder: tiles that never change, then the checkpoint that promises them; index, pages and manifest beside.
//!
//! Readers may copy the folder at any time: every file appears whole, by renaming, and a checkpoint appears only when the tiles
//! below it are durable.

use std::{
    collections::{BTreeSet, HashSet},
    fs, io,
    path::{Path, PathBuf},
};

use thiserror::Error;

use crate::durable;

/// Files are written here first. It is inside the bundle because a rename does not cross file systems, and holds nothing at rest.
const STAGING: &str = ".staging";
const CHECKPOINT: &str = "log/checkpoint";
const COSIGNED: &str = "log/cosigned";
const FROZEN: &str = "log/frozen";
/// Folders whose files are all made by the publisher, so that it may remove those it no longer makes.
const OWNED: [&str; 3] = ["election", "index", "site"];
/// Files below it are written once.
const BULLETINS: &str = "bulletins/";

/// Why the bundle cannot be written.
#[derive(Debug, Error)]
pub enum BundleError {
    /// The folder holds something else.
    #[error("{0}: the folder is not empty and not a bundle; name an empty or new folder")]
    Foreign(PathBuf),
    /// A path that the bundle's format does not allow.
    #[error("{0:?} is not a path that a bundle may hold: use relative paths of letters, digits, '.', '_' and '-'")]
    Path(String),
    /// A tile exists with other bytes.
    #[error(
        "{0}: this tile was published with other content. The bundle is of another log, or was altered: keep it, and publish into a new folder"
    )]
    TileDiffers(PathBuf),
    /// The file system failed.
    #[error("{path}: {source}")]
    Io {
        /// Which file or folder.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
}

/// The bundle's folder.
#[derive(Debug)]
pub struct BundleFolder {
    root: PathBuf,
}

impl BundleFolder {
    /// Opens a bundle's folder, or makes one in a new or empty folder; removes what a crash left in the staging folder.
    pub fn open(root: &Path) -> Result<Self, BundleError> {
        let io = |source| BundleError::Io { path: root.to_owned(), source };
        fs::create_dir_all(root).map_err(io)?;
        let empty = fs::read_dir(root).map_err(io)?.next().is_none();
        let staging = root.join(STAGING);
        if !empty && !root.join("log").is_dir() && !staging.is_dir() {
            return Err(BundleError::Foreign(root.to_owned()));
        }
        let bundle = Self { root: root.to_owned() };
        bundle.clear_staging()?;
        fs::create_dir(&staging).map_err(|source| BundleError::Io { path: staging, source })?;
        Ok(bundle)
    }

    /// The folder.
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// The published checkpoint; nothing in a new bundle.
    pub fn checkpoint(&self) -> Result<Option<Vec<u8>>, BundleError> {
        self.read(CHECKPOINT)
    }

    /// The published checkpoint with the witnesses' quorum; nothing before there was one.
    pub fn cosigned(&self) -> Result<Option<Vec<u8>>, BundleError> {
        self.read(COSIGNED)
    }

    /// The final checkpoint; nothing before the log is finished.
    pub fn frozen(&self) -> Result<Option<Vec<u8>>, BundleError> {
        self.read(FROZEN)
    }

    fn read(&self, path: &str) -> Result<Option<Vec<u8>>, BundleError> {
        let path = self.root.join(path);
        durable::read(&path).map_err(|source| BundleError::Io { path, source })
    }

    /// Writes tiles, durable on return. Paths are those below the log's prefix; a tile that exists must have these bytes.
    pub fn put_tiles<'a>(&self, tiles: impl IntoIterator<Item = (String, &'a [u8])>) -> Result<(), BundleError> {
        let mut folders = BTreeSet::new();
        for (path, bytes) in tiles {
            self.place_tile(&format!("log/{path}"), bytes, &mut folders)?;
        }
        folders.iter().try_for_each(|folder| sync_folder(folder))
    }

    /// Replaces the checkpoint, durable on return. The tiles below it must be there.
    pub fn put_checkpoint(&self, note: &[u8]) -> Result<(), BundleError> {
        self.put(CHECKPOINT, note)
    }

    /// Replaces the checkpoint with the witnesses' quorum, durable on return. Its tiles must be there.
    pub fn put_cosigned(&self, note: &[u8]) -> Result<(), BundleError> {
        self.put(COSIGNED, note)
    }

    fn put(&self, path: &str, note: &[u8]) -> Result<(), BundleError> {
        let path = self.target(path)?;
        self.place(&path, note, Sync::Yes)?;
        sync_folder(durable::folder_of(&path))
    }

    /// A file of a bulletin; nothing before it was published.
    pub fn bulletin_file(&self, path: &str) -> Result<Option<Vec<u8>>, BundleError> {
        if path.starts_with(BULLETINS) && is_bundle_path(path) {
            self.read(path)
        } else {
            Err(BundleError::Path(path.to_owned()))
        }
    }

    /// Publishes a file of a bulletin, durable on return. One that is there already stays, whatever it holds.
    pub fn put_bulletin_file(&self, path: &str, bytes: &[u8]) -> Result<(), BundleError> {
        if self.bulletin_file(path)?.is_some() {
            return Ok(());
        }
        self.put(path, bytes)?;
        // Its folder may be new, and the one above that.
        let target = self.root.join(path);
        target.ancestors().skip(2).take_while(|folder| folder.starts_with(&self.root)).try_for_each(sync_folder)
    }

    /// Publishes everything that is neither the growing log nor a bulletin. Files under the publisher's folders that are not in `files` are removed;
    /// files that already have these bytes are left alone.
    pub fn publish(&self, files: &[(String, Vec<u8>)]) -> Result<(), BundleError> {
        for (path, bytes) in files {
            let target = self.target(path)?;
            if !has(&target, bytes)? {
                self.place(&target, bytes, Sync::No)?;
            }
        }
        let kept: HashSet<PathBuf> = files.iter().map(|(path, _)| self.root.join(path)).collect();
        OWNED.iter().try_for_each(|folder| prune(&self.root.join(folder), &kept))
    }

    /// Removes the staging folder: the bundle is finished, or its publisher stops.
    pub fn close(&self) -> Result<(), BundleError> {
        self.clear_staging()
    }

    fn clear_staging(&self) -> Result<(), BundleError> {
        let staging = self.root.join(STAGING);
        match fs::remove_dir_all(&staging) {
            Err(source) if source.kind() != io::ErrorKind::NotFound => Err(BundleError::Io { path: staging, source }),
            _ => Ok(()),
        }
    }

    fn place_tile(&self, path: &str, bytes: &[u8], folders: &mut BTreeSet<PathBuf>) -> Result<(), BundleError> {
        let target = self.target(path)?;
        match durable::read(&target) {
            Ok(Some(found)) if found == bytes => {}
            Ok(Some(_)) => return Err(BundleError::TileDiffers(target)),
            Ok(None) => self.place(&target, bytes, Sync::Yes)?,
            Err(source) => return Err(BundleError::Io { path: target, source }),
        }
        // A new tile may have made new folders: their names have to last, too. So does that of one that is there already: whoever
        // placed it may have failed, or been killed, before its folder was synced.
        let above = target.ancestors().skip(1).take_while(|folder| *folder != self.root);
        folders.extend(above.map(Path::to_owned));
        Ok(())
    }

    /// The place of a bundle path, with its folder made.
    fn target(&self, path: &str) -> Result<PathBuf, BundleError> {
        if !is_bundle_path(path) {
            return Err(BundleError::Path(path.to_owned()));
        }
        let target = self.root.join(path);
        let folder = durable::folder_of(&target);
        fs::create_dir_all(folder).map_err(|source| BundleError::Io { path: folder.to_owned(), source })?;
        Ok(target)
    }

    fn place(&self, target: &Path, bytes: &[u8], sync: Sync) -> Result<(), BundleError> {
        let staged = self.root.join(STAGING).join("file");
        let written = match sync {
            Sync::Yes => durable::write_synced(&staged, bytes),
            Sync::No => fs::write(&staged, bytes),
        };
        let placed = written.and_then(|()| fs::rename(&staged, target));
        placed.map_err(|source| BundleError::Io { path: target.to_owned(), source })
    }
}

/// Whether the bytes must be on the disk before the file has its name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Sync {
    /// A checkpoint or another machine's copy may rest on it.
    Yes,
    /// It can be made again at any time.
    No,
}

fn sync_folder(folder: &Path) -> Result<(), BundleError> {
    durable::sync_folder(folder).map_err(|source| BundleError::Io { path: folder.to_owned(), source })
}

fn has(target: &Path, bytes: &[u8]) -> Result<bool, BundleError> {
    let same_length = fs::metadata(target).is_ok_and(|found| found.len() == bytes.len() as u64);
    let io = |source| BundleError::Io { path: target.to_owned(), source };
    Ok(same_length && durable::read(target).map_err(io)?.is_some_and(|found| found == bytes))
}

fn prune(folder: &Path, kept: &HashSet<PathBuf>) -> Result<(), BundleError> {
    let io = |source| BundleError::Io { path: folder.to_owned(), source };
    let entries = match fs::read_dir(folder) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        entries => entries.map_err(io)?,
    };
    for entry in entries {
        let entry = entry.map_err(io)?;
        let path = entry.path();
        if entry.file_type().map_err(io)?.is_dir() {
            prune(&path, kept)?;
        } else if !kept.contains(&path) {
            fs::remove_file(&path).map_err(|source| BundleError::Io { path, source })?;
        }
    }
    Ok(())
}

fn is_bundle_path(path: &str) -> bool {
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'_' | b'-');
    path.split('/').all(|segment| !matches!(segment, "" | "." | ".." | STAGING) && segment.bytes().all(allowed))
}
