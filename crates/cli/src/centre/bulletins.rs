//! Bulletins at the centre: what their statements say is checked before they are taken; their files are made once and stay.

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock};

use anyhow::Context;
use tallyproof_centre::Sequencer;
use tallyproof_count::JudgedStatement;
use tallyproof_count::bulletin::{Contradiction, Document, recompute};
use tallyproof_count::bundle::BulletinFile;
use tallyproof_count::manifest::file_hash;
use tallyproof_count::statements::IssuedBulletin;
use tallyproof_log::checkpoint;
use tallyproof_log::merkle::Hash;
use tallyproof_record::statement::Bulletin;
use tallyproof_store::BundleFolder;

use super::pipeline::Answer;
use super::shared::Shared;
use crate::bulletin::Rendered;

/// Bulletins that are kept rendered until enough have signed them. A member who makes others up pushes these out; they are then
/// rendered once more.
const HELD: usize = 4;

/// Bulletins that were rendered when their statements came.
#[derive(Debug, Default)]
pub(super) struct Held(Mutex<VecDeque<Arc<Rendered>>>);

impl Held {
    fn get(&self, stated: &Bulletin, made_at: u64) -> Option<Arc<Rendered>> {
        let same = |it: &&Arc<Rendered>| {
            (it.made_at, it.stated.number, it.stated.tree_size) == (made_at, stated.number, stated.tree_size)
        };
        self.all().iter().find(same).cloned()
    }

    fn hold(&self, rendered: &Arc<Rendered>) {
        let mut all = self.all();
        all.truncate(HELD - 1);
        all.push_front(Arc::clone(rendered));
    }

    fn all(&self) -> MutexGuard<'_, VecDeque<Arc<Rendered>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Refuses a bulletin's statement that would have no effect, whoever signs it, or that states what the log does not give.
pub(super) fn check(
    shared: &Shared,
    sequencer: &RwLock<Sequencer>,
    judged: &JudgedStatement,
    stated: &Bulletin,
) -> Result<(), Answer> {
    let foreseen = shared.ledger().foresee_signed(judged);
    foreseen.map_err(Answer::NoEffect)?;
    let made_at = judged.signed.statement().made_at;
    let rendered = if let Some(rendered) = shared.bulletins.get(stated, made_at) {
        rendered
    } else {
        let issued = IssuedBulletin { entry: 0, id: judged.id, made_at, stated: *stated };
        let rendered = render(shared, sequencer, &[issued]).map_err(|error| unavailable(&error))?;
        let rendered = rendered.into_iter().next().ok_or(Answer::Unavailable)?;
        shared.bulletins.hold(&rendered);
        rendered
    };
    let contradiction = Contradiction::between(&rendered.stated, stated).into_iter().next();
    contradiction.map_or(Ok(()), |contradiction| Err(Answer::Contradicts(contradiction)))
}

fn unavailable(error: &anyhow::Error) -> Answer {
    tracing::error!(error = format!("{error:#}"), "a bulletin cannot be rendered");
    Answer::Unavailable
}

/// Renders bulletins from what the log has now, in one pass.
fn render(
    shared: &Shared,
    sequencer: &RwLock<Sequencer>,
    bulletins: &[IssuedBulletin],
) -> anyhow::Result<Vec<Arc<Rendered>>> {
    if bulletins.is_empty() {
        return Ok(Vec::new());
    }
    // A copy: the publisher must not wait for this.
    let ledger = shared.ledger().clone();
    let tree = sequencer.read().unwrap_or_else(PoisonError::into_inner).tree().clone();
    let log = shared.keys.verifier();
    let mut rendered = Vec::new();
    shared.pool.install(|| {
        let render = |document: &Document| Rendered::of(document, log).map(Arc::new);
        recompute(&ledger, &tree, bulletins, |_, document| rendered.push(render(document)));
    });
    rendered.into_iter().collect()
}

/// The files of bulletins that are in the bundle, by path.
#[derive(Debug, Default)]
pub(super) struct Published(Mutex<BTreeMap<String, Hash>>);

impl Published {
    /// Writes what is missing of every bulletin in effect; gives the SHA-256 of every file.
    pub(super) fn bring_up_to_date(
        &self,
        shared: &Shared,
        sequencer: &RwLock<Sequencer>,
        bundle: &BundleFolder,
    ) -> anyhow::Result<BTreeMap<String, Hash>> {
        let issued = shared.ledger().bulletins().to_vec();
        let mut files = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let has_document = |files: &BTreeMap<String, Hash>, it: &IssuedBulletin| {
            files.contains_key(&BulletinFile::Json.path(it.stated.number))
        };
        for it in issued.iter().filter(|it| !has_document(&files, it)).collect::<Vec<_>>() {
            find(it, bundle, &mut files)?;
        }
        let missing = issued.iter().filter(|it| !has_document(&files, it));
        let (held, lost): (Vec<_>, Vec<_>) =
            missing.map(|it| (*it, shared.bulletins.get(&it.stated, it.made_at))).partition(|(_, held)| held.is_some());
        let lost: Vec<IssuedBulletin> = lost.into_iter().map(|(it, _)| it).collect();
        let rendered = render(shared, sequencer, &lost)?;
        for rendered in held.into_iter().filter_map(|(_, held)| held).chain(rendered) {
            write(&rendered, bundle, &mut files)?;
        }
        for it in &issued {
            bind(it, shared, bundle, &mut files)?;
        }
        Ok(files.clone())
    }
}

/// What an earlier run has published. The document is written last: where it is, the others are.
fn find(issued: &IssuedBulletin, bundle: &BundleFolder, files: &mut BTreeMap<String, Hash>) -> anyhow::Result<()> {
    let number = issued.stated.number;
    let Some(json) = bundle.bulletin_file(&BulletinFile::Json.path(number))? else { return Ok(()) };
    if file_hash(&json).0 != issued.stated.document {
        tracing::error!(number, "the bulletin's document in the bundle is not the one that its statement names");
    }
    for file in BulletinFile::ALL {
        let path = file.path(number);
        if let Some(bytes) = bundle.bulletin_file(&path)? {
            files.insert(path, file_hash(&bytes));
        }
    }
    Ok(())
}

fn write(rendered: &Rendered, bundle: &BundleFolder, files: &mut BTreeMap<String, Hash>) -> anyhow::Result<()> {
    let number = rendered.stated.number;
    // In descending order: the document is the first of them all.
    for (file, bytes) in rendered.files.iter().rev() {
        let path = file.path(number);
        bundle.put_bulletin_file(&path, bytes)?;
        let kept = bundle.bulletin_file(&path)?.with_context(|| format!("{path} is gone"))?;
        files.insert(path, file_hash(&kept));
    }
    Ok(())
}

/// Puts the checkpoint beside a bulletin that shows who was shown its log, once there is one.
fn bind(
    issued: &IssuedBulletin,
    shared: &Shared,
    bundle: &BundleFolder,
    files: &mut BTreeMap<String, Hash>,
) -> anyhow::Result<()> {
    let path = BulletinFile::Checkpoint.path(issued.stated.number);
    if files.contains_key(&path) {
        return Ok(());
    }
    let note = if shared.asks_for_witnesses() { bundle.cosigned()? } else { bundle.checkpoint()? };
    let log = shared.keys.verifier();
    let size = |note: &[u8]| {
        let opened = checkpoint::open(note, std::slice::from_ref(log), log.name().as_str());
        opened.map(|opened| opened.checkpoint().size)
    };
    let Some(note) = note.filter(|note| size(note).is_ok_and(|size| size >= issued.stated.tree_size)) else {
        return Ok(());
    };
    bundle.put_bulletin_file(&path, &note)?;
    let kept = bundle.bulletin_file(&path)?.with_context(|| format!("{path} is gone"))?;
    files.insert(path, file_hash(&kept));
    Ok(())
}
