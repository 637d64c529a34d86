//! `tallyproof witness serve`: follow the log, and answer it.

use std::fmt;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use anyhow::Context;
use schemars::JsonSchema;
use serde::Serialize;

use crate::centre::{HttpConfig, TlsFiles};
use crate::commands::duration;
use crate::ending::Ending;
use crate::witness::{self, View, WitnessConfig};
use crate::{Exit, Printer, Report};

/// Arguments of `tallyproof witness serve`.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Example:\n  tallyproof witness serve party-a --listen 0.0.0.0:7430 --webhook https://alarm.example/hook\n\n\
    Ends with 0 when it is stopped and no alarm was raised, with 1 when one was, with 2 when it could not run."
)]
pub(super) struct Args {
    /// Folder of the witness
    #[arg(value_name = "DIR")]
    folder: PathBuf,
    /// Where the log asks for cosignatures; port 0 takes a free one
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:7430")]
    listen: SocketAddr,
    /// Certificate chain (PEM), for HTTPS
    #[arg(long, value_name = "FILE", requires = "tls_key")]
    tls_cert: Option<PathBuf>,
    /// Private key of the certificate (PEM)
    #[arg(long, value_name = "FILE", requires = "tls_cert")]
    tls_key: Option<PathBuf>,
    /// Connections that one source may hold; 0 for no such limit, where a proxy stands before it
    #[arg(long, value_name = "N", default_value_t = 16)]
    http_per_source: u16,
    /// Folder or URL of the log's bundle, in place of those that the witness was made with; may be repeated
    #[arg(long, value_name = "BUNDLE")]
    from: Vec<String>,
    /// How often the log is looked at, such as 500ms or 2s
    #[arg(long, value_name = "TIME", default_value = "500ms", value_parser = duration)]
    look_every: Duration,
    /// How long a request for a cosignature may wait for the recount
    #[arg(long, value_name = "TIME", default_value = "10s", value_parser = duration)]
    patience: Duration,
    /// URL that every alarm is posted to as JSON
    #[arg(long, value_name = "URL")]
    webhook: Option<String>,
    /// End with exit code 1 at the first alarm
    #[arg(long)]
    exit_on_alarm: bool,
}

/// Printed once the port is open.
#[derive(Debug, Serialize, JsonSchema)]
pub(super) struct Listening {
    /// Where it is asked: this is the URL for the policy, by the name under which others reach it.
    http: String,
    /// C2SP verifier keys of the witness.
    keys: Vec<String>,
    /// C2SP verifier key of the log.
    log: String,
    /// Definition hash.
    definition: String,
    /// Entries in the copy, recounted.
    tree_size: u64,
    /// Entries under the last checkpoint cosigned; nothing before the first.
    cosigned: Option<u64>,
}

impl Report for Listening {
    fn write_text(&self, out: &mut dyn fmt::Write) -> fmt::Result {
        let cosigned = self.cosigned.map_or_else(|| "none".to_owned(), |size| size.to_string());
        writeln!(
            out,
            "listening http={} tree_size={} cosigned={cosigned} definition={} log={}",
            self.http, self.tree_size, self.definition, self.log
        )
    }
}

pub(super) fn run(args: Args, printer: &mut Printer) -> anyhow::Result<Exit> {
    let tls = args.tls_cert.zip(args.tls_key).map(|(cert, key)| TlsFiles { cert, key });
    let config = WitnessConfig {
        folder: args.folder,
        from: args.from,
        listen: HttpConfig { address: args.listen, tls, per_source: args.http_per_source },
        look_every: args.look_every,
        patience: args.patience,
        webhook: args.webhook,
    };
    let witness = witness::start(&config).context("the witness cannot start")?;
    let status = witness.status();
    let mut ending = Ending::listen().context("the system's signals cannot be received")?;
    printer.report(&Listening {
        http: witness.addr().to_string(),
        keys: status.keys,
        log: status.log,
        definition: status.definition,
        tree_size: status.tree_size,
        cosigned: status.cosigned,
    });
    let mut view = View::new(printer);
    witness::wait(&witness, &mut ending, |witness| view.show(&witness.status()) && args.exit_on_alarm);
    drop(view);
    let status = witness.shutdown()?;
    printer.note(format_args!(
        "stopped: {} entries held, {} recounted, {} cosigned; {} alarms",
        status.tree_size,
        status.recounted,
        status.cosigned.unwrap_or(0),
        status.alarms.len()
    ));
    Ok(Exit::from_holds(status.alarms.is_empty()))
}
