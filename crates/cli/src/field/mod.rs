//! The stations of a rehearsal, a night's or a drill's: each reports at its hour by all its paths side by side, over the
//! network that a script gives it.
//!
//! A few threads drive all stations. Every record is sealed before the clock starts, so that what is measured is the
//! transmission.

pub(crate) mod clock;
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

use clock::Clock;
use driver::Driver;

/// Threads that drive the stations. More would take the centre's cores.
const DRIVERS: usize = 2;

/// What all drivers share.
#[derive(Debug)]
pub(crate) struct Plan<'a> {
    /// Paths, faults and hours.
    pub(crate) script: &'a Script,
    /// Where each path ends, in the script's order.
    pub(crate) ends: &'a [SocketAddr],
    /// The drill's clock.
    pub(crate) clock: Clock,
    /// Told as it happens.
    pub(crate) counters: &'a Counters,
    /// Ends the field early.
    pub(crate) stop: &'a AtomicBool,
    /// A driver to whose stations no receipt comes for so long gives up.
    pub(crate) patience: Duration,
    /// With so many records that wait for a receipt a driver lets no other station begin.
    pub(crate) window: usize,
}

/// What the field has done so far; read by others while it runs.
#[derive(Debug, Default)]
pub(crate) struct Counters {
    paths: [PathCounters; MAX_PATHS],
    forged: AtomicU64,
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
    pub(crate) fn sent(&self, path: usize) -> u64 {
        self.paths.get(path).map_or(0, |path| path.sent.load(Relaxed))
    }

    /// Transmissions that arrived at the other end of a path.
    pub(crate) fn delivered(&self, path: usize) -> u64 {
        self.paths.get(path).map_or(0, |path| path.delivered.load(Relaxed))
    }

    /// Records whose first receipt came by a path.
    pub(crate) fn receipts(&self, path: usize) -> u64 {
        self.paths.get(path).map_or(0, |path| path.receipts.load(Relaxed))
    }

    /// Records that have a receipt.
    pub(crate) fn all_receipts(&self) -> u64 {
        (0..MAX_PATHS).map(|path| self.receipts(path)).sum()
    }

    /// Datagrams of forgers.
    pub(crate) fn forged(&self) -> u64 {
        self.forged.load(Relaxed)
    }
}

/// A receipt that a station was given.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Given {
    /// When.
    pub(crate) at: Duration,
    /// How long after the station's first transmission.
    pub(crate) waited: Duration,
    /// By which path.
    pub(crate) path: usize,
    /// What it promises.
    pub(crate) receipt: Receipt,
}

/// A station with its sealed records.
#[derive(Debug)]
pub(crate) struct Station {
    identity: StationIdentity,
    begins: Duration,
    /// Sealed; they go into the outbox when the station begins.
    records: Vec<SealedRecord>,
    outbox: Outbox,
    /// The script's numbers of its paths, in the outbox's order.
    paths: Vec<usize>,
    first_sent: Option<Duration>,
    /// Records that someone who has the station's MAC key, and not its signing key, sends in its name.
    forged: Vec<Vec<u8>>,
}

/// What every station of an election has in common.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Common {
    /// The election that receipts have to be for.
    pub(crate) election: DefinitionHash,
    /// The key that receipts have to be signed with.
    pub(crate) log_key: VerifyingKey,
    /// From which the stations' MAC keys derive.
    pub(crate) mac_master: [u8; 32],
    /// Generation of the MAC keys.
    pub(crate) epoch: u32,
    /// How long stations wait before they send again.
    pub(crate) retry: RetryPolicy,
}

impl Station {
    /// A station that begins at this hour, with its sealed records and whoever sends in its name.
    pub(crate) fn new(script: &Script, common: &Common, number: StationNo, begins: Duration, parts: &[Part]) -> Self {
        let Common { election, log_key, mac_master, epoch, retry } = *common;
        let mac = MacKey::derive(&mac_master, &election, epoch, number);
        let paths = script.paths_of(number);
        let identity = StationIdentity { station: number, epoch, mac, election, log_key };
        let policy = |&path: &usize| {
            let after = script.paths.get(path).map_or(Duration::ZERO, |path| path.after);
            retry.starting_after(clock::millis(after))
        };
        let policies = paths.iter().map(policy).collect();
        let outbox = Outbox::new(identity.clone(), policies, script.seed.0 ^ u64::from(number.0));
        let records = parts.iter().flat_map(|part| part.sealed.iter().cloned()).collect();
        let forged = parts.iter().flat_map(|part| part.forged.iter().cloned()).collect();
        Self { identity, begins, records, outbox, paths, first_sent: None, forged }
    }
}

/// Runs all stations until every record is receipted, [`Plan::stop`] is set or patience is at an end; gives the receipts
/// in order of time.
pub(crate) fn run(plan: &Plan<'_>, stations: Vec<Station>) -> anyhow::Result<Vec<Given>> {
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
    let runtime = Builder::new_current_thread().enable_all().build().context("cannot start a driver of stations")?;
    runtime.block_on(async { Ok(Driver::open(plan, stations, number).await?.run().await) })
}
