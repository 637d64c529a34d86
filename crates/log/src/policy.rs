//! Trust policies: which logs a reader believes, and whose cosignatures it asks for (C2SP tlog-policy, June 2026).
//!
//! ```text
//! log <vkey> [<url>]
//! witness <name> <vkey> [<url>]
//! group <name> <k|any|all> <member>…
//! quorum <name|none>
//! ```
//! Stricter than the specification in two ways: a policy is UTF-8, and a count has no leading zero.

use std::{collections::BTreeSet, fmt, str::FromStr};

use thiserror::Error;

use crate::{
    encoding::decimal,
    note::{PublicKey, Verified, VerifierKey, VerifierKeyError},
};

/// The most logs, the most witnesses and the most groups that a policy may have.
pub const MAX_OF_EACH: usize = 64;

/// The quorum that asks for nobody.
const NONE: &str = "none";

/// A log that is believed. The key's name is the log's origin.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TrustedLog {
    /// The log's key, of type Ed25519.
    pub key: VerifierKey,
    /// Where to reach the log, if that is known.
    pub url: Option<String>,
}

/// A witness. Its name has a meaning within the policy only; it need not be the key's.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Witness {
    /// The witness's name in this policy.
    pub name: String,
    /// The witness's key, of a cosigner's type.
    pub key: VerifierKey,
    /// Where to reach the witness, if that is known: the submission prefix of the tlog-witness protocol.
    pub url: Option<String>,
}

/// How many members of a group have to have witnessed a checkpoint for the group to have.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Threshold {
    /// One of them.
    Any,
    /// Every one.
    All,
    /// This many, from 1 to the number of members.
    AtLeast(usize),
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct Group {
    name: String,
    needed: usize,
    members: Vec<String>,
}

/// Whom a reader believes. Displays as a policy file, and parses from one; comments and spacing are not kept.
///
/// Witnesses and groups share one space of names. A group's members and the quorum are defined before they are named, so there is
/// no circle, and each is a member of one group at most, so that a witness has one vote.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Policy {
    logs: Vec<TrustedLog>,
    witnesses: Vec<Witness>,
    /// In the order of definition.
    groups: Vec<Group>,
    quorum: Option<String>,
}

impl Policy {
    /// A policy that believes these logs without asking for witnesses.
    pub fn without_witnesses(logs: impl IntoIterator<Item = VerifierKey>) -> Result<Self, PolicyError> {
        let mut policy = Self::default();
        logs.into_iter().try_for_each(|key| policy.add_log(key, None))?;
        Ok(policy)
    }

    /// Believes one more log.
    pub fn add_log(&mut self, key: VerifierKey, url: Option<&str>) -> Result<(), PolicyError> {
        if !matches!(key.public_key(), PublicKey::Ed25519(_)) {
            return Err(PolicyError::LogKeyType);
        }
        // Under two names the same key would look like two parties.
        if self.logs.iter().any(|log| log.key.public_key() == key.public_key()) {
            return Err(PolicyError::DuplicateLog);
        }
        check_room(&self.logs, "logs")?;
        self.logs.push(TrustedLog { key, url: url.map(word).transpose()? });
        Ok(())
    }

    /// Knows one more witness. The quorum does not ask for it unless it is, or leads to, the quorum's name.
    pub fn add_witness(&mut self, name: &str, key: VerifierKey, url: Option<&str>) -> Result<(), PolicyError> {
        if !key.public_key().is_cosigner() {
            return Err(PolicyError::WitnessKeyType(name.to_owned()));
        }
        // With two names the same key would have two votes.
        if let Some(first) = self.witnesses.iter().find(|witness| witness.key.public_key() == key.public_key()) {
            return Err(PolicyError::DuplicateWitness { first: first.name.clone() });
        }
        check_room(&self.witnesses, "witnesses")?;
        self.witnesses.push(Witness { name: self.new_name(name)?, key, url: url.map(word).transpose()? });
        Ok(())
    }

    /// Says where a witness is reached, in place of what was said before.
    pub fn set_url(&mut self, name: &str, url: &str) -> Result<(), PolicyError> {
        let url = word(url)?;
        let witness = self.witnesses.iter_mut().find(|witness| witness.name == name);
        witness.ok_or_else(|| PolicyError::NoWitness(name.to_owned()))?.url = Some(url);
        Ok(())
    }

    /// Defines a group of witnesses and groups that are defined already and are in no other group.
    pub fn add_group(&mut self, name: &str, threshold: Threshold, members: &[&str]) -> Result<(), PolicyError> {
        check_room(&self.groups, "groups")?;
        for (at, member) in members.iter().enumerate() {
            self.check_defined(member)?;
            let elsewhere = self.groups.iter().any(|group| group.members.iter().any(|taken| taken == member));
            if elsewhere || members.iter().take(at).any(|earlier| earlier == member) {
                return Err(PolicyError::MemberTwice((*member).to_owned()));
            }
        }
        let needed = match threshold {
            Threshold::Any => 1,
            Threshold::All => members.len(),
            Threshold::AtLeast(needed) => needed,
        };
        if needed == 0 || needed > members.len() {
            return Err(PolicyError::Threshold { members: members.len() });
        }
        let members = members.iter().map(|&member| member.to_owned()).collect();
        self.groups.push(Group { name: self.new_name(name)?, needed, members });
        Ok(())
    }

    /// Asks for this witness or group, which is defined already; for nobody if it is `none`.
    pub fn set_quorum(&mut self, name: &str) -> Result<(), PolicyError> {
        self.quorum = if name == NONE {
            None
        } else {
            self.check_defined(name)?;
            Some(name.to_owned())
        };
        Ok(())
    }

    /// The logs.
    pub fn logs(&self) -> &[TrustedLog] {
        &self.logs
    }

    /// Whether this log's own word is believed.
    pub fn trusts(&self, log: &VerifierKey) -> bool {
        self.logs.iter().any(|trusted| trusted.key == *log)
    }

    /// The witnesses, in or outside the quorum.
    pub fn witnesses(&self) -> &[Witness] {
        &self.witnesses
    }

    /// The witness or group that the quorum asks for; `None` if it asks for nobody.
    pub fn quorum(&self) -> Option<&str> {
        self.quorum.as_deref()
    }

    /// The names of the witnesses whose cosignatures were verified.
    pub fn cosigners(&self, note: &Verified) -> Vec<&str> {
        self.witnesses
            .iter()
            .filter(|witness| note.signed_by(&witness.key))
            .map(|witness| witness.name.as_str())
            .collect()
    }

    /// Whether the quorum is met where these witnesses have cosigned. Names that are no witness's count for nothing.
    pub fn satisfied_by(&self, cosigned: &[&str]) -> bool {
        let names = self.witnesses.iter().map(|witness| witness.name.as_str());
        let mut witnessing: BTreeSet<&str> = names.filter(|name| cosigned.contains(name)).collect();
        // A group's members stand before it.
        for group in &self.groups {
            let present = group.members.iter().filter(|member| witnessing.contains(member.as_str())).count();
            if present >= group.needed {
                witnessing.insert(&group.name);
            }
        }
        self.quorum.as_deref().is_none_or(|quorum| witnessing.contains(quorum))
    }

    fn defines(&self, name: &str) -> bool {
        self.witnesses.iter().any(|witness| witness.name == name) || self.groups.iter().any(|group| group.name == name)
    }

    fn check_defined(&self, name: &str) -> Result<(), PolicyError> {
        if self.defines(name) { Ok(()) } else { Err(PolicyError::Undefined(name.to_owned())) }
    }

    fn new_name(&self, name: &str) -> Result<String, PolicyError> {
        let name = word(name)?;
        if name == NONE || self.defines(&name) { Err(PolicyError::NameTaken(name)) } else { Ok(name) }
    }

    /// Takes one line in; `true` if it is the quorum's.
    fn read_line(&mut self, line: &str) -> Result<bool, PolicyError> {
        if line.chars().any(|c| c.is_ascii_control() && c != '\t') {
            return Err(PolicyError::ControlCharacter);
        }
        let words: Vec<&str> = line.split([' ', '\t']).filter(|word| !word.is_empty()).collect();
        match words.as_slice() {
            [] => {}
            [first, ..] if first.starts_with('#') => {}
            ["log", key] => self.add_log(key.parse()?, None)?,
            ["log", key, url] => self.add_log(key.parse()?, Some(url))?,
            ["witness", name, key] => self.add_witness(name, key.parse()?, None)?,
            ["witness", name, key, url] => self.add_witness(name, key.parse()?, Some(url))?,
            ["group", name, threshold, members @ ..] => self.add_group(name, threshold.parse()?, members)?,
            ["quorum", name] => {
                self.set_quorum(name)?;
                return Ok(true);
            }
            _ => return Err(PolicyError::Directive(words.join(" "))),
        }
        Ok(false)
    }
}

fn check_room<T>(defined: &[T], what: &'static str) -> Result<(), PolicyError> {
    if defined.len() < MAX_OF_EACH { Ok(()) } else { Err(PolicyError::TooMany(what)) }
}

/// What can stand between two spaces of a line.
fn word(text: &str) -> Result<String, PolicyError> {
    let one_word = !text.is_empty() && !text.chars().any(|c| c == ' ' || c.is_ascii_control());
    if one_word { Ok(text.to_owned()) } else { Err(PolicyError::Word(text.to_owned())) }
}

impl FromStr for Threshold {
    type Err = PolicyError;

    fn from_str(text: &str) -> Result<Self, PolicyError> {
        match text {
            "any" => Ok(Self::Any),
            "all" => Ok(Self::All),
            _ => decimal(text)
                .and_then(|needed| usize::try_from(needed).ok())
                .map(Self::AtLeast)
                .ok_or_else(|| PolicyError::ThresholdForm(text.to_owned())),
        }
    }
}

impl fmt::Display for Group {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "group {} ", self.name)?;
        match self.needed {
            all if all == self.members.len() => f.write_str("all")?,
            1 => f.write_str("any")?,
            needed => write!(f, "{needed}")?,
        }
        self.members.iter().try_for_each(|member| write!(f, " {member}"))
    }
}

impl fmt::Display for Policy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let url = |url: &Option<String>| url.as_ref().map_or_else(String::new, |url| format!(" {url}"));
        self.logs.iter().try_for_each(|log| writeln!(f, "log {}{}", log.key, url(&log.url)))?;
        for witness in &self.witnesses {
            writeln!(f, "witness {} {}{}", witness.name, witness.key, url(&witness.url))?;
        }
        self.groups.iter().try_for_each(|group| writeln!(f, "{group}"))?;
        writeln!(f, "quorum {}", self.quorum().unwrap_or(NONE))
    }
}

/// What is wrong with a policy.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum PolicyError {
    /// An error on one line of the file.
    #[error("policy line {line}: {error}")]
    Line {
        /// Line number, from 1.
        line: usize,
        /// What is wrong there.
        error: Box<PolicyError>,
    },
    /// A character other than printable ones, space and tab.
    #[error("control characters are not allowed")]
    ControlCharacter,
    /// A line in none of the four forms.
    #[error(
        "'{0}' is none of 'log <vkey> [<url>]', 'witness <name> <vkey> [<url>]', 'group <name> <k|any|all> <member>…' and 'quorum <name|none>'"
    )]
    Directive(String),
    /// A name or a URL that could not be read back.
    #[error("{0:?} is not one word: use at least one character, and no space or control character")]
    Word(String),
    /// A verifier key is wrong.
    #[error(transparent)]
    Key(#[from] VerifierKeyError),
    /// A log signs with a key of type 0x01.
    #[error("a log's key has to be of the type 0x01, Ed25519")]
    LogKeyType,
    /// A witness signs with a key of type 0x04 or 0x06.
    #[error("the key of the witness {0} has to be of a cosigner's type: 0x04, Ed25519, or 0x06, ML-DSA-44")]
    WitnessKeyType(String),
    /// The same public key is listed twice.
    #[error("this log key is already listed")]
    DuplicateLog,
    /// The same public key is listed twice, which would give it two votes.
    #[error("this witness key is already listed, as {first}")]
    DuplicateWitness {
        /// The name that it is listed under.
        first: String,
    },
    /// A name defined twice, or `none`.
    #[error("the name {0} is taken: give each witness and group a name of its own, and none of them 'none'")]
    NameTaken(String),
    /// A group or the quorum names what is not defined before it.
    #[error("no line before this one defines a witness or group {0}")]
    Undefined(String),
    /// A name that is no witness's.
    #[error("the policy has no witness {0}")]
    NoWitness(String),
    /// A witness or group is a member twice, which would give it two votes.
    #[error("{0} is already a member of a group; it can be one once")]
    MemberTwice(String),
    /// Not a way to say how many.
    #[error("'{0}' is none of 'any', 'all' and a number without leading zeros")]
    ThresholdForm(String),
    /// A group that nobody or anybody could speak for.
    #[error(
        "a group of {members} members cannot ask for that many: name members, and ask for at least one of them and at most all"
    )]
    Threshold {
        /// Members named.
        members: usize,
    },
    /// More than [`MAX_OF_EACH`].
    #[error("more than {MAX_OF_EACH} {0}")]
    TooMany(&'static str),
    /// No `quorum` line, or several.
    #[error("a policy has exactly one 'quorum' line")]
    Quorum,
    /// The last line is not ended.
    #[error("the policy's last line does not end with a newline")]
    NoFinalNewline,
}

impl FromStr for Policy {
    type Err = PolicyError;

    fn from_str(text: &str) -> Result<Self, PolicyError> {
        // A file cut short within its last line must not be read as a complete, weaker policy.
        if !text.is_empty() && !text.ends_with('\n') {
            return Err(PolicyError::NoFinalNewline);
        }
        let mut policy = Self::default();
        let mut quorums = 0_u32;
        for (line, text) in (1..).zip(text.split('\n')) {
            let is_quorum =
                policy.read_line(text).map_err(|error| PolicyError::Line { line, error: Box::new(error) })?;
            quorums = quorums.saturating_add(u32::from(is_quorum));
        }
        if quorums == 1 { Ok(policy) } else { Err(PolicyError::Quorum) }
    }
}
