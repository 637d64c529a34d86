//! A table: rows of cells whose columns have names.

use std::borrow::Cow;

use tallyproof_record::Problem;

use super::split::{Fault, Form, Line, Splitter, current_line};
use crate::mapping::{InputSpec, Located, nearest};
use crate::report::{FIELD_COUNT, NO_COLUMN, NO_TABLE, OPEN_QUOTE};

/// Delimiters that are looked for, the likeliest first.
const DELIMITERS: [u8; 4] = [b',', b';', b'\t', b'|'];

/// The rows of one text, and the names of its columns.
pub(crate) struct Table<'t> {
    name: &'t str,
    /// Trimmed header cells; empty where a table has no header.
    headers: Vec<String>,
    /// Fields of a row: as in the header, or in the first row.
    fields: usize,
    /// Fields that have to be there: up to the last named column.
    width: usize,
    transposed: bool,
    delimiter: String,
    rows: Rows<'t>,
}

enum Rows<'t> {
    Text(Splitter<'t>),
    /// Turned rows, with the number of the column that each was.
    Turned(std::vec::IntoIter<Vec<Cow<'t, str>>>, u32),
}

impl<'t> Rows<'t> {
    /// The cells of the next row, which stays unread.
    fn peek(&self) -> Vec<Cow<'t, str>> {
        match self {
            Self::Text(splitter) => {
                let mut cells = Vec::new();
                splitter.clone().read(&mut cells);
                cells
            }
            Self::Turned(rows, _) => rows.as_slice().first().cloned().unwrap_or_default(),
        }
    }

    fn read(&mut self, cells: &mut Vec<Cow<'t, str>>) -> Option<Line> {
        match self {
            Self::Text(splitter) => splitter.read(cells),
            Self::Turned(rows, number) => {
                *cells = rows.next()?;
                *number = number.saturating_add(1);
                Some(Line { number: *number, fault: None })
            }
        }
    }
}

impl<'t> Table<'t> {
    /// Reads the header. `name` is for messages.
    ///
    /// # Errors
    /// No header, or a header that is damaged.
    pub(crate) fn new(text: &'t str, name: &'t str, spec: &'t InputSpec) -> Result<Self, Problem> {
        let comment = spec.comment.as_deref();
        let mut delimiter = "fixed".to_owned();
        let form = if spec.fixed.is_empty() {
            let head = Splitter::new(text, spec.skip_lines, comment, Form::Fixed(&[]));
            let byte = spec.delimiter.unwrap_or_else(|| frequent(current_line(head.rest().trim_start())));
            delimiter = char::from(byte).to_string();
            Form::Delimited { delimiter: byte, quote: spec.quote }
        } else {
            Form::Fixed(&spec.fixed)
        };
        let mut rows = Rows::Text(Splitter::new(text, spec.skip_lines, comment, form));
        if spec.transpose {
            rows = turn(&mut rows, name)?;
        }
        let headers = headers(&mut rows, spec, name)?;
        let first =
            if headers.is_empty() { rows.peek() } else { headers.iter().map(|name| name.as_str().into()).collect() };
        let width = first.iter().rposition(|cell| !cell.trim().is_empty()).map_or(0, |last| last + 1);
        let (fields, width) = match spec.fields {
            Some(fields) if headers.is_empty() => (fields, fields),
            _ => (first.len(), width),
        };
        Ok(Self { name, headers, fields, width, transposed: spec.transpose, delimiter, rows })
    }

    /// For the report.
    pub(crate) fn delimiter(&self) -> &str {
        &self.delimiter
    }

    /// The next row: its number and, unless it is damaged, its cells in `cells`. `None` at the end.
    pub(crate) fn read(&mut self, cells: &mut Vec<Cow<'t, str>>) -> Option<(u32, Option<Problem>)> {
        let line = self.rows.read(cells)?;
        let problem = match line.fault {
            Some(Fault::OpenQuote) => {
                let what = "a quote opens a field and is not closed; the line is not used. If quotes are plain text in this file, set `quote = \"none\"` in [input]";
                Some(Problem::new(OPEN_QUOTE, self.place(line.number), what))
            }
            None => self.count_problem(cells, line.number),
        };
        Some((line.number, problem))
    }

    /// A trailing delimiter or empty cells beyond the last named column do no harm; anything else is a damaged row.
    fn count_problem(&self, cells: &[Cow<'t, str>], number: u32) -> Option<Problem> {
        let found = cells.len();
        let fields = self.fields;
        let spare = cells.get(self.width..);
        if found == fields || spare.is_some_and(|spare| spare.iter().all(|cell| cell.trim().is_empty())) {
            return None;
        }
        let what = format!("{found} fields where the table has {fields}: look for an unescaped quote or delimiter");
        Some(Problem::new(FIELD_COUNT, self.place(number), what))
    }

    /// `file:line`, or `file:column N` of a turned table.
    pub(crate) fn place(&self, number: u32) -> String {
        place(self.name, self.transposed, number)
    }

    /// Name of a column for messages.
    pub(crate) fn column_name(&self, index: usize) -> String {
        match self.headers.get(index) {
            Some(name) if !name.is_empty() => name.clone(),
            _ => format!("#{}", index + 1),
        }
    }

    /// The columns from `first` to `last`.
    pub(crate) fn range(&self, first: &Located, last: &Located) -> Result<std::ops::RangeInclusive<usize>, Problem> {
        let (from, to) = (self.column(first)?, self.column(last)?);
        if from > to {
            let what =
                format!("column `{}` stands after `{}` in {}: swap `from` and `to`", first.text, last.text, self.name);
            return Err(Problem::new(NO_COLUMN, &first.place, what));
        }
        Ok(from..=to)
    }

    /// Index of the column that a mapping names: by header, `header#2` for the second of that name, `#3` by position.
    pub(crate) fn column(&self, wanted: &Located) -> Result<usize, Problem> {
        let text = wanted.text.trim();
        if let Some(position) = text.strip_prefix('#').and_then(|n| n.parse::<usize>().ok()) {
            return self.position(position, wanted);
        }
        let named = self.named(text);
        if let [one] = named.as_slice() {
            return Ok(*one);
        }
        self.nth_of_name(text).ok_or_else(|| self.not_found(wanted, named.len()))
    }

    /// `name#2`: the second column of that name.
    fn nth_of_name(&self, text: &str) -> Option<usize> {
        let (name, nth) = text.rsplit_once('#')?;
        let nth = nth.parse::<usize>().ok()?.checked_sub(1)?;
        self.named(name.trim()).get(nth).copied()
    }

    fn position(&self, position: usize, wanted: &Located) -> Result<usize, Problem> {
        match position.checked_sub(1) {
            Some(index) if index < self.fields => Ok(index),
            _ => {
                let what = format!(
                    "there is no column `#{position}` in {}: positions go from 1 to {}",
                    self.name, self.fields
                );
                Err(Problem::new(NO_COLUMN, &wanted.place, what))
            }
        }
    }

    fn named(&self, name: &str) -> Vec<usize> {
        let same = self.headers.iter().enumerate().filter(|(_, header)| *header == name);
        same.map(|(index, _)| index).collect()
    }

    fn not_found(&self, wanted: &Located, count: usize) -> Problem {
        let text = &wanted.text;
        let what = if count > 1 {
            format!(
                "{count} columns are named `{text}` in {}: write `{text}#1` … `{text}#{count}`, or a position such as `#3`",
                self.name
            )
        } else if self.headers.is_empty() {
            format!("the table {} has no header: name columns by position, such as `#3`", self.name)
        } else {
            let known = self.headers.iter().map(String::as_str).filter(|header| !header.is_empty());
            let hint = nearest(text, known.clone()).map_or_else(
                || format!("it has: {}", known.take(40).collect::<Vec<_>>().join(", ")),
                |near| format!("did you mean `{near}`?"),
            );
            format!("there is no column `{text}` in {}; {hint}", self.name)
        };
        Problem::new(NO_COLUMN, &wanted.place, what)
    }
}

/// Place of a row, for messages.
pub(crate) fn place(name: &str, transposed: bool, number: u32) -> String {
    if transposed { format!("{name}:column {number}") } else { format!("{name}:{number}") }
}

fn frequent(header: &str) -> u8 {
    let count = |delimiter: u8| header.bytes().filter(|byte| *byte == delimiter).count();
    // `max_by_key` takes the last of equals; reversed, the first of the list wins.
    DELIMITERS.into_iter().rev().max_by_key(|delimiter| count(*delimiter)).unwrap_or(b',')
}

/// Header names: the cells of the header rows, trimmed and joined.
fn headers(rows: &mut Rows<'_>, spec: &InputSpec, name: &str) -> Result<Vec<String>, Problem> {
    if !spec.fixed.is_empty() {
        return Ok(spec.fixed.iter().map(|column| column.name.trim().to_owned()).collect());
    }
    let mut names: Vec<String> = Vec::new();
    // Columns where a header row so far has a cell of its own.
    let mut begins: Vec<bool> = Vec::new();
    let mut cells = Vec::new();
    for row in 0..spec.header_rows {
        match rows.read(&mut cells) {
            Some(Line { fault: None, .. }) => {}
            Some(_) => return Err(Problem::new(OPEN_QUOTE, name, "a quote in the header is not closed")),
            None => {
                return Err(Problem::new(
                    NO_TABLE,
                    name,
                    "the table ends before its header: check `skip_lines` and `header_rows` in [input]",
                ));
            }
        }
        let fill = spec.header_fill && row + 1 < spec.header_rows;
        let mut left = "";
        let columns = names.len().max(cells.len());
        names.resize(columns, String::new());
        begins.resize(columns, false);
        for ((joined, begins), cell) in names.iter_mut().zip(&mut begins).zip(&cells) {
            let mut cell = cell.trim();
            // What stands left belongs to another heading where a row above has just begun a new one.
            if fill && cell.is_empty() && !*begins {
                cell = left;
            } else {
                *begins |= !cell.is_empty();
            }
            left = cell;
            if !joined.is_empty() && !cell.is_empty() {
                joined.push_str(&spec.header_separator);
            }
            joined.push_str(cell);
        }
    }
    Ok(names)
}

/// Turns rows into columns. Short rows are filled with empty cells.
fn turn<'t>(rows: &mut Rows<'t>, name: &str) -> Result<Rows<'t>, Problem> {
    // A crafted table must not make a matrix that is much larger than itself.
    const MAX_CELLS: usize = 1 << 24;
    let (mut all, mut cells, mut widest) = (Vec::new(), Vec::new(), 0);
    while let Some(line) = rows.read(&mut cells) {
        if line.fault.is_some() {
            return Err(Problem::new(
                OPEN_QUOTE,
                place(name, false, line.number),
                "a quote is not closed; a table cannot be turned with a line missing",
            ));
        }
        widest = widest.max(cells.len());
        all.push(std::mem::take(&mut cells));
        if all.len().saturating_mul(widest) > MAX_CELLS {
            return Err(Problem::new(NO_TABLE, name, "too large to be turned: more than 16,777,216 cells"));
        }
    }
    let column = |index: usize| all.iter().map(|row| row.get(index).cloned().unwrap_or_default()).collect();
    let turned: Vec<Vec<Cow<'t, str>>> = (0..widest).map(column).collect();
    Ok(Rows::Turned(turned.into_iter(), 0))
}
