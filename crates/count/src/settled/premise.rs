//! What a statement rests on, and its words.

use std::fmt;

use super::{
    Ahead, Ceiling, Change, Contest, Kind, MixedRule, Outstanding, Question, State, Statement, Together, What,
};
use crate::{
    number::grouped,
    seats::{Each, Method},
};

/// Where the counted votes come from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Figures {
    /// Somebody published them.
    Published {
        /// Who, where and when.
        source: String,
    },
    /// The records of a log, as it stands.
    Records {
        /// Entries of the log that they are taken from.
        entries: u64,
        /// Corrections in force in the contest.
        corrections: u64,
        /// The definition hash.
        definition: String,
    },
}

/// Something that a statement takes as given.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Premise {
    /// Where the counted votes come from.
    Figures(Figures),
    /// What is counted stays as it is.
    NoLaterChange,
    /// The list of outstanding stations is complete.
    NoOtherStations {
        /// Those without a record.
        missing: Option<u64>,
        /// Those with a record in quarantine.
        quarantined: u64,
    },
    /// Turnout counters of single stations.
    TurnoutCounters {
        /// How many stations have one.
        stations: u64,
        /// Their sum.
        votes: u64,
        /// Votes above it that the rules let pass.
        allowance: u64,
    },
    /// Registered voters of single stations.
    Registers {
        /// How many stations are bounded so.
        stations: u64,
        /// Their sum.
        voters: u64,
        /// Votes above it that the rules let pass.
        allowance: u64,
    },
    /// Stations that nothing bounds.
    Unbounded {
        /// How many.
        stations: u64,
    },
    /// What bounds all outstanding stations together, with the votes counted.
    Together(Together, u64),
    /// A voter adds one vote at most, to any option.
    OneVote,
    /// What decides the contest, and what counts as a change.
    Rule(Kind),
    /// Lists that stand together.
    Alliances {
        /// The lists of each, by id.
        lists: Vec<Vec<String>>,
        /// How they split their seats.
        inside: Method,
        /// Whether an alliance reaches the threshold as one; `None` without a threshold.
        as_one: Option<bool>,
    },
    /// Votes for no option that count towards the total.
    BlankCounts(u64),
    /// How the parts of a mixed system come together.
    Mixed(MixedRule),
}

/// What no statement shows.
pub const LIMIT: &str = "The statement is about these figures: it does not show that they are right. It gives no probability, because \
                         the order in which records arrive is not random.";

/// Every premise of the answer to a question.
pub(super) fn of(question: &Question, counted: u64) -> Vec<Premise> {
    let mut premises = vec![Premise::Figures(question.figures.clone()), Premise::NoLaterChange];
    match &question.outstanding {
        Outstanding::Together { stations, most } => {
            premises.push(Premise::NoOtherStations { missing: *stations, quarantined: 0 });
            premises.push(Premise::Together(*most, counted));
        }
        Outstanding::Stations(stations) => {
            let quarantined = stations.iter().filter(|station| station.state == State::Quarantined).count() as u64;
            let missing = Some(stations.len() as u64 - quarantined);
            premises.push(Premise::NoOtherStations { missing, quarantined });
            let (mut turnout, mut register, mut unbounded) = ((0, 0, 0), (0, 0, 0), 0);
            for station in stations {
                let (sum, votes) = match station.most {
                    Some(Ceiling::Turnout(votes)) => (&mut turnout, votes),
                    Some(Ceiling::Register(votes)) => (&mut register, votes),
                    None => {
                        unbounded += 1;
                        continue;
                    }
                };
                *sum = (sum.0 + 1, sum.1 + votes, sum.2 + station.allowance);
            }
            let (stations, votes, allowance) = turnout;
            let turnout = (stations > 0).then_some(Premise::TurnoutCounters { stations, votes, allowance });
            let (stations, voters, allowance) = register;
            let register = (stations > 0).then_some(Premise::Registers { stations, voters, allowance });
            let unbounded = (unbounded > 0).then_some(Premise::Unbounded { stations: unbounded });
            premises.extend(turnout.into_iter().chain(register).chain(unbounded));
        }
    }
    premises.push(Premise::OneVote);
    premises.push(Premise::Rule(question.contest.kind));
    premises.extend(alliances(&question.contest));
    premises.extend(question.contest.blank.map(Premise::BlankCounts));
    premises
}

fn alliances(contest: &Contest) -> Option<Premise> {
    let Kind::Lists { method, threshold, .. } = contest.kind else { return None };
    let id = |&list: &usize| contest.options.get(list).map(|(id, _)| id.clone());
    let lists: Vec<Vec<String>> =
        contest.alliances.lists.iter().map(|lists| lists.iter().filter_map(id).collect()).collect();
    (!lists.is_empty()).then(|| Premise::Alliances {
        lists,
        inside: contest.alliances.inside.unwrap_or(method),
        as_one: threshold.map(|_| contest.alliances.each == Each::Alliance),
    })
}

fn stations(count: u64) -> String {
    if count == 1 { "1 station".into() } else { format!("{} stations", grouped(count)) }
}

fn stations_hold(count: u64) -> String {
    format!("{} {} at most", stations(count), if count == 1 { "holds" } else { "hold" })
}

fn allowed(allowance: u64) -> String {
    if allowance == 0 {
        String::new()
    } else {
        format!(", and {} more that the rules of the election let pass", grouped(allowance))
    }
}

impl fmt::Display for Premise {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Figures(Figures::Published { source }) => {
                write!(f, "The counted votes are those that this source states; no record was checked: {source}")
            }
            Self::Figures(Figures::Records { entries, corrections, definition }) => {
                write!(f, "The counted votes are those of the records counted in the first {} entries of the log", grouped(*entries))?;
                match corrections {
                    0 => {}
                    1 => f.write_str(", with 1 correction in force")?,
                    more => write!(f, ", with {} corrections in force", grouped(*more))?,
                }
                write!(f, "; definition {definition}.")
            }
            Self::NoLaterChange => f.write_str("What is counted stays as it is: no record is corrected or annulled later."),
            Self::NoOtherStations { missing, quarantined } => {
                match missing {
                    Some(missing) => write!(f, "The records of {} are missing", stations(*missing))?,
                    None => f.write_str("The source does not say how many records are missing")?,
                }
                if *quarantined > 0 {
                    write!(f, ", those of {} are in quarantine", stations(*quarantined))?;
                }
                f.write_str("; no other votes come in.")
            }
            Self::TurnoutCounters { stations: count, votes, allowance } => {
                let (hold, votes) = (stations_hold(*count), grouped(*votes));
                write!(f, "{hold} the votes that signed turnout counters state: {votes}{}.", allowed(*allowance))
            }
            Self::Registers { stations: count, voters, allowance } => {
                let (hold, voters) = (stations_hold(*count), grouped(*voters));
                write!(f, "{hold} one vote for each registered voter: {voters}{}.", allowed(*allowance))
            }
            Self::Unbounded { stations: count } => write!(f, "Nothing bounds the votes of {}.", stations(*count)),
            Self::Together(most, counted) => write_together(*most, *counted, f),
            Self::OneVote => f.write_str("A vote that comes in is one vote, for any option or none."),
            Self::Rule(kind) => write_rule(*kind, f),
            Self::Alliances { lists, inside, as_one } => {
                let lists: Vec<String> = lists.iter().map(|lists| lists.join(" + ")).collect();
                write!(f, "These lists get seats as one, and split them by {inside}: {}.", lists.join("; "))?;
                match as_one {
                    None => Ok(()),
                    Some(true) => f.write_str(" They reach the threshold as one."),
                    Some(false) => f.write_str(" Each of them has to reach the threshold."),
                }
            }
            Self::BlankCounts(votes) => {
                write!(f, "Votes for no option count towards the total: {} so far.", grouped(*votes))
            }
            Self::Mixed(MixedRule::Parallel) => {
                f.write_str("The seats of lists come on top of those won by name; the parts are separate votes.")
            }
            Self::Mixed(MixedRule::Added) => f.write_str(
                "Seats won by name count towards what a list is due; whoever won more keeps them, and the house grows. The parts are separate votes.",
            ),
            Self::Mixed(MixedRule::Within) => f.write_str(
                "Seats won by name are seats of the house; the other seats go one by one to the best claims after them. The parts are separate votes.",
            ),
        }
    }
}

fn write_together(most: Together, votes: u64, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    match most {
        Together::Turnout(turnout) => {
            write!(
                f,
                "The outstanding stations hold at most the votes that their signed turnout counters state: {}.",
                grouped(turnout)
            )
        }
        Together::Register(voters) => {
            write!(
                f,
                "The outstanding stations hold at most one vote for each voter registered there: {}.",
                grouped(voters)
            )
        }
        Together::RegisterLess { all, counted } => write!(
            f,
            "The outstanding stations hold at most one vote for each voter registered there: {} in the whole register less {} at the counted stations.",
            grouped(all),
            grouped(counted)
        ),
        Together::RegisterLessVotes { all } => write!(
            f,
            "The outstanding stations hold at most one vote for each voter registered there. How many are registered at the counted stations is not stated: at least as many as there are counted votes, {} of {} in the whole register.",
            grouped(votes),
            grouped(all)
        ),
        Together::Unknown => f.write_str("Nothing bounds the votes of the outstanding stations."),
    }
}

fn write_rule(kind: Kind, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    match kind {
        Kind::Unstated => f.write_str(
            "The definition states no rule for the contest. Asked is which option has the most votes; a tie for the first place is a change.",
        ),
        Kind::Plurality { seats: 1 } => {
            f.write_str("Asked is which option has the most votes; a tie for the first place is a change.")
        }
        Kind::Plurality { seats } => {
            write!(f, "Asked is which options are the first {seats} by votes; a tie for the last of these places is a change.")
        }
        Kind::Majority(bar) => write!(f, "Asked is which options have {bar} of the votes."),
        Kind::RunOff { bar, ahead } => {
            write!(f, "The first is elected with {bar} of the votes")?;
            if let Some(Ahead { reach, by }) = ahead {
                write!(f, ", or with {reach} and a difference to each other option of {by} of the votes")?;
            }
            f.write_str("; otherwise the first two go into a run-off. Asked is who is elected or which two they are; a tie for one of these places is a change.")
        }
        Kind::Lists { method, seats, threshold } => {
            write!(f, "{seats} seats go to lists by {method}")?;
            if let Some(share) = threshold {
                write!(f, ", to those with at least {share} of the votes. Asked is which lists these are, and")?;
            } else {
                f.write_str(". Asked is")?;
            }
            f.write_str(" how many seats each has; a tie for a seat is a change.")
        }
    }
}

impl Statement {
    /// The statement in one sentence. It means nothing without [`Statement::premises`].
    pub(super) fn sentence(&self) -> String {
        let bound = match self.bound {
            Some(bound) => format!("Records not included can hold at most {} votes", grouped(bound)),
            None => "Nothing bounds the votes of records not included".into(),
        };
        let plurality = matches!(self.kind, Kind::Plurality { .. } | Kind::Unstated);
        let difference = match self.lead {
            Some(lead)
                if plurality && matches!(self.changes.first(), Some(Change { what: What::Overtaken { .. }, .. })) =>
            {
                format!("the difference is {}", grouped(lead))
            }
            Some(lead) => format!("it takes {} votes to change the outcome", grouped(lead)),
            None => "no number of votes changes the outcome".into(),
        };
        let what = if plurality { "the order" } else { "the outcome" };
        format!("{bound}; {difference}; {what} {} change.", if self.settled { "cannot" } else { "can" })
    }

    /// A way of change in words.
    pub fn describe(&self, change: &Change) -> String {
        let id = |option: usize| self.options.get(option).map_or("", String::as_str);
        match &change.what {
            What::Overtaken { first, by } => format!("{} gets as many votes as {}", id(*by), id(*first)),
            What::Untied { among } => {
                let among: Vec<&str> = among.iter().map(|option| id(*option)).collect();
                format!("the tie of {} is broken", among.join(", "))
            }
            What::Reaches { option, bar } => format!("{} gets {bar} of the votes", id(*option)),
            What::Misses { option, bar } => format!("{} no longer has {bar} of the votes", id(*option)),
            What::NoRunOff { option } => format!("{} needs no run-off", id(*option)),
            What::RunOff { option, rival: None } => format!("{} needs a run-off", id(*option)),
            What::RunOff { option, rival: Some(rival) } => {
                format!("{} needs a run-off, because {} comes nearer", id(*option), id(*rival))
            }
            What::Seat { from, to } => format!("a seat of {} goes to {}, or they tie for it", id(*from), id(*to)),
            What::Filled { list } => format!("{} gets seats that are unfilled", id(*list)),
        }
    }
}

impl fmt::Display for Statement {
    /// The sentence with its premises and its limit: there is no shorter form.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write(f, &self.sentence(), self.premises())
    }
}

pub(super) fn write(
    f: &mut fmt::Formatter<'_>,
    sentence: &str,
    premises: impl IntoIterator<Item: fmt::Display>,
) -> fmt::Result {
    writeln!(f, "{sentence}\n\nThis holds if:")?;
    for premise in premises {
        writeln!(f, "- {premise}")?;
    }
    write!(f, "\n{LIMIT}")
}
