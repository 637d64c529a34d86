//! Clocks that are set while the programs run, and before they start again. Only the wall clock: nobody sets the monotonic one.

use std::fs;
use std::net::UdpSocket;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use tallyproof_record::frame::Frame;

use super::{deliver, field, reckon, until};
use crate::relay::post;
use crate::station::{SEAL, SEND, enrolled};
use crate::world::{Centre, World, counted, program};

/// A clock that runs ahead of the true one, by what its file says at any moment.
struct Clock {
    file: PathBuf,
    library: String,
}

impl Clock {
    /// Nothing where libfaketime is not installed; says so.
    fn new(folder: &Path) -> Option<Self> {
        let library = Command::new("faketime").args(["-m", "2026-07-01", "sh", "-c", "echo \"$LD_PRELOAD\""]).output();
        let library = library.ok().filter(|output| output.status.success());
        let library = library.and_then(|output| String::from_utf8(output.stdout).ok());
        let clock = library.map(|it| Self { file: folder.join("clock"), library: it.trim().to_owned() });
        let works = clock.as_ref().is_some_and(|clock| {
            clock.set("+5h");
            let mut date = Command::new("date");
            let shown = clock.given_to(date.arg("+%s")).output();
            let shown =
                shown.ok().and_then(|output| String::from_utf8_lossy(&output.stdout).trim().parse::<u64>().ok());
            clock.set("+0");
            shown.is_some_and(|shown| shown > now() + 4 * 3600)
        });
        if !works {
            eprintln!("skipped: libfaketime is not installed (package faketime), or cannot set a program's clock here");
        }
        clock.filter(|_| works)
    }

    /// Whole and at once, so that no program reads half of it.
    fn set(&self, ahead: &str) {
        let new = self.file.with_extension("new");
        fs::write(&new, format!("{ahead}\n")).unwrap();
        fs::rename(new, &self.file).unwrap();
    }

    fn given_to<'c>(&self, command: &'c mut Command) -> &'c mut Command {
        command.env("LD_PRELOAD", &self.library).env("FAKETIME_TIMESTAMP_FILE", &self.file);
        for setting in ["FAKETIME_NO_CACHE", "FAKETIME_DONT_FAKE_MONOTONIC", "DONT_FAKE_MONOTONIC", "NO_FAKE_STAT"] {
            command.env(setting, "1");
        }
        command
    }

    fn serve(&self, world: &World) -> Centre {
        let mut command = program();
        self.given_to(&mut command);
        world.serve_by(command)
    }
}

fn now() -> u64 {
    std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap().as_secs()
}

/// Within the hour that the gate allows, stations notice nothing. Farther off, their datagrams are out of its window, and the other ways
/// remain. Whatever is published depends on no clock.
#[test]
fn a_centre_whose_clock_is_set_goes_on() {
    let world = World::new(32);
    let Some(clock) = Clock::new(&world.path("")) else { return };
    let mut centre = clock.serve(&world);
    let mut receipted = Vec::new();
    for (round, ahead) in (0..).zip(["+0", "+40m", "-40m", "+0"]) {
        clock.set(ahead);
        let mut field = field(&world, 4 * round + 1..=4 * round + 4);
        deliver(&mut field, &centre);
        receipted.extend(field.receipted);
    }
    for (round, ahead) in (4..).zip(["+6h", "-6h", "-6h"]) {
        clock.set(ahead);
        if round == 6 {
            // A new start, with a clock that is behind all that was written before.
            centre.kill();
            centre = clock.serve(&world);
        }
        let mut field = field(&world, 4 * round + 1..=4 * round + 4);
        let before = counted(&centre.stats().drops, "window");
        until("the datagrams are out of the window", || {
            field.work(centre.udp, usize::MAX, Instant::now() + Duration::from_millis(20));
            counted(&centre.stats().drops, "window") > before
        });
        assert!(field.receipted.is_empty(), "{ahead}");
        for station in 4 * round + 1..=4 * round + 4 {
            let (status, receipt) = post(centre.http, world.seal(station, 1, 0).as_bytes());
            assert_eq!((status, receipt.len()), (200, 108), "{ahead}");
        }
        clock.set("+0");
        // The right time again, and by the same way as ever.
        deliver(&mut field, &centre);
        receipted.extend(field.receipted);
    }
    centre.wait_for(|stats| stats.tree_size == 29);
    centre.stop();
    reckon(&world, &receipted, 28);
}

/// Takes the station's datagrams and answers none: their attempts.
fn attempts(socket: &UdpSocket, count: usize) -> Vec<u32> {
    let mut buffer = [0; 2048];
    let mut attempt = || {
        let length = socket.recv(&mut buffer).expect("the station no longer sends");
        Frame::parse(&buffer[..length]).unwrap().header.attempt
    };
    (0..count).map(|_| attempt()).collect()
}

/// A clock set back must not stop the retries, and a restart with it must not use an attempt again: the centre would take it for a replay.
#[test]
fn a_station_whose_clock_is_set_goes_on_sending() {
    let shell = enrolled();
    let Some(clock) = Clock::new(&shell.path("")) else { return };
    assert_eq!(shell.run(SEAL).code, 0);
    let deaf = UdpSocket::bind("127.0.0.1:0").unwrap();
    deaf.set_read_timeout(Some(super::PATIENCE)).unwrap();
    let send = |to: &str| {
        let mut command = shell.command(&format!("{SEND} --via {to}").replace("--timeout 20", "--timeout 60"));
        clock.given_to(&mut command);
        command
    };
    let lost = format!("udp://{}", deaf.local_addr().unwrap());
    let mut sending = send(&lost).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
    let mut seen = attempts(&deaf, 1);
    for ahead in ["-5h", "+5h", "-5h"] {
        clock.set(ahead);
        seen.extend(attempts(&deaf, 1));
    }
    sending.kill().unwrap();
    sending.wait().unwrap();

    // Started again five hours behind, it goes on above what it used; at the centre that is the true time.
    let mut again = send(&lost).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
    seen.extend(attempts(&deaf, 2));
    again.kill().unwrap();
    again.wait().unwrap();
    assert!(seen.windows(2).all(|pair| pair[0] < pair[1]), "{seen:?}");

    let serve = "--json centre serve --election published --keys keys --journal journal --create --bundle bundle \
                 --udp 127.0.0.1:0 --http 127.0.0.1:0";
    let mut centre = shell.command(serve).stdout(Stdio::piped()).spawn().unwrap();
    let out = centre.stdout.take().unwrap();
    let listening: serde_json::Value = serde_json::Deserializer::from_reader(out).into_iter().next().unwrap().unwrap();
    let [udp, http] = ["udp", "http"].map(|name| format!("{name}://{}", listening[name].as_str().unwrap()));
    let sent = send(&udp).output().unwrap();
    assert!(sent.status.success(), "{sent:?}");

    // Another station, five hours ahead: its datagrams are out of the window, and it has its receipt by the other way.
    clock.set("+5h");
    let other = |line: &str| line.replace("station-1", "station-2").replace("--queue queue", "--queue queue2");
    assert_eq!(shell.run(&other(SEAL)).code, 0);
    let mut command = shell.command(&other(&format!("{SEND} --via {udp} --via {http}")));
    let sent = clock.given_to(&mut command).output().unwrap();
    assert!(sent.status.success(), "{sent:?}");
    let report: serde_json::Value = serde_json::from_slice(&sent.stdout).unwrap();
    assert!(report["receipts"][0]["path"].as_str().unwrap().starts_with(&http), "{report}");
    centre.kill().unwrap();
    centre.wait().unwrap();
}
