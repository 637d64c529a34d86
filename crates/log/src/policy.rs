//! Trust policies: which logs a reader believes, and how many witnesses it asks for (C2SP tlog-policy).
//!
//! Only policies without witnesses are supported so far; any other is refused, never read as a weaker one.

use std::{fmt, str::FromStr};

use thiserror::Error;

use crate::note::{PublicKey, VerifierKey, VerifierKeyError};

/// The most logs that a policy may list.
pub const MAX_LOGS: usize = 32;

/// The logs that are believed, on their own word: `quorum none`. Displays as, and parses from, a policy file.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Policy {
    logs: Vec<VerifierKey>,
}

impl Policy {
    /// A policy that believes these logs without asking for witnesses.
    pub fn without_witnesses(logs: impl IntoIterator<Item = VerifierKey>) -> Result<Self, PolicyError> {
        let mut policy = Self::default();
        logs.into_iter().try_for_each(|key| policy.add_log(key))?;
        Ok(policy)
    }

    /// The keys of the logs; each key's name is its log's origin.
    pub fn logs(&self) -> &[VerifierKey] {
        &self.logs
    }

    fn read_line(&mut self, line: &str) -> Result<LineKind, PolicyError> {
        if line.chars().any(|c| c.is_ascii_control() && c != '\t') {
            return Err(PolicyError::ControlCharacter);
        }
        let words: Vec<&str> = line.split([' ', '\t']).filter(|word| !word.is_empty()).collect();
        match words.as_slice() {
            ["quorum", "none"] => return Ok(LineKind::Quorum),
            ["log", key] => self.add_log(key.parse()?)?,
            [first, ..] if !first.starts_with('#') => return Err(PolicyError::Unsupported(words.join(" "))),
            _blank_or_comment => {}
        }
        Ok(LineKind::Other)
    }

    fn add_log(&mut self, key: VerifierKey) -> Result<(), PolicyError> {
        if matches!(key.public_key(), PublicKey::Unsupported { .. }) {
            return Err(PolicyError::UnsupportedKey);
        }
        // Under two names the same key would look like two parties.
        if self.logs.iter().any(|log| log.public_key() == key.public_key()) {
            return Err(PolicyError::DuplicateLog);
        }
        if self.logs.len() == MAX_LOGS {
            return Err(PolicyError::TooManyLogs);
        }
        self.logs.push(key);
        Ok(())
    }
}

enum LineKind {
    Quorum,
    Other,
}

impl fmt::Display for Policy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.logs.iter().try_for_each(|key| writeln!(f, "log {key}"))?;
        writeln!(f, "quorum none")
    }
}

/// What is wrong with a policy.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum PolicyError {
    /// An error on one line of the file.
    #[error("policy line {line}: {error}")]
    Line {
        /// Line number, from 1.
        line: usize,
        /// What is wrong there.
        error: Box<PolicyError>,
    },
    /// A character other than printable ones, space and tab.
    #[error("control characters are not allowed")]
    ControlCharacter,
    /// A directive, or a form of one, that this version does not know how to honour.
    #[error("'{0}' is not supported yet: this version reads 'log <vkey>' and 'quorum none'")]
    Unsupported(String),
    /// The log's verifier key is wrong.
    #[error(transparent)]
    Key(#[from] VerifierKeyError),
    /// A log must sign with Ed25519 for now.
    #[error("only Ed25519 log keys are supported yet")]
    UnsupportedKey,
    /// The same public key is listed twice.
    #[error("this log key is already listed")]
    DuplicateLog,
    /// More than [`MAX_LOGS`].
    #[error("more than {MAX_LOGS} logs")]
    TooManyLogs,
    /// No `quorum` line, or several.
    #[error("a policy has exactly one 'quorum' line")]
    Quorum,
    /// The last line is not ended.
    #[error("the policy's last line does not end with a newline")]
    NoFinalNewline,
}

impl FromStr for Policy {
    type Err = PolicyError;

    fn from_str(text: &str) -> Result<Self, PolicyError> {
        // A file cut short within its last line must not be read as a complete, weaker policy.
        if !text.is_empty() && !text.ends_with('\n') {
            return Err(PolicyError::NoFinalNewline);
        }
        let mut policy = Self::default();
        let mut quorums = 0_u32;
        for (line, text) in (1..).zip(text.split('\n')) {
            match policy.read_line(text) {
                Ok(LineKind::Quorum) => quorums += 1,
                Ok(LineKind::Other) => {}
                Err(error) => return Err(PolicyError::Line { line, error: Box::new(error) }),
            }
        }
        if quorums == 1 { Ok(policy) } else { Err(PolicyError::Quorum) }
    }
}
