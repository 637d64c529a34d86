//! A package's tables: their columns, and the place of every field.

pub(crate) use crate::csv::Cell;

use super::report::{Checker, Code, Spot, shown};
use crate::csv::Reader;

/// A file's rows. Empty lines are no rows.
pub(crate) struct Table<'a> {
    /// Column names.
    pub(crate) header: Vec<Cell<'a>>,
    /// Rows with as many cells as the header.
    pub(crate) rows: Vec<Vec<Cell<'a>>>,
    /// Whether no row had to be left out.
    pub(crate) complete: bool,
}

impl Cell<'_> {
    pub(crate) fn spot(&self) -> Spot<'_> {
        Spot { text: &self.text, at: self.at }
    }
}

/// A column that a file may have.
pub(crate) enum Column {
    /// Has to be there.
    Required(&'static str),
    /// Reads as empty where it is absent.
    Optional(&'static str),
}

impl Column {
    fn name(&self) -> &'static str {
        match self {
            Self::Required(name) | Self::Optional(name) => name,
        }
    }
}

/// For each column of a schema, its position in the header.
pub(crate) type Positions<const N: usize> = [Option<usize>; N];

impl<'a> Table<'a> {
    /// Splits a file into rows and reports rows that cannot be.
    pub(crate) fn read(check: &mut Checker<'_, 'a>) -> Self {
        let mut table = Self { header: Vec::new(), rows: Vec::new(), complete: true };
        let mut header_read = false;
        for record in Reader::new(check.source.text) {
            match record {
                Ok(cells) if !header_read => table.header = cells,
                Ok(cells) if cells.len() == table.header.len() => table.rows.push(cells),
                Ok(cells) => table.reject_width(&cells, check),
                Err(broken) => {
                    let what = broken.what(|at| check.source.place(at));
                    check.add(broken.at(), Code::Csv, what);
                    table.complete = false;
                }
            }
            header_read = true;
        }
        table
    }

    fn reject_width(&mut self, cells: &[Cell<'a>], check: &mut Checker<'_, 'a>) {
        self.complete = false;
        // Without a header every row would be reported for the header's mistake.
        if self.header.is_empty() {
            return;
        }
        let what = format!(
            "{} fields, the header has {}; add or remove commas, or put a field that holds a comma in quotes",
            cells.len(),
            self.header.len()
        );
        check.add(cells.first().map_or(0, |cell| cell.at), Code::FieldCount, what);
    }

    /// Finds the columns of `schema` and reports unknown, repeated and missing ones; `None` if a required one is missing.
    pub(crate) fn columns<const N: usize>(
        &self,
        schema: &[Column; N],
        check: &mut Checker<'_, '_>,
    ) -> Option<Positions<N>> {
        // The header itself is broken, which is reported already.
        if self.header.is_empty() && !self.complete {
            return None;
        }
        if let [only] = self.header.as_slice()
            && only.text.contains([';', '\t'])
        {
            let what = format!(
                "columns are separated by commas, here they are not: {}; save the file with commas (in a spreadsheet: CSV UTF-8, comma delimited)",
                shown(&only.text)
            );
            check.add(only.at, Code::UnknownColumn, what);
            return None;
        }
        let mut positions = [None; N];
        for (position, cell) in self.header.iter().enumerate() {
            let known = schema.iter().zip(&mut positions).find(|(column, _)| column.name() == cell.text);
            match known {
                Some((_, slot @ None)) => *slot = Some(position),
                Some(_) => repeated(cell.spot(), check),
                None => check.unknown(
                    cell.spot(),
                    Code::UnknownColumn,
                    "remove or rename the unknown column",
                    schema.iter().map(Column::name),
                ),
            }
        }
        let mut all = true;
        for (column, position) in schema.iter().zip(&positions) {
            if let (Column::Required(name), None) = (column, position) {
                missing(name, check);
                all = false;
            }
        }
        all.then_some(positions)
    }

    /// The rows' cells in the order of the schema.
    pub(crate) fn select<const N: usize>(&self, positions: Positions<N>) -> impl Iterator<Item = [Spot<'_>; N]> {
        self.rows.iter().map(move |row| {
            let start = row.first().map_or(0, |cell| cell.at);
            let absent = Spot { text: "", at: start };
            positions.map(|position| position.and_then(|p| row.get(p)).map_or(absent, Cell::spot))
        })
    }
}

/// Reports a column that stands twice.
pub(crate) fn repeated(column: Spot<'_>, check: &mut Checker<'_, '_>) {
    check.add(column.at, Code::DuplicateColumn, format!("column {} stands twice; remove one", shown(column.text)));
}

/// Reports a column that the header lacks.
pub(crate) fn missing(name: &str, check: &mut Checker<'_, '_>) {
    check.add(0, Code::MissingColumn, format!("column {} is missing; add it to the header", shown(name)));
}
