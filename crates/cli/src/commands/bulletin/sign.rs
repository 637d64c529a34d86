//! `tallyproof bulletin sign`: one member's signature, after the member's own machine has recomputed everything.

use std::fmt;
use std::path::PathBuf;

use anyhow::{Context, bail, ensure};
use schemars::JsonSchema;
use serde::Serialize;
use tallyproof_count::bulletin::Contradiction;
use tallyproof_record::statement::{Act, Bulletin};

use crate::bulletin::{self, Given, write_contests};
use crate::commands::statement::sign::{SignReport, Signing, sign};
use crate::statement::Paper;
use crate::statement::verified::{Verified, verified_bundle};
use crate::{Exit, Printer, Report, package};

/// Arguments of `tallyproof bulletin sign`.
#[derive(Debug, clap::Args)]
#[command(after_help = "Example:\n  \
    tallyproof bulletin sign 1.draft --election published --bundle https://mirror.example/2026 --key chair.key --out chair.statement\n\n\
    Each member signs on a machine of their own, with a bundle from a mirror of their own choice: everything in it is verified, and the \
    bulletin is computed again. What differs is named, and not signed. Members compare the identity, the last line, by voice.")]
pub(super) struct Args {
    /// The draft, or a copy that others have signed
    #[arg(value_name = "FILE")]
    file: PathBuf,
    /// Folder of the published election package
    #[arg(long, value_name = "DIR")]
    election: PathBuf,
    /// Folder or URL of the election's bundle: your own copy
    #[arg(long, value_name = "BUNDLE")]
    bundle: String,
    #[command(flatten)]
    signing: Signing,
}

/// Result of `tallyproof bulletin sign`.
#[derive(Debug, Serialize, JsonSchema)]
pub(super) struct BulletinSigned {
    /// The bulletin's number.
    number: u32,
    /// Log entries that it is made from.
    tree_size: u64,
    #[serde(flatten)]
    signed: SignReport,
}

impl Report for BulletinSigned {
    fn write_text(&self, out: &mut dyn fmt::Write) -> fmt::Result {
        self.signed.write_text(out)
    }
}

pub(super) fn run(args: &Args, printer: &mut Printer) -> anyhow::Result<Exit> {
    let election = package::load(&args.election)?.election.commit();
    let paper = Paper::read(&args.file)?;
    let statement = paper.statement();
    let Act::Bulletin(stated) = statement.act else {
        bail!("{} is no bulletin; sign it with `tallyproof statement sign`", args.file.display());
    };
    // A statement of another election is told apart first.
    paper.describe(&election)?;
    let bundle = verified_bundle(&args.bundle, &election, printer)?;
    let given = recomputed(&bundle, &stated, statement.made_at)?;
    let mut results = String::new();
    // Writing to a string does not fail.
    let _ = write_contests(&mut results, &given.document, None);
    printer.note(&results);
    let signed = sign(paper, &election, &args.signing, printer)?;
    printer.report(&BulletinSigned { number: stated.number, tree_size: stated.tree_size, signed });
    Ok(Exit::Holds)
}

/// The bulletin as the signer's own bundle gives it, if it is the one drafted.
fn recomputed(bundle: &Verified, stated: &Bulletin, made_at: u64) -> anyhow::Result<Given> {
    let Bulletin { number, tree_size, .. } = *stated;
    let last = bundle.ledger.bulletins().last().map_or(0, |last| last.stated.number);
    ensure!(number > last, "the log has bulletin {last} already; draft another one, with the next number");
    let given = bulletin::given(&bundle.ledger, &bundle.tree, number, tree_size, made_at).with_context(|| {
        format!(
            "your bundle has {} entries, the bulletin is of {tree_size}; fetch a newer copy",
            bundle.ledger.entries()
        )
    })?;
    let contradictions = Contradiction::between(&given.stated, stated);
    if !contradictions.is_empty() {
        let listed: Vec<String> = contradictions.iter().map(ToString::to_string).collect();
        bail!(
            "bulletin {number} is not what your bundle gives at tree size {tree_size}; do not sign it: {}",
            listed.join("; ")
        );
    }
    let cosigned = bundle.quorum_size.is_some_and(|size| size >= tree_size);
    ensure!(
        cosigned,
        "in your bundle no checkpoint of at least {tree_size} entries has the cosignatures that the policy asks for; fetch a newer copy"
    );
    Ok(given)
}
