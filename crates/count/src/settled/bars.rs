//! Shares that an option has to reach, as assertions.

use std::fmt;

use super::Tally;
use crate::{assertion::Assertion, share::Share};

/// A share of all votes that has to be reached or passed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Bar {
    /// Not reached by this share itself: "50 % + 1".
    MoreThan(Share),
    /// Reached by this share.
    AtLeast(Share),
}

/// The way past the bar for whoever leads clearly: "40 % and 10 points ahead".
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ahead {
    /// The share that is needed.
    pub reach: Bar,
    /// The difference to every other option that is needed, as a share of all votes.
    pub by: Bar,
}

impl Bar {
    /// Its share.
    pub fn share(self) -> Share {
        match self {
            Self::MoreThan(share) | Self::AtLeast(share) => share,
        }
    }

    fn fraction(self) -> (i128, i128) {
        (i128::from(self.share().numerator()), i128::from(self.share().denominator()))
    }

    /// The assertion that the option's votes, less those of `over`, are past the bar.
    pub(super) fn reached(self, tally: &Tally, option: usize, over: Option<usize>) -> Assertion {
        let weights = self.weights(tally, option, over);
        match self {
            Self::MoreThan(_) => Assertion::new(weights),
            Self::AtLeast(_) => Assertion::not_below_zero(weights),
        }
    }

    /// The assertion that they are not.
    pub(super) fn missed(self, tally: &Tally, option: usize, over: Option<usize>) -> Assertion {
        let weights = self.weights(tally, option, over).into_iter().map(|weight| -weight).collect();
        match self {
            Self::MoreThan(_) => Assertion::not_below_zero(weights),
            Self::AtLeast(_) => Assertion::new(weights),
        }
    }

    fn weights(self, tally: &Tally, option: usize, over: Option<usize>) -> Vec<i128> {
        let (p, q) = self.fraction();
        match over {
            None => tally.weights(-p, &[(option, q - p)]),
            Some(over) => tally.weights(-p, &[(option, q - p), (over, -q - p)]),
        }
    }
}

impl fmt::Display for Bar {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::MoreThan(share) => write!(f, "more than {share}"),
            Self::AtLeast(share) => write!(f, "at least {share}"),
        }
    }
}
