//! The centre's secrets: the log's signing key and the master of the stations' MAC keys.

use std::fmt;
use std::path::Path;

use anyhow::{Context, ensure};
use ed25519_dalek::SigningKey;
use tallyproof_log::note::{KeyName, SignerKey, VerifierKey};

use crate::files::{self, Access};
use crate::keyfile::{self, SecretKey, new_seed};

/// The log's key, as a line of `keyfile`.
pub const LOG_KEY_FILE: &str = "log.key";
/// The master MAC secret, 64 hex digits.
pub const MAC_KEY_FILE: &str = "mac.key";

const ED25519: u8 = 1;
const ADVICE: &str = "the centre's keys are made with `tallyproof centre init`";

/// The centre's secrets. Never displayed.
pub struct CentreKeys {
    /// Signs checkpoints and manifests.
    pub log: SignerKey,
    /// The same key, for receipts.
    pub receipts: SigningKey,
    /// The master of the stations' MAC keys.
    pub mac: [u8; 32],
    /// Which generation of MAC keys.
    pub epoch: u32,
    seed: [u8; 32],
}

impl CentreKeys {
    /// Keys from their secrets; `origin` names the log.
    pub fn new(origin: &str, seed: [u8; 32], mac: [u8; 32]) -> anyhow::Result<Self> {
        let name: KeyName = origin.parse()?;
        let (log, receipts) = (SignerKey::new(name, &seed), SigningKey::from_bytes(&seed));
        Ok(Self { log, receipts, mac, epoch: 1, seed })
    }

    /// New keys from the system's randomness.
    pub fn generate(origin: &str) -> anyhow::Result<Self> {
        Self::new(origin, new_seed()?, new_seed()?)
    }

    /// The log's verifier key.
    pub fn verifier(&self) -> &VerifierKey {
        self.log.verifier()
    }

    /// Reads the keys of a folder.
    pub fn read(folder: &Path) -> anyhow::Result<Self> {
        let log = keyfile::read_secret(&folder.join(LOG_KEY_FILE), ADVICE)?;
        let (name, seed) = parse_log_key(log.trim_end())
            .with_context(|| format!("{} is not a log key (PRIVATE+KEY+…)", folder.join(LOG_KEY_FILE).display()))?;
        let mac_path = folder.join(MAC_KEY_FILE);
        let mut mac = [0; 32];
        hex::decode_to_slice(keyfile::read_secret(&mac_path, ADVICE)?.trim_end(), &mut mac)
            .with_context(|| format!("{} is not a MAC secret (64 hex digits)", mac_path.display()))?;
        Self::new(&name, seed, mac)
    }

    /// Writes the keys for their owner alone. Existing keys are never replaced: what they signed could not be continued.
    pub fn create(&self, folder: &Path) -> anyhow::Result<()> {
        let secrets = [(LOG_KEY_FILE, self.log_key_text()), (MAC_KEY_FILE, format!("{}\n", hex::encode(self.mac)))];
        for (name, _) in &secrets {
            let path = folder.join(name);
            ensure!(!path.exists(), "{} exists; keys are never replaced. Name another folder", path.display());
        }
        std::fs::create_dir_all(folder).with_context(|| format!("cannot make the folder {}", folder.display()))?;
        for (name, text) in secrets {
            let path = folder.join(name);
            files::create(&path, text.as_bytes(), Access::Secret)
                .with_context(|| format!("cannot write {}", path.display()))?;
        }
        Ok(())
    }

    fn log_key_text(&self) -> String {
        keyfile::line(self.verifier(), ED25519, &self.seed)
    }
}

impl fmt::Debug for CentreKeys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CentreKeys").field("log", self.verifier()).field("epoch", &self.epoch).finish_non_exhaustive()
    }
}

fn parse_log_key(text: &str) -> anyhow::Result<(String, [u8; 32])> {
    let key = SecretKey::parse(text)?;
    ensure!(key.kind == ED25519, "it is not an Ed25519 key");
    key.belongs_to(SignerKey::new(key.name.clone(), &key.seed).verifier())?;
    Ok((key.name.to_string(), key.seed))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_come_back_from_their_folder_and_are_never_replaced() {
        let folder = tempfile::tempdir().unwrap();
        let keys = CentreKeys::new("log.example/1", [7; 32], [9; 32]).unwrap();
        keys.create(folder.path()).unwrap();
        let read = CentreKeys::read(folder.path()).unwrap();
        assert_eq!((read.verifier(), read.mac), (keys.verifier(), keys.mac));
        assert!(keys.create(folder.path()).unwrap_err().to_string().contains("never replaced"));
    }

    #[test]
    fn a_log_key_with_another_name_is_refused() {
        let keys = CentreKeys::new("log.example/1", [7; 32], [9; 32]).unwrap();
        let renamed = keys.log_key_text().replace("example/1", "example/2");
        assert!(parse_log_key(renamed.trim_end()).unwrap_err().to_string().contains("key id"));
    }

    #[cfg(unix)]
    #[test]
    fn a_key_that_others_can_read_is_refused() {
        use std::os::unix::fs::PermissionsExt;
        let folder = tempfile::tempdir().unwrap();
        CentreKeys::new("log.example/1", [7; 32], [9; 32]).unwrap().create(folder.path()).unwrap();
        let open = std::fs::Permissions::from_mode(0o644);
        std::fs::set_permissions(folder.path().join(LOG_KEY_FILE), open).unwrap();
        assert!(CentreKeys::read(folder.path()).unwrap_err().to_string().contains("chmod 600"));
    }
}
