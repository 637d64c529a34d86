//! The report of a drill: one HTML file that needs nothing beside it, in three languages.
//!
//! [`DrillReport`] holds plain figures, all integers: whoever ran the drill fills it in, and [`render`] is a pure
//! function of it.

mod page;
mod picture;

use askama::Template;

use crate::words::Words;

/// The figures of one drill. Times are counted from the drill's beginning.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct DrillReport {
    /// The script's title, shown as it is.
    pub title: String,
    /// The script's seed: with the script it gives the same stations, links and hostile traffic again.
    pub seed: u64,
    /// When, on what machine, by which version: one line, shown as it is. May be empty.
    pub run: String,
    /// Processor cores that the stations, the centre and the hostile senders shared, if known.
    pub cores: Option<u32>,
    /// Whether the hostile datagrams were handed to the kernel in large segments (UDP GSO), cheaper than a real sender.
    pub segmentation_offload: bool,
    /// Whether the bundle that the drill left behind verifies.
    pub verified: bool,
    /// Whatever did not hold, one line each, shown as it is. Empty if all holds.
    pub problems: Vec<String>,

    /// Stations whose every record has its receipt, of all stations.
    pub stations: Part,
    /// Records with a receipt, of all records that stations sealed.
    pub records: Part,
    /// How long the drill took, in milliseconds; the time axis ends here.
    pub duration_ms: u64,
    /// Poll close, when stations begin to report, in milliseconds.
    pub poll_close_ms: u64,
    /// From sealing to the receipt, in milliseconds; `None` without receipts.
    pub latency: Option<Latency>,
    /// From poll close until 97 of 100 records had their receipts, in milliseconds, if it came to that.
    pub poll_close_to_97_ms: Option<u64>,
    /// Datagrams that stations sent until their receipts came, over all paths.
    pub station_datagrams: u64,

    /// Hostile datagrams sent (requests and held connections stand in [`floods`](Self::floods) alone).
    pub hostile_sent: u64,
    /// Hostile datagrams that reached the centre's socket; the others were lost in between.
    pub hostile_received: u64,
    /// Time in which hostile datagrams were sent, in milliseconds: what the rates per second are over.
    pub hostile_ms: u64,

    /// One point a second, in order. A second that is left out counts as a second without any.
    pub series: Vec<Second>,
    /// The ways to the centre. [`Second::by_path`] is in this order.
    pub paths: Vec<Path>,
    /// What the centre turned away, by reason.
    pub rejected: Vec<Rejected>,
    /// Hostile traffic, by kind, in order of the script.
    pub floods: Vec<Flood>,
    /// What the drill broke on purpose, in order of the script.
    pub faults: Vec<Fault>,
    /// The centre's own use of memory and processor.
    pub centre: CentreUse,
    /// For each station in order of the register the second in which its last receipt came; `None`: none came.
    /// Empty if not recorded.
    pub receipt_seconds: Vec<Option<u64>>,
}

/// A part of a whole.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Part {
    /// How many there are.
    pub have: u64,
    /// Of how many.
    pub of: u64,
}

/// How long records waited for their receipts, in milliseconds, by nearest rank.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Latency {
    /// Half of the records waited at most this long.
    pub p50_ms: u64,
    /// 99 of 100 records waited at most this long.
    pub p99_ms: u64,
    /// The longest wait.
    pub max_ms: u64,
}

/// What happened in one second.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Second {
    /// Which: 0 is the first second of the drill.
    pub second: u64,
    /// Records that got their first receipt in it.
    pub receipts: u64,
    /// Hostile datagrams that reached the centre's socket in it.
    pub hostile_received: u64,
    /// The receipts by the path over which they came, in order of [`DrillReport::paths`].
    pub by_path: Vec<u64>,
}

/// One way from the stations to the centre.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Path {
    /// Its name in the script.
    pub name: String,
    /// `udp`, `http` or `relay`.
    pub kind: String,
    /// Datagrams or requests that stations sent over it.
    pub sent: u64,
    /// Records whose first receipt came over it.
    pub receipts: u64,
}

/// What the centre turned away for one reason.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Rejected {
    /// The reason's word, as in the centre's metrics (`tag`, `replay`, …).
    pub reason: String,
    /// How many datagrams or records.
    pub count: u64,
}

/// Hostile traffic of one kind over one span of time.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Flood {
    /// Its kind in the script (`bad-tag`, `slowloris`, …).
    pub kind: String,
    /// What is counted.
    pub unit: FloodUnit,
    /// Its beginning, in milliseconds.
    pub from_ms: u64,
    /// Its end, in milliseconds.
    pub to_ms: u64,
    /// As planned: a second, or for connections how many are held open at once.
    pub planned_rate: u64,
    /// How many were sent (connections: opened) over the whole span.
    pub sent: u64,
}

/// What a flood is counted in.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum FloodUnit {
    /// UDP datagrams.
    #[default]
    Datagrams,
    /// HTTP requests.
    Requests,
    /// TCP connections.
    Connections,
}

/// Something that the drill broke on purpose.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    /// Its beginning, in milliseconds.
    pub at_ms: u64,
    /// How long it lasted, in milliseconds; 0 for a moment.
    pub for_ms: u64,
    /// What it was.
    pub kind: FaultKind,
}

/// Kinds of faults.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum FaultKind {
    /// The centre's process was killed (signal 9) and started again.
    CentreKilled,
    /// Nothing passed on a path.
    PathCut {
        /// The path's name.
        path: String,
    },
    /// A path lost a share of what passed.
    PathLoss {
        /// The path's name.
        path: String,
        /// The share, in thousandths.
        per_mille: u64,
    },
    /// A path was slow.
    PathDelay {
        /// The path's name.
        path: String,
        /// The delay, in milliseconds.
        delay_ms: u64,
    },
    /// Anything else, shown as it is.
    Other(String),
}

/// What the centre's process used. `None` where it was not measured.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct CentreUse {
    /// Resident memory before the first hostile datagram, in bytes.
    pub memory_before: Option<u64>,
    /// Most resident memory during the drill, in bytes.
    pub memory_peak: Option<u64>,
    /// Processor time before the first hostile datagram.
    pub cpu_before: Option<Cpu>,
    /// Processor time while hostile traffic ran.
    pub cpu_under: Option<Cpu>,
}

impl CentreUse {
    /// Whether anything was measured.
    fn is_measured(&self) -> bool {
        *self != Self::default()
    }
}

/// Processor time over a span of time.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Cpu {
    /// Processor time of all threads together, in milliseconds.
    pub used_ms: u64,
    /// The span, in milliseconds.
    pub of_ms: u64,
}

/// The report as one HTML file: style and script inside, nothing loaded, complete without the script.
pub fn render(report: &DrillReport) -> String {
    // Writing to memory fails only where a value's own `Display` does, and none of ours can.
    page::Page::new(report, &Words::new()).render().unwrap_or_default()
}
