//! The lists of stations: every station with its status, rules and log entries, on pages that stay small.

use std::collections::BTreeSet;
use std::ops::Range;

use askama::{Template, filters::Safe};
use tallyproof_count::{SlotStatus, ledger::SlotView, totals::Progress};
use tallyproof_record::rules::{RuleId, Severity};

use super::{Frame, html};
use crate::{
    chart,
    messages::{Text, Value},
    view::{ContestView, Group},
};

/// Most stations on one page.
const PAGE: usize = 1_000;
/// Squares side by side above a list.
const SQUARES: usize = 60;

/// Which stations stand on which page of one contest.
pub(super) struct Lists(Vec<Vec<Slice>>);

/// Some stations of one group.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Slice {
    group: usize,
    slots: Range<usize>,
}

impl Lists {
    /// Spreads a contest's stations: whole areas together where they fit, large areas over several pages.
    pub(super) fn plan(contest: &ContestView<'_>) -> Self {
        Self::of(contest.groups.iter().map(|group| group.slots.len()))
    }

    fn of(sizes: impl Iterator<Item = usize>) -> Self {
        let mut pages: Vec<Vec<Slice>> = Vec::new();
        let mut free = 0;
        for (group, size) in sizes.enumerate() {
            let mut start = 0;
            while start < size {
                let left = size - start;
                if free == 0 || (start == 0 && left > free) {
                    pages.push(Vec::new());
                    free = PAGE;
                }
                let taken = left.min(free);
                if let Some(page) = pages.last_mut() {
                    page.push(Slice { group, slots: start..start + taken });
                }
                start += taken;
                free -= taken;
            }
        }
        Self(pages)
    }

    /// Where the list of one group starts.
    pub(super) fn href(&self, contest: &ContestView<'_>, group: usize) -> String {
        let page = self.pages_of(group).next().unwrap_or(0);
        format!("{}#a{group}", self.name(contest, page))
    }

    fn pages_of(&self, group: usize) -> impl Iterator<Item = usize> + '_ {
        let holds = move |page: &Vec<Slice>| page.iter().any(|slice| slice.group == group);
        self.0.iter().enumerate().filter(move |(_, page)| holds(page)).map(|(index, _)| index)
    }

    fn name(&self, contest: &ContestView<'_>, page: usize) -> String {
        if self.0.len() <= 1 {
            format!("stations-{}.html", contest.no)
        } else {
            format!("stations-{}-{}.html", contest.no, page + 1)
        }
    }

    /// The pages: one list, or an overview and its lists.
    pub(super) fn pages(&self, frame: &Frame<'_>, contest: &ContestView<'_>) -> Vec<(String, String)> {
        let several = self.0.len() != 1;
        let overview = several.then(|| {
            let page = StationsPage {
                frame,
                c: contest,
                listed: false,
                stations: contest.stations,
                sections: Vec::new(),
                areas: self.overview(frame, contest),
                rules: Vec::new(),
            };
            (format!("stations-{}.html", contest.no), html(&page))
        });
        let lists = self.0.iter().enumerate().map(|(index, slices)| {
            let page = list(frame, contest, slices, several);
            (self.name(contest, index), html(&page))
        });
        overview.into_iter().chain(lists).collect()
    }

    fn overview(&self, frame: &Frame<'_>, contest: &ContestView<'_>) -> Vec<AreaLink> {
        let link = |(index, group): (usize, &Group<'_>)| AreaLink {
            name: frame.area_name(group.name),
            href: self.href(contest, index),
            further: self
                .pages_of(index)
                .enumerate()
                .skip(1)
                .map(|(part, page)| (format!("{}#a{index}", self.name(contest, page)), part + 1))
                .collect(),
            stations: group.stations,
        };
        contest.groups.iter().enumerate().map(link).collect()
    }
}

#[derive(Template)]
#[template(path = "stations.html")]
struct StationsPage<'a> {
    frame: &'a Frame<'a>,
    c: &'a ContestView<'a>,
    /// Whether an overview of the lists exists.
    listed: bool,
    stations: Progress,
    sections: Vec<Section<'a>>,
    areas: Vec<AreaLink>,
    rules: Vec<(RuleId, Severity)>,
}

struct AreaLink {
    name: Safe<String>,
    href: String,
    /// Second and later pages of a large area, with their numbers.
    further: Vec<(String, usize)>,
    stations: Progress,
}

/// The stations of one area on one page.
struct Section<'a> {
    anchor: usize,
    name: Safe<String>,
    slots: Range<usize>,
    all: usize,
    waffle: String,
    bodies: Vec<Body<'a>>,
}

/// Stations of one status.
struct Body<'a> {
    status: SlotStatus,
    rows: Vec<Row<'a>>,
}

impl Body<'_> {
    fn size(&self) -> u64 {
        self.rows.len() as u64
    }
}

struct Row<'a> {
    number: u32,
    id: &'a str,
    name: &'a str,
    area: &'a str,
    /// Valid votes of the standing record.
    valid: Option<u64>,
    codes: Vec<&'static str>,
    entries: String,
    /// A correction in force, in words.
    corrected: Option<Safe<String>>,
}

impl Section<'_> {
    fn is_partial(&self) -> bool {
        self.slots.len() < self.all
    }

    fn range(&self, frame: &Frame<'_>) -> Safe<String> {
        let value = |count: usize| Value::Count(count as u64);
        let (from, to) = (value(self.slots.start + 1), value(self.slots.end));
        frame.w.with(Text::StationsRange, &[("from", from), ("to", to), ("n", value(self.all))])
    }
}

fn list<'a>(frame: &'a Frame<'a>, contest: &'a ContestView<'a>, slices: &[Slice], listed: bool) -> StationsPage<'a> {
    let shown = |slice: &Slice| {
        let group = contest.groups.get(slice.group)?;
        Some((group, group.slots.get(slice.slots.clone())?))
    };
    let slots = || slices.iter().filter_map(shown).flat_map(|(_, slots)| slots);
    let section = |slice: &Slice| {
        let (group, slots) = shown(slice)?;
        Some(Section {
            anchor: slice.group,
            name: frame.area_name(group.name),
            slots: slice.slots.clone(),
            all: group.slots.len(),
            waffle: squares(slots),
            bodies: bodies(frame, contest, slots),
        })
    };
    StationsPage {
        frame,
        c: contest,
        listed,
        stations: tally_statuses(slots()),
        sections: slices.iter().filter_map(section).collect(),
        areas: Vec::new(),
        rules: rules(frame, slots()),
    }
}

fn squares(slots: &[SlotView<'_>]) -> String {
    let stations: Vec<_> = slots.iter().map(|slot| (slot.station.0, slot.status)).collect();
    chart::linked_waffle(&stations, SQUARES)
}

/// Rows by status: what needs attention stands first.
fn bodies<'a>(frame: &'a Frame<'a>, contest: &ContestView<'_>, slots: &[SlotView<'_>]) -> Vec<Body<'a>> {
    let order = [SlotStatus::Quarantined, SlotStatus::Missing, SlotStatus::Counted];
    let body = |status| {
        let rows =
            slots.iter().filter(|slot| slot.status == status).filter_map(|slot| row(frame, contest, slot)).collect();
        Body { status, rows }
    };
    order.into_iter().map(body).filter(|body| !body.rows.is_empty()).collect()
}

fn row<'a>(frame: &'a Frame<'a>, contest: &ContestView<'_>, slot: &SlotView<'_>) -> Option<Row<'a>> {
    let station = frame.election.station(slot.station)?;
    let area = frame.election.areas().get(station.area)?;
    Some(Row {
        number: slot.station.0,
        id: &station.id,
        name: &station.name,
        area: &area.name,
        valid: slot.figures.map(|figures| figures.counts.iter().copied().map(u64::from).sum()),
        codes: slot.codes.codes(),
        corrected: contest.marks.get(&slot.station).map(|mark| {
            let text = if mark.annuls { Text::StationAnnulled } else { Text::StationCorrected };
            frame.w.with(text, &[("entry", Value::Count(mark.entry))])
        }),
        entries: slot.entries.iter().map(u64::to_string).collect::<Vec<_>>().join(" "),
    })
}

/// The rules that the page names, in the table's order, with the severity in force.
fn rules<'a>(frame: &Frame<'_>, slots: impl Iterator<Item = &'a SlotView<'a>>) -> Vec<(RuleId, Severity)> {
    let named: BTreeSet<&str> =
        slots.filter(|slot| !slot.codes.is_empty()).flat_map(|slot| slot.codes.codes()).collect();
    let settings = frame.election.rules();
    RuleId::all().filter(|rule| named.contains(rule.code())).map(|rule| (rule, settings.severity(rule))).collect()
}

fn tally_statuses<'a>(slots: impl Iterator<Item = &'a SlotView<'a>>) -> Progress {
    let mut progress = Progress::default();
    for slot in slots {
        progress.expected += 1;
        match slot.status {
            SlotStatus::Counted => progress.counted += 1,
            SlotStatus::Quarantined => progress.quarantined += 1,
            SlotStatus::Missing => progress.missing += 1,
        }
    }
    progress
}

#[cfg(test)]
mod tests {
    use super::*;

    fn plan(sizes: &[usize]) -> Vec<Vec<(usize, Range<usize>)>> {
        let pages = Lists::of(sizes.iter().copied()).0;
        pages.into_iter().map(|page| page.into_iter().map(|slice| (slice.group, slice.slots)).collect()).collect()
    }

    #[test]
    fn small_areas_share_a_page() {
        assert_eq!(plan(&[450, 450, 450]), [vec![(0, 0..450), (1, 0..450)], vec![(2, 0..450)]]);
    }

    #[test]
    fn a_large_area_takes_several_pages_and_loses_no_station() {
        assert_eq!(
            plan(&[100, 2_500, 100]),
            [vec![(0, 0..100)], vec![(1, 0..1_000)], vec![(1, 1_000..2_000)], vec![(1, 2_000..2_500), (2, 0..100)]]
        );
    }

    #[test]
    fn no_station_no_page() {
        assert_eq!(plan(&[]), Vec::<Vec<_>>::new());
    }
}
