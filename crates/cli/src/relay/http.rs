//! The relay's HTTP lane: `POST /v1/records`, `GET /v1/receipts/{digest}`.

use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::extract::{Path, State};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use tallyproof_record::cose;
use tallyproof_station::Standing;
use tokio::time::timeout;

use super::desk::{Accepted, Desk, NotTaken, ReceiptBytes, count};
use crate::centre::http::{answer_refusal, read, refuse};

/// How long a client waits for the centre's receipt before it hears that the record is held.
const PATIENCE: Duration = Duration::from_secs(3);
/// The disk answers sooner, or the client had better ask again.
const DURABLE: Duration = Duration::from_secs(10);

pub(super) fn routes(desk: &Arc<Desk>) -> Router {
    Router::new()
        .route("/v1/records", post(take_record))
        .route("/v1/receipts/{digest}", get(give_receipt))
        .with_state(Arc::clone(desk))
}

async fn take_record(State(desk): State<Arc<Desk>>, body: Body) -> Response {
    count(&desk.counters.posts);
    let bytes = match read(body, cose::MAX_LEN).await {
        Ok(bytes) => bytes,
        Err((_, response)) => return response,
    };
    let record = match desk.check(bytes) {
        Ok(record) => record,
        Err(refusal) => return answer_refusal(refusal),
    };
    match desk.accept(&record) {
        Ok(accepted) => answer(accepted).await,
        Err(NotTaken::Refused(refusal)) => answer_refusal(refusal),
        Err(NotTaken::Full) => refuse(
            StatusCode::INSUFFICIENT_STORAGE,
            "full",
            "this relay holds as many different records of the station as it may; send the record another way",
        ),
    }
}

/// The receipt if it comes soon; else that the record is held, if it is on the disk.
async fn answer(Accepted { receipt, stored }: Accepted) -> Response {
    if let Ok(Ok(receipt)) = timeout(PATIENCE, receipt).await {
        return give(receipt);
    }
    match timeout(DURABLE, stored).await {
        Ok(Ok(true)) => held(),
        _ => refuse(StatusCode::SERVICE_UNAVAILABLE, "unavailable", "the record could not be stored; send it again"),
    }
}

async fn give_receipt(State(desk): State<Arc<Desk>>, Path(digest): Path<String>) -> Response {
    let mut bytes = [0; 32];
    if hex::decode_to_slice(&digest, &mut bytes).is_err() {
        return refuse(StatusCode::BAD_REQUEST, "digest", "a record's digest is 64 hex digits");
    }
    match desk.standing(&bytes) {
        Standing::Receipted(receipt) => give(receipt),
        Standing::Held => held(),
        Standing::Unknown => refuse(StatusCode::NOT_FOUND, "unknown", "no such record came to this relay"),
    }
}

fn give(receipt: ReceiptBytes) -> Response {
    ([(header::CONTENT_TYPE, "application/octet-stream")], receipt.to_vec()).into_response()
}

fn held() -> Response {
    let words = "held: the record is stored here and being sent on; this is no receipt and no promise of the centre\n";
    (StatusCode::ACCEPTED, [(header::CONTENT_TYPE, "text/plain; charset=utf-8")], words).into_response()
}
