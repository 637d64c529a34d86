//! Bulletins through the real program: drafted, signed apart, issued, published, checked; and everything about them that can be
//! altered.

use std::fs;
use std::path::{Path, PathBuf};
use std::thread;
use std::time::{Duration, Instant};

use serde_json::Value;
use tallyproof_cli::centre::CentreKeys;
use tallyproof_count::bundle::BulletinFile;
use tallyproof_count::manifest::{Manifest, file_hash};
use tallyproof_log::note::SignedNote;
use tallyproof_record::statement::{Act, Bulletin, Draft, Signed, Statement};

use crate::statements::{governed, person, post, published, restarted, run, run_well, write_keys};
use crate::world::{Centre, World, program};

const PATIENCE: Duration = Duration::from_secs(30);

/// An election with a few records, one station in conflict and one that is missing; its centre.
fn counted() -> (World, Centre) {
    let world = governed(5);
    write_keys(&world);
    let centre = world.serve();
    let records = [(1, 1, 10), (2, 1, 20), (3, 1, 30), (3, 1, 31), (1, 2, 5), (2, 2, 6)];
    for (station, contest, version) in records {
        assert_eq!(post(&centre, "records", world.seal(station, contest, version).as_bytes()).0, 200);
    }
    published(&world, 1 + records.len() as u64);
    (world, centre)
}

fn url(centre: &Centre) -> String {
    format!("http://{}", centre.http)
}

/// Copies a folder, as a mirror would: what is being written is not taken along.
fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap().map(Result::unwrap).filter(|entry| entry.file_name() != ".staging") {
        let (from, to) = (entry.path(), to.join(entry.file_name()));
        if entry.file_type().unwrap().is_dir() {
            copy(&from, &to);
        } else {
            fs::copy(&from, &to).unwrap();
        }
    }
}

fn sign(world: &World, draft: &str, name: &str) {
    copy(&world.path("bundle"), &world.path(name).join("copy"));
    run_well(
        world,
        &format!(
            "bulletin sign {draft} --election election --bundle {name}/copy --key people/{name}.key --yes --out {name}/{draft}.statement"
        ),
    );
}

/// Drafts, signs and issues the next bulletin; waits until its files are there.
fn issued(world: &World, centre: &Centre, number: u32) {
    let draft = format!("draft-{number}");
    run_well(world, &format!("bulletin draft --election election --bundle bundle --out {draft}"));
    sign(world, &draft, "chair");
    sign(world, &draft, "judge");
    let to = url(centre);
    let report = run_well(
        world,
        &format!(
            "bulletin issue chair/{draft}.statement judge/{draft}.statement --election election --to {to} --out {number}.statement"
        ),
    );
    assert_eq!((&report["number"], &report["submitted"]["taken"]), (&number.into(), &true.into()));
    listed(world, &BulletinFile::Checkpoint.path(number));
}

/// Waits until the manifest lists a file.
fn listed(world: &World, path: &str) {
    let deadline = Instant::now() + PATIENCE;
    while !fs::read_to_string(world.path("bundle/manifest")).unwrap().contains(&format!("  {path}\n")) {
        assert!(Instant::now() < deadline, "{path} is not published: {}", world.log());
        thread::sleep(Duration::from_millis(20));
    }
}

/// Exit code, and the problems as `code where what`.
fn check(world: &World, file: &Path, bundle: &str) -> (i32, Value) {
    run(world, &["bulletin", "check", file.to_str().unwrap(), bundle])
}

fn files(world: &World, number: u32) -> Vec<(BulletinFile, PathBuf)> {
    BulletinFile::ALL.map(|file| (file, world.path("bundle").join(file.path(number)))).into()
}

#[test]
fn a_bulletin_goes_from_the_draft_to_the_bundle_and_every_file_of_it_checks() {
    let (world, centre) = counted();
    issued(&world, &centre, 1);
    world.verify();
    for (file, path) in files(&world, 1) {
        let (code, report) = check(&world, &path, "bundle");
        assert_eq!((code, &report["number"], &report["problems"]), (0, &1.into(), &serde_json::json!([])), "{file:?}");
    }
    let (code, report) = check(&world, Path::new("1.statement"), "bundle");
    assert_eq!((code, &report["kind"]), (0, &"statement".into()), "{report}");
    assert_eq!(check(&world, Path::new("draft-1"), "bundle").0, 0, "the draft says the same");

    // The log goes on; the second says more than the first, and the first stays as it was.
    let first: Vec<Vec<u8>> = files(&world, 1).iter().map(|(_, path)| fs::read(path).unwrap()).collect();
    assert_eq!(post(&centre, "records", world.seal(4, 1, 40).as_bytes()).0, 200);
    let shown = run_well(&world, "bulletin show bundle");
    let office = |shown: &Value| {
        shown["document"]["contests"]["office"]["as_counted"]["whole"]["stations"]["counted"]["value"].clone()
    };
    assert_eq!((&shown["number"], office(&shown)), (&1.into(), 2.into()));
    published(&world, 9);
    issued(&world, &centre, 2);
    assert_eq!(files(&world, 1).iter().map(|(_, path)| fs::read(path).unwrap()).collect::<Vec<_>>(), first);
    let shown = run_well(&world, "bulletin show bundle --contest office");
    assert_eq!(
        (&shown["number"], office(&shown), shown["bulletins"].as_array().unwrap().len()),
        (&2.into(), 3.into(), 2)
    );
    assert!(shown["document"]["contests"].get("council").is_none());
    // Each file of the first is told from that of the second.
    let (code, report) = check(&world, &files(&world, 1)[0].1, "bundle");
    assert_eq!((code, &report["number"]), (0, &1.into()));
    let text =
        program().args(["bulletin", "show", "bundle", "--number", "1"]).current_dir(world.path("")).output().unwrap();
    let text = String::from_utf8(text.stdout).unwrap();
    for expected in [
        "Records not included can hold at most",
        "This holds if:",
        "2 of 5 stations counted, 1 in quarantine, 2 missing",
    ] {
        assert!(text.contains(expected), "{expected}: {text}");
    }
    world.verify();
    centre.stop();
}

#[test]
fn too_few_signatures_are_not_handed_in() {
    let (world, centre) = counted();
    run_well(&world, "bulletin draft --election election --bundle bundle --out b1");
    sign(&world, "b1", "chair");
    let to = url(&centre);
    let issue = |copies: &[&str]| {
        let line = ["bulletin", "issue", "--election", "election", "--to", &to, "--out", "1.statement"];
        run(&world, &[&line[..], copies].concat())
    };
    let before = centre.stats().journalled;
    for copies in [&["chair/b1.statement"][..], &["chair/b1.statement", "chair/b1.statement"]] {
        let (code, report) = issue(copies);
        assert_eq!((code, &report["signatures"]["missing"], &report["submitted"]), (1, &1.into(), &Value::Null));
    }
    assert!(!world.path("1.statement").exists());
    // An agent is no member.
    run_well(
        &world,
        "statement sign chair/b1.statement --election election --key people/observer-7.key --yes --out agent.statement",
    );
    assert_eq!(issue(&["agent.statement"]).1["signatures"]["missing"], 1);
    assert_eq!(centre.stats().journalled, before);
    assert!(!world.path("bundle/bulletins").exists());
    centre.stop();
}

/// A bulletin as drafted, with something else in it.
fn redrafted(world: &World, name: &str, change: impl FnOnce(&mut Statement)) -> PathBuf {
    let draft = Draft::open(&fs::read(world.path("b1")).unwrap()).unwrap();
    let mut statement = draft.statement().clone();
    change(&mut statement);
    let path = world.path(name);
    fs::write(&path, Draft::new(&statement).unwrap().as_bytes()).unwrap();
    path
}

fn stated(statement: &mut Statement) -> &mut Bulletin {
    match &mut statement.act {
        Act::Bulletin(bulletin) => bulletin,
        other => panic!("{other:?}"),
    }
}

/// Every way in which a bulletin can state something else, and what is said of it.
fn lies() -> Vec<(&'static str, fn(&mut Statement), &'static str)> {
    vec![
        ("root", |it| stated(it).root[3] ^= 1, "the log's root is"),
        ("totals", |it| stated(it).totals[3] ^= 1, "the totals have the SHA-256"),
        ("document", |it| stated(it).document[3] ^= 1, "the document has the SHA-256"),
        ("number", |it| stated(it).number += 1, "the document has the SHA-256"),
        ("time", |it| it.made_at += 1, "the document has the SHA-256"),
        ("size", |it| stated(it).tree_size -= 1, "the log's root is"),
    ]
}

#[test]
fn what_the_log_does_not_give_is_neither_signed_nor_taken() {
    let (world, centre) = counted();
    run_well(&world, "bulletin draft --election election --bundle bundle --out b1");
    let before = centre.stats().journalled;
    for (name, lie, named) in lies() {
        let path = redrafted(&world, name, lie);
        let line = format!(
            "bulletin sign {name} --election election --bundle bundle --key people/chair.key --yes --out {name}.statement"
        );
        let (code, report) = run(&world, &line.split(' ').collect::<Vec<_>>());
        let error = report["error"].as_str().unwrap_or_default();
        assert!(code == 2 && error.contains(named) && error.contains("do not sign"), "{name}: {report}");
        assert!(!world.path(&format!("{name}.statement")).exists());
        let (code, report) = check(&world, &path, "bundle");
        assert!(code == 1 && report["problems"][0]["what"].as_str().unwrap().contains(named), "{name}: {report}");
        // The centre takes it neither from one nor from enough.
        for signers in [&["chair"][..], &["chair", "judge"]] {
            let draft = Draft::open(&fs::read(&path).unwrap()).unwrap();
            let (status, body) = post(&centre, "statements", &signed(draft, signers).to_bytes());
            assert!(status == 409 && body.starts_with("bulletin: ") && body.contains(named), "{name}: {status} {body}");
        }
    }
    let beyond = redrafted(&world, "beyond", |it| stated(it).tree_size = 900);
    let draft = Draft::open(&fs::read(beyond).unwrap()).unwrap();
    let (status, body) = post(&centre, "statements", &signed(draft, &["chair"]).to_bytes());
    assert!(status == 409 && body.starts_with("AU-10: "), "{body}");
    assert_eq!(centre.stats().journalled, before);
    // Another copy of the bundle, too old, and one that does not hold.
    copy(&world.path("bundle"), &world.path("old"));
    assert_eq!(post(&centre, "records", world.seal(4, 1, 40).as_bytes()).0, 200);
    published(&world, 8);
    run_well(&world, "bulletin draft --election election --bundle bundle --out b2");
    let refused = |bundle: &str, draft: &str| {
        let line = format!(
            "bulletin sign {draft} --election election --bundle {bundle} --key people/chair.key --yes --out x.statement"
        );
        let (code, report) = run(&world, &line.split(' ').collect::<Vec<_>>());
        assert_eq!(code, 2);
        report["error"].as_str().unwrap().to_owned()
    };
    assert!(refused("old", "b2").contains("fetch a newer copy"), "{}", refused("old", "b2"));
    fs::write(world.path("old/index/totals.json"), b"{}\n").unwrap();
    assert!(refused("old", "b1").contains("does not hold"));
    issued(&world, &centre, 1);
    let second = Draft::open(&fs::read(world.path("b2")).unwrap()).unwrap();
    let (status, body) = post(&centre, "statements", &signed(second, &["clerk"]).to_bytes());
    assert!(status == 409 && body.starts_with("AU-09: "), "{body}");
    assert!(refused("bundle", "b2").contains("the log has bulletin 1 already"));
    centre.stop();
}

fn signed(draft: Draft, signers: &[&str]) -> Signed {
    let mut signed = draft.sign(&person(signers[0]));
    for signer in &signers[1..] {
        signed.sign(&person(signer)).unwrap();
    }
    signed
}

/// Lists the bundle anew, as the log's owner can.
fn relist(world: &World, bundle: &Path) {
    let note = SignedNote::parse(&fs::read(bundle.join("manifest")).unwrap()).unwrap();
    let mut manifest: Manifest = note.text().parse().unwrap();
    for (path, hash) in &mut manifest.files {
        *hash = file_hash(&fs::read(bundle.join(path.as_str())).unwrap());
    }
    let log = CentreKeys::read(&world.path("keys")).unwrap().log;
    fs::write(bundle.join("manifest"), manifest.sign(&log).unwrap()).unwrap();
}

#[test]
fn whatever_is_altered_is_found_by_check_and_by_verify_and_named() {
    let (world, centre) = counted();
    issued(&world, &centre, 1);
    centre.stop();
    let bundle = world.path("copy");
    copy(&world.path("bundle"), &bundle);
    let altered = world.path("altered");
    fs::create_dir(&altered).unwrap();
    for file in BulletinFile::ALL {
        let place = bundle.join(file.path(1));
        let original = fs::read(&place).unwrap();
        for step in 0..5 {
            let at = step * (original.len() - 1) / 4;
            let mut bytes = original.clone();
            bytes[at] ^= 1;
            // The file alone, against the sound bundle.
            let alone = altered.join(file.name());
            fs::write(&alone, &bytes).unwrap();
            let (code, report) = check(&world, &alone, "bundle");
            let named = report["problems"].as_array().unwrap().iter().all(|it| it["where"] == alone.to_str().unwrap());
            assert!(code == 1 && named && report["problems"] != serde_json::json!([]), "{file:?} byte {at}: {report}");
            // In the bundle, with its owner's signature under the list: page and paper are for `check` to render.
            fs::write(&place, &bytes).unwrap();
            let sound = fs::read(bundle.join("manifest")).unwrap();
            let (code, report) = run(&world, &["verify", "copy"]);
            assert!(code == 1 && names(&report, &file.path(1)), "{file:?} byte {at}: {report}");
            relist(&world, &bundle);
            let (code, report) = run(&world, &["verify", "copy"]);
            let rendered =
                matches!(file, BulletinFile::Html | BulletinFile::Pdf | BulletinFile::PdfEs | BulletinFile::PdfPt);
            assert!(
                code == i32::from(!rendered) && names(&report, &file.path(1)) != rendered,
                "{file:?} byte {at}: {report}"
            );
            let (code, report) = check(&world, &place, "copy");
            assert!(code == 1 && report["problems"] != serde_json::json!([]), "{file:?} byte {at}: {report}");
            fs::write(bundle.join("manifest"), sound).unwrap();
        }
        fs::write(&place, &original).unwrap();
    }
    // A figure, a list and a share, in words.
    let json = fs::read_to_string(bundle.join(BulletinFile::Json.path(1))).unwrap();
    for (from, to, what) in [
        (r#""missing":["s4","s5"]"#, r#""missing":["s5"]"#, "contest `office`, list of `missing` stations, number 1"),
        (
            r#""line":{"a":{"share":"#,
            r#""line":{"a":{"shore":"#,
            "the whole, as counted, `line`, `a`, `share`: missing",
        ),
        (r#""number":1"#, r#""number":7"#, "`number`: it states `7`, the log gives `1`"),
        (r#""settled":false"#, r#""settled":true"#, "`settled`, `settled`: it states `true`, the log gives `false`"),
    ] {
        assert!(json.contains(from), "{from}: {json}");
        fs::write(altered.join("bulletin.json"), json.replacen(from, to, 1)).unwrap();
        let (code, report) = check(&world, &altered.join("bulletin.json"), "bundle");
        assert!(code == 1 && report["problems"][0]["what"].as_str().unwrap().contains(what), "{from}: {report}");
    }
    // Every byte of the statement.
    let statement = fs::read(world.path("1.statement")).unwrap();
    for at in (0..statement.len()).step_by(9) {
        let mut bytes = statement.clone();
        bytes[at] ^= 1;
        let path = altered.join("1.statement");
        fs::write(&path, &bytes).unwrap();
        let (code, report) = check(&world, &path, "bundle");
        assert!(code == 1 && names(&report, path.to_str().unwrap()), "byte {at}: {report}");
    }
    assert_eq!(
        check(&world, &world.path("chair/draft-1.statement"), "bundle").1["problems"][0]["code"],
        "BN-33",
        "too few"
    );
}

fn names(report: &Value, place: &str) -> bool {
    report["problems"].as_array().unwrap().iter().any(|problem| problem["where"] == place)
}

#[test]
fn a_centre_killed_between_taking_a_bulletin_and_publishing_it_publishes_it() {
    let (world, mut centre) = counted();
    run_well(&world, "bulletin draft --election election --bundle bundle --out b1");
    let draft = Draft::open(&fs::read(world.path("b1")).unwrap()).unwrap();
    assert_eq!(post(&centre, "statements", &signed(draft.clone(), &["chair"]).to_bytes()).0, 200);
    centre = restarted(&world, centre);
    assert!(!world.path("bundle/bulletins").exists(), "one signature is too few");
    assert_eq!(post(&centre, "statements", &signed(draft, &["judge"]).to_bytes()).0, 200);
    // At once: the batch may not even be cut.
    centre = restarted(&world, centre);
    listed(&world, &BulletinFile::Checkpoint.path(1));
    world.verify();
    let all = |world: &World| files(world, 1).into_iter().map(|(_, path)| fs::read(path).unwrap()).collect::<Vec<_>>();
    let first = all(&world);
    // What is there stays; and what a crash kept from being written is made again.
    centre = restarted(&world, centre);
    assert_eq!(all(&world), first);
    centre.kill();
    for file in [BulletinFile::Json, BulletinFile::Csv] {
        fs::remove_file(world.path("bundle").join(file.path(1))).unwrap();
    }
    let centre = world.serve();
    assert_eq!(all(&world), first);
    world.verify();
    centre.stop();
    assert_eq!(check(&world, &files(&world, 1)[0].1, "bundle").0, 0);
}

#[test]
fn a_file_that_is_none_of_a_bulletin_s_and_a_bundle_without_bulletins() {
    let (world, centre) = counted();
    fs::write(world.path("notes.txt"), "hello").unwrap();
    assert_eq!(check(&world, &world.path("notes.txt"), "bundle").0, 2);
    fs::write(world.path("bulletin.json"), "{}\n").unwrap();
    let (code, report) = check(&world, &world.path("bulletin.json"), "bundle");
    assert_eq!((code, &report["number"]), (1, &Value::Null));
    assert!(report["problems"][0]["what"].as_str().unwrap().ends_with("it has: none"), "{report}");
    assert_eq!(run(&world, &["bulletin", "show", "bundle"]).0, 2);
    let frozen = "centre freeze --election election --keys keys --journal disk/journal --bundle bundle";
    centre.stop();
    run_well(&world, frozen);
    let (code, report) =
        run(&world, &"bulletin draft --election election --bundle bundle --out b".split(' ').collect::<Vec<_>>());
    assert!(code == 2 && report["error"].as_str().unwrap().contains("the log is finished"), "{report}");
}
