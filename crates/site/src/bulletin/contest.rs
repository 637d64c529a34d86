//! One contest: how much is in, what it adds up to, what can still change, and the stations behind it.

use std::{borrow::Cow, cmp::Reverse};

use tallyproof_count::{
    bulletin::{Basis, ContestDocument, Quantity, figures},
    settled::Statement,
    share::{Percent, percent},
    totals::AreaTotals,
};
use tallyproof_record::{
    StationNo,
    definition::{Contest, Figure},
};

use super::{
    Bulletin,
    content::{Block, Cell, Column, Part, Phrase, Progress, Style, Table},
    front::{anchor, whole},
    is_compact, seats,
    settled::{self, Common},
};
use crate::{chart::Bar, messages::Text, palette, view};

/// Most candidates with a column of their own in the table by area; the others share one.
const COLUMNS: usize = 5;
/// Most areas in a table. `bulletin.csv` has every area on every level.
const AREAS: usize = 400;
/// Most stations in a list. `bulletin.json` has them all.
const LISTED: usize = 10_000;

/// A contest with its sums.
struct Sums<'a> {
    contest: &'a Contest,
    counted: &'a AreaTotals,
    /// Where a correction is in force.
    stands: Option<&'a AreaTotals>,
}

impl<'a> Sums<'a> {
    /// As it stands.
    fn stands(&self) -> &'a AreaTotals {
        self.stands.unwrap_or(self.counted)
    }
}

/// The contest's part of the bulletin.
pub(super) fn blocks<'a>(
    bulletin: &Bulletin<'a>,
    document: &'a ContestDocument,
    common: &Common<'a>,
) -> Vec<Block<'a>> {
    let election = bulletin.definition.election();
    let no = document.contest;
    let Some((contest, counted)) = election.contest(no).zip(whole(bulletin, no, Basis::AsCounted)) else {
        return Vec::new();
    };
    let corrected = bulletin.document.totals.is_corrected(no);
    let stands = corrected.then(|| whole(bulletin, no, Basis::AsItStands)).flatten();
    let sums = Sums { contest, counted, stands };
    let place = election.areas().get(contest.area).map(|area| area.name.as_str());
    let mut blocks =
        vec![Block::Heading { level: 2, id: anchor(no), text: Phrase::name(contest.name.as_str()), place }];
    blocks.extend(progress(&sums));
    let outcome = &document.outcome;
    let own = settled::own(&outcome.settled);
    let reach = own.and_then(Statement::bound);
    blocks.push(candidates(&sums, reach));
    let compact = is_compact(election);
    blocks.extend((!compact).then(|| note(if reach.is_some() { Text::SumLegend } else { Text::SumLegendUnknown })));
    blocks.extend(settled::blocks(election, &outcome.settled, common));
    blocks.extend(outcome.seats.iter().flat_map(|seats| seats::blocks(contest, &outcome.question, seats, own)));
    if !compact {
        blocks.extend(lines_and_parties(&sums));
    }
    blocks.extend(other_figures(&sums, compact));
    if !compact {
        blocks.extend(areas(bulletin, document, &sums));
    }
    blocks.extend(lists(bulletin, document));
    // Ids repeat from contest to contest; on a page each has to be one of a kind.
    for block in blocks.iter_mut().skip(1) {
        if let Block::Heading { id, .. } = block {
            *id = format!("{}-{id}", anchor(no));
        }
    }
    blocks
}

pub(super) fn heading(id: &str, text: Text) -> Block<'static> {
    Block::Heading { level: 3, id: id.to_owned(), text: text.into(), place: None }
}

pub(super) fn note<'a>(phrase: impl Into<Phrase<'a>>) -> Block<'a> {
    Block::Paragraph(Style::Note, phrase.into())
}

/// How much is in.
fn progress<'a>(sums: &Sums<'a>) -> Vec<Block<'a>> {
    let stations = &sums.counted.stations;
    let headline = vec![("counted", stations.counted.into()), ("held", stations.expected.into())];
    let parts = vec![("rejected", Part::Count(stations.rejected))];
    let registered = &sums.counted.registered;
    let roll = vec![("counted", Part::Count(registered.counted)), ("all", registered.all.into())];
    let mut said = vec![Phrase::Say(Text::BulletinParts, parts), Phrase::Say(Text::FiguresRoll, roll)];
    if let Some(share) = percent(registered.counted, registered.all) {
        said.push(Phrase::Say(Text::BulletinRollShare, vec![("share", Phrase::Share(Some(share)).into())]));
    }
    if registered.unknown > 0 {
        said.push(Phrase::n(Text::FiguresRollUnknown, registered.unknown));
    }
    if let Some(stands) = sums.stands {
        said.push(Phrase::Say(
            Text::BulletinCorrected,
            vec![("n", stands.stations.corrected.into()), ("annulled", stands.stations.annulled.into())],
        ));
    }
    let bar = Progress {
        counted: stations.counted,
        quarantined: stations.quarantined,
        missing: stations.missing,
        expected: stations.expected,
    };
    vec![
        Block::Paragraph(Style::Figure, Phrase::Say(Text::InHeadline, headline)),
        Block::Progress(bar),
        Block::Paragraph(Style::Body, Phrase::Join(said)),
    ]
}

/// A figure as counted and, where a correction is in force, as it stands.
struct Row<'a> {
    name: Vec<Phrase<'a>>,
    counted: (u64, Option<Percent>),
    stands: Option<(u64, Option<Percent>)>,
    bar: Option<Bar>,
}

impl<'a> Row<'a> {
    fn cells(self) -> Vec<Cell<'a>> {
        let mut cells: Vec<Cell<'a>> = self.name.into_iter().map(Cell::from).collect();
        cells.extend(self.bar.map(Cell::Bar));
        cells.extend([Phrase::Count(self.counted.0).into(), Phrase::Share(self.counted.1).into()]);
        if let Some((votes, share)) = self.stands {
            let change = i128::from(votes) - i128::from(self.counted.0);
            let change = i64::try_from(change).unwrap_or(if change < 0 { i64::MIN } else { i64::MAX });
            cells.extend([Phrase::Count(votes), Phrase::Share(share), Phrase::Change(change)].map(Cell::from));
        }
        cells
    }
}

fn figure_columns<'a>(count: Text, corrected: bool) -> Vec<Column<'a>> {
    let counted = if corrected { Text::ColumnAsCounted } else { count };
    let mut columns = vec![Column::figure(counted), Column::figure(Text::ColumnShare)];
    if corrected {
        columns.extend([Text::ColumnAsItStands, Text::ColumnShare, Text::ColumnDifference].map(Column::figure));
    }
    columns
}

fn valid(area: &AreaTotals) -> u64 {
    area.lines.iter().sum()
}

/// What a set of figures adds up to, with shares of all valid votes.
fn rows<'a>(
    sums: &Sums<'a>,
    names: impl Iterator<Item = Vec<Phrase<'a>>>,
    of: impl Fn(&AreaTotals) -> Vec<u64>,
) -> Vec<Row<'a>> {
    let counted = of(sums.counted);
    let stands = sums.stands.map(|area| (of(area), valid(area)));
    let whole = valid(sums.counted);
    let row = |(index, name): (usize, Vec<Phrase<'a>>)| {
        let votes = counted.get(index).copied()?;
        let stands = stands.as_ref().and_then(|(stands, whole)| {
            let votes = stands.get(index).copied()?;
            Some((votes, percent(votes, *whole)))
        });
        Some(Row { name, counted: (votes, percent(votes, whole)), stands, bar: None })
    };
    names.enumerate().filter_map(row).collect()
}

/// Candidates by votes, as it stands, with the most that could still be added to each.
fn candidates<'a>(sums: &Sums<'a>, reach: Option<u64>) -> Block<'a> {
    let contest = sums.contest;
    let votes = sums.stands().candidates(contest);
    let most = votes.iter().copied().max().unwrap_or(0);
    let names = contest.candidates.iter().map(|it| vec![Phrase::name(it.name.as_str())]);
    let mut rows: Vec<(usize, Row<'a>)> =
        rows(sums, names, |area| area.candidates(contest)).into_iter().enumerate().collect();
    for (index, row) in &mut rows {
        let colour = if votes.len() <= palette::HUES { *index + 1 } else { 0 };
        let scale = most.saturating_add(reach.unwrap_or(0));
        row.bar = Some(Bar { votes: votes.get(*index).copied().unwrap_or(0), reach, mark: most, scale, colour });
    }
    rows.sort_by_key(|(index, _)| Reverse(votes.get(*index).copied()));
    let mut columns = vec![Column::text(Text::ColumnCandidate), Column::bar(Phrase::name(""))];
    columns.extend(figure_columns(Text::ColumnVotes, sums.stands.is_some()));
    Block::Table(Table {
        name: Text::CandidatesHeading.into(),
        columns,
        rows: rows.into_iter().map(|(_, row)| row.cells()).collect(),
    })
}

fn lines_and_parties<'a>(sums: &Sums<'a>) -> Vec<Block<'a>> {
    let contest = sums.contest;
    let table = |name: Text, heads: &[Text], rows: Vec<Row<'a>>| {
        let mut columns: Vec<_> = heads.iter().map(|&head| Column::text(head)).collect();
        columns.extend(figure_columns(Text::ColumnVotes, sums.stands.is_some()));
        Block::Table(Table { name: name.into(), columns, rows: rows.into_iter().map(Row::cells).collect() })
    };
    let mut blocks = Vec::new();
    if contest.lines.len() != contest.candidates.len() {
        let candidate = |index: usize| contest.candidates.get(index).map_or("", |it| it.name.as_str());
        let names = contest.lines.iter();
        let names = names.map(|line| vec![Phrase::name(line.name.as_str()), Phrase::name(candidate(line.candidate))]);
        let heads = [Text::ColumnLine, Text::ColumnCandidate];
        blocks.push(heading("lines", Text::LinesHeading));
        blocks.push(table(Text::LinesHeading, &heads, rows(sums, names, |area| area.lines.clone())));
    }
    if !contest.parties.is_empty() {
        let names = contest.parties.iter().map(|it| vec![Phrase::name(it.name.as_str())]);
        blocks.push(heading("parties", Text::PartiesHeading));
        blocks.push(table(Text::PartiesHeading, &[Text::ColumnParty], rows(sums, names, |area| area.parties(contest))));
    }
    blocks
}

/// Valid votes, and the figures that at least one counted record states.
fn other_figures<'a>(sums: &Sums<'a>, compact: bool) -> Vec<Block<'a>> {
    let stated = |area: &AreaTotals, figure: Figure| {
        let rows = figures(sums.contest, area);
        let share = rows.iter().find(|row| row.quantity == Quantity::Stated && row.id == figure.as_str());
        (area.figure(figure).sum, share.and_then(|row| row.share))
    };
    let mut rows = vec![(
        Row {
            name: vec![Text::FigureValid.into()],
            counted: (valid(sums.counted), None),
            stands: sums.stands.map(|area| (valid(area), None)),
            bar: None,
        },
        sums.counted.stations.counted,
    )];
    for figure in Figure::ALL {
        let records = sums.counted.figure(figure).records;
        if records > 0 || sums.stands.is_some_and(|area| area.figure(figure).records > 0) {
            let (counted, stands) = (stated(sums.counted, figure), sums.stands.map(|area| stated(area, figure)));
            rows.push((Row { name: vec![Text::from(figure).into()], counted, stands, bar: None }, records));
        }
    }
    let mut columns = vec![Column::text(Text::ColumnFigure)];
    columns.extend(figure_columns(Text::ColumnSum, sums.stands.is_some()));
    columns.push(Column::figure(Text::ColumnStated));
    let cells = |(row, records): (Row<'a>, u64)| {
        let mut cells = row.cells();
        cells.push(Phrase::Count(records).into());
        cells
    };
    let rows = rows.into_iter().map(cells).collect();
    let mut blocks = vec![
        heading("figures", Text::FiguresHeading),
        Block::Table(Table { name: Text::FiguresHeading.into(), columns, rows }),
    ];
    blocks.extend((!compact).then(|| note(Text::BulletinFiguresNote)));
    blocks
}

/// The first level of areas on which the contest's stations part, as counted.
fn areas<'a>(bulletin: &Bulletin<'a>, document: &ContestDocument, sums: &Sums<'a>) -> Vec<Block<'a>> {
    let election = bulletin.definition.election();
    let Some(totals) = bulletin.document.totals.contest(document.contest) else { return Vec::new() };
    let (top, below) = view::areas_below(election, sums.contest, totals);
    if below.is_empty() {
        return Vec::new();
    }
    let order = sums.counted.candidates(sums.contest);
    let mut own: Vec<usize> = (0..order.len()).collect();
    if own.len() > COLUMNS {
        own.sort_by_key(|&index| Reverse(order.get(index).copied()));
        own.truncate(COLUMNS - 1);
        own.sort_unstable();
    }
    let mut columns = vec![Column::text(Text::ColumnArea)];
    columns.extend(
        [Text::ColumnHeld, Text::ColumnCounted, Text::ColumnQuarantined, Text::ColumnMissing].map(Column::figure),
    );
    let names = own.iter().filter_map(|&index| sums.contest.candidates.get(index));
    columns.extend(names.map(|it| Column::figure(Phrase::name(it.name.as_str()))));
    let others = own.len() < order.len();
    columns.extend(others.then(|| Column::figure(Text::ColumnOthers)));
    let row = |name: Phrase<'a>, area: &AreaTotals| {
        let stations = &area.stations;
        let votes = area.candidates(sums.contest);
        let mut figures = vec![stations.expected, stations.counted, stations.quarantined, stations.missing];
        figures.extend(own.iter().filter_map(|&index| votes.get(index)));
        let shown: u64 = own.iter().filter_map(|&index| votes.get(index)).sum();
        figures.extend(others.then(|| valid(area).saturating_sub(shown)));
        std::iter::once(name.into()).chain(figures.into_iter().map(|it| Phrase::Count(it).into())).collect()
    };
    let name = |area: &AreaTotals| election.areas().get(area.area).map_or("", |area| area.name.as_str());
    let mut rows: Vec<Vec<Cell<'a>>> = below.iter().take(AREAS).map(|it| row(Phrase::name(name(it)), it)).collect();
    if let Some(rest) = view::rest(&top, &below).filter(|_| below.len() <= AREAS) {
        rows.push(row(Text::AreaDirect.into(), &rest));
    }
    let mut blocks = vec![
        heading("areas", Text::AreasHeading),
        Block::Table(Table { name: Text::AreasHeading.into(), columns, rows }),
    ];
    let more = below.len().saturating_sub(AREAS) as u64;
    blocks.extend((more > 0).then(|| note(Phrase::n(Text::BulletinMoreAreas, more))));
    blocks.extend(sums.stands.map(|_| note(Text::BulletinAreasAsCounted)));
    blocks
}

/// The stations that are not, or not simply, counted.
fn lists<'a>(bulletin: &Bulletin<'a>, document: &'a ContestDocument) -> Vec<Block<'a>> {
    let election = bulletin.definition.election();
    let id = |no: StationNo| election.station(no).map_or("", |station| station.id.as_str());
    let lists = &document.stations;
    let quarantined =
        lists.quarantined.iter().map(|it| Cow::Owned(format!("{} {}", id(it.station), it.codes.codes().join(","))));
    let rejected = lists
        .rejected
        .iter()
        .map(|it| Cow::Owned(format!("{} {} #{}", id(it.station), it.codes.codes().join(","), it.entry)));
    let corrected =
        lists.corrected.iter().map(|it| Cow::Owned(format!("{} {} #{}", id(it.station), it.reason.code(), it.entry)));
    let missing = lists.missing.iter().map(|&it| Cow::Borrowed(id(it)));
    let mut blocks = list("quarantined", Text::BulletinQuarantined, quarantined);
    blocks.extend(list("rejected", Text::BulletinRejected, rejected));
    blocks.extend(list("corrected", Text::BulletinCorrectedStations, corrected));
    blocks.extend(list("missing", Text::BulletinMissing, missing));
    blocks
}

fn list<'a>(name: &str, text: Text, items: impl ExactSizeIterator<Item = Cow<'a, str>>) -> Vec<Block<'a>> {
    let all = items.len();
    if all == 0 {
        return Vec::new();
    }
    let mut blocks = vec![
        Block::Heading { level: 3, id: name.to_owned(), text: Phrase::n(text, all as u64), place: None },
        Block::Items(items.take(LISTED).collect()),
    ];
    let more = all.saturating_sub(LISTED) as u64;
    blocks.extend((more > 0).then(|| note(Phrase::n(Text::BulletinMoreStations, more))));
    blocks
}
