//! Whole nights through the real binary: known totals, bad networks, bad stations, one log for one seed, no byte unseen.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use proptest::prelude::Rng;
use proptest::test_runner::{RngAlgorithm, TestRng};
use serde_json::{Value, json};
use tallyproof_cli::bundle_source::Folder;
use tallyproof_count::{Source, verify};

use crate::shell::Shell;

fn repository() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").canonicalize().unwrap()
}

fn night(shell: &Shell, election: &Path, options: &str) -> Value {
    let outcome = shell.run(&format!("--json night {} {options}", election.display()));
    assert_eq!(outcome.code, 0, "{}{}", outcome.stdout, outcome.stderr);
    let report = outcome.json();
    assert_eq!((&report["verified"], &report["unaccounted"]), (&json!(true), &json!([])), "{report}");
    report
}

#[test]
fn guanajuato_counts_every_station_and_the_known_totals() {
    let shell = Shell::new();
    let report = night(&shell, &repository().join("fixtures/guanajuato-2012"), "--bundle bundle");
    for field in ["stations", "records_sent", "receipts", "counted"] {
        assert_eq!(report[field], 6746, "{field}");
    }
    let expected = json!({"governor": {
        "pan_na": 1_111_379, "pri_pvem": 948_445, "prd": 119_209, "pt": 28_770, "mc": 21_452, "otros": 84_910,
    }});
    assert_eq!(report["totals"], expected);
}

/// Missing figures are a missing record, never zero.
#[test]
fn rows_without_figures_stay_missing() {
    let source = repository().join("../shared/data/mexico-2012/mor_2012.csv.xz");
    if !source.exists() {
        println!("skipped: {} is not there", source.display());
        return;
    }
    let shell = Shell::new();
    let mapping = repository().join("examples/mappings/morelos-2012.toml");
    let import = shell.run(&format!("--json import {} {} --out election", mapping.display(), source.display()));
    assert_eq!(import.code, 0, "{}", import.stderr);
    assert_eq!(import.json()["problem_counts"], json!({"IM-04": 66}));
    let report = night(&shell, &shell.path("election"), "--bundle bundle");
    assert_eq!((&report["stations"], &report["counted"], &report["missing"]), (&json!(2240), &json!(2174), &json!(66)));
    assert_eq!(report["totals"], import.json()["totals"]);
}

#[test]
fn a_bad_network_and_bad_stations_leave_nothing_unaccounted() {
    let shell = Shell::new();
    let election = repository().join("fixtures/guanajuato-2012");
    let options = "--stations 400 --loss 0.3 --duplicate 0.2 --bad 0.1 --seed 7 --bundle bundle";
    let report = night(&shell, &election, options);
    let number = |field: &str| report[field].as_u64().unwrap();
    assert_eq!(number("counted") + number("quarantined") + number("missing"), 400);
    for field in ["quarantined", "rejected", "hostile_sent", "hostile_received"] {
        assert!(number(field) > 0, "{field} of a night with bad stations");
    }
    assert_eq!(
        number("missing"),
        number("rejected"),
        "every station reports, and only rejected records count as missing"
    );
    assert_eq!(number("receipts"), number("records_sent"));
    assert!(number("datagrams_sent") > 400 * 3 / 2, "the network lost what it was told to lose");
}

/// Four of five stand one who is offline and one who cosigns whatever it is shown: nothing but the report is different.
#[test]
fn a_witness_that_is_offline_and_one_that_lies_change_nothing_and_are_reported() {
    let (calm, troubled) = (Shell::new(), Shell::new());
    let election = repository().join("fixtures/tiny");
    let expected = night(&calm, &election, "--bundle bundle");
    assert_eq!((&expected["witnesses"], &expected["cosignatures"]), (&json!(5), &json!(5)));
    let found = night(&troubled, &election, "--bundle bundle --witnesses-offline 1 --witnesses-lying 1");
    for field in ["definition", "root", "tree_size", "totals", "counted", "quarantined", "missing", "frozen"] {
        assert_eq!(found[field], expected[field], "{field}");
    }
    assert_eq!((&found["witnesses"], &found["cosignatures"]), (&json!(5), &json!(4)));
    let facts = |row: &Value| (row["conduct"].clone(), row["on_final"].clone(), row["offered_fork"].clone());
    let rows: Vec<_> = found["witness_reports"].as_array().unwrap().iter().map(facts).collect();
    let honest = (json!("honest"), json!(true), json!("proof-kept"));
    let liar = (json!("lying"), json!(true), json!("cosigned"));
    let absent = (json!("offline"), json!(false), json!("silent"));
    assert_eq!(rows, [honest.clone(), honest.clone(), honest, liar, absent]);
}

#[test]
fn without_the_quorum_no_log_is_finished() {
    let shell = Shell::new();
    let election = repository().join("fixtures/tiny");
    let outcome = shell.run(&format!("--json night {} --bundle bundle --witnesses-offline 2", election.display()));
    assert_eq!(outcome.code, 1, "{}", outcome.stderr);
    let report = outcome.json();
    assert_eq!((&report["frozen"], &report["verified"]), (&json!(false), &json!(true)), "{report}");
    let verified = shell.run("--json verify bundle").json();
    assert_eq!((&verified["ok"], &verified["frozen"]), (&json!(true), &json!(false)), "interim: a warning, no problem");
    assert_eq!(verified["warnings"][0]["code"], "BN-27");
}

#[test]
fn the_same_package_and_seed_give_the_same_log_over_any_network() {
    let (calm, stormy) = (Shell::new(), Shell::new());
    let election = repository().join("fixtures/tiny");
    let first = night(&calm, &election, "--bad 0.3 --seed 5 --bundle bundle");
    let second = night(&stormy, &election, "--bad 0.3 --seed 5 --loss 0.3 --duplicate 0.3 --bundle bundle");
    for field in ["definition", "root", "tree_size", "totals", "counted", "quarantined", "rejected"] {
        assert_eq!(first[field], second[field], "{field}");
    }
    let other = night(&calm, &election, "--bad 0.3 --seed 6 --bundle bundle");
    assert_ne!(first["root"], other["root"]);
}

#[test]
fn an_official_package_is_not_rehearsed_with() {
    let shell = Shell::with_election();
    let toml = std::fs::read_to_string(shell.path("election/election.toml")).unwrap();
    shell.write("election/election.toml", &toml.replace("phase = \"drill\"", "phase = \"official\""));
    shell.write("election/results.csv", "station,contest,@blank,@null,A,B\nS1,mayor,1,2,40,30\n");
    let outcome = shell.run("night election --bundle bundle");
    assert_eq!(outcome.code, 2);
    assert!(outcome.stderr.contains("the package's phase is official"), "{}", outcome.stderr);
    assert!(!shell.path("bundle").exists());
}

/// Acceptance: 2,000 single-byte changes anywhere in a bundle, each found, each with the file's name.
#[test]
fn two_thousand_changed_bytes_are_found_and_their_files_named() {
    let shell = Shell::new();
    night(&shell, &repository().join("fixtures/tiny"), "--bad 0.2 --bundle bundle");
    let folder = Folder::open(&shell.path("bundle")).unwrap();
    let paths = folder.list().unwrap().unwrap();
    let files: BTreeMap<String, Vec<u8>> =
        paths.iter().map(|path| (path.clone(), folder.read(path).unwrap().unwrap())).collect();
    assert!(verify(&files, None, &|_, _| ()).unwrap().ok);
    let mut random = TestRng::from_seed(RngAlgorithm::ChaCha, &[7; 32]);
    for _ in 0..2_000 {
        let path = &paths[random.next_u32() as usize % paths.len()];
        let at = random.next_u32() as usize % files[path].len();
        let bit = 1 + u8::try_from(random.next_u32() % 255).unwrap();
        let mut changed = files.clone();
        changed.get_mut(path).unwrap()[at] ^= bit;
        let found = verify(&changed, None, &|_, _| ()).unwrap();
        let named = found.problems.iter().any(|problem| problem.place.starts_with(path.as_str()));
        assert!(!found.ok && named, "{path} byte {at} xor {bit}: {:?}", found.problems);
    }
}
