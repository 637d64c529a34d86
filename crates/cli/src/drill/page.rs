//! The report of a drill as the page that the site draws.

use std::time::Duration;

use tallyproof_drill::script::{ConnectionKind, Damage, Fault, Flood, FloodKind, Script};
use tallyproof_site::drill::{self as site, CentreUse, Cpu, FaultKind, FloodUnit, Latency, Part};

use super::report::{DrillReport, PathReport, SecondReport};
use super::summary::{Outcome, before_attack, hostile_time, receipt_seconds, stations_done};
use super::watch::Look;
use crate::field::clock::millis;

/// The page, complete in one file.
pub(super) fn render(outcome: &Outcome<'_>, report: &DrillReport) -> String {
    let Outcome { script, course, parts, .. } = *outcome;
    site::render(&site::DrillReport {
        title: report.title.clone(),
        seed: report.seed,
        run: format!("tallyproof {} on {} {}", env!("CARGO_PKG_VERSION"), std::env::consts::OS, std::env::consts::ARCH),
        cores: std::thread::available_parallelism().ok().and_then(|cores| u32::try_from(cores.get()).ok()),
        segmentation_offload: report.segmentation_offload,
        verified: report.verified,
        problems: problems(report),
        stations: Part { have: stations_done(parts, course), of: report.stations },
        records: Part { have: report.receipts, of: report.records },
        duration_ms: millis(course.ended),
        poll_close_ms: millis(script.reporting.from),
        latency: latency(report),
        poll_close_to_97_ms: report.poll_close_to_97_ms,
        station_datagrams: report.datagrams_sent,
        hostile_sent: report.hostile_sent,
        hostile_received: report.hostile_received,
        hostile_ms: millis(hostile_time(script)),
        series: report.series.iter().map(|second| self::second(second, &report.paths)).collect(),
        paths: report.paths.iter().map(path).collect(),
        rejected: rejected(report),
        floods: script.floods.iter().zip(&course.flood_sent).map(|(flood, &sent)| self::flood(flood, sent)).collect(),
        faults: script.faults.iter().map(|fault| self::fault(fault, script)).collect(),
        centre: centre_use(script, course.watch.looks(), report),
        receipt_seconds: receipt_seconds(course, report.stations),
    })
}

fn problems(report: &DrillReport) -> Vec<String> {
    report.unaccounted.iter().cloned().chain(report.problems.iter().map(ToString::to_string)).collect()
}

fn latency(report: &DrillReport) -> Option<Latency> {
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "milliseconds of a drill fit")]
    let whole = |ms: Option<f64>| Some(ms?.round() as u64);
    Some(Latency { p50_ms: whole(report.p50_ms)?, p99_ms: whole(report.p99_ms)?, max_ms: whole(report.max_ms)? })
}

fn second(second: &SecondReport, paths: &[PathReport]) -> site::Second {
    let by_path = paths.iter().map(|path| second.by_path.get(&path.name).copied().unwrap_or(0));
    site::Second {
        second: second.second,
        receipts: second.receipts,
        hostile_received: second.hostile_received,
        by_path: by_path.collect(),
    }
}

fn path(path: &PathReport) -> site::Path {
    site::Path { name: path.name.clone(), kind: path.kind.clone(), sent: path.sent, receipts: path.receipts }
}

fn rejected(report: &DrillReport) -> Vec<site::Rejected> {
    let rejected = |(reason, &count): (&String, &u64)| site::Rejected { reason: reason.clone(), count };
    report.rejected.iter().map(rejected).collect()
}

fn flood(flood: &Flood, sent: u64) -> site::Flood {
    let unit = match flood.kind {
        FloodKind::Datagram(_) => FloodUnit::Datagrams,
        FloodKind::Connection(ConnectionKind::HttpPost) => FloodUnit::Requests,
        FloodKind::Connection(_) => FloodUnit::Connections,
    };
    site::Flood {
        kind: flood.kind.as_str().to_owned(),
        unit,
        from_ms: millis(flood.during.from),
        to_ms: millis(flood.during.until),
        planned_rate: flood.rate.get().into(),
        sent,
    }
}

fn fault(fault: &Fault, script: &Script) -> site::Fault {
    match *fault {
        Fault::KillCentre { at } => site::Fault { at_ms: millis(at), for_ms: 0, kind: FaultKind::CentreKilled },
        Fault::Path { path, during, damage } => {
            let path = script.paths.get(path).map_or_else(String::new, |path| path.name.clone());
            let kind = match damage {
                Damage::Cut => FaultKind::PathCut { path },
                Damage::Loss(loss) => FaultKind::PathLoss { path, per_mille: loss.per_mille() },
                Damage::Delay(delay) => FaultKind::PathDelay { path, delay_ms: millis(delay) },
            };
            site::Fault { at_ms: millis(during.from), for_ms: millis(during.length()), kind }
        }
    }
}

fn centre_use(script: &Script, looks: &[Look], report: &DrillReport) -> CentreUse {
    let cpu = |from: &Look, to: &Look| Cpu { used_ms: between(from.cpu, to.cpu), of_ms: between(from.at, to.at) };
    let before = before_attack(script, looks);
    let attack_ends = script.floods.iter().map(|flood| flood.during.until).max();
    let under = attack_ends.and_then(|end| looks.iter().take_while(|look| look.at <= end).last());
    CentreUse {
        memory_before: report.centre_memory_bytes.before,
        memory_peak: report.centre_memory_bytes.peak,
        cpu_before: looks.first().zip(before).map(|(from, to)| cpu(from, to)).filter(|cpu| cpu.of_ms > 0),
        cpu_under: before.zip(under).map(|(from, to)| cpu(from, to)),
    }
}

fn between(from: Duration, to: Duration) -> u64 {
    millis(to.saturating_sub(from))
}

#[cfg(test)]
mod tests {
    use tallyproof_centre::gate::Reason;
    use tallyproof_centre::intake::Refusal;
    use tallyproof_site::Text;

    use crate::centre::HttpDrop;

    #[test]
    fn the_page_explains_every_reason_of_the_centre() {
        let gate = Reason::ALL.map(Reason::as_str);
        let http = HttpDrop::ALL.map(HttpDrop::as_str);
        let refusals = Refusal::ALL.map(Refusal::as_str);
        for word in [&gate[..], &http, &refusals, &["filter", "overflow", "queue-full"]].concat() {
            let id = format!("reason-{word}");
            assert!(Text::ALL.iter().any(|text| text.id() == id), "messages/*.ftl lack `{id}`");
        }
    }
}
