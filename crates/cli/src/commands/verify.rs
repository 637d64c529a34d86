//! `tallyproof verify`: redo everything that a bundle states.

use std::collections::BTreeMap;
use std::fmt;
use std::path::{Path, PathBuf};

use anyhow::{Context, ensure};
use schemars::{JsonSchema, Schema, schema_for};
use serde::Serialize;
use tallyproof_count::{Source, Trust, Verification};
use tallyproof_log::fork::{self, Fork, ForkError, ForkProof};

use crate::bundle_source::{self, Folder};
use crate::package::{ProblemRow, refusal};
use crate::table::{self, grouped};
use crate::{Exit, Printer, Report, files};

/// Room for a policy with as many ML-DSA-44 witnesses as one may have.
const TRUST_LIMIT: u64 = 1 << 18;

/// Arguments of `tallyproof verify`.
#[derive(Debug, clap::Args)]
#[command(after_help = "Example:\n  tallyproof verify bundles/example --trust trust.toml\n  \
    tallyproof verify https://results.example/2026\n  \
    tallyproof verify fork-0123456789abcdef.txt --trust trust.toml\n\n\
    The trust file holds what you know from elsewhere (a newspaper, paper): definition = \"<hash>\" and log = \"<key>\", \
    and if you choose the witnesses yourself, policy = \"\"\"<their policy>\"\"\". \
    Without it a bundle is only shown to agree with itself.\n\n\
    A file in place of a bundle is a fork proof, as a witness makes it: it is checked without any other file or network.\n\n\
    Ends with 0 if all holds, 1 if something does not, 2 if nothing could be verified.")]
pub struct Args {
    /// Folder or URL of the bundle, or file of a fork proof
    #[arg(value_name = "BUNDLE", required_unless_present = "from", conflicts_with = "from")]
    bundle: Option<String>,
    /// The same as BUNDLE: anybody's mirror will do
    #[arg(long, value_name = "MIRROR")]
    from: Option<String>,
    /// File with the definition hash, the log's key and a policy if you have one, from outside the bundle
    #[arg(long, value_name = "FILE")]
    trust: Option<PathBuf>,
    /// Proof that the bundle's log has forked; may be repeated
    #[arg(long, value_name = "FILE")]
    proof: Vec<PathBuf>,
}

/// Result of `tallyproof verify`.
#[derive(Debug, Serialize, JsonSchema)]
pub struct VerifyReport {
    /// Whether everything that was checked holds.
    ok: bool,
    /// Whether definition and log key are those of the trust file. If not, the bundle is at best consistent with itself.
    anchored: bool,
    /// Entries in the log.
    tree_size: u64,
    /// Base64 of the log's root, recomputed.
    root: String,
    /// Records in the log.
    records: u64,
    /// Stations counted, once for each contest.
    counted: u64,
    /// Stations in quarantine, once for each contest.
    quarantined: u64,
    /// Stations without a record that could be counted, once for each contest. Missing is not zero.
    missing: u64,
    /// Records rejected.
    rejected: u64,
    /// Witnesses of the policy whose cosignatures hold, on the latest checkpoint with the quorum, or else on the latest: of the trust
    /// file's policy, or else of the definition's.
    cosignatures: u64,
    /// Entries under the checkpoint that they cosigned; 0 without any.
    cosigned_size: u64,
    /// Whether the log is finished: its final checkpoint is pinned.
    frozen: bool,
    /// Definition hash.
    definition: String,
    /// Origin of the log.
    origin: String,
    /// `drill` or `official`.
    phase: String,
    /// Votes as counted, by contest id and candidate id, recomputed from the log.
    totals: BTreeMap<String, BTreeMap<String, u64>>,
    /// Votes as it stands: with the corrections in force.
    totals_as_it_stands: BTreeMap<String, BTreeMap<String, u64>>,
    /// Statements in the log, whatever became of them: key changes, endorsements, corrections, bulletins, policies.
    statements: u64,
    /// Corrections in force: stations whose figures the authority has replaced or annulled, once for each contest.
    corrections: u64,
    /// Records that agents, or their stations once more, have endorsed.
    endorsed: u64,
    /// Bulletins in effect.
    bulletins: u64,
    /// Everything that does not hold.
    problems: Vec<ProblemRow>,
    /// What does not hold yet in a log that is not finished.
    warnings: Vec<ProblemRow>,
    /// What was shown and what was not.
    statement: String,
}

impl From<&Verification> for VerifyReport {
    fn from(found: &Verification) -> Self {
        Self {
            ok: found.ok,
            anchored: found.anchored,
            tree_size: found.tree_size,
            root: found.root.clone(),
            records: found.records,
            counted: found.counted,
            quarantined: found.quarantined,
            missing: found.missing,
            rejected: found.rejected,
            cosignatures: found.cosignatures,
            cosigned_size: found.cosigned_size,
            frozen: found.frozen,
            definition: found.definition.clone(),
            origin: found.origin.clone(),
            phase: found.phase.clone(),
            totals: found.totals.clone(),
            totals_as_it_stands: found.totals_as_it_stands.clone(),
            statements: found.statements,
            corrections: found.corrections,
            endorsed: found.endorsed,
            bulletins: found.bulletins,
            problems: found.problems.iter().map(ProblemRow::from).collect(),
            warnings: found.warnings.iter().map(ProblemRow::from).collect(),
            statement: found.statement.clone(),
        }
    }
}

impl Report for VerifyReport {
    fn write_text(&self, out: &mut dyn fmt::Write) -> fmt::Result {
        for problem in &self.problems {
            writeln!(out, "{problem}")?;
        }
        if !self.problems.is_empty() {
            writeln!(out, "problems: {}\n", self.problems.len())?;
        }
        for warning in &self.warnings {
            writeln!(out, "warning: {warning}")?;
        }
        self.write_totals(out)?;
        let [counted, quarantined, missing, rejected] =
            [self.counted, self.quarantined, self.missing, self.rejected].map(grouped);
        writeln!(
            out,
            "{counted} counted, {quarantined} in quarantine, {missing} missing, {rejected} records rejected"
        )?;
        if self.statements > 0 {
            let [statements, corrections, endorsed, bulletins] =
                [self.statements, self.corrections, self.endorsed, self.bulletins].map(grouped);
            writeln!(
                out,
                "{statements} statements: {corrections} corrections in force, {endorsed} records endorsed, {bulletins} bulletins"
            )?;
        }
        writeln!(out, "log {} · {} entries · root {}", self.origin, grouped(self.tree_size), self.root)?;
        writeln!(out, "definition {} ({})", self.definition, self.phase)?;
        writeln!(out, "\n{}", self.statement)
    }
}

impl VerifyReport {
    /// Votes as counted and, where a correction is in force, as it stands.
    fn write_totals(&self, out: &mut dyn fmt::Write) -> fmt::Result {
        let corrected = self.corrections > 0;
        let heads = ["contest", "candidate", if corrected { "as counted" } else { "votes" }, "as it stands"];
        let columns = if corrected { 4 } else { 3 };
        let mut rows = table::new(heads.into_iter().take(columns));
        for (contest, candidates) in &self.totals {
            for (candidate, votes) in candidates {
                let stands = self.totals_as_it_stands.get(contest).and_then(|votes| votes.get(candidate));
                let stands = stands.copied().map(grouped).unwrap_or_default();
                rows.add_row([contest.clone(), candidate.clone(), grouped(*votes), stands].into_iter().take(columns));
            }
        }
        table::align_right(&mut rows, 2..columns);
        if rows.is_empty() { Ok(()) } else { writeln!(out, "{rows}\n") }
    }
}

/// Result of `tallyproof verify` of a fork proof.
#[derive(Debug, Serialize, JsonSchema)]
pub struct ForkReport {
    /// Whether the proof holds: the log has forked.
    ok: bool,
    /// Whether the log's key is the one of the trust file. If not, anybody may have made key, checkpoints and proof.
    anchored: bool,
    /// The fork.
    fork: ForkRow,
}

/// What a fork proof comes to.
#[derive(Debug, Serialize, JsonSchema)]
pub struct ForkRow {
    /// Whether it is proven.
    proven: bool,
    /// Origin of the log that the proof names.
    origin: String,
    /// C2SP verifier key of the log that the proof names.
    log: String,
    /// Entries under the two checkpoints.
    sizes: Vec<u64>,
    /// Base64 of their roots.
    roots: Vec<String>,
    /// What was shown and what was not.
    statement: String,
}

impl ForkReport {
    fn new(log: &str, origin: &str, trusted: bool, found: &Result<Fork, ForkError>) -> Self {
        let (checkpoints, mut statement) = match found {
            Ok(fork) => (vec![&fork.one, &fork.other], fork.to_string()),
            Err(error) => (Vec::new(), format!("No fork is proven: {error}.")),
        };
        if found.is_ok() && !trusted {
            statement.push_str(" Nor that the key is that of the log meant (give a trust file for that).");
        }
        let fork = ForkRow {
            proven: found.is_ok(),
            origin: origin.to_owned(),
            log: log.to_owned(),
            sizes: checkpoints.iter().map(|checkpoint| checkpoint.size).collect(),
            roots: checkpoints.iter().map(|checkpoint| checkpoint.root.to_base64()).collect(),
            statement,
        };
        Self { ok: fork.proven, anchored: trusted, fork }
    }
}

impl Report for ForkReport {
    fn write_text(&self, out: &mut dyn fmt::Write) -> fmt::Result {
        writeln!(out, "{}", if self.ok { "FORK PROVEN" } else { "not proven" })?;
        writeln!(out, "log {}", self.fork.log)?;
        for (size, root) in self.fork.sizes.iter().zip(&self.fork.roots) {
            writeln!(out, "{} entries · root {root}", grouped(*size))?;
        }
        writeln!(out, "\n{}", self.fork.statement)
    }
}

fn verify_proof(path: &Path, trust: Option<&Trust>, printer: &mut Printer) -> anyhow::Result<Exit> {
    let proof = read_proof(path)?;
    let log = proof.log();
    let trusted = trust.is_some_and(|trust| trust.log == *log);
    let found = proof.verify();
    let other_log = trust.filter(|_| !trusted).map(|trust| trust.log.to_string());
    let mut report = ForkReport::new(&log.to_string(), log.name().as_str(), trusted, &found);
    if let Some(other) = other_log {
        report.ok = false;
        let unlike = format!(" The trusted log's key is another, {other}: this is no proof about that log.");
        report.fork.statement.push_str(&unlike);
    }
    printer.report(&report);
    Ok(Exit::from_holds(report.ok))
}

fn read_proof(path: &Path) -> anyhow::Result<ForkProof> {
    let text = files::read_text(path, fork::MAX_LEN as u64)?;
    text.parse().with_context(|| format!("{} cannot be used", path.display()))
}

/// Holds proven forks against the bundle that they are about.
fn accuse(found: &mut Verification, proofs: &[PathBuf]) -> anyhow::Result<()> {
    for path in proofs {
        let shown = path.display();
        let fork = read_proof(path)?.verify().with_context(|| format!("{shown} proves nothing"))?;
        ensure!(found.accuse(&fork, &shown.to_string()), "{shown} is about the log of another key, {}", fork.log);
    }
    Ok(())
}

/// Runs `tallyproof verify`.
pub fn run(args: &Args, printer: &mut Printer) -> anyhow::Result<Exit> {
    let trust = args.trust.as_deref().map(read_trust).transpose()?;
    let place = args.bundle.as_ref().or(args.from.as_ref()).context("name a bundle")?;
    if Path::new(place).is_file() {
        ensure!(args.proof.is_empty(), "--proof is held against a bundle, and {place} is a file");
        return verify_proof(Path::new(place), trust.as_ref(), printer);
    }
    let mut found = verify(bundle_source::open(place)?.as_ref(), trust.as_ref(), printer)?;
    accuse(&mut found, &args.proof)?;
    printer.report(&VerifyReport::from(&found));
    Ok(Exit::from_holds(found.ok))
}

/// Verifies the bundle in a folder, as an outsider would.
pub fn verify_folder(folder: &Path, trust: Option<&Trust>, printer: &Printer) -> anyhow::Result<Verification> {
    verify(&Folder::open(folder)?, trust, printer)
}

/// Verifies a bundle, and shows how far it is.
pub fn verify(source: &dyn Source, trust: Option<&Trust>, printer: &Printer) -> anyhow::Result<Verification> {
    let progress = printer.progress(0, "verifying");
    let found = tallyproof_count::verify(source, trust, &|done, total| {
        progress.set_length(total);
        progress.set_position(done);
    });
    progress.finish_and_clear();
    Ok(found?)
}

/// Reads a trust file.
pub fn read_trust(path: &Path) -> anyhow::Result<Trust> {
    let bytes = files::read(path, TRUST_LIMIT)?;
    let name = path.display().to_string();
    Trust::parse(&bytes, &name).map_err(|problems| refusal(format!("{name} is not a trust file"), &problems))
}

/// The JSON Schemas of the command's results.
pub fn schemas() -> Vec<(&'static str, Schema)> {
    vec![("verify", schema_for!(VerifyReport)), ("verify-fork", schema_for!(ForkReport))]
}
