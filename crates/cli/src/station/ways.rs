//! The ways to the centre, each with threads of its own: one that hangs delays no other.

mod folder;
mod http;
mod udp;

use std::collections::HashSet;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::sync::mpsc::{self, Receiver, Sender};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use anyhow::Context;
use tallyproof_record::cose::RecordDigest;

use super::address::Address;
use crate::files;

const CA_LIMIT: u64 = 1 << 20;

/// Something to send.
#[derive(Clone, Debug)]
pub struct Load {
    /// Which record.
    pub digest: RecordDigest,
    /// The datagram or the record, as the way's [`Address::cargo`] says.
    pub bytes: Vec<u8>,
}

/// What a way has to tell.
#[derive(Debug)]
pub enum News {
    /// What became of a load: one for each that was taken.
    Done {
        /// Which record.
        digest: RecordDigest,
        /// What became of it.
        outcome: Outcome,
    },
    /// Bytes that should be a receipt.
    Arrived(Vec<u8>),
}

/// What became of a load.
#[derive(Debug)]
pub enum Outcome {
    /// It is on its way, or held by a relay: worth sending again until the receipt.
    Sent,
    /// It lies where it will stay: there is no use in sending it again.
    Stored,
    /// Bytes that should be the receipt.
    Answered(Vec<u8>),
    /// Worth another try.
    Failed(anyhow::Error),
    /// The same bytes will get this answer again.
    Refused {
        /// HTTP status.
        status: u16,
        /// The centre's words, its code first: `signature: …`.
        reason: String,
    },
}

/// Tells whoever drives the ways: the way's number, and its news. Called from many threads.
pub trait Report: Fn(usize, News) + Send + Sync + 'static {}
impl<R: Fn(usize, News) + Send + Sync + 'static> Report for R {}

/// Open ways to the centre. Their threads end when it is dropped; one that hangs ends later, and reports to nobody.
pub struct Ways {
    queues: Vec<Sender<Load>>,
    busy: Arc<Busy>,
    stop: Arc<AtomicBool>,
}

impl Ways {
    /// Opens the ways. `ca` is a PEM file of authorities to trust in place of the public ones; `posts` is how many records
    /// one HTTPS way carries at the same time.
    pub fn open(
        addresses: &[Address],
        ca: Option<&Path>,
        posts: usize,
        report: &Arc<impl Report>,
    ) -> anyhow::Result<Self> {
        let ca = ca.map(|path| files::read(path, CA_LIMIT)).transpose()?;
        let mut ways = Self { queues: Vec::new(), busy: Arc::default(), stop: Arc::default() };
        for (number, address) in addresses.iter().enumerate() {
            let (queue, loads) = mpsc::channel();
            ways.queues.push(queue);
            let desk = Desk {
                number,
                loads: Mutex::new(loads),
                busy: Arc::clone(&ways.busy),
                stop: Arc::clone(&ways.stop),
                report: Arc::clone(report),
            };
            let desk = Arc::new(desk);
            match address {
                Address::Udp(place) => udp::start(place, &desk)?,
                Address::Http(url) => (0..posts.max(1)).try_for_each(|_| http::start(url, ca.as_deref(), &desk))?,
                Address::Folder(path) => folder::start(path, &desk)?,
            }
        }
        Ok(ways)
    }

    /// Hands a load to a way. False if the way still has an earlier one of the same record in hand: a way that hangs must
    /// not pile up copies.
    pub fn offer(&self, way: usize, load: Load) -> bool {
        let Some(queue) = self.queues.get(way) else { return false };
        let digest = load.digest;
        let is_free = self.busy.set().insert((way, digest));
        let is_sent = is_free && queue.send(load).is_ok();
        if is_free && !is_sent {
            self.busy.clear(way, &digest);
        }
        is_sent
    }

    /// Whether no load is in hand any more.
    pub fn is_idle(&self) -> bool {
        self.busy.set().is_empty()
    }
}

impl Drop for Ways {
    fn drop(&mut self) {
        self.stop.store(true, Relaxed);
    }
}

/// Loads in hand: way and record.
#[derive(Default)]
struct Busy(Mutex<HashSet<(usize, RecordDigest)>>);

impl Busy {
    fn set(&self) -> MutexGuard<'_, HashSet<(usize, RecordDigest)>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn clear(&self, way: usize, digest: &RecordDigest) {
        self.set().remove(&(way, *digest));
    }
}

/// What the threads of one way share.
struct Desk<R> {
    number: usize,
    loads: Mutex<Receiver<Load>>,
    busy: Arc<Busy>,
    stop: Arc<AtomicBool>,
    report: Arc<R>,
}

impl<R: Report> Desk<R> {
    /// The next load; `None` at the end.
    fn next(&self) -> Option<Load> {
        self.loads.lock().unwrap_or_else(PoisonError::into_inner).recv().ok().filter(|_| !self.is_over())
    }

    /// Reports first: whoever sees that nothing is in hand has all reports before it.
    fn done(&self, digest: RecordDigest, outcome: Outcome) {
        (self.report)(self.number, News::Done { digest, outcome });
        self.busy.clear(self.number, &digest);
    }

    fn arrived(&self, bytes: Vec<u8>) {
        (self.report)(self.number, News::Arrived(bytes));
    }

    fn is_over(&self) -> bool {
        self.stop.load(Relaxed)
    }
}

fn spawn(name: &str, run: impl FnOnce() + Send + 'static) -> anyhow::Result<()> {
    // Not joined: a thread may hang in a foreign server for as long as the server likes.
    std::thread::Builder::new()
        .name(name.to_owned())
        .spawn(run)
        .map(drop)
        .with_context(|| format!("cannot start thread {name}"))
}
