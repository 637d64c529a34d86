//! `cargo xtask bench night`: a whole night of 28,975 stations, and where its seconds go.

use std::path::Path;

use anyhow::{anyhow, ensure};
use tallyproof_cli::night::{self, NightPlan, WitnessPlan};
use tallyproof_cli::{Printer, package};
use tallyproof_drill::keys::Seed;
use tallyproof_drill::network::Chance;
use tallyproof_evidence::{Input, Mapping, import};

fn main() -> anyhow::Result<()> {
    let fixture = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fixtures/bolivia-2019");
    let folder = tempfile::tempdir()?;
    let election = folder.path().join("election");
    import_fixture(&fixture, &election)?;
    let perfect = Chance::new(0.0).ok_or_else(|| anyhow!("no chance"))?;
    let plan = NightPlan {
        witnesses: WitnessPlan { offline: 0, lying: 0 },
        bundle: folder.path().join("bundle"),
        stations: None,
        loss: perfect,
        duplicate: perfect,
        bad: perfect,
        bulletins_at: Vec::new(),
        seed: Seed(1),
    };
    let report = night::run(package::load(&election)?, &plan, &Printer::new(true))?;
    ensure!(report.holds() && report.counted == 28_975, "{:?}", report.problems);
    println!("night, 28,975 stations, s\t{:.2}\t-\t<= 30", report.seconds);
    for (phase, seconds) in &report.seconds_by_phase {
        println!("  of which {phase}, s\t{seconds:.2}\t-\t<= 30");
    }
    Ok(())
}

fn import_fixture(fixture: &Path, out: &Path) -> anyhow::Result<()> {
    let refused = |problems: Vec<_>| anyhow!("{problems:?}");
    let mapping =
        Mapping::parse(&std::fs::read_to_string(fixture.join("mapping.toml"))?, "mapping.toml").map_err(refused)?;
    let source = std::fs::read_dir(fixture.join("source"))?.next().ok_or_else(|| anyhow!("no source"))??.path();
    let input = Input { name: source.display().to_string(), bytes: std::fs::read(&source)? };
    let imported = import(&mapping, &[input]).map_err(refused)?;
    std::fs::create_dir_all(out)?;
    for (name, bytes) in imported.files {
        std::fs::write(out.join(name), bytes)?;
    }
    Ok(())
}
