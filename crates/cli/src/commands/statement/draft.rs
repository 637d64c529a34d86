//! `tallyproof statement draft`: what is to be signed, from what the log has now.

mod correction;
mod endorsement;
mod key;
mod policy;

use std::fmt;
use std::path::PathBuf;
use std::time::{SystemTime, UNIX_EPOCH};

use anyhow::{Context, anyhow};
use clap::Subcommand;
use schemars::JsonSchema;
use serde::Serialize;
use tallyproof_record::definition::{Committed, Contest};
use tallyproof_record::statement::{Act, Draft, Statement};
use tallyproof_record::{ContestNo, StationNo};

use crate::statement::Paper;
use crate::statement::paper::create;
use crate::statement::signatures::needed;
use crate::{Exit, Printer, Report, package};

/// Arguments of `tallyproof statement draft`.
#[derive(Debug, clap::Args)]
#[command(after_help = "Example:\n  \
    tallyproof statement draft correction --election published --bundle https://results.example/2026 --station S17 \\\n    \
    --contest mayor --stage canvass --reason RE-01 --figures recount.csv --out s17.draft")]
pub(super) struct Args {
    #[command(subcommand)]
    act: What,
}

#[derive(Debug, Subcommand)]
enum What {
    /// Replace a station's figures in one contest, or annul its poll
    Correction(correction::Args),
    /// Enrol or revoke the key of a station or an agent
    Key(key::Args),
    /// Co-sign a record
    Endorsement(endorsement::Args),
    /// Replace the witness policy
    Policy(policy::Args),
}

/// What every draft needs.
#[derive(Debug, clap::Args)]
pub(in crate::commands) struct Common {
    /// Folder of the published election package
    #[arg(long, value_name = "DIR")]
    election: PathBuf,
    /// File for the draft
    #[arg(long, value_name = "FILE")]
    out: PathBuf,
}

/// Result of `tallyproof statement draft`.
#[derive(Debug, Serialize, JsonSchema)]
pub(in crate::commands) struct DraftReport {
    /// What is stated.
    kind: &'static str,
    /// Its identity: the same for every signed copy.
    id: String,
    /// What it says, a line each: everybody who signs reads it.
    says: Vec<String>,
    /// The draft's file.
    file: String,
}

impl Report for DraftReport {
    fn write_text(&self, out: &mut dyn fmt::Write) -> fmt::Result {
        self.says.iter().try_for_each(|line| writeln!(out, "{line}"))?;
        writeln!(out, "drafted in {}: nobody has signed it yet", self.file)
    }
}

/// Runs `tallyproof statement draft`.
pub(super) fn run(args: Args, printer: &mut Printer) -> anyhow::Result<Exit> {
    match args.act {
        What::Correction(args) => correction::run(&args, printer),
        What::Key(args) => key::run(&args, printer),
        What::Endorsement(args) => endorsement::run(&args, printer),
        What::Policy(args) => policy::run(&args, printer),
    }
}

impl Common {
    pub(in crate::commands) fn election(&self) -> anyhow::Result<Committed> {
        Ok(package::load(&self.election)?.election.commit())
    }

    /// Writes the draft and shows it.
    fn finish(&self, election: &Committed, act: Act, printer: &mut Printer) -> anyhow::Result<Exit> {
        let report = self.write(election, now()?, act)?;
        printer.report(&report);
        Ok(Exit::Holds)
    }

    /// Writes the draft.
    pub(in crate::commands) fn write(
        &self,
        election: &Committed,
        made_at: u64,
        act: Act,
    ) -> anyhow::Result<DraftReport> {
        let statement = Statement { election: *election.hash(), phase: election.election().phase(), made_at, act };
        needed(election, statement.kind())?;
        let draft = Draft::new(&statement)?;
        create(&self.out, draft.as_bytes())?;
        let (kind, id) = (statement.kind().as_str(), hex::encode(draft.id()));
        let says = Paper::Draft(draft).describe(election)?.lines().map(str::to_owned).collect();
        Ok(DraftReport { kind, id, says, file: self.out.display().to_string() })
    }
}

/// Seconds since 1970.
pub(in crate::commands) fn now() -> anyhow::Result<u64> {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).context("the clock is set before 1970")?;
    Ok(now.as_secs())
}

fn station(election: &Committed, id: &str) -> anyhow::Result<StationNo> {
    let mut numbered = election.election().numbered_stations();
    numbered
        .find(|(_, station)| station.id == id)
        .map(|(no, _)| no)
        .ok_or_else(|| anyhow!("the register has no station {id}"))
}

fn contest<'e>(election: &'e Committed, id: &str) -> anyhow::Result<(ContestNo, &'e Contest)> {
    let mut numbered = election.election().numbered_contests();
    numbered.find(|(_, contest)| contest.id == id).ok_or_else(|| {
        let ids: Vec<_> = election.election().contests().iter().map(|contest| contest.id.as_str()).collect();
        anyhow!("the definition has no contest {id}; it has: {}", ids.join(", "))
    })
}

/// The row of a table with this code; the error lists the table.
fn coded<T: Copy>(code: &str, find: impl Fn(&str) -> Option<T>, table: &[(&str, &str)]) -> Result<T, String> {
    find(code).ok_or_else(|| {
        let rows: Vec<_> = table.iter().map(|(code, text)| format!("  {code}  {text}")).collect();
        format!("choose one of\n{}", rows.join("\n"))
    })
}
