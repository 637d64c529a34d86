//! A receipt is a promise: the real program, killed at random moments, keeps every one that it gave.

use std::net::{Ipv4Addr, SocketAddr, UdpSocket};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, AtomicU16, Ordering::Relaxed};
use std::thread;
use std::time::{Duration, Instant};

use tallyproof_record::cose::SealedRecord;

use crate::world::{Field, Raise, World, tick};

const STATIONS: u32 = 1500;
/// Every so many stations sends a second, different record.
const CONFLICT: u32 = 50;
/// A station without a record, whose MAC key the attackers have.
const STOLEN: u32 = STATIONS + 1;
/// The slowest restart on a busy machine takes a fraction of this.
const PATIENCE: Duration = Duration::from_mins(1);

fn world() -> World {
    World::new(STOLEN)
}

fn records(world: &World) -> Vec<(u32, SealedRecord)> {
    let conflicts = (1..=STATIONS).filter(|no| no % CONFLICT == 0).map(|no| (no, 1));
    (1..=STATIONS).map(|no| (no, 0)).chain(conflicts).map(|(no, version)| (no, world.seal(no, 1, version))).collect()
}

/// Totals of a night that nobody disturbs.
fn undisturbed() -> &'static [u8] {
    static TOTALS: OnceLock<Vec<u8>> = OnceLock::new();
    TOTALS.get_or_init(|| {
        let world = world();
        let centre = world.serve();
        let mut field = Field::new(&world, records(&world));
        field.work(centre.udp, usize::MAX, Instant::now() + PATIENCE);
        assert!(field.done(field.len()), "{} receipts", field.receipted.len());
        centre.stop();
        world.totals()
    })
}

/// Moments for the kills; any will do, but a failure must be repeatable.
struct Moments(u64);

impl Moments {
    fn next(&mut self, most: u64) -> Duration {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        Duration::from_micros(self.0 % (most * 1000))
    }
}

fn setting<T: std::str::FromStr>(name: &str, default: T) -> T {
    std::env::var(name).map_or(default, |text| text.parse().unwrap_or_else(|_| panic!("{name}={text}: not a number")))
}

/// A night with a kill -9 every now and then. `listening` is told the port of each new centre.
fn disturbed(kills: u32, listening: impl Fn(u16)) {
    let seed = setting("TALLYPROOF_SEED", 0x9e37_79b9_7f4a_7c15);
    println!("TALLYPROOF_SEED={seed} TALLYPROOF_KILLS={kills}");
    let mut moments = Moments(seed);
    let world = world();
    let mut field = Field::new(&world, records(&world));
    let start = || {
        let centre = world.serve();
        listening(centre.udp.port());
        centre
    };
    for round in 0..kills {
        let centre = start();
        // Each round has new records to send, so that none of the kills meets an idle centre.
        let count = field.len() * (round as usize + 1) / kills as usize;
        field.work(centre.udp, count.max(1), Instant::now() + moments.next(120));
        centre.kill();
        // The port may be another program's from now on.
        listening(0);
        field.listen();
    }
    assert!(!field.receipted.is_empty(), "the kills left no receipt to keep");

    let centre = start();
    field.work(centre.udp, usize::MAX, Instant::now() + PATIENCE);
    assert!(field.done(field.len()), "{} receipts", field.receipted.len());
    centre.stop();

    let (logged, size) = world.logged();
    let lost = field.receipted.difference(&logged).count();
    assert_eq!(lost, 0, "receipted records that are not in the log");
    assert_eq!(size, field.len() as u64 + 1, "every record once, and the definition");
    assert_eq!(world.totals(), undisturbed());
    world.verify();
}

#[test]
fn every_receipt_survives_kill_9() {
    disturbed(setting("TALLYPROOF_KILLS", 20), |_| ());
}

#[test]
fn every_receipt_survives_kill_9_during_a_flood() {
    let (port, over) = (AtomicU16::new(0), AtomicBool::new(false));
    let sent = thread::scope(|scope| {
        let flood = scope.spawn(|| flood(&port, &over));
        // Also when an assertion fails: the scope waits for the flood.
        let _ended = Raise(&over);
        disturbed(setting("TALLYPROOF_KILLS", 10), |now| port.store(now, Relaxed));
        over.store(true, Relaxed);
        flood.join().unwrap()
    });
    println!("{sent} hostile datagrams");
    assert!(sent > 10_000, "{sent} hostile datagrams are no flood");
}

/// Sends about 32,000 hostile datagrams a second of four kinds to whichever centre lives, until it is `over`.
fn flood(port: &AtomicU16, over: &AtomicBool) -> u64 {
    const MOST: u64 = 20_000_000;
    const BURST: usize = 32;
    let world = world();
    let genuine = world.seal(1, 1, 0);
    let mut bad_tag = world.datagram(2, tick(), genuine.as_bytes());
    bad_tag[47] ^= 1;
    let mut forged = genuine.into_bytes();
    *forged.last_mut().unwrap() ^= 1;
    let first = tick() - 14_000;
    let replay = world.datagram(STOLEN, first, &forged);
    let garbage = [0x5a; 300];
    let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
    let mut sent = 0;
    for burst in 0.. {
        if over.load(Relaxed) || sent > MOST {
            break;
        }
        // Attempts that rise 250 a second reach the end of the window after two minutes.
        let stolen_mac = world.datagram(STOLEN, first + 1 + burst / 4, &forged);
        let to = SocketAddr::from((Ipv4Addr::LOCALHOST, port.load(Relaxed)));
        for hostile in [&bad_tag[..], &replay, &garbage, &stolen_mac].into_iter().cycle().take(BURST) {
            // A centre that was just killed refuses the datagram.
            sent += u64::from(to.port() != 0 && socket.send_to(hostile, to).is_ok());
        }
        thread::sleep(Duration::from_millis(1));
    }
    sent
}
