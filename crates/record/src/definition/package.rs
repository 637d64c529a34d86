//! Reads an election package and reports every mistake with its file, line and fix.
//!
//! A place is `file:line:column`; line and column start at 1, the column counts characters, and both point at the field
//! (CSV) or the value or key (TOML).

mod areas;
mod ballot;
mod decision;
mod head;
mod register;
pub(super) mod report;
mod signatories;
pub(super) mod table;

use std::collections::BTreeMap;

pub use report::CODES;
use report::{Checker, Code, Report};

use self::{areas::Areas, head::Head};
use super::{Committed, Election};
use crate::problem::Problem;

/// File name to bytes, as found in the folder.
pub type Files = BTreeMap<String, Vec<u8>>;

/// Parses and checks the definition files of a package; other files are left alone.
///
/// On failure returns every mistake found, each with a code of [`CODES`]. A file that cannot be read at all hides the
/// mistakes of references to it, so that one mistake is not reported a thousand times.
pub fn parse(files: &Files) -> Result<Election, Vec<Problem>> {
    let mut report = Report::default();
    let election = read(files, &mut report);
    match election {
        Some(election) if report.found.is_empty() => Ok(election),
        _ => Err(report.found),
    }
}

/// As [`parse`], and refuses files that are not byte for byte canonical (what a bundle holds).
pub fn parse_canonical(files: &Files) -> Result<Committed, Vec<Problem>> {
    let committed = parse(files)?.commit();
    let differing = committed.canonical().files.iter().filter_map(|(name, expected)| {
        let found = files.get(*name)?;
        (found != expected).then(|| not_canonical(name, found, expected))
    });
    let problems: Vec<_> = differing.collect();
    if problems.is_empty() { Ok(committed) } else { Err(problems) }
}

fn read(files: &Files, report: &mut Report) -> Option<Election> {
    let [toml, areas, stations, ballot] =
        ["election.toml", "areas.csv", "stations.csv", "ballot.csv"].map(|name| report::open(files, name, report));
    let areas = areas.map_or_else(Areas::unreadable, |source| areas::parse(&mut Checker::new(&source, report)));
    let head = toml.as_ref().and_then(|source| head::parse(&mut Checker::new(source, report), &areas));
    let stations = stations.and_then(|source| register::parse(&mut Checker::new(&source, report), &areas));
    let mut head = head.unwrap_or_else(Head::unreadable);
    if let Some(source) = ballot
        && ballot::parse(&mut Checker::new(&source, report), &mut head)
        && let Some(toml) = &toml
    {
        contests_without_lines(&head, &mut Checker::new(toml, report));
        decision::resolve(&mut Checker::new(toml, report), &mut head);
    }
    if let (Some(toml), Some(stations)) = (&toml, &stations) {
        signatories::keys_of_stations(&mut Checker::new(toml, report), &head.signatories, stations);
    }
    Some(Election {
        id: head.id,
        name: head.name,
        date: head.date,
        phase: head.phase,
        polls_close: head.polls_close,
        source: head.source,
        contests: head.contests,
        areas: areas.list,
        stations: stations?,
        policy: head.policy,
        authority: head.signatories.authority,
        agents: head.signatories.agents,
        rules: head.rules,
    })
}

/// A mistake in line `line`, from 0, of the witness policy, with the line's place; without one, that of the whole file.
///
/// [`parse`] knows no log: whoever does can report a policy that means nothing as the other mistakes of the package are.
pub fn policy_problem(files: &Files, line: usize, what: impl Into<String>) -> Problem {
    let mut report = Report::default();
    let source = report::open(files, "election.toml", &mut report);
    let place = source.as_ref().map_or_else(
        || "election.toml:1:1".to_owned(),
        |source| {
            let head = head::parse(&mut Checker::new(source, &mut report), &Areas::unreadable());
            source.place(head.and_then(|head| head.policy_places.get(line).copied()).unwrap_or(0))
        },
    );
    Problem::new(Code::Policy.as_str(), place, what)
}

fn contests_without_lines(head: &Head, check: &mut Checker<'_, '_>) {
    for (contest, &at) in head.contests.iter().zip(&head.places) {
        if contest.lines.is_empty() {
            let what = format!("contest `{}` has no ballot line; add its rows to ballot.csv", contest.id);
            check.add(at, Code::NoLines, what);
        }
    }
}

fn not_canonical(name: &str, found: &[u8], expected: &[u8]) -> Problem {
    let mut lines = found.split(|&b| b == b'\n').zip(expected.split(|&b| b == b'\n'));
    let same = lines.by_ref().take_while(|(left, right)| left == right).count();
    let what = "not in canonical form from this line on; restore the file as it was published, or render it again from the package";
    Problem::new(Code::NotCanonical.as_str(), format!("{name}:{}:1", same + 1), what)
}
