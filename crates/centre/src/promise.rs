//! What the log has signed before, and must never contradict.
//!
//! A restored old journal, replayed and signed, is a second history of the log: the gravest thing a log can do. So before a
//! restarted centre signs anything, the tree that it rebuilt must extend every checkpoint that it finds.

use tallyproof_log::{checkpoint::Checkpoint, tree::Tree};
use thiserror::Error;

/// A checkpoint signed earlier, and where it was found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Promise {
    /// Where it was found, for the message.
    pub place: String,
    /// What was signed.
    pub checkpoint: Checkpoint,
}

/// The journal does not lead to a checkpoint that was signed.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum Broken {
    /// Records are gone.
    #[error(
        "the journal ends at log size {size}, but the log has signed size {signed} ({place}): the journal was rolled back. \
         Do not sign: restore the journal that led to that checkpoint"
    )]
    RolledBack {
        /// What the journal leads to.
        size: u64,
        /// What was signed.
        signed: u64,
        /// Where that checkpoint is.
        place: String,
    },
    /// Records are others, or in another order.
    #[error(
        "at log size {size} the journal has another root than the one signed ({place}): it is not the journal of that checkpoint. \
         Do not sign: restore the journal that led to it, and keep both files as evidence"
    )]
    Forked {
        /// Where the histories part at the latest.
        size: u64,
        /// Where that checkpoint is.
        place: String,
    },
}

/// Checks that a tree extends every promise.
pub fn check(promises: &[Promise], tree: &Tree) -> Result<(), Broken> {
    promises.iter().try_for_each(|Promise { place, checkpoint }| match tree.root_at(checkpoint.size) {
        Some(root) if root == checkpoint.root => Ok(()),
        Some(_) => Err(Broken::Forked { size: checkpoint.size, place: place.clone() }),
        None => Err(Broken::RolledBack { size: tree.size(), signed: checkpoint.size, place: place.clone() }),
    })
}

#[cfg(test)]
mod tests {
    use tallyproof_log::merkle::leaf_hash;

    use super::*;

    fn tree(leaves: &[&str]) -> Tree {
        leaves.iter().map(|leaf| leaf_hash(leaf.as_bytes())).collect()
    }

    fn promise(tree: &Tree) -> Promise {
        let checkpoint = Checkpoint { origin: "log.example".parse().unwrap(), size: tree.size(), root: tree.root() };
        Promise { place: "there".into(), checkpoint }
    }

    #[test]
    fn a_tree_keeps_the_promises_that_it_extends() {
        let promises = [promise(&tree(&["a"])), promise(&tree(&["a", "b"]))];
        assert_eq!(check(&promises, &tree(&["a", "b", "c"])), Ok(()));
        assert_eq!(check(&promises, &tree(&["a", "b"])), Ok(()));
    }

    #[test]
    fn a_shorter_or_another_history_is_found() {
        let promises = [promise(&tree(&["a", "b"]))];
        assert!(matches!(check(&promises, &tree(&["a"])), Err(Broken::RolledBack { size: 1, signed: 2, .. })));
        assert!(matches!(check(&promises, &tree(&["a", "x"])), Err(Broken::Forked { size: 2, .. })));
        assert!(matches!(check(&promises, &tree(&["a", "x", "c"])), Err(Broken::Forked { size: 2, .. })));
    }
}
