//! One thread's share of the stations: when each is due, what arrives for it, and the bad network in between.

use std::collections::{BTreeMap, HashMap, VecDeque};
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;
use std::time::Duration;

use anyhow::{Context, ensure};
use tallyproof_drill::network::{Arrival, Direction};
use tallyproof_drill::script::{Carrier, Conduct};
use tallyproof_record::StationNo;
use tallyproof_record::cose::RecordDigest;
use tallyproof_record::frame::{self, HEADER_LEN};
use tallyproof_record::receipt::{self, Receipt};
use tokio::net::UdpSocket;
use tokio::sync::mpsc::{self, UnboundedReceiver, UnboundedSender};
use tokio::time::{sleep, sleep_until};

use super::post::Postbox;
use super::{Given, PathCounters, Plan, Station};

/// How often a driver with nothing to do looks whether the rehearsal has ended.
const LOOK_UP: Duration = Duration::from_millis(100);
/// How often a forger sends each forgery, and how long it waits in between.
const FORGER_TRIES: u32 = 3;
const FORGER_PAUSE: Duration = Duration::from_millis(300);
/// Wait after an error of a socket: nobody listens while the centre is restarted.
const PAUSE: Duration = Duration::from_millis(5);

/// A share of the stations with sockets of its own, one for each path.
pub(super) struct Driver<'a> {
    plan: &'a Plan<'a>,
    stations: Vec<Station>,
    by_number: HashMap<StationNo, usize>,
    /// Stations that wait for a receipt or have not begun, and forgeries that are still to be sent.
    busy: usize,
    /// Records that wait for a receipt.
    waiting: usize,
    /// Stations whose hour has come, which wait for room in the plan's window.
    held: VecDeque<usize>,
    /// When a receipt last came.
    heard: Duration,
    paths: Vec<Path<'a>>,
    agenda: Agenda,
    arrivals: UnboundedReceiver<Parcel>,
    deliver: UnboundedSender<Parcel>,
    given: Vec<Given>,
}

struct Path<'a> {
    counts: &'a PathCounters,
    way: Way,
    up: Direction,
    down: Direction,
}

enum Way {
    Datagrams(Arc<UdpSocket>),
    Posts(Arc<Postbox>),
}

/// Bytes on a path, in either direction.
struct Parcel {
    path: usize,
    bytes: Vec<u8>,
}

/// What is to happen at an instant.
enum Event {
    /// A station has something to send.
    Wake(usize),
    /// Someone sends a forgery in a station's name.
    Forge(usize, Arc<Vec<u8>>),
    /// A transmission reaches the centre's end of its path.
    Up(RecordDigest, Parcel),
    /// An answer reaches the stations' end.
    Down(Parcel),
}

/// Events by time; those of the same instant in the order in which they were made.
#[derive(Default)]
struct Agenda {
    events: BTreeMap<(Duration, u64), Event>,
    made: u64,
}

impl Agenda {
    fn add(&mut self, at: Duration, event: Event) {
        self.events.insert((at, self.made), event);
        self.made += 1;
    }

    fn next(&self) -> Option<Duration> {
        self.events.first_key_value().map(|(&(at, _), _)| at)
    }

    fn pop_due(&mut self, now: Duration) -> Option<Event> {
        self.next().filter(|at| *at <= now)?;
        self.events.pop_first().map(|(_, event)| event)
    }
}

impl<'a> Driver<'a> {
    /// Opens the driver's sockets; runs inside its thread's runtime.
    pub(super) async fn open(plan: &'a Plan<'a>, stations: Vec<Station>, number: u8) -> anyhow::Result<Self> {
        let (deliver, arrivals) = mpsc::unbounded_channel();
        let mut paths = Vec::new();
        for index in 0..plan.script.paths.len() {
            paths.push(open_path(plan, index, number, &deliver).await?);
        }
        let by_number = stations.iter().enumerate().map(|(index, station)| (station.identity.station, index)).collect();
        let mut agenda = Agenda::default();
        for (index, station) in stations.iter().enumerate() {
            agenda.add(station.begins, Event::Wake(index));
        }
        let busy = stations.len();
        let heard = plan.clock.now();
        Ok(Self {
            plan,
            stations,
            by_number,
            busy,
            waiting: 0,
            held: VecDeque::new(),
            heard,
            paths,
            agenda,
            arrivals,
            deliver,
            given: Vec::new(),
        })
    }

    /// Runs until every record is receipted or the plan says so, and tells every receipt.
    pub(super) async fn run(mut self) -> Vec<Given> {
        while self.busy > 0 && !self.plan.stop.load(Relaxed) {
            let now = self.plan.clock.now();
            if now.saturating_sub(self.heard) > self.plan.patience {
                break;
            }
            while let Some(event) = self.agenda.pop_due(now) {
                self.perform(now, event);
            }
            let wake = self.agenda.next().unwrap_or(Duration::MAX).min(now + LOOK_UP);
            tokio::select! {
                biased;
                Some(parcel) = self.arrivals.recv() => {
                    self.arrive(&parcel);
                    while let Ok(parcel) = self.arrivals.try_recv() {
                        self.arrive(&parcel);
                    }
                }
                () = sleep_until(self.plan.clock.instant(wake).into()) => {}
            }
        }
        self.given
    }

    fn perform(&mut self, now: Duration, event: Event) {
        match event {
            Event::Wake(station) => self.wake(now, station),
            Event::Forge(station, record) => self.forge(now, station, &record),
            Event::Up(digest, parcel) => self.hand_over(digest, parcel),
            Event::Down(parcel) => self.accept(&parcel),
        }
    }

    /// Sends what the station's outbox says is due.
    fn wake(&mut self, now: Duration, index: usize) {
        let Some(station) = self.stations.get_mut(index) else { return };
        if !station.records.is_empty() && self.waiting >= self.plan.window {
            return self.held.push_back(index);
        }
        self.waiting += station.records.len();
        let clock = &self.plan.clock;
        for record in station.records.drain(..) {
            station.outbox.enqueue(clock.unix_ms(now), record);
        }
        for forged in station.forged.drain(..).map(Arc::new) {
            for pause in 0..FORGER_TRIES {
                self.agenda.add(now + FORGER_PAUSE * pause, Event::Forge(index, Arc::clone(&forged)));
                self.busy += 1;
            }
        }
        let mut due = Vec::new();
        while let Some(sent) = station.outbox.poll(clock.unix_ms(now)) {
            station.first_sent.get_or_insert(now);
            due.extend(station.paths.get(sent.path).map(|&path| (path, sent.digest, sent.datagram)));
        }
        if let Some(wake) = station.outbox.next_wake() {
            self.agenda.add(clock.at_unix_ms(wake), Event::Wake(index));
        }
        for (path, digest, datagram) in due {
            if let Some(Path { counts, .. }) = self.paths.get(path) {
                counts.sent.fetch_add(1, Relaxed);
            }
            self.set_out(now, path, digest, datagram);
        }
    }

    /// A forger has the MAC key: its datagrams pass the gate and cost the centre a signature check.
    fn forge(&mut self, now: Duration, index: usize, record: &[u8]) {
        self.busy = self.busy.saturating_sub(1);
        let Some(Station { identity, paths, .. }) = self.stations.get(index) else { return };
        let Some(&path) = paths.first() else { return };
        let attempt = frame::attempt_at(self.plan.clock.unix_ms(now));
        let datagram = frame::encode(identity.station, identity.epoch, attempt, record, &identity.mac);
        self.plan.counters.forged.fetch_add(1, Relaxed);
        self.set_out(now, path, RecordDigest::default(), datagram);
    }

    /// Puts a datagram on a path: what the network does to it is drawn here.
    fn set_out(&mut self, now: Duration, path: usize, digest: RecordDigest, datagram: Vec<u8>) {
        let quality = self.plan.script.quality(path, now);
        let Some(Path { way, up, .. }) = self.paths.get_mut(path) else { return };
        let bytes = match way {
            Way::Datagrams(_) => datagram,
            // The tag is for the datagram lane; a record posted stands for itself.
            Way::Posts(_) => datagram.get(HEADER_LEN..).unwrap_or_default().to_vec(),
        };
        for Arrival { at, alteration } in up.carry(now, quality, bytes.len()) {
            let mut bytes = bytes.clone();
            if let Some(alteration) = alteration {
                alteration.apply(&mut bytes);
            }
            self.agenda.add(at, Event::Up(digest, Parcel { path, bytes }));
        }
    }

    /// Gives a transmission to whoever is at the other end of its path.
    fn hand_over(&self, digest: RecordDigest, Parcel { path, bytes }: Parcel) {
        let Some(Path { counts, way, .. }) = self.paths.get(path) else { return };
        let delivered = match way {
            // A full queue or a centre that is being restarted is a lost datagram: the outbox sends again.
            Way::Datagrams(socket) => socket.try_send(&bytes).is_ok(),
            Way::Posts(postbox) => self.post(postbox, digest, Parcel { path, bytes }),
        };
        counts.delivered.fetch_add(u64::from(delivered), Relaxed);
    }

    /// Posts a record, unless it is still under way.
    fn post(&self, postbox: &Arc<Postbox>, digest: RecordDigest, Parcel { path, bytes }: Parcel) -> bool {
        let begun = postbox.begin(digest);
        if begun {
            let (postbox, deliver) = (Arc::clone(postbox), self.deliver.clone());
            tokio::spawn(async move {
                if let Some(bytes) = postbox.post(digest, bytes).await {
                    // The rehearsal may have ended.
                    let _ = deliver.send(Parcel { path, bytes });
                }
            });
        }
        begun
    }

    /// An answer sets out from the other end.
    fn arrive(&mut self, parcel: &Parcel) {
        let now = self.plan.clock.now();
        let quality = self.plan.script.quality(parcel.path, now);
        let Some(path) = self.paths.get_mut(parcel.path) else { return };
        let copies: Vec<_> = path.down.carry(now, quality, parcel.bytes.len()).map(|arrival| arrival.at).collect();
        for at in copies {
            if at <= now {
                self.accept(parcel);
            } else {
                self.agenda.add(at, Event::Down(Parcel { path: parcel.path, bytes: parcel.bytes.clone() }));
            }
        }
    }

    fn accept(&mut self, Parcel { path, bytes }: &Parcel) {
        let now = self.plan.clock.now();
        let (Some(Path { counts, .. }), Ok(claimed)) = (self.paths.get(*path), Receipt::peek(bytes)) else { return };
        let Some(&index) = self.by_number.get(&claimed.station) else { return };
        let Some(station) = self.stations.get_mut(index) else { return };
        let Some(own) = station.paths.iter().position(|number| number == path) else { return };
        let Ok(receipted) = station.outbox.receive(self.plan.clock.unix_ms(now), own, bytes) else { return };
        let waited = now.saturating_sub(station.first_sent.unwrap_or(now));
        self.given.push(Given { at: now, waited, path: *path, receipt: receipted.receipt });
        counts.receipts.fetch_add(1, Relaxed);
        self.heard = now;
        if station.outbox.pending() == 0 {
            self.busy = self.busy.saturating_sub(1);
        }
        self.waiting = self.waiting.saturating_sub(1);
        if let Some(next) = self.held.pop_front() {
            self.agenda.add(now, Event::Wake(next));
        }
    }
}

async fn open_path<'a>(
    plan: &'a Plan<'_>,
    index: usize,
    number: u8,
    deliver: &UnboundedSender<Parcel>,
) -> anyhow::Result<Path<'a>> {
    let (script, to, counts) = (&plan.script.paths[index], plan.ends[index], &plan.counters.paths[index]);
    ensure!(to.ip().is_loopback(), "a rehearsal sends to loopback addresses only, and {to} is not one");
    let (way, conduct) = match script.carrier {
        Carrier::Http => (Way::Posts(Arc::new(Postbox::new(to, number))), Conduct::Honest),
        Carrier::Udp => (datagrams(to, index, deliver).await?, Conduct::Honest),
        // An honest relay stands at the other end; a dishonest one is the path itself.
        Carrier::Relay(conduct) => (datagrams(to, index, deliver).await?, conduct),
    };
    let direction =
        |name, conduct| Direction::new(plan.script.seed, &format!("{name} {} {number}", script.name), conduct);
    Ok(Path { counts, way, up: direction("up", conduct), down: direction("down", Conduct::Honest) })
}

async fn datagrams(to: SocketAddr, path: usize, deliver: &UnboundedSender<Parcel>) -> anyhow::Result<Way> {
    let open = async {
        let socket = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).await?;
        socket.connect(to).await?;
        // Until the runtime has seen it, a socket says that it would block.
        socket.writable().await?;
        std::io::Result::Ok(Arc::new(socket))
    };
    let socket = open.await.context("cannot open a UDP socket on the loopback interface")?;
    tokio::spawn(listen(Arc::clone(&socket), path, deliver.clone()));
    Ok(Way::Datagrams(socket))
}

async fn listen(socket: Arc<UdpSocket>, path: usize, deliver: UnboundedSender<Parcel>) {
    let mut buffer = [0; 2 * receipt::LEN];
    loop {
        match socket.recv(&mut buffer).await {
            Ok(length) => {
                let bytes = buffer.get(..length).unwrap_or_default().to_vec();
                if deliver.send(Parcel { path, bytes }).is_err() {
                    return;
                }
            }
            Err(_) => sleep(PAUSE).await,
        }
    }
}
