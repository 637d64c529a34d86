//! The private port: `/healthz`, `/metrics` and `/stats`.

use std::collections::BTreeMap;
use std::sync::Arc;

use axum::Router;
use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use tallyproof_centre::gatherer::WitnessState;

use crate::centre::metrics;
use crate::centre::shared::{CentreStats, Health, Shared};

/// `GET /stats`: what the centre has done since it started.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct StatsReport {
    /// Datagrams that reached the stations' socket, whatever became of them.
    pub arrived: u64,
    /// Of these, those that the kernel handed over.
    pub received: u64,
    /// Datagrams dropped before a record was looked at, by the check that stopped them, in the kernel or in the program.
    pub drops: BTreeMap<String, u64>,
    /// Admitted datagrams dropped because the intake was full; their stations send again.
    pub queue_full: u64,
    /// Connections that came to the HTTP port.
    pub http_connections: u64,
    /// HTTP connections and requests that ended without a look at a record, by reason.
    pub http_drops: BTreeMap<String, u64>,
    /// Records refused as not authentic, by reason.
    pub refused: BTreeMap<String, u64>,
    /// Authentic records, duplicates left out.
    pub authentic: u64,
    /// Copies of records that were known already.
    pub duplicates: u64,
    /// Records made durable.
    pub journalled: u64,
    /// Receipts handed out, repeated ones included.
    pub receipts: u64,
    /// Groups that the journal could not take.
    pub journal_failures: u64,
    /// Times that the bundle could not be written.
    pub publish_failures: u64,
    /// Entries under the last checkpoint.
    pub tree_size: u64,
    /// Entries under the last checkpoint that has the witnesses' quorum; 0 for none, or where the policy asks for none.
    pub cosigned_size: u64,
    /// The policy's witnesses, by name.
    pub witnesses: BTreeMap<String, WitnessReport>,
    /// Stations counted as of the last checkpoint, once for each contest.
    pub counted: u64,
    /// Stations quarantined, once for each contest.
    pub quarantined: u64,
    /// Stations missing, once for each contest.
    pub missing: u64,
}

/// What the centre knows of a witness.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct WitnessReport {
    /// Entries under the checkpoint that it cosigned last; 0 for none since the centre started.
    pub size: u64,
    /// When its last cosignature came, in seconds since 1970; 0 for never.
    pub at: u64,
    /// Requests that were sent to it.
    pub asked: u64,
    /// Of these, those that brought no cosignature.
    pub failures: u64,
    /// What is wrong with it now.
    pub trouble: Option<String>,
}

impl From<&WitnessState> for WitnessReport {
    fn from(state: &WitnessState) -> Self {
        let WitnessState { size, at_ms, asked, failures, .. } = *state;
        Self { size, at: at_ms / 1000, asked, failures, trouble: state.trouble.clone() }
    }
}

impl From<&CentreStats> for StatsReport {
    fn from(stats: &CentreStats) -> Self {
        Self {
            arrived: stats.arrived(),
            received: stats.received,
            drops: by_reason(stats.drops_by_reason()),
            queue_full: stats.queue_full,
            http_connections: stats.http_connections,
            http_drops: by_reason(stats.http_drops.iter().map(|&(reason, count)| (reason.as_str(), count))),
            refused: by_reason(stats.refused.iter().map(|&(refusal, count)| (refusal.as_str(), count))),
            authentic: stats.authentic,
            duplicates: stats.duplicates,
            journalled: stats.journalled,
            receipts: stats.receipts,
            journal_failures: stats.journal_failures,
            publish_failures: stats.publish_failures,
            tree_size: stats.tree_size,
            cosigned_size: stats.cosigned_size,
            witnesses: stats.witnesses.iter().map(|state| (state.name.clone(), WitnessReport::from(state))).collect(),
            counted: stats.slots.counted,
            quarantined: stats.slots.quarantined,
            missing: stats.slots.missing,
        }
    }
}

fn by_reason(counts: impl Iterator<Item = (&'static str, u64)>) -> BTreeMap<String, u64> {
    counts.map(|(reason, count)| (reason.to_owned(), count)).collect()
}

/// The private port's routes.
pub(in super::super) fn admin(shared: Arc<Shared>) -> Router {
    Router::new()
        .route("/healthz", get(health))
        .route("/metrics", get(show_metrics))
        .route("/stats", get(show_stats))
        .with_state(shared)
}

async fn health(State(shared): State<Arc<Shared>>) -> Response {
    let (status, word, reason) = match shared.health() {
        Health::Well => (StatusCode::OK, "ok", String::new()),
        Health::JournalFails => (StatusCode::SERVICE_UNAVAILABLE, "journal", "the journal takes no records".to_owned()),
        Health::PublishingFails => {
            (StatusCode::SERVICE_UNAVAILABLE, "bundle", "the bundle cannot be written".to_owned())
        }
        Health::Halted(reason) => (StatusCode::SERVICE_UNAVAILABLE, "halted", reason),
    };
    let stats = shared.stats();
    let body = serde_json::json!({
        "status": word, "reason": reason, "journalled": stats.journalled, "tree_size": stats.tree_size,
    });
    (status, [(header::CONTENT_TYPE, "application/json")], body.to_string()).into_response()
}

async fn show_metrics(State(shared): State<Arc<Shared>>) -> Response {
    let text = metrics::render(shared.stats(), &shared.health());
    ([(header::CONTENT_TYPE, metrics::CONTENT_TYPE)], text).into_response()
}

async fn show_stats(State(shared): State<Arc<Shared>>) -> Response {
    match serde_json::to_string(&StatsReport::from(&shared.stats())) {
        Ok(body) => ([(header::CONTENT_TYPE, "application/json")], body).into_response(),
        Err(error) => (StatusCode::INTERNAL_SERVER_ERROR, error.to_string()).into_response(),
    }
}
