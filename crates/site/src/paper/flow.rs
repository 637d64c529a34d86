//! Puts every block in its place on the pages, and notes what each piece of text is for whoever hears the file.

use crate::{
    bulletin::content::{Block, Cell, Phrase, Progress, Speaker, Style},
    messages::Text,
    number::grouped,
    paper::{
        Letterhead,
        faces::{Faces, Weight},
        table,
    },
};

/// A4, in points.
pub(super) const PAGE: (f32, f32) = (595.276, 841.89);
const MARGIN: f32 = 48.0;
const TOP: f32 = 66.0;
const BOTTOM: f32 = PAGE.1 - 66.0;
/// Least room below a heading on its page.
const TOGETHER: f32 = 64.0;

/// From a panel's upper edge to its first line.
const PANEL_PAD: f32 = 9.0;

/// How text is set: size, distance from line to line, weight, colour.
#[derive(Clone, Copy)]
pub(super) struct Hand {
    pub(super) size: f32,
    pub(super) line: f32,
    pub(super) weight: Weight,
    pub(super) ink: Ink,
}

const fn hand(size: f32, line: f32, weight: Weight, ink: Ink) -> Hand {
    Hand { size, line, weight, ink }
}

const TITLE: Hand = hand(22.0, 28.0, Weight::Bold, Ink::Text);
const CONTEST: Hand = hand(14.0, 18.0, Weight::Bold, Ink::Text);
const PART: Hand = hand(9.5, 13.0, Weight::Bold, Ink::Text);
const FIGURE: Hand = hand(11.5, 15.5, Weight::Bold, Ink::Text);
const BODY: Hand = hand(8.5, 12.0, Weight::Regular, Ink::Text);
const STATEMENT: Hand = hand(9.0, 12.5, Weight::Bold, Ink::Text);
const NOTE: Hand = hand(7.5, 10.5, Weight::Regular, Ink::Quiet);
const ITEM: Hand = hand(7.0, 9.6, Weight::Regular, Ink::Text);
const VALUE: Hand = hand(7.0, 9.6, Weight::Regular, Ink::Text);
const LABEL: Hand = hand(7.0, 9.6, Weight::Regular, Ink::Quiet);
const FOOT: Hand = hand(5.8, 7.6, Weight::Regular, Ink::Quiet);
const HEAD: Hand = hand(7.5, 10.0, Weight::Bold, Ink::Text);
const BANNER: Hand = hand(9.0, 18.0, Weight::Bold, Ink::Paper);

/// Colours by their role.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Ink {
    Text,
    Quiet,
    Paper,
    Panel,
    Rule,
    Counted,
    Quarantined,
    Missing,
    /// A bar, by the number of its colour.
    Bar(usize),
    /// The pale part of that bar.
    Reach(usize),
}

/// Something drawn at one place.
pub(super) enum Mark {
    /// One line of text, from its left end on its base line.
    Text { at: (f32, f32), hand: Hand, text: String },
    /// A rectangle by its upper left corner and its extent.
    Area { at: (f32, f32), extent: (f32, f32), ink: Ink },
}

/// A mark with what it is part of; `None` for ornament and what stands on every page.
pub(super) struct Placed {
    pub(super) mark: Mark,
    pub(super) part_of: Option<usize>,
}

/// What a piece of the document is.
#[derive(Clone, Debug)]
pub(super) enum Role {
    Heading(u8, String),
    Paragraph,
    List,
    Item,
    ItemBody,
    Table(String),
    Row,
    ColumnHead,
    RowHead,
    Data,
}

/// A piece with the pieces inside it, by their numbers.
pub(super) struct Piece {
    pub(super) role: Role,
    pub(super) inside: Vec<usize>,
}

/// A heading that the file's outline names.
pub(super) struct Landmark {
    pub(super) level: u8,
    pub(super) text: String,
    pub(super) page: usize,
    pub(super) y: f32,
}

/// All pages.
pub(super) struct Sheets {
    pub(super) pages: Vec<Vec<Placed>>,
    pub(super) pieces: Vec<Piece>,
    /// Pieces that lie in no other, in reading order.
    pub(super) outermost: Vec<usize>,
    pub(super) landmarks: Vec<Landmark>,
}

/// The pages in the making.
pub(super) struct Flow<'a> {
    pub(super) faces: &'a Faces,
    pub(super) speaker: &'a Speaker,
    sheets: Sheets,
    /// Upper end of what comes next.
    pub(super) y: f32,
    pub(super) left: f32,
    pub(super) width: f32,
    /// Upper end of the panel on this page, if there is one.
    panel: Option<(usize, f32)>,
}

/// Sets the blocks.
pub(super) fn set(blocks: &[Block<'_>], letterhead: &Letterhead, speaker: &Speaker, faces: &Faces) -> Sheets {
    let sheets = Sheets { pages: vec![Vec::new()], pieces: Vec::new(), outermost: Vec::new(), landmarks: Vec::new() };
    let width = PAGE.0 - 2.0 * MARGIN;
    let mut flow = Flow { faces, speaker, sheets, y: TOP, left: MARGIN, width, panel: None };
    for block in blocks {
        flow.block(block);
    }
    flow.letterheads(letterhead);
    flow.sheets
}

impl Flow<'_> {
    fn block(&mut self, block: &Block<'_>) {
        match block {
            Block::Heading { level, text, place, .. } => self.heading(*level, text, *place),
            Block::Paragraph(style, text) => self.paragraph(*style, text),
            Block::Bullets(items) => self.bullets(items),
            Block::Facts(facts) => self.facts(facts),
            Block::Panel(blocks) => self.panel(blocks),
            Block::Progress(progress) => self.progress(*progress),
            Block::Table(table) => table::set(self, table),
            Block::Items(items) => self.items(items),
        }
    }

    /// Begins a page if so much does not fit on this one.
    pub(super) fn need(&mut self, height: f32) -> bool {
        if self.y + height <= BOTTOM {
            return false;
        }
        self.close_panel();
        self.sheets.pages.push(Vec::new());
        self.y = TOP;
        if self.panel.is_some() {
            self.open_panel();
        }
        true
    }

    /// A piece, inside another or by itself.
    pub(super) fn piece(&mut self, role: Role, inside: Option<usize>) -> usize {
        let number = self.sheets.pieces.len();
        self.sheets.pieces.push(Piece { role, inside: Vec::new() });
        match inside {
            Some(outer) => self.sheets.pieces[outer].inside.push(number),
            None => self.sheets.outermost.push(number),
        }
        number
    }

    pub(super) fn mark(&mut self, mark: Mark, part_of: Option<usize>) {
        if let Some(page) = self.sheets.pages.last_mut() {
            page.push(Placed { mark, part_of });
        }
    }

    /// A line of text whose line box begins at `y`.
    pub(super) fn text(&mut self, at: (f32, f32), hand: Hand, text: impl Into<String>, part_of: Option<usize>) {
        let at = (at.0, baseline(at.1, hand));
        self.mark(Mark::Text { at, hand, text: text.into() }, part_of);
    }

    pub(super) fn area(&mut self, at: (f32, f32), extent: (f32, f32), ink: Ink) {
        if extent.0 > 0.0 && extent.1 > 0.0 {
            self.mark(Mark::Area { at, extent, ink }, None);
        }
    }

    /// Lines of one piece, below each other, from `indent` on.
    fn lines(&mut self, text: &str, hand: Hand, indent: f32, piece: usize) {
        for mut line in self.faces.get(hand.weight).lines(text, hand.size, self.width - indent) {
            self.need(hand.line);
            line.push(' ');
            self.text((self.left + indent, self.y), hand, line, Some(piece));
            self.y += hand.line;
        }
    }

    fn heading(&mut self, level: u8, text: &Phrase<'_>, place: Option<&str>) {
        let text = self.speaker.say(text).into_owned();
        // A panel has parts of its own, not contests.
        let in_panel = self.panel.is_some();
        let (hand, before, after) = match level {
            1 => (TITLE, 0.0, 4.0),
            2 if !in_panel => (CONTEST, 20.0, 4.0),
            _ => (PART, 9.0, 2.0),
        };
        let contest = level == 2 && !in_panel;
        self.need(before + hand.line + TOGETHER + if contest { 2.0 * TOGETHER } else { 0.0 });
        let begins = self.y <= TOP || self.panel.is_some_and(|(_, top)| self.y <= top + PANEL_PAD);
        if !begins {
            self.y += before;
            if contest {
                self.area((self.left, self.y), (self.width, 1.2), Ink::Text);
                self.y += 7.0;
            }
        }
        let page = self.sheets.pages.len() - 1;
        self.sheets.landmarks.push(Landmark { level, text: text.clone(), page, y: self.y });
        let piece = self.piece(Role::Heading(level, text.clone()), None);
        self.lines(&text, hand, 0.0, piece);
        if let Some(place) = place {
            let piece = self.piece(Role::Paragraph, None);
            self.lines(place, NOTE, 0.0, piece);
        }
        self.y += after;
    }

    fn paragraph(&mut self, style: Style, text: &Phrase<'_>) {
        let hand = match style {
            Style::Figure => FIGURE,
            Style::Body => BODY,
            Style::Statement => STATEMENT,
            Style::Note => NOTE,
        };
        let piece = self.piece(Role::Paragraph, None);
        let text = self.speaker.say(text);
        self.lines(&text, hand, 0.0, piece);
        self.y += 3.5;
    }

    fn bullets(&mut self, items: &[Phrase<'_>]) {
        let list = self.piece(Role::List, None);
        for item in items {
            let item_piece = self.piece(Role::Item, Some(list));
            let body = self.piece(Role::ItemBody, Some(item_piece));
            self.need(BODY.line);
            self.text((self.left + 2.0, self.y), BODY, "•", None);
            let text = self.speaker.say(item);
            self.lines(&text, BODY, 10.0, body);
            self.y += 1.0;
        }
        self.y += 3.0;
    }

    fn facts(&mut self, facts: &[(Phrase<'_>, String)]) {
        let face = self.faces.get(LABEL.weight);
        let widest =
            facts.iter().map(|(label, _)| face.width(&self.speaker.say(label), LABEL.size)).fold(0.0, f32::max);
        let indent = widest.min(self.width / 3.0) + 10.0;
        for (label, value) in facts {
            let piece = self.piece(Role::Paragraph, None);
            self.need(LABEL.line);
            let label = format!("{} ", self.speaker.say(label));
            self.text((self.left, self.y), LABEL, label, Some(piece));
            self.lines(value, VALUE, indent, piece);
        }
        self.y += 4.0;
    }

    fn panel(&mut self, blocks: &[Block<'_>]) {
        const INSET: f32 = 10.0;
        self.need(2.0 * TOGETHER);
        self.open_panel();
        self.left += INSET;
        self.width -= 2.0 * INSET;
        for block in blocks {
            self.block(block);
        }
        self.left -= INSET;
        self.width += 2.0 * INSET;
        self.y += 4.0;
        self.close_panel();
        self.panel = None;
        self.y += 8.0;
    }

    fn open_panel(&mut self) {
        let first = self.sheets.pages.last().map_or(0, Vec::len);
        self.panel = Some((first, self.y));
        self.y += PANEL_PAD;
    }

    /// Puts the panel's ground below what was set on it.
    fn close_panel(&mut self) {
        let Some((first, top)) = self.panel else { return };
        let width = PAGE.0 - 2.0 * MARGIN;
        let ground = Mark::Area { at: (MARGIN, top), extent: (width, self.y - top), ink: Ink::Panel };
        let edge = Mark::Area { at: (MARGIN, top), extent: (2.0, self.y - top), ink: Ink::Text };
        if let Some(page) = self.sheets.pages.last_mut() {
            page.insert(first, Placed { mark: edge, part_of: None });
            page.insert(first, Placed { mark: ground, part_of: None });
        }
    }

    fn progress(&mut self, progress: Progress) {
        const HEIGHT: f32 = 9.0;
        self.need(HEIGHT + 5.0 + NOTE.line);
        let (left, y, width) = (self.left, self.y, self.width);
        let part = |count: u64| width * part_of(count, progress.expected);
        let (counted, both) = (part(progress.counted), part(progress.counted.saturating_add(progress.quarantined)));
        self.area((left, y), (width, HEIGHT), Ink::Missing);
        self.area((left + 0.6, y + 0.6), (width - 1.2, HEIGHT - 1.2), Ink::Paper);
        self.area((left + counted, y), (both - counted, HEIGHT), Ink::Quarantined);
        // The slot tells quarantine from counted without its colour.
        self.area((left + counted, y + HEIGHT / 3.0), (both - counted, HEIGHT / 3.0), Ink::Paper);
        self.area((left, y), (counted, HEIGHT), Ink::Counted);
        self.y += HEIGHT + 4.0;
        self.key(progress);
    }

    /// What the parts of the bar are.
    fn key(&mut self, progress: Progress) {
        const SIDE: f32 = 5.5;
        let piece = self.piece(Role::Paragraph, None);
        let mut x = self.left;
        let y = self.y + (NOTE.line - SIDE) / 2.0;
        for ((_, text, count), ink) in progress.key().into_iter().zip([Ink::Counted, Ink::Quarantined, Ink::Missing]) {
            self.area((x, y), (SIDE, SIDE), ink);
            match ink {
                Ink::Quarantined => self.area((x, y + SIDE / 3.0), (SIDE, SIDE / 3.0), Ink::Paper),
                Ink::Missing => self.area((x + 0.8, y + 0.8), (SIDE - 1.6, SIDE - 1.6), Ink::Paper),
                _ => {}
            }
            let text = format!("{}: {} ", self.speaker.say(&text.into()), grouped(count));
            let width = self.faces.get(NOTE.weight).width(&text, NOTE.size);
            self.text((x + SIDE + 4.0, self.y), NOTE, text, Some(piece));
            x += SIDE + 4.0 + width + 12.0;
        }
        self.y += NOTE.line + 3.0;
    }

    fn items(&mut self, items: &[std::borrow::Cow<'_, str>]) {
        const GAP: f32 = 9.0;
        let face = self.faces.get(ITEM.weight);
        let widest = items.iter().map(|it| face.width(it, ITEM.size)).fold(1.0, f32::max).min(self.width);
        #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "from 1 to a few hundred")]
        let columns = ((self.width + GAP) / (widest + GAP)).floor().clamp(1.0, 60.0) as usize;
        #[allow(clippy::cast_precision_loss, reason = "at most 60")]
        let pitch = (self.width + GAP) / columns as f32;
        let piece = self.piece(Role::Paragraph, None);
        for row in items.chunks(columns) {
            self.need(ITEM.line);
            let mut x = self.left;
            for item in row {
                let fits = face.width(item, ITEM.size) <= self.width + 0.01;
                let text = if fits { item.to_string() } else { first_line(self.faces, item, self.width) };
                self.text((x, self.y), ITEM, text + " ", Some(piece));
                x += pitch;
            }
            self.y += ITEM.line;
        }
        self.y += 4.0;
    }

    /// What stands on every page; the number of pages is known only now.
    fn letterheads(&mut self, letterhead: &Letterhead) {
        let pages = self.sheets.pages.len();
        for page in 0..pages {
            let number = Phrase::Say(
                Text::BulletinPage,
                vec![("page", (page as u64 + 1).into()), ("pages", (pages as u64).into())],
            );
            let number = self.speaker.say(&number).into_owned();
            let marks = self.letterhead(letterhead, &number);
            self.sheets.pages[page].extend(marks.into_iter().map(|mark| Placed { mark, part_of: None }));
        }
    }

    fn letterhead(&self, letterhead: &Letterhead, number: &str) -> Vec<Mark> {
        let width = PAGE.0 - 2.0 * MARGIN;
        let right = |text: &str, hand: Hand| PAGE.0 - MARGIN - self.faces.get(hand.weight).width(text, hand.size);
        let line = |x: f32, y: f32, hand: Hand, text: &str| Mark::Text {
            at: (x, baseline(y, hand)),
            hand,
            text: text.to_owned(),
        };
        let rule = |y: f32| Mark::Area { at: (MARGIN, y), extent: (width, 0.5), ink: Ink::Text };
        let mut marks = Vec::new();
        if let Some(drill) = &letterhead.drill {
            marks.push(Mark::Area { at: (0.0, 0.0), extent: (PAGE.0, BANNER.line + 4.0), ink: Ink::Text });
            let middle = (PAGE.0 - self.faces.get(BANNER.weight).width(drill, BANNER.size)) / 2.0;
            marks.push(line(middle.max(4.0), 2.0, BANNER, drill));
        }
        let aside = Hand { weight: Weight::Regular, ..HEAD };
        let room = width - self.faces.get(aside.weight).width(&letterhead.aside, aside.size) - 12.0;
        let head = self.faces.get(HEAD.weight).lines(&letterhead.head, HEAD.size, room);
        marks.extend(head.first().map(|head| line(MARGIN, 34.0, HEAD, head)));
        marks.push(line(right(&letterhead.aside, aside), 34.0, aside, &letterhead.aside));
        marks.push(rule(47.0));
        marks.push(rule(PAGE.1 - 56.0));
        let mut y = PAGE.1 - 52.0;
        for text in &letterhead.foot {
            marks.push(line(MARGIN, y, FOOT, text));
            y += FOOT.line;
        }
        marks.push(line(right(number, aside), PAGE.1 - 53.0, aside, number));
        marks
    }
}

/// As much of the text as fits a line.
fn first_line(faces: &Faces, text: &str, width: f32) -> String {
    faces.get(ITEM.weight).lines(text, ITEM.size, width).into_iter().next().unwrap_or_default()
}

/// Capitals stand in the middle of their line.
fn baseline(y: f32, hand: Hand) -> f32 {
    y + hand.line / 2.0 + hand.size * 0.357
}

/// A part of a whole, from 0 to 1, in steps that every machine rounds alike.
pub(super) fn part_of(count: u64, whole: u64) -> f32 {
    let scaled = u128::from(count) * 10_000 / u128::from(whole.max(1));
    f32::from(u16::try_from(scaled).unwrap_or(u16::MAX).min(10_000)) / 10_000.0
}

/// A cell's words.
pub(super) fn words<'s>(speaker: &'s Speaker, cell: &'s Cell<'_>) -> std::borrow::Cow<'s, str> {
    match cell {
        Cell::Said(phrase) | Cell::Link(phrase, _) => speaker.say(phrase),
        Cell::Bar(_) => std::borrow::Cow::Borrowed(""),
    }
}
