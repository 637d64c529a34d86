//! Flag over environment over configuration file over default, seen through the real binary.

use crate::shell::{Outcome, Shell};

/// `election check` of an election that only a language of the form would be refused for.
fn language_refused(outcome: &Outcome) -> Option<String> {
    let at = outcome.stderr.find("invalid value '")?;
    let rest = &outcome.stderr[at + "invalid value '".len()..];
    rest.split('\'').next().map(str::to_owned)
}

const SEAL: &str = "station seal --pack p --election e --queue q";

#[test]
fn a_flag_wins_over_the_environment_and_that_over_the_file() {
    let shell = Shell::new();
    let env = [("TALLYPROOF_STATION_SEAL_LANG", "from-env")];
    let flag = format!("{SEAL} --lang from-flag");
    assert_eq!(language_refused(&shell.run(SEAL)), None, "the default is fine");
    assert_eq!(language_refused(&shell.run_with(SEAL, &env)).as_deref(), Some("from-env"));
    assert_eq!(language_refused(&shell.run_with(&flag, &env)).as_deref(), Some("from-flag"));
    shell.write("tallyproof.toml", "[station.seal]\nlang = \"es\"\n");
    assert_eq!(language_refused(&shell.run(SEAL)), None);
    assert_eq!(language_refused(&shell.run_with(SEAL, &env)).as_deref(), Some("from-env"));
}

#[test]
fn the_file_gives_required_options_too() {
    let shell = Shell::new();
    shell.write("c.toml", "json = true\n[station.seal]\npack = \"pack-of-file\"\nelection = \"e\"\nqueue = \"q\"\n");
    let outcome = shell.run("station seal --config c.toml");
    assert_eq!(outcome.code, 2);
    assert_eq!(outcome.json()["error"], "cannot open pack-of-file");
    let outcome = shell
        .run_with("station seal", &[("TALLYPROOF_CONFIG", "c.toml"), ("TALLYPROOF_STATION_SEAL_PACK", "pack-of-env")]);
    assert_eq!(outcome.json()["error"], "cannot open pack-of-env");
    let outcome = shell.run("station seal --config c.toml --pack pack-of-flag");
    assert_eq!(outcome.json()["error"], "cannot open pack-of-flag");
}

#[test]
fn mistakes_in_the_file_have_their_place() {
    let shell = Shell::with_election();
    shell.write("tallyproof.toml", "[station.seal]\nlanguage = \"es\"\n");
    insta::assert_snapshot!("config_unknown_key", shell.transcript("election check election"));
    shell.write("tallyproof.toml", "[staton]\n");
    insta::assert_snapshot!("config_unknown_table", shell.transcript("election check election"));
    shell.write("tallyproof.toml", "[station.send]\ntimeout = \"soon\"\n");
    insta::assert_snapshot!("config_bad_value", shell.transcript("election check election"));
    shell.write("tallyproof.toml", "[station\n");
    insta::assert_snapshot!("config_not_toml", shell.transcript("election check election --json"));
    insta::assert_snapshot!("config_missing", shell.transcript("election check election --config none.toml"));
}
