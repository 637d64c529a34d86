//! `tallyproof election enrol`: a key pair and a pack for every station, and the package with the public keys.

use std::fmt;
use std::path::PathBuf;

use anyhow::Context;
use ed25519_dalek::SigningKey;
use rayon::prelude::*;
use schemars::JsonSchema;
use serde::Serialize;
use tallyproof_count::Trust;
use tallyproof_record::definition::{Committed, StationKey};
use tallyproof_record::frame::MacKey;
use tallyproof_record::{Election, StationNo};

use crate::centre::CentreKeys;
use crate::pack::Pack;
use crate::station::address::Address;
use crate::{Exit, Printer, Report, package};

/// Arguments of `tallyproof election enrol`.
#[derive(Debug, clap::Args)]
#[command(after_help = "Example:\n  tallyproof centre init --keys keys --origin log.example/2026\n  \
    tallyproof election enrol my-election --keys keys --packs packs --out published \\\n    \
    --centre udp://centre.example:7410\n\n\
    Each pack holds its station's signing key. Hand each to its station, then delete the folder: whoever holds a pack can \
    speak for its station.")]
pub(super) struct Args {
    /// Folder of the election package, without keys
    #[arg(value_name = "DIR")]
    election: PathBuf,
    /// Folder of the centre's keys, from `centre init`
    #[arg(long, value_name = "DIR")]
    keys: PathBuf,
    /// New folder for the station packs
    #[arg(long, value_name = "DIR")]
    packs: PathBuf,
    /// New folder for the package with the stations' public keys: the one to publish
    #[arg(long, value_name = "DIR")]
    out: PathBuf,
    /// Where stations send their records: udp://HOST:PORT or https://HOST/PATH; may be repeated
    #[arg(long, value_name = "URL")]
    centre: Vec<String>,
}

/// Result of `tallyproof election enrol`.
#[derive(Debug, Serialize, JsonSchema)]
pub(super) struct Enrolled {
    /// Definition hash of the package with the keys.
    definition: String,
    /// Verifier key of the log.
    log: String,
    /// Packs written.
    stations: u64,
    /// Folder of the packs.
    packs: String,
    /// Folder of the package to publish.
    out: String,
    /// The trust file: publish it by another way than the bundle.
    trust: String,
}

impl Report for Enrolled {
    fn write_text(&self, out: &mut dyn fmt::Write) -> fmt::Result {
        writeln!(out, "{} packs in {}: secret, one for each station", self.stations, self.packs)?;
        writeln!(out, "package to publish in {}", self.out)?;
        write!(out, "\nPublish these two lines by another way than the bundle (newspapers, paper):\n\n{}", self.trust)
    }
}

pub(super) fn run(args: &Args, printer: &mut Printer) -> anyhow::Result<Exit> {
    let found = package::read(&args.election)?;
    let package = package::load(&args.election)?;
    let results = package.results_file(&found);
    ensure_keyless(&package.election)?;
    for url in &args.centre {
        Address::parse(url)?;
    }
    let keys = CentreKeys::read(&args.keys)?;
    package::new_folder(&args.packs)?;
    package::new_folder(&args.out)?;
    let (committed, secrets) = assign_keys(package.election)?;
    write_packs(args, &committed, &secrets, &keys, printer)?;
    // The package comes last: a published register has all its packs.
    let canonical = committed.canonical().files.iter().map(|(name, bytes)| (*name, bytes.as_slice()));
    let results = results.as_deref().map(|bytes| (package::RESULTS_FILE, bytes));
    package::write(&args.out, results.into_iter().chain(canonical))?;
    printer.report(&Enrolled {
        definition: committed.hash().to_string(),
        log: keys.verifier().to_string(),
        stations: secrets.len() as u64,
        packs: args.packs.display().to_string(),
        out: args.out.display().to_string(),
        trust: Trust { definition: *committed.hash(), log: keys.verifier().clone(), policy: None }.to_toml(),
    });
    Ok(Exit::Holds)
}

fn ensure_keyless(election: &Election) -> anyhow::Result<()> {
    if let Some(station) = election.stations().iter().find(|station| station.key.is_some()) {
        anyhow::bail!(
            "station {} has a key already; enrol the package without keys to make new ones for all",
            station.id
        );
    }
    Ok(())
}

/// A fresh key for every station, from the operating system's random numbers.
fn assign_keys(election: Election) -> anyhow::Result<(Committed, Vec<SigningKey>)> {
    let mut secrets = Vec::with_capacity(election.stations().len());
    let mut failure = None;
    let election = election.with_keys(|_| {
        let mut seed = [0; 32];
        failure = failure.or(getrandom::fill(&mut seed).err());
        let secret = SigningKey::from_bytes(&seed);
        let public = StationKey::from(secret.verifying_key());
        secrets.push(secret);
        public
    });
    match failure {
        None => Ok((election.commit(), secrets)),
        Some(error) => Err(error).context("the operating system gives no random numbers"),
    }
}

fn write_packs(
    args: &Args,
    committed: &Committed,
    secrets: &[SigningKey],
    keys: &CentreKeys,
    printer: &Printer,
) -> anyhow::Result<()> {
    let stations: Vec<_> = committed.election().numbered_stations().zip(secrets).collect();
    let progress = printer.progress(stations.len() as u64, "packs");
    // Each file waits for the disk; in parallel the waits overlap.
    stations.into_par_iter().try_for_each(|((number, station), secret)| {
        let pack = Pack {
            election: *committed.hash(),
            station: station.id.clone(),
            number,
            epoch: keys.epoch,
            signing_key: secret.clone(),
            mac_key: MacKey::derive(&keys.mac, committed.hash(), keys.epoch, number),
            log: keys.verifier().clone(),
            centre: args.centre.clone(),
        };
        progress.inc(1);
        pack.create(&args.packs.join(pack_name(number)))
    })?;
    progress.finish_and_clear();
    Ok(())
}

fn pack_name(number: StationNo) -> String {
    format!("station-{number}.toml")
}
