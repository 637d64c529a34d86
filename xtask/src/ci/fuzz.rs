//! A short run of each fuzz target. It needs a nightly compiler, which a machine may not have; the committed
//! corpus is replayed by the ordinary tests anyway.

use std::fs;
use std::process::{Child, Command};

use anyhow::{Context, Result, bail};

use super::Place;
use super::Verdict::{self, Held, NotHere};
use crate::command::{output, succeed, works};

/// Seconds for each target.
const SECONDS: u32 = 20;

/// The place where `cargo fuzz` leaves its programs, below `fuzz/target/`.
const HOST: &str = "x86_64-unknown-linux-gnu";

/// Brings in `cargo fuzz`, if there is a compiler for it.
pub(super) fn install(place: &Place) -> Result<()> {
    if !has_nightly(place) || works(&mut place.cargo("+nightly fuzz --version")) {
        return Ok(());
    }
    succeed(&mut place.cargo("install --locked --debug cargo-fuzz@0.13.2"))
}

pub(super) fn run(place: &Place) -> Result<Verdict> {
    let targets = targets(place)?;
    if !has_nightly(place) {
        return Ok(NotHere("no nightly compiler here; the tests replayed the corpus".to_owned()));
    }
    succeed(&mut place.cargo("+nightly fuzz build"))?;
    let at_once = std::thread::available_parallelism()?.get();
    let mut broken = Vec::new();
    for group in targets.chunks(at_once) {
        let started = group.iter().map(|target| start(place, target)).collect::<Result<Vec<_>>>()?;
        for (target, mut child) in group.iter().zip(started) {
            if !child.wait()?.success() {
                broken.push(format!("{target} (see {})", log_of(place, target)?.display()));
            }
        }
    }
    if !broken.is_empty() {
        bail!("these targets found a fault: {}", broken.join(", "));
    }
    println!("{} targets, {SECONDS} s each, no fault found", targets.len());
    Ok(Held)
}

fn has_nightly(place: &Place) -> bool {
    output(place.program("rustup").args(["toolchain", "list"]))
        .is_ok_and(|list| list.lines().any(|toolchain| toolchain.starts_with("nightly-")))
}

fn targets(place: &Place) -> Result<Vec<String>> {
    let folder = fs::read_dir(place.path("fuzz/fuzz_targets")).context("cannot list fuzz/fuzz_targets")?;
    let stem =
        |entry: std::io::Result<fs::DirEntry>| Ok(entry?.path().file_stem().map(|s| s.to_string_lossy().into_owned()));
    let names = folder.map(stem).collect::<std::io::Result<Vec<_>>>()?;
    let mut names: Vec<String> = names.into_iter().flatten().collect();
    names.sort();
    if names.is_empty() {
        bail!("fuzz/fuzz_targets holds no target");
    }
    Ok(names)
}

fn log_of(place: &Place, target: &str) -> Result<std::path::PathBuf> {
    let folder = place.path("target/ci/fuzz").join(target);
    fs::create_dir_all(&folder).with_context(|| format!("cannot make {}", folder.display()))?;
    Ok(folder.join("log"))
}

/// Starts one target. What it finds goes below `target/ci`, not into the committed corpus.
fn start(place: &Place, target: &str) -> Result<Child> {
    let log = fs::File::create(log_of(place, target)?)?;
    let found = place.path("target/ci/fuzz").join(target).join("found");
    fs::create_dir_all(&found)?;
    let program = place.path(&format!("fuzz/target/{HOST}/release/{target}"));
    let mut command: Command = place.program(&program);
    command.arg(&found).arg(place.path("fuzz/corpus").join(target));
    command.args([format!("-max_total_time={SECONDS}"), "-rss_limit_mb=4096".to_owned(), "-timeout=20".to_owned()]);
    command.arg(format!("-artifact_prefix={}/", found.display()));
    println!("$ {}", program.display());
    command
        .stdout(log.try_clone()?)
        .stderr(log)
        .spawn()
        .with_context(|| format!("could not start {}", program.display()))
}
