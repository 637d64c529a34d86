//! Reading a TOML table by its declared keys, with the place of every mistake.

use std::cell::RefCell;
use std::collections::BTreeSet;
use std::ops::Range;

use tallyproof_record::Problem;
use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::Located;
use super::keys::{self, SectionKeys};
use crate::report::{BAD_VALUE, KEY_MISSING, MAPPING_SYNTAX, UNKNOWN_KEY};

/// The mapping text, and what is wrong with it so far.
pub(super) struct Document<'t> {
    file: &'t str,
    text: &'t str,
    problems: RefCell<Vec<Problem>>,
}

impl<'t> Document<'t> {
    pub(super) fn new(file: &'t str, text: &'t str) -> Self {
        Self { file, text, problems: RefCell::default() }
    }

    /// The top table; syntax errors become problems.
    pub(super) fn parse(&self) -> Spanned<DeTable<'t>> {
        let (table, errors) = DeTable::parse_recoverable(self.text);
        for error in errors {
            let at = error.span().map_or(0, |span| span.start);
            self.problem(MAPPING_SYNTAX, at, error.message());
        }
        table
    }

    /// `file:line:column`, both from 1, the column in characters.
    pub(super) fn place(&self, offset: usize) -> String {
        let before = self.text.get(..offset).unwrap_or(self.text);
        let line = before.matches('\n').count() + 1;
        let column = before.rsplit('\n').next().unwrap_or_default().chars().count() + 1;
        format!("{}:{line}:{column}", self.file)
    }

    pub(super) fn problem(&self, code: &'static str, offset: usize, what: impl Into<String>) {
        self.problems.borrow_mut().push(Problem::new(code, self.place(offset), what));
    }

    /// The text that a value was written as.
    pub(super) fn raw(&self, span: Range<usize>) -> &'t str {
        self.text.get(span).unwrap_or_default()
    }

    pub(super) fn into_problems(self) -> Vec<Problem> {
        self.problems.into_inner()
    }
}

/// One table of the mapping. Keys are taken by name; what is left over at [`Section::finish`] is an unknown key.
pub(super) struct Section<'d, 't> {
    pub(super) doc: &'d Document<'t>,
    keys: &'static SectionKeys,
    table: &'d DeTable<'t>,
    start: usize,
    taken: RefCell<BTreeSet<&'static str>>,
}

impl<'d, 't> Section<'d, 't> {
    pub(super) fn new(doc: &'d Document<'t>, path: &str, table: &'d DeTable<'t>, start: usize) -> Self {
        Self { doc, keys: keys::section(path), table, start, taken: RefCell::default() }
    }

    /// Offset of the table, for mistakes that no single key makes.
    pub(super) fn start(&self) -> usize {
        self.start
    }

    pub(super) fn problem(&self, code: &'static str, what: impl Into<String>) {
        self.doc.problem(code, self.start, what);
    }

    pub(super) fn get(&self, key: &'static str) -> Option<&'d Spanned<DeValue<'t>>> {
        debug_assert!(self.keys.has(key), "`{key}` is read but not in the key table of `{}`", self.keys.path);
        self.taken.borrow_mut().insert(key);
        self.table.iter().find(|(name, _)| name.get_ref() == key).map(|(_, value)| value)
    }

    fn wrong_type(&self, key: &str, value: &Spanned<DeValue<'_>>, want: &str) {
        let found = value.get_ref().type_str();
        self.doc.problem(BAD_VALUE, value.span().start, format!("`{key}` must be {want}, this is a {found}"));
    }

    fn located(&self, value: &Spanned<DeValue<'_>>) -> Option<Located> {
        let text = value.get_ref().as_str()?.to_owned();
        Some(Located { text, place: self.doc.place(value.span().start) })
    }

    pub(super) fn string(&self, key: &'static str) -> Option<Located> {
        let value = self.get(key)?;
        let text = self.located(value);
        if text.is_none() {
            self.wrong_type(key, value, "a string");
        }
        text
    }

    /// A string that has to be there; where it is not, the empty string stands in and a problem is reported.
    pub(super) fn required(&self, key: &'static str) -> Located {
        if self.get(key).is_none() {
            self.missing(key);
        }
        self.string(key).unwrap_or_default()
    }

    pub(super) fn missing(&self, key: &str) {
        let about = self.keys.about(key);
        self.problem(KEY_MISSING, format!("`{}` needs the key `{key}`: {about}", self.keys.title()));
    }

    /// A string or a list of strings; empty where the key is absent.
    pub(super) fn strings(&self, key: &'static str) -> Vec<Located> {
        let Some(value) = self.get(key) else { return Vec::new() };
        let items: Option<Vec<Located>> = match value.get_ref() {
            DeValue::Array(items) => items.iter().map(|item| self.located(item)).collect(),
            _ => self.located(value).map(|one| vec![one]),
        };
        items.unwrap_or_else(|| {
            self.wrong_type(key, value, "a string or a list of strings");
            Vec::new()
        })
    }

    pub(super) fn flag(&self, key: &'static str) -> Option<bool> {
        let value = self.get(key)?;
        let flag = value.get_ref().as_bool();
        if flag.is_none() {
            self.wrong_type(key, value, "true or false");
        }
        flag
    }

    pub(super) fn number(&self, key: &'static str) -> Option<u64> {
        let value = self.get(key)?;
        let number = whole(value.get_ref());
        if number.is_none() {
            self.wrong_type(key, value, "a whole number, zero or more");
        }
        number
    }

    /// A whole number or a list of them.
    pub(super) fn numbers(&self, key: &'static str) -> Vec<u64> {
        let Some(value) = self.get(key) else { return Vec::new() };
        let items: Option<Vec<u64>> = match value.get_ref() {
            DeValue::Array(items) => items.iter().map(|item| whole(item.get_ref())).collect(),
            one => whole(one).map(|one| vec![one]),
        };
        items.unwrap_or_else(|| {
            self.wrong_type(key, value, "a whole number or a list of them");
            Vec::new()
        })
    }

    /// A single character other than those that split rows.
    pub(super) fn character(&self, key: &'static str) -> Option<char> {
        let text = self.string(key)?;
        let mut chars = text.text.chars();
        match (chars.next(), chars.next()) {
            (Some(c), None) if !matches!(c, '\r' | '\n') => Some(c),
            _ => {
                self.value_problem(key, "must be one character");
                None
            }
        }
    }

    /// Reports that the value of `key` is not acceptable.
    pub(super) fn value_problem(&self, key: &'static str, what: &str) {
        let at = self.get(key).map_or(self.start, |value| value.span().start);
        self.doc.problem(BAD_VALUE, at, format!("`{key}` {what}"));
    }

    pub(super) fn section(&self, key: &'static str, path: &str) -> Option<Section<'d, 't>> {
        let value = self.get(key)?;
        let table = value.get_ref().as_table();
        if table.is_none() {
            self.wrong_type(key, value, "a table");
        }
        table.map(|table| Section::new(self.doc, path, table, value.span().start))
    }

    /// The tables of `[[key]]`, in order.
    pub(super) fn sections(&self, key: &'static str, path: &str) -> Vec<Section<'d, 't>> {
        let Some(value) = self.get(key) else { return Vec::new() };
        let Some(items) = value.get_ref().as_array() else {
            self.wrong_type(key, value, &format!("a list of tables: write [[{key}]]"));
            return Vec::new();
        };
        let mut sections = Vec::new();
        for item in items {
            match item.get_ref().as_table() {
                Some(table) => sections.push(Section::new(self.doc, path, table, item.span().start)),
                None => self.wrong_type(key, item, "a table"),
            }
        }
        sections
    }

    /// Reports every key that nothing has asked for, with the nearest one that exists.
    pub(super) fn finish(self) {
        let taken = self.taken.borrow();
        for name in self.table.keys().filter(|name| !taken.contains(name.get_ref().as_ref())) {
            let known = self.keys.keys.iter().map(|key| key.name);
            let hint = nearest(name.get_ref(), known.clone()).map_or_else(
                || format!("known keys: {}", known.collect::<Vec<_>>().join(", ")),
                |near| format!("did you mean `{near}`?"),
            );
            let what = format!("`{}` has no key `{}`; {hint}", self.keys.title(), name.get_ref());
            self.doc.problem(UNKNOWN_KEY, name.span().start, what);
        }
    }
}

fn whole(value: &DeValue<'_>) -> Option<u64> {
    let integer = value.as_integer()?;
    u64::from_str_radix(integer.as_str().trim_start_matches('+'), integer.radix()).ok()
}

/// The name most like `wrong`, if any is like it at all.
pub(crate) fn nearest<'n>(wrong: &str, names: impl Iterator<Item = &'n str>) -> Option<&'n str> {
    names
        .map(|name| (strsim::jaro_winkler(&wrong.to_lowercase(), &name.to_lowercase()), name))
        .filter(|(likeness, _)| *likeness > 0.7)
        .max_by(|(a, _), (b, _)| a.total_cmp(b))
        .map(|(_, name)| name)
}
