//! Calls of the running centre that fail. What is promised must be on the disk by the calls alone, whatever the program believes.

use std::path::PathBuf;
use std::time::{Duration, Instant};

use tallyproof_record::receipt::Receipt;

use super::platter::{Loss, Platter};
use super::trace::{Attached, Call, Trace, can_trace};
use super::{PATIENCE, deliver, field, reckon, restart, until};
use crate::world::{Centre, Field, World, program};

/// Follows the centre's calls: no receipt may leave before its record is durable. Returns how many left.
fn receipts_kept(platter: &mut Platter, calls: &[Call]) -> usize {
    let mut receipts = 0;
    for call in calls {
        platter.apply(call);
        if call.name != "sendto" {
            continue;
        }
        let Some(receipt) = call.strings().first().and_then(|bytes| Receipt::peek(bytes).ok()) else { continue };
        receipts += 1;
        assert!(platter.holds(&receipt.digest), "receipt {receipts} left before its record was durable: {receipt:?}");
    }
    receipts
}

/// Sends for so long, or until all have receipts.
fn work_for(field: &mut Field<'_>, centre: &Centre, time: Duration) {
    field.work(centre.udp, usize::MAX, Instant::now() + time);
}

fn failed_syncs(calls: &[Call], file: &str) -> usize {
    let of = |call: &&Call| call.file().is_some_and(|path| path.ends_with(file));
    calls.iter().filter(|call| call.name == "fsync" && call.result == Some(-1)).filter(of).count()
}

/// Now and then a sync fails, in every thread: the journal's, the tiles', the last checkpoint's.
#[test]
fn a_failed_sync_is_never_followed_by_a_receipt_for_its_group() {
    const STATIONS: u32 = 60;
    if !can_trace() {
        return;
    }
    let world = World::new(STATIONS);
    let centre = world.serve();
    let mut platter = Platter::of(&world.path(""));
    let trace = Trace::new(&world.path("trace"), "night");
    let faults = trace.attach(centre.pid(), &["inject=fsync,fdatasync:error=EIO:when=5+18"]);
    let mut field = field(&world, 1..=STATIONS);
    // One after another: every record is a group of its own.
    for count in 1..=field.len() {
        field.work(centre.udp, count, Instant::now() + PATIENCE);
    }
    assert!(field.done(field.len()), "{} receipts {:?}", field.receipted.len(), centre.stats());
    assert!(centre.stats().journal_failures > 0, "no sync of the journal failed");
    centre.kill();
    faults.ended();
    let calls = trace.calls();
    assert!(failed_syncs(&calls, "journal-wal") > 0, "no sync of the journal failed");
    assert!(receipts_kept(&mut platter, &calls) >= field.len(), "the calls lack receipts");

    restart(&world, program(), field.len());
    reckon(&world, &field.receipted, field.len());
}

/// A group is written, and the centre dies in the sync, or after it failed. Who starts again finds the group in the file, though it may not
/// be on the disk; and where the sync failed, no later sync writes what the system took for clean.
#[test]
fn what_a_dead_centre_did_not_sync_is_durable_before_it_is_promised() {
    if !can_trace() {
        return;
    }
    for (name, fault) in [("killed", "signal=SIGKILL"), ("failed", "error=EIO")] {
        let mut world = World::new(20);
        // As long as no checkpoint is made, no other write brings a sync with it.
        world.cut_every = "2s";
        let mut centre = world.serve();
        deliver(&mut field(&world, 1..=10), &centre);
        centre.wait_for(|stats| stats.tree_size == 11);
        let mut platter = Platter::of(&world.path(""));
        let trace = Trace::new(&world.path("trace"), name);
        let faults = trace.attach(centre.pid(), &[&format!("inject=fsync,fdatasync:{fault}")]);
        let mut field = field(&world, 11..=20);
        while !centre.has_ended() && centre.try_stats().is_none_or(|stats| stats.journal_failures == 0) {
            work_for(&mut field, &centre, Duration::from_millis(20));
        }
        if name == "failed" {
            let (status, said) = centre.health();
            assert!(status == 503 && said.contains("journal"), "{status} {said}");
        }
        assert!(field.receipted.is_empty(), "{name}: nothing was durable");
        centre.kill();
        faults.ended();
        assert_eq!(receipts_kept(&mut platter, &trace.calls()), 0);

        let trace = Trace::new(&world.path("trace"), &format!("{name}-again"));
        let again = world.serve_by(trace.run(&[]));
        let mut again_field = super::field(&world, 11..=20);
        deliver(&mut again_field, &again);
        again.kill();
        assert!(receipts_kept(&mut platter, &trace.calls()) >= again_field.len(), "{name}: the calls lack receipts");
        // And if the power fails now, nothing of that is lost.
        platter.lose(Loss::Names);
        platter.lay("disk");
        restart(&world, program(), 20);
        reckon(&world, &again_field.receipted, 20);
    }
}

/// A fault, and whether it is the journal that it strikes.
struct Fault {
    rule: &'static str,
    paths: &'static [&'static str],
    journal: bool,
}

const fn journal(rule: &'static str) -> Fault {
    Fault { rule, paths: &["disk/journal", "disk/journal-wal"], journal: true }
}

const fn bundle(rule: &'static str, paths: &'static [&'static str]) -> Fault {
    Fault { rule, paths, journal: false }
}

const STAGED: &[&str] = &["bundle/.staging/file"];
const LAST: &[&str] = &["disk/journal.last-checkpoint.tmp"];

const FAULTS: &[Fault] = &[
    journal("pwrite64:error=ENOSPC"),
    journal("pwrite64:error=EIO:when=2+"),
    journal("fsync,fdatasync:error=EIO"),
    journal("fsync,fdatasync,pread64:error=EIO"),
    bundle("openat:error=ENOSPC", STAGED),
    bundle("write:error=EIO", STAGED),
    bundle("fsync:error=EIO", STAGED),
    bundle("rename:error=EIO", STAGED),
    bundle("fsync:error=EIO", &["bundle/log"]),
    bundle("openat:error=ENOSPC", LAST),
    bundle("fsync:error=EIO", LAST),
    bundle("rename:error=EROFS", LAST),
    bundle("fsync:error=EIO", &["disk"]),
];

/// While a call fails the centre says so, and what it cannot keep it does not promise; once it succeeds again, the centre goes on.
#[test]
fn every_call_may_fail_for_a_while() {
    const EACH: u32 = 4;
    if !can_trace() {
        return;
    }
    let all = u32::try_from(FAULTS.len()).unwrap() * EACH;
    let world = World::new(all);
    let centre = world.serve();
    let mut receipted = Vec::new();
    for (index, Fault { rule, paths, journal }) in (0..).zip(FAULTS) {
        let paths: Vec<PathBuf> = paths.iter().map(|path| world.path(path)).collect();
        let about = format!("{rule} on {paths:?}");
        let before = centre.stats();
        let faults = Attached::inject(centre.pid(), rule, &paths);
        let mut field = field(&world, index * EACH + 1..=(index + 1) * EACH);
        let failures = |centre: &Centre| {
            let now = centre.stats();
            if *journal {
                now.journal_failures - before.journal_failures
            } else {
                now.publish_failures - before.publish_failures
            }
        };
        until(&about, || {
            work_for(&mut field, &centre, Duration::from_millis(20));
            failures(&centre) > 0
        });
        let (status, said) = centre.health();
        assert!(
            status == 503 && said.contains(if *journal { "journal" } else { "bundle" }),
            "{about}: {status} {said}"
        );
        assert!(centre.get("metrics").unwrap().1.contains("tallyproof_centre_up 0"), "{about}");
        if *journal {
            assert!(field.receipted.is_empty(), "{about}: no receipt for what is not in the journal");
        } else {
            // Receipts are given for what is in the journal.
            deliver(&mut field, &centre);
        }
        drop(faults);
        deliver(&mut field, &centre);
        until(&about, || centre.health().0 == 200);
        receipted.extend(field.receipted);
    }
    centre.wait_for(|stats| stats.tree_size == u64::from(all) + 1);
    centre.stop();
    reckon(&world, &receipted, receipted.len());
    assert_eq!(receipted.len(), all as usize);
}
