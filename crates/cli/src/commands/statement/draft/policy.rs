//! `tallyproof statement draft policy`.

use std::path::PathBuf;

use anyhow::{Context, ensure};
use tallyproof_count::policy;
use tallyproof_record::statement::Act;

use super::Common;
use crate::{Exit, Printer, files};

const FILE_LIMIT: u64 = 1 << 16;

/// Arguments of `tallyproof statement draft policy`.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Example:\n  tallyproof statement draft policy --election published witnesses.txt --out policy.draft\n\n\
    witnesses.txt has the lines of a C2SP tlog-policy without a log's, as the definition's [witnesses] has them: `witness NAME VKEY URL`, \
    `group NAME COUNT MEMBER…`, `quorum NAME`. Empty lines and lines that begin with # are left out."
)]
pub(super) struct Args {
    #[command(flatten)]
    common: Common,
    /// File with the policy's lines
    #[arg(value_name = "FILE")]
    lines: PathBuf,
}

pub(super) fn run(args: &Args, printer: &mut Printer) -> anyhow::Result<Exit> {
    let election = args.common.election()?;
    let text = files::read_text(&args.lines, FILE_LIMIT)?;
    let lines = text.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with('#'));
    let lines: Vec<String> = lines.map(str::to_owned).collect();
    let shown = args.lines.display();
    ensure!(!lines.is_empty(), "{shown} has no lines; to ask for nobody, write `quorum none`");
    policy::check(&lines).with_context(|| format!("{shown} is not a witness policy"))?;
    args.common.finish(&election, Act::Policy(lines), printer)
}
