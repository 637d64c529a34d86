//! The lane for statements: `POST /v1/statements`, beside that for records and with its bounds.

use std::sync::Arc;

use axum::Router;
use axum::body::Body;
use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::post;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use tallyproof_centre::intake::is_statement;
use tallyproof_centre::known::ReceiptBytes;
use tallyproof_record::receipt::Receipt;
use tallyproof_record::statement::MAX_LEN;
use tokio::time::timeout;

use super::counters::HttpCounters;
use super::records::{DURABLE, answer_refusal, busy, read, refuse};
use crate::centre::pipeline::{Answer, Submitter};
use crate::centre::shared::Shared;

#[derive(Clone)]
struct Lane {
    submitter: Submitter,
    shared: Arc<Shared>,
    counters: Arc<HttpCounters>,
}

/// The answer to a statement that is durable.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct StatementAnswer {
    /// What the statement is: `correction`, `key` and so on.
    pub kind: String,
    /// Its identity, SHA-256 of what it says; the same whoever signed which copy. Hex.
    pub id: String,
    /// Keys that have signed it, this copy and those before it together.
    pub signed: u64,
    /// How many more have to sign before it can have an effect.
    pub missing: u64,
    /// The receipt of this copy, as a record's, with station and contest 0. Hex.
    pub receipt: String,
}

pub(super) fn routes<S: Clone + Send + Sync + 'static>(
    submitter: Submitter,
    shared: Arc<Shared>,
    counters: Arc<HttpCounters>,
) -> Router<S> {
    Router::new().route("/v1/statements", post(take_statement)).with_state(Lane { submitter, shared, counters })
}

async fn take_statement(State(lane): State<Lane>, body: Body) -> Response {
    let bytes = match read(body, MAX_LEN).await {
        Ok(bytes) => bytes,
        Err((reason, response)) => {
            lane.counters.dropped(reason);
            return response;
        }
    };
    if !is_statement(&bytes) {
        let reason =
            "this is not a signed statement (records are taken at POST /v1/records); a draft has to be signed first";
        return refuse(StatusCode::BAD_REQUEST, "structure", reason);
    }
    let Ok(submitted) = lane.submitter.try_submit(bytes) else { return busy(&lane.counters) };
    match timeout(DURABLE, submitted.answer()).await {
        Ok(Answer::Receipt(receipt)) => lane.answer(&receipt).unwrap_or_else(|| busy(&lane.counters)),
        Ok(Answer::Refused(refusal)) => answer_refusal(refusal),
        Ok(Answer::NoEffect(fault)) => refuse(StatusCode::CONFLICT, fault.code(), fault.text()),
        Ok(Answer::Contradicts(what)) => {
            let reason =
                format!("it does not state what the log gives: {what}; draft it again, from the published bundle");
            refuse(StatusCode::CONFLICT, "bulletin", &reason)
        }
        Ok(Answer::Unavailable) | Err(_) => busy(&lane.counters),
    }
}

impl Lane {
    fn answer(&self, receipt: &ReceiptBytes) -> Option<Response> {
        let copy = Receipt::peek(receipt).ok()?.digest;
        let standing = self.shared.intake.standing(&copy)?;
        let answer = StatementAnswer {
            kind: standing.kind.as_str().to_owned(),
            id: hex::encode(standing.id),
            signed: standing.signed.len() as u64,
            missing: standing.missing as u64,
            receipt: hex::encode(receipt),
        };
        let json = serde_json::to_vec(&answer).ok()?;
        Some(([(header::CONTENT_TYPE, "application/json")], json).into_response())
    }
}
