//! One record of a stick to the centre, and its receipt back beside it.

use std::cmp::min;
use std::io::Write;
use std::path::Path;
use std::sync::OnceLock;
use std::thread::sleep;
use std::time::{Duration, Instant};
use std::{fs, io};

use ed25519_dalek::VerifyingKey;
use tallyproof_record::cose::{self, SealedRecord};
use tallyproof_record::definition::DefinitionHash;
use tallyproof_record::receipt::{self, Receipt};
use ureq::Agent;

use crate::files;
use crate::station::queue::RECEIPT;

/// A record is offered again for so long: a centre that is started anew is back sooner.
const PATIENCE: Duration = Duration::from_secs(6);
const FIRST_PAUSE: Duration = Duration::from_millis(50);
const LONGEST_PAUSE: Duration = Duration::from_secs(1);
/// Answers about the record itself: the same bytes will get them again.
const FINAL: [u16; 3] = [400, 403, 413];
/// A relay holds the record and has no receipt yet.
const HELD: u16 = 202;
const ANSWER_LIMIT: u64 = 4096;

/// What became of a record.
#[derive(Debug)]
pub(super) enum Fate {
    /// Its receipt came, and lies beside it.
    Receipted,
    /// Its receipt was there before.
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
    /// Signs receipts; without it, a receipt is believed if it names the record.
    pub(super) log: Option<VerifyingKey>,
    /// The election, if it is known from outside.
    pub(super) election: Option<DefinitionHash>,
    /// Set once the centre was out of reach for a record's whole patience: the rest is not tried.
    pub(super) gone: OnceLock<String>,
}

enum Answer {
    Receipt(Vec<u8>),
    Refused { code: String, reason: String },
}

/// Why the centre gave no answer.
enum NoAnswer {
    /// It was reached.
    Busy(String),
    OutOfReach(String),
}

impl Counter {
    /// Brings the record at `path` to the centre, and its receipt back.
    pub(super) fn carry(&self, path: &Path, agent: &Agent) -> Fate {
        let (bytes, expected, election) = match self.read(path) {
            Ok(record) => record,
            Err(fate) => return fate,
        };
        let beside = path.with_extension(RECEIPT);
        let found = files::read(&beside, receipt::LEN as u64);
        if found.is_ok_and(|found| self.believes(&found, &expected, &election)) {
            return Fate::Already;
        }
        match self.post_patiently(agent, &bytes) {
            Ok(Answer::Receipt(receipt)) if self.believes(&receipt, &expected, &election) => {
                write_receipt(&beside, &receipt).map_or_else(|error| unwritten(&error), |()| Fate::Receipted)
            }
            Ok(Answer::Receipt(_)) => Fate::Failed(
                "the answer is not this record's receipt, signed by the log's key; check --to, --log and --trust"
                    .to_owned(),
            ),
            Ok(Answer::Refused { code, reason }) => Fate::Refused { code, reason },
            Err(why) => Fate::Failed(why),
        }
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

    fn believes(&self, bytes: &[u8], expected: &Receipt, election: &DefinitionHash) -> bool {
        let receipt = match &self.log {
            Some(log) => Receipt::verify(bytes, election, log),
            None => Receipt::peek(bytes),
        };
        receipt.is_ok_and(|receipt| receipt == *expected)
    }

    fn post_patiently(&self, agent: &Agent, record: &[u8]) -> Result<Answer, String> {
        let start = Instant::now();
        let mut pause = FIRST_PAUSE;
        loop {
            if let Some(why) = self.gone.get() {
                return Err(why.clone());
            }
            let no_answer = match self.post(agent, record) {
                Ok(answer) => return Ok(answer),
                Err(no_answer) => no_answer,
            };
            if start.elapsed() >= PATIENCE {
                return Err(self.give_up(no_answer));
            }
            sleep(pause);
            pause = min(pause.saturating_mul(2), LONGEST_PAUSE);
        }
    }

    fn give_up(&self, no_answer: NoAnswer) -> String {
        match no_answer {
            NoAnswer::Busy(why) => format!("{why}; run the command again"),
            NoAnswer::OutOfReach(why) => {
                let why = format!(
                    "the centre is out of reach at {}: {why}; start it or correct --to, then run again",
                    self.url
                );
                self.gone.get_or_init(|| why).clone()
            }
        }
    }

    fn post(&self, agent: &Agent, record: &[u8]) -> Result<Answer, NoAnswer> {
        let out_of_reach = |error: ureq::Error| NoAnswer::OutOfReach(error.to_string());
        let mut response = agent.post(&self.url).content_type("application/cose").send(record).map_err(out_of_reach)?;
        let status = response.status();
        let body = response.body_mut().with_config().limit(ANSWER_LIMIT).read_to_vec().map_err(out_of_reach)?;
        if status.as_u16() == HELD {
            return Err(NoAnswer::Busy("a relay holds the record and has no receipt for it yet".to_owned()));
        }
        if status.is_success() {
            return Ok(Answer::Receipt(body));
        }
        let text = String::from_utf8_lossy(&body).trim().escape_debug().to_string();
        if !FINAL.contains(&status.as_u16()) {
            return Err(NoAnswer::Busy(format!("the centre answered {status}: {text}")));
        }
        let (code, reason) = text.split_once(": ").unwrap_or((status.as_str(), &text));
        Ok(Answer::Refused { code: code.to_owned(), reason: reason.to_owned() })
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
