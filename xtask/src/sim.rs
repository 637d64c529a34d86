//! Seeds of the simulated country, in the release binary.

use std::path::Path;
use std::time::Instant;

use anyhow::{Context, Result};

use crate::command::{program, succeed};

/// Seeds of one run.
const SEEDS: u64 = 10_000;

/// Runs so many seeds; with `--forever`, one run after the other until a seed fails. `true` when every invariant held.
pub(crate) fn run(root: &Path, words: &[&str]) -> Result<bool> {
    let forever = words == ["--forever"];
    let seeds = match words {
        [] | ["--forever"] => SEEDS,
        [number, ..] => number.parse().with_context(|| format!("`{number}` is not a number of seeds"))?,
    };
    succeed(program(root, "cargo").args(["build", "--quiet", "--locked", "--release", "--package", "tallyproof-cli"]))?;
    let mut first = 0;
    loop {
        let began = Instant::now();
        let (seed, count) = (first.to_string(), seeds.to_string());
        let held =
            succeed(program(root, "target/release/tallyproof").args(["drill", "--seed", &seed, "--seeds", &count]));
        println!("{seeds} seeds in {:.1} s", began.elapsed().as_secs_f64());
        held?;
        if !forever {
            return Ok(true);
        }
        first += seeds;
    }
}
