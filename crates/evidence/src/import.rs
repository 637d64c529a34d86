//! From rows to an election package with `results.csv`, and a report of every row that was not used.

mod ballot;
mod columns;
mod journal;
mod long;
mod package;
mod register;
mod wide;

use std::borrow::Cow;
use std::collections::BTreeSet;

use sha2::{Digest, Sha256};
use tallyproof_record::Problem;

use self::ballot::Ballot;
use self::columns::Columns;
use self::journal::{Journal, RowId};
use self::register::Register;
use crate::input::{self, Budget, Input, Table};
use crate::mapping::Mapping;
use crate::report::{BAD_KEY, NO_TABLE, Report, TableRead};

/// What an import gives.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Imported {
    /// Files of the election package by name: the four of the definition (canonical) and `results.csv`.
    pub files: Vec<(String, Vec<u8>)>,
    /// What was read, used and not used.
    pub report: Report,
}

/// Imports publishers' tables by a mapping.
///
/// A row that cannot be used is a problem of the report and does not stop the import.
///
/// # Errors
/// What stops it: an input that cannot be read, a column that is not there, figures that make no election package.
pub fn import(mapping: &Mapping, inputs: &[Input]) -> Result<Imported, Vec<Problem>> {
    import_capped(mapping, inputs, u64::MAX)
}

/// As [`import`], with a cap on the unpacked bytes that the mapping cannot raise.
///
/// # Errors
/// As [`import`].
pub fn import_capped(mapping: &Mapping, inputs: &[Input], cap: u64) -> Result<Imported, Vec<Problem>> {
    let mut budget = Budget::new(mapping.input.max_bytes.min(cap));
    let mut import = Import::new(mapping);
    for input in inputs {
        for table in input::tables(input, &mapping.input, &mut budget).map_err(|problem| vec![problem])? {
            import.table(&table)?;
        }
    }
    import.finish()
}

/// Figures of one station in one contest.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Record {
    station: usize,
    contest: usize,
    figures: Figures,
}

/// Counts by ballot line, and the figures stated beside them, in the order of `Figure::ALL`.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Figures {
    counts: Vec<u32>,
    stated: [Option<u32>; 5],
}

/// How rows make records.
enum Layout<'m> {
    Wide(wide::Wide<'m>),
    Long(Box<long::Long<'m>>),
}

/// An import under way.
struct Import<'m> {
    mapping: &'m Mapping,
    ballot: Ballot<'m>,
    register: Register<'m>,
    journal: Journal,
    layout: Layout<'m>,
}

impl<'m> Import<'m> {
    fn new(mapping: &'m Mapping) -> Self {
        let layout = match &mapping.long {
            Some(spec) => Layout::Long(Box::new(long::Long::new(mapping, spec))),
            None => Layout::Wide(wide::Wide::new(mapping)),
        };
        Self {
            mapping,
            ballot: Ballot::new(mapping),
            register: Register::new(mapping),
            journal: Journal::default(),
            layout,
        }
    }

    /// Reads all rows of one table.
    fn table(&mut self, input: &Input) -> Result<(), Vec<Problem>> {
        let spec = &self.mapping.input;
        let (text, encoding) =
            input::decode(&input.bytes, spec.encoding, &input.name).map_err(|problem| vec![problem])?;
        let mut table = Table::new(&text, &input.name, spec).map_err(|problem| vec![problem])?;
        let columns = Columns::resolve(self.mapping, &table)?;
        match &mut self.layout {
            Layout::Wide(wide) => wide.begin(&table, &mut self.ballot)?,
            Layout::Long(long) => long.begin(&table)?,
        }
        let number = self.journal.begin(&input.name, spec.transpose);
        let (mut cells, mut rows) = (Vec::new(), 0u64);
        while let Some((line, problem)) = table.read(&mut cells) {
            rows += 1;
            let row = RowId { table: number, line };
            match problem {
                Some(problem) => self.journal.problem(row, problem.code, problem.what),
                None => self.row(row, &cells, &columns),
            }
        }
        if rows == 0 {
            return Err(vec![Problem::new(NO_TABLE, &input.name, "the table has a header and no rows")]);
        }
        let (name, encoding, delimiter) =
            (input.name.clone(), encoding.name().to_owned(), table.delimiter().to_owned());
        self.journal.report.rows_read += rows;
        self.journal.report.inputs.push(TableRead { name, encoding, delimiter, rows });
        Ok(())
    }

    fn row(&mut self, row: RowId, cells: &[Cow<'_, str>], columns: &Columns<'m>) {
        if cells.iter().all(|cell| cell.trim().is_empty()) {
            return self.journal.filtered("empty row");
        }
        if let Some(filter) = columns.filter_against(cells) {
            return self.journal.filtered(&filter.to_string());
        }
        let contest = match columns.contest(cells) {
            None => None,
            Some(key) => match self.ballot.contest_of(&key) {
                Ok(Some(contest)) => Some(contest),
                Ok(None) => return self.journal.filtered("contest not in [[contest]]"),
                Err(fault) => return self.journal.problem(row, BAD_KEY, format!("the contest key `{key}` {fault}")),
            },
        };
        if let Layout::Long(long) = &self.layout
            && let Some(reason) = long.filter_against(cells)
        {
            return self.journal.filtered(&reason);
        }
        let key = columns.station_key(cells);
        if let Some(fault) = id_fault(&key) {
            return self.journal.problem(row, BAD_KEY, format!("the station key `{key}` {fault}"));
        }
        let station = match self.register.see(key, columns.facts(cells), row, &mut self.journal) {
            Ok(station) => station,
            Err(what) => return self.journal.problem(row, BAD_KEY, what),
        };
        match &mut self.layout {
            Layout::Wide(wide) => wide.row(row, station, contest, cells, &mut self.ballot, &mut self.journal),
            Layout::Long(long) => {
                long.row(row, station, contest.unwrap_or(0), cells, &mut self.ballot, &mut self.journal);
            }
        }
    }

    fn finish(mut self) -> Result<Imported, Vec<Problem>> {
        let records = match self.layout {
            Layout::Wide(wide) => wide.finish(&mut self.journal),
            Layout::Long(long) => long.finish(&mut self.ballot, &mut self.register, &mut self.journal)?,
        };
        package::build(self.mapping, &self.ballot, &self.register, records, self.journal)
    }
}

/// Why a text cannot be an id (`docs/spec/package.md`); `None` where it can.
pub(crate) fn id_fault(id: &str) -> Option<&'static str> {
    if id.is_empty() {
        Some("is empty")
    } else if id.starts_with('@') {
        Some("begins with `@`")
    } else if id.trim() != id {
        Some("begins or ends with white space")
    } else if id.chars().any(char::is_control) {
        Some("holds a control character")
    } else if id.chars().count() > MAX_ID {
        Some("is longer than 64 characters")
    } else {
        None
    }
}

const MAX_ID: usize = 64;

/// `text` where it is short enough for an id, else its beginning and a digest of all of it: stable, and apart from
/// other texts that begin alike.
fn short_id(text: &str) -> String {
    const HEAD: usize = 51;
    if text.chars().count() <= MAX_ID {
        return text.to_owned();
    }
    let head: String = text.chars().take(HEAD).collect();
    format!("{}~{}", head.trim_end(), digest(text))
}

/// The first 12 hex digits of the SHA-256 of `text`.
fn digest(text: &str) -> String {
    use std::fmt::Write as _;
    Sha256::digest(text.as_bytes()).iter().take(6).fold(String::new(), |mut hex, byte| {
        let _ = write!(hex, "{byte:02x}");
        hex
    })
}

/// A display text from a cell: control characters (line ends within a cell) become spaces.
fn plain(text: &str) -> String {
    let spaced: String = text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
    spaced.trim().to_owned()
}

/// A set of rows.
type Rows = BTreeSet<RowId>;

#[cfg(test)]
mod tests;
