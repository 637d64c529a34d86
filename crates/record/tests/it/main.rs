//! Integration tests of the record crate.
#![expect(clippy::unwrap_used, clippy::expect_used, reason = "a failing test panics")]

mod cose;
mod definition;
mod statement;
mod vectors;
