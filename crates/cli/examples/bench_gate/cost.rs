//! Processor time of one hostile request by lane, interleaved: turned away by the gate, by the kernel's filter, and by the least that
//! an HTTP server can do. Each figure is the whole process's, generator and kernel work included, so it flatters no lane.

use std::io::IoSlice;
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, ensure};
use nix::sys::resource::{UsageWho, getrusage};
use nix::sys::time::TimeVal;
use tallyproof_cli::centre::{CentreStats, RunningCentre};
use tallyproof_cli::sockets::inject::PrivateNetwork;
use tallyproof_cli::sockets::{BATCH, BatchSender, Segmentation};
use tallyproof_drill::script::DatagramKind;

use crate::bench_world::World;
use crate::injected::Injectors;
use crate::refusing_server::RefusingServer;

const ROUNDS: usize = 7;
/// In a round of one lane.
pub(crate) const DATAGRAMS: u64 = 300_000;
const REQUESTS: u64 = 40_000;
/// A lane that loses more is not measured but overrun.
pub(crate) const MOST_LOST: u64 = DATAGRAMS / 100;
/// Different ones in turn, so that the gate looks all over its register.
const POOL: usize = 8_192;

/// The lanes, in the order in which a round takes them; the last is the reference.
const LANES: [&str; 5] =
    ["bad tag, sendmmsg", "garbage, sendmmsg", "bad tag, injected", "garbage, injected", "axum POST -> 403"];

/// Runs all lanes; those of injected datagrams only in a private network.
pub(crate) fn run(world: &World, network: Option<&PrivateNetwork>) -> anyhow::Result<()> {
    let folder = tempfile::tempdir()?;
    let centre = world.start_centre(folder.path())?;
    let bad_tags = world.hostile(DatagramKind::BadTag, POOL)?;
    let garbage = world.hostile(DatagramKind::Garbage, POOL)?;
    let bad_tag = bad_tags.first().context("no datagram")?;
    let mut server = RefusingServer::start(bad_tag)?;
    let injectors = network.map(|network| Injectors::new(network, &centre, bad_tag));
    let injectors = injectors.transpose().inspect_err(skip).ok().flatten();
    let mut costs = LANES.map(|_| Vec::new());
    for round in 1..=ROUNDS {
        let gate = || turned_away(&centre, CentreStats::dropped, |_| send(&centre, &bad_tags));
        let kernel = || turned_away(&centre, |stats| stats.filter, |_| send(&centre, &garbage));
        let injected = injectors.as_ref().map(|injectors| injectors.costs(&centre)).transpose()?;
        let (injected_gate, injected_kernel) = injected.unzip();
        let round_costs = [Some(gate()?), Some(kernel()?), injected_gate, injected_kernel, Some(refused(&mut server)?)];
        println!("round {round}, CPU µs each: {}", described(round_costs));
        costs.iter_mut().zip(round_costs).for_each(|(all, cost)| all.extend(cost));
    }
    print_rows(costs);
    if let Some(injectors) = &injectors {
        injectors.flood(&centre)?;
    }
    centre.shutdown()?;
    Ok(())
}

/// Says why nothing is injected.
pub(crate) fn skip(error: &std::io::Error) {
    println!("skipped what needs injected datagrams, and with them CAP_SYS_ADMIN, CAP_NET_ADMIN and CAP_BPF: {error}");
}

fn described(costs: [Option<Duration>; LANES.len()]) -> String {
    let lanes = LANES.iter().zip(costs).filter_map(|(lane, cost)| Some(format!("{lane} {:.2}", micros(cost?))));
    lanes.collect::<Vec<_>>().join("; ")
}

/// The target is for injected datagrams. What `sendmmsg` itself does for a datagram costs more than the centre's part, and stands in
/// for it only where nothing can be injected.
fn print_rows(costs: [Vec<Duration>; LANES.len()]) {
    let [sent_bad, sent_garbage, bad, garbage, http] = costs.map(median);
    let rows = if bad.is_some() { [(2, bad), (3, garbage)] } else { [(0, sent_bad), (1, sent_garbage)] };
    let Some(http) = http.map(micros) else { return };
    for (lane, cost) in rows {
        let cost = cost.map(micros).unwrap_or_default();
        println!("{} : axum POST -> 403, CPU µs\t{cost:.3}\t{http:.3}\t<= 0.125", LANES[lane]);
    }
}

/// Lets `attack` come and waits until `count` has all of it; gives the cost of each.
pub(crate) fn turned_away(
    centre: &RunningCentre,
    count: fn(&CentreStats) -> u64,
    attack: impl FnOnce(&dyn Fn() -> u64) -> anyhow::Result<u64>,
) -> anyhow::Result<Duration> {
    let (cpu, before) = (cpu_time()?, count(&centre.stats()));
    let counted = || count(&centre.stats()).saturating_sub(before);
    let sent = attack(&counted)?;
    let counted = wait_for(sent, counted);
    ensure!(
        counted >= sent.saturating_sub(MOST_LOST),
        "{counted} of {sent} were turned away where they should have been"
    );
    each(cpu_time()?.saturating_sub(cpu), counted)
}

fn refused(server: &mut RefusingServer) -> anyhow::Result<Duration> {
    let cpu = cpu_time()?;
    let refused = server.flood(REQUESTS)?;
    each(cpu_time()?.saturating_sub(cpu), refused)
}

/// Not joined on their way: every datagram takes the path of a real one.
fn send(centre: &RunningCentre, datagrams: &[Vec<u8>]) -> anyhow::Result<u64> {
    let sender = BatchSender::new(centre.udp_addr(), Segmentation::Off)?;
    let slices: Vec<IoSlice<'_>> = datagrams.iter().map(|datagram| IoSlice::new(datagram)).collect();
    let mut sent = 0;
    for batch in slices.chunks(BATCH).cycle() {
        let left = usize::try_from(DATAGRAMS.saturating_sub(sent))?;
        if left == 0 {
            break;
        }
        sent = sent.saturating_add(sender.send(batch.get(..left).unwrap_or(batch))? as u64);
    }
    Ok(sent)
}

/// Waits until a count has come to `goal`, or has not moved for a while; gives the count.
pub(crate) fn wait_for(goal: u64, count: impl Fn() -> u64) -> u64 {
    const STILL: Duration = Duration::from_millis(150);
    let (mut last, mut since) = (count(), Instant::now());
    while last < goal && since.elapsed() < STILL {
        thread::sleep(Duration::from_millis(2));
        let now = count();
        if now != last {
            (last, since) = (now, Instant::now());
        }
    }
    last
}

/// User and system time of this process, all threads together. What the kernel does for a datagram on loopback, it does in the
/// sender's system call, so that is in it too.
pub(crate) fn cpu_time() -> anyhow::Result<Duration> {
    let usage = getrusage(UsageWho::RUSAGE_SELF)?;
    let time =
        |time: TimeVal| anyhow::Ok(Duration::new(u64::try_from(time.tv_sec())?, u32::try_from(time.tv_usec() * 1000)?));
    Ok(time(usage.user_time())?.saturating_add(time(usage.system_time())?))
}

pub(crate) fn each(spent: Duration, count: u64) -> anyhow::Result<Duration> {
    spent.checked_div(u32::try_from(count)?).context("nothing was counted")
}

fn micros(time: Duration) -> f64 {
    time.as_secs_f64() * 1e6
}

fn median(mut costs: Vec<Duration>) -> Option<Duration> {
    costs.sort_unstable();
    costs.get(costs.len() / 2).copied()
}
