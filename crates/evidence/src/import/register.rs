//! Stations and areas, in the order in which they first appear.

use std::collections::HashMap;

use super::journal::{Journal, RowId};
use super::{digest, id_fault, plain};
use crate::mapping::Mapping;
use crate::report::{ROLL_UNREADABLE, STATION_DIFFERS};

/// What a row says about its station.
pub(super) struct Facts<'c> {
    pub(super) name: Option<String>,
    pub(super) special: bool,
    pub(super) roll: Roll,
    /// Name and code of the areas, from the top down.
    pub(super) path: Vec<(&'c str, Option<&'c str>)>,
}

/// Voters on the roll, as a row gives them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Roll {
    Known(u32),
    Unknown,
    Unreadable,
}

pub(super) struct Station {
    pub(super) id: String,
    pub(super) name: Option<String>,
    pub(super) area: usize,
    pub(super) roll: Option<u32>,
    pub(super) special: bool,
    /// Whether a difference has been remarked on; one remark per station is enough.
    remarked: bool,
}

pub(super) struct Area {
    pub(super) id: String,
    pub(super) parent: Option<usize>,
    pub(super) name: String,
    pub(super) kind: String,
    path: String,
    children: HashMap<String, usize>,
}

pub(super) struct Register<'m> {
    mapping: &'m Mapping,
    pub(super) stations: Vec<Station>,
    /// The root is at 0; parents stand before their children.
    pub(super) areas: Vec<Area>,
    by_key: HashMap<String, usize>,
    by_area_id: HashMap<String, usize>,
}

impl<'m> Register<'m> {
    pub(super) fn new(mapping: &'m Mapping) -> Self {
        let root = &mapping.root;
        let area = Area {
            id: root.id.clone(),
            parent: None,
            name: root.name.clone(),
            kind: root.kind.clone(),
            path: String::new(),
            children: HashMap::new(),
        };
        Self {
            mapping,
            stations: Vec::new(),
            by_area_id: HashMap::from([(area.id.clone(), 0)]),
            areas: vec![area],
            by_key: HashMap::new(),
        }
    }

    /// Registers the station of a row, or compares the row with what is registered.
    ///
    /// # Errors
    /// An area whose name or code cannot be an id.
    pub(super) fn see(
        &mut self,
        key: String,
        facts: Facts<'_>,
        row: RowId,
        journal: &mut Journal,
    ) -> Result<usize, String> {
        let area = self.area(&facts.path)?;
        if let Some(&number) = self.by_key.get(&key) {
            self.compare(number, area, &facts, row, journal);
            return Ok(number);
        }
        let roll = match facts.roll {
            Roll::Known(voters) => Some(voters),
            Roll::Unknown => None,
            Roll::Unreadable => {
                journal.problem(
                    row,
                    ROLL_UNREADABLE,
                    format!("the voters on the roll of station `{key}` are not a number; registered as unknown"),
                );
                None
            }
        };
        let number = self.stations.len();
        self.by_key.insert(key.clone(), number);
        self.stations.push(Station { id: key, name: facts.name, area, roll, special: facts.special, remarked: false });
        Ok(number)
    }

    /// The deepest area of a path, registered where it is new. Empty levels are skipped.
    fn area(&mut self, path: &[(&str, Option<&str>)]) -> Result<usize, String> {
        let mut at = 0;
        for (level, &(name, code)) in path.iter().enumerate() {
            let code = code.filter(|code| !code.is_empty()).unwrap_or(name);
            if code.is_empty() {
                continue;
            }
            let known = self.areas.get(at).and_then(|area| area.children.get(code)).copied();
            at = match known {
                Some(known) => known,
                None => self.new_area(at, level, name, code)?,
            };
        }
        Ok(at)
    }

    fn new_area(&mut self, parent: usize, level: usize, name: &str, code: &str) -> Result<usize, String> {
        let above = self.areas.get(parent).map_or("", |area| area.path.as_str());
        let path = if above.is_empty() { code.to_owned() } else { format!("{above}/{code}") };
        let id = self.area_id(&path, parent, code);
        if let Some(fault) = id_fault(&id) {
            return Err(format!("the area `{code}` {fault}"));
        }
        let spec = self.mapping.areas.get(level);
        let name = plain(if name.is_empty() { code } else { name });
        let name = match spec.and_then(|spec| spec.name.as_ref()) {
            Some(template) => template.replace("{}", &name),
            None => name,
        };
        let kind = spec.map_or_else(String::new, |spec| spec.kind.clone());
        let number = self.areas.len();
        self.by_area_id.insert(id.clone(), number);
        self.areas.push(Area { id, parent: Some(parent), name, kind, path, children: HashMap::new() });
        if let Some(parent) = self.areas.get_mut(parent) {
            parent.children.insert(code.to_owned(), number);
        }
        Ok(number)
    }

    /// The path; where it is too long or another area's (`a/b` + `c` and `a` + `b/c`), its beginning and a digest of parent and code.
    fn area_id(&self, path: &str, parent: usize, code: &str) -> String {
        if path.chars().count() <= super::MAX_ID && !self.by_area_id.contains_key(path) {
            return path.to_owned();
        }
        let above = self.areas.get(parent).map_or("", |area| area.id.as_str());
        let head: String = path.chars().take(51).collect();
        format!("{}~{}", head.trim_end(), digest(&format!("{above}\n{code}")))
    }

    /// Remarks, once per station, that a row contradicts the register. The first row stands.
    fn compare(&mut self, number: usize, area: usize, facts: &Facts<'_>, row: RowId, journal: &mut Journal) {
        let Some(station) = self.stations.get_mut(number) else { return };
        if station.remarked {
            return;
        }
        let roll_differs = matches!((facts.roll, station.roll), (Roll::Known(a), Some(b)) if a != b);
        let differs: Vec<&str> = [
            ("area", station.area != area),
            ("name", station.name != facts.name),
            ("kind", station.special != facts.special),
            ("voters on the roll", roll_differs),
        ]
        .into_iter()
        .filter_map(|(what, differs)| differs.then_some(what))
        .collect();
        if !differs.is_empty() {
            station.remarked = true;
            let what = format!(
                "station `{}` has another {} in an earlier row, which is kept: is the station key complete?",
                station.id,
                differs.join(", ")
            );
            journal.problem(row, STATION_DIFFERS, what);
        }
    }

    /// `area` and its parents up to the root.
    pub(super) fn lineage(&self, area: usize) -> impl Iterator<Item = usize> + '_ {
        std::iter::successors(Some(area), |&area| self.areas.get(area).and_then(|area| area.parent))
    }

    /// The area with this id.
    pub(super) fn area_by_id(&self, id: &str) -> Option<usize> {
        self.by_area_id.get(id).copied()
    }
}
