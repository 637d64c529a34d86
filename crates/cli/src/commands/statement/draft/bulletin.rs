//! `tallyproof statement draft bulletin`.

use tallyproof_centre::intake::digest;
use tallyproof_record::statement::{Act, Bulletin};

use super::{Common, verified_bundle};
use crate::{Exit, Printer};

/// Arguments of `tallyproof statement draft bulletin`.
#[derive(Debug, clap::Args)]
#[command(after_help = "Example:\n  \
    tallyproof statement draft bulletin --election published --bundle https://results.example/2026 --out bulletin.draft\n\n\
    The bulletin binds the totals of the bundle's tree size, which are computed again from its log; its number is the next one.")]
pub(super) struct Args {
    #[command(flatten)]
    common: Common,
    /// Folder or URL of the election's bundle
    #[arg(long, value_name = "BUNDLE")]
    bundle: String,
}

pub(super) fn run(args: &Args, printer: &mut Printer) -> anyhow::Result<Exit> {
    let election = args.common.election()?;
    let bundle = verified_bundle(&args.bundle, &election, printer)?;
    let last = bundle.ledger.bulletins().last().map_or(0, |(_, bulletin)| bulletin.number);
    let bulletin = Bulletin {
        number: last.saturating_add(1),
        tree_size: bundle.ledger.entries(),
        root: bundle.root.0,
        totals: digest(&bundle.sums.to_json()),
    };
    args.common.finish(&election, Act::Bulletin(bulletin), printer)
}
