//! The signed statements: keys, checkpoint, manifest, policy.

use tallyproof_log::{
    checkpoint::Checkpoint,
    merkle::Hash,
    note::{PublicKey, SignedNote, VerifierKey},
    policy::Policy,
};
use tallyproof_record::Problem;

use super::{Source, fetch};
use crate::{bundle, check::Check, manifest::Manifest, trust::Trust};

/// What the bundle's signed files state, signed or not: an unsigned statement is a problem, and is still compared with the rest.
pub(super) struct Statements {
    pub(super) log: Option<VerifierKey>,
    pub(super) checkpoint: Option<Stated<Checkpoint>>,
    pub(super) manifest: Option<Stated<Manifest>>,
}

/// A statement, and whether the log's key signed it.
pub(super) struct Stated<T> {
    pub(super) value: T,
    pub(super) signed: bool,
    /// Keys other than the log's whose signatures hold.
    pub(super) cosignatures: u64,
}

/// The state of the log that everything is checked against.
#[derive(Clone, Copy)]
pub(super) struct Target {
    pub(super) size: u64,
    pub(super) root: Hash,
}

impl Statements {
    pub(super) fn read(source: &dyn Source, trust: Option<&Trust>, problems: &mut Vec<Problem>) -> Self {
        let mut keys = verifier_keys(source, problems);
        if keys.is_empty() {
            keys.extend(trust.map(|trust| trust.log.clone()));
        }
        // The manifest first: in a bundle that is being published, a later checkpoint covers an earlier manifest.
        let manifest = read_note(source, bundle::MANIFEST, &keys, problems);
        let checkpoint = read_note(source, bundle::CHECKPOINT, &keys, problems);
        let log = keys.into_iter().next();
        policy(source, log.as_ref(), problems);
        let statements = Self { log, checkpoint, manifest };
        statements.compare(problems);
        statements
    }

    /// The state of the log to check against: what the log signed, the checkpoint before the manifest.
    pub(super) fn target(&self) -> Option<Target> {
        let checkpoint =
            self.checkpoint.as_ref().map(|c| (c.signed, Target { size: c.value.size, root: c.value.root }));
        let manifest =
            self.manifest.as_ref().map(|m| (m.signed, Target { size: m.value.tree_size, root: m.value.root }));
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

/// Reads a note and what it states; `keys` start with the log's.
fn read_note<T: std::str::FromStr<Err: ToString> + Origin>(
    source: &dyn Source,
    path: &str,
    keys: &[VerifierKey],
    problems: &mut Vec<Problem>,
) -> Option<Stated<T>> {
    let bytes = keep(fetch(source, path), problems)?;
    let malformed = |what: String| Check::NoteFormat.problem(path, what);
    let note = keep(SignedNote::parse(&bytes).map_err(|error| malformed(error.to_string())), problems)?;
    let value: T = keep(note.text().parse().map_err(|error: T::Err| malformed(error.to_string())), problems)?;
    let mut stated = Stated { value, signed: false, cosignatures: 0 };
    match check_signatures(&note, keys, stated.value.origin()) {
        Ok(cosignatures) => (stated.signed, stated.cosignatures) = (true, cosignatures),
        Err(what) => problems.push(Check::NoteSignature.problem(path, what)),
    }
    let unknown = note.signatures().iter().filter(|s| !keys.iter().any(|k| k.id() == s.key_id && *k.name() == s.name));
    let unknown: Vec<_> = unknown.map(|s| format!("{} ({})", s.name, s.key_id)).collect();
    if !unknown.is_empty() {
        let what = format!("log/vkeys has no key to check the signature of {}", unknown.join(", "));
        problems.push(Check::UnknownSigner.problem(path, what));
    }
    if (1..note.signatures().len()).any(|at| note.signatures()[..at].contains(&note.signatures()[at])) {
        problems.push(Check::UnknownSigner.problem(path, "a signature is repeated"));
    }
    Some(stated)
}

/// How many witnesses signed, if the log did.
fn check_signatures(note: &SignedNote, keys: &[VerifierKey], origin: &str) -> Result<u64, String> {
    let verified = note.verify(keys).map_err(|error| error.to_string())?;
    let log = keys.first().filter(|log| log.name().as_str() == origin);
    let log =
        log.ok_or_else(|| format!("it names the log {origin}, which is not that of the first key of log/vkeys"))?;
    let (own, others): (Vec<_>, Vec<_>) =
        verified.signatures().iter().partition(|s| s.key_id == log.id() && s.name == *log.name());
    if own.is_empty() { Err("the log's key has not signed it".into()) } else { Ok(others.len() as u64) }
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

fn policy(source: &dyn Source, log: Option<&VerifierKey>, problems: &mut Vec<Problem>) {
    let Some(bytes) = keep(fetch(source, bundle::POLICY), problems) else { return };
    let policy = std::str::from_utf8(&bytes).map_err(|_| "not UTF-8 text".to_owned());
    let what = match policy.and_then(|text| text.parse::<Policy>().map_err(|error| error.to_string())) {
        Err(what) => what,
        Ok(policy) if log.is_some_and(|log| !policy.logs().contains(log)) => {
            "the log's key is not in the policy".into()
        }
        Ok(_) => return,
    };
    problems.push(Check::Policy.problem(bundle::POLICY, what));
}

fn keep<T>(result: Result<T, Problem>, problems: &mut Vec<Problem>) -> Option<T> {
    result.map_err(|problem| problems.push(problem)).ok()
}
