//! Every outside crate that a package names has its line in `docs/dependencies.md`, and every line its crate.

use std::collections::{BTreeMap, BTreeSet};

use super::Violation;
use super::tree::Tree;

const PAGE: &str = "docs/dependencies.md";

/// A line of the page's table: `` | `crate` | used by | why | ``.
struct Row<'a> {
    line: usize,
    name: &'a str,
    users: BTreeSet<&'a str>,
    why: &'a str,
}

pub(super) fn check(tree: &Tree) -> Vec<Violation> {
    let Some(page) = tree.file(PAGE) else {
        return vec![Violation::new(PAGE, 1, "the page is missing: one line for each outside crate, with its reason")];
    };
    compare(&users(tree), &rows(&page.text))
}

/// Each outside crate with the short names of the packages that declare it.
fn users(tree: &Tree) -> BTreeMap<String, BTreeSet<String>> {
    let mut users: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for member in &tree.packages {
        let package = member.package.name.as_str();
        let user = package.strip_prefix("tallyproof-").unwrap_or(package);
        for dependency in member.package.dependencies.iter().filter(|dependency| dependency.path.is_none()) {
            users.entry(dependency.name.clone()).or_default().insert(user.to_owned());
        }
    }
    users
}

fn rows(text: &str) -> Vec<Row<'_>> {
    text.lines().enumerate().filter_map(|(index, line)| row(index + 1, line)).collect()
}

fn row(line: usize, text: &str) -> Option<Row<'_>> {
    let (name, rest) = text.strip_prefix("| `")?.split_once("` | ")?;
    let (users, why) = rest.split_once(" | ")?;
    let why = why.strip_suffix('|').unwrap_or(why).trim();
    Some(Row { line, name, users: users.split(',').map(str::trim).collect(), why })
}

fn compare(users: &BTreeMap<String, BTreeSet<String>>, rows: &[Row<'_>]) -> Vec<Violation> {
    let mut violations = Vec::new();
    for (name, users) in users {
        let list = users.iter().map(String::as_str).collect::<Vec<_>>().join(", ");
        match rows.iter().find(|row| row.name == name) {
            None => violations.push(Violation::new(PAGE, 1, format!("add the line: | `{name}` | {list} | why |"))),
            Some(row) if row.users.iter().copied().ne(users.iter().map(String::as_str)) => {
                violations.push(Violation::new(PAGE, row.line, format!("`{name}` is used by: {list}")));
            }
            Some(_) => {}
        }
    }
    let mut seen = BTreeSet::new();
    for row in rows {
        if !users.contains_key(row.name) || !seen.insert(row.name) {
            violations.push(Violation::new(
                PAGE,
                row.line,
                format!("remove the line: no package names `{}`, or it is said twice", row.name),
            ));
        } else if row.why.is_empty() {
            violations.push(Violation::new(PAGE, row.line, format!("say why `{}` is needed", row.name)));
        }
    }
    violations
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn missing_stale_doubled_bare_and_wrong_lines_are_found() {
        let used = |name: &str, users: &[&str]| {
            (name.to_owned(), users.iter().map(|user| (*user).to_owned()).collect::<BTreeSet<_>>())
        };
        let users = BTreeMap::from([
            used("bare", &["log"]),
            used("new", &["cli", "log"]),
            used("ok", &["log"]),
            used("moved", &["log"]),
        ]);
        let page = "| crate | used by | why |\n| --- | --- | --- |\n| `ok` | log | good |\n| `stale` | log | old |\n\
                    | `moved` | cli | x |\n| `bare` | log | |\n| `ok` | log | again |\n";
        let mut found: Vec<_> = compare(&users, &rows(page)).iter().map(ToString::to_string).collect();
        found.sort();
        assert_eq!(
            found,
            [
                "docs/dependencies.md:1: add the line: | `new` | cli, log | why |",
                "docs/dependencies.md:4: remove the line: no package names `stale`, or it is said twice",
                "docs/dependencies.md:5: `moved` is used by: log",
                "docs/dependencies.md:6: say why `bare` is needed",
                "docs/dependencies.md:7: remove the line: no package names `ok`, or it is said twice",
            ]
        );
    }
}
