//! The attack matrix of `docs/threat-model.md`, a row a test.

use std::fs;
use std::io::{Read, Write};
use std::net::{Ipv4Addr, UdpSocket};
use std::process::Command;
use std::sync::atomic::Ordering::Relaxed;

use crate::siege::{
    BURST, BY_UDP, QUOTA_WINDOW, STATIONS, Siege, bad_tags, connect, endure, endure_full_disk, endure_with_clocks,
    request,
};
use crate::world::{World, counted, program, tick};

/// The record with another last byte: its signature does not hold.
fn altered(mut record: Vec<u8>) -> Vec<u8> {
    *record.last_mut().unwrap() ^= 1;
    record
}

/// Random bytes that are the same in every run.
fn noise(seed: u64, length: usize) -> Vec<u8> {
    let mut state = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
    let next = move || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state.to_le_bytes()[0]
    };
    std::iter::repeat_with(next).take(length).collect()
}

#[test]
fn garbage() {
    let after = endure(|siege| siege.flood_the_filter(|no| noise(no, usize::try_from(no % 1200).unwrap())));
    after.unharmed().dropped(&["filter", "overflow"]);
}

#[test]
fn truncated() {
    let cut = |siege: &Siege| {
        let genuine = siege.world.datagram(1, tick(), siege.world.seal(1, 1, 0).as_bytes());
        siege.flood_the_filter(|no| genuine[..usize::try_from(no % 49).unwrap()].to_vec())
    };
    endure(cut).unharmed().dropped(&["filter", "overflow"]);
}

#[test]
fn oversized() {
    let swollen = |siege: &Siege| {
        let genuine = siege.world.datagram(1, tick(), siege.world.seal(1, 1, 0).as_bytes());
        let swollen = [genuine, vec![0; tallyproof_centre::gate::MAX_DATAGRAM]].concat();
        siege.flood_the_filter(|_| swollen.clone())
    };
    endure(swollen).unharmed().dropped(&["filter", "overflow"]);
}

#[test]
fn bad_tag() {
    endure(|siege| siege.flood(bad_tags(siege))).unharmed().dropped(&["tag"]);
}

#[test]
fn unknown_station() {
    let after = endure(|siege| siege.flood(|_| siege.world.datagram(STATIONS + 1, tick(), b"record")));
    after.unharmed().dropped(&["station"]);
}

/// Recordings of station 1 do not hold up its own next record either: they are told apart, and spend no quota.
#[test]
fn replay() {
    let after = endure(|siege| siege.flood(|_| siege.captured.clone()));
    after.unharmed().dropped(&["replay"]);
    assert!(after.reported_within < QUOTA_WINDOW, "{:?}", after.reported_within);
}

/// The victims' quota is spent, so they report by another way; nobody else notices.
#[test]
fn stolen_mac_key() {
    let first = tick() - 13_000;
    let after = endure(|siege| siege.flood(|no| siege.stolen_mac(no, first, &noise(no, 200))));
    after.unharmed().checked_within_quota("structure");
}

#[test]
fn stolen_key_id_with_bad_signatures() {
    let first = tick() - 13_000;
    let forge = |siege: &Siege| {
        let forged: Vec<_> =
            (BY_UDP + 1..=STATIONS).map(|no| altered(siege.world.seal(no, 1, 0).into_bytes())).collect();
        siege.flood(|no| siege.stolen_mac(no, first, &forged[usize::try_from(no).unwrap() % forged.len()]))
    };
    endure(forge).unharmed().checked_within_quota("signature");
}

/// One datagram from the end of the window for each station: their own, with the true time, pass all the same.
#[test]
fn attempts_far_ahead() {
    let jump = |siege: &Siege| {
        let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
        for station in 1..=BY_UDP {
            socket.send_to(&siege.world.datagram(station, tick() + 14_000, b"forged"), siege.centre.udp).unwrap();
        }
        siege.datagrams.store(BY_UDP.into(), Relaxed);
        siege.centre.wait_for(|stats| counted(&stats.refused, "structure") == u64::from(BY_UDP));
        BY_UDP.into()
    };
    let after = endure(jump);
    after.unharmed();
    assert!(after.reported_within < QUOTA_WINDOW, "{:?}", after.reported_within);
}

/// Whoever has all of a station's keys can make its records conflict, as often as its quota allows; nothing else.
#[test]
fn conflicting_records() {
    let first = tick() - 13_000;
    let forge = |siege: &Siege| {
        let version = |no: u64| u32::try_from(no).unwrap() + 1;
        siege.flood(|no| {
            let victim = BY_UDP + 1 + version(no) % (STATIONS - BY_UDP);
            siege.world.datagram(victim, first + version(no) / 4, siege.world.seal(victim, 1, version(no)).as_bytes())
        })
    };
    let after = endure(forge);
    let victims = u64::from(STATIONS - BY_UDP);
    let conflicts = after.stats.journalled - u64::from(STATIONS) - 1;
    let quota = victims * (BURST + 4 * (after.took.as_secs() + 1));
    assert!((victims..=quota).contains(&conflicts), "{conflicts} conflicting records");
    after.bounded();
    assert_eq!(counted(&after.stats.drops, "quota") + conflicts, after.hostile, "{:?}", after.stats);
    assert_eq!(after.world.logged().1, u64::from(STATIONS) + 2 + conflicts, "every one is published");
    assert_eq!((after.stats.quarantined, after.stats.counted), (victims, u64::from(BY_UDP) + 1));
}

/// Up to an hour off passes. What is farther off comes by another way.
#[test]
fn clock_skew() {
    const MINUTE: i32 = 240;
    let skew = |station: u32| [0, 59 * MINUTE, -59 * MINUTE][station as usize % 3];
    let far_off = |siege: &Siege| {
        let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
        let off = [61 * MINUTE, -61 * MINUTE];
        for (station, off) in (BY_UDP + 1..=STATIONS).zip(off.into_iter().cycle()) {
            let sealed = siege.world.seal(station, 1, 0);
            let datagram = siege.world.datagram(station, tick().saturating_add_signed(off), sealed.as_bytes());
            socket.send_to(&datagram, siege.centre.udp).unwrap();
            siege.datagrams.fetch_add(1, Relaxed);
        }
        u64::from(STATIONS - BY_UDP)
    };
    endure_with_clocks(skew, far_off).unharmed().dropped(&["window"]);
}

#[test]
fn held_connections() {
    endure(|siege| siege.hold_connections(b"", b"")).unharmed().parted(&["source", "displaced", "headers"]);
}

#[test]
fn slowloris() {
    let drip = |siege: &Siege| siege.hold_connections(b"POST /v1/records HTTP/1.1\r\nX-Slow: ", b"a");
    endure(drip).unharmed().parted(&["source", "displaced", "headers"]);
}

#[test]
fn body_drip() {
    let beginning = b"POST /v1/records HTTP/1.1\r\nHost: centre\r\nContent-Length: 300\r\n\r\n";
    let drip = |siege: &Siege| siege.hold_connections(beginning, b"a");
    endure(drip).unharmed().parted(&["source", "displaced", "body"]);
}

#[test]
fn forged_posts() {
    let forge = |siege: &Siege| {
        let request = request(&altered(siege.world.seal(3, 1, 0).into_bytes()));
        let mut refused = 0;
        while refused < 1000 || !siege.is_over() {
            let mut stream = connect(siege.centre.http, Ipv4Addr::LOCALHOST).unwrap();
            stream.write_all(&request).unwrap();
            let mut status = [0; 12];
            stream.read_exact(&mut status).unwrap();
            assert_eq!(&status, b"HTTP/1.1 403");
            refused += 1;
            siege.begun.store(refused > 250, Relaxed);
        }
        refused
    };
    let after = endure(forge);
    assert_eq!(counted(&after.unharmed().stats.refused, "signature"), after.hostile);
}

/// A disk of its own for the journal, where a mount namespace can be had without privilege.
#[test]
fn disk_full() {
    let mountable = Command::new("unshare").args(["-rm", "mount", "-t", "tmpfs", "none", "/mnt"]).output();
    if !mountable.is_ok_and(|output| output.status.success()) {
        return eprintln!(
            "skipped: no mount namespace without privilege here; attacks::file_size_limit is the next best"
        );
    }
    let serve = |world: &World| {
        let mut command = Command::new("unshare");
        command.args(["-rm", "sh", "-c", "mount -t tmpfs -o size=8m none \"$0\" && exec \"$@\""]);
        command.arg(world.path("disk")).arg(program().get_program());
        world.serve_by(command)
    };
    // What is mounted is seen by the centre, and through its door in /proc.
    let ballast = |siege: &Siege| {
        let path = siege.world.path("disk/ballast");
        format!("/proc/{}/root{}", siege.centre.pid(), path.display())
    };
    let fill = |siege: &Siege| {
        let mut file = fs::File::create(ballast(siege)).unwrap();
        while file.write_all(&[0; 4096]).is_ok() {}
    };
    endure_full_disk(serve, fill, |siege| fs::remove_file(ballast(siege)).unwrap());
}

/// No file of the centre may grow beyond what its journal has: what a full quota does, without a disk of its own.
#[test]
fn file_size_limit() {
    let serve = |world: &World| {
        let mut command = Command::new("sh");
        command.args(["-c", "trap '' XFSZ; exec \"$@\"", "sh"]).arg(program().get_program());
        world.serve_by(command)
    };
    let limit = |siege: &Siege, bytes: &str| {
        let pid = siege.centre.pid().to_string();
        let mut prlimit = Command::new("prlimit");
        assert!(prlimit.args(["--pid", &pid, &format!("--fsize={bytes}:")]).status().unwrap().success());
    };
    let fill = |siege: &Siege| {
        let written = fs::metadata(siege.world.path("disk/journal-wal")).unwrap().len();
        limit(siege, &written.to_string());
    };
    endure_full_disk(serve, fill, |siege| limit(siege, "unlimited"));
}
