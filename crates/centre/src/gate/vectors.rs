//! Golden datagrams, in order, because the gate remembers: `vectors/gate.json` holds other implementations to them, and [`super::filter`].
//! `UPDATE_VECTORS=1 cargo test -p tallyproof-centre vectors` rewrites the file.

use std::fmt::Write;

use tallyproof_record::frame::{ATTEMPT_WINDOW, encode};

use super::*;
use crate::testing;

pub(super) const MASTER: [u8; 32] = [5; 32];
pub(super) const NOW: u64 = 1_800_000_000_000;
const STATIONS: u32 = 3;

/// A datagram, and when it comes.
pub(super) struct Case {
    pub(super) name: &'static str,
    after_ms: u64,
    /// Its first bytes.
    start: Vec<u8>,
    /// How many zeros follow: the longest record need not be spelled out.
    zeros: usize,
}

impl Case {
    pub(super) fn datagram(&self) -> Vec<u8> {
        [self.start.as_slice(), &vec![0; self.zeros]].concat()
    }

    /// The same, later.
    fn after(self, after_ms: u64) -> Self {
        Self { after_ms, ..self }
    }
}

pub(super) fn gate() -> Gate {
    Gate::new(&testing::election(STATIONS), &MASTER, 1)
}

pub(super) fn datagram(station: u32, epoch: u32, attempt: u32) -> Vec<u8> {
    carrying(b"body", station, epoch, attempt)
}

fn carrying(body: &[u8], station: u32, epoch: u32, attempt: u32) -> Vec<u8> {
    let key = MacKey::derive(&MASTER, testing::election(STATIONS).hash(), epoch, StationNo(station));
    encode(StationNo(station), epoch, attempt, body, &key)
}

fn case(name: &'static str, start: Vec<u8>) -> Case {
    Case { name, after_ms: 0, start, zeros: 0 }
}

pub(super) fn cases() -> Vec<Case> {
    [form(), keys(), attempts(), quota()].into_iter().flatten().collect()
}

fn altered(at: usize) -> Vec<u8> {
    let mut bytes = datagram(1, 1, attempt_at(NOW));
    bytes[at] ^= 1;
    bytes
}

/// What the kernel's filter can tell.
fn form() -> Vec<Case> {
    let now = attempt_at(NOW);
    let mut longest = carrying(&vec![0; cose::MAX_LEN], 1, 1, now - 1);
    longest.truncate(HEADER_LEN);
    vec![
        case("empty", Vec::new()),
        case("header only", datagram(1, 1, now)[..48].to_vec()),
        case("other magic", altered(0)),
        case("other version", altered(2)),
        case("a receipt", [b"TP\x01\x02".as_slice(), &[0; 104]].concat()),
        Case { zeros: cose::MAX_LEN, ..case("as long as may be", longest.clone()) },
        Case { zeros: cose::MAX_LEN + 1, ..case("a byte longer", longest) },
    ]
}

fn keys() -> Vec<Case> {
    let now = attempt_at(NOW);
    vec![
        case("station 0", datagram(0, 1, now)),
        case("station beyond the register", datagram(4, 1, now)),
        case("other epoch", datagram(1, 2, now)),
        case("tag changed", altered(47)),
        case("attempt changed", altered(15)),
        case("an hour and a tick old", datagram(1, 1, now - ATTEMPT_WINDOW - 1)),
        case("an hour and a tick early", datagram(1, 1, now + ATTEMPT_WINDOW + 1)),
        case("body changed", altered(48)),
    ]
}

fn attempts() -> Vec<Case> {
    let now = attempt_at(NOW);
    vec![
        case("good", datagram(1, 1, now)),
        case("the same again", datagram(1, 1, now)),
        case("an older attempt", datagram(1, 1, now - 2)),
        case("the next attempt", datagram(1, 1, now + 1)),
        case("another station", datagram(2, 1, now)),
        case("a tick more than a minute ahead", datagram(2, 1, now + NEAR + 1)),
        case("ahead, the same again", datagram(2, 1, now + NEAR + 1)),
        case("ahead, the whole hour", datagram(2, 1, now + ATTEMPT_WINDOW)),
        case("ahead, but below the last one ahead", datagram(2, 1, now + ATTEMPT_WINDOW - 1)),
        case("a right clock after those ahead", datagram(2, 1, now + 1)),
        case("a minute ahead: a right clock still", datagram(2, 1, now + NEAR)),
        case("a right clock, held up by it", datagram(2, 1, now + 2)),
        case("a right clock, a minute later", datagram(2, 1, now + NEAR + 1)).after(60_250),
    ]
}

/// One contest: 18 at once, then four a second.
fn quota() -> Vec<Case> {
    let now = attempt_at(NOW + 60_250);
    let station_3 = |name, tick| case(name, datagram(3, 1, now + tick)).after(60_250);
    let mut cases: Vec<Case> = (1..=18).map(|tick| station_3("within the quota", tick)).collect();
    cases.extend([
        station_3("beyond the quota", 19),
        station_3("a replay spends nothing", 18),
        station_3("a tick later there is room for one", 19).after(60_500),
        station_3("and no more", 20).after(60_500),
        station_3("which is not spent", 20).after(60_750),
    ]);
    cases
}

#[test]
fn committed_vectors_are_what_the_gate_says() {
    let mut gate = gate();
    let mut lines = Vec::new();
    for case in cases() {
        let verdict = match gate.admit(NOW + case.after_ms, &case.datagram()) {
            Verdict::Admit { .. } => "admit",
            Verdict::Drop(reason) => reason.as_str(),
        };
        lines.push(format!(
            "{{\"name\": \"{}\", \"after_ms\": {}, \"verdict\": \"{verdict}\", \"datagram\": \"{}\", \"zeros\": {}}}",
            case.name,
            case.after_ms,
            hex(&case.start),
            case.zeros
        ));
    }
    let text = format!(
        "{{\n  \"about\": \"Datagrams at the centre's gate, in this order, each so long after now_millis and followed by so many \
         zeros (docs/spec/record.md).\",\n  \"master\": \"{}\",\n  \"definition\": \"{}\",\n  \"epoch\": 1,\n  \
         \"stations\": {STATIONS},\n  \"contests\": 1,\n  \"now_millis\": {NOW},\n  \"cases\": [\n    {}\n  ]\n}}\n",
        hex(&MASTER),
        testing::election(STATIONS).hash(),
        lines.join(",\n    ")
    );
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../vectors/gate.json");
    if std::env::var_os("UPDATE_VECTORS").is_some() {
        std::fs::write(path, &text).unwrap();
    }
    assert_eq!(std::fs::read_to_string(path).unwrap(), text);
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut text, byte| {
        write!(text, "{byte:02x}").unwrap();
        text
    })
}
