//! The witnesses of a night: real ones, each with a folder, a port and a recount of its own; on request one that is offline, and
//! one that lies, which cosigns whatever it is shown.

mod liar;

use std::net::{Ipv4Addr, SocketAddr};
use std::path::Path;
use std::time::Duration;

use anyhow::Context;
use schemars::JsonSchema;
use serde::Serialize;
use tallyproof_count::manifest::file_hash;
use tallyproof_drill::keys::Seed;
use tallyproof_drill::witnesses::{self, WITNESSES};
use tallyproof_log::checkpoint::Checkpoint;
use tallyproof_log::note::{SignedNote, SignerKey, VerifierKey};
use tallyproof_log::witness::{ADD_CHECKPOINT, AddCheckpoint, Answer};
use tallyproof_record::definition::Committed;

use crate::centre::{CentreStats, Frozen};
use crate::http;
use crate::witness::{self, RunningWitness, WitnessConfig};
use liar::Liar;

/// How often a witness looks at the log by itself: a night is over in seconds.
const LOOK_EVERY: Duration = Duration::from_millis(100);
/// How long a witness may take to refuse.
const TIMEOUT: Duration = Duration::from_secs(30);

/// What becomes of the witnesses.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct WitnessPlan {
    /// So many are offline all night.
    pub offline: u8,
    /// So many cosign whatever they are shown.
    pub lying: u8,
}

/// How a witness behaved.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Conduct {
    /// It verifies and recounts what it cosigns.
    Honest,
    /// It is not there.
    Offline,
    /// It cosigns whatever it is shown.
    Lying,
}

/// What a witness did with a second checkpoint of the final size, with another root, that the log's key signed for it alone.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum ForkAnswer {
    /// It refused, and kept both as a proof of the fork.
    ProofKept,
    /// It refused.
    Refused,
    /// It cosigned: its two cosignatures exclude each other.
    Cosigned,
    /// It gave no answer.
    Silent,
}

/// One witness of a night.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct WitnessRow {
    /// Its name in the policy.
    pub name: String,
    /// How it behaved.
    pub conduct: Conduct,
    /// Entries under the last checkpoint that it cosigned for the centre; 0 for none.
    pub size: u64,
    /// Whether its cosignature is on the final checkpoint.
    pub on_final: bool,
    /// What it did when it was offered a fork; nothing where none was offered, which is where no witness lies.
    pub offered_fork: Option<ForkAnswer>,
    /// What the centre said of it last.
    pub trouble: Option<String>,
}

enum Running {
    Honest(Box<RunningWitness>),
    Lying(Liar),
    Offline,
}

/// The witnesses at work.
pub(super) struct Witnesses {
    running: Vec<(String, Running)>,
    /// An address where nobody listens.
    nowhere: SocketAddr,
}

impl Witnesses {
    /// Starts them, each in a folder below `workspace`, before there is a log: they wait for it.
    pub(super) fn start(
        workspace: &Path,
        bundle: &Path,
        definition: &Committed,
        log: &VerifierKey,
        plan: WitnessPlan,
        seed: Seed,
    ) -> anyhow::Result<Self> {
        let nowhere = std::net::TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?.local_addr()?;
        let honest = WITNESSES.saturating_sub(plan.offline).saturating_sub(plan.lying);
        let start = |number: u8| {
            let running = if number <= honest {
                let folder = workspace.join(witnesses::name(number));
                Running::Honest(Box::new(start_honest(&folder, bundle, definition, log, seed, number)?))
            } else if number <= honest.saturating_add(plan.lying) {
                Running::Lying(Liar::start(seed.witness_key(number)?, log.clone())?)
            } else {
                Running::Offline
            };
            Ok((witnesses::name(number), running))
        };
        let running = (1..=WITNESSES).map(start).collect::<anyhow::Result<_>>()?;
        Ok(Self { running, nowhere })
    }

    /// Where the centre asks each of them.
    pub(super) fn urls(&self) -> Vec<(String, String)> {
        self.running.iter().map(|(name, running)| (name.clone(), self.url(running))).collect()
    }

    fn url(&self, running: &Running) -> String {
        let address = match running {
            Running::Honest(witness) => witness.addr(),
            Running::Lying(liar) => liar.addr(),
            Running::Offline => self.nowhere,
        };
        format!("http://{address}")
    }

    /// Whether as many take part as the quorum asks for.
    pub(super) fn reach_quorum(&self) -> bool {
        let present = self.running.iter().filter(|(_, running)| !matches!(running, Running::Offline)).count();
        present >= usize::from(witnesses::QUORUM)
    }

    /// Offers each a fork of the final checkpoint if one of them lies, ends them all, and says how each behaved.
    pub(super) fn finish(
        self,
        frozen: &Frozen,
        stats: &CentreStats,
        log: &SignerKey,
    ) -> anyhow::Result<Vec<WitnessRow>> {
        let lies = self.running.iter().any(|(_, running)| matches!(running, Running::Lying(_)));
        let fork = match frozen {
            Frozen::Yes { checkpoint, .. } if lies => Some(fork_of(checkpoint, log)?),
            _ => None,
        };
        let offered = |running: &Running| fork.as_ref().map(|fork| offer(fork, &self.url(running)));
        let answers: Vec<_> = self.running.iter().map(|(_, running)| offered(running)).collect();
        let row = |((name, running), answer): ((String, Running), Option<Option<Answer>>)| {
            let state = stats.witnesses.iter().find(|state| state.name == name);
            let conduct = running.conduct();
            let kept = running.end()?;
            Ok(WitnessRow {
                conduct,
                size: state.map_or(0, |state| state.size),
                on_final: matches!(frozen, Frozen::Yes { witnesses, .. } if witnesses.contains(&name)),
                offered_fork: answer.map(|answer| judge(answer.as_ref(), kept)),
                trouble: state.and_then(|state| state.trouble.clone()),
                name,
            })
        };
        self.running.into_iter().zip(answers).map(row).collect()
    }
}

impl Running {
    fn conduct(&self) -> Conduct {
        match self {
            Self::Honest(_) => Conduct::Honest,
            Self::Lying(_) => Conduct::Lying,
            Self::Offline => Conduct::Offline,
        }
    }

    /// Ends it; returns whether it keeps a proof of a fork.
    fn end(self) -> anyhow::Result<bool> {
        match self {
            Self::Honest(witness) => Ok(witness.shutdown()?.alarms.iter().any(|alarm| alarm.proof.is_some())),
            Self::Lying(liar) => liar.end().map(|()| false),
            Self::Offline => Ok(false),
        }
    }
}

fn start_honest(
    folder: &Path,
    bundle: &Path,
    definition: &Committed,
    log: &VerifierKey,
    seed: Seed,
    number: u8,
) -> anyhow::Result<RunningWitness> {
    witness::keys_from_seed(folder, witnesses::key_name(number)?, &seed.witness_seed(number))?;
    witness::pledge(folder, log, &[bundle.display().to_string()], definition)?;
    let here = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
    witness::start(&WitnessConfig { look_every: LOOK_EVERY, ..WitnessConfig::new(folder.to_owned(), here) })
        .with_context(|| format!("cannot start the witness in {}", folder.display()))
}

/// A second statement about the same number of entries, as a centre would make it for another audience.
fn fork_of(checkpoint: &Checkpoint, log: &SignerKey) -> anyhow::Result<AddCheckpoint> {
    let root = file_hash(b"another history");
    let note = Checkpoint { root, ..checkpoint.clone() }.sign(log)?;
    Ok(AddCheckpoint::new(checkpoint.size, Vec::new(), SignedNote::parse(note.as_bytes())?)?)
}

fn offer(fork: &AddCheckpoint, url: &str) -> Option<Answer> {
    let agent = http::agent(TIMEOUT, None).ok()?;
    let mut response = agent.post(format!("{url}{ADD_CHECKPOINT}")).send(fork.to_string()).ok()?;
    let status = response.status().as_u16();
    let content_type = response.headers().get("content-type").and_then(|value| value.to_str().ok()).map(str::to_owned);
    let body = response.body_mut().read_to_vec().ok()?;
    Answer::parse(status, content_type.as_deref(), &body).ok()
}

fn judge(answer: Option<&Answer>, proof_kept: bool) -> ForkAnswer {
    match answer {
        None => ForkAnswer::Silent,
        Some(Answer::Cosigned(_)) => ForkAnswer::Cosigned,
        Some(_) if proof_kept => ForkAnswer::ProofKept,
        Some(_) => ForkAnswer::Refused,
    }
}
