//! A bulletin for a terminal: votes with their shares, stations, what can still change, seats.

use std::fmt;

use tallyproof_count::bulletin::{Basis, ContestDocument, Document, Quantity, figures};
use tallyproof_count::outcome::SeatsOutcome;
use tallyproof_count::totals::AreaTotals;
use tallyproof_record::definition::{Contest, Named};

use crate::table::{self, grouped};

/// Writes every contest, or the one with this id.
pub fn write_contests(out: &mut dyn fmt::Write, document: &Document, only: Option<&str>) -> fmt::Result {
    let election = document.totals.definition().election();
    for it in &document.contests {
        let Some(contest) = election.contest(it.contest) else { continue };
        if only.is_none_or(|id| id == contest.id) {
            write_contest(out, document, contest, it)?;
        }
    }
    Ok(())
}

fn write_contest(
    out: &mut dyn fmt::Write,
    document: &Document,
    contest: &Contest,
    it: &ContestDocument,
) -> fmt::Result {
    let whole = |basis| document.areas(it.contest, basis).and_then(|mut areas| areas.next());
    let (Some(counted), Some(stands)) = (whole(Basis::AsCounted), whole(Basis::AsItStands)) else { return Ok(()) };
    writeln!(out, "\n{} ({})\n", contest.name, contest.id)?;
    let corrected = document.totals.is_corrected(it.contest);
    write_votes(out, contest, counted, corrected.then_some(stands))?;
    let stations = counted.stations;
    writeln!(
        out,
        "\n{} of {} stations counted, {} in quarantine, {} missing; {} records rejected; {} corrected, {} annulled",
        grouped(stations.counted),
        grouped(stations.expected),
        grouped(stations.quarantined),
        grouped(stations.missing),
        grouped(stations.rejected),
        grouped(stands.stations.corrected),
        grouped(stands.stations.annulled),
    )?;
    match &it.outcome.settled {
        Ok(answer) => writeln!(out, "\n{answer}")?,
        Err(reason) => writeln!(out, "\nNothing is said about what can still change: {reason}.")?,
    }
    it.outcome.seats.iter().try_for_each(|seats| write_seats(out, contest, seats))
}

fn write_votes(
    out: &mut dyn fmt::Write,
    contest: &Contest,
    counted: &AreaTotals,
    stands: Option<&AreaTotals>,
) -> fmt::Result {
    let mut rows = match stands {
        None => table::new(["candidate", "votes", "%"]),
        Some(_) => table::new(["candidate", "as counted", "%", "as it stands", "%"]),
    };
    let columns = if stands.is_some() { 5 } else { 3 };
    let votes = |area: &AreaTotals, id: &str| {
        let of = figures(contest, area);
        let row = of.iter().find(|row| row.quantity == Quantity::Candidate && row.id == id).copied();
        row.map_or_else(Default::default, |row| {
            [grouped(row.value), row.share.map_or_else(String::new, |share| share.to_string())]
        })
    };
    for candidate in &contest.candidates {
        let stands = stands.map(|area| votes(area, &candidate.id)).into_iter().flatten();
        let cells = [candidate.name.clone()].into_iter().chain(votes(counted, &candidate.id)).chain(stands);
        rows.add_row(cells.collect::<Vec<_>>());
    }
    table::align_right(&mut rows, 1..columns);
    writeln!(out, "{rows}")
}

fn write_seats(out: &mut dyn fmt::Write, contest: &Contest, seats: &SeatsOutcome) -> fmt::Result {
    let name = |number: usize| contest.candidates.get(number).map_or("", |candidate: &Named| candidate.name.as_str());
    match seats {
        SeatsOutcome::ByName(by_name) => {
            let elected: Vec<&str> = by_name.elected.iter().map(|&it| name(it)).collect();
            writeln!(
                out,
                "\nseats {}, as it stands: {}; left open by equal votes: {}",
                by_name.seats,
                if elected.is_empty() { "none".to_owned() } else { elected.join(", ") },
                by_name.open
            )
        }
        SeatsOutcome::Lists(lists) => match &lists.allotment {
            Err(error) => writeln!(out, "\nNo seats are allotted: {error}."),
            Ok(allotment) => {
                let mut rows = table::new(["list", "votes", "seats, as it stands"]);
                for (number, (list, brought)) in allotment.lists.iter().zip(&lists.lists).enumerate() {
                    rows.add_row([name(number).to_owned(), grouped(brought.votes), grouped(list.seats)]);
                }
                table::align_right(&mut rows, [1, 2]);
                writeln!(out, "\n{rows}")
            }
        },
    }
}
