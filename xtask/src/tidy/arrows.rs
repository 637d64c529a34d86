//! Which package may depend on which: the arrows of `ARCHITECTURE.md`, and the outside crates of the pure ones.

use std::collections::BTreeSet;

use cargo_metadata::{Dependency, DependencyKind, TargetKind};

use super::Violation;
use super::policy::{self, Package};
use super::tree::{Member, Tree};

pub(super) fn check(tree: &Tree) -> Vec<Violation> {
    tree.packages
        .iter()
        .filter(|member| !is_fuzz_driver(member))
        .flat_map(|member| check_member(tree, member))
        .collect()
}

/// The driver of `cargo fuzz` stands in a workspace of its own and holds no code to speak of.
fn is_fuzz_driver(member: &Member) -> bool {
    member.folder == "fuzz/"
}

fn check_member(tree: &Tree, member: &Member) -> Vec<Violation> {
    let name = member.package.name.as_str();
    let Some(policy) = policy::package(name) else {
        let what = format!("package `{name}` is unknown: give it its arrows in xtask/src/tidy/policy.rs");
        return vec![Violation::new(member.manifest(), 1, what)];
    };
    let mut violations: Vec<_> = member
        .package
        .dependencies
        .iter()
        .filter_map(|dependency| {
            let complaint = complaint(policy, dependency)?;
            Some(Violation::new(member.manifest(), tree.manifest_line(member, &dependency.name), complaint))
        })
        .collect();
    let builds = member.package.targets.iter().any(|target| target.kind.contains(&TargetKind::CustomBuild));
    if policy.pure.is_some() && builds {
        let what = format!("`{name}` is pure and may have no build script: generate in xtask instead");
        violations.push(Violation::new(member.manifest(), 1, what));
    }
    violations
}

fn complaint(policy: &Package, dependency: &Dependency) -> Option<String> {
    let (from, to) = (policy.name, dependency.name.as_str());
    if dependency.path.is_some() {
        let allowed = match dependency.kind {
            DependencyKind::Development => reached(policy.arrows).contains(to),
            _ => policy.arrows.contains(&to),
        };
        return (!allowed)
            .then(|| format!("`{from}` may not depend on `{to}`: it may name only {}", list(policy.arrows)));
    }
    let outside = policy.pure?;
    let allowed = dependency.kind == DependencyKind::Development || outside.contains(&to);
    (!allowed).then(|| {
        format!("`{from}` is pure and may not use `{to}`: do without, or argue for it in xtask/src/tidy/policy.rs")
    })
}

/// Everything that can be reached from `arrows`: to name it in a test makes no new coupling.
fn reached(arrows: &[&'static str]) -> BTreeSet<&'static str> {
    let mut found: BTreeSet<&'static str> = BTreeSet::new();
    let mut open = arrows.to_vec();
    while let Some(name) = open.pop() {
        if found.insert(name) {
            open.extend(policy::package(name).map_or(&[][..], |package| package.arrows));
        }
    }
    found
}

fn list(names: &[&str]) -> String {
    if names.is_empty() { "no package of the workspace".to_owned() } else { names.join(", ") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_policy_has_no_cycle_and_no_unknown_package() {
        for package in policy::PACKAGES {
            assert!(!reached(package.arrows).contains(package.name), "{} reaches itself", package.name);
            assert!(package.arrows.iter().all(|name| policy::package(name).is_some()), "{}", package.name);
        }
    }

    #[test]
    fn pure_packages_name_only_pure_packages() {
        for package in policy::PACKAGES.iter().filter(|package| package.pure.is_some()) {
            let impure = |name: &&&str| policy::package(name).is_none_or(|found| found.pure.is_none());
            assert_eq!(package.arrows.iter().find(impure), None, "{}", package.name);
        }
    }

    #[test]
    fn verification_reaches_record_log_and_count_alone() {
        assert_eq!(
            reached(&["tallyproof-count"]),
            BTreeSet::from(["tallyproof-count", "tallyproof-log", "tallyproof-record"])
        );
    }
}
