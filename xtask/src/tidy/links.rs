//! Relative links of Markdown files lead to a file or folder that exists.

use std::path::{Component, Path, PathBuf};

use pulldown_cmark::{Event, Parser, Tag};

use super::Violation;
use super::tree::{File, Tree};

pub(super) fn check(tree: &Tree) -> Vec<Violation> {
    let exists = |path: &str| {
        let folder = format!("{path}/");
        path.is_empty() || tree.file(path).is_some() || tree.files.iter().any(|file| file.path.starts_with(&folder))
    };
    tree.files.iter().filter(|file| file.has_ending("md")).flat_map(|file| dead_links(file, exists)).collect()
}

fn dead_links(file: &File, exists: impl Fn(&str) -> bool) -> Vec<Violation> {
    let targets = Parser::new(&file.text).into_offset_iter().filter_map(|(event, range)| match event {
        Event::Start(Tag::Link { dest_url, .. } | Tag::Image { dest_url, .. }) => Some((dest_url, range.start)),
        _ => None,
    });
    let dead = targets.filter_map(|(target, offset)| {
        let path = target.split(['#', '?']).next().filter(|path| !path.is_empty() && !is_absolute(path))?;
        if resolve(&file.path, path).is_some_and(|path| exists(&path)) {
            return None;
        }
        let line = file.text.get(..offset)?.matches('\n').count() + 1;
        Some(Violation::new(&file.path, line, format!("nothing at `{target}`: mend or remove the link")))
    });
    dead.collect()
}

fn is_absolute(target: &str) -> bool {
    target.contains("://") || target.starts_with("mailto:")
}

/// The path from the root that `target` means in `file`; `None` if it leaves the workspace.
fn resolve(file: &str, target: &str) -> Option<String> {
    let folder = Path::new(file).parent()?;
    let mut found = PathBuf::new();
    for component in folder.join(target).components() {
        match component {
            Component::Normal(name) => found.push(name),
            Component::CurDir => {}
            Component::ParentDir => {
                if !found.pop() {
                    return None;
                }
            }
            Component::RootDir | Component::Prefix(_) => return None,
        }
    }
    found.into_os_string().into_string().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dead_links_are_found_with_their_line_and_living_ones_are_not() {
        let text = "[a](../adr/1.md#why)\n\n[b](gone.md) `[c](code.md)` [d](https://example.org/x) [e](#here)\n\n[f][r]\n\n[r]: ../../out.md\n";
        let file = File { path: "docs/spec/a.md".to_owned(), text: text.to_owned() };
        let dead: Vec<_> = dead_links(&file, |path| path == "docs/adr/1.md").iter().map(ToString::to_string).collect();
        assert_eq!(
            dead,
            [
                "docs/spec/a.md:3: nothing at `gone.md`: mend or remove the link",
                "docs/spec/a.md:5: nothing at `../../out.md`: mend or remove the link"
            ]
        );
    }

    #[test]
    fn a_link_may_not_leave_the_workspace() {
        assert_eq!(resolve("docs/a.md", "../../x"), None);
        assert_eq!(resolve("docs/a.md", "./../x/y.md"), Some("x/y.md".to_owned()));
    }
}
