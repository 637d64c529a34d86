//! The country in a loop: a slice of its seeds, every planted bug, and the trace of a failure.

use tallyproof_drill::sim::{Bug, Countries, Mark, Marks, Night, shrink};

const SLICE: u64 = 400;

#[test]
fn every_seed_of_the_slice_keeps_every_invariant() {
    let countries = Countries::new().unwrap();
    let mut marks = Marks::default();
    let mut steps = 0;
    for seed in 0..SLICE {
        let night = Night::of(&countries, seed);
        let report = night.run(&countries, false);
        if let Some(violation) = report.violation {
            let shrunk = shrink(&countries, &night).unwrap();
            panic!("seed {seed}: {violation}\n{}\n{}", shrunk.night.plan().join("\n"), tail(&shrunk.report.trace));
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
    let countries = Countries::new().unwrap();
    for seed in [3, 17] {
        let night = Night::of(&countries, seed);
        let trace = night.run(&countries, true);
        assert!(trace.trace.len() > 1_000, "{}", trace.trace.len());
        assert_eq!(Night::of(&countries, seed).run(&Countries::new().unwrap(), true), trace);
    }
}

#[test]
fn every_planted_bug_is_found() {
    let countries = Countries::new().unwrap();
    for bug in Bug::ALL {
        let found = (0..1_000).find_map(|seed| {
            let violation = Night::of(&countries, seed).with_bug(bug).run(&countries, false).violation?;
            Some((seed, violation))
        });
        println!("{bug:?}: {found:?}");
        assert!(found.is_some(), "{bug:?}");
    }
}

/// The trace that people get is the short one: what a failure does not need is left out.
#[test]
fn a_failing_night_is_shrunk_to_what_it_needs() {
    let countries = Countries::new().unwrap();
    let night = Night::of(&countries, 0).with_bug(Bug::DedupeLostAtRestart);
    let whole = night.run(&countries, true);
    let shrunk = shrink(&countries, &night).unwrap();
    let (before, after) = (whole.violation.unwrap(), shrunk.report.violation.clone().unwrap());
    assert_eq!(before.invariant, after.invariant);
    assert!(shrunk.night.planned() <= 6, "{:#?}", shrunk.night.plan());
    assert!(shrunk.report.trace.len() < 100, "{}", shrunk.report.trace.len());
    assert!(shrink(&countries, &Night::of(&countries, 0)).is_none(), "a night that holds has nothing to shrink");
}

/// For measurements, built with `--release`: `SEEDS=10000 cargo test --release -p tallyproof-drill --test it sim::many -- --ignored`.
/// The variable BUG plants one.
#[test]
#[ignore = "as many seeds as the variable SEEDS says, from FIRST on, on all cores"]
fn many_seeds() {
    let number = |name: &str, otherwise| std::env::var(name).map_or(otherwise, |text| text.parse().unwrap());
    let (seeds, first) = (number("SEEDS", 1_000_u64), number("FIRST", 0));
    let bug = std::env::var("BUG").ok().map(|name| Bug::named(&name).unwrap());
    let cores = std::thread::available_parallelism().unwrap().get() as u64;
    let (countries, began) = (Countries::new().unwrap(), std::time::Instant::now());
    let night = |seed| bug.into_iter().fold(Night::of(&countries, seed), Night::with_bug);
    let run = |core: u64| {
        let (mut marks, mut steps, mut failed) = (Marks::default(), 0, Vec::new());
        for seed in (first + core..first + seeds).step_by(usize::try_from(cores).unwrap()) {
            let report = night(seed).run(&countries, false);
            steps += report.steps;
            marks.add(&report.marks);
            failed.extend(report.violation.map(|violation| (seed, violation)));
        }
        (marks, steps, failed)
    };
    let (mut marks, mut steps, mut failed) = (Marks::default(), 0, Vec::new());
    std::thread::scope(|scope| {
        let threads: Vec<_> = (0..cores).map(|core| scope.spawn(move || (&run)(core))).collect();
        for (of, taken, wrong) in threads.into_iter().map(|thread| thread.join().unwrap()) {
            marks.add(&of);
            steps += taken;
            failed.extend(wrong);
        }
    });
    println!("{seeds} seeds, {steps} steps, {:?}", began.elapsed());
    println!("unreached: {:?}", marks.unreached().collect::<Vec<_>>());
    failed.sort_by_key(|(seed, _)| *seed);
    failed.iter().for_each(|(seed, violation)| println!("seed {seed}: {violation}"));
    if let Some((seed, _)) = failed.first() {
        let shrunk = shrink(&countries, &night(*seed)).unwrap();
        println!("{}\n{}", shrunk.night.plan().join("\n"), tail(&shrunk.report.trace));
        panic!("{} seeds fail", failed.len());
    }
}

fn tail(trace: &[String]) -> String {
    trace.iter().rev().take(80).rev().cloned().collect::<Vec<_>>().join("\n")
}
