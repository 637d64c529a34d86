//! The lane for witnesses that cannot be asked, such as those behind NAT: `/v1/cosignatures`.

use std::sync::Arc;
use std::sync::mpsc::Sender;

use axum::Router;
use axum::body::Body;
use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use tallyproof_centre::gatherer::Refused;
use tallyproof_log::note::SignedNote;
use tokio::sync::oneshot;
use tokio::time::timeout;

use super::counters::{HttpCounters, HttpDrop};
use super::records::{DURABLE, read, refuse};
use crate::centre::gather::ToGatherer;
use crate::centre::shared::Shared;

/// Where cosignatures are handed in.
#[derive(Clone, Debug)]
pub(in super::super) struct Desk {
    pub(in super::super) shared: Arc<Shared>,
    pub(in super::super) gatherer: Sender<ToGatherer>,
}

/// A checkpoint with its log's signature and two of a witness, one of them ML-DSA-44, has less than half of it.
const MOST: usize = 16 << 10;

#[derive(Clone)]
struct Lane {
    desk: Desk,
    counters: Arc<HttpCounters>,
}

/// `GET` tells the checkpoint that cosignatures are gathered for, `POST` takes a note with a witness's signature.
pub(super) fn routes<S: Clone + Send + Sync + 'static>(desk: Desk, counters: Arc<HttpCounters>) -> Router<S> {
    Router::new().route("/v1/cosignatures", get(asked_for).post(hand_in)).with_state(Lane { desk, counters })
}

async fn asked_for(State(Lane { desk, .. }): State<Lane>) -> Response {
    match desk.shared.witnessing.asked_for() {
        Some(note) => ([(header::CONTENT_TYPE, "text/plain; charset=utf-8")], note).into_response(),
        None => refuse(StatusCode::NOT_FOUND, "none", "no checkpoint is there to be cosigned yet"),
    }
}

async fn hand_in(State(Lane { desk, counters }): State<Lane>, body: Body) -> Response {
    let bytes = match read(body, MOST).await {
        Ok(bytes) => bytes,
        Err((reason, response)) => {
            counters.dropped(reason);
            return response;
        }
    };
    // The cheapest checks first; that the checkpoint is one of ours comes before any signature.
    let note = match SignedNote::parse(&bytes) {
        Ok(note) => note,
        Err(error) => return refuse(StatusCode::UNPROCESSABLE_ENTITY, "form", &error.to_string()),
    };
    let (reply, outcome) = oneshot::channel();
    if desk.gatherer.send(ToGatherer::HandedIn(note, reply)).is_err() {
        return busy(&counters);
    }
    match timeout(DURABLE, outcome).await {
        Ok(Ok(Ok(()))) => StatusCode::OK.into_response(),
        Ok(Ok(Err(refused))) => answer_refused(&refused),
        Ok(Err(_)) | Err(_) => busy(&counters),
    }
}

fn answer_refused(refused: &Refused) -> Response {
    let (status, code) = match refused {
        Refused::Unknown => (StatusCode::NOT_FOUND, "unknown"),
        Refused::Form(_) => (StatusCode::UNPROCESSABLE_ENTITY, "form"),
        Refused::Foreign => (StatusCode::UNPROCESSABLE_ENTITY, "witness"),
        Refused::False(_) => (StatusCode::UNPROCESSABLE_ENTITY, "signature"),
    };
    refuse(status, code, &refused.to_string())
}

fn busy(counters: &HttpCounters) -> Response {
    counters.dropped(HttpDrop::Busy);
    refuse(StatusCode::SERVICE_UNAVAILABLE, "unavailable", "the centre is stopping or busy; try again in a moment")
}
