use std::collections::{BTreeMap, BTreeSet};

use sha2::{Digest, Sha256};
use tallyproof_record::definition::{StationKind, results};

use super::*;
use crate::network::Chance;
use crate::population::{Class, Population};

const MINI: &str =
    "format = 1\nseed = 7\nstates = 3\nmunicipalities = 9\nstations = 60\nrolls_unknown = 4\nspecial = 2\n";

fn package(recipe: &str) -> Files {
    let files = [(HEAD, DRILL_HEAD), (RECIPE_FILE, recipe)];
    files.into_iter().map(|(name, text)| (name.to_owned(), text.as_bytes().to_vec())).collect()
}

fn made(recipe: &str) -> (Election, Results) {
    let made = expand(&package(recipe)).unwrap_or_else(|found| panic!("{found:#?}"));
    let election = package::parse(&made.files).unwrap_or_else(|found| panic!("{found:#?}"));
    (election, made.results)
}

fn assert_all_counted(election: Election, results: &Results) {
    let definition = election.with_keys(|no| Seed(1).station_key(no).verifying_key().into()).commit();
    let population = Population::new(&definition, results, Seed(1), Chance::NEVER).unwrap();
    let part = |(station, contest)| population.part(station, contest).unwrap();
    assert!(population.reporting_order().concat().into_iter().map(part).all(|part| part.class == Class::Counted));
}

#[test]
fn a_drill_of_any_size_has_every_station_counted_and_goes_round_the_country() {
    for stations in [1, 19, 500] {
        let Synthetic { election, results } = election(NonZeroU32::new(stations).unwrap(), Seed(1)).unwrap();
        assert_eq!((election.stations().len(), results.len()), (stations as usize, stations as usize));
        let areas: BTreeSet<_> = election.stations().iter().map(|station| station.area).collect();
        assert_eq!(areas.len(), stations.min(20) as usize);
        assert_all_counted(election, &results);
    }
}

#[test]
fn the_seed_alone_decides() {
    let drill = |seed| election(NonZeroU32::new(40).unwrap(), Seed(seed)).unwrap().results;
    assert_eq!(drill(1), drill(1));
    assert_ne!(drill(1), drill(2));
    assert_ne!(made(MINI).1, made(&MINI.replace("seed = 7", "seed = 8")).1);
}

#[test]
fn every_station_votes_on_every_office_and_breaks_no_rule() {
    let (election, results) = made(MINI);
    assert_eq!(election.stations().len(), 60);
    let held: BTreeSet<_> = election
        .numbered_stations()
        .flat_map(|(no, station)| {
            election.numbered_contests().map(move |(contest_no, contest)| (no, station, contest_no, contest))
        })
        .filter(|(_, station, _, contest)| election.holds(station, contest))
        .map(|(no, _, contest, _)| (no, contest))
        .collect();
    assert_eq!(held, results.keys().copied().collect());
    let kinds = |id: &str| election.contests().iter().filter(|contest| contest.id.starts_with(id)).count();
    assert_eq!((kinds("governor-"), kinds("mayor-"), kinds("municipal-")), (3, 9, 9));
    let districts = election.contests().iter().filter(|contest| contest.id.contains("-d")).count();
    assert_eq!(kinds("legislative-"), 3 + districts);
    assert!(districts >= 2);
    let unknown = election.stations().iter().filter(|station| station.registered.is_none()).count();
    let special = election.stations().iter().filter(|station| station.kind == StationKind::Special).count();
    assert_eq!((unknown, special), (4, 2));
    assert_all_counted(election, &results);
}

#[test]
fn several_lists_stand_behind_one_candidate_for_governor() {
    let (election, _) = made(MINI);
    let governors = election.contests().iter().filter(|contest| contest.id.starts_with("governor-"));
    assert!(governors.clone().all(|contest| contest.candidates.len() <= contest.lines.len()));
    assert!(governors.into_iter().any(|contest| contest.candidates.len() < contest.lines.len()));
}

#[test]
fn parts_add_up_and_are_near_their_shares() {
    for (total, weights) in [(0, vec![1, 2]), (7, vec![1, 1, 1]), (1_000_000, vec![0, u64::MAX, 5]), (3, vec![0, 0, 1])]
    {
        let parts = dice::split(total, &weights);
        assert_eq!(parts.iter().sum::<u32>(), total);
        let sum: u128 = weights.iter().map(|&weight| u128::from(weight)).sum();
        for (part, weight) in parts.into_iter().zip(weights) {
            let share = u128::from(total) * u128::from(weight);
            assert!((u128::from(part) * sum).abs_diff(share) <= sum);
        }
    }
    assert_eq!(dice::split_among_all(5, &[1, 1_000, 1]), [1, 3, 1]);
    assert_eq!(dice::split_among_all(2, &[1, 1, 1]), [1, 1, 0]);
}

/// What the example holds, byte for byte, on every machine. A change of the generator changes it, and has to say so.
#[test]
fn the_mega_election_is_what_it_was() {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../../examples/mega/");
    let read = |name: &str| (name.to_owned(), std::fs::read(format!("{folder}{name}")).unwrap());
    let made = expand(&Files::from([read(HEAD), read(RECIPE_FILE)])).unwrap();
    let election = package::parse(&made.files).unwrap_or_else(|found| panic!("{found:#?}"));
    let mut kinds: BTreeMap<&str, usize> = BTreeMap::new();
    for contest in election.contests() {
        let kind = contest.id.split('-').next().unwrap();
        *kinds.entry(if contest.id.contains("-d") { "district" } else { kind }).or_default() += 1;
    }
    let districts = kinds.remove("district");
    assert!(districts.is_some_and(|districts| districts > 22), "{districts:?}");
    let expected = [("governor", 23), ("legislative", 23), ("mayor", 355), ("municipal", 355)];
    assert_eq!(kinds, BTreeMap::from(expected));
    assert_eq!(election.stations().len(), 30_000);
    assert!(made.results.len() > 120_000, "{}", made.results.len());
    let mut hash = Sha256::new();
    for bytes in made.files.values() {
        hash.update(bytes);
    }
    hash.update(results::render(&made.results, &election));
    assert_eq!(hex(&hash.finalize()), MEGA);
}

const MEGA: &str = "99e232985cedc606d6f504f5c37236e000add0a9a90a0249e3a32e5cc01d5217";

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn mistakes(files: &Files) -> Vec<String> {
    expand(files).unwrap_err().iter().map(|problem| format!("{}: {}", problem.place, problem.code)).collect()
}

#[test]
fn every_mistake_of_a_recipe_has_its_place_and_code() {
    let cases = [
        ("format = 1\nseed = \n", "synthetic.toml:2:8: DS-01"),
        ("format = 2\nseed = 1\nstates = 1\nmunicipalities = 1\nstations = 1\n", "synthetic.toml:1:10: DS-05"),
        (&*MINI.replace("states", "state"), "synthetic.toml:3:1: DS-02"),
        (&*MINI.replace("seed = 7\n", ""), "synthetic.toml:1:1: DS-03"),
        (&*MINI.replace("= 60", "= \"many\""), "synthetic.toml:5:12: DS-04"),
        (&*MINI.replace("states = 3", "states = 100"), "synthetic.toml:3:10: DS-06"),
        (&*MINI.replace("= 9\n", "= 2\n"), "synthetic.toml:4:18: DS-06"),
        (&*MINI.replace("stations = 60", "stations = 8"), "synthetic.toml:5:12: DS-06"),
        (&*MINI.replace("special = 2", "special = 57"), "synthetic.toml:5:12: DS-06"),
    ];
    for (recipe, expected) in cases {
        let found = mistakes(&package(recipe));
        assert!(found.contains(&expected.to_owned()), "{recipe}: {found:?}");
    }
}

#[test]
fn what_the_recipe_makes_cannot_stand_beside_it() {
    let mut files = package(MINI);
    files.insert("stations.csv".into(), Vec::new());
    files.get_mut(HEAD).unwrap().extend_from_slice(b"\n[[contest]]\nid = \"a\"\n");
    assert_eq!(mistakes(&files), ["stations.csv:1:1: DS-13", "election.toml:9:3: DS-13"]);
}

#[test]
fn a_mistake_in_the_head_is_reported_where_it_stands() {
    let mut files = package(MINI);
    *files.get_mut(HEAD).unwrap() = DRILL_HEAD.replace("\"drill\"", "\"rehearsal\"").into_bytes();
    let problems = package::parse(&expand(&files).unwrap().files).unwrap_err();
    assert_eq!((problems.len(), &*problems[0].place), (1, "election.toml:5:9"));
    files.remove(HEAD);
    let problems = package::parse(&expand(&files).unwrap().files).unwrap_err();
    assert_eq!((problems[0].code, &*problems[0].place), ("PK-01", "election.toml:1:1"));
}
