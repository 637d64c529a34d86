//! `tallyproof centre ingest`: the records and statements of a folder, such as a USB stick, to the running centre; the receipts back beside them.

mod carry;
mod walk;

use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::time::Duration;

use anyhow::{bail, ensure};
use ed25519_dalek::VerifyingKey;
use indicatif::ProgressBar;
use schemars::JsonSchema;
use serde::Serialize;
use tallyproof_log::note::VerifierKey;
use tallyproof_record::definition::DefinitionHash;

use self::carry::{Counter, Fate};
use self::walk::walk;
use crate::commands::verify::read_trust;
use crate::pack::ed25519;
use crate::statement::Paper;
use crate::station::address::{Address, RECORDS_PATH, STATEMENTS_PATH};
use crate::{Exit, Printer, Report, files, http};

/// Records on their way at a time: the centre makes a group of them durable together.
const PARALLEL: usize = 16;
const TIMEOUT: Duration = Duration::from_secs(20);
const CA_LIMIT: u64 = 1 << 20;
/// Files of one kind that the text names; JSON names all.
const SHOWN: usize = 20;

/// Arguments of `tallyproof centre ingest`.
#[derive(Debug, clap::Args)]
#[command(after_help = "Example:\n  \
    tallyproof centre ingest /media/stick --to http://127.0.0.1:7411 --trust trust.toml\n\n\
    Takes every *.statement below the folder, then every *.cose: a record may need a key that a statement brings. The stick carries the receipts home; the command can be run again at any time. \
    Ends with 0 when everything has its receipt, with 1 if something has not.")]
pub(super) struct Args {
    /// Folder with sealed records and signed statements, in any depth; it has to be writable for the receipts
    #[arg(value_name = "FOLDER")]
    folder: PathBuf,
    /// Where the centre takes records, such as http://127.0.0.1:7411
    #[arg(long, value_name = "URL")]
    to: String,
    /// The log's verifier key, which signs receipts
    #[arg(long, value_name = "VKEY", conflicts_with = "trust")]
    log: Option<VerifierKey>,
    /// File with the definition hash and the log's key, as for `verify`
    #[arg(long, value_name = "FILE")]
    trust: Option<PathBuf>,
    /// Certificates (PEM) to trust in place of the public authorities
    #[arg(long, value_name = "FILE")]
    ca: Option<PathBuf>,
}

/// Result of `tallyproof centre ingest`. Every file is in one of the counts or lists, and in one alone.
#[derive(Debug, Default, Serialize, JsonSchema)]
pub(super) struct IngestReport {
    /// Files found. A folder that cannot be read counts as one.
    files: u64,
    /// Records and statements whose receipt came and was written beside them.
    receipted: u64,
    /// Records and statements whose receipt was there before, and statements whose every signature the centre has by other copies.
    already: u64,
    /// Receipts beside them when the command began.
    receipt_files: u64,
    /// Whether the receipts' signatures were checked with a key given by --log or --trust.
    verified: bool,
    /// Files named as records or statements that no centre of the election takes.
    refused: Vec<RefusedRow>,
    /// Files that claim to be neither.
    not_records: Vec<FileRow>,
    /// Records and statements without a receipt for now, and what could not be read.
    failed: Vec<FileRow>,
}

/// A file whose record is refused.
#[derive(Debug, Serialize, JsonSchema)]
struct RefusedRow {
    /// Its path.
    file: String,
    /// The check that refused it, as in the centre's answers; `election` for a record of another election than the trust file's.
    code: String,
    /// In words.
    reason: String,
}

/// A file, and what is to say of it.
#[derive(Debug, Serialize, JsonSchema)]
struct FileRow {
    /// Its path.
    file: String,
    /// What is wrong, and what to do.
    why: String,
}

impl IngestReport {
    fn enter(&mut self, path: &Path, fate: Fate) {
        let file = path.display().to_string();
        match fate {
            Fate::Receipted => self.receipted += 1,
            Fate::Already => self.already += 1,
            Fate::Refused { code, reason } => self.refused.push(RefusedRow { file, code, reason }),
            Fate::Failed(why) => self.failed.push(FileRow { file, why }),
        }
    }

    fn holds(&self) -> bool {
        self.refused.is_empty() && self.failed.is_empty()
    }
}

impl Report for IngestReport {
    fn write_text(&self, out: &mut dyn fmt::Write) -> fmt::Result {
        let others = self.not_records.iter().map(|row| (&row.file, row.why.clone()));
        list(out, "not a record", others)?;
        let refused = self.refused.iter().map(|row| (&row.file, format!("{}: {}", row.code, row.reason)));
        list(out, "refused", refused)?;
        list(out, "failed", self.failed.iter().map(|row| (&row.file, row.why.clone())))?;
        let (files, receipted, already) = (self.files, self.receipted, self.already);
        let (refused, failed) = (self.refused.len(), self.failed.len());
        writeln!(
            out,
            "{files} files: {receipted} receipts came, {already} were there, {refused} records refused, {failed} failed"
        )
    }
}

/// Names on a foreign stick may hold anything; the terminal sees no control characters.
fn list<'r>(
    out: &mut dyn fmt::Write,
    what: &str,
    rows: impl ExactSizeIterator<Item = (&'r String, String)>,
) -> fmt::Result {
    let more = rows.len().saturating_sub(SHOWN);
    for (file, why) in rows.take(SHOWN) {
        writeln!(out, "{what}: {}: {}", file.escape_debug(), why.escape_debug())?;
    }
    if more > 0 {
        writeln!(out, "{what}: {more} more; --json names them")?;
    }
    Ok(())
}

pub(super) fn run(args: &Args, printer: &mut Printer) -> anyhow::Result<Exit> {
    let folder = args.folder.display();
    ensure!(args.folder.is_dir(), "{folder} is not a folder; is the stick mounted?");
    let counter = counter(args)?;
    if counter.log.is_none() {
        printer.note("the receipts' signatures are not checked: give the log's key with --log or --trust");
    }
    let ca = args.ca.as_deref().map(|path| files::read(path, CA_LIMIT)).transpose()?;
    let agents: Vec<_> =
        (0..PARALLEL).map(|_| http::agent(TIMEOUT, ca.as_deref())).collect::<anyhow::Result<Vec<_>>>()?;

    let found = walk(&args.folder);
    let mut report = IngestReport {
        files: found.len(),
        receipt_files: found.receipts,
        verified: counter.log.is_some(),
        ..IngestReport::default()
    };
    let progress = printer.progress((found.records.len() + found.statements.len()) as u64, "records");
    // One after the other: what one says may rest on another.
    let statements = in_order(found.statements);
    for (path, fate) in statements.iter().zip(carry_all(&counter, &statements, agents[..1].to_vec(), &progress)) {
        report.enter(path, fate);
    }
    for (path, fate) in found.records.iter().zip(carry_all(&counter, &found.records, agents, &progress)) {
        report.enter(path, fate);
    }
    progress.finish_and_clear();
    for (path, why) in found.others {
        report.not_records.push(FileRow { file: path.display().to_string(), why: why.to_owned() });
    }
    for (path, error) in found.unreadable {
        report.enter(&path, Fate::Failed(format!("cannot be read: {error}")));
    }
    let holds = report.holds();
    printer.report(&report);
    Ok(Exit::from_holds(holds))
}

fn counter(args: &Args) -> anyhow::Result<Counter> {
    let Address::Http(url) = Address::parse(&args.to)? else {
        bail!("--to {}: write where the centre takes records over HTTP, such as http://127.0.0.1:7411", args.to)
    };
    // Beside the records' lane, wherever that is.
    let statements_url = match url.strip_suffix(RECORDS_PATH) {
        Some(centre) => format!("{centre}{STATEMENTS_PATH}"),
        None => url.clone(),
    };
    let (log, election) = trusted(args)?;
    Ok(Counter { url, statements_url, log, election, gone: OnceLock::new() })
}

/// What the operator knows from outside: the log's key and the election.
fn trusted(args: &Args) -> anyhow::Result<(Option<VerifyingKey>, Option<DefinitionHash>)> {
    if let Some(path) = &args.trust {
        let trust = read_trust(path)?;
        return Ok((Some(ed25519(&trust.log)?), Some(trust.definition)));
    }
    Ok((args.log.as_ref().map(ed25519).transpose()?, None))
}

/// Statements by kind, keys first, then by the time of their drafts.
fn in_order(mut statements: Vec<PathBuf>) -> Vec<PathBuf> {
    statements.sort_by_cached_key(|path| {
        let read = Paper::read(path).ok();
        read.map(|paper| (paper.statement().kind(), paper.statement().made_at))
    });
    statements
}

/// Carries every file, one connection an agent; fates in the order of the paths.
fn carry_all(counter: &Counter, paths: &[PathBuf], agents: Vec<ureq::Agent>, progress: &ProgressBar) -> Vec<Fate> {
    let next = AtomicUsize::new(0);
    let carry = |agent: ureq::Agent| {
        let mut fates = Vec::new();
        while let Some((number, path)) = Some(next.fetch_add(1, Relaxed)).and_then(|n| Some((n, paths.get(n)?))) {
            fates.push((number, counter.carry(path, &agent)));
            progress.inc(1);
        }
        fates
    };
    let mut fates: Vec<(usize, Fate)> = std::thread::scope(|scope| {
        let threads: Vec<_> = agents.into_iter().map(|agent| scope.spawn(|| carry(agent))).collect();
        // A fault of the program in a thread is one here.
        let joined = threads
            .into_iter()
            .flat_map(|thread| thread.join().unwrap_or_else(|fault| std::panic::resume_unwind(fault)));
        joined.collect()
    });
    fates.sort_unstable_by_key(|(number, _)| *number);
    fates.into_iter().map(|(_, fate)| fate).collect()
}
