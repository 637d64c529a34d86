//! What a drill found, for programs and for people.

use std::collections::BTreeMap;
use std::fmt;

use schemars::JsonSchema;
use serde::Serialize;

use crate::package::ProblemRow;
use crate::printer::Report;
use crate::table::{self, grouped};

/// Lines of text that name what is unaccounted for; `--json` has them all.
const MOST_LINES: usize = 50;

/// The result of `tallyproof drill`. Times count from the drill's start, when every record is sealed.
#[derive(Clone, Debug, Default, Serialize, JsonSchema)]
pub struct DrillReport {
    /// Name of the drill.
    pub name: String,
    /// What it rehearses.
    pub title: String,
    /// From which everything follows.
    pub seed: u64,
    /// Stations in the register.
    pub stations: u64,
    /// Distinct records that stations sealed and sent.
    pub records: u64,
    /// Receipts that verified at the stations.
    pub receipts: u64,
    /// Hostile datagrams sent. Requests and connections stand under `flood` alone.
    pub hostile_sent: u64,
    /// Hostile datagrams that reached the centre: those that its receive loop took and those that its kernel filter
    /// dropped, less the genuine ones handed to it. Not among them are those that overflowed its receive buffer, and what
    /// arrived in the quarter of a second before a kill, which the killed centre could not tell any more.
    pub hostile_received: u64,
    /// Hostile datagrams sent a second, over the time in which any were to be sent.
    pub hostile_rate: u64,
    /// Whether hostile datagrams of equal length were handed to the kernel joined (GSO), which is far cheaper for the
    /// sender than what a real one does.
    pub segmentation_offload: bool,
    /// What the centre turned away by reason, whoever sent it: at its socket, at its gate, at its HTTP port, for lack of
    /// room, for its signature.
    pub rejected: BTreeMap<String, u64>,
    /// What attackers did, by kind.
    pub flood: BTreeMap<String, FloodReport>,
    /// Seconds from the start until every record was receipted and the script had ended, or patience was at an end.
    pub seconds: f64,
    /// Half of the records had their receipt within this time of their first transmission.
    pub p50_ms: Option<f64>,
    /// 99 of 100 records had their receipt within this time of their first transmission.
    pub p99_ms: Option<f64>,
    /// The longest that a record waited for its receipt.
    pub max_ms: Option<f64>,
    /// Milliseconds from poll close until 97 of 100 records had their receipt, if it came to that.
    pub poll_close_to_97_ms: Option<u64>,
    /// Datagrams that stations sent, retries included.
    pub datagrams_sent: u64,
    /// The same for each record.
    pub datagrams_per_record: f64,
    /// Records by the path over which their first receipt came.
    pub by_path: BTreeMap<String, u64>,
    /// The paths in the script's order.
    pub paths: Vec<PathReport>,
    /// Every second of the drill.
    pub series: Vec<SecondReport>,
    /// Copies of known records that reached the centre.
    pub duplicates: u64,
    /// How often the centre was killed and started again.
    pub kills: u64,
    /// Processor time of the centre, killed processes included.
    pub centre_cpu_seconds: f64,
    /// Memory of the centre.
    pub centre_memory_bytes: MemoryReport,
    /// Disk space of the centre's journal at the end.
    pub centre_journal_bytes: u64,
    /// Stations and records that are not where they have to be.
    pub unaccounted: Vec<String>,
    /// Entries in the log.
    pub tree_size: u64,
    /// Base64 of the log's root.
    pub root: String,
    /// Whether the bundle verified without a problem.
    pub verified: bool,
    /// Problems that the verification found.
    pub problems: Vec<ProblemRow>,
    /// What the verification showed and what it did not.
    pub statement: String,
    /// The bundle's folder.
    pub bundle: String,
    /// The report as an HTML page.
    pub report: String,
    /// Every receipt with its path and its time, as CSV beside the page.
    pub receipts_table: String,
}

/// What one kind of attack consisted of.
#[derive(Clone, Copy, Debug, Default, Serialize, JsonSchema)]
pub struct FloodReport {
    /// Datagrams or requests sent, or connections opened.
    pub sent: u64,
    /// Datagrams or requests that the script asked for; connections to be held open at a time.
    pub planned: u64,
}

/// One path between stations and centre.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct PathReport {
    /// Its name.
    pub name: String,
    /// `udp`, `http` or `relay`.
    pub kind: String,
    /// Transmissions that stations began on it.
    pub sent: u64,
    /// Transmissions that came out at its other end, copies included.
    pub delivered: u64,
    /// Records whose first receipt came over it.
    pub receipts: u64,
}

/// One second of a drill.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, JsonSchema)]
pub struct SecondReport {
    /// Which: 0 is the first.
    pub second: u64,
    /// Records that were receipted in it.
    pub receipts: u64,
    /// Hostile datagrams that reached the centre in it.
    pub hostile_received: u64,
    /// The receipts by path.
    pub by_path: BTreeMap<String, u64>,
}

/// Resident memory.
#[derive(Clone, Copy, Debug, Default, Serialize, JsonSchema)]
pub struct MemoryReport {
    /// Before the first hostile datagram; without an attack, at the start.
    pub before: Option<u64>,
    /// At most, during the whole drill.
    pub peak: Option<u64>,
}

impl DrillReport {
    /// Whether the bundle verified and everything is where it has to be.
    pub fn holds(&self) -> bool {
        self.verified && self.unaccounted.is_empty()
    }

    fn write_counts(&self, out: &mut dyn fmt::Write) -> fmt::Result {
        let mut facts = table::new(["", "count"]);
        let rows = [
            ("stations", self.stations),
            ("records", self.records),
            ("receipts", self.receipts),
            ("datagrams of stations", self.datagrams_sent),
            ("hostile datagrams sent", self.hostile_sent),
            ("hostile datagrams a second", self.hostile_rate),
            ("hostile datagrams that reached the centre", self.hostile_received),
            ("times that the centre was killed", self.kills),
        ];
        for (name, value) in rows {
            facts.add_row([name.to_owned(), grouped(value)]);
        }
        table::align_right(&mut facts, [1]);
        writeln!(out, "{}\n{facts}", self.title)
    }

    fn write_paths(&self, out: &mut dyn fmt::Write) -> fmt::Result {
        let mut paths = table::new(["path", "kind", "sent", "delivered", "first receipts"]);
        for path in &self.paths {
            let counts = [path.sent, path.delivered, path.receipts].map(grouped);
            paths.add_row([path.name.clone(), path.kind.clone()].into_iter().chain(counts));
        }
        table::align_right(&mut paths, [2, 3, 4]);
        writeln!(out, "{paths}")
    }

    fn write_attack(&self, out: &mut dyn fmt::Write) -> fmt::Result {
        if !self.flood.is_empty() {
            let mut floods = table::new(["attack", "planned", "sent"]);
            for (kind, flood) in &self.flood {
                floods.add_row([kind.clone(), grouped(flood.planned), grouped(flood.sent)]);
            }
            table::align_right(&mut floods, [1, 2]);
            writeln!(out, "{floods}")?;
        }
        if !self.rejected.is_empty() {
            let mut rejected = table::new(["turned away for", "count"]);
            for (reason, count) in &self.rejected {
                rejected.add_row([reason.clone(), grouped(*count)]);
            }
            table::align_right(&mut rejected, [1]);
            writeln!(out, "{rejected}")?;
        }
        Ok(())
    }

    fn write_figures(&self, out: &mut dyn fmt::Write) -> fmt::Result {
        let ms = |value: Option<f64>| value.map_or("none".to_owned(), |ms| format!("{ms:.1} ms"));
        let size =
            |bytes: Option<u64>| bytes.map_or("unknown".to_owned(), |bytes| format!("{} KiB", grouped(bytes >> 10)));
        writeln!(
            out,
            "receipt after {} (half), {} (99 of 100), {} (all); {:.3} datagrams a record",
            ms(self.p50_ms),
            ms(self.p99_ms),
            ms(self.max_ms),
            self.datagrams_per_record,
        )?;
        if let Some(time) = self.poll_close_to_97_ms {
            writeln!(out, "97 of 100 receipts {time} ms after poll close")?;
        }
        if self.segmentation_offload {
            writeln!(out, "hostile datagrams were handed to the kernel joined (GSO): cheaper than a real sender's")?;
        }
        let MemoryReport { before, peak } = self.centre_memory_bytes;
        writeln!(
            out,
            "centre: {:.1} s of processor time in {:.1} s; memory {} before, {} at most; journal {}",
            self.centre_cpu_seconds,
            self.seconds,
            size(before),
            size(peak),
            size(Some(self.centre_journal_bytes)),
        )
    }
}

impl Report for DrillReport {
    fn write_text(&self, out: &mut dyn fmt::Write) -> fmt::Result {
        self.write_counts(out)?;
        self.write_paths(out)?;
        self.write_attack(out)?;
        self.write_figures(out)?;
        for line in self.unaccounted.iter().take(MOST_LINES) {
            writeln!(out, "unaccounted: {line}")?;
        }
        if let Some(more) = self.unaccounted.len().checked_sub(MOST_LINES).filter(|more| *more > 0) {
            writeln!(out, "unaccounted: {more} more; --json tells them all")?;
        }
        for problem in &self.problems {
            writeln!(out, "{problem}")?;
        }
        writeln!(
            out,
            "{}\nbundle: {}\nreport: {}\nreceipts: {}",
            self.statement, self.bundle, self.report, self.receipts_table
        )
    }
}
