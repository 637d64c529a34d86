//! The running centre over real sockets and files.

use std::fs;
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream, UdpSocket};
use std::path::Path;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use ed25519_dalek::SigningKey;
use tallyproof_cli::centre::{self, Answer, CentreConfig, CentreKeys, Cut, Health, RunningCentre, TlsFiles};
use tallyproof_record::cose::{self, SealedRecord};
use tallyproof_record::definition::package::{self, Files};
use tallyproof_record::definition::{Committed, StationKey};
use tallyproof_record::frame::{self, MacKey};
use tallyproof_record::receipt::Receipt;
use tallyproof_record::tally::Stage;
use tallyproof_record::{ContestNo, Phase, StationNo, Tally};

const STATIONS: u32 = 20;
const LOOPBACK: SocketAddr = SocketAddr::new(std::net::IpAddr::V4(std::net::Ipv4Addr::LOCALHOST), 0);

fn keys() -> CentreKeys {
    CentreKeys::new("log.example/it", [4; 32], [5; 32]).unwrap()
}

fn election() -> Committed {
    let register = (1..=STATIONS).map(|no| format!("s{no},all,1000\n")).collect::<Vec<_>>().concat();
    let toml = "format = 1\nid = \"it\"\nname = \"It\"\ndate = \"2026-07-01\"\nphase = \"drill\"\n\n\
                [[contest]]\nid = \"office\"\nname = \"Office\"\narea = \"all\"\n";
    let files = [
        ("election.toml", toml.to_owned()),
        ("areas.csv", "id,parent,name,kind\nall,,All,country\n".to_owned()),
        ("stations.csv", format!("id,area,registered\n{register}")),
        ("ballot.csv", "contest,line\noffice,a\noffice,b\n".to_owned()),
    ];
    let files: Files = files.map(|(name, text)| (name.to_owned(), text.into_bytes())).into();
    package::parse(&files).unwrap().with_keys(|no| StationKey::from(key(no).verifying_key())).commit()
}

fn key(StationNo(no): StationNo) -> SigningKey {
    let mut seed = [6; 32];
    seed[..4].copy_from_slice(&no.to_be_bytes());
    SigningKey::from_bytes(&seed)
}

fn record(station: u32, votes: u32) -> SealedRecord {
    let tally = Tally {
        election: *election().hash(),
        phase: Phase::Drill,
        stage: Stage::Count,
        station: StationNo(station),
        contest: ContestNo(1),
        sealed_at: 1_800_000_000,
        counts: vec![votes, 1],
        blank: None,
        null: None,
        voters: None,
        registered: None,
        total: None,
        images: Vec::new(),
    };
    cose::seal(&tally, &key(StationNo(station)))
}

fn config(folder: &Path) -> CentreConfig {
    CentreConfig {
        election: election(),
        keys: keys(),
        journal: folder.join("journal"),
        create: !folder.join("journal").exists(),
        bundle: folder.join("bundle"),
        udp: LOOPBACK,
        http: Some(LOOPBACK),
        tls: None,
        admin: Some(LOOPBACK),
        cut: Cut::OnDemand,
        publish_every: Duration::from_secs(5),
        workers: 2,
    }
}

fn start(folder: &Path) -> RunningCentre {
    centre::start(config(folder)).unwrap()
}

fn submit(centre: &RunningCentre, record: &SealedRecord) -> [u8; 108] {
    match centre.submitter().submit(record.as_bytes().to_vec()).wait() {
        Answer::Receipt(receipt) => receipt,
        other => panic!("{other:?}"),
    }
}

fn checkpoint(folder: &Path) -> String {
    fs::read_to_string(folder.join("bundle/log/checkpoint")).unwrap()
}

fn agent(tls: Option<ureq::tls::TlsConfig>) -> ureq::Agent {
    let mut config = ureq::Agent::config_builder().http_status_as_error(false);
    if let Some(tls) = tls {
        config = config.tls_config(tls);
    }
    config.build().into()
}

/// Posts a record: status and body.
fn post(agent: &ureq::Agent, base: &str, bytes: &[u8]) -> (u16, Vec<u8>) {
    let mut response = agent.post(format!("{base}/v1/records")).send(bytes).unwrap();
    (response.status().as_u16(), response.body_mut().read_to_vec().unwrap())
}

fn get(address: SocketAddr, path: &str) -> (u16, String) {
    let mut response = agent(None).get(format!("http://{address}{path}")).call().unwrap();
    (response.status().as_u16(), response.body_mut().read_to_string().unwrap())
}

#[test]
fn http_answers_with_a_receipt_or_a_reason() {
    let folder = tempfile::tempdir().unwrap();
    let centre = start(folder.path());
    let (agent, base) = (agent(None), format!("http://{}", centre.http_addr().unwrap()));
    let sealed = record(1, 10);
    let (status, receipt) = post(&agent, &base, sealed.as_bytes());
    assert_eq!(status, 200);
    let promised = Receipt::verify(&receipt, election().hash(), &keys().receipts.verifying_key()).unwrap();
    assert_eq!((promised.station, promised.digest), (StationNo(1), sealed.digest()));
    assert_eq!(post(&agent, &base, sealed.as_bytes()), (200, receipt), "a copy gets the same receipt");

    let mut forged = sealed.as_bytes().to_vec();
    *forged.last_mut().unwrap() ^= 1;
    for (bytes, expected, code) in [
        (forged, 403, "signature: "),
        (b"hello".to_vec(), 400, "structure: "),
        (vec![0; cose::MAX_LEN + 1], 413, "too-long: "),
    ] {
        let (status, body) = post(&agent, &base, &bytes);
        let body = String::from_utf8(body).unwrap();
        assert!(status == expected && body.starts_with(code), "{status} {body}");
    }
    let stats = centre.shutdown().unwrap();
    assert_eq!((stats.journalled, stats.duplicates, stats.tree_size), (1, 1, 2), "forgeries are never written");
}

#[test]
fn https_serves_the_same_lane() {
    let folder = tempfile::tempdir().unwrap();
    let made = rcgen::generate_simple_self_signed(vec!["localhost".to_owned()]).unwrap();
    let files = TlsFiles { cert: folder.path().join("cert.pem"), key: folder.path().join("key.pem") };
    fs::write(&files.cert, made.cert.pem()).unwrap();
    fs::write(&files.key, made.signing_key.serialize_pem()).unwrap();
    let centre = centre::start(CentreConfig { tls: Some(files), ..config(folder.path()) }).unwrap();
    let root = ureq::tls::Certificate::from_der(made.cert.der()).to_owned();
    let tls = ureq::tls::TlsConfig::builder().root_certs(ureq::tls::RootCerts::new_with_certs(&[root])).build();
    let base = format!("https://localhost:{}", centre.http_addr().unwrap().port());
    assert_eq!(post(&agent(Some(tls)), &base, record(1, 10).as_bytes()).0, 200);
    centre.shutdown().unwrap();
}

#[test]
fn plain_http_is_for_this_machine_only() {
    let folder = tempfile::tempdir().unwrap();
    let open = CentreConfig { http: Some("0.0.0.0:0".parse().unwrap()), ..config(folder.path()) };
    let error = centre::start(open).unwrap_err().to_string();
    assert!(error.contains("loopback"), "{error}");
    assert!(!folder.path().join("journal").exists(), "a refused start leaves nothing behind");
}

#[test]
fn a_client_that_drips_its_headers_is_cut_off() {
    let folder = tempfile::tempdir().unwrap();
    let centre = start(folder.path());
    let mut stream = TcpStream::connect(centre.http_addr().unwrap()).unwrap();
    stream.write_all(b"POST /v1/records HTTP/1.1\r\nHost: a\r\nX-Slow:").unwrap();
    stream.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).expect("the centre closes the connection");
    centre.shutdown().unwrap();
}

#[test]
fn health_and_metrics_are_on_the_private_port_alone() {
    let folder = tempfile::tempdir().unwrap();
    let centre = start(folder.path());
    submit(&centre, &record(1, 10));
    centre.cut_now().unwrap();
    let admin = centre.admin_addr().unwrap();
    let (status, health) = get(admin, "/healthz");
    assert_eq!(status, 200);
    let health: serde_json::Value = serde_json::from_str(&health).unwrap();
    assert_eq!((&health["status"], &health["tree_size"]), (&"ok".into(), &2.into()));
    let (_, metrics) = get(admin, "/metrics");
    for line in [
        "tallyproof_centre_journalled_total 1",
        "tallyproof_centre_drops_total{reason=\"replay\"} 0",
        "tallyproof_centre_slots_counted 1",
        "tallyproof_centre_up 1",
    ] {
        assert!(metrics.lines().any(|found| found == line), "{line}\n{metrics}");
    }
    assert_eq!(get(centre.http_addr().unwrap(), "/metrics").0, 404);
    assert_eq!(centre.health(), Health::Well);
    centre.shutdown().unwrap();
}

#[test]
fn hostile_datagrams_are_counted_never_answered_and_never_written() {
    let folder = tempfile::tempdir().unwrap();
    let centre = start(folder.path());
    let (station, sealed) = (StationNo(3), record(3, 10));
    let mac = MacKey::derive(&keys().mac, election().hash(), 1, station);
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_millis();
    let tick = frame::attempt_at(u64::try_from(now).unwrap());
    let datagram = |attempt, body: &[u8]| frame::encode(station, 1, attempt, body, &mac);
    let genuine = datagram(tick, sealed.as_bytes());
    let mut bad_tag = datagram(tick + 1, sealed.as_bytes());
    bad_tag[47] ^= 1;
    let mut stolen_key = sealed.as_bytes().to_vec();
    *stolen_key.last_mut().unwrap() ^= 1;

    let socket = UdpSocket::bind(LOOPBACK).unwrap();
    socket.connect(centre.udp_addr()).unwrap();
    socket.set_read_timeout(Some(Duration::from_secs(10))).unwrap();
    for hostile in [&b"x"[..], &[0; 300], &bad_tag, &datagram(tick - 20_000, b"old"), &datagram(tick - 1, &stolen_key)]
    {
        socket.send(hostile).unwrap();
    }
    socket.send(&genuine).unwrap();
    let mut answer = [0; 200];
    let length = socket.recv(&mut answer).unwrap();
    let receipt = Receipt::verify(&answer[..length], election().hash(), &keys().receipts.verifying_key()).unwrap();
    assert_eq!(receipt.digest, sealed.digest(), "the one answer is to the one genuine datagram");

    socket.send(&genuine).unwrap();
    socket.send(&datagram(tick + 2, sealed.as_bytes())).unwrap();
    assert_eq!(socket.recv(&mut answer).unwrap(), length, "a copy with a new attempt gets the receipt again");
    let stats = centre.shutdown().unwrap();
    let drops: Vec<_> = stats.drops.iter().filter(|(_, n)| *n > 0).map(|(reason, n)| (reason.as_str(), *n)).collect();
    assert_eq!(drops, [("short", 1), ("magic", 1), ("tag", 1), ("window", 1), ("replay", 1)]);
    assert_eq!((stats.received, stats.refused_total(), stats.journalled, stats.receipts), (8, 1, 1, 2));
}

#[test]
fn the_order_of_arrival_leaves_no_trace() {
    let night = |order: Vec<u32>| {
        let folder = tempfile::tempdir().unwrap();
        let centre = start(folder.path());
        for station in order {
            submit(&centre, &record(station, station));
        }
        centre.shutdown().unwrap();
        checkpoint(folder.path())
    };
    assert_eq!(night((1..=STATIONS).collect()), night((1..=STATIONS).rev().collect()));
}

#[test]
fn a_restart_goes_on_where_it_stopped() {
    let folder = tempfile::tempdir().unwrap();
    let centre = start(folder.path());
    let receipt = submit(&centre, &record(1, 10));
    centre.cut_now().unwrap();
    submit(&centre, &record(2, 10));
    centre.shutdown().unwrap();
    let before = checkpoint(folder.path());

    let centre = start(folder.path());
    assert_eq!(checkpoint(folder.path()), before);
    assert_eq!(submit(&centre, &record(1, 10)), receipt, "the same promise again");
    submit(&centre, &record(1, 11));
    let stats = centre.shutdown().unwrap();
    assert_eq!((stats.journalled, stats.duplicates, stats.tree_size), (1, 1, 4));
    assert_eq!((stats.slots.counted, stats.slots.quarantined), (1, 1), "a conflict is kept, and counts for neither");
}

#[test]
fn a_lost_bundle_is_made_again() {
    let folder = tempfile::tempdir().unwrap();
    let centre = start(folder.path());
    submit(&centre, &record(1, 10));
    centre.shutdown().unwrap();
    let (before, bundle) = (checkpoint(folder.path()), folder.path().join("bundle"));
    let index = fs::read(bundle.join("index/stations.csv")).unwrap();
    fs::remove_dir_all(&bundle).unwrap();
    start(folder.path()).shutdown().unwrap();
    assert_eq!(checkpoint(folder.path()), before);
    assert_eq!(fs::read(bundle.join("index/stations.csv")).unwrap(), index);
}

#[test]
fn a_rolled_back_journal_is_never_signed() {
    let folder = tempfile::tempdir().unwrap();
    let (journal, backup) = (folder.path().join("journal"), folder.path().join("backup"));
    let centre = start(folder.path());
    submit(&centre, &record(1, 10));
    centre.shutdown().unwrap();
    fs::copy(&journal, &backup).unwrap();
    let earlier = checkpoint(folder.path());
    let centre = start(folder.path());
    submit(&centre, &record(2, 10));
    centre.shutdown().unwrap();

    fs::copy(&backup, &journal).unwrap();
    let refusal = || format!("{:#}", centre::start(config(folder.path())).unwrap_err());
    let last = folder.path().join("journal.last-checkpoint");
    let (signed, bundle) = (fs::read(&last).unwrap(), folder.path().join("bundle"));
    assert!(refusal().contains("rolled back"), "{}", refusal());

    fs::rename(&bundle, folder.path().join("away")).unwrap();
    assert!(refusal().contains("rolled back"), "the file beside the journal is enough: {}", refusal());
    fs::remove_file(&last).unwrap();
    assert!(refusal().contains("last-checkpoint is missing"), "{}", refusal());

    fs::remove_dir_all(&bundle).unwrap();
    fs::rename(folder.path().join("away"), &bundle).unwrap();
    fs::write(&last, earlier).unwrap();
    assert!(refusal().contains("rolled back"), "the published checkpoint is enough: {}", refusal());
    assert_eq!(fs::read(bundle.join("log/checkpoint")).unwrap(), signed, "nothing was signed meanwhile");
}
