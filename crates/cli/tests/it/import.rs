//! What an import's exit code means, and that its package is one.

use crate::shell::Shell;

const MAPPING: &str = r#"[election]
id = "tables-2026"
name = "Tables 2026"
date = "2026-07-01"

[station]
key = "box"
registered = "roll"

[lines]
columns = ["a", "b"]

[[contest]]
id = "mayor"
name = "Mayor"
"#;

const IMPORT: &str = "--json import mapping.toml table.csv --out out";

fn shell(table: &str) -> Shell {
    let shell = Shell::new();
    shell.write("mapping.toml", MAPPING);
    shell.write("table.csv", table);
    shell
}

#[test]
fn a_row_without_figures_is_missing_and_explained() {
    let shell = shell("box,roll,a,b\n1,100,10,20\n2,100,,\n3,100,5,5\n");
    let outcome = shell.run(IMPORT);
    assert_eq!(outcome.code, 0, "{}{}", outcome.stdout, outcome.stderr);
    let report = outcome.json();
    assert_eq!((&report["rows_read"], &report["rows_used"], &report["missing"]), (&3.into(), &2.into(), &1.into()));
    assert_eq!(report["totals"]["mayor"]["a"], 15);
    assert_eq!(report["problem_counts"]["IM-04"], 1);
    let written = std::fs::read_to_string(shell.path("out/import-report.json")).unwrap();
    assert_eq!(written, outcome.stdout);
    assert_eq!(shell.run("election check out").code, 0);
}

#[test]
fn a_row_that_cannot_be_understood_does_not_hold() {
    let shell = shell("box,roll,a,b\n1,100,10,20\n2,100,ten,20\n");
    let outcome = shell.run(IMPORT);
    assert_eq!(outcome.code, 1);
    assert_eq!(outcome.json()["problems"][0]["where"], "table.csv:3");
    assert_eq!(shell.run("election check out").code, 0, "the package is written all the same");
}

#[test]
fn a_package_is_replaced_only_by_force() {
    let shell = shell("box,roll,a,b\n1,100,10,20\n");
    assert_eq!(shell.run(IMPORT).code, 0);
    assert_eq!(shell.run(IMPORT).code, 2);
    assert_eq!(shell.run(&format!("{IMPORT} --force")).code, 0);
}

#[test]
fn mistakes_in_a_mapping_are_all_reported() {
    let shell = shell("box,roll,a,b\n1,100,10,20\n");
    shell.write("mapping.toml", "[electoin]\nid = \"x\"\n");
    insta::assert_snapshot!("import_bad_mapping", shell.transcript("import mapping.toml table.csv --out out"));
}
