//! The guide's commands, run as they stand on the page, so that the page cannot go out of date.

use std::net::{Ipv4Addr, TcpListener, UdpSocket};
use std::path::Path;
use std::process::{Command, Stdio};
use std::{env, fs};

/// The text of all fenced blocks of a language.
fn blocks(page: &str, language: &str) -> String {
    let fence = format!("```{language}\n");
    page.split(&fence).skip(1).filter_map(|rest| rest.split("```").next()).collect()
}

/// Two ports that nobody has, for datagrams and connections. Below those that the system hands out: between this look and the
/// centre's start another test's connection could be given one of them.
fn free_ports() -> [u16; 2] {
    let first = 10_000 + u16::try_from(std::process::id() % 10_000).unwrap() * 2;
    let is_free = |port: &u16| {
        UdpSocket::bind((Ipv4Addr::LOCALHOST, *port)).is_ok() && TcpListener::bind((Ipv4Addr::LOCALHOST, *port)).is_ok()
    };
    // One that has a number of the page in it would be replaced in its turn.
    let mut free = (first..u16::MAX).filter(|port| !port.to_string().contains("741")).filter(is_free);
    [free.next().unwrap(), free.next().unwrap()]
}

/// Runs the commands of a page in a folder of its own: everything printed, and the exit code.
#[cfg(unix)]
fn run_page(name: &str) -> (String, Option<i32>) {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").canonicalize().unwrap();
    let page = fs::read_to_string(root.join("docs/guide").join(name)).unwrap();
    let folder = tempfile::tempdir().unwrap();
    std::os::unix::fs::symlink(root.join("fixtures"), folder.path().join("fixtures")).unwrap();
    // The page's ports may be taken on the machine that runs the tests.
    let commands = ["7410", "7411"]
        .iter()
        .zip(free_ports())
        .fold(blocks(&page, "sh"), |commands, (port, free)| commands.replace(port, &free.to_string()));
    let program = Path::new(env!("CARGO_BIN_EXE_tallyproof")).parent().unwrap();
    let path = env::join_paths([program.to_owned()].into_iter().chain(env::split_paths(&env::var_os("PATH").unwrap())));
    // If a command fails, the centre must not outlive the test.
    let script =
        format!("set -eu\ncentre=\ntrap '[ -z \"$centre\" ] || kill \"$centre\" 2>&- || true' EXIT\n{commands}");
    let mut shell = Command::new("sh");
    shell.args(["-c", &script]).current_dir(folder.path()).env("PATH", path.unwrap()).stdin(Stdio::null());
    let output = shell.output().unwrap();
    let (stdout, stderr) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    (format!("{stdout}\n--- stderr\n{stderr}"), output.status.code())
}

#[cfg(unix)]
#[test]
fn the_first_election_runs_as_the_page_says() {
    let (shown, code) = run_page("first-election.md");
    for expected in ["1 receipts came", "anchored", "exit code 1", "index/totals.json"] {
        assert!(shown.contains(expected), "`{expected}` is missing:\n{shown}");
    }
    assert_eq!(code, Some(0), "{shown}");
}

#[cfg(unix)]
#[test]
fn corrections_run_as_the_page_says() {
    let (shown, code) = run_page("corrections.md");
    let expected = [
        "it waits for 1 more to sign",
        "exit code 1: one signature is missing",
        "taken; it has the signatures that it needs",
        "1 correction signed by as many members of the authority as the definition asks for",
        "2 counted",
        "anchored",
    ];
    for expected in expected {
        assert!(shown.contains(expected), "`{expected}` is missing:\n{shown}");
    }
    assert_eq!(code, Some(0), "{shown}");
}

#[cfg(unix)]
#[test]
fn bulletins_run_as_the_page_says() {
    let (shown, code) = run_page("bulletins.md");
    let expected = [
        "nobody has signed it yet",
        "exit code 1: one signature is missing",
        "taken; it has the signatures that it needs",
        "bulletin.es.pdf",
        "Records not included can hold at most",
        "the file is that of bulletin 1, byte for byte (pdf)",
        "the file is that of bulletin 1, byte for byte (statement)",
        "the log gives `95`",
        "exit code 1: not what the log gives",
        "1 bulletins",
    ];
    for expected in expected {
        assert!(shown.contains(expected), "`{expected}` is missing:\n{shown}");
    }
    assert_eq!(code, Some(0), "{shown}");
}
