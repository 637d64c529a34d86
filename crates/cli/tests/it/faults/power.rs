//! The power fails, or the program is killed, at any write of a station, a relay or a witness: what was said before holds after it.

use std::fs;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::process::{Output, Stdio};

use tallyproof_cli::centre::{self, CentreConfig, CentreKeys, Cut, GatherConfig, RunningCentre, UdpConfig};
use tallyproof_cli::package;
use tallyproof_log::witness::Answer;
use tallyproof_record::cose::SealedRecord;
use tallyproof_record::frame::Frame;

use super::platter::{Loss, Platter};
use super::trace::{Call, TELLING, Trace, can_trace};
use super::{deliver, field};
use crate::relay::{Program, http, nobody, post};
use crate::shell::{Outcome, Shell};
use crate::station::{SEAL, SEND, enrolled};
use crate::witness::{Log, Witness, init};
use crate::world::World;

const LOSSES: [Loss; 3] = [Loss::None, Loss::Names, Loss::Bytes];
/// What a station does to its disk and its terminal. (A file that is opened is written next.)
const WRITING: [&str; 6] = ["mkdir", "write", "fsync", "linkat", "rename", "unlink"];
const RECORD: &str = "queue/station-1-contest-1.cose";

/// Runs a command line under strace, in the shell's folder.
fn traced(shell: &Shell, trace: &Trace, rules: &[&str], line: &str) -> (Output, Vec<Call>) {
    let mut command = trace.run(rules);
    command.args(line.split_whitespace()).current_dir(shell.path("")).stdin(Stdio::null());
    let output = command.output().unwrap();
    (output, trace.calls())
}

/// Killed on entering its `nth` call of a kind.
fn kill_at(calls: &str, nth: usize) -> String {
    format!("inject={calls}:signal=SIGKILL:when={nth}")
}

/// The record that a `station seal` said it sealed.
fn digest(stdout: &[u8]) -> Option<String> {
    let report: serde_json::Value = serde_json::from_slice(stdout).ok()?;
    report["digest"].as_str().map(str::to_owned)
}

fn refuses_other_figures(shell: &Shell) {
    shell.write("count.csv", "figure,count\nA,41\nB,30\n@blank,2\n@null,1\n");
    let Outcome { code, stderr, .. } = shell.run(SEAL);
    assert_eq!(code, 2);
    assert!(stderr.contains("sealed with other figures"), "{stderr}");
    shell.write("count.csv", "figure,count\nA,40\nB,30\n@blank,2\n@null,1\n");
}

#[test]
fn what_a_station_says_is_sealed_stays_sealed_wherever_the_power_fails() {
    if !can_trace() {
        return;
    }
    let shell = enrolled();
    let mut kills = 0;
    for call in WRITING {
        for nth in 1.. {
            if killed_while_sealing(&shell, call, nth) {
                break;
            }
            kills += 1;
        }
    }
    assert!(kills > 6, "{kills} writes seal no record");
}

/// Seals, with a kill at the `nth` call of a kind, and what the power can make of it. Says whether the sealing got through.
fn killed_while_sealing(shell: &Shell, call: &str, nth: usize) -> bool {
    let traces = tempfile::tempdir().unwrap();
    if shell.path("queue").exists() {
        fs::remove_dir_all(shell.path("queue")).unwrap();
    }
    let mut disk = Platter::of(&shell.path(""));
    let (output, calls) = traced(shell, &Trace::new(traces.path(), "killed"), &[&kill_at(call, nth)], SEAL);
    disk.apply_all(&calls);
    let said = digest(&output.stdout);
    for loss in LOSSES {
        let about = format!("{loss:?} at {call} {nth}");
        let mut disk = disk.clone();
        disk.lose(loss);
        disk.lay("queue");
        // The officer, who may have seen that it was sealed, seals again. What is then said holds even if the power fails at once.
        let (output, calls) = traced(shell, &Trace::new(traces.path(), &format!("{loss:?}")), &[], SEAL);
        let sealed = digest(&output.stdout).unwrap_or_else(|| panic!("{about}: {output:?}"));
        assert!(said.as_ref().is_none_or(|said| *said == sealed), "{about}: sealed twice with different content");
        disk.apply_all(&calls);
        let record = disk.durable(RECORD).unwrap_or_else(|| panic!("{about}: sealed, and lost with the power"));
        let record = SealedRecord::from_bytes(record.to_vec()).unwrap();
        assert_eq!(hex::encode(record.digest()), sealed, "{about}");
        disk.lose(Loss::Names);
        disk.lay("queue");
        assert_eq!(digest(shell.run(SEAL).stdout.as_bytes()), Some(sealed), "{about}");
        refuses_other_figures(shell);
    }
    output.status.success()
}

/// A centre whose disk is none of the station's.
fn start(shell: &Shell, folder: &Path) -> RunningCentre {
    centre::start(CentreConfig {
        election: package::load(&shell.path("published")).unwrap().election.commit(),
        keys: CentreKeys::read(&shell.path("keys")).unwrap(),
        journal: folder.join("journal"),
        last_checkpoint: None,
        create: true,
        bundle: folder.join("bundle"),
        udp: UdpConfig::at(([127, 0, 0, 1], 0)),
        http: None,
        admin: None,
        cut: Cut::OnDemand,
        publish_every: std::time::Duration::from_secs(1),
        gather: GatherConfig::default(),
        witnesses_at: Vec::new(),
        workers: 1,
    })
    .unwrap()
}

/// Follows a sending station: what leaves it is on its disk, and the attempt too, so that it is never used again. Returns how many
/// datagrams left.
fn left_after_the_disk(disk: &mut Platter, calls: &[Call]) -> usize {
    let mut datagrams = 0;
    for call in calls {
        disk.apply(call);
        let bytes = call.strings().into_iter().next().filter(|_| call.name == "sendto");
        let Some(frame) = bytes.as_deref().and_then(|bytes| Frame::parse(bytes).ok()) else { continue };
        datagrams += 1;
        assert_eq!(disk.durable(RECORD), Some(frame.body), "it left before it was durable");
        let attempt = disk.durable("queue/attempt").map(|text| String::from_utf8_lossy(text).trim().to_owned());
        let attempt: u32 = attempt.expect("no attempt is durable").parse().unwrap();
        assert!(attempt >= frame.header.attempt, "attempt {} left, {attempt} is durable", frame.header.attempt);
    }
    datagrams
}

#[test]
fn a_station_killed_at_any_step_of_sending_sends_again_or_knows_its_receipt() {
    if !can_trace() {
        return;
    }
    let shell = enrolled();
    assert_eq!(shell.run(SEAL).code, 0);
    let record = fs::read(shell.path(RECORD)).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let centre = start(&shell, folder.path());
    let send = format!("{SEND} --via udp://{}", centre.udp_addr());
    let mut kills = 0;
    for call in WRITING.into_iter().chain(["sendto", "recvfrom"]) {
        for nth in 1.. {
            let sent = killed_while_sending(&shell, &send, call, nth);
            assert_eq!(fs::read(shell.path(RECORD)).unwrap(), record, "{call} {nth}");
            if sent {
                break;
            }
            kills += 1;
        }
    }
    assert!(kills > 10, "{kills} steps send no record");
    refuses_other_figures(&shell);
    let stats = centre.shutdown().unwrap();
    assert_eq!((stats.journalled, stats.tree_size), (1, 2), "one record, whatever happened to its station");
}

/// Sends, with a kill at the `nth` call of a kind, and what the power can make of it. Says whether the sending got through.
fn killed_while_sending(shell: &Shell, send: &str, call: &str, nth: usize) -> bool {
    const STATUS: &str = "--json station status --queue queue --pack packs/station-1.toml";
    let traces = tempfile::tempdir().unwrap();
    // As after the sealing, but for the attempts: those are of one evening.
    let receipt = shell.path(RECORD).with_extension("receipt");
    if receipt.exists() {
        fs::remove_file(receipt).unwrap();
    }
    let mut disk = Platter::of(&shell.path(""));
    let trace = Trace::new(traces.path(), "killed");
    // What is to kill has to be followed, too.
    let (output, made) = traced(shell, &trace, &[&format!("{TELLING},{call}"), &kill_at(call, nth)], send);
    left_after_the_disk(&mut disk, &made);
    for loss in LOSSES {
        let about = format!("{loss:?} at {call} {nth}");
        let mut disk = disk.clone();
        disk.lose(loss);
        disk.lay("queue");
        if output.status.success() {
            assert_eq!(shell.run(STATUS).json()["receipted"], 1, "{about}: the receipt was said to be there");
        }
        let again = shell.run(send);
        assert_eq!((again.code, &again.json()["waiting"]), (0, &0.into()), "{about}: {}", again.stderr);
        let status = shell.run(STATUS);
        assert_eq!((status.code, &status.json()["receipted"]), (0, &1.into()), "{about}");
    }
    output.status.success()
}

fn only_record(folder: &Path) -> Option<PathBuf> {
    let mut files = fs::read_dir(folder).ok()?.map(|entry| entry.unwrap().path());
    files.find(|path| path.extension().is_some_and(|extension| extension == "cose"))
}

#[test]
fn what_a_relay_says_it_holds_is_on_its_disk_wherever_it_was_killed() {
    if !can_trace() {
        return;
    }
    for nth in 1.. {
        let world = World::new(2);
        let record = world.seal(1, 1, 10);
        let via = [http(nobody())];
        let mut disk = Platter::of(&world.path(""));
        // Not killed while it starts, but followed: its folder is as good as what is in it.
        let start = Trace::new(&world.path("traces"), "start");
        drop(Program::try_start_by(start.run(&[]), &world, &via).unwrap());
        disk.apply_all(&start.calls());

        let relay = Program::start(&world, &via);
        let trace = Trace::new(&world.path("traces"), "killed");
        let faults = trace.attach(relay.child.id(), &[&kill_at("fsync", nth)]);
        let held = holds(&relay, &record);
        drop(relay);
        faults.ended();
        disk.apply_all(&trace.calls());
        if !held {
            let trace = Trace::new(&world.path("traces"), "again");
            let relay = Program::try_start_by(trace.run(&[]), &world, &via).unwrap();
            assert!(holds(&relay, &record), "sync {nth}");
            drop(relay);
            disk.apply_all(&trace.calls());
        }
        let file = only_record(&world.path("spool")).unwrap();
        let name = file.strip_prefix(world.path("")).unwrap().to_str().unwrap();
        assert_eq!(disk.durable(name), Some(record.as_bytes()), "killed at sync {nth}, then said to be held");
        if held {
            assert!(nth > 2, "{nth} syncs hold no record");
            return;
        }
    }
}

/// Whether the relay says that it holds a record; not if it dies over it.
fn holds(relay: &Program, record: &SealedRecord) -> bool {
    catch_unwind(|| post(relay.address("http"), record.as_bytes()).0 == 202).unwrap_or(false)
}

/// What the witness is to cosign.
const SOME: u64 = 5;

#[test]
fn what_a_witness_cosigned_is_on_its_disk_wherever_it_was_killed() {
    if !can_trace() {
        return;
    }
    let world = World::new(8);
    let centre = world.serve();
    deliver(&mut field(&world, 1..=8), &centre);
    centre.stop();
    let log = Log::of(&world);
    for nth in 1.. {
        let name = format!("w{nth}");
        let folder = init(&world, &name, &world.path("bundle"));
        let traces = tempfile::tempdir().unwrap();
        let witness = Witness::serve(&folder, &[]);
        witness.wait_for(|status| status["recounted"] == log.size());
        let mut disk = Platter::of(&folder);
        let trace = Trace::new(traces.path(), "killed");
        let faults = trace.attach(witness.child.id(), &[&kill_at("fsync", nth)]);
        let answered = cosigns(witness, &log.request(0, SOME));
        faults.ended();
        disk.apply_all(&trace.calls());
        if !answered {
            let trace = Trace::new(traces.path(), "again");
            let again = Witness::serve_by(trace.run(&[]), &folder, &[]);
            // What it had stored before it died it shows to anybody who asks.
            let shows = again.status()["cosigned"] == SOME;
            if shows {
                drop(again);
            } else {
                assert!(cosigns(again, &log.request(0, SOME)), "sync {nth}");
            }
            disk.apply_all(&trace.calls());
        }
        let state = disk.durable("state").map(|state| String::from_utf8_lossy(state).into_owned());
        let stored = state.as_ref().is_some_and(|state| state.contains(&format!("\n{SOME}\n")));
        assert!(stored, "killed at sync {nth}, then said to be cosigned: {state:?}");
        if answered {
            assert!(nth > 2, "{nth} syncs store no state");
            return;
        }
    }
}

/// Whether a witness cosigns; not if it dies over it. It is dead after it.
fn cosigns(witness: Witness, request: &str) -> bool {
    let asked = catch_unwind(AssertUnwindSafe(|| matches!(witness.answer(request), Answer::Cosigned(_))));
    drop(witness);
    asked.unwrap_or(false)
}
