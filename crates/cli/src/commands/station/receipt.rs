//! `tallyproof station receipt`: the second-stage receipts of the queue, from any copy of the bundle.

use std::fmt;
use std::path::PathBuf;

use anyhow::{Context, ensure};
use schemars::JsonSchema;
use serde::Serialize;
use tallyproof_log::compact::CompactReceipt;
use tallyproof_log::fork::ForkProof;
use tallyproof_log::merkle::{Hash, leaf_hash};
use tallyproof_log::proof::{Attested, LogProof};
use tallyproof_record::entry::Entry;
use tallyproof_record::proven;

use crate::commands::verify::read_trust;
use crate::pack::Pack;
use crate::station::copy::{Copy, Sought};
use crate::station::queue::{Beside, Queue, Queued};
use crate::{Exit, Printer, Report, bundle_source, table};

/// Arguments of `tallyproof station receipt`.
#[derive(Debug, clap::Args)]
#[command(after_help = "Example:\n  \
    tallyproof station receipt --queue queue --pack station-17.toml --from https://results.example/2026\n\n\
    The copy may be anybody's: what it says is verified against the log's key in the pack, and against the witness policy of --trust, or \
    else of the election's definition. A receipt that is kept already is replaced by a better one only.\n\n\
    Ends with 0 when every record is in the log under a checkpoint with the policy's quorum, with 1 if one is not, yet or ever.")]
pub(super) struct Args {
    /// Folder of sealed records
    #[arg(long, value_name = "DIR")]
    queue: PathBuf,
    /// The station's pack
    #[arg(long, value_name = "FILE")]
    pack: PathBuf,
    /// Folder or URL of a bundle, the centre's or any mirror's
    #[arg(long, value_name = "BUNDLE")]
    from: String,
    /// Trust file, for the policy in it
    #[arg(long, value_name = "FILE")]
    trust: Option<PathBuf>,
}

/// Result of `tallyproof station receipt`.
#[derive(Debug, Serialize, JsonSchema)]
pub(super) struct ReceiptReport {
    /// Whether every record is in the log, under a checkpoint with the quorum.
    complete: bool,
    /// Where the policy was taken from: `trust`, `definition`, or `copy` (whose maker could name witnesses of his own).
    policy_from: &'static str,
    /// The witness or group that the policy asks for; null if it asks for nobody.
    quorum: Option<String>,
    /// Entries in the copy's log.
    tree_size: u64,
    /// Whether the copy says that the log is finished.
    frozen: bool,
    records: Vec<RecordRow>,
    /// What in the copy does not hold, apart from single records.
    problems: Vec<String>,
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
    /// Whether the first-stage receipt is there and holds.
    receipted: bool,
    /// `in log`, `not yet`, `promise broken`, `forked` or `unusable`.
    outcome: Outcome,
    /// Entry of the log; null if it is not in there.
    index: Option<u64>,
    /// Entries that the checkpoint of the receipt covers.
    tree_size: Option<u64>,
    /// Witnesses of the policy who cosigned that checkpoint.
    cosignatures: u64,
    /// Whether these are the policy's quorum.
    quorum_met: bool,
    /// Bytes of the compact receipt.
    bytes: Option<u64>,
    /// Bytes of record and compact receipt together, as they fit a datagram or a QR code.
    together: Option<u64>,
    /// Parts of the proof that the compact receipt has no room for.
    left_out: Vec<String>,
    /// Whether a receipt that is as good or better was there already.
    kept: bool,
    /// Files written or kept beside the record.
    files: Vec<String>,
    /// Why there is no receipt, or none with a quorum; null if there is.
    why: Option<String>,
}

/// What became of a record.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, JsonSchema)]
enum Outcome {
    /// Its second-stage receipt holds.
    #[serde(rename = "in log")]
    InLog,
    /// The copy's log does not show it, and is not finished.
    #[serde(rename = "not yet")]
    NotYet,
    /// The log is finished without it, although the centre promised it.
    #[serde(rename = "promise broken")]
    PromiseBroken,
    /// The log that the copy shows is not the one of the receipt that was kept.
    #[serde(rename = "forked")]
    Forked,
    /// The copy could not be read, or does not hold.
    #[serde(rename = "unusable")]
    Unusable,
}

impl Outcome {
    fn as_str(self) -> &'static str {
        match self {
            Self::InLog => "in log",
            Self::NotYet => "not yet",
            Self::PromiseBroken => "promise broken",
            Self::Forked => "forked",
            Self::Unusable => "unusable",
        }
    }
}

impl RecordRow {
    fn new(queued: &Queued, receipted: bool, outcome: Outcome, why: Option<String>) -> Self {
        Self {
            station: queued.tally.station.0,
            contest: queued.tally.contest.0,
            digest: hex::encode(queued.record.digest()),
            receipted,
            outcome,
            index: None,
            tree_size: None,
            cosignatures: 0,
            quorum_met: false,
            bytes: None,
            together: None,
            left_out: Vec::new(),
            kept: false,
            files: Vec::new(),
            why,
        }
    }

    fn complete(&self) -> bool {
        self.outcome == Outcome::InLog && self.quorum_met
    }
}

impl Report for ReceiptReport {
    fn write_text(&self, out: &mut dyn fmt::Write) -> fmt::Result {
        let mut rows = table::new(["contest", "second stage", "entry", "of", "witnesses", "bytes", "record"]);
        for record in &self.records {
            let number = |number: Option<u64>| number.map(table::grouped).unwrap_or_default();
            rows.add_row([
                record.contest.to_string(),
                record.outcome.as_str().to_owned(),
                number(record.index),
                number(record.tree_size),
                record.cosignatures.to_string(),
                number(record.bytes),
                record.digest.get(..16).unwrap_or_default().to_owned(),
            ]);
        }
        table::align_right(&mut rows, [0, 2, 3, 4, 5]);
        writeln!(out, "{rows}")?;
        let whys = self.records.iter().filter_map(|record| Some((record.contest, record.why.as_ref()?)));
        whys.into_iter().try_for_each(|(contest, why)| writeln!(out, "contest {contest}: {why}"))?;
        self.problems.iter().try_for_each(|problem| writeln!(out, "problem: {problem}"))?;
        let whose = match self.policy_from {
            "trust" => "the policy of the trust file",
            "definition" => "the policy of the election's definition",
            _ => "the copy's own policy, whose maker could name witnesses of his own (give --trust)",
        };
        writeln!(out, "by {whose}: quorum {}", self.quorum.as_deref().unwrap_or("none"))
    }
}

pub(super) fn run(args: &Args, printer: &mut Printer) -> anyhow::Result<Exit> {
    let pack = Pack::read(&args.pack)?;
    let trust = args.trust.as_deref().map(read_trust).transpose()?;
    if let Some(trust) = &trust {
        ensure!(trust.log == pack.log, "the trust file names another log key than the pack");
        ensure!(trust.definition == pack.election, "the trust file is of another election than the pack");
    }
    let queue = Queue::open(&args.queue)?;
    let records = queue.records()?;
    let source = bundle_source::open(&args.from)?;
    let copy = Copy::open(source.as_ref(), &pack.log, &pack.election, trust.and_then(|trust| trust.policy))?;
    let desk = Desk { pack: &pack, queue: &queue, copy: &copy, indexed: copy.indexed(&pack.station)? };
    let progress = printer.progress(records.len() as u64, "looking for the records");
    let rows = records.iter().map(|queued| {
        progress.inc(1);
        desk.row(queued)
    });
    let rows = rows.collect::<anyhow::Result<Vec<_>>>()?;
    progress.finish_and_clear();
    let complete = copy.problems().is_empty() && rows.iter().all(RecordRow::complete);
    printer.report(&ReceiptReport {
        complete,
        policy_from: copy.policy_from().as_str(),
        quorum: copy.policy().quorum().map(str::to_owned),
        tree_size: copy.latest().map_or(0, |latest| latest.checkpoint.size),
        frozen: copy.last().is_some(),
        records: rows,
        problems: copy.problems().to_vec(),
    });
    Ok(Exit::from_holds(complete))
}

/// One station's queue beside one copy of the bundle.
struct Desk<'a> {
    pack: &'a Pack,
    queue: &'a Queue,
    copy: &'a Copy<'a>,
    /// The station's entries, as the copy's index lists them.
    indexed: Vec<u64>,
}

/// A proof with what it shows.
struct Held {
    proof: LogProof,
    attested: Attested,
}

impl Desk<'_> {
    fn row(&self, queued: &Queued) -> anyhow::Result<RecordRow> {
        let own = queued.tally.station == self.pack.number && queued.tally.election == self.pack.election;
        ensure!(own, "{} is not a record of the pack's station and election", queued.path.display());
        let receipted = queued.is_receipted(Some(&self.pack.log_key()?));
        let row = |outcome, why: String| RecordRow::new(queued, receipted, outcome, Some(why));
        let entry = Entry::Record(queued.record.as_bytes()).encode();
        let leaf = leaf_hash(&entry);
        let kept = self.kept(queued, &leaf);
        if let Some(fork) = kept.as_ref().and_then(|kept| self.fork(kept)) {
            return self.forked(queued, row(Outcome::Forked, String::new()), &fork);
        }
        let found = self.copy.find(&entry, &self.indexed).and_then(|sought| match sought {
            Sought::At(index) => Ok(Ok(self.copy.prove(index, &leaf)?)),
            absent => Ok(Err(absent)),
        });
        match (found, kept) {
            (Ok(Ok((proof, attested))), kept) => {
                let fresh = Held { proof, attested };
                let better = kept.as_ref().is_none_or(|kept| fresh.attested.worth() > kept.attested.worth());
                let held = if better { fresh } else { kept.unwrap_or(fresh) };
                self.in_log(queued, row(Outcome::InLog, String::new()), &leaf, &held, !better)
            }
            // What was proven once stays proven, whatever this copy shows.
            (_, Some(kept)) => self.in_log(queued, row(Outcome::InLog, String::new()), &leaf, &kept, true),
            (Ok(Err(Sought::InNone)), None) => self.absent(queued, receipted),
            (Ok(Err(_)), None) => Ok(row(
                Outcome::NotYet,
                "the copy shows no entry with the record; it may be a minute behind: ask again, or ask another copy"
                    .into(),
            )),
            (Err(error), None) => Ok(row(Outcome::Unusable, format!("{error:#}"))),
        }
    }

    /// The receipt that an earlier run kept, if it holds.
    fn kept(&self, queued: &Queued, leaf: &Hash) -> Option<Held> {
        let proof: LogProof = String::from_utf8(queued.beside(Beside::Proof).ok()??).ok()?.parse().ok()?;
        let attested = proof.attest(leaf, &self.pack.log, self.copy.policy()).ok()?;
        Some(Held { proof, attested })
    }

    /// A copy whose tiles cannot be read shows no fork; the search for the record says what is wrong with it.
    fn fork(&self, kept: &Held) -> Option<ForkProof> {
        self.copy.compare(&kept.proof, &kept.attested.checkpoint).ok()?
    }

    fn forked(&self, queued: &Queued, mut row: RecordRow, fork: &ForkProof) -> anyhow::Result<RecordRow> {
        let path = self.queue.store_beside(queued, Beside::Fork, fork.to_string().as_bytes())?;
        row.why = Some(format!(
            "the log has FORKED: its key signed the history that the kept receipt is of, and another, which this copy shows. {} proves it \
             to anybody: tallyproof verify {0}",
            path.display()
        ));
        row.files.push(path.display().to_string());
        Ok(row)
    }

    fn absent(&self, queued: &Queued, receipted: bool) -> anyhow::Result<RecordRow> {
        let row = |outcome, why: String| RecordRow::new(queued, receipted, outcome, Some(why));
        if !receipted {
            return Ok(row(
                Outcome::NotYet,
                "the log is finished without the record, and there is no receipt that promised it: ask the authority"
                    .into(),
            ));
        }
        let note = self.copy.last().context("a finished log has a final checkpoint")?.note.to_string();
        let path = self.queue.store_beside(queued, Beside::Final, note.as_bytes())?;
        let mut row = row(
            Outcome::PromiseBroken,
            format!(
                "the receipt is a signed promise that was NOT KEPT: the log is finished, all its entries were read, and the record is none \
                 of them. Keep the record, its receipt and {}: the log's key signed both",
                path.display()
            ),
        );
        row.files.push(path.display().to_string());
        Ok(row)
    }

    /// Writes the receipt in both forms, unless it is there.
    fn in_log(
        &self,
        queued: &Queued,
        mut row: RecordRow,
        leaf: &Hash,
        held: &Held,
        kept: bool,
    ) -> anyhow::Result<RecordRow> {
        let policy = self.copy.policy();
        let (compact, left_out) = CompactReceipt::of(&held.proof, leaf, &self.pack.log, policy)?;
        let bytes = compact.encode();
        for (kind, content) in [(Beside::Proof, held.proof.to_string().as_bytes()), (Beside::Compact, &bytes)] {
            // A crash between the two leaves a proof without its compact form: the next run writes that.
            let path = self.queue.store_beside(queued, kind, content)?;
            row.files.push(path.display().to_string());
        }
        row.index = Some(held.proof.index);
        row.tree_size = Some(held.attested.checkpoint.size);
        row.cosignatures = held.attested.cosigners.len() as u64;
        row.quorum_met = held.attested.quorum_met;
        row.bytes = Some(bytes.len() as u64);
        row.together = Some(proven::encode(&queued.record, &bytes).len() as u64);
        row.left_out = left_out.iter().map(ToString::to_string).collect();
        row.kept = kept;
        row.why = (!row.quorum_met).then(|| {
            let quorum = policy.quorum().unwrap_or("none");
            format!("in the log, but the policy's quorum {quorum} has not cosigned a checkpoint that covers it yet: ask again")
        });
        Ok(row)
    }
}
