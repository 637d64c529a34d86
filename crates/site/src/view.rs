//! What one contest's pages show, arranged from the ledger and the totals. Nothing is added up here that `count` adds up.

use std::{cmp::Reverse, collections::BTreeMap};

use tallyproof_count::{
    Outcome, Outcomes, SlotStatus, Totals,
    ledger::{Ledger, SlotView},
    totals::{AreaTotals, ContestTotals, Progress, Registered, Stated},
};
use tallyproof_record::{
    ContestNo, Election, StationNo,
    definition::{Contest, Figure, Named},
};

use crate::{
    bulletin,
    chart::Bar,
    number::Share,
    palette,
    standing::{self, Mark, Standing},
};

/// Votes of something that has a name.
#[derive(Clone, Debug)]
pub(crate) struct Row<'a> {
    pub(crate) name: &'a str,
    /// For a ballot line: whom its votes count for.
    pub(crate) of: &'a str,
    pub(crate) votes: u64,
    pub(crate) share: Option<Share>,
}

/// A row with its bar.
pub(crate) struct RankedRow<'a> {
    pub(crate) row: Row<'a>,
    pub(crate) bar: Bar,
}

/// One area of the contest's first level, or the stations that lie in none.
pub(crate) struct Group<'a> {
    /// Area's name; `None` for stations outside of any smaller area.
    pub(crate) name: Option<&'a str>,
    pub(crate) stations: Progress,
    /// Votes per candidate, in ballot order.
    pub(crate) votes: Vec<u64>,
    /// Its slots, in register order.
    pub(crate) slots: Vec<SlotView<'a>>,
}

impl Group<'_> {
    /// The squares of its stations.
    pub(crate) fn statuses(&self) -> Vec<SlotStatus> {
        self.slots.iter().map(|slot| slot.status).collect()
    }
}

/// One contest.
pub(crate) struct ContestView<'a> {
    pub(crate) no: ContestNo,
    pub(crate) name: &'a str,
    pub(crate) area: &'a str,
    pub(crate) stations: Progress,
    pub(crate) valid: u64,
    /// In ballot order.
    pub(crate) candidates: Vec<Row<'a>>,
    /// In ballot order.
    pub(crate) lines: Vec<Row<'a>>,
    /// In ballot order.
    pub(crate) parties: Vec<Row<'a>>,
    /// Figures that at least one counted record states.
    pub(crate) figures: Vec<(Figure, Stated)>,
    pub(crate) registered: Registered,
    /// What can still change, and the seats, as it stands.
    pub(crate) outcome: &'a Outcome,
    pub(crate) groups: Vec<Group<'a>>,
    /// Where a correction took effect.
    pub(crate) standing: Option<Standing<'a>>,
    /// The corrections in force.
    pub(crate) marks: BTreeMap<StationNo, Mark>,
    /// Records that somebody has endorsed.
    pub(crate) endorsed: u64,
}

impl<'a> ContestView<'a> {
    /// Every contest of the election.
    pub(crate) fn all(ledger: &'a Ledger, totals: &Totals, outcomes: &'a Outcomes) -> Vec<Self> {
        let election = ledger.definition().election();
        let mut slots: BTreeMap<ContestNo, Vec<SlotView<'a>>> = BTreeMap::new();
        for slot in ledger.slots() {
            slots.entry(slot.contest).or_default().push(slot);
        }
        let endorsed = standing::endorsed(ledger);
        let mut view = |no, contest: &'a Contest| {
            let sums = totals.contest(no)?;
            let outcome = outcomes.contest(no)?;
            let slots = slots.remove(&no).unwrap_or_default();
            Some(Self {
                standing: Standing::of(ledger, totals, no, contest),
                marks: standing::marks(ledger, no),
                endorsed: endorsed.get(&no).copied().unwrap_or(0),
                ..Self::new(election, (no, contest), (sums, outcome), slots)
            })
        };
        election.numbered_contests().filter_map(|(no, contest)| view(no, contest)).collect()
    }

    fn new(
        election: &'a Election,
        (no, contest): (ContestNo, &'a Contest),
        (sums, outcome): (&ContestTotals, &'a Outcome),
        slots: Vec<SlotView<'a>>,
    ) -> Self {
        let whole = sums.whole();
        let valid = whole.lines.iter().sum();
        let row = |name: &'a str, of: &'a str, votes| Row { name, of, votes, share: Share::of(votes, valid) };
        let named = |named: &'a [Named], votes: Vec<u64>| {
            named.iter().zip(votes).map(|(named, votes)| row(&named.name, "", votes)).collect()
        };
        let candidate = |index: usize| contest.candidates.get(index).map_or("", |candidate| candidate.name.as_str());
        let lines = contest.lines.iter().zip(&whole.lines);
        let figures = Figure::ALL.into_iter().map(|figure| (figure, whole.figure(figure)));
        Self {
            no,
            name: &contest.name,
            area: election.areas().get(contest.area).map_or("", |area| area.name.as_str()),
            stations: whole.stations,
            valid,
            candidates: named(&contest.candidates, whole.candidates(contest)),
            parties: named(&contest.parties, whole.parties(contest)),
            lines: lines.map(|(line, &votes)| row(&line.name, candidate(line.candidate), votes)).collect(),
            figures: figures.filter(|(_, stated)| stated.records > 0).collect(),
            registered: whole.registered,
            outcome,
            groups: groups(election, contest, sums, slots),
            standing: None,
            marks: BTreeMap::new(),
            endorsed: 0,
        }
    }

    /// Whether ballot lines are something else than candidates.
    pub(crate) fn has_lines(&self) -> bool {
        self.lines.len() != self.candidates.len()
    }

    /// Candidates by votes, ties in ballot order.
    pub(crate) fn order(&self) -> Vec<usize> {
        let mut order: Vec<usize> = (0..self.candidates.len()).collect();
        order.sort_by_key(|&index| Reverse(self.candidates.get(index).map_or(0, |row| row.votes)));
        order
    }

    /// The most votes that can still come in, where that is known.
    pub(crate) fn reach(&self) -> Option<u64> {
        bulletin::reach(self.outcome)
    }

    /// The bars, by votes.
    pub(crate) fn ranked(&self) -> Vec<RankedRow<'a>> {
        let mark = self.candidates.iter().map(|row| row.votes).max().unwrap_or(0);
        let reach = self.reach();
        let scale = mark.saturating_add(reach.unwrap_or(0));
        let colour = |index: usize| if self.candidates.len() <= palette::HUES { index + 1 } else { 0 };
        let order = self.order().into_iter().filter_map(|index| Some((index, self.candidates.get(index)?.clone())));
        order
            .map(|(index, row)| {
                let bar = Bar { votes: row.votes, reach, mark, scale, colour: colour(index) };
                RankedRow { row, bar }
            })
            .collect()
    }
}

/// The contest's stations by the first level of areas on which they part.
fn groups<'a>(
    election: &'a Election,
    contest: &Contest,
    sums: &ContestTotals,
    slots: Vec<SlotView<'a>>,
) -> Vec<Group<'a>> {
    let top = parting_area(election, contest, sums);
    let mut by_area: BTreeMap<usize, Vec<SlotView<'a>>> = BTreeMap::new();
    for slot in slots {
        let area = election.station(slot.station).map_or(top, |station| child_of(election, station.area, top));
        by_area.entry(area).or_default().push(slot);
    }
    let direct = by_area.remove(&top);
    let find = |area: usize| std::iter::once(sums.whole()).chain(sums.areas()).find(|sums| sums.area == area);
    let mut groups: Vec<_> = by_area
        .into_iter()
        .filter_map(|(area, slots)| {
            let sums = find(area)?;
            let name = election.areas().get(area).map(|area| area.name.as_str());
            Some(Group { name, stations: sums.stations, votes: sums.candidates(contest), slots })
        })
        .collect();
    if let (Some(slots), Some(whole)) = (direct, find(top)) {
        let rest = remainder(contest, whole, &groups, slots);
        groups.push(rest);
    }
    groups
}

/// The contest's area or, where all its stations lie in one smaller area, that one, and so on.
fn parting_area(election: &Election, contest: &Contest, sums: &ContestTotals) -> usize {
    let all = sums.whole().stations.expected;
    let is_parent = |child: &AreaTotals| {
        let parent = Some(child.area);
        sums.areas().iter().any(|area| election.areas().get(area.area).is_some_and(|a| a.parent == parent))
    };
    let mut holding_all = sums.areas().iter().filter(|area| area.stations.expected == all && is_parent(area));
    holding_all.next_back().map_or(contest.area, |area| area.area)
}

/// The sums of the area on which a contest's stations part, and of those right below it.
pub(crate) fn areas_below<'a>(
    election: &Election,
    contest: &Contest,
    sums: &'a ContestTotals,
) -> (AreaTotals, Vec<&'a AreaTotals>) {
    let top = parting_area(election, contest, sums);
    let parent = |area: &AreaTotals| election.areas().get(area.area).and_then(|area| area.parent);
    let below = sums.areas().iter().filter(|area| parent(area) == Some(top)).collect();
    let whole = std::iter::once(sums.whole()).chain(sums.areas()).find(|area| area.area == top);
    (whole.unwrap_or(sums.whole()).clone(), below)
}

/// What an area holds beside the areas below it; `None` if that is no station.
pub(crate) fn rest(area: &AreaTotals, below: &[&AreaTotals]) -> Option<AreaTotals> {
    let mut rest = area.clone();
    for part in below {
        take(&mut rest.stations, &part.stations);
        for (rest, part) in rest.lines.iter_mut().zip(&part.lines) {
            *rest = rest.saturating_sub(*part);
        }
    }
    (rest.stations.expected > 0).then_some(rest)
}

fn take(rest: &mut Progress, part: &Progress) {
    rest.expected = rest.expected.saturating_sub(part.expected);
    rest.counted = rest.counted.saturating_sub(part.counted);
    rest.quarantined = rest.quarantined.saturating_sub(part.quarantined);
    rest.missing = rest.missing.saturating_sub(part.missing);
    rest.rejected = rest.rejected.saturating_sub(part.rejected);
}

/// The area on the way from `top` down to `area` that comes right after `top`; `top` itself where `area` is `top`.
fn child_of(election: &Election, area: usize, top: usize) -> usize {
    election.lineage(area).take_while(|&node| node != top).last().unwrap_or(top)
}

/// What an area holds beside the areas below it.
fn remainder<'a>(contest: &Contest, whole: &AreaTotals, below: &[Group<'_>], slots: Vec<SlotView<'a>>) -> Group<'a> {
    let mut stations = whole.stations;
    let mut votes = whole.candidates(contest);
    for group in below {
        take(&mut stations, &group.stations);
        for (rest, part) in votes.iter_mut().zip(&group.votes) {
            *rest = rest.saturating_sub(*part);
        }
    }
    Group { name: None, stations, votes, slots }
}
