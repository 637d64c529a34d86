//! `settled` through the binary: the examples, and that no verdict comes without its premises.

use std::fs;
use std::path::{Path, PathBuf};

use serde_json::Value;

use crate::shell::{Outcome, Shell};

fn example(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../examples/settled").join(name)
}

fn shell() -> Shell {
    let shell = Shell::new();
    for file in fs::read_dir(example("")).unwrap() {
        let path = file.unwrap().path();
        shell.write(&path.file_name().unwrap().to_string_lossy(), &fs::read_to_string(&path).unwrap());
    }
    shell
}

fn json(shell: &Shell, name: &str) -> (i32, Value) {
    let outcome = shell.run(&format!("--json settled {name}"));
    (outcome.code, outcome.json())
}

#[test]
fn two_bulletins_differ_where_their_premises_differ() {
    let shell = shell();
    let figures = |name: &str| {
        let (code, report) = json(&shell, name);
        (code, report["lead"].as_u64(), report["bound"].as_u64(), report["settled"].as_bool().unwrap())
    };
    assert_eq!(figures("bulletin-1.toml"), (1, Some(704_114), Some(11_263_031), false));
    assert_eq!(figures("bulletin-2.toml"), (0, Some(1_082_740), Some(667_374), true));
    // The same votes: only what is known of the outstanding stations differs.
    assert_eq!(figures("bulletin-2-register-open.toml"), (1, Some(1_082_740), Some(8_985_921), false));
    insta::assert_snapshot!("settled_bulletin_1", shell.transcript("settled bulletin-1.toml"));
    insta::assert_snapshot!("settled_bulletin_2", shell.transcript("settled bulletin-2.toml"));
}

#[test]
fn every_example_states_its_premises_in_neutral_words() {
    let shell = shell();
    for file in fs::read_dir(example("")).unwrap() {
        let name = file.unwrap().file_name().to_string_lossy().into_owned();
        let (code, report) = json(&shell, &name);
        assert_eq!(code, i32::from(!report["settled"].as_bool().unwrap()), "{name}");
        let text = shell.run(&format!("settled {name}")).stdout;
        let premises = report["premises"].as_array().unwrap();
        assert!(premises.len() >= 5, "{name}");
        for premise in premises {
            let premise = premise.as_str().unwrap();
            assert!(
                text.contains(premise) && report["statement"].as_str().unwrap().contains(premise),
                "{name}: {premise}"
            );
        }
        for word in ["trend", "irreversible", "winner", "certain", "fraud"] {
            assert!(!text.to_lowercase().contains(word), "{name} says {word}");
        }
    }
}

#[test]
fn the_other_types_are_answered_station_by_station_and_seat_by_seat() {
    let shell = shell();
    insta::assert_snapshot!("settled_first_round", shell.transcript("settled first-round.toml"));
    insta::assert_snapshot!("settled_council", shell.transcript("settled council.toml"));
    insta::assert_snapshot!("settled_mixed", shell.transcript("settled mixed.toml"));
    let (_, council) = json(&shell, "council.toml");
    let seats = council["seats"].as_array().unwrap();
    assert!(
        seats
            .iter()
            .all(|row| row["least"].as_u64() <= row["now"].as_u64() && row["now"].as_u64() <= row["most"].as_u64())
    );
}

#[test]
fn mistakes_have_their_place_and_code() {
    let shell = shell();
    let file = "contest = \"c\"\ntype = \"run-off\"\nsource = \" \"\nmore_than = \"150%\"\nseats = 3\n[votes]\nA = 1\n[outstanding]\nturnout = 1\nregistered = 2\n";
    shell.write("bad.toml", file);
    insta::assert_snapshot!("settled_mistakes", shell.transcript("settled bad.toml --json"));
    let refused = |text: &str| -> Outcome {
        shell.write("bad.toml", text);
        shell.run("settled bad.toml")
    };
    let start = "contest = \"c\"\ntype = \"plurality\"\nsource = \"s\"\n";
    for (rest, code) in [
        ("", "SF-01"),
        ("[votes]\nA = -1\n[outstanding]\n", "SF-01"),
        ("odd = 1\n[votes]\nA = 1\n[outstanding]\n", "SF-01"),
        ("[votes]\n[outstanding]\n", "SF-08"),
        ("[votes]\nA = 1\n[outstanding]\nregister = { all = 0 }\n", "SF-08"),
        (
            "[votes]\nA = 1\n[[outstanding.station]]\nid = \"1\"\n[[outstanding.station]]\nid = \"1\"\nstate = \"lost\"\n",
            "SF-07",
        ),
    ] {
        let outcome = refused(&format!("{start}{rest}"));
        assert_eq!(outcome.code, 2, "{rest}");
        assert!(
            outcome.stderr.contains(&format!(": {code}: ")) && outcome.stderr.contains("bad.toml:"),
            "{}",
            outcome.stderr
        );
    }
}

/// The examples' figures are those of the collected bulletins, where the collection is at hand.
#[test]
fn the_examples_state_the_bulletins_as_published() {
    let collected = Path::new("/work/shared/data/venezuela-2024/official_bulletins_as_published.json");
    let Ok(text) = fs::read_to_string(collected) else {
        eprintln!("skipped: {} is not on this machine", collected.display());
        return;
    };
    let collected: Value = serde_json::from_str(&text).unwrap();
    let shell = shell();
    for (example, bulletin) in [("bulletin-1.toml", "bulletin_1"), ("bulletin-2.toml", "bulletin_2")] {
        assert_eq!(json(&shell, example).1["votes"], collected[bulletin]["votes"], "{example}");
    }
    let bulletin = &collected["bulletin_2"];
    let out = bulletin["registered"].as_u64().unwrap() - bulletin["registered_in_counted_actas"].as_u64().unwrap();
    assert_eq!(json(&shell, "bulletin-2.toml").1["bound"], out);
}
