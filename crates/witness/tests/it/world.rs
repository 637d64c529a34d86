//! A small election and logs of it: some share a beginning, and their owner signs them all.

use std::{collections::BTreeMap, fmt::Write, sync::Arc};

use ed25519_dalek::SigningKey;
use tallyproof_count::{bundle, judge, ledger::Ledger, manifest::Manifest, verify::Source};
use tallyproof_log::{
    checkpoint::Checkpoint,
    merkle::{Hash, leaf_hash},
    note::SignerKey,
    tile::{TilePath, encode_entries, tiles_for},
    tree::Tree,
    witness::AddCheckpoint,
};
use tallyproof_record::{
    ContestNo, Phase, StationNo, Tally, cose,
    definition::{Authority, Committed, Member, package},
    entry::Entry,
    statement::{Act, Bulletin, Draft, Statement},
};
use tallyproof_witness::{
    Follower, Signed,
    follower::{Heard, Keep, KeptAlready, Trouble},
};

pub(crate) const STATIONS: u32 = 700;

pub(crate) fn log_key() -> SignerKey {
    SignerKey::new("log.example/witnessed".parse().unwrap(), &[3; 32])
}

fn station_key(station: u32) -> SigningKey {
    let mut seed = [5; 32];
    seed[..4].copy_from_slice(&station.to_be_bytes());
    SigningKey::from_bytes(&seed)
}

pub(crate) fn definition() -> Arc<Committed> {
    let mut register = String::from("id,area,registered\n");
    (1..=STATIONS).for_each(|no| writeln!(register, "s{no},all,1000").unwrap());
    let toml = "format = 1\nid = \"w\"\nname = \"W\"\ndate = \"2026-07-01\"\nphase = \"drill\"\n\n\
                [[contest]]\nid = \"office\"\nname = \"Office\"\narea = \"all\"\n";
    let files: package::Files = [
        ("election.toml", toml.to_owned()),
        ("areas.csv", "id,parent,name,kind\nall,,All,country\n".to_owned()),
        ("stations.csv", register),
        ("ballot.csv", "contest,line\noffice,a\noffice,b\n".to_owned()),
    ]
    .map(|(name, text)| (name.to_owned(), text.into_bytes()))
    .into();
    let election = package::parse(&files).unwrap().with_keys(|no| station_key(no.0).verifying_key().into());
    let member = Member { name: "m".to_owned(), key: member_key().verifying_key().into() };
    Arc::new(election.with_signatories(Authority::new(1, vec![member]).unwrap(), Vec::new()).commit())
}

fn member_key() -> SigningKey {
    SigningKey::from_bytes(&[100; 32])
}

/// When bulletins are drafted.
pub(crate) const MADE_AT: u64 = 1_782_900_000;

/// A bulletin of the authority, as a log entry.
pub(crate) fn bulletin(definition: &Committed, bulletin: Bulletin) -> Vec<u8> {
    let act = Act::Bulletin(bulletin);
    let statement = Statement { election: *definition.hash(), phase: Phase::Drill, made_at: MADE_AT, act };
    Draft::new(&statement).unwrap().sign(&member_key()).to_entry()
}

/// A record of a station; another `side` gives other figures.
pub(crate) fn record(definition: &Committed, station: u32, side: u32) -> Vec<u8> {
    let counts = vec![station % 400, side];
    let tally = Tally::new(*definition.hash(), Phase::Drill, StationNo(station), ContestNo(1), 1_782_864_060, counts);
    Entry::Record(cose::seal(&tally, &station_key(station)).as_bytes()).encode()
}

/// A log, and what its owner publishes of it.
pub(crate) struct Log {
    pub(crate) definition: Arc<Committed>,
    pub(crate) entries: Vec<Vec<u8>>,
    pub(crate) tree: Tree,
    pub(crate) files: BTreeMap<String, Vec<u8>>,
    published: u64,
}

impl Log {
    /// The definition, and records of the first stations; those from the station `fork` on are of this side alone.
    pub(crate) fn new(size: u64, fork: u64, side: u32) -> Self {
        let definition = definition();
        let first = Entry::Definition(definition.canonical().manifest.as_bytes()).encode();
        let records =
            (1..size).map(|no| record(&definition, u32::try_from(no).unwrap(), if no < fork { 0 } else { side }));
        let entries: Vec<_> = std::iter::once(first).chain(records).collect();
        Self::of(definition, entries)
    }

    pub(crate) fn of(definition: Arc<Committed>, entries: Vec<Vec<u8>>) -> Self {
        let tree = entries.iter().map(|entry| leaf_hash(entry)).collect();
        Self { definition, entries, tree, files: BTreeMap::new(), published: 0 }
    }

    pub(crate) fn checkpoint(&self, size: u64) -> Checkpoint {
        let origin = log_key().verifier().name().clone();
        Checkpoint { origin, size, root: self.tree.root_at(size).unwrap() }
    }

    pub(crate) fn signed(&self, size: u64) -> Signed {
        sign(&self.checkpoint(size))
    }

    /// Publishes the log up to `size`, index and manifest with it.
    pub(crate) fn publish(&mut self, size: u64) -> Signed {
        let signed = self.publish_log(size);
        let entries = &self.entries[..usize::try_from(size).unwrap()];
        let mut ledger = Ledger::new(Arc::clone(&self.definition));
        for (index, entry) in (0..).zip(entries) {
            ledger.apply(index, &judge(&self.definition, entry));
        }
        let Checkpoint { origin, root, .. } = self.checkpoint(size);
        let mut manifest = Manifest { origin, tree_size: size, root, files: BTreeMap::new() };
        for (path, bytes) in bundle::index_files(&ledger) {
            manifest.insert(path.parse().unwrap(), &bytes);
        }
        self.files.insert(bundle::MANIFEST.into(), manifest.sign(&log_key()).unwrap().into_bytes());
        signed
    }

    pub(crate) fn publish_log(&mut self, size: u64) -> Signed {
        for tile in tiles_for(self.published, size) {
            self.files.insert(bundle::tile_path(&tile), self.tile(&tile));
        }
        self.published = size;
        self.signed(size)
    }

    fn tile(&self, tile: &TilePath) -> Vec<u8> {
        self.tree.tile(tile).unwrap_or_else(|| {
            let first = usize::try_from(tile.first().unwrap()).unwrap();
            encode_entries(&self.entries[first..first + usize::from(tile.width())]).unwrap()
        })
    }

    /// A request to cosign the log at `size` to a witness that has cosigned it at `old`.
    pub(crate) fn request(&self, old: u64, size: u64) -> String {
        let proof = if old <= size { self.tree.consistency_proof(old, size).unwrap() } else { Vec::new() };
        AddCheckpoint::new(old, proof, self.signed(size).note().clone()).unwrap().to_string()
    }
}

/// Signs any checkpoint, as a log without scruples does.
pub(crate) fn sign(checkpoint: &Checkpoint) -> Signed {
    let note = checkpoint.sign(&log_key()).unwrap();
    Signed::open(note.as_bytes(), log_key().verifier()).unwrap()
}

pub(crate) fn follower() -> Follower {
    Follower::new(log_key().verifier().clone(), definition())
}

/// Hears a checkpoint and recounts up to it.
pub(crate) fn follow(follower: &mut Follower, signed: &Signed, source: &dyn Source) -> Result<Heard, Trouble> {
    let heard = follower.hear(signed, source)?;
    while !follower.recount(source, &mut KeptAlready, 256, &|_, _| ())? {}
    Ok(heard)
}

/// A copy in memory.
#[derive(Default)]
pub(crate) struct Copy(pub(crate) BTreeMap<String, Vec<u8>>);

impl Keep for Copy {
    fn keep(&mut self, tile: &TilePath, bytes: &[u8]) -> Result<(), String> {
        self.0.insert(bundle::tile_path(tile), bytes.to_vec());
        Ok(())
    }
}

pub(crate) fn other_root() -> Hash {
    leaf_hash(b"other")
}
