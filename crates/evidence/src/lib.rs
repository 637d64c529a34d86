//! Other people's figures: declared mappings from tables to election packages.
//!
//! Pure: bytes in, package files and a report out; no socket, file, clock, randomness, async or `unsafe`.
//! `docs/guide/import.md` is the guide for whoever writes a mapping; its reference is generated from this crate.
//!
//! | module | what |
//! |---|---|
//! | [`mapping`] | the mapping file: parse, check, report every mistake with its place |
//! | [`input`] | from bytes to rows of cells: unpack, decode, split, name the columns |
//! | [`import`](mod@import) | from rows to stations and records, and the package |
//! | [`report`] | what was read, used and not used |

pub mod import;
pub mod input;
pub mod mapping;
mod number;
mod pattern;
pub mod report;

pub use import::{Imported, import, import_capped};
pub use input::Input;
pub use mapping::Mapping;
pub use report::Report;

/// Entry point of the fuzz target `mapping`: a mapping text, a NUL byte, then a table. Never panics.
pub fn fuzz_import(data: &[u8]) {
    const CAP: u64 = 1 << 20;
    let split = data.iter().position(|&byte| byte == 0).unwrap_or(data.len());
    let (text, rest) = data.split_at(split);
    let Ok(text) = std::str::from_utf8(text) else { return };
    let Ok(mapping) = Mapping::parse(text, "mapping.toml") else { return };
    let table = rest.get(1..).unwrap_or_default().to_vec();
    let _ = import_capped(&mapping, &[Input { name: "table".into(), bytes: table }], CAP);
}
