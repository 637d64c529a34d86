//! Length of files, names of modules, and marks of unfinished work.

use super::Violation;
use super::policy::{DATA_FOLDERS, EMPTY_NAMES, LONGEST_FILE};
use super::tree::{File, Tree};

/// Written apart so that this file does not find itself.
const MARKS: [&str; 2] = [concat!("TO", "DO"), concat!("FIX", "ME")];

pub(super) fn check(tree: &Tree) -> Vec<Violation> {
    let ours = tree.files.iter().filter(|file| !DATA_FOLDERS.iter().any(|folder| file.path.starts_with(folder)));
    ours.flat_map(|file| [length(file), name(file)].into_iter().flatten().chain(marks(file))).collect()
}

fn length(file: &File) -> Option<Violation> {
    let lines = file.text.lines().count();
    let what = || format!("{lines} lines: split it, or cut it; no file is longer than {LONGEST_FILE}");
    (lines > LONGEST_FILE).then(|| Violation::new(&file.path, LONGEST_FILE, what()))
}

fn name(file: &File) -> Option<Violation> {
    let module = file.path.strip_suffix(".rs")?;
    let empty = module.split('/').find(|segment| EMPTY_NAMES.contains(segment))?;
    Some(Violation::new(&file.path, 1, format!("`{empty}` names nothing: name the module after what it does")))
}

fn marks(file: &File) -> impl Iterator<Item = Violation> {
    file.text.lines().enumerate().filter_map(|(index, line)| {
        let is_word = |mark: &&&str| line.split(|c: char| !c.is_alphanumeric()).any(|word| word == **mark);
        let mark = MARKS.iter().find(is_word)?;
        Some(Violation::new(&file.path, index + 1, format!("{mark}: do it now, or file an issue and say nothing here")))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file(path: &str, text: &str) -> File {
        File { path: path.to_owned(), text: text.to_owned() }
    }

    #[test]
    fn a_long_file_is_found_and_a_full_one_is_not() {
        assert_eq!(length(&file("a.rs", &"x\n".repeat(LONGEST_FILE))), None);
        assert!(length(&file("a.rs", &"x\n".repeat(LONGEST_FILE + 1))).is_some());
    }

    #[test]
    fn empty_names_are_found_as_file_and_as_folder() {
        assert!(name(&file("crates/log/src/utils.rs", "")).is_some());
        assert!(name(&file("crates/log/src/helpers/mod.rs", "")).is_some());
        assert_eq!(name(&file("crates/log/src/utilisation.rs", "")), None);
    }

    #[test]
    fn marks_are_whole_words() {
        let text = format!("a\n// {}: later\nMETHODO\n", MARKS[0]);
        let found: Vec<_> = marks(&file("a.rs", &text)).map(|violation| violation.line).collect();
        assert_eq!(found, [2]);
    }
}
