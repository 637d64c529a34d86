//! `stations.csv`: the register.

use std::collections::BTreeMap;

use ed25519_dalek::VerifyingKey;

use super::{
    super::{Station, StationKind},
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
    for [id, name, area, registered, kind, key] in table.select(columns) {
        let id = check.new_id("id", id, &mut ids);
        let name = check.text("name", name);
        let area = areas.find(check, area);
        let registered = if registered.text.is_empty() { None } else { check.number("registered", registered) };
        let kind = station_kind(check, kind);
        let key = if key.text.is_empty() { None } else { public_key(check, key, &mut keys) };
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

fn public_key(check: &mut Checker<'_, '_>, spot: Spot<'_>, keys: &mut BTreeMap<[u8; 32], usize>) -> Option<[u8; 32]> {
    let mut key = [0; 32];
    if hex::decode_to_slice(spot.text, &mut key).is_err() {
        let what =
            format!("key {} is not 64 hex digits; paste the station's public key or leave it empty", shown(spot.text));
        check.add(spot.at, Code::BadKey, what);
        return None;
    }
    if !is_usable(&key) {
        let what =
            "not a usable Ed25519 public key (no point of the curve, or of small order); enrol the station again";
        check.add(spot.at, Code::BadKey, what);
        return None;
    }
    if let Some(&first) = keys.get(&key) {
        let what =
            format!("this key already stands at {}; each station needs a key of its own", check.source.place(first));
        check.add(spot.at, Code::DuplicateKey, what);
        return None;
    }
    keys.insert(key, spot.at);
    Some(key)
}

/// A point of the curve, in its only encoding (a second spelling would pass for a second key), not of small order (such
/// a key accepts signatures that nobody made).
fn is_usable(key: &[u8; 32]) -> bool {
    let [low, middle @ .., high] = key;
    let beyond_prime = *low >= 0xed && middle.iter().all(|&byte| byte == 0xff) && high & 0x7f == 0x7f;
    !beyond_prime && VerifyingKey::from_bytes(key).is_ok_and(|point| !point.is_weak())
}
