//! Bulletins as files: rendered from the log, and shown to people.

mod text;

use std::collections::BTreeMap;

use rayon::iter::{IntoParallelRefIterator, ParallelIterator};
use tallyproof_count::Ledger;
use tallyproof_count::bulletin::{Document, recompute};
use tallyproof_count::bundle::BulletinFile;
use tallyproof_count::statements::IssuedBulletin;
use tallyproof_log::note::VerifierKey;
use tallyproof_log::tree::Tree;
use tallyproof_record::statement::Bulletin;
use tallyproof_site::Lang;
use tallyproof_site::bulletin::{self as page, PaperError};

pub use text::write_contests;

/// A bulletin as the log gives it, and its files but the checkpoint.
#[derive(Debug)]
pub struct Rendered {
    /// What its statement has to say.
    pub stated: Bulletin,
    /// When it was drafted.
    pub made_at: u64,
    /// The files.
    pub files: BTreeMap<BulletinFile, Vec<u8>>,
}

impl Rendered {
    /// Renders a document; `log` is the log's key.
    pub fn of(document: &Document, log: &VerifierKey) -> anyhow::Result<Self> {
        let json = document.to_json();
        let (stated, made_at) = (document.statement(&json), document.made_at);
        let (csv, pages) = rayon::join(|| document.to_csv(), || pages(document, &stated.document, log));
        let mut files = BTreeMap::from([(BulletinFile::Json, json), (BulletinFile::Csv, csv)]);
        files.extend(pages?);
        Ok(Self { stated, made_at, files })
    }
}

/// The same as a page, and as paper in each language, side by side. `hash` is the SHA-256 of the document's JSON.
fn pages(
    document: &Document,
    hash: &[u8; 32],
    log: &VerifierKey,
) -> anyhow::Result<impl Iterator<Item = (BulletinFile, Vec<u8>)>> {
    let definition = document.totals.definition();
    let bulletin = page::Bulletin { document, hash, definition, log };
    let paper = |&lang: &Lang| Ok((page::pdf_name(lang), page::pdf(&bulletin, lang)?));
    let papers =
        || page::languages(definition.election()).par_iter().map(paper).collect::<Result<Vec<_>, PaperError>>();
    let (papers, html) = rayon::join(papers, || page::html(&bulletin));
    let files = papers?.into_iter().chain([("bulletin.html", html)]);
    Ok(files.filter_map(|(name, bytes)| Some((BulletinFile::from_name(name)?, bytes))))
}

/// What the log gives for a bulletin of this number, tree size and time; `None` if it has no such tree size.
pub fn given(ledger: &Ledger, tree: &Tree, number: u32, tree_size: u64, made_at: u64) -> Option<Given> {
    let wanted = Bulletin { number, tree_size, root: [0; 32], totals: [0; 32], document: [0; 32] };
    let wanted = IssuedBulletin { entry: tree_size, id: [0; 32], made_at, stated: wanted };
    let mut given = None;
    recompute(ledger, tree, &[wanted], |_, document| {
        given = Some(Given { stated: document.statement(&document.to_json()), document: document.clone() });
    });
    given.filter(|_| tree_size <= ledger.entries())
}

/// A bulletin as the log gives it.
#[derive(Debug)]
pub struct Given {
    /// What its statement has to say.
    pub stated: Bulletin,
    /// All of it.
    pub document: Document,
}
