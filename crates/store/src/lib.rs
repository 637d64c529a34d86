//! Where the centre keeps what must last.
//!
//! | module | what | who alters it gains |
//! |---|---|---|
//! | [`journal`] | the records that have receipts, in SQLite | nothing unseen: records are signed, rows are rechecked, cuts are pinned by published checkpoints |
//! | [`last`] | the last checkpoint signed, beside the journal | a way to make the centre sign a second history, if they roll back the journal and the bundle too |
//! | [`bundle`] | the public folder | nothing: `verify` finds every changed byte, and it can be made again from the journal |

pub mod bundle;
mod durable;
pub mod journal;
pub mod last;

pub use bundle::BundleFolder;
pub use journal::{Binding, SqliteJournal};
pub use last::{LastCheckpoint, LastError};
