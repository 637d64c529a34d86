//! `tallyproof witness poll`: follow the log once, and cosign what holds.

use std::fmt;
use std::path::PathBuf;
use std::time::Duration;

use anyhow::Context;
use schemars::JsonSchema;
use serde::Serialize;

use crate::commands::duration;
use crate::ending::Ending;
use crate::witness::{self, Polled, View, WitnessStatus};
use crate::{Exit, Printer, Report};

/// Arguments of `tallyproof witness poll`.
#[derive(Debug, clap::Args)]
#[command(after_help = "Example:\n  \
    tallyproof witness poll party-a --every 10s --submit https://centre.example/v1/cosignatures\n\n\
    Ends with 0 if all that was recounted holds, with 1 when an alarm was raised, with 2 when the log could not be followed.")]
pub(super) struct Args {
    /// Folder of the witness
    #[arg(value_name = "DIR")]
    folder: PathBuf,
    /// Folder or URL of the log's bundle, in place of those that the witness was made with; may be repeated
    #[arg(long, value_name = "BUNDLE")]
    from: Vec<String>,
    /// Go on so often until stopped, such as 10s; without it, once
    #[arg(long, value_name = "TIME", value_parser = duration)]
    every: Option<Duration>,
    /// Where the centre takes cosignatures; without it they are in the witness's folder for whoever carries them
    #[arg(long, value_name = "URL")]
    submit: Option<String>,
    /// URL that every alarm is posted to as JSON
    #[arg(long, value_name = "URL")]
    webhook: Option<String>,
}

/// Result of `tallyproof witness poll`.
#[derive(Debug, Serialize, JsonSchema)]
pub(super) struct PollReport {
    /// Whether no alarm was raised.
    ok: bool,
    /// The latest checkpoint with the witness's cosignatures, a signed note; nothing if it could not be cosigned.
    cosignature: Option<String>,
    /// The file that it stands in.
    file: Option<String>,
    /// Whether the centre took it; nothing without --submit.
    submitted: Option<bool>,
    /// What is held and recounted.
    #[serde(flatten)]
    status: WitnessStatus,
}

impl Report for PollReport {
    fn write_text(&self, out: &mut dyn fmt::Write) -> fmt::Result {
        let status = &self.status;
        for alarm in &status.alarms {
            writeln!(out, "ALARM {}", alarm.what)?;
        }
        writeln!(out, "{} entries held, {} recounted", status.tree_size, status.recounted)?;
        writeln!(out, "root {}", status.root)?;
        match status.same_totals_at {
            Some(size) => writeln!(out, "the centre's totals at {size} entries are those counted here")?,
            None => writeln!(out, "the centre's totals were not compared, or differ")?,
        }
        match (&self.cosignature, &self.file) {
            (Some(note), Some(file)) => writeln!(out, "\ncosigned; in {file}:\n\n{note}"),
            _ => writeln!(out, "not cosigned"),
        }
    }
}

pub(super) fn run(args: &Args, printer: &mut Printer) -> anyhow::Result<Exit> {
    let mut view = args.every.map(|_| View::new(printer));
    // Before the first round: a signal during it ends the rounds, not the round. A single round ends at once.
    let ending = args.every.map(|_| Ending::listen()).transpose();
    let mut ending = ending.context("the system's signals cannot be received")?;
    let wait = |polled: &Polled, every: Duration| {
        if let Some(view) = &mut view {
            view.show(&polled.status);
        }
        ending.as_mut().is_some_and(|ending| ending.within(every))
    };
    let (submit, webhook) = (args.submit.as_deref(), args.webhook.as_deref());
    let polled = witness::poll(&args.folder, &args.from, submit, webhook, args.every, wait)
        .context("the witness cannot go on")?;
    drop(view);
    if args.every.is_none() {
        polled.status.alarms.iter().for_each(|alarm| printer.note(format_args!("ALARM {}", alarm.what)));
    }
    let ok = polled.status.alarms.is_empty();
    let file = polled.file.map(|file| file.display().to_string());
    printer.report(&PollReport {
        ok,
        cosignature: polled.cosignature,
        file,
        submitted: polled.submitted,
        status: polled.status,
    });
    Ok(Exit::from_holds(ok))
}
