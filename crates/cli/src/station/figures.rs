//! The figures of one record from a file: CSV `figure,count`, JSON `{"A": 120, "@blank": 3}`, or a `results.csv`.
//!
//! A figure is a ballot line's id, or `@blank`, `@null`, `@voters`, `@registered`, `@total`. Every ballot line has to be
//! there, because missing is not zero.

use std::collections::BTreeMap;
use std::fmt;
use std::path::Path;

use anyhow::{Context, anyhow, bail, ensure};
use serde::Deserialize;
use serde::de::{MapAccess, Visitor};
use tallyproof_record::definition::results::{self, Figures};
use tallyproof_record::definition::{Contest, Figure};
use tallyproof_record::{ContestNo, Election, StationNo};

use crate::config::nearest;
use crate::{files, package};

const FILE_LIMIT: u64 = 1 << 26;
const SIMPLE_HEADER: [&str; 2] = ["figure", "count"];

/// A figure's name, its count and where it stands in the file.
type Row = (String, u32, String);

/// Reads the figures of `station` in `contest`.
pub fn read(path: &Path, election: &Election, station: StationNo, contest: ContestNo) -> anyhow::Result<Figures> {
    let bytes = files::read(path, FILE_LIMIT)?;
    let name = path.display().to_string();
    let held = election.contest(contest).ok_or_else(|| anyhow!("contest {contest} is not in the definition"))?;
    let text = std::str::from_utf8(&bytes).with_context(|| format!("{name} is not UTF-8 text"))?;
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    if text.trim_start().starts_with('{') {
        return collect(json(text, &name)?, held, &name);
    }
    if is_simple(text) {
        return collect(csv(text, &name)?, held, &name);
    }
    let all = results::parse(&bytes, election)
        .map_err(|problems| package::refusal(format!("{name} has no usable figures"), &problems))?;
    let station_id = election.station(station).map_or("", |station| &station.id);
    all.get(&(station, contest))
        .cloned()
        .ok_or_else(|| anyhow!("{name} has no row for station {station_id}, contest {}", held.id))
}

fn is_simple(text: &str) -> bool {
    text.lines().next().is_some_and(|header| header.split(',').map(str::trim).eq(SIMPLE_HEADER))
}

fn csv(text: &str, name: &str) -> anyhow::Result<Vec<Row>> {
    let mut reader = csv::ReaderBuilder::new().trim(csv::Trim::All).from_reader(text.as_bytes());
    let mut rows = Vec::new();
    for record in reader.records() {
        let record = record.with_context(|| format!("{name} is not a table of `figure,count`"))?;
        let place = format!("{name}:{}", record.position().map_or(0, csv::Position::line));
        let (Some(figure), Some(count)) = (record.get(0), record.get(1)) else { continue };
        let count = count.parse().map_err(|_| anyhow!("{place}: `{count}` is not a count; write a whole number"))?;
        rows.push((figure.to_owned(), count, place));
    }
    Ok(rows)
}

fn json(text: &str, name: &str) -> anyhow::Result<Vec<Row>> {
    let Pairs(pairs) = serde_json::from_str(text).with_context(|| format!("{name} is not an object of counts"))?;
    Ok(pairs.into_iter().map(|(figure, count)| (figure, count, name.to_owned())).collect())
}

/// The members of a JSON object in order, repeated ones included: a second count must not silently win.
struct Pairs(Vec<(String, u32)>);

impl<'de> Deserialize<'de> for Pairs {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Object;
        impl<'de> Visitor<'de> for Object {
            type Value = Pairs;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object of figures and counts, such as {\"A\": 120, \"@blank\": 3}")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Pairs, A::Error> {
                let mut pairs = Vec::new();
                while let Some(pair) = map.next_entry()? {
                    pairs.push(pair);
                }
                Ok(Pairs(pairs))
            }
        }
        deserializer.deserialize_map(Object)
    }
}

fn collect(rows: Vec<Row>, contest: &Contest, name: &str) -> anyhow::Result<Figures> {
    let mut counts: Vec<Option<u32>> = vec![None; contest.lines.len()];
    let mut stated = BTreeMap::new();
    for (figure, count, place) in rows {
        let before = match slot(&figure, contest) {
            Some(Slot::Line(index)) => counts.get_mut(index).and_then(|slot| slot.replace(count)),
            Some(Slot::Stated(which)) => stated.insert(which, count),
            None => bail!("{place}: {}", unknown(&figure, contest)),
        };
        ensure!(before.is_none(), "{place}: `{figure}` stands twice; keep the count that is on the paper");
    }
    let named = contest.lines.iter().zip(counts);
    let counts =
        named.map(|(line, count)| count.ok_or_else(|| anyhow!("{name} has no count for ballot line `{}`", line.id)));
    Ok(Figures { counts: counts.collect::<Result<_, _>>()?, stated })
}

enum Slot {
    Line(usize),
    Stated(Figure),
}

fn slot(name: &str, contest: &Contest) -> Option<Slot> {
    match name.strip_prefix('@') {
        Some(word) => word.parse().ok().map(Slot::Stated),
        None => contest.lines.iter().position(|line| line.id == name).map(Slot::Line),
    }
}

fn unknown(name: &str, contest: &Contest) -> String {
    let figures = Figure::ALL.map(|figure| format!("@{}", figure.as_str()));
    let known = contest.lines.iter().map(|line| line.id.as_str()).chain(figures.iter().map(String::as_str));
    let hint = nearest(name, known).map_or(String::new(), |near| format!("; did you mean `{near}`?"));
    format!("contest `{}` has no figure `{name}`{hint}", contest.id)
}
