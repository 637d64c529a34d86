//! The witness's port: C2SP tlog-witness, and a page for people.

use std::sync::mpsc::Sender;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use axum::Router;
use axum::body::Body;
use axum::extract::{Path, State};
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use tallyproof_count::manifest::file_hash;
use tallyproof_log::witness::{ADD_CHECKPOINT, Answer, MAX_REQUEST_LEN};
use tallyproof_record::definition::Committed;
use tallyproof_witness::cosigner::{Asked, NotCosigned};
use tokio::sync::oneshot;
use tokio::task::spawn_blocking;
use tower_http::services::ServeDir;

use super::serve::{ToFollower, Wanted, current};
use super::{Shared, SharedRef, WitnessStatus, now};
use crate::centre::http::{read, refuse};

const CAUGHT: &str =
    "the log has forked: its key signed a checkpoint for this witness that excludes the one that it cosigned last";

/// What the port needs to answer.
#[derive(Clone)]
pub(super) struct Desk {
    pub(super) shared: SharedRef,
    pub(super) status: Arc<Mutex<WitnessStatus>>,
    /// For the names that the page shows.
    pub(super) definition: Arc<Committed>,
    pub(super) follower: Sender<ToFollower>,
    pub(super) patience: Duration,
}

pub(super) fn routes(desk: Desk) -> Router {
    let copy = ServeDir::new(desk.shared.folder.copy());
    Router::new()
        .route(ADD_CHECKPOINT, post(add_checkpoint))
        .route("/{origin}/checkpoint", get(checkpoint))
        .route("/", get(page))
        .route("/status", get(status))
        .nest_service("/copy", copy)
        .with_state(desk)
}

/// First what the protocol decides alone, then the recount, then the cosignature: the state may have changed in between, and is
/// looked at again.
async fn add_checkpoint(State(desk): State<Desk>, body: Body) -> Response {
    let bytes = match read(body, MAX_REQUEST_LEN).await {
        Ok(bytes) => bytes,
        Err((_, response)) => return response,
    };
    let first = desk.clone();
    let asked = match spawn_blocking(move || first.consider(&bytes)).await {
        Ok(Ok(asked)) => asked,
        Ok(Err(answer)) => return say(&answer),
        Err(_) => return later("a fault of the program"),
    };
    let (reply, recounted) = oneshot::channel();
    let (signed, until) = (asked.signed().clone(), Instant::now() + desk.patience);
    let since = asked.old_size();
    if desk.follower.send(ToFollower::Wanted(Wanted { signed, since, until, reply })).is_err() {
        return later("the witness is stopping");
    }
    let recounted = match recounted.await {
        Ok(Ok(recounted)) => recounted,
        Ok(Err(why)) => return later(&why),
        Err(_) => return later("the witness is stopping"),
    };
    let cosigned = spawn_blocking(move || {
        let time = now().map_err(|error| format!("{error:#}"))?;
        let mut cosigner = desk.shared.cosigner();
        match cosigner.add(&asked, &recounted, time, |note| desk.shared.store(note)) {
            Ok(answer) | Err(NotCosigned::Answer(answer)) => Ok(answer),
            Err(other) => {
                tracing::error!("{other}");
                Err(other.to_string())
            }
        }
    });
    match cosigned.await {
        Ok(Ok(answer)) => say(&answer),
        Ok(Err(why)) => later(&why),
        Err(_) => later("a fault of the program"),
    }
}

impl Desk {
    fn consider(&self, body: &[u8]) -> Result<Asked, Answer> {
        let cosigner = self.shared.cosigner();
        let asked = cosigner.read(body)?;
        let checked = cosigner.check(&asked);
        let proof = checked.as_ref().err().and_then(|_| cosigner.fork_in(&asked));
        drop(cosigner);
        match (&checked, proof) {
            // Kept before the log hears that it was caught.
            (Err(_), Some(proof)) => self.shared.accuse(&proof.to_string(), CAUGHT),
            // Fails only if the witness is stopping.
            (Err(Answer::Inconsistent), None) => drop(self.follower.send(ToFollower::Suspect(asked.signed().clone()))),
            _ => {}
        }
        checked.map(|()| asked)
    }
}

fn say(answer: &Answer) -> Response {
    let status = StatusCode::from_u16(answer.status()).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    (status, [(header::CONTENT_TYPE, answer.content_type())], answer.body()).into_response()
}

/// No cosignature now. The same request may get one later.
fn later(why: &str) -> Response {
    let mut response = refuse(StatusCode::SERVICE_UNAVAILABLE, "not-cosigned", why);
    response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from_static("1"));
    response
}

/// The read side: the last checkpoint cosigned of the log with this SHA-256 of its origin.
async fn checkpoint(State(desk): State<Desk>, Path(origin): Path<String>) -> Response {
    if origin != read_name(&desk.shared) {
        return refuse(StatusCode::NOT_FOUND, "unknown", "this witness does not know the log");
    }
    let cosigned = desk.shared.cosigner().cosigned().map(ToString::to_string);
    match cosigned {
        Some(note) => {
            let headers = [(header::CONTENT_TYPE, "text/plain; charset=utf-8"), (header::CACHE_CONTROL, "no-cache")];
            (headers, note).into_response()
        }
        None => refuse(StatusCode::NOT_FOUND, "nothing", "this witness has not cosigned the log yet"),
    }
}

/// The name of the log's folder on the read side.
fn read_name(shared: &Shared) -> String {
    file_hash(shared.log.name().as_str().as_bytes()).to_string()
}

async fn status(State(desk): State<Desk>) -> Response {
    match serde_json::to_string(&current(&desk.shared, &desk.status)) {
        Ok(body) => ([(header::CONTENT_TYPE, "application/json")], body).into_response(),
        Err(error) => (StatusCode::INTERNAL_SERVER_ERROR, error.to_string()).into_response(),
    }
}

async fn page(State(desk): State<Desk>) -> Response {
    let report = current(&desk.shared, &desk.status).page(&desk.definition);
    let headers = [(header::CONTENT_TYPE, "text/html; charset=utf-8"), (header::CACHE_CONTROL, "no-cache")];
    (headers, tallyproof_site::witness::render(&report)).into_response()
}
