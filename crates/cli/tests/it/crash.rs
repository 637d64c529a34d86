//! A receipt is a promise: the real program, killed at random moments, keeps every one that it gave.

use std::collections::HashSet;
use std::fs;
use std::io::{BufRead, BufReader};
use std::net::{SocketAddr, UdpSocket};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use ed25519_dalek::{SigningKey, VerifyingKey};
use tallyproof_cli::centre::CentreKeys;
use tallyproof_log::tile::{TilePath, decode_entries};
use tallyproof_record::cose::{self, RecordDigest};
use tallyproof_record::definition::package::{self, Files};
use tallyproof_record::definition::{Committed, StationKey};
use tallyproof_record::entry::Entry;
use tallyproof_record::frame::{self, MacKey};
use tallyproof_record::receipt::Receipt;
use tallyproof_record::tally::Stage;
use tallyproof_record::{ContestNo, Phase, StationNo, Tally};
use tempfile::TempDir;

const STATIONS: u32 = 1500;
/// Every so many stations sends a second, different record.
const CONFLICT: u32 = 50;
/// The slowest restart on a busy machine takes a fraction of this.
const PATIENCE: Duration = Duration::from_mins(1);

fn program() -> Command {
    Command::new(env!("CARGO_BIN_EXE_tallyproof"))
}

/// One election with its records, and one centre's folders.
struct Night {
    folder: TempDir,
    election: Committed,
    log: VerifyingKey,
    /// Each record with its station and the secret of its datagrams.
    records: Vec<Sealed>,
}

struct Sealed {
    station: StationNo,
    digest: RecordDigest,
    bytes: Vec<u8>,
    mac: MacKey,
}

impl Night {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let keys = CentreKeys::new("log.example/crash", [4; 32], [5; 32]).unwrap();
        keys.create(&folder.path().join("keys")).unwrap();
        let election = election();
        fs::create_dir(folder.path().join("election")).unwrap();
        for (name, bytes) in &election.canonical().files {
            fs::write(folder.path().join("election").join(name), bytes).unwrap();
        }
        let conflicts = (1..=STATIONS).filter(|no| no % CONFLICT == 0).map(|no| (no, 1));
        let records = (1..=STATIONS)
            .map(|no| (no, 0))
            .chain(conflicts)
            .map(|(no, version)| {
                let sealed = seal(&election, no, version);
                let mac = MacKey::derive(&keys.mac, election.hash(), keys.epoch, StationNo(no));
                Sealed { station: StationNo(no), digest: sealed.digest(), bytes: sealed.into_bytes(), mac }
            })
            .collect();
        Self { folder, election, log: keys.receipts.verifying_key(), records }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn serve(&self, create: bool) -> Centre {
        let mut command = program();
        command.args(["centre", "serve", "--udp", "127.0.0.1:0", "--cut-every", "20ms", "--publish-every", "100ms"]);
        for option in ["election", "keys", "journal", "bundle"] {
            command.arg(format!("--{option}")).arg(self.path(option));
        }
        if create {
            command.arg("--create");
        }
        let mut child = command.stdout(Stdio::piped()).spawn().unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
        let address = line.split_whitespace().find_map(|word| word.strip_prefix("udp="));
        let udp =
            address.unwrap_or_else(|| panic!("the centre did not start: {line:?} {:?}", child.wait())).parse().unwrap();
        Centre { child, udp }
    }
}

struct Centre {
    child: Child,
    udp: SocketAddr,
}

impl Centre {
    fn kill(mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    fn stop(mut self) {
        let pid = self.child.id().to_string();
        assert!(Command::new("kill").args(["-TERM", &pid]).status().unwrap().success());
        assert!(self.child.wait().unwrap().success(), "a graceful shutdown ends with 0");
    }
}

/// The stations: who has a receipt, and when each last sent.
struct Field<'n> {
    night: &'n Night,
    socket: UdpSocket,
    receipted: HashSet<RecordDigest>,
    attempts: Vec<u32>,
    /// Where the round of sending goes on.
    next: usize,
}

impl<'n> Field<'n> {
    fn new(night: &'n Night) -> Self {
        let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
        socket.set_read_timeout(Some(Duration::from_millis(1))).unwrap();
        let attempts = vec![0; STATIONS as usize + 1];
        Self { night, socket, receipted: HashSet::new(), attempts, next: 0 }
    }

    /// Sends and listens until `deadline`, or until the first `count` records have receipts.
    fn work(&mut self, centre: SocketAddr, count: usize, deadline: Instant) {
        let count = count.min(self.night.records.len());
        while Instant::now() < deadline && !self.done(count) {
            for _ in 0..32 {
                self.next = (self.next + 1) % count;
                let known = self.receipted.contains(&self.night.records[self.next].digest);
                // Some stations did not get their receipt and send again: their copies must be recognised.
                if !known || self.next.is_multiple_of(17) {
                    self.send(centre, self.next);
                }
            }
            self.listen();
        }
    }

    fn done(&self, count: usize) -> bool {
        self.night.records[..count].iter().all(|record| self.receipted.contains(&record.digest))
    }

    fn send(&mut self, centre: SocketAddr, index: usize) {
        let record = &self.night.records[index];
        let attempt = &mut self.attempts[record.station.0 as usize];
        *attempt = (*attempt + 1).max(frame::attempt_at(now_millis()));
        let datagram = frame::encode(record.station, 1, *attempt, &record.bytes, &record.mac);
        // A centre that was just killed refuses the datagram.
        let _ = self.socket.send_to(&datagram, centre);
    }

    fn listen(&mut self) {
        let mut buffer = [0; 256];
        while let Ok((length, _)) = self.socket.recv_from(&mut buffer) {
            let receipt = Receipt::verify(&buffer[..length], self.night.election.hash(), &self.night.log).unwrap();
            self.receipted.insert(receipt.digest);
        }
    }
}

fn now_millis() -> u64 {
    u64::try_from(SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_millis()).unwrap()
}

fn election() -> Committed {
    let rows: Vec<String> = (1..=STATIONS).map(|station| format!("s{station},all,1000\n")).collect();
    let register = format!("id,area,registered\n{}", rows.concat());
    let toml = "format = 1\nid = \"crash\"\nname = \"Crash\"\ndate = \"2026-07-01\"\nphase = \"drill\"\n\n\
                [[contest]]\nid = \"office\"\nname = \"Office\"\narea = \"all\"\n";
    let files = [
        ("election.toml", toml),
        ("areas.csv", "id,parent,name,kind\nall,,All,country\n"),
        ("stations.csv", &register),
        ("ballot.csv", "contest,line\noffice,a\noffice,b\n"),
    ];
    let files: Files = files.map(|(name, text)| (name.to_owned(), text.as_bytes().to_vec())).into();
    package::parse(&files).unwrap().with_keys(|no| StationKey::from(key(no).verifying_key())).commit()
}

fn key(StationNo(no): StationNo) -> SigningKey {
    let mut seed = [6; 32];
    seed[..4].copy_from_slice(&no.to_be_bytes());
    SigningKey::from_bytes(&seed)
}

fn seal(election: &Committed, station: u32, version: u32) -> cose::SealedRecord {
    let tally = Tally {
        election: *election.hash(),
        phase: Phase::Drill,
        stage: Stage::Count,
        station: StationNo(station),
        contest: ContestNo(1),
        sealed_at: 1_800_000_000,
        counts: vec![station % 400, version],
        blank: None,
        null: None,
        voters: None,
        registered: None,
        total: None,
        images: Vec::new(),
    };
    cose::seal(&tally, &key(StationNo(station)))
}

/// Digests of the records in a bundle's log, and the log's size.
fn logged(bundle: &Path) -> (HashSet<RecordDigest>, u64) {
    let checkpoint = fs::read_to_string(bundle.join("log/checkpoint")).unwrap();
    let size: u64 = checkpoint.lines().nth(1).unwrap().parse().unwrap();
    let mut digests = HashSet::new();
    for index in 0..size.div_ceil(256) {
        let width = u16::try_from((size - index * 256).min(256)).unwrap();
        let path = TilePath::entries(index, width).unwrap();
        let bytes = fs::read(bundle.join("log").join(path.to_string())).unwrap();
        for entry in decode_entries(&bytes, width).unwrap() {
            if let Entry::Record(record) = Entry::decode(entry).unwrap() {
                assert!(digests.insert(tallyproof_centre::intake::digest(record)), "a record is in the log twice");
            }
        }
    }
    (digests, size)
}

fn undisturbed() -> Vec<u8> {
    let night = Night::new();
    let centre = night.serve(true);
    let mut field = Field::new(&night);
    field.work(centre.udp, usize::MAX, Instant::now() + PATIENCE);
    assert!(field.done(night.records.len()), "{} receipts", field.receipted.len());
    centre.stop();
    fs::read(night.path("bundle/index/totals.json")).unwrap()
}

/// Moments for the kills; any will do, but a failure must be repeatable.
struct Moments(u64);

impl Moments {
    fn next(&mut self, most: u64) -> Duration {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        Duration::from_micros(self.0 % (most * 1000))
    }
}

#[test]
fn every_receipt_survives_kill_9() {
    let kills: u32 = std::env::var("TALLYPROOF_KILLS").map_or(20, |kills| kills.parse().unwrap());
    let seed = std::env::var("TALLYPROOF_SEED").map_or(0x9e37_79b9_7f4a_7c15, |seed| seed.parse().unwrap());
    println!("TALLYPROOF_SEED={seed}");
    let mut moments = Moments(seed);
    let night = Night::new();
    let mut field = Field::new(&night);
    for round in 0..kills {
        let centre = night.serve(round == 0);
        // Each round has new records to send, so that none of the kills meets an idle centre.
        let count = night.records.len() * (round as usize + 1) / kills as usize;
        field.work(centre.udp, count.max(1), Instant::now() + moments.next(120));
        centre.kill();
        field.listen();
    }
    assert!(!field.receipted.is_empty(), "the kills left no receipt to keep");
    let promised = field.receipted.clone();

    let centre = night.serve(kills == 0);
    field.work(centre.udp, usize::MAX, Instant::now() + PATIENCE);
    assert!(field.done(night.records.len()), "{} receipts", field.receipted.len());
    centre.stop();

    let (logged, size) = logged(&night.path("bundle"));
    let lost = promised.union(&field.receipted).filter(|digest| !logged.contains(*digest)).count();
    assert_eq!(lost, 0, "receipted records that are not in the log");
    assert_eq!(size, night.records.len() as u64 + 1, "every record once, and the definition");
    assert_eq!(fs::read(night.path("bundle/index/totals.json")).unwrap(), undisturbed());
    let verified = program().arg("verify").arg(night.path("bundle")).output().unwrap();
    assert!(verified.status.success(), "{}", String::from_utf8_lossy(&verified.stdout));
}
