//! What can still change in each contest, and the seats: from a ledger and its totals, *as it stands*
//! (`docs/spec/settled.md`, `docs/spec/seats.md`).
//!
//! What decides a contest is stated in the definition ([`Decision`]); where it is not, asked is which candidate has the most
//! votes. Whatever has no answer says why.

mod ceilings;
mod seats;

use tallyproof_record::{
    ContestNo,
    definition::{
        Contest, Figure,
        decision::{Decision, Nominal, Whole},
    },
};

pub use seats::{ByName, ListSeats, NameSeat, SeatsOutcome};

/// Why nothing is said about what can change.
pub use crate::settled::SettledError as NoStatement;

use self::ceilings::Ceilings;
use crate::{
    ledger::Ledger,
    settled::{self, Alliances, Answer, Figures, Kind, MixedRule, Outstanding, Question, settle, settle_mixed},
    totals::Totals,
};

/// Every contest's outcome.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Outcomes {
    contests: Vec<Outcome>,
}

/// One contest's outcome, as it stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Outcome {
    /// What was asked: the votes, and each outstanding station with what bounds it.
    pub question: Question,
    /// Whether what is outstanding can change it.
    pub settled: Result<Answer, NoStatement>,
    /// The seats, where the definition says how many there are.
    pub seats: Option<SeatsOutcome>,
}

impl Outcomes {
    /// The outcome of one contest.
    pub fn contest(&self, contest: ContestNo) -> Option<&Outcome> {
        self.contests.get(contest.index())
    }

    /// Every contest's outcome, in definition order, to keep.
    pub fn into_contests(self) -> Vec<Outcome> {
        self.contests
    }

    /// Every contest's outcome, in definition order.
    pub fn iter(&self) -> impl Iterator<Item = (ContestNo, &Outcome)> {
        (1u16..=u16::MAX).map(ContestNo).zip(&self.contests)
    }
}

/// Computes every contest's outcome: one pass over the ledger's records, one over its slots.
pub fn of(ledger: &Ledger, totals: &Totals) -> Outcomes {
    let election = ledger.definition().election();
    let ceilings = Ceilings::of(ledger);
    let corrections = corrections(ledger);
    let definition = ledger.definition().hash().to_string();
    let figures = |no: ContestNo| Figures::Records {
        entries: ledger.entries(),
        corrections: corrections.get(no.index()).copied().unwrap_or_default(),
        definition: definition.clone(),
    };
    let questions: Vec<Question> = election
        .numbered_contests()
        .map(|(no, contest)| Question {
            contest: question(no, contest, totals),
            outstanding: Outstanding::Stations(ceilings.outstanding(ledger, no)),
            figures: figures(no),
        })
        .collect();
    let nominal = |nominal: &Nominal, lists: &Contest| parts(election.contests(), &questions, nominal, lists);
    let outcome = |contest: &Contest, question: &Question| match &contest.decision {
        Some(Decision::Lists(lists)) => {
            let parts = lists.mixed.as_ref().map(|mixed| (nominal(mixed, contest), mixed.rule));
            (settle_lists(question, parts.as_ref()), Some(seats::of_lists(question, lists, parts.as_ref())))
        }
        decision => {
            let settled = settle(question).map(Answer::Contest);
            let seats = match decision {
                Some(Decision::Plurality { seats }) => Some(SeatsOutcome::ByName(ByName::of(question, *seats))),
                _ => None,
            };
            (settled, seats)
        }
    };
    let found: Vec<_> =
        election.contests().iter().zip(&questions).map(|(contest, question)| outcome(contest, question)).collect();
    let contests =
        questions.into_iter().zip(found).map(|(question, (settled, seats))| Outcome { question, settled, seats });
    Outcomes { contests: contests.collect() }
}

/// A contest whose seats count for lists.
pub(crate) struct Part {
    pub(crate) no: ContestNo,
    pub(crate) question: Question,
    /// For each candidate the number of its list.
    pub(crate) lists: Vec<Option<usize>>,
}

fn parts(contests: &[Contest], questions: &[Question], nominal: &Nominal, lists: &Contest) -> Vec<Part> {
    let part = |no: &ContestNo| {
        let (contest, question) = (contests.get(no.index())?, questions.get(no.index())?);
        Some(Part { no: *no, question: question.clone(), lists: contest.lists_of(lists) })
    };
    nominal.contests.iter().filter_map(part).collect()
}

fn settle_lists(question: &Question, parts: Option<&(Vec<Part>, MixedRule)>) -> Result<Answer, NoStatement> {
    let Some((parts, rule)) = parts else { return Ok(Answer::Contest(settle(question)?)) };
    let id = |list: usize| question.contest.options.get(list).map(|(id, _)| id.clone());
    let nominal: Vec<settled::Nominal> = parts
        .iter()
        .map(|part| settled::Nominal {
            question: part.question.clone(),
            lists: part.lists.iter().map(|list| list.and_then(id)).collect(),
        })
        .collect();
    Ok(Answer::Mixed(settle_mixed(question, &nominal, *rule)?))
}

/// Corrections in force, by contest.
fn corrections(ledger: &Ledger) -> Vec<u64> {
    let mut counts = vec![0; ledger.definition().election().contests().len()];
    for (_, correction) in ledger.book().in_force() {
        if let Some(count) = counts.get_mut(correction.contest.index()) {
            *count += 1;
        }
    }
    counts
}

/// The votes as they stand, and what decides.
fn question(no: ContestNo, contest: &Contest, totals: &Totals) -> settled::Contest {
    let whole = totals.as_it_stands(no).map(crate::totals::ContestTotals::whole);
    let votes = whole.map(|whole| whole.candidates(contest)).unwrap_or_default();
    let blank = whole.map_or(0, |whole| whole.figure(Figure::Blank).sum);
    let of = match &contest.decision {
        Some(Decision::Majority { of, .. } | Decision::RunOff { of, .. }) => *of,
        Some(Decision::Lists(lists)) => lists.threshold.map(|threshold| threshold.of).unwrap_or_default(),
        Some(Decision::Plurality { .. }) | None => Whole::Options,
    };
    settled::Contest {
        id: contest.id.clone(),
        options: contest.candidates.iter().map(|candidate| candidate.id.clone()).zip(votes).collect(),
        blank: (of == Whole::OptionsAndBlank).then_some(blank),
        kind: kind(contest.decision.as_ref()),
        alliances: alliances(contest.decision.as_ref()),
    }
}

fn alliances(decision: Option<&Decision>) -> Alliances {
    let Some(Decision::Lists(lists)) = decision else { return Alliances::default() };
    Alliances {
        lists: lists.alliances.clone(),
        inside: lists.inside,
        each: lists.threshold.map(|threshold| threshold.each).unwrap_or_default(),
    }
}

fn kind(decision: Option<&Decision>) -> Kind {
    match decision {
        None => Kind::Unstated,
        Some(Decision::Plurality { seats }) => Kind::Plurality { seats: *seats },
        Some(Decision::Majority { bar, .. }) => Kind::Majority(*bar),
        Some(Decision::RunOff { bar, ahead, .. }) => Kind::RunOff { bar: *bar, ahead: *ahead },
        Some(Decision::Lists(lists)) => Kind::Lists {
            method: lists.method,
            seats: lists.seats,
            threshold: lists.threshold.map(|threshold| threshold.share),
        },
    }
}
