//! A polling station's or relay's side of the night: the outbox of sealed records, their retries and receipts.
//!
//! Pure: time and bytes come in, datagrams go out. One thread can drive thousands of outboxes.

mod outbox;

pub use outbox::{Outbox, Receipted, RefusedReceipt, RetryPolicy, StationIdentity};
