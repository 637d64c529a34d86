//! `tallyproof centre freeze`: finish the log, with the witnesses' quorum on its last checkpoint.

use std::fmt;
use std::net::{Ipv4Addr, SocketAddr};
use std::time::Duration;

use anyhow::Context;
use schemars::JsonSchema;
use serde::Serialize;

use super::place::Place;
use crate::centre::{self, CentreConfig, Cut, Frozen, GatherConfig, HttpConfig, UdpConfig};
use crate::commands::duration;
use crate::{Exit, Printer, Report};

/// Arguments of `tallyproof centre freeze`.
#[derive(Debug, clap::Args)]
#[command(after_help = "Example:\n  \
    tallyproof centre freeze --election election --keys keys --journal centre.journal --bundle bundle\n\n\
    Stop the centre first. Ends with 0 when the log is finished and the bundle published as such, with 1 if the witnesses' quorum \
    did not come in time: nothing is finished then, and the centre can be served again.")]
pub(super) struct Args {
    #[command(flatten)]
    place: Place,
    /// Where witnesses that cannot be asked hand in their cosignatures (a loopback address, or a proxy with TLS before it)
    #[arg(long, value_name = "ADDRESS")]
    http: Option<SocketAddr>,
    /// How long to wait for the witnesses' quorum
    #[arg(long, value_name = "TIME", default_value = "2m", value_parser = duration)]
    timeout: Duration,
}

/// Result of `tallyproof centre freeze`.
#[derive(Debug, Serialize, JsonSchema)]
pub(super) struct FreezeReport {
    /// Whether the log is finished.
    frozen: bool,
    /// Entries in the log.
    tree_size: u64,
    /// Base64 of the final checkpoint's root; null if the log is not finished.
    root: Option<String>,
    /// The policy's witnesses that cosigned the final checkpoint.
    witnesses: Vec<String>,
    /// What kept the others from it.
    troubles: Vec<TroubleRow>,
}

/// A witness whose cosignature did not come.
#[derive(Debug, Serialize, JsonSchema)]
struct TroubleRow {
    /// Its name in the policy.
    witness: String,
    /// What is wrong, as far as it is known.
    what: Option<String>,
}

impl From<Frozen> for FreezeReport {
    fn from(frozen: Frozen) -> Self {
        match frozen {
            Frozen::Yes { checkpoint, witnesses } => Self {
                frozen: true,
                tree_size: checkpoint.size,
                root: Some(checkpoint.root.to_base64()),
                witnesses,
                troubles: Vec::new(),
            },
            Frozen::NoQuorum { tree_size, witnesses } => {
                let missing = witnesses.into_iter().filter(|state| state.size != tree_size || state.trouble.is_some());
                let troubles = missing.map(|state| TroubleRow { witness: state.name, what: state.trouble });
                Self { frozen: false, tree_size, root: None, witnesses: Vec::new(), troubles: troubles.collect() }
            }
        }
    }
}

impl Report for FreezeReport {
    fn write_text(&self, out: &mut dyn fmt::Write) -> fmt::Result {
        for TroubleRow { witness, what } in &self.troubles {
            writeln!(out, "{witness}: {}", what.as_deref().unwrap_or("has not cosigned").escape_debug())?;
        }
        match &self.root {
            None => writeln!(
                out,
                "not finished: the witnesses' quorum did not come; the log has {} entries",
                self.tree_size
            ),
            Some(root) => {
                writeln!(out, "finished at {} entries, root {root}", self.tree_size)?;
                let none = self.witnesses.is_empty();
                let names = if none { "nobody".to_owned() } else { self.witnesses.join(", ") };
                writeln!(out, "cosigned by {names}")
            }
        }
    }
}

pub(super) fn run(args: Args, printer: &mut Printer) -> anyhow::Result<Exit> {
    let timeout = args.timeout;
    let frozen = centre::freeze(config(args)?, timeout).context("the log cannot be finished")?;
    let report = FreezeReport::from(frozen);
    printer.report(&report);
    Ok(Exit::from_holds(report.frozen))
}

fn config(args: Args) -> anyhow::Result<CentreConfig> {
    Ok(CentreConfig {
        election: args.place.election()?,
        keys: args.place.keys()?,
        journal: args.place.journal,
        last_checkpoint: args.place.last_checkpoint,
        create: false,
        bundle: args.place.bundle,
        udp: UdpConfig::at((Ipv4Addr::LOCALHOST, 0)),
        http: args.http.map(HttpConfig::plain),
        admin: None,
        cut: Cut::OnDemand,
        publish_every: Duration::MAX,
        gather: GatherConfig::default(),
        witnesses_at: args.place.witness,
        workers: 0,
    })
}
