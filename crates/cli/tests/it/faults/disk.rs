//! Disks that fill up under the running centre: the journal's, the bundle's, that of the last checkpoint.

use std::fs::{self, File};
use std::io::{BufRead, BufReader, Write};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use super::{deliver, field, reckon, restart, until};
use crate::world::{Centre, World, program};

/// Small disks in folders of a world, in a mount namespace that lives as long as this.
struct Disks(Child);

impl Disks {
    /// Nothing where a namespace cannot be had without privilege; says so.
    fn mount(world: &mut World, folders: &[&str]) -> Option<Self> {
        let script = "for disk; do mkdir -p \"$disk\" && mount -t tmpfs -o size=4m none \"$disk\" || exit 1; done; echo ready; exec sleep 900";
        let mut command = Command::new("unshare");
        command.args(["-rm", "sh", "-c", script, "sh"]).args(folders.iter().map(|folder| world.path(folder)));
        let mut holder = command.stdout(Stdio::piped()).spawn().ok()?;
        let mut line = String::new();
        BufReader::new(holder.stdout.take()?).read_line(&mut line).unwrap();
        let disks = Self(holder);
        if line.trim() != "ready" {
            eprintln!("skipped: no mount namespace without privilege here; attacks::file_size_limit is the next best");
            return None;
        }
        world.see_through(disks.0.id());
        Some(disks)
    }

    /// The program, where these disks are.
    fn command(&self) -> Command {
        let mut command = Command::new("nsenter");
        command.args(["-U", "-m", "--preserve-credentials", "-t", &self.0.id().to_string()]);
        command.arg(program().get_program());
        command
    }
}

impl Drop for Disks {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Takes all room of a disk, in one file.
fn fill(ballast: &PathBuf) {
    let mut file = File::create(ballast).unwrap();
    for size in [1 << 16, 4096, 1] {
        while file.write_all(&vec![0; size]).is_ok() {}
    }
}

/// Takes what is left in the last page of a file that grows.
fn fill_up(file: &PathBuf) {
    let mut file = File::options().append(true).open(file).unwrap();
    while file.write_all(b"\n").is_ok() {}
}

/// What the centre cannot do while a disk is full.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Stuck {
    Receipts,
    Publishing,
}

const FIRST: u32 = 30;
const ALL: u32 = 120;

/// The disk of `full` fills up, and has room again.
fn endure(full: &str, stuck: Stuck) {
    let mut world = World::new(ALL);
    let Some(disks) = Disks::mount(&mut world, &["disk", "bundle", "last"]) else { return };
    let last = world.path("last/checkpoint");
    let command = || {
        let mut command = disks.command();
        command.env("TALLYPROOF_CENTRE_SERVE_LAST_CHECKPOINT", &last);
        command
    };
    let centre = world.serve_by(command());
    let mut early = field(&world, 1..=FIRST);
    deliver(&mut early, &centre);
    centre.wait_for(|stats| stats.tree_size == u64::from(FIRST) + 1);

    let ballast = world.seen(full).join("ballast");
    fill(&ballast);
    if full == "disk" {
        fill_up(&world.seen("disk/centre.log"));
    }
    let mut late = field(&world, FIRST + 1..=ALL);
    let failures = |centre: &Centre| {
        let stats = centre.stats();
        if stuck == Stuck::Receipts { stats.journal_failures } else { stats.publish_failures }
    };
    until("the full disk shows", || {
        late.work(centre.udp, usize::MAX, Instant::now() + Duration::from_millis(20));
        failures(&centre) > 2
    });
    let (status, said) = centre.health();
    let word = if stuck == Stuck::Receipts { "journal" } else { "bundle" };
    assert!(status == 503 && said.contains(word), "{status} {said}");
    assert!(centre.get("metrics").unwrap().1.contains("tallyproof_centre_up 0"));
    match stuck {
        Stuck::Receipts => assert!(!late.done(late.len()), "the disk is not full"),
        Stuck::Publishing => deliver(&mut late, &centre),
    }
    // Whoever reads the bundle now finds what its checkpoint covers.
    let (logged, _) = world.logged();
    assert!(early.receipted.is_subset(&logged));

    fs::remove_file(&ballast).unwrap();
    deliver(&mut late, &centre);
    until("it goes on by itself", || centre.health().0 == 200);
    assert!(centre.get("metrics").unwrap().1.contains("tallyproof_centre_up 1"));
    centre.wait_for(|stats| stats.tree_size == u64::from(ALL) + 1);
    let receipted: Vec<_> = early.receipted.iter().chain(&late.receipted).collect();
    centre.kill();
    restart(&world, command(), ALL as usize);
    reckon(&world, receipted, ALL as usize);
}

/// With it the program's own words have no room, either.
#[test]
fn a_full_journal_disk_stops_receipts_and_nothing_else() {
    endure("disk", Stuck::Receipts);
}

#[test]
fn a_full_bundle_disk_stops_publishing_and_no_receipt() {
    endure("bundle", Stuck::Publishing);
}

#[test]
fn a_full_disk_of_the_last_checkpoint_stops_publishing_and_no_receipt() {
    endure("last", Stuck::Publishing);
}

/// A centre that is killed while its disk is full, and has to start on it.
#[test]
fn a_centre_killed_on_a_full_disk_starts_once_there_is_room() {
    let mut world = World::new(ALL);
    let Some(disks) = Disks::mount(&mut world, &["disk", "bundle"]) else { return };
    let centre = world.serve_by(disks.command());
    let mut all = field(&world, 1..=ALL);
    all.work(centre.udp, FIRST as usize, Instant::now() + super::PATIENCE);
    centre.wait_for(|stats| stats.tree_size > u64::from(FIRST));
    let ballasts = ["disk/ballast", "bundle/ballast"].map(|path| world.seen(path));
    ballasts.iter().for_each(fill);
    until("the full disk shows", || {
        all.work(centre.udp, usize::MAX, Instant::now() + Duration::from_millis(20));
        centre.stats().journal_failures > 0
    });
    centre.kill();
    let refused = world.try_serve_by(disks.command());
    assert!(refused.is_err(), "it says what it lacks, and starts nothing");
    let before = world.logged();
    for ballast in &ballasts {
        fs::remove_file(ballast).unwrap();
    }
    assert!(before.0.len() >= FIRST as usize);
    let centre = world.serve_by(disks.command());
    deliver(&mut all, &centre);
    centre.stop();
    reckon(&world, &all.receipted, ALL as usize);
}
