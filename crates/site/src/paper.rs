//! Blocks on paper: A4 pages as a tagged PDF (PDF/UA-1 and PDF/A-2a), the same bytes for the same blocks.
//!
//! Three steps: the faces know the letters' widths, the flow puts everything in its place, the writer makes the file. Text is not
//! shaped: Latin, Greek and Cyrillic need no more than one glyph for each character. A character that the face lacks is shown as
//! U+FFFD, and stands in the file as it is for whoever copies or hears it.

mod faces;
mod flow;
mod table;
mod writer;

use crate::bulletin::content::{Block, Speaker};

/// What stands on every page, and in the file's description.
pub(crate) struct Letterhead {
    /// The file's title.
    pub(crate) title: String,
    /// At the top left.
    pub(crate) head: String,
    /// At the top right.
    pub(crate) aside: String,
    /// The words that mark a rehearsal; `None` for an official count.
    pub(crate) drill: Option<String>,
    /// Lines at the bottom.
    pub(crate) foot: Vec<String>,
    /// When the document was made, seconds since 1970-01-01T00:00:00Z.
    pub(crate) made_at: u64,
}

/// Why there is no paper.
#[derive(Debug, thiserror::Error)]
pub enum PaperError {
    /// The face that is built in cannot be read.
    #[error("the font of the bulletin's PDF cannot be read; the program was built from damaged sources")]
    Font,
    /// The PDF writer refuses.
    #[error(
        "the bulletin's PDF cannot be written ({0}); the HTML, JSON and CSV of the bulletin are complete without it"
    )]
    Writer(String),
}

/// The blocks as a PDF.
pub(crate) fn pdf(blocks: &[Block<'_>], letterhead: &Letterhead, speaker: &Speaker) -> Result<Vec<u8>, PaperError> {
    let faces = faces::faces().ok_or(PaperError::Font)?;
    let sheets = flow::set(blocks, letterhead, speaker, faces);
    writer::write(&sheets, letterhead, speaker, faces)
}
