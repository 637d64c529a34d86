//! A witness that cosigns whatever a log's key signed: it verifies nothing and remembers nothing. For rehearsals.

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::thread::JoinHandle;

use anyhow::anyhow;
use axum::Router;
use axum::body::Body;
use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::post;
use tallyproof_log::cosignature::CosignerKey;
use tallyproof_log::note::VerifierKey;
use tallyproof_log::witness::{ADD_CHECKPOINT, AddCheckpoint, Answer, MAX_REQUEST_LEN};
use tokio::sync::watch;

use crate::centre::HttpConfig;
use crate::centre::http::{HttpCounters, Port, read};

/// The liar at work.
pub(super) struct Liar {
    address: SocketAddr,
    stop: watch::Sender<bool>,
    thread: JoinHandle<()>,
}

struct Desk {
    key: CosignerKey,
    log: VerifierKey,
}

impl Liar {
    pub(super) fn start(key: CosignerKey, log: VerifierKey) -> anyhow::Result<Self> {
        let here = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
        let port = Port::witness(&HttpConfig { per_source: 0, ..HttpConfig::plain(here) })?;
        let address = port.address()?;
        let (stop, stopped) = watch::channel(false);
        let app = Router::new().route(ADD_CHECKPOINT, post(cosign)).with_state(Arc::new(Desk { key, log }));
        let thread = port.serve("witness-liar", app, Arc::new(HttpCounters::default()), stopped)?;
        Ok(Self { address, stop, thread })
    }

    pub(super) fn addr(&self) -> SocketAddr {
        self.address
    }

    pub(super) fn end(self) -> anyhow::Result<()> {
        self.stop.send_replace(true);
        self.thread.join().map_err(|_| anyhow!("the lying witness's thread ended by a fault of the program"))
    }
}

async fn cosign(State(desk): State<Arc<Desk>>, body: Body) -> Response {
    let answer = match read(body, MAX_REQUEST_LEN).await {
        Ok(bytes) => desk.answer(&bytes),
        Err((_, response)) => return response,
    };
    let status = StatusCode::from_u16(answer.status()).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    (status, [(header::CONTENT_TYPE, answer.content_type())], answer.body()).into_response()
}

impl Desk {
    fn answer(&self, body: &[u8]) -> Answer {
        let Ok(asked) = AddCheckpoint::parse(body) else { return Answer::Malformed };
        if asked.note().verify(std::slice::from_ref(&self.log)).is_err() {
            return Answer::NotSigned;
        }
        let cosigned = crate::witness::now().ok().and_then(|time| self.key.cosign(asked.checkpoint(), time).ok());
        cosigned.map_or(Answer::Malformed, |signature| Answer::Cosigned(vec![signature]))
    }
}
