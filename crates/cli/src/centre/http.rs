//! The HTTPS lane for records, and the private port for health and metrics.

use std::future::Future;
use std::net::{SocketAddr, TcpListener};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, ensure};
use axum::Router;
use axum::body::{Body, to_bytes};
use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use rustls::ServerConfig;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tallyproof_centre::intake::Refusal;
use tallyproof_record::cose;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::sync::{Semaphore, watch};
use tokio::time::timeout;
use tokio_rustls::TlsAcceptor;

use super::metrics;
use super::pipeline::{Answer, Submitter};
use super::shared::{Health, Shared};

/// Connections open at a time on one port; more wait in the kernel's backlog.
const CONNECTIONS: usize = 1024;
/// A client that drips its headers is cut off.
const HEADERS: Duration = Duration::from_secs(5);
/// A client that drips its body is cut off.
const BODY: Duration = Duration::from_secs(10);
/// A TLS handshake takes no longer.
const HANDSHAKE: Duration = Duration::from_secs(5);
/// A connection lives no longer, however busy.
const CONNECTION: Duration = Duration::from_mins(5);
/// The journal answers sooner, or the client had better ask again.
const DURABLE: Duration = Duration::from_secs(10);

/// A certificate chain and its key, as PEM files.
#[derive(Clone, Debug)]
pub struct TlsFiles {
    /// The chain, the server's certificate first.
    pub cert: std::path::PathBuf,
    /// Its private key.
    pub key: std::path::PathBuf,
}

/// How a port speaks.
#[derive(Clone)]
pub(super) enum Transport {
    Plain,
    Tls(TlsAcceptor),
}

impl Transport {
    /// TLS with these files; without, plain HTTP, which is for this machine only.
    pub(super) fn new(address: SocketAddr, tls: Option<&TlsFiles>) -> anyhow::Result<Self> {
        let Some(files) = tls else {
            ensure!(
                address.ip().is_loopback(),
                "plain HTTP is served on loopback addresses only, and {address} is not one: a receipt that someone on the way could \
                 hold back is no receipt. Give --tls-cert and --tls-key, or listen on 127.0.0.1 behind a proxy that has TLS"
            );
            return Ok(Self::Plain);
        };
        Ok(Self::Tls(TlsAcceptor::from(Arc::new(server_config(files)?))))
    }
}

fn server_config(files: &TlsFiles) -> anyhow::Result<ServerConfig> {
    let unusable = |path: &Path, what| format!("{}: {what}", path.display());
    let chain: Vec<_> = CertificateDer::pem_file_iter(&files.cert)
        .and_then(Iterator::collect)
        .with_context(|| unusable(&files.cert, "no PEM certificates there"))?;
    let key =
        PrivateKeyDer::from_pem_file(&files.key).with_context(|| unusable(&files.key, "no PEM private key there"))?;
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()?
        .with_no_client_auth()
        .with_single_cert(chain, key)
        .with_context(|| unusable(&files.cert, "certificate and key do not belong together"))
}

/// Opens a listening socket.
pub(super) fn bind(address: SocketAddr) -> anyhow::Result<TcpListener> {
    let open = || {
        let listener = TcpListener::bind(address)?;
        listener.set_nonblocking(true)?;
        std::io::Result::Ok(listener)
    };
    open().with_context(|| format!("cannot listen on {address}"))
}

/// Serves connections until `stop` becomes true. axum's own server has no timer for headers, so hyper is driven directly.
pub(super) async fn serve(listener: TcpListener, transport: Transport, app: Router, mut stop: watch::Receiver<bool>) {
    let listener = match tokio::net::TcpListener::from_std(listener) {
        Ok(listener) => listener,
        Err(error) => return tracing::error!(%error, "the HTTP port cannot be served"),
    };
    let seats = Arc::new(Semaphore::new(CONNECTIONS));
    loop {
        let Ok(seat) = Arc::clone(&seats).acquire_owned().await else { return };
        let accepted = tokio::select! {
            accepted = listener.accept() => accepted,
            _ = stop.wait_for(|stop| *stop) => return,
        };
        let Ok((stream, _)) = accepted else {
            // Out of descriptors: wait for some to come free instead of spinning.
            tokio::time::sleep(Duration::from_millis(50)).await;
            continue;
        };
        let (transport, app) = (transport.clone(), app.clone());
        tokio::spawn(async move {
            // A connection that fails or takes too long is its client's loss.
            let _ = timeout(CONNECTION, connection(stream, transport, app)).await;
            drop(seat);
        });
    }
}

async fn connection(stream: tokio::net::TcpStream, transport: Transport, app: Router) {
    match transport {
        Transport::Plain => speak(stream, app).await,
        Transport::Tls(acceptor) => {
            if let Ok(Ok(stream)) = timeout(HANDSHAKE, acceptor.accept(stream)).await {
                speak(stream, app).await;
            }
        }
    }
}

fn speak(stream: impl AsyncRead + AsyncWrite + Unpin, app: Router) -> impl Future<Output = ()> {
    let mut http = http1::Builder::new();
    http.timer(TokioTimer::new()).header_read_timeout(HEADERS).max_buf_size(64 << 10);
    let connection = http.serve_connection(TokioIo::new(stream), TowerToHyperService::new(app));
    async move { drop(connection.await) }
}

/// The lane for records: `POST /v1/records`.
pub(super) fn records(submitter: Submitter) -> Router {
    Router::new().route("/v1/records", post(take_record)).with_state(submitter)
}

async fn take_record(State(submitter): State<Submitter>, body: Body) -> Response {
    let bytes = match timeout(BODY, to_bytes(body, cose::MAX_LEN)).await {
        Ok(Ok(bytes)) => bytes,
        Ok(Err(_)) => {
            return refuse(StatusCode::PAYLOAD_TOO_LARGE, "too-long", "the body is cut off, or longer than any record");
        }
        Err(_) => return refuse(StatusCode::REQUEST_TIMEOUT, "timeout", "the body did not come in time"),
    };
    let Ok(submitted) = submitter.try_submit(bytes.into()) else { return busy() };
    match timeout(DURABLE, submitted.answer()).await {
        Ok(Answer::Receipt(receipt)) => {
            ([(header::CONTENT_TYPE, "application/octet-stream")], receipt.to_vec()).into_response()
        }
        Ok(Answer::Refused(refusal)) => refuse(status(refusal), refusal.as_str(), &refusal.to_string()),
        Ok(Answer::Unavailable) | Err(_) => busy(),
    }
}

fn status(refusal: Refusal) -> StatusCode {
    match refusal {
        Refusal::TooLong => StatusCode::PAYLOAD_TOO_LARGE,
        Refusal::Structure => StatusCode::BAD_REQUEST,
        Refusal::Key | Refusal::Signature => StatusCode::FORBIDDEN,
    }
}

fn busy() -> Response {
    refuse(StatusCode::SERVICE_UNAVAILABLE, "unavailable", "the record is not durable yet; send it again in a moment")
}

fn refuse(status: StatusCode, code: &str, reason: &str) -> Response {
    (status, [(header::CONTENT_TYPE, "text/plain; charset=utf-8")], format!("{code}: {reason}\n")).into_response()
}

/// The private port: `/healthz` and `/metrics`.
pub(super) fn admin(shared: Arc<Shared>) -> Router {
    Router::new().route("/healthz", get(health)).route("/metrics", get(show_metrics)).with_state(shared)
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
