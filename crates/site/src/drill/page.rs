//! What the report shows: words, figures and drawings, ready for the template.

use askama::{Template, filters::Safe};
use tallyproof_count::SlotStatus;

use super::{
    Cpu, DrillReport, Fault, FaultKind, Flood, FloodUnit, Path,
    picture::{self, Axis, Band, Plot, Scale, WIDTH},
};
use crate::{
    chart,
    messages::{Text, Value},
    number::{Share, grouped, scaled},
    style,
    words::Words,
};

/// Moments at which the stations are drawn.
const MOMENTS: u64 = 6;
/// Beyond this many stations a square would be smaller than what a screen can show; the table then stands alone.
const MOST_SQUARES: usize = 60_000;
/// Squares side by side from which on the gaps between them would be finer than a screen's dots.
const FINE: usize = 100;
/// Letters closer to each other than this share of the axis, in hundredths of a per cent, stand below each other.
const LETTER_WIDTH: u64 = 500;

#[derive(Template)]
#[template(path = "drill.html")]
pub(super) struct Page<'a> {
    r: &'a DrillReport,
    w: &'a Words,
    css: String,
    script: &'static str,
    axis: Axis,
    receipts: Scale,
    hostile: Scale,
    by_path: Scale,
    letters: Vec<Letter>,
    turned_away: Vec<TurnedAway<'a>>,
    moments: Vec<Moment>,
}

/// A fault's letter above the drawing.
struct Letter {
    name: String,
    left: String,
    row: usize,
}

/// One reason, with how much was turned away for it.
struct TurnedAway<'a> {
    reason: &'a str,
    count: u64,
    share: Option<Share>,
    bar: String,
}

/// The stations at one moment.
struct Moment {
    second: u64,
    have: u64,
    squares: Option<String>,
}

impl<'a> Page<'a> {
    pub(super) fn new(report: &'a DrillReport, words: &'a Words) -> Self {
        let last = report.series.last().map_or(0, |point| point.second.saturating_add(1).saturating_mul(1_000));
        let axis = Axis::new(report.duration_ms.max(last));
        let most = |value: fn(&super::Second) -> u64| report.series.iter().map(value).max().unwrap_or(0);
        let by_path = report.series.iter().flat_map(|point| &point.by_path).copied().max().unwrap_or(0);
        Self {
            r: report,
            w: words,
            css: style::drill_sheet(),
            script: include_str!("../../templates/language.js"),
            axis,
            receipts: Scale::reaching(most(|point| point.receipts)),
            hostile: Scale::reaching(most(|point| point.hostile_received)),
            by_path: Scale::reaching(by_path),
            letters: letters(&report.faults, axis),
            turned_away: turned_away(report),
            moments: moments(report),
        }
    }

    /// Points that do not hold; a bundle that does not verify is one.
    fn failures(&self) -> u64 {
        self.r.problems.len() as u64 + u64::from(!self.r.verified)
    }

    fn count(&self, count: u64) -> String {
        let _ = self;
        grouped(count)
    }

    /// Stations of which the moment of the receipt was recorded, or that there was none.
    fn recorded(&self) -> String {
        grouped(self.r.receipt_seconds.len() as u64)
    }

    fn progress(&self) -> String {
        chart::progress(self.r.stations.have, 0, self.r.stations.of)
    }

    fn seed(&self) -> Safe<String> {
        self.w.with(Text::DrillSeed, &[("seed", self.r.seed.to_string().as_str().into())])
    }

    fn part(&self, text: Text, part: super::Part) -> Safe<String> {
        self.w.with(text, &[("have", part.have.into()), ("of", part.of.into())])
    }

    fn wait(&self) -> Safe<String> {
        match self.r.latency {
            Some(wait) => {
                self.w.with(Text::DrillWaitHalf, &[("half", wait.p50_ms.into()), ("most", wait.p99_ms.into())])
            }
            None => Safe(self.w.t(Text::DrillWaitNone).0.to_owned()),
        }
    }

    /// Datagrams for each receipted record, to the thousandth.
    fn datagrams(&self) -> Option<Safe<String>> {
        let records = self.r.records.have;
        let value = Value::Thousandths(scaled(self.r.station_datagrams, 1_000, records));
        (records > 0).then(|| self.w.with(Text::DrillDatagrams, &[("n", value)]))
    }

    fn most_after_close(&self) -> Option<Safe<String>> {
        let after = self.r.poll_close_to_97_ms?;
        Some(self.w.with(Text::DrillInMost, &[("seconds", Value::Thousandths(after))]))
    }

    fn against(&self) -> Safe<String> {
        self.w.with(Text::DrillAgainst, &[("rate", self.a_second(self.r.hostile_sent).into())])
    }

    fn against_more(&self) -> Safe<String> {
        let values = [
            ("sent", self.r.hostile_sent.into()),
            ("seconds", Value::Thousandths(self.r.hostile_ms)),
            ("received", self.r.hostile_received.into()),
            ("rate", self.a_second(self.r.hostile_received).into()),
        ];
        self.w.with(Text::DrillAgainstMore, &values)
    }

    /// Hostile datagrams a second, over the time in which they were sent.
    fn a_second(&self, datagrams: u64) -> u64 {
        scaled(datagrams, 1_000, self.r.hostile_ms)
    }

    /// The main drawing: receipts before the flood, over what the drill broke.
    fn over_time(&self) -> String {
        let bands: Vec<_> = self.r.faults.iter().map(Fault::band).collect();
        Plot::new(self.axis)
            .steps("flood", &self.r.series, self.hostile, |point| point.hostile_received)
            .bands(&bands)
            .instant("close", self.r.poll_close_ms)
            .steps("line", &self.r.series, self.receipts, |point| point.receipts)
            .svg()
    }

    /// One path's receipts, over what the drill did to it.
    fn over_path(&self, index: usize, path: &Path) -> String {
        let hit = |fault: &&Fault| fault.kind.path().is_none_or(|name| name == path.name);
        let bands: Vec<_> = self.r.faults.iter().filter(hit).map(Fault::band).collect();
        Plot::new(self.axis)
            .bands(&bands)
            .steps("area", &self.r.series, self.by_path, |point| point.by_path.get(index).copied().unwrap_or(0))
            .svg()
    }

    /// Each second with the receipts so far.
    fn running(&self) -> impl Iterator<Item = (&super::Second, u64)> {
        self.r.series.iter().scan(0u64, |sum, point| {
            *sum = sum.saturating_add(point.receipts);
            Some((point, *sum))
        })
    }

    /// Each second's receipts by path; those of paths that a second leaves out are 0.
    fn seconds_by_path(&self) -> impl Iterator<Item = (u64, Vec<(&Path, u64)>)> {
        self.r.series.iter().map(|point| {
            let receipts = point.by_path.iter().copied().chain(std::iter::repeat(0));
            (point.second, self.r.paths.iter().zip(receipts).collect())
        })
    }

    /// The seconds written at the time axis, with where they stand.
    fn times(&self) -> impl Iterator<Item = (u64, String)> {
        self.axis.marks().map(|second| (second, per_cent(self.axis.x(second.saturating_mul(1_000)))))
    }

    fn poll_close(&self) -> String {
        per_cent(self.axis.x(self.r.poll_close_ms))
    }

    fn letter(&self, index: usize) -> String {
        let _ = self;
        letter(index)
    }

    fn fault_lane(&self, fault: &Fault) -> String {
        picture::lane(self.axis, fault.band())
    }

    fn flood_lane(&self, flood: &Flood) -> String {
        picture::lane(self.axis, flood.band())
    }

    fn fault(&self, fault: &Fault) -> Safe<String> {
        let plain = |text| Safe(self.w.t(text).0.to_owned());
        match &fault.kind {
            FaultKind::CentreKilled => plain(Text::DrillFaultKilled),
            FaultKind::PathCut { path } => self.w.with(Text::DrillFaultCut, &[("path", path.as_str().into())]),
            FaultKind::PathLoss { path, per_mille } => {
                let share = Value::Thousandths(per_mille.saturating_mul(100));
                self.w.with(Text::DrillFaultLoss, &[("path", path.as_str().into()), ("share", share)])
            }
            FaultKind::PathDelay { path, delay_ms } => {
                self.w.with(Text::DrillFaultDelay, &[("path", path.as_str().into()), ("ms", (*delay_ms).into())])
            }
            FaultKind::Other(text) => Safe(crate::words::escaped(text)),
        }
    }

    fn when(&self, band: Band) -> Safe<String> {
        let (from, to) = (Value::Thousandths(band.from_ms), Value::Thousandths(band.to_ms));
        if band.to_ms > band.from_ms {
            self.w.with(Text::DrillSpan, &[("from", from), ("to", to)])
        } else {
            self.w.with(Text::DrillMoment, &[("at", from)])
        }
    }

    fn planned(&self, flood: &Flood) -> Safe<String> {
        let text = match flood.unit {
            FloodUnit::Datagrams => Text::DrillPlannedDatagrams,
            FloodUnit::Requests => Text::DrillPlannedRequests,
            FloodUnit::Connections => Text::DrillPlannedConnections,
        };
        self.w.n(text, flood.planned_rate)
    }

    /// What a reason or a kind means; nothing for a word that the catalogue lacks.
    fn meaning(&self, of: &str, word: &str) -> Option<Safe<&str>> {
        Text::named(&format!("{of}-{word}")).map(|text| self.w.t(text))
    }

    fn mebibytes(&self, bytes: u64) -> Safe<String> {
        let tenths = scaled(bytes, 10, 1 << 20);
        self.w.with(Text::DrillMebibytes, &[("n", Value::Thousandths(tenths.saturating_mul(100)))])
    }

    fn cpu(&self, cpu: Cpu) -> Safe<String> {
        let values = [("used", Value::Thousandths(cpu.used_ms)), ("of", Value::Thousandths(cpu.of_ms))];
        self.w.with(Text::DrillCpu, &values)
    }
}

impl Fault {
    fn band(&self) -> Band {
        Band { from_ms: self.at_ms, to_ms: self.at_ms.saturating_add(self.for_ms) }
    }
}

impl Flood {
    fn band(&self) -> Band {
        Band { from_ms: self.from_ms, to_ms: self.to_ms }
    }
}

impl FaultKind {
    /// The path that it is about; `None` if it is about all.
    fn path(&self) -> Option<&str> {
        match self {
            Self::CentreKilled | Self::Other(_) => None,
            Self::PathCut { path } | Self::PathLoss { path, .. } | Self::PathDelay { path, .. } => Some(path),
        }
    }
}

/// `A` to `Z`, then numbers.
fn letter(index: usize) -> String {
    match u8::try_from(index) {
        Ok(index @ 0..26) => char::from(b'A' + index).to_string(),
        _ => (index + 1).to_string(),
    }
}

/// The letters above the drawing, each in the first row in which it has room.
fn letters(faults: &[Fault], axis: Axis) -> Vec<Letter> {
    // Where the last letter of each row stands.
    let mut rows: Vec<u64> = Vec::new();
    let mut letters = Vec::new();
    for (index, fault) in faults.iter().enumerate() {
        let x = axis.x(fault.at_ms);
        let row = rows.iter().position(|&last| x.abs_diff(last) >= LETTER_WIDTH && x > last).unwrap_or(rows.len());
        match rows.get_mut(row) {
            Some(last) => *last = x,
            None => rows.push(x),
        }
        letters.push(Letter { name: letter(index), left: per_cent(x), row });
    }
    letters
}

/// Units of a drawing's width as a CSS percentage.
fn per_cent(x: u64) -> String {
    format!("{}.{:02}%", x * 100 / WIDTH, x * 100 % WIDTH * 100 / WIDTH)
}

fn turned_away(report: &DrillReport) -> Vec<TurnedAway<'_>> {
    let most = report.rejected.iter().map(|rejected| rejected.count).max().unwrap_or(0);
    let sum = report.rejected.iter().fold(0u64, |sum, rejected| sum.saturating_add(rejected.count));
    let mut rows: Vec<_> = report
        .rejected
        .iter()
        .filter(|rejected| rejected.count > 0)
        .map(|rejected| TurnedAway {
            reason: &rejected.reason,
            count: rejected.count,
            share: Share::of(rejected.count, sum),
            bar: picture::part(rejected.count, most),
        })
        .collect();
    rows.sort_by(|a, b| b.count.cmp(&a.count).then(a.reason.cmp(b.reason)));
    rows
}

/// The stations at evenly spaced moments, from poll close to the last receipt.
fn moments(report: &DrillReport) -> Vec<Moment> {
    let stations = &report.receipt_seconds;
    let Some(last) = stations.iter().flatten().max() else { return Vec::new() };
    let (from, to) = (report.poll_close_ms / 1_000, last.saturating_add(1));
    let at = |index: u64| from.saturating_add(scaled(to.saturating_sub(from), index, MOMENTS));
    let mut seconds: Vec<_> = (1..=MOMENTS).map(at).collect();
    seconds.dedup();
    seconds.into_iter().map(|second| moment(stations, second)).collect()
}

fn moment(stations: &[Option<u64>], second: u64) -> Moment {
    let has = |station: &Option<u64>| station.is_some_and(|came| came < second);
    let status = |station| if has(station) { SlotStatus::Counted } else { SlotStatus::Missing };
    let columns = (stations.len() * 3 / 2).isqrt().max(20);
    let class = if columns < FINE { "waffle" } else { "waffle fine" };
    let squares = (stations.len() <= MOST_SQUARES)
        .then(|| chart::waffle(&stations.iter().map(status).collect::<Vec<_>>(), columns, class));
    Moment { second, have: stations.iter().filter(|station| has(station)).count() as u64, squares }
}
