//! The table of ratios. Each bench is an example program of `tallyproof-cli`; figures of one row come from one run,
//! since absolute ones are noise on shared machines.
//!
//! A bench is `crates/cli/examples/bench_NAME.rs`. The lines that it prints with tabs in them are rows: `figure`,
//! `measured`, `reference`, `target`. Measured and reference have one unit; the target bounds their ratio (`<= 1.3`) or,
//! where the reference is `-`, what was measured (`>= 15000`). Its other lines are shown as they are.

use std::fs;
use std::path::Path;

use anyhow::{Context, Result, bail};

use crate::command::{output, program};

/// Runs the named benches, or all; `true` when every figure meets its target.
pub(crate) fn run(root: &Path, names: &[&str]) -> Result<bool> {
    let all = benches(root)?;
    if let Some(unknown) = names.iter().find(|name| all.iter().all(|bench| bench != *name)) {
        bail!("there is no bench `{unknown}`: {}", all.join(", "));
    }
    let mut rows = Vec::new();
    for name in all.iter().filter(|name| names.is_empty() || names.contains(&name.as_str())) {
        let mut bench = program(root, "cargo");
        bench.args(["run", "--quiet", "--locked", "--release", "--package", "tallyproof-cli"]);
        let text = output(bench.args(["--example", &format!("bench_{name}")]))?;
        for line in text.lines() {
            if line.contains('\t') {
                rows.push(row(line).with_context(|| format!("bench_{name} printed `{line}`"))?);
            } else {
                println!("{name}: {line}");
            }
        }
    }
    println!("{:<48} {:>14} {:>14} {:>9}  {:<12} met", "figure", "measured", "reference", "ratio", "target");
    for row in &rows {
        println!("{row}");
    }
    Ok(rows.iter().all(Row::is_met))
}

/// The names of the benches, sorted.
fn benches(root: &Path) -> Result<Vec<String>> {
    let folder = fs::read_dir(root.join("crates/cli/examples")).context("cannot list crates/cli/examples")?;
    let files = folder.map(|entry| Ok(entry?.file_name().to_string_lossy().into_owned()));
    let files = files.collect::<std::io::Result<Vec<_>>>()?;
    let name = |file: &String| Some(file.strip_prefix("bench_")?.strip_suffix(".rs")?.to_owned());
    let mut names: Vec<String> = files.iter().filter_map(name).collect();
    names.sort();
    Ok(names)
}

/// One figure against its reference of the same run.
#[derive(Debug)]
struct Row {
    figure: String,
    measured: f64,
    reference: Option<f64>,
    at_most: bool,
    bound: f64,
}

fn row(line: &str) -> Result<Row> {
    let columns: Vec<&str> = line.split('\t').collect();
    let [figure, measured, reference, target] = columns[..] else {
        bail!("a row has four columns: figure, measured, reference, target");
    };
    let (sign, bound) = target.split_once(' ').context("a target is `<= N` or `>= N`")?;
    let at_most = match sign {
        "<=" => true,
        ">=" => false,
        _ => bail!("a target is `<= N` or `>= N`"),
    };
    let reference = if reference == "-" { None } else { Some(reference.parse()?) };
    Ok(Row { figure: figure.to_owned(), measured: measured.parse()?, reference, at_most, bound: bound.parse()? })
}

impl Row {
    /// What the bound is for: the ratio, or the figure itself where it has no reference.
    fn value(&self) -> f64 {
        self.reference.map_or(self.measured, |reference| self.measured / reference)
    }

    fn is_met(&self) -> bool {
        if self.at_most { self.value() <= self.bound } else { self.value() >= self.bound }
    }
}

impl std::fmt::Display for Row {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let (reference, ratio) = match self.reference {
            Some(reference) => (format!("{reference:.3}"), format!("{:.2}", self.value())),
            None => ("-".to_owned(), "-".to_owned()),
        };
        let target = format!("{} {}", if self.at_most { "<=" } else { ">=" }, self.bound);
        let met = if self.is_met() { "yes" } else { "NO" };
        write!(f, "{:<48} {:>14.3} {reference:>14} {ratio:>9}  {target:<12} {met}", self.figure, self.measured)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_ratio_is_held_against_its_bound() {
        assert!(row("verify\t1.2\t1.0\t<= 1.3").unwrap().is_met());
        assert!(!row("verify\t2.8\t2.0\t<= 1.3").unwrap().is_met());
        assert!(row("entries/s\t20000\t-\t>= 15000").unwrap().is_met());
    }

    #[test]
    fn a_row_that_cannot_be_read_is_an_error() {
        for line in ["", "a\tb\t-\t<= 1", "a\t1\t2", "a\t1\t-\t< 1", "a\t1\t-\t1"] {
            assert!(row(line).is_err(), "{line}");
        }
    }
}
