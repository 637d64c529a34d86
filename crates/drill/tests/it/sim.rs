//! The country in a loop: a slice of its seeds, every planted bug, and the trace of a failure.

use tallyproof_drill::sim::{Bug, Country, Mark, Marks, Night, shrink};

const SLICE: u64 = 400;

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

/// The trace that people get is the short one: what a failure does not need is left out.
#[test]
fn a_failing_night_is_shrunk_to_what_it_needs() {
    let country = Country::new().unwrap();
    let night = Night::of(&country, 0).with_bug(Bug::DedupeLostAtRestart);
    let whole = night.run(&country, true);
    let shrunk = shrink(&country, &night).unwrap();
    let (before, after) = (whole.violation.unwrap(), shrunk.report.violation.clone().unwrap());
    assert_eq!(before.invariant, after.invariant);
    assert!(shrunk.night.planned() <= 6, "{:#?}", shrunk.night.plan());
    assert!(shrunk.report.trace.len() < 100, "{}", shrunk.report.trace.len());
    assert!(shrink(&country, &Night::of(&country, 0)).is_none(), "a night that holds has nothing to shrink");
}

/// For measurements, built with `--release`: `SEEDS=10000 cargo test --release -p tallyproof-drill --test it sim::many -- --ignored`.
#[test]
#[ignore = "as many seeds as the variable SEEDS says, from FIRST on, on all cores"]
fn many_seeds() {
    let seeds: u64 = std::env::var("SEEDS").unwrap().parse().unwrap();
    let first: u64 = std::env::var("FIRST").map_or(0, |first| first.parse().unwrap());
    let cores = std::thread::available_parallelism().unwrap().get() as u64;
    let (country, began) = (Country::new().unwrap(), std::time::Instant::now());
    let steps: u64 = std::thread::scope(|scope| {
        let share = |core| {
            let country = &country;
            move || -> u64 {
                let run = |seed| {
                    let report = Night::of(country, seed).run(country, false);
                    if let Some(violation) = report.violation {
                        let shrunk = shrink(country, &Night::of(country, seed)).unwrap();
                        let (plan, trace) = (shrunk.night.plan().join("\n"), shrunk.report.trace.join("\n"));
                        panic!("seed {seed}: {violation}\n{plan}\n{trace}");
                    }
                    report.steps
                };
                (first + core..first + seeds).step_by(usize::try_from(cores).unwrap()).map(run).sum()
            }
        };
        let threads: Vec<_> = (0..cores).map(|core| scope.spawn(share(core))).collect();
        threads.into_iter().map(|thread| thread.join().unwrap()).sum()
    });
    println!("{seeds} seeds, {steps} steps, {:?}", began.elapsed());
}
