//! The guide says what the code does.

use crate::root;

/// `UPDATE_DOCS=1` writes the reference of the guide anew.
#[test]
fn the_guide_has_the_reference_of_the_code() {
    const BEGIN: &str = "<!-- reference: generated, do not edit -->\n";
    const END: &str = "<!-- end of reference -->";
    let path = root().join("docs/guide/import.md");
    let guide = std::fs::read_to_string(&path).unwrap();
    let (before, rest) = guide.split_once(BEGIN).expect("the guide has the mark of the reference");
    let (_, after) = rest.split_once(END).expect("the guide has the end mark of the reference");
    let want = format!("{before}{BEGIN}\n{}\n{END}{after}", tallyproof_evidence::mapping::reference().trim_end());
    if std::env::var_os("UPDATE_DOCS").is_some() {
        std::fs::write(&path, &want).unwrap();
    }
    assert!(
        std::fs::read_to_string(&path).unwrap() == want,
        "{} is out of date; UPDATE_DOCS=1 writes it anew",
        path.display()
    );
}

/// The hand-written fixture is a valid package in canonical form, with one station missing.
#[test]
fn the_tiny_fixture_is_canonical() {
    use tallyproof_record::definition::{package, results};
    let folder = root().join("fixtures/tiny");
    let names = ["election.toml", "areas.csv", "stations.csv", "ballot.csv"];
    let files = names.map(|name| (name.to_owned(), std::fs::read(folder.join(name)).unwrap())).into();
    let (election, _) = package::parse_canonical(&files).unwrap_or_else(|problems| panic!("{problems:#?}"));
    let bytes = std::fs::read(folder.join("results.csv")).unwrap();
    let figures = results::parse(&bytes, &election).unwrap_or_else(|problems| panic!("{problems:#?}"));
    assert!(results::render(&figures, &election) == bytes);
    assert_eq!((election.stations().len(), election.contests().len(), figures.len()), (12, 2, 17));
}

/// The seeds of the fuzz target reach the importer: their mappings parse, and they do not panic.
#[test]
fn fuzz_seeds_are_read() {
    for seed in std::fs::read_dir(root().join("fuzz/corpus/mapping")).unwrap() {
        let data = std::fs::read(seed.unwrap().path()).unwrap();
        tallyproof_evidence::fuzz_import(&data);
    }
}
