//! Leaves out of a failing night whatever the failure does not need.

use super::country::Countries;
use super::night::{Night, Report};

/// A short night that still fails in the same way.
#[derive(Clone, Debug)]
pub struct Shrunk {
    /// The night.
    pub night: Night,
    /// What it does, with its trace.
    pub report: Report,
}

/// Shortens a failing night: drops what was planned piece by piece, larger pieces first, for as long as the same invariant breaks.
///
/// Gives nothing back if the night does not fail.
pub fn shrink(countries: &Countries, night: &Night) -> Option<Shrunk> {
    let invariant = night.run(countries, false).violation?.invariant;
    let fails = |night: &Night| night.run(countries, false).violation.is_some_and(|found| found.invariant == invariant);
    let mut night = night.clone();
    let mut piece = night.planned().max(1);
    loop {
        let mut at = 0;
        let mut dropped = false;
        while at < night.planned() {
            let shorter = night.without(at, piece);
            if fails(&shorter) {
                night = shorter;
                dropped = true;
            } else {
                at += piece;
            }
        }
        if piece == 1 && !dropped {
            break;
        }
        piece = if dropped { piece.min(night.planned().max(1)) } else { piece.div_ceil(2) };
    }
    let report = night.run(countries, true);
    Some(Shrunk { night, report })
}
