//! Which stations still owe a record: theirs are checked first.

use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

use tallyproof_centre::Lane;
use tallyproof_record::definition::Election;
use tallyproof_record::{ContestNo, StationNo};

/// For each station the contests that it reports in and no record has been journalled for, a bit each. Contests whose numbers differ by
/// 64 share one: at worst a station with more of them than that is served later than it should be, never lost.
///
/// Nothing but the order of service hangs on it, so that no lock is needed.
#[derive(Debug)]
pub(super) struct Outstanding(Vec<AtomicU64>);

impl Outstanding {
    /// Every station owes every record.
    pub(super) fn new(election: &Election) -> Self {
        let owed_in = |area| {
            let held = election.numbered_contests().filter(|(_, contest)| election.is_within(area, contest.area));
            held.fold(0, |owed, (no, _)| owed | bit(no))
        };
        let by_area: Vec<u64> = (0..election.areas().len()).map(owed_in).collect();
        let owed = |area: usize| by_area.get(area).copied().unwrap_or_default();
        Self(election.stations().iter().map(|station| owed(station.area).into()).collect())
    }

    /// A record of this station in this contest is in the journal.
    pub(super) fn settle(&self, station: StationNo, contest: ContestNo) {
        if let Some(owed) = self.0.get(station.index()) {
            owed.fetch_and(!bit(contest), Relaxed);
        }
    }

    /// The lane of a datagram of this station.
    pub(super) fn lane(&self, station: StationNo) -> Lane {
        let owed = self.0.get(station.index()).map_or(0, |owed| owed.load(Relaxed));
        if owed == 0 { Lane::Later } else { Lane::Fresh }
    }
}

fn bit(contest: ContestNo) -> u64 {
    1 << (contest.index() % 64)
}

#[cfg(test)]
mod tests {
    use tallyproof_record::definition::package::{self, Files};

    use super::*;

    /// Stations 1 and 2 in the north, 3 in the south; the mayor is the north's alone.
    fn election() -> Election {
        let toml = "format = 1\nid = \"t\"\nname = \"T\"\ndate = \"2026-07-01\"\nphase = \"drill\"\n\n\
                    [[contest]]\nid = \"head\"\nname = \"Head\"\narea = \"all\"\n\n\
                    [[contest]]\nid = \"mayor\"\nname = \"Mayor\"\narea = \"north\"\n";
        let files = [
            ("election.toml", toml),
            ("areas.csv", "id,parent,name,kind\nall,,All,country\nnorth,all,North,city\nsouth,all,South,city\n"),
            ("stations.csv", "id,area,registered\ns1,north,9\ns2,north,9\ns3,south,9\n"),
            ("ballot.csv", "contest,line\nhead,a\nmayor,a\n"),
        ];
        let files: Files = files.map(|(name, text)| (name.to_owned(), text.as_bytes().to_vec())).into();
        package::parse(&files).unwrap()
    }

    #[test]
    fn a_station_is_complete_once_each_of_its_contests_has_a_record() {
        let outstanding = Outstanding::new(&election());
        let [one, two, three] = [1, 2, 3].map(StationNo);
        for station in [one, two, three] {
            outstanding.settle(station, ContestNo(1));
            outstanding.settle(station, ContestNo(1));
        }
        assert_eq!([one, two, three].map(|no| outstanding.lane(no)), [Lane::Fresh, Lane::Fresh, Lane::Later]);
        outstanding.settle(two, ContestNo(2));
        assert_eq!([one, two].map(|no| outstanding.lane(no)), [Lane::Fresh, Lane::Later]);
    }

    #[test]
    fn numbers_that_nobody_has_do_no_harm() {
        let outstanding = Outstanding::new(&election());
        for station in [0, 4, u32::MAX].map(StationNo) {
            outstanding.settle(station, ContestNo(0));
            assert_eq!(outstanding.lane(station), Lane::Later);
        }
        assert_eq!(outstanding.lane(StationNo(1)), Lane::Fresh);
    }
}
