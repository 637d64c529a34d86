//! The centre killed at one system call after another: while it starts, and while records come in.

use std::fs;
use std::time::{Duration, Instant};

use super::trace::{Attached, can_trace, killed_at};
use super::{deliver, field, reckon};
use crate::world::{Centre, Field, World};

/// Whatever leaves a trace on the disk.
const WRITING: &str = "mkdir,write,pwrite64,ftruncate,fsync,fdatasync,link,linkat,rename,unlink";

/// Every step of a start that has a batch to publish, one after another, until a start gets through.
#[test]
fn a_centre_killed_at_any_write_of_its_start_starts_again() {
    if !can_trace() {
        return;
    }
    const MOST: usize = 200;
    let world = World::new(10);
    let mut field = field(&world, 1..=10);
    // From the very first start on: no journal is there yet.
    let (mut nth, mut kills) = (1, 0);
    let mut centre = loop {
        assert!(nth < MOST, "the start does not end");
        match world.try_serve_by(killed_at(WRITING, nth)) {
            // It listens, and is killed at some later call, or not at all.
            Ok(centre) => break centre,
            Err(_) => kills += 1,
        }
        nth += 1;
    };
    assert!(kills > 10, "{kills} kills are no start");
    field.work(centre.udp, 5, Instant::now() + Duration::from_secs(1));
    drop(centre);
    // With records that no checkpoint covers, perhaps, and a bundle that is behind.
    for nth in 1.. {
        assert!(nth < MOST, "the start does not end");
        if let Ok(started) = world.try_serve_by(killed_at(WRITING, nth)) {
            drop(started);
            break;
        }
    }
    centre = world.serve();
    deliver(&mut field, &centre);
    centre.stop();
    reckon(&world, &field.receipted, 10);
}

/// The thread of the centre with this name.
fn thread(centre: &Centre, name: &str) -> u32 {
    let tasks = fs::read_dir(format!("/proc/{}/task", centre.pid())).unwrap().map(|task| task.unwrap().path());
    let mut named = tasks.filter(|task| fs::read_to_string(task.join("comm")).is_ok_and(|comm| comm.trim() == name));
    named.next().unwrap().file_name().unwrap().to_str().unwrap().parse().unwrap()
}

/// Sends records until the centre is dead; says whether it died.
fn work_until_dead(field: &mut Field<'_>, centre: &mut Centre, count: usize) -> bool {
    let deadline = Instant::now() + Duration::from_secs(5);
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

/// Kills at the `nth` write of a thread, for each of these; every time with new records.
fn killed_in(name: &str, calls: impl Iterator<Item = usize> + Clone) {
    if !can_trace() {
        return;
    }
    const EACH: u32 = 3;
    let rounds = u32::try_from(calls.clone().count()).unwrap();
    let world = World::new(rounds * EACH);
    let mut field = field(&world, 1..=rounds * EACH);
    let mut kills = 0;
    for (round, nth) in (1..=rounds).zip(calls) {
        let mut centre = world.serve();
        let faults =
            Attached::inject_thread(thread(&centre, name), &format!("{WRITING}:signal=SIGKILL:when={nth}"));
        let count = (round * EACH) as usize;
        let died = work_until_dead(&mut field, &mut centre, count);
        kills += u32::from(died);
        centre.kill();
        faults.ended();
        let (logged, _) = world.logged();
        assert!(logged.len() <= count, "after kill {nth} in {name}");
    }
    assert!(kills * 2 > rounds, "{kills} kills in {rounds} rounds");
    let centre = world.serve();
    deliver(&mut field, &centre);
    centre.stop();
    reckon(&world, &field.receipted, field.len());
}

#[test]
fn a_centre_killed_at_any_write_of_its_journal_keeps_every_receipt() {
    killed_in("centre-journal", 1..=12);
}

#[test]
fn a_centre_killed_at_any_write_of_its_bundle_keeps_every_receipt() {
    killed_in("centre-publishe", (1..=20).chain((21..=60).step_by(3)));
}
