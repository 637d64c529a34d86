//! The one way out of a command: text or one JSON object on stdout, messages and progress on stderr.

use std::fmt::{self, Display};
use std::io::{self, IsTerminal, Write};
use std::time::Duration;

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use schemars::JsonSchema;
use serde::Serialize;

/// What a command found, for programs (its fields, with a schema in `docs/schema/`) and for people.
pub trait Report: Serialize + JsonSchema {
    /// Writes the text that people read; it ends with a newline.
    fn write_text(&self, out: &mut dyn fmt::Write) -> fmt::Result;
}

/// Writes to stdout and stderr. A reader that has gone away (`| head`) is not an error: what it does not want to read is
/// dropped and the command ends with its own exit code.
#[derive(Debug)]
pub struct Printer {
    json: bool,
    reported: bool,
    failure: Option<io::Error>,
}

/// What `--json` prints when a command could not run.
#[derive(Debug, Serialize, JsonSchema)]
pub struct ErrorReport {
    /// What could not be done.
    pub error: String,
    /// Why, outermost reason first.
    pub because: Vec<String>,
}

impl Printer {
    /// A printer; with `json`, stdout carries one JSON object and nothing else.
    pub fn new(json: bool) -> Self {
        Self { json, reported: false, failure: None }
    }

    /// Whether `--json` was asked for.
    pub fn is_json(&self) -> bool {
        self.json
    }

    /// Prints the command's result: call it once.
    pub fn report(&mut self, report: &impl Report) {
        debug_assert!(!self.reported, "a command has one result");
        self.reported = true;
        if self.json {
            self.print_json(report);
        } else {
            let mut text = String::new();
            // Writing to a string does not fail.
            let _ = report.write_text(&mut text);
            self.print(text.as_bytes());
        }
    }

    /// A line for people, on stdout; with `--json`, on stderr.
    pub fn line(&mut self, line: impl Display) {
        if self.json { self.note(line) } else { self.print(format!("{line}\n").as_bytes()) }
    }

    /// A message on stderr.
    pub fn note(&self, line: impl Display) {
        // Nobody is left to tell about a stderr that cannot be written to.
        let _ = writeln!(io::stderr(), "{line}");
    }

    /// An error with its reasons, on stderr; with `--json` also as the result, if there was none yet.
    pub fn error(&mut self, error: &anyhow::Error) {
        self.note(format_args!("error: {error}"));
        for reason in error.chain().skip(1) {
            self.note(format_args!("  because: {reason}"));
        }
        if self.json && !self.reported {
            self.reported = true;
            let because = error.chain().skip(1).map(ToString::to_string).collect();
            self.print_json(&ErrorReport { error: error.to_string(), because });
        }
    }

    /// A progress bar of `len` steps on stderr; invisible where stderr is not a terminal.
    pub fn progress(&self, len: u64, label: &'static str) -> ProgressBar {
        let bar = ProgressBar::with_draw_target(Some(len), self.draw_target());
        let style = ProgressStyle::with_template("{msg} {wide_bar} {human_pos}/{human_len} {eta}");
        bar.with_style(style.unwrap_or_else(|_| ProgressStyle::default_bar())).with_message(label)
    }

    /// A spinner on stderr for work of unknown length; invisible where stderr is not a terminal.
    pub fn spinner(&self, label: &'static str) -> ProgressBar {
        let bar = ProgressBar::with_draw_target(None, self.draw_target()).with_message(label);
        bar.enable_steady_tick(Duration::from_millis(100));
        bar
    }

    /// Ends the output. The error is that of a stdout that could not be written to (a full disk).
    pub fn close(mut self) -> io::Result<()> {
        if let Err(error) = io::stdout().flush() {
            self.keep(error);
        }
        self.failure.take().map_or(Ok(()), |error| {
            self.note(format_args!("error: the result could not be written to stdout\n  because: {error}"));
            Err(error)
        })
    }

    /// Nothing is drawn where nobody watches.
    fn draw_target(&self) -> ProgressDrawTarget {
        let watched = io::stderr().is_terminal() && !self.json;
        if watched { ProgressDrawTarget::stderr() } else { ProgressDrawTarget::hidden() }
    }

    fn print_json(&mut self, value: &impl Serialize) {
        match serde_json::to_vec_pretty(value) {
            Ok(mut bytes) => {
                bytes.push(b'\n');
                self.print(&bytes);
            }
            Err(error) => self.keep(error.into()),
        }
    }

    fn print(&mut self, bytes: &[u8]) {
        if let Err(error) = io::stdout().write_all(bytes) {
            self.keep(error);
        }
    }

    fn keep(&mut self, error: io::Error) {
        if error.kind() != io::ErrorKind::BrokenPipe {
            self.failure.get_or_insert(error);
        }
    }
}
