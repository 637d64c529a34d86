//! Elections made from a recipe, through the real binary: as a package of every command, and as a night with bulletins.

use std::fs;
use std::path::{Path, PathBuf};

use serde_json::{Value, json};

use crate::shell::Shell;

fn example(name: &str) -> String {
    let folder: PathBuf = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../examples").join(name);
    folder.canonicalize().unwrap().display().to_string()
}

fn holds(shell: &Shell, arguments: &str) -> Value {
    let outcome = shell.run(&format!("--json {arguments}"));
    assert_eq!(outcome.code, 0, "{}{}", outcome.stdout, outcome.stderr);
    outcome.json()
}

#[test]
fn a_recipe_and_its_plain_files_are_one_definition() {
    let shell = Shell::new();
    let mini = example("mini");
    let checked = holds(&shell, &format!("election check {mini}"));
    assert_eq!(checked["stations"], 240);
    let written = holds(&shell, &format!("election synth {mini} --out plain"));
    let again = holds(&shell, "election check plain");
    assert_eq!(written["definition"], checked["definition"]);
    assert_eq!(again["definition"], checked["definition"]);
    let shown = |folder: &str| holds(&shell, &format!("election show {folder}"));
    assert_eq!(shown(&mini), shown("plain"));
    assert_eq!(shown("plain")["results"], written["results"]);
    // A second time nothing is overwritten, and plain files have no recipe.
    assert_eq!(shell.run(&format!("election synth {mini} --out plain")).code, 2);
    assert_eq!(shell.run("election synth plain --out other").code, 2);
}

#[test]
fn what_is_enrolled_from_a_recipe_has_the_figures_too() {
    let shell = Shell::new();
    let mini = example("mini");
    holds(&shell, "centre init --keys keys --origin log.example/mini");
    holds(&shell, &format!("election enrol {mini} --keys keys --packs packs --out published"));
    holds(&shell, &format!("election synth {mini} --out plain"));
    let figures = |folder: &str| fs::read(shell.path(folder).join("results.csv")).unwrap();
    assert_eq!(figures("published"), figures("plain"));
    assert!(!shell.path("published/synthetic.toml").exists(), "what is published needs no recipe");
}

#[test]
fn mistakes_of_a_recipe_are_told_like_those_of_a_package() {
    let shell = Shell::new();
    let mini = PathBuf::from(example("mini"));
    let folder = shell.path("broken");
    fs::create_dir(&folder).unwrap();
    fs::copy(mini.join("election.toml"), folder.join("election.toml")).unwrap();
    let recipe = fs::read_to_string(mini.join("synthetic.toml")).unwrap();
    fs::write(folder.join("synthetic.toml"), recipe.replace("stations = 240", "stations = 2")).unwrap();
    let outcome = shell.run("--json election check broken");
    assert_eq!(outcome.code, 1, "{}", outcome.stderr);
    let problem = &outcome.json()["problems"][0];
    assert_eq!((&problem["code"], &problem["where"]), (&json!("DS-06"), &json!("synthetic.toml:6:12")));
    fs::write(folder.join("synthetic.toml"), recipe).unwrap();
    fs::write(folder.join("ballot.csv"), "contest,line\n").unwrap();
    let outcome = shell.run("--json election check broken");
    assert_eq!(outcome.json()["problems"][0]["code"], "DS-13");
}

/// A cross-section of the mega-election: every contest of it has a station.
#[test]
fn a_night_of_every_office_issues_its_bulletins() {
    let shell = Shell::new();
    let options = "--stations 355 --bulletin-at 80% --bulletin-at 97%,100% --seed 3 --bundle bundle";
    let night = holds(&shell, &format!("night {} {options}", example("mega")));
    assert_eq!((&night["verified"], &night["frozen"], &night["unaccounted"]), (&json!(true), &json!(true), &json!([])));
    assert_eq!((&night["stations"], &night["quarantined"], &night["missing"]), (&json!(355), &json!(0), &json!(0)));
    let bulletins = night["bulletins"].as_array().unwrap();
    let number = |value: &Value| value.as_u64().unwrap();
    assert_eq!(bulletins.iter().map(|row| number(&row["number"])).collect::<Vec<_>>(), [1, 2, 3]);
    assert_eq!(bulletins.iter().map(|row| &row["share"]).collect::<Vec<_>>(), ["80 %", "97 %", "100 %"]);
    for (row, percent) in bulletins.iter().zip([80, 97, 100]) {
        let (counted, expected) = (number(&row["counted"]), number(&row["expected"]));
        // A station has at most five contests.
        let least = (expected * percent).div_ceil(100);
        assert!((least..least + 5).contains(&counted), "{row}");
    }
    let last = bulletin(&shell, 3);
    assert_eq!(last["tree_size"], bulletins[2]["tree_size"]);
    let contests = last["contests"].as_object().unwrap();
    assert_eq!(contests.keys().map(String::as_str).collect::<Vec<_>>(), contest_ids(&night));
    assert!(contests.values().all(|contest| contest["stations"]["missing"] == json!([])));
    assert!(contests.values().all(|contest| contest["seats"].is_object()), "seats of every contest");
    assert!(
        bulletin(&shell, 1)["contests"]
            .as_object()
            .unwrap()
            .values()
            .any(|contest| contest["stations"]["missing"] != json!([]))
    );
}

fn bulletin(shell: &Shell, number: u32) -> Value {
    let folder = shell.path("bundle/bulletins").join(number.to_string());
    assert!(folder.join("bulletin.csv").exists() && folder.join("checkpoint").exists());
    serde_json::from_slice(&fs::read(folder.join("bulletin.json")).unwrap()).unwrap()
}

fn contest_ids(night: &Value) -> Vec<&str> {
    night["totals"].as_object().unwrap().keys().map(String::as_str).collect()
}

#[test]
fn a_bulletin_that_cannot_come_is_refused_before_anything_runs() {
    let shell = Shell::new();
    let refused = |options: &str, why: &str| {
        let outcome = shell.run(&format!("night {} --bundle bundle {options}", example("mini")));
        assert_eq!(outcome.code, 2, "{}", outcome.stdout);
        assert!(outcome.stderr.contains(why), "{}", outcome.stderr);
    };
    refused("--bulletin-at 80% --witnesses-offline 2", "4 witnesses");
    refused("--bulletin-at 101%", "at most 1");
    refused("--bulletin-at 0%", "0 of the");
}
