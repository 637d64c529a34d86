//! Replays the committed corpus through every target, each file as it stands and in altered copies.

#![allow(clippy::unwrap_used)] // Outside a test function clippy cannot know that this is a test.

mod mutate;

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use tallyproof_fuzz_targets::{TARGETS, Target, seeds};

use mutate::Mutator;

fn fuzz_folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().to_path_buf()
}

/// The corpus of a target, sorted by file name, so that a run can be repeated.
fn corpus(target: &str) -> Vec<(String, Vec<u8>)> {
    let folder = fuzz_folder().join("corpus").join(target);
    let Ok(listing) = fs::read_dir(&folder) else { return Vec::new() };
    let mut files: Vec<_> = listing
        .map(|entry| entry.unwrap())
        .filter(|entry| entry.file_type().unwrap().is_file())
        .map(|entry| (entry.file_name().into_string().unwrap(), fs::read(entry.path()).unwrap()))
        .collect();
    files.sort();
    files
}

/// Tells on stderr which input a panic came from, with the bytes where they are not in a file.
struct Witness<'a> {
    target: &'a str,
    file: &'a str,
    bytes: &'a [u8],
}

impl Drop for Witness<'_> {
    fn drop(&mut self) {
        if std::thread::panicking() {
            eprintln!("target {}, from corpus file {}: {}", self.target, self.file, self.bytes.escape_ascii());
        }
    }
}

fn attempt(target: &Target, file: &str, bytes: &[u8]) {
    let _witness = Witness { target: target.name, file, bytes };
    (target.run)(bytes);
}

/// Runs one target over its corpus and over altered copies of it.
fn replay(name: &str) {
    let target = TARGETS.iter().find(|target| target.name == name).unwrap();
    let files = corpus(name);
    assert!(!files.is_empty(), "fuzz/corpus/{name} holds no file");
    for (index, (file, bytes)) in files.iter().enumerate() {
        attempt(target, file, bytes);
        let mut mutator = Mutator::new(index as u64);
        for _ in 0..target.mutations {
            let (_, other) = &files[mutator.below(files.len())];
            attempt(target, file, &mutator.altered(bytes, other));
        }
    }
}

macro_rules! replays {
    ($($name:ident)*) => {
        $(#[test] fn $name() { replay(stringify!($name)); })*

        #[test]
        fn every_target_is_replayed() {
            let replayed = BTreeSet::from([$(stringify!($name)),*]);
            assert_eq!(replayed, TARGETS.iter().map(|target| target.name).collect());
        }
    };
}

replays! {
    add_checkpoint bulletin bundle checkpoint compact datagram entry entry_tile fork gate handed_in intake journal lists manifest mapping
    note package policy proof proven published receipt recipe record script statement tile_path trust verifier_key
    witness_answer
}

#[test]
fn every_target_has_its_program_for_the_fuzzer() {
    let programs = fs::read_dir(fuzz_folder().join("fuzz_targets")).unwrap();
    let programs: BTreeSet<String> = programs.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    assert_eq!(programs, TARGETS.iter().map(|target| format!("{}.rs", target.name)).collect());
    let manifest = fs::read_to_string(fuzz_folder().join("Cargo.toml")).unwrap();
    for target in TARGETS {
        assert!(manifest.contains(&format!("name = \"{}\"", target.name)), "{} is not in fuzz/Cargo.toml", target.name);
    }
}

#[test]
fn the_corpus_holds_every_seed_as_the_code_makes_it() {
    for (target, name, bytes) in seeds::all() {
        let file = fuzz_folder().join("corpus").join(target).join(name);
        assert!(
            fs::read(&file).is_ok_and(|found| found == bytes),
            "{target}/{name} is missing or stale: run `cargo run -p tallyproof-fuzz-targets --example write_seeds`"
        );
    }
}

#[test]
fn every_seed_gets_past_the_first_check() {
    use tallyproof_log::{checkpoint::Checkpoint, note::VerifierKey, proof::LogProof, tile::TilePath};

    fn parses<T: std::str::FromStr>(bytes: &[u8]) -> bool {
        std::str::from_utf8(bytes).unwrap().parse::<T>().is_ok()
    }
    for (target, name, bytes) in seeds::all() {
        let accepted = match target {
            "record" => tallyproof_record::cose::open(&bytes).is_ok(),
            "datagram" | "gate" => {
                tallyproof_record::frame::Frame::parse(&bytes).is_ok_and(|frame| frame.check_digest().is_ok())
            }
            "add_checkpoint" => tallyproof_log::witness::AddCheckpoint::parse(&bytes).is_ok(),
            "policy" => parses::<tallyproof_log::policy::Policy>(&bytes),
            "trust" => tallyproof_count::Trust::parse(&bytes, "").is_ok(),
            "handed_in" | "note" => tallyproof_log::note::SignedNote::parse(&bytes).is_ok(),
            "checkpoint" => parses::<Checkpoint>(&bytes) || tallyproof_log::note::SignedNote::parse(&bytes).is_ok(),
            "package" => {
                let files = tallyproof_fuzz_targets::package_files(&bytes);
                tallyproof_record::definition::package::parse(&files).is_ok()
            }
            "lists" => tallyproof_count::seats::table::Table::parse(&bytes[1..], "").is_ok(),
            "published" => tallyproof_count::settled::published::Published::parse(&bytes, "").is_ok(),
            "proof" => parses::<LogProof>(&bytes),
            "compact" => tallyproof_log::compact::CompactReceipt::decode(&bytes).is_ok(),
            "proven" => tallyproof_record::proven::Proven::parse(&bytes).is_ok(),
            "recipe" => tallyproof_drill::synthetic::Recipe::parse(std::str::from_utf8(&bytes).unwrap(), "").is_ok(),
            "script" => tallyproof_drill::script::Script::parse(std::str::from_utf8(&bytes).unwrap(), "").is_ok(),
            "statement" => tallyproof_record::statement::Signed::open(&bytes).is_ok(),
            "tile_path" => parses::<TilePath>(&bytes),
            "verifier_key" => parses::<VerifierKey>(&bytes),
            _ => true,
        };
        assert!(accepted, "{target}/{name} goes no deeper than the first check");
    }
}
