//! Each check of the table fails for a bundle made to fail it.

use std::collections::{BTreeMap, BTreeSet};

use tallyproof_count::{Source, bundle, check::TABLE, verify};
use tallyproof_log::{checkpoint::Checkpoint, merkle::Hash, note};
use tallyproof_record::StationNo;

use crate::world::{
    Files, GOVERNOR, World, election, election_with, good_records, log_key, policy, problems, sealed, sealed_by, sign,
    station_key, tally,
};

/// Cannot read one of its files.
struct Faulty(Files, &'static str);

impl Source for Faulty {
    fn read(&self, path: &str) -> Result<Option<Vec<u8>>, String> {
        if path == self.1 { Err("bad sector".into()) } else { self.0.read(path) }
    }

    fn list(&self) -> Result<Option<Vec<String>>, String> {
        self.0.list()
    }
}

const PARTIAL: &str = "log/tile/entries/000.p/3";

/// A bundle with left-over tiles of size 3.
fn world() -> World {
    World { earlier: vec![3], ..World::new(8) }
}

fn without(path: &str) -> Files {
    let mut files = world().bundle();
    files.remove(path).unwrap();
    files
}

fn with(path: &str, bytes: &[u8]) -> Files {
    let mut files = world().bundle();
    files.insert(path.into(), bytes.into());
    files
}

/// Changes a file's text.
fn edited(path: &str, from: &str, to: &str) -> Files {
    let text = String::from_utf8(world().bundle().remove(path).unwrap()).unwrap();
    assert!(text.contains(from), "{text}");
    with(path, text.replacen(from, to, 1).as_bytes())
}

/// Changes a file and lists it anew, as the log's owner can.
fn published(path: &str, bytes: &[u8]) -> Files {
    let world = world();
    let mut files = world.content();
    files.insert(path.into(), bytes.into());
    let manifest = world.manifest(&files);
    files.insert(bundle::MANIFEST.into(), manifest);
    files
}

fn with_manifest(change: impl FnOnce(&mut tallyproof_count::manifest::Manifest)) -> Files {
    let world = world();
    let mut files = world.content();
    let mut manifest = world.unsigned_manifest(&files);
    change(&mut manifest);
    files.insert(bundle::MANIFEST.into(), sign(&manifest));
    files
}

fn with_flipped(path: &str, at: usize) -> Files {
    let mut files = world().bundle();
    files.get_mut(path).unwrap()[at] ^= 1;
    files
}

/// A log that its owner signed although it holds these entries.
fn with_entries(change: impl FnOnce(&mut Vec<Vec<u8>>)) -> Files {
    let mut world = world();
    change(&mut world.entries);
    world.earlier.clear();
    world.manifest_size = world.size();
    world.bundle()
}

fn wrong_root() -> Files {
    let (world, key) = (world(), log_key());
    let origin = key.verifier().name().clone();
    let checkpoint = Checkpoint { origin, size: world.size(), root: Hash([1; 32]) };
    with(bundle::CHECKPOINT, checkpoint.sign(&key).unwrap().as_bytes())
}

fn doubly_signed_checkpoint() -> Files {
    let files = world().bundle();
    let checkpoint = String::from_utf8(files[bundle::CHECKPOINT].clone()).unwrap();
    let signature = checkpoint.lines().last().unwrap();
    with(bundle::CHECKPOINT, format!("{checkpoint}{signature}\n").as_bytes())
}

/// A finished bundle that asks for two witnesses and has them, at size 3 too; changed.
fn frozen(change: impl FnOnce(&mut World)) -> Files {
    let world = World { earlier: vec![3], cosigned: Some((3, vec![11, 12])), ..World::asking(8, "two", &[11, 13]) };
    let mut world = World { frozen: true, ..world };
    change(&mut world);
    world.bundle()
}

/// The same, whose manifest does not pin the final checkpoint.
fn unlisted_end() -> Files {
    let mut files = frozen(|_| ());
    let manifest = frozen(|world| world.frozen = false)[bundle::MANIFEST].clone();
    files.insert(bundle::MANIFEST.into(), manifest);
    files
}

/// The same, whose final checkpoint is not the latest.
fn frozen_early() -> Files {
    let mut files = frozen(|_| ());
    let early = files[bundle::COSIGNED].clone();
    files.insert(bundle::FROZEN.into(), early);
    files
}

/// The same, cosigned at a size where the log had another root.
fn forked() -> Files {
    let mut files = frozen(|_| ());
    let other = World { entries: world().entries, ..World::asking(8, "two", &[]) };
    files.insert(bundle::COSIGNED.into(), other.checkpoint(3, &[11, 12]));
    files
}

/// What is done to the bundle, and the check that has to fail at which place.
fn cases() -> Vec<(Files, &'static str, &'static str)> {
    let last_tile = "log/tile/entries/000.p/15";
    let other = election(9);
    let drill = election(8);
    let official = election_with(8, "official");
    assert_ne!(drill.hash(), official.hash());
    let vkeys = world().bundle()[bundle::VKEYS].clone();
    vec![
        (without("site/index.html"), "BN-01", "site/index.html"),
        (without(last_tile), "BN-01", last_tile),
        (without("log/tile/0/000.p/15"), "BN-01", "log/tile/0/000.p/15"),
        (with("site/more.html", b""), "BN-03", "site/more.html"),
        (with("log/notes.txt", b""), "BN-04", "log/notes.txt"),
        (published("log/notes.txt", b""), "BN-04", "log/notes.txt"),
        (with("log/tile/0/0", b""), "BN-04", "log/tile/0/0"),
        (with("log/tile/0/000.p/16", b""), "BN-04", "log/tile/0/000.p/16"),
        (with("log/tile/1/000.p/1", b""), "BN-04", "log/tile/1/000.p/1"),
        (with(bundle::MANIFEST, b"hello"), "BN-05", bundle::MANIFEST),
        (with(bundle::CHECKPOINT, note::sign("a\n", &log_key()).unwrap().as_bytes()), "BN-05", bundle::CHECKPOINT),
        (edited(bundle::CHECKPOINT, "\n15\n", "\n14\n"), "BN-06", bundle::CHECKPOINT),
        (edited(bundle::MANIFEST, "  site/", "  sita/"), "BN-06", bundle::MANIFEST),
        (edited(bundle::MANIFEST, "— log", "— lag"), "BN-07", bundle::MANIFEST),
        (World::asking(8, "none", &[14]).bundle(), "BN-07", bundle::CHECKPOINT),
        (doubly_signed_checkpoint(), "BN-07", bundle::CHECKPOINT),
        (edited(bundle::VKEYS, "log.example", "lag.example"), "BN-08", bundle::VKEYS),
        (with(bundle::VKEYS, &vkeys[..vkeys.len() - 1]), "BN-08", bundle::VKEYS),
        (published(bundle::POLICY, b"quorum none\n"), "BN-09", bundle::POLICY),
        (published(bundle::POLICY, b"witness w\n"), "BN-09", bundle::POLICY),
        (with_manifest(|manifest| manifest.root = Hash([1; 32])), "BN-10", bundle::MANIFEST),
        (with_manifest(|manifest| manifest.tree_size += 1), "BN-10", bundle::MANIFEST),
        (with_flipped("site/index.html", 4), "BN-11", "site/index.html"),
        (with_manifest(|manifest| assert!(manifest.files.remove(bundle::TOTALS).is_some())), "BN-12", bundle::MANIFEST),
        (with(last_tile, b"\x00"), "BN-13", last_tile),
        (with_flipped(last_tile, 40), "BN-14", last_tile),
        (wrong_root(), "BN-15", bundle::CHECKPOINT),
        (with_flipped("log/tile/0/000.p/15", 40), "BN-16", "log/tile/0/000.p/15"),
        (with("log/tile/0/000.p/15", b""), "BN-16", "log/tile/0/000.p/15"),
        (with_flipped(PARTIAL, 40), "BN-17", PARTIAL),
        (with_flipped("log/tile/0/000.p/3", 40), "BN-17", "log/tile/0/000.p/3"),
        (with_entries(|entries| entries[0] = crate::world::definition_entry(&other)), "BN-18", "entry 0"),
        (with_entries(|entries| entries[4] = entries[0].clone()), "BN-18", "entry 4"),
        (with_entries(|entries| entries[0] = entries[1].clone()), "BN-18", "entry 0"),
        (with_entries(Vec::clear), "BN-18", bundle::CHECKPOINT),
        (with_entries(|entries| entries[4][0] = 7), "BN-19", "entry 4"),
        (with_entries(|entries| entries[4].clear()), "BN-19", "entry 4"),
        (with_entries(|entries| entries[4].push(0)), "BN-20", "entry 4"),
        (with_entries(|entries| *entries[4].last_mut().unwrap() ^= 1), "BN-21", "entry 4"),
        (with_entries(|entries| entries.push(entries[4].clone())), "BN-22", "entry 15"),
        (published(bundle::TOTALS, b"{}\n"), "BN-23", bundle::TOTALS),
        (published(bundle::STATIONS, b"station\n"), "BN-24", bundle::STATIONS),
        (frozen(|world| world.cosigners = vec![11]), "BN-27", bundle::CHECKPOINT),
        (frozen(|world| world.policy = policy("w11")), "BN-28", bundle::POLICY),
        (frozen(|world| world.cosigned = Some((3, vec![11]))), "BN-29", bundle::COSIGNED),
        (frozen(|world| world.cosigned = Some((3, vec![]))), "BN-29", bundle::COSIGNED),
        (forked(), "BN-29", bundle::COSIGNED),
        (frozen_early(), "BN-30", bundle::FROZEN),
        (frozen(|world| world.manifest_size = 3), "BN-30", bundle::FROZEN),
        (unlisted_end(), "BN-30", bundle::FROZEN),
        (with_entries(|entries| entries[4][0] = 5), "BN-32", "entry 4"),
        (published(bundle::STATEMENTS, b"{}\n"), "BN-34", bundle::STATEMENTS),
        (published("bulletins/1/bulletin.json", b"{}\n"), "BN-38", "bulletins/1/bulletin.json"),
    ]
}

#[test]
fn every_check_can_fail() {
    let mut reached = BTreeSet::new();
    for (files, code, place) in cases() {
        let found = verify(&files, None, &|_, _| ()).unwrap();
        assert!(problems(&found).contains(&(code, place)), "{code} at {place} not in {:#?}", found.problems);
        assert!(!found.ok);
        reached.insert(code);
    }
    let faulty = Faulty(world().bundle(), "index/totals.json");
    assert_eq!(problems(&verify(&faulty, None, &|_, _| ()).unwrap()), [("BN-02", "index/totals.json")]);
    // BN-25 and BN-26 need a trust file: `verify::another_trusted_definition_or_key_is_a_problem`; BN-31 a proof:
    // `verify::a_fork_of_the_bundles_log_is_held_against_it`; BN-33 and BN-35 to BN-37 an authority:
    // `statements::a_statement_that_no_honest_log_holds_is_a_problem`, `bulletins`.
    reached.extend(["BN-02", "BN-25", "BN-26", "BN-31", "BN-33", "BN-35", "BN-36", "BN-37"]);
    assert_eq!(reached, TABLE.iter().map(|(code, _)| *code).collect());
}

#[test]
fn a_finished_bundle_holds() {
    let found = verify(&frozen(|_| ()), None, &|_, _| ()).unwrap();
    assert_eq!((problems(&found), found.frozen, found.warnings.len()), (vec![], true, 0));
}

#[test]
fn what_witnesses_cosigned_lies_within_the_log() {
    let longer = World::asking(9, "two", &[]);
    let mut files = frozen(|_| ());
    files.insert(bundle::COSIGNED.into(), longer.checkpoint(longer.size(), &[11, 12]));
    assert!(problems(&verify(&files, None, &|_, _| ()).unwrap()).contains(&("BN-29", bundle::COSIGNED)));
}

#[test]
fn an_altered_entry_is_the_only_file_named() {
    // The hash tiles tell which entry was altered; the index is not blamed for it.
    let path = "log/tile/entries/000.p/15";
    let found = verify(&with_flipped(path, 400), None, &|_, _| ()).unwrap();
    let places: BTreeMap<_, usize> = problems(&found).into_iter().fold(BTreeMap::new(), |mut places, (_, place)| {
        *places.entry(place).or_default() += 1;
        places
    });
    assert!(places.keys().all(|place| *place == path || place.starts_with("entry ")), "{places:?}");
    assert!(found.root != world().tree().root().to_base64());
}

#[test]
fn a_record_under_another_key_is_logged_as_rejected_and_not_a_problem() {
    let definition = election(8);
    let mut records = good_records(&definition);
    records[3] = sealed_by(&tally(&definition, 4, GOVERNOR, 0), &station_key(StationNo(5)));
    records.push(sealed(&tally(&definition, 99, GOVERNOR, 0)));
    let found = verify(&World::with(&definition, &records).bundle(), None, &|_, _| ()).unwrap();
    assert_eq!(problems(&found), []);
    assert_eq!((found.counted, found.missing, found.rejected), (13, 1, 2));
}
