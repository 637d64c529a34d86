//! The centre killed at one system call after another: while it starts, and while records come in.

use std::fs;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use super::trace::{Attached, can_trace, killed_at};
use super::{PATIENCE, deliver, field, reckon, restart, until};
use crate::world::{Centre, Field, World, program};

/// Whatever leaves a trace on the disk.
const WRITING: [&str; 8] = ["mkdir", "write", "pwrite64", "ftruncate", "fsync", "linkat", "rename", "unlink"];

/// Kills the start at its first call of this kind, at its second, and so on, until it gets through; returns how often.
fn killed_starts(world: &World, call: &str) -> usize {
    for nth in 1..200 {
        if let Ok(centre) = world.try_serve_by(killed_at(call, nth)) {
            centre.kill();
            return nth - 1;
        }
    }
    panic!("the start does not get through: {call}");
}

/// The first start makes the journal: whole or not at all, so that the next one knows whether to make it.
#[test]
fn a_centre_killed_at_any_write_of_its_first_start_starts_again() {
    if !can_trace() {
        return;
    }
    let mut kills = 0;
    for call in WRITING {
        let world = World::new(3);
        kills += killed_starts(&world, call);
        let centre = world.serve();
        let mut field = field(&world, 1..=3);
        deliver(&mut field, &centre);
        centre.stop();
        reckon(&world, &field.receipted, 3);
    }
    assert!(kills > 30, "{kills} kills are no start");
}

/// A start with records that no checkpoint covers, and a bundle that has to be made again.
#[test]
fn a_centre_killed_at_any_write_of_its_start_starts_again() {
    if !can_trace() {
        return;
    }
    let mut world = World::new(10);
    world.cut_every = "60m";
    let centre = world.serve();
    let mut field = field(&world, 1..=10);
    deliver(&mut field, &centre);
    centre.kill();
    let receipted = field.receipted;
    let mut kills = 0;
    for call in WRITING {
        fs::remove_dir_all(world.path("bundle")).unwrap();
        kills += killed_starts(&world, call);
    }
    assert!(kills > 30, "{kills} kills are no start");
    world.cut_every = "20ms";
    restart(&world, program(), 10);
    reckon(&world, &receipted, 10);
}

/// The thread of the centre with this name.
fn thread(centre: &Centre, name: &str) -> u32 {
    let is_named = |task: &PathBuf| fs::read_to_string(task.join("comm")).is_ok_and(|comm| comm.trim() == name);
    let mut found = None;
    // It gives itself its name when it first runs.
    until(name, || {
        let mut tasks = fs::read_dir(format!("/proc/{}/task", centre.pid())).unwrap().map(|task| task.unwrap().path());
        found = tasks.find(is_named);
        found.is_some()
    });
    found.unwrap().file_name().unwrap().to_str().unwrap().parse().unwrap()
}

/// Sends records until the centre is dead; says whether it died.
fn work_until_dead(field: &mut Field<'_>, centre: &mut Centre, count: usize) -> bool {
    let deadline = Instant::now() + PATIENCE;
    while Instant::now() < deadline {
        field.work(centre.udp, count, Instant::now() + Duration::from_millis(10));
        if centre.has_ended() {
            field.listen();
            return true;
        }
        if field.done(count) && centre.try_stats().is_some_and(|stats| stats.tree_size > count as u64) {
            return false;
        }
    }
    panic!("neither dead nor done: {:?}", centre.stats());
}

/// Kills at the first, second, … call of these kinds in one thread; every time with new records.
fn killed_in(name: &str, calls: &[(&str, usize)]) {
    const EACH: u32 = 3;
    if !can_trace() {
        return;
    }
    let moments: Vec<_> = calls.iter().flat_map(|(call, most)| (1..=*most).map(move |nth| (call, nth))).collect();
    let rounds = u32::try_from(moments.len()).unwrap();
    let world = World::new(rounds * EACH);
    let mut field = field(&world, 1..=rounds * EACH);
    let mut kills = 0;
    for (round, (call, nth)) in (1..=rounds).zip(moments) {
        let mut centre = world.serve();
        let rule = format!("{call}:signal=SIGKILL:when={nth}");
        let faults = Attached::inject_thread(thread(&centre, name), &rule);
        let count = (round * EACH) as usize;
        let died = work_until_dead(&mut field, &mut centre, count);
        kills += u32::from(died);
        centre.kill();
        faults.ended();
        assert!(world.logged().0.len() <= count, "after {rule} in {name}");
    }
    assert!(kills * 2 > rounds, "{kills} kills in {rounds} rounds");
    let centre = world.serve();
    deliver(&mut field, &centre);
    centre.stop();
    reckon(&world, &field.receipted, field.len());
}

#[test]
fn a_centre_killed_at_any_write_of_its_journal_keeps_every_receipt() {
    killed_in("centre-journal", &[("pwrite64", 9), ("fsync", 5)]);
}

#[test]
fn a_centre_killed_at_any_write_of_its_bundle_keeps_every_receipt() {
    killed_in("centre-publishe", &[("write", 8), ("fsync", 8), ("rename", 8)]);
}
