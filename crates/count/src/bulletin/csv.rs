//! `bulletin.csv`: figures and lists as one table, a row each (`docs/spec/bulletin.md`).

use std::fmt::{Display, Write};

use rayon::prelude::*;
use tallyproof_record::{
    Election, StationNo,
    definition::{self, Committed},
};

use super::{Basis, ContestDocument, Document, figures, outcome_json::seats_of};
use crate::{bundle::push_field, ledger::RuleSet};

/// The first line.
pub(super) const HEADER: [&str; 8] = ["contest", "area", "basis", "figure", "id", "value", "share", "codes"];

/// The whole file.
pub(super) fn render(document: &Document) -> Vec<u8> {
    let committed = document.totals.definition();
    let election = committed.election();
    let contests: Vec<Table> = document
        .contests
        .par_iter()
        .filter_map(|contest| Some(of_contest(document, election, election.contest(contest.contest)?, contest)))
        .collect();
    let mut table = head(document, committed);
    for contest in &contests {
        table.0.push_str(&contest.0);
    }
    table.0.into_bytes()
}

/// Rows, ended by LF each.
struct Table(String);

/// What a row is of; empty where it is of the whole bulletin.
#[derive(Clone, Copy, Default)]
struct Place<'a> {
    contest: &'a str,
    area: &'a str,
    basis: &'a str,
}

impl Table {
    fn push(&mut self, at: Place<'_>, figure: &str, id: &str, value: impl Display, share: impl Display, codes: &str) {
        for field in [at.contest, at.area, at.basis, figure, id] {
            push_field(&mut self.0, field);
            self.0.push(',');
        }
        // Writing to memory does not fail.
        let _ = writeln!(self.0, "{value},{share},{codes}");
    }
}

fn head(document: &Document, committed: &Committed) -> Table {
    let mut table = Table(HEADER.join(",") + "\n");
    let mut push = |figure: &str, id: &str, value: &dyn Display| {
        table.push(Place::default(), figure, id, value, "", "");
    };
    push("definition", &committed.hash().to_string(), &"");
    push("root", &hex::encode(document.root.0), &"");
    push("totals", &hex::encode(document.totals_hash.0), &"");
    push("bulletin", "number", &document.number);
    push("bulletin", "made-at", &document.made_at);
    push("bulletin", "tree-size", &document.tree_size);
    for it in &document.strays {
        table.push(Place::default(), "stray-record", &it.entry.to_string(), 1, "", &it.codes.codes().join(" "));
    }
    table
}

fn of_contest(document: &Document, election: &Election, facts: &definition::Contest, it: &ContestDocument) -> Table {
    let mut table = Table(String::new());
    for basis in Basis::ALL {
        for area in document.areas(it.contest, basis).into_iter().flatten() {
            let name = election.areas().get(area.area).map_or("", |area| area.id.as_str());
            let at = Place { contest: &facts.id, area: name, basis: basis.as_str() };
            for row in figures(facts, area) {
                let share = row.share.map(|share| share.to_string()).unwrap_or_default();
                table.push(at, row.quantity.as_str(), row.id, row.value, share, "");
            }
        }
    }
    let area = election.areas().get(facts.area).map_or("", |area| area.id.as_str());
    let at = Place { contest: &facts.id, area, basis: Basis::AsItStands.as_str() };
    for (id, seats) in it.outcome.seats.iter().flat_map(|seats| seats_of(facts, seats)) {
        table.push(at, "seats", id, seats, "", "");
    }
    lists(&mut table, election, facts, it);
    table
}

/// A row for each station or rejected record, with the value 1, so that they add up to the figures.
fn lists(table: &mut Table, election: &Election, facts: &definition::Contest, it: &ContestDocument) {
    let mut push = |basis: Basis, figure: &str, station: StationNo, codes: &str| {
        let found = election.station(station);
        let area = found.and_then(|station| election.areas().get(station.area)).map_or("", |area| area.id.as_str());
        let id = found.map_or("", |station| station.id.as_str());
        table.push(Place { contest: &facts.id, area, basis: basis.as_str() }, figure, id, 1, "", codes);
    };
    let codes = |codes: RuleSet| codes.codes().join(" ");
    let (counted, standing) = (Basis::AsCounted, Basis::AsItStands);
    it.stations.counted.iter().for_each(|&station| push(counted, "counted-station", station, ""));
    it.stations.missing.iter().for_each(|&station| push(counted, "missing-station", station, ""));
    for station in &it.stations.quarantined {
        push(counted, "quarantined-station", station.station, &codes(station.codes));
    }
    for record in &it.stations.rejected {
        push(counted, "rejected-record", record.station, &codes(record.codes));
    }
    for station in &it.stations.corrected {
        let figure = if station.annulled { "annulled-station" } else { "corrected-station" };
        push(standing, figure, station.station, station.reason.code());
    }
}
