//! Secret signing keys as files, in the form of Go's `note` package: `PRIVATE+KEY+name+keyid+base64(type ‖ seed)`.

use std::path::Path;

use anyhow::{Context, bail, ensure};
use base64::{Engine, engine::general_purpose::STANDARD};
use tallyproof_log::note::{KeyName, VerifierKey};

use crate::files;

const PREFIX: &str = "PRIVATE+KEY+";
const FILE_LIMIT: u64 = 1 << 12;

/// A key as its file states it; what its ID says of it is not checked before [`SecretKey::belongs_to`].
pub(crate) struct SecretKey {
    pub(crate) name: KeyName,
    /// The signature type's identifier byte.
    pub(crate) kind: u8,
    pub(crate) seed: [u8; 32],
    id: String,
}

impl SecretKey {
    /// Checks that name, type and seed are those that the ID was made of: one of them may have been edited.
    pub(crate) fn belongs_to(&self, verifier: &VerifierKey) -> anyhow::Result<()> {
        let (found, expected) = (&self.id, verifier.id());
        ensure!(expected.to_string() == *found, "its key id is {found}, but that of its name and key is {expected}");
        Ok(())
    }

    /// Takes the line apart.
    pub(crate) fn parse(text: &str) -> anyhow::Result<Self> {
        let parts = text.strip_prefix(PREFIX).map(|rest| rest.splitn(3, '+').collect::<Vec<_>>());
        let Some([name, id, encoded]) = parts.as_deref() else {
            bail!("it does not have the parts name, key id and key")
        };
        let bytes = STANDARD.decode(encoded).context("its last part is not base64")?;
        let (&kind, seed) = bytes.split_first().context("its last part is empty")?;
        let seed = seed.try_into().context("a key's seed has 32 bytes")?;
        Ok(Self { name: name.parse()?, kind, seed, id: (*id).to_owned() })
    }
}

/// The line that [`SecretKey::parse`] reads back.
pub(crate) fn line(verifier: &VerifierKey, kind: u8, seed: &[u8; 32]) -> String {
    let encoded = STANDARD.encode([&[kind], seed.as_slice()].concat());
    format!("{PREFIX}{}+{}+{encoded}\n", verifier.name(), verifier.id())
}

/// Reads a secret, which others must not be able to read. `advice` says how such files are made.
pub(crate) fn read_secret(path: &Path, advice: &'static str) -> anyhow::Result<String> {
    #[cfg(unix)]
    if let Ok(about) = std::fs::metadata(path) {
        use std::os::unix::fs::PermissionsExt;
        let (shown, others) = (path.display(), about.permissions().mode() & 0o077);
        ensure!(others == 0, "{shown} can be read by others; run: chmod 600 {shown}");
    }
    files::read_text(path, FILE_LIMIT).context(advice)
}

/// A new seed from the system's randomness.
pub(crate) fn new_seed() -> anyhow::Result<[u8; 32]> {
    let mut seed = [0; 32];
    getrandom::fill(&mut seed).context("the system gives no randomness")?;
    Ok(seed)
}
