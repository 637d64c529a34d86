//! `tallyproof election repack`: a new key and pack for one station, after the election was published.

use std::fmt;
use std::path::PathBuf;

use anyhow::{Context, anyhow};
use ed25519_dalek::SigningKey;
use schemars::JsonSchema;
use serde::Serialize;
use tallyproof_record::frame::MacKey;

use crate::centre::CentreKeys;
use crate::pack::Pack;
use crate::station::address::Address;
use crate::{Exit, Printer, Report, package};

/// Arguments of `tallyproof election repack`.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Example:\n  tallyproof election repack published --keys keys --station S17 --out station-17-new.toml \\\n    \
    --centre udp://centre.example:7410\n\n\
    The published package stays as it is. Records sealed with the new pack count once the authority has enrolled the key that is \
    printed, in the log: tallyproof statement draft key --station S17 --enrol KEY"
)]
pub(super) struct Args {
    /// Folder of the published election package
    #[arg(value_name = "DIR")]
    election: PathBuf,
    /// Folder of the centre's keys, from `centre init`
    #[arg(long, value_name = "DIR")]
    keys: PathBuf,
    /// Id of the station
    #[arg(long, value_name = "ID")]
    station: String,
    /// File of the new pack
    #[arg(long, value_name = "FILE")]
    out: PathBuf,
    /// Where the station sends its records: udp://HOST:PORT or https://HOST/PATH; may be repeated
    #[arg(long, value_name = "URL")]
    centre: Vec<String>,
}

/// Result of `tallyproof election repack`.
#[derive(Debug, Serialize, JsonSchema)]
pub(super) struct Repacked {
    /// Id of the station.
    station: String,
    /// The new public key: what the authority enrols.
    key: String,
    /// The key that the register gives: what the authority revokes if others may have it; null if it gives none.
    before: Option<String>,
    /// The pack's file.
    pack: String,
}

impl Report for Repacked {
    fn write_text(&self, out: &mut dyn fmt::Write) -> fmt::Result {
        writeln!(out, "pack for station {} in {}: secret", self.station, self.pack)?;
        writeln!(out, "\nThe authority has to enrol this key in the log before the station reports:\n\n{}", self.key)?;
        match &self.before {
            Some(before) => writeln!(out, "\nand to revoke the register's, if others may have it:\n\n{before}"),
            None => Ok(()),
        }
    }
}

pub(super) fn run(args: &Args, printer: &mut Printer) -> anyhow::Result<Exit> {
    let committed = package::load(&args.election)?.election.commit();
    for url in &args.centre {
        Address::parse(url)?;
    }
    let keys = CentreKeys::read(&args.keys)?;
    let found = committed.election().numbered_stations().find(|(_, station)| station.id == args.station);
    let (number, station) = found.ok_or_else(|| anyhow!("the register has no station {}", args.station))?;
    let mut seed = [0; 32];
    getrandom::fill(&mut seed).context("the operating system gives no random numbers")?;
    let pack = Pack {
        election: *committed.hash(),
        station: station.id.clone(),
        number,
        epoch: keys.epoch,
        signing_key: SigningKey::from_bytes(&seed),
        mac_key: MacKey::derive(&keys.mac, committed.hash(), keys.epoch, number),
        log: keys.verifier().clone(),
        centre: args.centre.clone(),
    };
    pack.create(&args.out)?;
    printer.report(&Repacked {
        station: station.id.clone(),
        key: hex::encode(pack.signing_key.verifying_key().as_bytes()),
        before: station.key.as_ref().map(|key| hex::encode(key.as_bytes())),
        pack: args.out.display().to_string(),
    });
    Ok(Exit::Holds)
}
