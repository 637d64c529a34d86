//! `index/statements.json`: what every statement of the log did (`docs/spec/bundle.md`).

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;
use tallyproof_record::{
    ContestNo, Election, StationNo,
    definition::{Figure, Named},
    statement::{Act, Bulletin, Correction, Endorsement, Holder, KeyChange, Remark, Verdict},
};

use crate::{
    effect::Effect,
    judge::Signer,
    ledger::Ledger,
    statements::{CorrectionView, Fault, StatementEntry},
};

/// Format number of `index/statements.json`.
const FORMAT: u8 = 1;

/// One line of JSON, ended by LF. Same log prefix, same bytes.
pub(crate) fn render(ledger: &Ledger) -> Vec<u8> {
    let election = ledger.definition().election();
    let effects: BTreeMap<u64, _> = ledger.effects().map(|(view, effect)| (view.entry, (view, effect))).collect();
    let statements = ledger.statements().iter();
    let file = File {
        format: FORMAT,
        election: election.id(),
        phase: election.phase().as_str(),
        definition: ledger.definition().hash().to_string(),
        tree_size: ledger.entries(),
        policy: ledger.policy_lines(),
        statements: statements.map(|entry| Row::new(election, entry, effects.get(&entry.entry))).collect(),
        endorsements: endorsements(ledger),
    };
    // Maps with text keys and integers always have a JSON form.
    let mut bytes = serde_json::to_vec(&file).unwrap_or_default();
    bytes.push(b'\n');
    bytes
}

#[derive(Serialize)]
struct File<'a> {
    format: u8,
    election: &'a str,
    phase: &'a str,
    definition: String,
    tree_size: u64,
    policy: &'a [String],
    statements: Vec<Row<'a>>,
    endorsements: Vec<EndorsedRow<'a>>,
}

#[derive(Serialize)]
struct Row<'a> {
    entry: u64,
    kind: &'static str,
    id: String,
    made_at: u64,
    signers: Vec<Person<'a>>,
    /// Why it has no effect.
    code: Option<&'static str>,
    #[serde(flatten)]
    says: Says<'a>,
}

#[derive(Serialize)]
struct Person<'a> {
    role: &'static str,
    id: &'a str,
}

#[derive(Serialize)]
#[serde(untagged)]
enum Says<'a> {
    Key { change: &'static str, role: &'static str, holder: &'a str, key: String },
    Endorsement { station: Option<&'a str>, record: String, remark: Option<&'static str> },
    Correction(Box<CorrectionRow<'a>>),
    Bulletin { number: u32, of: u64, root: String, totals: String, document: String },
    Policy { lines: &'a [String] },
}

#[derive(Serialize)]
struct CorrectionRow<'a> {
    station: Option<&'a str>,
    contest: Option<&'a str>,
    stage: &'static str,
    reason: &'static str,
    annulled: bool,
    replaces: Vec<String>,
    in_force: bool,
    codes: Vec<&'static str>,
    effect: Option<Changes<'a>>,
}

/// What changed; what did not is left out.
#[derive(Serialize)]
struct Changes<'a> {
    stations: i64,
    lines: BTreeMap<&'a str, i64>,
    candidates: BTreeMap<&'a str, i64>,
    parties: BTreeMap<&'a str, i64>,
    figures: BTreeMap<&'a str, i64>,
}

#[derive(Serialize)]
struct EndorsedRow<'a> {
    record: String,
    station: &'a str,
    /// Absent where the log has no such record of the station.
    contest: Option<&'a str>,
    entry: Option<u64>,
    signers: Vec<Person<'a>>,
}

type InEffect<'a> = (CorrectionView<'a>, Effect);

impl<'a> Row<'a> {
    fn new(election: &'a Election, entry: &'a StatementEntry, effect: Option<&InEffect<'a>>) -> Self {
        Self {
            entry: entry.entry,
            kind: entry.statement.kind().as_str(),
            id: hex::encode(entry.id),
            made_at: entry.statement.made_at,
            signers: people(election, &entry.signers),
            code: entry.fault.map(Fault::code),
            says: Says::new(election, &entry.statement.act, effect),
        }
    }
}

impl<'a> Says<'a> {
    fn new(election: &'a Election, act: &'a Act, effect: Option<&InEffect<'a>>) -> Self {
        match act {
            Act::Key(change) => Self::key(election, change),
            Act::Endorsement(Endorsement { station, record, remark }) => Self::Endorsement {
                station: station_id(election, *station),
                record: hex::encode(record),
                remark: remark.map(Remark::code),
            },
            Act::Correction(correction) => Self::Correction(Box::new(CorrectionRow::new(election, correction, effect))),
            Act::Bulletin(Bulletin { number, tree_size, root, totals, document }) => Self::Bulletin {
                number: *number,
                of: *tree_size,
                root: hex::encode(root),
                totals: hex::encode(totals),
                document: hex::encode(document),
            },
            Act::Policy(lines) => Self::Policy { lines },
        }
    }

    fn key(election: &'a Election, change: &'a KeyChange) -> Self {
        let (change, holder, key) = match change {
            KeyChange::Enrol { holder, key } => ("enrol", holder, hex::encode(key.as_bytes())),
            KeyChange::Revoke { holder, key } => ("revoke", holder, hex::encode(key.0)),
        };
        let (role, holder) = match holder {
            Holder::Station(no) => ("station", station_id(election, *no).unwrap_or_default()),
            Holder::Agent(id) => ("agent", id.as_str()),
        };
        Self::Key { change, role, holder, key }
    }
}

impl<'a> CorrectionRow<'a> {
    fn new(election: &'a Election, correction: &Correction, effect: Option<&InEffect<'a>>) -> Self {
        Self {
            station: station_id(election, correction.station),
            contest: contest_id(election, correction.contest),
            stage: correction.stage.as_str(),
            reason: correction.reason.code(),
            annulled: correction.verdict == Verdict::Annulled,
            replaces: correction.replaces.iter().map(hex::encode).collect(),
            in_force: effect.is_some_and(|(view, _)| view.in_force),
            codes: effect.map(|(view, _)| view.codes.codes()).unwrap_or_default(),
            effect: effect.and_then(|(view, effect)| Changes::new(election, view.contest, effect)),
        }
    }
}

impl<'a> Changes<'a> {
    fn new(election: &'a Election, contest: ContestNo, effect: &Effect) -> Option<Self> {
        let contest = election.contest(contest)?;
        let (mut candidates, mut parties) = (vec![0; contest.candidates.len()], vec![0; contest.parties.len()]);
        for (line, change) in contest.lines.iter().zip(&effect.lines) {
            candidates[line.candidate] += change;
            if let Some(party) = line.party {
                parties[party] += change;
            }
        }
        Some(Self {
            stations: effect.stations,
            lines: changed(contest.lines.iter().map(|line| line.id.as_str()).zip(effect.lines.iter().copied())),
            candidates: changed(ids(&contest.candidates).zip(candidates)),
            parties: changed(ids(&contest.parties).zip(parties)),
            figures: changed(Figure::ALL.iter().map(|figure| figure.as_str()).zip(effect.figures)),
        })
    }
}

fn changed<'a>(all: impl Iterator<Item = (&'a str, i64)>) -> BTreeMap<&'a str, i64> {
    all.filter(|(_, change)| *change != 0).collect()
}

fn ids(named: &[Named]) -> impl Iterator<Item = &str> {
    named.iter().map(|named| named.id.as_str())
}

fn endorsements(ledger: &Ledger) -> Vec<EndorsedRow<'_>> {
    let election = ledger.definition().election();
    let row = |(record, station, by)| {
        let found = ledger.find(station, &record);
        EndorsedRow {
            record: hex::encode(record),
            station: station_id(election, station).unwrap_or_default(),
            contest: found.and_then(|(contest, _)| contest_id(election, contest)),
            entry: found.map(|(_, entry)| entry),
            signers: people(election, by),
        }
    };
    ledger.book().endorsed().map(row).collect()
}

fn people<'a>(election: &'a Election, signers: &'a BTreeSet<Signer>) -> Vec<Person<'a>> {
    signers.iter().map(|signer| Person { role: signer.role(), id: signer.id(election) }).collect()
}

fn station_id(election: &Election, station: StationNo) -> Option<&str> {
    election.station(station).map(|station| station.id.as_str())
}

fn contest_id(election: &Election, contest: ContestNo) -> Option<&str> {
    election.contest(contest).map(|contest| contest.id.as_str())
}
