//! The live view of a witness: what it holds, what it recounted, where it differs. On a terminal it is redrawn in place; alarms
//! are lines of their own, there and elsewhere.

use std::io::IsTerminal;

use indicatif::{MultiProgress, ProgressBar, ProgressStyle};

use super::WitnessStatus;
use crate::printer::Printer;
use crate::table::grouped;

/// Draws on stderr.
pub struct View<'a> {
    printer: &'a Printer,
    screen: Option<Screen>,
    told: usize,
}

struct Screen {
    all: MultiProgress,
    recount: ProgressBar,
    facts: [ProgressBar; 3],
}

impl<'a> View<'a> {
    /// A view; it draws nothing where nobody watches.
    pub fn new(printer: &'a Printer) -> Self {
        let watched = std::io::stderr().is_terminal() && !printer.is_json();
        Self { printer, screen: watched.then(Screen::new), told: 0 }
    }

    /// Shows how things stand; returns whether an alarm was ever raised.
    pub fn show(&mut self, status: &WitnessStatus) -> bool {
        for alarm in status.alarms.iter().skip(self.told) {
            let line = format!("ALARM {}", alarm.what);
            match &self.screen {
                // Fails only where the screen is gone.
                Some(screen) => drop(screen.all.println(line)),
                None => self.printer.note(line),
            }
        }
        self.told = status.alarms.len();
        if let Some(screen) = &self.screen {
            screen.draw(status);
        }
        self.told > 0
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
    fn new() -> Self {
        let all = MultiProgress::new();
        let line = |template| {
            let style = ProgressStyle::with_template(template).unwrap_or_else(|_| ProgressStyle::default_bar());
            all.add(ProgressBar::new_spinner().with_style(style))
        };
        let recount = line("recounted  {wide_bar} {human_pos} of {human_len} held");
        let facts = [(); 3].map(|()| line("{msg}"));
        Self { all, recount, facts }
    }

    fn draw(&self, status: &WitnessStatus) {
        self.recount.set_length(status.tree_size);
        self.recount.set_position(status.recounted);
        for (bar, line) in self.facts.iter().zip(lines(status)) {
            bar.set_message(line);
        }
    }
}

fn lines(status: &WitnessStatus) -> [String; 3] {
    let cosigned =
        status.cosigned.map_or_else(|| "nothing yet".to_owned(), |size| format!("{} entries", grouped(size)));
    let count = format!(
        "counted {}  quarantined {}  missing {}  rejected {}  cosigned {cosigned}",
        grouped(status.counted),
        grouped(status.quarantined),
        grouped(status.missing),
        grouped(status.rejected),
    );
    let totals = match status.same_totals_at {
        Some(size) => format!("the centre's totals at {} entries are those counted here", grouped(size)),
        None => "the centre's totals are not compared at this size, or differ".to_owned(),
    };
    let differs = match (&status.trouble, status.alarms.len()) {
        (Some(trouble), alarms) => format!("alarms {alarms}  trouble: {trouble}"),
        (None, alarms) => format!("alarms {alarms}"),
    };
    [count, totals, differs]
}
