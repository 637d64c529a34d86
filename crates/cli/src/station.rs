//! The polling station's shell around the pure outbox: its queue folder, its figures, its form and its sockets.

pub mod address;
pub mod figures;
pub mod form;
pub mod queue;
pub mod send;
