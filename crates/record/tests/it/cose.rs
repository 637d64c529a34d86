//! Bounds of the sealed form.

use ed25519_dalek::SigningKey;
use tallyproof_record::cose;
use tallyproof_record::definition::DefinitionHash;
use tallyproof_record::tally::{Stage, Tally};
use tallyproof_record::{ContestNo, Phase, StationNo};

#[test]
fn the_longest_record_is_as_long_as_the_limit() {
    let longest = Tally {
        election: DefinitionHash([0; 32]),
        phase: Phase::Official,
        stage: Stage::Rerun,
        station: StationNo(u32::MAX),
        contest: ContestNo(u16::MAX),
        sealed_at: u64::MAX,
        counts: vec![u32::MAX; Tally::MAX_LINES],
        blank: Some(u32::MAX),
        null: Some(u32::MAX),
        voters: Some(u32::MAX),
        registered: Some(u32::MAX),
        total: Some(u32::MAX),
        images: vec![[0xff; 32]; Tally::MAX_IMAGES],
    };
    let sealed = cose::seal(&longest, &SigningKey::from_bytes(&[1; 32]));
    assert_eq!(sealed.as_bytes().len(), cose::MAX_LEN);
    assert_eq!(cose::open(sealed.as_bytes()).unwrap().tally, longest);
}
