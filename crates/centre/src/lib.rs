//! The totalisation centre as state machines: what it does with a datagram, a record, a batch.
//!
//! Pure: no socket, file, clock, randomness, async or `unsafe`. The binary gives it time, bytes and threads; `tallyproof-store` gives
//! it a [`journal::Journal`].
//!
//! One record's way: [`gate`] (is the datagram one of ours?) → [`lanes`] (whose turn is it?) → [`known`] (seen before?) →
//! [`intake`] (is the record or statement authentic, what do the rules say?) → [`journal`] (durable) → receipt → [`sequencer`] (its place in the log)
//! → [`gatherer`] (who has witnessed it?).

mod docket;
pub mod gate;
pub mod gatherer;
pub mod intake;
pub mod invariants;
pub mod journal;
pub mod known;
pub mod lanes;
pub mod promise;
pub mod publication;
pub mod restart;
pub mod sequencer;
#[cfg(test)]
mod testing;
pub mod writer;

pub use gate::Gate;
pub use gatherer::Gatherer;
pub use intake::Intake;
pub use journal::Journal;
pub use known::Known;
pub use lanes::{Lane, Lanes};
pub use sequencer::Sequencer;
pub use writer::Writer;
