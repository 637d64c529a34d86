//! The HTTP way from stations to the centre: a few kept-alive connections that many stations share.

use std::collections::HashSet;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use axum::body::{Body, to_bytes};
use axum::http::{Request, StatusCode, header};
use hyper::client::conn::http1::{self, SendRequest};
use hyper_util::rt::TokioIo;
use tallyproof_record::cose::RecordDigest;
use tokio::net::TcpSocket;
use tokio::sync::Semaphore;
use tokio::time::timeout;

/// Connections that one driver holds at most.
const CONNECTIONS: usize = 16;
/// The centre answers sooner, or the station sends again.
const ANSWER: Duration = Duration::from_secs(10);
/// A receipt is a fraction of this.
const MOST: usize = 1 << 12;

/// One driver's connections.
#[derive(Debug)]
pub(super) struct Postbox {
    centre: SocketAddr,
    /// Stations and attackers are different people: a cap on what one address may open must tell them apart.
    source: IpAddr,
    idle: Mutex<Vec<SendRequest<Body>>>,
    seats: Semaphore,
    /// Records whose answer is still awaited: sending them again would only lengthen the queue.
    under_way: Mutex<HashSet<RecordDigest>>,
}

impl Postbox {
    /// Connections to the centre's HTTP port from the loopback address 127.1.0.`number` + 1.
    pub(super) fn new(centre: SocketAddr, number: u8) -> Self {
        Self {
            centre,
            source: Ipv4Addr::new(127, 1, 0, number.saturating_add(1)).into(),
            idle: Mutex::default(),
            seats: Semaphore::new(CONNECTIONS),
            under_way: Mutex::default(),
        }
    }

    /// Whether the record is not under way yet; it is from now on.
    pub(super) fn begin(&self, digest: RecordDigest) -> bool {
        self.under_way().insert(digest)
    }

    /// Posts a record that [`Postbox::begin`] has let through. `None` if no receipt came of it.
    pub(super) async fn post(&self, digest: RecordDigest, record: Vec<u8>) -> Option<Vec<u8>> {
        let answer = match self.seats.acquire().await {
            Ok(_seat) => timeout(ANSWER, self.exchange(record)).await.ok().flatten(),
            Err(_) => None,
        };
        self.under_way().remove(&digest);
        answer
    }

    async fn exchange(&self, record: Vec<u8>) -> Option<Vec<u8>> {
        let mut connection = match self.take_idle() {
            Some(connection) => connection,
            None => self.connect().await?,
        };
        let request = Request::post("/v1/records")
            .header(header::HOST, self.centre.to_string())
            .header(header::CONTENT_TYPE, "application/cose")
            .body(Body::from(record));
        connection.ready().await.ok()?;
        let response = connection.send_request(request.ok()?).await.ok()?;
        let status = response.status();
        let body = to_bytes(Body::new(response.into_body()), MOST).await.ok()?;
        self.idle().push(connection);
        (status == StatusCode::OK).then(|| body.to_vec())
    }

    fn take_idle(&self) -> Option<SendRequest<Body>> {
        let mut idle = self.idle();
        idle.retain(|connection| !connection.is_closed());
        idle.pop()
    }

    async fn connect(&self) -> Option<SendRequest<Body>> {
        let socket = TcpSocket::new_v4().ok()?;
        socket.bind((self.source, 0).into()).ok()?;
        let stream = socket.connect(self.centre).await.ok()?;
        let (sender, connection) = http1::handshake(TokioIo::new(stream)).await.ok()?;
        tokio::spawn(async move {
            // A connection that the centre closes is replaced when it is next needed.
            let _ = connection.await;
        });
        Some(sender)
    }

    fn idle(&self) -> MutexGuard<'_, Vec<SendRequest<Body>>> {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn under_way(&self) -> MutexGuard<'_, HashSet<RecordDigest>> {
        self.under_way.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
