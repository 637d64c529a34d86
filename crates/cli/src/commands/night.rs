//! `tallyproof night`: a whole election night on this machine.

use std::net::SocketAddr;
use std::path::PathBuf;

use schemars::Schema;
use tallyproof_count::share::Share;
use tallyproof_drill::keys::Seed;
use tallyproof_drill::network::Chance;

use crate::night::{self, NightPlan, NightReport, WitnessPlan};
use crate::{Exit, Printer, package, serve};

/// Arguments of the command.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Example:\n  tallyproof night fixtures/guanajuato-2012 --loss 0.3 --duplicate 0.2 --bad 0.02 --serve\n  \
                  tallyproof night examples/mini --bulletin-at 80% --bulletin-at 97%"
)]
pub struct Args {
    /// Election package with results.csv, phase drill
    pub election: PathBuf,
    /// Folder for the public bundle; an earlier drill's bundle there is replaced [default: bundles/ with the election's id]
    #[arg(long, value_name = "DIR")]
    pub bundle: Option<PathBuf>,
    /// Take only the first N stations of the register
    #[arg(long, value_name = "N")]
    pub stations: Option<usize>,
    /// Chance that a datagram is lost, in each direction
    #[arg(long, value_name = "P", default_value = "0", value_parser = chance)]
    pub loss: Chance,
    /// Chance that a datagram arrives twice, in each direction
    #[arg(long, value_name = "P", default_value = "0", value_parser = chance)]
    pub duplicate: Chance,
    /// Chance that a station breaks a rule, conflicts with itself or is impersonated
    #[arg(long, value_name = "P", default_value = "0", value_parser = chance)]
    pub bad: Chance,
    /// Issue a bulletin when this share of the records expected is in, such as 80%; may be repeated
    #[arg(long, value_name = "SHARE", value_delimiter = ',')]
    pub bulletin_at: Vec<Share>,
    /// So many of the five witnesses are offline; four have to cosign
    #[arg(long, value_name = "N", default_value_t = 0, value_parser = clap::value_parser!(u8).range(0..=5))]
    pub witnesses_offline: u8,
    /// So many of the five witnesses cosign whatever they are shown, and are offered a fork of the log at the end
    #[arg(long, value_name = "N", default_value_t = 0, value_parser = clap::value_parser!(u8).range(0..=5))]
    pub witnesses_lying: u8,
    /// Everything random follows from it: same package and seed, same log
    #[arg(long, value_name = "SEED", default_value_t = 1)]
    pub seed: u64,
    /// Serve the bundle afterwards, until interrupted
    #[arg(long, value_name = "ADDR", num_args = 0..=1, default_missing_value = "127.0.0.1:8080")]
    pub serve: Option<SocketAddr>,
}

fn chance(text: &str) -> Result<Chance, String> {
    text.parse().ok().and_then(Chance::new).ok_or_else(|| "expected a number from 0 up to, not including, 1".into())
}

/// Runs the command.
pub fn run(args: Args, printer: &mut Printer) -> anyhow::Result<Exit> {
    let package = package::load(&args.election)?;
    let plan = NightPlan {
        bundle: args.bundle.unwrap_or_else(|| default_bundle(package.election.id())),
        stations: args.stations,
        loss: args.loss,
        duplicate: args.duplicate,
        bad: args.bad,
        bulletins_at: args.bulletin_at,
        witnesses: WitnessPlan { offline: args.witnesses_offline, lying: args.witnesses_lying },
        seed: Seed(args.seed),
    };
    let report = night::run(package, &plan, printer)?;
    printer.report(&report);
    if let Some(address) = args.serve {
        serve::folder(&plan.bundle, address, printer)?;
    }
    Ok(Exit::from_holds(report.holds()))
}

/// Ids may hold characters that file names should not.
fn default_bundle(election: &str) -> PathBuf {
    let name: String = election.chars().map(|c| if c.is_ascii_alphanumeric() || c == '-' { c } else { '_' }).collect();
    PathBuf::from("bundles").join(name)
}

/// The JSON Schemas of the command's results.
pub fn schemas() -> Vec<(&'static str, Schema)> {
    vec![("night", schemars::schema_for!(NightReport))]
}
