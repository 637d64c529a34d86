//! The running centre over real sockets and files.

use std::fs;
use std::net::{SocketAddr, UdpSocket};
use std::path::Path;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use ed25519_dalek::SigningKey;
use tallyproof_cli::centre::{
    self, Answer, CentreConfig, CentreKeys, Cut, GatherConfig, HttpConfig, RunningCentre, UdpConfig,
};
use tallyproof_record::cose::{self, SealedRecord};
use tallyproof_record::definition::package::{self, Files};
use tallyproof_record::definition::{Committed, StationKey};
use tallyproof_record::frame::{self, MacKey};
use tallyproof_record::receipt::Receipt;
use tallyproof_record::{ContestNo, Phase, StationNo, Tally};

const STATIONS: u32 = 20;
pub(crate) const LOOPBACK: SocketAddr = SocketAddr::new(std::net::IpAddr::V4(std::net::Ipv4Addr::LOCALHOST), 0);

pub(crate) fn keys() -> CentreKeys {
    CentreKeys::new("log.example/it", [4; 32], [5; 32]).unwrap()
}

fn election() -> Committed {
    election_with_policy(Vec::new())
}

/// The same, whose definition states this witness policy.
pub(crate) fn election_with_policy(lines: Vec<String>) -> Committed {
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
    let election = package::parse(&files).unwrap().with_keys(|no| StationKey::from(key(no).verifying_key()));
    election.with_policy_lines(lines).commit()
}

fn key(StationNo(no): StationNo) -> SigningKey {
    let mut seed = [6; 32];
    seed[..4].copy_from_slice(&no.to_be_bytes());
    SigningKey::from_bytes(&seed)
}

pub(crate) fn record(station: u32, votes: u32) -> SealedRecord {
    record_of(&election(), station, votes)
}

pub(crate) fn record_of(election: &Committed, station: u32, votes: u32) -> SealedRecord {
    let tally =
        Tally::new(*election.hash(), Phase::Drill, StationNo(station), ContestNo(1), 1_800_000_000, vec![votes, 1]);
    cose::seal(&tally, &key(StationNo(station)))
}

pub(crate) fn config(folder: &Path) -> CentreConfig {
    CentreConfig {
        election: election(),
        keys: keys(),
        journal: folder.join("journal"),
        last_checkpoint: None,
        create: !folder.join("journal").exists(),
        bundle: folder.join("bundle"),
        udp: UdpConfig::at(LOOPBACK),
        http: Some(HttpConfig::plain(LOOPBACK)),
        admin: Some(LOOPBACK),
        cut: Cut::OnDemand,
        publish_every: Duration::from_secs(5),
        gather: GatherConfig::default(),
        witnesses_at: Vec::new(),
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
    let drops: Vec<_> = stats.drops_by_reason().filter(|(_, n)| *n > 0).collect();
    assert_eq!(drops, [("tag", 1), ("window", 1), ("replay", 1), ("filter", 2)]);
    assert_eq!((stats.arrived(), stats.refused_total(), stats.journalled, stats.receipts), (8, 1, 1, 2));
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
