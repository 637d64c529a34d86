//! The lane for records: `POST /v1/records`.

use std::future::poll_fn;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::{Body, HttpBody};
use axum::extract::State;
use axum::http::{HeaderValue, StatusCode, header};
use axum::middleware::map_response;
use axum::response::{IntoResponse, Response};
use axum::routing::post;
use tallyproof_centre::intake::Refusal;
use tallyproof_centre::intake::is_statement;
use tallyproof_record::cose;
use tokio::time::timeout;

use super::cosignatures::{self, Desk};
use super::counters::{HttpCounters, HttpDrop};
use super::statements;
use crate::centre::pipeline::{Answer, Submitter};

/// A client that drips its body is cut off.
pub(super) const BODY: Duration = Duration::from_secs(10);
/// The journal answers sooner, or the client had better ask again.
pub(super) const DURABLE: Duration = Duration::from_secs(10);

#[derive(Clone)]
struct Lane {
    submitter: Submitter,
    counters: Arc<HttpCounters>,
}

/// The public port's routes.
pub(in super::super) fn records(submitter: Submitter, desk: Desk, counters: Arc<HttpCounters>) -> Router {
    const WHERE: &str = "records are taken at POST /v1/records, statements at POST /v1/statements, cosignatures at POST /v1/cosignatures";
    Router::new()
        .route("/v1/records", post(take_record))
        .merge(statements::routes(submitter.clone(), Arc::clone(&desk.shared), Arc::clone(&counters)))
        .merge(cosignatures::routes(desk, Arc::clone(&counters)))
        .fallback(async || refuse(StatusCode::NOT_FOUND, "not-found", WHERE))
        .layer(map_response(part_with_the_refused))
        .with_state(Lane { submitter, counters })
}

/// A connection outlives an answer only if it was a receipt: who sends anything else begins anew, as a source among others.
async fn part_with_the_refused(mut response: Response) -> Response {
    if !response.status().is_success() {
        response.headers_mut().insert(header::CONNECTION, HeaderValue::from_static("close"));
    }
    response
}

async fn take_record(State(Lane { submitter, counters }): State<Lane>, body: Body) -> Response {
    let bytes = match read(body, cose::MAX_LEN).await {
        Ok(bytes) => bytes,
        Err((reason, response)) => {
            counters.dropped(reason);
            return response;
        }
    };
    if is_statement(&bytes) {
        return refuse(StatusCode::BAD_REQUEST, "structure", "statements are taken at POST /v1/statements");
    }
    let Ok(submitted) = submitter.try_submit(bytes) else { return busy(&counters) };
    match timeout(DURABLE, submitted.answer()).await {
        Ok(Answer::Receipt(receipt)) => {
            ([(header::CONTENT_TYPE, "application/octet-stream")], receipt.to_vec()).into_response()
        }
        Ok(Answer::Refused(refusal)) => answer_refusal(refusal),
        Ok(Answer::NoEffect(_) | Answer::Contradicts(_) | Answer::Unavailable) | Err(_) => busy(&counters),
    }
}

/// The whole body, of at most `most` bytes, within its time. A length that is too great, or not stated, is not waited for.
pub(crate) async fn read(body: Body, most: usize) -> Result<Vec<u8>, (HttpDrop, Response)> {
    let length = match body.size_hint().exact() {
        None => {
            let response = refuse(StatusCode::LENGTH_REQUIRED, "length", "state the body's length (Content-Length)");
            return Err((HttpDrop::Length, response));
        }
        Some(length) if length > most as u64 => {
            let response =
                refuse(StatusCode::PAYLOAD_TOO_LARGE, "too-long", "the body is longer than any that is taken here");
            return Err((HttpDrop::Length, response));
        }
        Some(length) => usize::try_from(length).unwrap_or_default(),
    };
    match timeout(BODY, gather(body, length)).await {
        Ok(Ok(bytes)) => Ok(bytes),
        Ok(Err(_)) => Err((HttpDrop::Body, refuse(StatusCode::REQUEST_TIMEOUT, "body", "the body broke off"))),
        Err(_) => {
            let response = refuse(StatusCode::REQUEST_TIMEOUT, "timeout", "the body did not come in time");
            Err((HttpDrop::Body, response))
        }
    }
}

/// Copies every piece out of the buffer that it came in: kept until the last, each byte of a dripped body would keep a buffer of
/// several kilobytes alive.
async fn gather(mut body: Body, length: usize) -> Result<Vec<u8>, axum::Error> {
    // A length is easily stated; the memory for it is given as the bytes come.
    let mut bytes = Vec::with_capacity(length.min(cose::MAX_LEN));
    while let Some(frame) = poll_fn(|context| Pin::new(&mut body).poll_frame(context)).await {
        if let Ok(piece) = frame?.into_data() {
            bytes.extend_from_slice(&piece);
        }
    }
    Ok(bytes)
}

/// The answer to bytes that nobody whom the register knows has signed.
pub(crate) fn answer_refusal(refusal: Refusal) -> Response {
    refuse(status(refusal), refusal.as_str(), &refusal.to_string())
}

fn status(refusal: Refusal) -> StatusCode {
    match refusal {
        Refusal::TooLong => StatusCode::PAYLOAD_TOO_LARGE,
        Refusal::Structure | Refusal::Election => StatusCode::BAD_REQUEST,
        Refusal::Key | Refusal::Signature | Refusal::Signers => StatusCode::FORBIDDEN,
        Refusal::Known | Refusal::NoEffect => StatusCode::CONFLICT,
    }
}

pub(super) fn busy(counters: &HttpCounters) -> Response {
    counters.dropped(HttpDrop::Busy);
    refuse(StatusCode::SERVICE_UNAVAILABLE, "unavailable", "it is not durable yet; send it again in a moment")
}

/// An answer in words, its code first.
pub(crate) fn refuse(status: StatusCode, code: &str, reason: &str) -> Response {
    (status, [(header::CONTENT_TYPE, "text/plain; charset=utf-8")], format!("{code}: {reason}\n")).into_response()
}
