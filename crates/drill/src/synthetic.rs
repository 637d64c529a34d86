//! A made-up election of any size: one contest of ten ballot lines, a small tree of areas, and figures for every station
//! that break no rule. Good for drills and benches; it resembles no real election on purpose.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::num::NonZeroU32;

use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{Rng, SeedableRng};
use tallyproof_record::Problem;
use tallyproof_record::definition::package::{self, Files};
use tallyproof_record::definition::results::{Figures, Results};
use tallyproof_record::definition::{ContestNo, Election, Figure, StationNo};

use crate::keys::Seed;

/// Ballot lines of the contest.
pub const LINES: u32 = 10;
const REGIONS: u32 = 3;
const DISTRICTS: u32 = 20;
const CONTEST: ContestNo = ContestNo(1);

/// An election without keys, and the figures of all its stations.
#[derive(Clone, Debug)]
pub struct Synthetic {
    /// The definition, in phase drill.
    pub election: Election,
    /// Every station's figures.
    pub results: Results,
}

/// Makes up an election of this many stations; the same numbers give the same election on every machine.
///
/// # Errors
/// None for any number of stations that a register can hold; the type is that of reading a package.
pub fn election(stations: NonZeroU32, seed: Seed) -> Result<Synthetic, Vec<Problem>> {
    let rolls = rolls(stations, seed);
    let election = package::parse(&files(&rolls))?;
    let mut rng = ChaCha8Rng::from_seed(seed.derive("synthetic figures", 0));
    let figures = |(no, roll)| ((StationNo(no), CONTEST), figures(roll, &mut rng));
    let results = (1..).zip(rolls).map(figures).collect();
    Ok(Synthetic { election, results })
}

/// Voters on each station's roll.
fn rolls(stations: NonZeroU32, seed: Seed) -> Vec<u32> {
    let mut rng = ChaCha8Rng::from_seed(seed.derive("synthetic rolls", 0));
    (0..stations.get()).map(|_| 250 + rng.next_u32() % 600).collect()
}

fn files(rolls: &[u32]) -> Files {
    let toml = "format = 1\nid = \"synthetic\"\nname = \"Synthetic election\"\ndate = \"2026-07-01\"\nphase = \"drill\"\n\
                polls_close = \"2026-07-01T18:00:00Z\"\nsource = \"made up from a seed\"\n\n\
                [[contest]]\nid = \"council\"\nname = \"Council\"\narea = \"all\"\nfigures = [\"blank\", \"null\", \"voters\"]\n";
    let mut ballot = String::from("contest,line,name\n");
    for line in 1..=LINES {
        let _ = writeln!(ballot, "council,list-{line},List {line}");
    }
    let files = [
        ("election.toml", toml.to_owned()),
        ("areas.csv", areas()),
        ("stations.csv", register(rolls)),
        ("ballot.csv", ballot),
    ];
    files.into_iter().map(|(name, text)| (name.to_owned(), text.into_bytes())).collect()
}

fn areas() -> String {
    let mut areas = String::from("id,parent,name,kind\nall,,All areas,country\n");
    for region in 1..=REGIONS {
        let _ = writeln!(areas, "r{region},all,Region {region},region");
    }
    for district in 1..=DISTRICTS {
        let _ =
            writeln!(areas, "d{district},r{},District {district},district", 1 + (district - 1) * REGIONS / DISTRICTS);
    }
    areas
}

/// Neighbouring numbers lie in the same district.
fn register(rolls: &[u32]) -> String {
    let mut register = String::from("id,name,area,registered\n");
    for (place, roll) in rolls.iter().enumerate() {
        let district = 1 + place * DISTRICTS as usize / rolls.len();
        let no = place + 1;
        let _ = writeln!(register, "s{no},Station {no},d{district},{roll}");
    }
    register
}

/// A turnout of half to four fifths, shared among the lines with the first ones ahead.
fn figures(roll: u32, rng: &mut ChaCha8Rng) -> Figures {
    let voters = roll * (50 + rng.next_u32() % 31) / 100;
    let blank = rng.next_u32() % (1 + voters / 50);
    let null = rng.next_u32() % (1 + voters / 50);
    let mut left = voters - blank - null;
    let mut counts = Vec::with_capacity(LINES as usize);
    for _ in 1..LINES {
        let count = left * (15 + rng.next_u32() % 30) / 100;
        counts.push(count);
        left -= count;
    }
    counts.push(left);
    let stated = BTreeMap::from([(Figure::Blank, blank), (Figure::Null, null), (Figure::Voters, voters)]);
    Figures { counts, stated }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::network::Chance;
    use crate::population::{Class, Population};

    fn synthetic(stations: u32) -> Synthetic {
        election(NonZeroU32::new(stations).unwrap(), Seed(1)).unwrap()
    }

    #[test]
    fn every_station_is_counted_and_every_district_has_stations() {
        for stations in [1, 19, 500] {
            let Synthetic { election, results } = synthetic(stations);
            assert_eq!((election.stations().len(), results.len()), (stations as usize, stations as usize));
            let districts: std::collections::BTreeSet<_> =
                election.stations().iter().map(|station| station.area).collect();
            assert_eq!(districts.len(), stations.min(DISTRICTS) as usize);
            let definition = election.with_keys(|no| Seed(1).station_key(no).verifying_key().into()).commit();
            let population = Population::new(&definition, &results, Seed(1), Chance::NEVER).unwrap();
            let part = |(station, contest)| population.part(station, contest).unwrap();
            assert!(
                population.reporting_order().concat().into_iter().map(part).all(|part| part.class == Class::Counted)
            );
        }
    }

    #[test]
    fn the_seed_alone_decides() {
        assert_eq!(synthetic(40).results, synthetic(40).results);
        let other = election(NonZeroU32::new(40).unwrap(), Seed(2)).unwrap();
        assert_ne!(synthetic(40).results, other.results);
    }
}
