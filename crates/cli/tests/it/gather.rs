//! The centre and its witnesses over real HTTP: gathering, freezing, and restored backups.

use std::fs;
use std::net::TcpListener;
use std::path::Path;
use std::time::{Duration, Instant};

use ed25519_dalek::SigningKey;
use tallyproof_cli::centre::{self, Answer, CentreConfig, Frozen, GatherConfig, RunningCentre, WitnessReport};
use tallyproof_cli::commands::verify::verify_folder;
use tallyproof_cli::witness::{self, NewKeys, NewWitness, WitnessConfig};
use tallyproof_cli::{Printer, centre::StatsReport};
use tallyproof_count::Verification;
use tallyproof_log::note::{SignedNote, VerifierKey};
use tallyproof_record::definition::{Authority, Committed, Member, StationKey};
use tallyproof_record::statement::{Act, Draft, Statement};

use crate::centre::{LOOPBACK, config, election_with_policy, keys, record_of};
use crate::peer::{Manner, Peer, policy, short_key};
use crate::world::program;

const SOON: Duration = Duration::from_secs(20);
const QUICK: GatherConfig = GatherConfig { every: Duration::from_millis(100), timeout: Duration::from_millis(500) };

fn log() -> VerifierKey {
    keys().verifier().clone()
}

fn peers(count: u8) -> Vec<Peer> {
    (1..=count).map(|number| Peer::start(number, &log())).collect()
}

fn asking(folder: &Path, election: &Committed) -> CentreConfig {
    CentreConfig { election: election.clone(), gather: QUICK, ..config(folder) }
}

fn submit(centre: &RunningCentre, election: &Committed, station: u32) -> Answer {
    let sealed = record_of(election, station, station);
    centre.submitter().submit(sealed.as_bytes().to_vec()).wait()
}

fn grow(centre: &RunningCentre, election: &Committed, station: u32) {
    assert!(matches!(submit(centre, election, station), Answer::Receipt(_)));
    centre.cut_now().unwrap();
}

fn stats(centre: &RunningCentre) -> StatsReport {
    StatsReport::from(&centre.stats())
}

fn wait_for(what: &str, holds: impl Fn() -> bool) {
    let deadline = Instant::now() + SOON;
    while !holds() {
        assert!(Instant::now() < deadline, "{what}");
        std::thread::sleep(Duration::from_millis(10));
    }
}

/// Verifies the bundle; again, if a file was being put in its place at that moment.
fn verified(folder: &Path) -> Verification {
    loop {
        let found = verify_folder(&folder.join("bundle"), None, &Printer::new(false)).unwrap();
        if !found.problems.iter().any(|problem| problem.place.starts_with(".staging")) {
            return found;
        }
    }
}

fn read(folder: &Path, path: &str) -> String {
    fs::read_to_string(folder.join("bundle").join(path)).unwrap()
}

#[test]
fn cosignatures_are_gathered_while_the_log_grows_and_the_end_is_pinned() {
    let folder = tempfile::tempdir().unwrap();
    let peers = peers(5);
    let election = election_with_policy(policy(&peers, 4));
    peers[4].behave(Manner::Lying);
    let centre = centre::start(asking(folder.path(), &election)).unwrap();
    for station in 1..=3 {
        grow(&centre, &election, station);
        let size = u64::from(station) + 1;
        wait_for("the quorum", || centre.stats().cosigned_size == size);
    }
    assert!(verified(folder.path()).problems.is_empty());
    wait_for("the cosigned checkpoint", || verified(folder.path()).warnings.is_empty());
    let found = verified(folder.path());
    assert_eq!((found.frozen, found.cosignatures, found.cosigned_size), (false, 4, 4));
    let witnesses = stats(&centre).witnesses;
    let WitnessReport { size, failures, trouble, .. } = &witnesses["w5"];
    assert!(*size == 0 && *failures > 0 && trouble.as_ref().unwrap().contains("does not hold"), "{witnesses:?}");
    assert_eq!(witnesses["w1"].size, 4);

    let Frozen::Yes { checkpoint, witnesses } = centre.freeze(SOON).unwrap() else { panic!("no quorum") };
    assert_eq!(checkpoint.size, 4);
    assert_eq!(witnesses, ["w1", "w1-long", "w2", "w2-long", "w3", "w3-long", "w4", "w4-long"]);
    assert!(matches!(centre.freeze(SOON), Ok(Frozen::Yes { .. })), "once is for ever");
    assert_eq!(submit(&centre, &election, 9), Answer::Unavailable, "nothing follows");
    centre.shutdown().unwrap();
    let found = verified(folder.path());
    assert_eq!((found.problems, found.warnings, found.frozen), (vec![], vec![], true));
    assert_eq!((found.cosignatures, found.cosigned_size), (8, 4));
    assert_eq!(read(folder.path(), "log/frozen"), read(folder.path(), "log/checkpoint"));
    assert!(read(folder.path(), "site/index.html").contains("nothing follows"));

    let refusal = format!("{:#}", centre::start(asking(folder.path(), &election)).unwrap_err());
    assert!(refusal.contains("the log is finished"), "{refusal}");
    // A lost bundle is published again, as it was; so is a lost mark.
    let before = read(folder.path(), "log/frozen");
    fs::remove_dir_all(folder.path().join("bundle")).unwrap();
    assert!(matches!(centre::freeze(asking(folder.path(), &election), SOON), Ok(Frozen::Yes { .. })));
    assert_eq!(read(folder.path(), "log/frozen"), before);
    assert!(verified(folder.path()).ok);
    fs::remove_file(folder.path().join("journal.last-checkpoint.frozen")).unwrap();
    assert!(centre::start(asking(folder.path(), &election)).is_err());
    assert!(matches!(centre::freeze(asking(folder.path(), &election), SOON), Ok(Frozen::Yes { .. })));
    assert!(folder.path().join("journal.last-checkpoint.frozen").exists());
}

#[test]
fn without_the_quorum_nothing_is_finished_and_the_centre_goes_on() {
    let folder = tempfile::tempdir().unwrap();
    let peers = peers(2);
    let election = election_with_policy(policy(&peers, 2));
    peers[1].behave(Manner::Silent);
    let centre = centre::start(asking(folder.path(), &election)).unwrap();
    grow(&centre, &election, 1);
    let Frozen::NoQuorum { tree_size, witnesses } = centre.freeze(Duration::from_secs(2)).unwrap() else { panic!() };
    assert_eq!((tree_size, witnesses[0].size), (2, 2));
    assert!(witnesses[2].trouble.as_ref().unwrap().contains("does not answer"), "{witnesses:?}");
    grow(&centre, &election, 2);
    // While the one cosignature that comes is being published, the bundle does not hold for a moment.
    wait_for("a bundle that holds, with a warning", || {
        let found = verified(folder.path());
        found.ok && !found.frozen && found.warnings.len() == 1
    });
    peers[1].behave(Manner::Honest);
    assert!(matches!(centre.freeze(SOON).unwrap(), Frozen::Yes { .. }));
    centre.shutdown().unwrap();
    assert!(verified(folder.path()).frozen);
}

#[test]
fn a_policy_from_the_log_asks_other_witnesses_from_its_checkpoint_on() {
    let folder = tempfile::tempdir().unwrap();
    let peers = peers(3);
    let member = SigningKey::from_bytes(&[7; 32]);
    let key = StationKey::from(member.verifying_key());
    let authority = Authority::new(1, vec![Member { name: "chair".into(), key }]).unwrap();
    let election = election_with_policy(policy(&peers[..1], 1)).election().clone();
    let election = election.with_signatories(authority, vec![]).commit();
    let centre = centre::start(asking(folder.path(), &election)).unwrap();
    grow(&centre, &election, 1);
    wait_for("the definition's quorum", || centre.stats().cosigned_size == 2);
    assert_eq!(peers[1].size(), 0);

    let line = |number: u8| {
        let url = peers[usize::from(number) - 1].url();
        format!("witness w{number} {} {url}", short_key(number).verifier())
    };
    let lines = vec![line(2), line(3), "group both 2 w2 w3".to_owned(), "quorum both".to_owned()];
    let statement = Statement {
        election: *election.hash(),
        phase: election.election().phase(),
        made_at: 1,
        act: Act::Policy(lines),
    };
    let signed = Draft::new(&statement).unwrap().sign(&member);
    assert!(matches!(centre.submitter().submit(signed.to_bytes()).wait(), Answer::Receipt(_)));
    centre.cut_now().unwrap();
    wait_for("the new quorum", || centre.stats().cosigned_size == 3);
    assert_eq!(peers[0].size(), 2, "the witness before is asked no more");
    wait_for("the cosigned checkpoint", || verified(folder.path()).warnings.is_empty());
    assert!(verified(folder.path()).problems.is_empty());
    let vkeys = read(folder.path(), "log/vkeys");
    let known = |number| vkeys.contains(&short_key(number).verifier().to_string());
    assert!(known(1) && known(3), "what was cosigned before can be checked for ever: {vkeys}");
    centre.shutdown().unwrap();

    let centre = centre::start(asking(folder.path(), &election)).unwrap();
    grow(&centre, &election, 2);
    wait_for("the quorum after a restart", || centre.stats().cosigned_size == 4);
    assert!(matches!(centre.freeze(SOON).unwrap(), Frozen::Yes { .. }));
    centre.shutdown().unwrap();
    let found = verified(folder.path());
    assert_eq!((found.problems, found.warnings, found.frozen), (vec![], vec![], true));
}

#[test]
fn where_nobody_is_asked_for_the_end_needs_nobody() {
    let folder = tempfile::tempdir().unwrap();
    let centre = centre::start(config(folder.path())).unwrap();
    assert!(matches!(centre.freeze(SOON).unwrap(), Frozen::Yes { .. }));
    centre.shutdown().unwrap();
    let found = verified(folder.path());
    assert!(found.ok && found.frozen && found.warnings.is_empty(), "{:?}", found.problems);
    assert!(!folder.path().join("bundle/log/cosigned").exists());
}

#[test]
fn a_silent_witness_delays_neither_receipts_nor_checkpoints() {
    let folder = tempfile::tempdir().unwrap();
    let peers = peers(1);
    peers[0].behave(Manner::Silent);
    let election = election_with_policy(policy(&peers, 1));
    let gather = GatherConfig { timeout: Duration::from_secs(30), ..QUICK };
    let centre = centre::start(CentreConfig { gather, ..asking(folder.path(), &election) }).unwrap();
    let started = Instant::now();
    (1..=10).for_each(|station| grow(&centre, &election, station));
    centre.shutdown().unwrap();
    assert!(started.elapsed() < Duration::from_secs(15), "{:?}", started.elapsed());
    assert_eq!(verified(folder.path()).tree_size, 11);
}

fn post(centre: &RunningCentre, body: &[u8]) -> (u16, String) {
    let url = format!("http://{}/v1/cosignatures", centre.http_addr().unwrap());
    let agent = tallyproof_cli::http::agent(SOON, None).unwrap();
    let mut response = agent.post(url).send(body).unwrap();
    (response.status().as_u16(), response.body_mut().read_to_string().unwrap())
}

#[test]
fn a_witness_behind_nat_hands_its_cosignature_in() {
    let folder = tempfile::tempdir().unwrap();
    let lines = vec![format!("witness nat {}", short_key(1).verifier()), "quorum nat".to_owned()];
    let election = election_with_policy(lines);
    let centre = centre::start(asking(folder.path(), &election)).unwrap();
    grow(&centre, &election, 1);
    let url = format!("http://{}/v1/cosignatures", centre.http_addr().unwrap());
    let ask = || ureq::get(&url).call().unwrap().body_mut().read_to_string().unwrap();
    wait_for("the new round", || ask() == read(folder.path(), "log/checkpoint"));
    let mut note = SignedNote::parse(ask().as_bytes()).unwrap();
    let key = short_key(1);
    let cosignature = key.cosign(&note.text().parse().unwrap(), 1_800_000_000).unwrap();
    let foreign = short_key(2).cosign(&note.text().parse().unwrap(), 1_800_000_000).unwrap();

    assert_eq!(post(&centre, b"garbage").0, 422);
    assert_eq!(post(&centre, note.to_string().as_bytes()).0, 422, "no witness's signature");
    assert_eq!(post(&centre, format!("{}\n{foreign}\n", note.text()).as_bytes()).0, 422);
    let other = note.text().replacen("\n2\n", "\n3\n", 1);
    let (status, said) = post(&centre, format!("{other}\n{cosignature}\n").as_bytes());
    assert!(status == 404 && said.starts_with("unknown: "), "{status} {said}");
    assert_eq!(centre.stats().cosigned_size, 0);

    note.attach(cosignature.clone(), key.verifier()).unwrap();
    for body in [format!("{}\n{cosignature}\n", note.text()), note.to_string()] {
        assert_eq!(post(&centre, body.as_bytes()), (200, String::new()));
    }
    wait_for("the quorum", || centre.stats().cosigned_size == 2);
    assert_eq!(stats(&centre).witnesses["nat"].size, 2);
    centre.shutdown().unwrap();
    let found = verified(folder.path());
    assert_eq!((found.ok, found.cosignatures, found.warnings.len()), (true, 1, 0));
}

#[test]
fn a_restarted_centre_gathers_where_its_witnesses_stand() {
    let folder = tempfile::tempdir().unwrap();
    let peers = peers(1);
    let election = election_with_policy(policy(&peers, 1));
    let centre = centre::start(asking(folder.path(), &election)).unwrap();
    grow(&centre, &election, 1);
    wait_for("the quorum", || centre.stats().cosigned_size == 2);
    centre.shutdown().unwrap();
    let asked = peers[0].answered();
    let centre = centre::start(asking(folder.path(), &election)).unwrap();
    wait_for("the cosignature again", || verified(folder.path()).warnings.is_empty());
    assert_eq!(peers[0].answered(), asked + 1, "it was asked at the start what it holds: no question is wasted");
    grow(&centre, &election, 2);
    wait_for("the quorum", || peers[0].size() == 3);
    centre.shutdown().unwrap();
}

#[test]
fn a_real_witness_recounts_what_it_cosigns() {
    let folder = tempfile::tempdir().unwrap();
    let (home, bundle) = (folder.path().join("witness"), folder.path().join("bundle"));
    let new = NewKeys { name: "court.example".parse().unwrap(), ml_dsa: true };
    let keys = witness::make_keys(&home, &new).unwrap();
    let address = TcpListener::bind(LOOPBACK).unwrap().local_addr().unwrap();
    let line = |(name, key): (&str, &VerifierKey)| format!("witness {name} {key} http://{address}");
    let lines = ["court", "court-long"].into_iter().zip(&keys).map(line);
    let election = election_with_policy(lines.chain(["quorum court".to_owned()]).collect());
    let centre = centre::start(asking(folder.path(), &election)).unwrap();
    let from = vec![bundle.display().to_string()];
    witness::init(&NewWitness { folder: home.clone(), log: log(), definition: None, from }).unwrap();
    let court = witness::start(&WitnessConfig::new(home, address)).unwrap();
    for station in 1..=3 {
        grow(&centre, &election, station);
        wait_for("the quorum", || centre.stats().cosigned_size == u64::from(station) + 1);
    }
    let Frozen::Yes { witnesses, .. } = centre.freeze(SOON).unwrap() else { panic!("{:?}", stats(&centre).witnesses) };
    assert_eq!(witnesses, ["court", "court-long"]);
    centre.shutdown().unwrap();
    assert!(court.alarms().is_empty(), "{:?}", court.alarms());
    court.shutdown().unwrap();
    let found = verified(folder.path());
    assert_eq!((found.problems, found.warnings, found.cosignatures, found.frozen), (vec![], vec![], 2, true));
}

/// Files that a backup of the centre's disk holds.
const BACKED_UP: [&str; 2] = ["journal", "journal.last-checkpoint"];

fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for name in BACKED_UP {
        fs::copy(from.join(name), to.join(name)).unwrap();
    }
}

#[test]
fn only_a_witness_knows_better_than_a_restored_backup() {
    let folder = tempfile::tempdir().unwrap();
    let (folder, backup) = (folder.path(), folder.path().join("backup"));
    let peers = peers(2);
    let election = election_with_policy(policy(&peers, 1));
    let centre = centre::start(asking(folder, &election)).unwrap();
    grow(&centre, &election, 1);
    centre.shutdown().unwrap();
    copy(folder, &backup);
    let centre = centre::start(asking(folder, &election)).unwrap();
    grow(&centre, &election, 2);
    wait_for("the witness", || peers[0].size() == 3);
    centre.shutdown().unwrap();

    // The machine is lost with its bundle; the backup is of before.
    copy(&backup, folder);
    fs::remove_dir_all(folder.join("bundle")).unwrap();
    peers[1].forget();
    let refusal = || format!("{:#}", centre::start(asking(folder, &election)).unwrap_err());
    let said = refusal();
    assert!(said.contains("rolled back") && said.contains("the witness w1 holds it: http://"), "{said}");
    assert!(said.contains("Do not sign: restore the journal"), "{said}");
    assert!(!folder.join("bundle/log/checkpoint").exists(), "nothing was signed");
    let served = run(folder, &election, "serve");
    assert_eq!(served.0, Some(2), "{served:?}");
    assert!(served.1.contains("the witness w1 holds it"), "{served:?}");
    // Without the witnesses nobody could know.
    peers[0].forget();
    centre::start(asking(folder, &election)).unwrap().shutdown().unwrap();
}

/// Runs `tallyproof centre serve` or `freeze` on a folder's files; its exit code and what it said.
fn run(folder: &Path, election: &Committed, command: &str) -> (Option<i32>, String) {
    let input = folder.join("input");
    fs::create_dir_all(&input).unwrap();
    for (name, bytes) in &election.canonical().files {
        fs::write(input.join(name), bytes).unwrap();
    }
    if !folder.join("keys").exists() {
        keys().create(&folder.join("keys")).unwrap();
    }
    let mut program = program();
    program.current_dir(folder).args(["centre", command, "--election", "input", "--keys", "keys"]);
    program.args(["--journal", "journal", "--bundle", "bundle"]);
    match command {
        "serve" => program.args(["--udp", "127.0.0.1:0"]),
        _ => program.args(["--timeout", "3s"]),
    };
    let output = program.output().unwrap();
    let said = [output.stdout, output.stderr].concat();
    (output.status.code(), String::from_utf8(said).unwrap())
}

#[test]
fn the_commands_end_as_they_say() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    let peers = peers(1);
    let election = election_with_policy(policy(&peers, 1));
    let centre = centre::start(asking(folder, &election)).unwrap();
    grow(&centre, &election, 1);
    centre.shutdown().unwrap();
    peers[0].behave(Manner::Lying);
    let (code, said) = run(folder, &election, "freeze");
    assert_eq!(code, Some(1), "{said}");
    assert!(
        said.contains("not finished: the witnesses' quorum did not come") && said.contains("does not hold"),
        "{said}"
    );
    assert!(!verified(folder).frozen);
    peers[0].behave(Manner::Honest);
    for _ in 0..2 {
        let (code, said) = run(folder, &election, "freeze");
        assert_eq!(code, Some(0), "{said}");
        assert!(said.contains("finished at 2 entries") && said.contains("cosigned by w1, w1-long"), "{said}");
    }
    let (code, said) = run(folder, &election, "serve");
    assert_eq!(code, Some(2), "{said}");
    assert!(said.contains("the log is finished"), "{said}");
    assert!(verified(folder).ok && verified(folder).frozen);
}

#[test]
fn a_policy_that_means_nothing_is_reported_at_its_line() {
    let folder = tempfile::tempdir().unwrap();
    let election = election_with_policy(vec!["quorum nobody".into()]);
    let (code, said) = run(folder.path(), &election, "serve");
    assert!(code == Some(2) && said.contains("PK-38") && said.contains("election.toml:14:5"), "{code:?} {said}");
    let mut check = program();
    let output = check.args(["election", "check"]).arg(folder.path().join("input")).output().unwrap();
    let said = String::from_utf8(output.stdout).unwrap();
    assert_eq!(output.status.code(), Some(1), "{said}");
    assert!(
        said.contains("election.toml:14:5: PK-38: no line before this one defines a witness or group nobody"),
        "{said}"
    );
}

#[test]
fn a_witness_of_another_history_keeps_the_centre_from_signing() {
    let folder = tempfile::tempdir().unwrap();
    let peers = peers(1);
    let election = election_with_policy(policy(&peers, 1));
    let centre = centre::start(asking(folder.path(), &election)).unwrap();
    grow(&centre, &election, 1);
    wait_for("the witness", || peers[0].size() == 2);
    centre.shutdown().unwrap();
    peers[0].forget();
    // The same log with another first record.
    let fork = tempfile::tempdir().unwrap();
    let centre = centre::start(asking(fork.path(), &election)).unwrap();
    grow(&centre, &election, 2);
    wait_for("the witness", || peers[0].size() == 2);
    centre.shutdown().unwrap();
    let said = format!("{:#}", centre::start(asking(folder.path(), &election)).unwrap_err());
    assert!(said.contains("another root than the one signed (the witness w1 holds it"), "{said}");
}

#[test]
fn a_witness_that_lies_about_what_it_holds_keeps_nobody_from_work() {
    let folder = tempfile::tempdir().unwrap();
    let other_log = centre::CentreKeys::new("log.example/it", [44; 32], [5; 32]).unwrap();
    let liar = Peer::start(1, other_log.verifier());
    let election = election_with_policy(policy(std::slice::from_ref(&liar), 1));
    let away = tempfile::tempdir().unwrap();
    let foreign = CentreConfig { keys: other_log, ..asking(away.path(), &election) };
    let centre = centre::start(foreign).unwrap();
    grow(&centre, &election, 1);
    wait_for("the liar", || liar.size() == 2);
    centre.shutdown().unwrap();
    let centre = centre::start(asking(folder.path(), &election)).unwrap();
    centre.shutdown().unwrap();
}
