//! Laws of the log, checked against the definitions in RFC 6962 and against published examples.

#![expect(clippy::unwrap_used, reason = "a failed unwrap is a failed test, in helper functions too")]

mod compact;
mod cosignatures;
mod forks;
mod formats;
mod merkle;
mod policies;
mod reader;
mod tiles;
mod vectors;
mod witness;
