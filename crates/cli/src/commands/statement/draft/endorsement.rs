//! `tallyproof statement draft endorsement`.

use anyhow::{Context, anyhow, bail, ensure};
use tallyproof_record::cose::RecordDigest;
use tallyproof_record::statement::{Act, Endorsement, REMARKS, Remark};

use super::{Common, coded, contest, station};
use crate::statement::verified::verified_bundle;
use crate::{Exit, Printer};

/// Arguments of `tallyproof statement draft endorsement`.
#[derive(Debug, clap::Args)]
#[command(after_help = "Example:\n  \
    tallyproof statement draft endorsement --election published --station S17 --contest mayor --bundle https://results.example/2026 \\\n    \
    --remark EN-01 --out s17.draft\n  \
    tallyproof statement draft endorsement --election published --station S17 --record DIGEST --out s17.draft\n\n\
    With --bundle, the record is the one that stands in the log, after everything in the bundle was verified; compare its figures with \
    your own paper copy before you sign.")]
pub(super) struct Args {
    #[command(flatten)]
    common: Common,
    /// Id of the record's station
    #[arg(long, value_name = "ID")]
    station: String,
    /// The record's SHA-256, as `station seal` prints it
    #[arg(long, value_name = "DIGEST", conflicts_with_all = ["contest", "bundle"], required_unless_present = "bundle")]
    record: Option<String>,
    /// Id of the contest, to find the record in the bundle
    #[arg(long, value_name = "ID", requires = "bundle")]
    contest: Option<String>,
    /// Folder or URL of the election's bundle
    #[arg(long, value_name = "BUNDLE", requires = "contest")]
    bundle: Option<String>,
    /// What the signer adds: EN-01, EN-02 or EN-03 (docs/spec/statement.md)
    #[arg(long, value_name = "CODE", value_parser = remark)]
    remark: Option<Remark>,
}

fn remark(code: &str) -> Result<Remark, String> {
    coded(code, Remark::from_code, REMARKS)
}

pub(super) fn run(args: &Args, printer: &mut Printer) -> anyhow::Result<Exit> {
    let election = args.common.election()?;
    let station = station(&election, &args.station)?;
    let record = match (&args.record, &args.bundle, &args.contest) {
        (Some(digest), ..) => digest_of(digest)?,
        (None, Some(bundle), Some(id)) => {
            let (contest, _) = contest(&election, id)?;
            let ledger = verified_bundle(bundle, &election, printer)?.ledger;
            let stands = ledger.stands(station, contest);
            let stands = stands.ok_or_else(|| anyhow!("station {} does not vote in contest {id}", args.station))?;
            let records: Vec<_> = stands.into_iter().filter(|digest| ledger.find(station, digest).is_some()).collect();
            match records.as_slice() {
                [record] => *record,
                [] => bail!("no record stands for station {} in contest {id}; name one with --record", args.station),
                several => bail!(
                    "several records stand; name the one that is meant with --record:\n  {}",
                    several.iter().map(hex::encode).collect::<Vec<_>>().join("\n  ")
                ),
            }
        }
        _ => bail!("name the record: --record, or --bundle and --contest"),
    };
    args.common.finish(&election, Act::Endorsement(Endorsement { station, record, remark: args.remark }), printer)
}

fn digest_of(text: &str) -> anyhow::Result<RecordDigest> {
    let mut digest = [0; 32];
    ensure!(text.len() == 64, "`{}` is not a digest of 64 hex digits", text.escape_debug());
    hex::decode_to_slice(text, &mut digest).with_context(|| format!("`{}` is not hex", text.escape_debug()))?;
    Ok(digest)
}
