//! One record or statement of a stick to the centre, and its receipt back beside it.

use std::cmp::min;
use std::io::Write;
use std::path::Path;
use std::sync::OnceLock;
use std::thread::sleep;
use std::time::{Duration, Instant};
use std::{fs, io};

use anyhow::anyhow;
use ed25519_dalek::VerifyingKey;
use tallyproof_centre::intake::{digest, is_statement, receipt_of};
use tallyproof_record::cose::{self, SealedRecord};
use tallyproof_record::definition::DefinitionHash;
use tallyproof_record::receipt::{self, Receipt};
use tallyproof_record::statement::{MAX_LEN, Signed};
use ureq::Agent;

use crate::files;
use crate::http::{Answer, Posted, post_record, post_statement};
use crate::statement::paper::{is_named_statement, receipt_beside};
use crate::station::queue::RECEIPT;

/// A record is offered again for so long: a centre that is started anew is back sooner.
const PATIENCE: Duration = Duration::from_secs(6);
const FIRST_PAUSE: Duration = Duration::from_millis(50);
const LONGEST_PAUSE: Duration = Duration::from_secs(1);

/// What became of a record or statement.
#[derive(Debug)]
pub(super) enum Fate {
    /// Its receipt came, and lies beside it.
    Receipted,
    /// Its receipt was there before; or, of a statement, the centre has every signature by other copies.
    Already,
    /// No centre of this election takes these bytes, now or later.
    Refused {
        /// The check that refused it.
        code: String,
        /// In words.
        reason: String,
    },
    /// Worth another run.
    Failed(String),
}

/// Where records are taken, and whose receipts are believed.
#[derive(Debug)]
pub(super) struct Counter {
    pub(super) url: String,
    /// As `url`, for statements.
    pub(super) statements_url: String,
    /// Signs receipts; without it, a receipt is believed if it names the record.
    pub(super) log: Option<VerifyingKey>,
    /// The election, if it is known from outside.
    pub(super) election: Option<DefinitionHash>,
    /// Set once the centre was out of reach for a record's whole patience: the rest is not tried.
    pub(super) gone: OnceLock<String>,
}

impl Counter {
    /// Brings the record at `path` to the centre, and its receipt back.
    pub(super) fn carry(&self, path: &Path, agent: &Agent) -> Fate {
        let read = if is_named_statement(path) { self.read_statement(path) } else { self.read(path) };
        let (bytes, expected, election) = match read {
            Ok(sheet) => sheet,
            Err(fate) => return fate,
        };
        let beside = if is_named_statement(path) { receipt_beside(path) } else { path.with_extension(RECEIPT) };
        let found = files::read(&beside, receipt::LEN as u64);
        if found.is_ok_and(|found| self.believes(&found, &expected, &election)) {
            return Fate::Already;
        }
        let receipt = match self.post_patiently(agent, &bytes) {
            Ok(receipt) => receipt,
            Err(fate) => return fate,
        };
        if !self.believes(&receipt, &expected, &election) {
            let why = "the answer is not this record's receipt, signed by the log's key; check --to, --log and --trust";
            return Fate::Failed(why.to_owned());
        }
        write_receipt(&beside, &receipt).map_or_else(|error| unwritten(&error), |()| Fate::Receipted)
    }

    /// The record's bytes, the receipt that it should have, and its election.
    fn read(&self, path: &Path) -> Result<(Vec<u8>, Receipt, DefinitionHash), Fate> {
        let refused = |code: &str, reason: String| Fate::Refused { code: code.to_owned(), reason };
        let length = fs::symlink_metadata(path).map_err(|error| Fate::Failed(format!("cannot be read: {error}")))?;
        if length.len() > cose::MAX_LEN as u64 {
            return Err(refused("too-long", format!("larger than any sealed record ({} bytes)", cose::MAX_LEN)));
        }
        let bytes = files::read(path, cose::MAX_LEN as u64)
            .map_err(|error| Fate::Failed(format!("cannot be read: {error:#}")))?;
        let damaged = |error| {
            refused("structure", format!("not a sealed record: {error}; ask the station for it again, it keeps a copy"))
        };
        let tally = cose::open(&bytes).map_err(damaged)?.tally;
        let digest = SealedRecord::from_bytes(bytes.clone()).map_err(damaged)?.digest();
        if self.election.is_some_and(|election| election != tally.election) {
            return Err(refused("election", format!("a record of another election: {}", tally.election)));
        }
        Ok((bytes, Receipt { station: tally.station, contest: tally.contest, digest }, tally.election))
    }

    /// As [`Counter::read`], for a statement.
    fn read_statement(&self, path: &Path) -> Result<(Vec<u8>, Receipt, DefinitionHash), Fate> {
        let refused = |code: &str, reason: String| Fate::Refused { code: code.to_owned(), reason };
        let length = fs::symlink_metadata(path).map_err(|error| Fate::Failed(format!("cannot be read: {error}")))?;
        if length.len() > MAX_LEN as u64 {
            return Err(refused("too-long", format!("larger than any statement ({MAX_LEN} bytes)")));
        }
        let bytes =
            files::read(path, MAX_LEN as u64).map_err(|error| Fate::Failed(format!("cannot be read: {error:#}")))?;
        let signed = Signed::open(&bytes).map_err(|error| refused("structure", error.to_string()))?;
        let election = signed.statement().election;
        if self.election.is_some_and(|meant| meant != election) {
            return Err(refused("election", format!("a statement of another election: {election}")));
        }
        let receipt = receipt_of(&bytes, &digest(&bytes));
        let receipt = receipt.ok_or_else(|| refused("structure", "not a signed statement".to_owned()))?;
        Ok((bytes, receipt, election))
    }

    fn post(&self, agent: &Agent, bytes: &[u8]) -> anyhow::Result<Answer> {
        if !is_statement(bytes) {
            return post_record(agent, &self.url, bytes);
        }
        Ok(match post_statement(agent, &self.statements_url, bytes)? {
            Posted::Taken(answer) => Answer::Receipt(hex::decode(&answer.receipt)?),
            Posted::Refused { code, reason } => Answer::Refused { status: 0, reason: format!("{code}: {reason}") },
        })
    }

    fn believes(&self, bytes: &[u8], expected: &Receipt, election: &DefinitionHash) -> bool {
        let receipt = match &self.log {
            Some(log) => Receipt::verify(bytes, election, log),
            None => Receipt::peek(bytes),
        };
        receipt.is_ok_and(|receipt| receipt == *expected)
    }

    /// The answer that should be the record's receipt.
    fn post_patiently(&self, agent: &Agent, record: &[u8]) -> Result<Vec<u8>, Fate> {
        let start = Instant::now();
        let mut pause = FIRST_PAUSE;
        loop {
            if let Some(why) = self.gone.get() {
                return Err(Fate::Failed(why.clone()));
            }
            let why = match self.post(agent, record) {
                Ok(Answer::Receipt(receipt)) => return Ok(receipt),
                Ok(Answer::Refused { status, reason }) => return Err(refused(status, reason)),
                Ok(Answer::Held) => anyhow!("a relay holds the record and has no receipt for it yet"),
                Err(why) => why,
            };
            if start.elapsed() >= PATIENCE {
                return Err(Fate::Failed(self.give_up(&why)));
            }
            sleep(pause);
            pause = min(pause.saturating_mul(2), LONGEST_PAUSE);
        }
    }

    fn give_up(&self, why: &anyhow::Error) -> String {
        if !why.is::<ureq::Error>() {
            return format!("{why}; run the command again");
        }
        let why =
            format!("the centre is out of reach at {}: {why}; start it or correct --to, then run again", self.url);
        self.gone.get_or_init(|| why).clone()
    }
}

fn refused(status: u16, reason: String) -> Fate {
    match reason.split_once(": ") {
        Some(("known", _)) => Fate::Already,
        Some((code, reason)) => Fate::Refused { code: code.to_owned(), reason: reason.to_owned() },
        None => Fate::Refused { code: status.to_string(), reason },
    }
}

fn unwritten(error: &io::Error) -> Fate {
    Fate::Failed(format!(
        "the centre has the record, but its receipt could not be written: {error}; make room, or the stick writable, and run again"
    ))
}

/// The receipt is whole or not there. The name that it has before is a random one, and made anew: on a foreign stick any name
/// that could be foreseen might be a link to a file of this machine.
fn write_receipt(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let folder = path.parent().ok_or(io::ErrorKind::InvalidInput)?;
    let mut builder = tempfile::Builder::new();
    builder.prefix(".receipt-").suffix(".tmp");
    #[cfg(unix)]
    builder.permissions(std::os::unix::fs::PermissionsExt::from_mode(0o644));
    let mut file = builder.tempfile_in(folder)?;
    file.write_all(bytes)?;
    file.persist(path)?;
    Ok(())
}
