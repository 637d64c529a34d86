//! Where each record of a drill has to end, held against what the verified log says.

use tallyproof_count::ledger::{Ledger, SlotStatus, SlotView};
use tallyproof_drill::population::{Class, Part};
use tallyproof_record::definition::results::Results;
use tallyproof_record::{ContestNo, StationNo};

/// The class of every part that was sent.
#[derive(Debug, Default)]
pub(crate) struct Expectation {
    parts: Vec<(StationNo, ContestNo, Class, usize)>,
}

impl Expectation {
    /// Notes where the records of these parts have to end.
    pub(crate) fn note<'p>(&mut self, parts: impl IntoIterator<Item = &'p Part>) {
        self.parts.extend(parts.into_iter().map(|part| (part.station, part.contest, part.class, part.sealed.len())));
    }

    /// Notes that whoever stole the station's keys sent a second, different record in its first contest.
    pub(crate) fn note_conflict(&mut self, station: StationNo) {
        let parts = self.parts.iter_mut().filter(|part| part.0 == station);
        if let Some((_, _, class, records)) = parts.min_by_key(|part| part.1) {
            *class = (*class).max(Class::Quarantined);
            *records += 1;
        }
    }

    /// Stations and contests that did not end where they had to, each with what was found.
    pub(crate) fn unaccounted(&self, ledger: &Ledger, results: &Results) -> Vec<String> {
        let sent = self.parts.iter().filter_map(|&(station, contest, class, records)| {
            let view = ledger.slot(station, contest)?;
            (!ended_in(&view, class, records, results))
                .then(|| describe(&view, &format!("{class:?}, {records} in the log")))
        });
        let unsent = ledger.slots().filter(|view| !results.contains_key(&(view.station, view.contest)));
        let invented = unsent.filter(|view| view.status != SlotStatus::Missing || !view.entries.is_empty());
        sent.chain(invented.map(|view| describe(&view, "Missing, nothing sent"))).collect()
    }
}

fn ended_in(view: &SlotView<'_>, class: Class, records: usize, results: &Results) -> bool {
    let status = match class {
        Class::Counted => SlotStatus::Counted,
        Class::Quarantined => SlotStatus::Quarantined,
        Class::Rejected => SlotStatus::Missing,
    };
    let as_entered = || {
        let entered = results.get(&(view.station, view.contest));
        view.figures.zip(entered).is_some_and(|(found, entered)| found.counts == entered.counts)
    };
    view.status == status && view.entries.len() == records && (class != Class::Counted || as_entered())
}

fn describe(view: &SlotView<'_>, expected: &str) -> String {
    let (station, contest, status) = (view.station, view.contest, view.status.as_str());
    format!("station {station}, contest {contest}: {status} with {} entries; expected {expected}", view.entries.len())
}
