//! A night as text: what a failure leaves behind, to be run again whatever a seed means by then.
//!
//! ```text
//! tallyproof-night v1
//! country 2-of-3
//! seed 17
//! bug WitnessForgets            where one was planted
//! breaks WitnessConsistent      and what it broke
//!       0 ms  loss per_mille=200
//! ```

use std::fmt;
use std::str::FromStr;

use thiserror::Error;

use super::bug::Bug;
use super::check::Invariant;
use super::country::{Countries, CountryError};
use super::night::Night;
use super::plan::Planned;

const HEADER: &str = "tallyproof-night v1";
/// Lines that are read at most.
const MAX_LINES: usize = 4_096;

/// A night that is kept.
#[derive(Clone, Debug)]
pub struct Case {
    /// The night.
    pub night: Night,
    /// What its bug breaks.
    pub breaks: Option<Invariant>,
}

/// A text is no kept night.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum CaseError {
    /// It begins otherwise.
    #[error("line 1: expected '{HEADER}'")]
    Header,
    /// A line is none that a night has.
    #[error(
        "line {0}: expected 'country NAME', 'seed N', 'bug NAME', 'breaks NAME', or something planned such as \
         '   2500 ms  centre-power operations=3 down_ms=700'"
    )]
    Line(usize),
    /// Too many lines.
    #[error("more than {MAX_LINES} lines")]
    TooLong,
    /// The country is not said, or there is none of that name.
    #[error("no such country: {0}")]
    Country(String),
}

impl Case {
    /// Reads a night; lines that begin with `#`, and empty ones, say nothing.
    pub fn read(text: &str, countries: &Countries) -> Result<Self, CaseError> {
        let mut lines = (1..).zip(text.lines());
        if lines.next().map(|(_, line)| line) != Some(HEADER) {
            return Err(CaseError::Header);
        }
        let (mut country, mut breaks) = (String::new(), None);
        let mut night = Night { seed: 0, country: "", plan: Vec::new(), bug: None };
        for (number, line) in lines {
            if number > MAX_LINES {
                return Err(CaseError::TooLong);
            }
            let wrong = CaseError::Line(number);
            match line.trim().split_once(' ') {
                _ if line.trim().is_empty() || line.starts_with('#') => {}
                Some(("country", name)) => name.clone_into(&mut country),
                Some(("seed", seed)) => night.seed = u64::from_str(seed).map_err(|_| wrong)?,
                Some(("bug", name)) => night.bug = Some(Bug::named(name).ok_or(wrong)?),
                Some(("breaks", name)) => breaks = Some(Invariant::named(name).ok_or(wrong)?),
                _ => night.plan.push(Planned::read(line).ok_or(wrong)?),
            }
        }
        let unknown = |_: CountryError| CaseError::Country(country.clone());
        night.country = countries.named(&country).map_err(unknown)?.name;
        Ok(Self { night, breaks })
    }
}

impl fmt::Display for Case {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { night, breaks } = self;
        writeln!(f, "{HEADER}\ncountry {}\nseed {}", night.country, night.seed)?;
        night.bug.iter().try_for_each(|bug| writeln!(f, "bug {bug:?}"))?;
        breaks.iter().try_for_each(|invariant| writeln!(f, "breaks {invariant:?}"))?;
        night.plan.iter().try_for_each(|planned| writeln!(f, "{planned}"))
    }
}
