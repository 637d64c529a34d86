//! `tallyproof statement draft key`.

use anyhow::{Context, bail, ensure};
use tallyproof_record::definition::StationKey;
use tallyproof_record::statement::{Act, Holder, KeyChange};

use super::{Common, station};
use crate::{Exit, Printer};

/// Arguments of `tallyproof statement draft key`.
#[derive(Debug, clap::Args)]
#[command(after_help = "Example:\n  \
    tallyproof statement draft key --election published --station S17 --enrol KEY --out s17-key.draft\n  \
    tallyproof statement draft key --election published --agent observer-7 --revoke KEY --out revoked.draft\n\n\
    A key is 64 hex digits, as `election repack` and `agent init` print it. A station or agent may have several keys; what is signed \
    with a revoked one counts no longer from the statement's place in the log on.")]
pub(super) struct Args {
    #[command(flatten)]
    common: Common,
    /// Id of the station whose key it is
    #[arg(long, value_name = "ID", conflicts_with = "agent", required_unless_present = "agent")]
    station: Option<String>,
    /// Id of the agent whose key it is
    #[arg(long, value_name = "ID")]
    agent: Option<String>,
    /// Enrol this key
    #[arg(long, value_name = "KEY", conflicts_with = "revoke", required_unless_present = "revoke")]
    enrol: Option<String>,
    /// Revoke this key
    #[arg(long, value_name = "KEY")]
    revoke: Option<String>,
}

pub(super) fn run(args: &Args, printer: &mut Printer) -> anyhow::Result<Exit> {
    let election = args.common.election()?;
    let holder = match (&args.station, &args.agent) {
        (Some(id), _) => Holder::Station(station(&election, id)?),
        (None, Some(id)) => Holder::Agent(id.clone()),
        (None, None) => bail!("say whose key it is: --station or --agent"),
    };
    let change = match (&args.enrol, &args.revoke) {
        (Some(key), _) => KeyChange::Enrol { holder, key: public_key(key)? },
        (None, Some(key)) => KeyChange::Revoke { holder, key: public_key(key)?.id() },
        (None, None) => bail!("say what to do with the key: --enrol or --revoke"),
    };
    args.common.finish(&election, Act::Key(change), printer)
}

fn public_key(text: &str) -> anyhow::Result<StationKey> {
    let mut bytes = [0; 32];
    ensure!(hex::decode_to_slice(text, &mut bytes).is_ok(), "`{}` is not a key of 64 hex digits", text.escape_debug());
    StationKey::try_from(bytes).with_context(|| format!("{text} cannot be anybody's key"))
}
