//! From log entries to results, and the verification of a whole bundle.
//!
//! Pure: no socket, file, clock, randomness, async or `unsafe`. Totals are a function of the definition and a log prefix.
//!
//! | module | what |
//! |---|---|
//! | [`mod@judge`] | one entry's bytes → what it is worth on its own: signature, key, rules |
//! | [`ledger`] | the fold over judged entries: which record stands for each station and contest |
//! | [`statements`] | what statements do to the ledger: corrections, endorsements, policies, bulletins, and the rules for them |
//! | [`keyring`] | the keys that were enrolled and revoked in the log |
//! | [`totals`] | sums by contest, area, ballot line, candidate and party |
//! | [`effect`] | what each correction changed |
//! | [`bulletin`] | the document of a bulletin: figures, lists, what can still change, at one tree size |
//! | [`seats`] | from votes to seats |
//! | [`assertion`] | linear assertions over votes, in integers |
//! | [`mod@settled`] | whether records that are not included can change an outcome |
//! | [`outcome`] | what can still change in each contest, and its seats, from a ledger and its totals |
//! | [`number`] | numbers as people read them |
//! | [`share`] | thresholds and majorities as exact fractions |
//! | [`bundle`] | paths of the bundle, and the index files that anyone can rebuild |
//! | [`manifest`] | the signed list of the bundle's files |
//! | [`trust`] | what a sceptic takes from outside the bundle |
//! | [`policy`] | whose cosignatures the definition asks for |
//! | [`mod@verify`] | redoes everything that a bundle states |
//! | [`check`] | the one table of what [`mod@verify`] checks |

pub mod assertion;
pub mod bulletin;
pub mod bundle;
pub mod check;
pub mod effect;
pub mod judge;
pub mod keyring;
pub mod ledger;
pub mod manifest;
pub mod number;
pub mod outcome;
mod percent;
pub mod policy;
mod roster;
pub mod seats;
pub mod settled;
pub mod share;
pub mod statements;
mod statements_json;
pub mod totals;
pub mod trust;
pub mod verify;

pub use judge::{Judged, JudgedRecord, JudgedStatement, SignedBy, Signer, judge, judge_record, judge_statement};
pub use keyring::Keyring;
pub use ledger::{Ledger, SlotStatus};
pub use outcome::{Outcome, Outcomes};
pub use totals::Totals;
pub use trust::Trust;
pub use verify::{Source, Verification, VerifyError, verify};
