//! Every receipt of a drill as a table: when it came, how long it took, and by which path.

use anyhow::Context;
use tallyproof_drill::script::Script;
use tallyproof_record::Election;

use crate::field::Given;
use crate::field::clock::millis;

const COLUMNS: [&str; 6] = ["at_ms", "waited_ms", "path", "station", "contest", "record"];

/// CSV with a line for each receipt, in the order in which they came; `record` is the SHA-256 of the sealed bytes.
pub(super) fn table(script: &Script, election: &Election, given: &[Given]) -> anyhow::Result<Vec<u8>> {
    let mut table = csv::Writer::from_writer(Vec::new());
    table.write_record(COLUMNS)?;
    for Given { at, waited, path, receipt } in given {
        let path = script.paths.get(*path).context("a receipt came by no path of the script")?;
        let station = election.station(receipt.station).map_or("", |station| station.id.as_str());
        let contest = election.contest(receipt.contest).map_or("", |contest| contest.id.as_str());
        let (at, waited) = (millis(*at).to_string(), millis(*waited).to_string());
        table.write_record([&at, &waited, &path.name, station, contest, &hex::encode(receipt.digest)])?;
    }
    table.into_inner().context("the table of receipts cannot be written")
}
