//! Election packages in folders.

use std::borrow::Cow;
use std::fs;
use std::path::Path;

use anyhow::{Context, bail, ensure};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use tallyproof_count::policy;
use tallyproof_drill::synthetic::{self, Made, RECIPE_FILE};
use tallyproof_log::policy::PolicyError;
use tallyproof_record::definition::package::{self, Files};
use tallyproof_record::definition::results::{self, Results};
use tallyproof_record::{Election, Problem};

use crate::files::{self, Access};

/// The four files of the definition.
pub const DEFINITION_FILES: [&str; 4] = ["areas.csv", "ballot.csv", "election.toml", "stations.csv"];
/// The optional file with each station's figures.
pub const RESULTS_FILE: &str = "results.csv";
/// A million stations with 40 figures each stay below this.
const FILE_LIMIT: u64 = 1 << 30;

/// A package that has no mistake.
#[derive(Clone, Debug)]
pub struct Package {
    /// The definition.
    pub election: Election,
    /// Figures by station and contest, where the package has `results.csv` or a recipe.
    pub results: Option<Results>,
}

impl Package {
    /// `results.csv` as it was `found`, or rendered where a recipe made the figures.
    pub fn results_file<'f>(&self, found: &'f Files) -> Option<Cow<'f, [u8]>> {
        let as_found = found.get(RESULTS_FILE).map(|bytes| Cow::Borrowed(bytes.as_slice()));
        as_found.or_else(|| Some(Cow::Owned(results::render(self.results.as_ref()?, &self.election))))
    }
}

/// Reads the files of a package that are there; what is missing is for [`check`] to say.
pub fn read(folder: &Path) -> anyhow::Result<Files> {
    let shown = folder.display();
    let about = fs::metadata(folder).with_context(|| format!("cannot open the election package {shown}"))?;
    ensure!(about.is_dir(), "{shown} is not a folder; an election package is a folder with election.toml");
    let mut found = Files::new();
    for name in DEFINITION_FILES.into_iter().chain([RESULTS_FILE, RECIPE_FILE]) {
        let path = folder.join(name);
        if path.exists() {
            found.insert(name.to_owned(), files::read(&path, FILE_LIMIT)?);
        }
    }
    Ok(found)
}

/// Checks a package's definition and, where it has them, its figures. What a recipe stands for is made here, in memory.
pub fn check(found: &Files) -> Result<Package, Vec<Problem>> {
    if found.contains_key(RECIPE_FILE) {
        let Made { files, results } = synthetic::expand(found)?;
        return Ok(Package { election: definition(&files)?, results: Some(results) });
    }
    let election = definition(found)?;
    let results = found.get(RESULTS_FILE).map(|bytes| results::parse(bytes, &election)).transpose()?;
    Ok(Package { election, results })
}

fn definition(files: &Files) -> Result<Election, Vec<Problem>> {
    let election = package::parse(files)?;
    policy::check(election.policy_lines()).map_err(|error| vec![policy_problem(files, error)])?;
    Ok(election)
}

fn policy_problem(found: &Files, error: PolicyError) -> Problem {
    match error {
        PolicyError::Line { line, error } => package::policy_problem(found, line.saturating_sub(1), error.to_string()),
        error => package::policy_problem(found, 0, error.to_string()),
    }
}

/// Reads and checks a package; a package with mistakes is an error that lists them.
pub fn load(folder: &Path) -> anyhow::Result<Package> {
    let found = read(folder)?;
    check(&found)
        .map_err(|problems| refusal(format!("{} is not a valid election package", folder.display()), &problems))
}

/// An error whose reasons are problems.
pub fn refusal(what: String, problems: &[Problem]) -> anyhow::Error {
    let mut reasons = problems.iter().rev();
    let Some(last) = reasons.next() else { return anyhow::Error::msg(what) };
    reasons.fold(anyhow::Error::msg(last.to_string()), |error, reason| error.context(reason.to_string())).context(what)
}

/// Makes sure that `folder` is there and empty.
pub fn new_folder(folder: &Path) -> anyhow::Result<()> {
    let shown = folder.display();
    fs::create_dir_all(folder).with_context(|| format!("cannot make the folder {shown}"))?;
    let mut entries = fs::read_dir(folder).with_context(|| format!("cannot read the folder {shown}"))?;
    if entries.next().is_some() {
        bail!("{shown} is not empty, and nothing in it will be overwritten; name another folder");
    }
    Ok(())
}

/// Writes files into `folder`, each whole and durable.
pub fn write<'f>(folder: &Path, files: impl IntoIterator<Item = (&'f str, &'f [u8])>) -> anyhow::Result<()> {
    for (name, bytes) in files {
        let path = folder.join(name);
        files::replace(&path, bytes, Access::Public).with_context(|| format!("cannot write {}", path.display()))?;
    }
    Ok(())
}

/// A problem as `--json` prints it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ProblemRow {
    /// Stable code.
    pub code: String,
    /// `file:line:column`, a path in the bundle, or `entry 17`.
    #[serde(rename = "where")]
    pub place: String,
    /// What is wrong and what to do.
    pub what: String,
}

impl From<&Problem> for ProblemRow {
    fn from(problem: &Problem) -> Self {
        Self { code: problem.code.to_owned(), place: problem.place.clone(), what: problem.what.clone() }
    }
}

impl std::fmt::Display for ProblemRow {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}: {}: {}", self.place, self.code, self.what)
    }
}
