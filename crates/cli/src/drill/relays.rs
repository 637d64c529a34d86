//! Where the paths of a drill lead: to the centre, or to a relay of this program in between.

use std::net::{Ipv4Addr, SocketAddr};
use std::path::Path;

use anyhow::Context;
use ed25519_dalek::VerifyingKey;
use tallyproof_drill::script::{Carrier, Conduct, Script};
use tallyproof_record::definition::Committed;

use super::centre::Ports;
use crate::relay::{self, RelayConfig, RunningRelay};
use crate::station::address::Address;

/// The relays of a drill, and the other end of every path.
#[derive(Debug)]
pub(super) struct Relays {
    ends: Vec<SocketAddr>,
    running: Vec<RunningRelay>,
}

impl Relays {
    /// Starts the real relay for every path over an honest one. It takes datagrams and posts what they carry, so that no
    /// datagram at the centre is a relay's. A relay that is not honest holds to no program: it is part of its path.
    pub(super) fn start(
        script: &Script,
        definition: &Committed,
        log_key: VerifyingKey,
        centre: Ports,
        workspace: &Path,
    ) -> anyhow::Result<Self> {
        let mut relays = Self { ends: Vec::new(), running: Vec::new() };
        for path in &script.paths {
            let end = match path.carrier {
                Carrier::Http => centre.http,
                Carrier::Udp | Carrier::Relay(Conduct::Alter | Conduct::Duplicate | Conduct::Withhold) => centre.udp,
                Carrier::Relay(Conduct::Honest) => {
                    let relay = relay::start(RelayConfig {
                        election: definition.clone(),
                        log_key,
                        spool: workspace.join(format!("relay-{}", path.name)),
                        http: None,
                        udp: Some((Ipv4Addr::LOCALHOST, 0).into()),
                        via: vec![Address::parse(&format!("http://{}", centre.http))?],
                        ca: None,
                    })?;
                    let end = relay.udp_addr().context("a relay has no port for datagrams")?;
                    relays.running.push(relay);
                    end
                }
            };
            relays.ends.push(end);
        }
        Ok(relays)
    }

    /// Where the script's paths lead, in its order.
    pub(super) fn ends(&self) -> &[SocketAddr] {
        &self.ends
    }

    /// Ends the relays.
    pub(super) fn stop(self) -> anyhow::Result<()> {
        self.running.into_iter().try_for_each(|relay| relay.shutdown().map(drop))
    }
}
