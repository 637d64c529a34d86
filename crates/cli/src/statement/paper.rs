//! A statement in a file: as drafted, or with signatures.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};

use anyhow::{Context, ensure};
use ed25519_dalek::SigningKey;
use tallyproof_centre::intake::is_statement;
use tallyproof_record::definition::Committed;
use tallyproof_record::statement::{Draft, MAX_LEN, Signed, Statement, StatementId};

use crate::files::{self, Access};
use crate::station::queue::RECEIPT;

/// Ending of a signed statement's file.
pub const STATEMENT: &str = "statement";

/// A statement, signed or not.
#[derive(Clone, Debug)]
pub enum Paper {
    /// Nobody has signed it yet.
    Draft(Draft),
    /// It has signatures.
    Signed(Signed),
}

impl Paper {
    /// Reads a draft or a signed statement.
    pub fn read(path: &Path) -> anyhow::Result<Self> {
        let bytes = files::read(path, MAX_LEN as u64)?;
        let what = || format!("{} is neither a draft nor a signed statement", path.display());
        if is_statement(&bytes) {
            return Signed::open(&bytes).map(Self::Signed).with_context(what);
        }
        Draft::open(&bytes).map(Self::Draft).with_context(what)
    }

    /// Reads a signed statement.
    pub fn read_signed(path: &Path) -> anyhow::Result<Signed> {
        match Self::read(path)? {
            Self::Signed(signed) => Ok(signed),
            Self::Draft(_) => {
                anyhow::bail!("{} is a draft; sign it first, with `tallyproof statement sign`", path.display())
            }
        }
    }

    /// What is stated.
    pub fn statement(&self) -> &Statement {
        match self {
            Self::Draft(draft) => draft.statement(),
            Self::Signed(signed) => signed.statement(),
        }
    }

    /// Its identity.
    pub fn id(&self) -> StatementId {
        match self {
            Self::Draft(draft) => draft.id(),
            Self::Signed(signed) => signed.id(),
        }
    }

    /// With one more signature.
    pub fn sign(self, key: &SigningKey) -> anyhow::Result<Signed> {
        match self {
            Self::Draft(draft) => Ok(draft.sign(key)),
            Self::Signed(mut signed) => {
                signed.sign(key)?;
                Ok(signed)
            }
        }
    }

    /// What it says, in words that name this election's stations; a statement of another election is refused.
    pub fn describe(&self, election: &Committed) -> anyhow::Result<String> {
        let stated = self.statement();
        ensure!(
            stated.election == *election.hash() && stated.phase == election.election().phase(),
            "the statement is of another election (definition {}, {}); this one is {}",
            stated.election,
            stated.phase,
            election.hash()
        );
        Ok(stated.describe(election.election()))
    }
}

/// Whether a file is named as a signed statement.
pub fn is_named_statement(path: &Path) -> bool {
    path.extension() == Some(OsStr::new(STATEMENT))
}

/// Where the receipt of a statement's file goes: `a.statement.receipt`, because `a.receipt` may be that of a record.
pub fn receipt_beside(path: &Path) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(".");
    name.push(RECEIPT);
    name.into()
}

/// Writes a draft or a statement; an existing file is left as it is and is an error.
pub fn create(path: &Path, bytes: &[u8]) -> anyhow::Result<()> {
    ensure!(!path.exists(), "{} exists, and nothing is overwritten; name another file", path.display());
    files::create(path, bytes, Access::Public).with_context(|| format!("cannot write {}", path.display()))
}
