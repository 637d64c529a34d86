//! The importer on real files, on every key of a mapping, and against its documentation.

#![allow(clippy::unwrap_used, clippy::panic, reason = "helpers of tests fail as tests do")]

mod documents;
mod real;

use std::path::{Path, PathBuf};

use tallyproof_evidence::{Imported, Input};

/// Root of the repository.
fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

fn read(path: &Path) -> Input {
    let bytes = std::fs::read(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    Input { name: path.file_name().unwrap().to_string_lossy().into_owned(), bytes }
}

fn file<'f>(imported: &'f Imported, name: &str) -> &'f str {
    let (_, bytes) = imported.files.iter().find(|(known, _)| known == name).unwrap();
    std::str::from_utf8(bytes).unwrap()
}
