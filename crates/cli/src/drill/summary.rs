//! Adds up what happened on a drill.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use tallyproof_count::verify::Verification;
use tallyproof_drill::population::Part;
use tallyproof_drill::script::{Carrier, FloodKind, Script, Span};
use tallyproof_record::StationNo;

use super::course::{Course, hostile_sent};
use super::report::{DrillReport, FloodReport, MemoryReport, PathReport, SecondReport};
use super::watch::Look;
use crate::package::ProblemRow;

/// Everything that a report is made from.
pub(super) struct Outcome<'a> {
    pub(super) script: &'a Script,
    pub(super) stations: u64,
    pub(super) parts: &'a [Part],
    pub(super) course: &'a Course,
    pub(super) verification: &'a Verification,
    pub(super) unaccounted: Vec<String>,
    pub(super) bundle: String,
    pub(super) report: String,
    /// Where the table of receipts goes.
    pub(super) receipts_table: String,
}

impl Outcome<'_> {
    /// Records that stations sealed.
    pub(super) fn records(&self) -> u64 {
        self.parts.iter().map(|part| part.sealed.len() as u64).sum()
    }

    pub(super) fn report(&self) -> DrillReport {
        let Self { script, course, verification, .. } = *self;
        let records = self.records();
        let receipts = course.given.len() as u64;
        let mut waited: Vec<Duration> = course.given.iter().map(|given| given.waited).collect();
        waited.sort_unstable();
        let wait_ms = |share| quantile(&waited, share).map(|time| (time.as_secs_f64() * 1e5).round() / 1e2);
        let paths = paths(script, course);
        let datagrams_sent = paths.iter().filter(|path| path.kind != "http").map(|path| path.sent).sum();
        let said = course.watch.said();
        let hostile_sent = hostile_sent(script, |flood| course.flood_sent.get(flood).copied().unwrap_or(0));
        DrillReport {
            name: script.name.clone(),
            title: script.title.clone(),
            seed: script.seed.0,
            stations: self.stations,
            records,
            receipts,
            hostile_sent,
            hostile_received: course.watch.hostile(),
            hostile_rate: per_second(hostile_sent, hostile_time(script)),
            segmentation_offload: course.joined,
            rejected: said.rejected,
            flood: floods(script, course),
            seconds: course.ended.as_secs_f64(),
            p50_ms: wait_ms(500),
            p99_ms: wait_ms(990),
            max_ms: wait_ms(1_000),
            poll_close_to_97_ms: poll_close_to_97(script, course, records),
            datagrams_sent,
            datagrams_per_record: ratio(datagrams_sent, records),
            by_path: paths.iter().map(|path| (path.name.clone(), path.receipts)).collect(),
            paths,
            series: series(script, course),
            duplicates: said.duplicates,
            kills: course.kills,
            centre_cpu_seconds: course.watch.looks().last().map_or(0.0, |look| look.cpu.as_secs_f64()),
            centre_memory_bytes: memory(script, course.watch.looks()),
            centre_journal_bytes: course.journal_bytes,
            unaccounted: self.unaccounted.clone(),
            tree_size: verification.tree_size,
            root: verification.root.clone(),
            verified: verification.ok,
            problems: verification.problems.iter().map(ProblemRow::from).collect(),
            statement: verification.statement.clone(),
            bundle: self.bundle.clone(),
            report: self.report.clone(),
            receipts_table: self.receipts_table.clone(),
        }
    }
}

fn paths(script: &Script, course: &Course) -> Vec<PathReport> {
    let report = |(number, path): (usize, &tallyproof_drill::script::Path)| PathReport {
        name: path.name.clone(),
        kind: kind(path.carrier).to_owned(),
        sent: course.counters.sent(number),
        delivered: course.counters.delivered(number),
        receipts: course.counters.receipts(number),
    };
    script.paths.iter().enumerate().map(report).collect()
}

fn kind(carrier: Carrier) -> &'static str {
    match carrier {
        Carrier::Udp => "udp",
        Carrier::Http => "http",
        Carrier::Relay(_) => "relay",
    }
}

fn floods(script: &Script, course: &Course) -> BTreeMap<String, FloodReport> {
    let mut floods: BTreeMap<String, FloodReport> = BTreeMap::new();
    for (flood, sent) in script.floods.iter().zip(&course.flood_sent) {
        let report = floods.entry(flood.kind.as_str().to_owned()).or_default();
        report.sent += sent;
        report.planned += if flood.most() > 0 { flood.most() } else { u64::from(flood.rate.get()) };
    }
    floods
}

/// How long hostile datagrams were to be sent, overlapping floods taken once.
pub(super) fn hostile_time(script: &Script) -> Duration {
    let datagrams = script.floods.iter().filter(|flood| matches!(flood.kind, FloodKind::Datagram(_)));
    let mut spans: Vec<Span> = datagrams.map(|flood| flood.during).collect();
    spans.sort_by_key(|span| span.from);
    let mut covered = Duration::ZERO;
    let mut until = Duration::ZERO;
    for span in spans {
        covered += span.until.saturating_sub(span.from.max(until));
        until = until.max(span.until);
    }
    covered
}

fn per_second(count: u64, time: Duration) -> u64 {
    let millis = time.as_millis();
    let rate = (u128::from(count) * 1_000).checked_div(millis).unwrap_or(0);
    u64::try_from(rate).unwrap_or(u64::MAX)
}

#[expect(clippy::cast_precision_loss, reason = "counts of a drill stay far below 2^52")]
fn ratio(count: u64, of: u64) -> f64 {
    if of == 0 { 0.0 } else { (count as f64 / of as f64 * 1e4).round() / 1e4 }
}

fn poll_close_to_97(script: &Script, course: &Course, records: u64) -> Option<u64> {
    let needed = usize::try_from((records * 97).div_ceil(100)).ok()?;
    let at = course.given.get(needed.checked_sub(1)?)?.at;
    u64::try_from(at.saturating_sub(script.reporting.from).as_millis()).ok()
}

/// Seconds from the start to the end, each whole.
fn series(script: &Script, course: &Course) -> Vec<SecondReport> {
    let by_path: BTreeMap<String, u64> = script.paths.iter().map(|path| (path.name.clone(), 0)).collect();
    let second = |second| SecondReport { second, by_path: by_path.clone(), ..SecondReport::default() };
    let mut series: Vec<SecondReport> = (0..=course.ended.as_secs()).map(second).collect();
    for given in &course.given {
        let Some(second) = at_second(&mut series, given.at) else { continue };
        second.receipts += 1;
        if let Some(count) = script.paths.get(given.path).and_then(|path| second.by_path.get_mut(&path.name)) {
            *count += 1;
        }
    }
    let looks = course.watch.looks();
    let mut before = 0;
    let last = series.len().saturating_sub(1);
    for (place, second) in series.iter_mut().enumerate() {
        let end = Duration::from_secs(second.second + 1);
        // What still came in while the centre was left to settle belongs to the last second.
        let by_then = if place == last { course.watch.hostile() } else { hostile_by(looks, end) };
        second.hostile_received = by_then.saturating_sub(before);
        before = before.max(by_then);
    }
    series
}

/// Hostile datagrams that had reached the centre by an instant; between two looks they came evenly.
fn hostile_by(looks: &[Look], at: Duration) -> u64 {
    let next = looks.partition_point(|look| look.at < at);
    let from = next.checked_sub(1).and_then(|last| looks.get(last)).copied().unwrap_or_default();
    let Some(to) = looks.get(next) else { return from.hostile() };
    let (part, whole) = (at.saturating_sub(from.at).as_nanos(), to.at.saturating_sub(from.at).as_nanos());
    let came = u128::from(to.hostile().saturating_sub(from.hostile())) * part;
    from.hostile() + u64::try_from(came.checked_div(whole).unwrap_or(0)).unwrap_or(0)
}

fn at_second(series: &mut [SecondReport], at: Duration) -> Option<&mut SecondReport> {
    series.get_mut(usize::try_from(at.as_secs()).ok()?)
}

fn memory(script: &Script, looks: &[Look]) -> MemoryReport {
    MemoryReport {
        before: before_attack(script, looks).map(|look| look.resident),
        peak: looks.iter().map(|look| look.resident).max(),
    }
}

/// The last look before the first attack; where nobody attacks, or from the start, the first look.
pub(super) fn before_attack<'a>(script: &Script, looks: &'a [Look]) -> Option<&'a Look> {
    let attack = script.floods.iter().map(|flood| flood.during.from).min().unwrap_or_default();
    looks.iter().take_while(|look| look.at < attack).last().or_else(|| looks.first())
}

/// For each station of the register in order, the second in which its last receipt came.
pub(super) fn receipt_seconds(course: &Course, stations: u64) -> Vec<Option<u64>> {
    let mut seconds = vec![None; usize::try_from(stations).unwrap_or(0)];
    for given in &course.given {
        if let Some(second) = seconds.get_mut(given.receipt.station.index()) {
            *second = Some(given.at.as_secs());
        }
    }
    seconds
}

/// Stations whose every record is receipted.
pub(super) fn stations_done(parts: &[Part], course: &Course) -> u64 {
    let receipted: BTreeSet<_> = course.given.iter().map(|given| given.receipt.digest).collect();
    let mut done: BTreeMap<StationNo, bool> = BTreeMap::new();
    for part in parts {
        let all = part.sealed.iter().all(|record| receipted.contains(&record.digest()));
        *done.entry(part.station).or_insert(true) &= all;
    }
    done.values().filter(|done| **done).count() as u64
}

/// The value that `share` of 1,000 of the sorted values do not exceed, by nearest rank.
fn quantile(sorted: &[Duration], share: usize) -> Option<Duration> {
    let rank = (sorted.len() * share).div_ceil(1_000);
    sorted.get(rank.saturating_sub(1)).copied()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quantiles_are_values_that_occurred() {
        let sorted: Vec<_> = (1..=200).map(Duration::from_millis).collect();
        let ms = |share| quantile(&sorted, share).unwrap().as_millis();
        assert_eq!((ms(500), ms(990), ms(1_000), ms(0)), (100, 198, 200, 1));
        assert_eq!(quantile(&[], 500), None);
        assert_eq!(quantile(&sorted[..1], 990), Some(Duration::from_millis(1)));
    }

    #[test]
    fn between_two_looks_datagrams_came_evenly() {
        let look = |ms, reached| Look { at: Duration::from_millis(ms), reached, genuine: 10, ..Look::default() };
        let looks = [look(500, 10), look(1_500, 110), look(1_600, 150)];
        let by = |ms| hostile_by(&looks, Duration::from_millis(ms));
        assert_eq!([0, 500, 1_000, 1_500, 1_550, 9_000].map(by), [0, 0, 50, 100, 120, 140]);
    }

    #[test]
    fn overlapping_floods_take_their_time_once() {
        let script = |floods: &str| {
            let text = format!(
                "format = 1\nname = \"a\"\ntitle = \"A\"\nseed = 1\nstations = 3\n\
                 reporting = {{ at = \"0s\", over = \"1s\" }}\npatience = \"1s\"\n\
                 [[path]]\nname = \"p\"\nkind = \"udp\"\n{floods}"
            );
            Script::parse(&text, "a.toml").unwrap()
        };
        let flood = |kind: &str, at: u32, length: u32| {
            format!("[[flood]]\nkind = \"{kind}\"\nat = \"{at}s\"\nfor = \"{length}s\"\nrate = 10\n")
        };
        let floods =
            [flood("garbage", 0, 4), flood("replay", 2, 4), flood("bad-tag", 10, 1), flood("slowloris", 20, 9)];
        assert_eq!(hostile_time(&script(&floods.concat())), Duration::from_secs(7));
        assert_eq!(hostile_time(&script("")), Duration::ZERO);
    }
}
