//! Bundles made by hand, with the keys of a small election and of witnesses: logs that grow, stop, hide, shrink and fork as a test wants.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::sync::Arc;

use tallyproof_cli::centre::CentreKeys;
use tallyproof_cli::pack::Pack;
use tallyproof_cli::package;
use tallyproof_count::manifest::Manifest;
use tallyproof_count::{Ledger, bundle, judge, policy};
use tallyproof_log::checkpoint::Checkpoint;
use tallyproof_log::cosignature::CosignerKey;
use tallyproof_log::merkle::leaf_hash;
use tallyproof_log::note::SignedNote;
use tallyproof_log::tile::{encode_entries, tiles_for};
use tallyproof_log::tree::Tree;
use tallyproof_record::cose::{self, SealedRecord};
use tallyproof_record::definition::Committed;
use tallyproof_record::entry::Entry;
use tallyproof_record::receipt::Receipt;
use tallyproof_record::{ContestNo, Tally};

use crate::shell::Shell;

/// When witnesses cosign.
const TIME: u64 = 1_782_864_000;

pub(crate) fn witness(number: u8) -> CosignerKey {
    CosignerKey::ed25519(format!("witness.example/{number}").parse().unwrap(), &[number; 32])
}

/// A small election, its stations enrolled, whose definition asks for two of three witnesses.
pub(crate) fn enrolled() -> Shell {
    let shell = Shell::with_election();
    let lines: Vec<_> = (1..=3).map(|number| format!("\"witness w{number} {}\"", witness(number).verifier())).collect();
    let policy = format!("\n[witnesses]\npolicy = [{}, \"group two 2 w1 w2 w3\", \"quorum two\"]\n", lines.join(", "));
    let head = fs::read_to_string(shell.path("election/election.toml")).unwrap();
    shell.write("election/election.toml", &(head + &policy));
    let init = shell.run("centre init --keys keys --origin log.example/small");
    assert_eq!(init.code, 0, "{}", init.stderr);
    let enrol = shell.run("--json election enrol election --keys keys --packs packs --out published");
    assert_eq!(enrol.code, 0, "{}", enrol.stderr);
    let trust = enrol.json();
    let text = format!("definition = {}\nlog = {}\n", trust["definition"], trust["log"]);
    shell.write("trust.toml", &text);
    shell.write("count.csv", "figure,count\nA,40\nB,30\n@blank,2\n@null,1\n");
    shell
}

/// Seals the count of station 1, and writes the centre's first-stage receipt beside it.
pub(crate) fn receipted(shell: &Shell) -> SealedRecord {
    let seal = shell
        .run("--json station seal --pack packs/station-1.toml --election published --queue queue --figures count.csv");
    assert_eq!(seal.code, 0, "{}", seal.stderr);
    let record = SealedRecord::from_bytes(fs::read(shell.path("queue/station-1-contest-1.cose")).unwrap()).unwrap();
    let tally = cose::open(record.as_bytes()).unwrap().tally;
    let receipt = Receipt { station: tally.station, contest: tally.contest, digest: record.digest() };
    let keys = CentreKeys::read(&shell.path("keys")).unwrap();
    fs::write(shell.path("queue/station-1-contest-1.receipt"), receipt.sign(&tally.election, &keys.receipts)).unwrap();
    record
}

/// A log and all that is published with it.
pub(crate) struct Published {
    definition: Arc<Committed>,
    keys: CentreKeys,
    other: Pack,
    entries: Vec<Vec<u8>>,
    /// Sizes whose partial tiles are shown.
    sizes: Vec<u64>,
    cosigned: Option<String>,
    frozen: bool,
}

impl Published {
    /// The log of the enrolled election, with the definition alone.
    pub(crate) fn new(shell: &Shell) -> Self {
        let definition = Arc::new(package::load(&shell.path("published")).unwrap().election.commit());
        let entries = vec![Entry::Definition(definition.canonical().manifest.as_bytes()).encode()];
        let keys = CentreKeys::read(&shell.path("keys")).unwrap();
        let other = Pack::read(&shell.path("packs/station-2.toml")).unwrap();
        Self { definition, keys, other, entries, sizes: Vec::new(), cosigned: None, frozen: false }
    }

    pub(crate) fn push(&mut self, record: &SealedRecord) {
        self.entries.push(Entry::Record(record.as_bytes()).encode());
    }

    /// So many records of station 2, all different from those with another `version`.
    pub(crate) fn push_others(&mut self, count: u32, version: u32) {
        for number in 0..count {
            let tally = Tally {
                blank: Some(version),
                null: Some(0),
                ..Tally::new(
                    *self.definition.hash(),
                    self.definition.election().phase(),
                    self.other.number,
                    ContestNo(1),
                    TIME,
                    vec![number, 1],
                )
            };
            self.push(&cose::seal(&tally, &self.other.signing_key));
        }
    }

    /// The same log as of an earlier size.
    pub(crate) fn truncate(&mut self, size: usize) {
        self.entries.truncate(size);
        self.sizes.retain(|earlier| *earlier < size as u64);
    }

    pub(crate) fn size(&self) -> u64 {
        self.entries.len() as u64
    }

    /// Ends the log with the next [`Published::write`].
    pub(crate) fn freeze(&mut self) {
        self.frozen = true;
    }

    /// The checkpoint with the cosignatures of these witnesses.
    fn note(&self, witnesses: &[u8]) -> String {
        let tree = self.tree();
        let origin = self.keys.verifier().name().clone();
        let checkpoint = Checkpoint { origin, size: tree.size(), root: tree.root() };
        let mut note = SignedNote::parse(checkpoint.sign(&self.keys.log).unwrap().as_bytes()).unwrap();
        for witness in witnesses.iter().map(|number| witness(*number)) {
            note.attach(witness.cosign(&checkpoint, TIME).unwrap(), witness.verifier()).unwrap();
        }
        note.to_string()
    }

    fn tree(&self) -> Tree {
        self.entries.iter().map(|entry| leaf_hash(entry)).collect()
    }

    /// Publishes the log as it is, its checkpoint cosigned by these witnesses.
    pub(crate) fn write(&mut self, folder: &Path, witnesses: &[u8]) {
        let note = self.note(witnesses);
        if witnesses.len() >= 2 {
            self.cosigned = Some(note.clone());
        }
        self.sizes.push(self.size());
        let mut files = self.files();
        if self.frozen {
            files.insert(bundle::FROZEN.into(), note.clone().into_bytes());
        }
        files.insert(bundle::MANIFEST.into(), self.manifest(&files));
        files.insert(bundle::CHECKPOINT.into(), note.into_bytes());
        files.extend(self.cosigned.iter().map(|note| (bundle::COSIGNED.to_owned(), note.clone().into_bytes())));
        for (path, bytes) in files.into_iter().chain(self.tiles()) {
            let target = folder.join(path);
            fs::create_dir_all(target.parent().unwrap()).unwrap();
            fs::write(target, bytes).unwrap();
        }
    }

    fn files(&self) -> BTreeMap<String, Vec<u8>> {
        let mut ledger = Ledger::new(Arc::clone(&self.definition));
        for (index, entry) in (0..).zip(&self.entries) {
            ledger.apply(index, &judge(&self.definition, entry));
        }
        let mut files: BTreeMap<_, _> =
            bundle::index_files(&ledger).into_iter().map(|(path, bytes)| (path.to_owned(), bytes)).collect();
        for (name, bytes) in &self.definition.canonical().files {
            files.insert(format!("election/{name}"), bytes.clone());
        }
        let log = self.keys.verifier();
        let policy = policy::of_lines(self.definition.election().policy_lines(), log).unwrap();
        files.insert(bundle::POLICY.into(), policy.to_string().into_bytes());
        files.insert(bundle::VKEYS.into(), format!("{log}\n").into_bytes());
        files.insert("site/index.html".into(), format!("<p>{} entries</p>\n", self.size()).into_bytes());
        files
    }

    fn manifest(&self, files: &BTreeMap<String, Vec<u8>>) -> Vec<u8> {
        let (tree, origin) = (self.tree(), self.keys.verifier().name().clone());
        let mut manifest = Manifest { origin, tree_size: tree.size(), root: tree.root(), files: BTreeMap::new() };
        for (path, bytes) in files {
            manifest.insert(path.parse().unwrap(), bytes);
        }
        manifest.sign(&self.keys.log).unwrap().into_bytes()
    }

    fn tiles(&self) -> BTreeMap<String, Vec<u8>> {
        let tree = self.tree();
        let steps = [0].into_iter().chain(self.sizes.iter().copied()).zip(self.sizes.iter().copied());
        let tiles = steps.flat_map(|(old, new)| tiles_for(old, new)).map(|tile| {
            let bytes = tree.tile(&tile).unwrap_or_else(|| {
                let first = usize::try_from(tile.first().unwrap()).unwrap();
                encode_entries(&self.entries[first..first + usize::from(tile.width())]).unwrap()
            });
            (bundle::tile_path(&tile), bytes)
        });
        tiles.collect()
    }
}
