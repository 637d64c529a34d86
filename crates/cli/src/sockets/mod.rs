//! Datagrams by the batch, and what the kernel knows of a socket. Linux only.
//!
//! One system call a datagram costs more than every check of the gate together. Receive offload (GRO) stays off: it joins the equal
//! datagrams of a test into one, which no real flood grants, and so flatters every figure.
//!
//! `nix`, `rustix` and `socket2` wrap the calls that the centre makes. Only [`inject`], which benches use, holds `unsafe`.

pub mod inject;
mod kernel;
mod receive;
mod send;

pub use kernel::{attach_filter, enlarge_receive_buffer, kernel_drops, lower_priority, rcvbuf_errors};
pub use receive::{Datagram, Receiver};
pub use send::{BatchSender, Segmentation};

/// Datagrams handed over in one system call, either way.
pub const BATCH: usize = 64;
