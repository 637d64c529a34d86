//! The gate over a real socket: what the kernel drops, what a station's attempts and quota keep out, and whom they let in.

use std::net::UdpSocket;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::thread;
use std::time::{Duration, Instant};

use tallyproof_centre::gate::{MAX_DATAGRAM, Reason};
use tallyproof_cli::centre::{
    self, CentreConfig, CentreKeys, CentreStats, Cut, GatherConfig, RunningCentre, UdpConfig,
};
use tallyproof_record::receipt;

use crate::world::{Raise, World, tick};

/// The quota of a station with two contests: datagrams at once, and seconds until it is whole again.
const BURST: u32 = 20;
const QUOTA_WINDOW: Duration = Duration::from_secs(5);
/// A station without a receipt sends again after this long.
const RETRY: Duration = Duration::from_millis(250);

fn start(world: &World, kernel_filter: bool) -> RunningCentre {
    centre::start(CentreConfig {
        election: world.election.clone(),
        keys: CentreKeys::read(&world.path("keys")).unwrap(),
        journal: world.path("disk/journal"),
        last_checkpoint: None,
        create: true,
        bundle: world.path("bundle"),
        udp: UdpConfig { kernel_filter, ..UdpConfig::at(([127, 0, 0, 1], 0)) },
        http: None,
        admin: None,
        cut: Cut::OnDemand,
        publish_every: Duration::from_secs(5),
        gather: GatherConfig::default(),
        witnesses_at: Vec::new(),
        workers: 1,
    })
    .unwrap()
}

fn station(centre: &RunningCentre) -> UdpSocket {
    let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
    socket.connect(centre.udp_addr()).unwrap();
    socket.set_read_timeout(Some(RETRY)).unwrap();
    socket
}

/// Sends a record as a station does, until it has a receipt; returns how long that took.
fn report(world: &World, centre: &RunningCentre, no: u32, contest: u16) -> Duration {
    let (socket, record) = (station(centre), world.seal(no, contest, 0));
    let start = Instant::now();
    let mut attempt = 0;
    while start.elapsed() < Duration::from_secs(30) {
        attempt = tick().max(attempt + 1);
        socket.send(&world.datagram(no, attempt, record.as_bytes())).unwrap();
        if matches!(socket.recv(&mut [0; 200]), Ok(receipt::LEN)) {
            return start.elapsed();
        }
    }
    panic!("station {no} got no receipt: {:?}", centre.stats());
}

fn wait_for(centre: &RunningCentre, wanted: impl Fn(&CentreStats) -> bool) {
    let deadline = Instant::now() + Duration::from_secs(20);
    while !wanted(&centre.stats()) {
        assert!(Instant::now() < deadline, "{:?}", centre.stats());
        thread::sleep(Duration::from_millis(5));
    }
}

fn dropped(stats: &CentreStats, reason: Reason) -> u64 {
    stats.drops.iter().find(|(its, _)| *its == reason).unwrap().1
}

/// Datagrams that cannot be records by their form: too short, too long, not ours.
fn malformed(world: &World) -> Vec<Vec<u8>> {
    let genuine = world.datagram(1, tick(), world.seal(1, 1, 0).as_bytes());
    let truncated = (0..=48).map(|length| genuine[..length].to_vec());
    let oversized = [MAX_DATAGRAM + 1, 65_507].map(|length| {
        let mut bytes = genuine.clone();
        bytes.resize(length, 0);
        bytes
    });
    let foreign = (0..4).map(|at| {
        let mut bytes = genuine.clone();
        bytes[at] ^= 0x10;
        bytes
    });
    truncated.chain(oversized).chain(foreign).collect()
}

#[test]
fn what_is_malformed_is_dropped_in_the_kernel_or_in_the_gate_and_always_counted() {
    for kernel_filter in [true, false] {
        let world = World::new(1);
        let centre = start(&world, kernel_filter);
        let hostile = malformed(&world);
        let socket = station(&centre);
        for datagram in &hostile {
            socket.send(datagram).unwrap();
        }
        report(&world, &centre, 1, 1);
        let stats = centre.shutdown().unwrap();
        let in_gate = [Reason::Short, Reason::Long, Reason::Magic].map(|reason| dropped(&stats, reason));
        let expected = if kernel_filter { (hostile.len() as u64, [0; 3]) } else { (0, [49, 2, 4]) };
        assert_eq!((stats.filter, in_gate), expected, "{stats:?}");
        assert_eq!((stats.overflow, stats.journalled), (0, 1));
    }
}

#[test]
fn a_replay_at_full_rate_does_not_hold_up_the_station_s_next_record() {
    let world = World::new(1);
    let centre = start(&world, true);
    let captured = world.datagram(1, tick(), world.seal(1, 1, 0).as_bytes());
    let over = AtomicBool::new(false);
    let took = thread::scope(|threads| {
        let _ended = Raise(&over);
        threads.spawn(|| {
            let socket = station(&centre);
            // Bounded in count; a lost datagram is one replay less.
            for _ in 0..2_000_000 {
                if over.load(Relaxed) {
                    break;
                }
                drop(socket.send(&captured));
            }
        });
        wait_for(&centre, |stats| dropped(stats, Reason::Replay) > 5_000);
        report(&world, &centre, 1, 2)
    });
    assert!(took < QUOTA_WINDOW, "{took:?}");
    let stats = centre.shutdown().unwrap();
    assert_eq!((stats.journalled, dropped(&stats, Reason::Quota)), (2, 0), "{stats:?}");
}

#[test]
fn a_thief_of_the_mac_key_cannot_lock_the_station_out_by_a_jump_ahead() {
    let world = World::new(1);
    let centre = start(&world, true);
    let socket = station(&centre);
    for ahead in [300, 7_000, 14_000] {
        socket.send(&world.datagram(1, tick() + ahead, b"forged")).unwrap();
    }
    wait_for(&centre, |stats| stats.refused_total() == 3);
    let took = report(&world, &centre, 1, 1);
    assert!(took < QUOTA_WINDOW, "{took:?}");
    assert_eq!(dropped(&centre.shutdown().unwrap(), Reason::Replay), 0);
}

#[test]
fn the_quota_of_a_station_is_spent_by_its_key_alone_and_soon_whole_again() {
    let world = World::new(2);
    let centre = start(&world, true);
    let socket = station(&centre);
    let first = tick() - 1000;
    let sent = 300;
    for attempt in 0..sent {
        socket.send(&world.datagram(1, first + attempt, b"forged")).unwrap();
    }
    wait_for(&centre, |stats| stats.arrived() == u64::from(sent));
    let other = report(&world, &centre, 2, 1);
    assert!(other < QUOTA_WINDOW, "another station: {other:?}");
    let took = report(&world, &centre, 1, 1);
    assert!(took < QUOTA_WINDOW, "{took:?}");
    let stats = centre.shutdown().unwrap();
    let passed = stats.refused_total();
    assert!(passed >= u64::from(BURST) && passed < u64::from(2 * BURST), "{passed} checked, and refused: {stats:?}");
    assert!(dropped(&stats, Reason::Quota) >= u64::from(sent) - passed, "{stats:?}");
}
