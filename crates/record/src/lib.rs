//! The signed tally record: what a polling station states, how it is checked, sealed and carried.
//!
//! Pure: no socket, file, clock, randomness, async or `unsafe`.
//!
//! | module | what |
//! |---|---|
//! | [`definition`] | the election package: parse, check, canonical bytes, definition hash |
//! | [`tally`] | the figures of one station in one contest |
//! | [`rules`] | the one table of rules, and the check of a tally against them |
//! | [`cose`] | seal a tally (COSE_Sign1), open and verify sealed bytes |
//! | [`statement`] | what others than stations sign: keys, endorsements, corrections, bulletins, policies (COSE_Sign) |
//! | [`frame`] | the 48-byte datagram header with its keyed tag |
//! | [`receipt`] | the centre's signed promise that a record is durable |
//! | [`proven`] | a record and the proof that it is in the log, in one datagram |
//! | [`entry`] | what a log entry's bytes mean |
//! | [`csv`] | tables, read strictly, with the place of every field |
//! | [`problem`] | a finding with its code and place |

mod cbor;
pub mod cose;
pub mod csv;
pub mod definition;
pub mod entry;
pub mod frame;
pub mod problem;
pub mod proven;
pub mod receipt;
pub mod rules;
pub mod statement;
pub mod tally;

pub use cose::{OpenRecord, SealedRecord};
pub use definition::{ContestNo, Election, Phase, StationNo};
pub use problem::Problem;
pub use tally::Tally;
