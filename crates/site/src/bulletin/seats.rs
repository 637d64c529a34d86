//! Who has which seats as it stands: the order in which they are given, with the claim of each.

use std::borrow::Cow;

use tallyproof_count::{
    outcome::{ByName, ListSeats, SeatsOutcome},
    seats::{Allotment, Party, Quotient, Seat, TieOutcome},
    settled::{Question, Statement},
};
use tallyproof_record::definition::Contest;

use super::{
    content::{Block, Cell, Column, Phrase, Style, Table},
    contest::{heading, note},
};
use crate::{messages::Text, number::grouped};

/// The seats of a contest; nothing where the table of votes says as much.
pub(super) fn blocks<'a>(
    contest: &'a Contest,
    question: &Question,
    seats: &'a SeatsOutcome,
    settled: Option<&Statement>,
) -> Vec<Block<'a>> {
    let found = match seats {
        SeatsOutcome::ByName(seats) => by_name(contest, seats),
        SeatsOutcome::Lists(seats) => match &seats.allotment {
            Ok(allotment) => Lists { contest, seats, allotment }.blocks(question, settled),
            Err(_) => vec![Block::Paragraph(Style::Body, Text::SeatsNone.into())],
        },
    };
    if found.is_empty() { found } else { std::iter::once(heading("seats", Text::SeatsHeading)).chain(found).collect() }
}

fn name(contest: &Contest, option: usize) -> &str {
    contest.candidates.get(option).map_or("", |it| it.name.as_str())
}

fn names(contest: &Contest, options: &[usize]) -> String {
    options.iter().map(|&option| name(contest, option)).collect::<Vec<_>>().join(", ")
}

fn by_name<'a>(contest: &'a Contest, seats: &ByName) -> Vec<Block<'a>> {
    let mut blocks = Vec::new();
    if seats.seats > 1 && !seats.elected.is_empty() {
        let values = vec![("seats", seats.seats.to_string().into()), ("names", names(contest, &seats.elected).into())];
        blocks.push(Block::Paragraph(Style::Body, Phrase::Say(Text::SeatsFirst, values)));
    }
    if seats.open > 0 {
        let values = vec![("n", u64::from(seats.open).into()), ("among", names(contest, &seats.tied).into())];
        blocks.push(Block::Paragraph(Style::Body, Phrase::Say(Text::SeatsOpen, values)));
    }
    blocks
}

/// Seats of lists.
struct Lists<'a> {
    contest: &'a Contest,
    seats: &'a ListSeats,
    allotment: &'a Allotment,
}

impl<'a> Lists<'a> {
    fn blocks(&self, question: &Question, settled: Option<&Statement>) -> Vec<Block<'a>> {
        let rules = &self.seats.rules;
        let method = vec![("seats", rules.seats.to_string().into()), ("method", rules.method.as_str().into())];
        let mut blocks = vec![note(Phrase::Say(Text::SeatsMethod, method)), self.table(question, settled)];
        let quota = self.allotment.quota.map(|it| Phrase::Say(Text::SeatsQuota, vec![("quota", decimal(it).into())]));
        blocks.extend(quota.map(note));
        for (count, text) in
            [(self.allotment.unfilled, Text::SeatsUnfilled), (self.seats.nominal_open, Text::SeatsNominalOpen)]
        {
            blocks.extend((count > 0).then(|| note(Phrase::n(text, count))));
        }
        blocks.extend(self.ties());
        blocks.extend(self.order());
        blocks
    }

    fn table(&self, question: &Question, settled: Option<&Statement>) -> Block<'a> {
        let mixed = self.seats.rules.mixed.is_some();
        // In a mixed system they are about the lists' own seats, which are not those in the table.
        let ranges = settled.map(Statement::seats).filter(|it| !it.is_empty() && !mixed);
        let mut heads = vec![Text::ColumnVotes];
        heads.extend(mixed.then_some(Text::ColumnByName));
        heads.push(Text::ColumnSeats);
        heads.extend(ranges.into_iter().flat_map(|_| [Text::ColumnSeatsLeast, Text::ColumnSeatsMost]));
        let mut columns = vec![Column::text(Text::ColumnList)];
        columns.extend(heads.into_iter().map(Column::figure));
        let threshold = self.seats.rules.threshold.is_some();
        columns.extend(threshold.then(|| Column::text(Text::ColumnThreshold)));
        let row = |(list, seats): (usize, &tallyproof_count::seats::ListSeats)| {
            let votes = question.contest.options.get(list).map_or(0, |(_, votes)| *votes);
            let mut figures = vec![Phrase::Count(votes)];
            let by_name = self.seats.lists.get(list).map_or(0, |it| u64::from(it.nominal));
            figures.extend(mixed.then_some(Phrase::Count(by_name)));
            figures.push(Phrase::Count(seats.seats));
            if let Some(ranges) = ranges {
                let range = ranges.iter().find(|range| range.list == list);
                let bounds = [range.map(|it| it.least), range.map(|it| it.most)];
                figures.extend(bounds.map(|it| it.map_or(Phrase::name("–"), Phrase::Count)));
            }
            let admitted = if seats.admitted { Text::SeatsAdmitted } else { Text::SeatsBelowThreshold };
            figures.extend(threshold.then(|| admitted.into()));
            std::iter::once(Phrase::name(name(self.contest, list))).chain(figures).map(Cell::from).collect()
        };
        let rows = self.allotment.lists.iter().enumerate().map(row).collect();
        Block::Table(Table { name: Text::SeatsHeading.into(), columns, rows })
    }

    fn party(&self, party: Party) -> String {
        match party {
            Party::List(list) => name(self.contest, list).to_owned(),
            Party::Alliance(number) => self.alliance(number),
        }
    }

    /// An alliance by its lists.
    fn alliance(&self, number: usize) -> String {
        let members = self.seats.lists.iter().enumerate().filter(|(_, list)| list.alliance == Some(number));
        members.map(|(list, _)| name(self.contest, list)).collect::<Vec<_>>().join(" + ")
    }

    fn ties(&self) -> Vec<Block<'a>> {
        let among = |parties: &[Party]| parties.iter().map(|&it| self.party(it)).collect::<Vec<_>>().join(", ");
        let open = self.allotment.open.iter().map(|it| {
            let values = vec![("n", it.seats.into()), ("among", among(&it.among).into())];
            Block::Paragraph(Style::Body, Phrase::Say(Text::SeatsOpen, values))
        });
        let broken = self.allotment.ties.iter().filter_map(|tie| {
            let text = match tie.outcome {
                TieOutcome::MoreVotes => Text::SeatsByMoreVotes,
                TieOutcome::Lot => Text::SeatsByLot,
                TieOutcome::SeatForEach | TieOutcome::Open => return None,
            };
            Some(note(Phrase::Say(text, vec![("among", among(&tie.among).into())])))
        });
        open.chain(broken).collect()
    }

    /// Every seat in the order of its claim.
    fn order(&self) -> Vec<Block<'a>> {
        let seat = |(number, seat): (usize, &Seat)| {
            let who = match (seat.list, seat.alliance) {
                (Some(list), _) => name(self.contest, list).to_owned(),
                (None, Some(number)) => self.alliance(number),
                (None, None) => "–".to_owned(),
            };
            let star = if seat.nominal { "*" } else { "" };
            let inside = seat.inside.map(|it| format!(" / {}", decimal(it))).unwrap_or_default();
            Cow::Owned(format!("{}. {who}{star}: {}{inside}", number + 1, decimal(seat.claim)))
        };
        let order: Vec<Cow<'a, str>> = self.allotment.order.iter().enumerate().map(seat).collect();
        if order.is_empty() {
            return Vec::new();
        }
        let mut blocks = vec![note(Text::SeatsOrder), Block::Items(order)];
        blocks.extend(self.allotment.order.iter().any(|seat| seat.nominal).then(|| note(Text::SeatsStar)));
        blocks
    }
}

/// A claim with four decimals, rounded down: the exact quotients are compared, and stand in `bulletin.json`.
fn decimal(quotient: Quotient) -> String {
    let (part, whole) = (u128::from(quotient.numerator.unsigned_abs()), u128::from(quotient.denominator.max(1)));
    let scaled = part * 10_000 / whole;
    let sign = if quotient.numerator < 0 { "\u{2212}" } else { "" };
    let (units, decimals) = (u64::try_from(scaled / 10_000).unwrap_or(u64::MAX), scaled % 10_000);
    format!("{sign}{}.{decimals:04}", grouped(units))
}
