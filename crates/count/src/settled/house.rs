//! The seats of lists as a whole: lists that stand alone, lists that stand together, seats held before.
//!
//! An alliance is one claimant whose votes are those of its lists; inside, its lists claim the seats that it has. What changes
//! the outcome changes who takes part, or the seats of the claimants, or, with the same seats, those inside an alliance. A vote
//! for a list of it counts at once for the alliance and inside it, so that the fewest votes are the least of these three.

use tallyproof_record::definition::decision::{Each, Method, Share};

use super::{
    Bar, Change, SeatRange, Tally, What,
    change::bar_way,
    held,
    lists::{Field, Held},
};

/// Lists that stand together.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Alliances {
    /// Each by the numbers of its lists; no list stands in two.
    pub lists: Vec<Vec<usize>>,
    /// How an alliance splits its seats; `None` stands for the method by which it gets them.
    pub inside: Option<Method>,
    /// Who has to reach the threshold.
    pub each: Each,
}

/// The rules of a contest of lists.
pub(super) struct House<'a> {
    pub(super) method: Method,
    pub(super) seats: u64,
    pub(super) threshold: Option<Share>,
    pub(super) alliances: &'a Alliances,
    pub(super) held: Option<&'a Held>,
}

/// The ways of change, and every claimant's seats, where the outstanding votes have a bound.
pub(super) fn answer(tally: &Tally, house: &House<'_>, bound: Option<u64>) -> (Vec<Change>, Vec<SeatRange>) {
    if !house.alliances.lists.is_empty() {
        return together(tally, house, bound);
    }
    let field = Field::new(tally, house.method, house.seats, house.threshold, house.held);
    let ranges = bound.map(|bound| held::ranges(&field, bound));
    (field.ways(), ranges.unwrap_or_default())
}

/// An alliance or a list that stands alone.
struct Claimant {
    /// The lists whose votes count for it.
    lists: Vec<usize>,
    /// Its number among the statement's options: alliances follow the lists.
    option: usize,
}

fn together(tally: &Tally, house: &House<'_>, bound: Option<u64>) -> (Vec<Change>, Vec<SeatRange>) {
    let by_list = house.threshold.filter(|_| house.alliances.each == Each::List).map(Bar::AtLeast);
    let claimants = claimants(tally, house.alliances, by_list);
    let votes = |lists: &[usize]| lists.iter().map(|&list| tally.votes()[list]).sum::<u64>();
    let of_claimants = Tally::new(
        claimants.iter().map(|claimant| votes(&claimant.lists)).collect(),
        tally.votes()[tally.options..].iter().copied(),
    );
    let threshold = house.threshold.filter(|_| by_list.is_none());
    let field = Field::new(&of_claimants, house.method, house.seats, threshold, None);
    let options: Vec<usize> = claimants.iter().map(|claimant| claimant.option).collect();
    let mut changes: Vec<Change> = field.ways().into_iter().map(|change| renamed(change, &options)).collect();
    let admissions: Vec<Change> =
        by_list.iter().flat_map(|&bar| (0..tally.options).filter_map(move |list| bar_way(tally, list, bar))).collect();
    if !field.is_tied() {
        for (claimant, &seats) in claimants.iter().zip(&field.now).filter(|(claimant, _)| claimant.lists.len() > 1) {
            changes.extend(inside(tally, house, claimant, seats));
        }
    }
    let fixed = |bound: u64| admissions.iter().all(|change| change.votes > bound);
    let ranges = bound.filter(|&bound| fixed(bound)).map(|bound| held::ranges(&field, bound)).unwrap_or_default();
    let ranges = ranges.into_iter().map(|range| SeatRange { list: options[range.list], ..range }).collect();
    changes.extend(admissions);
    (changes, ranges)
}

/// In the order of the first list of each; where every list has to reach the bar, of those that do.
fn claimants(tally: &Tally, alliances: &Alliances, by_list: Option<Bar>) -> Vec<Claimant> {
    use super::bars::Asserted as _;
    let takes_part = |&list: &usize| by_list.is_none_or(|bar| bar.reached(tally, list, None).holds(tally.votes()));
    let mut of = vec![None; tally.options];
    for (alliance, lists) in alliances.lists.iter().enumerate() {
        for &list in lists {
            of[list] = Some(alliance);
        }
    }
    let mut found: Vec<Claimant> = Vec::new();
    let mut places = vec![None; alliances.lists.len()];
    for list in (0..tally.options).filter(takes_part) {
        let Some(alliance) = of[list] else {
            found.push(Claimant { lists: vec![list], option: list });
            continue;
        };
        if let Some(claimant) = places[alliance].and_then(|place: usize| found.get_mut(place)) {
            claimant.lists.push(list);
        } else {
            places[alliance] = Some(found.len());
            found.push(Claimant { lists: vec![list], option: tally.options + alliance });
        }
    }
    found
}

/// Ways in which an alliance's lists come to have other seats of those that it has.
fn inside(tally: &Tally, house: &House<'_>, claimant: &Claimant, seats: u64) -> Vec<Change> {
    if seats == 0 {
        return Vec::new();
    }
    let votes = claimant.lists.iter().map(|&list| tally.votes()[list]).collect();
    let own = Tally::new(votes, []);
    let method = house.alliances.inside.unwrap_or(house.method);
    let ways = Field::new(&own, method, seats, None, None).ways();
    ways.into_iter().map(|change| renamed(change, &claimant.lists)).collect()
}

/// A change with its options by other numbers.
fn renamed(change: Change, numbers: &[usize]) -> Change {
    let number = |option: usize| numbers[option];
    let what = match change.what {
        What::Overtaken { first, by } => What::Overtaken { first: number(first), by: number(by) },
        What::Untied { among } => What::Untied { among: among.into_iter().map(number).collect() },
        What::Reaches { option, bar } => What::Reaches { option: number(option), bar },
        What::Misses { option, bar } => What::Misses { option: number(option), bar },
        What::NoRunOff { option } => What::NoRunOff { option: number(option) },
        What::RunOff { option, rival } => What::RunOff { option: number(option), rival: rival.map(number) },
        What::Seat { from, to } => What::Seat { from: number(from), to: number(to) },
        What::Filled { list } => What::Filled { list: number(list) },
    };
    Change { what, ..change }
}
