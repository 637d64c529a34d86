//! Copies of a bundle: whole, verified, and deaf to a source that changes its story.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};
use std::thread;
use std::time::{Duration, Instant};

use crate::published::{Published, enrolled};
use crate::shell::Shell;
use crate::verify::serve;

const MIRROR: &str = "--json mirror bundle copy --trust trust.toml";

const NONE: [PathBuf; 0] = [];

/// Every file below a folder.
fn files(folder: &Path) -> BTreeMap<PathBuf, Vec<u8>> {
    let mut found = BTreeMap::new();
    let mut open = vec![folder.to_owned()];
    while let Some(next) = open.pop() {
        for entry in fs::read_dir(next).unwrap() {
            let entry = entry.unwrap();
            if entry.file_type().unwrap().is_dir() {
                open.push(entry.path());
            } else {
                let path = entry.path().strip_prefix(folder).unwrap().to_owned();
                found.insert(path, fs::read(entry.path()).unwrap());
            }
        }
    }
    found
}

/// Paths of the files that are not the same in both.
fn differences(one: &BTreeMap<PathBuf, Vec<u8>>, other: &BTreeMap<PathBuf, Vec<u8>>) -> Vec<PathBuf> {
    let all: BTreeSet<_> = one.keys().chain(other.keys()).collect();
    all.into_iter().filter(|path| one.get(*path) != other.get(*path)).cloned().collect()
}

/// A log of 400 entries, cosigned, and its copy.
fn copied() -> (Shell, Published) {
    let shell = enrolled();
    let mut log = Published::new(&shell);
    log.push_others(399, 0);
    log.write(&shell.path("bundle"), &[1, 2]);
    let first = shell.run(MIRROR);
    assert_eq!((first.code, &first.json()["outcome"]), (0, &"updated".into()), "{}{}", first.stdout, first.stderr);
    (shell, log)
}

#[test]
fn a_copy_is_the_bundle_and_verifies_like_it() {
    let (shell, _) = copied();
    assert_eq!(differences(&files(&shell.path("copy")), &files(&shell.path("bundle"))), NONE);
    for line in ["verify copy", "verify --from copy"] {
        let found = shell.run(&format!("--json {line} --trust trust.toml"));
        assert_eq!((found.code, &found.json()["anchored"]), (0, &true.into()), "{line}: {}", found.stdout);
    }
    let base = serve(shell.path("copy"));
    assert_eq!(shell.run(&format!("--json verify --from {base} --trust trust.toml")).code, 0);
    let both = shell.run("verify copy --from copy");
    assert_eq!(both.code, 2, "{}", both.stderr);
    assert_eq!(shell.run("verify").code, 2);
    let again = shell.run(MIRROR).json();
    assert_eq!(
        (&again["outcome"], &again["files"], &again["tree_size"]),
        (&"unchanged".into(), &0.into(), &400.into())
    );
    assert!(!shell.path("copy.staging").exists());
}

#[test]
fn the_bundle_of_a_night_is_copied_over_http_and_from_copy_to_copy() {
    let shell = Shell::with_election();
    shell.write("election/results.csv", "station,contest,@blank,@null,A,B\nS1,mayor,1,2,40,30\n");
    assert_eq!(shell.run("--json night election --bundle bundle").code, 0);
    for (source, copy) in [("bundle", "first"), ("first", "second")] {
        let base = serve(shell.path(source));
        let made = shell.run(&format!("--json mirror {base} {copy} --trust bundle.trust.toml"));
        assert_eq!((made.code, &made.json()["anchored"]), (0, &true.into()), "{}{}", made.stdout, made.stderr);
        // Partial tiles of earlier sizes are for those who follow; a copy begins with the tiles of its first checkpoint.
        let missing = differences(&files(&shell.path(copy)), &files(&shell.path("bundle")));
        assert!(missing.iter().all(|path| path.to_string_lossy().contains(".p/")), "{missing:?}");
        let found = shell.run(&format!("--json verify --from {copy} --trust bundle.trust.toml"));
        assert_eq!((found.code, &found.json()["counted"]), (0, &1.into()), "{}", found.stdout);
    }
}

#[test]
fn a_copy_follows_over_http_and_fetches_full_tiles_once() {
    let (shell, mut log) = copied();
    log.push_others(300, 1);
    log.write(&shell.path("bundle"), &[1]);
    let base = serve(shell.path("bundle"));
    let before = files(&shell.path("copy"));
    let grown = shell.run(&format!("--json mirror {base} copy --trust trust.toml"));
    assert_eq!((grown.code, &grown.json()["outcome"]), (0, &"updated".into()), "{}{}", grown.stdout, grown.stderr);
    let now = files(&shell.path("copy"));
    // The first tiles were full before: had they been fetched, the report would count them.
    let fetched = grown.json()["files"].as_u64().unwrap();
    let new = now.iter().filter(|(path, bytes)| before.get(*path) != Some(bytes)).count() as u64;
    // `log/cosigned` is fetched to be compared.
    assert_eq!(fetched, new + 1);
    assert_eq!(differences(&now, &files(&shell.path("bundle"))), NONE);
    assert_eq!(shell.run("--json verify copy --trust trust.toml").code, 0);
}

#[test]
fn what_does_not_hold_never_appears() {
    for path in ["index/totals.json", "log/tile/entries/002.p/188", "log/tile/0/001", "site/index.html", "log/cosigned"]
    {
        let (shell, mut log) = copied();
        let before = files(&shell.path("copy"));
        log.push_others(300, 1);
        log.write(&shell.path("bundle"), &[1, 2]);
        let file = shell.path("bundle").join(path);
        let mut bytes = fs::read(&file).unwrap();
        let middle = bytes.len() / 2;
        bytes[middle] ^= 1;
        fs::write(&file, bytes).unwrap();
        let found = shell.run(MIRROR);
        assert_eq!(
            (found.code, &found.json()["outcome"]),
            (1, &"refused".into()),
            "{path}: {}{}",
            found.stdout,
            found.stderr
        );
        assert_eq!(differences(&files(&shell.path("copy")), &before), NONE, "{path}");
        assert!(!shell.path("copy.staging").exists(), "{path}");
    }
}

#[test]
fn a_bundle_that_lacks_a_file_is_not_taken() {
    for path in ["index/stations.csv", "log/tile/entries/002.p/188", "log/tile/1/000.p/2"] {
        let (shell, mut log) = copied();
        let before = files(&shell.path("copy"));
        log.push_others(300, 1);
        log.write(&shell.path("bundle"), &[1, 2]);
        fs::remove_file(shell.path("bundle").join(path)).unwrap();
        let found = shell.run(MIRROR);
        assert_eq!((found.code, &found.json()["outcome"]), (1, &"refused".into()), "{path}: {}", found.stdout);
        assert!(found.stdout.contains("missing"), "{path}: {}", found.stdout);
        assert_eq!(differences(&files(&shell.path("copy")), &before), NONE, "{path}");
    }
}

#[test]
fn a_new_copy_of_a_bad_bundle_shows_nothing() {
    let shell = enrolled();
    let mut log = Published::new(&shell);
    log.push_others(20, 0);
    log.write(&shell.path("bundle"), &[1, 2]);
    fs::write(shell.path("bundle/log/tile/0/000.p/21"), [0; 21 * 32]).unwrap();
    let found = shell.run(MIRROR);
    assert_eq!((found.code, &found.json()["outcome"]), (1, &"refused".into()), "{}{}", found.stdout, found.stderr);
    assert_eq!(found.json()["problems"][0]["code"], "BN-16");
    assert!(files(&shell.path("copy")).is_empty());
}

#[test]
fn a_source_that_shrinks_changes_nothing() {
    let (shell, mut log) = copied();
    let before = files(&shell.path("copy"));
    fs::remove_dir_all(shell.path("bundle")).unwrap();
    log.truncate(150);
    log.write(&shell.path("bundle"), &[1, 2]);
    let found = shell.run(MIRROR);
    assert_eq!((found.code, &found.json()["outcome"]), (1, &"behind".into()), "{}{}", found.stdout, found.stderr);
    assert_eq!(differences(&files(&shell.path("copy")), &before), NONE);
}

#[test]
fn a_fork_leaves_the_copy_as_it_is_and_its_proof_beside_it() {
    // The other history is larger, of the same size, smaller.
    for (others, size) in [(500, 700), (200, 400), (50, 250)] {
        let (shell, mut log) = copied();
        let before = files(&shell.path("copy"));
        fs::remove_dir_all(shell.path("bundle")).unwrap();
        log.truncate(200);
        log.push_others(others, 9);
        assert_eq!(log.size(), size);
        log.write(&shell.path("bundle"), &[1, 2]);
        let found = shell.run(MIRROR);
        assert_eq!(
            (found.code, &found.json()["outcome"]),
            (1, &"forked".into()),
            "{size}: {}{}",
            found.stdout,
            found.stderr
        );
        assert_eq!(differences(&files(&shell.path("copy")), &before), NONE);
        let proof = fs::read_to_string(found.json()["fork"].as_str().unwrap()).unwrap();
        let proof: tallyproof_log::fork::ForkProof = proof.parse().unwrap();
        let fork = proof.verify().unwrap();
        assert_eq!([fork.one.size, fork.other.size], [size.min(400), size.max(400)]);
        // It is found again, and the file is not written twice.
        assert_eq!(shell.run(MIRROR).json()["fork"], found.json()["fork"]);
        // Nor does following go on.
        assert_eq!(shell.run(&format!("{MIRROR} --every 50ms")).json()["rounds"], 1);
    }
}

#[test]
fn another_log_is_not_mixed_in() {
    let (shell, _) = copied();
    let (other, _) = copied();
    let found = shell.run(&format!("--json mirror {} copy", other.path("bundle").display()));
    assert_eq!(found.code, 2);
    assert!(found.stderr.contains("the source is of the log log.example/small"), "{}", found.stderr);
    let found = shell.run("mirror bundle packs");
    assert!(found.code == 2 && found.stderr.contains("not empty and not a bundle"), "{}", found.stderr);
}

#[test]
fn damage_to_the_copy_is_found_at_the_first_look() {
    let (shell, _) = copied();
    fs::write(shell.path("copy/site/index.html"), "<p>other</p>").unwrap();
    let found = shell.run(MIRROR);
    assert_eq!((found.code, &found.json()["outcome"]), (1, &"damaged".into()), "{}", found.stdout);
    // A full tile of other bytes: the source's are not put over them, and the root tells.
    let (shell, mut log) = copied();
    let tile = shell.path("copy/log/tile/entries/000");
    let mut bytes = fs::read(&tile).unwrap();
    bytes[500] ^= 1;
    fs::write(&tile, &bytes).unwrap();
    log.push_others(300, 1);
    log.write(&shell.path("bundle"), &[1, 2]);
    let found = shell.run(MIRROR);
    assert_eq!((found.code, &found.json()["outcome"]), (1, &"refused".into()), "{}", found.stdout);
    assert_eq!(fs::read(&tile).unwrap(), bytes);
}

/// Readers of the copy see a bundle that verifies at every moment of a night, but for files that change between two reads.
#[test]
fn a_followed_copy_ends_with_the_log() {
    let (shell, mut log) = copied();
    let mut child = shell
        .command(&format!("{MIRROR} --every 50ms"))
        .stdout(std::process::Stdio::piped())
        .stderr(std::process::Stdio::null())
        .spawn()
        .unwrap();
    for version in 1..4 {
        log.push_others(100, version);
        log.write(&shell.path("next"), &[1, 2]);
        // A reader that comes in the middle of a publication must see it and come back.
        replace(&shell.path("next"), &shell.path("bundle"));
        wait_for(|| checkpoint(&shell.path("copy")) == checkpoint(&shell.path("bundle")));
    }
    log.freeze();
    log.write(&shell.path("next"), &[1, 2, 3]);
    replace(&shell.path("next"), &shell.path("bundle"));
    let output = wait(&mut child);
    assert!(output, "the mirror ends with 0 once the log is finished");
    assert_eq!(checkpoint(&shell.path("copy")), checkpoint(&shell.path("bundle")));
    assert_eq!(shell.run("--json verify copy --trust trust.toml").code, 0);
    assert_eq!(shell.run(&format!("{MIRROR} --every 50ms")).json()["outcome"], "unchanged");
}

fn checkpoint(folder: &Path) -> Vec<u8> {
    fs::read(folder.join("log/checkpoint")).unwrap_or_default()
}

/// Files one after the other, notes last, as a publisher does.
fn replace(from: &Path, to: &Path) {
    let (notes, others): (Vec<_>, Vec<_>) = files(from).into_iter().partition(|(path, _)| {
        ["log/checkpoint", "log/cosigned", "manifest"].iter().any(|note| path == Path::new(note))
    });
    for (path, bytes) in others.into_iter().chain(notes) {
        let target = to.join(path);
        fs::create_dir_all(target.parent().unwrap()).unwrap();
        fs::write(target, bytes).unwrap();
    }
}

fn wait_for(done: impl Fn() -> bool) {
    let until = Instant::now() + Duration::from_mins(1);
    while !done() {
        assert!(Instant::now() < until, "the copy does not follow");
        thread::sleep(Duration::from_millis(20));
    }
}

/// Whether the program ended with 0, in time.
fn wait(child: &mut std::process::Child) -> bool {
    let until = Instant::now() + Duration::from_mins(1);
    loop {
        if let Some(status) = child.try_wait().unwrap() {
            return status.success();
        }
        if Instant::now() > until {
            child.kill().unwrap();
            return false;
        }
        thread::sleep(Duration::from_millis(20));
    }
}
