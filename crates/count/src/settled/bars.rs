//! Shares that an option has to reach, as assertions.

pub use tallyproof_record::definition::decision::{Ahead, Bar};

use super::Tally;
use crate::assertion::Assertion;

/// A bar as assertions.
pub(super) trait Asserted {
    /// The assertion that the option's votes, less those of `over`, are past the bar.
    fn reached(self, tally: &Tally, option: usize, over: Option<usize>) -> Assertion;

    /// The assertion that they are not.
    fn missed(self, tally: &Tally, option: usize, over: Option<usize>) -> Assertion;
}

impl Asserted for Bar {
    fn reached(self, tally: &Tally, option: usize, over: Option<usize>) -> Assertion {
        let weights = weights(self, tally, option, over);
        match self {
            Self::MoreThan(_) => Assertion::new(weights),
            Self::AtLeast(_) => Assertion::not_below_zero(weights),
        }
    }

    fn missed(self, tally: &Tally, option: usize, over: Option<usize>) -> Assertion {
        let weights = weights(self, tally, option, over).into_iter().map(|weight| -weight).collect();
        match self {
            Self::MoreThan(_) => Assertion::not_below_zero(weights),
            Self::AtLeast(_) => Assertion::new(weights),
        }
    }
}

fn weights(bar: Bar, tally: &Tally, option: usize, over: Option<usize>) -> Vec<i128> {
    let (p, q) = (i128::from(bar.share().numerator()), i128::from(bar.share().denominator()));
    match over {
        None => tally.weights(-p, &[(option, q - p)]),
        Some(over) => tally.weights(-p, &[(option, q - p), (over, -q - p)]),
    }
}
