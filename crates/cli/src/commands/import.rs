//! `tallyproof import`: publishers' tables to an election package, by a declared mapping.

use std::collections::BTreeMap;
use std::fmt;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, bail};
use schemars::{JsonSchema, Schema, schema_for};
use serde::Serialize;
use tallyproof_evidence::{Imported, Input, Mapping, import};

use crate::package::{self, DEFINITION_FILES, ProblemRow, RESULTS_FILE, refusal};
use crate::table::{self, grouped};
use crate::{Exit, Printer, Report, files};

const REPORT_FILE: &str = "import-report.json";
const MAPPING_LIMIT: u64 = 1 << 20;
/// Packed or not, an input is read as a whole.
const INPUT_LIMIT: u64 = 1 << 32;
/// Problems shown to people; the report file has them all.
const SHOWN: usize = 20;

/// Problems that leave no doubt about the figures: the file says that it has none (`IM-04`), repeats what it has said
/// (`IM-09`), or differs in something that is not a count (`IM-13`, `IM-14`). `IM-12` only follows from another row's
/// problem, which decides.
const EXPLAINED: [&str; 5] = ["IM-04", "IM-09", "IM-12", "IM-13", "IM-14"];

/// Arguments of `tallyproof import`.
#[derive(Debug, clap::Args)]
#[command(after_help = "Example:\n  tallyproof import mapping.toml table.csv.xz --out my-election\n\n\
    docs/guide/import.md says how to write a mapping. The report of every row that was not used is also written to \
    import-report.json in the package.\n\n\
    Ends with 0 if every row was used, left out by a rule of the mapping, states no figures (the station is registered as \
    missing, never as zero) or repeats another; with 1 if the package was written and rows could not be understood or \
    contradict each other; with 2 if there is no package.")]
pub struct Args {
    /// Mapping file
    #[arg(value_name = "MAPPING")]
    mapping: PathBuf,
    /// Tables, also packed as .xz, .gz, .zst or .zip
    #[arg(value_name = "FILE", required = true)]
    inputs: Vec<PathBuf>,
    /// Folder for the election package
    #[arg(long, value_name = "DIR")]
    out: PathBuf,
    /// Replace an election package in the folder; a folder with anything else is never touched
    #[arg(long)]
    force: bool,
}

/// Result of `tallyproof import`.
#[derive(Debug, Serialize, JsonSchema)]
struct ImportReport {
    /// Data rows in all inputs.
    rows_read: u64,
    /// Rows whose figures stand in the package.
    rows_used: u64,
    /// Rows left out because the mapping says so.
    rows_filtered: u64,
    /// Rows from which nothing stands in the package; each is the place of a problem.
    rows_not_used: u64,
    /// Rows left out, by the mapping's rule.
    filtered: BTreeMap<String, u64>,
    /// Stations registered.
    stations: u64,
    /// Stations and contests with figures.
    records: u64,
    /// Stations and contests without figures. Missing is not zero.
    missing: u64,
    /// Votes by contest id and candidate id.
    totals: BTreeMap<String, BTreeMap<String, u64>>,
    /// Every row that was not used, and every remark.
    problems: Vec<ProblemRow>,
    /// Number of problems by code.
    problem_counts: BTreeMap<String, u64>,
    /// Tables that were read.
    inputs: Vec<InputRow>,
}

/// One table that was read.
#[derive(Debug, Serialize, JsonSchema)]
struct InputRow {
    /// File, and the member of an archive after `!`.
    name: String,
    encoding: String,
    /// Delimiter, or `fixed`.
    delimiter: String,
    /// Data rows.
    rows: u64,
}

impl From<tallyproof_evidence::Report> for ImportReport {
    fn from(report: tallyproof_evidence::Report) -> Self {
        let input = |read: tallyproof_evidence::report::TableRead| InputRow {
            name: read.name,
            encoding: read.encoding,
            delimiter: read.delimiter,
            rows: read.rows,
        };
        Self {
            rows_read: report.rows_read,
            rows_used: report.rows_used,
            rows_filtered: report.rows_filtered,
            rows_not_used: report.rows_not_used,
            filtered: report.filtered,
            stations: report.stations,
            records: report.records,
            missing: report.missing,
            totals: report.totals,
            problems: report.problems.iter().map(ProblemRow::from).collect(),
            problem_counts: report.problem_counts,
            inputs: report.inputs.into_iter().map(input).collect(),
        }
    }
}

impl ImportReport {
    fn is_explained(&self) -> bool {
        self.problem_counts.keys().all(|code| EXPLAINED.contains(&code.as_str()))
    }
}

impl Report for ImportReport {
    fn write_text(&self, out: &mut dyn fmt::Write) -> fmt::Result {
        for problem in self.problems.iter().take(SHOWN) {
            writeln!(out, "{problem}")?;
        }
        if self.problems.len() > SHOWN {
            writeln!(out, "… and {} more; all are in {REPORT_FILE}", self.problems.len() - SHOWN)?;
        }
        for (code, count) in &self.problem_counts {
            let codes = tallyproof_evidence::report::CODES;
            let about = codes.iter().find(|(known, _)| known == code).map_or("", |(_, about)| about);
            writeln!(out, "{code} ×{}: {about}", grouped(*count))?;
        }
        let mut rows = table::new(["contest", "candidate", "votes"]);
        for (contest, candidates) in &self.totals {
            for (candidate, votes) in candidates {
                rows.add_row([contest.clone(), candidate.clone(), grouped(*votes)]);
            }
        }
        table::align_right(&mut rows, [2]);
        writeln!(out, "\n{rows}\n")?;
        let [read, used, filtered, not_used] =
            [self.rows_read, self.rows_used, self.rows_filtered, self.rows_not_used].map(grouped);
        writeln!(out, "{read} rows read, {used} used, {filtered} left out by the mapping, {not_used} not used")?;
        let [stations, records, missing] = [self.stations, self.records, self.missing].map(grouped);
        writeln!(out, "{stations} stations, {records} records, {missing} missing")
    }
}

/// Runs `tallyproof import`.
pub fn run(args: &Args, printer: &mut Printer) -> anyhow::Result<Exit> {
    ensure_writable(&args.out, args.force)?;
    let name = args.mapping.display().to_string();
    let text = files::read_text(&args.mapping, MAPPING_LIMIT)?;
    let mapping = Mapping::parse(&text, &name)
        .map_err(|problems| refusal(format!("{name} is not a valid mapping"), &problems))?;
    let inputs = args.inputs.iter().map(|path| read_input(path)).collect::<anyhow::Result<Vec<_>>>()?;
    let progress = printer.spinner("importing");
    let imported = import(&mapping, &inputs);
    progress.finish_and_clear();
    let Imported { files, report } =
        imported.map_err(|problems| refusal("the tables make no election package".into(), &problems))?;
    let report = ImportReport::from(report);
    write(&args.out, &files, &report)?;
    printer.report(&report);
    Ok(Exit::from_holds(report.is_explained()))
}

fn read_input(path: &Path) -> anyhow::Result<Input> {
    Ok(Input { name: path.display().to_string(), bytes: files::read(path, INPUT_LIMIT)? })
}

/// An empty or new folder, or with `force` one that holds an earlier import and nothing else.
fn ensure_writable(folder: &Path, force: bool) -> anyhow::Result<()> {
    let shown = folder.display();
    fs::create_dir_all(folder).with_context(|| format!("cannot make the folder {shown}"))?;
    for entry in fs::read_dir(folder).with_context(|| format!("cannot read the folder {shown}"))? {
        let name = entry.with_context(|| format!("cannot read the folder {shown}"))?.file_name();
        let known = DEFINITION_FILES.iter().chain(&[RESULTS_FILE, REPORT_FILE]).any(|known| name == *known);
        if !known {
            bail!("{shown} holds {}, which is no file of an election package; name another folder", name.display());
        }
        if !force {
            bail!("{shown} holds an election package already; name another folder, or replace it with --force");
        }
    }
    Ok(())
}

fn write(folder: &Path, package: &[(String, Vec<u8>)], report: &ImportReport) -> anyhow::Result<()> {
    let mut text = serde_json::to_vec_pretty(report).context("the report cannot be written as JSON")?;
    text.push(b'\n');
    let package = package.iter().map(|(name, bytes)| (name.as_str(), bytes.as_slice()));
    package::write(folder, package.chain([(REPORT_FILE, text.as_slice())]))
}

/// The JSON Schemas of the command's results.
pub fn schemas() -> Vec<(&'static str, Schema)> {
    vec![("import", schema_for!(ImportReport))]
}
