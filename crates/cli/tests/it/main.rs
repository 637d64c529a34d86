//! The binary as its users meet it: arguments in; exit code, stdout and stderr out.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a failed unwrap is a failed test, in helper functions too")]

mod centre;
mod config;
mod contract;
mod crash;
mod documents;
mod guide;
mod import;
mod night;
mod shell;
mod station;
mod verify;
