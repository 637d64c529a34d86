//! Fixed keys, so that the seeds hold authentic bytes and the fuzzer gets past the first check. They sign nothing else.

use ed25519_dalek::SigningKey;
use tallyproof_log::cosignature::CosignerKey;
use tallyproof_log::note::{KeyName, SignerKey};
use tallyproof_record::StationNo;
use tallyproof_record::definition::DefinitionHash;
use tallyproof_record::frame::MacKey;

/// Name and origin of the log.
pub const ORIGIN: &str = "example.org/fuzz";

/// The election that records and receipts name.
pub const ELECTION: DefinitionHash = DefinitionHash([0xE1; 32]);

const LOG_SEED: [u8; 32] = [7; 32];
const WITNESS: &str = "example.org/witness";
const WITNESS_SEED: [u8; 32] = [11; 32];
/// What the keys of all datagrams are derived from.
pub const MASTER: [u8; 32] = [9; 32];

/// The key that a station seals its records with; each has one of its own.
pub fn station(no: StationNo) -> SigningKey {
    let mut seed = [5; 32];
    seed[..4].copy_from_slice(&no.0.to_be_bytes());
    SigningKey::from_bytes(&seed)
}

/// The log's key, as receipts use it.
pub fn receipts() -> SigningKey {
    SigningKey::from_bytes(&LOG_SEED)
}

/// The log's key, as notes use it.
pub fn log() -> SignerKey {
    SignerKey::new(name(ORIGIN), &LOG_SEED)
}

/// The key of a witness of the log.
pub fn witness() -> CosignerKey {
    CosignerKey::ed25519(name(WITNESS), &WITNESS_SEED)
}

/// The key that a witness of this name has for ML-DSA-44.
pub fn ml_dsa_witness() -> CosignerKey {
    CosignerKey::ml_dsa_44(name(WITNESS), &WITNESS_SEED)
}

/// One of the names above.
fn name(name: &str) -> KeyName {
    name.parse().unwrap_or_else(|_| unreachable!("{name} is a key name"))
}

/// The key of a station's datagrams.
pub fn mac(epoch: u32, station: StationNo) -> MacKey {
    MacKey::derive(&MASTER, &ELECTION, epoch, station)
}
