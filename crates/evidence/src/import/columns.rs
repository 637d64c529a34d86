//! A mapping's columns, found in one table.

use std::borrow::Cow;

use tallyproof_record::Problem;

use super::plain;
use super::register::{Facts, Roll};
use crate::input::Table;
use crate::mapping::{AreaSpec, Condition, Filter, KeySpec, Located, Mapping};
use crate::number::Numbers;

/// A cell, trimmed; empty where the row is shorter.
pub(super) fn cell<'c>(cells: &'c [Cow<'_, str>], index: usize) -> &'c str {
    cells.get(index).map_or("", |cell| cell.trim())
}

/// Finds several columns; all that are not there are reported.
pub(super) fn find(table: &Table<'_>, wanted: &[Located], problems: &mut Vec<Problem>) -> Vec<usize> {
    wanted.iter().filter_map(|column| find_one(table, column, problems)).collect()
}

pub(super) fn find_one(table: &Table<'_>, wanted: &Located, problems: &mut Vec<Problem>) -> Option<usize> {
    table.column(wanted).map_err(|problem| problems.push(problem)).ok()
}

/// A key and where its columns stand.
pub(super) struct Key<'m> {
    spec: &'m KeySpec,
    columns: Vec<usize>,
}

impl<'m> Key<'m> {
    pub(super) fn find(spec: &'m KeySpec, table: &Table<'_>, problems: &mut Vec<Problem>) -> Self {
        Self { spec, columns: find(table, &spec.columns, problems) }
    }

    /// The parts, joined; empty where all parts are.
    pub(super) fn join(&self, cells: &[Cow<'_, str>]) -> String {
        let mut joined = String::new();
        let mut any = false;
        for (nth, &column) in self.columns.iter().enumerate() {
            if nth > 0 {
                joined.push_str(&self.spec.separator);
            }
            let part = self.part(nth, cells.get(column).map_or("", |cell| cell));
            any |= !part.is_empty();
            joined.push_str(&part);
        }
        if any { joined } else { String::new() }
    }

    fn part<'c>(&self, nth: usize, cell: &'c str) -> Cow<'c, str> {
        let mut part = if self.spec.trim { cell.trim() } else { cell };
        if let Some(suffix) = &self.spec.strip_suffix {
            part = part.strip_suffix(suffix.as_str()).unwrap_or(part);
        }
        let width = self.spec.pad.get(nth).or(self.spec.pad.first()).copied().unwrap_or(0);
        // An empty part stays empty: zeros would make a number of it.
        if part.is_empty() || part.chars().count() >= width {
            return Cow::Borrowed(part);
        }
        Cow::Owned(format!("{part:0>width$}"))
    }
}

/// Columns that every layout needs.
pub(super) struct Columns<'m> {
    filters: Vec<(&'m Filter, usize)>,
    station: Key<'m>,
    name: Option<Key<'m>>,
    registered: Vec<usize>,
    special: Option<(&'m Condition, usize)>,
    areas: Vec<(&'m AreaSpec, usize, Option<usize>)>,
    contest: Option<Key<'m>>,
    numbers: &'m Numbers,
}

impl<'m> Columns<'m> {
    /// # Errors
    /// Every column that is not there.
    pub(super) fn resolve(mapping: &'m Mapping, table: &Table<'_>) -> Result<Self, Vec<Problem>> {
        let mut problems = Vec::new();
        let missing = &mut problems;
        let mut one = |column: &Located| find_one(table, column, missing);
        let filters =
            mapping.filters.iter().filter_map(|filter| Some((filter, one(&filter.condition.column)?))).collect();
        let special = mapping.station.special.as_ref().and_then(|condition| Some((condition, one(&condition.column)?)));
        let areas = mapping
            .areas
            .iter()
            .filter_map(|area| Some((area, one(&area.column)?, area.code.as_ref().and_then(&mut one))))
            .collect();
        let columns = Self {
            filters,
            station: Key::find(&mapping.station.key, table, &mut problems),
            name: mapping.station.name.as_ref().map(|name| Key::find(name, table, &mut problems)),
            registered: find(table, &mapping.station.registered, &mut problems),
            special,
            areas,
            contest: mapping.contest_key.as_ref().map(|key| Key::find(key, table, &mut problems)),
            numbers: &mapping.numbers,
        };
        if problems.is_empty() { Ok(columns) } else { Err(problems) }
    }

    /// The first filter that leaves the row out.
    pub(super) fn filter_against(&self, cells: &[Cow<'_, str>]) -> Option<&'m Filter> {
        let against =
            |(filter, column): &&(&'m Filter, usize)| filter.condition.test.holds(cell(cells, *column)) != filter.keep;
        self.filters.iter().find(against).map(|(filter, _)| *filter)
    }

    pub(super) fn station_key(&self, cells: &[Cow<'_, str>]) -> String {
        super::short_id(&self.station.join(cells))
    }

    /// The contest key; `None` where the mapping has one contest.
    pub(super) fn contest(&self, cells: &[Cow<'_, str>]) -> Option<String> {
        self.contest.as_ref().map(|key| key.join(cells))
    }

    /// What the row says about its station.
    pub(super) fn facts<'c>(&self, cells: &'c [Cow<'_, str>]) -> Facts<'c> {
        Facts {
            name: self.name.as_ref().map(|name| plain(&name.join(cells))).filter(|name| !name.is_empty()),
            special: self.special.is_some_and(|(condition, column)| condition.test.holds(cell(cells, column))),
            roll: self.roll(cells),
            path: self
                .areas
                .iter()
                .map(|&(_, name, code)| (cell(cells, name), code.map(|code| cell(cells, code))))
                .collect(),
        }
    }

    fn roll(&self, cells: &[Cow<'_, str>]) -> Roll {
        let mut sum: Option<u32> = None;
        for &column in &self.registered {
            match self.numbers.read(cell(cells, column)) {
                Ok(None) => return Roll::Unknown,
                Ok(Some(part)) => match sum.unwrap_or(0).checked_add(part) {
                    Some(total) => sum = Some(total),
                    None => return Roll::Unreadable,
                },
                Err(_) => return Roll::Unreadable,
            }
        }
        sum.map_or(Roll::Unknown, Roll::Known)
    }
}
