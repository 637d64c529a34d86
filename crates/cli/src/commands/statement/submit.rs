//! `tallyproof statement submit`: a signed statement to the centre.

use std::fmt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context, ensure};
use ed25519_dalek::VerifyingKey;
use schemars::JsonSchema;
use serde::Serialize;
use tallyproof_centre::intake::digest;
use tallyproof_log::note::VerifierKey;
use tallyproof_record::definition::DefinitionHash;
use tallyproof_record::receipt::Receipt;
use tallyproof_record::statement::Signed;
use tallyproof_record::{ContestNo, StationNo};

use crate::centre::StatementAnswer;
use crate::commands::verify::read_trust;
use crate::files::{self, Access};
use crate::http::{self, Posted};
use crate::pack::ed25519;
use crate::statement::Paper;
use crate::statement::paper::receipt_beside;
use crate::station::address::statements_url;
use crate::{Exit, Printer, Report};

const CA_LIMIT: u64 = 1 << 20;
const TIMEOUT: Duration = Duration::from_secs(30);

/// Arguments of `tallyproof statement submit`.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Example:\n  tallyproof statement submit s17.statement --to https://centre.example --trust trust.toml\n\n\
    A copy with too few signatures is taken, and waits in the log for the others. What would have no effect is refused, with the code \
    of the rule (docs/spec/statement.md). Ends with 1 if the centre refused it."
)]
pub(super) struct Args {
    /// The signed statement
    #[arg(value_name = "FILE")]
    file: PathBuf,
    #[command(flatten)]
    delivery: Delivery,
}

/// Where a statement goes, and whose receipt is believed.
#[derive(Debug, clap::Args)]
pub(in crate::commands) struct Delivery {
    /// The centre: https://HOST, with a path if it is not /v1/statements
    #[arg(long, value_name = "URL")]
    to: String,
    /// The log's verifier key, which signs the receipt
    #[arg(long, value_name = "VKEY", conflicts_with = "trust")]
    log: Option<VerifierKey>,
    /// File with the definition hash and the log's key
    #[arg(long, value_name = "FILE")]
    trust: Option<PathBuf>,
    /// Certificates (PEM) to trust in place of the public authorities
    #[arg(long, value_name = "FILE")]
    ca: Option<PathBuf>,
}

/// Result of `tallyproof statement submit`.
#[derive(Debug, Serialize, JsonSchema)]
pub(in crate::commands) struct SubmitReport {
    /// What the statement is.
    kind: &'static str,
    /// Its identity.
    id: String,
    /// Whether the centre has it, by this copy or by others.
    pub(in crate::commands) taken: bool,
    /// Keys that have signed it, all copies together; null unless this copy was taken.
    signed: Option<u64>,
    /// How many more have to sign before it can have an effect; null unless this copy was taken.
    missing: Option<u64>,
    /// Receipt of this copy, beside it; null unless this copy was taken.
    receipt: Option<String>,
    /// Whether the receipt's signature was checked: it is not without --log or --trust.
    verified: bool,
    /// Code of the check or rule that refused it.
    code: Option<String>,
    /// In words.
    reason: Option<String>,
}

impl Report for SubmitReport {
    fn write_text(&self, out: &mut dyn fmt::Write) -> fmt::Result {
        writeln!(out, "{} {}", self.kind, self.id)?;
        match (self.missing, &self.receipt) {
            (Some(0), _) => writeln!(out, "taken; it has the signatures that it needs")?,
            (Some(missing), _) => writeln!(out, "taken; it waits for {missing} more to sign")?,
            (None, _) => {}
        }
        if let Some(receipt) = &self.receipt {
            let how = if self.verified { "" } else { " (its signature is not checked without --log or --trust)" };
            writeln!(out, "receipt in {receipt}{how}")?;
        }
        match (&self.code, &self.reason) {
            (Some(code), Some(reason)) => writeln!(out, "{code}: {reason}"),
            _ => Ok(()),
        }
    }
}

/// Whose receipts are believed.
struct Believed {
    log: Option<VerifyingKey>,
    election: Option<DefinitionHash>,
}

pub(super) fn run(args: &Args, printer: &mut Printer) -> anyhow::Result<Exit> {
    let signed = Paper::read_signed(&args.file)?;
    let report = args.delivery.hand_in(&signed, &args.file)?;
    printer.report(&report);
    Ok(Exit::from_holds(report.taken))
}

impl Delivery {
    /// Hands a statement to the centre; the receipt goes beside `file`, where the statement is.
    pub(in crate::commands) fn hand_in(&self, signed: &Signed, file: &Path) -> anyhow::Result<SubmitReport> {
        let url = statements_url(&self.to)?;
        let believed = Believed::of(self)?;
        believed.check_election(signed)?;
        let ca = self.ca.as_deref().map(|path| files::read(path, CA_LIMIT)).transpose()?;
        let agent = http::agent(TIMEOUT, ca.as_deref())?;
        let posted = http::post_statement(&agent, &url, &signed.to_bytes()).with_context(|| {
            format!("the centre at {url} could not take the statement; nothing is lost by handing it in again")
        })?;
        let mut report = SubmitReport {
            kind: signed.statement().kind().as_str(),
            id: hex::encode(signed.id()),
            taken: false,
            signed: None,
            missing: None,
            receipt: None,
            verified: false,
            code: None,
            reason: None,
        };
        match posted {
            Posted::Taken(answer) => {
                let receipt = believed.receipt(&answer, signed)?;
                let beside = receipt_beside(file);
                files::replace(&beside, &receipt, Access::Public).with_context(|| {
                    format!("the centre has the statement, but {} cannot be written", beside.display())
                })?;
                (report.taken, report.verified) = (true, believed.log.is_some());
                (report.signed, report.missing) = (Some(answer.signed), Some(answer.missing));
                report.receipt = Some(beside.display().to_string());
            }
            Posted::Refused { code, reason } => {
                report.taken = code == "known";
                (report.code, report.reason) = (Some(code), Some(reason));
            }
        }
        Ok(report)
    }
}

impl Believed {
    fn of(args: &Delivery) -> anyhow::Result<Self> {
        if let Some(path) = &args.trust {
            let trust = read_trust(path)?;
            return Ok(Self { log: Some(ed25519(&trust.log)?), election: Some(trust.definition) });
        }
        Ok(Self { log: args.log.as_ref().map(ed25519).transpose()?, election: None })
    }

    fn check_election(&self, signed: &Signed) -> anyhow::Result<()> {
        let stated = signed.statement().election;
        ensure!(
            self.election.is_none_or(|election| election == stated),
            "the statement is of another election than the trust file: {stated}"
        );
        Ok(())
    }

    /// The receipt of an answer, if it is the one of this copy.
    fn receipt(&self, answer: &StatementAnswer, signed: &Signed) -> anyhow::Result<Vec<u8>> {
        let bytes = hex::decode(&answer.receipt).context("the answer holds no receipt")?;
        let receipt = match &self.log {
            Some(log) => Receipt::verify(&bytes, &signed.statement().election, log),
            None => Receipt::peek(&bytes),
        };
        let digest = digest(&signed.to_bytes());
        let expected = Receipt { station: StationNo(0), contest: ContestNo(0), digest };
        ensure!(
            receipt.is_ok_and(|receipt| receipt == expected),
            "the answer is not this statement's receipt, signed by the log's key; check --to, --log and --trust"
        );
        Ok(bytes)
    }
}
