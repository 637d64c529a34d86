//! A night's bundle, verified as an outsider would: from a folder, from a web server, unchanged and changed.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;
use std::thread;

use crate::shell::Shell;

/// One small night for all tests of this module.
fn night() -> &'static Shell {
    static NIGHT: OnceLock<Shell> = OnceLock::new();
    NIGHT.get_or_init(|| {
        let shell = Shell::with_election();
        shell.write("election/results.csv", "station,contest,@blank,@null,A,B\nS1,mayor,1,2,40,30\n");
        let outcome = shell.run("--json night election --bundle bundle");
        assert_eq!(outcome.code, 0, "{}{}", outcome.stdout, outcome.stderr);
        shell
    })
}

fn copy(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).unwrap();
    for entry in std::fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let target = to.join(entry.file_name());
        if entry.file_type().unwrap().is_dir() {
            copy(&entry.path(), &target);
        } else {
            drop(std::fs::copy(entry.path(), target));
        }
    }
}

#[test]
fn a_bundle_alone_is_consistent_and_with_trust_anchored() {
    let shell = night();
    let alone = shell.run("--json verify bundle");
    assert_eq!(alone.code, 0, "{}", alone.stdout);
    let found = alone.json();
    assert_eq!((&found["ok"], &found["anchored"]), (&true.into(), &false.into()));
    assert_eq!((&found["counted"], &found["missing"]), (&1.into(), &1.into()), "missing is not zero");
    assert_eq!(found["totals"]["mayor"], serde_json::json!({"A": 40, "B": 30}));
    let trusted = shell.run("--json verify bundle --trust bundle.trust.toml").json();
    assert_eq!(trusted["anchored"], true);
}

#[test]
fn a_changed_byte_is_found_and_named() {
    let shell = Shell::new();
    copy(&night().path("bundle"), &shell.path("bundle"));
    let path = shell.path("bundle/index/totals.json");
    let mut bytes = std::fs::read(&path).unwrap();
    bytes[10] ^= 1;
    std::fs::write(&path, bytes).unwrap();
    let outcome = shell.run("--json verify bundle");
    assert_eq!(outcome.code, 1);
    let found = outcome.json();
    let problems = found["problems"].as_array().unwrap();
    assert!(problems.iter().any(|problem| problem["where"] == "index/totals.json"), "{problems:?}");
}

#[test]
fn a_bundle_on_a_web_server_is_verified_too() {
    let shell = night();
    let base = serve(shell.path("bundle"));
    let outcome = shell.run(&format!("--json verify {base}/ --trust bundle.trust.toml"));
    assert_eq!(outcome.code, 0, "{}{}", outcome.stdout, outcome.stderr);
    assert_eq!(outcome.json()["anchored"], true);
    let nowhere = shell.run(&format!("--json verify {base}/elsewhere"));
    assert_eq!(nowhere.code, 2, "{}", nowhere.stdout);
}

/// A web server of the least kind: one request a connection.
pub(crate) fn serve(folder: PathBuf) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let base = format!("http://{}", listener.local_addr().unwrap());
    thread::spawn(move || {
        for stream in listener.incoming() {
            let mut reader = BufReader::new(stream.unwrap());
            let mut request = String::new();
            reader.read_line(&mut request).unwrap();
            let mut header = String::new();
            while reader.read_line(&mut header).unwrap() > 2 {
                header.clear();
            }
            let path = request.split(' ').nth(1).unwrap().trim_start_matches('/').to_owned();
            let mut body = Vec::new();
            let found = std::fs::File::open(folder.join(path)).and_then(|mut file| file.read_to_end(&mut body));
            let status = if found.is_ok() { "200 OK" } else { "404 Not Found" };
            let head = format!("HTTP/1.1 {status}\r\nContent-Length: {}\r\nConnection: close\r\n\r\n", body.len());
            let stream = reader.get_mut();
            stream.write_all(head.as_bytes()).and_then(|()| stream.write_all(&body)).unwrap();
        }
    });
    base
}
