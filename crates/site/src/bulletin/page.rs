//! The blocks as one page of HTML that holds every language; the style sheet shows one.

use std::{borrow::Cow, fmt::Write};

use tallyproof_record::Phase;

use super::{
    Bulletin,
    content::{Block, Cell, Column, Kind, Phrase, Speaker, Style, Table, alike},
    forms, title,
};
use crate::{
    chart,
    messages::{Lang, Text},
    number::grouped,
    style,
    words::escape,
};

/// Widths of items in characters, each a class of the style sheet; what is longer wraps.
const ITEM_WIDTHS: [usize; 5] = [6, 12, 20, 36, WIDEST_ITEM];
const WIDEST_ITEM: usize = 60;

/// The page.
pub(super) fn render(bulletin: &Bulletin<'_>, blocks: &[Block<'_>]) -> String {
    let mut page = Page { speakers: Lang::ALL.map(Speaker::new), html: String::with_capacity(1 << 16) };
    page.head(bulletin);
    for block in blocks {
        page.block(block);
    }
    page.foot(bulletin);
    page.html
}

/// Blocks for pages that are made otherwise.
pub(crate) struct Fragments(Page);

impl Fragments {
    pub(crate) fn new() -> Self {
        Self(Page { speakers: Lang::ALL.map(Speaker::new), html: String::new() })
    }

    pub(crate) fn html(&mut self, blocks: &[Block<'_>]) -> String {
        for block in blocks {
            self.0.block(block);
        }
        std::mem::take(&mut self.0.html)
    }
}

struct Page {
    speakers: [Speaker; 3],
    html: String,
}

impl Page {
    fn raw(&mut self, html: &str) {
        self.html.push_str(html);
    }

    fn head(&mut self, bulletin: &Bulletin<'_>) {
        let election = bulletin.definition.election();
        let title = self.speakers[0].say(&title(bulletin)).into_owned();
        self.raw(
            "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\" />\n\
             <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\" />\n\
             <meta name=\"color-scheme\" content=\"light dark\" />\n\
             <meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'; \
             script-src 'unsafe-inline'; img-src data:; base-uri 'none'; form-action 'none'\" />\n<title>",
        );
        escape(&format!("{title} · {}", election.name()), &mut self.html);
        self.raw("</title>\n<link rel=\"icon\" href=\"data:,\" />\n<style>");
        self.raw(&style::bulletin_sheet());
        self.raw("</style>\n</head>\n<body>\n<a class=\"skip\" href=\"#content\">");
        self.say(&Text::SkipToContent.into());
        self.raw("</a>\n");
        if election.phase() == Phase::Drill {
            self.raw("<div class=\"drill\" role=\"note\">");
            self.every("p", Text::DrillBanner);
            self.raw("</div>\n");
        }
        self.raw("<header>\n<fieldset class=\"languages\">\n<legend class=\"unseen\">");
        self.say(&Text::LanguageChoice.into());
        self.raw("</legend>\n");
        for (number, lang) in Lang::ALL.into_iter().enumerate() {
            let tag = lang.tag();
            let checked = if number == 0 { " checked=\"checked\"" } else { "" };
            let name = self.speakers[number].say(&Text::LanguageName.into()).into_owned();
            let _ = writeln!(
                self.html,
                "<input type=\"radio\" name=\"language\" id=\"lang-{tag}\" value=\"{tag}\"{checked} />\
                 <label for=\"lang-{tag}\" lang=\"{tag}\">{name}</label>"
            );
        }
        self.raw("</fieldset>\n<nav><a href=\"../../site/index.html\">");
        self.say(&Text::NavHome.into());
        self.raw("</a></nav>\n</header>\n<main id=\"content\" class=\"bulletin\">\n");
    }

    fn foot(&mut self, bulletin: &Bulletin<'_>) {
        self.raw("<h2 id=\"forms\">");
        self.say(&Text::BulletinForms.into());
        self.raw("</h2>\n<ul class=\"plain\">\n");
        for (href, text) in forms(bulletin.definition.election()) {
            let _ = write!(self.html, "<li><a href=\"{href}\">");
            self.say(&text.into());
            self.raw("</a></li>\n");
        }
        self.raw("</ul>\n</main>\n<footer>\n<p>");
        let size = Phrase::Say(Text::LogState, vec![("size", bulletin.document.tree_size.into())]);
        self.say(&size);
        if let Some(source) = bulletin.definition.election().source() {
            self.raw("</p>\n<p>");
            self.say(&Phrase::Say(Text::FiguresSource, vec![("source", source.into())]));
        }
        self.raw("</p>\n</footer>\n<script>");
        self.raw(include_str!("../../templates/language.js"));
        self.raw("</script>\n</body>\n</html>\n");
    }

    /// The phrase in every language, or once if it is alike in all.
    fn say(&mut self, phrase: &Phrase<'_>) {
        if let Some(text) = alike(phrase) {
            return escape(&text, &mut self.html);
        }
        if let Phrase::Join(parts) = phrase {
            for (number, part) in parts.iter().enumerate() {
                if number > 0 {
                    self.raw(" ");
                }
                self.say(part);
            }
            return;
        }
        for speaker in &self.speakers {
            let _ = write!(self.html, "<span lang=\"{}\">", speaker.lang().tag());
            escape(&speaker.say(phrase), &mut self.html);
            self.html.push_str("</span>");
        }
    }

    /// An element for each language, all of them shown.
    fn every(&mut self, element: &str, text: Text) {
        for speaker in &self.speakers {
            let _ = write!(self.html, "<{element} lang=\"{}\">", speaker.lang().tag());
            escape(&speaker.say(&text.into()), &mut self.html);
            let _ = write!(self.html, "</{element}>");
        }
    }

    fn block(&mut self, block: &Block<'_>) {
        match block {
            Block::Heading { level, id, text, place } => self.heading(*level, id, text, *place),
            Block::Paragraph(style, text) => {
                self.raw(match style {
                    Style::Figure => "<p class=\"figure\">",
                    Style::Body => "<p>",
                    Style::Statement => "<p class=\"statement\">",
                    Style::Note => "<p class=\"note\">",
                });
                self.say(text);
                self.raw("</p>\n");
            }
            Block::Bullets(items) => {
                self.raw("<ul>\n");
                for item in items {
                    self.raw("<li>");
                    self.say(item);
                    self.raw("</li>\n");
                }
                self.raw("</ul>\n");
            }
            Block::Facts(facts) => self.facts(facts),
            Block::Panel(blocks) => {
                self.raw("<div class=\"panel\">\n");
                for block in blocks {
                    self.block(block);
                }
                self.raw("</div>\n");
            }
            Block::Progress(it) => {
                self.raw(&chart::progress(it.counted, it.quarantined, it.expected));
                self.raw("\n<ul class=\"key\">\n");
                for (class, text, count) in it.key() {
                    let _ = write!(self.html, "<li><span class=\"sq {class}\"></span><span>");
                    self.say(&text.into());
                    let _ = writeln!(self.html, ": {}</span></li>", grouped(count));
                }
                self.raw("</ul>\n");
            }
            Block::Table(table) => self.table(table),
            Block::Items(items) => self.items(items),
        }
    }

    fn heading(&mut self, level: u8, id: &str, text: &Phrase<'_>, place: Option<&str>) {
        let _ = write!(self.html, "<h{level} id=\"{id}\">");
        self.say(text);
        let _ = writeln!(self.html, "</h{level}>");
        if let Some(place) = place {
            self.raw("<p class=\"where\">");
            escape(place, &mut self.html);
            self.raw("</p>\n");
        }
    }

    fn facts(&mut self, facts: &[(Phrase<'_>, String)]) {
        self.raw("<dl class=\"facts\">\n");
        for (label, value) in facts {
            self.raw("<dt>");
            self.say(label);
            self.raw("</dt><dd><code>");
            escape(value, &mut self.html);
            self.raw("</code></dd>\n");
        }
        self.raw("</dl>\n");
    }

    fn items(&mut self, items: &[Cow<'_, str>]) {
        let longest = items.iter().map(|item| item.chars().count()).max().unwrap_or(0);
        // Wide enough for the longest in a face of figures alike in width; the list wraps where it has to.
        // Pages of contests let no style in but the style sheet's: a width is one of its classes.
        let width = ITEM_WIDTHS.into_iter().find(|&width| longest <= width).unwrap_or(WIDEST_ITEM);
        let _ = writeln!(self.html, "<ul class=\"items w{width}\">");
        for item in items {
            self.raw("<li>");
            escape(item, &mut self.html);
            self.raw("</li>\n");
        }
        self.raw("</ul>\n");
    }

    fn table(&mut self, table: &Table<'_>) {
        self.raw("<table class=\"cards\">\n<caption class=\"unseen\">");
        self.say(&table.name);
        self.raw("</caption>\n<thead><tr>");
        for column in &table.columns {
            match column.kind {
                Kind::Text => self.raw("<th scope=\"col\">"),
                Kind::Figure => self.raw("<th scope=\"col\" class=\"n\">"),
                // The figures beside it say the same.
                Kind::Bar => {
                    self.raw("<td class=\"drawn\" aria-hidden=\"true\"></td>");
                    continue;
                }
            }
            self.say(&column.head);
            self.raw("</th>");
        }
        self.raw("</tr></thead>\n<tbody>\n");
        for row in &table.rows {
            self.raw("<tr>");
            for (number, (cell, column)) in row.iter().zip(&table.columns).enumerate() {
                self.cell(number == 0, cell, column);
            }
            self.raw("</tr>\n");
        }
        self.raw("</tbody>\n</table>\n");
    }

    fn cell(&mut self, first: bool, cell: &Cell<'_>, column: &Column<'_>) {
        let element = if first { "th" } else { "td" };
        match (first, column.kind) {
            (true, _) => self.raw("<th scope=\"row\">"),
            (false, Kind::Bar) => self.raw("<td class=\"drawn\" aria-hidden=\"true\">"),
            (false, Kind::Figure) => self.open(&column.head, "n"),
            (false, Kind::Text) => self.open(&column.head, "t"),
        }
        match cell {
            Cell::Said(phrase) => self.say(phrase),
            Cell::Link(phrase, id) => {
                let _ = write!(self.html, "<a href=\"#{id}\">");
                self.say(phrase);
                self.raw("</a>");
            }
            Cell::Bar(bar) => self.raw(&bar.svg()),
        }
        let _ = write!(self.html, "</{element}>");
    }

    /// A cell that names its column where the row is a card.
    fn open(&mut self, head: &Phrase<'_>, class: &str) {
        let _ = match head {
            Phrase::Say(text, _) => write!(self.html, "<td class=\"{class} l-{}\">", text.id()),
            Phrase::Name(name) => {
                let _ = write!(self.html, "<td class=\"{class}\" data-label=\"");
                escape(name, &mut self.html);
                write!(self.html, "\">")
            }
            _ => write!(self.html, "<td class=\"{class}\">"),
        };
    }
}
