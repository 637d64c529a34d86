//! Programs that stand still for a while amid the traffic (SIGSTOP), as a machine does that swaps, or is moved while it runs.

use std::process::Stdio;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::thread;
use std::time::{Duration, Instant};

use tallyproof_cli::witness::{NewKeys, make_keys};

use super::{PATIENCE, deliver, field, reckon, signal, until};
use crate::relay::{Program, http};
use crate::shell::Outcome;
use crate::station::{SEAL, SEND, enrolled};
use crate::witness::Witness;
use crate::world::{Raise, World, program};

/// Longer than any retry of a station that has just begun to send.
const PAUSE: Duration = Duration::from_millis(1500);

fn pause(pid: u32) {
    signal(pid, "STOP");
    thread::sleep(PAUSE);
    signal(pid, "CONT");
}

/// A world whose policy asks for one witness, whose keys are in its folder.
fn witnessed(stations: u32) -> World {
    let keys = tempfile::tempdir().unwrap();
    let new = NewKeys { name: "witness.example/w".parse().unwrap(), ml_dsa: false };
    let folder = keys.path().join("w");
    let made = make_keys(&folder, &new).unwrap();
    let policy = format!("[witnesses]\npolicy = [\"witness w {}\", \"quorum w\"]\n", made[0]);
    let world = World::with(stations, &policy);
    std::fs::create_dir(world.path("w")).unwrap();
    for file in std::fs::read_dir(&folder).unwrap() {
        let file = file.unwrap();
        std::fs::copy(file.path(), world.path("w").join(file.file_name())).unwrap();
    }
    world
}

/// Starts the witness of a world whose centre has published before.
fn serve_witness(world: &World) -> Witness {
    let log = tallyproof_cli::centre::CentreKeys::read(&world.path("keys")).unwrap().verifier().to_string();
    let mut init = program();
    init.args(["witness", "init"]).arg(world.path("w")).args(["--log", &log, "--from"]).arg(world.path("bundle"));
    let made = init.output().unwrap();
    assert!(made.status.success(), "{made:?}");
    Witness::serve(&world.path("w"), &[])
}

#[test]
fn centre_witness_and_relay_stand_still_in_turn_and_everything_goes_on() {
    const STATIONS: u32 = 1200;
    let world = witnessed(STATIONS);
    world.serve().kill();
    let witness = serve_witness(&world);
    let mut command = program();
    command.env("TALLYPROOF_CENTRE_SERVE_WITNESS", format!("w=http://{}", witness.http));
    command.env("TALLYPROOF_CENTRE_SERVE_GATHER_EVERY", "100ms");
    let centre = world.serve_by(command);
    let relay = Program::start(&world, &[format!("udp://{}", centre.udp), http(centre.http)]);
    let (mut direct, mut relayed) = (field(&world, 1..=STATIONS / 2), field(&world, STATIONS / 2 + 1..=STATIONS));
    let over = AtomicBool::new(false);
    let pauses = thread::scope(|scope| {
        let pauses = scope.spawn(|| {
            let _ended = Raise(&over);
            let all = [centre.pid(), witness.child.id(), relay.child.id()];
            for pid in all {
                pause(pid);
            }
            // And two that wait for each other.
            thread::scope(|both| all[..2].iter().for_each(|pid| drop(both.spawn(|| pause(*pid)))));
            all.len() + 1
        });
        // Some new records all the time, so that each pause meets traffic.
        let mut count = 0;
        while !over.load(Relaxed) {
            count += 10;
            for (field, to) in [(&mut direct, centre.udp), (&mut relayed, relay.address("udp"))] {
                field.work(to, count, Instant::now() + Duration::from_millis(100));
            }
        }
        pauses.join().unwrap()
    });
    assert_eq!(pauses, 4);
    deliver(&mut direct, &centre);
    relayed.work(relay.address("udp"), usize::MAX, Instant::now() + PATIENCE);
    assert!(relayed.done(relayed.len()), "{} receipts by the relay", relayed.receipted.len());
    let all = u64::from(STATIONS) + 1;
    centre.wait_for(|stats| stats.tree_size == all);
    until("the witness has cosigned all of it", || centre.stats().cosigned_size == all);
    assert_eq!(centre.stats().journalled, u64::from(STATIONS), "every record once");
    let cosigned = std::fs::read_to_string(world.path("w/state")).unwrap();
    assert!(cosigned.contains(&format!("\n{all}\n")), "{cosigned}");
    centre.stop();
    reckon(&world, direct.receipted.iter().chain(&relayed.receipted), STATIONS as usize);
}

/// A station stands still while its receipt comes, and the centre while the station sends.
#[test]
fn a_sending_station_that_stood_still_finds_its_receipt() {
    let shell = enrolled();
    assert_eq!(shell.run(SEAL).code, 0);
    let serve = "--json centre serve --election published --keys keys --journal journal --create --bundle bundle \
                 --udp 127.0.0.1:0 --admin 127.0.0.1:0";
    let mut centre = shell.command(serve).stdout(Stdio::piped()).spawn().unwrap();
    let listening = first_json(centre.stdout.take().unwrap());
    let (udp, admin) = (listening["udp"].as_str().unwrap(), listening["admin"].as_str().unwrap());
    signal(centre.id(), "STOP");
    let send = format!("{SEND} --via udp://{udp}").replace("--timeout 20", "--timeout 60");
    let mut station = shell.command(&send);
    let station = station.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    until("it has sent", || shell.path("queue/attempt").exists());
    signal(station.id(), "STOP");
    signal(centre.id(), "CONT");
    until("the centre has given its receipt", || {
        let mut stats = ureq::get(format!("http://{admin}/stats")).call().unwrap();
        let stats: serde_json::Value = serde_json::from_str(&stats.body_mut().read_to_string().unwrap()).unwrap();
        // Only if the datagram left before the station stood still.
        if stats["receipts"] == 0 {
            signal(station.id(), "CONT");
        }
        stats["receipts"] != 0
    });
    signal(station.id(), "STOP");
    thread::sleep(PAUSE);
    signal(station.id(), "CONT");
    let sent: Outcome = station.wait_with_output().unwrap().into();
    assert_eq!((sent.code, &sent.json()["waiting"]), (0, &0.into()), "{}", sent.stderr);
    signal(centre.id(), "TERM");
    assert!(centre.wait().unwrap().success());
    let verified = shell.run("--json verify bundle").json();
    assert_eq!((&verified["ok"], &verified["records"]), (&true.into(), &1.into()), "{verified}");
}

/// The first JSON object that a program prints over several lines.
fn first_json(out: impl std::io::Read) -> serde_json::Value {
    serde_json::Deserializer::from_reader(out).into_iter().next().unwrap().unwrap()
}
