//! Exit code, stdout and stderr together, for what people meet most.

use std::process::Stdio;

use crate::shell::Shell;

/// A snapshot of one command in `shell`.
macro_rules! snapshot {
    ($shell:expr, $name:literal, $line:expr) => {
        insta::assert_snapshot!($name, $shell.transcript($line));
    };
}

#[test]
fn usage_errors() {
    let shell = Shell::new();
    snapshot!(shell, "usage_unknown_command", "electoin check x");
    snapshot!(shell, "usage_missing_argument", "election check");
    snapshot!(shell, "usage_unknown_option", "verify bundle --turst x");
    let help = shell.run("--help");
    assert_eq!((help.code, help.stderr.as_str()), (0, ""));
    assert!(!help.stdout.contains("generate-docs"), "a hidden command is not shown");
}

#[test]
fn election_check() {
    let shell = Shell::with_election();
    snapshot!(shell, "check_valid", "election check election");
    snapshot!(shell, "check_valid_json", "--json election check election");
    shell.write("election/stations.csv", "id,name,area,registered\nS1,School,al,100\nS1,Library,all,many\n");
    snapshot!(shell, "check_mistakes", "election check election");
    snapshot!(shell, "check_mistakes_json", "election check election --json");
    snapshot!(shell, "check_unreadable", "election check nowhere");
    snapshot!(shell, "check_unreadable_json", "election check nowhere --json");
}

#[test]
fn election_show() {
    let shell = Shell::with_election();
    snapshot!(shell, "show", "election show election");
    shell.write("election/ballot.csv", "contest,line,name\n");
    snapshot!(shell, "show_mistakes", "election show election");
}

#[test]
fn verify_needs_a_bundle() {
    let shell = Shell::with_election();
    snapshot!(shell, "verify_nowhere", "verify nowhere");
    snapshot!(shell, "verify_not_a_bundle", "verify election");
    shell.write("trust.toml", "definition = \"00\"\n");
    snapshot!(shell, "verify_bad_trust", "verify election --trust trust.toml");
}

#[test]
fn import_refuses_what_it_would_overwrite() {
    let shell = Shell::with_election();
    shell.write("mapping.toml", "[electoin]\n");
    snapshot!(shell, "import_over_package", "import mapping.toml table.csv --out election");
    shell.write("diary/monday.txt", "");
    snapshot!(shell, "import_over_other_files", "import mapping.toml table.csv --out diary --force");
    snapshot!(shell, "import_missing_mapping", "import none.toml table.csv --out new");
    assert_eq!(shell.run("import mapping.toml table.csv --out new").code, 2);
    assert_eq!(std::fs::read_dir(shell.path("new")).unwrap().count(), 0, "nothing is written before all is known");
}

#[test]
fn a_reader_that_goes_away_is_not_an_error() {
    let shell = Shell::with_election();
    let mut child =
        shell.command("election show election").stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    drop(child.stdout.take());
    let output = child.wait_with_output().unwrap();
    assert_eq!((output.status.code(), output.stderr.as_slice()), (Some(0), &b""[..]));
}
