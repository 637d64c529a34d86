//! The totalisation centre at work: threads, sockets and files around the state machines of `tallyproof-centre`.
//!
//! ```text
//! udp ─┐                    ┌─ receipts (sign, answer)
//!      ├→ workers → journal ┤
//! http ┘                    └─ publisher (order, tiles, checkpoint, index, manifest) ⇄ gatherer ⇄ witnesses
//! ```
//!
//! Every arrow is a bounded queue but those to the publisher and the gatherer, which get a message a batch. When the disk stalls, the journal thread stalls, then the workers, then the queue
//! before them is full, and the receive loop, which never waits, drops and counts. Stations send again.

mod bulletins;
mod freeze;
mod gather;
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
use std::sync::{Arc, OnceLock, RwLock, RwLockReadGuard};
use std::thread::{JoinHandle, Thread};
use std::time::{Duration, Instant};

use anyhow::{Context, anyhow, bail, ensure};
use tallyproof_centre::intake::Authentic;
use tallyproof_centre::{Gate, Sequencer};
use tallyproof_count::{Ledger, policy};
use tallyproof_record::definition::Committed;
use tallyproof_store::{Binding, BundleFolder, LastCheckpoint, SqliteJournal};
use tokio::sync::watch;

pub use freeze::{Frozen, freeze};
pub use gather::GatherConfig;
pub use http::{HttpConfig, HttpDrop, StatementAnswer, StatsReport, TlsFiles, WitnessReport};
pub use keys::{CentreKeys, LOG_KEY_FILE, MAC_KEY_FILE};
pub use pipeline::{Answer, Full, Submitted, Submitter};
pub use shared::{CentreStats, Health};
pub use udp::UdpConfig;

use gather::{Prepared, ToGatherer, promises};
use http::{Desk, Port};
use journal::{ToJournal, Writer};
use pipeline::{Reply, Taken};
use publisher::{Publisher, ToPublisher};
use restore::Memory;
use shared::Shared;

use crate::ending::Ending;
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
    /// Where the last checkpoint signed is kept; `<journal>.last-checkpoint` unless it says so.
    pub last_checkpoint: Option<PathBuf>,
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
    /// How witnesses are asked.
    pub gather: GatherConfig,
    /// Where witnesses of the policy are asked, by name: in place of the URL that the policy has, or has not.
    pub witnesses_at: Vec<(String, String)>,
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
    publisher: mpsc::Sender<ToPublisher>,
    gatherer: mpsc::Sender<ToGatherer>,
    gathering: JoinHandle<()>,
    /// How the log was finished, once it is.
    frozen: OnceLock<Frozen>,
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
///
/// Before it signs anything it asks the witnesses what they hold. A log that is finished is not continued.
pub fn start(config: CentreConfig) -> anyhow::Result<RunningCentre> {
    // Bound first, so that a port in use is an error before anything is made. What arrives meanwhile waits in the kernel.
    let ports = Ports::open(config.udp, config.http.as_ref(), config.admin)?;
    let settings = Settings::of(&config);
    let opened = open(config)?;
    ensure!(
        opened.publisher.frozen.is_none(),
        "the log is finished: its final checkpoint is pinned ({}, or log/frozen in the bundle), and nothing may follow it. \
         `tallyproof centre freeze` publishes the finished bundle again",
        opened.publisher.last.frozen().path().display()
    );
    opened.run(ports, &settings)
}

struct Settings {
    cut: Cut,
    publish_every: Duration,
    workers: usize,
}

impl Settings {
    fn of(config: &CentreConfig) -> Self {
        Self { cut: config.cut, publish_every: config.publish_every, workers: config.workers }
    }
}

/// A centre that has replayed its journal and published what it leads to.
struct Opened {
    shared: Arc<Shared>,
    journal: SqliteJournal,
    publisher: Publisher,
    uncut: Vec<Authentic>,
    prepared: Prepared,
}

fn open(config: CentreConfig) -> anyhow::Result<Opened> {
    let policy = policy::of_lines(config.election.election().policy_lines(), config.keys.verifier())
        .context("the witness policy of the definition")?;
    let last =
        config.last_checkpoint.as_deref().map_or_else(|| LastCheckpoint::beside(&config.journal), LastCheckpoint::at);
    let bundle = BundleFolder::open(&config.bundle)?;
    let binding = Binding { definition: config.election.hash().0, origin: config.keys.verifier().name().to_string() };
    let mut journal = if config.create {
        SqliteJournal::create(&config.journal, &binding)?
    } else {
        SqliteJournal::open(&config.journal, &binding)?
    };
    // Either is enough: whoever lost one must not begin anew.
    let frozen = last.frozen().read()?.map_or_else(|| bundle.frozen(), |note| Ok(Some(note)))?;
    let mut asked = policy.clone();
    for (name, url) in &config.witnesses_at {
        asked.set_url(name, url).context("where a witness is asked")?;
    }
    let held = promises::ask(&asked, config.keys.verifier());
    let sizes: Vec<_> = held.iter().map(|held| (held.url.clone(), held.promise.checkpoint.size)).collect();
    let held = held.into_iter().map(|held| held.promise).collect();
    let prepared = Prepared::new(asked, config.gather, &sizes)?;
    let shared = Arc::new(Shared::new(Arc::new(config.election), config.keys, policy, background_pool()?));
    let memory = Memory { bundle, last, held, frozen };
    let (publisher, uncut) = restore::restore(&shared, &mut journal, memory, prepared.handle())?;
    Ok(Opened { shared, journal, publisher, uncut, prepared })
}

impl Opened {
    fn run(self, ports: Ports, settings: &Settings) -> anyhow::Result<RunningCentre> {
        let Self { shared, journal, publisher, uncut, prepared } = self;
        let (to_journal, inbox) = journal::queue();
        let (to_publisher, batches) = mpsc::channel();
        let sequencer = Arc::clone(&publisher.sequencer);
        let gatherer = prepared.handle();
        let writers = Writers { journal, inbox, publisher, to_publisher: to_publisher.clone(), batches, uncut };
        let writers = writers.start(&shared, settings)?;
        let gathering = prepared.run(Arc::clone(&shared), Arc::clone(&sequencer), to_publisher.clone())?;
        let count = if settings.workers > 0 { settings.workers } else { cores() };
        let (submitter, workers) = start_workers(&shared, &sequencer, count, &to_journal)?;
        let threads =
            Threads { submitter, journal: to_journal, publisher: to_publisher, gatherer, gathering, workers, writers };
        ports.run(shared, threads)
    }
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

    fn run(self, shared: Arc<Shared>, threads: Threads) -> anyhow::Result<RunningCentre> {
        let Threads { submitter, journal, publisher, gatherer, gathering, workers, writers } = threads;
        let (stop_http, stopped) = watch::channel(false);
        let udp = self.udp.local_addr()?;
        let http = self.http.as_ref().map(Port::address).transpose()?;
        let admin = self.admin.as_ref().map(Port::address).transpose()?;
        let mut ports = Vec::new();
        if let Some(port) = self.http {
            let counters = Arc::clone(&shared.http);
            let desk = Desk { shared: Arc::clone(&shared), gatherer: gatherer.clone() };
            let app = http::records(submitter.clone(), desk, Arc::clone(&counters));
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
            publisher,
            gatherer,
            gathering,
            frozen: OnceLock::new(),
            stop,
            stop_http,
            receiver,
            workers,
            writers,
            ports,
        })
    }
}

/// The threads behind the sockets, and how they are told.
struct Threads {
    submitter: Submitter,
    journal: SyncSender<ToJournal>,
    publisher: mpsc::Sender<ToPublisher>,
    gatherer: mpsc::Sender<ToGatherer>,
    gathering: JoinHandle<()>,
    workers: Vec<JoinHandle<()>>,
    writers: Vec<JoinHandle<()>>,
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
    let receive = vital(&Arc::clone(&shared), move || {
        let mut gate = Gate::new(&shared.definition, &shared.keys.mac, shared.keys.epoch);
        udp::receive(&shared, &socket, &mut gate, &submitter, &stop);
    });
    thread("centre-udp", receive)
}

fn start_workers(
    shared: &Arc<Shared>,
    sequencer: &Arc<RwLock<Sequencer>>,
    count: usize,
    journal: &SyncSender<ToJournal>,
) -> anyhow::Result<(Submitter, Vec<JoinHandle<()>>)> {
    let submitter = Submitter::new();
    let start = |_| {
        let (worker, sequencer) = (Arc::clone(shared), Arc::clone(sequencer));
        let (submitter, journal) = (submitter.clone(), journal.clone());
        background("centre-worker", vital(shared, move || pipeline::work(&worker, &sequencer, &submitter, &journal)))
    };
    let workers = (0..count).map(start).collect::<anyhow::Result<_>>()?;
    Ok((submitter, workers))
}

/// What the journal's, the receipts' and the publisher's threads begin with.
struct Writers {
    journal: SqliteJournal,
    inbox: Receiver<ToJournal>,
    publisher: Publisher,
    to_publisher: mpsc::Sender<ToPublisher>,
    batches: Receiver<ToPublisher>,
    uncut: Vec<Authentic>,
}

impl Writers {
    fn start(self, shared: &Arc<Shared>, settings: &Settings) -> anyhow::Result<Vec<JoinHandle<()>>> {
        let (to_receipts, settled) = journal::receipts_queue();
        let publishing = Arc::new(AtomicBool::new(false));
        let writer = Writer {
            shared: Arc::clone(shared),
            journal: self.journal,
            inbox: self.inbox,
            receipts: to_receipts,
            publisher: self.to_publisher,
            publishing: Arc::clone(&publishing),
            cut: settings.cut,
            last_cut: Instant::now(),
            records: tallyproof_centre::Writer::resume(self.uncut),
            closed: false,
        };
        let (signer, publisher, batches) = (Arc::clone(shared), self.publisher, self.batches);
        let publish_every = settings.publish_every;
        Ok(vec![
            thread("centre-journal", vital(shared, move || writer.run()))?,
            background("centre-receipts", vital(shared, move || journal::sign_receipts(&signer, &settled)))?,
            background("centre-publisher", vital(shared, move || publisher.run(&batches, &publishing, publish_every)))?,
        ])
    }
}

/// A thread that yields to the receive loop: what waits here waits in our own queues, what waits there is lost.
fn background(name: &str, run: impl FnOnce() + Send + 'static) -> anyhow::Result<JoinHandle<()>> {
    thread(name, move || {
        yield_to_receive_loop();
        run();
    })
}

/// What a thread does without which the centre cannot go on: if it panics, the centre halts, and does not look well without it.
fn vital(shared: &Arc<Shared>, run: impl FnOnce() + Send + 'static) -> impl FnOnce() + Send + 'static {
    let missed = Missed(Arc::clone(shared));
    move || {
        let _missed = missed;
        run();
    }
}

/// Halts the centre if it is dropped because its thread panics.
struct Missed(Arc<Shared>);

impl Drop for Missed {
    fn drop(&mut self) {
        if std::thread::panicking() {
            self.0.halt(ended_by_a_fault(&std::thread::current()));
        }
    }
}

fn ended_by_a_fault(thread: &Thread) -> String {
    let name = thread.name().unwrap_or("unnamed");
    format!("thread {name} ended by a fault of the program; restart the centre, it replays its journal")
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

    /// Hands over records that were admitted elsewhere, in place of the workers; the journal tells no copies apart, so none may
    /// come twice. Waits while the journal is busy.
    pub fn take_admitted(&self, records: Vec<Authentic>) -> anyhow::Result<()> {
        let taken = records.into_iter().map(|record| Taken { record, reply: Reply::Nobody }).collect();
        self.journal.send(ToJournal::Records(taken)).map_err(|_| self.why_it_halted())
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
    pub fn wait(&self, ending: &mut Ending) -> anyhow::Result<()> {
        let mut halts = self.shared.halts();
        let halted = async move { halts.wait_for(Option::is_some).await.is_ok() };
        ending.before(halted).map_or(Ok(()), |_| Err(self.why_it_halted()))
    }

    /// Stops taking records, makes those in hand durable, cuts, publishes everything, and ends all threads.
    pub fn shutdown(self) -> anyhow::Result<CentreStats> {
        self.stop.store(true, Relaxed);
        self.stop_http.send_replace(true);
        join(self.receiver)?;
        self.shared.drain();
        self.submitter.close();
        self.workers.into_iter().try_for_each(join)?;
        // What is signed from here on is gathered after the next start. Requests to witnesses end in their own time.
        drop(self.gatherer.send(ToGatherer::Stop));
        join(self.gathering)?;
        drop(self.publisher);
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
    let which = thread.thread().clone();
    if thread.join().is_err() {
        bail!(ended_by_a_fault(&which));
    }
    Ok(())
}
