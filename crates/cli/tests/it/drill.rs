//! Drills through the real binary: a small attack, mistakes in scripts, broken paths, bad relays, a killed centre.

use std::collections::BTreeMap;
use std::fs;

use serde_json::{Value, json};

use crate::shell::Shell;

/// What every script here begins with: 50 stations that report within three seconds.
const HEAD: &str = "format = 1\nname = \"test\"\nseed = 7\nstations = 50\n\
                    reporting = { at = \"500ms\", over = \"3s\" }\npatience = \"60s\"\n";
const ISP_A: &str = "[[path]]\nname = \"isp-a\"\nkind = \"udp\"\ndelay = \"2ms\"\n";
const WEB: &str = "[[path]]\nname = \"web\"\nkind = \"http\"\n";

fn drill(shell: &Shell, script: &[&str], options: &str) -> Value {
    shell.write("script.toml", &script.concat());
    let outcome = shell.run(&format!("--json drill script.toml --bundle bundle {options}"));
    assert_eq!(outcome.code, 0, "{}{}", outcome.stdout, outcome.stderr);
    let report = outcome.json();
    assert_eq!((&report["verified"], &report["unaccounted"]), (&json!(true), &json!([])), "{report}");
    assert_eq!((&report["stations"], &report["records"], &report["receipts"]), (&json!(50), &json!(50), &json!(50)));
    assert_eq!(sum(&report["by_path"]), 50, "every record's first receipt came by one path");
    assert_eq!(paths_of_receipts(shell, &report), report["by_path"]);
    report
}

/// How many lines of the table of receipts name each path.
fn paths_of_receipts(shell: &Shell, report: &Value) -> Value {
    let mut table = csv::Reader::from_path(shell.path(report["receipts_table"].as_str().unwrap())).unwrap();
    let mut lines: BTreeMap<&str, u64> =
        report["by_path"].as_object().unwrap().keys().map(|path| (path.as_str(), 0)).collect();
    for row in table.records() {
        *lines.get_mut(&row.unwrap()[2]).unwrap() += 1;
    }
    json!(lines)
}

fn flood(kind: &str, rate: u32) -> String {
    format!("[[flood]]\nkind = \"{kind}\"\nat = \"200ms\"\nfor = \"3500ms\"\nrate = {rate}\n")
}

fn path(name: &str, conduct: &str) -> String {
    format!("[[path]]\nname = \"{name}\"\nkind = \"relay\"\nconduct = \"{conduct}\"\n")
}

fn sum(counts: &Value) -> u64 {
    counts.as_object().unwrap().values().map(|count| count.as_u64().unwrap()).sum()
}

fn series_sum(report: &Value, field: &str) -> u64 {
    report["series"].as_array().unwrap().iter().map(|second| second[field].as_u64().unwrap()).sum()
}

#[test]
fn a_small_attack_changes_nothing_and_its_figures_agree() {
    let shell = Shell::new();
    let floods = [flood("bad-tag", 2_000), flood("garbage", 500), flood("conflict", 20), flood("http-post", 20)];
    let report = drill(&shell, &[HEAD, ISP_A, WEB, &floods.concat()], "--report report.html");
    let number = |field: &str| report[field].as_u64().unwrap();
    let sent = |kind: &str| report["flood"][kind]["sent"].as_u64().unwrap();
    assert_eq!(
        number("hostile_sent"),
        sent("bad-tag") + sent("garbage") + sent("conflict"),
        "requests are no datagrams"
    );
    assert!((1..=number("hostile_sent")).contains(&number("hostile_received")), "{report}");
    let rejected = |reason: &str| report["rejected"][reason].as_u64().unwrap_or(0);
    assert!(rejected("tag") > 0 && rejected("tag") <= sent("bad-tag"), "{report}");
    assert!(rejected("filter") > 0 && rejected("signature") > 0, "{report}");
    assert_eq!(series_sum(&report, "receipts"), 50);
    assert_eq!(series_sum(&report, "hostile_received"), number("hostile_received"));
    let [half, most, all] = ["p50_ms", "p99_ms", "max_ms"].map(|field| report[field].as_f64().unwrap());
    assert!(0.0 < half && half <= most && most <= all, "{report}");
    assert!(report["poll_close_to_97_ms"].as_u64().unwrap() > 2_000, "stations report over three seconds");
    assert!(report["centre_memory_bytes"]["peak"].as_u64() >= report["centre_memory_bytes"]["before"].as_u64());
    assert!(fs::read_to_string(shell.path("report.html")).unwrap().contains("<svg"));

    let verified = shell.run("--json verify bundle --trust bundle.trust.toml").json();
    assert_eq!((&verified["ok"], &verified["anchored"]), (&json!(true), &json!(true)));
    assert!(verified["quarantined"].as_u64().unwrap() > 0, "stations in whose name another record was sent");
    assert_eq!(verified["counted"].as_u64().unwrap() + verified["quarantined"].as_u64().unwrap(), 50);
}

#[test]
fn without_attack_nobody_attacks() {
    let shell = Shell::new();
    let report = drill(&shell, &[HEAD, ISP_A, &flood("conflict", 20)], "--without-attack");
    assert_eq!((&report["hostile_sent"], &report["flood"]), (&json!(0), &json!({})));
    assert_eq!(report["by_path"], json!({"isp-a": 50}));
    assert!(shell.path("bundle.drill.html").exists(), "the page stands beside the bundle by default");
}

#[test]
fn a_cut_path_a_lossy_one_and_a_killed_centre_cost_time_only() {
    let shell = Shell::new();
    let faults = "[[path]]\nname = \"isp-b\"\nkind = \"udp\"\nloss = 0.3\nduplicate = 0.2\n\
                  [[fault]]\nat = \"0s\"\nfor = \"10m\"\npath = \"isp-a\"\ncut = true\n\
                  [[fault]]\nat = \"0s\"\nfor = \"4s\"\npath = \"isp-b\"\nloss = 0.9\n\
                  [[fault]]\nat = \"2s\"\nkill_centre = true\n";
    let report = drill(&shell, &[HEAD, ISP_A, faults], "");
    assert_eq!((&report["by_path"], &report["kills"]), (&json!({"isp-a": 0, "isp-b": 50}), &json!(1)));
    assert_eq!(report["paths"][0]["delivered"], 0, "nothing passes a path that is cut");
    assert!(report["datagrams_per_record"].as_f64().unwrap() > 3.0, "{report}");
}

#[test]
fn bad_relays_are_seen_and_the_other_path_carries_everything() {
    let shell = Shell::new();
    let relays = [path("alters", "alter"), path("duplicates", "duplicate"), path("withholds", "withhold")];
    let report = drill(&shell, &[HEAD, WEB, &relays.concat()], "");
    let by_path = &report["by_path"];
    assert_eq!((&by_path["alters"], &by_path["withholds"]), (&json!(0), &json!(0)), "{report}");
    let rejected = |reason: &str| report["rejected"][reason].as_u64().unwrap_or(0);
    assert!(rejected("digest") + rejected("tag") > 0, "what was altered: {report}");
    assert!(rejected("replay") > 0, "what was handed on several times: {report}");
    assert_eq!(report["paths"][3]["delivered"], 0, "what was withheld: {report}");
}

#[test]
fn an_honest_relay_carries_records() {
    let shell = Shell::new();
    let report = drill(&shell, &[HEAD, &path("office", "honest"), &flood("replay", 200)], "");
    assert_eq!(report["by_path"], json!({"office": 50}));
    assert!(report["hostile_received"].as_u64() <= report["hostile_sent"].as_u64(), "a relay is no attacker");
}

#[test]
fn mistakes_in_a_script_name_their_place() {
    let shell = Shell::new();
    shell.write("script.toml", &[HEAD, "[[path]]\nname = \"a\"\nkind = \"udp\"\nlos = 0.1\n"].concat());
    let outcome = shell.run("drill script.toml --bundle bundle");
    assert_eq!(outcome.code, 2);
    assert!(outcome.stderr.contains("script.toml:10:1"), "{}", outcome.stderr);
    assert!(outcome.stderr.contains("`loss`"), "{}", outcome.stderr);
    assert!(!shell.path("bundle").exists());
}

#[test]
fn an_official_package_is_not_drilled_with() {
    let shell = Shell::with_election();
    let toml = fs::read_to_string(shell.path("election/election.toml")).unwrap();
    shell.write("election/election.toml", &toml.replace("phase = \"drill\"", "phase = \"official\""));
    shell.write("election/results.csv", "station,contest,@blank,@null,A,B\nS1,mayor,1,2,40,30\n");
    let head = HEAD.replace("stations = 50", "election = \"election\"");
    shell.write("script.toml", &[head.as_str(), ISP_A].concat());
    let outcome = shell.run("drill script.toml --bundle bundle");
    assert_eq!(outcome.code, 2);
    assert!(outcome.stderr.contains("the package's phase is official"), "{}", outcome.stderr);
    assert!(!shell.path("bundle").exists());
}

#[test]
fn a_seed_of_the_simulated_country_replays() {
    let shell = Shell::new();
    let traced = shell.run("--json drill --seed 7 --trace");
    assert_eq!(traced.code, 0, "{}", traced.stderr);
    let report = traced.json();
    assert!(report["trace"].as_array().unwrap().len() > 1_000);
    assert_eq!(report["failure"], Value::Null);
    assert_eq!(shell.run("--json drill --seed 7 --trace").stdout, traced.stdout);
    let several = shell.run("drill --seed 0 --seeds 20");
    assert_eq!(several.code, 0);
    assert!(several.stdout.contains("seeds 0 to 19") && several.stdout.ends_with("every invariant holds\n"));
    assert_eq!(shell.run("drill --seeds 20").code, 2, "a number of seeds needs the first");
}

#[test]
fn a_kept_night_of_the_simulated_country_is_run_from_its_file() {
    let shell = Shell::new();
    let kept = include_str!("../../../drill/tests/cases/dedupe-lost-at-restart.night");
    shell.write("kept.night", kept);
    let broken = shell.run("--json drill --plan kept.night --trace");
    assert_eq!(broken.code, 1, "{}", broken.stderr);
    let report = broken.json();
    assert_eq!(report["failure"]["plan"][0], "tallyproof-night v1");
    assert!(report["trace"].as_array().unwrap().last().unwrap().as_str().unwrap().starts_with("!! "));
    let sound: String = kept.lines().filter(|line| !line.starts_with("bug")).map(|line| format!("{line}\n")).collect();
    shell.write("sound.night", &sound);
    assert_eq!(shell.run("drill --plan sound.night").code, 0);
    shell.write("none.night", "tallyproof-night v1\ncountry nowhere\n");
    let outcome = shell.run("drill --plan none.night");
    assert_eq!((outcome.code, outcome.stderr.contains("no such country: nowhere")), (2, true), "{}", outcome.stderr);
    assert_eq!(shell.run("drill --plan missing.night").code, 2);
}
