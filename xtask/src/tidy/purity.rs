//! A pure package holds no socket, file, clock, randomness or async; no package holds `unsafe`.

use super::Violation;
use super::policy::{self, FORBIDDEN_MACROS, FORBIDDEN_PATHS, UNSAFE_HOME};
use super::scan::{self, Mention, Scan};
use super::tree::{File, Tree};

pub(super) fn check(tree: &Tree) -> Vec<Violation> {
    let unsafe_code = tree.sources("").filter(|file| !file.path.starts_with(UNSAFE_HOME)).flat_map(check_unsafe);
    let pure = tree
        .packages
        .iter()
        .filter(|member| policy::package(member.package.name.as_str()).is_some_and(|package| package.pure.is_some()));
    let impure_code = pure.flat_map(|member| check_package(tree, &format!("{}src/", member.folder)));
    unsafe_code.chain(impure_code).collect()
}

fn check_unsafe(file: &File) -> Vec<Violation> {
    match scan::keyword_lines(&file.text, "unsafe") {
        Ok(lines) => {
            let what = format!("`unsafe` is allowed nowhere but in {UNSAFE_HOME}: use a crate that wraps the call");
            lines.into_iter().map(|line| Violation::new(&file.path, line, &what)).collect()
        }
        Err(line) => vec![Violation::new(&file.path, line, "this is not Rust: the scan for `unsafe` cannot read it")],
    }
}

fn check_package(tree: &Tree, folder: &str) -> Vec<Violation> {
    // A file that is no Rust has its violation already.
    let scans: Vec<_> = tree.sources(folder).filter_map(|file| Some((file, scan::scan(&file.text).ok()?))).collect();
    let test_folders: Vec<String> = scans.iter().flat_map(|(file, scan)| test_places(file, scan)).collect();
    let for_tests = |file: &File| {
        let place = file.path.trim_end_matches(".rs").to_owned() + "/";
        test_folders.iter().any(|folder| place.starts_with(folder))
    };
    scans.iter().filter(|(file, _)| !for_tests(file)).flat_map(|(file, scan)| complaints(file, scan)).collect()
}

/// The folders of the modules that a file declares for tests alone.
fn test_places(file: &File, scan: &Scan) -> Vec<String> {
    let stem = file.path.trim_end_matches(".rs");
    let folder = match stem.rsplit_once('/') {
        Some((parent, "lib" | "main" | "mod")) => parent,
        _ => stem,
    };
    scan.test_modules.iter().map(|module| format!("{folder}/{module}/")).collect()
}

fn complaints(file: &File, scan: &Scan) -> Vec<Violation> {
    let paths = scan.paths.iter().filter_map(|mention| {
        let (pattern, advice) = FORBIDDEN_PATHS.iter().find(|(pattern, _)| names(mention, pattern))?;
        Some((mention.line, format!("`{pattern}` is forbidden here: {advice}")))
    });
    let macros = scan.macros.iter().filter(|mention| FORBIDDEN_MACROS.contains(&mention.path.concat().as_str()));
    let macros = macros.map(|mention| {
        let name = mention.path.concat();
        (mention.line, format!("`{name}!` is forbidden here: a pure crate prints nothing; return the text"))
    });
    let asynchronous = scan.async_lines.iter().map(|line| {
        (
            *line,
            "`async` is forbidden here: a pure crate is a state machine, `handle(now, input) -> actions`".to_owned(),
        )
    });
    paths.chain(macros).chain(asynchronous).map(|(line, what)| Violation::new(&file.path, line, what)).collect()
}

/// Whether a path holds `pattern`, or imports everything from a place where the pattern lives.
fn names(mention: &Mention, pattern: &str) -> bool {
    let pattern: Vec<&str> = pattern.split("::").collect();
    let path: Vec<&str> = mention.path.iter().map(String::as_str).collect();
    match path.split_last() {
        Some((&"*", base)) if pattern.starts_with(base) => true,
        _ => path.windows(pattern.len()).any(|window| window == pattern.as_slice()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn complaints_about(text: &str) -> Vec<String> {
        let file = File { path: "crates/record/src/a.rs".to_owned(), text: text.to_owned() };
        complaints(&file, &scan::scan(text).unwrap()).iter().map(ToString::to_string).collect()
    }

    #[test]
    fn every_forbidden_path_is_found_when_written_imported_renamed_or_globbed() {
        for (pattern, _) in FORBIDDEN_PATHS {
            let (parent, last) = pattern.rsplit_once("::").unwrap_or(("outside", pattern));
            let sources = [
                format!("fn f() {{ x::{pattern}::y(); }}"),
                format!("use {parent}::{{a, {last} as b}};"),
                format!("use {parent} as p;\nfn f() {{ p::{last}(); }}"),
            ];
            for source in sources {
                assert!(!complaints_about(&source).is_empty(), "{source}");
            }
        }
        assert!(!complaints_about("use std::*;").is_empty());
        assert!(!complaints_about("use std::thread::*;").is_empty());
    }

    #[test]
    fn the_complaint_names_file_line_and_remedy() {
        assert_eq!(
            complaints_about("//! text\nuse std::fs;"),
            [
                "crates/record/src/a.rs:2: `std::fs` is forbidden here: a pure crate opens no file: take bytes and return bytes"
            ]
        );
    }

    #[test]
    fn what_a_pure_crate_may_do_raises_nothing() {
        let text = "use std::time::{Duration, Instant};\nuse std::io::{self, Read};\nuse super::*;\n\
                    fn handle(now: Instant) -> io::Result<()> { let fs = now; format!(\"{fs:?}\"); Ok(()) }";
        assert_eq!(complaints_about(text), Vec::<String>::new());
    }

    #[test]
    fn printing_and_async_are_found() {
        assert_eq!(complaints_about("fn f() { println!(\"x\"); }").len(), 1);
        assert_eq!(complaints_about("async fn f() {}").len(), 1);
    }

    #[test]
    fn a_test_module_in_its_own_file_is_placed_beside_its_parent() {
        let places = |path: &str| {
            let scan = Scan { test_modules: vec!["tests".to_owned()], ..Scan::default() };
            test_places(&File { path: path.to_owned(), text: String::new() }, &scan)
        };
        assert_eq!(places("crates/log/src/lib.rs"), ["crates/log/src/tests/"]);
        assert_eq!(places("crates/log/src/merkle.rs"), ["crates/log/src/merkle/tests/"]);
        assert_eq!(places("crates/log/src/merkle/mod.rs"), ["crates/log/src/merkle/tests/"]);
    }
}
