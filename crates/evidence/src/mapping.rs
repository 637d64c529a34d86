//! The mapping file: which column of a table means what.
//!
//! [`Mapping::parse`] reports every mistake at once, each with line, column and what to do. The keys stand in one table
//! (`keys`), from which the reference in `docs/guide/import.md` is generated.

mod keys;
mod read;
mod section;

use std::collections::BTreeMap;

use tallyproof_record::Problem;
use tallyproof_record::definition::Figure;

pub use keys::reference;
pub(crate) use section::nearest;

use crate::number::Numbers;
use crate::pattern;

/// A checked mapping: what [`crate::import()`] needs to read a publisher's tables.
#[derive(Clone, Debug)]
pub struct Mapping {
    /// Name of the mapping file, for messages.
    pub(crate) file: String,
    pub(crate) election: ElectionSpec,
    pub(crate) input: InputSpec,
    pub(crate) filters: Vec<Filter>,
    pub(crate) numbers: Numbers,
    pub(crate) station: StationSpec,
    pub(crate) root: RootSpec,
    pub(crate) areas: Vec<AreaSpec>,
    pub(crate) contest_key: Option<KeySpec>,
    pub(crate) contests: Vec<ContestSpec>,
    pub(crate) wide: WideSpec,
    pub(crate) long: Option<LongSpec>,
    pub(crate) figures: FigureSpec,
    pub(crate) rules: Vec<RuleSpec>,
}

impl Mapping {
    /// Reads a mapping. `file` is its name, for messages only.
    ///
    /// # Errors
    /// Every mistake in the text, each at `file:line:column`.
    pub fn parse(text: &str, file: &str) -> Result<Self, Vec<Problem>> {
        read::mapping(text, file)
    }
}

/// A string of the mapping with its `file:line:column`, so that a mistake found later still has a place.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Located {
    pub(crate) text: String,
    pub(crate) place: String,
}

#[derive(Clone, Debug)]
pub(crate) struct ElectionSpec {
    pub(crate) id: String,
    pub(crate) name: String,
    pub(crate) date: String,
    pub(crate) phase: String,
    pub(crate) polls_close: Option<String>,
    pub(crate) source: Option<String>,
    pub(crate) place: String,
}

/// How rows and cells stand in a file.
#[derive(Clone, Debug)]
pub(crate) struct InputSpec {
    /// `None`: found out from the header line.
    pub(crate) delimiter: Option<u8>,
    /// `None`: quotes are text like any other.
    pub(crate) quote: Option<u8>,
    /// `None`: found out from the bytes.
    pub(crate) encoding: Option<&'static encoding_rs::Encoding>,
    pub(crate) skip_lines: usize,
    pub(crate) header_rows: usize,
    pub(crate) header_separator: String,
    pub(crate) header_fill: bool,
    pub(crate) comment: Option<String>,
    /// Number of fields in a table without header.
    pub(crate) fields: Option<usize>,
    pub(crate) transpose: bool,
    /// Glob for the members of an archive.
    pub(crate) member: Option<String>,
    pub(crate) max_bytes: u64,
    /// Not empty: columns of fixed width.
    pub(crate) fixed: Vec<FixedColumn>,
}

/// A column of fixed width, in characters.
#[derive(Clone, Debug)]
pub(crate) struct FixedColumn {
    pub(crate) name: String,
    /// From 0.
    pub(crate) start: usize,
    pub(crate) len: usize,
}

#[derive(Clone, Debug)]
pub(crate) struct Filter {
    pub(crate) keep: bool,
    pub(crate) condition: Condition,
}

/// A question to one cell.
#[derive(Clone, Debug)]
pub(crate) struct Condition {
    pub(crate) column: Located,
    pub(crate) test: Test,
}

#[derive(Clone, Debug)]
pub(crate) enum Test {
    OneOf(Vec<String>),
    NoneOf(Vec<String>),
    Glob(Vec<String>),
    Empty(bool),
}

impl Test {
    /// Whether a cell passes, white space around it ignored.
    pub(crate) fn holds(&self, cell: &str) -> bool {
        let cell = cell.trim();
        match self {
            Self::OneOf(values) => values.iter().any(|value| value == cell),
            Self::NoneOf(values) => values.iter().all(|value| value != cell),
            Self::Glob(globs) => globs.iter().any(|glob| pattern::matches(glob, cell)),
            Self::Empty(want) => cell.is_empty() == *want,
        }
    }
}

impl std::fmt::Display for Filter {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let verb = if self.keep { "keep" } else { "skip" };
        let column = &self.condition.column.text;
        match &self.condition.test {
            Test::OneOf(values) => write!(f, "{verb} {column} = {}", values.join(" | ")),
            Test::NoneOf(values) => write!(f, "{verb} {column} not {}", values.join(" | ")),
            Test::Glob(globs) => write!(f, "{verb} {column} like {}", globs.join(" | ")),
            Test::Empty(true) => write!(f, "{verb} {column} empty"),
            Test::Empty(false) => write!(f, "{verb} {column} not empty"),
        }
    }
}

/// Columns that are joined to one text.
#[derive(Clone, Debug)]
pub(crate) struct KeySpec {
    pub(crate) columns: Vec<Located>,
    pub(crate) separator: String,
    /// Width to which each part is padded with zeros; one for all, or one per column.
    pub(crate) pad: Vec<usize>,
    pub(crate) trim: bool,
    pub(crate) strip_suffix: Option<String>,
}

#[derive(Clone, Debug)]
pub(crate) struct StationSpec {
    pub(crate) key: KeySpec,
    pub(crate) name: Option<KeySpec>,
    pub(crate) registered: Vec<Located>,
    pub(crate) special: Option<Condition>,
}

#[derive(Clone, Debug)]
pub(crate) struct RootSpec {
    pub(crate) id: String,
    pub(crate) name: String,
    pub(crate) kind: String,
}

/// One level of the area tree.
#[derive(Clone, Debug)]
pub(crate) struct AreaSpec {
    pub(crate) column: Located,
    /// Column with the area's own code, used in ids in place of the name.
    pub(crate) code: Option<Located>,
    /// Display name, `{}` standing for the cell.
    pub(crate) name: Option<String>,
    pub(crate) kind: String,
}

#[derive(Clone, Debug)]
pub(crate) struct ContestSpec {
    pub(crate) id: String,
    pub(crate) name: String,
    pub(crate) area: Option<Located>,
    /// Values of the contest key that mean this contest.
    pub(crate) values: Vec<String>,
    pub(crate) wide: WideSpec,
    pub(crate) figures: Option<FigureSpec>,
}

/// Ballot lines, where each has a column of its own; in a long table, details of lines that appear there.
#[derive(Clone, Debug, Default)]
pub(crate) struct WideSpec {
    pub(crate) range: Option<RangeSpec>,
    pub(crate) lines: Vec<LineSpec>,
}

impl WideSpec {
    pub(crate) fn is_empty(&self) -> bool {
        self.range.is_none() && self.lines.is_empty()
    }
}

/// Many columns, each a ballot line named by its header.
#[derive(Clone, Debug)]
pub(crate) struct RangeSpec {
    pub(crate) columns: Vec<Located>,
    pub(crate) ends: Option<(Located, Located)>,
    pub(crate) except: Vec<String>,
}

#[derive(Clone, Debug)]
pub(crate) struct LineSpec {
    /// Columns that are added up (wide).
    pub(crate) columns: Vec<Located>,
    /// Values of the line key (long).
    pub(crate) values: Vec<String>,
    pub(crate) id: Option<String>,
    pub(crate) name: Option<String>,
    pub(crate) candidate: Option<String>,
    pub(crate) candidate_name: Option<String>,
    pub(crate) party: Option<String>,
    pub(crate) party_name: Option<String>,
}

/// A table with one row per station, contest and ballot line.
#[derive(Clone, Debug)]
pub(crate) struct LongSpec {
    pub(crate) candidate: Located,
    pub(crate) line: Option<KeySpec>,
    pub(crate) votes: Located,
    pub(crate) party: Option<Located>,
    pub(crate) mode: Option<Located>,
    pub(crate) keep_modes: Vec<String>,
    pub(crate) skip_modes: Vec<String>,
    /// Globs on the candidate column: rows that hold a figure and no candidate.
    pub(crate) pseudo: BTreeMap<Figure, Vec<String>>,
    pub(crate) ignore: Vec<String>,
    pub(crate) absent_is_zero: bool,
    pub(crate) sum_repeated: bool,
}

/// Columns that hold figures beside the ballot lines; several columns are added up.
#[derive(Clone, Debug, Default)]
pub(crate) struct FigureSpec {
    pub(crate) columns: BTreeMap<Figure, Vec<Located>>,
    /// Figures that a record may leave unstated.
    pub(crate) optional: Vec<Figure>,
}

/// Settings for one rule, copied to `election.toml`: key and value as written.
#[derive(Clone, Debug)]
pub(crate) struct RuleSpec {
    pub(crate) code: String,
    pub(crate) settings: Vec<(String, String)>,
}

#[cfg(test)]
mod tests;
