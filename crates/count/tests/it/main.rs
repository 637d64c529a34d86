//! Counting and verification of synthetic elections.

#![expect(clippy::unwrap_used, reason = "a failed unwrap is a failed test, in helper functions too")]

mod bulletins;
mod changes;
mod checks;
mod count;
mod outcome;
mod receipts;
mod seats;
mod settled;
mod statements;
mod textbook;
mod verify;
mod voters;
mod witnesses;
mod world;
