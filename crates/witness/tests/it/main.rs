//! A witness over logs in memory, honest and forked.

#![expect(clippy::unwrap_used, clippy::panic, reason = "a failed unwrap is a failed test, in helper functions too")]

mod cosigning;
mod following;
mod state;
mod world;
