//! Fixed keys, so that the seeds hold authentic bytes and the fuzzer gets past the first check. They sign nothing else.

use ed25519_dalek::SigningKey;
use tallyproof_log::note::{KeyName, SignerKey};
use tallyproof_record::StationNo;
use tallyproof_record::definition::DefinitionHash;
use tallyproof_record::frame::MacKey;

/// Name and origin of the log.
pub const ORIGIN: &str = "example.org/fuzz";

/// The election that records and receipts name.
pub const ELECTION: DefinitionHash = DefinitionHash([0xE1; 32]);

const LOG_SEED: [u8; 32] = [7; 32];
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
    // `parse` takes the constant above, so the other branch is never reached.
    let name = ORIGIN.parse::<KeyName>();
    name.map_or_else(|_| unreachable!("{ORIGIN} is a key name"), |name| SignerKey::new(name, &LOG_SEED))
}

/// The key of a station's datagrams.
pub fn mac(epoch: u32, station: StationNo) -> MacKey {
    MacKey::derive(&MASTER, &ELECTION, epoch, station)
}
