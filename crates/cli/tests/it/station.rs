//! A station's evening, with the real binary and a centre that loses, forges and repeats.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, UdpSocket};
use std::path::{Path, PathBuf};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use ed25519_dalek::SigningKey;
use tallyproof_cli::centre::{self, CentreConfig, CentreKeys, Cut, GatherConfig, HttpConfig, UdpConfig};
use tallyproof_cli::package;
use tallyproof_record::cose::{self, SealedRecord};
use tallyproof_record::definition::DefinitionHash;
use tallyproof_record::frame::{Frame, MacKey};
use tallyproof_record::receipt::Receipt;

use crate::shell::Shell;

pub(crate) const SEAL: &str =
    "--json station seal --pack packs/station-1.toml --election published --queue queue --figures count.csv";
pub(crate) const SEND: &str = "--json station send --queue queue --pack packs/station-1.toml --timeout 20";

pub(crate) fn enrolled() -> Shell {
    let shell = Shell::with_election();
    let init = shell.run("centre init --keys keys --origin log.example/small");
    assert_eq!(init.code, 0, "{}", init.stderr);
    let enrol = shell.run("--json election enrol election --keys keys --packs packs --out published");
    assert_eq!(enrol.code, 0, "{}", enrol.stderr);
    let check = shell.run("--json election check published").json();
    assert_eq!(check["definition"], enrol.json()["definition"]);
    shell.write("count.csv", "figure,count\nA,40\nB,30\n@blank,2\n@null,1\n");
    shell
}

#[test]
fn enrolment_makes_secret_packs_and_never_overwrites() {
    let shell = enrolled();
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        let mode = std::fs::metadata(shell.path("packs/station-2.toml")).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
    }
    let again = shell.run("election enrol election --keys keys --packs packs --out other");
    assert_eq!(again.code, 2);
    assert!(again.stderr.contains("packs is not empty"), "{}", again.stderr);
    let twice = shell.run("election enrol published --keys keys --packs packs2 --out other");
    assert!(twice.stderr.contains("station S1 has a key already"), "{}", twice.stderr);
}

#[test]
fn a_record_is_sealed_once() {
    let shell = enrolled();
    let first = shell.run(SEAL);
    assert_eq!(first.code, 0, "{}", first.stderr);
    let second = shell.run(SEAL).json();
    assert_eq!((&second["already"], &second["digest"]), (&true.into(), &first.json()["digest"]));
    shell.write("count.csv", "figure,count\nA,41\nB,30\n@blank,2\n@null,1\n");
    let other = shell.run(SEAL);
    assert_eq!(other.code, 2);
    assert!(other.stderr.contains("sealed with other figures"), "{}", other.stderr);
}

#[test]
fn a_record_that_fails_a_rule_is_sealed_only_by_force() {
    let shell = enrolled();
    shell.write("count.csv", "figure,count\nA,400\nB,30\n@blank,2\n@null,1\n");
    let refused = shell.run(SEAL);
    assert_eq!(refused.code, 1);
    assert_eq!(refused.json()["findings"][0]["code"], "BO-01");
    assert_eq!(refused.json()["sealed"], false);
    assert_eq!(shell.run("station status --queue queue --json").json()["records"].as_array().unwrap().len(), 0);
    let forced = shell.run(&format!("{SEAL} --force"));
    assert_eq!((forced.code, &forced.json()["sealed"]), (0, &true.into()));
}

#[test]
fn mistakes_in_the_figures_have_their_place() {
    let shell = enrolled();
    let cases = [
        ("figure,count\nA,40\nB,many\n", "count.csv:3: `many` is not a count"),
        ("figure,count\nA,40\nA,41\nB,1\n", "count.csv:3: `A` stands twice"),
        ("figure,count\nA,40\nB,1\n@blanc,1\n", "did you mean `@blank`?"),
        ("figure,count\nA,40\n", "has no count for ballot line `B`"),
        ("{\"A\": 40, \"B\": -1}", "not an object of counts"),
        ("station,contest,A,B\nS2,mayor,1,2\n", "has no row for station S1, contest mayor"),
    ];
    for (text, expected) in cases {
        shell.write("count.csv", text);
        let outcome = shell.run(SEAL);
        assert_eq!(outcome.code, 2, "{text}");
        assert!(outcome.stderr.contains(expected), "{text}: {}", outcome.stderr);
    }
    for text in
        ["{\"A\": 40, \"B\": 1, \"@blank\": 0, \"@null\": 0}", "station,contest,@blank,@null,A,B\nS1,mayor,0,0,40,1\n"]
    {
        shell.write("count.csv", text);
        let outcome = shell.run(SEAL);
        assert_eq!(outcome.code, 0, "{}", outcome.stderr);
    }
}

/// By its fourth transmission a record has waited for more than three seconds, and HTTP has had its turn.
const AFTER_HEAD_START: usize = 4;

/// Takes datagrams until it has answered well once: answers the second with a forgery, the one numbered `heard` twice, and
/// loses those before.
fn unreliable_centre(keys: CentreKeys, election: DefinitionHash, heard: usize) -> (String, JoinHandle<Vec<u32>>) {
    let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
    let address = format!("udp://{}", socket.local_addr().unwrap());
    let serve = move || {
        let mut attempts = Vec::new();
        loop {
            let mut buffer = [0; 2048];
            let (length, sender) = socket.recv_from(&mut buffer).unwrap();
            let frame = Frame::parse(&buffer[..length]).unwrap();
            let mac = MacKey::derive(&keys.mac, &election, keys.epoch, frame.header.station);
            frame.authenticate(&mac).unwrap();
            attempts.push(frame.header.attempt);
            let digest = SealedRecord::from_bytes(frame.body.to_vec()).unwrap().digest();
            let tally = cose::open(frame.body).unwrap().tally;
            let receipt = Receipt { station: tally.station, contest: tally.contest, digest };
            match attempts.len() {
                1 => {}
                2 => drop(socket.send_to(&receipt.sign(&election, &SigningKey::from_bytes(&[1; 32])), sender)),
                tries if tries < heard => {}
                _ => {
                    let good = receipt.sign(&election, &keys.receipts);
                    let copies = [(); 2].map(|()| socket.send_to(&good, sender));
                    assert!(copies[0].is_ok());
                    return attempts;
                }
            }
        }
    };
    (address, thread::spawn(serve))
}

#[test]
fn a_record_is_sent_until_its_receipt_verifies() {
    let shell = enrolled();
    assert_eq!(shell.run(SEAL).code, 0);
    let waiting = shell.run("--json station status --queue queue --pack packs/station-1.toml");
    assert_eq!((waiting.code, &waiting.json()["waiting"]), (1, &1.into()));
    let election = shell.run("--json election show published").json()["definition"].as_str().unwrap().parse().unwrap();
    let (address, centre) = unreliable_centre(CentreKeys::read(&shell.path("keys")).unwrap(), election, 3);
    let sent = shell.run(&format!("{SEND} --to {address}"));
    let attempts = centre.join().unwrap();
    assert_eq!(sent.code, 0, "{}", sent.stderr);
    let report = sent.json();
    assert_eq!((&report["waiting"], &report["receipts"][0]["tries"]), (&0.into(), &3.into()));
    assert_eq!(report["receipts"][0]["path"], address, "`--to` is `--via`");
    assert!(attempts.windows(2).all(|pair| pair[0] < pair[1]), "{attempts:?}");
    let done = shell.run("--json station status --queue queue --pack packs/station-1.toml");
    assert_eq!((done.code, &done.json()["receipted"]), (0, &1.into()));
    let again = shell.run(&format!("{SEND} --to {address}")).json();
    assert_eq!((&again["transmissions"], &again["before"]), (&0.into(), &1.into()));
}

#[test]
fn a_damaged_receipt_does_not_count() {
    let shell = enrolled();
    assert_eq!(shell.run(SEAL).code, 0);
    std::fs::write(shell.path("queue/station-1-contest-1.receipt"), [0; 108]).unwrap();
    let status = shell.run("--json station status --queue queue --pack packs/station-1.toml");
    assert_eq!((status.code, &status.json()["waiting"]), (1, &1.into()));
}

#[test]
fn sending_gives_up_after_the_timeout_and_keeps_the_queue() {
    let shell = enrolled();
    assert_eq!(shell.run(SEAL).code, 0);
    let deaf = UdpSocket::bind("127.0.0.1:0").unwrap();
    let to = deaf.local_addr().unwrap();
    let sent = shell
        .run(&format!("--json station send --queue queue --pack packs/station-1.toml --timeout 1 --to udp://{to}"));
    assert_eq!((sent.code, &sent.json()["waiting"]), (1, &1.into()));
    assert!(shell.path("queue/station-1-contest-1.cose").exists());
}

/// Takes connections and never answers.
fn silent_server() -> (TcpListener, String) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = format!("http://{}", listener.local_addr().unwrap());
    (listener, address)
}

/// The one record in a drop folder: its path.
fn only_record(folder: &Path) -> Option<PathBuf> {
    let mut found = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    found.find(|path| path.extension().is_some_and(|extension| extension == "cose"))
}

/// Writes the centre's receipt beside a record, as `centre ingest` does.
fn answer_beside(shell: &Shell, record: &Path) {
    let keys = CentreKeys::read(&shell.path("keys")).unwrap();
    let sealed = SealedRecord::from_bytes(std::fs::read(record).unwrap()).unwrap();
    let tally = cose::open(sealed.as_bytes()).unwrap().tally;
    let receipt = Receipt { station: tally.station, contest: tally.contest, digest: sealed.digest() };
    std::fs::write(record.with_extension("receipt"), receipt.sign(&tally.election, &keys.receipts)).unwrap();
}

#[test]
fn a_folder_takes_the_record_where_udp_and_https_are_dead() {
    let shell = enrolled();
    assert_eq!(shell.run(SEAL).code, 0);
    std::fs::create_dir(shell.path("stick")).unwrap();
    let deaf = UdpSocket::bind("127.0.0.1:0").unwrap();
    let (_listener, silent) = silent_server();
    let line = format!("{SEND} --via udp://{} --via {silent} --via file:stick", deaf.local_addr().unwrap());
    let sent = thread::scope(|scope| {
        let sending = scope.spawn(|| shell.run(&line));
        let until = Instant::now() + Duration::from_secs(10);
        let record = loop {
            match only_record(&shell.path("stick")) {
                Some(record) => break record,
                None => assert!(Instant::now() < until, "the folder never got the record"),
            }
        };
        answer_beside(&shell, &record);
        sending.join().unwrap()
    });
    assert_eq!((sent.code, &sent.json()["waiting"]), (0, &0.into()), "{}", sent.stderr);
    assert_eq!(sent.json()["receipts"][0]["path"], "file:stick");
    let record = only_record(&shell.path("stick")).unwrap();
    assert_eq!(std::fs::read(record).unwrap(), std::fs::read(shell.path("queue/station-1-contest-1.cose")).unwrap());
}

#[test]
fn with_folders_alone_sending_ends_when_they_have_the_record() {
    let shell = enrolled();
    assert_eq!(shell.run(SEAL).code, 0);
    let send = format!("{} --via file:stick", SEND.replace(" --timeout 20", ""));
    let early = shell.run(&format!("{send} --timeout 1"));
    assert_eq!(early.code, 1);
    assert!(
        early.stderr.contains("there is no folder stick"),
        "a folder that is not there is not made: {}",
        early.stderr
    );
    std::fs::create_dir(shell.path("stick")).unwrap();
    let sent = shell.run(&send);
    assert_eq!((sent.code, &sent.json()["waiting"], &sent.json()["transmissions"]), (1, &1.into(), &1.into()));
    assert!(sent.stderr.contains("carry it to the centre"), "{}", sent.stderr);
    answer_beside(&shell, &only_record(&shell.path("stick")).unwrap());
    let again = shell.run(&send);
    assert_eq!((again.code, &again.json()["receipts"][0]["path"]), (0, &"file:stick".into()), "{}", again.stderr);
}

#[test]
fn a_server_that_hangs_delays_no_other_way() {
    let shell = enrolled();
    assert_eq!(shell.run(SEAL).code, 0);
    let election = shell.run("--json election show published").json()["definition"].as_str().unwrap().parse().unwrap();
    let (_listener, silent) = silent_server();
    let (good, centre) = unreliable_centre(CentreKeys::read(&shell.path("keys")).unwrap(), election, AFTER_HEAD_START);
    let start = Instant::now();
    let sent = shell.run(&format!("{SEND} --via {silent} --via {good}"));
    centre.join().unwrap();
    let report = sent.json();
    assert_eq!((sent.code, &report["receipts"][0]["path"]), (0, &good.clone().into()), "{}", sent.stderr);
    assert_eq!(report["receipts"][0]["tries"], 5, "four by the way that lives, one that hangs");
    assert!(start.elapsed() < Duration::from_secs(10), "the POST alone would take twenty seconds");
}

#[test]
fn by_two_ways_that_live_one_record_gets_one_receipt() {
    let shell = enrolled();
    assert_eq!(shell.run(SEAL).code, 0);
    let centre = centre::start(CentreConfig {
        election: package::load(&shell.path("published")).unwrap().election.commit(),
        keys: CentreKeys::read(&shell.path("keys")).unwrap(),
        journal: shell.path("journal"),
        last_checkpoint: None,
        create: true,
        bundle: shell.path("bundle"),
        udp: UdpConfig::at(([127, 0, 0, 1], 0)),
        http: Some(HttpConfig::plain(([127, 0, 0, 1], 0).into())),
        admin: None,
        cut: Cut::OnDemand,
        publish_every: Duration::from_secs(1),
        gather: GatherConfig::default(),
        witnesses_at: Vec::new(),
        workers: 1,
    })
    .unwrap();
    let (udp, http) = (centre.udp_addr(), centre.http_addr().unwrap());
    let sent = shell.run(&format!("{SEND} --via udp://{udp} --via http://{http}"));
    assert_eq!((sent.code, &sent.json()["waiting"]), (0, &0.into()), "{}", sent.stderr);
    assert_eq!(sent.json()["receipts"].as_array().unwrap().len(), 1);
    let stats = centre.shutdown().unwrap();
    assert_eq!((stats.journalled, stats.tree_size), (1, 2));
}

#[test]
fn a_relay_that_holds_a_record_has_not_settled_it() {
    let shell = enrolled();
    assert_eq!(shell.run(SEAL).code, 0);
    let (address, relay) = refusing_centre("202 Accepted", "held: no promise yet", 2);
    let sent = shell.run(&format!("{} --via {address}", SEND.replace("--timeout 20", "--timeout 1")));
    relay.join().unwrap();
    assert_eq!((sent.code, &sent.json()["waiting"]), (1, &1.into()));
    assert_eq!(sent.stderr, "", "to be held is no failure");
}

#[test]
fn mistakes_in_the_ways_are_said_before_anything_is_sent() {
    let shell = enrolled();
    assert_eq!(shell.run(SEAL).code, 0);
    for (ways, expected) in [
        ("--via http://centre.example", "plain http is for this machine alone"),
        ("--via udp://centre.example", "lacks a port"),
        ("--via file:stick --via file:stick", "given twice"),
        ("--via centre.example:7410", "is not a way to the centre"),
        ("", "the pack names no way to the centre; give one with --via"),
    ] {
        let sent = shell.run(&format!("{SEND} {ways}"));
        assert_eq!(sent.code, 2, "{ways}");
        assert!(sent.stderr.contains(expected), "{ways}: {}", sent.stderr);
    }
}

/// Answers `requests` POSTs with the same words, and counts them.
fn refusing_centre(status: &'static str, reason: &'static str, requests: usize) -> (String, JoinHandle<()>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = format!("http://{}", listener.local_addr().unwrap());
    let serve = move || {
        for _ in 0..requests {
            let mut stream = BufReader::new(listener.accept().unwrap().0);
            let (mut line, mut length) = (String::new(), 0);
            while stream.read_line(&mut line).unwrap() > 2 {
                let lower = line.to_lowercase();
                length = lower.strip_prefix("content-length:").map_or(length, |value| value.trim().parse().unwrap());
                line.clear();
            }
            stream.read_exact(&mut vec![0; length]).unwrap();
            let head = format!("HTTP/1.1 {status}\r\nContent-Length: {}\r\nConnection: close\r\n\r\n", reason.len());
            stream.get_mut().write_all(format!("{head}{reason}").as_bytes()).unwrap();
        }
    };
    (address, thread::spawn(serve))
}

#[test]
fn a_refusal_for_good_is_reported_and_not_sent_again() {
    let answers =
        [("400 Bad Request", "structure: no"), ("403 Forbidden", "key: no"), ("413 Content Too Large", "too-long: no")];
    for (status, reason) in answers {
        let shell = enrolled();
        assert_eq!(shell.run(SEAL).code, 0);
        let (address, centre) = refusing_centre(status, reason, 1);
        let sent = shell.run(&format!("{SEND} --to {address}"));
        centre.join().unwrap();
        let report = sent.json();
        assert_eq!(
            (sent.code, &report["waiting"], &report["transmissions"]),
            (1, &0.into(), &1.into()),
            "{}",
            sent.stderr
        );
        assert_eq!(report["refused"][0]["status"].to_string(), status[..3]);
        assert_eq!(report["refused"][0]["reason"], reason);
        assert!(sent.stderr.contains(reason), "{}", sent.stderr);
        let status = shell.run("--json station status --queue queue --pack packs/station-1.toml");
        assert_eq!((status.code, &status.json()["waiting"]), (1, &1.into()), "the record stays in the queue");
    }
}

#[test]
fn a_refusal_that_may_pass_is_tried_again() {
    let shell = enrolled();
    assert_eq!(shell.run(SEAL).code, 0);
    let (address, centre) = refusing_centre("503 Service Unavailable", "unavailable: later", 2);
    let send = SEND.replace("--timeout 20", "--timeout 2");
    let sent = shell.run(&format!("{send} --to {address}"));
    centre.join().unwrap();
    assert_eq!((sent.code, &sent.json()["waiting"], &sent.json()["refused"]), (1, &1.into(), &serde_json::json!([])));
}

/// Whoever can refuse on one way cannot keep a record from getting through on another.
#[test]
fn a_refusal_on_one_way_leaves_the_others() {
    let shell = enrolled();
    assert_eq!(shell.run(SEAL).code, 0);
    let election = shell.run("--json election show published").json()["definition"].as_str().unwrap().parse().unwrap();
    let (refusing, refuser) = refusing_centre("403 Forbidden", "key: no", 1);
    let (good, centre) = unreliable_centre(CentreKeys::read(&shell.path("keys")).unwrap(), election, AFTER_HEAD_START);
    let sent = shell.run(&format!("{SEND} --to {refusing} --to {good}"));
    refuser.join().unwrap();
    centre.join().unwrap();
    assert_eq!((sent.code, &sent.json()["waiting"], &sent.json()["refused"]), (0, &0.into(), &serde_json::json!([])));
    assert_eq!(sent.json()["transmissions"], 5, "one by the way that refuses, four by the other");
}

#[test]
fn the_pack_of_another_election_is_refused() {
    let shell = enrolled();
    let outcome = shell.run(&SEAL.replace("--election published", "--election election"));
    assert_eq!(outcome.code, 2);
    assert!(outcome.stderr.contains("use the package that was published with the pack"), "{}", outcome.stderr);
}

/// With a terminal of its own (`script` of util-linux), as an officer has.
#[cfg(target_os = "linux")]
#[test]
fn an_officer_seals_a_record_at_the_terminal() {
    use std::process::{Command, Stdio};

    let shell = enrolled();
    let line = format!(
        "{} station seal --pack packs/station-1.toml --election published --queue queue --lang es",
        env!("CARGO_BIN_EXE_tallyproof")
    );
    let mut script = Command::new("script");
    script.args(["--quiet", "--return", "--command", &line, "/dev/null"]).current_dir(shell.path(""));
    let mut child = script.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
    child.stdin.as_mut().unwrap().write_all(b"40\nmuchos\n30\n2\n1\n\n\n\ns\xc3\xad\n").unwrap();
    let output = child.wait_with_output().unwrap();
    let shown = String::from_utf8_lossy(&output.stdout);
    assert_eq!(output.status.code(), Some(0), "{shown}");
    let status = shell.run("--json station status --queue queue").json();
    assert_eq!(status["records"].as_array().unwrap().len(), 1, "{shown}");
}
