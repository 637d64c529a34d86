//! What tidy reads: the workspace's packages and the text of its files.

use std::fs;
use std::path::Path;

use anyhow::{Context, Result};
use cargo_metadata::{MetadataCommand, Package};

/// Folders that hold nothing of ours, wherever they are.
const FOREIGN_FOLDERS: &[&str] = &["target", "node_modules", ".git", "bundles"];

/// Endings of the files whose text is read; of all others only the path counts.
const TEXT_ENDINGS: &[&str] =
    &["css", "ftl", "html", "js", "md", "mjs", "py", "rs", "sh", "sql", "toml", "ts", "txt", "yaml", "yml"];

/// A workspace: packages as cargo sees them, files as they stand on disk.
pub(super) struct Tree {
    /// The workspace's packages, then the one that drives the fuzzer from a workspace of its own.
    pub(super) packages: Vec<Member>,
    /// Every file, sorted by path.
    pub(super) files: Vec<File>,
}

/// A package with the place of its manifest.
pub(super) struct Member {
    /// What cargo says about it; dependencies are those it declares, unresolved.
    pub(super) package: Package,
    /// Path of its folder from the root, with `/` at the end.
    pub(super) folder: String,
}

/// A file of the workspace.
pub(super) struct File {
    /// Path from the root, with `/`.
    pub(super) path: String,
    /// Its text; empty where the ending is not that of a text file.
    pub(super) text: String,
}

impl Tree {
    /// Reads the workspace at `root`. Needs `cargo`, but no network and no lock file.
    pub(super) fn read(root: &Path) -> Result<Self> {
        let root = root.canonicalize().with_context(|| format!("no folder at {}", root.display()))?;
        let mut packages = members(&root, "Cargo.toml")?;
        if root.join("fuzz/Cargo.toml").exists() {
            packages.extend(members(&root, "fuzz/Cargo.toml")?);
        }
        let mut files = Vec::new();
        walk(&root, "", &mut files)?;
        files.sort_by(|left: &File, right| left.path.cmp(&right.path));
        Ok(Self { packages, files })
    }

    /// The file at `path`, if there is one.
    pub(super) fn file(&self, path: &str) -> Option<&File> {
        self.files.binary_search_by(|file| file.path.as_str().cmp(path)).ok().and_then(|index| self.files.get(index))
    }

    /// The Rust sources below `folder`.
    pub(super) fn sources(&self, folder: &str) -> impl Iterator<Item = &File> {
        self.files.iter().filter(move |file| file.path.starts_with(folder) && file.has_ending("rs"))
    }

    /// The line of `member`'s manifest that declares `dependency`, or 1.
    pub(super) fn manifest_line(&self, member: &Member, dependency: &str) -> usize {
        let declares = |line: &str| line.strip_prefix(dependency).is_some_and(|rest| rest.starts_with(['.', ' ', '=']));
        let manifest = self.file(&member.manifest());
        let position = manifest.and_then(|file| file.text.lines().position(declares));
        position.map_or(1, |index| index + 1)
    }
}

impl Member {
    /// Path of the manifest from the root.
    pub(super) fn manifest(&self) -> String {
        format!("{}Cargo.toml", self.folder)
    }
}

impl File {
    /// Whether the path ends with `.ending`.
    pub(super) fn has_ending(&self, ending: &str) -> bool {
        Path::new(&self.path).extension().is_some_and(|found| found == ending)
    }
}

fn members(root: &Path, manifest: &str) -> Result<Vec<Member>> {
    let metadata = MetadataCommand::new()
        .manifest_path(root.join(manifest))
        .current_dir(root)
        .no_deps()
        .other_options(vec!["--offline".to_owned()])
        .exec()
        .with_context(|| format!("`cargo metadata` cannot read {manifest}"))?;
    let place = |package: Package| {
        let folder = package.manifest_path.parent()?.strip_prefix(root).ok()?;
        let folder = if folder.as_str().is_empty() { String::new() } else { format!("{folder}/") };
        Some(Member { package, folder })
    };
    Ok(metadata.packages.into_iter().filter_map(place).collect())
}

fn walk(root: &Path, folder: &str, files: &mut Vec<File>) -> Result<()> {
    let here = root.join(folder);
    for entry in fs::read_dir(&here).with_context(|| format!("cannot list {}", here.display()))? {
        let entry = entry?;
        let name =
            entry.file_name().into_string().map_err(|name| anyhow::anyhow!("{} is not UTF-8", name.display()))?;
        let path = format!("{folder}{name}");
        if entry.file_type()?.is_dir() {
            if !FOREIGN_FOLDERS.contains(&name.as_str()) {
                walk(root, &format!("{path}/"), files)?;
            }
        } else {
            let text = read_text(&entry.path()).with_context(|| format!("cannot read {path}"))?;
            files.push(File { path, text });
        }
    }
    Ok(())
}

fn read_text(path: &Path) -> Result<String> {
    let is_text = path.extension().is_some_and(|ending| TEXT_ENDINGS.iter().any(|known| ending == *known));
    Ok(if is_text { fs::read_to_string(path)? } else { String::new() })
}
