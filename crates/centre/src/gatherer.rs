//! Gathers the witnesses' cosignatures on the log's checkpoints, as a state machine without a socket or a clock.
//!
//! In rounds: a round takes the latest checkpoint and asks every witness of the policy for it, each at its own pace, so that their
//! cosignatures meet on one checkpoint however fast the log grows. What comes late still counts for the checkpoint that it is of.
//! A witness's word is taken for nothing but its own cosignature, and that is verified before it is added: one false signature would
//! make the checkpoint unbelievable. Publishing never waits for any of this (`docs/adr/0008-publishing-waits-for-no-witness.md`).

mod held;
mod server;
#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, VecDeque};

use sha2::{Digest, Sha256};
use tallyproof_log::{
    checkpoint::{Checkpoint, CheckpointError},
    merkle::ProofError,
    note::{NoteError, NoteSignature, SignedNote, VerifierKey},
    policy::{Policy, Witness},
    tree::Tree,
    witness::{AddCheckpoint, Answer, AnswerError, RequestError},
};
use thiserror::Error;

use self::held::Held;
use self::server::{Server, Turn};

/// Checkpoints whose cosignatures are still taken: a quarter of an hour at one a second.
pub const KEPT: usize = 1024;
/// How long a final checkpoint waits for those who are still asked once it has its quorum.
pub const LINGER_MS: u64 = 2_000;

/// How often and how patiently witnesses are asked. Milliseconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Pace {
    /// From the start of one round to the next.
    pub every_ms: u64,
    /// A witness that has not answered by then is taken for silent.
    pub timeout_ms: u64,
}

impl Default for Pace {
    fn default() -> Self {
        Self { every_ms: 5_000, timeout_ms: 10_000 }
    }
}

/// What the gatherer is told.
#[derive(Debug)]
pub enum Input {
    /// The log has signed a checkpoint. If it is the last ever, every cosignature that the policy knows is wanted on it.
    Signed {
        /// The note, signed by the log alone.
        note: SignedNote,
        /// Whether nothing follows it.
        last: bool,
    },
    /// The log goes on after all: what was said to be its last checkpoint is one as any other.
    Resumed,
    /// A witness's answer, or why there is none, to the [`Ask`] of this number.
    Answered {
        /// Which witness was asked.
        server: usize,
        /// [`Ask::id`].
        id: u64,
        /// The answer.
        answer: Result<Answer, Silence>,
    },
    /// Time has passed: see [`Gatherer::next_wake`].
    Tick,
}

/// Why a witness's answer is none.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum Silence {
    /// It could not be reached, or not in time.
    #[error("{0}")]
    Unreachable(String),
    /// It said something else than the protocol allows.
    #[error(transparent)]
    Answer(#[from] AnswerError),
}

/// What the caller is to do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Action {
    /// Post a checkpoint to a witness. It has no other request in hand.
    Ask(Box<Ask>),
    /// A checkpoint has more cosignatures than before: publish it.
    Cosigned(Box<Cosigned>),
    /// The last checkpoint has all that it waits for: publish it as final. Said once.
    Complete(Box<Cosigned>),
    /// A witness fails. Said once until it answers well again.
    Trouble {
        /// Which, by its names in the policy.
        witness: String,
        /// What is wrong.
        trouble: Trouble,
    },
}

/// A checkpoint with verified cosignatures.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cosigned {
    /// What it states.
    pub checkpoint: Checkpoint,
    /// The signed note.
    pub note: String,
    /// The policy's witnesses that cosigned it.
    pub witnesses: Vec<String>,
    /// Whether they are those that the policy asks for.
    pub quorum: bool,
}

/// One request to a witness.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ask {
    /// Which witness, for [`Input::Answered`].
    pub server: usize,
    /// Number of the request.
    pub id: u64,
    /// The witness's submission prefix.
    pub url: String,
    /// Size of the tree that it is believed to have cosigned last; 0 if nothing is known of it.
    pub old_size: u64,
    /// What it is to cosign.
    pub checkpoint: Checkpoint,
    /// The same, signed by the log.
    pub note: SignedNote,
}

/// The tree has no proof for a request. A fault of the program: the checkpoint was signed from that tree.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum AskError {
    /// The tree is too small.
    #[error(transparent)]
    Proof(#[from] ProofError),
    /// The proof cannot be sent.
    #[error(transparent)]
    Request(#[from] RequestError),
}

impl Ask {
    /// The request's body, with the consistency proof from the log's tree.
    pub fn request(&self, tree: &Tree) -> Result<AddCheckpoint, AskError> {
        let proof = tree.consistency_proof(self.old_size, self.checkpoint.size)?;
        Ok(AddCheckpoint::new(self.old_size, proof, self.note.clone())?)
    }
}

/// What is wrong with a witness, from the log's side.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum Trouble {
    /// No answer, or none in the protocol's form.
    #[error("does not answer: {0}")]
    Silent(#[from] Silence),
    /// It refuses the checkpoint.
    #[error("refuses the checkpoint (status {status}): {reason}")]
    Refuses {
        /// The HTTP status.
        status: u16,
        /// What that means.
        reason: &'static str,
    },
    /// Its cosignature does not hold.
    #[error("gave a cosignature that does not hold; it was not used: {0}")]
    False(#[from] NoteError),
    /// It answered well, but not with a signature of a key that the policy knows.
    #[error("gave no cosignature of a key in the policy: has it the key that the policy names?")]
    Foreign,
    /// It claims to have cosigned a larger tree than this log has.
    #[error(
        "says that it cosigned a tree of {size} entries, and this log has {signed}. If it shows a checkpoint of that size which this \
         log's key signed, stop the centre: its journal is not the newest"
    )]
    Ahead {
        /// What it says.
        size: u64,
        /// The latest checkpoint's size.
        signed: u64,
    },
    /// It names another size each time.
    #[error("does not take the size that it asked for itself")]
    Fickle,
}

/// Why a cosignature that was handed in is not taken.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum Refused {
    /// The text is no checkpoint.
    #[error("not a checkpoint with cosignatures: {0}")]
    Form(#[from] CheckpointError),
    /// Not one of the checkpoints that the log signed of late.
    #[error("this is none of the last checkpoints of this log; fetch a new one")]
    Unknown,
    /// No signature on it is of a key in the policy.
    #[error("no signature on it is of a witness in the policy")]
    Foreign,
    /// A signature is false.
    #[error(transparent)]
    False(#[from] NoteError),
}

/// What is known of one of the policy's witnesses.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WitnessState {
    /// Its name in the policy.
    pub name: String,
    /// Size of the tree that it cosigned last for us; 0 for none.
    pub size: u64,
    /// When its last cosignature came, in the caller's milliseconds; 0 for never.
    pub at_ms: u64,
    /// Requests that were sent to it.
    pub asked: u64,
    /// Of these, those that brought nothing.
    pub failures: u64,
    /// What is wrong with it now.
    pub trouble: Option<String>,
}

/// The state machine. Times are milliseconds of the caller's clock, which never goes back.
///
/// Drive it so: give it what happens, do what it returns, and [`Input::Tick`] it at [`Gatherer::next_wake`].
#[derive(Debug)]
pub struct Gatherer {
    policy: Policy,
    pace: Pace,
    luck: Luck,
    servers: Vec<Server>,
    /// By rising size.
    recent: VecDeque<Held>,
    /// Size of the checkpoint that is asked for.
    round: Option<u64>,
    /// When the next round may begin.
    next_round: u64,
    /// Larger than the round's, handed in by a witness that cannot be asked: the next round is best of the same.
    preferred: Option<u64>,
    /// Size of the last checkpoint, if it is known to be the last.
    last: Option<Last>,
    /// By name: size cosigned last, and when that came.
    heard: BTreeMap<String, (u64, u64)>,
    /// Number of the next request.
    next_id: u64,
}

#[derive(Clone, Copy, Debug)]
struct Last {
    size: u64,
    /// When it had its quorum.
    met_at: Option<u64>,
    said: bool,
}

/// Spreads out what would otherwise happen at once.
#[derive(Clone, Copy, Debug)]
struct Luck {
    seed: u64,
    drawn: u64,
}

impl Luck {
    /// A number below `bound`, or 0.
    fn below(&mut self, bound: u64) -> u64 {
        self.drawn = self.drawn.wrapping_add(1);
        let digest =
            Sha256::new().chain_update(self.seed.to_be_bytes()).chain_update(self.drawn.to_be_bytes()).finalize();
        let drawn = digest.first_chunk().map_or(0, |bytes| u64::from_be_bytes(*bytes));
        drawn.checked_rem(bound).unwrap_or(0)
    }
}

/// What an answer brought.
#[derive(Debug, PartialEq, Eq)]
enum Heard {
    Cosignature,
    /// The size that the witness cosigned last.
    Correction,
}

impl Gatherer {
    /// Gathers for this policy. `seed` decides the jitter.
    pub fn new(policy: Policy, pace: Pace, seed: u64) -> Self {
        Self {
            servers: Server::all(&policy),
            policy,
            pace,
            luck: Luck { seed, drawn: 0 },
            recent: VecDeque::new(),
            round: None,
            next_round: 0,
            preferred: None,
            last: None,
            heard: BTreeMap::new(),
            next_id: 0,
        }
    }

    /// Asks the witnesses of another policy from now on; what they are known to hold is kept.
    pub fn set_policy(&mut self, policy: Policy) {
        let before = std::mem::replace(&mut self.servers, Server::all(&policy));
        for server in &mut self.servers {
            server.remember(before.iter().find(|other| other.url == server.url));
        }
        // A signature that the new policy does not know would make a checkpoint unreadable.
        self.recent.iter_mut().for_each(Held::strip);
        self.policy = policy;
    }

    /// The size that a witness cosigned last, learnt elsewhere: saves the first question.
    pub fn learn(&mut self, url: &str, size: u64) {
        self.servers.iter_mut().filter(|server| server.url == url).for_each(|server| server.last = size);
    }

    /// Takes in what has happened.
    pub fn handle(&mut self, now_ms: u64, input: Input) -> Vec<Action> {
        let fresh = matches!(input, Input::Signed { .. });
        let mut actions = match input {
            Input::Signed { note, last } => self.signed(note, last),
            Input::Resumed => {
                self.last = None;
                Vec::new()
            }
            Input::Answered { server, id, answer } => self.answered(now_ms, server, id, answer),
            Input::Tick => Vec::new(),
        };
        self.begin_round(now_ms, fresh);
        self.go_on(now_ms, &mut actions);
        actions
    }

    /// Takes a note that a witness hands in by itself. A refusal changes nothing.
    pub fn accept(&mut self, now_ms: u64, note: &SignedNote) -> Result<Vec<Action>, Refused> {
        let checkpoint: Checkpoint = note.text().parse()?;
        let held = self.held(checkpoint.size).filter(|held| held.checkpoint == checkpoint).ok_or(Refused::Unknown)?;
        let mut found = Vec::new();
        for witness in self.policy.witnesses() {
            if let Some(signature) = held::signature_of(&witness.key, note.signatures()) {
                held.verify(signature, &witness.key)?;
                found.push((witness.clone(), signature.clone()));
            }
        }
        if found.is_empty() {
            return Err(Refused::Foreign);
        }
        let mut actions = Vec::new();
        self.take(now_ms, checkpoint.size, &found, &mut actions);
        if self.round.is_none_or(|round| round < checkpoint.size) {
            self.preferred = self.preferred.max(Some(checkpoint.size));
        }
        self.begin_round(now_ms, false);
        self.go_on(now_ms, &mut actions);
        Ok(actions)
    }

    /// The checkpoint that witnesses are asked for now, as the log signed it: one that polls does best to cosign this one.
    pub fn asked_for(&self) -> Option<&SignedNote> {
        self.round.and_then(|size| self.held(size)).map(|held| &held.signed)
    }

    /// When [`Input::Tick`] will next do something.
    pub fn next_wake(&self) -> Option<u64> {
        let servers = self.servers.iter().filter_map(|server| server.next_wake(self.wants(server), self.pace));
        let newer = self.recent.back().is_some_and(|latest| self.round < Some(latest.checkpoint.size));
        let round = newer.then_some(self.next_round);
        let last = self.last.filter(|last| !last.said);
        let linger = last.and_then(|last| last.met_at).map(|met| met.saturating_add(LINGER_MS));
        servers.chain(round).chain(linger).min()
    }

    /// Every witness of the policy.
    pub fn witnesses(&self) -> Vec<WitnessState> {
        let state = |witness: &Witness| {
            let (size, at_ms) = self.heard.get(&witness.name).copied().unwrap_or_default();
            let server = self.servers.iter().find(|server| server.keys.contains(&witness.key));
            WitnessState {
                name: witness.name.clone(),
                size,
                at_ms,
                asked: server.map_or(0, |server| server.asked),
                failures: server.map_or(0, |server| server.failures),
                trouble: server.and_then(|server| server.trouble.as_ref()).map(ToString::to_string),
            }
        };
        self.policy.witnesses().iter().map(state).collect()
    }

    fn position(&self, size: u64) -> Option<usize> {
        let at = self.recent.partition_point(|held| held.checkpoint.size < size);
        self.recent.get(at).filter(|held| held.checkpoint.size == size).map(|_| at)
    }

    fn held(&self, size: u64) -> Option<&Held> {
        self.recent.get(self.position(size)?)
    }

    fn latest(&self) -> u64 {
        self.recent.back().map_or(0, |held| held.checkpoint.size)
    }

    fn signed(&mut self, note: SignedNote, last: bool) -> Vec<Action> {
        let Ok(checkpoint) = note.text().parse::<Checkpoint>() else { return Vec::new() };
        let size = checkpoint.size;
        if size > self.latest() || self.recent.is_empty() {
            if self.recent.len() == KEPT {
                self.recent.pop_front();
            }
            self.recent.push_back(Held::new(checkpoint, note));
        }
        if last && self.last.is_none() {
            self.last = Some(Last { size, met_at: None, said: false });
            // Nobody has to be waited for any more: whoever failed before is asked once more at once.
            self.servers.iter_mut().for_each(Server::hasten);
        }
        Vec::new()
    }

    /// Asks whoever is due, and says when the last checkpoint is complete.
    fn go_on(&mut self, now: u64, actions: &mut Vec<Action>) {
        for at in 0..self.servers.len() {
            let wanted = self.servers.get(at).is_some_and(|server| self.wants(server));
            let Some(server) = self.servers.get_mut(at) else { continue };
            if let Some(trouble) = server.expire(now, self.pace, &mut self.luck) {
                actions.push(Action::Trouble { witness: server.names.join(", "), trouble });
            }
            if wanted && server.is_due(now) {
                actions.extend(self.ask(now, at));
            }
        }
        actions.extend(self.complete(now));
    }

    /// Begins a round if one is due. A checkpoint that is just signed may begin it a little early: waiting would only make it old.
    fn begin_round(&mut self, now: u64, fresh: bool) {
        let latest = self.latest();
        let newer = !self.recent.is_empty() && self.round.is_none_or(|round| round < latest);
        let last = self.last.is_some_and(|last| last.size == latest);
        let early = if fresh { self.pace.every_ms / 5 } else { 0 };
        if !newer || (now.saturating_add(early) < self.next_round && !last) {
            return;
        }
        let preferred = self.preferred.take().filter(|&size| !last && self.round < Some(size));
        self.round = Some(preferred.unwrap_or(latest));
        self.next_round = now.saturating_add(self.pace.every_ms);
    }

    /// Whether this witness could still add to the round's checkpoint. One that has cosigned a larger tree cannot.
    fn wants(&self, server: &Server) -> bool {
        let Some(held) = self.round.and_then(|size| self.held(size)) else { return false };
        let lacks = |key| !held.signers.contains(key) && self.keeps(held, key);
        server.last <= held.checkpoint.size && server.keys.iter().any(lacks)
    }

    /// Whether a cosignature by this key stays on the checkpoint. ML-DSA-44 makes it ten times as long, and is for those who read it
    /// in decades: the last checkpoint has it, and others only where the quorum cannot do without.
    fn keeps(&self, held: &Held, key: &VerifierKey) -> bool {
        held::is_short(key)
            || self.last.is_some_and(|last| last.size == held.checkpoint.size)
            || !self.policy.satisfied_by(&self.short_named())
    }

    fn short_named(&self) -> Vec<&str> {
        let short = self.policy.witnesses().iter().filter(|witness| held::is_short(&witness.key));
        short.map(|witness| witness.name.as_str()).collect()
    }

    fn ask(&mut self, now: u64, at: usize) -> Option<Action> {
        let held = self.round.and_then(|size| self.held(size))?;
        let (checkpoint, note) = (held.checkpoint.clone(), held.signed.clone());
        let server = self.servers.get_mut(at)?;
        let id = self.next_id;
        self.next_id = id.wrapping_add(1);
        server.turn = Turn::Asked { id, size: checkpoint.size, since: now };
        server.asked = server.asked.saturating_add(1);
        let (url, old_size) = (server.url.clone(), server.last);
        Some(Action::Ask(Box::new(Ask { server: at, id, url, old_size, checkpoint, note })))
    }

    fn answered(&mut self, now: u64, at: usize, id: u64, answer: Result<Answer, Silence>) -> Vec<Action> {
        let mut actions = Vec::new();
        // Late answers are dropped with their request: a witness that is asked again answers again.
        let Some(size) = self.servers.get_mut(at).and_then(|server| server.answer_to(id)) else { return actions };
        let outcome = match answer {
            Ok(Answer::Cosigned(signatures)) => self.cosigned(now, at, size, &signatures, &mut actions),
            Ok(Answer::Conflict { size: other }) => self.conflict(at, other),
            Ok(refusal) => Err(refuses(&refusal)),
            Err(silence) => Err(silence.into()),
        };
        let Some(server) = self.servers.get_mut(at) else { return actions };
        match outcome {
            Ok(Heard::Cosignature) => server.well(),
            Ok(Heard::Correction) => {}
            Err(trouble) => {
                let said = server.fails(now, &trouble, &mut self.luck);
                actions.extend(said.then(|| Action::Trouble { witness: server.names.join(", "), trouble }));
            }
        }
        actions
    }

    /// The witness has cosigned another tree last than was thought.
    fn conflict(&mut self, at: usize, size: u64) -> Result<Heard, Trouble> {
        let signed = self.latest();
        let Some(server) = self.servers.get_mut(at) else { return Ok(Heard::Correction) };
        if size > signed {
            return Err(Trouble::Ahead { size, signed });
        }
        // It is asked again at once, but not for ever.
        let again = std::mem::replace(&mut server.corrected, true);
        let same = std::mem::replace(&mut server.last, size) == size;
        if again || same { Err(Trouble::Fickle) } else { Ok(Heard::Correction) }
    }

    fn cosigned(
        &mut self,
        now: u64,
        at: usize,
        size: u64,
        signatures: &[NoteSignature],
        actions: &mut Vec<Action>,
    ) -> Result<Heard, Trouble> {
        let server = self.servers.get(at);
        let Some((server, held)) = server.zip(self.held(size)) else { return Ok(Heard::Cosignature) };
        let mut outcome = Err(Trouble::Foreign);
        let mut found = Vec::new();
        for witness in self.policy.witnesses().iter().filter(|witness| server.keys.contains(&witness.key)) {
            let Some(signature) = held::signature_of(&witness.key, signatures) else { continue };
            match held.verify(signature, &witness.key) {
                Ok(()) => found.push((witness.clone(), signature.clone())),
                Err(error) => outcome = Err(error.into()),
            }
        }
        if !found.is_empty() && outcome == Err(Trouble::Foreign) {
            outcome = Ok(Heard::Cosignature);
        }
        self.take(now, size, &found, actions);
        outcome
    }

    /// Adds what was verified, as far as it is kept, and says so.
    fn take(&mut self, now: u64, size: u64, found: &[(Witness, NoteSignature)], actions: &mut Vec<Action>) {
        let Some(at) = self.position(size) else { return };
        let mut grown = false;
        for (witness, signature) in found {
            let heard = self.heard.entry(witness.name.clone()).or_default();
            *heard = (heard.0.max(size), now);
            let servers = self.servers.iter_mut().filter(|server| server.keys.contains(&witness.key));
            servers.for_each(|server| server.last = server.last.max(size));
            let kept = self.recent.get(at).is_some_and(|held| self.keeps(held, &witness.key));
            if let Some(held) = self.recent.get_mut(at).filter(|_| kept) {
                grown |= held.add(signature, &witness.key);
            }
        }
        if grown {
            actions.extend(self.report(size).map(|cosigned| Action::Cosigned(Box::new(cosigned))));
        }
    }

    fn report(&self, size: u64) -> Option<Cosigned> {
        let held = self.held(size)?;
        let names = held.names(&self.policy);
        Some(Cosigned {
            checkpoint: held.checkpoint.clone(),
            note: held.note.to_string(),
            quorum: self.policy.satisfied_by(&names),
            witnesses: names.into_iter().map(str::to_owned).collect(),
        })
    }

    /// The last checkpoint, once it has its quorum and whoever is still asked has had time.
    fn complete(&mut self, now: u64) -> Option<Action> {
        let last = self.last.filter(|last| !last.said)?;
        let met = self.policy.satisfied_by(&self.full_names(self.held(last.size)?));
        let met_at = met.then(|| last.met_at.unwrap_or(now));
        let asking = self.servers.iter().any(|server| self.wants(server) && server.is_asked());
        let said = met_at.is_some_and(|met_at| !asking || now >= met_at.saturating_add(LINGER_MS));
        self.last = Some(Last { met_at, said, ..last });
        let complete = if said { self.report(last.size) } else { None };
        complete.map(|cosigned| Action::Complete(Box::new(cosigned)))
    }

    /// The witnesses whose every key has cosigned: an Ed25519 cosignature counts for the last checkpoint with the ML-DSA-44 one of
    /// the same witness only, where the policy knows both.
    fn full_names<'a>(&'a self, held: &Held) -> Vec<&'a str> {
        let lacks_long =
            |server: &&Server| server.keys.iter().any(|key| !held::is_short(key) && !held.signers.contains(key));
        let partial: Vec<_> = self.servers.iter().filter(lacks_long).flat_map(|server| &server.names).collect();
        held.names(&self.policy).into_iter().filter(|name| !partial.iter().any(|other| *other == name)).collect()
    }
}

fn refuses(answer: &Answer) -> Trouble {
    let reason = match answer {
        Answer::Malformed => "it cannot read the request",
        Answer::NotSigned => "it does not know the key of this log, or another of its name",
        Answer::UnknownLog => "it does not know this log: its operator has to add it",
        Answer::Inconsistent => {
            "it has another history of this log, or could not verify or recount what it was asked to cosign"
        }
        Answer::Cosigned(_) | Answer::Conflict { .. } => "",
    };
    Trouble::Refuses { status: answer.status(), reason }
}
