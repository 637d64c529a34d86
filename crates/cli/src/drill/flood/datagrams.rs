//! All hostile datagrams, from one thread.

use std::io::IoSlice;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;
use std::sync::atomic::{AtomicBool, AtomicU64};
use std::thread;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use anyhow::Context;
use tallyproof_drill::hostile::Hostile;

use super::Pace;
use crate::sockets::{BATCH, BatchSender, Segmentation};

/// How long the thread sleeps when nothing is due: short, so that a flood is even, and what is due is more than one batch
/// only at the highest rates.
const TICK: Duration = Duration::from_millis(1);
/// Datagrams prepared at a time where all are equally long: several are joined into one message.
const JOINED: usize = 8 * BATCH;

/// One flood of datagrams.
pub(super) struct Stream {
    sender: BatchSender,
    hostile: Hostile,
    pace: Pace,
    buffers: Vec<Vec<u8>>,
    sent: Arc<AtomicU64>,
}

impl Stream {
    pub(super) fn open(target: SocketAddr, hostile: Hostile, pace: Pace, sent: Arc<AtomicU64>) -> anyhow::Result<Self> {
        let (segmentation, at_once) = match hostile.equal_length() {
            Some(length) => (Segmentation::Every(length), JOINED),
            None => (Segmentation::Off, BATCH),
        };
        let sender = BatchSender::new(target, segmentation).context("cannot open a socket for a flood")?;
        Ok(Self { sender, hostile, pace, buffers: vec![Vec::new(); at_once], sent })
    }

    /// Whether the kernel is given several datagrams as one.
    pub(super) fn is_joined(&self) -> bool {
        self.hostile.equal_length().is_some()
    }

    /// Sends what is due, at most a batch. True if more may be due.
    fn send_due(&mut self, now: Duration) -> anyhow::Result<bool> {
        let count = self.pace.take(now, self.buffers.len());
        let unix_ms = unix_ms();
        for buffer in self.buffers.iter_mut().take(count) {
            self.hostile.write(unix_ms, buffer);
        }
        let slices: Vec<IoSlice<'_>> = self.buffers.iter().take(count).map(|buffer| IoSlice::new(buffer)).collect();
        let mut left = slices.as_slice();
        while !left.is_empty() {
            let sent = self.sender.send(left).context("a flood of datagrams broke off")?;
            self.sent.fetch_add(sent as u64, Relaxed);
            left = left.get(sent..).unwrap_or_default();
        }
        Ok(count == self.buffers.len())
    }
}

/// Runs all floods to their end, or until `stop`. `start` is the drill's first instant.
pub(super) fn run(mut streams: Vec<Stream>, start: Instant, stop: &AtomicBool) -> anyhow::Result<()> {
    while !stop.load(Relaxed) && !streams.is_empty() {
        let mut more = false;
        for stream in &mut streams {
            more |= stream.send_due(start.elapsed())?;
        }
        streams.retain(|stream| !stream.pace.is_over(start.elapsed()));
        if !more {
            thread::sleep(TICK);
        }
    }
    Ok(())
}

fn unix_ms() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    u64::try_from(since.as_millis()).unwrap_or(u64::MAX)
}
