//! Made-up figures of a drill, the same every time: for the tests and for `examples/render_drill.rs`.

use tallyproof_site::drill::{
    CentreUse, Cpu, DrillReport, Fault, FaultKind, Flood, FloodUnit, Latency, Part, Path, Rejected, Second,
};

/// Seconds that the drill takes; the flood runs for the first sixty.
const SECONDS: u64 = 68;
const FLOOD: u64 = 60;
/// The second of poll close, and the span over which stations report from then on.
const CLOSE: u64 = 2;
const SPAN: u64 = 60;

/// A number from 0 to `below`, without `below`, that looks drawn: the finaliser of SplitMix64.
fn drawn(key: u64, below: u64) -> u64 {
    let mixed = key.wrapping_add(1).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    let mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    (mixed ^ (mixed >> 31)) % below
}

/// The path of a station's receipt and its second. While the first path is cut, the second one carries more, later.
fn receipt(station: u64) -> (usize, u64) {
    let sealed = CLOSE + drawn(station, SPAN);
    let cut = (10..30).contains(&sealed);
    let path = match drawn(station + 1_000_000, 10) {
        0 => 2,
        1..=3 => 1,
        _ if cut => 1,
        _ => 0,
    };
    // The centre is away in second 15: its stations come in the three seconds after.
    let late = if sealed == 15 { 1 + drawn(station, 3) } else { u64::from(cut) * drawn(station + 7, 2) };
    (path, sealed + late)
}

/// A drill of this many stations under 400,000 hostile datagrams a second, in which all holds.
pub(crate) fn night(stations: u64) -> DrillReport {
    let receipts: Vec<_> = (0..stations).map(receipt).collect();
    let series: Vec<_> = (0..SECONDS).map(|second| point(second, &receipts)).collect();
    let received = series.iter().map(|point| point.hostile_received).sum();
    let by_path = |path| receipts.iter().filter(|receipt| receipt.0 == path).count() as u64;
    let all = Part { have: stations, of: stations };
    DrillReport {
        title: "Twenty-four million hostile datagrams".to_owned(),
        seed: 1,
        run: "made up, for looking at pages".to_owned(),
        cores: Some(2),
        segmentation_offload: true,
        verified: true,
        problems: Vec::new(),
        stations: all,
        records: all,
        duration_ms: SECONDS * 1_000,
        poll_close_ms: CLOSE * 1_000,
        latency: Some(Latency { p50_ms: 212, p99_ms: 2_310, max_ms: 4_122 }),
        poll_close_to_97_ms: Some(59_400),
        station_datagrams: stations * 154 / 100,
        hostile_sent: 24_000_000,
        hostile_received: received,
        hostile_ms: FLOOD * 1_000,
        paths: vec![
            path("isp-a", "udp", by_path(0), stations),
            path("isp-b", "udp", by_path(1), stations * 4 / 10),
            path("party-relay", "relay", by_path(2), stations / 7),
        ],
        rejected: rejected(received),
        floods: floods(),
        faults: faults(),
        centre: CentreUse {
            memory_before: Some(41_943_040),
            memory_peak: Some(123_731_968),
            cpu_before: Some(Cpu { used_ms: 210, of_ms: 2_000 }),
            cpu_under: Some(Cpu { used_ms: 51_300, of_ms: 60_000 }),
        },
        receipt_seconds: receipts.iter().map(|receipt| Some(receipt.1)).collect(),
        series,
    }
}

fn point(second: u64, receipts: &[(usize, u64)]) -> Second {
    let by_path: Vec<_> =
        (0..3).map(|path| receipts.iter().filter(|&&receipt| receipt == (path, second)).count() as u64).collect();
    // While the centre starts again, its socket takes nothing.
    let hostile_received = match second {
        15 => 61_204,
        _ if second < FLOOD => 372_000 + drawn(second, 24_000),
        _ => 0,
    };
    Second { second, receipts: by_path.iter().sum(), hostile_received, by_path }
}

fn path(name: &str, kind: &str, receipts: u64, sent: u64) -> Path {
    Path { name: name.to_owned(), kind: kind.to_owned(), sent, receipts }
}

fn rejected(received: u64) -> Vec<Rejected> {
    let part = |reason: &str, count| Rejected { reason: reason.to_owned(), count };
    let others = [
        ("overflow", 1_204_331),
        ("filter", 2_961_004),
        ("station", 12_880),
        ("replay", 590_412),
        ("quota", 18_220),
        ("queue-full", 0),
        ("structure", 702),
        ("signature", 704),
        ("something-new", 3),
    ];
    let tag = received.saturating_sub(others.iter().map(|other| other.1).sum());
    others.into_iter().chain([("tag", tag)]).map(|(reason, count)| part(reason, count)).collect()
}

fn floods() -> Vec<Flood> {
    let flood = |kind: &str, unit, (from, to): (u64, u64), planned_rate, sent| Flood {
        kind: kind.to_owned(),
        unit,
        from_ms: from * 1_000,
        to_ms: to * 1_000,
        planned_rate,
        sent,
    };
    vec![
        flood("bad-tag", FloodUnit::Datagrams, (0, FLOOD), 340_000, 20_400_000),
        flood("garbage", FloodUnit::Datagrams, (0, FLOOD), 50_000, 3_000_000),
        flood("replay", FloodUnit::Datagrams, (5, 55), 12_000, 600_000),
        flood("slowloris", FloodUnit::Connections, (0, FLOOD), 1_000, 4_211),
        flood("http-post", FloodUnit::Requests, (20, 40), 500, 9_870),
    ]
}

fn faults() -> Vec<Fault> {
    let fault = |at_ms, for_ms, kind| Fault { at_ms, for_ms, kind };
    let (a, b) = ("isp-a".to_owned(), "isp-b".to_owned());
    vec![
        fault(10_000, 20_000, FaultKind::PathCut { path: a }),
        fault(15_000, 0, FaultKind::CentreKilled),
        fault(40_000, 12_500, FaultKind::PathLoss { path: b.clone(), per_mille: 905 }),
        fault(42_000, 8_000, FaultKind::PathDelay { path: b, delay_ms: 1_300 }),
    ]
}
