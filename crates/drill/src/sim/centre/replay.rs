//! The centre's start: what was signed is read, the journal replayed, the log rebuilt and counted.

use std::collections::BTreeSet;
use std::sync::Arc;

use tallyproof_centre::intake::Authentic;
use tallyproof_centre::journal::Step;
use tallyproof_centre::promise::Promise;
use tallyproof_centre::restart::{Rebuild, RestartError};
use tallyproof_centre::sequencer::Growth;
use tallyproof_centre::{Intake, Known, Sequencer};
use tallyproof_count::judge::{JudgedRecord, SignedBy};
use tallyproof_count::{Judged, Ledger};
use tallyproof_log::checkpoint::{self, Checkpoint};
use tallyproof_record::Tally;
use tallyproof_record::statement::{Act, Correction, Verdict};

use super::super::bug::Bug;
use super::super::country::{Country, SlotNo};
use super::{Memo, Reply, StartError};

/// A checkpoint that was signed, if there is one.
pub(super) fn promise_in(
    country: &Country,
    note: Option<Vec<u8>>,
    place: &str,
    memo: &mut Memo,
) -> Result<Option<Promise>, StartError> {
    let Some(note) = note else { return Ok(None) };
    let open = |note: &[u8]| {
        let key = country.log.verifier();
        let opened = checkpoint::open(note, std::slice::from_ref(key), key.name().as_str()).ok()?;
        Some(opened.checkpoint().clone())
    };
    let checkpoint = if let Some(known) = memo.opened.get(&note) {
        known.clone()
    } else {
        let found = open(&note);
        memo.opened.insert(note, found.clone());
        found
    };
    let checkpoint = checkpoint.ok_or_else(|| StartError::Note(place.to_owned()))?;
    Ok(Some(Promise { place: place.to_owned(), checkpoint }))
}

/// What the log's key signs before there is any record.
pub(in super::super) fn first_note(country: &Country) -> Result<(String, Checkpoint), StartError> {
    let checkpoint = signed_nothing(country)?.checkpoint;
    let note = checkpoint.sign(&country.log).map_err(|error| StartError::Note(error.to_string()))?;
    Ok((note, checkpoint))
}

/// The checkpoint of a log that holds its definition alone.
pub(super) fn signed_nothing(country: &Country) -> Result<Promise, StartError> {
    let (sequencer, growth) = Sequencer::begin(&country.definition).map_err(RestartError::from)?;
    let origin = country.log.verifier().name().clone();
    let checkpoint = Checkpoint { origin, size: growth.size, root: sequencer.tree().root() };
    Ok(Promise { place: String::new(), checkpoint })
}

/// The start, step by step.
pub(super) struct Replay<'a> {
    pub(super) country: &'a Country,
    pub(super) memo: &'a mut Memo,
    pub(super) intake: Intake,
    pub(super) rebuild: Rebuild,
    pub(super) known: Known<Reply>,
    pub(super) ledger: Ledger,
    pub(super) settled: BTreeSet<SlotNo>,
    pub(super) unpublished: Vec<Growth>,
    pub(super) bug: Option<Bug>,
}

impl Replay<'_> {
    pub(super) fn step(&mut self, step: Step<'_>) -> Result<(), StartError> {
        match step {
            Step::Record(row) => {
                let (known, settled, bug) = (&mut self.known, &mut self.settled, self.bug);
                let statement = self.memo.statements.get(row.digest).filter(|known| known.bytes() == row.record);
                let judged = match statement {
                    Some(known) => Ok(known.clone()),
                    None => self.country.recall(&self.intake, row.digest, row.record),
                };
                self.rebuild.record(&self.intake, judged, |record| {
                    if bug != Some(Bug::DedupeLostAtRestart) {
                        known.restore(*record.digest());
                    }
                    settled.insert((record.station(), record.contest()));
                })?;
            }
            Step::Cut(cut) => {
                let batch = self.rebuild.cut(cut)?;
                count(&mut self.ledger, batch.growth.first, &batch.records, self.bug);
                if batch.unpublished {
                    self.unpublished.push(batch.growth);
                }
            }
        }
        Ok(())
    }
}

/// Counts a batch, as the real centre does, or with one of the planted mistakes.
pub(super) fn count(ledger: &mut Ledger, first: u64, records: &[Authentic], bug: Option<Bug>) {
    for (index, record) in (first..).zip(records) {
        let taken = |ledger: &Ledger| {
            ledger.slot(record.station(), record.contest()).is_some_and(|slot| !slot.entries.is_empty())
        };
        match (bug, record.judged()) {
            (Some(Bug::ConflictPrefersFirst), _) if record.statement().is_none() && taken(ledger) => {
                ledger.apply(index, &Judged::Definition { matches: false });
            }
            (Some(Bug::QuarantineCounted), Judged::Record(judged)) => {
                let mut cleared = judged.clone();
                cleared.findings.clear();
                ledger.apply(index, &Judged::Record(cleared));
            }
            (Some(Bug::CorrectionCounted), Judged::Statement(judged)) => {
                ledger.apply(index, record.judged());
                if let Act::Correction(correction) = &judged.signed.statement().act {
                    count_correction(ledger, index, correction);
                }
            }
            (_, judged) => {
                ledger.apply(index, judged);
            }
        }
    }
}

/// The planted mistake: what the authority puts in place of a record is taken for one more record.
fn count_correction(ledger: &mut Ledger, index: u64, correction: &Correction) {
    let Verdict::Figures(figures) = &correction.verdict else { return };
    let definition = Arc::clone(ledger.definition());
    let (station, contest) = (correction.station, correction.contest);
    let phase = definition.election().phase();
    let tally = Tally::new(*definition.hash(), phase, station, contest, index, figures.counts.clone());
    let judged = JudgedRecord { digest: [7; 32], tally, findings: Vec::new(), signer: SignedBy::Register };
    ledger.apply(index, &Judged::Record(judged));
}
