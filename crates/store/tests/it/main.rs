//! The store on a real file system.

#![expect(clippy::unwrap_used, reason = "a failed unwrap is a failed test, in helper functions too")]

mod bundle;
mod journal;
