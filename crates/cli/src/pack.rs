//! The station pack: what one polling station needs to seal and send. It holds the station's signing key; whoever has
//! it can speak for the station, so it is a file for its owner alone and is never printed.

use std::path::Path;

use anyhow::{Context, ensure};
use ed25519_dalek::{SigningKey, VerifyingKey};
use serde::{Deserialize, Serialize};
use tallyproof_log::note::{PublicKey, VerifierKey};
use tallyproof_record::StationNo;
use tallyproof_record::definition::DefinitionHash;
use tallyproof_record::frame::MacKey;
use tallyproof_station::StationIdentity;

use crate::files::{self, Access};

const FORMAT: u32 = 1;
const FILE_LIMIT: u64 = 1 << 16;

/// A station's pack.
#[derive(Clone)]
pub struct Pack {
    /// The election, by the hash of its definition.
    pub election: DefinitionHash,
    /// The station's id in the register.
    pub station: String,
    /// The station's number in the register.
    pub number: StationNo,
    /// Generation of the MAC key.
    pub epoch: u32,
    /// Signs the station's records.
    pub signing_key: SigningKey,
    /// Buys the station's datagrams a signature check.
    pub mac_key: MacKey,
    /// The log's key, which signs receipts.
    pub log: VerifierKey,
    /// Where to send: `udp://host:port`, `https://host/path` or `file:DIR`.
    pub centre: Vec<String>,
}

impl std::fmt::Debug for Pack {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Pack").field("election", &self.election).field("station", &self.station).finish_non_exhaustive()
    }
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct PackFile {
    format: u32,
    election: String,
    station: String,
    number: u32,
    epoch: u32,
    signing_key: String,
    mac_key: String,
    log: String,
    centre: Vec<String>,
}

impl Pack {
    /// Reads a pack.
    pub fn read(path: &Path) -> anyhow::Result<Self> {
        let text = files::read_text(path, FILE_LIMIT)?;
        Self::parse(&text).with_context(|| format!("{} is not a station pack", path.display()))
    }

    /// Writes the pack for its owner alone; an existing file is left as it is and is an error.
    pub fn create(&self, path: &Path) -> anyhow::Result<()> {
        let text = toml::to_string(&self.to_file()).context("the station pack cannot be written as TOML")?;
        files::create(path, text.as_bytes(), Access::Secret).with_context(|| format!("cannot write {}", path.display()))
    }

    fn parse(text: &str) -> anyhow::Result<Self> {
        let file: PackFile = toml::from_str(text)?;
        ensure!(file.format == FORMAT, "its format is {}, this program reads format {FORMAT}", file.format);
        Ok(Self {
            election: file.election.parse().context("`election` is not a definition hash (64 hex digits)")?,
            station: file.station,
            number: StationNo(file.number),
            epoch: file.epoch,
            signing_key: SigningKey::from_bytes(&secret(&file.signing_key).context("`signing_key`")?),
            mac_key: MacKey(secret(&file.mac_key).context("`mac_key`")?),
            log: file.log.parse().context("`log` is not a verifier key")?,
            centre: file.centre,
        })
    }

    fn to_file(&self) -> PackFile {
        PackFile {
            format: FORMAT,
            election: self.election.to_string(),
            station: self.station.clone(),
            number: self.number.0,
            epoch: self.epoch,
            signing_key: hex::encode(self.signing_key.to_bytes()),
            mac_key: hex::encode(self.mac_key.0),
            log: self.log.to_string(),
            centre: self.centre.clone(),
        }
    }

    /// Who the station is to the centre.
    pub fn identity(&self) -> anyhow::Result<StationIdentity> {
        Ok(StationIdentity {
            station: self.number,
            epoch: self.epoch,
            mac: self.mac_key,
            election: self.election,
            log_key: self.log_key()?,
        })
    }

    /// The key that receipts are signed with.
    pub fn log_key(&self) -> anyhow::Result<VerifyingKey> {
        ed25519(&self.log)
    }
}

/// The public key of a verifier key that signs receipts and checkpoints.
pub fn ed25519(key: &VerifierKey) -> anyhow::Result<VerifyingKey> {
    match key.public_key() {
        PublicKey::Ed25519(key) => Ok(*key),
        PublicKey::Ed25519Cosigner(_) | PublicKey::MlDsa44Cosigner(_) => {
            anyhow::bail!("this is the key of a witness; give the log's own")
        }
        PublicKey::Unsupported { signature_type, .. } => {
            anyhow::bail!("the log's key is of type {signature_type}, which this program cannot verify; update it")
        }
    }
}

fn secret<const N: usize>(text: &str) -> anyhow::Result<[u8; N]> {
    let mut bytes = [0; N];
    // The reason is left out on purpose: it would repeat characters of the secret.
    ensure!(hex::decode_to_slice(text, &mut bytes).is_ok(), "is not {} hex digits", 2 * N);
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use tallyproof_log::note::SignerKey;

    use super::*;

    fn sample() -> Pack {
        Pack {
            election: DefinitionHash([7; 32]),
            station: "0001-A".into(),
            number: StationNo(17),
            epoch: 1,
            signing_key: SigningKey::from_bytes(&[1; 32]),
            mac_key: MacKey([2; 16]),
            log: SignerKey::new("log.example/2026".parse().unwrap(), &[3; 32]).verifier().clone(),
            centre: vec!["udp://127.0.0.1:7000".into()],
        }
    }

    #[test]
    fn a_pack_survives_its_file() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("pack.toml");
        sample().create(&path).unwrap();
        let read = Pack::read(&path).unwrap();
        assert_eq!(toml::to_string(&read.to_file()).unwrap(), toml::to_string(&sample().to_file()).unwrap());
        assert!(sample().create(&path).is_err(), "a pack is never overwritten");
    }

    #[test]
    fn a_broken_secret_is_not_repeated() {
        let text = toml::to_string(&sample().to_file()).unwrap().replace("0101010101", "01zz010101");
        let error = format!("{:#}", Pack::parse(&text).unwrap_err());
        assert!(error.contains("`signing_key`") && !error.contains("zz"), "{error}");
    }

    #[test]
    fn debug_shows_no_secret() {
        let shown = format!("{:?}", sample());
        assert!(!shown.contains("0101") && !shown.contains("[1, 1") && !shown.contains("0202"), "{shown}");
    }
}
