//! Synthetic elections, their records, logs and bundles, in memory.

use std::{collections::BTreeMap, fmt::Write, sync::Arc};

use ed25519_dalek::SigningKey;
use tallyproof_count::{
    Ledger, Trust, Verification, bulletin,
    bundle::{self, BulletinFile},
    judge,
    manifest::{BundlePath, Manifest},
    policy::of_lines,
    verify,
};
use tallyproof_log::{
    checkpoint::Checkpoint,
    cosignature::CosignerKey,
    merkle::leaf_hash,
    note::{SignedNote, SignerKey},
    policy::{Policy, Threshold},
    tile::{encode_entries, tiles_for},
    tree::Tree,
};
use tallyproof_record::{
    ContestNo, Election, SealedRecord, StationNo, Tally, cose,
    definition::{Agent, Authority, Committed, Member, package},
    entry::Entry,
    tally::Stage,
};

pub(crate) type Files = BTreeMap<String, Vec<u8>>;

/// Votes of the roll of every station that has one.
pub(crate) const ROLL: u32 = 500;
pub(crate) const GOVERNOR: ContestNo = ContestNo(1);
pub(crate) const MAYOR: ContestNo = ContestNo(2);
pub(crate) const DEPUTY: ContestNo = ContestNo(3);
const CLOSE: u64 = 1_782_864_000;

/// An election of `stations` stations in two states: a contest everywhere, one in the north, one in a district of the south.
/// Odd stations vote in the north. Every fifth has no known roll.
pub(crate) fn election(stations: u32) -> Arc<Committed> {
    election_with(stations, "drill")
}

pub(crate) fn election_with(stations: u32, phase: &str) -> Arc<Committed> {
    election_ruled(stations, phase, "")
}

/// Its `election.toml` ends with `rules`.
pub(crate) fn election_ruled(stations: u32, phase: &str, rules: &str) -> Arc<Committed> {
    Arc::new(uncommitted(stations, phase, rules).commit())
}

/// Its definition states [`policy`].
pub(crate) fn election_asking(stations: u32, quorum: &str) -> Arc<Committed> {
    let lines = policy(quorum).to_string().lines().skip(1).map(str::to_owned).collect();
    Arc::new(uncommitted(stations, "drill", "").with_policy_lines(lines).commit())
}

fn uncommitted(stations: u32, phase: &str, rules: &str) -> Election {
    let mut register = String::from("id,name,area,registered,kind,key\n");
    for number in 1..=stations {
        let area = match number % 4 {
            1 | 3 => "north",
            2 => "south",
            _ => "south-1",
        };
        let roll = if number % 5 == 0 { String::new() } else { ROLL.to_string() };
        writeln!(register, "s{number},\"Station {number}, {area}\",{area},{roll},ordinary,").unwrap();
    }
    let toml = format!(
        r#"format = 1
id = "example"
name = "Example"
date = "2026-07-01"
phase = "{phase}"
polls_close = "2026-07-01T00:00:00Z"

[[contest]]
id = "governor"
name = "Governor"
area = "land"
figures = ["blank"]

[[contest]]
id = "mayor"
name = "Mayor"
area = "north"

[[contest]]
id = "deputy"
name = "Deputy"
area = "south-1"
{rules}"#
    );
    let areas = "id,parent,name,kind\nland,,Land,country\nnorth,land,North,state\nsouth,land,South,state\nsouth-1,south,South 1,district\n";
    let ballot = "contest,line,name,candidate,candidate_name,party,party_name\n\
        governor,a,A,ann,Ann,P,P\ngovernor,b,B,bob,Bob,Q,Q\ngovernor,ab,A and B,ann,Ann,Q,Q\ngovernor,c,C,cy,Cy,,\n\
        mayor,m,M,mia,Mia,P,P\nmayor,n,N,ned,Ned,Q,Q\n\
        deputy,d,D,dan,Dan,P,P\n";
    let files: package::Files = [
        ("election.toml", toml.into_bytes()),
        ("areas.csv", areas.into()),
        ("ballot.csv", ballot.into()),
        ("stations.csv", register.into_bytes()),
    ]
    .map(|(name, bytes): (&str, Vec<u8>)| (name.to_owned(), bytes))
    .into();
    let election = package::parse(&files).unwrap();
    election.with_keys(|station| station_key(station).verifying_key().into())
}

/// With an authority of three members, two of whom have to sign, and two agents.
pub(crate) fn election_of_authority(stations: u32) -> Arc<Committed> {
    let members =
        (1..=3).map(|number| Member { name: format!("m{number}"), key: member_key(number).verifying_key().into() });
    let authority = Authority::new(2, members.collect()).unwrap();
    let agent = |number: u8| Agent {
        id: format!("a{number}"),
        name: format!("Agent {number}"),
        key: agent_key(number).verifying_key().into(),
    };
    let election = election(stations).election().clone();
    Arc::new(election.with_signatories(authority, vec![agent(1), agent(2)]).commit())
}

pub(crate) fn member_key(number: u8) -> SigningKey {
    SigningKey::from_bytes(&[100 + number; 32])
}

pub(crate) fn agent_key(number: u8) -> SigningKey {
    SigningKey::from_bytes(&[120 + number; 32])
}

pub(crate) fn station_key(station: StationNo) -> SigningKey {
    let mut seed = [5; 32];
    seed[..4].copy_from_slice(&station.0.to_be_bytes());
    SigningKey::from_bytes(&seed)
}

pub(crate) fn log_key() -> SignerKey {
    SignerKey::new("log.example/2026".parse().unwrap(), &[9; 32])
}

/// A tally that every rule lets pass. `salt` makes different ones.
pub(crate) fn tally(definition: &Committed, station: u32, contest: ContestNo, salt: u32) -> Tally {
    let lines = definition.election().contest(contest).map_or(1, |contest| contest.lines.len());
    Tally {
        election: *definition.hash(),
        phase: definition.election().phase(),
        stage: Stage::Count,
        station: StationNo(station),
        contest,
        sealed_at: CLOSE + 60,
        counts: (1..).take(lines).map(|line| line * 7 + station % 13 + salt).collect(),
        blank: Some(3),
        null: None,
        voters: None,
        registered: None,
        total: None,
        images: Vec::new(),
    }
}

/// A tally that states its voters, as many as its ballots; every rule lets it pass on its own.
pub(crate) fn stating(definition: &Committed, station: u32, contest: ContestNo, voters: u32) -> Tally {
    let mut tally = tally(definition, station, contest, 0);
    tally.counts.fill(0);
    tally.counts[0] = voters - tally.blank.unwrap();
    Tally { voters: Some(voters), ..tally }
}

/// Sealed with the station's own key, as a log entry.
pub(crate) fn sealed(tally: &Tally) -> Vec<u8> {
    sealed_by(tally, &station_key(tally.station))
}

pub(crate) fn sealed_by(tally: &Tally, key: &SigningKey) -> Vec<u8> {
    entry(&cose::seal(tally, key))
}

fn entry(record: &SealedRecord) -> Vec<u8> {
    Entry::Record(record.as_bytes()).encode()
}

/// One good record for each slot.
pub(crate) fn good_records(definition: &Arc<Committed>) -> Vec<Vec<u8>> {
    let ledger = Ledger::new(Arc::clone(definition));
    ledger.slots().map(|slot| sealed(&tally(definition, slot.station.0, slot.contest, 0))).collect()
}

pub(crate) fn definition_entry(definition: &Committed) -> Vec<u8> {
    Entry::Definition(definition.canonical().manifest.as_bytes()).encode()
}

/// The definition, then `records`.
pub(crate) fn log_of(definition: &Committed, records: &[Vec<u8>]) -> Vec<Vec<u8>> {
    [&[definition_entry(definition)], records].concat()
}

pub(crate) fn ledger_of(definition: &Arc<Committed>, entries: &[Vec<u8>]) -> Ledger {
    let mut ledger = Ledger::new(Arc::clone(definition));
    for (index, entry) in (0..).zip(entries) {
        ledger.apply(index, &judge(definition, entry));
    }
    ledger
}

/// A bundle and how to make it.
#[derive(Clone)]
pub(crate) struct World {
    pub(crate) definition: Arc<Committed>,
    pub(crate) entries: Vec<Vec<u8>>,
    /// Tree sizes that were published before the last.
    pub(crate) earlier: Vec<u64>,
    /// The size that index and manifest are of.
    pub(crate) manifest_size: u64,
    /// `log/policy`.
    pub(crate) policy: Policy,
    /// Who cosigned the checkpoint, by [`witness_key`].
    pub(crate) cosigners: Vec<u8>,
    /// `log/cosigned`: its size, and who cosigned it.
    pub(crate) cosigned: Option<(u64, Vec<u8>)>,
    /// The checkpoint beside each bulletin: its size, and who cosigned it.
    pub(crate) bound: Option<(u64, Vec<u8>)>,
    /// Whether the log is finished.
    pub(crate) frozen: bool,
}

/// The thirteenth's is of ML-DSA-44, all others of Ed25519.
pub(crate) fn witness_key(number: u8) -> CosignerKey {
    let make = if number == 13 { CosignerKey::ml_dsa_44 } else { CosignerKey::ed25519 };
    make(format!("witness.example/{number}").parse().unwrap(), &[number; 32])
}

/// A policy that knows the witnesses w11, w12 and w13, and asks for `quorum`: one of them, `none`, or `two`.
pub(crate) fn policy(quorum: &str) -> Policy {
    let mut policy = Policy::without_witnesses([log_key().verifier().clone()]).unwrap();
    for number in 11..=13 {
        policy.add_witness(&format!("w{number}"), witness_key(number).verifier().clone(), None).unwrap();
    }
    policy.add_group("two", Threshold::AtLeast(2), &["w11", "w12", "w13"]).unwrap();
    policy.set_quorum(quorum).unwrap();
    policy
}

impl World {
    /// One good record for each slot of an election of `stations`.
    pub(crate) fn new(stations: u32) -> Self {
        let definition = election(stations);
        let records = good_records(&definition);
        Self::with(&definition, &records)
    }

    pub(crate) fn with(definition: &Arc<Committed>, records: &[Vec<u8>]) -> Self {
        let entries = log_of(definition, records);
        let manifest_size = entries.len() as u64;
        let policy = of_lines(ledger_of(definition, &entries).policy_lines(), log_key().verifier()).unwrap();
        let definition = Arc::clone(definition);
        Self {
            definition,
            entries,
            earlier: vec![],
            manifest_size,
            policy,
            cosigners: vec![],
            cosigned: None,
            bound: Some((manifest_size, vec![])),
            frozen: false,
        }
    }

    /// As [`World::new`], of a definition that states [`policy`], the checkpoint cosigned by these.
    pub(crate) fn asking(stations: u32, quorum: &str, cosigners: &[u8]) -> Self {
        let definition = election_asking(stations, quorum);
        Self { cosigners: cosigners.to_vec(), ..Self::with(&definition, &good_records(&definition)) }
    }

    /// The log's checkpoint at `size`, cosigned by these.
    pub(crate) fn checkpoint(&self, size: u64, cosigners: &[u8]) -> Vec<u8> {
        let (tree, key) = (self.tree(), log_key());
        let checkpoint = Checkpoint { origin: key.verifier().name().clone(), size, root: tree.root_at(size).unwrap() };
        let mut note = SignedNote::parse(checkpoint.sign(&key).unwrap().as_bytes()).unwrap();
        for witness in cosigners.iter().map(|number| witness_key(*number)) {
            note.attach(witness.cosign(&checkpoint, CLOSE).unwrap(), witness.verifier()).unwrap();
        }
        note.to_string().into_bytes()
    }

    pub(crate) fn size(&self) -> u64 {
        self.entries.len() as u64
    }

    pub(crate) fn tree(&self) -> Tree {
        self.entries.iter().map(|entry| leaf_hash(entry)).collect()
    }

    pub(crate) fn trust(&self) -> Trust {
        Trust { definition: *self.definition.hash(), log: log_key().verifier().clone(), policy: None }
    }

    /// The finished bundle.
    pub(crate) fn bundle(&self) -> Files {
        let mut files = self.content();
        files.insert(bundle::MANIFEST.into(), self.manifest(&files));
        files
    }

    /// All files but the manifest.
    pub(crate) fn content(&self) -> Files {
        let mut files = self.log_files();
        for (name, bytes) in &self.definition.canonical().files {
            files.insert(format!("election/{name}"), bytes.clone());
        }
        let prefix = &self.entries[..usize::try_from(self.manifest_size).unwrap()];
        let ledger = ledger_of(&self.definition, prefix);
        for (path, bytes) in bundle::index_files(&ledger) {
            files.insert(path.into(), bytes);
        }
        self.add_bulletins(&ledger, &mut files);
        files.insert("site/index.html".into(), b"<p>Example</p>\n".to_vec());
        files
    }

    fn add_bulletins(&self, ledger: &Ledger, files: &mut Files) {
        bulletin::recompute(ledger, &self.tree(), ledger.bulletins(), |issued, document| {
            let mut put = |file: BulletinFile, bytes| files.insert(file.path(issued.stated.number), bytes);
            put(BulletinFile::Json, document.to_json());
            put(BulletinFile::Csv, document.to_csv());
            put(BulletinFile::Html, b"<p>Bulletin</p>\n".to_vec());
            if let Some((size, by)) = &self.bound {
                put(BulletinFile::Checkpoint, self.checkpoint(*size, by));
            }
        });
    }

    fn log_files(&self) -> Files {
        let tree = self.tree();
        let key = log_key();
        let checkpoint = self.checkpoint(tree.size(), &self.cosigners);
        let mut files = Files::from([
            (bundle::CHECKPOINT.into(), checkpoint.clone()),
            (bundle::VKEYS.into(), format!("{}\n", key.verifier()).into_bytes()),
            (bundle::POLICY.into(), self.policy.to_string().into_bytes()),
        ]);
        files.extend(self.frozen.then(|| (bundle::FROZEN.into(), checkpoint)));
        let cosigned = self.cosigned.as_ref().map(|(size, by)| (bundle::COSIGNED.into(), self.checkpoint(*size, by)));
        files.extend(cosigned);
        let sizes: Vec<u64> = [&[0], self.earlier.as_slice(), &[tree.size()]].concat();
        for tile in sizes.windows(2).flat_map(|sizes| tiles_for(sizes[0], sizes[1])) {
            let bytes = tree.tile(&tile).unwrap_or_else(|| {
                let first = usize::try_from(tile.first().unwrap()).unwrap();
                encode_entries(&self.entries[first..first + usize::from(tile.width())]).unwrap()
            });
            files.insert(bundle::tile_path(&tile), bytes);
        }
        files
    }

    /// The manifest of these files, signed.
    pub(crate) fn manifest(&self, files: &Files) -> Vec<u8> {
        sign(&self.unsigned_manifest(files))
    }

    pub(crate) fn unsigned_manifest(&self, files: &Files) -> Manifest {
        let root = self.tree().root_at(self.manifest_size).unwrap();
        let origin = log_key().verifier().name().clone();
        let mut manifest = Manifest { origin, tree_size: self.manifest_size, root, files: BTreeMap::new() };
        for (path, bytes) in files {
            if let Ok(path) = path.parse::<BundlePath>() {
                manifest.insert(path, bytes);
            }
        }
        manifest
    }
}

pub(crate) fn sign(manifest: &Manifest) -> Vec<u8> {
    manifest.sign(&log_key()).unwrap().into_bytes()
}

pub(crate) fn verified(files: &Files) -> Verification {
    verify(files, None, &|_, _| ()).unwrap()
}

/// Code and place of each problem.
pub(crate) fn problems(verification: &Verification) -> Vec<(&str, &str)> {
    verification.problems.iter().map(|problem| (problem.code, problem.place.as_str())).collect()
}

/// As [`problems`].
pub(crate) fn warnings(verification: &Verification) -> Vec<(&str, &str)> {
    verification.warnings.iter().map(|warning| (warning.code, warning.place.as_str())).collect()
}
