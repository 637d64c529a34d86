//! The live view of a night: how much is in, how fast, and what it adds up to so far. Only on a terminal.

use std::io::IsTerminal;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

use indicatif::{MultiProgress, ProgressBar, ProgressStyle};
use tallyproof_count::totals::Totals;

use crate::centre::RunningCentre;
use crate::field::Counters;
use crate::table::grouped;

const REFRESH: Duration = Duration::from_millis(200);
/// More candidates than this do not fit a small terminal.
const MOST_BARS: usize = 12;
const BAR_WIDTH: usize = 32;

/// Runs `work`, drawing what happens on stderr if that is a terminal.
pub(super) fn show<T>(centre: &RunningCentre, counters: &Counters, work: impl FnOnce() -> T) -> T {
    if !std::io::stderr().is_terminal() {
        return work();
    }
    let working = AtomicBool::new(true);
    thread::scope(|scope| {
        scope.spawn(|| paint(&working, counters, centre));
        let _stop = StopOnDrop(&working);
        work()
    })
}

/// Ends the drawing, also if the work panics: the scope waits for the painter.
struct StopOnDrop<'a>(&'a AtomicBool);

impl Drop for StopOnDrop<'_> {
    fn drop(&mut self) {
        self.0.store(false, Ordering::Relaxed);
    }
}

fn paint(working: &AtomicBool, counters: &Counters, centre: &RunningCentre) {
    let screen = MultiProgress::new();
    let line = |template| screen.add(ProgressBar::new_spinner().with_style(style(template)));
    let receipts = line("receipts  {wide_bar} {human_pos} of {human_len}  {per_sec}");
    receipts.set_length(centre.stats().slots.expected);
    let facts = line("{msg}");
    let mut bars: Vec<ProgressBar> = Vec::new();
    while working.load(Ordering::Relaxed) {
        let stats = centre.stats();
        receipts.set_position(counters.all_receipts());
        facts.set_message(format!(
            "counted {}  quarantined {}  rejected {}  refused {}",
            grouped(stats.slots.counted),
            grouped(stats.slots.quarantined),
            grouped(stats.slots.rejected),
            grouped(stats.refused_total()),
        ));
        let lines = candidate_lines(centre);
        bars.resize_with(lines.len(), || line("{msg}"));
        for (bar, line) in bars.iter().zip(lines) {
            bar.set_message(line);
        }
        thread::sleep(REFRESH);
    }
    // The summary that follows says it all: leave no half-drawn screen above it.
    let _ = screen.clear();
}

/// Candidates of the first contest by votes counted so far. More contests do not fit a small terminal.
fn candidate_lines(centre: &RunningCentre) -> Vec<String> {
    let totals = Totals::of(&centre.ledger());
    let Some((contest, sums)) = totals.contests().next() else { return Vec::new() };
    let mut rows: Vec<(&str, u64)> = contest
        .candidates
        .iter()
        .map(|candidate| candidate.name.as_str())
        .zip(sums.whole().candidates(contest))
        .collect();
    rows.sort_by_key(|&(name, votes)| (std::cmp::Reverse(votes), name));
    rows.truncate(MOST_BARS);
    let most = rows.first().map_or(1, |row| row.1).max(1);
    rows.into_iter().map(|(name, votes)| bar_line(name, votes, most)).collect()
}

/// `name  ████▌     1 234`: eighths of a cell, so that close counts do not look equal.
fn bar_line(name: &str, votes: u64, most: u64) -> String {
    const EIGHTHS: [&str; 8] = ["", "▏", "▎", "▍", "▌", "▋", "▊", "▉"];
    let eighths = usize::try_from(u128::from(votes) * (BAR_WIDTH as u128 * 8) / u128::from(most)).unwrap_or(0);
    let bar = "█".repeat(eighths / 8) + EIGHTHS[eighths % 8];
    format!("{name:<16.16} {bar:<BAR_WIDTH$} {:>12}", grouped(votes))
}

fn style(template: &str) -> ProgressStyle {
    ProgressStyle::with_template(template).unwrap_or_else(|_| ProgressStyle::default_bar())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bars_are_in_proportion() {
        let length = |votes| bar_line("a", votes, 100).chars().filter(|c| *c == '█').count();
        assert_eq!(length(100), BAR_WIDTH);
        assert_eq!(length(50), BAR_WIDTH / 2);
        assert_eq!(length(0), 0);
    }
}
