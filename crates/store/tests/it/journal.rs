use std::path::{Path, PathBuf};

use rusqlite::Connection;
use sha2::{Digest, Sha256};
use tallyproof_centre::journal::{Cut, Journal, Row, Step};
use tallyproof_store::{Binding, LastCheckpoint, SqliteJournal, journal::JournalError};
use tempfile::TempDir;

fn binding() -> Binding {
    Binding { definition: [7; 32], origin: "log.example/1".into() }
}

fn place() -> (TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("journal");
    (folder, path)
}

fn append(journal: &mut SqliteJournal, records: &[&str]) -> u64 {
    let digests: Vec<[u8; 32]> = records.iter().map(|record| Sha256::digest(record).into()).collect();
    let rows: Vec<_> =
        records.iter().zip(&digests).map(|(record, digest)| Row { digest, record: record.as_bytes() }).collect();
    journal.append(&rows).unwrap()
}

/// The journal's contents: records as text, cuts as `|`.
fn contents(journal: &mut SqliteJournal) -> Result<String, JournalError> {
    let mut found = String::new();
    journal.replay(|step| {
        match step {
            Step::Record(row) => found.push_str(std::str::from_utf8(row.record).unwrap()),
            Step::Cut(_) => found.push('|'),
        }
        Ok::<_, JournalError>(())
    })?;
    Ok(found)
}

fn written(path: &Path) {
    let mut journal = SqliteJournal::create(path, &binding()).unwrap();
    assert_eq!(append(&mut journal, &["a", "b"]), 2);
    journal.mark(Cut::after(2)).unwrap();
    assert_eq!(append(&mut journal, &["c"]), 3);
}

fn alter(path: &Path, sql: &str) {
    Connection::open(path).unwrap().execute_batch(sql).unwrap();
}

fn damage(sql: &str) -> String {
    let (_folder, path) = place();
    written(&path);
    alter(&path, sql);
    contents(&mut SqliteJournal::open(&path, &binding()).unwrap()).unwrap_err().to_string()
}

#[test]
fn records_and_cuts_come_back_in_order() {
    let (_folder, path) = place();
    written(&path);
    let mut journal = SqliteJournal::open(&path, &binding()).unwrap();
    assert_eq!((journal.last(), contents(&mut journal).unwrap().as_str()), (3, "ab|c"));
    assert_eq!(append(&mut journal, &["d"]), 4);
    journal.mark(Cut::after(4)).unwrap();
    assert_eq!(contents(&mut journal).unwrap(), "ab|cd|");
}

#[test]
fn a_journal_is_made_only_when_asked_for_and_only_once() {
    let (_folder, path) = place();
    assert!(matches!(SqliteJournal::open(&path, &binding()), Err(JournalError::Missing(_))));
    assert!(!path.exists());
    drop(SqliteJournal::create(&path, &binding()).unwrap());
    assert!(matches!(SqliteJournal::create(&path, &binding()), Err(JournalError::Exists(_))));
}

#[test]
fn the_journal_of_another_election_or_log_is_refused() {
    let (_folder, path) = place();
    written(&path);
    for (other, what) in [
        (Binding { definition: [8; 32], ..binding() }, "another election"),
        (Binding { origin: "log.example/2".into(), ..binding() }, "another log"),
    ] {
        let error = SqliteJournal::open(&path, &other).unwrap_err().to_string();
        assert!(error.contains(what), "{error}");
    }
}

#[test]
fn a_file_that_is_no_journal_is_refused() {
    let (_folder, path) = place();
    std::fs::write(
        &path,
        "not a database, and long enough to have a header that SQLite does not know at all, really not",
    )
    .unwrap();
    assert!(matches!(SqliteJournal::open(&path, &binding()), Err(JournalError::Foreign(_))));
    std::fs::remove_file(&path).unwrap();
    alter(&path, "CREATE TABLE other (id INTEGER)");
    assert!(matches!(SqliteJournal::open(&path, &binding()), Err(JournalError::Foreign(_))));
}

#[test]
fn two_centres_cannot_share_a_journal() {
    let (_folder, path) = place();
    let _first = SqliteJournal::create(&path, &binding()).unwrap();
    assert!(matches!(SqliteJournal::open(&path, &binding()), Err(JournalError::InUse(_))));
}

#[test]
fn damage_is_found_and_named() {
    let flipped = damage("UPDATE records SET record = x'63' WHERE seq = 2");
    assert!(flipped.contains("records row 2 does not have its digest"), "{flipped}");
    let digest = damage("UPDATE records SET digest = zeroblob(32) WHERE seq = 1");
    assert!(digest.contains("records row 1 does not have its digest"), "{digest}");
    let short = damage("UPDATE records SET digest = x'00' WHERE seq = 3");
    assert!(short.contains("records row 3 has no digest"), "{short}");
    let missing = damage("DELETE FROM records WHERE seq = 2");
    assert!(missing.contains("records row 2 is missing"), "{missing}");
    let cut = damage("UPDATE cuts SET tree_size = 4");
    assert!(cut.contains("cuts row 2 does not agree"), "{cut}");
    let rolled_back = damage("DELETE FROM records WHERE seq > 1");
    assert!(rolled_back.contains("cuts row 2 does not agree"), "{rolled_back}");
}

#[test]
fn a_flipped_bit_in_the_file_is_found_or_changes_nothing() {
    let (_folder, path) = place();
    written(&path);
    // The WAL is merged when the last connection closes, so the file is all there is.
    let whole = std::fs::read(&path).unwrap();
    let mut found = 0;
    for at in (0..whole.len()).step_by(7) {
        let mut bytes = whole.clone();
        bytes[at] ^= 0x10;
        std::fs::write(&path, &bytes).unwrap();
        let outcome = SqliteJournal::open(&path, &binding()).and_then(|mut journal| contents(&mut journal));
        match outcome {
            Ok(contents) => assert_eq!(contents, "ab|c", "byte {at}"),
            Err(_) => found += 1,
        }
    }
    assert!(found > 20, "{found} changes were found");
}

#[test]
fn a_torn_group_leaves_the_groups_before_it() {
    let (folder, path) = place();
    let mut journal = SqliteJournal::create(&path, &binding()).unwrap();
    append(&mut journal, &["a", "b"]);
    append(&mut journal, &["c", "d"]);
    // What a power loss leaves: the file and its write-ahead log, the last group's pages not all written.
    let copy = folder.path().join("copy");
    let log = std::fs::read(folder.path().join("journal-wal")).unwrap();
    std::fs::copy(&path, &copy).unwrap();
    std::fs::write(folder.path().join("copy-wal"), &log[..log.len() - 100]).unwrap();
    let mut reopened = SqliteJournal::open(&copy, &binding()).unwrap();
    assert_eq!(contents(&mut reopened).unwrap(), "ab");
}

#[test]
fn a_group_that_fails_leaves_nothing() {
    let (_folder, path) = place();
    written(&path);
    alter(
        &path,
        "CREATE TRIGGER full BEFORE INSERT ON records WHEN new.seq = 5 BEGIN SELECT raise(ABORT, 'full'); END",
    );
    let mut journal = SqliteJournal::open(&path, &binding()).unwrap();
    let digest = Sha256::digest("x").into();
    let row = Row { digest: &digest, record: b"x" };
    assert!(journal.append(&[row, row]).is_err());
    assert_eq!((journal.last(), contents(&mut journal).unwrap().as_str()), (3, "ab|c"));
    assert_eq!(append(&mut journal, &["d"]), 4);
}

#[test]
fn the_last_checkpoint_is_kept_beside_the_journal() {
    let (_folder, path) = place();
    let last = LastCheckpoint::beside(&path);
    assert_eq!(last.read().unwrap(), None);
    last.write(b"one").unwrap();
    last.write(b"two").unwrap();
    assert_eq!(LastCheckpoint::beside(&path).read().unwrap().as_deref(), Some(&b"two"[..]));
}
