//! Lists and their votes from a table: columns `list` and `votes`, optionally `alliance` and `nominal`.
//!
//! Strict: whatever cannot be understood is reported with its place, and then there are no lists.

use std::collections::BTreeMap;

use tallyproof_record::{
    Problem,
    csv::{Cell, Reader},
    problem::{place, shown},
};

use super::{List, MAX_LISTS, MAX_VOTES};

const NOT_UTF8: &str = "SV-01";
const CSV: &str = "SV-02";
const COLUMNS: &str = "SV-03";
const FIELD_COUNT: &str = "SV-04";
const NAME: &str = "SV-05";
const DUPLICATE: &str = "SV-06";
const NUMBER: &str = "SV-07";
const BOUNDS: &str = "SV-08";

/// Every stable code of a table's mistakes, with its meaning.
pub const CODES: &[(&str, &str)] = &[
    (NOT_UTF8, "The table is not UTF-8."),
    (CSV, "A row breaks the rules of CSV (RFC 4180): a stray or unclosed quote, a lone carriage return."),
    (
        COLUMNS,
        "The header does not name `list` and `votes`, optionally `alliance` and `nominal`, each once and no other.",
    ),
    (FIELD_COUNT, "A row has more or fewer fields than the header."),
    (NAME, "A name is empty, longer than 200 characters, or holds control characters or white space at an end."),
    (DUPLICATE, "A list stands twice."),
    (NUMBER, "A number is not a whole number within its bounds."),
    (BOUNDS, "The table has no list, more than 10,000 lists, or more than 100,000,000,000,000 votes in all."),
];

/// So many mistakes are enough to see what is wrong with a table, and finding their places stays cheap.
const MOST_PROBLEMS: usize = 200;
/// Longest name in characters.
const LONGEST_NAME: usize = 200;
const HEADER: [&str; 4] = ["list", "votes", "alliance", "nominal"];

/// The table's lists with their names.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Table {
    /// Names in the order of `lists`; no two are equal.
    pub names: Vec<String>,
    /// What each list brings; its alliance is a number of `alliances`.
    pub lists: Vec<List>,
    /// Names of the alliances.
    pub alliances: Vec<String>,
}

impl Table {
    /// Reads a table; `name` stands in the problems' places. On failure returns the mistakes, at most about 200.
    pub fn parse(bytes: &[u8], name: &str) -> Result<Self, Vec<Problem>> {
        let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
        let text = std::str::from_utf8(bytes).map_err(|error| {
            let valid = String::from_utf8_lossy(&bytes[..error.valid_up_to()]);
            let what = "not UTF-8 from here on; save the file as UTF-8 (in a spreadsheet: CSV UTF-8)";
            vec![Problem::new(NOT_UTF8, place(name, &valid, valid.len()), what)]
        })?;
        let mut parser = Parser {
            name,
            text,
            problems: Vec::new(),
            seen: BTreeMap::new(),
            alliances: BTreeMap::new(),
            table: Self::default(),
        };
        parser.read();
        if parser.problems.is_empty() { Ok(parser.table) } else { Err(parser.problems) }
    }
}

struct Parser<'a> {
    name: &'a str,
    text: &'a str,
    problems: Vec<Problem>,
    /// Where each list stands.
    seen: BTreeMap<String, usize>,
    /// The number of each alliance.
    alliances: BTreeMap<String, usize>,
    table: Table,
}

/// Each column's position in the header, in the order of [`HEADER`].
type Positions = [Option<usize>; HEADER.len()];

impl Parser<'_> {
    fn add(&mut self, code: &'static str, at: usize, what: impl Into<String>) {
        self.problems.push(Problem::new(code, place(self.name, self.text, at), what));
    }

    fn read(&mut self) {
        let mut header = None;
        for row in Reader::new(self.text) {
            let cells = match row {
                Ok(cells) => cells,
                Err(broken) => {
                    let what = broken.what(|at| place(self.name, self.text, at));
                    return self.add(CSV, broken.at(), what);
                }
            };
            let Some((positions, width)) = header else {
                let Some(positions) = self.header(&cells) else { return };
                header = Some((positions, cells.len()));
                continue;
            };
            if self.problems.len() >= MOST_PROBLEMS {
                return;
            }
            if self.seen.len() == MAX_LISTS {
                return self.add(BOUNDS, cells[0].at, format!("more than {MAX_LISTS} lists"));
            }
            if cells.len() == width {
                self.row(&cells, positions);
            } else {
                let what = format!(
                    "{} fields, the header has {width}; add or remove commas, or put a field that holds a comma in quotes",
                    cells.len()
                );
                self.add(FIELD_COUNT, cells[0].at, what);
            }
        }
        self.check_bounds();
    }

    fn check_bounds(&mut self) {
        if self.text.trim().is_empty() {
            return self.add(COLUMNS, 0, "the file is empty; its first line has to be `list,votes`");
        }
        let total = self.table.lists.iter().try_fold(0_u64, |sum, list| sum.checked_add(list.votes));
        if total.is_none_or(|total| total > MAX_VOTES) {
            self.add(BOUNDS, 0, format!("more than {MAX_VOTES} votes in all"));
        }
        if self.table.lists.is_empty() && self.problems.is_empty() {
            self.add(BOUNDS, self.text.len(), "no list; add a line for each");
        }
    }

    fn header(&mut self, cells: &[Cell<'_>]) -> Option<Positions> {
        let mut positions: Positions = [None; HEADER.len()];
        for (position, cell) in cells.iter().enumerate() {
            let slot = HEADER.iter().zip(&mut positions).find(|(known, _)| **known == cell.text);
            match slot {
                Some((_, slot @ None)) => *slot = Some(position),
                Some(_) => self.add(COLUMNS, cell.at, format!("column {} stands twice; remove one", shown(&cell.text))),
                None => self.add(
                    COLUMNS,
                    cell.at,
                    format!(
                        "column {} is none of list, votes, alliance, nominal; remove or rename it",
                        shown(&cell.text)
                    ),
                ),
            }
        }
        for (column, position) in HEADER.iter().zip(positions).take(2) {
            if position.is_none() {
                self.add(COLUMNS, 0, format!("column `{column}` is missing; the first line has to be `list,votes`"));
            }
        }
        self.problems.is_empty().then_some(positions)
    }

    fn row(&mut self, cells: &[Cell<'_>], positions: Positions) {
        let [list, votes, alliance, nominal] =
            positions.map(|position| position.and_then(|position| cells.get(position)));
        let (Some(list), Some(votes)) = (list, votes) else { return };
        let name = self.name_of("list", list);
        if let Some(first) = self.seen.insert(list.text.to_string(), list.at) {
            let first = place(self.name, self.text, first);
            let what = format!("list {} already stands at {first}; give each list one line", shown(&list.text));
            self.add(DUPLICATE, list.at, what);
        }
        let votes = self.number("votes", votes, MAX_VOTES);
        let alliance = alliance.filter(|cell| !cell.text.is_empty()).and_then(|cell| self.name_of("alliance", cell));
        let nominal = nominal.map_or(Some(0), |cell| self.number("nominal", cell, u64::from(super::MAX_SEATS)));
        let nominal = nominal.and_then(|seats| u32::try_from(seats).ok());
        if let (Some(name), Some(votes), Some(nominal)) = (name, votes, nominal) {
            let alliance = alliance.map(|alliance| self.alliance(alliance));
            self.table.names.push(name);
            self.table.lists.push(List { votes, alliance, nominal });
        }
    }

    fn alliance(&mut self, name: String) -> usize {
        let next = self.table.alliances.len();
        let number = *self.alliances.entry(name.clone()).or_insert(next);
        if number == next {
            self.table.alliances.push(name);
        }
        number
    }

    fn name_of(&mut self, field: &str, cell: &Cell<'_>) -> Option<String> {
        let text = &*cell.text;
        let fault = if text.is_empty() {
            "is empty; give it a name"
        } else if text.chars().nth(LONGEST_NAME).is_some() {
            "is longer than 200 characters; shorten it"
        } else if text.contains(char::is_control) {
            "holds control characters; remove them"
        } else if text.trim() != text {
            "starts or ends with white space; remove it"
        } else {
            return Some(text.to_owned());
        };
        self.add(NAME, cell.at, format!("{field} {} {fault}", shown(text)));
        None
    }

    fn number(&mut self, field: &str, cell: &Cell<'_>, most: u64) -> Option<u64> {
        let is_digits = cell.text.bytes().all(|byte| byte.is_ascii_digit());
        let number = if is_digits { cell.text.parse().ok() } else { None }.filter(|number| *number <= most);
        if number.is_none() {
            let what = format!(
                "{field} {} is not a whole number from 0 to {most}; write digits only, without spaces, marks or decimals",
                shown(&cell.text)
            );
            self.add(NUMBER, cell.at, what);
        }
        number
    }
}

#[cfg(test)]
mod tests {
    use super::{List, Table};

    fn faults(text: &str) -> Vec<String> {
        let problems = Table::parse(text.as_bytes(), "v.csv").unwrap_err();
        problems.iter().map(|problem| format!("{} {}", problem.place, problem.code)).collect()
    }

    #[test]
    fn columns_may_stand_in_any_order() {
        let table =
            Table::parse("\u{feff}votes,list,nominal,alliance\r\n7,\"A, B\",1,x\n\n0,C,0,\n3,D,0,x\n".as_bytes(), "")
                .unwrap();
        assert_eq!(table.names, ["A, B", "C", "D"]);
        assert_eq!(table.alliances, ["x"]);
        let list = |votes, alliance, nominal| List { votes, alliance, nominal };
        assert_eq!(table.lists, [list(7, Some(0), 1), list(0, None, 0), list(3, Some(0), 0)]);
    }

    #[test]
    fn every_mistake_has_its_place() {
        assert_eq!(faults(""), ["v.csv:1:1 SV-03"]);
        assert_eq!(faults("list,votes\n"), ["v.csv:2:1 SV-08"]);
        assert_eq!(faults("list;votes\nA;1\n"), ["v.csv:1:1 SV-03", "v.csv:1:1 SV-03", "v.csv:1:1 SV-03"]);
        assert_eq!(faults("list,votes,votes\n"), ["v.csv:1:12 SV-03"]);
        assert_eq!(
            faults("list,votes\nA,1\nB,x\nA,-1\n,\nC\n"),
            [
                "v.csv:3:3 SV-07",
                "v.csv:4:1 SV-06",
                "v.csv:4:3 SV-07",
                "v.csv:5:1 SV-05",
                "v.csv:5:2 SV-07",
                "v.csv:6:1 SV-04"
            ]
        );
        assert_eq!(faults("list,votes\nÄ\u{7},1.0\n"), ["v.csv:2:1 SV-05", "v.csv:2:4 SV-07"]);
        assert_eq!(faults("list,votes\n\"A,1\n"), ["v.csv:2:1 SV-02"]);
        assert_eq!(faults("list,votes\nA,100000000000000\nB,1\n"), ["v.csv:1:1 SV-08"]);
        let broken = Table::parse(b"list,votes\nA\xff,1\n", "v.csv").unwrap_err();
        assert_eq!((broken[0].place.as_str(), broken[0].code), ("v.csv:2:2", "SV-01"));
    }
}
