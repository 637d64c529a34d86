//! Sends a station's records by all ways side by side until a receipt for each has come by any of them. When to send is for
//! the pure outbox to say; here are the clock and the disk.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::mpsc::{self, Receiver, RecvTimeoutError};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use tallyproof_record::cose::RecordDigest;
use tallyproof_record::frame::HEADER_LEN;
use tallyproof_station::{Cargo, Outbox, Receipted, RefusedReceipt, Transmission};

use super::address::Address;
use super::queue::Queue;
use super::ways::{Load, News, Outcome, Ways};

/// Records that one HTTPS way carries at the same time: a station has a handful.
const POSTS: usize = 1;

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
    Receipt(&'a Receipted, &'a Address),
    /// A way to the centre failed; others or later tries may not.
    Failed(&'a Address, String),
    /// A way refused a record for good; it is not offered there again.
    Refused(&'a Refusal),
    /// A folder has the record: somebody has to carry it.
    Stored(&'a Address),
}

/// Sends until nothing waits that may still get its receipt, or `timeout` is over. Receipts and attempts are on the disk
/// before they are acted on. The outbox has one path for each of `ways`; `ca` is a PEM file of authorities to trust in place
/// of the public ones.
pub fn until_receipted(
    outbox: &mut Outbox,
    queue: &Queue,
    ways: &[Address],
    ca: Option<&Path>,
    timeout: Option<Duration>,
    watch: &mut dyn FnMut(&Event<'_>),
) -> anyhow::Result<Sent> {
    let (report, inbox) = mpsc::channel();
    // Shared by many threads; the sender alone would have to be copied for each.
    let report = Mutex::new(report);
    let tell = move |way, news| {
        // Nobody listens once the command is at its end.
        let _ = report.lock().unwrap_or_else(PoisonError::into_inner).send((way, news));
    };
    let carriers = Ways::open(ways, ca, POSTS, &Arc::new(tell))?;
    let clock = Clock::start();
    let deadline = timeout.map(|timeout| clock.now_ms().saturating_add(millis(timeout)));
    let mut sending = Sending {
        outbox,
        queue,
        ways,
        carriers,
        inbox,
        clock,
        deadline,
        made: BTreeMap::new(),
        stored: BTreeSet::new(),
        sent: Sent::default(),
        watch,
    };
    sending.run()?;
    Ok(sending.sent)
}

struct Sending<'a> {
    outbox: &'a mut Outbox,
    queue: &'a Queue,
    ways: &'a [Address],
    carriers: Ways,
    inbox: Receiver<(usize, News)>,
    clock: Clock,
    deadline: Option<u64>,
    /// Transmissions of each record that a way took.
    made: BTreeMap<RecordDigest, u32>,
    /// Records that lie in a folder.
    stored: BTreeSet<RecordDigest>,
    sent: Sent,
    watch: &'a mut dyn FnMut(&Event<'_>),
}

impl Sending<'_> {
    fn run(&mut self) -> anyhow::Result<()> {
        while self.outbox.pending() > 0 && self.deadline.is_none_or(|deadline| self.clock.now_ms() < deadline) {
            self.transmit()?;
            if self.take_news()? == Progress::Ended {
                break;
            }
        }
        Ok(())
    }

    fn transmit(&mut self) -> anyhow::Result<()> {
        let now = self.clock.now_ms();
        let due: Vec<_> = std::iter::from_fn(|| self.outbox.poll(now)).collect();
        if !due.is_empty() {
            // Before anything leaves: an attempt that is used twice is dropped as a replay.
            self.queue.store_attempt(self.outbox.last_attempt())?;
        }
        for Transmission { path, digest, mut datagram } in due {
            let cargo = self.ways.get(path).map(Address::cargo);
            let bytes = if cargo == Some(Cargo::Datagram) { datagram } else { datagram.split_off(HEADER_LEN) };
            if self.carriers.offer(path, Load { digest, bytes }) {
                self.sent.transmissions = self.sent.transmissions.saturating_add(1);
                let made = self.made.entry(digest).or_default();
                *made = made.saturating_add(1);
            }
        }
        Ok(())
    }

    /// Waits for news until something is due, and takes all that are there.
    fn take_news(&mut self) -> anyhow::Result<Progress> {
        // Asked before the inbox is: then nothing can come any more but receipts.
        let nothing_left = self.deadline.is_none() && self.outbox.next_wake().is_none() && self.carriers.is_idle();
        let wake = self.outbox.next_wake().into_iter().chain(self.deadline).min();
        let now = self.clock.now_ms();
        let wait = match wake {
            _ if nothing_left => Duration::ZERO,
            Some(wake) => Duration::from_millis(wake.saturating_sub(now)),
            // All ways are closed or at work: their reports end the wait.
            None => Duration::from_secs(1),
        };
        match self.inbox.recv_timeout(wait) {
            Ok(news) => self.take(news)?,
            Err(RecvTimeoutError::Timeout) if nothing_left => return Ok(Progress::Ended),
            Err(_) => {}
        }
        while let Ok(news) = self.inbox.try_recv() {
            self.take(news)?;
        }
        Ok(Progress::Goes)
    }

    fn take(&mut self, (path, news): (usize, News)) -> anyhow::Result<()> {
        let Some(way) = self.ways.get(path) else { return Ok(()) };
        match news {
            News::Arrived(bytes) | News::Done { outcome: Outcome::Answered(bytes), .. } => {
                self.receive(path, &bytes)?;
            }
            News::Done { outcome: Outcome::Sent, .. } => {}
            News::Done { outcome: Outcome::Failed(error), .. } => {
                (self.watch)(&Event::Failed(way, format!("{error:#}")));
            }
            News::Done { digest, outcome: Outcome::Stored } => {
                self.stored.insert(digest);
                self.outbox.close_path(&digest, path);
                (self.watch)(&Event::Stored(way));
            }
            News::Done { digest, outcome: Outcome::Refused { status, reason } } => {
                self.refused(path, Refusal { way: way.clone(), digest, status, reason });
            }
        }
        Ok(())
    }

    fn receive(&mut self, path: usize, answer: &[u8]) -> anyhow::Result<()> {
        match self.outbox.receive(self.clock.now_ms(), path, answer) {
            Ok(receipted) => {
                self.queue.store_receipt(&receipted.receipt, answer)?;
                // The outbox counts turns; a way that was still busy let some of them pass.
                let tries = self.made.get(&receipted.receipt.digest).copied().unwrap_or(receipted.tries);
                let receipted = Receipted { tries, ..receipted };
                if let Some(way) = self.ways.get(path) {
                    (self.watch)(&Event::Receipt(&receipted, way));
                }
                self.sent.receipts.push(receipted);
            }
            // A copy of a receipt that has come already is part of every bad network.
            Err(RefusedReceipt::NotWaiting) => {}
            Err(refused) => tracing::warn!(%refused, "an answer that is no receipt of this election was ignored"),
        }
        Ok(())
    }

    /// A record that no way is left to is given up, unless somebody carries it.
    fn refused(&mut self, path: usize, refusal: Refusal) {
        (self.watch)(&Event::Refused(&refusal));
        let open = self.outbox.close_path(&refusal.digest, path);
        if open == 0 && !self.stored.contains(&refusal.digest) && self.outbox.withdraw(&refusal.digest) {
            self.sent.refused.push(refusal);
        }
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Progress {
    Goes,
    /// Nothing more can come.
    Ended,
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

/// Milliseconds since 1970-01-01T00:00:00Z by this machine's clock.
pub fn now_ms() -> u64 {
    Clock::start().now_ms()
}

fn millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}
