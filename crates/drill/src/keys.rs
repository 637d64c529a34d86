//! Keys that follow from a drill's seed. They are public knowledge: good for rehearsals only.

use ed25519_dalek::SigningKey;
use sha2::{Digest, Sha256};
use tallyproof_record::StationNo;

/// The seed of a drill: the same seed and package give the same records, log and totals.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Seed(pub u64);

impl Seed {
    /// 32 bytes for one purpose and one number.
    pub fn derive(self, purpose: &str, number: u32) -> [u8; 32] {
        Sha256::new()
            .chain_update(b"tallyproof/drill/v1\0")
            .chain_update(self.0.to_be_bytes())
            .chain_update(purpose.as_bytes())
            .chain_update([0])
            .chain_update(number.to_be_bytes())
            .finalize()
            .into()
    }

    /// A station's signing key.
    pub fn station_key(self, station: StationNo) -> SigningKey {
        SigningKey::from_bytes(&self.derive("station key", station.0))
    }

    /// The seed of the log's signing key.
    pub fn log_key(self) -> [u8; 32] {
        self.derive("log key", 0)
    }

    /// The master secret from which the stations' MAC keys derive.
    pub fn mac_master(self) -> [u8; 32] {
        self.derive("mac master", 0)
    }
}
