//! The gatherer's thread: drives the state machine of [`tallyproof_centre::gatherer`], asks witnesses over HTTP, and hands what they
//! cosigned to the publisher. Neither intake nor publishing ever waits for it.

mod client;
pub(super) mod promises;

use std::collections::HashMap;
use std::sync::mpsc::{self, Receiver, RecvTimeoutError, Sender};
use std::sync::{Arc, Mutex, PoisonError, RwLock};
use std::thread::JoinHandle;
use std::time::Duration;

use tallyproof_centre::gatherer::{Action, Ask, Cosigned, Input, Pace, Refused, Silence, WitnessState};
use tallyproof_centre::{Gatherer, Sequencer};
use tallyproof_log::note::SignedNote;
use tallyproof_log::policy::Policy;
use tallyproof_log::witness::Answer;
use tokio::sync::oneshot;

use super::publisher::ToPublisher;
use super::shared::Shared;
use crate::field::clock::{Clock, millis};
use client::Client;

/// How witnesses are asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct GatherConfig {
    /// From one round of cosignatures to the next.
    pub every: Duration,
    /// A witness that has not answered by then is asked again later.
    pub timeout: Duration,
}

impl Default for GatherConfig {
    fn default() -> Self {
        let Pace { every_ms, timeout_ms } = Pace::default();
        Self { every: Duration::from_millis(every_ms), timeout: Duration::from_millis(timeout_ms) }
    }
}

/// What the gatherer's thread is told.
#[derive(Debug)]
pub(super) enum ToGatherer {
    /// The log has signed a checkpoint.
    Signed(SignedNote),
    /// A statement in the log has put this policy in force: from the checkpoint on that is signed next.
    Policy(Box<Policy>),
    /// The latest checkpoint is the last: say when it is complete.
    Last(Sender<Cosigned>),
    /// It was not.
    Resume,
    /// A witness's answer, or why there is none.
    Answered {
        server: usize,
        id: u64,
        answer: Result<Answer, Silence>,
    },
    /// A note that somebody handed in.
    HandedIn(SignedNote, oneshot::Sender<Result<(), Refused>>),
    Stop,
}

/// What others see of the gatherer.
#[derive(Debug, Default)]
pub(super) struct Witnessing {
    witnesses: Mutex<Vec<WitnessState>>,
    asked_for: Mutex<Option<String>>,
}

impl Witnessing {
    /// Every witness of the policy.
    pub(super) fn witnesses(&self) -> Vec<WitnessState> {
        self.witnesses.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// The checkpoint that cosignatures are gathered for, as the log signed it.
    pub(super) fn asked_for(&self) -> Option<String> {
        self.asked_for.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn show(&self, gatherer: &Gatherer) {
        *self.witnesses.lock().unwrap_or_else(PoisonError::into_inner) = gatherer.witnesses();
        let asked_for = gatherer.asked_for();
        let mut shown = self.asked_for.lock().unwrap_or_else(PoisonError::into_inner);
        *shown = asked_for.map(ToString::to_string);
    }
}

/// A gatherer that is not running yet; the publisher tells it of checkpoints from the first on.
pub(super) struct Prepared {
    gatherer: Gatherer,
    config: GatherConfig,
    inbox: Receiver<ToGatherer>,
    handle: Sender<ToGatherer>,
}

impl Prepared {
    /// Gathers for this policy; `held` are the sizes that witnesses said they cosigned last, by URL.
    pub(super) fn new(policy: Policy, config: GatherConfig, held: &[(String, u64)]) -> anyhow::Result<Self> {
        let mut seed = [0; 8];
        getrandom::fill(&mut seed)?;
        let pace = Pace { every_ms: millis(config.every), timeout_ms: millis(config.timeout) };
        let mut gatherer = Gatherer::new(policy, pace, u64::from_be_bytes(seed));
        for (url, size) in held {
            gatherer.learn(url, *size);
        }
        let (handle, inbox) = mpsc::channel();
        Ok(Self { gatherer, config, inbox, handle })
    }

    /// Where it is told.
    pub(super) fn handle(&self) -> Sender<ToGatherer> {
        self.handle.clone()
    }

    /// Starts the thread.
    pub(super) fn run(
        self,
        shared: Arc<Shared>,
        sequencer: Arc<RwLock<Sequencer>>,
        publisher: Sender<ToPublisher>,
    ) -> anyhow::Result<JoinHandle<()>> {
        let Self { gatherer, config, inbox, handle } = self;
        let gathering = Gathering {
            shared,
            sequencer,
            publisher,
            gatherer,
            clock: Clock::start(),
            timeout: config.timeout,
            handle,
            clients: HashMap::new(),
            latest: None,
            complete: None,
            policy: None,
        };
        let shared = Arc::clone(&gathering.shared);
        super::background("centre-gatherer", super::vital(&shared, move || gathering.run(&inbox)))
    }
}

struct Gathering {
    shared: Arc<Shared>,
    /// For proofs: it is read for microseconds, between two batches.
    sequencer: Arc<RwLock<Sequencer>>,
    publisher: Sender<ToPublisher>,
    gatherer: Gatherer,
    clock: Clock,
    timeout: Duration,
    handle: Sender<ToGatherer>,
    clients: HashMap<usize, Client>,
    latest: Option<SignedNote>,
    /// In force from the next checkpoint on: what came before is not to be judged by it.
    policy: Option<Policy>,
    /// Who waits for the last checkpoint.
    complete: Option<Sender<Cosigned>>,
}

impl Gathering {
    fn run(mut self, inbox: &Receiver<ToGatherer>) {
        self.shared.witnessing.show(&self.gatherer);
        while self.shared.halted().is_none() {
            let message = match inbox.recv_timeout(self.until_wake()) {
                Ok(ToGatherer::Stop) | Err(RecvTimeoutError::Disconnected) => return,
                Ok(message) => Some(message),
                Err(RecvTimeoutError::Timeout) => None,
            };
            let actions = self.take(message);
            self.shared.witnessing.show(&self.gatherer);
            for action in actions {
                self.act(action);
            }
        }
    }

    fn now(&self) -> u64 {
        self.clock.unix_ms(self.clock.now())
    }

    fn until_wake(&self) -> Duration {
        const LONG: Duration = Duration::from_secs(1);
        let wake = self.gatherer.next_wake();
        wake.map_or(LONG, |wake| Duration::from_millis(wake.saturating_sub(self.now())).min(LONG))
    }

    fn take(&mut self, message: Option<ToGatherer>) -> Vec<Action> {
        let now = self.now();
        let input = match message {
            Some(ToGatherer::Policy(policy)) => {
                self.policy = Some(*policy);
                return Vec::new();
            }
            Some(ToGatherer::Signed(note)) => {
                if let Some(policy) = self.policy.take() {
                    self.gatherer.set_policy(policy);
                    // They are numbered by the policy.
                    self.clients.clear();
                }
                self.latest = Some(note.clone());
                Input::Signed { note, last: false }
            }
            Some(ToGatherer::Last(complete)) => {
                self.complete = Some(complete);
                self.latest.clone().map_or(Input::Tick, |note| Input::Signed { note, last: true })
            }
            Some(ToGatherer::Resume) => {
                self.complete = None;
                Input::Resumed
            }
            Some(ToGatherer::Answered { server, id, answer }) => Input::Answered { server, id, answer },
            Some(ToGatherer::HandedIn(note, reply)) => return self.hand_in(now, &note, reply),
            Some(ToGatherer::Stop) | None => Input::Tick,
        };
        self.gatherer.handle(now, input)
    }

    fn hand_in(&mut self, now: u64, note: &SignedNote, reply: oneshot::Sender<Result<(), Refused>>) -> Vec<Action> {
        let (outcome, actions) = match self.gatherer.accept(now, note) {
            Ok(actions) => (Ok(()), actions),
            Err(refused) => (Err(refused), Vec::new()),
        };
        // Whoever handed it in may have gone.
        let _ = reply.send(outcome);
        actions
    }

    fn act(&mut self, action: Action) {
        match action {
            Action::Ask(ask) => self.ask(&ask),
            // The publisher is gone only if the centre stops.
            Action::Cosigned(cosigned) => drop(self.publisher.send(ToPublisher::Cosigned(cosigned))),
            Action::Complete(cosigned) => {
                let waiting = self.complete.take();
                drop(waiting.map(|waiting| waiting.send(*cosigned)));
            }
            Action::Trouble { witness, trouble } => {
                tracing::warn!(witness = witness.escape_debug().to_string(), "the witness {}", shown(&trouble));
            }
        }
    }

    fn ask(&mut self, ask: &Ask) {
        let request = ask.request(self.sequencer.read().unwrap_or_else(PoisonError::into_inner).tree());
        let request = match request {
            Ok(request) => request.to_string(),
            // The checkpoint was signed from this very tree.
            Err(error) => return self.shared.halt(format!("no proof for a witness: {error}")),
        };
        let (handle, timeout) = (&self.handle, self.timeout);
        let client = self.clients.entry(ask.server);
        let client = client.or_insert_with(|| Client::start(ask.server, ask.url.clone(), timeout, handle.clone()));
        client.post(ask.id, request);
    }
}

/// Foreign words as they may stand in the program's log.
fn shown(trouble: &tallyproof_centre::gatherer::Trouble) -> String {
    trouble.to_string().chars().take(400).collect::<String>().escape_debug().to_string()
}
