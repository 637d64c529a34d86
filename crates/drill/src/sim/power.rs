//! Power that fails after so many of a machine's operations.

use thiserror::Error;

use super::mark::{Mark, Marks};

/// The power failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[error("the power failed")]
pub(super) struct PowerLoss;

/// An instant in which the power may fail: it does once `power_in` has run down.
pub(super) fn power(power_in: &mut Option<u32>, mark: Mark, marks: &mut Marks) -> Result<(), PowerLoss> {
    match power_in {
        None => Ok(()),
        Some(0) => {
            marks.hit(mark);
            Err(PowerLoss)
        }
        Some(left) => {
            *left -= 1;
            Ok(())
        }
    }
}
