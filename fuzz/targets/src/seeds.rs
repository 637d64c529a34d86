//! The corpus as code: small inputs that reach deep into each decoder. `cargo run -p tallyproof-fuzz-targets
//! --example write_seeds` writes them below `fuzz/corpus/`; a test compares. What a fuzzer adds beside them stays.

use tallyproof_log::checkpoint::{Checkpoint, CheckpointError};
use tallyproof_log::compact::CompactReceipt;
use tallyproof_log::fork::{ForkProof, Prefix};
use tallyproof_log::merkle::{Hash, leaf_hash};
use tallyproof_log::note::{self, SignedNote};
use tallyproof_log::policy::Policy;
use tallyproof_log::proof::LogProof;
use tallyproof_log::tile;
use tallyproof_log::tree::Tree;
use tallyproof_log::witness::{AddCheckpoint, Answer};
use tallyproof_record::entry::Entry;
use tallyproof_record::receipt::Receipt;
use tallyproof_record::tally::{Stage, Tally};
use tallyproof_record::{ContestNo, Phase, SealedRecord, StationNo, cose, frame, proven};

use crate::{centre, count, journal, keys, statement, world};

/// One input: its target, its file name and its bytes.
pub type Seed = (&'static str, &'static str, Vec<u8>);

/// Every seed.
pub fn all() -> Vec<Seed> {
    [
        records(),
        notes(),
        witnessed(),
        receipts(),
        forks(),
        tiles(),
        packages(),
        bundles(),
        centre(),
        scripts(),
        statement::seeds(),
        figures(),
        bulletin_files(),
    ]
    .concat()
}

const SMALL_RECIPE: &[u8] =
    b"format = 1\nseed = 7\nstates = 2\nmunicipalities = 4\nstations = 9\nlists = 4\nrolls_unknown = 1\nspecial = 1\n";

fn scripts() -> Vec<Seed> {
    vec![
        ("script", "smoke", include_bytes!("../../../examples/drills/smoke.toml").to_vec()),
        ("recipe", "small", SMALL_RECIPE.into()),
    ]
}

fn figures() -> Vec<Seed> {
    let lists = |table: &[u8]| [&[11], table].concat();
    vec![
        ("lists", "plain", lists(include_bytes!("../../../examples/seats/council.csv"))),
        ("lists", "alliances", lists(include_bytes!("../../../examples/seats/alliances.csv"))),
        ("published", "plurality", include_bytes!("../../../examples/settled/bulletin-2.toml").to_vec()),
        ("published", "run_off", include_bytes!("../../../examples/settled/first-round.toml").to_vec()),
        ("published", "lists", include_bytes!("../../../examples/settled/council.toml").to_vec()),
        ("published", "mixed", include_bytes!("../../../examples/settled/mixed.toml").to_vec()),
    ]
}

fn bulletin_files() -> Vec<Seed> {
    let [json, csv] = world::bulletin();
    let of = |form: u8, bytes: &[u8]| [&[form], bytes].concat();
    let spaced = String::from_utf8_lossy(json).replacen(':', ": ", 1);
    let shorter = String::from_utf8_lossy(csv).lines().skip(1).collect::<Vec<_>>().join("\n");
    vec![
        ("bulletin", "csv", of(1, csv)),
        ("bulletin", "json", of(0, json)),
        ("bulletin", "other_csv", of(1, shorter.as_bytes())),
        ("bulletin", "other_form", of(0, spaced.as_bytes())),
    ]
}

fn tally(lines: u32) -> Tally {
    Tally {
        blank: Some(3),
        voters: Some(70_000),
        total: Some(23),
        ..Tally::new(
            keys::ELECTION,
            Phase::Drill,
            StationNo(41),
            ContestNo(2),
            1_782_864_000,
            (0..lines).map(|line| line * 37).collect(),
        )
    }
}

fn sealed(tally: &Tally) -> SealedRecord {
    cose::seal(tally, &keys::station(tally.station))
}

fn records() -> Vec<Seed> {
    let small = sealed(&tally(3));
    let rich = Tally { null: Some(0), registered: Some(1), images: vec![[1; 32], [2; 32]], ..tally(40) };
    let rich = sealed(&Tally { phase: Phase::Official, stage: Stage::Rerun, ..rich });
    let bare = Tally { blank: None, voters: None, total: None, ..tally(0) };
    let header = (StationNo(41), 1, 100_000);
    let datagram = |body: &[u8]| frame::encode(header.0, header.1, header.2, body, &keys::mac(header.1, header.0));
    let receipt = Receipt { station: StationNo(41), contest: ContestNo(2), digest: small.digest() };
    vec![
        ("datagram", "garbage", datagram(b"no record")),
        ("datagram", "record", datagram(small.as_bytes())),
        ("entry", "definition", Entry::Definition(b"tallyproof-definition v1\n").encode()),
        ("entry", "record", Entry::Record(small.as_bytes()).encode()),
        ("receipt", "signed", receipt.sign(&keys::ELECTION, &keys::receipts()).to_vec()),
        ("record", "bare", sealed(&bare).into_bytes()),
        ("record", "rich", rich.into_bytes()),
        ("record", "small", small.into_bytes()),
    ]
}

fn tree() -> Tree {
    [b"first".as_slice(), b"entry", b"third"].map(leaf_hash).into_iter().collect()
}

/// The log's checkpoint over three entries.
pub(crate) fn checkpoint() -> Result<(Checkpoint, SignedNote), CheckpointError> {
    let (log, tree) = (keys::log(), tree());
    let checkpoint = Checkpoint { origin: log.verifier().name().clone(), size: tree.size(), root: tree.root() };
    let note = SignedNote::parse(checkpoint.sign(&log)?.as_bytes())?;
    Ok((checkpoint, note))
}

/// What a witness reads, says and is named in.
fn witnessed() -> Vec<Seed> {
    let witness = keys::witness();
    let policy = world::policy().to_string().into_bytes();
    let mut seeds: Vec<Seed> = vec![
        ("policy", "with_witness", policy),
        ("trust", "with_policy", world::trust().to_toml().into_bytes()),
        ("verifier_key", "witness", witness.verifier().to_string().into_bytes()),
        ("verifier_key", "ml_dsa_witness", keys::ml_dsa_witness().verifier().to_string().into_bytes()),
        ("witness_answer", "conflict", b"\x017\n".to_vec()),
    ];
    let Ok((checkpoint, mut note)) = checkpoint() else { return seeds };
    let proof = tree().consistency_proof(1, checkpoint.size).unwrap_or_default();
    let request = AddCheckpoint::new(1, proof, note.clone());
    seeds.extend(request.map(|request| ("add_checkpoint", "growth", request.to_string().into_bytes())));
    let first = AddCheckpoint::new(0, Vec::new(), note.clone());
    seeds.extend(first.map(|request| ("add_checkpoint", "first", request.to_string().into_bytes())));
    let both = [&witness, &keys::ml_dsa_witness()].map(|witness| witness.cosign(&checkpoint, 1_782_864_000));
    if let [Ok(cosignature), Ok(ml_dsa)] = both {
        let answer = Answer::Cosigned(vec![cosignature.clone(), ml_dsa]).body();
        seeds.push(("witness_answer", "cosigned", [b"\0", answer.as_bytes()].concat()));
        if note.attach(cosignature, witness.verifier()).is_ok() {
            seeds.extend(["note", "handed_in"].map(|target| (target, "cosigned", note.to_string().into_bytes())));
        }
    }
    seeds
}

/// Two sides of a log that the first entry alone is common to.
fn forks() -> Vec<Seed> {
    let log = keys::log();
    let other: Tree = [b"first".as_slice(), b"other", b"third", b"fourth"].map(leaf_hash).into_iter().collect();
    let signed = |tree: &Tree, size: u64| {
        let checkpoint = Checkpoint { origin: log.verifier().name().clone(), size, root: tree.root_at(size)? };
        SignedNote::parse(checkpoint.sign(&log).ok()?.as_bytes()).ok()
    };
    let proof = |size| {
        let prefix = Prefix { root: other.root_at(3)?, proof: other.consistency_proof(3, size).ok()? };
        ForkProof::new(log.verifier().clone(), [signed(&tree(), 3)?, signed(&other, size)?], Some(prefix)).ok()
    };
    let seed = |(name, size)| Some(("fork", name, proof(size)?.to_string().into_bytes()));
    [("growth", 4), ("same_size", 3)].into_iter().filter_map(seed).collect()
}

fn notes() -> Vec<Seed> {
    let log = keys::log();
    let tree = tree();
    let checkpoint = Checkpoint { origin: log.verifier().name().clone(), size: tree.size(), root: tree.root() };
    let policy = Policy::without_witnesses([log.verifier().clone()]).map(|policy| policy.to_string());
    let mut seeds: Vec<Seed> = vec![
        ("checkpoint", "text", checkpoint.to_string().into_bytes()),
        ("verifier_key", "log", log.verifier().to_string().into_bytes()),
        ("verifier_key", "unknown_type", format!("{}+7eb756ac+/wAA", keys::ORIGIN).into_bytes()),
    ];
    seeds.extend(policy.map(|text| ("policy", "without_witnesses", text.into_bytes())));
    if let Ok(signed) = checkpoint.sign(&log) {
        // A second signer that nobody knows, as witnesses will be to old readers.
        let line = signed.lines().last().unwrap_or_default().replace(keys::ORIGIN, "example.org/other");
        seeds.push(("note", "two_signers", format!("{signed}{line}\n").into_bytes()));
        seeds.push(("checkpoint", "signed", signed.clone().into_bytes()));
        seeds.push(("note", "checkpoint", signed.clone().into_bytes()));
        seeds.extend(proof(&tree, &signed).map(|proof| ("proof", "inclusion", proof.to_string().into_bytes())));
    }
    seeds.extend(note::sign("a\n\nb\n", &log).map(|text| ("note", "blank_line", text.into_bytes())));
    seeds
}

fn proof(tree: &Tree, signed: &str) -> Option<LogProof> {
    let path = tree.inclusion_proof(1, tree.size()).ok()?;
    let checkpoint = SignedNote::parse(signed.as_bytes()).ok()?;
    Some(LogProof { extra: b"extra".to_vec(), index: 1, path, checkpoint })
}

/// Second-stage receipts of the log's entry 1, by the log alone and with the witness that the policy asks for.
fn receipts() -> Vec<Seed> {
    let (witness, small) = (keys::witness(), sealed(&tally(3)));
    let mut seeds = Vec::new();
    let Ok((checkpoint, mut note)) = checkpoint() else { return seeds };
    let mut push = |name, note: &SignedNote| {
        let receipt = proof(&tree(), &note.to_string()).and_then(|proof| compact(&LogProof { extra: vec![], ..proof }));
        seeds.extend(receipt.iter().map(|receipt| ("compact", name, receipt.encode())));
        seeds.extend(receipt.map(|receipt| ("proven", name, proven::encode(&small, &receipt.encode()))));
    };
    push("log_only", &note);
    if let Ok(cosignature) = witness.cosign(&checkpoint, 1_782_864_000)
        && note.attach(cosignature, witness.verifier()).is_ok()
    {
        push("cosigned", &note);
    }
    seeds
}

fn compact(proof: &LogProof) -> Option<CompactReceipt> {
    let (log, policy) = (keys::log(), world::policy());
    CompactReceipt::of(proof, &leaf_hash(b"entry"), log.verifier(), &policy).ok().map(|(receipt, _)| receipt)
}

fn tiles() -> Vec<Seed> {
    let entries = tile::encode_entries([b"first".as_slice(), b"", b"third"]).unwrap_or_default();
    let hashes = tile::encode_hashes([Hash([1; 32]), Hash([2; 32])]);
    let path = |name, text: &str| ("tile_path", name, text.as_bytes().to_vec());
    vec![
        ("entry_tile", "entries", [&[2], entries.as_slice()].concat()),
        ("entry_tile", "hashes", [&[1], hashes.as_slice()].concat()),
        path("entries_partial", "tile/entries/x001/x234/067.p/255"),
        path("hashes_full", "tile/0/x001/x234/067"),
        path("hashes_top", "tile/7/000.p/1"),
    ]
}

fn packages() -> Vec<Seed> {
    let with_results: Vec<_> = world::PACKAGE.iter().copied().chain([("results.csv", world::RESULTS)]).collect();
    let windows: Vec<_> =
        world::PACKAGE.map(|(name, text)| (name, format!("\u{feff}{}", text.replace('\n', "\r\n")))).into();
    vec![
        ("package", "decisions", joined(&world::DECIDED)),
        ("package", "definition", joined(&world::PACKAGE)),
        ("package", "with_results", joined(&with_results)),
        ("package", "windows", joined(&windows)),
    ]
}

fn joined<T: AsRef<str>>(files: &[(&str, T)]) -> Vec<u8> {
    files.iter().flat_map(|(name, text)| [name, "\0", text.as_ref(), "\0"].concat().into_bytes()).collect()
}

/// Edits of the bundle: none, a flipped bit in each file, a file cut short, emptied, removed, added.
fn bundles() -> Vec<Seed> {
    let files = count::bundle_paths().len();
    let mut seeds: Vec<Seed> = vec![
        ("bundle", "unchanged", vec![0, 0, 0, 0]),
        ("bundle", "added", vec![u8::try_from(files).unwrap_or(0), 0, 0, 0, b'x']),
        ("bundle", "removed", vec![0x80, 0, 0, 0]),
    ];
    for (file, name) in (0_u8..).zip(EDITED.iter().take(files)) {
        seeds.push(("bundle", name, vec![file, 0, 9, 1, b'~']));
    }
    let log = keys::log();
    let trust = format!("definition = \"{}\"\nlog = \"{}\"\n", world::definition().hash(), log.verifier());
    seeds.push(("trust", "both", trust.into_bytes()));
    let manifest = world::bundle().remove("manifest").unwrap_or_default();
    seeds.push(("manifest", "signed", manifest));
    seeds
}

const EDITED: [&str; 12] = [
    "edit_00", "edit_01", "edit_02", "edit_03", "edit_04", "edit_05", "edit_06", "edit_07", "edit_08", "edit_09",
    "edit_10", "edit_11",
];

fn centre() -> Vec<Seed> {
    let mut seeds: Vec<Seed> = Vec::new();
    let (station, epoch) = (StationNo(1), centre::EPOCH);
    let key = frame::MacKey::derive(&keys::MASTER, world::definition().hash(), epoch, station);
    let datagram = |body: &[u8]| frame::encode(station, epoch, 100_000, body, &key);
    for (name, record) in ["counted", "conflicting", "quarantined"].into_iter().zip(world::records()) {
        seeds.push(("gate", name, datagram(record.as_bytes())));
        seeds.push(("intake", name, record.into_bytes()));
    }
    seeds.extend(journal::seed().map(|bytes| ("journal", "three_records", bytes)));
    seeds
}
