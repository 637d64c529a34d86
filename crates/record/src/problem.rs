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
