//! Whose cosignatures are asked for, on which checkpoint they were found, and whether the log is finished.

use tallyproof_log::{
    checkpoint::Checkpoint,
    note::{Verified, VerifierKey},
    policy::Policy,
    tree::Tree,
};
use tallyproof_record::Problem;

use super::notes::{Stated, Statements};
use crate::{bundle, check::Check, ledger::Ledger, policy};

/// What the witnesses' cosignatures show.
#[derive(Default)]
pub(super) struct Witnessing {
    /// Witnesses whose cosignatures were counted.
    pub(super) cosignatures: u64,
    /// Size of the tree that they cosigned; 0 if nobody did.
    pub(super) size: u64,
    /// Size of the largest checkpoint that meets the quorum.
    pub(super) met: Option<u64>,
    /// Whether the log is finished: there is a final checkpoint.
    pub(super) frozen: bool,
    pub(super) problems: Vec<Problem>,
    pub(super) warnings: Vec<Problem>,
}

/// Checks policy, `log/cosigned` and `log/frozen`, and counts cosignatures by the trusted policy, or else by the one in force: the
/// definition's, until a statement in the log replaces it.
///
/// They are counted on `log/checkpoint` if it has the quorum or nothing else has; otherwise on `log/cosigned`.
pub(super) fn check(
    statements: &Statements,
    ledger: Option<&Ledger>,
    trusted: Option<&Policy>,
    tree: Option<&Tree>,
) -> Witnessing {
    let mut found = Witnessing { frozen: statements.frozen.is_some(), ..Witnessing::default() };
    let mut in_force = |size: Option<u64>| {
        let policy = stated(ledger?, statements.log.as_ref()?, size.unwrap_or(u64::MAX));
        policy.map_err(|problem| found.problems.push(problem)).ok()
    };
    let published = in_force(statements.manifest.as_ref().map(|manifest| manifest.value.tree_size));
    let latest = in_force(statements.checkpoint.as_ref().map(|checkpoint| checkpoint.value.size));
    let earlier = in_force(statements.cosigned.as_ref().map(|cosigned| cosigned.value.size));
    found.problems.extend(published.and_then(|published| check_policy(statements, &published)));
    found.problems.extend(check_cosigned(statements, earlier.as_ref(), tree));
    found.problems.extend(check_frozen(statements));
    if let (Some(latest), Some(earlier)) = (trusted.or(latest.as_ref()), trusted.or(earlier.as_ref())) {
        found.count(statements, latest, earlier);
    }
    found
}

/// The policy in force for the log's first `size` entries.
pub(super) fn stated(ledger: &Ledger, log: &VerifierKey, size: u64) -> Result<Policy, Problem> {
    policy::of_lines(ledger.policy_lines_at(size), log)
        .map_err(|error| Check::Policy.problem("election/election.toml", format!("the witness policy: {error}")))
}

fn check_policy(statements: &Statements, own: &Policy) -> Option<Problem> {
    let differs = statements.policy.as_ref().is_some_and(|bytes| *bytes != own.to_string().into_bytes());
    differs.then(|| {
        let what = "not the policy that the definition, or a statement in the log, puts in force; whoever published it asks for other witnesses";
        Check::PolicyStated.problem(bundle::POLICY, what)
    })
}

fn check_cosigned(statements: &Statements, own: Option<&Policy>, tree: Option<&Tree>) -> Vec<Problem> {
    let Some(cosigned) = &statements.cosigned else { return Vec::new() };
    let Checkpoint { size, root, .. } = &cosigned.value;
    let mut wrong = Vec::new();
    let latest = statements.checkpoint.as_ref().map_or(u64::MAX, |checkpoint| checkpoint.value.size);
    if *size > latest {
        wrong.push(format!("tree size {size} is beyond the checkpoint's {latest}"));
    } else if let Some(found) = tree.and_then(|tree| tree.root_at(*size)).filter(|found| found != root) {
        let (found, stated) = (found.to_base64(), root.to_base64());
        wrong.push(format!("the log's root at tree size {size} is {found}, the one cosigned is {stated}"));
    }
    if own.is_some_and(|own| !own.satisfied_by(&cosigners(own, cosigned))) {
        wrong.push("the quorum of the policy in force is not met".into());
    }
    wrong.into_iter().map(|what| Check::Cosigned.problem(bundle::COSIGNED, what)).collect()
}

fn check_frozen(statements: &Statements) -> Vec<Problem> {
    let Some(frozen) = &statements.frozen else { return Vec::new() };
    let mut wrong = Vec::new();
    if let Some(checkpoint) = &statements.checkpoint {
        if checkpoint.bytes != *frozen {
            wrong.push("the final checkpoint is not the one in log/checkpoint".to_owned());
        }
        let of_another =
            statements.manifest.as_ref().filter(|manifest| manifest.value.tree_size != checkpoint.value.size);
        if let Some(manifest) = of_another {
            let (size, end) = (manifest.value.tree_size, checkpoint.value.size);
            wrong.push(format!("the log is final at tree size {end}, but the manifest is of {size}"));
        }
    }
    let listed = |manifest: &Stated<crate::manifest::Manifest>| manifest.value.files.contains_key(bundle::FROZEN);
    if statements.manifest.as_ref().is_some_and(|manifest| !listed(manifest)) {
        wrong.push("the manifest does not list it".into());
    }
    wrong.into_iter().map(|what| Check::Frozen.problem(bundle::FROZEN, what)).collect()
}

pub(super) fn cosigners<'p>(policy: &'p Policy, checkpoint: &Stated<Checkpoint>) -> Vec<&'p str> {
    checkpoint.verified.as_ref().map(|note: &Verified| policy.cosigners(note)).unwrap_or_default()
}

impl Witnessing {
    /// Counts by `policy` on the checkpoint, by `before` on the one cosigned earlier.
    fn count(&mut self, statements: &Statements, policy: &Policy, before: &Policy) {
        let Some(checkpoint) = &statements.checkpoint else { return };
        let latest = cosigners(policy, checkpoint);
        let earlier = statements.cosigned.as_ref().map(|cosigned| (cosigned.value.size, cosigners(before, cosigned)));
        let earlier = earlier.filter(|(_, names)| before.satisfied_by(names));
        let met = policy.satisfied_by(&latest);
        if let Some(quorum) = policy.quorum().filter(|_| !met) {
            let problem = Check::Quorum.problem(bundle::CHECKPOINT, unmet(policy, quorum, &latest, earlier.as_ref()));
            if self.frozen { &mut self.problems } else { &mut self.warnings }.push(problem);
        }
        self.met = if met { Some(checkpoint.value.size) } else { earlier.as_ref().map(|(size, _)| *size) };
        let (size, names) = earlier.filter(|_| !met).unwrap_or((checkpoint.value.size, latest));
        self.cosignatures = names.len() as u64;
        self.size = if names.is_empty() { 0 } else { size };
    }
}

fn unmet(policy: &Policy, quorum: &str, latest: &[&str], earlier: Option<&(u64, Vec<&str>)>) -> String {
    let all = policy.witnesses().len();
    let heard = if latest.is_empty() { "none".to_owned() } else { latest.join(", ") };
    let earlier = earlier.map(|(size, _)| format!("; at tree size {size} it was met")).unwrap_or_default();
    format!("the quorum {quorum} is not met: of the policy's {all} witnesses, these cosigned: {heard}{earlier}")
}
