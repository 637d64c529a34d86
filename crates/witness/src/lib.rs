//! A witness of a log: it keeps its own copy, verifies and recounts every entry, and cosigns only what it could.
//!
//! Pure: no socket, file, clock, randomness or thread of its own. The log's files come through [`tallyproof_count::Source`], time is
//! an argument, and what has to be stored is handed out before anything rests on it.
//!
//! | module | what |
//! |---|---|
//! | [`follower`] | the log as held: hears checkpoints, reads the entries on from its own size, recounts them, proves forks |
//! | [`cosigner`] | decides requests of C2SP tlog-witness; only a [`follower::Recounted`] is ever cosigned |
//! | [`state`] | the one thing that must outlive a crash: the last checkpoint cosigned |

pub mod cosigner;
pub mod follower;
mod recount;
mod signed;
pub mod state;

pub use cosigner::Cosigner;
pub use follower::Follower;
pub use signed::Signed;
pub use state::State;
