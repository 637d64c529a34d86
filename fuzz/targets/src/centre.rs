//! What reaches the centre: records past the gate, and its own journal after a restart.

use std::sync::Arc;

use tallyproof_centre::gate::{Reason, Verdict};
use tallyproof_centre::gatherer::{Action, Input, Pace};
use tallyproof_centre::{Gate, Gatherer, Intake};
use tallyproof_log::note::{self, SignedNote};
use tallyproof_record::cose;
use tallyproof_record::frame::{self, ATTEMPT_MILLIS, Frame, MacKey};

use crate::{keys, seeds, world};

/// Generation of the MAC keys at the gate.
pub(crate) const EPOCH: u32 = 1;

/// A datagram at the gate, at the moment that its own clock names: what passes is what the station's key holder sends, and passes
/// once.
pub fn gate(data: &[u8]) {
    let attempt = Frame::parse(data).map_or(0, |frame| frame.header.attempt);
    let now = frame::ATTEMPT_ORIGIN_MILLIS + u64::from(attempt) * ATTEMPT_MILLIS;
    let definition = world::definition();
    let mut gate = Gate::new(definition, &keys::MASTER, EPOCH);
    let Verdict::Admit { station, digest, body } = gate.admit(now, data) else {
        assert_eq!(gate.drops().total(), 1, "a datagram was dropped and not counted");
        return;
    };
    let key = MacKey::derive(&keys::MASTER, definition.hash(), EPOCH, station);
    assert_eq!(
        frame::encode(station, EPOCH, attempt, body, &key),
        data,
        "the key holder would have sent something else"
    );
    assert_eq!(digest, tallyproof_centre::intake::digest(body), "the digest is not the body's");
    assert_eq!(gate.admit(now, data), Verdict::Drop(Reason::Replay), "a datagram passed twice");
}

/// A record at the intake: what is admitted opens, is signed by the station's key, and is kept as it came.
pub fn intake(data: &[u8]) {
    let Ok(admitted) = Intake::new(Arc::clone(world::definition())).admit(data.to_vec()) else { return };
    assert_eq!(admitted.bytes(), data, "a record was altered on its way in");
    let opened = cose::open(data);
    assert!(opened.is_ok(), "a record was admitted that does not open");
    let Ok(opened) = opened else { return };
    let key = keys::station(opened.tally.station).verifying_key();
    assert!(opened.verify(&key).is_ok(), "a record was admitted that the station did not sign");
    assert_eq!((admitted.station(), admitted.contest()), (opened.tally.station, opened.tally.contest));
}

/// A note that somebody hands in as a witness: what comes of it bears the log's signature and true ones of the policy's witnesses, and
/// no others.
pub fn handed_in(data: &[u8]) {
    let Ok(handed_in) = SignedNote::parse(data) else { return };
    let Ok((checkpoint, note)) = seeds::checkpoint() else { return };
    let policy = world::policy();
    let mut gatherer = Gatherer::new(policy.clone(), Pace::default(), 0);
    gatherer.handle(0, Input::Signed { note, last: false });
    let Ok(actions) = gatherer.accept(1, &handed_in) else {
        assert!(gatherer.witnesses().iter().all(|state| state.size == 0), "a refusal left a trace");
        return;
    };
    assert_eq!(handed_in.text(), checkpoint.to_string(), "another checkpoint was taken");
    let log = keys::log();
    let keys: Vec<_> =
        policy.witnesses().iter().map(|witness| witness.key.clone()).chain([log.verifier().clone()]).collect();
    for action in actions {
        let Action::Cosigned(cosigned) = action else { continue };
        let Ok(verified) = note::open(cosigned.note.as_bytes(), &keys) else {
            unreachable!("what is published does not verify")
        };
        assert!(verified.signed_by(log.verifier()), "the log's signature is lost");
        assert_eq!(policy.cosigners(&verified), cosigned.witnesses, "other witnesses than were told");
        let lines = SignedNote::parse(cosigned.note.as_bytes()).map_or(0, |note| note.signatures().len());
        assert_eq!(lines, cosigned.witnesses.len() + 1, "a signature that nobody knows was published");
    }
}
