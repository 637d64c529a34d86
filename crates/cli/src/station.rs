//! The polling station's shell around the pure outbox: its queue folder, its figures, its form and its ways to the centre.

pub mod address;
pub mod drop_folder;
pub mod figures;
pub mod form;
pub mod queue;
pub mod send;
pub mod ways;
