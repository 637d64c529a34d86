//! The course of a drill: stations and attackers run, the centre is watched and killed at its hours, until the script has
//! ended and every record is receipted, or patience is at an end.

use std::net::SocketAddr;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::thread;
use std::time::Duration;

use tallyproof_drill::script::{Carrier, Conduct, FloodKind, Script};

use super::centre::CentreProcess;
use super::flood::{self, Attack, Running, Targets};
use super::view::{Scene, View};
use super::watch::Watch;
use crate::field::clock::Clock;
use crate::field::{self, Counters, Given, Station};

/// How often the centre is looked at.
const LOOK: Duration = Duration::from_millis(250);
/// The longest wait, after the attack, for the centre to work off what its receive buffer holds.
const SETTLE: Duration = Duration::from_secs(5);

/// What came of it.
#[derive(Debug)]
pub(super) struct Course {
    /// Every receipt, in order of time.
    pub(super) given: Vec<Given>,
    /// What the stations sent.
    pub(super) counters: Counters,
    /// What was seen of the centre.
    pub(super) watch: Watch,
    /// When it ended.
    pub(super) ended: Duration,
    /// Kills that happened.
    pub(super) kills: u64,
    /// What each of the script's floods sent, in order.
    pub(super) flood_sent: Vec<u64>,
    /// Whether attackers handed datagrams to the kernel joined.
    pub(super) joined: bool,
    /// Bytes of the centre's journal at the end.
    pub(super) journal_bytes: u64,
}

/// Runs the drill against a centre that listens. `ends` are where the script's paths lead, in its order.
pub(super) fn run(
    script: &Script,
    centre: &mut CentreProcess,
    ends: &[SocketAddr],
    stations: Vec<Station>,
    attacks: Vec<Attack>,
    view: &mut View<'_>,
) -> anyhow::Result<Course> {
    let (counters, stop) = (Counters::default(), AtomicBool::new(false));
    let clock = Clock::start();
    let plan = field::Plan {
        script,
        ends,
        clock,
        counters: &counters,
        stop: &stop,
        patience: Duration::MAX,
        window: usize::MAX,
    };
    let targets = Targets { udp: centre.ports().udp, http: centre.ports().http };
    let mut watch = Watch::new(centre)?;
    let attackers = flood::start(attacks, targets, clock.instant(Duration::ZERO))?;
    let (given, ended, kills) = thread::scope(|scope| {
        let field = scope.spawn(|| field::run(&plan, stations));
        let stopper = StopOnDrop(&stop);
        let mut director =
            Director { script, clock, centre, counters: &counters, attackers: &attackers, watch: &mut watch, kills: 0 };
        director.conduct(view, || field.is_finished())?;
        attackers.stop();
        drop(stopper);
        let given = field.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))?;
        let ended = clock.now();
        director.settle();
        anyhow::Ok((given, ended, director.kills))
    })?;
    let flood_sent = (0..script.floods.len()).map(|flood| attackers.sent(flood)).collect();
    let joined = attackers.sends_joined();
    attackers.join()?;
    let journal_bytes = centre.premises().journal_bytes();
    Ok(Course { given, counters, watch, ended, kills, flood_sent, joined, journal_bytes })
}

/// Stops the field, also if the director fails: the scope waits for it.
struct StopOnDrop<'a>(&'a AtomicBool);

impl Drop for StopOnDrop<'_> {
    fn drop(&mut self) {
        self.0.store(true, Relaxed);
    }
}

/// Whoever lets the script happen.
struct Director<'a> {
    script: &'a Script,
    clock: Clock,
    centre: &'a mut CentreProcess,
    counters: &'a Counters,
    attackers: &'a Running,
    watch: &'a mut Watch,
    kills: u64,
}

impl Director<'_> {
    fn conduct(&mut self, view: &mut View<'_>, reported: impl Fn() -> bool) -> anyhow::Result<()> {
        let end = last_event(self.script);
        let mut kills = self.script.kills().into_iter().peekable();
        loop {
            self.centre.ensure_runs()?;
            self.look();
            view.show(self.scene());
            let now = self.clock.now();
            if (reported() && now >= end) || now >= self.script.gives_up().max(end) {
                return Ok(());
            }
            if kills.next_if(|at| *at <= now).is_some() {
                self.kill()?;
                continue;
            }
            let next = kills.peek().map_or(LOOK, |at| at.saturating_sub(now).min(LOOK));
            thread::sleep(next);
        }
    }

    fn kill(&mut self) -> anyhow::Result<()> {
        self.watch.ends();
        self.centre.kill()?;
        self.centre.restart()?;
        self.watch.goes_on(self.centre);
        self.kills += 1;
        Ok(())
    }

    fn look(&mut self) {
        let (script, counters) = (self.script, self.counters);
        self.watch.look(self.clock.now(), || genuine(script, counters));
    }

    /// Looks on until nothing new arrives.
    fn settle(&mut self) {
        let until = self.clock.now() + SETTLE;
        let mut before = None;
        while self.clock.now() < until && before != Some(self.watch.said().reached) {
            before = Some(self.watch.said().reached);
            thread::sleep(LOOK);
            self.look();
        }
    }

    fn scene(&self) -> Scene {
        let by_path = self.script.paths.iter().enumerate();
        Scene {
            at: self.clock.now(),
            receipts: self.counters.all_receipts(),
            by_path: by_path.map(|(number, path)| (path.name.clone(), self.counters.receipts(number))).collect(),
            hostile_sent: hostile_sent(self.script, |flood| self.attackers.sent(flood)),
            hostile_received: self.watch.hostile(),
            rejected: self.watch.said().rejected,
        }
    }
}

/// Hostile datagrams that the script's floods have sent, by what each has.
pub(super) fn hostile_sent(script: &Script, sent: impl Fn(usize) -> u64) -> u64 {
    let floods = script.floods.iter().enumerate();
    floods.filter(|(_, flood)| matches!(flood.kind, FloodKind::Datagram(_))).map(|(number, _)| sent(number)).sum()
}

/// Datagrams that reached the centre's socket and are not the attackers'.
fn genuine(script: &Script, counters: &Counters) -> u64 {
    let to_centre = |carrier| !matches!(carrier, Carrier::Http | Carrier::Relay(Conduct::Honest));
    let paths = script.paths.iter().enumerate().filter(|(_, path)| to_centre(path.carrier));
    paths.map(|(number, _)| counters.delivered(number)).sum()
}

/// When all attacks are over, and all kills. A path that stays broken for longer is nobody's reason to wait.
fn last_event(script: &Script) -> Duration {
    let floods = script.floods.iter().map(|flood| flood.during.until);
    floods.chain(script.kills()).max().unwrap_or_default()
}
