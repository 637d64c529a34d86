//! The order in which the log is shown: tiles, then what was signed is remembered, then the checkpoint.
//!
//! A reader who finds a checkpoint finds its tiles, and a centre that starts again finds what it has signed, wherever it stopped.

use crate::sequencer::Growth;

/// Where the log is published, and where what was signed is remembered. Each call is durable on return.
pub trait Shelf {
    /// Why it cannot be written.
    type Error;

    /// Writes tiles. One that exists has to have the same bytes.
    fn put_tiles(&mut self, growth: &Growth) -> Result<(), Self::Error>;

    /// Remembers a checkpoint, in a store of its own, before anyone sees it.
    fn remember(&mut self, note: &[u8]) -> Result<(), Self::Error>;

    /// Shows the checkpoint.
    fn put_checkpoint(&mut self, note: &[u8]) -> Result<(), Self::Error>;
}

/// Signs and shows a checkpoint whose tiles are there; returns its note. After an error, the same call again goes on.
pub fn promise<S: Shelf, E: From<S::Error>>(
    shelf: &mut S,
    sign: impl FnOnce() -> Result<String, E>,
) -> Result<String, E> {
    let note = sign()?;
    shelf.remember(note.as_bytes())?;
    shelf.put_checkpoint(note.as_bytes())?;
    Ok(note)
}
