//! `tallyproof statement`: what the authority and agents state, from the draft to the log.

pub(super) mod draft;
mod merge;
mod show;
pub(super) mod sign;
pub(super) mod submit;

use clap::Subcommand;
use schemars::{Schema, schema_for};

use crate::{Exit, Printer};

/// Arguments of `tallyproof statement`.
#[derive(Debug, clap::Args)]
#[command(after_help = "Example:\n  \
    tallyproof statement draft correction --election published --bundle https://results.example/2026 --station S17 \\\n    \
    --contest mayor --stage canvass --reason RE-01 --figures recount.csv --out s17.draft\n  \
    tallyproof statement sign s17.draft --election published --key chair.key --out chair.statement\n  \
    tallyproof statement merge chair.statement clerk.statement --out s17.statement\n  \
    tallyproof statement submit s17.statement --to https://centre.example\n\n\
    docs/guide/corrections.md goes through all of it. Bulletins have commands of their own: `tallyproof bulletin`.")]
pub struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Write down what is to be signed
    Draft(draft::Args),
    /// Say in words what a draft or statement says, who has signed it, and who is missing
    Show(show::Args),
    /// Sign a draft, or one more time a statement, after reading it
    Sign(sign::Args),
    /// Put the signatures of several copies onto one
    Merge(merge::Args),
    /// Hand a signed statement to the centre
    Submit(submit::Args),
}

/// Runs `tallyproof statement`.
pub fn run(args: Args, printer: &mut Printer) -> anyhow::Result<Exit> {
    match args.command {
        Command::Draft(args) => draft::run(args, printer),
        Command::Show(args) => show::run(&args, printer),
        Command::Sign(args) => sign::run(&args, printer),
        Command::Merge(args) => merge::run(&args, printer),
        Command::Submit(args) => submit::run(&args, printer),
    }
}

/// The JSON Schemas of the commands' results, and of the answer of `POST /v1/statements`.
pub fn schemas() -> Vec<(&'static str, Schema)> {
    vec![
        ("statement-draft", schema_for!(draft::DraftReport)),
        ("statement-show", schema_for!(show::ShowReport)),
        ("statement-sign", schema_for!(sign::SignReport)),
        ("statement-merge", schema_for!(merge::MergeReport)),
        ("statement-submit", schema_for!(submit::SubmitReport)),
        ("statement-answer", schema_for!(crate::centre::StatementAnswer)),
    ]
}
