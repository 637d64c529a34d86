//! Who has signed a statement, and what is missing.

use std::collections::BTreeSet;

use anyhow::{Context, bail};
use schemars::JsonSchema;
use serde::Serialize;
use tallyproof_count::statements::Fault;
use tallyproof_count::{Judged, Keyring, Ledger, Signer, judge_statement};
use tallyproof_record::cose::KeyId;
use tallyproof_record::definition::Committed;
use tallyproof_record::statement::{Kind, Signed};

/// One who signed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct SignerRow {
    /// `member`, `agent` or `station`.
    pub role: &'static str,
    /// Name or id in the definition, or in the log.
    pub id: String,
}

/// The signatures of a statement, by the keys of the definition, and of the log where that is known.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct Signatures {
    /// Whose signatures on this copy hold and count for what is stated.
    pub signers: Vec<SignerRow>,
    /// Signatures of nobody who counts, by key id.
    pub others: Vec<String>,
    /// How many have to sign.
    pub needed: u64,
    /// How many of them are missing, those counted in who signed copies in the log.
    pub missing: u64,
    /// Codes of rules that the figures of a correction fail; they keep nothing from counting.
    pub findings: Vec<String>,
    /// The rule that would keep the statement from having an effect now; null if none does, or without a bundle.
    pub fault: Option<FaultRow>,
}

/// A rule of statements.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct FaultRow {
    /// The rule's code.
    pub code: &'static str,
    /// What it asks.
    pub text: &'static str,
}

impl From<Fault> for FaultRow {
    fn from(fault: Fault) -> Self {
        Self { code: fault.code(), text: fault.text() }
    }
}

impl Signatures {
    /// Checks every signature. `ledger` knows the keys that the log brought, and the copies in it.
    pub fn of(election: &Committed, signed: &Signed, ledger: Option<&Ledger>) -> anyhow::Result<Self> {
        let judged = match judge_statement(election, &signed.to_bytes()) {
            Judged::Statement(judged) => judged,
            Judged::Invalid { code, what } => bail!("{code}: {what}"),
            _ => bail!("this is not a statement"),
        };
        let definition = Keyring::default();
        let keys = ledger.map_or(&definition, Ledger::keyring);
        let own = keys.signers(&judged);
        let logged = ledger.and_then(|ledger| ledger.signers(&judged.id)).into_iter().flatten();
        let all = own.iter().chain(logged).collect::<BTreeSet<_>>().len();
        let needed = needed(election, signed.statement().kind())?;
        let row = |signer: &Signer| SignerRow { role: signer.role(), id: signer.id(election.election()).to_owned() };
        Ok(Self {
            signers: own.iter().map(row).collect(),
            others: strangers(election, keys, signed),
            needed: needed as u64,
            missing: needed.saturating_sub(all) as u64,
            findings: judged.findings.iter().map(|finding| finding.rule.code().to_owned()).collect(),
            fault: ledger.and_then(|ledger| ledger.foresee(&judged).err()).map(FaultRow::from),
        })
    }

    /// Lines for people.
    pub fn text(&self) -> String {
        let mut lines: Vec<_> = self.signers.iter().map(|it| format!("signed by    {} {}", it.role, it.id)).collect();
        lines.extend(self.others.iter().map(|key| format!("not counted  a signature under key id {key}")));
        if !self.findings.is_empty() {
            lines.push(format!("rules        the figures fail {}", self.findings.join(", ")));
        }
        lines.push(match self.missing {
            0 => "missing      nobody's signature".to_owned(),
            more => format!("missing      {more} of the {} signatures that it needs", self.needed),
        });
        lines.extend(self.fault.iter().map(|fault| format!("no effect    {}: {}", fault.code, fault.text)));
        lines.push(String::new());
        lines.join("\n")
    }
}

/// How many have to sign a statement of this kind.
pub fn needed(election: &Committed, kind: Kind) -> anyhow::Result<usize> {
    if kind == Kind::Endorsement {
        return Ok(1);
    }
    let authority = election.election().authority();
    let authority = authority.context("the definition names no authority, so nobody can make this statement")?;
    Ok(usize::from(authority.threshold()))
}

/// Ids of keys whose signatures, each alone, are nobody's who counts.
fn strangers(election: &Committed, keys: &Keyring, signed: &Signed) -> Vec<String> {
    let counts = |key: KeyId| {
        let alone = signed.clone().retain(|other| other == key);
        let judged = alone.map(|alone| judge_statement(election, &alone.to_bytes()));
        matches!(judged, Some(Judged::Statement(judged)) if !keys.signers(&judged).is_empty())
    };
    signed.key_ids().filter(|&key| !counts(key)).map(|key| hex::encode(key.0)).collect()
}
