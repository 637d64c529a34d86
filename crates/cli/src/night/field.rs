//! Everything outside the centre on a drill night: stations, those who send in their name, and a bad network, over real
//! loopback sockets.
//!
//! A few threads drive all stations, each with a socket of its own. Stations report in waves; a wave ends when each of its
//! records is receipted, so that the log, which orders the records of a batch by station, does not depend on luck.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BinaryHeap, VecDeque};
use std::io::ErrorKind;
use std::net::{Ipv4Addr, SocketAddr, UdpSocket};
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use anyhow::{Context, bail, ensure};
use ed25519_dalek::VerifyingKey;
use tallyproof_drill::keys::Seed;
use tallyproof_drill::network::{Chance, Link};
use tallyproof_drill::population::Part;
use tallyproof_record::frame::{self, MacKey};
use tallyproof_record::receipt::{self, Receipt};
use tallyproof_record::{StationNo, definition::DefinitionHash};
use tallyproof_station::{Outbox, RetryPolicy, StationIdentity, Transmission};

/// Stations of one thread that wait for a receipt at the same time: enough to keep the centre busy, few enough that a
/// queue never grows longer than the shortest retry.
const WINDOW: usize = 256;
/// A night has one network; `tallyproof drill` has several.
const ONLY_PATH: usize = 0;
/// How often a forger repeats itself, and how long it waits in between.
const FORGER_TRIES: u32 = 3;
const FORGER_PAUSE_MS: u64 = 300;
/// A wave without a single receipt for this long has met a centre that does not answer.
const PATIENCE: Duration = Duration::from_mins(1);

/// How the drill's network and its people behave, the same for every wave.
#[derive(Clone, Debug)]
pub(super) struct Conditions {
    /// The election that receipts have to be for.
    pub(super) election: DefinitionHash,
    /// The key that receipts have to be signed with.
    pub(super) log_key: VerifyingKey,
    /// From which the stations' MAC keys derive.
    pub(super) mac_master: [u8; 32],
    /// Generation of the MAC keys.
    pub(super) epoch: u32,
    /// Chance that a datagram is lost, in each direction.
    pub(super) loss: Chance,
    /// Chance that a datagram arrives twice, in each direction.
    pub(super) duplicate: Chance,
    /// The drill's seed.
    pub(super) seed: Seed,
}

/// What the field has done so far; read by the live view while the waves run.
#[derive(Debug, Default)]
pub(super) struct FieldCounters {
    /// Distinct sealed records handed to the network.
    pub(super) records: AtomicU64,
    /// Datagrams sent by stations, retries included.
    pub(super) datagrams: AtomicU64,
    /// Receipts that verified.
    pub(super) receipts: AtomicU64,
    /// Datagrams sent by forgers.
    pub(super) hostile: AtomicU64,
}

/// One thread's socket and links, kept from wave to wave.
#[derive(Debug)]
pub(super) struct Driver<'a> {
    conditions: &'a Conditions,
    counters: &'a FieldCounters,
    socket: UdpSocket,
    up: Link,
    down: Link,
}

impl<'a> Driver<'a> {
    /// A driver with its own socket. Refuses a centre that is not on the loopback interface: a drill disturbs nobody else.
    pub(super) fn new(
        centre: SocketAddr,
        conditions: &'a Conditions,
        counters: &'a FieldCounters,
        number: usize,
    ) -> anyhow::Result<Self> {
        ensure!(centre.ip().is_loopback(), "a drill sends to loopback addresses only, and {centre} is not one");
        let socket =
            UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).context("cannot open a UDP socket on the loopback interface")?;
        socket.connect(centre)?;
        let link = |name: &str| {
            let name = format!("{name} {number}");
            Link::new(conditions.seed, &name, conditions.loss, conditions.duplicate)
        };
        Ok(Self { conditions, counters, socket, up: link("up"), down: link("down") })
    }

    /// Sends all parts of a wave until every authentic record is receipted.
    pub(super) fn run_wave(&mut self, parts: Vec<Part>) -> anyhow::Result<()> {
        let mut queue: VecDeque<Actor> = self.actors(parts).into();
        let mut wave = Wave::default();
        let mut last_progress = Instant::now();
        loop {
            while wave.actors.len() < WINDOW
                && let Some(actor) = queue.pop_front()
            {
                wave.admit(actor, now_ms());
            }
            if wave.actors.is_empty() {
                return Ok(());
            }
            self.send_due(&mut wave)?;
            if self.receive_waiting(&mut wave)? {
                last_progress = Instant::now();
            } else if last_progress.elapsed() > PATIENCE {
                bail!(
                    "no receipt for {} s; {} stations still wait",
                    PATIENCE.as_secs(),
                    wave.actors.len() + queue.len()
                );
            }
        }
    }

    /// One actor per station, with all its contests.
    fn actors(&self, parts: Vec<Part>) -> Vec<Actor> {
        let mut actors: BTreeMap<StationNo, Actor> = BTreeMap::new();
        for part in parts {
            self.counters.records.fetch_add(part.sealed.len() as u64, Ordering::Relaxed);
            let actor = actors.entry(part.station).or_insert_with(|| self.actor(part.station));
            for record in part.sealed {
                actor.outbox.enqueue(0, record);
            }
            let forgeries = part.forged.into_iter().map(|body| Forgery { body, tries_left: FORGER_TRIES, due: 0 });
            actor.forgeries.extend(forgeries);
        }
        actors.into_values().collect()
    }

    fn actor(&self, station: StationNo) -> Actor {
        let Conditions { election, log_key, mac_master, epoch, .. } = *self.conditions;
        let mac = MacKey::derive(&mac_master, &election, epoch, station);
        let identity = StationIdentity { station, epoch, mac, election, log_key };
        // Loopback loses what the drill tells it to lose; nothing is gained by backing off.
        let policy = RetryPolicy::new(RetryPolicy::FLOOR_MS, RetryPolicy::FLOOR_MS);
        let jitter = self.conditions.seed.0 ^ u64::from(station.0);
        Actor { station, mac, outbox: Outbox::new(identity, vec![policy], jitter), forgeries: Vec::new() }
    }

    fn send_due(&mut self, wave: &mut Wave) -> anyhow::Result<()> {
        let now = now_ms();
        while let Some(station) = wave.pop_due(now) {
            let Some(actor) = wave.actors.get_mut(&station) else { continue };
            // A forger has the MAC key: its datagrams pass the gate and cost the centre a signature check.
            for forgery in actor.forgeries.iter_mut().filter(|forgery| forgery.due <= now) {
                let attempt = frame::attempt_at(now);
                let datagram = frame::encode(station, self.conditions.epoch, attempt, &forgery.body, &actor.mac);
                forgery.tries_left -= 1;
                forgery.due = now + FORGER_PAUSE_MS;
                self.counters.hostile.fetch_add(1, Ordering::Relaxed);
                transmit(&self.socket, &mut self.up, &datagram)?;
            }
            actor.forgeries.retain(|forgery| forgery.tries_left > 0);
            while let Some(Transmission { datagram, .. }) = actor.outbox.poll(now) {
                self.counters.datagrams.fetch_add(1, Ordering::Relaxed);
                transmit(&self.socket, &mut self.up, &datagram)?;
            }
            wave.reschedule(station);
        }
        Ok(())
    }

    /// Takes what has arrived, and waits for the next due time if nothing has. True if a receipt was accepted.
    fn receive_waiting(&mut self, wave: &mut Wave) -> anyhow::Result<bool> {
        let mut accepted = false;
        let wait = wave.next_due().saturating_sub(now_ms()).clamp(1, 20);
        self.socket.set_nonblocking(false)?;
        self.socket.set_read_timeout(Some(Duration::from_millis(wait)))?;
        let mut buffer = [0; 2 * receipt::LEN];
        loop {
            match self.socket.recv(&mut buffer) {
                Ok(length) => {
                    for _ in 0..self.down.copies() {
                        accepted |= self.accept(wave, &buffer[..length]);
                    }
                    self.socket.set_nonblocking(true)?;
                }
                Err(error) if is_quiet(&error) => return Ok(accepted),
                Err(error) => return Err(error).context("cannot receive on the loopback interface"),
            }
        }
    }

    fn accept(&self, wave: &mut Wave, bytes: &[u8]) -> bool {
        let Ok(claimed) = Receipt::peek(bytes) else { return false };
        let Some(actor) = wave.actors.get_mut(&claimed.station) else { return false };
        let accepted = actor.outbox.receive(now_ms(), ONLY_PATH, bytes).is_ok();
        if accepted {
            self.counters.receipts.fetch_add(1, Ordering::Relaxed);
            wave.release_if_done(claimed.station);
        }
        accepted
    }
}

/// A station and whoever sends in its name.
#[derive(Debug)]
struct Actor {
    station: StationNo,
    mac: MacKey,
    outbox: Outbox,
    forgeries: Vec<Forgery>,
}

#[derive(Debug)]
struct Forgery {
    body: Vec<u8>,
    tries_left: u32,
    due: u64,
}

impl Actor {
    fn next_due(&self) -> Option<u64> {
        self.forgeries.iter().map(|forgery| forgery.due).chain(self.outbox.next_wake()).min()
    }
}

/// The stations that are sending now, by when they are next due.
#[derive(Debug, Default)]
struct Wave {
    actors: BTreeMap<StationNo, Actor>,
    agenda: BinaryHeap<Reverse<(u64, StationNo)>>,
}

impl Wave {
    fn admit(&mut self, actor: Actor, now: u64) {
        self.agenda.push(Reverse((now, actor.station)));
        self.actors.insert(actor.station, actor);
    }

    fn next_due(&self) -> u64 {
        self.agenda.peek().map_or(0, |Reverse((due, _))| *due)
    }

    fn pop_due(&mut self, now: u64) -> Option<StationNo> {
        self.agenda.peek().filter(|Reverse((due, _))| *due <= now)?;
        self.agenda.pop().map(|Reverse((_, station))| station)
    }

    /// Puts the station back on the agenda, or lets it go if it has nothing left to send.
    fn reschedule(&mut self, station: StationNo) {
        match self.actors.get(&station).map(Actor::next_due) {
            Some(Some(due)) => self.agenda.push(Reverse((due, station))),
            Some(None) => drop(self.actors.remove(&station)),
            None => {}
        }
    }

    fn release_if_done(&mut self, station: StationNo) {
        if self.actors.get(&station).is_some_and(|actor| actor.next_due().is_none()) {
            self.actors.remove(&station);
        }
    }
}

fn transmit(socket: &UdpSocket, link: &mut Link, datagram: &[u8]) -> anyhow::Result<()> {
    for _ in 0..link.copies() {
        match socket.send(datagram) {
            // A full queue or a centre that is restarting is a lost datagram: the outbox sends again.
            Err(error) if !is_quiet(&error) => return Err(error).context("cannot send on the loopback interface"),
            _ => {}
        }
    }
    Ok(())
}

fn is_quiet(error: &std::io::Error) -> bool {
    matches!(
        error.kind(),
        ErrorKind::WouldBlock | ErrorKind::TimedOut | ErrorKind::ConnectionRefused | ErrorKind::Interrupted
    )
}

fn now_ms() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    u64::try_from(since.as_millis()).unwrap_or(u64::MAX)
}
