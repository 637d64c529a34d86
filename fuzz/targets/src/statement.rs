//! Statements: as they go round, as they are signed, and what they do to a count.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, LazyLock};

use ed25519_dalek::SigningKey;
use tallyproof_count::{Judged, Ledger, bundle, judge_statement};
use tallyproof_record::definition::{Agent, Authority, Committed, Member, StationKey, results::Figures};
use tallyproof_record::entry::Entry;
use tallyproof_record::statement::{
    Act, Bulletin, Correction, Draft, Endorsement, Holder, KeyChange, LaterStage, Reason, Remark, Signed, Statement,
    Verdict,
};
use tallyproof_record::{ContestNo, Phase, StationNo};

use crate::seeds::Seed;
use crate::world;

/// The world's election, with an authority of one and one agent.
static DEFINITION: LazyLock<Arc<Committed>> = LazyLock::new(|| {
    let key = |seed| StationKey::from(SigningKey::from_bytes(&[seed; 32]).verifying_key());
    let member = Member { name: "chair".to_owned(), key: key(MEMBER) };
    let agent = Agent { id: "a1".to_owned(), name: "Agent".to_owned(), key: key(AGENT) };
    let authority = Authority::new(1, vec![member]).unwrap_or_else(|| unreachable!("one of one"));
    Arc::new(world::definition().election().clone().with_signatories(authority, vec![agent]).commit())
});
const MEMBER: u8 = 21;
const AGENT: u8 = 22;

/// A statement, or a draft of one: one spelling; whoever signs reads it; it is judged and counted without a fault, and the index
/// has a row for it.
pub fn statement(data: &[u8]) {
    if let Ok(draft) = Draft::open(data) {
        assert_eq!(draft.as_bytes(), data, "a second spelling of one draft was accepted");
        assert_eq!(Draft::new(draft.statement()), Ok(draft), "what opens as a draft cannot be drafted");
    }
    let Ok(signed) = Signed::open(data) else { return };
    assert_eq!(signed.to_bytes(), data, "a second spelling of one statement was accepted");
    assert_eq!(Entry::decode(&signed.to_entry()), Ok(Entry::Statement(signed.statement().kind(), data)));
    assert!(signed.statement().describe(DEFINITION.election()).ends_with(&format!("{}\n", hex(signed.id()))));
    let Judged::Statement(judged) = judge_statement(&DEFINITION, data) else { return };
    let mut ledger = Ledger::new(Arc::clone(&DEFINITION));
    let foreseen = ledger.foresee(&judged).is_ok();
    ledger.apply(0, &Judged::Statement(judged));
    assert_eq!(
        ledger.statements().iter().any(|entry| entry.fault.is_none()),
        foreseen,
        "not the effect that was foreseen"
    );
    let [(_, index), ..] = bundle::index_files(&ledger);
    let row = format!("\"entry\":0,\"kind\":\"{}\"", signed.statement().kind().as_str());
    assert!(String::from_utf8_lossy(&index).contains(&row), "the index has no row for the statement");
}

fn hex(id: [u8; 32]) -> String {
    id.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Statements of every kind that take effect in an empty log, with a signature that counts and one that does not.
pub(crate) fn seeds() -> Vec<Seed> {
    let fresh = SigningKey::from_bytes(&[23; 32]);
    let enrol = KeyChange::Enrol { holder: Holder::Station(StationNo(1)), key: fresh.verifying_key().into() };
    let correction = |verdict| {
        Act::Correction(Correction {
            station: StationNo(1),
            contest: ContestNo(1),
            replaces: BTreeSet::new(),
            stage: LaterStage::Ruling,
            reason: Reason::Ruling,
            verdict,
        })
    };
    let figures = Figures { counts: vec![1, 200, 70_000], stated: BTreeMap::new() };
    let [record, ..] = world::records();
    let endorsement = Endorsement { station: StationNo(1), record: record.digest(), remark: Some(Remark::Present) };
    let bulletin = Bulletin { number: 1, tree_size: 0, root: [2; 32], totals: [3; 32], document: [4; 32] };
    let acts = [
        ("annulment", correction(Verdict::Annulled)),
        ("bulletin", Act::Bulletin(bulletin)),
        ("correction", correction(Verdict::Figures(figures))),
        ("endorsement", Act::Endorsement(endorsement)),
        ("enrolment", Act::Key(enrol)),
        ("policy", Act::Policy(vec!["quorum none".to_owned()])),
    ];
    let signed = |(name, act): (&'static str, Act)| {
        let statement = Statement { election: *DEFINITION.hash(), phase: Phase::Drill, made_at: 1_782_864_000, act };
        let signer = if matches!(statement.act, Act::Endorsement(_)) { AGENT } else { MEMBER };
        let mut signed = Draft::new(&statement).ok()?.sign(&SigningKey::from_bytes(&[signer; 32]));
        signed.sign(&fresh).ok()?;
        Some(("statement", name, signed.to_bytes()))
    };
    acts.into_iter().filter_map(signed).collect()
}
