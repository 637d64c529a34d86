//! Counters for Prometheus, in the OpenMetrics text format.

use std::fmt;

use prometheus_client::collector::Collector;
use prometheus_client::encoding::{DescriptorEncoder, EncodeMetric, text};
use prometheus_client::metrics::MetricType;
use prometheus_client::metrics::counter::ConstCounter;
use prometheus_client::metrics::gauge::ConstGauge;
use prometheus_client::registry::Registry;
use tallyproof_centre::gatherer::WitnessState;

use super::shared::{CentreStats, Health};

/// Media type of [`render`]'s text.
pub(super) const CONTENT_TYPE: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

/// The metrics of a snapshot.
pub(super) fn render(stats: CentreStats, health: &Health) -> String {
    let mut registry = Registry::with_prefix("tallyproof_centre");
    registry.register_collector(Box::new(Snapshot { stats, well: *health == Health::Well }));
    let mut out = String::new();
    // Writing to a string does not fail.
    let _ = text::encode(&mut out, &registry);
    out
}

#[derive(Debug)]
struct Snapshot {
    stats: CentreStats,
    well: bool,
}

impl Collector for Snapshot {
    fn encode(&self, mut to: DescriptorEncoder<'_>) -> fmt::Result {
        let stats = &self.stats;
        let counters = [
            ("datagrams", "Datagrams that the kernel handed over", stats.received),
            ("queue_full", "Admitted datagrams dropped because the intake was full", stats.queue_full),
            ("http_connections", "Connections that came to the HTTP port", stats.http_connections),
            ("authentic", "Authentic records, duplicates left out", stats.authentic),
            ("duplicates", "Copies of known records", stats.duplicates),
            ("journalled", "Records made durable", stats.journalled),
            ("receipts", "Receipts handed out", stats.receipts),
            ("journal_failures", "Groups that the journal could not take", stats.journal_failures),
            ("publish_failures", "Times that the bundle could not be written", stats.publish_failures),
        ];
        for (name, help, value) in counters {
            let counter = ConstCounter::new(value);
            counter.encode(to.encode_descriptor(name, help, None, counter.metric_type())?)?;
        }
        let drops: Vec<_> = stats.drops_by_reason().collect();
        family(&mut to, "drops", "Datagrams dropped at the gate, in the kernel or in the program", &drops)?;
        let http_drops = stats.http_drops.map(|(reason, count)| (reason.as_str(), count));
        family(&mut to, "http_drops", "HTTP connections and requests ended without a look at a record", &http_drops)?;
        let refused = stats.refused.map(|(refusal, count)| (refusal.as_str(), count));
        family(&mut to, "refused", "Records refused as not authentic", &refused)?;
        let witnesses = |value: fn(&WitnessState) -> u64| {
            stats.witnesses.iter().map(move |state| (state.name.as_str(), value(state))).collect::<Vec<_>>()
        };
        let gauge = MetricType::Gauge;
        by_witness(
            &mut to,
            "witness_size",
            "Tree size that each witness cosigned last",
            gauge,
            &witnesses(|state| state.size),
        )?;
        let seconds = witnesses(|state| state.at_ms / 1000);
        by_witness(&mut to, "witness_time", "When its last cosignature came, seconds since 1970", gauge, &seconds)?;
        let failures = witnesses(|state| state.failures);
        by_witness(
            &mut to,
            "witness_failures",
            "Requests that brought no cosignature",
            MetricType::Counter,
            &failures,
        )?;
        let gauges = [
            ("up", "1 while receipts and the bundle can be written", u64::from(self.well)),
            ("tree_size", "Entries under the last checkpoint", stats.tree_size),
            ("cosigned_size", "Entries under the last checkpoint with the witnesses' quorum", stats.cosigned_size),
            ("slots_counted", "Stations counted, once for each contest", stats.slots.counted),
            ("slots_quarantined", "Stations quarantined, once for each contest", stats.slots.quarantined),
            ("slots_missing", "Stations missing, once for each contest", stats.slots.missing),
        ];
        for (name, help, value) in gauges {
            let gauge = ConstGauge::new(i64::try_from(value).unwrap_or(i64::MAX));
            gauge.encode(to.encode_descriptor(name, help, None, gauge.metric_type())?)?;
        }
        Ok(())
    }
}

fn by_witness(
    to: &mut DescriptorEncoder<'_>,
    name: &str,
    help: &str,
    kind: MetricType,
    values: &[(&str, u64)],
) -> fmt::Result {
    if values.is_empty() {
        return Ok(());
    }
    let is_counter = matches!(kind, MetricType::Counter);
    let mut encoder = to.encode_descriptor(name, help, None, kind)?;
    for (witness, value) in values {
        let labels = [("witness", *witness)];
        let encoder = encoder.encode_family(&labels)?;
        if is_counter {
            ConstCounter::new(*value).encode(encoder)?;
        } else {
            ConstGauge::new(i64::try_from(*value).unwrap_or(i64::MAX)).encode(encoder)?;
        }
    }
    Ok(())
}

fn family(to: &mut DescriptorEncoder<'_>, name: &str, help: &str, counts: &[(&'static str, u64)]) -> fmt::Result {
    let mut encoder = to.encode_descriptor(name, help, None, MetricType::Counter)?;
    for (reason, count) in counts {
        ConstCounter::new(*count).encode(encoder.encode_family(&[("reason", *reason)])?)?;
    }
    Ok(())
}
