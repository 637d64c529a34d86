//! Other people's tables.

/// A mapping, NUL, and the table it is for.
pub fn mapping(data: &[u8]) {
    tallyproof_evidence::fuzz_import(data);
}
