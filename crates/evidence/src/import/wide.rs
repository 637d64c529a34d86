//! Tables with one row per station and a column per ballot line.

use std::borrow::Cow;
use std::collections::HashMap;

use tallyproof_record::Problem;
use tallyproof_record::definition::Figure;

use super::ballot::{Ballot, Line};
use super::columns::{cell, find, find_one};
use super::journal::{Journal, RowId};
use super::{Figures, Record};
use crate::input::Table;
use crate::mapping::{FigureSpec, LineSpec, Mapping, RangeSpec, WideSpec};
use crate::number::{NotACount, Numbers};
use crate::pattern;
use crate::report::{CONFLICT, FIGURE_MISSING, NO_COLUMN, REPEATED};

pub(super) struct Wide<'m> {
    mapping: &'m Mapping,
    /// One per `[[contest]]`; a single one where contests come from a column or there is one contest.
    plans: Vec<Plan<'m>>,
    /// What the rows of a station and contest said, by both.
    seen: HashMap<(usize, usize), Seen>,
    /// Keys of `seen` in order of appearance.
    order: Vec<(usize, usize)>,
}

/// Where the figures of a contest stand in the table being read.
struct Plan<'m> {
    wide: &'m WideSpec,
    figures: &'m FigureSpec,
    /// As in the first table; later tables have to have the same lines.
    lines: Vec<Line>,
    /// Columns to add up, and their names, per line.
    line_columns: Vec<Vec<Column>>,
    figure_columns: Vec<(Figure, Vec<Column>, bool)>,
}

#[derive(Clone)]
struct Column {
    index: usize,
    name: String,
}

/// What the first row of a station and contest said.
struct Seen {
    row: RowId,
    /// `None`: no usable figures.
    figures: Option<Figures>,
    /// Whether a later row said something else: then none is used.
    contradicted: bool,
}

impl<'m> Wide<'m> {
    pub(super) fn new(mapping: &'m Mapping) -> Self {
        let plan = |wide: &'m WideSpec, figures| Plan {
            wide: if wide.is_empty() { &mapping.wide } else { wide },
            figures,
            lines: Vec::new(),
            line_columns: Vec::new(),
            figure_columns: Vec::new(),
        };
        let mut plans: Vec<_> = mapping
            .contests
            .iter()
            .map(|contest| plan(&contest.wide, contest.figures.as_ref().unwrap_or(&mapping.figures)))
            .collect();
        if plans.is_empty() {
            plans.push(plan(&mapping.wide, &mapping.figures));
        }
        Self { mapping, plans, seen: HashMap::new(), order: Vec::new() }
    }

    /// Finds the columns in a table.
    ///
    /// # Errors
    /// Every column that is not there, and ballot lines that differ from those of an earlier table.
    pub(super) fn begin(&mut self, table: &Table<'_>, ballot: &mut Ballot<'m>) -> Result<(), Vec<Problem>> {
        let mut problems = Vec::new();
        for plan in &mut self.plans {
            plan.find(table, &self.mapping.election.place, &mut problems);
        }
        if !problems.is_empty() {
            return Err(problems);
        }
        for (contest, number) in ballot.contests.iter_mut().zip(0..) {
            if let Some(plan) = plan(&self.plans, number) {
                plan.fill(contest);
            }
        }
        Ok(())
    }

    /// Reads the figures of a row: of its contest, or of all contests where the mapping has no contest key.
    pub(super) fn row(
        &mut self,
        row: RowId,
        station: usize,
        contest: Option<usize>,
        cells: &[Cow<'_, str>],
        ballot: &mut Ballot<'m>,
        journal: &mut Journal,
    ) {
        let contests = match contest {
            Some(contest) => contest..contest + 1,
            None => 0..ballot.contests.len(),
        };
        for contest in contests {
            let Some(plan) = plan(&self.plans, contest) else { continue };
            if let Some(contest) = ballot.contests.get_mut(contest).filter(|contest| contest.lines.is_empty()) {
                plan.fill(contest);
            }
            let now = plan.read(cells, &self.mapping.numbers, row, journal);
            self.note((station, contest), now, row, journal);
        }
    }

    fn note(&mut self, key: (usize, usize), figures: Option<Figures>, row: RowId, journal: &mut Journal) {
        let Some(first) = self.seen.get_mut(&key) else {
            self.seen.insert(key, Seen { row, figures, contradicted: false });
            self.order.push(key);
            return;
        };
        // A row without usable figures has had its own problem.
        if figures.is_none() && (first.contradicted || first.figures.is_none()) {
            return;
        }
        let another = |journal: &Journal, row| {
            format!("another row for the same station and contest is at {}; ", journal.place(row))
        };
        if !first.contradicted && first.figures == figures {
            return journal.problem(row, REPEATED, another(journal, first.row) + "it has the same figures and is used");
        }
        let differs = "it says something else, and neither is used. Is the station key complete?";
        if !first.contradicted && first.figures.is_some() {
            journal.problem(first.row, CONFLICT, another(journal, row) + differs);
        }
        if figures.is_some() {
            journal.problem(row, CONFLICT, another(journal, first.row) + differs);
        }
        first.contradicted = true;
    }

    pub(super) fn finish(self, journal: &mut Journal) -> Vec<Record> {
        let mut seen = self.seen;
        let mut records = Vec::new();
        for (station, contest) in self.order {
            let Some(Seen { row, figures: Some(figures), contradicted: false }) = seen.remove(&(station, contest))
            else {
                continue;
            };
            journal.used(row);
            records.push(Record { station, contest, figures });
        }
        records
    }
}

/// The plan of a contest: its own, or the one that contests from a column share.
fn plan<'p, 'm>(plans: &'p [Plan<'m>], contest: usize) -> Option<&'p Plan<'m>> {
    plans.get(contest).or_else(|| plans.last())
}

impl Plan<'_> {
    fn find(&mut self, table: &Table<'_>, place: &str, problems: &mut Vec<Problem>) {
        let mut found: Vec<(Line, Vec<Column>)> = Vec::new();
        if let Some(range) = &self.wide.range {
            for index in range_columns(range, table, problems) {
                let name = table.column_name(index);
                found.push((Line::new(&super::short_id(&name), &name, None), vec![Column { index, name }]));
            }
        }
        for spec in &self.wide.lines {
            let columns = named(table, find(table, &spec.columns, problems));
            place_line(&mut found, spec, columns);
        }
        for (figure, wanted) in &self.figures.columns {
            let columns = named(table, find(table, wanted, problems));
            let optional = self.figures.optional.contains(figure);
            self.figure_columns.retain(|(known, ..)| known != figure);
            self.figure_columns.push((*figure, columns, optional));
        }
        check_ids(&found, table, place, problems);
        self.adopt(found, place, problems);
    }

    /// Takes the lines of the first table; puts the columns of later tables in its order.
    fn adopt(&mut self, mut found: Vec<(Line, Vec<Column>)>, place: &str, problems: &mut Vec<Problem>) {
        if self.lines.is_empty() {
            self.lines = found.iter().map(|(line, _)| line.clone()).collect();
        }
        let mut columns = Vec::new();
        for line in &self.lines {
            match found.iter().position(|(other, _)| other.id == line.id) {
                Some(at) => columns.push(found.swap_remove(at).1),
                None => problems.push(Problem::new(
                    NO_COLUMN,
                    place,
                    format!(
                        "a table has no column for the ballot line `{}` of an earlier table: import them apart",
                        line.id
                    ),
                )),
            }
        }
        for (line, _) in &found {
            problems.push(Problem::new(
                NO_COLUMN,
                place,
                format!("a table has a ballot line `{}` that an earlier table has not: import them apart", line.id),
            ));
        }
        self.line_columns = columns;
    }

    /// Gives a contest the lines and the figures that its records state.
    fn fill(&self, contest: &mut super::ballot::Contest<'_>) {
        for line in &self.lines {
            contest.line(line.clone());
        }
        contest
            .figures
            .extend(self.figure_columns.iter().filter(|(.., optional)| !optional).map(|(figure, ..)| *figure));
    }

    /// The figures of a row; `None` where one is missing or not a count, which is reported.
    fn read(&self, cells: &[Cow<'_, str>], numbers: &Numbers, row: RowId, journal: &mut Journal) -> Option<Figures> {
        let mut reader = Reader { cells, numbers, missing: Vec::new(), faults: Vec::new() };
        let counts: Vec<u32> =
            self.line_columns.iter().map(|columns| reader.sum(columns, false).unwrap_or(0)).collect();
        let mut stated = [None; 5];
        for (figure, columns, optional) in &self.figure_columns {
            if let Some(slot) = stated.get_mut(*figure as usize) {
                *slot = reader.sum(columns, *optional);
            }
        }
        let sound = reader.missing.is_empty() && reader.faults.is_empty();
        reader.report(row, journal);
        sound.then_some(Figures { counts, stated })
    }
}

/// Reads the figures of one row and gathers what is wrong with them.
struct Reader<'r> {
    cells: &'r [Cow<'r, str>],
    numbers: &'r Numbers,
    missing: Vec<&'r str>,
    faults: Vec<(&'r Column, NotACount)>,
}

impl<'r> Reader<'r> {
    /// The sum over columns; `None` where a part is missing or not a count.
    fn sum(&mut self, columns: &'r [Column], optional: bool) -> Option<u32> {
        let mut sum = Some(0u32);
        for column in columns {
            match self.numbers.read(cell(self.cells, column.index)) {
                Ok(Some(part)) => {
                    let before = sum;
                    sum = sum.and_then(|sum| sum.checked_add(part));
                    if before.is_some() && sum.is_none() {
                        self.faults.push((column, NotACount::TooLarge));
                    }
                }
                Ok(None) => {
                    sum = None;
                    if !optional {
                        self.missing.push(&column.name);
                    }
                }
                Err(fault) => {
                    sum = None;
                    self.faults.push((column, fault));
                }
            }
        }
        sum
    }

    fn report(&self, row: RowId, journal: &mut Journal) {
        for (column, fault) in &self.faults {
            journal.not_a_count(row, *fault, &column.name, cell(self.cells, column.index));
        }
        if !self.missing.is_empty() {
            let what =
                format!("no figure in `{}`: the station is registered and has no record", self.missing.join("`, `"));
            journal.problem(row, FIGURE_MISSING, what);
        }
    }
}

fn named(table: &Table<'_>, indices: Vec<usize>) -> Vec<Column> {
    indices.into_iter().map(|index| Column { index, name: table.column_name(index) }).collect()
}

fn range_columns(range: &RangeSpec, table: &Table<'_>, problems: &mut Vec<Problem>) -> Vec<usize> {
    let mut columns: Vec<usize> = range.columns.iter().filter_map(|column| find_one(table, column, problems)).collect();
    if let Some((from, to)) = &range.ends {
        match table.range(from, to) {
            Ok(indices) => columns.extend(indices),
            Err(problem) => problems.push(problem),
        }
    }
    columns.retain(|&index| !range.except.iter().any(|glob| pattern::matches(glob, &table.column_name(index))));
    columns
}

/// Adds a declared line, in the place of the column of the range that it describes, if there is one.
fn place_line(found: &mut Vec<(Line, Vec<Column>)>, spec: &LineSpec, columns: Vec<Column>) {
    let Some(first) = columns.first() else { return };
    let line = Line::new(&super::short_id(&first.name), &first.name, Some(spec));
    let same = |(_, known): &&mut (Line, Vec<Column>)| matches!(known.as_slice(), [one] if one.index == first.index);
    let place = if columns.len() == 1 { found.iter_mut().find(same) } else { None };
    match place {
        Some(place) => place.0 = line,
        None => found.push((line, columns)),
    }
}

/// Ids come from headers; two headers alike, or one that cannot be an id, need a `[[line]]`.
fn check_ids(found: &[(Line, Vec<Column>)], table: &Table<'_>, place: &str, problems: &mut Vec<Problem>) {
    let mut ids = std::collections::BTreeSet::new();
    for (line, columns) in found {
        let fault = match super::id_fault(&line.id) {
            Some(fault) => fault,
            None if !ids.insert(&line.id) => "is the id of two ballot lines",
            None => continue,
        };
        let columns: Vec<String> = columns.iter().map(|column| table.column_name(column.index)).collect();
        let what =
            format!("`{}` (column {}) {fault}: give the line an `id` in a [[line]]", line.id, columns.join(", "));
        problems.push(Problem::new(NO_COLUMN, place, what));
    }
}
