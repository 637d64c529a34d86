//! `bulletin.json` (`docs/spec/bulletin.md`). Fields stand in the order of their names.

use std::collections::BTreeMap;

use rayon::prelude::*;
use serde::Serialize;
use tallyproof_record::{Election, StationNo, definition};

use super::{
    Basis, ContestDocument, CorrectedStation, Document, StationLists, figures,
    outcome_json::{Seats, Settled},
};
use crate::{
    ledger::Rejection,
    share::{Percent, ROUNDING},
    totals::AreaTotals,
};

/// Format number of `bulletin.json`.
const FORMAT: u8 = 1;

/// The whole file.
pub(super) fn render(document: &Document) -> Vec<u8> {
    let committed = document.totals.definition();
    let election = committed.election();
    // Contests are independent of each other, and where there are many they are nearly all of the file.
    let contests = document.contests.par_iter().filter_map(|contest| {
        let facts = election.contest(contest.contest)?;
        Some((facts.id.as_str(), to_json(&Contest::new(document, election, facts, contest))))
    });
    let contests: BTreeMap<&str, Vec<u8>> = contests.collect();
    let head = Head {
        definition: committed.hash().to_string(),
        election: election.id(),
        format: FORMAT,
        made_at: document.made_at,
        number: document.number,
        phase: election.phase().as_str(),
        rejected: document.strays.iter().map(Stray::new).collect(),
        root: hex::encode(document.root.0),
        rounding: ROUNDING,
        totals: hex::encode(document.totals_hash.0),
        tree_size: document.tree_size,
    };
    // `contests` is the first of the file's keys.
    let mut bytes = b"{\"contests\":{".to_vec();
    for (position, (id, contest)) in contests.iter().enumerate() {
        if position > 0 {
            bytes.push(b',');
        }
        bytes.extend(to_json(id));
        bytes.push(b':');
        bytes.extend(contest);
    }
    bytes.extend(b"},");
    bytes.extend(to_json(&head).get(1..).unwrap_or_default());
    bytes.push(b'\n');
    bytes
}

/// Maps with text keys and integers always have a JSON form.
fn to_json(value: &impl Serialize) -> Vec<u8> {
    serde_json::to_vec(value).unwrap_or_default()
}

/// The file without its contests.
#[derive(Serialize)]
struct Head<'a> {
    definition: String,
    election: &'a str,
    format: u8,
    made_at: u64,
    number: u32,
    phase: &'static str,
    rejected: Vec<Stray>,
    root: String,
    rounding: &'static str,
    totals: String,
    tree_size: u64,
}

/// A rejected record that has no place in any contest: by the numbers that it states.
#[derive(Serialize)]
struct Stray {
    codes: Vec<&'static str>,
    contest: u16,
    entry: u64,
    station: u32,
}

#[derive(Serialize)]
struct Contest<'a> {
    area: &'a str,
    as_counted: Sums<'a>,
    /// Absent where no correction is in force.
    #[serde(skip_serializing_if = "Option::is_none")]
    as_it_stands: Option<Sums<'a>>,
    /// Absent where the definition does not say how many there are.
    #[serde(skip_serializing_if = "Option::is_none")]
    seats: Option<Seats<'a>>,
    settled: Settled<'a>,
    stations: Lists<'a>,
}

#[derive(Serialize)]
struct Sums<'a> {
    areas: BTreeMap<&'a str, Figures<'a>>,
    whole: Figures<'a>,
}

type Figures<'a> = BTreeMap<&'static str, BTreeMap<&'a str, Count>>;

#[derive(Serialize)]
struct Count {
    /// Absent where it is none of anything known in full.
    #[serde(skip_serializing_if = "Option::is_none")]
    share: Option<Percent>,
    value: u64,
}

#[derive(Serialize)]
struct Lists<'a> {
    corrected: Vec<Corrected<'a>>,
    counted: Vec<&'a str>,
    missing: Vec<&'a str>,
    quarantined: Vec<Quarantined<'a>>,
    rejected: Vec<Rejected<'a>>,
}

#[derive(Serialize)]
struct Corrected<'a> {
    annulled: bool,
    entry: u64,
    reason: &'static str,
    stage: &'static str,
    station: &'a str,
}

#[derive(Serialize)]
struct Quarantined<'a> {
    codes: Vec<&'static str>,
    station: &'a str,
}

#[derive(Serialize)]
struct Rejected<'a> {
    codes: Vec<&'static str>,
    entry: u64,
    station: &'a str,
}

impl Stray {
    fn new(rejection: &Rejection) -> Self {
        let Rejection { entry, station, contest, codes } = rejection;
        Self { codes: codes.codes(), contest: contest.0, entry: *entry, station: station.0 }
    }
}

impl<'a> Contest<'a> {
    fn new(
        document: &'a Document,
        election: &'a Election,
        facts: &'a definition::Contest,
        contest: &'a ContestDocument,
    ) -> Self {
        let sums = |basis| Sums::new(document, election, facts, contest, basis);
        let corrected = document.totals.is_corrected(contest.contest);
        Self {
            area: area_id(election, facts.area),
            as_counted: sums(Basis::AsCounted),
            as_it_stands: corrected.then(|| sums(Basis::AsItStands)),
            seats: contest.outcome.seats.as_ref().map(|seats| Seats::new(election, facts, seats)),
            settled: Settled::new(&facts.id, &contest.outcome.settled),
            stations: Lists::new(election, &contest.stations),
        }
    }
}

impl<'a> Sums<'a> {
    fn new(
        document: &'a Document,
        election: &'a Election,
        facts: &'a definition::Contest,
        contest: &ContestDocument,
        basis: Basis,
    ) -> Self {
        let mut areas = document.areas(contest.contest, basis).into_iter().flatten();
        let whole = areas.next().map(|area| by_quantity(facts, area)).unwrap_or_default();
        let areas = areas.map(|area| (area_id(election, area.area), by_quantity(facts, area)));
        Self { areas: areas.collect(), whole }
    }
}

fn by_quantity<'a>(facts: &'a definition::Contest, area: &AreaTotals) -> Figures<'a> {
    let mut found = Figures::new();
    for row in figures(facts, area) {
        found.entry(row.quantity.as_str()).or_default().insert(row.id, Count { share: row.share, value: row.value });
    }
    found
}

impl<'a> Lists<'a> {
    fn new(election: &'a Election, lists: &'a StationLists) -> Self {
        let ids = |stations: &[StationNo]| stations.iter().map(|&station| station_id(election, station)).collect();
        let corrected = |it: &CorrectedStation| Corrected {
            annulled: it.annulled,
            entry: it.entry,
            reason: it.reason.code(),
            stage: it.stage.as_str(),
            station: station_id(election, it.station),
        };
        let quarantined = lists.quarantined.iter();
        let rejected = lists.rejected.iter();
        Self {
            corrected: lists.corrected.iter().map(corrected).collect(),
            counted: ids(&lists.counted),
            missing: ids(&lists.missing),
            quarantined: quarantined
                .map(|it| Quarantined { codes: it.codes.codes(), station: station_id(election, it.station) })
                .collect(),
            rejected: rejected
                .map(|it| Rejected {
                    codes: it.codes.codes(),
                    entry: it.entry,
                    station: station_id(election, it.station),
                })
                .collect(),
        }
    }
}

fn area_id(election: &Election, area: usize) -> &str {
    election.areas().get(area).map_or("", |area| area.id.as_str())
}

fn station_id(election: &Election, station: StationNo) -> &str {
    election.station(station).map_or("", |station| station.id.as_str())
}
