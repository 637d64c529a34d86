//! The drill `thirty-million`, and the same night without its floods.

use std::path::Path;
use std::process::{Command, Stdio};

use anyhow::{Context, ensure};
use serde::Deserialize;

/// What is read of the drill's `--json`.
#[derive(Debug, Deserialize)]
struct Drill {
    records: u64,
    receipts: u64,
    hostile_sent: u64,
    hostile_received: u64,
    hostile_rate: u64,
    segmentation_offload: bool,
    p99_ms: Option<f64>,
    datagrams_per_record: f64,
    poll_close_to_97_ms: Option<u64>,
    centre_cpu_seconds: f64,
    centre_memory_bytes: Memory,
    verified: bool,
    unaccounted: Vec<String>,
}

#[derive(Debug, Deserialize)]
struct Memory {
    peak: Option<u64>,
}

pub(crate) fn run() -> anyhow::Result<()> {
    let peace = drill(&["--without-attack"])?;
    let attack = drill(&[])?;
    let how = if attack.segmentation_offload { "joined by GSO, which flatters both sides" } else { "each by itself" };
    println!(
        "night under attack: {} hostile datagrams sent, {how}; {} reached the centre, {:.1} s of processor time there",
        attack.hostile_sent, attack.hostile_received, attack.centre_cpu_seconds
    );
    let missing = attack.records.saturating_sub(attack.receipts);
    println!("night under attack, hostile datagrams/s\t{}\t-\t>= 500000", attack.hostile_rate);
    println!("night under attack, records without receipt\t{missing}\t-\t<= 0");
    println!("night under attack, p99 ms\t{:.1}\t-\t<= 1000", attack.p99_ms.context("no p99")?);
    println!("night under attack, datagrams a record\t{:.4}\t-\t<= 1.1", attack.datagrams_per_record);
    let [attacked, peaceful] =
        [&attack, &peace].map(|drill| drill.poll_close_to_97_ms.context("97 % were never receipted"));
    println!("poll close to 97 %, attack : peace, ms\t{}\t{}\t<= 1.2", attacked?, peaceful?);
    let [attacked, peaceful] =
        [&attack, &peace].map(|drill| drill.centre_memory_bytes.peak.context("no memory figure"));
    println!("centre's peak memory, attack : peace, bytes\t{}\t{}\t<= 1.2", attacked?, peaceful?);
    Ok(())
}

/// Runs the script as the program `tallyproof`, which this one is with arguments.
fn drill(options: &[&str]) -> anyhow::Result<Drill> {
    let folder = tempfile::tempdir()?;
    let mut tallyproof = Command::new(std::env::current_exe()?);
    tallyproof.args(["drill", "--json"]).args(options);
    tallyproof.arg("--bundle").arg(folder.path().join("bundle"));
    tallyproof.arg("--report").arg(folder.path().join("report.html"));
    tallyproof.arg(Path::new(env!("CARGO_MANIFEST_DIR")).join("../../examples/drills/thirty-million.toml"));
    let output = tallyproof.stderr(Stdio::inherit()).output()?;
    let drill: Drill = serde_json::from_slice(&output.stdout)
        .with_context(|| format!("the drill ended with {}; its report cannot be read", output.status))?;
    ensure!(drill.verified && drill.unaccounted.is_empty(), "the drill does not hold: {drill:?}");
    Ok(drill)
}
