//! Runs the binary in a folder of its own, so that every path in its output is relative and stable.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use tempfile::TempDir;

pub(crate) struct Shell {
    folder: TempDir,
}

/// What a command did.
pub(crate) struct Outcome {
    pub(crate) code: i32,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

impl Shell {
    pub(crate) fn new() -> Self {
        Self { folder: tempfile::tempdir().unwrap() }
    }

    /// A folder with the small election package `election`.
    pub(crate) fn with_election() -> Self {
        let shell = Self::new();
        shell.write("election/election.toml", ELECTION);
        shell.write("election/areas.csv", "id,parent,name,kind\nall,,Everywhere,\n");
        shell.write("election/stations.csv", "id,name,area,registered\nS1,School,all,100\nS2,Library,all,100\n");
        shell.write("election/ballot.csv", "contest,line,name\nmayor,A,Alpha\nmayor,B,Beta\n");
        shell
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    pub(crate) fn write(&self, name: &str, text: &str) {
        let path = self.path(name);
        fs::create_dir_all(path.parent().unwrap_or(Path::new("."))).unwrap();
        fs::write(path, text).unwrap();
    }

    pub(crate) fn command(&self, line: &str) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_tallyproof"));
        let inherited = std::env::vars_os().map(|(name, _)| name);
        for name in inherited.filter(|name| name.to_string_lossy().starts_with("TALLYPROOF_")) {
            command.env_remove(name);
        }
        command.args(line.split_whitespace()).current_dir(self.folder.path()).stdin(Stdio::null());
        command
    }

    pub(crate) fn run(&self, line: &str) -> Outcome {
        self.run_with(line, &[])
    }

    pub(crate) fn run_with(&self, line: &str, env: &[(&str, &str)]) -> Outcome {
        self.command(line).envs(env.iter().copied()).output().unwrap().into()
    }

    /// The command with everything that it did, for snapshots.
    pub(crate) fn transcript(&self, line: &str) -> String {
        let Outcome { code, stdout, stderr } = self.run(line);
        format!("$ tallyproof {line}\nexit code: {code}\n--- stdout\n{stdout}--- stderr\n{stderr}")
    }
}

impl Outcome {
    pub(crate) fn json(&self) -> serde_json::Value {
        serde_json::from_str(&self.stdout).unwrap_or_else(|error| panic!("{error}: {}\n{}", self.stdout, self.stderr))
    }
}

impl From<Output> for Outcome {
    fn from(output: Output) -> Self {
        Self {
            code: output.status.code().unwrap(),
            stdout: String::from_utf8(output.stdout).unwrap(),
            stderr: String::from_utf8(output.stderr).unwrap(),
        }
    }
}

const ELECTION: &str = r#"format = 1
id = "small-2026"
name = "Small 2026"
date = "2026-07-01"
phase = "drill"

[[contest]]
id = "mayor"
name = "Mayor"
area = "all"
figures = ["blank", "null"]
"#;
