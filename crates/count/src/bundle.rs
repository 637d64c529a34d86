//! The bundle's layout, and the index files that a publisher writes and [`verify`](mod@crate::verify) rebuilds.

use std::fmt::Write;

use tallyproof_log::tile::TilePath;

use crate::{
    ledger::{Ledger, SlotView},
    statements_json,
    totals::Totals,
};

/// The signed list of files.
pub const MANIFEST: &str = "manifest";
/// The log's signed state.
pub const CHECKPOINT: &str = "log/checkpoint";
/// The latest checkpoint with the cosignatures that the policy asks for.
pub const COSIGNED: &str = "log/cosigned";
/// The final checkpoint: nothing follows it.
pub const FROZEN: &str = "log/frozen";
/// Verifier keys, the log's first.
pub const VKEYS: &str = "log/vkeys";
/// The log's trust policy.
pub const POLICY: &str = "log/policy";
/// Sums by contest and area.
pub const TOTALS: &str = "index/totals.json";
/// Station and contest to status and entries.
pub const STATIONS: &str = "index/stations.csv";
/// What every statement of the log did.
pub const STATEMENTS: &str = "index/statements.json";
/// The definition's files, sorted.
pub const DEFINITION: [&str; 4] =
    ["election/areas.csv", "election/ballot.csv", "election/election.toml", "election/stations.csv"];

/// A file of a bulletin.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum BulletinFile {
    /// Its document.
    Json,
    /// The same as a table.
    Csv,
    /// The same as a page.
    Html,
    /// The same as paper, in English.
    Pdf,
    /// In Spanish.
    PdfEs,
    /// In Portuguese.
    PdfPt,
    /// A checkpoint with the quorum, not smaller than the bulletin's tree size.
    Checkpoint,
}

impl BulletinFile {
    /// Every one.
    pub const ALL: [Self; 7] =
        [Self::Json, Self::Csv, Self::Html, Self::Pdf, Self::PdfEs, Self::PdfPt, Self::Checkpoint];

    /// Its name.
    pub fn name(self) -> &'static str {
        match self {
            Self::Json => "bulletin.json",
            Self::Csv => "bulletin.csv",
            Self::Html => "bulletin.html",
            Self::Pdf => "bulletin.pdf",
            Self::PdfEs => "bulletin.es.pdf",
            Self::PdfPt => "bulletin.pt.pdf",
            Self::Checkpoint => "checkpoint",
        }
    }

    /// The file with this name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|file| file.name() == name)
    }

    /// Where it stands in the bundle.
    pub fn path(self, number: u32) -> String {
        format!("{BULLETINS}{number}/{}", self.name())
    }
}

/// Folder of the bulletins.
pub(crate) const BULLETINS: &str = "bulletins/";
/// Folder of the definition's files.
pub(crate) const ELECTION: &str = "election/";
/// Folder of the log.
pub(crate) const LOG: &str = "log/";
/// Folder of the log's tiles.
pub(crate) const TILES: &str = "log/tile/";

/// Where a tile stands in the bundle.
pub fn tile_path(tile: &TilePath) -> String {
    format!("{LOG}{tile}")
}

/// The index files of a ledger, with their paths: the one place where they are made.
pub fn index_files(ledger: &Ledger) -> [(&'static str, Vec<u8>); 3] {
    let (stations, totals) = rayon::join(|| stations_csv(ledger), || Totals::of(ledger).to_json());
    [(STATEMENTS, statements_json::render(ledger)), (STATIONS, stations), (TOTALS, totals)]
}

/// `index/stations.csv`: `station,contest,status,entries,codes`, by contest, then by station number.
pub fn stations_csv(ledger: &Ledger) -> Vec<u8> {
    let election = ledger.definition().election();
    let mut csv = String::from("station,contest,status,entries,codes\n");
    for slot in ledger.slots() {
        if let (Some(station), Some(contest)) = (election.station(slot.station), election.contest(slot.contest)) {
            push_row(&mut csv, &station.id, &contest.id, &slot);
        }
    }
    csv.into_bytes()
}

fn push_row(csv: &mut String, station: &str, contest: &str, slot: &SlotView<'_>) {
    push_field(csv, station);
    csv.push(',');
    push_field(csv, contest);
    csv.push(',');
    csv.push_str(slot.status.as_str());
    csv.push(',');
    for (position, entry) in slot.entries.iter().enumerate() {
        let gap = if position == 0 { "" } else { " " };
        // Writing to memory does not fail.
        let _ = write!(csv, "{gap}{entry}");
    }
    csv.push(',');
    csv.push_str(&slot.codes.codes().join(" "));
    csv.push('\n');
}

/// A field as RFC 4180 section 2 writes it, quoted only where it has to be.
pub(crate) fn push_field(csv: &mut String, field: &str) {
    if field.contains([',', '"', '\r', '\n']) {
        csv.push('"');
        csv.push_str(&field.replace('"', "\"\""));
        csv.push('"');
    } else {
        csv.push_str(field);
    }
}
