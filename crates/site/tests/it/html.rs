//! A check of the markup that the pages use: every element closed in order, attributes quoted, ids unique.

use std::collections::BTreeSet;

/// The first fault, with where it is.
pub(crate) fn check(page: &str) -> Result<(), String> {
    let mut rest = page.strip_prefix("<!DOCTYPE html>").ok_or("no doctype")?;
    let (mut open, mut ids) = (Vec::new(), BTreeSet::new());
    while let Some((text, after)) = rest.split_once('<') {
        if text.contains('>') {
            return Err(format!("a stray > in {text:?}"));
        }
        let (tag, after) = after.split_once('>').ok_or("an unclosed tag at the end")?;
        rest = after;
        if let Some(name) = tag.strip_prefix('/') {
            if open.pop() != Some(name) {
                return Err(format!("</{name}> closes nothing; open: {open:?}"));
            }
            continue;
        }
        let (tag, closed) = tag.strip_suffix('/').map_or((tag, false), |tag| (tag.trim_end(), true));
        let (name, attributes) = tag.split_once(char::is_whitespace).unwrap_or((tag, ""));
        if let Some(id) = self::attributes(attributes)?.into_iter().find(|(key, _)| *key == "id")
            && !ids.insert(id.1)
        {
            return Err(format!("id {} stands twice", id.1));
        }
        if matches!(name, "style" | "script") && !closed {
            // What they hold is no markup, and ends at their first end tag.
            let (_, after) = rest.split_once(&format!("</{name}>")).ok_or_else(|| format!("<{name}> never ends"))?;
            rest = after;
        } else if !closed {
            open.push(name);
        }
    }
    if rest.contains('>') {
        return Err(format!("a stray > in {rest:?}"));
    }
    if open.is_empty() { Ok(()) } else { Err(format!("never closed: {open:?}")) }
}

fn attributes(mut rest: &str) -> Result<Vec<(&str, &str)>, String> {
    let mut found = Vec::new();
    while !rest.trim().is_empty() {
        let (key, after) = rest.split_once("=\"").ok_or_else(|| format!("an attribute without quotes: {rest}"))?;
        let (value, after) = after.split_once('"').ok_or_else(|| format!("an open quote: {rest}"))?;
        let key = key.trim();
        if !key.chars().all(|c| c.is_ascii_alphabetic() || c == '-') || found.iter().any(|(known, _)| *known == key) {
            return Err(format!("attribute {key:?}"));
        }
        found.push((key, value));
        rest = after;
    }
    Ok(found)
}

#[test]
fn the_check_finds_faults() {
    for bad in [
        "<p>",
        "<p></b>",
        "<p id=\"a\"></p><p id=\"a\"></p>",
        "<p id=a></p>",
        "a > b",
        "<p id=\"a\" id=\"b\"></p>",
        "<style>a>b",
    ] {
        assert!(check(&format!("<!DOCTYPE html>{bad}")).is_err(), "{bad}");
    }
    assert!(check("<!DOCTYPE html><style>a>b</style><p id=\"a\" lang=\"en\">x<br /></p>").is_ok());
}
