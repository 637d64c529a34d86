//! Following a log: looking at its sources, recounting what is new, and keeping the copy.

use std::fmt;
use std::sync::Arc;

use anyhow::{Context, ensure};
use tallyproof_count::{Source, bundle, verify};
use tallyproof_log::tile::TilePath;
use tallyproof_store::BundleFolder;
use tallyproof_witness::follower::{Heard, Keep, KeptAlready, Recounted, Trouble};
use tallyproof_witness::{Follower, Signed, State};

use super::folder::WitnessFolder;
use crate::bundle_source::{self, Folder};
use crate::package::refusal;

/// Entries that are recounted before anything else is looked at.
const PART: u64 = 8192;

/// Where the log is read from.
struct Place {
    name: String,
    /// Opened anew after a failure: a web server that fell silent may speak again.
    source: Option<Box<dyn Source + Send>>,
    /// The checkpoint as it stood there last.
    seen: Vec<u8>,
}

impl Place {
    fn open(&mut self) -> Result<&dyn Source, String> {
        if self.source.is_none() {
            self.source = Some(bundle_source::open(&self.name).map_err(|error| format!("{error:#}"))?);
        }
        // Just opened, if it was not.
        self.source.as_deref().map(|source| source as &dyn Source).ok_or_else(|| "not open".to_owned())
    }
}

impl fmt::Debug for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Place").field("name", &self.name).finish_non_exhaustive()
    }
}

/// The witness's copy on its disk. Tiles wait until there are enough of them for one turn of syncs.
#[derive(Debug)]
struct Copy {
    folder: BundleFolder,
    waiting: Vec<(String, Vec<u8>)>,
    /// Entries under the copy's checkpoint.
    size: u64,
}

impl Keep for Copy {
    fn keep(&mut self, tile: &TilePath, bytes: &[u8]) -> Result<(), String> {
        self.waiting.push((tile.to_string(), bytes.to_vec()));
        Ok(())
    }
}

impl Copy {
    /// Makes durable what waits. Tiles are compared and never replaced.
    fn flush(&mut self) -> Result<(), Trouble> {
        let tiles = self.waiting.iter().map(|(path, bytes)| (path.clone(), bytes.as_slice()));
        self.folder.put_tiles(tiles).map_err(|error| Trouble::Storing(error.to_string()))?;
        self.waiting.clear();
        Ok(())
    }

    /// Brings the copy level with the follower: hash tiles, and last the checkpoint that promises them.
    fn complete(&mut self, follower: &Follower) -> Result<(), Trouble> {
        let Some(latest) = follower.latest() else { return Ok(()) };
        if self.waiting.is_empty() {
            self.waiting.extend(follower.hash_tiles(self.size).map(|(tile, bytes)| (tile.to_string(), bytes)));
        }
        self.flush()?;
        let note = latest.note().to_string();
        self.folder.put_checkpoint(note.as_bytes()).map_err(|error| Trouble::Storing(error.to_string()))?;
        self.size = latest.checkpoint().size;
        Ok(())
    }
}

/// One thing that a look at the sources or a recount brought up.
#[derive(Debug)]
pub(super) struct Found {
    /// Which source.
    pub(super) place: String,
    pub(super) trouble: Trouble,
}

/// A log being followed.
#[derive(Debug)]
pub(super) struct Pursuit {
    pub(super) follower: Follower,
    places: Vec<Place>,
    copy: Copy,
}

impl Pursuit {
    /// Takes up the copy: reads, verifies and recounts it before anything else, as if another had made it.
    pub(super) fn open(folder: &WitnessFolder, state: &State, from: &[String]) -> anyhow::Result<Self> {
        ensure!(!from.is_empty(), "a witness needs to know where the log is: give --from");
        let path = folder.copy();
        let advice =
            || format!("{} is not the copy that this witness made: move it away, all but election/", path.display());
        let source = Folder::open(&path).with_context(advice)?;
        let definition = verify::read_definition(&source)
            .map_err(|problems| refusal(format!("{} has no definition", path.display()), &problems))?;
        ensure!(
            *definition.hash() == state.definition,
            "{} holds the definition {}, the witness is of {}",
            path.display(),
            definition.hash(),
            state.definition
        );
        let follower = Follower::new(state.log.clone(), definition);
        let copy = Copy { folder: BundleFolder::open(&path)?, waiting: Vec::new(), size: 0 };
        let place = |name: &String| Place { name: name.clone(), source: None, seen: Vec::new() };
        let mut pursuit = Self { follower, places: from.iter().map(place).collect(), copy };
        pursuit.take_up(&source).with_context(advice)?;
        Ok(pursuit)
    }

    fn take_up(&mut self, source: &Folder) -> anyhow::Result<()> {
        let Some(note) = self.copy.folder.checkpoint()? else { return Ok(()) };
        let signed = Signed::open(&note, self.follower.log())?;
        self.follower.hear(&signed, source)?;
        while !self.follower.recount(source, &mut KeptAlready, u64::MAX >> 1, &|_, _| ())? {}
        self.copy.size = signed.checkpoint().size;
        Ok(())
    }

    /// Looks at every source once: hears its checkpoint, and the centre's manifest.
    pub(super) fn look(&mut self) -> Vec<Found> {
        let Self { follower, places, .. } = self;
        places.iter_mut().filter_map(|place| look_at(follower, place).err()).collect()
    }

    /// Hears a checkpoint that was brought here, by the tiles of whichever source has them.
    pub(super) fn hear(&mut self, signed: &Signed) -> Result<Heard, Found> {
        let Self { follower, places, .. } = self;
        let mut worst = None;
        for place in places {
            match hear_at(follower, place, signed) {
                Ok(heard) => return Ok(heard),
                Err(found @ Found { trouble: Trouble::Forked(_), .. }) => return Err(found),
                Err(found) => worst = Some(found),
            }
        }
        Err(worst.unwrap_or_else(|| Found { place: String::new(), trouble: unreadable("", "no source".to_owned()) }))
    }

    /// Recounts a part of what is new, and keeps the copy. Returns whether all that was heard is recounted and kept.
    pub(super) fn step(&mut self) -> Result<bool, Found> {
        let own = |trouble| Found { place: "copy".to_owned(), trouble };
        // What could not be written before comes first: a disk that is full is no reason to hold ever more in memory.
        self.copy.flush().map_err(own)?;
        if !self.follower.is_level() {
            self.recount()?;
        }
        self.copy.flush().map_err(own)?;
        let level = self.follower.is_level();
        if level && self.copy.size < self.follower.tree().size() {
            self.copy.complete(&self.follower).map_err(own)?;
        }
        Ok(level)
    }

    fn recount(&mut self) -> Result<(), Found> {
        let Self { follower, places, copy } = self;
        let mut last = None;
        for place in places {
            let name = place.name.clone();
            let counted = match place.open() {
                Ok(source) => follower.recount(source, copy, PART, &|_, _| ()),
                Err(error) => Err(unreadable("", error)),
            };
            match counted {
                Ok(_) => return Ok(()),
                Err(trouble) => {
                    place.source = None;
                    last = Some(Found { place: name, trouble });
                }
            }
        }
        last.map_or(Ok(()), Err)
    }

    /// Whether nothing that was heard waits to be recounted or kept.
    pub(super) fn is_level(&self) -> bool {
        self.follower.is_level() && self.copy.size == self.follower.tree().size()
    }

    /// Whether a checkpoint was recounted and every entry of it is in the copy.
    pub(super) fn recounted(&self, signed: &Signed, since: u64) -> Option<Result<Recounted, String>> {
        use tallyproof_witness::follower::NotYet;
        match self.follower.recounted(signed.checkpoint(), since) {
            Ok(_) if self.copy.size < signed.checkpoint().size => None,
            Ok(recounted) => Some(Ok(recounted)),
            Err(NotYet::Behind { .. }) => None,
            Err(other) => Some(Err(other.to_string())),
        }
    }

    /// Lets go of the copy's folder.
    pub(super) fn close(&self) {
        if let Err(error) = self.copy.folder.close() {
            tracing::warn!(%error, "the staging folder stays behind");
        }
    }
}

fn look_at(follower: &mut Follower, place: &mut Place) -> Result<(), Found> {
    let name = place.name.clone();
    let found = |trouble| Found { place: name.clone(), trouble };
    let bytes = read(place, bundle::CHECKPOINT).map_err(found)?;
    if bytes != place.seen {
        let signed = Signed::open(&bytes, follower.log()).map_err(|error| found(error.into()))?;
        // The manifest first: a recount that passes its size takes the totals there.
        look_at_manifest(follower, place).map_err(found)?;
        hear_at(follower, place, &signed)?;
        place.seen = bytes;
    } else if !follower.is_compared() {
        look_at_manifest(follower, place).map_err(found)?;
    }
    Ok(())
}

fn look_at_manifest(follower: &mut Follower, place: &mut Place) -> Result<(), Trouble> {
    let name = place.name.clone();
    let source = place.open().map_err(|error| unreadable("", format!("{name}: {error}")))?;
    // A source may be a copy that publishes nothing else; and a manifest is replaced while it is read.
    if let Ok(Some(note)) = source.read(bundle::MANIFEST) {
        follower.hear_manifest(&note)?;
    }
    Ok(())
}

fn hear_at(follower: &mut Follower, place: &mut Place, signed: &Signed) -> Result<Heard, Found> {
    let name = place.name.clone();
    let heard = match place.open() {
        Ok(source) => follower.hear(signed, source),
        Err(error) => Err(unreadable("", error)),
    };
    heard.map_err(|trouble| {
        if matches!(trouble, Trouble::Unreadable(_)) {
            place.source = None;
        }
        Found { place: name, trouble }
    })
}

fn read(place: &mut Place, path: &str) -> Result<Vec<u8>, Trouble> {
    let read = match place.open() {
        Ok(source) => source.read(path),
        Err(error) => Err(error),
    };
    match read {
        Ok(Some(bytes)) => Ok(bytes),
        Ok(None) => Err(unreadable(path, "the file is missing".to_owned())),
        Err(error) => {
            place.source = None;
            Err(unreadable(path, error))
        }
    }
}

fn unreadable(path: &str, what: String) -> Trouble {
    Trouble::Unreadable(tallyproof_count::check::Check::Unreadable.problem(path, what))
}

/// The definition that a bundle states, for a witness that is being made.
pub(super) fn definition_at(place: &str) -> anyhow::Result<Arc<tallyproof_record::definition::Committed>> {
    let source = bundle_source::open(place)?;
    verify::read_definition(source.as_ref())
        .map_err(|problems| refusal(format!("{place} has no definition that can be used"), &problems))
}
