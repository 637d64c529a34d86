//! `tallyproof bulletin`: results at one state of the log, signed by the authority, and checked by anybody.

mod check;
mod draft;
mod issue;
mod show;
mod sign;

use clap::Subcommand;
use schemars::{Schema, schema_for};

use crate::{Exit, Printer};

/// Arguments of `tallyproof bulletin`.
#[derive(Debug, clap::Args)]
#[command(after_help = "Example:\n  \
    tallyproof bulletin draft --election published --bundle https://results.example/2026 --out 1.draft\n  \
    tallyproof bulletin sign 1.draft --election published --bundle https://mirror.example/2026 --key chair.key --out chair.statement\n  \
    tallyproof bulletin issue chair.statement clerk.statement --election published --to https://centre.example --out 1.statement\n  \
    tallyproof bulletin check bulletin.json https://results.example/2026\n\n\
    docs/guide/bulletins.md goes through all of it.")]
pub struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Write down a bulletin of the log as the witnesses last saw it
    Draft(Box<draft::Args>),
    /// Recompute a drafted bulletin from a copy of the bundle of one's own, and sign it
    Sign(Box<sign::Args>),
    /// Put the signatures of enough members together and hand the bulletin to the centre
    Issue(Box<issue::Args>),
    /// Show the bulletins of a bundle, recomputed
    Show(show::Args),
    /// Say whether a file is a bulletin of a bundle, and what differs if not
    Check(Box<check::Args>),
}

/// Runs `tallyproof bulletin`.
pub fn run(args: Args, printer: &mut Printer) -> anyhow::Result<Exit> {
    match args.command {
        Command::Draft(args) => draft::run(&args, printer),
        Command::Sign(args) => sign::run(&args, printer),
        Command::Issue(args) => issue::run(&args, printer),
        Command::Show(args) => show::run(&args, printer),
        Command::Check(args) => check::run(&args, printer),
    }
}

/// The JSON Schemas of the commands' results.
pub fn schemas() -> Vec<(&'static str, Schema)> {
    vec![
        ("bulletin-draft", schema_for!(draft::BulletinDraft)),
        ("bulletin-sign", schema_for!(sign::BulletinSigned)),
        ("bulletin-issue", schema_for!(issue::IssueReport)),
        ("bulletin-show", schema_for!(show::ShowReport)),
        ("bulletin-check", schema_for!(check::CheckReport)),
    ]
}
