//! Percentages for people, rounded by one rule.

use std::fmt;

use serde::{Serialize, Serializer};

/// A rounded percentage, in hundredths of a percent. Only [`percent`] makes one, from exact counts: nothing is computed from it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Percent(u64);

impl Percent {
    /// Hundredths of a percent: 1,234 is 12.34 %.
    pub fn hundredths(self) -> u64 {
        self.0
    }
}

impl fmt::Display for Percent {
    /// With two decimals and without a sign, as `12.34`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{:02}", self.0 / 100, self.0 % 100)
    }
}

impl Serialize for Percent {
    /// As text: a number in JSON would be read as a binary fraction.
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

/// How [`percent`] rounds, in words.
pub const ROUNDING: &str = "a percentage is 100 times the part divided by the whole, both exact counts, rounded half up to two decimals; none is \
                            computed from rounded figures";

/// `part` in percent of `whole`, with two decimals, half up; `None` of nothing.
pub fn percent(part: u64, whole: u64) -> Option<Percent> {
    let (part, whole) = (u128::from(part), u128::from(whole));
    let hundredths = (part * 20_000 + whole).checked_div(whole * 2)?;
    Some(Percent(u64::try_from(hundredths).unwrap_or(u64::MAX)))
}

#[cfg(test)]
mod tests {
    use super::percent;

    #[test]
    fn percentages_have_two_decimals_rounded_half_up_from_exact_counts() {
        let text = |part, whole| percent(part, whole).map(|it| it.to_string());
        for (part, whole, shown) in [
            (0, 7, "0.00"),
            (1, 3, "33.33"),
            (2, 3, "66.67"),
            (1, 20_000, "0.01"),
            (1, 20_001, "0.00"),
            (5_150_092, 10_058_774, "51.20"),
            (3, 2, "150.00"),
            (u64::MAX, u64::MAX, "100.00"),
        ] {
            assert_eq!(text(part, whole).as_deref(), Some(shown), "{part} of {whole}");
        }
        assert_eq!(text(1, 0), None);
    }
}
