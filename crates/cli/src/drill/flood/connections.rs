//! Attacks on the HTTP port, from one thread: connections that never finish a request, and requests that are forgeries.

use std::io;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;
use std::sync::atomic::{AtomicBool, AtomicU64};
use std::time::{Duration, Instant};

use anyhow::{Context, ensure};
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use tallyproof_drill::hostile::Forgeries;
use tallyproof_drill::script::Flood;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpSocket, TcpStream};
use tokio::task::JoinSet;
use tokio::time::{interval, sleep, timeout};

use super::Pace;

/// Connections that share one source address: fewer than a centre allows each.
const PER_SOURCE: usize = 48;
/// Source addresses of one flood. No two floods share any, or one would be refused for the other.
const SOURCES: u32 = 512;
/// Between two drops of a drip: well below any timer for idle connections.
const DRIP: Duration = Duration::from_secs(1);
/// An attacker whose connection was closed opens another after this time.
const REOPEN: Duration = Duration::from_millis(200);
/// Requests under way at a time.
const POSTS: usize = 256;
/// A request that has no answer after this time is given up.
const ANSWER: Duration = Duration::from_secs(5);
/// How often attackers look whether they are to stop, and how many requests are due.
const TICK: Duration = Duration::from_millis(5);
/// Descriptors of the drill itself.
const OTHER_DESCRIPTORS: u64 = 512;
/// A body that would be taken if it ever came.
const DRIPPED_BODY: usize = 300;

/// One flood of connections.
pub(super) struct Connections {
    pub(super) style: Style,
    pub(super) flood: Flood,
    pub(super) pace: Pace,
    pub(super) sent: Arc<AtomicU64>,
}

/// What a flood does with its connections.
#[derive(Clone, Debug)]
pub(super) enum Style {
    /// Holds them with headers that never end.
    HeaderDrip,
    /// Holds them with bodies that never end.
    BodyDrip,
    /// Posts a forgery on each.
    Post(Box<Forgeries>),
}

/// What an attacker knows.
#[derive(Clone)]
struct Scene {
    target: SocketAddr,
    start: Instant,
    stop: Arc<AtomicBool>,
    /// The first source address, after 127.0.0.1.
    sources: u32,
}

/// Runs all floods to their end, or until `stop`. `start` is the drill's first instant.
pub(super) fn run(
    floods: Vec<Connections>,
    target: SocketAddr,
    start: Instant,
    stop: &Arc<AtomicBool>,
) -> anyhow::Result<()> {
    allow_descriptors(&floods)?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(async {
        let mut attacks = JoinSet::new();
        for (Connections { style, flood, pace, sent }, sources) in
            floods.into_iter().zip((1..).step_by(SOURCES as usize))
        {
            let scene = Scene { target, start, stop: Arc::clone(stop), sources };
            match style {
                Style::HeaderDrip => attacks.spawn(hold_all(scene, flood, Drip::Headers, sent)),
                Style::BodyDrip => attacks.spawn(hold_all(scene, flood, Drip::Body, sent)),
                Style::Post(forgeries) => attacks.spawn(post_all(scene, pace, *forgeries, sent)),
            };
        }
        attacks.join_all().await;
    });
    Ok(())
}

/// Raises the limit of open files as far as the attacks need and the system lets a process go by itself.
fn allow_descriptors(floods: &[Connections]) -> anyhow::Result<()> {
    let of = |flood: &Connections| match flood.style {
        Style::Post(_) => POSTS as u64,
        Style::HeaderDrip | Style::BodyDrip => flood.flood.rate.get().into(),
    };
    let needed = floods.iter().map(of).fold(OTHER_DESCRIPTORS, u64::saturating_add);
    let limit = getrlimit(Resource::Nofile);
    if limit.current.is_none_or(|current| current >= needed) {
        return Ok(());
    }
    ensure!(
        limit.maximum.is_none_or(|maximum| maximum >= needed),
        "the floods need {needed} open files, and the system allows this process fewer: raise `ulimit -Hn`, or lower their rates"
    );
    setrlimit(Resource::Nofile, Rlimit { current: Some(needed), ..limit })
        .context("cannot raise the limit of open files")
}

impl Scene {
    fn now(&self) -> Duration {
        self.start.elapsed()
    }

    fn stopped(&self) -> bool {
        self.stop.load(Relaxed)
    }

    /// Waits for an instant of the drill, or for the order to stop.
    async fn wait_until(&self, instant: Duration) {
        while !self.stopped() && self.now() < instant {
            sleep(TICK.min(instant.saturating_sub(self.now()))).await;
        }
    }

    /// A connection from one of many addresses of this machine, as if from many machines.
    async fn connect(&self, number: usize) -> io::Result<TcpStream> {
        let socket = match self.target.ip() {
            IpAddr::V4(_) => {
                let number = u32::try_from(number / PER_SOURCE).unwrap_or_default() % SOURCES;
                let source = Ipv4Addr::from_bits(Ipv4Addr::LOCALHOST.to_bits() + self.sources + number);
                let socket = TcpSocket::new_v4()?;
                socket.bind((source, 0).into())?;
                socket
            }
            IpAddr::V6(_) => TcpSocket::new_v6()?,
        };
        socket.connect(self.target).await
    }
}

/// What drips.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Drip {
    Headers,
    Body,
}

impl Drip {
    fn beginning(self) -> String {
        let head = "POST /v1/records HTTP/1.1\r\nHost: drill\r\n";
        match self {
            Self::Headers => head.to_owned(),
            Self::Body => format!("{head}Content-Length: {DRIPPED_BODY}\r\n\r\n"),
        }
    }

    fn drop(self) -> &'static [u8] {
        match self {
            Self::Headers => b"X: y\r\n",
            Self::Body => b"\xd2",
        }
    }
}

/// Holds as many connections open as the flood's rate says, for as long as it lasts.
async fn hold_all(scene: Scene, flood: Flood, drip: Drip, opened: Arc<AtomicU64>) {
    scene.wait_until(flood.during.from).await;
    let mut connections = JoinSet::new();
    for number in 0..flood.rate.get() as usize {
        connections.spawn(hold(scene.clone(), number, drip, Arc::clone(&opened)));
    }
    scene.wait_until(flood.during.until).await;
}

/// Holds one connection, and opens it again when it is closed. Ends when it is dropped.
async fn hold(scene: Scene, number: usize, drip: Drip, opened: Arc<AtomicU64>) {
    loop {
        if let Ok(stream) = scene.connect(number).await {
            opened.fetch_add(1, Relaxed);
            // However it ends, another one follows.
            let _ = keep_dripping(stream, drip).await;
        }
        sleep(REOPEN).await;
    }
}

/// Drips until the other side closes.
async fn keep_dripping(mut stream: TcpStream, drip: Drip) -> io::Result<()> {
    let (mut answers, mut requests) = stream.split();
    requests.write_all(drip.beginning().as_bytes()).await?;
    let mut drops = interval(DRIP);
    let mut answer = [0; 512];
    loop {
        tokio::select! {
            heard = answers.read(&mut answer) => if heard? == 0 { return Ok(()) },
            _ = drops.tick() => requests.write_all(drip.drop()).await?,
        }
    }
}

/// Posts forgeries at the flood's pace.
async fn post_all(scene: Scene, mut pace: Pace, mut forgeries: Forgeries, sent: Arc<AtomicU64>) {
    let mut posts = JoinSet::new();
    let mut number = 0_usize;
    while !scene.stopped() && !pace.is_over(scene.now()) {
        while posts.try_join_next().is_some() {}
        for _ in 0..pace.take(scene.now(), POSTS - posts.len().min(POSTS)) {
            number = number.wrapping_add(1) % (POSTS * PER_SOURCE);
            posts.spawn(post(scene.clone(), number, request(forgeries.next_record()), Arc::clone(&sent)));
        }
        sleep(TICK).await;
    }
    while posts.join_next().await.is_some() {}
}

fn request(record: &[u8]) -> Vec<u8> {
    let head = format!("POST /v1/records HTTP/1.1\r\nHost: drill\r\nContent-Length: {}\r\n\r\n", record.len());
    [head.as_bytes(), record].concat()
}

/// Posts one request on a connection of its own, and waits for the beginning of the answer.
async fn post(scene: Scene, number: usize, request: Vec<u8>, sent: Arc<AtomicU64>) {
    let exchange = async {
        let mut stream = scene.connect(number).await?;
        stream.write_all(&request).await?;
        sent.fetch_add(1, Relaxed);
        stream.read(&mut [0; 512]).await
    };
    // A request that is refused, reset or not answered was sent all the same.
    let _ = timeout(ANSWER, exchange).await;
}
