//! The electoral authority of a rehearsal: three members, of whom two sign.

use ed25519_dalek::SigningKey;
use tallyproof_record::definition::{Authority, Member};

use crate::keys::Seed;

/// How many members there are.
pub const MEMBERS: u8 = 3;
/// How many have to sign.
pub const SIGNERS: u8 = 2;

/// The authority for a definition.
pub fn of(seed: Seed) -> Option<Authority> {
    let member =
        |number| Member { name: format!("member-{number}"), key: seed.member_key(number).verifying_key().into() };
    Authority::new(SIGNERS, (1..=MEMBERS).map(member).collect())
}

/// Keys of as many members as have to sign.
pub fn signers(seed: Seed) -> impl Iterator<Item = SigningKey> {
    (1..=SIGNERS).map(move |number| seed.member_key(number))
}

impl Seed {
    /// A member's key. Numbers start at 1.
    fn member_key(self, number: u8) -> SigningKey {
        SigningKey::from_bytes(&self.derive("member key", u32::from(number)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_signers_are_enough_and_different() {
        let authority = of(Seed(1)).unwrap();
        let signers: Vec<_> =
            signers(Seed(1)).map(|key| tallyproof_record::definition::StationKey::from(key.verifying_key())).collect();
        assert_eq!((signers.len(), authority.threshold()), (2, 2));
        assert!(signers.iter().all(|key| authority.member(key.id()).is_some()));
        assert_ne!(signers[0].id(), signers[1].id());
    }
}
