//! The totalisation centre at work: threads, sockets and files around the state machines of `tallyproof-centre`.
//!
//! ```text
//! udp ─┐                    ┌─ receipts (sign, answer)
//!      ├→ workers → journal ┤
//! http ┘                    └─ publisher (order, tiles, checkpoint, index, manifest)
//! ```
//!
//! Every arrow is a bounded queue but the last. When the disk stalls, the journal thread stalls, then the workers, then the queue
//! before them is full, and the receive loop, which never waits, drops and counts. Stations send again.

pub(crate) mod http;
mod journal;
mod keys;
mod metrics;
mod outstanding;
mod pipeline;
mod publisher;
mod queue;
mod restore;
mod shared;
mod udp;

use std::net::{SocketAddr, UdpSocket};
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::sync::mpsc::{self, Receiver, SyncSender};
use std::sync::{Arc, RwLockReadGuard};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use anyhow::{Context, anyhow, bail};
use tallyproof_centre::Gate;
use tallyproof_centre::intake::Authentic;
use tallyproof_count::Ledger;
use tallyproof_record::definition::Committed;
use tallyproof_store::{Binding, BundleFolder, LastCheckpoint, SqliteJournal};
use tokio::runtime::Builder;
use tokio::sync::watch;

pub use http::{HttpConfig, HttpDrop, StatementAnswer, StatsReport, TlsFiles};
pub use keys::{CentreKeys, LOG_KEY_FILE, MAC_KEY_FILE};
pub use pipeline::{Answer, Full, Submitted, Submitter};
pub use shared::{CentreStats, Health};
pub use udp::UdpConfig;

use http::Port;
use journal::{ToJournal, Writer};
use publisher::{Publisher, ToPublisher};
use shared::Shared;

use crate::sockets;

/// When a batch of the log ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cut {
    /// This long after the last one, if there are records.
    Every(Duration),
    /// When [`RunningCentre::cut_now`] is called, and at the end: two runs with the same records then have the same tree.
    OnDemand,
}

/// What a centre needs to start.
#[derive(Debug)]
pub struct CentreConfig {
    /// The election.
    pub election: Committed,
    /// The centre's secrets.
    pub keys: CentreKeys,
    /// The journal's file.
    pub journal: PathBuf,
    /// Whether to make the journal: the first start of an election, and no other.
    pub create: bool,
    /// The bundle's folder.
    pub bundle: PathBuf,
    /// Where and how stations' datagrams are received.
    pub udp: UdpConfig,
    /// Where records are taken over HTTP.
    pub http: Option<HttpConfig>,
    /// The private port for health, metrics and stats.
    pub admin: Option<SocketAddr>,
    /// When a batch of the log ends.
    pub cut: Cut,
    /// Index, pages and manifest are published at most this often.
    pub publish_every: Duration,
    /// Threads that check signatures; 0 takes one a core.
    pub workers: usize,
}

/// A centre at work. Dropping it leaves its threads running; call [`RunningCentre::shutdown`].
#[derive(Debug)]
pub struct RunningCentre {
    shared: Arc<Shared>,
    udp: SocketAddr,
    receive_buffer: usize,
    http: Option<SocketAddr>,
    admin: Option<SocketAddr>,
    submitter: Submitter,
    journal: SyncSender<ToJournal>,
    /// Ends the receive loop.
    stop: Arc<AtomicBool>,
    /// Ends the HTTP ports.
    stop_http: watch::Sender<bool>,
    receiver: JoinHandle<()>,
    workers: Vec<JoinHandle<()>>,
    /// Journal, receipts and publisher, in the order in which they end.
    writers: Vec<JoinHandle<()>>,
    /// The HTTP ports, each on its own.
    ports: Vec<JoinHandle<()>>,
}

/// Starts a centre: opens or makes the journal, replays it, publishes what it leads to, and only then takes records in.
pub fn start(config: CentreConfig) -> anyhow::Result<RunningCentre> {
    // Bound first, so that a port in use is an error before anything is made. What arrives meanwhile waits in the kernel.
    let ports = Ports::open(config.udp, config.http.as_ref(), config.admin)?;
    let bundle = BundleFolder::open(&config.bundle)?;
    let binding = Binding { definition: config.election.hash().0, origin: config.keys.verifier().name().to_string() };
    let mut journal = if config.create {
        SqliteJournal::create(&config.journal, &binding)?
    } else {
        SqliteJournal::open(&config.journal, &binding)?
    };
    let shared = Arc::new(Shared::new(Arc::new(config.election), config.keys, background_pool()?));
    let last = LastCheckpoint::beside(&config.journal);
    let (publisher, uncut) = restore::restore(&shared, &mut journal, bundle, last)?;

    let (to_journal, inbox) = journal::queue();
    let writers = start_writers(&shared, journal, inbox, publisher, uncut, config.cut, config.publish_every)?;
    let count = if config.workers > 0 { config.workers } else { cores() };
    let (submitter, workers) = start_workers(&shared, count, &to_journal)?;
    ports.run(shared, submitter, to_journal, workers, writers)
}

fn cores() -> usize {
    std::thread::available_parallelism().map_or(1, usize::from)
}

/// The sockets, before anything is served on them.
struct Ports {
    udp: UdpSocket,
    receive_buffer: usize,
    http: Option<Port>,
    admin: Option<Port>,
}

impl Ports {
    fn open(udp: UdpConfig, http: Option<&HttpConfig>, admin: Option<SocketAddr>) -> anyhow::Result<Self> {
        let http = http.map(Port::public).transpose()?;
        let (udp, receive_buffer) = udp::bind(udp)?;
        Ok(Self { udp, receive_buffer, http, admin: admin.map(Port::private).transpose()? })
    }

    fn run(
        self,
        shared: Arc<Shared>,
        submitter: Submitter,
        journal: SyncSender<ToJournal>,
        workers: Vec<JoinHandle<()>>,
        writers: Vec<JoinHandle<()>>,
    ) -> anyhow::Result<RunningCentre> {
        let (stop_http, stopped) = watch::channel(false);
        let udp = self.udp.local_addr()?;
        let http = self.http.as_ref().map(Port::address).transpose()?;
        let admin = self.admin.as_ref().map(Port::address).transpose()?;
        let mut ports = Vec::new();
        if let Some(port) = self.http {
            let counters = Arc::clone(&shared.http);
            let app = http::records(submitter.clone(), Arc::clone(&shared), Arc::clone(&counters));
            ports.push(port.serve("centre-http", app, counters, stopped.clone())?);
        }
        if let Some(port) = self.admin {
            // Who watches is not counted.
            ports.push(port.serve("centre-admin", http::admin(Arc::clone(&shared)), Arc::default(), stopped)?);
        }
        let stop = Arc::new(AtomicBool::new(false));
        let receiver = start_receiver(&shared, self.udp, &submitter, &stop)?;
        Ok(RunningCentre {
            shared,
            udp,
            receive_buffer: self.receive_buffer,
            http,
            admin,
            submitter,
            journal,
            stop,
            stop_http,
            receiver,
            workers,
            writers,
            ports,
        })
    }
}

fn start_receiver(
    shared: &Arc<Shared>,
    socket: UdpSocket,
    submitter: &Submitter,
    stop: &Arc<AtomicBool>,
) -> anyhow::Result<JoinHandle<()>> {
    let (shared, submitter, stop) = (Arc::clone(shared), submitter.clone(), Arc::clone(stop));
    let socket = Arc::new(socket);
    shared.watch(&socket);
    thread("centre-udp", move || {
        let mut gate = Gate::new(&shared.definition, &shared.keys.mac, shared.keys.epoch);
        udp::receive(&shared, &socket, &mut gate, &submitter, &stop);
    })
}

fn start_workers(
    shared: &Arc<Shared>,
    count: usize,
    journal: &SyncSender<ToJournal>,
) -> anyhow::Result<(Submitter, Vec<JoinHandle<()>>)> {
    let submitter = Submitter::new();
    let start = |_| {
        let (shared, submitter, journal) = (Arc::clone(shared), submitter.clone(), journal.clone());
        background("centre-worker", move || pipeline::work(&shared, &submitter, &journal))
    };
    let workers = (0..count).map(start).collect::<anyhow::Result<_>>()?;
    Ok((submitter, workers))
}

fn start_writers(
    shared: &Arc<Shared>,
    journal: SqliteJournal,
    inbox: Receiver<ToJournal>,
    publisher: Publisher,
    uncut: Vec<Authentic>,
    cut: Cut,
    publish_every: Duration,
) -> anyhow::Result<Vec<JoinHandle<()>>> {
    let (to_receipts, settled) = journal::receipts_queue();
    let (to_publisher, batches) = mpsc::channel::<ToPublisher>();
    let publishing = Arc::new(AtomicBool::new(false));
    let writer = Writer {
        shared: Arc::clone(shared),
        journal,
        inbox,
        receipts: to_receipts,
        publisher: to_publisher,
        publishing: Arc::clone(&publishing),
        cut,
        last_cut: Instant::now(),
        group: Vec::new(),
        uncut,
    };
    let signer = Arc::clone(shared);
    Ok(vec![
        thread("centre-journal", move || writer.run())?,
        background("centre-receipts", move || journal::sign_receipts(&signer, &settled))?,
        background("centre-publisher", move || publisher.run(&batches, &publishing, publish_every))?,
    ])
}

/// A thread that yields to the receive loop: what waits here waits in our own queues, what waits there is lost.
fn background(name: &str, run: impl FnOnce() + Send + 'static) -> anyhow::Result<JoinHandle<()>> {
    thread(name, move || {
        yield_to_receive_loop();
        run();
    })
}

/// Work on all cores that yields to the receive loop too.
fn background_pool() -> anyhow::Result<rayon::ThreadPool> {
    let named = rayon::ThreadPoolBuilder::new().thread_name(|index| format!("centre-pool-{index}"));
    named.start_handler(|_| yield_to_receive_loop()).build().context("cannot start the centre's pool of threads")
}

fn yield_to_receive_loop() {
    if let Err(error) = sockets::lower_priority() {
        tracing::warn!(%error, "a thread keeps the receive loop's priority");
    }
}

/// Starts a thread that the system's tools show by its name.
pub(crate) fn thread(name: &str, run: impl FnOnce() + Send + 'static) -> anyhow::Result<JoinHandle<()>> {
    std::thread::Builder::new().name(name.to_owned()).spawn(run).with_context(|| format!("cannot start thread {name}"))
}

impl RunningCentre {
    /// Where datagrams are received.
    pub fn udp_addr(&self) -> SocketAddr {
        self.udp
    }

    /// Bytes of datagrams that the kernel holds while the receive loop is busy; it may grant less than was asked for.
    pub fn receive_buffer(&self) -> usize {
        self.receive_buffer
    }

    /// Where records are taken over HTTP.
    pub fn http_addr(&self) -> Option<SocketAddr> {
        self.http
    }

    /// Where health and metrics are.
    pub fn admin_addr(&self) -> Option<SocketAddr> {
        self.admin
    }

    /// Hands records to the centre from within this process.
    pub fn submitter(&self) -> &Submitter {
        &self.submitter
    }

    /// What has been done since the start.
    pub fn stats(&self) -> CentreStats {
        self.shared.stats()
    }

    /// Whether the centre keeps its promises.
    pub fn health(&self) -> Health {
        self.shared.health()
    }

    /// The live count as of the last checkpoint. The publisher waits while the guard is held.
    pub fn ledger(&self) -> RwLockReadGuard<'_, Ledger> {
        self.shared.ledger()
    }

    /// Ends the batch; returns once a checkpoint over everything journalled so far is published, with index and manifest.
    pub fn cut_now(&self) -> anyhow::Result<()> {
        let (done, published) = mpsc::channel();
        self.journal.send(ToJournal::CutNow(done)).map_err(|_| self.why_it_halted())?;
        published.recv().map_err(|_| self.why_it_halted())
    }

    /// Waits for SIGINT or SIGTERM; fails if the centre halts before.
    pub fn wait(&self) -> anyhow::Result<()> {
        let mut halts = self.shared.halts();
        let runtime = Builder::new_current_thread().enable_all().build()?;
        runtime.block_on(async {
            tokio::select! {
                signal = signalled() => signal.context("the system's signals cannot be received"),
                _ = halts.wait_for(Option::is_some) => Err(self.why_it_halted()),
            }
        })
    }

    /// Stops taking records, makes those in hand durable, cuts, publishes everything, and ends all threads.
    pub fn shutdown(self) -> anyhow::Result<CentreStats> {
        self.stop.store(true, Relaxed);
        self.stop_http.send_replace(true);
        join(self.receiver)?;
        self.shared.drain();
        self.submitter.close();
        self.workers.into_iter().try_for_each(join)?;
        // Fails only if the journal thread has ended because the centre halted, which is told below.
        drop(self.journal.send(ToJournal::Stop));
        drop(self.journal);
        self.writers.into_iter().try_for_each(join)?;
        self.ports.into_iter().try_for_each(join)?;
        match self.shared.halted() {
            None => Ok(self.shared.stats()),
            Some(reason) => Err(halted(&reason)),
        }
    }

    fn why_it_halted(&self) -> anyhow::Error {
        let reason = self.shared.halted();
        halted(reason.as_deref().unwrap_or("the journal could not be written; see the log"))
    }
}

fn halted(reason: &str) -> anyhow::Error {
    anyhow!("{reason}").context("the centre has stopped; every record with a receipt is in the journal")
}

fn join(thread: JoinHandle<()>) -> anyhow::Result<()> {
    let name = thread.thread().name().unwrap_or("unnamed").to_owned();
    if thread.join().is_err() {
        bail!("thread {name} ended by a fault of the program; restart the centre, it replays its journal");
    }
    Ok(())
}

pub(crate) async fn signalled() -> std::io::Result<()> {
    #[cfg(unix)]
    {
        use tokio::signal::unix::{SignalKind, signal};
        let mut terminate = signal(SignalKind::terminate())?;
        tokio::select! {
            interrupt = tokio::signal::ctrl_c() => interrupt,
            _ = terminate.recv() => Ok(()),
        }
    }
    #[cfg(not(unix))]
    tokio::signal::ctrl_c().await
}
