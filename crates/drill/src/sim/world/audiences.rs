//! The two audiences: what the centre's operator shows to each, what their verifiers believe, and what they find together.

use std::collections::BTreeMap;
use std::sync::Arc;

use rand_chacha::rand_core::Rng;
use tallyproof_count::{Ledger, judge, verify};
use tallyproof_log::tile;

use super::super::check::{Invariant, Violation, bundle_of};
use super::super::mark::Mark;
use super::super::operator::Second;
use super::super::plan::What;
use super::super::post::History;
use super::super::public::{Accepted, Trees};
use super::{Event, Step, World, broken};

/// How often a verifier looks at what is published.
const VISIT_EVERY: u64 = 7_000;

/// The notes of a history: its latest checkpoint, and the latest with the quorum.
#[derive(Clone, Debug)]
pub(super) struct Notes {
    pub(super) history: History,
    pub(super) checkpoint: Option<String>,
    pub(super) cosigned: Option<String>,
}

/// Whoever looks at the log from one side.
#[derive(Debug, Default)]
pub(super) struct Audience {
    second: bool,
    /// Until when it is shown nothing but this.
    withheld: Option<(u64, Notes)>,
}

impl World<'_> {
    /// The operator does something to an audience.
    pub(super) fn befall_audience(&mut self, what: What) {
        match what {
            What::Fork { batches_back } => self.fork(batches_back),
            What::ForkGrows { times } => self.add(1, Event::GrowSecond(times)),
            What::Switch { audience } if self.second.is_some() => {
                if let Some(audience) = self.audiences.get_mut(audience) {
                    self.marks.hit(Mark::Switched);
                    audience.second = !audience.second;
                }
            }
            What::Withhold { audience, for_ms } => {
                let (until, notes) = (self.now + for_ms, self.shown(audience));
                if let Some(audience) = self.audiences.get_mut(audience) {
                    self.marks.hit(Mark::Withheld);
                    audience.withheld = Some((until, notes));
                }
            }
            _ => {}
        }
    }

    fn fork(&mut self, batches_back: u32) {
        if self.second.is_none() {
            let second = Second::fork(self.country, &self.disk.journal, batches_back, self.now);
            if let Some(mut second) = second {
                self.marks.hit(Mark::Forked);
                second.sign(self.country, self.now);
                self.second = Some(Box::new(second));
                self.audiences[1].second = true;
            }
        }
    }

    pub(super) fn grow_second(&mut self, left: u32) -> Step {
        let luck = self.rng.next_u32() as usize;
        let Some(second) = &mut self.second else { return Ok(()) };
        if left == 0 || self.mended {
            return Ok(());
        }
        second.grow(self.country, self.now, luck);
        let after = 500 + u64::from(self.rng.next_u32()) % 5_000;
        self.add(after, Event::GrowSecond(left - 1));
        self.ask_for_second()
    }

    fn notes_of(&self, history: History) -> Notes {
        let text = |note: &Vec<u8>| String::from_utf8(note.clone()).ok();
        match (history, &self.second) {
            (History::Second, Some(second)) => {
                let (checkpoint, cosigned) = (Some(second.checkpoint.clone()), second.cosigned.clone());
                Notes { history, checkpoint, cosigned }
            }
            _ => Notes {
                history: History::First,
                checkpoint: self.disk.checkpoint.as_ref().and_then(text),
                cosigned: self.disk.cosigned.as_ref().and_then(text),
            },
        }
    }

    pub(super) fn shown(&self, audience: usize) -> Notes {
        let audience = self.audiences.get(audience);
        match audience.and_then(|audience| audience.withheld.as_ref()) {
            Some((until, notes)) if *until > self.now => notes.clone(),
            _ => self.notes_of(match audience {
                Some(Audience { second: true, .. }) => History::Second,
                _ => History::First,
            }),
        }
    }

    pub(super) fn trees(&self) -> Trees<'_> {
        Trees { first: self.checker.tree(), second: self.second.as_ref().map(|second| second.tree()) }
    }

    /// Each verifier fetches what it is shown, and believes it or not.
    pub(super) fn visit(&mut self) -> Step {
        self.add(VISIT_EVERY, Event::Visit);
        self.look_around()
    }

    pub(super) fn look_around(&mut self) -> Step {
        for no in 0..self.verifiers.len() {
            let notes = self.shown(no);
            for note in [notes.cosigned, notes.checkpoint].into_iter().flatten() {
                self.judge(no, note, notes.history)?;
            }
        }
        Ok(())
    }

    fn judge(&mut self, no: usize, note: String, history: History) -> Step {
        let Some(checkpoint) = self.judge.believes(self.country, &note) else {
            self.marks.hit(Mark::Distrusted);
            return Ok(());
        };
        let Some(verifier) = self.verifiers.get(no) else { return Ok(()) };
        let mut known = verifier.accepted.iter().map(|accepted| &accepted.checkpoint).chain(&verifier.refused);
        if known.any(|known| *known == checkpoint) {
            return Ok(());
        }
        if history == History::Second {
            self.marks.hit(Mark::SecondCosigned);
        }
        let accepted = Accepted { checkpoint, note, history };
        let own = self.contradiction(no, &accepted);
        if let Some(other) = own {
            // Whoever holds a checkpoint believes none that contradicts it.
            self.marks.hit(Mark::VerifierProves);
            if let Some(verifier) = self.verifiers.get_mut(no) {
                verifier.refused.push(accepted.checkpoint.clone());
            }
            return self.two_histories(&other, &accepted);
        }
        self.marks.hit(Mark::Believed);
        let others = self.contradiction(1 - no, &accepted);
        if let Some(verifier) = self.verifiers.get_mut(no) {
            verifier.accepted.push(accepted.clone());
        }
        match others {
            Some(other) => {
                self.marks.hit(Mark::TwoBelieved);
                self.two_histories(&other, &accepted)?;
                self.compare_totals(&other, &accepted)
            }
            None => Ok(()),
        }
    }

    /// A checkpoint that a verifier has accepted and that no log can have had beside this one.
    fn contradiction(&self, no: usize, accepted: &Accepted) -> Option<Accepted> {
        let trees = self.trees();
        let agree = |other: &&Accepted| {
            trees.agree((&other.checkpoint, other.history), (&accepted.checkpoint, accepted.history))
        };
        self.verifiers.get(no)?.accepted.iter().find(|other| !agree(other)).cloned()
    }

    /// Two checkpoints with the quorum contradict each other: there have to be enough liars, and a proof.
    fn two_histories(&mut self, one: &Accepted, other: &Accepted) -> Step {
        let faulty = self.witnesses.iter().filter(|witness| witness.lies || witness.restored).count();
        let bound = self.country.bound();
        if i64::try_from(faulty).is_ok_and(|faulty| faulty <= bound) {
            let (one, other) = (one.checkpoint.size, other.checkpoint.size);
            let what =
                format!("{faulty} liars, of whom {bound} are no harm: {one} and {other} entries have the quorum");
            return broken(Invariant::OneBelieved, what);
        }
        match self.trees().proof(self.country.log.verifier(), one, other) {
            Ok(_) => {
                self.marks.hit(Mark::ForkProven);
                Ok(())
            }
            Err(error) => broken(Invariant::ForkProven, error),
        }
    }

    /// The whole verification, by each of the two, of what he was shown; of the first such pair of a night.
    fn compare_totals(&mut self, one: &Accepted, other: &Accepted) -> Step {
        if std::mem::replace(&mut self.compared, true) {
            return Ok(());
        }
        let [one, other] = [self.totals_shown(one)?, self.totals_shown(other)?];
        if one != other {
            self.marks.hit(Mark::TwoTotals);
        }
        Ok(())
    }

    /// What the real verifier makes of the bundle that leads to a checkpoint, with trust from outside.
    fn totals_shown(&self, Accepted { checkpoint, note, history }: &Accepted) -> Result<String, Violation> {
        let wrong = |what: String| Violation { invariant: Invariant::Verifies, what };
        let tiles = match (history, &self.second) {
            (History::Second, Some(second)) => &second.tiles,
            _ => &self.disk.tiles,
        };
        let shown: BTreeMap<_, _> =
            tile::tiles_for(0, checkpoint.size).filter_map(|path| Some((path, tiles.get(&path)?.clone()))).collect();
        let mut ledger = Ledger::new(Arc::clone(&self.country.definition));
        let bundles = shown.iter().filter(|(path, _)| path.level().is_none());
        for (path, bytes) in bundles {
            let entries = tile::decode_entries(bytes, path.width()).map_err(|error| wrong(error.to_string()))?;
            for (index, entry) in (path.first().unwrap_or_default()..).zip(entries) {
                ledger.apply(index, &judge(&self.country.definition, entry));
            }
        }
        let files = bundle_of(self.country, shown, (note.as_bytes(), None), &ledger, checkpoint.root).map_err(wrong)?;
        let trust = self.country.trust();
        let verified = verify(&files, Some(&trust), &|_, _| {}).map_err(|error| wrong(error.to_string()))?;
        match verified.problems.first().or(verified.warnings.first()) {
            Some(problem) => Err(wrong(format!("a checkpoint of the {history:?} history: {problem}"))),
            None => Ok(format!("{:?}", verified.totals)),
        }
    }
}
