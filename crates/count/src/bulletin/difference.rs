//! Where a file that is said to be of a bulletin first differs from what the log gives, in words: which contest, area and figure.

use std::collections::BTreeSet;

use serde_json::{Map, Value};
use tallyproof_record::{csv::Reader, problem::shown};

use super::csv::HEADER;

/// A foreign file is only read into memory as JSON if it is not much larger than the one that the log gives.
const SLACK: usize = 1 << 16;

/// Which of a bulletin's files.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Form {
    /// `bulletin.json`.
    Json,
    /// `bulletin.csv`.
    Csv,
}

/// What of `stated`, anybody's bytes, first differs from `expected`, what the log gives; `None` if nothing does.
pub fn first_difference(form: Form, stated: &[u8], expected: &[u8]) -> Option<String> {
    if stated == expected {
        return None;
    }
    if stated.len() > 2 * expected.len() + SLACK {
        return Some(format!("it has {} bytes, the log gives {}", stated.len(), expected.len()));
    }
    let named = match form {
        Form::Json => in_json(stated, expected),
        Form::Csv => in_csv(stated, expected),
    };
    Some(named.unwrap_or_else(|| in_bytes(stated, expected)))
}

/// Same content, other bytes.
fn in_bytes(stated: &[u8], expected: &[u8]) -> String {
    let same = stated.iter().zip(expected).take_while(|(stated, expected)| stated == expected).count();
    format!("it is not in its one form: first different in byte {}", same + 1)
}

fn in_json(stated: &[u8], expected: &[u8]) -> Option<String> {
    let expected: Value = serde_json::from_slice(expected).ok()?;
    match serde_json::from_slice::<Value>(stated) {
        Ok(stated) => between(&mut Vec::new(), &stated, &expected),
        Err(error) => Some(format!("it is not JSON: {}", shown(&error.to_string()))),
    }
}

/// The first difference of two values, those of objects in the order of their keys.
fn between(path: &mut Vec<String>, stated: &Value, expected: &Value) -> Option<String> {
    match (stated, expected) {
        (Value::Object(stated), Value::Object(expected)) => between_objects(path, stated, expected),
        (Value::Array(stated), Value::Array(expected)) => between_lists(path, stated, expected),
        _ if stated == expected => None,
        _ => Some(format!("{}: it states {}, the log gives {}", words(path), brief(stated), brief(expected))),
    }
}

fn between_objects(
    path: &mut Vec<String>,
    stated: &Map<String, Value>,
    expected: &Map<String, Value>,
) -> Option<String> {
    let keys: BTreeSet<&String> = stated.keys().chain(expected.keys()).collect();
    for key in keys {
        path.push(key.clone());
        let found = match (stated.get(key), expected.get(key)) {
            (Some(stated), Some(expected)) => between(path, stated, expected),
            (Some(_), None) => Some(format!("{}: it states this, the log gives nothing of it", words(path))),
            (None, Some(_)) => Some(format!("{}: missing", words(path))),
            (None, None) => None,
        };
        if found.is_some() {
            return found;
        }
        path.pop();
    }
    None
}

fn between_lists(path: &[String], stated: &[Value], expected: &[Value]) -> Option<String> {
    let same = stated.iter().zip(expected).take_while(|(stated, expected)| stated == expected).count();
    let (stated, expected) = (stated.get(same), expected.get(same));
    if stated.is_none() && expected.is_none() {
        return None;
    }
    let item = |value: Option<&Value>| value.map_or_else(|| "no more".to_owned(), brief);
    let (stated, expected) = (item(stated), item(expected));
    Some(format!("{}, number {}: it states {stated}, the log gives {expected}", words(path), same + 1))
}

fn brief(value: &Value) -> String {
    shown(&value.to_string())
}

/// A place in the file as a reader of the bulletin would name it.
fn words(path: &[String]) -> String {
    let mut path: Vec<&str> = path.iter().map(String::as_str).collect();
    let mut words = Vec::new();
    if let ["contests", contest, ..] = path[..] {
        words.push(format!("contest {}", shown(contest)));
        path.drain(..2);
    }
    match path[..] {
        [basis @ ("as_counted" | "as_it_stands"), "whole", ..] => {
            words.push(format!("the whole, {}", basis.replace('_', " ")));
            path.drain(..2);
        }
        [basis @ ("as_counted" | "as_it_stands"), "areas", area, ..] => {
            words.push(format!("area {}, {}", shown(area), basis.replace('_', " ")));
            path.drain(..3);
        }
        ["stations", list, ..] => {
            words.push(format!("list of {} stations", shown(list)));
            path.drain(..2);
        }
        _ => {}
    }
    words.extend(path.iter().map(|part| shown(part)));
    words.join(", ")
}

fn in_csv(stated: &[u8], expected: &[u8]) -> Option<String> {
    let stated = String::from_utf8_lossy(stated);
    let expected = std::str::from_utf8(expected).ok()?;
    let mut lines = (stated.split('\n'), expected.split('\n'));
    for number in 1_usize.. {
        let (stated, expected) = match (lines.0.next(), lines.1.next()) {
            (None, None) => return None,
            (Some(stated), Some(expected)) if stated == expected => continue,
            different => different,
        };
        let line = |line: Option<&str>| match line {
            None | Some("") => "nothing".to_owned(),
            Some(line) => shown(line),
        };
        let place = expected.or(stated).map(row).unwrap_or_default();
        return Some(format!("line {number}{place}: it states {}, the log gives {}", line(stated), line(expected)));
    }
    None
}

/// What a row is of.
fn row(line: &str) -> String {
    let Some(Ok(cells)) = Reader::new(line).next() else { return String::new() };
    let named = HEADER.iter().zip(&cells).take(5).filter(|(_, cell)| !cell.text.is_empty());
    let named: Vec<_> = named.map(|(name, cell)| format!("{name} {}", shown(&cell.text))).collect();
    if named.is_empty() { String::new() } else { format!(" ({})", named.join(", ")) }
}
