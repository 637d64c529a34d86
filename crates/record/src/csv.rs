//! Strict RFC 4180 with the place of every field. A lenient reader lets one forgotten quote swallow a thousand stations
//! without a word; this one reports it.

use std::borrow::Cow;

/// One field.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cell<'a> {
    /// Without its quotes.
    pub text: Cow<'a, str>,
    /// Byte offset in the text.
    pub at: usize,
}

/// Reads rows, each a list of fields or the reason why it is none. Empty lines are no rows; after a broken row it goes on
/// with the next line.
#[derive(Clone, Debug)]
pub struct Reader<'a> {
    text: &'a str,
    at: usize,
}

/// Why a row cannot be read; offsets into the text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Broken {
    /// A quote inside a field that does not start with one.
    QuoteInside(usize),
    /// Text after a closing quote.
    AfterQuote {
        /// Where the field's quote opens.
        open: usize,
        /// Where the text stands.
        at: usize,
    },
    /// A quote that nothing closes.
    Unclosed(usize),
    /// A carriage return without line feed.
    LoneReturn(usize),
}

impl Broken {
    /// Byte offset of the fault.
    pub fn at(self) -> usize {
        match self {
            Self::QuoteInside(at) | Self::AfterQuote { at, .. } | Self::Unclosed(at) | Self::LoneReturn(at) => at,
        }
    }

    /// What is wrong and what to do; `place` shows an offset to people.
    pub fn what(self, place: impl Fn(usize) -> String) -> String {
        match self {
            Self::QuoteInside(_) => {
                "a quote inside a field; put the whole field in quotes and double the quotes inside it".into()
            }
            Self::AfterQuote { open, .. } => {
                format!("text after the quote that closes the one at {}; double the quotes inside a field", place(open))
            }
            Self::Unclosed(_) => "this quote is never closed; close or remove it".into(),
            Self::LoneReturn(_) => {
                "a carriage return without line feed; save the file with LF or CRLF line ends".into()
            }
        }
    }
}

impl<'a> Iterator for Reader<'a> {
    type Item = Result<Vec<Cell<'a>>, Broken>;

    fn next(&mut self) -> Option<Self::Item> {
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
}

impl<'a> Reader<'a> {
    /// Reads `text` from its start.
    pub fn new(text: &'a str) -> Self {
        Self { text, at: 0 }
    }

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
