//! `election.toml`: identity, contests, rule settings.

use std::collections::BTreeMap;

use jiff::{Timestamp, civil::Date};
use toml::{
    Spanned,
    de::{DeTable, DeValue},
};

use super::{
    super::{Contest, Figure, Phase, PollsClose},
    areas::Areas,
    decision::{self, Draft},
    report::{Checker, Code, Spot, shown},
    signatories::{self, Signatories},
};
use crate::rules::{RuleId, RuleSetting, RuleSettings, Severity, Threshold};

const KEYS: [&str; 12] = [
    "format",
    "id",
    "name",
    "date",
    "phase",
    "polls_close",
    "source",
    "contest",
    "witnesses",
    "authority",
    "agent",
    "rules",
];
const WITNESSES_KEYS: [&str; 1] = ["policy"];
const POLICY_WORDS: [&str; 3] = ["witness", "group", "quorum"];
const CONTEST_KEYS: [&str; 5] = ["id", "name", "area", "figures", "decision"];

/// What `election.toml` says. Where something is wrong a neutral value stands in: the report keeps it from use.
pub(crate) struct Head {
    pub(crate) id: String,
    pub(crate) name: String,
    pub(crate) date: String,
    pub(crate) phase: Phase,
    pub(crate) polls_close: Option<PollsClose>,
    pub(crate) source: Option<String>,
    /// Without ballot lines as yet.
    pub(crate) contests: Vec<Contest>,
    /// Byte offset of each contest's id.
    pub(crate) places: Vec<usize>,
    /// What decides each contest, as written: the ids in it are looked up once all contests have their lines.
    pub(crate) drafts: Vec<Option<Draft>>,
    pub(crate) policy: Vec<String>,
    /// Byte offset of each line of `policy`.
    pub(crate) policy_places: Vec<usize>,
    pub(crate) signatories: Signatories,
    pub(crate) rules: RuleSettings,
    /// Whether every contest was read: otherwise an id that is not here may still be right.
    pub(crate) complete: bool,
}

impl Head {
    pub(crate) fn unreadable() -> Self {
        Self {
            id: String::new(),
            name: String::new(),
            date: String::new(),
            phase: Phase::Drill,
            polls_close: None,
            source: None,
            contests: Vec::new(),
            places: Vec::new(),
            drafts: Vec::new(),
            policy: Vec::new(),
            policy_places: Vec::new(),
            signatories: Signatories::default(),
            rules: RuleSettings::default(),
            complete: false,
        }
    }
}

pub(crate) fn parse(check: &mut Checker<'_, '_>, areas: &Areas) -> Option<Head> {
    let (document, errors) = DeTable::parse_recoverable(check.source.text);
    for error in &errors {
        let at = error.span().map_or(0, |span| span.start);
        check.add(at, Code::Toml, format!("not TOML: {}; correct the line", shown(error.message())));
    }
    if !errors.is_empty() {
        return None;
    }
    let keys = Keys { table: document.get_ref(), at: 0 };
    keys.only(check, &KEYS);
    format(check, keys);
    let mut head = Head { complete: true, ..Head::unreadable() };
    head.id = keys.required(check, "id").and_then(|id| check.id("id", id)).unwrap_or_default().into();
    head.name = keys.name(check).into();
    head.date = keys.required(check, "date").map(|date| day(check, date)).unwrap_or_default().into();
    head.phase = keys.required(check, "phase").and_then(|word| phase(check, word)).unwrap_or(head.phase);
    head.polls_close = keys.string(check, "polls_close").and_then(|text| polls_close(check, text));
    head.source = keys.string(check, "source").map(|text| check.text("source", text).into());
    contests(check, keys, areas, &mut head);
    witnesses(check, keys, &mut head);
    head.signatories = signatories::parse(check, keys);
    head.rules = rules(check, keys);
    Some(head)
}

/// A TOML table, and where to point for a key that it lacks.
#[derive(Clone, Copy)]
pub(crate) struct Keys<'t, 'a> {
    pub(crate) table: &'t DeTable<'a>,
    pub(crate) at: usize,
}

impl<'t, 'a> Keys<'t, 'a> {
    pub(crate) fn only(self, check: &mut Checker<'_, '_>, known: &[&str]) {
        for key in self.table.keys().filter(|key| !known.contains(&key.get_ref().as_ref())) {
            let spot = Spot { text: key.get_ref(), at: key.span().start };
            check.unknown(spot, Code::UnknownKey, "remove or rename the unknown key", known.iter().copied());
        }
    }

    pub(crate) fn get(self, key: &str) -> Option<&'t Spanned<DeValue<'a>>> {
        self.table.get(key)
    }

    pub(crate) fn string(self, check: &mut Checker<'_, '_>, key: &str) -> Option<Spot<'t>> {
        let value = self.get(key)?;
        string(check, key, value)
    }

    pub(crate) fn required(self, check: &mut Checker<'_, '_>, key: &str) -> Option<Spot<'t>> {
        if self.get(key).is_none() {
            check.add(self.at, Code::MissingKey, format!("`{key}` is missing; add `{key} = \"…\"`"));
        }
        self.string(check, key)
    }

    pub(crate) fn name(self, check: &mut Checker<'_, '_>) -> &'t str {
        let Some(name) = self.required(check, "name") else { return "" };
        if name.text.is_empty() {
            check.add(name.at, Code::BadText, "`name` is empty; write the name that readers will see");
        }
        check.text("name", name)
    }
}

pub(crate) fn string<'t>(check: &mut Checker<'_, '_>, key: &str, value: &'t Spanned<DeValue<'_>>) -> Option<Spot<'t>> {
    let at = value.span().start;
    let text = value.get_ref().as_str();
    if text.is_none() {
        check.add(at, Code::WrongType, format!("`{key}` has to be a text; put it in quotes"));
    }
    text.map(|text| Spot { text, at })
}

pub(crate) fn number(value: &DeValue<'_>) -> Option<u32> {
    let integer = value.as_integer()?;
    u32::from_str_radix(integer.as_str(), integer.radix()).ok()
}

fn format(check: &mut Checker<'_, '_>, keys: Keys<'_, '_>) {
    match keys.get("format") {
        None => check.add(keys.at, Code::MissingKey, "`format` is missing; add `format = 1`"),
        Some(value) if number(value.get_ref()) != Some(1) => {
            check.add(
                value.span().start,
                Code::Format,
                "this program reads `format = 1` only; use the program that wrote it",
            );
        }
        Some(_) => {}
    }
}

fn day<'t>(check: &mut Checker<'_, '_>, spot: Spot<'t>) -> &'t str {
    // The parser takes other forms too; the definition has only one.
    let canonical = spot.text.parse::<Date>().is_ok_and(|date| date.to_string() == spot.text) && spot.text.len() == 10;
    if !canonical {
        let what = format!("`date` {} is not a day; write YYYY-MM-DD", shown(spot.text));
        check.add(spot.at, Code::Time, what);
    }
    spot.text
}

fn phase(check: &mut Checker<'_, '_>, spot: Spot<'_>) -> Option<Phase> {
    let phase = spot.text.parse().ok();
    if phase.is_none() {
        check.unknown(spot, Code::Word, "`phase` is `drill` or `official`, not", ["drill", "official"]);
    }
    phase
}

fn polls_close(check: &mut Checker<'_, '_>, spot: Spot<'_>) -> Option<PollsClose> {
    let instant = spot.text.parse::<Timestamp>().ok().filter(|_| is_rfc3339(spot.text));
    let unix = instant.and_then(|instant| u64::try_from(instant.as_second()).ok());
    if unix.is_none() {
        let what = format!(
            "`polls_close` {} is not a time; write RFC 3339 with seconds and offset, as 2026-07-01T18:00:00-06:00",
            shown(spot.text)
        );
        check.add(spot.at, Code::Time, what);
    }
    unix.map(|unix| PollsClose { text: spot.text.into(), unix })
}

/// The shape of RFC 3339, of whose many relatives the parser takes more.
fn is_rfc3339(text: &str) -> bool {
    let shape = |text: &str, pattern: &str| {
        let fits = |(byte, wanted): (u8, u8)| if wanted == b'0' { byte.is_ascii_digit() } else { byte == wanted };
        text.len() == pattern.len() && text.bytes().zip(pattern.bytes()).all(fits)
    };
    let Some((day_and_time, rest)) = text.split_at_checked(19) else { return false };
    let offset = match rest.strip_prefix('.') {
        Some(fraction) => fraction.trim_start_matches(|c: char| c.is_ascii_digit()),
        None => rest,
    };
    let is_offset = offset == "Z" || shape(offset, "+00:00") || shape(offset, "-00:00");
    shape(day_and_time, "0000-00-00T00:00:00") && is_offset && !rest.starts_with(".Z")
}

fn contests(check: &mut Checker<'_, '_>, keys: Keys<'_, '_>, areas: &Areas, head: &mut Head) {
    let tables: &[Spanned<DeValue<'_>>] = match keys.get("contest").map(|value| (value.get_ref().as_array(), value)) {
        None => &[],
        Some((Some(array), _)) => array,
        Some((None, value)) => {
            head.complete = false;
            return check.add(value.span().start, Code::WrongType, "write each contest as a `[[contest]]` table");
        }
    };
    if tables.is_empty() {
        check.add(0, Code::NoContest, "the election has no contest; add a `[[contest]]` table");
    }
    if tables.len() > usize::from(u16::MAX) {
        check.add(0, Code::TooMany, format!("more than {} contests; split the election", u16::MAX));
    }
    let mut seen = BTreeMap::new();
    for value in tables {
        let at = value.span().start;
        let Some(table) = value.get_ref().as_table() else {
            head.complete = false;
            check.add(at, Code::WrongType, "write each contest as a `[[contest]]` table");
            continue;
        };
        match contest(check, Keys { table, at }, areas, &mut seen) {
            Some((contest, place)) => {
                head.drafts.push(decision::parse(check, Keys { table, at }, &contest.figures));
                head.contests.push(contest);
                head.places.push(place);
            }
            None => head.complete = false,
        }
    }
}

fn contest<'t>(
    check: &mut Checker<'_, '_>,
    keys: Keys<'t, '_>,
    areas: &Areas,
    seen: &mut BTreeMap<&'t str, usize>,
) -> Option<(Contest, usize)> {
    keys.only(check, &CONTEST_KEYS);
    let id = keys.required(check, "id");
    let place = id.map_or(keys.at, |id| id.at);
    let id = id.and_then(|id| check.new_id("contest", id, seen));
    let name = keys.name(check);
    let area = keys.required(check, "area").and_then(|area| areas.find(check, area));
    let figures = figures(check, keys);
    let contest = Contest {
        id: id?.into(),
        name: name.into(),
        area: area.unwrap_or(0),
        figures,
        lines: Vec::new(),
        candidates: Vec::new(),
        parties: Vec::new(),
        decision: None,
    };
    Some((contest, place))
}

fn figures(check: &mut Checker<'_, '_>, keys: Keys<'_, '_>) -> Vec<Figure> {
    let Some(value) = keys.get("figures") else { return Vec::new() };
    let Some(words) = value.get_ref().as_array() else {
        check.add(value.span().start, Code::WrongType, "`figures` has to be a list, as [\"blank\", \"null\"]");
        return Vec::new();
    };
    let mut figures = Vec::new();
    for word in words {
        let Some(spot) = string(check, "figures", word) else { continue };
        match spot.text.parse::<Figure>() {
            Ok(figure) if figures.contains(&figure) => {
                check.add(spot.at, Code::Word, format!("{} stands twice; remove one", shown(spot.text)));
            }
            Ok(figure) => figures.push(figure),
            Err(()) => check.unknown(spot, Code::Word, "no figure is called", Figure::ALL.map(Figure::as_str)),
        }
    }
    // A set: the order in which it was written must not change the definition's hash.
    figures.sort_unstable();
    figures
}

/// The lines of a witness policy. What they mean is the log's matter; here each is a line and says what it is.
fn witnesses(check: &mut Checker<'_, '_>, keys: Keys<'_, '_>, head: &mut Head) {
    let Some(value) = keys.get("witnesses") else { return };
    let at = value.span().start;
    let Some(table) = value.get_ref().as_table() else {
        return check.add(at, Code::WrongType, "write the witnesses as a `[witnesses]` table");
    };
    let keys = Keys { table, at };
    keys.only(check, &WITNESSES_KEYS);
    let Some(value) = keys.get("policy") else {
        return check.add(at, Code::MissingKey, "`policy` is missing; add `policy = [\"quorum none\"]`");
    };
    let Some(lines) = value.get_ref().as_array() else {
        let what = "`policy` has to be a list of lines, as [\"witness w1 <key>\", \"quorum w1\"]";
        return check.add(value.span().start, Code::WrongType, what);
    };
    for line in lines {
        let Some(spot) = string(check, "policy", line) else { continue };
        let word = spot.text.split([' ', '\t']).next().unwrap_or_default();
        if !POLICY_WORDS.contains(&word) {
            let word = Spot { text: word, ..spot };
            check.unknown(word, Code::Policy, "a line starts with `witness`, `group` or `quorum`, not", POLICY_WORDS);
        }
        head.policy.push(check.text("policy", spot).into());
        head.policy_places.push(spot.at);
    }
}

fn rules(check: &mut Checker<'_, '_>, keys: Keys<'_, '_>) -> RuleSettings {
    let mut settings = RuleSettings::default();
    let Some(value) = keys.get("rules") else { return settings };
    let Some(table) = value.get_ref().as_table() else {
        check.add(value.span().start, Code::WrongType, "write rule settings as `[rules.CODE]` tables");
        return settings;
    };
    for (code, value) in table {
        let spot = Spot { text: code.get_ref(), at: code.span().start };
        let Some(rule) = RuleId::from_code(spot.text) else {
            check.unknown(spot, Code::UnknownRule, "no rule has the code", RuleId::all().map(RuleId::code));
            continue;
        };
        let Some(table) = value.get_ref().as_table() else {
            check.add(value.span().start, Code::WrongType, "write rule settings as `[rules.CODE]` tables");
            continue;
        };
        let setting = rule_setting(check, rule, table);
        // An empty table says nothing and must not change the definition's hash.
        if setting != RuleSetting::default() {
            settings.set(rule, setting);
        }
    }
    settings
}

fn rule_setting(check: &mut Checker<'_, '_>, rule: RuleId, table: &DeTable<'_>) -> RuleSetting {
    let mut setting = RuleSetting::default();
    for (key, value) in table {
        let name = Spot { text: key.get_ref(), at: key.span().start };
        if name.text == "severity" {
            setting.severity = string(check, "severity", value).and_then(|word| severity(check, rule, word));
        } else if let Some(threshold) = rule.rule().thresholds.iter().find(|t| t.key == name.text) {
            if let Some(number) = number(value.get_ref()) {
                setting.thresholds.insert(threshold.key, number);
            } else {
                let Threshold { key, unit, .. } = threshold;
                let what = format!("`{key}` has to be a whole number of {unit} from 0 to {}", u32::MAX);
                check.add(value.span().start, Code::Number, what);
            }
        } else {
            let pool = rule.rule().thresholds.iter().map(|t| t.key).chain(["severity"]);
            check.unknown(name, Code::UnknownThreshold, &format!("rule {} has no threshold", rule.code()), pool);
        }
    }
    setting
}

fn severity(check: &mut Checker<'_, '_>, rule: RuleId, spot: Spot<'_>) -> Option<Severity> {
    let severity = Severity::from_word(spot.text);
    if severity.is_none() {
        let words = [Severity::Warn, Severity::Quarantine, Severity::Reject].map(Severity::as_str);
        check.unknown(spot, Code::Word, "`severity` is `warn`, `quarantine` or `reject`, not", words);
    }
    if !rule.rule().adjustable {
        let what = format!("the severity of {} is fixed; remove this line", rule.code());
        check.add(spot.at, Code::FixedSeverity, what);
    } else if rule == RuleId::VotersDifferAcross && severity == Some(Severity::Reject) {
        // Whether a record is an event may not hang on what came from the station later.
        let what = format!("{} compares records, so that it is `warn` or `quarantine`, not `reject`", rule.code());
        check.add(spot.at, Code::Word, what);
    }
    severity
}
