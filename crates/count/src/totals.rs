//! Sums over the counted records, by contest, area, ballot line, candidate and party. Integers only.

use std::{collections::BTreeMap, sync::Arc};

use serde::Serialize;
use tallyproof_record::{
    ContestNo,
    definition::{Committed, Contest, Figure, Named},
};

use crate::{
    ledger::{Fate, FiguresView, Ledger, Placed},
    roster::{Part, Roster, Row},
};

/// Format number of `index/totals.json`.
const FORMAT: u8 = 1;

/// All sums after a log prefix.
#[derive(Clone, Debug)]
pub struct Totals {
    definition: Arc<Committed>,
    tree_size: u64,
    contests: Vec<ContestTotals>,
}

/// The sums of one contest.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ContestTotals {
    whole: AreaTotals,
    areas: Vec<AreaTotals>,
}

/// The sums of one contest in one area and all areas below it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AreaTotals {
    /// Index into the election's areas.
    pub area: usize,
    /// How far the count has come.
    pub stations: Progress,
    /// Votes per ballot line, in ballot order.
    pub lines: Vec<u64>,
    /// Stated figures, in the order of [`Figure::ALL`].
    pub figures: [Stated; Figure::ALL.len()],
    /// The register's voters.
    pub registered: Registered,
}

/// Stations of a contest by status, and rejected records.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Progress {
    /// Stations that vote in the contest.
    pub expected: u64,
    /// Stations whose record is counted.
    pub counted: u64,
    /// Stations whose records are kept apart.
    pub quarantined: u64,
    /// Stations without a record that could be counted.
    pub missing: u64,
    /// Rejected records that name such a station.
    pub rejected: u64,
}

/// A figure that records may state.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Stated {
    /// Counted records that state it.
    pub records: u64,
    /// Sum over these.
    pub sum: u64,
}

/// Voters on the rolls of the register.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Registered {
    /// Voters of all stations whose roll is known.
    pub all: u64,
    /// Voters of counted stations whose roll is known.
    pub counted: u64,
    /// Stations whose roll is unknown. Unknown is not zero.
    pub unknown: u64,
    /// Counted stations whose roll is unknown.
    pub unknown_counted: u64,
}

impl Totals {
    /// Sums up the ledger: one pass over its records.
    pub fn of(ledger: &Ledger) -> Self {
        let roster = ledger.roster();
        let mut tables: Vec<Vec<AreaTotals>> = roster.parts().iter().map(|part| table(roster, part)).collect();
        for placed in ledger.placed() {
            add_record(roster, &mut tables[placed.contest.index()], &placed);
        }
        let contests = tables.into_iter().zip(roster.parts()).map(|(table, part)| roll_up(table, &part.rows)).collect();
        Self { definition: Arc::clone(ledger.definition()), tree_size: ledger.entries(), contests }
    }

    /// Log entries that the sums are made from.
    pub fn tree_size(&self) -> u64 {
        self.tree_size
    }

    /// The sums of one contest.
    pub fn contest(&self, contest: ContestNo) -> Option<&ContestTotals> {
        self.contests.get(contest.index())
    }

    /// All contests with their sums, in definition order.
    pub fn contests(&self) -> impl Iterator<Item = (&Contest, &ContestTotals)> {
        self.definition.election().contests().iter().zip(&self.contests)
    }

    /// Votes by contest id and candidate id.
    pub fn by_candidate(&self) -> BTreeMap<String, BTreeMap<String, u64>> {
        self.contests()
            .map(|(contest, totals)| {
                let votes = totals.whole.candidates(contest);
                let ids = contest.candidates.iter().map(|candidate| candidate.id.clone());
                (contest.id.clone(), ids.zip(votes).collect())
            })
            .collect()
    }

    /// `index/totals.json`: one line of JSON with sorted keys, ended by LF. Same sums, same bytes.
    pub fn to_json(&self) -> Vec<u8> {
        let election = self.definition.election();
        let file = json::File {
            format: FORMAT,
            election: election.id(),
            phase: election.phase().as_str(),
            definition: self.definition.hash().to_string(),
            tree_size: self.tree_size,
            contests: self
                .contests()
                .map(|(contest, totals)| (contest.id.as_str(), self.json(contest, totals)))
                .collect(),
        };
        // Maps with text keys and integers always have a JSON form.
        let mut bytes = serde_json::to_vec(&file).unwrap_or_default();
        bytes.push(b'\n');
        bytes
    }

    fn json<'a>(&'a self, contest: &'a Contest, totals: &'a ContestTotals) -> json::Contest<'a> {
        let id = |area: usize| self.definition.election().areas().get(area).map_or("", |area| area.id.as_str());
        let areas = totals.areas.iter().map(|area| (id(area.area), json::Sums::new(contest, area))).collect();
        json::Contest { whole: json::Sums::new(contest, &totals.whole), areas }
    }
}

impl ContestTotals {
    /// The whole contest.
    pub fn whole(&self) -> &AreaTotals {
        &self.whole
    }

    /// The areas below the contest's own that have stations in it, parents before children.
    pub fn areas(&self) -> &[AreaTotals] {
        &self.areas
    }
}

impl AreaTotals {
    fn empty(area: usize, lines: usize) -> Self {
        Self {
            area,
            stations: Progress::default(),
            lines: vec![0; lines],
            figures: Default::default(),
            registered: Registered::default(),
        }
    }

    /// A stated figure's sum.
    pub fn figure(&self, figure: Figure) -> Stated {
        self.figures[figure as usize]
    }

    /// Votes per candidate, in the order of [`Contest::candidates`]: the sums over their ballot lines.
    pub fn candidates(&self, contest: &Contest) -> Vec<u64> {
        let mut votes = vec![0; contest.candidates.len()];
        for (line, count) in contest.lines.iter().zip(&self.lines) {
            votes[line.candidate] += count;
        }
        votes
    }

    /// Votes per party, in the order of [`Contest::parties`]; lines without a party are in none.
    pub fn parties(&self, contest: &Contest) -> Vec<u64> {
        let mut votes = vec![0; contest.parties.len()];
        for (line, count) in contest.lines.iter().zip(&self.lines) {
            if let Some(party) = line.party {
                votes[party] += count;
            }
        }
        votes
    }

    /// Adds another area's sums.
    fn add(&mut self, other: &Self) {
        let pairs = [
            (&mut self.stations.expected, other.stations.expected),
            (&mut self.stations.counted, other.stations.counted),
            (&mut self.stations.quarantined, other.stations.quarantined),
            (&mut self.stations.missing, other.stations.missing),
            (&mut self.stations.rejected, other.stations.rejected),
            (&mut self.registered.all, other.registered.all),
            (&mut self.registered.counted, other.registered.counted),
            (&mut self.registered.unknown, other.registered.unknown),
            (&mut self.registered.unknown_counted, other.registered.unknown_counted),
        ];
        pairs
            .into_iter()
            .chain(self.lines.iter_mut().zip(other.lines.iter().copied()))
            .for_each(|(sum, part)| *sum += part);
        for (sum, part) in self.figures.iter_mut().zip(other.figures) {
            sum.records += part.records;
            sum.sum += part.sum;
        }
    }

    fn add_figures(&mut self, figures: &FiguresView<'_>) {
        for (sum, &count) in self.lines.iter_mut().zip(figures.counts) {
            *sum += u64::from(count);
        }
        for (figure, value) in figures.figures() {
            let stated = &mut self.figures[figure as usize];
            stated.records += 1;
            stated.sum += u64::from(value);
        }
    }
}

/// The rows of one contest before any record: every station expected and missing.
fn table(roster: &Roster, part: &Part) -> Vec<AreaTotals> {
    let mut rows: Vec<_> = part.rows.iter().map(|row| AreaTotals::empty(row.area, part.lines)).collect();
    for member in roster.members(part) {
        let row = &mut rows[member.row as usize];
        row.stations.expected += 1;
        row.stations.missing += 1;
        match member.registered {
            Some(voters) => row.registered.all += u64::from(voters),
            None => row.registered.unknown += 1,
        }
    }
    rows
}

fn add_record(roster: &Roster, rows: &mut [AreaTotals], placed: &Placed<'_>) {
    let member = roster.member(placed.slot);
    let row = &mut rows[member.row as usize];
    match placed.fate {
        Fate::Counted => {
            row.stations.counted += 1;
            row.stations.missing -= 1;
            row.add_figures(&placed.figures);
            match member.registered {
                Some(voters) => row.registered.counted += u64::from(voters),
                None => row.registered.unknown_counted += 1,
            }
        }
        Fate::Quarantined => {
            row.stations.quarantined += 1;
            row.stations.missing -= 1;
        }
        // The first record of its slot speaks for the slot.
        Fate::Conflicting => {}
        Fate::Rejected => row.stations.rejected += 1,
    }
}

/// Adds each row to its parent's, children first; row 0 becomes the whole contest.
fn roll_up(mut table: Vec<AreaTotals>, rows: &[Row]) -> ContestTotals {
    let mut areas = Vec::with_capacity(table.len());
    while table.len() > 1
        && let Some(area) = table.pop()
    {
        let parent = rows[table.len()].parent;
        table[parent].add(&area);
        areas.push(area);
    }
    areas.reverse();
    let whole = table.pop().unwrap_or_else(|| AreaTotals::empty(0, 0));
    ContestTotals { whole, areas }
}

/// The shape of `index/totals.json`.
mod json {
    use super::{AreaTotals, BTreeMap, Figure, Named, Progress, Registered, Serialize, Stated};

    #[derive(Serialize)]
    pub(super) struct File<'a> {
        pub(super) format: u8,
        pub(super) election: &'a str,
        pub(super) phase: &'a str,
        pub(super) definition: String,
        pub(super) tree_size: u64,
        pub(super) contests: BTreeMap<&'a str, Contest<'a>>,
    }

    #[derive(Serialize)]
    pub(super) struct Contest<'a> {
        pub(super) whole: Sums<'a>,
        pub(super) areas: BTreeMap<&'a str, Sums<'a>>,
    }

    #[derive(Serialize)]
    pub(super) struct Sums<'a> {
        stations: Progress,
        registered: Registered,
        lines: BTreeMap<&'a str, u64>,
        candidates: BTreeMap<&'a str, u64>,
        parties: BTreeMap<&'a str, u64>,
        figures: BTreeMap<&'a str, Stated>,
    }

    impl<'a> Sums<'a> {
        pub(super) fn new(contest: &'a super::Contest, area: &AreaTotals) -> Self {
            let keyed = |named: &'a [Named], votes: Vec<u64>| named.iter().map(|n| n.id.as_str()).zip(votes).collect();
            Self {
                stations: area.stations,
                registered: area.registered,
                lines: contest.lines.iter().map(|line| line.id.as_str()).zip(area.lines.iter().copied()).collect(),
                candidates: keyed(&contest.candidates, area.candidates(contest)),
                parties: keyed(&contest.parties, area.parties(contest)),
                figures: Figure::ALL.iter().map(|figure| figure.as_str()).zip(area.figures).collect(),
            }
        }
    }
}
