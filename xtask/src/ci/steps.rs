//! The steps of CI in their order: the quick complaints first. Clippy, tests and docs share one profile.

use std::fs;

use anyhow::{Context, Result, bail};

use super::Verdict::Held;
use super::{Place, Step, Verdict, fuzz, install};
use crate::command::{output, succeed, works};
use crate::{generate, tidy};

/// The bundle of the night with bulletins.
const BULLETINS: &str = "target/ci/mini";

const fn step(name: &'static str, about: &'static str, run: fn(&Place) -> Result<Verdict>) -> Step {
    Step { name, about, needs: &[], run }
}

const fn after(needs: &'static [&'static str], step: Step) -> Step {
    Step { needs, ..step }
}

/// Every step, in order.
pub(super) const ALL: &[Step] = &[
    step("install", "what the other steps need, where it is missing", install::run),
    step("format", "cargo fmt --check", format),
    step("tidy", "the architecture test", architecture),
    step("deny", "licences, bans and sources of every crate", deny),
    step("clippy", "every lint, as an error", clippy),
    step("test", "every test of the workspace", test),
    step("doctest", "the examples in the documentation", doctest),
    step("docs", "rustdoc without a warning", docs),
    step("generated", "documents that come from code are up to date", generated),
    step("build", "the release binary", build),
    after(&["build"], step("bundle", "a night on fixtures/tiny, and one with bulletins on examples/mini", bundle)),
    step("vectors", "the golden vectors under an independent decoder", vectors),
    after(&["bundle"], step("interop", "the bundle under other people's programs", interop)),
    after(&["bundle"], step("browser", "the bundle's pages in a browser", browser)),
    after(&["build"], step("readme", "README's first command", readme)),
    after(&["build"], step("drill", "a rehearsal with every kind of attack, path and fault", drill)),
    after(&["build"], step("sim", "a thousand nights of the simulated country", sim)),
    step("crash", "kill -9 at random moments of a night, and of a flood", crash),
    step("fuzz", "a third of a minute for each decoder of foreign bytes", fuzz::run),
];

fn format(place: &Place) -> Result<Verdict> {
    succeed(&mut place.cargo("fmt --all --check")).map(|()| Held)
}

fn architecture(place: &Place) -> Result<Verdict> {
    if !tidy::run(&place.root)? {
        bail!("see the violations above");
    }
    Ok(Held)
}

fn deny(place: &Place) -> Result<Verdict> {
    succeed(&mut place.cargo("deny --offline check --hide-inclusion-graph licenses bans sources")).map(|()| Held)
}

fn clippy(place: &Place) -> Result<Verdict> {
    succeed(&mut place.cargo("clippy --locked --workspace --all-targets -- -D warnings")).map(|()| Held)
}

fn test(place: &Place) -> Result<Verdict> {
    let runner = if works(&mut place.cargo("nextest --version")) { "nextest run" } else { "test --all-targets" };
    succeed(&mut place.cargo(&format!("{runner} --locked --workspace --no-fail-fast"))).map(|()| Held)
}

fn doctest(place: &Place) -> Result<Verdict> {
    succeed(&mut place.cargo("test --locked --workspace --doc")).map(|()| Held)
}

fn docs(place: &Place) -> Result<Verdict> {
    let mut doc = place.cargo("doc --locked --workspace --no-deps");
    succeed(doc.env("RUSTDOCFLAGS", "-Dwarnings")).map(|()| Held)
}

fn generated(place: &Place) -> Result<Verdict> {
    if !generate::run(&place.root, true)? {
        bail!("run `cargo xtask generate` and commit what it writes");
    }
    Ok(Held)
}

fn build(place: &Place) -> Result<Verdict> {
    succeed(&mut place.cargo("build --locked --release --package tallyproof-cli")).map(|()| Held)
}

fn bundle(place: &Place) -> Result<Verdict> {
    for (election, bundle, more) in [
        ("fixtures/tiny", place.bundle(), [].as_slice()),
        ("examples/mini", place.path(BULLETINS), &["--bulletin-at", "80%", "--bulletin-at", "97%"]),
    ] {
        if bundle.exists() {
            fs::remove_dir_all(&bundle).with_context(|| format!("cannot clear {}", bundle.display()))?;
        }
        fs::create_dir_all(place.path("target/ci"))?;
        let mut night = place.program(place.path("target/release/tallyproof"));
        succeed(night.args(["night", election, "--bundle"]).arg(&bundle).args(more))?;
    }
    Ok(Held)
}

fn vectors(place: &Place) -> Result<Verdict> {
    let check = place.path("vectors/check.py");
    if !check.is_file() {
        bail!("vectors/check.py does not exist");
    }
    succeed(place.program(place.path("target/venv/bin/python")).arg(check))?;
    succeed(place.program("node").arg(place.path("vectors/compact.mjs"))).map(|()| Held)
}

fn interop(place: &Place) -> Result<Verdict> {
    let folder = place.path("vectors/interop");
    let listing = fs::read_dir(&folder).with_context(|| format!("cannot list {}", folder.display()))?;
    let mut scripts = listing.map(|entry| Ok(entry?.path().join("run.sh"))).collect::<Result<Vec<_>>>()?;
    scripts.retain(|script| script.is_file());
    scripts.sort();
    if scripts.is_empty() {
        bail!("no vectors/interop/*/run.sh exists");
    }
    // A larger log than the bundle's, with witnesses.
    let cosigned = place.path("target/ci/cosigned");
    let write = "run --quiet --locked --package tallyproof-log --example write_log --";
    succeed(place.cargo(write).arg(&cosigned).arg("30000"))?;
    for script in scripts {
        succeed(place.script(&script, &place.bundle())?.arg(&cosigned))?;
    }
    // And the other way round: proofs that another program made, read by ours.
    let read = "run --quiet --locked --package tallyproof-log --example read_proofs --";
    succeed(place.cargo(read).arg(&cosigned)).map(|()| Held)
}

fn browser(place: &Place) -> Result<Verdict> {
    for bundle in [place.bundle(), place.path(BULLETINS)] {
        succeed(&mut place.script(&place.path("browser-tests/run.sh"), &bundle)?)?;
    }
    Ok(Held)
}

fn readme(place: &Place) -> Result<Verdict> {
    let mut night = place.program(place.path("target/release/tallyproof"));
    succeed(night.args(["night", "fixtures/guanajuato-2012"])).map(|()| Held)
}

fn drill(place: &Place) -> Result<Verdict> {
    let mut drill = place.program(place.path("target/release/tallyproof"));
    fs::create_dir_all(place.path("target/ci"))?;
    succeed(drill.args(["drill", "examples/drills/smoke.toml", "--bundle", "target/ci/drill"])).map(|()| Held)
}

fn sim(place: &Place) -> Result<Verdict> {
    let mut drill = place.program(place.path("target/release/tallyproof"));
    succeed(drill.args(["drill", "--seed", "0", "--seeds", "1000"])).map(|()| Held)
}

/// The ordinary tests kill the centre a few times; here it is the release binary, and many times.
fn crash(place: &Place) -> Result<Verdict> {
    for (test, kills) in
        [("every_receipt_survives_kill_9", "200"), ("every_receipt_survives_kill_9_during_a_flood", "50")]
    {
        let line = format!("test --locked --release --package tallyproof-cli --test it -- --exact crash::{test}");
        let said = output(place.cargo(&line).env("TALLYPROOF_KILLS", kills))?;
        print!("{said}");
        // A filter that matches nothing ends with 0, too.
        if !said.contains("test result: ok. 1 passed") {
            bail!("the test crash::{test} did not run; has it been renamed?");
        }
    }
    Ok(Held)
}
