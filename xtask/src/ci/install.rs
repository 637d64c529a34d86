//! Brings in what the other steps need, through the registries' ordinary clients; touches nothing that is there.
//! The browser and its packages are brought in by `browser-tests/run.sh`.

use std::fs;

use anyhow::{Context, Result, bail};

use super::Verdict::{self, Held};
use super::{Place, fuzz};
use crate::command::{output, succeed, works};

/// Unoptimised and without defaults, it compiles in a minute on two cores and checks in seconds.
const CARGO_DENY: &str = "install --locked --debug --no-default-features cargo-deny@0.20.2";

const PYTHON_PACKAGES: &str = include_str!("python-requirements.txt");

type Part = (&'static str, fn(&Place) -> Result<()>);

const PARTS: &[Part] = &[
    ("crates", crates),
    ("cargo-deny", cargo_deny),
    ("cargo-fuzz", fuzz::install),
    ("Python packages", python),
    ("pdftotext", poppler),
    ("strace and faketime", faults),
];

pub(super) fn run(place: &Place) -> Result<Verdict> {
    // One that cannot be had does not keep the others out: only the steps that need it will fail.
    let failures: Vec<String> = PARTS
        .iter()
        .filter_map(|(name, install)| install(place).err().map(|error| format!("{name}: {error:#}")))
        .collect();
    if !failures.is_empty() {
        bail!("{}", failures.join("; "));
    }
    Ok(Held)
}

/// All crates of the lock file, so that the licence check can work offline.
fn crates(place: &Place) -> Result<()> {
    succeed(&mut place.cargo("fetch --locked"))
}

fn cargo_deny(place: &Place) -> Result<()> {
    if works(&mut place.cargo("deny --version")) {
        return Ok(());
    }
    succeed(&mut place.cargo(CARGO_DENY))
}

fn python(place: &Place) -> Result<()> {
    let stamp = place.path("target/venv/installed.txt");
    if fs::read_to_string(&stamp).is_ok_and(|installed| installed == PYTHON_PACKAGES) {
        return Ok(());
    }
    if !works(place.program("python3").args(["-c", "import venv, ensurepip"])) {
        apt(place, &["python3", "python3-venv"])?;
    }
    succeed(place.program("python3").args(["-m", "venv", "--clear", "target/venv"]))?;
    let mut pip = place.program(place.path("target/venv/bin/pip"));
    succeed(
        pip.args(["install", "--quiet", "--no-input", "--disable-pip-version-check"]).args(PYTHON_PACKAGES.lines()),
    )?;
    fs::write(&stamp, PYTHON_PACKAGES).with_context(|| format!("cannot write {}", stamp.display()))
}

/// Reads the bulletins' PDFs in tests: a program that we did not write.
fn poppler(place: &Place) -> Result<()> {
    if works(place.program("pdftotext").arg("-v")) { Ok(()) } else { apt(place, &["poppler-utils"]) }
}

/// With these the tests make single system calls of the program fail, and set its clock.
fn faults(place: &Place) -> Result<()> {
    let is_missing = |tool: &&str| !works(place.program(tool).arg("--version"));
    let missing: Vec<_> = ["strace", "faketime"].into_iter().filter(is_missing).collect();
    if missing.is_empty() { Ok(()) } else { apt(place, &missing) }
}

fn apt(place: &Place, packages: &[&str]) -> Result<()> {
    if output(place.program("id").arg("-u"))?.trim() != "0" {
        bail!("run as root, or install by hand: apt-get install {}", packages.join(" "));
    }
    succeed(place.program("apt-get").args(["update", "-qq"]))?;
    let mut install = place.program("apt-get");
    install.args(["install", "-qq", "-y", "--no-install-recommends"]).args(packages);
    succeed(install.env("DEBIAN_FRONTEND", "noninteractive"))
}
