//! What a bulletin shows, said once: blocks of phrases that the page and the paper each set in their own way, so that both
//! always say the same.

use std::borrow::Cow;

use tallyproof_count::share::Percent;

use crate::{
    chart::Bar,
    messages::{Lang, Messages, Text, Value},
    number::{grouped, signed},
};

/// Something to say, in whatever language.
#[derive(Clone, Debug)]
pub(crate) enum Phrase<'a> {
    /// A message with its values by name.
    Say(Text, Vec<(&'static str, Part<'a>)>),
    /// A name or an id, alike in every language.
    Name(Cow<'a, str>),
    /// A figure with its thousands apart.
    Count(u64),
    /// A figure with its sign.
    Change(i64),
    /// A percentage; a dash where there is nothing to be a part of.
    Share(Option<Percent>),
    /// One after the other.
    Join(Vec<Self>),
}

/// What a message leaves open.
#[derive(Clone, Debug)]
pub(crate) enum Part<'a> {
    /// A number of things; chooses singular or plural.
    Count(u64),
    /// Whatever else.
    Phrase(Phrase<'a>),
}

impl<'a> Phrase<'a> {
    /// A message that leaves one count open, named `n`.
    pub(crate) fn n(text: Text, count: u64) -> Self {
        Self::Say(text, vec![("n", Part::Count(count))])
    }

    /// A name or id.
    pub(crate) fn name(name: impl Into<Cow<'a, str>>) -> Self {
        Self::Name(name.into())
    }
}

impl From<Text> for Phrase<'_> {
    fn from(text: Text) -> Self {
        Self::Say(text, Vec::new())
    }
}

impl From<u64> for Part<'_> {
    fn from(count: u64) -> Self {
        Self::Count(count)
    }
}

impl<'a> From<Phrase<'a>> for Part<'a> {
    fn from(phrase: Phrase<'a>) -> Self {
        Self::Phrase(phrase)
    }
}

impl<'a> From<&'a str> for Part<'a> {
    fn from(text: &'a str) -> Self {
        Self::Phrase(Phrase::name(text))
    }
}

impl From<String> for Part<'_> {
    fn from(text: String) -> Self {
        Self::Phrase(Phrase::name(text))
    }
}

/// One block below the other.
#[derive(Clone, Debug)]
pub(crate) enum Block<'a> {
    /// A heading. Those of level 2 begin a contest.
    Heading { level: u8, id: String, text: Phrase<'a>, place: Option<&'a str> },
    /// Text.
    Paragraph(Style, Phrase<'a>),
    /// A list.
    Bullets(Vec<Phrase<'a>>),
    /// Labels, each with a value to compare letter by letter.
    Facts(Vec<(Phrase<'a>, String)>),
    /// Blocks that belong together and stand out.
    Panel(Vec<Self>),
    /// Stations by status as one bar, with its key.
    Progress(Progress),
    /// Rows and columns.
    Table(Table<'a>),
    /// Many short texts side by side.
    Items(Vec<Cow<'a, str>>),
}

/// How text is set.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Style {
    /// A figure that is read first.
    Figure,
    /// As it is.
    Body,
    /// An assertion, which its premises follow.
    Statement,
    /// Beside the matter.
    Note,
}

/// Stations by status.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Progress {
    pub(crate) counted: u64,
    pub(crate) quarantined: u64,
    pub(crate) missing: u64,
    pub(crate) expected: u64,
}

impl Progress {
    /// Each status with its stations, in the order of the bar.
    pub(crate) fn key(self) -> [(&'static str, Text, u64); 3] {
        [
            ("counted", Text::ColumnCounted, self.counted),
            ("quarantined", Text::ColumnQuarantined, self.quarantined),
            ("missing", Text::ColumnMissing, self.missing),
        ]
    }
}

/// A table.
#[derive(Clone, Debug)]
pub(crate) struct Table<'a> {
    /// What it is; heard, not seen.
    pub(crate) name: Phrase<'a>,
    pub(crate) columns: Vec<Column<'a>>,
    /// As many cells as columns; the first is the row's heading.
    pub(crate) rows: Vec<Vec<Cell<'a>>>,
}

/// A column.
#[derive(Clone, Debug)]
pub(crate) struct Column<'a> {
    pub(crate) head: Phrase<'a>,
    pub(crate) kind: Kind,
}

/// What a column holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// Text, which may need several lines.
    Text,
    /// Figures, which end at the same place.
    Figure,
    /// Bars on one scale.
    Bar,
}

impl<'a> Column<'a> {
    pub(crate) fn text(head: impl Into<Phrase<'a>>) -> Self {
        Self { head: head.into(), kind: Kind::Text }
    }

    pub(crate) fn figure(head: impl Into<Phrase<'a>>) -> Self {
        Self { head: head.into(), kind: Kind::Figure }
    }

    pub(crate) fn bar(head: impl Into<Phrase<'a>>) -> Self {
        Self { head: head.into(), kind: Kind::Bar }
    }
}

/// A cell.
#[derive(Clone, Debug)]
pub(crate) enum Cell<'a> {
    /// Words or a figure.
    Said(Phrase<'a>),
    /// Words that lead to a heading, by its id.
    Link(Phrase<'a>, String),
    /// A bar.
    Bar(Bar),
}

impl<'a> From<Phrase<'a>> for Cell<'a> {
    fn from(phrase: Phrase<'a>) -> Self {
        Self::Said(phrase)
    }
}

/// A language's words, the fixed ones looked up once.
pub(crate) struct Speaker {
    messages: Messages,
    /// By position in [`Text::ALL`].
    plain: Vec<String>,
}

impl Speaker {
    pub(crate) fn new(lang: Lang) -> Self {
        let messages = Messages::new(lang);
        let plain = Text::ALL.iter().map(|&text| messages.text(text)).collect();
        Self { messages, plain }
    }

    pub(crate) fn lang(&self) -> Lang {
        self.messages.lang()
    }

    /// The phrase in this language.
    pub(crate) fn say<'s>(&'s self, phrase: &'s Phrase<'_>) -> Cow<'s, str> {
        if let Some(text) = alike(phrase) {
            return text;
        }
        match phrase {
            Phrase::Say(text, open) if open.is_empty() => {
                Cow::Borrowed(self.plain.get(*text as usize).map_or("", String::as_str))
            }
            Phrase::Say(text, open) => Cow::Owned(self.message(*text, open)),
            Phrase::Share(Some(share)) => Cow::Owned(percent(*share, self.lang())),
            Phrase::Join(parts) => {
                let parts: Vec<_> = parts.iter().map(|part| self.say(part)).collect();
                Cow::Owned(parts.join(" "))
            }
            Phrase::Name(_) | Phrase::Count(_) | Phrase::Change(_) | Phrase::Share(None) => Cow::Borrowed(""),
        }
    }

    fn message(&self, text: Text, open: &[(&'static str, Part<'_>)]) -> String {
        let said = |part| match part {
            &Part::Count(_) => Cow::Borrowed(""),
            Part::Phrase(phrase) => self.say(phrase),
        };
        let said: Vec<_> = open.iter().map(|(_, part)| said(part)).collect();
        let values = open.iter().zip(&said).map(|((name, part), said)| match part {
            Part::Count(count) => (*name, Value::Count(*count)),
            Part::Phrase(_) => (*name, Value::Text(said)),
        });
        self.messages.with(text, &values.collect::<Vec<_>>())
    }
}

/// The phrase, if it is the same in every language.
pub(crate) fn alike<'s>(phrase: &'s Phrase<'_>) -> Option<Cow<'s, str>> {
    match phrase {
        Phrase::Name(name) => Some(Cow::Borrowed(name)),
        Phrase::Count(count) => Some(Cow::Owned(grouped(*count))),
        Phrase::Change(change) => Some(Cow::Owned(signed(*change))),
        Phrase::Share(None) => Some(Cow::Borrowed("–")),
        Phrase::Say(..) | Phrase::Share(Some(_)) | Phrase::Join(_) => None,
    }
}

/// With the language's decimal mark.
fn percent(share: Percent, lang: Lang) -> String {
    let (whole, rest) = (share.hundredths() / 100, share.hundredths() % 100);
    format!("{whole}{}{rest:02}{}%", lang.decimal_mark(), lang.before_per_cent())
}
