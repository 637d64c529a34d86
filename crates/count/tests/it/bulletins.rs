//! Bulletins: their documents, what their statements say of them, and everything about them that can be altered.

use std::{collections::BTreeMap, sync::Arc};

use proptest::prelude::*;
use serde_json::Value;
use tallyproof_count::{
    Ledger, Verification,
    bulletin::{Document, Form, first_difference, recompute},
    bundle::{self, BulletinFile},
    ledger::Applied,
    manifest::file_hash,
    statements::Fault,
};
use tallyproof_log::{
    merkle::{Hash, leaf_hash, root},
    note::SignedNote,
};
use tallyproof_record::{
    ContestNo, StationNo, Tally,
    cose::RecordDigest,
    definition::Committed,
    statement::{Act, Bulletin, Correction, Draft, LaterStage, Reason, Signed, Statement, Verdict},
};

use crate::world::{
    Files, GOVERNOR, MAYOR, World, election_asking, election_of_authority, good_records, ledger_of, log_of, member_key,
    policy, problems, sealed, sealed_by, station_key, tally, verified, warnings,
};

const MADE_AT: u64 = 1_782_900_000;

/// A bulletin, and when it is drafted.
#[derive(Clone, Copy)]
pub(crate) struct Issue {
    pub(crate) stated: Bulletin,
    made_at: u64,
}

/// The bulletin that these entries, the definition's first, give.
pub(crate) fn bulletin_of(definition: &Arc<Committed>, entries: &[Vec<u8>], number: u32) -> Issue {
    let root = root(entries.iter().map(|entry| leaf_hash(entry)));
    let document = Document::of(&ledger_of(definition, entries), number, MADE_AT, root);
    let stated = document.statement(&document.to_json());
    Issue { stated, made_at: MADE_AT }
}

impl Issue {
    /// Signed by as many members as have to.
    pub(crate) fn entry(&self, definition: &Committed) -> Vec<u8> {
        self.signed(definition, &[1, 2]).to_entry()
    }

    fn signed(&self, definition: &Committed, members: &[u8]) -> Signed {
        sign(definition, self.made_at, Act::Bulletin(self.stated), members)
    }
}

fn sign(definition: &Committed, made_at: u64, act: Act, members: &[u8]) -> Signed {
    let (election, phase) = (*definition.hash(), definition.election().phase());
    let statement = Statement { election, phase, made_at, act };
    let mut signed = Draft::new(&statement).unwrap().sign(&member_key(members[0]));
    for member in &members[1..] {
        signed.sign(&member_key(*member)).unwrap();
    }
    signed
}

fn digest_of(entry: &[u8]) -> RecordDigest {
    file_hash(&entry[1..]).0
}

/// A log with one of everything that a bulletin lists: counted and missing stations, one in quarantine, a rejected record, one that
/// no contest has, a station whose figures were replaced and one whose poll was annulled. Ends with two bulletins.
fn eventful() -> (Arc<Committed>, Vec<Vec<u8>>) {
    let definition = election_of_authority(12);
    let mut entries: Vec<_> = good_records(&definition).into_iter().take(9).collect();
    entries.push(sealed(&tally(&definition, 1, GOVERNOR, 5)));
    entries.push(sealed_by(&tally(&definition, 12, GOVERNOR, 0), &station_key(StationNo(11))));
    entries.push(sealed(&Tally { contest: ContestNo(9), ..tally(&definition, 4, GOVERNOR, 0) }));
    entries.push(sealed(&tally(&definition, 1, MAYOR, 0)));
    let replaced = |station: u32, record: Option<&[u8]>, verdict: Verdict| {
        let (stage, reason) = (LaterStage::Canvass, Reason::Transcription);
        let replaces = record.map(digest_of).into_iter().collect();
        let correction =
            Correction { station: StationNo(station), contest: GOVERNOR, replaces, stage, reason, verdict };
        sign(&definition, MADE_AT, Act::Correction(correction), &[1, 3]).to_entry()
    };
    let figures = tallyproof_record::definition::results::Figures { counts: vec![9, 8, 7, 6], stated: BTreeMap::new() };
    let corrections =
        [replaced(2, Some(&entries[1]), Verdict::Figures(figures)), replaced(3, Some(&entries[2]), Verdict::Annulled)];
    entries.extend(corrections);
    let first = bulletin_of(&definition, &log_of(&definition, &entries[..8]), 1);
    let second = bulletin_of(&definition, &log_of(&definition, &entries), 4);
    entries.extend([first.entry(&definition), second.entry(&definition)]);
    (definition, entries)
}

fn world() -> World {
    let (definition, entries) = eventful();
    World::with(&definition, &entries)
}

/// A bundle with these files in place of its own, listed anew, as the log's owner can.
fn published(world: &World, changed: &[(String, Option<Vec<u8>>)]) -> Verification {
    let mut files = world.content();
    for (path, bytes) in changed {
        match bytes {
            Some(bytes) => files.insert(path.clone(), bytes.clone()),
            None => files.remove(path),
        };
    }
    files.insert(bundle::MANIFEST.into(), world.manifest(&files));
    verified(&files)
}

fn document(ledger: &Ledger) -> Document {
    Document::of(ledger, 4, MADE_AT, Hash([7; 32]))
}

fn value(bytes: &[u8]) -> Value {
    serde_json::from_slice(bytes).unwrap()
}

#[test]
fn a_bundle_with_bulletins_holds() {
    let world = world();
    let found = verified(&world.bundle());
    assert_eq!((problems(&found), warnings(&found), found.bulletins), (vec![], vec![], 2));
    assert!(world.bundle().contains_key("bulletins/4/bulletin.csv"));
}

fn whole(value: &Value) -> bool {
    match value {
        Value::Number(number) => number.is_u64(),
        Value::Array(items) => items.iter().all(whole),
        Value::Object(fields) => fields.values().all(whole),
        _ => true,
    }
}

#[test]
fn the_document_is_one_line_of_json_with_sorted_keys_and_whole_numbers() {
    let (definition, entries) = eventful();
    let bytes = document(&ledger_of(&definition, &log_of(&definition, &entries))).to_json();
    // A `Value` keeps its keys sorted.
    assert_eq!(format!("{}\n", value(&bytes)), String::from_utf8(bytes.clone()).unwrap());
    assert!(whole(&value(&bytes)));
}

#[test]
fn the_document_says_which_stations_its_sums_are_of() {
    let (definition, entries) = eventful();
    let document = document(&ledger_of(&definition, &log_of(&definition, &entries)));
    let json = value(&document.to_json());
    let governor = &json["contests"]["governor"];
    let stations = &governor["stations"];
    assert_eq!(stations["quarantined"], serde_json::json!([{ "codes": ["ID-08"], "station": "s1" }]));
    assert_eq!(stations["missing"], serde_json::json!(["s10", "s11", "s12"]));
    assert_eq!(stations["rejected"], serde_json::json!([{ "codes": ["ID-05"], "entry": 11, "station": "s12" }]));
    assert_eq!(json["rejected"][0]["contest"], 9);
    assert_eq!(stations["counted"].as_array().unwrap().len(), 8);
    let corrected: Vec<_> = stations["corrected"].as_array().unwrap().iter().map(|it| &it["annulled"]).collect();
    assert_eq!(corrected, [false, true]);
    // Shares are of exact counts: two decimals, half up.
    let counted = &governor["as_counted"]["whole"]["stations"]["counted"];
    assert_eq!(*counted, serde_json::json!({ "share": "66.67", "value": 8 }));
    assert_eq!(json["contests"]["mayor"]["as_it_stands"], Value::Null);
    assert_ne!(governor["as_it_stands"]["whole"]["line"], governor["as_counted"]["whole"]["line"]);
    // Blank votes are stated by every counted record, null ones by none: then no share is known.
    assert_eq!(governor["as_counted"]["whole"]["stated"]["blank"], serde_json::json!({ "value": 24 }));
}

#[test]
fn the_rows_of_the_table_add_up() {
    let (definition, entries) = eventful();
    let document = document(&ledger_of(&definition, &log_of(&definition, &entries)));
    let csv = String::from_utf8(document.to_csv()).unwrap();
    let rows: Vec<Vec<&str>> = csv.lines().skip(1).map(|line| line.split(',').collect()).collect();
    assert!(rows.iter().all(|row| row.len() == 8), "{csv}");
    let sum = |contest: &str, basis: &str, figure: &str, id: Option<&str>, area: Option<&str>| -> u64 {
        let of = rows.iter().filter(|row| row[0] == contest && row[2] == basis && row[3] == figure);
        let of = of.filter(|row| id.is_none_or(|id| row[4] == id) && area.is_none_or(|area| row[1] == area));
        of.map(|row| row[5].parse::<u64>().unwrap()).sum()
    };
    for (contest, area) in [("governor", "land"), ("mayor", "north"), ("deputy", "south-1")] {
        for (list, word) in [
            ("counted", "counted-station"),
            ("quarantined", "quarantined-station"),
            ("missing", "missing-station"),
            ("rejected", "rejected-record"),
        ] {
            let stated = sum(contest, "as-counted", "stations", Some(list), Some(area));
            assert_eq!(sum(contest, "as-counted", word, None, None), stated, "{contest} {list}");
        }
        for (list, word) in [("corrected", "corrected-station"), ("annulled", "annulled-station")] {
            let stated = sum(contest, "as-it-stands", "stations", Some(list), Some(area));
            assert_eq!(sum(contest, "as-it-stands", word, None, None), stated, "{contest} {list}");
        }
        for basis in ["as-counted", "as-it-stands"] {
            let votes = |figure| sum(contest, basis, figure, None, Some(area));
            assert_eq!(votes("candidate"), votes("line"), "{contest} {basis}");
        }
    }
    let north_and_south: u64 =
        ["north", "south"].iter().map(|area| sum("governor", "as-counted", "line", None, Some(area))).sum();
    assert_eq!(north_and_south, sum("governor", "as-counted", "line", None, Some("land")));
}

#[test]
fn a_bulletin_states_root_totals_and_document_of_its_tree_size() {
    let (definition, mut entries) = eventful();
    let sound = bulletin_of(&definition, &log_of(&definition, &entries), 7);
    let longer = bulletin_of(&definition, &log_of(&definition, &entries[..8]), 7);
    let place = format!("entry {}", entries.len() + 1);
    entries.push(Vec::new());
    let with = |stated: Bulletin, made_at: u64| {
        let mut entries = entries.clone();
        *entries.last_mut().unwrap() = Issue { stated, made_at }.entry(&definition);
        let found = verified(&World::with(&definition, &entries).bundle());
        assert!(found.problems.iter().all(|problem| (problem.code, problem.place.as_str()) == ("BN-35", &place)));
        found.problems.iter().map(|problem| problem.what.clone()).collect::<Vec<_>>().join("\n")
    };
    assert_eq!(with(sound.stated, sound.made_at), "");
    let stated = sound.stated;
    for (bad, made_at, named) in [
        (Bulletin { root: [1; 32], ..stated }, MADE_AT, "the log's root"),
        (Bulletin { totals: [1; 32], ..stated }, MADE_AT, "the totals"),
        (Bulletin { document: [1; 32], ..stated }, MADE_AT, "the document"),
        (Bulletin { tree_size: longer.stated.tree_size, ..stated }, MADE_AT, "the log's root"),
        (Bulletin { number: 8, ..stated }, MADE_AT, "the document"),
        (stated, MADE_AT + 1, "the document"),
    ] {
        let found = with(bad, made_at);
        assert!(found.contains(named), "{named}: {found}");
    }
    // One without effect states nothing.
    let unsigned = Issue { stated: Bulletin { root: [1; 32], ..stated }, made_at: MADE_AT };
    *entries.last_mut().unwrap() = unsigned.signed(&definition, &[1]).to_entry();
    assert_eq!(problems(&verified(&World::with(&definition, &entries).bundle())), []);
}

#[test]
fn numbers_of_bulletins_rise_and_sizes_lie_behind() {
    let (definition, entries) = eventful();
    let ledger = ledger_of(&definition, &log_of(&definition, &entries));
    let sound = bulletin_of(&definition, &log_of(&definition, &entries), 5);
    let judge = |stated: Bulletin, members: &[u8]| {
        let signed = Issue { stated, made_at: MADE_AT }.signed(&definition, members);
        match tallyproof_count::judge_statement(&definition, &signed.to_bytes()) {
            tallyproof_count::Judged::Statement(judged) => judged,
            other => panic!("{other:?}"),
        }
    };
    for (stated, fault) in [
        (Bulletin { number: 4, ..sound.stated }, Fault::BulletinNumber),
        (Bulletin { tree_size: 900, ..sound.stated }, Fault::BulletinSize),
    ] {
        assert_eq!(ledger.foresee_signed(&judge(stated, &[1])), Err(fault), "whoever else may sign");
        let mut ledger = ledger.clone();
        let judged = tallyproof_count::Judged::Statement(judge(stated, &[1, 2]));
        assert_eq!(ledger.apply(ledger.entries(), &judged), Applied::NoEffect(fault));
    }
    let waits = judge(sound.stated, &[1]);
    assert_eq!((ledger.foresee(&waits), ledger.foresee_signed(&waits)), (Err(Fault::TooFewSigners), Ok(())));
}

/// What a file of a bulletin states otherwise, and the words in which it is named.
#[test]
fn every_kind_of_figure_and_list_that_is_altered_is_named() {
    let world = world();
    let files = world.bundle();
    let path = BulletinFile::Json.path(4);
    let original = value(&files[&path]);
    let mut leaves = Vec::new();
    pointers(&original, &mut String::new(), &mut leaves);
    assert!(leaves.len() > 400, "{}", leaves.len());
    for pointer in leaves {
        let mut altered = original.clone();
        let at = altered.pointer_mut(&pointer).unwrap();
        *at = match at {
            Value::Number(number) => (number.as_u64().unwrap() + 1).into(),
            Value::String(text) => format!("{text}0").into(),
            Value::Bool(it) => (!*it).into(),
            Value::Null => 7.into(),
            other => panic!("{pointer}: {other}"),
        };
        let bytes = format!("{altered}\n").into_bytes();
        let what = first_difference(Form::Json, &bytes, &files[&path]).unwrap();
        // The name of the list, or that of the figure; a figure's two parts are told apart by what they state.
        let named = pointer.split('/').take_while(|part| part.parse::<usize>().is_err());
        let named = named.filter(|part| !["value", "share"].contains(part)).last().unwrap();
        assert!(what.contains(named) && what.contains("the log gives"), "{pointer}: {what}");
        if let Some(contest) = pointer.strip_prefix("/contests/") {
            let contest = contest.split('/').next().unwrap();
            assert!(what.starts_with(&format!("contest `{contest}`")), "{pointer}: {what}");
        }
    }
}

/// The places of all values that hold no others.
fn pointers(value: &Value, at: &mut String, found: &mut Vec<String>) {
    let mut child = |name: &str, value: &Value| {
        let len = at.len();
        at.push('/');
        at.push_str(name);
        pointers(value, at, found);
        at.truncate(len);
    };
    match value {
        Value::Object(fields) => fields.iter().for_each(|(name, value)| child(name, value)),
        Value::Array(items) => items.iter().enumerate().for_each(|(at, value)| child(&at.to_string(), value)),
        _ => found.push(at.clone()),
    }
}

#[test]
fn a_difference_says_what_is_stated_and_what_the_log_gives() {
    let world = world();
    let files = world.bundle();
    let (json, csv) = (&files["bulletins/4/bulletin.json"], &files["bulletins/4/bulletin.csv"]);
    let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).unwrap();
    let edited = |bytes: &[u8], from: &str, to: &str| {
        let text = text(bytes);
        assert!(text.contains(from), "{from}: {text}");
        text.replacen(from, to, 1).into_bytes()
    };
    for (form, expected, from, to, what) in [
        (
            Form::Json,
            json,
            r#""missing":["s10","s11","s12"],"quarantined""#,
            r#""missing":["s10","s12"],"quarantined""#,
            "contest `governor`, list of `missing` stations, number 2: it states `\"s12\"`, the log gives `\"s11\"`",
        ),
        (
            Form::Json,
            json,
            r#""missing":["s10","s11","s12"],"quarantined""#,
            r#""missing":["s10","s11"],"quarantined""#,
            "contest `governor`, list of `missing` stations, number 3: it states no more, the log gives `\"s12\"`",
        ),
        (
            Form::Json,
            json,
            r#""stations":{"corrected":[{"#,
            r#""stations":{"more":1,"corrected":[{"#,
            "contest `governor`, list of `more` stations: it states this, the log gives nothing of it",
        ),
        (Form::Json, json, r#""format":1,"#, "", "`format`: missing"),
        (Form::Json, json, r#""format":1"#, r#""format": 1"#, "it is not in its one form: first different in byte"),
        (Form::Json, json, r#""format":1"#, r#""format":1e"#, "it is not JSON: "),
        (
            Form::Csv,
            csv,
            "governor,north,as-counted,candidate,bob,",
            "governor,north,as-counted,candidate,bob,9",
            "(contest `governor`, area `north`, basis `as-counted`, figure `candidate`, id `bob`): it states `governor,north,as-counted,candidate,bob,9",
        ),
        (
            Form::Csv,
            csv,
            "governor,north,as-counted,missing-station,s11,1,,\n",
            "",
            "(contest `governor`, area `north`, basis `as-counted`, figure `missing-station`, id `s11`): it states ",
        ),
    ] {
        let found = first_difference(form, &edited(expected, from, to), expected).unwrap();
        assert!(found.contains(what), "{found}");
    }
    let more = [csv.as_slice(), b"governor,land,as-counted,line,z,1,,\n"].concat();
    let found = first_difference(Form::Csv, &more, csv).unwrap();
    assert!(found.contains("it states `governor,land,as-counted,line,z,1,,`, the log gives nothing"), "{found}");
    assert_eq!(first_difference(Form::Csv, csv, csv), None);
    assert!(first_difference(Form::Json, &vec![b'['; 1 << 20], json).unwrap().contains("1048576 bytes"));
}

#[test]
fn files_that_the_log_does_not_give_are_problems_even_if_its_owner_lists_them() {
    let world = world();
    let files = world.bundle();
    for (file, at) in [(BulletinFile::Json, 7), (BulletinFile::Csv, 7)].map(|(file, n)| (file.path(4), n)) {
        let len = files[&file].len();
        for position in (0..at).map(|step| step * (len - 1) / (at - 1)) {
            let mut bytes = files[&file].clone();
            bytes[position] ^= 1 << (position % 7);
            let found = published(&world, &[(file.clone(), Some(bytes))]);
            assert_eq!(problems(&found), [("BN-36", file.as_str())], "byte {position}");
        }
        let found = published(&world, &[(file.clone(), None)]);
        assert_eq!(problems(&found), [("BN-01", file.as_str())]);
    }
    // Of the other bulletin.
    let (one, other) = (BulletinFile::Json.path(1), BulletinFile::Json.path(4));
    let found = published(&world, &[(one.clone(), Some(files[&other].clone()))]);
    assert_eq!(problems(&found), [("BN-36", one.as_str())]);
}

#[test]
fn every_file_below_bulletins_is_one_of_a_bulletin_in_effect() {
    let world = world();
    for stray in ["bulletins/2/bulletin.json", "bulletins/4/more.txt", "bulletins/readme", "bulletins/04/bulletin.json"]
    {
        let found = published(&world, &[(stray.to_owned(), Some(b"x".to_vec()))]);
        assert_eq!(problems(&found), [("BN-38", stray)]);
    }
    let mut unlisted = world.bundle();
    unlisted.insert("bulletins/2/checkpoint".into(), b"x".to_vec());
    assert_eq!(
        problems(&verified(&unlisted)),
        [("BN-38", "bulletins/2/checkpoint"), ("BN-03", "bulletins/2/checkpoint")]
    );
}

/// Of a definition that asks for two of three witnesses.
fn witnessed(bound: Option<(u64, Vec<u8>)>, frozen: bool) -> World {
    let asking = election_asking(12, "two");
    let governed = election_of_authority(1);
    let governed = governed.election();
    let election = asking.election().clone();
    let election = election.with_signatories(governed.authority().unwrap().clone(), governed.agents().to_vec());
    let definition = Arc::new(election.commit());
    let mut entries = good_records(&definition);
    let issue = bulletin_of(&definition, &log_of(&definition, &entries), 1);
    entries.push(issue.entry(&definition));
    World { bound, frozen, cosigners: vec![11, 12], ..World::with(&definition, &entries) }
}

#[test]
fn a_checkpoint_with_the_quorum_binds_a_bulletin() {
    let size = witnessed(None, false).size();
    let path = BulletinFile::Checkpoint.path(1);
    for (bound, holds) in [
        ((size, vec![11, 12]), true),
        ((size - 1, vec![12, 13]), true),
        ((size - 2, vec![11, 12]), false),
        ((size, vec![11]), false),
        ((size, vec![]), false),
    ] {
        let found = verified(&witnessed(Some(bound.clone()), true).bundle());
        let expected = if holds { vec![] } else { vec![("BN-37", path.as_str())] };
        assert_eq!((problems(&found), warnings(&found)), (expected, vec![]), "{bound:?}");
    }
    let waiting = verified(&witnessed(None, false).bundle());
    assert_eq!((problems(&waiting), warnings(&waiting)), (vec![], vec![("BN-37", path.as_str())]));
    assert_eq!(problems(&verified(&witnessed(None, true).bundle())), [("BN-37", path.as_str())]);
}

#[test]
fn a_checkpoint_that_is_altered_is_named_whatever_is_altered() {
    let world = witnessed(Some((22, vec![11, 12])), true);
    let path = BulletinFile::Checkpoint.path(1);
    let bytes = world.content()[&path].clone();
    let replace = |bytes: Vec<u8>| published(&world, &[(path.clone(), Some(bytes))]);
    for at in 0..bytes.len() {
        let mut changed = bytes.clone();
        changed[at] ^= 1 << (at % 7);
        let found = replace(changed);
        assert!(!found.ok && found.problems.iter().all(|problem| problem.place == path), "byte {at}: {found:?}");
    }
    // Signed by all, of another tree.
    let mut fork = world.clone();
    fork.entries.swap(1, 2);
    let found = replace(fork.checkpoint(22, &[11, 12]));
    assert_eq!(problems(&found), [("BN-37", path.as_str())]);
    assert!(found.problems[0].what.starts_with("the log's root at tree size 22 is "), "{}", found.problems[0]);
    let mut stranger = SignedNote::parse(&bytes).unwrap();
    let key = crate::world::witness_key(21);
    let checkpoint = stranger.text().parse().unwrap();
    stranger.attach(key.cosign(&checkpoint, 1).unwrap(), key.verifier()).unwrap();
    let found = replace(stranger.to_string().into_bytes());
    assert_eq!(problems(&found), [("BN-07", path.as_str())]);
}

#[test]
fn the_policy_of_its_own_tree_size_judges_a_checkpoint() {
    let mut world = witnessed(Some((10, vec![11, 12])), true);
    // From here on, another witness alone.
    let lines: Vec<String> = policy("w13").to_string().lines().skip(1).map(str::to_owned).collect();
    world.entries.push(sign(&world.definition, MADE_AT, Act::Policy(lines), &[1, 2]).to_entry());
    let size = world.size();
    let world = World { manifest_size: size, policy: policy("w13"), cosigners: vec![13], ..world };
    let of = |bound: (u64, Vec<u8>)| {
        let found = verified(&World { bound: Some(bound), ..world.clone() }.bundle());
        found.problems.iter().map(|problem| problem.what.clone()).collect::<Vec<_>>()
    };
    assert_eq!(of((size - 1, vec![11, 12])), [""; 0]);
    assert_eq!(of((size, vec![13])), [""; 0]);
    for bound in [(size - 1, vec![13]), (size, vec![11, 12])] {
        assert_eq!(of(bound), ["the quorum of the policy in force at its tree size is not met"]);
    }
}

#[test]
fn a_bulletin_that_the_manifest_is_too_old_for_has_no_files_yet() {
    let mut world = world();
    world.manifest_size = world.size() - 2;
    world.earlier = vec![world.manifest_size];
    let files: Files = world.bundle();
    assert!(!files.keys().any(|path| path.starts_with("bulletins/")));
    assert_eq!(problems(&verified(&files)), []);
}

#[test]
fn several_bulletins_are_one_pass_and_each_its_own_document() {
    let (definition, entries) = eventful();
    let ledger = ledger_of(&definition, &log_of(&definition, &entries));
    let tree = entries_tree(&log_of(&definition, &entries));
    let mut seen = Vec::new();
    recompute(&ledger, &tree, ledger.bulletins(), |issued, document| {
        assert_eq!(file_hash(&document.to_json()).0, issued.stated.document);
        seen.push((document.number, document.tree_size));
    });
    assert_eq!(seen, [(1, 9), (4, 16)]);
}

fn entries_tree(entries: &[Vec<u8>]) -> tallyproof_log::tree::Tree {
    entries.iter().map(|entry| leaf_hash(entry)).collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    /// Any byte of any file of a bulletin, or of its statement's entry, with or without the owner's signature under the list.
    #[test]
    fn any_byte_counts(file in 0_usize..4, at in any::<prop::sample::Index>(), change in 1_u8.., listed in any::<bool>()) {
        thread_local! {
            static WORLD: World = witnessed(Some((15, vec![11, 13])), true);
        }
        WORLD.with(|world| {
            let mut files = world.content();
            let entries = files.keys().find(|path| path.starts_with("log/tile/entries")).unwrap().clone();
            let paths = [BulletinFile::Json.path(1), BulletinFile::Csv.path(1), BulletinFile::Checkpoint.path(1), entries];
            let signed = world.manifest(&files);
            let bytes = files.get_mut(&paths[file]).unwrap();
            // The bulletin's statement is the last entry.
            let from = if file == 3 { bytes.len() - 250 } else { 0 };
            let position = from + at.index(bytes.len() - from);
            bytes[position] ^= change;
            let manifest = if listed { world.manifest(&files) } else { signed };
            files.insert(bundle::MANIFEST.into(), manifest);
            let found = verified(&files);
            let named = found.problems.iter().any(|it| it.place == paths[file] || file == 3 && it.place.starts_with("entry "));
            prop_assert!(!found.ok && named, "{:?}", found.problems);
            Ok(())
        })?;
    }
}
