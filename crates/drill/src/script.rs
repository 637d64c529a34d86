//! The drill script: who sends when, over which paths, what breaks, and who attacks. TOML; `docs/guide/drills.md` explains it.
//!
//! [`Script::parse`] reports every mistake at once, each with its place, a code and what to do. What it returns is within
//! the limits below, so that nothing that runs a script has to check it again. All times count from the drill's start.

mod keys;
mod read;
#[cfg(test)]
mod tests;

use std::num::NonZeroU32;
use std::time::Duration;

use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::SeedableRng;
use tallyproof_record::{Problem, StationNo};

pub use keys::reference;

pub use crate::section::keys::CODES;

use crate::keys::Seed;
use crate::network::Chance;

/// Most stations of a synthetic election.
pub const MAX_STATIONS: u32 = 1_000_000;
/// Most hostile datagrams and requests that all floods of a script may send together.
pub const MAX_HOSTILE: u64 = 200_000_000;
/// Everything in a script has ended after this time, and nobody is waited for longer than this.
pub const MAX_TIME: Duration = Duration::from_mins(10);
/// Longest delay of a path in one direction, and longest head start.
pub const MAX_DELAY: Duration = Duration::from_mins(1);
/// Most paths.
pub const MAX_PATHS: usize = 8;
/// Most faults.
pub const MAX_FAULTS: usize = 64;
/// Most floods.
pub const MAX_FLOODS: usize = 32;
/// Most connections that all slow floods of a script may hold open together.
pub const MAX_HELD: u32 = 4_096;
/// Highest rate of one flood, a second.
pub const MAX_RATE: u32 = 2_000_000;

/// A checked drill script.
#[derive(Clone, Debug, PartialEq)]
pub struct Script {
    /// Names the drill and its files: letters, digits, `-`, `_` and `.`.
    pub name: String,
    /// For people.
    pub title: String,
    /// Everything that is drawn follows from it.
    pub seed: Seed,
    /// Who votes.
    pub electorate: Electorate,
    /// The first station seals at its beginning, which is the close of the polls; the last one at its end.
    pub reporting: Span,
    /// How long the drill waits for receipts after the last station began.
    pub patience: Duration,
    /// Which records have to be receipted for the drill to have passed.
    pub receipted: Share,
    /// At least one; the place in this list is the path's number.
    pub paths: Vec<Path>,
    /// What breaks.
    pub faults: Vec<Fault>,
    /// Who attacks.
    pub floods: Vec<Flood>,
}

/// Who votes in a drill.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Electorate {
    /// This many stations, made up from the seed (`synthetic`).
    Synthetic(NonZeroU32),
    /// An election package with `results.csv`; a path relative to the script's folder.
    Package(String),
}

/// A stretch of the drill's time, without its end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Span {
    /// Its first instant.
    pub from: Duration,
    /// The first instant after it.
    pub until: Duration,
}

impl Span {
    /// Whether `now` lies in it.
    pub fn contains(&self, now: Duration) -> bool {
        self.from <= now && now < self.until
    }

    /// How long it is.
    pub fn length(&self) -> Duration {
        self.until.saturating_sub(self.from)
    }
}

/// A share of a whole, in millionths.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Share(u32);

impl Share {
    /// The whole.
    pub const ALL: Self = Self(Self::WHOLE);
    const WHOLE: u32 = 1_000_000;

    /// The smallest number of `whole` things that is at least this share of them.
    pub fn of(self, whole: u64) -> u64 {
        let parts = (u128::from(whole) * u128::from(self.0)).div_ceil(u128::from(Self::WHOLE));
        u64::try_from(parts).unwrap_or(whole)
    }
}

/// A way from stations to the centre.
#[derive(Clone, Debug, PartialEq)]
pub struct Path {
    /// Unique in the script.
    pub name: String,
    /// What carries the records.
    pub carrier: Carrier,
    /// The path on a good day.
    pub quality: Quality,
    /// The head start that a station gives its other paths.
    pub after: Duration,
    /// The chance that a station has this path.
    pub share: Chance,
}

/// What carries records on a path.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Carrier {
    /// Datagrams to the centre.
    Udp,
    /// HTTP to the centre.
    Http,
    /// Datagrams to a relay, which hands them on.
    Relay(Conduct),
}

/// What a relay does with the records that it is given.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Conduct {
    /// Hands on what it has.
    Honest,
    /// Changes the bytes.
    Alter,
    /// Hands everything on several times.
    Duplicate,
    /// Takes records and hands nothing on.
    Withhold,
}

impl Conduct {
    /// Every conduct.
    pub const ALL: [Self; 4] = [Self::Honest, Self::Alter, Self::Duplicate, Self::Withhold];

    /// The word in a script.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Honest => "honest",
            Self::Alter => "alter",
            Self::Duplicate => "duplicate",
            Self::Withhold => "withhold",
        }
    }
}

/// What a path does to datagrams, in each direction.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Quality {
    /// The chance that a datagram is lost. [`Chance::ALWAYS`] where the path is cut.
    pub loss: Chance,
    /// The chance that a datagram arrives twice.
    pub duplicate: Chance,
    /// How long a datagram takes.
    pub delay: Duration,
}

impl Quality {
    /// A path that does nothing to datagrams.
    pub const PERFECT: Self = Self { loss: Chance::NEVER, duplicate: Chance::NEVER, delay: Duration::ZERO };
}

/// Something that breaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// A path is worse for a while. Where faults overlap, the worst counts.
    Path {
        /// Number of the path.
        path: usize,
        /// When.
        during: Span,
        /// In what way.
        damage: Damage,
    },
    /// The centre's process is killed, and restarted at once.
    KillCentre {
        /// When.
        at: Duration,
    },
}

/// In what way a path is worse, in each direction.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Damage {
    /// Nothing arrives.
    Cut,
    /// More is lost.
    Loss(Chance),
    /// It takes longer.
    Delay(Duration),
}

/// An attack.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Flood {
    /// What is sent.
    pub kind: FloodKind,
    /// When.
    pub during: Span,
    /// Datagrams or requests a second; for [`ConnectionKind::Slowloris`] and [`ConnectionKind::BodyDrip`] the number of
    /// connections held open.
    pub rate: NonZeroU32,
}

impl Flood {
    /// The most datagrams or requests that it sends; 0 for attacks that hold connections open.
    pub fn most(&self) -> u64 {
        if self.kind.holds_connections() {
            return 0;
        }
        let thousandths = self.during.length().as_millis() * u128::from(self.rate.get());
        u64::try_from(thousandths.div_ceil(1_000)).unwrap_or(u64::MAX)
    }
}

/// What a flood consists of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum FloodKind {
    /// Datagrams to the centre's UDP port.
    Datagram(DatagramKind),
    /// Connections to the centre's HTTP port.
    Connection(ConnectionKind),
}

impl FloodKind {
    /// Every kind.
    pub fn all() -> impl Iterator<Item = Self> + Clone {
        let connections = ConnectionKind::ALL.into_iter().map(Self::Connection);
        DatagramKind::ALL.into_iter().map(Self::Datagram).chain(connections)
    }

    /// The word in scripts and reports.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Datagram(kind) => kind.as_str(),
            Self::Connection(kind) => kind.as_str(),
        }
    }

    fn holds_connections(self) -> bool {
        matches!(self, Self::Connection(ConnectionKind::Slowloris | ConnectionKind::BodyDrip))
    }
}

/// Hostile datagrams, roughly by how far into the centre they get.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum DatagramKind {
    /// Random bytes of random length.
    Garbage,
    /// A genuine datagram cut short.
    Truncated,
    /// Longer than any record.
    Oversized,
    /// Right header, real station number, random tag.
    BadTag,
    /// Datagrams captured from a victim, again and again.
    Replay,
    /// A victim's MAC key in wrong hands: the tag holds, attempts rise, the body is no record.
    StolenMac,
    /// The same with a record under the victim's key id whose signature does not hold.
    StolenKey,
    /// A victim's MAC and signing keys in wrong hands: a second, different record.
    Conflict,
}

impl DatagramKind {
    /// Every kind.
    pub const ALL: [Self; 8] = [
        Self::Garbage,
        Self::Truncated,
        Self::Oversized,
        Self::BadTag,
        Self::Replay,
        Self::StolenMac,
        Self::StolenKey,
        Self::Conflict,
    ];

    /// The word in scripts and reports.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Garbage => "garbage",
            Self::Truncated => "truncated",
            Self::Oversized => "oversized",
            Self::BadTag => "bad-tag",
            Self::Replay => "replay",
            Self::StolenMac => "stolen-mac",
            Self::StolenKey => "stolen-key",
            Self::Conflict => "conflict",
        }
    }
}

/// Hostile use of the HTTP port.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ConnectionKind {
    /// Connections held open by headers that never end.
    Slowloris,
    /// Connections held open by bodies that never end.
    BodyDrip,
    /// Forged records posted as fast as the rate says.
    HttpPost,
}

impl ConnectionKind {
    /// Every kind.
    pub const ALL: [Self; 3] = [Self::Slowloris, Self::BodyDrip, Self::HttpPost];

    /// The word in scripts and reports.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Slowloris => "slowloris",
            Self::BodyDrip => "body-drip",
            Self::HttpPost => "http-post",
        }
    }
}

impl Script {
    /// Reads a script. `file` is its name, for messages only.
    ///
    /// # Errors
    /// Every mistake in the text, each at `file:line:column` with a code of [`CODES`].
    pub fn parse(text: &str, file: &str) -> Result<Self, Vec<Problem>> {
        read::script(text, file)
    }

    /// The same drill with nobody attacking: what a drill under attack is compared with.
    #[must_use]
    pub fn without_floods(mut self) -> Self {
        self.floods.clear();
        self
    }

    /// When the station in this place of the reporting order (from 0) of `stations` seals and begins to send.
    pub fn begins(&self, place: u32, stations: NonZeroU32) -> Duration {
        let gaps = stations.get().saturating_sub(1).max(1);
        let nanos = self.reporting.length().as_nanos() * u128::from(place.min(gaps)) / u128::from(gaps);
        self.reporting.from + Duration::from_nanos(u64::try_from(nanos).unwrap_or(u64::MAX))
    }

    /// When the drill gives up on records without receipt.
    pub fn gives_up(&self) -> Duration {
        self.reporting.until + self.patience
    }

    /// The numbers of the paths that a station has, by seed; never empty, since one path at least is everybody's.
    pub fn paths_of(&self, station: StationNo) -> Vec<usize> {
        let has = |path: &Path| {
            let mut rng = ChaCha8Rng::from_seed(self.seed.derive(&format!("share {}", path.name), station.0));
            path.share.draw(&mut rng)
        };
        self.paths.iter().enumerate().filter(|(_, path)| has(path)).map(|(number, _)| number).collect()
    }

    /// What a path does to datagrams at an instant. A number that is no path's is a path that does nothing to them.
    pub fn quality(&self, path: usize, now: Duration) -> Quality {
        let base = self.paths.get(path).map_or(Quality::PERFECT, |path| path.quality);
        let active = self.faults.iter().filter_map(|fault| match fault {
            Fault::Path { path: number, during, damage } if *number == path && during.contains(now) => Some(*damage),
            _ => None,
        });
        active.fold(base, |quality, damage| match damage {
            Damage::Cut => Quality { loss: Chance::ALWAYS, ..quality },
            Damage::Loss(loss) => Quality { loss: loss.max(quality.loss), ..quality },
            Damage::Delay(delay) => Quality { delay: delay.max(quality.delay), ..quality },
        })
    }

    /// When the centre is killed, in order.
    pub fn kills(&self) -> Vec<Duration> {
        let at = |fault: &Fault| match fault {
            Fault::KillCentre { at } => Some(*at),
            Fault::Path { .. } => None,
        };
        let mut kills: Vec<_> = self.faults.iter().filter_map(at).collect();
        kills.sort_unstable();
        kills
    }
}
