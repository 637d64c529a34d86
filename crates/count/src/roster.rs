//! The slots that an election expects, one for each station in each contest that it votes in, laid out contest by contest.

use std::{collections::BTreeSet, ops::Range};

use tallyproof_record::{
    ContestNo, Election, StationNo,
    definition::{Contest, Station},
};

/// All expected slots. A slot's number is its position here: by contest, then by station number.
#[derive(Clone, Debug)]
pub(crate) struct Roster {
    parts: Vec<Part>,
    members: Vec<Member>,
    /// The contests whose own area this is, for each of the election's areas.
    held_in: Vec<Vec<ContestNo>>,
}

/// The slots of one contest, and its areas as rows of a table: row 0 is the contest's own area, parents before children.
#[derive(Clone, Debug)]
pub(crate) struct Part {
    pub(crate) contest: ContestNo,
    pub(crate) slots: Range<usize>,
    pub(crate) rows: Vec<Row>,
    /// Ballot lines, thus counts in a record.
    pub(crate) lines: usize,
}

/// An area with stations of the contest.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Row {
    /// Index into the election's areas.
    pub(crate) area: usize,
    /// The row of its parent; row 0 is its own.
    pub(crate) parent: usize,
}

/// A station as one contest sees it. Small, because a count passes over all of them.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Member {
    pub(crate) station: StationNo,
    pub(crate) row: u32,
    pub(crate) registered: Option<u32>,
}

impl Roster {
    pub(crate) fn new(election: &Election) -> Self {
        let held_in = held_in(election);
        let stations = stations_by_contest(election, &held_in);
        let mut roster = Self { parts: Vec::new(), members: Vec::new(), held_in };
        for ((no, contest), stations) in election.numbered_contests().zip(stations) {
            let rows = rows(election, contest, &stations);
            let start = roster.members.len();
            roster.members.extend(members(&stations, &rows));
            let slots = start..roster.members.len();
            roster.parts.push(Part { contest: no, slots, rows, lines: contest.lines.len() });
        }
        roster
    }

    pub(crate) fn len(&self) -> usize {
        self.members.len()
    }

    pub(crate) fn parts(&self) -> &[Part] {
        &self.parts
    }

    pub(crate) fn part(&self, contest: ContestNo) -> Option<&Part> {
        self.parts.get(contest.index())
    }

    pub(crate) fn members(&self, part: &Part) -> &[Member] {
        &self.members[part.slots.clone()]
    }

    pub(crate) fn member(&self, slot: usize) -> Member {
        self.members[slot]
    }

    /// The slot of a station in a contest; `None` where the contest is not held.
    pub(crate) fn slot(&self, station: StationNo, contest: ContestNo) -> Option<usize> {
        let part = self.part(contest)?;
        let position = self.members(part).binary_search_by_key(&station, |member| member.station).ok()?;
        Some(part.slots.start + position)
    }

    /// The slots of a station, one for each contest that it votes in.
    pub(crate) fn slots_of(&self, election: &Election, station: StationNo) -> Vec<usize> {
        let Some(facts) = election.station(station) else { return Vec::new() };
        let contests = election.lineage(facts.area).flat_map(|area| &self.held_in[area]);
        contests.filter_map(|&contest| self.slot(station, contest)).collect()
    }
}

fn held_in(election: &Election) -> Vec<Vec<ContestNo>> {
    let mut held_in = vec![Vec::new(); election.areas().len()];
    for (no, contest) in election.numbered_contests() {
        held_in[contest.area].push(no);
    }
    held_in
}

/// The stations of each contest, in register order; walks each station's areas once instead of asking every contest.
fn stations_by_contest<'a>(election: &'a Election, held_in: &[Vec<ContestNo>]) -> Vec<Vec<(StationNo, &'a Station)>> {
    let mut stations = vec![Vec::new(); election.contests().len()];
    for numbered in election.numbered_stations() {
        for contest in election.lineage(numbered.1.area).flat_map(|area| &held_in[area]) {
            stations[contest.index()].push(numbered);
        }
    }
    stations
}

fn rows(election: &Election, contest: &Contest, stations: &[(StationNo, &Station)]) -> Vec<Row> {
    let mut areas = BTreeSet::from([contest.area]);
    for (_, station) in stations {
        // An area that is in already brought its parents along.
        let _ = election.lineage(station.area).take_while(|&area| areas.insert(area)).count();
    }
    // Parents have smaller indices than their children, so that they come first here too.
    let areas: Vec<usize> = areas.into_iter().collect();
    let row_of = |area: usize| areas.binary_search(&area).unwrap_or(0);
    let parent = |area: usize| election.areas()[area].parent.map_or(0, row_of);
    areas.iter().map(|&area| Row { area, parent: parent(area) }).collect()
}

fn members<'a>(stations: &'a [(StationNo, &Station)], rows: &'a [Row]) -> impl Iterator<Item = Member> + 'a {
    stations.iter().map(move |&(station, facts)| {
        let row = rows.binary_search_by_key(&facts.area, |row| row.area).unwrap_or(0);
        Member { station, row: u32::try_from(row).unwrap_or(0), registered: facts.registered }
    })
}
