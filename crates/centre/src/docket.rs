//! The statements that the journal holds: who has signed them, and which keys they brought.
//!
//! It only ever grows, and in the journal's order. So whatever was admitted by it finds at least as much when the journal is replayed.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use tallyproof_count::{JudgedRecord, JudgedStatement, SignedBy};
use tallyproof_record::{
    StationNo,
    cose::KeyId,
    definition::{Committed, StationKey},
    statement::{Act, Holder, KeyChange, Kind, Signed, StatementId},
};

/// What is known of the statements in the journal.
#[derive(Debug, Default)]
pub(crate) struct Docket {
    statements: BTreeMap<StatementId, Standing>,
    /// Which statement a copy is of, by its SHA-256.
    copies: HashMap<[u8; 32], StatementId>,
    /// Keys that enough members of the authority have enrolled, whether or not the log gave that its effect, and whether or not
    /// they were revoked: a record signed with one is the log's to judge. Two keys of one id are no more than a nuisance.
    stations: BTreeMap<(StationNo, KeyId), Vec<StationKey>>,
    agents: BTreeMap<KeyId, Vec<StationKey>>,
}

/// How far a statement has come.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Standing {
    /// Which.
    pub id: StatementId,
    /// What it does.
    pub kind: Kind,
    /// Keys whose signatures all its copies bear together.
    pub signed: BTreeSet<KeyId>,
    /// How many more have to sign before it can have an effect.
    pub missing: usize,
}

impl Docket {
    /// Whether a key was enrolled with which the record's station signed it. The register's own key is not looked at.
    pub(crate) fn vouches_for(&self, record: &JudgedRecord) -> bool {
        let SignedBy::Other(open) = &record.signer else { return false };
        let keys = self.stations.get(&(record.tally.station, open.key_id)).into_iter().flatten();
        keys.into_iter().any(|key| open.verify(key.verifying()).is_ok())
    }

    /// Keys under whose ids a statement bears signatures and whose signatures would count, checked or not.
    pub(crate) fn claimed(&self, definition: &Committed, signed: &Signed) -> BTreeSet<KeyId> {
        let election = definition.election();
        let counts = |key: &KeyId| match &signed.statement().act {
            Act::Endorsement(it) => {
                let registered = election.station(it.station).and_then(|station| station.key.as_ref());
                registered.is_some_and(|registered| registered.id() == *key)
                    || election.agents().iter().any(|agent| agent.key.id() == *key)
                    || self.agents.contains_key(key)
                    || self.stations.contains_key(&(it.station, *key))
            }
            _ => election.authority().is_some_and(|authority| authority.member(*key).is_some()),
        };
        signed.key_ids().filter(counts).collect()
    }

    /// Keys whose signatures on the statement hold and count for its kind. Unlike the ledger, it does not ask whether a key was
    /// revoked: that depends on the place in the log, which is not known yet.
    pub(crate) fn signers(&self, judged: &JudgedStatement) -> BTreeSet<KeyId> {
        let mut signers: BTreeSet<_> = judged.signers.iter().map(|(key, _)| *key).collect();
        if let Act::Endorsement(it) = &judged.signed.statement().act {
            let late = |key: &KeyId| self.agents.get(key).into_iter().chain(self.stations.get(&(it.station, *key)));
            let holds = |key: &KeyId| late(key).flatten().any(|key| judged.signed.check(key) == Some(Ok(())));
            signers.extend(judged.signed.key_ids().filter(holds));
        }
        signers
    }

    /// Whether one of these keys has not signed a copy in the journal yet.
    pub(crate) fn lacks_one_of(&self, id: &StatementId, keys: &BTreeSet<KeyId>) -> bool {
        self.statements.get(id).is_none_or(|standing| !keys.is_subset(&standing.signed))
    }

    /// A copy of it is in the journal.
    pub(crate) fn note(&mut self, definition: &Committed, judged: &JudgedStatement, signers: &BTreeSet<KeyId>) {
        let statement = judged.signed.statement();
        let kind = statement.kind();
        let new = || Standing { id: judged.id, kind, signed: BTreeSet::new(), missing: usize::MAX };
        let standing = self.statements.entry(judged.id).or_insert_with(new);
        standing.signed.extend(signers);
        let needed = match kind {
            Kind::Endorsement => Some(1),
            _ => definition.election().authority().map(|authority| usize::from(authority.threshold())),
        };
        standing.missing = needed.map_or(usize::MAX, |needed| needed.saturating_sub(standing.signed.len()));
        let enough = standing.missing == 0;
        self.copies.insert(judged.copy, judged.id);
        if let (true, Act::Key(KeyChange::Enrol { holder, key })) = (enough, &statement.act) {
            self.enrol(holder, key);
        }
    }

    /// The statement of a copy in the journal.
    pub(crate) fn standing(&self, copy: &[u8; 32]) -> Option<&Standing> {
        self.statements.get(self.copies.get(copy)?)
    }

    fn enrol(&mut self, holder: &Holder, key: &StationKey) {
        let keys = match holder {
            Holder::Station(station) => self.stations.entry((*station, key.id())).or_default(),
            Holder::Agent(_) => self.agents.entry(key.id()).or_default(),
        };
        if !keys.contains(key) {
            keys.push(key.clone());
        }
    }
}
