//! Counts as publishers write them. Missing is never zero, and nothing is rounded.

/// How numbers are written in a table.
#[derive(Clone, Debug)]
pub(crate) struct Numbers {
    pub(crate) decimal: char,
    pub(crate) thousands: Option<char>,
    /// Cells (after trimming) that mean "no figure".
    pub(crate) missing: Vec<String>,
}

/// What publishers have been seen to write where there is no figure.
pub(crate) const MISSING: [&str; 12] = ["", "*", "---", "-", "x", "n/a", "N/A", "NA", "null", "NULL", "nan", "NaN"];

/// Why a cell is not a count.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum NotACount {
    /// Not a number by the mapping's `[numbers]`.
    Malformed,
    Negative,
    /// The part after the decimal mark is not zero.
    Fraction,
    /// `1.000`: a thousand, or one with three decimals. Reading it as one would lose votes in silence.
    Ambiguous,
    /// Above 4,294,967,295, the most that a record can state.
    TooLarge,
}

impl Default for Numbers {
    fn default() -> Self {
        Self { decimal: '.', thousands: None, missing: MISSING.map(String::from).to_vec() }
    }
}

impl Numbers {
    /// The count in a cell; `None` where the cell says that there is no figure.
    pub(crate) fn read(&self, cell: &str) -> Result<Option<u32>, NotACount> {
        let text = cell.trim();
        if self.missing.iter().any(|token| token == text) {
            return Ok(None);
        }
        // Both the hyphen and the typographic minus; a negative zero is as odd as any other negative.
        if let Some(rest) = text.strip_prefix(['-', '\u{2212}']) {
            self.digits(rest)?;
            return Err(NotACount::Negative);
        }
        self.digits(text).map(Some)
    }

    fn digits(&self, text: &str) -> Result<u32, NotACount> {
        let (whole, fraction) = match text.split_once(self.decimal) {
            Some((whole, fraction)) => (whole, Some(fraction)),
            None => (text, None),
        };
        if !self.grouped(whole) {
            return Err(NotACount::Malformed);
        }
        if let Some(fraction) = fraction {
            if fraction.is_empty() || !fraction.bytes().all(|b| b.is_ascii_digit()) {
                return Err(NotACount::Malformed);
            }
            if fraction.bytes().any(|b| b != b'0') {
                return Err(NotACount::Fraction);
            }
            if fraction.len() == 3 && whole.len() <= 3 && self.thousands.is_none() {
                return Err(NotACount::Ambiguous);
            }
        }
        whole
            .bytes()
            .filter(u8::is_ascii_digit)
            .try_fold(0u32, |sum, digit| sum.checked_mul(10)?.checked_add(u32::from(digit - b'0')))
            .ok_or(NotACount::TooLarge)
    }

    /// Whether `whole` is digits, or digits in groups of three: `1,23` is more likely a decimal than twelve-ish.
    fn grouped(&self, whole: &str) -> bool {
        let digits = |part: &str| !part.is_empty() && part.bytes().all(|b| b.is_ascii_digit());
        let Some(mark) = self.thousands else { return digits(whole) };
        let mut groups = whole.split(|c| same_mark(c, mark));
        let first = groups.next().unwrap_or_default();
        let rest: Vec<&str> = groups.collect();
        digits(first)
            && (rest.is_empty() || first.len() <= 3)
            && rest.iter().all(|group| digits(group) && group.len() == 3)
    }
}

/// A space as thousands mark also stands for the no-break, narrow no-break and thin spaces that word processors put there.
fn same_mark(c: char, mark: char) -> bool {
    c == mark || (mark == ' ' && matches!(c, '\u{a0}' | '\u{202f}' | '\u{2009}'))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn european() -> Numbers {
        Numbers { decimal: ',', thousands: Some('.'), ..Numbers::default() }
    }

    #[test]
    fn as_publishers_write_them() {
        let plain = Numbers::default();
        let cases: &[(&str, Result<Option<u32>, NotACount>)] = &[
            ("12", Ok(Some(12))),
            (" 12 ", Ok(Some(12))),
            ("\u{a0}12", Ok(Some(12))),
            ("0012", Ok(Some(12))),
            ("12.0", Ok(Some(12))),
            ("12.50", Err(NotACount::Fraction)),
            ("12.000", Err(NotACount::Ambiguous)),
            ("1234.000", Ok(Some(1234))),
            ("NaN", Ok(None)),
            ("12.", Err(NotACount::Malformed)),
            (".0", Err(NotACount::Malformed)),
            ("1,234", Err(NotACount::Malformed)),
            ("1e3", Err(NotACount::Malformed)),
            ("+5", Err(NotACount::Malformed)),
            ("-5", Err(NotACount::Negative)),
            ("\u{2212}5", Err(NotACount::Negative)),
            ("-x", Err(NotACount::Malformed)),
            ("٣", Err(NotACount::Malformed)),
            ("4294967295", Ok(Some(u32::MAX))),
            ("4294967296", Err(NotACount::TooLarge)),
            ("99999999999999999999999", Err(NotACount::TooLarge)),
            ("", Ok(None)),
            ("  ", Ok(None)),
            ("*", Ok(None)),
            ("-", Ok(None)),
            ("NA", Ok(None)),
            ("na?", Err(NotACount::Malformed)),
        ];
        for (cell, want) in cases {
            assert_eq!(plain.read(cell), *want, "{cell:?}");
        }
    }

    #[test]
    fn groups_of_three_only() {
        let numbers = european();
        assert_eq!(numbers.read("1.234"), Ok(Some(1234)));
        assert_eq!(numbers.read("1234"), Ok(Some(1234)));
        assert_eq!(numbers.read("1.234,00"), Ok(Some(1234)));
        assert_eq!(numbers.read("80,7"), Err(NotACount::Fraction));
        for odd in ["1.23", "1234.567", ".123", "1..234", "1.234."] {
            assert_eq!(numbers.read(odd), Err(NotACount::Malformed), "{odd}");
        }
        let spaced = Numbers { thousands: Some(' '), ..Numbers::default() };
        assert_eq!(spaced.read("12\u{202f}345"), Ok(Some(12345)));
    }

    proptest! {
        #[test]
        fn every_count_reads_back(n: u32) {
            prop_assert_eq!(Numbers::default().read(&n.to_string()), Ok(Some(n)));
        }

        #[test]
        fn no_cell_panics(cell in "\\PC*") {
            let _ = european().read(&cell);
        }
    }
}
