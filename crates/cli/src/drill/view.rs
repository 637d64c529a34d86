//! The live view of a drill: receipts, the flood, and what the centre turns away. On a terminal it is redrawn in place;
//! elsewhere it is a line now and then.

use std::collections::BTreeMap;
use std::io::IsTerminal;
use std::time::Duration;

use indicatif::{MultiProgress, ProgressBar, ProgressStyle};

use crate::printer::Printer;
use crate::table::grouped;

/// How often a line is written where nothing can be redrawn.
const LINE: Duration = Duration::from_secs(10);
/// More reasons than this do not fit a line.
const MOST_REASONS: usize = 6;

/// What there is to see at a moment.
#[derive(Clone, Debug, Default)]
pub(super) struct Scene {
    /// Since the drill's start.
    pub(super) at: Duration,
    /// Records with a receipt.
    pub(super) receipts: u64,
    /// The same by path.
    pub(super) by_path: Vec<(String, u64)>,
    /// Hostile datagrams sent so far.
    pub(super) hostile_sent: u64,
    /// Hostile datagrams that have reached the centre.
    pub(super) hostile_received: u64,
    /// What the centre has turned away, by reason.
    pub(super) rejected: BTreeMap<String, u64>,
}

/// Draws scenes on stderr.
pub(super) struct View<'a> {
    printer: &'a Printer,
    screen: Option<Screen>,
    records: u64,
    last: Scene,
    next_line: Duration,
}

struct Screen {
    all: MultiProgress,
    receipts: ProgressBar,
    paths: ProgressBar,
    hostile: ProgressBar,
    rejected: ProgressBar,
}

impl<'a> View<'a> {
    /// A view of a drill with this many records.
    pub(super) fn new(printer: &'a Printer, records: u64) -> Self {
        let watched = std::io::stderr().is_terminal() && !printer.is_json();
        Self {
            printer,
            screen: watched.then(|| Screen::new(records)),
            records,
            last: Scene::default(),
            next_line: LINE,
        }
    }

    /// Shows a scene; rates are over the time since the one before.
    pub(super) fn show(&mut self, scene: Scene) {
        let span = scene.at.saturating_sub(self.last.at);
        let rate = |now: u64, before: u64| grouped(per_second(now.saturating_sub(before), span));
        let hostile = format!(
            "hostile   sent {}/s, reaching the centre {}/s, {} in all",
            rate(scene.hostile_sent, self.last.hostile_sent),
            rate(scene.hostile_received, self.last.hostile_received),
            grouped(scene.hostile_received),
        );
        if let Some(screen) = &self.screen {
            screen.receipts.set_position(scene.receipts);
            screen.paths.set_message(format!("by path   {}", listed(&scene.by_path)));
            screen.hostile.set_message(hostile);
            screen.rejected.set_message(format!("rejected  {}", most_frequent(&scene.rejected)));
        } else if scene.at >= self.next_line {
            self.next_line = scene.at + LINE;
            let (seconds, receipts) = (scene.at.as_secs(), grouped(scene.receipts));
            self.printer.note(format_args!("{seconds} s  receipts {receipts} of {}  {hostile}", grouped(self.records)));
        } else {
            return;
        }
        self.last = scene;
    }
}

impl Drop for View<'_> {
    fn drop(&mut self) {
        // The summary that follows says it all: leave no half-drawn screen above it.
        if let Some(screen) = &self.screen {
            let _ = screen.all.clear();
        }
    }
}

impl Screen {
    fn new(records: u64) -> Self {
        let all = MultiProgress::new();
        let line = |template| {
            let style = ProgressStyle::with_template(template).unwrap_or_else(|_| ProgressStyle::default_bar());
            all.add(ProgressBar::new_spinner().with_style(style))
        };
        let receipts = line("receipts  {wide_bar} {human_pos} of {human_len}  {per_sec}");
        receipts.set_length(records);
        let [paths, hostile, rejected] = [(); 3].map(|()| line("{msg}"));
        Self { all, receipts, paths, hostile, rejected }
    }
}

fn per_second(count: u64, span: Duration) -> u64 {
    let millis = span.as_millis().max(1);
    u64::try_from(u128::from(count) * 1_000 / millis).unwrap_or(u64::MAX)
}

fn most_frequent(counts: &BTreeMap<String, u64>) -> String {
    let mut counts: Vec<_> = counts.iter().map(|(reason, &count)| (reason.clone(), count)).collect();
    counts.sort_by_key(|(reason, count)| (std::cmp::Reverse(*count), reason.clone()));
    counts.truncate(MOST_REASONS);
    listed(&counts)
}

fn listed(counts: &[(String, u64)]) -> String {
    counts.iter().map(|(name, count)| format!("{name} {}", grouped(*count))).collect::<Vec<_>>().join("  ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_most_frequent_reasons_come_first() {
        let counts = (1..10).map(|n| (format!("r{n}"), n * 1_000)).collect();
        assert!(most_frequent(&counts).starts_with("r9 9,000  r8 8,000"));
        assert!(!most_frequent(&counts).contains("r3"));
    }

    #[test]
    fn rates_are_a_second() {
        assert_eq!(per_second(500, Duration::from_millis(250)), 2_000);
        assert_eq!(per_second(0, Duration::ZERO), 0);
    }
}
