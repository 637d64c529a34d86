//! A witness's folder: `key`, `state`, `sources`, its `copy/` of the log, and the `proofs/` that it found.

use std::fs::{self, File, TryLockError};
use std::io;
use std::path::{Path, PathBuf};

use anyhow::{Context, anyhow, ensure};
use tallyproof_count::manifest::file_hash;
use tallyproof_record::definition::Committed;
use tallyproof_store::BundleFolder;
use tallyproof_witness::State;

use super::keys::{KEY_FILE, ML_DSA_KEY_FILE};
use crate::files::{self, Access};

/// The last checkpoint cosigned. Never made again.
pub(super) const STATE_FILE: &str = "state";
const SOURCES_FILE: &str = "sources";
const LOCK_FILE: &str = "lock";
const COPY: &str = "copy";
const PROOFS: &str = "proofs";
/// A state has a signature of the log and two of the witness, one of them long.
const STATE_LIMIT: u64 = 1 << 16;

/// An open witness's folder, locked: two programs with one state could cosign two histories.
#[derive(Debug)]
pub(super) struct WitnessFolder {
    root: PathBuf,
    _lock: File,
}

impl WitnessFolder {
    /// Makes a witness of a folder that holds keys and nothing else: its copy of the definition, and last its state. A folder that
    /// holds more was a witness before, with or without its state.
    pub(super) fn create(root: &Path, state: &State, sources: &[String], definition: &Committed) -> anyhow::Result<()> {
        let shown = root.display();
        ensure!(holds_keys_alone(root), "{shown} is or was a witness already; a witness is never made again");
        let copy = root.join(COPY);
        BundleFolder::open(&copy)?;
        fs::create_dir_all(copy.join("election")).with_context(|| format!("cannot make {}", copy.display()))?;
        for (name, bytes) in &definition.canonical().files {
            write(&copy.join("election").join(name), bytes)?;
        }
        write(&root.join(SOURCES_FILE), sources.join("\n").as_bytes())?;
        write(&root.join(STATE_FILE), state.to_string().as_bytes())
    }

    /// Opens the folder of a witness. Without its state it is none, whatever else is there.
    pub(super) fn open(root: &Path) -> anyhow::Result<Self> {
        let shown = root.display();
        ensure!(root.is_dir(), "{shown} is no witness's folder; make one with `tallyproof witness init`");
        let lock = File::options().create(true).append(true).open(root.join(LOCK_FILE));
        let lock = lock.with_context(|| format!("cannot open {}", root.join(LOCK_FILE).display()))?;
        match lock.try_lock() {
            Ok(()) => {
                // The state that is found may have been stored by a process that died before it was durable, and is cosigned from now.
                files::settle(&root.join(STATE_FILE)).with_context(|| format!("cannot sync {shown}"))?;
                Ok(Self { root: root.to_owned(), _lock: lock })
            }
            Err(TryLockError::WouldBlock) => {
                Err(anyhow!("{shown} is in use by another witness; stop that one first: one state, one witness"))
            }
            Err(TryLockError::Error(error)) => Err(error).with_context(|| format!("cannot lock {shown}")),
        }
    }

    pub(super) fn root(&self) -> &Path {
        &self.root
    }

    /// The state, which is never made up.
    pub(super) fn state(&self) -> anyhow::Result<State> {
        let path = self.root.join(STATE_FILE);
        ensure!(
            path.exists(),
            "{} is missing, and is never made again: a witness that forgets what it cosigned last can be made to cosign another \
             history. If it was ever there, bring the file itself back. If it is lost, retire this witness: make a new one with \
             `tallyproof witness init` in another folder, under another name, and have the policy name that one instead",
            path.display()
        );
        files::read_text(&path, STATE_LIMIT)?.parse().with_context(|| format!("{} cannot be used", path.display()))
    }

    /// Replaces the state, durable on return.
    pub(super) fn store(&self, state: &State) -> io::Result<()> {
        files::replace(&self.root.join(STATE_FILE), state.to_string().as_bytes(), Access::Public)
    }

    /// Where the log is read from, as named when the witness was made.
    pub(super) fn sources(&self) -> anyhow::Result<Vec<String>> {
        let text = files::read_text(&self.root.join(SOURCES_FILE), STATE_LIMIT)?;
        Ok(text.lines().filter(|line| !line.is_empty()).map(str::to_owned).collect())
    }

    /// The copy of the log.
    pub(super) fn copy(&self) -> PathBuf {
        self.root.join(COPY)
    }

    /// Writes a file for others to take along, such as the last cosignature.
    pub(super) fn put(&self, name: &str, bytes: &[u8]) -> io::Result<PathBuf> {
        let path = self.root.join(name);
        files::replace(&path, bytes, Access::Public)?;
        Ok(path)
    }

    /// Keeps a proof, named by its hash; one that is there already is the same.
    pub(super) fn keep_proof(&self, text: &str) -> io::Result<PathBuf> {
        let folder = self.root.join(PROOFS);
        fs::create_dir_all(&folder)?;
        let hash = file_hash(text.as_bytes()).to_string();
        let path = folder.join(format!("fork-{}.txt", hash.get(..16).unwrap_or(&hash)));
        match files::create(&path, text.as_bytes(), Access::Public) {
            Err(error) if error.kind() != io::ErrorKind::AlreadyExists => Err(error),
            _ => Ok(path),
        }
    }
}

/// Whether a folder is new, or has nothing in it.
pub(super) fn is_empty(folder: &Path) -> bool {
    fs::read_dir(folder).map_or(true, |mut entries| entries.next().is_none())
}

fn holds_keys_alone(folder: &Path) -> bool {
    let is_key = |name: &std::ffi::OsStr| name == KEY_FILE || name == ML_DSA_KEY_FILE;
    fs::read_dir(folder)
        .is_ok_and(|mut entries| entries.all(|entry| entry.is_ok_and(|entry| is_key(&entry.file_name()))))
}

fn write(path: &Path, bytes: &[u8]) -> anyhow::Result<()> {
    files::create(path, bytes, Access::Public).with_context(|| format!("cannot write {}", path.display()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_without_its_state_is_never_given_another() {
        let root = tempfile::tempdir().unwrap();
        let folder = WitnessFolder::open(root.path()).unwrap();
        let refusal = folder.state().unwrap_err().to_string();
        assert!(refusal.contains("never made again") && refusal.contains("retire"), "{refusal}");
        assert!(!root.path().join(STATE_FILE).exists());
        fs::write(root.path().join(STATE_FILE), "").unwrap();
        assert!(folder.state().is_err(), "an emptied state is none");
    }

    #[test]
    fn one_state_has_one_witness() {
        let root = tempfile::tempdir().unwrap();
        let first = WitnessFolder::open(root.path()).unwrap();
        assert!(WitnessFolder::open(root.path()).unwrap_err().to_string().contains("in use"));
        drop(first);
        WitnessFolder::open(root.path()).unwrap();
    }

    #[test]
    fn a_proof_is_kept_once_and_never_overwritten() {
        let root = tempfile::tempdir().unwrap();
        let folder = WitnessFolder::open(root.path()).unwrap();
        let [a, b, again] = ["a", "b", "a"].map(|text| folder.keep_proof(text).unwrap());
        assert!(a == again && a != b);
        assert_eq!(fs::read_to_string(a).unwrap(), "a");
    }
}
