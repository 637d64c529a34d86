//! `tallyproof settled`: whether what is not counted can change an outcome, from published figures.

use std::collections::BTreeMap;
use std::fmt;
use std::path::PathBuf;

use schemars::{JsonSchema, Schema, schema_for};
use serde::Serialize;
use tallyproof_count::settled::published::Published;
use tallyproof_count::settled::{Answer, LIMIT, MixedStatement, Question, Statement};

use crate::package::refusal;
use crate::table::{self, grouped};
use crate::{Exit, Printer, Report, files};

const FILE_LIMIT: u64 = 4 << 20;
/// Ways of change and stations shown to people; `--json` has more.
const SHOWN: usize = 10;

/// Arguments of `tallyproof settled`.
#[derive(Debug, clap::Args)]
#[command(after_help = "Example:\n  tallyproof settled examples/settled/bulletin-2.toml\n\n\
    The file states the figures, their source, and what bounds the votes that are not counted: docs/spec/settled.md. Every \
    statement is printed with all its premises.\n\n\
    Ends with 0 if nothing that is outstanding can change the outcome, with 1 if it can, with 2 if the file cannot be used.")]
pub struct Args {
    /// Published figures with their source (TOML)
    #[arg(value_name = "FILE")]
    file: PathBuf,
}

/// Result of `tallyproof settled`.
#[derive(Debug, Serialize, JsonSchema)]
struct SettledReport {
    /// The contest. Of a mixed system the contest of lists; what follows is of the part that is nearest to a change.
    contest: String,
    /// `plurality`, `majority`, `run-off`, `lists` or `mixed`.
    #[serde(rename = "type")]
    kind: &'static str,
    /// The fewest further votes with which the outcome can change: with plurality, the difference between the first two. Null
    /// if no number of votes is enough.
    lead: Option<u64>,
    /// Stations that are outstanding; null if the source does not say.
    outstanding: Option<u64>,
    /// The most votes that they can hold; null if nothing bounds them.
    bound: Option<u64>,
    /// Whether they cannot change the outcome.
    settled: bool,
    /// What this rests on.
    premises: Vec<String>,
    /// The statement with its premises and its limit, as it is to be quoted.
    statement: String,
    /// What it does not show.
    limit: &'static str,
    /// The counted votes.
    votes: BTreeMap<String, u64>,
    /// Ways in which the outcome can change, those with the fewest votes first, at most 50; of a settled one the nearest.
    changes: Vec<ChangeRow>,
    /// The fewest outstanding stations that could change the outcome between them; null if they are not stated one by one, or
    /// cannot.
    fewest: Option<Vec<String>>,
    /// Each list's seats: as counted, whatever is outstanding, and at most.
    seats: Vec<RangeRow>,
    /// The parts of a mixed system.
    parts: Vec<PartRow>,
}

/// One way of change.
#[derive(Debug, Serialize, JsonSchema)]
struct ChangeRow {
    /// What would happen.
    what: String,
    /// The fewest further votes that it takes.
    votes: u64,
}

/// The seats that a list can have.
#[derive(Debug, Serialize, JsonSchema)]
struct RangeRow {
    list: String,
    /// By the counted votes.
    now: u64,
    /// Settled: the list has these, whatever is outstanding.
    least: u64,
    /// It cannot have more.
    most: u64,
}

/// One part of a mixed system.
#[derive(Debug, Serialize, JsonSchema)]
struct PartRow {
    contest: String,
    lead: Option<u64>,
    outstanding: Option<u64>,
    bound: Option<u64>,
    settled: bool,
}

impl SettledReport {
    fn new(published: &Published, answer: &Answer) -> Self {
        let question = match published {
            Published::Contest(question) | Published::Mixed { lists: question, .. } => question,
        };
        match answer {
            Answer::Contest(statement) => Self::of_contest(question, statement),
            Answer::Mixed(statement) => Self::of_mixed(question, statement),
        }
    }

    fn of_contest(question: &Question, statement: &Statement) -> Self {
        let range = |range: &tallyproof_count::settled::SeatRange| RangeRow {
            list: statement.options()[range.list].clone(),
            now: range.now,
            least: range.least,
            most: range.most,
        };
        let changes = statement.changes().iter();
        Self {
            contest: statement.contest().to_owned(),
            kind: statement.kind().as_str(),
            lead: statement.lead(),
            outstanding: statement.outstanding(),
            bound: statement.bound(),
            settled: statement.settled(),
            premises: statement.premises().iter().map(ToString::to_string).collect(),
            statement: statement.to_string(),
            limit: LIMIT,
            votes: question.contest.options.iter().cloned().collect(),
            changes: changes.map(|it| ChangeRow { what: statement.describe(it), votes: it.votes }).collect(),
            fewest: statement.fewest().map(<[String]>::to_vec),
            seats: statement.seats().iter().map(range).collect(),
            parts: Vec::new(),
        }
    }

    fn of_mixed(question: &Question, mixed: &MixedStatement) -> Self {
        let part = |part: &Statement| PartRow {
            contest: part.contest().to_owned(),
            lead: part.lead(),
            outstanding: part.outstanding(),
            bound: part.bound(),
            settled: part.settled(),
        };
        let seats = mixed.seats().iter().map(|range| RangeRow {
            list: range.id.clone(),
            now: range.now,
            least: range.least,
            most: range.most,
        });
        Self {
            contest: question.contest.id.clone(),
            kind: "mixed",
            settled: mixed.settled(),
            premises: mixed.premises().iter().map(ToString::to_string).collect(),
            statement: mixed.to_string(),
            seats: seats.collect(),
            parts: mixed.nominal().iter().chain([mixed.lists()]).map(part).collect(),
            ..Self::of_contest(question, mixed.nearest())
        }
    }
}

impl Report for SettledReport {
    fn write_text(&self, out: &mut dyn fmt::Write) -> fmt::Result {
        let mut rows = table::new(["option", "counted votes"]);
        for (option, votes) in &self.votes {
            rows.add_row([option.clone(), grouped(*votes)]);
        }
        table::align_right(&mut rows, [1]);
        writeln!(out, "{}\n\n{rows}\n\n{}", self.contest, self.statement)?;
        if !self.seats.is_empty() {
            let mut rows = table::new(["list", "seats as counted", "at least", "at most"]);
            for row in &self.seats {
                rows.add_row([row.list.clone(), grouped(row.now), grouped(row.least), grouped(row.most)]);
            }
            table::align_right(&mut rows, [1, 2, 3]);
            writeln!(out, "\n{rows}")?;
        }
        if !self.parts.is_empty() {
            let shown = |votes: Option<u64>| votes.map_or("-".to_owned(), grouped);
            let mut rows = table::new(["part", "votes to a change", "outstanding votes at most", "settled"]);
            for part in &self.parts {
                let settled = if part.settled { "yes" } else { "no" };
                rows.add_row([part.contest.clone(), shown(part.lead), shown(part.bound), settled.to_owned()]);
            }
            table::align_right(&mut rows, [1, 2]);
            writeln!(out, "\n{rows}")?;
        }
        if !self.changes.is_empty() {
            writeln!(
                out,
                "\n{}",
                if self.settled { "Nearest to a change:" } else { "What can happen, and the votes that it takes:" }
            )?;
        }
        for change in self.changes.iter().take(SHOWN) {
            writeln!(out, "- {}: {}", change.what, grouped(change.votes))?;
        }
        if let Some(fewest) = &self.fewest {
            let more = if fewest.len() > SHOWN { ", …" } else { "" };
            let shown: Vec<&str> = fewest.iter().take(SHOWN).map(String::as_str).collect();
            writeln!(
                out,
                "\nThe fewest stations that could change it: {} ({}{more})",
                grouped(fewest.len() as u64),
                shown.join(", ")
            )?;
        }
        Ok(())
    }
}

/// Runs `tallyproof settled`.
pub fn run(args: &Args, printer: &mut Printer) -> anyhow::Result<Exit> {
    let name = args.file.display().to_string();
    let bytes = files::read(&args.file, FILE_LIMIT)?;
    let published = Published::parse(&bytes, &name)
        .map_err(|problems| refusal(format!("{name} is not a file of published figures"), &problems))?;
    let report = SettledReport::new(&published, &published.answer()?);
    printer.report(&report);
    Ok(Exit::from_holds(report.settled))
}

/// The JSON Schemas of the command's results.
pub fn schemas() -> Vec<(&'static str, Schema)> {
    vec![("settled", schema_for!(SettledReport))]
}
