//! Bundles that are verified in full before anybody signs what they say.

use std::time::Duration;

use anyhow::{Context, ensure};
use tallyproof_count::{Ledger, Verification};
use tallyproof_log::tree::Tree;
use tallyproof_record::definition::Committed;

use crate::commands::verify::verify;
use crate::{Printer, bundle_source};

/// How often a bundle that does not hold is looked at again, and after which pause.
const TRIES: u32 = 2;
const PAUSE: Duration = Duration::from_millis(700);

/// A bundle that was verified, and is of the election meant.
#[derive(Debug)]
pub struct Verified {
    /// The count.
    pub ledger: Ledger,
    /// The log's tree.
    pub tree: Tree,
    /// Size of the largest checkpoint that meets the quorum of the policy.
    pub quorum_size: Option<u64>,
    /// Whether the log is finished.
    pub frozen: bool,
}

/// Verifies a bundle in full: nobody is to sign what a bundle merely says.
pub fn verified_bundle(place: &str, election: &Committed, printer: &Printer) -> anyhow::Result<Verified> {
    let found = verified(place, printer)?;
    ensure!(
        found.definition == election.hash().to_string(),
        "the bundle {place} is of definition {}, the package is {}",
        found.definition,
        election.hash()
    );
    let ledger = found.ledger.context("the bundle's definition is unusable")?;
    let tree = found.tree.context("the bundle's log is unknown")?;
    Ok(Verified { ledger, tree, quorum_size: found.quorum_size, frozen: found.frozen })
}

/// Verifies a bundle, and refuses one that does not hold.
pub fn verified(place: &str, printer: &Printer) -> anyhow::Result<Verification> {
    let source = bundle_source::open(place)?;
    let mut found = verify(source.as_ref(), None, printer)?;
    for _ in 0..TRIES {
        if found.ok {
            break;
        }
        // A bundle that is being published does not hold for a moment.
        std::thread::sleep(PAUSE);
        found = verify(source.as_ref(), None, printer)?;
    }
    if let Some(problem) = found.problems.first() {
        anyhow::bail!("the bundle {place} does not hold: {problem}; `tallyproof verify` lists everything");
    }
    Ok(found)
}
