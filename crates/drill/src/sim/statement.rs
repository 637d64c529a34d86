//! Statements of the authority and of agents: drafted by what the published log says, signed on copies that go their own ways, and
//! handed in until each has a receipt or a refusal. And what they have to come to, by a table of the simulator's own.

use std::collections::{BTreeMap, BTreeSet};

use sha2::{Digest, Sha256};
use tallyproof_count::Ledger;
use tallyproof_record::cose::{KeyId, RecordDigest};
use tallyproof_record::definition::StationKey;
use tallyproof_record::definition::results::Figures;
use tallyproof_record::receipt::Receipt;
use tallyproof_record::rules::Severity;
use tallyproof_record::statement::{
    Act, Correction, Draft, Endorsement, Holder, KeyChange, LaterStage, Reason, Signed, Statement, StatementId, Verdict,
};
use tallyproof_record::{Phase, StationNo};

use super::country::{Country, SlotNo, THRESHOLD, Variant, first_key, second_key};
use super::mark::{Mark, Marks};
use super::plan::REKEYED;

/// What a statement is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Matter {
    /// Figures are replaced.
    Correct,
    /// A poll is annulled.
    Annul,
    /// Agents co-sign the record that stands.
    Endorse,
    /// The second key of a station is enrolled.
    Enrol,
    /// The first key of a station is revoked.
    Revoke,
    /// The witnesses have other names.
    Rename,
    /// All of the witnesses are asked for.
    AskAll,
}

impl Matter {
    pub(super) const ALL: [Self; 7] =
        [Self::Correct, Self::Annul, Self::Endorse, Self::Enrol, Self::Revoke, Self::Rename, Self::AskAll];
    /// Those that are drawn for any station, the common ones more often.
    pub(super) const DRAWN: [Self; 9] = [
        Self::Correct,
        Self::Correct,
        Self::Correct,
        Self::Annul,
        Self::Endorse,
        Self::Endorse,
        Self::Revoke,
        Self::Rename,
        Self::AskAll,
    ];
}

/// A copy that was handed in: what the simulator itself knows of it.
#[derive(Clone, Debug)]
pub(super) struct Copy {
    id: StatementId,
    act: Act,
    signers: BTreeSet<KeyId>,
    bytes: Vec<u8>,
}

/// Where statements are drafted and handed in.
#[derive(Debug, Default)]
pub(super) struct Desk {
    /// Every copy that ever was, by its digest.
    pub(super) copies: BTreeMap<RecordDigest, Copy>,
    /// Those that wait for a receipt.
    open: BTreeSet<RecordDigest>,
    pub(super) receipts: BTreeSet<RecordDigest>,
}

impl Desk {
    /// Drafts a statement and has it signed; returns the copies, one for each signer.
    pub(super) fn draft(
        &mut self,
        country: &Country,
        now: u64,
        (matter, slot, signers): (Matter, SlotNo, u32),
        published: &Ledger,
    ) -> Vec<RecordDigest> {
        let Some(act) = act_of(country, matter, slot, published) else { return Vec::new() };
        let keys = if matter == Matter::Endorse { &country.agents } else { &country.members };
        let (election, made_at) = (*country.definition.hash(), now / 1_000);
        let statement = Statement { election, phase: Phase::Drill, made_at, act: act.clone() };
        let Ok(draft) = Draft::new(&statement) else { return Vec::new() };
        let first = usize::try_from(now).unwrap_or_default();
        let key = |no: usize| &keys[(first + no) % keys.len()];
        let mut copies: Vec<_> = (0..2.min(signers as usize)).map(|no| draft.clone().sign(key(no))).collect();
        // Somebody collects both signatures, and hands in what bears them all.
        if let (3.., [one, other]) = (signers, copies.as_slice()) {
            let mut merged = one.clone();
            if merged.merge(other).is_ok() {
                copies.push(merged);
            }
        }
        copies.iter().map(|signed| self.keep(&act, signed)).collect()
    }

    fn keep(&mut self, act: &Act, signed: &Signed) -> RecordDigest {
        let bytes = signed.to_bytes();
        let digest: RecordDigest = Sha256::digest(&bytes).into();
        let copy = Copy { id: signed.id(), act: act.clone(), signers: signed.key_ids().collect(), bytes };
        self.copies.insert(digest, copy);
        digest
    }

    /// A copy is to be handed in until it is answered.
    pub(super) fn submit(&mut self, digest: RecordDigest) {
        if !self.receipts.contains(&digest) {
            self.open.insert(digest);
        }
    }

    /// The bytes of a copy that still waits.
    pub(super) fn waiting(&self, digest: &RecordDigest) -> Option<Vec<u8>> {
        self.open.contains(digest).then(|| self.copies.get(digest).map(|copy| copy.bytes.clone())).flatten()
    }

    /// Copies that wait.
    pub(super) fn open(&self) -> usize {
        self.open.len()
    }

    /// A receipt has come; returns what it is for, if it is for one of these and holds.
    pub(super) fn receive(&mut self, country: &Country, bytes: &[u8]) -> Option<RecordDigest> {
        let claimed = Receipt::peek(bytes).ok().filter(|claimed| self.open.contains(&claimed.digest))?;
        Receipt::verify(bytes, country.definition.hash(), &country.receipts_public).ok()?;
        self.open.remove(&claimed.digest);
        self.receipts.insert(claimed.digest);
        Some(claimed.digest)
    }

    /// The centre refuses a copy for good.
    pub(super) fn refused(&mut self, digest: &RecordDigest) {
        self.open.remove(digest);
    }

    /// Records and statements of the last minutes are asked for again: an old journal was put in place.
    pub(super) fn again(&mut self) -> Vec<RecordDigest> {
        let again: Vec<_> = std::mem::take(&mut self.receipts).into_iter().collect();
        self.open.extend(&again);
        again
    }

    /// A receipt turns out to be worth nothing.
    pub(super) fn reopen(&mut self, digest: RecordDigest) {
        self.receipts.remove(&digest);
        self.open.insert(digest);
    }

    /// Whether the authority holds receipts for enough copies of an enrolment.
    pub(super) fn has_enrolled(&self, station: StationNo) -> bool {
        let enrols = |digest: &&RecordDigest| {
            let act = self.copies.get(*digest).map(|copy| &copy.act);
            matches!(act, Some(Act::Key(KeyChange::Enrol { holder: Holder::Station(of), .. })) if *of == station)
        };
        self.receipts.iter().filter(enrols).count() >= THRESHOLD
    }
}

fn act_of(country: &Country, matter: Matter, slot: SlotNo, published: &Ledger) -> Option<Act> {
    let (station, contest) = slot;
    let correction = |verdict| {
        let (stage, reason) = (LaterStage::Canvass, Reason::Transcription);
        let replaces = published.stands(station, contest)?;
        Some(Act::Correction(Correction { station, contest, replaces, stage, reason, verdict }))
    };
    match matter {
        Matter::Correct => {
            let counts = country.facts.get(&country.record(slot, Variant::Other)?.digest())?.counts.clone();
            correction(Verdict::Figures(Figures { counts, stated: BTreeMap::new() }))
        }
        Matter::Annul => correction(Verdict::Annulled),
        Matter::Endorse => {
            let record = country.record(slot, Variant::Own)?.digest();
            Some(Act::Endorsement(Endorsement { station, record, remark: None }))
        }
        Matter::Enrol => {
            let key = StationKey::from(second_key(REKEYED).verifying_key());
            Some(Act::Key(KeyChange::Enrol { holder: Holder::Station(REKEYED), key }))
        }
        Matter::Revoke => {
            let key = StationKey::from(first_key(station).verifying_key()).id();
            Some(Act::Key(KeyChange::Revoke { holder: Holder::Station(station), key }))
        }
        Matter::Rename | Matter::AskAll if country.witnesses() > 0 => {
            Some(Act::Policy(country.other_policy(matter == Matter::AskAll)))
        }
        Matter::Rename | Matter::AskAll => None,
    }
}

/// What the log comes to by the rules of `docs/spec`, written a second time and for this country alone.
#[derive(Debug, Default)]
pub(super) struct Expected {
    /// Records of each slot that are not rejected.
    pub(super) records: BTreeMap<SlotNo, BTreeMap<RecordDigest, Option<Severity>>>,
    signed: BTreeMap<StatementId, BTreeSet<KeyId>>,
    done: BTreeSet<StatementId>,
    /// The correction in force: which, and its figures unless it annuls.
    pub(super) corrections: BTreeMap<SlotNo, (StatementId, Option<Vec<u32>>)>,
    enrolled: bool,
    revoked: BTreeSet<StationNo>,
    pub(super) endorsers: BTreeMap<(RecordDigest, StationNo), BTreeSet<KeyId>>,
}

impl Expected {
    /// A record is in the log.
    pub(super) fn record(&mut self, country: &Country, digest: RecordDigest) {
        let Some(fact) = country.facts.get(&digest) else { return };
        let vouched = match fact.variant {
            Variant::Rekeyed => self.enrolled,
            _ => !self.revoked.contains(&fact.slot.0),
        };
        if vouched && fact.severity != Some(Severity::Reject) {
            self.records.entry(fact.slot).or_default().insert(digest, fact.severity);
        }
    }

    /// A copy of a statement is in the log.
    pub(super) fn statement(&mut self, copy: &Copy, marks: &mut Marks) {
        if let Act::Endorsement(Endorsement { station, record, .. }) = &copy.act {
            marks.hit(Mark::Endorsed);
            self.endorsers.entry((*record, *station)).or_default().extend(&copy.signers);
            return;
        }
        let signed = self.signed.entry(copy.id).or_default();
        signed.extend(&copy.signers);
        if signed.len() < THRESHOLD {
            return marks.hit(Mark::TooFewSigners);
        }
        if self.done.contains(&copy.id) {
            return;
        }
        if self.takes_effect(&copy.act, copy.id, marks) {
            self.done.insert(copy.id);
        } else {
            marks.hit(Mark::StatementWithoutEffect);
        }
    }

    fn takes_effect(&mut self, act: &Act, id: StatementId, marks: &mut Marks) -> bool {
        match act {
            Act::Correction(correction) => {
                let slot = (correction.station, correction.contest);
                if correction.replaces != self.stands(slot) {
                    return false;
                }
                marks.hit(Mark::Corrected);
                let figures = match &correction.verdict {
                    Verdict::Figures(figures) => Some(figures.counts.clone()),
                    Verdict::Annulled => None,
                };
                self.corrections.insert(slot, (id, figures));
                true
            }
            Act::Key(KeyChange::Enrol { .. }) => {
                marks.hit(Mark::KeyEnrolled);
                !std::mem::replace(&mut self.enrolled, true)
            }
            Act::Key(KeyChange::Revoke { holder: Holder::Station(station), .. }) => {
                marks.hit(Mark::KeyRevoked);
                self.revoked.insert(*station)
            }
            Act::Policy(_) => {
                marks.hit(Mark::PolicyChanged);
                true
            }
            _ => false,
        }
    }

    fn stands(&self, slot: SlotNo) -> BTreeSet<[u8; 32]> {
        if let Some((id, _)) = self.corrections.get(&slot) {
            return BTreeSet::from([*id]);
        }
        self.records.get(&slot).into_iter().flat_map(BTreeMap::keys).copied().collect()
    }
}
