//! Relays between stations and the real centre.

use std::fs::{self, File};
use std::io::{BufRead, BufReader};
use std::net::{SocketAddr, UdpSocket};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use tallyproof_cli::centre::{CentreKeys, HttpConfig};
use tallyproof_cli::relay::{self, RelayConfig, RunningRelay};
use tallyproof_cli::station::address::Address;
use tallyproof_record::cose::SealedRecord;
use tallyproof_record::receipt::Receipt;

use crate::world::{Field, World, program, tick};

const LOOPBACK: SocketAddr = SocketAddr::new(std::net::IpAddr::V4(std::net::Ipv4Addr::LOCALHOST), 0);

fn config(world: &World, via: &[String]) -> RelayConfig {
    RelayConfig {
        election: world.election.clone(),
        log_key: CentreKeys::read(&world.path("keys")).unwrap().receipts.verifying_key(),
        spool: world.path("spool"),
        http: Some(HttpConfig::plain(LOOPBACK)),
        udp: Some(LOOPBACK),
        via: Address::parse_all(via).unwrap(),
        ca: None,
    }
}

fn start(world: &World, via: &[String]) -> RunningRelay {
    relay::start(config(world, via)).unwrap()
}

/// Where nobody listens.
pub(crate) fn nobody() -> SocketAddr {
    UdpSocket::bind(LOOPBACK).unwrap().local_addr().unwrap()
}

pub(crate) fn http(address: SocketAddr) -> String {
    format!("http://{address}")
}

fn agent() -> ureq::Agent {
    ureq::Agent::config_builder().http_status_as_error(false).build().into()
}

pub(crate) fn post(address: SocketAddr, bytes: &[u8]) -> (u16, Vec<u8>) {
    let mut response = agent().post(format!("{}/v1/records", http(address))).send(bytes).unwrap();
    (response.status().as_u16(), response.body_mut().read_to_vec().unwrap())
}

fn receipt_of(address: SocketAddr, record: &SealedRecord) -> (u16, Vec<u8>) {
    let url = format!("{}/v1/receipts/{}", http(address), hex::encode(record.digest()));
    let mut response = agent().get(url).call().unwrap();
    (response.status().as_u16(), response.body_mut().read_to_vec().unwrap())
}

fn promises(world: &World, receipt: &[u8], record: &SealedRecord) -> bool {
    let log = CentreKeys::read(&world.path("keys")).unwrap().receipts.verifying_key();
    Receipt::verify(receipt, world.election.hash(), &log).is_ok_and(|receipt| receipt.digest == record.digest())
}

fn until(what: &str, mut holds: impl FnMut() -> bool) {
    let deadline = Instant::now() + Duration::from_secs(30);
    while !holds() {
        assert!(Instant::now() < deadline, "{what}");
        std::thread::sleep(Duration::from_millis(20));
    }
}

fn altered(record: &SealedRecord) -> Vec<u8> {
    let mut bytes = record.as_bytes().to_vec();
    *bytes.last_mut().unwrap() ^= 1;
    bytes
}

#[test]
fn a_record_reaches_the_centre_by_a_relay_alone() {
    let world = World::new(2);
    let centre = world.serve();
    let relay = start(&world, &[http(centre.http)]);
    let (address, record) = (relay.http_addr().unwrap(), world.seal(1, 1, 10));
    assert_eq!(receipt_of(address, &record).0, 404);
    let (status, receipt) = post(address, record.as_bytes());
    assert_eq!(status, 200, "{}", String::from_utf8_lossy(&receipt));
    assert!(promises(&world, &receipt, &record));
    assert_eq!(post(address, record.as_bytes()), (200, receipt.clone()), "a copy gets the same receipt");
    assert_eq!(receipt_of(address, &record), (200, receipt));
    let stats = relay.shutdown().unwrap();
    assert_eq!((stats.taken, stats.receipted, stats.waiting, stats.transmissions), (1, 1, 0, 1));
    centre.stop();
    assert!(world.logged().0.contains(&record.digest()));
    world.verify();
}

#[test]
fn a_station_s_datagram_passes_through_unchanged_and_its_receipt_comes_back() {
    let world = World::new(2);
    let centre = world.serve();
    let relay = start(&world, &[format!("udp://{}", centre.udp), http(nobody())]);
    let socket = UdpSocket::bind(LOOPBACK).unwrap();
    socket.connect(relay.udp_addr().unwrap()).unwrap();
    socket.set_read_timeout(Some(Duration::from_secs(10))).unwrap();
    let (record, mut answer) = (world.seal(1, 1, 10), [0; 200]);
    for attempt in 0..2 {
        socket.send(&world.datagram(1, tick() + attempt, record.as_bytes())).unwrap();
        let length = socket.recv(&mut answer).unwrap();
        assert!(promises(&world, &answer[..length], &record), "attempt {attempt}");
    }
    assert_eq!(centre.stats().authentic, 1, "the second is answered by the relay");
    let stats = relay.shutdown().unwrap();
    assert_eq!((stats.datagrams, stats.dropped, stats.handed_on), (2, 0, 2));
}

#[test]
fn hundreds_of_stations_report_by_one_relay() {
    let world = World::new(400);
    let centre = world.serve();
    let relay = start(&world, &[format!("udp://{}", centre.udp), http(centre.http)]);
    let mut field = Field::new(&world, (1..=400).map(|station| (station, world.seal(station, 1, 10))));
    field.work(relay.udp_addr().unwrap(), 400, Instant::now() + Duration::from_mins(1));
    assert!(field.done(400), "{:?}", relay.stats());
    let stats = relay.shutdown().unwrap();
    assert_eq!((stats.taken, stats.receipted, stats.waiting, stats.refused), (400, 400, 0, 0));
    centre.stop();
    assert_eq!(world.logged().0.len(), 400);
}

#[test]
fn altered_records_are_refused_by_the_relay_and_by_the_centre() {
    let world = World::new(2);
    let centre = world.serve();
    let relay = start(&world, &[http(centre.http)]);
    let record = world.seal(1, 1, 10);
    let forged = altered(&record);
    for address in [relay.http_addr().unwrap(), centre.http] {
        let (status, body) = post(address, &forged);
        assert!(status == 403 && body.starts_with(b"signature: "), "{status} {}", String::from_utf8_lossy(&body));
    }
    assert_eq!(post(relay.http_addr().unwrap(), b"hello").0, 400);

    // Over UDP a forgery is not answered: not with its station's tag, not under another station's name.
    let socket = UdpSocket::bind(LOOPBACK).unwrap();
    socket.connect(relay.udp_addr().unwrap()).unwrap();
    let mut cut = world.datagram(1, tick(), record.as_bytes());
    cut.pop();
    let hostile = [
        world.datagram(1, tick(), &forged),
        world.datagram(2, tick(), record.as_bytes()),
        world.datagram(9, tick(), record.as_bytes()),
        cut,
        b"hello".to_vec(),
        vec![0; 40_000],
    ];
    for datagram in &hostile {
        socket.send(datagram).unwrap();
    }
    until("all are dropped or refused", || {
        let stats = relay.stats();
        stats.datagrams == 6 && stats.dropped + stats.refused == 6 + 2
    });
    socket.set_nonblocking(true).unwrap();
    assert!(socket.recv(&mut [0; 200]).is_err(), "no reply to anything unverified");
    let stats = relay.shutdown().unwrap();
    assert_eq!((stats.refused, stats.taken, stats.transmissions), (3, 0, 0));
    assert_eq!(fs::read_dir(world.path("spool")).unwrap().count(), 0, "a forgery is never written");
}

#[test]
fn a_station_takes_its_own_share_of_a_relay_and_no_more() {
    let world = World::new(2);
    let relay = start(&world, &[format!("file:{}", world.path("").display())]);
    let address = relay.http_addr().unwrap();
    // Two contests, four different records each. They wait for a receipt that never comes, so all at the same time.
    let posts: Vec<_> = (0..9)
        .map(|version| {
            let record = world.seal(1, 1, version);
            std::thread::spawn(move || post(address, record.as_bytes()).0)
        })
        .collect();
    let mut statuses: Vec<_> = posts.into_iter().map(|post| post.join().unwrap()).collect();
    statuses.sort_unstable();
    assert_eq!(statuses, [202, 202, 202, 202, 202, 202, 202, 202, 507]);
    assert_eq!(post(address, world.seal(2, 1, 1).as_bytes()).0, 202, "another station has its own");
    let stats = relay.shutdown().unwrap();
    assert_eq!((stats.full, stats.waiting), (1, 9));
}

#[test]
fn a_relay_needs_a_port_and_a_way_that_fits() {
    let world = World::new(1);
    let refusal = |config: RelayConfig| relay::start(config).unwrap_err().to_string();
    let udp_alone = [format!("udp://{}", nobody())];
    assert!(refusal(config(&world, &udp_alone)).contains("no station's tag"));
    assert!(refusal(config(&world, &[])).contains("give --via"));
    let deaf = RelayConfig { http: None, udp: None, ..config(&world, &udp_alone) };
    assert!(refusal(deaf).contains("give --listen, --udp or both"));
    let open = RelayConfig {
        http: Some(HttpConfig::plain("0.0.0.0:0".parse().unwrap())),
        ..config(&world, &[http(nobody())])
    };
    assert!(refusal(open).contains("loopback"));
    assert!(!world.path("spool").exists(), "a refused start leaves nothing behind");
}

/// The real program. Dropped, it is killed.
pub(crate) struct Program {
    pub(crate) child: Child,
    listening: serde_json::Value,
}

impl Program {
    pub(crate) fn start(world: &World, via: &[String]) -> Self {
        Self::try_start_by(program(), world, via)
            .unwrap_or_else(|| panic!("{}", fs::read_to_string(world.path("relay.log")).unwrap()))
    }

    /// With the binary at the end of a longer command; nothing if it ends before it listens.
    pub(crate) fn try_start_by(mut command: Command, world: &World, via: &[String]) -> Option<Self> {
        let log = CentreKeys::read(&world.path("keys")).unwrap().verifier().to_string();
        command.args(["--json", "relay", "--listen", "127.0.0.1:0", "--udp", "127.0.0.1:0", "--log", &log]);
        for (option, path) in [("--election", "election"), ("--spool", "spool")] {
            command.arg(option).arg(world.path(path));
        }
        command.args(via.iter().flat_map(|via| ["--via", via]));
        let log = File::options().create(true).append(true).open(world.path("relay.log")).unwrap();
        let mut relay = Self {
            child: command.stdout(Stdio::piped()).stderr(log).spawn().unwrap(),
            listening: serde_json::Value::Null,
        };
        let mut text = String::new();
        for line in BufReader::new(relay.child.stdout.take().unwrap()).lines() {
            text.push_str(&line.unwrap());
            if let Ok(listening) = serde_json::from_str(&text) {
                relay.listening = listening;
                return Some(relay);
            }
        }
        None
    }

    pub(crate) fn address(&self, name: &str) -> SocketAddr {
        self.listening[name].as_str().unwrap().parse().unwrap()
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        // Fails only for a process that has ended.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A promise to hold is kept past kill -9: of a record that came over HTTP, and of one that came as a datagram.
#[test]
fn a_killed_relay_goes_on_from_its_spool() {
    let world = World::new(2);
    let (posted, sent) = (world.seal(1, 1, 10), world.seal(2, 1, 10));
    let relay = Program::start(&world, &[http(nobody()), format!("udp://{}", nobody())]);
    let (status, words) = post(relay.address("http"), posted.as_bytes());
    assert!(status == 202 && words.starts_with(b"held: "), "{status} {}", String::from_utf8_lossy(&words));
    let socket = UdpSocket::bind(LOOPBACK).unwrap();
    socket.send_to(&world.datagram(2, tick(), sent.as_bytes()), relay.address("udp")).unwrap();
    until("the relay holds the datagram", || receipt_of(relay.address("http"), &sent).0 == 202);
    let is_record = |path: &std::path::Path| path.extension().is_some_and(|extension| extension == "cose");
    let records = || fs::read_dir(world.path("spool")).unwrap().filter(|it| is_record(&it.as_ref().unwrap().path()));
    until("both are on the disk", || records().count() == 2);
    drop(relay);

    let centre = world.serve();
    // Over UDP the datagram alone can go on; the other needs the HTTP way.
    let mut relay = Program::start(&world, &[http(centre.http), format!("udp://{}", centre.udp)]);
    assert_eq!(relay.listening["waiting"], 2);
    for record in [&posted, &sent] {
        until("the receipt comes", || receipt_of(relay.address("http"), record).0 == 200);
        assert!(promises(&world, &receipt_of(relay.address("http"), record).1, record));
    }
    let pid = relay.child.id().to_string();
    assert!(Command::new("kill").args(["-TERM", &pid]).status().unwrap().success());
    assert!(relay.child.wait().unwrap().success(), "a graceful shutdown ends with 0");
    let log = fs::read_to_string(world.path("relay.log")).unwrap();
    assert!(log.contains("2 records have their receipt, 0 wait in the spool"), "{log}");

    let again = Program::start(&world, &[http(nobody())]);
    assert_eq!((&again.listening["waiting"], &again.listening["receipted"]), (&0.into(), &2.into()));
    assert_eq!(receipt_of(again.address("http"), &sent).0, 200, "receipts are kept too");
}
