//! A simulated witness: the real follower and cosigner, a folder on a disk, and a place from which it sees the log.
//!
//! The order of its steps is that of `tallyproof witness serve`: a request is read and checked, the checkpoint heard and recounted, the
//! copy kept, the state stored, and only then the answer given.

use std::collections::BTreeMap;
use std::sync::Arc;

use tallyproof_count::{Source, bundle};
use tallyproof_log::checkpoint::Checkpoint;
use tallyproof_log::fork::ForkProof;
use tallyproof_log::note::SignedNote;
use tallyproof_log::tile::TilePath;
use tallyproof_log::witness::{AddCheckpoint, Answer};
use tallyproof_witness::cosigner::{Asked, NotCosigned};
use tallyproof_witness::follower::{Keep, KeptAlready, NotYet, Trouble};
use tallyproof_witness::{Cosigner, Follower, Signed, State};

use super::bug::Bug;
use super::country::{Country, witness_key};
use super::mark::{Mark, Marks};
use super::power::{PowerLoss, power};

/// What a witness's disk holds. Every write is a whole file or none.
#[derive(Clone, Debug, Default)]
struct Folder {
    /// The text of its state, which is never made again.
    state: Option<String>,
    tiles: BTreeMap<String, Vec<u8>>,
    checkpoint: Option<String>,
    size: u64,
}

/// Puts tiles into the copy.
struct Copying<'a>(&'a mut BTreeMap<String, Vec<u8>>);

impl Keep for Copying<'_> {
    fn keep(&mut self, tile: &TilePath, bytes: &[u8]) -> Result<(), String> {
        let kept = self.0.entry(bundle::tile_path(tile)).or_insert_with(|| bytes.to_vec());
        if kept == bytes { Ok(()) } else { Err(format!("{tile} was other bytes before")) }
    }
}

#[derive(Debug)]
struct Running {
    follower: Follower,
    cosigner: Cosigner,
}

/// What came of a request or a look.
#[derive(Debug, Default)]
pub(super) struct Outcome {
    /// What it answers; nothing if it says nothing now.
    pub(super) answer: Option<Answer>,
    /// What it cosigned, answered or not.
    pub(super) cosigned: Option<Checkpoint>,
    /// The fork that it proves.
    pub(super) proof: Option<ForkProof>,
    /// It is shown what it cannot connect to its copy.
    pub(super) alarm: Option<String>,
    pub(super) lost_power: bool,
}

/// A witness.
#[derive(Debug)]
pub(super) struct Witness {
    pub(super) no: usize,
    /// Which audience it sits in.
    pub(super) audience: usize,
    /// Whether it is the operator's.
    pub(super) lies: bool,
    /// Whether an old copy of its folder was ever put in place: it can be made to contradict itself then, as a liar does.
    pub(super) restored: bool,
    pub(super) offline_until: u64,
    pub(super) power_in: Option<u32>,
    pub(super) retired: bool,
    folder: Folder,
    backup: Option<Folder>,
    running: Option<Running>,
    seen: String,
    bug: Option<Bug>,
}

impl Witness {
    pub(super) fn new(country: &Country, no: usize, bug: Option<Bug>) -> Self {
        let folder = Folder { state: Some(first_state(country)), ..Folder::default() };
        Self {
            no,
            audience: no % 2,
            lies: false,
            restored: false,
            offline_until: 0,
            power_in: None,
            retired: false,
            folder,
            backup: None,
            running: None,
            seen: String::new(),
            bug,
        }
    }

    pub(super) fn is_up(&self) -> bool {
        self.running.is_some()
    }

    /// What it has cosigned last, for whoever asks.
    pub(super) fn last(&self) -> Option<&Checkpoint> {
        self.running.as_ref()?.cosigner.last().map(Signed::checkpoint)
    }

    pub(super) fn lose_power(&mut self) {
        (self.running, self.power_in) = (None, None);
    }

    /// Its folder is lost, all but the key.
    pub(super) fn lose_folder(&mut self) {
        self.lose_power();
        self.folder = Folder::default();
    }

    pub(super) fn back_up(&mut self) {
        self.backup = Some(self.folder.clone());
    }

    /// An old copy is put in place; says whether there was one.
    pub(super) fn restore(&mut self) -> bool {
        let Some(backup) = self.backup.clone() else { return false };
        self.lose_power();
        self.folder = backup;
        self.restored = true;
        true
    }

    /// Takes up state and copy. Without a state it is no witness any more.
    pub(super) fn start(&mut self, country: &Country, marks: &mut Marks) -> Result<(), String> {
        if self.bug == Some(Bug::WitnessForgets) {
            self.folder.state.get_or_insert_with(|| first_state(country));
        }
        let Some(state) = &self.folder.state else {
            marks.hit(Mark::WitnessRetired);
            self.retired = true;
            return Ok(());
        };
        let State { log, cosigned, .. } = state.parse().map_err(|error| format!("{error}"))?;
        let key = witness_key(self.no).map_err(|error| error.to_string())?;
        let cosigner = Cosigner::new(log.clone(), vec![key], cosigned).map_err(|error| error.to_string())?;
        let mut follower = Follower::new(log.clone(), Arc::clone(&country.definition));
        if let Some(note) = &self.folder.checkpoint {
            marks.hit(Mark::WitnessResumed);
            let signed = Signed::open(note.as_bytes(), &log).map_err(|error| error.to_string())?;
            let copy = &self.folder.tiles;
            follower.hear(&signed, copy).map_err(|trouble| trouble.to_string())?;
            while !follower.recount(copy, &mut KeptAlready, u64::MAX >> 1, &|_, _| ()).map_err(|it| it.to_string())? {}
        }
        if let Some(last) = cosigner.last().cloned() {
            follower.bind(last).map_err(|trouble| trouble.to_string())?;
        }
        self.running = Some(Running { follower, cosigner });
        Ok(())
    }

    /// Looks at the checkpoint that is shown to its audience.
    pub(super) fn look(&mut self, note: &str, source: &dyn Source) -> Outcome {
        let mut outcome = Outcome::default();
        if self.running.is_none() || self.lies || self.seen == note {
            return outcome;
        }
        let Some(signed) = self.open(note) else { return outcome };
        note.clone_into(&mut self.seen);
        self.follow(&signed, source, &mut outcome);
        outcome
    }

    fn open(&self, note: &str) -> Option<Signed> {
        Signed::open(note.as_bytes(), self.running.as_ref()?.follower.log()).ok()
    }

    /// Hears a checkpoint, recounts it, and keeps the copy.
    fn follow(&mut self, signed: &Signed, source: &dyn Source, outcome: &mut Outcome) {
        let Some(Running { follower, .. }) = &mut self.running else { return };
        let folder = &mut self.folder;
        let followed = follower.hear(signed, source).and_then(|_| {
            while !follower.recount(source, &mut Copying(&mut folder.tiles), u64::MAX >> 1, &|_, _| ())? {}
            Ok(())
        });
        if follower.is_level()
            && let Some(latest) = follower.latest()
        {
            let tiles = follower.hash_tiles(folder.size);
            folder.tiles.extend(tiles.map(|(tile, bytes)| (bundle::tile_path(&tile), bytes)));
            (folder.checkpoint, folder.size) = (Some(latest.note().to_string()), latest.checkpoint().size);
        }
        match followed {
            // What cannot be read now may be read later.
            Ok(()) | Err(Trouble::Unreadable(_)) => {}
            Err(Trouble::Forked(proof)) => outcome.proof = Some(*proof),
            Err(trouble) => outcome.alarm = Some(trouble.to_string()),
        }
    }

    /// Reads a request, and checks it against what was cosigned last. What is left to do takes its time.
    pub(super) fn asked(&mut self, body: &[u8], marks: &mut Marks) -> (Outcome, Option<Box<Asked>>) {
        let mut outcome = Outcome::default();
        let Some(Running { cosigner, .. }) = &self.running else { return (outcome, None) };
        let asked = match cosigner.read(body) {
            Ok(asked) => asked,
            Err(answer) => return (Outcome { answer: Some(answer), ..outcome }, None),
        };
        match cosigner.check(&asked) {
            _ if self.bug == Some(Bug::WitnessTrustsLog) => {}
            Ok(()) => {}
            Err(answer) => {
                marks.hit(match answer {
                    Answer::Conflict { .. } => Mark::WitnessCorrects,
                    _ => Mark::WitnessRefuses,
                });
                outcome.proof = cosigner.fork_in(&asked);
                outcome.answer = Some(answer);
                return (outcome, None);
            }
        }
        (outcome, Some(Box::new(asked)))
    }

    /// Hears, recounts and cosigns what was asked for.
    pub(super) fn cosign(&mut self, asked: &Asked, now: u64, source: &dyn Source, marks: &mut Marks) -> Outcome {
        let mut outcome = Outcome::default();
        if self.bug == Some(Bug::WitnessTrustsLog) {
            return self.cosign_anything(asked.signed().checkpoint(), now);
        }
        self.follow(asked.signed(), source, &mut outcome);
        let Some(Running { follower, cosigner }) = &mut self.running else { return outcome };
        let recounted = match follower.recounted(asked.signed().checkpoint(), asked.old_size()) {
            Ok(recounted) => recounted,
            Err(why) => {
                marks.hit(if matches!(why, NotYet::Behind { .. }) {
                    Mark::WitnessBehind
                } else {
                    Mark::WitnessRefuses
                });
                return outcome;
            }
        };
        let (folder, power_in) = (&mut self.folder, &mut self.power_in);
        let store = |note: &SignedNote| {
            power(power_in, Mark::WitnessPowerBeforeState, marks)?;
            write_state(folder, note).ok_or(PowerLoss)?;
            power(power_in, Mark::WitnessPowerAfterState, marks)
        };
        match cosigner.add(asked, &recounted, now / 1_000, store) {
            Ok(answer) | Err(NotCosigned::Answer(answer)) => {
                let cosigned = matches!(answer, Answer::Cosigned(_));
                outcome.cosigned = cosigned.then(|| asked.signed().checkpoint().clone());
                outcome.answer = Some(answer);
            }
            Err(NotCosigned::Store(PowerLoss)) => outcome.lost_power = true,
            Err(other) => outcome.alarm = Some(other.to_string()),
        }
        outcome
    }

    /// What a witness does that belongs to the operator.
    pub(super) fn cosign_blindly(&self, body: &[u8], now: u64) -> Outcome {
        match AddCheckpoint::parse(body) {
            Ok(request) => self.cosign_anything(request.checkpoint(), now),
            Err(_) => Outcome { answer: Some(Answer::Malformed), ..Outcome::default() },
        }
    }

    fn cosign_anything(&self, checkpoint: &Checkpoint, now: u64) -> Outcome {
        let cosignature = witness_key(self.no).ok().and_then(|key| key.cosign(checkpoint, now / 1_000).ok());
        Outcome {
            answer: cosignature.map(|cosignature| Answer::Cosigned(vec![cosignature])),
            cosigned: Some(checkpoint.clone()),
            ..Outcome::default()
        }
    }
}

fn first_state(country: &Country) -> String {
    let (log, definition) = (country.log.verifier().clone(), *country.definition.hash());
    State { log, definition, cosigned: None }.to_string()
}

/// Replaces the state.
fn write_state(folder: &mut Folder, note: &SignedNote) -> Option<()> {
    let state: State = folder.state.as_ref()?.parse().ok()?;
    folder.state = Some(State { cosigned: Some(note.clone()), ..state }.to_string());
    Some(())
}
