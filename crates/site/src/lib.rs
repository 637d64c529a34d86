//! Pages from a count: static, complete without JavaScript, three languages on each page.
//!
//! Pure: no socket, file, clock, randomness, async or `unsafe`; the same count gives the same bytes.
//!
//! | module | what |
//! |---|---|
//! | [`messages`] | every word, in English, Spanish and Portuguese; serves the terminal forms too |
//! | [`number`] | figures as text: thousands apart, shares rounded half up |
//! | [`bulletin`] | a bulletin as one page, and as a PDF |
//! | [`drill`] | the report of a drill as one file |
//! | [`witness`] | the page of a witness, as one file |
//!
//! [`render`] gives the files of the bundle's `site/` folder.

pub mod bulletin;
mod chart;
pub mod drill;
pub mod messages;
pub mod number;
mod pages;
mod palette;
mod paper;
mod standing;
mod style;
mod view;
pub mod witness;
mod words;

use tallyproof_count::{Totals, ledger::Ledger, outcome};
use tallyproof_log::{merkle::Hash, note::VerifierKey};

pub use messages::{Lang, Messages, Text};

/// What the pages are made from.
#[derive(Clone, Copy, Debug)]
pub struct SiteInput<'a> {
    /// The state of the count; its tree size stands on the pages.
    pub ledger: &'a Ledger,
    /// The sums of that ledger.
    pub totals: &'a Totals,
    /// The log's Merkle root at that tree size.
    pub root: &'a Hash,
    /// The log's key; its name is the log's origin.
    pub log: &'a VerifierKey,
    /// What witnesses have said of it.
    pub witnessing: Witnessing<'a>,
}

/// How far the log is beyond its maker's word.
#[derive(Clone, Copy, Debug, Default)]
pub struct Witnessing<'a> {
    /// Whether nothing follows.
    pub finished: bool,
    /// Size of the latest checkpoint with the cosignatures that the policy asks for; 0 for none.
    pub size: u64,
    /// The witnesses that cosigned it.
    pub witnesses: &'a [String],
}

/// The folder `site/`: paths from the bundle's root with their bytes, sorted by path.
pub fn render(input: &SiteInput<'_>) -> Vec<(String, Vec<u8>)> {
    let outcomes = outcome::of(input.ledger, input.totals);
    let contests = view::ContestView::all(input.ledger, input.totals, &outcomes);
    let mut files = pages::all(input, &contests);
    files.push(("style.css".to_owned(), style::sheet()));
    files.push(("language.js".to_owned(), include_str!("../templates/language.js").to_owned()));
    files.sort();
    files.into_iter().map(|(path, text)| (format!("site/{path}"), text.into_bytes())).collect()
}
