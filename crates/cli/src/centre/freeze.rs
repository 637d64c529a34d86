//! Finishes a log: a last checkpoint with the witnesses' quorum, pinned in the bundle, and no record after it.

use std::net::Ipv4Addr;
use std::sync::mpsc::{self, RecvTimeoutError};
use std::time::Duration;

use tallyproof_centre::gatherer::{Cosigned, WitnessState};
use tallyproof_log::checkpoint::Checkpoint;

use super::gather::ToGatherer;
use super::journal::ToJournal;
use super::publisher::{Publisher, ToPublisher, Witnessed};
use super::{CentreConfig, Ports, RunningCentre, Settings, UdpConfig, open};

/// How the attempt to finish a log ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Frozen {
    /// The log is finished.
    Yes {
        /// What its final checkpoint states.
        checkpoint: Checkpoint,
        /// The policy's witnesses that cosigned it.
        witnesses: Vec<String>,
    },
    /// The policy's quorum did not come in time. Nothing is finished.
    NoQuorum {
        /// Entries under the latest checkpoint.
        tree_size: u64,
        /// Every witness of the policy, with what is wrong with it.
        witnesses: Vec<WitnessState>,
    },
}

/// Finishes the log of a centre that is not running, and ends. A log that is finished already is published again.
pub fn freeze(mut config: CentreConfig, timeout: Duration) -> anyhow::Result<Frozen> {
    // Nobody knows this socket: no station's datagram comes.
    config.udp = UdpConfig { kernel_filter: false, ..UdpConfig::at((Ipv4Addr::LOCALHOST, 0)) };
    let ports = Ports::open(config.udp, config.http.as_ref(), config.admin)?;
    let settings = Settings::of(&config);
    let opened = open(config)?;
    if let Some(note) = &opened.publisher.frozen {
        return published_again(&opened.publisher, note);
    }
    let centre = opened.run(ports, &settings)?;
    let frozen = centre.freeze(timeout);
    centre.shutdown()?;
    frozen
}

fn published_again(publisher: &Publisher, note: &[u8]) -> anyhow::Result<Frozen> {
    // The mark may be what was lost.
    publisher.last.frozen().write(note)?;
    publisher.bundle.close()?;
    let witnesses = publisher.cosigned.as_ref().map(|Witnessed { witnesses, .. }| witnesses.clone());
    Ok(Frozen::Yes { checkpoint: publisher.checkpoint(), witnesses: witnesses.unwrap_or_default() })
}

impl RunningCentre {
    /// Finishes the log: makes what was received durable, cuts, waits until the witnesses' quorum has cosigned the last checkpoint,
    /// and publishes everything as finished. From then on no record is taken, by this centre or one that is started later.
    ///
    /// Where the quorum does not come in time nothing is finished, and the centre takes records again.
    pub fn freeze(&self, timeout: Duration) -> anyhow::Result<Frozen> {
        if let Some(frozen) = self.frozen.get() {
            return Ok(frozen.clone());
        }
        let (done, published) = mpsc::channel();
        self.journal.send(ToJournal::Close(done)).map_err(|_| self.why_it_halted())?;
        published.recv().map_err(|_| self.why_it_halted())?;
        let (complete, last) = mpsc::channel();
        self.gatherer.send(ToGatherer::Last(complete)).map_err(|_| self.why_it_halted())?;
        match last.recv_timeout(timeout) {
            Ok(cosigned) => self.pin(cosigned),
            Err(RecvTimeoutError::Timeout) => self.reopen(),
            Err(RecvTimeoutError::Disconnected) => Err(self.why_it_halted()),
        }
    }

    fn pin(&self, cosigned: Cosigned) -> anyhow::Result<Frozen> {
        let frozen = Frozen::Yes { checkpoint: cosigned.checkpoint.clone(), witnesses: cosigned.witnesses.clone() };
        let (done, published) = mpsc::channel();
        let freeze = ToPublisher::Freeze(Box::new(cosigned), done);
        self.publisher.send(freeze).map_err(|_| self.why_it_halted())?;
        published.recv().map_err(|_| self.why_it_halted())?;
        match self.shared.halted() {
            None => Ok(self.frozen.get_or_init(|| frozen).clone()),
            Some(_) => Err(self.why_it_halted()),
        }
    }

    fn reopen(&self) -> anyhow::Result<Frozen> {
        self.gatherer.send(ToGatherer::Resume).map_err(|_| self.why_it_halted())?;
        self.journal.send(ToJournal::Reopen).map_err(|_| self.why_it_halted())?;
        Ok(Frozen::NoQuorum { tree_size: self.stats().tree_size, witnesses: self.shared.witnessing.witnesses() })
    }
}
