//! Rehearsals: who sends what on a drill night, and what the network does to it. Everything follows from a seed.
//!
//! Pure: the night's sockets live in `cli`. A population exists only for a definition whose phase is `drill`, so that
//! keys which anyone can derive from a seed never seal a record of the real thing.
//!
//! | module | what |
//! |---|---|
//! | [`authority`] | the members of the authority who sign a rehearsal's bulletins |
//! | [`keys`] | keys that follow from a seed |
//! | [`population`] | every station's records, its conduct, and the class its records have to end in |
//! | [`network`] | loss, delay, duplication, and relays that misbehave |
//! | [`hostile`] | what attackers send |
//! | [`script`] | a drill as a file: who sends when, what breaks, who attacks |
//! | [`synthetic`] | a made-up election of any size, from a recipe |
//! | [`sim`] | a whole country in virtual time, with every fault, and the invariants after every step |
//! | [`witnesses`] | the witnesses of a rehearsal, and the policy that asks for them |

pub mod authority;
pub mod hostile;
pub mod keys;
pub mod network;
pub mod population;
pub mod script;
mod section;
pub mod sim;
pub mod synthetic;
pub mod witnesses;
