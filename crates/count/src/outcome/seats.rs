//! The seats of a contest as it stands.

use tallyproof_record::{
    ContestNo,
    definition::decision::{self, Lists, MixedRule, TieRule},
};

use super::Part;
use crate::{
    seats::{Allotment, List, Rules, SeatsError, Threshold, TieBreak, allot},
    settled::{Kind, Question},
};

/// A contest's seats.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SeatsOutcome {
    /// The candidates with the most votes.
    ByName(ByName),
    /// Seats of lists.
    Lists(ListSeats),
}

/// Seats that go to the candidates with the most votes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ByName {
    /// How many there are.
    pub seats: u32,
    /// The candidates who have one, by votes: indices into [`tallyproof_record::definition::Contest::candidates`].
    pub elected: Vec<usize>,
    /// Seats that equal votes leave open; none where everybody has one.
    pub open: u32,
    /// Who they are between.
    pub tied: Vec<usize>,
}

impl ByName {
    /// The first `seats` candidates by votes. Nobody has a seat without a vote.
    pub(super) fn of(question: &Question, seats: u32) -> Self {
        let votes: Vec<u64> = question.contest.options.iter().map(|(_, votes)| *votes).collect();
        let mut ranked: Vec<usize> = (0..votes.len()).filter(|&candidate| votes[candidate] > 0).collect();
        ranked.sort_by_key(|&candidate| std::cmp::Reverse(votes[candidate]));
        let places = seats as usize;
        let (mut elected, mut tied, mut open) = (ranked.clone(), Vec::new(), 0);
        elected.truncate(places);
        if let (Some(&last), Some(&next)) =
            (places.checked_sub(1).and_then(|last| ranked.get(last)), ranked.get(places))
            && votes[last] == votes[next]
        {
            elected.retain(|&candidate| votes[candidate] > votes[last]);
            tied = ranked.into_iter().filter(|&candidate| votes[candidate] == votes[last]).collect();
            open = seats - u32::try_from(elected.len()).unwrap_or(seats);
        }
        Self { seats, elected, open, tied }
    }
}

/// Seats of lists, with all that they come from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ListSeats {
    /// What each list brings, in the order of [`tallyproof_record::definition::Contest::candidates`].
    pub lists: Vec<List>,
    /// The rules of the allotment.
    pub rules: Rules,
    /// The seats with their order and quotients.
    pub allotment: Result<Allotment, SeatsError>,
    /// Seats won by name in the contests that count for the lists.
    pub nominal: Vec<NameSeat>,
    /// Seats of these contests that equal votes leave open, or nobody has votes for: no list has them.
    pub nominal_open: u64,
}

/// A seat won by name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NameSeat {
    /// In this contest.
    pub contest: ContestNo,
    /// By this candidate of it.
    pub candidate: usize,
    /// For this list; `None` if the candidate stands for none.
    pub list: Option<usize>,
}

pub(super) fn of_lists(question: &Question, lists: &Lists, parts: Option<&(Vec<Part>, MixedRule)>) -> SeatsOutcome {
    let mut brought: Vec<List> =
        question.contest.options.iter().map(|(_, votes)| List { votes: *votes, ..List::default() }).collect();
    for (alliance, members) in lists.alliances.iter().enumerate() {
        for &member in members {
            if let Some(list) = brought.get_mut(member) {
                list.alliance = Some(alliance);
            }
        }
    }
    let (mut nominal, mut nominal_open) = (Vec::new(), 0);
    for part in parts.iter().flat_map(|(parts, _)| parts) {
        let Kind::Plurality { seats } = part.question.contest.kind else { continue };
        let by_name = ByName::of(&part.question, seats);
        nominal_open += u64::from(seats) - by_name.elected.len() as u64;
        let list = |candidate: usize| part.lists.get(candidate).copied().flatten();
        let seat = |&candidate: &usize| NameSeat { contest: part.no, candidate, list: list(candidate) };
        nominal.extend(by_name.elected.iter().map(seat));
    }
    for list in nominal.iter().filter_map(|seat| seat.list) {
        if let Some(list) = brought.get_mut(list) {
            list.nominal += 1;
        }
    }
    let blank = question.contest.blank.unwrap_or_default();
    let votes: u64 = brought.iter().map(|list| list.votes).sum();
    let rules = rules(lists, votes.saturating_add(blank));
    let allotment = allot_after(&brought, &rules, &nominal, nominal_open);
    SeatsOutcome::Lists(ListSeats { lists: brought, rules, allotment, nominal, nominal_open })
}

fn rules(lists: &Lists, whole: u64) -> Rules {
    let each =
        |threshold: decision::Threshold| Threshold { share: threshold.share, of: Some(whole), each: threshold.each };
    Rules {
        method: lists.method,
        seats: lists.seats,
        threshold: lists.threshold.map(each),
        ties: lists
            .ties
            .iter()
            .map(|rule| match rule {
                TieRule::MoreVotes => TieBreak::MoreVotes,
            })
            .collect(),
        inside: lists.inside,
        mixed: lists.mixed.as_ref().map(|mixed| mixed.rule),
    }
}

/// In a house of fixed size seats that no list has, won by name or open, are seats of the house all the same.
fn allot_after(
    lists: &[List],
    rules: &Rules,
    nominal: &[NameSeat],
    nominal_open: u64,
) -> Result<Allotment, SeatsError> {
    if rules.mixed != Some(MixedRule::Within) {
        return allot(lists, rules);
    }
    let without_list = nominal.iter().filter(|seat| seat.list.is_none()).count() as u64 + nominal_open;
    let seats = u64::from(rules.seats).checked_sub(without_list).ok_or(SeatsError::MixedHouse)?;
    let seats = u32::try_from(seats).map_err(|_| SeatsError::MixedHouse)?;
    allot(lists, &Rules { seats, ..rules.clone() })
}
