//! A relay: takes sealed records for others, keeps them on its disk and sends them on until the centre's receipt has come.
//!
//! ```text
//! http ─┐                      ┌─ ways to the centre ─┐
//!       ├→ signature → desk ───┤                      ├→ receipts → desk → whoever brought the record
//! udp ──┘                └─ spool (disk)              ┘
//! ```
//!
//! It has no key of anybody's: it can lose a record and nothing more, which is why a station uses several ways. What it
//! takes is bounded by the register; bytes that no station signed are neither kept nor sent on.

mod desk;
mod http;
mod spool;
mod udp;

use std::net::{SocketAddr, UdpSocket};
use std::path::PathBuf;
use std::sync::atomic::AtomicBool;
use std::sync::atomic::Ordering::Relaxed;
use std::sync::{Arc, mpsc};
use std::thread::JoinHandle;

use anyhow::{anyhow, ensure};
use ed25519_dalek::VerifyingKey;
use tallyproof_record::definition::Committed;
use tallyproof_station::{Cargo, Forwarder, RetryPolicy};
use tokio::sync::watch;

pub use desk::RelayStats;

use crate::centre::http::{HttpCounters, Port};
use crate::centre::{HttpConfig, thread};
use crate::station;
use crate::station::address::Address;
use crate::station::drop_folder::DropFolder;
use crate::station::ways::Ways;
use desk::Desk;

/// Records that one HTTPS way carries at the same time.
const POSTS: usize = 8;
/// Different records of one station, for each of its contests: a correction or two are honest, more come of a stolen key.
const RECORDS_PER_CONTEST: u32 = 4;

/// What a relay needs to start.
#[derive(Debug)]
pub struct RelayConfig {
    /// The election, its stations enrolled.
    pub election: Committed,
    /// The key that receipts are signed with.
    pub log_key: VerifyingKey,
    /// The folder of the records held; made if it is not there.
    pub spool: PathBuf,
    /// Where records are taken over HTTP.
    pub http: Option<HttpConfig>,
    /// Where datagrams are taken; port 0 takes a free one.
    pub udp: Option<SocketAddr>,
    /// The ways to the centre.
    pub via: Vec<Address>,
    /// PEM file of authorities to trust in place of the public ones.
    pub ca: Option<PathBuf>,
}

/// A relay at work. Dropping it leaves its threads running; call [`RunningRelay::shutdown`].
#[derive(Debug)]
pub struct RunningRelay {
    desk: Arc<Desk>,
    http: Option<SocketAddr>,
    udp: Option<SocketAddr>,
    stop: Arc<AtomicBool>,
    stop_http: watch::Sender<bool>,
    threads: Vec<JoinHandle<()>>,
}

/// Starts a relay: takes up what the spool holds, and then records of others.
pub fn start(config: RelayConfig) -> anyhow::Result<RunningRelay> {
    check(&config)?;
    // Bound first, so that a port in use is an error before anything is made.
    let port = config.http.as_ref().map(Port::public).transpose()?;
    let socket = config.udp.map(udp::bind).transpose()?.map(Arc::new);
    let http = port.as_ref().map(Port::address).transpose()?;
    let udp = socket.as_ref().map(|socket| socket.local_addr()).transpose()?;
    let folder = DropFolder::create(&config.spool)?;
    let (to_spool, jobs) = mpsc::channel();
    let ways: Vec<_> = config.via.iter().map(|way| (way.cargo(), RetryPolicy::default())).collect();
    let contests = u32::try_from(config.election.election().contests().len()).unwrap_or(u32::MAX);
    let limit = contests.saturating_mul(RECORDS_PER_CONTEST);
    let forwarder = Forwarder::new(*config.election.hash(), config.log_key, &ways, limit, station::jitter_seed()?);
    let desk = Arc::new(Desk::new(config.election, forwarder, to_spool, socket.clone()));
    spool::restore(&folder, &desk)?;

    let stop = Arc::new(AtomicBool::new(false));
    let (stop_http, stopped) = watch::channel(false);
    let mut threads = vec![thread("relay-spool", move || spool::write(&folder, &jobs))?];
    threads.push(start_forwarding(&desk, &config.via, config.ca.as_deref(), &stop)?);
    if let Some(socket) = socket {
        threads.extend(start_receiver(&desk, socket, &stop)?);
    }
    if let Some(port) = port {
        threads.push(port.serve("relay-http", http::routes(&desk), Arc::new(HttpCounters::default()), stopped)?);
    }
    Ok(RunningRelay { desk, http, udp, stop, stop_http, threads })
}

fn check(config: &RelayConfig) -> anyhow::Result<()> {
    ensure!(config.http.is_some() || config.udp.is_some(), "a relay needs a port: give --listen, --udp or both");
    ensure!(!config.via.is_empty(), "a relay needs a way to the centre: give --via");
    let carries_records = config.via.iter().any(|way| way.cargo() == Cargo::Record);
    ensure!(
        config.http.is_none() || carries_records,
        "a record that comes over HTTP has no station's tag, so it cannot go on over UDP: give an https:// or file: way too"
    );
    Ok(())
}

fn start_forwarding(
    desk: &Arc<Desk>,
    via: &[Address],
    ca: Option<&std::path::Path>,
    stop: &Arc<AtomicBool>,
) -> anyhow::Result<JoinHandle<()>> {
    let (hearing, sending, stop) = (Arc::clone(desk), Arc::clone(desk), Arc::clone(stop));
    let ways = Ways::open(via, ca, POSTS, &Arc::new(move |way, news| hearing.hear(way, news)))?;
    thread("relay-forward", move || {
        while !stop.load(Relaxed) {
            sending.forward(&ways);
        }
    })
}

fn start_receiver(
    desk: &Arc<Desk>,
    socket: Arc<UdpSocket>,
    stop: &Arc<AtomicBool>,
) -> anyhow::Result<[JoinHandle<()>; 2]> {
    let (strangers, unchecked) = mpsc::sync_channel(udp::UNCHECKED);
    let (receiving, checking, stop) = (Arc::clone(desk), Arc::clone(desk), Arc::clone(stop));
    Ok([
        thread("relay-udp", move || udp::receive(&receiving, &socket, &strangers, &stop))?,
        thread("relay-check", move || unchecked.into_iter().for_each(|stranger| udp::check(&checking, stranger)))?,
    ])
}

impl RunningRelay {
    /// Where records are taken over HTTP.
    pub fn http_addr(&self) -> Option<SocketAddr> {
        self.http
    }

    /// Where datagrams are taken.
    pub fn udp_addr(&self) -> Option<SocketAddr> {
        self.udp
    }

    /// What has been done since the start.
    pub fn stats(&self) -> RelayStats {
        self.desk.stats()
    }

    /// Stops: what is held is on the disk, and a relay started with the same spool goes on with it.
    pub fn shutdown(self) -> anyhow::Result<RelayStats> {
        let Self { desk, stop, stop_http, threads, .. } = self;
        stop.store(true, Relaxed);
        stop_http.send_replace(true);
        desk.close();
        for thread in threads {
            let name = thread.thread().name().unwrap_or("unnamed").to_owned();
            thread
                .join()
                .map_err(|_| anyhow!("thread {name} ended by a fault of the program; start the relay again"))?;
        }
        Ok(desk.stats())
    }
}
