//! The journal in one SQLite file: WAL, `synchronous=FULL`, one transaction a group of records.
//!
//! The file is locked while it is open, so that two centres cannot share it. Auditors can open a copy with any SQLite.

use std::{
    fmt::Write,
    fs, io,
    path::{Path, PathBuf},
    time::Duration,
};

use rusqlite::{Connection, OpenFlags, OptionalExtension, params};
use sha2::{Digest, Sha256};
use tallyproof_centre::journal::{Cut, Journal, Row, Step};
use thiserror::Error;

use crate::durable;

/// Layout of the file.
const FORMAT: i64 = 1;
/// Marks the file as ours among SQLite files: `TPjl`.
const APPLICATION_ID: i64 = 0x5450_6a6c;

const SCHEMA: &str = "
CREATE TABLE header (
    id INTEGER PRIMARY KEY CHECK (id = 1), format INTEGER NOT NULL, definition BLOB NOT NULL, origin TEXT NOT NULL
) STRICT;
CREATE TABLE records (seq INTEGER PRIMARY KEY, digest BLOB NOT NULL, record BLOB NOT NULL) STRICT;
CREATE TABLE cuts (seq_end INTEGER PRIMARY KEY, tree_size INTEGER NOT NULL) STRICT;
";

/// What a journal belongs to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Binding {
    /// The definition hash of the election.
    pub definition: [u8; 32],
    /// The origin of the log.
    pub origin: String,
}

/// Why the journal cannot be used.
#[derive(Debug, Error)]
pub enum JournalError {
    /// There is none, and creating one was not asked for.
    #[error(
        "{0}: no journal there. Only the first start of an election creates one (--create); \
             if records were received before, find the journal: without it receipts would be broken"
    )]
    Missing(PathBuf),
    /// There is one already.
    #[error("{0}: there is a journal already; start without --create to go on with it")]
    Exists(PathBuf),
    /// Another program has it open.
    #[error("{0}: the journal is in use by another centre; stop that one first")]
    InUse(PathBuf),
    /// Not a journal, or of another version.
    #[error("{0}: not a journal of this version of Tallyproof")]
    Foreign(PathBuf),
    /// It belongs to another election or log.
    #[error(
        "{path}: this journal belongs to another {what} ({found}, not {expected}); use its own election and keys, or another journal"
    )]
    Binding {
        /// The journal.
        path: PathBuf,
        /// What differs: `election` or `log`.
        what: &'static str,
        /// What the journal says.
        found: String,
        /// What was asked for.
        expected: String,
    },
    /// A row is damaged or missing.
    #[error(
        "{path}: {table} row {row} {what}. The disk or the file was damaged: keep this file, restore a replica or backup no older than \
             the last checkpoint, and start again"
    )]
    Damaged {
        /// The journal.
        path: PathBuf,
        /// Which table.
        table: &'static str,
        /// Which row.
        row: u64,
        /// What is wrong with it.
        what: &'static str,
    },
    /// After a failed write the file no longer ends where this process knows it to end.
    #[error("the journal no longer ends at record {expected}: restart the centre, so that it reads the journal again")]
    Diverged {
        /// The last record known.
        expected: u64,
    },
    /// The file system failed.
    #[error("{path}: {source}")]
    Io {
        /// The journal.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// The engine failed.
    #[error("the journal failed: {0}")]
    Sqlite(#[from] rusqlite::Error),
}

/// A journal in one SQLite file.
#[derive(Debug)]
pub struct SqliteJournal {
    connection: Connection,
    path: PathBuf,
    last: u64,
    /// Whether a write failed, after which the file may not end where this process left it.
    unsure: bool,
}

impl SqliteJournal {
    /// Makes a new, empty journal and opens it. Refuses to touch an existing file.
    pub fn create(path: &Path, binding: &Binding) -> Result<Self, JournalError> {
        if path.exists() {
            return Err(JournalError::Exists(path.to_owned()));
        }
        let mut new = path.as_os_str().to_owned();
        new.push(".new");
        let new = PathBuf::from(new);
        let io = |source| JournalError::Io { path: path.to_owned(), source };
        // What a crash left of an earlier creation never held a record.
        match fs::remove_file(&new) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(io(error)),
            _ => {}
        }
        write_empty(&new, binding)?;
        // It gets its name only when it is whole; a link, unlike a rename, does not replace.
        fs::hard_link(&new, path).and_then(|()| fs::remove_file(&new)).map_err(io)?;
        durable::sync_folder(durable::folder_of(path)).map_err(io)?;
        Self::open(path, binding)
    }

    /// Opens an existing journal of this election and log. Its rows are checked by [`Journal::replay`].
    pub fn open(path: &Path, binding: &Binding) -> Result<Self, JournalError> {
        if !path.exists() {
            return Err(JournalError::Missing(path.to_owned()));
        }
        let connection = Connection::open_with_flags(path, OpenFlags::SQLITE_OPEN_READ_WRITE)?;
        let mut journal = Self { connection, path: path.to_owned(), last: 0, unsure: false };
        journal.configure().map_err(|error| journal.explain(error))?;
        journal.check_header(binding)?;
        journal.make_durable()?;
        journal.last = journal.read_last()?;
        Ok(journal)
    }

    /// What is found was written, but perhaps never synced: the process before may have died in the sync, or because it failed. The engine
    /// believes what it finds in its log and syncs nothing. And a sync alone would not do (the system takes pages whose writing failed
    /// for clean), so the log is written over itself first. The database needs none of it: what a checkpoint brings there stays in the log
    /// until it is synced.
    ///
    /// Call while the journal is locked: the log of another process must not be touched.
    fn make_durable(&self) -> Result<(), JournalError> {
        let mut log = self.path.as_os_str().to_owned();
        log.push("-wal");
        let log = PathBuf::from(log);
        let rewrite = || match durable::read(&log)? {
            Some(bytes) => durable::write_over(&log, &bytes),
            None => Ok(()),
        };
        // The engine passes over a failed sync of the folder that has the log's name.
        let sync_folder = |()| durable::sync_folder(durable::folder_of(&self.path));
        rewrite().and_then(sync_folder).map_err(|source| JournalError::Io { path: log.clone(), source })
    }

    fn configure(&self) -> Result<(), rusqlite::Error> {
        // Whoever has the journal open keeps it: waiting would not help.
        self.connection.busy_timeout(Duration::ZERO)?;
        // The lock is held from the first access on, so that a second centre is refused, not interleaved.
        self.connection.pragma_update(None, "locking_mode", "EXCLUSIVE")?;
        self.connection.pragma_update(None, "journal_mode", "WAL")?;
        self.connection.pragma_update(None, "synchronous", "FULL")?;
        self.connection.pragma_update(None, "wal_autocheckpoint", 4096)?;
        self.connection.execute_batch("BEGIN IMMEDIATE; COMMIT")
    }

    fn explain(&self, error: rusqlite::Error) -> JournalError {
        match error.sqlite_error_code() {
            Some(rusqlite::ErrorCode::DatabaseBusy | rusqlite::ErrorCode::DatabaseLocked) => {
                JournalError::InUse(self.path.clone())
            }
            Some(rusqlite::ErrorCode::NotADatabase) => JournalError::Foreign(self.path.clone()),
            _ => error.into(),
        }
    }

    fn check_header(&self, binding: &Binding) -> Result<(), JournalError> {
        let foreign = || JournalError::Foreign(self.path.clone());
        let id: i64 = self.connection.query_row("PRAGMA application_id", [], |row| row.get(0))?;
        if id != APPLICATION_ID {
            return Err(foreign());
        }
        let header =
            self.connection.query_row("SELECT format, definition, origin FROM header WHERE id = 1", [], |row| {
                Ok((row.get::<_, i64>(0)?, row.get::<_, Vec<u8>>(1)?, row.get::<_, String>(2)?))
            });
        let (format, definition, origin) = header.optional().map_err(|_| foreign())?.ok_or_else(foreign)?;
        if format != FORMAT {
            return Err(foreign());
        }
        self.same("election", &hex(&definition), &hex(&binding.definition))?;
        self.same("log", &origin, &binding.origin)
    }

    fn same(&self, what: &'static str, found: &str, expected: &str) -> Result<(), JournalError> {
        if found == expected {
            return Ok(());
        }
        let (found, expected) = (found.to_owned(), expected.to_owned());
        Err(JournalError::Binding { path: self.path.clone(), what, found, expected })
    }

    fn read_last(&self) -> Result<u64, JournalError> {
        let last: Option<i64> = self.connection.query_row("SELECT max(seq) FROM records", [], |row| row.get(0))?;
        u64::try_from(last.unwrap_or(0)).map_err(|_| self.damaged("records", 0, "has a negative number"))
    }

    fn damaged(&self, table: &'static str, row: u64, what: &'static str) -> JournalError {
        JournalError::Damaged { path: self.path.clone(), table, row, what }
    }

    fn insert(&mut self, rows: &[Row<'_>]) -> Result<u64, rusqlite::Error> {
        let transaction = self.connection.transaction()?;
        let mut seq = self.last;
        {
            let mut insert =
                transaction.prepare_cached("INSERT INTO records (seq, digest, record) VALUES (?, ?, ?)")?;
            for row in rows {
                seq = seq.saturating_add(1);
                insert.execute(params![seq.cast_signed(), row.digest.as_slice(), row.record])?;
            }
        }
        transaction.commit()?;
        Ok(seq)
    }

    /// After a failed write: is the file where we left it? If not, going on would number two records alike. Where it cannot be read, the
    /// next write asks again.
    fn must_end_where_it_was_left(&mut self) -> Result<(), JournalError> {
        if self.unsure && self.read_last()? != self.last {
            return Err(JournalError::Diverged { expected: self.last });
        }
        self.unsure = false;
        Ok(())
    }

    fn read_cuts(&self) -> Result<Vec<Cut>, JournalError> {
        let mut select = self.connection.prepare("SELECT seq_end, tree_size FROM cuts ORDER BY seq_end")?;
        let cuts = select.query_map([], |row| {
            let (seq_end, tree_size): (i64, i64) = (row.get(0)?, row.get(1)?);
            Ok(Cut { seq_end: seq_end.cast_unsigned(), tree_size: tree_size.cast_unsigned() })
        })?;
        let cuts = cuts.collect::<Result<Vec<_>, _>>()?;
        match cuts.iter().find(|cut| !cut.holds() || cut.seq_end > self.last) {
            Some(cut) => Err(self.damaged("cuts", cut.seq_end, "does not agree with the records")),
            None => Ok(cuts),
        }
    }
}

impl Journal for SqliteJournal {
    type Error = JournalError;

    fn append(&mut self, rows: &[Row<'_>]) -> Result<u64, JournalError> {
        self.must_end_where_it_was_left()?;
        // The engine writes every page of a group again when the group is tried again: no sync is relied on that failed.
        let last = self.insert(rows).inspect_err(|_| self.unsure = true)?;
        self.last = last;
        Ok(last)
    }

    fn mark(&mut self, cut: Cut) -> Result<(), JournalError> {
        self.must_end_where_it_was_left()?;
        let sql = "INSERT INTO cuts (seq_end, tree_size) VALUES (?, ?)";
        self.connection.prepare_cached(sql)?.execute([cut.seq_end.cast_signed(), cut.tree_size.cast_signed()])?;
        Ok(())
    }

    fn replay<E: From<JournalError>>(&mut self, mut visit: impl FnMut(Step<'_>) -> Result<(), E>) -> Result<(), E> {
        let mut cuts = self.read_cuts()?.into_iter().peekable();
        let mut select = self
            .connection
            .prepare("SELECT seq, digest, record FROM records ORDER BY seq")
            .map_err(JournalError::from)?;
        let mut rows = select.query([]).map_err(JournalError::from)?;
        let mut expected: u64 = 0;
        while let Some(row) = rows.next().map_err(|_| self.damaged("records", expected + 1, "cannot be read"))? {
            expected += 1;
            let read = |what| self.damaged("records", expected, what);
            let seq: i64 = row.get(0).map_err(|_| read("has no number"))?;
            if seq.cast_unsigned() != expected {
                return Err(read("is missing").into());
            }
            let digest = row.get_ref(1).ok().and_then(|value| value.as_blob().ok()?.try_into().ok());
            let digest: &[u8; 32] = digest.ok_or_else(|| read("has no digest"))?;
            let record =
                row.get_ref(2).ok().and_then(|value| value.as_blob().ok()).ok_or_else(|| read("has no record"))?;
            if Sha256::digest(record)[..] != digest[..] {
                return Err(read("does not have its digest").into());
            }
            visit(Step::Record(Row { digest, record }))?;
            if let Some(cut) = cuts.next_if(|cut| cut.seq_end == expected) {
                visit(Step::Cut(cut))?;
            }
        }
        if expected == self.last { Ok(()) } else { Err(self.damaged("records", expected + 1, "is missing").into()) }
    }

    fn last(&self) -> u64 {
        self.last
    }
}

fn write_empty(path: &Path, binding: &Binding) -> Result<(), rusqlite::Error> {
    let mut connection = Connection::open(path)?;
    connection.pragma_update(None, "synchronous", "FULL")?;
    connection.pragma_update(None, "application_id", APPLICATION_ID)?;
    let transaction = connection.transaction()?;
    transaction.execute_batch(SCHEMA)?;
    transaction.execute(
        "INSERT INTO header (id, format, definition, origin) VALUES (1, ?, ?, ?)",
        params![FORMAT, binding.definition.as_slice(), binding.origin],
    )?;
    transaction.commit()?;
    connection.close().map_err(|(_, error)| error)
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut text, byte| {
        // Writing to a string does not fail.
        let _ = write!(text, "{byte:02x}");
        text
    })
}
