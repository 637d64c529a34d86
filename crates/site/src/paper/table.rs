//! Tables: widths for the columns, rows that stay whole, and the heads again on every page.

use crate::{
    bulletin::content::{Cell, Column, Kind, Table},
    chart::Bar,
    paper::{
        faces::Weight,
        flow::{Flow, Hand, Ink, Role, part_of, words},
    },
};

const GAP: f32 = 9.0;
/// Widths of bars.
const BAR: (f32, f32) = (60.0, 340.0);
/// Text columns are no narrower than this.
const NARROWEST: f32 = 46.0;

const HEAD: Hand = Hand { size: 7.0, line: 9.0, weight: Weight::Regular, ink: Ink::Quiet };
const CELL: Hand = Hand { size: 8.0, line: 11.0, weight: Weight::Regular, ink: Ink::Text };
/// Above and below the lines of a row.
const PAD: f32 = 1.4;

/// A column's place.
struct Place {
    x: f32,
    width: f32,
    kind: Kind,
}

/// Sets a table.
pub(super) fn set(flow: &mut Flow<'_>, table: &Table<'_>) {
    let said: Vec<Vec<String>> = table.rows.iter().map(|row| said(flow, row)).collect();
    let heads: Vec<String> = table.columns.iter().map(|it| flow.speaker.say(&it.head).into_owned()).collect();
    let places = places(flow, &table.columns, &heads, &said);
    let name = flow.speaker.say(&table.name).into_owned();
    let piece = flow.piece(Role::Table(name), None);
    let heads: Vec<Vec<String>> =
        heads.iter().zip(&places).map(|(head, place)| head_lines(flow, head, place)).collect();
    flow.need(head_height(&heads) + 3.0 * CELL.line);
    head(flow, &places, &heads, Some(piece));
    for (cells, said) in table.rows.iter().zip(&said) {
        let lines: Vec<Vec<String>> =
            said.iter().zip(&places).map(|(text, place)| cell_lines(flow, text, place)).collect();
        #[allow(clippy::cast_precision_loss, reason = "few lines")]
        let height = lines.iter().map(Vec::len).max().unwrap_or(1).max(1) as f32 * CELL.line + 2.0 * PAD;
        if flow.need(height) {
            head(flow, &places, &heads, None);
        }
        row(flow, &places, cells, &lines, (piece, height));
    }
    flow.y += 6.0;
}

/// The words of a row. A cell without words is a dash, so that it is not lost to whoever hears the table.
fn said(flow: &Flow<'_>, row: &[Cell<'_>]) -> Vec<String> {
    let text = |cell: &Cell<'_>| match (cell, words(flow.speaker, cell)) {
        (Cell::Bar(_), _) => String::new(),
        (_, text) if text.is_empty() => "–".to_owned(),
        (_, text) => text.into_owned(),
    };
    row.iter().map(text).collect()
}

fn places(flow: &Flow<'_>, columns: &[Column<'_>], heads: &[String], rows: &[Vec<String>]) -> Vec<Place> {
    let (face, head_face) = (flow.faces.get(CELL.weight), flow.faces.get(HEAD.weight));
    let longest_word = |text: &str| text.split(' ').map(|it| head_face.width(it, HEAD.size)).fold(0.0, f32::max);
    let natural = |index: usize, kind: Kind| {
        let cells = rows.iter().filter_map(|row| row.get(index)).map(|text| face.width(text, CELL.size));
        let widest = cells.fold(0.0, f32::max) + 0.01;
        match kind {
            Kind::Bar => 0.0,
            // Heads of figures wrap, down to a width that keeps them readable.
            Kind::Figure => {
                widest.max(longest_word(&heads[index])).max(36.0_f32.min(head_face.width(&heads[index], HEAD.size)))
            }
            Kind::Text => widest.max(head_face.width(&heads[index], HEAD.size)).max(NARROWEST),
        }
    };
    let mut widths: Vec<f32> = columns.iter().enumerate().map(|(index, it)| natural(index, it.kind)).collect();
    let of = |kind: Kind| columns.iter().enumerate().filter(move |(_, it)| it.kind == kind).map(|(index, _)| index);
    #[allow(clippy::cast_precision_loss, reason = "few columns")]
    let gaps = GAP * columns.len().saturating_sub(1) as f32;
    let figures: f32 = of(Kind::Figure).map(|index| widths[index]).sum();
    let bars = of(Kind::Bar).count();
    #[allow(clippy::cast_precision_loss, reason = "few columns")]
    let room = (flow.width - gaps - figures - BAR.0 * bars as f32).max(NARROWEST);
    let texts: f32 = of(Kind::Text).map(|index| widths[index]).sum();
    if texts > room {
        for index in of(Kind::Text) {
            widths[index] *= room / texts;
        }
    }
    let left = room - texts.min(room);
    for index in of(Kind::Bar) {
        widths[index] = (BAR.0 + left).min(BAR.1);
    }
    let mut x = flow.left;
    let place = |(column, width): (&Column<'_>, f32)| {
        let place = Place { x, width, kind: column.kind };
        x += width + GAP;
        place
    };
    columns.iter().zip(widths).map(place).collect()
}

fn head_lines(flow: &Flow<'_>, text: &str, place: &Place) -> Vec<String> {
    flow.faces.get(HEAD.weight).lines(text, HEAD.size, place.width + 0.05)
}

fn cell_lines(flow: &Flow<'_>, text: &str, place: &Place) -> Vec<String> {
    match place.kind {
        Kind::Text => flow.faces.get(CELL.weight).lines(text, CELL.size, place.width + 0.05),
        Kind::Figure => vec![text.to_owned()],
        Kind::Bar => Vec::new(),
    }
}

fn head_height(heads: &[Vec<String>]) -> f32 {
    #[allow(clippy::cast_precision_loss, reason = "few lines")]
    let lines = heads.iter().map(Vec::len).max().unwrap_or(0) as f32;
    lines * HEAD.line + 3.0
}

/// Where a line begins that ends where its column ends, or begins where that begins.
fn start(flow: &Flow<'_>, place: &Place, hand: Hand, text: &str) -> f32 {
    match place.kind {
        Kind::Figure => place.x + place.width - flow.faces.get(hand.weight).width(text, hand.size),
        Kind::Text | Kind::Bar => place.x,
    }
}

fn extent(places: &[Place]) -> f32 {
    places.last().map_or(0.0, |last| last.x + last.width) - places.first().map_or(0.0, |first| first.x)
}

/// The heads of the columns; those after the first page only repeat them.
fn head(flow: &mut Flow<'_>, places: &[Place], heads: &[Vec<String>], table: Option<usize>) {
    let height = head_height(heads);
    let row = table.map(|table| flow.piece(Role::Row, Some(table)));
    for (place, lines) in places.iter().zip(heads) {
        let piece = row.filter(|_| !lines.is_empty()).map(|row| flow.piece(Role::ColumnHead, Some(row)));
        #[allow(clippy::cast_precision_loss, reason = "few lines")]
        let mut y = flow.y + height - 3.0 - lines.len() as f32 * HEAD.line;
        for line in lines {
            let x = start(flow, place, HEAD, line);
            flow.text((x, y), HEAD, format!("{line} "), piece);
            y += HEAD.line;
        }
    }
    flow.y += height;
    flow.area((flow.left, flow.y - 1.0), (extent(places), 0.6), Ink::Text);
    flow.y += 1.0;
}

fn row(
    flow: &mut Flow<'_>,
    places: &[Place],
    cells: &[Cell<'_>],
    lines: &[Vec<String>],
    (table, height): (usize, f32),
) {
    let row = flow.piece(Role::Row, Some(table));
    for (index, ((place, cell), lines)) in places.iter().zip(cells).zip(lines).enumerate() {
        if let Cell::Bar(it) = cell {
            bar(flow, place, it, height);
            continue;
        }
        let piece = flow.piece(if index == 0 { Role::RowHead } else { Role::Data }, Some(row));
        let mut y = flow.y + PAD;
        for line in lines {
            let x = start(flow, place, CELL, line);
            flow.text((x, y), CELL, format!("{line} "), Some(piece));
            y += CELL.line;
        }
    }
    flow.y += height;
    flow.area((flow.left, flow.y - 0.4), (extent(places), 0.4), Ink::Rule);
}

/// Solid for the votes, pale for the most that could still be added, a line where the votes of the first end.
fn bar(flow: &mut Flow<'_>, place: &Place, bar: &Bar, height: f32) {
    let thick = CELL.line - 3.0;
    let y = flow.y + (height - thick) / 2.0;
    let end = |votes: u64| place.width * part_of(votes, bar.scale);
    let solid = end(bar.votes);
    if let Some(reach) = bar.reach.filter(|&reach| reach > 0) {
        let far = end(bar.votes.saturating_add(reach));
        flow.area((place.x + solid, y + 1.0), (far - solid, thick - 2.0), Ink::Reach(bar.colour));
    }
    flow.area((place.x, y), (solid, thick), Ink::Bar(bar.colour));
    flow.area((place.x + end(bar.mark) - 0.35, flow.y + 0.4), (0.7, height - 0.8), Ink::Text);
}
