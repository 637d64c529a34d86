//! The witnesses of a rehearsal: five, of whom four are asked for. With k of N and f who lie, nobody can be shown another log if and
//! only if 2k − N > f: four of five stand two liars, and one who is offline.

use tallyproof_log::{
    cosignature::CosignerKey,
    note::{KeyName, KeyNameError},
};

use crate::keys::Seed;

/// How many there are.
pub const WITNESSES: u8 = 5;
/// How many have to cosign.
pub const QUORUM: u8 = 4;

/// A witness's name in the policy. Numbers start at 1.
pub fn name(number: u8) -> String {
    format!("witness-{number}")
}

/// The name of its key.
pub fn key_name(number: u8) -> Result<KeyName, KeyNameError> {
    format!("drill.tallyproof/{}", name(number)).parse()
}

/// The policy for a definition. Where the witnesses are reached is no part of it: the same seed gives the same definition.
pub fn policy_lines(seed: Seed) -> Result<Vec<String>, KeyNameError> {
    let witness = |number| Ok(format!("witness {} {}", name(number), seed.witness_key(number)?.verifier()));
    let members: Vec<String> = (1..=WITNESSES).map(name).collect();
    let group = format!("group witnesses {QUORUM} {}", members.join(" "));
    (1..=WITNESSES).map(witness).chain([Ok(group), Ok("quorum witnesses".to_owned())]).collect()
}

impl Seed {
    /// The secret seed of a witness's key.
    pub fn witness_seed(self, number: u8) -> [u8; 32] {
        self.derive("witness key", u32::from(number))
    }

    /// A witness's key.
    pub fn witness_key(self, number: u8) -> Result<CosignerKey, KeyNameError> {
        Ok(CosignerKey::ed25519(key_name(number)?, &self.witness_seed(number)))
    }
}

#[cfg(test)]
mod tests {
    use tallyproof_log::{note::SignerKey, policy::Policy};

    use super::{QUORUM, Seed, WITNESSES, name, policy_lines};

    #[test]
    fn the_policy_stands_two_liars_and_one_who_is_offline() {
        let log = SignerKey::new("log.example/1".parse().unwrap(), &[1; 32]);
        let text = format!("log {}\n{}\n", log.verifier(), policy_lines(Seed(1)).unwrap().join("\n"));
        let policy: Policy = text.parse().unwrap();
        const { assert!(2 * QUORUM - WITNESSES > 2 && WITNESSES - QUORUM == 1) };
        let names: Vec<String> = (1..=QUORUM).map(name).collect();
        let names: Vec<&str> = names.iter().map(String::as_str).collect();
        assert!(policy.satisfied_by(&names) && !policy.satisfied_by(&names[1..]));
    }
}
