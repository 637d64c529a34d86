//! `results.csv`: the figures that each station will enter.

use std::collections::BTreeMap;

use super::{ContestNo, Election, Figure, StationNo};
use crate::problem::Problem;

/// Figures of one station in one contest.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Figures {
    /// One count per ballot line, in ballot order.
    pub counts: Vec<u32>,
    /// Stated figures; absent means not stated.
    pub stated: BTreeMap<Figure, u32>,
}

/// Figures by station and contest. A station without an entry has no record: it is missing, not zero.
pub type Results = BTreeMap<(StationNo, ContestNo), Figures>;

/// Parses `results.csv` against its definition.
pub fn parse(_bytes: &[u8], _election: &Election) -> Result<Results, Vec<Problem>> {
    unimplemented!()
}

/// Renders canonical `results.csv` bytes.
pub fn render(_results: &Results, _election: &Election) -> Vec<u8> {
    unimplemented!()
}
