//! What an import read, used and did not use.

use std::collections::BTreeMap;

use serde::Serialize;
use tallyproof_record::Problem;

/// The report of one import. Rows read = used + filtered + not used.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Report {
    /// Data rows in all inputs: headers, comments and empty lines are not rows.
    pub rows_read: u64,
    /// Rows whose figures stand in the package.
    pub rows_used: u64,
    /// Rows from which nothing stands in the package; each is the place of a problem. A row that states several contests
    /// may be used for one and the place of a problem in another.
    pub rows_not_used: u64,
    /// Rows left out because the mapping says so.
    pub rows_filtered: u64,
    /// Rows left out, by the mapping's rule. A row is counted under the first rule that leaves it out.
    pub filtered: BTreeMap<String, u64>,
    /// Stations registered, with or without figures.
    pub stations: u64,
    /// Rows of `results.csv`: one per station and contest with figures.
    pub records: u64,
    /// Stations and contests that are registered and have no figures. Missing is not zero.
    pub missing: u64,
    /// Votes by contest id and candidate id: the sum over the rows of `results.csv`.
    pub totals: BTreeMap<String, BTreeMap<String, u64>>,
    /// Everything that was not used, with its place and the reason; and, marked as such, rows that are used with a remark.
    pub problems: Vec<Problem>,
    /// Number of problems by code.
    pub problem_counts: BTreeMap<String, u64>,
    /// What was read, one per table.
    pub inputs: Vec<TableRead>,
}

/// One table that was read.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct TableRead {
    /// File, and the member of an archive after `!`.
    pub name: String,
    /// Encoding that it was decoded from.
    pub encoding: String,
    /// Delimiter, or `fixed` for columns of fixed width.
    pub delimiter: String,
    /// Data rows.
    pub rows: u64,
}

/// Every code that [`Mapping::parse`](crate::Mapping::parse) and [`import`](crate::import()) report.
pub const CODES: &[(&str, &str)] = &[
    (MAPPING_SYNTAX, "the mapping is not TOML"),
    (UNKNOWN_KEY, "the mapping has a key that does not exist"),
    (BAD_VALUE, "a key of the mapping has a value of the wrong type or form"),
    (KEY_MISSING, "a key that the mapping needs is not there, or two keys contradict each other"),
    (NO_COLUMN, "a column that the mapping names is not in the table, or its name is not unique"),
    (
        MODES_DOUBLE,
        "rows for totals stand beside the parts that they add up, and the mapping does not say which to sum",
    ),
    (BAD_PACKAGE, "the figures do not make a valid election package"),
    (NOT_UNPACKED, "an input cannot be unpacked"),
    (TOO_LARGE, "the inputs unpack to more bytes than `input.max_bytes`"),
    (NO_TABLE, "an archive has no table, an input no header, or a table no rows"),
    (ENCODING, "an input is not in the encoding named, or looks like no text"),
    (FIELD_COUNT, "row: wrong number of fields; often two fields fused, or one split, by an unescaped quote"),
    (OPEN_QUOTE, "row: a quote opens a field and is not closed within 64 KiB"),
    (BAD_KEY, "row: the key of the station, contest or ballot line is empty or cannot be an id"),
    (FIGURE_MISSING, "row: a figure is missing; the station is registered and has no record. Missing is not zero"),
    (NOT_A_NUMBER, "row: a figure is not a number as `[numbers]` describes them"),
    (NEGATIVE, "row: a figure is negative"),
    (FRACTION, "row: a figure is not whole"),
    (NUMBER_TOO_LARGE, "row: a figure is above 4,294,967,295"),
    (REPEATED, "row: repeats an earlier row with the same figures; the earlier one is used"),
    (CONFLICT, "row: states other figures than another row for the same station and contest; neither is used"),
    (LINE_MISSING, "row: the station's rows lack one for a ballot line of the contest; none of them is used"),
    (REST_OF_RECORD, "row: fine in itself; another row of the same station and contest cannot be used"),
    (STATION_DIFFERS, "remark: another row gives the same station another area, name, kind or roll; the first is kept"),
    (ROLL_UNREADABLE, "remark: the voters on the roll are not a number; they are registered as unknown"),
];

pub(crate) const MAPPING_SYNTAX: &str = "MP-01";
pub(crate) const UNKNOWN_KEY: &str = "MP-02";
pub(crate) const BAD_VALUE: &str = "MP-03";
pub(crate) const KEY_MISSING: &str = "MP-04";
pub(crate) const NO_COLUMN: &str = "MP-05";
pub(crate) const MODES_DOUBLE: &str = "MP-06";
pub(crate) const BAD_PACKAGE: &str = "MP-07";
pub(crate) const NOT_UNPACKED: &str = "IN-01";
pub(crate) const TOO_LARGE: &str = "IN-02";
pub(crate) const NO_TABLE: &str = "IN-03";
pub(crate) const ENCODING: &str = "IN-04";
pub(crate) const FIELD_COUNT: &str = "IM-01";
pub(crate) const OPEN_QUOTE: &str = "IM-02";
pub(crate) const BAD_KEY: &str = "IM-03";
pub(crate) const FIGURE_MISSING: &str = "IM-04";
pub(crate) const NOT_A_NUMBER: &str = "IM-05";
pub(crate) const NEGATIVE: &str = "IM-06";
pub(crate) const FRACTION: &str = "IM-07";
pub(crate) const NUMBER_TOO_LARGE: &str = "IM-08";
pub(crate) const REPEATED: &str = "IM-09";
pub(crate) const CONFLICT: &str = "IM-10";
pub(crate) const LINE_MISSING: &str = "IM-11";
pub(crate) const REST_OF_RECORD: &str = "IM-12";
pub(crate) const STATION_DIFFERS: &str = "IM-13";
pub(crate) const ROLL_UNREADABLE: &str = "IM-14";
