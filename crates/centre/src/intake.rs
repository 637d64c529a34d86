//! Intake: is this a record of the station that it names, and what do the rules say of it?
//!
//! Bytes that are not authentic are counted and forgotten: an attacker must not be able to fill the disk. An authentic record is
//! kept whatever the rules say: a rejected one is an event that the log has to show.

use std::{fmt, sync::Arc};

use sha2::{Digest, Sha256};
use tallyproof_count::{Judged, JudgedRecord, judge_record};
use tallyproof_record::{
    ContestNo, StationNo,
    cose::{self, RecordDigest},
    definition::Committed,
    rules::RuleId,
};
use thiserror::Error;

/// Why bytes are refused: nobody whom the register knows has signed them. Counted, never written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Error)]
pub enum Refusal {
    /// Longer than any record.
    #[error("too long for a record")]
    TooLong,
    /// Not a sealed record in its one canonical form.
    #[error("not a sealed tally record in canonical form; seal it again with this version")]
    Structure,
    /// Signed with a key that is not the one the register gives for the station, or the register has none.
    #[error("not signed with the key that the register gives for the station; seal it with the station's own pack")]
    Key,
    /// The signature does not hold.
    #[error("the signature does not hold: the record was altered on its way")]
    Signature,
}

impl Refusal {
    /// Every refusal.
    pub const ALL: [Self; 4] = [Self::TooLong, Self::Structure, Self::Key, Self::Signature];

    /// The word used in metrics and HTTP answers.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::TooLong => "too-long",
            Self::Structure => "structure",
            Self::Key => "key",
            Self::Signature => "signature",
        }
    }
}

/// A record that its station has signed, with what the rules say of it. Only [`Intake::admit`] makes one.
#[derive(Clone, PartialEq, Eq)]
pub struct Authentic {
    station: StationNo,
    contest: ContestNo,
    digest: RecordDigest,
    bytes: Vec<u8>,
    judged: Judged,
}

impl Authentic {
    /// Whose record, as signed.
    pub fn station(&self) -> StationNo {
        self.station
    }

    /// In which contest, as signed. The definition need not have it: such a record is rejected, and logged.
    pub fn contest(&self) -> ContestNo {
        self.contest
    }

    /// SHA-256 of the sealed bytes: the record's identity.
    pub fn digest(&self) -> &RecordDigest {
        &self.digest
    }

    /// The sealed record's bytes.
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// The judgement, for the ledger.
    pub fn judged(&self) -> &Judged {
        &self.judged
    }

    /// What a batch is ordered by: nothing that the network has a say in.
    pub fn order(&self) -> (StationNo, ContestNo, RecordDigest) {
        (self.station, self.contest, self.digest)
    }
}

impl fmt::Debug for Authentic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "record of station {} in contest {}", self.station, self.contest)
    }
}

/// Admits records of one election; shared by all threads.
#[derive(Debug)]
pub struct Intake {
    definition: Arc<Committed>,
}

impl Intake {
    /// An intake for this definition.
    pub fn new(definition: Arc<Committed>) -> Self {
        Self { definition }
    }

    /// Checks structure, station, key and signature, and applies the rules.
    pub fn admit(&self, bytes: Vec<u8>) -> Result<Authentic, Refusal> {
        // A log entry is one byte longer than the record and must fit 16 bits; a datagram's record does.
        if bytes.len() > cose::MAX_LEN {
            return Err(Refusal::TooLong);
        }
        let judged = judge_record(&self.definition, &bytes);
        let Judged::Record(record) = &judged else { return Err(refusal(&bytes)) };
        if signed_by_another(record) {
            return Err(Refusal::Key);
        }
        let (station, contest, digest) = (record.tally.station, record.tally.contest, record.digest);
        Ok(Authentic { station, contest, digest, bytes, judged })
    }
}

/// Judging lets a record of an unknown key stand as an event. It proves nothing about its sender, so the disk is not for it.
fn signed_by_another(record: &JudgedRecord) -> bool {
    record.findings.iter().any(|finding| finding.rule == RuleId::WrongKey)
}

/// What judging found invalid: the structure, or else the signature.
fn refusal(bytes: &[u8]) -> Refusal {
    if cose::open(bytes).is_ok() { Refusal::Signature } else { Refusal::Structure }
}

/// The identity of a record: SHA-256 of its bytes.
pub fn digest(bytes: &[u8]) -> RecordDigest {
    Sha256::digest(bytes).into()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing;
    use tallyproof_record::rules::Severity;

    fn worst(record: &Authentic) -> Option<Severity> {
        match record.judged() {
            Judged::Record(record) => record.severity(),
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn a_station_s_record_is_authentic() {
        let definition = testing::election(2);
        let sealed = testing::record(&definition, 2, 10);
        let record = Intake::new(Arc::clone(&definition)).admit(sealed.as_bytes().to_vec()).unwrap();
        assert_eq!(record.order(), (StationNo(2), ContestNo(1), sealed.digest()));
        assert_eq!((record.bytes(), worst(&record)), (sealed.as_bytes(), None));
    }

    #[test]
    fn a_record_that_the_rules_reject_is_authentic_all_the_same() {
        let definition = testing::election(2);
        let mut tally = testing::tally(&definition, 1, 10);
        tally.contest = ContestNo(9);
        let sealed = cose::seal(&tally, &testing::key(StationNo(1)));
        let record = Intake::new(definition).admit(sealed.into_bytes()).unwrap();
        assert_eq!(worst(&record), Some(Severity::Reject));
    }

    #[test]
    fn what_nobody_in_the_register_signed_is_refused() {
        let definition = testing::election(2);
        let intake = Intake::new(Arc::clone(&definition));
        let genuine = testing::record(&definition, 1, 10).into_bytes();
        let mut bad_signature = genuine.clone();
        *bad_signature.last_mut().unwrap() ^= 1;
        let stolen_name = cose::seal(&testing::tally(&definition, 1, 10), &testing::key(StationNo(2))).into_bytes();
        let stranger = cose::seal(&testing::tally(&definition, 3, 10), &testing::key(StationNo(3))).into_bytes();
        let cases = [
            (bad_signature, Refusal::Signature),
            (stolen_name, Refusal::Key),
            (stranger, Refusal::Key),
            (genuine[..genuine.len() - 1].to_vec(), Refusal::Structure),
            (Vec::new(), Refusal::Structure),
            (vec![0; cose::MAX_LEN + 1], Refusal::TooLong),
        ];
        for (bytes, refusal) in cases {
            assert_eq!(intake.admit(bytes), Err(refusal));
        }
    }
}
