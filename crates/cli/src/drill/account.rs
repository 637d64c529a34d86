//! Holds the receipts that stations were given against the log that was published.

use std::collections::BTreeSet;

use anyhow::{Context, anyhow};
use tallyproof_count::verify::Verification;
use tallyproof_count::{Source, bundle};
use tallyproof_drill::population::Part;
use tallyproof_log::tile::{FULL_WIDTH, TilePath, decode_entries};
use tallyproof_record::StationNo;
use tallyproof_record::cose::RecordDigest;
use tallyproof_record::definition::results::Results;
use tallyproof_record::entry::Entry;

use crate::field::Given;
use crate::night::expectation::Expectation;

/// What the log is held against.
pub(super) struct Account<'a> {
    /// What stations sealed.
    pub(super) parts: &'a [Part],
    /// The figures behind it.
    pub(super) results: &'a Results,
    /// The receipts that they were given.
    pub(super) given: &'a [Given],
    /// Without so many receipts the drill has not passed.
    pub(super) required: u64,
    /// Stations in whose name someone with their keys sent a different record.
    pub(super) conflicts: &'a [StationNo],
}

impl Account<'_> {
    /// Whatever the drill left unexplained, one line each: a receipt whose record is not in the log; where receipts are
    /// missing that the script asks for, every record without one; and a station whose records are all receipted and did
    /// not end where its figures put it.
    pub(super) fn unaccounted(&self, verification: &Verification, logged: &BTreeSet<RecordDigest>) -> Vec<String> {
        let receipts = self.given.iter().map(|given| &given.receipt);
        let mut lines: Vec<String> = receipts
            .clone()
            .filter(|receipt| !logged.contains(&receipt.digest))
            .map(|receipt| {
                format!("station {}, contest {}: receipted, not in the log", receipt.station, receipt.contest)
            })
            .collect();
        let receipted: BTreeSet<RecordDigest> = receipts.map(|receipt| receipt.digest).collect();
        let is_done = |part: &&Part| part.sealed.iter().all(|record| receipted.contains(&record.digest()));
        let (done, open): (Vec<&Part>, Vec<&Part>) = self.parts.iter().partition(is_done);
        if (receipted.len() as u64) < self.required {
            lines.extend(
                open.iter().map(|part| format!("station {}, contest {}: no receipt", part.station, part.contest)),
            );
        }
        let mut expectation = Expectation::default();
        expectation.note(done);
        for &station in self.conflicts {
            expectation.note_conflict(station);
        }
        match &verification.ledger {
            Some(ledger) => lines.extend(expectation.unaccounted(ledger, self.results)),
            None => lines.push("the bundle has no readable definition".into()),
        }
        lines
    }
}

/// The digests of all records in the log of a bundle that verified.
pub(super) fn logged(source: &dyn Source, size: u64) -> anyhow::Result<BTreeSet<RecordDigest>> {
    let mut digests = BTreeSet::new();
    let width = u64::from(FULL_WIDTH);
    for index in 0..size.div_ceil(width) {
        let entries = u16::try_from((size - index * width).min(width))?;
        let tile = TilePath::entries(index, entries).context("the log is larger than any log")?;
        let path = bundle::tile_path(&tile);
        let bytes = source.read(&path).map_err(|reason| anyhow!("{path}: {reason}"))?;
        let bytes = bytes.with_context(|| format!("{path} is missing"))?;
        for entry in decode_entries(&bytes, entries)? {
            if let Ok(Entry::Record(record)) = Entry::decode(entry) {
                digests.insert(tallyproof_centre::intake::digest(record));
            }
        }
    }
    Ok(digests)
}
