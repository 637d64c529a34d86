//! Documents that come from code: the binary writes them, since it holds the tables they come from.

use std::path::Path;

use anyhow::Result;

use crate::command::program;

/// Writes `docs/guide/commands.md`, `docs/spec/{rules,checks}.md` and `docs/schema/`; with `check` it only compares, and
/// gives `false` when one of them is stale.
pub(crate) fn run(root: &Path, check: bool) -> Result<bool> {
    let mut generate = program(root, "cargo");
    generate.args(["run", "--quiet", "--locked", "--package", "tallyproof-cli", "--", "generate-docs", "docs"]);
    if check {
        generate.arg("--check");
    }
    Ok(generate.status()?.success())
}
