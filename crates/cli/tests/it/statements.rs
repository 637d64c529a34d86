//! Statements through the real program: from the draft to the published totals, with restarts and attacks between any two steps.

use std::fmt::Write as _;
use std::fs;
use std::net::UdpSocket;
use std::path::PathBuf;
use std::thread;
use std::time::{Duration, Instant};

use ed25519_dalek::SigningKey;
use serde_json::Value;
use tallyproof_cli::centre::CentreKeys;
use tallyproof_cli::statement::{Role, SignatoryKey};
use tallyproof_log::cosignature::CosignerKey;
use tallyproof_record::cose::{KeyId, SealedRecord};
use tallyproof_record::definition::results::Figures;
use tallyproof_record::definition::{DefinitionHash, StationKey};
use tallyproof_record::receipt::Receipt;
use tallyproof_record::statement::{
    Act, Correction, Draft, Endorsement, Holder, KeyChange, LaterStage, Reason, Signed, Statement, Verdict,
};
use tallyproof_record::{ContestNo, Phase, StationNo};

use crate::world::{Centre, World, counted, key, program, tick};

pub(crate) const MEMBERS: [&str; 3] = ["chair", "clerk", "judge"];
const AGENT: &str = "observer-7";
const PATIENCE: Duration = Duration::from_secs(20);

/// The key of a member, an agent or anybody else.
pub(crate) fn person(id: &str) -> SigningKey {
    let mut seed = [0x51; 32];
    seed[..id.len()].copy_from_slice(id.as_bytes());
    SigningKey::from_bytes(&seed)
}

fn public(key: &SigningKey) -> String {
    hex::encode(key.verifying_key().as_bytes())
}

/// A small election whose authority has three members, two of whom have to sign, and an agent.
pub(crate) fn governed(stations: u32) -> World {
    let mut tables = String::from("[authority]\nthreshold = 2\n\n");
    for name in MEMBERS {
        let key = public(&person(name));
        write!(tables, "[[authority.member]]\nname = \"{name}\"\nkey = \"{key}\"\n\n").unwrap();
    }
    let key = public(&person(AGENT));
    write!(tables, "[[agent]]\nid = \"{AGENT}\"\nname = \"Observers\"\nkey = \"{key}\"\n").unwrap();
    World::with(stations, &tables)
}

fn drafted(world: &World, made_at: u64, act: Act) -> Draft {
    let statement = Statement { election: *world.election.hash(), phase: Phase::Drill, made_at, act };
    Draft::new(&statement).unwrap()
}

fn signed(draft: &Draft, who: &[&str]) -> Signed {
    let (first, others) = who.split_first().unwrap();
    let mut signed = draft.clone().sign(&person(first));
    for other in others {
        signed.sign(&person(other)).unwrap();
    }
    signed
}

fn enrolment(station: u32, key: &SigningKey) -> Act {
    let key = StationKey::from(key.verifying_key());
    Act::Key(KeyChange::Enrol { holder: Holder::Station(StationNo(station)), key })
}

fn revocation(station: u32, key: &SigningKey) -> Act {
    let key = KeyId::of(key.verifying_key().as_bytes());
    Act::Key(KeyChange::Revoke { holder: Holder::Station(StationNo(station)), key })
}

/// Replaces a missing record.
fn correction(station: u32, figures: [u32; 2]) -> Act {
    let figures = Figures { counts: figures.to_vec(), stated: std::collections::BTreeMap::new() };
    Act::Correction(Correction {
        station: StationNo(station),
        contest: ContestNo(1),
        replaces: std::collections::BTreeSet::new(),
        stage: LaterStage::Canvass,
        reason: Reason::NoRecord,
        verdict: Verdict::Figures(figures),
    })
}

/// Status and body.
pub(crate) fn post(centre: &Centre, lane: &str, bytes: &[u8]) -> (u16, String) {
    let agent: ureq::Agent = ureq::Agent::config_builder().http_status_as_error(false).build().into();
    let mut response = agent.post(format!("http://{}/v1/{lane}", centre.http)).send(bytes).unwrap();
    let body = response.body_mut().read_to_vec().unwrap();
    (response.status().as_u16(), String::from_utf8_lossy(&body).into_owned())
}

/// How many signatures are missing after this copy.
fn take(centre: &Centre, copy: &Signed) -> u64 {
    let (status, body) = post(centre, "statements", &copy.to_bytes());
    assert_eq!(status, 200, "{body}");
    serde_json::from_str::<Value>(&body).unwrap()["missing"].as_u64().unwrap()
}

/// Status and code.
fn refused(centre: &Centre, bytes: &[u8]) -> (u16, String) {
    let (status, body) = post(centre, "statements", bytes);
    (status, body.split(": ").next().unwrap().to_owned())
}

fn report(centre: &Centre, record: &SealedRecord) -> u16 {
    post(centre, "records", record.as_bytes()).0
}

fn json(world: &World, path: &str) -> Value {
    serde_json::from_slice(&fs::read(world.path("bundle").join(path)).unwrap()).unwrap()
}

/// Waits until the bundle is published for so many entries: the manifest comes last.
pub(crate) fn published(world: &World, size: u64) {
    let deadline = Instant::now() + PATIENCE;
    loop {
        let manifest = fs::read_to_string(world.path("bundle/manifest")).unwrap();
        let found: u64 = manifest.lines().nth(2).unwrap().split(' ').next_back().unwrap().parse().unwrap();
        if found >= size {
            return;
        }
        assert!(Instant::now() < deadline, "{found}");
        thread::sleep(Duration::from_millis(20));
    }
}

/// Kills the centre and starts it again.
pub(crate) fn restarted(world: &World, centre: Centre) -> Centre {
    centre.kill();
    world.serve()
}

/// Exit code and report of a command.
pub(crate) fn run(world: &World, line: &[&str]) -> (i32, Value) {
    let output = program().arg("--json").args(line).current_dir(world.path("")).output().unwrap();
    let report = serde_json::from_slice(&output.stdout);
    (output.status.code().unwrap(), report.unwrap_or_else(|_| panic!("{}", String::from_utf8_lossy(&output.stderr))))
}

pub(crate) fn run_well(world: &World, line: &str) -> Value {
    let (code, report) = run(world, &line.split_whitespace().collect::<Vec<_>>());
    assert_eq!(code, 0, "{line}: {report}");
    report
}

pub(crate) fn write_keys(world: &World) -> PathBuf {
    let folder = world.path("people");
    let people = MEMBERS.map(|name| (Role::Member, name)).into_iter().chain([(Role::Agent, AGENT)]);
    for (role, id) in people {
        SignatoryKey { role, id: id.to_owned(), key: person(id) }.create(&folder).unwrap();
    }
    folder
}

#[test]
fn a_correction_changes_what_stands_and_nothing_that_was_counted() {
    let world = governed(4);
    write_keys(&world);
    let mut centre = world.serve();
    for station in 1..=3 {
        assert_eq!(report(&centre, &world.seal(station, 1, 10)), 200);
    }
    published(&world, 4);
    let before = json(&world, "index/totals.json");
    fs::write(world.path("recount.csv"), "figure,count\na,2\nb,31\n").unwrap();
    run_well(
        &world,
        "statement draft correction --election election --bundle bundle --station s2 --contest office --stage canvass \
         --reason RE-01 --figures recount.csv --out s2.draft",
    );
    for name in ["chair", "judge"] {
        run_well(
            &world,
            &format!(
                "statement sign s2.draft --election election --key people/{name}.key --yes --out {name}.statement"
            ),
        );
    }
    run_well(&world, "statement merge chair.statement judge.statement --out s2.statement");

    // Too few: it waits in the log, and changes nothing.
    let to = format!("http://{}", centre.http);
    let log = CentreKeys::read(&world.path("keys")).unwrap().verifier().to_string();
    let taken = run_well(&world, &format!("statement submit chair.statement --to {to} --log {log}"));
    assert_eq!((&taken["missing"], &taken["verified"]), (&1.into(), &true.into()));
    published(&world, 5);
    let waiting = json(&world, "index/totals.json");
    assert_eq!(waiting["contests"], before["contests"]);
    assert_eq!(json(&world, "index/statements.json")["statements"][0]["code"], "AU-02");
    let (code, shown) =
        run(&world, &["statement", "show", "judge.statement", "--election", "election", "--bundle", "bundle"]);
    assert_eq!((code, &shown["signatures"]["missing"]), (0, &0.into()), "the log's copy counts: {shown}");

    centre = restarted(&world, centre);
    let to = format!("http://{}", centre.http);
    let taken = run_well(&world, &format!("statement submit s2.statement --to {to}"));
    assert_eq!((&taken["missing"], &taken["signed"]), (&0.into(), &2.into()));
    published(&world, 6);
    world.verify();
    let after = json(&world, "index/totals.json");
    let contest = |totals: &Value| totals["contests"]["office"].clone();
    let mut counted = contest(&after);
    let stands = counted.as_object_mut().unwrap().remove("as_it_stands").unwrap();
    assert_eq!(counted, contest(&before), "nothing changes as counted");
    assert_eq!(after["contests"]["council"], before["contests"]["council"]);
    assert_eq!(stands["whole"]["lines"], serde_json::json!({"a": 6, "b": 51}));
    assert_eq!(stands["whole"]["stations"]["corrected"], 1);
    let statements = json(&world, "index/statements.json");
    let row = &statements["statements"][1];
    assert_eq!((&row["in_force"], &row["reason"], &row["station"]), (&true.into(), &"RE-01".into(), &"s2".into()));
    assert_eq!(row["effect"]["lines"], serde_json::json!({"b": 21}));
    assert_eq!(row["signers"].as_array().unwrap().len(), 2, "{row}");
    let page = fs::read_to_string(world.path("bundle/site/contest-1.html")).unwrap();
    assert!(page.contains("RE-01") && page.contains("chair"), "the page lists it");
    let again = run(&world, &["statement", "submit", "s2.statement", "--to", &to]).1;
    assert_eq!((&again["taken"], &again["missing"]), (&true.into(), &0.into()), "the same copy has its receipt");
    centre.stop();
    assert_eq!(world.logged().1, 6);
}

#[test]
fn what_does_not_follow_from_the_log_is_refused_with_its_rule() {
    let world = governed(3);
    write_keys(&world);
    let centre = world.serve();
    assert_eq!(report(&centre, &world.seal(1, 1, 10)), 200);
    published(&world, 2);
    let both = ["chair", "clerk"];
    let of = |act| signed(&drafted(&world, 1_800_000_001, act), &both).to_bytes();
    assert_eq!(refused(&centre, &of(correction(1, [1, 1]))), (409, "AU-08".into()), "a record stands there");
    assert_eq!(refused(&centre, &of(correction(9, [1, 1]))), (409, "AU-06".into()));
    assert_eq!(refused(&centre, &of(enrolment(2, &key(StationNo(3))))), (409, "AU-04".into()));
    assert_eq!(refused(&centre, &of(revocation(2, &key(StationNo(3))))), (409, "AU-05".into()));
    let stats = centre.stats();
    assert_eq!((counted(&stats.refused, "no-effect"), stats.journalled), (4, 1));
    // The command says so too.
    fs::write(world.path("bad.statement"), of(correction(1, [1, 1]))).unwrap();
    let to = format!("http://{}", centre.http);
    let (code, report) = run(&world, &["statement", "submit", "bad.statement", "--to", &to]);
    assert_eq!((code, &report["code"], &report["taken"]), (1, &"AU-08".into(), &false.into()));
    centre.stop();
    assert_eq!(world.logged().1, 2);
}

#[test]
fn a_lost_key_is_replaced_and_a_revoked_one_counts_no_longer() {
    let world = governed(3);
    let mut centre = world.serve();
    let (lost, fresh) = (key(StationNo(2)), person("station-2-new"));
    let record = world.seal_with(&fresh, 2, 1, 20);
    assert_eq!(report(&centre, &record), 403, "nobody has enrolled the key");
    let enrol = drafted(&world, 1, enrolment(2, &fresh));
    assert_eq!(take(&centre, &signed(&enrol, &["chair"])), 1);
    assert_eq!(report(&centre, &record), 403, "one of two");
    centre = restarted(&world, centre);
    assert_eq!(report(&centre, &record), 403, "one of two");
    assert_eq!(take(&centre, &signed(&enrol, &["judge"])), 0);
    assert_eq!(report(&centre, &record), 200);
    centre = restarted(&world, centre);
    assert_eq!(report(&centre, &record), 200, "a copy has its receipt after a restart");
    assert_eq!(take(&centre, &signed(&drafted(&world, 2, revocation(2, &lost)), &["clerk", "judge"])), 0);
    published(&world, 5);
    // Of the key that somebody may have found: authentic, and an event.
    assert_eq!(report(&centre, &world.seal(2, 2, 99)), 200);
    centre = restarted(&world, centre);
    published(&world, 6);
    world.verify();
    let totals = json(&world, "index/totals.json");
    let stations = |contest: &str| totals["contests"][contest]["whole"]["stations"].clone();
    assert_eq!((&stations("office")["counted"], &stations("council")["counted"]), (&1.into(), &0.into()));
    assert_eq!(stations("council")["rejected"], 1);
    assert_eq!(totals["contests"]["office"]["whole"]["lines"]["b"], 20);
    centre.stop();
}

#[test]
fn an_endorsement_counts_and_so_does_a_late_one() {
    let world = governed(3);
    let mut centre = world.serve();
    let record = world.seal(1, 1, 10);
    assert_eq!(report(&centre, &record), 200);
    let endorse = |station, made_at| {
        let endorsement = Endorsement { station: StationNo(station), record: record.digest(), remark: None };
        drafted(&world, made_at, Act::Endorsement(endorsement))
    };
    assert_eq!(take(&centre, &signed(&endorse(1, 1), &[AGENT])), 0);
    let late = StationKey::from(person("late").verifying_key());
    let enrol = Act::Key(KeyChange::Enrol { holder: Holder::Agent("late".into()), key: late });
    assert_eq!(refused(&centre, &signed(&endorse(1, 2), &["late"]).to_bytes()), (403, "signers".into()));
    assert_eq!(refused(&centre, &signed(&endorse(1, 2), &["chair"]).to_bytes()), (403, "signers".into()));
    assert_eq!(take(&centre, &signed(&drafted(&world, 3, enrol), &["chair", "clerk"])), 0);
    published(&world, 4);
    centre = restarted(&world, centre);
    assert_eq!(take(&centre, &signed(&endorse(1, 2), &["late"])), 0);
    let by_station = endorse(1, 4).sign(&key(StationNo(1)));
    assert_eq!(take(&centre, &by_station), 0);
    let by_another = endorse(1, 5).sign(&key(StationNo(2)));
    assert_eq!(refused(&centre, &by_another.to_bytes()), (403, "signers".into()));
    centre = restarted(&world, centre);
    published(&world, 6);
    world.verify();
    let row = &json(&world, "index/statements.json")["endorsements"][0];
    assert_eq!(row["contest"], "office");
    let signers: Vec<_> = row["signers"].as_array().unwrap().iter().map(|it| it["id"].as_str().unwrap()).collect();
    assert_eq!(signers, ["late", AGENT, "s1"]);
    centre.stop();
}

#[test]
fn a_policy_statement_replaces_the_policy() {
    let world = governed(2);
    write_keys(&world);
    let mut centre = world.serve();
    let witness = CosignerKey::ed25519("w.example".parse().unwrap(), &[3; 32]).verifier().to_string();
    fs::write(world.path("witnesses.txt"), format!("# ours\n\nwitness w {witness}\nquorum w\n")).unwrap();
    run_well(&world, "statement draft policy witnesses.txt --election election --out policy.draft");
    for name in ["chair", "clerk"] {
        let to = format!("http://{}", centre.http);
        let file = format!("{name}.statement");
        run_well(
            &world,
            &format!("statement sign policy.draft --election election --key people/{name}.key --yes --out {file}"),
        );
        run_well(&world, &format!("statement submit {file} --to {to}"));
        centre = restarted(&world, centre);
    }
    published(&world, 3);
    let policy = fs::read_to_string(world.path("bundle/log/policy")).unwrap();
    assert!(policy.contains(&witness) && policy.contains("quorum w"), "{policy}");
    let vkeys = fs::read_to_string(world.path("bundle/log/vkeys")).unwrap();
    assert_eq!(vkeys.lines().nth(1), Some(witness.as_str()));
    world.verify();
    centre.stop();
}

#[test]
fn forgeries_and_copies_are_counted_and_never_written() {
    let world = governed(3);
    let centre = world.serve();
    let draft = drafted(&world, 1, correction(3, [4, 5]));
    let genuine = signed(&draft, &["chair", "clerk"]);
    let mut forged = genuine.to_bytes();
    *forged.last_mut().unwrap() ^= 1;
    let other = Statement { election: DefinitionHash([9; 32]), ..draft.statement().clone() };
    let other = signed(&Draft::new(&other).unwrap(), &["chair"]);
    let mut small_order = signed(&drafted(&world, 1, enrolment(1, &person("x"))), &["chair"]).to_bytes();
    let at = small_order.windows(32).position(|it| it == person("x").verifying_key().as_bytes()).unwrap();
    small_order[at..at + 32].copy_from_slice(&[&[1][..], &[0; 31]].concat());
    let cases = [
        (forged, 403, "signature"),
        (signed(&draft, &["stranger"]).to_bytes(), 403, "signers"),
        (signed(&draft, &[AGENT]).to_bytes(), 403, "signers"),
        (other.to_bytes(), 400, "election"),
        (small_order, 400, "structure"),
        (genuine.to_bytes()[..100].to_vec(), 400, "structure"),
        (vec![0; 70_000], 413, "too-long"),
        (draft.as_bytes().to_vec(), 400, "structure"),
        (world.seal(1, 1, 1).into_bytes(), 400, "structure"),
        (b"hello".to_vec(), 400, "structure"),
    ];
    for (bytes, status, code) in cases {
        assert_eq!(refused(&centre, &bytes), (status, code.to_owned()));
    }
    assert_eq!(post(&centre, "records", &genuine.to_bytes()).0, 400, "not by the records' lane");
    // A station's MAC key buys no check of a statement.
    let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
    socket.send_to(&world.datagram(1, tick(), &genuine.to_bytes()), centre.udp).unwrap();
    centre.wait_for(|stats| counted(&stats.refused, "structure") + counted(&stats.drops, "magic") >= 1);
    assert_eq!(centre.stats().journalled, 0);

    // All subsets of three signatures at once: what is written adds a signature each, so three at most.
    let who = |mask: usize| (0..3).filter(|at| mask & (1 << at) != 0).map(|at| MEMBERS[at]).collect::<Vec<_>>();
    let copies: Vec<_> = (1..8).map(|mask| signed(&draft, &who(mask)).to_bytes()).collect();
    thread::scope(|scope| {
        for copy in copies.iter().cycle().take(21) {
            scope.spawn(|| {
                let (status, body) = post(&centre, "statements", copy);
                assert!(status == 200 || body.starts_with("known: ") || body.starts_with("AU-03: "), "{status} {body}");
            });
        }
    });
    let stats = centre.settled();
    assert!((1..=3).contains(&stats.journalled), "{stats:?}");
    published(&world, stats.journalled + 1);
    let padded = {
        let mut copy = genuine.clone();
        copy.sign(&person("stranger")).unwrap();
        copy.to_bytes()
    };
    assert_eq!(refused(&centre, &padded).0, 409);
    centre.stop();
    world.verify();
    assert_eq!(world.logged().1, stats.journalled + 1);
}

#[test]
fn a_journal_with_keys_between_records_replays_as_it_was_accepted() {
    let world = governed(40);
    let mut centre = world.serve();
    // Every record that the new keys sign comes right after the keys, in the same batch or the next: no restart may find fault.
    for station in 1..=40 {
        let fresh = person(&format!("new-{station}"));
        let enrol = drafted(&world, u64::from(station), enrolment(station, &fresh));
        assert_eq!(report(&centre, &world.seal(station, 2, 1)), 200);
        take(&centre, &signed(&enrol, &["chair", "judge"]));
        assert_eq!(report(&centre, &world.seal_with(&fresh, station, 1, station)), 200);
        if station % 8 == 0 {
            centre = restarted(&world, centre);
        }
    }
    published(&world, 121);
    centre.stop();
    world.verify();
    let totals = json(&world, "index/totals.json");
    assert_eq!(totals["contests"]["office"]["whole"]["stations"]["counted"], 40);
}

#[test]
fn a_stick_carries_statements_before_the_records_that_need_them() {
    let world = governed(3);
    let centre = world.serve();
    let fresh = person("new");
    let stick = world.path("stick");
    fs::create_dir_all(&stick).unwrap();
    let enrol = signed(&drafted(&world, 1, enrolment(2, &fresh)), &["chair", "clerk"]);
    fs::write(stick.join("z.statement"), enrol.to_bytes()).unwrap();
    fs::write(stick.join("a.cose"), world.seal_with(&fresh, 2, 1, 7).as_bytes()).unwrap();
    fs::write(stick.join("strange.statement"), signed(&drafted(&world, 1, enrolment(3, &fresh)), &["x"]).to_bytes())
        .unwrap();
    let keys = CentreKeys::read(&world.path("keys")).unwrap();
    let (to, log) = (format!("http://{}", centre.http), keys.verifier().to_string());
    let line = ["centre", "ingest", "stick", "--to", &to, "--log", &log];
    let (code, report) = run(&world, &line);
    assert_eq!((code, &report["receipted"]), (1, &2.into()), "{report}");
    assert_eq!(report["refused"][0]["code"], "signers");
    let receipt = fs::read(stick.join("z.statement.receipt")).unwrap();
    let receipt = Receipt::verify(&receipt, world.election.hash(), &keys.receipts.verifying_key()).unwrap();
    assert_eq!((receipt.station, receipt.contest), (StationNo(0), ContestNo(0)));
    fs::remove_file(stick.join("strange.statement")).unwrap();
    let (code, report) = run(&world, &line);
    assert_eq!((code, &report["already"], &report["receipt_files"]), (0, &2.into(), &2.into()), "{report}");
    centre.stop();
    assert_eq!(world.logged().1, 3);
}

#[test]
fn weak_keys_and_blind_signatures_are_refused() {
    let world = governed(2);
    write_keys(&world);
    let weak = "0100000000000000000000000000000000000000000000000000000000000000";
    let (code, report) = run(
        &world,
        &[
            "statement",
            "draft",
            "key",
            "--election",
            "election",
            "--station",
            "s1",
            "--enrol",
            weak,
            "--out",
            "k.draft",
        ],
    );
    assert_eq!(code, 2, "{report}");
    assert!(!world.path("k.draft").exists());
    run_well(
        &world,
        &format!("statement draft key --election election --station s1 --enrol {} --out k.draft", public(&person("x"))),
    );
    let sign = ["statement", "sign", "k.draft", "--election", "election", "--key", "people/chair.key", "--out", "k"];
    assert_eq!(run(&world, &sign).0, 2, "nobody was asked");
    assert_eq!(
        run(&world, &["statement", "submit", "k.draft", "--to", "http://127.0.0.1:1"]).0,
        2,
        "a draft is not signed"
    );
    let shown = run(&world, &["statement", "show", "k.draft", "--election", "election"]);
    assert_eq!((shown.0, &shown.1["signatures"]), (1, &Value::Null));
}
