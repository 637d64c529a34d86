//! `results.csv`: the figures that each station will enter.

use std::collections::{BTreeMap, BTreeSet};

use super::{
    Contest, ContestNo, Election, Figure, StationNo,
    canonical::csv_row,
    package::{
        report::{Checker, Code, Report, Source, shown},
        table::{Cell, Table, missing, repeated},
    },
};
use crate::problem::Problem;

/// Figures of one station in one contest.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Figures {
    /// One count per ballot line, in ballot order.
    pub counts: Vec<u32>,
    /// Stated figures; absent means not stated.
    pub stated: BTreeMap<Figure, u32>,
}

/// Figures by station and contest. A station without an entry has no record: it is missing, not zero.
pub type Results = BTreeMap<(StationNo, ContestNo), Figures>;

/// Parses `results.csv` against its definition; on failure returns every mistake (codes of [`super::package::CODES`]).
pub fn parse(bytes: &[u8], election: &Election) -> Result<Results, Vec<Problem>> {
    let mut report = Report::default();
    let results = Source::new("results.csv", bytes, &mut report).and_then(|source| {
        let mut check = Checker::new(&source, &mut report);
        let table = Table::read(&mut check);
        let layout = Layout::read(&table, election, &mut check)?;
        Some(rows(&table, layout, election, &mut check))
    });
    match results {
        Some(results) if report.found.is_empty() => Ok(results),
        _ => Err(report.found),
    }
}

/// Renders canonical `results.csv` bytes: all columns, ballot lines in order of first appearance, rows by station, then
/// contest. Entries for a station or contest that the election does not have are left out.
pub fn render(results: &Results, election: &Election) -> Vec<u8> {
    let lines = line_ids(election);
    let columns: BTreeMap<&str, usize> = lines.iter().copied().zip(0..).collect();
    let mut out = String::new();
    let figures = Figure::ALL.map(|figure| format!("@{}", figure.as_str()));
    csv_row(
        &mut out,
        ["station", "contest"].into_iter().chain(figures.iter().map(String::as_str)).chain(lines.iter().copied()),
    );
    for (&(station, contest), figures) in results {
        let (Some(station), Some(contest)) = (election.station(station), election.contest(contest)) else { continue };
        let mut cells = vec![String::new(); Figure::ALL.len() + lines.len()];
        let (stated, counts) = cells.split_at_mut(Figure::ALL.len());
        for (cell, figure) in stated.iter_mut().zip(Figure::ALL) {
            *cell = figures.stated.get(&figure).map(u32::to_string).unwrap_or_default();
        }
        for (line, count) in contest.lines.iter().zip(&figures.counts) {
            if let Some(cell) = columns.get(line.id.as_str()).and_then(|&column| counts.get_mut(column)) {
                *cell = count.to_string();
            }
        }
        csv_row(&mut out, [&*station.id, &*contest.id].into_iter().chain(cells.iter().map(String::as_str)));
    }
    out.into_bytes()
}

/// Ids of all ballot lines in order of first appearance.
fn line_ids(election: &Election) -> Vec<&str> {
    let mut seen = BTreeSet::new();
    let all = election.contests().iter().flat_map(|contest| &contest.lines).map(|line| line.id.as_str());
    all.filter(|id| seen.insert(*id)).collect()
}

/// Where things stand in a row.
struct Layout<'t> {
    station: usize,
    contest: usize,
    figures: Vec<(Figure, usize)>,
    lines: BTreeMap<&'t str, usize>,
}

impl<'t> Layout<'t> {
    fn read(table: &'t Table<'_>, election: &Election, check: &mut Checker<'_, '_>) -> Option<Self> {
        let known = line_ids(election);
        let known_set: BTreeSet<&str> = known.iter().copied().collect();
        let (mut columns, mut figures, mut lines) = (BTreeMap::new(), Vec::new(), BTreeMap::new());
        for (position, spot) in table.header.iter().map(Cell::spot).enumerate() {
            let figure = spot.text.strip_prefix('@').map(str::parse::<Figure>);
            if columns.contains_key(spot.text) {
                repeated(spot, check);
                continue;
            }
            columns.insert(spot.text, position);
            match figure {
                Some(Ok(figure)) => figures.push((figure, position)),
                None if ["station", "contest"].contains(&spot.text) => {}
                None if known_set.contains(spot.text) => {
                    lines.insert(spot.text, position);
                }
                Some(Err(())) => {
                    let pool = ["@blank", "@null", "@voters", "@registered", "@total"];
                    check.unknown(spot, Code::UnknownColumn, "remove or rename the unknown column", pool);
                }
                None => {
                    let pool = ["station", "contest"].into_iter().chain(known.iter().copied());
                    let what = "no ballot line has this id; remove or rename the column";
                    check.unknown(spot, Code::UnknownColumn, what, pool);
                }
            }
        }
        for name in ["station", "contest"].into_iter().filter(|name| !columns.contains_key(name)) {
            missing(name, check);
        }
        Some(Self { station: *columns.get("station")?, contest: *columns.get("contest")?, figures, lines })
    }
}

/// Reads rows of a table with a known layout.
struct Rows<'e, 't> {
    election: &'e Election,
    layout: Layout<'t>,
    stations: BTreeMap<&'e str, StationNo>,
    contests: BTreeMap<&'e str, ContestNo>,
    /// Contests met so far, with the column of each of their lines: a column that is missing is reported once.
    met: BTreeMap<ContestNo, Vec<Option<usize>>>,
}

fn rows(table: &Table<'_>, layout: Layout<'_>, election: &Election, check: &mut Checker<'_, '_>) -> Results {
    let mut rows = Rows {
        election,
        layout,
        stations: election.numbered_stations().map(|(no, station)| (&*station.id, no)).collect(),
        contests: election.numbered_contests().map(|(no, contest)| (&*contest.id, no)).collect(),
        met: BTreeMap::new(),
    };
    let (mut results, mut places) = (Results::new(), BTreeMap::new());
    for row in &table.rows {
        let Some((key, at)) = rows.key(row, check) else { continue };
        if let Some(&first) = places.get(&key) {
            let what = format!("this station and contest already stand at {}; keep one row", check.source.place(first));
            check.add(at, Code::DuplicateRow, what);
            continue;
        }
        places.insert(key, at);
        if let Some(figures) = rows.figures(key.1, row, check) {
            results.insert(key, figures);
        }
    }
    results
}

impl Rows<'_, '_> {
    fn key(&self, row: &[Cell<'_>], check: &mut Checker<'_, '_>) -> Option<((StationNo, ContestNo), usize)> {
        let (station, contest) = (row.get(self.layout.station)?.spot(), row.get(self.layout.contest)?.spot());
        let station_no = self.stations.get(station.text).copied();
        if station_no.is_none() {
            check.unknown(
                station,
                Code::UnknownReference,
                "stations.csv has no station",
                self.stations.keys().copied(),
            );
        }
        let contest_no = self.contests.get(contest.text).copied();
        if contest_no.is_none() {
            check.unknown(
                contest,
                Code::UnknownReference,
                "election.toml has no contest",
                self.contests.keys().copied(),
            );
        }
        let key = (station_no?, contest_no?);
        if !self.election.holds(self.election.station(key.0)?, self.election.contest(key.1)?) {
            let (station_id, contest_id) = (shown(station.text), shown(contest.text));
            let what =
                format!("contest {contest_id} is not held at station {station_id}; correct the row or the areas");
            check.add(contest.at, Code::NotHeld, what);
            return None;
        }
        Some((key, station.at))
    }

    /// The figures of a row; `None` if some are missing or wrong.
    fn figures(&mut self, no: ContestNo, row: &[Cell<'_>], check: &mut Checker<'_, '_>) -> Option<Figures> {
        let contest = self.election.contest(no)?;
        let columns = self.met.entry(no).or_insert_with(|| columns_of(contest, &self.layout, check));
        let start = row.first()?.spot();
        let mut counts = Vec::with_capacity(columns.len());
        for (line, column) in contest.lines.iter().zip(columns.iter()) {
            let Some(cell) = column.and_then(|column| row.get(column)).map(Cell::spot) else { continue };
            if cell.text.is_empty() {
                let what = format!("no count for ballot line {}; write 0 if it had none", shown(&line.id));
                check.add(cell.at, Code::MissingCount, what);
            } else {
                counts.extend(check.number(&line.id, cell));
            }
        }
        extra_counts(contest, columns, &self.layout, row, check);
        let mut stated = BTreeMap::new();
        for &(figure, column) in &self.layout.figures {
            let cell = row.get(column).map_or(start, Cell::spot);
            if !cell.text.is_empty() {
                stated.extend(check.number(figure.as_str(), cell).map(|value| (figure, value)));
            }
        }
        (counts.len() == contest.lines.len()).then_some(Figures { counts, stated })
    }
}

fn columns_of(contest: &Contest, layout: &Layout<'_>, check: &mut Checker<'_, '_>) -> Vec<Option<usize>> {
    let column = |line: &super::BallotLine| {
        let found = layout.lines.get(line.id.as_str()).copied();
        if found.is_none() {
            missing(&line.id, check);
        }
        found
    };
    contest.lines.iter().map(column).collect()
}

fn extra_counts(
    contest: &Contest,
    own: &[Option<usize>],
    layout: &Layout<'_>,
    row: &[Cell<'_>],
    check: &mut Checker<'_, '_>,
) {
    let filled = |column: &usize| row.get(*column).map(Cell::spot).filter(|cell| !cell.text.is_empty());
    let own: BTreeSet<usize> = own.iter().copied().flatten().collect();
    for (id, column) in layout.lines.iter().filter(|(_, column)| !own.contains(column)) {
        let Some(cell) = filled(column) else { continue };
        let what = format!("ballot line {} is not on contest {}; leave the cell empty", shown(id), shown(&contest.id));
        check.add(cell.at, Code::ExtraCount, what);
    }
}
