//! A whole country in one loop, in virtual time, from a seed: real state machines, a simulated world, and every fault at any step.
//!
//! | part | real | simulated |
//! |---|---|---|
//! | station | outbox, schedule | its disk, its power, its clock, its officer |
//! | relay | forwarder, intake | its power, whoever keeps it |
//! | centre | gate, lanes, dedupe, intake, writer, sequencer, publication, gatherer, restart, promises | disk, threads' turns, clock, operator |
//! | witness | follower, cosigner, state | its disk, its power, where it looks, whether it lies |
//! | authority | statements, signatures | who signs, when each copy is handed in |
//! | public | policy, fork proofs, the verifier, the count | who is shown what |
//!
//! One event is one step; after each, [`check`] looks at every invariant that the step can have touched. The night ends with
//! everything mended: then every record has to come through, and the bundle has to verify.
//!
//! A seed decides everything. [`Night::run`] gives the same trace twice, [`shrink()`] leaves out what a failure does not need, and a
//! [`Case`] keeps what is left as text.

pub mod bug;
mod case;
mod centre;
pub mod check;
mod country;
mod disk;
pub mod mark;
mod night;
mod operator;
mod plan;
mod post;
mod power;
mod public;
mod relay;
mod shrink;
mod statement;
mod station;
mod witness;
mod world;

pub use bug::Bug;
pub use case::{Case, CaseError};
pub use check::{Invariant, Violation};
pub use country::{Countries, CountryError};
pub use mark::{Mark, Marks};
pub use night::{Night, Report, STEPS};
pub use shrink::{Shrunk, shrink};
