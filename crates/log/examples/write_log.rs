//! Writes a log of N made-up entries below a folder, its checkpoint cosigned by three witnesses, for other programs to verify:
//! `write_log DIR N`. In `DIR/proofs` stand some entries, and the log proofs that their compact receipts give back.
//!
//! The keys are those of fixed seeds, so they sign nothing but examples.

use std::{env, error::Error, fs, path::Path};

use tallyproof_log::{
    checkpoint::Checkpoint,
    compact::CompactReceipt,
    cosignature::CosignerKey,
    merkle::leaf_hash,
    note::{SignedNote, SignerKey, VerifierKey},
    policy::{Policy, Threshold},
    proof::LogProof,
    tile::{encode_entries, tiles_for},
    tree::Tree,
};

/// When the witnesses cosigned, in seconds since 1970.
const TIME: u64 = 1_782_864_000;

const WITNESSES: [&str; 3] = ["a", "b", "c"];

/// Entries whose proofs are written.
const SAMPLES: u64 = 5;

/// The one whose key is of ML-DSA-44.
const POST_QUANTUM: &str = "c";

fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = env::args().skip(1);
    let (Some(folder), Some(size)) = (arguments.next(), arguments.next()) else {
        return Err("usage: write_log DIR N".into());
    };
    let (folder, size) = (Path::new(&folder), size.parse()?);
    let log = write_log(&folder.join("log"), size)?;
    let last = size.checked_sub(1);
    let samples = (0..SAMPLES).filter_map(|step| last.map(|last| step * last / (SAMPLES - 1)));
    samples.into_iter().try_for_each(|index| write_proof(&folder.join("proofs"), index, &log))
}

/// What the proofs of a log's entries are made of.
struct Log {
    tree: Tree,
    key: VerifierKey,
    note: SignedNote,
    policy: Policy,
}

fn entry(index: u64) -> Vec<u8> {
    // Lengths from 0 up, so that an empty entry is among them.
    format!("entry {index}").repeat(usize::from(index % 7 != 6)).into_bytes()
}

/// The proof of one entry, by way of its compact receipt, in which the cosignature of ML-DSA-44 has no room.
fn write_proof(folder: &Path, index: u64, log: &Log) -> Result<(), Box<dyn Error>> {
    let leaf = leaf_hash(&entry(index));
    let path = log.tree.inclusion_proof(index, log.tree.size())?;
    let proof = LogProof { extra: Vec::new(), index, path, checkpoint: log.note.clone() };
    let (compact, _) = CompactReceipt::of(&proof, &leaf, &log.key, &log.policy)?;
    let back = CompactReceipt::decode(&compact.encode())?.to_proof(&leaf, &log.key, &log.policy)?;
    fs::create_dir_all(folder)?;
    fs::write(folder.join(format!("{index}.entry")), entry(index))?;
    fs::write(folder.join(format!("{index}.tlog-proof")), back.to_string())?;
    Ok(())
}

fn write_log(log: &Path, size: u64) -> Result<Log, Box<dyn Error>> {
    let tree: Tree = (0..size).map(|index| leaf_hash(&entry(index))).collect();
    for path in tiles_for(0, size) {
        let first = path.first().ok_or("tile beyond the format")?;
        let bytes = match path.level() {
            Some(_) => tree.tile(&path).ok_or("tile beyond the tree")?,
            None => encode_entries((first..first + u64::from(path.width())).map(entry))?,
        };
        let file = log.join(path.to_string());
        fs::create_dir_all(file.parent().ok_or("tile without folder")?)?;
        fs::write(file, bytes)?;
    }
    let signer = SignerKey::new("log.example/write_log".parse()?, &[7; 32]);
    let checkpoint = Checkpoint { origin: signer.verifier().name().clone(), size, root: tree.root() };
    let mut note = SignedNote::parse(checkpoint.sign(&signer)?.as_bytes())?;
    let mut policy = Policy::without_witnesses([signer.verifier().clone()])?;
    for (number, name) in (1..).zip(WITNESSES) {
        let key_name = format!("witness.example/{name}").parse()?;
        let make = if name == POST_QUANTUM { CosignerKey::ml_dsa_44 } else { CosignerKey::ed25519 };
        let witness = make(key_name, &[number; 32]);
        note.attach(witness.cosign(&checkpoint, TIME)?, witness.verifier())?;
        policy.add_witness(name, witness.verifier().clone(), None)?;
    }
    policy.add_group("most", Threshold::AtLeast(2), &WITNESSES)?;
    policy.set_quorum("most")?;
    fs::create_dir_all(log)?;
    fs::write(log.join("checkpoint"), note.to_string())?;
    fs::write(log.join("vkeys"), format!("{}\n", signer.verifier()))?;
    fs::write(log.join("policy"), policy.to_string())?;
    Ok(Log { tree, key: signer.verifier().clone(), note, policy })
}
