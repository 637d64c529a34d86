//! `seats` through the binary.

use std::fs;
use std::path::Path;

use crate::shell::Shell;

fn shell() -> Shell {
    let shell = Shell::new();
    for name in ["council.csv", "alliances.csv"] {
        let example = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../examples/seats").join(name);
        shell.write(name, &fs::read_to_string(example).unwrap());
    }
    shell
}

#[test]
fn seats_of_the_example_are_explained() {
    let shell = shell();
    insta::assert_snapshot!(
        "seats_council",
        shell.transcript("seats --method dhondt --seats 11 --threshold 0.05 council.csv")
    );
    insta::assert_snapshot!(
        "seats_alliances",
        shell.transcript("seats --method hare --seats 11 --inside sainte-lague alliances.csv")
    );
}

#[test]
fn the_json_follows_the_contract() {
    let outcome = shell().run("--json seats --method dhondt --seats 11 --threshold 0.05 council.csv");
    assert_eq!((outcome.code, outcome.stderr.as_str()), (0, ""));
    let report = outcome.json();
    assert_eq!(report["seats"], serde_json::json!({"Ash": 6, "Birch": 3, "Cedar": 1, "Elm": 1, "Hazel": 0}));
    assert_eq!(report["below_threshold"], serde_json::json!(["Hazel"]));
    let order = report["order"].as_array().unwrap();
    assert_eq!(
        (order.len(), &order[1]["list"], &order[1]["numerator"], &order[1]["denominator"]),
        (11, &"Birch".into(), &31977.into(), &1.into())
    );
}

#[test]
fn a_tie_without_a_rule_does_not_hold() {
    let shell = shell();
    shell.write("tied.csv", "list,votes\nAsh,60\nBirch,40\nCedar,30\n");
    let seats = "seats --method dhondt --seats 3 tied.csv";
    insta::assert_snapshot!("seats_tied", shell.transcript(seats));
    let third = |more: &str| shell.run(&format!("--json {seats} {more}")).json()["order"][2]["list"].clone();
    assert_eq!((third("--more-votes"), third("--lot Cedar,Ash,Birch")), ("Ash".into(), "Cedar".into()));
    assert_eq!(shell.run(&format!("{seats} --lot Cedar,Ash,Birch")).code, 0);
}

#[test]
fn what_cannot_be_used_is_refused_with_its_place() {
    let shell = shell();
    shell.write("bad.csv", "list,votes\nAsh,1.5\nAsh,\n");
    insta::assert_snapshot!("seats_mistakes", shell.transcript("seats --method hare --seats 3 bad.csv --json"));
    shell.write("named.csv", "list,votes,nominal\nAsh,10,1\n");
    for refused in [
        "seats --method hare --seats 3 named.csv",
        "seats --method hare --seats 0 council.csv",
        "seats --method hare --seats 3 --threshold-of 10 council.csv",
        "seats --method hare --seats 3 --lot Fir council.csv",
        "seats --method hare --seats 3 --threshold 1.5 council.csv",
        "seats --method borda --seats 3 council.csv",
    ] {
        let outcome = shell.run(refused);
        assert_eq!((outcome.code, outcome.stdout.as_str()), (2, ""), "{refused}: {}", outcome.stderr);
    }
    assert_eq!(shell.run("seats --method hare --seats 3 --mixed parallel named.csv").code, 0);
}
