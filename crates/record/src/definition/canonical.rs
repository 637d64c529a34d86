//! Canonical files of a definition and the hash that names it.

use std::{fmt, str::FromStr};

use sha2::{Digest, Sha256};

use super::Election;

/// SHA-256 of the definition manifest: the identity of an election.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct DefinitionHash(pub [u8; 32]);

impl fmt::Display for DefinitionHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&hex::encode(self.0))
    }
}

impl fmt::Debug for DefinitionHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl FromStr for DefinitionHash {
    type Err = hex::FromHexError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let mut hash = [0; 32];
        hex::decode_to_slice(text, &mut hash)?;
        Ok(Self(hash))
    }
}

/// The definition in its one canonical form.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Canonical {
    /// File name and bytes, sorted by name.
    pub files: [(&'static str, Vec<u8>); 4],
    /// The definition manifest: entry 0 of the log.
    pub manifest: String,
    /// SHA-256 of `manifest`.
    pub hash: DefinitionHash,
}

impl Election {
    /// Renders the definition's four files canonically and hashes them (`docs/spec/package.md`).
    pub fn canonical(&self) -> Canonical {
        unimplemented!()
    }
}
