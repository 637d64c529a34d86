//! Reads an election package and reports every mistake with its file, line and fix.

use std::collections::BTreeMap;

use super::{Committed, Election};
use crate::problem::Problem;

/// File name to bytes, as found in the folder.
pub type Files = BTreeMap<String, Vec<u8>>;

/// Parses and checks the definition files of a package.
pub fn parse(_files: &Files) -> Result<Election, Vec<Problem>> {
    unimplemented!()
}

/// As [`parse`], and refuses files that are not byte for byte canonical (what a bundle holds).
pub fn parse_canonical(_files: &Files) -> Result<Committed, Vec<Problem>> {
    unimplemented!()
}
