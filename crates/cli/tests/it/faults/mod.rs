//! The real program under real faults: disks that fill up, calls that fail, a kill at any of its calls, pauses, clocks that are set.
//!
//! What is right is said from outside: by the receipts that came, the files that lie there, and the calls that the program made.

mod clock;
mod disk;
mod pause;
mod platter;
mod power;
mod sweep;
mod sync;
mod trace;

use std::process::Command;
use std::time::{Duration, Instant};

use tallyproof_record::cose::RecordDigest;

use crate::world::{Centre, Field, World};

/// On a busy machine everything takes a fraction of this.
const PATIENCE: Duration = Duration::from_mins(1);

/// Sends a signal to a process that lives.
fn signal(pid: u32, name: &str) {
    let sent = Command::new("kill").args([&format!("-{name}"), &pid.to_string()]).status().unwrap();
    assert!(sent.success(), "kill -{name} {pid}");
}

fn until(what: &str, mut holds: impl FnMut() -> bool) {
    let deadline = Instant::now() + PATIENCE;
    while !holds() {
        assert!(Instant::now() < deadline, "{what}");
        std::thread::sleep(Duration::from_millis(5));
    }
}

/// The records of these stations.
fn field(world: &World, stations: impl IntoIterator<Item = u32>) -> Field<'_> {
    Field::new(world, stations.into_iter().map(|no| (no, world.seal(no, 1, 0))))
}

/// Sends until all have receipts.
fn deliver(field: &mut Field<'_>, centre: &Centre) {
    field.work(centre.udp, usize::MAX, Instant::now() + PATIENCE);
    assert!(field.done(field.len()), "{} of {} receipts: {:?}", field.receipted.len(), field.len(), centre.stats());
}

/// Starts the centre again, and ends it as its operator would once all records are published.
fn restart(world: &World, command: Command, records: usize) {
    let centre = world.serve_by(command);
    centre.wait_for(|stats| stats.tree_size == records as u64 + 1);
    centre.stop();
}

/// After all that happened: every record that has a receipt is in the log once, and whoever verifies the bundle finds nothing.
fn reckon<'a>(world: &World, receipted: impl IntoIterator<Item = &'a RecordDigest>, records: usize) {
    let (logged, size) = world.logged();
    let lost = receipted.into_iter().filter(|digest| !logged.contains(*digest)).count();
    assert_eq!(lost, 0, "receipted records that are not in the log");
    assert_eq!((logged.len(), size), (records, records as u64 + 1), "every record once, and the definition");
    world.verify();
}
