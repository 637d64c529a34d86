//! `tallyproof bulletin show`: the bulletins of a bundle, recomputed from its log.

use std::fmt;

use anyhow::{Context, bail};
use schemars::JsonSchema;
use serde::Serialize;
use serde_json::Value;
use tallyproof_count::Verification;
use tallyproof_count::bulletin::Document;
use tallyproof_count::statements::IssuedBulletin;

use crate::bulletin::{self, write_contests};
use crate::statement::verified::verified;
use crate::table::{self, grouped};
use crate::{Exit, Printer, Report};

/// Arguments of `tallyproof bulletin show`.
#[derive(Debug, clap::Args)]
#[command(after_help = "Example:\n  tallyproof bulletin show https://results.example/2026\n  \
    tallyproof bulletin show bundles/example --number 2 --contest mayor\n\n\
    Everything in the bundle is verified first; what is shown is computed from its log.")]
pub(super) struct Args {
    /// Folder or URL of the bundle
    #[arg(value_name = "BUNDLE")]
    bundle: String,
    /// Which bulletin [default: the last]
    #[arg(long, value_name = "N")]
    number: Option<u32>,
    /// This contest alone
    #[arg(long, value_name = "ID")]
    contest: Option<String>,
}

/// Result of `tallyproof bulletin show`.
#[derive(Debug, Serialize, JsonSchema)]
pub(super) struct ShowReport {
    /// Every bulletin in effect.
    bulletins: Vec<Row>,
    /// The number of the one shown.
    number: u32,
    /// Its document: what `bulletin.json` holds (docs/spec/bulletin.md); with --contest, that contest alone.
    document: Value,
    #[serde(skip)]
    shown: Box<Document>,
    #[serde(skip)]
    only: Option<String>,
}

/// A bulletin in effect.
#[derive(Debug, Serialize, JsonSchema)]
struct Row {
    /// Its number.
    number: u32,
    /// When it was drafted, seconds since 1970.
    made_at: u64,
    /// Log entries that it is made from.
    tree_size: u64,
    /// Log entry that brought the last signature that it needed.
    entry: u64,
    /// SHA-256 of its document.
    document: String,
    /// Its statement's identity.
    id: String,
}

impl From<&IssuedBulletin> for Row {
    fn from(issued: &IssuedBulletin) -> Self {
        Self {
            number: issued.stated.number,
            made_at: issued.made_at,
            tree_size: issued.stated.tree_size,
            entry: issued.entry,
            document: hex::encode(issued.stated.document),
            id: hex::encode(issued.id),
        }
    }
}

impl Report for ShowReport {
    fn write_text(&self, out: &mut dyn fmt::Write) -> fmt::Result {
        let mut rows = table::new(["bulletin", "entries", "in entry", "document"]);
        for row in &self.bulletins {
            rows.add_row([
                row.number.to_string(),
                grouped(row.tree_size),
                grouped(row.entry),
                row.document.chars().take(16).collect(),
            ]);
        }
        table::align_right(&mut rows, [0, 1, 2]);
        writeln!(out, "{rows}\n\nbulletin {}", self.number)?;
        write_contests(out, &self.shown, self.only.as_deref())
    }
}

pub(super) fn run(args: &Args, printer: &mut Printer) -> anyhow::Result<Exit> {
    let found = verified(&args.bundle, printer)?;
    let Verification { ledger: Some(ledger), tree: Some(tree), .. } = &found else { bail!("the bundle has no log") };
    let bulletins = ledger.bulletins();
    let wanted = args.number.or(bulletins.last().map(|last| last.stated.number));
    let wanted = wanted.with_context(|| format!("{} has no bulletin yet", args.bundle))?;
    let issued = bulletins.iter().find(|it| it.stated.number == wanted).with_context(|| {
        let numbers: Vec<String> = bulletins.iter().map(|it| it.stated.number.to_string()).collect();
        format!("there is no bulletin {wanted} in effect; there are: {}", numbers.join(", "))
    })?;
    let given = bulletin::given(ledger, tree, wanted, issued.stated.tree_size, issued.made_at);
    let document = given.context("the log does not reach the bulletin's tree size")?.document;
    printer.report(&ShowReport {
        bulletins: bulletins.iter().map(Row::from).collect(),
        number: wanted,
        document: content(&document, args.contest.as_deref())?,
        shown: Box::new(document),
        only: args.contest.clone(),
    });
    Ok(Exit::Holds)
}

/// The document, or what it has of one contest.
fn content(document: &Document, only: Option<&str>) -> anyhow::Result<Value> {
    let mut all: Value = serde_json::from_slice(&document.to_json())?;
    if let (Some(id), Some(contests)) = (only, all.get_mut("contests").and_then(Value::as_object_mut)) {
        contests.retain(|contest, _| contest == id);
        anyhow::ensure!(!contests.is_empty(), "the definition has no contest {id}");
    }
    Ok(all)
}
