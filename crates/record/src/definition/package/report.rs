//! Mistakes: their codes, their places, and the checks that several files share.

use std::{cell::OnceCell, collections::BTreeMap};

use super::Files;
use crate::problem::Problem;
pub(crate) use crate::problem::shown;

macro_rules! codes {
    ($($name:ident $code:literal $text:literal)*) => {
        /// What can be wrong with a package.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub(crate) enum Code { $(#[doc = $text] $name),* }

        /// Every stable code of a package's mistakes, with its meaning.
        pub const CODES: &[(&str, &str)] = &[$(($code, $text)),*];

        impl Code {
            pub(crate) fn as_str(self) -> &'static str {
                match self { $(Self::$name => $code),* }
            }
        }
    };
}

codes! {
    MissingFile "PK-01" "A definition file is not in the folder."
    NotUtf8 "PK-02" "A file is not UTF-8."
    Csv "PK-03" "A row breaks the rules of CSV (RFC 4180): a stray or unclosed quote, a lone carriage return."
    Toml "PK-04" "`election.toml` breaks the rules of TOML."
    FieldCount "PK-05" "A row has more or fewer fields than the header."
    UnknownColumn "PK-06" "A column is not one that the file may have."
    MissingColumn "PK-07" "A column is missing."
    DuplicateColumn "PK-08" "A column stands twice."
    UnknownKey "PK-09" "A TOML key is not one that the table may have."
    MissingKey "PK-10" "A TOML key is missing."
    WrongType "PK-11" "A TOML value has the wrong type."
    Format "PK-12" "The package is of another format than 1."
    BadId "PK-13" "An id is empty, too long, or holds characters that an id may not hold."
    BadText "PK-14" "A text is empty or holds control characters."
    DuplicateId "PK-15" "An id stands twice."
    UnknownReference "PK-16" "An id names an area, contest, station or ballot line that does not exist."
    NoRoot "PK-17" "No area is the root."
    SeveralRoots "PK-18" "More than one area is a root."
    Cycle "PK-19" "Areas lie in a circle."
    NoContest "PK-20" "The election has no contest."
    NoLines "PK-21" "A contest has no ballot line."
    NoStation "PK-22" "The register has no station."
    TooMany "PK-23" "More contests, stations or ballot lines than a record can number."
    Number "PK-24" "A number is not a whole number from 0 to 4294967295."
    Word "PK-25" "A word is not one of those that may stand here, or stands twice."
    Time "PK-26" "A date or time is not valid."
    UnknownRule "PK-27" "No rule has this code."
    UnknownThreshold "PK-28" "The rule has no such threshold."
    FixedSeverity "PK-29" "The rule's severity is fixed."
    BadKey "PK-30" "A key is not 64 hex digits, or not a usable Ed25519 public key."
    DuplicateKey "PK-31" "Two stations, members or agents have the same key."
    NameConflict "PK-32" "One candidate or party has two names in one contest."
    NotCanonical "PK-33" "A file is not in canonical form."
    NotHeld "PK-34" "The contest is not held at the station."
    DuplicateRow "PK-35" "Results of one station and contest stand twice."
    MissingCount "PK-36" "A ballot line of the contest has no count."
    ExtraCount "PK-37" "A count stands at a ballot line that is not on the contest."
    Policy "PK-38" "The witness policy is not one: a line is in none of its forms, a key is wrong, or a name is."
    Threshold "PK-39" "The authority's threshold is not from 1 to the number of its members, of whom there can be 64."
    Decision "PK-40" "A key does not belong to the type of the decision, or not without another that is missing."
    Share "PK-41" "A share is not one, or a bar is stated twice or not at all."
    Seats "PK-42" "The number of seats is not a whole number from 1 to 1,000."
    Alliance "PK-43" "An alliance has fewer than two lists, or a list stands in two."
    Nominal "PK-44" "A contest whose seats are to count for lists cannot: it is not of the type plurality, counts for others, or one of its candidates stands for several lists."
}

/// Comparisons that one parse spends on guessing what was meant: hostile files cannot make it slow.
const GUESSES: usize = 100_000;

/// All mistakes found so far.
pub(crate) struct Report {
    pub(crate) found: Vec<Problem>,
    guesses: usize,
}

impl Default for Report {
    fn default() -> Self {
        Self { found: Vec::new(), guesses: GUESSES }
    }
}

impl Report {
    /// `; did you mean X?` if some word of `pool` is near.
    pub(crate) fn suggest<'p>(&mut self, word: &str, pool: impl IntoIterator<Item = &'p str>) -> String {
        let word: String = word.chars().take(64).flat_map(char::to_lowercase).collect();
        let reach = word.chars().count().div_ceil(3);
        let distances = pool.into_iter().take(self.guesses).map(|other| {
            self.guesses -= 1;
            (edit_distance(&word, &other.to_lowercase()), other)
        });
        match distances.min_by_key(|&(distance, _)| distance) {
            Some((distance, other)) if distance <= reach => format!("; did you mean {}?", shown(other)),
            _ => String::new(),
        }
    }
}

/// How many characters to insert, remove, change or swap with their neighbour (optimal string alignment).
fn edit_distance(left: &str, right: &str) -> usize {
    let right: Vec<char> = right.chars().collect();
    let mut row: Vec<usize> = (0..=right.len()).collect();
    let (mut above, mut before) = (row.clone(), None);
    for (i, l) in left.chars().enumerate() {
        let two_above = std::mem::replace(&mut above, row.clone());
        row[0] = i + 1;
        for (j, &r) in right.iter().enumerate() {
            let changed = above[j] + usize::from(l != r);
            row[j + 1] = changed.min(above[j + 1] + 1).min(row[j] + 1);
            if j > 0 && before == Some(r) && right[j - 1] == l {
                row[j + 1] = row[j + 1].min(two_above[j - 1] + 1);
            }
        }
        before = Some(l);
    }
    row[right.len()]
}

/// One file's text, without byte-order mark.
pub(crate) struct Source<'a> {
    file: &'static str,
    pub(crate) text: &'a str,
    lines: OnceCell<Vec<usize>>,
}

impl<'a> Source<'a> {
    /// Checks that `bytes` are UTF-8.
    pub(crate) fn new(file: &'static str, bytes: &'a [u8], report: &mut Report) -> Option<Self> {
        let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
        let error = match std::str::from_utf8(bytes) {
            Ok(text) => return Some(Self { file, text, lines: OnceCell::new() }),
            Err(error) => error,
        };
        let valid =
            bytes.get(..error.valid_up_to()).and_then(|head| std::str::from_utf8(head).ok()).unwrap_or_default();
        let place = Self { file, text: valid, lines: OnceCell::new() }.place(valid.len());
        let what = "not UTF-8 from here on; save the file as UTF-8 (in a spreadsheet: CSV UTF-8)";
        report.found.push(Problem::new(Code::NotUtf8.as_str(), place, what));
        None
    }

    /// `file:line:column` of a byte offset.
    pub(crate) fn place(&self, at: usize) -> String {
        let starts = self.lines.get_or_init(|| {
            let ends = self.text.bytes().enumerate().filter(|&(_, byte)| byte == b'\n');
            std::iter::once(0).chain(ends.map(|(end, _)| end + 1)).collect()
        });
        let line = starts.partition_point(|&start| start <= at);
        let start = starts.get(line.saturating_sub(1)).copied().unwrap_or(0);
        let column = self.text.get(start..at).map_or(0, |before| before.chars().count()) + 1;
        format!("{}:{line}:{column}", self.file)
    }
}

/// Opens one file of a package.
pub(crate) fn open<'a>(files: &'a Files, name: &'static str, report: &mut Report) -> Option<Source<'a>> {
    if let Some(bytes) = files.get(name) {
        return Source::new(name, bytes, report);
    }
    let near = report.suggest(name, files.keys().map(String::as_str).filter(|other| other.eq_ignore_ascii_case(name)));
    let what = format!("the file is missing; add it to the folder{near}");
    report.found.push(Problem::new(Code::MissingFile.as_str(), format!("{name}:1:1"), what));
    None
}

/// A text with its byte offset in the file: a CSV field or a TOML string.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Spot<'t> {
    pub(crate) text: &'t str,
    pub(crate) at: usize,
}

/// Checks values of one file and reports into the common list.
pub(crate) struct Checker<'r, 'a> {
    pub(crate) source: &'r Source<'a>,
    pub(crate) report: &'r mut Report,
}

impl<'r, 'a> Checker<'r, 'a> {
    pub(crate) fn new(source: &'r Source<'a>, report: &'r mut Report) -> Self {
        Self { source, report }
    }

    /// Reports a mistake at a byte offset.
    pub(crate) fn add(&mut self, at: usize, code: Code, what: impl Into<String>) {
        self.report.found.push(Problem::new(code.as_str(), self.source.place(at), what));
    }

    /// Reports a word that is none of `pool`.
    pub(crate) fn unknown<'p>(
        &mut self,
        spot: Spot<'_>,
        code: Code,
        what: &str,
        pool: impl IntoIterator<Item = &'p str>,
    ) {
        let near = self.report.suggest(spot.text, pool);
        self.add(spot.at, code, format!("{what} {}{near}", shown(spot.text)));
    }

    /// An id, if it is one.
    pub(crate) fn id<'t>(&mut self, field: &str, spot: Spot<'t>) -> Option<&'t str> {
        let Some(fault) = id_fault(spot.text) else { return Some(spot.text) };
        self.add(spot.at, Code::BadId, format!("{field} {} {fault}", shown(spot.text)));
        None
    }

    /// An id that has to be new among `seen`, which gives each id's offset.
    pub(crate) fn new_id<'t>(
        &mut self,
        field: &str,
        spot: Spot<'t>,
        seen: &mut BTreeMap<&'t str, usize>,
    ) -> Option<&'t str> {
        let id = self.id(field, spot)?;
        if let Some(&first) = seen.get(id) {
            let place = self.source.place(first);
            let what = format!("{field} {} already stands at {place}; give each its own id", shown(id));
            self.add(spot.at, Code::DuplicateId, what);
            return None;
        }
        seen.insert(id, spot.at);
        Some(id)
    }

    /// A display text; may be empty. Control characters could steer the terminal of whoever reads a report.
    pub(crate) fn text<'t>(&mut self, field: &str, spot: Spot<'t>) -> &'t str {
        if spot.text.contains(char::is_control) {
            let what = format!("{field} {} holds control characters; remove them", shown(spot.text));
            self.add(spot.at, Code::BadText, what);
        }
        spot.text
    }

    /// A count.
    pub(crate) fn number(&mut self, field: &str, spot: Spot<'_>) -> Option<u32> {
        let digits = spot.text.bytes().all(|byte| byte.is_ascii_digit());
        let number = if digits { spot.text.parse().ok() } else { None };
        if number.is_none() {
            let what = format!(
                "{field} {} is not a whole number from 0 to {}; write digits only, without spaces, marks or decimals",
                shown(spot.text),
                u32::MAX
            );
            self.add(spot.at, Code::Number, what);
        }
        number
    }
}

pub(crate) fn id_fault(id: &str) -> Option<&'static str> {
    if id.is_empty() {
        Some("is empty; give it an id")
    } else if id.chars().nth(64).is_some() {
        Some("is longer than 64 characters; shorten it")
    } else if id.contains(char::is_control) {
        Some("holds control characters; remove them")
    } else if id.starts_with(char::is_whitespace) || id.ends_with(char::is_whitespace) {
        Some("starts or ends with white space; remove it")
    } else if id.starts_with('@') {
        Some("starts with `@`, which marks figures; choose another id")
    } else {
        None
    }
}

#[cfg(test)]
mod tests {
    use super::edit_distance;

    #[test]
    fn edit_distances() {
        let cases = [
            ("", "", 0),
            ("", "ab", 2),
            ("ab", "", 2),
            ("kitten", "sitting", 3),
            ("nroth", "north", 1),
            ("ca", "abc", 3),
        ];
        for (left, right, distance) in cases {
            assert_eq!(edit_distance(left, right), distance, "{left} {right}");
        }
    }
}
