//! Committed documents are those that the program generates. `UPDATE_DOCS=1 cargo test -p tallyproof-cli` writes them anew.

use std::fs;
use std::path::Path;

use tallyproof_cli::docs::documents;

#[test]
fn generated_documents_are_up_to_date() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs");
    let mut stale = Vec::new();
    for (name, text) in documents().unwrap() {
        let path = folder.join(&name);
        if fs::read_to_string(&path).is_ok_and(|found| found == text) {
            continue;
        }
        if std::env::var_os("UPDATE_DOCS").is_some() {
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text).unwrap();
        } else {
            stale.push(name);
        }
    }
    assert!(stale.is_empty(), "not up to date: {stale:?}; run with UPDATE_DOCS=1");
}

#[test]
fn no_schema_is_left_behind() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/schema");
    let documents = documents().unwrap();
    for entry in fs::read_dir(folder).unwrap() {
        let name = format!("schema/{}", entry.unwrap().file_name().to_string_lossy());
        assert!(documents.contains_key(&name), "{name} belongs to no command");
    }
}
