//! One function for each decoder of foreign bytes, shared by the fuzzer (`fuzz/fuzz_targets/`) and by the replay of the
//! corpus under `cargo test`.
//!
//! A target does more than not to crash: where a format has one spelling for each value, what decodes must encode to
//! the bytes it came from, and what is authentic must be what the key holder would write. A broken law panics; that is
//! how a fuzzer is told.

#![allow(clippy::missing_panics_doc)] // To panic on a broken law is what every function here is for.

mod centre;
mod count;
mod drill;
mod evidence;
mod journal;
pub mod keys;
mod log;
mod record;
pub mod seeds;
mod statement;
mod world;

pub use centre::{gate, handed_in, intake};
pub use count::{bulletin, bundle, lists, manifest, published, trust};
pub use drill::{recipe, script};
pub use evidence::mapping;
pub use journal::journal;
pub use log::{
    add_checkpoint, checkpoint, compact, entry_tile, fork, note, policy, proof, tile_path, verifier_key, witness_answer,
};
pub use record::{datagram, entry, package, package_files, proven, receipt, record};
pub use statement::statement;

/// A decoder under test.
#[derive(Clone, Copy, Debug)]
pub struct Target {
    /// Names the function, its program in `fuzz/fuzz_targets/` and its folder in `fuzz/corpus/`.
    pub name: &'static str,
    /// Decodes the bytes and asserts the laws of the format.
    pub run: fn(&[u8]),
    /// How many altered copies of each corpus file the ordinary tests try.
    pub mutations: u32,
}

const fn target(name: &'static str, run: fn(&[u8])) -> Target {
    Target { name, run, mutations: 400 }
}

/// Every target.
pub const TARGETS: &[Target] = &[
    target("add_checkpoint", add_checkpoint),
    target("bulletin", bulletin),
    Target { mutations: 60, ..target("bundle", bundle) },
    target("checkpoint", checkpoint),
    target("compact", compact),
    target("datagram", datagram),
    target("entry", entry),
    target("entry_tile", entry_tile),
    target("fork", fork),
    target("gate", gate),
    target("handed_in", handed_in),
    target("intake", intake),
    target("journal", journal),
    target("lists", lists),
    target("manifest", manifest),
    target("mapping", mapping),
    target("note", note),
    target("package", package),
    target("policy", policy),
    target("proof", proof),
    target("proven", proven),
    target("published", published),
    target("receipt", receipt),
    Target { mutations: 100, ..target("recipe", recipe) },
    target("record", record),
    target("script", script),
    target("statement", statement),
    target("tile_path", tile_path),
    target("trust", trust),
    target("verifier_key", verifier_key),
    target("witness_answer", witness_answer),
];
