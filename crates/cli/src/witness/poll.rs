//! `witness poll`: follow once, recount, and cosign the latest checkpoint, for a witness that nobody can reach.

use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context, anyhow, bail};
use tallyproof_log::note::{NoteSignature, SignedNote};
use tallyproof_witness::cosigner::NotCosigned;

use super::pursuit::Pursuit;
use super::{Shared, WitnessStatus, alarms, now};
use crate::http;

/// Where the last cosignatures stand, as a note for whoever carries them to the log.
const COSIGNATURE_FILE: &str = "cosignature";
/// How long the centre may take to answer.
const TIMEOUT: Duration = Duration::from_secs(10);
const ANSWER_LIMIT: u64 = 4096;

/// What one round or several came to.
#[derive(Clone, Debug)]
pub struct Polled {
    /// What is held and recounted at the end.
    pub status: WitnessStatus,
    /// The checkpoint with the witness's cosignatures alone, if it was cosigned.
    pub cosignature: Option<String>,
    /// The file that it stands in.
    pub file: Option<PathBuf>,
    /// Whether the centre took it; nothing if it was not asked to.
    pub submitted: Option<bool>,
}

/// Follows the log in the witness's folder and cosigns its latest checkpoint. Goes on `every` so often until `stopped` says so;
/// once without it. `submit` is the URL that cosignatures are posted to.
pub fn poll(
    folder: &Path,
    from: &[String],
    submit: Option<&str>,
    webhook: Option<&str>,
    every: Option<Duration>,
    mut stopped: impl FnMut(&Polled, Duration) -> bool,
) -> anyhow::Result<Polled> {
    let (alarms, thread) = alarms(webhook, folder)?;
    let (shared, mut pursuit) = Shared::open(folder, alarms, from)?;
    let polled = loop {
        let polled = round(&shared, &mut pursuit, submit);
        match (every, polled) {
            (None, polled) => break polled,
            (Some(every), Ok(polled)) => {
                if stopped(&polled, every) {
                    break Ok(polled);
                }
            }
            // A later round may find the network, the centre or the disk again.
            (Some(every), Err(error)) => {
                tracing::warn!("{error:#}");
                let status = WitnessStatus::of(&shared, &pursuit, Some(format!("{error:#}")));
                let polled = Polled { status, cosignature: None, file: None, submitted: None };
                if stopped(&polled, every) {
                    break Ok(polled);
                }
            }
        }
    };
    pursuit.close();
    shared.alarms.close();
    if let Some(Err(_)) = thread.map(std::thread::JoinHandle::join) {
        bail!("the webhook's thread ended by a fault of the program");
    }
    polled
}

fn round(shared: &Shared, pursuit: &mut Pursuit, submit: Option<&str>) -> anyhow::Result<Polled> {
    let mut trouble = None;
    let looked = pursuit.look();
    for found in &looked {
        trouble = shared.tell(found).or(trouble);
    }
    loop {
        match pursuit.step() {
            Ok(true) => break,
            Ok(false) => {}
            Err(found) => {
                trouble = shared.tell(&found).or(trouble);
                break;
            }
        }
    }
    shared.tell_recount(pursuit);
    let alarmed = !shared.alarms.all().is_empty();
    if let Some(trouble) = trouble.as_ref().filter(|_| !alarmed) {
        bail!("the log cannot be followed: {trouble}");
    }
    let cosigned = if trouble.is_none() { cosign(shared, pursuit)? } else { None };
    let mut polled =
        Polled { status: WitnessStatus::of(shared, pursuit, trouble), cosignature: None, file: None, submitted: None };
    if let Some(note) = cosigned {
        polled.file =
            Some(shared.folder.put(COSIGNATURE_FILE, note.as_bytes()).context("the cosignature cannot be written")?);
        polled.submitted = submit.map(|url| submitted(url, &note));
        polled.cosignature = Some(note);
    }
    Ok(polled)
}

/// The checkpoint with the witness's own signature lines, if it could be cosigned.
fn cosign(shared: &Shared, pursuit: &Pursuit) -> anyhow::Result<Option<String>> {
    let Some(latest) = pursuit.follower.latest() else { return Ok(None) };
    let mut cosigner = shared.cosigner();
    let (since, _) = cosigner.last_tree();
    let Some(Ok(recounted)) = pursuit.recounted(latest, since) else { return Ok(None) };
    match cosigner.cosign(latest, &recounted, now()?, |note| shared.store(note)) {
        Ok(cosignatures) => Ok(Some(note_of(latest.note(), &cosignatures))),
        Err(NotCosigned::Answer(_)) => Ok(None),
        Err(other) => Err(anyhow!("{other}")),
    }
}

fn note_of(checkpoint: &SignedNote, cosignatures: &[NoteSignature]) -> String {
    let lines: String = cosignatures.iter().map(|signature| format!("{signature}\n")).collect();
    format!("{}\n{lines}", checkpoint.text())
}

/// Posts the cosignature; a failure is told and can be made good by the next round, or by hand with the file.
fn submitted(url: &str, note: &str) -> bool {
    let post = || -> anyhow::Result<()> {
        let agent = http::agent(TIMEOUT, None)?;
        let mut response = agent.post(url).content_type("text/plain; charset=utf-8").send(note)?;
        if response.status().is_success() {
            return Ok(());
        }
        let body = response.body_mut().with_config().limit(ANSWER_LIMIT).read_to_vec()?;
        bail!("it answered {}: {}", response.status(), String::from_utf8_lossy(&body).trim().escape_debug())
    };
    post().inspect_err(|error| tracing::warn!("{url} did not take the cosignature: {error:#}")).is_ok()
}
