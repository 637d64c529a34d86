//! What decides a contest (`docs/spec/package.md`): part of the definition, so that nobody chooses a rule after the poll.

mod method;
mod share;

use std::fmt;

pub use method::{Method, UnknownMethod};
pub use share::{Share, ShareError};

use super::ContestNo;

/// Most seats of a contest.
pub const MAX_SEATS: u32 = 1_000;

/// What decides a contest.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Decision {
    /// Most votes.
    Plurality {
        /// So many are elected: the first in the order of votes.
        seats: u32,
    },
    /// Whoever reaches the bar; perhaps nobody.
    Majority {
        /// The bar.
        bar: Bar,
        /// The votes that it is a share of.
        of: Whole,
    },
    /// First, and past a bar; else the first two go into a run-off.
    RunOff {
        /// The share that is enough alone, such as more than 50 %.
        bar: Bar,
        /// The smaller share that is enough with a lead over the second, such as 40 % and 10 points.
        ahead: Option<Ahead>,
        /// The votes that they are shares of.
        of: Whole,
    },
    /// Seats of lists.
    Lists(Lists),
}

impl Decision {
    /// The word used in files.
    pub fn as_str(&self) -> &'static str {
        match self {
            Self::Plurality { .. } => "plurality",
            Self::Majority { .. } => "majority",
            Self::RunOff { .. } => "run-off",
            Self::Lists(_) => "lists",
        }
    }
}

/// Votes that a share is taken of.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Whole {
    /// Those of all options.
    #[default]
    Options,
    /// Those and blank votes.
    OptionsAndBlank,
}

impl Whole {
    /// The word used in files.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Options => "options",
            Self::OptionsAndBlank => "options-and-blank",
        }
    }
}

/// A share of all votes that has to be reached or passed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Bar {
    /// Not reached by this share itself: "50 % + 1".
    MoreThan(Share),
    /// Reached by this share.
    AtLeast(Share),
}

impl Bar {
    /// Its share.
    pub fn share(self) -> Share {
        match self {
            Self::MoreThan(share) | Self::AtLeast(share) => share,
        }
    }

    /// Its key in files.
    pub(super) fn key(self) -> &'static str {
        match self {
            Self::MoreThan(_) => "more_than",
            Self::AtLeast(_) => "at_least",
        }
    }
}

impl fmt::Display for Bar {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::MoreThan(share) => write!(f, "more than {share}"),
            Self::AtLeast(share) => write!(f, "at least {share}"),
        }
    }
}

/// The way past the bar for whoever leads clearly: "40 % and 10 points ahead".
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ahead {
    /// The share that is needed.
    pub reach: Bar,
    /// The difference to every other option that is needed, as a share of all votes.
    pub by: Bar,
}

/// Seats of lists: the contest's candidates are the lists.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Lists {
    /// How votes become seats.
    pub method: Method,
    /// How many; in a mixed system that is not parallel, of the whole house.
    pub seats: u32,
    /// Who takes part; everybody without one.
    pub threshold: Option<Threshold>,
    /// What breaks ties, the first that decides counts.
    pub ties: Vec<TieRule>,
    /// Lists that stand together, as indices into [`super::Contest::candidates`]; no list stands in two.
    pub alliances: Vec<Vec<usize>>,
    /// How an alliance splits its seats; `None` stands for [`Lists::method`].
    pub inside: Option<Method>,
    /// Contests whose seats count for the lists; never with alliances.
    pub mixed: Option<Nominal>,
}

/// The least share of the votes with which a list takes part.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Threshold {
    /// At least this share is asked for.
    pub share: Share,
    /// The votes that it is a share of.
    pub of: Whole,
    /// Who has to reach it.
    pub each: Each,
}

/// Who has to reach a threshold.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Each {
    /// Every list by itself.
    #[default]
    List,
    /// An alliance as one.
    Alliance,
}

impl Each {
    /// The word used in files.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::List => "list",
            Self::Alliance => "alliance",
        }
    }
}

/// A declared rule that breaks ties.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TieRule {
    /// The one with more votes.
    MoreVotes,
}

impl TieRule {
    /// The word used in files.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::MoreVotes => "more-votes",
        }
    }
}

/// Seats won by name that count for lists.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Nominal {
    /// Contests of the type plurality, ascending; none of them counts for another contest of lists too.
    pub contests: Vec<ContestNo>,
    /// How both come together.
    pub rule: MixedRule,
}

/// How seats won by name and seats of lists come together.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MixedRule {
    /// The lists' seats come on top of those won by name.
    Parallel,
    /// Seats won by name count towards what a list is due. Whoever won more keeps them, and the house grows.
    Added,
    /// As [`MixedRule::Added`], but the house has its size: the list seats go one by one to the best claims after the seats
    /// that each list has already. Divisor methods only.
    Within,
}

impl MixedRule {
    /// The word used in files.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Parallel => "parallel",
            Self::Added => "added",
            Self::Within => "within",
        }
    }
}
