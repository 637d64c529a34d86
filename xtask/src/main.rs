//! Repository chores, run as `cargo xtask COMMAND`.
//!
//! `tidy` is the architecture test, `ci` passes every test and installs what they need, `bench` prints the
//! table of ratios, `sim` runs seeds of the simulated country, `generate` writes the documents that come from code.

mod bench;
mod ci;
mod command;
mod generate;
mod sim;
mod tidy;

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Context, Result, bail};

const USAGE: &str = "\
usage: cargo xtask COMMAND

  tidy [--root DIR]     check arrows between crates, purity, dependencies, names, sizes and links
  ci [STEP…]            run every check (or only the named steps); `ci --list` names them
  bench [NAME…]         run the benches and print one table of ratios
  sim [SEEDS|--forever]  run so many seeds of the simulated country (10000), or go on until one fails
  generate [--check]    write the documents that come from code, or say which are stale";

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    match run(&arguments) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::from(1),
        Err(error) => {
            eprintln!("xtask: {error:#}");
            ExitCode::from(2)
        }
    }
}

/// Runs one command: `true` when all it checked holds, `false` when something does not.
fn run(arguments: &[String]) -> Result<bool> {
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match words.as_slice() {
        ["tidy"] => tidy::run(&workspace_root()?),
        ["tidy", "--root", directory] => tidy::run(Path::new(directory)),
        ["ci", steps @ ..] => ci::run(&workspace_root()?, steps),
        ["bench", names @ ..] => bench::run(&workspace_root()?, names),
        ["sim", rest @ ..] => sim::run(&workspace_root()?, rest),
        ["generate"] => generate::run(&workspace_root()?, false),
        ["generate", "--check"] => generate::run(&workspace_root()?, true),
        _ => bail!("{USAGE}"),
    }
}

/// The folder that holds the workspace this program was built from.
fn workspace_root() -> Result<PathBuf> {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .parent()
        .map(Path::to_path_buf)
        .context("xtask has no parent folder; run it through `cargo xtask`")
}
