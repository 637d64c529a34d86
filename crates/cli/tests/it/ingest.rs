//! `tallyproof centre ingest`: sticks to the running centre, and receipts home.

use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::time::Duration;
use std::{fs, io, thread};

use serde_json::Value;
use tallyproof_cli::centre::CentreKeys;
use tallyproof_record::receipt::Receipt;

use crate::world::{World, program};

/// A stick with this many stations' records, in folders of ten.
fn stick(world: &World, stations: u32) -> PathBuf {
    let stick = world.path("stick");
    for station in 1..=stations {
        let folder = stick.join(format!("office-{}", station / 10));
        fs::create_dir_all(&folder).unwrap();
        let name = format!("station-{station}-contest-1.cose");
        fs::write(folder.join(name), world.seal(station, 1, 10).as_bytes()).unwrap();
    }
    stick
}

fn log_key(world: &World) -> String {
    CentreKeys::read(&world.path("keys")).unwrap().verifier().to_string()
}

/// Exit code and report.
fn ingest(stick: &Path, to: SocketAddr, options: &[&str]) -> (i32, Value) {
    let mut command = program();
    command.args(["centre", "ingest", "--json", "--to", &format!("http://{to}")]).args(options).arg(stick);
    let output = command.output().unwrap();
    let report = serde_json::from_slice(&output.stdout);
    (output.status.code().unwrap(), report.unwrap_or_else(|_| panic!("{}", String::from_utf8_lossy(&output.stderr))))
}

fn counts(report: &Value) -> [u64; 7] {
    let number = |name: &str| report[name].as_u64().unwrap();
    let length = |name: &str| report[name].as_array().unwrap().len() as u64;
    let [refused, others, failed] = ["refused", "not_records", "failed"].map(length);
    let [files, receipted, already, receipts] = ["files", "receipted", "already", "receipt_files"].map(number);
    assert_eq!(files, receipted + already + receipts + refused + others + failed, "every file is accounted for");
    [files, receipted, already, receipts, refused, others, failed]
}

#[test]
fn a_stick_carries_its_receipts_home_and_can_come_again() {
    let world = World::new(30);
    let centre = world.serve();
    let stick = stick(&world, 30);
    let log = log_key(&world);
    let (code, report) = ingest(&stick, centre.http, &["--log", &log]);
    assert_eq!((code, counts(&report), &report["verified"]), (0, [30, 30, 0, 0, 0, 0, 0], &true.into()), "{report}");
    let key = CentreKeys::read(&world.path("keys")).unwrap().receipts.verifying_key();
    let bytes = fs::read(stick.join("office-1/station-17-contest-1.receipt")).unwrap();
    let receipt = Receipt::verify(&bytes, world.election.hash(), &key).unwrap();
    assert_eq!(receipt.digest, world.seal(17, 1, 10).digest());

    fs::write(stick.join("office-1/station-17-contest-1.receipt"), b"").unwrap();
    fs::remove_file(stick.join("office-1/station-18-contest-1.receipt")).unwrap();
    let (code, report) = ingest(&stick, centre.http, &["--log", &log]);
    assert_eq!((code, counts(&report)), (0, [59, 2, 28, 29, 0, 0, 0]), "{report}");
    assert_eq!(fs::read(stick.join("office-1/station-17-contest-1.receipt")).unwrap(), bytes);
    let left_behind = fs::read_dir(stick.join("office-1")).unwrap().count();
    assert_eq!(left_behind, 20);
    centre.stop();
    assert_eq!(world.logged().1, 31, "nothing is logged twice");
}

#[test]
fn what_has_no_receipt_is_named_with_its_reason() {
    let world = World::new(3);
    let centre = world.serve();
    let stick = stick(&world, 2);
    let mut altered = world.seal(3, 1, 10).into_bytes();
    *altered.last_mut().unwrap() ^= 1;
    for (name, bytes) in [
        ("altered.cose", altered.as_slice()),
        ("garbage.cose", b"hello"),
        ("huge.cose", vec![0; 70_000].as_slice()),
        ("readme.txt", b"hello"),
        ("._station-1-contest-1.cose", b"mac"),
    ] {
        fs::write(stick.join(name), bytes).unwrap();
    }
    #[cfg(unix)]
    std::os::unix::fs::symlink("/", stick.join("everything")).unwrap();
    let (code, report) = ingest(&stick, centre.http, &["--log", &log_key(&world)]);
    assert_eq!((code, counts(&report)), (1, [8, 2, 0, 0, 3, 3, 0]), "{report}");
    let refused: Vec<_> =
        report["refused"].as_array().unwrap().iter().map(|row| row["code"].as_str().unwrap()).collect();
    assert_eq!(refused, ["signature", "structure", "too-long"]);
    assert!(report["refused"][0]["file"].as_str().unwrap().ends_with("altered.cose"), "{report}");
    assert_eq!(stats_journalled(centre.admin), 2);
    centre.stop();
}

fn stats_journalled(admin: SocketAddr) -> u64 {
    let body = ureq::get(format!("http://{admin}/stats")).call().unwrap().body_mut().read_to_string().unwrap();
    serde_json::from_str::<Value>(&body).unwrap()["journalled"].as_u64().unwrap()
}

#[test]
fn a_trust_file_keeps_other_elections_out() {
    let world = World::new(3);
    let centre = world.serve();
    let stick = stick(&world, 2);
    let trust = world.path("trust.toml");
    let option = ["--trust", trust.to_str().unwrap()];
    let write = |definition: &str| {
        fs::write(&trust, format!("definition = \"{definition}\"\nlog = \"{}\"\n", log_key(&world))).unwrap();
    };
    write(&"0".repeat(64));
    let (code, report) = ingest(&stick, centre.http, &option);
    assert_eq!((code, counts(&report), &report["refused"][0]["code"]), (1, [2, 0, 0, 0, 2, 0, 0], &"election".into()));
    write(&world.election.hash().to_string());
    assert_eq!(ingest(&stick, centre.http, &option).0, 0);
    centre.stop();
}

#[test]
fn a_receipt_of_another_key_is_not_believed() {
    let world = World::new(3);
    let centre = world.serve();
    let stick = stick(&world, 2);
    let other = CentreKeys::new("log.example/other", [9; 32], [5; 32]).unwrap().verifier().to_string();
    let (code, report) = ingest(&stick, centre.http, &["--log", &other]);
    assert_eq!((code, counts(&report)), (1, [2, 0, 0, 0, 0, 0, 2]), "{report}");
    assert!(!stick.join("office-0/station-1-contest-1.receipt").exists());
    assert!(report["failed"][0]["why"].as_str().unwrap().contains("--log"), "{report}");
    centre.stop();
}

#[test]
fn a_centre_out_of_reach_fails_every_record_soon() {
    let world = World::new(40);
    let stick = stick(&world, 40);
    let nowhere = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let (code, report) = ingest(&stick, nowhere, &[]);
    assert_eq!((code, counts(&report), &report["verified"]), (1, [40, 0, 0, 0, 0, 0, 40], &false.into()), "{report}");
    assert!(report["failed"][39]["why"].as_str().unwrap().contains("out of reach"), "{report}");
}

#[test]
fn a_centre_that_starts_late_is_waited_for() {
    let world = World::new(5);
    let stick = stick(&world, 5);
    let centre = world.serve();
    let front = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let behind = centre.http;
    // Nothing listens at first; then the first client is sent away; then all goes through.
    thread::spawn(move || {
        thread::sleep(Duration::from_secs(1));
        let listener = TcpListener::bind(front).unwrap();
        drop(listener.accept());
        for client in listener.incoming() {
            let (client, centre) = (client.unwrap(), TcpStream::connect(behind).unwrap());
            for (mut from, mut to) in [(client.try_clone().unwrap(), centre.try_clone().unwrap()), (centre, client)] {
                thread::spawn(move || io::copy(&mut from, &mut to));
            }
        }
    });
    let (code, report) = ingest(&stick, front, &["--log", &log_key(&world)]);
    assert_eq!((code, counts(&report)), (0, [5, 5, 0, 0, 0, 0, 0]), "{report}");
    centre.stop();
}

#[test]
fn what_cannot_be_run_says_why() {
    let world = World::new(1);
    let run = |arguments: &[&str]| {
        let output =
            program().args(["centre", "ingest"]).args(arguments).current_dir(world.path(".")).output().unwrap();
        (output.status.code().unwrap(), String::from_utf8(output.stderr).unwrap())
    };
    for (arguments, expected) in [
        (["nowhere", "--to", "http://127.0.0.1:1", "--log", ""], "is the stick mounted?"),
        ([".", "--to", "udp://127.0.0.1:1", "--log", ""], "over HTTP"),
        ([".", "--to", "http://127.0.0.1:1", "--log", "x"], "'x' for '--log"),
    ] {
        let arguments = if arguments[4].is_empty() { &arguments[..3] } else { &arguments };
        let (code, text) = run(arguments);
        assert!(code == 2 && text.contains(expected), "{code} {text}");
    }
}
