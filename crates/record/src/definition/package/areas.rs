//! `areas.csv`: the tree.

use std::collections::BTreeMap;

use super::{
    super::Area,
    report::{Checker, Code, Spot, shown},
    table::{Column, Table},
};

/// The tree, and the areas by id.
pub(crate) struct Areas {
    /// Parents before children.
    pub(crate) list: Vec<Area>,
    by_id: BTreeMap<String, usize>,
    /// Whether every row was read: otherwise an id that is not here may still be right.
    complete: bool,
}

impl Areas {
    pub(crate) fn unreadable() -> Self {
        Self { list: Vec::new(), by_id: BTreeMap::new(), complete: false }
    }

    /// The area with this id; reports an id that no area has.
    pub(crate) fn find(&self, check: &mut Checker<'_, '_>, spot: Spot<'_>) -> Option<usize> {
        let found = self.by_id.get(spot.text).copied();
        if found.is_none() && self.complete {
            let pool = self.by_id.keys().map(String::as_str);
            check.unknown(spot, Code::UnknownReference, "areas.csv has no area", pool);
        }
        found
    }
}

struct Row<'t> {
    id: &'t str,
    at: usize,
    parent: Option<usize>,
    name: &'t str,
    kind: &'t str,
}

pub(crate) fn parse(check: &mut Checker<'_, '_>) -> Areas {
    let table = Table::read(check);
    let schema = ["id", "parent", "name", "kind"].map(Column::Required);
    let Some(columns) = table.columns(&schema, check) else { return Areas::unreadable() };
    let mut complete = table.complete;
    let (mut seen, mut rows, mut parents) = (BTreeMap::new(), Vec::new(), Vec::new());
    for [id, parent, name, kind] in table.select(columns) {
        let (at, name, kind) = (id.at, check.text("name", name), check.text("kind", kind));
        match check.new_id("id", id, &mut seen) {
            Some(id) => {
                rows.push(Row { id, at, parent: None, name: if name.is_empty() { id } else { name }, kind });
                parents.push(parent);
            }
            None => complete = false,
        }
    }
    link(&mut rows, &parents, complete, check);
    let list = in_order(&rows, check);
    let by_id = list.iter().enumerate().map(|(index, area)| (area.id.clone(), index)).collect();
    Areas { list, by_id, complete }
}

/// Resolves the parents' ids and checks that there is one root.
fn link(rows: &mut [Row<'_>], parents: &[Spot<'_>], complete: bool, check: &mut Checker<'_, '_>) {
    let by_id: BTreeMap<&str, usize> = rows.iter().enumerate().map(|(index, row)| (row.id, index)).collect();
    let mut root: Option<&str> = None;
    for (row, parent) in rows.iter_mut().zip(parents) {
        row.parent = by_id.get(parent.text).copied();
        if !parent.text.is_empty() {
            if row.parent.is_none() && complete {
                check.unknown(*parent, Code::UnknownReference, "no area has the id", by_id.keys().copied());
            }
        } else if let Some(first) = root {
            let what = format!(
                "area {} has no parent, but {} is the root already; give it a parent",
                shown(row.id),
                shown(first)
            );
            check.add(row.at, Code::SeveralRoots, what);
        } else {
            root = Some(row.id);
        }
    }
    if root.is_none() && complete {
        check.add(0, Code::NoRoot, "no area is the root; leave `parent` empty for the area that holds all others");
    }
}

#[derive(Clone, Copy, PartialEq)]
enum Visit {
    New,
    Climbing,
    Placed(usize),
}

/// The areas, each after its parent, otherwise in source order; reports circles. Walks without recursion: a hostile
/// chain may be as deep as the file is long.
fn in_order(rows: &[Row<'_>], check: &mut Checker<'_, '_>) -> Vec<Area> {
    let mut visits = vec![Visit::New; rows.len()];
    let mut list: Vec<Area> = Vec::with_capacity(rows.len());
    for start in 0..rows.len() {
        let mut path = Vec::new();
        let mut next = Some(start);
        while let Some(index) = next.filter(|&index| visits[index] == Visit::New) {
            visits[index] = Visit::Climbing;
            path.push(index);
            next = rows[index].parent;
        }
        if let Some(meeting) = next.filter(|&index| visits[index] == Visit::Climbing) {
            report_cycle(rows, &path, meeting, check);
        }
        for index in path.into_iter().rev() {
            let row = &rows[index];
            let parent = row.parent.and_then(|parent| match visits[parent] {
                Visit::Placed(place) => Some(place),
                _ => None,
            });
            visits[index] = Visit::Placed(list.len());
            list.push(Area { id: row.id.into(), parent, name: row.name.into(), kind: row.kind.into() });
        }
    }
    list
}

fn report_cycle(rows: &[Row<'_>], path: &[usize], meeting: usize, check: &mut Checker<'_, '_>) {
    let circle: Vec<_> = path.iter().skip_while(|&&index| index != meeting).map(|&index| &rows[index]).collect();
    let ids: Vec<_> = circle.iter().take(8).map(|row| shown(row.id)).collect();
    let more = if circle.len() > ids.len() { " → …" } else { "" };
    let what = format!("areas lie in a circle: {}{more}; give one of them a parent outside it", ids.join(" → "));
    check.add(circle.iter().map(|row| row.at).min().unwrap_or(0), Code::Cycle, what);
}
