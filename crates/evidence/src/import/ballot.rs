//! Contests and their ballot lines.

use std::collections::{BTreeSet, HashMap};

use tallyproof_record::definition::Figure;

use super::{id_fault, plain, short_id};
use crate::mapping::{LineSpec, Located, Mapping};

pub(super) struct Contest<'m> {
    pub(super) id: String,
    pub(super) name: String,
    pub(super) area: Area<'m>,
    pub(super) lines: Vec<Line>,
    /// Figures that every record of the contest states.
    pub(super) figures: BTreeSet<Figure>,
    by_line: HashMap<String, usize>,
}

/// Where a contest is held.
#[derive(Clone, Copy)]
pub(super) enum Area<'m> {
    Root,
    Named(&'m Located),
    /// The smallest area that holds all stations with rows for it.
    Smallest,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Line {
    pub(super) id: String,
    pub(super) name: String,
    pub(super) candidate: String,
    pub(super) candidate_name: Option<String>,
    pub(super) party: Option<String>,
    pub(super) party_name: Option<String>,
    /// Position among the mapping's `[[line]]`; they stand first on the ballot of a long table.
    pub(super) declared: Option<usize>,
}

impl Line {
    /// A line with what the mapping says about it; `id` and `name` where it says nothing.
    pub(super) fn new(id: &str, name: &str, spec: Option<&LineSpec>) -> Self {
        let mut line = Self {
            id: id.to_owned(),
            name: name.to_owned(),
            candidate: id.to_owned(),
            candidate_name: None,
            party: None,
            party_name: None,
            declared: None,
        };
        let Some(spec) = spec else { return line };
        if let Some(id) = &spec.id {
            line.id.clone_from(id);
            line.name.clone_from(id);
            line.candidate.clone_from(id);
        }
        if let Some(name) = &spec.name {
            line.name.clone_from(name);
        }
        if let Some(candidate) = &spec.candidate {
            line.candidate.clone_from(candidate);
        }
        line.candidate_name.clone_from(&spec.candidate_name);
        line.party.clone_from(&spec.party);
        line.party_name.clone_from(&spec.party_name);
        line
    }
}

impl Contest<'_> {
    /// The line with this id, added where it is new.
    pub(super) fn line(&mut self, line: Line) -> usize {
        if let Some(&known) = self.by_line.get(&line.id) {
            return known;
        }
        let number = self.lines.len();
        self.by_line.insert(line.id.clone(), number);
        self.lines.push(line);
        number
    }
}

/// All contests, in the mapping's order, or in the order of first appearance.
pub(super) struct Ballot<'m> {
    pub(super) contests: Vec<Contest<'m>>,
    by_key: HashMap<String, usize>,
    /// Whether a contest key that is not declared makes a new contest.
    open: bool,
}

impl<'m> Ballot<'m> {
    pub(super) fn new(mapping: &'m Mapping) -> Self {
        let open = mapping.contest_key.is_some() && mapping.contests.is_empty();
        let mut ballot = Self { contests: Vec::new(), by_key: HashMap::new(), open };
        for spec in &mapping.contests {
            let area = spec.area.as_ref().map_or(Area::Root, Area::Named);
            let number = ballot.add(spec.id.clone(), spec.name.clone(), area);
            ballot.by_key.extend(spec.values.iter().map(|value| (value.clone(), number)));
        }
        if ballot.contests.is_empty() && !open {
            ballot.add(mapping.election.id.clone(), mapping.election.name.clone(), Area::Root);
        }
        ballot
    }

    fn add(&mut self, id: String, name: String, area: Area<'m>) -> usize {
        let (lines, figures, by_line) = (Vec::new(), BTreeSet::new(), HashMap::new());
        self.contests.push(Contest { id, name, area, lines, figures, by_line });
        self.contests.len() - 1
    }

    /// The contest of a key; `None` where the mapping leaves it out.
    ///
    /// # Errors
    /// Why the key cannot be an id.
    pub(super) fn contest_of(&mut self, key: &str) -> Result<Option<usize>, &'static str> {
        let key = key.trim();
        if let Some(&known) = self.by_key.get(key) {
            return Ok(Some(known));
        }
        if !self.open {
            return Ok(None);
        }
        let id = short_id(key);
        if let Some(fault) = id_fault(&id) {
            return Err(fault);
        }
        let number = self.add(id, plain(key), Area::Smallest);
        self.by_key.insert(key.to_owned(), number);
        Ok(Some(number))
    }
}
