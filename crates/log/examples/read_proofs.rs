//! Verifies the log proofs that another program made of a log's entries, and takes each into a compact receipt and back:
//! `read_proofs DIR`, a folder that `write_log` wrote, with `DIR/proofs/<index>.theirs` beside the entries.

use std::{env, error::Error, fs, path::Path};

use tallyproof_log::{
    compact::{CompactReceipt, LeftOut},
    merkle::leaf_hash,
    note::VerifierKey,
    policy::Policy,
    proof::LogProof,
};

fn main() -> Result<(), Box<dyn Error>> {
    let folder = env::args().nth(1).ok_or("usage: read_proofs DIR")?;
    let (log, proofs) = (Path::new(&folder).join("log"), Path::new(&folder).join("proofs"));
    let key: VerifierKey = fs::read_to_string(log.join("vkeys"))?.trim_end().parse()?;
    let policy: Policy = fs::read_to_string(log.join("policy"))?.parse()?;
    let mut read = 0;
    for file in fs::read_dir(proofs)? {
        let path = file?.path();
        if path.extension().is_some_and(|ending| ending == "theirs") {
            check(&path, &key, &policy).map_err(|error| format!("{}: {error}", path.display()))?;
            read += 1;
        }
    }
    if read == 0 {
        return Err("there is no proof of another program to read".into());
    }
    println!("read {read} log proofs that another program made");
    Ok(())
}

fn check(path: &Path, key: &VerifierKey, policy: &Policy) -> Result<(), Box<dyn Error>> {
    let proof: LogProof = fs::read_to_string(path)?.parse()?;
    let leaf = leaf_hash(&fs::read(path.with_extension("entry"))?);
    let attested = proof.attest(&leaf, key, policy)?;
    if !attested.quorum_met {
        return Err("the quorum is not met".into());
    }
    let (compact, left_out) = CompactReceipt::of(&proof, &leaf, key, policy)?;
    if !left_out.iter().all(|left| matches!(left, LeftOut::MlDsa44(_))) {
        return Err(format!("left out: {left_out:?}").into());
    }
    let verified = CompactReceipt::decode(&compact.encode())?.verify(&leaf, key, policy)?;
    if verified.checkpoint == attested.checkpoint { Ok(()) } else { Err("another checkpoint".into()) }
}
