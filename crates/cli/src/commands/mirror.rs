//! `tallyproof mirror`: keep a verified copy of a bundle.

use std::fmt;
use std::path::PathBuf;
use std::thread;
use std::time::Duration;

use schemars::{JsonSchema, Schema, schema_for};
use serde::Serialize;
use tallyproof_count::Verification;

use super::duration;
use crate::commands::verify::read_trust;
use crate::mirror::{self, Mirror, Round};
use crate::package::ProblemRow;
use crate::table::grouped;
use crate::{Exit, Printer, Report, bundle_source};

/// Arguments of `tallyproof mirror`.
#[derive(Debug, clap::Args)]
#[command(after_help = "Example:\n  \
    tallyproof mirror https://results.example/2026 copy --trust trust.toml --every 10s\n\n\
    DIR holds a bundle that any web server can serve and that `verify` takes like the centre's own. Nothing appears in it that was not \
    verified as a whole before. Where the source forks its log, shrinks it or changes what it has shown, DIR stays as it is; a fork \
    leaves its proof beside DIR.\n\n\
    Ends with 0 when DIR holds what the source shows, with 1 if that does not hold, with 2 if the source cannot be read. With --every it \
    goes on until the log is finished (`log/frozen`), or until the source has forked.")]
pub struct Args {
    /// Folder or URL of the bundle to copy
    #[arg(value_name = "SOURCE")]
    source: String,
    /// Folder of the copy; made if it is not there
    #[arg(value_name = "DIR")]
    dir: PathBuf,
    /// File with the definition hash, the log's key and a policy if you have one, from outside the bundle
    #[arg(long, value_name = "FILE")]
    trust: Option<PathBuf>,
    /// Look again after this time [default: once only]
    #[arg(long, value_name = "TIME", value_parser = duration)]
    every: Option<Duration>,
}

/// Result of `tallyproof mirror`.
#[derive(Debug, Default, Serialize, JsonSchema)]
pub struct MirrorReport {
    /// Whether the copy holds what the source shows.
    ok: bool,
    /// `updated`, `unchanged`, `behind`, `refused`, `damaged` or `forked`.
    outcome: &'static str,
    /// Rounds made.
    rounds: u64,
    /// Files fetched, over all rounds; of full tiles each once.
    files: u64,
    /// Their bytes.
    bytes: u64,
    /// Whether definition and log key are those of the trust file; null where nothing was verified.
    anchored: Option<bool>,
    /// Entries in the log that was verified; null where nothing was.
    tree_size: Option<u64>,
    /// Base64 of its root.
    root: Option<String>,
    /// Stations counted, once for each contest.
    counted: Option<u64>,
    /// Witnesses of the policy who cosigned it.
    cosignatures: Option<u64>,
    /// Whether the log is finished.
    frozen: Option<bool>,
    /// Everything that does not hold.
    problems: Vec<ProblemRow>,
    /// File with the proof that the log forked.
    fork: Option<String>,
    /// What was found, in words.
    statement: String,
}

impl Report for MirrorReport {
    fn write_text(&self, out: &mut dyn fmt::Write) -> fmt::Result {
        self.problems.iter().try_for_each(|problem| writeln!(out, "{problem}"))?;
        writeln!(out, "{}: {} files fetched, {} bytes", self.outcome, grouped(self.files), grouped(self.bytes))?;
        if let (Some(size), Some(root)) = (self.tree_size, &self.root) {
            writeln!(out, "{} entries · root {root}", grouped(size))?;
        }
        writeln!(out, "\n{}", self.statement)
    }
}

/// Runs `tallyproof mirror`.
pub fn run(args: &Args, printer: &mut Printer) -> anyhow::Result<Exit> {
    let trust = args.trust.as_deref().map(read_trust).transpose()?;
    let mirror = Mirror::open(&args.dir, trust)?;
    let mut follower = Follower { args, mirror: &mirror, report: MirrorReport::default() };
    let outcome = follower.follow(printer);
    mirror.close()?;
    outcome?;
    printer.report(&follower.report);
    Ok(Exit::from_holds(follower.report.ok))
}

/// The JSON Schemas of the command's results.
pub fn schemas() -> Vec<(&'static str, Schema)> {
    vec![("mirror", schema_for!(MirrorReport))]
}

struct Follower<'a> {
    args: &'a Args,
    mirror: &'a Mirror,
    report: MirrorReport,
}

impl Follower<'_> {
    fn follow(&mut self, printer: &Printer) -> anyhow::Result<()> {
        loop {
            let round = self.round(printer);
            let Some(period) = self.args.every else { return round.map(|round| self.report.take(round)) };
            match round {
                Ok(round) => {
                    let before = (self.report.outcome, self.report.tree_size);
                    self.report.take(round);
                    if before != (self.report.outcome, self.report.tree_size) {
                        printer.note(self.report.line());
                    }
                }
                // What was shown and is other now does not pass by itself.
                Err(error) if mirror::is_alarm(&error) => return Err(error),
                Err(error) => printer.note(format_args!("{error:#}; trying again")),
            }
            if self.report.ends() {
                return Ok(());
            }
            thread::sleep(period);
        }
    }

    fn round(&mut self, printer: &Printer) -> anyhow::Result<Round> {
        self.report.rounds += 1;
        // Anew in every round: a server that was silent may speak again.
        let source = bundle_source::open(&self.args.source)?;
        let progress = printer.progress(0, "mirroring");
        let round = self.mirror.round(source.as_ref(), &progress);
        progress.finish_and_clear();
        round
    }
}

impl MirrorReport {
    fn take(&mut self, round: Round) {
        self.problems.clear();
        match round {
            Round::Unchanged(found) => {
                let verified = found.map(|found| {
                    self.found(&found);
                    format!(" {}", found.statement)
                });
                let what = format!("The copy has everything that the source shows.{}", verified.unwrap_or_default());
                self.say(true, "unchanged", what);
            }
            Round::Behind { source, held } => {
                let what = format!(
                    "The source is behind: its log has {source} entries, the copy's {held}, or witnesses cosigned less of it. The copy is as \
                     it was. A log does not shrink: this is a cache or a slow mirror, or something is wrong there."
                );
                self.say(false, "behind", what);
            }
            Round::Updated(found, fetched) => {
                self.files += fetched.files;
                self.bytes += fetched.bytes;
                self.found(&found);
                self.say(true, "updated", found.statement);
            }
            Round::Refused(found) => {
                self.found(&found);
                self.say(false, "refused", format!("Nothing of it was taken. {}", found.statement));
            }
            Round::Unsound(why) => self.say(false, "refused", format!("Nothing of it was taken: {why}.")),
            Round::Damaged(found) => {
                self.found(&found);
                let what =
                    format!("The copy was damaged after it was made: keep it, and make another. {}", found.statement);
                self.say(false, "damaged", what);
            }
            Round::Forked { proof, what } => {
                let proof = proof.display().to_string();
                self.say(
                    false,
                    "forked",
                    format!("ALARM: {what}\nThe copy is as it was. Keep {proof}: `tallyproof verify {proof}`."),
                );
                self.fork = Some(proof);
            }
        }
    }

    fn say(&mut self, ok: bool, outcome: &'static str, statement: String) {
        (self.ok, self.outcome, self.statement) = (ok, outcome, statement);
    }

    fn found(&mut self, found: &Verification) {
        self.anchored = Some(found.anchored);
        self.tree_size = Some(found.tree_size);
        self.root = Some(found.root.clone());
        self.counted = Some(found.counted);
        self.cosignatures = Some(found.cosignatures);
        self.frozen = Some(found.frozen);
        self.problems = found.problems.iter().map(ProblemRow::from).collect();
    }

    fn line(&self) -> String {
        let size = self.tree_size.map(|size| format!(", {} entries", grouped(size))).unwrap_or_default();
        let problems = self.problems.first().map(|problem| format!(": {problem}")).unwrap_or_default();
        format!("{}{size}{problems}", self.outcome)
    }

    /// Whether there is nothing left to follow.
    fn ends(&self) -> bool {
        ["forked", "damaged"].contains(&self.outcome) || (self.ok && self.frozen == Some(true))
    }
}
