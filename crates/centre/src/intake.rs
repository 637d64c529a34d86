//! Intake: is this a record of the station that it names, or a statement that somebody signed who may; what do the rules say of it?
//!
//! Bytes that are not authentic are counted and forgotten: an attacker must not be able to fill the disk. An authentic record is
//! kept whatever the rules say: a rejected one is an event that the log has to show.
//!
//! What is admitted depends on the statements in the journal: they bring keys, and say which signatures are there already.
//! [`Intake::note`] is told of each of them in the journal's order, once it is durable and before its receipt. So what was admitted
//! by a statement stands after it in the journal, and a replay that notes in the same order refuses nothing of it.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt,
    sync::{Arc, PoisonError, RwLock, RwLockReadGuard},
};

use sha2::{Digest, Sha256};
use tallyproof_count::{Judged, JudgedRecord, JudgedStatement, judge_record, judge_statement};
use tallyproof_record::{
    ContestNo, StationNo,
    cose::{self, KeyId, RecordDigest},
    definition::Committed,
    entry::{Entry, Place},
    receipt::Receipt,
    rules::RuleId,
    statement::{self, Kind, Signed, StatementError, StatementId},
};
use thiserror::Error;

use crate::docket::Docket;
pub use crate::docket::Standing;

/// Why bytes are refused: nobody who is known has signed them, or they add nothing to what is there. Counted, never written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Error)]
pub enum Refusal {
    /// Longer than any record, or any statement.
    #[error("too long for a record or a statement")]
    TooLong,
    /// Not in its one canonical form.
    #[error("not a sealed tally record, nor a signed statement, in canonical form; make it again with this version")]
    Structure,
    /// Signed with a key that is not one of the station's, or it has none.
    #[error("not signed with a key of the station; seal it with the station's own pack")]
    Key,
    /// A signature does not hold.
    #[error("a signature does not hold: the record or statement was altered on its way")]
    Signature,
    /// Of another election.
    #[error("the statement is of another election, or another phase of it; draft it for this one")]
    Election,
    /// Nobody signed the statement whose signature counts for its kind.
    #[error(
        "nobody has signed the statement whose signature counts: a member of the authority, or for an endorsement an agent or the station"
    )]
    Signers,
    /// Every signature of the statement that counts is in the log already.
    #[error("every signature of the statement that counts is here already; nothing is lost")]
    Known,
    /// The statement has enough signatures, and a rule keeps it from having an effect. Which, the ledger says.
    #[error("a rule keeps the statement from having an effect")]
    NoEffect,
}

impl Refusal {
    /// Every refusal.
    pub const ALL: [Self; 8] = [
        Self::TooLong,
        Self::Structure,
        Self::Key,
        Self::Signature,
        Self::Election,
        Self::Signers,
        Self::Known,
        Self::NoEffect,
    ];

    /// The word used in metrics and HTTP answers.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::TooLong => "too-long",
            Self::Structure => "structure",
            Self::Key => "key",
            Self::Signature => "signature",
            Self::Election => "election",
            Self::Signers => "signers",
            Self::Known => "known",
            Self::NoEffect => "no-effect",
        }
    }
}

/// A record that its station has signed, or a statement that somebody has signed who may, with what the rules say of it. Only
/// [`Intake`] makes one.
#[derive(Clone, PartialEq, Eq)]
pub struct Authentic {
    place: Place,
    bytes: Vec<u8>,
    judged: Judged,
    /// Of a statement: whose signatures hold and count.
    signers: BTreeSet<KeyId>,
}

impl Authentic {
    /// Whose record, as signed; 0 for a statement.
    pub fn station(&self) -> StationNo {
        self.slot().0
    }

    /// In which contest, as signed; 0 for a statement. The definition need not have it: such a record is rejected, and logged.
    pub fn contest(&self) -> ContestNo {
        self.slot().1
    }

    /// SHA-256 of the bytes: the identity of a record, or of this copy of a statement.
    pub fn digest(&self) -> &RecordDigest {
        match &self.place {
            Place::Record(_, _, digest) => digest,
            Place::Key(place)
            | Place::Endorsement(place)
            | Place::Correction(place)
            | Place::Policy(place)
            | Place::Bulletin(place) => &place.copy,
        }
    }

    /// The bytes as they came.
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// The log entry.
    pub fn entry(&self) -> Vec<u8> {
        match self.statement() {
            Some(judged) => judged.signed.to_entry(),
            None => Entry::Record(&self.bytes).encode(),
        }
    }

    /// The judgement, for the ledger.
    pub fn judged(&self) -> &Judged {
        &self.judged
    }

    /// The judgement of a statement.
    pub fn statement(&self) -> Option<&JudgedStatement> {
        match &self.judged {
            Judged::Statement(judged) => Some(judged),
            _ => None,
        }
    }

    /// What a batch is ordered by: nothing that the network has a say in.
    pub fn place(&self) -> &Place {
        &self.place
    }

    /// What its receipt promises.
    pub fn receipt(&self) -> Receipt {
        Receipt { station: self.station(), contest: self.contest(), digest: *self.digest() }
    }

    /// Of a record; a statement is none, and its receipt says so by zeros.
    fn slot(&self) -> (StationNo, ContestNo) {
        match self.place {
            Place::Record(station, contest, _) => (station, contest),
            _ => (StationNo(0), ContestNo(0)),
        }
    }
}

impl fmt::Debug for Authentic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.statement() {
            Some(judged) => write!(f, "{} {}", judged.signed.statement().kind().as_str(), hex(&judged.id)),
            None => write!(f, "record of station {} in contest {}", self.station(), self.contest()),
        }
    }
}

fn hex(id: &StatementId) -> String {
    id.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Admits records and statements of one election; shared by all threads.
#[derive(Debug)]
pub struct Intake {
    definition: Arc<Committed>,
    docket: RwLock<Docket>,
}

impl Intake {
    /// An intake for this definition.
    pub fn new(definition: Arc<Committed>) -> Self {
        Self { definition, docket: RwLock::default() }
    }

    /// Checks structure, station, key and signature of a record, and applies the rules.
    ///
    /// Any key that the station ever had will do, also a revoked one: which of them are in force depends on the record's place in
    /// the log.
    pub fn admit(&self, bytes: Vec<u8>) -> Result<Authentic, Refusal> {
        // A log entry is one byte longer than the record and must fit 16 bits; a datagram's record does.
        if bytes.len() > cose::MAX_LEN {
            return Err(Refusal::TooLong);
        }
        let judged = judge_record(&self.definition, &bytes);
        let Judged::Record(record) = &judged else { return Err(refusal_of_record(&bytes)) };
        if signed_by_another(record) && !self.docket().vouches_for(record) {
            return Err(Refusal::Key);
        }
        let place = record.place();
        Ok(Authentic { place, bytes, judged, signers: BTreeSet::new() })
    }

    /// Checks a statement's structure and election, and that somebody has signed it whose signature counts and is not in the
    /// journal yet. Signatures are checked last.
    pub fn admit_statement(&self, bytes: Vec<u8>) -> Result<Authentic, Refusal> {
        let signed = Signed::open(&bytes).map_err(|error| refusal_of_statement(&error))?;
        let stated = signed.statement();
        if stated.election != *self.definition.hash() || stated.phase != self.definition.election().phase() {
            return Err(Refusal::Election);
        }
        let claimed = self.docket().claimed(&self.definition, &signed);
        if claimed.is_empty() {
            return Err(Refusal::Signers);
        }
        // Whoever reads a published statement can make 2^n copies of it, from subsets of its signatures.
        if !self.docket().lacks_one_of(&signed.id(), &claimed) {
            return Err(Refusal::Known);
        }
        let statement = self.recall_statement(bytes)?;
        if self.is_known(&statement) { Err(Refusal::Known) } else { Ok(statement) }
    }

    /// Judges what the journal holds: what is in it was admitted, and its statements' signatures were new then.
    pub fn recall(&self, bytes: Vec<u8>) -> Result<Authentic, Refusal> {
        if is_statement(&bytes) { self.recall_statement(bytes) } else { self.admit(bytes) }
    }

    /// Whether every signature of a statement that counts is in the journal already, on other copies. No record is.
    pub fn is_known(&self, it: &Authentic) -> bool {
        it.statement().is_some_and(|judged| !self.docket().lacks_one_of(&judged.id, &it.signers))
    }

    /// A statement is durable. Call in the journal's order, before its receipt is signed; records need no note.
    pub fn note(&self, it: &Authentic) {
        if let Some(judged) = it.statement() {
            let mut docket = self.docket.write().unwrap_or_else(PoisonError::into_inner);
            docket.note(&self.definition, judged, &it.signers);
        }
    }

    /// How far the statement has come of which the journal has this copy.
    pub fn standing(&self, copy: &[u8; 32]) -> Option<Standing> {
        self.docket().standing(copy).cloned()
    }

    fn recall_statement(&self, bytes: Vec<u8>) -> Result<Authentic, Refusal> {
        let judged = judge_statement(&self.definition, &bytes);
        let Judged::Statement(statement) = &judged else { return Err(refusal_of_judged(&bytes)) };
        let signers = self.docket().signers(statement);
        if signers.is_empty() {
            return Err(Refusal::Signers);
        }
        let place = statement.place();
        Ok(Authentic { place, bytes, judged, signers })
    }

    fn docket(&self) -> RwLockReadGuard<'_, Docket> {
        self.docket.read().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Statements on their way to the journal together: none of them may bring what another of them brings.
#[derive(Debug, Default)]
pub struct Together(BTreeMap<StatementId, BTreeSet<KeyId>>);

impl Together {
    /// Takes one more; `false` for a statement whose signatures are in the journal, or on others of these, already.
    pub fn take(&mut self, intake: &Intake, it: &Authentic) -> bool {
        let Some(judged) = it.statement() else { return true };
        let taken = self.0.entry(judged.id).or_default();
        let new =
            |key: &KeyId| !taken.contains(key) && intake.docket().lacks_one_of(&judged.id, &BTreeSet::from([*key]));
        let adds = it.signers.iter().any(new);
        if adds {
            taken.extend(&it.signers);
        }
        adds
    }
}

/// Whether bytes announce a statement: they begin with the tag of COSE_Sign. Records begin with another.
pub fn is_statement(bytes: &[u8]) -> bool {
    bytes.starts_with(&statement::PREFIX)
}

/// Whether what the journal holds after these bytes may depend on them: they are a statement that changes keys.
pub fn changes_keys(bytes: &[u8]) -> bool {
    is_statement(bytes) && Signed::open(bytes).is_ok_and(|signed| signed.statement().kind() == Kind::Key)
}

/// What the receipt of these authentic bytes promises; `None` if they are neither record nor statement.
pub fn receipt_of(bytes: &[u8], digest: &RecordDigest) -> Option<Receipt> {
    if is_statement(bytes) {
        return Some(Receipt { station: StationNo(0), contest: ContestNo(0), digest: *digest });
    }
    let tally = cose::open(bytes).ok()?.tally;
    Some(Receipt { station: tally.station, contest: tally.contest, digest: *digest })
}

/// Judging lets a record of an unknown key stand as an event. It proves nothing about its sender, so the disk is not for it.
fn signed_by_another(record: &JudgedRecord) -> bool {
    record.findings.iter().any(|finding| finding.rule == RuleId::WrongKey)
}

/// What judging found invalid: the structure, or else the signature.
fn refusal_of_record(bytes: &[u8]) -> Refusal {
    if cose::open(bytes).is_ok() { Refusal::Signature } else { Refusal::Structure }
}

fn refusal_of_judged(bytes: &[u8]) -> Refusal {
    Signed::open(bytes).map_or_else(|error| refusal_of_statement(&error), |_| Refusal::Signature)
}

fn refusal_of_statement(error: &StatementError) -> Refusal {
    match error {
        StatementError::TooLong(_) => Refusal::TooLong,
        _ => Refusal::Structure,
    }
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
        assert_eq!(*record.place(), Place::Record(StationNo(2), ContestNo(1), sealed.digest()));
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

    fn intake() -> (Arc<Committed>, Intake) {
        let definition = testing::governed(3);
        (Arc::clone(&definition), Intake::new(definition))
    }

    fn enrols(definition: &Committed, signers: &[&str]) -> Vec<u8> {
        testing::statement(definition, testing::enrolment(2, &testing::person("new")), signers)
    }

    #[test]
    fn what_nobody_in_charge_signed_is_refused() {
        let (definition, intake) = intake();
        let genuine = enrols(&definition, &["m1", "m2"]);
        let mut forged = genuine.clone();
        *forged.last_mut().unwrap() ^= 1;
        let other = testing::governed(2);
        let cases = [
            (forged, Refusal::Signature),
            (enrols(&definition, &["a1"]), Refusal::Signers),
            (enrols(&definition, &["stranger"]), Refusal::Signers),
            (enrols(&other, &["m1"]), Refusal::Election),
            (genuine[..genuine.len() - 1].to_vec(), Refusal::Structure),
            (testing::record(&definition, 1, 1).into_bytes(), Refusal::Structure),
            (vec![0xd8; statement::MAX_LEN + 1], Refusal::TooLong),
        ];
        for (bytes, refusal) in cases {
            assert_eq!(intake.admit_statement(bytes), Err(refusal));
        }
        let taken = intake.admit_statement(genuine.clone()).unwrap();
        assert_eq!((taken.station(), taken.contest(), *taken.digest()), (StationNo(0), ContestNo(0), digest(&genuine)));
        assert_eq!(taken.entry()[0], 1, "a key entry");
        assert_eq!(receipt_of(&genuine, &digest(&genuine)), Some(taken.receipt()));
        assert_eq!(intake.admit(genuine), Err(Refusal::Structure), "it is no record");
    }

    #[test]
    fn a_copy_has_to_bring_a_signature() {
        let (definition, intake) = intake();
        let admit = |signers: &[&str]| intake.admit_statement(enrols(&definition, signers));
        let one = admit(&["m1"]).unwrap();
        assert!(!intake.is_known(&one), "it is not durable yet");
        intake.note(&one);
        assert_eq!(intake.standing(one.digest()).map(|it| (it.missing, it.kind)), Some((1, Kind::Key)));
        assert_eq!(admit(&["m1"]), Err(Refusal::Known));
        assert_eq!(admit(&["m1", "stranger"]), Err(Refusal::Known));
        let both = admit(&["m1", "m2"]).unwrap();
        intake.note(&both);
        for known in [&["m1"][..], &["m2"], &["m1", "m2"]] {
            assert_eq!(admit(known), Err(Refusal::Known));
        }
        assert_eq!(intake.standing(both.digest()).unwrap().missing, 0);
        assert!(admit(&["m1", "m3"]).is_ok());
    }

    #[test]
    fn of_copies_that_go_together_each_brings_a_signature() {
        let (definition, intake) = intake();
        let admit = |signers: &[&str]| intake.admit_statement(enrols(&definition, signers)).unwrap();
        let copies = [&["m1"][..], &["m2"], &["m1", "m2"], &["m3"], &["m1", "m2", "m3"]].map(admit);
        let mut together = Together::default();
        assert_eq!(copies.each_ref().map(|copy| together.take(&intake, copy)), [true, true, false, true, false]);
        let record = intake.admit(testing::record(&definition, 1, 1).into_bytes()).unwrap();
        assert!(together.take(&intake, &record));
    }

    #[test]
    fn a_key_from_the_journal_lets_records_in_and_a_replay_follows() {
        let (definition, live) = intake();
        let sealed = cose::seal(&testing::tally(&definition, 2, 10), &testing::person("new")).into_bytes();
        let other = cose::seal(&testing::tally(&definition, 1, 10), &testing::person("new")).into_bytes();
        let mut journal = Vec::new();
        for signer in ["m1", "m3"] {
            assert_eq!(live.admit(sealed.clone()), Err(Refusal::Key), "not enough have signed");
            let copy = live.admit_statement(enrols(&definition, &[signer])).unwrap();
            live.note(&copy);
            journal.push(copy.bytes().to_vec());
        }
        let record = live.admit(sealed).unwrap();
        let Judged::Record(judged) = record.judged() else { panic!("{record:?}") };
        assert!(signed_by_another(judged), "the ledger settles it at its place in the log");
        assert_eq!(live.admit(other), Err(Refusal::Key), "the key is of station 2 alone");
        journal.push(record.bytes().to_vec());

        let replay = Intake::new(definition);
        for (bytes, changes) in journal.into_iter().zip([true, true, false]) {
            assert_eq!(changes_keys(&bytes), changes);
            let recalled = replay.recall(bytes).unwrap();
            replay.note(&recalled);
        }
    }
}
