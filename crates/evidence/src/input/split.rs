//! From text to rows of cells.
//!
//! Delimited text is split here and not by a CSV library, because a report has to give physical line numbers and must
//! not lose rows: libraries take everything after an unclosed quote as one field. For text without such damage a
//! property test holds this splitter to the `csv` crate.

use std::borrow::Cow;

use crate::mapping::FixedColumn;

/// A quoted field longer than this is taken for a quote that was never closed.
const MAX_QUOTED: usize = 64 * 1024;

/// Why a line is no row.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fault {
    /// A quote is not closed; the line is skipped and reading goes on with the next.
    OpenQuote,
}

/// A row's first physical line, from 1.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Line {
    pub(crate) number: u32,
    pub(crate) fault: Option<Fault>,
}

/// Rows of a text.
#[derive(Clone)]
pub(crate) struct Splitter<'t> {
    text: &'t str,
    at: usize,
    line: u32,
    comment: Option<&'t str>,
    form: Form<'t>,
}

/// How cells stand in a row.
#[derive(Clone, Copy)]
pub(crate) enum Form<'t> {
    Delimited { delimiter: u8, quote: Option<u8> },
    Fixed(&'t [FixedColumn]),
}

impl<'t> Splitter<'t> {
    pub(crate) fn new(text: &'t str, skip_lines: usize, comment: Option<&'t str>, form: Form<'t>) -> Self {
        let mut splitter = Self { text, at: 0, line: 1, comment, form };
        for _ in 0..skip_lines {
            splitter.next_line();
        }
        splitter
    }

    /// The rest of the text, from the current row.
    pub(crate) fn rest(&self) -> &'t str {
        self.text.get(self.at..).unwrap_or_default()
    }

    /// Reads the next row into `cells`; empty lines and comments are passed over. `None` at the end.
    pub(crate) fn read(&mut self, cells: &mut Vec<Cow<'t, str>>) -> Option<Line> {
        cells.clear();
        while self.at < self.text.len() {
            let line = current_line(self.rest());
            let passed_over = line.trim().is_empty() || self.comment.is_some_and(|prefix| line.starts_with(prefix));
            if !passed_over {
                return Some(self.row(line, cells));
            }
            self.next_line();
        }
        None
    }

    fn row(&mut self, line: &'t str, cells: &mut Vec<Cow<'t, str>>) -> Line {
        let number = self.line;
        let fault = match self.form {
            Form::Fixed(columns) => {
                cells.extend(columns.iter().map(|column| Cow::Borrowed(slice(line, column))));
                self.next_line();
                None
            }
            Form::Delimited { delimiter, quote } => {
                let (start, start_line) = (self.at, self.line);
                let fault = self.fields(delimiter, quote, cells).err();
                if fault.is_some() {
                    (self.at, self.line) = (start, start_line);
                    cells.clear();
                    self.next_line();
                }
                fault
            }
        };
        Line { number, fault }
    }

    fn fields(&mut self, delimiter: u8, quote: Option<u8>, cells: &mut Vec<Cow<'t, str>>) -> Result<(), Fault> {
        loop {
            let bytes = self.text.as_bytes();
            let cell = match quote {
                Some(quote) if bytes.get(self.at) == Some(&quote) => self.quoted(delimiter, quote)?,
                _ => Cow::Borrowed(self.bare(delimiter)),
            };
            cells.push(cell);
            match bytes.get(self.at) {
                Some(&byte) if byte == delimiter => self.at += 1,
                _ => {
                    self.end_line();
                    return Ok(());
                }
            }
        }
    }

    /// Text up to the next delimiter or end of line.
    fn bare(&mut self, delimiter: u8) -> &'t str {
        let rest = self.rest();
        let len = rest.bytes().position(|b| b == delimiter || matches!(b, b'\r' | b'\n')).unwrap_or(rest.len());
        self.at += len;
        rest.get(..len).unwrap_or_default()
    }

    /// A field that begins with a quote. Text after the closing quote belongs to the field, as publishers' stray quotes
    /// do; the number of fields then tells whether the row is sound.
    fn quoted(&mut self, delimiter: u8, quote: u8) -> Result<Cow<'t, str>, Fault> {
        let opened = self.at;
        self.at += 1;
        let mut cell: Cow<'t, str> = Cow::Borrowed("");
        loop {
            let rest = self.rest();
            let window = rest.as_bytes().get(..MAX_QUOTED.min(rest.len())).unwrap_or_default();
            let len = window.iter().position(|b| *b == quote).ok_or(Fault::OpenQuote)?;
            let part = rest.get(..len).unwrap_or_default();
            self.line = self.line.saturating_add(line_ends(part));
            append(&mut cell, part);
            self.at += len + 1;
            if self.at - opened > MAX_QUOTED {
                return Err(Fault::OpenQuote);
            }
            if self.text.as_bytes().get(self.at) != Some(&quote) {
                break;
            }
            cell.to_mut().push(char::from(quote));
            self.at += 1;
        }
        let tail = self.bare(delimiter);
        append(&mut cell, tail);
        Ok(cell)
    }

    fn next_line(&mut self) {
        self.at += current_line(self.rest()).len();
        self.end_line();
    }

    /// Steps over CR, LF or CR LF.
    fn end_line(&mut self) {
        let end = match self.rest().as_bytes() {
            [b'\r', b'\n', ..] => 2,
            [b'\r' | b'\n', ..] => 1,
            _ => return,
        };
        self.at += end;
        self.line = self.line.saturating_add(1);
    }
}

fn append<'t>(cell: &mut Cow<'t, str>, part: &'t str) {
    if cell.is_empty() {
        *cell = Cow::Borrowed(part);
    } else if !part.is_empty() {
        cell.to_mut().push_str(part);
    }
}

/// Up to, not including, the first CR or LF.
pub(crate) fn current_line(text: &str) -> &str {
    text.split(['\r', '\n']).next().unwrap_or_default()
}

fn line_ends(text: &str) -> u32 {
    let bytes = text.as_bytes();
    let ends = bytes.iter().enumerate().filter(|&(i, b)| match b {
        b'\n' => true,
        b'\r' => bytes.get(i + 1) != Some(&b'\n'),
        _ => false,
    });
    u32::try_from(ends.count()).unwrap_or(u32::MAX)
}

fn slice<'t>(line: &'t str, column: &FixedColumn) -> &'t str {
    let offset = |chars: usize| line.char_indices().nth(chars).map_or(line.len(), |(at, _)| at);
    let (start, end) = (offset(column.start), offset(column.start.saturating_add(column.len)));
    line.get(start..end).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const COMMA: Form<'static> = Form::Delimited { delimiter: b',', quote: Some(b'"') };

    fn rows(text: &str) -> Vec<(u32, Vec<String>)> {
        let mut splitter = Splitter::new(text, 0, Some("#"), COMMA);
        let (mut cells, mut rows) = (Vec::new(), Vec::new());
        while let Some(line) = splitter.read(&mut cells) {
            assert_eq!(line.fault.is_some(), cells.is_empty());
            rows.push((line.number, cells.iter().map(ToString::to_string).collect()));
        }
        rows
    }

    fn row(line: u32, cells: &[&str]) -> (u32, Vec<String>) {
        (line, cells.iter().map(ToString::to_string).collect())
    }

    #[test]
    fn quotes_lines_and_numbers() {
        let text = "a,\"b \"\"c\"\"\"\r\n# no row\r\n\r\n\"two\nlines\",2,\nlast,\"\"";
        let want = [row(1, &["a", "b \"c\""]), row(4, &["two\nlines", "2", ""]), row(6, &["last", ""])];
        assert_eq!(rows(text), want);
    }

    #[test]
    fn a_stray_quote_fuses_or_splits_but_loses_no_row() {
        // As seen in a published file: 41 of 40 fields.
        assert_eq!(
            rows("1,U. E. Perez\", Villa,3\n2,b,c"),
            [row(1, &["1", "U. E. Perez\"", " Villa", "3"]), row(2, &["2", "b", "c"])]
        );
        assert_eq!(rows("1,\"U. E. \"Perez\" Villa\",3\n"), [row(1, &["1", "U. E. Perez\" Villa\"", "3"])]);
    }

    #[test]
    fn an_open_quote_costs_its_line_only() {
        let text = "1,\"never closed,3\n2,b,c\n3,d,e";
        assert_eq!(rows(text), [(1, vec![]), row(2, &["2", "b", "c"]), row(3, &["3", "d", "e"])]);
        let far = format!("1,\"x{}\"\n2,b", "y".repeat(MAX_QUOTED));
        assert_eq!(rows(&far), [(1, vec![]), row(2, &["2", "b"])]);
    }

    #[test]
    fn fixed_width_counts_characters() {
        let columns =
            [FixedColumn { name: "a".into(), start: 0, len: 4 }, FixedColumn { name: "b".into(), start: 4, len: 3 }];
        let mut splitter = Splitter::new("head\nPaís 12\nx\n", 1, None, Form::Fixed(&columns));
        let mut cells = Vec::new();
        assert_eq!(splitter.read(&mut cells), Some(Line { number: 2, fault: None }));
        assert_eq!(cells, ["País", " 12"]);
        splitter.read(&mut cells);
        assert_eq!(cells, ["x", ""]);
        assert_eq!(splitter.read(&mut cells), None);
    }

    proptest! {
        /// What a CSV writer writes, this splitter reads back as the `csv` crate does.
        #[test]
        fn agrees_with_the_csv_crate(table in prop::collection::vec(prop::collection::vec("[a-z\",\n é]{0,6}", 2..5), 1..8)) {
            let mut writer = csv::WriterBuilder::new().flexible(true).from_writer(Vec::new());
            for cells in &table {
                writer.write_record(cells).unwrap();
            }
            let text = String::from_utf8(writer.into_inner().unwrap()).unwrap();
            let read: Vec<Vec<String>> = rows(&text).into_iter().map(|(_, cells)| cells).collect();
            prop_assert_eq!(read, table);
        }

        #[test]
        fn any_text_is_read_to_its_end(text in "[a\",\r\n#]{0,200}") {
            let lines: Vec<u32> = rows(&text).into_iter().map(|(line, _)| line).collect();
            prop_assert!(lines.windows(2).all(|pair| pair[0] < pair[1]));
        }
    }
}
