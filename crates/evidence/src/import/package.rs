//! The election package (`docs/spec/package.md`), and the sums of the report.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::fmt::Write as _;

use tallyproof_record::Problem;
use tallyproof_record::definition::{Figure, package, results};
use tallyproof_record::rules::{self, Family, Severity};

use super::ballot::{Area, Ballot, Contest};
use super::journal::Journal;
use super::register::Register;
use super::{Imported, Record};
use crate::mapping::{Mapping, RuleSpec, nearest};
use crate::report::{BAD_PACKAGE, BAD_VALUE, Report};

/// More columns than this in `results.csv` come from a contest or line key that is none.
const MAX_LINES: usize = 20_000;

/// The rule that no figure exceeds what a polling station can hold.
const CEILING_RULE: &str = "BO-03";

/// Writes the package, has it checked by the package's own parser, and completes the report.
///
/// # Errors
/// What the parser finds, and areas of contests that do not exist.
pub(super) fn build(
    mapping: &Mapping,
    ballot: &Ballot<'_>,
    register: &Register<'_>,
    mut records: Vec<Record>,
    journal: Journal,
) -> Result<Imported, Vec<Problem>> {
    let lines: usize = ballot.contests.iter().map(|contest| contest.lines.len()).sum();
    if lines > MAX_LINES {
        let what = format!(
            "{lines} ballot lines in {} contests: do the contest and candidate keys name what they should?",
            ballot.contests.len()
        );
        return Err(vec![Problem::new(BAD_PACKAGE, &mapping.file, what)]);
    }
    if register.stations.is_empty() {
        return Err(no_station(mapping, journal.into_report()));
    }
    let areas = contest_areas(ballot, register, &records)?;
    records.sort_by_key(|record| (record.station, record.contest));
    let source = package::Files::from([
        ("election.toml".to_owned(), election_toml(mapping, ballot, register, &areas, largest(&records)).into_bytes()),
        ("areas.csv".to_owned(), areas_csv(register).into_bytes()),
        ("stations.csv".to_owned(), stations_csv(register).into_bytes()),
        ("ballot.csv".to_owned(), ballot_csv(ballot).into_bytes()),
    ]);
    let election = package::parse(&source).map_err(|problems| unwritable(mapping, problems))?;
    let figures = results::parse(results_csv(ballot, register, &records).as_bytes(), &election)
        .map_err(|problems| unwritable(mapping, problems))?;
    let mut files: Vec<(String, Vec<u8>)> =
        election.canonical().files.into_iter().map(|(name, bytes)| (name.to_owned(), bytes)).collect();
    files.push(("results.csv".to_owned(), results::render(&figures, &election)));
    let mut report = journal.into_report();
    complete(&mut report, ballot, register, &areas, &records);
    Ok(Imported { files, report })
}

/// Why no row names a station: the rows' own problems, or that all were filtered.
fn no_station(mapping: &Mapping, report: Report) -> Vec<Problem> {
    if report.problems.is_empty() {
        let what = "every row is filtered: check `keep`, `skip` and `contests`";
        return vec![Problem::new(BAD_PACKAGE, &mapping.file, what)];
    }
    report.problems.into_iter().take(100).collect()
}

/// The package's parser refuses what the mapping asks for: its findings, with the mapping as their place.
fn unwritable(mapping: &Mapping, problems: Vec<Problem>) -> Vec<Problem> {
    let problem = |problem: Problem| {
        Problem::new(BAD_PACKAGE, &mapping.election.place, format!("the package would not be valid: {problem}"))
    };
    problems.into_iter().take(100).map(problem).collect()
}

/// The area of each contest.
fn contest_areas(ballot: &Ballot<'_>, register: &Register<'_>, records: &[Record]) -> Result<Vec<usize>, Vec<Problem>> {
    let mut problems = Vec::new();
    let smallest = smallest_areas(register, records);
    let mut areas = Vec::new();
    for (number, contest) in ballot.contests.iter().enumerate() {
        areas.push(match contest.area {
            Area::Root => 0,
            Area::Smallest => smallest.get(&number).copied().unwrap_or(0),
            Area::Named(wanted) => register.area_by_id(&wanted.text).unwrap_or_else(|| {
                let ids = register.areas.iter().map(|area| area.id.as_str());
                let hint =
                    nearest(&wanted.text, ids).map(|near| format!("; did you mean `{near}`?")).unwrap_or_default();
                problems.push(Problem::new(
                    BAD_VALUE,
                    &wanted.place,
                    format!("there is no area with the id `{}`{hint}", wanted.text),
                ));
                0
            }),
        });
    }
    if problems.is_empty() { Ok(areas) } else { Err(problems) }
}

/// By contest: the deepest area that holds all stations with a record for it.
fn smallest_areas(register: &Register<'_>, records: &[Record]) -> HashMap<usize, usize> {
    let mut smallest: HashMap<usize, usize> = HashMap::new();
    for record in records {
        let Some(station) = register.stations.get(record.station) else { continue };
        smallest
            .entry(record.contest)
            .and_modify(|area| {
                let above: BTreeSet<usize> = register.lineage(*area).collect();
                *area = register.lineage(station.area).find(|node| above.contains(node)).unwrap_or(0);
            })
            .or_insert(station.area);
    }
    smallest
}

/// The largest figure that any record states.
fn largest(records: &[Record]) -> u32 {
    let figures = records.iter().flat_map(|Record { figures, .. }| {
        figures.counts.iter().copied().chain(figures.stated.iter().flatten().copied())
    });
    figures.max().unwrap_or(0)
}

fn quoted(text: &str) -> String {
    toml::Value::String(text.to_owned()).to_string()
}

fn election_toml(
    mapping: &Mapping,
    ballot: &Ballot<'_>,
    register: &Register<'_>,
    areas: &[usize],
    largest: u32,
) -> String {
    let spec = &mapping.election;
    let mut out = String::from("format = 1\n");
    let mut pair = |key: &str, value: &str| {
        let _ = writeln!(out, "{key} = {}", quoted(value));
    };
    pair("id", &spec.id);
    pair("name", &spec.name);
    pair("date", &spec.date);
    pair("phase", &spec.phase);
    if let Some(polls_close) = &spec.polls_close {
        pair("polls_close", polls_close);
    }
    if let Some(source) = &spec.source {
        pair("source", source);
    }
    for (contest, area) in ballot.contests.iter().zip(areas) {
        let area = register.areas.get(*area).map_or("", |area| area.id.as_str());
        contest_toml(&mut out, contest, area);
    }
    for (code, settings) in rule_settings(&mapping.rules, largest) {
        let _ = write!(out, "\n[rules.{code}]\n");
        for (key, value) in settings {
            let _ = writeln!(out, "{} = {value}", quoted(&key));
        }
    }
    out
}

fn contest_toml(out: &mut String, contest: &Contest<'_>, area: &str) {
    let _ = write!(
        out,
        "\n[[contest]]\nid = {}\nname = {}\narea = {}\n",
        quoted(&contest.id),
        quoted(&contest.name),
        quoted(area)
    );
    if !contest.figures.is_empty() {
        let figures: Vec<String> = contest.figures.iter().map(|figure| format!("\"{}\"", figure.as_str())).collect();
        let _ = writeln!(out, "figures = [{}]", figures.join(", "));
    }
}

/// The mapping's settings; and `warn` for every rule that judges figures and would quarantine, unless the mapping gives
/// its severity: an import reproduces what a publisher has already counted, so that its rows stay counted and are named.
/// The rule that rejects out-of-range figures has a fixed severity; where rows are states and no polling stations, its
/// ceiling is raised to the `largest` figure, or they would be left out of the totals that the report states.
fn rule_settings(specs: &[RuleSpec], largest: u32) -> BTreeMap<String, BTreeMap<String, String>> {
    let mut settings: BTreeMap<String, BTreeMap<String, String>> = BTreeMap::new();
    for rule in rules::TABLE {
        if rule.adjustable && rule.severity == Severity::Quarantine && rule.family != Family::Identity {
            settings.entry(rule.code.to_owned()).or_default().insert("severity".into(), quoted("warn"));
        }
    }
    for threshold in rules::TABLE.iter().filter(|rule| rule.code == CEILING_RULE).flat_map(|rule| rule.thresholds) {
        if largest > threshold.default {
            settings.entry(CEILING_RULE.to_owned()).or_default().insert(threshold.key.to_owned(), largest.to_string());
        }
    }
    for spec in specs {
        settings.entry(spec.code.clone()).or_default().extend(spec.settings.iter().cloned());
    }
    settings
}

/// Rows of an RFC 4180 table.
#[derive(Default)]
struct Csv(String);

impl Csv {
    fn row<'c>(&mut self, cells: impl IntoIterator<Item = &'c str>) {
        for (nth, cell) in cells.into_iter().enumerate() {
            if nth > 0 {
                self.0.push(',');
            }
            if cell.contains([',', '"', '\r', '\n']) {
                let _ = write!(self.0, "\"{}\"", cell.replace('"', "\"\""));
            } else {
                self.0.push_str(cell);
            }
        }
        self.0.push('\n');
    }
}

fn areas_csv(register: &Register<'_>) -> String {
    let mut csv = Csv::default();
    csv.row(["id", "parent", "name", "kind"]);
    for area in &register.areas {
        let parent = area.parent.and_then(|parent| register.areas.get(parent)).map_or("", |parent| &parent.id);
        csv.row([&area.id, parent, &area.name, &area.kind]);
    }
    csv.0
}

fn stations_csv(register: &Register<'_>) -> String {
    let mut csv = Csv::default();
    csv.row(["id", "name", "area", "registered", "kind", "key"]);
    for station in &register.stations {
        let area = register.areas.get(station.area).map_or("", |area| &area.id);
        let roll = station.roll.map_or_else(String::new, |roll| roll.to_string());
        let kind = if station.special { "special" } else { "ordinary" };
        csv.row([&station.id, station.name.as_ref().unwrap_or(&station.id), area, &roll, kind, ""]);
    }
    csv.0
}

fn ballot_csv(ballot: &Ballot<'_>) -> String {
    let mut csv = Csv::default();
    csv.row(["contest", "line", "name", "candidate", "candidate_name", "party", "party_name"]);
    for contest in &ballot.contests {
        for line in &contest.lines {
            let candidate_name = candidate_name(contest, &line.candidate);
            let party = line.party.as_deref().unwrap_or("");
            let named = contest
                .lines
                .iter()
                .filter(|other| other.party == line.party)
                .find_map(|other| other.party_name.as_deref());
            let party_name = named.filter(|_| !party.is_empty()).unwrap_or(party);
            csv.row([&contest.id, &line.id, &line.name, &line.candidate, candidate_name, party, party_name]);
        }
    }
    csv.0
}

/// The name that one of a candidate's lines gives; else the name of the line that the candidate is called after.
fn candidate_name<'c>(contest: &'c Contest<'_>, candidate: &'c str) -> &'c str {
    let mut lines = contest.lines.iter().filter(|line| line.candidate == candidate);
    let given = lines.clone().find_map(|line| line.candidate_name.as_deref());
    given.or_else(|| lines.find(|line| line.id == candidate).map(|line| line.name.as_str())).unwrap_or(candidate)
}

fn results_csv(ballot: &Ballot<'_>, register: &Register<'_>, records: &[Record]) -> String {
    let mut columns: Vec<&str> = Vec::new();
    let mut column_of: HashMap<&str, usize> = HashMap::new();
    for line in ballot.contests.iter().flat_map(|contest| &contest.lines) {
        column_of.entry(&line.id).or_insert_with(|| {
            columns.push(&line.id);
            columns.len() - 1
        });
    }
    let mut csv = Csv::default();
    let figures = Figure::ALL.map(|figure| format!("@{}", figure.as_str()));
    csv.row(
        ["station", "contest"].into_iter().chain(figures.iter().map(String::as_str)).chain(columns.iter().copied()),
    );
    for record in records {
        let (Some(station), Some(contest)) =
            (register.stations.get(record.station), ballot.contests.get(record.contest))
        else {
            continue;
        };
        let mut cells = vec![String::new(); columns.len()];
        for (line, count) in contest.lines.iter().zip(&record.figures.counts) {
            if let Some(cell) = column_of.get(line.id.as_str()).and_then(|column| cells.get_mut(*column)) {
                *cell = count.to_string();
            }
        }
        let stated = record.figures.stated.map(|figure| figure.map_or_else(String::new, |figure| figure.to_string()));
        let cells = cells.iter().map(String::as_str);
        csv.row([station.id.as_str(), &contest.id].into_iter().chain(stated.iter().map(String::as_str)).chain(cells));
    }
    csv.0
}

/// Totals by candidate, and how many stations have no figures.
fn complete(report: &mut Report, ballot: &Ballot<'_>, register: &Register<'_>, areas: &[usize], records: &[Record]) {
    for contest in &ballot.contests {
        let totals = report.totals.entry(contest.id.clone()).or_default();
        totals.extend(contest.lines.iter().map(|line| (line.candidate.clone(), 0)));
    }
    for record in records {
        let Some(contest) = ballot.contests.get(record.contest) else { continue };
        let totals = report.totals.entry(contest.id.clone()).or_default();
        for (line, count) in contest.lines.iter().zip(&record.figures.counts) {
            if let Some(total) = totals.get_mut(&line.candidate) {
                *total = total.saturating_add(u64::from(*count));
            }
        }
    }
    let expected: usize = areas.iter().map(|area| stations_within(register, *area)).sum();
    let count = |n: usize| u64::try_from(n).unwrap_or(u64::MAX);
    report.stations = count(register.stations.len());
    report.records = count(records.len());
    report.missing = count(expected.saturating_sub(records.len()));
}

fn stations_within(register: &Register<'_>, area: usize) -> usize {
    if area == 0 {
        return register.stations.len();
    }
    register.stations.iter().filter(|station| register.lineage(station.area).any(|node| node == area)).count()
}
