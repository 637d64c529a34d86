//! `tallyproof verify`: redo everything that a bundle states.

use std::collections::BTreeMap;
use std::fmt;
use std::path::{Path, PathBuf};

use anyhow::Context;
use schemars::{JsonSchema, Schema, schema_for};
use serde::Serialize;
use tallyproof_count::{Source, Trust, Verification};

use crate::bundle_source::{self, Folder};
use crate::package::{ProblemRow, refusal};
use crate::table::{self, grouped};
use crate::{Exit, Printer, Report, files};

/// Room for a policy with as many ML-DSA-44 witnesses as one may have.
const TRUST_LIMIT: u64 = 1 << 18;

/// Arguments of `tallyproof verify`.
#[derive(Debug, clap::Args)]
#[command(after_help = "Example:\n  tallyproof verify bundles/example --trust trust.toml\n  \
    tallyproof verify https://results.example/2026\n\n\
    The trust file holds what you know from elsewhere (a newspaper, paper): definition = \"<hash>\" and log = \"<key>\", \
    and if you choose the witnesses yourself, policy = \"\"\"<their policy>\"\"\". \
    Without it a bundle is only shown to agree with itself.\n\n\
    Ends with 0 if all holds, 1 if something does not, 2 if nothing could be verified.")]
pub struct Args {
    /// Folder or URL of the bundle
    #[arg(value_name = "BUNDLE", required_unless_present = "from", conflicts_with = "from")]
    bundle: Option<String>,
    /// The same as BUNDLE: anybody's mirror will do
    #[arg(long, value_name = "MIRROR")]
    from: Option<String>,
    /// File with the definition hash, the log's key and a policy if you have one, from outside the bundle
    #[arg(long, value_name = "FILE")]
    trust: Option<PathBuf>,
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
    /// Witnesses of the policy whose cosignatures on the checkpoint hold: of the trust file's policy, or else of the bundle's.
    cosignatures: u64,
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

/// Runs `tallyproof verify`.
pub fn run(args: &Args, printer: &mut Printer) -> anyhow::Result<Exit> {
    let trust = args.trust.as_deref().map(read_trust).transpose()?;
    let place = args.bundle.as_ref().or(args.from.as_ref()).context("name a bundle")?;
    let source = bundle_source::open(place)?;
    let found = verify(source.as_ref(), trust.as_ref(), printer)?;
    printer.report(&VerifyReport::from(&found));
    Ok(Exit::from_holds(found.ok))
}

/// Verifies the bundle in a folder, as an outsider would.
pub fn verify_folder(folder: &Path, trust: Option<&Trust>, printer: &Printer) -> anyhow::Result<Verification> {
    verify(&Folder::open(folder)?, trust, printer)
}

fn verify(source: &dyn Source, trust: Option<&Trust>, printer: &Printer) -> anyhow::Result<Verification> {
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
    vec![("verify", schema_for!(VerifyReport))]
}
