//! The guide says what the code does.

use tallyproof_evidence::{Input, Mapping, import};

use crate::{file, root};

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

/// The fenced blocks of a document: info string and text.
fn blocks(document: &str) -> Vec<(&str, &str)> {
    let mut parts = document.split("```");
    let _before = parts.next();
    // Text and block alternate, and the first part of each pair is a block.
    let blocks: Vec<&str> = parts.step_by(2).collect();
    blocks.into_iter().filter_map(|block| block.split_once('\n')).collect()
}

#[test]
fn the_worked_examples_give_what_the_guide_says() {
    let guide = std::fs::read_to_string(root().join("docs/guide/import.md")).unwrap();
    let mut examples = 0;
    for example in blocks(&guide).windows(3) {
        let [("toml mapping", mapping), ("text table", table), ("text results.csv", results)] = example else {
            continue;
        };
        let mapping = Mapping::parse(mapping, "guide").unwrap_or_else(|problems| panic!("{problems:#?}"));
        let input = Input { name: "table".into(), bytes: table.as_bytes().to_vec() };
        let imported = import(&mapping, &[input]).unwrap_or_else(|problems| panic!("{problems:#?}"));
        assert_eq!(file(&imported, "results.csv"), *results, "{:#?}", imported.report);
        examples += 1;
    }
    assert_eq!(examples, 6);
}

/// Every mapping of the repository parses; those of the fixtures are the examples.
#[test]
fn the_example_mappings_parse() {
    let folder = root().join("examples/mappings");
    for path in std::fs::read_dir(&folder).unwrap().map(|entry| entry.unwrap().path()) {
        let text = std::fs::read_to_string(&path).unwrap();
        Mapping::parse(&text, &path.display().to_string()).unwrap_or_else(|problems| panic!("{problems:#?}"));
    }
    for name in ["guanajuato-2012", "bolivia-2019"] {
        let example = std::fs::read_to_string(folder.join(format!("{name}.toml"))).unwrap();
        assert_eq!(std::fs::read_to_string(root().join("fixtures").join(name).join("mapping.toml")).unwrap(), example);
    }
}

/// The hand-written fixture is a valid package in canonical form, with one station missing.
#[test]
fn the_tiny_fixture_is_canonical() {
    use tallyproof_record::definition::{package, results};
    let folder = root().join("fixtures/tiny");
    let names = ["election.toml", "areas.csv", "stations.csv", "ballot.csv"];
    let files = names.map(|name| (name.to_owned(), std::fs::read(folder.join(name)).unwrap())).into();
    let committed = package::parse_canonical(&files).unwrap_or_else(|problems| panic!("{problems:#?}"));
    let election = committed.election();
    let bytes = std::fs::read(folder.join("results.csv")).unwrap();
    let figures = results::parse(&bytes, election).unwrap_or_else(|problems| panic!("{problems:#?}"));
    assert!(results::render(&figures, election) == bytes);
    assert_eq!((election.stations().len(), election.contests().len(), figures.len()), (12, 2, 17));
}

/// The seeds of the fuzz target reach the importer, and no change of one of their bytes makes it panic.
#[test]
fn fuzz_seeds_do_not_panic() {
    for seed in std::fs::read_dir(root().join("fuzz/corpus/mapping")).unwrap() {
        let data = std::fs::read(seed.unwrap().path()).unwrap();
        tallyproof_evidence::fuzz_import(&data);
        for at in 0..data.len() {
            for byte in [0, b'"', b',', b'9', 0xff, data[at] ^ 1, data[at] ^ 0x80] {
                let mut changed = data.clone();
                changed[at] = byte;
                tallyproof_evidence::fuzz_import(&changed);
            }
        }
    }
}
