//! A polling station's side of the night: the outbox of sealed records, their retries on every path, and their receipts.
//!
//! Pure: time and bytes come in, datagrams go out. One thread can drive thousands of outboxes.

mod outbox;

pub use outbox::{Outbox, Receipted, RefusedReceipt, RetryPolicy, StationIdentity, Transmission};
