//! The election's definition: contests, areas, register and ballot lines (`docs/spec/package.md`).
//!
//! [`package::parse`] reads the folder's files and reports every mistake; [`Election::canonical`] gives the bytes whose
//! hash is the identity of the election.

mod authority;
mod canonical;
pub mod decision;
mod key;
pub mod package;
pub mod results;

use std::{collections::BTreeMap, fmt, str::FromStr};

pub use authority::{Agent, Authority, Member};
pub use canonical::{Canonical, DefinitionHash};
use decision::Decision;
pub use key::{StationKey, UnusableKey};

use crate::rules::RuleSettings;

/// Whether a text can be an id (`docs/spec/package.md`).
pub(crate) fn is_id(text: &str) -> bool {
    package::report::id_fault(text).is_none()
}

/// Whether a text can be a line of a witness policy. What it means is the log's matter.
pub(crate) fn is_policy_line(text: &str) -> bool {
    let word = text.split([' ', '\t']).next().unwrap_or_default();
    ["witness", "group", "quorum"].contains(&word) && !text.contains(char::is_control)
}

/// 1-based position of a station in the canonical register; the station's name on the wire.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct StationNo(pub u32);

/// 1-based position of a contest in the definition.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ContestNo(pub u16);

impl StationNo {
    /// Position in [`Election::stations`].
    pub fn index(self) -> usize {
        (self.0 as usize).wrapping_sub(1)
    }
}

impl ContestNo {
    /// Position in [`Election::contests`].
    pub fn index(self) -> usize {
        usize::from(self.0).wrapping_sub(1)
    }
}

impl fmt::Display for StationNo {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl fmt::Display for ContestNo {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// Whether an election is a rehearsal or the real thing. It stands in the definition, in every record and on every page.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Phase {
    /// A rehearsal: its records, bundle and pages can never be taken for the real thing.
    Drill,
    /// The real thing.
    Official,
}

impl Phase {
    /// The word used in files.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Drill => "drill",
            Self::Official => "official",
        }
    }
}

impl fmt::Display for Phase {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for Phase {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        match text {
            "drill" => Ok(Self::Drill),
            "official" => Ok(Self::Official),
            _ => Err(()),
        }
    }
}

/// A checked definition. Built by [`package::parse`] only, so that indices in it always resolve.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Election {
    pub(crate) id: String,
    pub(crate) name: String,
    pub(crate) date: String,
    pub(crate) phase: Phase,
    pub(crate) polls_close: Option<PollsClose>,
    pub(crate) source: Option<String>,
    pub(crate) contests: Vec<Contest>,
    pub(crate) areas: Vec<Area>,
    pub(crate) stations: Vec<Station>,
    pub(crate) policy: Vec<String>,
    pub(crate) authority: Option<Authority>,
    pub(crate) agents: Vec<Agent>,
    pub(crate) rules: RuleSettings,
}

/// A definition that is fixed: the election with its canonical bytes and hash. Records are checked against this.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Committed {
    election: Election,
    canonical: Canonical,
}

impl Committed {
    /// The election.
    pub fn election(&self) -> &Election {
        &self.election
    }

    /// The canonical files and the manifest.
    pub fn canonical(&self) -> &Canonical {
        &self.canonical
    }

    /// The definition hash.
    pub fn hash(&self) -> &DefinitionHash {
        &self.canonical.hash
    }
}

/// When the polls close, as written (RFC 3339) and as an instant.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PollsClose {
    /// RFC 3339 text, kept so that canonical files repeat it.
    pub text: String,
    /// Seconds since 1970-01-01T00:00:00Z.
    pub unix: u64,
}

/// One office in one area.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Contest {
    /// Stable id.
    pub id: String,
    /// Display name.
    pub name: String,
    /// Index into [`Election::areas`]: stations at or below it vote in this contest.
    pub area: usize,
    /// Figures that each record of this contest has to state beside the ballot lines.
    pub figures: Vec<Figure>,
    /// Ballot lines in ballot order; a record's counts stand in this order.
    pub lines: Vec<BallotLine>,
    /// Candidates in order of first appearance on the ballot.
    pub candidates: Vec<Named>,
    /// Parties in order of first appearance on the ballot.
    pub parties: Vec<Named>,
    /// What decides it; `None` where the definition states no rule.
    pub decision: Option<Decision>,
}

impl Contest {
    /// For each candidate the list of `lists` for which a seat won by name counts: that whose id is the id of a party on whose
    /// ballot lines the candidate stands. A contest that counts for `lists` names one at most for each candidate.
    pub fn lists_of(&self, lists: &Contest) -> Vec<Option<usize>> {
        let numbers: BTreeMap<&str, usize> =
            lists.candidates.iter().enumerate().map(|(number, list)| (&*list.id, number)).collect();
        let of_party: Vec<Option<usize>> = self.parties.iter().map(|party| numbers.get(&*party.id).copied()).collect();
        let mut found = vec![None; self.candidates.len()];
        for line in &self.lines {
            let list = line.party.and_then(|party| of_party.get(party).copied().flatten());
            if let Some(slot) = found.get_mut(line.candidate) {
                *slot = slot.or(list);
            }
        }
        found
    }
}

/// What a voter marks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BallotLine {
    /// Stable id, unique in its contest.
    pub id: String,
    /// Display name.
    pub name: String,
    /// Index into [`Contest::candidates`].
    pub candidate: usize,
    /// Index into [`Contest::parties`].
    pub party: Option<usize>,
}

/// An id with its display name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Named {
    /// Stable id.
    pub id: String,
    /// Display name.
    pub name: String,
}

/// A node of the geographic tree (NIST SP 1500-100: GpUnit). Parents stand before their children; index 0 is the root.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Area {
    /// Stable id.
    pub id: String,
    /// Index into [`Election::areas`]; `None` for the root.
    pub parent: Option<usize>,
    /// Display name.
    pub name: String,
    /// Free text such as `state`; may be empty.
    pub kind: String,
}

/// A polling station of the register.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Station {
    /// Stable id.
    pub id: String,
    /// Display name.
    pub name: String,
    /// Index into [`Election::areas`].
    pub area: usize,
    /// Voters on the roll; `None` where the register does not say. Missing is not zero.
    pub registered: Option<u32>,
    /// Whether the station has a roll of its own.
    pub kind: StationKind,
    /// Public key; `None` until the station is enrolled. Boxed, so that a register without keys stays small.
    pub key: Option<Box<StationKey>>,
}

/// Whether the roll bounds a station's votes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StationKind {
    /// Has a roll of its own.
    Ordinary,
    /// Takes voters from other rolls (postal, in transit): the roll bound does not apply.
    Special,
}

/// A figure of a record beside its ballot lines.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Figure {
    /// Blank ballots.
    Blank,
    /// Null (invalid) ballots.
    Null,
    /// Voters admitted.
    Voters,
    /// Voters on the roll, as the station states them.
    Registered,
    /// Votes cast in total, as the station states them.
    Total,
}

impl Station {
    /// Voters that bound the station's votes; `None` where no roll does.
    pub fn roll(&self) -> Option<u32> {
        self.registered.filter(|_| self.kind == StationKind::Ordinary)
    }
}

impl Figure {
    /// All figures, in the order of `docs/spec/package.md`.
    pub const ALL: [Self; 5] = [Self::Blank, Self::Null, Self::Voters, Self::Registered, Self::Total];

    /// The word used in files (`results.csv` prefixes it with `@`).
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Blank => "blank",
            Self::Null => "null",
            Self::Voters => "voters",
            Self::Registered => "registered",
            Self::Total => "total",
        }
    }
}

impl FromStr for Figure {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        Self::ALL.into_iter().find(|figure| figure.as_str() == text).ok_or(())
    }
}

impl Election {
    /// Stable id of the election.
    pub fn id(&self) -> &str {
        &self.id
    }

    /// Display name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Day of the poll, `YYYY-MM-DD`.
    pub fn date(&self) -> &str {
        &self.date
    }

    /// Rehearsal or the real thing.
    pub fn phase(&self) -> Phase {
        self.phase
    }

    /// When the polls close, where the definition says.
    pub fn polls_close(&self) -> Option<&PollsClose> {
        self.polls_close.as_ref()
    }

    /// Where the figures come from, where the definition says.
    pub fn source(&self) -> Option<&str> {
        self.source.as_deref()
    }

    /// Contests in definition order.
    pub fn contests(&self) -> &[Contest] {
        &self.contests
    }

    /// The contest with this number.
    pub fn contest(&self, no: ContestNo) -> Option<&Contest> {
        self.contests.get(no.index())
    }

    /// The tree of areas, parents first, the root at index 0.
    pub fn areas(&self) -> &[Area] {
        &self.areas
    }

    /// The register, in canonical order.
    pub fn stations(&self) -> &[Station] {
        &self.stations
    }

    /// The station with this number.
    pub fn station(&self, no: StationNo) -> Option<&Station> {
        self.stations.get(no.index())
    }

    /// Stations with their numbers.
    pub fn numbered_stations(&self) -> impl Iterator<Item = (StationNo, &Station)> {
        (1u32..).map(StationNo).zip(&self.stations)
    }

    /// Contests with their numbers.
    pub fn numbered_contests(&self) -> impl Iterator<Item = (ContestNo, &Contest)> {
        (1u16..).map(ContestNo).zip(&self.contests)
    }

    /// The lines of the witness policy, without those of a log; none where the definition states none. They are text here: what
    /// they mean is the log's matter.
    pub fn policy_lines(&self) -> &[String] {
        &self.policy
    }

    /// Who signs for the electoral authority, where the definition says; without one, nobody can.
    pub fn authority(&self) -> Option<&Authority> {
        self.authority.as_ref()
    }

    /// Whoever may endorse records from the start; more can be enrolled in the log.
    pub fn agents(&self) -> &[Agent] {
        &self.agents
    }

    /// Severities and thresholds in force.
    pub fn rules(&self) -> &RuleSettings {
        &self.rules
    }

    /// Whether `area` is `ancestor` or lies below it.
    pub fn is_within(&self, area: usize, ancestor: usize) -> bool {
        self.lineage(area).any(|node| node == ancestor)
    }

    /// `area`, its parent, and so on up to the root.
    pub fn lineage(&self, area: usize) -> impl Iterator<Item = usize> + '_ {
        std::iter::successors(Some(area), |&node| self.areas.get(node).and_then(|a| a.parent))
    }

    /// Whether voters of `station` vote in `contest`.
    pub fn holds(&self, station: &Station, contest: &Contest) -> bool {
        self.is_within(station.area, contest.area)
    }

    /// Fixes the definition: from here on its hash names it.
    pub fn commit(self) -> Committed {
        let canonical = self.canonical();
        Committed { election: self, canonical }
    }

    /// Replaces the stations' keys: `key` is asked for each station number.
    #[must_use]
    pub fn with_keys(mut self, mut key: impl FnMut(StationNo) -> StationKey) -> Self {
        for (no, station) in (1u32..).map(StationNo).zip(&mut self.stations) {
            station.key = Some(Box::new(key(no)));
        }
        self
    }

    /// Replaces the lines of the witness policy, each of them one that [`package::parse`] takes (drills that make their witnesses).
    #[must_use]
    pub fn with_policy_lines(mut self, lines: Vec<String>) -> Self {
        self.policy = lines;
        self
    }

    /// Replaces authority and agents, none of whom may have another's key (drills that make their keys).
    #[must_use]
    pub fn with_signatories(mut self, authority: Authority, agents: Vec<Agent>) -> Self {
        self.authority = Some(authority);
        self.agents = agents;
        self
    }

    /// The first `n` stations only (drills of a smaller size).
    #[must_use]
    pub fn with_first_stations(mut self, n: usize) -> Self {
        self.stations.truncate(n);
        self
    }
}
