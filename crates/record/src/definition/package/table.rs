//! Strict RFC 4180 with the place of every field. A lenient reader lets one forgotten quote swallow a thousand stations
//! without a word; this one reports it.

use std::borrow::Cow;

use super::report::{Checker, Code, Spot, shown};

/// A file's rows. Empty lines are no rows.
pub(crate) struct Table<'a> {
    /// Column names.
    pub(crate) header: Vec<Cell<'a>>,
    /// Rows with as many cells as the header.
    pub(crate) rows: Vec<Vec<Cell<'a>>>,
    /// Whether no row had to be left out.
    pub(crate) complete: bool,
}

/// One field.
pub(crate) struct Cell<'a> {
    text: Cow<'a, str>,
    at: usize,
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
        let mut reader = Reader { text: check.source.text, at: 0 };
        let mut table = Self { header: Vec::new(), rows: Vec::new(), complete: true };
        let mut header_read = false;
        while let Some(record) = reader.record() {
            match record {
                Ok(cells) if !header_read => table.header = cells,
                Ok(cells) if cells.len() == table.header.len() => table.rows.push(cells),
                Ok(cells) => table.reject_width(&cells, check),
                Err(broken) => {
                    broken.report(check);
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

struct Reader<'a> {
    text: &'a str,
    at: usize,
}

/// Why a row cannot be read; offsets into the file.
enum Broken {
    QuoteInside(usize),
    AfterQuote { open: usize, at: usize },
    Unclosed(usize),
    LoneReturn(usize),
}

impl Broken {
    fn report(self, check: &mut Checker<'_, '_>) {
        let (at, what) = match self {
            Self::QuoteInside(at) => {
                (at, "a quote inside a field; put the whole field in quotes and double the quotes inside it".into())
            }
            Self::AfterQuote { open, at } => {
                let open = check.source.place(open);
                (at, format!("text after the quote that closes the one at {open}; double the quotes inside a field"))
            }
            Self::Unclosed(at) => (at, "this quote is never closed; close or remove it".into()),
            Self::LoneReturn(at) => {
                (at, "a carriage return without line feed; save the file with LF or CRLF line ends".into())
            }
        };
        check.add(at, Code::Csv, what);
    }
}

impl<'a> Reader<'a> {
    fn rest(&self) -> &'a str {
        self.text.get(self.at..).unwrap_or_default()
    }

    /// Steps over `token` if it is next.
    fn take(&mut self, token: &str) -> bool {
        let next = self.rest().starts_with(token);
        if next {
            self.at += token.len();
        }
        next
    }

    fn line_end(&mut self) -> bool {
        self.take("\n") || self.take("\r\n")
    }

    /// The next row that is not an empty line. After a broken one goes on with the next line.
    fn record(&mut self) -> Option<Result<Vec<Cell<'a>>, Broken>> {
        while self.line_end() {}
        if self.rest().is_empty() {
            return None;
        }
        let cells = self.cells();
        if cells.is_err() {
            self.at += self.rest().find('\n').unwrap_or(self.rest().len());
        }
        Some(cells)
    }

    fn cells(&mut self) -> Result<Vec<Cell<'a>>, Broken> {
        let mut cells = Vec::new();
        loop {
            let open = self.at;
            cells.push(if self.take("\"") { self.quoted(open)? } else { self.plain() });
            if self.line_end() || self.rest().is_empty() {
                return Ok(cells);
            }
            if !self.take(",") {
                return Err(self.broken(open));
            }
        }
    }

    fn broken(&self, open: usize) -> Broken {
        let at = self.at;
        if self.rest().starts_with('\r') {
            Broken::LoneReturn(at)
        } else if self.text.get(open..).is_some_and(|field| field.starts_with('"')) {
            Broken::AfterQuote { open, at }
        } else {
            Broken::QuoteInside(at)
        }
    }

    fn plain(&mut self) -> Cell<'a> {
        let rest = self.rest();
        let end = rest.bytes().position(|b| matches!(b, b',' | b'\n' | b'\r' | b'"')).unwrap_or(rest.len());
        let cell = Cell { text: Cow::Borrowed(rest.get(..end).unwrap_or_default()), at: self.at };
        self.at += end;
        cell
    }

    fn quoted(&mut self, open: usize) -> Result<Cell<'a>, Broken> {
        let mut text = Cow::Borrowed("");
        loop {
            let Some((piece, _)) = self.rest().split_once('"') else {
                self.at = self.text.len();
                return Err(Broken::Unclosed(open));
            };
            self.at += piece.len() + 1;
            text += piece;
            if !self.take("\"") {
                return Ok(Cell { text, at: open });
            }
            text += "\"";
        }
    }
}
