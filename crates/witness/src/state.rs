//! What a witness must never forget: the last checkpoint that it cosigned, of which log and which election.

use std::{fmt, str::FromStr};

use tallyproof_log::note::{SignedNote, VerifierKey};
use tallyproof_record::definition::DefinitionHash;
use thiserror::Error;

const HEADER: &str = "tallyproof-witness v1";
const NOTHING: &str = "nothing cosigned yet\n";

/// A witness's state. Displays as, and parses from, the text of its file, of which there is one form:
///
/// ```text
/// tallyproof-witness v1
/// log <vkey>
/// definition <64 hex>
///
/// <the last checkpoint cosigned, with the log's signature and the witness's own; or the line 'nothing cosigned yet'>
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct State {
    /// The log's key, pinned when the witness was made.
    pub log: VerifierKey,
    /// The election, pinned with it.
    pub definition: DefinitionHash,
    /// The last checkpoint cosigned; nothing before the first.
    pub cosigned: Option<SignedNote>,
}

/// The text is not a witness's state.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[error(
    "not a witness's state as it was written: the file was damaged or edited. Restore the file itself from the disk's own \
     protection, never an older one: a witness that forgets what it cosigned last can be made to contradict itself"
)]
pub struct StateError;

impl FromStr for State {
    type Err = StateError;

    fn from_str(text: &str) -> Result<Self, StateError> {
        let read = || {
            let (head, note) = text.split_once("\n\n")?;
            let mut lines = head.split('\n');
            let header = lines.next()? == HEADER;
            let log = lines.next()?.strip_prefix("log ")?.parse().ok()?;
            let definition = lines.next()?.strip_prefix("definition ")?.parse().ok()?;
            let cosigned = match note {
                NOTHING => None,
                note => Some(SignedNote::parse(note.as_bytes()).ok()?),
            };
            header.then_some(Self { log, definition, cosigned })
        };
        read().filter(|state| state.to_string() == text).ok_or(StateError)
    }
}

impl fmt::Display for State {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{HEADER}\nlog {}\ndefinition {}\n", self.log, self.definition)?;
        match &self.cosigned {
            Some(note) => write!(f, "{note}"),
            None => f.write_str(NOTHING),
        }
    }
}
