//! The key file of somebody who signs statements. Whoever has it can speak for him, so it is for its owner alone and never printed.

use std::fmt;
use std::path::{Path, PathBuf};

use anyhow::{Context, ensure};
use ed25519_dalek::SigningKey;
use serde::{Deserialize, Serialize};

use crate::files::{self, Access};
use crate::keyfile;
use crate::pack::Pack;

const FORMAT: u32 = 1;
const ADVICE: &str =
    "keys are made with `tallyproof authority init` and `tallyproof agent init`, packs with `election enrol`";

/// What its holder is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Role {
    /// A member of the authority.
    Member,
    /// An agent.
    Agent,
    /// A station, whose key is in its pack.
    Station,
}

impl Role {
    /// The word used in files.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Member => "member",
            Self::Agent => "agent",
            Self::Station => "station",
        }
    }
}

/// The key of one who signs.
#[derive(Clone)]
pub struct SignatoryKey {
    /// What the holder is.
    pub role: Role,
    /// The member's name, or the agent's or station's id.
    pub id: String,
    /// The secret.
    pub key: SigningKey,
}

impl fmt::Debug for SignatoryKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SignatoryKey").field("role", &self.role).field("id", &self.id).finish_non_exhaustive()
    }
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct KeyFile {
    format: u32,
    role: Role,
    id: String,
    signing_key: String,
}

impl SignatoryKey {
    /// A new key from the system's randomness.
    pub fn generate(role: Role, id: &str) -> anyhow::Result<Self> {
        let fits = !id.is_empty() && id.len() <= 64;
        let plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || matches!(c, '-' | '_' | '.');
        ensure!(
            fits && id.chars().all(plain),
            "`{}` is not an id: use lower-case letters, digits, `-`, `_` and `.`, at most 64",
            id.escape_debug()
        );
        let mut seed = [0; 32];
        getrandom::fill(&mut seed).context("the system gives no randomness")?;
        Ok(Self { role, id: id.to_owned(), key: SigningKey::from_bytes(&seed) })
    }

    /// The public key, as the definition and key statements write it.
    pub fn public(&self) -> String {
        hex::encode(self.key.verifying_key().as_bytes())
    }

    /// Writes the key into a folder, for its owner alone, and says where. A key is never replaced.
    pub fn create(&self, folder: &Path) -> anyhow::Result<PathBuf> {
        let file = KeyFile {
            format: FORMAT,
            role: self.role,
            id: self.id.clone(),
            signing_key: hex::encode(self.key.to_bytes()),
        };
        let text = toml::to_string(&file).context("the key cannot be written as TOML")?;
        std::fs::create_dir_all(folder).with_context(|| format!("cannot make the folder {}", folder.display()))?;
        let path = folder.join(format!("{}.key", self.id));
        ensure!(!path.exists(), "{} exists; keys are never replaced. Name another folder", path.display());
        files::create(&path, text.as_bytes(), Access::Secret)
            .with_context(|| format!("cannot write {}", path.display()))?;
        Ok(path)
    }

    /// Reads a key file, or a station's pack, which holds a key too.
    pub fn read(path: &Path) -> anyhow::Result<Self> {
        let text = keyfile::read_secret(path, ADVICE)?;
        let found = toml::from_str::<KeyFile>(&text).ok().map(|file| Self::from_file(&file));
        found.unwrap_or_else(|| Self::of_pack(path)).with_context(|| {
            format!("{} is neither a key file (`authority init`, `agent init`) nor a station's pack", path.display())
        })
    }

    fn from_file(file: &KeyFile) -> anyhow::Result<Self> {
        ensure!(file.format == FORMAT, "its format is {}, this program reads format {FORMAT}", file.format);
        let mut seed = [0; 32];
        // The reason is left out on purpose: it would repeat characters of the secret.
        ensure!(hex::decode_to_slice(&file.signing_key, &mut seed).is_ok(), "`signing_key` is not 64 hex digits");
        Ok(Self { role: file.role, id: file.id.clone(), key: SigningKey::from_bytes(&seed) })
    }

    fn of_pack(path: &Path) -> anyhow::Result<Self> {
        let pack = Pack::read(path)?;
        Ok(Self { role: Role::Station, id: pack.station, key: pack.signing_key })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_comes_back_from_its_file_and_is_never_replaced() {
        let folder = tempfile::tempdir().unwrap();
        let made = SignatoryKey::generate(Role::Member, "chair").unwrap();
        let path = made.create(folder.path()).unwrap();
        let read = SignatoryKey::read(&path).unwrap();
        assert_eq!((read.role, &read.id, read.public()), (Role::Member, &made.id, made.public()));
        assert!(made.create(folder.path()).unwrap_err().to_string().contains("never replaced"));
        let shown = format!("{read:?}");
        assert!(!shown.contains(&hex::encode(read.key.to_bytes())[..8]), "{shown}");
    }

    #[test]
    fn an_id_is_one_that_a_definition_can_hold() {
        for bad in ["", "Chair", "a b", "../x", "é", &"x".repeat(65)] {
            SignatoryKey::generate(Role::Agent, bad).unwrap_err();
        }
    }
}
