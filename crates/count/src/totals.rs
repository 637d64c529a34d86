//! Sums over the counted records, by contest, area, ballot line, candidate and party. Integers only.

use std::{collections::BTreeMap, sync::Arc};

use serde::Serialize;
use tallyproof_record::{
    ContestNo,
    definition::{Committed, Contest, Figure, Named},
};

use crate::{
    ledger::{Fate, FiguresView, Ledger, Placed, SlotStatus, SlotView},
    roster::{Member, Part, Roster, Row},
};

/// Format number of `index/totals.json`.
const FORMAT: u8 = 1;

/// All sums after a log prefix.
#[derive(Clone, Debug)]
pub struct Totals {
    definition: Arc<Committed>,
    tree_size: u64,
    contests: Vec<ContestTotals>,
    /// Where a correction is in force.
    standing: BTreeMap<ContestNo, ContestTotals>,
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
    /// *As it stands*: counted stations whose figures are a correction's. None *as counted*.
    #[serde(skip_serializing_if = "is_zero")]
    pub corrected: u64,
    /// *As it stands*: stations whose poll was annulled, which are neither counted nor missing. None *as counted*.
    #[serde(skip_serializing_if = "is_zero")]
    pub annulled: u64,
}

#[allow(clippy::trivially_copy_pass_by_ref, reason = "serde asks for a reference")]
fn is_zero(number: &u64) -> bool {
    *number == 0
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
        let standing = as_it_stands(ledger, &tables);
        let contests = tables.into_iter().zip(roster.parts()).map(|(table, part)| roll_up(table, &part.rows)).collect();
        Self { definition: Arc::clone(ledger.definition()), tree_size: ledger.entries(), contests, standing }
    }

    /// The definition that they are counted by.
    pub fn definition(&self) -> &Arc<Committed> {
        &self.definition
    }

    /// Log entries that the sums are made from.
    pub fn tree_size(&self) -> u64 {
        self.tree_size
    }

    /// The sums of one contest, *as counted*.
    pub fn contest(&self, contest: ContestNo) -> Option<&ContestTotals> {
        self.contests.get(contest.index())
    }

    /// The sums of one contest *as it stands*: as counted, with the correction in force in place of each slot that has one.
    pub fn as_it_stands(&self, contest: ContestNo) -> Option<&ContestTotals> {
        self.standing.get(&contest).or_else(|| self.contest(contest))
    }

    /// Whether a correction is in force in the contest.
    pub fn is_corrected(&self, contest: ContestNo) -> bool {
        self.standing.contains_key(&contest)
    }

    /// All contests with their sums *as counted*, in definition order.
    pub fn contests(&self) -> impl Iterator<Item = (&Contest, &ContestTotals)> {
        self.definition.election().contests().iter().zip(&self.contests)
    }

    /// Votes *as counted*, by contest id and candidate id.
    pub fn by_candidate(&self) -> BTreeMap<String, BTreeMap<String, u64>> {
        self.contests().map(|(contest, totals)| (contest.id.clone(), candidates(contest, totals))).collect()
    }

    /// Votes *as it stands*, by contest id and candidate id.
    pub fn standing_by_candidate(&self) -> BTreeMap<String, BTreeMap<String, u64>> {
        let numbered = self.definition.election().numbered_contests();
        let totals = numbered.filter_map(|(no, contest)| Some((contest, self.as_it_stands(no)?)));
        totals.map(|(contest, totals)| (contest.id.clone(), candidates(contest, totals))).collect()
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
            contests: election
                .numbered_contests()
                .zip(&self.contests)
                .map(|((no, contest), totals)| (contest.id.as_str(), self.json(no, contest, totals)))
                .collect(),
        };
        // Maps with text keys and integers always have a JSON form.
        let mut bytes = serde_json::to_vec(&file).unwrap_or_default();
        bytes.push(b'\n');
        bytes
    }

    fn json<'a>(&'a self, no: ContestNo, contest: &'a Contest, totals: &'a ContestTotals) -> json::Contest<'a> {
        let as_it_stands = self.standing.get(&no).map(|totals| self.json_sums(contest, totals));
        json::Contest { as_counted: self.json_sums(contest, totals), as_it_stands }
    }

    fn json_sums<'a>(&'a self, contest: &'a Contest, totals: &'a ContestTotals) -> json::Areas<'a> {
        let id = |area: usize| self.definition.election().areas().get(area).map_or("", |area| area.id.as_str());
        let areas = totals.areas.iter().map(|area| (id(area.area), json::Sums::new(contest, area))).collect();
        json::Areas { whole: json::Sums::new(contest, &totals.whole), areas }
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
            (&mut self.stations.corrected, other.stations.corrected),
            (&mut self.stations.annulled, other.stations.annulled),
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

    /// Takes out what [`AreaTotals::add_figures`] put in.
    fn remove_figures(&mut self, figures: &FiguresView<'_>) {
        for (sum, &count) in self.lines.iter_mut().zip(figures.counts) {
            *sum -= u64::from(count);
        }
        for (figure, value) in figures.figures() {
            let stated = &mut self.figures[figure as usize];
            stated.records -= 1;
            stated.sum -= u64::from(value);
        }
    }

    /// One more counted station, with this roll.
    fn count_station(&mut self, registered: Option<u32>) {
        self.stations.counted += 1;
        match registered {
            Some(voters) => self.registered.counted += u64::from(voters),
            None => self.registered.unknown_counted += 1,
        }
    }

    fn uncount_station(&mut self, registered: Option<u32>) {
        self.stations.counted -= 1;
        match registered {
            Some(voters) => self.registered.counted -= u64::from(voters),
            None => self.registered.unknown_counted -= 1,
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
            row.stations.missing -= 1;
            row.count_station(member.registered);
            row.add_figures(&placed.figures);
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

/// The contests in which a correction is in force, from their rows as counted.
fn as_it_stands(ledger: &Ledger, tables: &[Vec<AreaTotals>]) -> BTreeMap<ContestNo, ContestTotals> {
    let roster = ledger.roster();
    let mut corrected: BTreeMap<ContestNo, Vec<AreaTotals>> = BTreeMap::new();
    for (slot, correction) in ledger.book().in_force() {
        let Some(as_counted) = ledger.slot(correction.station, correction.contest) else { continue };
        let member = roster.member(slot);
        let rows = corrected.entry(correction.contest).or_insert_with(|| tables[correction.contest.index()].clone());
        correct(&mut rows[member.row as usize], member, &as_counted, correction.figures.as_ref());
    }
    let parts = corrected.into_iter().filter_map(|(contest, rows)| Some((contest, roster.part(contest)?, rows)));
    parts.map(|(contest, part, rows)| (contest, roll_up(rows, &part.rows))).collect()
}

/// Puts a correction in the place of what is counted for a slot.
fn correct(row: &mut AreaTotals, member: Member, as_counted: &SlotView<'_>, figures: Option<&FiguresView<'_>>) {
    match as_counted.status {
        SlotStatus::Counted => {
            row.uncount_station(member.registered);
            as_counted.figures.iter().for_each(|figures| row.remove_figures(figures));
        }
        SlotStatus::Quarantined => row.stations.quarantined -= 1,
        SlotStatus::Missing => row.stations.missing -= 1,
    }
    match figures {
        Some(figures) => {
            row.count_station(member.registered);
            row.stations.corrected += 1;
            row.add_figures(figures);
        }
        None => row.stations.annulled += 1,
    }
}

/// Votes of one contest by candidate id.
fn candidates(contest: &Contest, totals: &ContestTotals) -> BTreeMap<String, u64> {
    let ids = contest.candidates.iter().map(|candidate| candidate.id.clone());
    ids.zip(totals.whole.candidates(contest)).collect()
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
        #[serde(flatten)]
        pub(super) as_counted: Areas<'a>,
        #[serde(skip_serializing_if = "Option::is_none")]
        pub(super) as_it_stands: Option<Areas<'a>>,
    }

    #[derive(Serialize)]
    pub(super) struct Areas<'a> {
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
