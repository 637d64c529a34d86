//! The election package: every kind of mistake, the canonical form, and the recipe for its hash.

use std::{
    fmt::Write as _,
    io::Write as _,
    process::{Command, Stdio},
};

use proptest::prelude::*;
use tallyproof_record::{
    ContestNo, Election, Problem, StationNo,
    definition::{
        Figure, StationKind,
        decision::{Ahead, Bar, Decision, Each, Lists, Method, MixedRule, Nominal, Share, Threshold, TieRule, Whole},
        package::{self, Files},
        results,
    },
};

const TOML: &str = r#"format = 1
id = "example"
name = "Example"
date = "2026-07-01"
phase = "drill"

[[contest]]
id = "governor"
name = "Governor"
area = "state"
figures = ["blank", "null"]

[[contest]]
id = "mayor"
name = "Mayor"
area = "north"
"#;
const AREAS: &str = "id,parent,name,kind\nnorth,state,North,town\nstate,,State,state\nsouth,state,South,town\n";
const STATIONS: &str = "id,area,registered\n1,north,500\n2,south,\n3,south,0\n";
const BALLOT: &str = "contest,line,name,candidate,candidate_name,party,party_name\n\
    governor,a,A,ann,Ann,pa,Party A\ngovernor,b,B,ann,,pb,\nmayor,a,,,,,\nmayor,z,,,,,\n";
/// RFC 8032, section 7.1, tests 1 and 2.
const KEY: &str = "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a";
const KEY_2: &str = "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c";

fn example() -> Files {
    [("election.toml", TOML), ("areas.csv", AREAS), ("stations.csv", STATIONS), ("ballot.csv", BALLOT)]
        .map(|(name, text)| (name.to_owned(), text.as_bytes().to_vec()))
        .into()
}

pub(crate) fn election() -> Election {
    package::parse(&example()).unwrap()
}

/// The example with `from` replaced in one file.
fn changed(file: &str, from: &str, to: &str) -> Files {
    let mut files = example();
    let text = String::from_utf8(files[file].clone()).unwrap();
    assert!(text.contains(from), "{file} has no {from:?}");
    files.insert(file.into(), text.replacen(from, to, 1).into());
    files
}

fn code_and_place(problem: &Problem) -> (&str, &str) {
    (problem.code, &problem.place)
}

fn canonical_files(election: &Election) -> Files {
    election.canonical().files.into_iter().map(|(name, bytes)| (name.to_owned(), bytes)).collect()
}

#[test]
fn reads_the_example() {
    let election = election();
    let ids: Vec<_> = election.areas().iter().map(|area| (area.id.as_str(), area.parent)).collect();
    assert_eq!(ids, [("state", None), ("north", Some(0)), ("south", Some(0))]);
    let registered: Vec<_> = election.stations().iter().map(|station| station.registered).collect();
    assert_eq!(registered, [Some(500), None, Some(0)]);
    assert_eq!(election.stations()[0].name, "1");
    let governor = election.contest(ContestNo(1)).unwrap();
    assert_eq!(governor.candidates.len(), 1);
    assert_eq!(governor.candidates[0].name, "Ann");
    assert_eq!(governor.lines[1].party, Some(1));
    assert_eq!(governor.parties[1].name, "pb");
    let mayor = election.contest(ContestNo(2)).unwrap();
    assert_eq!((mayor.candidates.len(), mayor.parties.len()), (2, 0));
    assert!(!election.holds(election.station(StationNo(2)).unwrap(), mayor));
}

/// Mistakes of `election.toml`: what is replaced by what, and the code and place that it gives.
const TOML_MISTAKES: &[(&str, &str, &str, &str)] = &[
    ("id = \"example\"", "id = example", "PK-04", "election.toml:2:6"),
    ("phase = \"drill\"", "phase = \"drill\"\nfase = 1", "PK-09", "election.toml:6:1"),
    ("area = \"state\"", "area = \"state\"\nseats = 1", "PK-09", "election.toml:11:1"),
    ("phase = \"drill\"\n", "", "PK-10", "election.toml:1:1"),
    ("name = \"Mayor\"\n", "", "PK-10", "election.toml:13:1"),
    ("name = \"Example\"", "name = 7", "PK-11", "election.toml:3:8"),
    ("date = \"2026-07-01\"", "date = 2026-07-01", "PK-11", "election.toml:4:8"),
    ("[\"blank\", \"null\"]", "\"blank\"", "PK-11", "election.toml:11:11"),
    ("format = 1", "format = 2", "PK-12", "election.toml:1:10"),
    ("format = 1\n", "", "PK-10", "election.toml:1:1"),
    ("id = \"example\"", "id = \" example\"", "PK-13", "election.toml:2:6"),
    ("name = \"Example\"", "name = \"\"", "PK-14", "election.toml:3:8"),
    ("name = \"Example\"", "name = \"E\\u001b[2J\"", "PK-14", "election.toml:3:8"),
    ("id = \"mayor\"", "id = \"governor\"", "PK-15", "election.toml:14:6"),
    ("area = \"north\"", "area = \"nort\"", "PK-16", "election.toml:16:8"),
    ("phase = \"drill\"", "phase = \"dril\"", "PK-25", "election.toml:5:9"),
    ("\"blank\", \"null\"", "\"blank\", \"nul\"", "PK-25", "election.toml:11:21"),
    ("\"blank\", \"null\"", "\"blank\", \"blank\"", "PK-25", "election.toml:11:21"),
    ("2026-07-01", "2026-02-30", "PK-26", "election.toml:4:8"),
    ("2026-07-01", "20260701", "PK-26", "election.toml:4:8"),
    ("\n[[contest]]", "polls_close = \"2026-07-01T18:00:00\"\n[[contest]]", "PK-26", "election.toml:6:15"),
    ("\n[[contest]]", "polls_close = \"2026-07-01 18:00:00Z\"\n[[contest]]", "PK-26", "election.toml:6:15"),
    ("\n[[contest]]", "polls_close = \"1969-12-31T18:00:00Z\"\n[[contest]]", "PK-26", "election.toml:6:15"),
    ("\n[[contest]]", "[rules.BO-99]\n[[contest]]", "PK-27", "election.toml:6:8"),
    ("\n[[contest]]", "[rules.BO-01]\nallowence = 1\n[[contest]]", "PK-28", "election.toml:7:1"),
    ("\n[[contest]]", "[rules.BO-01]\nallowance = -1\n[[contest]]", "PK-24", "election.toml:7:13"),
    ("\n[[contest]]", "[rules.BO-01]\nallowance = 4294967296\n[[contest]]", "PK-24", "election.toml:7:13"),
    ("\n[[contest]]", "[rules.BO-01]\nseverity = \"mild\"\n[[contest]]", "PK-25", "election.toml:7:12"),
    ("\n[[contest]]", "[rules.ID-05]\nseverity = \"warn\"\n[[contest]]", "PK-29", "election.toml:7:12"),
    ("\n[[contest]]", "[rules]\nBO-01 = 1\n[[contest]]", "PK-11", "election.toml:7:9"),
    ("\n[[contest]]", "witnesses = 1\n[[contest]]", "PK-11", "election.toml:6:13"),
    ("\n[[contest]]", "[witnesses]\n[[contest]]", "PK-10", "election.toml:6:1"),
    ("\n[[contest]]", "[witnesses]\npolicy = []\nquorum = 1\n[[contest]]", "PK-09", "election.toml:8:1"),
    ("\n[[contest]]", "[witnesses]\npolicy = \"quorum none\"\n[[contest]]", "PK-11", "election.toml:7:10"),
    ("\n[[contest]]", "[witnesses]\npolicy = [\"quorum none\", 7]\n[[contest]]", "PK-11", "election.toml:7:26"),
    ("\n[[contest]]", "[witnesses]\npolicy = [\n\"log x\"]\n[[contest]]", "PK-38", "election.toml:8:1"),
    ("\n[[contest]]", "[witnesses]\npolicy = [\"quorum a\\nlog x\"]\n[[contest]]", "PK-14", "election.toml:7:11"),
    ("\n[[contest]]", "authority = 1\n[[contest]]", "PK-11", "election.toml:6:13"),
    ("\n[[contest]]", "[authority]\n[[contest]]", "PK-10", "election.toml:6:1"),
    ("\n[[contest]]", "[authority]\nthreshold = 1\n[[contest]]", "PK-39", "election.toml:7:13"),
    ("\n[[contest]]", "[authority]\nquorum = 1\nthreshold = 1\nmember = []\n[[contest]]", "PK-09", "election.toml:7:1"),
    ("\n[[contest]]", "agent = [7]\n[[contest]]", "PK-11", "election.toml:6:10"),
];

/// As [`TOML_MISTAKES`], for the tables.
const TABLE_MISTAKES: &[(&str, &str, &str, &str, &str)] = &[
    ("areas.csv", "north,state,North,town", "north,state,\"North,town", "PK-03", "areas.csv:2:13"),
    ("areas.csv", "North", "No\"rth", "PK-03", "areas.csv:2:15"),
    ("areas.csv", "North", "\"No\"rth", "PK-03", "areas.csv:2:17"),
    ("areas.csv", "North", "No\rth", "PK-03", "areas.csv:2:15"),
    ("areas.csv", "id,parent", "i\"d,parent", "PK-03", "areas.csv:1:2"),
    ("areas.csv", "North,town", "North", "PK-05", "areas.csv:2:1"),
    ("areas.csv", "North,town", "North,x,town", "PK-05", "areas.csv:2:1"),
    ("areas.csv", "id,parent,name,kind", "id,parent,name,name", "PK-08", "areas.csv:1:16"),
    ("areas.csv", "id,parent,name,kind", "id,parent,name,kin", "PK-06", "areas.csv:1:16"),
    ("areas.csv", "id,parent,name,kind", "id,parent,name,kin", "PK-07", "areas.csv:1:1"),
    ("areas.csv", "South,town", "So\u{7}uth,town", "PK-14", "areas.csv:4:13"),
    ("areas.csv", "south,state", "north,state", "PK-15", "areas.csv:4:1"),
    ("areas.csv", "south,state", "@south,state", "PK-13", "areas.csv:4:1"),
    ("areas.csv", "south,state", "south,stat", "PK-16", "areas.csv:4:7"),
    ("areas.csv", "state,,", "state,state,", "PK-17", "areas.csv:1:1"),
    ("areas.csv", "state,,", "state,north,", "PK-19", "areas.csv:2:1"),
    ("areas.csv", "south,state", "south,", "PK-18", "areas.csv:4:1"),
    ("stations.csv", "1,north", "1,nroth", "PK-16", "stations.csv:2:3"),
    ("stations.csv", "2,south", "1,south", "PK-15", "stations.csv:3:1"),
    ("stations.csv", "2,south", ",south", "PK-13", "stations.csv:3:1"),
    ("stations.csv", "north,500", "north,5 00", "PK-24", "stations.csv:2:9"),
    ("stations.csv", "north,500", "north,-5", "PK-24", "stations.csv:2:9"),
    ("stations.csv", "north,500", "north,+5", "PK-24", "stations.csv:2:9"),
    ("stations.csv", "north,500", "north,4294967296", "PK-24", "stations.csv:2:9"),
    ("stations.csv", "1,north,500\n2,south,\n3,south,0\n", "", "PK-22", "stations.csv:1:1"),
    ("ballot.csv", "governor,b", "governer,b", "PK-16", "ballot.csv:3:1"),
    ("ballot.csv", "governor,b", "governor,a", "PK-15", "ballot.csv:3:10"),
    ("ballot.csv", "governor,b", "governor,station", "PK-13", "ballot.csv:3:10"),
    ("ballot.csv", "governor,b,B,ann,,", "governor,b,B,ann,Anna,", "PK-32", "ballot.csv:3:18"),
    ("ballot.csv", "pb,\n", "pa,Party\n", "PK-32", "ballot.csv:3:22"),
    ("ballot.csv", "pb,\n", ",Party B\n", "PK-13", "ballot.csv:3:19"),
    ("ballot.csv", "mayor,a,,,,,\nmayor,z,,,,,\n", "", "PK-21", "election.toml:14:6"),
];

fn assert_mistake(files: &Files, code: &str, place: &str) {
    let problems = package::parse(files).expect_err(code);
    let found: Vec<_> = problems.iter().map(code_and_place).collect();
    assert!(found.iter().any(|found| found.0 == code && found.1 == place), "{code} at {place}: {problems:#?}");
    // A mistake may bring one more with it (a renamed column is both unknown and missing), never a flood.
    assert!(found.len() <= 3, "{problems:#?}");
}

#[test]
fn each_mistake_has_its_code_and_place() {
    for (from, to, code, place) in TOML_MISTAKES {
        assert_mistake(&changed("election.toml", from, to), code, place);
    }
    for (file, from, to, code, place) in TABLE_MISTAKES {
        assert_mistake(&changed(file, from, to), code, place);
    }
}

#[test]
fn a_table_with_semicolons_is_one_mistake() {
    let mut files = example();
    files.insert("areas.csv".into(), AREAS.replace(',', ";").into());
    let problems = package::parse(&files).unwrap_err();
    let [problem] = problems.iter().filter(|p| p.place.starts_with("areas.csv")).collect::<Vec<_>>()[..] else {
        panic!("{problems:#?}")
    };
    assert_eq!((problem.code, problem.place.as_str()), ("PK-06", "areas.csv:1:1"));
    assert!(problem.what.contains("save the file with commas"), "{}", problem.what);
}

#[test]
fn files_that_cannot_be_read() {
    let mut files = example();
    let areas = files.remove("areas.csv").unwrap();
    files.insert("Areas.csv".into(), areas);
    files.insert("stations.csv".into(), b"id,area,registered\n1,north\xff,5\n".to_vec());
    files.insert("ballot.csv".into(), Vec::new());
    let problems = package::parse(&files).unwrap_err();
    let found: Vec<_> = problems.iter().map(code_and_place).collect();
    let expected = [
        ("PK-01", "areas.csv:1:1"),
        ("PK-02", "stations.csv:2:8"),
        ("PK-07", "ballot.csv:1:1"),
        ("PK-07", "ballot.csv:1:1"),
    ];
    assert_eq!(found, expected);
    assert!(problems[0].what.contains("did you mean `Areas.csv`?"), "{}", problems[0]);
}

#[test]
fn all_mistakes_are_reported_at_once() {
    let mut files = changed("election.toml", "2026-07-01", "2026-13-01");
    files.insert(
        "areas.csv".into(),
        b"id,parent,name,kind\na,b,,\nb,a,,\nstate,,,\nnorth,state,,\nsouth,norht,,\n".to_vec(),
    );
    files.insert("stations.csv".into(), b"id,area,registered\n1,north,x\n1,nowhere,\n".to_vec());
    let problems = package::parse(&files).unwrap_err();
    let found: Vec<_> = problems.iter().map(code_and_place).collect();
    let expected = [
        ("PK-16", "areas.csv:6:7"),
        ("PK-19", "areas.csv:2:1"),
        ("PK-26", "election.toml:4:8"),
        ("PK-24", "stations.csv:2:9"),
        ("PK-15", "stations.csv:3:1"),
        ("PK-16", "stations.csv:3:3"),
    ];
    assert_eq!(found, expected);
    assert!(problems[0].what.ends_with("did you mean `north`?"), "{}", problems[0]);
}

#[test]
fn no_contest() {
    let (head, _) = TOML.split_once("\n[[contest]]").unwrap();
    let mut files = example();
    files.insert("election.toml".into(), head.into());
    files.insert("ballot.csv".into(), b"contest,line\n".to_vec());
    let problems = package::parse(&files).unwrap_err();
    assert_eq!(problems.iter().map(code_and_place).collect::<Vec<_>>(), [("PK-20", "election.toml:1:1")]);
}

#[test]
fn limits_of_a_record() {
    let mut ballot = String::from("contest,line\nmayor,a\n");
    let mut toml = TOML.to_owned();
    for no in 0..=4096 {
        writeln!(ballot, "governor,{no}").unwrap();
    }
    for no in 3..=65_536 {
        writeln!(toml, "[[contest]]\nid=\"c{no}\"\nname=\"n\"\narea=\"state\"").unwrap();
        writeln!(ballot, "c{no},a").unwrap();
    }
    let mut files = example();
    files.insert("election.toml".into(), toml.into());
    files.insert("ballot.csv".into(), ballot.into());
    let problems = package::parse(&files).unwrap_err();
    let expected = [("PK-23", "election.toml:1:1"), ("PK-23", "ballot.csv:4099:10")];
    assert_eq!(problems.iter().map(code_and_place).collect::<Vec<_>>(), expected);
}

fn with_keys(first: &str, second: &str) -> Result<Election, Vec<Problem>> {
    let mut files = example();
    files
        .insert("stations.csv".into(), format!("key,id,area,registered\n{first},1,north,\n{second},2,south,\n").into());
    package::parse(&files)
}

#[test]
fn keys() {
    let election = with_keys(&KEY.to_uppercase(), KEY_2).unwrap();
    assert_eq!(election.stations()[0].key.as_ref().map(|key| hex::encode(key.as_bytes())).as_deref(), Some(KEY));
    let code_of = |first: &str, second: &str| {
        let problems = with_keys(first, second).expect_err(first);
        assert_eq!(problems.len(), 1, "{problems:?}");
        (problems[0].code, problems[0].place.clone())
    };
    assert_eq!(code_of(KEY, KEY), ("PK-31", "stations.csv:3:1".into()));
    let (identity, not_a_point) = (format!("01{}", "00".repeat(31)), format!("02{}", "00".repeat(31)));
    // y = p + 3: the second spelling of y = 3.
    let second_spelling = format!("f0{}7f", "ff".repeat(30));
    for bad in [&KEY[1..], "zz", &identity, &not_a_point, &second_spelling] {
        assert_eq!(code_of(bad, ""), ("PK-30", "stations.csv:2:1".into()), "{bad}");
    }
}

#[test]
fn messages_cannot_steer_a_terminal() {
    let problems = package::parse(&changed("stations.csv", "north", "\u{1b}[2J\u{9b}")).unwrap_err();
    assert!(problems.iter().all(|problem| !problem.what.contains(char::is_control)), "{problems:?}");
}

#[test]
fn spelling_of_the_files_does_not_change_the_hash() {
    let expected = election().canonical().hash;
    let mut files: Files =
        example().into_iter().map(|(name, bytes)| (name, [b"\xef\xbb\xbf", &bytes[..]].concat())).collect();
    for bytes in files.values_mut() {
        *bytes = String::from_utf8(std::mem::take(bytes)).unwrap().replace('\n', "\r\n").into();
    }
    let toml = String::from_utf8(files["election.toml"].clone()).unwrap();
    let toml = toml.replace("[\"blank\", \"null\"]", "['null', 'blank']") + "[rules.BO-01]\r\n";
    files.insert("election.toml".into(), toml.into());
    let stations = "\"registered\",key,id,area\r\n0500,,1,north\r\n\r\n,,2,south\r\n0,,\"3\",south";
    files.insert("stations.csv".into(), stations.into());
    assert_eq!(package::parse(&files).unwrap().canonical().hash, expected);
    assert!(package::parse_canonical(&files).is_err());
}

#[test]
fn canonical_files_are_these() {
    let toml = format!("{TOML}[rules.BO-01]\nseverity = 'warn'\nallowance = 0x0a\n[rules.AR-02]\nallowance = 1_000\n");
    let mut files = example();
    files.insert("election.toml".into(), toml.replace("Example", "\\\"Ex\\\\ample").into());
    let mut text = String::new();
    for (name, bytes) in canonical_files(&package::parse(&files).unwrap()) {
        write!(text, "--- {name}\n{}", String::from_utf8(bytes).unwrap()).unwrap();
    }
    let expected = r#"--- areas.csv
id,parent,name,kind
state,,State,state
north,state,North,town
south,state,South,town
--- ballot.csv
contest,line,name,candidate,candidate_name,party,party_name
governor,a,A,ann,Ann,pa,Party A
governor,b,B,ann,Ann,pb,pb
mayor,a,a,a,a,,
mayor,z,z,z,z,,
--- election.toml
format = 1
id = "example"
name = "\"Ex\\ample"
date = "2026-07-01"
phase = "drill"

[[contest]]
id = "governor"
name = "Governor"
area = "state"
figures = ["blank", "null"]

[[contest]]
id = "mayor"
name = "Mayor"
area = "north"

[rules.AR-02]
allowance = 1000

[rules.BO-01]
severity = "warn"
allowance = 10
--- stations.csv
id,name,area,registered,kind,key
1,1,north,500,ordinary,
2,2,south,,ordinary,
3,3,south,0,ordinary,
"#;
    assert_eq!(text, expected);
}

fn with_policy(lines: &str) -> Files {
    changed("election.toml", "\n[[contest]]", &format!("[witnesses]\npolicy = {lines}\n[[contest]]"))
}

#[test]
fn a_witness_policy_is_part_of_the_definition_and_none_leaves_its_hash_alone() {
    let lines = ["witness w1 w1+00000000+BA==", "quorum w1"];
    let stated = package::parse(&with_policy(&format!("{lines:?}"))).unwrap();
    assert_eq!(stated.policy_lines(), lines);
    assert_eq!(stated, election().with_policy_lines(lines.map(str::to_owned).into()));
    let files = canonical_files(&stated);
    let toml = String::from_utf8(files["election.toml"].clone()).unwrap();
    let table = "\n[witnesses]\npolicy = [\n    \"witness w1 w1+00000000+BA==\",\n    \"quorum w1\",\n]\n";
    assert!(toml.ends_with(table), "{toml}");
    assert_eq!(package::parse_canonical(&files).unwrap().election(), &stated);
    assert_ne!(stated.canonical().hash, election().canonical().hash);

    let silent = package::parse(&with_policy("[]")).unwrap();
    assert_eq!((silent.policy_lines(), silent.canonical()), ([].as_slice(), election().canonical()));
    // As it was before there were policies.
    let before = "f39ab5c86a6325eb2b30c4ccba00c958c1e7db114a267280194f6f5aeed90a24";
    assert_eq!(election().canonical().hash.to_string(), before);
}

#[test]
fn what_a_policy_means_is_reported_at_its_line() {
    let files = with_policy("[\"quorum none\",\n  \"quorum none\"]");
    let problem = package::policy_problem(&files, 1, "twice");
    assert_eq!((code_and_place(&problem), problem.what.as_str()), (("PK-38", "election.toml:8:3"), "twice"));
    assert_eq!(package::policy_problem(&files, 2, "").place, "election.toml:1:1");
    assert_eq!(package::policy_problem(&Files::new(), 0, "").place, "election.toml:1:1");
}

#[test]
fn parse_canonical_names_file_and_line() {
    let files = canonical_files(&election());
    let committed = package::parse_canonical(&files).unwrap();
    assert_eq!((committed.election(), committed.canonical()), (&election(), &election().canonical()));
    let change = |file: &str, from: &str, to: &str| {
        let mut files = files.clone();
        let text = String::from_utf8(files[file].clone()).unwrap().replace(from, to);
        files.insert(file.into(), text.into());
        let problems = package::parse_canonical(&files).unwrap_err();
        problems.iter().map(|problem| format!("{} {}", problem.code, problem.place)).collect::<Vec<_>>()
    };
    assert_eq!(change("stations.csv", "2,2,", "2,\"2\","), ["PK-33 stations.csv:3:1"]);
    assert_eq!(change("stations.csv", "3,3,south,0,ordinary,\n", "3,3,south,0,ordinary,"), ["PK-33 stations.csv:5:1"]);
    assert_eq!(change("election.toml", "\nid = \"mayor\"", "\nid  = \"mayor\""), ["PK-33 election.toml:14:1"]);
    assert_eq!(change("areas.csv", "id,", "\u{feff}id,"), ["PK-33 areas.csv:1:1"]);
}

#[test]
fn the_recipe_of_the_specification_gives_the_hash() {
    let spec = include_str!("../../../../docs/spec/package.md");
    let recipe =
        "(echo \"tallyproof-definition v1\"; sha256sum areas.csv ballot.csv election.toml stations.csv) | sha256sum";
    assert!(spec.contains(recipe));
    let dir = std::env::temp_dir().join(format!("tallyproof-recipe-{}", std::process::id()));
    std::fs::create_dir_all(&dir).unwrap();
    let canonical = election().canonical();
    for (name, bytes) in &canonical.files {
        std::fs::write(dir.join(name), bytes).unwrap();
    }
    let mut shell = Command::new("sh").current_dir(&dir).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
    shell.stdin.take().unwrap().write_all(recipe.as_bytes()).unwrap();
    let output = String::from_utf8(shell.wait_with_output().unwrap().stdout).unwrap();
    std::fs::remove_dir_all(&dir).unwrap();
    assert_eq!(output, format!("{}  -\n", canonical.hash));
}

#[test]
fn the_specification_lists_every_code() {
    let spec = include_str!("../../../../docs/spec/package.md");
    let table: String =
        package::CODES.iter().fold(String::new(), |table, (code, text)| format!("{table}| {code} | {text} |\n"));
    assert!(spec.contains(&table), "docs/spec/package.md has to hold this table:\n{table}");
}

const RESULTS: &str = "station,contest,@blank,@null,a,b,z\n1,governor,1,,10,20,\n1,mayor,,,7,,8\n3,governor,0,0,0,0,\n";

#[test]
fn reads_results() {
    let results = results::parse(RESULTS.as_bytes(), &election()).unwrap();
    assert_eq!(results.len(), 3);
    let figures = &results[&(StationNo(1), ContestNo(1))];
    assert_eq!(figures.counts, [10, 20]);
    assert_eq!(figures.stated, [(Figure::Blank, 1)].into());
    assert_eq!(results[&(StationNo(1), ContestNo(2))].counts, [7, 8]);
    let rendered = results::render(&results, &election());
    let expected = "station,contest,@blank,@null,@voters,@registered,@total,a,b,z\n\
        1,governor,1,,,,,10,20,\n1,mayor,,,,,,7,,8\n3,governor,0,0,,,,0,0,\n";
    assert_eq!(String::from_utf8(rendered.clone()).unwrap(), expected);
    assert_eq!(results::parse(&rendered, &election()).unwrap(), results);
}

#[test]
fn mistakes_in_results() {
    let cases = [
        ("1,mayor", "9,mayor", "PK-16", "results.csv:3:1"),
        ("1,mayor", "1,major", "PK-16", "results.csv:3:3"),
        ("1,mayor", "2,mayor", "PK-34", "results.csv:3:3"),
        ("3,governor", "1,governor", "PK-35", "results.csv:4:1"),
        ("10,20,\n", "10,,\n", "PK-36", "results.csv:2:18"),
        ("10,20,\n", "10,20,0\n", "PK-37", "results.csv:2:21"),
        ("10,20,\n", "10,20\n", "PK-05", "results.csv:2:1"),
        ("10,20,\n", "10,20,,\n", "PK-05", "results.csv:2:1"),
        ("10,20", "10,2O", "PK-24", "results.csv:2:18"),
        ("governor,1,", "governor,-1,", "PK-24", "results.csv:2:12"),
        ("@blank", "@blnk", "PK-06", "results.csv:1:17"),
        (",a,b,z", ",a,b,zz", "PK-06", "results.csv:1:34"),
        (",a,b,z", ",a,b,zz", "PK-07", "results.csv:1:1"),
        (",a,b,z", ",a,b,a", "PK-08", "results.csv:1:34"),
        ("station,", "sation,", "PK-07", "results.csv:1:1"),
    ];
    for (from, to, code, place) in cases {
        let text = RESULTS.replacen(from, to, 1);
        assert_ne!(text, RESULTS);
        let problems = results::parse(text.as_bytes(), &election()).expect_err(code);
        let found = problems.iter().any(|problem| code_and_place(problem) == (code, place));
        assert!(found, "{code} at {place}: {problems:#?}");
    }
}

#[test]
fn a_country_is_read_fast_enough_to_check_while_editing() {
    let mut stations = String::from("id,area,registered\n");
    for no in 0..30_000 {
        writeln!(stations, "{no},nowhere-{no},x").unwrap();
    }
    let mut files = example();
    files.insert("stations.csv".into(), stations.into());
    let started = std::time::Instant::now();
    assert_eq!(package::parse(&files).unwrap_err().len(), 60_000);
    // Two mistakes a row is the worst case. The bound is far from it, and would not hold if looking up places or
    // guessing names took time quadratic in the file's length.
    assert!(started.elapsed().as_secs() < 5, "{:?}", started.elapsed());
}

const KEY_3: &str = "fc51cd8e6218a1a38da47ed00230f0580816ed13ba3303ac5deb911548908025";
/// Two members, one agent.
const SIGNATORIES: &str = "
[authority]
threshold = 2

[[authority.member]]
name = \"chair\"
key = \"d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a\"

[[authority.member]]
name = \"clerk\"
key = \"3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c\"

[[agent]]
id = \"p1\"
name = \"Agent 1\"
key = \"fc51cd8e6218a1a38da47ed00230f0580816ed13ba3303ac5deb911548908025\"
";

/// The example with authority and agent, of whose text `from` is replaced.
fn with_signatories(from: &str, to: &str) -> Files {
    let mut files = example();
    assert!(SIGNATORIES.contains(from), "{from}");
    files.insert("election.toml".into(), (TOML.to_owned() + &SIGNATORIES.replacen(from, to, 1)).into());
    files
}

#[test]
fn authority_and_agents_are_read_and_rendered_as_written() {
    let files = with_signatories("", "");
    let election = package::parse(&files).unwrap();
    let authority = election.authority().unwrap();
    let members: Vec<_> = authority.members().iter().map(|member| member.name.as_str()).collect();
    assert_eq!((authority.threshold(), members), (2, vec!["chair", "clerk"]));
    assert_eq!(hex::encode(authority.members()[1].key.as_bytes()), KEY_2);
    let agents: Vec<_> = election.agents().iter().map(|agent| (agent.id.as_str(), agent.name.as_str())).collect();
    assert_eq!(agents, [("p1", "Agent 1")]);
    let canonical = canonical_files(&election);
    assert_eq!(String::from_utf8_lossy(&canonical["election.toml"]), TOML.to_owned() + SIGNATORIES);
    assert_eq!(package::parse_canonical(&canonical).unwrap().election(), &election);
}

#[test]
fn who_may_speak_has_one_name_and_one_key_of_his_own() {
    let first = 1 + TOML.lines().count();
    for (from, to, code, line, column) in [
        ("threshold = 2", "threshold = 3", "PK-39", 2, 13),
        ("threshold = 2", "threshold = 0", "PK-39", 2, 13),
        ("threshold = 2", "threshold = \"2\"", "PK-39", 2, 13),
        ("threshold = 2\n", "", "PK-10", 1, 1),
        ("name = \"clerk\"", "name = \"chair\"", "PK-15", 9, 8),
        ("name = \"clerk\"", "name = \"Clerk\"", "PK-13", 9, 8),
        ("name = \"clerk\"\n", "", "PK-10", 8, 1),
        (KEY_2, "", "PK-30", 10, 7),
        (KEY_2, &KEY_2[1..], "PK-30", 10, 7),
        (KEY_2, "0100000000000000000000000000000000000000000000000000000000000000", "PK-30", 10, 7),
        (KEY_2, KEY, "PK-31", 10, 7),
        (KEY_3, KEY, "PK-31", 15, 7),
        ("id = \"p1\"", "id = \"\"", "PK-13", 13, 6),
        ("name = \"Agent 1\"", "title = 1\nname = \"Agent 1\"", "PK-09", 14, 1),
    ] {
        assert_mistake(&with_signatories(from, to), code, &format!("election.toml:{}:{column}", first + line));
    }
    let mut files = with_signatories("", "");
    let stations = format!("id,area,registered,key\n1,north,500,{KEY}\n2,south,,\n");
    files.insert("stations.csv".into(), stations.into());
    assert_mistake(&files, "PK-31", &format!("election.toml:{}:7", first + 6));
}

fn field() -> impl Strategy<Value = String> {
    prop_oneof!["[a-zA-Z0-9 .,\"\\\\'#=ñ語-]{0,12}", "\\PC{0,8}"]
        .prop_filter("no control characters", |text| !text.contains(char::is_control))
}

fn quoted(text: &str) -> String {
    format!("\"{}\"", text.replace('"', "\"\""))
}

prop_compose! {
    /// A valid package with a tree of areas in any order, up to four contests and a register.
    fn valid_package()(
        names in proptest::collection::vec(field(), 40),
        parents in proptest::collection::vec(any::<proptest::sample::Index>(), 1..8),
        order in any::<u64>(),
        contests in proptest::collection::vec((any::<proptest::sample::Index>(), 1usize..6, 1usize..4), 1..4),
        stations in proptest::collection::vec((any::<proptest::sample::Index>(), any::<Option<u32>>(), any::<bool>()), 1..10),
        rule in proptest::option::of(any::<u32>()),
    ) -> Files {
        let names: Vec<_> = names.iter().map(|name| quoted(name)).collect();
        let mut areas: Vec<_> = parents.iter().enumerate().map(|(no, parent)| {
            let parent = if no == 0 { String::new() } else { format!("\"area, {}\"", parent.index(no)) };
            format!("\"area, {no}\",{parent},{},{}\n", names[no], names[no + 8])
        }).collect();
        let middle = usize::try_from(order % areas.len() as u64).unwrap();
        areas.rotate_left(middle);
        let mut toml = String::from("format = 1\nid = 'é\"\\'\nname = 'n'\ndate = '2026-07-01'\nphase = 'official'\n");
        toml += "polls_close = '2026-07-01T18:00:00.5-06:00'\n";
        let mut ballot = String::from("contest,line,name,candidate,party,party_name\n");
        for (no, (area, lines, shared)) in contests.iter().enumerate() {
            let area = area.index(parents.len());
            writeln!(toml, "[[contest]]\nid='c{no}'\nname='''C\"\\{no}'''\narea='area, {area}'\nfigures=['total']").unwrap();
            for line in 0..*lines {
                let party = line % shared;
                writeln!(ballot, "c{no},l{line},{},k{party},p{party},{}", names[16 + line], names[24 + party]).unwrap();
            }
        }
        if let Some(allowance) = rule {
            writeln!(toml, "[rules.BO-02]\nallowance = {allowance}").unwrap();
        }
        let mut register = String::from("kind,id,name,area,registered\n");
        for (no, (area, registered, special)) in stations.iter().enumerate() {
            let kind = if *special { "special" } else { "" };
            let registered = registered.map(|voters| voters.to_string()).unwrap_or_default();
            writeln!(register, "{kind},s{no},{},\"area, {}\",{registered}", names[30 + no], area.index(parents.len())).unwrap();
        }
        [("election.toml", toml), ("areas.csv", areas.into_iter().fold("id,parent,name,kind\n".into(), |all, row| all + &row)),
         ("ballot.csv", ballot), ("stations.csv", register)].map(|(name, text)| (name.to_owned(), text.into_bytes())).into()
    }
}

proptest! {
    #[test]
    fn canonical_form_is_a_fixed_point(files in valid_package(), rest in field()) {
        let election = package::parse(&files).map_err(|problems| TestCaseError::fail(format!("{problems:#?}")))?;
        let election = election.with_policy_lines(vec![format!("group {rest}"), "quorum none".into()]);
        let canonical = election.canonical();
        let again = package::parse_canonical(&canonical_files(&election))
            .map_err(|problems| TestCaseError::fail(format!("{problems:#?}")))?;
        prop_assert_eq!(again.election(), &election);
        prop_assert_eq!(again.canonical(), &canonical);
        for (index, area) in election.areas().iter().enumerate() {
            prop_assert!(area.parent.map_or(index == 0, |parent| parent < index));
        }
    }

    #[test]
    fn results_survive_rendering(files in valid_package(), seed in any::<u32>()) {
        let election = package::parse(&files).unwrap();
        let mut all = results::Results::new();
        for (no, station) in election.numbered_stations() {
            for (contest_no, contest) in election.numbered_contests().filter(|(_, contest)| election.holds(station, contest)) {
                let counts = (0..).take(contest.lines.len()).map(|line| seed.rotate_left(line + no.0)).collect();
                let stated = if station.kind == StationKind::Special { [(Figure::Total, seed)].into() } else { [].into() };
                all.insert((no, contest_no), results::Figures { counts, stated });
            }
        }
        prop_assert_eq!(results::parse(&results::render(&all, &election), &election), Ok(all));
    }

    #[test]
    fn foreign_bytes_are_refused_in_words(
        file in proptest::sample::select(vec!["election.toml", "areas.csv", "stations.csv", "ballot.csv"]),
        at in any::<proptest::sample::Index>(),
        bytes in proptest::collection::vec(any::<u8>(), 0..6),
        cut in 0usize..6,
    ) {
        let mut files = example();
        let content = files.get_mut(file).unwrap();
        let at = at.index(content.len());
        let end = (at + cut).min(content.len());
        content.splice(at..end, bytes);
        let as_results = results::parse(&files[file], &election());
        prop_assert!(as_results.is_err());
        match package::parse(&files) {
            Ok(election) => prop_assert!(package::parse_canonical(&canonical_files(&election)).is_ok()),
            Err(problems) => prop_assert!(!problems.is_empty()),
        }
    }
}

/// A definition with every kind of decision: lists, contests whose seats count for them, bars.
const DECISIONS: &str = r#"format = 1
id = "example"
name = "Example"
date = "2026-07-01"
phase = "drill"

[[contest]]
id = "council"
name = "Council"
area = "state"
figures = ["blank"]

[contest.decision]
type = "lists"
seats = 7
method = "dhondt"
threshold = "1/30"
of = "options-and-blank"
nominal = ["south", "north"]
rule = "within"

[[contest]]
id = "north"
name = "North"
area = "north"

[contest.decision]
type = "plurality"

[[contest]]
id = "south"
name = "South"
area = "south"

[contest.decision]
type = "plurality"
seats = 2

[[contest]]
id = "house"
name = "House"
area = "state"

[contest.decision]
type = "lists"
seats = 5
method = "hare"
ties = ["more-votes"]
alliances = [["d", "c"], ["b", "a"]]
inside = "droop"
threshold = "3.0 %"
threshold_each = "alliance"

[[contest]]
id = "governor"
name = "Governor"
area = "state"

[contest.decision]
type = "run-off"
more_than = "0.5"
ahead = { by_at_least = "10%", at_least = "40%" }

[[contest]]
id = "question"
name = "Question"
area = "state"

[contest.decision]
at_least = "2/3"
type = "majority"
"#;
const DECISIONS_BALLOT: &str = "contest,line,party\ncouncil,x,\ncouncil,y,\nnorth,n1,y\nnorth,n2,z\nsouth,s1,x\nsouth,s2,\n\
    house,a,\nhouse,b,\nhouse,c,\nhouse,d,\ngovernor,g1,\ngovernor,g2,\nquestion,yes,\nquestion,no,\n";

fn decisions(from: &str, to: &str) -> Files {
    let mut files = example();
    assert!(DECISIONS.contains(from), "{from:?}");
    files.insert("election.toml".into(), DECISIONS.replacen(from, to, 1).into());
    files.insert("ballot.csv".into(), DECISIONS_BALLOT.into());
    files
}

#[test]
fn decisions_are_read() {
    let election = package::parse(&decisions("", "")).unwrap();
    let decision = |no: u16| election.contest(ContestNo(no)).unwrap().decision.clone().unwrap();
    let share = |text: &str| text.parse::<Share>().unwrap();
    let threshold = |text, of, each| Some(Threshold { share: share(text), of, each });
    let lists = |method, seats, threshold| Lists {
        method,
        seats,
        threshold,
        ties: Vec::new(),
        alliances: Vec::new(),
        inside: None,
        mixed: None,
    };
    let nominal = Nominal { contests: vec![ContestNo(2), ContestNo(3)], rule: MixedRule::Within };
    let council = lists(Method::DHondt, 7, threshold("1/30", Whole::OptionsAndBlank, Each::List));
    assert_eq!(decision(1), Decision::Lists(Lists { mixed: Some(nominal), ..council }));
    assert_eq!(decision(2), Decision::Plurality { seats: 1 });
    assert_eq!(decision(3), Decision::Plurality { seats: 2 });
    let house = Lists {
        ties: vec![TieRule::MoreVotes],
        alliances: vec![vec![0, 1], vec![2, 3]],
        inside: Some(Method::Droop),
        ..lists(Method::Hare, 5, threshold("3%", Whole::Options, Each::Alliance))
    };
    assert_eq!(decision(4), Decision::Lists(house));
    let ahead = Ahead { reach: Bar::AtLeast(share("40%")), by: Bar::AtLeast(share("10%")) };
    let bar = Bar::MoreThan(share("50%"));
    assert_eq!(decision(5), Decision::RunOff { bar, ahead: Some(ahead), of: Whole::Options });
    assert_eq!(decision(6), Decision::Majority { bar: Bar::AtLeast(share("2/3")), of: Whole::Options });
    let council = election.contest(ContestNo(1)).unwrap();
    let lists_of = |no: u16| election.contest(ContestNo(no)).unwrap().lists_of(council);
    assert_eq!((lists_of(2), lists_of(3)), (vec![Some(1), None], vec![Some(0), None]));
}

#[test]
fn decisions_have_one_canonical_form() {
    let election = package::parse(&decisions("", "")).unwrap();
    let files = canonical_files(&election);
    let toml = std::str::from_utf8(&files["election.toml"]).unwrap();
    for table in [
        "[contest.decision]\ntype = \"lists\"\nseats = 7\nof = \"options-and-blank\"\nmethod = \"dhondt\"\nthreshold = \"1/30\"\n\
         threshold_each = \"list\"\nnominal = [\"north\", \"south\"]\nrule = \"within\"\n\n",
        "[contest.decision]\ntype = \"plurality\"\nseats = 1\n\n",
        "[contest.decision]\ntype = \"lists\"\nseats = 5\nof = \"options\"\nmethod = \"hare\"\nthreshold = \"3%\"\n\
         threshold_each = \"alliance\"\nties = [\"more-votes\"]\nalliances = [[\"a\", \"b\"], [\"c\", \"d\"]]\ninside = \"droop\"\n\n",
        "[contest.decision]\ntype = \"run-off\"\nmore_than = \"50%\"\n\
         ahead = { at_least = \"40%\", by_at_least = \"10%\" }\nof = \"options\"\n\n",
        "[contest.decision]\ntype = \"majority\"\nat_least = \"2/3\"\nof = \"options\"\n",
    ] {
        assert!(toml.contains(table), "{table}\nis not in\n{toml}");
    }
    let again = package::parse_canonical(&files).unwrap();
    assert_eq!(again.election(), &election);
    // What a definition says without the table it says as ever.
    assert!(
        !String::from_utf8(canonical_files(&self::election())["election.toml"].clone()).unwrap().contains("decision")
    );
}

/// What is replaced by what in [`DECISIONS`], and the code that it gives, with what stands at its place.
const DECISION_MISTAKES: &[(&str, &str, &str, &str)] = &[
    ("[contest.decision]\ntype = \"plurality\"\nseats = 2", "decision = 1", "PK-11", "1"),
    ("threshold = \"1/30\"", "treshold = \"1/30\"", "PK-09", "treshold"),
    ("type = \"plurality\"", "seats = 1", "PK-10", "[contest.decision]"),
    ("type = \"plurality\"", "type = \"first\"", "PK-25", "\"first\""),
    ("type = \"plurality\"", "type = \"plurality\"\nmethod = \"hare\"", "PK-40", "method"),
    ("seats = 5\n", "", "PK-10", "[contest.decision]"),
    ("seats = 5", "seats = 0", "PK-42", "0"),
    ("seats = 5", "seats = \"5\"", "PK-42", "\"5\""),
    ("seats = 2", "seats = 1001", "PK-42", "1001"),
    ("method = \"hare\"\n", "", "PK-10", "[contest.decision]"),
    ("method = \"hare\"", "method = \"hamilton\"", "PK-25", "\"hamilton\""),
    ("threshold = \"3.0 %\"", "threshold = \"3.0 percent\"", "PK-41", "\"3.0 percent\""),
    ("threshold = \"3.0 %\"", "", "PK-40", "threshold_each"),
    ("threshold = \"1/30\"", "", "PK-40", "of"),
    ("threshold_each = \"alliance\"", "threshold_each = \"all\"", "PK-25", "\"all\""),
    ("figures = [\"blank\"]", "", "PK-40", "\"options-and-blank\""),
    ("of = \"options-and-blank\"", "of = \"all\"", "PK-25", "\"all\""),
    ("more_than = \"0.5\"", "more_than = \"0.5\"\nat_least = \"0.5\"", "PK-41", "[contest.decision]"),
    ("at_least = \"2/3\"\n", "", "PK-41", "[contest.decision]"),
    ("at_least = \"2/3\"", "at_least = \"4/3\"", "PK-41", "\"4/3\""),
    (", at_least = \"40%\"", "", "PK-41", "{ by_at_least"),
    ("by_at_least = \"10%\"", "by = \"10%\"", "PK-09", "by = "),
    ("ahead = { by_at_least = \"10%\", at_least = \"40%\" }", "ahead = \"40%\"", "PK-11", "\"40%\""),
    ("ties = [\"more-votes\"]", "ties = \"more-votes\"", "PK-11", "\"more-votes\""),
    ("ties = [\"more-votes\"]", "ties = [\"more\"]", "PK-25", "\"more\""),
    ("ties = [\"more-votes\"]", "ties = [\"more-votes\", \"more-votes\"]", "PK-25", "\"more-votes\"]"),
    ("[\"b\", \"a\"]", "[\"e\", \"a\"]", "PK-16", "\"e\""),
    ("[\"b\", \"a\"]", "[\"d\", \"a\"]", "PK-43", "\"d\", \"a\""),
    ("[\"b\", \"a\"]", "[\"b\"]", "PK-43", "[\"b\"]"),
    ("[\"b\", \"a\"]", "\"b\"", "PK-11", "\"b\"]"),
    ("alliances = [[\"d\", \"c\"], [\"b\", \"a\"]]", "", "PK-40", "inside"),
    ("rule = \"within\"", "", "PK-40", "nominal"),
    ("rule = \"within\"", "rule = \"mixed\"", "PK-25", "\"mixed\""),
    ("method = \"dhondt\"", "method = \"hare\"", "PK-40", "\"within\""),
    ("nominal = [\"south\", \"north\"]", "", "PK-40", "rule"),
    ("nominal = [\"south\", \"north\"]", "nominal = []", "PK-10", "[]"),
    ("nominal = [\"south\", \"north\"]", "nominal = [\"west\"]", "PK-16", "\"west\""),
    ("nominal = [\"south\", \"north\"]", "nominal = [\"question\"]", "PK-44", "\"question\""),
    ("nominal = [\"south\", \"north\"]", "nominal = [\"north\", \"north\"]", "PK-44", "\"north\"]"),
    ("inside = \"droop\"", "inside = \"droop\"\nnominal = [\"question\"]\nrule = \"added\"", "PK-40", "alliances"),
];

#[test]
fn every_mistake_of_a_decision_has_its_code_and_place() {
    for &(from, to, code, at) in DECISION_MISTAKES {
        let files = decisions(from, to);
        let problems = package::parse(&files).unwrap_err();
        let text = std::str::from_utf8(&files["election.toml"]).unwrap();
        let stands_at = |problem: &Problem| {
            let [line, column] =
                [1, 2].map(|part| problem.place.split(':').nth(part).unwrap().parse::<usize>().unwrap());
            text.lines().nth(line - 1).unwrap()[column - 1..].starts_with(at)
        };
        let found = problems.iter().any(|problem| problem.code == code && stands_at(problem));
        assert!(found, "{from} -> {to}: {problems:?}");
    }
}

#[test]
fn a_seat_won_by_name_counts_for_one_list() {
    let mut files = decisions("", "");
    let ballot = DECISIONS_BALLOT.replace("contest,line,party", "contest,line,party,candidate");
    let ballot = ballot.lines().map(|line| if line.contains("candidate") { line.into() } else { format!("{line},") });
    let ballot = ballot.collect::<Vec<_>>().join("\n").replace("north,n2,z,", "north,n2,z,\nnorth,n3,x,n1");
    files.insert("ballot.csv".into(), ballot.into_bytes());
    let problems = package::parse(&files).unwrap_err();
    assert_eq!(problems.iter().map(|problem| problem.code).collect::<Vec<_>>(), ["PK-44"], "{problems:?}");
    assert!(problems[0].what.contains("`n1` of contest `north` stands for the lists `y` and `x`"), "{problems:?}");
}
