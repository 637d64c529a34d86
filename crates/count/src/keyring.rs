//! The keys that were enrolled and revoked in the log, on top of the definition's.

use std::{
    borrow::Cow,
    collections::{BTreeMap, BTreeSet},
};

use tallyproof_record::{
    Election, StationNo,
    cose::KeyId,
    definition::{Authority, Committed, StationKey},
    rules::RuleId,
    statement::{Act, Holder, KeyChange},
};

use crate::{
    judge::{JudgedRecord, JudgedStatement, SignedBy, Signer, wrong_key},
    statements::Fault,
};

/// Which keys are in force after a log prefix, where that differs from the definition.
#[derive(Clone, Debug, Default)]
pub struct Keyring {
    enrolled: BTreeMap<KeyId, Enrolled>,
    revoked: BTreeSet<(Holder, KeyId)>,
    /// Every key that anybody has or had; made when the first key is enrolled.
    taken: BTreeSet<KeyId>,
}

#[derive(Clone, Debug)]
struct Enrolled {
    holder: Holder,
    key: StationKey,
}

impl Keyring {
    /// Whether the definition's keys are those in force.
    pub fn is_empty(&self) -> bool {
        self.enrolled.is_empty() && self.revoked.is_empty()
    }

    /// A record as its key's standing makes it: [`RuleId::WrongKey`] among its findings if and only if its station does not have
    /// the key that signed it.
    pub fn settle<'r>(&self, definition: &Committed, record: &'r JudgedRecord) -> Cow<'r, JudgedRecord> {
        let station = record.tally.station;
        let enrolled = match &record.signer {
            SignedBy::Register if self.revoked.is_empty() => return Cow::Borrowed(record),
            SignedBy::Register => return self.settle_registered(definition, record),
            SignedBy::Other(open) => {
                self.of_station(station, open.key_id).filter(|key| open.verify(key.verifying()).is_ok())
            }
            SignedBy::Enrolled(key) => self.of_station(station, *key),
        };
        if enrolled.is_none() {
            return Cow::Borrowed(record);
        }
        let findings = record.findings.iter().filter(|finding| finding.rule != RuleId::WrongKey).cloned().collect();
        Cow::Owned(JudgedRecord { findings, ..record.clone() })
    }

    /// Checks the signature of a record whose key the register does not have against the keys in force now, so that
    /// [`Keyring::settle`] need not: this can run in parallel, ahead of the count.
    pub fn attest(&self, record: &mut JudgedRecord) {
        let SignedBy::Other(open) = &record.signer else { return };
        let key = self.of_station(record.tally.station, open.key_id);
        if let Some(key) = key.filter(|key| open.verify(key.verifying()).is_ok()) {
            record.signer = SignedBy::Enrolled(key.id());
        }
    }

    /// Whose signatures on a statement hold and count for its kind, by the keys in force.
    pub fn signers(&self, judged: &JudgedStatement) -> BTreeSet<Signer> {
        let known = judged.signers.iter().filter(|(key, signer)| !self.is_revoked(signer, *key));
        let mut signers: BTreeSet<_> = known.map(|(_, signer)| signer.clone()).collect();
        // Only who endorses can have a key from the log.
        if let Act::Endorsement(endorsement) = &judged.signed.statement().act {
            let enrolled = judged.signed.key_ids().filter_map(|key| self.enrolled.get(&key));
            let counting = enrolled.filter(|enrolled| match &enrolled.holder {
                Holder::Station(station) => *station == endorsement.station,
                Holder::Agent(_) => true,
            });
            let holds = counting
                .filter(|enrolled| self.in_force(enrolled) && judged.signed.check(&enrolled.key) == Some(Ok(())));
            signers.extend(holds.map(|enrolled| Signer::from(enrolled.holder.clone())));
        }
        signers
    }

    /// Whether a change can be made.
    pub(crate) fn check(&self, definition: &Committed, change: &KeyChange) -> Result<(), Fault> {
        let election = definition.election();
        let (KeyChange::Enrol { holder, .. } | KeyChange::Revoke { holder, .. }) = change;
        if matches!(holder, Holder::Station(station) if election.station(*station).is_none()) {
            return Err(Fault::UnknownSlot);
        }
        match change {
            KeyChange::Enrol { key, .. } => {
                // Making the list of all keys costs as much as looking once.
                let taken = if self.taken.is_empty() {
                    all_keys(election).any(|id| id == key.id())
                } else {
                    self.taken.contains(&key.id())
                };
                if taken { Err(Fault::KeyInUse) } else { Ok(()) }
            }
            KeyChange::Revoke { holder, key } => {
                let enrolled = self.enrolled.get(key).is_some_and(|enrolled| enrolled.holder == *holder);
                let known = enrolled || defined_key(election, holder).is_some_and(|defined| defined.id() == *key);
                let revoked = self.revoked.contains(&(holder.clone(), *key));
                if known && !revoked { Ok(()) } else { Err(Fault::UnknownKey) }
            }
        }
    }

    /// Makes a change that was checked.
    pub(crate) fn apply(&mut self, definition: &Committed, change: &KeyChange) {
        match change.clone() {
            KeyChange::Enrol { holder, key } => {
                if self.taken.is_empty() {
                    self.taken = all_keys(definition.election()).collect();
                }
                self.taken.insert(key.id());
                self.enrolled.insert(key.id(), Enrolled { holder, key });
            }
            KeyChange::Revoke { holder, key } => {
                self.revoked.insert((holder, key));
            }
        }
    }

    /// The key of this id that was enrolled for the station and is in force.
    fn of_station(&self, station: StationNo, key: KeyId) -> Option<&StationKey> {
        let enrolled = self.enrolled.get(&key).filter(|enrolled| enrolled.holder == Holder::Station(station));
        enrolled.filter(|enrolled| self.in_force(enrolled)).map(|enrolled| &enrolled.key)
    }

    fn in_force(&self, enrolled: &Enrolled) -> bool {
        self.revoked.is_empty() || !self.revoked.contains(&(enrolled.holder.clone(), enrolled.key.id()))
    }

    fn is_revoked(&self, signer: &Signer, key: KeyId) -> bool {
        let holder = match signer {
            _ if self.revoked.is_empty() => return false,
            Signer::Member(_) => return false,
            Signer::Agent(id) => Holder::Agent(id.clone()),
            Signer::Station(station) => Holder::Station(*station),
        };
        self.revoked.contains(&(holder, key))
    }

    fn settle_registered<'r>(&self, definition: &Committed, record: &'r JudgedRecord) -> Cow<'r, JudgedRecord> {
        let holder = Holder::Station(record.tally.station);
        let revoked =
            defined_key(definition.election(), &holder).filter(|key| self.revoked.contains(&(holder, key.id())));
        let Some(key) = revoked else { return Cow::Borrowed(record) };
        let mut settled = record.clone();
        settled.findings.push(wrong_key(definition, format!("key {} was revoked", hex::encode(key.id().0))));
        Cow::Owned(settled)
    }
}

/// The key that the definition gives.
fn defined_key<'e>(election: &'e Election, holder: &Holder) -> Option<&'e StationKey> {
    match holder {
        Holder::Station(station) => election.station(*station).and_then(|station| station.key.as_deref()),
        Holder::Agent(id) => election.agents().iter().find(|agent| agent.id == *id).map(|agent| &agent.key),
    }
}

fn all_keys(election: &Election) -> impl Iterator<Item = KeyId> {
    let members = election.authority().into_iter().flat_map(Authority::members).map(|member| &member.key);
    let agents = election.agents().iter().map(|agent| &agent.key);
    let stations = election.stations().iter().filter_map(|station| station.key.as_deref());
    members.chain(agents).chain(stations).map(StationKey::id)
}
