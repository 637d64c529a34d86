//! A night of the real centre under one attack, and what it must leave behind.
//!
//! 200 stations report by UDP and four by HTTP while the attack runs, and it ends only when all have receipts. Memory, journal, log
//! and totals must be those of a night without it.

use std::collections::BTreeMap;
use std::fs;
use std::io::{ErrorKind, Read, Write};
use std::net::{IpAddr, Ipv4Addr, SocketAddr, TcpStream, UdpSocket};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::Relaxed};
use std::thread;
use std::time::{Duration, Instant};

use tallyproof_cli::centre::StatsReport;

use crate::world::{Centre, Field, Raise, World, arrived, counted, tick};

/// Stations that report by UDP; those after them, up to `STATIONS`, report by HTTP.
pub(crate) const BY_UDP: u32 = 200;
pub(crate) const STATIONS: u32 = 204;
/// Hostile datagrams of a row: no fewer, and never more.
const LEAST: u64 = 20_000;
const MOST: u64 = 2_000_000;
/// Hostile datagrams that the centre has not read yet: fewer than the smallest receive buffer holds, so that each is accounted for.
const UNREAD: u64 = 128;
/// How much more memory than on a quiet night the centre may take: half of the bytes of the smallest flood.
const GROWTH: u64 = 4 << 20;
/// How much longer than on a quiet night the journal may be: batches end at other moments, and each end is a row.
const JOURNAL_GROWTH: u64 = 16 << 10;
/// Most bytes that the centre may write to its log: its first and last words.
const LOG: usize = 2048;
/// Datagrams that a station may send at once, with two contests; later four a second.
pub(crate) const BURST: u64 = 20;
/// How long it takes until a station that has spent its quota has all of it again.
pub(crate) const QUOTA_WINDOW: Duration = Duration::from_secs(5);
/// The slowest row on a busy machine takes a fraction of this.
const PATIENCE: Duration = Duration::from_mins(1);

/// What an attacker works with.
pub(crate) struct Siege<'a> {
    pub(crate) world: &'a World,
    pub(crate) centre: &'a Centre,
    /// A datagram of station 1 that was delivered before: its record of the second contest.
    pub(crate) captured: Vec<u8>,
    /// Set once the attack is under way: only then do the stations report.
    pub(crate) begun: AtomicBool,
    /// Set once all stations have their receipts.
    over: AtomicBool,
    /// Hostile datagrams sent.
    pub(crate) datagrams: AtomicU64,
}

impl<'a> Siege<'a> {
    fn new(world: &'a World, centre: &'a Centre) -> Self {
        let captured = deliver(world, centre);
        let (begun, over) = (AtomicBool::new(false), AtomicBool::new(false));
        Self { world, centre, captured, begun, over, datagrams: AtomicU64::new(0) }
    }

    pub(crate) fn is_over(&self) -> bool {
        self.over.load(Relaxed)
    }

    /// Sends datagrams as fast as the centre reads them; returns how many.
    pub(crate) fn flood(&self, datagram: impl FnMut(u64) -> Vec<u8>) -> u64 {
        self.send(datagram, |sent| self.centre.wait_for(|stats| arrived(stats) + UNREAD / 2 >= sent))
    }

    /// Sends datagrams that the kernel drops while they are sent: nobody has to read them. Returns how many.
    pub(crate) fn flood_the_filter(&self, datagram: impl FnMut(u64) -> Vec<u8>) -> u64 {
        self.send(datagram, |_| thread::sleep(Duration::from_millis(1)))
    }

    fn send(&self, mut datagram: impl FnMut(u64) -> Vec<u8>, wait: impl Fn(u64)) -> u64 {
        let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
        let mut sent = 0;
        while sent < MOST && (sent < LEAST || !self.is_over()) {
            for _ in 0..UNREAD / 2 {
                socket.send_to(&datagram(sent), self.centre.udp).unwrap();
                sent += 1;
            }
            self.datagrams.store(sent, Relaxed);
            self.begun.store(sent > LEAST / 4, Relaxed);
            wait(sent);
        }
        sent
    }

    /// A datagram of one of the stations that report by HTTP, of whom the attacker has the MAC key; attempts rise.
    pub(crate) fn stolen_mac(&self, no: u64, first: u32, body: &[u8]) -> Vec<u8> {
        let victims = u64::from(STATIONS - BY_UDP);
        let station = BY_UDP + 1 + u32::try_from(no % victims).unwrap();
        let attempt = first + u32::try_from(no / victims).unwrap() % 25_000;
        self.world.datagram(station, attempt, body)
    }

    /// Opens connections that begin a request and then send a byte now and then, until the centre has closed them all.
    pub(crate) fn hold_connections(&self, beginning: &[u8], drip: &[u8]) -> u64 {
        const CONNECTIONS: u64 = 256;
        // Some are closed by the centre as soon as they are open.
        let open = |_| {
            let mut stream = connect(self.centre.http, Ipv4Addr::LOCALHOST).ok()?;
            stream.write_all(beginning).ok()?;
            stream.set_nonblocking(true).unwrap();
            Some(stream)
        };
        let mut held: Vec<TcpStream> = (0..CONNECTIONS).filter_map(open).collect();
        self.begun.store(true, Relaxed);
        let deadline = Instant::now() + PATIENCE;
        while !held.is_empty() {
            assert!(Instant::now() < deadline, "{} connections are still held", held.len());
            held.retain_mut(|stream| stream.write_all(drip).is_ok() && is_open(stream));
            thread::sleep(Duration::from_millis(100));
        }
        CONNECTIONS
    }
}

/// What a night leaves behind.
pub(crate) struct Aftermath {
    pub(crate) world: World,
    pub(crate) stats: StatsReport,
    /// What the attack returned: how many datagrams, requests or connections it was.
    pub(crate) hostile: u64,
    /// Most memory that the centre took.
    memory: u64,
    /// How long the attack took.
    pub(crate) took: Duration,
    /// How long it took all stations to get their receipts.
    pub(crate) reported_within: Duration,
}

/// A night with an attack, which goes on until all stations have their receipts.
pub(crate) fn endure(attack: impl FnOnce(&Siege) -> u64 + Send) -> Aftermath {
    endure_with_clocks(|_| 0, attack)
}

/// As [`endure`], with stations whose clocks are so many ticks ahead.
pub(crate) fn endure_with_clocks(skew: fn(u32) -> i32, attack: impl FnOnce(&Siege) -> u64 + Send) -> Aftermath {
    let world = World::new(STATIONS);
    let centre = world.serve();
    let siege = Siege::new(&world, &centre);
    let start = Instant::now();
    let (hostile, genuine, reported_within) = thread::scope(|scope| {
        let attack = scope.spawn(|| attack(&siege));
        // Also when an assertion fails: the scope waits for the attack.
        let _ended = Raise(&siege.over);
        while !siege.begun.load(Relaxed) && !attack.is_finished() {
            thread::sleep(Duration::from_millis(1));
        }
        let began = Instant::now();
        let genuine = 1 + report(&siege, skew);
        let reported_within = began.elapsed();
        siege.over.store(true, Relaxed);
        (attack.join().unwrap(), genuine, reported_within)
    });
    let took = start.elapsed();
    let sent = siege.datagrams.load(Relaxed) + genuine;
    centre.wait_for(|stats| arrived(stats) >= sent);
    let stats = centre.settled();
    assert_eq!(arrived(&stats), sent, "every datagram is counted once: {stats:?}");
    let memory = centre.most_memory();
    centre.stop();
    Aftermath { world, stats, hostile, memory, took, reported_within }
}

/// Station 1 delivers a record before the attack; returns its datagram.
fn deliver(world: &World, centre: &Centre) -> Vec<u8> {
    let datagram = world.datagram(1, tick() - 1, world.seal(1, 2, 0).as_bytes());
    let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
    socket.set_read_timeout(Some(PATIENCE)).unwrap();
    socket.send_to(&datagram, centre.udp).unwrap();
    assert_eq!(socket.recv(&mut [0; 200]).unwrap(), 108, "a receipt");
    datagram
}

/// All stations report, with clocks that are `skew` ticks ahead; returns how many datagrams it took.
fn report(siege: &Siege, skew: fn(u32) -> i32) -> u64 {
    let mut field = Field::new(siege.world, (1..=BY_UDP).map(|no| (no, siege.world.seal(no, 1, 0))));
    field.skew = skew;
    field.work(siege.centre.udp, usize::MAX, Instant::now() + PATIENCE);
    assert!(field.done(field.len()), "{} receipts by UDP", field.receipted.len());
    for station in BY_UDP + 1..=STATIONS {
        post_until_receipted(siege, station);
    }
    field.sent
}

fn post_until_receipted(siege: &Siege, station: u32) {
    let body = siege.world.seal(station, 1, 0).into_bytes();
    let deadline = Instant::now() + PATIENCE;
    while post(siege.centre.http, &body).is_none_or(|status| status != 200) {
        assert!(Instant::now() < deadline, "station {station} got no receipt by HTTP");
        thread::sleep(Duration::from_millis(50));
    }
}

/// Posts a record from an address that is not the attackers'; nothing if the connection breaks.
fn post(http: SocketAddr, body: &[u8]) -> Option<u16> {
    let mut stream = connect(http, Ipv4Addr::new(127, 0, 0, 2)).ok()?;
    stream.write_all(&request(body)).ok()?;
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).ok()?;
    String::from_utf8_lossy(&answer).split_whitespace().nth(1)?.parse().ok()
}

pub(crate) fn request(body: &[u8]) -> Vec<u8> {
    let head = format!(
        "POST /v1/records HTTP/1.1\r\nHost: centre\r\nContent-Length: {}\r\nConnection: close\r\n\r\n",
        body.len()
    );
    [head.as_bytes(), body].concat()
}

pub(crate) fn connect(to: SocketAddr, from: Ipv4Addr) -> std::io::Result<TcpStream> {
    use socket2::{Domain, Socket, Type};
    let socket = Socket::new(Domain::IPV4, Type::STREAM, None)?;
    socket.bind(&SocketAddr::from((IpAddr::from(from), 0)).into())?;
    socket.connect_timeout(&to.into(), Duration::from_secs(5))?;
    socket.set_read_timeout(Some(Duration::from_secs(15)))?;
    Ok(socket.into())
}

/// What a night without an attack leaves behind.
struct Quiet {
    totals: Vec<u8>,
    journal: u64,
    memory: u64,
}

fn quiet() -> &'static Quiet {
    static QUIET: OnceLock<Quiet> = OnceLock::new();
    QUIET.get_or_init(|| {
        let after = endure(|_| 0);
        assert_eq!((sum(&after.stats.drops), sum(&after.stats.refused)), (0, 0), "{:?}", after.stats);
        Quiet { totals: after.world.totals(), journal: after.journal(), memory: after.memory }
    })
}

impl Aftermath {
    fn journal(&self) -> u64 {
        fs::metadata(self.world.path("disk/journal")).unwrap().len()
    }

    /// Asserts that the attack had no effect but on the counters.
    pub(crate) fn unharmed(&self) -> &Self {
        self.bounded();
        let (_, size) = self.world.logged();
        assert_eq!(size, u64::from(STATIONS) + 2, "the genuine records and the definition, and nothing else");
        assert_eq!(self.world.totals(), quiet().totals);
        assert!(self.journal() <= quiet().journal + JOURNAL_GROWTH, "{} bytes of journal", self.journal());
        self
    }

    /// Asserts that the attack took neither memory nor room in the log, and that the bundle is good.
    pub(crate) fn bounded(&self) -> &Self {
        assert!(self.memory <= quiet().memory + GROWTH, "{} bytes of memory, quiet {}", self.memory, quiet().memory);
        let log = self.world.log();
        assert!(log.len() <= LOG, "the centre's log:\n{log}");
        self.world.verify();
        self
    }

    /// Asserts that of the hostile datagrams, whose tags hold, no more were checked than their stations' quota allows, and that all
    /// of those were refused for `reason`.
    pub(crate) fn checked_within_quota(&self, reason: &str) {
        let refused = counted(&self.stats.refused, reason);
        let quota = u64::from(STATIONS - BY_UDP) * (BURST + 4 * (self.took.as_secs() + 1));
        assert!((1..=quota).contains(&refused), "{refused} checked of a quota of {quota}");
        assert_eq!(refused, sum(&self.stats.refused));
        let dropped = counted(&self.stats.drops, "quota") + counted(&self.stats.drops, "replay");
        assert_eq!(refused + dropped, self.hostile, "{:?}", self.stats);
    }

    /// Asserts that exactly the hostile datagrams were dropped, for these reasons. Other programs on this machine that lose datagrams
    /// make some that the kernel's filter dropped look as if the buffer had been full.
    pub(crate) fn dropped(&self, reasons: &[&str]) {
        let dropped: u64 = reasons.iter().map(|reason| counted(&self.stats.drops, reason)).sum();
        assert_eq!(dropped, self.hostile, "{:?}", self.stats);
        assert_eq!(sum(&self.stats.drops), self.hostile, "{:?}", self.stats);
    }

    /// Asserts that every hostile connection ended for one of these reasons, and no other did.
    pub(crate) fn parted(&self, reasons: &[&str]) {
        let parted: u64 = reasons.iter().map(|reason| counted(&self.stats.http_drops, reason)).sum();
        assert_eq!(parted, self.hostile, "{:?}", self.stats);
        assert_eq!(sum(&self.stats.http_drops), self.hostile, "{:?}", self.stats);
    }
}

fn is_open(stream: &mut TcpStream) -> bool {
    match stream.read(&mut [0; 512]) {
        Ok(length) => length > 0,
        Err(error) => error.kind() == ErrorKind::WouldBlock,
    }
}

/// In the middle of a flood the journal cannot be written: none of the records that it did not take gets a receipt, and once there
/// is room again every one comes in.
pub(crate) fn endure_full_disk(
    serve: impl FnOnce(&World) -> Centre,
    fill: impl FnOnce(&Siege),
    free: impl FnOnce(&Siege),
) {
    let world = World::new(STATIONS);
    let centre = serve(&world);
    let siege = Siege::new(&world, &centre);
    let field = thread::scope(|scope| {
        scope.spawn(|| siege.flood(bad_tags(&siege)));
        let _ended = Raise(&siege.over);
        let mut field = Field::new(&world, (1..=BY_UDP).map(|no| (no, world.seal(no, 1, 0))));
        let half = field.len() / 2;
        field.work(centre.udp, half, Instant::now() + PATIENCE);
        assert!(field.done(half));
        fill(&siege);
        field.work(centre.udp, usize::MAX, Instant::now() + Duration::from_secs(2));
        assert!(!field.done(field.len()), "the disk is not full");
        let health = ureq::get(format!("http://{}/healthz", centre.admin)).call();
        assert!(matches!(health, Err(ureq::Error::StatusCode(503))), "{health:?} {}", world.log());
        assert!(centre.stats().journal_failures > 0);
        free(&siege);
        field.work(centre.udp, usize::MAX, Instant::now() + PATIENCE);
        assert!(field.done(field.len()), "{} receipts {:?}", field.receipted.len(), centre.stats());
        field
    });
    centre.wait_for(|stats| stats.tree_size == u64::from(BY_UDP) + 2);
    centre.stop();
    let (logged, _) = world.logged();
    assert_eq!(field.receipted.difference(&logged).count(), 0, "receipted records that are not in the log");
    let said = world.log();
    assert!(said.len() <= 2 * LOG, "the centre's log:\n{said}");
    world.verify();
}

/// A genuine datagram with one tag after another.
pub(crate) fn bad_tags(siege: &Siege) -> impl FnMut(u64) -> Vec<u8> {
    let mut datagram = siege.world.datagram(7, tick(), siege.world.seal(7, 1, 0).as_bytes());
    move |no| {
        datagram[40..48].copy_from_slice(&(no ^ 0x5a5a).to_be_bytes());
        datagram.clone()
    }
}

pub(crate) fn sum(family: &BTreeMap<String, u64>) -> u64 {
    family.values().sum()
}
