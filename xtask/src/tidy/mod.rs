//! The architecture test: what `docs` promise about the shape of the code, checked on manifests and sources.

mod arrows;
mod claims;
mod dependencies;
mod files;
mod links;
mod policy;
mod purity;
mod scan;
mod tree;

use std::fmt;
use std::path::Path;

use anyhow::Result;

use tree::Tree;

/// One broken promise: where it is, and what to do about it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Violation {
    /// Path from the root of the workspace, with `/`.
    file: String,
    /// Line, from 1.
    line: usize,
    /// What is wrong and what to do.
    what: String,
}

impl Violation {
    fn new(file: impl Into<String>, line: usize, what: impl Into<String>) -> Self {
        Self { file: file.into(), line, what: what.into() }
    }
}

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}: {}", self.file, self.line, self.what)
    }
}

/// Checks the workspace at `root` and prints every violation; `true` when there is none.
pub(crate) fn run(root: &Path) -> Result<bool> {
    let tree = Tree::read(root)?;
    let mut violations = [
        arrows::check(&tree),
        purity::check(&tree),
        dependencies::check(&tree),
        files::check(&tree),
        links::check(&tree),
        claims::check(&tree),
    ]
    .concat();
    violations.sort();
    violations.dedup();
    for violation in &violations {
        println!("{violation}");
    }
    println!("tidy: {} files, {} packages, {} violations", tree.files.len(), tree.packages.len(), violations.len());
    Ok(violations.is_empty())
}
