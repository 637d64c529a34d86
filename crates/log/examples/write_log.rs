//! Writes a log of N made-up entries below a folder, its checkpoint cosigned by three witnesses, for other programs to verify:
//! `write_log DIR N`.
//!
//! The keys are those of fixed seeds, so they sign nothing but examples.

use std::{env, error::Error, fs, path::Path};

use tallyproof_log::{
    checkpoint::Checkpoint,
    cosignature::CosignerKey,
    merkle::leaf_hash,
    note::{SignedNote, SignerKey},
    policy::{Policy, Threshold},
    tile::{encode_entries, tiles_for},
    tree::Tree,
};

/// When the witnesses cosigned, in seconds since 1970.
const TIME: u64 = 1_782_864_000;

const WITNESSES: [&str; 3] = ["a", "b", "c"];

/// The one whose key is of ML-DSA-44.
const POST_QUANTUM: &str = "c";

fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = env::args().skip(1);
    let (Some(folder), Some(size)) = (arguments.next(), arguments.next()) else {
        return Err("usage: write_log DIR N".into());
    };
    write_log(&Path::new(&folder).join("log"), size.parse()?)
}

fn entry(index: u64) -> Vec<u8> {
    // Lengths from 0 up, so that an empty entry is among them.
    format!("entry {index}").repeat(usize::from(index % 7 != 6)).into_bytes()
}

fn write_log(log: &Path, size: u64) -> Result<(), Box<dyn Error>> {
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
    Ok(())
}
