//! A polling station's or relay's side of the night: sealed records, their retries on every path, and their receipts.
//!
//! Pure: time and bytes come in, datagrams go out. One thread can drive thousands of outboxes.

mod forwarder;
mod outbox;
mod schedule;

pub use forwarder::{Cargo, Forward, Forwarder, Standing, Taken};
pub use outbox::{Outbox, Receipted, RefusedReceipt, StationIdentity, Transmission};
pub use schedule::RetryPolicy;
