//! What the policy's witnesses cosigned last, asked before anything is signed: a journal and everything beside it can be restored
//! from an old backup, but not what others hold.

use std::thread;
use std::time::Duration;

use anyhow::{Context, ensure};
use tallyproof_centre::promise::Promise;
use tallyproof_log::checkpoint;
use tallyproof_log::note::{MAX_NOTE_LEN, VerifierKey};
use tallyproof_log::policy::{Policy, Witness};
use tallyproof_log::witness::checkpoint_path;

use crate::http;

/// The start waits no longer for a witness.
const TIMEOUT: Duration = Duration::from_secs(3);

/// A checkpoint of this log that a witness holds.
#[derive(Debug)]
pub(in super::super) struct Held {
    /// The witness's submission prefix.
    pub(in super::super) url: String,
    /// What the log signed.
    pub(in super::super) promise: Promise,
}

/// Asks every witness that has an URL, all at once. One that does not answer is told of and not waited for.
///
/// Only what the log's own key signed counts: a witness that lies cannot keep the centre from its work.
pub(in super::super) fn ask(policy: &Policy, log: &VerifierKey) -> Vec<Held> {
    let mut witnesses: Vec<&Witness> = policy.witnesses().iter().filter(|witness| witness.url.is_some()).collect();
    witnesses.dedup_by(|one, other| one.url == other.url);
    let answers: Vec<_> = thread::scope(|scope| {
        let asked: Vec<_> =
            witnesses.iter().map(|witness| (*witness, scope.spawn(|| latest_of(witness, log)))).collect();
        asked.into_iter().map(|(witness, answer)| (witness, answer.join())).collect()
    });
    let told = |(witness, answer): (&Witness, thread::Result<anyhow::Result<Option<Held>>>)| match answer {
        Ok(Ok(held)) => held,
        Ok(Err(error)) => {
            let (name, error) = (&witness.name, format!("{error:#}").escape_debug().to_string());
            tracing::warn!(witness = name, error, "does not say what it cosigned last; going on without");
            None
        }
        Err(_) => None,
    };
    answers.into_iter().filter_map(told).collect()
}

fn latest_of(witness: &Witness, log: &VerifierKey) -> anyhow::Result<Option<Held>> {
    let Some(url) = witness.url.as_deref().map(|url| url.trim_end_matches('/')) else { return Ok(None) };
    let place = format!("{url}{}", checkpoint_path(log.name()));
    let mut response = http::agent(TIMEOUT, None)?.get(&place).call()?;
    let status = response.status().as_u16();
    if status == 404 {
        return Ok(None);
    }
    ensure!(status == 200, "{place} answered with the status {status}");
    let note = response.body_mut().with_config().limit(MAX_NOTE_LEN as u64).read_to_vec()?;
    let opened = checkpoint::open(&note, std::slice::from_ref(log), log.name().as_str())
        .with_context(|| format!("{place} is not a checkpoint that this log signed"))?;
    let place = format!("the witness {} holds it: {place}", witness.name);
    Ok(Some(Held { url: url.to_owned(), promise: Promise { place, checkpoint: opened.checkpoint().clone() } }))
}
