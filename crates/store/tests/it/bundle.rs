use std::{fs, path::Path};

use tallyproof_store::{BundleFolder, bundle::BundleError};

fn files(list: &[(&str, &str)]) -> Vec<(String, Vec<u8>)> {
    list.iter().map(|(path, text)| ((*path).to_owned(), text.as_bytes().to_vec())).collect()
}

fn tile(bundle: &BundleFolder, path: &str, bytes: &[u8]) -> Result<(), BundleError> {
    bundle.put_tiles([(path.to_owned(), bytes)])
}

fn read(root: &Path, path: &str) -> String {
    fs::read_to_string(root.join(path)).unwrap()
}

#[test]
fn a_tile_is_never_changed() {
    let folder = tempfile::tempdir().unwrap();
    let bundle = BundleFolder::open(folder.path()).unwrap();
    tile(&bundle, "tile/0/000.p/1", b"one").unwrap();
    tile(&bundle, "tile/0/000.p/1", b"one").unwrap();
    assert!(matches!(tile(&bundle, "tile/0/000.p/1", b"two"), Err(BundleError::TileDiffers(_))));
    assert_eq!(read(folder.path(), "log/tile/0/000.p/1"), "one");
}

#[test]
fn the_checkpoint_is_replaced() {
    let folder = tempfile::tempdir().unwrap();
    let bundle = BundleFolder::open(folder.path()).unwrap();
    assert_eq!(bundle.checkpoint().unwrap(), None);
    bundle.put_checkpoint(b"one").unwrap();
    bundle.put_checkpoint(b"two").unwrap();
    assert_eq!(bundle.checkpoint().unwrap().as_deref(), Some(&b"two"[..]));
}

#[test]
fn pages_that_are_no_longer_made_go_and_the_log_stays() {
    let folder = tempfile::tempdir().unwrap();
    let bundle = BundleFolder::open(folder.path()).unwrap();
    tile(&bundle, "tile/entries/000.p/1", b"entry").unwrap();
    bundle.put_checkpoint(b"checkpoint").unwrap();
    bundle.publish(&files(&[("site/a/old.html", "old"), ("site/index.html", "1"), ("manifest", "1")])).unwrap();
    bundle.publish(&files(&[("site/index.html", "2"), ("manifest", "2")])).unwrap();
    bundle.close().unwrap();
    assert!(!folder.path().join("site/a/old.html").exists());
    for (path, text) in [
        ("site/index.html", "2"),
        ("manifest", "2"),
        ("log/checkpoint", "checkpoint"),
        ("log/tile/entries/000.p/1", "entry"),
    ] {
        assert_eq!(read(folder.path(), path), text);
    }
    assert!(!folder.path().join(".staging").exists());
}

#[test]
fn what_a_crash_left_is_removed_at_the_next_start() {
    let folder = tempfile::tempdir().unwrap();
    drop(BundleFolder::open(folder.path()).unwrap());
    fs::write(folder.path().join(".staging/file"), "half").unwrap();
    BundleFolder::open(folder.path()).unwrap();
    assert!(!folder.path().join(".staging/file").exists());
}

#[test]
fn a_folder_with_other_things_is_left_alone() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("thesis.odt"), "years of work").unwrap();
    assert!(matches!(BundleFolder::open(folder.path()), Err(BundleError::Foreign(_))));
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
}

#[test]
fn paths_outside_the_bundle_are_refused() {
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path().join("bundle");
    let bundle = BundleFolder::open(&root).unwrap();
    for path in ["../escaped", "/etc/escaped", "site/../../escaped", "site//a", "", "a b", ".staging/file"] {
        let outcome = bundle.publish(&files(&[(path, "x")]));
        assert!(matches!(outcome, Err(BundleError::Path(_))), "{path}");
    }
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
}
