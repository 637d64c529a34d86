//! The command line of Tallyproof: arguments, configuration, sockets, files and progress around the pure crates.
//!
//! The command line is a contract: exit code 0 when all that was checked holds, 1 when the command ran and something does
//! not hold, 2 when it could not run. `--json` prints exactly one JSON object on stdout; all else goes to stderr.
//!
//! | module | what |
//! |---|---|
//! | [`bulletin`] | the files of a bulletin |
//! | [`centre`] | the totalisation centre's threads, sockets and files |
//! | [`commands`] | one module a command: its arguments and what it does |
//! | [`config`] | the configuration file and the environment twin of every option |
//! | [`night`] | a whole election night on this machine |
//! | [`drill`] | a rehearsal under attack, by a script |
//! | [`relay`] | records of others, held and sent on |
//! | [`mirror`] | a verified copy of a bundle |
//! | [`statement`] | drafts and signed statements in files, the keys of those who sign them |
//! | [`witness`] | an independent copy of a log, and what it cosigns |
//! | [`printer`] | the one way out: stdout, stderr, JSON, progress |
//! | [`ending`] | the signals that end a program |
//! | [`files`] | durable, never overwriting writes and bounded reads |

pub mod bulletin;
pub mod bundle_source;
pub mod centre;
pub mod commands;
pub mod config;
pub mod docs;
pub mod drill;
pub mod ending;
mod field;
pub mod files;
pub mod http;
mod keyfile;
pub mod mirror;
pub mod night;
pub mod pack;
pub mod package;
pub mod printer;
pub mod relay;
pub mod serve;
pub mod simulation;
pub mod sockets;
pub mod statement;
pub mod station;
pub mod table;
pub mod witness;

use std::ffi::OsString;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::{CommandFactory, FromArgMatches, Parser};

pub use commands::Command;
pub use printer::{Printer, Report};

/// Runs an election night and proves it.
#[derive(Debug, Parser)]
#[command(name = "tallyproof", version, max_term_width = 120)]
#[command(after_help = "Example:\n  tallyproof night fixtures/tiny --loss 0.3\n\n\
    Exit codes: 0 all that was checked holds, 1 something does not hold, 2 the command could not run. \
    docs/guide/first-election.md goes through a whole election.")]
pub struct Cli {
    /// Print one JSON object on stdout; messages go to stderr
    #[arg(long, global = true, display_order = 900)]
    pub json: bool,
    /// Configuration file [default: ./tallyproof.toml if it exists]
    #[arg(long, global = true, value_name = "FILE", display_order = 901)]
    pub config: Option<PathBuf>,
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

/// How a command that could run ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Exit {
    /// All that was checked holds: exit code 0.
    Holds,
    /// It ran, and something does not hold: exit code 1.
    DoesNotHold,
}

impl Exit {
    /// [`Exit::Holds`] if `holds`.
    pub fn from_holds(holds: bool) -> Self {
        if holds { Self::Holds } else { Self::DoesNotHold }
    }
}

/// Exit code of a command that could not run.
const COULD_NOT_RUN: u8 = 2;

/// Runs the command line `args` (the program's name first) and gives the process's exit code.
pub fn run(args: &[OsString]) -> ExitCode {
    start_log();
    let cli = match parse(args) {
        Ok(cli) => cli,
        Err(Refused::Usage(error)) => return refuse_usage(&error),
        Err(Refused::Config(error)) => return finish(Printer::new(asks_for_json(args)), Err(error)),
    };
    let mut printer = Printer::new(cli.json);
    let outcome = cli.command.run(&mut printer);
    finish(printer, outcome)
}

enum Refused {
    Usage(clap::Error),
    Config(anyhow::Error),
}

fn parse(args: &[OsString]) -> Result<Cli, Refused> {
    let file = config::find(args).map_err(Refused::Config)?;
    let command = config::equip(Cli::command(), file.as_ref()).map_err(Refused::Config)?;
    let matches = command.try_get_matches_from(args).map_err(Refused::Usage)?;
    Cli::from_arg_matches(&matches).map_err(Refused::Usage)
}

fn asks_for_json(args: &[OsString]) -> bool {
    args.iter().any(|arg| arg == "--json")
}

fn refuse_usage(error: &clap::Error) -> ExitCode {
    // Nothing can be said about a message that cannot be printed.
    let _ = error.print();
    if error.use_stderr() { ExitCode::from(COULD_NOT_RUN) } else { ExitCode::SUCCESS }
}

fn finish(mut printer: Printer, outcome: anyhow::Result<Exit>) -> ExitCode {
    if let Err(error) = &outcome {
        printer.error(error);
    }
    match (outcome, printer.close()) {
        (Ok(Exit::Holds), Ok(())) => ExitCode::SUCCESS,
        (Ok(Exit::DoesNotHold), Ok(())) => ExitCode::from(1),
        _ => ExitCode::from(COULD_NOT_RUN),
    }
}

fn start_log() {
    let filter = tracing_subscriber::EnvFilter::try_from_env("TALLYPROOF_LOG")
        .unwrap_or_else(|_| tracing_subscriber::EnvFilter::new("warn"));
    // Words that cannot be written, because their disk is full, are lost; said in another way they would end the thread.
    let log = tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr).log_internal_errors(false);
    // A second call in one process (tests) finds the log already started.
    let _ = log.try_init();
}
