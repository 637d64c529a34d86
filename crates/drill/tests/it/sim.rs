//! The country in a loop: a slice of its seeds, every planted bug, and the trace of a failure.

use std::fs;
use std::path::PathBuf;

use tallyproof_drill::sim::{Bug, Case, CaseError, Countries, Mark, Marks, Night, Violation, shrink};

/// A slice in which every mark is reached.
const FIRST: u64 = 1_400;
const SLICE: u64 = 400;

#[test]
fn every_seed_of_the_slice_keeps_every_invariant() {
    let countries = Countries::new().unwrap();
    let mut marks = Marks::default();
    let mut steps = 0;
    for seed in FIRST..FIRST + SLICE {
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

/// Nights that failed once, each with the bug that it failed by: `tests/cases`.
fn cases() -> Vec<(PathBuf, String)> {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/cases");
    let files = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let mut cases: Vec<_> = files.map(|path| (path.clone(), fs::read_to_string(path).unwrap())).collect();
    cases.sort();
    cases
}

/// A plan is kept and not a number: what a seed means changes with the simulation. What chance does in a kept plan may change too, so
/// it is given a few.
#[test]
fn kept_nights_fail_by_their_bug_and_hold_without_it() {
    let countries = Countries::new().unwrap();
    let cases = cases();
    assert!(cases.len() >= Bug::ALL.len());
    for (path, text) in cases {
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        let case = Case::read(&text, &countries).unwrap_or_else(|error| panic!("{name}: {error}"));
        let written: String = text.lines().filter(|line| !line.starts_with('#')).map(|l| format!("{l}\n")).collect();
        assert_eq!(case.to_string(), written, "{name}");
        let chances = || (0..40).map(|more| case.night.clone().with_seed(case.night.seed + more));
        let broken = |violation: &Violation| Some(violation.invariant) == case.breaks;
        let breaks = |night: &Night| night.run(&countries, false).violation.as_ref().is_some_and(broken);
        assert!(case.night.bug().is_none() || chances().any(|night| breaks(&night)), "{name} finds nothing any more");
        for night in chances().take(8) {
            let violation = night.without_bug().run(&countries, false).violation;
            assert!(violation.is_none(), "{name}: {violation:?}");
        }
    }
}

#[test]
fn a_night_is_read_back_as_it_was_written() {
    let countries = Countries::new().unwrap();
    for seed in 0..100 {
        let night = Night::of(&countries, seed);
        let text = Case { night: night.clone(), breaks: None }.to_string();
        let read = Case::read(&text, &countries).unwrap();
        assert_eq!(read.to_string(), text);
        assert_eq!(read.night.plan(), night.plan());
    }
    for (wrong, line) in [("seed x", 3), ("bug None", 3), ("  12 ms  seal station=0 contest=1 variant=Own", 3)] {
        let text = format!("tallyproof-night v1\ncountry 1-of-1\n{wrong}\n");
        assert_eq!(Case::read(&text, &countries).unwrap_err(), CaseError::Line(line), "{wrong}");
    }
    assert_eq!(Case::read("", &countries).unwrap_err(), CaseError::Header);
    let nowhere = Case::read("tallyproof-night v1\ncountry nowhere\n", &countries);
    assert_eq!(nowhere.unwrap_err(), CaseError::Country("nowhere".into()));
}

/// Writes down the shortest night of each planted bug that has none yet.
#[test]
#[ignore = "writes to tests/cases"]
fn keep_cases() {
    let countries = Countries::new().unwrap();
    for bug in Bug::ALL {
        let name: String = format!("{bug:?}").chars().flat_map(dashed).collect();
        let path =
            PathBuf::from(env!("CARGO_MANIFEST_DIR")).join(format!("tests/cases{}.night", name.replacen('-', "/", 1)));
        if path.exists() {
            continue;
        }
        let nights = (0..1_000).map(|seed| Night::of(&countries, seed).with_bug(bug));
        let shrunk = nights.filter_map(|night| shrink(&countries, &night)).take(8).min_by_key(|it| it.night.planned());
        let Some(shrunk) = shrunk else { panic!("{bug:?}") };
        let breaks = shrunk.report.violation.map(|violation| violation.invariant);
        fs::write(path, Case { night: shrunk.night, breaks }.to_string()).unwrap();
    }
}

fn dashed(letter: char) -> Vec<char> {
    if letter.is_uppercase() { vec!['-', letter.to_ascii_lowercase()] } else { vec![letter] }
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
    let run = &|core: u64| {
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
        let threads: Vec<_> = (0..cores).map(|core| scope.spawn(move || run(core))).collect();
        for (of, taken, wrong) in threads.into_iter().map(|thread| thread.join().unwrap()) {
            marks.add(&of);
            steps += taken;
            failed.extend(wrong);
        }
    });
    println!("{seeds} seeds, {steps} steps, {:?}", began.elapsed());
    println!("unreached: {:?}", marks.unreached().collect::<Vec<_>>());
    failed.sort_by_key(|(seed, _)| *seed);
    for (seed, violation) in &failed {
        println!("seed {seed}: {violation}");
    }
    if let Some((seed, _)) = failed.first() {
        let shrunk = shrink(&countries, &night(*seed)).unwrap();
        println!("{}\n{}", shrunk.night.plan().join("\n"), tail(&shrunk.report.trace));
        panic!("{} seeds fail", failed.len());
    }
}

/// One night, step by step: the seed is in the variable SEED.
#[test]
#[ignore = "prints a trace"]
fn one_seed() {
    let countries = Countries::new().unwrap();
    let seed = std::env::var("SEED").unwrap().parse().unwrap();
    let night = Night::of(&countries, seed);
    let shown = if std::env::var("SHRINK").is_ok() { shrink(&countries, &night).unwrap().night } else { night };
    println!("{}\n{}", shown.plan().join("\n"), shown.run(&countries, true).trace.join("\n"));
}

fn tail(trace: &[String]) -> String {
    trace.iter().rev().take(80).rev().cloned().collect::<Vec<_>>().join("\n")
}
