//! The one table of rules, and the check of a tally against them. `docs/spec/rules.md` is generated from it.

use std::collections::BTreeMap;

use crate::definition::{Committed, Figure, Station};
use crate::tally::{Stage, Tally};

/// What a failed rule means for the record.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Severity {
    /// Counted, and shown.
    Warn,
    /// Logged, shown apart, not counted until cleared or corrected.
    Quarantine,
    /// Logged as an event, never counted.
    Reject,
}

impl Severity {
    /// The word used in files.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Warn => "warn",
            Self::Quarantine => "quarantine",
            Self::Reject => "reject",
        }
    }

    /// The severity with this word.
    pub fn from_word(word: &str) -> Option<Self> {
        [Self::Warn, Self::Quarantine, Self::Reject].into_iter().find(|s| s.as_str() == word)
    }
}

/// Which question a rule asks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Family {
    /// Who speaks, for which station, contest and election.
    Identity,
    /// Do the figures add up.
    Arithmetic,
    /// Can the figures be.
    Bounds,
    /// Are the figures usual.
    Plausibility,
}

impl Family {
    /// The word used in documents.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Identity => "identity",
            Self::Arithmetic => "arithmetic",
            Self::Bounds => "bounds",
            Self::Plausibility => "plausibility",
        }
    }
}

/// A threshold that a definition may set.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Threshold {
    /// Key in `election.toml`.
    pub key: &'static str,
    /// Value where the definition sets none.
    pub default: u32,
    /// What it is measured in.
    pub unit: &'static str,
}

/// One row of the table.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rule {
    /// Stable code.
    pub code: &'static str,
    /// Which question it asks.
    pub family: Family,
    /// Severity unless the definition sets another.
    pub severity: Severity,
    /// Whether a definition may set another severity. Identity rules are fixed.
    pub adjustable: bool,
    /// What it asks, in one sentence.
    pub text: &'static str,
    /// Where it comes from.
    pub citation: &'static str,
    /// What whoever sees the finding should do.
    pub remedy: &'static str,
    /// Thresholds, with their defaults.
    pub thresholds: &'static [Threshold],
}

macro_rules! rules {
    ($($name:ident $code:literal $family:ident $severity:ident $adjustable:literal
       { text: $text:literal, from: $citation:literal, do_: $remedy:literal $(, thresholds: [$($key:literal = $default:literal $unit:literal),*])? })*) => {
        /// A rule, by name. Its facts stand in [`TABLE`].
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum RuleId { $(#[doc = $text] $name),* }

        /// Every rule, in the order of [`RuleId`].
        pub const TABLE: &[Rule] = &[$(Rule {
            code: $code, family: Family::$family, severity: Severity::$severity, adjustable: $adjustable,
            text: $text, citation: $citation, remedy: $remedy,
            thresholds: &[$($(Threshold { key: $key, default: $default, unit: $unit }),*)?],
        }),*];

        const IDS: &[RuleId] = &[$(RuleId::$name),*];
    };
}

rules! {
    WrongElection "ID-01" Identity Reject false {
        text: "The record names this election, by the hash of its definition.",
        from: "TSE (election and round in the bulletin header)",
        do_: "Seal the record again with the station pack of this election." }
    WrongPhase "ID-02" Identity Reject false {
        text: "The record's phase is the definition's: a drill record is never counted in an official election.",
        from: "TSE FASE",
        do_: "Use the station pack of the right phase." }
    UnknownStation "ID-03" Identity Reject false {
        text: "The station is in the register.",
        from: "PREP \"fuera de catálogo\"",
        do_: "Compare the station number with the published register." }
    UnknownContest "ID-04" Identity Reject false {
        text: "The contest is in the definition.",
        from: "Tallyproof (the definition is committed before the first record)",
        do_: "Seal the record again with the published definition." }
    WrongKey "ID-05" Identity Reject false {
        text: "The record is signed with a key that its station has: the one that the register gives, or one enrolled in the log before it, and not revoked before it.",
        from: "TSE (key, station, device and load code belong together)",
        do_: "Seal the record with the station's own pack." }
    ContestNotHeld "ID-06" Identity Reject false {
        text: "Voters of the station vote in the contest.",
        from: "Tallyproof (a contest is held in its area only)",
        do_: "Choose the contest that is on this station's ballot." }
    LineCount "ID-07" Identity Reject false {
        text: "The record has one count for each ballot line of the contest, no more and no fewer.",
        from: "Abacus (political group and candidate numbers must match the definition)",
        do_: "Seal the record again with the published ballot." }
    Conflict "ID-08" Identity Quarantine false {
        text: "There is one record for this station, contest and stage; every different one is kept, and none is counted until a correction says which stands.",
        from: "Tally-Ho (both to clearance)",
        do_: "Compare the records with the paper; the authority issues a correction." }
    SealedBeforeClose "ID-09" Identity Quarantine true {
        text: "The record was sealed after the polls closed.",
        from: "Tallyproof (a count cannot precede the close of the poll)",
        do_: "Check the station's clock and the time on the paper record.",
        thresholds: ["tolerance_seconds" = 0 "seconds before the close that are still accepted"] }
    FigureMissing "ID-10" Identity Quarantine true {
        text: "Every figure that the contest requires is stated.",
        from: "Abacus F-series (mandatory fields); missing is not zero",
        do_: "Read the missing figure from the paper record and issue a correction." }
    StageNotOpen "ID-11" Identity Reject false {
        text: "A station's record is of the count; later stages come as corrections that the authority signs.",
        from: "Tallyproof (stages: count, canvass, ruling, rerun)",
        do_: "Ask the authority for a correction." }
    TotalDiffers "AR-01" Arithmetic Quarantine true {
        text: "The stated total equals the sum of the ballot lines plus the blank and null ballots that are stated.",
        from: "PREP (stated total and computed total are both published); Abacus F203",
        do_: "Compare each figure with the paper record; both totals are published." }
    VotersDiffer "AR-02" Arithmetic Quarantine true {
        text: "Ballots cast (valid + blank + null) equal the voters admitted, within the allowance.",
        from: "Abacus F305–F310 (unexplained difference of admitted voters and votes cast)",
        do_: "Compare both figures with the paper record and the roll.",
        thresholds: ["allowance" = 0 "ballots"] }
    RollDiffers "AR-03" Arithmetic Warn true {
        text: "The stated roll equals the register's.",
        from: "Abacus W205",
        do_: "Compare with the published register; the register's figure is used for bounds." }
    VotersDifferAcross "AR-04" Arithmetic Quarantine true {
        text: "Voters admitted are the same in every contest of a station, within the allowance.",
        from: "Tallyproof (one roll, one turnout; set it to warn where eligibility differs between contests)",
        do_: "Compare the figures with the paper and the roll.",
        thresholds: ["allowance" = 0 "voters"] }
    VotesExceedRoll "BO-01" Bounds Quarantine true {
        text: "Ballots cast do not exceed the voters on the roll plus the allowance; special stations have no roll of their own and are exempt.",
        from: "Tally-Ho (+5); PREP includes party agents voting at the station and does not count the record",
        do_: "Compare with the paper record and the roll.",
        thresholds: ["allowance" = 5 "ballots"] }
    VotersExceedRoll "BO-02" Bounds Quarantine true {
        text: "Voters admitted do not exceed the voters on the roll plus the allowance; special stations are exempt.",
        from: "Tally-Ho; Abacus F201",
        do_: "Compare with the paper record and the roll.",
        thresholds: ["allowance" = 5 "voters"] }
    CountOutOfRange "BO-03" Bounds Reject false {
        text: "No figure exceeds what a polling station can hold.",
        from: "Tallyproof (a figure that no station can hold is an error of entry)",
        do_: "Correct the figure and seal the record again.",
        thresholds: ["ceiling" = 10_000_000 "ballots"] }
    ZeroVotes "PL-01" Plausibility Warn true {
        text: "The record holds at least one vote.",
        from: "Abacus W204; Tally-Ho (all zero)",
        do_: "Check that the count was entered." }
    AllBlank "PL-02" Plausibility Warn true {
        text: "Not all ballots are blank.",
        from: "Tally-Ho",
        do_: "Check that blank ballots were not entered in place of another figure." }
}

impl RuleId {
    /// All rules, in table order.
    pub fn all() -> impl Iterator<Item = Self> {
        IDS.iter().copied()
    }

    /// The rule's row.
    pub fn rule(self) -> &'static Rule {
        &TABLE[self as usize]
    }

    /// Whether it compares a record with others: such a rule is for whoever holds them all.
    pub fn compares_records(self) -> bool {
        matches!(self, Self::Conflict | Self::VotersDifferAcross)
    }

    /// The rule's stable code.
    pub fn code(self) -> &'static str {
        self.rule().code
    }

    /// The rule with this code.
    pub fn from_code(code: &str) -> Option<Self> {
        Self::all().find(|id| id.code() == code)
    }
}

/// What a definition sets for one rule.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RuleSetting {
    /// Another severity than the table's.
    pub severity: Option<Severity>,
    /// Threshold key to value.
    pub thresholds: BTreeMap<&'static str, u32>,
}

/// Severities and thresholds that a definition sets; all else is the table's.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RuleSettings(BTreeMap<RuleId, RuleSetting>);

impl RuleSettings {
    /// Sets one rule's severity and thresholds.
    pub fn set(&mut self, rule: RuleId, setting: RuleSetting) {
        self.0.insert(rule, setting);
    }

    /// What was set, in table order.
    pub fn iter(&self) -> impl Iterator<Item = (RuleId, &RuleSetting)> {
        self.0.iter().map(|(&id, setting)| (id, setting))
    }

    /// The severity in force.
    pub fn severity(&self, rule: RuleId) -> Severity {
        self.0.get(&rule).and_then(|setting| setting.severity).unwrap_or(rule.rule().severity)
    }

    /// The threshold in force; 0 for a key that the rule does not have.
    pub fn threshold(&self, rule: RuleId, key: &str) -> u32 {
        let set = self.0.get(&rule).and_then(|setting| setting.thresholds.get(key)).copied();
        set.or_else(|| rule.rule().thresholds.iter().find(|t| t.key == key).map(|t| t.default)).unwrap_or(0)
    }

    /// The settings of an import: every adjustable rule that would quarantine only warns, because the publisher of the
    /// figures has already counted them.
    pub fn as_published() -> Self {
        let mut settings = Self::default();
        for id in RuleId::all().filter(|id| id.rule().adjustable && id.rule().severity == Severity::Quarantine) {
            settings.set(id, RuleSetting { severity: Some(Severity::Warn), ..RuleSetting::default() });
        }
        settings
    }
}

/// A rule that a record fails.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// Which rule.
    pub rule: RuleId,
    /// The severity in force for this election.
    pub severity: Severity,
    /// Which figure or field.
    pub field: &'static str,
    /// What was found, with the figures.
    pub detail: String,
}

/// All rules that one tally fails, checked on its own: everything but the signature's key (`ID-05`), conflicts with
/// other records (`ID-08`) and the voters of the station's other contests (`AR-04`), which need more than the tally.
pub fn check(definition: &Committed, tally: &Tally) -> Vec<Finding> {
    let mut findings = Findings { settings: definition.election().rules(), found: Vec::new() };
    if let Some(station) = identity(definition, tally, &mut findings) {
        arithmetic(tally, station, &mut findings);
        bounds(tally, station, &mut findings);
        plausibility(tally, &mut findings);
    }
    findings.found
}

/// Whether a station's records state voters so far apart that `AR-04` fails: `lowest` and `highest` are the least and the
/// most over its records that are not rejected, in all its contests.
pub fn voters_spread_exceeds(settings: &RuleSettings, lowest: u32, highest: u32) -> bool {
    highest.saturating_sub(lowest) > settings.threshold(RuleId::VotersDifferAcross, "allowance")
}

/// The strongest severity among findings; `None` if there are none.
pub fn worst(findings: &[Finding]) -> Option<Severity> {
    findings.iter().map(|finding| finding.severity).max()
}

struct Findings<'a> {
    settings: &'a RuleSettings,
    found: Vec<Finding>,
}

impl Findings<'_> {
    fn add(&mut self, rule: RuleId, field: &'static str, detail: String) {
        self.found.push(Finding { rule, severity: self.settings.severity(rule), field, detail });
    }

    fn threshold(&self, rule: RuleId, key: &str) -> u64 {
        u64::from(self.settings.threshold(rule, key))
    }
}

/// Returns the station if the tally's figures can be judged at all.
fn identity<'a>(definition: &'a Committed, tally: &Tally, findings: &mut Findings<'_>) -> Option<&'a Station> {
    let election = definition.election();
    if tally.election != *definition.hash() {
        let detail = format!("the record names definition {}, this is {}", tally.election, definition.hash());
        findings.add(RuleId::WrongElection, "election", detail);
    }
    if tally.phase != election.phase() {
        let detail = format!("the record is {}, the election is {}", tally.phase, election.phase());
        findings.add(RuleId::WrongPhase, "phase", detail);
    }
    if tally.stage != Stage::Count {
        findings.add(RuleId::StageNotOpen, "stage", format!("stage {:?}", tally.stage));
    }
    let station = election.station(tally.station);
    if station.is_none() {
        findings.add(RuleId::UnknownStation, "station", format!("number {} is not in the register", tally.station));
    }
    let contest = election.contest(tally.contest);
    if contest.is_none() {
        findings.add(RuleId::UnknownContest, "contest", format!("number {} is not in the definition", tally.contest));
    }
    let (station, contest) = (station?, contest?);
    if !election.holds(station, contest) {
        let detail = format!("contest {} is not held at station {}", contest.id, station.id);
        findings.add(RuleId::ContestNotHeld, "contest", detail);
    }
    if tally.counts.len() != contest.lines.len() {
        let detail = format!("{} counts for {} ballot lines", tally.counts.len(), contest.lines.len());
        findings.add(RuleId::LineCount, "counts", detail);
    }
    let tolerance = findings.threshold(RuleId::SealedBeforeClose, "tolerance_seconds");
    if let Some(close) = election.polls_close()
        && tally.sealed_at.saturating_add(tolerance) < close.unix
    {
        let detail = format!("sealed {} s before the polls closed", close.unix - tally.sealed_at);
        findings.add(RuleId::SealedBeforeClose, "sealed_at", detail);
    }
    for &figure in &contest.figures {
        if tally.figure(figure).is_none() {
            findings.add(RuleId::FigureMissing, figure.as_str(), format!("{} is not stated", figure.as_str()));
        }
    }
    Some(station)
}

fn arithmetic(tally: &Tally, station: &Station, findings: &mut Findings<'_>) {
    let cast = tally.cast();
    if let Some(total) = tally.total.map(u64::from)
        && total != cast
    {
        findings.add(RuleId::TotalDiffers, "total", format!("stated {total}, computed {cast}"));
    }
    let allowance = findings.threshold(RuleId::VotersDiffer, "allowance");
    if let Some(voters) = tally.voters.map(u64::from)
        && voters.abs_diff(cast) > allowance
    {
        findings.add(RuleId::VotersDiffer, "voters", format!("{voters} voters admitted, {cast} ballots cast"));
    }
    if let (Some(stated), Some(roll)) = (tally.registered, station.registered)
        && stated != roll
    {
        findings.add(RuleId::RollDiffers, "registered", format!("stated {stated}, the register has {roll}"));
    }
}

fn bounds(tally: &Tally, station: &Station, findings: &mut Findings<'_>) {
    let ceiling = findings.threshold(RuleId::CountOutOfRange, "ceiling");
    let stated = Figure::ALL.into_iter().filter_map(|figure| Some((figure.as_str(), tally.figure(figure)?)));
    for (field, value) in tally.counts.iter().map(|&count| ("counts", count)).chain(stated) {
        if u64::from(value) > ceiling {
            findings.add(RuleId::CountOutOfRange, field, format!("{value} is above the ceiling of {ceiling}"));
        }
    }
    let Some(roll) = station.roll().map(u64::from) else { return };
    let exceeds = [
        (RuleId::VotesExceedRoll, "counts", Some(tally.cast()), "ballots cast"),
        (RuleId::VotersExceedRoll, "voters", tally.voters.map(u64::from), "voters admitted"),
    ];
    for (rule, field, value, what) in exceeds {
        let allowance = findings.threshold(rule, "allowance");
        if let Some(value) = value.filter(|&value| value > roll.saturating_add(allowance)) {
            findings.add(rule, field, format!("{value} {what}, {roll} on the roll, allowance {allowance}"));
        }
    }
}

fn plausibility(tally: &Tally, findings: &mut Findings<'_>) {
    let (cast, blank) = (tally.cast(), tally.blank.map_or(0, u64::from));
    if cast == 0 {
        findings.add(RuleId::ZeroVotes, "counts", "every count is zero".into());
    } else if blank == cast {
        findings.add(RuleId::AllBlank, "blank", format!("all {blank} ballots are blank"));
    }
}
