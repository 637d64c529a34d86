//! A whole country in one loop, in virtual time, from a seed: real state machines, a simulated world, and every fault at any step.
//!
//! | part | real | simulated |
//! |---|---|---|
//! | station | outbox, schedule | its disk, its power, its clock, its officer |
//! | relay | forwarder, intake | its power, whoever keeps it |
//! | centre | gate, lanes, dedupe, intake, writer, sequencer, publication, restart, promises | disk, threads' turns, clock, operator |
//! | public | the verifier, the count | – |
//!
//! One event is one step; after each, [`check`] looks at every invariant that the step can have touched. The night ends with
//! everything mended: then every record has to come through, and the bundle has to verify.
//!
//! A seed decides everything. [`Night::run`] gives the same trace twice, and [`shrink()`] leaves out what a failure does not need.

pub mod bug;
mod centre;
pub mod check;
pub mod country;
mod disk;
pub mod mark;
mod night;
mod plan;
mod post;
pub mod relay;
mod shrink;
mod station;

pub use bug::Bug;
pub use check::{Invariant, Violation};
pub use country::Country;
pub use mark::{Mark, Marks};
pub use night::{Night, Report, STEPS};
pub use shrink::{Shrunk, shrink};
