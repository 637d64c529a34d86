//! The polling station's shell around the pure outbox: its queue folder, its figures, its form and its ways to the centre.

pub mod address;
pub mod copy;
pub mod drop_folder;
pub mod figures;
pub mod form;
pub mod queue;
pub mod send;
pub mod ways;

use anyhow::Context;

/// From which an outbox draws its jitter: thousands that start in the same second must not send in the same millisecond.
pub(crate) fn jitter_seed() -> anyhow::Result<u64> {
    let mut seed = [0; 8];
    getrandom::fill(&mut seed).context("the operating system gives no random numbers")?;
    Ok(u64::from_le_bytes(seed))
}
