//! One finding, in the shape that every command reports.

use std::fmt;

use serde::Serialize;

/// A finding about some input: a stable code, its place and what to do about it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Problem {
    /// Stable code, such as `PK-03` or `AR-01`.
    pub code: &'static str,
    /// Where: `file:line:column`, a path in the bundle, or `entry 17`.
    #[serde(rename = "where")]
    pub place: String,
    /// What is wrong and what to do.
    pub what: String,
}

impl Problem {
    /// A finding with `code` at `place`.
    pub fn new(code: &'static str, place: impl Into<String>, what: impl Into<String>) -> Self {
        Self { code, place: place.into(), what: what.into() }
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}: {}", self.place, self.code, self.what)
    }
}

/// Foreign text as it may stand in a message: short, and without characters that steer a terminal.
pub fn shown(text: &str) -> String {
    let mut out = String::from("`");
    for c in text.chars().take(64) {
        if c.is_control() { out.extend(c.escape_default()) } else { out.push(c) }
    }
    out.push_str(if text.chars().nth(64).is_some() { "…`" } else { "`" });
    out
}

/// `name:line:column` of a byte offset in `text`.
pub fn place(name: &str, text: &str, at: usize) -> String {
    let before = text.get(..at).unwrap_or(text);
    let line = before.matches('\n').count() + 1;
    let column = before.rsplit('\n').next().map_or(0, |line| line.chars().count()) + 1;
    format!("{name}:{line}:{column}")
}
