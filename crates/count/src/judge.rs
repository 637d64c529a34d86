//! What one entry is worth on its own: the expensive part of counting, and the one that runs in parallel.

use std::sync::{Arc, OnceLock};

use ed25519_dalek::VerifyingKey;
use sha2::{Digest, Sha256};
use tallyproof_record::{
    OpenRecord, StationNo, Tally,
    cose::{self, KeyId, RecordDigest},
    definition::Committed,
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

/// Judges entries against one definition; shared by all threads. Each station's key is prepared at its first record.
#[derive(Debug)]
pub struct Judge {
    definition: Arc<Committed>,
    keys: Vec<OnceLock<Option<Box<StationKey>>>>,
}

#[derive(Clone, Debug)]
struct StationKey {
    id: KeyId,
    key: VerifyingKey,
}

impl StationKey {
    /// The key in the register; `None` if there is none, or if it is no point of the curve.
    fn of(definition: &Committed, station: StationNo) -> Option<Self> {
        let bytes = definition.election().station(station)?.key?;
        let key = VerifyingKey::from_bytes(&bytes).ok()?;
        Some(Self { id: KeyId::of(&bytes), key })
    }
}

impl Judge {
    /// A judge for this definition.
    pub fn new(definition: Arc<Committed>) -> Self {
        let keys = definition.election().stations().iter().map(|_| OnceLock::new()).collect();
        Self { definition, keys }
    }

    /// The definition judged against.
    pub fn definition(&self) -> &Arc<Committed> {
        &self.definition
    }

    /// Judges a log entry: type byte and body.
    pub fn judge(&self, entry: &[u8]) -> Judged {
        judge_entry(&self.definition, entry, |station| self.key(station))
    }

    /// Judges a sealed record that is not in a log yet.
    pub fn judge_record(&self, sealed: &[u8]) -> Judged {
        judge_record(&self.definition, sealed, |station| self.key(station))
    }

    fn key(&self, station: StationNo) -> Option<&StationKey> {
        let prepare = || StationKey::of(&self.definition, station).map(Box::new);
        self.keys.get(station.index())?.get_or_init(prepare).as_deref()
    }
}

/// Judges one entry. For many entries keep a [`Judge`], which prepares each key once.
pub fn judge(definition: &Committed, entry: &[u8]) -> Judged {
    let once = OnceLock::new();
    judge_entry(definition, entry, |station| once.get_or_init(|| StationKey::of(definition, station)).as_ref())
}

fn judge_entry<'k>(
    definition: &Committed,
    entry: &[u8],
    key: impl FnOnce(StationNo) -> Option<&'k StationKey>,
) -> Judged {
    match Entry::decode(entry) {
        Ok(Entry::Definition(body)) => {
            Judged::Definition { matches: body == definition.canonical().manifest.as_bytes() }
        }
        Ok(Entry::Record(sealed)) => judge_record(definition, sealed, key),
        Err(error) => invalid(Check::EntryType, error.to_string()),
    }
}

fn judge_record<'k>(
    definition: &Committed,
    sealed: &[u8],
    key: impl FnOnce(StationNo) -> Option<&'k StationKey>,
) -> Judged {
    let record = match cose::open(sealed) {
        Ok(record) => record,
        Err(error) => return invalid(Check::RecordForm, error.to_string()),
    };
    let mut findings = rules::check(definition, &record.tally);
    match check_key(&record, key(record.tally.station)) {
        Signed::ByStation => {}
        Signed::ByOther(detail) => findings.push(wrong_key(definition, detail)),
        Signed::ByNobody => {
            let station = record.tally.station;
            return invalid(
                Check::RecordSignature,
                format!("the signature does not hold for the key of station number {station}"),
            );
        }
    }
    Judged::Record(JudgedRecord { digest: Sha256::digest(sealed).into(), tally: record.tally, findings })
}

enum Signed {
    ByStation,
    /// Names a key that the register does not have for the station: whose it is cannot be checked, so the rules reject it.
    ByOther(String),
    /// Names the station's key, which did not make the signature: an honest centre turns it away.
    ByNobody,
}

fn check_key(record: &OpenRecord, station: Option<&StationKey>) -> Signed {
    match station {
        None => Signed::ByOther("the register has no usable key for the station".into()),
        Some(station) if station.id != record.key_id => {
            let (found, expected) = (hex::encode(record.key_id.0), hex::encode(station.id.0));
            Signed::ByOther(format!("the record names key {found}, the station's is {expected}"))
        }
        Some(station) if record.verify(&station.key).is_ok() => Signed::ByStation,
        Some(_) => Signed::ByNobody,
    }
}

fn wrong_key(definition: &Committed, detail: String) -> Finding {
    let severity = definition.election().rules().severity(RuleId::WrongKey);
    Finding { rule: RuleId::WrongKey, severity, field: "key", detail }
}

fn invalid(check: Check, what: String) -> Judged {
    Judged::Invalid { code: check.code(), what }
}
