//! Where a night puts its bundle: never over anything that is not an earlier drill's bundle.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, bail};

/// Makes `dir` an empty folder. An earlier drill's bundle in it is replaced; anything else is left alone and an error.
pub(crate) fn prepare(dir: &Path) -> anyhow::Result<()> {
    if dir.read_dir().is_ok_and(|mut entries| entries.next().is_some()) {
        if !is_drill_bundle(dir) {
            bail!(
                "{} holds something that is not an earlier drill's bundle; name another folder with --bundle",
                dir.display()
            );
        }
        fs::remove_dir_all(dir).with_context(|| format!("cannot replace the earlier bundle {}", dir.display()))?;
    }
    fs::create_dir_all(dir).with_context(|| format!("cannot create {}", dir.display()))
}

/// The file beside a bundle that holds what a sceptic takes from outside it.
pub(crate) fn trust_file(bundle: &Path) -> PathBuf {
    bundle.with_added_extension("trust.toml")
}

/// The folder beside which temporary files can stand on the same disk as the bundle.
pub(crate) fn parent(bundle: &Path) -> &Path {
    bundle.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."))
}

fn is_drill_bundle(dir: &Path) -> bool {
    let definition = fs::read_to_string(dir.join("election/election.toml")).unwrap_or_default();
    dir.join("log/checkpoint").is_file() && definition.lines().any(|line| line == "phase = \"drill\"")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn write(dir: &Path, path: &str, text: &str) {
        fs::create_dir_all(dir.join(path).parent().unwrap()).unwrap();
        fs::write(dir.join(path), text).unwrap();
    }

    #[test]
    fn an_earlier_drill_is_replaced() {
        let dir = tempfile::tempdir().unwrap();
        write(dir.path(), "election/election.toml", "phase = \"drill\"\n");
        write(dir.path(), "log/checkpoint", "");
        prepare(dir.path()).unwrap();
        assert!(dir.path().read_dir().unwrap().next().is_none());
    }

    #[test]
    fn anything_else_is_left_alone() {
        for phase in ["official", "none"] {
            let dir = tempfile::tempdir().unwrap();
            write(dir.path(), "election/election.toml", &format!("phase = \"{phase}\"\n"));
            write(dir.path(), "log/checkpoint", "");
            assert!(prepare(dir.path()).is_err());
            assert!(dir.path().join("log/checkpoint").exists());
        }
    }
}
