//! One part of a recount: the entries are read and judged in parallel, compared with the log's tree, and counted in order.

use std::ops::ControlFlow;

use tallyproof_count::{
    Ledger, Source, bundle,
    check::Check,
    keyring::Keyring,
    verify::{
        self, Progress,
        entries::{self, ReadBundle, Sink, Span},
    },
};
use tallyproof_log::{
    merkle::Hash,
    tile::{FULL_WIDTH, TilePath},
    tree::Tree,
};
use tallyproof_record::Problem;

use crate::follower::{Follower, Keep, Trouble, totals_hash};

/// Findings that are kept in words: a log full of bad entries must not fill the memory.
const KEPT: usize = 100;

/// What no honest log holds.
#[derive(Clone, Debug, Default)]
pub(crate) struct Findings {
    kept: Vec<Problem>,
    count: u64,
    first: Option<u64>,
}

impl Findings {
    pub(crate) fn all(&self) -> (&[Problem], u64) {
        (&self.kept, self.count)
    }

    /// Log index of the first.
    pub(crate) fn first_index(&self) -> Option<u64> {
        self.first
    }

    pub(crate) fn add(&mut self, index: u64, problem: Problem) {
        self.first = Some(self.first.map_or(index, |first| first.min(index)));
        self.count += 1;
        if self.kept.len() < KEPT {
            self.kept.push(problem);
        }
    }
}

/// Recounts the entries `from..end`; returns the hash of the totals at those of the `marks` that were passed.
pub(crate) fn walk(
    follower: &mut Follower,
    source: &dyn Source,
    (from, end): (u64, u64),
    marks: &[u64],
    keep: &mut dyn Keep,
    progress: Progress<'_>,
) -> Result<Vec<(u64, Hash)>, Trouble> {
    let definition = std::sync::Arc::clone(follower.ledger().definition());
    let (tree, ledger, findings) = follower.parts();
    let mut part = Part { tree, ledger, findings, marks, keep, passed: Vec::new(), trouble: None };
    let whole = entries::walk(source, Span { from, size: end }, Some(&definition), &mut part, progress);
    match part.trouble {
        Some(trouble) => Err(trouble),
        None if whole => Ok(part.passed),
        None => Err(Trouble::Unreadable(Check::Missing.problem(bundle::CHECKPOINT, "the log's entries are not there"))),
    }
}

struct Part<'a> {
    tree: &'a Tree,
    ledger: &'a mut Ledger,
    findings: &'a mut Findings,
    marks: &'a [u64],
    keep: &'a mut dyn Keep,
    passed: Vec<(u64, Hash)>,
    trouble: Option<Trouble>,
}

impl Part<'_> {
    fn take(&mut self, tile: &TilePath, read: Result<ReadBundle, Problem>) -> Result<(), Trouble> {
        let read = read.map_err(Trouble::Unreadable)?;
        let first = tile.index().saturating_mul(u64::from(FULL_WIDTH));
        // Before any is counted or stored: a source that alters an entry must leave no trace.
        let altered = (first..).zip(&read.entries).find(|(index, entry)| self.tree.leaf(*index) != Some(entry.leaf));
        if let Some((index, _)) = altered {
            let what = format!("entry {index} is not the one that the log's tree has; its bytes were altered");
            return Err(Trouble::Unreadable(Check::EntryAltered.problem(bundle::tile_path(tile), what)));
        }
        self.keep.keep(tile, &read.bytes).map_err(Trouble::Storing)?;
        for (index, entry) in (first..).zip(read.entries) {
            let Some(judged) = entry.judged else { continue };
            if let Some(problem) = verify::apply(self.ledger, index, judged) {
                self.findings.add(index, problem);
            }
            if self.marks.contains(&(index + 1)) {
                self.passed.push((index + 1, totals_hash(self.ledger)));
            }
        }
        Ok(())
    }
}

impl Sink for Part<'_> {
    fn keyring(&self) -> Option<&Keyring> {
        Some(self.ledger.keyring()).filter(|keys| !keys.is_empty())
    }

    fn bundle(&mut self, tile: TilePath, read: Result<ReadBundle, Problem>) -> ControlFlow<()> {
        match self.take(&tile, read) {
            Ok(()) => ControlFlow::Continue(()),
            Err(trouble) => {
                self.trouble = Some(trouble);
                ControlFlow::Break(())
            }
        }
    }
}
