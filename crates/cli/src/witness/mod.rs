//! A witness at work: a thread that follows the log, a port that the log asks at, and the folder that both rest on.
//!
//! ```text
//! sources ─▶ follower ─▶ copy                     one thread: looks, verifies, recounts, keeps
//!               ▲  │
//!   checkpoint  │  │ recounted
//!               │  ▼
//! log ─────▶ port ─▶ cosigner ─▶ state ─▶ answer   state is durable before the answer leaves
//! ```

mod alarm;
mod folder;
mod http;
mod keys;
mod poll;
mod pursuit;
mod serve;
mod status;
mod view;

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{SystemTime, UNIX_EPOCH};

use anyhow::{Context, ensure};
use tallyproof_log::note::{KeyName, SignedNote, VerifierKey};
use tallyproof_record::definition::{Committed, DefinitionHash};
use tallyproof_witness::follower::Trouble;
use tallyproof_witness::{Cosigner, State};

pub use alarm::{Alarm, AlarmKind};
pub use keys::{KEY_FILE, ML_DSA_KEY_FILE};
pub use poll::{Polled, poll};
pub use serve::{RunningWitness, WitnessConfig, start, wait};
pub use status::WitnessStatus;
pub use view::View;

use alarm::Alarms;
use folder::WitnessFolder;
use keys::NewKey;
use pursuit::{Found, Pursuit};

/// Keys to be made.
#[derive(Clone, Debug)]
pub struct NewKeys {
    /// The name of the Ed25519 key.
    pub name: KeyName,
    /// Whether to make an ML-DSA-44 key too.
    pub ml_dsa: bool,
}

/// What a new witness is to be a witness of.
#[derive(Clone, Debug)]
pub struct NewWitness {
    /// Its folder, in which its keys are.
    pub folder: PathBuf,
    /// The log's key, from outside the bundle.
    pub log: VerifierKey,
    /// The definition hash, from outside the bundle; without it, whatever the first source states is pinned.
    pub definition: Option<DefinitionHash>,
    /// Where the log is read from: folders and URLs of its bundle.
    pub from: Vec<String>,
}

/// A witness just made.
#[derive(Clone, Debug)]
pub struct MadeWitness {
    /// Its verifier keys, for the policy.
    pub keys: Vec<VerifierKey>,
    /// The definition pinned.
    pub definition: DefinitionHash,
}

/// Makes the keys of a witness to be, in a new folder: a definition whose policy is to name them comes after them.
pub fn make_keys(folder: &Path, new: &NewKeys) -> anyhow::Result<Vec<VerifierKey>> {
    place_keys(folder, &keys::generate(&new.name, new.ml_dsa)?)
}

/// As [`make_keys`], one Ed25519 key that follows from a seed: for rehearsals, where everything does.
pub(crate) fn keys_from_seed(folder: &Path, name: KeyName, seed: &[u8; 32]) -> anyhow::Result<VerifierKey> {
    let key = keys::of_seed(name, seed);
    let verifier = key.key.verifier().clone();
    place_keys(folder, &[key]).map(|_| verifier)
}

fn place_keys(folder: &Path, keys: &[NewKey]) -> anyhow::Result<Vec<VerifierKey>> {
    let shown = folder.display();
    ensure!(folder::is_empty(folder), "{shown} is not empty; name a new folder: a witness is never made again");
    std::fs::create_dir_all(folder).with_context(|| format!("cannot make the folder {shown}"))?;
    keys::create(folder, keys)?;
    Ok(keys.iter().map(|new| new.key.verifier().clone()).collect())
}

/// Makes a witness of a folder with keys: pins log and definition, and states that nothing was cosigned yet.
pub fn init(new: &NewWitness) -> anyhow::Result<MadeWitness> {
    let first = new.from.first().context("a witness needs to know where the log is: give --from")?;
    let definition = pursuit::definition_at(first)?;
    let found = *definition.hash();
    if let Some(expected) = new.definition {
        ensure!(expected == found, "{first} has the definition {found}, the trusted one is {expected}");
    }
    pledge(&new.folder, &new.log, &new.from, &definition)
}

/// As [`init`], where the definition is at hand.
pub(crate) fn pledge(
    folder: &Path,
    log: &VerifierKey,
    from: &[String],
    definition: &Committed,
) -> anyhow::Result<MadeWitness> {
    keys::check_log(log)?;
    let state = State { log: log.clone(), definition: *definition.hash(), cosigned: None };
    let keys = keys::read(folder)?;
    WitnessFolder::create(folder, &state, from, definition)?;
    Ok(MadeWitness { keys: keys.iter().map(|key| key.verifier().clone()).collect(), definition: state.definition })
}

/// What the port, the follower and whoever watches share.
#[derive(Debug)]
struct Shared {
    folder: WitnessFolder,
    log: VerifierKey,
    definition: DefinitionHash,
    cosigner: Mutex<Cosigner>,
    alarms: Alarms,
}

impl Shared {
    /// Opens a witness's folder with all that rests on its state.
    fn open(folder: &Path, alarms: Alarms, from: &[String]) -> anyhow::Result<(Self, Pursuit)> {
        let folder = WitnessFolder::open(folder)?;
        let state = folder.state()?;
        let keys = keys::read(folder.root())?;
        let from = if from.is_empty() { folder.sources()? } else { from.to_vec() };
        let mut pursuit = Pursuit::open(&folder, &state, &from)?;
        let (log, definition) = (state.log.clone(), state.definition);
        let cosigner = Cosigner::new(state.log, keys, state.cosigned).context("the state is of another log")?;
        let shared = Self { folder, log, definition, cosigner: Mutex::new(cosigner), alarms };
        let last = shared.cosigner().last().cloned();
        if let Some(Err(trouble)) = last.map(|last| pursuit.follower.bind(last)) {
            shared.tell(&Found { place: "copy".to_owned(), trouble });
        }
        Ok((shared, pursuit))
    }

    fn cosigner(&self) -> MutexGuard<'_, Cosigner> {
        // The cosigner changes in one step, after the state is stored.
        self.cosigner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Stores the state with a checkpoint just cosigned.
    fn store(&self, cosigned: &SignedNote) -> std::io::Result<()> {
        let (log, definition) = (self.log.clone(), self.definition);
        self.folder.store(&State { log, definition, cosigned: Some(cosigned.clone()) })
    }

    /// Raises the alarm that a finding is; returns what is no alarm but keeps the witness from its work.
    fn tell(&self, found: &Found) -> Option<String> {
        let Found { place, trouble } = found;
        match trouble {
            Trouble::Forked(proof) => {
                self.accuse(&proof.to_string(), &format!("{trouble} (found at {place})"));
                None
            }
            Trouble::NotShown { .. } => {
                let kind = if place == "copy" { AlarmKind::Copy } else { AlarmKind::NotShown };
                self.alarms.raise(Alarm::new(kind, format!("{place}: {trouble}")));
                None
            }
            Trouble::NotTheLogs(_) | Trouble::Unreadable(_) | Trouble::Storing(_) => {
                Some(format!("{place}: {trouble}"))
            }
        }
    }

    /// Keeps a fork proof and raises the alarm. The proof is worth more than the disk that may be full: its text goes along.
    fn accuse(&self, proof: &str, what: &str) {
        let kept = self.folder.keep_proof(proof);
        if let Err(error) = &kept {
            tracing::error!(%error, "the fork proof could not be written; it stands in the alarm");
        }
        let file = kept.ok().map(|path| path.display().to_string());
        // One fork is found again with every look.
        let what = file.as_ref().map_or_else(|| what.to_owned(), |file| format!("{what}: {file}"));
        self.alarms.raise(Alarm { kind: AlarmKind::Fork, what, proof: file, proof_text: Some(proof.to_owned()) });
    }

    /// Raises alarms for what the recount found.
    fn tell_recount(&self, pursuit: &Pursuit) {
        use tallyproof_witness::follower::Compared;
        if let Some(problem) = pursuit.follower.problems().0.first() {
            let what = format!(
                "the log holds what no honest log holds, and is not cosigned from there on: {} {}: {}",
                problem.code, problem.place, problem.what
            );
            self.alarms.raise(Alarm::new(AlarmKind::Entry, what));
        }
        if let Compared::Differs(problem) = pursuit.follower.compared() {
            let what = format!("{} {}: {}", problem.code, problem.place, problem.what);
            self.alarms.raise(Alarm::new(AlarmKind::Totals, what));
        }
    }
}

/// Seconds since 1970.
pub(crate) fn now() -> anyhow::Result<u64> {
    Ok(SystemTime::now().duration_since(UNIX_EPOCH).context("the clock stands before 1970: set it")?.as_secs())
}

/// Alarms, posted to a webhook if there is one; and the thread that posts.
fn alarms(webhook: Option<&str>, folder: &Path) -> anyhow::Result<(Alarms, Option<std::thread::JoinHandle<()>>)> {
    let Some(url) = webhook else { return Ok((Alarms::default(), None)) };
    let folder = WitnessFolder::open(folder)?;
    let keys = keys::read(folder.root())?;
    let name = keys.first().map(|key| key.verifier().name().to_string()).unwrap_or_default();
    let (alarms, thread) = Alarms::posting(url.to_owned(), name, folder.state()?.log.to_string())?;
    Ok((alarms, Some(thread)))
}

type SharedRef = Arc<Shared>;
