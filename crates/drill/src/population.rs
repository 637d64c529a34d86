//! Every station of a drill: the records it sends, and the class in which each has to end.

use ed25519_dalek::SigningKey;
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{Rng, SeedableRng};
use tallyproof_record::cose::{self, SealedRecord};
use tallyproof_record::definition::results::{Figures, Results};
use tallyproof_record::definition::{Committed, ContestNo, Figure, Phase, StationNo};
use tallyproof_record::rules::{self, RuleId, Severity};
use tallyproof_record::tally::Tally;
use thiserror::Error;

use crate::keys::Seed;
use crate::network::Chance;

/// Why a drill cannot be set up.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum PopulationError {
    /// Drill keys must never seal a record of the real thing.
    #[error("the package's phase is official; set phase = \"drill\" in election.toml to rehearse with it")]
    Official,
}

/// How a station's record comes about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Conduct {
    /// Sends its figures.
    Genuine,
    /// Sends its figures; someone who has its MAC key but not its signing key sends others in its name.
    Impersonated,
    /// Sends two different records, both signed.
    Conflicting,
    /// Sends one record that breaks a rule.
    Breaking(Breach),
}

/// How a record breaks a rule.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Breach {
    /// One ballot line is left out (`ID-07`).
    LineLeftOut,
    /// Sealed for the other phase (`ID-02`).
    OtherPhase,
    /// A count that no station can hold (`BO-03`).
    OutOfRange,
    /// More votes than the roll (`BO-01`); only where the definition quarantines that.
    AboveRoll,
    /// A stated total that is not the sum (`AR-01`); only where the definition quarantines that.
    WrongTotal,
}

impl Breach {
    const ALL: [Self; 5] = [Self::LineLeftOut, Self::OtherPhase, Self::OutOfRange, Self::AboveRoll, Self::WrongTotal];

    fn apply(self, tally: &mut Tally, roll: Option<u32>) {
        match self {
            Self::LineLeftOut => drop(tally.counts.pop()),
            Self::OtherPhase => tally.phase = Phase::Official,
            Self::OutOfRange => set_first(tally, u32::MAX),
            Self::AboveRoll => set_first(tally, roll.unwrap_or(0).saturating_add(1_000)),
            Self::WrongTotal => tally.total = u32::try_from(tally.cast()).ok().map(|cast| cast.saturating_add(1)),
        }
    }
}

fn set_first(tally: &mut Tally, value: u32) {
    if let Some(first) = tally.counts.first_mut() {
        *first = value;
    }
}

/// Where a station and contest have to end.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Class {
    /// Counted once, with the station's own figures.
    Counted,
    /// Logged, shown apart, not counted.
    Quarantined,
    /// Logged as an event; the station stays missing.
    Rejected,
}

/// One station's part in the night, in one contest.
#[derive(Clone, Debug)]
pub struct Part {
    /// Which station.
    pub station: StationNo,
    /// Which contest.
    pub contest: ContestNo,
    /// How its records came about.
    pub conduct: Conduct,
    /// Where it has to end.
    pub class: Class,
    /// Records signed with the station's key: each earns a receipt.
    pub sealed: Vec<SealedRecord>,
    /// Records in the station's name without its key: none earns a receipt.
    pub forged: Vec<Vec<u8>>,
}

/// Who takes part in a drill and how, for one seed.
#[derive(Clone, Copy, Debug)]
pub struct Population<'a> {
    definition: &'a Committed,
    results: &'a Results,
    seed: Seed,
    bad: Chance,
}

impl<'a> Population<'a> {
    /// The population of a definition whose phase is drill; a share `bad` of the parts misbehaves.
    pub fn new(
        definition: &'a Committed,
        results: &'a Results,
        seed: Seed,
        bad: Chance,
    ) -> Result<Self, PopulationError> {
        match definition.election().phase() {
            Phase::Drill => Ok(Self { definition, results, seed, bad }),
            Phase::Official => Err(PopulationError::Official),
        }
    }

    /// Stations and contests with figures, in order.
    pub(crate) fn slots(&self) -> impl Iterator<Item = (StationNo, ContestNo)> {
        self.results.keys().copied()
    }

    pub(crate) fn definition(&self) -> &'a Committed {
        self.definition
    }

    pub(crate) fn seed(&self) -> Seed {
        self.seed
    }

    /// A second record of a station, different from its own and signed with its key. `None` where there are no figures.
    pub(crate) fn conflicting(&self, station: StationNo, contest: ContestNo) -> Option<SealedRecord> {
        let own = self.part(station, contest)?.sealed.into_iter().next()?;
        let tally = cose::open(own.as_bytes()).ok()?.tally;
        Some(cose::seal(&other_figures(&tally), &self.seed.station_key(station)))
    }

    /// The stations that take part in the order in which they report, each with its contests. Stations without figures
    /// stay missing.
    pub fn reporting_order(&self) -> Vec<Vec<(StationNo, ContestNo)>> {
        let slots: Vec<_> = self.results.keys().copied().collect();
        let mut stations: Vec<_> = slots.chunk_by(|a, b| a.0 == b.0).map(<[_]>::to_vec).collect();
        let mut rng = ChaCha8Rng::from_seed(self.seed.derive("reporting order", 0));
        stations.sort_by_cached_key(|_| rng.next_u64());
        stations
    }

    /// Seals what one station sends in one contest. `None` where the package has no figures for it.
    pub fn part(&self, station: StationNo, contest: ContestNo) -> Option<Part> {
        let mut rng = ChaCha8Rng::from_seed(self.seed.derive(&format!("part {contest}"), station.0));
        let tally = self.tally(station, contest, self.results.get(&(station, contest))?, &mut rng);
        let key = self.seed.station_key(station);
        let apart = self.voters_keep_apart(station);
        // Bad conduct could reject one of the records whose voters differ, and so change what becomes of the others.
        let conduct = if apart { Conduct::Genuine } else { self.conduct(&tally, &mut rng) };
        let (class, sealed, forged) = match conduct {
            Conduct::Genuine if apart && tally.voters.is_some() => {
                (self.class_of(&tally).max(Class::Quarantined), vec![cose::seal(&tally, &key)], Vec::new())
            }
            Conduct::Genuine => (self.class_of(&tally), vec![cose::seal(&tally, &key)], Vec::new()),
            Conduct::Impersonated => (self.class_of(&tally), vec![cose::seal(&tally, &key)], vec![forge(&tally, &key)]),
            Conduct::Conflicting => (
                Class::Quarantined,
                vec![cose::seal(&tally, &key), cose::seal(&other_figures(&tally), &key)],
                Vec::new(),
            ),
            Conduct::Breaking(breach) => {
                let broken = self.broken(&tally, breach);
                (self.class_of(&broken), vec![cose::seal(&broken, &key)], Vec::new())
            }
        };
        Some(Part { station, contest, conduct, class, sealed, forged })
    }

    fn tally(&self, station: StationNo, contest: ContestNo, figures: &Figures, rng: &mut ChaCha8Rng) -> Tally {
        let close = self.definition.election().polls_close().map_or(0, |close| close.unix);
        let mut tally = Tally::new(
            *self.definition.hash(),
            Phase::Drill,
            station,
            contest,
            close + 1_800 + u64::from(rng.next_u32() % 14_400),
            figures.counts.clone(),
        );
        for (&figure, &value) in &figures.stated {
            tally.set_figure(figure, Some(value));
        }
        tally
    }

    fn conduct(&self, tally: &Tally, rng: &mut ChaCha8Rng) -> Conduct {
        if !self.bad.draw(rng) || self.class_of(tally) != Class::Counted {
            return Conduct::Genuine;
        }
        let breaches =
            Breach::ALL.into_iter().filter(|&breach| self.class_of(&self.broken(tally, breach)) != Class::Counted);
        let choices: Vec<_> =
            [Conduct::Impersonated, Conduct::Conflicting].into_iter().chain(breaches.map(Conduct::Breaking)).collect();
        choices[rng.next_u32() as usize % choices.len()]
    }

    /// Whether the station's figures fail `AR-04`, and that keeps its records from being counted.
    fn voters_keep_apart(&self, station: StationNo) -> bool {
        let settings = self.definition.election().rules();
        let contests = self.results.range((station, ContestNo(0))..=(station, ContestNo(u16::MAX)));
        let stated: Vec<_> = contests
            .filter_map(|(&(_, contest), figures)| Some((contest, figures, *figures.stated.get(&Figure::Voters)?)))
            .collect();
        let exceeds = |voters: &[u32]| {
            let ends = voters.iter().min().zip(voters.iter().max());
            ends.is_some_and(|(&lowest, &highest)| rules::voters_spread_exceeds(settings, lowest, highest))
        };
        if settings.severity(RuleId::VotersDifferAcross) == Severity::Warn
            || !exceeds(&stated.iter().map(|&(_, _, voters)| voters).collect::<Vec<_>>())
        {
            return false;
        }
        let mut rng = ChaCha8Rng::from_seed(self.seed.derive("voters", station.0));
        let standing = stated.into_iter().filter(|&(contest, figures, _)| {
            self.class_of(&self.tally(station, contest, figures, &mut rng)) != Class::Rejected
        });
        exceeds(&standing.map(|(_, _, voters)| voters).collect::<Vec<_>>())
    }

    fn broken(&self, tally: &Tally, breach: Breach) -> Tally {
        let mut broken = tally.clone();
        let station = self.definition.election().station(tally.station);
        breach.apply(&mut broken, station.and_then(|station| station.registered));
        broken
    }

    fn class_of(&self, tally: &Tally) -> Class {
        match rules::worst(&rules::check(self.definition, tally)) {
            None | Some(Severity::Warn) => Class::Counted,
            Some(Severity::Quarantine) => Class::Quarantined,
            Some(Severity::Reject) => Class::Rejected,
        }
    }
}

/// The same station and contest, one vote moved: a different record that breaks no rule.
fn other_figures(tally: &Tally) -> Tally {
    let mut other = tally.clone();
    other.sealed_at += 60;
    if let Some(from) = other.counts.iter().position(|&count| count > 0)
        && other.counts.len() > 1
    {
        let to = (from + 1) % other.counts.len();
        other.counts[from] -= 1;
        other.counts[to] += 1;
    }
    other
}

/// What someone without the station's key can make: other figures under the station's key id, and a signature that does
/// not hold.
fn forge(tally: &Tally, key: &SigningKey) -> Vec<u8> {
    let mut bytes = cose::seal(&other_figures(tally), key).into_bytes();
    if let Some(last) = bytes.last_mut() {
        *last ^= 1;
    }
    bytes
}
