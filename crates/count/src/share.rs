//! Shares of a whole: as exact fractions, which are compared by multiplication and never divided; and rounded, for people.

pub use tallyproof_record::definition::decision::{Share, ShareError};

pub use crate::percent::{Percent, ROUNDING, percent};
