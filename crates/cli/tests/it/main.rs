//! The binary as its users meet it: arguments in; exit code, stdout and stderr out.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a failed unwrap is a failed test, in helper functions too")]

#[cfg(target_os = "linux")]
mod attacks;
mod bulletins;
mod centre;
mod config;
mod contract;
mod crash;
mod documents;
mod drill;
#[cfg(target_os = "linux")]
mod faults;
#[cfg(target_os = "linux")]
mod gate;
mod gather;
mod guide;
mod http;
mod import;
mod ingest;
mod mega;
mod mirror;
mod night;
mod peer;
mod published;
mod relay;
mod seats;
mod second_stage;
mod settled;
mod shell;
#[cfg(target_os = "linux")]
mod siege;
mod statements;
mod station;
mod verify;
mod witness;
mod world;
