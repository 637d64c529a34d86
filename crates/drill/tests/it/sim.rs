//! The country in a loop: a slice of its seeds, every planted bug, and the trace of a failure.

use tallyproof_drill::sim::{Bug, Country, Mark, Marks, Night, shrink};

const SLICE: u64 = 300;

#[test]
fn every_seed_of_the_slice_keeps_every_invariant() {
    let country = Country::new().unwrap();
    let mut marks = Marks::default();
    let mut steps = 0;
    for seed in 0..SLICE {
        let night = Night::of(&country, seed);
        let report = night.run(&country, false);
        if let Some(violation) = report.violation {
            let shrunk = shrink(&country, &night).unwrap();
            panic!("seed {seed}: {violation}\n{}\n{}", shrunk.night.plan().join("\n"), shrunk.report.trace.join("\n"));
        }
        marks.add(&report.marks);
        steps += report.steps;
    }
    println!("{} steps a seed", steps / SLICE);
    let unreached: Vec<Mark> = marks.unreached().collect();
    assert!(unreached.is_empty(), "no seed reaches: {unreached:?}");
}

#[test]
fn a_seed_gives_the_same_trace_twice() {
    let country = Country::new().unwrap();
    for seed in [3, 17] {
        let night = Night::of(&country, seed);
        let trace = night.run(&country, true);
        assert!(trace.trace.len() > 1_000, "{}", trace.trace.len());
        assert_eq!(Night::of(&country, seed).run(&Country::new().unwrap(), true), trace);
    }
}

#[test]
fn every_planted_bug_is_found() {
    let country = Country::new().unwrap();
    for bug in Bug::ALL {
        let found = (0..1_000).find_map(|seed| {
            let violation = Night::of(&country, seed).with_bug(bug).run(&country, false).violation?;
            Some((seed, violation))
        });
        println!("{bug:?}: {found:?}");
        assert!(found.is_some(), "{bug:?}");
    }
}

#[test]
#[ignore = "a look at one seed"]
fn look() {
    let country = Country::new().unwrap();
    let mut kinds = std::collections::BTreeMap::new();
    for seed in 0..50 {
        let report = Night::of(&country, seed).run(&country, true);
        for line in &report.trace {
            let word = line.get(20..).unwrap_or("").trim().split(['(', ' ']).next().unwrap_or("").to_owned();
            *kinds.entry(word).or_insert(0) += 1;
        }
    }
    println!("{kinds:#?}");
    let report = Night::of(&country, 1).run(&country, true);
    for line in report.trace.iter().filter(|line| line.contains("Planned")) {
        println!("{line}");
    }
}
