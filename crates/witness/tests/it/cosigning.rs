//! Which requests are answered with what: the steps that C2SP tlog-witness asks for.

use std::convert::Infallible;

use tallyproof_log::{
    checkpoint::Checkpoint,
    cosignature::CosignerKey,
    merkle::Hash,
    note::{SignedNote, SignerKey, VerifierKey},
    witness::{AddCheckpoint, Answer},
};
use tallyproof_witness::{Cosigner, Follower, cosigner::NotCosigned};

use crate::world::{Log, follow, follower, log_key, other_root, sign};

const NOW: u64 = 1_782_900_000;

fn keys() -> Vec<CosignerKey> {
    let name = |name: &str| name.parse().unwrap();
    vec![CosignerKey::ed25519(name("w.example/a"), &[1; 32]), CosignerKey::ml_dsa_44(name("w.example/b"), &[2; 32])]
}

/// A witness that has followed the log.
struct Bench {
    log: Log,
    follower: Follower,
    cosigner: Cosigner,
}

impl Bench {
    fn new(size: u64) -> Self {
        let mut log = Log::new(size, size, 1);
        let mut follower = follower();
        let signed = log.publish(size);
        follow(&mut follower, &signed, &log.files).unwrap();
        let cosigner = Cosigner::new(log_key().verifier().clone(), keys(), None).unwrap();
        Self { log, follower, cosigner }
    }

    fn post(&mut self, body: &str) -> Answer {
        self.post_bytes(body.as_bytes())
    }

    fn post_bytes(&mut self, body: &[u8]) -> Answer {
        let stored = |_: &SignedNote| Ok::<_, Infallible>(());
        let asked = match self.cosigner.read(body).and_then(|asked| self.cosigner.check(&asked).map(|()| asked)) {
            Ok(asked) => asked,
            Err(answer) => return answer,
        };
        let (since, _) = self.cosigner.last_tree();
        let recounted = self.follower.recounted(asked.signed().checkpoint(), since).unwrap();
        match self.cosigner.add(&asked, &recounted, NOW, stored) {
            Ok(answer) | Err(NotCosigned::Answer(answer)) => answer,
            Err(other) => panic!("{other}"),
        }
    }

    /// The answer is of cosignatures that hold for the checkpoint of this size, one of each key.
    fn assert_cosigned(&self, answer: &Answer, size: u64) {
        let Answer::Cosigned(signatures) = answer else { panic!("{answer:?}") };
        let mut note = self.log.signed(size).note().clone();
        let known: Vec<VerifierKey> = self.cosigner.keys().cloned().collect();
        assert_eq!(signatures.len(), known.len());
        for (signature, key) in signatures.iter().zip(&known) {
            note.attach(signature.clone(), key).unwrap();
        }
        let verified = note.verify(&known).unwrap();
        assert!(known.iter().all(|key| verified.cosigned_at(key) == Some(NOW)));
        assert_eq!(self.cosigner.cosigned(), Some(&note));
        assert_eq!(self.cosigner.last_tree(), (size, self.log.tree.root_at(size).unwrap()));
    }
}

#[test]
fn the_first_checkpoint_growth_and_the_same_size_again_are_cosigned() {
    let mut bench = Bench::new(300);
    for (old, size) in [(0, 7), (7, 300), (300, 300), (300, 300)] {
        let request = bench.log.request(old, size);
        let answer = bench.post(&request);
        bench.assert_cosigned(&answer, size);
    }
}

#[test]
fn what_is_no_request_is_malformed() {
    let mut bench = Bench::new(40);
    let request = bench.log.request(0, 40);
    let hashes = |count| format!("{}\n", other_root().to_base64()).repeat(count);
    for bad in [
        String::new(),
        request[..request.len() - 5].to_owned(),
        request.replacen("old 0\n", &format!("old 1\n{}", hashes(64)), 1),
        request.replacen("old 0", "old 41", 1),
        request.replacen("old 0", "old 00", 1),
    ] {
        assert_eq!(bench.post(&bad), Answer::Malformed, "{bad}");
    }
    assert_eq!(
        bench.post(&request.replacen("old 0\n", &format!("old 1\n{}", hashes(63)), 1)),
        Answer::Conflict { size: 0 }
    );
    assert_eq!(bench.cosigner.cosigned(), None);
}

#[test]
fn another_log_and_another_key_are_told_apart() {
    let mut bench = Bench::new(40);
    let request = |key: &SignerKey| {
        let checkpoint = Checkpoint { origin: key.verifier().name().clone(), ..bench.log.checkpoint(40) };
        let note = SignedNote::parse(checkpoint.sign(key).unwrap().as_bytes()).unwrap();
        AddCheckpoint::new(0, Vec::new(), note).unwrap().to_string()
    };
    let other = request(&SignerKey::new("log.example/other".parse().unwrap(), &[3; 32]));
    let forged = request(&SignerKey::new(log_key().verifier().name().clone(), &[4; 32]));
    let altered = bench.log.request(0, 40).replacen("\n40\n", "\n39\n", 1);
    assert_eq!(bench.post(&other), Answer::UnknownLog);
    assert_eq!(bench.post(&forged), Answer::NotSigned);
    assert_eq!(bench.post(&altered), Answer::NotSigned);
    // The signature is looked at before the sizes are.
    assert_eq!(bench.post(&altered.replacen("old 0", "old 99", 1)), Answer::NotSigned);
}

#[test]
fn the_old_size_is_that_of_the_last_cosigned() {
    let mut bench = Bench::new(300);
    let request = bench.log.request(7, 300);
    assert_eq!(bench.post(&request), Answer::Conflict { size: 0 });
    let first = bench.log.request(0, 256);
    bench.post(&first);
    assert_eq!(bench.post(&first), Answer::Conflict { size: 256 });
    assert_eq!(bench.post(&request), Answer::Conflict { size: 256 });
    // A log that shrinks says so with its old size, or is taken to be behind.
    let shrunk = bench.log.request(0, 100);
    assert_eq!(bench.post(&shrunk), Answer::Conflict { size: 256 });
    assert_eq!(bench.post(&shrunk.replacen("old 0", "old 256", 1)), Answer::Malformed);
}

#[test]
fn another_root_or_a_bad_proof_is_inconsistent_and_may_prove_the_fork_itself() {
    let mut bench = Bench::new(300);
    let first = bench.log.request(0, 200);
    bench.post(&first);
    let other_side = Log::new(300, 40, 2);
    let lies = |old, size| other_side.request(old, size).replacen(&format!("old {old}"), "old 200", 1);
    for (body, proven) in [(lies(200, 200), true), (lies(200, 300), true)] {
        assert_eq!(bench.post(&body), Answer::Inconsistent);
        let asked = bench.cosigner.read(body.as_bytes()).unwrap();
        let proof = bench.cosigner.fork_in(&asked);
        assert_eq!(proof.is_some_and(|proof| proof.verify().is_ok()), proven, "{body}");
    }
    // A wrong proof of a true checkpoint is no fork.
    let swap = |body: &str| body.replacen('\n', &format!("\n{}\n", other_root().to_base64()), 1);
    for body in [swap(&bench.log.request(200, 300)), swap(&bench.log.request(200, 200)), lies(199, 300)] {
        assert_eq!(bench.post(&body), Answer::Inconsistent, "{body}");
        let asked = bench.cosigner.read(body.as_bytes()).unwrap();
        assert_eq!(bench.cosigner.fork_in(&asked), None);
    }
    let sound = bench.log.request(200, 300);
    let answer = bench.post(&sound);
    bench.assert_cosigned(&answer, 300);
}

#[test]
fn of_two_requests_that_race_one_wins() {
    let mut bench = Bench::new(300);
    let [a, b] = [100, 300].map(|size| bench.cosigner.read(bench.log.request(0, size).as_bytes()).unwrap());
    for asked in [&a, &b] {
        bench.cosigner.check(asked).unwrap();
    }
    let recounted =
        |asked: &tallyproof_witness::cosigner::Asked| bench.follower.recounted(asked.signed().checkpoint(), 0).unwrap();
    let (first, second) = (recounted(&a), recounted(&b));
    let stored = |_: &SignedNote| Ok::<_, Infallible>(());
    assert!(matches!(bench.cosigner.add(&a, &first, NOW, stored), Ok(Answer::Cosigned(_))));
    let lost = bench.cosigner.add(&b, &second, NOW, |_| -> Result<(), Infallible> { panic!("nothing is stored") });
    assert!(matches!(lost, Err(NotCosigned::Answer(Answer::Conflict { size: 100 }))), "{lost:?}");
}

#[test]
fn a_state_that_cannot_be_stored_changes_nothing() {
    let mut bench = Bench::new(300);
    let first = bench.log.request(0, 100);
    bench.post(&first);
    let before = bench.cosigner.cosigned().cloned();
    let asked = bench.cosigner.read(bench.log.request(100, 300).as_bytes()).unwrap();
    let recounted = bench.follower.recounted(asked.signed().checkpoint(), 100).unwrap();
    let full = bench.cosigner.add(&asked, &recounted, NOW, |note| {
        assert!(note.signatures().len() == 3, "what is stored is what will be answered");
        Err("no space left on device")
    });
    assert!(matches!(full, Err(NotCosigned::Store("no space left on device"))));
    assert_eq!((bench.cosigner.cosigned().cloned(), bench.cosigner.last_tree().0), (before, 100));
    let stored = |_: &SignedNote| Ok::<_, Infallible>(());
    bench.cosigner.add(&asked, &recounted, NOW, stored).unwrap();
    assert_eq!(bench.cosigner.last_tree().0, 300);
}

#[test]
fn a_restart_goes_on_with_what_was_stored() {
    let mut bench = Bench::new(300);
    let first = bench.log.request(0, 100);
    bench.post(&first);
    let stored = bench.cosigner.cosigned().cloned();
    bench.cosigner = Cosigner::new(log_key().verifier().clone(), keys(), stored).unwrap();
    assert_eq!(bench.post(&first), Answer::Conflict { size: 100 });
    let second = bench.log.request(100, 300);
    let answer = bench.post(&second);
    bench.assert_cosigned(&answer, 300);
    let foreign = SignerKey::new("log.example/other".parse().unwrap(), &[3; 32]);
    let cosigned = bench.cosigner.cosigned().cloned();
    assert!(Cosigner::new(foreign.verifier().clone(), keys(), cosigned).is_err(), "a state of another log");
}

#[test]
fn a_recount_of_one_checkpoint_is_none_of_another() {
    let mut bench = Bench::new(300);
    let asked = bench.cosigner.read(bench.log.request(0, 300).as_bytes()).unwrap();
    let of_another = bench.follower.recounted(bench.log.signed(299).checkpoint(), 0).unwrap();
    let stored = |_: &SignedNote| -> Result<(), Infallible> { panic!("nothing is stored") };
    let refused = bench.cosigner.add(&asked, &of_another, NOW, stored);
    assert!(matches!(refused, Err(NotCosigned::Answer(Answer::Inconsistent))), "{refused:?}");
    // A copy that does not begin with what was cosigned is no ground for a cosignature either.
    let other_side = Log::new(100, 40, 2);
    let last = other_side.signed(100).note().clone();
    bench.cosigner = Cosigner::new(log_key().verifier().clone(), keys(), Some(last)).unwrap();
    let signed = bench.log.signed(300);
    let recounted = bench.follower.recounted(signed.checkpoint(), 100).unwrap();
    let refused = bench.cosigner.cosign(&signed, &recounted, NOW, stored);
    assert!(matches!(refused, Err(NotCosigned::CopyDiffers { size: 100 })), "{refused:?}");
    let smaller = bench.log.signed(50);
    let recounted = bench.follower.recounted(smaller.checkpoint(), 50).unwrap();
    assert!(bench.cosigner.cosign(&smaller, &recounted, NOW, stored).is_err());
}

#[test]
fn a_root_of_nothing_is_that_of_nothing() {
    let mut bench = Bench::new(3);
    let lie = sign(&Checkpoint { size: 0, root: Hash([0; 32]), ..bench.log.checkpoint(3) });
    let request = AddCheckpoint::new(0, Vec::new(), lie.note().clone()).unwrap().to_string();
    assert_eq!(bench.post(&request), Answer::Inconsistent);
}
