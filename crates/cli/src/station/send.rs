//! Sends a station's records over UDP or HTTPS until a receipt for each has come. When to send is for the pure outbox to
//! say; here are the clock, the sockets and the disk.

use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr, ToSocketAddrs, UdpSocket};
use std::path::Path;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use anyhow::{Context, anyhow};
use tallyproof_record::cose::{RecordDigest, SealedRecord};
use tallyproof_record::frame::HEADER_LEN;
use tallyproof_record::receipt;
use tallyproof_station::{Outbox, Receipted, RefusedReceipt};

use super::address::Address;
use super::queue::Queue;
use crate::{files, http};

/// Longest wait for a socket before the others and the clock are looked at again.
const SLICE: Duration = Duration::from_millis(50);
const HTTP_TIMEOUT: Duration = Duration::from_secs(20);
const CA_LIMIT: u64 = 1 << 20;

/// Answers about the record itself (malformed, not authentic, too long): the same bytes will get them again.
const FINAL: [u16; 3] = [400, 403, 413];

/// What came of a sending.
#[derive(Debug, Default)]
pub struct Sent {
    /// Receipts, in the order of their arrival.
    pub receipts: Vec<Receipted>,
    /// Transmissions made.
    pub transmissions: u64,
    /// Records that every way to the centre refused for good; they stay in the queue.
    pub refused: Vec<Refusal>,
}

/// A centre's answer that sending again does not change.
#[derive(Clone, Debug)]
pub struct Refusal {
    /// The way that gave it.
    pub way: Address,
    /// SHA-256 of the sealed record.
    pub digest: RecordDigest,
    /// HTTP status.
    pub status: u16,
    /// The centre's words, its code first: `signature: …`.
    pub reason: String,
}

/// What happens while records are on their way, for whoever watches.
#[derive(Debug)]
pub enum Event<'a> {
    /// A receipt was verified and is on the disk.
    Receipt(&'a Receipted),
    /// A way to the centre failed; others or later tries may not.
    Failed(&'a Address, String),
    /// A way refused a record for good; it is not offered there again.
    Refused(&'a Refusal),
}

/// What one transmission led to at once.
enum Outcome {
    /// It is on its way.
    Sent,
    /// Bytes that should be a receipt.
    Answered(Vec<u8>),
    /// Worth another try.
    Failed(Address, anyhow::Error),
    Refused(Refusal),
}

enum Answer {
    Receipt(Vec<u8>),
    Refused { status: u16, reason: String },
}

/// The ways to the centre, taken in turn: a way that is blocked costs a retry and nothing more.
pub struct Carrier {
    ways: Vec<Address>,
    turn: usize,
    /// Ways, by position, that refused a record for good.
    refused: BTreeMap<RecordDigest, BTreeSet<usize>>,
    sockets: Vec<UdpSocket>,
    agent: ureq::Agent,
}

impl Carrier {
    /// Opens sockets for `ways`; `ca` is a PEM file to trust in place of the public authorities.
    pub fn new(ways: Vec<Address>, ca: Option<&Path>) -> anyhow::Result<Self> {
        let ca = ca.map(|path| files::read(path, CA_LIMIT)).transpose()?;
        let agent = http::agent(HTTP_TIMEOUT, ca.as_deref())?;
        let mut sockets = Vec::new();
        if ways.iter().any(|way| matches!(way, Address::Udp(_))) {
            let any: [SocketAddr; 2] = [(Ipv4Addr::UNSPECIFIED, 0).into(), (Ipv6Addr::UNSPECIFIED, 0).into()];
            // A machine may lack one of the two families.
            sockets.extend(any.iter().filter_map(|any| UdpSocket::bind(any).ok()));
            if sockets.is_empty() {
                return Err(anyhow!("this machine has no network: no UDP socket can be opened"));
            }
        }
        Ok(Self { ways, turn: 0, refused: BTreeMap::new(), sockets, agent })
    }

    /// Sends one datagram by the next way that has not refused its record.
    fn send(&mut self, datagram: &[u8]) -> Outcome {
        let body = datagram.get(HEADER_LEN..).unwrap_or_default();
        let digest = SealedRecord::from_bytes(body.to_vec()).map(|record| record.digest()).unwrap_or_default();
        let Some(number) = self.next_way(&digest) else { return Outcome::Sent };
        let Some(way) = self.ways.get(number).cloned() else { return Outcome::Sent };
        let outcome = match &way {
            Address::Udp(place) => self.send_udp(place, datagram).map(|()| Outcome::Sent),
            Address::Http(url) => self.post(url, body).map(|answer| match answer {
                Answer::Receipt(bytes) => Outcome::Answered(bytes),
                Answer::Refused { status, reason } => {
                    self.refused.entry(digest).or_default().insert(number);
                    Outcome::Refused(Refusal { way: way.clone(), digest, status, reason })
                }
            }),
        };
        outcome.unwrap_or_else(|error| Outcome::Failed(way, error))
    }

    /// Ways take turns over all records.
    fn next_way(&mut self, digest: &RecordDigest) -> Option<usize> {
        let count = self.ways.len();
        let refused = self.refused.get(digest);
        let is_open = |number: &usize| refused.is_none_or(|refused| !refused.contains(number));
        let next = (0..count).filter_map(|step| self.turn.wrapping_add(step).checked_rem(count)).find(is_open)?;
        self.turn = next.wrapping_add(1);
        Some(next)
    }

    /// Whether a way is left by which the record may still get its receipt. A UDP way always is: it never refuses.
    fn has_way(&self, digest: &RecordDigest) -> bool {
        self.refused.get(digest).is_none_or(|refused| refused.len() < self.ways.len())
    }

    /// The name is resolved each time: an answer that was wrong or missing at first may be right later.
    fn send_udp(&self, place: &str, datagram: &[u8]) -> anyhow::Result<()> {
        let mut last = anyhow!("{place} has no address");
        for address in place.to_socket_addrs().with_context(|| format!("cannot resolve {place}"))? {
            let family = |socket: &&UdpSocket| socket.local_addr().is_ok_and(|own| own.is_ipv4() == address.is_ipv4());
            let Some(socket) = self.sockets.iter().find(family) else { continue };
            match socket.send_to(datagram, address) {
                Ok(_) => return Ok(()),
                Err(error) => last = anyhow::Error::new(error).context(format!("cannot send to {address}")),
            }
        }
        Err(last)
    }

    fn post(&self, url: &str, record: &[u8]) -> anyhow::Result<Answer> {
        let mut response = self.agent.post(url).content_type("application/cose").send(record)?;
        let status = response.status();
        let body = response.body_mut().with_config().limit(4096).read_to_vec()?;
        if status.is_success() {
            return Ok(Answer::Receipt(body));
        }
        let reason = String::from_utf8_lossy(&body).trim().escape_debug().to_string();
        if FINAL.contains(&status.as_u16()) {
            return Ok(Answer::Refused { status: status.as_u16(), reason });
        }
        Err(anyhow!("the centre answered {status}: {reason}"))
    }

    /// Whatever arrives first within `wait`.
    fn receive(&self, wait: Duration) -> Option<Vec<u8>> {
        let until = Instant::now() + wait;
        // One byte more than a receipt, so that longer datagrams are not mistaken for one.
        let mut buffer = [0; receipt::LEN + 1];
        loop {
            let left = until.checked_duration_since(Instant::now()).filter(|left| !left.is_zero())?;
            if self.sockets.is_empty() {
                std::thread::sleep(left);
            }
            for socket in &self.sockets {
                let slice = left.min(SLICE / u32::try_from(self.sockets.len()).unwrap_or(1));
                if let Some(length) = receive_one(socket, &mut buffer, slice) {
                    return buffer.get(..length).map(<[u8]>::to_vec);
                }
            }
        }
    }
}

/// An error of the socket is only news about an earlier datagram (nobody listened): the next try may fare better.
fn receive_one(socket: &UdpSocket, buffer: &mut [u8], wait: Duration) -> Option<usize> {
    socket.set_read_timeout(Some(wait.max(Duration::from_millis(1)))).ok()?;
    match socket.recv_from(buffer) {
        Ok((length, _)) => Some(length),
        Err(error) => {
            if !matches!(error.kind(), io::ErrorKind::WouldBlock | io::ErrorKind::TimedOut) {
                tracing::debug!(%error, "socket");
            }
            None
        }
    }
}

/// Sends until nothing waits that may still get its receipt, or `timeout` is over. Receipts and attempts are on the disk before they are acted on.
pub fn until_receipted(
    outbox: &mut Outbox,
    queue: &Queue,
    carrier: &mut Carrier,
    timeout: Option<Duration>,
    watch: &mut dyn FnMut(&Event<'_>),
) -> anyhow::Result<Sent> {
    let clock = Clock::start();
    let deadline = timeout.map(|timeout| clock.now_ms().saturating_add(millis(timeout)));
    let mut sent = Sent::default();
    while outbox.pending() > 0 && deadline.is_none_or(|deadline| clock.now_ms() < deadline) {
        let now = clock.now_ms();
        let due: Vec<_> = std::iter::from_fn(|| outbox.poll(now)).collect();
        if !due.is_empty() {
            // Before anything leaves: an attempt that is used twice is dropped as a replay.
            queue.store_attempt(outbox.last_attempt())?;
        }
        for transmission in due {
            sent.transmissions += 1;
            match carrier.send(&transmission.datagram) {
                Outcome::Sent => {}
                Outcome::Answered(answer) => take(outbox, queue, &clock, &answer, &mut sent, watch)?,
                Outcome::Failed(way, error) => watch(&Event::Failed(&way, format!("{error:#}"))),
                Outcome::Refused(refusal) => {
                    watch(&Event::Refused(&refusal));
                    if !carrier.has_way(&refusal.digest) && outbox.withdraw(&refusal.digest) {
                        sent.refused.push(refusal);
                    }
                }
            }
        }
        let wake = outbox.next_wake().into_iter().chain(deadline).min().unwrap_or(0);
        let wait = Duration::from_millis(wake.saturating_sub(clock.now_ms()));
        if outbox.pending() > 0
            && let Some(answer) = carrier.receive(wait)
        {
            take(outbox, queue, &clock, &answer, &mut sent, watch)?;
        }
    }
    Ok(sent)
}

fn take(
    outbox: &mut Outbox,
    queue: &Queue,
    clock: &Clock,
    answer: &[u8],
    sent: &mut Sent,
    watch: &mut dyn FnMut(&Event<'_>),
) -> anyhow::Result<()> {
    match outbox.receive(clock.now_ms(), 0, answer) {
        Ok(receipted) => {
            queue.store_receipt(&receipted.receipt, answer)?;
            watch(&Event::Receipt(&receipted));
            sent.receipts.push(receipted);
        }
        // A copy of a receipt that has come already is part of every bad network.
        Err(RefusedReceipt::NotWaiting) => {}
        Err(refused) => tracing::warn!(%refused, "an answer that is no receipt of this election was ignored"),
    }
    Ok(())
}

/// The wall clock at the start, and a clock that nobody sets from then on: a clock set back must not stop the retries.
struct Clock {
    start: Instant,
    unix_ms: u64,
}

impl Clock {
    fn start() -> Self {
        let unix = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        Self { start: Instant::now(), unix_ms: millis(unix) }
    }

    fn now_ms(&self) -> u64 {
        self.unix_ms.saturating_add(millis(self.start.elapsed()))
    }
}

fn millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}
