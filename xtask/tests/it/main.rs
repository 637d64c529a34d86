//! The program `xtask` on a copy of this workspace.

#![allow(clippy::unwrap_used)] // Outside a test function clippy cannot know that this is a test.

use std::fs;
use std::path::Path;
use std::process::{Command, Output};

/// Copies manifests, sources and documents: what tidy reads, without what it skips and without the data.
fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let name = entry.file_name();
        let target = to.join(&name);
        let is_skipped =
            ["target", ".git", "node_modules", "fixtures", "corpus", "vectors"].iter().any(|skip| name == *skip);
        if is_skipped {
            continue;
        }
        if entry.file_type().unwrap().is_dir() {
            copy(&entry.path(), &target);
        } else {
            fs::copy(entry.path(), target).unwrap();
        }
    }
}

fn tidy(root: &Path) -> (Output, String) {
    let output = Command::new(env!("CARGO_BIN_EXE_xtask")).args(["tidy", "--root"]).arg(root).output().unwrap();
    let text = String::from_utf8(output.stdout.clone()).unwrap();
    (output, text)
}

#[test]
fn tidy_fails_when_a_forbidden_arrow_or_import_is_added() {
    let folder = tempfile::tempdir().unwrap();
    copy(Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap(), folder.path());
    let arrow = "`tallyproof-count` may not depend on `tallyproof-store`";
    let import = "`std::fs` is forbidden here";
    let foreign = "`tallyproof-log` is pure and may not use `rusqlite`";

    let (_, before) = tidy(folder.path());
    assert!(before.contains("violations"), "tidy read the copy: {before}");
    for complaint in [arrow, import, foreign] {
        assert!(!before.contains(complaint), "{before}");
    }

    let crates = folder.path().join("crates");
    let add = |manifest: &str, dependency: &str| {
        let path = crates.join(manifest);
        let text = fs::read_to_string(&path).unwrap();
        fs::write(
            &path,
            text.replacen("[dependencies]\n", &format!("[dependencies]\n{dependency}.workspace = true\n"), 1),
        )
        .unwrap();
    };
    add("count/Cargo.toml", "tallyproof-store");
    add("log/Cargo.toml", "rusqlite");
    fs::create_dir_all(crates.join("record/src/deep")).unwrap();
    fs::write(crates.join("record/src/deep/new.rs"), "//! New.\nuse std::{fs as files, io};\n").unwrap();

    let (output, after) = tidy(folder.path());
    assert_eq!(output.status.code(), Some(1), "{after}");
    let lines: Vec<&str> = after.lines().collect();
    for (place, complaint) in [
        ("crates/count/Cargo.toml:", arrow),
        ("crates/log/Cargo.toml:", foreign),
        ("crates/record/src/deep/new.rs:2:", import),
    ] {
        assert!(lines.iter().any(|line| line.starts_with(place) && line.contains(complaint)), "{complaint}: {after}");
    }
}

#[test]
fn a_folder_that_is_no_workspace_is_an_error_of_its_own() {
    let folder = tempfile::tempdir().unwrap();
    let (output, _) = tidy(folder.path());
    assert_eq!(output.status.code(), Some(2));
}

#[test]
fn an_unknown_command_prints_the_usage() {
    let output = Command::new(env!("CARGO_BIN_EXE_xtask")).arg("nonsense").output().unwrap();
    assert_eq!(output.status.code(), Some(2));
    assert!(String::from_utf8(output.stderr).unwrap().contains("usage: cargo xtask"));
}
