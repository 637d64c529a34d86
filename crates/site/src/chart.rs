//! Pictures as inline SVG: bars with reach, and stations as squares. Coordinates are integers, so that the same figures
//! always give the same bytes.

use std::fmt::Write;

use tallyproof_count::SlotStatus;

/// Width of a bar's drawing in its own units.
const FULL: u64 = 10_000;
const BAR_HEIGHT: u64 = 20;

/// One candidate's bar: solid for the counted votes, pale for the most that could still be added.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Bar {
    /// Votes counted.
    pub(crate) votes: u64,
    /// Most votes that could still be added; `None` where nothing bounds them.
    pub(crate) reach: Option<u64>,
    /// Votes of the candidate in first place, marked by a line through all bars.
    pub(crate) mark: u64,
    /// Votes at the right edge.
    pub(crate) scale: u64,
    /// Number of its colour.
    pub(crate) colour: usize,
}

impl Bar {
    /// The drawing. It is hidden from screen readers: the figures stand beside it as text.
    pub(crate) fn svg(&self) -> String {
        let solid = self.position(self.votes);
        let mut svg = format!(
            "<svg class=\"bar k{}\" viewBox=\"0 0 {FULL} {BAR_HEIGHT}\" preserveAspectRatio=\"none\" aria-hidden=\"true\" focusable=\"false\">",
            self.colour
        );
        if let Some(reach) = self.reach.filter(|&reach| reach > 0) {
            let width = self.position(self.votes.saturating_add(reach)) - solid;
            let _ = write!(
                svg,
                "<rect class=\"reach\" x=\"{solid}\" y=\"1\" width=\"{width}\" height=\"{}\"/>",
                BAR_HEIGHT - 2
            );
        }
        let _ = write!(svg, "<rect class=\"solid\" width=\"{solid}\" height=\"{BAR_HEIGHT}\"/>");
        let _ = write!(svg, "<path class=\"mark\" d=\"M{} 0V{BAR_HEIGHT}\"/></svg>", self.position(self.mark));
        svg
    }

    fn position(&self, votes: u64) -> u64 {
        let scaled = u128::from(votes) * u128::from(FULL) / u128::from(self.scale.max(1));
        u64::try_from(scaled).unwrap_or(FULL).min(FULL)
    }
}

/// Distance from one square to the next, in the drawing's units.
const PITCH: usize = 10;
const SIDE: usize = 8;

/// Stations as squares in rows of `columns`: solid counted, slotted in quarantine, hollow missing. Neighbours of one
/// status are one dashed line, so that 30,000 squares stay small.
pub(crate) fn waffle(statuses: &[SlotStatus], columns: usize, class: &str) -> String {
    let columns = columns.max(1);
    let rows = statuses.len().div_ceil(columns);
    let mut svg = opening(columns, rows, class);
    for (status, layers) in [
        (SlotStatus::Counted, &["counted"][..]),
        (SlotStatus::Quarantined, &["quarantined", "slot"]),
        (SlotStatus::Missing, &["missing", "hollow"]),
    ] {
        let lines = dashes(statuses, columns, status);
        for layer in layers.iter().filter(|_| !lines.is_empty()) {
            let _ = write!(svg, "<path class=\"{layer}\" d=\"{lines}\"/>");
        }
    }
    svg.push_str("</svg>");
    svg
}

/// The same squares, each linked to its row in the table beside it by the station's number.
pub(crate) fn linked_waffle(stations: &[(u32, SlotStatus)], columns: usize) -> String {
    let columns = columns.max(1);
    let mut svg = opening(columns, stations.len().div_ceil(columns), "waffle");
    for (position, (station, status)) in stations.iter().enumerate() {
        let line = format!("M{} {}h{SIDE}", position % columns * PITCH, position / columns * PITCH + SIDE / 2);
        // Out of the tab order: the table's rows say the same, and thousands of stops would bury the page.
        let _ = write!(svg, "<a href=\"#s{station}\" tabindex=\"-1\">");
        let _ = match status {
            SlotStatus::Counted => write!(svg, "<path class=\"counted\" d=\"{line}\"/>"),
            SlotStatus::Quarantined => {
                write!(svg, "<path class=\"quarantined\" d=\"{line}\"/><path class=\"slot\" d=\"{line}\"/>")
            }
            SlotStatus::Missing => {
                write!(svg, "<path class=\"missing\" d=\"{line}\"/><path class=\"hollow\" d=\"{line}\"/>")
            }
        };
        svg.push_str("</a>");
    }
    svg.push_str("</svg>");
    svg
}

fn opening(columns: usize, rows: usize, class: &str) -> String {
    let (width, height) = (columns * PITCH, rows * PITCH);
    format!("<svg class=\"{class}\" viewBox=\"0 0 {width} {height}\" aria-hidden=\"true\" focusable=\"false\">")
}

/// One dashed line for each run of squares of `status` in a row.
fn dashes(statuses: &[SlotStatus], columns: usize, status: SlotStatus) -> String {
    let mut path = String::new();
    for (row, squares) in statuses.chunks(columns).enumerate() {
        let mut column = 0;
        for run in squares.chunk_by(|a, b| a == b) {
            if run.first() == Some(&status) {
                let y = row * PITCH + SIDE / 2;
                let _ = write!(path, "M{} {y}h{}", column * PITCH, run.len() * PITCH - (PITCH - SIDE));
            }
            column += run.len();
        }
    }
    path
}

/// The parts of a whole as one bar: counted, in quarantine, and the rest missing.
pub(crate) fn progress(counted: u64, quarantined: u64, expected: u64) -> String {
    let scale = Bar { votes: 0, reach: None, mark: 0, scale: expected, colour: 0 };
    let (counted, both) = (scale.position(counted), scale.position(counted.saturating_add(quarantined)));
    format!(
        "<svg class=\"progress\" viewBox=\"0 0 {FULL} {BAR_HEIGHT}\" preserveAspectRatio=\"none\" aria-hidden=\"true\" focusable=\"false\">\
         <rect class=\"missing\" width=\"{FULL}\" height=\"{BAR_HEIGHT}\"/>\
         <rect class=\"quarantined\" x=\"{counted}\" width=\"{}\" height=\"{BAR_HEIGHT}\"/>\
         <rect class=\"counted\" width=\"{counted}\" height=\"{BAR_HEIGHT}\"/></svg>",
        both - counted
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use SlotStatus::{Counted, Missing, Quarantined};

    #[test]
    fn a_bar_ends_where_its_votes_are_on_the_scale() {
        let bar = Bar { votes: 250, reach: Some(500), mark: 250, scale: 1_000, colour: 1 };
        let svg = bar.svg();
        assert!(svg.contains("class=\"solid\" width=\"2500\""), "{svg}");
        assert!(svg.contains("class=\"reach\" x=\"2500\" y=\"1\" width=\"5000\""), "{svg}");
    }

    #[test]
    fn the_largest_counts_stay_on_the_scale() {
        let bar = Bar { votes: u64::MAX, reach: Some(u64::MAX), mark: u64::MAX, scale: u64::MAX, colour: 1 };
        assert!(bar.svg().contains("class=\"solid\" width=\"10000\""));
        let none = Bar { votes: 0, reach: Some(0), mark: 0, scale: 0, colour: 1 };
        assert!(none.svg().contains("class=\"solid\" width=\"0\""));
    }

    #[test]
    fn neighbours_of_one_status_are_one_line() {
        let statuses = [Counted, Counted, Missing, Counted, Quarantined];
        assert_eq!(dashes(&statuses, 3, Counted), "M0 4h18M0 14h8");
        assert_eq!(dashes(&statuses, 3, Missing), "M20 4h8");
        assert_eq!(dashes(&statuses, 3, Quarantined), "M10 14h8");
    }

    #[test]
    fn thirty_thousand_squares_are_small() {
        let statuses: Vec<_> = (0..30_000).map(|n| if n % 50 == 7 { Missing } else { Counted }).collect();
        assert!(waffle(&statuses, 60, "waffle").len() < 40_000);
    }
}
