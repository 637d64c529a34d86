//! Real files. Those outside the repository are found by `TALLYPROOF_DATA` (default `../shared/data`); where they are
//! not there, their tests say so and pass.

use std::collections::BTreeMap;
use std::path::PathBuf;

use tallyproof_evidence::{Imported, Input, Mapping, Report, import};

use crate::{file, read, root};

fn data() -> PathBuf {
    std::env::var_os("TALLYPROOF_DATA").map_or_else(|| root().join("../shared/data"), PathBuf::from)
}

/// Imports a file of the data folder by a mapping of `examples/mappings`; `None` where the file is not there.
fn example(name: &str, path: &str) -> Option<Imported> {
    let path = data().join(path);
    if !path.exists() {
        eprintln!("skipped: {} is not there (set TALLYPROOF_DATA)", path.display());
        return None;
    }
    Some(import_by(&root().join("examples/mappings").join(name), &read(&path)))
}

fn import_by(mapping: &std::path::Path, input: &Input) -> Imported {
    let text = std::fs::read_to_string(mapping).unwrap();
    let mapping =
        Mapping::parse(&text, &mapping.display().to_string()).unwrap_or_else(|problems| panic!("{problems:#?}"));
    let imported = import(&mapping, std::slice::from_ref(input)).unwrap_or_else(|problems| panic!("{problems:#?}"));
    accounts(&imported.report);
    assert_eq!(sums_of_results(&imported), imported.report.totals);
    imported
}

/// Every row is used, filtered, or the place of a problem.
fn accounts(report: &Report) {
    assert_eq!(report.rows_read, report.rows_used + report.rows_filtered + report.rows_not_used);
    assert_eq!(report.filtered.values().sum::<u64>(), report.rows_filtered);
    assert_eq!(report.problem_counts.values().sum::<u64>(), report.problems.len() as u64);
}

/// Totals by contest and candidate, computed from the written files by other code.
fn sums_of_results(imported: &Imported) -> BTreeMap<String, BTreeMap<String, u64>> {
    let mut candidates: BTreeMap<(String, String), String> = BTreeMap::new();
    let mut totals: BTreeMap<String, BTreeMap<String, u64>> = BTreeMap::new();
    for row in csv::Reader::from_reader(file(imported, "ballot.csv").as_bytes()).records() {
        let row = row.unwrap();
        totals.entry(row[0].into()).or_default().insert(row[3].into(), 0);
        candidates.insert((row[0].into(), row[1].into()), row[3].into());
    }
    let mut results = csv::Reader::from_reader(file(imported, "results.csv").as_bytes());
    let headers = results.headers().unwrap().clone();
    for row in results.records() {
        let row = row.unwrap();
        for (line, votes) in headers.iter().zip(&row).filter(|(_, votes)| !votes.is_empty()) {
            if let Some(candidate) = candidates.get(&(row[1].to_owned(), line.to_owned())) {
                *totals.get_mut(&row[1]).unwrap().get_mut(candidate).unwrap() += votes.parse::<u64>().unwrap();
            }
        }
    }
    totals
}

fn totals<'r>(imported: &'r Imported, contest: &str) -> BTreeMap<&'r str, u64> {
    imported.report.totals[contest].iter().map(|(candidate, votes)| (candidate.as_str(), *votes)).collect()
}

fn known<const N: usize>(totals: [(&str, u64); N]) -> BTreeMap<&str, u64> {
    totals.into()
}

/// Sum of a column of `results.csv`, and in how many rows it is stated.
fn column(imported: &Imported, name: &str) -> (u64, usize) {
    let mut results = csv::Reader::from_reader(file(imported, "results.csv").as_bytes());
    let at = results.headers().unwrap().iter().position(|header| header == name).unwrap();
    let stated: Vec<u64> = results.records().filter_map(|row| row.unwrap()[at].parse().ok()).collect();
    (stated.iter().sum(), stated.len())
}

#[test]
fn the_fixture_is_what_its_source_gives() {
    let folder = root().join("fixtures/guanajuato-2012");
    let imported = import_by(&folder.join("mapping.toml"), &read(&folder.join("source/gto_2012.csv.xz")));
    for (name, bytes) in &imported.files {
        let path = folder.join(name);
        if std::env::var_os("UPDATE_FIXTURES").is_some() {
            std::fs::write(&path, bytes).unwrap();
        }
        assert!(
            std::fs::read(&path).unwrap() == *bytes,
            "{} differs; UPDATE_FIXTURES=1 writes it anew",
            path.display()
        );
    }
    let report = &imported.report;
    assert_eq!((report.rows_read, report.rows_used, report.stations, report.missing), (6746, 6746, 6746, 0));
    assert_eq!(report.problems, []);
    let want = [
        ("pan_na", 1_111_379),
        ("pri_pvem", 948_445),
        ("prd", 119_209),
        ("pt", 28_770),
        ("mc", 21_452),
        ("otros", 84_910),
    ];
    assert_eq!(totals(&imported, "governor"), known(want));
    assert_eq!(column(&imported, "@total"), (2_314_165, 6746));
    assert_eq!(file(&imported, "stations.csv").matches(",0,special,").count(), 35);
}

#[test]
fn missing_figures_make_no_record() {
    let Some(imported) = example("morelos-2012.toml", "mexico-2012/mor_2012.csv.xz") else { return };
    let report = &imported.report;
    assert_eq!((report.rows_read, report.stations, report.records, report.missing), (2240, 2240, 2174, 66));
    assert_eq!(report.problem_counts, BTreeMap::from([("IM-04".to_owned(), 66)]));
    let first = &report.problems[0];
    assert!(first.place.starts_with("mor_2012.csv.xz:") && first.what.contains("`pri_pvem_pna`"), "{first}");
}

#[test]
fn a_preliminary_transmission() {
    let folder = root().join("fixtures/bolivia-2019");
    let imported = import_by(&folder.join("mapping.toml"), &read(&folder.join("source/trep-2019-10-20-1940.zip")));
    let report = &imported.report;
    assert_eq!((report.rows_read, report.rows_used, report.records, report.missing), (28975, 28975, 28975, 0));
    let totals = totals(&imported, "president");
    assert_eq!((totals["MAS"], totals["CC"], totals.values().sum::<u64>()), (2_355_644, 1_950_000, 5_152_979));
    assert_eq!((column(&imported, "@blank").0, column(&imported, "@null").0), (74_910, 187_897));
    // Five towns are called Santa Cruz de la Sierra's way; equal names under different parents stay apart.
    assert_eq!(report.problems, []);
}

#[test]
fn modes_are_summed_and_their_total_is_not() {
    let Some(imported) = example("delaware-2024.toml", "us/medsl2024_de24.zip") else { return };
    let report = &imported.report;
    let want = [
        ("CHASE OLIVER", 2038),
        ("DONALD J TRUMP", 214_351),
        ("KAMALA D HARRIS", 289_758),
        ("ROBERT F KENNEDY", 4636),
        ("VERMIN SUPREME", 914),
    ];
    assert_eq!(totals(&imported, "president"), known(want));
    assert_eq!((report.stations, report.records, report.missing), (533, 533, 0));
    assert_eq!(report.filtered["mode TOTAL"], 2665);
    assert_eq!(report.problems, []);
}

#[test]
fn pseudo_candidates_are_figures() {
    let Some(imported) = example("vermont-2024.toml", "us/medsl2024_vt24.zip") else { return };
    let totals = totals(&imported, "president");
    assert_eq!((totals["KAMALA D HARRIS"], totals["DONALD J TRUMP"], totals["write-in"]), (235_791, 119_395, 3033));
    assert_eq!(
        (column(&imported, "@blank").0, column(&imported, "@null").0, column(&imported, "@total").0),
        (3195, 268, 372_885)
    );
    assert_eq!(imported.report.problems, []);
}

#[test]
fn a_table_on_its_side() {
    let Some(imported) =
        example("west-maas-en-waal-2022.toml", "netherlands/osv4-3_telling_gr2022_westmaasenwaal.csv.xz")
    else {
        return;
    };
    let totals = totals(&imported, "council");
    assert_eq!((totals.len(), totals.values().sum::<u64>(), totals["2|VVD"]), (8, 9350, 1345));
    assert_eq!(
        (column(&imported, "@voters").0, column(&imported, "@blank").0, column(&imported, "@null").0),
        (9398, 21, 27)
    );
    assert_eq!((imported.report.stations, imported.report.rows_filtered), (21, 1));
}

#[test]
fn the_state_totals_agree_with_their_publisher() {
    let path = data().join("us/medsl2024_president_state.csv.xz");
    if !path.exists() {
        eprintln!("skipped: {} is not there (set TALLYPROOF_DATA)", path.display());
        return;
    }
    let states = r#"
        [election]
        id = "states"
        name = "States"
        date = "2024-11-05"
        [station]
        key = "state_po"
        [[skip]]
        column = "votes"
        equals = "NA"
        [long]
        candidate = "candidate"
        votes = "votes"
        absent_is_zero = true
        sum_repeated = true
    "#;
    let states = import(&Mapping::parse(states, "m").unwrap(), &[read(&path)]).unwrap();
    let row = |state: &str| {
        let mut results = csv::Reader::from_reader(file(&states, "results.csv").as_bytes());
        let headers = results.headers().unwrap().clone();
        let row = results.records().map(Result::unwrap).find(|row| &row[0] == state).unwrap();
        let pairs = headers.iter().zip(&row).map(|(header, cell)| (header.to_owned(), cell.to_owned()));
        pairs.collect::<BTreeMap<String, String>>()
    };
    for (mapping, table, state) in
        [("delaware-2024.toml", "us/medsl2024_de24.zip", "DE"), ("vermont-2024.toml", "us/medsl2024_vt24.zip", "VT")]
    {
        let Some(imported) = example(mapping, table) else { return };
        let published = row(state);
        let ours = totals(&imported, "president");
        assert_eq!(ours["KAMALA D HARRIS"].to_string(), published["HARRIS, KAMALA D."]);
        assert_eq!(ours["DONALD J TRUMP"].to_string(), published["TRUMP, DONALD J."]);
        assert_eq!(ours["CHASE OLIVER"].to_string(), published["OLIVER, CHASE"]);
    }
}
