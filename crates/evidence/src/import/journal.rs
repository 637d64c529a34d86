//! What happens to each row.

use tallyproof_record::Problem;

use super::Rows;
use crate::number::NotACount;
use crate::report::{FRACTION, NEGATIVE, NOT_A_NUMBER, NUMBER_TOO_LARGE, ROLL_UNREADABLE, Report, STATION_DIFFERS};

/// A row: number of its table and of its first line.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) struct RowId {
    pub(super) table: u32,
    pub(super) line: u32,
}

/// The report as it grows. Problems are put in the order of the rows at the end.
#[derive(Debug, Default)]
pub(super) struct Journal {
    pub(super) report: Report,
    tables: Vec<(String, bool)>,
    problems: Vec<(RowId, &'static str, String)>,
    used: Rows,
}

impl Journal {
    /// Begins a table and gives its number.
    pub(super) fn begin(&mut self, name: &str, transposed: bool) -> u32 {
        self.tables.push((name.to_owned(), transposed));
        u32::try_from(self.tables.len() - 1).unwrap_or(u32::MAX)
    }

    pub(super) fn filtered(&mut self, rule: &str) {
        self.report.rows_filtered += 1;
        if let Some(count) = self.report.filtered.get_mut(rule) {
            *count += 1;
        } else {
            self.report.filtered.insert(rule.to_owned(), 1);
        }
    }

    pub(super) fn problem(&mut self, row: RowId, code: &'static str, what: impl Into<String>) {
        self.problems.push((row, code, what.into()));
    }

    /// A figure that is not a count.
    pub(super) fn not_a_count(&mut self, row: RowId, fault: NotACount, column: &str, cell: &str) {
        let (code, why) = match fault {
            NotACount::Malformed => {
                (NOT_A_NUMBER, "is not a number; if it is written in another way, describe it in [numbers]")
            }
            NotACount::Ambiguous => (
                NOT_A_NUMBER,
                "may be thousands or three decimals; set `decimal` and `thousands` in [numbers] to the marks of this table",
            ),
            NotACount::Negative => (NEGATIVE, "is negative"),
            NotACount::Fraction => (FRACTION, "is not a whole number"),
            NotACount::TooLarge => (NUMBER_TOO_LARGE, "is more than a record can state"),
        };
        let cell: String = cell.trim().chars().take(40).collect();
        self.problem(
            row,
            code,
            format!("`{cell}` in column `{column}` {why}; the station has no record from this row"),
        );
    }

    pub(super) fn used(&mut self, row: RowId) {
        self.used.insert(row);
    }

    pub(super) fn place(&self, row: RowId) -> String {
        let table = self.tables.get(usize::try_from(row.table).unwrap_or(usize::MAX));
        table.map_or_else(String::new, |(name, transposed)| crate::input::place(name, *transposed, row.line))
    }

    pub(super) fn into_report(mut self) -> Report {
        self.problems.sort_by_key(|(row, ..)| *row);
        let problems = std::mem::take(&mut self.problems);
        let mut report = std::mem::take(&mut self.report);
        let remark = |code: &str| matches!(code, STATION_DIFFERS | ROLL_UNREADABLE);
        let not_used: Rows = problems
            .iter()
            .filter(|(row, code, _)| !remark(code) && !self.used.contains(row))
            .map(|(row, ..)| *row)
            .collect();
        report.rows_not_used = u64::try_from(not_used.len()).unwrap_or(u64::MAX);
        report.rows_used = u64::try_from(self.used.len()).unwrap_or(u64::MAX);
        for (row, code, what) in problems {
            *report.problem_counts.entry(code.to_owned()).or_default() += 1;
            report.problems.push(Problem::new(code, self.place(row), visible(&what)));
        }
        report
    }
}

/// Foreign cells stand in the report, which people read on terminals: no control character may reach one.
fn visible(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        if c.is_control() {
            out.extend(c.escape_default());
        } else {
            out.push(c);
        }
    }
    out
}
