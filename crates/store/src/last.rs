//! The last checkpoint that the centre signed, in a file of its own.
//!
//! Restoring an old journal and signing again would give the log two histories. This file, which is no part of the journal's backup,
//! is what a restart compares itself with before it signs.

use std::{
    io,
    path::{Path, PathBuf},
};

use thiserror::Error;

use crate::durable;

/// The file, `<journal>.last-checkpoint` unless it is told another place. It holds the signed note, so it can be restored from a copy that others hold.
#[derive(Debug)]
pub struct LastCheckpoint {
    path: PathBuf,
}

/// The file cannot be read or written.
#[derive(Debug, Error)]
#[error("{path}: {source}")]
pub struct LastError {
    path: PathBuf,
    source: io::Error,
}

impl LastCheckpoint {
    /// The file beside a journal. Nothing is touched yet.
    pub fn beside(journal: &Path) -> Self {
        let mut path = journal.as_os_str().to_owned();
        path.push(".last-checkpoint");
        Self { path: path.into() }
    }

    /// The file at this place, which may be on another disk than the journal. Nothing is touched yet.
    pub fn at(path: &Path) -> Self {
        Self { path: path.to_owned() }
    }

    /// The file of the same name with `.frozen` behind it: the final checkpoint, once there is one. While it is there, nothing more
    /// may be signed.
    #[must_use]
    pub fn frozen(&self) -> Self {
        let mut path = self.path.as_os_str().to_owned();
        path.push(".frozen");
        Self { path: path.into() }
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The note last signed; nothing if there is no file.
    pub fn read(&self) -> Result<Option<Vec<u8>>, LastError> {
        durable::read(&self.path).map_err(|source| self.error(source))
    }

    /// Replaces it, durable on return. Call before the checkpoint is published.
    pub fn write(&self, note: &[u8]) -> Result<(), LastError> {
        durable::replace(&self.path, note).map_err(|source| self.error(source))
    }

    fn error(&self, source: io::Error) -> LastError {
        LastError { path: self.path.clone(), source }
    }
}
