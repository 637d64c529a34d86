//! Witnesses: what befalls them, who asks them, and what they answer.

use rand_chacha::rand_core::Rng;
use tallyproof_centre::gatherer::{Ask, Input};
use tallyproof_log::checkpoint::Checkpoint;
use tallyproof_log::fork::ForkProof;
use tallyproof_log::witness::Answer;
use tallyproof_witness::cosigner::Asked;

use super::super::centre;
use super::super::check::Invariant;
use super::super::country::witness_url;
use super::super::mark::Mark;
use super::super::operator::Shelf;
use super::super::plan::What;
use super::super::post::{Asking, History, Message, Node, Parcel};
use super::super::public::read_back;
use super::super::witness::Outcome;
use super::{Event, Step, World, broken};

/// How often a witness looks at the log.
const LOOK_EVERY: u64 = 9_000;
/// The longest that a witness takes to recount.
const RECOUNT: u32 = 2_500;
/// The path of what centre and witnesses say to each other.
const PATH: usize = 30;

impl World<'_> {
    /// Something befalls a witness, or the operator does something to an audience.
    pub(super) fn befall_witnesses(&mut self, what: What) {
        match what {
            What::Fork { .. } | What::ForkGrows { .. } | What::Switch { .. } | What::Withhold { .. } => {
                self.befall_audience(what);
            }
            What::WitnessLies { witness } => {
                if let Some(witness) = self.witnesses.get_mut(witness) {
                    witness.lies = true;
                }
            }
            What::WitnessOffline { witness, for_ms } => {
                if let Some(witness) = self.witnesses.get_mut(witness) {
                    witness.offline_until = self.now + for_ms;
                }
            }
            other => self.befall_folder(other),
        }
    }

    fn befall_folder(&mut self, what: What) {
        let (What::WitnessPower { witness, .. }
        | What::WitnessLost { witness }
        | What::WitnessBackup { witness }
        | What::WitnessRestored { witness, .. }) = what
        else {
            return;
        };
        let Some(it) = self.witnesses.get_mut(witness) else { return };
        let down = match what {
            What::WitnessPower { operations: 0, down_ms, .. } => {
                it.lose_power();
                down_ms
            }
            What::WitnessPower { operations, .. } => {
                it.power_in = Some(operations - 1);
                return;
            }
            What::WitnessLost { .. } => {
                it.lose_folder();
                500
            }
            What::WitnessRestored { down_ms, .. } if it.restore() => {
                self.marks.hit(Mark::WitnessRestored);
                down_ms
            }
            _ => return it.back_up(),
        };
        self.add(down, Event::StartWitness(witness));
    }

    pub(super) fn start_witness(&mut self, no: usize) -> Step {
        let country = self.country;
        let Some(witness) = self.witnesses.get_mut(no).filter(|it| !it.is_up() && !it.retired) else { return Ok(()) };
        match witness.start(country, &mut self.marks) {
            Ok(()) => Ok(()),
            Err(what) => broken(Invariant::Starts, format!("witness {no}: {what}")),
        }
    }

    fn lose_witness(&mut self, no: usize) {
        let down = 200 + u64::from(self.rng.next_u32()) % 4_000;
        self.note(|| format!("witness {no} loses power"));
        if let Some(witness) = self.witnesses.get_mut(no) {
            witness.lose_power();
        }
        self.add(down, Event::StartWitness(no));
    }

    /// Sends the questions of the centre's gatherer.
    pub(super) fn ask_for_first(&mut self, asks: Vec<Ask>) -> Step {
        for ask in asks {
            self.ask(History::First, &ask)?;
        }
        let wake = self.centre.as_ref().and_then(|centre| centre.gatherer.next_wake());
        self.wake_gatherer_at(Node::Centre, wake);
        Ok(())
    }

    pub(super) fn ask_for_second(&mut self) -> Step {
        while let Some(ask) = self.second.as_mut().and_then(|second| second.asks.pop_front()) {
            self.ask(History::Second, &ask)?;
        }
        let wake = self.second.as_ref().and_then(|second| second.gatherer.next_wake());
        self.wake_gatherer_at(Node::Operator, wake);
        Ok(())
    }

    fn wake_gatherer_at(&mut self, node: Node, at: Option<u64>) {
        if let Some(at) = at {
            self.wake_at(node, at.max(self.now + 1), Event::WakeGatherer(node));
        }
    }

    fn ask(&mut self, history: History, ask: &Ask) -> Step {
        let tree = match (history, &self.centre, &self.second) {
            (History::First, Some(centre), _) => centre.tree(),
            (History::Second, _, Some(second)) => second.tree(),
            _ => return Ok(()),
        };
        let body = match ask.request(tree) {
            Ok(request) => request.to_string().into_bytes(),
            Err(error) => return broken(Invariant::NoHalt, error.to_string()),
        };
        let Some(no) = (0..self.witnesses.len()).find(|no| witness_url(*no) == ask.url) else { return Ok(()) };
        let from = if history == History::First { Node::Centre } else { Node::Operator };
        let asking = Asking { history, life: self.life, server: ask.server, id: ask.id };
        let message = Message::Ask(asking, body);
        self.send(&Parcel { from, to: Node::Witness(no), address: 0, path: PATH, message })
    }

    pub(super) fn wake_gatherer(&mut self, node: Node) -> Step {
        self.tell_gatherer(node, Input::Tick)
    }

    fn tell_gatherer(&mut self, node: Node, input: Input) -> Step {
        if node == Node::Operator {
            if let Some(second) = &mut self.second {
                second.gather(self.now, input);
            }
            return self.ask_for_second();
        }
        let mut outcome = centre::Outcome::default();
        if let Some(centre) = &mut self.centre {
            centre.gather(self.now, input, &mut outcome);
        }
        self.ask_for_first(outcome.asks)
    }

    pub(super) fn arrive_at_gatherer(&mut self, node: Node, asking: Asking, answer: Answer) -> Step {
        // An answer to a program that has ended.
        if asking.history == History::First && asking.life != self.life {
            return Ok(());
        }
        self.tell_gatherer(node, Input::Answered { server: asking.server, id: asking.id, answer: Ok(answer) })
    }

    pub(super) fn arrive_at_witness(&mut self, no: usize, asking: Asking, body: &[u8]) -> Step {
        let now = self.now;
        let Some(witness) = self.witnesses.get_mut(no).filter(|it| it.is_up() && it.offline_until <= now) else {
            self.nobody_there();
            return Ok(());
        };
        if witness.lies {
            self.marks.hit(Mark::WitnessLies);
            let outcome = witness.cosign_blindly(body, now);
            return self.take_from_witness(no, asking, outcome);
        }
        let (outcome, asked) = witness.asked(body, &mut self.marks);
        if let Some(asked) = asked {
            let after = u64::from(self.rng.next_u32() % RECOUNT);
            self.add(after, Event::Cosign(no, asking, asked));
        }
        self.take_from_witness(no, asking, outcome)
    }

    pub(super) fn cosign(&mut self, no: usize, asking: Asking, asked: &Asked) -> Step {
        let history = self.history_shown_to(no);
        let Self { witnesses, second, disk, marks, now, .. } = self;
        let Some(witness) = witnesses.get_mut(no).filter(|witness| witness.is_up()) else { return Ok(()) };
        let shelf = match (history, second) {
            (History::Second, Some(second)) => Shelf { tiles: &second.tiles, rotten: None },
            _ => Shelf { tiles: &disk.tiles, rotten: Some(&disk.rotten) },
        };
        let outcome = witness.cosign(asked, *now, &shelf, marks);
        self.take_from_witness(no, asking, outcome)
    }

    fn history_shown_to(&self, no: usize) -> History {
        self.witnesses.get(no).map_or(History::First, |witness| self.shown(witness.audience).history)
    }

    pub(super) fn look(&mut self, no: usize) -> Step {
        self.add(LOOK_EVERY, Event::Look(no));
        let Some(notes) = self.witnesses.get(no).map(|witness| self.shown(witness.audience)) else { return Ok(()) };
        let Some(note) = notes.checkpoint else { return Ok(()) };
        let Self { witnesses, second, disk, .. } = self;
        let shelf = match (notes.history, second) {
            (History::Second, Some(second)) => Shelf { tiles: &second.tiles, rotten: None },
            _ => Shelf { tiles: &disk.tiles, rotten: Some(&disk.rotten) },
        };
        let Some(outcome) = witnesses.get_mut(no).map(|witness| witness.look(&note, &shelf)) else { return Ok(()) };
        let asking = Asking { history: notes.history, life: 0, server: 0, id: 0 };
        self.take_from_witness(no, asking, outcome)
    }

    /// What a witness did is looked at, and what it says is sent.
    fn take_from_witness(&mut self, no: usize, asking: Asking, outcome: Outcome) -> Step {
        let Outcome { answer, cosigned, proof, alarm, lost_power } = outcome;
        if let Some(checkpoint) = cosigned {
            self.check_cosigned(no, checkpoint, asking.history)?;
        }
        if let Some(proof) = proof {
            self.check_proof(no, &proof)?;
        }
        if let Some(what) = alarm {
            self.marks.hit(Mark::WitnessAlarm);
            self.note(|| format!("witness {no} raises the alarm: {what}"));
            if !self.operator_lies && self.disk.rotten.is_empty() && !self.rolled_back {
                return broken(Invariant::OneHistory, format!("witness {no}: {what}"));
            }
        }
        if lost_power {
            self.lose_witness(no);
        }
        let Some(answer) = answer else { return Ok(()) };
        let to = if asking.history == History::First { Node::Centre } else { Node::Operator };
        let message = Message::Answer(asking, answer);
        self.send(&Parcel { from: Node::Witness(no), to, address: 0, path: PATH, message })
    }

    /// A witness that is nobody's cosigns one history, whatever it is asked.
    fn check_cosigned(&mut self, no: usize, checkpoint: Checkpoint, history: History) -> Step {
        let faulty = self.witnesses.get(no).is_none_or(|witness| witness.lies || witness.restored);
        let trees = self.trees();
        let earlier = self.cosigned.get(no).into_iter().flatten();
        let torn = earlier.filter(|_| !faulty).find(|(one, of)| !trees.agree((one, *of), (&checkpoint, history)));
        if let Some((other, _)) = torn {
            let what =
                format!("witness {no} cosigns {} entries after {} of another history", checkpoint.size, other.size);
            return broken(Invariant::WitnessConsistent, what);
        }
        if let Some(cosigned) = self.cosigned.get_mut(no) {
            cosigned.push((checkpoint, history));
        }
        Ok(())
    }

    fn check_proof(&mut self, no: usize, proof: &ForkProof) -> Step {
        self.marks.hit(Mark::WitnessProves);
        self.note(|| format!("witness {no} proves a fork"));
        match read_back(proof) {
            Err(error) => broken(Invariant::ForkProven, format!("the proof of witness {no} does not hold: {error}")),
            Ok(fork) if fork.log != *self.country.log.verifier() => {
                broken(Invariant::ForkProven, format!("the proof of witness {no} accuses another log"))
            }
            Ok(fork) if !self.operator_lies => broken(Invariant::OneHistory, fork.to_string()),
            Ok(_) => Ok(()),
        }
    }

    /// Whether the last checkpoint has the quorum, or cannot have it.
    pub(super) fn is_cosigned(&self) -> bool {
        let Some(centre) = &self.centre else { return false };
        let Ok(policy) = tallyproof_count::policy::in_force(&centre.ledger, self.country.log.verifier()) else {
            return false;
        };
        let able = |witness: &tallyproof_log::policy::Witness| {
            let at = |no: &usize| witness.url.as_deref() == Some(witness_url(*no).as_str());
            (0..self.witnesses.len()).find(at).is_some_and(|no| !self.witnesses[no].retired)
        };
        let names: Vec<_> =
            policy.witnesses().iter().filter(|witness| able(witness)).map(|witness| witness.name.as_str()).collect();
        let possible = policy.quorum().is_some() && policy.satisfied_by(&names) && !self.operator_lies;
        !possible || centre.cosigned_size == centre.tree().size()
    }
}
