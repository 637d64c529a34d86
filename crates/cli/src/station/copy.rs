//! What a station reads of a published bundle, whoever serves it: its entries in the log, and the proof that they are there.
//!
//! The copy is foreign: everything taken from it is verified against the log's key and the election that the station's pack names.

use anyhow::{Context, anyhow};
use tallyproof_count::{Source, bundle, policy};
use tallyproof_log::checkpoint::Checkpoint;
use tallyproof_log::fork::{ForkProof, Prefix};
use tallyproof_log::merkle::{self, Hash, leaf_hash};
use tallyproof_log::note::{SignedNote, VerifierKey};
use tallyproof_log::policy::Policy;
use tallyproof_log::proof::{Attested, LogProof};
use tallyproof_log::reader::{ReadError, TileReader};
use tallyproof_log::tile::{TilePath, decode_entries, tiles_for};
use tallyproof_record::definition::{DefinitionHash, package};

/// Who named the witnesses.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PolicyFrom {
    /// The reader.
    Trust,
    /// The definition that the pack names by its hash.
    Definition,
    /// The copy itself, whose maker could name witnesses of his own.
    Copy,
}

impl PolicyFrom {
    /// As reports name it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Trust => "trust",
            Self::Definition => "definition",
            Self::Copy => "copy",
        }
    }
}

/// A published bundle, read through the eyes of one station.
pub struct Copy<'a> {
    source: &'a dyn Source,
    log: VerifierKey,
    policy: Policy,
    policy_from: PolicyFrom,
    /// `log/cosigned` and `log/checkpoint`, as far as they are there and the log signed them.
    checkpoints: Vec<Signed>,
    frozen: bool,
    problems: Vec<String>,
}

/// A checkpoint that the log signed.
#[derive(Clone, Debug)]
pub struct Signed {
    /// The note as it stands.
    pub note: SignedNote,
    /// What it states.
    pub checkpoint: Checkpoint,
    worth: (bool, usize),
}

/// Whether the log holds an entry.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sought {
    /// At this index.
    At(u64),
    /// The copy's index does not have it; the log may.
    NotIndexed,
    /// All entries were read, their root is the signed one, and it is none of them.
    InNone,
}

impl<'a> Copy<'a> {
    /// Reads a copy's policy and checkpoints. `trusted` is the policy that the reader chose.
    pub fn open(
        source: &'a dyn Source,
        log: &VerifierKey,
        election: &DefinitionHash,
        trusted: Option<Policy>,
    ) -> anyhow::Result<Self> {
        let (policy, policy_from) = match trusted {
            Some(policy) => (policy, PolicyFrom::Trust),
            None => read_policy(source, log, election)?,
        };
        let mut copy = Self {
            source,
            log: log.clone(),
            policy,
            policy_from,
            checkpoints: Vec::new(),
            frozen: false,
            problems: Vec::new(),
        };
        for path in [bundle::COSIGNED, bundle::CHECKPOINT] {
            match copy.read_checkpoint(path) {
                Ok(signed) => copy.checkpoints.extend(signed),
                Err(error) => copy.problems.push(format!("{path}: {error:#}")),
            }
        }
        copy.frozen = fetch(source, bundle::FROZEN)?.is_some();
        let nothing = copy.checkpoints.is_empty() && copy.problems.is_empty();
        anyhow::ensure!(!nothing, "there is no {}; give the folder or URL of a bundle", bundle::CHECKPOINT);
        Ok(copy)
    }

    /// Whom the witnesses' policy names, and what it asks for.
    pub fn policy(&self) -> &Policy {
        &self.policy
    }

    /// Who named them.
    pub fn policy_from(&self) -> PolicyFrom {
        self.policy_from
    }

    /// What in the copy does not hold, apart from single records.
    pub fn problems(&self) -> &[String] {
        &self.problems
    }

    /// The largest checkpoint that the log signed.
    pub fn latest(&self) -> Option<&Signed> {
        self.checkpoints.iter().max_by_key(|signed| signed.checkpoint.size)
    }

    /// The final checkpoint, if the log is finished.
    pub fn last(&self) -> Option<&Signed> {
        self.latest().filter(|_| self.frozen)
    }

    /// Looks for an entry among those that the copy's index lists for a station; in a finished log, then everywhere.
    pub fn find(&self, entry: &[u8], indexed: &[u64]) -> anyhow::Result<Sought> {
        let Some(latest) = self.latest() else { return Ok(Sought::NotIndexed) };
        let size = latest.checkpoint.size;
        let mut reader = self.reader(size);
        for index in indexed.iter().copied().filter(|index| *index < size) {
            if reader.entry(index)? == entry {
                return Ok(Sought::At(index));
            }
        }
        // An index that hides an entry must not make its log look like one without it.
        if self.frozen { self.search(entry, latest) } else { Ok(Sought::NotIndexed) }
    }

    /// Entries of a station by the copy's index. What they hold remains to be seen.
    pub fn indexed(&self, station: &str) -> anyhow::Result<Vec<u64>> {
        let Some(bytes) = fetch(self.source, bundle::STATIONS)? else { return Ok(Vec::new()) };
        let mut rows = csv::Reader::from_reader(bytes.as_slice());
        let mut entries = Vec::new();
        for row in rows.records() {
            let row = row.with_context(|| format!("{} cannot be read", bundle::STATIONS))?;
            if row.get(0) == Some(station) {
                entries.extend(row.get(3).unwrap_or_default().split(' ').filter_map(|entry| entry.parse::<u64>().ok()));
            }
        }
        Ok(entries)
    }

    /// The best proof that the entry at `index` is in the log: by a checkpoint with the quorum, if one covers it.
    pub fn prove(&self, index: u64, leaf: &Hash) -> anyhow::Result<(LogProof, Attested)> {
        let covering = self.checkpoints.iter().filter(|signed| index < signed.checkpoint.size);
        let best = covering.max_by_key(|signed| (signed.worth, signed.checkpoint.size));
        let signed = best.ok_or_else(|| anyhow!("no checkpoint covers entry {index}"))?;
        let path = self.reader(signed.checkpoint.size).inclusion_proof(index)?;
        let proof = LogProof { extra: Vec::new(), index, path, checkpoint: signed.note.clone() };
        let attested = proof.attest(leaf, &self.log, &self.policy)?;
        Ok((proof, attested))
    }

    /// Whether the log of this copy extends a checkpoint that was kept earlier; if it does not, the proof that the log forked.
    pub fn compare(&self, kept: &LogProof, checkpoint: &Checkpoint) -> anyhow::Result<Option<ForkProof>> {
        let Some(latest) = self.latest().filter(|latest| latest.checkpoint.size >= checkpoint.size) else {
            return Ok(None);
        };
        let mut reader = self.reader(latest.checkpoint.size);
        let root = reader.root_at(checkpoint.size)?;
        if root == checkpoint.root {
            return Ok(None);
        }
        let proof = reader.consistency_proof(checkpoint.size)?;
        let prefix = Prefix { root, proof };
        let notes = [kept.checkpoint.clone(), latest.note.clone()];
        let fork = ForkProof::new(self.log.clone(), notes, Some(prefix));
        fork.map(Some).context("the copy's tiles are neither those of its checkpoint nor those of the one kept")
    }

    fn read_checkpoint(&self, path: &str) -> anyhow::Result<Option<Signed>> {
        let Some(bytes) = fetch(self.source, path)? else { return Ok(None) };
        let note = SignedNote::parse(&bytes)?;
        let witnesses = self.policy.witnesses().iter().map(|witness| witness.key.clone());
        let keys: Vec<_> = std::iter::once(self.log.clone()).chain(witnesses).collect();
        let opened = tallyproof_log::checkpoint::open(&bytes, &keys, self.log.name().as_str())?;
        let cosigners = self.policy.cosigners(opened.note());
        let worth = (self.policy.satisfied_by(&cosigners), cosigners.len());
        Ok(Some(Signed { note, checkpoint: opened.checkpoint().clone(), worth }))
    }

    fn reader(&self, size: u64) -> TileReader<impl FnMut(&TilePath) -> Result<Option<Vec<u8>>, String> + '_> {
        TileReader::new(size, |tile: &TilePath| self.source.read(&bundle::tile_path(tile)))
    }

    fn search(&self, entry: &[u8], signed: &Signed) -> anyhow::Result<Sought> {
        let (size, wanted) = (signed.checkpoint.size, leaf_hash(entry));
        let mut leaves = Vec::new();
        for tile in tiles_for(0, size).take_while(|tile| tile.level().is_none()) {
            let bytes = fetch(self.source, &bundle::tile_path(&tile))?.ok_or(ReadError::Missing(tile))?;
            leaves.extend(decode_entries(&bytes, tile.width())?.into_iter().map(leaf_hash));
        }
        let found = leaves.iter().position(|leaf| *leaf == wanted);
        let whole = merkle::root(leaves) == signed.checkpoint.root;
        match found {
            Some(index) => Ok(Sought::At(index as u64)),
            None if whole => Ok(Sought::InNone),
            None => Err(anyhow!("the copy's entries do not have the root of its checkpoint; try another copy")),
        }
    }
}

fn fetch(source: &dyn Source, path: &str) -> anyhow::Result<Option<Vec<u8>>> {
    source.read(path).map_err(|why| anyhow!("{path} cannot be read: {why}"))
}

/// The policy of the election's definition; of the copy itself where the copy lacks the definition.
fn read_policy(
    source: &dyn Source,
    log: &VerifierKey,
    election: &DefinitionHash,
) -> anyhow::Result<(Policy, PolicyFrom)> {
    if let Some(files) = read_definition(source)? {
        let definition = package::parse_canonical(&files).map_err(|problems| {
            let first = problems.first().map(ToString::to_string).unwrap_or_default();
            anyhow!("the copy's definition cannot be used: {first}")
        })?;
        let found = definition.hash();
        anyhow::ensure!(found == election, "the copy is of the election {found}, the pack is for {election}");
        let lines = definition.election().policy_lines();
        return Ok((policy::of_lines(lines, log).context("the definition's witness policy")?, PolicyFrom::Definition));
    }
    let bytes = fetch(source, bundle::POLICY)?.ok_or_else(|| {
        anyhow!("the copy has neither a definition nor {}; name the witnesses with --trust", bundle::POLICY)
    })?;
    let text = std::str::from_utf8(&bytes).with_context(|| format!("{} is not UTF-8 text", bundle::POLICY))?;
    Ok((text.parse().with_context(|| format!("{} is not a policy", bundle::POLICY))?, PolicyFrom::Copy))
}

fn read_definition(source: &dyn Source) -> anyhow::Result<Option<package::Files>> {
    let mut files = package::Files::new();
    for path in bundle::DEFINITION {
        let Some(bytes) = fetch(source, path)? else { return Ok(None) };
        files.insert(path.rsplit('/').next().unwrap_or(path).to_owned(), bytes);
    }
    Ok(Some(files))
}
