//! The threat model names the test that shows each of its claims; every test that it names exists.

use std::path::Path;

use pulldown_cmark::{Event, Parser};

use super::Violation;
use super::tree::{File, Tree};

/// The page whose inline code of the form `module::test` names tests.
const PAGE: &str = "docs/threat-model.md";

pub(super) fn check(tree: &Tree) -> Vec<Violation> {
    let exists =
        |module: &str, test: &str| tree.sources("").any(|file| is_module(file, module) && has_test(file, test));
    tree.file(PAGE).map_or_else(Vec::new, |page| unshown(page, exists))
}

fn unshown(page: &File, exists: impl Fn(&str, &str) -> bool) -> Vec<Violation> {
    let named = Parser::new(&page.text).into_offset_iter().filter_map(|(event, range)| match event {
        Event::Code(code) => Some((code, range.start)),
        _ => None,
    });
    let missing = named.filter(|(code, _)| code.split_once("::").is_some_and(|(module, test)| !exists(module, test)));
    let violation = |(code, offset)| {
        let line = page.text[..offset].matches('\n').count() + 1;
        Violation::new(
            &page.path,
            line,
            format!("no test `{code}`: name the one that shows the claim, or drop the claim"),
        )
    };
    missing.map(violation).collect()
}

/// Whether `file` is the module's own: `module.rs` or `module/mod.rs`.
fn is_module(file: &File, module: &str) -> bool {
    let path = Path::new(&file.path);
    let named = if path.file_name().is_some_and(|name| name == "mod.rs") { path.parent() } else { Some(path) };
    named.and_then(Path::file_stem).is_some_and(|stem| stem == module)
}

/// Whether a function of the name stands right below `#[test]`, with other attributes between them at most.
fn has_test(file: &File, name: &str) -> bool {
    let function = format!("fn {name}(");
    let lines: Vec<&str> = file.text.lines().map(str::trim_start).collect();
    lines.iter().enumerate().filter(|(_, line)| line.starts_with(&function)).any(|(at, _)| {
        let above = lines.iter().take(at).rev().take_while(|line| line.starts_with("#["));
        above.into_iter().any(|line| *line == "#[test]")
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file(path: &str, text: &str) -> File {
        File { path: path.to_owned(), text: text.to_owned() }
    }

    #[test]
    fn a_claim_without_its_test_is_found_with_its_line() {
        let page = file(PAGE, "| flood | `attacks::flood` |\n\n| theft | `attacks::theft`, `a/path.toml` |\n");
        let found = unshown(&page, |module, test| (module, test) == ("attacks", "flood"));
        assert_eq!(found.len(), 1);
        assert_eq!(found[0].line, 3);
    }

    #[test]
    fn a_test_is_a_function_below_its_attribute() {
        let source = file("crates/x/src/gate/mod.rs", "    #[test]\n    #[ignore]\n    fn a() {}\n\n    fn b() {}\n");
        assert!(has_test(&source, "a") && !has_test(&source, "b") && !has_test(&source, "c"));
    }

    #[test]
    fn a_module_is_a_file_or_a_folder() {
        assert!(is_module(&file("crates/x/src/gate.rs", ""), "gate"));
        assert!(is_module(&file("crates/x/src/gate/mod.rs", ""), "gate"));
        assert!(!is_module(&file("crates/x/src/gate/seat.rs", ""), "gate"));
    }
}
