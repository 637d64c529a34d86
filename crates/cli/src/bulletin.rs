//! The files of a bulletin.

use std::collections::BTreeMap;

use tallyproof_count::bulletin::Document;
use tallyproof_count::bundle::BulletinFile;
use tallyproof_log::note::VerifierKey;
use tallyproof_record::statement::Bulletin;

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

/// The same as a page, and as paper in each language. `hash` is the SHA-256 of the document's JSON.
fn pages(_: &Document, _hash: &[u8; 32], _log: &VerifierKey) -> anyhow::Result<Vec<(BulletinFile, Vec<u8>)>> {
    Ok(Vec::new())
}
