//! The signed statements: keys, policy, checkpoints with their cosignatures, manifest.

use tallyproof_log::{
    checkpoint::Checkpoint,
    merkle::Hash,
    note::{PublicKey, SignedNote, Verified, VerifierKey},
    policy::Policy,
};
use tallyproof_record::Problem;

use super::{Source, fetch, unreadable};
use crate::{bundle, check::Check, manifest::Manifest, trust::Trust};

/// What the bundle's signed files state, signed or not: an unsigned statement is a problem, and is still compared with the rest.
pub(super) struct Statements {
    pub(super) log: Option<VerifierKey>,
    keys: Keys,
    pub(super) checkpoint: Option<Stated<Checkpoint>>,
    pub(super) manifest: Option<Stated<Manifest>>,
    /// A checkpoint that is said to have the quorum.
    pub(super) cosigned: Option<Stated<Checkpoint>>,
    /// The checkpoint that is said to be final, as it stands.
    pub(super) frozen: Option<Vec<u8>>,
    /// `log/policy`, as it stands.
    pub(super) policy: Option<Vec<u8>>,
}

/// A statement, and who signed it: the log's key and others, or nobody who can be believed.
pub(super) struct Stated<T> {
    pub(super) value: T,
    pub(super) bytes: Vec<u8>,
    pub(super) verified: Option<Verified>,
}

impl<T> Stated<T> {
    /// Whether the log's key signed it.
    pub(super) fn signed(&self) -> bool {
        self.verified.is_some()
    }
}

/// The keys that notes are checked with.
struct Keys {
    log: Option<VerifierKey>,
    /// The log's too.
    known: Vec<VerifierKey>,
}

/// The state of the log that everything is checked against.
#[derive(Clone, Copy)]
pub(super) struct Target {
    pub(super) size: u64,
    pub(super) root: Hash,
}

impl Statements {
    pub(super) fn read(source: &dyn Source, trust: Option<&Trust>, problems: &mut Vec<Problem>) -> Self {
        let mut known = verifier_keys(source, problems);
        if known.is_empty() {
            known.extend(trust.map(|trust| trust.log.clone()));
        }
        let log = known.first().cloned();
        let policy = keep(fetch(source, bundle::POLICY), problems);
        let own = policy.as_ref().and_then(|bytes| parse_policy(bytes, log.as_ref(), problems));
        let trusted = trust.and_then(|trust| trust.policy.as_ref());
        let witnesses = own.iter().chain(trusted).flat_map(Policy::witnesses);
        known.extend(witnesses.map(|witness| witness.key.clone()));
        let keys = Keys { log, known };
        // In a bundle that is being published, what is read first is covered by what is read later.
        let manifest = read_note(source, bundle::MANIFEST, &keys, problems);
        let frozen = keep(fetch_if_there(source, bundle::FROZEN), problems).flatten();
        let cosigned = keep(fetch_if_there(source, bundle::COSIGNED), problems).flatten();
        let cosigned = cosigned.and_then(|bytes| check_note(bytes, bundle::COSIGNED, &keys, problems));
        let checkpoint = read_note(source, bundle::CHECKPOINT, &keys, problems);
        let statements = Self { log: keys.log.clone(), keys, checkpoint, manifest, cosigned, frozen, policy };
        statements.compare(problems);
        statements
    }

    /// Opens another checkpoint of the bundle.
    pub(super) fn open_checkpoint(
        &self,
        bytes: Vec<u8>,
        path: &str,
        problems: &mut Vec<Problem>,
    ) -> Option<Stated<Checkpoint>> {
        check_note(bytes, path, &self.keys, problems)
    }

    /// The state of the log to check against: what the log signed, the checkpoint before the manifest.
    pub(super) fn target(&self) -> Option<Target> {
        let checkpoint =
            self.checkpoint.as_ref().map(|c| (c.signed(), Target { size: c.value.size, root: c.value.root }));
        let manifest =
            self.manifest.as_ref().map(|m| (m.signed(), Target { size: m.value.tree_size, root: m.value.root }));
        let stated = || [checkpoint, manifest].into_iter().flatten();
        stated().find(|(signed, _)| *signed).or_else(|| stated().next()).map(|(_, target)| target)
    }

    /// Whether all statements are of one log. The root at the manifest's size needs the tree and is checked there.
    fn compare(&self, problems: &mut Vec<Problem>) {
        let (Some(checkpoint), Some(manifest)) = (&self.checkpoint, &self.manifest) else { return };
        let (checkpoint, manifest) = (&checkpoint.value, &manifest.value);
        if checkpoint.origin != manifest.origin {
            let what =
                format!("the manifest is of the log {}, the checkpoint of {}", manifest.origin, checkpoint.origin);
            problems.push(Check::ManifestLog.problem(bundle::MANIFEST, what));
        }
        if manifest.tree_size > checkpoint.size {
            let what = format!("tree size {} is beyond the checkpoint's {}", manifest.tree_size, checkpoint.size);
            problems.push(Check::ManifestLog.problem(bundle::MANIFEST, what));
        }
    }
}

/// The keys of `log/vkeys`, the log's first; none if the file is unusable.
fn verifier_keys(source: &dyn Source, problems: &mut Vec<Problem>) -> Vec<VerifierKey> {
    let parsed = fetch(source, bundle::VKEYS).and_then(|bytes| parse_keys(&bytes));
    parsed.unwrap_or_else(|problem| {
        problems.push(problem);
        Vec::new()
    })
}

fn parse_keys(bytes: &[u8]) -> Result<Vec<VerifierKey>, Problem> {
    let problem = |what: String| Check::VerifierKeys.problem(bundle::VKEYS, what);
    let text = std::str::from_utf8(bytes).map_err(|_| problem("not UTF-8 text".into()))?;
    let lines = text.strip_suffix('\n').ok_or_else(|| problem("the last line does not end with a newline".into()))?;
    let parse = |(line, text): (usize, &str)| {
        text.parse::<VerifierKey>().map_err(|error| problem(format!("line {line}: {error}")))
    };
    let keys: Vec<_> = (1..).zip(lines.split('\n')).map(parse).collect::<Result<_, _>>()?;
    match keys.first().map(VerifierKey::public_key) {
        Some(PublicKey::Ed25519(_)) => Ok(keys),
        _ => Err(problem("line 1: the log's key has to be an Ed25519 key".into())),
    }
}

/// Reads a note and what it states.
fn read_note<T: std::str::FromStr<Err: ToString> + Origin>(
    source: &dyn Source,
    path: &str,
    keys: &Keys,
    problems: &mut Vec<Problem>,
) -> Option<Stated<T>> {
    let bytes = keep(fetch(source, path), problems)?;
    check_note(bytes, path, keys, problems)
}

fn check_note<T: std::str::FromStr<Err: ToString> + Origin>(
    bytes: Vec<u8>,
    path: &str,
    keys: &Keys,
    problems: &mut Vec<Problem>,
) -> Option<Stated<T>> {
    let malformed = |what: String| Check::NoteFormat.problem(path, what);
    let note = keep(SignedNote::parse(&bytes).map_err(|error| malformed(error.to_string())), problems)?;
    let value: T = keep(note.text().parse().map_err(|error: T::Err| malformed(error.to_string())), problems)?;
    problems.extend(check_signers(&note, &keys.known).map(|what| Check::UnknownSigner.problem(path, what)));
    let verified = check_signatures(&note, keys, value.origin());
    let verified = keep(verified.map_err(|what| Check::NoteSignature.problem(path, what)), problems);
    Some(Stated { value, bytes, verified })
}

/// What is wrong with the signature lines themselves: a line that no key can check could hold anything.
fn check_signers(note: &SignedNote, known: &[VerifierKey]) -> impl Iterator<Item = String> {
    let mut signers: Vec<_> = note.signatures().iter().map(|s| (&s.name, s.key_id)).collect();
    let unknown = signers.iter().filter(|(name, id)| !known.iter().any(|key| key.name() == *name && key.id() == *id));
    let unknown: Vec<_> = unknown.map(|(name, id)| format!("{name} ({id})")).collect();
    let unknown = (!unknown.is_empty()).then(|| {
        format!("neither log/vkeys nor the policy has a key to check the signature of {}", unknown.join(", "))
    });
    signers.sort_unstable();
    let repeated = signers.windows(2).any(|pair| pair[0] == pair[1]);
    unknown.into_iter().chain(repeated.then(|| "a key has signed more than once".into()))
}

/// Every signature that holds, if the log's does and none is false.
fn check_signatures(note: &SignedNote, keys: &Keys, origin: &str) -> Result<Verified, String> {
    let verified = note.verify(&keys.known).map_err(|error| error.to_string())?;
    let log = keys.log.as_ref().filter(|log| log.name().as_str() == origin);
    let log =
        log.ok_or_else(|| format!("it names the log {origin}, which is not that of the first key of log/vkeys"))?;
    if verified.signed_by(log) { Ok(verified) } else { Err("the log's key has not signed it".into()) }
}

/// The log that a statement is of.
trait Origin {
    fn origin(&self) -> &str;
}

impl Origin for Checkpoint {
    fn origin(&self) -> &str {
        self.origin.as_str()
    }
}

impl Origin for Manifest {
    fn origin(&self) -> &str {
        self.origin.as_str()
    }
}

fn parse_policy(bytes: &[u8], log: Option<&VerifierKey>, problems: &mut Vec<Problem>) -> Option<Policy> {
    let text = std::str::from_utf8(bytes).map_err(|_| "not UTF-8 text".to_owned());
    let policy = text.and_then(|text| text.parse::<Policy>().map_err(|error| error.to_string()));
    let policy = keep(policy.map_err(|what| Check::Policy.problem(bundle::POLICY, what)), problems)?;
    if log.is_some_and(|log| !policy.trusts(log)) {
        problems.push(Check::Policy.problem(bundle::POLICY, "the log's key is not in the policy"));
    }
    Some(policy)
}

pub(super) fn fetch_if_there(source: &dyn Source, path: &str) -> Result<Option<Vec<u8>>, Problem> {
    source.read(path).map_err(|error| unreadable(path, &error))
}

fn keep<T>(result: Result<T, Problem>, problems: &mut Vec<Problem>) -> Option<T> {
    result.map_err(|problem| problems.push(problem)).ok()
}
