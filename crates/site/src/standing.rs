//! A contest *as it stands* beside *as counted*, and the corrections between the two. Nothing is added up here that `count` adds up.

use std::collections::BTreeMap;

use tallyproof_count::{
    Ledger, Signer, Totals,
    effect::Effect,
    statements::CorrectionView,
    totals::{AreaTotals, Progress},
};
use tallyproof_record::{
    ContestNo, Election, StationNo,
    definition::Contest,
    statement::{LaterStage, Reason},
};

/// A contest in which at least one correction took effect.
pub(crate) struct Standing<'a> {
    /// Corrections in force.
    pub(crate) in_force: u64,
    /// Stations, as it stands.
    pub(crate) stations: Progress,
    /// Candidates in ballot order.
    pub(crate) candidates: Vec<Compared<'a>>,
    /// All valid votes.
    pub(crate) valid: Compared<'a>,
    /// In log order.
    pub(crate) corrections: Vec<Corrected<'a>>,
}

/// A figure as counted and as it stands.
pub(crate) struct Compared<'a> {
    pub(crate) name: &'a str,
    pub(crate) counted: u64,
    pub(crate) stands: u64,
}

impl Compared<'_> {
    /// What the corrections in force change, with its sign.
    pub(crate) fn difference(&self) -> i64 {
        let difference = i128::from(self.stands) - i128::from(self.counted);
        i64::try_from(difference).unwrap_or(if difference < 0 { i64::MIN } else { i64::MAX })
    }
}

/// A correction that took effect.
pub(crate) struct Corrected<'a> {
    pub(crate) entry: u64,
    pub(crate) station_no: StationNo,
    pub(crate) station_id: &'a str,
    pub(crate) station: &'a str,
    pub(crate) stage: LaterStage,
    pub(crate) reason: Reason,
    pub(crate) in_force: bool,
    pub(crate) annuls: bool,
    /// 1 if the station was not counted before it and is now, −1 the other way round.
    pub(crate) stations: i64,
    /// Candidates whose votes it changed, and by how much.
    pub(crate) changes: Vec<(&'a str, i64)>,
    /// Who has signed it.
    pub(crate) signers: Vec<&'a str>,
    /// Rules that its figures fail; they keep nothing from counting.
    pub(crate) codes: Vec<&'static str>,
}

/// A correction in force for one station.
#[derive(Clone, Copy)]
pub(crate) struct Mark {
    pub(crate) entry: u64,
    pub(crate) annuls: bool,
}

impl<'a> Standing<'a> {
    /// `None` where no correction took effect.
    pub(crate) fn of(ledger: &'a Ledger, totals: &Totals, no: ContestNo, contest: &'a Contest) -> Option<Self> {
        let election = ledger.definition().election();
        let effects = ledger.effects().filter(|(view, _)| view.contest == no);
        let row =
            |(view, effect): (CorrectionView<'a>, Effect)| Corrected::new(ledger, election, contest, &view, &effect);
        let corrections: Vec<_> = effects.map(row).collect();
        if corrections.is_empty() {
            return None;
        }
        let (counted, stands) = (totals.contest(no)?.whole(), totals.as_it_stands(no)?.whole());
        let valid = |sums: &AreaTotals| sums.lines.iter().sum();
        let votes = counted.candidates(contest).into_iter().zip(stands.candidates(contest));
        let compared = contest.candidates.iter().zip(votes);
        Some(Self {
            in_force: corrections.iter().filter(|it| it.in_force).count() as u64,
            stations: stands.stations,
            candidates: compared.map(|(it, (counted, stands))| Compared { name: &it.name, counted, stands }).collect(),
            valid: Compared { name: "", counted: valid(counted), stands: valid(stands) },
            corrections,
        })
    }
}

impl Standing<'_> {
    /// What the corrections in force change about the number of stations counted.
    pub(crate) fn difference_of_stations(&self, counted: u64) -> i64 {
        Compared { name: "", counted, stands: self.stations.counted }.difference()
    }
}

impl<'a> Corrected<'a> {
    fn new(
        ledger: &'a Ledger,
        election: &'a Election,
        contest: &'a Contest,
        view: &CorrectionView<'a>,
        effect: &Effect,
    ) -> Self {
        let station = election.station(view.station);
        let mut votes = vec![0; contest.candidates.len()];
        for (line, change) in contest.lines.iter().zip(&effect.lines) {
            votes[line.candidate] += change;
        }
        let changes = contest.candidates.iter().zip(votes).filter(|(_, change)| *change != 0);
        let signers = ledger.signers(&view.id).into_iter().flatten();
        Self {
            entry: view.entry,
            station_no: view.station,
            station_id: station.map_or("", |station| &station.id),
            station: station.map_or("", |station| &station.name),
            stage: view.stage,
            reason: view.reason,
            in_force: view.in_force,
            annuls: view.figures.is_none(),
            stations: effect.stations,
            changes: changes.map(|(candidate, change)| (candidate.name.as_str(), change)).collect(),
            signers: signers.map(|signer: &Signer| signer.id(election)).collect(),
            codes: view.codes.codes(),
        }
    }
}

/// The corrections in force in a contest, by station.
pub(crate) fn marks(ledger: &Ledger, contest: ContestNo) -> BTreeMap<StationNo, Mark> {
    let in_force = ledger.corrections().filter(|it| it.contest == contest && it.in_force);
    in_force.map(|it| (it.station, Mark { entry: it.entry, annuls: it.figures.is_none() })).collect()
}

/// Records of each contest that somebody has endorsed.
pub(crate) fn endorsed(ledger: &Ledger) -> BTreeMap<ContestNo, u64> {
    let mut counts = BTreeMap::new();
    for (record, endorsed) in ledger.endorsed() {
        if let Some((contest, _)) = ledger.find(endorsed.station, &record) {
            *counts.entry(contest).or_default() += 1;
        }
    }
    counts
}
