//! Shares of a whole as exact fractions: thresholds and majorities are compared by multiplication, never divided.

pub use tallyproof_record::definition::decision::{Share, ShareError};
