//! What one entry is worth on its own: the expensive part of counting, and the one that runs in parallel.

use sha2::{Digest, Sha256};
use tallyproof_record::{
    OpenRecord, Tally,
    cose::{self, RecordDigest},
    definition::{Committed, StationKey},
    entry::Entry,
    rules::{self, Finding, RuleId, Severity},
};

use crate::check::Check;

/// An entry, judged without regard to any other.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Judged {
    /// A definition manifest; whether it is the one of this election.
    Definition {
        /// Byte for byte the manifest of the definition judged against.
        matches: bool,
    },
    /// A sealed record that can be in a log.
    Record(JudgedRecord),
    /// Bytes that no honest log holds; never counted.
    Invalid {
        /// Stable code of [`crate::check`].
        code: &'static str,
        /// What is wrong.
        what: String,
    },
}

/// A record with everything that can be said of it alone. Conflicts with other records are the ledger's business.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct JudgedRecord {
    /// SHA-256 of the sealed bytes.
    pub digest: RecordDigest,
    /// What it states.
    pub tally: Tally,
    /// The rules that it fails, including [`RuleId::WrongKey`].
    pub findings: Vec<Finding>,
}

impl JudgedRecord {
    /// The strongest severity among the findings.
    pub fn severity(&self) -> Option<Severity> {
        rules::worst(&self.findings)
    }
}

/// Judges a log entry: type byte and body.
pub fn judge(definition: &Committed, entry: &[u8]) -> Judged {
    match Entry::decode(entry) {
        Ok(Entry::Definition(body)) => {
            Judged::Definition { matches: body == definition.canonical().manifest.as_bytes() }
        }
        Ok(Entry::Record(sealed)) => judge_record(definition, sealed),
        Err(error) => invalid(Check::EntryType, error.to_string()),
    }
}

/// Judges a sealed record that is not in a log yet.
pub fn judge_record(definition: &Committed, sealed: &[u8]) -> Judged {
    let record = match cose::open(sealed) {
        Ok(record) => record,
        Err(error) => return invalid(Check::RecordForm, error.to_string()),
    };
    let mut findings = rules::check(definition, &record.tally);
    let station = definition.election().station(record.tally.station);
    match check_key(&record, station.and_then(|station| station.key.as_deref())) {
        Signature::Holds => {}
        Signature::OfOtherKey(detail) => findings.push(wrong_key(definition, detail)),
        Signature::Broken => {
            let station = record.tally.station;
            return invalid(
                Check::RecordSignature,
                format!("the signature does not hold for the key of station number {station}"),
            );
        }
    }
    Judged::Record(JudgedRecord { digest: Sha256::digest(sealed).into(), tally: record.tally, findings })
}

enum Signature {
    /// The station's key made it.
    Holds,
    /// Names a key that the register does not have for the station: whose it is cannot be checked, so the rules reject it.
    OfOtherKey(String),
    /// Names the station's key, which did not make the signature: an honest centre turns it away.
    Broken,
}

fn check_key(record: &OpenRecord, station: Option<&StationKey>) -> Signature {
    match station {
        None => Signature::OfOtherKey("the register has no usable key for the station".into()),
        Some(station) if station.id() != record.key_id => {
            let (found, expected) = (hex::encode(record.key_id.0), hex::encode(station.id().0));
            Signature::OfOtherKey(format!("the record names key {found}, the station's is {expected}"))
        }
        Some(station) if record.verify(station.verifying()).is_ok() => Signature::Holds,
        Some(_) => Signature::Broken,
    }
}

fn wrong_key(definition: &Committed, detail: String) -> Finding {
    let severity = definition.election().rules().severity(RuleId::WrongKey);
    Finding { rule: RuleId::WrongKey, severity, field: "key", detail }
}

fn invalid(check: Check, what: String) -> Judged {
    Judged::Invalid { code: check.code(), what }
}
