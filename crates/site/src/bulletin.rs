//! A bulletin to read: one page in three languages, and a PDF in each. Both show what `bulletin.json` holds, in the same words.
//!
//! A function of the document, the definition and the log's key; the same input gives the same bytes.

pub(crate) mod calendar;
pub(crate) mod content;
mod contest;
mod front;
mod page;
mod seats;
mod settled;

use tallyproof_count::{Outcome, bulletin::Document, settled::Statement};
use tallyproof_log::note::VerifierKey;
use tallyproof_record::{
    Election, Phase,
    definition::{Committed, Contest},
};

use crate::{
    messages::{Lang, Text},
    paper::{self, Letterhead},
};
use content::{Block, Phrase, Speaker};
use settled::Common;

pub use crate::paper::PaperError;
pub(crate) use page::Fragments;

/// A bulletin of more contests than this leaves ballot lines, parties and smaller areas to the JSON and the CSV: nobody reads
/// hundreds of contests line by line, and the bulletin has to be out within a second.
const DETAILED: usize = 40;

/// What is shown.
#[derive(Clone, Copy, Debug)]
pub struct Bulletin<'a> {
    /// The document.
    pub document: &'a Document,
    /// SHA-256 of its JSON: what the authority signs.
    pub hash: &'a [u8; 32],
    /// The definition that it counts under.
    pub definition: &'a Committed,
    /// The log's key; its name is the log's origin.
    pub log: &'a VerifierKey,
}

/// The page in three languages: style and script inside, nothing loaded, complete without the script.
pub fn html(bulletin: &Bulletin<'_>) -> Vec<u8> {
    page::render(bulletin, &blocks(bulletin)).into_bytes()
}

/// The PDF in one language.
pub fn pdf(bulletin: &Bulletin<'_>, lang: Lang) -> Result<Vec<u8>, PaperError> {
    let speaker = Speaker::new(lang);
    paper::pdf(&blocks(bulletin), &letterhead(bulletin, &speaker), &speaker)
}

/// The name of the PDF in a language, beside `bulletin.json`.
pub fn pdf_name(lang: Lang) -> &'static str {
    match lang {
        Lang::En => "bulletin.pdf",
        Lang::Es => "bulletin.es.pdf",
        Lang::Pt => "bulletin.pt.pdf",
    }
}

/// The languages of the PDFs. Of hundreds of contests there is one in English alone: each takes half a second, and the page, which
/// has every language, prints as well.
pub fn languages(election: &Election) -> &'static [Lang] {
    if is_compact(election) { &[Lang::En] } else { &Lang::ALL }
}

/// Files of a bulletin's folder beside its page, by what they are.
pub(crate) fn forms(election: &Election) -> Vec<(&'static str, Text)> {
    let pdf = |&lang: &Lang| {
        let text = match lang {
            Lang::En => Text::BulletinPdfEnglish,
            Lang::Es => Text::BulletinPdfSpanish,
            Lang::Pt => Text::BulletinPdfPortuguese,
        };
        (pdf_name(lang), text)
    };
    let data = [("bulletin.json", Text::BulletinJson), ("bulletin.csv", Text::BulletinCsv)];
    languages(election).iter().map(pdf).chain(data).collect()
}

/// What can still change in a contest, with all that it rests on.
pub(crate) fn settled<'a>(election: &'a Election, outcome: &'a Outcome) -> Vec<Block<'a>> {
    settled::said(election, &outcome.settled, &Common::default())
}

/// A contest's seats with their heading; nothing where the votes say as much.
pub(crate) fn seats<'a>(contest: &'a Contest, outcome: &'a Outcome) -> Vec<Block<'a>> {
    let own = settled::own(&outcome.settled);
    let mut blocks = outcome
        .seats
        .iter()
        .flat_map(|seats| seats::blocks(contest, &outcome.question, seats, own))
        .collect::<Vec<_>>();
    if let Some(Block::Heading { level, .. }) = blocks.first_mut() {
        *level = 2;
    }
    blocks
}

/// The most votes that can still come in, where that is known.
pub(crate) fn reach(outcome: &Outcome) -> Option<u64> {
    settled::own(&outcome.settled).and_then(Statement::bound)
}

/// All that is shown, from the first page on.
fn blocks<'a>(bulletin: &Bulletin<'a>) -> Vec<Block<'a>> {
    let contests = &bulletin.document.contests;
    let answers = contests.iter().filter_map(|contest| contest.outcome.settled.as_ref().ok());
    let common = if is_compact(bulletin.definition.election()) { Common::of(answers) } else { Common::default() };
    let mut blocks = front::blocks(bulletin, &common);
    for contest in contests {
        blocks.extend(contest::blocks(bulletin, contest, &common));
    }
    blocks
}

/// Whether there are too many contests to show everything of each.
fn is_compact(election: &Election) -> bool {
    election.contests().len() > DETAILED
}

/// `Bulletin 3`.
fn title(bulletin: &Bulletin<'_>) -> Phrase<'static> {
    Phrase::Say(Text::BulletinTitle, vec![("number", bulletin.document.number.to_string().into())])
}

fn letterhead(bulletin: &Bulletin<'_>, speaker: &Speaker) -> Letterhead {
    let Bulletin { document, definition, .. } = bulletin;
    let election = definition.election();
    let said = |phrase: &Phrase<'_>| speaker.say(phrase).into_owned();
    let title = said(&title(bulletin));
    let size = said(&Phrase::Say(Text::LogState, vec![("size", document.tree_size.into())]));
    let labelled = |text: Text, value: &str| format!("{}: {value}", said(&text.into()));
    Letterhead {
        title: format!("{title} · {}", election.name()),
        head: election.name().to_owned(),
        aside: title,
        drill: (election.phase() == Phase::Drill).then(|| said(&Text::DrillBanner.into())),
        foot: vec![
            format!("{size} · {}", labelled(Text::FactRoot, &document.root.to_base64())),
            labelled(Text::FactDefinition, &definition.hash().to_string()),
            labelled(Text::BulletinFactDocument, &hex(bulletin.hash)),
        ],
        made_at: document.made_at,
    }
}

/// Bytes as people compare them.
fn hex(bytes: &[u8]) -> String {
    use std::fmt::Write;
    bytes.iter().fold(String::with_capacity(bytes.len() * 2), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}
