//! Watches the centre from outside a few times a second: what it says of itself, and what its process uses.
//!
//! A killed centre forgets its counters. What it had counted until the last look before is kept, so sums over a night with
//! kills are a little too small, never too large.

use std::collections::BTreeMap;
use std::fs;
use std::ops::AddAssign;
use std::time::Duration;

use ureq::Agent;

use super::centre::CentreProcess;
use crate::centre::StatsReport;
use crate::http;

/// A centre that is starved answers late; the next look is soon.
const PATIENCE: Duration = Duration::from_secs(2);
/// Processor time in /proc is counted in hundredths of a second (USER_HZ) on every Linux that the program is built for.
const TICK: Duration = Duration::from_millis(10);
/// The word for what the kernel filter drops: it reaches the socket but not the receive loop.
const FILTERED: &str = "filter";

/// What a centre has said of itself, as far as a drill needs it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Said {
    /// Datagrams that reached its socket and were looked at: by the receive loop, or by the kernel filter before it.
    pub(super) reached: u64,
    /// Everything turned away, by reason: at the socket, at the gate, at the HTTP port, for lack of room, for its signature.
    pub(super) rejected: BTreeMap<String, u64>,
    /// Copies of known records.
    pub(super) duplicates: u64,
}

impl From<&StatsReport> for Said {
    fn from(stats: &StatsReport) -> Self {
        let mut rejected = BTreeMap::from([("queue-full".to_owned(), stats.queue_full)]);
        for reasons in [&stats.drops, &stats.http_drops, &stats.refused] {
            add_each(&mut rejected, reasons);
        }
        rejected.retain(|_, count| *count > 0);
        let filtered = stats.drops.get(FILTERED).copied().unwrap_or(0);
        Self { reached: stats.received.saturating_add(filtered), rejected, duplicates: stats.duplicates }
    }
}

impl AddAssign<&Self> for Said {
    fn add_assign(&mut self, other: &Self) {
        self.reached += other.reached;
        self.duplicates += other.duplicates;
        add_each(&mut self.rejected, &other.rejected);
    }
}

fn add_each(to: &mut BTreeMap<String, u64>, from: &BTreeMap<String, u64>) {
    for (reason, count) in from {
        *to.entry(reason.clone()).or_default() += count;
    }
}

/// What a process has used.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Used {
    /// Processor time of all its threads.
    pub(super) cpu: Duration,
    /// Bytes of memory that it holds now.
    pub(super) resident: u64,
}

/// One look at the centre, with what others had done by then.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Look {
    /// When, since the drill's start.
    pub(super) at: Duration,
    /// Datagrams that had reached the centre's socket ([`Said::reached`]).
    pub(super) reached: u64,
    /// Genuine datagrams that had been handed to it.
    pub(super) genuine: u64,
    /// Processor time that it had used, killed processes included.
    pub(super) cpu: Duration,
    /// Memory that it held.
    pub(super) resident: u64,
}

impl Look {
    /// Hostile datagrams that had reached the centre.
    pub(super) fn hostile(&self) -> u64 {
        self.reached.saturating_sub(self.genuine)
    }
}

/// Everything seen of a centre, over all its restarts.
#[derive(Debug)]
pub(super) struct Watch {
    agent: Agent,
    centre: Option<(u32, String)>,
    past: Said,
    present: Said,
    past_cpu: Duration,
    present_cpu: Duration,
    looks: Vec<Look>,
}

impl Watch {
    /// Watches this process.
    pub(super) fn new(centre: &CentreProcess) -> anyhow::Result<Self> {
        let mut watch = Self {
            agent: http::agent(PATIENCE, None)?,
            centre: None,
            past: Said::default(),
            present: Said::default(),
            past_cpu: Duration::ZERO,
            present_cpu: Duration::ZERO,
            looks: Vec::new(),
        };
        watch.goes_on(centre);
        Ok(watch)
    }

    /// Looks once. `genuine` tells the number of genuine datagrams handed to the centre so far; it is asked last, so that no
    /// genuine datagram is taken for a hostile one. What a busy centre does not answer is missing from this look and in the
    /// next.
    pub(super) fn look(&mut self, at: Duration, genuine: impl FnOnce() -> u64) {
        let Some((process, url)) = &self.centre else { return };
        if let Some(said) = ask(&self.agent, url) {
            self.present = said;
        }
        let Some(used) = used(*process) else { return };
        self.present_cpu = used.cpu;
        let said = self.said();
        let cpu = self.past_cpu + self.present_cpu;
        self.looks.push(Look { at, reached: said.reached, genuine: genuine(), cpu, resident: used.resident });
    }

    /// The centre is about to be killed: what it has counted is kept.
    pub(super) fn ends(&mut self) {
        self.centre = None;
        let present = std::mem::take(&mut self.present);
        self.past += &present;
        self.past_cpu += std::mem::take(&mut self.present_cpu);
    }

    /// The centre runs again.
    pub(super) fn goes_on(&mut self, centre: &CentreProcess) {
        self.centre = Some((centre.pid(), format!("http://{}/stats", centre.ports().admin)));
    }

    /// What the centre said, summed over its restarts.
    pub(super) fn said(&self) -> Said {
        let mut sum = self.past.clone();
        sum += &self.present;
        sum
    }

    /// Hostile datagrams that had reached the centre by the last look.
    pub(super) fn hostile(&self) -> u64 {
        self.looks.last().map_or(0, Look::hostile)
    }

    /// Every look so far, in order.
    pub(super) fn looks(&self) -> &[Look] {
        &self.looks
    }
}

fn ask(agent: &Agent, url: &str) -> Option<Said> {
    let mut response = agent.get(url).call().ok()?;
    let stats: StatsReport = serde_json::from_slice(&response.body_mut().read_to_vec().ok()?).ok()?;
    Some(Said::from(&stats))
}

/// What the process has used, by /proc; `None` where it has ended or the system has no /proc.
fn used(process: u32) -> Option<Used> {
    let stat = fs::read_to_string(format!("/proc/{process}/stat")).ok()?;
    let status = fs::read_to_string(format!("/proc/{process}/status")).ok()?;
    Some(Used { cpu: cpu(&stat)?, resident: resident(&status)? })
}

/// utime and stime of proc_pid_stat(5): fields 14 and 15, counted behind the name, which may hold anything.
fn cpu(stat: &str) -> Option<Duration> {
    let mut fields = stat.rsplit_once(')')?.1.split_ascii_whitespace().skip(11);
    let ticks = fields.next()?.parse::<u32>().ok()?.saturating_add(fields.next()?.parse().ok()?);
    Some(TICK.saturating_mul(ticks))
}

fn resident(status: &str) -> Option<u64> {
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"))?;
    line.split_ascii_whitespace().next()?.parse::<u64>().ok().map(|kib| kib * 1024)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_process_is_found_by_its_number() {
        let own = used(std::process::id()).unwrap();
        assert!(own.resident > 0);
        assert_eq!(used(u32::MAX), None);
    }

    #[test]
    fn fields_of_stat_are_counted_behind_the_name() {
        let stat = "7 (a) b) S 1 2 3 4 5 6 7 8 9 10 250 50 0 0";
        assert_eq!(cpu(stat), Some(Duration::from_secs(3)));
    }

    #[test]
    fn what_a_killed_centre_had_counted_is_kept() {
        let said = |reached, tag| Said { reached, rejected: [("tag".to_owned(), tag)].into(), duplicates: 1 };
        let mut sum = said(10, 8);
        sum += &said(1, 1);
        assert_eq!(sum, Said { duplicates: 2, ..said(11, 9) });
    }
}
