//! Who may speak beside the stations: the authority's members, M of whom sign together, and the agents.

use super::StationKey;
use crate::cose::KeyId;

/// The electoral authority: whatever it states takes effect once `threshold` of its members have signed it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Authority {
    threshold: u8,
    members: Vec<Member>,
}

/// One of the people, or offices, that sign for the authority.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Member {
    /// Unique in the authority; an id without upper-case letters.
    pub name: String,
    /// The key that the member signs with.
    pub key: StationKey,
}

/// A party's agent, an observer or an officer, who may endorse records.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Agent {
    /// Stable id.
    pub id: String,
    /// Display name.
    pub name: String,
    /// The key that the agent signs with.
    pub key: StationKey,
}

impl Authority {
    /// Most members that an authority can have.
    pub const MAX_MEMBERS: usize = 64;

    /// `threshold` of `members`; `None` unless 1 ≤ `threshold` ≤ members ≤ [`Authority::MAX_MEMBERS`].
    pub fn new(threshold: u8, members: Vec<Member>) -> Option<Self> {
        let possible = 1..=members.len().min(Self::MAX_MEMBERS);
        (members.len() <= Self::MAX_MEMBERS && possible.contains(&usize::from(threshold)))
            .then_some(Self { threshold, members })
    }

    /// How many members have to sign.
    pub fn threshold(&self) -> u8 {
        self.threshold
    }

    /// The members, in definition order.
    pub fn members(&self) -> &[Member] {
        &self.members
    }

    /// The member with this key.
    pub fn member(&self, key: KeyId) -> Option<&Member> {
        self.members.iter().find(|member| member.key.id() == key)
    }
}
