//! `tallyproof bulletin draft`: what the members are to sign.

use std::fmt;

use anyhow::{Context, ensure};
use schemars::JsonSchema;
use serde::Serialize;
use tallyproof_record::statement::Act;

use crate::bulletin;
use crate::commands::statement::draft::{Common, DraftReport, now};
use crate::statement::verified::verified_bundle;
use crate::table::grouped;
use crate::{Exit, Printer, Report};

/// Arguments of `tallyproof bulletin draft`.
#[derive(Debug, clap::Args)]
#[command(after_help = "Example:\n  \
    tallyproof bulletin draft --election published --bundle https://results.example/2026 --out 1.draft\n\n\
    Everything in the bundle is verified first. The bulletin is of its largest checkpoint that the witnesses' quorum has cosigned; its \
    number is the next one. `tallyproof bulletin show` shows what would stand in it.")]
pub(super) struct Args {
    #[command(flatten)]
    common: Common,
    /// Folder or URL of the election's bundle
    #[arg(long, value_name = "BUNDLE")]
    bundle: String,
}

/// Result of `tallyproof bulletin draft`.
#[derive(Debug, Serialize, JsonSchema)]
pub(super) struct BulletinDraft {
    /// The bulletin's number.
    number: u32,
    /// Log entries that it is made from.
    tree_size: u64,
    /// Log entries after these, which it says nothing about.
    later_entries: u64,
    /// The log's root at that size, hex.
    root: String,
    /// SHA-256 of the totals at that size.
    totals: String,
    /// SHA-256 of its document, `bulletin.json`.
    document: String,
    #[serde(flatten)]
    draft: DraftReport,
}

impl Report for BulletinDraft {
    fn write_text(&self, out: &mut dyn fmt::Write) -> fmt::Result {
        self.draft.write_text(out)?;
        let (size, later) = (grouped(self.tree_size), grouped(self.later_entries));
        writeln!(out, "bulletin {} is of the log's first {size} entries; {later} have come since", self.number)
    }
}

pub(super) fn run(args: &Args, printer: &mut Printer) -> anyhow::Result<Exit> {
    let election = args.common.election()?;
    let bundle = verified_bundle(&args.bundle, &election, printer)?;
    ensure!(!bundle.frozen, "the log is finished: nothing follows its final checkpoint, so no bulletin can be issued");
    let tree_size = bundle.quorum_size.with_context(|| {
        format!(
            "no checkpoint in {} has the cosignatures that the policy asks for; draft again once the witnesses have cosigned",
            args.bundle
        )
    })?;
    let number = bundle.ledger.bulletins().last().map_or(0, |last| last.stated.number).saturating_add(1);
    let made_at = now()?;
    let given = bulletin::given(&bundle.ledger, &bundle.tree, number, tree_size, made_at);
    let stated = given.context("the bundle's log does not reach its checkpoint")?.stated;
    let draft = args.common.write(&election, made_at, Act::Bulletin(stated))?;
    printer.report(&BulletinDraft {
        number,
        tree_size,
        later_entries: bundle.ledger.entries().saturating_sub(tree_size),
        root: hex::encode(stated.root),
        totals: hex::encode(stated.totals),
        document: hex::encode(stated.document),
        draft,
    });
    Ok(Exit::Holds)
}
