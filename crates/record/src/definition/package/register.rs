//! `stations.csv`: the register.

use std::collections::BTreeMap;

use rayon::prelude::*;

use super::{
    super::{Station, StationKey, StationKind},
    areas::Areas,
    report::{Checker, Code, Spot, shown},
    table::{Column, Table},
};

const COLUMNS: [Column; 6] = [
    Column::Required("id"),
    Column::Optional("name"),
    Column::Required("area"),
    Column::Required("registered"),
    Column::Optional("kind"),
    Column::Optional("key"),
];

pub(crate) fn parse(check: &mut Checker<'_, '_>, areas: &Areas) -> Option<Vec<Station>> {
    let table = Table::read(check);
    let columns = table.columns(&COLUMNS, check)?;
    if table.rows.is_empty() && table.complete {
        check.add(0, Code::NoStation, "the register has no station; add one row per polling station");
    }
    if u32::try_from(table.rows.len()).is_err() {
        check.add(0, Code::TooMany, format!("more than {} stations; split the election", u32::MAX));
    }
    let (mut ids, mut keys) = (BTreeMap::new(), BTreeMap::new());
    let mut stations = Vec::with_capacity(table.rows.len());
    let rows: Vec<_> = table.select(columns).collect();
    // Decompressing the keys is most of the work of reading a register.
    let read: Vec<_> = rows.par_iter().map(|[.., key]| read_key(key.text)).collect();
    for ([id, name, area, registered, kind, key], read) in rows.into_iter().zip(read) {
        let id = check.new_id("id", id, &mut ids);
        let name = check.text("name", name);
        let area = areas.find(check, area);
        let registered = if registered.text.is_empty() { None } else { check.number("registered", registered) };
        let kind = station_kind(check, kind);
        let key = own_key(check, key.at, read, &mut keys);
        if let (Some(id), Some(area)) = (id, area) {
            let name = if name.is_empty() { id } else { name };
            stations.push(Station { id: id.into(), name: name.into(), area, registered, kind, key });
        }
    }
    Some(stations)
}

fn station_kind(check: &mut Checker<'_, '_>, spot: Spot<'_>) -> StationKind {
    match spot.text {
        "" | "ordinary" => StationKind::Ordinary,
        "special" => StationKind::Special,
        _ => {
            check.unknown(spot, Code::Word, "kind is `ordinary` or `special`, not", ["ordinary", "special"]);
            StationKind::Ordinary
        }
    }
}

pub(crate) fn read_key(text: &str) -> Result<Option<Box<StationKey>>, String> {
    if text.is_empty() {
        return Ok(None);
    }
    let mut bytes = [0; 32];
    hex::decode_to_slice(text, &mut bytes)
        .map_err(|_| format!("key {} is not 64 hex digits; paste the public key", shown(text)))?;
    StationKey::try_from(bytes).map(|key| Some(Box::new(key))).map_err(|error| format!("{error}; make another one"))
}

/// Each station's own key: whoever had another station's key could speak for it.
fn own_key(
    check: &mut Checker<'_, '_>,
    at: usize,
    read: Result<Option<Box<StationKey>>, String>,
    keys: &mut BTreeMap<[u8; 32], usize>,
) -> Option<Box<StationKey>> {
    let key = read.unwrap_or_else(|what| {
        check.add(at, Code::BadKey, what);
        None
    })?;
    if let Some(&first) = keys.get(key.as_bytes()) {
        let what =
            format!("this key already stands at {}; each station needs a key of its own", check.source.place(first));
        check.add(at, Code::DuplicateKey, what);
        return None;
    }
    keys.insert(*key.as_bytes(), at);
    Some(key)
}
