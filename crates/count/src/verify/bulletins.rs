//! Bulletins: each states the root, the totals and the document of a tree size that the log has left behind; its files hold that
//! document, and the checkpoint that binds it.

use std::collections::BTreeSet;

use tallyproof_log::{checkpoint::Checkpoint, note::VerifierKey, tree::Tree};
use tallyproof_record::Problem;

use super::{
    Source, fetch,
    notes::{self, Stated, Statements},
    quorum,
};
use crate::{
    bulletin::{self, Contradiction, Document, Form, first_difference},
    bundle::{self, BulletinFile},
    check::Check,
    ledger::Ledger,
    manifest::BundlePath,
    statements::IssuedBulletin,
};

/// What a bundle holds of its bulletins.
pub(super) struct Published<'a> {
    pub(super) source: &'a dyn Source,
    pub(super) statements: &'a Statements,
    /// Every file, where the source can list them.
    pub(super) listing: Option<&'a [String]>,
}

/// What was found.
#[derive(Default)]
pub(super) struct Found {
    /// With the log index of the bulletin's entry.
    pub(super) problems: Vec<(u64, Problem)>,
    pub(super) warnings: Vec<Problem>,
}

/// Recomputes what the bulletins in effect state, from the `since`-th on, and what a bundle publishes of them.
pub(super) fn check(ledger: &Ledger, tree: &Tree, since: usize, published: Option<&Published<'_>>) -> Found {
    let mut found = Found::default();
    let bulletins = ledger.bulletins().get(since..).unwrap_or_default();
    bulletin::recompute(ledger, tree, bulletins, |issued, document| {
        let json = document.to_json();
        let mut add = |problem| found.problems.push((issued.entry, problem));
        check_statement(issued, document, &json).for_each(&mut add);
        if let Some(published) = published.filter(|published| published.has(issued)) {
            published.check_documents(issued, document, &json).for_each(&mut add);
        }
    });
    if let Some(published) = published {
        for issued in bulletins.iter().filter(|issued| published.has(issued)) {
            published.check_checkpoint(ledger, tree, issued, &mut found);
        }
        found.problems.extend(published.check_strays(bulletins).map(|problem| (0, problem)));
    }
    found
}

/// What the statement says of the log.
fn check_statement(issued: &IssuedBulletin, document: &Document, json: &[u8]) -> impl Iterator<Item = Problem> {
    let (place, stated) = (format!("entry {}", issued.entry), issued.stated);
    Contradiction::between(&document.statement(json), &stated).into_iter().map(move |what| {
        let what = format!("bulletin {}, at tree size {}: {what}", stated.number, stated.tree_size);
        Check::Bulletin.problem(&place, what)
    })
}

impl Published<'_> {
    /// Whether what is published was made when the bulletin was in the log.
    fn has(&self, issued: &IssuedBulletin) -> bool {
        self.statements.manifest.as_ref().is_some_and(|manifest| manifest.value.tree_size > issued.entry)
    }

    fn check_documents(
        &self,
        issued: &IssuedBulletin,
        document: &Document,
        json: &[u8],
    ) -> impl Iterator<Item = Problem> {
        let csv = document.to_csv();
        let files = [(BulletinFile::Json, Form::Json, json), (BulletinFile::Csv, Form::Csv, csv.as_slice())];
        let wrong = files.map(|(file, form, expected)| {
            let path = file.path(issued.stated.number);
            let found = match fetch(self.source, &path) {
                Ok(found) => found,
                Err(problem) => return Some(problem),
            };
            first_difference(form, &found, expected).map(|what| Check::BulletinFile.problem(path, what))
        });
        wrong.into_iter().flatten()
    }

    /// The checkpoint that shows whom the bulletin's log was shown to.
    fn check_checkpoint(&self, ledger: &Ledger, tree: &Tree, issued: &IssuedBulletin, found: &mut Found) {
        let path = BulletinFile::Checkpoint.path(issued.stated.number);
        let bytes = match notes::fetch_if_there(self.source, &path) {
            Ok(Some(bytes)) => bytes,
            Ok(None) => {
                let what = "no checkpoint with the witnesses' quorum binds the bulletin";
                let missing = Check::BulletinCheckpoint.problem(path, what);
                if self.statements.frozen.is_some() {
                    found.problems.push((issued.entry, missing));
                } else {
                    found.warnings.push(missing);
                }
                return;
            }
            Err(problem) => return found.problems.push((issued.entry, problem)),
        };
        let size = issued.stated.tree_size;
        let problems = check_checkpoint(self.statements, ledger, tree, bytes, size, &path);
        found.problems.extend(problems.into_iter().map(|problem| (issued.entry, problem)));
    }

    /// Files below `bulletins/` that no bulletin in effect has.
    fn check_strays(&self, bulletins: &[IssuedBulletin]) -> impl Iterator<Item = Problem> {
        let named = bulletins.iter().flat_map(|it| BulletinFile::ALL.map(|file| file.path(it.stated.number)));
        let named: BTreeSet<String> = named.collect();
        let listed = self.statements.manifest.iter().flat_map(|it| it.value.files.keys()).map(BundlePath::as_str);
        let present = self.listing.into_iter().flatten().map(String::as_str);
        let below: BTreeSet<&str> = listed.chain(present).filter(|path| path.starts_with(bundle::BULLETINS)).collect();
        let strays = below.into_iter().filter(|path| !named.contains(*path));
        let what = "no bulletin in effect has this file; remove it";
        strays.map(|path| Check::BulletinStray.problem(path, what)).collect::<Vec<_>>().into_iter()
    }
}

/// What is wrong with a note that is to bind a bulletin of this tree size.
pub(super) fn check_checkpoint(
    statements: &Statements,
    ledger: &Ledger,
    tree: &Tree,
    bytes: Vec<u8>,
    tree_size: u64,
    path: &str,
) -> Vec<Problem> {
    let mut problems = Vec::new();
    if let (Some(note), Some(log)) = (statements.open_checkpoint(bytes, path, &mut problems), &statements.log) {
        let wrong = wrong_with(ledger, tree, log, &note, tree_size);
        problems.extend(wrong.into_iter().map(|what| Check::BulletinCheckpoint.problem(path, what)));
    }
    problems
}

/// Why a checkpoint does not bind a bulletin of this tree size.
fn wrong_with(ledger: &Ledger, tree: &Tree, log: &VerifierKey, note: &Stated<Checkpoint>, size: u64) -> Vec<String> {
    let stated = &note.value;
    let mut wrong = Vec::new();
    if stated.size < size {
        wrong.push(format!("it is of tree size {}, the bulletin of {size}", stated.size));
    }
    match tree.root_at(stated.size) {
        None => wrong.push(format!("its tree size {} is beyond the log's", stated.size)),
        Some(root) if root != stated.root => {
            let (root, of) = (root.to_base64(), stated.root.to_base64());
            wrong.push(format!("the log's root at tree size {} is {root}, it states {of}", stated.size));
        }
        Some(_) => {}
    }
    match quorum::stated(ledger, log, stated.size) {
        Ok(policy) if !policy.satisfied_by(&quorum::cosigners(&policy, note)) => {
            wrong.push("the quorum of the policy in force at its tree size is not met".into());
        }
        // A policy that cannot be read is told of once.
        Ok(_) | Err(_) => {}
    }
    wrong
}
