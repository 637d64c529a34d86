//! The one command that passes every test, and installs what they need.
//!
//! Every step runs, even after a failure, unless what it needs has failed. The last line counts the steps.

mod fuzz;
mod install;
mod steps;

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use anyhow::{Result, bail};

use crate::command;

/// One thing that CI checks.
#[derive(Clone, Copy)]
struct Step {
    name: &'static str,
    about: &'static str,
    /// Steps that must have passed in this run, if they are part of it.
    needs: &'static [&'static str],
    run: fn(&Place) -> Result<Verdict>,
}

/// How a step ended when nothing went wrong.
enum Verdict {
    /// It ran and all it checked holds.
    Held,
    /// It cannot run on this machine, for the reason given.
    NotHere(String),
}

/// What a step ended with, and after how long.
struct Outcome {
    name: &'static str,
    verdict: Result<Verdict>,
    took: Duration,
}

/// Where the steps find and leave things.
struct Place {
    root: PathBuf,
}

impl Place {
    fn path(&self, relative: &str) -> PathBuf {
        self.root.join(relative)
    }

    /// The bundle that one step writes and others check.
    fn bundle(&self) -> PathBuf {
        self.path("target/ci/bundle")
    }

    fn program<S: AsRef<std::ffi::OsStr>>(&self, name: S) -> Command {
        command::program(&self.root, name)
    }

    /// Cargo with `line` split at spaces as its arguments.
    fn cargo(&self, line: &str) -> Command {
        let mut cargo = self.program("cargo");
        cargo.args(line.split(' '));
        cargo
    }

    /// A script that gets the bundle as its argument and the Python environment first in its path.
    fn script(&self, script: &Path, bundle: &Path) -> Result<Command> {
        if !script.is_file() {
            bail!("{} does not exist", script.display());
        }
        let mut bash = self.program("bash");
        bash.arg(script).arg(bundle).env("PATH", self.search_path()?);
        Ok(bash)
    }

    fn search_path(&self) -> Result<std::ffi::OsString> {
        let ours = std::iter::once(self.path("target/venv/bin"));
        let inherited = std::env::var_os("PATH").unwrap_or_default();
        Ok(std::env::join_paths(ours.chain(std::env::split_paths(&inherited)))?)
    }
}

/// Runs the named steps, or all of them; `true` when none failed.
pub(crate) fn run(root: &Path, names: &[&str]) -> Result<bool> {
    if names == ["--list"] {
        for step in steps::ALL {
            println!("{:<10} {}", step.name, step.about);
        }
        return Ok(true);
    }
    let chosen = choose(names)?;
    let place = Place { root: root.to_path_buf() };
    let mut outcomes = Vec::new();
    for step in chosen {
        println!("\n=== {}: {}", step.name, step.about);
        let outcome = perform(&place, step, &outcomes);
        if let Err(error) = &outcome.verdict {
            println!("FAILED {}: {error:#}", step.name);
        }
        outcomes.push(outcome);
    }
    Ok(report(&outcomes))
}

fn choose(names: &[&str]) -> Result<Vec<&'static Step>> {
    if let Some(unknown) = names.iter().find(|name| steps::ALL.iter().all(|step| step.name != **name)) {
        bail!("there is no step `{unknown}`; `cargo xtask ci --list` names them");
    }
    Ok(steps::ALL.iter().filter(|step| names.is_empty() || names.contains(&step.name)).collect())
}

fn perform(place: &Place, step: &Step, before: &[Outcome]) -> Outcome {
    let start = Instant::now();
    let failed = before.iter().find(|done| step.needs.contains(&done.name) && done.verdict.is_err());
    let verdict = match failed {
        Some(needed) => Err(anyhow::anyhow!("not run, because `{}` failed", needed.name)),
        None => (step.run)(place),
    };
    Outcome { name: step.name, verdict, took: start.elapsed() }
}

fn report(outcomes: &[Outcome]) -> bool {
    let (mut passed, mut failed, mut skipped) = (0, 0, 0);
    println!("\n{:<10} {:>8}  verdict", "step", "seconds");
    for outcome in outcomes {
        let verdict = match &outcome.verdict {
            Ok(Verdict::Held) => {
                passed += 1;
                "passed".to_owned()
            }
            Ok(Verdict::NotHere(reason)) => {
                skipped += 1;
                format!("skipped: {reason}")
            }
            Err(error) => {
                failed += 1;
                format!("FAILED: {error:#}")
            }
        };
        println!("{:<10} {:>8.1}  {verdict}", outcome.name, outcome.took.as_secs_f64());
    }
    let tail = if skipped == 0 { String::new() } else { format!(", {skipped} skipped") };
    println!("\n{passed} passed, {failed} failed{tail}");
    failed == 0
}

#[cfg(test)]
mod tests {
    use super::*;

    const STEP: Step = Step { name: "second", about: "", needs: &["first"], run: |_| Ok(Verdict::Held) };

    fn outcome(verdict: Result<Verdict>) -> Outcome {
        Outcome { name: "first", verdict, took: Duration::ZERO }
    }

    #[test]
    fn a_step_whose_need_failed_does_not_run_and_counts_as_failed() {
        let place = Place { root: PathBuf::new() };
        assert!(perform(&place, &STEP, &[outcome(Err(anyhow::anyhow!("broken")))]).verdict.is_err());
        assert!(perform(&place, &STEP, &[outcome(Ok(Verdict::Held))]).verdict.is_ok());
        assert!(perform(&place, &STEP, &[]).verdict.is_ok());
    }

    #[test]
    fn a_skipped_step_fails_nothing_and_a_failed_one_does() {
        assert!(report(&[outcome(Ok(Verdict::Held)), outcome(Ok(Verdict::NotHere(String::new())))]));
        assert!(!report(&[outcome(Ok(Verdict::Held)), outcome(Err(anyhow::anyhow!("broken")))]));
    }

    #[test]
    fn every_need_names_an_earlier_step() {
        for (index, step) in steps::ALL.iter().enumerate() {
            for need in step.needs {
                assert!(steps::ALL[..index].iter().any(|earlier| earlier.name == *need), "{} needs {need}", step.name);
            }
        }
    }

    #[test]
    fn an_unknown_step_is_an_error_and_no_name_means_all() {
        assert!(choose(&["nonsense"]).is_err());
        assert_eq!(choose(&[]).unwrap().len(), steps::ALL.len());
    }
}
