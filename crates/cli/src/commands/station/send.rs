//! `tallyproof station send`: every sealed record to the centre, again and again, until its receipt has come.

use std::fmt;
use std::path::PathBuf;
use std::time::Duration;

use anyhow::ensure;
use schemars::JsonSchema;
use serde::Serialize;
use tallyproof_station::{Outbox, Receipted, RetryPolicy};

use crate::pack::Pack;
use crate::station;
use crate::station::address::Address;
use crate::station::queue::{Queue, Queued};
use crate::station::send::{self, Event, Refusal, Sent};
use crate::{Exit, Printer, Report};

/// Arguments of `tallyproof station send`.
#[derive(Debug, clap::Args)]
#[command(after_help = "Example:\n  \
    tallyproof station send --queue queue --pack station-17.toml \\\n    \
    --via udp://centre.example:7410 --via https://relay.example:7420 --via file:/media/stick\n\n\
    All ways are tried side by side; a receipt by any of them will do. Ends with 0 when every record in the queue has its receipt, with 1 if some still wait when --timeout is over or if \
    every way to the centre refused one for good. With file: ways \
    alone and no --timeout it ends once the folders have the records. The queue survives all of it, and a power loss: run \
    the command again.")]
pub(super) struct Args {
    /// Folder of sealed records
    #[arg(long, value_name = "DIR")]
    queue: PathBuf,
    /// The station's pack
    #[arg(long, value_name = "FILE")]
    pack: PathBuf,
    /// Way to the centre: udp://HOST:PORT, https://HOST/PATH or file:DIR; may be repeated [default: those in the pack]
    #[arg(long, value_name = "URL", alias = "to")]
    via: Vec<String>,
    /// Certificates (PEM) to trust in place of the public authorities
    #[arg(long, value_name = "FILE")]
    ca: Option<PathBuf>,
    /// Give up after this many seconds [default: never]
    #[arg(long, value_name = "SECONDS")]
    timeout: Option<u64>,
}

/// Result of `tallyproof station send`.
#[derive(Debug, Serialize, JsonSchema)]
pub(super) struct SendReport {
    /// Records that had their receipt before.
    before: u64,
    /// Receipts that came.
    receipts: Vec<ReceiptRow>,
    /// Records that still wait.
    waiting: u64,
    /// Records that every way to the centre refused for good. They stay in the queue.
    refused: Vec<RefusedRow>,
    /// Transmissions made.
    transmissions: u64,
}

/// One receipt.
#[derive(Debug, Serialize, JsonSchema)]
struct ReceiptRow {
    /// Contest number.
    contest: u16,
    /// SHA-256 of the sealed record.
    digest: String,
    /// The way by which the receipt came.
    path: String,
    /// Transmissions that it took, over all ways.
    tries: u32,
    /// Milliseconds from the first transmission.
    waited_ms: u64,
}

/// One record that the centre does not take, and its last answer.
#[derive(Debug, Serialize, JsonSchema)]
struct RefusedRow {
    /// SHA-256 of the sealed record.
    digest: String,
    /// The way that refused it last.
    way: String,
    /// HTTP status: 400, 403 or 413.
    status: u16,
    /// The centre's words, its code first: `signature: …`.
    reason: String,
}

impl From<&Refusal> for RefusedRow {
    fn from(refusal: &Refusal) -> Self {
        Self {
            digest: hex::encode(refusal.digest),
            way: refusal.way.to_string(),
            status: refusal.status,
            reason: refusal.reason.clone(),
        }
    }
}

impl ReceiptRow {
    fn new(receipted: &Receipted, ways: &[Address]) -> Self {
        Self {
            contest: receipted.receipt.contest.0,
            digest: hex::encode(receipted.receipt.digest),
            path: ways.get(receipted.path).map(Address::to_string).unwrap_or_default(),
            tries: receipted.tries,
            waited_ms: receipted.waited_ms,
        }
    }
}

impl Report for SendReport {
    fn write_text(&self, out: &mut dyn fmt::Write) -> fmt::Result {
        let came = self.receipts.len();
        let (before, waiting, made) = (self.before, self.waiting, self.transmissions);
        for RefusedRow { digest, way, status, reason } in &self.refused {
            writeln!(out, "record {digest} was refused by {way}: {status} {reason}")?;
        }
        let refused = self.refused.len();
        writeln!(
            out,
            "{came} receipts came, {before} were there, {waiting} records wait, {refused} were refused; {made} transmissions"
        )
    }
}

pub(super) fn run(args: &Args, printer: &mut Printer) -> anyhow::Result<Exit> {
    let pack = Pack::read(&args.pack)?;
    let queue = Queue::open(&args.queue)?;
    let log_key = pack.log_key()?;
    let (done, open): (Vec<_>, Vec<_>) =
        queue.records()?.into_iter().partition(|queued| queued.is_receipted(Some(&log_key)));
    ensure_own(&open, &pack)?;
    let ways = Address::parse_all(if args.via.is_empty() { &pack.centre } else { &args.via })?;
    ensure!(!ways.is_empty(), "the pack names no way to the centre; give one with --via");
    let mut outbox =
        Outbox::new(pack.identity()?, policies(&ways), station::jitter_seed()?).resume_after(queue.last_attempt()?);
    for queued in open {
        outbox.enqueue(send::now_ms(), queued.record);
    }
    let sent =
        if outbox.pending() == 0 { Sent::default() } else { transmit(args, &ways, &queue, &mut outbox, printer)? };
    let waiting = outbox.pending();
    printer.report(&SendReport {
        before: done.len() as u64,
        receipts: sent.receipts.iter().map(|receipted| ReceiptRow::new(receipted, &ways)).collect(),
        waiting: waiting as u64,
        refused: sent.refused.iter().map(RefusedRow::from).collect(),
        transmissions: sent.transmissions,
    });
    Ok(Exit::from_holds(waiting == 0 && sent.refused.is_empty()))
}

fn transmit(
    args: &Args,
    ways: &[Address],
    queue: &Queue,
    outbox: &mut Outbox,
    printer: &Printer,
) -> anyhow::Result<Sent> {
    let timeout = args.timeout.map(Duration::from_secs);
    send::until_receipted(outbox, queue, ways, args.ca.as_deref(), timeout, &mut |event| match event {
        Event::Receipt(Receipted { receipt, tries, .. }, way) => {
            printer.note(format_args!("{way}: receipt for contest {}, {tries} tries", receipt.contest));
        }
        Event::Failed(way, why) => printer.note(format_args!("{way}: {why}; trying again")),
        Event::Refused(Refusal { way, status, reason, .. }) => {
            printer.note(format_args!("{way}: refused for good: {status} {reason}"));
        }
        Event::Stored(way) => {
            printer.note(format_args!("{way}: the record is in the folder; carry it to the centre or to a relay"));
        }
    })
}

/// Where a datagram may do, it goes first: an HTTPS connection for each record of a country would be the flood to fear.
const HEAD_START_MS: u64 = 2_000;

fn policies(ways: &[Address]) -> Vec<RetryPolicy> {
    let datagrams = ways.iter().any(|way| matches!(way, Address::Udp(_)));
    let policy = |way: &Address| match way {
        Address::Http(_) if datagrams => RetryPolicy::default().starting_after(HEAD_START_MS),
        _ => RetryPolicy::default(),
    };
    ways.iter().map(policy).collect()
}

/// Another station's or election's records would be sent in vain for ever.
fn ensure_own(open: &[Queued], pack: &Pack) -> anyhow::Result<()> {
    let foreign =
        open.iter().find(|queued| queued.tally.station != pack.number || queued.tally.election != pack.election);
    match foreign {
        Some(queued) => anyhow::bail!("{} is not a record of the pack's station and election", queued.path.display()),
        None => Ok(()),
    }
}
