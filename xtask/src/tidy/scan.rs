//! Reads a Rust source as tokens and lists what it names: paths with their imports resolved, macros, keywords.
//!
//! Tokens, not text, so that comments and strings cannot raise an alarm; imports resolved, so that
//! `use std::{time as t}` with `t::SystemTime` cannot hide one. Code under `#[cfg(test)]` is left out.

use std::collections::BTreeMap;

use proc_macro2::{Delimiter, Group, Ident, TokenStream, TokenTree};

/// What one source names.
#[derive(Debug, Default)]
pub(super) struct Scan {
    /// Paths of two or more segments, or imported ones, in full.
    pub(super) paths: Vec<Mention>,
    /// Macros called, by their last segment.
    pub(super) macros: Vec<Mention>,
    /// Lines of the keyword `async`.
    pub(super) async_lines: Vec<usize>,
    /// Names of modules that are declared for tests alone and stand in files of their own.
    pub(super) test_modules: Vec<String>,
}

/// Something named on a line. A glob import ends with `*`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Mention {
    /// The segments of the path.
    pub(super) path: Vec<String>,
    /// Line, from 1.
    pub(super) line: usize,
}

/// Lists what `source` names; an error gives the line where it is no Rust.
pub(super) fn scan(source: &str) -> Result<Scan, usize> {
    let mut reader = Reader::default();
    reader.read(&tokens(source)?);
    Ok(reader.finish())
}

/// Lines on which `source` says `word`, tests included, comments and strings not.
pub(super) fn keyword_lines(source: &str, word: &str) -> Result<Vec<usize>, usize> {
    fn visit(tokens: &[TokenTree], word: &str, lines: &mut Vec<usize>) {
        for token in tokens {
            match token {
                TokenTree::Ident(ident) if *ident == word => lines.push(line_of(ident)),
                TokenTree::Group(group) => visit(&inside(group), word, lines),
                _ => {}
            }
        }
    }
    let mut lines = Vec::new();
    visit(&tokens(source)?, word, &mut lines);
    Ok(lines)
}

fn tokens(source: &str) -> Result<Vec<TokenTree>, usize> {
    let stream: TokenStream = source.parse().map_err(|error: proc_macro2::LexError| error.span().start().line)?;
    Ok(stream.into_iter().collect())
}

fn inside(group: &Group) -> Vec<TokenTree> {
    group.stream().into_iter().collect()
}

fn line_of(ident: &Ident) -> usize {
    ident.span().start().line
}

fn is_punct(token: Option<&TokenTree>, character: char) -> bool {
    matches!(token, Some(TokenTree::Punct(punct)) if punct.as_char() == character)
}

#[derive(Default)]
struct Reader {
    scan: Scan,
    /// What a name that was brought in by `use` stands for.
    imports: BTreeMap<String, Vec<String>>,
    /// Paths as written outside of `use`.
    written: Vec<Mention>,
}

impl Reader {
    fn read(&mut self, tokens: &[TokenTree]) {
        let mut at = 0;
        while let Some(token) = tokens.get(at) {
            at += 1;
            match token {
                TokenTree::Punct(punct) if punct.as_char() == '#' => {
                    if is_punct(tokens.get(at), '!') {
                        at += 1;
                    }
                    if let Some(TokenTree::Group(attribute)) = tokens.get(at)
                        && is_for_tests(attribute)
                    {
                        at = self.skip_item(tokens, at + 1);
                    }
                }
                TokenTree::Group(group) => self.read(&inside(group)),
                TokenTree::Ident(ident) if *ident == "use" => at = self.read_use(tokens, at, &[]),
                TokenTree::Ident(ident) => at = self.read_path(tokens, at, ident),
                _ => {}
            }
        }
    }

    /// Skips the item after a test attribute; returns where the next one starts. Stops early rather than late:
    /// a comma may cut a test's signature short, but nothing outside the tests goes unread.
    fn skip_item(&mut self, tokens: &[TokenTree], mut at: usize) -> usize {
        let mut module = None;
        while let Some(token) = tokens.get(at) {
            at += 1;
            match token {
                TokenTree::Ident(ident) if *ident == "mod" => module = tokens.get(at).map(ToString::to_string),
                TokenTree::Group(group) if group.delimiter() == Delimiter::Brace => return at,
                TokenTree::Punct(punct) if punct.as_char() == ';' => {
                    self.scan.test_modules.extend(module);
                    return at;
                }
                TokenTree::Punct(punct) if punct.as_char() == ',' => return at,
                _ => {}
            }
        }
        at
    }

    /// Reads the tree of a `use` from `at`, below `prefix`; returns the index after it.
    fn read_use(&mut self, tokens: &[TokenTree], mut at: usize, prefix: &[String]) -> usize {
        let mut path = prefix.to_vec();
        let mut line = 0;
        let mut alias = None;
        while let Some(token) = tokens.get(at) {
            at += 1;
            match token {
                TokenTree::Ident(ident) if *ident == "as" => {
                    alias = tokens.get(at).map(ToString::to_string);
                    at += 1;
                }
                TokenTree::Ident(ident) => {
                    line = line_of(ident);
                    if *ident != "self" || path.is_empty() {
                        path.push(ident.to_string());
                    }
                }
                TokenTree::Punct(punct) if punct.as_char() == '*' => {
                    line = punct.span().start().line;
                    path.push("*".to_owned());
                }
                TokenTree::Punct(punct) if punct.as_char() == ':' => {}
                TokenTree::Group(group) => {
                    let branches = inside(group);
                    let mut branch = 0;
                    while branch < branches.len() {
                        branch = self.read_use(&branches, branch, &path);
                    }
                    return at;
                }
                _ => break,
            }
        }
        self.import(path, line, alias);
        at
    }

    fn import(&mut self, path: Vec<String>, line: usize, alias: Option<String>) {
        let Some(name) = alias.or_else(|| path.last().cloned()) else { return };
        if line == 0 {
            return;
        }
        if name != "*" {
            self.imports.insert(name, path.clone());
        }
        self.scan.paths.push(Mention { path, line });
    }

    /// Reads a path that starts with `first`; returns the index after it.
    fn read_path(&mut self, tokens: &[TokenTree], mut at: usize, first: &Ident) -> usize {
        let line = line_of(first);
        let mut path = vec![first.to_string()];
        while is_punct(tokens.get(at), ':') && is_punct(tokens.get(at + 1), ':') {
            let Some(TokenTree::Ident(next)) = tokens.get(at + 2) else { break };
            path.push(next.to_string());
            at += 3;
        }
        if *first == "async" {
            self.scan.async_lines.push(line);
        }
        if is_punct(tokens.get(at), '!') && matches!(tokens.get(at + 1), Some(TokenTree::Group(_))) {
            let name = path.last().cloned().into_iter().collect();
            self.scan.macros.push(Mention { path: name, line });
        }
        self.written.push(Mention { path, line });
        at
    }

    fn finish(mut self) -> Scan {
        for mention in &self.written {
            let path = self.resolve(&mention.path);
            if path.len() > 1 {
                self.scan.paths.push(Mention { path, line: mention.line });
            }
        }
        self.scan
    }

    /// Follows imports of imports; the bound ends a name that imports itself.
    fn resolve(&self, written: &[String]) -> Vec<String> {
        let mut path = written.to_vec();
        for _ in 0..4 {
            let Some(full) = path.first().and_then(|first| self.imports.get(first)) else { break };
            if full.first() == path.first() {
                break;
            }
            path.splice(0..1, full.iter().cloned());
        }
        path
    }
}

/// Whether an attribute is `[cfg(test)]`, `[cfg(all(test, …))]` or `[test]`.
fn is_for_tests(attribute: &Group) -> bool {
    let text: String = attribute.stream().to_string().split_whitespace().collect();
    text == "test" || text == "cfg(test)" || text.starts_with("cfg(all(test,")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn named(source: &str) -> Vec<String> {
        let scan = scan(source).unwrap();
        scan.paths.iter().map(|mention| format!("{}:{}", mention.line, mention.path.join("::"))).collect()
    }

    #[test]
    fn comments_and_strings_name_nothing() {
        let source =
            "/// std::fs in prose\n/* std::net */ const A: &str = \"std::env\"; const B: &str = r#\"std::os\"#;";
        assert_eq!(named(source), Vec::<String>::new());
    }

    #[test]
    fn imports_are_resolved_through_braces_and_renames() {
        let source = "use std::{time as t, fs::{self, File}};\nfn f() { t::SystemTime::now(); fs::read(\"x\"); }";
        let names = named(source);
        for wanted in ["1:std::time", "1:std::fs", "1:std::fs::File", "2:std::time::SystemTime::now", "2:std::fs::read"]
        {
            assert!(names.contains(&wanted.to_owned()), "{wanted} is not in {names:?}");
        }
    }

    #[test]
    fn globs_keep_their_star_and_macros_their_name() {
        let scan = scan("use std::time::*; fn f() { std::println!(\"x\"); a != (b); }").unwrap();
        assert_eq!(scan.paths[0].path, ["std", "time", "*"]);
        assert_eq!(scan.macros, [Mention { path: vec!["println".to_owned()], line: 1 }]);
    }

    #[test]
    fn code_for_tests_is_left_out_and_what_follows_is_not() {
        let source = "#[cfg(test)]\nmod tests { use std::fs; }\n#[cfg(test)] mod more;\n#[test] fn t() { std::fs::read(x); }\n\
                      struct S { #[cfg(test)] a: u8, b: std::net::IpAddr }\nuse std::env;";
        assert_eq!(named(source), ["6:std::env", "5:std::net::IpAddr"]);
        assert_eq!(scan(source).unwrap().test_modules, ["more"]);
    }

    #[test]
    fn a_negated_test_attribute_leaves_nothing_out() {
        assert_eq!(named("#[cfg(not(test))] mod real { use std::fs; }"), ["1:std::fs"]);
        assert_eq!(named("#[cfg(any(test, feature = \"x\"))] use std::fs;"), ["1:std::fs"]);
    }

    #[test]
    fn keywords_are_found_in_tests_too_but_not_in_text() {
        let source = "// unsafe\n#[cfg(test)] mod t { fn f() { unsafe { g() } } }\nconst A: &str = \"unsafe\";";
        assert_eq!(keyword_lines(source, "unsafe").unwrap(), [2]);
        assert_eq!(scan("fn a() {}\nasync fn b() {}").unwrap().async_lines, [2]);
    }

    #[test]
    fn what_is_no_rust_gives_its_line() {
        assert_eq!(scan("fn a() {}\nfn b( {").unwrap_err(), 2);
    }
}
