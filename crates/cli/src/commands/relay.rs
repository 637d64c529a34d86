//! `tallyproof relay`: take sealed records for others and send them on.

use std::fmt;
use std::net::SocketAddr;
use std::path::PathBuf;

use anyhow::{Context, bail, ensure};
use ed25519_dalek::VerifyingKey;
use schemars::{JsonSchema, Schema, schema_for};
use serde::Serialize;
use tallyproof_log::note::VerifierKey;
use tallyproof_record::definition::Committed;

use crate::centre::{HttpConfig, TlsFiles};
use crate::commands::verify::read_trust;
use crate::ending::Ending;
use crate::pack::ed25519;
use crate::relay::{self, RelayConfig, RelayStats};
use crate::station::address::Address;
use crate::{Exit, Printer, Report, package};

/// Arguments of `tallyproof relay`.
#[derive(Debug, clap::Args)]
#[command(after_help = "Example:\n  \
    tallyproof relay --election published --spool spool --trust trust.toml --listen 127.0.0.1:7420 --udp 0.0.0.0:7421 \\\n    \
    --via https://centre.example/v1/records --via udp://centre.example:7410\n\n\
    A relay needs no secret and cannot alter a record: stations sign them, and the centre signs the receipts. \
    docs/operate/relay.md says how to run one.")]
pub struct Args {
    /// Folder of the published election package, its stations enrolled
    #[arg(long, value_name = "DIR")]
    election: PathBuf,
    /// Folder of the records held; a relay started again goes on with it
    #[arg(long, value_name = "DIR")]
    spool: PathBuf,
    /// Where records are taken over HTTP(S)
    #[arg(long, value_name = "ADDRESS")]
    listen: Option<SocketAddr>,
    /// Certificate chain (PEM); without it --listen must be a loopback address
    #[arg(long, value_name = "FILE", requires = "tls_key", requires = "listen")]
    tls_cert: Option<PathBuf>,
    /// Private key of the certificate (PEM)
    #[arg(long, value_name = "FILE", requires = "tls_cert")]
    tls_key: Option<PathBuf>,
    /// HTTP connections that one source may hold; 0 for no limit, where a proxy in front makes all of them one source
    #[arg(long, value_name = "N", default_value_t = HttpConfig::PER_SOURCE)]
    http_per_source: u16,
    /// Where stations' datagrams are taken
    #[arg(long, value_name = "ADDRESS")]
    udp: Option<SocketAddr>,
    /// Way to the centre: https://HOST/PATH, udp://HOST:PORT or file:DIR; may be repeated
    #[arg(long, value_name = "URL", required = true)]
    via: Vec<String>,
    /// The log's verifier key, which signs receipts
    #[arg(long, value_name = "VKEY", conflicts_with = "trust", required_unless_present = "trust")]
    log: Option<VerifierKey>,
    /// File with the definition hash and the log's key
    #[arg(long, value_name = "FILE")]
    trust: Option<PathBuf>,
    /// Certificates (PEM) to trust in place of the public authorities
    #[arg(long, value_name = "FILE")]
    ca: Option<PathBuf>,
}

/// Printed once the sockets are open.
#[derive(Debug, Serialize, JsonSchema)]
struct Listening {
    /// Where records are taken over HTTP.
    http: Option<String>,
    /// Where datagrams are taken.
    udp: Option<String>,
    /// The ways to the centre.
    via: Vec<String>,
    /// Definition hash of the election.
    definition: String,
    /// Records in the spool that wait for their receipt.
    waiting: u64,
    /// Records in the spool whose receipt has come.
    receipted: u64,
}

impl Report for Listening {
    fn write_text(&self, out: &mut dyn fmt::Write) -> fmt::Result {
        write!(out, "listening")?;
        for (name, address) in [("http", &self.http), ("udp", &self.udp)] {
            if let Some(address) = address {
                write!(out, " {name}={address}")?;
            }
        }
        writeln!(
            out,
            " via={} waiting={} receipted={} definition={}",
            self.via.join(","),
            self.waiting,
            self.receipted,
            self.definition
        )
    }
}

/// Runs `tallyproof relay`.
pub fn run(args: Args, printer: &mut Printer) -> anyhow::Result<Exit> {
    let election = package::load(&args.election)?.election.commit();
    let log_key = log_key(&args, &election)?;
    let definition = election.hash().to_string();
    let via = Address::parse_all(&args.via)?;
    let shown = via.iter().map(Address::to_string).collect();
    let relay = relay::start(config(args, election, log_key, via)).context("the relay cannot start")?;
    let stats = relay.stats();
    let mut ending = Ending::listen().context("the system's signals cannot be received")?;
    printer.report(&Listening {
        http: relay.http_addr().map(|address| address.to_string()),
        udp: relay.udp_addr().map(|address| address.to_string()),
        via: shown,
        definition,
        waiting: stats.waiting,
        receipted: stats.receipted,
    });
    ending.wait();
    printer.note(summary(&relay.shutdown()?));
    Ok(Exit::Holds)
}

/// The JSON Schema of the command's result.
pub fn schemas() -> Vec<(&'static str, Schema)> {
    vec![("relay", schema_for!(Listening))]
}

fn config(args: Args, election: Committed, log_key: VerifyingKey, via: Vec<Address>) -> RelayConfig {
    let tls = args.tls_cert.zip(args.tls_key).map(|(cert, key)| TlsFiles { cert, key });
    let per_source = args.http_per_source;
    RelayConfig {
        election,
        log_key,
        spool: args.spool,
        http: args.listen.map(|address| HttpConfig { address, tls, per_source }),
        udp: args.udp,
        via,
        ca: args.ca,
    }
}

/// The log's key, from outside the package: a receipt that anyone could sign would end the sending on.
fn log_key(args: &Args, election: &Committed) -> anyhow::Result<VerifyingKey> {
    let log = match (&args.log, &args.trust) {
        (Some(log), _) => log.clone(),
        (None, Some(path)) => {
            let trust = read_trust(path)?;
            ensure!(
                trust.definition == *election.hash(),
                "{} is for the election {}, and the package is {}",
                path.display(),
                trust.definition,
                election.hash()
            );
            trust.log
        }
        (None, None) => bail!("give the log's verifier key with --log or --trust"),
    };
    ed25519(&log)
}

fn summary(stats: &RelayStats) -> String {
    format!(
        "stopped: {} datagrams and {} posts came, {} dropped, {} refused, {} over a station's share; {} records taken, {} sent on; \
         {} records have their receipt, {} wait in the spool",
        stats.datagrams,
        stats.posts,
        stats.dropped,
        stats.refused,
        stats.full,
        stats.taken,
        stats.transmissions,
        stats.receipted,
        stats.waiting
    )
}
