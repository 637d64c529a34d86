//! Stations whose records are not included, and how many votes they can hold.

use std::cmp::Reverse;

use super::SettledError;

/// What is not counted: records that are missing, and records in quarantine.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outstanding {
    /// Each station by itself.
    Stations(Vec<Station>),
    /// All of them in one figure.
    Together {
        /// How many stations, where that is known.
        stations: Option<u64>,
        /// The most votes that they hold.
        most: Together,
    },
}

/// An outstanding station.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Station {
    /// Its id.
    pub id: String,
    /// Why its record is not included.
    pub state: State,
    /// The most votes that it holds; `None` if nothing bounds them.
    pub most: Option<Ceiling>,
    /// Votes above that which the rules of the election let pass.
    pub allowance: u64,
}

/// Why a station's record is not included.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State {
    /// There is none.
    Missing,
    /// It is in quarantine.
    Quarantined,
}

/// What bounds the votes of a station.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ceiling {
    /// Its signed turnout counter.
    Turnout(u64),
    /// Its registered voters.
    Register(u64),
}

impl Station {
    /// The most votes that it holds, with the allowance; `None` if nothing bounds them.
    pub fn bound(&self) -> Option<u64> {
        self.most.map(|most| most.votes().saturating_add(self.allowance))
    }
}

impl Ceiling {
    /// The votes.
    pub fn votes(self) -> u64 {
        match self {
            Self::Turnout(votes) | Self::Register(votes) => votes,
        }
    }
}

/// What bounds the votes of all outstanding stations.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Together {
    /// Their signed turnout counters.
    Turnout(u64),
    /// Voters registered there.
    Register(u64),
    /// The whole register less the voters registered at the counted stations.
    RegisterLess {
        /// All registered voters.
        all: u64,
        /// Those of the counted stations.
        counted: u64,
    },
    /// The whole register less the counted votes: who is registered at the counted stations is not known, but nobody voted
    /// there who is not.
    RegisterLessVotes {
        /// All registered voters.
        all: u64,
    },
    /// Nothing.
    Unknown,
}

impl Outstanding {
    /// How many stations, where that is known.
    pub fn stations(&self) -> Option<u64> {
        match self {
            Self::Stations(stations) => Some(stations.len() as u64),
            Self::Together { stations, .. } => *stations,
        }
    }

    /// The most votes that they hold, with `counted` votes counted; `None` if nothing bounds them.
    pub(super) fn bound(&self, counted: u64) -> Result<Option<u64>, SettledError> {
        let less = |all: u64, counted: u64| all.checked_sub(counted).ok_or(SettledError::Register).map(Some);
        match self {
            Self::Stations(stations) => {
                let votes = stations.iter().try_fold(Some(0_u64), |sum, station| match (sum, station.bound()) {
                    (Some(sum), Some(most)) => sum.checked_add(most).map(Some),
                    _ => Some(None),
                });
                votes.ok_or(SettledError::TooManyVotes)
            }
            Self::Together { most: Together::Turnout(votes) | Together::Register(votes), .. } => Ok(Some(*votes)),
            Self::Together { most: Together::RegisterLess { all, counted }, .. } => less(*all, *counted),
            Self::Together { most: Together::RegisterLessVotes { all }, .. } => less(*all, counted),
            Self::Together { most: Together::Unknown, .. } => Ok(None),
        }
    }

    /// The fewest stations that can hold `lead` votes between them: those that can hold most.
    pub(super) fn fewest(&self, lead: u64) -> Option<Vec<String>> {
        let Self::Stations(stations) = self else { return None };
        let votes = |station: &Station| station.bound().unwrap_or(u64::MAX);
        let mut largest: Vec<&Station> = stations.iter().collect();
        largest.sort_by_key(|station| Reverse(votes(station)));
        let (mut held, mut fewest) = (0_u64, Vec::new());
        for station in largest {
            if held >= lead {
                break;
            }
            held = held.saturating_add(votes(station));
            fewest.push(station.id.clone());
        }
        (held >= lead).then_some(fewest)
    }
}
