//! Everything outside the centre on a drill but its attackers: stations that report at their hour, each by all its paths
//! side by side, and the network that the script gives them.
//!
//! A few threads drive all stations. Every record is sealed before the clock starts, so that what is measured is the
//! transmission.

mod driver;
mod post;

use std::net::SocketAddr;
use std::sync::atomic::Ordering::Relaxed;
use std::sync::atomic::{AtomicBool, AtomicU64};
use std::thread;
use std::time::Duration;

use anyhow::Context;
use ed25519_dalek::VerifyingKey;
use tallyproof_drill::population::Part;
use tallyproof_drill::script::{MAX_PATHS, Script};
use tallyproof_record::StationNo;
use tallyproof_record::cose::SealedRecord;
use tallyproof_record::definition::DefinitionHash;
use tallyproof_record::frame::MacKey;
use tallyproof_record::receipt::Receipt;
use tallyproof_station::{Outbox, RetryPolicy, StationIdentity};
use tokio::runtime::Builder;

use super::clock::Clock;
use driver::Driver;

/// Threads that drive the stations. More would take the centre's cores.
const DRIVERS: usize = 2;
/// Stations begin as real ones do (half a second), but a drill has no hours to back off.
const RETRY_MS: u64 = 500;

/// What all drivers share.
#[derive(Debug)]
pub(super) struct Plan<'a> {
    /// Paths, faults and hours.
    pub(super) script: &'a Script,
    /// Where each path ends, in the script's order.
    pub(super) ends: &'a [SocketAddr],
    /// The drill's clock.
    pub(super) clock: Clock,
    /// Told as it happens.
    pub(super) counters: &'a Counters,
    /// Ends the field early.
    pub(super) stop: &'a AtomicBool,
}

/// What the field has done so far; read by others while it runs.
#[derive(Debug, Default)]
pub(super) struct Counters {
    paths: [PathCounters; MAX_PATHS],
    /// Drivers that have ended.
    ended: AtomicU64,
}

/// One path's share.
#[derive(Debug, Default)]
struct PathCounters {
    sent: AtomicU64,
    delivered: AtomicU64,
    receipts: AtomicU64,
}

impl Counters {
    /// Transmissions that stations began on a path, those that it lost included.
    pub(super) fn sent(&self, path: usize) -> u64 {
        self.paths.get(path).map_or(0, |path| path.sent.load(Relaxed))
    }

    /// Transmissions that arrived at the other end of a path.
    pub(super) fn delivered(&self, path: usize) -> u64 {
        self.paths.get(path).map_or(0, |path| path.delivered.load(Relaxed))
    }

    /// Records whose first receipt came by a path.
    pub(super) fn receipts(&self, path: usize) -> u64 {
        self.paths.get(path).map_or(0, |path| path.receipts.load(Relaxed))
    }

    /// Records that have a receipt.
    pub(super) fn all_receipts(&self) -> u64 {
        (0..MAX_PATHS).map(|path| self.receipts(path)).sum()
    }

    /// Whether nothing is sent any more.
    pub(super) fn ended(&self) -> bool {
        self.ended.load(Relaxed) == DRIVERS as u64
    }
}

/// A receipt that a station was given.
#[derive(Clone, Copy, Debug)]
pub(super) struct Given {
    /// When.
    pub(super) at: Duration,
    /// How long after the station's first transmission.
    pub(super) waited: Duration,
    /// By which path.
    pub(super) path: usize,
    /// What it promises.
    pub(super) receipt: Receipt,
}

/// A station with its sealed records.
#[derive(Debug)]
pub(super) struct Station {
    number: StationNo,
    begins: Duration,
    /// Sealed; they go into the outbox when the station begins.
    records: Vec<SealedRecord>,
    outbox: Outbox,
    /// The script's numbers of its paths, in the outbox's order.
    paths: Vec<usize>,
    first_sent: Option<Duration>,
}

/// What every station of an election has in common.
#[derive(Clone, Copy, Debug)]
pub(super) struct Common {
    /// The election that receipts have to be for.
    pub(super) election: DefinitionHash,
    /// The key that receipts have to be signed with.
    pub(super) log_key: VerifyingKey,
    /// From which the stations' MAC keys derive.
    pub(super) mac_master: [u8; 32],
    /// Generation of the MAC keys.
    pub(super) epoch: u32,
}

impl Station {
    /// A station that begins at this hour, with its sealed records.
    pub(super) fn new(script: &Script, common: &Common, number: StationNo, begins: Duration, parts: &[Part]) -> Self {
        let Common { election, log_key, mac_master, epoch } = *common;
        let mac = MacKey::derive(&mac_master, &election, epoch, number);
        let paths = script.paths_of(number);
        let policies = vec![RetryPolicy::new(RETRY_MS, RETRY_MS); paths.len()];
        let identity = StationIdentity { station: number, epoch, mac, election, log_key };
        let outbox = Outbox::new(identity, policies, script.seed.0 ^ u64::from(number.0));
        let records = parts.iter().flat_map(|part| part.sealed.iter().cloned()).collect();
        Self { number, begins, records, outbox, paths, first_sent: None }
    }
}

/// Runs all stations until every record is receipted or [`Plan::stop`] is set; gives the receipts in order of time.
pub(super) fn run(plan: &Plan<'_>, stations: Vec<Station>) -> anyhow::Result<Vec<Given>> {
    let mut shares: [Vec<Station>; DRIVERS] = Default::default();
    for (place, station) in stations.into_iter().enumerate() {
        shares[place % DRIVERS].push(station);
    }
    let mut given = thread::scope(|scope| {
        let drive = |(number, share)| scope.spawn(move || drive(plan, share, number));
        let drivers: Vec<_> = (0_u8..).zip(shares).map(drive).collect();
        let mut given = Vec::new();
        for driver in drivers {
            given.extend(driver.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))?);
        }
        anyhow::Ok(given)
    })?;
    given.sort_by_key(|given| given.at);
    Ok(given)
}

fn drive(plan: &Plan<'_>, stations: Vec<Station>, number: u8) -> anyhow::Result<Vec<Given>> {
    let _ended = EndedOnDrop(plan.counters);
    let runtime = Builder::new_current_thread().enable_all().build().context("cannot start a driver of stations")?;
    runtime.block_on(async { Ok(Driver::open(plan, stations, number).await?.run().await) })
}

/// Says that a driver has ended, also if it failed: nobody should wait for it then.
struct EndedOnDrop<'a>(&'a Counters);

impl Drop for EndedOnDrop<'_> {
    fn drop(&mut self) {
        self.0.ended.fetch_add(1, Relaxed);
    }
}
