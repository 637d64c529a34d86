//! From TOML to a checked [`Script`].

use std::num::NonZeroU32;
use std::time::Duration;

use tallyproof_record::Problem;

use super::keys::{FAULT, FLOOD, PATH, REPORTING, TOP};
use super::{
    Carrier, Conduct, Damage, Electorate, Fault, Flood, FloodKind, MAX_DELAY, MAX_FAULTS, MAX_FLOODS, MAX_HELD,
    MAX_HOSTILE, MAX_PATHS, MAX_RATE, MAX_STATIONS, MAX_TIME, Path, Quality, Script, Share, Span,
};
use crate::keys::Seed;
use crate::network::Chance;
use crate::section::{Document, Section, hint, keys};

const DEFAULT_SEED: u64 = 1;
const DEFAULT_PATIENCE: Duration = Duration::from_mins(1);

pub(super) fn script(text: &str, file: &str) -> Result<Script, Vec<Problem>> {
    let doc = Document::new(text, file);
    let table = doc.parse();
    let script = top(&Section::new(&doc, &TOP, table.get_ref(), 0));
    let problems = doc.into_problems();
    match script {
        Some(script) if problems.is_empty() => Ok(script),
        _ => Err(problems),
    }
}

/// Reads everything before it gives up on anything, so that all mistakes are reported at once. `None` only where a
/// problem has been reported.
fn top(top: &Section<'_, '_>) -> Option<Script> {
    let format = top.requires("format").number("format", &(0..=u64::MAX));
    if format.is_some_and(|format| format != 1) {
        top.problem_at("format", keys::FORMAT, "this program reads scripts of format 1; update one of the two");
    }
    let name = top.requires("name").name("name");
    let title = top.text("title").map(str::to_owned);
    let seed = top.number("seed", &(0..=u64::MAX)).unwrap_or(DEFAULT_SEED);
    let electorate = electorate(top);
    let reporting = top.requires("reporting").section("reporting", &REPORTING).and_then(|table| reporting(&table));
    let patience = top.time("patience", MAX_TIME).unwrap_or(DEFAULT_PATIENCE);
    let receipted = top.share("receipted").map_or(Share::ALL, Share::nearest);
    let paths = paths(top);
    let faults = faults(top, &paths);
    let floods = floods(top);
    Some(Script {
        title: title.or_else(|| name.clone())?,
        name: name?,
        seed: Seed(seed),
        electorate: electorate?,
        reporting: reporting?,
        patience,
        receipted,
        paths,
        faults,
        floods,
    })
}

impl Share {
    /// The share nearest to a number from 0 to 1.
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "from 0 to a million")]
    fn nearest(share: f64) -> Self {
        Self((share * f64::from(Self::WHOLE)).round() as u32)
    }
}

fn electorate(top: &Section<'_, '_>) -> Option<Electorate> {
    let stations = top.number("stations", &(1..=u64::from(MAX_STATIONS))).and_then(count);
    let package = top.text("election").map(str::to_owned);
    match (top.has("stations"), top.has("election")) {
        (true, true) => {
            let what = "a script has either `stations` or `election`: take one of the two out";
            top.problem_at("election", keys::KEYS_TOGETHER, what);
            None
        }
        (false, false) => {
            let what = "a script needs `stations` (a synthetic election) or `election` (a package)";
            top.problem(keys::KEYS_TOGETHER, what);
            None
        }
        (true, false) => stations.map(Electorate::Synthetic),
        (false, true) => package.map(Electorate::Package),
    }
}

fn count(number: u64) -> Option<NonZeroU32> {
    u32::try_from(number).ok().and_then(NonZeroU32::new)
}

fn reporting(table: &Section<'_, '_>) -> Option<Span> {
    span(table, "over")
}

/// The span that begins `at` and lasts as long as the key `length` says.
fn span(table: &Section<'_, '_>, length: &'static str) -> Option<Span> {
    let from = table.requires("at").time("at", MAX_TIME);
    let length_of = table.requires(length).time(length, MAX_TIME);
    let (from, until) = (from?, from?.saturating_add(length_of?));
    if until > MAX_TIME {
        table.problem(keys::TOO_MUCH, format!("everything has to end within {} s", MAX_TIME.as_secs()));
    }
    Some(Span { from, until })
}

fn paths(top: &Section<'_, '_>) -> Vec<Path> {
    let tables = top.requires("path").sections("path", &PATH, MAX_PATHS);
    let mut paths: Vec<Path> = Vec::new();
    for table in &tables {
        let Some(path) = path(table) else { continue };
        if paths.iter().any(|other| other.name == path.name) {
            table.problem_at("name", keys::BAD_NAME, format!("another path is named `{}` already", path.name));
        }
        paths.push(path);
    }
    if top.has("path") && tables.is_empty() {
        top.problem_at("path", keys::KEY_MISSING, "a script needs at least one [[path]]");
    } else if !paths.is_empty() && paths.len() == tables.len() && paths.iter().all(|path| path.share != Chance::ALWAYS)
    {
        let what =
            "a station could be left without any path: give one [[path]] at least to all (leave its `share` out)";
        top.problem_at("path", keys::KEYS_TOGETHER, what);
    }
    paths
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum PathKind {
    Udp,
    Http,
    Relay,
}

fn path(table: &Section<'_, '_>) -> Option<Path> {
    let kinds = [PathKind::Udp, PathKind::Http, PathKind::Relay];
    let kind = table.requires("kind").word("kind", kinds.into_iter(), |kind| match kind {
        PathKind::Udp => "udp",
        PathKind::Http => "http",
        PathKind::Relay => "relay",
    });
    let conduct = table.word("conduct", Conduct::ALL.into_iter(), |conduct| conduct.as_str());
    if table.has("conduct") && kind.is_some_and(|kind| kind != PathKind::Relay) {
        table.problem_at("conduct", keys::KEYS_TOGETHER, "only a path of kind \"relay\" has a `conduct`");
    }
    let share = table.share("share").unwrap_or(1.0);
    if share == 0.0 {
        table.problem_at("share", keys::OUT_OF_BOUNDS, "`share` must be above 0: take the path out otherwise");
    }
    let quality = Quality {
        loss: chance(table, "loss").unwrap_or(Chance::NEVER),
        duplicate: chance(table, "duplicate").unwrap_or(Chance::NEVER),
        delay: table.time("delay", MAX_DELAY).unwrap_or_default(),
    };
    let name = table.requires("name").name("name");
    let carrier = match kind? {
        PathKind::Udp => Carrier::Udp,
        PathKind::Http => Carrier::Http,
        PathKind::Relay => Carrier::Relay(conduct.unwrap_or(Conduct::Honest)),
    };
    let after = table.time("after", MAX_DELAY).unwrap_or_default();
    Some(Path { name: name?, carrier, quality, after, share: Chance::new(share).unwrap_or(Chance::ALWAYS) })
}

fn chance(table: &Section<'_, '_>, key: &'static str) -> Option<Chance> {
    let chance = Chance::new(table.share(key)?);
    if chance.is_none() {
        let hint = if key == "loss" { "; a [[fault]] with `cut = true` lets nothing through" } else { "" };
        table.problem_at(key, keys::OUT_OF_BOUNDS, format!("`{key}` must be below 1{hint}"));
    }
    chance
}

fn faults(top: &Section<'_, '_>, paths: &[Path]) -> Vec<Fault> {
    let tables = top.sections("fault", &FAULT, MAX_FAULTS);
    tables.iter().filter_map(|table| fault(table, paths)).collect()
}

fn fault(table: &Section<'_, '_>, paths: &[Path]) -> Option<Fault> {
    let of_paths = ["path", "for", "cut", "loss", "delay"];
    if table.has("kill_centre") {
        for key in of_paths.into_iter().filter(|key| table.has(key)) {
            table.problem_at(key, keys::KEYS_TOGETHER, format!("`kill_centre` does not go with `{key}`"));
        }
        let at = table.requires("at").time("at", MAX_TIME)?;
        return table.flag("kill_centre").then_some(Fault::KillCentre { at });
    }
    if !of_paths.iter().any(|key| table.has(key)) {
        table.problem(keys::KEYS_TOGETHER, "a fault needs `kill_centre`, or `path` and one of `cut`, `loss`, `delay`");
        return None;
    }
    let during = span(table, "for");
    let path = table.requires("path").text("path").and_then(|name| {
        let number = paths.iter().position(|path| path.name == name);
        if number.is_none() {
            let names = paths.iter().map(|path| path.name.as_str());
            table.problem_at("path", keys::BAD_NAME, format!("no path is named {name:?}; {}", hint(name, names)));
        }
        number
    });
    let damage = damage(table);
    Some(Fault::Path { path: path?, during: during?, damage: damage? })
}

fn damage(table: &Section<'_, '_>) -> Option<Damage> {
    let cut = table.flag("cut").then_some(Damage::Cut);
    let loss = chance(table, "loss").map(Damage::Loss);
    let delay = table.time("delay", MAX_DELAY).map(Damage::Delay);
    let given = ["cut", "loss", "delay"].into_iter().filter(|key| table.has(key)).count();
    if given != 1 {
        let what = "a fault of a path has exactly one of `cut`, `loss`, `delay`: write a [[fault]] for each";
        table.problem(keys::KEYS_TOGETHER, what);
        return None;
    }
    cut.or(loss).or(delay)
}

fn floods(top: &Section<'_, '_>) -> Vec<Flood> {
    let tables = top.sections("flood", &FLOOD, MAX_FLOODS);
    let floods: Vec<Flood> = tables.iter().filter_map(flood).collect();
    let messages = floods.iter().map(Flood::most).fold(0, u64::saturating_add);
    if messages > MAX_HOSTILE {
        let what = format!("the floods send {messages} datagrams and requests; at most {MAX_HOSTILE} are allowed");
        top.problem_at("flood", keys::TOO_MUCH, what);
    }
    let held = floods.iter().filter(|flood| flood.kind.holds_connections()).map(|flood| u64::from(flood.rate.get()));
    let held: u64 = held.sum();
    if held > u64::from(MAX_HELD) {
        let what = format!("the floods hold {held} connections open; at most {MAX_HELD} are allowed");
        top.problem_at("flood", keys::TOO_MUCH, what);
    }
    floods
}

fn flood(table: &Section<'_, '_>) -> Option<Flood> {
    let kind = table.requires("kind").word("kind", FloodKind::all(), |kind| kind.as_str());
    let during = span(table, "for");
    let rate = table.requires("rate").number("rate", &(1..=u64::from(MAX_RATE))).and_then(count);
    Some(Flood { kind: kind?, during: during?, rate: rate? })
}
