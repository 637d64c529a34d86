//! Canonical files of a definition and the hash that names it.

mod decision;

use std::{
    fmt::{self, Write as _},
    str::FromStr,
};

use sha2::{Digest, Sha256};

use super::{Contest, Election, Named, StationKind};

/// SHA-256 of the definition manifest: the identity of an election.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct DefinitionHash(pub [u8; 32]);

impl fmt::Display for DefinitionHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&hex::encode(self.0))
    }
}

impl fmt::Debug for DefinitionHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl FromStr for DefinitionHash {
    type Err = hex::FromHexError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let mut hash = [0; 32];
        hex::decode_to_slice(text, &mut hash)?;
        Ok(Self(hash))
    }
}

/// The definition in its one canonical form.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Canonical {
    /// File name and bytes, sorted by name.
    pub files: [(&'static str, Vec<u8>); 4],
    /// The definition manifest: entry 0 of the log.
    pub manifest: String,
    /// SHA-256 of `manifest`.
    pub hash: DefinitionHash,
}

impl Election {
    /// Renders the definition's four files canonically and hashes them (`docs/spec/package.md`).
    pub fn canonical(&self) -> Canonical {
        let files = [
            ("areas.csv", self.areas_csv().into_bytes()),
            ("ballot.csv", self.ballot_csv().into_bytes()),
            ("election.toml", self.election_toml().into_bytes()),
            ("stations.csv", self.stations_csv().into_bytes()),
        ];
        let mut manifest = String::from("tallyproof-definition v1\n");
        for (name, bytes) in &files {
            manifest.push_str(&hex::encode(Sha256::digest(bytes)));
            manifest.push_str("  ");
            manifest.push_str(name);
            manifest.push('\n');
        }
        let hash = DefinitionHash(Sha256::digest(&manifest).into());
        Canonical { files, manifest, hash }
    }

    fn area_id(&self, index: usize) -> &str {
        self.areas.get(index).map_or("", |area| &area.id)
    }

    fn areas_csv(&self) -> String {
        let mut out = String::from("id,parent,name,kind\n");
        for area in &self.areas {
            let parent = area.parent.map_or("", |parent| self.area_id(parent));
            csv_row(&mut out, [&area.id, parent, &area.name, &area.kind]);
        }
        out
    }

    fn stations_csv(&self) -> String {
        let mut out = String::from("id,name,area,registered,kind,key\n");
        for station in &self.stations {
            let registered = station.registered.map(|voters| voters.to_string()).unwrap_or_default();
            let kind = match station.kind {
                StationKind::Ordinary => "ordinary",
                StationKind::Special => "special",
            };
            let key = station.key.as_ref().map(|key| hex::encode(key.as_bytes())).unwrap_or_default();
            csv_row(&mut out, [&station.id, &station.name, self.area_id(station.area), &registered, kind, &key]);
        }
        out
    }

    fn ballot_csv(&self) -> String {
        let mut out = String::from("contest,line,name,candidate,candidate_name,party,party_name\n");
        for contest in &self.contests {
            for line in &contest.lines {
                let (candidate, candidate_name) = id_and_name(contest.candidates.get(line.candidate));
                let (party, party_name) = id_and_name(line.party.and_then(|party| contest.parties.get(party)));
                csv_row(&mut out, [&*contest.id, &line.id, &line.name, candidate, candidate_name, party, party_name]);
            }
        }
        out
    }

    fn election_toml(&self) -> String {
        let mut out = String::from("format = 1\n");
        toml_string(&mut out, "id", &self.id);
        toml_string(&mut out, "name", &self.name);
        toml_string(&mut out, "date", &self.date);
        toml_string(&mut out, "phase", self.phase.as_str());
        if let Some(close) = &self.polls_close {
            toml_string(&mut out, "polls_close", &close.text);
        }
        if let Some(source) = &self.source {
            toml_string(&mut out, "source", source);
        }
        for contest in &self.contests {
            self.contest_toml(&mut out, contest);
        }
        self.witnesses_toml(&mut out);
        self.signatories_toml(&mut out);
        self.rules_toml(&mut out);
        out
    }

    fn contest_toml(&self, out: &mut String, contest: &Contest) {
        out.push_str("\n[[contest]]\n");
        toml_string(out, "id", &contest.id);
        toml_string(out, "name", &contest.name);
        toml_string(out, "area", self.area_id(contest.area));
        if !contest.figures.is_empty() {
            let words: Vec<_> = contest.figures.iter().map(|figure| format!("\"{}\"", figure.as_str())).collect();
            out.push_str("figures = [");
            out.push_str(&words.join(", "));
            out.push_str("]\n");
        }
        if let Some(decision) = &contest.decision {
            decision::write(out, self, contest, decision);
        }
    }

    fn witnesses_toml(&self, out: &mut String) {
        if self.policy.is_empty() {
            return;
        }
        out.push_str("\n[witnesses]\npolicy = [\n");
        for line in &self.policy {
            out.push_str("    ");
            toml_text(out, line);
            out.push_str(",\n");
        }
        out.push_str("]\n");
    }

    fn signatories_toml(&self, out: &mut String) {
        if let Some(authority) = &self.authority {
            // Writing to a `String` cannot fail.
            let _ = write!(out, "\n[authority]\nthreshold = {}\n", authority.threshold());
            for member in authority.members() {
                out.push_str("\n[[authority.member]]\n");
                toml_string(out, "name", &member.name);
                toml_string(out, "key", &hex::encode(member.key.as_bytes()));
            }
        }
        for agent in &self.agents {
            out.push_str("\n[[agent]]\n");
            toml_string(out, "id", &agent.id);
            toml_string(out, "name", &agent.name);
            toml_string(out, "key", &hex::encode(agent.key.as_bytes()));
        }
    }

    fn rules_toml(&self, out: &mut String) {
        let mut settings: Vec<_> = self.rules.iter().collect();
        settings.sort_by_key(|(rule, _)| rule.code());
        for (rule, setting) in settings {
            out.push_str("\n[rules.");
            out.push_str(rule.code());
            out.push_str("]\n");
            if let Some(severity) = setting.severity {
                toml_string(out, "severity", severity.as_str());
            }
            for (key, value) in &setting.thresholds {
                out.push_str(key);
                out.push_str(" = ");
                out.push_str(&value.to_string());
                out.push('\n');
            }
        }
    }
}

fn id_and_name(entry: Option<&Named>) -> (&str, &str) {
    entry.map_or(("", ""), |entry| (&entry.id, &entry.name))
}

/// Appends one CSV row; quotes a field only where it holds `,` `"` CR or LF.
pub(super) fn csv_row<'a>(out: &mut String, fields: impl IntoIterator<Item = &'a str>) {
    for (position, field) in fields.into_iter().enumerate() {
        if position > 0 {
            out.push(',');
        }
        if field.contains([',', '"', '\r', '\n']) {
            out.push('"');
            out.push_str(&field.replace('"', "\"\""));
            out.push('"');
        } else {
            out.push_str(field);
        }
    }
    out.push('\n');
}

/// Appends `key = "text"`.
fn toml_string(out: &mut String, key: &str, text: &str) {
    out.push_str(key);
    out.push_str(" = ");
    toml_text(out, text);
    out.push('\n');
}

/// Appends a TOML basic string: only `"`, `\` and control characters are escaped.
fn toml_text(out: &mut String, text: &str) {
    out.push('"');
    for c in text.chars() {
        match c {
            '"' | '\\' => out.extend(['\\', c]),
            c if c.is_control() => {
                // Writing to a `String` cannot fail.
                let _ = write!(out, "\\u{:04X}", u32::from(c));
            }
            c => out.push(c),
        }
    }
    out.push('"');
}
