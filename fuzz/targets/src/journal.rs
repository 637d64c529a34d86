//! The journal after a disk has had its way with it.

use std::fs;
use std::path::Path;

use tallyproof_centre::journal::{Cut, Journal, Row, Step};
use tallyproof_store::journal::{Binding, JournalError, SqliteJournal};

use crate::{keys, world};

/// A journal file: it opens and replays, or says what is wrong; what it replays is in order, and every record has its
/// digest.
pub fn journal(data: &[u8]) {
    let Ok(folder) = tempfile::tempdir() else { return };
    let path = folder.path().join("journal");
    if fs::write(&path, data).is_err() {
        return;
    }
    let Ok(mut journal) = SqliteJournal::open(&path, &binding()) else { return };
    let (mut records, mut last_cut) = (0_u64, 0_u64);
    let replayed: Result<(), JournalError> = journal.replay(|step| {
        match step {
            Step::Record(row) => {
                records += 1;
                assert_eq!(tallyproof_centre::intake::digest(row.record), *row.digest, "a damaged record was replayed");
            }
            Step::Cut(cut) => {
                assert!(cut.holds() && cut.seq_end == records && cut.seq_end > last_cut, "a cut out of its place");
                last_cut = cut.seq_end;
            }
        }
        Ok(())
    });
    if replayed.is_ok() {
        assert_eq!(records, journal.last(), "records are missing from a replay that went well");
    }
}

fn binding() -> Binding {
    Binding { definition: world::definition().hash().0, origin: keys::ORIGIN.to_owned() }
}

/// A journal with three records in two batches.
pub(crate) fn seed() -> Option<Vec<u8>> {
    let folder = tempfile::tempdir().ok()?;
    let path = folder.path().join("journal");
    write(&path).ok()?;
    fs::read(&path).ok()
}

fn write(path: &Path) -> Result<(), JournalError> {
    let mut journal = SqliteJournal::create(path, &binding())?;
    let records = world::records();
    let (first, rest) = records.split_at(1);
    for batch in [first, rest] {
        let digests: Vec<_> = batch.iter().map(|record| (record.digest(), record.as_bytes())).collect();
        let rows: Vec<_> = digests.iter().map(|(digest, record)| Row { digest, record }).collect();
        let last = journal.append(&rows)?;
        journal.mark(Cut::after(last))?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_seed_replays_whole() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("journal");
        fs::write(&path, seed().unwrap()).unwrap();
        let mut journal = SqliteJournal::open(&path, &binding()).unwrap();
        let mut steps = String::new();
        let replayed: Result<(), JournalError> = journal.replay(|step| {
            steps.push(if matches!(step, Step::Record(_)) { 'r' } else { 'c' });
            Ok(())
        });
        replayed.unwrap();
        assert_eq!(steps, "rcrrc");
    }
}
