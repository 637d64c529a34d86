//! A statement in words, so that whoever signs it reads what he signs.

use std::fmt::Write;

use jiff::Timestamp;
use sha2::{Digest, Sha256};

use super::{Act, Bulletin, Correction, Endorsement, Holder, KeyChange, Statement, Verdict, wire};
use crate::definition::{ContestNo, Election, StationNo};

impl Statement {
    /// Everything that it says, a line each, ended by its identity: who compares that has compared all. Stations, contests and
    /// ballot lines get the names that `election` has for them.
    pub fn describe(&self, election: &Election) -> String {
        let mut out = Lines(String::new());
        out.line("statement", self.kind().as_str());
        out.line("election", &format!("{} ({}), definition {}", election.id(), self.phase, self.election));
        let time = i64::try_from(self.made_at).ok().and_then(|second| Timestamp::from_second(second).ok());
        out.line("made at", &time.map_or_else(|| format!("{} s", self.made_at), |time| time.to_string()));
        match &self.act {
            Act::Key(change) => key_change(&mut out, change, election),
            Act::Endorsement(endorsement) => endorsed(&mut out, endorsement, election),
            Act::Correction(correction) => corrected(&mut out, correction, election),
            Act::Bulletin(bulletin) => announced(&mut out, bulletin),
            Act::Policy(lines) => lines.iter().for_each(|line| out.line("policy", line)),
        }
        out.line("identity", &hex::encode(Sha256::digest(wire::encode_payload(self))));
        out.0
    }
}

struct Lines(String);

impl Lines {
    fn line(&mut self, name: &str, value: &str) {
        // Writing to a `String` cannot fail.
        let _ = writeln!(self.0, "{name:<12} {value}");
    }
}

fn station(no: StationNo, election: &Election) -> String {
    let found = election.station(no);
    let name =
        found.map_or_else(|| "not in the register".to_owned(), |station| format!("{} ({})", station.id, station.name));
    format!("number {no}: {name}")
}

fn contest(no: ContestNo, election: &Election) -> String {
    let found = election.contest(no);
    let name = found.map_or_else(|| "not in the definition".to_owned(), |it| format!("{} ({})", it.id, it.name));
    format!("number {no}: {name}")
}

fn key_change(out: &mut Lines, change: &KeyChange, election: &Election) {
    let (KeyChange::Enrol { holder, .. } | KeyChange::Revoke { holder, .. }) = change;
    match holder {
        Holder::Station(no) => out.line("station", &station(*no, election)),
        Holder::Agent(id) => out.line("agent", id),
    }
    match change {
        KeyChange::Enrol { key, .. } => out.line("enrols key", &hex::encode(key.as_bytes())),
        KeyChange::Revoke { key, .. } => out.line("revokes key", &hex::encode(key.0)),
    }
}

fn endorsed(out: &mut Lines, endorsement: &Endorsement, election: &Election) {
    out.line("station", &station(endorsement.station, election));
    out.line("record", &hex::encode(endorsement.record));
    if let Some(remark) = endorsement.remark {
        out.line("remark", &format!("{}: {}", remark.code(), remark.text()));
    }
}

fn corrected(out: &mut Lines, correction: &Correction, election: &Election) {
    out.line("station", &station(correction.station, election));
    out.line("contest", &contest(correction.contest, election));
    out.line("stage", correction.stage.as_str());
    out.line("reason", &format!("{}: {}", correction.reason.code(), correction.reason.text()));
    if correction.replaces.is_empty() {
        out.line("replaces", "nothing");
    }
    for digest in &correction.replaces {
        out.line("replaces", &hex::encode(digest));
    }
    let Verdict::Figures(figures) = &correction.verdict else {
        return out.line("annulled", "the station's poll in this contest counts no longer");
    };
    let lines = election.contest(correction.contest).map_or(&[][..], |contest| &contest.lines);
    for (at, count) in figures.counts.iter().enumerate() {
        let name = lines.get(at).map_or_else(|| "not on the ballot".to_owned(), |l| format!("{} ({})", l.id, l.name));
        out.line(&format!("line {}", at + 1), &format!("{count:>9}  {name}"));
    }
    for (figure, value) in &figures.stated {
        out.line(figure.as_str(), &format!("{value:>9}"));
    }
}

fn announced(out: &mut Lines, bulletin: &Bulletin) {
    out.line("number", &bulletin.number.to_string());
    out.line("tree size", &bulletin.tree_size.to_string());
    out.line("root", &hex::encode(bulletin.root));
    out.line("totals", &hex::encode(bulletin.totals));
    out.line("document", &hex::encode(bulletin.document));
}
