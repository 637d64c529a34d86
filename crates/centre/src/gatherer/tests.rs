use proptest::prelude::*;
use tallyproof_log::{
    cosignature::CosignerKey,
    merkle::{Hash, leaf_hash, verify_consistency},
    note::{self, SignerKey},
    policy::Threshold,
};

use super::*;

const PACE: Pace = Pace { every_ms: 5_000, timeout_ms: 10_000 };

fn log() -> SignerKey {
    SignerKey::new("log.example".parse().unwrap(), &[1; 32])
}

fn short(number: u8) -> CosignerKey {
    CosignerKey::ed25519(format!("w{number}.example").parse().unwrap(), &[number; 32])
}

fn long(number: u8) -> CosignerKey {
    CosignerKey::ml_dsa_44(format!("w{number}.example").parse().unwrap(), &[number; 32])
}

/// Witnesses w1 to w5, the first two of which have an ML-DSA-44 key too; four of five are asked for.
fn policy() -> Policy {
    let mut policy = Policy::without_witnesses([log().verifier().clone()]).unwrap();
    for number in 1..=5 {
        let url = format!("http://w{number}/");
        policy.add_witness(&format!("w{number}"), short(number).verifier().clone(), Some(&url)).unwrap();
        if number <= 2 {
            let key = long(number).verifier().clone();
            policy.add_witness(&format!("w{number}-long"), key, Some(&format!("http://w{number}"))).unwrap();
        }
    }
    policy.add_group("four", Threshold::AtLeast(4), &["w1", "w2", "w3", "w4", "w5"]).unwrap();
    policy.set_quorum("four").unwrap();
    policy
}

fn gatherer() -> Gatherer {
    Gatherer::new(policy(), PACE, 7)
}

fn tree(size: u64) -> Tree {
    (0..size).map(|leaf| leaf_hash(&leaf.to_be_bytes())).collect()
}

fn checkpoint(size: u64) -> Checkpoint {
    Checkpoint { origin: log().verifier().name().clone(), size, root: tree(size).root() }
}

fn signed(size: u64) -> SignedNote {
    SignedNote::parse(checkpoint(size).sign(&log()).unwrap().as_bytes()).unwrap()
}

fn sign(gatherer: &mut Gatherer, now: u64, size: u64, last: bool) -> Vec<Action> {
    gatherer.handle(now, Input::Signed { note: signed(size), last })
}

fn asks<'a>(actions: &'a [Action]) -> Vec<&'a Ask> {
    let ask = |action: &'a Action| if let Action::Ask(ask) = action { Some(&**ask) } else { None };
    actions.iter().filter_map(ask).collect()
}

fn cosigned<'a>(actions: &'a [Action]) -> Vec<&'a Cosigned> {
    let cosigned = |action: &'a Action| if let Action::Cosigned(cosigned) = action { Some(&**cosigned) } else { None };
    actions.iter().filter_map(cosigned).collect()
}

fn trouble(actions: &[Action]) -> Option<&Trouble> {
    actions.iter().find_map(|action| if let Action::Trouble { trouble, .. } = action { Some(trouble) } else { None })
}

/// How a witness behaves.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Manner {
    Honest,
    Silent,
    /// Names a size that is not its own.
    WrongSize(u64),
    /// Signs with a key of its name that is not in the policy.
    Foreign,
    /// Signs another checkpoint.
    Garbage,
    Refuses,
    Speechless,
}

/// A tlog-witness: what the protocol asks of it, and one way to depart from that.
struct Peer {
    number: u8,
    manner: Manner,
    size: u64,
    root: Option<Hash>,
}

impl Peer {
    fn new(number: u8, manner: Manner) -> Self {
        Self { number, manner, size: 0, root: None }
    }

    fn answer(&mut self, ask: &Ask) -> Result<Answer, Silence> {
        let request = AddCheckpoint::parse(ask.request(&tree(40)).unwrap().to_string().as_bytes()).unwrap();
        let keys = [short(self.number), long(self.number)];
        let by = |keys: &[CosignerKey], checkpoint: &Checkpoint| {
            Answer::Cosigned(keys.iter().map(|key| key.cosign(checkpoint, 1_800_000_000).unwrap()).collect())
        };
        match self.manner {
            Manner::Honest => {}
            Manner::Silent => return Err(Silence::Unreachable("gone".into())),
            Manner::WrongSize(size) => return Ok(Answer::Conflict { size }),
            Manner::Foreign => return Ok(by(&[short(self.number + 100)], request.checkpoint())),
            Manner::Garbage => {
                let other = Checkpoint { root: Hash([3; 32]), ..request.checkpoint().clone() };
                return Ok(by(&keys, &other));
            }
            Manner::Refuses => return Ok(Answer::Inconsistent),
            Manner::Speechless => return Err(AnswerError::Status(502).into()),
        }
        assert!(request.note().verify(&[log().verifier().clone()]).is_ok());
        if request.old_size() > request.checkpoint().size {
            return Ok(Answer::Malformed);
        }
        if request.old_size() != self.size {
            return Ok(Answer::Conflict { size: self.size });
        }
        let Checkpoint { size, root, .. } = request.checkpoint();
        if let Some(old) = &self.root {
            verify_consistency(self.size, *size, old, root, request.proof()).unwrap();
        }
        (self.size, self.root) = (*size, Some(*root));
        Ok(by(&keys, request.checkpoint()))
    }
}

fn answer(gatherer: &mut Gatherer, now: u64, ask: &Ask, peer: &mut Peer) -> Vec<Action> {
    let answer = peer.answer(ask);
    gatherer.handle(now, Input::Answered { server: ask.server, id: ask.id, answer })
}

#[test]
fn a_round_asks_everybody_once_and_meets_on_one_checkpoint() {
    let mut gatherer = gatherer();
    let first = sign(&mut gatherer, 0, 3, false);
    let urls: Vec<_> = asks(&first).iter().map(|ask| ask.url.clone()).collect();
    assert_eq!(urls, ["http://w1", "http://w2", "http://w3", "http://w4", "http://w5"], "one request for two keys");
    assert_eq!(gatherer.asked_for(), Some(&signed(3)));
    assert_eq!(asks(&sign(&mut gatherer, 1_000, 5, false)), Vec::<&Ask>::new(), "the round is not over");
    assert_eq!(asks(&sign(&mut gatherer, 3_999, 6, false)), Vec::<&Ask>::new(), "nor soon");
    let mut peers: Vec<_> = (1..=5).map(|number| Peer::new(number, Manner::Honest)).collect();
    for (at, ask) in asks(&first).into_iter().enumerate() {
        let actions = answer(&mut gatherer, 1_100, ask, &mut peers[at]);
        let found = cosigned(&actions)[0];
        assert_eq!((found.witnesses.len(), found.quorum), (at + 1, at >= 3));
        assert_eq!(found.checkpoint, checkpoint(3));
    }
    assert_eq!(gatherer.next_wake(), Some(5_000));
    let second = gatherer.handle(5_000, Input::Tick);
    let sizes: Vec<_> = asks(&second).iter().map(|ask| (ask.old_size, ask.checkpoint.size)).collect();
    assert_eq!(sizes, [(3, 6); 5]);
    for (at, ask) in asks(&second).into_iter().enumerate() {
        assert_eq!(trouble(&answer(&mut gatherer, 5_100, ask, &mut peers[at])), None);
    }
    assert_eq!(gatherer.next_wake(), None, "nothing to do before the next checkpoint");
}

#[test]
fn a_checkpoint_that_is_just_signed_begins_the_round_a_little_early() {
    let mut gatherer = gatherer();
    sign(&mut gatherer, 0, 3, false);
    sign(&mut gatherer, 3_999, 4, false);
    gatherer.handle(4_500, Input::Tick);
    assert_eq!(gatherer.asked_for(), Some(&signed(3)), "one that is old already can wait");
    sign(&mut gatherer, 4_600, 5, false);
    assert_eq!(gatherer.asked_for(), Some(&signed(5)));
    assert_eq!(gatherer.next_wake(), Some(11_000), "the answers that are waited for");
}

#[test]
fn before_the_last_checkpoint_long_signatures_are_not_kept() {
    let mut gatherer = gatherer();
    let first = sign(&mut gatherer, 0, 3, false);
    let mut peer = Peer::new(1, Manner::Honest);
    let actions = answer(&mut gatherer, 1, asks(&first)[0], &mut peer);
    assert_eq!(cosigned(&actions)[0].witnesses, ["w1"]);
    // The same checkpoint turns out to be the last: both keys are wanted.
    let last = sign(&mut gatherer, 2, 3, true);
    assert_eq!(asks(&last).iter().map(|ask| (ask.server, ask.old_size)).collect::<Vec<_>>(), [(0, 3)]);
    let actions = answer(&mut gatherer, 3, asks(&last)[0], &mut peer);
    assert_eq!(cosigned(&actions)[0].witnesses, ["w1", "w1-long"]);
}

#[test]
fn a_quorum_that_needs_long_signatures_has_them_at_once() {
    let mut policy = policy();
    policy.set_quorum("w1-long").unwrap();
    let mut gatherer = Gatherer::new(policy, PACE, 7);
    let first = sign(&mut gatherer, 0, 3, false);
    let actions = answer(&mut gatherer, 1, asks(&first)[0], &mut Peer::new(1, Manner::Honest));
    assert_eq!(cosigned(&actions)[0].witnesses, ["w1", "w1-long"]);
    assert!(cosigned(&actions)[0].quorum);
}

#[test]
fn a_witness_that_holds_another_size_is_asked_again_from_there() {
    let mut gatherer = gatherer();
    let first = sign(&mut gatherer, 0, 9, false);
    let mut peer = Peer { size: 4, root: tree(4).root_at(4), ..Peer::new(3, Manner::Honest) };
    let again = answer(&mut gatherer, 1, asks(&first)[2], &mut peer);
    assert_eq!(asks(&again)[0].old_size, 4);
    let actions = answer(&mut gatherer, 2, asks(&again)[0], &mut peer);
    assert_eq!(cosigned(&actions)[0].witnesses, ["w3"]);
}

#[test]
fn a_witness_that_is_ahead_is_told_of_and_not_asked_at_once() {
    let mut gatherer = gatherer();
    let first = sign(&mut gatherer, 0, 9, false);
    let actions = answer(&mut gatherer, 1, asks(&first)[0], &mut Peer::new(1, Manner::WrongSize(10)));
    assert_eq!(trouble(&actions), Some(&Trouble::Ahead { size: 10, signed: 9 }));
    assert!(asks(&actions).is_empty());
    let state = &gatherer.witnesses()[0];
    assert_eq!((state.asked, state.failures, state.size), (1, 1, 0));
    assert!(state.trouble.as_ref().unwrap().contains("stop the centre"));
}

#[test]
fn a_witness_that_names_sizes_for_ever_is_not_asked_for_ever() {
    let mut gatherer = gatherer();
    let mut ask = asks(&sign(&mut gatherer, 0, 9, false))[0].clone();
    for size in [5, 6] {
        let actions = answer(&mut gatherer, 1, &ask, &mut Peer::new(1, Manner::WrongSize(size)));
        match asks(&actions).first() {
            Some(again) => ask = (*again).clone(),
            None => return assert_eq!((size, trouble(&actions)), (6, Some(&Trouble::Fickle))),
        }
    }
    panic!("asked a third time at once");
}

#[test]
fn lies_are_told_of_once_and_never_published() {
    for (manner, expected) in [
        (Manner::Foreign, "no cosignature of a key in the policy"),
        (Manner::Garbage, "does not hold"),
        (Manner::Refuses, "another history"),
        (Manner::Speechless, "502"),
        (Manner::Silent, "gone"),
    ] {
        let mut gatherer = gatherer();
        let first = sign(&mut gatherer, 0, 9, false);
        let mut peer = Peer::new(1, manner);
        let actions = answer(&mut gatherer, 1, asks(&first)[0], &mut peer);
        let said = trouble(&actions).unwrap().to_string();
        assert!(said.contains(expected), "{said}");
        assert!(cosigned(&actions).is_empty());
        let wake = gatherer.next_wake().unwrap();
        assert!((500..=800).contains(&wake), "{wake}");
        let again = gatherer.handle(wake, Input::Tick);
        let actions = answer(&mut gatherer, wake, asks(&again)[0], &mut peer);
        assert_eq!(trouble(&actions), None, "it is no news");
        peer.manner = Manner::Honest;
        let again = gatherer.handle(wake + 2_000, Input::Tick);
        let actions = answer(&mut gatherer, wake + 2_000, asks(&again)[0], &mut peer);
        assert_eq!((cosigned(&actions).len(), gatherer.witnesses()[0].trouble.as_ref()), (1, None));
    }
}

#[test]
fn silence_ends_a_request_and_a_late_answer_is_not_confused_with_the_next() {
    let mut gatherer = gatherer();
    let first = sign(&mut gatherer, 0, 9, false);
    assert!(asks(&gatherer.handle(10_999, Input::Tick)).is_empty());
    let actions = gatherer.handle(11_000, Input::Tick);
    assert_eq!(actions.iter().filter(|action| matches!(action, Action::Trouble { .. })).count(), 5);
    let again = gatherer.handle(12_000, Input::Tick);
    assert_eq!(asks(&again).len(), 5);
    let late = answer(&mut gatherer, 12_001, asks(&first)[0], &mut Peer::new(1, Manner::Honest));
    assert_eq!(late, [], "its witness was asked again and will say it again");
}

#[test]
fn the_last_checkpoint_is_asked_for_at_once_and_waits_a_little_for_the_slow() {
    let mut gatherer = gatherer();
    let mut peers: Vec<_> = (1..=5).map(|number| Peer::new(number, Manner::Honest)).collect();
    for (at, ask) in asks(&sign(&mut gatherer, 0, 3, false)).into_iter().enumerate() {
        answer(&mut gatherer, 1, ask, &mut peers[at]);
    }
    let last = sign(&mut gatherer, 10, 8, true);
    assert_eq!(asks(&last).len(), 5, "although the round is not over");
    for (at, ask) in asks(&last).into_iter().enumerate().take(4) {
        let actions = answer(&mut gatherer, 20, ask, &mut peers[at]);
        assert!(!actions.iter().any(|action| matches!(action, Action::Complete(_))));
    }
    assert_eq!(gatherer.next_wake(), Some(20 + LINGER_MS));
    let actions = gatherer.handle(20 + LINGER_MS, Input::Tick);
    let [Action::Complete(complete)] = actions.as_slice() else { panic!("{actions:?}") };
    assert_eq!(complete.witnesses, ["w1", "w1-long", "w2", "w2-long", "w3", "w4"]);
    assert!(complete.quorum && complete.checkpoint == checkpoint(8));
    assert_eq!(gatherer.handle(99_000, Input::Tick).iter().filter(|a| matches!(a, Action::Complete(_))).count(), 0);
}

#[test]
fn a_witness_with_two_keys_counts_at_the_end_with_both_alone() {
    let mut gatherer = gatherer();
    let last = sign(&mut gatherer, 0, 8, true);
    let asks = asks(&last);
    for ask in &asks[1..4] {
        let mut peer = Peer::new(u8::try_from(ask.server + 1).unwrap(), Manner::Honest);
        answer(&mut gatherer, 1, ask, &mut peer);
    }
    let short = vec![short(1).cosign(&checkpoint(8), 1).unwrap()];
    let input = Input::Answered { server: 0, id: asks[0].id, answer: Ok(Answer::Cosigned(short)) };
    let actions = gatherer.handle(2, input);
    assert!(cosigned(&actions)[0].quorum, "for an interim one it would do");
    let actions = gatherer.handle(9_000, Input::Tick);
    assert!(!actions.iter().any(|action| matches!(action, Action::Complete(_))));
}

#[test]
fn without_witnesses_the_last_checkpoint_is_complete_at_once() {
    let policy = Policy::without_witnesses([log().verifier().clone()]).unwrap();
    let mut gatherer = Gatherer::new(policy, PACE, 7);
    assert_eq!(sign(&mut gatherer, 0, 3, false), []);
    assert_eq!(gatherer.next_wake(), None);
    let actions = sign(&mut gatherer, 1, 3, true);
    let [Action::Complete(complete)] = actions.as_slice() else { panic!("{actions:?}") };
    assert_eq!((complete.note.clone(), complete.quorum), (signed(3).to_string(), true));
}

#[test]
fn a_log_that_goes_on_has_no_last_checkpoint() {
    let mut gatherer = gatherer();
    sign(&mut gatherer, 0, 3, true);
    gatherer.handle(1, Input::Resumed);
    assert_eq!(gatherer.next_wake(), Some(11_000), "the answers that are waited for");
    assert!(asks(&sign(&mut gatherer, 2, 4, false)).is_empty());
}

fn handed_in(size: u64, by: &[CosignerKey]) -> SignedNote {
    let mut note = signed(size);
    for key in by {
        note.attach(key.cosign(&checkpoint(size), 1_800_000_000).unwrap(), key.verifier()).unwrap();
    }
    note
}

#[test]
fn a_witness_that_cannot_be_asked_hands_its_cosignature_in() {
    let mut gatherer = gatherer();
    for size in 1..=9 {
        sign(&mut gatherer, 0, size, false);
    }
    let actions = gatherer.accept(5, &handed_in(6, &[short(4)])).unwrap();
    assert_eq!(cosigned(&actions)[0].witnesses, ["w4"]);
    assert_eq!(gatherer.accept(6, &handed_in(6, &[short(4)])).unwrap(), [], "once is enough");
    assert_eq!(gatherer.accept(6, &handed_in(6, &[long(1)])).unwrap(), [], "true, and not kept before the end");
    let sizes = |gatherer: &Gatherer| gatherer.witnesses().iter().map(|state| state.size).collect::<Vec<_>>();
    assert_eq!(sizes(&gatherer), [0, 6, 0, 0, 0, 6, 0]);
    // The next round is of the checkpoint that it has cosigned already.
    gatherer.handle(5_000, Input::Tick);
    assert_eq!(gatherer.asked_for(), Some(&signed(6)));
}

#[test]
fn what_is_handed_in_and_is_none_of_ours_changes_nothing() {
    let mut gatherer = gatherer();
    sign(&mut gatherer, 0, 3, false);
    let mut refused = |note: &SignedNote| gatherer.accept(1, note).unwrap_err();
    assert_eq!(refused(&handed_in(4, &[short(1)])), Refused::Unknown);
    let other = Checkpoint { root: Hash([1; 32]), ..checkpoint(3) };
    let other = SignedNote::parse(other.sign(&log()).unwrap().as_bytes()).unwrap();
    assert_eq!(refused(&other), Refused::Unknown);
    assert_eq!(refused(&signed(3)), Refused::Foreign);
    assert_eq!(refused(&handed_in(3, &[short(9)])), Refused::Foreign);
    let text = SignedNote::parse(note::sign("hello\n", &log()).unwrap().as_bytes()).unwrap();
    assert!(matches!(refused(&text), Refused::Form(_)));
    let mut forged = handed_in(3, &[short(1)]).to_string();
    let wrong = handed_in(3, &[short(2)]).to_string();
    forged = forged.replace(signature_of(&forged), signature_of(&wrong));
    let forged = SignedNote::parse(forged.replace("w2.example", "w1.example").as_bytes()).unwrap();
    // Another key's bytes under this key's name have another key ID.
    assert_eq!(refused(&forged), Refused::Foreign);
    let mut bytes = handed_in(3, &[short(1)]);
    let false_one = short(1).cosign(&Checkpoint { root: Hash([1; 32]), ..checkpoint(3) }, 1).unwrap();
    bytes = SignedNote::parse(
        bytes.to_string().replace(signature_of(&bytes.to_string()), &false_one.to_string()).as_bytes(),
    )
    .unwrap();
    assert!(matches!(refused(&bytes), Refused::False(_)));
    assert!(gatherer.witnesses().iter().all(|state| state.size == 0));
}

fn signature_of(note: &str) -> &str {
    note.lines().last().unwrap()
}

#[test]
fn another_policy_keeps_what_is_known_of_who_stays() {
    let mut gatherer = gatherer();
    let first = sign(&mut gatherer, 0, 3, false);
    answer(&mut gatherer, 1, asks(&first)[0], &mut Peer::new(1, Manner::Honest));
    let mut policy = Policy::without_witnesses([log().verifier().clone()]).unwrap();
    policy.add_witness("first", short(1).verifier().clone(), Some("http://w1")).unwrap();
    policy.set_quorum("first").unwrap();
    gatherer.set_policy(policy);
    let actions = gatherer.handle(2, Input::Tick);
    assert_eq!(asks(&actions).iter().map(|ask| (ask.old_size, ask.checkpoint.size)).collect::<Vec<_>>(), [(3, 3)]);
    let mut peer = Peer { size: 3, root: Some(tree(3).root()), ..Peer::new(1, Manner::Honest) };
    let actions = answer(&mut gatherer, 3, asks(&actions)[0], &mut peer);
    assert!(cosigned(&actions)[0].quorum);
}

#[test]
fn what_was_learnt_elsewhere_saves_the_first_question() {
    let mut gatherer = gatherer();
    gatherer.learn("http://w2", 2);
    let olds: Vec<_> = asks(&sign(&mut gatherer, 0, 3, false)).iter().map(|ask| ask.old_size).collect();
    assert_eq!(olds, [0, 2, 0, 0, 0]);
}

fn manner() -> impl Strategy<Value = Manner> {
    prop_oneof![
        4 => Just(Manner::Honest),
        1 => Just(Manner::Silent),
        1 => (0_u64..60).prop_map(Manner::WrongSize),
        1 => Just(Manner::Foreign),
        1 => Just(Manner::Garbage),
        1 => Just(Manner::Refuses),
        1 => Just(Manner::Speechless),
    ]
}

/// One step of a night.
#[derive(Clone, Debug)]
enum Step {
    Grow,
    /// One of the open requests is answered, or never.
    Answer(prop::sample::Index, bool),
    Wait(u64),
    /// A witness changes its manner.
    Turn(u8, Manner),
    /// A witness hands in a cosignature.
    HandIn(u8, prop::sample::Index),
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        3 => Just(Step::Grow),
        6 => (any::<prop::sample::Index>(), prop::bool::weighted(0.9)).prop_map(|(which, comes)| Step::Answer(which, comes)),
        3 => (0_u64..4_000).prop_map(Step::Wait),
        1 => (1_u8..=5, manner()).prop_map(|(number, manner)| Step::Turn(number, manner)),
        1 => (1_u8..=6, any::<prop::sample::Index>()).prop_map(|(number, which)| Step::HandIn(number, which)),
    ]
}

/// The gatherer, its witnesses, and the requests on their way.
struct Night {
    gatherer: Gatherer,
    peers: Vec<Peer>,
    now: u64,
    size: u64,
    last: bool,
    /// With the time when each was sent.
    open: Vec<(u64, Ask)>,
    complete: Option<Cosigned>,
}

impl Night {
    fn new() -> Self {
        let peers = (1..=5).map(|number| Peer::new(number, Manner::Honest)).collect();
        Self { gatherer: gatherer(), peers, now: 0, size: 0, last: false, open: Vec::new(), complete: None }
    }

    fn take_in(&mut self, actions: Vec<Action>) {
        for action in actions {
            match action {
                Action::Ask(ask) => {
                    // Whoever has not answered in time is not waited for by the client either.
                    let now = self.now;
                    self.open.retain(|(since, open)| open.server != ask.server || since + PACE.timeout_ms > now);
                    let twice = self.open.iter().any(|(_, open)| open.server == ask.server);
                    assert!(!twice, "two requests at a time: {ask:?}");
                    self.open.push((now, *ask));
                }
                Action::Cosigned(cosigned) => self.check(&cosigned),
                Action::Complete(complete) => {
                    self.check(&complete);
                    assert!(self.complete.is_none() && self.last && complete.quorum);
                    self.complete = Some(*complete);
                }
                Action::Trouble { .. } => {}
            }
        }
    }

    /// What is published holds for everybody, whatever witnesses say.
    fn check(&self, cosigned: &Cosigned) {
        assert_eq!(cosigned.checkpoint, checkpoint(cosigned.checkpoint.size));
        let policy = policy();
        let keys = policy.witnesses().iter().map(|witness| witness.key.clone());
        let keys: Vec<_> = keys.chain([log().verifier().clone()]).collect();
        let note = note::open(cosigned.note.as_bytes(), &keys).unwrap();
        assert!(note.signed_by(log().verifier()));
        assert_eq!(policy.cosigners(&note), cosigned.witnesses);
        assert_eq!(
            SignedNote::parse(cosigned.note.as_bytes()).unwrap().signatures().len(),
            cosigned.witnesses.len() + 1
        );
        assert_eq!(policy.satisfied_by(&policy.cosigners(&note)), cosigned.quorum);
        let has_long = cosigned.witnesses.iter().any(|name| name.ends_with("long"));
        assert!(!has_long || (self.last && cosigned.checkpoint.size == self.size), "{:?}", cosigned.witnesses);
    }

    fn do_step(&mut self, step: &Step) {
        let actions = match step {
            Step::Grow => {
                self.size += 1;
                sign(&mut self.gatherer, self.now, self.size, false)
            }
            Step::Answer(which, comes) if !self.open.is_empty() => {
                return self.answer(which.index(self.open.len()), *comes);
            }
            Step::Wait(ms) => {
                self.now += ms;
                self.tick()
            }
            Step::Turn(number, manner) => {
                self.peers[usize::from(*number) - 1].manner = *manner;
                Vec::new()
            }
            Step::HandIn(number, which) if self.size > 0 => {
                let size = which.index(usize::try_from(self.size).unwrap()) as u64 + 1;
                let note = handed_in(size, &[short(*number)]);
                self.gatherer.accept(self.now, &note).unwrap_or_default()
            }
            Step::Answer(..) | Step::HandIn(..) => Vec::new(),
        };
        self.take_in(actions);
    }

    fn answer(&mut self, which: usize, comes: bool) {
        let (_, ask) = self.open.remove(which);
        let answer = if comes {
            self.peers[ask.server].answer(&ask)
        } else {
            // The client gives up in its own time.
            self.now += PACE.timeout_ms;
            Err(Silence::Unreachable("timeout".into()))
        };
        let actions = self.gatherer.handle(self.now, Input::Answered { server: ask.server, id: ask.id, answer });
        self.take_in(actions);
    }

    fn tick(&mut self) -> Vec<Action> {
        self.gatherer.handle(self.now, Input::Tick)
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(32))]

    #[test]
    fn whatever_witnesses_do_what_is_published_holds_and_the_end_is_reached(
        steps in proptest::collection::vec(step(), 0..60), liar in 1_u8..=5, manner in manner(),
    ) {
        let mut night = Night::new();
        for step in &steps {
            if night.size < 30 || !matches!(step, Step::Grow) {
                night.do_step(step);
            }
        }
        // From here on all are honest but one.
        for peer in &mut night.peers {
            peer.manner = if peer.number == liar { manner } else { Manner::Honest };
        }
        (night.size, night.last) = (night.size + 1, true);
        let actions = sign(&mut night.gatherer, night.now, night.size, true);
        night.take_in(actions);
        let mut turns = 0;
        while night.complete.is_none() {
            turns += 1;
            prop_assert!(turns < 200, "the end is not reached: {:?}", night.gatherer);
            if night.open.is_empty() {
                night.now = night.now.max(night.gatherer.next_wake().expect("something to wait for"));
                let actions = night.tick();
                night.take_in(actions);
            } else {
                night.answer(0, true);
            }
        }
        let complete = night.complete.unwrap();
        prop_assert_eq!(complete.checkpoint.size, night.size);
        let lied = complete.witnesses.contains(&format!("w{liar}"));
        prop_assert!(manner == Manner::Honest || !lied || steps.iter().any(|step| matches!(step, Step::HandIn(..))));
    }
}
