//! Statements as people handle them: files that go from hand to hand, and the keys that sign them.

pub mod key_file;
pub mod paper;
pub mod signatures;
pub mod verified;

pub use key_file::{Role, SignatoryKey};
pub use paper::Paper;
