//! The state's file.

use tallyproof_log::cosignature::CosignerKey;
use tallyproof_witness::State;

use crate::world::{Log, definition, log_key};

fn states() -> [State; 2] {
    let log = log_key().verifier().clone();
    let definition = *definition().hash();
    let world = Log::new(3, 3, 0);
    let witness = CosignerKey::ed25519("witness.example/1".parse().unwrap(), &[1; 32]);
    let mut note = world.signed(3).note().clone();
    note.attach(witness.cosign(&world.checkpoint(3), 7).unwrap(), witness.verifier()).unwrap();
    [None, Some(note)].map(|cosigned| State { log: log.clone(), definition, cosigned })
}

#[test]
fn a_state_comes_back_as_it_was_written() {
    for state in states() {
        assert_eq!(state.to_string().parse(), Ok(state));
    }
}

#[test]
fn a_damaged_state_is_refused_and_never_read_as_an_empty_one() {
    for state in states() {
        let text = state.to_string();
        for end in 0..text.len() {
            // Cut between two cosignatures, it still says what was cosigned.
            let cut = text.get(..end).and_then(|cut| cut.parse::<State>().ok()).map(|cut| cut.cosigned);
            assert!(cut.is_none_or(|cut| cut.unwrap().text() == state.cosigned.as_ref().unwrap().text()), "{end}");
        }
        for bad in
            [format!("{text}\n"), text.replace('\n', "\r\n"), text.replace("v1", "v2"), text.replace("log ", "log  ")]
        {
            assert!(bad.parse::<State>().is_err(), "{bad}");
        }
    }
}
