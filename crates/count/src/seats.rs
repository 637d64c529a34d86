//! From votes to seats (`docs/spec/seats.md`): divisors and largest remainders, thresholds, alliances, mixed systems.
//!
//! Integers only. Every tie is reported; one that decides a seat leaves it open unless a declared rule breaks it.

mod alliance;
pub(crate) mod claims;
pub mod table;

use std::collections::BTreeMap;

pub use claims::Quotient;
use claims::{Broken, Contender, Measure};
pub use tallyproof_record::definition::decision::{Each, Method, MixedRule as Mixed, UnknownMethod};

use crate::share::Share;

/// Most votes of all lists together. With it and [`MAX_SEATS`] every figure fits 64 bits.
pub const MAX_VOTES: u64 = 100_000_000_000_000;
/// Most seats of one allotment.
pub const MAX_SEATS: u32 = 10_000;
/// Most lists of one allotment.
pub const MAX_LISTS: usize = 10_000;

/// What a list brings.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct List {
    /// Its votes.
    pub votes: u64,
    /// Lists with the same number stand together for seats, and split them.
    pub alliance: Option<usize>,
    /// Seats that its candidates won by name, in a mixed system.
    pub nominal: u32,
}

/// The least share of the votes with which a list takes part.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Threshold {
    /// At least this share is asked for.
    pub share: Share,
    /// Votes that it is a share of; `None` stands for all lists' votes.
    pub of: Option<u64>,
    /// Whether an alliance is measured as one, or each list by itself.
    pub each: Each,
}

/// A declared rule that breaks ties.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TieBreak {
    /// The one with more votes.
    MoreVotes,
    /// The one that stands earlier in a drawn and published order of lists; an alliance stands where its first list does.
    Lot(Vec<usize>),
}

/// The rules of an allotment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rules {
    /// How votes become seats.
    pub method: Method,
    /// Seats of the lists; in a mixed system that is not parallel, of the whole house.
    pub seats: u32,
    /// Who takes part.
    pub threshold: Option<Threshold>,
    /// Tie rules, the first that decides counts.
    pub ties: Vec<TieBreak>,
    /// How an alliance splits its seats; `None` stands for [`Rules::method`].
    pub inside: Option<Method>,
    /// Whether seats are won by name too.
    pub mixed: Option<Mixed>,
}

impl Rules {
    /// These seats by this method, and nothing else declared.
    pub fn new(method: Method, seats: u32) -> Self {
        Self { method, seats, threshold: None, ties: Vec::new(), inside: None, mixed: None }
    }
}

/// Why there is no allotment.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SeatsError {
    /// No seat, or too many.
    #[error("the number of seats has to be from 1 to {MAX_SEATS}")]
    Seats,
    /// Too many lists.
    #[error("more than {MAX_LISTS} lists")]
    TooManyLists,
    /// Too many votes.
    #[error("more than {MAX_VOTES} votes")]
    TooManyVotes,
    /// The threshold's votes are fewer than the lists'.
    #[error("the votes that the threshold is a share of are fewer than the votes of the lists")]
    ThresholdOf,
    /// A lot names a list that does not exist, or one twice.
    #[error("the lot's order has to name each list at most once, and no other")]
    Lot,
    /// Mixed systems know no alliances.
    #[error("alliances cannot be combined with seats won by name")]
    MixedAlliance,
    /// `Within` with a largest remainder.
    #[error(
        "a house of fixed size needs a divisor method: a largest remainder knows no next seat after those won by name"
    )]
    MixedRemainder,
    /// More won by name than there are seats.
    #[error("more seats are won by name than the house has")]
    MixedHouse,
}

/// Who gets which seats.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Allotment {
    /// Each list's seats, in the order given.
    pub lists: Vec<ListSeats>,
    /// Every seat in the order of its claim, but those in [`Allotment::open`] that lists or alliances tie for.
    pub order: Vec<Seat>,
    /// Every tie.
    pub ties: Vec<Tie>,
    /// Seats that nobody has yet.
    pub open: Vec<Open>,
    /// Seats that no list has votes for.
    pub unfilled: u64,
    /// Votes that a seat stands for, with a largest remainder.
    pub quota: Option<Quotient>,
}

/// One list's seats.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ListSeats {
    /// Whether it reaches the threshold.
    pub admitted: bool,
    /// All its seats that are decided.
    pub seats: u64,
    /// Those that it has by its votes alone.
    pub by_votes: u64,
    /// Seats won by name beyond what the list is due ([`Mixed::Added`]): the house grows by them.
    pub added: u64,
}

/// A seat in the order of claims.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Seat {
    /// Who has it; `None` if a tie inside the alliance leaves that open.
    pub list: Option<usize>,
    /// The alliance that it went to, where there is one.
    pub alliance: Option<usize>,
    /// The claim that it was given for.
    pub claim: Quotient,
    /// The list's claim within its alliance.
    pub inside: Option<Quotient>,
    /// Whether a candidate who won by name fills it ([`Mixed::Added`]).
    pub nominal: bool,
}

/// A list, or an alliance as one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Party {
    /// Number of the list.
    List(usize),
    /// Number of the alliance.
    Alliance(usize),
}

/// Equal claims.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tie {
    /// The claim of each.
    pub claim: Quotient,
    /// Whose claims are equal, in the order in which the rules put them.
    pub among: Vec<Party>,
    /// Seats that were left when the tie came up.
    pub seats: u64,
    /// The alliance inside which it is.
    pub inside: Option<usize>,
    /// What became of it.
    pub outcome: TieOutcome,
}

/// What became of a tie.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TieOutcome {
    /// There was a seat for each: only the order of seats was tied.
    SeatForEach,
    /// More votes decided.
    MoreVotes,
    /// The lot decided.
    Lot,
    /// No declared rule decides: the seats are open.
    Open,
}

/// Seats that an unbroken tie leaves open.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Open {
    /// How many.
    pub seats: u64,
    /// Who they are between.
    pub among: Vec<Party>,
    /// The alliance inside which they are open.
    pub inside: Option<usize>,
}

/// Allots the seats.
pub fn allot(lists: &[List], rules: &Rules) -> Result<Allotment, SeatsError> {
    check(lists, rules)?;
    let admitted = admit(lists, rules);
    let groups = alliance::groups(lists, &admitted);
    let contenders: Vec<Contender> = groups.iter().map(|group| group.contender(lists, rules)).collect();
    let total = contenders.iter().map(|contender| contender.votes).sum();
    let measure = Measure::new(rules.method, u64::from(rules.seats), total);
    let round = claims::allot(measure, &contenders, seats_to_give(lists, rules)?);
    let mut allotment = Allotment {
        lists: admitted.iter().map(|&admitted| ListSeats { admitted, ..ListSeats::default() }).collect(),
        order: round.order.iter().map(|&(group, claim)| groups[group].seat(claim)).collect(),
        ties: round.ties.iter().map(|tie| tie_of(tie, rules, None, |group| groups[group].party())).collect(),
        open: Vec::new(),
        unfilled: round.unfilled,
        quota: if total == 0 { None } else { measure.quota() },
    };
    if let Some((seats, among)) = &round.open {
        let among = among.iter().map(|&group| groups[group].party()).collect();
        allotment.open.push(Open { seats: *seats, among, inside: None });
    }
    for (number, group) in groups.iter().enumerate() {
        let contested = round.open.as_ref().is_some_and(|(_, among)| among.contains(&number));
        alliance::split(group, lists, rules, contested, &mut allotment);
    }
    add_nominal(lists, rules, &mut allotment);
    Ok(allotment)
}

fn check(lists: &[List], rules: &Rules) -> Result<(), SeatsError> {
    if !(1..=MAX_SEATS).contains(&rules.seats) {
        return Err(SeatsError::Seats);
    }
    if lists.len() > MAX_LISTS {
        return Err(SeatsError::TooManyLists);
    }
    let total = lists.iter().try_fold(0_u64, |sum, list| sum.checked_add(list.votes));
    let total = total.filter(|&total| total <= MAX_VOTES).ok_or(SeatsError::TooManyVotes)?;
    if let Some(of) = rules.threshold.and_then(|threshold| threshold.of) {
        if of < total {
            return Err(SeatsError::ThresholdOf);
        }
        if of > MAX_VOTES {
            return Err(SeatsError::TooManyVotes);
        }
    }
    for rule in &rules.ties {
        let TieBreak::Lot(order) = rule else { continue };
        let mut drawn = vec![false; lists.len()];
        let is_new = |&list: &usize| drawn.get_mut(list).is_some_and(|drawn| !std::mem::replace(drawn, true));
        if !order.iter().all(is_new) {
            return Err(SeatsError::Lot);
        }
    }
    match rules.mixed {
        Some(_) if lists.iter().any(|list| list.alliance.is_some()) => Err(SeatsError::MixedAlliance),
        Some(Mixed::Within) if rules.method.divisor(1).is_none() => Err(SeatsError::MixedRemainder),
        _ => Ok(()),
    }
}

/// Which lists take part.
fn admit(lists: &[List], rules: &Rules) -> Vec<bool> {
    let Some(threshold) = rules.threshold else { return vec![true; lists.len()] };
    let base = threshold.of.unwrap_or_else(|| lists.iter().map(|list| list.votes).sum());
    let mut together = BTreeMap::<usize, u64>::new();
    for list in lists {
        if let Some(alliance) = list.alliance {
            *together.entry(alliance).or_default() += list.votes;
        }
    }
    let measured = |list: &List| match (threshold.each, list.alliance) {
        (Each::Alliance, Some(alliance)) => together.get(&alliance).copied().unwrap_or_default(),
        _ => list.votes,
    };
    let reaches = |votes: u64| {
        u128::from(votes) * u128::from(threshold.share.denominator())
            >= u128::from(base) * u128::from(threshold.share.numerator())
    };
    lists.iter().map(|list| reaches(measured(list))).collect()
}

/// Seats that go by claims: in a house of fixed size, without those won by name.
fn seats_to_give(lists: &[List], rules: &Rules) -> Result<u64, SeatsError> {
    let taken = match rules.mixed {
        Some(Mixed::Within) => lists.iter().map(|list| u64::from(list.nominal)).sum(),
        _ => 0,
    };
    u64::from(rules.seats).checked_sub(taken).ok_or(SeatsError::MixedHouse)
}

fn tie_of(tie: &claims::RoundTie, rules: &Rules, inside: Option<usize>, party: impl Fn(usize) -> Party) -> Tie {
    let outcome = match tie.broken {
        Broken::NotNeeded => TieOutcome::SeatForEach,
        Broken::ByRule(number) if matches!(rules.ties.get(number), Some(TieBreak::MoreVotes)) => TieOutcome::MoreVotes,
        Broken::ByRule(_) => TieOutcome::Lot,
        Broken::Not => TieOutcome::Open,
    };
    let among = tie.among.iter().map(|&who| party(who)).collect();
    Tie { claim: tie.claim, among, seats: tie.seats, inside, outcome }
}

/// Counts the order's seats, and brings in those won by name.
fn add_nominal(lists: &[List], rules: &Rules, allotment: &mut Allotment) {
    for seat in &mut allotment.order {
        let Some(list) = seat.list else { continue };
        let by_votes = &mut allotment.lists[list].by_votes;
        seat.nominal = rules.mixed == Some(Mixed::Added) && *by_votes < u64::from(lists[list].nominal);
        *by_votes += 1;
    }
    for (list, seats) in lists.iter().zip(&mut allotment.lists) {
        let nominal = u64::from(list.nominal);
        match rules.mixed {
            Some(Mixed::Added) => {
                seats.seats = seats.by_votes.max(nominal);
                seats.added = nominal.saturating_sub(seats.by_votes);
            }
            _ => seats.seats = seats.by_votes + nominal,
        }
    }
}
