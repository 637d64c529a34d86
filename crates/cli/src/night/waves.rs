//! When the log is cut: in eighths of the stations, and wherever a bulletin is due.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::bail;
use tallyproof_count::share::Share;
use tallyproof_record::definition::Contest;
use tallyproof_record::{ContestNo, Election, StationNo};

/// Each wave costs the slowest record's retries on a lossy network; fewer waves make coarser checkpoints.
const WAVES: usize = 8;

/// The stations that report between two cuts, each with its contests.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Wave<'a> {
    pub(super) stations: &'a [Vec<(StationNo, ContestNo)>],
    /// Number of the bulletin that is due after it.
    pub(super) bulletin: Option<Due>,
}

/// A bulletin that is due.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Due {
    pub(super) number: u32,
    /// Of the records expected; the largest of those that come to the same cut.
    pub(super) share: Share,
}

/// Records expected: every station's, once for each contest that it votes in.
pub(super) fn expected(election: &Election) -> u64 {
    let held = |contest: &Contest| {
        election.stations().iter().filter(|station| election.holds(station, contest)).count() as u64
    };
    election.contests().iter().map(held).sum()
}

/// Splits the stations, in the order in which they report. A bulletin is due as soon as its share of the records `expected` is in.
pub(super) fn plan<'a>(
    stations: &'a [Vec<(StationNo, ContestNo)>],
    expected: u64,
    bulletins_at: &[Share],
) -> anyhow::Result<Vec<Wave<'a>>> {
    let mut due = BTreeMap::new();
    for share in ascending(bulletins_at) {
        let needed = needed(share, expected);
        let Some(place) = reached(stations, needed).filter(|&place| place > 0) else {
            bail!(
                "--bulletin-at {share}: that is {needed} of the {expected} records expected, and the package has figures for {}",
                stations.iter().map(Vec::len).sum::<usize>()
            );
        };
        due.insert(place, share);
    }
    let eighth = stations.len().div_ceil(WAVES).max(1);
    let mut cuts: BTreeSet<usize> = (0..stations.len()).step_by(eighth).skip(1).chain([stations.len()]).collect();
    cuts.extend(due.keys());
    let mut waves = Vec::with_capacity(cuts.len());
    let (mut from, mut number) = (0, 0);
    for cut in cuts {
        let share = due.get(&cut).copied();
        number += u32::from(share.is_some());
        let bulletin = share.map(|share| Due { number, share });
        waves.push(Wave { stations: stations.get(from..cut).unwrap_or_default(), bulletin });
        from = cut;
    }
    Ok(waves)
}

fn ascending(shares: &[Share]) -> Vec<Share> {
    let mut shares = shares.to_vec();
    // Denominators are at most 10^11.
    shares.sort_by(|a, b| {
        let scaled = |share: &Share, other: &Share| u128::from(share.numerator()) * u128::from(other.denominator());
        scaled(a, b).cmp(&scaled(b, a))
    });
    shares
}

/// The least number of records that is at least the share.
fn needed(share: Share, expected: u64) -> u64 {
    let records = (u128::from(expected) * u128::from(share.numerator())).div_ceil(u128::from(share.denominator()));
    u64::try_from(records).unwrap_or(u64::MAX)
}

/// After how many stations so many records are in.
fn reached(stations: &[Vec<(StationNo, ContestNo)>], needed: u64) -> Option<usize> {
    let records = stations.iter().scan(0, |sum, contests| {
        *sum += contests.len() as u64;
        Some(*sum)
    });
    if needed == 0 { Some(0) } else { (1..).zip(records).find(|&(_, sum)| sum >= needed).map(|(place, _)| place) }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// So many stations, each of which votes in three contests.
    fn stations(count: u32) -> Vec<Vec<(StationNo, ContestNo)>> {
        (1..=count).map(|no| (1..=3).map(|contest| (StationNo(no), ContestNo(contest))).collect()).collect()
    }

    fn lengths(stations: u32, expected: u64, shares: &[&str]) -> Vec<(usize, Option<u32>)> {
        let shares: Vec<Share> = shares.iter().map(|share| share.parse().unwrap()).collect();
        let stations = self::stations(stations);
        let waves = plan(&stations, expected, &shares).unwrap();
        waves.iter().map(|wave| (wave.stations.len(), wave.bulletin.map(|due| due.number))).collect()
    }

    #[test]
    fn a_wave_ends_where_a_bulletin_is_due() {
        let waves = lengths(80, 240, &["97%", "80%"]);
        assert_eq!(waves.iter().map(|wave| wave.0).sum::<usize>(), 80);
        // 80 % are 192 records of 64 stations; 97 % are 232.8 and so 233, in after 78 stations.
        let due: Vec<_> = waves
            .iter()
            .scan(0, |sum, wave| {
                *sum += wave.0;
                Some((*sum, wave.1))
            })
            .filter(|it| it.1.is_some())
            .collect();
        assert_eq!(due, [(64, Some(1)), (78, Some(2))]);
    }

    #[test]
    fn without_bulletins_there_are_eight_waves() {
        assert_eq!(lengths(16, 48, &[]), vec![(2, None); 8]);
        assert_eq!(lengths(1, 3, &["100%", "1%"]), [(1, Some(1))]);
    }

    #[test]
    fn a_share_that_is_never_reached_is_refused() {
        let shares = ["80%".parse().unwrap()];
        assert!(plan(&stations(8), 40, &shares).unwrap_err().to_string().contains("32 of the 40"));
        assert!(plan(&stations(8), 24, &["0%".parse().unwrap()]).is_err());
    }
}
