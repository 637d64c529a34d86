//! A small election with its records and its bundle, for the decoders that need a whole world around their bytes.

use std::collections::BTreeMap;
use std::sync::{Arc, LazyLock};

use tallyproof_centre::journal::Cut;
use tallyproof_centre::sequencer::Growth;
use tallyproof_centre::{Intake, Sequencer};
use tallyproof_count::bulletin::Document;
use tallyproof_count::bundle::{self, CHECKPOINT, COSIGNED, FROZEN, MANIFEST, POLICY, VKEYS};
use tallyproof_count::manifest::Manifest;
use tallyproof_count::{Ledger, Trust};
use tallyproof_log::checkpoint::Checkpoint;
use tallyproof_log::note::SignedNote;
use tallyproof_log::policy::{Policy, Threshold};
use tallyproof_record::definition::{Committed, package};
use tallyproof_record::tally::Tally;
use tallyproof_record::{ContestNo, Phase, SealedRecord, StationNo, cose};

use crate::keys;

const ELECTION: &str = r#"format = 1
id = "seed-2026"
name = "Seed 2026"
date = "2026-07-01"
phase = "drill"
polls_close = "2026-07-01T18:00:00-06:00"

[[contest]]
id = "mayor"
name = "Mayor"
area = "town"
figures = ["blank", "voters"]

[rules.BO-01]
severity = "warn"
"#;
const AREAS: &str = "id,parent,name,kind\nland,,Land,country\ntown,land,\"Town, the\",city\n";
const BALLOT: &str = "contest,line,name,candidate,candidate_name,party,party_name\n\
                      mayor,l1,Line 1,c1,Candidate 1,p1,Party 1\nmayor,l2,Line 2,c1,Candidate 1,p2,Party 2\nmayor,l3,,,,,\n";
const STATIONS: &str = "id,name,area,registered,kind,key\ns1,School,town,300,ordinary,\ns2,,town,,special,\n";
/// Figures for one of the two stations.
pub(crate) const RESULTS: &str = "station,contest,@blank,@voters,l1,l2,l3\ns1,mayor,1,11,2,3,5\n";

/// A definition in which every kind of rule decides a contest.
pub(crate) const DECIDED: [(&str, &str); 4] =
    [("election.toml", DECISIONS), ("areas.csv", AREAS), ("ballot.csv", DECIDED_BALLOT), ("stations.csv", STATIONS)];
const DECISIONS: &str = r#"format = 1
id = "seed-2027"
name = "Seed 2027"
date = "2027-07-01"
phase = "drill"

[[contest]]
id = "council"
name = "Council"
area = "town"
figures = ["blank"]

[contest.decision]
type = "lists"
seats = 7
of = "options-and-blank"
method = "dhondt"
threshold = "1/30"
nominal = ["ward"]
rule = "within"

[[contest]]
id = "ward"
name = "Ward"
area = "town"

[contest.decision]
type = "plurality"
seats = 2

[[contest]]
id = "house"
name = "House"
area = "land"

[contest.decision]
type = "lists"
seats = 3
method = "hare"
threshold = "3.5%"
threshold_each = "alliance"
ties = ["more-votes"]
alliances = [["b", "a"]]
inside = "droop"

[[contest]]
id = "mayor"
name = "Mayor"
area = "town"

[contest.decision]
type = "run-off"
more_than = "50%"
ahead = { at_least = "40%", by_at_least = "10%" }

[[contest]]
id = "question"
name = "Question"
area = "land"

[contest.decision]
type = "majority"
at_least = "2/3"
"#;
const DECIDED_BALLOT: &str = "contest,line,party\ncouncil,x,\ncouncil,y,\nward,w1,x\nward,w2,z\nhouse,a,\nhouse,b,\nhouse,c,\n\
                              mayor,m1,\nmayor,m2,\nquestion,yes,\nquestion,no,\n";

/// The definition as an authority would write it.
pub(crate) const PACKAGE: [(&str, &str); 4] =
    [("election.toml", ELECTION), ("areas.csv", AREAS), ("ballot.csv", BALLOT), ("stations.csv", STATIONS)];

static DEFINITION: LazyLock<Arc<Committed>> = LazyLock::new(|| {
    let files = PACKAGE.map(|(name, text)| (name.to_owned(), text.as_bytes().to_vec())).into();
    let election = package::parse(&files).unwrap_or_else(|problems| unreachable!("the package is sound: {problems:?}"));
    let lines = policy().to_string().lines().skip(1).map(str::to_owned).collect();
    let election = election.with_keys(|no| keys::station(no).verifying_key().into()).with_policy_lines(lines);
    Arc::new(election.commit())
});

static BUNDLE: LazyLock<Files> =
    LazyLock::new(|| build().unwrap_or_else(|error| unreachable!("the world is sound: {error}")));

/// Bundle paths and bytes.
pub(crate) type Files = BTreeMap<String, Vec<u8>>;

/// The election's committed definition, every station with its key.
pub(crate) fn definition() -> &'static Arc<Committed> {
    &DEFINITION
}

/// What a sceptic knows of it from outside.
pub(crate) fn trust() -> Trust {
    Trust { definition: *definition().hash(), log: keys::log().verifier().clone(), policy: Some(policy()) }
}

/// Asks for the one witness, through a group.
pub(crate) fn policy() -> Policy {
    let policy = Policy::without_witnesses([keys::log().verifier().clone()]).and_then(|mut policy| {
        policy.add_witness("w", keys::witness().verifier().clone(), Some("https://example.org/witness"))?;
        policy.add_group("all", Threshold::All, &["w"])?;
        policy.set_quorum("all").map(|()| policy)
    });
    policy.unwrap_or_else(|error| unreachable!("the policy is sound: {error}"))
}

/// Three sealed records: one that counts, one that contradicts it, and one that breaks a rule.
pub(crate) fn records() -> [SealedRecord; 3] {
    let tally = |station, counts: [u32; 3], voters| Tally {
        blank: Some(1),
        voters: Some(voters),
        ..Tally::new(
            *definition().hash(),
            Phase::Drill,
            StationNo(station),
            ContestNo(1),
            1_782_864_000,
            counts.to_vec(),
        )
    };
    [tally(1, [2, 3, 5], 11), tally(1, [3, 2, 5], 11), tally(2, [7, 0, 0], 4)]
        .map(|t| cose::seal(&t, &keys::station(t.station)))
}

/// The finished bundle of these records.
pub(crate) fn bundle() -> Files {
    BUNDLE.clone()
}

fn build() -> Result<Files, Box<dyn std::error::Error>> {
    let (growth, ledger) = sequence()?;
    let log = keys::log();
    let mut files = Files::new();
    for (name, bytes) in &definition().canonical().files {
        files.insert(format!("election/{name}"), bytes.clone());
    }
    files.insert(VKEYS.to_owned(), format!("{}\n", log.verifier()).into_bytes());
    files.insert(POLICY.to_owned(), policy().to_string().into_bytes());
    files.extend(bundle::index_files(&ledger).map(|(path, bytes)| (path.to_owned(), bytes)));
    let origin = log.verifier().name().clone();
    let checkpoint = Checkpoint { origin: origin.clone(), size: growth.size, root: growth.root };
    let mut note = SignedNote::parse(checkpoint.sign(&log)?.as_bytes())?;
    let witness = keys::witness();
    note.attach(witness.cosign(&checkpoint, 1_782_864_000)?, witness.verifier())?;
    files.insert(FROZEN.to_owned(), note.to_string().into_bytes());
    let mut manifest = Manifest { origin, tree_size: growth.size, root: growth.root, files: BTreeMap::new() };
    for (path, bytes) in &files {
        manifest.insert(path.parse()?, bytes);
    }
    files.insert(MANIFEST.to_owned(), manifest.sign(&log)?.into_bytes());
    files.insert(COSIGNED.to_owned(), note.to_string().into_bytes());
    files.insert(CHECKPOINT.to_owned(), note.to_string().into_bytes());
    files.extend(growth.tiles.into_iter().map(|(path, bytes)| (bundle::tile_path(&path), bytes)));
    Ok(files)
}

/// A bulletin of everything in the log: its JSON and its CSV.
pub(crate) fn bulletin() -> &'static [Vec<u8>; 2] {
    static BULLETIN: LazyLock<[Vec<u8>; 2]> = LazyLock::new(|| {
        let (growth, ledger) = sequence().unwrap_or_else(|error| unreachable!("the world is sound: {error}"));
        let document = Document::of(&ledger, 1, 1_782_864_000, growth.root);
        [document.to_json(), document.to_csv()]
    });
    &BULLETIN
}

/// The log after one batch with all records, and the count of it.
fn sequence() -> Result<(Growth, Ledger), Box<dyn std::error::Error>> {
    let intake = Intake::new(Arc::clone(definition()));
    let admitted = records().map(|record| intake.admit(record.into_bytes()));
    let mut batch = admitted.into_iter().collect::<Result<Vec<_>, _>>()?;
    let (mut sequencer, _) = Sequencer::begin(definition())?;
    let growth = sequencer.cut(Cut::after(batch.len() as u64), &mut batch)?;
    let mut ledger = Ledger::new(Arc::clone(definition()));
    for (index, record) in (growth.first..).zip(&batch) {
        ledger.apply(index, record.judged());
    }
    Ok((growth, ledger))
}
