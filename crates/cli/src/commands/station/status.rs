//! `tallyproof station status`: what is in the queue.

use std::fmt;
use std::path::PathBuf;

use schemars::JsonSchema;
use serde::Serialize;
use tallyproof_site::messages::{Lang, Messages, Text};

use crate::pack::Pack;
use crate::station::queue::{InLog, Queue, Queued};
use crate::table;
use crate::{Exit, Printer, Report};

/// Arguments of `tallyproof station status`.
#[derive(Debug, clap::Args)]
#[command(after_help = "Example:\n  tallyproof station status --queue queue --pack station-17.toml\n\n\
    Ends with 0 when every record has its receipt, with 1 if some wait.")]
pub(super) struct Args {
    /// Folder of sealed records
    #[arg(long, value_name = "DIR")]
    queue: PathBuf,
    /// The station's pack; with it the log's signatures on the receipts are checked
    #[arg(long, value_name = "FILE")]
    pack: Option<PathBuf>,
}

/// Result of `tallyproof station status`.
#[derive(Debug, Serialize, JsonSchema)]
pub(super) struct StatusReport {
    /// Records with a receipt.
    receipted: u64,
    /// Records that wait for theirs.
    waiting: u64,
    /// Records with a second-stage receipt, too.
    in_log: u64,
    /// Whether the receipts' signatures were checked (with --pack).
    checked: bool,
    records: Vec<RecordRow>,
}

/// One record.
#[derive(Debug, Serialize, JsonSchema)]
struct RecordRow {
    /// Station number.
    station: u32,
    /// Contest number.
    contest: u16,
    /// SHA-256 of the sealed record.
    digest: String,
    /// Seconds since 1970-01-01T00:00:00Z.
    sealed_at: u64,
    receipted: bool,
    /// Entry of the log, by the second-stage receipt; null without one that holds.
    index: Option<u64>,
    /// Entries that its checkpoint covers.
    tree_size: Option<u64>,
    /// Signatures on that checkpoint beside the log's; `station receipt` says what they are worth.
    cosignatures: u64,
    file: String,
}

impl RecordRow {
    fn new(queued: &Queued, receipted: bool, in_log: Option<InLog>) -> Self {
        Self {
            station: queued.tally.station.0,
            contest: queued.tally.contest.0,
            digest: hex::encode(queued.record.digest()),
            sealed_at: queued.tally.sealed_at,
            receipted,
            index: in_log.map(|place| place.index),
            tree_size: in_log.map(|place| place.tree_size),
            cosignatures: in_log.map_or(0, |place| place.cosignatures as u64),
            file: queued.path.display().to_string(),
        }
    }
}

impl RecordRow {
    fn place(&self) -> String {
        match (self.index, self.tree_size) {
            (Some(index), Some(size)) => format!("entry {index} of {size}, {} cosignatures", self.cosignatures),
            _ => String::new(),
        }
    }
}

impl Report for StatusReport {
    fn write_text(&self, out: &mut dyn fmt::Write) -> fmt::Result {
        let mut rows = table::new(["station", "contest", "receipt", "in the log", "record"]);
        for record in &self.records {
            let receipt = match (record.receipted, self.checked) {
                (false, _) => "waiting",
                (true, true) => "yes",
                (true, false) => "yes, not checked",
            };
            let digest = record.digest.get(..16).unwrap_or_default().to_owned();
            let (station, contest) = (record.station.to_string(), record.contest.to_string());
            rows.add_row([station, contest, receipt.to_owned(), record.place(), digest]);
        }
        table::align_right(&mut rows, 0..2);
        let messages = Messages::new(Lang::En);
        let summary = match self.waiting {
            0 => messages.text(Text::QueueEmpty),
            waiting => messages.with(Text::QueueWaiting, &[("n", waiting.into())]),
        };
        writeln!(out, "{rows}\n{summary}")
    }
}

pub(super) fn run(args: &Args, printer: &mut Printer) -> anyhow::Result<Exit> {
    let queue = Queue::open(&args.queue)?;
    let pack = args.pack.as_deref().map(Pack::read).transpose()?;
    let log_key = pack.as_ref().map(Pack::log_key).transpose()?;
    let row = |queued: &Queued| {
        let in_log = queued.in_log(pack.as_ref().map(|pack| &pack.log));
        RecordRow::new(queued, queued.is_receipted(log_key.as_ref()), in_log)
    };
    let records: Vec<_> = queue.records()?.iter().map(row).collect();
    let receipted = records.iter().filter(|record| record.receipted).count();
    let waiting = records.len() - receipted;
    printer.report(&StatusReport {
        receipted: receipted as u64,
        waiting: waiting as u64,
        in_log: records.iter().filter(|record| record.index.is_some()).count() as u64,
        checked: log_key.is_some(),
        records,
    });
    Ok(Exit::from_holds(waiting == 0))
}
