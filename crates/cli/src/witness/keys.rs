//! A witness's secret keys.

use std::path::Path;

use anyhow::{Context, bail, ensure};
use tallyproof_log::cosignature::CosignerKey;
use tallyproof_log::note::{KeyName, VerifierKey};

use crate::files::{self, Access};
use crate::keyfile::{self, SecretKey, new_seed};

/// The Ed25519 key.
pub const KEY_FILE: &str = "key";
/// The ML-DSA-44 key, if the witness has one.
pub const ML_DSA_KEY_FILE: &str = "key.ml-dsa-44";

const ED25519: u8 = 0x04;
const ML_DSA_44: u8 = 0x06;
const ADVICE: &str = "a witness's keys are made with `tallyproof witness init DIR --name NAME`";

/// A key just made, and the line of its file.
pub(super) struct NewKey {
    file: &'static str,
    line: String,
    pub(super) key: CosignerKey,
}

/// New keys.
pub(super) fn generate(name: &KeyName, ml_dsa: bool) -> anyhow::Result<Vec<NewKey>> {
    let mut keys = vec![of_seed(name.clone(), &new_seed()?)];
    if ml_dsa {
        // A name of its own: a policy lists the two keys as two witnesses.
        let (name, seed) = (format!("{name}-ml-dsa-44").parse()?, new_seed()?);
        let key = CosignerKey::ml_dsa_44(name, &seed);
        keys.push(NewKey { file: ML_DSA_KEY_FILE, line: keyfile::line(key.verifier(), ML_DSA_44, &seed), key });
    }
    Ok(keys)
}

/// The Ed25519 key of a seed.
pub(super) fn of_seed(name: KeyName, seed: &[u8; 32]) -> NewKey {
    let key = CosignerKey::ed25519(name, seed);
    NewKey { file: KEY_FILE, line: keyfile::line(key.verifier(), ED25519, seed), key }
}

/// Writes them for their owner alone. Existing keys are never replaced.
pub(super) fn create(folder: &Path, keys: &[NewKey]) -> anyhow::Result<()> {
    for NewKey { file, line, .. } in keys {
        let path = folder.join(file);
        files::create(&path, line.as_bytes(), Access::Secret)
            .with_context(|| format!("cannot write {}; keys are never replaced", path.display()))?;
    }
    Ok(())
}

/// Reads the keys of a witness's folder, the Ed25519 key first.
pub(super) fn read(folder: &Path) -> anyhow::Result<Vec<CosignerKey>> {
    let mut keys = vec![read_key(&folder.join(KEY_FILE))?];
    let ml_dsa = folder.join(ML_DSA_KEY_FILE);
    if ml_dsa.exists() {
        keys.push(read_key(&ml_dsa)?);
    }
    Ok(keys)
}

fn read_key(path: &Path) -> anyhow::Result<CosignerKey> {
    let text = keyfile::read_secret(path, ADVICE)?;
    let parse = || {
        let secret = SecretKey::parse(text.trim_end())?;
        let key = match secret.kind {
            ED25519 => CosignerKey::ed25519(secret.name.clone(), &secret.seed),
            ML_DSA_44 => CosignerKey::ml_dsa_44(secret.name.clone(), &secret.seed),
            other => bail!("it is of type {other}, none of a witness"),
        };
        secret.belongs_to(key.verifier())?;
        Ok(key)
    };
    parse().with_context(|| format!("{} is not a witness's key (PRIVATE+KEY+…)", path.display()))
}

/// The log's key, which has to be one that signs checkpoints.
pub(super) fn check_log(log: &VerifierKey) -> anyhow::Result<()> {
    let signs = matches!(log.public_key(), tallyproof_log::note::PublicKey::Ed25519(_));
    ensure!(signs, "{log} is not the key of a log, which is an Ed25519 key of type 0x01");
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_come_back_from_their_folder_and_are_never_replaced() {
        let folder = tempfile::tempdir().unwrap();
        let keys = generate(&"witness.example/1".parse().unwrap(), true).unwrap();
        create(folder.path(), &keys).unwrap();
        let read: Vec<_> = read(folder.path()).unwrap().iter().map(|key| key.verifier().clone()).collect();
        assert_eq!(read, keys.iter().map(|new| new.key.verifier().clone()).collect::<Vec<_>>());
        assert!(read[0].name() != read[1].name(), "two witnesses of a policy");
        assert!(create(folder.path(), &keys).unwrap_err().to_string().contains("never replaced"));
    }

    #[test]
    fn a_log_s_key_is_no_witness_s() {
        let folder = tempfile::tempdir().unwrap();
        let NewKey { key, line, .. } = generate(&"witness.example/1".parse().unwrap(), false).unwrap().remove(0);
        let secret = SecretKey::parse(line.trim_end()).unwrap();
        let as_log = keyfile::line(key.verifier(), 1, &secret.seed);
        files::create(&folder.path().join(KEY_FILE), as_log.as_bytes(), Access::Secret).unwrap();
        assert!(format!("{:#}", read(folder.path()).unwrap_err()).contains("none of a witness"));
    }
}
