//! Shares of a whole as exact fractions: thresholds and majorities are compared by multiplication, never divided.

use std::{fmt, str::FromStr};

/// A share of a whole, from nothing to all of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Share {
    /// In lowest terms.
    numerator: u64,
    denominator: u64,
}

/// Why a text is no share.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ShareError {
    /// Another form.
    #[error("write a share as 0.05, 5% or 1/20, with at most {} decimals", Share::DECIMALS)]
    Form,
    /// More than the whole.
    #[error("a share is at most 1 (100%)")]
    AboveWhole,
}

impl Share {
    /// Most decimals of a share, before or after its percent sign.
    pub const DECIMALS: usize = 9;
    /// Largest denominator of a share written as a fraction; keeps every product far from overflow.
    pub const LARGEST_DENOMINATOR: u64 = 1_000_000_000;

    /// `numerator` / `denominator`.
    pub fn new(numerator: u64, denominator: u64) -> Result<Self, ShareError> {
        let divisor = common_divisor(numerator, denominator);
        let share = Self {
            numerator: numerator.checked_div(divisor).ok_or(ShareError::Form)?,
            denominator: denominator.checked_div(divisor).filter(|&it| it > 0).ok_or(ShareError::Form)?,
        };
        if share.numerator > share.denominator {
            return Err(ShareError::AboveWhole);
        }
        if share.denominator > Self::LARGEST_DENOMINATOR * 100 { Err(ShareError::Form) } else { Ok(share) }
    }

    /// Its spelling in files: as [`fmt::Display`], without the space before the percent sign.
    pub fn to_text(self) -> String {
        self.to_string().replace(' ', "")
    }

    /// The upper number in lowest terms.
    pub fn numerator(self) -> u64 {
        self.numerator
    }

    /// The lower number in lowest terms, at most 10^11.
    pub fn denominator(self) -> u64 {
        self.denominator
    }
}

fn common_divisor(a: u64, b: u64) -> u64 {
    if b == 0 { a } else { common_divisor(b, a % b) }
}

impl FromStr for Share {
    type Err = ShareError;

    fn from_str(text: &str) -> Result<Self, ShareError> {
        if let Some((numerator, denominator)) = text.split_once('/') {
            let denominator = digits(denominator).filter(|&it| it <= Self::LARGEST_DENOMINATOR);
            return Self::new(digits(numerator).ok_or(ShareError::Form)?, denominator.ok_or(ShareError::Form)?);
        }
        let (number, of) = match text.strip_suffix('%') {
            Some(number) => (number.trim_end_matches(' '), 100),
            None => (text, 1),
        };
        let (whole, decimals) = number.split_once('.').map_or((number, None), |(whole, rest)| (whole, Some(rest)));
        let decimals =
            decimals.map_or(Some(""), |decimals| (1..=Self::DECIMALS).contains(&decimals.len()).then_some(decimals));
        let decimals = decimals.ok_or(ShareError::Form)?;
        let scale = 10_u64.pow(u32::try_from(decimals.len()).map_err(|_| ShareError::Form)?);
        // At most 100 goes before the point: more digits could be nothing but too much.
        if whole.len() > 3 {
            let is_number = whole.bytes().all(|byte| byte.is_ascii_digit());
            return Err(if is_number { ShareError::AboveWhole } else { ShareError::Form });
        }
        let whole = digits(whole).ok_or(ShareError::Form)?;
        let part = if decimals.is_empty() { 0 } else { digits(decimals).ok_or(ShareError::Form)? };
        Self::new(whole * scale + part, scale * of)
    }
}

fn digits(text: &str) -> Option<u64> {
    if text.is_empty() || !text.bytes().all(|byte| byte.is_ascii_digit()) { None } else { text.parse().ok() }
}

impl fmt::Display for Share {
    /// As a percentage where that is exact, else as a fraction; [`Share::from_str`] reads both back.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let scale = 10_u64.pow(9);
        let scaled = u128::from(self.numerator) * u128::from(scale) * 100;
        if !scaled.is_multiple_of(u128::from(self.denominator)) {
            return write!(f, "{}/{}", self.numerator, self.denominator);
        }
        let scaled = scaled / u128::from(self.denominator);
        let (whole, part) = (scaled / u128::from(scale), scaled % u128::from(scale));
        let decimals = format!("{part:09}");
        match decimals.trim_end_matches('0') {
            "" => write!(f, "{whole} %"),
            decimals => write!(f, "{whole}.{decimals} %"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Share, ShareError};

    #[test]
    fn every_spelling_of_a_share_is_the_same_fraction() {
        let twentieth = Share::new(1, 20).unwrap();
        for text in ["0.05", "0.050", "5%", "5 %", "5.0%", "1/20", "2/40"] {
            assert_eq!(text.parse(), Ok(twentieth), "{text}");
        }
        assert_eq!(twentieth.to_string(), "5 %");
        assert_eq!("3.25%".parse::<Share>().unwrap().to_string(), "3.25 %");
        assert_eq!("2/3".parse::<Share>().unwrap().to_string(), "2/3");
        assert_eq!(["3.25 %", "2/3"].map(|text| text.parse::<Share>().unwrap().to_text()), ["3.25%", "2/3"]);
        assert_eq!("0.000000001%".parse::<Share>().unwrap().to_string(), "0.000000001 %");
        assert_eq!(
            ["0", "1", "100%"].map(|text| text.parse::<Share>().unwrap().to_string()),
            ["0 %", "100 %", "100 %"]
        );
    }

    #[test]
    fn what_is_no_share_is_refused() {
        for text in [
            "",
            ".5",
            "5.",
            "-1",
            "+1",
            "1e-2",
            "0,05",
            "5 %%",
            "1/0",
            "1/x",
            "0.0000000001",
            " 1",
            "1/1000000001",
            "½",
            "½½½½",
        ] {
            assert_eq!(text.parse::<Share>(), Err(ShareError::Form), "{text}");
        }
        for text in ["1.1", "101%", "3/2", "99999999999999999999"] {
            assert_eq!(text.parse::<Share>(), Err(ShareError::AboveWhole), "{text}");
        }
    }
}
