//! What reaches the centre: records past the gate, and its own journal after a restart.

use std::sync::Arc;

use tallyproof_centre::Intake;
use tallyproof_record::cose;

use crate::{keys, world};

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
