//! Reading a TOML table by its declared keys, with the place of every mistake.

pub(crate) mod keys;

use std::cell::RefCell;
use std::ops::RangeInclusive;
use std::time::Duration;

use tallyproof_record::Problem;
use toml::Spanned;
use toml::de::{DeTable, DeValue};

use self::keys::Table;

/// The file's text, and what is wrong with it so far.
pub(crate) struct Document<'t> {
    file: &'t str,
    text: &'t str,
    problems: RefCell<Vec<Problem>>,
}

impl<'t> Document<'t> {
    pub(crate) fn new(text: &'t str, file: &'t str) -> Self {
        Self { file, text: text.strip_prefix('\u{feff}').unwrap_or(text), problems: RefCell::default() }
    }

    /// The top table; syntax errors become problems.
    pub(crate) fn parse(&self) -> Spanned<DeTable<'t>> {
        let (table, errors) = DeTable::parse_recoverable(self.text);
        for error in errors {
            self.problem(keys::SYNTAX, error.span().map_or(0, |span| span.start), error.message());
        }
        table
    }

    pub(crate) fn problem(&self, code: &'static str, offset: usize, what: impl Into<String>) {
        let before = self.text.get(..offset).unwrap_or(self.text);
        let line = before.matches('\n').count() + 1;
        let column = before.rsplit('\n').next().unwrap_or_default().chars().count() + 1;
        let place = format!("{}:{line}:{column}", self.file);
        self.problems.borrow_mut().push(Problem::new(code, place, what));
    }

    pub(crate) fn into_problems(self) -> Vec<Problem> {
        self.problems.into_inner()
    }
}

/// One table of the file. Every reader reports what it cannot read and gives `None` for it.
pub(crate) struct Section<'d, 't> {
    doc: &'d Document<'t>,
    keys: &'static Table,
    table: &'d DeTable<'t>,
    start: usize,
}

impl<'d, 't> Section<'d, 't> {
    /// Reports every key that the table does not have.
    pub(crate) fn new(doc: &'d Document<'t>, keys: &'static Table, table: &'d DeTable<'t>, start: usize) -> Self {
        for name in table.keys().filter(|name| !keys.has(name.get_ref())) {
            let hint = hint(name.get_ref(), keys.names());
            let what = format!("{} has no key `{}`; {hint}", keys.header, name.get_ref());
            doc.problem(keys::UNKNOWN_KEY, name.span().start, what);
        }
        Self { doc, keys, table, start }
    }

    fn value(&self, key: &'static str) -> Option<&'d Spanned<DeValue<'t>>> {
        debug_assert!(self.keys.has(key), "`{key}` is read but not in the table of keys");
        self.table.iter().find(|(name, _)| name.get_ref() == key).map(|(_, value)| value)
    }

    pub(crate) fn has(&self, key: &'static str) -> bool {
        self.value(key).is_some()
    }

    /// Reports a mistake of the whole table.
    pub(crate) fn problem(&self, code: &'static str, what: impl Into<String>) {
        self.doc.problem(code, self.start, what);
    }

    /// Reports a mistake in the value of a key, or in the table where the key is absent.
    pub(crate) fn problem_at(&self, key: &'static str, code: &'static str, what: impl Into<String>) {
        let at = self.value(key).map_or(self.start, |value| value.span().start);
        self.doc.problem(code, at, what);
    }

    /// The same section; where the key is absent, that is reported.
    pub(crate) fn requires(&self, key: &'static str) -> &Self {
        if !self.has(key) {
            let what = format!("{} needs the key `{key}`: {}", self.keys.header, self.keys.about(key));
            self.problem(keys::KEY_MISSING, what);
        }
        self
    }

    /// A value as `convert` understands it; `want` says what that is.
    fn typed<T>(&self, key: &'static str, want: &str, convert: impl Fn(&'d DeValue<'t>) -> Option<T>) -> Option<T> {
        let value = self.value(key)?.get_ref();
        let converted = convert(value);
        if converted.is_none() {
            let what = format!("`{key}` must be {want}, and this is a {}", value.type_str());
            self.problem_at(key, keys::WRONG_TYPE, what);
        }
        converted
    }

    /// Without control characters, which could forge lines of a report.
    pub(crate) fn text(&self, key: &'static str) -> Option<&'d str> {
        let text = self.typed(key, "a text", |value| value.as_str())?;
        let good = !text.trim().is_empty() && text.chars().count() <= 200 && !text.contains(char::is_control);
        if !good {
            let what = format!("`{key}` must have 1 to 200 characters and no line breaks or other control characters");
            self.problem_at(key, keys::BAD_TEXT, what);
        }
        good.then_some(text)
    }

    /// A name that is safe in file names, metrics and pages.
    pub(crate) fn name(&self, key: &'static str) -> Option<String> {
        let name = self.text(key)?;
        let safe = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
        let good = name.len() <= 64 && name.chars().all(safe) && !name.starts_with(['.', '-']);
        if !good {
            let what = format!(
                "`{key}` must have 1 to 64 letters, digits, `-`, `_` or `.`, and begin with a letter, a digit or `_`"
            );
            self.problem_at(key, keys::BAD_TEXT, what);
        }
        good.then(|| name.to_owned())
    }

    pub(crate) fn number(&self, key: &'static str, bounds: &RangeInclusive<u64>) -> Option<u64> {
        let number = self.typed(key, "a whole number", |value| {
            let integer = value.as_integer()?;
            i128::from_str_radix(integer.as_str(), integer.radix()).ok()
        })?;
        let number = u64::try_from(number).ok().filter(|number| bounds.contains(number));
        if number.is_none() {
            let what = format!("`{key}` must be from {} to {}", bounds.start(), bounds.end());
            self.problem_at(key, keys::OUT_OF_BOUNDS, what);
        }
        number
    }

    /// From 0 to 1, both included.
    pub(crate) fn share(&self, key: &'static str) -> Option<f64> {
        let share = self.typed(key, "a number from 0 to 1", |value| match value {
            DeValue::Float(number) => number.as_str().parse::<f64>().ok(),
            DeValue::Integer(number) => number.as_str().parse::<f64>().ok(),
            _ => None,
        })?;
        let good = (0.0..=1.0).contains(&share);
        if !good {
            self.problem_at(key, keys::OUT_OF_BOUNDS, format!("`{key}` must be from 0 to 1"));
        }
        good.then_some(share)
    }

    pub(crate) fn time(&self, key: &'static str, longest: Duration) -> Option<Duration> {
        let text = self.typed(key, "a time such as \"250ms\", \"5s\" or \"2m\"", |value| value.as_str())?;
        let time = parse_time(text);
        match time {
            None => {
                let what = format!(
                    "`{key}` must be a whole number with its unit, such as \"250ms\", \"5s\" or \"2m\", not {text:?}"
                );
                self.problem_at(key, keys::BAD_TIME, what);
            }
            Some(time) if time > longest => {
                self.problem_at(key, keys::OUT_OF_BOUNDS, format!("`{key}` must be at most {} s", longest.as_secs()));
            }
            Some(_) => return time,
        }
        None
    }

    /// A key that can only be set: `key = true`.
    pub(crate) fn flag(&self, key: &'static str) -> bool {
        let flag = self.typed(key, "`true`", DeValue::as_bool);
        if flag == Some(false) {
            self.problem_at(key, keys::BAD_WORD, format!("`{key}` can only be true: leave it out otherwise"));
        }
        flag == Some(true)
    }

    /// One of some words.
    pub(crate) fn word<T>(
        &self,
        key: &'static str,
        words: impl Iterator<Item = T> + Clone,
        spelling: impl Fn(&T) -> &'static str,
    ) -> Option<T> {
        let text = self.typed(key, "a text", |value| value.as_str())?;
        let found = words.clone().find(|word| spelling(word) == text);
        if found.is_none() {
            let spellings: Vec<_> = words.map(|word| spelling(&word)).collect();
            let what = format!("`{key}` cannot be {text:?}; {}", hint(text, spellings.into_iter()));
            self.problem_at(key, keys::BAD_WORD, what);
        }
        found
    }

    pub(crate) fn section(&self, key: &'static str, keys: &'static Table) -> Option<Section<'d, 't>> {
        let table = self.typed(key, "a table", |value| value.as_table())?;
        let start = self.value(key).map_or(0, |value| value.span().start);
        Some(Section::new(self.doc, keys, table, start))
    }

    /// The tables of `[[key]]`, of which there may be `most`.
    pub(crate) fn sections(&self, key: &'static str, keys: &'static Table, most: usize) -> Vec<Section<'d, 't>> {
        let want = format!("a list of tables, written [[{key}]]");
        let tables = self.typed(key, &want, |value| {
            let items = value.as_array()?.iter();
            items.map(|item| Some((item.get_ref().as_table()?, item.span().start))).collect::<Option<Vec<_>>>()
        });
        let tables = tables.unwrap_or_default();
        if let Some((_, start)) = tables.get(most) {
            self.doc.problem(keys::TOO_MUCH, *start, format!("a script has at most {most} [[{key}]]"));
        }
        tables.into_iter().take(most).map(|(table, start)| Section::new(self.doc, keys, table, start)).collect()
    }
}

fn parse_time(text: &str) -> Option<Duration> {
    let digits = text.trim_end_matches(|c: char| c.is_ascii_alphabetic());
    if digits.is_empty() || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let number: u64 = digits.parse().ok()?;
    match text.get(digits.len()..)? {
        "ms" => Some(Duration::from_millis(number)),
        "s" => Some(Duration::from_secs(number)),
        "m" => Some(Duration::from_secs(number.checked_mul(60)?)),
        _ => None,
    }
}

/// Names the word most like `wrong`, or all of them where none is like it.
pub(crate) fn hint<'n>(wrong: &str, names: impl Iterator<Item = &'n str> + Clone) -> String {
    let likeness = |name: &str| strsim::jaro_winkler(&wrong.to_lowercase(), &name.to_lowercase());
    let nearest = names.clone().map(|name| (likeness(name), name)).filter(|(likeness, _)| *likeness > 0.7);
    match nearest.max_by(|(a, _), (b, _)| a.total_cmp(b)) {
        Some((_, name)) => format!("did you mean `{name}`?"),
        None => format!("it may be {}", names.map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ")),
    }
}
