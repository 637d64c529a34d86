//! `ballot.csv`: what voters mark, and the candidate and party that it counts for.

use std::collections::BTreeMap;

use super::{
    super::{BallotLine, Named},
    head::Head,
    report::{Checker, Code, Spot, shown},
    table::{Column, Table},
};
use crate::tally::Tally;

const COLUMNS: [Column; 7] = [
    Column::Required("contest"),
    Column::Required("line"),
    Column::Optional("name"),
    Column::Optional("candidate"),
    Column::Optional("candidate_name"),
    Column::Optional("party"),
    Column::Optional("party_name"),
];

/// Columns of `results.csv` that a ballot line's id would hide.
const RESERVED: [&str; 2] = ["station", "contest"];

#[derive(Default)]
struct Ballot<'t> {
    lines: Vec<BallotLine>,
    ids: BTreeMap<&'t str, usize>,
    candidates: Roll<'t>,
    parties: Roll<'t>,
}

/// Ids in order of first appearance, each with the one name that rows may give it.
#[derive(Default)]
struct Roll<'t> {
    list: Vec<(&'t str, Option<Spot<'t>>)>,
    index: BTreeMap<&'t str, usize>,
}

/// Fills the contests' lines; false if rows had to be left out.
pub(crate) fn parse(check: &mut Checker<'_, '_>, head: &mut Head) -> bool {
    let table = Table::read(check);
    let Some(columns) = table.columns(&COLUMNS, check) else { return false };
    let contests: BTreeMap<String, usize> =
        head.contests.iter().enumerate().map(|(index, contest)| (contest.id.clone(), index)).collect();
    let mut ballots: Vec<Ballot<'_>> = head.contests.iter().map(|_| Ballot::default()).collect();
    for [contest, cells @ ..] in table.select(columns) {
        match contests.get(contest.text).and_then(|&index| ballots.get_mut(index)) {
            Some(ballot) => ballot.add(check, cells),
            None if head.complete => {
                let pool = contests.keys().map(String::as_str);
                check.unknown(contest, Code::UnknownReference, "election.toml has no contest", pool);
            }
            None => {}
        }
    }
    for (contest, ballot) in head.contests.iter_mut().zip(ballots) {
        contest.lines = ballot.lines;
        contest.candidates = ballot.candidates.named();
        contest.parties = ballot.parties.named();
    }
    table.complete
}

impl<'t> Ballot<'t> {
    fn add(&mut self, check: &mut Checker<'_, '_>, cells: [Spot<'t>; 6]) {
        let [line, name, candidate, candidate_name, party, party_name] = cells;
        if RESERVED.contains(&line.text) {
            let what = format!("line {} is the name of a column of results.csv; choose another id", shown(line.text));
            return check.add(line.at, Code::BadId, what);
        }
        let name = check.text("name", name);
        let id = check.new_id("line", line, &mut self.ids);
        let candidate = if candidate.text.is_empty() { line } else { candidate };
        let candidate = match id {
            Some(_) => self.candidates.add(check, "candidate", candidate, candidate_name),
            None => None,
        };
        if party.text.is_empty() && !party_name.text.is_empty() {
            check.add(party.at, Code::BadId, "`party_name` without `party`; give the party an id");
        }
        let party = match party.text {
            "" => None,
            _ => self.parties.add(check, "party", party, party_name),
        };
        let (Some(id), Some(candidate)) = (id, candidate) else { return };
        if self.lines.len() == Tally::MAX_LINES {
            check.add(line.at, Code::TooMany, format!("more than {} lines in one contest; split it", Tally::MAX_LINES));
        }
        let name = if name.is_empty() { id } else { name };
        self.lines.push(BallotLine { id: id.into(), name: name.into(), candidate, party });
    }
}

impl<'t> Roll<'t> {
    fn add(&mut self, check: &mut Checker<'_, '_>, field: &str, id: Spot<'t>, name: Spot<'t>) -> Option<usize> {
        check.id(field, id)?;
        check.text(&format!("{field}_name"), name);
        let index = *self.index.entry(id.text).or_insert(self.list.len());
        if index == self.list.len() {
            self.list.push((id.text, None));
        }
        let (_, known) = self.list.get_mut(index)?;
        match known {
            Some(first) if !name.text.is_empty() && first.text != name.text => {
                let what = format!(
                    "{field} {} is named {} here and {} at {}; give it one name in this contest",
                    shown(id.text),
                    shown(name.text),
                    shown(first.text),
                    check.source.place(first.at)
                );
                check.add(name.at, Code::NameConflict, what);
            }
            None if !name.text.is_empty() => *known = Some(name),
            _ => {}
        }
        Some(index)
    }

    fn named(self) -> Vec<Named> {
        let named =
            |(id, name): (&str, Option<Spot<'_>>)| Named { id: id.into(), name: name.map_or(id, |n| n.text).into() };
        self.list.into_iter().map(named).collect()
    }
}
