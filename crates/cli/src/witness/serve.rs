//! `witness serve`: the thread that follows and the port that answers.

use std::collections::VecDeque;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::mpsc::{self, Receiver, RecvTimeoutError, Sender};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use anyhow::anyhow;
use tallyproof_witness::Signed;
use tallyproof_witness::follower::Recounted;
use tokio::sync::{oneshot, watch};

use super::pursuit::Pursuit;
use super::{Alarm, Shared, SharedRef, WitnessStatus, alarms, http};
use crate::centre::http::{HttpCounters, Port};
use crate::centre::{HttpConfig, thread};
use crate::ending::Ending;

/// How often a checkpoint that cannot be reached yet is tried again.
const AGAIN: Duration = Duration::from_millis(50);
/// What keeps a witness from its work for so long is worth a word: sources come and go, and a log may be yet to begin.
const WORTH_A_WORD: Duration = Duration::from_secs(3);

/// What a witness needs to serve.
#[derive(Clone, Debug)]
pub struct WitnessConfig {
    /// Its folder.
    pub folder: PathBuf,
    /// Where the log is read from; none for the places that the witness was made with.
    pub from: Vec<String>,
    /// Where it is asked.
    pub listen: HttpConfig,
    /// How often the sources are looked at.
    pub look_every: Duration,
    /// How long a request waits for the recount of its checkpoint.
    pub patience: Duration,
    /// Where alarms are posted.
    pub webhook: Option<String>,
}

impl WitnessConfig {
    /// How often the sources are looked at, where nobody says otherwise.
    pub const LOOK_EVERY: Duration = Duration::from_millis(500);
    /// How long a request waits, where nobody says otherwise.
    pub const PATIENCE: Duration = Duration::from_secs(10);

    /// A witness in this folder, asked at this address of the machine itself.
    pub fn new(folder: PathBuf, address: SocketAddr) -> Self {
        Self {
            folder,
            from: Vec::new(),
            listen: HttpConfig { per_source: 0, ..HttpConfig::plain(address) },
            look_every: Self::LOOK_EVERY,
            patience: Self::PATIENCE,
            webhook: None,
        }
    }
}

/// What the follower's thread is told.
pub(super) enum ToFollower {
    /// Recount this checkpoint and say so.
    Wanted(Wanted),
    /// A checkpoint that was refused as inconsistent and proves nothing by itself: the tiles may.
    Suspect(Signed),
    /// End.
    Stop,
}

pub(super) struct Wanted {
    pub(super) signed: Signed,
    /// The size cosigned last, whose root has to be told too.
    pub(super) since: u64,
    pub(super) until: Instant,
    pub(super) reply: oneshot::Sender<Result<Recounted, String>>,
}

/// A witness at work. Dropping it leaves its threads running; call [`RunningWitness::shutdown`].
#[derive(Debug)]
pub struct RunningWitness {
    shared: SharedRef,
    status: Arc<Mutex<WitnessStatus>>,
    address: SocketAddr,
    follower: Sender<ToFollower>,
    stop_http: watch::Sender<bool>,
    threads: Vec<JoinHandle<()>>,
    webhook: Option<JoinHandle<()>>,
}

/// Starts a witness: takes up its state and its copy, and then follows and answers.
pub fn start(config: &WitnessConfig) -> anyhow::Result<RunningWitness> {
    // Bound first, so that a port in use is an error before anything is read.
    let port = Port::witness(&config.listen)?;
    let address = port.address()?;
    let (alarms, webhook) = alarms(config.webhook.as_deref(), &config.folder)?;
    let (shared, pursuit) = Shared::open(&config.folder, alarms, &config.from)?;
    let shared = Arc::new(shared);
    let status = Arc::new(Mutex::new(WitnessStatus::of(&shared, &pursuit, None)));
    let definition = Arc::clone(pursuit.follower.ledger().definition());
    let (follower, inbox) = mpsc::channel();
    let follows = Follows {
        shared: Arc::clone(&shared),
        pursuit,
        status: Arc::clone(&status),
        wanted: VecDeque::new(),
        look_every: config.look_every,
        looked: None,
        trouble: None,
        troubled: None,
    };
    let (stop_http, stopped) = watch::channel(false);
    let desk = http::Desk {
        shared: Arc::clone(&shared),
        status: Arc::clone(&status),
        definition,
        follower: follower.clone(),
        patience: config.patience,
    };
    let threads = vec![
        thread("witness-follow", move || follows.run(&inbox))?,
        port.serve("witness-http", http::routes(desk), Arc::new(HttpCounters::default()), stopped)?,
    ];
    Ok(RunningWitness { shared, status, address, follower, stop_http, threads, webhook })
}

impl RunningWitness {
    /// Where it is asked.
    pub fn addr(&self) -> SocketAddr {
        self.address
    }

    /// What it holds, what it recounted, where it differs.
    pub fn status(&self) -> WitnessStatus {
        current(&self.shared, &self.status)
    }

    /// Every alarm so far.
    pub fn alarms(&self) -> Vec<Alarm> {
        self.shared.alarms.all()
    }

    /// Stops following and answering, and ends all threads. State and copy are on the disk at any moment.
    pub fn shutdown(self) -> anyhow::Result<WitnessStatus> {
        self.stop_http.send_replace(true);
        // Fails only if the thread has ended, which is told below.
        let _ = self.follower.send(ToFollower::Stop);
        for thread in self.threads {
            let name = thread.thread().name().unwrap_or("unnamed").to_owned();
            thread
                .join()
                .map_err(|_| anyhow!("thread {name} ended by a fault of the program; start the witness again"))?;
        }
        self.shared.alarms.close();
        if let Some(webhook) = self.webhook {
            webhook.join().map_err(|_| anyhow!("the webhook's thread ended by a fault of the program"))?;
        }
        Ok(current(&self.shared, &self.status))
    }
}

/// The follower's status with what may have changed since.
pub(super) fn current(shared: &Shared, status: &Mutex<WitnessStatus>) -> WitnessStatus {
    let mut status = status.lock().unwrap_or_else(PoisonError::into_inner).clone();
    status.cosigned = shared.cosigner().last().map(|last| last.checkpoint().size);
    status.alarms = shared.alarms.all();
    status
}

/// The follower's thread.
struct Follows {
    shared: SharedRef,
    pursuit: Pursuit,
    status: Arc<Mutex<WitnessStatus>>,
    wanted: VecDeque<Wanted>,
    look_every: Duration,
    looked: Option<Instant>,
    trouble: Option<String>,
    /// Since when there is trouble, and whether that was said.
    troubled: Option<(Instant, bool)>,
}

impl Follows {
    fn run(mut self, inbox: &Receiver<ToFollower>) {
        loop {
            match inbox.recv_timeout(self.wait()) {
                Ok(ToFollower::Wanted(wanted)) => self.wanted.push_back(wanted),
                Ok(ToFollower::Suspect(signed)) => self.suspect(&signed),
                Err(RecvTimeoutError::Timeout) => {}
                Ok(ToFollower::Stop) | Err(RecvTimeoutError::Disconnected) => break,
            }
            self.turn();
        }
        self.pursuit.close();
    }

    /// How long there is nothing to do.
    fn wait(&self) -> Duration {
        let look = self.looked.map_or(Duration::ZERO, |looked| self.look_every.saturating_sub(looked.elapsed()));
        match (&self.trouble, self.pursuit.is_level()) {
            (None, false) => Duration::ZERO,
            _ if !self.wanted.is_empty() => AGAIN.min(look),
            _ => look,
        }
    }

    fn turn(&mut self) {
        let before = (self.pursuit.follower.ledger().entries(), self.pursuit.follower.tree().size());
        let mut trouble = None;
        for at in 0..self.wanted.len() {
            let Some(signed) = self.wanted.get(at).map(|wanted| wanted.signed.clone()) else { continue };
            if let Err(found) = self.pursuit.hear(&signed) {
                trouble = self.shared.tell(&found).or(trouble);
            }
        }
        let looked = self.looked.is_none_or(|looked| looked.elapsed() >= self.look_every);
        if looked {
            for found in self.pursuit.look() {
                trouble = self.shared.tell(&found).or(trouble);
            }
            self.looked = Some(Instant::now());
        }
        if let Err(found) = self.pursuit.step() {
            trouble = self.shared.tell(&found).or(trouble);
        }
        self.shared.tell_recount(&self.pursuit);
        self.answer();
        // Between two looks nobody has said that what was wrong then is well now.
        if looked || trouble.is_some() {
            self.note(trouble);
        }
        let after = (self.pursuit.follower.ledger().entries(), self.pursuit.follower.tree().size());
        if looked || after != before {
            let status = WitnessStatus::of(&self.shared, &self.pursuit, self.trouble.clone());
            *self.status.lock().unwrap_or_else(PoisonError::into_inner) = status;
        }
    }

    /// Says on stderr what keeps the witness from its work, once it has for a while.
    fn note(&mut self, trouble: Option<String>) {
        match &trouble {
            None => self.troubled = None,
            Some(what) => {
                let (since, said) = self.troubled.get_or_insert((Instant::now(), false));
                if !*said && since.elapsed() >= WORTH_A_WORD {
                    *said = true;
                    tracing::warn!("the log cannot be followed at the moment: {what}");
                }
            }
        }
        self.trouble = trouble;
    }

    fn answer(&mut self) {
        let now = Instant::now();
        for wanted in std::mem::take(&mut self.wanted) {
            match self.pursuit.recounted(&wanted.signed, wanted.since) {
                // Whoever asked may have gone.
                Some(answer) => drop(wanted.reply.send(answer)),
                None if now < wanted.until => self.wanted.push_back(wanted),
                None => {
                    let what = self.trouble.clone().unwrap_or_else(|| "the recount is not that far yet".to_owned());
                    drop(wanted.reply.send(Err(what)));
                }
            }
        }
    }

    /// The other side of a fork, or a mistake: the witness finds out by itself.
    fn suspect(&mut self, signed: &Signed) {
        if let Err(found) = self.pursuit.hear(signed) {
            self.trouble = self.shared.tell(&found).or(self.trouble.take());
        }
    }
}

/// Waits for SIGINT or SIGTERM, and shows what happens meanwhile; ends early if `seen` says so.
pub fn wait(witness: &RunningWitness, ending: &mut Ending, mut seen: impl FnMut(&RunningWitness) -> bool) {
    const REFRESH: Duration = Duration::from_millis(200);
    while !ending.within(REFRESH) && !seen(witness) {}
}
