//! Redoes everything that a bundle states, from its bytes alone, and lists all that does not hold (`docs/spec/bundle.md`).
//!
//! Nothing in the bundle is believed because it says so: every signature, hash, rule and sum is computed again.

mod bulletins;
pub mod entries;
mod files;
mod notes;
mod quorum;
mod statement;
mod tiles;

use std::{
    collections::{BTreeMap, BTreeSet},
    ops::ControlFlow,
    sync::Arc,
};

use serde::Serialize;
use tallyproof_log::{fork::Fork, merkle::Hash, note::VerifierKey, tile::TilePath, tree::Tree};
use tallyproof_record::{
    Problem,
    definition::{Committed, package},
};
use thiserror::Error;

use self::{
    bulletins::Published,
    entries::{Leaves, ReadBundle, Sink, Span},
    notes::Statements,
    quorum::Witnessing,
    tiles::Log,
};
use crate::{
    bundle,
    check::Check,
    judge::Judged,
    keyring::Keyring,
    ledger::{Applied, Ledger},
    manifest::Manifest,
    totals::Totals,
    trust::Trust,
};

/// Where a bundle's files come from: a folder, a URL, memory. Paths are relative, with `/`.
pub trait Source: Sync {
    /// The bytes of a file; `None` if there is none.
    fn read(&self, path: &str) -> Result<Option<Vec<u8>>, String>;

    /// Every file that is there; `None` if the source cannot tell, as a web server cannot.
    fn list(&self) -> Result<Option<Vec<String>>, String>;
}

/// A bundle in memory.
impl Source for BTreeMap<String, Vec<u8>> {
    fn read(&self, path: &str) -> Result<Option<Vec<u8>>, String> {
        Ok(self.get(path).cloned())
    }

    fn list(&self) -> Result<Option<Vec<String>>, String> {
        Ok(Some(self.keys().cloned().collect()))
    }
}

/// Told how many of how many log entries are done; from one thread at a time, in rising order.
pub type Progress<'a> = &'a (dyn Fn(u64, u64) + Sync);

/// What a verification found.
#[derive(Clone, Debug, Serialize)]
pub struct Verification {
    /// Whether there is no problem.
    pub ok: bool,
    /// Whether definition and log key are those that the trust file names, and that key signed the checkpoint. Otherwise the
    /// bundle can at best agree with itself.
    pub anchored: bool,
    /// Entries in the log.
    pub tree_size: u64,
    /// Base64 of the root recomputed from the entries; empty if it could not be.
    pub root: String,
    /// Records in the log, whatever became of them.
    pub records: u64,
    /// Stations counted, once for each contest.
    pub counted: u64,
    /// Stations quarantined, once for each contest.
    pub quarantined: u64,
    /// Stations without a record that could be counted, once for each contest.
    pub missing: u64,
    /// Records rejected.
    pub rejected: u64,
    /// Witnesses of the policy whose cosignatures hold, on the latest checkpoint with the quorum, or else on the latest: of the
    /// trusted policy, or else of the definition's.
    pub cosignatures: u64,
    /// Size of the tree that they cosigned; 0 without any.
    pub cosigned_size: u64,
    /// Whether the log is finished: `log/frozen` pins its final checkpoint.
    pub frozen: bool,
    /// Definition hash; empty if the definition is unusable.
    pub definition: String,
    /// Origin of the log; empty if unknown.
    pub origin: String,
    /// `drill` or `official`; empty if the definition is unusable.
    pub phase: String,
    /// Votes *as counted*, by contest id and candidate id, recomputed from the log.
    pub totals: BTreeMap<String, BTreeMap<String, u64>>,
    /// The same *as it stands*: with the corrections in force.
    pub totals_as_it_stands: BTreeMap<String, BTreeMap<String, u64>>,
    /// Statements in the log, whatever became of them.
    pub statements: u64,
    /// Corrections in force: stations whose figures the authority has replaced or annulled, once for each contest.
    pub corrections: u64,
    /// Records that others than their station have endorsed, or the station once more.
    pub endorsed: u64,
    /// Bulletins in effect.
    pub bulletins: u64,
    /// Everything that does not hold, with its place.
    pub problems: Vec<Problem>,
    /// What does not hold yet in a log that is not finished, with its place.
    pub warnings: Vec<Problem>,
    /// What was shown and what was not, in one paragraph.
    pub statement: String,
    /// The count, if the definition is usable.
    #[serde(skip)]
    pub ledger: Option<Ledger>,
    /// The sums of `ledger`.
    #[serde(skip)]
    pub sums: Option<Totals>,
    /// The log's key, if the bundle names one.
    #[serde(skip)]
    pub log: Option<VerifierKey>,
    /// The log's tree, as far as it could be established.
    #[serde(skip)]
    pub tree: Option<Tree>,
    /// Size of the largest checkpoint that meets the quorum of the policy: of the trusted one, or else of the one in force.
    #[serde(skip)]
    pub quorum_size: Option<u64>,
    #[serde(skip)]
    premises: Premises,
}

impl Verification {
    /// Holds a fork, proven elsewhere, against the bundle: its log has shown another history to somebody. Returns whether the
    /// fork is one of this bundle's log; if not, nothing is changed. `place` names the proof.
    pub fn accuse(&mut self, fork: &Fork, place: &str) -> bool {
        let accused = self.log.as_ref() == Some(&fork.log);
        if accused {
            self.problems.push(Check::Forked.problem(place, fork.to_string()));
            self.ok = false;
            self.statement = statement::of(self, self.premises);
        }
        accused
    }
}

/// Why nothing could be verified at all.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum VerifyError {
    /// None of the files that make a bundle is there.
    #[error(
        "this is not a bundle: it has neither {}, nor {}, nor a definition in election/; give a bundle's folder or URL",
        bundle::MANIFEST,
        bundle::CHECKPOINT
    )]
    NotABundle,
    /// None of them can be read.
    #[error("the bundle cannot be read: {0}")]
    Unreadable(String),
}

/// Verifies a bundle: redoes everything that it states, and lists what does not hold.
///
/// With `trust`, also whether it is the election and the log that the caller means. Where the source cannot list its files, files
/// that the manifest does not list go unseen, and the statement says so.
pub fn verify(source: &dyn Source, trust: Option<&Trust>, progress: Progress<'_>) -> Result<Verification, VerifyError> {
    refuse_what_is_no_bundle(source)?;
    let mut problems = Vec::new();
    let statements = Statements::read(source, trust, &mut problems);
    let manifest = statements.manifest.as_ref().map(|stated| &stated.value);
    // Reading a register is mostly sequential; the files are hashed beside it.
    let (definition, listed) = rayon::join(
        || read_definition(source),
        || manifest.map_or_else(Vec::new, |manifest| files::check_listed(source, manifest)),
    );
    let definition = keep_all(definition, &mut problems);
    let anchored = check_trust(trust, &statements, definition.as_deref(), &mut problems);
    let count = check_log(source, &statements, definition.as_ref(), &mut problems, progress);
    let listing = list(source, &mut problems);
    let trusted = trust.and_then(|trust| trust.policy.as_ref());
    let mut witnessing = quorum::check(&statements, count.ledger.as_ref(), trusted, count.log.tree.as_ref());
    problems.append(&mut witnessing.problems);
    problems.extend(listed);
    let published = Published { source, statements: &statements, listing: listing.as_deref() };
    let bulletins = count.bulletins(&published);
    problems.extend(bulletins.problems.into_iter().map(|(_, problem)| problem));
    witnessing.warnings.extend(bulletins.warnings);
    let size = statements.target().map_or(0, |target| target.size);
    if let Some(present) = &listing {
        problems.extend(files::check_unlisted(present, manifest));
        let tiles: Vec<_> = present.iter().filter(|path| path.starts_with(bundle::TILES)).cloned().collect();
        problems.extend(tiles::check_left_over(source, &tiles, size, count.log.tree.as_ref()));
    }
    // A file that is read for two reasons would be missed twice.
    let mut seen = BTreeSet::new();
    problems.retain(|problem| seen.insert(problem.clone()));
    let premises = Premises { listed: listing.is_some(), policy_given: trusted.is_some() };
    Ok(report(Findings { statements, witnessing, anchored, definition, premises, size }, count, problems))
}

/// Reads a file that has to be there.
fn fetch(source: &dyn Source, path: &str) -> Result<Vec<u8>, Problem> {
    match source.read(path) {
        Ok(Some(bytes)) => Ok(bytes),
        Ok(None) => Err(Check::Missing.problem(path, "the file is missing")),
        Err(error) => Err(unreadable(path, &error)),
    }
}

fn unreadable(path: &str, error: &str) -> Problem {
    Check::Unreadable.problem(path, format!("the file cannot be read: {error}"))
}

fn refuse_what_is_no_bundle(source: &dyn Source) -> Result<(), VerifyError> {
    let essential = [bundle::MANIFEST, bundle::CHECKPOINT].into_iter().chain(bundle::DEFINITION);
    let reads: Vec<_> = essential.map(|path| source.read(path)).collect();
    if reads.iter().any(|read| matches!(read, Ok(Some(_)))) {
        return Ok(());
    }
    match reads.into_iter().find_map(Result::err) {
        Some(error) => Err(VerifyError::Unreadable(error)),
        None => Err(VerifyError::NotABundle),
    }
}

fn list(source: &dyn Source, problems: &mut Vec<Problem>) -> Option<Vec<String>> {
    source.list().unwrap_or_else(|error| {
        problems.push(Check::Unreadable.problem(".", format!("the bundle's files cannot be listed: {error}")));
        None
    })
}

/// Reads the definition in a bundle's `election/`: whether it is the one meant, its hash tells.
pub fn read_definition(source: &dyn Source) -> Result<Arc<Committed>, Vec<Problem>> {
    let (read, missing): (Vec<_>, Vec<_>) = bundle::DEFINITION
        .into_iter()
        .map(|path| fetch(source, path).map(|bytes| (path, bytes)))
        .partition(Result::is_ok);
    let missing: Vec<_> = missing.into_iter().filter_map(Result::err).collect();
    if !missing.is_empty() {
        return Err(missing);
    }
    let name = |path: &str| path.trim_start_matches(bundle::ELECTION).to_owned();
    let files: package::Files = read.into_iter().flatten().map(|(path, bytes)| (name(path), bytes)).collect();
    let in_bundle = |problem: Problem| Problem { place: format!("{}{}", bundle::ELECTION, problem.place), ..problem };
    package::parse_canonical(&files).map(Arc::new).map_err(|problems| problems.into_iter().map(in_bundle).collect())
}

fn keep_all<T>(result: Result<T, Vec<Problem>>, problems: &mut Vec<Problem>) -> Option<T> {
    result.map_err(|found| problems.extend(found)).ok()
}

/// Whether the bundle is the one that the trust file means.
fn check_trust(
    trust: Option<&Trust>,
    statements: &Statements,
    definition: Option<&Committed>,
    problems: &mut Vec<Problem>,
) -> bool {
    let Some(trust) = trust else { return false };
    let found = definition.map(Committed::hash);
    let same_definition = found == Some(&trust.definition);
    if let Some(found) = found.filter(|_| !same_definition) {
        let what = format!("the definition hash is {found}, the trusted one is {}", trust.definition);
        problems.push(Check::TrustDefinition.problem("election/", what));
    }
    let same_log = statements.log.as_ref() == Some(&trust.log);
    if let Some(log) = statements.log.as_ref().filter(|_| !same_log) {
        let what = format!("the log's key is {log}, the trusted one is {}", trust.log);
        problems.push(Check::TrustLog.problem(bundle::VKEYS, what));
    }
    same_definition && same_log && statements.checkpoint.as_ref().is_some_and(notes::Stated::signed)
}

/// What the log gives.
struct Count {
    ledger: Option<Ledger>,
    log: Log,
}

impl Count {
    /// Everything about bulletins, if the entries are those of the log.
    fn bulletins(&self, published: &Published<'_>) -> bulletins::Found {
        let count = self.ledger.as_ref().zip(self.log.tree.as_ref()).filter(|_| self.log.entries_hold);
        count.map(|(ledger, tree)| bulletins::check(ledger, tree, 0, Some(published))).unwrap_or_default()
    }
}

/// Reads the log, recomputes its tree and counts its records; compares the tiles and the index.
fn check_log(
    source: &dyn Source,
    statements: &Statements,
    definition: Option<&Arc<Committed>>,
    problems: &mut Vec<Problem>,
    progress: Progress<'_>,
) -> Count {
    let mut tally = Tallying::new(definition, statements.manifest.as_ref().map(|manifest| &manifest.value));
    let Some(target) = statements.target() else {
        return Count { ledger: tally.ledger, log: Log { tree: None, root: None, entries_hold: false } };
    };
    let whole = entries::walk(source, Span::all(target.size), definition.map(Arc::as_ref), &mut tally, progress);
    let leaves = Leaves { cut: !whole, ..std::mem::take(&mut tally.leaves) };
    problems.append(&mut tally.problems);
    if target.size == 0 {
        problems
            .push(Check::FirstEntry.problem(bundle::CHECKPOINT, "the log is empty; its first entry is the definition"));
    }
    let log = tiles::establish(source, target, &leaves, problems);
    // Past a gap in the entries the tree size is only a claim, and may be any number.
    if !leaves.cut {
        problems.extend(tiles::check_hash_tiles(source, target.size, log.tree.as_ref()));
    }
    problems.extend(statements.manifest.as_ref().and_then(|manifest| check_manifest_root(&manifest.value, &log)));
    if log.entries_hold {
        problems.extend(tally.check_index(source));
    }
    Count { ledger: tally.ledger, log }
}

fn check_manifest_root(manifest: &Manifest, log: &Log) -> Option<Problem> {
    let root = log.tree.as_ref()?.root_at(manifest.tree_size)?;
    (root != manifest.root).then(|| {
        let (found, stated) = (root.to_base64(), manifest.root.to_base64());
        let what =
            format!("the log's root at tree size {} is {found}, the manifest states {stated}", manifest.tree_size);
        Check::ManifestLog.problem(bundle::MANIFEST, what)
    })
}

type IndexFiles = [(&'static str, Vec<u8>); 3];

/// Counts the entries as they are read, and keeps the index as of the manifest's tree size.
struct Tallying {
    ledger: Option<Ledger>,
    index_size: Option<u64>,
    index: Option<IndexFiles>,
    leaves: Leaves,
    problems: Vec<Problem>,
}

impl Tallying {
    fn new(definition: Option<&Arc<Committed>>, manifest: Option<&Manifest>) -> Self {
        let ledger = definition.map(|definition| Ledger::new(Arc::clone(definition)));
        let index_size = manifest.map(|manifest| manifest.tree_size);
        Self { ledger, index_size, index: None, leaves: Leaves::default(), problems: Vec::new() }
    }

    /// Rebuilds the index and compares it.
    fn check_index(&mut self, source: &dyn Source) -> Vec<Problem> {
        let whole =
            || self.ledger.as_ref().filter(|ledger| self.index_size.is_none_or(|size| size == ledger.entries()));
        let index = self.index.take().or_else(|| whole().map(bundle::index_files));
        index
            .into_iter()
            .flatten()
            .filter_map(|(path, expected)| check_index_file(source, path, &expected).err())
            .collect()
    }
}

impl Tallying {
    fn entry(&mut self, index: u64, judged: Judged) {
        let Some(ledger) = &mut self.ledger else { return };
        if self.index_size == Some(index) {
            self.index = Some(bundle::index_files(ledger));
        }
        self.problems.extend(apply(ledger, index, judged));
    }
}

impl Sink for Tallying {
    fn keyring(&self) -> Option<&Keyring> {
        self.ledger.as_ref().map(Ledger::keyring).filter(|keys| !keys.is_empty())
    }

    fn bundle(&mut self, tile: TilePath, read: Result<ReadBundle, Problem>) -> ControlFlow<()> {
        let leaves = match read {
            Ok(read) => {
                let mut leaves = Vec::with_capacity(read.entries.len());
                for (index, entry) in (tile.first().unwrap_or_default()..).zip(read.entries) {
                    leaves.push(entry.leaf);
                    entry.judged.into_iter().for_each(|judged| self.entry(index, judged));
                }
                Some(leaves)
            }
            Err(problem) => {
                self.problems.push(problem);
                None
            }
        };
        self.leaves.bundles.push((tile, leaves));
        ControlFlow::Continue(())
    }
}

/// What of the bulletins in effect, from the `since`-th on, is not what the ledger and the tree give; with each problem the log
/// index of its bulletin.
pub fn check_bulletins(ledger: &Ledger, tree: &Tree, since: usize) -> Vec<(u64, Problem)> {
    bulletins::check(ledger, tree, since, None).problems
}

/// What keeps a checkpoint, anybody's bytes, from binding a bulletin of this tree size in a bundle that was verified.
pub fn check_checkpoint(
    source: &dyn Source,
    found: &Verification,
    bytes: Vec<u8>,
    tree_size: u64,
    place: &str,
) -> Vec<Problem> {
    let (Some(ledger), Some(tree)) = (&found.ledger, &found.tree) else { return Vec::new() };
    // What is wrong with the bundle's own notes was found before.
    let statements = Statements::read(source, None, &mut Vec::new());
    bulletins::check_checkpoint(&statements, ledger, tree, bytes, tree_size, place)
}

/// Counts the next entry of the log; says what of it no honest log holds.
pub fn apply(ledger: &mut Ledger, index: u64, judged: Judged) -> Option<Problem> {
    let applied = ledger.apply(index, &judged);
    entry_problem(index, judged, applied)
}

fn entry_problem(index: u64, judged: Judged, applied: Applied) -> Option<Problem> {
    let place = format!("entry {index}");
    match (judged, applied) {
        (Judged::Invalid { code, what }, _) => Some(Problem::new(code, place, what)),
        (Judged::Definition { matches: true }, _) if index == 0 => None,
        (Judged::Definition { .. }, _) if index == 0 => Some(
            Check::FirstEntry
                .problem(place, "the manifest in the log is of another definition than the one in election/"),
        ),
        (Judged::Definition { .. }, _) => {
            Some(Check::FirstEntry.problem(place, "a definition manifest after the first entry"))
        }
        (Judged::Record(_) | Judged::Statement(_), _) if index == 0 => {
            Some(Check::FirstEntry.problem(place, "another entry where the definition manifest has to be"))
        }
        (Judged::Record(_), Applied::Duplicate { first }) => {
            Some(Check::Duplicate.problem(place, format!("the record of entry {first} again; counted once")))
        }
        (Judged::Record(_) | Judged::Statement(_), _) => None,
    }
}

fn check_index_file(source: &dyn Source, path: &str, expected: &[u8]) -> Result<(), Problem> {
    let found = fetch(source, path)?;
    if found == expected {
        return Ok(());
    }
    let check = match path {
        bundle::TOTALS => Check::Totals,
        bundle::STATEMENTS => Check::Statements,
        _ => Check::Index,
    };
    let same = found.iter().zip(expected).take_while(|(found, expected)| found == expected);
    let line = same.filter(|(byte, _)| **byte == b'\n').count() + 1;
    Err(check.problem(path, format!("differs from what the log gives, first in line {line}")))
}

/// What a verification could rest on.
#[derive(Clone, Copy, Debug)]
struct Premises {
    /// Whether the source could list its files.
    listed: bool,
    /// Whether the witnesses were named from outside.
    policy_given: bool,
}

/// What is known beside the count and the problems.
struct Findings {
    statements: Statements,
    witnessing: Witnessing,
    anchored: bool,
    definition: Option<Arc<Committed>>,
    premises: Premises,
    size: u64,
}

fn report(findings: Findings, count: Count, problems: Vec<Problem>) -> Verification {
    let summary = count.ledger.as_ref().map(Ledger::summary).unwrap_or_default();
    let sums = count.ledger.as_ref().map(Totals::of);
    let definition = findings.definition.as_ref();
    let checkpoint = findings.statements.checkpoint.as_ref();
    let ledger = count.ledger.as_ref();
    let mut verification = Verification {
        ok: problems.is_empty(),
        anchored: findings.anchored,
        tree_size: findings.size,
        root: count.log.root.as_ref().map(Hash::to_base64).unwrap_or_default(),
        records: summary.records,
        counted: summary.counted,
        quarantined: summary.quarantined,
        missing: summary.missing,
        rejected: summary.rejected,
        cosignatures: findings.witnessing.cosignatures,
        cosigned_size: findings.witnessing.size,
        frozen: findings.witnessing.frozen,
        definition: definition.map(|definition| definition.hash().to_string()).unwrap_or_default(),
        origin: checkpoint.map(|checkpoint| checkpoint.value.origin.to_string()).unwrap_or_default(),
        phase: definition.map(|definition| definition.election().phase().to_string()).unwrap_or_default(),
        totals: sums.as_ref().map(Totals::by_candidate).unwrap_or_default(),
        totals_as_it_stands: sums.as_ref().map(Totals::standing_by_candidate).unwrap_or_default(),
        statements: ledger.map_or(0, |ledger| ledger.statements().len() as u64),
        corrections: ledger.map_or(0, |ledger| ledger.book().in_force().count() as u64),
        endorsed: ledger.map_or(0, |ledger| ledger.book().endorsed().count() as u64),
        bulletins: ledger.map_or(0, |ledger| ledger.bulletins().len() as u64),
        problems,
        warnings: findings.witnessing.warnings,
        statement: String::new(),
        ledger: count.ledger,
        sums,
        log: findings.statements.log.clone(),
        tree: count.log.tree,
        quorum_size: findings.witnessing.met,
        premises: findings.premises,
    };
    verification.statement = statement::of(&verification, findings.premises);
    verification
}
