//! `tallyproof statement draft correction`.

use std::path::PathBuf;

use anyhow::anyhow;
use tallyproof_record::statement::{Act, Correction, LaterStage, REASONS, Reason, Verdict};

use super::{Common, coded, contest, station};
use crate::statement::verified::verified_bundle;
use crate::station::figures;
use crate::{Exit, Printer};

/// Arguments of `tallyproof statement draft correction`.
#[derive(Debug, clap::Args)]
#[command(after_help = "Example:\n  \
    tallyproof statement draft correction --election published --bundle https://results.example/2026 --station S17 \\\n    \
    --contest mayor --stage canvass --reason RE-01 --figures recount.csv --out s17.draft\n  \
    tallyproof statement draft correction --election published --bundle https://results.example/2026 --station S17 \\\n    \
    --contest mayor --stage ruling --reason RE-08 --annul --out s17.draft\n\n\
    The correction names what stands for the station now, as the bundle has it after everything in it was verified; if that changes \
    before the correction is in the log, it has no effect, and another one is drafted.")]
pub(super) struct Args {
    #[command(flatten)]
    common: Common,
    /// Folder or URL of the election's bundle
    #[arg(long, value_name = "BUNDLE")]
    bundle: String,
    /// Id of the station
    #[arg(long, value_name = "ID")]
    station: String,
    /// Id of the contest
    #[arg(long, value_name = "ID")]
    contest: String,
    /// The counting that the figures come from: canvass, ruling or rerun
    #[arg(long, value_name = "STAGE", value_parser = stage)]
    stage: LaterStage,
    /// Why: a code from RE-01 to RE-10 (docs/spec/statement.md)
    #[arg(long, value_name = "CODE", value_parser = reason)]
    reason: Reason,
    /// File with the figures that hold, as for `station seal`
    #[arg(long, value_name = "FILE", conflicts_with = "annul", required_unless_present = "annul")]
    figures: Option<PathBuf>,
    /// The station's poll in this contest counts no longer
    #[arg(long)]
    annul: bool,
}

fn stage(word: &str) -> Result<LaterStage, String> {
    let found = LaterStage::ALL.into_iter().find(|stage| stage.as_str() == word);
    found.ok_or_else(|| "choose canvass, ruling or rerun".to_owned())
}

fn reason(code: &str) -> Result<Reason, String> {
    coded(code, Reason::from_code, REASONS)
}

pub(super) fn run(args: &Args, printer: &mut Printer) -> anyhow::Result<Exit> {
    let election = args.common.election()?;
    let (station, (contest, _)) = (station(&election, &args.station)?, contest(&election, &args.contest)?);
    let verdict = match &args.figures {
        Some(path) => Verdict::Figures(figures::read(path, election.election(), station, contest)?),
        None => Verdict::Annulled,
    };
    let bundle = verified_bundle(&args.bundle, &election, printer)?;
    let replaces = bundle.ledger.stands(station, contest);
    let replaces =
        replaces.ok_or_else(|| anyhow!("station {} does not vote in contest {}", args.station, args.contest))?;
    let (stage, reason) = (args.stage, args.reason);
    let correction = Correction { station, contest, replaces, stage, reason, verdict };
    args.common.finish(&election, Act::Correction(correction), printer)
}
