//! What one entry is worth on its own: the expensive part of counting, and the one that runs in parallel.

use sha2::{Digest, Sha256};
use tallyproof_record::{
    Election, OpenRecord, StationNo, Tally,
    cose::{self, KeyId, RecordDigest},
    definition::{Committed, StationKey},
    entry::{Entry, Place, StatementPlace},
    rules::{self, Family, Finding, RuleId, Severity},
    statement::{Act, Correction, Holder, Kind, Signed, Statement, StatementId, Verdict},
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
    /// A statement that can be in a log.
    Statement(Box<JudgedStatement>),
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
    /// The rules that it fails, including [`RuleId::WrongKey`] where the register does not have the key.
    pub findings: Vec<Finding>,
    /// By which key.
    pub signer: SignedBy,
}

/// The key that signed a record.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SignedBy {
    /// The one that the register gives; the signature holds.
    Register,
    /// Another one. The ledger knows whether the station has it by then, and checks the signature.
    Other(Box<OpenRecord>),
    /// One that was enrolled for the station; the signature holds. Whether it is still in force, the ledger knows.
    Enrolled(KeyId),
}

/// A statement with everything that can be said of it alone. Who has signed enough, and what it does, is the ledger's business.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct JudgedStatement {
    /// The statement.
    pub signed: Signed,
    /// Its identity.
    pub id: StatementId,
    /// SHA-256 of its bytes.
    pub copy: [u8; 32],
    /// Keys of the definition whose signatures hold and count for this kind of statement, with whose they are.
    pub signers: Vec<(KeyId, Signer)>,
    /// The rules that a correction's figures fail. They are listed; the authority has decided.
    pub findings: Vec<Finding>,
}

/// Who signs statements.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Signer {
    /// A member of the authority, by name.
    Member(String),
    /// An agent, by id.
    Agent(String),
    /// A station.
    Station(StationNo),
}

impl Signer {
    /// What the signer is, as files say it.
    pub fn role(&self) -> &'static str {
        match self {
            Self::Member(_) => "member",
            Self::Agent(_) => "agent",
            Self::Station(_) => "station",
        }
    }

    /// The signer's id; a station that is not in the register has none.
    pub fn id<'a>(&'a self, election: &'a Election) -> &'a str {
        match self {
            Self::Member(id) | Self::Agent(id) => id,
            Self::Station(no) => election.station(*no).map_or("", |station| &station.id),
        }
    }
}

impl From<Holder> for Signer {
    fn from(holder: Holder) -> Self {
        match holder {
            Holder::Station(no) => Self::Station(no),
            Holder::Agent(id) => Self::Agent(id),
        }
    }
}

impl JudgedStatement {
    /// Its place among the entries between two checkpoints.
    pub fn place(&self) -> Place {
        let statement = self.signed.statement();
        Place::of_statement(
            statement.kind(),
            StatementPlace { made_at: statement.made_at, id: self.id, copy: self.copy },
        )
    }
}

impl JudgedRecord {
    /// The strongest severity among the findings.
    pub fn severity(&self) -> Option<Severity> {
        rules::worst(&self.findings)
    }

    /// Its place among the entries between two checkpoints.
    pub fn place(&self) -> Place {
        Place::Record(self.tally.station, self.tally.contest, self.digest)
    }
}

/// Judges a log entry: type byte and body.
pub fn judge(definition: &Committed, entry: &[u8]) -> Judged {
    match Entry::decode(entry) {
        Ok(Entry::Definition(body)) => {
            Judged::Definition { matches: body == definition.canonical().manifest.as_bytes() }
        }
        Ok(Entry::Record(sealed)) => judge_record(definition, sealed),
        Ok(Entry::Statement(kind, bytes)) => judge_kind(definition, kind, bytes),
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
    let signer = match check_key(&record, station.and_then(|station| station.key.as_deref())) {
        Signature::Holds => SignedBy::Register,
        Signature::OfOtherKey(detail) => {
            findings.push(wrong_key(definition, detail));
            SignedBy::Other(Box::new(record.clone()))
        }
        Signature::Broken => {
            let station = record.tally.station;
            return invalid(
                Check::RecordSignature,
                format!("the signature does not hold for the key of station number {station}"),
            );
        }
    };
    Judged::Record(JudgedRecord { digest: Sha256::digest(sealed).into(), tally: record.tally, findings, signer })
}

/// Judges a statement that is not in a log yet.
pub fn judge_statement(definition: &Committed, bytes: &[u8]) -> Judged {
    let signed = match Signed::open(bytes) {
        Ok(signed) => signed,
        Err(error) => return invalid(Check::StatementForm, error.to_string()),
    };
    let mut signers = Vec::new();
    for (key, signer) in who_may_sign(definition.election(), &signed) {
        match signed.check(key) {
            None => {}
            Some(Ok(())) => signers.push((key.id(), signer)),
            Some(Err(_)) => {
                let what = format!("the signature under key {} does not hold", hex::encode(key.id().0));
                return invalid(Check::StatementSignature, what);
            }
        }
    }
    let findings = figures_of(signed.statement()).map_or_else(Vec::new, |tally| findings_of(definition, &tally));
    let (id, copy) = (signed.id(), Sha256::digest(bytes).into());
    Judged::Statement(Box::new(JudgedStatement { signed, id, copy, signers, findings }))
}

fn judge_kind(definition: &Committed, kind: Kind, bytes: &[u8]) -> Judged {
    match judge_statement(definition, bytes) {
        Judged::Statement(judged) if judged.signed.statement().kind() != kind => {
            let (announced, found) = (kind.as_str(), judged.signed.statement().kind().as_str());
            invalid(
                Check::StatementForm,
                format!("the entry's type announces a {announced}, the statement is a {found}"),
            )
        }
        judged => judged,
    }
}

/// The keys of the definition that count for this kind of statement and have signed it, as the key ids say.
fn who_may_sign<'e>(election: &'e Election, signed: &Signed) -> Vec<(&'e StationKey, Signer)> {
    let Act::Endorsement(endorsement) = &signed.statement().act else {
        let authority = election.authority();
        let members = signed.key_ids().filter_map(|key| authority?.member(key));
        return members.map(|member| (&member.key, Signer::Member(member.name.clone()))).collect();
    };
    let agents = signed.key_ids().filter_map(|key| election.agents().iter().find(|agent| agent.key.id() == key));
    let station = election.station(endorsement.station).and_then(|station| station.key.as_deref());
    let station = station.map(|key| (key, Signer::Station(endorsement.station)));
    agents.map(|agent| (&agent.key, Signer::Agent(agent.id.clone()))).chain(station).collect()
}

/// A correction's figures as a tally of the count, for the rules.
fn figures_of(statement: &Statement) -> Option<Tally> {
    let Act::Correction(Correction { station, contest, verdict: Verdict::Figures(figures), .. }) = &statement.act
    else {
        return None;
    };
    let (election, phase, made_at) = (statement.election, statement.phase, statement.made_at);
    let mut tally = Tally::new(election, phase, *station, *contest, made_at, figures.counts.clone());
    figures.stated.iter().for_each(|(&figure, &value)| tally.set_figure(figure, Some(value)));
    Some(tally)
}

/// What the rules say of the figures themselves; who states them and when is not theirs to ask here.
fn findings_of(definition: &Committed, tally: &Tally) -> Vec<Finding> {
    let of_figures =
        |finding: &Finding| finding.rule.rule().family != Family::Identity || finding.rule == RuleId::FigureMissing;
    rules::check(definition, tally).into_iter().filter(of_figures).collect()
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

pub(crate) fn wrong_key(definition: &Committed, detail: String) -> Finding {
    let severity = definition.election().rules().severity(RuleId::WrongKey);
    Finding { rule: RuleId::WrongKey, severity, field: "key", detail }
}

fn invalid(check: Check, what: String) -> Judged {
    Judged::Invalid { code: check.code(), what }
}
