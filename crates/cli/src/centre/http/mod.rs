//! The HTTP ports: the public lane for records, and the private port for health and metrics.
//!
//! Each has a thread and a runtime of its own: a lane that is starved or busy with forgeries leaves the other, and the stations'
//! datagrams, as they are. What one hostile connection can take is fixed: one of a fixed number of places, for a bounded time, with a
//! buffer of [`BUFFER`] and the length of one record or statement.

mod admin;
mod cosignatures;
mod counters;
mod places;
mod records;
mod statements;

use std::io;
use std::net::{SocketAddr, TcpListener};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use anyhow::{Context, ensure};
use axum::Router;
use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use rustls::ServerConfig;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio::time::{sleep, timeout};
use tokio_rustls::TlsAcceptor;

pub use admin::{StatsReport, WitnessReport};
pub use counters::HttpDrop;
pub use statements::StatementAnswer;

pub(super) use admin::admin;
pub(super) use cosignatures::Desk;
pub(crate) use counters::HttpCounters;
pub(super) use records::records;
pub(crate) use records::{answer_refusal, read, refuse};

use places::{Place, Places};
use records::{BODY, DURABLE};

use crate::sockets::lower_priority;

/// Connections open at a time on the public port.
const CONNECTIONS: usize = 1024;
/// Descriptors for everything else: the private port, the journal, the bundle's files.
const OTHER_DESCRIPTORS: usize = 256;
/// Connections open at a time on the private port.
const ADMIN_CONNECTIONS: usize = 64;
/// Connections open at a time on a witness's port. Each may hold a request of [`tallyproof_log::witness::MAX_REQUEST_LEN`].
const WITNESS_CONNECTIONS: usize = 64;
/// From the opening of a connection, or its last answer, to the end of the next request's headers.
const HEADERS: Duration = Duration::from_secs(5);
/// A TLS handshake takes no longer.
const HANDSHAKE: Duration = Duration::from_secs(5);
/// A connection takes no request after this time, however busy.
const LIFE: Duration = Duration::from_secs(30);
/// What a request's head may take of memory.
const BUFFER: usize = 16 << 10;
/// How long those who wait for a receipt are waited for at the end.
const LAST_ANSWERS: Duration = Duration::from_secs(2);
/// Out of descriptors: wait for some to come free instead of spinning.
const OUT_OF_DESCRIPTORS: Duration = Duration::from_millis(50);

/// The public port for records.
#[derive(Clone, Debug)]
pub struct HttpConfig {
    /// Where it listens; port 0 takes a free one.
    pub address: SocketAddr,
    /// TLS; without it `address` has to be one of this machine alone.
    pub tls: Option<TlsFiles>,
    /// Connections that one source may hold; 0 for no such limit, where a proxy in front makes all of them one source.
    pub per_source: u16,
}

impl HttpConfig {
    /// The share of a source: a household or an office behind one address never needs it; sixteen such addresses fill the port.
    pub const PER_SOURCE: u16 = 64;

    /// Plain HTTP at `address`, for this machine.
    pub fn plain(address: SocketAddr) -> Self {
        Self { address, tls: None, per_source: Self::PER_SOURCE }
    }
}

/// A certificate chain and its key, as PEM files.
#[derive(Clone, Debug)]
pub struct TlsFiles {
    /// The chain, the server's certificate first.
    pub cert: PathBuf,
    /// Its private key.
    pub key: PathBuf,
}

/// How a port speaks.
#[derive(Clone)]
enum Transport {
    Plain,
    Tls(TlsAcceptor),
}

/// Where answers may go without TLS.
#[derive(Clone, Copy, PartialEq, Eq)]
enum PlainHttp {
    /// On this machine: whoever is on the way could hold an answer back.
    Loopback,
    /// Anywhere: an answer proves itself by its signature, and its absence by the asking.
    Anywhere,
}

impl Transport {
    fn new(config: &HttpConfig, plain: PlainHttp) -> anyhow::Result<Self> {
        let Some(files) = &config.tls else {
            let address = config.address;
            if plain == PlainHttp::Anywhere {
                return Ok(Self::Plain);
            }
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

/// A listening socket on which nothing is served yet.
pub(crate) struct Port {
    listener: TcpListener,
    transport: Transport,
    places: Arc<Places>,
    priority: Priority,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Priority {
    Normal,
    /// Below the receive loop and whoever watches.
    Low,
}

impl Port {
    /// The public port.
    pub(crate) fn public(config: &HttpConfig) -> anyhow::Result<Self> {
        let transport = Transport::new(config, PlainHttp::Loopback)?;
        let places = Places::new(connections_allowed(), config.per_source);
        Ok(Self { listener: bind(config.address)?, transport, places, priority: Priority::Low })
    }

    /// The port of a witness: few ask, and what it answers is signed.
    pub(crate) fn witness(config: &HttpConfig) -> anyhow::Result<Self> {
        let transport = Transport::new(config, PlainHttp::Anywhere)?;
        let places = Places::new(WITNESS_CONNECTIONS, config.per_source);
        Ok(Self { listener: bind(config.address)?, transport, places, priority: Priority::Normal })
    }

    /// The private port.
    pub(super) fn private(address: SocketAddr) -> anyhow::Result<Self> {
        let places = Places::new(ADMIN_CONNECTIONS, 0);
        Ok(Self { listener: bind(address)?, transport: Transport::Plain, places, priority: Priority::Normal })
    }

    /// Where it listens.
    pub(crate) fn address(&self) -> io::Result<SocketAddr> {
        self.listener.local_addr()
    }

    /// Serves `app` on a thread of its own until `stop` becomes true.
    pub(crate) fn serve(
        self,
        thread: &str,
        app: Router,
        counters: Arc<HttpCounters>,
        stop: watch::Receiver<bool>,
    ) -> anyhow::Result<JoinHandle<()>> {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        let speech = Speech { transport: self.transport, app, counters, stop };
        super::thread(thread, move || {
            if self.priority == Priority::Low
                && let Err(error) = lower_priority()
            {
                tracing::warn!(%error, "the HTTP port keeps its priority");
            }
            runtime.block_on(serve(self.listener, self.places, speech));
        })
    }
}

/// [`CONNECTIONS`], or fewer where the system's limit leaves no more: with all descriptors in foreign hands the journal and the bundle
/// could open no file.
fn connections_allowed() -> usize {
    let wanted = (CONNECTIONS + OTHER_DESCRIPTORS) as u64;
    let limit = getrlimit(Resource::Nofile);
    let raised = Rlimit { current: limit.maximum.map_or(Some(wanted), |most| Some(most.min(wanted))), ..limit };
    if limit.current.is_some_and(|current| current < wanted) && setrlimit(Resource::Nofile, raised).is_ok() {
        return places_within(raised.current);
    }
    places_within(limit.current)
}

fn places_within(descriptors: Option<u64>) -> usize {
    let left = descriptors.unwrap_or(u64::MAX).saturating_sub(OTHER_DESCRIPTORS as u64);
    let places = usize::try_from(left).unwrap_or(usize::MAX).clamp(1, CONNECTIONS);
    if places < CONNECTIONS {
        tracing::warn!(
            places,
            "the limit of open files (ulimit -n) leaves the HTTP port fewer than {CONNECTIONS} connections"
        );
    }
    places
}

fn bind(address: SocketAddr) -> anyhow::Result<TcpListener> {
    let open = || {
        let listener = TcpListener::bind(address)?;
        listener.set_nonblocking(true)?;
        io::Result::Ok(listener)
    };
    open().with_context(|| format!("cannot listen on {address}"))
}

/// What every connection of a port needs.
#[derive(Clone)]
struct Speech {
    transport: Transport,
    app: Router,
    counters: Arc<HttpCounters>,
    stop: watch::Receiver<bool>,
}

/// axum's own server has no timer for headers, so hyper is driven directly.
async fn serve(listener: TcpListener, places: Arc<Places>, mut speech: Speech) {
    let listener = match tokio::net::TcpListener::from_std(listener) {
        Ok(listener) => listener,
        Err(error) => return tracing::error!(%error, "the HTTP port cannot be served"),
    };
    let mut connections = JoinSet::new();
    loop {
        let accepted = tokio::select! {
            accepted = listener.accept() => accepted,
            Some(_) = connections.join_next() => continue,
            _ = speech.stop.wait_for(|stop| *stop) => break,
        };
        let Ok((stream, from)) = accepted else {
            sleep(OUT_OF_DESCRIPTORS).await;
            continue;
        };
        speech.counters.accepted();
        match places.take(from.ip(), Instant::now()) {
            Ok(place) => drop(connections.spawn(hold(place, stream, speech.clone()))),
            Err(reason) => {
                speech.counters.dropped(reason);
                // A reset leaves nothing behind in the kernel; a proper end would leave a socket waiting for a minute.
                let _ = stream.set_zero_linger();
            }
        }
    }
    let _ = timeout(LAST_ANSWERS, async { while connections.join_next().await.is_some() {} }).await;
}

/// A connection until it ends or loses its place.
async fn hold(mut place: Place, stream: TcpStream, speech: Speech) {
    let counters = Arc::clone(&speech.counters);
    let end = tokio::select! {
        end = speech.converse(stream) => end,
        () = place.lost() => Err(HttpDrop::Displaced),
    };
    if let Err(reason) = end {
        counters.dropped(reason);
    }
}

impl Speech {
    async fn converse(self, stream: TcpStream) -> Result<(), HttpDrop> {
        match &self.transport {
            Transport::Plain => self.speak(stream).await,
            // Apart: a TLS session's kilobytes would else be part of every plain connection.
            Transport::Tls(acceptor) => Box::pin(self.clone().encrypted(acceptor.clone(), stream)).await,
        }
    }

    async fn encrypted(self, acceptor: TlsAcceptor, stream: TcpStream) -> Result<(), HttpDrop> {
        match timeout(HANDSHAKE, acceptor.accept(stream)).await {
            Ok(Ok(stream)) => self.speak(stream).await,
            Ok(Err(_)) | Err(_) => Err(HttpDrop::Handshake),
        }
    }

    async fn speak(self, stream: impl AsyncRead + AsyncWrite + Unpin) -> Result<(), HttpDrop> {
        let Self { app, mut stop, .. } = self;
        let mut http = http1::Builder::new();
        http.timer(TokioTimer::new()).header_read_timeout(HEADERS).max_buf_size(BUFFER);
        let connection = http.serve_connection(TokioIo::new(stream), TowerToHyperService::new(app));
        let mut connection = std::pin::pin!(connection);
        tokio::select! {
            end = connection.as_mut() => return ended(end),
            () = sleep(LIFE) => {}
            _ = stop.wait_for(|stop| *stop) => {}
        }
        // Who waits for an answer gets it; there is no next request.
        connection.as_mut().graceful_shutdown();
        match timeout(BODY + DURABLE, connection).await {
            Ok(end) => ended(end),
            Err(_) => Err(HttpDrop::Life),
        }
    }
}

/// A client that goes away without its answer is no attack.
fn ended(end: hyper::Result<()>) -> Result<(), HttpDrop> {
    let is_about_headers =
        |error: &hyper::Error| error.is_timeout() || error.is_parse() || error.is_incomplete_message();
    end.or_else(|error| if is_about_headers(&error) { Err(HttpDrop::Headers) } else { Ok(()) })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn connections_leave_descriptors_for_the_rest() {
        assert_eq!(places_within(None), CONNECTIONS);
        assert_eq!(places_within(Some(1024)), 1024 - OTHER_DESCRIPTORS);
        assert_eq!(places_within(Some(10)), 1);
    }
}
