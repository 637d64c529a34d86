//! The publisher's turns: a batch gets its place, its tiles, its count and its checkpoint; cosignatures are shown.

use tallyproof_centre::Sequencer;
use tallyproof_centre::intake::Authentic;
use tallyproof_centre::publication::{self, Shelf};
use tallyproof_centre::sequencer::{Growth, SequenceError};
use tallyproof_log::checkpoint::Checkpoint;
use tallyproof_log::tile;
use tallyproof_record::entry::Place;

use super::super::bug::Bug;
use super::super::country::Country;
use super::super::disk::Disk;
use super::super::mark::{Mark, Marks};
use super::replay::count;
use super::{Centre, Outcome, Stop};

/// A batch on its way into the bundle.
#[derive(Debug)]
pub(super) struct Publishing {
    growth: Growth,
    records: Vec<Authentic>,
    /// Whether its tiles are there, and it is counted.
    pub(super) placed: bool,
}

impl Centre {
    /// Shows what witnesses said.
    pub(super) fn publish_cosigned(&mut self, disk: &mut Disk, marks: &mut Marks) -> Result<(), Stop> {
        let Some(cosigned) = self.cosigned.front() else { return Ok(()) };
        let note = cosigned.note.as_bytes();
        let size = cosigned.checkpoint.size;
        let tree = self.sequencer.tree();
        let shown = if tree.size() == size && tree.root() == cosigned.checkpoint.root {
            disk.put_checkpoint(note)
        } else {
            Ok(())
        };
        // Of the time before another policy, and judged by that one.
        let of_now = self.ledger.policy_lines_at(size) == self.ledger.policy_lines();
        let newer = cosigned.quorum && of_now && size >= self.cosigned_size;
        let shown = shown.and_then(|()| if newer { disk.put_cosigned(note) } else { Ok(()) });
        match shown.map_err(Stop::from) {
            Err(Stop::Disk(_)) => {
                marks.hit(Mark::ShelfFailed);
                Ok(())
            }
            Err(stop) => Err(stop),
            Ok(()) => {
                if newer {
                    marks.hit(if size < tree.size() { Mark::CosignedOld } else { Mark::Cosigned });
                    self.cosigned_size = size;
                }
                self.cosigned.pop_front();
                Ok(())
            }
        }
    }

    pub(super) fn publish(
        &mut self,
        country: &Country,
        now: u64,
        disk: &mut Disk,
        outcome: &mut Outcome,
        marks: &mut Marks,
    ) -> Result<(), Stop> {
        if self.publishing.is_none() {
            let Some((cut, mut records)) = self.batches.pop_front() else { return Ok(()) };
            let growth = self.sequencer.cut(cut, &mut records).map_err(halt)?;
            self.publishing = Some(Publishing { growth, records, placed: false });
            return Ok(());
        }
        let Some(mut publishing) = self.publishing.take() else { return Ok(()) };
        let published = self.publish_one(&mut publishing, (country, now), disk, outcome);
        if let Err(Stop::Disk(_)) = published {
            marks.hit(Mark::ShelfFailed);
            self.publishing = Some(publishing);
            return Ok(());
        }
        published
    }

    fn publish_one(
        &mut self,
        one: &mut Publishing,
        (country, now): (&Country, u64),
        disk: &mut Disk,
        outcome: &mut Outcome,
    ) -> Result<(), Stop> {
        if !one.placed {
            disk.put_tiles(&short(self.bug, &one.growth))?;
            one.placed = true;
            count(&mut self.ledger, one.growth.first, &one.records, self.bug);
            // A policy is in force for the checkpoint that it is in: the gatherer hears of it first.
            if one.records.iter().any(|record| matches!(record.place(), Place::Policy(_))) {
                self.follow_policy(country);
            }
        }
        let sign = || sign(country, &self.sequencer, outcome).map_err(Stop::Halt);
        let note = match self.bug {
            Some(Bug::ShownBeforeRemembered) => promise_wrongly(disk, sign)?,
            _ => publication::promise(disk, sign)?,
        };
        self.promised(now, &note, outcome);
        Ok(())
    }
}

/// Signs the log as it is.
pub(super) fn sign(country: &Country, sequencer: &Sequencer, outcome: &mut Outcome) -> Result<String, String> {
    let tree = sequencer.tree();
    let origin = country.log.verifier().name().clone();
    let checkpoint = Checkpoint { origin, size: tree.size(), root: tree.root() };
    let note = checkpoint.sign(&country.log).map_err(|error| error.to_string())?;
    outcome.signed.push((note.clone(), checkpoint));
    Ok(note)
}

fn halt(error: SequenceError) -> Stop {
    Stop::Halt(error.to_string())
}

/// The growth as it is, unless the bug is planted that leaves a partial tile one entry short.
pub(super) fn short(bug: Option<Bug>, growth: &Growth) -> Growth {
    let mut tiles = growth.tiles.clone();
    if bug == Some(Bug::PartialTileShort) {
        for (path, bytes) in tiles.iter_mut().filter(|(path, _)| path.is_partial() && path.level().is_none()) {
            let entries = tile::decode_entries(bytes, path.width()).unwrap_or_default();
            let kept = entries.len().saturating_sub(1);
            *bytes = tile::encode_entries(entries.get(..kept).unwrap_or_default()).unwrap_or_default();
        }
    }
    Growth { tiles, ..*growth }
}

fn promise_wrongly(disk: &mut Disk, sign: impl FnOnce() -> Result<String, Stop>) -> Result<String, Stop> {
    let note = sign()?;
    disk.put_checkpoint(note.as_bytes())?;
    disk.remember(note.as_bytes())?;
    Ok(note)
}
