//! Bulletins: each states the root and the totals of a tree size that the log has left behind.

use tallyproof_log::tree::Tree;
use tallyproof_record::{Problem, statement::Bulletin};

use crate::{check::Check, ledger::Ledger, manifest::file_hash, totals::Totals};

/// Recomputes what the bulletins in effect state, from the `since`-th on; with each problem the log index of its bulletin.
pub(super) fn check(ledger: &Ledger, tree: Option<&Tree>, since: usize) -> Vec<(u64, Problem)> {
    let mut bulletins = ledger.bulletins().get(since..).unwrap_or_default().to_vec();
    if bulletins.is_empty() {
        // To revisit a ledger begins with an empty one, which takes its time for a large register.
        return Vec::new();
    }
    bulletins.sort_by_key(|(entry, bulletin)| (bulletin.tree_size, *entry));
    let mut problems: Vec<_> = bulletins.iter().filter_map(|stated| check_root(stated, tree?)).collect();
    let mut sizes: Vec<_> = bulletins.iter().map(|(_, bulletin)| bulletin.tree_size).collect();
    sizes.dedup();
    ledger.revisit(sizes, |past| {
        let totals = file_hash(&Totals::of(past).to_json());
        let of_size = bulletins.iter().filter(|(_, bulletin)| bulletin.tree_size == past.entries());
        let other = of_size.filter(|(_, bulletin)| bulletin.totals != totals.0);
        problems.extend(other.map(|stated| {
            problem(
                stated,
                &format!("the totals have the SHA-256 {totals}, it states {}", hex::encode(stated.1.totals)),
            )
        }));
    });
    problems
}

fn check_root(stated: &(u64, Bulletin), tree: &Tree) -> Option<(u64, Problem)> {
    let root = tree.root_at(stated.1.tree_size)?;
    (root.0 != stated.1.root)
        .then(|| problem(stated, &format!("the log's root is {root}, it states {}", hex::encode(stated.1.root))))
}

fn problem((entry, bulletin): &(u64, Bulletin), what: &str) -> (u64, Problem) {
    let what = format!("bulletin {}, at tree size {}: {what}", bulletin.number, bulletin.tree_size);
    (*entry, Check::Bulletin.problem(format!("entry {entry}"), what))
}
