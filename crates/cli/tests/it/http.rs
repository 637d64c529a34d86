//! The HTTP ports over real sockets: the lane for records under attack, and the private port beside it.

use std::fs;
use std::io::{self, Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpStream};
use std::process::Command;
use std::thread;
use std::time::{Duration, Instant};

use socket2::{Domain, Socket, Type};
use tallyproof_cli::centre::{self, CentreConfig, CentreKeys, HttpConfig, StatsReport, TlsFiles};
use tallyproof_record::StationNo;
use tallyproof_record::cose::{self, SealedRecord};
use tallyproof_record::receipt::{self, Receipt};

use crate::centre::{LOOPBACK, config, record};
use crate::world::{Field, World, program};

/// Far more than any timer of the lane.
const PATIENCE: Duration = Duration::from_secs(30);
/// Where the genuine clients are.
const GENUINE: Ipv4Addr = Ipv4Addr::new(127, 0, 0, 2);

/// A connection from `source`, one of this machine's many loopback addresses.
fn connect(source: Ipv4Addr, to: SocketAddr) -> io::Result<TcpStream> {
    let socket = Socket::new(Domain::IPV4, Type::STREAM, None)?;
    socket.bind(&SocketAddr::from((source, 0)).into())?;
    socket.connect_timeout(&to.into(), PATIENCE)?;
    socket.set_read_timeout(Some(PATIENCE))?;
    Ok(socket.into())
}

/// Posts a record on a connection of its own: status and body.
fn post_from(source: Ipv4Addr, to: SocketAddr, bytes: &[u8]) -> io::Result<(u16, Vec<u8>)> {
    let mut stream = connect(source, to)?;
    let head =
        format!("POST /v1/records HTTP/1.1\r\nHost: a\r\nConnection: close\r\nContent-Length: {}\r\n\r\n", bytes.len());
    stream.write_all(&[head.as_bytes(), bytes].concat())?;
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer)?;
    parse(&answer).ok_or(io::ErrorKind::ConnectionReset.into())
}

fn parse(answer: &[u8]) -> Option<(u16, Vec<u8>)> {
    let end = answer.windows(4).position(|window| window == b"\r\n\r\n")?;
    let head = std::str::from_utf8(&answer[..end]).unwrap();
    Some((head.split(' ').nth(1)?.parse().unwrap(), answer[end + 4..].to_vec()))
}

/// As [`post_from`], again and again, as a client does that is told to.
fn post_until_taken(source: Ipv4Addr, to: SocketAddr, bytes: &[u8]) -> Duration {
    let start = Instant::now();
    while post_from(source, to, bytes).map_or(true, |(status, _)| status != 200) {
        assert!(start.elapsed() < PATIENCE, "no receipt");
        thread::sleep(Duration::from_millis(100));
    }
    start.elapsed()
}

fn get(address: SocketAddr, path: &str) -> (u16, String) {
    let agent: ureq::Agent = ureq::Agent::config_builder().http_status_as_error(false).build().into();
    let mut response = agent.get(format!("http://{address}{path}")).call().unwrap();
    (response.status().as_u16(), response.body_mut().read_to_string().unwrap())
}

fn stats(admin: SocketAddr) -> StatsReport {
    serde_json::from_str(&get(admin, "/stats").1).unwrap()
}

/// Waits until the counters show it: they follow the connections, on a thread that yields to others.
fn wait_for(admin: SocketAddr, what: impl Fn(&StatsReport) -> bool) -> StatsReport {
    let start = Instant::now();
    loop {
        let stats = stats(admin);
        if what(&stats) {
            return stats;
        }
        assert!(start.elapsed() < PATIENCE, "{stats:?}");
        thread::sleep(Duration::from_millis(20));
    }
}

/// Waits until the other side has ended the connection: what it said, and how long it took.
fn until_closed(mut stream: &TcpStream, opened: Instant) -> (Vec<u8>, Duration) {
    let mut answer = Vec::new();
    if let Err(error) = stream.read_to_end(&mut answer) {
        assert_eq!(error.kind(), io::ErrorKind::ConnectionReset, "the centre closes the connection");
    }
    (answer, opened.elapsed())
}

/// Connections that never come to the end of their headers, as many as the centre lets in.
fn hold_slowly(sources: impl Iterator<Item = Ipv4Addr>, each: usize, to: SocketAddr) -> Vec<TcpStream> {
    let slow = sources.flat_map(|source| (0..each).map(move |_| connect(source, to)));
    let slow = slow.filter_map(Result::ok).map(|mut stream| {
        // Who has no place has been reset by now.
        let _ = stream.write_all(b"POST /v1/records HTTP/1.1\r\nX-Slow: ");
        stream
    });
    slow.collect()
}

#[test]
fn an_answer_is_a_receipt_or_a_reason() {
    let world = World::new(3);
    let centre = world.serve();
    let sealed = world.seal(1, 1, 10);
    let (status, receipt) = post_from(GENUINE, centre.http, sealed.as_bytes()).unwrap();
    assert_eq!((status, receipt.len()), (200, receipt::LEN));
    let key = CentreKeys::read(&world.path("keys")).unwrap().receipts.verifying_key();
    let promised = Receipt::verify(&receipt, world.election.hash(), &key).unwrap();
    assert_eq!((promised.station, promised.digest), (StationNo(1), sealed.digest()));
    let again = post_from(GENUINE, centre.http, sealed.as_bytes()).unwrap();
    assert_eq!(again, (200, receipt), "a copy gets the same receipt");

    let mut forged = sealed.into_bytes();
    *forged.last_mut().unwrap() ^= 1;
    for (bytes, expected, code) in [(forged, 403, "signature: "), (b"hello".to_vec(), 400, "structure: ")] {
        let (status, body) = post_from(GENUINE, centre.http, &bytes).unwrap();
        let body = String::from_utf8(body).unwrap();
        assert!(status == expected && body.starts_with(code), "{status} {body}");
    }
    assert_eq!(get(centre.http, "/v1/records").0, 405);
    assert_eq!(get(centre.http, "/metrics").0, 404, "metrics are on the private port alone");
    centre.stop();
    assert_eq!(world.logged().1, 2, "forgeries are never written");
}

#[test]
fn https_serves_the_same_lane() {
    let folder = tempfile::tempdir().unwrap();
    let made = rcgen::generate_simple_self_signed(vec!["localhost".to_owned()]).unwrap();
    let files = TlsFiles { cert: folder.path().join("cert.pem"), key: folder.path().join("key.pem") };
    fs::write(&files.cert, made.cert.pem()).unwrap();
    fs::write(&files.key, made.signing_key.serialize_pem()).unwrap();
    let http = HttpConfig { tls: Some(files), ..HttpConfig::plain(LOOPBACK) };
    let centre = centre::start(CentreConfig { http: Some(http), ..config(folder.path()) }).unwrap();
    let address = centre.http_addr().unwrap();

    let root = ureq::tls::Certificate::from_der(made.cert.der()).to_owned();
    let tls = ureq::tls::TlsConfig::builder().root_certs(ureq::tls::RootCerts::new_with_certs(&[root])).build();
    let agent: ureq::Agent = ureq::Agent::config_builder().tls_config(tls).build().into();
    let posted = agent.post(format!("https://localhost:{}/v1/records", address.port())).send(record(1, 10).as_bytes());
    assert_eq!(posted.unwrap().status(), 200);
    post_from(GENUINE, address, b"no TLS").unwrap_err();
    let drops = centre.shutdown().unwrap().http_drops;
    assert!(drops.iter().any(|(reason, count)| reason.as_str() == "handshake" && *count == 1), "{drops:?}");
}

#[test]
fn plain_http_is_for_this_machine_only() {
    let folder = tempfile::tempdir().unwrap();
    let http = HttpConfig::plain("0.0.0.0:0".parse().unwrap());
    let open = CentreConfig { http: Some(http), ..config(folder.path()) };
    let error = centre::start(open).unwrap_err().to_string();
    assert!(error.contains("loopback"), "{error}");
    assert!(!folder.path().join("journal").exists(), "a refused start leaves nothing behind");
}

#[test]
fn the_private_port_has_health_metrics_and_stats() {
    let world = World::new(3);
    let centre = world.serve();
    assert_eq!(post_from(GENUINE, centre.http, world.seal(1, 1, 10).as_bytes()).unwrap().0, 200);
    post_from(GENUINE, centre.http, b"hello").unwrap();
    let stats = wait_for(centre.admin, |stats| stats.counted > 0);
    let (status, health) = get(centre.admin, "/healthz");
    let health: serde_json::Value = serde_json::from_str(&health).unwrap();
    assert_eq!((status, &health["status"], &health["tree_size"]), (200, &"ok".into(), &2.into()));
    let (_, metrics) = get(centre.admin, "/metrics");
    for line in [
        "tallyproof_centre_journalled_total 1",
        "tallyproof_centre_drops_total{reason=\"replay\"} 0",
        "tallyproof_centre_http_connections_total 2",
        "tallyproof_centre_http_drops_total{reason=\"displaced\"} 0",
        "tallyproof_centre_slots_counted 1",
        "tallyproof_centre_up 1",
    ] {
        assert!(metrics.lines().any(|found| found == line), "{line}\n{metrics}");
    }
    assert_eq!((stats.journalled, stats.receipts, stats.tree_size, stats.refused["structure"]), (1, 1, 2, 1));
    assert_eq!((stats.counted, stats.missing, stats.drops["tag"]), (1, 5, 0));
    centre.stop();
}

#[test]
fn a_length_that_no_record_has_is_not_waited_for() {
    let world = World::new(1);
    let centre = world.serve();
    let too_long = format!("Content-Length: {}", cose::MAX_LEN + 1);
    for (length, status) in
        [(too_long.as_str(), 413), ("Content-Length: 9999999999", 413), ("Transfer-Encoding: chunked", 411)]
    {
        let mut stream = connect(GENUINE, centre.http).unwrap();
        let opened = Instant::now();
        write!(stream, "POST /v1/records HTTP/1.1\r\nHost: a\r\n{length}\r\n\r\n").unwrap();
        let (answer, took) = until_closed(&stream, opened);
        assert_eq!(parse(&answer).unwrap().0, status, "{length}");
        assert!(took < Duration::from_secs(4), "closed without a timer, after {took:?}");
    }
    assert_eq!(stats(centre.admin).http_drops["length"], 3);
    centre.stop();
}

#[test]
fn slow_clients_are_cut_off() {
    let world = World::new(1);
    let centre = world.serve();
    let opened = Instant::now();
    let [mut headers, mut idle, mut body] = std::array::from_fn(|_| connect(GENUINE, centre.http).unwrap());
    let sealed = world.seal(1, 1, 10);
    let head = format!("POST /v1/records HTTP/1.1\r\nHost: a\r\nContent-Length: {}\r\n", sealed.as_bytes().len());
    write!(headers, "{head}X-Slow: ").unwrap();
    idle.write_all(&[head.as_bytes(), b"\r\n", sealed.as_bytes()].concat()).unwrap();
    write!(body, "{head}\r\n").unwrap();
    let drip = [&headers, &body].map(|stream| {
        let mut stream = stream.try_clone().unwrap();
        thread::spawn(move || {
            while stream.write_all(b"x").is_ok() {
                thread::sleep(Duration::from_millis(200));
            }
        })
    });

    let (answer, took) = until_closed(&headers, opened);
    assert!(answer.is_empty() && (4..20).contains(&took.as_secs()), "headers: {took:?}");
    let (answer, took) = until_closed(&idle, opened);
    assert_eq!(parse(&answer).unwrap().0, 200);
    assert!((4..20).contains(&took.as_secs()), "an idle connection: {took:?}");
    let (answer, took) = until_closed(&body, opened);
    // A reset may overtake the answer.
    assert!(
        parse(&answer).is_none_or(|(status, _)| status == 408) && (9..25).contains(&took.as_secs()),
        "body: {took:?}"
    );
    for drip in drip {
        drip.join().unwrap();
    }
    let drops = stats(centre.admin).http_drops;
    assert_eq!((drops["headers"], drops["body"]), (2, 1), "{drops:?}");
    centre.stop();
}

#[test]
fn one_slow_source_holds_its_share_and_no_more() {
    let world = World::new(3);
    let centre = world.serve();
    let slow = hold_slowly([Ipv4Addr::new(127, 0, 0, 9)].into_iter(), 300, centre.http);
    assert!(slow.len() >= usize::from(HttpConfig::PER_SOURCE));
    let start = Instant::now();
    assert_eq!(post_from(GENUINE, centre.http, world.seal(1, 1, 10).as_bytes()).unwrap().0, 200);
    let mut stations = Field::new(&world, [(2, world.seal(2, 1, 10))]);
    stations.work(centre.udp, 1, Instant::now() + PATIENCE);
    assert!(stations.done(1), "datagrams are not the HTTP lane's business");
    assert!(start.elapsed() < Duration::from_secs(2), "both at once, after {:?}", start.elapsed());
    let stats = wait_for(centre.admin, |stats| stats.http_drops["source"] >= 300 - 64);
    assert_eq!(stats.http_drops["full"], 0);
    let start = Instant::now();
    centre.stop();
    assert!(start.elapsed() < Duration::from_secs(5), "nobody holds up the end: {:?}", start.elapsed());
    drop(slow);
}

/// A process with so few descriptors has 64 places.
fn with_few_descriptors() -> Command {
    let mut shell = Command::new("sh");
    shell.args(["-c", "ulimit -n 320; exec \"$0\" \"$@\""]).arg(program().get_program());
    shell
}

#[test]
fn a_full_house_turns_over_and_blinds_nobody() {
    let world = World::new(3);
    let centre = world.serve_by(with_few_descriptors());
    let attackers = || (1..=40).map(|last| Ipv4Addr::new(127, 0, 1, last));
    let slow = hold_slowly(attackers(), 2, centre.http);
    // The private port answers while the public one is full.
    wait_for(centre.admin, |stats| stats.http_drops["full"] >= 16);
    assert_eq!(get(centre.admin, "/healthz").0, 200);

    let took = post_until_taken(GENUINE, centre.http, world.seal(1, 1, 10).as_bytes());
    assert!(took < Duration::from_secs(4), "places are due after two seconds: {took:?}");
    assert!(stats(centre.admin).http_drops["displaced"] >= 1);
    let mut stations = Field::new(&world, [(2, world.seal(2, 1, 10))]);
    stations.work(centre.udp, 1, Instant::now() + PATIENCE);
    assert!(stations.done(1), "datagrams are not the HTTP lane's business");
    drop(slow);
    centre.stop();
}

#[test]
fn forgers_begin_anew_each_time() {
    let world = World::new(1);
    let centre = world.serve();
    let mut stream = connect(GENUINE, centre.http).unwrap();
    let request = b"POST /v1/records HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhello";
    let opened = Instant::now();
    stream.write_all(&request.repeat(3)).unwrap();
    let (answer, took) = until_closed(&stream, opened);
    let text = String::from_utf8(answer).unwrap();
    assert_eq!(text.matches("HTTP/1.1 ").count(), 1, "{text}");
    assert!(text.contains("connection: close") && took < Duration::from_secs(4), "{took:?} {text}");
    centre.stop();
}

#[test]
fn a_receipt_keeps_the_connection() {
    let world = World::new(2);
    let centre = world.serve();
    let mut stream = connect(GENUINE, centre.http).unwrap();
    let request = |record: SealedRecord| {
        let length = record.as_bytes().len();
        let head = format!("POST /v1/records HTTP/1.1\r\nHost: a\r\nContent-Length: {length}\r\n\r\n");
        [head.as_bytes(), record.as_bytes()].concat()
    };
    let opened = Instant::now();
    stream.write_all(&[request(world.seal(1, 1, 1)), request(world.seal(2, 1, 1))].concat()).unwrap();
    let (answer, _) = until_closed(&stream, opened);
    let answers = answer.windows(12).filter(|window| window == b"HTTP/1.1 200").count();
    assert_eq!(answers, 2);
    centre.stop();
}
