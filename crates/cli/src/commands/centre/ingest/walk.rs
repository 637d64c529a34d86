//! Every file of a folder, sorted into records and others.

use std::ffi::OsStr;
use std::fs::{self, DirEntry};
use std::io;
use std::path::{Path, PathBuf};

use crate::statement::paper::is_named_statement;
use crate::station::queue::{RECEIPT, RECORD};

/// What a folder holds, the folders in it included. Paths begin with the folder's.
#[derive(Debug, Default)]
pub(super) struct Found {
    /// Files named as sealed records, by path.
    pub(super) records: Vec<PathBuf>,
    /// Files named as signed statements, by path.
    pub(super) statements: Vec<PathBuf>,
    /// Receipts beside records and statements.
    pub(super) receipts: u64,
    /// Everything else, with what it is.
    pub(super) others: Vec<(PathBuf, &'static str)>,
    /// Folders and files that could not be looked at.
    pub(super) unreadable: Vec<(PathBuf, io::Error)>,
}

/// Walks through `folder`. Links are not followed: a stick must not lead out of itself, nor in circles.
pub(super) fn walk(folder: &Path) -> Found {
    let mut found = Found::default();
    let mut folders = vec![folder.to_owned()];
    while let Some(folder) = folders.pop() {
        match fs::read_dir(&folder) {
            Ok(entries) => entries.for_each(|entry| match entry {
                Ok(entry) => found.sort_in(&entry, &mut folders),
                Err(error) => found.unreadable.push((folder.clone(), error)),
            }),
            Err(error) => found.unreadable.push((folder, error)),
        }
    }
    found.records.sort();
    found.statements.sort();
    found.others.sort();
    found.unreadable.sort_by(|a, b| a.0.cmp(&b.0));
    found
}

impl Found {
    fn sort_in(&mut self, entry: &DirEntry, folders: &mut Vec<PathBuf>) {
        let path = entry.path();
        let kind = match entry.file_type() {
            Ok(kind) => kind,
            Err(error) => return self.unreadable.push((path, error)),
        };
        if kind.is_dir() {
            folders.push(path);
        } else if kind.is_symlink() {
            self.others.push((path, "a link; links are not followed"));
        } else if !kind.is_file() {
            self.others.push((path, "not a regular file"));
        } else if entry.file_name().as_encoded_bytes().starts_with(b"._") {
            self.others.push((path, "what a Mac leaves beside a file"));
        } else if path.extension() == Some(OsStr::new(RECORD)) {
            self.records.push(path);
        } else if is_named_statement(&path) {
            self.statements.push(path);
        } else if path.extension() == Some(OsStr::new(RECEIPT)) && is_beside_its_own(&path) {
            self.receipts += 1;
        } else {
            self.others.push((path, "not named as a sealed record (*.cose) or a signed statement (*.statement)"));
        }
    }

    /// How many files there are.
    pub(super) fn len(&self) -> u64 {
        (self.records.len() + self.statements.len() + self.others.len() + self.unreadable.len()) as u64 + self.receipts
    }
}

/// Whether what a receipt is of stands there too: `a.cose` beside `a.receipt`, `a.statement` beside `a.statement.receipt`.
fn is_beside_its_own(receipt: &Path) -> bool {
    let statement = receipt.with_extension("");
    receipt.with_extension(RECORD).is_file() || is_named_statement(&statement) && statement.is_file()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_file_is_accounted_for() {
        let stick = tempfile::tempdir().unwrap();
        let path = |name: &str| stick.path().join(name);
        fs::create_dir_all(path("a/b")).unwrap();
        for name in [
            "s.statement",
            "s.statement.receipt",
            "x.cose",
            "x.receipt",
            "lone.receipt",
            "._x.cose",
            "attempt",
            "a/y.cose",
            "a/b/z.cose",
        ] {
            fs::write(path(name), "").unwrap();
        }
        #[cfg(unix)]
        for (to, name) in [("x.cose", "link.cose"), ("..", "a/up")] {
            std::os::unix::fs::symlink(to, path(name)).unwrap();
        }
        let found = walk(stick.path());
        assert_eq!(found.records, ["a/b/z.cose", "a/y.cose", "x.cose"].map(path));
        assert_eq!((found.receipts, &found.statements), (2, &vec![path("s.statement")]));
        let others: Vec<_> = found.others.iter().map(|(path, _)| path.clone()).collect();
        let expected = ["._x.cose", "a/up", "attempt", "link.cose", "lone.receipt"];
        assert_eq!(others, expected.map(path));
        assert_eq!(found.len(), 11);
    }
}
