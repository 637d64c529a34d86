//! Figures of every station: how many voted, and for whom.

use std::collections::BTreeMap;

use tallyproof_record::definition::results::{Figures, Results};
use tallyproof_record::definition::{ContestNo, Figure, StationNo};

use super::contests::{Contest, Contests};
use super::country::Country;
use super::dice::{Dice, split};
use crate::keys::Seed;

/// The strength of each list in one area; only their proportions mean something.
type Strengths = Vec<u64>;

/// What a municipality's stations have in common.
struct Climate {
    /// Per thousand of those who may vote.
    turnout: u32,
    strengths: Strengths,
}

pub(super) fn results(seed: Seed, country: &Country, contests: &Contests) -> Results {
    let climates = climates(seed, country, contests);
    let mut results = Results::new();
    for (no, station) in (1..).zip(&country.stations) {
        let (Some(climate), Some(own)) =
            (climates.get(station.municipality), contests.of_municipality.get(station.municipality))
        else {
            continue;
        };
        let mut dice = Dice::new(seed, "figures", no);
        let turnout = dice.around(climate.turnout, 90).clamp(150, 960);
        let voters = (station.voters * turnout / 1_000).max(1);
        let local: Strengths =
            climate.strengths.iter().map(|strength| strength * u64::from(dice.around(100, 30)) / 100).collect();
        for &place in own {
            let (Some(contest), Some(contest_no)) = (contests.list.get(place), number(place)) else { continue };
            results.insert((StationNo(no), contest_no), figures(voters, contest, &local, &mut dice));
        }
    }
    results
}

fn number(place: usize) -> Option<ContestNo> {
    u16::try_from(place + 1).ok().map(ContestNo)
}

/// Few lists are strong, some more so in one state or municipality than in another.
fn climates(seed: Seed, country: &Country, contests: &Contests) -> Vec<Climate> {
    let lists = contests.list.iter().flat_map(|contest| &contest.lines).map(|line| line.list + 1).max().unwrap_or(0);
    let mut dice = Dice::new(seed, "lists", 0);
    let mut strength = 100_000_000_u64;
    let country_wide: Strengths = (0..lists)
        .map(|_| {
            let own = strength;
            strength = (strength * u64::from(dice.between(45, 90)) / 100).max(200_000);
            own
        })
        .collect();
    let swung = |of: &Strengths, reach: u32, dice: &mut Dice| -> Strengths {
        of.iter().map(|strength| strength * u64::from(dice.around(100, reach)) / 100).collect()
    };
    let states: Vec<Climate> = (0..)
        .zip(&country.states)
        .map(|(no, _)| {
            let mut dice = Dice::new(seed, "state", no);
            Climate { turnout: dice.around(600, 120), strengths: swung(&country_wide, 70, &mut dice) }
        })
        .collect();
    let climate = |(no, state): (u32, usize)| {
        let mut dice = Dice::new(seed, "municipality", no);
        let state = states.get(state)?;
        Some(Climate { turnout: dice.around(state.turnout, 100), strengths: swung(&state.strengths, 50, &mut dice) })
    };
    (0..).zip(country.municipalities.iter().map(|municipality| municipality.state)).filter_map(climate).collect()
}

/// Everybody who voted marked one line, or none, or several.
fn figures(voters: u32, contest: &Contest, strengths: &Strengths, dice: &mut Dice) -> Figures {
    let blank = voters * dice.around(18, 15) / 1_000;
    let null = voters * dice.around(25, 20) / 1_000;
    let weights: Vec<u64> = contest
        .lines
        .iter()
        .map(|line| {
            let strength = strengths.get(line.list).copied().unwrap_or(0);
            strength * u64::from(line.appeal) / 100 * u64::from(dice.around(100, 10)) / 100
        })
        .collect();
    let counts = split(voters - blank - null, &weights);
    let stated = BTreeMap::from([(Figure::Blank, blank), (Figure::Null, null), (Figure::Voters, voters)]);
    Figures { counts, stated }
}
