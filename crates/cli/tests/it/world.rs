//! A small election with all its secrets, the real program serving it, and stations that send until they have receipts.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::fs::{self, File};
use std::io::{BufRead, BufReader};
use std::net::{SocketAddr, UdpSocket};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use ed25519_dalek::SigningKey;
use tallyproof_cli::centre::{CentreKeys, StatsReport};
use tallyproof_log::tile::{TilePath, decode_entries};
use tallyproof_record::cose::{self, RecordDigest, SealedRecord};
use tallyproof_record::definition::package::{self, Files};
use tallyproof_record::definition::{Committed, StationKey};
use tallyproof_record::entry::Entry;
use tallyproof_record::frame::{self, MacKey};
use tallyproof_record::receipt::Receipt;
use tallyproof_record::{ContestNo, Phase, StationNo, Tally};
use tempfile::TempDir;

/// Generation of the MAC keys that the centre's key files start with.
const EPOCH: u32 = 1;
/// A record without a receipt is sent again after this long, as a real station does.
const RETRY: Duration = Duration::from_millis(250);

/// The binary, free of settings that the tests were given.
pub(crate) fn program() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_tallyproof"));
    let inherited = std::env::vars_os().map(|(name, _)| name);
    for name in inherited.filter(|name| name.to_string_lossy().starts_with("TALLYPROOF_")) {
        command.env_remove(name);
    }
    command
}

/// The tick of the coarse clock in every datagram.
pub(crate) fn tick() -> u32 {
    let millis = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_millis();
    frame::attempt_at(u64::try_from(millis).unwrap())
}

/// One election of two contests, the centre's keys and the centre's folders.
pub(crate) struct World {
    folder: TempDir,
    pub(crate) election: Committed,
    keys: CentreKeys,
    /// Through which its folders are seen as the centre sees them, if it has disks of its own.
    door: Option<PathBuf>,
    /// How often the centre makes a checkpoint.
    pub(crate) cut_every: &'static str,
}

impl World {
    pub(crate) fn new(stations: u32) -> Self {
        Self::of(election(stations, ""))
    }

    /// As [`World::new`], with more tables in `election.toml`.
    pub(crate) fn with(stations: u32, tables: &str) -> Self {
        Self::of(election(stations, tables))
    }

    fn of(election: Committed) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let keys = CentreKeys::new("log.example/world", [4; 32], [5; 32]).unwrap();
        keys.create(&folder.path().join("keys")).unwrap();
        for name in ["election", "disk"] {
            fs::create_dir(folder.path().join(name)).unwrap();
        }
        for (name, bytes) in &election.canonical().files {
            fs::write(folder.path().join("election").join(name), bytes).unwrap();
        }
        Self { folder, election, keys, door: None, cut_every: "20ms" }
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// From now on its folders are looked at through the root of this process, which sees other disks in them.
    pub(crate) fn see_through(&mut self, pid: u32) {
        self.door = Some(format!("/proc/{pid}/root").into());
    }

    /// Where a folder of the centre is found from here.
    pub(crate) fn seen(&self, name: &str) -> PathBuf {
        let path = self.path(name);
        self.door.as_ref().map_or_else(|| path.clone(), |door| door.join(path.strip_prefix("/").unwrap()))
    }

    /// A station's record; another `version` is a record with other figures.
    pub(crate) fn seal(&self, station: u32, contest: u16, version: u32) -> SealedRecord {
        self.seal_with(&key(StationNo(station)), station, contest, version)
    }

    /// As [`World::seal`], with another key than the register's.
    pub(crate) fn seal_with(&self, key: &SigningKey, station: u32, contest: u16, version: u32) -> SealedRecord {
        let tally = Tally::new(
            *self.election.hash(),
            Phase::Drill,
            StationNo(station),
            ContestNo(contest),
            1_800_000_000,
            vec![station % 400, version],
        );
        cose::seal(&tally, key)
    }

    /// A datagram that passes the tag: what the holder of the station's MAC key can make of any body.
    pub(crate) fn datagram(&self, station: u32, attempt: u32, body: &[u8]) -> Vec<u8> {
        let mac = MacKey::derive(&self.keys.mac, self.election.hash(), EPOCH, StationNo(station));
        frame::encode(StationNo(station), EPOCH, attempt, body, &mac)
    }

    /// Starts the centre; the first start makes the journal.
    pub(crate) fn serve(&self) -> Centre {
        self.serve_by(program())
    }

    /// As [`World::serve`], with the binary at the end of a longer command.
    pub(crate) fn serve_by(&self, command: Command) -> Centre {
        self.try_serve_by(command).unwrap_or_else(|why| panic!("the centre did not start: {why} {}", self.log()))
    }

    /// As [`World::serve_by`], where it may be that the centre does not get as far as to listen.
    pub(crate) fn try_serve_by(&self, mut command: Command) -> Result<Centre, String> {
        command.args(["centre", "serve", "--cut-every", self.cut_every, "--publish-every", "100ms"]);
        for port in ["udp", "http", "admin"] {
            command.arg(format!("--{port}")).arg("127.0.0.1:0");
        }
        for (option, path) in
            [("election", "election"), ("keys", "keys"), ("journal", "disk/journal"), ("bundle", "bundle")]
        {
            command.arg(format!("--{option}")).arg(self.path(path));
        }
        if !self.seen("disk/journal").exists() {
            command.arg("--create");
        }
        let log = File::options().create(true).append(true).open(self.log_file()).unwrap();
        let mut child = command.stdout(Stdio::piped()).stderr(log).spawn().unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
        let address = |name: &str| line.split_whitespace().find_map(|word| word.strip_prefix(name)?.parse().ok());
        let [Some(udp), Some(http), Some(admin)] = ["udp=", "http=", "admin="].map(address) else {
            return Err(format!("{line:?} {:?}", child.wait()));
        };
        Ok(Centre { child, udp, http, admin })
    }

    /// What the centre has said so far.
    pub(crate) fn log(&self) -> String {
        fs::read_to_string(self.log_file()).unwrap()
    }

    /// On the journal's disk, if that is one of its own: so a full disk takes the program's words from it, too.
    fn log_file(&self) -> PathBuf {
        self.seen(if self.door.is_some() { "disk/centre.log" } else { "centre.log" })
    }

    /// Digests of the records in the bundle's log, and the log's size.
    pub(crate) fn logged(&self) -> (HashSet<RecordDigest>, u64) {
        let checkpoint = fs::read_to_string(self.seen("bundle/log/checkpoint")).unwrap();
        let size: u64 = checkpoint.lines().nth(1).unwrap().parse().unwrap();
        let mut digests = HashSet::new();
        for index in 0..size.div_ceil(256) {
            let width = u16::try_from((size - index * 256).min(256)).unwrap();
            let path = TilePath::entries(index, width).unwrap();
            let bytes = fs::read(self.seen("bundle/log").join(path.to_string())).unwrap();
            for entry in decode_entries(&bytes, width).unwrap() {
                if let Entry::Record(record) = Entry::decode(entry).unwrap() {
                    assert!(digests.insert(tallyproof_centre::intake::digest(record)), "a record is in the log twice");
                }
            }
        }
        (digests, size)
    }

    /// The published totals.
    pub(crate) fn totals(&self) -> Vec<u8> {
        fs::read(self.seen("bundle/index/totals.json")).unwrap()
    }

    /// Verifies the bundle as an outsider would.
    pub(crate) fn verify(&self) {
        // A path that leads through another process's root is one that the program takes for another.
        let copy = tempfile::tempdir().unwrap();
        let copied = Command::new("cp").arg("-r").arg(self.seen("bundle")).arg(copy.path()).status().unwrap();
        assert!(copied.success());
        let verified = program().arg("verify").arg(copy.path().join("bundle")).output().unwrap();
        assert!(verified.status.success(), "{verified:?}");
    }
}

fn election(stations: u32, tables: &str) -> Committed {
    let rows: Vec<String> = (1..=stations).map(|station| format!("s{station},all,1000\n")).collect();
    let register = format!("id,area,registered\n{}", rows.concat());
    let toml = format!(
        "format = 1\nid = \"world\"\nname = \"World\"\ndate = \"2026-07-01\"\nphase = \"drill\"\n\n\
                [[contest]]\nid = \"office\"\nname = \"Office\"\narea = \"all\"\n\n\
                [[contest]]\nid = \"council\"\nname = \"Council\"\narea = \"all\"\n\n{tables}"
    );
    let files = [
        ("election.toml", toml.as_str()),
        ("areas.csv", "id,parent,name,kind\nall,,All,country\n"),
        ("stations.csv", &register),
        ("ballot.csv", "contest,line\noffice,a\noffice,b\ncouncil,a\ncouncil,b\n"),
    ];
    let files: Files = files.map(|(name, text)| (name.to_owned(), text.as_bytes().to_vec())).into();
    package::parse(&files).unwrap().with_keys(|no| StationKey::from(key(no).verifying_key())).commit()
}

pub(crate) fn key(StationNo(no): StationNo) -> SigningKey {
    let mut seed = [6; 32];
    seed[..4].copy_from_slice(&no.to_be_bytes());
    SigningKey::from_bytes(&seed)
}

/// The running program. Dropped, it is killed: a failed test leaves none behind.
pub(crate) struct Centre {
    child: Child,
    pub(crate) udp: SocketAddr,
    pub(crate) http: SocketAddr,
    pub(crate) admin: SocketAddr,
}

impl Centre {
    /// kill -9.
    pub(crate) fn kill(self) {
        drop(self);
    }

    /// Ends it as its operator would.
    pub(crate) fn stop(mut self) {
        let pid = self.child.id().to_string();
        assert!(Command::new("kill").args(["-TERM", &pid]).status().unwrap().success());
        assert!(self.child.wait().unwrap().success(), "a graceful shutdown ends with 0");
    }

    pub(crate) fn pid(&self) -> u32 {
        self.child.id()
    }

    /// Whether it has ended.
    pub(crate) fn has_ended(&mut self) -> bool {
        self.child.try_wait().unwrap().is_some()
    }

    /// What `/healthz` answers.
    pub(crate) fn health(&self) -> (u16, String) {
        self.get("healthz").unwrap()
    }

    /// The status and text of a page of the private port; nothing from a centre that has ended.
    pub(crate) fn get(&self, page: &str) -> Option<(u16, String)> {
        let agent: ureq::Agent = ureq::Agent::config_builder().http_status_as_error(false).build().into();
        let mut response = agent.get(format!("http://{}/{page}", self.admin)).call().ok()?;
        Some((response.status().as_u16(), response.body_mut().read_to_string().ok()?))
    }

    /// What the centre says that it has done.
    pub(crate) fn stats(&self) -> StatsReport {
        self.try_stats().unwrap()
    }

    /// As [`Centre::stats`]; nothing from a centre that has ended.
    pub(crate) fn try_stats(&self) -> Option<StatsReport> {
        serde_json::from_str(&self.get("stats")?.1).ok()
    }

    /// Waits until the counters are as wanted.
    pub(crate) fn wait_for(&self, wanted: impl Fn(&StatsReport) -> bool) {
        let deadline = Instant::now() + Duration::from_secs(20);
        while !wanted(&self.stats()) {
            assert!(Instant::now() < deadline, "not what was waited for: {:?}", self.stats());
        }
    }

    /// The counters once they no longer move.
    pub(crate) fn settled(&self) -> StatsReport {
        let mut last = self.stats();
        loop {
            std::thread::sleep(Duration::from_millis(150));
            let now = self.stats();
            if now == last {
                return now;
            }
            last = now;
        }
    }

    /// Most bytes of memory that the process has had at a time.
    pub(crate) fn most_memory(&self) -> u64 {
        let status = fs::read_to_string(format!("/proc/{}/status", self.child.id())).unwrap();
        let kibibytes = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap();
        kibibytes.trim().strip_suffix(" kB").unwrap().parse::<u64>().unwrap() * 1024
    }
}

impl Drop for Centre {
    fn drop(&mut self) {
        // Fails only for a process that has ended.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Datagrams that have reached the centre's socket.
pub(crate) fn arrived(stats: &StatsReport) -> u64 {
    stats.received + counted(&stats.drops, "filter") + counted(&stats.drops, "overflow")
}

/// One counter of a family by reason; 0 if there is none of the name.
pub(crate) fn counted(family: &BTreeMap<String, u64>, reason: &str) -> u64 {
    family.get(reason).copied().unwrap_or(0)
}

/// Sets the flag when it goes out of scope.
pub(crate) struct Raise<'a>(pub(crate) &'a AtomicBool);

impl Drop for Raise<'_> {
    fn drop(&mut self) {
        self.0.store(true, Relaxed);
    }
}

/// A record on its way.
struct Sending {
    station: u32,
    digest: RecordDigest,
    bytes: Vec<u8>,
    sent: Option<Instant>,
}

/// The stations: who has a receipt, and when each last sent.
pub(crate) struct Field<'w> {
    world: &'w World,
    socket: UdpSocket,
    records: Vec<Sending>,
    attempts: HashMap<u32, u32>,
    /// Where the round of sending goes on.
    next: usize,
    /// How many ticks a station's clock is ahead of the true time.
    pub(crate) skew: fn(u32) -> i32,
    pub(crate) receipted: HashSet<RecordDigest>,
    /// Datagrams sent.
    pub(crate) sent: u64,
}

impl<'w> Field<'w> {
    /// Stations that have these records to send, in this order.
    pub(crate) fn new(world: &'w World, records: impl IntoIterator<Item = (u32, SealedRecord)>) -> Self {
        let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
        socket.set_read_timeout(Some(Duration::from_millis(1))).unwrap();
        let sending = |(station, sealed): (u32, SealedRecord)| Sending {
            station,
            digest: sealed.digest(),
            bytes: sealed.into_bytes(),
            sent: None,
        };
        Self {
            world,
            socket,
            records: records.into_iter().map(sending).collect(),
            attempts: HashMap::new(),
            next: 0,
            skew: |_| 0,
            receipted: HashSet::new(),
            sent: 0,
        }
    }

    pub(crate) fn len(&self) -> usize {
        self.records.len()
    }

    /// Sends and listens until `deadline`, or until the first `count` records have receipts.
    pub(crate) fn work(&mut self, centre: SocketAddr, count: usize, deadline: Instant) {
        let count = count.min(self.len());
        while Instant::now() < deadline && !self.done(count) {
            for _ in 0..32 {
                self.next = (self.next + 1) % count;
                self.send_if_due(centre, self.next);
            }
            self.listen();
        }
    }

    /// Whether the first `count` records have receipts.
    pub(crate) fn done(&self, count: usize) -> bool {
        self.records[..count].iter().all(|record| self.receipted.contains(&record.digest))
    }

    fn send_if_due(&mut self, centre: SocketAddr, index: usize) {
        let record = &mut self.records[index];
        // Some stations did not get their receipt and send again: their copies must be recognised.
        let wanted = !self.receipted.contains(&record.digest) || index.is_multiple_of(17);
        if !wanted || record.sent.is_some_and(|sent| sent.elapsed() < RETRY) {
            return;
        }
        record.sent = Some(Instant::now());
        let attempt = self.attempts.entry(record.station).or_default();
        *attempt = (*attempt + 1).max(tick().saturating_add_signed((self.skew)(record.station)));
        let datagram = self.world.datagram(record.station, *attempt, &record.bytes);
        // A centre that was just killed refuses the datagram.
        self.sent += u64::from(self.socket.send_to(&datagram, centre).is_ok());
    }

    /// Takes the receipts that have arrived; each must be good.
    pub(crate) fn listen(&mut self) {
        let mut buffer = [0; 256];
        let log = self.world.keys.receipts.verifying_key();
        while let Ok((length, _)) = self.socket.recv_from(&mut buffer) {
            let receipt = Receipt::verify(&buffer[..length], self.world.election.hash(), &log).unwrap();
            self.receipted.insert(receipt.digest);
        }
    }
}
