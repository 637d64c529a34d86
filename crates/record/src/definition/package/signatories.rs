//! `[authority]` and `[[agent]]` of `election.toml`: who may speak beside the stations.

use std::collections::BTreeMap;

use toml::{Spanned, de::DeValue};

use super::{
    super::{Agent, Authority, Member, Station, StationKey},
    head::{Keys, number},
    register::read_key,
    report::{Checker, Code, shown},
};
use crate::cose::KeyId;

const AUTHORITY_KEYS: [&str; 2] = ["threshold", "member"];
const MEMBER_KEYS: [&str; 2] = ["name", "key"];
const AGENT_KEYS: [&str; 3] = ["id", "name", "key"];
/// Most agents that a definition can name; whoever signs is looked for among all of them.
const MAX_AGENTS: usize = 4096;

/// Members and agents, and the byte offset of each key. By key id: a signature names its key by that alone.
#[derive(Default)]
pub(crate) struct Signatories {
    pub(crate) authority: Option<Authority>,
    pub(crate) agents: Vec<Agent>,
    keys: BTreeMap<KeyId, usize>,
}

pub(crate) fn parse(check: &mut Checker<'_, '_>, keys: Keys<'_, '_>) -> Signatories {
    let mut found = Signatories::default();
    found.authority = authority(check, keys, &mut found.keys);
    found.agents = agents(check, keys, &mut found.keys);
    found
}

/// Whoever had a station's key as well could endorse its own record.
pub(crate) fn keys_of_stations(check: &mut Checker<'_, '_>, found: &Signatories, stations: &[Station]) {
    if found.keys.is_empty() {
        return;
    }
    for station in stations {
        let id = station.key.as_ref().map(|key| key.id());
        if let Some(&at) = id.and_then(|id| found.keys.get(&id)) {
            let what = format!("station {} has this key too; give each a key of its own", shown(&station.id));
            check.add(at, Code::DuplicateKey, what);
        }
    }
}

fn authority(check: &mut Checker<'_, '_>, keys: Keys<'_, '_>, taken: &mut BTreeMap<KeyId, usize>) -> Option<Authority> {
    let value = keys.get("authority")?;
    let at = value.span().start;
    let Some(table) = value.get_ref().as_table() else {
        check.add(at, Code::WrongType, "write the authority as an `[authority]` table");
        return None;
    };
    let keys = Keys { table, at };
    keys.only(check, &AUTHORITY_KEYS);
    let mut names = BTreeMap::new();
    let tables = keys.tables(check, "member", "write each member as an `[[authority.member]]` table");
    let members: Vec<_> = tables.iter().filter_map(|&keys| member(check, keys, &mut names, taken)).collect();
    let Some(value) = keys.get("threshold") else {
        check.add(at, Code::MissingKey, "`threshold` is missing; add `threshold = ` and how many members have to sign");
        return None;
    };
    let threshold = number(value.get_ref()).and_then(|number| u8::try_from(number).ok());
    let most = tables.len().min(Authority::MAX_MEMBERS);
    if !threshold.is_some_and(|threshold| (1..=most).contains(&usize::from(threshold)))
        || tables.len() > Authority::MAX_MEMBERS
    {
        let what = format!(
            "`threshold` has to be a whole number from 1 to the number of members, {}, of whom there can be {}",
            tables.len(),
            Authority::MAX_MEMBERS
        );
        check.add(value.span().start, Code::Threshold, what);
    }
    Authority::new(threshold?, members)
}

fn member<'t>(
    check: &mut Checker<'_, '_>,
    keys: Keys<'t, '_>,
    names: &mut BTreeMap<&'t str, usize>,
    taken: &mut BTreeMap<KeyId, usize>,
) -> Option<Member> {
    keys.only(check, &MEMBER_KEYS);
    let name = keys.required(check, "name");
    if let Some(name) = name.filter(|name| name.text.contains(char::is_uppercase)) {
        let what = format!("name {} has upper-case letters; write it in lower case", shown(name.text));
        check.add(name.at, Code::BadId, what);
    }
    let name = name.and_then(|name| check.new_id("name", name, names));
    let key = own_key(check, keys, taken);
    Some(Member { name: name?.into(), key: key? })
}

fn agents(check: &mut Checker<'_, '_>, keys: Keys<'_, '_>, taken: &mut BTreeMap<KeyId, usize>) -> Vec<Agent> {
    let tables = keys.tables(check, "agent", "write each agent as an `[[agent]]` table");
    if tables.len() > MAX_AGENTS {
        check.add(0, Code::TooMany, format!("more than {MAX_AGENTS} agents; enrol the others in the log"));
    }
    let mut ids = BTreeMap::new();
    tables.into_iter().filter_map(|keys| agent(check, keys, &mut ids, taken)).collect()
}

fn agent<'t>(
    check: &mut Checker<'_, '_>,
    keys: Keys<'t, '_>,
    ids: &mut BTreeMap<&'t str, usize>,
    taken: &mut BTreeMap<KeyId, usize>,
) -> Option<Agent> {
    keys.only(check, &AGENT_KEYS);
    let id = keys.required(check, "id").and_then(|id| check.new_id("id", id, ids));
    let name = keys.name(check);
    let key = own_key(check, keys, taken);
    Some(Agent { id: id?.into(), name: name.into(), key: key? })
}

/// A key that nobody else of the file has.
fn own_key(check: &mut Checker<'_, '_>, keys: Keys<'_, '_>, taken: &mut BTreeMap<KeyId, usize>) -> Option<StationKey> {
    let spot = keys.required(check, "key")?;
    let key = match read_key(spot.text) {
        Ok(Some(key)) => *key,
        Ok(None) => {
            check.add(spot.at, Code::BadKey, "`key` is empty; paste the public key, 64 hex digits");
            return None;
        }
        Err(what) => {
            check.add(spot.at, Code::BadKey, what);
            return None;
        }
    };
    if let Some(&first) = taken.get(&key.id()) {
        let place = check.source.place(first);
        check.add(
            spot.at,
            Code::DuplicateKey,
            format!("this key already stands at {place}; give each a key of its own"),
        );
        return None;
    }
    taken.insert(key.id(), spot.at);
    Some(key)
}

impl<'t, 'a> Keys<'t, 'a> {
    /// The tables of an array of tables; none where the key is absent.
    fn tables(self, check: &mut Checker<'_, '_>, key: &str, advice: &str) -> Vec<Keys<'t, 'a>> {
        let Some(value) = self.get(key) else { return Vec::new() };
        let Some(array) = value.get_ref().as_array() else {
            check.add(value.span().start, Code::WrongType, advice);
            return Vec::new();
        };
        let table = |value: &'t Spanned<DeValue<'a>>| {
            let (table, at) = (value.get_ref().as_table(), value.span().start);
            if table.is_none() {
                check.add(at, Code::WrongType, advice);
            }
            table.map(|table| Keys { table, at })
        };
        array.iter().filter_map(table).collect()
    }
}
