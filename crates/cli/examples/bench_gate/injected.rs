//! A flood that costs next to nothing to make and comes from everywhere: what a network card would deliver.

use std::thread;
use std::time::{Duration, Instant};

use anyhow::Context;
use tallyproof_cli::centre::{CentreStats, RunningCentre};
use tallyproof_cli::sockets::inject::{Injector, Pattern, PrivateNetwork};

use crate::cost::{DATAGRAMS, cpu_time, each, turned_away, wait_for};

/// Injected at a time, within some forty milliseconds; before that the kernel makes ready for twenty. Three quarters of it fit into the
/// socket's buffer, each in a page of its own.
const BURST: u32 = 40_000;
/// Half a million a second.
const PERIOD: Duration = Duration::from_millis(79);
const LENGTH: Duration = Duration::from_secs(10);
/// All of these are in the register: 2^14 is 16,384.
const STATION_BITS: u32 = 14;

/// One for what the gate has to look at, one for what the kernel's filter drops.
pub(crate) struct Injectors<'network> {
    bad_tag: Injector<'network>,
    garbage: Injector<'network>,
}

impl<'network> Injectors<'network> {
    /// Variations of the datagram `bad_tag`, whole and with the first byte wrong, to the centre's port.
    pub(crate) fn new(
        network: &'network PrivateNetwork,
        centre: &RunningCentre,
        bad_tag: &[u8],
    ) -> std::io::Result<Self> {
        let port = centre.udp_addr().port();
        let load = |payload: &[u8]| Injector::new(network, Pattern { port, payload, station_bits: STATION_BITS });
        let mut garbage = bad_tag.to_vec();
        garbage.iter_mut().take(1).for_each(|byte| *byte = !*byte);
        Ok(Self { bad_tag: load(bad_tag)?, garbage: load(&garbage)? })
    }

    /// What an injected datagram costs that the gate rejects, and one that the kernel's filter drops.
    pub(crate) fn costs(&self, centre: &RunningCentre) -> anyhow::Result<(Duration, Duration)> {
        let gate = turned_away(centre, CentreStats::dropped, |count| bursts(&self.bad_tag, count))?;
        let kernel = turned_away(centre, |stats| stats.filter, |count| bursts(&self.garbage, count))?;
        Ok((gate, kernel))
    }

    /// Holds the centre under a steady flood for a while.
    pub(crate) fn flood(&self, centre: &RunningCentre) -> anyhow::Result<()> {
        let (start, cpu, before) = (Instant::now(), cpu_time()?, centre.stats());
        let (mut injected, mut next) = (0_u64, start);
        while start.elapsed() < LENGTH {
            self.bad_tag.inject(BURST)?;
            injected = injected.saturating_add(BURST.into());
            next = next.checked_add(PERIOD).context("the clock ends")?;
            thread::sleep(next.saturating_duration_since(Instant::now()));
        }
        let elapsed = start.elapsed();
        let rejected = wait_for(injected, || centre.stats().dropped().saturating_sub(before.dropped()));
        let cpu = cpu_time()?.saturating_sub(cpu);
        let a_second = |count: u64| u128::from(count) * 1000 / elapsed.as_millis().max(1);
        let overflow = centre.stats().overflow.saturating_sub(before.overflow);
        println!(
            "injected flood: {}/s injected from many sources, {overflow} lost in the socket's buffer, {:.2} cores busy in all",
            a_second(injected),
            cpu.as_secs_f64() / elapsed.as_secs_f64()
        );
        println!("injected flood, rejected by the gate/s\t{}\t-\t>= 500000", a_second(rejected));
        let nanos = each(cpu, rejected).context("nothing was rejected")?.as_nanos();
        // 500,000 a second on two cores.
        println!("injected flood, CPU ns each, both cores\t{nanos}\t-\t<= 4000");
        Ok(())
    }
}

/// Each burst finds the buffer empty.
fn bursts(injector: &Injector<'_>, counted: &dyn Fn() -> u64) -> anyhow::Result<u64> {
    let mut injected = 0_u64;
    while injected < DATAGRAMS {
        injector.inject(BURST)?;
        injected = injected.saturating_add(BURST.into());
        wait_for(injected, counted);
    }
    Ok(injected)
}
