//! `tallyproof centre serve`: receive records, give receipts, publish the bundle.

use std::fmt;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use anyhow::Context;
use schemars::JsonSchema;
use serde::Serialize;
use tallyproof_record::definition::Committed;

use super::place::Place;
use crate::centre::{self, CentreConfig, CentreKeys, CentreStats, Cut, GatherConfig, HttpConfig, TlsFiles, UdpConfig};
use crate::commands::duration;
use crate::ending::Ending;
use crate::{Exit, Printer, Report};

/// Arguments of `tallyproof centre serve`.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Example:\n  tallyproof centre serve --election election --keys keys --journal centre.journal --create \\\n    \
                  --bundle bundle --udp 0.0.0.0:7410 --http 127.0.0.1:7411 --admin 127.0.0.1:7412"
)]
pub(super) struct Args {
    #[command(flatten)]
    place: Place,
    /// Make the journal; for the first start of an election only
    #[arg(long)]
    create: bool,
    /// Where stations send datagrams; port 0 takes a free one
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:7410")]
    udp: SocketAddr,
    /// Whether the kernel drops datagrams that cannot be records by their length and first bytes
    #[arg(long, value_name = "BOOL", default_value_t = true, action = clap::ArgAction::Set)]
    kernel_filter: bool,
    /// Bytes of datagrams that the kernel is asked to hold while the centre is busy
    #[arg(long, value_name = "BYTES", default_value_t = UdpConfig::RECEIVE_BUFFER)]
    receive_buffer: usize,
    /// Where records are taken over HTTP(S)
    #[arg(long, value_name = "ADDRESS")]
    http: Option<SocketAddr>,
    /// Certificate chain (PEM); without it --http must be a loopback address
    #[arg(long, value_name = "FILE", requires = "tls_key", requires = "http")]
    tls_cert: Option<PathBuf>,
    /// Private key of the certificate (PEM)
    #[arg(long, value_name = "FILE", requires = "tls_cert")]
    tls_key: Option<PathBuf>,
    /// Connections that one source may hold on the HTTP port; 0 for no such limit, where a proxy stands before it
    #[arg(long, value_name = "N", default_value_t = HttpConfig::PER_SOURCE)]
    http_per_source: u16,
    /// Private port for /healthz, /metrics and /stats
    #[arg(long, value_name = "ADDRESS")]
    admin: Option<SocketAddr>,
    /// How often a checkpoint is made, such as 1s or 250ms
    #[arg(long, value_name = "TIME", default_value = "1s", value_parser = duration)]
    cut_every: Duration,
    /// How often index, pages and manifest are published at most
    #[arg(long, value_name = "TIME", default_value = "5s", value_parser = duration)]
    publish_every: Duration,
    /// How often the witnesses of the policy are asked for cosignatures at most
    #[arg(long, value_name = "TIME", default_value = "5s", value_parser = duration)]
    gather_every: Duration,
    /// Threads that check signatures; 0 takes one a core
    #[arg(long, value_name = "N", default_value_t = 0)]
    workers: usize,
}

/// Printed once the sockets are open.
#[derive(Debug, Serialize, JsonSchema)]
pub(super) struct Listening {
    /// Where datagrams are received.
    udp: String,
    /// Where records are taken over HTTP.
    http: Option<String>,
    /// Where health and metrics are.
    admin: Option<String>,
    /// Definition hash of the election.
    definition: String,
    /// C2SP verifier key of the log.
    log: String,
    /// Entries under the checkpoint that was published at the start.
    tree_size: u64,
}

impl Report for Listening {
    fn write_text(&self, out: &mut dyn fmt::Write) -> fmt::Result {
        write!(out, "listening udp={}", self.udp)?;
        for (name, address) in [("http", &self.http), ("admin", &self.admin)] {
            if let Some(address) = address {
                write!(out, " {name}={address}")?;
            }
        }
        writeln!(out, " tree_size={} definition={} log={}", self.tree_size, self.definition, self.log)
    }
}

pub(super) fn run(args: Args, printer: &mut Printer) -> anyhow::Result<Exit> {
    let election = args.place.election()?;
    let definition = election.hash().to_string();
    let keys = args.place.keys()?;
    let log = keys.verifier().to_string();
    let asked = args.receive_buffer;
    let centre = centre::start(config(args, election, keys)).context("the centre cannot start")?;
    if centre.receive_buffer() < asked {
        printer.note(format_args!(
            "the kernel grants a receive buffer of {} bytes where {asked} were asked for: under attack more datagrams are lost, and \
             sent again. Raise net.core.rmem_max, or give the program CAP_NET_ADMIN",
            centre.receive_buffer()
        ));
    }
    let mut ending = Ending::listen().context("the system's signals cannot be received")?;
    printer.report(&Listening {
        udp: centre.udp_addr().to_string(),
        http: centre.http_addr().map(|address| address.to_string()),
        admin: centre.admin_addr().map(|address| address.to_string()),
        definition,
        log,
        tree_size: centre.stats().tree_size,
    });
    let waited = centre.wait(&mut ending);
    let ended = centre.shutdown();
    waited?;
    printer.note(summary(&ended?));
    Ok(Exit::Holds)
}

fn config(args: Args, election: Committed, keys: CentreKeys) -> CentreConfig {
    CentreConfig {
        election,
        keys,
        journal: args.place.journal,
        last_checkpoint: args.place.last_checkpoint,
        create: args.create,
        bundle: args.place.bundle,
        udp: UdpConfig { address: args.udp, kernel_filter: args.kernel_filter, receive_buffer: args.receive_buffer },
        http: args.http.map(|address| HttpConfig {
            address,
            tls: args.tls_cert.zip(args.tls_key).map(|(cert, key)| TlsFiles { cert, key }),
            per_source: args.http_per_source,
        }),
        admin: args.admin,
        cut: Cut::Every(args.cut_every),
        publish_every: args.publish_every,
        gather: GatherConfig { every: args.gather_every, ..GatherConfig::default() },
        witnesses_at: args.place.witness,
        workers: args.workers,
    }
}

fn summary(stats: &CentreStats) -> String {
    format!(
        "stopped: {} datagrams received, {} dropped at the gate, {} records journalled, {} duplicates, {} refused; log size {}",
        stats.arrived(),
        stats.dropped(),
        stats.journalled,
        stats.duplicates,
        stats.refused_total(),
        stats.tree_size
    )
}
