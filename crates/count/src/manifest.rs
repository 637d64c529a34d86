//! The bundle's manifest: which files there are, with their hashes, as a text that the log's key signs.

use std::{borrow::Borrow, collections::BTreeMap, fmt, str::FromStr};

use sha2::{Digest, Sha256};
use tallyproof_log::{
    merkle::Hash,
    note::{self, KeyName, NoteError, SignerKey},
};
use thiserror::Error;

use crate::bundle;

const HEADER: &str = "tallyproof-bundle v1";

/// A path in the bundle that the manifest may list: relative, `/` between segments of `[A-Za-z0-9._-]`, none of them `.` or
/// `..`; neither the manifest itself nor a file that the log's own signature covers.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct BundlePath(String);

impl BundlePath {
    /// The path as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl Borrow<str> for BundlePath {
    fn borrow(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for BundlePath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// The text is not a path that a manifest lists.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum PathError {
    /// Could leave the folder, or cannot be a file name everywhere.
    #[error(
        "{0:?} is not a path of the bundle: use segments of A-Z a-z 0-9 . _ - with / between them, none of them . or .."
    )]
    Malformed(String),
    /// The manifest itself, or a file that the log's signature covers.
    #[error("{0} is never listed: the log's signature or the manifest's covers it")]
    CoveredByLog(String),
}

impl FromStr for BundlePath {
    type Err = PathError;

    fn from_str(path: &str) -> Result<Self, PathError> {
        let allowed = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-');
        let segment = |s: &str| !s.is_empty() && s != "." && s != ".." && s.chars().all(allowed);
        if !path.split('/').all(segment) {
            return Err(PathError::Malformed(path.to_owned()));
        }
        if [bundle::MANIFEST, bundle::CHECKPOINT, bundle::COSIGNED].contains(&path) || path.starts_with(bundle::TILES) {
            return Err(PathError::CoveredByLog(path.to_owned()));
        }
        Ok(Self(path.to_owned()))
    }
}

/// What the manifest states. Displays as, and parses from, its text, of which there is one form only.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Manifest {
    /// Origin of the log.
    pub origin: KeyName,
    /// Tree size that the pages and the index were made from.
    pub tree_size: u64,
    /// Root of the log at that size.
    pub root: Hash,
    /// SHA-256 of each file.
    pub files: BTreeMap<BundlePath, Hash>,
}

impl Manifest {
    /// Hashes a file and lists it. A file listed before is replaced.
    pub fn insert(&mut self, path: BundlePath, bytes: &[u8]) {
        self.files.insert(path, file_hash(bytes));
    }

    /// The signed note that stands in the bundle. `log` is the log's key.
    pub fn sign(&self, log: &SignerKey) -> Result<String, NoteError> {
        note::sign(&self.to_string(), log)
    }
}

/// The SHA-256 of a file.
pub fn file_hash(bytes: &[u8]) -> Hash {
    Hash(Sha256::digest(bytes).into())
}

impl fmt::Display for Manifest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{HEADER}\n{}\n{}\n{}", self.origin, self.tree_size, self.root.to_base64())?;
        self.files.iter().try_for_each(|(path, hash)| writeln!(f, "{hash}  {path}"))
    }
}

/// Why a text is not a manifest.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum ManifestError {
    /// The four lines at the top are not as they must be.
    #[error("not a bundle manifest: expected the lines '{HEADER}', origin, tree size and base64 root")]
    Head,
    /// A line that is not `<sha256>  <path>`.
    #[error("line {0} is not '<sha256 hex>  <path>'")]
    Line(usize),
    /// A line whose path cannot be listed.
    #[error("line {line}: {error}")]
    Path {
        /// Line number, from 1.
        line: usize,
        /// What is wrong with it.
        error: PathError,
    },
    /// Paths are not in ascending order, or one is listed twice; or a number has another spelling than the usual one.
    #[error("the manifest is not in its one form: list each path once, sorted by bytes")]
    NotCanonical,
}

impl FromStr for Manifest {
    type Err = ManifestError;

    fn from_str(text: &str) -> Result<Self, ManifestError> {
        let mut lines = (1..).zip(text.strip_suffix('\n').unwrap_or(text).split('\n'));
        let mut manifest = head(&mut lines).ok_or(ManifestError::Head)?;
        for (line, text) in lines {
            let (hash, path) = text.split_once("  ").ok_or(ManifestError::Line(line))?;
            let hash = hash.parse().map_err(|_| ManifestError::Line(line))?;
            let path = path.parse().map_err(|error| ManifestError::Path { line, error })?;
            manifest.files.insert(path, hash);
        }
        // Order, duplicates, the last newline and the spelling of numbers, all at once.
        if manifest.to_string() == text { Ok(manifest) } else { Err(ManifestError::NotCanonical) }
    }
}

fn head<'a>(lines: &mut impl Iterator<Item = (usize, &'a str)>) -> Option<Manifest> {
    let mut next = || lines.next().map(|(_, line)| line);
    if next()? != HEADER {
        return None;
    }
    let origin = next()?.parse().ok()?;
    let tree_size = next()?.parse().ok()?;
    let root = Hash::from_base64(next()?).ok()?;
    Some(Manifest { origin, tree_size, root, files: BTreeMap::new() })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use tallyproof_log::merkle::Hash;

    use super::{BundlePath, Manifest, ManifestError, PathError};

    fn example() -> Manifest {
        let mut manifest = Manifest {
            origin: "log.example/2026".parse().unwrap(),
            tree_size: 7,
            root: Hash([3; 32]),
            files: std::collections::BTreeMap::new(),
        };
        for path in ["site/index.html", "index/totals.json", "site/Z.html"] {
            manifest.insert(path.parse().unwrap(), path.as_bytes());
        }
        manifest
    }

    #[test]
    fn text_round_trips() {
        let manifest = example();
        assert_eq!(manifest.to_string().parse(), Ok(manifest));
    }

    #[test]
    fn paths_that_leave_the_folder_or_are_covered_by_the_log_are_refused() {
        for bad in ["", "/a", "a/", "a//b", ".", "..", "a/../b", "a b", "a\\b", "ä", "a:b", "a\nb"] {
            assert_eq!(bad.parse::<BundlePath>(), Err(PathError::Malformed(bad.into())));
        }
        for covered in ["manifest", "log/checkpoint", "log/cosigned", "log/tile/0/000"] {
            assert_eq!(covered.parse::<BundlePath>(), Err(PathError::CoveredByLog(covered.into())));
        }
        for good in ["a", "site/x.y/..z", "log/vkeys", "log/frozen", "election/manifest"] {
            assert!(good.parse::<BundlePath>().is_ok(), "{good}");
        }
    }

    #[test]
    fn other_spellings_are_refused() {
        let text = example().to_string();
        let lines: Vec<&str> = text.lines().collect();
        let swapped = [&lines[..4], &[lines[5], lines[4], lines[6]]].concat().join("\n") + "\n";
        let twice = text.clone() + lines[6] + "\n";
        for bad in [
            swapped,
            twice,
            text.trim_end().to_owned(),
            text.replace("\n7\n", "\n+7\n"),
            text.replace("\n7\n", "\n07\n"),
        ] {
            assert_eq!(bad.parse::<Manifest>(), Err(ManifestError::NotCanonical), "{bad}");
        }
        assert_eq!(text.replace("v1", "v2").parse::<Manifest>(), Err(ManifestError::Head));
        assert_eq!(text.replace("  site/Z", " site/Z").parse::<Manifest>(), Err(ManifestError::Line(6)));
        assert_eq!((text + "\n").parse::<Manifest>(), Err(ManifestError::Line(8)));
    }

    proptest! {
        #[test]
        fn whatever_parses_has_one_form(at in 0_usize..400, byte in any::<u8>()) {
            let mut bytes = example().to_string().into_bytes();
            let at = at % bytes.len();
            bytes[at] = byte;
            if let Ok(text) = String::from_utf8(bytes)
                && let Ok(manifest) = text.parse::<Manifest>()
            {
                prop_assert_eq!(manifest.to_string(), text);
            }
        }
    }
}
