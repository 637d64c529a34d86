//! A whole bundle, its manifest, and what a sceptic holds against it.

use tallyproof_count::bulletin::{Form, first_difference};
use tallyproof_count::bundle::COSIGNED;
use tallyproof_count::manifest::Manifest;
use tallyproof_count::seats::{self, Method, Rules, table::Table};
use tallyproof_count::settled::{Answer, published::Published};
use tallyproof_count::{Trust, verify};
use tallyproof_log::note::SignedNote;

use crate::world::{self, Files};

/// A sound bundle with one file edited: the first byte names the file (one past the last adds one) and, with its
/// highest bit, removes it; two bytes give an offset, one byte how many bytes go, and the rest comes in their place.
///
/// The untouched bundle is anchored; any other has a problem, and the problem names the file. Only `log/cosigned` may be absent:
/// without it a bundle is what it was before its witnesses were heard.
pub fn bundle(data: &[u8]) {
    let Some((&[which, high, low, gone], new)) = data.split_first_chunk() else { return };
    let sound = world::bundle();
    let mut files = sound.clone();
    let path = edit(&mut files, which, usize::from(u16::from_be_bytes([high, low])), usize::from(gone), new);
    let found = verify(&files, Some(&world::trust()), &|_, _| {});
    if files == sound {
        let Ok(found) = found else { unreachable!("a sound bundle could not be verified") };
        assert!(found.ok && found.anchored, "a sound bundle has problems: {:?}", found.problems);
    } else if let Ok(found) = found
        && files.contains_key(COSIGNED)
    {
        assert!(!found.ok, "a change of {path} was not found");
        let names = found.problems.iter().any(|problem| problem.place.contains(&path) || problem.what.contains(&path));
        assert!(names, "no problem names {path}: {:?}", found.problems);
    }
}

fn edit(files: &mut Files, which: u8, offset: usize, gone: usize, new: &[u8]) -> String {
    let index = usize::from(which & 0x7f) % (files.len() + 1);
    let path = files.keys().nth(index).cloned().unwrap_or_else(|| "site/added.html".to_owned());
    if which & 0x80 != 0 {
        files.remove(&path);
        return path;
    }
    let bytes = files.entry(path.clone()).or_default();
    let start = offset.min(bytes.len());
    let end = (start + gone).min(bytes.len());
    bytes.splice(start..end, new.iter().copied());
    path
}

/// A file that is said to be a bulletin's: JSON, or with an odd first byte CSV. It is the bulletin's, or a difference is named in words
/// that can stand on a terminal.
pub fn bulletin(data: &[u8]) {
    let Some((&form, stated)) = data.split_first() else { return };
    let [json, csv] = world::bulletin();
    let (form, expected) = if form % 2 == 0 { (Form::Json, json) } else { (Form::Csv, csv) };
    match first_difference(form, stated, expected) {
        None => assert_eq!(stated, expected, "another file was taken for the bulletin's"),
        Some(what) => {
            assert_ne!(stated, expected, "the bulletin's own file differs: {what}");
            assert!(!what.is_empty() && !what.contains(char::is_control), "{what:?}");
        }
    }
}

/// The paths of the sound bundle, in the order in which [`bundle`] numbers them.
pub(crate) fn bundle_paths() -> Vec<String> {
    world::bundle().into_keys().collect()
}

/// A manifest, bare or as a signed note: one spelling.
pub fn manifest(data: &[u8]) {
    let note = SignedNote::parse(data).map(|note| note.text().to_owned());
    let text = note.ok().or_else(|| std::str::from_utf8(data).ok().map(str::to_owned));
    let Some(text) = text else { return };
    if let Ok(manifest) = text.parse::<Manifest>() {
        assert_eq!(manifest.to_string(), text, "a second spelling of one manifest was accepted");
    }
}

/// A trust file: rendering loses nothing of what is read, or every problem has a place in the file.
pub fn trust(data: &[u8]) {
    match Trust::parse(data, "trust.toml") {
        Ok(trust) => {
            assert_eq!(Trust::parse(trust.to_toml().as_bytes(), ""), Ok(trust), "rendering changed the trust file");
        }
        Err(problems) => {
            assert!(!problems.is_empty(), "refused without a reason");
            assert!(problems.iter().all(|problem| problem.place.starts_with("trust.toml:")), "{problems:?}");
        }
    }
}

/// A number of seats (one byte) and a table of lists: every method allots all seats or says which are open, or every mistake has
/// a place in the table.
pub fn lists(data: &[u8]) {
    let Some((&house, table)) = data.split_first() else { return };
    let table = match Table::parse(table, "lists.csv") {
        Ok(table) => table,
        Err(problems) => {
            assert!(!problems.is_empty(), "refused without a reason");
            assert!(problems.iter().all(|problem| problem.place.starts_with("lists.csv:")), "{problems:?}");
            return;
        }
    };
    assert_eq!(table.names.len(), table.lists.len());
    for method in Method::ALL {
        let Ok(allotment) = seats::allot(&table.lists, &Rules::new(method, u32::from(house))) else {
            assert_eq!(house, 0, "a table that was accepted cannot be allotted");
            return;
        };
        let open = allotment.open.iter().map(|open| open.seats).sum::<u64>();
        let given = allotment.lists.iter().map(|list| list.by_votes).sum::<u64>();
        assert_eq!(given + open + allotment.unfilled, u64::from(house), "{method} lost or made a seat");
    }
}

/// A file of published figures: what parses has an answer with premises, or every mistake has its place.
pub fn published(data: &[u8]) {
    match Published::parse(data, "figures.toml") {
        Ok(published) => {
            let answer = published.answer();
            assert!(answer.is_ok(), "{answer:?}");
            let premises = match &answer {
                Ok(Answer::Contest(statement)) => statement.premises().len(),
                Ok(Answer::Mixed(statement)) => statement.premises().len(),
                Err(_) => 0,
            };
            assert!(premises >= 5, "a statement without its premises");
        }
        Err(problems) => {
            assert!(!problems.is_empty(), "refused without a reason");
            assert!(problems.iter().all(|problem| problem.place.starts_with("figures.toml:")), "{problems:?}");
        }
    }
}
