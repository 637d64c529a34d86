//! Whether records that are not included can change an outcome (`docs/spec/settled.md`).
//!
//! The outcome of a contest is a set of linear assertions ([`crate::assertion`]). Outstanding stations hold at most so many
//! votes; if no assertion can fail for any distribution of that many, the outcome is settled. That is exact: where the
//! statement says that the outcome can change, there are votes that change it.
//!
//! No probability is given: the order in which records arrive is not random. A [`Statement`] cannot be had without the
//! premises that it rests on:
//!
//! ```compile_fail
//! // Its fields are private, and nothing but `settle` makes one.
//! let statement = tallyproof_count::settled::Statement { settled: true };
//! ```

mod bars;
mod change;
mod held;
mod house;
mod lists;
mod mixed;
mod outstanding;
mod premise;
pub mod published;

pub use bars::{Ahead, Bar};
pub use change::{Change, What};
pub use house::Alliances;
use house::House;
use lists::Held;
pub use mixed::{MixedRange, MixedStatement, Nominal, PartPremise, settle_mixed};
pub use outstanding::{Ceiling, Outstanding, State, Station, Together};
pub use premise::{Figures, LIMIT, Premise};
pub use tallyproof_record::definition::decision::{MAX_SEATS, MixedRule};

use crate::seats::{MAX_VOTES, Method};

/// Most options of a contest.
pub const MAX_OPTIONS: usize = 500;
/// Most ways of change that a statement lists.
const LISTED_CHANGES: usize = 50;

/// What was counted so far in one contest.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Contest {
    /// Its id.
    pub id: String,
    /// Its options with their votes: candidates, lists, or yes and no.
    pub options: Vec<(String, u64)>,
    /// Votes for no option that count towards the total of which shares are taken; `None` if there are no such votes.
    pub blank: Option<u64>,
    /// What decides it.
    pub kind: Kind,
    /// Lists that stand together; none in other contests than of lists.
    pub alliances: Alliances,
}

/// What decides a contest.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Nothing that is stated: asked is which option has most votes.
    Unstated,
    /// Most votes.
    Plurality {
        /// So many options are elected.
        seats: u32,
    },
    /// Whoever reaches the bar; perhaps nobody.
    Majority(Bar),
    /// First, and past a bar; else the first two go into a run-off.
    RunOff {
        /// The share that is enough alone, such as more than 50 %.
        bar: Bar,
        /// The smaller share that is enough with a lead over the second, such as 40 % and 10 points.
        ahead: Option<Ahead>,
    },
    /// Seats of lists.
    Lists {
        /// How votes become seats.
        method: Method,
        /// How many.
        seats: u32,
        /// The share of the votes with which a list takes part, reached by at least that share.
        threshold: Option<crate::share::Share>,
    },
}

impl Kind {
    /// Its name in files.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Unstated => "unstated",
            Self::Plurality { .. } => "plurality",
            Self::Majority(_) => "majority",
            Self::RunOff { .. } => "run-off",
            Self::Lists { .. } => "lists",
        }
    }
}

/// One question: these votes are counted, those stations are outstanding.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Question {
    /// What is counted.
    pub contest: Contest,
    /// What is not.
    pub outstanding: Outstanding,
    /// Where the counted votes come from.
    pub figures: Figures,
}

/// Why a question has no answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SettledError {
    /// No option, or too many.
    #[error("a contest has from 1 to {MAX_OPTIONS} options")]
    Options,
    /// No seat, or too many.
    #[error("a contest has from 1 to {MAX_SEATS} seats")]
    Seats,
    /// Too many votes.
    #[error("more than {MAX_VOTES} votes, counted and outstanding together")]
    TooManyVotes,
    /// The register is smaller than what is subtracted from it.
    #[error("the whole register has fewer voters than were counted; the figures contradict each other")]
    Register,
    /// A mixed system without a part, or whose first part is not of lists.
    #[error("a mixed system has one contest of lists, and contests in which one option is first")]
    Mixed,
    /// A house of fixed size that cannot be.
    #[error("a house of fixed size needs a divisor method, and as many seats as are won by name")]
    House,
    /// Alliances that cannot be.
    #[error("each list stands in one alliance at most, and lists of a mixed system in none")]
    Alliances,
}

impl SettledError {
    /// The word used in files.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Options => "options",
            Self::Seats => "seats",
            Self::TooManyVotes => "votes",
            Self::Register => "register",
            Self::Mixed => "mixed",
            Self::House => "house",
            Self::Alliances => "alliances",
        }
    }
}

/// What can still change, with everything that it rests on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Statement {
    contest: String,
    options: Vec<String>,
    kind: Kind,
    lead: Option<u64>,
    outstanding: Option<u64>,
    bound: Option<u64>,
    settled: bool,
    premises: Vec<Premise>,
    changes: Vec<Change>,
    fewest: Option<Vec<String>>,
    seats: Vec<SeatRange>,
}

/// How many seats a list has and can have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SeatRange {
    /// Number of the list among the options.
    pub list: usize,
    /// By the counted votes, without seats that a tie leaves open.
    pub now: u64,
    /// It has these, whatever the outstanding stations hold: its seats number 1 to `least` are settled.
    pub least: u64,
    /// It cannot have more.
    pub most: u64,
}

impl Statement {
    /// The contest's id.
    pub fn contest(&self) -> &str {
        &self.contest
    }

    /// The options' ids, by which [`Change`] and [`SeatRange`] name them; after them the alliances, such as `a + b`.
    pub fn options(&self) -> &[String] {
        &self.options
    }

    /// What decides the contest.
    pub fn kind(&self) -> Kind {
        self.kind
    }

    /// The fewest further votes with which the outcome can change; `None` if no number of votes is enough.
    pub fn lead(&self) -> Option<u64> {
        self.lead
    }

    /// How many stations are outstanding, where that is known.
    pub fn outstanding(&self) -> Option<u64> {
        self.outstanding
    }

    /// The most votes that outstanding stations can hold; `None` if nothing bounds them.
    pub fn bound(&self) -> Option<u64> {
        self.bound
    }

    /// Whether no distribution of the outstanding votes changes the outcome.
    pub fn settled(&self) -> bool {
        self.settled
    }

    /// Everything that the statement rests on; never empty.
    pub fn premises(&self) -> &[Premise] {
        &self.premises
    }

    /// The ways in which the outcome can change, those that take the fewest votes first, at most 50; of a settled one, that
    /// which comes nearest.
    pub fn changes(&self) -> &[Change] {
        &self.changes
    }

    /// The fewest outstanding stations that could change the outcome between them; `None` if they are not known one by one,
    /// or all of them together cannot.
    pub fn fewest(&self) -> Option<&[String]> {
        self.fewest.as_deref()
    }

    /// Each list's seats, where the contest is one of lists and the outstanding votes have a bound. Lists that stand together
    /// are in it as one, and nobody where single lists of alliances can cross the threshold.
    pub fn seats(&self) -> &[SeatRange] {
        &self.seats
    }
}

/// The answer for a contest.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Answer {
    /// Of one contest.
    Contest(Statement),
    /// Of a mixed system.
    Mixed(MixedStatement),
}

impl Answer {
    /// Whether nothing that is outstanding can change it.
    pub fn settled(&self) -> bool {
        match self {
            Self::Contest(statement) => statement.settled(),
            Self::Mixed(statement) => statement.settled(),
        }
    }

    /// The statement; of a mixed system that of the part which is nearest to a change.
    pub fn nearest(&self) -> &Statement {
        match self {
            Self::Contest(statement) => statement,
            Self::Mixed(statement) => statement.nearest(),
        }
    }

    /// Everything that it rests on, with the part that each premise is about where it is not about all of them.
    pub fn premises(&self) -> Vec<PartPremise> {
        match self {
            Self::Contest(statement) => {
                let whole = statement.premises().iter().cloned();
                whole.map(|premise| PartPremise { part: None, premise }).collect()
            }
            Self::Mixed(statement) => statement.premises().to_vec(),
        }
    }
}

impl std::fmt::Display for Answer {
    /// The sentence with its premises and its limit: there is no shorter form.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Contest(statement) => statement.fmt(f),
            Self::Mixed(statement) => statement.fmt(f),
        }
    }
}

/// Answers a question.
pub fn settle(question: &Question) -> Result<Statement, SettledError> {
    settle_after(question, None)
}

/// Answers a question about a house of which lists have seats already.
fn settle_after(question: &Question, held: Option<&Held>) -> Result<Statement, SettledError> {
    let Question { contest, outstanding, .. } = question;
    let tally = Tally::of(contest)?;
    let bound = outstanding.bound(tally.total())?;
    if tally.total().checked_add(bound.unwrap_or(0)).is_none_or(|votes| votes > MAX_VOTES) {
        return Err(SettledError::TooManyVotes);
    }
    let (mut changes, seats) = match contest.kind {
        Kind::Lists { method, seats, threshold } => {
            let alliances = &contest.alliances;
            house::answer(&tally, &House { method, seats: u64::from(seats), threshold, alliances, held }, bound)
        }
        kind => (change::ways(&tally, kind), Vec::new()),
    };
    changes.sort_by_key(|change| change.votes);
    let lead = changes.first().map(|change| change.votes);
    let settled = lead.is_none_or(|lead| bound.is_some_and(|bound| bound < lead));
    let possible = changes.iter().filter(|change| bound.is_none_or(|bound| change.votes <= bound)).count();
    changes.truncate(possible.clamp(1, LISTED_CHANGES));
    Ok(Statement {
        contest: contest.id.clone(),
        options: contest.options.iter().map(|(id, _)| id.clone()).chain(contest.names_of_alliances()).collect(),
        kind: contest.kind,
        lead,
        outstanding: outstanding.stations(),
        bound,
        settled,
        premises: premise::of(question, tally.total()),
        changes,
        fewest: lead.and_then(|lead| outstanding.fewest(lead)),
        seats,
    })
}

impl Contest {
    fn names_of_alliances(&self) -> impl Iterator<Item = String> {
        let name = |&list: &usize| self.options.get(list).map_or("", |(id, _)| id.as_str());
        self.alliances.lists.iter().map(move |lists| lists.iter().map(name).collect::<Vec<_>>().join(" + "))
    }
}

/// The votes in the order of the options, and those for none of them.
#[derive(Clone, Debug)]
pub(crate) struct Tally {
    votes: Vec<u64>,
    options: usize,
}

impl Tally {
    fn of(contest: &Contest) -> Result<Self, SettledError> {
        let options = contest.options.len();
        if !(1..=MAX_OPTIONS).contains(&options) {
            return Err(SettledError::Options);
        }
        if let Kind::Lists { seats, .. } | Kind::Plurality { seats } = contest.kind
            && !(1..=MAX_SEATS).contains(&seats)
        {
            return Err(SettledError::Seats);
        }
        let mut stands = vec![false; options];
        for &list in contest.alliances.lists.iter().flatten() {
            let twice = stands.get_mut(list).is_none_or(|stands| std::mem::replace(stands, true));
            if twice || !matches!(contest.kind, Kind::Lists { .. }) {
                return Err(SettledError::Alliances);
            }
        }
        let votes: Vec<u64> = contest.options.iter().map(|(_, votes)| *votes).chain(contest.blank).collect();
        let total = votes.iter().try_fold(0_u64, |sum, votes| sum.checked_add(*votes));
        total.filter(|&total| total <= MAX_VOTES).ok_or(SettledError::TooManyVotes)?;
        Ok(Self { votes, options })
    }

    fn new(options: Vec<u64>, for_none: impl IntoIterator<Item = u64>) -> Self {
        let (count, mut votes) = (options.len(), options);
        votes.extend(for_none);
        Self { votes, options: count }
    }

    /// The options by votes, the most first, equal ones in their order.
    fn ranked(&self) -> Vec<usize> {
        let mut ranked: Vec<usize> = (0..self.options).collect();
        ranked.sort_by_key(|&option| std::cmp::Reverse(self.votes[option]));
        ranked
    }

    /// Votes of the options and, where they count, those for none.
    fn votes(&self) -> &[u64] {
        &self.votes
    }

    /// Votes of the options alone.
    fn of_options(&self) -> &[u64] {
        &self.votes[..self.options]
    }

    fn total(&self) -> u64 {
        self.votes.iter().sum()
    }

    /// One weight for each option and for votes for none: `rest`, but for those named.
    fn weights(&self, rest: i128, named: &[(usize, i128)]) -> Vec<i128> {
        let mut weights = vec![rest; self.votes.len()];
        for (option, weight) in named {
            weights[*option] = *weight;
        }
        weights
    }

    /// The options with the most votes.
    fn first(&self) -> Vec<usize> {
        let most = self.of_options().iter().max().copied().unwrap_or_default();
        (0..self.options).filter(|&option| self.votes[option] == most).collect()
    }
}
