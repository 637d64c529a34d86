//! What a witness raises its voice about: to its operator, and to whoever listens at the webhook.

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::sync::mpsc::{SyncSender, TrySendError, sync_channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::centre::thread;
use crate::http;

/// Alarms that are remembered; more are counted.
const KEPT: usize = 100;
/// Alarms that wait for the webhook.
const WAITING: usize = 64;
/// How long the webhook may take for one answer.
const TIMEOUT: Duration = Duration::from_secs(5);
/// Waits between tries.
const TRIES: [u64; 4] = [0, 1, 5, 15];

/// What was found.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum AlarmKind {
    /// The log's key signed two checkpoints that exclude each other; there is a proof.
    Fork,
    /// A signed checkpoint is not shown to belong to the history held; without the other side's tiles there is no proof.
    NotShown,
    /// The log holds an entry that no honest log holds.
    Entry,
    /// The centre's published figures are not those counted here.
    Totals,
    /// The witness's own copy and its state contradict each other.
    Copy,
}

/// One alarm.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Alarm {
    /// What kind.
    pub kind: AlarmKind,
    /// In words.
    pub what: String,
    /// File of the proof, where there is one.
    pub proof: Option<String>,
    /// Text of the proof, where there is one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub proof_text: Option<String>,
}

/// Whom a webhook's message is from.
#[derive(Clone, Debug, Serialize)]
struct Message<'a> {
    witness: &'a str,
    log: &'a str,
    #[serde(flatten)]
    alarm: &'a Alarm,
}

/// The alarms raised so far. Each is raised once.
#[derive(Debug, Default)]
pub(super) struct Alarms {
    raised: Mutex<Raised>,
    webhook: Mutex<Option<SyncSender<Alarm>>>,
    /// Set when the witness ends: what waits gets one try, and no other.
    closing: Arc<AtomicBool>,
}

#[derive(Debug, Default)]
struct Raised {
    seen: BTreeSet<(AlarmKind, String)>,
    kept: Vec<Alarm>,
}

impl Alarms {
    /// Alarms that are also posted to `url`, from a thread that ends with them.
    pub(super) fn posting(url: String, witness: String, log: String) -> anyhow::Result<(Self, JoinHandle<()>)> {
        let agent = http::agent(TIMEOUT, None)?;
        let (sender, waiting) = sync_channel::<Alarm>(WAITING);
        let alarms = Self { webhook: Mutex::new(Some(sender)), ..Self::default() };
        let closing = Arc::clone(&alarms.closing);
        let post = move || {
            for alarm in waiting {
                let message = Message { witness: &witness, log: &log, alarm: &alarm };
                let Ok(body) = serde_json::to_vec(&message) else { continue };
                let sent = TRIES.iter().any(|after| {
                    pause(Duration::from_secs(*after), &closing)
                        && agent
                            .post(&url)
                            .content_type("application/json")
                            .send(&body[..])
                            .is_ok_and(|response| response.status().is_success())
                });
                if !sent {
                    tracing::error!(url, "the webhook took no alarm; it stands in the witness's status");
                }
            }
        };
        Ok((alarms, thread("witness-webhook", post)?))
    }

    /// Raises an alarm that was not raised before.
    pub(super) fn raise(&self, alarm: Alarm) {
        let mut raised = self.raised.lock().unwrap_or_else(PoisonError::into_inner);
        if raised.kept.len() == KEPT || !raised.seen.insert((alarm.kind, alarm.what.clone())) {
            return;
        }
        raised.kept.push(alarm.clone());
        drop(raised);
        let webhook = self.webhook.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(Err(TrySendError::Full(_))) = webhook.as_ref().map(|webhook| webhook.try_send(alarm)) {
            tracing::error!("more alarms than the webhook takes; they stand in the witness's status");
        }
    }

    /// Every alarm so far.
    pub(super) fn all(&self) -> Vec<Alarm> {
        self.raised.lock().unwrap_or_else(PoisonError::into_inner).kept.clone()
    }

    /// Lets the webhook's thread end.
    pub(super) fn close(&self) {
        self.closing.store(true, Relaxed);
        *self.webhook.lock().unwrap_or_else(PoisonError::into_inner) = None;
    }
}

/// Waits before a try; `false` where there is no time for one.
fn pause(wait: Duration, closing: &AtomicBool) -> bool {
    let start = Instant::now();
    while start.elapsed() < wait {
        if closing.load(Relaxed) {
            return false;
        }
        std::thread::sleep(Duration::from_millis(50).min(wait));
    }
    true
}

impl Alarm {
    /// Without proof.
    pub(super) fn new(kind: AlarmKind, what: impl Into<String>) -> Self {
        Self { kind, what: what.into(), proof: None, proof_text: None }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_alarm_is_raised_once_and_their_number_is_bounded() {
        let alarms = Alarms::default();
        for n in 0..300 {
            alarms.raise(Alarm::new(AlarmKind::Entry, format!("entry {}", n / 2)));
        }
        let all = alarms.all();
        assert_eq!((all.len(), all[1].what.as_str()), (KEPT, "entry 1"));
    }
}
