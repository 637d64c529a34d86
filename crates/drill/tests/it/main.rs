//! The laws of a drill's population.
#![expect(clippy::unwrap_used, reason = "a failing test panics")]

mod documents;
mod mega;
mod sim;

use std::collections::BTreeMap;

use tallyproof_drill::keys::Seed;
use tallyproof_drill::network::Chance;
use tallyproof_drill::population::{Class, Conduct, Part, Population, PopulationError};
use tallyproof_record::definition::results::{self, Results};
use tallyproof_record::definition::{Committed, package};
use tallyproof_record::rules::{self, Severity};
use tallyproof_record::{StationNo, cose};

const STATIONS: u32 = 400;

fn election(phase: &str, rules: &str) -> (Committed, Results) {
    let stations: String = (1..=STATIONS).map(|no| format!("s{no},town,500\n")).collect();
    let figures: String =
        (1..=STATIONS).map(|no| format!("s{no},council,{},{},{},3\n", 90 + no % 7, no % 50, no % 5)).collect();
    let toml = format!(
        "format = 1\nid = \"test\"\nname = \"Test\"\ndate = \"2026-01-01\"\nphase = \"{phase}\"\n\n[[contest]]\nid = \"council\"\nname = \"Council\"\narea = \"town\"\n{rules}"
    );
    let files = [
        ("election.toml", toml),
        ("areas.csv", "id,parent,name,kind\ntown,,Town,\n".to_owned()),
        ("stations.csv", format!("id,area,registered\n{stations}")),
        ("ballot.csv", "contest,line\ncouncil,a\ncouncil,b\ncouncil,c\n".to_owned()),
    ];
    let files = files.into_iter().map(|(name, text)| (name.to_owned(), text.into_bytes())).collect();
    let election = package::parse(&files).unwrap().with_keys(|no| Seed(7).station_key(no).verifying_key().into());
    let results = results::parse(format!("station,contest,a,b,c,@null\n{figures}").as_bytes(), &election).unwrap();
    (election.commit(), results)
}

fn parts(definition: &Committed, results: &Results, bad: f64) -> Vec<Part> {
    let population = Population::new(definition, results, Seed(7), Chance::new(bad).unwrap()).unwrap();
    population
        .reporting_order()
        .concat()
        .into_iter()
        .filter_map(|(station, contest)| population.part(station, contest))
        .collect()
}

#[test]
fn an_official_election_has_no_drill_population() {
    let (definition, results) = election("official", "");
    let refused = Population::new(&definition, &results, Seed(7), Chance::new(0.0).unwrap());
    assert_eq!(refused.err(), Some(PopulationError::Official));
}

#[test]
fn without_bad_conduct_every_station_sends_its_figures() {
    let (definition, results) = election("drill", "");
    for part in parts(&definition, &results, 0.0) {
        assert_eq!((part.conduct, part.class, part.sealed.len()), (Conduct::Genuine, Class::Counted, 1));
        let opened = cose::open(part.sealed[0].as_bytes()).unwrap();
        assert_eq!(opened.tally.counts, results[&(part.station, part.contest)].counts);
    }
}

#[test]
fn sealed_records_carry_the_stations_signature_and_forged_ones_do_not() {
    let (definition, results) = election("drill", "");
    let key = |station: StationNo| *definition.election().station(station).unwrap().key.as_ref().unwrap().verifying();
    let mut forged = 0;
    for part in parts(&definition, &results, 0.5) {
        for record in &part.sealed {
            cose::open(record.as_bytes()).unwrap().verify(&key(part.station)).unwrap();
        }
        for bytes in &part.forged {
            assert!(cose::open(bytes).unwrap().verify(&key(part.station)).is_err());
            forged += 1;
        }
    }
    assert!(forged > 10, "{forged}");
}

#[test]
fn each_class_is_the_one_that_the_rules_give() {
    let (definition, results) = election("drill", "");
    let mut conducts = BTreeMap::new();
    for part in parts(&definition, &results, 0.5) {
        *conducts.entry(part.conduct).or_insert(0) += 1;
        let distinct: std::collections::BTreeSet<_> = part.sealed.iter().map(cose::SealedRecord::digest).collect();
        let tally = cose::open(part.sealed[0].as_bytes()).unwrap().tally;
        let expected = match rules::worst(&rules::check(&definition, &tally)) {
            _ if distinct.len() > 1 => Class::Quarantined,
            Some(Severity::Reject) => Class::Rejected,
            Some(Severity::Quarantine) => Class::Quarantined,
            Some(Severity::Warn) | None => Class::Counted,
        };
        assert_eq!(part.class, expected, "{:?}", part.conduct);
    }
    assert_eq!(conducts.len(), 8, "every conduct and breach occurs: {conducts:?}");
}

#[test]
fn a_definition_that_only_warns_is_never_breached_where_it_would_count() {
    let rules = "\n[rules.BO-01]\nseverity = \"warn\"\n\n[rules.AR-01]\nseverity = \"warn\"\n";
    let (definition, results) = election("drill", rules);
    for part in parts(&definition, &results, 0.5) {
        if matches!(part.conduct, Conduct::Breaking(_)) {
            assert_ne!(part.class, Class::Counted, "{:?}", part.conduct);
        }
    }
}

/// Two contests at each of three stations: voters that differ, voters that agree, and voters of which one record, with a
/// count that no station can hold, is rejected.
fn two_contests(rules: &str) -> (Committed, Results) {
    let contest = |id| format!("\n[[contest]]\nid = \"{id}\"\nname = \"{id}\"\narea = \"town\"\n");
    let head = "format = 1\nid = \"test\"\nname = \"Test\"\ndate = \"2026-01-01\"\nphase = \"drill\"\n";
    let files = [
        ("election.toml", format!("{head}{}{}{rules}", contest("council"), contest("mayor"))),
        ("areas.csv", "id,parent,name,kind\ntown,,Town,\n".to_owned()),
        ("stations.csv", "id,area,registered\ns1,town,500\ns2,town,500\ns3,town,500\n".to_owned()),
        ("ballot.csv", "contest,line\ncouncil,a\nmayor,b\n".to_owned()),
    ];
    let files = files.into_iter().map(|(name, text)| (name.to_owned(), text.into_bytes())).collect();
    let election = package::parse(&files).unwrap();
    let figures = "station,contest,a,b,@voters\ns1,council,9,,9\ns1,mayor,,8,8\ns2,council,9,,9\ns2,mayor,,9,9\n\
                   s3,council,9,,9\ns3,mayor,,20000000,20000000\n";
    let results = results::parse(figures.as_bytes(), &election).unwrap();
    (election.commit(), results)
}

#[test]
fn stations_whose_voters_differ_between_contests_are_genuine_and_quarantined() {
    let classes = |rules: &str, bad: f64| {
        let (definition, results) = two_contests(rules);
        let mut parts = parts(&definition, &results, bad);
        parts.sort_by_key(|part| (part.station, part.contest));
        let genuine = parts[..2].iter().all(|part| part.conduct == Conduct::Genuine);
        assert!(genuine || !rules.is_empty());
        parts.iter().map(|part| part.class).collect::<Vec<_>>()
    };
    let (good, apart) = ([Class::Counted; 2], [Class::Quarantined; 2]);
    let rejected = [Class::Counted, Class::Rejected];
    assert_eq!(classes("", 0.0), [apart, good, rejected].concat());
    assert_eq!(classes("", 0.99)[..2], apart);
    for counted in ["severity = 'warn'", "allowance = 1"] {
        assert_eq!(classes(&format!("\n[rules.AR-04]\n{counted}\n"), 0.0), [good, good, rejected].concat());
    }
}

#[test]
fn the_same_seed_gives_the_same_bytes() {
    let (definition, results) = election("drill", "");
    let bytes = || -> Vec<u8> {
        parts(&definition, &results, 0.3)
            .iter()
            .flat_map(|part| part.sealed.clone())
            .flat_map(cose::SealedRecord::into_bytes)
            .collect()
    };
    assert_eq!(bytes(), bytes());
}
