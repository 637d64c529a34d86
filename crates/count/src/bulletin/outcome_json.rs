//! What can still change and the seats, as `bulletin.json` has them. The names are those of `settled --json` and `seats --json`.

use std::collections::BTreeMap;

use serde::Serialize;
use tallyproof_record::{
    Election,
    definition::{self, Named},
};

use crate::{
    outcome::{ByName, ListSeats, NoStatement, SeatsOutcome},
    seats::{Allotment, Party, Quotient, SeatsError, TieOutcome},
    settled::{Answer, LIMIT, Statement},
};

/// The statement with all that it rests on, or why there is none.
#[derive(Serialize)]
#[serde(untagged)]
pub(super) enum Settled<'a> {
    Stated(Box<Stated<'a>>),
    Not { code: &'static str, why: String },
}

#[derive(Serialize)]
pub(super) struct Stated<'a> {
    bound: Option<u64>,
    changes: Vec<Change>,
    contest: &'a str,
    fewest: Option<&'a [String]>,
    lead: Option<u64>,
    limit: &'static str,
    outstanding: Option<u64>,
    parts: Vec<Part<'a>>,
    premises: Vec<String>,
    seats: Vec<Range<'a>>,
    settled: bool,
    statement: String,
    #[serde(rename = "type")]
    kind: &'static str,
}

#[derive(Serialize)]
struct Change {
    votes: u64,
    what: String,
}

#[derive(Serialize)]
struct Range<'a> {
    least: u64,
    list: &'a str,
    most: u64,
    now: u64,
}

#[derive(Serialize)]
struct Part<'a> {
    bound: Option<u64>,
    contest: &'a str,
    lead: Option<u64>,
    outstanding: Option<u64>,
    settled: bool,
}

impl<'a> Settled<'a> {
    /// `contest` is the contest's id.
    pub(super) fn new(contest: &'a str, answer: &'a Result<Answer, NoStatement>) -> Self {
        match answer {
            Ok(answer) => Self::Stated(Box::new(Stated::new(contest, answer))),
            Err(reason) => Self::Not { code: reason.as_str(), why: reason.to_string() },
        }
    }
}

impl<'a> Stated<'a> {
    fn new(contest: &'a str, answer: &'a Answer) -> Self {
        let nearest = answer.nearest();
        let changes = nearest.changes().iter();
        let (kind, parts, seats) = match answer {
            Answer::Contest(statement) => (statement.kind().as_str(), Vec::new(), ranges(statement)),
            Answer::Mixed(mixed) => {
                let range = mixed.seats().iter();
                let range = range.map(|it| Range { least: it.least, list: &it.id, most: it.most, now: it.now });
                let parts = mixed.nominal().iter().chain([mixed.lists()]).map(Part::new);
                ("mixed", parts.collect(), range.collect())
            }
        };
        Self {
            bound: nearest.bound(),
            changes: changes.map(|it| Change { votes: it.votes, what: nearest.describe(it) }).collect(),
            contest,
            fewest: nearest.fewest(),
            lead: nearest.lead(),
            limit: LIMIT,
            outstanding: nearest.outstanding(),
            parts,
            premises: answer.premises().iter().map(ToString::to_string).collect(),
            seats,
            settled: answer.settled(),
            statement: answer.to_string(),
            kind,
        }
    }
}

fn ranges(statement: &Statement) -> Vec<Range<'_>> {
    let list = |list: usize| statement.options().get(list).map_or("", String::as_str);
    let range = statement.seats().iter();
    range.map(|it| Range { least: it.least, list: list(it.list), most: it.most, now: it.now }).collect()
}

impl<'a> Part<'a> {
    fn new(part: &'a Statement) -> Self {
        Self {
            bound: part.bound(),
            contest: part.contest(),
            lead: part.lead(),
            outstanding: part.outstanding(),
            settled: part.settled(),
        }
    }
}

/// The seats, where the definition says how many there are.
#[derive(Serialize)]
#[serde(untagged)]
pub(super) enum Seats<'a> {
    ByName(Elected<'a>),
    Lists(Box<Lists<'a>>),
    Not { code: &'static str, why: String },
}

/// Seats that go to the candidates with the most votes.
#[derive(Serialize)]
pub(super) struct Elected<'a> {
    house: u32,
    open: u32,
    order: Vec<&'a str>,
    seats: BTreeMap<&'a str, u64>,
    tied: Vec<&'a str>,
}

#[derive(Serialize)]
pub(super) struct Lists<'a> {
    added: BTreeMap<&'a str, u64>,
    below_threshold: Vec<&'a str>,
    house: u32,
    method: &'static str,
    nominal: Vec<NameSeat<'a>>,
    nominal_open: u64,
    open: Vec<Open>,
    order: Vec<Given<'a>>,
    quota: Option<Fraction>,
    seats: BTreeMap<&'a str, u64>,
    ties: Vec<Tie>,
    unfilled: u64,
    votes: BTreeMap<&'a str, u64>,
}

#[derive(Serialize)]
struct Fraction {
    denominator: u64,
    numerator: i64,
}

#[derive(Serialize)]
struct NameSeat<'a> {
    candidate: &'a str,
    contest: &'a str,
    list: Option<&'a str>,
}

#[derive(Serialize)]
struct Open {
    alliance: Option<String>,
    among: Vec<String>,
    seats: u64,
}

#[derive(Serialize)]
struct Given<'a> {
    alliance: Option<String>,
    claim: Fraction,
    inside: Option<Fraction>,
    list: Option<&'a str>,
    nominal: bool,
    seat: u64,
}

#[derive(Serialize)]
struct Tie {
    alliance: Option<String>,
    among: Vec<String>,
    claim: Fraction,
    outcome: &'static str,
    seats: u64,
}

impl From<Quotient> for Fraction {
    fn from(quotient: Quotient) -> Self {
        Self { denominator: quotient.denominator, numerator: quotient.numerator }
    }
}

impl<'a> Seats<'a> {
    pub(super) fn new(election: &'a Election, contest: &'a definition::Contest, seats: &'a SeatsOutcome) -> Self {
        match seats {
            SeatsOutcome::ByName(by_name) => Self::ByName(Elected::new(contest, by_name)),
            SeatsOutcome::Lists(lists) => match &lists.allotment {
                Ok(allotment) => Self::Lists(Box::new(Lists::new(election, contest, lists, allotment))),
                Err(error) => Self::Not { code: code(*error), why: error.to_string() },
            },
        }
    }
}

fn code(error: SeatsError) -> &'static str {
    match error {
        SeatsError::Seats => "seats",
        SeatsError::TooManyLists => "lists",
        SeatsError::TooManyVotes => "votes",
        SeatsError::ThresholdOf => "threshold",
        SeatsError::Lot => "lot",
        SeatsError::MixedAlliance => "mixed-alliance",
        SeatsError::MixedRemainder => "mixed-remainder",
        SeatsError::MixedHouse => "mixed-house",
    }
}

impl<'a> Elected<'a> {
    fn new(contest: &'a definition::Contest, by_name: &ByName) -> Self {
        let ids = |candidates: &[usize]| candidates.iter().map(|&it| id(&contest.candidates, it)).collect::<Vec<_>>();
        let order = ids(&by_name.elected);
        let seats = order.iter().map(|&id| (id, 1)).collect();
        Self { house: by_name.seats, open: by_name.open, order, seats, tied: ids(&by_name.tied) }
    }
}

impl<'a> Lists<'a> {
    fn new(
        election: &'a Election,
        contest: &'a definition::Contest,
        outcome: &'a ListSeats,
        allotment: &'a Allotment,
    ) -> Self {
        let list = |list: usize| id(&contest.candidates, list);
        let alliance = |number: usize| {
            let members = (0..outcome.lists.len()).filter(|&it| outcome.lists[it].alliance == Some(number));
            members.map(list).collect::<Vec<_>>().join(" + ")
        };
        let party = |party: &Party| match *party {
            Party::List(number) => list(number).to_owned(),
            Party::Alliance(number) => alliance(number),
        };
        let lists = || allotment.lists.iter().enumerate();
        Self {
            added: lists().filter(|(_, it)| it.added > 0).map(|(number, it)| (list(number), it.added)).collect(),
            below_threshold: lists().filter(|(_, it)| !it.admitted).map(|(number, _)| list(number)).collect(),
            house: outcome.rules.seats,
            method: outcome.rules.method.as_str(),
            nominal: outcome.nominal.iter().map(|it| NameSeat::new(election, contest, it)).collect(),
            nominal_open: outcome.nominal_open,
            open: allotment
                .open
                .iter()
                .map(|open| Open {
                    alliance: open.inside.map(alliance),
                    among: open.among.iter().map(party).collect(),
                    seats: open.seats,
                })
                .collect(),
            order: (1..)
                .zip(&allotment.order)
                .map(|(seat, given)| Given {
                    alliance: given.alliance.map(alliance),
                    claim: given.claim.into(),
                    inside: given.inside.map(Into::into),
                    list: given.list.map(list),
                    nominal: given.nominal,
                    seat,
                })
                .collect(),
            quota: allotment.quota.map(Into::into),
            seats: lists().map(|(number, it)| (list(number), it.seats)).collect(),
            ties: allotment
                .ties
                .iter()
                .map(|tie| Tie {
                    alliance: tie.inside.map(alliance),
                    among: tie.among.iter().map(party).collect(),
                    claim: tie.claim.into(),
                    outcome: became(tie.outcome),
                    seats: tie.seats,
                })
                .collect(),
            unfilled: allotment.unfilled,
            votes: outcome.lists.iter().enumerate().map(|(number, it)| (list(number), it.votes)).collect(),
        }
    }
}

impl<'a> NameSeat<'a> {
    fn new(election: &'a Election, lists: &'a definition::Contest, seat: &crate::outcome::NameSeat) -> Self {
        let contest = election.contest(seat.contest);
        Self {
            candidate: contest.map_or("", |contest| id(&contest.candidates, seat.candidate)),
            contest: contest.map_or("", |contest| contest.id.as_str()),
            list: seat.list.map(|list| id(&lists.candidates, list)),
        }
    }
}

fn became(outcome: TieOutcome) -> &'static str {
    match outcome {
        TieOutcome::SeatForEach => "seat-for-each",
        TieOutcome::MoreVotes => "more-votes",
        TieOutcome::Lot => "lot",
        TieOutcome::Open => "open",
    }
}

fn id(named: &[Named], number: usize) -> &str {
    named.get(number).map_or("", |named| named.id.as_str())
}

/// Seats by list or candidate, for the table.
pub(super) fn seats_of<'a>(contest: &'a definition::Contest, seats: &SeatsOutcome) -> Vec<(&'a str, u64)> {
    let id = |number: usize| id(&contest.candidates, number);
    match seats {
        SeatsOutcome::ByName(by_name) => by_name.elected.iter().map(|&it| (id(it), 1)).collect(),
        SeatsOutcome::Lists(lists) => {
            let allotted = lists.allotment.iter().flat_map(|it| it.lists.iter().enumerate());
            allotted.map(|(number, list)| (id(number), list.seats)).collect()
        }
    }
}
