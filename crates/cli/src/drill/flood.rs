//! The attackers of a drill. They attack loopback addresses only, and end by the script's times and counts even if nobody
//! stops them.
//!
//! One thread sends all datagrams, and one drives all connections: more would take the cores of what is being measured. An
//! attacker that cannot keep up with its rate sends less, and what is counted is what was sent.

mod connections;
mod datagrams;
mod pace;

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;
use std::sync::atomic::{AtomicBool, AtomicU64};
use std::thread::{self, JoinHandle};
use std::time::Instant;

use anyhow::{Context, anyhow, ensure};
use tallyproof_drill::hostile::{Forgeries, Hostile};
use tallyproof_drill::population::Population;
use tallyproof_drill::script::{ConnectionKind, Flood, FloodKind};

use connections::{Connections, Style};
use datagrams::Stream;
use pace::Pace;

/// Where attackers send.
#[derive(Clone, Copy, Debug)]
pub struct Targets {
    /// The centre's port for datagrams.
    pub udp: SocketAddr,
    /// The centre's port for HTTP.
    pub http: SocketAddr,
}

/// A flood of the script with what it sends.
#[derive(Debug)]
pub struct Attack {
    flood: Flood,
    source: Source,
}

#[derive(Debug)]
enum Source {
    Datagrams(Box<Hostile>),
    Connections(Style),
}

impl Attack {
    /// Prepares a flood against an election's stations. `epoch` is that of their MAC keys.
    pub fn new(flood: Flood, population: &Population<'_>, epoch: u32) -> anyhow::Result<Self> {
        let source = match flood.kind {
            FloodKind::Datagram(kind) => {
                Hostile::new(kind, population, epoch).map(|hostile| Source::Datagrams(Box::new(hostile)))
            }
            FloodKind::Connection(ConnectionKind::Slowloris) => Some(Source::Connections(Style::HeaderDrip)),
            FloodKind::Connection(ConnectionKind::BodyDrip) => Some(Source::Connections(Style::BodyDrip)),
            FloodKind::Connection(ConnectionKind::HttpPost) => {
                Forgeries::new(population).map(|forgeries| Source::Connections(Style::Post(Box::new(forgeries))))
            }
        };
        let source = source.context("nobody can be attacked: no station of the election has figures in results.csv")?;
        Ok(Self { flood, source })
    }
}

/// Attackers at work. Dropping it stops them and waits for their end.
#[derive(Debug)]
pub struct Running {
    stop: Arc<AtomicBool>,
    sent: Vec<Arc<AtomicU64>>,
    joined: bool,
    threads: Vec<JoinHandle<anyhow::Result<()>>>,
}

/// Starts the attackers, each at its hour; `start` is the drill's first instant.
///
/// # Errors
/// A target that is not a loopback address, or a system that gives no sockets or threads.
pub fn start(attacks: Vec<Attack>, targets: Targets, start: Instant) -> anyhow::Result<Running> {
    for target in [targets.udp, targets.http] {
        ensure!(target.ip().is_loopback(), "floods go to loopback addresses only, and {target} is not one");
    }
    let mut running = Running { stop: Arc::default(), sent: Vec::new(), joined: false, threads: Vec::new() };
    let (mut streams, mut connections) = (Vec::new(), Vec::new());
    for Attack { flood, source } in attacks {
        let sent = Arc::new(AtomicU64::new(0));
        running.sent.push(Arc::clone(&sent));
        let pace = Pace::new(flood);
        match source {
            Source::Datagrams(hostile) => streams.push(Stream::open(targets.udp, *hostile, pace, sent)?),
            Source::Connections(style) => connections.push(Connections { style, flood, pace, sent }),
        }
    }
    running.joined = streams.iter().any(Stream::is_joined);
    if !streams.is_empty() {
        let stop = Arc::clone(&running.stop);
        running.spawn("flood-datagrams", move || datagrams::run(streams, start, &stop))?;
    }
    if !connections.is_empty() {
        let stop = Arc::clone(&running.stop);
        running.spawn("flood-connections", move || connections::run(connections, targets.http, start, &stop))?;
    }
    Ok(running)
}

impl Running {
    fn spawn(&mut self, name: &str, work: impl FnOnce() -> anyhow::Result<()> + Send + 'static) -> anyhow::Result<()> {
        self.threads
            .push(thread::Builder::new().name(name.to_owned()).spawn(work).context("cannot start an attacker")?);
        Ok(())
    }

    /// Datagrams or requests that an attack has sent so far, or connections that it has opened; attacks are numbered in the
    /// order in which they were given.
    pub fn sent(&self, attack: usize) -> u64 {
        self.sent.get(attack).map_or(0, |sent| sent.load(Relaxed))
    }

    /// Whether some datagrams are handed to the kernel joined (GSO), which is cheaper than real senders have it.
    pub fn sends_joined(&self) -> bool {
        self.joined
    }

    /// Tells the attackers to end now.
    pub fn stop(&self) {
        self.stop.store(true, Relaxed);
    }

    /// Waits for the end of all attacks; fails if one broke off.
    pub fn join(mut self) -> anyhow::Result<()> {
        self.wait()
    }

    fn wait(&mut self) -> anyhow::Result<()> {
        let ends: Vec<_> = self.threads.drain(..).map(JoinHandle::join).collect();
        ends.into_iter().try_for_each(|end| end.map_err(|_| anyhow!("an attacker panicked"))?)
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.stop();
        // Whoever drops it instead of joining has an error of its own to tell.
        let _ = self.wait();
    }
}

#[cfg(test)]
mod tests {
    use std::io::{Read, Write};
    use std::net::{TcpListener, UdpSocket};
    use std::num::NonZeroU32;
    use std::time::Duration;

    use tallyproof_drill::keys::Seed;
    use tallyproof_drill::network::Chance;
    use tallyproof_drill::script::{DatagramKind, Script, Span};
    use tallyproof_drill::synthetic::{self, Synthetic};

    use super::*;

    const SEED: Seed = Seed(1);

    /// Runs one flood of 200 ms against sockets of the test, and returns how many it says that it sent.
    fn run(kind: FloodKind, rate: u32, targets: Targets) -> u64 {
        let Synthetic { election, results } = synthetic::election(NonZeroU32::new(20).unwrap(), SEED).unwrap();
        let definition = election.with_keys(|no| SEED.station_key(no).verifying_key().into()).commit();
        let population = Population::new(&definition, &results, SEED, Chance::NEVER).unwrap();
        let during = Span { from: Duration::ZERO, until: Duration::from_millis(200) };
        let flood = Flood { kind, during, rate: NonZeroU32::new(rate).unwrap() };
        let attack = Attack::new(flood, &population, 1).unwrap();
        let begun = Instant::now();
        let running = start(vec![attack], targets, begun).unwrap();
        while begun.elapsed() < Duration::from_millis(350) {
            thread::sleep(Duration::from_millis(10));
        }
        let sent = running.sent(0);
        assert_eq!((running.sent(0), running.sent(1)), (sent, 0), "it has ended by itself");
        running.join().unwrap();
        sent
    }

    fn nowhere() -> SocketAddr {
        TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap()
    }

    #[test]
    fn datagrams_arrive_as_many_as_are_counted() {
        for kind in DatagramKind::ALL {
            let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
            socket.set_read_timeout(Some(Duration::from_millis(300))).unwrap();
            // A reader that is kept waiting on a busy machine loses nothing.
            crate::sockets::enlarge_receive_buffer(&socket, 8 << 20).unwrap();
            let udp = socket.local_addr().unwrap();
            let reader = thread::spawn(move || {
                let mut buffer = vec![0; 1 << 16];
                std::iter::repeat_with(|| socket.recv(&mut buffer)).take_while(Result::is_ok).count()
            });
            let sent = run(FloodKind::Datagram(kind), 200, Targets { udp, http: nowhere() });
            assert!((1..=40).contains(&sent), "{kind:?} {sent}");
            assert_eq!(reader.join().unwrap() as u64, sent, "{kind:?}");
        }
    }

    #[test]
    fn slow_connections_are_held_and_no_more_than_planned() {
        for kind in [ConnectionKind::Slowloris, ConnectionKind::BodyDrip] {
            let listener = TcpListener::bind("127.0.0.1:0").unwrap();
            let http = listener.local_addr().unwrap();
            let heard = thread::spawn(move || {
                let streams: Vec<_> = listener.incoming().take(100).flatten().collect();
                let sources: std::collections::BTreeSet<_> =
                    streams.iter().map(|stream| stream.peer_addr().unwrap().ip()).collect();
                let mut heard = Vec::new();
                for mut stream in streams {
                    let _ = stream.read_to_end(&mut heard);
                }
                (sources.len(), String::from_utf8_lossy(&heard).into_owned())
            });
            assert_eq!(run(FloodKind::Connection(kind), 100, Targets { udp: nowhere(), http }), 100, "{kind:?}");
            let (sources, text) = heard.join().unwrap();
            assert!(sources > 1, "many attackers");
            assert_eq!(text.matches("POST /v1/records").count(), 100);
            assert_eq!(text.matches("\r\n\r\n").count(), if kind == ConnectionKind::Slowloris { 0 } else { 100 });
        }
    }

    #[test]
    fn forged_records_are_posted() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let http = listener.local_addr().unwrap();
        let server = thread::spawn(move || {
            let mut request = [0; 4096];
            for stream in listener.incoming().take(10) {
                let mut stream = stream.unwrap();
                let length = stream.read(&mut request).unwrap();
                assert!(request[..length].starts_with(b"POST /v1/records HTTP/1.1\r\n"));
                stream.write_all(b"HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n").unwrap();
            }
        });
        let kind = FloodKind::Connection(ConnectionKind::HttpPost);
        assert_eq!(run(kind, 50, Targets { udp: nowhere(), http }), 10);
        server.join().unwrap();
    }

    #[test]
    fn only_loopback_is_a_target() {
        let far: SocketAddr = "192.0.2.1:9".parse().unwrap();
        for targets in [Targets { udp: far, http: nowhere() }, Targets { udp: nowhere(), http: far }] {
            assert!(start(Vec::new(), targets, Instant::now()).unwrap_err().to_string().contains("loopback"));
        }
    }

    #[test]
    fn attackers_end_when_they_are_dropped() {
        let text = "format = 1\nname = \"x\"\nstations = 4\nreporting = { at = \"0s\", over = \"0s\" }\n\
                    [[path]]\nname = \"a\"\nkind = \"udp\"\n\
                    [[flood]]\nkind = \"slowloris\"\nat = \"0s\"\nfor = \"10m\"\nrate = 3\n\
                    [[flood]]\nkind = \"garbage\"\nat = \"5m\"\nfor = \"5m\"\nrate = 3\n";
        let script = Script::parse(text, "x").unwrap();
        let Synthetic { election, results } = synthetic::election(NonZeroU32::new(4).unwrap(), SEED).unwrap();
        let definition = election.with_keys(|no| SEED.station_key(no).verifying_key().into()).commit();
        let population = Population::new(&definition, &results, SEED, Chance::NEVER).unwrap();
        let attacks = script.floods.iter().map(|flood| Attack::new(*flood, &population, 1).unwrap()).collect();
        let begun = Instant::now();
        drop(start(attacks, Targets { udp: nowhere(), http: nowhere() }, begun).unwrap());
        assert!(begun.elapsed() < Duration::from_secs(10));
    }
}
